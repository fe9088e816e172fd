/* embedded.c - connections to a database within the process: functions, aggregates and collations in Lua, backups, databases as strings, values in pieces.
   Where a driver has no such thing these methods are a NotSupportedError. What the database calls back runs protected; its error ends the statement and is raised as it was. */
#include "engine/embedded.h"
#include "lua/engine.h"
#include <string.h>

static alch_connection *check_embedded(lua_State *L, binding *b, int index, const alch_embedded **out, const char *what) {
  alch_connection *connection = binding_check_connection(L, b, index);
  *out = alch_connection_embedded(connection);
  if (!*out) binding_error(L, b, ALCH_ERROR_NOT_SUPPORTED, "%s: %s has no such thing; only a database within the process has", what, alch_engine_dialect(alch_connection_engine(connection))->name);
  binding_must(L, b, alch_connection_ready(connection, &b->error));
  return connection;
}

/* ---- functions ----
   What is called is kept by the engine object, for as long as it lives: its connections stay in its pool. */

typedef struct user_function {
  binding *b;
  const void *host;                    /* the engine's, by which its object is found */
  lua_Integer place;                   /* in the table of the engine object */
  const alch_allocator *allocator;
} user_function;

/* The engine object keeps what is on top of the stack. engine: its index. */
static lua_Integer keep(lua_State *L, int engine) {
  if (lua_getiuservalue(L, engine, BINDING_ENGINE_FUNCTIONS) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, engine, BINDING_ENGINE_FUNCTIONS);
  }
  lua_Integer place = (lua_Integer)lua_rawlen(L, -1) + 1;
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, place);
  lua_pop(L, 2);
  return place;
}

static void release_function(void *context) {
  user_function *function = context;
  alch_free(function->allocator, function, sizeof *function);
}

/* Takes the value on top of the stack. Index 1 is the connection. */
static user_function *new_function(lua_State *L, binding *b, alch_connection *connection) {
  if (alch_engine_is_shared(alch_connection_engine(connection)))
    binding_error(L, b, ALCH_ERROR_NOT_SUPPORTED, "an engine that is shared takes no function of one Lua state, since its connections go to the others as well: make an engine without `shared` for it");
  lua_getiuservalue(L, 1, 1);
  binding_engine *engine = lua_touserdata(L, -1);
  if (engine->derived) lua_getiuservalue(L, -1, BINDING_ENGINE_BASE);
  else lua_pushvalue(L, -1);
  lua_replace(L, -2);
  lua_insert(L, -2);
  lua_Integer place = keep(L, lua_absindex(L, -2));
  lua_pop(L, 1);
  user_function *function = alch_allocate(&b->allocator, sizeof *function);
  if (!function) binding_must(L, b, alch_error_out_of_memory(&b->error));
  *function = (user_function){ b, alch_engine_host(alch_connection_engine(connection)), place, &b->allocator };
  return function;
}

static void push_function(lua_State *L, const user_function *function) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, function->b->connections);
  if (lua_rawgetp(L, -1, function->host) != LUA_TUSERDATA) luaL_error(L, "the engine of this function is gone");
  lua_getiuservalue(L, -1, BINDING_ENGINE_FUNCTIONS);
  lua_rawgeti(L, -1, function->place);
  lua_replace(L, -4);
  lua_pop(L, 2);
}

typedef struct delivery { const user_function *function; alch_function_call *call; } delivery;

static void push_arguments(lua_State *L, binding *b, const alch_function_call *call) {
  luaL_checkstack(L, (int)call->count + 4, "arguments of a function");
  for (uint32_t i = 0; i < call->count; i++) binding_push_value(L, b, &call->arguments[i], NULL);
}

static void answer(lua_State *L, binding *b, alch_function_call *call) {
  alch_value value;
  if (!binding_value(L, b, -1, &value)) binding_expected(L, b, -1, "a plain value as what the function gives", NULL);
  call->answer(call, &value);
}

