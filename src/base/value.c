#include "base/value.h"
#include "base/buffer.h"
#include "base/date.h"
#include <string.h>

static const char *const kind_names[] = {
  [ALCH_NULL] = "null",         [ALCH_INTEGER] = "integer",   [ALCH_REAL] = "real", [ALCH_BOOLEAN] = "boolean",
  [ALCH_TEXT] = "text",         [ALCH_BLOB] = "blob",         [ALCH_DECIMAL] = "decimal", [ALCH_DATE] = "date",
  [ALCH_TIME] = "time",         [ALCH_DATETIME] = "datetime", [ALCH_INTERVAL] = "interval", [ALCH_HOST] = "host value",
  [ALCH_LIST] = "list",
};

_Static_assert(ALCH_COUNT(kind_names) == ALCH_VALUE_KIND_COUNT, "a name for each kind");

const char *alch_value_kind_name(uint8_t kind) {
  return kind < ALCH_VALUE_KIND_COUNT ? kind_names[kind] : "unknown";
}

/* Reals compare by their bits: NaN is itself, and a change from 0.0 to -0.0 is a change. */
bool alch_value_equal(const alch_value *left, const alch_value *right) {
  if (left->kind != right->kind) return false;
  if (left->kind == ALCH_NULL) return true;
  if (!alch_value_has_text(left->kind)) return memcmp(&left->integer, &right->integer, sizeof left->integer) == 0;
  if (left->length != right->length) return false;
  return left->length == 0 || memcmp(left->text, right->text, left->length) == 0;
}

static const char hex_digits[] = "0123456789abcdef";

static void print_hex_byte(alch_buffer *out, unsigned char byte) {
  alch_buffer_add_char(out, hex_digits[byte >> 4]);
  alch_buffer_add_char(out, hex_digits[byte & 15]);
}

static void print_text_byte(alch_buffer *out, char c) {
  unsigned char byte = (unsigned char)c;
  if (byte < 0x20 || byte == 0x7f) {
    alch_buffer_add(out, "\\x");
    print_hex_byte(out, byte);
    return;
  }
  if (c == '\'') alch_buffer_add_char(out, c);
  alch_buffer_add_char(out, c);
}

/* A cut inside a character would make the log invalid UTF-8. */
static size_t cut_at_character(const char *text, size_t length) {
  while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) length--;
  return length;
}

static void print_shortened(alch_buffer *out, size_t shown, size_t length) {
  if (shown < length) alch_buffer_add_format(out, "... (%zu bytes)", length);
}

static void print_text(const alch_value *value, alch_buffer *out, size_t limit) {
  size_t shown = value->length;
  if (limit > 0 && shown > limit) shown = cut_at_character(value->text, limit);
  alch_buffer_add_char(out, '\'');
  for (size_t i = 0; i < shown; i++) print_text_byte(out, value->text[i]);
  alch_buffer_add_char(out, '\'');
  print_shortened(out, shown, value->length);
}

static void print_blob(const alch_value *value, alch_buffer *out, size_t limit) {
  size_t shown = limit > 0 && value->length > limit ? limit : value->length;
  alch_buffer_add(out, "x'");
  for (size_t i = 0; i < shown; i++) print_hex_byte(out, (unsigned char)value->text[i]);
  alch_buffer_add_char(out, '\'');
  print_shortened(out, shown, value->length);
}

static void print_moment(const alch_value *value, alch_buffer *out) {
  char text[40];
  size_t length = 0;
  switch (value->kind) {
  case ALCH_DATE: length = alch_date_print(value->integer, text); break;
  case ALCH_TIME: length = alch_time_print(value->integer, false, text); break;
  case ALCH_DATETIME: length = alch_datetime_print(value->integer, false, text); break;
  default: length = alch_interval_print(value->integer, text); break;
  }
  alch_buffer_add_bytes(out, text, length);
}

void alch_value_print(const alch_value *value, alch_buffer *out, size_t limit) {
  switch (value->kind) {
  case ALCH_NULL: alch_buffer_add(out, "NULL"); break;
  case ALCH_INTEGER: alch_buffer_add_integer(out, value->integer); break;
  case ALCH_REAL: alch_buffer_add_real(out, value->real); break;
  case ALCH_BOOLEAN: alch_buffer_add(out, value->integer ? "true" : "false"); break;
  case ALCH_TEXT: print_text(value, out, limit); break;
  case ALCH_BLOB: print_blob(value, out, limit); break;
  case ALCH_DECIMAL: alch_buffer_add_bytes(out, value->text, value->length); break;
  case ALCH_DATE:
  case ALCH_TIME:
  case ALCH_DATETIME:
  case ALCH_INTERVAL: print_moment(value, out); break;
  case ALCH_LIST: alch_buffer_add_format(out, "(%lld values)", (long long)value->integer); break;
  default: alch_buffer_add_format(out, "<%s>", alch_value_kind_name(value->kind)); break;
  }
}
