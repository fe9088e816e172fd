/* The end of a session's transaction in all of its databases.
   In one phase they are committed one after the other, and what has been committed stays so when the next one fails. In two phases all are asked first (prepare); when one refuses all are rolled back; when none
   does the transaction is decided, and a database that cannot be told has it prepared until somebody ends it there. */
#include "orm/bind.h"

#include "orm/session.h"
#include <stdio.h>

void alch_bind_xid(const alch_session *session, const alch_bind *bind, alch_xid out) { snprintf(out, sizeof(alch_xid), "%.*s_%u", ALCH_XID_MADE, session->xid, bind->place + 1); }

/* ---- what has come of it, for errors ---- */

/* " head: URL, URL": those in this state, with their ids where they have something to be ended. */
static void print_state(const alch_session *session, alch_bind_state state, const char *head, alch_buffer *out) {
  for (const alch_bind *bind = session->binds; bind != NULL; bind = bind->next) {
    if (bind->state != state) continue;
    alch_xid xid;
    alch_bind_xid(session, bind, xid);
    alch_buffer_add(out, head);
    alch_bind_print(bind, out);
    if (state == ALCH_BIND_LEFT) alch_buffer_add_format(out, " ('%s')", xid);
    head = ", ";
  }
}

/* Says of an error that the databases have not all come to the same end. */
static alch_status explain(const alch_session *session, alch_status status, const char *end, alch_error *error) {
  alch_buffer text;
  if (status >= 0 || error == NULL || !error->set) return status;
  alch_buffer_init(&text, session->allocator);
  print_state(session, ALCH_BIND_COMMITTED, ". Committed: ", &text);
  print_state(session, ALCH_BIND_LEFT, ". Left prepared, to be ended by hand: ", &text);
  if (text.length > 0) {
    error->retryable = false;   /* what has been committed would be done twice */
    alch_buffer whole;
    alch_buffer_init(&whole, session->allocator);
    alch_buffer_add_format(&whole, "%s%s%s", alch_error_message(error), alch_buffer_text(&text), end);
    if (!alch_buffer_failed(&whole)) alch_error_attach(error, ALCH_ERROR_MESSAGE, alch_buffer_text(&whole), whole.length);
    alch_buffer_close(&whole);
  }
  alch_buffer_close(&text);
  return status;
}

void alch_session_keep_failure(alch_session *session, const alch_error *error, alch_status status) {
  if (session->failure_status != ALCH_OK) return;
  session->failure_status = status;
  if (error != NULL && error->set) alch_error_copy(&session->failure, error);
}

alch_status alch_session_take_failure(alch_session *session, alch_error *error) {
  alch_status status = session->failure_status;
  if (status != ALCH_OK && session->failure.set) alch_error_copy(error, &session->failure);
  alch_error_close(&session->failure);
  session->failure_status = ALCH_OK;
  return status;
}

/* ---- commit ---- */

alch_status alch_binds_prepare(alch_session *session, alch_error *error) {
  for (alch_bind *bind = session->binds; bind != NULL; bind = bind->next) {
    if (bind->level_count == 0 || bind->state != ALCH_BIND_OPEN) continue;
    session->awaited = bind;
    alch_status status = alch_connection_prepare(bind->connection, bind->levels[0], error);
    if (status != ALCH_OK) return status;
    bind->state = ALCH_BIND_PREPARED;
  }
  return ALCH_OK;
}

/* Nothing stops it any more: what cannot be told is left prepared, and the others are told all the same. */
static alch_status commit_decided(alch_session *session, alch_error *error) {
  for (alch_bind *bind = session->binds; bind != NULL; bind = bind->next) {
    if (bind->level_count == 0) continue;
    session->awaited = bind;
    alch_status status = alch_connection_commit(bind->connection, bind->levels[0], error);
    if (status == ALCH_WAIT) return status;
    bind->level_count = 0;
    bind->state = status == ALCH_OK ? ALCH_BIND_COMMITTED : ALCH_BIND_LEFT;
    if (status == ALCH_OK) continue;
    alch_session_keep_failure(session, error, status);
    alch_connection_leave_prepared(bind->connection);
  }
  return explain(session, alch_session_take_failure(session, error), ". The transaction is decided: the session goes on as after a commit", error);
}

bool alch_binds_decided(const alch_session *session) {
  for (const alch_bind *bind = session->binds; bind != NULL; bind = bind->next)
    if (bind->state == ALCH_BIND_LEFT) return true;
  return false;
}

alch_status alch_binds_commit(alch_session *session, uint32_t depth, alch_error *error) {
  if (depth == 0 && session->options.twophase) return commit_decided(session, error);
  for (alch_bind *bind = session->binds; bind != NULL; bind = bind->next) {
    if (bind->level_count <= depth) continue;
    session->awaited = bind;
    alch_status status = alch_connection_commit(bind->connection, bind->levels[depth], error);
    if (status == ALCH_WAIT) return status;
    if (status != ALCH_OK) return explain(session, status, ". A session with twophase = true commits everywhere or nowhere", error);
    bind->level_count = depth;
    if (depth == 0) bind->state = ALCH_BIND_COMMITTED;
  }
  return ALCH_OK;
}

/* ---- rollback ---- */

alch_status alch_binds_rollback(alch_session *session, uint32_t depth, alch_error *error) {
  for (alch_bind *bind = session->binds; bind != NULL; bind = bind->next) {
    if (bind->level_count <= depth) continue;
    session->awaited = bind;
    if (depth == 0) alch_connection_give_up(bind->connection);
    alch_status status = alch_connection_rollback(bind->connection, bind->levels[depth], error);
    if (status == ALCH_WAIT) return status;
    bind->level_count = depth;
    if (status == ALCH_OK) continue;
    alch_session_keep_failure(session, error, status);
    if (!alch_connection_is_prepared(bind->connection)) continue;
    bind->state = ALCH_BIND_LEFT;
    alch_connection_leave_prepared(bind->connection);
  }
  return explain(session, alch_session_take_failure(session, error), "", error);
}

void alch_binds_give_back(alch_session *session) {
  for (alch_bind *bind = session->binds; bind != NULL; bind = bind->next) {
    alch_connection *connection = bind->connection, *connecting = bind->connecting;
    bind->connection = bind->connecting = NULL;
    bind->level_count = 0;
    alch_connection_close(connecting);
    alch_connection_close(connection);
  }
}
