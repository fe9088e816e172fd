/* container.c - what is inside of values: JSON, arrays, key-value sets; their values as Lua tables, and the methods that reach into them. */
#include "base/real.h"
#include "lua/expression.h"
#include "schema/array_text.h"
#include "schema/json_path.h"
#include <string.h>

/* ---- Lua tables to values ---- */

static bool is_null(lua_State *L, int index) { return lua_isnil(L, index) || (lua_islightuserdata(L, index) && !lua_touserdata(L, index)); }

static bool is_list(lua_State *L, int index) { return lua_type(L, index) == LUA_TTABLE && (lua_rawlen(L, index) > 0 || binding_is_empty(L, index)); }

/* The text that is being made lies on the stack as a string: values on their way use b->scratch. */
static void add_list(lua_State *L, binding *b, int index, const alch_type *type, int depth, alch_buffer *out) {
  bool nests = type->item->family != ALCH_TYPE_JSON && type->item->host == 0;
  if (depth > 6) binding_error(L, b, ALCH_ERROR_ARGUMENT, "an ARRAY has at most six dimensions");
  luaL_checkstack(L, 8, "a list that is too deep");
  alch_array_open(out);
  lua_Integer count = (lua_Integer)lua_rawlen(L, index);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, index, i);
    int top = lua_gettop(L);
    if (is_list(L, top) && (type->dimensions > depth || (type->dimensions == 0 && nests))) {
      add_list(L, b, top, type, depth + 1, out);
    } else {
      alch_value value = ALCH_VALUE_NULL;
      if (!is_null(L, top)) binding_value_for(L, b, top, type->item, NULL, &value);
      alch_array_add(out, &value);
    }
    lua_settop(L, top - 1);
  }
  alch_array_close(out);
}

/* A buffer that the collector looks after. */
static int buffer_gc(lua_State *L) {
  alch_buffer_close(lua_touserdata(L, 1));
  return 0;
}

