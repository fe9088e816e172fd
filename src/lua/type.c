/* type.c - SQL types as callable values: Integer, String(80), Numeric{ precision = 10, scale = 2 }. */
#include "lua/binding.h"
#include <string.h>

static int push_type(lua_State *L, binding *b, const alch_type *type) {
  alch_type_id id = 0;
  binding_must(L, b, alch_catalog_intern(b->catalog, type, &id, &b->error));
  binding_push_type(L, b, id);
  return 1;
}

void binding_push_type(lua_State *L, binding *b, alch_type_id id) {
  *(alch_type_id *)binding_new(L, b, BINDING_TYPE, sizeof id, 0) = id;
}

alch_type_id binding_check_type(lua_State *L, binding *b, int index, const char *where) {
  const alch_type_id *id = binding_test(L, b, index, BINDING_TYPE);
  if (!id) binding_expected(L, b, index, "a type such as Integer or String(80)", where);
  return *id;
}

/* ---- options, by family ---- */

typedef enum type_option { OPTION_LENGTH, OPTION_PRECISION, OPTION_SCALE, OPTION_ASDECIMAL, OPTION_COLLATION, OPTION_TIMEZONE, OPTION_NAME, OPTION_CONSTRAINT, OPTION_NATIVE_ENUM, OPTION_NATIVE_UUID } type_option;

static const binding_option options[] = {
  [OPTION_LENGTH] = { "length", LUA_TNUMBER }, [OPTION_PRECISION] = { "precision", LUA_TNUMBER }, [OPTION_SCALE] = { "scale", LUA_TNUMBER },
  [OPTION_ASDECIMAL] = { "asdecimal", LUA_TBOOLEAN }, [OPTION_COLLATION] = { "collation", LUA_TSTRING }, [OPTION_TIMEZONE] = { "timezone", LUA_TBOOLEAN },
  [OPTION_NAME] = { "name", LUA_TSTRING }, [OPTION_CONSTRAINT] = { "create_constraint", LUA_TBOOLEAN },
  [OPTION_NATIVE_ENUM] = { "native_enum", LUA_TBOOLEAN }, [OPTION_NATIVE_UUID] = { "native_uuid", LUA_TBOOLEAN },
};

#define BIT(option) (1u << OPTION_##option)

/* The options of a family; `positional` gets those that may be written without their names, in order. */
static uint32_t family_options(uint8_t family, type_option positional[2], int *count) {
  *count = 0;
  switch (family) {
    case ALCH_TYPE_STRING: case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE: case ALCH_TYPE_UNICODE_TEXT:
      positional[(*count)++] = OPTION_LENGTH;
      return BIT(LENGTH) | BIT(COLLATION);
    case ALCH_TYPE_LARGE_BINARY: positional[(*count)++] = OPTION_LENGTH; return BIT(LENGTH);
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: positional[(*count)++] = OPTION_PRECISION; return BIT(PRECISION);
    case ALCH_TYPE_NUMERIC:
      positional[(*count)++] = OPTION_PRECISION;
      positional[(*count)++] = OPTION_SCALE;
      return BIT(PRECISION) | BIT(SCALE) | BIT(ASDECIMAL);
    case ALCH_TYPE_DATETIME: case ALCH_TYPE_TIME: return BIT(TIMEZONE);
    case ALCH_TYPE_BOOLEAN: return BIT(CONSTRAINT) | BIT(NAME);
    case ALCH_TYPE_ENUM: return BIT(NAME) | BIT(CONSTRAINT) | BIT(NATIVE_ENUM) | BIT(LENGTH);
    case ALCH_TYPE_UUID: return BIT(NATIVE_UUID);
    default: return 0;
  }
}

static int32_t size_option(lua_State *L, binding *b, int index, const char *name, const char *type, int32_t least) {
  int integral = 0;
  lua_Integer value = lua_tointegerx(L, index, &integral);
  if (lua_type(L, index) != LUA_TNUMBER || !integral || value < least || value > INT32_MAX) {
    const char *expected = lua_pushfstring(L, "a whole number from %d on as its %s", (int)least, name);
    binding_expected(L, b, index, expected, type);   /* index counts from the bottom */
  }
  return (int32_t)value;
}

