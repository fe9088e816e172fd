/* One statement on its way: values bound, handle taken, transaction begun, started, stepped. Each phase may wait; start_poll goes on where it stands.
   The repeated case allocates nothing: the arrays of the execution are kept, the handle is found by address. */
#include "engine/bulk.h"
#include "engine/message.h"
#include "engine/private.h"
#include <string.h>

enum {
  PHASE_IDLE,
  PHASE_PREPARE,  /* the driver prepares the statement */
  PHASE_BEGIN,    /* a transaction is being begun */
  PHASE_POLL,     /* the driver was started: the first row, or the end, is awaited */
  PHASE_FIRST,    /* the first row is there and was not asked for yet */
  PHASE_ROWS
};

void alch_execution_init(alch_execution *execution, const alch_allocator *allocator) {
  *execution = (alch_execution){ .changes = -1 };
  alch_buffer_init(&execution->scratch, allocator);
  alch_buffer_init(&execution->texts, allocator);
}

/* ---- opening and closing ---- */

static void open_on(alch_execution *execution, alch_connection *connection, alch_compiled *compiled) {
  alch_compiled_hold(compiled);
  execution->compiled = compiled;
  execution->connection = connection;
  execution->previous = NULL;
  execution->next = connection->executions;
  if (execution->next) execution->next->previous = execution;
  connection->executions = execution;
  execution->started = execution->done = execution->repeats = execution->arrays = execution->by_cells = false;
  execution->returns_rows = compiled->returns_rows;
  execution->bound = NULL;
  execution->bound_count = execution->column_count = execution->sets = 0;
  execution->changes = -1;
  execution->last_insert_id = 0;
  execution->phase = PHASE_IDLE;
}

/* The driver ends its work on the handle, and whoever comes next may have it. */
static void give_handle_back(alch_execution *execution) {
  alch_link *link = execution->connection->link;
  if (ALCH_UNLIKELY(execution->phase == PHASE_PREPARE)) {
    alch_prepared_drop(link);
    execution->phase = PHASE_IDLE;
  }
  if (!execution->prepared) return;
  if (execution->phase >= PHASE_POLL && ALCH_LIKELY(!alch_link_is_foreign(link))) link->driver->finish(execution->prepared->statement);
  alch_prepared_give_back(link, execution->prepared);
  execution->prepared = NULL;
  execution->phase = PHASE_IDLE;
}

void alch_execution_close(alch_execution *execution) {
  alch_connection *connection = execution->connection;
  if (!connection) return;
  alch_link_leave(connection->link, execution);
  give_handle_back(execution);
  *(execution->previous ? &execution->previous->next : &connection->executions) = execution->next;
  if (execution->next) execution->next->previous = execution->previous;
  alch_compiled_release(execution->compiled);
  execution->compiled = NULL;
  execution->connection = NULL;
  execution->stream_rows = 0;
  execution->flows = false;
  execution->token[0] = '\0';
  execution->copies = execution->ahead = false;
}

void alch_execution_destroy(alch_execution *execution) {
  const alch_allocator *allocator = execution->scratch.allocator;
  alch_execution_close(execution);
  alch_free(allocator, execution->row, execution->row_capacity * sizeof *execution->row);
  alch_free(allocator, execution->values, execution->value_capacity * sizeof *execution->values);
  alch_free(allocator, execution->counts, execution->count_capacity * sizeof *execution->counts);
  alch_buffer_close(&execution->scratch);
  alch_buffer_close(&execution->texts);
  alch_execution_init(execution, allocator);
}

/* ---- what listeners hear ---- */

static alch_status tell(alch_execution *execution, alch_engine_event_kind kind, const alch_error *error) {
  alch_connection *connection = execution->connection;
  alch_engine_event event = {
    .kind = kind,
    .sql = execution->prepared ? execution->prepared->sql : execution->compiled->sql,
    .values = execution->bound,
    .value_count = execution->sets > 0 ? execution->bound_count / execution->sets : execution->bound_count,
    .executions = execution->sets > 0 ? execution->sets : 1,
    .cached = execution->cached,
    .error = error,
    .token = execution->token[0] ? execution->token : NULL,
  };
  if (kind == ALCH_ENGINE_AFTER_EXECUTE) event.microseconds = alch_clock_microseconds() - execution->started_at;
  return alch_connection_tell(connection, &event, NULL);
}

