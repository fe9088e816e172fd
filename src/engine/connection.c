#include "engine/bulk.h"
#include "engine/private.h"
#include <stdio.h>
#include <string.h>

static alch_connection *new_connection(alch_engine *engine, alch_error *error) {
  alch_connection *connection = alch_allocate_zeroed(engine->allocator, sizeof *connection);
  if (!connection) {
    alch_error_out_of_memory(error);
    return NULL;
  }
  connection->engine = connection->member = engine;
  connection->driver = engine->driver;
  connection->autobegin = true;
  connection->process = alch_process_serial();
  alch_engine_hold(engine);
  return connection;
}

void alch_connection_set_stream(alch_connection *connection, uint32_t rows) {
  connection->options.stream_rows = rows;
}

void alch_connection_set_logging_token(alch_connection *connection, const char *token) {
  snprintf(connection->options.logging_token, sizeof connection->options.logging_token, "%s", token);
}

void alch_connection_set_once(alch_connection *connection) {
  if (!connection->once) connection->kept = connection->options;
  connection->once = true;
}

void alch_connection_unset_once(alch_connection *connection) {
  if (connection->once) connection->options = connection->kept;
  connection->once = false;
}

/* Frames above may still look at the record when a listener has closed it. */
static void free_connection(alch_connection *connection) {
  alch_engine *engine = connection->engine, *member = connection->member;
  alch_pool_check_in(&engine->pool, connection);
  connection->state = ALCH_CONNECTION_CLOSED;
  alch_twophase_forget(connection);
  if (connection->telling > 0) alch_pool_bury(&engine->pool, connection);
  else alch_free(engine->allocator, connection, sizeof *connection);
  if (member != engine) alch_engine_release(member);
  alch_engine_release(engine);
}

alch_status alch_connection_tell(alch_connection *connection, alch_engine_event *event, alch_error *error) {
  const alch_engine *member = connection->member;
  if (ALCH_LIKELY(!member->listener)) return ALCH_OK;
  event->connection = connection;
  if (!event->token) event->token = connection->options.logging_token;
  connection->telling++;
  alch_status status = member->listener(member->listener_context, event);
  connection->telling--;
  if (status != ALCH_OK || connection->state != ALCH_CONNECTION_CLOSED) return status;
  return alch_error_set(error, ALCH_ERROR_RESOURCE_CLOSED, "an event listener has closed the connection");
}

alch_status alch_connection_tell_kind(alch_connection *connection, alch_engine_event_kind kind, const char *sql, alch_error *error) {
  if (ALCH_LIKELY(!connection->member->listener)) return ALCH_OK;
  alch_engine_event event = { .kind = kind, .sql = sql };
  return alch_connection_tell(connection, &event, error);
}

/* The link is of no more use, and those that are as old are not trusted either. RESOURCE_CLOSED when a listener has closed the connection. */
static alch_status lose_link(alch_connection *connection, alch_error *why, alch_error *error) {
  alch_link *link = connection->link;
  link->broken = true;
  if (link->invalidated) return ALCH_OK;
  link->invalidated = true;
  alch_pool_invalidate(&connection->engine->pool, link);
  alch_engine_event event = { .kind = ALCH_ENGINE_INVALIDATE, .error = why };
  return alch_connection_tell(connection, &event, error);
}

/* A link that does not answer is replaced, and nobody hears of an error. */
static alch_status ping(alch_connection *connection, alch_error *error) {
  alch_status status = alch_link_ping(connection->link, error);
  if (status == ALCH_WAIT && alch_clock_microseconds() < connection->deadline) return status;
  connection->state = status == ALCH_OK ? ALCH_CONNECTION_READY : ALCH_CONNECTION_REPLACING;
  if (status == ALCH_OK) return status;
  alch_status told = lose_link(connection, status < 0 ? error : NULL, NULL);
  if (told == ALCH_OK && error) alch_error_close(error);
  return told;
}