/* The state of an aggregate is a value in the registry; nil is none. */
static void push_state(lua_State *L, const alch_function_call *call) {
  if (*call->state == 0) lua_pushnil(L);
  else lua_rawgeti(L, LUA_REGISTRYINDEX, (lua_Integer)*call->state);
}

static void drop_state(lua_State *L, alch_function_call *call) {
  if (*call->state != 0) luaL_unref(L, LUA_REGISTRYINDEX, (int)*call->state);
  *call->state = 0;
}

static void take_state(lua_State *L, alch_function_call *call) {
  if (*call->state != 0 && !lua_isnil(L, -1)) lua_rawseti(L, LUA_REGISTRYINDEX, (lua_Integer)*call->state);
  else {
    drop_state(L, call);
    if (!lua_isnil(L, -1)) *call->state = luaL_ref(L, LUA_REGISTRYINDEX);
  }
}

/* Runs protected, with the delivery as its only argument. */
static int deliver(lua_State *L) {
  static const char *const names[] = { [ALCH_FUNCTION_STEP] = "step", [ALCH_FUNCTION_INVERSE] = "inverse", [ALCH_FUNCTION_VALUE] = "value", [ALCH_FUNCTION_FINISH] = "finish" };
  delivery *one = lua_touserdata(L, 1);
  alch_function_call *call = one->call;
  binding *b = one->function->b;
  push_function(L, one->function);
  if (!call->state) {
    push_arguments(L, b, call);
    lua_call(L, (int)call->count, 1);
    answer(L, b, call);
    return 0;
  }
  if (lua_getfield(L, -1, names[call->phase]) == LUA_TNIL) lua_getfield(L, -2, "finish");   /* of a window without a value of its own */
  push_state(L, call);
  if (call->phase == ALCH_FUNCTION_FINISH) drop_state(L, call);
  push_arguments(L, b, call);
  lua_call(L, (int)call->count + 1, 1);
  if (call->phase == ALCH_FUNCTION_STEP || call->phase == ALCH_FUNCTION_INVERSE) take_state(L, call);
  else answer(L, b, call);
  return 0;
}

/* Within a call of the core. A statement that is given up has only its state to lose, which needs no memory. */
static alch_status call_function(void *context, alch_function_call *call) {
  const user_function *function = context;
  binding *b = function->b;
  lua_State *L = b->state;
  if (call->discarded) {
    if (L && call->state && lua_checkstack(L, 4)) drop_state(L, call);
    return ALCH_OK;
  }
  if (!L || !lua_checkstack(L, 4)) return alch_error_out_of_memory(&b->error);
  delivery one = { function, call };
  lua_pushcfunction(L, deliver);
  lua_pushlightuserdata(L, &one);
  alch_status status = binding_call(L, b, 1, 0);
  binding_enter(L, b);
  return status;
}

static bool flag(lua_State *L, int index, const char *name) {
  if (!lua_istable(L, index)) return false;
  lua_getfield(L, index, name);
  bool set = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return set;
}

static int32_t argument_count(lua_State *L, binding *b, int index) {
  lua_Integer count = -1;
  if (lua_istable(L, index) && lua_getfield(L, index, "arguments") != LUA_TNIL) {
    int integral = 0;
    count = lua_tointegerx(L, -1, &integral);
    if (!integral || count < 0 || count > 127) binding_error(L, b, ALCH_ERROR_ARGUMENT, "arguments is a whole number from 0 to 127; without it a function takes any number");
  }
  lua_settop(L, index);
  return (int32_t)count;
}

static int create(lua_State *L, bool aggregate, const char *where) {
  static const binding_option known[] = { { "arguments", LUA_TNUMBER }, { "deterministic", LUA_TBOOLEAN }, { NULL, 0 } };
  binding *b = BINDING(L);
  const alch_embedded *embedded;
  alch_connection *connection = check_embedded(L, b, 1, &embedded, where);
  alch_user_function made = { .name = binding_text(L, b, 2, NULL, "a name", where), .call = call_function, .release = release_function, .aggregate = aggregate };
  if (lua_istable(L, 4)) binding_options(L, b, 4, known, where);
  lua_settop(L, 4);
  made.deterministic = flag(L, 4, "deterministic");
  made.arguments = argument_count(L, b, 4);
  if (aggregate) {
    lua_getfield(L, 3, "inverse");
    made.window = lua_isfunction(L, -1);
  }
  lua_pushvalue(L, 3);
  made.context = new_function(L, b, connection);
  binding_must(L, b, embedded->create_function(alch_connection_driver_connection(connection), &made, &b->error));
  return 0;
}

