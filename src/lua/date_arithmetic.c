/* date_arithmetic.c - sums, differences and comparisons of dates, times, timestamps and intervals. */
#include "base/date.h"
#include "lua/date.h"

typedef struct operand { binding_kind kind; int64_t value; int32_t offset; } operand;   /* kind BINDING_KIND_COUNT: none of the four */

static operand operand_at(lua_State *L, binding *b, int index) {
  for (int kind = BINDING_DATE; kind <= BINDING_INTERVAL; kind++) {
    const binding_moment *moment = binding_test(L, b, index, (binding_kind)kind);
    if (moment) return (operand){ (binding_kind)kind, moment->value, kind == BINDING_DATETIME ? moment->offset : BINDING_NO_OFFSET };
  }
  return (operand){ BINDING_KIND_COUNT, 0, BINDING_NO_OFFSET };
}

static int cannot(lua_State *L, const char *what) {
  binding *b = BINDING(L);
  const char *left = binding_describe(L, b, 1), *right = binding_describe(L, b, 2);
  return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s and %s cannot be %s", left, right, what);
}

static int push_checked(lua_State *L, binding_kind kind, int64_t value, int32_t offset) {
  binding *b = BINDING(L);
  bool fits = kind == BINDING_DATE       ? value >= ALCH_DAYS_MIN && value <= ALCH_DAYS_MAX
              : kind == BINDING_TIME     ? value >= 0 && value < ALCH_MICROSECONDS_PER_DAY
              : kind == BINDING_DATETIME ? value >= ALCH_MICROSECONDS_MIN && value <= ALCH_MICROSECONDS_MAX
                                         : true;
  if (!fits) return binding_error(L, b, ALCH_ERROR_DATA, kind == BINDING_TIME ? "the sum is no time of day" : "the sum is outside the years 1 to 9999");
  binding_push_moment(L, b, kind, value, offset);
  return 1;
}

static bool sum(int64_t left, int64_t right, int64_t *out) {
  if (right > 0 ? left > INT64_MAX - right : left < INT64_MIN - right) return false;
  *out = left + right;
  return true;
}

/* A moment and an interval. A date stays one when the interval is whole days. */
static int add_interval(lua_State *L, operand moment, int64_t interval) {
  int64_t value;
  if (moment.kind == BINDING_DATE) {
    if (interval % ALCH_MICROSECONDS_PER_DAY == 0) return push_checked(L, BINDING_DATE, moment.value + interval / ALCH_MICROSECONDS_PER_DAY, BINDING_NO_OFFSET);
    moment.value *= ALCH_MICROSECONDS_PER_DAY;
    moment.kind = BINDING_DATETIME;
  }
  if (!sum(moment.value, interval, &value)) return binding_error(L, BINDING(L), ALCH_ERROR_DATA, "the sum is too large");
  return push_checked(L, moment.kind, value, moment.offset);
}

static int moment_add(lua_State *L) {
  binding *b = BINDING(L);
  operand left = operand_at(L, b, 1), right = operand_at(L, b, 2);
  if (right.kind == BINDING_INTERVAL && left.kind != BINDING_KIND_COUNT) return add_interval(L, left, right.value);
  if (left.kind == BINDING_INTERVAL && right.kind != BINDING_KIND_COUNT) return add_interval(L, right, left.value);
  return cannot(L, "added");
}

static int subtract_moments(lua_State *L, operand left, operand right) {
  if ((left.offset == BINDING_NO_OFFSET) != (right.offset == BINDING_NO_OFFSET)) return cannot(L, "subtracted, one having an offset and the other none");
  int64_t unit = left.kind == BINDING_DATE ? ALCH_MICROSECONDS_PER_DAY : 1;
  binding_moment sides[2] = { { left.value, left.offset }, { right.value, right.offset } };
  return push_checked(L, BINDING_INTERVAL, (binding_moment_utc(&sides[0]) - binding_moment_utc(&sides[1])) * unit, BINDING_NO_OFFSET);
}

