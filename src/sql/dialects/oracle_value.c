/* Types by Oracle's names, and values on their way to the database and back, through ODBC. */
#include "base/buffer.h"
#include "base/date.h"
#include "base/decimal.h"
#include "schema/json_path.h"
#include "sql/conversion.h"
#include "sql/dialects/oracle.h"
#include <math.h>
#include <string.h>

/* ---- names of types: a generic DateTime keeps its microseconds, which a DATE has no place for ---- */

static const char *const words[ALCH_TYPE_FAMILY_COUNT] = { [ALCH_TYPE_BIG_INTEGER] = "NUMBER(19)", [ALCH_TYPE_DOUBLE] = "DOUBLE PRECISION", [ALCH_TYPE_DATETIME] = "TIMESTAMP" };

/* Names of the standard that Oracle has not, or otherwise. */
const struct alch_type_word alch_oracle_type_words[] = {
  { "BIGINT", NULL }, { "BINARY", NULL }, { "DATETIME", NULL },  { "DOUBLE", NULL }, { "NVARCHAR", "NVARCHAR2" },
  { "TEXT", NULL },   { "UUID", NULL },   { "VARBINARY", NULL }, { NULL, NULL },
};

static const struct { uint8_t family; const char *mend; } absent[] = {
  { ALCH_TYPE_TIME, "make it a DateTime or an Interval" },
  { ALCH_TYPE_ARRAY, "make it a table of its own, or JSON" },
  { ALCH_TYPE_HSTORE, "make it JSON" },
  { ALCH_TYPE_RANGE, "make it two columns" },
};

static alch_status refuse_type(const alch_dialect *dialect, const alch_type *type, const char *mend, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_UNSUPPORTED_COMPILATION, "the type %s is not supported by the dialect '%s'; %s", alch_type_family_name(type->family), dialect->name, mend);
}

/* FLOAT counts binary digits, which a number of decimal ones does not say (SQLAlchemy refuses it as well). */
static alch_status refuse_precision(const alch_type *type, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Oracle Database FLOAT types use 'binary precision', which does not convert cleanly from decimal 'precision'; write Float():with_variant(la.oracle.FLOAT{ binary_precision = %d }, \"oracle\")",
                        (int)((double)type->precision / 0.30103));
}

static int32_t longest_word(const alch_type *type) {
  int32_t longest = 0;
  for (uint32_t i = 0; i < type->item_count; i++) {
    int32_t length = 0;
    for (const char *at = type->items[i]; *at; at++) length += (*at & 0xc0) != 0x80;
    if (length > longest) longest = length;
  }
  return longest;
}

/* Characters, not bytes, which is what a plain VARCHAR2(n) counts. */
static alch_status write_sized(const alch_dialect *dialect, const char *word, int32_t length, const char *unit, alch_buffer *out, alch_error *error) {
  if (length <= 0) return alch_error_set(error, ALCH_ERROR_COMPILE, "%s requires a length on dialect '%s'; write String(n), or Text", word, dialect->name);
  alch_buffer_add_format(out, "%s(%d%s)", word, (int)length, unit);
  return ALCH_OK;
}

static alch_status write_text_type(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  int32_t length = type->family == ALCH_TYPE_ENUM ? longest_word(type) : 0;
  return write_sized(dialect, type->family == ALCH_TYPE_ENUM ? "VARCHAR" : "VARCHAR2", type->length > length ? type->length : length, " CHAR", out, error);
}

static void write_precision(const char *word, int32_t precision, alch_buffer *out) {
  alch_buffer_add(out, word);
  if (precision >= 0) alch_buffer_add_format(out, "(%d)", (int)precision);
}

static void write_timestamp(const alch_type *type, alch_buffer *out) {
  bool local = type->words & ALCH_TAKES(LOCAL_TIMEZONE);
  write_precision("TIMESTAMP", type->precision, out);
  if (local || type->timezone) alch_buffer_add(out, local ? " WITH LOCAL TIME ZONE" : " WITH TIME ZONE");
}

