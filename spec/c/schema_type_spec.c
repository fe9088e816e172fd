#include "schema_build.h"
#include <math.h>

static void check_printed(const alch_type *type, const char *expected) {
  alch_buffer out;
  alch_buffer_init(&out, &alch_allocator_standard);
  alch_type_print(type, &out);
  CHECK_TEXT(alch_buffer_text(&out), expected);
  alch_buffer_close(&out);
}

CASE("types print as a user writes them") {
  const char *const words[] = { "a", "b\"c\\" };
  alch_type text = ALCH_TYPE_PLAIN(ALCH_TYPE_STRING), number = ALCH_TYPE_PLAIN(ALCH_TYPE_NUMERIC), moment = ALCH_TYPE_PLAIN(ALCH_TYPE_DATETIME), choice = ALCH_TYPE_PLAIN(ALCH_TYPE_ENUM);
  check_printed(&text, "String");
  text.length = 80;
  check_printed(&text, "String(80)");
  text.collation = "NOCASE";
  check_printed(&text, "String{ 80, collation = \"NOCASE\" }");
  check_printed(&number, "Numeric");
  number.scale = 2;
  check_printed(&number, "Numeric{ scale = 2 }");
  number.precision = 10;
  check_printed(&number, "Numeric(10, 2)");
  number.as_number = true;
  check_printed(&number, "Numeric{ 10, 2, asdecimal = false }");
  moment.timezone = true;
  check_printed(&moment, "DateTime{ timezone = true }");
  choice.items = words;
  choice.item_count = 2;
  choice.name = "choice";
  check_printed(&choice, "Enum{ \"a\", \"b\\\"c\\\\\", name = \"choice\" }");
}

static alch_type random_type(const char *const *words) {
  static const char *const names[] = { NULL, "x", "y", "x\", name = \"y" };
  alch_type type = { .family = (uint8_t)check_random_below(ALCH_TYPE_FAMILY_COUNT), .timezone = check_random_below(2), .as_number = check_random_below(2), .native = check_random_below(2),
                     .create_constraint = check_random_below(2), .length = (int32_t)check_random_below(3), .precision = (int32_t)check_random_below(4) - 1,
                     .scale = (int32_t)check_random_below(3) - 1, .collation = names[check_random_below(4)], .name = names[check_random_below(4)], .host = (int64_t)check_random_below(3) };
  if (check_random_below(3) == 0) {
    type.exact = &alch_exact_types[check_random_below(25)];
    type.family = type.exact->family;
    type.word = type.exact->word;
  }
  type.words = check_random_below(2) ? ALCH_TAKES(UNSIGNED) : 0;
  type.dimensions = (uint8_t)check_random_below(2);
  type.null_as_json = check_random_below(2);
  if (type.precision > 0 && type.scale > type.precision) type.scale = type.precision;
  type.item_count = (uint32_t)check_random_below(3);
  type.items = words + check_random_below(2);
  return type;
}

static bool same_text(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Are two interned records the same type? They have been stripped of what means nothing. */
static bool same_type(const alch_type *a, const alch_type *b) {
  if (a->family != b->family || a->timezone != b->timezone || a->as_number != b->as_number || a->native != b->native || a->create_constraint != b->create_constraint) return false;
  if (a->exact != b->exact || a->words != b->words || a->dimensions != b->dimensions || a->null_as_json != b->null_as_json) return false;
  if (a->length != b->length || a->precision != b->precision || a->scale != b->scale || a->host != b->host || a->item_count != b->item_count) return false;
  for (uint32_t i = 0; i < a->item_count; i++)
    if (strcmp(a->items[i], b->items[i]) != 0) return false;
  return same_text(a->collation, b->collation) && same_text(a->name, b->name);
}

CASE("equal types have one id, and different ones have two") {
  static const char *const words[] = { "a", "a, b", "c" };
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  for (int i = 0; i < 4000; i++) {
    alch_type type = random_type(words);
    alch_type_id id = 0, again = 0;
    if (!CHECK_INT(alch_catalog_intern(s.catalog, &type, &id, &s.error), ALCH_OK)) break;
    CHECK_INT(alch_catalog_intern(s.catalog, alch_catalog_type(s.catalog, id), &again, &s.error), ALCH_OK);
    CHECK_INT(id, again);
  }
  for (uint32_t i = 0; i < s.catalog->type_count; i++)
    for (uint32_t j = 0; j < i; j++) CHECK(!same_type(alch_catalog_type(s.catalog, i), alch_catalog_type(s.catalog, j)));
  schema_close(&s);
}

CASE("a plain type's id is its family") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  for (uint8_t family = 0; family < ALCH_TYPE_FAMILY_COUNT; family++) {
    alch_type type = ALCH_TYPE_PLAIN(family);
    alch_type_id id = 99;
    CHECK_INT(alch_catalog_intern(s.catalog, &type, &id, &s.error), ALCH_OK);
    CHECK_INT(id, family);
    CHECK_INT(alch_type_family_find(alch_type_family_name(family)), family);
  }
  CHECK_INT(alch_type_family_find("Strin"), -1);
  schema_close(&s);
}

