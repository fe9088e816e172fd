/* listener.c - events of an engine as tables for a Lua function. lua/lualchemy/event.lua gives the names and hands them on. */
#include "engine/message.h"
#include "lua/engine.h"
#include <string.h>

static const char *const event_names[] = {
  [ALCH_ENGINE_CONNECT] = "connect", [ALCH_ENGINE_FIRST_CONNECT] = "first_connect", [ALCH_ENGINE_RESET] = "reset", [ALCH_ENGINE_INVALIDATE] = "invalidate",
  [ALCH_ENGINE_CLOSE] = "close", [ALCH_ENGINE_CLOSE_DETACHED] = "close_detached", [ALCH_ENGINE_CHECKOUT] = "checkout", [ALCH_ENGINE_CHECKIN] = "checkin",
  [ALCH_ENGINE_BEGIN] = "begin", [ALCH_ENGINE_PREPARE] = "prepare_twophase", [ALCH_ENGINE_COMMIT] = "commit", [ALCH_ENGINE_ROLLBACK] = "rollback", [ALCH_ENGINE_SAVEPOINT] = "savepoint",
  [ALCH_ENGINE_RELEASE] = "release_savepoint", [ALCH_ENGINE_ROLLBACK_TO] = "rollback_savepoint", [ALCH_ENGINE_BEFORE_EXECUTE] = "before_execute",
  [ALCH_ENGINE_AFTER_EXECUTE] = "after_execute", [ALCH_ENGINE_FAILED] = "handle_error", [ALCH_ENGINE_NOTICE] = "notice",
};

typedef struct delivery { binding_engine *engine; const alch_engine_event *event; const alch_error *error; } delivery;

static void push_values(lua_State *L, binding *b, const alch_engine_event *event) {
  lua_createtable(L, (int)event->value_count, 0);
  for (uint32_t i = 0; i < event->value_count; i++) {
    if (event->values[i].kind == ALCH_NULL) binding_push_null(L);
    else binding_push_value(L, b, &event->values[i], NULL);
    lua_rawseti(L, -2, i + 1);
  }
}

/* The error object stays the record's: it is only shown. */
static void push_shown_error(lua_State *L, const alch_error *error) {
  lua_createtable(L, 0, 2);
  lua_pushstring(L, alch_error_kind_name(error->kind));
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, alch_error_message(error));
  lua_setfield(L, -2, "message");
}

static void fill_execute(lua_State *L, binding *b, const alch_engine_event *event) {
  lua_pushstring(L, event->sql);
  lua_setfield(L, -2, event->kind >= ALCH_ENGINE_BEFORE_EXECUTE ? "statement" : "savepoint");
  if (event->kind < ALCH_ENGINE_BEFORE_EXECUTE) return;
  push_values(L, b, event);
  lua_setfield(L, -2, "params");
  lua_pushinteger(L, (lua_Integer)event->executions);
  lua_setfield(L, -2, "executions");
  lua_pushboolean(L, event->cached);
  lua_setfield(L, -2, "cached");
  if (event->kind != ALCH_ENGINE_AFTER_EXECUTE) return;
  lua_pushnumber(L, (double)event->microseconds / 1e3);
  lua_setfield(L, -2, "milliseconds");
}

static void fill_notice(lua_State *L, const alch_notice *notice) {
  const struct { const char *name, *text; } fields[] = {
    { "severity", notice->severity }, { "sqlstate", notice->sqlstate }, { "message", notice->message }, { "detail", notice->detail }, { "hint", notice->hint },
  };
  for (size_t i = 0; i < ALCH_COUNT(fields); i++) {
    lua_pushstring(L, fields[i].text);
    lua_setfield(L, -2, fields[i].name);
  }
}

static bool is_opening(alch_engine_event_kind kind) {
  return kind == ALCH_ENGINE_CONNECT || kind == ALCH_ENGINE_FIRST_CONNECT || kind == ALCH_ENGINE_CHECKOUT;
}