static void write_interval_type(const alch_type *type, alch_buffer *out) {
  write_precision("INTERVAL DAY", type->precision, out);
  write_precision(" TO SECOND", type->scale, out);
}

static bool is_word(const alch_type *type, const char *word) { return strcmp(type->word, word) == 0; }

static alch_status write_exact(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  if (is_word(type, "VARCHAR") || is_word(type, "VARCHAR2")) return write_sized(dialect, type->word, type->length, " CHAR", out, error);
  if (is_word(type, "NVARCHAR2") || is_word(type, "RAW")) return write_sized(dialect, type->word, type->length, "", out, error);
  if (is_word(type, "BOOLEAN") && !alch_oracle_since(dialect, 23, 0)) return refuse_type(dialect, type, "write the generic Boolean, which is a number before version 23", error);
  if (is_word(type, "TIMESTAMP")) write_timestamp(type, out);
  else if (is_word(type, "INTERVAL")) write_interval_type(type, out);
  else return alch_type_name_write(NULL, type, out, error);
  return ALCH_OK;
}

static alch_status write_generic(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  switch (type->family) {
    case ALCH_TYPE_STRING: case ALCH_TYPE_UNICODE: case ALCH_TYPE_ENUM: return write_text_type(dialect, type, out, error);
    case ALCH_TYPE_BOOLEAN: alch_buffer_add(out, alch_dialect_can(dialect, ALCH_CAPABILITY_NATIVE_BOOLEAN) ? "BOOLEAN" : "SMALLINT"); return ALCH_OK;
    case ALCH_TYPE_JSON: alch_buffer_add(out, alch_oracle_since(dialect, 21, 0) ? "JSON" : "BLOB"); return ALCH_OK;
    case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE_TEXT: alch_buffer_add(out, "CLOB"); return ALCH_OK;
    case ALCH_TYPE_INTERVAL: write_interval_type(type, out); return ALCH_OK;
    default: return alch_type_name_write(words, type, out, error);
  }
}

alch_status alch_oracle_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out, alch_error *error) {
  (void)column;
  for (size_t i = 0; i < ALCH_COUNT(absent); i++)
    if (absent[i].family == type->family) return refuse_type(dialect, type, absent[i].mend, error);
  if (type->family == ALCH_TYPE_FLOAT && type->precision > 0) return refuse_precision(type, error);
  return type->word ? write_exact(dialect, type, out, error) : write_generic(dialect, type, out, error);
}

/* ---- into the database ---- */

static alch_status store_time(const alch_conversion *c) {
  char text[48];
  return alch_give_text(c, ALCH_TEXT, text, alch_time_print(c->value->integer, false, text));
}

/* Booleans go as numbers: from 23 on the server makes a BOOLEAN of them. */
alch_status alch_oracle_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  if (alch_is_path(type)) return alch_store_path(&c, alch_path_write_dollar);
  if (alch_check_digits(&c, type->word && is_word(type, "DATE") ? 0 : 6, -1) != ALCH_OK) return ALCH_ERROR;
  switch (value->kind) {
    case ALCH_BOOLEAN: value->kind = ALCH_INTEGER; return ALCH_OK;
    case ALCH_TIME: return store_time(&c);
    case ALCH_TEXT: return type->family == ALCH_TYPE_UUID ? alch_store_uuid(&c, false) : ALCH_OK;
    default: return ALCH_OK;
  }
}

/* ---- out of it ---- */

/* From 23 on the words of a BOOLEAN, before that a number. */
static alch_status load_boolean(const alch_conversion *c) {
  bool word = c->value->kind == ALCH_TEXT && (c->value->length == 4 || c->value->length == 5);
  if (word && (memcmp(c->value->text, "TRUE", 4) == 0 || memcmp(c->value->text, "FALS", 4) == 0)) return alch_give_number(c, ALCH_BOOLEAN, *c->value->text == 'T');
  return alch_load_integer(c) == ALCH_OK ? alch_load_boolean(c) : ALCH_ERROR;
}

