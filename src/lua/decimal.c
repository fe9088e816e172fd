/* decimal.c - exact decimals as Lua values. */
#include "base/decimal.h"
#include "lua/date.h"
#include <string.h>

static alch_decimal *push_decimal(lua_State *L, binding *b) { return binding_new(L, b, BINDING_DECIMAL, sizeof(alch_decimal), 0); }

/* A decimal, an integer, a float that is integral, or (in constructors) a text and any float. */
static bool to_decimal(lua_State *L, binding *b, int index, bool liberal, alch_decimal *out) {
  const alch_decimal *decimal = binding_test(L, b, index, BINDING_DECIMAL);
  if (decimal) { *out = *decimal; return true; }
  if (lua_isinteger(L, index)) { alch_decimal_from_integer(out, lua_tointeger(L, index)); return true; }
  if (!liberal) return false;
  if (lua_type(L, index) == LUA_TNUMBER) { binding_must(L, b, alch_decimal_from_real(out, lua_tonumber(L, index), &b->error)); return true; }
  if (lua_type(L, index) != LUA_TSTRING) return false;
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  binding_must(L, b, alch_decimal_parse(out, text, length, &b->error));
  return true;
}

static alch_decimal check_operand(lua_State *L, int index) {
  binding *b = BINDING(L);
  alch_decimal decimal;
  if (!to_decimal(L, b, index, false, &decimal))
    binding_expected(L, b, index, "decimals and integers (a float is not exact: write la.decimal(x))", "decimal arithmetic");
  return decimal;
}

typedef alch_status (*decimal_operation)(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, alch_error *error);

static int operate(lua_State *L, decimal_operation operation) {
  binding *b = BINDING(L);
  alch_decimal left = check_operand(L, 1), right = check_operand(L, 2), out;
  binding_must(L, b, operation(&out, &left, &right, &b->error));
  *push_decimal(L, b) = out;
  return 1;
}

static int decimal_add(lua_State *L) { return operate(L, alch_decimal_add); }
static int decimal_sub(lua_State *L) { return operate(L, alch_decimal_subtract); }
static int decimal_mul(lua_State *L) { return operate(L, alch_decimal_multiply); }

/* The quotient has as many digits as it needs, up to 16 more than the operands have behind the point (fewer where 38 digits are full). */
static alch_status divide(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, alch_error *error) {
  int least = left->scale > right->scale ? left->scale : right->scale;
  int scale = least + 16 > ALCH_DECIMAL_DIGITS ? ALCH_DECIMAL_DIGITS : least + 16;
  alch_status status = alch_decimal_divide(out, left, right, scale, error);
  while (status < 0 && error->kind == ALCH_ERROR_DATA && scale > least && (right->high | right->low) != 0)
    status = alch_decimal_divide(out, left, right, --scale, error);
  alch_decimal shorter;
  while (status == ALCH_OK && out->scale > least && alch_decimal_rescale(&shorter, out, out->scale - 1, NULL) == ALCH_OK && alch_decimal_compare(&shorter, out) == 0)
    *out = shorter;
  return status;
}

static int decimal_div(lua_State *L) { return operate(L, divide); }

static int decimal_unm(lua_State *L) {
  binding *b = BINDING(L);
  alch_decimal decimal = check_operand(L, 1);
  alch_decimal_negate(push_decimal(L, b), &decimal);
  return 1;
}

static int decimal_eq(lua_State *L) {
  binding *b = BINDING(L);
  const alch_decimal *left = binding_test(L, b, 1, BINDING_DECIMAL), *right = binding_test(L, b, 2, BINDING_DECIMAL);
  lua_pushboolean(L, left && right && alch_decimal_compare(left, right) == 0);
  return 1;
}

static int compare(lua_State *L) {
  binding *b = BINDING(L);
  alch_decimal sides[2];
  for (int i = 0; i < 2; i++)
    if (!to_decimal(L, b, i + 1, lua_type(L, i + 1) == LUA_TNUMBER, &sides[i])) binding_expected(L, b, i + 1, "decimals and numbers", "a comparison of decimals");
  return alch_decimal_compare(&sides[0], &sides[1]);
}

