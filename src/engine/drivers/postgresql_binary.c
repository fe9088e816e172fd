/* Values in the server's binary formats (its *_recv functions): as COPY takes them, and as items of arrays and bounds of ranges. A value may come in the kind that its type has here or as text; what has no binary form
   in this kind is told so, and goes as text where that is possible. */
#include "base/date.h"
#include "base/decimal.h"
#include "base/real.h"
#include "engine/drivers/postgresql_private.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MICROSECONDS_PER_MINUTE (60 * ALCH_MICROSECONDS_PER_SECOND)
#define NUMERIC_GROUPS 32          /* of four digits: more than 38 digits fill, wherever the point stands */

enum { SIGN_POSITIVE = 0, SIGN_NEGATIVE = 0x4000, SIGN_NAN = 0xC000, SIGN_INFINITE = 0xD000, SIGN_MINUS_INFINITE = 0xF000 };

void alch_postgresql_put(char *to, uint64_t bits, int size) {
  for (int i = size - 1; i >= 0; i--, bits >>= 8) to[i] = (char)(bits & 0xff);
}

void alch_postgresql_add_bits(alch_buffer *out, uint64_t bits, int size) {
  char *to = alch_buffer_reserve(out, (size_t)size);
  if (!to) return;
  alch_postgresql_put(to, bits, size);
  out->length += (size_t)size;
}

#define WRITER(name) static bool name(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out)

/* ---- texts ---- */

static const char *special(double real) { return isnan(real) ? "NaN" : real < 0 ? "-Infinity" : "Infinity"; }

/* The server writes no zeros at the end of a fraction. */
static void add_moment(const char *text, Oid type, alch_buffer *out) {
  size_t length = strlen(text);
  while (strchr(text, '.') && text[length - 1] == '0') length--;
  alch_buffer_add_bytes(out, text, length);
  if (type == PG_TIMESTAMPTZ || type == PG_TIMETZ) alch_buffer_add(out, "+00");
}

static void add_hexadecimal(const alch_value *value, alch_buffer *out) {
  static const char digits[] = "0123456789abcdef";
  alch_buffer_add(out, "\\x");
  for (uint32_t i = 0; i < value->length; i++) {
    alch_buffer_add_char(out, digits[(unsigned char)value->text[i] >> 4]);
    alch_buffer_add_char(out, digits[value->text[i] & 15]);
  }
}

void alch_postgresql_add_text(const alch_value *value, Oid type, alch_buffer *out) {
  char text[64];
  switch (value->kind) {
    case ALCH_INTEGER: alch_buffer_add_integer(out, value->integer); return;
    case ALCH_BOOLEAN: alch_buffer_add_char(out, value->integer ? 't' : 'f'); return;
    case ALCH_REAL:
      if (!isfinite(value->real)) alch_buffer_add(out, special(value->real));
      else if (value->real == floor(value->real) && fabs(value->real) < 1e15) alch_buffer_add_format(out, "%.0f", value->real);
      else alch_buffer_add_real(out, value->real);
      return;
    case ALCH_DATE: alch_date_print(value->integer, text); alch_buffer_add(out, text); return;
    case ALCH_TIME: alch_time_print(value->integer, false, text); add_moment(text, type, out); return;
    case ALCH_DATETIME: alch_datetime_print(value->integer, false, text); add_moment(text, type, out); return;
    case ALCH_INTERVAL: alch_interval_print(value->integer, text); add_moment(text, type, out); return;
    case ALCH_BLOB: add_hexadecimal(value, out); return;
    default: if (value->length > 0) alch_buffer_add_bytes(out, value->text, value->length);
  }
}

WRITER(write_text) {
  if (form->prefix) alch_buffer_add_char(out, (char)form->prefix);
  if (value->kind != ALCH_TEXT && value->kind != ALCH_BLOB) alch_postgresql_add_text(value, form->type, out);
  else if (value->length > 0 && memchr(value->text, '\0', value->length)) return false;
  else if (value->length > 0) alch_buffer_add_bytes(out, value->text, value->length);
  return true;
}

/* ---- numbers ---- */