static alch_status closed(alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_RESOURCE_CLOSED, "This result object is closed.");
}

/* A listener may have closed the execution, or all of the connection. */
static alch_status tell_and_look(alch_execution *execution, alch_engine_event_kind kind, alch_error *error) {
  alch_status status = tell(execution, kind, NULL);
  return status != ALCH_HOST_ERROR && !execution->connection ? closed(error) : status;
}

static alch_status tell_before(alch_execution *execution, alch_error *error) {
  if (ALCH_LIKELY(!execution->connection->member->listener)) return ALCH_OK;
  execution->started_at = alch_clock_microseconds();
  return tell_and_look(execution, ALCH_ENGINE_BEFORE_EXECUTE, error);
}

static alch_status tell_after(alch_execution *execution, alch_error *error) {
  if (ALCH_LIKELY(!execution->connection->member->listener)) return ALCH_OK;
  alch_status status = tell_and_look(execution, ALCH_ENGINE_AFTER_EXECUTE, error);
  return status == ALCH_OK && execution->connection ? alch_connection_tell_notices(execution->connection, error) : status;
}

/* The execution ends here; the connection stays usable (unless a callback has closed it). */
static alch_status fail(alch_execution *execution, alch_status status, alch_error *error) {
  if (!execution->connection) return status;
  if (status == ALCH_ERROR) alch_execution_describe_failure(execution, error);
  if (execution->phase >= PHASE_POLL && !execution->connection->real && !execution->prepared->read_only) alch_transaction_doubt(error);
  give_handle_back(execution);
  alch_connection_note_failure(execution->connection, error);
  if (!execution->connection) return status;
  if (status == ALCH_ERROR) alch_connection_tell_notices(execution->connection, NULL);
  if (!execution->connection) return status;
  if (status == ALCH_ERROR && execution->connection->member->listener && tell(execution, ALCH_ENGINE_FAILED, error) == ALCH_HOST_ERROR) status = ALCH_HOST_ERROR;
  alch_execution_close(execution);
  return status;
}

/* ---- going ---- */

static alch_status waiting(alch_execution *execution) {
  execution->connection->link->busy = execution;
  return ALCH_WAIT;
}

/* To the end: the driver is done with it, and all that there is to know is known. */
static void reach_end(alch_execution *execution) {
  alch_connection *connection = execution->connection;
  alch_link *link = connection->link;
  const alch_driver *driver = link->driver;
  alch_driver_statement *statement = execution->prepared->statement;
  uint8_t kind = execution->compiled->kind;
  execution->changes = execution->prepared->read_only ? -1 : driver->changes(statement);
  if (kind == ALCH_STATEMENT_INSERT && driver->last_insert_id) execution->last_insert_id = driver->last_insert_id(link->driver_connection);
  if (execution->repeats) driver->finish(statement);
  else give_handle_back(execution);
  execution->phase = PHASE_IDLE;
  execution->done = true;
  if (ALCH_UNLIKELY(kind == ALCH_STATEMENT_TEXT || kind == ALCH_STATEMENT_DDL)) alch_transaction_after_text(connection);
}

static alch_status make_row(alch_execution *execution, alch_error *error) {
  const alch_prepared *prepared = execution->prepared;
  execution->column_count = execution->connection->driver->column_count(prepared->statement);
  execution->returns_rows = execution->column_count > 0;
  execution->converts_row = execution->column_count == execution->compiled->column_count && prepared->converting_count > 0;
  if (ALCH_LIKELY(execution->column_count <= execution->row_capacity)) return ALCH_OK;
  alch_value *row = alch_grow(execution->scratch.allocator, execution->row, &execution->row_capacity, execution->column_count, sizeof *row);
  if (!row) return alch_error_out_of_memory(error);
  execution->row = row;
  return ALCH_OK;
}

/* What the first poll brings. */
static alch_status go_to_first(alch_execution *execution, alch_error *error) {
  alch_status status = execution->connection->driver->poll(execution->prepared->statement, error);
  if (status == ALCH_WAIT) return waiting(execution);
  if (ALCH_UNLIKELY(status < 0)) return status;
  execution->started = true;
  execution->phase = PHASE_FIRST;
  if (make_row(execution, error) != ALCH_OK) return ALCH_ERROR;
  if (status == ALCH_DONE) reach_end(execution);
  return tell_after(execution, error);
}