static int decimal_lt(lua_State *L) { lua_pushboolean(L, compare(L) < 0); return 1; }
static int decimal_le(lua_State *L) { lua_pushboolean(L, compare(L) <= 0); return 1; }

static int decimal_tostring(lua_State *L) {
  char text[ALCH_DECIMAL_TEXT_SIZE];
  size_t length = alch_decimal_print(binding_check(L, BINDING(L), 1, BINDING_DECIMAL), text);
  lua_pushlstring(L, text, length);
  return 1;
}

/* The nearest float. */
static int decimal_tonumber(lua_State *L) {
  lua_pushnumber(L, alch_decimal_to_real(binding_check(L, BINDING(L), 1, BINDING_DECIMAL)));
  return 1;
}

/* The integer, or nil when there is a fraction or no room. */
static int decimal_tointeger(lua_State *L) {
  int64_t integer;
  if (alch_decimal_to_integer(binding_check(L, BINDING(L), 1, BINDING_DECIMAL), &integer)) lua_pushinteger(L, integer);
  else lua_pushnil(L);
  return 1;
}

/* round([digits]): half to even. */
static int decimal_round(lua_State *L) {
  binding *b = BINDING(L);
  const alch_decimal *decimal = binding_check(L, b, 1, BINDING_DECIMAL);
  lua_Integer digits = luaL_optinteger(L, 2, 0);
  if (digits < 0 || digits > ALCH_DECIMAL_DIGITS) binding_error(L, b, ALCH_ERROR_ARGUMENT, "round takes 0 to %d digits, not %lld", ALCH_DECIMAL_DIGITS, (long long)digits);
  alch_decimal out;
  binding_must(L, b, alch_decimal_rescale(&out, decimal, (int)digits, &b->error));
  *push_decimal(L, b) = out;
  return 1;
}

static int decimal_abs(lua_State *L) {
  binding *b = BINDING(L);
  alch_decimal decimal = *(alch_decimal *)binding_check(L, b, 1, BINDING_DECIMAL);
  decimal.negative = false;
  *push_decimal(L, b) = decimal;
  return 1;
}

static int decimal_scale(lua_State *L) {
  lua_pushinteger(L, ((alch_decimal *)binding_check(L, BINDING(L), 1, BINDING_DECIMAL))->scale);
  return 1;
}

/* decimal(text | number | decimal): an exact decimal; a float becomes the shortest decimal that reads back as it. */
static int decimal_new(lua_State *L) {
  binding *b = BINDING(L);
  alch_decimal decimal;
  if (!to_decimal(L, b, 1, true, &decimal)) binding_expected(L, b, 1, "a text or a number", "decimal");
  *push_decimal(L, b) = decimal;
  return 1;
}

static const luaL_Reg decimal_methods[] = {
  { "tonumber", decimal_tonumber }, { "tointeger", decimal_tointeger }, { "round", decimal_round }, { "abs", decimal_abs }, { "scale", decimal_scale }, { NULL, NULL },
};
static const luaL_Reg decimal_metamethods[] = {
  { "__add", decimal_add }, { "__sub", decimal_sub }, { "__mul", decimal_mul }, { "__div", decimal_div }, { "__unm", decimal_unm },
  { "__eq", decimal_eq }, { "__lt", decimal_lt }, { "__le", decimal_le }, { "__tostring", decimal_tostring }, { NULL, NULL },
};

void binding_open_decimal(lua_State *L, binding *b) {
  binding_kind_register(L, b, BINDING_DECIMAL, "decimal", decimal_methods, decimal_metamethods);
  binding_kind_properties(L, b, BINDING_DECIMAL, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushcclosure(L, decimal_new, 1);
  lua_setfield(L, -2, "decimal");
}
