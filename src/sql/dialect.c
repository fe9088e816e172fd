#include "sql/dialect.h"
#include "base/buffer.h"
#include "base/map.h"
#include <string.h>
#include <strings.h>

#define ALCH_DIALECT_TYPES(name)
#define ALCH_DIALECT(name) extern const alch_dialect alch_dialect_##name;
#define ALCH_OLDER_DIALECT(name) extern const alch_dialect alch_dialect_##name;
#include "sql/dialects/dialects.def"
#undef ALCH_DIALECT
#undef ALCH_OLDER_DIALECT

static const alch_dialect *const dialects[] = {
#define ALCH_DIALECT(name) &alch_dialect_##name,
#define ALCH_OLDER_DIALECT(name) &alch_dialect_##name,
#include "sql/dialects/dialects.def"
#undef ALCH_DIALECT
#undef ALCH_OLDER_DIALECT
};

static const char *const dialect_names[] = {
#define ALCH_DIALECT(name) #name,
#define ALCH_OLDER_DIALECT(name)
#include "sql/dialects/dialects.def"
#undef ALCH_DIALECT
#undef ALCH_OLDER_DIALECT
  NULL
};
#undef ALCH_DIALECT_TYPES

#define ALCH_DIALECT(name)
#define ALCH_OLDER_DIALECT(name)
#define ALCH_DIALECT_TYPES(name) extern const alch_exact_type alch_##name##_types[];
#include "sql/dialects/dialects.def"
#undef ALCH_DIALECT_TYPES

static const struct { const char *name; const alch_exact_type *types; } type_lists[] = {
#define ALCH_DIALECT_TYPES(name) { #name, alch_##name##_types },
#include "sql/dialects/dialects.def"
#undef ALCH_DIALECT_TYPES
#undef ALCH_DIALECT
#undef ALCH_OLDER_DIALECT
};

_Static_assert(ALCH_CAPABILITY_COUNT <= 8 * sizeof(alch_capability_set), "capabilities are the bits of one number");

const alch_dialect *alch_dialect_find(const char *name) {
  for (size_t i = 0; i < ALCH_COUNT(dialects); i++)
    if (strcmp(dialects[i]->name, name) == 0) return dialects[i];
  return NULL;
}

static uint64_t rank(uint16_t major, uint16_t minor, uint16_t patch) {
  return (uint64_t)major << 32 | (uint64_t)minor << 16 | patch;
}

static uint64_t rank_of(const alch_dialect *dialect) {
  return rank(dialect->version_major, dialect->version_minor, dialect->version_patch);
}

const alch_dialect *alch_dialect_for_version(const alch_dialect *dialect, uint16_t major, uint16_t minor, uint16_t patch) {
  const alch_dialect *oldest = dialect;
  for (size_t i = 0; i < ALCH_COUNT(dialects); i++) {
    if (strcmp(dialects[i]->name, dialect->name) != 0) continue;
    oldest = dialects[i];
    if (rank_of(oldest) <= rank(major, minor, patch)) break;
  }
  return oldest;
}

bool alch_dialect_is_older(const alch_dialect *first, const alch_dialect *second) {
  return rank_of(first) < rank_of(second);
}

const char *const *alch_dialect_names(void) {
  return dialect_names;
}

