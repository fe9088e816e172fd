/* Statements of a connection with a thread: what is sent there, and the rows that come back in batches.
   A batch ends when it is full, or when it has taken long enough that whoever waits should see something. */
#include "engine/drivers/worker_private.h"
#include "engine/engine.h"
#include <string.h>

enum { FIRST_ROWS = 16, MOST_ROWS = 1024, MOST_BYTES = 1 << 18 };
#define LONGEST_BATCH 2000   /* microseconds */

/* ---- batches ---- */

static void open_batch(alch_batch *batch) {
  *batch = (alch_batch){ 0 };
  alch_buffer_init(&batch->texts, &alch_allocator_standard);
}

static void close_batch(alch_batch *batch) {
  alch_free(&alch_allocator_standard, batch->cells, batch->capacity * sizeof *batch->cells);
  alch_buffer_close(&batch->texts);
}

static void empty_batch(alch_batch *batch) {
  batch->rows = batch->next = 0;
  alch_buffer_clear(&batch->texts);
}

/* While the buffer may still move, a text is its place in it. */
static bool keep_texts(alch_buffer *texts, alch_value *cells, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (!alch_value_has_text(cells[i].kind)) continue;
    size_t place = texts->length;
    alch_buffer_add_bytes(texts, cells[i].text, cells[i].length);
    cells[i].text = (const char *)(uintptr_t)place;
  }
  return !alch_buffer_failed(texts);
}

static void settle_texts(const alch_buffer *texts, alch_value *cells, uint32_t count) {
  const char *text = alch_buffer_text(texts);
  for (uint32_t i = 0; i < count; i++)
    if (alch_value_has_text(cells[i].kind)) cells[i].text = text + (size_t)(uintptr_t)cells[i].text;
}

static alch_status add_row(alch_driver_statement *statement) {
  alch_batch *batch = &statement->fill;
  uint32_t columns = statement->column_count, used = batch->rows * columns;
  alch_value *cells = alch_grow(&alch_allocator_standard, batch->cells, &batch->capacity, used + columns + 1, sizeof *cells);
  if (!cells) return alch_error_out_of_memory(&statement->error);
  batch->cells = cells;
  batch->columns = columns;
  alch_status status = statement->connection->inner->row(statement->inner, cells + used, columns, &statement->error);
  if (status != ALCH_OK) return status;
  if (!keep_texts(&batch->texts, cells + used, columns)) return alch_error_out_of_memory(&statement->error);
  batch->rows++;
  return ALCH_OK;
}

/* The owner has read all that it had, and the thread rests. */
static void take_batch(alch_driver_statement *statement) {
  alch_batch taken = statement->fill;
  statement->fill = statement->read;
  statement->read = taken;
  empty_batch(&statement->fill);
  settle_texts(&taken.texts, taken.cells, taken.rows * taken.columns);
}

/* ---- on the thread ---- */

static const char *next_name(const char *name) { return name + strlen(name) + 1; }

static bool same_names(const alch_driver_statement *statement) {
  const alch_driver *inner = statement->connection->inner;
  const char *known = alch_buffer_text(&statement->names), *end = known + statement->names.length;
  for (uint32_t i = 0; i < statement->column_count; i++) {
    if (known >= end || strcmp(known, inner->column_name(statement->inner, i)) != 0) return false;
    known = next_name(known);
  }
  return known == end;
}

/* A statement that is prepared anew, since a table has changed, may have other columns. */
static void note_columns(alch_driver_statement *statement) {
  const alch_driver *inner = statement->connection->inner;
  statement->column_count = inner->column_count(statement->inner);
  if (same_names(statement)) return;
  alch_buffer_clear(&statement->names);
  for (uint32_t i = 0; i < statement->column_count; i++) {
    const char *name = inner->column_name(statement->inner, i);
    alch_buffer_add_bytes(&statement->names, name, strlen(name) + 1);
  }
  if (!alch_buffer_failed(&statement->names)) return;
  statement->column_count = 0;
  statement->status = alch_error_out_of_memory(&statement->error);
}

static void end_inner(alch_driver_statement *statement) {
  if (!statement->open) return;
  statement->connection->inner->finish(statement->inner);
  statement->open = false;
  atomic_fetch_sub(&statement->connection->open, 1);
}

