/* criteria.c - where{ name = "Ann", score = la.ge(10) }: names and values instead of expressions. */
#include "lua/expression.h"
#include <string.h>

/* criterion(method, …): an operator with its operands, waiting for a column. */
static int criteria_criterion(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checkstring(L, 1);
  lua_createtable(L, count - 1, 2);
  for (int i = 2; i <= count; i++) {
    lua_pushvalue(L, i);
    lua_rawseti(L, -2, i - 1);
  }
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "method");
  lua_pushinteger(L, count - 1);
  lua_setfield(L, -2, "n");
  lua_rawgeti(L, LUA_REGISTRYINDEX, BINDING(L)->criterion_metatable);
  lua_setmetatable(L, -2);
  return 1;
}

static bool is_criterion(lua_State *L, binding *b, int index) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->criterion_metatable);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

/* Takes the column and the value on top of the stack, leaves the condition. */
static void apply(lua_State *L, binding *b) {
  int value = lua_gettop(L), column = value - 1, count = 1;
  bool criterion = is_criterion(L, b, value);
  if (criterion) {
    lua_getfield(L, value, "n");
    count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, value, "method");
  } else {
    lua_pushliteral(L, "eq");
  }
  luaL_checkstack(L, count + 4, "too many operands");
  lua_gettable(L, column);
  lua_pushvalue(L, column);
  if (!criterion) lua_pushvalue(L, value);
  for (int i = 1; criterion && i <= count; i++) lua_rawgeti(L, value, i);
  lua_call(L, count + 1, 1);
  lua_replace(L, column);
  lua_settop(L, column);
}

static void unknown_name(lua_State *L, binding *b, const alch_block *statement, uint32_t source, const char *word) {
  const char *names[256];
  uint32_t count = 0;
  alch_output output;
  while (count < ALCH_COUNT(names) && alch_source_output(b->catalog, statement, source, count, &output))
    names[count++] = output.column ? output.column->key : "";
  const char *nearest = alch_nearest(word, names, count);
  binding_error(L, b, ALCH_ERROR_NO_SUCH_COLUMN, nearest ? "there is no column '%s' to compare; the nearest is '%s'" : "there is no column '%s' to compare", word, nearest);
}

/* Every name must be a column's. */
static uint32_t check_names(lua_State *L, binding *b, const alch_block *statement, uint32_t source, int index) {
  uint32_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TNUMBER) continue;
    if (lua_type(L, -1) != LUA_TSTRING) binding_expected(L, b, -1, "names of columns as keys", "where{ … }");
    const char *word = lua_tostring(L, -1);
    alch_output output;
    bool found = false;
    for (uint32_t i = 0; !found && alch_source_output(b->catalog, statement, source, i, &output); i++)
      found = output.column ? strcmp(output.column->key, word) == 0 : output.name_length == strlen(word) && memcmp(output.name, word, output.name_length) == 0;
    if (!found) unknown_name(L, b, statement, source, word);
    count++;
  }
  return count;
}

static void push_name(lua_State *L, const alch_output *output) {
  if (output->column) lua_pushstring(L, output->column->key);
  else lua_pushlstring(L, output->name, output->name_length);
}

static uint32_t push_conditions(lua_State *L, binding *b, const alch_block *statement, uint32_t source, int index) {
  uint32_t count = 0;
  alch_output output;
  for (uint32_t i = 0; alch_source_output(b->catalog, statement, source, i, &output); i++) {
    push_name(L, &output);
    if (lua_rawget(L, index) == LUA_TNIL) { lua_pop(L, 1); continue; }
    luaL_checkstack(L, 8, "too many criteria");
    if (source & ALCH_ANONYMOUS) binding_push_source_column(L, b, statement, source, i);
    else binding_push_column(L, b, alch_catalog_table(b->catalog, source)->columns[i]);
    lua_insert(L, -2);
    apply(L, b);
    count++;
  }
  return count;
}

/* The floor above may know the names: hooks.criteria(statement, names, source) answers a list of conditions, or nil. */
static bool ask_hook(lua_State *L, binding *b, uint32_t source, int index, uint32_t *count) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->hooks);
  bool there = lua_getfield(L, -1, "criteria") == LUA_TFUNCTION;
  if (there) {
    lua_pushvalue(L, 1);
    lua_pushvalue(L, index);
    lua_pushinteger(L, source);
    lua_call(L, 3, 1);
  }
  lua_remove(L, -2);
  if (!there || lua_isnil(L, -1)) { lua_pop(L, 1); return false; }
  int list = lua_gettop(L);
  *count = (uint32_t)lua_rawlen(L, list);
  luaL_checkstack(L, (int)*count + 4, "too many criteria");
  for (uint32_t i = 0; i < *count; i++) lua_rawgeti(L, list, i + 1);
  lua_remove(L, list);
  return true;
}

uint32_t binding_criteria(lua_State *L, binding *b, const alch_block *statement, int index) {
  uint32_t source = binding_leading_source(statement), count = 0, named = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) { lua_pop(L, 1); named += lua_type(L, -1) != LUA_TNUMBER; }
  if (named == 0) return 0;
  if (source == 0) binding_error(L, b, ALCH_ERROR_ARGUMENT, "where{ name = value } needs a table to find the names in; write column:eq(value)");
  if (ask_hook(L, b, source, index, &count)) return count;
  check_names(L, b, statement, source, index);
  return push_conditions(L, b, statement, source, index);
}

static int criterion_tostring(lua_State *L) {
  lua_getfield(L, 1, "method");
  lua_pushliteral(L, "(\xe2\x80\xa6)");
  lua_concat(L, 2);
  return 1;
}

void binding_open_criteria(lua_State *L, binding *b) {
  lua_newtable(L);
  lua_pushcfunction(L, criterion_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "criterion");
  lua_setfield(L, -2, "__name");
  b->criterion_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushcclosure(L, criteria_criterion, 1);
  lua_setfield(L, -2, "criterion");
}
