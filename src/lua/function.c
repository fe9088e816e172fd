/* function.c - functions and windows, CASE, CAST, labels. */
#include "lua/expression.h"
#include <string.h>

static int push_built(lua_State *L, binding *b) {
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* All of the slots from start on as operands, in memory on the stack. */
static alch_operand *operands_of(lua_State *L, binding *b, int start, uint32_t count) {
  alch_operand *operands = lua_newuserdatauv(L, (count + 1) * sizeof *operands, 0);
  for (uint32_t i = 0; i < count; i++) binding_operand(L, b, start + (int)i, 0, false, &operands[i]);
  return operands;
}

/* func(name, …): a last argument { type_ = T } says what the function gives. */
static int function_call(lua_State *L) {
  static const binding_option known[] = { { "type_", LUA_TUSERDATA }, { NULL, 0 } };
  binding *b = BINDING(L);
  const char *name = luaL_checkstring(L, 1);
  alch_type_id type = 0;
  int top = lua_gettop(L);
  if (top > 1 && lua_istable(L, top) && !binding_block(L, b, top)) {
    binding_only_options(L, b, top, known, name);
    lua_getfield(L, top, "type_");
    if (!lua_isnil(L, -1)) type = binding_check_type(L, b, -1, "type_");
    top--;
  }
  alch_operand *operands = operands_of(L, b, 2, (uint32_t)top - 1);
  binding_must(L, b, alch_expression_function(&b->builder, b->catalog, name, operands, (uint32_t)top - 1, type, &b->error));
  return push_built(L, b);
}

/* ---- one child and a text, or a type ---- */

static int wrap_text(lua_State *L, binding *b, alch_node_kind kind, const char *text, size_t length, int index) {
  alch_operand operand;
  binding_operand(L, b, index, 0, false, &operand);
  alch_builder_start(&b->builder);
  alch_builder_open_text(&b->builder, (uint8_t)kind, 0, 0, 0, text, length);
  binding_build_operand(L, b, &operand, 0);
  alch_builder_close(&b->builder);
  return push_built(L, b);
}

static int anonymous_label(lua_State *L, binding *b) {
  alch_operand operand;
  binding_operand(L, b, 1, 0, false, &operand);
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_LABEL, 0, alch_catalog_anonymous(b->catalog), 0);
  binding_build_operand(L, b, &operand, 0);
  alch_builder_close(&b->builder);
  return push_built(L, b);
}

/* label([name]): without a name one is made up */
static int expression_label(lua_State *L) {
  size_t length;
  if (lua_isnoneornil(L, 2)) return anonymous_label(L, BINDING(L));
  const char *name = binding_text(L, BINDING(L), 2, &length, "a name", "label");
  return wrap_text(L, BINDING(L), ALCH_NODE_LABEL, name, length, 1);
}

/* collate(name) */
static int expression_collate(lua_State *L) {
  size_t length;
  const char *name = binding_text(L, BINDING(L), 2, &length, "a collation's name", "collate");
  return wrap_text(L, BINDING(L), ALCH_NODE_COLLATE, name, length, 1);
}

/* extract(field, expression) */
static int function_extract(lua_State *L) {
  size_t length;
  const char *field = binding_text(L, BINDING(L), 1, &length, "a field such as \"year\" first", "extract");
  return wrap_text(L, BINDING(L), ALCH_NODE_EXTRACT, field, length, 2);
}

static int wrap_type(lua_State *L, alch_node_kind kind, uint8_t op, const char *where) {
  binding *b = BINDING(L);
  alch_type_id type = binding_check_type(L, b, 2, where);
  alch_operand operand;
  /* A Lua table is the value that the type makes of it. */
  bool inside = lua_type(L, 1) == LUA_TTABLE && !binding_block(L, b, 1);
  binding_operand(L, b, 1, inside ? type : 0, false, &operand);
  bool own = !operand.block && binding_test(L, b, 1, BINDING_DECIMAL) == NULL;
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, (uint8_t)kind, op, 0, type);
  binding_build_operand(L, b, &operand, inside || (own && kind == ALCH_NODE_TYPE_COERCE) ? type : 0);
  alch_builder_close(&b->builder);
  return push_built(L, b);
}

