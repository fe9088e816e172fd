/* How SQLite stores what it has no type for. The texts are SQLAlchemy's (dialects/sqlite/base.py: DATE, TIME, DATETIME; sql/sqltypes.py: Interval, Uuid, Boolean). */
#include "base/buffer.h"
#include "base/date.h"
#include "base/decimal.h"
#include "base/real.h"
#include "schema/json_path.h"
#include "sql/conversion.h"
#include "sql/dialects/sqlite.h"
#include <math.h>
#include <string.h>

/* A double keeps every decimal of so many significant digits apart (DBL_DIG). */
#define REAL_DIGITS 15
/* 0001-01-01 and the end of 9999-12-31, in days from 1970-01-01. */
#define FIRST_DAY INT64_C(-719162)
#define LAST_DAY INT64_C(2932896)

/* ---- into the database: by the kind of the value, so that one whose type is not known is stored alike ---- */

static alch_status store_date(const alch_conversion *c) {
  char text[48];
  int64_t days = c->value->integer;
  if (days < FIRST_DAY || days > LAST_DAY) return alch_error_set(c->error, ALCH_ERROR_DATA, "a date outside the years 1 to 9999 cannot be stored");
  return alch_give_text(c, ALCH_TEXT, text, alch_date_print(days, text));
}

static alch_status store_time(const alch_conversion *c) {
  char text[48];
  int64_t microseconds = c->value->integer;
  if (microseconds < 0 || microseconds >= ALCH_MICROSECONDS_PER_DAY) return alch_error_set(c->error, ALCH_ERROR_DATA, "a time outside 00:00 to 24:00 cannot be stored");
  return alch_give_text(c, ALCH_TEXT, text, alch_time_print(microseconds, true, text));
}

static alch_status store_datetime(const alch_conversion *c, const char *word) {
  char text[48];
  int64_t microseconds = c->value->integer;
  if (microseconds < FIRST_DAY * ALCH_MICROSECONDS_PER_DAY || microseconds >= (LAST_DAY + 1) * ALCH_MICROSECONDS_PER_DAY)
    return alch_error_set(c->error, ALCH_ERROR_DATA, "%s outside the years 1 to 9999 cannot be stored", word);
  return alch_give_text(c, ALCH_TEXT, text, alch_datetime_print(microseconds, true, text));
}

/* Digits between the first and the last that are not zero. */
static int significant_digits(const char *text, size_t length) {
  int count = 0, significant = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') continue;
    if (count > 0 || text[i] != '0') count++;
    if (text[i] != '0') significant = count;
  }
  return significant;
}

/* A whole number goes as an integer, another as the double nearest to it, from which its digits come back. As text it would be unequal to every number that stands in an
   expression and not in a column of its own. */
static alch_status store_decimal(const alch_conversion *c) {
  alch_decimal decimal = { 0 };
  int64_t integer;
  if (alch_decimal_parse(&decimal, c->value->text, c->value->length, c->error) != ALCH_OK) return ALCH_ERROR;
  if (alch_decimal_to_integer(&decimal, &integer)) return alch_give_number(c, ALCH_INTEGER, integer);
  if (significant_digits(c->value->text, c->value->length) > REAL_DIGITS)
    return alch_error_set(c->error, ALCH_ERROR_DATA,
                          "%.*s has more than 15 significant digits, and SQLite would round it; make the column a String, which keeps every digit, or round it, or say asdecimal = false and give a number",
                          (int)c->value->length, c->value->text);
  *c->value = alch_value_real(alch_decimal_to_real(&decimal));
  return ALCH_OK;
}

alch_status alch_sqlite_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  if (alch_is_path(type)) return alch_store_path(&c, alch_path_write_dollar);
  switch (value->kind) {
    case ALCH_BOOLEAN: value->kind = ALCH_INTEGER; return ALCH_OK;
    case ALCH_DATE: return store_date(&c);
    case ALCH_TIME: return store_time(&c);
    case ALCH_DATETIME: return store_datetime(&c, "a date and time");
    case ALCH_INTERVAL: return store_datetime(&c, "an interval that, counted from 1970, leads");
    case ALCH_DECIMAL: return store_decimal(&c);
    case ALCH_TEXT: return type->family == ALCH_TYPE_UUID ? alch_store_uuid(&c, false) : ALCH_OK;
    default: return ALCH_OK;
  }
}

/* A column JSON has numeric affinity (datatype3.html, 3.1), so that a document that is nothing but a number is a number of SQLite's there. Its digits would be read by SQLite itself, which may
   take a neighbour of the double (atof, 3.40) and rounds what is no double and no integer of 64 bits: so it goes as the number that it is, or is refused. */
alch_status alch_sqlite_to_column(const alch_type *type, alch_value *value, alch_error *error) {
  const char *text = value->text;
  size_t length = value->length;
  alch_decimal decimal;
  int64_t integer;
  double real;
  bool number = type->family == ALCH_TYPE_JSON && value->kind == ALCH_TEXT && length > 0 && (*text == '-' || (*text >= '0' && *text <= '9')) && alch_real_parse(text, length, &real);
  if (!number) return ALCH_OK;
  bool whole = !memchr(text, '.', length) && !memchr(text, 'e', length) && !memchr(text, 'E', length);
  if (whole && alch_decimal_parse(&decimal, text, length, NULL) == ALCH_OK && alch_decimal_to_integer(&decimal, &integer)) {
    *value = alch_value_integer(integer);
    return ALCH_OK;
  }
  if (whole && !alch_real_has_digits(real, text, length))
    return alch_error_set(error, ALCH_ERROR_DATA, "%.*s alone in a JSON column would be rounded by SQLite to a double; put it in a list or an object, or make a text of it", (int)length, text);
  *value = alch_value_real(real);
  return ALCH_OK;
}

/* ---- out of it ---- */

alch_status alch_sqlite_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  if (value->kind == ALCH_NULL) return ALCH_OK;
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: return alch_load_boolean(&c);
    case ALCH_TYPE_NUMERIC: return alch_load_numeric(&c);
    case ALCH_TYPE_DATE: return alch_load_date(&c);
    case ALCH_TYPE_TIME: return alch_load_time(&c);
    case ALCH_TYPE_DATETIME: return alch_load_datetime(&c);
    case ALCH_TYPE_INTERVAL: return alch_load_epoch_interval(&c);
    case ALCH_TYPE_UUID: return alch_load_uuid(&c);
    case ALCH_TYPE_ENUM: return type->item_count > 0 ? alch_load_enum(&c) : ALCH_OK;
    default: return ALCH_OK;
  }
}

bool alch_sqlite_converts(const alch_type *type, bool to_database) {
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: case ALCH_TYPE_NUMERIC: case ALCH_TYPE_DATE: case ALCH_TYPE_TIME: case ALCH_TYPE_DATETIME: case ALCH_TYPE_INTERVAL: case ALCH_TYPE_UUID: return true;
    case ALCH_TYPE_NULL: case ALCH_TYPE_JSON: case ALCH_TYPE_JSON_INDEX: case ALCH_TYPE_JSON_PATH: return to_database;    /* whatever comes */
    case ALCH_TYPE_ENUM: return !to_database && type->item_count > 0;
    default: return false;
  }
}

/* A number too large for a double is an infinity; there is no word for one. */
alch_status alch_sqlite_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, bool *written, alch_error *error) {
  (void)dialect, (void)type, (void)error;
  *written = value->kind == ALCH_REAL && isinf(value->real);
  if (*written) alch_buffer_add(out, value->real < 0 ? "-9e999" : "9e999");
  return ALCH_OK;
}