/* create_function(name, fn [, { arguments =, deterministic = }]): SQL on this connection can call it. */
static int connection_create_function(lua_State *L) {
  if (!lua_isfunction(L, 3)) return binding_expected(L, BINDING(L), 3, "a function", "create_function");
  return create(L, false, "create_function");
}

/* create_aggregate(name, { step = fn(state, …) -> state, finish = fn(state) -> value [, inverse =, value =] } [, options]): with inverse also as a window function. The first state is nil. */
static int connection_create_aggregate(lua_State *L) {
  static const binding_option known[] = { { "step", LUA_TFUNCTION }, { "finish", LUA_TFUNCTION }, { "inverse", LUA_TFUNCTION }, { "value", LUA_TFUNCTION }, { NULL, 0 } };
  binding *b = BINDING(L);
  if (!lua_istable(L, 3)) return binding_expected(L, b, 3, "a table { step = function, finish = function }", "create_aggregate");
  binding_options(L, b, 3, known, "create_aggregate");
  for (int i = 0; i < 2; i++) {
    if (lua_getfield(L, 3, known[i].name) != LUA_TFUNCTION) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "create_aggregate needs a function '%s'", known[i].name);
    lua_pop(L, 1);
  }
  return create(L, true, "create_aggregate");
}

/* ---- collations ---- */

typedef struct comparison { const user_function *function; const char *first, *second; size_t first_length, second_length; int *out; } comparison;

static int compare_protected(lua_State *L) {
  comparison *one = lua_touserdata(L, 1);
  binding *b = one->function->b;
  push_function(L, one->function);
  lua_pushlstring(L, one->first, one->first_length);
  lua_pushlstring(L, one->second, one->second_length);
  lua_call(L, 2, 1);
  if (!lua_isnumber(L, -1)) binding_expected(L, b, -1, "a number: below, at or above 0, as the first text stands before, beside or behind the second,", "a collation");
  lua_Number order = lua_tonumber(L, -1);
  *one->out = order < 0 ? -1 : order > 0;
  return 0;
}

static alch_status compare(void *context, const char *first, size_t first_length, const char *second, size_t second_length, int *out) {
  const user_function *function = context;
  binding *b = function->b;
  lua_State *L = b->state;
  if (!L || !lua_checkstack(L, 4)) return alch_error_out_of_memory(&b->error);
  comparison one = { function, first ? first : "", second ? second : "", first_length, second_length, out };
  lua_pushcfunction(L, compare_protected);
  lua_pushlightuserdata(L, &one);
  alch_status status = binding_call(L, b, 1, 0);
  binding_enter(L, b);
  return status;
}

/* create_collation(name, fn(first, second) -> number) */
static int connection_create_collation(lua_State *L) {
  binding *b = BINDING(L);
  const alch_embedded *embedded;
  alch_connection *connection = check_embedded(L, b, 1, &embedded, "create_collation");
  alch_collation made = { .name = binding_text(L, b, 2, NULL, "a name", "create_collation"), .compare = compare, .release = release_function };
  lua_settop(L, 3);
  if (!lua_isfunction(L, 3)) return binding_expected(L, b, 3, "a function", "create_collation");
  lua_pushvalue(L, 3);
  made.context = new_function(L, b, connection);
  binding_must(L, b, embedded->create_collation(alch_connection_driver_connection(connection), &made, &b->error));
  return 0;
}

/* ---- what may wait ---- */

