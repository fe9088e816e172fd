/* What kind of transaction begins: its level, read-only, deferrable; by the words of the dialect (sql/transaction_words.h). */
#include "engine/private.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 256, PART_SIZE = TEXT_SIZE / 2 };   /* words of dialects, which are short */
enum { STEP_LEVEL, STEP_READ_ONLY, STEP_BEGIN, STEP_DONE };

static const alch_transaction_words *words_of(const alch_connection *connection) {
  return alch_dialect_transactions(alch_engine_dialect(connection->engine));
}

static const char *level_words(const alch_isolation *level) {
  return level->words ? level->words : level->name;
}

const char *alch_transaction_text(const char *text, const char *what, char *out, size_t size) {
  size_t before = strcspn(text, "%");
  snprintf(out, size, "%.*s%s%s", (int)before, text, text[before] ? what : "", text[before] ? text + before + 1 : "");
  return out;
}

/* ---- what is asked for ---- */

static alch_status check_outside(const alch_connection *connection, const char *what, alch_error *error) {
  if (connection->depth == 0 && !connection->lost) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "%s cannot change within a transaction: commit or roll back first", what);
}

alch_status alch_connection_set_isolation(alch_connection *connection, const char *level, alch_error *error) {
  const alch_isolation *found = connection->member->defaults.isolation;
  alch_status status = check_outside(connection, "the isolation level", error);
  if (status == ALCH_OK && level) status = alch_isolation_find(words_of(connection), alch_engine_dialect(connection->engine)->name, level, &found, error);
  if (status == ALCH_OK) connection->options.isolation = found;
  return status;
}

alch_status alch_connection_set_read_only(alch_connection *connection, bool read_only, alch_error *error) {
  if (connection->options.read_only == read_only) return ALCH_OK;
  alch_status status = check_outside(connection, "read_only", error);
  if (status == ALCH_OK && connection->replica)
    status = alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this connection was asked for as a read only one, and may be to a replica: ask the engine for another");
  if (status == ALCH_OK) connection->options.read_only = read_only;
  return status;
}

alch_status alch_connection_set_deferrable(alch_connection *connection, bool deferrable, alch_error *error) {
  if (connection->options.deferrable == deferrable) return ALCH_OK;
  alch_status status = check_outside(connection, "deferrable", error);
  if (status == ALCH_OK && !words_of(connection)->begin_deferrable)
    status = alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has no deferrable transactions", alch_engine_dialect(connection->engine)->name);
  if (status == ALCH_OK) connection->options.deferrable = deferrable;
  return status;
}

alch_status alch_connection_set_begin_mode(alch_connection *connection, const char *mode, alch_error *error) {
  const alch_begin_mode *found = connection->engine->defaults.begin_mode;
  alch_status status = check_outside(connection, "begin_mode", error);
  if (status == ALCH_OK && mode) status = alch_begin_mode_find(words_of(connection), alch_engine_dialect(connection->engine)->name, mode, &found, error);
  if (status == ALCH_OK) connection->options.begin_mode = found;
  return status;
}

const char *alch_connection_isolation(const alch_connection *connection) {
  return connection->options.isolation ? connection->options.isolation->name : NULL;
}

bool alch_connection_is_read_only(const alch_connection *connection) {
  return connection->options.read_only;
}

/* ---- beginning ---- */

static const alch_isolation *wanted_level(const alch_connection *connection) {
  return connection->options.isolation && !connection->options.isolation->autocommit ? connection->options.isolation : NULL;
}

/* What has to be said about the level before the transaction begins, or NULL. */
static const char *level_text(const alch_connection *connection, char *out) {
  const alch_transaction_words *words = words_of(connection);
  const alch_link *link = connection->link;
  const alch_isolation *wanted = wanted_level(connection);
  if (!words->set_level || link->level == wanted) return NULL;
  return wanted ? alch_transaction_text(words->set_level, level_words(wanted), out, TEXT_SIZE) : words->reset_level;
}

static const char *read_only_text(const alch_connection *connection) {
  const alch_transaction_words *words = words_of(connection);
  if (connection->xid && connection->options.read_only && words->twophase_read_only) return words->twophase_read_only;
  if (connection->link->read_only_set == connection->options.read_only) return NULL;
  return connection->options.read_only ? words->set_read_only : words->reset_read_only;
}