static alch_status connect(alch_connection *connection, alch_error *error) {
  alch_status status = alch_link_connect(connection->link, error);
  if (status == ALCH_OK) status = alch_engine_meet(connection->link, error);
  if (status == ALCH_OK) connection->state = ALCH_CONNECTION_READY;
  if (status == ALCH_OK && !atomic_exchange(&connection->engine->connected_once, true)) status = alch_connection_tell_kind(connection, ALCH_ENGINE_FIRST_CONNECT, NULL, error);
  if (status == ALCH_OK) status = alch_connection_tell_kind(connection, ALCH_ENGINE_CONNECT, NULL, error);
  if (status < 0 && connection->link) connection->link->broken = true;
  return status;
}

/* From where the connection is to a link that is connected. */
static alch_status advance(alch_connection *connection, alch_error *error) {
  alch_status status = ALCH_OK;
  if (connection->state < ALCH_CONNECTION_REPLACING) status = alch_pool_check_out(&connection->engine->pool, connection, error);
  if (status == ALCH_OK && connection->state == ALCH_CONNECTION_PINGING) status = ping(connection, error);
  if (status == ALCH_OK && connection->state == ALCH_CONNECTION_REPLACING) status = alch_pool_replace(&connection->engine->pool, connection, error);
  if (status == ALCH_OK && connection->state == ALCH_CONNECTION_CONNECTING) status = connect(connection, error);
  return status == ALCH_OK ? alch_connection_tell_kind(connection, ALCH_ENGINE_CHECKOUT, NULL, error) : status;
}

/* The next server's, when one cannot be reached; NULL: there is none left (no error set), or no memory. */
static alch_connection *begin_connection(alch_engine *engine, uint32_t turn, uint32_t attempt, alch_error *error) {
  alch_engine *target = alch_route(engine, turn, attempt);
  alch_connection *connection = target ? new_connection(target, error) : NULL;
  if (!connection) return NULL;
  connection->options = engine->defaults;
  if (engine->member) alch_engine_hold(connection->member = engine->member);
  connection->turn = turn;
  connection->attempt = attempt;
  connection->replica = engine->defaults.read_only && alch_engine_root(engine)->replica_count > 0;
  return connection;
}

alch_status alch_engine_connect(alch_engine *engine, alch_connection **out, alch_error *error) {
  alch_connection *connection = *out;
  if (!connection) connection = begin_connection(engine, atomic_fetch_add(&alch_engine_root(engine)->next_replica, 1), 0, error);
  if (!connection) return ALCH_ERROR;
  alch_status status;
  while ((status = advance(connection, error)) < 0) {
    uint32_t turn = connection->turn, attempt = connection->attempt;
    alch_connection_close(connection);
    connection = alch_route_goes_on(status, error) ? begin_connection(engine, turn, attempt + 1, error) : NULL;
    if (!connection) break;
    if (error) alch_error_close(error);
  }
  *out = connection;
  return status;
}

static bool is_inherited(const alch_connection *connection) {
  return connection->process != alch_process_serial();
}

alch_status alch_connection_settle(alch_connection *connection) {
  if (connection->state != ALCH_CONNECTION_READY || is_inherited(connection)) return ALCH_OK;
  if (!connection->closing) {
    connection->closing = true;
    alch_text_drop(connection);
    if (connection->load) alch_bulk_load_close(connection->load);
    while (connection->executions) alch_execution_close(connection->executions);
    alch_connection_give_up(connection);
    alch_connection_tell_kind(connection, ALCH_ENGINE_RESET, NULL, NULL);
  }
  return alch_transaction_end(connection);
}

/* The way back to the pool. */
static void leave(alch_connection *connection) {
  alch_link *link = connection->link;
  while (alch_connection_settle(connection) == ALCH_WAIT)
    if (alch_connection_wait(connection, NULL) < 0) alch_link_give_up(link);
  alch_transaction_leave(connection);
  alch_connection_tell_kind(connection, ALCH_ENGINE_CHECKIN, NULL, NULL);
}