bool binding_embedded_waits(lua_State *L, binding *b, binding_connection *object, alch_status status, lua_KContext context, lua_KFunction again) {
  alch_connection_occupy(object->connection, status == ALCH_WAIT ? object : NULL);
  if (status != ALCH_WAIT) return false;
  binding_wait(L, b, object->connection, context, again);
  return true;
}

/* The driver's connection, when it is still there after a wait. */
alch_driver_connection *binding_embedded_connection(lua_State *L, binding *b, const binding_connection *object) {
  if (!object->connection || object->leaving) binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "This Connection is closed");
  return alch_connection_driver_connection(object->connection);
}

/* ---- backups: slot 1 the connection that is read, 2 the one that is written, 3 options, 4 pages, 5 progress, 6 the copy ---- */

typedef struct backup_work {
  binding_owned owned;
  const alch_embedded *embedded;
  alch_backup *backup;
  int32_t pages;
} backup_work;

/* The driver looks after a copy whose connection has closed meanwhile no more than this does: both are kept by the frame that waits. */
static void release_backup(binding_owned *owned) {
  backup_work *work = (backup_work *)owned;
  if (work->backup) work->embedded->backup_close(work->backup);
  work->backup = NULL;
}

static int backup_gc(lua_State *L) {
  binding_disown(lua_touserdata(L, 1));
  return 0;
}

static int report(lua_State *L, int index, uint32_t remaining, uint32_t total) {
  lua_pushvalue(L, index);
  lua_pushinteger(L, (lua_Integer)remaining);
  lua_pushinteger(L, (lua_Integer)total);
  return lua_pcall(L, 2, 0, 0);
}

static int backup_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  backup_work *work = lua_touserdata(L, 6);
  binding_connection *from = lua_touserdata(L, 1), *to = lua_touserdata(L, 2);
  alch_status answer;
  int failed = LUA_OK;
  do {
    uint32_t remaining = 0, total = 0;
    binding_embedded_connection(L, b, from);
    binding_embedded_connection(L, b, to);
    answer = work->embedded->backup_step(work->backup, work->pages, &remaining, &total, &b->error);
    alch_connection_occupy(from->connection, answer == ALCH_WAIT ? from : NULL);
    if (binding_embedded_waits(L, b, to, answer, context, backup_continue)) answer = ALCH_OK;
    else if (answer >= 0 && lua_isfunction(L, 5)) failed = report(L, 5, remaining, total);
  } while (answer == ALCH_OK && failed == LUA_OK);
  binding_disown(&work->owned);
  if (failed != LUA_OK) return lua_error(L);
  binding_must(L, b, answer);
  return 0;
}

/* backup_to(connection [, { pages = 100, progress = fn(remaining, total) }]): copies all of this database over the other connection's. An error of progress ends it. */
static int connection_backup_to(lua_State *L) {
  static const binding_option known[] = { { "pages", LUA_TNUMBER }, { "progress", LUA_TFUNCTION }, { NULL, 0 } };
  binding *b = BINDING(L);
  const alch_embedded *embedded, *other;
  alch_connection *from = check_embedded(L, b, 1, &embedded, "backup_to"), *to = check_embedded(L, b, 2, &other, "backup_to");
  if (other != embedded || alch_connection_driver_connection(to) == alch_connection_driver_connection(from))
    return binding_error(L, b, ALCH_ERROR_ARGUMENT, "backup_to takes a connection to another database of the same kind (both with a thread of their own, worker=1, or neither)");
  lua_settop(L, 3);
  lua_Integer pages = -1;
  if (lua_istable(L, 3)) {
    binding_options(L, b, 3, known, "backup_to");
    lua_getfield(L, 3, "pages");
    pages = luaL_optinteger(L, -1, 100);
    lua_getfield(L, 3, "progress");
    if (pages < 1 || pages > INT32_MAX) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "pages is a whole number from 1 on");
  } else lua_settop(L, 5);
  backup_work *work = binding_new(L, b, BINDING_BACKUP, sizeof *work, 0);
  work->embedded = embedded;
  work->pages = (int32_t)pages;
  binding_own(b, &work->owned, release_backup);
  binding_must(L, b, embedded->backup_open(alch_connection_driver_connection(to), alch_connection_driver_connection(from), &work->backup, &b->error));
  return backup_continue(L, LUA_OK, 0);
}