/* One row, or the end. */
static bool step(alch_driver_statement *statement, bool first) {
  const alch_driver *inner = statement->connection->inner;
  statement->status = inner->poll(statement->inner, &statement->error);
  if (first && statement->status >= 0) note_columns(statement);
  if (statement->status != ALCH_ROW) return false;
  alch_status kept = add_row(statement);
  if (kept != ALCH_OK) statement->status = kept;
  return kept == ALCH_OK;
}

static bool goes_on(const alch_driver_statement *statement, int64_t until) {
  const alch_batch *batch = &statement->fill;
  if (statement->asks || batch->rows >= statement->limit || batch->texts.length >= MOST_BYTES || atomic_load_explicit(&statement->cancelled, memory_order_relaxed)) return false;
  return batch->rows % FIRST_ROWS != 0 || alch_clock_microseconds() < until;
}

static void fill(alch_driver_statement *statement, bool first) {
  int64_t until = alch_clock_microseconds() + LONGEST_BATCH;
  statement->connection->current = statement;
  while (step(statement, first) && goes_on(statement, until)) first = false;
  statement->connection->current = NULL;
  if (statement->status == ALCH_DONE) statement->changes = statement->connection->inner->changes(statement->inner);
  bool cancelled = atomic_load(&statement->cancelled);
  if (statement->status != ALCH_ROW || cancelled) end_inner(statement);
  if (!cancelled) return;
  empty_batch(&statement->fill);
  statement->status = ALCH_DONE;
}

/* What was given up may have ended the transaction, and whoever wants to roll it back could not know. */
static bool has_rolled_back(const alch_driver_statement *statement) {
  static const char rollback[] = "ROLLBACK";
  alch_driver_connection *connection = statement->connection;
  if (statement->length != sizeof rollback - 1 || memcmp(statement->sql, rollback, sizeof rollback) != 0) return false;
  return atomic_exchange(&connection->gave_up, false) && !connection->inner->in_transaction(connection->served);
}

static bool run_start(alch_errand *errand) {
  alch_driver_statement *statement = errand->target;
  alch_driver_connection *connection = statement->connection;
  const alch_driver *inner = connection->inner;
  statement->status = ALCH_DONE;
  statement->changes = -1;
  if (atomic_load(&statement->cancelled) || has_rolled_back(statement)) return true;
  if (inner->stream) inner->stream(statement->inner, statement->stream_rows);
  statement->open = true;
  atomic_fetch_add(&connection->open, 1);
  if (statement->sets > 0) statement->status = inner->start_many(statement->inner, statement->copies, statement->value_count, statement->sets, &statement->error);
  else statement->status = inner->start(statement->inner, statement->copies, statement->value_count, &statement->error);
  if (statement->status >= 0) fill(statement, true);
  else end_inner(statement);
  return true;
}

static bool run_more(alch_errand *errand) {
  fill(errand->target, false);
  return true;
}

static bool run_end(alch_errand *errand) {
  end_inner(errand->target);
  return true;
}

static bool run_prepare(alch_errand *errand) {
  alch_driver_statement *statement = errand->target;
  const alch_driver *inner = statement->connection->inner;
  statement->status = inner->prepare(statement->connection->served, statement->sql, statement->length, statement->types, statement->type_count, &statement->inner, &statement->error);
  if (statement->status != ALCH_OK) return true;
  if (inner->parameter_count) statement->parameter_count = inner->parameter_count(statement->inner);
  if (inner->read_only) statement->read_only = inner->read_only(statement->inner);
  return true;
}

static void free_statement(alch_driver_statement *statement) {
  const alch_allocator *allocator = &alch_allocator_standard;
  alch_free(allocator, statement->sql, statement->length + 1);
  alch_free(allocator, statement->types, statement->type_count * sizeof *statement->types);
  alch_free(allocator, statement->copies, statement->copy_capacity * sizeof *statement->copies);
  alch_buffer_close(&statement->copied_texts);
  alch_buffer_close(&statement->names);
  close_batch(&statement->fill);
  close_batch(&statement->read);
  alch_error_close(&statement->error);
  alch_free(allocator, statement, sizeof *statement);
}

static bool run_leave(alch_errand *errand) {
  alch_driver_statement *statement = errand->target;
  end_inner(statement);
  if (statement->inner) statement->connection->inner->finalize(statement->inner);
  free_statement(statement);
  return false;
}

/* ---- preparing ---- */

