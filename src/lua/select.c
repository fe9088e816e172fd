/* select.c - SELECT: la.select(…), its clauses as methods, and the one-table form. */
#include "lua/expression.h"
#include <string.h>

/* ---- which source a bare name means ---- */

static bool is_subquery(const alch_node *node) { return node->kind == ALCH_NODE_SCALAR || node->kind == ALCH_NODE_EXISTS || alch_node_is_query(node); }

/* The first source named in a subtree that is not `except`; subqueries have their own. */
static uint32_t first_source(const alch_node *node, uint32_t except) {
  if (is_subquery(node)) return 0;
  bool names = node->kind == ALCH_NODE_COLUMN || node->kind == ALCH_NODE_ENTITY || node->kind == ALCH_NODE_STAR || node->kind == ALCH_NODE_TABLE || node->kind == ALCH_NODE_SOURCE;
  if (names && node->a != 0 && node->a != except) return node->a;
  for ALCH_EACH_CHILD(child, node) {
    uint32_t source = first_source(child, except);
    if (source != 0) return source;
  }
  return 0;
}

static const alch_node *last_child(const alch_node *node) {
  const alch_node *last = NULL;
  for ALCH_EACH_CHILD(child, node) last = child;
  return last;
}

uint32_t binding_leading_source(const alch_block *statement) {
  const alch_node *root = alch_block_root(statement);
  if (root->kind == ALCH_NODE_UPDATE || root->kind == ALCH_NODE_DELETE || root->kind == ALCH_NODE_INSERT) return root->a;
  const alch_node *from = alch_node_clause(root, ALCH_NODE_FROM), *columns = alch_node_clause(root, ALCH_NODE_COLUMNS);
  const alch_node *source = from ? last_child(from) : NULL;
  while (source && source->kind == ALCH_NODE_JOIN) source = alch_node_nth(source, 1);
  if (source) return source->a;
  return columns ? first_source(columns, 0) : 0;
}

/* ---- FROM and JOIN ---- */

static const alch_block *check_select(lua_State *L, const char *method) {
  return binding_check_statement(L, BINDING(L), 1, ALCH_NODE_SELECT, ALCH_NODE_SELECT, method);
}

/* select_from(table, …) */
static int select_from(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = check_select(L, "select_from");
  int start;
  uint32_t count = binding_spread(L, b, 2, &start);
  for (uint32_t i = 0; i < count; i++) {
    binding_push_from(L, b, start + (int)i, "select_from");
    lua_replace(L, start + (int)i);
  }
  return binding_add_clause(L, b, statement, ALCH_NODE_FROM, 0, start, count, false);
}

static void build_join(alch_builder *builder, alch_join kind, alch_reader *left, uint32_t left_source, const alch_block *right, const alch_block *condition) {
  alch_builder_open(builder, ALCH_NODE_JOIN, kind, 0, 0);
  if (left) alch_builder_copy(builder, left);
  else alch_builder_leaf(builder, left_source & ALCH_ANONYMOUS ? ALCH_NODE_SOURCE : ALCH_NODE_TABLE, 0, left_source, 0);
  alch_builder_block(builder, right);
  if (condition) alch_builder_block(builder, condition);
  alch_builder_close(builder);
}

/* The statement with its last FROM element (or the first source of its columns, when it has no FROM) joined to `right`. */
static void build_select_join(binding *b, const alch_block *statement, alch_join kind, uint32_t left, const alch_block *right, const alch_block *condition) {
  alch_builder *builder = &b->builder;
  alch_reader reader = alch_reader_at_root(statement);
  const alch_node *root = reader.node, *end = alch_node_next(root);
  alch_builder_start(builder);
  alch_builder_definitions(builder, statement);
  alch_builder_open(builder, root->kind, root->op, root->a, root->b);
  alch_reader_enter(&reader);
  while (reader.node < end && reader.node->kind < ALCH_NODE_FROM) alch_builder_copy(builder, &reader);
  alch_builder_open(builder, ALCH_NODE_FROM, 0, 0, 0);
  if (reader.node < end && reader.node->kind == ALCH_NODE_FROM) {
    const alch_node *last = last_child(reader.node);
    alch_reader_enter(&reader);
    while (reader.node < last) alch_builder_copy(builder, &reader);
    build_join(builder, kind, &reader, 0, right, condition);
  } else {
    build_join(builder, kind, NULL, left, right, condition);
  }
  alch_builder_close(builder);
  while (reader.node < end) alch_builder_copy(builder, &reader);
  alch_builder_close(builder);
}