/* Takes the value at index for the option. */
static void set_option(lua_State *L, binding *b, int index, type_option option, alch_type *type) {
  const char *name = alch_type_family_name(type->family);
  switch (option) {
    case OPTION_LENGTH: type->length = size_option(L, b, index, "length", name, 1); return;
    case OPTION_PRECISION: type->precision = size_option(L, b, index, "precision", name, 1); return;
    case OPTION_SCALE: type->scale = size_option(L, b, index, "scale", name, 0); return;
    case OPTION_ASDECIMAL: type->as_number = !lua_toboolean(L, index); return;
    case OPTION_COLLATION: type->collation = lua_tostring(L, index); return;
    case OPTION_TIMEZONE: type->timezone = lua_toboolean(L, index); return;
    case OPTION_NAME: type->name = lua_tostring(L, index); return;
    case OPTION_CONSTRAINT: type->create_constraint = lua_toboolean(L, index); return;
    case OPTION_NATIVE_ENUM: case OPTION_NATIVE_UUID: type->native = lua_toboolean(L, index); return;
  }
}

/* The options table at index; its values stay in it while the type is being made. */
static void read_options(lua_State *L, binding *b, int index, alch_type *type, uint32_t allowed) {
  binding_option known[ALCH_COUNT(options) + 1] = { { NULL, 0 } };
  size_t count = 0;
  for (size_t i = 0; i < ALCH_COUNT(options); i++)
    if (allowed >> i & 1) known[count++] = options[i];
  binding_options(L, b, index, known, alch_type_family_name(type->family));
  for (size_t i = 0; i < ALCH_COUNT(options); i++) {
    if (!(allowed >> i & 1)) continue;
    lua_getfield(L, index, options[i].name);
    if (!lua_isnil(L, -1)) set_option(L, b, lua_gettop(L), (type_option)i, type);
    lua_pop(L, 1);
  }
}

/* ---- calls ---- */

static const char *enum_word(lua_State *L, binding *b, int index) {
  return binding_text(L, b, index, NULL, "words, as in Enum(\"new\", \"done\") or Enum{ \"new\", \"done\", name = \"state\" }", "Enum");
}

/* Enum{ "a", "b", name = … } or Enum("a", "b"). */
static int call_enum(lua_State *L, binding *b, alch_type *type) {
  bool table = lua_istable(L, 2);
  lua_Integer count = table ? (lua_Integer)lua_rawlen(L, 2) : lua_gettop(L) - 1;
  if (count < 1) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "Enum needs at least one word");
  const char **items = lua_newuserdatauv(L, (size_t)count * sizeof *items, 0);
  for (lua_Integer i = 0; i < count; i++) {
    if (!table) { items[i] = enum_word(L, b, (int)i + 2); continue; }
    lua_rawgeti(L, 2, i + 1);
    items[i] = enum_word(L, b, -1);
    lua_pop(L, 1);
  }
  type_option positional[2];
  int none;
  if (table) read_options(L, b, 2, type, family_options(type->family, positional, &none));
  type->items = items;
  type->item_count = (uint32_t)count;
  return push_type(L, b, type);
}

static void call_positional(lua_State *L, binding *b, alch_type *type, const type_option *positional, int count) {
  int given = lua_gettop(L) - 1;
  if (given > count)
    binding_error(L, b, ALCH_ERROR_ARGUMENT, count == 0 ? "%s takes no arguments without a name" : "%s takes at most %d arguments without a name", alch_type_family_name(type->family), count);
  for (int i = 0; i < given; i++)
    if (!lua_isnil(L, i + 2)) set_option(L, b, i + 2, positional[i], type);
}

/* The positional part of a table: Numeric{ 10, 2, asdecimal = false }. */
static void call_table(lua_State *L, binding *b, alch_type *type, const type_option *positional, int count, uint32_t allowed) {
  read_options(L, b, 2, type, allowed);
  if ((int)lua_rawlen(L, 2) > count) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s takes at most %d arguments without a name", alch_type_family_name(type->family), count);
  for (int i = 0; i < (int)lua_rawlen(L, 2); i++) {
    lua_rawgeti(L, 2, i + 1);
    set_option(L, b, lua_gettop(L), positional[i], type);
    lua_pop(L, 1);
  }
}

