/* value.c - Lua values to core values and back. */
#include "base/date.h"
#include "base/decimal.h"
#include "lua/date.h"
#include <string.h>

void binding_push_null(lua_State *L) { lua_pushlightuserdata(L, NULL); }

/* Makes a text that is no Lua string yet one, in the place of the value at index. */
static void anchor_text(lua_State *L, int index, alch_value *out) {
  index = lua_absindex(L, index);
  out->text = lua_pushlstring(L, out->text, out->length);
  lua_replace(L, index);
}

static void text_value(lua_State *L, binding *b, int index, alch_value *out) {
  size_t length = 0;
  const char *text = lua_tolstring(L, index, &length);
  if (length > INT32_MAX) binding_error(L, b, ALCH_ERROR_DATA, "a string of %zu bytes is more than a database takes (2 GB)", length);
  *out = alch_value_text(text, length);
}

static void decimal_value(lua_State *L, int index, const alch_decimal *decimal, alch_value *out) {
  char text[ALCH_DECIMAL_TEXT_SIZE];
  size_t length = alch_decimal_print(decimal, text);
  *out = (alch_value){ .kind = ALCH_DECIMAL, .length = (uint32_t)length, .text = text };
  anchor_text(L, index, out);
}

static const struct { uint8_t binding, value; } moment_kinds[] = {
  { BINDING_DATE, ALCH_DATE }, { BINDING_TIME, ALCH_TIME }, { BINDING_DATETIME, ALCH_DATETIME }, { BINDING_INTERVAL, ALCH_INTERVAL },
};

static bool object_value(lua_State *L, binding *b, int index, alch_value *out) {
  if (!lua_getmetatable(L, index)) return false;
  const void *metatable = lua_topointer(L, -1);
  lua_pop(L, 1);
  if (metatable == b->metatables[BINDING_DECIMAL]) {
    decimal_value(L, index, lua_touserdata(L, index), out);
    return true;
  }
  for (size_t i = 0; i < ALCH_COUNT(moment_kinds); i++) {
    if (metatable != b->metatables[moment_kinds[i].binding]) continue;
    const binding_moment *moment = lua_touserdata(L, index);
    *out = (alch_value){ .kind = moment_kinds[i].value, .integer = moment->value };
    if (moment_kinds[i].binding == BINDING_DATETIME) out->integer = binding_moment_utc(moment);
    return true;
  }
  return false;
}

bool binding_value(lua_State *L, binding *b, int index, alch_value *out) {
  switch (lua_type(L, index)) {
    case LUA_TNIL: *out = ALCH_VALUE_NULL; return true;
    case LUA_TBOOLEAN: *out = alch_value_boolean(lua_toboolean(L, index)); return true;
    case LUA_TNUMBER:
      *out = lua_isinteger(L, index) ? alch_value_integer(lua_tointeger(L, index)) : alch_value_real(lua_tonumber(L, index));
      return true;
    case LUA_TSTRING: text_value(L, b, index, out); return true;
    case LUA_TLIGHTUSERDATA: *out = ALCH_VALUE_NULL; return lua_touserdata(L, index) == NULL;
    case LUA_TUSERDATA: return object_value(L, b, index, out);
    default: return false;
  }
}

/* ---- values for a type ---- */

/* The custom type's or JSON's own function is called with the value at index, and its answer takes the value's place. */

static void custom_bind(lua_State *L, binding *b, int index, const alch_type *type) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->host);
  lua_getfield(L, -1, "bind");
  lua_remove(L, -2);
  if (lua_isnil(L, -1)) { lua_pop(L, 1); return; }
  lua_pushvalue(L, index);
  if (lua_touserdata(L, -1) == NULL && lua_islightuserdata(L, -1)) { lua_pop(L, 1); lua_pushnil(L); }
  lua_pushstring(L, b->dialect);
  lua_call(L, 2, 1);
  lua_replace(L, index);
}

/* The library's own (json.c), or what la.set_json was given. */
static void json_hook(lua_State *L, binding *b, const char *name) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->hooks);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}

