/* update.c - UPDATE and DELETE. */
#include "lua/expression.h"

/* b of the node: made from a model, so that a missing WHERE must be meant. */
enum { FROM_MODEL = 1 };

uint32_t binding_assignments(lua_State *L, binding *b, const alch_table *table, int index, const alch_column **columns, alch_operand *operands) {
  uint32_t count = 0;
  binding_value_names(L, b, table, index);
  luaL_checkstack(L, (int)table->column_count + 8, "too many values");
  for (uint32_t i = 0; i < table->column_count; i++) {
    lua_pushstring(L, table->columns[i]->key);
    if (lua_rawget(L, index) == LUA_TNIL) { lua_pop(L, 1); continue; }
    columns[count] = table->columns[i];
    binding_column_operand(L, b, lua_gettop(L), table->columns[i], &operands[count++]);
  }
  return count;
}

uint32_t binding_ordered_assignments(lua_State *L, binding *b, const alch_table *table, int index, const alch_column **columns, alch_operand *operands) {
  uint32_t count = (uint32_t)lua_rawlen(L, index);
  if (count > table->column_count) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%u values for the %u columns of '%s'", (unsigned)count, (unsigned)table->column_count, table->full_name);
  luaL_checkstack(L, (int)count + 8, "too many values");
  for (uint32_t i = 0; i < count; i++) {
    if (lua_rawgeti(L, index, i + 1) != LUA_TTABLE || lua_rawlen(L, -1) != 2) binding_expected(L, b, -1, "pairs { name, value }", "a list of values");
    int pair = lua_gettop(L);
    alch_column *column = NULL;
    lua_rawgeti(L, pair, 1);
    if (lua_type(L, -1) != LUA_TSTRING && binding_test(L, b, -1, BINDING_EXPRESSION)) { lua_getfield(L, -1, "key"); lua_remove(L, -2); }
    binding_must(L, b, alch_table_require_column(table, binding_text(L, b, -1, NULL, "names of columns", "values"), &column, &b->error));
    for (uint32_t before = 0; before < i; before++)
      if (columns[before] == column) binding_error(L, b, ALCH_ERROR_ARGUMENT, "the column '%s' is given two values", column->key);
    columns[i] = column;
    lua_rawgeti(L, pair, 2);
    binding_column_operand(L, b, lua_gettop(L), column, &operands[i]);
    lua_replace(L, pair);
    lua_settop(L, pair);
  }
  return count;
}

void binding_build_set(lua_State *L, binding *b, const alch_table *table, const alch_column *const *columns, const alch_operand *operands, uint32_t count, uint8_t op) {
  alch_builder_open(&b->builder, ALCH_NODE_SET, op, 0, 0);
  for (uint32_t i = 0; i < count; i++) {
    alch_builder_open(&b->builder, ALCH_NODE_ASSIGN, 0, table->id, columns[i]->index);
    binding_build_value(L, b, &operands[i], columns[i]);
    alch_builder_close(&b->builder);
  }
  alch_builder_close(&b->builder);
}

static bool is_assigned(const alch_column *const *columns, uint32_t count, uint32_t index) {
  for (uint32_t i = 0; i < count; i++)
    if (columns[i]->index == index) return true;
  return false;
}

/* What earlier calls assigned is kept where this one names nothing. */
static void copy_earlier(alch_builder *builder, alch_reader *reader, const alch_column *const *columns, uint32_t count) {
  const alch_node *end = alch_node_next(reader->node);
  alch_reader_enter(reader);
  while (reader->node < end) {
    if (is_assigned(columns, count, reader->node->b)) alch_reader_skip(reader);
    else alch_builder_copy(builder, reader);
  }
}