alch_status alch_dialect_require(const char *name, const alch_dialect **out, alch_error *error) {
  *out = alch_dialect_find(name);
  if (*out) return ALCH_OK;
  const char *nearest = alch_nearest(name, dialect_names, ALCH_COUNT(dialect_names) - 1);
  return alch_error_set(error, ALCH_ERROR_NO_SUCH_MODULE, "there is no dialect '%s'%s%s%s", name, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

const alch_exact_type *alch_dialect_types(const char *name) {
  for (size_t i = 0; i < ALCH_COUNT(type_lists); i++)
    if (strcmp(type_lists[i].name, name) == 0) return type_lists[i].types;
  return NULL;
}

alch_status alch_dialect_store(const alch_dialect *dialect, const alch_type *type, bool in_column, alch_value *value, alch_buffer *scratch, alch_error *error) {
  alch_status status = dialect->to_database(type, value, scratch, error);
  return status == ALCH_OK && in_column && dialect->to_column ? dialect->to_column(type, value, error) : status;
}

static bool is_meant(const struct alch_option_name *option, const char *name) {
  size_t length = strlen(option->name);
  if (length > 0 && option->name[length - 1] == '*') return strncmp(option->name, name, length - 1) == 0 && name[length - 1];
  return strcmp(option->name, name) == 0;
}

alch_status alch_option_check(uint16_t scope, const char *name, const char *where, alch_error *error) {
  const char *names[128] = { NULL };
  size_t count = 0;
  for (size_t i = 0; i < ALCH_COUNT(dialects); i++)
    for (const struct alch_option_name *option = dialects[i]->options; option->scope; option++) {
      if (!(option->scope & scope)) continue;
      if (is_meant(option, name)) return ALCH_OK;
      if (count < ALCH_COUNT(names) && !strchr(option->name, '*')) names[count++] = option->name;
    }
  const char *nearest = alch_nearest(name, names, count);
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has no option '%s'%s%s%s", where, name, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static const char *missing_part(const alch_dialect *dialect) {
  if (!dialect->name || !*dialect->name) return "name";
  if (!dialect->quote_open || !dialect->quote_close) return "quote_open and quote_close";
  if (!dialect->reserved_words || dialect->reserved_words[dialect->reserved_word_count]) return "reserved_words and their count";
  if (!dialect->select_clauses || !dialect->select_clauses[0]) return "select_clauses";
  if (!dialect->operator_spellings) return "operator_spellings";
  if (!dialect->renderers) return "renderers";
  if (!dialect->type_name) return "type_name";
  if (!dialect->functions) return "functions";
  if (!dialect->options) return "options";
  if (!dialect->column_parts || !dialect->column_parts[0]) return "column_parts";
  if (!dialect->converts) return "converts";
  return NULL;
}

/* The reserved words are searched by halves. */
static const char *unsorted_word(const alch_dialect *dialect) {
  for (const char *const *word = dialect->reserved_words; word[0]; word++) {
    if (word[1] && strcmp(word[0], word[1]) >= 0) return word[1];
    for (const char *at = word[0]; *at; at++)
      if (*at >= 'A' && *at <= 'Z') return word[0];
  }
  return NULL;
}

static bool has_twice(const uint8_t *list) {
  uint64_t seen[4] = { 0 };
  for (; *list; list++) {
    if (seen[*list >> 6] >> (*list & 63) & 1) return true;
    seen[*list >> 6] |= UINT64_C(1) << (*list & 63);
  }
  return false;
}

/* Options carry the dialect's name, so that nobody takes them for another's. */
static const char *foreign_option(const alch_dialect *dialect) {
  size_t length = strlen(dialect->name);
  for (const struct alch_option_name *option = dialect->options; option->scope; option++)
    if (strncmp(option->name, dialect->name, length) != 0 || option->name[length] != '_') return option->name;
  return NULL;
}

static bool has_part_twice(const struct alch_ddl_override *parts) {
  for (const struct alch_ddl_override *one = parts; one && one->part; one++)
    for (const struct alch_ddl_override *other = parts; other < one; other++)
      if (other->part == one->part) return true;
  return false;
}

/* A capability of the left column is of no use, or means nothing, without the one beside it. */
static const struct { uint8_t capability, needs; } needs[] = {
  { ALCH_CAPABILITY_ORDERED_RETURNING, ALCH_CAPABILITY_INSERT_RETURNING }, { ALCH_CAPABILITY_ORDERED_RETURNING, ALCH_CAPABILITY_MULTI_VALUES },
  { ALCH_CAPABILITY_DML_CTE, ALCH_CAPABILITY_CTE },                        { ALCH_CAPABILITY_TUPLE_VALUES, ALCH_CAPABILITY_ROW_VALUES },
};

static const char *const capability_names[] = {
#define ALCH_CAPABILITY(symbol, name, documentation) name,
#include "sql/capability.def"
#undef ALCH_CAPABILITY
};

alch_status alch_dialect_validate(const alch_dialect *dialect, alch_error *error) {
  const char *missing = missing_part(dialect);
  if (missing) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "dialect '%s' has no %s", dialect->name ? dialect->name : "", missing);
  const char *word = unsorted_word(dialect);
  if (word) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "dialect '%s': the reserved words must be sorted and in lower case; '%s' is out of place", dialect->name, word);
  if (has_twice(dialect->select_clauses)) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "dialect '%s' has a clause of SELECT twice", dialect->name);
  if (has_twice(dialect->column_parts)) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "dialect '%s' has a part of a column twice", dialect->name);
  const char *option = foreign_option(dialect);
  if (option) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "dialect '%s' has an option '%s'; its name must begin with '%s_'", dialect->name, option, dialect->name);
  if (has_part_twice(dialect->ddl_parts)) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "dialect '%s' writes a part of DDL twice", dialect->name);
  for (size_t i = 0; i < ALCH_COUNT(needs); i++)
    if (alch_dialect_can(dialect, needs[i].capability) && !alch_dialect_can(dialect, needs[i].needs))
      return alch_error_set(error, ALCH_ERROR_ARGUMENT, "dialect '%s' has the capability %s without %s", dialect->name, capability_names[needs[i].capability],
                            capability_names[needs[i].needs]);
  if (!alch_dialect_can(dialect, ALCH_CAPABILITY_ALTER_CONSTRAINT) && !alch_dialect_can(dialect, ALCH_CAPABILITY_INLINE_CYCLES))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "dialect '%s' can make no foreign key that closes a cycle: it needs alter_constraint or inline_cycles", dialect->name);
  if (!dialect->to_database != !dialect->from_database)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "dialect '%s' has one of to_database and from_database; it needs both or none", dialect->name);
  return ALCH_OK;
}