static bool integer_of(const alch_value *value, int64_t *out) {
  alch_decimal decimal = { 0 };
  switch (value->kind) {
    case ALCH_INTEGER: case ALCH_BOOLEAN: *out = value->integer; return true;
    case ALCH_REAL:
      if (!(value->real >= -0x1p63 && value->real < 0x1p63) || value->real != floor(value->real)) return false;
      *out = (int64_t)value->real;
      return true;
    case ALCH_TEXT: case ALCH_DECIMAL: return alch_decimal_parse(&decimal, value->text, value->length, NULL) == ALCH_OK && alch_decimal_to_integer(&decimal, out);
    default: return false;
  }
}

WRITER(write_integer) {
  int64_t integer, most = form->size == 8 ? INT64_MAX : form->type == PG_OID ? UINT32_MAX : (INT64_C(1) << (8 * form->size - 1)) - 1;
  int64_t least = form->type == PG_OID ? 0 : -most - 1;
  if (!integer_of(value, &integer) || integer > most || integer < least) return false;
  alch_postgresql_add_bits(out, (uint64_t)integer, form->size);
  return true;
}

static bool is_word(const alch_value *value, const char *word) { return value->length == strlen(word) && strncasecmp(value->text, word, value->length) == 0; }

WRITER(write_boolean) {
  static const char *const words[2][4] = { { "f", "false", "0", "no" }, { "t", "true", "1", "yes" } };
  int truth = -1;
  (void)form;
  if ((value->kind == ALCH_BOOLEAN || value->kind == ALCH_INTEGER) && (value->integer == 0 || value->integer == 1)) truth = (int)value->integer;
  for (int i = 0; i < 8 && value->kind == ALCH_TEXT; i++)
    if (is_word(value, words[i / 4][i % 4])) truth = i / 4;
  if (truth >= 0) alch_buffer_add_char(out, (char)truth);
  return truth >= 0;
}

/* A text of digits that is too large for a double is no infinity: only the words are. */
static bool real_of(const alch_value *value, double *out) {
  if (value->kind == ALCH_REAL) *out = value->real;
  else if (value->kind == ALCH_INTEGER) *out = (double)value->integer;
  else if ((value->kind != ALCH_TEXT && value->kind != ALCH_DECIMAL) || !alch_real_parse(value->text, value->length, out)) return false;
  else return isfinite(*out) || (value->text[value->length - 1] | 0x20) >= 'a';
  return true;
}

WRITER(write_real) {
  double real;
  uint64_t bits = 0;
  if (!real_of(value, &real)) return false;
  float small = (float)real;
  if (form->size == 4 && (isinf(small) != isinf(real) || (small == 0) != (real == 0))) return false;
  if (form->size == 8) {
    memcpy(&bits, &real, sizeof real);
  } else {
    uint32_t half;
    memcpy(&half, &small, sizeof small);
    bits = half;
  }
  alch_postgresql_add_bits(out, bits, form->size);
  return true;
}

static void add_numeric_head(alch_buffer *out, int groups, int weight, int sign, int scale) {
  alch_postgresql_add_bits(out, (uint64_t)groups, 2);
  alch_postgresql_add_bits(out, (uint64_t)weight, 2);
  alch_postgresql_add_bits(out, (uint64_t)sign, 2);
  alch_postgresql_add_bits(out, (uint64_t)scale, 2);
}

/* Digits in groups of four, as the point divides them; zeros at both ends are left out. */
static bool add_numeric(const char *text, size_t length, alch_buffer *out) {
  int groups[NUMERIC_GROUPS] = { 0 }, count, first = 0;
  bool negative = length > 0 && *text == '-';
  if (negative) text++, length--;
  const char *point = memchr(text, '.', length);
  int whole = point ? (int)(point - text) : (int)length, scale = point ? (int)length - whole - 1 : 0, weight = (whole + 3) / 4 - 1;
  if (whole + scale > (NUMERIC_GROUPS - 2) * 4) return false;
  int place = (4 - whole % 4) % 4;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '.') continue;
    static const int worth[] = { 1000, 100, 10, 1 };
    groups[place / 4] += (text[i] - '0') * worth[place % 4];
    place++;
  }
  count = (place + 3) / 4;
  while (count > first && groups[count - 1] == 0) count--;
  for (; first < count && groups[first] == 0; first++) weight--;
  if (first == count) weight = 0;
  add_numeric_head(out, count - first, weight, negative && count > first ? SIGN_NEGATIVE : SIGN_POSITIVE, scale);
  for (int i = first; i < count; i++) alch_postgresql_add_bits(out, (uint64_t)groups[i], 2);
  return true;
}

