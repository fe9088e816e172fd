/* The names of types (SQLAlchemy: MySQLTypeCompiler in dialects/mysql/base.py). */
#include "base/buffer.h"
#include "sql/compile.h"
#include "sql/dialects/mysql.h"
#include <string.h>

/* Generic types keep whatever they are given: without digits of its own a moment would lose its fraction of a second, in silence. */
static const char *const words[ALCH_TYPE_FAMILY_COUNT] = { [ALCH_TYPE_BOOLEAN] = "BOOL", [ALCH_TYPE_TIME] = "TIME(6)", [ALCH_TYPE_DATETIME] = "DATETIME(6)", [ALCH_TYPE_INTERVAL] = "DATETIME(6)" };
/* What a Numeric without a precision is, in place of (10, 0): the most that both servers have. */
static const char widest_numeric[] = "(65, 30)";

/* What the standard calls otherwise. */
const struct alch_type_word alch_mysql_type_words[] = {
  { "BOOLEAN", "BOOL" }, { "CLOB", "LONGTEXT" }, { "NCHAR", "NATIONAL CHAR" }, { "NVARCHAR", "NATIONAL VARCHAR" }, { "UUID", NULL }, { NULL, NULL },
};
const struct alch_type_word alch_mariadb_type_words[] = {
  { "BOOLEAN", "BOOL" }, { "CLOB", "LONGTEXT" }, { "NCHAR", "NATIONAL CHAR" }, { "NVARCHAR", "NATIONAL VARCHAR" }, { NULL, NULL },
};

static bool is_text(uint8_t family) { return family >= ALCH_TYPE_STRING && family <= ALCH_TYPE_UNICODE_TEXT; }

static void write_numbers(const alch_type *type, alch_buffer *out) {
  if (type->precision <= 0) return;
  alch_buffer_add_format(out, "(%d", (int)type->precision);
  if (type->scale >= 0) alch_buffer_add_format(out, ", %d", (int)type->scale);
  alch_buffer_add_char(out, ')');
}

static void write_length(const alch_type *type, alch_buffer *out) {
  if (type->length > 0) alch_buffer_add_format(out, "(%d)", (int)type->length);
}

static alch_status write_items(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  const alch_type text = ALCH_TYPE_PLAIN(ALCH_TYPE_STRING);
  for (uint32_t i = 0; i < type->item_count; i++) {
    const alch_value word = alch_value_text(type->items[i], strlen(type->items[i]));
    alch_buffer_add_char(out, i == 0 ? '(' : ',');
    if (alch_render_literal(dialect, &text, &word, out, error) != ALCH_OK) return ALCH_ERROR;
  }
  alch_buffer_add_char(out, ')');
  return ALCH_OK;
}

/* The character set and its shorthands, and the collation; a national text has the former by its name. */
static void write_characters(const alch_dialect *dialect, const alch_type *type, alch_buffer *out) {
  if (!(type->words & ALCH_TAKES(NATIONAL))) {
    if (type->detail) alch_buffer_add_format(out, " CHARACTER SET %s", type->detail);
    else if (type->words & ALCH_TAKES(ASCII)) alch_buffer_add(out, " ASCII");
    else if (type->words & ALCH_TAKES(UNICODE)) alch_buffer_add(out, " UNICODE");
  }
  if (type->collation) {
    alch_buffer_add(out, " COLLATE ");
    alch_quote_identifier(dialect, type->collation, 0, out);
  } else if (type->words & ALCH_TAKES(BINARY)) {
    alch_buffer_add(out, " BINARY");
  }
}

/* A TEXT with a length is as large as that needs; one without would end at 64 KiB. */
static const char *text_word(const alch_type *type) {
  if (type->word) return type->word;
  if (type->family == ALCH_TYPE_STRING || type->family == ALCH_TYPE_UNICODE) return "VARCHAR";
  return type->length > 0 ? "TEXT" : "LONGTEXT";
}

static alch_status needs_length(const alch_dialect *dialect, const char *word, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_COMPILE, "%s requires a length on dialect %s", word, dialect->name);
}

static alch_status write_text(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  const char *word = text_word(type);
  if (type->length == 0 && strstr(word, "VARCHAR")) return needs_length(dialect, strncmp(word, "NATIONAL", 8) == 0 ? "NVARCHAR" : "VARCHAR", error);
  if (type->words & ALCH_TAKES(NATIONAL)) alch_buffer_add(out, "NATIONAL ");
  alch_buffer_add(out, word);
  if (type->item_count > 0 && write_items(dialect, type, out, error) != ALCH_OK) return ALCH_ERROR;
  write_length(type, out);
  write_characters(dialect, type, out);
  return ALCH_OK;
}

static alch_status write_enumeration(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  if (type->words & ALCH_TAKES(NATIONAL)) alch_buffer_add(out, "NATIONAL ");
  alch_buffer_add(out, "ENUM");
  if (write_items(dialect, type, out, error) != ALCH_OK) return ALCH_ERROR;
  write_characters(dialect, type, out);
  return ALCH_OK;
}

static alch_status write_binary(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  const char *word = type->word ? type->word : type->length > 0 ? "BLOB" : "LONGBLOB";
  if (type->length == 0 && strcmp(word, "VARBINARY") == 0) return needs_length(dialect, word, error);
  alch_buffer_add(out, word);
  write_length(type, out);
  return ALCH_OK;
}

