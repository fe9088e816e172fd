/* date.c - dates, times, timestamps and intervals as Lua values. */
#include "lua/date.h"
#include "base/date.h"
#include <string.h>
#include <time.h>

void binding_push_moment(lua_State *L, binding *b, binding_kind kind, int64_t value, int32_t offset) {
  binding_moment *moment = binding_new(L, b, kind, sizeof *moment, 0);
  *moment = (binding_moment){ value, offset };
}

int64_t binding_moment_utc(const binding_moment *moment) {
  return moment->offset == BINDING_NO_OFFSET ? moment->value : moment->value - moment->offset * (60 * ALCH_MICROSECONDS_PER_SECOND);
}

/* Which of the four it is; BINDING_KIND_COUNT when none. */
static binding_kind moment_kind(lua_State *L, binding *b, int index) {
  for (int kind = BINDING_DATE; kind <= BINDING_INTERVAL; kind++)
    if (binding_test(L, b, index, (binding_kind)kind)) return (binding_kind)kind;
  return BINDING_KIND_COUNT;
}

void binding_moment_for_type(lua_State *L, binding *b, int index, const alch_type *type, const alch_value *value) {
  (void)value;
  const binding_moment *moment = binding_test(L, b, index, BINDING_DATETIME);
  if (!moment || moment->offset == BINDING_NO_OFFSET || type->timezone || type->family != ALCH_TYPE_DATETIME) return;
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "this DateTime would lose the timestamp's offset; declare DateTime{ timezone = true }, or give value:naive() or value:utc():naive()");
}

/* ---- tables of fields ---- */

static bool integer_field(lua_State *L, binding *b, int index, const char *name, bool required, int *out) {
  lua_getfield(L, index, name);
  int integral = 0;
  lua_Integer value = lua_tointegerx(L, -1, &integral);
  bool absent = lua_isnil(L, -1);
  if (absent ? required : !integral || value < INT32_MIN || value > INT32_MAX)
    binding_error(L, b, ALCH_ERROR_ARGUMENT, absent ? "a table for a date needs the field '%s', as os.date \"*t\" has it" : "the field '%s' of a date must be an integer", name);
  lua_pop(L, 1);
  if (!absent) *out = (int)value;
  return !absent;
}

static void civil_from_table(lua_State *L, binding *b, int index, bool date, bool clock, alch_civil *civil) {
  *civil = (alch_civil){ .year = 1970, .month = 1, .day = 1 };
  if (date) {
    integer_field(L, b, index, "year", true, &civil->year);
    integer_field(L, b, index, "month", true, &civil->month);
    integer_field(L, b, index, "day", true, &civil->day);
  }
  if (clock) {
    integer_field(L, b, index, "hour", !date, &civil->hour);
    integer_field(L, b, index, date ? "min" : "minute", false, &civil->minute);
    integer_field(L, b, index, date ? "minute" : "min", false, &civil->minute);
    integer_field(L, b, index, "sec", false, &civil->second);
    integer_field(L, b, index, "second", false, &civil->second);
    integer_field(L, b, index, "microsecond", false, &civil->microsecond);
    civil->has_offset = integer_field(L, b, index, "offset", false, &civil->offset);
  }
  if (!alch_civil_valid(civil))
    binding_error(L, b, ALCH_ERROR_DATA, "there is no date %d-%d-%d %d:%d:%d", civil->year, civil->month, civil->day, civil->hour, civil->minute, civil->second);
}

