/* The names of types (SQLAlchemy: MySQLTypeCompiler in dialects/mysql/base.py). */
#include "base/buffer.h"
#include "sql/compile.h"
#include "sql/dialects/mysql.h"
#include <string.h>

static const char *const words[ALCH_TYPE_FAMILY_COUNT] = { [ALCH_TYPE_BOOLEAN] = "BOOL" };

static void write_arguments(const alch_type *type, alch_buffer *out) {
  if (type->precision <= 0) return;
  alch_buffer_add_format(out, "(%d", (int)type->precision);
  if (type->scale >= 0) alch_buffer_add_format(out, ", %d", (int)type->scale);
  alch_buffer_add_char(out, ')');
}

static void write_collation(const alch_dialect *dialect, const alch_type *type, alch_buffer *out) {
  if (!type->collation) return;
  alch_buffer_add(out, " COLLATE ");
  alch_quote_identifier(dialect, type->collation, 0, out);
}

static alch_status write_text(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  bool varying = type->family == ALCH_TYPE_STRING || type->family == ALCH_TYPE_UNICODE;
  if (varying && type->length == 0) return alch_error_set(error, ALCH_ERROR_COMPILE, "VARCHAR requires a length on dialect %s", dialect->name);
  alch_buffer_add(out, varying ? "VARCHAR" : "TEXT");
  if (type->length > 0) alch_buffer_add_format(out, "(%d)", (int)type->length);
  write_collation(dialect, type, out);
  return ALCH_OK;
}

static alch_status write_words(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  const alch_type text = ALCH_TYPE_PLAIN(ALCH_TYPE_STRING);
  alch_buffer_add(out, "ENUM(");
  for (uint32_t i = 0; i < type->item_count; i++) {
    const alch_value word = alch_value_text(type->items[i], strlen(type->items[i]));
    if (i > 0) alch_buffer_add_char(out, ',');
    if (alch_render_literal(dialect, &text, &word, out, error) != ALCH_OK) return ALCH_ERROR;
  }
  alch_buffer_add_char(out, ')');
  write_collation(dialect, type, out);
  return ALCH_OK;
}

alch_status alch_mysql_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out, alch_error *error) {
  (void)column;
  switch (type->family) {
    case ALCH_TYPE_STRING: case ALCH_TYPE_UNICODE: case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE_TEXT: return write_text(dialect, type, out, error);
    case ALCH_TYPE_ENUM:
      if (type->native && type->item_count > 0) return write_words(dialect, type, out, error);
      break;
    case ALCH_TYPE_FLOAT:
      alch_buffer_add(out, "FLOAT");
      write_arguments(type, out);
      return ALCH_OK;
    case ALCH_TYPE_LARGE_BINARY:
      alch_buffer_add(out, "BLOB");
      if (type->length > 0) alch_buffer_add_format(out, "(%d)", (int)type->length);
      return ALCH_OK;
    case ALCH_TYPE_UUID:
      alch_buffer_add(out, type->native && alch_mysql_has(dialect, ALCH_MYSQL_NATIVE_UUID) ? "UUID" : "CHAR(32)");
      return ALCH_OK;
    default: break;
  }
  return alch_type_name_write(words, type, out, error);
}

/* ---- CAST ---- */

static const char *const cast_words[ALCH_TYPE_FAMILY_COUNT] = {
  [ALCH_TYPE_INTEGER] = "SIGNED INTEGER", [ALCH_TYPE_SMALL_INTEGER] = "SIGNED INTEGER", [ALCH_TYPE_BIG_INTEGER] = "SIGNED INTEGER", [ALCH_TYPE_NUMERIC] = "DECIMAL",
  [ALCH_TYPE_STRING] = "CHAR",            [ALCH_TYPE_TEXT] = "CHAR",                    [ALCH_TYPE_UNICODE] = "CHAR",               [ALCH_TYPE_UNICODE_TEXT] = "CHAR",
  [ALCH_TYPE_DATE] = "DATE",              [ALCH_TYPE_TIME] = "TIME",                    [ALCH_TYPE_DATETIME] = "DATETIME",          [ALCH_TYPE_INTERVAL] = "DATETIME",
  [ALCH_TYPE_LARGE_BINARY] = "BINARY",    [ALCH_TYPE_JSON] = "JSON",
};

static const char *cast_word(const alch_dialect *dialect, const alch_type *type) {
  bool floats = alch_mysql_has(dialect, ALCH_MYSQL_FLOAT_CAST);
  switch (type->family) {
    case ALCH_TYPE_FLOAT: return floats ? "FLOAT" : NULL;
    case ALCH_TYPE_DOUBLE: return floats ? "DOUBLE" : NULL;
    default: return cast_words[type->family];
  }
}

bool alch_mysql_cast_type(const alch_dialect *dialect, const alch_type *type, alch_buffer *out) {
  const char *word = cast_word(dialect, type);
  if (!word) return false;
  alch_buffer_add(out, word);
  if (type->family >= ALCH_TYPE_STRING && type->family <= ALCH_TYPE_UNICODE_TEXT && type->length > 0) alch_buffer_add_format(out, "(%d)", (int)type->length);
  if (type->family == ALCH_TYPE_NUMERIC) write_arguments(type, out);
  return true;
}
