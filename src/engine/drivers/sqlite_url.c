/* What URLs of this database may say. */
#include "base/map.h"
#include "base/real.h"
#include "engine/drivers/sqlite_private.h"
#include <string.h>

#define BUSY_TIMEOUT_DEFAULT 5000
#define BUSY_TIMEOUT_MAX 2000000.0   /* seconds; the library counts milliseconds in an int */

/* A word that an option may have, and what it means. */
typedef struct choice {
  const char *word;
  int meaning;
} choice;

static const choice truths[] = { { "0", 0 }, { "1", 1 }, { "off", 0 }, { "on", 1 }, { "false", 0 }, { "true", 1 }, { "no", 0 }, { "yes", 1 } };
static const choice modes[] = {
  { "ro", SQLITE_OPEN_READONLY },
  { "rw", SQLITE_OPEN_READWRITE },
  { "rwc", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE },
  { "memory", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY },
};
static const choice caches[] = { { "shared", SQLITE_OPEN_SHAREDCACHE }, { "private", SQLITE_OPEN_PRIVATECACHE } };
static const choice journals[] = { { "delete", 0 }, { "truncate", 0 }, { "persist", 0 }, { "memory", 0 }, { "wal", 0 }, { "off", 0 } };
static const choice synchronous[] = { { "off", 0 }, { "normal", 0 }, { "full", 0 }, { "extra", 0 } };

static alch_status bad_value(const alch_url_option *option, const choice *choices, size_t count, alch_error *error) {
  char list[80] = "";
  for (size_t i = 0; i < count; i++) {
    if (i > 0) strncat(list, ", ", sizeof list - strlen(list) - 1);
    strncat(list, choices[i].word, sizeof list - strlen(list) - 1);
  }
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s=%s is none of %s", option->name, option->value, list);
}

static alch_status choose(const alch_url_option *option, const choice *choices, size_t count, const choice **out, alch_error *error) {
  for (size_t i = 0; i < count; i++)
    if (sqlite3_stricmp(choices[i].word, option->value) == 0) {
      *out = &choices[i];
      return ALCH_OK;
    }
  return bad_value(option, choices, count, error);
}

#define CHOOSE(option, choices, out, error) choose(option, choices, ALCH_COUNT(choices), out, error)

static alch_status read_truth(const alch_url_option *option, bool *out, alch_error *error) {
  const choice *chosen = NULL;
  alch_status status = CHOOSE(option, truths, &chosen, error);
  if (status == ALCH_OK) *out = chosen->meaning != 0;
  return status;
}

static alch_status read_mode(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  const choice *chosen = NULL;
  alch_status status = CHOOSE(option, modes, &chosen, error);
  if (status == ALCH_OK) out->flags = (out->flags & ~(SQLITE_OPEN_READONLY | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | chosen->meaning;
  return status;
}

static alch_status read_cache(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  const choice *chosen = NULL;
  alch_status status = CHOOSE(option, caches, &chosen, error);
  if (status == ALCH_OK) out->flags |= chosen->meaning;
  return status;
}

static alch_status read_timeout(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  double seconds;
  if (!alch_real_parse(option->value, strlen(option->value), &seconds) || !(seconds >= 0 && seconds <= BUSY_TIMEOUT_MAX))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "timeout=%s is no number of seconds", option->value);
  out->timeout = (int)(seconds * 1000 + 0.5);
  return ALCH_OK;
}

static alch_status read_foreign_keys(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  return read_truth(option, &out->foreign_keys, error);
}

static alch_status read_dqs(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  return read_truth(option, &out->dqs, error);
}

static alch_status read_worker(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  return read_truth(option, &out->worker, error);
}

static alch_status read_immutable(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  return read_truth(option, &out->immutable, error);
}

static alch_status read_uri(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  bool on = false;
  alch_status status = read_truth(option, &on, error);
  if (on) out->flags |= SQLITE_OPEN_URI;
  return status;
}

static alch_status read_journal_mode(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  const choice *chosen = NULL;
  alch_status status = CHOOSE(option, journals, &chosen, error);
  if (status == ALCH_OK) out->journal_mode = chosen->word;
  return status;
}

static alch_status read_synchronous(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  const choice *chosen = NULL;
  alch_status status = CHOOSE(option, synchronous, &chosen, error);
  if (status == ALCH_OK) out->synchronous = chosen->word;
  return status;
}

static alch_status read_vfs(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  (void)error;
  out->vfs = option->value;
  return ALCH_OK;
}

static alch_status read_begin(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error) {
  static const choice begins[] = { { "deferred", 0 }, { "immediate", 1 }, { "exclusive", 2 } };
  static const char *const texts[] = { "BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE" };
  const choice *chosen = NULL;
  alch_status status = CHOOSE(option, begins, &chosen, error);
  if (status == ALCH_OK) out->begin = texts[chosen->meaning];
  return status;
}

/* ---- settings by their own names: pragma_cache_size=-8000 ---- */

/* Those that set something for a connection or a new file (https://sqlite.org/pragma.html) and have no option of their own. Sorted. */
static const char *const pragmas[] = {
  "analysis_limit", "application_id", "auto_vacuum", "automatic_index", "cache_size", "cache_spill", "case_sensitive_like", "cell_size_check", "checkpoint_fullfsync", "encoding",
  "fullfsync", "hard_heap_limit", "ignore_check_constraints", "journal_size_limit", "legacy_alter_table", "locking_mode", "max_page_count", "mmap_size", "page_size",
  "recursive_triggers", "reverse_unordered_selects", "secure_delete", "soft_heap_limit", "temp_store", "threads", "trusted_schema", "user_version", "wal_autocheckpoint",
};
static const char prefix[] = "pragma_";

const char *alch_sqlite_pragma(const alch_url_option *option) {
  return strncmp(option->name, prefix, sizeof prefix - 1) == 0 ? option->name + sizeof prefix - 1 : NULL;
}

/* A number or a word; "UTF-16le" has a dash. */
static bool is_plain_value(const char *value) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  size_t length = strlen(value);
  return length > 0 && length < 32 && strspn(value, letters) == length && !strstr(value, "--");
}

