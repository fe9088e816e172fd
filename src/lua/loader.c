/* loader.c - loader options as blocks, and what statements ask of models. lua/lualchemy/orm/loading.lua says what a user writes. */
#include "lua/host.h"
#include "sql/source.h"
#include <string.h>

static const char *const strategy_names[ALCH_STRATEGY_COUNT] = { "defaultload", "lazyload", "selectload", "joinedload", "selectinload", "raiseload", "noload", "defer", "undefer", "load_only", "contains_eager" };

static uint8_t check_strategy(lua_State *L, int index) {
  const char *name = luaL_checkstring(L, index);
  for (int i = 0; i < ALCH_STRATEGY_COUNT; i++)
    if (strcmp(strategy_names[i], name) == 0) return (uint8_t)i;
  return (uint8_t)luaL_argerror(L, index, "no strategy");
}

/* option(strategy, mapper id, slot or nil for all, alias or nil, children): an OPTION. children is a list of options. */
static int loader_option(lua_State *L) {
  binding *b = BINDING(L);
  uint8_t strategy = check_strategy(L, 1);
  lua_settop(L, 5);
  uint32_t slot = lua_isnil(L, 3) ? UINT32_MAX : (uint32_t)luaL_checkinteger(L, 3);
  const alch_block *alias = lua_isnil(L, 4) ? NULL : binding_block(L, b, 4);
  lua_Integer count = lua_istable(L, 5) ? (lua_Integer)lua_rawlen(L, 5) : 0;
  luaL_checkstack(L, (int)count + 8, "options");
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 5, i);
    binding_check(L, b, -1, BINDING_EXPRESSION);
  }
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_OPTION, strategy, (uint32_t)luaL_checkinteger(L, 2), slot);
  if (alias) alch_builder_block(&b->builder, alias);
  for (int i = 0; i < (int)count; i++) alch_builder_block(&b->builder, lua_touserdata(L, 6 + i));
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* add_options(statement, list of options) */
static int loader_add_options(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check(L, b, 1, BINDING_STATEMENT);
  luaL_checktype(L, 2, LUA_TTABLE);
  uint32_t count = (uint32_t)lua_rawlen(L, 2);
  const alch_block **additions = lua_newuserdatauv(L, (count + 1) * sizeof *additions, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i + 1);
    additions[i] = binding_check(L, b, -1, BINDING_EXPRESSION);
    lua_pop(L, 1);   /* the list keeps it */
  }
  alch_build_clause(&b->builder, statement, ALCH_NODE_OPTIONS, 0, additions, count, false);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

static binding_model *model_of_table(const binding_orm *o, uint32_t table) { return alch_map_get(&o->models_by_table, &table, sizeof table); }

/* The table behind a source that is one, or an alias of one. */
static uint32_t table_of_source(const alch_block *block, uint32_t source) {
  const alch_node *definition = source & ALCH_ANONYMOUS ? alch_block_definition(block, source) : NULL;
  if (!definition) return source;
  const alch_node *element = alch_node_child(definition);
  return element < alch_node_next(definition) && element->kind == ALCH_NODE_TABLE ? element->a : 0;
}

/* attribute_slot(attribute of a model): the id of its mapper and its slot; nil for what is none */
static int loader_attribute_slot(lua_State *L) {
  const binding_orm *o = BINDING_ORM(L);
  const alch_block *block = binding_test(L, o->b, 1, BINDING_EXPRESSION);
  const alch_node *root = block ? alch_block_root(block) : NULL;
  if (!root || root->kind != ALCH_NODE_COLUMN) return 0;
  const binding_model *model = model_of_table(o, table_of_source(block, root->a));
  if (!model) return 0;
  uint32_t slot = alch_mapper_column_slot(model->mapper, model->mapper->table->columns[root->b]);
  if (slot == UINT32_MAX) return 0;
  lua_pushinteger(L, (lua_Integer)model->mapper->id);
  lua_pushinteger(L, (lua_Integer)slot);
  return 2;
}

