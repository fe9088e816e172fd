#include "base/buffer.h"
#include "base/date.h"
#include "base/decimal.h"
#include "base/map.h"
#include "base/real.h"
#include "base/utf8.h"
#include "schema/metadata.h"
#include <math.h>
#include <string.h>

typedef struct coercion {
  const alch_type *type;
  alch_value *value;
  alch_buffer *scratch;
  alch_error *error;
} coercion;

#define MICROSECONDS_PER_MINUTE (60 * ALCH_MICROSECONDS_PER_SECOND)
#define SHOWN_BYTES 40

static alch_status refuse(const coercion *c, const char *expected, const char *mend) {
  alch_buffer type, value;
  alch_buffer_init(&type, c->scratch->allocator);
  alch_buffer_init(&value, c->scratch->allocator);
  alch_type_print(c->type, &type);
  alch_value_print(c->value, &value, SHOWN_BYTES);
  alch_status status = alch_error_set(c->error, ALCH_ERROR_DATA, "%s takes %s, not the %s %s%s%s", alch_buffer_text(&type), expected,
                                      alch_value_kind_name(c->value->kind), alch_buffer_text(&value), mend ? "; " : "", mend ? mend : "");
  alch_buffer_close(&type);
  alch_buffer_close(&value);
  return status;
}

/* The value's text is moved into scratch last, since it may have come from there. */
static alch_status give_text(const coercion *c, uint8_t kind, const char *text, size_t length) {
  alch_buffer_clear(c->scratch);
  alch_buffer_add_bytes(c->scratch, text, length);
  if (alch_buffer_failed(c->scratch)) return alch_error_out_of_memory(c->error);
  *c->value = (alch_value){ .kind = kind, .length = (uint32_t)length, .text = alch_buffer_text(c->scratch) };
  return ALCH_OK;
}

static alch_status give_number(const coercion *c, uint8_t kind, int64_t integer) {
  *c->value = (alch_value){ .kind = kind, .integer = integer };
  return ALCH_OK;
}

/* Eight bytes without a sign, of which the upper half has no place in an integer here: such a value is a decimal. */
static bool is_unsigned(const alch_type *type) {
  return type->family == ALCH_TYPE_BIG_INTEGER && ((type->words & ALCH_TAKES(UNSIGNED)) || (type->word && strcmp(type->word, "BIT") == 0));
}

static bool fits_unsigned(const alch_decimal *decimal) { return decimal->scale == 0 && decimal->high == 0 && !decimal->negative; }

static alch_status to_integer(const coercion *c) {
  alch_decimal decimal = { 0 };
  int64_t integer;
  switch (c->value->kind) {
    case ALCH_INTEGER: return ALCH_OK;
    case ALCH_REAL: {
      double real = c->value->real;
      /* 2^63 itself is a double, and one too large. */
      if (!(real >= -0x1p63 && real < 0x1p63)) return refuse(c, "a 64-bit integer", NULL);
      if (real != floor(real)) return refuse(c, "an integer", "round it first, with math.floor, or make the column a Double");
      return give_number(c, ALCH_INTEGER, (int64_t)real);
    }
    case ALCH_DECIMAL:
      if (alch_decimal_parse(&decimal, c->value->text, c->value->length, c->error) != ALCH_OK) return ALCH_ERROR;
      if (is_unsigned(c->type) && fits_unsigned(&decimal) && !alch_decimal_to_integer(&decimal, &integer)) return ALCH_OK;
      if (!alch_decimal_to_integer(&decimal, &integer)) return refuse(c, "a 64-bit integer", "round it first, or make the column a Numeric");
      return give_number(c, ALCH_INTEGER, integer);
    case ALCH_TEXT: return refuse(c, "an integer", "write math.tointeger(text)");
    case ALCH_BOOLEAN: return refuse(c, "an integer", "make the column a Boolean, or write 1 or 0");
    default: return refuse(c, "an integer", NULL);
  }
}

static alch_status to_real(const coercion *c) {
  alch_decimal decimal = { 0 };
  switch (c->value->kind) {
    case ALCH_REAL: return ALCH_OK;
    case ALCH_INTEGER: {
      double real = (double)c->value->integer;
      if (real >= 0x1p63 || (int64_t)real != c->value->integer) return refuse(c, "a number that a double can hold exactly", "make the column a BigInteger or Numeric");
      *c->value = alch_value_real(real);
      return ALCH_OK;
    }
    case ALCH_DECIMAL:
      if (alch_decimal_parse(&decimal, c->value->text, c->value->length, c->error) != ALCH_OK) return ALCH_ERROR;
      *c->value = alch_value_real(alch_decimal_to_real(&decimal));
      return ALCH_OK;
    case ALCH_TEXT: return refuse(c, "a number", "write tonumber(text)");
    default: return refuse(c, "a number", NULL);
  }
}

