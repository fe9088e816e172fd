/* Values on their way to SQL Server and back, as an ODBC driver has them: dates and decimals go as what they are, a BIT is 0 or 1, an Interval is a moment counted from 1970 (SQLAlchemy's Interval). */
#include "base/buffer.h"
#include "base/date.h"
#include "base/decimal.h"
#include "schema/json_path.h"
#include "sql/conversion.h"
#include "sql/dialects/mssql.h"
#include <math.h>
#include <string.h>

/* ---- into the database ---- */

/* A DATETIME counts in three hundredths of a second, which all hundredths are among. */
static int seconds_of(const alch_type *type) {
  if (type->word && strcmp(type->word, "SMALLDATETIME") == 0) return 0;
  return type->word && strcmp(type->word, "DATETIME") == 0 && !type->timezone ? 2 : 6;
}

alch_status alch_mssql_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  if (alch_is_path(type)) return alch_store_path(&c, alch_path_write_dollar);
  if (alch_check_digits(&c, seconds_of(type), 0) != ALCH_OK) return ALCH_ERROR;
  if (!type->word && type->family == ALCH_TYPE_NUMERIC && type->precision <= 0 && alch_check_scale(&c, ALCH_MSSQL_NUMERIC_SCALE) != ALCH_OK) return ALCH_ERROR;
  switch (value->kind) {
    case ALCH_BOOLEAN: value->kind = ALCH_INTEGER; return ALCH_OK;
    case ALCH_INTERVAL: return alch_store_epoch_interval(&c);
    case ALCH_TEXT: return type->family == ALCH_TYPE_UUID ? alch_store_uuid(&c, type->native) : ALCH_OK;
    default: return ALCH_OK;
  }
}

/* ---- out of it ---- */

/* A moment as text has a blank before its offset: 2024-02-29 13:14:15.0000010 +02:00. */
static void close_up(alch_value *value, char text[48]) {
  uint32_t length = 0;
  if (value->kind != ALCH_TEXT || value->length >= 48) return;
  for (uint32_t i = 0; i < value->length; i++)
    if (!(value->text[i] == ' ' && i + 1 < value->length && (value->text[i + 1] == '+' || value->text[i + 1] == '-'))) text[length++] = value->text[i];
  value->text = text;
  value->length = length;
}

static alch_status load_moment(const alch_conversion *c, alch_status (*load)(const alch_conversion *c)) {
  char text[48];
  alch_value closed = *c->value;
  const alch_conversion closed_up = { c->type, &closed, c->scratch, c->error };
  close_up(&closed, text);
  if (load(&closed_up) != ALCH_OK) return ALCH_ERROR;
  *c->value = closed;
  return ALCH_OK;
}

alch_status alch_mssql_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  if (value->kind == ALCH_NULL) return ALCH_OK;
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: return alch_load_boolean(&c);
    case ALCH_TYPE_NUMERIC: return alch_load_numeric(&c);
    case ALCH_TYPE_DATE: return load_moment(&c, alch_load_date);
    case ALCH_TYPE_TIME: return alch_load_time(&c);
    case ALCH_TYPE_DATETIME: return load_moment(&c, alch_load_datetime);
    case ALCH_TYPE_INTERVAL: return load_moment(&c, alch_load_epoch_interval);
    case ALCH_TYPE_UUID: return alch_load_uuid(&c);
    case ALCH_TYPE_ENUM: return type->item_count > 0 ? alch_load_enum(&c) : ALCH_OK;
    default: return ALCH_OK;
  }
}

/* ---- as text ---- */

static bool is_ascii(const alch_value *value) {
  for (uint32_t i = 0; i < value->length; i++)
    if ((unsigned char)value->text[i] >= 0x80) return false;
  return true;
}

/* N'…' keeps the letters that the code page of the database has not. */
static alch_status write_text(const alch_type *type, const alch_value *value, alch_buffer *out, alch_error *error) {
  bool national = type->family == ALCH_TYPE_UNICODE || type->family == ALCH_TYPE_UNICODE_TEXT || !is_ascii(value);
  if (value->length > 0 && memchr(value->text, 0, value->length))
    return alch_error_set(error, ALCH_ERROR_DATA, "text with a zero byte cannot be written as a literal; send it as a parameter");
  alch_buffer_add(out, national ? "N'" : "'");
  for (uint32_t i = 0; i < value->length; i++) {
    if (value->text[i] == '\'') alch_buffer_add_char(out, '\'');
    alch_buffer_add_char(out, value->text[i]);
  }
  alch_buffer_add_char(out, '\'');
  return ALCH_OK;
}

static void write_blob(const alch_value *value, alch_buffer *out) {
  alch_buffer_add(out, "0x");
  for (uint32_t i = 0; i < value->length; i++) alch_buffer_add_format(out, "%02x", (unsigned)(unsigned char)value->text[i]);
}

/* With a T between, since the form with a space is read by the session's DATEFORMAT. */
static void write_moment(const alch_type *type, int64_t microseconds, alch_buffer *out) {
  char text[48];
  alch_datetime_print(microseconds, false, text);
  text[10] = 'T';
  alch_buffer_add_format(out, type->timezone ? "CAST('%s+00:00' AS DATETIMEOFFSET)" : "CAST('%s' AS DATETIME2)", text);
}

alch_status alch_mssql_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, bool *written, alch_error *error) {
  char text[48];
  (void)dialect;
  *written = true;
  switch (value->kind) {
    case ALCH_TEXT:
      if (type->family == ALCH_TYPE_UUID || alch_is_path(type)) break;
      return write_text(type, value, out, error);
    case ALCH_BLOB: write_blob(value, out); return ALCH_OK;
    case ALCH_DATE:
      alch_date_print(value->integer, text);
      alch_buffer_add_format(out, "CAST('%s' AS DATE)", text);
      return ALCH_OK;
    case ALCH_TIME:
      alch_time_print(value->integer, false, text);
      alch_buffer_add_format(out, "CAST('%s' AS TIME)", text);
      return ALCH_OK;
    case ALCH_DATETIME: case ALCH_INTERVAL: write_moment(type, value->integer, out); return ALCH_OK;
    default: break;
  }
  *written = false;
  return ALCH_OK;
}

bool alch_mssql_converts(const alch_type *type, bool to_database) {
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: case ALCH_TYPE_INTERVAL: case ALCH_TYPE_UUID: return true;
    case ALCH_TYPE_TIME: case ALCH_TYPE_DATETIME: return !to_database || type->word;
    case ALCH_TYPE_NUMERIC: return true;
    case ALCH_TYPE_DATE: return !to_database;
    case ALCH_TYPE_NULL: case ALCH_TYPE_JSON_INDEX: case ALCH_TYPE_JSON_PATH: return to_database;    /* whatever comes */
    case ALCH_TYPE_ENUM: return !to_database && type->item_count > 0;
    default: return false;
  }
}
