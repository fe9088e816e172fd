/* Values between the program and MySQL or MariaDB (SQLAlchemy: sql/sqltypes.py: Interval, Uuid; dialects/mysql/json.py). */
#include "base/buffer.h"
#include "base/date.h"
#include "base/decimal.h"
#include "base/real.h"
#include "schema/json_path.h"
#include "sql/dialects/mysql.h"
#include <string.h>

typedef struct conversion {
  const alch_type *type;
  alch_value *value;
  alch_buffer *scratch;
  alch_error *error;
} conversion;

static alch_status give_text(const conversion *c, uint8_t kind, const char *text, size_t length) {
  alch_buffer_clear(c->scratch);
  alch_buffer_add_bytes(c->scratch, text, length);
  if (alch_buffer_failed(c->scratch)) return alch_error_out_of_memory(c->error);
  *c->value = (alch_value){ .kind = kind, .length = (uint32_t)length, .text = alch_buffer_text(c->scratch) };
  return ALCH_OK;
}

static alch_status give_number(const conversion *c, uint8_t kind, int64_t integer) {
  *c->value = (alch_value){ .kind = kind, .integer = integer };
  return ALCH_OK;
}

/* ---- into the database ---- */

static alch_status store_uuid(const conversion *c, bool dashes) {
  char digits[32], text[36];
  if (!alch_uuid_digits(c->value->text, c->value->length, digits)) return alch_error_set(c->error, ALCH_ERROR_DATA, "'%.*s' is no UUID", (int)c->value->length, c->value->text);
  if (!dashes) return give_text(c, ALCH_TEXT, digits, sizeof digits);
  alch_uuid_print(digits, text);
  return give_text(c, ALCH_TEXT, text, sizeof text);
}

static alch_status store_path(const conversion *c) {
  alch_buffer path;
  alch_buffer_init(&path, c->scratch->allocator);
  alch_status status = alch_path_write_dollar(c->type->family, c->value, &path, c->error);
  if (status == ALCH_OK) status = give_text(c, ALCH_TEXT, alch_buffer_text(&path), path.length);
  alch_buffer_close(&path);
  return status;
}

/* An interval is the moment that it leads to, counted from 1970. */
static alch_status store(const conversion *c, bool native_uuid) {
  if (c->type->family == ALCH_TYPE_JSON_INDEX || c->type->family == ALCH_TYPE_JSON_PATH) return store_path(c);
  if (c->value->kind == ALCH_INTERVAL) c->value->kind = ALCH_DATETIME;
  if (c->value->kind == ALCH_TEXT && c->type->family == ALCH_TYPE_UUID) return store_uuid(c, native_uuid && c->type->native);
  return ALCH_OK;
}

alch_status alch_mysql_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const conversion c = { type, value, scratch, error };
  return store(&c, false);
}

alch_status alch_mariadb_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const conversion c = { type, value, scratch, error };
  return store(&c, true);
}

/* ---- out of it ---- */

static alch_status refuse(const conversion *c, const char *expected) {
  alch_buffer type, value;
  alch_buffer_init(&type, c->scratch->allocator);
  alch_buffer_init(&value, c->scratch->allocator);
  alch_type_print(c->type, &type);
  alch_value_print(c->value, &value, 40);
  alch_status status = alch_error_set(c->error, ALCH_ERROR_DATA, "the database holds the %s %s where a %s stands, which is %s", alch_value_kind_name(c->value->kind), alch_buffer_text(&value),
                                      alch_buffer_text(&type), expected);
  alch_buffer_close(&type);
  alch_buffer_close(&value);
  return status;
}

/* TINYINT may hold more than 0 and 1; all but 0 is true, as in the database's own conditions. */
static alch_status load_boolean(const conversion *c) {
  if (c->value->kind == ALCH_BOOLEAN) return ALCH_OK;
  if (c->value->kind != ALCH_INTEGER) return refuse(c, "0 or 1");
  return give_number(c, ALCH_BOOLEAN, c->value->integer != 0);
}

static bool is_number_text(const alch_value *value) { return value->kind == ALCH_DECIMAL || value->kind == ALCH_TEXT; }

/* sum() of integers is a DECIMAL. */
static alch_status load_integer(const conversion *c) {
  alch_decimal decimal = { 0 };
  int64_t integer;
  if (!is_number_text(c->value)) return ALCH_OK;
  if (alch_decimal_parse(&decimal, c->value->text, c->value->length, NULL) != ALCH_OK || !alch_decimal_to_integer(&decimal, &integer)) return ALCH_OK;
  return give_number(c, ALCH_INTEGER, integer);
}

static alch_status load_real(const conversion *c) {
  alch_decimal decimal = { 0 };
  if (c->value->kind == ALCH_INTEGER) {
    *c->value = alch_value_real((double)c->value->integer);
    return ALCH_OK;
  }
  if (!is_number_text(c->value)) return ALCH_OK;
  if (alch_decimal_parse(&decimal, c->value->text, c->value->length, NULL) != ALCH_OK) return refuse(c, "a number");
  *c->value = alch_value_real(alch_decimal_to_real(&decimal));
  return ALCH_OK;
}

