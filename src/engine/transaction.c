/* Level 1 is a transaction, those above it are savepoints, named by their level.
   On a link that several connections share, a transaction begins in the database with the first statement that writes (`real`), so that connections which only read are in nobody's way. */
#include "engine/message.h"
#include "engine/private.h"
#include <stdio.h>

#define SAVEPOINT_NAME "sp_%u"

static const alch_transaction_words *words_of(const alch_connection *connection) {
  return alch_dialect_transactions(alch_engine_dialect(connection->engine));
}

typedef char control_text[64];

static const char *name_of(uint32_t level, control_text out) {
  snprintf(out, sizeof(control_text), SAVEPOINT_NAME, level);
  return out;
}

static const char *text_for(const char *text, uint32_t level, control_text out) {
  control_text name;
  return alch_transaction_text(text, name_of(level, name), out, sizeof(control_text));
}

/* Events are told once, and not again when the call goes on after a wait. */
static alch_status tell_once(alch_connection *connection, alch_engine_event_kind kind, uint32_t level, alch_error *error) {
  if (alch_link_controls(connection->link)) return ALCH_OK;
  control_text name;
  return alch_connection_tell_kind(connection, kind, level > 1 ? name_of(level, name) : NULL, error);
}

/* Runs a control text (or none); what it waited for before is gone on with. */
alch_status alch_transaction_control(alch_connection *connection, alch_engine_event_kind kind, uint32_t level, const char *sql, alch_error *error) {
  alch_status status = tell_once(connection, kind, level, error);
  if (status == ALCH_OK && sql) status = alch_link_control(connection->link, sql, error);
  if (status < 0) alch_connection_note_failure(connection, error);
  return status == ALCH_OK ? alch_connection_tell_notices(connection, error) : status;
}

/* The call that waits may go on; others may not come between. */
static alch_status check(const alch_connection *connection, alch_error *error) {
  const alch_link *link = connection->link;
  if (link && alch_link_controls(link) && !connection->lost) return ALCH_OK;
  return alch_connection_usable(connection, error);
}

static alch_status check_owner(const alch_connection *connection, alch_error *error) {
  const alch_connection *owner = connection->link->owner;
  if (!owner || owner == connection) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_OPERATIONAL,
                        "database is locked: another connection of this engine, which keeps its database in memory, has a transaction open that has written");
}

static alch_status begin_really(alch_connection *connection, alch_error *error) {
  alch_link *link = connection->link;
  if (connection->real) return ALCH_OK;
  alch_status status = check_owner(connection, error);
  if (status == ALCH_OK && connection->twophase == ALCH_TWOPHASE_PREPARED)
    status = alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this transaction is prepared: it can be committed or rolled back, and nothing else");
  if (status == ALCH_OK && connection->options.isolation && connection->options.isolation->autocommit) return alch_transaction_begin_text(connection, error);
  if (status == ALCH_OK && connection->begin_step == 0) status = tell_once(connection, ALCH_ENGINE_BEGIN, 1, error);
  if (status != ALCH_OK || connection->real) return status;   /* the listener's own statement may have begun it */
  status = alch_transaction_begin_text(connection, error);
  if (status < 0) alch_connection_note_failure(connection, error);
  if (status != ALCH_OK) return status;
  connection->real = true;
  connection->depth = 1;
  link->owner = connection;
  return ALCH_OK;
}

alch_status alch_connection_begin(alch_connection *connection, uint32_t *level, alch_error *error) {
  alch_status status = check(connection, error);
  if (status != ALCH_OK) return status;
  if (connection->depth > 0) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "a transaction is open already on this connection (begin_nested makes a savepoint in it)");
  if (!connection->link->shared || connection->options.begin_mode) status = begin_really(connection, error);
  if (status != ALCH_OK) return status;
  connection->depth = 1;
  *level = 1;
  return ALCH_OK;
}

/* What a statement that writes still has to tell stands in the way of a savepoint or a commit (SQLite refuses them, others wait for the rows to be read). */
static void close_writers(alch_connection *connection) {
  alch_execution *next;
  for (alch_execution *execution = connection->executions; execution; execution = next) {
    next = execution->next;
    if (execution->started && !execution->done && execution->prepared && !execution->prepared->read_only) alch_execution_close(execution);
  }
}