static void interval_from_table(lua_State *L, binding *b, int index, int64_t *out) {
  static const struct { const char *name; int64_t unit; } units[] = {
    { "weeks", 7 * ALCH_MICROSECONDS_PER_DAY }, { "days", ALCH_MICROSECONDS_PER_DAY }, { "hours", 3600 * ALCH_MICROSECONDS_PER_SECOND },
    { "minutes", 60 * ALCH_MICROSECONDS_PER_SECOND }, { "seconds", ALCH_MICROSECONDS_PER_SECOND }, { "milliseconds", 1000 }, { "microseconds", 1 },
  };
  binding_option known[ALCH_COUNT(units) + 1] = { { NULL, 0 } };
  for (size_t i = 0; i < ALCH_COUNT(units); i++) known[i] = (binding_option){ units[i].name, LUA_TNUMBER };
  binding_options(L, b, index, known, "interval");
  *out = 0;
  for (size_t i = 0; i < ALCH_COUNT(units); i++) {
    lua_getfield(L, index, units[i].name);
    double product = lua_tonumber(L, -1) * (double)units[i].unit;
    if (product < -9e18 || product > 9e18) binding_error(L, b, ALCH_ERROR_DATA, "the interval is too long");
    int64_t part = lua_isinteger(L, -1) ? (int64_t)lua_tointeger(L, -1) * units[i].unit : (int64_t)(product < 0 ? product - 0.5 : product + 0.5);
    if (part > 0 ? *out > INT64_MAX - part : *out < INT64_MIN - part) binding_error(L, b, ALCH_ERROR_DATA, "the interval is too long");
    *out += part;
    lua_pop(L, 1);
  }
}

bool binding_moment_from_table(lua_State *L, binding *b, int index, uint8_t kind, alch_value *out) {
  if (kind != ALCH_DATE && kind != ALCH_TIME && kind != ALCH_DATETIME && kind != ALCH_INTERVAL) return false;
  *out = (alch_value){ .kind = kind };
  if (kind == ALCH_INTERVAL) { interval_from_table(L, b, index, &out->integer); return true; }
  alch_civil civil;
  civil_from_table(L, b, index, kind != ALCH_TIME, kind != ALCH_DATE, &civil);
  int64_t microseconds = alch_microseconds_from_civil(&civil);
  if (kind == ALCH_DATE) out->integer = alch_days_from_civil(civil.year, civil.month, civil.day);
  else out->integer = microseconds - (civil.has_offset ? civil.offset * (60 * ALCH_MICROSECONDS_PER_SECOND) : 0);
  return true;
}

/* ---- constructors ---- */

static int bad_text(lua_State *L, binding *b, const char *what, const char *example) {
  return binding_error(L, b, ALCH_ERROR_DATA, "'%s' is no %s; one looks like %s", lua_tostring(L, 1), what, example);
}

static int push_civil(lua_State *L, binding *b, const alch_civil *civil) {
  binding_push_moment(L, b, BINDING_DATETIME, alch_microseconds_from_civil(civil), civil->has_offset ? civil->offset : BINDING_NO_OFFSET);
  return 1;
}

/* An int argument; 0 for one that may be absent. */
static int number_argument(lua_State *L, int index, bool required) {
  if (!required && lua_isnoneornil(L, index)) return 0;
  int integral = 0;
  lua_Integer value = lua_tointegerx(L, index, &integral);
  if (!integral || value < INT32_MIN || value > INT32_MAX) binding_expected(L, BINDING(L), index, "a whole number", "a date's part");
  return (int)value;
}

/* date(text), date(year, month, day), date{ year =, month =, day = }. */
static int date_date(lua_State *L) {
  binding *b = BINDING(L);
  int64_t days = 0;
  size_t length;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    alch_civil civil = { .year = number_argument(L, 1, true), .month = number_argument(L, 2, true), .day = number_argument(L, 3, true) };
    if (!alch_civil_valid(&civil)) return binding_error(L, b, ALCH_ERROR_DATA, "there is no date %d-%d-%d", civil.year, civil.month, civil.day);
    days = alch_days_from_civil(civil.year, civil.month, civil.day);
  } else if (lua_type(L, 1) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, 1, &length);
    if (!alch_date_parse(text, length, &days)) return bad_text(L, b, "date", "2024-02-29");
  } else if (lua_istable(L, 1)) {
    alch_value value;
    binding_moment_from_table(L, b, 1, ALCH_DATE, &value);
    days = value.integer;
  } else {
    return binding_expected(L, b, 1, "a text, a table or three numbers", "date");
  }
  binding_push_moment(L, b, BINDING_DATE, days, BINDING_NO_OFFSET);
  return 1;
}

