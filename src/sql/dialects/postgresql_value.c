/* Values of results, in the server's text format or as a driver has read them (https://www.postgresql.org/docs/current/datatype.html), and as literals. */
#include "base/buffer.h"
#include "base/date.h"
#include "base/decimal.h"
#include "base/real.h"
#include "schema/array_text.h"
#include "schema/json_path.h"
#include "sql/conversion.h"
#include "sql/compile.h"
#include "sql/dialects/postgresql.h"
#include <math.h>
#include <string.h>

/* Microseconds as seconds in a double, to the last one. */
#define EXACT_SECONDS (INT64_C(1) << 50)
#define MICROSECONDS_PER_MINUTE (60 * ALCH_MICROSECONDS_PER_SECOND)

/* ---- into the database: truths, numbers and moments go as they are, since a driver knows the protocol's forms ---- */

static size_t print_moment(const alch_type *type, const alch_value *value, char text[48]) {
  size_t length = 0;
  switch (value->kind) {
    case ALCH_DATE: return alch_date_print(value->integer, text);
    case ALCH_TIME: length = alch_time_print(value->integer, false, text); break;
    case ALCH_DATETIME: length = alch_datetime_print(value->integer, false, text); break;
    default: return type->native ? alch_interval_print(value->integer, text) : alch_datetime_print(value->integer, false, text);
  }
  if (!type->timezone) return length;
  memcpy(text + length, "+00:00", sizeof "+00:00");
  return length + strlen("+00:00");
}

/* One that is no UUID in the database is its 32 digits. */
static bool is_digits(const alch_type *type) { return type->family == ALCH_TYPE_UUID && !type->native; }

alch_status alch_postgresql_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  if (type->family == ALCH_TYPE_JSON_PATH && value->kind == ALCH_TEXT) return alch_store_path(&c, alch_path_write_braces);
  if (alch_check_digits(&c, 6, -1) != ALCH_OK) return ALCH_ERROR;
  if (is_digits(type) && value->kind == ALCH_TEXT) return alch_store_uuid(&c, false);
  if (type->family == ALCH_TYPE_INTERVAL && !type->native && value->kind == ALCH_INTERVAL) value->kind = ALCH_DATETIME;
  return ALCH_OK;
}

/* ---- out of it: a driver may have made numbers of texts already ---- */

static bool is_text(const alch_value *value, const char *text) { return value->kind == ALCH_TEXT && value->length == strlen(text) && memcmp(value->text, text, value->length) == 0; }

static alch_status load_boolean(const alch_conversion *c) {
  if (c->value->kind == ALCH_BOOLEAN) return ALCH_OK;
  bool truth = is_text(c->value, "t") || is_text(c->value, "true");
  if (!truth && !is_text(c->value, "f") && !is_text(c->value, "false")) return alch_refuse_stored(c, "t or f");
  return alch_give_number(c, ALCH_BOOLEAN, truth);
}

/* A time with a zone carries it behind: it goes to UTC, as timestamps do. */
static bool parse_time(const alch_value *value, int64_t *microseconds) {
  char text[64];
  alch_civil civil;
  if (value->kind != ALCH_TEXT || value->length > sizeof text - sizeof "1970-01-02 ") return false;
  memcpy(text, "1970-01-02 ", 11);
  memcpy(text + 11, value->text, value->length);
  if (!alch_datetime_parse(text, 11 + value->length, &civil)) return false;
  *microseconds = (alch_microseconds_from_civil(&civil) - (civil.has_offset ? civil.offset * MICROSECONDS_PER_MINUTE : 0)) % ALCH_MICROSECONDS_PER_DAY;
  return true;
}

static alch_status load_time(const alch_conversion *c) {
  int64_t microseconds;
  return parse_time(c->value, &microseconds) ? alch_give_number(c, ALCH_TIME, microseconds) : alch_load_time(c);
}

/* One that is no INTERVAL in the database is a timestamp, counted from 1970. */
static alch_status load_interval(const alch_conversion *c) {
  int64_t microseconds;
  if (!c->type->native) return alch_load_epoch_interval(c);
  if (c->value->kind == ALCH_TEXT && alch_interval_parse(c->value->text, c->value->length, &microseconds)) return alch_give_number(c, ALCH_INTERVAL, microseconds);
  return c->value->kind == ALCH_INTERVAL ? ALCH_OK : alch_refuse_stored(c, "an interval such as 1 day 02:03:04, without months and years");
}

static alch_status load_blob(const alch_conversion *c) {
  alch_buffer_clear(c->scratch);
  if (!alch_array_bytes(c->value, c->scratch)) return alch_refuse_stored(c, "text such as \\x00ff");
  return alch_buffer_failed(c->scratch) ? alch_error_out_of_memory(c->error) : ALCH_OK;
}

alch_status alch_postgresql_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  if (value->kind == ALCH_NULL) return ALCH_OK;
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: return load_boolean(&c);
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: return alch_load_integer(&c);
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: return alch_load_real(&c);
    case ALCH_TYPE_NUMERIC: return alch_load_numeric(&c);
    case ALCH_TYPE_DATE: return alch_load_date(&c);
    case ALCH_TYPE_TIME: return load_time(&c);
    case ALCH_TYPE_DATETIME: return alch_load_datetime(&c);
    case ALCH_TYPE_INTERVAL: return load_interval(&c);
    case ALCH_TYPE_LARGE_BINARY: return load_blob(&c);
    case ALCH_TYPE_UUID: return type->native ? ALCH_OK : alch_load_uuid(&c);
    default: return ALCH_OK;
  }
}