alch_buffer *binding_push_buffer(lua_State *L, binding *b) {
  alch_buffer *buffer = lua_newuserdatauv(L, sizeof *buffer, 0);
  alch_buffer_init(buffer, &b->allocator);
  lua_newtable(L);
  lua_pushcfunction(L, buffer_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return buffer;
}

/* The finished text takes the place of the value at index. */
static void give_text(lua_State *L, binding *b, int index, const alch_buffer *text, alch_value *out) {
  if (alch_buffer_failed(text)) binding_must(L, b, alch_error_out_of_memory(&b->error));
  size_t length = text->length;
  const char *kept = lua_pushlstring(L, alch_buffer_text(text), length);
  lua_replace(L, index);
  *out = alch_value_text(kept, length);
}

static void hstore_text(lua_State *L, binding *b, int index, alch_buffer *out) {
  lua_pushnil(L);
  while (lua_next(L, index)) {
    alch_value key, value = ALCH_VALUE_NULL;
    if (lua_type(L, -2) != LUA_TSTRING) binding_expected(L, b, -2, "text as keys", "HSTORE");
    binding_value(L, b, lua_gettop(L) - 1, &key);
    if (!is_null(L, -1) && lua_type(L, -1) != LUA_TSTRING) binding_expected(L, b, -1, "text or la.null as values", "HSTORE");
    if (!is_null(L, -1)) binding_value(L, b, lua_gettop(L), &value);
    alch_hstore_add(out, &key, &value);
    lua_pop(L, 1);
  }
}

bool binding_container_value(lua_State *L, binding *b, int index, const alch_type *type, alch_value *out) {
  bool array = type->family == ALCH_TYPE_ARRAY && type->item;
  if (lua_type(L, index) != LUA_TTABLE || (!array && type->family != ALCH_TYPE_HSTORE)) return false;
  if (array && !is_list(L, index)) return false;
  index = lua_absindex(L, index);
  alch_buffer *text = binding_push_buffer(L, b);
  if (array) add_list(L, b, index, type, 1, text);
  else hstore_text(L, b, index, text);
  give_text(L, b, index, text, out);
  alch_buffer_close(text);
  alch_buffer_init(text, &b->allocator);
  lua_pop(L, 1);
  return true;
}

/* ---- values to Lua tables ---- */

/* The text of an item as a value of its type; a NULL stands in its place as la.null, as it must to keep it. */
static void push_item(lua_State *L, binding *b, const alch_value *text, const alch_type *type) {
  alch_value value = *text;
  if (value.kind == ALCH_NULL) { binding_push_null(L); return; }
  if (type->family == ALCH_TYPE_FLOAT || type->family == ALCH_TYPE_DOUBLE) {   /* whole ones come without a point, and are no integers all the same */
    double real;
    if (alch_real_parse(value.text, value.length, &real)) lua_pushnumber(L, real);
    else lua_pushlstring(L, value.text, value.length);
    return;
  }
  if (alch_type_is_integer(type->family)) {
    lua_pushlstring(L, value.text, value.length);
    if (lua_stringtonumber(L, lua_tostring(L, -1))) lua_remove(L, -2);
    return;
  }
  if (type->family == ALCH_TYPE_BOOLEAN) { lua_pushboolean(L, value.text[0] == 't'); return; }
  if (type->family == ALCH_TYPE_LARGE_BINARY) {
    alch_buffer_clear(&b->scratch);
    if (!alch_array_bytes(&value, &b->scratch)) binding_error(L, b, ALCH_ERROR_DATA, "an array of bytes has the item '%.40s', which is no text such as \\x00ff", value.text);
  } else if (type->family != ALCH_TYPE_JSON) {
    alch_type plain = *type;
    plain.host = 0;
    alch_buffer_clear(&b->scratch);
    binding_must(L, b, alch_type_coerce(&plain, &value, &b->scratch, &b->error));
  }
  binding_push_value(L, b, &value, type);
}

static void push_list(lua_State *L, binding *b, alch_array_cursor *cursor, alch_buffer *text, const alch_type *type) {
  alch_value item;
  lua_Integer count = 0;
  luaL_checkstack(L, 8, "an array that is too deep");
  lua_newtable(L);
  for (;;) {
    alch_array_token token = alch_array_next(cursor, text, &item);
    if (token == ALCH_ARRAY_OPEN) push_list(L, b, cursor, text, type);
    else if (token == ALCH_ARRAY_ITEM) push_item(L, b, &item, type);
    else return;
    lua_rawseti(L, -2, ++count);
  }
}

static void push_set(lua_State *L, binding *b, const alch_value *value, alch_buffer *text) {
  alch_array_cursor cursor = { value->text, value->text + value->length };
  alch_buffer *key = binding_push_buffer(L, b);
  alch_value item;
  lua_newtable(L);
  while (alch_hstore_next(&cursor, key, text, &item)) {
    lua_pushlstring(L, alch_buffer_text(key), key->length);
    if (item.kind == ALCH_NULL) binding_push_null(L);
    else lua_pushlstring(L, item.text, item.length);
    lua_rawset(L, -3);
  }
  lua_remove(L, -2);
}

void binding_push_container(lua_State *L, binding *b, const alch_value *value, const alch_type *type) {
  alch_buffer *text = binding_push_buffer(L, b);
  if (type->family == ALCH_TYPE_ARRAY && type->item) {
    alch_array_cursor cursor = alch_array_cursor_at(value->text, value->length);
    alch_value none;
    if (alch_array_next(&cursor, text, &none) == ALCH_ARRAY_OPEN) push_list(L, b, &cursor, text, type->item);
    else lua_newtable(L);
  } else {
    push_set(L, b, value, text);
  }
  lua_remove(L, -2);
}

/* ---- operators on them ---- */

static const alch_type *operand_type(binding *b, const alch_operand *operand, alch_type_id *id) {
  *id = operand->block ? alch_node_type(b->catalog, operand->block, alch_block_root(operand->block)) : 0;
  return alch_catalog_type(b->catalog, *id);
}

static alch_type_id text_array(lua_State *L, binding *b) {
  alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_ARRAY);
  alch_type_id id;
  type.item_id = ALCH_TYPE_TEXT;
  type.item = alch_catalog_type(b->catalog, ALCH_TYPE_TEXT);
  binding_must(L, b, alch_catalog_intern(b->catalog, &type, &id, &b->error));
  return id;
}

/* The type that a plain value has on the right of such an operator. */
static alch_type_id right_type(lua_State *L, binding *b, alch_operator op, alch_type_id left, const alch_type *type, int index) {
  bool plain = lua_type(L, index) != LUA_TTABLE;
  switch (op) {
    case ALCH_OPERATOR_HAS_KEY: case ALCH_OPERATOR_PATH_EXISTS: case ALCH_OPERATOR_PATH_MATCH: return ALCH_TYPE_TEXT;
    case ALCH_OPERATOR_HAS_ALL: case ALCH_OPERATOR_HAS_ANY: case ALCH_OPERATOR_DELETE_PATH: return text_array(L, b);
    default: return type->family == ALCH_TYPE_RANGE && plain && lua_type(L, index) != LUA_TSTRING ? 0 : left;
  }
}

