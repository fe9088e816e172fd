/* Loads: rows that go into a table in one stream. Each phase may wait; poll goes on where it stands. */
#include "engine/bulk.h"
#include "engine/message.h"
#include "engine/private.h"

enum { PHASE_BEGIN, PHASE_OPEN, PHASE_ROWS, PHASE_FINISH };

const alch_bulk *alch_connection_bulk(const alch_connection *connection) {
  return connection->driver->bulk;
}

static alch_status waiting(alch_bulk_load *load) {
  load->connection->link->busy = load;
  load->waits = true;
  return ALCH_WAIT;
}

static alch_status closed(alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_RESOURCE_CLOSED, "this load is closed");
}

static void let_go(alch_bulk_load *load) {
  alch_connection *connection = load->connection;
  if (connection->link->busy == load) connection->link->busy = NULL;
  if (connection->load == load) connection->load = NULL;
  load->connection = NULL;
  load->load = NULL;
}

void alch_bulk_load_close(alch_bulk_load *load) {
  alch_connection *connection = load->connection;
  if (!connection) return;
  if (load->load && !alch_link_is_foreign(connection->link)) load->bulk->close(load->load);
  if (load->waits) alch_link_leave(connection->link, load);
  let_go(load);
}

static alch_status tell(const alch_bulk_load *load, alch_engine_event_kind kind, const alch_error *failure, alch_error *error) {
  alch_connection *connection = load->connection;
  if (ALCH_LIKELY(!connection->member->listener)) return ALCH_OK;
  alch_engine_event event = { .kind = kind, .sql = load->bulk->sql(load->load), .executions = (uint64_t)load->rows, .error = failure };
  if (kind == ALCH_ENGINE_AFTER_EXECUTE) event.microseconds = alch_clock_microseconds() - load->started_at;
  return alch_connection_tell(connection, &event, error);
}

/* The load ends here; the connection stays usable, its transaction may not. */
static alch_status fail(alch_bulk_load *load, alch_status status, alch_error *error) {
  alch_connection *connection = load->connection;
  if (status == ALCH_ERROR && load->load && error && !error->texts[ALCH_ERROR_SQL]) alch_error_attach(error, ALCH_ERROR_SQL, load->bulk->sql(load->load), SIZE_MAX);
  connection->link->busy = NULL;
  alch_connection_note_failure(connection, error);
  if (!load->connection) return status;   /* a listener has closed the connection */
  if (status == ALCH_ERROR && load->load && tell(load, ALCH_ENGINE_FAILED, error, NULL) == ALCH_HOST_ERROR) status = ALCH_HOST_ERROR;
  alch_bulk_load_close(load);
  return status;
}

static alch_status settle(alch_bulk_load *load, alch_status status, alch_error *error) {
  load->waits = false;
  if (status == ALCH_WAIT) return waiting(load);
  return status < 0 ? fail(load, status, error) : status;
}

static alch_status opened(alch_bulk_load *load, alch_error *error) {
  load->phase = PHASE_ROWS;
  load->connection->link->busy = load;
  return tell(load, ALCH_ENGINE_BEFORE_EXECUTE, NULL, error);
}

static alch_status check(const alch_bulk_load *load, const alch_connection *connection, alch_error *error) {
  if (!load->bulk) return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "the driver '%s' has no way to take rows in one stream; give execute a list of rows", connection->driver->name);
  if (alch_connection_usable(connection, error) != ALCH_OK) return ALCH_ERROR;
  if (!connection->options.read_only) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this connection is read only, and rows are to be written on it");
}

static alch_status begin(alch_bulk_load *load, alch_error *error) {
  alch_connection *connection = load->connection;
  return connection->real ? ALCH_OK : alch_transaction_before_run(connection, false, error);
}

alch_status alch_bulk_load_open(alch_bulk_load *load, alch_connection *connection, const alch_bulk_target *target, alch_error *error) {
  if (load->connection && load->phase >= PHASE_OPEN) return alch_bulk_load_poll(load, error);
  if (!load->connection) {
    *load = (alch_bulk_load){ .bulk = connection->driver->bulk };
    if (check(load, connection, error) != ALCH_OK) return ALCH_ERROR;
    load->connection = connection;
    load->started_at = alch_clock_microseconds();
    connection->load = load;
  }
  alch_status status = begin(load, error);
  if (status == ALCH_WAIT) return status;   /* who is busy meanwhile is the link itself */
  if (status == ALCH_OK) {
    load->phase = PHASE_OPEN;
    status = load->bulk->open(connection->link->driver_connection, target, &load->load, error);
  }
  return settle(load, status == ALCH_OK ? opened(load, error) : status, error);
}

alch_status alch_bulk_load_poll(alch_bulk_load *load, alch_error *error) {
  if (!load->connection) return closed(error);
  alch_status status = load->bulk->poll(load->load, error);
  if (status == ALCH_OK && load->phase == PHASE_OPEN) status = opened(load, error);
  return settle(load, status, error);
}

/* What a column cannot have is no failure of the database: nothing was sent, and the load stays open. */
static alch_status added(alch_bulk_load *load, alch_status status, alch_error *error) {
  if (status == ALCH_ERROR && !(error && error->disconnected)) {
    alch_error_attach(error, ALCH_ERROR_SQL, load->bulk->sql(load->load), SIZE_MAX);
    return status;
  }
  return settle(load, status, error);
}

alch_status alch_bulk_load_add(alch_bulk_load *load, const alch_value *values, alch_error *error) {
  if (ALCH_UNLIKELY(!load->connection || load->phase != PHASE_ROWS)) return closed(error);
  alch_status status = load->bulk->add(load->load, values, error);
  return ALCH_LIKELY(status == ALCH_OK) ? status : added(load, status, error);
}

alch_status alch_bulk_load_add_text(alch_bulk_load *load, const char *text, size_t length, alch_error *error) {
  if (!load->connection || load->phase != PHASE_ROWS) return closed(error);
  alch_status status = load->bulk->add_text(load->load, text, length, error);
  return status == ALCH_OK ? status : added(load, status, error);
}

alch_status alch_bulk_load_finish(alch_bulk_load *load, const char *reason, alch_error *error) {
  alch_error ignored;
  if (!load->connection) return closed(error);
  if (load->phase < PHASE_ROWS) {
    alch_bulk_load_close(load);
    return ALCH_OK;
  }
  load->phase = PHASE_FINISH;
  load->waits = false;
  alch_error_init(&ignored, load->connection->link->allocator);
  alch_status status = load->bulk->finish(load->load, reason, reason ? &ignored : error);
  if (status == ALCH_WAIT) return waiting(load);
  if (status == ALCH_OK) load->rows = load->bulk->rows(load->load);
  if (reason && status < 0) fail(load, status, &ignored);
  alch_error_close(&ignored);
  if (reason && status < 0) return ALCH_OK;
  if (status == ALCH_OK) status = tell(load, ALCH_ENGINE_AFTER_EXECUTE, NULL, error);
  if (status == ALCH_OK && load->connection) status = alch_connection_tell_notices(load->connection, error);
  if (status < 0) return fail(load, status, error);
  alch_bulk_load_close(load);
  return status;
}