bool alch_postgresql_converts(const alch_type *type, bool to_database) {
  switch (type->family) {
    case ALCH_TYPE_INTERVAL: return !to_database || !type->native || type->word;
    case ALCH_TYPE_TIME: case ALCH_TYPE_DATETIME: return !to_database || type->word;
    case ALCH_TYPE_JSON_PATH: return to_database;
    case ALCH_TYPE_BOOLEAN: case ALCH_TYPE_NUMERIC: case ALCH_TYPE_DATE: case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER:
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: case ALCH_TYPE_LARGE_BINARY: return !to_database;
    case ALCH_TYPE_UUID: return !type->native;
    default: return false;
  }
}

/* ---- literals ---- */

/* With its type behind it: without one the server would take it for text. */
static void write_blob(const alch_value *value, alch_buffer *out) {
  static const char digits[] = "0123456789abcdef";
  alch_buffer_add(out, "'\\x");
  for (uint32_t i = 0; i < value->length; i++) {
    alch_buffer_add_char(out, digits[(unsigned char)value->text[i] >> 4]);
    alch_buffer_add_char(out, digits[value->text[i] & 15]);
  }
  alch_buffer_add(out, "'::BYTEA");
}

/* The seconds are a double, so those of a long interval stand beside days. */
static void write_interval(int64_t microseconds, alch_buffer *out) {
  if (microseconds > EXACT_SECONDS || microseconds < -EXACT_SECONDS) {
    alch_buffer_add_format(out, "make_interval(days=>%lld, secs=>", (long long)(microseconds / ALCH_MICROSECONDS_PER_DAY));
    microseconds %= ALCH_MICROSECONDS_PER_DAY;
  } else {
    alch_buffer_add(out, "make_interval(secs=>");
  }
  uint64_t size = microseconds < 0 ? 0 - (uint64_t)microseconds : (uint64_t)microseconds;
  uint64_t fraction = size % (uint64_t)ALCH_MICROSECONDS_PER_SECOND;
  alch_buffer_add_format(out, "%s%llu.", microseconds < 0 ? "-" : "", (unsigned long long)(size / (uint64_t)ALCH_MICROSECONDS_PER_SECOND));
  int digits = 6;
  for (; digits > 1 && fraction % 10 == 0; digits--) fraction /= 10;
  alch_buffer_add_format(out, "%0*llu)", digits, (unsigned long long)fraction);
}

/* Those that are not finite have words; and -0.0 alone would be a decimal, whose zero has no sign. */
static void write_real(double real, alch_buffer *out) {
  if (real == 0) alch_buffer_add(out, "'-0'");
  else alch_buffer_add(out, isnan(real) ? "'NaN'" : real < 0 ? "'-Infinity'" : "'Infinity'");
  alch_buffer_add(out, "::DOUBLE PRECISION");
}

/* ARRAY[NULL] would be one of texts. */
static bool has_only_nulls(const alch_value *value, const alch_allocator *allocator) {
  alch_array_cursor cursor = alch_array_cursor_at(value->text, value->length);
  alch_buffer text;
  alch_value item;
  alch_array_token token;
  alch_buffer_init(&text, allocator);
  do token = alch_array_next(&cursor, &text, &item);
  while (token != ALCH_ARRAY_END && !(token == ALCH_ARRAY_ITEM && item.kind != ALCH_NULL));
  alch_buffer_close(&text);
  return token == ALCH_ARRAY_END;
}

/* Texts that are no text say what they are: '{"a":1}'::JSONB. An array does where ARRAY[…] would be another. */
static bool is_structured(const alch_type *type, const alch_value *value, const alch_allocator *allocator) {
  switch (type->family) {
    case ALCH_TYPE_ARRAY: return type->item && (alch_postgresql_is_cast_array(type) || has_only_nulls(value, allocator));
    case ALCH_TYPE_JSON: case ALCH_TYPE_HSTORE: return true;
    case ALCH_TYPE_RANGE: return type->word != NULL;
    default: return false;
  }
}

static alch_status write_structured(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, alch_error *error) {
  const alch_type plain = ALCH_TYPE_PLAIN(ALCH_TYPE_STRING);
  if (alch_render_literal(dialect, &plain, value, out, error) != ALCH_OK) return ALCH_ERROR;
  return alch_postgresql_cast(dialect, type, out, error);
}

alch_status alch_postgresql_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, bool *written, alch_error *error) {
  char text[64];
  *written = true;
  switch (value->kind) {
    case ALCH_TEXT:
      if (!is_structured(type, value, out->allocator)) break;
      return write_structured(dialect, type, value, out, error);
    case ALCH_BOOLEAN: alch_buffer_add(out, value->integer ? "true" : "false"); return ALCH_OK;
    case ALCH_BLOB: write_blob(value, out); return ALCH_OK;
    case ALCH_INTERVAL:
      if (type->native) {
        write_interval(value->integer, out);
        return ALCH_OK;
      }
      /* fall through */
    case ALCH_DATE: case ALCH_TIME: case ALCH_DATETIME:
      print_moment(type, value, text);
      alch_buffer_add_format(out, "'%s'", text);
      return ALCH_OK;
    case ALCH_REAL:
      if (isfinite(value->real) && !(value->real == 0 && signbit(value->real))) break;
      write_real(value->real, out);
      return ALCH_OK;
    default: break;
  }
  *written = false;
  return ALCH_OK;
}
