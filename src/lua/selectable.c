/* selectable.c - what rows come from: aliases, subqueries, CTEs, joins. */
#include "lua/expression.h"
#include <string.h>

static const alch_block *push_source(lua_State *L, binding *b, const alch_block *definitions, uint32_t source) {
  alch_builder_start(&b->builder);
  if (definitions) alch_builder_definitions(&b->builder, definitions);
  alch_builder_leaf(&b->builder, source & ALCH_ANONYMOUS ? ALCH_NODE_SOURCE : ALCH_NODE_TABLE, 0, source, 0);
  return binding_push_block(L, b, BINDING_SELECTABLE);
}

const alch_block *binding_push_from(lua_State *L, binding *b, int index, const char *where) {
  index = lua_absindex(L, index);
  alch_table **table = binding_test(L, b, index, BINDING_TABLE);
  if (table) return push_source(L, b, NULL, (*table)->id);
  const alch_block *block = binding_test(L, b, index, BINDING_SELECTABLE);
  if (block) { lua_pushvalue(L, index); return block; }
  block = binding_block(L, b, index);
  if (block && alch_block_root(block)->kind == ALCH_NODE_ENTITY) return push_source(L, b, block, alch_block_root(block)->a);
  if (block && alch_block_root(block)->kind == ALCH_NODE_TEXT) { lua_pushvalue(L, index); return block; }
  if (block && alch_node_is_query(alch_block_root(block)))
    binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s takes a select as rows only by a name; write stmt:subquery \"name\" or stmt:cte \"name\"", where);
  binding_expected(L, b, index, "a table, a model, an alias, a subquery or a join", where);
  return NULL;
}

/* ---- columns: the table c ---- */

void binding_push_source_column(lua_State *L, binding *b, const alch_block *definitions, uint32_t source, uint32_t index) {
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, definitions);
  alch_builder_leaf(&b->builder, ALCH_NODE_COLUMN, 0, source, index);
  binding_push_block(L, b, BINDING_EXPRESSION);
}

static void push_key(lua_State *L, binding *b, const alch_block *block, uint32_t source, const alch_output *output) {
  if (output->column && alch_source_table(b->catalog, block, source)) { lua_pushstring(L, output->column->key); return; }
  lua_pushlstring(L, output->name, output->name_length);
  if (output->number == 0) return;
  lua_pushfstring(L, "_%d", (int)output->number);
  lua_concat(L, 2);
}

static void push_columns(lua_State *L, binding *b, const alch_block *block) {
  const alch_node *root = alch_block_root(block);
  if (root->kind != ALCH_NODE_SOURCE) binding_error(L, b, ALCH_ERROR_ARGUMENT, "a join has no columns of its own; use those of its sides");
  uint32_t width = alch_source_width(b->catalog, block, root->a);
  lua_createtable(L, (int)width, (int)width);
  for (uint32_t i = 0; i < width; i++) {
    alch_output output;
    if (!alch_source_output(b->catalog, block, root->a, i, &output)) break;
    binding_push_source_column(L, b, block, root->a, i);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, (lua_Integer)i + 1);
    push_key(L, b, block, root->a, &output);
    lua_insert(L, -2);
    lua_rawset(L, -3);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->columns_metatable);
  lua_setmetatable(L, -2);
}

static int selectable_property(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *block = lua_touserdata(L, 1);
  if (binding_is(L, 2, "name")) {
    const alch_node *root = alch_block_root(block), *definition = root->kind == ALCH_NODE_SOURCE ? alch_block_definition(block, root->a) : NULL;
    if (!definition) return 0;
    lua_pushlstring(L, alch_node_text(definition), definition->length);
    return 1;
  }
  if (!binding_is(L, 2, "c") && !binding_is(L, 2, "columns")) return 0;
  if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE) return 1;
  lua_pop(L, 1);
  push_columns(L, b, block);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, 1);
  return 1;
}

/* ---- definitions ---- */

static int define(lua_State *L, binding *b, alch_definition kind, const char *name, const alch_block *element, uint32_t table) {
  uint32_t anonymous = alch_catalog_anonymous(b->catalog);
  alch_builder_start(&b->builder);
  alch_builder_define(&b->builder, anonymous, kind, name, element, table);
  alch_builder_leaf(&b->builder, ALCH_NODE_SOURCE, 0, anonymous, 0);
  binding_push_block(L, b, BINDING_SELECTABLE);
  return 1;
}