/* Targets that this floor does not know (relationships) are the hook's: hooks.join(statement, target, condition, { isouter, full }) answers the statement. */
static bool ask_join_hook(lua_State *L, binding *b, alch_join kind) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->hooks);
  if (lua_getfield(L, -1, "join") != LUA_TFUNCTION) { lua_pop(L, 2); return false; }
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_createtable(L, 0, 2);
  lua_pushboolean(L, kind == ALCH_JOIN_LEFT);
  lua_setfield(L, -2, "isouter");
  lua_pushboolean(L, kind == ALCH_JOIN_FULL);
  lua_setfield(L, -2, "full");
  lua_call(L, 4, 1);
  return true;
}

static bool is_from(lua_State *L, binding *b, int index) {
  const alch_block *block = binding_block(L, b, index);
  return binding_test(L, b, index, BINDING_TABLE) || binding_test(L, b, index, BINDING_SELECTABLE) || (block && alch_block_root(block)->kind == ALCH_NODE_ENTITY);
}

static alch_join join_options(lua_State *L, binding *b, alch_join kind) {
  static const binding_option known[] = { { "isouter", LUA_TBOOLEAN }, { "full", LUA_TBOOLEAN }, { NULL, 0 } };
  if (lua_isnil(L, 4)) return kind;
  luaL_checktype(L, 4, LUA_TTABLE);
  binding_only_options(L, b, 4, known, "join");
  lua_getfield(L, 4, "isouter");
  if (lua_toboolean(L, -1)) kind = ALCH_JOIN_LEFT;
  lua_getfield(L, 4, "full");
  if (lua_toboolean(L, -1)) kind = ALCH_JOIN_FULL;
  lua_settop(L, 4);
  return kind;
}

static int join(lua_State *L, alch_join kind, const char *method) {
  binding *b = BINDING(L);
  const alch_block *statement = check_select(L, method);
  lua_settop(L, 4);
  if (lua_isnil(L, 4) && lua_istable(L, 3) && !binding_block(L, b, 3)) { lua_insert(L, 3); }
  kind = join_options(L, b, kind);
  if ((!is_from(L, b, 2) || binding_test(L, b, 3, BINDING_RELATIONSHIP)) && ask_join_hook(L, b, kind)) return 1;
  const alch_block *right = binding_push_from(L, b, 2, method);
  alch_operand condition = { .block = NULL };
  if (!lua_isnil(L, 3)) binding_operand(L, b, 3, 0, true, &condition);
  const alch_node *root = alch_block_root(statement), *columns = alch_node_clause(root, ALCH_NODE_COLUMNS);
  uint32_t left = 0;
  if (!alch_node_clause(root, ALCH_NODE_FROM)) {
    left = columns ? first_source(columns, alch_block_root(right)->a) : 0;
    if (left == 0) return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "there is no table to join to; name it with stmt:select_from(table) first");
  }
  build_select_join(b, statement, kind, left, right, condition.block);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

/* join(target [, condition [, { isouter =, full = }]]) */
static int select_join(lua_State *L) { return join(L, ALCH_JOIN_INNER, "join"); }
static int select_outerjoin(lua_State *L) { return join(L, ALCH_JOIN_LEFT, "outerjoin"); }

/* ---- clauses of expressions ---- */

static int having(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = check_select(L, "having");
  int start;
  uint32_t count = binding_conditions(L, b, statement, 2, &start);
  return binding_add_clause(L, b, statement, ALCH_NODE_HAVING, 0, start, count, false);
}

static int ordered(lua_State *L, const alch_block *statement, alch_node_kind clause, const char *method) {
  binding *b = BINDING(L);
  int start;
  uint32_t count = binding_spread(L, b, 2, &start);
  binding_label_names(L, b, start, count);
  for (uint32_t i = 0; i < count; i++) {
    alch_operand operand;
    int index = start + (int)i;
    if (!binding_block(L, b, index) && !lua_isuserdata(L, index)) binding_expected(L, b, index, "columns, expressions, or names of labels", method);
    binding_operand(L, b, index, 0, false, &operand);
    if (operand.block && lua_touserdata(L, index) == operand.block && !alch_node_is_query(alch_block_root(operand.block))) continue;
    alch_builder_start(&b->builder);
    binding_build_operand(L, b, &operand, 0);
    binding_push_block(L, b, BINDING_EXPRESSION);
    lua_replace(L, index);
  }
  bool reset = count == 0 || (count == 1 && lua_isnil(L, start));
  return binding_add_clause(L, b, statement, clause, 0, start, reset ? 0 : count, reset);
}

