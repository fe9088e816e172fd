/* schema_run.c - metadata:create_all, drop_all, table:create, drop on an engine or a connection. */
#include "lua/engine.h"
#include "lua/schema.h"
#include <string.h>

/* ---- events: core.hooks.schema_event(name, table or metadata, connection) ---- */

typedef struct happening { binding *b; alch_connection *connection; alch_metadata *metadata; alch_table *table; const char *name; } happening;

static int deliver(lua_State *L) {
  const happening *one = lua_touserdata(L, 1);
  luaL_checkstack(L, 12, "an event");
  lua_rawgeti(L, LUA_REGISTRYINDEX, one->b->hooks);
  if (lua_getfield(L, -1, "schema_event") != LUA_TFUNCTION) return 0;
  lua_pushstring(L, one->name);
  if (one->table) binding_push_table(L, one->b, one->table);
  else binding_push_metadata(L, one->b, one->metadata);
  lua_rawgeti(L, LUA_REGISTRYINDEX, one->b->connections);
  lua_rawgetp(L, -1, one->connection);
  lua_remove(L, -2);
  lua_call(L, 3, 0);
  return 0;
}

/* Listeners may use the library, which fills b->error; nothing is in it when they are called. */
static alch_status tell(void *context, alch_connection *connection, alch_metadata *metadata, alch_table *table, alch_ddl_action action, bool after, alch_error *error) {
  static const char *const names[2][2] = { { "before_create", "after_create" }, { "before_drop", "after_drop" } };
  binding *b = context;
  lua_State *L = b->state;
  happening one = { b, connection, metadata, table, names[action][after] };
  if (!L || !lua_checkstack(L, 4)) return alch_error_out_of_memory(error);
  lua_pushcfunction(L, deliver);
  lua_pushlightuserdata(L, &one);
  alch_status status = binding_call(L, b, 1, 0);
  binding_enter(L, b);
  return status;
}

/* On an engine: a connection for this alone, committed. The user's own connection commits when the user does. */
static void run(lua_State *L, binding *b, int bind, alch_schema_request *request) {
  request->tell = tell;
  request->context = b;
  if (binding_test(L, b, bind, BINDING_CONNECTION)) {
    alch_connection *connection = binding_check_connection(L, b, bind);
    binding_enter(L, b);
    binding_must(L, b, alch_run_schema(connection, request, &b->error));
    return;
  }
  alch_engine *engine = binding_check_engine(L, b, bind);
  binding_connection *object = binding_push_connection(L, b, bind);
  int index = lua_gettop(L);
  while (binding_must(L, b, binding_connect_step(L, b, engine, index)) == ALCH_WAIT) binding_must(L, b, alch_connection_wait(object->connection, &b->error));
  binding_remember_connection(L, b, index);
  binding_enter(L, b);
  alch_status status = alch_run_schema(object->connection, request, &b->error);
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

static int metadata_run(lua_State *L, alch_ddl_action action, const char *where) {
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
  run(L, b, 2, &(alch_schema_request){ .metadata = metadata, .action = action, .tables = tables, .count = count, .check_first = check });
  return 0;
}

/* metadata:create_all(bind [, { tables = { … }, checkfirst = true }]): tables and indexes that are not there yet, in the order of their foreign keys. */
static int metadata_create_all(lua_State *L) { return metadata_run(L, ALCH_DDL_CREATE, "create_all"); }
static int metadata_drop_all(lua_State *L) { return metadata_run(L, ALCH_DDL_DROP, "drop_all"); }

static int table_run(lua_State *L, alch_ddl_action action, const char *where) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, where);
  if (!binding_test(L, b, 2, BINDING_ENGINE) && !binding_test(L, b, 2, BINDING_CONNECTION)) return binding_expected(L, b, 2, "an engine or a connection", where);
  run(L, b, 2, &(alch_schema_request){ .metadata = table->metadata, .action = action, .tables = &table, .count = 1, .check_first = check_first(L, b, 3, false, where) });
  return 0;
}

/* table:create(bind [, { checkfirst = false }]) */
static int table_create(lua_State *L) { return table_run(L, ALCH_DDL_CREATE, "create"); }
static int table_drop(lua_State *L) { return table_run(L, ALCH_DDL_DROP, "drop"); }

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