static const char *optional_name(lua_State *L, binding *b, int index, const char *where) {
  if (lua_isnoneornil(L, index)) return NULL;
  return binding_text(L, b, index, NULL, "a name", where);
}

/* alias([name]): of a table or model; of a select it is a subquery, of an alias the same rows once more. */
static int selectable_alias(lua_State *L) {
  binding *b = BINDING(L);
  const char *name = optional_name(L, b, 2, "alias");
  const alch_block *block = binding_block(L, b, 1);
  if (block && alch_node_is_query(alch_block_root(block))) return define(L, b, ALCH_DEFINITION_SUBQUERY, name, block, 0);
  const alch_block *from = binding_push_from(L, b, 1, "alias");
  const alch_node *root = alch_block_root(from);
  if (root->kind == ALCH_NODE_TABLE) return define(L, b, ALCH_DEFINITION_ALIAS, name, NULL, root->a);
  if (root->kind != ALCH_NODE_SOURCE) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "a join has no alias; alias its sides");
  const alch_node *definition = binding_definition(from);
  if (definition && definition->op == ALCH_DEFINITION_FUNCTION) return binding_redefine(L, b, from, ALCH_DEFINITION_FUNCTION, definition->b, name);
  return define(L, b, ALCH_DEFINITION_ALIAS, name, from, 0);
}

/* A text that says which columns it gives counts as a query. */
static bool is_query(const alch_node *root) { return alch_node_is_query(root) || (root->kind == ALCH_NODE_TEXT && alch_element_name(root, 0)); }

static const alch_block *check_query(lua_State *L, binding *b, int index, const char *where) {
  const alch_block *block = binding_block(L, b, index);
  if (!block || !is_query(alch_block_root(block))) binding_expected(L, b, index, "a select", where);
  return block;
}

/* subquery([name]) */
static int query_subquery(lua_State *L) {
  binding *b = BINDING(L);
  return define(L, b, ALCH_DEFINITION_SUBQUERY, optional_name(L, b, 2, "subquery"), check_query(L, b, 1, "subquery"), 0);
}

/* lateral([name]) */
static int query_lateral(lua_State *L) {
  binding *b = BINDING(L);
  return define(L, b, ALCH_DEFINITION_LATERAL, optional_name(L, b, 2, "lateral"), check_query(L, b, 1, "lateral"), 0);
}

/* ---- CTEs ---- */

/* materialized = true or false, nesting = true */
static uint32_t cte_bits(lua_State *L, int options) {
  uint32_t bits = 0;
  if (lua_getfield(L, options, "materialized") == LUA_TBOOLEAN) bits |= lua_toboolean(L, -1) ? ALCH_DEFINE_MATERIALIZED : ALCH_DEFINE_NOT_MATERIALIZED;
  lua_getfield(L, options, "nesting");
  if (lua_toboolean(L, -1)) bits |= ALCH_DEFINE_NESTING;
  lua_pop(L, 2);
  return bits;
}

static int push_cte(lua_State *L, binding *b, const alch_block *element) {
  static const binding_option known[] = { { "name", LUA_TSTRING }, { "recursive", LUA_TBOOLEAN }, { "nesting", LUA_TBOOLEAN }, { "materialized", LUA_TBOOLEAN }, { NULL, 0 } };
  alch_define define = { .anonymous = alch_catalog_anonymous(b->catalog), .kind = ALCH_DEFINITION_CTE, .element = element };
  if (lua_istable(L, 2)) {
    binding_options(L, b, 2, known, "cte");
    define.bits = cte_bits(L, 2);
    lua_getfield(L, 2, "recursive");
    if (lua_toboolean(L, -1)) define.kind = ALCH_DEFINITION_RECURSIVE_CTE;
    if (lua_rawgeti(L, 2, 1) == LUA_TNIL) lua_getfield(L, 2, "name");
    define.name = optional_name(L, b, -1, "cte");
  } else {
    define.name = optional_name(L, b, 2, "cte");
  }
  alch_builder_start(&b->builder);
  alch_builder_define_as(&b->builder, &define);
  alch_builder_leaf(&b->builder, ALCH_NODE_SOURCE, 0, define.anonymous, 0);
  binding_push_block(L, b, BINDING_SELECTABLE);
  return 1;
}

