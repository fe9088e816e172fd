/* Two-phase commit: a transaction with an id, which outlives its connection once it is prepared. */
#include "engine/private.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { XID_LIMIT = 64, TEXT_SIZE = 128 };   /* XA ids have 64 bytes (https://mariadb.com/kb/en/xa-transactions/), of others more */

static const alch_transaction_words *words_of(const alch_connection *connection) {
  return alch_dialect_transactions(alch_engine_dialect(connection->engine));
}

void alch_twophase_forget(alch_connection *connection) {
  if (connection->xid) alch_free(connection->engine->allocator, connection->xid, strlen(connection->xid) + 1);
  connection->xid = NULL;
  connection->twophase = ALCH_TWOPHASE_NONE;
  connection->twophase_step = 0;
}

const char *alch_connection_xid(const alch_connection *connection) {
  return connection->xid;
}

/* ---- ids ---- */

/* Only what needs no escapes anywhere. */
static alch_status check_xid(const char *xid, alch_error *error) {
  size_t length = strlen(xid);
  bool fine = length > 0 && length <= XID_LIMIT;
  for (const char *at = xid; *at; at++) fine = fine && (isalnum((unsigned char)*at) || strchr("_.:-", *at));
  if (fine) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the id of a two-phase transaction has 1 to %d letters, digits, and _ . : -, not '%.80s'", XID_LIMIT, xid);
}

void alch_xid_invent(const void *owner, char *out, size_t size) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(out, size, "la_%llx_%lx_%x_%llx", (unsigned long long)now.tv_sec, now.tv_nsec, (unsigned)getpid(), (unsigned long long)(uintptr_t)owner);
}

static alch_status keep_xid(alch_connection *connection, const char *xid, alch_error *error) {
  char own[XID_LIMIT + 1];
  if (!xid) alch_xid_invent(connection, own, sizeof own);
  if (!xid) xid = own;
  alch_status status = check_xid(xid, error);
  if (status != ALCH_OK) return status;
  size_t size = strlen(xid) + 3;
  connection->xid = alch_allocate(connection->engine->allocator, size);
  if (!connection->xid) return alch_error_out_of_memory(error);
  snprintf(connection->xid, size, "'%s'", xid);
  return ALCH_OK;
}

/* ---- the texts, one after another ---- */

/* last_counts: what the texts before the last fail with is forgotten. */
static alch_status run_texts(alch_connection *connection, const char *const *texts, bool last_counts, alch_error *error) {
  alch_status status = ALCH_OK;
  while (texts[connection->twophase_step] && status == ALCH_OK) {
    char text[TEXT_SIZE];
    status = alch_link_control(connection->link, alch_transaction_text(texts[connection->twophase_step], connection->xid, text, sizeof text), error);
    if (status < 0 && last_counts && texts[connection->twophase_step + 1] && !(error && error->disconnected)) {
      if (error) alch_error_close(error);
      status = ALCH_OK;
    }
    if (status == ALCH_OK) connection->twophase_step++;
  }
  if (status != ALCH_WAIT) connection->twophase_step = 0;
  if (status < 0) alch_connection_note_failure(connection, error);
  if (status < 0 && connection->link && connection->link->broken) connection->lost = true;
  return status;
}

static alch_status tell(alch_connection *connection, alch_engine_event_kind kind, alch_error *error) {
  if (alch_link_controls(connection->link) || connection->twophase_step > 0) return ALCH_OK;
  return alch_connection_tell_kind(connection, kind, NULL, error);
}

alch_status alch_engine_check_twophase(const alch_engine *engine, alch_error *error) {
  const alch_dialect *dialect = alch_engine_dialect(engine);
  if (alch_dialect_transactions(dialect)->begin_twophase) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "%s has no two-phase commit: begin a transaction in one phase (begin; a session without twophase = true)", dialect->name);
}

static alch_status check_supported(const alch_connection *connection, alch_error *error) { return alch_engine_check_twophase(connection->engine, error); }

/* What is prepared may be found and ended in AUTOCOMMIT, but not made. */
static alch_status check_begins(const alch_connection *connection, alch_error *error) {
  alch_status status = check_supported(connection, error);
  if (status != ALCH_OK || !connection->options.isolation || !connection->options.isolation->autocommit) return status;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "a two-phase commit needs a transaction, and AUTOCOMMIT begins none");
}

alch_status alch_connection_begin_twophase(alch_connection *connection, const char *xid, uint32_t *level, alch_error *error) {
  alch_status status = connection->xid ? ALCH_OK : check_begins(connection, error);
  if (status == ALCH_OK && !connection->xid && connection->depth == 0 && connection->link) status = keep_xid(connection, xid, error);
  if (status == ALCH_OK) status = alch_connection_begin(connection, level, error);
  if (status == ALCH_OK) connection->twophase = ALCH_TWOPHASE_OPEN;
  if (status < 0 && connection->twophase == ALCH_TWOPHASE_NONE) alch_twophase_forget(connection);
  return status;
}

