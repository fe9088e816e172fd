/* error.c - error objects: the one place where the core's errors are raised. */
#include "lua/binding.h"
#include <string.h>

static const struct { alch_error_text text; const char *field; } error_fields[] = {
  { ALCH_ERROR_SQL, "statement" }, { ALCH_ERROR_PARAMETERS, "params" }, { ALCH_ERROR_CONSTRAINT_NAME, "constraint" },
  { ALCH_ERROR_TABLE_NAME, "table" }, { ALCH_ERROR_COLUMN_NAME, "column" },
};

/* Pushes "file:line" of the innermost Lua function that is not the library's own, or nil. */
static void push_where(lua_State *L, binding *b) {
  const char *home = NULL;
  if (b->home != LUA_NOREF) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->home);
    home = lua_tostring(L, -1);
    lua_pop(L, 1);   /* the registry keeps it */
  }
  lua_Debug record;
  for (int level = 1; lua_getstack(L, level, &record); level++) {
    lua_getinfo(L, "Sl", &record);
    if (record.currentline < 0 || (home && strncmp(record.source, home, strlen(home)) == 0)) continue;
    lua_pushfstring(L, "%s:%d", record.short_src, record.currentline);
    return;
  }
  lua_pushnil(L);
}

/* The error's table with its kind and the message on top of the stack, which it takes. */
static void push_error_table(lua_State *L, binding *b, const char *kind) {
  lua_createtable(L, 0, 8);
  lua_insert(L, -2);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, kind);
  lua_setfield(L, -2, "kind");
  push_where(L, b);
  lua_setfield(L, -2, "where");
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->error_metatable);
  lua_setmetatable(L, -2);
}

void binding_push_error(lua_State *L, binding *b, alch_status status) {
  if (status == ALCH_HOST_ERROR && b->host_error != LUA_NOREF) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->host_error);
    lua_pushboolean(L, 0);
    lua_rawseti(L, LUA_REGISTRYINDEX, b->host_slot);
    b->host_error = LUA_NOREF;
    return;
  }
  const alch_error *error = &b->error;
  lua_pushstring(L, alch_error_message(error));
  push_error_table(L, b, alch_error_kind_name(error->kind));
  for (size_t i = 0; i < ALCH_COUNT(error_fields); i++) {
    if (!error->texts[error_fields[i].text]) continue;
    lua_pushstring(L, error->texts[error_fields[i].text]);
    lua_setfield(L, -2, error_fields[i].field);
  }
  if (error->sqlstate[0]) { lua_pushstring(L, error->sqlstate); lua_setfield(L, -2, "sqlstate"); }
  if (error->code) { lua_pushinteger(L, error->code); lua_setfield(L, -2, "code"); }
  if (error->disconnected) { lua_pushboolean(L, 1); lua_setfield(L, -2, "connection_invalidated"); }
  lua_Integer row = error->row > 0 ? (lua_Integer)error->row : b->set;
  b->set = 0;
  if (row > 0) { lua_pushinteger(L, row); lua_setfield(L, -2, "row"); }
  if (error->retryable) { lua_pushboolean(L, 1); lua_setfield(L, -2, "retryable"); }
  if (error->outcome_unknown) { lua_pushboolean(L, 1); lua_setfield(L, -2, "outcome_unknown"); }
  alch_error_close(&b->error);
}

int binding_raise(lua_State *L, binding *b, alch_status status) {
  luaL_checkstack(L, 8, "an error to be raised");
  binding_push_error(L, b, status);
  return lua_error(L);
}

int binding_error(lua_State *L, binding *b, alch_error_kind kind, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  alch_error_set_list(&b->error, kind, format, arguments);
  va_end(arguments);
  return binding_raise(L, b, ALCH_ERROR);
}

int binding_expected(lua_State *L, binding *b, int index, const char *expected, const char *where) {
  const char *came = binding_describe(L, b, index);
  if (where) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s expects %s, not %s", where, expected, came);
  return binding_error(L, b, ALCH_ERROR_ARGUMENT, "expected: %s; came: %s", expected, came);
}

const char *binding_text(lua_State *L, binding *b, int index, size_t *length, const char *expected, const char *where) {
  if (lua_type(L, index) != LUA_TSTRING) binding_expected(L, b, index, expected, where);
  return lua_tolstring(L, index, length);
}

/* ---- what Lua sees ---- */

bool binding_is_error(lua_State *L, binding *b, int index) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->error_metatable);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

