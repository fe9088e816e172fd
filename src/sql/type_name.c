/* Names of types as CREATE TABLE and CAST have them. */
#include "base/buffer.h"
#include "sql/compile.h"
#include <string.h>

static const char *const standard_words[ALCH_TYPE_FAMILY_COUNT] = {
  [ALCH_TYPE_INTEGER] = "INTEGER",   [ALCH_TYPE_SMALL_INTEGER] = "SMALLINT", [ALCH_TYPE_BIG_INTEGER] = "BIGINT", [ALCH_TYPE_FLOAT] = "FLOAT",
  [ALCH_TYPE_DOUBLE] = "DOUBLE",     [ALCH_TYPE_NUMERIC] = "NUMERIC",        [ALCH_TYPE_STRING] = "VARCHAR",     [ALCH_TYPE_TEXT] = "TEXT",
  [ALCH_TYPE_UNICODE] = "VARCHAR",   [ALCH_TYPE_UNICODE_TEXT] = "TEXT",      [ALCH_TYPE_BOOLEAN] = "BOOLEAN",    [ALCH_TYPE_DATE] = "DATE",
  [ALCH_TYPE_TIME] = "TIME",         [ALCH_TYPE_DATETIME] = "DATETIME",      [ALCH_TYPE_INTERVAL] = "DATETIME",  [ALCH_TYPE_LARGE_BINARY] = "BLOB",
  [ALCH_TYPE_UUID] = "CHAR(32)",     [ALCH_TYPE_ENUM] = "VARCHAR",           [ALCH_TYPE_JSON] = "JSON",
};

/* Characters, not bytes: the database counts so. */
static int32_t longest_word(const alch_type *type) {
  int32_t longest = 0;
  for (uint32_t i = 0; i < type->item_count; i++) {
    int32_t length = 0;
    for (const char *at = type->items[i]; *at; at++) length += (*at & 0xc0) != 0x80;
    if (length > longest) longest = length;
  }
  return longest;
}

static void write_sizes(int32_t first, int32_t second, alch_buffer *out) {
  alch_buffer_add_format(out, "(%d", (int)first);
  if (second >= 0) alch_buffer_add_format(out, ", %d", (int)second);
  alch_buffer_add_char(out, ')');
}

static void write_items(const alch_type *type, alch_buffer *out) {
  for (uint32_t i = 0; i < type->item_count; i++) {
    alch_buffer_add(out, i == 0 ? "('" : "','");
    for (const char *at = type->items[i]; *at; at++) {
      if (*at == '\'') alch_buffer_add_char(out, '\'');
      alch_buffer_add_char(out, *at);
    }
  }
  if (type->item_count > 0) alch_buffer_add(out, "')");
}

/* The length that is written: an enumeration without a type of its own is as long as its longest word, and the standard's BLOB has none. */
static int32_t written_length(const alch_type *type) {
  if (type->family == ALCH_TYPE_ENUM) {
    int32_t longest = longest_word(type);
    return type->length > longest ? type->length : longest;
  }
  bool unsized = type->family == ALCH_TYPE_LARGE_BINARY && (!type->word || (!type->exact->dialects && strcmp(type->word, "BLOB") == 0));
  return unsized ? 0 : type->length;
}

static void write_arguments(const alch_type *type, alch_buffer *out) {
  bool own = type->exact && type->exact->dialects;   /* a database's own type: all that it takes is for its text */
  if (own && type->item_count > 0) {
    write_items(type, out);
    return;
  }
  int32_t length = written_length(type);
  if (length == ALCH_LENGTH_MAX) alch_buffer_add(out, "(max)");
  else if (length > 0) write_sizes(length, -1, out);
  if (type->precision >= 0 && (own || type->family == ALCH_TYPE_NUMERIC)) write_sizes(type->precision, type->scale, out);
}

/* A word with % has its arguments there, another behind it, unless it has some already. */
static void write_word(const char *word, const alch_type *type, alch_buffer *out) {
  const char *place = strchr(word, '%');
  alch_buffer_add_bytes(out, word, place ? (size_t)(place - word) : strlen(word));
  if (!place && strchr(word, '(')) return;
  if (type->words & ALCH_TAKES(VARYING)) alch_buffer_add(out, " VARYING");
  if (type->family == ALCH_TYPE_INTERVAL && type->detail) alch_buffer_add_format(out, " %s", type->detail);
  write_arguments(type, out);
  if (place) alch_buffer_add(out, place + 1);
}

