/* expression.c - operators: methods made from the operator rows in one loop, metamethods, la.and_ and its kin. */
#include "lua/expression.h"
#include <string.h>

/* ---- arguments ---- */

uint32_t binding_spread(lua_State *L, binding *b, int first, int *start) {
  int count = lua_gettop(L) - first + 1;
  *start = first;
  if (count != 1 || lua_type(L, first) != LUA_TTABLE || binding_block(L, b, first)) return count < 0 ? 0 : (uint32_t)count;
  uint32_t length = (uint32_t)lua_rawlen(L, first);
  luaL_checkstack(L, (int)length + 8, "too many items in a list");
  *start = lua_gettop(L) + 1;
  for (uint32_t i = 0; i < length; i++) lua_rawgeti(L, first, i + 1);
  return length;
}

void binding_label_names(lua_State *L, binding *b, int first, uint32_t count) {
  for (int index = first; index < first + (int)count; index++) {
    if (lua_type(L, index) != LUA_TSTRING) continue;
    size_t length;
    const char *name = lua_tolstring(L, index, &length);
    alch_builder_start(&b->builder);
    alch_builder_leaf_text(&b->builder, ALCH_NODE_LABEL_NAME, 0, 0, 0, name, length);
    binding_push_block(L, b, BINDING_EXPRESSION);
    lua_replace(L, index);
  }
}

static int push_expression(lua_State *L, binding *b, alch_status status) {
  binding_must(L, b, status);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* ---- operators ---- */

static bool is_junction(alch_operator op) { return op == ALCH_OPERATOR_AND || op == ALCH_OPERATOR_OR || op == ALCH_OPERATOR_NOT; }
static bool is_like(alch_operator op) { return op >= ALCH_OPERATOR_LIKE && op <= ALCH_OPERATOR_NOT_ILIKE; }
static bool is_set(alch_operator op) { return op == ALCH_OPERATOR_IN || op == ALCH_OPERATOR_NOT_IN; }
static bool is_comparison(alch_operator op) { return op >= ALCH_OPERATOR_EQ && op <= ALCH_OPERATOR_NOT_BETWEEN; }

/* Operands that a method of this operator takes beside the object. */
static int operand_count(alch_operator op) {
  if (op == ALCH_OPERATOR_BETWEEN || op == ALCH_OPERATOR_NOT_BETWEEN) return 2;
  if (op == ALCH_OPERATOR_NOT || op == ALCH_OPERATOR_BITWISE_NOT || op == ALCH_OPERATOR_NEGATE || (op >= ALCH_OPERATOR_DISTINCT && op <= ALCH_OPERATOR_NULLS_LAST)) return 0;
  return 1;
}

/* Errors about a value name the column beside it. */
static int push_compared(lua_State *L, binding *b, alch_status status, const alch_block *left) {
  const alch_node *root = left ? alch_block_root(left) : NULL;
  if (status == ALCH_ERROR && root && root->kind == ALCH_NODE_COLUMN && !(root->a & ALCH_ANONYMOUS))
    binding_raise_for_column(L, b, alch_catalog_table(b->catalog, root->a)->columns[root->b]);
  return push_expression(L, b, status);
}

/* The operands are slots first .. first + count - 1. */
static int operate(lua_State *L, binding *b, alch_operator op, int first, uint32_t count) {
  alch_operand few[4] = { { 0 } }, *operands = count <= ALCH_COUNT(few) ? few : lua_newuserdatauv(L, count * sizeof *operands, 0);
  bool condition = is_junction(op), joins = op == ALCH_OPERATOR_ADD || op == ALCH_OPERATOR_CONCAT;
  if (joins && first == 1 && lua_type(L, 2) == LUA_TTABLE && binding_is_container(L, b, 1)) return binding_operate_container(L, b, op);
  const alch_block *left = NULL;
  alch_type_id type = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (i == 1 && left && is_comparison(op)) type = binding_special_type(b, left);
    if (i == 1 && is_set(op) && left && alch_block_root(left)->kind == ALCH_NODE_TUPLE) binding_flatten_tuples(L, b, first + 1, alch_node_child_count(alch_block_root(left)));
    if (i == 1 && is_set(op)) binding_list_operand(L, b, first + 1, type, &operands[1]);
    else binding_operand(L, b, first + (int)i, type, condition, &operands[i]);
    if (i == 0) left = operands[0].block;
  }
  return push_compared(L, b, alch_expression_operate(&b->builder, b->catalog, op, operands, count, &b->error), left);
}