static bool add_special_numeric(double real, alch_buffer *out) {
  add_numeric_head(out, 0, 0, isnan(real) ? SIGN_NAN : real < 0 ? SIGN_MINUS_INFINITE : SIGN_INFINITE, 0);
  return true;
}

WRITER(write_numeric) {
  alch_decimal decimal = { 0 };
  char text[ALCH_DECIMAL_TEXT_SIZE];
  double real;
  (void)form;
  if (value->kind == ALCH_DECIMAL) return add_numeric(value->text, value->length, out);
  if (value->kind == ALCH_INTEGER) alch_decimal_from_integer(&decimal, value->integer);
  else if (real_of(value, &real) && !isfinite(real)) return add_special_numeric(real, out);
  else if (value->kind == ALCH_REAL) { if (alch_decimal_from_real(&decimal, value->real, NULL) != ALCH_OK) return false; }
  else if (value->kind != ALCH_TEXT || alch_decimal_parse(&decimal, value->text, value->length, NULL) != ALCH_OK) return false;
  return add_numeric(text, alch_decimal_print(&decimal, text), out);
}

/* ---- moments ---- */

WRITER(write_date) {
  int64_t days = value->integer;
  if (value->kind == ALCH_TEXT && is_word(value, "infinity")) days = INT32_MAX + ALCH_POSTGRESQL_EPOCH;
  else if (value->kind == ALCH_TEXT && is_word(value, "-infinity")) days = INT32_MIN + ALCH_POSTGRESQL_EPOCH;
  else if (value->kind != ALCH_DATE && (value->kind != ALCH_TEXT || !alch_date_parse(value->text, value->length, &days))) return false;
  alch_postgresql_add_bits(out, (uint64_t)(days - ALCH_POSTGRESQL_EPOCH), form->size);
  return true;
}

/* A text with a zone goes to UTC; the place without zones refuses it. */
static bool moment_of(const alch_postgresql_form *form, const alch_value *value, int64_t *out) {
  alch_civil civil;
  bool zoned = form->type == PG_TIMESTAMPTZ;
  if (value->kind == ALCH_DATETIME) *out = value->integer;
  else if (value->kind == ALCH_DATE) *out = value->integer * ALCH_MICROSECONDS_PER_DAY;
  else if (value->kind != ALCH_TEXT || !alch_datetime_parse(value->text, value->length, &civil) || (civil.has_offset && !zoned)) return false;
  else *out = alch_microseconds_from_civil(&civil) - (civil.has_offset ? civil.offset * MICROSECONDS_PER_MINUTE : 0);
  *out -= ALCH_POSTGRESQL_EPOCH * ALCH_MICROSECONDS_PER_DAY;
  return true;
}

WRITER(write_timestamp) {
  int64_t moment;
  if (value->kind == ALCH_TEXT && is_word(value, "infinity")) moment = INT64_MAX;
  else if (value->kind == ALCH_TEXT && is_word(value, "-infinity")) moment = INT64_MIN;
  else if (!moment_of(form, value, &moment)) return false;
  alch_postgresql_add_bits(out, (uint64_t)moment, form->size);
  return true;
}

WRITER(write_time) {
  int64_t microseconds = value->integer;
  if (value->kind != ALCH_TIME && (value->kind != ALCH_TEXT || !alch_time_parse(value->text, value->length, &microseconds))) return false;
  alch_postgresql_add_bits(out, (uint64_t)microseconds, 8);
  if (form->type == PG_TIMETZ) alch_postgresql_add_bits(out, 0, 4);
  return true;
}

