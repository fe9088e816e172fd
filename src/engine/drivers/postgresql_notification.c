/* What the server says without being asked: notices, which the library hands over as it reads them, and notifications, which it keeps (https://www.postgresql.org/docs/current/libpq-notify.html,
   https://www.postgresql.org/docs/current/libpq-notice-processing.html). */
#include "engine/drivers/postgresql_private.h"
#include "engine/message.h"
#include <string.h>

#define NOTICES 64    /* that are kept: of a statement that gives more, the last ones */

/* ---- notices ---- */

typedef struct kept_field { int field; size_t offset; } kept_field;
static const kept_field kept_fields[] = {
  { PG_DIAG_SEVERITY, offsetof(alch_notice, severity) }, { PG_DIAG_SQLSTATE, offsetof(alch_notice, sqlstate) }, { PG_DIAG_MESSAGE_PRIMARY, offsetof(alch_notice, message) },
  { PG_DIAG_MESSAGE_DETAIL, offsetof(alch_notice, detail) }, { PG_DIAG_MESSAGE_HINT, offsetof(alch_notice, hint) },
};

/* One notice and its texts, in one piece of memory. */
struct alch_postgresql_notice {
  alch_postgresql_notice *next;
  size_t size;
  alch_notice notice;
};

static void free_first(alch_driver_connection *connection) {
  alch_postgresql_notice *first = connection->notices;
  connection->notices = first->next;
  connection->notice_count--;
  alch_free(connection->allocator, first, first->size);
}

/* Within a call of the library. A notice for which there is no memory is not heard. */
void alch_postgresql_take_notice(void *context, const PGresult *result) {
  alch_driver_connection *connection = context;
  const alch_libpq *library = connection->library;
  size_t size = sizeof(alch_postgresql_notice);
  for (size_t i = 0; i < ALCH_COUNT(kept_fields); i++) {
    const char *text = library->PQresultErrorField(result, kept_fields[i].field);
    size += text ? strlen(text) + 1 : 0;
  }
  alch_postgresql_notice *notice = alch_allocate_zeroed(connection->allocator, size), **last = &connection->notices;
  if (!notice) return;
  notice->size = size;
  char *to = (char *)(notice + 1);
  for (size_t i = 0; i < ALCH_COUNT(kept_fields); i++) {
    const char *text = library->PQresultErrorField(result, kept_fields[i].field);
    if (!text) continue;
    size_t length = strlen(text) + 1;
    const char *copy = memcpy(to, text, length);
    memcpy((char *)&notice->notice + kept_fields[i].offset, &copy, sizeof copy);
    to += length;
  }
  while (*last) last = &(*last)->next;
  *last = notice;
  connection->notice_count++;
  while (connection->notice_count > NOTICES) free_first(connection);
}

static bool next_notice(alch_driver_connection *connection, alch_notice *out) {
  if (connection->notice_heard) free_first(connection);
  connection->notice_heard = connection->notices != NULL;
  if (connection->notices) *out = connection->notices->notice;
  return connection->notices != NULL;
}

/* ---- notifications ---- */

static void free_notification(alch_driver_connection *connection) {
  if (connection->notification) connection->library->PQfreemem(connection->notification);
  connection->notification = NULL;
}

void alch_postgresql_drop_messages(alch_driver_connection *connection) {
  while (connection->notices) free_first(connection);
  free_notification(connection);
}

static alch_status session_ended(alch_driver_connection *connection, alch_error *error) {
  const alch_postgresql_notice *last = connection->notices;
  while (last && last->next) last = last->next;
  alch_postgresql_fail_connection(connection, last ? last->notice.message : NULL, error);
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

static alch_status next_notification(alch_driver_connection *connection, alch_notification *out, alch_error *error) {
  const alch_libpq *library = connection->library;
  free_notification(connection);
  connection->notification = library->PQnotifies(connection->handle);
  if (!connection->notification && alch_postgresql_read(connection) != 1) return session_ended(connection, error);
  if (!connection->notification) connection->notification = library->PQnotifies(connection->handle);
  if (!connection->notification) return ALCH_WAIT;
  *out = (alch_notification){ connection->notification->channel, connection->notification->payload, connection->notification->process };
  return ALCH_ROW;
}

static bool listens(const alch_driver_connection *connection) { return connection->listens; }

/* An UNLISTEN within a transaction may still be rolled back, so that the session is taken for one that listens until it is told again. */
void alch_postgresql_note_command(const alch_driver_statement *statement, const char *tag) {
  alch_driver_connection *connection = statement->connection;
  if (strcmp(tag, "LISTEN") == 0) connection->listens = true;
  else if (strcmp(tag, "UNLISTEN") == 0 && strchr(statement->sql, '*') && !connection->in_transaction) connection->listens = false;
}

const alch_messages alch_postgresql_messages = {
  .notice = next_notice, .notification = next_notification, .listens = listens, .listen = "LISTEN %", .unlisten = "UNLISTEN %", .unlisten_all = "UNLISTEN *", .notify = "SELECT pg_notify(?, ?)",
};