/* JSON.NULL among values that no statement holds as an expression. */
static bool json_bind(lua_State *L, binding *b, int index, alch_value *out) {
  const alch_block *block = binding_test(L, b, index, BINDING_EXPRESSION);
  if (!block || alch_block_root(block)->kind != ALCH_NODE_BIND) return false;
  alch_value_cursor cursor = alch_block_value_cursor(block);
  return alch_value_cursor_next(&cursor, out) && out->kind == ALCH_TEXT;
}

/* nil stays NULL; everything else, la.null within tables included, is the encoder's. */
static bool json_encode(lua_State *L, binding *b, int index, const alch_type *type, alch_value *out) {
  if (lua_isnil(L, index) || (lua_islightuserdata(L, index) && !lua_touserdata(L, index))) {
    *out = type->null_as_json ? alch_value_text("null", 4) : ALCH_VALUE_NULL;
    return true;
  }
  if (lua_type(L, index) == LUA_TUSERDATA && json_bind(L, b, index, out)) return true;
  json_hook(L, b, "json_encode");
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
  if (lua_type(L, -1) != LUA_TSTRING) binding_expected(L, b, -1, "a string", "the answer of the JSON encoder");
  lua_replace(L, index);
  text_value(L, b, index, out);
  return true;
}

/* Raises what b->error says, with the column in front when one is known. */
int binding_raise_for_column(lua_State *L, binding *b, const alch_column *column) {
  if (column) {
    lua_pushstring(L, alch_error_message(&b->error));
    alch_error_set(&b->error, b->error.kind, "column %s.%s: %s", column->table->full_name, column->name, lua_tostring(L, -1));
    alch_error_attach(&b->error, ALCH_ERROR_TABLE_NAME, column->table->full_name, SIZE_MAX);
    alch_error_attach(&b->error, ALCH_ERROR_COLUMN_NAME, column->name, SIZE_MAX);
  }
  return binding_raise(L, b, ALCH_ERROR);
}

static void refuse_value(lua_State *L, binding *b, int index, const alch_type *type, const alch_column *column) {
  const char *came = binding_describe(L, b, index);
  alch_buffer_clear(&b->scratch);
  if (type) alch_type_print(type, &b->scratch);
  else alch_buffer_add(&b->scratch, "a parameter (nil, a boolean, number or string, a decimal, a date, …)");
  alch_error_set(&b->error, ALCH_ERROR_ARGUMENT, "a value for %s was expected, not %s", alch_buffer_text(&b->scratch), came);
  binding_raise_for_column(L, b, column);
}

static void coerce(lua_State *L, binding *b, int index, const alch_type *type, const alch_column *column, alch_value *out) {
  const char *text = alch_value_has_text(out->kind) ? out->text : NULL;
  alch_buffer_clear(&b->scratch);
  alch_type plain = *type;
  plain.host = 0;   /* what a custom type's function answered is a value of its impl */
  if (alch_type_coerce(&plain, out, &b->scratch, &b->error) < 0) binding_raise_for_column(L, b, column);
  if (alch_value_has_text(out->kind) && out->text != text) anchor_text(L, index, out);
}

void binding_value_for(lua_State *L, binding *b, int index, const alch_type *type, const alch_column *column, alch_value *out) {
  index = lua_absindex(L, index);
  if (!type || (type->family == ALCH_TYPE_NULL && type->host == 0)) {
    if (!binding_value(L, b, index, out)) refuse_value(L, b, index, NULL, column);
    return;
  }
  if (ALCH_UNLIKELY(type->host != 0)) custom_bind(L, b, index, type);
  if (type->family == ALCH_TYPE_JSON) { json_encode(L, b, index, type, out); return; }
  if (lua_type(L, index) == LUA_TTABLE && binding_container_value(L, b, index, type, out)) return;
  if (lua_type(L, index) == LUA_TTABLE && binding_moment_from_table(L, b, index, alch_type_value_kind(type->family), out)) return;
  if (!binding_value(L, b, index, out)) refuse_value(L, b, index, type, column);
  if (out->kind == ALCH_DATETIME) binding_moment_for_type(L, b, index, type, out);
  if (out->kind == ALCH_TEXT && alch_type_value_kind(type->family) == ALCH_BLOB) { out->kind = ALCH_BLOB; return; }
  coerce(L, b, index, type, column, out);
}

