/* Any database that has an ODBC driver. Calls block; values go and come by the standard's types, texts in UTF-16. */
#include "base/utf8.h"
#include "engine/drivers/odbc_private.h"
#include <string.h>

static alch_status odbc_connect_poll(alch_driver_connection *connection, alch_error *error) {
  (void)connection, (void)error;
  return ALCH_OK;
}

/* Never asked: no call answers ALCH_WAIT. */
static void odbc_waits_for(alch_driver_connection *connection, alch_wait *out) {
  (void)connection;
  *out = (alch_wait){ .descriptor = -1, .microseconds = 0 };
}

/* ---- preparing ---- */

static void odbc_finalize(alch_driver_statement *statement) {
  const alch_allocator *allocator = statement->connection->allocator;
  if (statement->handle) statement->connection->library->SQLFreeHandle(SQL_HANDLE_STMT, statement->handle);
  alch_buffer_close(&statement->text);
  alch_buffer_close(&statement->wide);
  alch_buffer_close(&statement->raw);
  alch_buffer_close(&statement->cells);
  alch_arena_clear(&statement->columns_arena);
  alch_odbc_outputs_close(statement);
  alch_free(allocator, statement->order, statement->placeholders * sizeof *statement->order);
  alch_free(allocator, (void *)(uintptr_t)statement->types, statement->type_count * sizeof *statement->types);
  alch_free(allocator, statement->parameters, statement->placeholders * sizeof *statement->parameters);
  alch_free(allocator, statement, sizeof *statement);
}

static alch_status prepare_handle(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  statement->epoch = connection->epoch;
  if (statement->text.length / sizeof(SQLWCHAR) > INT32_MAX) return alch_error_set(error, ALCH_ERROR_DATA, "a statement of %zu bytes is too long", statement->text.length);
  SQLRETURN code = connection->quirks->utf8_statements ? connection->library->SQLPrepare(statement->handle, (unsigned char *)statement->text.text, SQL_NTS)
                                                       : connection->library->SQLPrepareW(statement->handle, (SQLWCHAR *)(void *)statement->text.text, SQL_NTS);
  return alch_odbc_succeeded(code) ? ALCH_OK : alch_odbc_fail(connection, SQL_HANDLE_STMT, statement->handle, error);
}

/* $3 twice is one value twice. */
static alch_status keep_order(alch_driver_statement *statement, const alch_buffer *order, alch_error *error) {
  statement->placeholders = (uint32_t)(order->length / sizeof(uint32_t));
  if (statement->placeholders == 0) return ALCH_OK;
  statement->order = alch_allocate(statement->connection->allocator, order->length);
  if (!statement->order) {
    statement->placeholders = 0;
    return alch_error_out_of_memory(error);
  }
  memcpy(statement->order, order->text, order->length);
  for (uint32_t i = 0; i < statement->placeholders; i++)
    if (statement->order[i] + 1 > statement->count) statement->count = statement->order[i] + 1;
  return ALCH_OK;
}

static alch_status make_parameters(alch_driver_statement *statement, const alch_type *const *types, uint32_t count, alch_error *error) {
  const alch_allocator *allocator = statement->connection->allocator;
  SQLSMALLINT placeholders = 0;
  if (!statement->order) {
    /* a driver that cannot count them before they are bound is told how many there are */
    SQLRETURN code = statement->connection->library->SQLNumParams(statement->handle, &placeholders);
    statement->count = statement->placeholders = alch_odbc_succeeded(code) && placeholders >= 0 ? (uint32_t)placeholders : count;
  }
  if (statement->placeholders > 0 && !(statement->parameters = alch_allocate_zeroed(allocator, statement->placeholders * sizeof *statement->parameters))) return alch_error_out_of_memory(error);
  if (!types || count == 0) return ALCH_OK;
  statement->types = alch_allocate(allocator, count * sizeof *statement->types);
  if (!statement->types) return alch_error_out_of_memory(error);
  memcpy((void *)(uintptr_t)statement->types, (const void *)types, count * sizeof *types);
  statement->type_count = count;
  return ALCH_OK;
}

/* With a zero behind: drivers that are told a length take it for one of characters, which are fewer than the units where there are surrogates. */
static alch_status keep_text(alch_driver_statement *statement, const alch_buffer *text, alch_error *error) {
  const SQLWCHAR end = 0;
  size_t sound = alch_utf8_check(alch_buffer_text(text), text->length);
  if (sound < text->length) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement is not UTF-8 from byte %zu on", sound + 1);
  if (statement->connection->quirks->utf8_statements) alch_buffer_add_bytes(&statement->text, alch_buffer_text(text), text->length);
  else alch_odbc_widen(alch_buffer_text(text), text->length, &statement->text);
  alch_buffer_add_bytes(&statement->text, &end, sizeof end);
  return alch_buffer_failed(&statement->text) ? alch_error_out_of_memory(error) : ALCH_OK;
}