int binding_operate_container(lua_State *L, binding *b, alch_operator op) {
  alch_operand operands[2], right;
  alch_type_id left;
  binding_operand(L, b, 1, 0, false, &operands[0]);
  const alch_type *type = operand_type(b, &operands[0], &left);
  if (!binding_block(L, b, 2)) {
    alch_type_id id = right_type(L, b, op, left, type, 2);
    binding_operand(L, b, 2, id, false, &right);
    binding_must(L, b, alch_expression_literal(&b->builder, b->catalog, &right, id, &b->error));
    binding_push_block(L, b, BINDING_EXPRESSION);
    lua_replace(L, 2);
  }
  binding_operand(L, b, 2, 0, false, &operands[1]);
  binding_must(L, b, alch_expression_operate(&b->builder, b->catalog, op, operands, 2, &b->error));
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

bool binding_is_container(lua_State *L, binding *b, int index) {
  const alch_block *block = binding_block(L, b, index);
  if (!block) return false;
  const alch_type *type = alch_catalog_type(b->catalog, alch_node_type(b->catalog, block, alch_block_root(block)));
  if (type->family == ALCH_TYPE_JSON) return type->word && strcmp(type->word, "JSONB") == 0;
  return type->family >= ALCH_TYPE_ARRAY && type->family <= ALCH_TYPE_RANGE;
}

/* ---- get, slice ---- */

static void build_bind(binding *b, alch_type_id type, const alch_value *value) { alch_builder_bind(&b->builder, type, 0, NULL, value, NULL); }

/* A list of keys and places, as the value of a path. */
static void path_value(lua_State *L, binding *b, int index, alch_value *out) {
  alch_buffer *path = binding_push_buffer(L, b);
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, index); i++) {
    alch_value step;
    lua_rawgeti(L, index, i);
    if (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1)) binding_expected(L, b, -1, "keys and whole numbers, as in get{ \"a\", 0, \"b\" }", "get");
    binding_value(L, b, lua_gettop(L), &step);
    alch_path_add(path, &step);
    lua_pop(L, 1);
  }
  alch_path_finish(path);
  give_text(L, b, index, path, out);
  lua_pop(L, 1);
}

static int push_subscript(lua_State *L, binding *b) {
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

static int get_json(lua_State *L, binding *b, const alch_block *subject, alch_type_id type, uint8_t family) {
  alch_operand index = { 0 };
  alch_type_id of_index = ALCH_TYPE_JSON_INDEX, result = family == ALCH_TYPE_HSTORE ? ALCH_TYPE_TEXT : type;
  bool path = family == ALCH_TYPE_JSON && is_list(L, 2) && !binding_block(L, b, 2);
  if (path) {
    path_value(L, b, 2, &index.value);
    of_index = ALCH_TYPE_JSON_PATH;
  } else {
    binding_operand(L, b, 2, 0, false, &index);
    bool known = index.block || index.value.kind == ALCH_TEXT || (index.value.kind == ALCH_INTEGER && family == ALCH_TYPE_JSON);
    if (!known) return binding_expected(L, b, 2, family == ALCH_TYPE_JSON ? "a key, a place (from 0) or a list of them" : "a key", "get");
  }
  bool place = !index.block && index.value.kind == ALCH_INTEGER;
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_SUBSCRIPT, path ? ALCH_OPERATOR_JSON_PATH : ALCH_OPERATOR_JSON_INDEX, place ? ALCH_SUBSCRIPT_PLACE : 0, result);
  alch_builder_block(&b->builder, subject);
  if (index.block) alch_builder_block(&b->builder, index.block);
  else build_bind(b, of_index, &index.value);
  return push_subscript(L, b);
}

static alch_type_id item_of(lua_State *L, binding *b, alch_type_id id) {
  alch_type type = *alch_catalog_type(b->catalog, id);
  if (type.dimensions <= 1) return type.item_id;
  type.dimensions--;
  binding_must(L, b, alch_catalog_intern(b->catalog, &type, &id, &b->error));
  return id;
}

/* The places of the arguments first .. first + count - 1. */
static int get_item(lua_State *L, binding *b, const alch_block *subject, alch_operator op, alch_type_id result, int count) {
  alch_operand places[2];
  for (int i = 0; i < count; i++) {
    binding_operand(L, b, i + 2, ALCH_TYPE_INTEGER, false, &places[i]);
    if (!places[i].block && places[i].value.kind != ALCH_INTEGER) return binding_expected(L, b, i + 2, "whole numbers, the first is 1", count == 1 ? "get" : "slice");
  }
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_SUBSCRIPT, (uint8_t)op, 0, result);
  alch_builder_block(&b->builder, subject);
  for (int i = 0; i < count; i++) binding_build_operand(L, b, &places[i], ALCH_TYPE_INTEGER);
  return push_subscript(L, b);
}