/* Days and their rest, as the server's own texts of them are read. */
WRITER(write_interval) {
  int64_t microseconds = value->integer;
  (void)form;
  if (value->kind != ALCH_INTERVAL && (value->kind != ALCH_TEXT || !alch_interval_parse(value->text, value->length, &microseconds))) return false;
  int64_t days = microseconds / ALCH_MICROSECONDS_PER_DAY;
  if (days > INT32_MAX || days < INT32_MIN) return false;
  alch_postgresql_add_bits(out, (uint64_t)(microseconds % ALCH_MICROSECONDS_PER_DAY), 8);
  alch_postgresql_add_bits(out, (uint64_t)days, 4);
  alch_postgresql_add_bits(out, 0, 4);
  return true;
}

/* ---- bytes ---- */

static int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A text is the server's own of bytes: \x00ff. */
WRITER(write_bytes) {
  (void)form;
  if (value->kind == ALCH_BLOB) {
    if (value->length > 0) alch_buffer_add_bytes(out, value->text, value->length);
    return true;
  }
  if (value->kind != ALCH_TEXT || value->length < 2 || value->length % 2 != 0 || value->text[0] != '\\' || value->text[1] != 'x') return false;
  for (uint32_t i = 2; i < value->length; i += 2) {
    int high = hexadecimal(value->text[i]), low = hexadecimal(value->text[i + 1]);
    if (high < 0 || low < 0) return false;
    alch_buffer_add_char(out, (char)(high << 4 | low));
  }
  return true;
}

WRITER(write_uuid) {
  char digits[32];
  (void)form;
  if (value->kind != ALCH_TEXT || !alch_uuid_digits(value->text, value->length, digits)) return false;
  for (int i = 0; i < 32; i += 2) alch_buffer_add_char(out, (char)(hexadecimal(digits[i]) << 4 | hexadecimal(digits[i + 1])));
  return true;
}

/* Groups of hexadecimal digits with colons, dashes or points between them. */
WRITER(write_hardware) {
  int digits = 0, held = 0;
  if (value->kind != ALCH_TEXT) return false;
  for (uint32_t i = 0; i < value->length; i++) {
    int digit = hexadecimal(value->text[i]);
    if (digit < 0 && strchr(":-.", value->text[i]) && value->text[i] != '\0' && digits > 0) continue;
    if (digit < 0 || digits == form->size * 2) return false;
    if (digits++ % 2 == 1) alch_buffer_add_char(out, (char)(held << 4 | digit));
    held = digit;
  }
  return digits == form->size * 2;
}

/* 0101: how many, and then eight to a byte, the first of them the highest. */
WRITER(write_bits) {
  int held = 0;
  (void)form;
  if (value->kind != ALCH_TEXT) return false;
  alch_postgresql_add_bits(out, value->length, 4);
  for (uint32_t i = 0; i < value->length; i++) {
    if (value->text[i] != '0' && value->text[i] != '1') return false;
    held |= (value->text[i] == '1') << (7 - i % 8);
    if (i % 8 != 7 && i + 1 < value->length) continue;
    alch_buffer_add_char(out, (char)held);
    held = 0;
  }
  return true;
}

/* ---- the types ---- */

