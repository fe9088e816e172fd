#include "sql/transaction_words.h"
#include "base/buffer.h"
#include "base/map.h"
#include <ctype.h>

static const alch_isolation levels[] = {
  { .name = "READ UNCOMMITTED" }, { .name = "READ COMMITTED" }, { .name = "REPEATABLE READ" }, { .name = "SERIALIZABLE" }, { .name = "AUTOCOMMIT", .autocommit = true }, { .name = NULL },
};

const alch_transaction_words alch_standard_transactions = {
  .levels = levels,
  .begin = "BEGIN",
  .savepoint = "SAVEPOINT %",
  .release = "RELEASE SAVEPOINT %",
  .rollback_to = "ROLLBACK TO SAVEPOINT %",
};

static bool same_name(const char *known, const char *given) {
  for (; *known && *given; known++, given++)
    if (*known != (*given == '_' ? ' ' : toupper((unsigned char)*given))) return false;
  return *known == *given;
}

enum { LEVELS_AT_MOST = 16 };

static alch_status refuse(const alch_transaction_words *words, const char *dialect, const char *name, alch_error *error) {
  const char *names[LEVELS_AT_MOST] = { NULL };
  size_t count = 0;
  alch_buffer list;
  alch_buffer_init(&list, &alch_allocator_standard);
  for (const alch_isolation *level = words->levels; level->name && count < LEVELS_AT_MOST; level++) {
    if (count > 0) alch_buffer_add(&list, ", ");
    alch_buffer_add(&list, level->name);
    names[count++] = level->name;
  }
  const char *nearest = alch_nearest(name, names, count);
  alch_error_set(error, ALCH_ERROR_ARGUMENT, "'%s' is no isolation level of %s%s%s%s; there are %s", name, dialect, nearest ? "; the nearest is '" : "", nearest ? nearest : "", nearest ? "'" : "",
                 alch_buffer_text(&list));
  alch_buffer_close(&list);
  return ALCH_ERROR;
}

alch_status alch_isolation_find(const alch_transaction_words *words, const char *dialect, const char *name, const alch_isolation **out, alch_error *error) {
  for (const alch_isolation *level = words->levels; level->name; level++) {
    if (!same_name(level->name, name)) continue;
    *out = level;
    return ALCH_OK;
  }
  return refuse(words, dialect, name, error);
}