static void stream(const alch_execution *execution) {
  const alch_connection *connection = execution->connection;
  uint32_t rows = execution->stream_rows > 0 ? execution->stream_rows : connection->options.stream_rows;
  if (rows > 0 && connection->driver->stream) connection->driver->stream(execution->prepared->statement, rows);
  if (rows == 0 && execution->flows && connection->driver->flow) connection->driver->flow(execution->prepared->statement);
}

static alch_status start_driver(alch_execution *execution, alch_error *error) {
  const alch_driver *driver = execution->connection->driver;
  alch_driver_statement *statement = execution->prepared->statement;
  uint32_t sets = execution->sets;
  if (ALCH_LIKELY(sets == 0)) return driver->start(statement, execution->bound, execution->bound_count, error);
  if (execution->arrays) return driver->start_arrays(statement, execution->bound, execution->bound_count / sets, sets, execution->shared, error);
  return driver->start_many(statement, execution->bound, execution->bound_count / sets, sets, error);
}

static alch_status go(alch_execution *execution, alch_error *error) {
  alch_connection *connection = execution->connection;
  execution->phase = PHASE_BEGIN;
  if (ALCH_UNLIKELY(!connection->real)) {
    alch_status begun = alch_transaction_before_run(connection, execution->prepared->read_only, error);
    if (begun != ALCH_OK) return begun;
  }
  if (ALCH_UNLIKELY(connection->options.read_only)) {
    alch_status allowed = alch_transaction_check_write(connection, execution->prepared, error);
    if (allowed != ALCH_OK) return allowed;
  }
  execution->phase = PHASE_POLL;
  if (ALCH_UNLIKELY(connection->options.stream_rows > 0 || execution->stream_rows > 0 || execution->flows)) stream(execution);
  if (execution->ahead) connection->driver->ahead(execution->prepared->statement);
  alch_status status = ALCH_UNLIKELY(execution->copies) ? connection->driver->bulk->copy_out(execution->prepared->statement, execution->copy_format, error) : ALCH_OK;
  if (ALCH_LIKELY(status == ALCH_OK)) status = start_driver(execution, error);
  if (execution->ahead && (status == ALCH_OK || status == ALCH_WAIT)) return ALCH_OK;
  if (ALCH_LIKELY(status == ALCH_OK)) return go_to_first(execution, error);
  if (status == ALCH_DONE) alch_execution_close(execution);
  return status == ALCH_WAIT ? waiting(execution) : status;
}

/* May the statement run on it? */
static alch_status admit(const alch_connection *connection, const alch_compiled *compiled, alch_error *error) {
  alch_status status = alch_connection_usable(connection, error);
  return ALCH_LIKELY(status == ALCH_OK) ? alch_link_check_dialect(connection->link, compiled, error) : status;
}

static alch_status take_handle(alch_execution *execution, alch_error *error) {
  alch_status status = alch_prepared_take(execution->connection->link, execution->compiled, execution->counts, execution->count_used, &execution->prepared, &execution->cached, error);
  if (ALCH_LIKELY(status != ALCH_WAIT)) return status;
  execution->phase = PHASE_PREPARE;
  return waiting(execution);
}

/* The values are bound: the handle, and off. */
static alch_status set_off(alch_execution *execution, alch_error *error) {
  alch_status status = take_handle(execution, error);
  if (ALCH_LIKELY(status == ALCH_OK)) status = tell_before(execution, error);
  return ALCH_LIKELY(status == ALCH_OK) ? go(execution, error) : status;
}

alch_status alch_execution_start(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_block *block, const alch_parameters *parameters,
                                 alch_error *error) {
  alch_execution_close(execution);
  alch_status status = admit(connection, compiled, error);
  if (ALCH_UNLIKELY(status != ALCH_OK)) return status;
  open_on(execution, connection, compiled);
  status = alch_execution_bind(execution, block, parameters, error);
  if (ALCH_UNLIKELY(!execution->connection)) return status == ALCH_OK ? closed(error) : status;
  if (ALCH_LIKELY(status == ALCH_OK)) status = set_off(execution, error);
  return ALCH_LIKELY(status >= 0) ? status : fail(execution, status, error);
}

bool alch_execution_takes_many(const alch_connection *connection, const alch_compiled *compiled) {
  return connection->driver->start_many && !compiled->expands && compiled->slot_count > 0;
}