static alch_status copy_text(alch_driver_statement *statement, const char *sql, size_t length, const alch_type *const *types, uint32_t count) {
  statement->sql = alch_allocate(&alch_allocator_standard, length + 1);
  if (!statement->sql) return ALCH_ERROR;
  memcpy(statement->sql, sql, length);
  statement->sql[length] = '\0';
  statement->length = length;
  if (!types || count == 0) return ALCH_OK;
  statement->types = alch_allocate(&alch_allocator_standard, count * sizeof *types);
  if (!statement->types) return ALCH_ERROR;
  memcpy(statement->types, types, count * sizeof *types);
  statement->type_count = count;
  return ALCH_OK;
}

static alch_driver_statement *new_statement(alch_driver_connection *connection) {
  alch_driver_statement *statement = alch_allocate_zeroed(&alch_allocator_standard, sizeof *statement);
  if (!statement) return NULL;
  statement->connection = connection;
  statement->work = (alch_errand){ .run = run_prepare, .target = statement };
  statement->ending = (alch_errand){ .run = run_end, .target = statement };
  statement->leaving = (alch_errand){ .run = run_leave, .target = statement };
  statement->changes = -1;
  statement->status = ALCH_DONE;
  alch_buffer_init(&statement->copied_texts, &alch_allocator_standard);
  alch_buffer_init(&statement->names, &alch_allocator_standard);
  open_batch(&statement->fill);
  open_batch(&statement->read);
  alch_error_init(&statement->error, &alch_allocator_standard);
  return statement;
}

alch_status alch_worker_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error) {
  alch_driver_statement *statement = *out;
  if (!statement) {
    alch_status status = alch_worker_check_free(connection, error);
    if (status != ALCH_OK) return status;
    statement = new_statement(connection);
    if (!statement) return alch_error_out_of_memory(error);
    if (copy_text(statement, sql, length, types, count) != ALCH_OK) {
      free_statement(statement);
      return alch_error_out_of_memory(error);
    }
    *out = statement;
    alch_worker_send(connection, &statement->work);
    return ALCH_WAIT;
  }
  alch_status status = alch_worker_look(connection, statement);
  if (status < 0) return status;
  if (alch_worker_is_pending(connection, &statement->work)) return ALCH_WAIT;
  if (statement->status == ALCH_OK) return ALCH_OK;
  status = statement->status == ALCH_ERROR ? alch_error_copy(error, &statement->error) : statement->status;
  *out = NULL;
  alch_worker_finalize(statement);
  return status;
}

uint32_t alch_worker_parameter_count(alch_driver_statement *statement) { return statement->parameter_count; }
bool alch_worker_read_only(alch_driver_statement *statement) { return statement->read_only; }

void alch_worker_finalize(alch_driver_statement *statement) {
  alch_worker_finish(statement);
  alch_worker_send(statement->connection, &statement->leaving);
}

/* ---- executing ---- */

void alch_worker_stream(alch_driver_statement *statement, uint32_t rows) { statement->stream_rows = rows; }

/* Copied, so that a statement that is given up need not be waited for. */
static alch_status copy_values(alch_driver_statement *statement, alch_error *error) {
  uint32_t count = statement->value_count * (statement->sets > 0 ? statement->sets : 1);
  if (count == 0) return ALCH_OK;
  alch_value *copies = alch_grow(&alch_allocator_standard, statement->copies, &statement->copy_capacity, count, sizeof *copies);
  if (!copies) return alch_error_out_of_memory(error);
  statement->copies = copies;
  memcpy(copies, statement->values, count * sizeof *copies);
  alch_buffer_clear(&statement->copied_texts);
  if (!keep_texts(&statement->copied_texts, copies, count)) return alch_error_out_of_memory(error);
  settle_texts(&statement->copied_texts, copies, count);
  return ALCH_OK;
}

/* When the execution before, which was given up, has ended. */
static alch_status send_start(alch_driver_statement *statement, alch_error *error) {
  if (alch_worker_is_pending(statement->connection, &statement->work)) return ALCH_WAIT;
  alch_status status = copy_values(statement, error);
  statement->starting = false;
  if (status != ALCH_OK) return status;
  atomic_store(&statement->cancelled, false);
  statement->limit = FIRST_ROWS;
  statement->told = false;
  statement->work.run = run_start;
  empty_batch(&statement->read);
  empty_batch(&statement->fill);
  alch_worker_send(statement->connection, &statement->work);
  return ALCH_OK;
}