static alch_status refuse_digits(const coercion *c, int32_t scale) {
  alch_buffer text;
  alch_buffer_init(&text, c->scratch->allocator);
  if (scale == 0) alch_buffer_add(&text, "a whole number");
  else alch_buffer_add_format(&text, "a number with at most %d digits behind the point", (int)scale);
  alch_status status = refuse(c, alch_buffer_text(&text), "round it first");
  alch_buffer_close(&text);
  return status;
}

/* Zeros at the end are no digits that could be lost. */
static int32_t significant_scale(const char *text, size_t length) {
  const char *point = memchr(text, '.', length);
  if (!point) return 0;
  const char *end = text + length;
  while (end[-1] == '0') end--;
  return (int32_t)(end - point - 1);
}

/* A precision alone is that of a whole number, in the standard and everywhere; servers would round. */
static int32_t scale_of(const alch_type *type) { return type->scale >= 0 || type->precision <= 0 ? type->scale : 0; }

static alch_status to_decimal(const coercion *c) {
  alch_decimal decimal = { 0 };
  char text[ALCH_DECIMAL_TEXT_SIZE];
  switch (c->value->kind) {
    case ALCH_INTEGER: alch_decimal_from_integer(&decimal, c->value->integer); break;
    case ALCH_REAL:
      if (!isfinite(c->value->real)) return refuse(c, "a finite number", NULL);
      if (alch_decimal_from_real(&decimal, c->value->real, c->error) != ALCH_OK) return ALCH_ERROR;
      break;
    case ALCH_DECIMAL: case ALCH_TEXT:
      if (alch_decimal_parse(&decimal, c->value->text, c->value->length, c->error) != ALCH_OK)
        return c->value->kind == ALCH_TEXT ? refuse(c, "a decimal number of at most 38 digits", NULL) : ALCH_ERROR;
      break;
    default: return refuse(c, "a decimal number", NULL);
  }
  size_t length = alch_decimal_print(&decimal, text);
  int32_t scale = scale_of(c->type);
  if (scale >= 0 && significant_scale(text, length) > scale) return refuse_digits(c, scale);
  /* A value that is canonical already stays where it is. */
  if (c->value->kind == ALCH_DECIMAL && c->value->length == length && memcmp(c->value->text, text, length) == 0) return ALCH_OK;
  return give_text(c, ALCH_DECIMAL, text, length);
}

static alch_status refuse_bytes(const coercion *c, size_t place) {
  return alch_error_set(c->error, ALCH_ERROR_DATA, "%s takes UTF-8, which the text is not from byte %zu (0x%02x) on: convert it from the encoding that it has, or make the column a LargeBinary",
                        alch_type_family_name(c->type->family), place + 1, (unsigned)(unsigned char)c->value->text[place]);
}

static alch_status to_text(const coercion *c) {
  if (c->value->kind == ALCH_DECIMAL) c->value->kind = ALCH_TEXT;
  if (c->value->kind != ALCH_TEXT) return refuse(c, "text", "write tostring(value)");
  if (c->value->length == 0 || alch_utf8_is_text(c->value->text, c->value->length)) return ALCH_OK;
  if (memchr(c->value->text, 0, c->value->length)) return refuse(c, "text without zero bytes", "make the column a LargeBinary");
  return refuse_bytes(c, alch_utf8_check(c->value->text, c->value->length));
}

static alch_status to_boolean(const coercion *c) {
  if (c->value->kind == ALCH_BOOLEAN) return ALCH_OK;
  if (c->value->kind == ALCH_INTEGER && (c->value->integer == 0 || c->value->integer == 1)) return give_number(c, ALCH_BOOLEAN, c->value->integer);
  if (c->value->kind == ALCH_REAL && (c->value->real == 0 || c->value->real == 1)) return give_number(c, ALCH_BOOLEAN, c->value->real == 1);
  return refuse(c, "true, false, 1 or 0", NULL);
}

static bool is_midnight(int64_t microseconds) {
  return microseconds % ALCH_MICROSECONDS_PER_DAY == 0;
}

