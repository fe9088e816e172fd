/* statement.c - what all statements share: clauses, conditions, columns. */
#include "lua/expression.h"
#include <string.h>

const alch_block *binding_check_statement(lua_State *L, binding *b, int index, alch_node_kind kind, alch_node_kind other, const char *method) {
  const alch_block *statement = binding_test(L, b, index, BINDING_STATEMENT);
  if (!statement) binding_expected(L, b, index, "a statement before the colon", method);
  uint8_t root = alch_block_root(statement)->kind;
  if (root != kind && root != other) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s is no method of %s", method, alch_node_kind_name(root));
  return statement;
}

int binding_add_clause(lua_State *L, binding *b, const alch_block *statement, alch_node_kind clause, uint8_t op, int start, uint32_t count, bool replace) {
  const alch_block *few[16], **additions = count <= ALCH_COUNT(few) ? few : lua_newuserdatauv(L, count * sizeof *additions, 0);
  for (uint32_t i = 0; i < count; i++) additions[i] = lua_touserdata(L, start + (int)i);
  alch_build_clause(&b->builder, statement, clause, op, additions, count, replace);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

/* ---- conditions ---- */

/* A scalar SELECT, a plain value: what is no expression becomes one, in its slot. */
static void condition_in_slot(lua_State *L, binding *b, int index) {
  alch_operand operand;
  binding_operand(L, b, index, 0, true, &operand);
  if (!operand.block && operand.value.kind != ALCH_NULL) binding_expected(L, b, index, "a condition such as column:eq(value)", "where");
  if (operand.block && !alch_node_is_query(alch_block_root(operand.block))) {
    if (lua_touserdata(L, index) == operand.block) return;
    alch_builder_start(&b->builder);
    alch_builder_block(&b->builder, operand.block);
  } else {
    binding_must(L, b, alch_expression_literal(&b->builder, b->catalog, &operand, 0, &b->error));
  }
  binding_push_block(L, b, BINDING_EXPRESSION);
  lua_replace(L, index);
}

uint32_t binding_conditions(lua_State *L, binding *b, const alch_block *statement, int first, int *start) {
  int top = lua_gettop(L);
  bool criteria = top == first && lua_istable(L, first) && !binding_block(L, b, first);
  uint32_t count = (uint32_t)(top - first + 1);
  *start = first;
  if (criteria) count = binding_spread(L, b, first, start);
  for (uint32_t i = 0; i < count; i++) condition_in_slot(L, b, *start + (int)i);
  if (criteria) count += binding_criteria(L, b, statement, first);
  return count;
}

/* ---- columns ---- */

static void refuse_column(lua_State *L, binding *b, int index, const char *where) {
  const char *came = binding_describe(L, b, index);
  const char *hint = lua_type(L, index) == LUA_TSTRING ? "; write la.text(…) or la.literal_column(…) for SQL, la.literal(…) for a value" : lua_isnumber(L, index) ? "; write la.literal(…) for a value" : "";
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s takes columns, tables, models and expressions, not %s%s", where, came, hint);
}

static void column_in_slot(lua_State *L, binding *b, int index, const char *where) {
  if (!lua_isuserdata(L, index) && !binding_block(L, b, index)) refuse_column(L, b, index, where);   /* la.null is one: a light userdata */
  alch_operand operand;
  binding_operand(L, b, index, 0, false, &operand);
  if (operand.block && !alch_node_is_query(alch_block_root(operand.block)) && lua_touserdata(L, index) == operand.block) return;
  alch_builder_start(&b->builder);
  binding_build_operand(L, b, &operand, 0);
  binding_push_block(L, b, BINDING_EXPRESSION);
  lua_replace(L, index);
}

uint32_t binding_columns(lua_State *L, binding *b, int first, int *start, const char *where) {
  uint32_t count = binding_spread(L, b, first, start);
  for (uint32_t i = 0; i < count; i++) column_in_slot(L, b, *start + (int)i, where);
  return count;
}

/* ---- methods of several statements ---- */

/* where(condition, …), where{ name = value, … }: added to what there is, with AND. */
static int statement_where(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_test(L, b, 1, BINDING_STATEMENT);
  uint8_t kind = statement ? alch_block_root(statement)->kind : ALCH_NODE_END;
  if (kind != ALCH_NODE_SELECT && kind != ALCH_NODE_UPDATE && kind != ALCH_NODE_DELETE)
    return binding_error(L, b, ALCH_ERROR_ARGUMENT, "where belongs to select, update and delete, with a colon: stmt:where(…)");
  int start;
  uint32_t count = binding_conditions(L, b, statement, 2, &start);
  if (count == 0) { lua_settop(L, 1); return 1; }
  return binding_add_clause(L, b, statement, ALCH_NODE_WHERE, 0, start, count, false);
}

/* returning(column, …) */
static int statement_returning(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_test(L, b, 1, BINDING_STATEMENT);
  uint8_t kind = statement ? alch_block_root(statement)->kind : ALCH_NODE_END;
  if (kind != ALCH_NODE_INSERT && kind != ALCH_NODE_UPDATE && kind != ALCH_NODE_DELETE)
    return binding_error(L, b, ALCH_ERROR_ARGUMENT, "returning belongs to insert, update and delete, with a colon: stmt:returning(…)");
  int start;
  uint32_t count = binding_columns(L, b, 2, &start, "returning");
  if (count == 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "returning needs columns, or the table for all of them");
  return binding_add_clause(L, b, statement, ALCH_NODE_RETURNING, 0, start, count, false);
}

/* add_cte(cte, …): WITH, though nothing names them. */
static int statement_add_cte(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check(L, b, 1, BINDING_STATEMENT);
  int top = lua_gettop(L);
  for (int i = 2; i <= top; i++) {
    binding_push_from(L, b, i, "add_cte");
    lua_replace(L, i);
  }
  return binding_add_clause(L, b, statement, ALCH_NODE_WITH, 0, 2, (uint32_t)top - 1, false);
}

/* ---- comparing ---- */

/* same_structure(a, b): do they differ in values at most? For specs: what the statement cache goes by. */
static int statement_same_structure(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *left = binding_block(L, b, 1), *right = binding_block(L, b, 2);
  if (!left || !right) return binding_expected(L, b, left ? 2 : 1, "a statement", "same_structure");
  lua_pushboolean(L, alch_block_same_structure(left, right, &b->allocator));
  return 1;
}

/* print_block(statement): its nodes, one a line. */
static int statement_print_block(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *block = binding_block(L, b, 1);
  if (!block) return binding_expected(L, b, 1, "a statement or an expression", "print_block");
  alch_buffer_clear(&b->scratch);
  alch_block_print(block, &b->scratch);
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
  return 1;
}

void binding_open_statement(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "where", statement_where }, { "returning", statement_returning }, { "add_cte", statement_add_cte },
                                      { "bindparams", binding_text_bindparams }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "same_structure", statement_same_structure }, { "print_block", statement_print_block }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_STATEMENT, "statement", methods, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
  binding_open_selectable(L, b);
  binding_open_select(L, b);
  binding_open_compound(L, b);
  binding_open_insert(L, b);
  binding_open_update(L, b);
  binding_open_compile(L, b);
  binding_open_words(L, b);
  binding_open_derived(L, b);
}