void alch_connection_close(alch_connection *connection) {
  if (!connection || connection->state == ALCH_CONNECTION_CLOSED || (connection->closing && connection->telling > 0)) return;
  if (connection->state == ALCH_CONNECTION_PINGING && connection->link) connection->link->broken = true;
  while (connection->executions && is_inherited(connection)) alch_execution_close(connection->executions);
  if (connection->state == ALCH_CONNECTION_READY && !is_inherited(connection)) leave(connection);
  connection->closing = true;
  alch_text_drop(connection);
  if (connection->load) alch_bulk_load_close(connection->load);
  free_connection(connection);
}

alch_engine *alch_connection_engine(const alch_connection *connection) {
  return connection->member;
}

alch_driver_connection *alch_connection_driver_connection(const alch_connection *connection) {
  return connection->link ? connection->link->driver_connection : NULL;
}

const struct alch_embedded *alch_connection_embedded(const alch_connection *connection) {
  return connection->driver->embedded;
}

alch_status alch_connection_ready(const alch_connection *connection, alch_error *error) {
  return alch_connection_usable(connection, error);
}

void alch_connection_occupy(alch_connection *connection, const void *by) {
  if (connection->link) connection->link->busy = by;
}

bool alch_connection_interrupt(alch_connection *connection) {
  if (!connection->driver->interrupt) return false;
  if (connection->link) connection->driver->interrupt(connection->link->driver_connection);
  return true;
}

static void limit_wait(alch_wait *wait, int64_t deadline) {
  int64_t left = deadline - alch_clock_microseconds();
  if (left < 0) left = 0;
  if (wait->microseconds < 0 || wait->microseconds > left) wait->microseconds = left;
}

void alch_connection_waits_for(alch_connection *connection, alch_wait *out) {
  if (connection->link) {
    connection->driver->waits_for(connection->link->driver_connection, out);
    if (connection->state == ALCH_CONNECTION_PINGING) limit_wait(out, connection->deadline);
    if (connection->link->busy == &connection->wait_until && connection->wait_until != INT64_MAX) limit_wait(out, connection->wait_until);
    return;
  }
  int64_t left = connection->deadline - alch_clock_microseconds();
  *out = (alch_wait){ .descriptor = connection->signalled ? connection->pipe[0] : -1, .events = ALCH_WAIT_READ, .microseconds = left > 0 ? left : 0 };
}

alch_status alch_connection_wait(alch_connection *connection, alch_error *error) {
  alch_wait wait;
  alch_connection_waits_for(connection, &wait);
  return alch_wait_for(&wait, error);
}

void alch_connection_invalidate(alch_connection *connection) {
  alch_link *link = connection->link;
  if (!link || link->invalidated) return;
  link->broken = link->invalidated = true;
  alch_connection_tell_kind(connection, ALCH_ENGINE_INVALIDATE, NULL, NULL);
}

bool alch_connection_is_invalidated(const alch_connection *connection) {
  return connection->link && connection->link->broken;
}

alch_status alch_connection_detach(alch_connection *connection, alch_error *error) {
  alch_status status = alch_connection_usable(connection, error);
  if (status != ALCH_OK || connection->link->detached) return status;
  if (connection->link->users > 1) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this connection cannot leave its pool: others use the pool's only one as well; close them first");
  alch_pool_detach(&connection->engine->pool, connection);
  return ALCH_OK;
}

bool alch_connection_is_detached(const alch_connection *connection) {
  return connection->link && connection->link->detached;
}

void alch_connection_set_autobegin(alch_connection *connection, bool autobegin) {
  connection->autobegin = autobegin;
}

uint32_t alch_connection_depth(const alch_connection *connection) {
  return connection->depth;
}

/* What every database that has these states means by them (SQL:2016, class 40; 40P01 is a deadlock; CockroachDB's "restart transaction" is a 40001:
   https://www.cockroachlabs.com/docs/stable/transaction-retry-error-reference); drivers say it of their own numbers. */
static void classify(alch_error *error) {
  static const char *const states[] = { "40001", "40P01" };
  for (size_t i = 0; i < ALCH_COUNT(states); i++)
    if (strcmp(error->sqlstate, states[i]) == 0) error->retryable = true;
}

