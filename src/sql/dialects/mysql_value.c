/* Values between the program and MySQL or MariaDB (SQLAlchemy: sql/sqltypes.py: Interval, Uuid; dialects/mysql/json.py). */
#include "base/buffer.h"
#include "base/date.h"
#include "base/decimal.h"
#include "base/real.h"
#include "schema/json_path.h"
#include "sql/conversion.h"
#include "sql/dialects/mysql.h"
#include <string.h>

/* ---- into the database ---- */

/* An interval is the moment that it leads to, counted from 1970. */
static alch_status store(const alch_conversion *c, bool native_uuid) {
  if (alch_is_path(c->type)) return alch_store_path(c, alch_path_write_dollar);
  if (c->value->kind == ALCH_INTERVAL) c->value->kind = ALCH_DATETIME;
  if (c->value->kind == ALCH_TEXT && c->type->family == ALCH_TYPE_UUID) return alch_store_uuid(c, native_uuid && c->type->native);
  return ALCH_OK;
}

alch_status alch_mysql_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  return store(&c, false);
}

alch_status alch_mariadb_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  return store(&c, true);
}

/* ---- out of it ---- */

/* TINYINT may hold more than 0 and 1; all but 0 is true, as in the database's own conditions. */
static alch_status load_boolean(const alch_conversion *c) {
  if (c->value->kind == ALCH_BOOLEAN) return ALCH_OK;
  if (c->value->kind != ALCH_INTEGER) return alch_refuse_stored(c, "0 or 1");
  return alch_give_number(c, ALCH_BOOLEAN, c->value->integer != 0);
}

static bool is_number_text(const alch_value *value) { return value->kind == ALCH_DECIMAL || value->kind == ALCH_TEXT; }

/* sum() of integers is a DECIMAL. */
static alch_status load_integer(const alch_conversion *c) {
  alch_decimal decimal = { 0 };
  int64_t integer;
  if (!is_number_text(c->value)) return ALCH_OK;
  if (alch_decimal_parse(&decimal, c->value->text, c->value->length, NULL) != ALCH_OK || !alch_decimal_to_integer(&decimal, &integer)) return ALCH_OK;
  return alch_give_number(c, ALCH_INTEGER, integer);
}

static alch_status load_real(const alch_conversion *c) {
  alch_decimal decimal = { 0 };
  if (c->value->kind == ALCH_INTEGER) {
    *c->value = alch_value_real((double)c->value->integer);
    return ALCH_OK;
  }
  if (!is_number_text(c->value)) return ALCH_OK;
  if (alch_decimal_parse(&decimal, c->value->text, c->value->length, NULL) != ALCH_OK) return alch_refuse_stored(c, "a number");
  *c->value = alch_value_real(alch_decimal_to_real(&decimal));
  return ALCH_OK;
}

static alch_status load_numeric(const alch_conversion *c) {
  alch_decimal decimal = { 0 };
  if (c->type->as_number) return load_real(c);
  if (c->value->kind == ALCH_DECIMAL) return ALCH_OK;
  return alch_read_decimal(c->value, &decimal) ? alch_give_decimal(c, &decimal) : alch_refuse_stored(c, "a number of at most 38 digits");
}

static alch_status load_date(const alch_conversion *c) {
  alch_civil civil;
  int64_t days;
  if (c->value->kind == ALCH_DATE) return ALCH_OK;
  if (c->value->kind == ALCH_DATETIME) return alch_give_number(c, ALCH_DATE, c->value->integer / ALCH_MICROSECONDS_PER_DAY - (c->value->integer % ALCH_MICROSECONDS_PER_DAY < 0));
  if (c->value->kind != ALCH_TEXT) return alch_refuse_stored(c, "a date");
  if (alch_date_parse(c->value->text, c->value->length, &days)) return alch_give_number(c, ALCH_DATE, days);
  if (!alch_datetime_parse(c->value->text, c->value->length, &civil)) return alch_refuse_stored(c, "text such as 2024-02-29");
  return alch_give_number(c, ALCH_DATE, alch_microseconds_from_civil(&civil) / ALCH_MICROSECONDS_PER_DAY);
}

static alch_status load_time(const alch_conversion *c) {
  int64_t microseconds;
  if (c->value->kind == ALCH_TIME) return ALCH_OK;
  if (c->value->kind == ALCH_INTERVAL) return alch_give_number(c, ALCH_TIME, c->value->integer);
  if (c->value->kind == ALCH_TEXT && alch_time_parse(c->value->text, c->value->length, &microseconds)) return alch_give_number(c, ALCH_TIME, microseconds);
  return alch_refuse_stored(c, "a time such as 13:14:15.000001");
}

static alch_status load_moment(const alch_conversion *c, uint8_t kind) {
  alch_civil civil;
  if (c->value->kind == ALCH_DATETIME || c->value->kind == kind) return alch_give_number(c, kind, c->value->integer);
  if (c->value->kind == ALCH_DATE) return alch_give_number(c, kind, c->value->integer * ALCH_MICROSECONDS_PER_DAY);
  if (c->value->kind != ALCH_TEXT || !alch_datetime_parse(c->value->text, c->value->length, &civil)) return alch_refuse_stored(c, "a date and time such as 2024-02-29 13:14:15.000001");
  return alch_give_number(c, kind, alch_microseconds_from_civil(&civil));
}

alch_status alch_mysql_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
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
    case ALCH_TYPE_UUID: return alch_load_uuid(&c);
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