/* FLOAT without a precision has 24 bits here, elsewhere 53. */
static bool is_double(const alch_type *type) { return type->family == ALCH_TYPE_DOUBLE || (!type->word && type->precision <= 0); }

static alch_status write_real(const alch_type *type, alch_buffer *out) {
  alch_buffer_add(out, type->word ? type->word : is_double(type) ? "DOUBLE" : "FLOAT");
  /* DOUBLE takes two numbers or none; FLOAT one as well. */
  if (type->scale >= 0 || type->family == ALCH_TYPE_FLOAT) write_numbers(type, out);
  if (type->words & ALCH_TAKES(UNSIGNED)) alch_buffer_add(out, " UNSIGNED");
  if (type->words & ALCH_TAKES(ZEROFILL)) alch_buffer_add(out, " ZEROFILL");
  return ALCH_OK;
}

alch_status alch_mysql_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out, alch_error *error) {
  (void)column;
  switch (type->family) {
    case ALCH_TYPE_STRING: case ALCH_TYPE_UNICODE: case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE_TEXT: return write_text(dialect, type, out, error);
    case ALCH_TYPE_LARGE_BINARY: return write_binary(dialect, type, out, error);
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: return write_real(type, out);
    case ALCH_TYPE_NUMERIC:
      if (type->word || type->precision > 0) break;
      alch_buffer_add_format(out, "NUMERIC%s", widest_numeric);
      return ALCH_OK;
    case ALCH_TYPE_ENUM:
      if ((type->native || type->word) && type->item_count > 0) return write_enumeration(dialect, type, out, error);
      break;
    case ALCH_TYPE_UUID:
      alch_buffer_add(out, type->word ? type->word : type->native && alch_mysql_has(dialect, ALCH_MYSQL_NATIVE_UUID) ? "UUID" : "CHAR(32)");
      return ALCH_OK;
    default: break;
  }
  return alch_type_name_write(words, type, out, error);
}

/* ---- CAST ---- */

#define SINGLE_BITS 24   /* FLOAT(p) is a double beyond */

static const char *const cast_words[ALCH_TYPE_FAMILY_COUNT] = {
  [ALCH_TYPE_INTEGER] = "SIGNED INTEGER", [ALCH_TYPE_SMALL_INTEGER] = "SIGNED INTEGER", [ALCH_TYPE_BIG_INTEGER] = "SIGNED INTEGER", [ALCH_TYPE_NUMERIC] = "DECIMAL",
  [ALCH_TYPE_STRING] = "CHAR",            [ALCH_TYPE_TEXT] = "CHAR",                    [ALCH_TYPE_UNICODE] = "CHAR",               [ALCH_TYPE_UNICODE_TEXT] = "CHAR",
  [ALCH_TYPE_DATE] = "DATE",              [ALCH_TYPE_TIME] = "TIME",                    [ALCH_TYPE_DATETIME] = "DATETIME",          [ALCH_TYPE_INTERVAL] = "DATETIME",
  [ALCH_TYPE_LARGE_BINARY] = "BINARY",    [ALCH_TYPE_JSON] = "JSON",                    [ALCH_TYPE_FLOAT] = "FLOAT",                [ALCH_TYPE_DOUBLE] = "DOUBLE",
};

/* What CAST has no word for. */
static bool is_uncastable(const alch_dialect *dialect, const alch_type *type) {
  bool real = type->family == ALCH_TYPE_FLOAT || type->family == ALCH_TYPE_DOUBLE;
  if (real) return !alch_mysql_has(dialect, ALCH_MYSQL_FLOAT_CAST);
  if (type->word && (strcmp(type->word, "BIT") == 0 || strcmp(type->word, "YEAR") == 0)) return true;
  return !cast_words[type->family] || type->item_count > 0;
}

bool alch_mysql_cast_type(const alch_dialect *dialect, const alch_type *type, alch_buffer *out) {
  if (is_uncastable(dialect, type)) return false;
  bool is_unsigned = alch_type_is_integer(type->family) && type->words & ALCH_TAKES(UNSIGNED), wide = type->family == ALCH_TYPE_FLOAT && !type->word && (is_double(type) || type->precision > SINGLE_BITS);
  alch_buffer_add(out, is_unsigned ? "UNSIGNED INTEGER" : cast_words[wide ? ALCH_TYPE_DOUBLE : type->family]);
  if (is_text(type->family)) write_length(type, out);
  if (is_text(type->family) && type->detail) alch_buffer_add_format(out, " CHARACTER SET %s", type->detail);
  if (type->family == ALCH_TYPE_NUMERIC && !type->word && type->precision <= 0) alch_buffer_add(out, widest_numeric);
  else if (type->family == ALCH_TYPE_NUMERIC) write_numbers(type, out);
  bool moment = type->family == ALCH_TYPE_TIME || type->family == ALCH_TYPE_DATETIME || type->family == ALCH_TYPE_INTERVAL;
  if (moment && !type->word) alch_buffer_add(out, "(6)");
  else if (moment) write_numbers(type, out);
  return true;
}