/* A DATE has a time of day, which a Date has not: it is left out, as SQLAlchemy does. */
static alch_status load_date(const alch_conversion *c) {
  int64_t moment;
  if (!alch_read_moment(c->value, &moment)) return alch_refuse_stored(c, "a date");
  int64_t days = moment / ALCH_MICROSECONDS_PER_DAY - (moment % ALCH_MICROSECONDS_PER_DAY < 0);
  *c->value = (alch_value){ .kind = ALCH_DATE, .integer = days };
  return ALCH_OK;
}

/* +01 02:03:04.000000 is how Oracle writes an interval as text. */
static alch_status load_interval(const alch_conversion *c) {
  int64_t microseconds;
  if (c->value->kind == ALCH_INTERVAL) return ALCH_OK;
  const char *text = c->value->kind == ALCH_TEXT ? c->value->text : NULL;
  size_t length = text ? c->value->length : 0;
  if (length > 0 && *text == '+') text++, length--;
  if (!text || !alch_interval_parse(text, length, &microseconds)) return alch_refuse_stored(c, "an interval");
  *c->value = (alch_value){ .kind = ALCH_INTERVAL, .integer = microseconds };
  return ALCH_OK;
}

alch_status alch_oracle_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const alch_conversion c = { type, value, scratch, error };
  if (value->kind == ALCH_NULL) return ALCH_OK;
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: return load_boolean(&c);
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: return alch_load_integer(&c);
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: return alch_load_real(&c);
    case ALCH_TYPE_NUMERIC: return alch_load_numeric(&c);
    case ALCH_TYPE_DATE: return load_date(&c);
    case ALCH_TYPE_TIME: return alch_load_time(&c);
    case ALCH_TYPE_DATETIME: return alch_load_datetime(&c);
    case ALCH_TYPE_INTERVAL: return load_interval(&c);
    case ALCH_TYPE_UUID: return alch_load_uuid(&c);
    default: return ALCH_OK;
  }
}

bool alch_oracle_converts(const alch_type *type, bool to_database) {
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: case ALCH_TYPE_TIME: case ALCH_TYPE_UUID: return true;
    case ALCH_TYPE_NULL: case ALCH_TYPE_JSON_INDEX: case ALCH_TYPE_JSON_PATH: return to_database;    /* whatever comes */
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: case ALCH_TYPE_NUMERIC:
    case ALCH_TYPE_DATE: case ALCH_TYPE_DATETIME: case ALCH_TYPE_INTERVAL: return !to_database;
    default: return false;
  }
}

/* ---- literals ---- */

/* A literal has 4000 bytes at most; a longer text is put together of several. */
enum { LITERAL_BYTES = 4000 };

static void write_quoted(const char *text, size_t length, alch_buffer *out) {
  alch_buffer_add_char(out, '\'');
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\'') alch_buffer_add_char(out, '\'');
    alch_buffer_add_char(out, text[i]);
  }
  alch_buffer_add_char(out, '\'');
}

static void write_long_text(const alch_value *value, alch_buffer *out) {
  for (size_t at = 0; at < value->length;) {
    size_t end = at + LITERAL_BYTES < value->length ? at + LITERAL_BYTES : value->length;
    while (end < value->length && (value->text[end] & 0xc0) == 0x80) end--;
    alch_buffer_add(out, at > 0 ? " || TO_CLOB(" : "(TO_CLOB(");
    write_quoted(value->text + at, end - at, out);
    alch_buffer_add_char(out, ')');
    at = end;
  }
  alch_buffer_add_char(out, ')');
}

