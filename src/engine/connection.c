#include "engine/private.h"

static alch_connection *new_connection(alch_engine *engine, alch_error *error) {
  alch_connection *connection = alch_allocate_zeroed(engine->allocator, sizeof *connection);
  if (!connection) {
    alch_error_out_of_memory(error);
    return NULL;
  }
  connection->engine = engine;
  connection->driver = engine->driver;
  connection->autobegin = true;
  alch_engine_hold(engine);
  return connection;
}

/* Frames above may still look at the record when a listener has closed it. */
static void free_connection(alch_connection *connection) {
  alch_engine *engine = connection->engine;
  alch_pool_check_in(&engine->pool, connection);
  connection->state = ALCH_CONNECTION_CLOSED;
  if (connection->telling > 0) alch_pool_bury(&engine->pool, connection);
  else alch_free(engine->allocator, connection, sizeof *connection);
  alch_engine_release(engine);
}

alch_status alch_connection_tell(alch_connection *connection, alch_engine_event *event, alch_error *error) {
  const alch_engine *engine = connection->engine;
  if (ALCH_LIKELY(!engine->listener)) return ALCH_OK;
  event->connection = connection;
  connection->telling++;
  alch_status status = engine->listener(engine->listener_context, event);
  connection->telling--;
  if (status != ALCH_OK || connection->state != ALCH_CONNECTION_CLOSED) return status;
  return alch_error_set(error, ALCH_ERROR_RESOURCE_CLOSED, "an event listener has closed the connection");
}

alch_status alch_connection_tell_kind(alch_connection *connection, alch_engine_event_kind kind, const char *sql, alch_error *error) {
  if (ALCH_LIKELY(!connection->engine->listener)) return ALCH_OK;
  alch_engine_event event = { .kind = kind, .sql = sql };
  return alch_connection_tell(connection, &event, error);
}

/* From where the connection is to a link that is connected. */
static alch_status advance(alch_connection *connection, alch_error *error) {
  alch_status status = ALCH_OK;
  if (connection->state < ALCH_CONNECTION_CONNECTING) status = alch_pool_check_out(&connection->engine->pool, connection, error);
  if (status != ALCH_OK) return status;
  if (connection->state == ALCH_CONNECTION_CONNECTING) {
    status = alch_link_connect(connection->link, error);
    if (status == ALCH_OK) connection->state = ALCH_CONNECTION_READY;
    if (status == ALCH_OK) status = alch_connection_tell_kind(connection, ALCH_ENGINE_CONNECT, NULL, error);
    if (status < 0) alch_connection_invalidate(connection);
  }
  return status == ALCH_OK ? alch_connection_tell_kind(connection, ALCH_ENGINE_CHECKOUT, NULL, error) : status;
}

alch_status alch_engine_connect(alch_engine *engine, alch_connection **out, alch_error *error) {
  alch_connection *connection = *out ? *out : new_connection(engine, error);
  if (!connection) return ALCH_ERROR;
  alch_status status = advance(connection, error);
  *out = status < 0 ? NULL : connection;
  if (status < 0) alch_connection_close(connection);
  return status;
}

void alch_connection_close(alch_connection *connection) {
  if (!connection || connection->closing) return;
  connection->closing = true;
  if (connection->state == ALCH_CONNECTION_READY) {
    while (connection->executions) alch_execution_close(connection->executions);
    alch_transaction_end(connection);
    alch_connection_tell_kind(connection, ALCH_ENGINE_CHECKIN, NULL, NULL);
  }
  free_connection(connection);
}

alch_engine *alch_connection_engine(const alch_connection *connection) {
  return connection->engine;
}

alch_driver_connection *alch_connection_driver_connection(const alch_connection *connection) {
  return connection->link ? connection->link->driver_connection : NULL;
}

void alch_connection_waits_for(alch_connection *connection, alch_wait *out) {
  if (connection->link) {
    connection->driver->waits_for(connection->link->driver_connection, out);
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
  if (connection->link) connection->link->broken = true;
}

void alch_connection_set_autobegin(alch_connection *connection, bool autobegin) {
  connection->autobegin = autobegin;
}

uint32_t alch_connection_depth(const alch_connection *connection) {
  return connection->depth;
}

void alch_connection_note_failure(alch_connection *connection, const alch_error *error) {
  alch_link *link = connection->link;
  if (!link) return;   /* closed by a listener */
  if (error && error->disconnected) link->broken = true;
  if (!connection->real || (!link->broken && link->driver->in_transaction(link->driver_connection))) return;
  connection->real = false;
  connection->lost = true;
  if (link->owner == connection) link->owner = NULL;
}

static alch_status unusable(const alch_connection *connection, alch_error *error) {
  if (connection->lost)
    return alch_error_set(error, ALCH_ERROR_PENDING_ROLLBACK, "the database has ended this transaction by itself after an error; roll it back before going on");
  if (connection->state != ALCH_CONNECTION_READY) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the connection is not open yet");
  if (connection->link->broken && !connection->driver->alive(connection->link->driver_connection))
    return alch_error_set(error, ALCH_ERROR_RESOURCE_CLOSED, "the connection to the database is lost: close it and connect again");
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the connection waits for another statement: finish that one first");
}

alch_status alch_connection_usable(const alch_connection *connection, alch_error *error) {
  const alch_link *link = connection->link;
  if (ALCH_LIKELY(link && !connection->lost && !link->busy && !link->broken && connection->state == ALCH_CONNECTION_READY)) return ALCH_OK;
  bool dead = link && link->broken && !connection->driver->alive(link->driver_connection);
  if (link && !connection->lost && !link->busy && !dead && connection->state == ALCH_CONNECTION_READY) return ALCH_OK;
  return unusable(connection, error);
}
