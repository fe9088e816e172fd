/* What the server says without being asked, as connections hear it. */
#include "engine/message.h"
#include "engine/private.h"

const alch_messages *alch_connection_messages(const alch_connection *connection) {
  return connection->driver->messages;
}

alch_status alch_connection_tell_notices(alch_connection *connection, alch_error *error) {
  const alch_messages *messages = connection->driver->messages;
  alch_status status = ALCH_OK;
  alch_notice notice;
  if (ALCH_LIKELY(!messages || !connection->member->listener)) return ALCH_OK;
  while (status == ALCH_OK && connection->link && messages->notice(connection->link->driver_connection, &notice)) {
    alch_engine_event event = { .kind = ALCH_ENGINE_NOTICE, .notice = &notice };
    status = alch_connection_tell(connection, &event, error);
  }
  return status;
}

static alch_status refuse_wait(const alch_connection *connection, alch_error *error) {
  if (connection->depth == 0) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "a transaction is open on this connection, and notifications come between transactions: commit it or roll it back before waiting for them");
}

alch_status alch_connection_notification(alch_connection *connection, int64_t until, alch_notification *out, alch_error *error) {
  const alch_messages *messages = connection->driver->messages;
  alch_link *link = connection->link;
  if (link && link->busy == &connection->wait_until) link->busy = NULL;
  alch_status status = alch_connection_usable(connection, error);
  if (status != ALCH_OK) return status;
  status = messages->notification(link->driver_connection, out, error);
  if (status == ALCH_ERROR) alch_connection_note_failure(connection, error);
  if (status != ALCH_WAIT) return status;
  if (alch_clock_microseconds() >= until) return ALCH_DONE;
  if (refuse_wait(connection, error) != ALCH_OK) return ALCH_ERROR;
  connection->wait_until = until;
  link->busy = &connection->wait_until;
  return ALCH_WAIT;
}

alch_status alch_link_unlisten(alch_link *link) {
  const alch_messages *messages = link->driver->messages;
  alch_notification dropped;
  if (ALCH_LIKELY(!messages || !messages->notification || link->broken || !messages->listens(link->driver_connection))) return ALCH_OK;
  alch_status status = alch_link_control(link, messages->unlisten_all, NULL);
  if (status == ALCH_WAIT) return status;
  while (status >= 0 && (status = messages->notification(link->driver_connection, &dropped, NULL)) == ALCH_ROW) {}
  if (status < 0) link->broken = true;
  return ALCH_OK;
}