static alch_status write_blob(const alch_value *value, alch_buffer *out, alch_error *error) {
  static const char digits[] = "0123456789ABCDEF";
  if (value->length > LITERAL_BYTES / 2) return alch_error_set(error, ALCH_ERROR_DATA, "bytes beyond %d cannot be written as a literal; send them as a parameter", LITERAL_BYTES / 2);
  alch_buffer_add(out, "HEXTORAW('");
  for (uint32_t i = 0; i < value->length; i++) {
    alch_buffer_add_char(out, digits[(unsigned char)value->text[i] >> 4]);
    alch_buffer_add_char(out, digits[value->text[i] & 15]);
  }
  alch_buffer_add(out, "')");
  return ALCH_OK;
}

static void write_date(int64_t days, alch_buffer *out) {
  char text[48];
  alch_date_print(days, text);
  alch_buffer_add_format(out, "TO_DATE('%s', 'YYYY-MM-DD')", text);
}

static void write_datetime(int64_t microseconds, alch_buffer *out) {
  char text[48];
  bool whole = microseconds % ALCH_MICROSECONDS_PER_SECOND == 0;
  alch_datetime_print(microseconds, false, text);
  alch_buffer_add_format(out, "%s('%s', 'YYYY-MM-DD HH24:MI:SS%s')", whole ? "TO_DATE" : "TO_TIMESTAMP", text, whole ? "" : ".FF");
}

static void write_interval(int64_t microseconds, alch_buffer *out) {
  uint64_t size = microseconds < 0 ? 0 - (uint64_t)microseconds : (uint64_t)microseconds, fraction = size % (uint64_t)ALCH_MICROSECONDS_PER_SECOND;
  int digits = 6;
  for (; digits > 1 && fraction % 10 == 0; digits--) fraction /= 10;
  alch_buffer_add_format(out, "NUMTODSINTERVAL(%s%llu.%0*llu, 'SECOND')", microseconds < 0 ? "-" : "", (unsigned long long)(size / (uint64_t)ALCH_MICROSECONDS_PER_SECOND), digits,
                         (unsigned long long)fraction);
}

/* A NUMBER ends at 1e126; what is beyond, and what is no number, only a BINARY_DOUBLE holds. */
static bool write_real(double real, alch_buffer *out) {
  if (isnan(real)) alch_buffer_add(out, "BINARY_DOUBLE_NAN");
  else if (isinf(real)) alch_buffer_add(out, real < 0 ? "-BINARY_DOUBLE_INFINITY" : "BINARY_DOUBLE_INFINITY");
  else if (fabs(real) < 1e125 && (real == 0 || fabs(real) > 1e-129)) return false;
  else {
    alch_buffer_add_real(out, real);
    alch_buffer_add_char(out, 'd');
  }
  return true;
}

alch_status alch_oracle_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, bool *written, alch_error *error) {
  *written = true;
  switch (value->kind) {
    case ALCH_BOOLEAN:
      if (alch_dialect_can(dialect, ALCH_CAPABILITY_NATIVE_BOOLEAN)) alch_buffer_add(out, value->integer ? "true" : "false");
      else alch_buffer_add_char(out, value->integer ? '1' : '0');
      return ALCH_OK;
    case ALCH_BLOB: return write_blob(value, out, error);
    case ALCH_DATE: write_date(value->integer, out); return ALCH_OK;
    case ALCH_DATETIME: write_datetime(value->integer, out); return ALCH_OK;
    case ALCH_INTERVAL: write_interval(value->integer, out); return ALCH_OK;
    case ALCH_REAL: *written = write_real(value->real, out); return ALCH_OK;
    case ALCH_TEXT:
      *written = value->length > LITERAL_BYTES && type->family != ALCH_TYPE_UUID && !alch_is_path(type) && !memchr(value->text, 0, value->length);
      if (*written) write_long_text(value, out);
      return ALCH_OK;
    default: *written = false; return ALCH_OK;
  }
}