static const alch_postgresql_form forms[] = {
  { PG_INT4, 0, write_integer, 4, 0, PG_INT4_ARRAY },
  { PG_INT8, 0, write_integer, 8, 0, PG_INT8_ARRAY },
  { PG_TEXT, 0, write_text, 0, 0, PG_TEXT_ARRAY },
  { PG_VARCHAR, 0, write_text, 0, 0, 1015 },
  { PG_FLOAT8, 0, write_real, 8, 0, 1022 },
  { PG_BOOL, 0, write_boolean, 1, 0, 1000 },
  { PG_NUMERIC, 0, write_numeric, 0, 0, 1231 },
  { PG_TIMESTAMP, 0, write_timestamp, 8, 0, 1115 },
  { PG_TIMESTAMPTZ, 0, write_timestamp, 8, 0, 1185 },
  { PG_DATE, 0, write_date, 4, 0, 1182 },
  { PG_TIME, 0, write_time, 8, 0, 1183 },
  { PG_TIMETZ, 0, write_time, 12, 0, 1270 },
  { PG_INTERVAL, 0, write_interval, 16, 0, 1187 },
  { PG_INT2, 0, write_integer, 2, 0, 1005 },
  { PG_FLOAT4, 0, write_real, 4, 0, 1021 },
  { PG_OID, 0, write_integer, 4, 0, 1028 },
  { PG_BPCHAR, 0, write_text, 0, 0, 1014 },
  { PG_NAME, 0, write_text, 0, 0, 1003 },
  { PG_BYTEA, 0, write_bytes, 0, 0, 1001 },
  { PG_UUID, 0, write_uuid, 16, 0, 2951 },
  { PG_JSON, 0, write_text, 0, 0, 199 },
  { PG_JSONB, 0, write_text, 0, 1, 3807 },
  { PG_JSONPATH, 0, write_text, 0, 1, 4073 },
  { PG_XML, 0, write_text, 0, 0, 143 },
  { PG_INET, 0, alch_postgresql_write_address, 0, 0, 1041 },
  { PG_CIDR, 0, alch_postgresql_write_address, 0, 0, 651 },
  { PG_MACADDR, 0, write_hardware, 6, 0, 1040 },
  { PG_MACADDR8, 0, write_hardware, 8, 0, 775 },
  { PG_BIT, 0, write_bits, 0, 0, 1561 },
  { PG_VARBIT, 0, write_bits, 0, 0, 1563 },
  { PG_INT4RANGE, PG_INT4, alch_postgresql_write_range, 0, 0, 3905 },
  { PG_INT8RANGE, PG_INT8, alch_postgresql_write_range, 0, 0, 3927 },
  { PG_NUMRANGE, PG_NUMERIC, alch_postgresql_write_range, 0, 0, 3907 },
  { PG_TSRANGE, PG_TIMESTAMP, alch_postgresql_write_range, 0, 0, 3909 },
  { PG_TSTZRANGE, PG_TIMESTAMPTZ, alch_postgresql_write_range, 0, 0, 3911 },
  { PG_DATERANGE, PG_DATE, alch_postgresql_write_range, 0, 0, 3913 },
  { PG_INT4MULTIRANGE, PG_INT4RANGE, alch_postgresql_write_multirange, 0, 0, 6150 },
  { PG_NUMMULTIRANGE, PG_NUMRANGE, alch_postgresql_write_multirange, 0, 0, 6151 },
  { PG_TSMULTIRANGE, PG_TSRANGE, alch_postgresql_write_multirange, 0, 0, 6152 },
  { PG_TSTZMULTIRANGE, PG_TSTZRANGE, alch_postgresql_write_multirange, 0, 0, 6153 },
  { PG_DATEMULTIRANGE, PG_DATERANGE, alch_postgresql_write_multirange, 0, 0, 6155 },
  { PG_INT8MULTIRANGE, PG_INT8RANGE, alch_postgresql_write_multirange, 0, 0, 6157 },
};

/* Each type's array: its item is the type. */
static alch_postgresql_form array_form(const alch_postgresql_form *item) { return (alch_postgresql_form){ item->array, item->type, alch_postgresql_write_array, 0, 0, 0 }; }

bool alch_postgresql_form_of(Oid type, alch_postgresql_form *out) {
  for (size_t i = 0; i < ALCH_COUNT(forms) && type != PG_UNKNOWN; i++) {
    if (forms[i].type != type && forms[i].array != type) continue;
    *out = forms[i].type == type ? forms[i] : array_form(&forms[i]);
    return true;
  }
  return false;
}

Oid alch_postgresql_array_of(Oid item) {
  for (size_t i = 0; i < ALCH_COUNT(forms) && item != PG_UNKNOWN; i++)
    if (forms[i].type == item) return forms[i].array;
  return PG_UNKNOWN;
}

alch_postgresql_form alch_postgresql_text_form(Oid type, Oid item) {
  alch_postgresql_form form = { type, item, item == PG_UNKNOWN ? write_text : alch_postgresql_write_array, 0, 0, 0 };
  return form;
}

/* ---- values with their length in front ---- */

bool alch_postgresql_add_field(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out) {
  size_t start = out->length;
  alch_postgresql_add_bits(out, value->kind == ALCH_NULL ? UINT32_MAX : 0, 4);
  if (value->kind == ALCH_NULL) return true;
  if (!form->write(form, value, out)) {
    out->length = start;
    return false;
  }
  if (!out->failed) alch_postgresql_put(out->text + start, out->length - start - 4, 4);
  return true;
}
