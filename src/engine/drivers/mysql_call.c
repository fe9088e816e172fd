/* Calls of the library that may wait: begun, gone on with, and ended. */
#include "engine/drivers/mysql_private.h"
#include "engine/engine.h"
#include <poll.h>
#include <sys/socket.h>

enum { BREAK_ATTEMPTS = 1000 };

#define SAVE_TEXT "SAVEPOINT alch_sets"
#define UNDO_TEXT "ROLLBACK TO SAVEPOINT alch_sets"

static int begin(alch_driver_connection *c, alch_mysql_call call, alch_driver_statement *s) {
  const alch_libmariadb *library = c->library;
  const alch_mysql_settings *t = &c->settings;
  if (call == ALCH_MYSQL_FETCH) s->row = NULL;
  switch (call) {
    case ALCH_MYSQL_CONNECT: return library->mysql_real_connect_start(&c->answer.handle, c->handle, t->host, t->user, t->password, t->database, t->port, t->socket, t->flags);
    case ALCH_MYSQL_PING: return library->mysql_ping_start(&c->answer.number, c->handle);
    case ALCH_MYSQL_QUERY: return library->mysql_real_query_start(&c->answer.number, c->handle, s->sql, s->sql_length);
    case ALCH_MYSQL_SAVE: return library->mysql_real_query_start(&c->answer.number, c->handle, SAVE_TEXT, sizeof SAVE_TEXT - 1);
    case ALCH_MYSQL_UNDO: return library->mysql_real_query_start(&c->answer.number, c->handle, UNDO_TEXT, sizeof UNDO_TEXT - 1);
    case ALCH_MYSQL_PREPARE: return library->mysql_stmt_prepare_start(&c->answer.number, s->handle, s->sql, s->sql_length);
    case ALCH_MYSQL_EXECUTE: return library->mysql_stmt_execute_start(&c->answer.number, s->handle);
    case ALCH_MYSQL_STORE: return library->mysql_stmt_store_result_start(&c->answer.number, s->handle);
    case ALCH_MYSQL_FETCH: return library->mysql_stmt_fetch_start(&c->answer.number, s->handle);
    case ALCH_MYSQL_FREE: return library->mysql_stmt_free_result_start(&c->answer.truth, s->handle);
    case ALCH_MYSQL_NEXT: return library->mysql_stmt_next_result_start(&c->answer.number, s->handle);
    default: return 0;
  }
}

static int go_on(alch_driver_connection *c, int ready) {
  const alch_libmariadb *library = c->library;
  alch_driver_statement *s = c->caller;
  switch (c->call) {
    case ALCH_MYSQL_CONNECT: return library->mysql_real_connect_cont(&c->answer.handle, c->handle, ready);
    case ALCH_MYSQL_PING: return library->mysql_ping_cont(&c->answer.number, c->handle, ready);
    case ALCH_MYSQL_QUERY: case ALCH_MYSQL_SAVE: case ALCH_MYSQL_UNDO: return library->mysql_real_query_cont(&c->answer.number, c->handle, ready);
    case ALCH_MYSQL_PREPARE: return library->mysql_stmt_prepare_cont(&c->answer.number, s->handle, ready);
    case ALCH_MYSQL_EXECUTE: return library->mysql_stmt_execute_cont(&c->answer.number, s->handle, ready);
    case ALCH_MYSQL_STORE: return library->mysql_stmt_store_result_cont(&c->answer.number, s->handle, ready);
    case ALCH_MYSQL_FETCH: return library->mysql_stmt_fetch_cont(&c->answer.number, s->handle, ready);
    case ALCH_MYSQL_FREE: return library->mysql_stmt_free_result_cont(&c->answer.truth, s->handle, ready);
    case ALCH_MYSQL_NEXT: return library->mysql_stmt_next_result_cont(&c->answer.number, s->handle, ready);
    default: return 0;
  }
}

/* The call finds a connection that is closed. */
static int give_up(alch_driver_connection *c) {
  c->gone = true;
  shutdown(c->library->mysql_get_socket(c->handle), SHUT_RDWR);
  return c->events & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
}

/* What of that which the call waits for has come; 0: nothing yet. */
static int look(alch_driver_connection *c) {
  int ready = 0;
  struct pollfd one = { .fd = c->library->mysql_get_socket(c->handle) };
  if (c->events & MYSQL_WAIT_READ) one.events |= POLLIN;
  if (c->events & MYSQL_WAIT_WRITE) one.events |= POLLOUT;
  if (c->events & MYSQL_WAIT_EXCEPT) one.events |= POLLPRI;
  if (one.events && one.fd >= 0 && poll(&one, 1, 0) > 0) {
    if (one.revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) ready |= c->events & MYSQL_WAIT_READ;
    if (one.revents & (POLLOUT | POLLERR | POLLHUP | POLLNVAL)) ready |= c->events & MYSQL_WAIT_WRITE;
    if (one.revents & POLLPRI) ready |= MYSQL_WAIT_EXCEPT;
  }
  if (!ready && c->call_deadline != INT64_MAX && alch_clock_microseconds() >= c->call_deadline) ready = c->own_deadline ? give_up(c) : MYSQL_WAIT_TIMEOUT;
  return ready;
}

/* When the call has waited long enough: as the library has it, and under TLS, where it goes by no time, as the URL has it. */
static int64_t deadline_of(alch_driver_connection *c, int events) {
  int64_t limit = events & MYSQL_WAIT_READ ? c->settings.read_limit : c->settings.write_limit, now = alch_clock_microseconds();
  c->own_deadline = !(events & MYSQL_WAIT_TIMEOUT) && c->settings.tls && limit > 0;
  if (c->own_deadline) return now + limit;
  return events & MYSQL_WAIT_TIMEOUT ? now + (int64_t)c->library->mysql_get_timeout_value_ms(c->handle) * 1000 : INT64_MAX;
}