static bool is_day(int64_t days) { return days >= ALCH_DAYS_MIN && days <= ALCH_DAYS_MAX; }
static bool is_moment(int64_t microseconds) { return microseconds >= ALCH_MICROSECONDS_MIN && microseconds <= ALCH_MICROSECONDS_MAX; }

static alch_status to_date(const coercion *c) {
  int64_t days;
  if (c->value->kind == ALCH_DATE) return is_day(c->value->integer) ? ALCH_OK : refuse(c, "a date of the years 1 to 9999", NULL);
  if (c->value->kind == ALCH_DATETIME && is_midnight(c->value->integer)) return give_number(c, ALCH_DATE, c->value->integer / ALCH_MICROSECONDS_PER_DAY);
  if (c->value->kind == ALCH_DATETIME) return refuse(c, "a date", "it would lose its time: take the value's :date(), or make the column a DateTime");
  if (c->value->kind == ALCH_TEXT && alch_date_parse(c->value->text, c->value->length, &days)) return give_number(c, ALCH_DATE, days);
  return refuse(c, "a date (la.date, or text such as 2024-02-29)", NULL);
}

static alch_status to_time(const coercion *c) {
  int64_t microseconds;
  if (c->value->kind == ALCH_TIME) return c->value->integer >= 0 && c->value->integer < ALCH_MICROSECONDS_PER_DAY ? ALCH_OK : refuse(c, "a time of a day, 00:00:00 to 23:59:59.999999", "make the column an Interval");
  if (c->value->kind == ALCH_TEXT && alch_time_parse(c->value->text, c->value->length, &microseconds)) return give_number(c, ALCH_TIME, microseconds);
  return refuse(c, "a time (la.time, or text such as 13:14:15.5)", NULL);
}

static const char outside[] = "a date and time that lies in the years 1 to 9999 of UTC";

static alch_status text_to_datetime(const coercion *c, const alch_civil *civil) {
  int64_t microseconds = alch_microseconds_from_civil(civil);
  if (!civil->has_offset) return give_number(c, ALCH_DATETIME, microseconds);
  if (!c->type->timezone) return refuse(c, "a date and time without an offset from UTC", "make the column DateTime{ timezone = true }, or leave the offset out");
  microseconds -= civil->offset * MICROSECONDS_PER_MINUTE;
  return is_moment(microseconds) ? give_number(c, ALCH_DATETIME, microseconds) : refuse(c, outside, NULL);
}

static alch_status to_datetime(const coercion *c) {
  alch_civil civil;
  if (c->value->kind == ALCH_DATETIME) return is_moment(c->value->integer) ? ALCH_OK : refuse(c, outside, NULL);
  if (c->value->kind == ALCH_DATE) return give_number(c, ALCH_DATETIME, c->value->integer * ALCH_MICROSECONDS_PER_DAY);
  if (c->value->kind == ALCH_TEXT && alch_datetime_parse(c->value->text, c->value->length, &civil)) return text_to_datetime(c, &civil);
  return refuse(c, "a date and time (la.datetime, or text such as 2024-02-29 13:14:15)", NULL);
}

static alch_status to_interval(const coercion *c) {
  int64_t microseconds;
  if (c->value->kind == ALCH_INTERVAL) return ALCH_OK;
  if (c->value->kind == ALCH_TEXT && alch_interval_parse(c->value->text, c->value->length, &microseconds)) return give_number(c, ALCH_INTERVAL, microseconds);
  return refuse(c, "an interval (la.interval, or text such as P1DT2H or 1 day 02:00:00)", NULL);
}

static alch_status to_blob(const coercion *c) {
  if (c->value->kind == ALCH_TEXT) c->value->kind = ALCH_BLOB;
  return c->value->kind == ALCH_BLOB ? ALCH_OK : refuse(c, "a string of bytes", NULL);
}

static bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool alch_uuid_digits(const char *text, size_t length, char digits[32]) {
  size_t count = 0;
  if (length != 32 && length != 36) return false;
  for (size_t i = 0; i < length; i++) {
    bool dash = length == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
    if (dash ? text[i] != '-' : !is_hexadecimal(text[i])) return false;
    if (!dash) digits[count++] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] | 0x20) : text[i];
  }
  return true;
}

void alch_uuid_print(const char digits[32], char out[36]) {
  static const uint8_t groups[] = { 8, 4, 4, 4, 12 };
  for (size_t i = 0; i < ALCH_COUNT(groups); i++) {
    memcpy(out, digits, groups[i]);
    digits += groups[i];
    out += groups[i];
    if (i + 1 < ALCH_COUNT(groups)) *out++ = '-';
  }
}

