/* row.c - rows as tables: values by place, names by the metatable that all rows of a statement share. */
#include "lua/result.h"
#include <string.h>

/* A shape is the metatable of rows. Its fields: names (list), places (name -> place, false when several columns have it), holder. The holder keeps the compiled statement, so that the
   engine's table of shapes can go by its address. */
typedef struct shape_holder {
  binding_owned owned;
  alch_compiled *compiled;
} shape_holder;

static void release_shape(binding_owned *owned) {
  shape_holder *holder = (shape_holder *)owned;
  alch_compiled *compiled = holder->compiled;
  holder->compiled = NULL;
  alch_compiled_release(compiled);
}

static int shape_gc(lua_State *L) {
  binding_disown(lua_touserdata(L, 1));
  return 0;
}

/* ---- what a row answers ---- */

static int unknown_name(lua_State *L, binding *b, const char *word, int names) {
  const char *candidates[256];
  size_t count = 0;
  for (; count < ALCH_COUNT(candidates) && lua_rawgeti(L, names, (lua_Integer)count + 1) == LUA_TSTRING; count++) {
    candidates[count] = lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  const char *nearest = alch_nearest(word, candidates, count);
  return binding_error(L, b, ALCH_ERROR_NO_SUCH_COLUMN, nearest ? "the row has no column '%s'; the nearest is '%s'" : "the row has no column '%s'", word, nearest);
}

static int ambiguous(lua_State *L, binding *b, const char *word) {
  return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "Ambiguous column name '%s' in result set column descriptions; give the columns labels, or use their places", word);
}

/* The place of a column expression among the columns of a compiled statement, from 0; -1 when absent. */
static int64_t place_of_expression(const alch_compiled *compiled, const alch_block *block) {
  const alch_node *root = alch_block_root(block);
  for (uint32_t i = 0; compiled && i < compiled->column_count; i++) {
    const alch_result_column *column = &compiled->columns[i];
    if (root->kind == ALCH_NODE_COLUMN && column->source == root->a && column->index == root->b) return i;
    if (root->kind == ALCH_NODE_LABEL && strlen(column->name) == root->length && memcmp(column->name, alch_node_text(root), root->length) == 0) return i;
  }
  return -1;
}

/* upvalues: the binding, places, names, methods, the holder */
static int row_index(lua_State *L) {
  binding *b = BINDING(L);
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    int kind = lua_rawget(L, lua_upvalueindex(2));
    if (ALCH_LIKELY(kind == LUA_TNUMBER)) { lua_rawgeti(L, 1, lua_tointeger(L, -1)); return 1; }
    if (kind == LUA_TBOOLEAN) return ambiguous(L, b, lua_tostring(L, 2));
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(4)) != LUA_TNIL) return 1;
    if (strncmp(lua_tostring(L, 2), "__", 2) == 0) return 0;
    return unknown_name(L, b, lua_tostring(L, 2), lua_upvalueindex(3));
  }
  const alch_block *block = binding_test(L, b, 2, BINDING_EXPRESSION);
  if (!block) return 0;
  int64_t place = place_of_expression(((shape_holder *)lua_touserdata(L, lua_upvalueindex(5)))->compiled, block);
  if (place < 0) return binding_error(L, b, ALCH_ERROR_NO_SUCH_COLUMN, "the row has no such column expression");
  lua_rawgeti(L, 1, place + 1);
  return 1;
}

/* The list of names of the row at slot 1. */
static void push_row_names(lua_State *L, binding *b) {
  if (!lua_istable(L, 1) || !lua_getmetatable(L, 1) || lua_getfield(L, -1, "names") != LUA_TTABLE) binding_expected(L, b, 1, "a row", NULL);
}

/* as_table(): a plain table of names and values, without those that are NULL */
static int row_as_table(lua_State *L) {
  binding *b = BINDING(L);
  push_row_names(L, b);
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  lua_createtable(L, 0, (int)count);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -2, i);
    lua_rawgeti(L, 1, i);
    lua_rawset(L, -3);
  }
  return 1;
}