/* The text that begins, without what kind. The mode that was asked for, and the driver's own text, are for transactions that may write. */
static alch_status begin_words(const alch_connection *connection, char *out, alch_error *error) {
  const alch_transaction_words *words = words_of(connection);
  const alch_driver *driver = connection->driver;
  const char *begin = words->begin;
  alch_status status = ALCH_OK;
  if (connection->xid) begin = words->begin_twophase;
  else if (connection->options.begin_mode && !connection->options.read_only) begin = connection->options.begin_mode->text;
  else if (driver->begin && !connection->options.read_only) status = driver->begin(connection->link->driver_connection, &begin, error);
  alch_transaction_text(begin, connection->xid, out, PART_SIZE);
  return status;
}

static alch_status begin_text(const alch_connection *connection, char *out, alch_error *error) {
  const alch_transaction_words *words = words_of(connection);
  const alch_connection_defaults *options = &connection->options;
  bool read_only = options->read_only && words->begin_read_only && !(connection->xid && words->twophase_read_only);
  char begin[PART_SIZE], level[PART_SIZE] = "";
  alch_status status = begin_words(connection, begin, error);
  if (options->isolation && words->begin_level) alch_transaction_text(words->begin_level, level_words(options->isolation), level, sizeof level);
  snprintf(out, TEXT_SIZE, "%s%s%s%s", begin, level, read_only ? words->begin_read_only : "", options->deferrable && words->begin_deferrable ? words->begin_deferrable : "");
  return status;
}

static alch_status step_text(const alch_connection *connection, char *out, const char **sql, alch_error *error) {
  alch_status status = ALCH_OK;
  if (connection->begin_step == STEP_LEVEL) *sql = level_text(connection, out);
  else if (connection->begin_step == STEP_READ_ONLY) *sql = read_only_text(connection);
  else {
    status = begin_text(connection, out, error);
    *sql = out[0] ? out : NULL;
  }
  return status;
}

static void note_step(const alch_connection *connection) {
  const alch_transaction_words *words = words_of(connection);
  if (connection->begin_step == STEP_LEVEL && words->reset_level) connection->link->level = wanted_level(connection);
  if (connection->begin_step == STEP_READ_ONLY && words->reset_read_only) connection->link->read_only_set = connection->options.read_only;
}

alch_status alch_transaction_begin_text(alch_connection *connection, alch_error *error) {
  uint8_t end = connection->options.isolation && connection->options.isolation->autocommit ? STEP_BEGIN : STEP_DONE;
  alch_status status = ALCH_OK;
  while (connection->begin_step < end && status == ALCH_OK) {
    char text[TEXT_SIZE] = "";
    const char *sql = NULL;
    status = step_text(connection, text, &sql, error);
    if (status == ALCH_OK && sql) status = alch_link_control(connection->link, sql, error);
    if (status == ALCH_OK) note_step(connection);
    if (status == ALCH_OK) connection->begin_step++;
  }
  if (status != ALCH_WAIT) connection->begin_step = STEP_LEVEL;
  return status;
}

alch_status alch_transaction_unset(alch_link *link) {
  const alch_transaction_words *words = alch_dialect_transactions(link->dialect);
  alch_status status = ALCH_OK;
  if (link->level) {
    status = alch_link_control(link, words->reset_level, NULL);
    if (status == ALCH_WAIT) return status;
    link->level = NULL;
  }
  if (status == ALCH_OK && link->read_only_set) {
    status = alch_link_control(link, words->reset_read_only, NULL);
    if (status == ALCH_WAIT) return status;
  }
  link->read_only_set = false;
  return status;
}

/* ---- writing where that is not allowed ---- */

static bool begins_with_word(const char *sql, const char *word) {
  while (isspace((unsigned char)*sql) || *sql == '(') sql++;
  for (; *word; word++, sql++)
    if (toupper((unsigned char)*sql) != *word) return false;
  return !isalnum((unsigned char)*sql) && *sql != '_';
}

/* The driver may know; else the kind of the statement tells, and of a text its first word. */
static bool writes(const alch_connection *connection, const alch_prepared *prepared) {
  static const char *const words[] = { "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "CREATE", "DROP", "ALTER", "TRUNCATE", "GRANT", "REVOKE", "COPY" };
  if (connection->driver->read_only) return !prepared->read_only;
  for (size_t i = 0; i < ALCH_COUNT(words); i++)
    if (begins_with_word(prepared->sql, words[i])) return true;
  return false;
}

alch_status alch_transaction_check_write(const alch_connection *connection, const alch_prepared *prepared, alch_error *error) {
  const alch_transaction_words *words = words_of(connection);
  bool transaction = !connection->options.isolation || !connection->options.isolation->autocommit, told = words->set_read_only || (words->begin_read_only && transaction);
  if ((told && !connection->replica) || !writes(connection, prepared)) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, connection->replica ? "this connection is read only, and may be to a replica: a statement that writes needs one without read_only"
                                                                              : "this transaction is read only, and the statement writes");
}
