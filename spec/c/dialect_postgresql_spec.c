/* Values between us and PostgreSQL: what goes as text, and what comes as text. The texts are those that a server of version 15 gives and takes. */
#include "base/date.h"
#include "ddl_build.h"
#include "sql/dialect.h"
#include <math.h>

typedef struct values { const alch_dialect *dialect; alch_buffer scratch, text; alch_error error; } values;

static void values_open(values *v) {
  v->dialect = alch_dialect_find("postgresql");
  CHECK(v->dialect != NULL);
  alch_buffer_init(&v->scratch, &alch_allocator_standard);
  alch_buffer_init(&v->text, &alch_allocator_standard);
  alch_error_init(&v->error, NULL);
}

static void values_close(values *v) {
  alch_buffer_close(&v->scratch);
  alch_buffer_close(&v->text);
  alch_error_close(&v->error);
}

/* The value as readable text. */
static const char *shown(values *v, const alch_value *value) {
  alch_buffer_clear(&v->text);
  alch_buffer_add(&v->text, alch_value_kind_name(value->kind));
  alch_buffer_add_char(&v->text, ' ');
  alch_value_print(value, &v->text, 0);
  return alch_buffer_text(&v->text);
}

static void check_out(values *v, alch_type type, alch_value value, const char *expected) {
  if (!CHECK_INT(v->dialect->to_database(&type, &value, &v->scratch, &v->error), ALCH_OK)) printf("# %s\n", alch_error_message(&v->error));
  CHECK_TEXT(shown(v, &value), expected);
}

static void check_in(values *v, alch_type type, const char *text, const char *expected) {
  alch_value value = alch_value_text(text, strlen(text));
  if (!CHECK_INT(v->dialect->from_database(&type, &value, &v->scratch, &v->error), ALCH_OK)) printf("# %s\n", alch_error_message(&v->error));
  CHECK_TEXT(shown(v, &value), expected);
}

static void check_refused(values *v, alch_type type, const char *text) {
  alch_value value = alch_value_text(text, strlen(text));
  CHECK_INT(v->dialect->from_database(&type, &value, &v->scratch, &v->error), ALCH_ERROR);
  CHECK_INT(v->error.kind, ALCH_ERROR_DATA);
}

static alch_type plain(uint8_t family) { return ALCH_TYPE_PLAIN(family); }

static alch_type zoned(uint8_t family) {
  alch_type type = ALCH_TYPE_PLAIN(family);
  type.timezone = true;
  return type;
}

static alch_type foreign(uint8_t family) {
  alch_type type = ALCH_TYPE_PLAIN(family);
  type.native = false;
  return type;
}

static alch_value number(uint8_t kind, int64_t integer) { return (alch_value){ .kind = kind, .integer = integer }; }

CASE("values go as they are where the protocol has a form for them") {
  values v;
  values_open(&v);
  check_out(&v, plain(ALCH_TYPE_BOOLEAN), alch_value_boolean(true), "boolean true");
  check_out(&v, plain(ALCH_TYPE_BOOLEAN), alch_value_boolean(false), "boolean false");
  check_out(&v, plain(ALCH_TYPE_INTEGER), alch_value_integer(-7), "integer -7");
  check_out(&v, plain(ALCH_TYPE_DATE), number(ALCH_DATE, 19782), "date 2024-02-29");
  check_out(&v, plain(ALCH_TYPE_TIME), number(ALCH_TIME, 47655000001), "time 13:14:15.000001");
  check_out(&v, zoned(ALCH_TYPE_TIME), number(ALCH_TIME, 47655000000), "time 13:14:15");
  check_out(&v, plain(ALCH_TYPE_DATETIME), number(ALCH_DATETIME, 0), "datetime 1970-01-01 00:00:00");
  check_out(&v, zoned(ALCH_TYPE_DATETIME), number(ALCH_DATETIME, 1), "datetime 1970-01-01 00:00:00.000001");
  check_out(&v, plain(ALCH_TYPE_INTERVAL), number(ALCH_INTERVAL, -90000 * ALCH_MICROSECONDS_PER_SECOND), "interval -1 days -01:00:00");
  check_out(&v, foreign(ALCH_TYPE_INTERVAL), number(ALCH_INTERVAL, 3600 * ALCH_MICROSECONDS_PER_SECOND), "datetime 1970-01-01 01:00:00");
  check_out(&v, plain(ALCH_TYPE_NUMERIC), (alch_value){ .kind = ALCH_DECIMAL, .text = "12.50", .length = 5 }, "decimal 12.50");
  check_out(&v, plain(ALCH_TYPE_JSON_PATH), alch_value_text("[\"a\",0,\"b c\"]", 13), "text '{a, 0, \"b c\"}'");
  check_out(&v, plain(ALCH_TYPE_UUID), alch_value_text("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", 36), "text 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'");
  check_out(&v, foreign(ALCH_TYPE_UUID), alch_value_text("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", 36), "text 'a0eebc999c0b4ef8bb6d6bb9bd380a11'");
  values_close(&v);
}