/* len(): how many columns, NULL or not */
static int row_len(lua_State *L) {
  push_row_names(L, BINDING(L));
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
  return 1;
}

static int row_unpack(lua_State *L) {
  push_row_names(L, BINDING(L));
  int count = (int)lua_rawlen(L, -1);
  luaL_checkstack(L, count, "too many columns");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, 1, i);
  return count;
}

void binding_copy_list(lua_State *L) {
  int count = (int)lua_rawlen(L, -1);
  lua_createtable(L, count, 0);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, -2, i);
    lua_rawseti(L, -2, i);
  }
  lua_replace(L, -2);
}

/* keys(): the names of the columns */
static int row_keys(lua_State *L) {
  push_row_names(L, BINDING(L));
  binding_copy_list(L);
  return 1;
}

static int row_tostring(lua_State *L) {
  push_row_names(L, BINDING(L));
  int count = (int)lua_rawlen(L, -1);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  luaL_addchar(&text, '(');
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addstring(&text, ", ");
    bool quoted = lua_rawgeti(L, 1, i) == LUA_TSTRING;
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    if (quoted) { lua_pushfstring(L, "'%s'", lua_tostring(L, -1)); lua_remove(L, -2); }
    luaL_addvalue(&text);
  }
  luaL_addchar(&text, ')');
  luaL_pushresult(&text);
  return 1;
}

/* Rows are equal when their values are. */
static int row_eq(lua_State *L) {
  if (!lua_istable(L, 1) || !lua_istable(L, 2)) return 0;
  push_row_names(L, BINDING(L));
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    lua_rawgeti(L, 2, i);
    if (!lua_compare(L, -1, -2, LUA_OPEQ)) { lua_pushboolean(L, 0); return 1; }
    lua_pop(L, 2);
  }
  lua_rawgeti(L, 2, count + 1);
  lua_pushboolean(L, lua_isnil(L, -1));
  return 1;
}

static const luaL_Reg row_metamethods[] = { { "__len", row_len }, { "__tostring", row_tostring }, { "__eq", row_eq }, { NULL, NULL } };
static const luaL_Reg row_methods[] = { { "as_table", row_as_table }, { "len", row_len }, { "count", row_len }, { "unpack", row_unpack }, { "keys", row_keys }, { NULL, NULL } };

/* ---- making a shape ---- */

static void enter_name(lua_State *L, int places, const char *name, lua_Integer place) {
  lua_pushstring(L, name);
  int kind = lua_rawget(L, places);
  bool same = kind == LUA_TNUMBER && lua_tointeger(L, -1) == place;
  lua_pop(L, 1);
  if (same) return;
  lua_pushstring(L, name);
  if (kind == LUA_TNIL) lua_pushinteger(L, place);
  else lua_pushboolean(L, 0);
  lua_rawset(L, places);
}

static const char *column_name(const binding_result *result, uint32_t i) { return alch_execution_column_name(&result->execution, binding_result_place(result, i)); }

/* Leaves names and places on the stack. */
static void push_tables(lua_State *L, const binding_result *result) {
  uint32_t width = binding_result_width(result);
  lua_createtable(L, (int)width, 0);
  lua_createtable(L, 0, (int)width);
  int places = lua_gettop(L);
  for (uint32_t i = 0; i < width; i++) {
    const char *name = column_name(result, i);
    lua_pushstring(L, name);
    lua_rawseti(L, places - 1, (lua_Integer)i + 1);
    enter_name(L, places, name, (lua_Integer)i + 1);
  }
  bool listed = result->compiled->column_count == result->execution.column_count;
  for (uint32_t i = 0; listed && i < width; i++) {
    const char *key = result->compiled->columns[binding_result_place(result, i)].key;
    lua_pushstring(L, key);
    bool taken = lua_rawget(L, places) != LUA_TNIL;
    lua_pop(L, 1);
    if (!taken) enter_name(L, places, key, (lua_Integer)i + 1);
  }
}