void binding_value_typed(lua_State *L, binding *b, int index, alch_type_id type, alch_value *out) { binding_value_for(L, b, index, alch_catalog_type(b->catalog, type), NULL, out); }

void binding_value_column(lua_State *L, binding *b, int index, const alch_column *column, alch_value *out) {
  binding_value_for(L, b, index, alch_catalog_type(b->catalog, column->type), column, out);
}

/* ---- pushing ---- */

static void push_decimal(lua_State *L, binding *b, const alch_value *value, const alch_type *type) {
  alch_decimal decimal;
  binding_must(L, b, alch_decimal_parse(&decimal, value->text, value->length, &b->error));
  if (type && type->as_number) lua_pushnumber(L, alch_decimal_to_real(&decimal));
  else *(alch_decimal *)binding_new(L, b, BINDING_DECIMAL, sizeof decimal, 0) = decimal;
}

static void push_plain(lua_State *L, binding *b, const alch_value *value, const alch_type *type) {
  switch (value->kind) {
    case ALCH_INTEGER: lua_pushinteger(L, value->integer); return;
    case ALCH_REAL: lua_pushnumber(L, value->real); return;
    case ALCH_BOOLEAN: lua_pushboolean(L, value->integer != 0); return;
    case ALCH_TEXT: case ALCH_BLOB: lua_pushlstring(L, value->text, value->length); return;
    case ALCH_DECIMAL: push_decimal(L, b, value, type); return;
    case ALCH_DATE: binding_push_moment(L, b, BINDING_DATE, value->integer, BINDING_NO_OFFSET); return;
    case ALCH_TIME: binding_push_moment(L, b, BINDING_TIME, value->integer, BINDING_NO_OFFSET); return;
    case ALCH_DATETIME: binding_push_moment(L, b, BINDING_DATETIME, value->integer, type && type->timezone ? 0 : BINDING_NO_OFFSET); return;
    case ALCH_INTERVAL: binding_push_moment(L, b, BINDING_INTERVAL, value->integer, BINDING_NO_OFFSET); return;
    default: lua_pushnil(L); return;
  }
}

static void push_json(lua_State *L, binding *b, const alch_value *value) {
  if (value->kind == ALCH_NULL) { lua_pushnil(L); return; }
  json_hook(L, b, "json_decode");
  lua_pushlstring(L, value->text, value->length);
  lua_call(L, 1, 1);
}

/* JSON, arrays, key-value sets: Lua tables. */
bool binding_has_inside(uint8_t family) { return (uint8_t)(family - ALCH_TYPE_JSON) <= ALCH_TYPE_HSTORE - ALCH_TYPE_JSON; }

void binding_push_value(lua_State *L, binding *b, const alch_value *value, const alch_type *type) {
  if (ALCH_LIKELY(!type || (type->host == 0 && !binding_has_inside(type->family)))) {
    push_plain(L, b, value, type);
    return;
  }
  bool text = binding_has_inside(type->family) && alch_value_has_text(value->kind);
  if (text && type->family == ALCH_TYPE_JSON) push_json(L, b, value);
  else if (text) binding_push_container(L, b, value, type);
  else push_plain(L, b, value, type);
  if (type->host == 0) return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->host);
  lua_getfield(L, -1, "result");
  lua_remove(L, -2);
  if (lua_isnil(L, -1)) { lua_pop(L, 1); return; }
  lua_insert(L, -2);
  lua_pushstring(L, b->dialect);
  lua_call(L, 2, 1);
}

void binding_open_value(lua_State *L, binding *b) {
  binding_push_null(L);
  lua_setfield(L, -2, "null");
  binding_open_decimal(L, b);
  binding_open_date(L, b);
}