CASE("types that cannot be are refused") {
  const char *const words[] = { "a", "b", "a" };
  schema s;
  alch_type_id id;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_type text = ALCH_TYPE_PLAIN(ALCH_TYPE_STRING), number = ALCH_TYPE_PLAIN(ALCH_TYPE_NUMERIC), choice = ALCH_TYPE_PLAIN(ALCH_TYPE_ENUM), none = ALCH_TYPE_PLAIN(200);
  text.length = -1;
  CHECK_FAILED(&s, alch_catalog_intern(s.catalog, &text, &id, &s.error), ALCH_ERROR_ARGUMENT, "length must be positive");
  number.precision = 2;
  number.scale = 3;
  CHECK_FAILED(&s, alch_catalog_intern(s.catalog, &number, &id, &s.error), ALCH_ERROR_ARGUMENT, "scale (3)");
  choice.items = words;
  choice.item_count = 3;
  CHECK_FAILED(&s, alch_catalog_intern(s.catalog, &choice, &id, &s.error), ALCH_ERROR_ARGUMENT, "'a' stands there twice");
  CHECK_FAILED(&s, alch_catalog_intern(s.catalog, &none, &id, &s.error), ALCH_ERROR_ARGUMENT, "no type family 200");
  schema_close(&s);
}

/* ---- coercion ---- */

typedef struct coercion { alch_buffer scratch; alch_error error; } coercion;

static alch_status coerce(coercion *c, alch_type type, alch_value *value) {
  return alch_type_coerce(&type, value, &c->scratch, &c->error);
}

static void open_coercion(coercion *c) {
  alch_buffer_init(&c->scratch, &alch_allocator_standard);
  alch_error_init(&c->error, &alch_allocator_standard);
}

static void close_coercion(coercion *c) {
  alch_buffer_close(&c->scratch);
  alch_error_close(&c->error);
}

static alch_value text(const char *words) {
  return alch_value_text(words, strlen(words));
}

/* What comes of a value, printed; or the error's message. */
static const char *becomes(alch_type type, alch_value value) {
  static char line[256];
  coercion c;
  alch_buffer out;
  open_coercion(&c);
  alch_buffer_init(&out, &alch_allocator_standard);
  if (coerce(&c, type, &value) == ALCH_OK) {
    alch_buffer_add_format(&out, "%s ", alch_value_kind_name(value.kind));
    alch_value_print(&value, &out, 0);
  } else {
    alch_buffer_add_format(&out, "%s: %s", alch_error_kind_name(c.error.kind), alch_error_message(&c.error));
  }
  snprintf(line, sizeof line, "%s", alch_buffer_text(&out));
  alch_buffer_close(&out);
  close_coercion(&c);
  return line;
}

#define PLAIN(family) ALCH_TYPE_PLAIN(ALCH_TYPE_##family)