static void push_shape(lua_State *L, binding *b, const binding_result *result) {
  lua_createtable(L, 0, 8);
  int shape = lua_gettop(L);
  push_tables(L, result);
  lua_pushvalue(L, -2);
  lua_setfield(L, shape, "names");
  lua_pushvalue(L, -1);
  lua_setfield(L, shape, "places");
  shape_holder *holder = binding_new(L, b, BINDING_SHAPE, sizeof *holder, 0);
  binding_own(b, &holder->owned, release_shape);
  alch_compiled_hold(result->compiled);
  holder->compiled = result->compiled;
  int tables = shape + 1;
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushvalue(L, tables + 1);
  lua_pushvalue(L, tables);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->row_methods);
  lua_pushvalue(L, tables + 2);
  lua_pushcclosure(L, row_index, 5);
  lua_setfield(L, shape, "__index");
  lua_settop(L, tables + 2);
  lua_setfield(L, shape, "holder");
  lua_settop(L, shape);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, row_metamethods, 1);
  lua_pushliteral(L, "Row");
  lua_setfield(L, shape, "__name");
}

/* Does the shape on top of the stack fit? A text's columns may have changed with the schema. */
static bool fits(lua_State *L, const binding_result *result) {
  if (result->compiled->column_count == result->execution.column_count && !result->compiled->open_columns) return true;
  lua_getfield(L, -1, "names");
  uint32_t width = binding_result_width(result);
  bool same = lua_rawlen(L, -1) == width;
  for (uint32_t i = 0; same && i < width; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    same = strcmp(lua_tostring(L, -1), column_name(result, i)) == 0;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return same;
}

enum { SHAPES_KEPT = 1024 };

/* The table of shapes of the result's engine, on the stack. It starts anew when it has grown too large. */
static void push_shapes(lua_State *L, int index) {
  lua_getiuservalue(L, index, RESULT_CONNECTION);
  lua_getiuservalue(L, -1, 1);
  lua_replace(L, -2);
  lua_getiuservalue(L, -1, BINDING_ENGINE_SHAPES);
  lua_Integer count = (lua_getfield(L, -1, "count"), lua_tointeger(L, -1));
  lua_pop(L, 1);
  if (count >= SHAPES_KEPT) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, -3, BINDING_ENGINE_SHAPES);
    count = 0;
  }
  lua_pushinteger(L, count + 1);
  lua_setfield(L, -2, "count");
  lua_remove(L, -2);
}

void binding_result_shape(lua_State *L, binding *b, int index) {
  const binding_result *result = lua_touserdata(L, index);
  int top = lua_gettop(L);
  if (lua_getiuservalue(L, index, RESULT_SHAPE) != LUA_TNIL) { lua_settop(L, top); return; }
  lua_getiuservalue(L, index, RESULT_CONNECTION);
  lua_getiuservalue(L, -1, 1);
  lua_getiuservalue(L, -1, BINDING_ENGINE_SHAPES);
  bool found = !result->selected && lua_rawgetp(L, -1, result->compiled) == LUA_TTABLE && fits(L, result);
  if (!found) {
    push_shape(L, b, result);
    if (!result->selected) {
      push_shapes(L, index);
      lua_pushvalue(L, -2);
      lua_rawsetp(L, -2, result->compiled);
      lua_pop(L, 1);
    }
  }
  lua_setiuservalue(L, index, RESULT_SHAPE);
  lua_settop(L, top);
}

/* ---- pushing ---- */