/* update:values{ name = value, … }: values may be expressions. */
static int update_values(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check_statement(L, b, 1, ALCH_NODE_UPDATE, ALCH_NODE_UPDATE, "values");
  if (!lua_istable(L, 2) || lua_gettop(L) != 2) return binding_expected(L, b, 2, "a table of names and values", "values");
  alch_table *table = alch_catalog_table(b->catalog, alch_block_root(statement)->a);
  const alch_column **columns = lua_newuserdatauv(L, (table->column_count + 1) * sizeof *columns, 0);
  alch_operand *operands = lua_newuserdatauv(L, (table->column_count + 1) * sizeof *operands, 0);
  uint32_t count = binding_assignments(L, b, table, 2, columns, operands);
  bool there;
  alch_reader reader = alch_build_up_to(&b->builder, statement, ALCH_NODE_SET, &there);
  alch_builder_open(&b->builder, ALCH_NODE_SET, 0, 0, 0);
  if (there) copy_earlier(&b->builder, &reader, columns, count);
  for (uint32_t i = 0; i < count; i++) {
    alch_builder_open(&b->builder, ALCH_NODE_ASSIGN, 0, table->id, columns[i]->index);
    binding_build_value(L, b, &operands[i], columns[i]);
    alch_builder_close(&b->builder);
  }
  alch_builder_close(&b->builder);
  alch_build_rest(&b->builder, &reader);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

/* values: of an insert or an update */
static int statement_values(lua_State *L) {
  const alch_block *statement = binding_test(L, BINDING(L), 1, BINDING_STATEMENT);
  if (statement && alch_block_root(statement)->kind == ALCH_NODE_INSERT) return binding_insert_values(L);
  return update_values(L);
}

/* update:ordered_values({ name, value }, …), or of one list of such pairs: SET in this order, where the database goes by it. */
static int update_ordered_values(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check_statement(L, b, 1, ALCH_NODE_UPDATE, ALCH_NODE_UPDATE, "ordered_values");
  if (lua_gettop(L) > 2 || (lua_istable(L, 2) && lua_rawgeti(L, 2, 1) != LUA_TTABLE)) {   /* the pairs themselves */
    int count = lua_gettop(L) - 1 - (lua_istable(L, lua_gettop(L)) ? 0 : 1);
    lua_settop(L, count + 1);
    lua_createtable(L, count, 0);
    for (int i = 1; i <= count; i++) { lua_pushvalue(L, i + 1); lua_rawseti(L, -2, i); }
    lua_replace(L, 2);
  }
  lua_settop(L, 2);
  if (!lua_istable(L, 2) || lua_rawlen(L, 2) == 0) return binding_expected(L, b, 2, "a list of pairs { name, value }", "ordered_values");
  if (alch_node_clause(alch_block_root(statement), ALCH_NODE_SET)) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "this update has its values already");
  alch_table *table = alch_catalog_table(b->catalog, alch_block_root(statement)->a);
  const alch_column **columns = lua_newuserdatauv(L, (table->column_count + 1) * sizeof *columns, 0);
  alch_operand *operands = lua_newuserdatauv(L, (table->column_count + 1) * sizeof *operands, 0);
  uint32_t count = binding_ordered_assignments(L, b, table, 2, columns, operands);
  bool there;
  alch_reader reader = alch_build_up_to(&b->builder, statement, ALCH_NODE_SET, &there);
  binding_build_set(L, b, table, columns, operands, count, 1);
  alch_build_rest(&b->builder, &reader);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

/* all_rows(): an update or delete of a model that is meant for every row. */
static int statement_all_rows(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check_statement(L, b, 1, ALCH_NODE_UPDATE, ALCH_NODE_DELETE, "all_rows");
  alch_reader reader = alch_reader_at_root(statement);
  const alch_node *root = reader.node, *end = alch_node_next(root);
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, statement);
  alch_builder_open(&b->builder, root->kind, root->op, root->a, 0);
  alch_reader_enter(&reader);
  while (reader.node < end) alch_builder_copy(&b->builder, &reader);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

void binding_check_guard(lua_State *L, binding *b, const alch_block *statement) {
  const alch_node *root = alch_block_root(statement);
  if (root->b != FROM_MODEL || alch_node_clause(root, ALCH_NODE_WHERE)) return;
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "this %s has no where and would reach every row; write stmt:all_rows() when that is meant", root->kind == ALCH_NODE_UPDATE ? "update" : "delete");
}

/* An alias of a table at 1: the statement is the table's, and says by what name. */
static int make_of_alias(lua_State *L, binding *b, const alch_block *alias, alch_node_kind kind, const char *name) {
  const alch_node *root = alch_block_root(alias);
  const alch_table *table = root->kind == ALCH_NODE_SOURCE ? alch_source_table(b->catalog, alias, root->a) : NULL;
  if (!table) return binding_expected(L, b, 1, "a table, an alias of one, or a model", name);
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, alias);
  alch_builder_open(&b->builder, (uint8_t)kind, 0, table->id, 0);
  alch_builder_open(&b->builder, ALCH_NODE_TARGET, 0, 0, 0);
  alch_builder_leaf(&b->builder, ALCH_NODE_SOURCE, 0, root->a, 0);
  alch_builder_close(&b->builder);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

static int make(lua_State *L, alch_node_kind kind, const char *name) {
  binding *b = BINDING(L);
  const alch_block *alias = binding_test(L, b, 1, BINDING_SELECTABLE);
  if (alias) return make_of_alias(L, b, alias, kind, name);
  alch_table *table = binding_check_table(L, b, 1, name);
  alch_builder_start(&b->builder);
  alch_builder_leaf(&b->builder, (uint8_t)kind, 0, table->id, lua_istable(L, 1) ? FROM_MODEL : 0);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

/* update(table), delete(table): of an alias of one too */
static int update_new(lua_State *L) { return make(L, ALCH_NODE_UPDATE, "update"); }
static int delete_new(lua_State *L) { return make(L, ALCH_NODE_DELETE, "delete"); }

void binding_open_update(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "values", statement_values }, { "ordered_values", update_ordered_values }, { "all_rows", statement_all_rows }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "update", update_new }, { "delete", delete_new }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_STATEMENT, methods);
  binding_kind_methods(L, b, BINDING_TABLE, functions);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