alch_status alch_worker_start_many(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error) {
  alch_status status = alch_worker_check_free(statement->connection, error);
  if (status == ALCH_OK) status = alch_worker_look(statement->connection, statement);
  if (status != ALCH_OK) return status;
  statement->values = values;
  statement->value_count = count;
  statement->sets = sets;
  statement->starting = true;
  return send_start(statement, error);
}

alch_status alch_worker_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error) {
  return alch_worker_start_many(statement, values, count, 0, error);
}

static alch_status conclude(alch_driver_statement *statement, alch_error *error) {
  if (statement->status == ALCH_ERROR) return alch_error_copy(error, &statement->error);
  if (statement->status != ALCH_HOST_ERROR || !statement->told) return statement->status;
  return alch_error_set(error, ALCH_ERROR_OPERATIONAL, "a function that this statement calls has failed, while another statement ran on the connection");
}

static alch_status send_more(alch_driver_statement *statement, alch_error *error) {
  alch_status status = alch_worker_check_free(statement->connection, error);
  if (status != ALCH_OK) return status;
  if (statement->limit < MOST_ROWS) statement->limit *= 4;
  statement->work.run = run_more;
  alch_worker_send(statement->connection, &statement->work);
  return ALCH_WAIT;
}

/* A function of the host is asked for in the middle of a batch: the rows before it come first, and then the function is called. */
static bool take_rows_before_question(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  pthread_mutex_lock(&connection->mutex);
  bool there = connection->question && connection->question->statement == statement && statement->fill.rows > 0;
  pthread_mutex_unlock(&connection->mutex);
  if (there) take_batch(statement);
  return there;
}

alch_status alch_worker_poll(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  alch_batch *read = &statement->read;
  if (ALCH_LIKELY(read->next < read->rows)) {
    read->next++;
    return ALCH_ROW;
  }
  if (statement->starting) {
    alch_status sent = send_start(statement, error);
    return sent == ALCH_OK ? ALCH_WAIT : sent;
  }
  bool pending = alch_worker_is_pending(connection, &statement->work);
  if (!pending || !take_rows_before_question(statement)) {
    alch_status status = alch_worker_look(connection, statement);
    if (status < 0) return status;
    if (alch_worker_is_pending(connection, &statement->work)) return ALCH_WAIT;
    if (statement->fill.rows == 0) return statement->status == ALCH_ROW ? send_more(statement, error) : conclude(statement, error);
    take_batch(statement);
  }
  read->next = 1;
  return ALCH_ROW;
}

alch_status alch_worker_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error) {
  const alch_batch *read = &statement->read;
  (void)error;
  memcpy(out, read->cells + (size_t)(read->next - 1) * read->columns, (count < read->columns ? count : read->columns) * sizeof *out);
  return ALCH_OK;
}

/* Under the mutex. An interruption ends all that has begun on the connection, so others that are open are spared: this one then ends with its next row. */
static void cancel(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  atomic_store(&statement->cancelled, true);
  atomic_store(&connection->gave_up, true);
  if (connection->running != &statement->work) return;
  connection->refusing = true;
  if (connection->question) alch_worker_refuse(connection);
  if (connection->inner->interrupt && atomic_load(&connection->open) <= 1) connection->inner->interrupt(connection->served);
}

void alch_worker_finish(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  statement->starting = false;
  empty_batch(&statement->read);
  pthread_mutex_lock(&connection->mutex);
  bool pending = statement->work.pending;
  if (pending) cancel(statement);
  bool end = !pending && !statement->ending.pending && statement->open;
  pthread_mutex_unlock(&connection->mutex);
  if (!pending) {
    empty_batch(&statement->fill);
    statement->status = ALCH_DONE;
  }
  if (end) alch_worker_send(connection, &statement->ending);
}

/* ---- what is known ---- */

uint32_t alch_worker_column_count(alch_driver_statement *statement) { return statement->column_count; }

const char *alch_worker_column_name(alch_driver_statement *statement, uint32_t column) {
  const char *name = alch_buffer_text(&statement->names);
  if (column >= statement->column_count) return "";
  while (column-- > 0) name = next_name(name);
  return name;
}

int64_t alch_worker_changes(alch_driver_statement *statement) { return statement->changes; }