/* cte([name]), cte{ "name", recursive =, … }, cte{ name =, recursive =, nesting =, materialized = }: of a select, of a text with columns, of a statement that writes */
static int query_cte(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *block = binding_block(L, b, 1);
  if (block && alch_has_outputs(alch_block_root(block))) return push_cte(L, b, block);
  return push_cte(L, b, check_query(L, b, 1, "cte"));
}

/* cte of values */
static int values_cte(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *selectable = binding_check(L, b, 1, BINDING_SELECTABLE);
  const alch_node *definition = binding_definition(selectable);
  if (!definition || definition->op != ALCH_DEFINITION_VALUES) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "cte belongs to selects and values");
  lua_settop(L, 2);
  return push_cte(L, b, binding_push_element(L, b, selectable, definition));
}

/* prefix_with(sql, …), suffix_with(sql, …) of a CTE: words before and behind its parentheses. Columns of the CTE as it was stay columns of this one. */
static int cte_words(lua_State *L, alch_node_kind clause, const char *method) {
  binding *b = BINDING(L);
  const alch_block *cte = binding_check(L, b, 1, BINDING_SELECTABLE);
  const alch_node *definition = binding_definition(cte);
  if (!definition || (definition->op != ALCH_DEFINITION_CTE && definition->op != ALCH_DEFINITION_RECURSIVE_CTE)) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s belongs to statements and CTEs", method);
  uint32_t count = binding_words(L, b, method);
  alch_define define = { .anonymous = definition->a, .kind = (alch_definition)definition->op, .bits = definition->b };
  if (definition->length > 0) define.name = lua_pushlstring(L, alch_node_text(definition), definition->length);
  static const alch_node_kind clauses[] = { ALCH_NODE_PREFIXES, ALCH_NODE_SUFFIXES };
  for (size_t i = 0; i < ALCH_COUNT(clauses); i++) {
    const alch_node *there = alch_node_clause(definition, clauses[i]);
    if (!there && clauses[i] != clause) continue;
    alch_builder_start(&b->builder);
    alch_builder_open(&b->builder, (uint8_t)clauses[i], 0, 0, 0);
    alch_reader reader = { cte, there ? alch_node_child(there) : NULL, { NULL, NULL } };
    while (there && reader.node < alch_node_next(there)) alch_builder_copy(&b->builder, &reader);
    for (uint32_t j = 0; clauses[i] == clause && j < count; j++) alch_builder_block(&b->builder, lua_touserdata(L, 2 + (int)j));
    alch_builder_close(&b->builder);
    define.words[i] = binding_push_block(L, b, BINDING_EXPRESSION);
  }
  define.element = binding_push_element(L, b, cte, definition);
  alch_builder_start(&b->builder);
  alch_builder_define_as(&b->builder, &define);
  alch_builder_leaf(&b->builder, ALCH_NODE_SOURCE, 0, define.anonymous, 0);
  binding_push_block(L, b, BINDING_SELECTABLE);
  return 1;
}

static int cte_prefix(lua_State *L) { return cte_words(L, ALCH_NODE_PREFIXES, "prefix_with"); }
static int cte_suffix(lua_State *L) { return cte_words(L, ALCH_NODE_SUFFIXES, "suffix_with"); }

/* ---- recursive CTEs: the second member names the first ---- */

static void copy_members(alch_builder *builder, alch_reader *reader, alch_compound op) {
  const alch_node *element = reader->node;
  if (element->kind != ALCH_NODE_COMPOUND || element->op != op || !alch_node_clause(element, ALCH_NODE_MEMBERS)) {
    alch_builder_copy(builder, reader);
    return;
  }
  alch_reader_enter(reader);
  const alch_node *end = alch_node_next(reader->node);
  alch_reader_enter(reader);
  while (reader->node < end) alch_builder_copy(builder, reader);
}

static const alch_block *push_union(lua_State *L, binding *b, const alch_block *cte, const alch_node *definition, const alch_block *member, alch_compound op) {
  alch_reader reader = binding_reader_at_definition(cte, definition);
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, cte);
  alch_builder_open(&b->builder, ALCH_NODE_COMPOUND, op, 0, 0);
  alch_builder_open(&b->builder, ALCH_NODE_MEMBERS, 0, 0, 0);
  copy_members(&b->builder, &reader, op);
  alch_builder_block(&b->builder, member);
  alch_builder_close(&b->builder);
  alch_builder_close(&b->builder);
  return binding_push_block(L, b, BINDING_STATEMENT);
}