alch_status alch_connection_prepare(alch_connection *connection, uint32_t level, alch_error *error) {
  bool goes_on = connection->link && (alch_link_controls(connection->link) || connection->twophase_step > 0);
  alch_status status = goes_on ? ALCH_OK : alch_connection_usable(connection, error);
  if (status != ALCH_OK) return status;
  if (connection->twophase != ALCH_TWOPHASE_OPEN || level != 1 || connection->depth != 1)
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "only an open transaction of begin_twophase can be prepared, when its savepoints have ended");
  status = tell(connection, ALCH_ENGINE_PREPARE, error);
  if (status == ALCH_OK) status = run_texts(connection, words_of(connection)->prepare, false, error);
  if (status != ALCH_OK) return status;
  connection->twophase = ALCH_TWOPHASE_PREPARED;
  connection->real = false;
  return ALCH_OK;
}

/* ---- the end ---- */

/* Nobody will end it by himself, so the error has to say how it is done. */
alch_status alch_twophase_note(const alch_connection *connection, alch_status status, alch_error *error) {
  if (status >= 0 || connection->twophase != ALCH_TWOPHASE_PREPARED || !error || !error->set) return status;
  alch_buffer text;
  alch_buffer_init(&text, connection->engine->allocator);
  alch_buffer_add_format(&text, "%s; the transaction %s was prepared and may still be: connection:recover_twophase() tells, and connection:commit_prepared(%s) or rollback_prepared(%s) ends it",
                         alch_error_message(error), connection->xid, connection->xid, connection->xid);
  if (!alch_buffer_failed(&text)) alch_error_attach(error, ALCH_ERROR_MESSAGE, alch_buffer_text(&text), text.length);
  alch_buffer_close(&text);
  return status;
}

bool alch_connection_is_prepared(const alch_connection *connection) { return connection->twophase == ALCH_TWOPHASE_PREPARED; }

void alch_connection_leave_prepared(alch_connection *connection) {
  if (connection->twophase != ALCH_TWOPHASE_PREPARED) return;
  alch_connection_invalidate(connection);
  if (connection->link) alch_transaction_leave(connection);   /* a listener may have closed it */
}

static alch_status commit_prepared(alch_connection *connection, alch_error *error) {
  alch_status status = tell(connection, ALCH_ENGINE_COMMIT, error);
  if (status == ALCH_OK) status = run_texts(connection, words_of(connection)->commit_prepared, false, error);
  return alch_twophase_note(connection, status, error);
}

alch_status alch_twophase_commit(alch_connection *connection, alch_error *error) {
  alch_status status = ALCH_OK;
  if (connection->twophase == ALCH_TWOPHASE_OPEN) status = alch_connection_prepare(connection, 1, error);
  return status == ALCH_OK ? commit_prepared(connection, error) : status;
}

bool alch_twophase_is_there(const alch_connection *connection) {
  return connection->twophase != ALCH_TWOPHASE_NONE && !connection->link->broken && (!connection->lost || words_of(connection)->rollback_unprepared);
}

/* One that the server has rolled back by itself, or that could not be prepared, has left its active state already, and what would end that fails. */
alch_status alch_twophase_rollback(alch_connection *connection, alch_error *error) {
  static const char *const plain[] = { "ROLLBACK", NULL };
  const alch_transaction_words *words = words_of(connection);
  const char *const *texts = words->rollback_prepared;
  if (connection->twophase == ALCH_TWOPHASE_OPEN) texts = words->rollback_unprepared ? words->rollback_unprepared : plain;
  alch_status status = tell(connection, ALCH_ENGINE_ROLLBACK, error);
  if (status == ALCH_OK) status = run_texts(connection, texts, connection->twophase == ALCH_TWOPHASE_OPEN, error);
  return alch_twophase_note(connection, status, error);
}

alch_status alch_connection_end_prepared(alch_connection *connection, const char *xid, bool commit, alch_error *error) {
  const alch_transaction_words *words = words_of(connection);
  alch_status status = check_supported(connection, error);
  if (status == ALCH_OK && !connection->xid) {
    status = alch_connection_usable(connection, error);
    if (status == ALCH_OK && connection->depth > 0) status = alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "what is prepared is ended outside a transaction: commit or roll back first");
    if (status == ALCH_OK) status = keep_xid(connection, xid, error);
  }
  if (status != ALCH_OK) return status;
  status = run_texts(connection, commit ? words->commit_prepared : words->rollback_prepared, false, error);
  if (status != ALCH_WAIT) alch_twophase_forget(connection);
  return status;
}

alch_status alch_connection_recover_query(const alch_connection *connection, const char **sql, uint32_t *column, alch_error *error) {
  alch_status status = check_supported(connection, error);
  *sql = words_of(connection)->recover;
  *column = words_of(connection)->recover_column;
  return status;
}