/* ---- as a string ---- */

static int push_bytes(lua_State *L) {
  const size_t *length = lua_touserdata(L, 2);
  lua_pushlstring(L, lua_touserdata(L, 1), *length);
  return 1;
}

static int serialize_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_connection *object = lua_touserdata(L, 1);
  void *bytes = NULL;
  size_t length = 0;
  alch_driver_connection *connection;
  const alch_embedded *embedded;
  alch_status answer;
  do {
    connection = binding_embedded_connection(L, b, object);
    embedded = alch_connection_embedded(object->connection);
    answer = embedded->serialize(connection, lua_tostring(L, 2), &bytes, &length, &b->error);
  } while (binding_embedded_waits(L, b, object, answer, context, serialize_continue));
  binding_must(L, b, answer);
  lua_pushcfunction(L, push_bytes);
  lua_pushlightuserdata(L, bytes);
  lua_pushlightuserdata(L, &length);
  int failed = lua_pcall(L, 2, 1, 0);
  embedded->release(connection, bytes);
  return failed == LUA_OK ? 1 : lua_error(L);
}

/* serialize([schema]): the database as the bytes that its file would have */
static int connection_serialize(lua_State *L) {
  const alch_embedded *embedded;
  check_embedded(L, BINDING(L), 1, &embedded, "serialize");
  luaL_optstring(L, 2, "main");
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) lua_pushliteral(L, "main"), lua_replace(L, 2);
  return serialize_continue(L, LUA_OK, 0);
}

static int deserialize_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_connection *object = lua_touserdata(L, 1);
  alch_status answer;
  do {
    size_t length;
    alch_driver_connection *connection = binding_embedded_connection(L, b, object);
    const char *bytes = lua_tolstring(L, 2, &length);
    answer = alch_connection_embedded(object->connection)->deserialize(connection, luaL_optstring(L, 3, "main"), bytes, length, &b->error);
  } while (binding_embedded_waits(L, b, object, answer, context, deserialize_continue));
  binding_must(L, b, answer);
  return 0;
}

/* deserialize(bytes [, schema]): from now on this connection's database is what the bytes say, in memory */
static int connection_deserialize(lua_State *L) {
  binding *b = BINDING(L);
  const alch_embedded *embedded;
  const alch_connection *connection = check_embedded(L, b, 1, &embedded, "deserialize");
  binding_text(L, b, 2, NULL, "the bytes of a database", "deserialize");
  luaL_optstring(L, 3, NULL);
  if (alch_connection_depth(connection) > 0) return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "deserialize replaces the whole database: commit or roll back first");
  lua_settop(L, 3);
  return deserialize_continue(L, LUA_OK, 0);
}

/* interrupt(): what runs on this connection ends with an error; from another coroutine, or a function that it calls */
static int connection_interrupt(lua_State *L) {
  binding *b = BINDING(L);
  alch_connection *connection = binding_check_connection(L, b, 1);
  if (!alch_connection_interrupt(connection)) return binding_error(L, b, ALCH_ERROR_NOT_SUPPORTED, "this driver cannot interrupt a statement");
  return 0;
}

void binding_open_embedded(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "create_function", connection_create_function }, { "create_aggregate", connection_create_aggregate }, { "create_collation", connection_create_collation },
    { "backup_to", connection_backup_to }, { "serialize", connection_serialize }, { "deserialize", connection_deserialize }, { "interrupt", connection_interrupt }, { NULL, NULL },
  };
  static const luaL_Reg backup_metamethods[] = { { "__gc", backup_gc }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_BACKUP, "Backup", NULL, backup_metamethods);
  binding_kind_methods(L, b, BINDING_CONNECTION, methods);
  binding_open_large(L, b);
}
