/* embedded_large.c - a value that is read and written in pieces, as a file is: conn:open_blob. */
#include "engine/embedded.h"
#include "lua/engine.h"
#include <string.h>

/* User value 1: the connection object. */
typedef struct large_value {
  binding_owned owned;
  const alch_embedded *embedded;
  alch_large *large;                   /* NULL: closed */
  binding_connection *connection;
  const alch_driver_connection *of;    /* what it was opened on */
  uint64_t place;                      /* where the next piece begins */
  bool waiting;                        /* a call on it does, whose coroutine alone comes back here */
} large_value;

/* The driver keeps what it needs for this: the connection may have gone before. */
static void release(binding_owned *owned) {
  large_value *value = (large_value *)owned;
  alch_large *large = value->large;
  value->large = NULL;
  if (large) value->embedded->large_close(large);
}

static large_value *check_large(lua_State *L, binding *b) {
  large_value *value = binding_check(L, b, 1, BINDING_LARGE);
  const binding_connection *connection = value->connection;
  bool waits = connection->connection && value->waiting;
  bool connected = value->large && connection->connection && !connection->connecting && alch_connection_driver_connection(connection->connection) == value->of;
  if (!connected) binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "this value is closed, or its connection is");
  if (!waits) binding_must(L, b, alch_connection_ready(connection->connection, &b->error));
  return value;
}

/* After a call that may wait. */
static bool waits(lua_State *L, binding *b, large_value *value, alch_status status, lua_KContext context, lua_KFunction again) {
  value->waiting = status == ALCH_WAIT;
  return binding_embedded_waits(L, b, value->connection, status, context, again);
}

/* Pushes it, or nil where it may be left out. */
static bool text_field(lua_State *L, binding *b, const char *name, bool optional) {
  bool there = lua_getfield(L, 2, name) != LUA_TNIL;
  if (!there && !optional) binding_error(L, b, ALCH_ERROR_ARGUMENT, "open_blob needs '%s': { table =, column =, row = }", name);
  return there;
}

/* Slots: 1 the connection, 2 the options, 3 the value, 4 schema, 5 table, 6 column, 7 row, 8 writable */
static int open_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  large_value *value = lua_touserdata(L, 3);
  alch_status answer;
  do {
    alch_driver_connection *connection = binding_embedded_connection(L, b, value->connection);
    answer = value->embedded->large_open(connection, lua_tostring(L, 4), lua_tostring(L, 5), lua_tostring(L, 6), lua_tointeger(L, 7), lua_toboolean(L, 8), &value->large, &b->error);
  } while (waits(L, b, value, answer, context, open_continue));
  binding_must(L, b, answer);
  lua_settop(L, 3);
  return 1;
}

/* open_blob{ table =, column =, row = its integer key [, schema =] [, writable = true] } */
static int connection_open_blob(lua_State *L) {
  static const binding_option known[] = { { "table", LUA_TSTRING }, { "column", LUA_TSTRING }, { "row", LUA_TNUMBER }, { "schema", LUA_TSTRING }, { "writable", LUA_TBOOLEAN }, { NULL, 0 } };
  binding *b = BINDING(L);
  alch_connection *connection = binding_check_connection(L, b, 1);
  const alch_embedded *embedded = alch_connection_embedded(connection);
  if (!embedded || !embedded->large_open) return binding_error(L, b, ALCH_ERROR_NOT_SUPPORTED, "open_blob: this database gives no values in pieces");
  binding_must(L, b, alch_connection_ready(connection, &b->error));
  lua_settop(L, 2);
  if (!lua_istable(L, 2)) return binding_expected(L, b, 2, "a table { table =, column =, row = }", "open_blob");
  binding_options(L, b, 2, known, "open_blob");
  large_value *value = binding_new(L, b, BINDING_LARGE, sizeof *value, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 3, 1);
  value->embedded = embedded;
  value->connection = lua_touserdata(L, 1);
  value->of = alch_connection_driver_connection(connection);
  binding_own(b, &value->owned, release);
  if (!text_field(L, b, "schema", true)) lua_pushliteral(L, "main"), lua_replace(L, 4);
  text_field(L, b, "table", false);
  text_field(L, b, "column", false);
  int integral = 0;
  lua_getfield(L, 2, "row");
  lua_tointegerx(L, -1, &integral);
  if (!integral) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "open_blob needs the integer key of the row, row = 1");
  lua_getfield(L, 2, "writable");
  return open_continue(L, LUA_OK, 0);
}