static alch_status check_pragma(const alch_url_option *option, const char *name, alch_error *error) {
  size_t i = 0;
  while (i < ALCH_COUNT(pragmas) && strcmp(pragmas[i], name) != 0) i++;
  if (i == ALCH_COUNT(pragmas)) {
    const char *nearest = alch_nearest(name, pragmas, ALCH_COUNT(pragmas));
    if (nearest) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a SQLite URL takes no '%s'; did you mean 'pragma_%s'?", option->name, nearest);
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a SQLite URL takes no '%s': it is no setting of a connection, or has an option of its own", option->name);
  }
  if (is_plain_value(option->value)) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s=%s is neither a number nor a word", option->name, option->value);
}

static const struct option_row {
  const char *name;
  alch_status (*read)(const alch_url_option *option, alch_sqlite_settings *out, alch_error *error);
} rows[] = {
  { "mode", read_mode },           { "cache", read_cache },         { "timeout", read_timeout },
  { "foreign_keys", read_foreign_keys }, { "journal_mode", read_journal_mode }, { "synchronous", read_synchronous },
  { "immutable", read_immutable }, { "uri", read_uri },             { "vfs", read_vfs },
  { "dqs", read_dqs },             { "begin", read_begin },         { "worker", read_worker },
};

static alch_status unknown_option(const char *name, alch_error *error) {
  const char *known[ALCH_COUNT(rows)];
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) known[i] = rows[i].name;
  const char *nearest = alch_nearest(name, known, ALCH_COUNT(rows));
  if (nearest) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a SQLite URL has no option '%s'; did you mean '%s'?", name, nearest);
  return alch_error_set(error, ALCH_ERROR_ARGUMENT,
                        "a SQLite URL has no option '%s'; there are mode, cache, timeout, foreign_keys, journal_mode, synchronous, immutable, uri, vfs, dqs, begin, worker, pragma_<name>", name);
}

static alch_status read_option(const alch_url *url, uint32_t index, alch_sqlite_settings *out, alch_error *error) {
  const alch_url_option *option = &url->options[index];
  for (uint32_t i = 0; i < index; i++)
    if (strcmp(url->options[i].name, option->name) == 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the option '%s' is given twice", option->name);
  const char *pragma = alch_sqlite_pragma(option);
  if (pragma) return check_pragma(option, pragma, error);
  for (size_t i = 0; i < ALCH_COUNT(rows); i++)
    if (strcmp(rows[i].name, option->name) == 0) return rows[i].read(option, out, error);
  return unknown_option(option->name, error);
}

static alch_status check_place(const alch_url *url, alch_error *error) {
  if (url->host || url->port)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT,
                          "a SQLite URL names no host: sqlite:///%s is a path from the working directory, sqlite:////%s from the root", url->host ? url->host : "a.db",
                          url->host ? url->host : "a.db");
  if (url->user) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a SQLite URL has no user or password");
  return ALCH_OK;
}

alch_status alch_sqlite_settings_read(const alch_url *url, alch_sqlite_settings *out, alch_error *error) {
  *out = (alch_sqlite_settings){
    .path = url->database ? url->database : ":memory:",
    .flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
    .begin = "BEGIN",
    .url = url,
    .timeout = BUSY_TIMEOUT_DEFAULT,
    .foreign_keys = true,
  };
  alch_status status = check_place(url, error);
  for (uint32_t i = 0; i < url->option_count && status == ALCH_OK; i++) status = read_option(url, i, out, error);
  return status;
}

bool alch_sqlite_settings_private(const alch_url *url) {
  const char *cache = alch_url_option_value(url, "cache"), *mode = alch_url_option_value(url, "mode");
  if (cache && sqlite3_stricmp(cache, "shared") == 0) return false;
  if (mode && sqlite3_stricmp(mode, "memory") == 0) return true;
  return !url->database || strcmp(url->database, ":memory:") == 0;
}