alch_status alch_connection_savepoint(alch_connection *connection, uint32_t *level, alch_error *error) {
  control_text text;
  alch_status status = check(connection, error);
  if (status == ALCH_OK && connection->depth == UINT32_MAX) status = alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "too many savepoints");
  if (status == ALCH_OK && connection->options.isolation && connection->options.isolation->autocommit)
    status = alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "there are no savepoints without a transaction, and AUTOCOMMIT begins none");
  if (status == ALCH_OK) status = begin_really(connection, error);
  if (status != ALCH_OK) return status;
  close_writers(connection);
  uint32_t next = connection->depth + 1;
  status = alch_transaction_control(connection, ALCH_ENGINE_SAVEPOINT, next, text_for(words_of(connection)->savepoint, next, text), error);
  if (status == ALCH_OK) *level = connection->depth = next;
  return status;
}

static alch_status check_level(const alch_connection *connection, uint32_t level, alch_error *error) {
  if (level == 0 || level > connection->depth) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this transaction is not open any more");
  if (level == connection->depth) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "a savepoint inside this transaction is still open: commit it or roll it back first");
}

void alch_transaction_leave(alch_connection *connection) {
  connection->real = connection->lost = false;
  connection->depth = 0;
  connection->begin_step = 0;
  alch_twophase_forget(connection);
  alch_connection_unset_once(connection);
  if (connection->link->owner == connection) connection->link->owner = NULL;
}

void alch_transaction_doubt(alch_error *error) {
  if (!error || !error->disconnected) return;
  error->outcome_unknown = true;
  error->retryable = false;
}

static alch_status commit_transaction(alch_connection *connection, alch_error *error) {
  alch_status status = ALCH_OK;
  if (connection->twophase != ALCH_TWOPHASE_NONE) status = alch_twophase_commit(connection, error);
  else if (connection->real) status = alch_transaction_control(connection, ALCH_ENGINE_COMMIT, 1, "COMMIT", error);
  if (status == ALCH_OK) alch_transaction_leave(connection);
  if (status < 0) alch_transaction_doubt(error);
  return status;
}

alch_status alch_connection_commit(alch_connection *connection, uint32_t level, alch_error *error) {
  control_text text;
  alch_status status = alch_twophase_note(connection, check(connection, error), error);
  if (status == ALCH_OK) status = check_level(connection, level, error);
  if (status != ALCH_OK) return status;
  close_writers(connection);
  if (level == 1) return commit_transaction(connection, error);
  const char *release = words_of(connection)->release;
  status = alch_transaction_control(connection, ALCH_ENGINE_RELEASE, level, release ? text_for(release, level, text) : NULL, error);
  if (status == ALCH_OK) connection->depth = level - 1;
  return status;
}

/* A transaction that the database has ended meanwhile is rolled back already, but not one that is prepared. */
static alch_status rollback_transaction(alch_connection *connection, alch_error *error) {
  const alch_link *link = connection->link;
  bool prepared = connection->twophase == ALCH_TWOPHASE_PREPARED;
  alch_status status = ALCH_OK;
  if (connection->twophase != ALCH_TWOPHASE_NONE) status = alch_twophase_rollback(connection, error);
  else if (alch_link_controls(link) || link->driver->in_transaction(link->driver_connection)) status = alch_transaction_control(connection, ALCH_ENGINE_ROLLBACK, 1, "ROLLBACK", error);
  if (status == ALCH_WAIT || (status < 0 && (prepared || !connection->lost || alch_twophase_is_there(connection)))) return status;
  alch_transaction_leave(connection);
  return ALCH_OK;
}

/* Two steps: a savepoint that is rolled back is still there, and would pile up in a long transaction. */
static alch_status rollback_savepoint(alch_connection *connection, uint32_t level, alch_error *error) {
  control_text text;
  alch_status status = ALCH_OK;
  if (!connection->releasing) status = alch_transaction_control(connection, ALCH_ENGINE_ROLLBACK_TO, level, text_for(words_of(connection)->rollback_to, level, text), error);
  if (status != ALCH_OK) return status;
  connection->releasing = true;
  const char *release = words_of(connection)->release;
  if (release) status = alch_link_control(connection->link, text_for(release, level, text), error);
  if (status == ALCH_WAIT) return status;
  connection->releasing = false;
  if (status == ALCH_OK) connection->depth = level - 1;
  else alch_connection_note_failure(connection, error);
  return status;
}