static alch_status prepare_text(alch_driver_statement *statement, const char *sql, size_t length, alch_error *error) {
  alch_buffer text, order;
  alch_driver_connection *connection = statement->connection;
  alch_buffer_init(&text, connection->allocator);
  alch_buffer_init(&order, connection->allocator);
  alch_status status = alch_odbc_scan(connection->quirks, sql, length, &text, &order, error);
  if (status == ALCH_OK) status = keep_text(statement, &text, error);
  if (status == ALCH_OK) status = keep_order(statement, &order, error);
  alch_buffer_close(&text);
  alch_buffer_close(&order);
  return status;
}

static alch_status fill_statement(alch_driver_statement *statement, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  char own[128];
  statement->control = (uint8_t)alch_odbc_control_of(connection->quirks, sql, length, own, sizeof own);
  if (statement->control != ALCH_ODBC_STATEMENT) return ALCH_OK;
  statement->returns = strcasestr(sql, "RETURNING") != NULL;
  statement->ends = strncasecmp(sql, "PREPARE TRANSACTION ", 20) == 0;
  statement->branch = (uint8_t)alch_odbc_branch_of(sql, length);
  statement->begins = strncmp(own, "SET TRANSACTION", 15) == 0;
  alch_status status = *own ? prepare_text(statement, own, strlen(own), error) : prepare_text(statement, sql, length, error);
  if (status != ALCH_OK) return status;
  if (!alch_odbc_succeeded(connection->library->SQLAllocHandle(SQL_HANDLE_STMT, connection->handle, &statement->handle))) return alch_odbc_fail(connection, SQL_HANDLE_DBC, connection->handle, error);
  status = prepare_handle(statement, error);
  return status == ALCH_OK ? make_parameters(statement, types, count, error) : status;
}

static alch_status odbc_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error) {
  *out = NULL;
  alch_driver_statement *statement = alch_allocate_zeroed(connection->allocator, sizeof *statement);
  if (!statement) return alch_error_out_of_memory(error);
  statement->connection = connection;
  statement->changes = -1;
  alch_buffer_init(&statement->text, connection->allocator);
  alch_buffer_init(&statement->wide, connection->allocator);
  alch_buffer_init(&statement->raw, connection->allocator);
  alch_buffer_init(&statement->cells, connection->allocator);
  alch_arena_init(&statement->columns_arena, connection->allocator);
  alch_status status = fill_statement(statement, sql, length, types, count, error);
  if (status == ALCH_OK) *out = statement;
  else odbc_finalize(statement);
  return status;
}

static uint32_t odbc_parameter_count(alch_driver_statement *statement) {
  return statement->count;
}

/* ---- executing ---- */

/* Counts come before rows where a trigger or a procedure counts first. */
static alch_status find_rows(alch_driver_statement *statement, alch_error *error) {
  const alch_odbc_library *library = statement->connection->library;
  SQLLEN changes = -1;
  if (alch_odbc_succeeded(library->SQLRowCount(statement->handle, &changes))) statement->changes = changes;
  if (statement->output_count > 0) return ALCH_OK;
  alch_status status = alch_odbc_describe(statement, true, error);
  while (status == ALCH_OK && statement->column_count == 0) {
    SQLRETURN code = library->SQLMoreResults(statement->handle);
    if (code == SQL_NO_DATA) break;
    status = alch_odbc_succeeded(code) ? alch_odbc_describe(statement, true, error) : alch_odbc_fail(statement->connection, SQL_HANDLE_STMT, statement->handle, error);
  }
  return status;
}

static alch_status execute(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  alch_status status = statement->epoch == connection->epoch ? ALCH_OK : prepare_handle(statement, error);
  if (status == ALCH_OK) status = alch_odbc_bind(statement, values, count, error);
  if (status != ALCH_OK) return status;
  statement->executed = true;
  alch_odbc_set_running(connection, statement->handle);
  SQLRETURN code = connection->library->SQLExecute(statement->handle);
  alch_odbc_set_running(connection, NULL);
  statement->failed = !alch_odbc_succeeded(code) && code != SQL_NO_DATA;
  return statement->failed ? alch_odbc_fail(connection, SQL_HANDLE_STMT, statement->handle, error) : find_rows(statement, error);
}

