/* compat.h - what differs between the C interfaces of Lua 5.3, 5.4 and 5.5; the only place that asks for a version. */
#ifndef ALCH_LUA_COMPAT_H
#define ALCH_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 503
#error "lualchemy's binding needs Lua 5.3 or later"
#endif

#if LUA_VERSION_NUM < 504
#define lua_newuserdatauv(L, size, values) lua_newuserdata(L, size)
#define lua_setiuservalue(L, index, n) (lua_setuservalue(L, index), 1)
#define lua_getiuservalue(L, index, n) lua_getuservalue(L, index)
#endif

#endif
