/* exists.c - EXISTS: of a select, of columns, of nothing; and the clauses that are added to its select afterwards. */
#include "lua/expression.h"

/* The statement at index inside of EXISTS. */
int binding_push_exists(lua_State *L, binding *b, int index) {
  const alch_block *query = binding_check_statement(L, b, index, ALCH_NODE_SELECT, ALCH_NODE_COMPOUND, "exists");
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_EXISTS, 0, 0, 0);
  alch_builder_block(&b->builder, query);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* Which columns a row has is all the same: without any it is *. */
static void push_star_select(lua_State *L, binding *b) {
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&b->builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_leaf_text(&b->builder, ALCH_NODE_LITERAL, 0, 0, 0, "*", 1);
  alch_builder_close(&b->builder);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_STATEMENT);
}

static bool is_query(lua_State *L, binding *b, int index) {
  const alch_block *block = binding_test(L, b, index, BINDING_STATEMENT);
  return block && alch_node_is_query(alch_block_root(block));
}

/* exists(select), exists(column, …), exists() */
static int exists_new(lua_State *L) {
  binding *b = BINDING(L);
  int count = lua_gettop(L);
  if (count == 1 && is_query(L, b, 1)) return binding_push_exists(L, b, 1);
  if (count == 0) {
    push_star_select(L, b);
  } else {
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, count, 1);
  }
  return binding_push_exists(L, b, -1);
}

/* The method of the select inside, and EXISTS round what it answers. */
static int inside(lua_State *L, const char *method) {
  binding *b = BINDING(L);
  const alch_block *block = binding_check(L, b, 1, BINDING_EXPRESSION);
  const alch_node *root = alch_block_root(block);
  if (root->kind != ALCH_NODE_EXISTS) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s belongs to statements and to la.exists(…)", method);
  alch_reader reader = alch_reader_at_root(block);
  alch_reader_enter(&reader);
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, block);
  alch_builder_copy(&b->builder, &reader);
  binding_push_block(L, b, BINDING_STATEMENT);
  lua_replace(L, 1);
  lua_getfield(L, 1, method);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return binding_push_exists(L, b, -1);
}

static int exists_where(lua_State *L) { return inside(L, "where"); }
static int exists_select_from(lua_State *L) { return inside(L, "select_from"); }
static int exists_correlate(lua_State *L) { return inside(L, "correlate"); }
static int exists_correlate_except(lua_State *L) { return inside(L, "correlate_except"); }

/* Needs `select` among the functions at the top of the stack. */
void binding_open_exists(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "where", exists_where }, { "select_from", exists_select_from }, { "correlate", exists_correlate }, { "correlate_except", exists_correlate_except }, { NULL, NULL },
  };
  binding_kind_methods(L, b, BINDING_EXPRESSION, methods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_getfield(L, -2, "select");
  lua_pushcclosure(L, exists_new, 2);
  lua_setfield(L, -2, "exists");
}