CASE("what the server writes comes as values") {
  values v;
  values_open(&v);
  check_in(&v, plain(ALCH_TYPE_BOOLEAN), "t", "boolean true");
  check_in(&v, plain(ALCH_TYPE_BOOLEAN), "f", "boolean false");
  check_in(&v, plain(ALCH_TYPE_BIG_INTEGER), "-9223372036854775808", "integer -9223372036854775808");
  check_in(&v, plain(ALCH_TYPE_DOUBLE), "1.5e-300", "real 1.5e-300");
  check_in(&v, plain(ALCH_TYPE_NUMERIC), "0012.500", "decimal 12.500");
  check_in(&v, plain(ALCH_TYPE_DATE), "2024-02-29", "date 2024-02-29");
  check_in(&v, plain(ALCH_TYPE_TIME), "13:14:15.000001", "time 13:14:15.000001");
  check_in(&v, zoned(ALCH_TYPE_TIME), "01:00:00+02", "time 23:00:00");
  check_in(&v, zoned(ALCH_TYPE_DATETIME), "2024-02-29 13:14:15.5+02", "datetime 2024-02-29 11:14:15.500000");
  check_in(&v, plain(ALCH_TYPE_DATETIME), "2024-02-29 13:14:15", "datetime 2024-02-29 13:14:15");
  check_in(&v, plain(ALCH_TYPE_INTERVAL), "1 day 02:03:04.5", "interval 1 day 02:03:04.500000");
  check_in(&v, plain(ALCH_TYPE_INTERVAL), "-1 days +02:00:00", "interval -22:00:00");
  check_in(&v, foreign(ALCH_TYPE_INTERVAL), "1970-01-02 00:00:01", "interval 1 day 00:00:01");
  check_in(&v, plain(ALCH_TYPE_UUID), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "text 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'");
  check_in(&v, foreign(ALCH_TYPE_UUID), "a0eebc999c0b4ef8bb6d6bb9bd380a11", "text 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'");
  alch_value blob = alch_value_text("\\x00fF41", 8);
  const alch_type bytes = plain(ALCH_TYPE_LARGE_BINARY);
  CHECK_INT(v.dialect->from_database(&bytes, &blob, &v.scratch, &v.error), ALCH_OK);
  CHECK_INT(blob.kind, ALCH_BLOB);
  CHECK(blob.length == 3 && memcmp(blob.text, "\0\xff" "A", 3) == 0);
  values_close(&v);
}

CASE("floats that are no numbers have words") {
  static const struct { const char *text; double real; } words[] = { { "Infinity", INFINITY }, { "-Infinity", -INFINITY } };
  values v;
  values_open(&v);
  const alch_type type = plain(ALCH_TYPE_DOUBLE);
  for (size_t i = 0; i < ALCH_COUNT(words); i++) {
    alch_value value = alch_value_text(words[i].text, strlen(words[i].text));
    CHECK_INT(v.dialect->from_database(&type, &value, &v.scratch, &v.error), ALCH_OK);
    CHECK(value.kind == ALCH_REAL && value.real == words[i].real);
  }
  alch_value nan = alch_value_text("NaN", 3);
  CHECK_INT(v.dialect->from_database(&type, &nan, &v.scratch, &v.error), ALCH_OK);
  CHECK(nan.kind == ALCH_REAL && isnan(nan.real));
  values_close(&v);
}

CASE("what no value of the type could be is refused") {
  values v;
  values_open(&v);
  check_refused(&v, plain(ALCH_TYPE_BOOLEAN), "2");
  check_refused(&v, plain(ALCH_TYPE_INTEGER), "1.5");
  check_refused(&v, plain(ALCH_TYPE_DATE), "infinity");
  check_refused(&v, plain(ALCH_TYPE_DATETIME), "2024-02-29 13:14:15 BC");
  check_refused(&v, plain(ALCH_TYPE_INTERVAL), "1 mon");
  check_refused(&v, plain(ALCH_TYPE_LARGE_BINARY), "\\x0");
  check_refused(&v, plain(ALCH_TYPE_LARGE_BINARY), "abc");
  check_refused(&v, foreign(ALCH_TYPE_UUID), "abc");
  values_close(&v);
}

CASE("a server gets the record of its version") {
  static const struct { uint16_t version, record; } versions[] = { { 19, 18 }, { 18, 18 }, { 17, 15 }, { 15, 15 }, { 14, 14 }, { 13, 13 }, { 12, 12 }, { 9, 12 } };
  const alch_dialect *newest = alch_dialect_find("postgresql");
  alch_error error;
  alch_error_init(&error, NULL);
  for (size_t i = 0; i < ALCH_COUNT(versions); i++) {
    const alch_dialect *one = alch_dialect_for_version(newest, versions[i].version, 0, 0);
    CHECK_INT(one->version_major, versions[i].record);
    CHECK_INT(alch_dialect_validate(one, &error), ALCH_OK);
  }
  alch_error_close(&error);
}