CASE("numbers are taken where nothing is lost") {
  CHECK_TEXT(becomes(PLAIN(INTEGER), alch_value_real(3)), "integer 3");
  CHECK_TEXT(becomes(PLAIN(INTEGER), alch_value_real(-0x1p63)), "integer -9223372036854775808");
  CHECK(strstr(becomes(PLAIN(INTEGER), alch_value_real(0x1p63)), "DataError: Integer takes a 64-bit integer, not the real") != NULL);
  CHECK_TEXT(becomes(PLAIN(INTEGER), alch_value_real(1.5)), "DataError: Integer takes an integer, not the real 1.5; round it first, with math.floor, or make the column a Double");
  CHECK(strstr(becomes(PLAIN(INTEGER), alch_value_real(NAN)), "DataError") != NULL);
  CHECK(strstr(becomes(PLAIN(INTEGER), text("3")), "write math.tointeger(text)") != NULL);
  CHECK(strstr(becomes(PLAIN(INTEGER), alch_value_boolean(true)), "make the column a Boolean") != NULL);
  CHECK_TEXT(becomes(PLAIN(DOUBLE), alch_value_integer(3)), "real 3.0");
  CHECK(strstr(becomes(PLAIN(DOUBLE), alch_value_integer((INT64_C(1) << 53) + 1)), "DataError") != NULL);
  CHECK(strstr(becomes(PLAIN(DOUBLE), alch_value_integer(INT64_MAX)), "DataError") != NULL);
  CHECK_TEXT(becomes(PLAIN(DOUBLE), alch_value_real(INFINITY)), "real inf");
}

CASE("decimals come of integers, reals and text, and keep their digits") {
  alch_type money = PLAIN(NUMERIC);
  money.precision = 10;
  money.scale = 2;
  CHECK_TEXT(becomes(money, alch_value_integer(12)), "decimal 12");
  CHECK_TEXT(becomes(money, alch_value_real(0.1)), "decimal 0.1");
  CHECK_TEXT(becomes(money, text("+01.50")), "decimal 1.50");
  CHECK_TEXT(becomes(money, text("1.5000")), "decimal 1.5000");
  CHECK_TEXT(becomes(money, text("1.505")),
             "DataError: Numeric(10, 2) takes a number with at most 2 digits behind the point, not the text '1.505'; round it first");
  CHECK(strstr(becomes(money, text("ten")), "DataError: Numeric(10, 2) takes a decimal number of at most 38 digits, not the text 'ten'") != NULL);
  CHECK(strstr(becomes(money, alch_value_real(NAN)), "finite") != NULL);
  CHECK_TEXT(becomes(PLAIN(NUMERIC), text("12345678901234567890.123456789")), "decimal 12345678901234567890.123456789");
}

CASE("text, bytes and words") {
  const char *const words[] = { "red", "blue" };
  alch_type colour = PLAIN(ENUM);
  colour.items = words;
  colour.item_count = 2;
  CHECK_TEXT(becomes(PLAIN(STRING), text("a")), "text 'a'");
  CHECK(strstr(becomes(PLAIN(STRING), alch_value_text("a\0b", 3)), "text without zero bytes") != NULL);
  CHECK(strstr(becomes(PLAIN(STRING), alch_value_integer(1)), "write tostring(value)") != NULL);
  CHECK(strncmp(becomes(PLAIN(LARGE_BINARY), alch_value_text("a\0b", 3)), "blob", 4) == 0);
  CHECK_TEXT(becomes(colour, text("red")), "text 'red'");
  CHECK(strstr(becomes(colour, text("rad")), "did you mean 'red'?") != NULL);
  CHECK(strstr(becomes(colour, text("yellowish")), "the words are 'red', 'blue'") != NULL);
  CHECK_TEXT(becomes(PLAIN(UUID), text("0123456789ABCDEF0123456789abcdef")), "text '01234567-89ab-cdef-0123-456789abcdef'");
  CHECK_TEXT(becomes(PLAIN(UUID), text("01234567-89ab-cdef-0123-456789abcdef")), "text '01234567-89ab-cdef-0123-456789abcdef'");
  CHECK(strstr(becomes(PLAIN(UUID), text("01234567-89ab-cdef-0123-456789abcdeg")), "DataError") != NULL);
  CHECK_TEXT(becomes(PLAIN(JSON), alch_value_boolean(true)), "text 'true'");
  CHECK_TEXT(becomes(PLAIN(JSON), alch_value_integer(-7)), "text '-7'");
  CHECK(strstr(becomes(PLAIN(JSON), alch_value_real(INFINITY)), "DataError") != NULL);
}