/* time(text), time(hour [, minute [, second [, microsecond]]]), time{ hour =, … }. */
static int date_time(lua_State *L) {
  binding *b = BINDING(L);
  int64_t microseconds = 0;
  size_t length;
  if (lua_type(L, 1) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, 1, &length);
    if (!alch_time_parse(text, length, &microseconds)) return bad_text(L, b, "time", "13:14:15");
  } else {
    alch_civil civil;
    if (lua_istable(L, 1)) civil_from_table(L, b, 1, false, true, &civil);
    else civil = (alch_civil){ .year = 1970, .month = 1, .day = 1, .hour = number_argument(L, 1, true), .minute = number_argument(L, 2, false),
                               .second = number_argument(L, 3, false), .microsecond = number_argument(L, 4, false) };
    if (!alch_civil_valid(&civil)) return binding_error(L, b, ALCH_ERROR_DATA, "there is no time %d:%d:%d", civil.hour, civil.minute, civil.second);
    microseconds = alch_microseconds_from_civil(&civil);
  }
  binding_push_moment(L, b, BINDING_TIME, microseconds, BINDING_NO_OFFSET);
  return 1;
}

static int datetime_from_numbers(lua_State *L, binding *b) {
  alch_civil civil = { .year = number_argument(L, 1, true), .month = number_argument(L, 2, true), .day = number_argument(L, 3, true),
                       .hour = number_argument(L, 4, false), .minute = number_argument(L, 5, false), .second = number_argument(L, 6, false),
                       .microsecond = number_argument(L, 7, false) };
  if (!alch_civil_valid(&civil))
    return binding_error(L, b, ALCH_ERROR_DATA, "there is no timestamp %d-%d-%d %d:%d:%d", civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
  return push_civil(L, b, &civil);
}

/* datetime(text), datetime(year, month, day [, hour, minute, second, microsecond]), datetime{ … }. */
static int date_datetime(lua_State *L) {
  binding *b = BINDING(L);
  alch_civil civil;
  size_t length;
  if (lua_type(L, 1) == LUA_TNUMBER) return datetime_from_numbers(L, b);
  if (lua_istable(L, 1)) civil_from_table(L, b, 1, true, true, &civil);
  else {
    const char *text = binding_text(L, b, 1, &length, "a text, a table or numbers", "datetime");
    if (!alch_datetime_parse(text, length, &civil)) return bad_text(L, b, "timestamp", "2024-02-29 13:14:15");
  }
  return push_civil(L, b, &civil);
}

/* interval(text), interval(seconds), interval{ days =, hours =, minutes =, seconds =, … }. */
static int date_interval(lua_State *L) {
  binding *b = BINDING(L);
  int64_t microseconds = 0;
  size_t length;
  if (lua_istable(L, 1)) interval_from_table(L, b, 1, &microseconds);
  else if (lua_type(L, 1) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, 1, &length);
    if (!alch_interval_parse(text, length, &microseconds)) return bad_text(L, b, "interval", "P1DT2H or 26:00:00");
  } else {
    double seconds = luaL_checknumber(L, 1);
    if (!(seconds > -9e12 && seconds < 9e12)) return binding_error(L, b, ALCH_ERROR_DATA, "the interval is too long");
    double product = seconds * 1e6;
    microseconds = (int64_t)(product < 0 ? product - 0.5 : product + 0.5);
  }
  binding_push_moment(L, b, BINDING_INTERVAL, microseconds, BINDING_NO_OFFSET);
  return 1;
}

/* utcnow(): now in UTC, without an offset. now(): now with the offset of the local time zone. */
static int date_utcnow(lua_State *L) {
  struct timespec clock;
  clock_gettime(CLOCK_REALTIME, &clock);
  binding_push_moment(L, BINDING(L), BINDING_DATETIME, (int64_t)clock.tv_sec * ALCH_MICROSECONDS_PER_SECOND + clock.tv_nsec / 1000, BINDING_NO_OFFSET);
  return 1;
}

static int date_now(lua_State *L) {
  struct timespec clock;
  struct tm local;
  clock_gettime(CLOCK_REALTIME, &clock);
  if (!localtime_r(&clock.tv_sec, &local)) return binding_error(L, BINDING(L), ALCH_ERROR_DATA, "the system has no local time");
  int32_t offset = (int32_t)(local.tm_gmtoff / 60);
  int64_t microseconds = ((int64_t)clock.tv_sec + offset * 60) * ALCH_MICROSECONDS_PER_SECOND + clock.tv_nsec / 1000;
  binding_push_moment(L, BINDING(L), BINDING_DATETIME, microseconds, offset);
  return 1;
}