/* order_by(column, …): a string names a label. Later calls add. */
static int select_order_by(lua_State *L) { return ordered(L, binding_check_statement(L, BINDING(L), 1, ALCH_NODE_SELECT, ALCH_NODE_COMPOUND, "order_by"), ALCH_NODE_ORDER_BY, "order_by"); }
static int select_group_by(lua_State *L) { return ordered(L, check_select(L, "group_by"), ALCH_NODE_GROUP_BY, "group_by"); }

/* distinct([column, …]) */
static int select_distinct(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = check_select(L, "distinct");
  int start;
  if (lua_isboolean(L, 2) && lua_toboolean(L, 2)) lua_settop(L, 1);   /* select{ distinct = true } */
  uint32_t count = binding_columns(L, b, 2, &start, "distinct");
  return binding_add_clause(L, b, statement, ALCH_NODE_DISTINCT, 0, start, count, false);
}

static int add_columns(lua_State *L, bool replace, const char *method) {
  binding *b = BINDING(L);
  const alch_block *statement = check_select(L, method);
  int start;
  uint32_t count = binding_columns(L, b, 2, &start, method);
  return binding_add_clause(L, b, statement, ALCH_NODE_COLUMNS, 0, start, count, replace);
}

static int select_add_columns(lua_State *L) { return add_columns(L, false, "add_columns"); }
static int select_with_only_columns(lua_State *L) { return add_columns(L, true, "with_only_columns"); }

/* The statement without a clause, in its slot. */
static const alch_block *without_clause(lua_State *L, binding *b, const alch_block *statement, alch_node_kind clause) {
  if (!alch_node_clause(alch_block_root(statement), clause)) return statement;
  bool there;
  alch_reader reader = alch_build_up_to(&b->builder, statement, clause, &there);
  alch_reader_skip(&reader);
  alch_build_rest(&b->builder, &reader);
  const alch_block *rest = binding_push_block(L, b, BINDING_STATEMENT);
  lua_replace(L, 1);
  return rest;
}

/* LIMIT and FETCH are two words for one thing: what is said last holds. nil takes it away. */
static int bounded(lua_State *L, alch_node_kind clause, uint8_t op, const char *method) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check_statement(L, b, 1, ALCH_NODE_SELECT, ALCH_NODE_COMPOUND, method);
  if (clause != ALCH_NODE_OFFSET) statement = without_clause(L, b, statement, clause == ALCH_NODE_LIMIT ? ALCH_NODE_FETCH : ALCH_NODE_LIMIT);
  if (lua_gettop(L) == 2 && (lua_isnil(L, 2) || (lua_islightuserdata(L, 2)))) {
    without_clause(L, b, statement, clause);
    lua_settop(L, 1);
    return 1;
  }
  alch_operand operand;
  int integral = 0;
  lua_Integer number = lua_tointegerx(L, 2, &integral);
  if (lua_gettop(L) != 2 || (!lua_isuserdata(L, 2) && (lua_type(L, 2) != LUA_TNUMBER || !integral || number < 0))) binding_expected(L, b, 2, "a whole number from 0 on, or an expression", method);
  binding_operand(L, b, 2, 0, false, &operand);
  if (!operand.block) operand.value = alch_value_integer(number);
  binding_must(L, b, alch_expression_literal(&b->builder, b->catalog, &operand, operand.block ? 0 : ALCH_TYPE_INTEGER, &b->error));
  binding_push_block(L, b, BINDING_EXPRESSION);
  return binding_add_clause(L, b, statement, clause, op, lua_gettop(L), 1, true);
}

static int select_limit(lua_State *L) { return bounded(L, ALCH_NODE_LIMIT, 0, "limit"); }
static int select_offset(lua_State *L) { return bounded(L, ALCH_NODE_OFFSET, 0, "offset"); }

/* fetch(count [, { with_ties =, percent = }]) */
static int select_fetch(lua_State *L) {
  static const binding_option known[] = { { "with_ties", LUA_TBOOLEAN }, { "percent", LUA_TBOOLEAN }, { NULL, 0 } };
  static const uint8_t bits[] = { ALCH_FETCH_WITH_TIES, ALCH_FETCH_PERCENT };
  uint8_t op = 0;
  if (lua_istable(L, 3)) {
    binding_only_options(L, BINDING(L), 3, known, "fetch");
    for (int i = 0; i < 2; i++) {
      lua_getfield(L, 3, known[i].name);
      if (lua_toboolean(L, -1)) op |= bits[i];
    }
    lua_settop(L, 2);
  }
  return bounded(L, ALCH_NODE_FETCH, op, "fetch");
}