static alch_status load_numeric(const conversion *c) {
  alch_decimal decimal = { 0 };
  char text[ALCH_DECIMAL_TEXT_SIZE];
  if (c->type->as_number) return load_real(c);
  switch (c->value->kind) {
    case ALCH_DECIMAL: return ALCH_OK;
    case ALCH_INTEGER: alch_decimal_from_integer(&decimal, c->value->integer); break;
    case ALCH_REAL:
      if (alch_decimal_from_real(&decimal, c->value->real, NULL) != ALCH_OK) return refuse(c, "a number of at most 38 digits");
      break;
    case ALCH_TEXT:
      if (alch_decimal_parse(&decimal, c->value->text, c->value->length, NULL) != ALCH_OK) return refuse(c, "a number of at most 38 digits");
      break;
    default: return refuse(c, "a number");
  }
  return give_text(c, ALCH_DECIMAL, text, alch_decimal_print(&decimal, text));
}

static alch_status load_date(const conversion *c) {
  alch_civil civil;
  int64_t days;
  if (c->value->kind == ALCH_DATE) return ALCH_OK;
  if (c->value->kind == ALCH_DATETIME) return give_number(c, ALCH_DATE, c->value->integer / ALCH_MICROSECONDS_PER_DAY - (c->value->integer % ALCH_MICROSECONDS_PER_DAY < 0));
  if (c->value->kind != ALCH_TEXT) return refuse(c, "a date");
  if (alch_date_parse(c->value->text, c->value->length, &days)) return give_number(c, ALCH_DATE, days);
  if (!alch_datetime_parse(c->value->text, c->value->length, &civil)) return refuse(c, "text such as 2024-02-29");
  return give_number(c, ALCH_DATE, alch_microseconds_from_civil(&civil) / ALCH_MICROSECONDS_PER_DAY);
}

static alch_status load_time(const conversion *c) {
  int64_t microseconds;
  if (c->value->kind == ALCH_TIME) return ALCH_OK;
  if (c->type->family == ALCH_TYPE_JSON_INDEX || c->type->family == ALCH_TYPE_JSON_PATH) return store_path(c);
  if (c->value->kind == ALCH_INTERVAL) return give_number(c, ALCH_TIME, c->value->integer);
  if (c->value->kind == ALCH_TEXT && alch_time_parse(c->value->text, c->value->length, &microseconds)) return give_number(c, ALCH_TIME, microseconds);
  return refuse(c, "a time such as 13:14:15.000001");
}

static alch_status load_moment(const conversion *c, uint8_t kind) {
  alch_civil civil;
  if (c->value->kind == ALCH_DATETIME || c->value->kind == kind) return give_number(c, kind, c->value->integer);
  if (c->value->kind == ALCH_DATE) return give_number(c, kind, c->value->integer * ALCH_MICROSECONDS_PER_DAY);
  if (c->value->kind != ALCH_TEXT || !alch_datetime_parse(c->value->text, c->value->length, &civil)) return refuse(c, "a date and time such as 2024-02-29 13:14:15.000001");
  return give_number(c, kind, alch_microseconds_from_civil(&civil));
}

static alch_status load_uuid(const conversion *c) {
  char digits[32], text[36];
  if (c->value->kind != ALCH_TEXT || !alch_uuid_digits(c->value->text, c->value->length, digits)) return refuse(c, "text of 32 hexadecimal digits");
  alch_uuid_print(digits, text);
  return give_text(c, ALCH_TEXT, text, sizeof text);
}

alch_status alch_mysql_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const conversion c = { type, value, scratch, error };
  if (value->kind == ALCH_NULL) return ALCH_OK;
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: return load_boolean(&c);
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: return load_integer(&c);
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: return load_real(&c);
    case ALCH_TYPE_NUMERIC: return load_numeric(&c);
    case ALCH_TYPE_DATE: return load_date(&c);
    case ALCH_TYPE_TIME: return load_time(&c);
    case ALCH_TYPE_DATETIME: return load_moment(&c, ALCH_DATETIME);
    case ALCH_TYPE_INTERVAL: return load_moment(&c, ALCH_INTERVAL);
    case ALCH_TYPE_UUID: return load_uuid(&c);
    default: return ALCH_OK;
  }
}

bool alch_mysql_converts(const alch_type *type, bool to_database) {
  switch (type->family) {
    case ALCH_TYPE_INTERVAL: case ALCH_TYPE_UUID: return true;
    case ALCH_TYPE_NULL: case ALCH_TYPE_JSON_INDEX: case ALCH_TYPE_JSON_PATH: return to_database;    /* whatever comes */
    case ALCH_TYPE_BOOLEAN: case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: case ALCH_TYPE_NUMERIC: case ALCH_TYPE_DATE:
    case ALCH_TYPE_TIME: case ALCH_TYPE_DATETIME:
      return !to_database;
    default: return false;
  }
}