static alch_status to_uuid(const coercion *c) {
  char digits[32], text[36];
  if (c->value->kind != ALCH_TEXT || !alch_uuid_digits(c->value->text, c->value->length, digits))
    return refuse(c, "a UUID: 32 hexadecimal digits, with or without dashes", NULL);
  alch_uuid_print(digits, text);
  if (c->value->length == sizeof text && memcmp(c->value->text, text, sizeof text) == 0) return ALCH_OK;
  return give_text(c, ALCH_TEXT, text, sizeof text);
}

static alch_status refuse_word(const coercion *c) {
  char word[64];
  const char *nearest = NULL;
  alch_buffer list;
  if (c->value->length < sizeof word) {
    memcpy(word, c->value->text, c->value->length);
    word[c->value->length] = '\0';
    nearest = alch_nearest(word, c->type->items, c->type->item_count);
  }
  alch_buffer_init(&list, c->scratch->allocator);
  alch_buffer_add(&list, nearest ? "did you mean '" : "the words are '");
  if (nearest) alch_buffer_add(&list, nearest);
  for (uint32_t i = 0; !nearest && i < c->type->item_count; i++) {
    if (i > 0) alch_buffer_add(&list, "', '");
    alch_buffer_add(&list, c->type->items[i]);
  }
  alch_buffer_add(&list, nearest ? "'?" : "'");
  alch_status status = refuse(c, "one of its own words", alch_buffer_text(&list));
  alch_buffer_close(&list);
  return status;
}

static alch_status to_enum(const coercion *c) {
  if (c->value->kind != ALCH_TEXT) return refuse(c, "text", NULL);
  if (c->type->item_count == 0) return to_text(c);
  for (uint32_t i = 0; i < c->type->item_count; i++)
    if (strlen(c->type->items[i]) == c->value->length && memcmp(c->type->items[i], c->value->text, c->value->length) == 0) return ALCH_OK;
  return refuse_word(c);
}

/* The host has made JSON text of tables and strings; numbers and booleans are JSON as they stand. */
static alch_status to_json(const coercion *c) {
  char text[ALCH_REAL_TEXT_SIZE];
  alch_value value = *c->value;
  switch (value.kind) {
    case ALCH_TEXT: case ALCH_DECIMAL: return to_text(c);
    case ALCH_BOOLEAN: return value.integer ? give_text(c, ALCH_TEXT, "true", 4) : give_text(c, ALCH_TEXT, "false", 5);
    case ALCH_REAL:
      if (!isfinite(value.real)) return refuse(c, "a finite number", NULL);
      return give_text(c, ALCH_TEXT, text, alch_real_print(value.real, text));
    case ALCH_INTEGER:
      alch_buffer_clear(c->scratch);
      alch_buffer_add_integer(c->scratch, value.integer);
      if (alch_buffer_failed(c->scratch)) return alch_error_out_of_memory(c->error);
      *c->value = alch_value_text(alch_buffer_text(c->scratch), c->scratch->length);
      return ALCH_OK;
    default: return refuse(c, "JSON text", NULL);
  }
}

alch_status alch_type_coerce(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  const coercion c = { type, value, scratch, error };
  if (value->kind == ALCH_NULL || value->kind == ALCH_HOST || value->kind == ALCH_LIST || type->host != 0) return ALCH_OK;
  switch (type->family) {
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: return to_integer(&c);
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: return to_real(&c);
    case ALCH_TYPE_NUMERIC: return to_decimal(&c);
    case ALCH_TYPE_STRING: case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE: case ALCH_TYPE_UNICODE_TEXT: return to_text(&c);
    case ALCH_TYPE_BOOLEAN: return to_boolean(&c);
    case ALCH_TYPE_DATE: return to_date(&c);
    case ALCH_TYPE_TIME: return to_time(&c);
    case ALCH_TYPE_DATETIME: return to_datetime(&c);
    case ALCH_TYPE_INTERVAL: return to_interval(&c);
    case ALCH_TYPE_LARGE_BINARY: return to_blob(&c);
    case ALCH_TYPE_UUID: return to_uuid(&c);
    case ALCH_TYPE_ENUM: return to_enum(&c);
    case ALCH_TYPE_JSON: return to_json(&c);
    default: return ALCH_OK;
  }
}