/* Slots: 1 the value, 2 how many bytes */
static int read_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  large_value *value;
  size_t length = (size_t)lua_tointeger(L, 2);
  alch_status answer;
  lua_settop(L, 2);
  char *bytes = lua_newuserdatauv(L, length + 1, 0);
  do {
    value = check_large(L, b);
    answer = value->embedded->large_read(value->large, value->place, bytes, length, &b->error);
  } while (waits(L, b, value, answer, context, read_continue));
  binding_must(L, b, answer);
  value->place += length;
  lua_pushlstring(L, bytes, length);
  return 1;
}

/* read([count]): so many bytes, or all that are left; nil at the end */
static int large_read(lua_State *L) {
  binding *b = BINDING(L);
  const large_value *value = check_large(L, b);
  uint64_t size = value->embedded->large_size(value->large), left = value->place < size ? size - value->place : 0;
  lua_Integer count = luaL_optinteger(L, 2, (lua_Integer)left);
  if (count < 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "read takes a number of bytes from 0 on");
  if (left == 0 && count > 0) return 0;
  lua_settop(L, 1);
  lua_pushinteger(L, (uint64_t)count < left ? count : (lua_Integer)left);
  return read_continue(L, LUA_OK, 0);
}

static int write_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  large_value *value;
  size_t length;
  const char *bytes = lua_tolstring(L, 2, &length);
  alch_status answer;
  do {
    value = check_large(L, b);
    answer = value->embedded->large_write(value->large, value->place, bytes, length, &b->error);
  } while (waits(L, b, value, answer, context, write_continue));
  binding_must(L, b, answer);
  value->place += length;
  lua_settop(L, 1);
  return 1;
}

/* write(bytes): over what is there; the size stays */
static int large_write(lua_State *L) {
  binding *b = BINDING(L);
  check_large(L, b);
  binding_text(L, b, 2, NULL, "bytes", "write");
  lua_settop(L, 2);
  return write_continue(L, LUA_OK, 0);
}

/* seek([whence = "cur" [, offset = 0]]), as files have it: answers the place, from 0 on */
static int large_seek(lua_State *L) {
  static const char *const names[] = { "set", "cur", "end", NULL };
  binding *b = BINDING(L);
  large_value *value = check_large(L, b);
  uint64_t size = value->embedded->large_size(value->large);
  const lua_Integer bases[] = { 0, (lua_Integer)value->place, (lua_Integer)size };
  lua_Integer base = bases[luaL_checkoption(L, 2, "cur", names)], offset = luaL_optinteger(L, 3, 0);
  if (offset < -base || offset > (lua_Integer)size - base) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "the value has %d bytes, and this place is not among them", (int)size);
  value->place = (uint64_t)(base + offset);
  lua_pushinteger(L, base + offset);
  return 1;
}

static int large_length(lua_State *L) {
  const large_value *value = check_large(L, BINDING(L));
  lua_pushinteger(L, (lua_Integer)value->embedded->large_size(value->large));
  return 1;
}

static int large_close(lua_State *L) {
  binding_disown(binding_check(L, BINDING(L), 1, BINDING_LARGE));
  return 0;
}

void binding_open_large(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "read", large_read }, { "write", large_write }, { "seek", large_seek }, { "size", large_length }, { "close", large_close }, { NULL, NULL } };
  static const luaL_Reg metamethods[] = { { "__gc", large_close }, { "__close", large_close }, { "__len", large_length }, { NULL, NULL } };
  static const luaL_Reg connection_methods[] = { { "open_blob", connection_open_blob }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_LARGE, "Blob", methods, metamethods);
  binding_kind_methods(L, b, BINDING_CONNECTION, connection_methods);
}