static const alch_block *check_subject(lua_State *L, binding *b, const char *where, alch_type_id *id, uint8_t *family) {
  alch_operand subject;
  binding_operand(L, b, 1, 0, false, &subject);
  if (!subject.block) binding_expected(L, b, 1, "an expression", where);
  *family = operand_type(b, &subject, id)->family;
  return subject.block;
}

/* json:get(key), json:get(place), json:get{ key, place, … }; array:get(place); hstore:get(key) */
static int container_get(lua_State *L) {
  binding *b = BINDING(L);
  alch_type_id id;
  uint8_t family;
  if (lua_gettop(L) != 2) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "get takes one key, one place or one list of them: doc:get{ \"a\", 0 }");
  const alch_block *subject = check_subject(L, b, "get", &id, &family);
  if (family == ALCH_TYPE_JSON || family == ALCH_TYPE_HSTORE) return get_json(L, b, subject, id, family);
  if (family == ALCH_TYPE_ARRAY) return get_item(L, b, subject, ALCH_OPERATOR_ARRAY_INDEX, item_of(L, b, id), 1);
  return binding_error(L, b, ALCH_ERROR_ARGUMENT, "get reaches into JSON, ARRAY and HSTORE, and this expression is of the type %s; la.type_coerce(expression, la.JSON) gives it another", alch_type_family_name(family));
}

/* array:slice(first, last) */
static int container_slice(lua_State *L) {
  binding *b = BINDING(L);
  alch_type_id id;
  uint8_t family;
  if (lua_gettop(L) != 3) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "slice takes the first and the last place: array:slice(2, 5)");
  const alch_block *subject = check_subject(L, b, "slice", &id, &family);
  if (family != ALCH_TYPE_ARRAY) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "slice is for an ARRAY, and this expression is of the type %s", alch_type_family_name(family));
  return get_item(L, b, subject, ALCH_OPERATOR_ARRAY_SLICE, id, 2);
}

/* ---- as_string and its kin ---- */

static int push_as(lua_State *L, binding *b, alch_type_id type, const char *method) {
  const alch_block *block = binding_block(L, b, 1);
  const alch_node *root = block ? alch_block_root(block) : NULL;
  bool json = root && root->kind == ALCH_NODE_SUBSCRIPT && (root->op == ALCH_OPERATOR_JSON_INDEX || root->op == ALCH_OPERATOR_JSON_PATH);
  if (!json) return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "%s comes behind get: doc:get(\"key\"):%s()", method, method);
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, block);
  alch_builder_open(&b->builder, ALCH_NODE_SUBSCRIPT, root->op, root->a, type);
  alch_reader reader = alch_reader_at_root(block);
  const alch_node *end = alch_node_next(reader.node);
  alch_reader_enter(&reader);
  while (reader.node < end) alch_builder_copy(&b->builder, &reader);
  return push_subscript(L, b);
}

static int container_as_string(lua_State *L) { return push_as(L, BINDING(L), ALCH_TYPE_UNICODE, "as_string"); }
static int container_as_integer(lua_State *L) { return push_as(L, BINDING(L), ALCH_TYPE_INTEGER, "as_integer"); }
static int container_as_float(lua_State *L) { return push_as(L, BINDING(L), ALCH_TYPE_FLOAT, "as_float"); }
static int container_as_boolean(lua_State *L) { return push_as(L, BINDING(L), ALCH_TYPE_BOOLEAN, "as_boolean"); }

/* as_numeric(precision, scale) */
static int container_as_numeric(lua_State *L) {
  binding *b = BINDING(L);
  alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_NUMERIC);
  alch_type_id id;
  type.precision = (int32_t)luaL_checkinteger(L, 2);
  type.scale = (int32_t)luaL_optinteger(L, 3, 0);
  binding_must(L, b, alch_catalog_intern(b->catalog, &type, &id, &b->error));
  return push_as(L, b, id, "as_numeric");
}

/* as_json(): the value as JSON, which it is without a word. */
static int container_as_json(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *block = binding_block(L, b, 1);
  const alch_node *root = block ? alch_block_root(block) : NULL;
  alch_type_id type = root && root->kind == ALCH_NODE_SUBSCRIPT ? alch_node_type(b->catalog, block, alch_node_child(root)) : 0;
  return push_as(L, b, type != 0 ? type : ALCH_TYPE_JSON, "as_json");
}