static void check_arguments(lua_State *L, binding *b, alch_operator op, int wanted) {
  int given = lua_gettop(L) - 1;
  if (given == wanted) return;
  const char *name = alch_operator_rows[op].lua_name;
  if (given < wanted) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s needs %s; write column:%s(…) with a colon", name, wanted == 1 ? "a value" : "two values", name);
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s takes %d argument%s, not %d", name, wanted, wanted == 1 ? "" : "s", given);
}

/* between(low, high [, { symmetric = true }]) */
static int operate_between(lua_State *L, binding *b, alch_operator op) {
  static const binding_option known[] = { { "symmetric", LUA_TBOOLEAN }, { NULL, 0 } };
  if (lua_gettop(L) == 4) {
    luaL_checktype(L, 4, LUA_TTABLE);
    binding_only_options(L, b, 4, known, alch_operator_rows[op].lua_name);
    lua_getfield(L, 4, "symmetric");
    bool symmetric = lua_toboolean(L, -1);
    lua_settop(L, 3);
    if (symmetric) return operate(L, b, op == ALCH_OPERATOR_BETWEEN ? ALCH_OPERATOR_BETWEEN_SYMMETRIC : ALCH_OPERATOR_NOT_BETWEEN_SYMMETRIC, 1, 3);
  }
  check_arguments(L, b, op, 2);
  return operate(L, b, op, 1, 3);
}

/* like(pattern [, { escape = "/" }]) */
static int operate_like(lua_State *L, binding *b, alch_operator op) {
  static const binding_option known[] = { { "escape", LUA_TSTRING }, { NULL, 0 } };
  char escape = 0;
  if (lua_gettop(L) == 3) {
    luaL_checktype(L, 3, LUA_TTABLE);
    binding_only_options(L, b, 3, known, alch_operator_rows[op].lua_name);
    lua_getfield(L, 3, "escape");
    if (lua_rawlen(L, -1) != 1) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "escape must be one character");
    escape = lua_tostring(L, -1)[0];
    lua_settop(L, 2);
  }
  check_arguments(L, b, op, 1);
  if (escape == 0) return operate(L, b, op, 1, 2);
  alch_operand left, right;
  binding_operand(L, b, 1, 0, false, &left);
  binding_operand(L, b, 2, 0, false, &right);
  return push_expression(L, b, alch_expression_like(&b->builder, b->catalog, op, &left, &right, escape, &b->error));
}

/* upvalue 2: the operator */
static int expression_operator(lua_State *L) {
  binding *b = BINDING(L);
  alch_operator op = (alch_operator)lua_tointeger(L, lua_upvalueindex(2));
  if (op == ALCH_OPERATOR_AND || op == ALCH_OPERATOR_OR) return operate(L, b, op, 1, (uint32_t)lua_gettop(L));
  if (is_like(op)) return operate_like(L, b, op);
  if (op == ALCH_OPERATOR_BETWEEN || op == ALCH_OPERATOR_NOT_BETWEEN) return operate_between(L, b, op);
  if (op >= ALCH_OPERATOR_CONTAINS && lua_gettop(L) == 2) return binding_operate_container(L, b, op);
  int wanted = operand_count(op);
  if (ALCH_UNLIKELY(lua_gettop(L) != wanted + 1)) check_arguments(L, b, op, wanted);
  return operate(L, b, op, 1, (uint32_t)wanted + 1);
}

/* The same as a metamethod: Lua hands two arguments to unary ones too. */
static int expression_metamethod(lua_State *L) {
  alch_operator op = (alch_operator)lua_tointeger(L, lua_upvalueindex(2));
  return operate(L, BINDING(L), op, 1, operand_count(op) == 0 ? 1 : 2);
}

/* upvalue 2: how the comparison is written in Lua, upvalue 3: the method */
static int expression_comparison(lua_State *L) {
  return binding_error(L, BINDING(L), ALCH_ERROR_ARGUMENT, "Lua compares before lualchemy sees it, so %s makes no expression; write column:%s(value)", lua_tostring(L, lua_upvalueindex(2)),
                       lua_tostring(L, lua_upvalueindex(3)));
}

/* ---- contains, startswith, endswith ---- */

