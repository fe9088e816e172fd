/* date.h - dates, times, timestamps and intervals as Lua objects; what value.c needs of them. */
#ifndef ALCH_LUA_DATE_H
#define ALCH_LUA_DATE_H

#include "lua/binding.h"

#define BINDING_NO_OFFSET INT32_MIN

/* DATE: days; TIME, INTERVAL: microseconds; DATETIME: microseconds of the wall clock, and how many minutes that is east of UTC. */
typedef struct binding_moment {
  int64_t value;
  int32_t offset;     /* DATETIME only; BINDING_NO_OFFSET: none */
} binding_moment;

void binding_push_moment(lua_State *L, binding *b, binding_kind kind, int64_t value, int32_t offset);
/* The wall clock's microseconds, or UTC's where there is an offset. */
int64_t binding_moment_utc(const binding_moment *moment);
/* A table as os.date "*t" makes it as a value of this alch_value_kind; false when that is no kind for dates. Raises for tables that lack fields or name no date that exists. */
bool binding_moment_from_table(lua_State *L, binding *b, int index, uint8_t kind, alch_value *out);
/* Refuses a timestamp with an offset for a type that would lose it. */
void binding_moment_for_type(lua_State *L, binding *b, int index, const alch_type *type, const alch_value *value);
extern const luaL_Reg binding_moment_arithmetic[];   /* date_arithmetic.c: the metamethods of all four */
void binding_open_date(lua_State *L, binding *b);
void binding_open_decimal(lua_State *L, binding *b);

#endif
