/* compat.h - the C interface of Lua that the binding needs; the only place that asks for a version.
   Instances keep several user values each, which Lua has since 5.4. */
#ifndef ALCH_LUA_COMPAT_H
#define ALCH_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 504
#error "lualchemy's binding needs Lua 5.4 or later: userdata with several user values"
#endif

#endif
