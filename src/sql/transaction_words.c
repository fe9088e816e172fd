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

enum { NAMES_AT_MOST = 16 };

/* names: what there is, `count` of them. */
static alch_status refuse(const char *what, const char *dialect, const char *name, const char *const *names, size_t count, alch_error *error) {
  alch_buffer list;
  alch_buffer_init(&list, &alch_allocator_standard);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) alch_buffer_add(&list, ", ");
    alch_buffer_add(&list, names[i]);
  }
  const char *nearest = alch_nearest(name, names, count);
  alch_error_set(error, ALCH_ERROR_ARGUMENT, "'%s' is no %s of %s%s%s%s; there are %s", name, what, dialect, nearest ? "; the nearest is '" : "", nearest ? nearest : "", nearest ? "'" : "",
                 alch_buffer_text(&list));
  alch_buffer_close(&list);
  return ALCH_ERROR;
}

alch_status alch_isolation_find(const alch_transaction_words *words, const char *dialect, const char *name, const alch_isolation **out, alch_error *error) {
  const char *names[NAMES_AT_MOST] = { NULL };
  size_t count = 0;
  for (const alch_isolation *level = words->levels; level->name; level++) {
    if (count < NAMES_AT_MOST) names[count++] = level->name;
    if (!same_name(level->name, name)) continue;
    *out = level;
    return ALCH_OK;
  }
  return refuse("isolation level", dialect, name, names, count, error);
}

alch_status alch_begin_mode_find(const alch_transaction_words *words, const char *dialect, const char *name, const alch_begin_mode **out, alch_error *error) {
  const char *names[NAMES_AT_MOST] = { NULL };
  size_t count = 0;
  if (!words->begin_modes) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has one way alone to begin a transaction, and no begin_mode", dialect);
  for (const alch_begin_mode *mode = words->begin_modes; mode->name; mode++) {
    if (count < NAMES_AT_MOST) names[count++] = mode->name;
    if (!same_name(mode->name, name)) continue;
    *out = mode;
    return ALCH_OK;
  }
  return refuse("begin_mode", dialect, name, names, count, error);
}