/* mapper_id(model): for options of all attributes or relationships */
static int loader_mapper_id(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)binding_check_model(L, BINDING(L), 1, "a loader option")->mapper->id);
  return 1;
}

/* source_model(source): the model whose table this is, or nil */
static int loader_source_model(lua_State *L) {
  const binding_model *model = model_of_table(BINDING_ORM(L), (uint32_t)luaL_checkinteger(L, 1));
  if (!model) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, model->model);
  return 1;
}

/* table_model(table): the first model over it, or nil */
static int loader_table_model(lua_State *L) {
  alch_table *const *table = binding_check(L, BINDING(L), 1, BINDING_TABLE);
  const binding_model *model = model_of_table(BINDING_ORM(L), (*table)->id);
  if (!model) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, model->model);
  return 1;
}

/* model_of(value): the model that this is, or whose alias or mapper it is; nil for anything else */
static int loader_model_of(lua_State *L) {
  const binding_model *model = binding_model_of(L, BINDING(L), 1);
  if (!model) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, model->model);
  return 1;
}

/* slot_of(model, name): or an error that names the nearest */
static int loader_slot_of(lua_State *L) {
  const binding_model *model = binding_check_model(L, BINDING(L), 1, "a criterion");
  uint32_t slot = alch_mapper_slot(model->mapper, luaL_checkstring(L, 2));
  if (slot == UINT32_MAX) return binding_unknown_attribute(L, model, lua_tostring(L, 2));
  lua_pushinteger(L, (lua_Integer)slot);
  return 1;
}

/* has_from(statement): does it name what it selects from? */
static int loader_has_from(lua_State *L) {
  const alch_block *statement = binding_check(L, BINDING(L), 1, BINDING_STATEMENT);
  lua_pushboolean(L, alch_node_clause(alch_block_root(statement), ALCH_NODE_FROM) != NULL);
  return 1;
}

/* statement_kind(statement): "select", "insert", … */
static int loader_statement_kind(lua_State *L) {
  const alch_block *statement = binding_test(L, BINDING(L), 1, BINDING_STATEMENT);
  if (!statement) return 0;
  lua_pushstring(L, alch_node_kind_name(alch_block_root(statement)->kind));
  lua_pushinteger(L, (lua_Integer)alch_block_root(statement)->a);
  return 2;
}