/* ---- the rest ---- */

static int correlated(lua_State *L, uint8_t op, const char *method) {
  binding *b = BINDING(L);
  const alch_block *statement = check_select(L, method);
  int top = lua_gettop(L);
  if (top == 2 && (lua_isnil(L, 2) || (lua_islightuserdata(L, 2) && !lua_touserdata(L, 2)))) lua_settop(L, top = 1);   /* correlate(nil): with none */
  for (int i = 2; i <= top; i++) {
    binding_push_from(L, b, i, method);
    lua_replace(L, i);
  }
  return binding_add_clause(L, b, statement, ALCH_NODE_CORRELATE, op, 2, (uint32_t)top - 1, true);
}

static int select_correlate(lua_State *L) { return correlated(L, 0, "correlate"); }
static int select_correlate_except(lua_State *L) { return correlated(L, 1, "correlate_except"); }

/* with_for_update{ read =, nowait =, skip_locked =, key_share =, of = } */
static int select_with_for_update(lua_State *L) {
  static const binding_option known[] = {
    { "read", LUA_TBOOLEAN }, { "nowait", LUA_TBOOLEAN }, { "skip_locked", LUA_TBOOLEAN }, { "key_share", LUA_TBOOLEAN }, { "of", LUA_TNONE }, { NULL, 0 },
  };
  binding *b = BINDING(L);
  const alch_block *statement = check_select(L, "with_for_update");
  lua_settop(L, 2);
  uint8_t op = 0;
  uint32_t count = 0;
  if (lua_istable(L, 2)) {
    binding_only_options(L, b, 2, known, "with_for_update");
    for (int i = 0; i < 4; i++) {
      lua_getfield(L, 2, known[i].name);
      if (lua_toboolean(L, -1)) op |= (uint8_t)(1 << i);
      lua_pop(L, 1);
    }
    count = lua_getfield(L, 2, "of") != LUA_TNIL;
    if (count) { binding_push_from(L, b, -1, "with_for_update"); lua_replace(L, 3); }
  }
  return binding_add_clause(L, b, statement, ALCH_NODE_FOR_UPDATE, op, 3, count, true);
}

/* options(…): loader options, which the floor above knows: hooks.options(statement, …) */
static int select_options(lua_State *L) {
  binding *b = BINDING(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->hooks);
  if (lua_getfield(L, -1, "options") != LUA_TFUNCTION) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "options go with models; there are none");
  lua_remove(L, -2);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static int query_exists(lua_State *L) { return binding_push_exists(L, BINDING(L), 1); }

