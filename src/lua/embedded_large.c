/* embedded_large.c - a value that is read and written in pieces, as a file is: conn:open_blob. */
#include "engine/embedded.h"
#include "lua/engine.h"
#include <string.h>

/* User value 1: the connection object. */
typedef struct large_value {
  binding_owned owned;
  const alch_embedded *embedded;
  alch_large *large;                   /* NULL: closed */
  const binding_connection *connection;
  const alch_driver_connection *of;    /* what it was opened on */
  uint64_t place;                      /* where the next piece begins */
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
  bool connected = value->large && connection->connection && !connection->connecting && alch_connection_driver_connection(connection->connection) == value->of;
  if (!connected) binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "this value is closed, or its connection is");
  binding_must(L, b, alch_connection_ready(connection->connection, &b->error));
  return value;
}

static const char *text_field(lua_State *L, binding *b, const char *name, const char *otherwise) {
  if (lua_getfield(L, 2, name) == LUA_TNIL && !otherwise) binding_error(L, b, ALCH_ERROR_ARGUMENT, "open_blob needs '%s': { table =, column =, row = }", name);
  return lua_isnil(L, -1) ? otherwise : lua_tostring(L, -1);   /* the table keeps it */
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
  const char *schema = text_field(L, b, "schema", "main"), *table = text_field(L, b, "table", NULL), *column = text_field(L, b, "column", NULL);
  int integral = 0;
  lua_getfield(L, 2, "row");
  lua_Integer row = lua_tointegerx(L, -1, &integral);
  if (!integral) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "open_blob needs the integer key of the row, row = 1");
  lua_getfield(L, 2, "writable");
  binding_must(L, b, embedded->large_open(alch_connection_driver_connection(connection), schema, table, column, row, lua_toboolean(L, -1), &value->large, &b->error));
  lua_settop(L, 3);
  return 1;
}

/* read([count]): so many bytes, or all that are left; nil at the end */
static int large_read(lua_State *L) {
  binding *b = BINDING(L);
  large_value *value = check_large(L, b);
  uint64_t size = value->embedded->large_size(value->large), left = value->place < size ? size - value->place : 0;
  lua_Integer count = luaL_optinteger(L, 2, (lua_Integer)left);
  if (count < 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "read takes a number of bytes from 0 on");
  if (left == 0 && count > 0) return 0;
  size_t length = (uint64_t)count < left ? (size_t)count : (size_t)left;
  luaL_Buffer text;
  char *bytes = luaL_buffinitsize(L, &text, length);
  binding_must(L, b, value->embedded->large_read(value->large, value->place, bytes, length, &b->error));
  value->place += length;
  luaL_pushresultsize(&text, length);
  return 1;
}

/* write(bytes): over what is there; the size stays */
static int large_write(lua_State *L) {
  binding *b = BINDING(L);
  large_value *value = check_large(L, b);
  size_t length;
  const char *bytes = binding_text(L, b, 2, &length, "bytes", "write");
  binding_must(L, b, value->embedded->large_write(value->large, value->place, bytes, length, &b->error));
  value->place += length;
  lua_settop(L, 1);
  return 1;
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