/* comma(list of expressions): one of them, or all as a list */
static int loader_comma(lua_State *L) {
  binding *b = BINDING(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  uint32_t count = (uint32_t)lua_rawlen(L, 1);
  alch_operand *items = lua_newuserdatauv(L, (count + 1) * sizeof *items, 0);
  luaL_checkstack(L, (int)count + 8, "too many columns");
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    if (!binding_test(L, b, -1, BINDING_EXPRESSION)) binding_expected(L, b, -1, "a column or a name such as \"Player.id\"", "order_by of a relationship");
    items[i] = (alch_operand){ .block = lua_touserdata(L, -1) };
  }
  if (count == 1) return 1;
  binding_must(L, b, alch_expression_operate(&b->builder, b->catalog, ALCH_OPERATOR_COMMA, items, count, &b->error));
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* statement_entity(statement): the id of the first mapper that it selects, and the model; or nil */
static int loader_statement_entity(lua_State *L) {
  const binding_model *model = binding_statement_model(BINDING_ORM(L), binding_check(L, BINDING(L), 1, BINDING_STATEMENT));
  if (!model) return 0;
  lua_pushinteger(L, (lua_Integer)model->mapper->id);
  lua_rawgeti(L, LUA_REGISTRYINDEX, model->model);
  return 2;
}

/* attribute_model(attribute): its model and its name; nil for what is no attribute of a model */
static int loader_attribute_model(lua_State *L) {
  lua_settop(L, 1);
  if (loader_attribute_slot(L) == 0) return 0;
  uint32_t id = (uint32_t)lua_tointeger(L, -2), slot = (uint32_t)lua_tointeger(L, -1);
  const binding_model *model = alch_map_get(&BINDING_ORM(L)->models, &id, sizeof id);
  lua_rawgeti(L, LUA_REGISTRYINDEX, model->model);
  lua_pushstring(L, alch_mapper_slot_name(model->mapper, slot));
  return 2;
}

/* statement_tables(statement): the tables that it reads or writes, each once; nil for what is no statement */
static int loader_statement_tables(lua_State *L) {
  binding *b = BINDING(L);
  lua_settop(L, 1);
  const alch_block *block = binding_block(L, b, 1);
  if (!block) return 0;
  lua_newtable(L);
  lua_newtable(L);
  const char *end = alch_block_values(block);
  for (const alch_node *node = alch_block_first(block); (const char *)node < end; node = alch_node_child(node)) {
    alch_table *table = alch_node_table(b->catalog, block, node);
    if (!table) continue;
    if (lua_rawgeti(L, 3, table->id) == LUA_TNIL) {
      binding_push_table(L, b, table);
      lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
      lua_pushboolean(L, 1);
      lua_rawseti(L, 3, table->id);
    }
    lua_settop(L, 3);
  }
  lua_settop(L, 2);
  return 1;
}

static void copy_where(alch_builder *builder, const alch_block *statement) {
  alch_reader reader = alch_reader_at_root(statement);
  const alch_node *end = alch_node_next(reader.node);
  alch_reader_enter(&reader);
  while (reader.node < end && reader.node->kind != ALCH_NODE_WHERE) alch_reader_skip(&reader);
  if (reader.node < end) alch_builder_copy(builder, &reader);
}

/* conditions(statement): a list of what its WHERE joins by AND */
static int loader_conditions(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check(L, b, 1, BINDING_STATEMENT);
  alch_reader reader = alch_reader_at_root(statement);
  const alch_node *end = alch_node_next(reader.node);
  lua_newtable(L);
  alch_reader_enter(&reader);
  while (reader.node < end && reader.node->kind != ALCH_NODE_WHERE) alch_reader_skip(&reader);
  if (reader.node >= end) return 1;
  end = alch_node_next(reader.node);
  alch_reader_enter(&reader);
  for (lua_Integer i = 1; reader.node < end; i++) {
    alch_builder_start(&b->builder);
    alch_builder_definitions(&b->builder, statement);
    alch_builder_copy(&b->builder, &reader);
    binding_push_block(L, b, BINDING_EXPRESSION);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* key_query(update or delete): a select of the keys of the rows that it means, and the model; nil when its table is no model's */
static int loader_key_query(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check(L, b, 1, BINDING_STATEMENT);
  const alch_node *root = alch_block_root(statement);
  const binding_model *model = root->kind == ALCH_NODE_UPDATE || root->kind == ALCH_NODE_DELETE ? model_of_table(BINDING_ORM(L), root->a) : NULL;
  if (!model) return 0;
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, statement);
  alch_builder_open(&b->builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&b->builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  for (uint32_t i = 0; i < model->mapper->key_count; i++)
    alch_builder_leaf(&b->builder, ALCH_NODE_COLUMN, 0, alch_node_target(root), model->mapper->attributes[model->mapper->key_slots[i]].column->index);
  alch_builder_close(&b->builder);
  copy_where(&b->builder, statement);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_STATEMENT);
  lua_rawgeti(L, LUA_REGISTRYINDEX, model->model);
  return 2;
}

void binding_open_loader(lua_State *L, binding_orm *o) {
  static const luaL_Reg functions[] = {
    { "option", loader_option }, { "add_options", loader_add_options }, { "attribute_slot", loader_attribute_slot }, { "mapper_id", loader_mapper_id },
    { "source_model", loader_source_model }, { "slot_of", loader_slot_of }, { "has_from", loader_has_from }, { "statement_kind", loader_statement_kind },
    { "comma", loader_comma }, { "statement_entity", loader_statement_entity }, { "attribute_model", loader_attribute_model }, { "key_query", loader_key_query }, { "conditions", loader_conditions }, { "statement_tables", loader_statement_tables }, { "table_model", loader_table_model }, { "model_of", loader_model_of }, { NULL, NULL },
  };
  binding_orm_functions(L, o, functions);
}
