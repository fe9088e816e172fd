/* mock.c - core.mock: a scripted database for specs, without a database. */
#include "engine/drivers/mock.h"
#include "lua/engine.h"
#include <string.h>

static alch_mock *check_mock(lua_State *L, int index) { return *(alch_mock **)binding_check(L, BINDING(L), index, BINDING_MOCK); }

const alch_driver *binding_mock_driver(lua_State *L, binding *b, int index) {
  return alch_mock_driver(*(alch_mock **)binding_check(L, b, index, BINDING_MOCK));
}

/* mock() */
static int mock_new(lua_State *L) {
  binding *b = BINDING(L);
  alch_mock **mock = binding_new(L, b, BINDING_MOCK, sizeof *mock, 0);
  *mock = alch_mock_open(&b->allocator);
  if (!*mock) binding_must(L, b, alch_error_out_of_memory(&b->error));
  return 1;
}

static int mock_gc(lua_State *L) {
  alch_mock **mock = lua_touserdata(L, 1), *open = *mock;
  *mock = NULL;
  if (open) alch_mock_close(open);
  return 0;
}

static void add_row(lua_State *L, binding *b, int row, uint32_t width, alch_value *cells) {
  for (uint32_t i = 0; i < width; i++) {
    lua_rawgeti(L, row, (lua_Integer)i + 1);
    if (!binding_value(L, b, -1, &cells[i])) binding_expected(L, b, -1, "plain values", "rows");
    lua_pop(L, 1);   /* the row keeps it */
  }
}

