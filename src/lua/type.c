/* type.c - SQL types as callable values: Integer, String(80), Numeric{ precision = 10, scale = 2 }. */
#include "base/map.h"
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

/* ---- options ---- */

static const binding_option options[] = {
#define NUMBER LUA_TNUMBER
#define STRING LUA_TSTRING
#define BOOLEAN LUA_TBOOLEAN
#define USERDATA LUA_TUSERDATA
#define NONE LUA_TNONE
#define ALCH_TYPE_OPTION(symbol, name, kind) [ALCH_TYPE_OPTION_##symbol] = { name, kind },
#include "schema/type_option.def"
#undef ALCH_TYPE_OPTION
#undef NUMBER
#undef STRING
#undef BOOLEAN
#undef USERDATA
#undef NONE
};
_Static_assert(ALCH_TYPE_OPTION_COUNT <= 64, "options are the bits of one word");

#define TAKES(type, option) ((alch_type_options(type) & ALCH_TAKES(option)) != 0)

static const char *type_name(const alch_type *type) { return type->exact ? type->exact->name : alch_type_family_name(type->family); }

static bool is_hidden(int option) { return options[option].name[0] == '\0'; }

/* The options that may be written without their names, in order. */
static int positional_options(const alch_type *type, alch_type_option positional[4]) {
  int count = 0;
  for (int option = 0; option <= ALCH_TYPE_LAST_POSITIONAL; option++)
    if (alch_type_options(type) >> option & 1 && type->family != ALCH_TYPE_ENUM) positional[count++] = (alch_type_option)option;
  return count;
}

static int32_t size_option(lua_State *L, binding *b, int index, alch_type_option option, const alch_type *type, int32_t least) {
  int integral = 0;
  lua_Integer value = lua_tointegerx(L, index, &integral);
  if (lua_type(L, index) != LUA_TNUMBER || !integral || value < least || value >= INT32_MAX) {
    bool max = option == ALCH_TYPE_OPTION_LENGTH && TAKES(type, MAX);
    const char *expected = lua_pushfstring(L, max ? "a whole number from %d on or \"max\" as its %s" : "a whole number from %d on as its %s", (int)least, options[option].name);
    binding_expected(L, b, index, expected, type_name(type));   /* index counts from the bottom */
  }
  return (int32_t)value;
}

static int32_t length_option(lua_State *L, binding *b, int index, alch_type_option option, const alch_type *type) {
  if (TAKES(type, MAX) && lua_type(L, index) == LUA_TSTRING && binding_is(L, index, "max")) return ALCH_LENGTH_MAX;
  return size_option(L, b, index, option, type, 1);
}

static void take_schema(lua_State *L, binding *b, int index, alch_type *type) {
  const alch_metadata *metadata = *(alch_metadata **)binding_check(L, b, index, BINDING_METADATA);
  if (!type->schema) type->schema = metadata->schema;
}

/* Takes the value at index for the option. */
static void set_option(lua_State *L, binding *b, int index, alch_type_option option, alch_type *type) {
  switch (option) {
    case ALCH_TYPE_OPTION_LENGTH: case ALCH_TYPE_OPTION_DISPLAY_WIDTH: case ALCH_TYPE_OPTION_BINARY_PRECISION: type->length = length_option(L, b, index, option, type); return;
    case ALCH_TYPE_OPTION_PRECISION: type->precision = size_option(L, b, index, option, type, type->family == ALCH_TYPE_DATETIME || type->family == ALCH_TYPE_TIME ? 0 : 1); return;
    case ALCH_TYPE_OPTION_FSP: case ALCH_TYPE_OPTION_DAY_PRECISION: type->precision = size_option(L, b, index, option, type, 0); return;
    case ALCH_TYPE_OPTION_SCALE: case ALCH_TYPE_OPTION_SECOND_PRECISION: type->scale = size_option(L, b, index, option, type, 0); return;
    case ALCH_TYPE_OPTION_DIMENSIONS: type->dimensions = (uint8_t)size_option(L, b, index, option, type, 1); return;
    case ALCH_TYPE_OPTION_ASDECIMAL: type->as_number = !lua_toboolean(L, index); return;
    case ALCH_TYPE_OPTION_COLLATION: type->collation = lua_tostring(L, index); return;
    case ALCH_TYPE_OPTION_TIMEZONE: type->timezone = lua_toboolean(L, index); return;
    case ALCH_TYPE_OPTION_NAME: type->name = lua_tostring(L, index); return;
    case ALCH_TYPE_OPTION_SCHEMA: type->schema = lua_tostring(L, index); return;
    case ALCH_TYPE_OPTION_METADATA: take_schema(L, b, index, type); return;
    case ALCH_TYPE_OPTION_INHERIT_SCHEMA: type->inherit_schema = lua_toboolean(L, index); return;
    case ALCH_TYPE_OPTION_CREATE_CONSTRAINT: type->create_constraint = lua_toboolean(L, index); return;
    case ALCH_TYPE_OPTION_NATIVE_ENUM: case ALCH_TYPE_OPTION_NATIVE_UUID: case ALCH_TYPE_OPTION_NATIVE: type->native = lua_toboolean(L, index); return;
    case ALCH_TYPE_OPTION_NONE_AS_NULL: type->null_as_json = !lua_toboolean(L, index); return;
    case ALCH_TYPE_OPTION_FIELDS: case ALCH_TYPE_OPTION_CHARSET: case ALCH_TYPE_OPTION_DEFINITION: type->detail = lua_tostring(L, index); return;
    default:
      if (lua_toboolean(L, index)) type->words |= UINT64_C(1) << option;
      else type->words &= ~(UINT64_C(1) << option);
  }
}