/* cast(expression, type), also as a method */
static int function_cast(lua_State *L) { return wrap_type(L, ALCH_NODE_CAST, 0, "cast"); }
/* try_cast(expression, type), also as a method: NULL in place of an error */
static int function_try_cast(lua_State *L) { return wrap_type(L, ALCH_NODE_CAST, 1, "try_cast"); }
/* type_coerce(expression, type): the type for Lua, with no SQL for it */
static int function_type_coerce(lua_State *L) { return wrap_type(L, ALCH_NODE_TYPE_COERCE, 0, "type_coerce"); }

/* self_group(): in parentheses */
static int expression_group(lua_State *L) {
  binding *b = BINDING(L);
  alch_operand operand;
  binding_operand(L, b, 1, 0, false, &operand);
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_GROUPING, 0, 0, 0);
  binding_build_operand(L, b, &operand, 0);
  alch_builder_close(&b->builder);
  return push_built(L, b);
}

/* ---- CASE ---- */

/* A pair { condition, value } of the list at slot 1: both go on the stack. */
static void push_pair(lua_State *L, binding *b, lua_Integer number) {
  if (lua_rawgeti(L, 1, number) != LUA_TTABLE || lua_rawlen(L, -1) > 2 || binding_block(L, b, -1))
    binding_error(L, b, ALCH_ERROR_ARGUMENT, "case takes pairs: la.case{ { condition, value }, …, else_ = value }");
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  lua_remove(L, -3);
}

/* case{ { condition, value }, …, else_ = value, value = expression } */
static int function_case(lua_State *L) {
  static const binding_option known[] = { { "else_", LUA_TNONE }, { "value", LUA_TNONE }, { NULL, 0 } };
  binding *b = BINDING(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  binding_options(L, b, 1, known, "case");
  lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
  if (count == 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "case needs at least one pair { condition, value }");
  luaL_checkstack(L, (int)count * 2 + 8, "too many pairs in a case");
  lua_settop(L, 1);
  bool has_value = lua_getfield(L, 1, "value") != LUA_TNIL;
  for (lua_Integer i = 1; i <= count; i++) push_pair(L, b, i);
  bool has_else = lua_getfield(L, 1, "else_") != LUA_TNIL;
  int total = (int)count * 2 + 2;
  alch_operand *operands = lua_newuserdatauv(L, (size_t)total * sizeof *operands, 0);
  for (int i = 0; i < total; i++) {
    bool condition = !has_value && i % 2 == 1 && i < total - 1;
    if ((i > 0 || has_value) && (i < total - 1 || has_else)) binding_operand(L, b, i + 2, 0, condition, &operands[i]);
  }
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_CASE, (uint8_t)(has_value | has_else << 1), 0, 0);
  for (int i = has_value ? 0 : 1; i < total - (has_else ? 0 : 1); i++) binding_build_operand(L, b, &operands[i], 0);
  alch_builder_close(&b->builder);
  return push_built(L, b);
}

/* ---- windows and aggregates ---- */

/* The option's expressions (one, or a list of them) on the stack from *start on. */
static uint32_t spread_option(lua_State *L, binding *b, int options, const char *name, int *start) {
  int kind = lua_getfield(L, options, name);
  *start = lua_gettop(L);
  if (kind == LUA_TNIL) return 0;
  if (kind != LUA_TTABLE || binding_block(L, b, -1)) { binding_label_names(L, b, *start, 1); return 1; }
  int list = *start;
  uint32_t count = (uint32_t)lua_rawlen(L, list);
  luaL_checkstack(L, (int)count + 8, "too many expressions");
  *start = lua_gettop(L) + 1;
  for (uint32_t i = 0; i < count; i++) lua_rawgeti(L, list, i + 1);
  binding_label_names(L, b, *start, count);
  return count;
}

static void build_list(lua_State *L, binding *b, const alch_operand *operands, uint32_t count) {
  alch_builder_open(&b->builder, ALCH_NODE_LIST, ALCH_OPERATOR_COMMA, 0, 0);
  for (uint32_t i = 0; i < count; i++) binding_build_operand(L, b, &operands[i], 0);
  alch_builder_close(&b->builder);
}