alch_status alch_execution_add_set(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_block *block, const alch_parameters *parameters, alch_error *error) {
  bool first = execution->connection != connection || execution->compiled != compiled || execution->sets == 0 || execution->phase != PHASE_IDLE || execution->done;
  if (first) {
    alch_execution_close(execution);
    alch_status usable = admit(connection, compiled, error);
    if (usable != ALCH_OK) return usable;
    open_on(execution, connection, compiled);
  }
  alch_status status = alch_execution_bind(execution, block, parameters, error);
  if (!execution->connection) return status == ALCH_OK ? closed(error) : status;
  execution->sets++;
  return status >= 0 ? status : fail(execution, status, error);
}

alch_status alch_execution_start_sets(alch_execution *execution, alch_error *error) {
  if (!execution->connection || execution->sets == 0) return closed(error);
  alch_status status = alch_connection_usable(execution->connection, error);
  if (status == ALCH_OK) status = set_off(execution, error);
  return status >= 0 ? status : fail(execution, status, error);
}

alch_status alch_execution_start_poll(alch_execution *execution, alch_error *error) {
  alch_connection *connection = execution->connection;
  if (!connection) return closed(error);
  if (execution->phase < PHASE_PREPARE || execution->phase > PHASE_POLL) return ALCH_OK;
  if (connection->link->busy == execution) connection->link->busy = NULL;
  alch_status (*const steps[])(alch_execution *, alch_error *) = { [PHASE_PREPARE] = set_off, [PHASE_BEGIN] = go, [PHASE_POLL] = go_to_first };
  alch_status status = steps[execution->phase](execution, error);
  return status >= 0 ? status : fail(execution, status, error);
}

/* Only within a transaction does one that fails stop the next; and rows that come by pieces are all read before that. */
bool alch_connection_sends_ahead(const alch_connection *connection) {
  bool autocommit = connection->options.isolation && connection->options.isolation->autocommit;
  return connection->driver->ahead && connection->depth > 0 && !autocommit && connection->options.stream_rows == 0;
}

bool alch_connection_is_listened_to(const alch_connection *connection) { return connection->member->listener != NULL; }

alch_status alch_execution_take_answer(alch_execution *execution, alch_error *error) {
  execution->ahead = false;
  return alch_execution_start_poll(execution, error);
}

/* ---- rows ---- */

static alch_status convert_cell(alch_execution *execution, uint32_t column, alch_error *error) {
  alch_value *cell = &execution->row[column];
  const char *before = alch_value_has_text(cell->kind) ? cell->text : NULL;
  const alch_compiled *compiled = execution->compiled;
  alch_status status = compiled->dialect->from_database(compiled->columns[column].type, cell, &execution->connection->link->conversion, error);
  if (status != ALCH_OK || !alch_value_has_text(cell->kind) || cell->text == before) return status;
  return alch_keep_text(&execution->scratch, execution->row, column, cell) ? ALCH_OK : alch_error_out_of_memory(error);
}

static alch_status read_row(alch_execution *execution, alch_error *error) {
  const alch_prepared *prepared = execution->prepared;
  execution->phase = PHASE_ROWS;
  if (execution->by_cells) return ALCH_ROW;
  alch_status status = execution->connection->driver->row(prepared->statement, execution->row, execution->column_count, error);
  if (execution->converts_row && status == ALCH_OK) {
    alch_buffer_clear(&execution->scratch);
    for (const alch_converting *c = prepared->converting, *end = c + prepared->converting_count; c < end && status == ALCH_OK; c++)
      if (execution->row[c->column].kind != c->kind) status = convert_cell(execution, c->column, error);
  }
  return ALCH_LIKELY(status == ALCH_OK) ? ALCH_ROW : fail(execution, status, error);
}

bool alch_execution_by_cells(alch_execution *execution) {
  if (execution->by_cells) return true;
  if (!execution->connection || !execution->connection->driver->cells || !execution->row) return false;
  /* keeping a text looks at the columns before it, read or not */
  memset(execution->row, 0, execution->column_count * sizeof *execution->row);
  return execution->by_cells = true;
}