/* What stands in the text of a statement must be a word, or several. */
static void check_detail(lua_State *L, binding *b, const alch_type *type) {
  for (const char *at = TAKES(type, DEFINITION) ? NULL : type->detail; at && *at; at++)
    if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_' || *at == ' '))
      binding_error(L, b, ALCH_ERROR_ARGUMENT, "'%s' of %s must be a name, such as %s", type->detail, type_name(type), type->family == ALCH_TYPE_INTERVAL ? "DAY TO SECOND" : "utf8mb4");
}

/* The options table at index; its values stay in it while the type is being made. */
static void read_options(lua_State *L, binding *b, int index, alch_type *type) {
  binding_option known[ALCH_COUNT(options) + 1] = { { NULL, 0 } };
  uint64_t takes = alch_type_options(type);
  size_t count = 0;
  for (size_t i = 0; i < ALCH_COUNT(options); i++) {
    if (!(takes >> i & 1) || is_hidden((int)i)) continue;
    known[count] = options[i];
    if (i == ALCH_TYPE_OPTION_LENGTH && TAKES(type, MAX)) known[count].lua_type = LUA_TNONE;
    count++;
  }
  known[count] = (binding_option){ NULL, 0 };
  binding_options(L, b, index, known, type_name(type));
  for (size_t i = 0; i < ALCH_COUNT(options); i++) {
    if (!(takes >> i & 1) || is_hidden((int)i)) continue;
    lua_getfield(L, index, options[i].name);
    if (!lua_isnil(L, -1)) set_option(L, b, lua_gettop(L), (alch_type_option)i, type);
    lua_pop(L, 1);
  }
  check_detail(L, b, type);
}

/* ---- calls ---- */

static const char *enum_word(lua_State *L, binding *b, int index) {
  return binding_text(L, b, index, NULL, "words, as in Enum(\"new\", \"done\") or Enum{ \"new\", \"done\", name = \"state\" }", "Enum");
}

/* Enum{ "a", "b", name = … } or Enum("a", "b"). */
static int call_enum(lua_State *L, binding *b, alch_type *type) {
  bool table = lua_istable(L, 2);
  lua_Integer count = table ? (lua_Integer)lua_rawlen(L, 2) : lua_gettop(L) - 1;
  if (count < 1) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s needs at least one word", type_name(type));
  const char **items = lua_newuserdatauv(L, (size_t)count * sizeof *items, 0);
  for (lua_Integer i = 0; i < count; i++) {
    if (!table) { items[i] = enum_word(L, b, (int)i + 2); continue; }
    lua_rawgeti(L, 2, i + 1);
    items[i] = enum_word(L, b, -1);
    lua_pop(L, 1);
  }
  if (table) read_options(L, b, 2, type);
  type->items = items;
  type->item_count = (uint32_t)count;
  return push_type(L, b, type);
}

/* ARRAY(T), ARRAY{ T, dimensions = 2 } */
static int call_array(lua_State *L, binding *b, alch_type *type) {
  if (lua_istable(L, 2)) {
    read_options(L, b, 2, type);
    if (lua_rawlen(L, 2) != 1) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "ARRAY takes one type, as in ARRAY(Integer) or ARRAY{ Integer, dimensions = 2 }");
    lua_rawgeti(L, 2, 1);
    lua_replace(L, 2);
  }
  if (lua_gettop(L) > 2) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "ARRAY takes one type, as in ARRAY(Integer) or ARRAY{ Integer, dimensions = 2 }");
  type->item_id = binding_check_type(L, b, 2, "ARRAY");
  type->item = alch_catalog_type(b->catalog, type->item_id);
  if (type->item->family == ALCH_TYPE_ARRAY)
    return binding_error(L, b, ALCH_ERROR_ARGUMENT, "do not nest ARRAY types; ARRAY(item) holds lists of lists as well, and ARRAY{ item, dimensions = 2 } nothing else");
  return push_type(L, b, type);
}