static const luaL_Reg date_functions[] = {
  { "date", date_date }, { "time", date_time }, { "datetime", date_datetime }, { "interval", date_interval }, { "utcnow", date_utcnow }, { "now", date_now }, { NULL, NULL },
};

/* ---- fields ---- */

static bool civil_field(lua_State *L, int index, const alch_civil *civil, bool date, bool clock) {
  const struct { const char *name; int value; bool has; } fields[] = {
    { "year", civil->year, date }, { "month", civil->month, date }, { "day", civil->day, date }, { "hour", civil->hour, clock },
    { "minute", civil->minute, clock }, { "min", civil->minute, clock }, { "second", civil->second, clock }, { "sec", civil->second, clock },
    { "microsecond", civil->microsecond, clock },
  };
  for (size_t i = 0; i < ALCH_COUNT(fields); i++) {
    if (!fields[i].has || !binding_is(L, index, fields[i].name)) continue;
    lua_pushinteger(L, fields[i].value);
    return true;
  }
  return false;
}

static void push_seconds(lua_State *L, int64_t microseconds) {
  if (microseconds % ALCH_MICROSECONDS_PER_SECOND == 0) lua_pushinteger(L, microseconds / ALCH_MICROSECONDS_PER_SECOND);
  else lua_pushnumber(L, (double)microseconds / (double)ALCH_MICROSECONDS_PER_SECOND);
}

static bool day_field(lua_State *L, int64_t days) {
  if (binding_is(L, 2, "weekday")) lua_pushinteger(L, alch_day_of_week(days));
  else if (binding_is(L, 2, "yearday")) lua_pushinteger(L, alch_day_of_year(days));
  else return false;
  return true;
}

static int date_property(lua_State *L) {
  const binding_moment *moment = lua_touserdata(L, 1);
  alch_civil civil;
  alch_civil_from_days(moment->value, &civil);
  if (civil_field(L, 2, &civil, true, false) || day_field(L, moment->value)) return 1;
  if (!binding_is(L, 2, "epoch")) return 0;
  lua_pushinteger(L, moment->value * 86400);
  return 1;
}

static int time_property(lua_State *L) {
  const binding_moment *moment = lua_touserdata(L, 1);
  alch_civil civil;
  alch_civil_from_microseconds(moment->value, &civil);
  if (civil_field(L, 2, &civil, false, true)) return 1;
  if (!binding_is(L, 2, "seconds")) return 0;
  push_seconds(L, moment->value);
  return 1;
}

static int64_t day_of(int64_t microseconds) {
  int64_t days = microseconds / ALCH_MICROSECONDS_PER_DAY;
  return microseconds % ALCH_MICROSECONDS_PER_DAY < 0 ? days - 1 : days;
}

static int datetime_property(lua_State *L) {
  const binding_moment *moment = lua_touserdata(L, 1);
  alch_civil civil;
  alch_civil_from_microseconds(moment->value, &civil);
  if (civil_field(L, 2, &civil, true, true) || day_field(L, day_of(moment->value))) return 1;
  if (binding_is(L, 2, "epoch")) { push_seconds(L, binding_moment_utc(moment)); return 1; }
  if (!binding_is(L, 2, "offset")) return 0;
  if (moment->offset == BINDING_NO_OFFSET) lua_pushnil(L);
  else lua_pushinteger(L, moment->offset);
  return 1;
}

static int interval_property(lua_State *L) {
  const binding_moment *moment = lua_touserdata(L, 1);
  if (binding_is(L, 2, "days")) lua_pushinteger(L, moment->value / ALCH_MICROSECONDS_PER_DAY);
  else if (binding_is(L, 2, "seconds")) push_seconds(L, moment->value);
  else if (binding_is(L, 2, "microseconds")) lua_pushinteger(L, moment->value);
  else return 0;
  return 1;
}

/* ---- text ---- */