alch_status alch_execution_cells(alch_execution *execution, uint32_t first, uint32_t count, alch_error *error) {
  const alch_prepared *prepared = execution->prepared;
  alch_status status = execution->connection->driver->cells(prepared->statement, execution->row + first, first, count, error);
  if (execution->converts_row && status == ALCH_OK) {
    alch_buffer_clear(&execution->scratch);
    for (const alch_converting *c = prepared->converting, *end = c + prepared->converting_count; c < end && status == ALCH_OK; c++)
      if (c->column - first < count && execution->row[c->column].kind != c->kind) status = convert_cell(execution, c->column, error);
  }
  return ALCH_LIKELY(status == ALCH_OK) ? ALCH_OK : fail(execution, status, error);
}

alch_status alch_execution_next(alch_execution *execution, alch_error *error) {
  alch_connection *connection = execution->connection;
  if (ALCH_UNLIKELY(!connection)) return closed(error);
  if (execution->done) return ALCH_DONE;
  if (execution->phase == PHASE_FIRST) return read_row(execution, error);
  if (ALCH_UNLIKELY(execution->phase != PHASE_ROWS)) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the statement has not been started yet");
  alch_status status = connection->driver->poll(execution->prepared->statement, error);
  if (connection->link->busy == execution) connection->link->busy = NULL;
  if (ALCH_LIKELY(status == ALCH_ROW)) return read_row(execution, error);
  if (status == ALCH_WAIT) return waiting(execution);
  if (status < 0) return fail(execution, status, error);
  reach_end(execution);
  alch_status told = alch_connection_tell_notices(connection, error);
  return told == ALCH_OK ? ALCH_DONE : told;
}

const char *alch_execution_column_name(const alch_execution *execution, uint32_t column) {
  const alch_compiled *compiled = execution->compiled;
  if (!compiled || column >= execution->column_count) return "";
  if (compiled->column_count == execution->column_count) return compiled->columns[column].name;
  return execution->prepared ? execution->connection->driver->column_name(execution->prepared->statement, column) : "";
}

/* ---- the same statement again and again ---- */

static alch_status wrong_count(const alch_compiled *compiled, uint32_t count, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_STATEMENT, "the statement takes %u values (a list and its items count as one), and %u are given", compiled->slot_count, count);
}

static uint32_t *add_counts(alch_execution *execution, uint32_t more, alch_error *error) {
  uint32_t *counts = alch_grow(execution->scratch.allocator, execution->counts, &execution->count_capacity, execution->count_used + more, sizeof *counts);
  if (!counts) {
    alch_error_out_of_memory(error);
    return NULL;
  }
  execution->counts = counts;
  execution->count_used += more;
  return counts + execution->count_used - more;
}

/* A value that the text carries. */
static alch_status add_literal(alch_execution *execution, const alch_slot *slot, const alch_value *value, alch_error *error) {
  alch_buffer text;
  alch_buffer_init(&text, execution->scratch.allocator);
  alch_status status = alch_literal_text(execution->compiled->dialect, slot, value, value + 1, &text, error);
  uint32_t *words = status == ALCH_OK ? add_counts(execution, alch_literal_words(text.length), error) : NULL;
  if (words) alch_literal_write(words, text.text, text.length);
  alch_buffer_close(&text);
  return words ? ALCH_OK : ALCH_ERROR;
}

/* The values slot by slot, with the items of each list in its place; the lists' own records are not bound. */
static alch_status spread_lists(alch_execution *execution, const alch_value *values, uint32_t count, alch_error *error) {
  const alch_compiled *compiled = execution->compiled;
  uint32_t read = 0, filled = 0;
  alch_value *spread = alch_grow(execution->scratch.allocator, execution->values, &execution->value_capacity, count + 1, sizeof *spread);
  if (!spread) return alch_error_out_of_memory(error);
  execution->values = spread;
  for (uint32_t i = 0; i < compiled->slot_count; i++) {
    uint32_t items = 1;
    if (read >= count) return wrong_count(compiled, count, error);
    const alch_value *value = &values[read];
    bool is_list = value->kind == ALCH_LIST, literal = compiled->slots[i].kind == ALCH_SLOT_LITERAL;
    if (is_list) {
      if (value->integer < 0 || value->integer > (int64_t)(count - ++read)) return wrong_count(compiled, count, error);
      items = (uint32_t)value->integer;
    }
    if (literal) {
      if (add_literal(execution, &compiled->slots[i], value, error) != ALCH_OK) return ALCH_ERROR;
      read += items;
      continue;
    }
    if (is_list != (compiled->slots[i].kind == ALCH_SLOT_EXPANDING)) return wrong_count(compiled, count, error);
    if (is_list) {
      uint32_t *length = add_counts(execution, 1, error);
      if (!length) return ALCH_ERROR;
      *length = items;
    }
    if (items > 0) memcpy(spread + filled, values + read, items * sizeof *spread);
    filled += items;
    read += items;
  }
  execution->bound = spread;
  execution->bound_count = filled;
  return read == count ? ALCH_OK : wrong_count(compiled, count, error);
}