typedef struct bound { uint8_t kind; alch_operand count; } bound;
typedef struct frame { bool given; uint8_t op; bound bounds[2]; } frame;

/* A bound of a frame: nil or false is unbounded, 0 the current row, below 0 preceding, above following. */
static bound frame_bound(lua_State *L, binding *b, int list, int place) {
  bound out = { ALCH_BOUND_UNBOUNDED, { 0 } };
  lua_rawgeti(L, list, place);
  bool unbounded = lua_isnil(L, -1) || lua_isboolean(L, -1) || lua_islightuserdata(L, -1);
  if (!unbounded && lua_type(L, -1) != LUA_TNUMBER) binding_expected(L, b, -1, "numbers, or false for unbounded", "a window's frame");
  lua_Number number = lua_tonumber(L, -1);
  if (!unbounded) {
    out.kind = number == 0 ? ALCH_BOUND_CURRENT : number < 0 ? ALCH_BOUND_PRECEDING : ALCH_BOUND_FOLLOWING;
    int integral = 0;
    lua_Integer count = lua_tointegerx(L, -1, &integral);
    out.count.value = integral ? alch_value_integer(count < 0 ? -count : count) : alch_value_real(number < 0 ? -number : number);
  }
  lua_pop(L, 1);
  return out;
}

static uint8_t exclude_option(lua_State *L, binding *b, int options) {
  static const char *const words[ALCH_EXCLUDE_COUNT] = {
    [ALCH_EXCLUDE_NOTHING] = "", [ALCH_EXCLUDE_CURRENT_ROW] = "current row", [ALCH_EXCLUDE_GROUP] = "group", [ALCH_EXCLUDE_TIES] = "ties", [ALCH_EXCLUDE_NO_OTHERS] = "no others",
  };
  if (lua_getfield(L, options, "exclude") == LUA_TNIL) { lua_pop(L, 1); return ALCH_EXCLUDE_NOTHING; }
  const char *word = binding_text(L, b, -1, NULL, "\"current row\", \"group\", \"ties\" or \"no others\"", "exclude");
  for (uint8_t i = 1; i < ALCH_EXCLUDE_COUNT; i++)
    if (strcmp(words[i], word) == 0) { lua_pop(L, 1); return i; }
  const char *nearest = alch_nearest(word, words + 1, ALCH_EXCLUDE_COUNT - 1);
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "exclude is \"current row\", \"group\", \"ties\" or \"no others\", not '%s'%s%s%s", word, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
  return 0;
}

static frame frame_option(lua_State *L, binding *b, int options) {
  static const struct { const char *name; uint8_t unit; } units[] = { { "rows", ALCH_FRAME_ROWS }, { "range_", ALCH_FRAME_RANGE }, { "groups", ALCH_FRAME_GROUPS } };
  frame out = { .given = false };
  for (size_t i = 0; i < ALCH_COUNT(units); i++) {
    if (lua_getfield(L, options, units[i].name) == LUA_TNIL) { lua_pop(L, 1); continue; }
    luaL_checktype(L, -1, LUA_TTABLE);
    if (out.given) binding_error(L, b, ALCH_ERROR_ARGUMENT, "over takes one of rows, range_ and groups");
    int list = lua_gettop(L);
    out = (frame){ true, units[i].unit, { frame_bound(L, b, list, 1), frame_bound(L, b, list, 2) } };
    lua_pop(L, 1);
  }
  uint8_t exclusion = exclude_option(L, b, options);
  if (exclusion && !out.given) binding_error(L, b, ALCH_ERROR_ARGUMENT, "exclude goes with rows, range_ or groups");
  out.op |= (uint8_t)(exclusion << ALCH_FRAME_EXCLUSION_SHIFT);
  return out;
}

static void build_frame(lua_State *L, binding *b, const frame *window) {
  if (!window->given) return;
  alch_builder_open(&b->builder, ALCH_NODE_FRAME, window->op, window->bounds[0].kind, window->bounds[1].kind);
  for (int i = 0; i < 2; i++)
    if (window->bounds[i].kind >= ALCH_BOUND_PRECEDING) binding_build_operand(L, b, &window->bounds[i].count, 0);
  alch_builder_close(&b->builder);
}