static int moment_tostring(lua_State *L) {
  binding *b = BINDING(L);
  const binding_moment *moment = lua_touserdata(L, 1);
  char text[64];
  size_t length = 0;
  switch (moment_kind(L, b, 1)) {
    case BINDING_DATE: length = alch_date_print(moment->value, text); break;
    case BINDING_TIME: length = alch_time_print(moment->value, false, text); break;
    case BINDING_DATETIME: length = alch_datetime_print(moment->value, false, text); break;
    case BINDING_INTERVAL: length = alch_interval_print(moment->value, text); break;
    default: return binding_expected(L, b, 1, "a date, time, timestamp or interval", "iso");
  }
  lua_pushlstring(L, text, length);
  if (binding_test(L, b, 1, BINDING_DATETIME) && moment->offset != BINDING_NO_OFFSET) {
    int minutes = moment->offset < 0 ? -moment->offset : moment->offset, hour = minutes / 60, minute = minutes % 60;
    lua_pushfstring(L, "%s%d%d:%d%d", moment->offset < 0 ? "-" : "+", hour / 10, hour % 10, minute / 10, minute % 10);
    lua_concat(L, 2);
  }
  return 1;
}

/* ---- parts of a timestamp ---- */

static int datetime_naive(lua_State *L) {
  const binding_moment *moment = binding_check(L, BINDING(L), 1, BINDING_DATETIME);
  binding_push_moment(L, BINDING(L), BINDING_DATETIME, moment->value, BINDING_NO_OFFSET);
  return 1;
}

/* at_offset(minutes): the same moment seen from there; a timestamp without an offset is taken to be there already. */
static int datetime_at_offset(lua_State *L) {
  binding *b = BINDING(L);
  const binding_moment *moment = binding_check(L, b, 1, BINDING_DATETIME);
  lua_Integer offset = luaL_optinteger(L, 2, 0);
  if (offset <= -1440 || offset >= 1440) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "an offset is given in minutes, less than a day: not %lld", (long long)offset);
  int64_t value = moment->offset == BINDING_NO_OFFSET ? moment->value : binding_moment_utc(moment) + offset * (60 * ALCH_MICROSECONDS_PER_SECOND);
  binding_push_moment(L, b, BINDING_DATETIME, value, (int32_t)offset);
  return 1;
}

static int datetime_utc(lua_State *L) {
  lua_settop(L, 1);
  return datetime_at_offset(L);
}

static int datetime_date(lua_State *L) {
  const binding_moment *moment = binding_check(L, BINDING(L), 1, BINDING_DATETIME);
  binding_push_moment(L, BINDING(L), BINDING_DATE, day_of(moment->value), BINDING_NO_OFFSET);
  return 1;
}

static int datetime_time(lua_State *L) {
  const binding_moment *moment = binding_check(L, BINDING(L), 1, BINDING_DATETIME);
  binding_push_moment(L, BINDING(L), BINDING_TIME, moment->value - day_of(moment->value) * ALCH_MICROSECONDS_PER_DAY, BINDING_NO_OFFSET);
  return 1;
}

/* ---- kinds: the arithmetic is in date_arithmetic.c ---- */

void binding_open_date(lua_State *L, binding *b) {
  static const luaL_Reg iso[] = { { "iso", moment_tostring }, { NULL, NULL } };
  static const luaL_Reg datetime_methods[] = {
    { "iso", moment_tostring }, { "naive", datetime_naive }, { "utc", datetime_utc }, { "at_offset", datetime_at_offset },
    { "date", datetime_date }, { "time", datetime_time }, { NULL, NULL },
  };
  static const struct { binding_kind kind; const char *name; const luaL_Reg *methods; lua_CFunction property; } kinds[] = {
    { BINDING_DATE, "date", iso, date_property }, { BINDING_TIME, "time", iso, time_property },
    { BINDING_DATETIME, "datetime", datetime_methods, datetime_property }, { BINDING_INTERVAL, "interval", iso, interval_property },
  };
  luaL_Reg metamethods[12] = { { "__tostring", moment_tostring } };
  size_t count = 1;
  for (const luaL_Reg *one = binding_moment_arithmetic; one->name; one++) metamethods[count++] = *one;
  metamethods[count] = (luaL_Reg){ NULL, NULL };
  for (size_t i = 0; i < ALCH_COUNT(kinds); i++) {
    binding_kind_register(L, b, kinds[i].kind, kinds[i].name, kinds[i].methods, metamethods);
    binding_kind_properties(L, b, kinds[i].kind, kinds[i].property);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, date_functions, 1);
}
