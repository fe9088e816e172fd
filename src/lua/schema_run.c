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

/* ---- running: slot 1 metadata or table, 2 engine or connection, 3 options, 4 the list of tables or nil, 5 what runs, 6 the connection, 7 an error. context: the stage ---- */

enum { SLOT_BIND = 2, SLOT_TABLES = 4, SLOT_RUN, SLOT_CONNECTION, SLOT_ERROR };
enum { STAGE_CONNECT, STAGE_RUN, STAGE_COMMIT, STAGE_CLOSE };

typedef struct schema_work {
  binding_owned owned;
  alch_schema_request request;
  alch_schema_run *run;
} schema_work;

static void release_work(binding_owned *owned) {
  schema_work *work = (schema_work *)owned;
  alch_schema_run_close(work->run);
  work->run = NULL;
}

static int work_gc(lua_State *L) {
  binding_disown(lua_touserdata(L, 1));
  return 0;
}

static int run_continue(lua_State *L, int status, lua_KContext stage);

static void connect(lua_State *L, binding *b, binding_connection *object) {
  for (;;) {
    alch_engine *engine = binding_check_engine(L, b, SLOT_BIND);
    if (binding_must(L, b, binding_connect_step(L, b, engine, SLOT_CONNECTION)) != ALCH_WAIT) break;
    binding_wait(L, b, object->connection, STAGE_CONNECT, run_continue);
  }
  binding_remember_connection(L, b, SLOT_CONNECTION);
}

static alch_status step(lua_State *L, binding *b, binding_connection *object, lua_KContext stage) {
  schema_work *work = lua_touserdata(L, SLOT_RUN);
  if (!object->connection || object->leaving) return alch_error_set(&b->error, ALCH_ERROR_RESOURCE_CLOSED, "This Connection is closed");
  binding_enter(L, b);
  if (stage == STAGE_COMMIT) return alch_connection_depth(object->connection) > 0 ? alch_connection_commit(object->connection, 1, &b->error) : ALCH_OK;
  alch_status status = work->run ? ALCH_OK : alch_schema_run_open(object->connection, &work->request, &work->run, &b->error);
  return status == ALCH_OK ? alch_schema_run_step(work->run, &b->error) : status;
}

/* On an engine: a connection for this alone, committed. The user's own connection commits when the user does. */
static int run_continue(lua_State *L, int status, lua_KContext stage) {
  (void)status;
  binding *b = BINDING(L);
  binding_connection *object = lua_touserdata(L, SLOT_CONNECTION);
  bool own = binding_test(L, b, SLOT_BIND, BINDING_ENGINE) != NULL;
  lua_settop(L, SLOT_ERROR);
  if (stage == STAGE_CONNECT && own) connect(L, b, object);
  if (stage == STAGE_CONNECT) stage = STAGE_RUN;
  while (stage < STAGE_CLOSE) {
    alch_status answer = step(L, b, object, stage);
    if (answer == ALCH_WAIT) {
      binding_wait(L, b, object->connection, stage, run_continue);
      continue;
    }
    if (answer < 0) {
      binding_push_error(L, b, answer);
      lua_replace(L, SLOT_ERROR);
    }
    stage = answer < 0 || !own ? STAGE_CLOSE : stage + 1;
  }
  binding_disown(lua_touserdata(L, SLOT_RUN));
  if (own) {
    binding_settle_connection(L, b, object, STAGE_CLOSE, run_continue);
    binding_close_connection(L, b, object);
  }
  return lua_isnil(L, SLOT_ERROR) ? 0 : lua_error(L);
}