/* over{ partition_by =, order_by =, rows = { first, last }, range_ =, groups =, exclude = } */
static int expression_over(lua_State *L) {
  static const binding_option known[] = {
    { "partition_by", LUA_TNONE }, { "order_by", LUA_TNONE }, { "rows", LUA_TTABLE }, { "range_", LUA_TTABLE }, { "groups", LUA_TTABLE }, { "exclude", LUA_TSTRING }, { NULL, 0 },
  };
  binding *b = BINDING(L);
  if (lua_isnoneornil(L, 2)) { lua_settop(L, 1); lua_newtable(L); }
  luaL_checktype(L, 2, LUA_TTABLE);
  binding_options(L, b, 2, known, "over");
  alch_operand function;
  binding_operand(L, b, 1, 0, false, &function);
  int start;
  uint32_t parts = spread_option(L, b, 2, "partition_by", &start);
  alch_operand *partition = operands_of(L, b, start, parts);
  uint32_t orders = spread_option(L, b, 2, "order_by", &start);
  alch_operand *order = operands_of(L, b, start, orders);
  frame window = frame_option(L, b, 2);
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_OVER, 0, 0, 0);
  binding_build_operand(L, b, &function, 0);
  build_list(L, b, partition, parts);
  build_list(L, b, order, orders);
  build_frame(L, b, &window);
  alch_builder_close(&b->builder);
  return push_built(L, b);
}

/* filter(condition, …): an aggregate over the rows for which all conditions hold */
static int expression_filter(lua_State *L) {
  binding *b = BINDING(L);
  uint32_t count = (uint32_t)lua_gettop(L) - 1;
  if (count == 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "filter needs a condition");
  alch_operand *operands = lua_newuserdatauv(L, count * sizeof *operands, 0);
  for (uint32_t i = 0; i < count; i++) binding_operand(L, b, (int)i + 2, 0, true, &operands[i]);
  binding_must(L, b, alch_expression_operate(&b->builder, b->catalog, ALCH_OPERATOR_AND, operands, count, &b->error));
  alch_operand condition = { .block = binding_push_block(L, b, BINDING_EXPRESSION) }, aggregate;
  binding_operand(L, b, 1, 0, false, &aggregate);
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_FILTER, 0, 0, 0);
  binding_build_operand(L, b, &aggregate, 0);
  binding_build_operand(L, b, &condition, 0);
  alch_builder_close(&b->builder);
  return push_built(L, b);
}

static int ordered(lua_State *L, alch_node_kind kind, const char *method) {
  binding *b = BINDING(L);
  uint32_t count = (uint32_t)lua_gettop(L) - 1;
  if (count == 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s needs expressions to order by", method);
  binding_label_names(L, b, 2, count);
  alch_operand *order = operands_of(L, b, 2, count), function;
  binding_operand(L, b, 1, 0, false, &function);
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, (uint8_t)kind, 0, 0, 0);
  binding_build_operand(L, b, &function, 0);
  build_list(L, b, order, count);
  alch_builder_close(&b->builder);
  return push_built(L, b);
}

/* within_group(order, …) */
static int expression_within_group(lua_State *L) { return ordered(L, ALCH_NODE_WITHIN_GROUP, "within_group"); }
/* aggregate_order_by(order, …): the rows in this order go into the aggregate */
static int expression_aggregate_order(lua_State *L) { return ordered(L, ALCH_NODE_AGGREGATE_ORDER, "aggregate_order_by"); }

void binding_open_function(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "label", expression_label }, { "collate", expression_collate }, { "cast", function_cast }, { "try_cast", function_try_cast }, { "self_group", expression_group },
    { "over", expression_over }, { "filter", expression_filter }, { "within_group", expression_within_group }, { "aggregate_order_by", expression_aggregate_order }, { NULL, NULL },
  };
  static const luaL_Reg functions[] = {
    { "func", function_call }, { "cast", function_cast }, { "try_cast", function_try_cast }, { "type_coerce", function_type_coerce }, { "extract", function_extract }, { "case", function_case }, { NULL, NULL },
  };
  binding_kind_methods(L, b, BINDING_EXPRESSION, methods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
  binding_open_literal(L, b);
}