/* The text at index with its wild cards escaped in its place, before a function stands round it. */
static uint32_t escape_text(lua_State *L, binding *b, int index, char escape) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  alch_buffer_clear(&b->scratch);
  uint32_t bits = alch_pattern_escape(text, length, escape, &b->scratch);
  if (alch_buffer_failed(&b->scratch)) binding_must(L, b, alch_error_out_of_memory(&b->error));
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
  lua_replace(L, index);
  return bits;
}

static int pattern(lua_State *L, alch_pattern kind, bool ignore_case, const char *name) {
  static const binding_option known[] = { { "autoescape", LUA_TBOOLEAN }, { "escape", LUA_TSTRING }, { NULL, 0 } };
  binding *b = BINDING(L);
  bool autoescape = false;
  uint32_t escape = 0;
  if (lua_gettop(L) < 2) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s needs a value", name);
  if (lua_gettop(L) > 2) {
    luaL_checktype(L, 3, LUA_TTABLE);
    binding_only_options(L, b, 3, known, name);
    lua_getfield(L, 3, "autoescape");
    autoescape = lua_toboolean(L, -1);
    if (lua_getfield(L, 3, "escape") != LUA_TNIL) {
      if (lua_rawlen(L, -1) != 1) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "escape must be one character");
      escape = (uint8_t)lua_tostring(L, -1)[0];
    }
  }
  if (ignore_case && autoescape && lua_type(L, 2) == LUA_TSTRING) {
    escape = escape_text(L, b, 2, (char)escape);
    autoescape = false;
  }
  alch_operand left, right;
  for (int i = 1; ignore_case && i <= 2; i++) {
    alch_operand operand;
    binding_operand(L, b, i, 0, false, &operand);
    push_expression(L, b, alch_expression_function(&b->builder, b->catalog, "lower", &operand, 1, 0, &b->error));
    lua_replace(L, i);
  }
  binding_operand(L, b, 1, 0, false, &left);
  binding_operand(L, b, 2, 0, false, &right);
  return push_expression(L, b, alch_expression_pattern(&b->builder, b->catalog, kind, &left, &right, autoescape, escape, &b->error));
}

static int expression_contains(lua_State *L) {
  if (binding_is_container(L, BINDING(L), 1)) return binding_operate_container(L, BINDING(L), ALCH_OPERATOR_CONTAINS);
  return pattern(L, ALCH_PATTERN_CONTAINS, false, "contains");
}
static int expression_startswith(lua_State *L) { return pattern(L, ALCH_PATTERN_STARTSWITH, false, "startswith"); }
static int expression_endswith(lua_State *L) { return pattern(L, ALCH_PATTERN_ENDSWITH, false, "endswith"); }
static int expression_icontains(lua_State *L) { return pattern(L, ALCH_PATTERN_CONTAINS, true, "icontains"); }
static int expression_istartswith(lua_State *L) { return pattern(L, ALCH_PATTERN_STARTSWITH, true, "istartswith"); }
static int expression_iendswith(lua_State *L) { return pattern(L, ALCH_PATTERN_ENDSWITH, true, "iendswith"); }

/* ---- regular expressions ---- */

/* The flags in the options table at index, or "". */
static const char *flags_option(lua_State *L, binding *b, int index, const char *method) {
  static const binding_option known[] = { { "flags", LUA_TSTRING }, { NULL, 0 } };
  if (lua_isnoneornil(L, index)) return "";
  luaL_checktype(L, index, LUA_TTABLE);
  binding_only_options(L, b, index, known, method);
  return lua_getfield(L, index, "flags") == LUA_TSTRING ? lua_tostring(L, -1) : "";
}

/* Subject, pattern and perhaps a replacement are slots 1 .. count. */
static int regexp(lua_State *L, alch_operator op, int count, const char *method) {
  binding *b = BINDING(L);
  alch_operand operands[3];
  if (lua_gettop(L) < count) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s needs %s", method, count == 3 ? "a pattern and a replacement" : "a pattern");
  const char *flags = flags_option(L, b, count + 1, method);
  for (int i = 0; i < count; i++) binding_operand(L, b, i + 1, 0, false, &operands[i]);
  alch_builder_start(&b->builder);
  alch_builder_open_text(&b->builder, ALCH_NODE_REGEXP, op, 0, op == ALCH_OPERATOR_REGEXP_REPLACE ? ALCH_TYPE_STRING : ALCH_TYPE_BOOLEAN, flags, strlen(flags));
  for (int i = 0; i < count; i++) binding_build_operand(L, b, &operands[i], 0);
  alch_builder_close(&b->builder);
  return push_expression(L, b, ALCH_OK);
}