/* Slots 1 to 4 are there. */
static int run(lua_State *L, binding *b, const alch_schema_request *request) {
  schema_work *work = binding_new(L, b, BINDING_SCHEMA_RUN, sizeof *work, 0);
  work->request = *request;
  work->request.tell = tell;
  work->request.context = b;
  binding_own(b, &work->owned, release_work);
  if (binding_test(L, b, SLOT_BIND, BINDING_CONNECTION)) {
    binding_check_connection(L, b, SLOT_BIND);
    lua_pushvalue(L, SLOT_BIND);
  } else {
    binding_push_connection(L, b, SLOT_BIND);
    lua_toclose(L, SLOT_CONNECTION);   /* a wait may raise, and a coroutine be closed in one */
  }
  return run_continue(L, LUA_OK, STAGE_CONNECT);
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
  lua_settop(L, 3);
  if (lua_istable(L, 3) && lua_getfield(L, 3, "tables") == LUA_TTABLE) {
    int list = lua_gettop(L);
    count = (uint32_t)lua_rawlen(L, list);
    tables = lua_newuserdatauv(L, (count + 1) * sizeof *tables, 0);
    lua_insert(L, list++);   /* the memory is slot 4 */
    for (uint32_t i = 0; i < count; i++) {
      lua_rawgeti(L, list, (lua_Integer)i + 1);
      tables[i] = binding_check_table(L, b, -1, where);
      lua_pop(L, 1);
    }
  }
  lua_settop(L, SLOT_TABLES);
  return run(L, b, &(alch_schema_request){ .metadata = metadata, .action = action, .tables = tables, .count = count, .check_first = check });
}

/* metadata:create_all(bind [, { tables = { … }, checkfirst = true }]): tables and indexes that are not there yet, in the order of their foreign keys. */
static int metadata_create_all(lua_State *L) { return metadata_run(L, ALCH_DDL_CREATE, "create_all"); }
static int metadata_drop_all(lua_State *L) { return metadata_run(L, ALCH_DDL_DROP, "drop_all"); }

static int table_run(lua_State *L, alch_ddl_action action, const char *where) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, where), **tables;
  if (!binding_test(L, b, 2, BINDING_ENGINE) && !binding_test(L, b, 2, BINDING_CONNECTION)) return binding_expected(L, b, 2, "an engine or a connection", where);
  bool check = check_first(L, b, 3, false, where);
  lua_settop(L, 3);
  tables = lua_newuserdatauv(L, sizeof *tables, 0);
  *tables = table;
  return run(L, b, &(alch_schema_request){ .metadata = table->metadata, .action = action, .tables = tables, .count = 1, .check_first = check });
}

/* table:create(bind [, { checkfirst = false }]) */
static int table_create(lua_State *L) { return table_run(L, ALCH_DDL_CREATE, "create"); }
static int table_drop(lua_State *L) { return table_run(L, ALCH_DDL_DROP, "drop"); }

static int has_table_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  bool there = false;
  for (;;) {
    alch_connection *connection = binding_check_connection(L, b, 1);
    binding_enter(L, b);
    if (binding_must(L, b, alch_has_table(connection, lua_tostring(L, 2), lua_tostring(L, 3), &there, &b->error)) != ALCH_WAIT) break;
    binding_wait(L, b, connection, context, has_table_continue);
  }
  lua_pushboolean(L, there);
  return 1;
}

/* conn:has_table(name [, schema]) */
static int connection_has_table(lua_State *L) {
  binding *b = BINDING(L);
  binding_check_connection(L, b, 1);
  binding_text(L, b, 2, NULL, "a table's name", "has_table");
  luaL_optstring(L, 3, NULL);
  lua_settop(L, 3);
  return has_table_continue(L, LUA_OK, 0);
}

void binding_open_schema_run(lua_State *L, binding *b) {
  static const luaL_Reg metadata_methods[] = { { "create_all", metadata_create_all }, { "drop_all", metadata_drop_all }, { NULL, NULL } };
  static const luaL_Reg table_methods[] = { { "create", table_create }, { "drop", table_drop }, { NULL, NULL } };
  static const luaL_Reg connection_methods[] = { { "has_table", connection_has_table }, { NULL, NULL } };
  static const luaL_Reg work_metamethods[] = { { "__gc", work_gc }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_SCHEMA_RUN, "SchemaRun", NULL, work_metamethods);
  binding_kind_methods(L, b, BINDING_METADATA, metadata_methods);
  binding_kind_methods(L, b, BINDING_TABLE, table_methods);
  binding_kind_methods(L, b, BINDING_CONNECTION, connection_methods);
}