/* DOMAIN{ type, name = …, definition = … }: values are those of the type. */
static int call_domain(lua_State *L, binding *b, alch_type *type) {
  if (!lua_istable(L, 2)) return binding_expected(L, b, 2, "a table with a type and a name", type_name(type));
  read_options(L, b, 2, type);
  if (!type->name) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s needs a name", type_name(type));
  lua_rawgeti(L, 2, 1);
  type->item_id = binding_check_type(L, b, lua_gettop(L), type_name(type));
  type->item = alch_catalog_type(b->catalog, type->item_id);
  type->family = type->item->family;
  return push_type(L, b, type);
}

static int too_many(lua_State *L, binding *b, const alch_type *type, int count) {
  return binding_error(L, b, ALCH_ERROR_ARGUMENT, count == 0 ? "%s takes no arguments without a name" : "%s takes at most %d arguments without a name", type_name(type), count);
}

static void call_positional(lua_State *L, binding *b, alch_type *type, const alch_type_option *positional, int count) {
  int given = lua_gettop(L) - 1;
  if (given > count) too_many(L, b, type, count);
  for (int i = 0; i < given; i++)
    if (!lua_isnil(L, i + 2)) set_option(L, b, i + 2, positional[i], type);
}

/* The positional part of a table: Numeric{ 10, 2, asdecimal = false }. */
static void call_table(lua_State *L, binding *b, alch_type *type, const alch_type_option *positional, int count) {
  read_options(L, b, 2, type);
  if ((int)lua_rawlen(L, 2) > count) too_many(L, b, type, count);
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
  alch_type_option positional[4];
  int count = positional_options(&type, positional);
  if (TAKES(&type, ITEMS)) return call_enum(L, b, &type);
  if (TAKES(&type, DEFINITION)) return call_domain(L, b, &type);
  if (type.family == ALCH_TYPE_ARRAY) return call_array(L, b, &type);
  if (lua_istable(L, 2)) call_table(L, b, &type, positional, count);
  else call_positional(L, b, &type, positional, count);
  return push_type(L, b, &type);
}

/* ---- types for some dialects ---- */

static const char *nearest_dialect(const char *name) {
  const char *const *names = alch_dialect_names();
  size_t count = 0;
  while (names[count]) count++;
  return alch_nearest(name, names, count);
}

static void check_variant(lua_State *L, binding *b, const alch_type *type, const char *dialect) {
  const alch_type_variant *variants = type->variants;
  bool known = alch_dialect_find(dialect) || alch_dialect_types(dialect);
  const char *nearest = known ? NULL : nearest_dialect(dialect);
  if (!known)
    binding_error(L, b, ALCH_ERROR_ARGUMENT, "with_variant: there is no dialect '%s'%s%s%s", dialect, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
  for (uint32_t i = 0; i < type->variant_count; i++)
    if (strcmp(variants[i].dialect, dialect) == 0) binding_error(L, b, ALCH_ERROR_ARGUMENT, "the type has a variant for the dialect '%s' already", dialect);
}

/* A value is made from a Lua table before any dialect is known, so what it is made of must be the same everywhere: an array's text in a JSON column would be no JSON. */
static void check_same_form(lua_State *L, binding *b, const alch_type *type, const alch_type *other) {
  bool table = type->family == ALCH_TYPE_ARRAY || type->family == ALCH_TYPE_HSTORE || other->family == ALCH_TYPE_ARRAY || other->family == ALCH_TYPE_HSTORE;
  if (!table || type->family == other->family) return;
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "the values of %s are not those of %s, so one cannot be the variant of the other; use JSON everywhere, or a TypeDecorator that writes the one form as the other",
                alch_type_family_name(other->family), alch_type_family_name(type->family));
}

/* type:with_variant(other, dialect, …) */
static int type_with_variant(lua_State *L) {
  binding *b = BINDING(L);
  const alch_type_id *id = binding_check(L, b, 1, BINDING_TYPE);
  alch_type_id other = binding_check_type(L, b, 2, "with_variant");
  alch_type type = *alch_catalog_type(b->catalog, *id);
  uint32_t count = (uint32_t)lua_gettop(L) - 2;
  if (count < 1) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "with_variant needs the name of a dialect: String(80):with_variant(Text, dialect)");
  if (alch_catalog_type(b->catalog, other)->variant_count > 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "the type that is to be the variant has variants of its own; give with_variant a plain type");
  check_same_form(L, b, &type, alch_catalog_type(b->catalog, other));
  alch_type_variant *variants = lua_newuserdatauv(L, (type.variant_count + count) * sizeof *variants, 0);
  if (type.variant_count > 0) memcpy(variants, type.variants, type.variant_count * sizeof *variants);
  for (uint32_t i = 0; i < count; i++) {
    const char *dialect = binding_text(L, b, (int)i + 3, NULL, "names of dialects", "with_variant");
    check_variant(L, b, &type, dialect);
    variants[type.variant_count] = (alch_type_variant){ dialect, alch_catalog_type(b->catalog, other), other };
    type.variants = variants;
    type.variant_count++;
  }
  return push_type(L, b, &type);
}