static void write_words_behind(const alch_type *type, alch_buffer *out) {
  static const struct { uint64_t option; const char *word; } words[] = {
    { ALCH_TAKES(UNSIGNED), " UNSIGNED" }, { ALCH_TAKES(ZEROFILL), " ZEROFILL" }, { ALCH_TAKES(ASCII), " ASCII" }, { ALCH_TAKES(UNICODE), " UNICODE" }, { ALCH_TAKES(FILESTREAM), " FILESTREAM" },
  };
  if (type->detail && type->family != ALCH_TYPE_INTERVAL) alch_buffer_add_format(out, " CHARACTER SET %s", type->detail);
  for (size_t i = 0; i < ALCH_COUNT(words); i++)
    if (type->words & words[i].option) alch_buffer_add(out, words[i].word);
  if ((type->words & ALCH_TAKES(BINARY)) && !type->collation) alch_buffer_add(out, " BINARY");
}

static bool is_simple(const char *name) {
  if (!(*name >= 'a' && *name <= 'z') && *name != '_') return false;
  for (; *name; name++)
    if (!(*name >= 'a' && *name <= 'z') && !(*name >= '0' && *name <= '9') && *name != '_' && *name != '$') return false;
  return true;
}

/* As an identifier that is no reserved word: quoted when it has capitals or worse. */
static void write_collation(const char *collation, alch_buffer *out) {
  if (is_simple(collation)) {
    alch_buffer_add_format(out, " COLLATE %s", collation);
    return;
  }
  alch_buffer_add(out, " COLLATE \"");
  for (const char *at = collation; *at; at++) {
    if (*at == '"') alch_buffer_add_char(out, '"');
    alch_buffer_add_char(out, *at);
  }
  alch_buffer_add_char(out, '"');
}

alch_status alch_type_name_write(const char *const *words, const alch_type *type, alch_buffer *out, alch_error *error) {
  const char *word = type->word ? type->word : words && words[type->family] ? words[type->family] : standard_words[type->family];
  if (!word)
    return alch_error_set(error, ALCH_ERROR_COMPILE, "Can't generate DDL for %s; did you forget to specify a type on this Column?", alch_type_family_name(type->family));
  if (type->words & ALCH_TAKES(NATIONAL)) alch_buffer_add(out, "NATIONAL ");
  write_word(word, type, out);
  write_words_behind(type, out);
  if (type->collation) write_collation(type->collation, out);
  return ALCH_OK;
}

/* ---- the one entry: variants, exact types ---- */

static alch_status refuse_exact(const alch_dialect *dialect, const alch_type *type, const alch_allocator *allocator, alch_error *error) {
  alch_buffer text;
  alch_buffer_init(&text, allocator);
  alch_type_print(type, &text);
  alch_status status = alch_error_set(error, ALCH_ERROR_UNSUPPORTED_COMPILATION, "the type %s is not supported by the dialect '%s'; write a generic type, or :with_variant(…, \"%s\")",
                                      alch_buffer_text(&text), dialect->name, dialect->name);
  alch_buffer_close(&text);
  return status;
}

static bool same_word(const char *left, const char *right) { return left && strcmp(left, right) == 0; }

/* How the dialect spells an exact type; NULL: it has none such. */
static const char *spelling_of(const alch_dialect *dialect, const alch_type *type) {
  for (const struct alch_type_word *word = type->exact->dialects ? NULL : dialect->type_words; word && word->word; word++)
    if (same_word(type->exact->word, word->word)) return word->spelling;
  return type->word;
}

static void write_own_name(const alch_dialect *dialect, const alch_type *type, alch_buffer *out) {
  if (type->schema) alch_quote_identifier(dialect, type->schema, 0, out);
  if (type->schema) alch_buffer_add_char(out, '.');
  alch_quote_identifier(dialect, type->name, 0, out);
}

alch_status alch_type_write(const alch_dialect *dialect, const alch_type *given, const alch_column *column, alch_buffer *out, alch_error *error) {
  const alch_type *type = alch_type_in(given, dialect->name);
  if (!type->exact) {
    alch_status status = dialect->type_name(dialect, type, column, out, error);
    bool has_name = type->family == ALCH_TYPE_NULL || standard_words[type->family];
    return status != ALCH_OK && !has_name && error->kind == ALCH_ERROR_COMPILE ? refuse_exact(dialect, type, out->allocator, error) : status;
  }
  alch_type exact = *type;
  if (!dialect->any_type && !alch_exact_belongs(type->exact, dialect->name)) {
    /* A name that all have loses the words of one database. */
    exact.exact = type->word ? alch_exact_find(alch_exact_types, type->exact->name) : NULL;
    if (!exact.exact || exact.exact->family != type->family) return refuse_exact(dialect, type, out->allocator, error);
    if (exact.length == ALCH_LENGTH_MAX) exact.length = 0;
    exact = alch_type_relevant(&exact);
  }
  if (!type->word && type->name) {
    write_own_name(dialect, type, out);
    return ALCH_OK;
  }
  exact.word = type->word ? spelling_of(dialect, &exact) : NULL;
  if (type->word && !exact.word) return refuse_exact(dialect, type, out->allocator, error);
  return dialect->type_name(dialect, &exact, column, out, error);
}
