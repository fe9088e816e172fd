#include "schema/json_path.h"
#include "base/buffer.h"
#include "schema/type.h"
#include <strings.h>
#include <string.h>

static void add_escaped(alch_buffer *out, const char *text, size_t length) {
  alch_buffer_add_char(out, '"');
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '"' || text[i] == '\\') alch_buffer_add_char(out, '\\');
    alch_buffer_add_char(out, text[i]);
  }
  alch_buffer_add_char(out, '"');
}

void alch_path_add(alch_buffer *path, const alch_value *step) {
  alch_buffer_add_char(path, path->length == 0 ? '[' : ',');
  if (step->kind == ALCH_TEXT) add_escaped(path, step->text, step->length);
  else alch_buffer_add_integer(path, step->integer);
}

void alch_path_finish(alch_buffer *path) {
  if (path->length == 0) alch_buffer_add_char(path, '[');
  alch_buffer_add_char(path, ']');
}

alch_path_cursor alch_path_cursor_at(const alch_value *path) {
  alch_path_cursor cursor = { path->text, path->text + path->length };
  if (cursor.next < cursor.end) cursor.next++;
  return cursor;
}

/* The cursor stands behind the quote that opens a key. */
static const char *read_key(const char *at, const char *end, alch_buffer *key) {
  alch_buffer_clear(key);
  for (; at < end && *at != '"'; at++) {
    if (*at == '\\' && at + 1 < end) at++;
    alch_buffer_add_char(key, *at);
  }
  return at < end ? at + 1 : end;
}

static const char *read_place(const char *at, const char *end, int64_t *place) {
  bool negative = at < end && *at == '-';
  uint64_t number = 0;
  for (at += negative; at < end && *at >= '0' && *at <= '9'; at++) number = number * 10 + (uint64_t)(*at - '0');
  *place = negative ? -(int64_t)number : (int64_t)number;
  return at;
}

bool alch_path_next(alch_path_cursor *cursor, alch_buffer *key, alch_value *step) {
  const char *at = cursor->next;
  while (at < cursor->end && (*at == ',' || *at == ' ')) at++;
  if (at >= cursor->end || *at == ']') return false;
  if (*at == '"') {
    cursor->next = read_key(at + 1, cursor->end, key);
    *step = alch_value_text(alch_buffer_text(key), key->length);
  } else {
    int64_t place;
    cursor->next = read_place(at, cursor->end, &place);
    if (cursor->next == at) return false;
    *step = alch_value_integer(place);
  }
  return true;
}

/* ---- for the databases ---- */

typedef void (*step_writer)(const alch_value *step, bool first, alch_buffer *out);

static void write_dollar_step(const alch_value *step, bool first, alch_buffer *out) {
  (void)first;
  if (step->kind == ALCH_TEXT) {
    alch_buffer_add_char(out, '.');
    add_escaped(out, step->text, step->length);
    return;
  }
  alch_buffer_add_char(out, '[');
  alch_buffer_add_integer(out, step->integer);
  alch_buffer_add_char(out, ']');
}

/* What the array's own syntax would take for something else stands in quotes. */
static bool needs_quotes(const alch_value *step) {
  if (step->length == 0 || (step->length == 4 && strncasecmp(step->text, "null", 4) == 0)) return true;
  for (uint32_t i = 0; i < step->length; i++)
    if (strchr("{}\",\\ \t\n\r\v\f", step->text[i])) return true;
  return false;
}

static void write_brace_step(const alch_value *step, bool first, alch_buffer *out) {
  if (!first) alch_buffer_add(out, ", ");
  if (step->kind != ALCH_TEXT) alch_buffer_add_integer(out, step->integer);
  else if (needs_quotes(step)) add_escaped(out, step->text, step->length);
  else alch_buffer_add_bytes(out, step->text, step->length);
}

static alch_status write_steps(uint8_t family, const alch_value *path, step_writer write, alch_buffer *out, alch_error *error) {
  alch_buffer key;
  alch_value step;
  if (family == ALCH_TYPE_JSON_INDEX && (path->kind == ALCH_TEXT || path->kind == ALCH_INTEGER)) {
    write(path, true, out);
    return ALCH_OK;
  }
  if (path->kind != ALCH_TEXT) return alch_error_set(error, ALCH_ERROR_DATA, "a JSON value is indexed with a key, a place or a path, not the %s", alch_value_kind_name(path->kind));
  alch_buffer_init(&key, out->allocator);
  alch_path_cursor cursor = alch_path_cursor_at(path);
  for (bool first = true; alch_path_next(&cursor, &key, &step); first = false) write(&step, first, out);
  bool failed = alch_buffer_failed(&key) || alch_buffer_failed(out);
  alch_buffer_close(&key);
  return failed ? alch_error_out_of_memory(error) : ALCH_OK;
}

alch_status alch_path_write_dollar(uint8_t family, const alch_value *path, alch_buffer *out, alch_error *error) {
  alch_buffer_add_char(out, '$');
  return write_steps(family, path, write_dollar_step, out, error);
}

alch_status alch_path_write_braces(uint8_t family, const alch_value *path, alch_buffer *out, alch_error *error) {
  alch_buffer_add_char(out, '{');
  alch_status status = write_steps(family, path, write_brace_step, out, error);
  alch_buffer_add_char(out, '}');
  return status;
}
