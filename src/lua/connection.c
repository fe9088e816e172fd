/* connection.c - connections as Lua values. */
#include "lua/engine.h"
#include <string.h>

/* Nobody is told: the state may be closing. */
static void release_connection(binding_owned *owned) {
  binding_connection *object = (binding_connection *)owned;
  alch_connection *connection = object->connection;
  object->connection = NULL;
  if (connection && !object->borrowed) alch_connection_close(connection);
}

binding_connection *binding_push_connection(lua_State *L, binding *b, int engine) {
  engine = lua_absindex(L, engine);
  binding_connection *connection = binding_new(L, b, BINDING_CONNECTION, sizeof *connection, 1);
  lua_pushvalue(L, engine);
  lua_setiuservalue(L, -2, 1);
  connection->connecting = true;
  binding_own(b, &connection->owned, release_connection);
  return connection;
}

alch_status binding_connect_step(lua_State *L, binding *b, alch_engine *engine, int index) {
  binding_connection *connection = lua_touserdata(L, index), *outer = b->opening;
  binding_enter(L, b);
  b->opening = connection;
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->connections);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, connection);
  lua_pop(L, 1);
  alch_status status = alch_engine_connect(engine, &connection->connection, &b->error);
  b->opening = outer;
  return status;
}

void binding_remember_connection(lua_State *L, binding *b, int index) {
  binding_connection *connection = lua_touserdata(L, index);
  index = lua_absindex(L, index);
  connection->connecting = false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->connections);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, connection->connection);
  lua_pop(L, 1);
}

alch_connection *binding_check_connection(lua_State *L, binding *b, int index) {
  binding_connection *connection = binding_test(L, b, index, BINDING_CONNECTION);
  if (ALCH_UNLIKELY(!connection)) binding_expected(L, b, index, "a connection", NULL);
  if (ALCH_UNLIKELY(!connection->connection || connection->connecting || connection->leaving)) binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "This Connection is closed");
  return connection->connection;
}

uint32_t binding_begin_level(binding_connection *connection, uint32_t level) {
  connection->serials[level % ALCH_COUNT(connection->serials)] = ++connection->begun;
  return connection->begun;
}

bool binding_level_is(const binding_connection *connection, uint32_t level, uint32_t serial) {
  return connection->connection && !connection->connecting && alch_connection_depth(connection->connection) >= level &&
         connection->serials[level % ALCH_COUNT(connection->serials)] == serial;
}

void binding_settle_connection(lua_State *L, binding *b, binding_connection *object, lua_KContext context, lua_KFunction again) {
  if (!object->connection || object->borrowed || object->connecting) return;
  object->leaving = true;
  for (;;) {
    binding_enter(L, b);
    if (!object->connection || alch_connection_settle(object->connection) != ALCH_WAIT) return;
    binding_wait(L, b, object->connection, context, again);
  }
}

/* The object first, closed, then the resource. */
void binding_close_connection(lua_State *L, binding *b, binding_connection *object) {
  alch_connection *connection = object->connection;
  object->connection = NULL;
  if (!connection || object->borrowed) return;
  lua_State *outer = b->state;
  binding_enter(L, b);
  alch_connection_close(connection);
  b->state = outer;
  if (b->host_error != LUA_NOREF) binding_raise(L, b, ALCH_HOST_ERROR);
}

/* connect(): from the pool */
static int connect_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_connection *connection = lua_touserdata(L, 2);
  for (;;) {
    alch_engine *engine = binding_check_engine(L, b, 1);
    if (binding_must(L, b, binding_connect_step(L, b, engine, 2)) != ALCH_WAIT) break;
    binding_wait(L, b, connection->connection, context, connect_continue);
  }
  binding_remember_connection(L, b, 2);
  lua_settop(L, 2);
  return 1;
}

static int engine_connect(lua_State *L) {
  binding *b = BINDING(L);
  binding_check_engine(L, b, 1);
  lua_settop(L, 1);
  binding_push_connection(L, b, 1);
  return connect_continue(L, LUA_OK, 0);
}

static int close_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_connection *object = lua_touserdata(L, 1);
  binding_settle_connection(L, b, object, context, close_continue);
  binding_close_connection(L, b, object);
  return 0;
}

/* close(): back to the pool; what is open is rolled back. Closing twice is fine. */
static int connection_close(lua_State *L) {
  binding_check(L, BINDING(L), 1, BINDING_CONNECTION);
  return close_continue(L, LUA_OK, 0);
}

static int connection_gc(lua_State *L) {
  binding *b = BINDING(L);
  lua_State *outer = b->state;
  b->state = NULL;
  binding_disown(lua_touserdata(L, 1));
  b->state = outer;
  return 0;
}

static int connection_in_transaction(lua_State *L) {
  lua_pushboolean(L, alch_connection_depth(binding_check_connection(L, BINDING(L), 1)) > 0);
  return 1;
}

static int connection_in_nested_transaction(lua_State *L) {
  lua_pushboolean(L, alch_connection_depth(binding_check_connection(L, BINDING(L), 1)) > 1);
  return 1;
}

/* invalidate(): its database connection is not used again once it is given back. */
static int connection_invalidate(lua_State *L) {
  binding *b = BINDING(L);
  alch_connection *connection = binding_check_connection(L, b, 1);
  binding_enter(L, b);
  alch_connection_invalidate(connection);
  if (b->host_error != LUA_NOREF) binding_raise(L, b, ALCH_HOST_ERROR);
  return 0;
}

/* detach(): out of its pool, which may make another in its place; it ends when it is closed. */
static int connection_detach(lua_State *L) {
  binding *b = BINDING(L);
  binding_must(L, b, alch_connection_detach(binding_check_connection(L, b, 1), &b->error));
  return 0;
}

static int connection_property(lua_State *L) {
  const binding_connection *connection = lua_touserdata(L, 1);
  if (binding_is(L, 2, "closed")) lua_pushboolean(L, connection->connection == NULL || connection->leaving);
  else if (binding_is(L, 2, "isolation_level")) lua_pushstring(L, connection->connection ? alch_connection_isolation(connection->connection) : NULL);
  else if (binding_is(L, 2, "read_only")) lua_pushboolean(L, connection->connection && alch_connection_is_read_only(connection->connection));
  else if (binding_is(L, 2, "invalidated")) lua_pushboolean(L, connection->connection && alch_connection_is_invalidated(connection->connection));
  else if (binding_is(L, 2, "detached")) lua_pushboolean(L, connection->connection && alch_connection_is_detached(connection->connection));
  else if (binding_is(L, 2, "engine")) lua_getiuservalue(L, 1, 1);
  else if (binding_is(L, 2, "dialect")) binding_push_dialect(L, BINDING(L), alch_connection_engine(binding_check_connection(L, BINDING(L), 1)));
  else return 0;
  return 1;
}

void binding_open_connection(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "close", connection_close }, { "in_transaction", connection_in_transaction }, { "in_nested_transaction", connection_in_nested_transaction },
    { "invalidate", connection_invalidate }, { "detach", connection_detach }, { NULL, NULL },
  };
  static const luaL_Reg metamethods[] = { { "__gc", connection_gc }, { "__close", connection_close }, { NULL, NULL } };
  static const luaL_Reg engine_methods[] = { { "connect", engine_connect }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_CONNECTION, "Connection", methods, metamethods);
  binding_kind_properties(L, b, BINDING_CONNECTION, connection_property);
  binding_kind_methods(L, b, BINDING_ENGINE, engine_methods);
}