/* cte:union_all(select), or of a function that is given the CTE and answers the select. */
static int cte_union(lua_State *L, alch_compound op, const char *name) {
  binding *b = BINDING(L);
  const alch_block *cte = binding_check(L, b, 1, BINDING_SELECTABLE);
  const alch_node *root = alch_block_root(cte), *definition = root->kind == ALCH_NODE_SOURCE ? alch_block_definition(cte, root->a) : NULL;
  if (!definition || (definition->op != ALCH_DEFINITION_CTE && definition->op != ALCH_DEFINITION_RECURSIVE_CTE))
    return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s belongs to selects and CTEs; this is neither", name);
  if (lua_isfunction(L, 2)) {
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    lua_replace(L, 2);
  }
  const alch_block *member = check_query(L, b, 2, name), *whole = push_union(L, b, cte, definition, member, op);
  lua_pushlstring(L, alch_node_text(definition), definition->length);
  alch_builder_start(&b->builder);
  alch_builder_define_as(&b->builder, &(alch_define){ .anonymous = root->a, .kind = (alch_definition)definition->op, .bits = definition->b, .name = definition->length > 0 ? lua_tostring(L, -1) : NULL, .element = whole });
  alch_builder_leaf(&b->builder, ALCH_NODE_SOURCE, 0, root->a, 0);
  binding_push_block(L, b, BINDING_SELECTABLE);
  return 1;
}

static int cte_union_all(lua_State *L) { return cte_union(L, ALCH_COMPOUND_UNION_ALL, "union_all"); }
static int cte_union_distinct(lua_State *L) { return cte_union(L, ALCH_COMPOUND_UNION, "union"); }

/* ---- joins ---- */

static int join(lua_State *L, alch_join kind, const char *where) {
  static const binding_option known[] = { { "isouter", LUA_TBOOLEAN }, { "full", LUA_TBOOLEAN }, { NULL, 0 } };
  binding *b = BINDING(L);
  lua_settop(L, 4);
  if (lua_istable(L, 4)) {
    binding_only_options(L, b, 4, known, where);
    lua_getfield(L, 4, "isouter");
    if (lua_toboolean(L, -1)) kind = ALCH_JOIN_LEFT;
    lua_getfield(L, 4, "full");
    if (lua_toboolean(L, -1)) kind = ALCH_JOIN_FULL;
  }
  const alch_block *left = binding_push_from(L, b, 1, where), *right = binding_push_from(L, b, 2, where);
  alch_operand condition = { .block = NULL };
  if (!lua_isnil(L, 3)) binding_operand(L, b, 3, 0, true, &condition);
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_JOIN, kind, 0, 0);
  alch_builder_block(&b->builder, left);
  alch_builder_block(&b->builder, right);
  if (condition.block) alch_builder_block(&b->builder, condition.block);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_SELECTABLE);
  return 1;
}

/* join(right [, condition [, { isouter =, full = }]]): without a condition by the foreign key between the two. */
static int selectable_join(lua_State *L) { return join(L, ALCH_JOIN_INNER, "join"); }
static int selectable_outerjoin(lua_State *L) { return join(L, ALCH_JOIN_LEFT, "outerjoin"); }

void binding_open_selectable(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "alias", selectable_alias }, { "join", selectable_join }, { "outerjoin", selectable_outerjoin }, { NULL, NULL } };
  static const luaL_Reg cte_methods[] = { { "union_all", cte_union_all }, { "union", cte_union_distinct }, { "cte", values_cte }, { "prefix_with", cte_prefix }, { "suffix_with", cte_suffix }, { NULL, NULL } };
  static const luaL_Reg query_methods[] = { { "alias", selectable_alias }, { "subquery", query_subquery }, { "cte", query_cte }, { "lateral", query_lateral }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "alias", selectable_alias }, { "join", selectable_join }, { "outerjoin", selectable_outerjoin }, { "lateral", query_lateral }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_SELECTABLE, "selectable", methods, NULL);
  binding_kind_properties(L, b, BINDING_SELECTABLE, selectable_property);
  binding_kind_methods(L, b, BINDING_SELECTABLE, cte_methods);
  binding_kind_methods(L, b, BINDING_TABLE, methods);
  binding_kind_methods(L, b, BINDING_STATEMENT, query_methods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