static void note_transaction(alch_connection *connection) {
  alch_link *link = connection->link;
  if (!connection->real || (!link->broken && link->driver->in_transaction(link->driver_connection))) return;
  connection->real = false;
  connection->lost = true;
  if (link->owner == connection) link->owner = NULL;
}

void alch_connection_note_failure(alch_connection *connection, alch_error *error) {
  alch_link *link = connection->link;
  if (!link) return;   /* closed by a listener */
  if (error) classify(error);
  bool dead = error && error->disconnected;
  if (dead) link->broken = true;
  note_transaction(connection);
  if (dead) lose_link(connection, error, NULL);
}

#define LONGEST_GIVE_UP 100000   /* microseconds */
#define INTERRUPT_AGAIN 20000    /* microseconds until it is interrupted once more: an interruption that came before its statement did nothing */

/* Until the server is through with it, or gone (true), or until then. */
static bool await_end(alch_link *link, int64_t until) {
  alch_status status;
  while ((status = link->driver->ping(link->driver_connection, NULL)) == ALCH_WAIT && alch_clock_microseconds() < until) {
    alch_wait wait;
    link->driver->waits_for(link->driver_connection, &wait);
    limit_wait(&wait, until);
    alch_wait_for(&wait, NULL);
  }
  return status != ALCH_WAIT;
}

static int64_t earlier(int64_t one, int64_t other) {
  return one < other ? one : other;
}

void alch_connection_give_up(alch_connection *connection) {
  alch_link *link = connection->link;
  if (connection->state != ALCH_CONNECTION_READY || !link->left || link->busy || link->shared || link->given_up || !link->driver->interruption || alch_link_is_foreign(link)) return;
  int64_t now = alch_clock_microseconds(), until = now + LONGEST_GIVE_UP;
  for (alch_interruption *one; now < until && (one = link->driver->interruption(link->driver_connection)); now = alch_clock_microseconds()) {
    link->broken = link->given_up = true;
    alch_interruption_send(one, until - now);
    if (await_end(link, earlier(until, alch_clock_microseconds() + INTERRUPT_AGAIN))) break;
  }
  link->left = false;
  if (link->given_up) note_transaction(connection);
}

/* Broken is also a connection that its user has called so, and that goes on until it is closed. */
static bool is_dead(const alch_connection *connection) {
  const alch_link *link = connection->link;
  return link && link->broken && (link->given_up || !connection->driver->alive(link->driver_connection));
}

static alch_status unusable(const alch_connection *connection, alch_error *error) {
  if (connection->process != alch_process_serial())
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this connection belongs to the process that forked this one; a child asks its engine for a connection of its own");
  if (connection->link && connection->link->given_up)
    return alch_error_set(error, ALCH_ERROR_RESOURCE_CLOSED, "a statement of this connection was given up while the database was at work on it: close the connection and take another");
  if (connection->lost)
    return alch_error_set(error, ALCH_ERROR_PENDING_ROLLBACK, "the database has ended this transaction by itself after an error; roll it back before going on");
  if (connection->state != ALCH_CONNECTION_READY) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the connection is not open yet");
  if (is_dead(connection))
    return alch_error_set(error, ALCH_ERROR_RESOURCE_CLOSED, "the connection to the database is lost: close it and connect again");
  if (connection->link->busy == &connection->wait_until) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the connection waits for a notification: use another one meanwhile");
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the connection waits for another statement: finish that one first, or use another connection (each coroutine has its own)");
}

alch_status alch_connection_usable(const alch_connection *connection, alch_error *error) {
  const alch_link *link = connection->link;
  if (ALCH_UNLIKELY(connection->process != alch_process_serial())) return unusable(connection, error);
  if (ALCH_LIKELY(link && !connection->lost && !link->busy && !link->broken && connection->state == ALCH_CONNECTION_READY)) return ALCH_OK;
  if (link && !connection->lost && !link->busy && !is_dead(connection) && connection->state == ALCH_CONNECTION_READY) return ALCH_OK;
  return unusable(connection, error);
}
