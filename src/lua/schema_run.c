/* schema_run.c - metadata:create_all, drop_all, table:create, drop on an engine or a connection. */
#include "lua/engine.h"
#include "lua/schema.h"
#include <string.h>

typedef alch_status (*schema_action)(alch_connection *connection, alch_metadata *metadata, alch_table *const *tables, uint32_t count, bool check_first, alch_error *error);

/* On an engine: a connection for this alone, committed. The user's own connection commits when the user does. */
static void run(lua_State *L, binding *b, int bind, schema_action action, alch_metadata *metadata, alch_table *const *tables, uint32_t count, bool check_first) {
  if (binding_test(L, b, bind, BINDING_CONNECTION)) {
    alch_connection *connection = binding_check_connection(L, b, bind);
    binding_enter(L, b);
    binding_must(L, b, action(connection, metadata, tables, count, check_first, &b->error));
    return;
  }
  alch_engine *engine = binding_check_engine(L, b, bind);
  binding_connection *object = binding_push_connection(L, b, bind);
  int index = lua_gettop(L);
  while (binding_must(L, b, binding_connect_step(L, b, engine, index)) == ALCH_WAIT) binding_must(L, b, alch_connection_wait(object->connection, &b->error));
  binding_remember_connection(L, b, index);
  binding_enter(L, b);
  alch_status status = action(object->connection, metadata, tables, count, check_first, &b->error);
  while (status >= 0 && alch_connection_depth(object->connection) > 0) {
    status = alch_connection_commit(object->connection, 1, &b->error);
    if (status == ALCH_WAIT) status = alch_connection_wait(object->connection, &b->error);
  }
  if (status < 0) {
    binding_push_error(L, b, status);
    binding_close_connection(L, b, object);
    lua_error(L);
  }
  binding_close_connection(L, b, object);
}

static bool check_first(lua_State *L, binding *b, int options, bool otherwise, const char *where) {
  static const binding_option known[] = { { "tables", LUA_TTABLE }, { "checkfirst", LUA_TBOOLEAN }, { NULL, 0 } };
  if (lua_isnoneornil(L, options)) return otherwise;
  luaL_checktype(L, options, LUA_TTABLE);
  binding_options(L, b, options, known, where);
  if (lua_getfield(L, options, "checkfirst") != LUA_TNIL) otherwise = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return otherwise;
}

static int metadata_run(lua_State *L, schema_action action, const char *where) {
  binding *b = BINDING(L);
  alch_metadata *metadata = binding_check_metadata(L, b, 1, where);
  if (!binding_test(L, b, 2, BINDING_ENGINE) && !binding_test(L, b, 2, BINDING_CONNECTION)) return binding_expected(L, b, 2, "an engine or a connection", where);
  bool check = check_first(L, b, 3, true, where);
  alch_table **tables = NULL;
  uint32_t count = 0;
  if (lua_istable(L, 3) && lua_getfield(L, 3, "tables") == LUA_TTABLE) {
    int list = lua_gettop(L);
    count = (uint32_t)lua_rawlen(L, list);
    tables = lua_newuserdatauv(L, (count + 1) * sizeof *tables, 0);
    for (uint32_t i = 0; i < count; i++) {
      lua_rawgeti(L, list, (lua_Integer)i + 1);
      tables[i] = binding_check_table(L, b, -1, where);
      lua_pop(L, 1);
    }
  }
  run(L, b, 2, action, metadata, tables, count, check);
  return 0;
}

/* metadata:create_all(bind [, { tables = { … }, checkfirst = true }]): tables and indexes that are not there yet, in the order of their foreign keys. */
static int metadata_create_all(lua_State *L) { return metadata_run(L, alch_create_all, "create_all"); }
static int metadata_drop_all(lua_State *L) { return metadata_run(L, alch_drop_all, "drop_all"); }

static int table_run(lua_State *L, schema_action action, const char *where) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, where);
  if (!binding_test(L, b, 2, BINDING_ENGINE) && !binding_test(L, b, 2, BINDING_CONNECTION)) return binding_expected(L, b, 2, "an engine or a connection", where);
  run(L, b, 2, action, table->metadata, &table, 1, check_first(L, b, 3, false, where));
  return 0;
}

/* table:create(bind [, { checkfirst = false }]) */
static int table_create(lua_State *L) { return table_run(L, alch_create_all, "create"); }
static int table_drop(lua_State *L) { return table_run(L, alch_drop_all, "drop"); }

/* conn:has_table(name [, schema]) */
static int connection_has_table(lua_State *L) {
  binding *b = BINDING(L);
  alch_connection *connection = binding_check_connection(L, b, 1);
  bool there = false;
  binding_enter(L, b);
  binding_must(L, b, alch_has_table(connection, binding_text(L, b, 2, NULL, "a table's name", "has_table"), luaL_optstring(L, 3, NULL), &there, &b->error));
  lua_pushboolean(L, there);
  return 1;
}

void binding_open_schema_run(lua_State *L, binding *b) {
  static const luaL_Reg metadata_methods[] = { { "create_all", metadata_create_all }, { "drop_all", metadata_drop_all }, { NULL, NULL } };
  static const luaL_Reg table_methods[] = { { "create", table_create }, { "drop", table_drop }, { NULL, NULL } };
  static const luaL_Reg connection_methods[] = { { "has_table", connection_has_table }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_METADATA, metadata_methods);
  binding_kind_methods(L, b, BINDING_TABLE, table_methods);
  binding_kind_methods(L, b, BINDING_CONNECTION, connection_methods);
}