CASE("booleans, dates and times") {
  alch_type aware = PLAIN(DATETIME);
  aware.timezone = true;
  CHECK_TEXT(becomes(PLAIN(BOOLEAN), alch_value_integer(1)), "boolean true");
  CHECK_TEXT(becomes(PLAIN(BOOLEAN), alch_value_real(0)), "boolean false");
  CHECK(strstr(becomes(PLAIN(BOOLEAN), alch_value_integer(2)), "true, false, 1 or 0") != NULL);
  CHECK(strncmp(becomes(PLAIN(DATE), text("2024-02-29")), "date", 4) == 0);
  CHECK(strstr(becomes(PLAIN(DATE), text("2023-02-29")), "DataError") != NULL);
  CHECK(strncmp(becomes(PLAIN(DATE), (alch_value){ .kind = ALCH_DATETIME, .integer = INT64_C(-86400000000) }), "date", 4) == 0);
  CHECK(strstr(becomes(PLAIN(DATE), (alch_value){ .kind = ALCH_DATETIME, .integer = 1 }), "it would lose its time") != NULL);
  CHECK(strncmp(becomes(PLAIN(TIME), text("13:14:15.5")), "time", 4) == 0);
  CHECK(strncmp(becomes(PLAIN(INTERVAL), text("P1DT2H")), "interval", 8) == 0);
  CHECK(strstr(becomes(PLAIN(DATETIME), text("2024-02-29 13:14:15+02:00")), "without an offset") != NULL);
  coercion c;
  open_coercion(&c);
  alch_value east = text("2024-02-29T13:14:15+02:00"), utc = text("2024-02-29 11:14:15"), edge = text("0001-01-01 00:00:00+02:00");
  CHECK_INT(coerce(&c, aware, &east), ALCH_OK);
  CHECK_INT(coerce(&c, aware, &utc), ALCH_OK);
  CHECK_INT(east.integer, utc.integer);
  CHECK_INT(coerce(&c, aware, &edge), ALCH_ERROR);
  close_coercion(&c);
}

CASE("what is right already is not touched, and coercion is the same the second time") {
  static const uint8_t families[] = { ALCH_TYPE_INTEGER, ALCH_TYPE_DOUBLE, ALCH_TYPE_NUMERIC, ALCH_TYPE_STRING, ALCH_TYPE_BOOLEAN, ALCH_TYPE_LARGE_BINARY, ALCH_TYPE_JSON };
  coercion c;
  open_coercion(&c);
  for (int i = 0; i < 2000; i++) {
    alch_type type = ALCH_TYPE_PLAIN(families[check_random_below(sizeof families)]);
    alch_value value = check_random_below(2) ? alch_value_integer((int64_t)check_random_below(4) - 1) : alch_value_real((double)check_random_below(8) / 2);
    alch_value once = value;
    if (coerce(&c, type, &once) != ALCH_OK) continue;
    CHECK_INT(once.kind, alch_type_value_kind(type.family));
    alch_value twice = once;
    char kept[64];
    if (alch_value_has_text(once.kind)) {
      memcpy(kept, once.text, once.length);
      once.text = kept;
    }
    CHECK_INT(coerce(&c, type, &twice), ALCH_OK);
    CHECK(alch_value_equal(&once, &twice));
  }
  close_coercion(&c);
}

CASE("null, lists, host values and custom types pass") {
  alch_type custom = PLAIN(INTEGER);
  custom.host = 7;
  CHECK_TEXT(becomes(PLAIN(INTEGER), ALCH_VALUE_NULL), "null NULL");
  CHECK(strncmp(becomes(custom, text("x")), "text", 4) == 0);
  CHECK(strncmp(becomes(PLAIN(INTEGER), (alch_value){ .kind = ALCH_HOST, .integer = 3 }), "host", 4) == 0);
}