/* exact_types([dialect]): a table of the standard's exact types, or of those of one database, by name; nil when there is no such list. */
static int type_exact_types(lua_State *L) {
  binding *b = BINDING(L);
  const alch_exact_type *list = lua_isnoneornil(L, 1) ? alch_exact_types : alch_dialect_types(luaL_checkstring(L, 1));
  if (!list) return 0;
  lua_newtable(L);
  for (; list->name; list++) {
    push_type(L, b, &ALCH_TYPE_EXACT(list));
    lua_setfield(L, -2, list->name);
  }
  return 1;
}

/* exact_type(name): one of the standard's; nil when there is none of that name. */
static int type_exact_type(lua_State *L) {
  const alch_exact_type *exact = alch_exact_find(alch_exact_types, luaL_checkstring(L, 1));
  return exact ? push_type(L, BINDING(L), &ALCH_TYPE_EXACT(exact)) : 0;
}

/* The block at index, kept for a type; NULL for nil. */
static const alch_block *keep_block(lua_State *L, binding *b, int index) {
  if (lua_isnoneornil(L, index)) return NULL;
  const alch_block *block = binding_test(L, b, index, BINDING_EXPRESSION);
  if (!block) binding_expected(L, b, index, "an expression", "bind_expression and column_expression");
  const alch_block *kept = alch_catalog_keep_block(b->catalog, block, alch_block_size(block));
  if (!kept) binding_must(L, b, alch_error_out_of_memory(&b->error));
  return kept;
}

/* custom_type(impl, { bind = …, result = … } [, bind_expression, column_expression]): the table is kept as long as the state lives. */
static int type_custom(lua_State *L) {
  binding *b = BINDING(L);
  alch_type type = *alch_catalog_type(b->catalog, binding_check_type(L, b, 1, "the impl of a TypeDecorator"));
  luaL_checktype(L, 2, LUA_TTABLE);
  type.bind_expression = keep_block(L, b, 3);
  type.column_expression = keep_block(L, b, 4);
  lua_pushvalue(L, 2);
  type.host = luaL_ref(L, LUA_REGISTRYINDEX);
  return push_type(L, b, &type);
}

static int type_tostring(lua_State *L) {
  binding *b = BINDING(L);
  const alch_type_id *id = binding_check(L, b, 1, BINDING_TYPE);
  alch_type type = *alch_catalog_type(b->catalog, *id);
  int custom = type.host;
  type.host = 0;
  alch_buffer_clear(&b->scratch);
  alch_type_print(&type, &b->scratch);
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
  if (custom == 0) return 1;
  lua_rawgeti(L, LUA_REGISTRYINDEX, custom);
  lua_getfield(L, -1, "name");
  lua_pushfstring(L, "%s(%s)", lua_isstring(L, -1) ? lua_tostring(L, -1) : "TypeDecorator", lua_tostring(L, -3));
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

/* JSON.NULL: JSON's own null, as a value; where SQL's is not meant. */
static int json_null(lua_State *L, binding *b) {
  const alch_value value = alch_value_text("null", 4);
  alch_builder_start(&b->builder);
  alch_builder_bind(&b->builder, *(const alch_type_id *)lua_touserdata(L, 1), 0, NULL, &value, NULL);
  binding_push_block(L, b, BINDING_EXPRESSION);
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
  else if (binding_is(L, 2, "schema")) lua_pushstring(L, type->schema);
  else if (binding_is(L, 2, "dimensions")) return optional_integer(L, type->dimensions, 0);
  else if (binding_is(L, 2, "item_type")) return type->item ? (binding_push_type(L, b, type->item_id), 1) : (lua_pushnil(L), 1);
  else if (binding_is(L, 2, "NULL") && type->family == ALCH_TYPE_JSON) return json_null(L, b);
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
  static const luaL_Reg methods[] = { { "with_variant", type_with_variant }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "custom_type", type_custom }, { "is_type", type_is_type }, { "exact_type", type_exact_type }, { "exact_types", type_exact_types }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_TYPE, "type", methods, metamethods);
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