/* While it is being opened a connection can be used by those who hear of it, but not closed. */
static void push_connection(lua_State *L, binding *b, const alch_engine_event *event) {
  binding_connection *opening = b->opening;
  bool fresh = opening && is_opening(event->kind);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->connections);
  lua_rawgetp(L, -1, fresh ? (const void *)opening : (const void *)event->connection);
  lua_remove(L, -2);
  if (!fresh) return;
  opening->connection = event->connection;
  opening->connecting = false;
  opening->borrowed = true;
}

static void take_back(binding *b) {
  if (!b->opening) return;
  b->opening->connection = NULL;
  b->opening->connecting = true;
  b->opening->borrowed = false;
}

/* fn(name, connection, { statement, params, … }), called protected. */
static int deliver(lua_State *L) {
  const delivery *one = lua_touserdata(L, 1);
  const alch_engine_event *event = one->event;
  binding *b = one->engine->binding;
  luaL_checkstack(L, 12, "an event");
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->connections);
  lua_rawgetp(L, -1, one->engine);
  if (!lua_isuserdata(L, -1) || lua_getiuservalue(L, -1, BINDING_ENGINE_LISTENER) != LUA_TFUNCTION) return 0;
  lua_pushstring(L, event_names[event->kind]);
  push_connection(L, b, event);
  lua_newtable(L);
  if (event->token && *event->token) {
    lua_pushstring(L, event->token);
    lua_setfield(L, -2, "token");
  }
  if (event->sql) fill_execute(L, b, event);
  if (event->notice) fill_notice(L, event->notice);
  if (event->error) {
    push_shown_error(L, one->error);
    lua_setfield(L, -2, "error");
  }
  lua_call(L, 3, 0);
  return 0;
}

/* What a handler of "connect" has set up stays. */
static alch_status commit_setup(binding *b, const alch_engine_event *event) {
  if (!is_opening(event->kind) || event->kind == ALCH_ENGINE_CHECKOUT || alch_connection_depth(event->connection) == 0) return ALCH_OK;
  alch_status status;
  while ((status = alch_connection_commit(event->connection, 1, &b->error)) == ALCH_WAIT)
    if (alch_connection_wait(event->connection, &b->error) < 0) return ALCH_ERROR;
  return status;
}

/* Handlers may use the library: the error that is on its way is put aside meanwhile. */
static alch_status listener(void *context, const alch_engine_event *event) {
  binding_engine *engine = context;
  binding *b = engine->binding;
  lua_State *L = b->state;
  if (!L || !(engine->mask >> event->kind & 1) || !lua_checkstack(L, 4)) return ALCH_OK;
  alch_error aside = b->error;
  delivery one = { engine, event, event->error == &b->error ? &aside : event->error };
  alch_error_init(&b->error, &b->allocator);
  lua_pushcfunction(L, deliver);
  lua_pushlightuserdata(L, &one);
  binding_connection *opening = b->opening;
  alch_status status = binding_call(L, b, 1, 0);
  b->opening = opening;
  if (is_opening(event->kind)) take_back(b);
  binding_enter(L, b);
  if (status == ALCH_OK) status = commit_setup(b, event);
  alch_error_close(&b->error);
  b->error = aside;
  return status == ALCH_ERROR ? ALCH_OK : status;
}

/* engine:listen_(fn or nil, { names }): one function hears of the events of these names. */
int binding_engine_listen(lua_State *L) {
  binding *b = BINDING(L);
  binding_engine *engine = binding_check(L, b, 1, BINDING_ENGINE);
  alch_engine *core = binding_check_engine(L, b, 1);
  lua_settop(L, 3);
  if (engine->derived) {   /* what happens is told to the engine that it comes from */
    lua_getiuservalue(L, 1, BINDING_ENGINE_BASE);
    lua_replace(L, 1);
    engine = lua_touserdata(L, 1);
  }
  engine->mask = 0;
  for (size_t i = 0; lua_istable(L, 3) && i < ALCH_COUNT(event_names); i++) {
    lua_getfield(L, 3, event_names[i]);
    if (lua_toboolean(L, -1)) engine->mask |= UINT32_C(1) << i;
    lua_pop(L, 1);
  }
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 1, BINDING_ENGINE_LISTENER);
  alch_engine_listen(core, lua_isfunction(L, 2) && engine->mask != 0 ? listener : NULL, engine);
  return 0;
}