static void reset(alch_driver_statement *statement) {
  statement->changes = -1;
  statement->finished = false;
  statement->sets = NULL;
  statement->set_count = statement->set_next = 0;
}

static alch_status odbc_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  reset(statement);
  alch_status status = alch_odbc_leave_rolled_back(connection, error);
  if (status == ALCH_OK && statement->control != ALCH_ODBC_STATEMENT) return alch_odbc_control_run(connection, statement->control, error);
  if (status == ALCH_OK && statement->begins) status = alch_odbc_control_run(connection, ALCH_ODBC_BEGIN, error);
  if (status == ALCH_OK && statement->ends) status = alch_odbc_check_sound(connection, error);
  if (status == ALCH_OK) status = execute(statement, values, count, error);
  if (status == ALCH_OK && statement->branch != ALCH_ODBC_BRANCH_NONE) connection->in_branch = statement->branch == ALCH_ODBC_BRANCH_BEGINS;
  return status == ALCH_OK && statement->ends ? alch_odbc_control_run(connection, ALCH_ODBC_COMMIT, error) : status;
}

/* One result is all that a statement has here; a second with rows would otherwise be lost without a word. */
static alch_status end_of_rows(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  SQLSMALLINT columns = 0;
  SQLRETURN code;
  while (alch_odbc_succeeded(code = connection->library->SQLMoreResults(statement->handle))) {
    if (alch_odbc_succeeded(connection->library->SQLNumResultCols(statement->handle, &columns)) && columns > 0)
      return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "the statement gives a second result, and one is all that can be read: execute its statements one by one");
  }
  return code == SQL_NO_DATA ? ALCH_DONE : alch_odbc_fail(connection, SQL_HANDLE_STMT, statement->handle, error);
}

/* The sets of start_many that give rows: the next one. */
static alch_status next_set(alch_driver_statement *statement, alch_error *error) {
  int64_t before = statement->changes;
  alch_odbc_result_end(statement);
  statement->set_next++;
  alch_status status = execute(statement, statement->sets + (size_t)statement->set_next * statement->set_size, statement->set_size, error);
  if (before > 0 && statement->changes >= 0) statement->changes += before;
  return status;
}

/* What a failed set leaves behind must not be kept: the transaction is over. */
static alch_status sets_failed(alch_driver_statement *statement, alch_status status) {
  if (statement->set_count > 0 && status < 0) alch_odbc_give_up_transaction(statement->connection);
  return status;
}

static alch_status odbc_poll(alch_driver_statement *statement, alch_error *error) {
  while (statement->control == ALCH_ODBC_STATEMENT && !statement->finished) {
    alch_status status = statement->column_count > 0 ? alch_odbc_fetch(statement, error) : ALCH_DONE;
    if (status == ALCH_DONE && statement->column_count > 0) status = end_of_rows(statement, error);
    if (status != ALCH_DONE) return sets_failed(statement, status);
    statement->finished = statement->set_next + 1 >= statement->set_count;
    if (!statement->finished && next_set(statement, error) != ALCH_OK) return sets_failed(statement, ALCH_ERROR);
  }
  if (!statement->own_transaction) return ALCH_DONE;
  statement->own_transaction = false;
  alch_odbc_result_end(statement);
  return alch_odbc_control_run(statement->connection, ALCH_ODBC_COMMIT, error) == ALCH_OK ? ALCH_DONE : ALCH_ERROR;
}

/* MariaDB's driver keeps an answer half read when a table has changed under a prepared statement, and no further statement runs until its handle is gone. */
static void renew_handle(alch_driver_statement *statement) {
  const alch_odbc_library *library = statement->connection->library;
  library->SQLFreeHandle(SQL_HANDLE_STMT, statement->handle);
  if (!alch_odbc_succeeded(library->SQLAllocHandle(SQL_HANDLE_STMT, statement->connection->handle, &statement->handle))) statement->handle = NULL;
  statement->epoch = statement->connection->epoch - 1;   /* to be prepared again */
  statement->failed = false;
}

static void odbc_finish(alch_driver_statement *statement) {
  if (statement->executed) {
    alch_odbc_result_end(statement);
    statement->connection->library->SQLFreeStmt(statement->handle, SQL_RESET_PARAMS);
    if (statement->failed) renew_handle(statement);
  }
  if (statement->own_transaction) alch_odbc_control_run(statement->connection, ALCH_ODBC_ROLLBACK, NULL);
  statement->executed = statement->own_transaction = false;
}

