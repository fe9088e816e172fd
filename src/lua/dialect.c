/* dialect.c - dialects as Lua values: engine.dialect, connection.dialect, core.dialect{ … }, and the options dialect and version of what gives text. */
#include "lua/engine.h"
#include "lua/expression.h"
#include "sql/server.h"

enum { VERSION_TEXT = 128 };

/* ---- records by name ---- */

static const alch_dialect *find_dialect(lua_State *L, binding *b, const char *name) {
  const alch_dialect *dialect = alch_dialect_find(name);
  if (dialect) return dialect;
  const char *const *names = alch_dialect_names();
  size_t count = 0;
  while (names[count]) count++;
  const char *nearest = alch_nearest(name, names, count);
  binding_error(L, b, ALCH_ERROR_ARGUMENT, nearest ? "there is no dialect '%s'; the nearest is '%s'" : "there is no dialect '%s'", name, nearest);
  return NULL;
}

const alch_dialect *binding_named_dialect(lua_State *L, binding *b, const char *name, const char *version) {
  const alch_dialect *dialect = find_dialect(L, b, name);
  const alch_server server = { .version = version };
  alch_server_record found;
  if (!version) return dialect;
  binding_must(L, b, alch_server_find(dialect, &server, &found, &b->error));
  if (found.count == 0) binding_error(L, b, ALCH_ERROR_ARGUMENT, "version must be a server's version such as \"8.4\", not '%s'", version);
  return found.dialect;
}

/* Of a dialect object at the top, which stays; a text is the name alone. */
static const char *name_of(lua_State *L, binding *b, const char **version) {
  if (lua_type(L, -1) == LUA_TSTRING) return lua_tostring(L, -1);
  if (!lua_istable(L, -1)) binding_expected(L, b, -1, "the name of a dialect, or an engine's dialect", "dialect");
  if (lua_getfield(L, -1, "server_version") == LUA_TSTRING) *version = lua_tostring(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, -1, "name");
  const char *name = lua_tostring(L, -1);
  lua_pop(L, 1);   /* the object keeps both */
  if (!name) binding_expected(L, b, -1, "the name of a dialect, or an engine's dialect", "dialect");
  return name;
}

const alch_dialect *binding_options_dialect(lua_State *L, binding *b, int index) {
  const char *name = "default", *version = NULL;
  int top = lua_gettop(L);
  if (!lua_istable(L, index)) return binding_named_dialect(L, b, name, NULL);
  if (lua_getfield(L, index, "dialect") != LUA_TNIL) name = name_of(L, b, &version);
  if (lua_getfield(L, index, "version") == LUA_TSTRING) version = lua_tostring(L, -1);
  const alch_dialect *found = binding_named_dialect(L, b, name, version);
  lua_settop(L, top);
  return found;
}

/* ---- objects ---- */

/* version: "" for none. */
static void push_dialect(lua_State *L, const binding *b, const char *name, const char *version, const uint16_t *numbers, uint32_t count) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "name");
  if (*version) {
    lua_pushstring(L, version);
    lua_setfield(L, -2, "server_version");
  }
  if (count > 0) {
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
      lua_pushinteger(L, numbers[i]);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "server_version_info");
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->dialect_metatable);
  lua_setmetatable(L, -2);
}

void binding_push_dialect(lua_State *L, binding *b, const alch_engine *engine) {
  char version[VERSION_TEXT];
  uint16_t numbers[ALCH_SERVER_NUMBERS];
  uint32_t count = alch_engine_server_version(engine, numbers, version, sizeof version);
  push_dialect(L, b, alch_engine_dialect(engine)->name, version, numbers, count);
}

/* dialect{ dialect = name or object, version = }: the object */
static int dialect_new(lua_State *L) {
  binding *b = BINDING(L);
  const char *name = "default", *version = NULL;
  uint16_t numbers[ALCH_SERVER_NUMBERS];
  luaL_checktype(L, 1, LUA_TTABLE);
  binding_options_dialect(L, b, 1);
  if (lua_getfield(L, 1, "dialect") != LUA_TNIL) name = name_of(L, b, &version);
  if (lua_getfield(L, 1, "version") == LUA_TSTRING) version = lua_tostring(L, -1);
  push_dialect(L, b, name, version ? version : "", numbers, alch_server_numbers(version, NULL, numbers));
  return 1;
}

static int dialect_tostring(lua_State *L) {
  lua_getfield(L, 1, "name");
  return 1;
}

void binding_open_dialect(lua_State *L, binding *b) {
  static const luaL_Reg metamethods[] = { { "__tostring", dialect_tostring }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "dialect", dialect_new }, { NULL, NULL } };
  lua_newtable(L);
  luaL_setfuncs(L, metamethods, 0);
  lua_pushliteral(L, "dialect");
  lua_setfield(L, -2, "__name");
  b->dialect_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