static alch_status bind_given(alch_execution *execution, const alch_value *values, uint32_t count, alch_error *error) {
  const alch_compiled *compiled = execution->compiled;
  execution->bound = values;
  execution->bound_count = count;
  execution->count_used = 0;
  if (ALCH_UNLIKELY(compiled->expands)) return spread_lists(execution, values, count, error);
  return ALCH_LIKELY(count == compiled->slot_count) ? ALCH_OK : wrong_count(compiled, count, error);
}

/* The handle of the last run, when it was the same statement on the same connection. */
static bool keeps_handle(alch_execution *execution, const alch_connection *connection, const alch_compiled *compiled) {
  if (execution->connection != connection || execution->compiled != compiled || !execution->prepared || !execution->repeats || compiled->expands) return false;
  if (!execution->done && execution->phase >= PHASE_POLL) connection->driver->finish(execution->prepared->statement);
  if (connection->link->busy == execution) connection->link->busy = NULL;
  execution->started = execution->done = false;
  execution->phase = PHASE_IDLE;
  execution->changes = -1;
  execution->cached = true;
  return true;
}

static alch_status go_again(alch_execution *execution, alch_error *error) {
  alch_status status = tell_before(execution, error);
  return ALCH_LIKELY(status == ALCH_OK) ? go(execution, error) : status;
}

/* How values are given to the driver: as one set, as many, or as arrays. */
typedef struct giving {
  uint32_t sets;        /* 0: one, without start_many */
  bool arrays;
  uint32_t shared;
} giving;

static alch_status run(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_value *values, uint32_t count, giving giving, alch_error *error) {
  bool again = keeps_handle(execution, connection, compiled);
  if (!again) alch_execution_close(execution);
  alch_status status = admit(connection, compiled, error);
  if (ALCH_UNLIKELY(status != ALCH_OK)) {
    alch_execution_close(execution);
    return status;
  }
  if (!again) open_on(execution, connection, compiled);
  execution->repeats = true;
  execution->sets = giving.sets;
  execution->arrays = giving.arrays;
  execution->shared = giving.shared;
  status = bind_given(execution, values, count, error);
  if (status == ALCH_OK && giving.sets > 0) execution->bound_count = count * giving.sets;
  if (ALCH_LIKELY(status == ALCH_OK)) status = again ? go_again(execution, error) : set_off(execution, error);
  return ALCH_LIKELY(status >= 0) ? status : fail(execution, status, error);
}

alch_status alch_execution_run(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_value *values, uint32_t count, alch_error *error) {
  return run(execution, connection, compiled, values, count, (giving){ 0 }, error);
}

alch_status alch_execution_run_many(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error) {
  if (alch_execution_takes_many(connection, compiled) && count <= UINT32_MAX / (sets > 0 ? sets : 1)) return run(execution, connection, compiled, values, count, (giving){ .sets = sets }, error);
  return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "the driver '%s' takes no several sets of values at once", connection->driver->name);
}

bool alch_connection_takes_sets(const alch_connection *connection) { return connection->driver->start_many != NULL; }
bool alch_connection_takes_arrays(const alch_connection *connection) { return connection->driver->start_arrays != NULL; }
const char *alch_connection_scatters_keys(const alch_connection *connection) { return connection->driver->scatters_keys; }
uint32_t alch_connection_returning_sets(const alch_connection *connection) { return connection->driver->returning_sets; }
bool alch_connection_tells_first_key(const alch_connection *connection) { return connection->driver->first_key; }

alch_status alch_execution_run_arrays(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_value *values, uint32_t count, uint32_t sets, uint32_t shared, alch_error *error) {
  bool possible = connection->driver->start_arrays && !compiled->expands && sets > 0 && count <= UINT32_MAX / sets;
  if (possible) return run(execution, connection, compiled, values, count, (giving){ .sets = sets, .arrays = true, .shared = shared }, error);
  return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "the driver '%s' takes no arrays for values", connection->driver->name);
}