/* ---- many sets ---- */

static alch_status run_text(alch_driver_connection *connection, const char *sql, alch_error *error) {
  char own[128];
  uint8_t control = (uint8_t)alch_odbc_control_of(connection->quirks, sql, strlen(sql), own, sizeof own);
  if (control != ALCH_ODBC_STATEMENT) return alch_odbc_control_run(connection, control, error);
  return alch_odbc_run(connection, *own ? own : sql, error);
}

/* All sets or none: in a transaction behind a savepoint, elsewhere in a transaction of their own. */
static alch_status run_sets(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  bool nested = alch_odbc_in_transaction(connection);
  alch_status status = run_text(connection, nested ? "SAVEPOINT alch_many" : "BEGIN", error);
  if (status != ALCH_OK) return status;
  status = statement->epoch == connection->epoch ? ALCH_OK : prepare_handle(statement, error);
  if (status == ALCH_OK) status = alch_odbc_execute_array(statement, values, count, sets, error);
  if (status == ALCH_OK) return run_text(connection, nested ? "RELEASE SAVEPOINT alch_many" : "COMMIT", error);
  /* when that fails as well, the transaction is over */
  if (run_text(connection, nested ? "ROLLBACK TO SAVEPOINT alch_many" : "ROLLBACK", NULL) != ALCH_OK) alch_odbc_give_up_transaction(connection);
  return status;
}

static alch_status odbc_start_many(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error) {
  SQLSMALLINT columns = 0;
  reset(statement);
  if (statement->control != ALCH_ODBC_STATEMENT || sets == 0) return alch_error_set(error, ALCH_ERROR_INTERFACE, "a statement without values cannot be run for many sets of them");
  if (!alch_odbc_succeeded(statement->connection->library->SQLNumResultCols(statement->handle, &columns))) columns = 0;
  bool array = statement->output_count == 0 && columns == 0 && !statement->returns && alch_odbc_fits_array(statement->connection->quirks, values, count, sets);
  if (alch_odbc_leave_rolled_back(statement->connection, error) != ALCH_OK) return ALCH_ERROR;
  if (array) {
    statement->column_count = 0;
    statement->finished = true;
    return run_sets(statement, values, count, sets, error);
  }
  if (!alch_odbc_in_transaction(statement->connection)) {
    if (alch_odbc_control_run(statement->connection, ALCH_ODBC_BEGIN, error) != ALCH_OK) return ALCH_ERROR;
    statement->own_transaction = true;
  }
  statement->sets = values;
  statement->set_count = sets;
  statement->set_size = count;
  return sets_failed(statement, execute(statement, values, count, error));
}

/* ---- what there is to know ---- */

static uint32_t odbc_column_count(alch_driver_statement *statement) {
  return statement->column_count;
}

static const char *odbc_column_name(alch_driver_statement *statement, uint32_t column) {
  return column < statement->column_count ? statement->columns[column].name : "";
}

static int64_t odbc_changes(alch_driver_statement *statement) {
  return statement->changes;
}

/* Also where the dialect has no word for it. */
static alch_status odbc_begin(alch_driver_connection *connection, const char **sql, alch_error *error) {
  (void)connection, (void)error;
  *sql = "BEGIN";
  return ALCH_OK;
}

/* Also those that are not ODBC there: of databases that are reached by it here. */
static const char *const python_drivers[] = { "pyodbc", "aioodbc", "pymssql", "oracledb", "cx_oracle", NULL };

extern const alch_driver alch_driver_odbc;

const alch_driver alch_driver_odbc = {
  .name = "odbc",
  .python = python_drivers,
  .check = alch_odbc_check,
  .connect = alch_odbc_connect,
  .connect_poll = odbc_connect_poll,
  .waits_for = odbc_waits_for,
  .close = alch_odbc_close,
  .ping = alch_odbc_ping,
  .prepare = odbc_prepare,
  .parameter_count = odbc_parameter_count,
  .outputs = alch_odbc_outputs,
  .finalize = odbc_finalize,
  .start = odbc_start,
  .start_many = odbc_start_many,
  .poll = odbc_poll,
  .row = alch_odbc_row,
  .finish = odbc_finish,
  .column_count = odbc_column_count,
  .column_name = odbc_column_name,
  .changes = odbc_changes,
  .last_insert_id = alch_odbc_last_key,
  .in_transaction = alch_odbc_in_transaction,
  .server = alch_odbc_server,
  .alive = alch_odbc_alive,
  .interrupt = alch_odbc_interrupt,
  .begin = odbc_begin,
};