static int query_scalar_subquery(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *query = binding_check_statement(L, b, 1, ALCH_NODE_SELECT, ALCH_NODE_COMPOUND, "scalar_subquery");
  alch_operand operand = { .block = query };
  alch_builder_start(&b->builder);
  binding_build_operand(L, b, &operand, 0);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* label(name): of a select as a scalar subquery */
static int query_label(lua_State *L) {
  query_scalar_subquery(L);
  lua_getfield(L, -1, "label");
  lua_insert(L, -2);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

/* ---- la.select ---- */

/* The keys of the one-table form in the order in which they are applied. Lists are spread where `spread` is set. */
static const struct { const char *name; bool spread; } table_keys[] = {
  { "select_from", true }, { "join", false }, { "outerjoin", false }, { "where", false }, { "group_by", true }, { "having", false }, { "distinct", true },
  { "order_by", true }, { "limit", false }, { "offset", false }, { "fetch", false }, { "with_for_update", false }, { "correlate", true }, { "prefix_with", true }, { "suffix_with", true }, { "options", true },
};

static void check_table_keys(lua_State *L, binding *b) {
  binding_option known[ALCH_COUNT(table_keys) + 1] = { { NULL, 0 } };
  for (size_t i = 0; i < ALCH_COUNT(table_keys); i++) known[i] = (binding_option){ table_keys[i].name, LUA_TNONE };
  binding_options(L, b, 1, known, "select{ … }");
}

static bool is_plain_table(lua_State *L, binding *b, int index) { return lua_type(L, index) == LUA_TTABLE && !binding_block(L, b, index); }

/* Calls the method of this name on the statement on top of the stack, with the value below it, or the items of that. Leaves the new statement. */
static void call_method(lua_State *L, binding *b, const char *name, int value, bool spread) {
  int statement = lua_gettop(L), arguments = 1;
  lua_getfield(L, statement, name);
  lua_pushvalue(L, statement);
  if (spread && is_plain_table(L, b, value)) {
    arguments = (int)lua_rawlen(L, value);
    luaL_checkstack(L, arguments + 4, "too many items");
    for (int i = 1; i <= arguments; i++) lua_rawgeti(L, value, i);
  } else {
    lua_pushvalue(L, value);
  }
  lua_call(L, arguments + 1, 1);
  lua_replace(L, statement);
}

/* join = target, or a list whose items are targets or { target, condition, isouter = true }. */
static void apply_joins(lua_State *L, binding *b, const char *name, int value) {
  if (!is_plain_table(L, b, value)) { call_method(L, b, name, value, false); return; }
  int statement = lua_gettop(L), count = (int)lua_rawlen(L, value);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, value, i);
    lua_getfield(L, statement, name);
    lua_pushvalue(L, statement);
    int arguments = 1;
    if (is_plain_table(L, b, statement + 1)) {
      lua_rawgeti(L, statement + 1, 1);
      lua_rawgeti(L, statement + 1, 2);
      lua_newtable(L);
      lua_getfield(L, statement + 1, "isouter");
      lua_setfield(L, -2, "isouter");
      lua_getfield(L, statement + 1, "full");
      lua_setfield(L, -2, "full");
      arguments = 3;
    } else {
      lua_pushvalue(L, statement + 1);
    }
    lua_call(L, arguments + 1, 1);
    lua_replace(L, statement);
    lua_settop(L, statement);
  }
}

/* The columns are slots of the stack from start on. */
static void push_select(lua_State *L, binding *b, int start, uint32_t count) {
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&b->builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  for (uint32_t i = 0; i < count; i++) alch_builder_block(&b->builder, lua_touserdata(L, start + (int)i));
  alch_builder_close(&b->builder);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_STATEMENT);
}

/* The table is slot 1; slot 2 holds the statement as it grows. */
static int select_from_table(lua_State *L, binding *b) {
  check_table_keys(L, b);
  int start;
  uint32_t count = binding_columns(L, b, 1, &start, "select");
  push_select(L, b, start, count);
  lua_insert(L, 2);
  lua_settop(L, 2);
  for (size_t i = 0; i < ALCH_COUNT(table_keys); i++) {
    if (lua_getfield(L, 1, table_keys[i].name) == LUA_TNIL) { lua_pop(L, 1); continue; }
    lua_insert(L, 2);
    if (strstr(table_keys[i].name, "join")) apply_joins(L, b, table_keys[i].name, 2);
    else call_method(L, b, table_keys[i].name, 2, table_keys[i].spread);
    lua_remove(L, 2);
    lua_settop(L, 2);
  }
  return 1;
}

/* select(column, …), or select{ column, …, where = …, order_by = …, … } */
static int select_new(lua_State *L) {
  binding *b = BINDING(L);
  if (lua_gettop(L) == 1 && is_plain_table(L, b, 1)) return select_from_table(L, b);
  int start;
  uint32_t count = binding_columns(L, b, 1, &start, "select");
  push_select(L, b, start, count);
  return 1;
}

void binding_open_select(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "select_from", select_from }, { "join", select_join }, { "outerjoin", select_outerjoin }, { "having", having }, { "order_by", select_order_by }, { "group_by", select_group_by },
    { "distinct", select_distinct }, { "add_columns", select_add_columns }, { "with_only_columns", select_with_only_columns }, { "limit", select_limit }, { "offset", select_offset },
    { "correlate", select_correlate }, { "correlate_except", select_correlate_except }, { "fetch", select_fetch }, { "with_for_update", select_with_for_update },
    { "options", select_options }, { "exists", query_exists }, { "scalar_subquery", query_scalar_subquery }, { "label", query_label }, { NULL, NULL },
  };
  static const luaL_Reg source_methods[] = { { "select", select_new }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "select", select_new }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_STATEMENT, methods);
  binding_kind_methods(L, b, BINDING_TABLE, source_methods);
  binding_kind_methods(L, b, BINDING_SELECTABLE, source_methods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
  binding_open_exists(L, b);
  binding_open_criteria(L, b);
}