/* String(80), Numeric{ 10, 2 }, DateTime{ timezone = true }, Integer(). */
static int type_call(lua_State *L) {
  binding *b = BINDING(L);
  const alch_type_id *id = binding_check(L, b, 1, BINDING_TYPE);
  alch_type type = *alch_catalog_type(b->catalog, *id);
  type_option positional[2];
  int count;
  uint32_t allowed = family_options(type.family, positional, &count);
  if (type.family == ALCH_TYPE_ENUM) return call_enum(L, b, &type);
  if (lua_istable(L, 2)) call_table(L, b, &type, positional, count, allowed);
  else call_positional(L, b, &type, positional, count);
  return push_type(L, b, &type);
}

/* custom_type(impl, { bind = …, result = … }): the table is kept as long as the state lives. */
static int type_custom(lua_State *L) {
  binding *b = BINDING(L);
  alch_type type = *alch_catalog_type(b->catalog, binding_check_type(L, b, 1, "the impl of a TypeDecorator"));
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_pushvalue(L, 2);
  type.host = luaL_ref(L, LUA_REGISTRYINDEX);
  return push_type(L, b, &type);
}

static int type_tostring(lua_State *L) {
  binding *b = BINDING(L);
  const alch_type_id *id = binding_check(L, b, 1, BINDING_TYPE);
  alch_buffer_clear(&b->scratch);
  alch_type_print(alch_catalog_type(b->catalog, *id), &b->scratch);
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
  return 1;
}

static int type_eq(lua_State *L) {
  binding *b = BINDING(L);
  const alch_type_id *left = binding_test(L, b, 1, BINDING_TYPE), *right = binding_test(L, b, 2, BINDING_TYPE);
  lua_pushboolean(L, left && right && *left == *right);
  return 1;
}

static void push_words(lua_State *L, const alch_type *type) {
  lua_createtable(L, (int)type->item_count, 0);
  for (uint32_t i = 0; i < type->item_count; i++) {
    lua_pushstring(L, type->items[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static int optional_integer(lua_State *L, int32_t value, int32_t none) {
  if (value == none) lua_pushnil(L);
  else lua_pushinteger(L, value);
  return 1;
}

static int type_property(lua_State *L) {
  binding *b = BINDING(L);
  const alch_type *type = alch_catalog_type(b->catalog, *(const alch_type_id *)lua_touserdata(L, 1));
  if (binding_is(L, 2, "family")) lua_pushstring(L, alch_type_family_name(type->family));
  else if (binding_is(L, 2, "length")) return optional_integer(L, type->length, 0);
  else if (binding_is(L, 2, "precision")) return optional_integer(L, type->precision, -1);
  else if (binding_is(L, 2, "scale")) return optional_integer(L, type->scale, -1);
  else if (binding_is(L, 2, "timezone")) lua_pushboolean(L, type->timezone);
  else if (binding_is(L, 2, "asdecimal")) lua_pushboolean(L, !type->as_number);
  else if (binding_is(L, 2, "collation")) lua_pushstring(L, type->collation);
  else if (binding_is(L, 2, "name")) lua_pushstring(L, type->name);
  else if (binding_is(L, 2, "enums")) push_words(L, type);
  else if (binding_is(L, 2, "decorator")) lua_rawgeti(L, LUA_REGISTRYINDEX, type->host ? type->host : LUA_REFNIL);
  else return 0;
  return 1;
}

/* is_type(value) */
static int type_is_type(lua_State *L) {
  lua_pushboolean(L, binding_test(L, BINDING(L), 1, BINDING_TYPE) != NULL);
  return 1;
}

void binding_open_type(lua_State *L, binding *b) {
  static const luaL_Reg metamethods[] = { { "__call", type_call }, { "__tostring", type_tostring }, { "__eq", type_eq }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "custom_type", type_custom }, { "is_type", type_is_type }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_TYPE, "type", NULL, metamethods);
  binding_kind_properties(L, b, BINDING_TYPE, type_property);
  lua_newtable(L);
  for (int family = 0; family < ALCH_TYPE_FAMILY_COUNT; family++) {
    binding_push_type(L, b, (alch_type_id)family);
    lua_setfield(L, -2, alch_type_family_name((uint8_t)family));
  }
  lua_setfield(L, -2, "types");
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