/* mock:answer{ pattern =, columns = { names }, rows = { { values } }, changes = } */
static int mock_answer(lua_State *L) {
  static const binding_option known[] = { { "pattern", LUA_TSTRING }, { "columns", LUA_TTABLE }, { "rows", LUA_TTABLE }, { "changes", LUA_TNUMBER }, { NULL, 0 } };
  binding *b = BINDING(L);
  alch_mock *mock = check_mock(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  binding_options(L, b, 2, known, "answer");
  alch_mock_answer answer = { .changes = 0 };
  lua_getfield(L, 2, "pattern");
  answer.pattern = lua_tostring(L, -1);
  lua_getfield(L, 2, "changes");
  answer.changes = lua_tointeger(L, -1);
  if (lua_getfield(L, 2, "columns") == LUA_TTABLE) {
    int list = lua_gettop(L);
    answer.column_count = (uint32_t)lua_rawlen(L, list);
    const char **names = lua_newuserdatauv(L, (answer.column_count + 1) * sizeof *names, 0);
    for (uint32_t i = 0; i < answer.column_count; i++) { lua_rawgeti(L, list, (lua_Integer)i + 1); names[i] = lua_tostring(L, -1); lua_pop(L, 1); }
    answer.columns = (const char *const *)names;
  }
  if (lua_getfield(L, 2, "rows") == LUA_TTABLE) {
    int rows = lua_gettop(L);
    answer.row_count = (uint32_t)lua_rawlen(L, rows);
    alch_value *cells = lua_newuserdatauv(L, ((size_t)answer.row_count * answer.column_count + 1) * sizeof *cells, 0);
    for (uint32_t i = 0; i < answer.row_count; i++) {
      lua_rawgeti(L, rows, (lua_Integer)i + 1);
      add_row(L, b, lua_gettop(L), answer.column_count, cells + (size_t)i * answer.column_count);
      lua_pop(L, 1);
    }
    answer.cells = cells;
  }
  if (!alch_mock_add(mock, &answer)) binding_must(L, b, alch_error_out_of_memory(&b->error));
  lua_settop(L, 1);
  return 1;
}

/* mock:wait("connect" | "start" | "row", times): each of these answers "wait" so many times before it goes on. */
static int mock_wait(lua_State *L) {
  static const char *const points[] = { "connect", "start", "row", NULL };
  alch_mock_wait(check_mock(L, 1), (alch_mock_point)luaL_checkoption(L, 2, NULL, points), (uint32_t)luaL_checkinteger(L, 3));
  lua_settop(L, 1);
  return 1;
}

/* mock:sleep(seconds): each statement takes so long. */
static int mock_sleep(lua_State *L) {
  alch_mock_sleep(check_mock(L, 1), (int64_t)(luaL_checknumber(L, 2) * 1e6));
  lua_settop(L, 1);
  return 1;
}

/* mock:fail(n, kind [, { disconnected =, ends_transaction =, sqlstate = }]): the n-th call that can fail does. */
static int mock_fail(lua_State *L) {
  binding *b = BINDING(L);
  bool disconnected = false, ends = false;
  int kind = alch_error_kind_find(luaL_checkstring(L, 3));
  if (kind < 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "there is no error kind '%s'", lua_tostring(L, 3));
  if (lua_istable(L, 4)) {
    lua_getfield(L, 4, "disconnected");
    disconnected = lua_toboolean(L, -1);
    lua_getfield(L, 4, "ends_transaction");
    ends = lua_toboolean(L, -1);
    lua_getfield(L, 4, "sqlstate");
    alch_mock_set_sqlstate(check_mock(L, 1), luaL_optstring(L, -1, ""));
  }
  alch_mock_fail(check_mock(L, 1), (uint64_t)luaL_checkinteger(L, 2), (alch_error_kind)kind, disconnected, ends);
  lua_settop(L, 1);
  return 1;
}

/* mock:statements(): { { sql =, values… }, … } in the order in which they were started */
static int mock_statements(lua_State *L) {
  binding *b = BINDING(L);
  const alch_mock *mock = check_mock(L, 1);
  uint32_t count = alch_mock_count(mock);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t width = 0;
    const alch_value *values = alch_mock_values(mock, i, &width);
    lua_createtable(L, (int)width, 1);
    for (uint32_t j = 0; j < width; j++) {
      binding_push_value(L, b, &values[j], NULL);
      lua_rawseti(L, -2, (lua_Integer)j + 1);
    }
    lua_pushstring(L, alch_mock_sql(mock, i));
    lua_setfield(L, -2, "sql");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int mock_forget(lua_State *L) {
  alch_mock_forget(check_mock(L, 1));
  lua_settop(L, 1);
  return 1;
}

/* mock:kill(): every session that there is ends, and finds out when it is used next. */
static int mock_kill(lua_State *L) {
  alch_mock_kill(check_mock(L, 1));
  lua_settop(L, 1);
  return 1;
}

/* mock:server(version or nil [, product]): what servers say of themselves to connections that are made from now on */
static int mock_server(lua_State *L) {
  alch_mock_set_server(check_mock(L, 1), luaL_optstring(L, 3, NULL), luaL_optstring(L, 2, NULL));
  lua_settop(L, 1);
  return 1;
}

/* mock:counts(): how many connections were pinged, closed, abandoned; how many calls had to wait */
static int mock_counts(lua_State *L) {
  alch_mock_counts counts = alch_mock_count_calls(check_mock(L, 1));
  lua_pushinteger(L, counts.pings);
  lua_pushinteger(L, counts.closed);
  lua_pushinteger(L, counts.abandoned);
  lua_pushinteger(L, counts.waits);
  return 4;
}

static int mock_open_connections(lua_State *L) {
  lua_pushinteger(L, alch_mock_open_connections(check_mock(L, 1)));
  return 1;
}

static int mock_open_statements(lua_State *L) {
  lua_pushinteger(L, alch_mock_open_statements(check_mock(L, 1)));
  return 1;
}

void binding_open_mock(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "answer", mock_answer }, { "wait", mock_wait }, { "sleep", mock_sleep }, { "fail", mock_fail }, { "statements", mock_statements }, { "forget", mock_forget },
    { "kill", mock_kill }, { "server", mock_server }, { "counts", mock_counts },
    { "open_connections", mock_open_connections }, { "open_statements", mock_open_statements }, { NULL, NULL },
  };
  static const luaL_Reg metamethods[] = { { "__gc", mock_gc }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "mock", mock_new }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_MOCK, "mock", methods, metamethods);
  binding_kind_properties(L, b, BINDING_MOCK, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
