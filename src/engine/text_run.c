/* Texts that no statement block makes: DDL, pragmas, the question whether a table is there. They are run once, so their handles are not kept.
   One text is under way on a connection at a time; the connection has its record, so that a call which waits is simply made again. */
#include "engine/private.h"
#include <string.h>

enum { PHASE_BEGIN, PHASE_PREPARE, PHASE_START, PHASE_POLL };

struct alch_text_run {
  const char *sql;                     /* the caller's, who makes the same call again */
  size_t length;
  alch_value values[2];
  uint32_t count;
  bool read_only;
  uint8_t phase;
  alch_driver_statement *statement;
  int64_t started_at;
  bool any_row;
};

static alch_status tell(alch_connection *connection, const alch_text_run *run, alch_engine_event_kind kind, const alch_error *failure, alch_error *error) {
  if (!connection->member->listener) return ALCH_OK;
  alch_engine_event event = { .kind = kind, .sql = run->sql, .executions = 1, .error = failure };
  if (kind == ALCH_ENGINE_AFTER_EXECUTE) event.microseconds = alch_clock_microseconds() - run->started_at;
  return alch_connection_tell(connection, &event, error);
}

static alch_status begin(alch_connection *connection, alch_text_run *run, alch_error *error) {
  return connection->real ? ALCH_OK : alch_transaction_before_run(connection, run->read_only, error);
}

static alch_status prepare(alch_connection *connection, alch_text_run *run, alch_error *error) {
  return connection->driver->prepare(connection->link->driver_connection, run->sql, run->length, NULL, run->count, &run->statement, error);
}

static alch_status start(alch_connection *connection, alch_text_run *run, alch_error *error) {
  const alch_driver *driver = connection->driver;
  uint32_t wanted = driver->parameter_count ? driver->parameter_count(run->statement) : run->count;
  if (wanted != run->count) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has %u parameter%s, and no values are given", wanted, wanted == 1 ? "" : "s");
  run->phase = PHASE_POLL;
  return driver->start(run->statement, run->values, run->count, error);
}

static alch_status poll(alch_connection *connection, alch_text_run *run, alch_error *error) {
  alch_status status;
  while ((status = connection->driver->poll(run->statement, error)) == ALCH_ROW) run->any_row = true;
  return status == ALCH_DONE ? ALCH_OK : status;
}

static alch_status go(alch_connection *connection, alch_text_run *run, alch_error *error) {
  alch_status (*const phases[])(alch_connection *, alch_text_run *, alch_error *) = { begin, prepare, start, poll };
  alch_status status = ALCH_OK;
  for (int phase = run->phase; phase <= PHASE_POLL && status == ALCH_OK; phase++) {
    run->phase = (uint8_t)phase;
    status = phases[phase](connection, run, error);
  }
  return status;
}

/* No listener is told anything while there is a handle: he might close the connection under it. */
static void close_handle(alch_connection *connection, alch_text_run *run) {
  if (run->statement && connection->link && !alch_link_is_foreign(connection->link)) {
    if (run->phase == PHASE_POLL) connection->driver->finish(run->statement);
    connection->driver->finalize(run->statement);
  }
  run->statement = NULL;
}

void alch_text_drop(alch_connection *connection) {
  alch_text_run *run = connection->text;
  if (!run) return;
  close_handle(connection, run);
  alch_link_leave(connection->link, run);
  connection->text = NULL;
  alch_free(connection->engine->allocator, run, sizeof *run);
}

static alch_status finish(alch_connection *connection, const alch_text_run *run, alch_status status, alch_error *error) {
  if (status == ALCH_OK) {
    alch_transaction_after_text(connection);
    return tell(connection, run, ALCH_ENGINE_AFTER_EXECUTE, NULL, error);
  }
  if (status == ALCH_ERROR) alch_error_attach(error, ALCH_ERROR_SQL, run->sql, run->length);
  alch_connection_note_failure(connection, error);
  return status == ALCH_ERROR && connection->link && tell(connection, run, ALCH_ENGINE_FAILED, error, NULL) == ALCH_HOST_ERROR ? ALCH_HOST_ERROR : status;
}