/* The kind that a name, or la.Error itself, stands for. */
static alch_error_kind check_kind(lua_State *L, binding *b, int index) {
  if (lua_isnoneornil(L, index) || lua_istable(L, index) || binding_is(L, index, "SQLAlchemyError")) return ALCH_ERROR_BASE;
  const char *name = binding_text(L, b, index, NULL, "the name of a kind of error", "is_error");
  int kind = alch_error_kind_find(name);
  if (kind >= 0) return (alch_error_kind)kind;
  const char *names[ALCH_ERROR_KIND_COUNT];
  for (int i = 0; i < ALCH_ERROR_KIND_COUNT; i++) names[i] = alch_error_kind_name((alch_error_kind)i);
  const char *nearest = alch_nearest(name, names, ALCH_ERROR_KIND_COUNT);
  binding_error(L, b, ALCH_ERROR_ARGUMENT, nearest ? "there is no error kind '%s'; the nearest is '%s'" : "there is no error kind '%s'", name, nearest);
  return ALCH_ERROR_BASE;
}

/* is_error(value [, kind]): is it an error object of this kind, or of one below it? */
static int error_is_error(lua_State *L) {
  binding *b = BINDING(L);
  alch_error_kind wanted = check_kind(L, b, 2);
  bool answer = false;
  if (binding_is_error(L, b, 1)) {
    lua_getfield(L, 1, "kind");
    int kind = lua_type(L, -1) == LUA_TSTRING ? alch_error_kind_find(lua_tostring(L, -1)) : -1;
    answer = kind >= 0 ? alch_error_kind_is((alch_error_kind)kind, wanted) : wanted == ALCH_ERROR_BASE;
  }
  lua_pushboolean(L, answer);
  return 1;
}

/* error(kind, message [, fields]): raises an error object. */
static int error_raise(lua_State *L) {
  binding *b = BINDING(L);
  alch_error_kind kind = check_kind(L, b, 1);
  luaL_checkstring(L, 2);
  lua_pushvalue(L, 2);
  push_error_table(L, b, alch_error_kind_name(kind));
  if (lua_istable(L, 3)) {
    lua_pushnil(L);
    while (lua_next(L, 3)) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -4);
    }
  }
  return lua_error(L);
}

static void add_field(lua_State *L, luaL_Buffer *text, const char *field, const char *before, const char *after) {
  lua_getfield(L, 1, field);
  if (lua_type(L, -1) != LUA_TSTRING) { lua_pop(L, 1); return; }
  lua_pushfstring(L, "%s%s%s", before, lua_tostring(L, -1), after);
  lua_remove(L, -2);
  luaL_addvalue(text);
}

static int error_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  add_field(L, &text, "where", "", ": ");
  add_field(L, &text, "kind", "", ": ");
  add_field(L, &text, "message", "", "");
  add_field(L, &text, "statement", "\n[SQL: ", "]");
  add_field(L, &text, "params", "\n[parameters: ", "]");
  luaL_pushresult(&text);
  return 1;
}

/* home(): the chunk that calls is in the library's folder. */
static int error_home(lua_State *L) {
  binding *b = BINDING(L);
  lua_Debug record;
  if (!lua_getstack(L, 1, &record)) return 0;
  lua_getinfo(L, "S", &record);
  const char *end = strrchr(record.source, '/');
  if (record.source[0] != '@' || !end) return 0;
  lua_pushlstring(L, record.source, (size_t)(end - record.source) + 1);
  if (b->home == LUA_NOREF) b->home = luaL_ref(L, LUA_REGISTRYINDEX);
  else lua_rawseti(L, LUA_REGISTRYINDEX, b->home);
  return 0;
}

/* nearest(word, list): the nearest of the strings in the list, or nil. */
static int error_nearest(lua_State *L) {
  const char *word = luaL_checkstring(L, 1), *names[256];
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t count = 0;
  for (lua_Integer i = 1; count < ALCH_COUNT(names) && lua_rawgeti(L, 2, i) == LUA_TSTRING; i++) {
    names[count++] = lua_tostring(L, -1);   /* the list keeps it */
    lua_pop(L, 1);
  }
  lua_pushstring(L, alch_nearest(word, names, count));
  return 1;
}

static int error_describe(lua_State *L) {
  binding_describe(L, BINDING(L), 1);
  return 1;
}

static const luaL_Reg error_functions[] = {
  { "is_error", error_is_error }, { "error", error_raise }, { "home", error_home }, { "nearest", error_nearest }, { "describe", error_describe }, { NULL, NULL },
};

static const luaL_Reg error_methods[] = { { "is", error_is_error }, { NULL, NULL } };

void binding_open_error(lua_State *L, binding *b) {
  lua_newtable(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushcclosure(L, error_tostring, 1);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "lualchemy error");
  lua_setfield(L, -2, "__name");
  lua_newtable(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, error_methods, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "Error");
  lua_setfield(L, -2, "__index");
  b->error_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, error_functions, 1);
}