static int moment_sub(lua_State *L) {
  binding *b = BINDING(L);
  operand left = operand_at(L, b, 1), right = operand_at(L, b, 2);
  if (left.kind == BINDING_KIND_COUNT) return cannot(L, "subtracted");
  if (right.kind == BINDING_INTERVAL && right.value > INT64_MIN) return add_interval(L, left, -right.value);
  if (left.kind == right.kind) return subtract_moments(L, left, right);
  return cannot(L, "subtracted");
}

static int scale_interval(lua_State *L, int64_t interval, double factor) {
  double product = (double)interval * factor;
  if (!(product > -9.2e18 && product < 9.2e18)) return binding_error(L, BINDING(L), ALCH_ERROR_DATA, "the interval is too long");
  return push_checked(L, BINDING_INTERVAL, (int64_t)(product < 0 ? product - 0.5 : product + 0.5), BINDING_NO_OFFSET);
}

static int moment_mul(lua_State *L) {
  binding *b = BINDING(L);
  int place = operand_at(L, b, 1).kind == BINDING_INTERVAL ? 1 : 2;
  operand interval = operand_at(L, b, place);
  if (interval.kind != BINDING_INTERVAL || lua_type(L, 3 - place) != LUA_TNUMBER) return cannot(L, "multiplied");
  int64_t factor = lua_tointeger(L, 3 - place), product;
  if (lua_isinteger(L, 3 - place) && !__builtin_mul_overflow(interval.value, factor, &product)) return push_checked(L, BINDING_INTERVAL, product, BINDING_NO_OFFSET);
  return scale_interval(L, interval.value, lua_tonumber(L, 3 - place));
}

static int moment_div(lua_State *L) {
  operand interval = operand_at(L, BINDING(L), 1);
  if (interval.kind != BINDING_INTERVAL || lua_type(L, 2) != LUA_TNUMBER || lua_tonumber(L, 2) == 0) return cannot(L, "divided");
  return scale_interval(L, interval.value, 1 / lua_tonumber(L, 2));
}

static int moment_unm(lua_State *L) {
  operand interval = operand_at(L, BINDING(L), 1);
  if (interval.kind != BINDING_INTERVAL || interval.value == INT64_MIN) return binding_expected(L, BINDING(L), 1, "an interval", "unary minus");
  return push_checked(L, BINDING_INTERVAL, -interval.value, BINDING_NO_OFFSET);
}

/* Both of one kind, and both with an offset or both without; otherwise false. */
static bool ordered(lua_State *L, int *order) {
  binding *b = BINDING(L);
  operand left = operand_at(L, b, 1), right = operand_at(L, b, 2);
  if (left.kind != right.kind || left.kind == BINDING_KIND_COUNT || (left.offset == BINDING_NO_OFFSET) != (right.offset == BINDING_NO_OFFSET)) return false;
  binding_moment sides[2] = { { left.value, left.offset }, { right.value, right.offset } };
  int64_t one = binding_moment_utc(&sides[0]), other = binding_moment_utc(&sides[1]);
  *order = (one > other) - (one < other);
  return true;
}

static int moment_eq(lua_State *L) {
  int order = 1;
  lua_pushboolean(L, ordered(L, &order) && order == 0);
  return 1;
}

static int moment_lt(lua_State *L) {
  int order = 0;
  if (!ordered(L, &order)) return cannot(L, "compared");
  lua_pushboolean(L, order < 0);
  return 1;
}

static int moment_le(lua_State *L) {
  int order = 0;
  if (!ordered(L, &order)) return cannot(L, "compared");
  lua_pushboolean(L, order <= 0);
  return 1;
}

const luaL_Reg binding_moment_arithmetic[] = {
  { "__add", moment_add }, { "__sub", moment_sub }, { "__mul", moment_mul }, { "__div", moment_div }, { "__unm", moment_unm },
  { "__eq", moment_eq }, { "__lt", moment_lt }, { "__le", moment_le }, { NULL, NULL },
};