/* regexp_match(pattern [, { flags = "i" }]), regexp_replace(pattern, replacement [, { flags = }]) */
static int expression_regexp_match(lua_State *L) { return regexp(L, ALCH_OPERATOR_REGEXP, 2, "regexp_match"); }
static int expression_not_regexp_match(lua_State *L) { return regexp(L, ALCH_OPERATOR_NOT_REGEXP, 2, "not_regexp_match"); }
static int expression_regexp_replace(lua_State *L) { return regexp(L, ALCH_OPERATOR_REGEXP_REPLACE, 3, "regexp_replace"); }

/* ---- operators that lualchemy does not know ---- */

static int custom(lua_State *L, bool comparison, const char *method) {
  static const binding_option known[] = { { "precedence", LUA_TNUMBER }, { "type", LUA_TUSERDATA }, { "return_type", LUA_TUSERDATA }, { "is_comparison", LUA_TBOOLEAN }, { NULL, 0 } };
  binding *b = BINDING(L);
  size_t length;
  const char *text = binding_text(L, b, 2, &length, "an operator's text", method);
  uint32_t precedence = 0;
  alch_type_id type = comparison ? ALCH_TYPE_BOOLEAN : 0;
  if (lua_gettop(L) < 3) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s needs the right side: column:%s(\"->\", value)", method, method);
  if (lua_istable(L, 4)) {
    binding_only_options(L, b, 4, known, method);
    lua_getfield(L, 4, "precedence");
    precedence = (uint32_t)lua_tointeger(L, -1);
    lua_getfield(L, 4, "is_comparison");
    if (lua_toboolean(L, -1)) type = ALCH_TYPE_BOOLEAN;
    for (int i = 1; i <= 2; i++)
      if (lua_getfield(L, 4, known[i].name) != LUA_TNIL) type = binding_check_type(L, b, -1, method);
  }
  alch_operand left, right;
  binding_operand(L, b, 1, 0, false, &left);
  binding_operand(L, b, 3, 0, false, &right);
  alch_builder_start(&b->builder);
  alch_builder_open_text(&b->builder, ALCH_NODE_CUSTOM, 0, precedence, type, text, length);
  binding_build_operand(L, b, &left, 0);
  binding_build_operand(L, b, &right, 0);
  alch_builder_close(&b->builder);
  return push_expression(L, b, ALCH_OK);
}

/* op(operator, right [, { precedence =, return_type =, is_comparison = }]) */
static int expression_op(lua_State *L) { return custom(L, false, "op"); }
/* bool_op(operator, right [, { precedence = }]): one that gives a condition */
static int expression_bool_op(lua_State *L) { return custom(L, true, "bool_op"); }

/* ---- la.and_, la.not_, la.desc …: the same operators as functions ---- */

/* and_(…), or_(…), also of one list. */
static int function_junction(lua_State *L) {
  binding *b = BINDING(L);
  int start;
  uint32_t count = binding_spread(L, b, 1, &start);
  return operate(L, b, (alch_operator)lua_tointeger(L, lua_upvalueindex(2)), start, count);
}

static int function_unary(lua_State *L) {
  binding *b = BINDING(L);
  alch_operator op = (alch_operator)lua_tointeger(L, lua_upvalueindex(2));
  if (lua_gettop(L) != 1) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s takes one expression", alch_operator_rows[op].lua_name);
  bool orders = op >= ALCH_OPERATOR_DESC && op <= ALCH_OPERATOR_NULLS_LAST;
  if (orders) binding_label_names(L, b, 1, 1);
  return operate(L, b, op, 1, 1);
}

/* tuple_(a, b, …): a row value. */
static int function_tuple(lua_State *L) {
  binding *b = BINDING(L);
  int start;
  uint32_t count = binding_spread(L, b, 1, &start);
  alch_operand *operands = lua_newuserdatauv(L, (count + 1) * sizeof *operands, 0);
  for (uint32_t i = 0; i < count; i++) binding_operand(L, b, start + (int)i, 0, false, &operands[i]);
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_TUPLE, 0, 0, 0);
  for (uint32_t i = 0; i < count; i++) binding_build_operand(L, b, &operands[i], 0);
  alch_builder_close(&b->builder);
  return push_expression(L, b, ALCH_OK);
}