alch_status alch_connection_rollback(alch_connection *connection, uint32_t level, alch_error *error) {
  if (level == 0 || level > connection->depth) return ALCH_OK;
  if (connection->lost && level > 1) {
    connection->depth = level - 1;
    return ALCH_OK;
  }
  if (connection->lost && alch_twophase_is_there(connection)) {   /* what is left of it has to be ended */
    connection->lost = false;
    connection->real = true;
  }
  if (connection->lost || (!connection->real && connection->twophase == ALCH_TWOPHASE_NONE)) {
    alch_transaction_leave(connection);
    return ALCH_OK;
  }
  alch_status status = alch_twophase_note(connection, check(connection, error), error);
  if (status != ALCH_OK) return status;
  return level == 1 ? rollback_transaction(connection, error) : rollback_savepoint(connection, level, error);
}

alch_status alch_transaction_before_run(alch_connection *connection, bool read_only, alch_error *error) {
  if (connection->depth == 0 && !connection->autobegin) return connection->link->shared && !read_only ? check_owner(connection, error) : ALCH_OK;
  if (!connection->link->shared) return begin_really(connection, error);
  bool autocommit = connection->options.isolation && connection->options.isolation->autocommit;
  if (connection->depth == 0 && !autocommit) connection->depth = 1;
  return read_only ? ALCH_OK : begin_really(connection, error);
}

void alch_transaction_after_text(alch_connection *connection) {
  alch_link *link = connection->link;
  bool open = link->driver->in_transaction(link->driver_connection);
  if (connection->real && !open) alch_transaction_leave(connection);
  if (connection->real || !open || link->owner) return;
  connection->real = true;
  connection->depth = connection->depth > 0 ? connection->depth : 1;
  link->owner = connection;
}

enum { END_BEGIN, END_TWOPHASE, END_RESET, END_UNSET, END_LISTENING, END_DONE };

/* Without a reset what this connection began is rolled back all the same; what somebody's own SQL has begun is his affair. */
static bool needs_reset(const alch_connection *connection) {
  const alch_link *link = connection->link;
  bool own = connection->real || (!link->owner && connection->engine->options.reset_on_return != ALCH_RESET_NONE);
  return own && !link->broken && link->driver->in_transaction(link->driver_connection);
}

static alch_status reset(alch_connection *connection) {
  alch_link *link = connection->link;
  bool commit = connection->engine->options.reset_on_return == ALCH_RESET_COMMIT;
  if (!alch_link_controls(link)) {
    if (!needs_reset(connection)) return ALCH_OK;
    alch_connection_tell_kind(connection, commit ? ALCH_ENGINE_COMMIT : ALCH_ENGINE_ROLLBACK, NULL, NULL);
  }
  alch_status status = alch_link_control(link, commit ? "COMMIT" : "ROLLBACK", NULL);
  if (status < 0) link->broken = true;
  return status;
}

/* Nobody else knows of it yet, so what was prepared is taken back. */
static alch_status end_twophase(alch_connection *connection) {
  alch_status status = alch_twophase_rollback(connection, NULL);
  if (status == ALCH_OK) connection->real = false;
  if (status < 0) connection->link->broken = true;
  return status;
}

/* What somebody still waits for is given up, and the link with it; but a database that is the link itself would be lost. */
static uint8_t begin_end(alch_connection *connection) {
  alch_link *link = connection->link;
  if (link->busy == &connection->wait_until) link->busy = NULL;   /* a notification that nobody waits for any more */
  if (!link->busy) return alch_twophase_is_there(connection) ? END_TWOPHASE : END_RESET;
  if (link->shared && alch_link_controls(link) && alch_link_end_control(link)) return END_RESET;
  alch_link_give_up(link);
  return END_DONE;
}

alch_status alch_transaction_end(alch_connection *connection) {
  alch_status status = ALCH_OK;
  if (connection->end_step == END_BEGIN) connection->end_step = begin_end(connection);
  if (connection->end_step == END_TWOPHASE) {
    status = end_twophase(connection);
    if (status == ALCH_WAIT) return status;
    connection->end_step = END_RESET;
  }
  if (connection->end_step == END_RESET) {
    status = reset(connection);
    if (status == ALCH_WAIT) return status;
    connection->end_step = END_UNSET;
  }
  if (connection->end_step == END_UNSET) {
    status = connection->link->broken ? ALCH_OK : alch_transaction_unset(connection->link);
    if (status == ALCH_WAIT) return status;
    if (status < 0) connection->link->broken = true;
    connection->end_step = END_LISTENING;
  }
  if (connection->end_step == END_LISTENING) status = alch_link_unlisten(connection->link);
  if (status == ALCH_WAIT) return status;
  connection->end_step = END_DONE;
  return ALCH_OK;
}