static alch_status note(alch_driver_connection *c, int events) {
  c->events = events;
  if (!events) {
    c->call = ALCH_MYSQL_NONE;
    c->caller = NULL;
    return ALCH_OK;
  }
  c->call_deadline = deadline_of(c, events);
  return ALCH_WAIT;
}

alch_status alch_mysql_advance(alch_driver_connection *connection, alch_mysql_call call, alch_driver_statement *statement) {
  if (connection->call == ALCH_MYSQL_NONE) {
    connection->call = call;
    connection->caller = statement;
    return note(connection, begin(connection, call, statement));
  }
  int ready = look(connection);
  return ready ? note(connection, go_on(connection, ready)) : ALCH_WAIT;
}

void alch_mysql_break(alch_driver_connection *connection) {
  if (connection->call == ALCH_MYSQL_NONE) return;
  connection->gone = true;
  int descriptor = connection->library->mysql_get_socket(connection->handle);
  if (descriptor >= 0) shutdown(descriptor, SHUT_RDWR);
  for (int i = 0; i < BREAK_ATTEMPTS && connection->call != ALCH_MYSQL_NONE; i++) note(connection, go_on(connection, MYSQL_WAIT_TIMEOUT));
}

/* ---- what an execution has left ---- */

/* The next call that the dropped statement needs after this one; ALCH_MYSQL_NONE: it is through. */
static alch_mysql_call after(alch_driver_connection *c, alch_mysql_call call, alch_driver_statement *s) {
  const alch_libmariadb *library = c->library;
  if (c->flowing == s && (call == ALCH_MYSQL_NONE || call == ALCH_MYSQL_FETCH)) return ALCH_MYSQL_FREE;
  if (call == ALCH_MYSQL_PREPARE) s->prepared = c->answer.number == 0;
  if (call == ALCH_MYSQL_PREPARE || call == ALCH_MYSQL_QUERY || call == ALCH_MYSQL_FETCH || call == ALCH_MYSQL_SAVE || call == ALCH_MYSQL_UNDO) return ALCH_MYSQL_NONE;
  bool failed = call == ALCH_MYSQL_FREE ? false : call != ALCH_MYSQL_NONE && c->answer.number != 0;
  bool cursor = (alch_mysql_server_status(c) & SERVER_STATUS_CURSOR_EXISTS) != 0;
  if (failed) return ALCH_MYSQL_NONE;
  if ((call == ALCH_MYSQL_EXECUTE || call == ALCH_MYSQL_NEXT) && library->mysql_stmt_field_count(s->handle) > 0 && !cursor) return ALCH_MYSQL_FREE;
  if (call == ALCH_MYSQL_STORE) library->mysql_stmt_free_result(s->handle);
  return library->mysql_stmt_more_results(s->handle) ? ALCH_MYSQL_NEXT : ALCH_MYSQL_NONE;
}

static void bury(alch_driver_connection *c) {
  while (c->closing) {
    alch_driver_statement *statement = c->closing;
    c->closing = statement->next;
    alch_mysql_statement_free(statement);
  }
}

alch_status alch_mysql_settle(alch_driver_connection *connection) {
  while (connection->dropped) {
    alch_driver_statement *statement = connection->dropped;
    alch_mysql_call call = connection->call;
    if (call == ALCH_MYSQL_NONE) {
      call = after(connection, ALCH_MYSQL_NONE, statement);
      if (call != ALCH_MYSQL_NONE && alch_mysql_advance(connection, call, statement) == ALCH_WAIT) return ALCH_WAIT;
    } else if (alch_mysql_advance(connection, call, statement) == ALCH_WAIT) {
      return ALCH_WAIT;
    }
    while (call != ALCH_MYSQL_NONE) {
      call = after(connection, call, statement);
      if (call != ALCH_MYSQL_NONE && alch_mysql_advance(connection, call, statement) == ALCH_WAIT) return ALCH_WAIT;
    }
    connection->dropped = NULL;
    if (connection->flowing == statement) alch_mysql_flow_end(connection);
    if (connection->dropped_closed) alch_mysql_statement_free(statement);
    connection->dropped_closed = false;
  }
  bury(connection);
  alch_mysql_release(connection);
  return ALCH_OK;
}

/* ---- asking ---- */

void alch_mysql_waits_for(alch_driver_connection *connection, alch_wait *out) {
  *out = (alch_wait){ .descriptor = -1, .microseconds = 0 };
  if (connection->call == ALCH_MYSQL_NONE) return;
  out->descriptor = connection->library->mysql_get_socket(connection->handle);
  if (connection->events & (MYSQL_WAIT_READ | MYSQL_WAIT_EXCEPT)) out->events |= ALCH_WAIT_READ;
  if (connection->events & MYSQL_WAIT_WRITE) out->events |= ALCH_WAIT_WRITE;
  int64_t deadline = connection->call_deadline;
  if (!connection->connected && connection->deadline < deadline) deadline = connection->deadline;
  int64_t left = deadline == INT64_MAX ? -1 : deadline - alch_clock_microseconds();
  out->microseconds = deadline == INT64_MAX ? -1 : left > 0 ? left : 0;
}

unsigned int alch_mysql_server_status(alch_driver_connection *connection) {
  unsigned int status = 0;
  connection->library->mariadb_get_info(connection->handle, MARIADB_CONNECTION_SERVER_STATUS, &status);
  return status;
}
