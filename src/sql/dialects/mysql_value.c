/* Values between the program and MySQL or MariaDB (SQLAlchemy: sql/sqltypes.py: Interval, Uuid; dialects/mysql/json.py). */
#include "base/buffer.h"
#include "base/date.h"
#include "base/decimal.h"
#include "base/real.h"
#include "schema/json_path.h"
#include "sql/conversion.h"
#include "sql/dialects/mysql.h"
#include <string.h>

#define NUMERIC_SCALE 30   /* the most that both servers have */

/* ---- into the database ---- */

static alch_status store(const alch_conversion *c, bool native_uuid) {
  if (alch_is_path(c->type)) return alch_store_path(c, alch_path_write_dollar);
  /* the server would round, or cut off, without a word */
  if (alch_check_digits(c, 0, 0) != ALCH_OK) return ALCH_ERROR;
  if (c->type->family == ALCH_TYPE_NUMERIC && alch_check_scale(c, NUMERIC_SCALE) != ALCH_OK) return ALCH_ERROR;
  if (c->value->kind == ALCH_INTERVAL) return alch_store_epoch_interval(c);
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

/* A Numeric without a scale is a DECIMAL(65, 30): zeros at its end are the column's and not the value's. */
static alch_status load_numeric(const alch_conversion *c) {
  alch_value *value = c->value;
  if (value->kind == ALCH_DECIMAL && c->type->scale < 0 && memchr(value->text, '.', value->length)) {
    while (value->text[value->length - 1] == '0') value->length--;
    if (value->text[value->length - 1] == '.') value->length--;
  }
  return alch_load_numeric(c);
}

alch_status alch_mysql_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  if (value->kind == ALCH_NULL) return ALCH_OK;
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: return load_boolean(&c);
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: return alch_load_integer(&c);
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: return alch_load_real(&c);
    case ALCH_TYPE_NUMERIC: return load_numeric(&c);
    case ALCH_TYPE_DATE: return alch_load_date(&c);
    case ALCH_TYPE_TIME: return alch_load_time(&c);
    case ALCH_TYPE_DATETIME: return alch_load_datetime(&c);
    case ALCH_TYPE_INTERVAL: return alch_load_epoch_interval(&c);
    case ALCH_TYPE_UUID: return alch_load_uuid(&c);
    default: return ALCH_OK;
  }
}

bool alch_mysql_converts(const alch_type *type, bool to_database) {
  switch (type->family) {
    case ALCH_TYPE_INTERVAL: case ALCH_TYPE_UUID: case ALCH_TYPE_NUMERIC: return true;
    case ALCH_TYPE_NULL: case ALCH_TYPE_JSON_INDEX: case ALCH_TYPE_JSON_PATH: return to_database;    /* whatever comes */
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: case ALCH_TYPE_TIME: case ALCH_TYPE_DATETIME: return !to_database || type->word;
    case ALCH_TYPE_BOOLEAN: case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: case ALCH_TYPE_DATE: return !to_database;
    default: return false;
  }
}

/* A moment with a zone is stored as the clock of UTC; an offset behind it would be taken for a part of it, or for another zone's. */
alch_status alch_mysql_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, bool *written, alch_error *error) {
  char text[48];
  (void)dialect, (void)type, (void)error;
  *written = value->kind == ALCH_DATETIME;
  if (!*written) return ALCH_OK;
  alch_datetime_print(value->integer, false, text);
  alch_buffer_add_format(out, "'%s'", text);
  return ALCH_OK;
}
