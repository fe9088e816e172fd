/* module.c - luaopen_lualchemy_core: the binding record of this Lua state, and all that hangs on it. */
#include "lua/binding.h"
#include <string.h>

static const char registry_key = 0;

static int module_clock(lua_State *L) {
  lua_pushinteger(L, alch_clock_nanoseconds());
  return 1;
}

/* The record is made first, so it is finalised last: engines, results and the rest are gone by then. */
static int binding_gc(lua_State *L) {
  binding *b = lua_touserdata(L, 1);
  if (!b->catalog) return 0;
  alch_catalog *catalog = b->catalog;
  while (b->owned) binding_disown(b->owned);
  b->catalog = NULL;
  alch_execution_destroy(&b->spare);
  alch_builder_destroy(&b->builder);
  alch_buffer_close(&b->scratch);
  alch_error_close(&b->error);
  alch_catalog_close(catalog);
  return 0;
}

static int reference_table(lua_State *L) {
  lua_newtable(L);
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

static int weak_table(lua_State *L) {
  lua_newtable(L);
  lua_newtable(L);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Leaves the new record on the stack; the registry has it under its own address. */
static binding *new_binding(lua_State *L) {
  binding *b = lua_newuserdatauv(L, sizeof(binding), 0);
  memset(b, 0, sizeof *b);
  void *context;
  b->allocator.reallocate = lua_getallocf(L, &context);
  b->allocator.context = context;
  b->host_error = b->wait_hook = b->home = LUA_NOREF;
  lua_newtable(L);
  lua_pushcfunction(L, binding_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  b->catalog = alch_catalog_open(&b->allocator);
  if (!b->catalog) luaL_error(L, "lualchemy: not enough memory");
  alch_execution_init(&b->spare, &b->allocator);
  alch_builder_init(&b->builder, &b->allocator);
  alch_buffer_init(&b->scratch, &b->allocator);
  alch_error_init(&b->error, &b->allocator);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, b);
  lua_pushboolean(L, 0);
  b->host_slot = luaL_ref(L, LUA_REGISTRYINDEX);
  b->tables = reference_table(L);
  b->connections = weak_table(L);
  return b;
}

static void open_all(lua_State *L, binding *b) {
  lua_newtable(L);
  b->hooks = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->hooks);
  lua_setfield(L, -2, "hooks");
  lua_pushcfunction(L, module_clock);
  lua_setfield(L, -2, "clock");
  static void (*const opens[])(lua_State *, binding *) = {
    binding_open_error, binding_open_value, binding_open_json, binding_open_type, binding_open_schema, binding_open_expression,
    binding_open_statement, binding_open_engine, binding_open_result, binding_open_mapper, binding_open_session,
  };
  for (size_t i = 0; i < ALCH_COUNT(opens); i++) opens[i](L, b);
}

ALCH_API int luaopen_lualchemy_core(lua_State *L);

/* One module a state, even when package.loaded forgets it: objects made before stay of the same kinds. */
ALCH_API int luaopen_lualchemy_core(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key) == LUA_TTABLE) return 1;
  lua_pop(L, 1);
  binding *b = new_binding(L);
  lua_newtable(L);
  open_all(L, b);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
  return 1;
}