/* What waits is gone on with by the same call alone. */
static alch_status check_same(const alch_text_run *waiting, const alch_text_run *wanted, alch_error *error) {
  if (waiting->sql == wanted->sql && waiting->count == wanted->count && (wanted->count == 0 || waiting->values[0].text == wanted->values[0].text)) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the connection waits for another statement: finish that one first, or use another connection (each coroutine has its own)");
}

/* The driver borrows the values, so the record stays where it is. While a step runs it is not the connection's, since a listener may run texts of his own. */
static alch_status take_up(alch_connection *connection, const alch_text_run *wanted, alch_text_run **out, alch_error *error) {
  *out = connection->text;
  if (*out) {
    alch_status same = check_same(*out, wanted, error);
    if (same != ALCH_OK) return same;
    if (connection->link->busy == *out) connection->link->busy = NULL;
    connection->text = NULL;
    return ALCH_OK;
  }
  alch_text_run begun = *wanted;
  alch_status status = alch_connection_usable(connection, error);
  if (status != ALCH_OK) return status;
  begun.started_at = connection->member->listener ? alch_clock_microseconds() : 0;
  status = tell(connection, &begun, ALCH_ENGINE_BEFORE_EXECUTE, NULL, error);
  if (status != ALCH_OK) return finish(connection, &begun, status, error);
  *out = alch_allocate(connection->engine->allocator, sizeof **out);
  if (!*out) return alch_error_out_of_memory(error);
  **out = begun;
  return ALCH_OK;
}

/* *any_row: did it give a row? */
static alch_status step(alch_connection *connection, const alch_text_run *wanted, bool *any_row, alch_error *error) {
  alch_text_run *run, over;
  const alch_allocator *allocator = connection->engine->allocator;
  alch_status status = take_up(connection, wanted, &run, error);
  if (status != ALCH_OK) return status;
  status = go(connection, run, error);
  if (status == ALCH_WAIT) {
    connection->text = run;
    if (!connection->link->busy) connection->link->busy = run;
    return status;
  }
  close_handle(connection, run);
  *any_row = run->any_row;
  over = *run;
  alch_free(allocator, run, sizeof *run);
  return finish(connection, &over, status, error);
}

alch_status alch_text_step(alch_connection *connection, const char *sql, size_t length, alch_error *error) {
  bool any_row;
  return step(connection, &(alch_text_run){ .sql = sql, .length = length }, &any_row, error);
}

alch_status alch_connection_run_text(alch_connection *connection, const char *sql, size_t length, alch_error *error) {
  alch_status status;
  while ((status = alch_text_step(connection, sql, length, error)) == ALCH_WAIT) {
    status = alch_connection_wait(connection, error);
    if (status < 0) break;
  }
  if (status < 0) alch_text_drop(connection);
  return status;
}

/* Does a query of the driver's about a table give a row? */
alch_status alch_text_ask(alch_connection *connection, const char *query, const char *name, const char *schema, bool *out, alch_error *error) {
  alch_text_run run = { .sql = query, .length = strlen(query), .count = 2, .read_only = true };
  run.values[0] = alch_value_text(name, strlen(name));
  run.values[1] = schema ? alch_value_text(schema, strlen(schema)) : ALCH_VALUE_NULL;
  return step(connection, &run, out, error);
}

alch_status alch_has_table(alch_connection *connection, const char *name, const char *schema, bool *out, alch_error *error) {
  const alch_dialect *dialect = alch_engine_dialect(connection->engine);
  const char *query = dialect->has_table;
  if (!query) return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "the dialect '%s' cannot tell which tables there are", dialect->name);
  return alch_text_ask(connection, query, name, schema, out, error);
}
