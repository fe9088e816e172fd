#include "schema/array_text.h"
#include "base/buffer.h"
#include "base/date.h"
#include <math.h>
#include <string.h>
#include <strings.h>

static void add_quoted(alch_buffer *out, const char *text, size_t length) {
  alch_buffer_add_char(out, '"');
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '"' || text[i] == '\\') alch_buffer_add_char(out, '\\');
    alch_buffer_add_char(out, text[i]);
  }
  alch_buffer_add_char(out, '"');
}

static void separate(alch_buffer *out) {
  if (out->length > 0 && out->text[out->length - 1] != '{') alch_buffer_add_char(out, ',');
}

void alch_array_open(alch_buffer *out) {
  separate(out);
  alch_buffer_add_char(out, '{');
}

void alch_array_close(alch_buffer *out) { alch_buffer_add_char(out, '}'); }

static void add_blob(alch_buffer *out, const alch_value *item) {
  static const char digits[] = "0123456789abcdef";
  alch_buffer_add(out, "\"\\\\x");
  for (uint32_t i = 0; i < item->length; i++) {
    alch_buffer_add_char(out, digits[(unsigned char)item->text[i] >> 4]);
    alch_buffer_add_char(out, digits[item->text[i] & 15]);
  }
  alch_buffer_add_char(out, '"');
}

static int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool alch_array_bytes(alch_value *item, alch_buffer *out) {
  size_t from = out->length;
  if (item->kind == ALCH_BLOB) return true;
  if (item->kind != ALCH_TEXT || item->length < 2 || item->length % 2 != 0 || item->text[0] != '\\' || item->text[1] != 'x') return false;
  alch_buffer_reserve(out, item->length / 2);
  for (uint32_t i = 2; i < item->length; i += 2) {
    int high = hexadecimal(item->text[i]), low = hexadecimal(item->text[i + 1]);
    if (high < 0 || low < 0) return false;
    alch_buffer_add_char(out, (char)(high << 4 | low));
  }
  *item = (alch_value){ .kind = ALCH_BLOB, .length = (uint32_t)(out->length - from), .text = alch_buffer_text(out) + from };
  return true;
}

static void add_moment(alch_buffer *out, const alch_value *item) {
  char text[48];
  switch (item->kind) {
    case ALCH_DATE: alch_date_print(item->integer, text); break;
    case ALCH_TIME: alch_time_print(item->integer, false, text); break;
    case ALCH_DATETIME: alch_datetime_print(item->integer, false, text); break;
    default: alch_interval_print(item->integer, text); break;
  }
  add_quoted(out, text, strlen(text));
}

static void add_real(alch_buffer *out, double real) {
  if (isnan(real)) alch_buffer_add(out, "NaN");
  else if (isinf(real)) alch_buffer_add(out, real < 0 ? "-Infinity" : "Infinity");
  else alch_buffer_add_real(out, real);
}

void alch_array_add(alch_buffer *out, const alch_value *item) {
  separate(out);
  switch (item->kind) {
    case ALCH_INTEGER: alch_buffer_add_integer(out, item->integer); return;
    case ALCH_REAL: add_real(out, item->real); return;
    case ALCH_BOOLEAN: alch_buffer_add_char(out, item->integer ? 't' : 'f'); return;
    case ALCH_DECIMAL: alch_buffer_add_bytes(out, item->text, item->length); return;
    case ALCH_TEXT: add_quoted(out, item->text, item->length); return;
    case ALCH_BLOB: add_blob(out, item); return;
    case ALCH_DATE: case ALCH_TIME: case ALCH_DATETIME: case ALCH_INTERVAL: add_moment(out, item); return;
    default: alch_buffer_add(out, "NULL");
  }
}

/* ---- reading ---- */

alch_array_cursor alch_array_cursor_at(const char *text, size_t length) {
  const char *end = text + length, *start = length > 0 ? memchr(text, '{', length) : NULL;
  return (alch_array_cursor){ start ? start : end, end };
}

/* Behind the opening quote; answers what follows the closing one. */
static const char *read_quoted(const char *at, const char *end, alch_buffer *text) {
  for (; at < end && *at != '"'; at++) {
    if (*at == '\\' && at + 1 < end) at++;
    alch_buffer_add_char(text, *at);
  }
  return at < end ? at + 1 : end;
}

static const char *read_bare(const char *at, const char *end, alch_buffer *text) {
  for (; at < end && *at != ',' && *at != '}' && *at != '{'; at++) {
    if (*at == '\\' && at + 1 < end) at++;
    alch_buffer_add_char(text, *at);
  }
  return at;
}

static void give(alch_buffer *text, bool quoted, alch_value *item) {
  bool null = !quoted && text->length == 4 && strncasecmp(alch_buffer_text(text), "NULL", 4) == 0;
  *item = null ? ALCH_VALUE_NULL : alch_value_text(alch_buffer_text(text), text->length);
}

alch_array_token alch_array_next(alch_array_cursor *cursor, alch_buffer *text, alch_value *item) {
  while (cursor->next < cursor->end && (*cursor->next == ',' || *cursor->next == ' ')) cursor->next++;
  if (cursor->next >= cursor->end) return ALCH_ARRAY_END;
  char c = *cursor->next;
  if (c == '{' || c == '}') {
    cursor->next++;
    return c == '{' ? ALCH_ARRAY_OPEN : ALCH_ARRAY_CLOSE;
  }
  alch_buffer_clear(text);
  cursor->next = c == '"' ? read_quoted(cursor->next + 1, cursor->end, text) : read_bare(cursor->next, cursor->end, text);
  give(text, c == '"', item);
  return ALCH_ARRAY_ITEM;
}

/* ---- key-value sets ---- */

void alch_hstore_add(alch_buffer *out, const alch_value *key, const alch_value *value) {
  if (out->length > 0) alch_buffer_add(out, ", ");
  add_quoted(out, key->text, key->length);
  alch_buffer_add(out, "=>");
  if (value->kind == ALCH_NULL) alch_buffer_add(out, "NULL");
  else add_quoted(out, value->text, value->length);
}

bool alch_hstore_next(alch_array_cursor *cursor, alch_buffer *key, alch_buffer *text, alch_value *value) {
  const char *at = cursor->next, *end = cursor->end;
  at = at < end ? memchr(at, '"', (size_t)(end - at)) : NULL;
  if (!at) return false;
  alch_buffer_clear(key);
  alch_buffer_clear(text);
  at = read_quoted(at + 1, end, key);
  while (at < end && (*at == ' ' || *at == '=' || *at == '>')) at++;
  bool quoted = at < end && *at == '"';
  at = quoted ? read_quoted(at + 1, end, text) : read_bare(at, end, text);
  give(text, quoted, value);
  cursor->next = at;
  return true;
}