/* ---- opening ---- */

static void push_closure(lua_State *L, binding *b, lua_CFunction function, int op) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushinteger(L, op);
  lua_pushcclosure(L, function, 2);
}

/* Every operator that has a name in Lua becomes a method. The table of methods is on top of the stack. */
static void add_operator_methods(lua_State *L, binding *b) {
  for (int op = 0; op < ALCH_OPERATOR_COUNT; op++) {
    if (!alch_operator_rows[op].lua_name[0]) continue;
    push_closure(L, b, expression_operator, op);
    lua_setfield(L, -2, alch_operator_rows[op].lua_name);
  }
}

static void add_metamethods(lua_State *L, binding *b) {
  static const struct { const char *event; uint8_t op; } rows[] = {
    { "__add", ALCH_OPERATOR_ADD }, { "__sub", ALCH_OPERATOR_SUBTRACT }, { "__mul", ALCH_OPERATOR_MULTIPLY }, { "__div", ALCH_OPERATOR_DIVIDE },
    { "__idiv", ALCH_OPERATOR_FLOOR_DIVIDE }, { "__mod", ALCH_OPERATOR_MODULO }, { "__concat", ALCH_OPERATOR_CONCAT }, { "__unm", ALCH_OPERATOR_NEGATE },
    { "__band", ALCH_OPERATOR_AND }, { "__bor", ALCH_OPERATOR_OR }, { "__bnot", ALCH_OPERATOR_NOT },
  };
  static const struct { const char *event, *spelling, *method; } comparisons[] = { { "__lt", "< or >", "lt" }, { "__le", "<= or >=", "le" }, { "__eq", "==", "eq" } };
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) {
    push_closure(L, b, expression_metamethod, rows[i].op);
    lua_setfield(L, -2, rows[i].event);
  }
  for (size_t i = 0; i < ALCH_COUNT(comparisons); i++) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, b);
    lua_pushstring(L, comparisons[i].spelling);
    lua_pushstring(L, comparisons[i].method);
    lua_pushcclosure(L, expression_comparison, 3);
    lua_setfield(L, -2, comparisons[i].event);
  }
}

static void add_functions(lua_State *L, binding *b) {
  static const struct { uint8_t op; lua_CFunction function; } rows[] = {
    { ALCH_OPERATOR_AND, function_junction }, { ALCH_OPERATOR_OR, function_junction }, { ALCH_OPERATOR_NOT, function_unary }, { ALCH_OPERATOR_DISTINCT, function_unary },
    { ALCH_OPERATOR_ANY, function_unary }, { ALCH_OPERATOR_ALL, function_unary }, { ALCH_OPERATOR_DESC, function_unary }, { ALCH_OPERATOR_ASC, function_unary },
    { ALCH_OPERATOR_NULLS_FIRST, function_unary }, { ALCH_OPERATOR_NULLS_LAST, function_unary }, { ALCH_OPERATOR_BITWISE_NOT, function_unary },
  };
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) {
    push_closure(L, b, rows[i].function, rows[i].op);
    lua_setfield(L, -2, alch_operator_rows[rows[i].op].lua_name);
  }
  push_closure(L, b, function_tuple, 0);
  lua_setfield(L, -2, "tuple_");
}

void binding_open_expression(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "contains", expression_contains }, { "startswith", expression_startswith }, { "endswith", expression_endswith }, { "icontains", expression_icontains },
    { "istartswith", expression_istartswith }, { "iendswith", expression_iendswith }, { "op", expression_op }, { "bool_op", expression_bool_op },
    { "regexp_match", expression_regexp_match }, { "not_regexp_match", expression_not_regexp_match }, { "regexp_replace", expression_regexp_replace }, { NULL, NULL },
  };
  binding_kind_register(L, b, BINDING_EXPRESSION, "expression", methods, NULL);
  binding_kind_properties(L, b, BINDING_EXPRESSION, binding_expression_property);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[BINDING_EXPRESSION]);
  add_metamethods(L, b);
  lua_getfield(L, -1, "__methods");
  add_operator_methods(L, b);
  lua_pop(L, 2);
  add_functions(L, b);
  binding_open_function(L, b);
  binding_open_container(L, b);
  binding_open_construct(L, b);
}