void binding_push_cell(lua_State *L, binding *b, const binding_result *result, uint32_t place) {
  /* A custom type's function may have closed the result in the midst of the row. */
  if (ALCH_UNLIKELY(!result->plain) && !result->execution.connection) binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "This result object is closed.");
  const alch_value *value = &result->execution.row[place];
  switch (value->kind) {
    case ALCH_NULL: if (result->plain) { lua_pushnil(L); return; } break;
    case ALCH_INTEGER: if (result->plain) { lua_pushinteger(L, value->integer); return; } break;
    case ALCH_REAL: if (result->plain) { lua_pushnumber(L, value->real); return; } break;
    case ALCH_TEXT: if (result->plain) { lua_pushlstring(L, value->text, value->length); return; } break;
    default: break;
  }
  binding_push_value(L, b, value, binding_result_type(result, place));
}

void binding_push_row(lua_State *L, binding *b, int index) {
  const binding_result *result = lua_touserdata(L, index);
  uint32_t width = binding_result_width(result);
  lua_createtable(L, (int)width, 0);
  for (uint32_t i = 0; i < width; i++) {
    binding_push_cell(L, b, result, binding_result_place(result, i));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_getiuservalue(L, index, RESULT_SHAPE);
  lua_setmetatable(L, -2);
}

void binding_push_mapping(lua_State *L, binding *b, int index) {
  const binding_result *result = lua_touserdata(L, index);
  uint32_t width = binding_result_width(result);
  lua_getiuservalue(L, index, RESULT_SHAPE);
  lua_getfield(L, -1, "names");
  lua_getfield(L, -2, "places");
  lua_createtable(L, 0, (int)width);
  for (uint32_t i = 0; i < width; i++) {
    lua_rawgeti(L, -3, (lua_Integer)i + 1);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -4) == LUA_TBOOLEAN) ambiguous(L, b, lua_tostring(L, -2));
    lua_pop(L, 1);
    binding_push_cell(L, b, result, binding_result_place(result, i));
    lua_rawset(L, -3);
  }
  lua_insert(L, -4);
  lua_pop(L, 3);
}

void binding_push_names(lua_State *L, binding *b, int index) {
  binding_result_shape(L, b, index);
  lua_getiuservalue(L, index, RESULT_SHAPE);
  lua_getfield(L, -1, "names");
  lua_remove(L, -2);
}

uint32_t binding_find_column(lua_State *L, binding *b, int index, int key) {
  const binding_result *result = lua_touserdata(L, index);
  int integral = 0;
  if (lua_type(L, key) == LUA_TNUMBER) {
    lua_Integer place = lua_tointegerx(L, key, &integral);
    if (!integral || place < 1 || place > (lua_Integer)result->execution.column_count)
      binding_error(L, b, ALCH_ERROR_NO_SUCH_COLUMN, "the result has %d columns, from 1 on", (int)result->execution.column_count);
    return (uint32_t)place - 1;
  }
  const alch_block *block = binding_test(L, b, key, BINDING_EXPRESSION);
  if (block) {
    int64_t place = place_of_expression(result->compiled, block);
    if (place < 0) binding_error(L, b, ALCH_ERROR_NO_SUCH_COLUMN, "the result has no such column expression");
    return (uint32_t)place;
  }
  const char *word = binding_text(L, b, key, NULL, "a place, a name or a column", "the choice of a column");
  binding_result_shape(L, b, index);
  lua_getiuservalue(L, index, RESULT_SHAPE);
  lua_getfield(L, -1, "names");
  lua_getfield(L, -2, "places");
  int kind = lua_getfield(L, -1, word);
  if (kind == LUA_TBOOLEAN) ambiguous(L, b, word);
  if (kind != LUA_TNUMBER) unknown_name(L, b, word, lua_gettop(L) - 2);
  uint32_t place = (uint32_t)lua_tointeger(L, -1) - 1;
  lua_pop(L, 4);
  return place;
}

void binding_open_row(lua_State *L, binding *b) {
  static const luaL_Reg shape_metamethods[] = { { "__gc", shape_gc }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_SHAPE, "shape", NULL, shape_metamethods);
  lua_newtable(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, row_methods, 1);
  b->row_methods = luaL_ref(L, LUA_REGISTRYINDEX);
}
