/* Identifiers and values as text. */
#include "base/buffer.h"
#include "base/date.h"
#include "base/real.h"
#include "schema/array_text.h"
#include "sql/compile.h"
#include <math.h>
#include <string.h>

/* Every name of a statement is looked up, and most differ from a word in their first two characters. */
static int compare_names(const char *name, const char *word) {
  int order = (unsigned char)name[0] - (unsigned char)word[0];
  if (order == 0 && name[0] != '\0') order = (unsigned char)name[1] - (unsigned char)word[1];
  return order != 0 ? order : strcmp(name, word);
}

static bool is_reserved(const alch_dialect *dialect, const char *name) {
  size_t low = 0, high = dialect->reserved_word_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int order = compare_names(name, dialect->reserved_words[middle]);
    if (order == 0) return true;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return false;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_plain(char c) { return (c >= 'a' && c <= 'z') || c == '_' || is_digit(c) || c == '$'; }

/* SQLAlchemy's rule: lower-case letters, digits, _ and $, not starting with a digit or what the dialect says, and no reserved word. *length: of the name. */
static bool needs_quotes(const alch_dialect *dialect, const char *name, size_t *length) {
  const char *at = name;
  while (is_plain(*at)) at++;
  *length = (size_t)(at - name);
  if (*at || at == name || is_digit(*name)) return true;
  if (dialect->quoted_initials ? strchr(dialect->quoted_initials, *name) != NULL : *name == '$') return true;
  return is_reserved(dialect, name);
}

void alch_quote_identifier(const alch_dialect *dialect, const char *name, uint8_t quote, alch_buffer *out) {
  size_t length = 0;
  if (quote == 0 && !needs_quotes(dialect, name, &length)) {
    alch_buffer_add_bytes(out, name, length);
    return;
  }
  if (quote == 2) {
    alch_buffer_add(out, name);
    return;
  }
  alch_buffer_add_char(out, dialect->quote_open);
  for (; *name; name++) {
    if (*name == dialect->quote_close) alch_buffer_add_char(out, *name);
    alch_buffer_add_char(out, *name);
  }
  alch_buffer_add_char(out, dialect->quote_close);
}

void alch_quote_schema(const alch_dialect *dialect, const char *schema, alch_buffer *out) {
  if (dialect->schema_name) dialect->schema_name(dialect, schema, out);
  else alch_quote_identifier(dialect, schema, 0, out);
}

static alch_status render_text(const alch_dialect *dialect, const alch_value *value, alch_buffer *out, alch_error *error) {
  bool backslashes = alch_dialect_can(dialect, ALCH_CAPABILITY_BACKSLASH_ESCAPES);
  if (value->length > 0 && memchr(value->text, 0, value->length))
    return alch_error_set(error, ALCH_ERROR_DATA, "text with a zero byte cannot be written as a literal; send it as a parameter");
  alch_buffer_add_char(out, '\'');
  for (uint32_t i = 0; i < value->length; i++) {
    if (value->text[i] == '\'' || (backslashes && value->text[i] == '\\')) alch_buffer_add_char(out, value->text[i]);
    alch_buffer_add_char(out, value->text[i]);
  }
  alch_buffer_add_char(out, '\'');
  return ALCH_OK;
}

static void render_blob(const alch_value *value, alch_buffer *out) {
  static const char digits[] = "0123456789ABCDEF";
  alch_buffer_add(out, "X'");
  for (uint32_t i = 0; i < value->length; i++) {
    alch_buffer_add_char(out, digits[(unsigned char)value->text[i] >> 4]);
    alch_buffer_add_char(out, digits[value->text[i] & 15]);
  }
  alch_buffer_add_char(out, '\'');
}

static alch_status render_real(double real, alch_buffer *out, alch_error *error) {
  if (!isfinite(real)) return alch_error_set(error, ALCH_ERROR_DATA, "%s cannot be written as a literal; send it as a parameter", isnan(real) ? "nan" : "an infinity");
  alch_buffer_add_real(out, real);
  return ALCH_OK;
}

static void render_moment(const alch_type *type, const alch_value *value, alch_buffer *out) {
  char text[48];
  switch (value->kind) {
    case ALCH_DATE: alch_date_print(value->integer, text); break;
    case ALCH_TIME: alch_time_print(value->integer, false, text); break;
    case ALCH_DATETIME: alch_datetime_print(value->integer, false, text); break;
    default: alch_interval_print(value->integer, text); break;
  }
  /* What has a time zone is kept in UTC. */
  bool zoned = value->kind == ALCH_DATETIME && type->family == ALCH_TYPE_DATETIME && type->timezone;
  alch_buffer_add_format(out, zoned ? "'%s+00:00'" : "'%s'", text);
}

static alch_status render_value(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, alch_error *error) {
  switch (value->kind) {
    case ALCH_NULL: alch_buffer_add(out, "NULL"); return ALCH_OK;
    case ALCH_INTEGER: alch_buffer_add_integer(out, value->integer); return ALCH_OK;
    case ALCH_REAL: return render_real(value->real, out, error);
    case ALCH_BOOLEAN:
      if (alch_dialect_can(dialect, ALCH_CAPABILITY_NATIVE_BOOLEAN) || alch_dialect_can(dialect, ALCH_CAPABILITY_BOOLEAN_WORDS)) alch_buffer_add(out, value->integer ? "true" : "false");
      else alch_buffer_add_char(out, value->integer ? '1' : '0');
      return ALCH_OK;
    case ALCH_TEXT: return render_text(dialect, value, out, error);
    case ALCH_BLOB: render_blob(value, out); return ALCH_OK;
    case ALCH_DECIMAL: alch_buffer_add_bytes(out, value->text, value->length); return ALCH_OK;
    case ALCH_DATE: case ALCH_TIME: case ALCH_DATETIME: case ALCH_INTERVAL: render_moment(type, value, out); return ALCH_OK;
    default: return alch_error_set(error, ALCH_ERROR_COMPILE, "a %s cannot be written as a literal; send it as a parameter", alch_value_kind_name(value->kind));
  }
}

/* ---- arrays ---- */

static alch_status render_item(const alch_dialect *dialect, const alch_type *type, alch_value *item, alch_buffer *out, alch_error *error) {
  uint8_t kind = alch_type_value_kind(type->family);
  if (item->kind == ALCH_TEXT && (kind == ALCH_INTEGER || kind == ALCH_REAL)) {
    alch_buffer_add_bytes(out, item->text, item->length);
    return ALCH_OK;
  }
  alch_buffer scratch;
  alch_status status = ALCH_OK;
  alch_buffer_init(&scratch, out->allocator);
  if (kind == ALCH_BOOLEAN && item->kind == ALCH_TEXT) *item = alch_value_boolean(item->length > 0 && item->text[0] == 't');
  else if (kind != ALCH_BLOB) status = alch_type_coerce(type, item, &scratch, error);
  if (status == ALCH_OK) status = alch_render_literal(dialect, type, item, out, error);
  alch_buffer_close(&scratch);
  return status;
}

/* ARRAY[1, ARRAY[2, 3]]; an empty one says nothing of its type, and stands as text. */
static alch_status render_array(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, alch_error *error) {
  alch_array_cursor cursor = alch_array_cursor_at(value->text, value->length);
  alch_buffer text;
  alch_value item;
  alch_status status = ALCH_OK;
  bool first = true;
  if (value->length == 2) {
    alch_buffer_add(out, "'{}'");
    return ALCH_OK;
  }
  alch_buffer_init(&text, out->allocator);
  while (status == ALCH_OK) {
    alch_array_token token = alch_array_next(&cursor, &text, &item);
    if (token == ALCH_ARRAY_END) break;
    if (token != ALCH_ARRAY_CLOSE && !first) alch_buffer_add(out, ", ");
    first = token == ALCH_ARRAY_OPEN;
    if (token == ALCH_ARRAY_OPEN) alch_buffer_add(out, "ARRAY[");
    else if (token == ALCH_ARRAY_CLOSE) alch_buffer_add_char(out, ']');
    else status = render_item(dialect, type->item, &item, out, error);
  }
  alch_buffer_close(&text);
  return status;
}

alch_status alch_render_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, alch_error *error) {
  alch_value stored = *value;
  alch_buffer scratch;
  alch_status status = ALCH_OK;
  type = alch_type_in(type, dialect->name);
  bool written = false;
  if (dialect->literal && value->kind != ALCH_NULL) status = dialect->literal(dialect, type, value, out, &written, error);
  if (written || status != ALCH_OK) return status;
  if (type->family == ALCH_TYPE_ARRAY && type->item && value->kind == ALCH_TEXT && alch_dialect_can(dialect, ALCH_CAPABILITY_ARRAYS)) return render_array(dialect, type, value, out, error);
  alch_buffer_init(&scratch, out->allocator);
  if (dialect->to_database && dialect->converts(type, true)) status = dialect->to_database(type, &stored, &scratch, error);
  /* A decimal is written with all its digits, whatever way it would go as a parameter. */
  if (status == ALCH_OK) status = render_value(dialect, type, value->kind == ALCH_DECIMAL ? value : &stored, out, error);
  alch_buffer_close(&scratch);
  if (status == ALCH_OK && alch_buffer_failed(out)) status = alch_error_out_of_memory(error);
  return status;
}