/* ---- any_, all_ ---- */

/* array:any_() is ANY (array); array:any_(value [, { operator = "gt" }]) compares with it: value > ANY (array). */
static int quantify(lua_State *L, alch_operator quantifier) {
  static const binding_option known[] = { { "operator", LUA_TSTRING }, { NULL, 0 } };
  binding *b = BINDING(L);
  alch_operand operands[2], value;
  alch_type_id id;
  int op = ALCH_OPERATOR_EQ;
  bool compares = lua_gettop(L) > 1;
  binding_operand(L, b, 1, 0, false, &operands[1]);
  const alch_type *type = operand_type(b, &operands[1], &id);
  alch_type_id item = type->item_id;
  binding_must(L, b, alch_expression_operate(&b->builder, b->catalog, quantifier, &operands[1], 1, &b->error));
  binding_push_block(L, b, BINDING_EXPRESSION);
  if (!compares) return 1;
  lua_replace(L, 1);
  if (lua_istable(L, 3)) {
    binding_only_options(L, b, 3, known, alch_operator_rows[quantifier].lua_name);
    if (lua_getfield(L, 3, "operator") == LUA_TSTRING) op = alch_operator_find(lua_tostring(L, -1));
    if (op < ALCH_OPERATOR_EQ || op > ALCH_OPERATOR_GE) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "operator must be one of eq, ne, lt, le, gt, ge");
  }
  binding_operand(L, b, 2, item, false, &value);
  if (!value.block) {
    binding_must(L, b, alch_expression_literal(&b->builder, b->catalog, &value, item, &b->error));
    binding_push_block(L, b, BINDING_EXPRESSION);
    lua_replace(L, 2);
  }
  binding_operand(L, b, 2, 0, false, &operands[0]);
  binding_operand(L, b, 1, 0, false, &operands[1]);
  binding_must(L, b, alch_expression_operate(&b->builder, b->catalog, (alch_operator)op, operands, 2, &b->error));
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

static int container_any(lua_State *L) { return quantify(L, ALCH_OPERATOR_ANY); }
static int container_all(lua_State *L) { return quantify(L, ALCH_OPERATOR_ALL); }

/* ---- la.array{ … } ---- */

static alch_type_id array_type(lua_State *L, binding *b, const alch_operand *items, uint32_t count, alch_type_id given) {
  alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_ARRAY);
  alch_type_id id;
  if (given != 0 && alch_catalog_type(b->catalog, given)->family == ALCH_TYPE_ARRAY) return given;
  type.item_id = given;
  for (uint32_t i = 0; i < count && type.item_id == 0; i++) type.item_id = items[i].block ? alch_node_type(b->catalog, items[i].block, alch_block_root(items[i].block)) : alch_value_type(items[i].value.kind);
  type.item = alch_catalog_type(b->catalog, type.item_id);
  if (type.item->family == ALCH_TYPE_ARRAY) return type.item_id;
  binding_must(L, b, alch_catalog_intern(b->catalog, &type, &id, &b->error));
  return id;
}

/* array{ 1, column, …, type_ = T }: an array made of expressions. */
static int container_array(lua_State *L) {
  static const binding_option known[] = { { "type_", LUA_TUSERDATA }, { NULL, 0 } };
  binding *b = BINDING(L);
  alch_type_id given = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  binding_options(L, b, 1, known, "array");
  if (lua_getfield(L, 1, "type_") != LUA_TNIL) given = binding_check_type(L, b, -1, "array");
  uint32_t count = (uint32_t)lua_rawlen(L, 1);
  luaL_checkstack(L, (int)count + 8, "too many items in an array");
  alch_operand *items = lua_newuserdatauv(L, (count + 1) * sizeof *items, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, i + 1);
    binding_operand(L, b, -1, given, false, &items[i]);
  }
  alch_type_id type = array_type(L, b, items, count, given), item = given != 0 ? given : alch_catalog_type(b->catalog, type)->item_id;
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_ARRAY, 0, 0, type);
  for (uint32_t i = 0; i < count; i++) binding_build_operand(L, b, &items[i], item);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

void binding_open_container(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "get", container_get }, { "slice", container_slice }, { "any_", container_any }, { "all_", container_all }, { "as_string", container_as_string }, { "as_integer", container_as_integer },
    { "as_float", container_as_float }, { "as_numeric", container_as_numeric }, { "as_boolean", container_as_boolean }, { "as_json", container_as_json }, { NULL, NULL },
  };
  static const luaL_Reg functions[] = { { "array", container_array }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_EXPRESSION, methods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
