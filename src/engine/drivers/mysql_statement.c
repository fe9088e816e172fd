/* Statements: sent as text where they give no rows and take no values, prepared on the server else; rows come all at once, through a cursor in pieces, or one by one as they are read. */
#include "engine/drivers/mysql_private.h"
#include <string.h>
#include <strings.h>

enum { UNPREPARABLE = 1295 };

/* Statements that never give rows. MySQL does not prepare all of them. */
static const char *const plain_words[] = {
  "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "CREATE", "DROP", "ALTER", "TRUNCATE", "RENAME", "GRANT", "REVOKE", "USE", "LOCK", "UNLOCK", NULL
};
static const char *const insert_words[] = { "INSERT", NULL };
static const char *const query_words[] = { "SELECT", "WITH", "VALUES", "TABLE", NULL };

static bool begins_with(const char *sql, size_t length, const char *const *words) {
  size_t from = 0, size = 0;
  while (from < length && strchr(" \t\r\n(", sql[from])) from++;
  while (from + size < length && ((sql[from + size] | 0x20) >= 'a' && (sql[from + size] | 0x20) <= 'z')) size++;
  for (; *words; words++)
    if (strlen(*words) == size && strncasecmp(*words, sql + from, size) == 0) return true;
  return false;
}

/* ---- handles ---- */

void alch_mysql_statement_free(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  const alch_allocator *allocator = connection->allocator;
  if (statement->older) statement->older->newer = statement->newer;
  *(statement->newer ? &statement->newer->older : &connection->statements) = statement->older;
  if (statement->handle) connection->library->mysql_stmt_close(statement->handle);
  alch_free(allocator, statement->columns, statement->column_capacity * sizeof *statement->columns);
  alch_free(allocator, statement->binds, statement->bind_capacity * sizeof *statement->binds);
  alch_free(allocator, statement->times, statement->bind_capacity * sizeof *statement->times);
  alch_free(allocator, statement->lengths, statement->bind_capacity * sizeof *statement->lengths);
  alch_buffer_close(&statement->scratch);
  alch_buffer_close(&statement->kept);
  alch_error_close(&statement->failure);
  alch_free(allocator, statement->sql, statement->sql_length + 1);
  alch_free(allocator, statement, sizeof *statement);
}

alch_status alch_mysql_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error) {
  (void)types;
  *out = NULL;
  if (memchr(sql, '\0', length)) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has a zero byte in it");
  if (count > ALCH_MYSQL_PARAMETERS) return alch_error_set(error, ALCH_ERROR_DATA, "a statement takes at most %d parameters, and %u are there: write fewer rows at a time", ALCH_MYSQL_PARAMETERS, count);
  alch_driver_statement *statement = alch_allocate_zeroed(connection->allocator, sizeof *statement);
  if (!statement) return alch_error_out_of_memory(error);
  statement->connection = connection;
  statement->older = connection->statements;
  if (statement->older) statement->older->newer = statement;
  connection->statements = statement;
  statement->sql_length = length;
  statement->changes = -1;
  statement->plain = count == 0 && begins_with(sql, length, plain_words);
  statement->inserts = begins_with(sql, length, insert_words);
  statement->reads = begins_with(sql, length, query_words);
  alch_buffer_init(&statement->scratch, connection->allocator);
  alch_buffer_init(&statement->kept, connection->allocator);
  alch_error_init(&statement->failure, connection->allocator);
  statement->sql = alch_allocate(connection->allocator, length + 1);
  if (statement->sql && !statement->plain) statement->handle = connection->library->mysql_stmt_init(connection->handle);
  if (!statement->sql || (!statement->plain && !statement->handle)) {
    alch_mysql_statement_free(statement);
    return alch_error_out_of_memory(error);
  }
  memcpy(statement->sql, sql, length);
  statement->sql[length] = '\0';
  *out = statement;
  return ALCH_OK;
}

/* While a call is under way, or rows are being read, nothing else may be said to the server. */
void alch_mysql_finalize(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  alch_mysql_leave_line(statement);
  if (connection->current == statement) connection->current = NULL;
  if (connection->flowing == statement) connection->dropped = statement;
  if (connection->dropped == statement) {
    connection->dropped_closed = true;
  } else if (connection->call != ALCH_MYSQL_NONE || connection->flowing) {
    statement->next = connection->closing;
    connection->closing = statement;
  } else {
    alch_mysql_statement_free(statement);
  }
}

/* ---- executing, from phase to phase ---- */

/* Of many sets all happen or none: what those before have done is undone, unless there is no connection for it. */
static alch_status fail(alch_driver_statement *statement, alch_error *error) {
  if (statement->sets > 0 && statement->phase != ALCH_MYSQL_UNDOING && statement->phase > ALCH_MYSQL_PREPARING) {
    alch_mysql_fail(statement->connection, statement, error);
    if (!statement->connection->gone && !statement->connection->rolled_back) {
      statement->phase = ALCH_MYSQL_UNDOING;
      return ALCH_OK;
    }
  }
  statement->phase = ALCH_MYSQL_COMPLETE;
  if (statement->connection->current == statement) statement->connection->current = NULL;
  alch_mysql_fail(statement->connection, statement->plain ? NULL : statement, error);
  if (statement->connection->flowing == statement) alch_mysql_flow_end(statement->connection);
  return ALCH_ERROR;
}

static alch_status complete(alch_driver_statement *statement) {
  bool flowing = statement->connection->flowing == statement;
  if (flowing) alch_mysql_note_flow_warnings(statement);
  else alch_mysql_note_warnings(statement);
  statement->phase = ALCH_MYSQL_COMPLETE;
  statement->current = false;
  if (statement->connection->current == statement) statement->connection->current = NULL;
  if (flowing) alch_mysql_flow_end(statement->connection);
  return ALCH_DONE;
}

/* Whatever became of the way back, what is told is why it was gone. */
static alch_status undone(alch_driver_statement *statement, alch_error *error) {
  return fail(statement, error);
}

static alch_status bind(alch_driver_statement *statement, alch_error *error) {
  if (statement->sets > 0 && statement->set == 0 && alch_mysql_bind_sets(statement, &statement->bulk, error) != ALCH_OK) return ALCH_ERROR;
  if (statement->bulk) return ALCH_OK;
  return alch_mysql_unbind_sets(statement, error) == ALCH_OK ? alch_mysql_bind_values(statement, error) : ALCH_ERROR;
}

static alch_status to_first_call(alch_driver_statement *statement, alch_error *error) {
  statement->phase = statement->plain ? ALCH_MYSQL_ASKING : statement->prepared ? ALCH_MYSQL_EXECUTING : ALCH_MYSQL_PREPARING;
  return statement->phase == ALCH_MYSQL_EXECUTING ? bind(statement, error) : ALCH_OK;
}

static alch_status saved(alch_driver_statement *statement, alch_error *error) {
  if (statement->connection->answer.number != 0) {
    statement->phase = ALCH_MYSQL_COMPLETE;
    return alch_mysql_fail(statement->connection, NULL, error);
  }
  return to_first_call(statement, error);
}

/* After a set: the next one, or the end. */
static alch_status end_set(alch_driver_statement *statement, alch_error *error) {
  if (statement->bulk || statement->set + 1 >= statement->sets) return complete(statement);
  statement->set++;
  statement->current = false;
  statement->phase = ALCH_MYSQL_EXECUTING;
  return bind(statement, error);
}

static void add_changes(alch_driver_statement *statement, unsigned long long changes) {
  statement->changes = (statement->changes < 0 ? 0 : statement->changes) + (int64_t)changes;
}

static alch_status leave_queue(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  alch_status status = alch_mysql_make_way(connection, statement, error);
  if (status != ALCH_OK) return status;
  if (connection->current)
    return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the results of a CALL are still being read on this connection: read them to the end, or close them, before the next statement");
  if (statement->sets == 0) return to_first_call(statement, error);
  statement->phase = ALCH_MYSQL_SAVING;
  return ALCH_OK;
}

static alch_status asked(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  if (connection->answer.number != 0) return fail(statement, error);
  connection->rolled_back = false;
  statement->changes = (int64_t)connection->library->mysql_affected_rows(connection->handle);
  statement->last_insert_id = (int64_t)connection->library->mysql_insert_id(connection->handle);
  return complete(statement);
}

static alch_status set_cursor(alch_driver_statement *statement, alch_error *error) {
  const alch_libmariadb *library = statement->connection->library;
  unsigned long kind = statement->stream_rows > 0 && statement->reads ? CURSOR_TYPE_READ_ONLY : CURSOR_TYPE_NO_CURSOR, rows = statement->stream_rows;
  bool failed = library->mysql_stmt_attr_set(statement->handle, STMT_ATTR_CURSOR_TYPE, &kind) != 0;
  if (kind == CURSOR_TYPE_READ_ONLY) failed = failed || library->mysql_stmt_attr_set(statement->handle, STMT_ATTR_PREFETCH_ROWS, &rows) != 0;
  return failed ? fail(statement, error) : ALCH_OK;
}

static alch_status was_prepared(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  if (connection->answer.number != 0) {
    if (connection->library->mysql_stmt_errno(statement->handle) != UNPREPARABLE || statement->count > 0) return fail(statement, error);
    statement->plain = true;
    statement->phase = ALCH_MYSQL_ASKING;
    return ALCH_OK;
  }
  statement->prepared = true;
  statement->phase = ALCH_MYSQL_EXECUTING;
  return bind(statement, error);
}

static bool sends_pieces(const alch_driver_statement *statement) {
  return statement->stream_rows > 0 && statement->reads && (alch_mysql_server_status(statement->connection) & SERVER_STATUS_CURSOR_EXISTS) != 0;
}

static alch_status renew(alch_driver_statement *statement, alch_error *error) {
  if (statement->renewed || !statement->reads) {
    statement->prepared = false;   /* by the next start */
    return fail(statement, error);
  }
  statement->renewed = true;
  statement->phase = ALCH_MYSQL_RENEWING;
  return ALCH_OK;
}

/* A server before MariaDB 10.2, which the library finds out before it sends anything; or it does not take this statement so. */
static alch_status one_by_one(alch_driver_statement *statement, alch_error *error) {
  statement->bulk = false;
  statement->set = 0;
  return alch_mysql_unbind_sets(statement, error) == ALCH_OK ? alch_mysql_bind_values(statement, error) : ALCH_ERROR;
}

static alch_status execution_failed(alch_driver_statement *statement, alch_error *error) {
  unsigned int code = statement->connection->library->mysql_stmt_errno(statement->handle);
  if (code == CR_NEW_STMT_METADATA) return renew(statement, error);
  bool unsupported = code == CR_BULK_UNSUPPORTED || (code == UNPREPARABLE && statement->inserts);
  return unsupported && statement->bulk ? one_by_one(statement, error) : fail(statement, error);
}

static alch_status executed(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  const alch_libmariadb *library = connection->library;
  if (connection->answer.number != 0) return execution_failed(statement, error);
  connection->rolled_back = false;
  statement->last_insert_id = (int64_t)library->mysql_stmt_insert_id(statement->handle);
  if (library->mysql_stmt_field_count(statement->handle) == 0) {
    statement->column_count = 0;
    add_changes(statement, library->mysql_stmt_affected_rows(statement->handle));
    return end_set(statement, error);
  }
  if (alch_mysql_bind_columns(statement, error) != ALCH_OK) return ALCH_ERROR;
  if (statement->flows && statement->reads && statement->stream_rows == 0 && !statement->had_cursor) {
    alch_mysql_flow_begin(statement);
    statement->phase = ALCH_MYSQL_FLOWING;
    return ALCH_OK;
  }
  statement->phase = sends_pieces(statement) ? ALCH_MYSQL_PIECES : ALCH_MYSQL_STORING;
  statement->had_cursor = statement->had_cursor || statement->phase == ALCH_MYSQL_PIECES;
  /* where a cursor was asked for and not given, the library has stored the result already */
  if (statement->phase == ALCH_MYSQL_STORING && statement->stream_rows > 0 && statement->reads) {
    library->mysql_stmt_data_seek(statement->handle, 0);
    statement->phase = ALCH_MYSQL_ROWS;
  }
  return ALCH_OK;
}

/* When the server fails in the middle of its rows, the library has no result to free, and freeing it would have the next execution wait for rows that never come. */
alch_status alch_mysql_stored(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  if (connection->answer.number != 0) {
    statement->column_count = 0;
    return fail(statement, error);
  }
  if (connection->flowing == statement) alch_mysql_flow_end(connection);
  if (!statement->reads) add_changes(statement, connection->library->mysql_stmt_num_rows(statement->handle));
  if (connection->library->mysql_stmt_more_results(statement->handle)) connection->current = statement;
  statement->phase = ALCH_MYSQL_ROWS;
  return ALCH_OK;
}

/* The next row of what is here, or of the next piece. */
static alch_status fetched(alch_driver_statement *statement, int answer, alch_error *error) {
  const alch_libmariadb *library = statement->connection->library;
  statement->current = answer == 0 || answer == MYSQL_DATA_TRUNCATED;
  if (statement->current) return statement->phase != ALCH_MYSQL_FLOWING || alch_mysql_keep_row(statement, error) == ALCH_OK ? ALCH_ROW : ALCH_ERROR;
  if (answer != MYSQL_NO_DATA) return fail(statement, error);
  if (!library->mysql_stmt_more_results(statement->handle)) return end_set(statement, error);
  statement->phase = ALCH_MYSQL_REST;
  return ALCH_OK;
}

/* A further result; -1 means that there is none. */
static alch_status went_on(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  if (connection->answer.number > 0) return fail(statement, error);
  if (connection->answer.number == 0 && connection->library->mysql_stmt_field_count(statement->handle) > 0) statement->phase = ALCH_MYSQL_REST_ROWS;
  else if (!connection->library->mysql_stmt_more_results(statement->handle)) return complete(statement);
  return ALCH_OK;
}

static alch_status read_away(alch_driver_statement *statement) {
  if (!statement->connection->library->mysql_stmt_more_results(statement->handle)) return complete(statement);
  statement->phase = ALCH_MYSQL_REST;
  return ALCH_OK;
}

typedef struct phase_row {
  alch_mysql_call call;
  alch_status (*then)(alch_driver_statement *statement, alch_error *error);
} phase_row;

static alch_status fetched_piece(alch_driver_statement *statement, alch_error *error) { return fetched(statement, statement->connection->answer.number, error); }
static alch_status was_read_away(alch_driver_statement *statement, alch_error *error) { (void)error; return read_away(statement); }
static alch_status may_renew(alch_driver_statement *statement, alch_error *error) { (void)error; statement->phase = ALCH_MYSQL_PREPARING; return ALCH_OK; }

/* What each phase calls, and what is then to be done. */
static const phase_row phases[] = {
  [ALCH_MYSQL_ASKING] = { ALCH_MYSQL_QUERY, asked },
  [ALCH_MYSQL_SAVING] = { ALCH_MYSQL_SAVE, saved },
  [ALCH_MYSQL_UNDOING] = { ALCH_MYSQL_UNDO, undone },
  [ALCH_MYSQL_PREPARING] = { ALCH_MYSQL_PREPARE, was_prepared },
  [ALCH_MYSQL_EXECUTING] = { ALCH_MYSQL_EXECUTE, executed },
  [ALCH_MYSQL_RENEWING] = { ALCH_MYSQL_FREE, may_renew },
  [ALCH_MYSQL_STORING] = { ALCH_MYSQL_STORE, alch_mysql_stored },
  [ALCH_MYSQL_PIECES] = { ALCH_MYSQL_FETCH, fetched_piece },
  [ALCH_MYSQL_FLOWING] = { ALCH_MYSQL_FETCH, fetched_piece },
  [ALCH_MYSQL_REST] = { ALCH_MYSQL_NEXT, went_on },
  [ALCH_MYSQL_REST_ROWS] = { ALCH_MYSQL_FREE, was_read_away },
};

/* Does the statement's own call go on, or is it to begin? In the second case nobody else's may be under way. */
alch_status alch_mysql_step(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  const phase_row *row = &phases[statement->phase];
  if (statement->phase == ALCH_MYSQL_QUEUED) return leave_queue(statement, error);
  if (statement->phase == ALCH_MYSQL_BROKEN) return fail(statement, error);
  if (statement->phase == ALCH_MYSQL_FAILED) return alch_error_copy(error, &statement->failure);
  if (connection->call == ALCH_MYSQL_NONE && connection->dropped) {
    alch_status settled = alch_mysql_settle(connection);
    if (settled != ALCH_OK) return settled;
  }
  if (connection->call != ALCH_MYSQL_NONE && connection->caller != statement) {
    alch_status settled = alch_mysql_settle(connection);
    if (settled != ALCH_OK) return settled;
  }
  if (statement->phase == ALCH_MYSQL_EXECUTING && connection->call == ALCH_MYSQL_NONE && statement->reads && set_cursor(statement, error) != ALCH_OK) return ALCH_ERROR;
  alch_status status = alch_mysql_advance(connection, row->call, statement);
  return status == ALCH_OK ? row->then(statement, error) : status;
}

alch_status alch_mysql_drive(alch_driver_statement *statement, alch_error *error) {
  alch_status status = ALCH_OK;
  while (status == ALCH_OK && statement->phase != ALCH_MYSQL_ROWS && statement->phase != ALCH_MYSQL_COMPLETE) status = alch_mysql_step(statement, error);
  if (status < 0) statement->phase = ALCH_MYSQL_COMPLETE;
  return status;
}

alch_status alch_mysql_start_many(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error) {
  if (statement->connection->gone) {
    alch_error_set(error, ALCH_ERROR_OPERATIONAL, "the connection to the server is lost");
    if (error) error->disconnected = true;
    return ALCH_ERROR;
  }
  statement->values = values;
  statement->count = count;
  statement->sets = sets;
  statement->set = 0;
  statement->bulk = false;
  statement->changes = -1;
  statement->last_insert_id = 0;
  statement->column_count = 0;
  statement->held = ALCH_MYSQL_IDLE;
  statement->current = statement->renewed = false;
  statement->phase = ALCH_MYSQL_QUEUED;
  alch_mysql_line_up(statement);
  return ALCH_OK;
}

alch_status alch_mysql_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error) {
  return alch_mysql_start_many(statement, values, count, 0, error);
}

alch_status alch_mysql_poll(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  if (connection->flowing && connection->flowing != statement && statement->phase != ALCH_MYSQL_COMPLETE) {
    alch_status status = alch_mysql_make_way(connection, statement, error);
    if (status != ALCH_OK) return status;
  }
  alch_status status = ALCH_OK;
  while (status == ALCH_OK) {
    status = statement->phase == ALCH_MYSQL_COMPLETE ? ALCH_DONE : alch_mysql_drive(statement, error);
    if (statement->ahead && status != ALCH_WAIT && alch_mysql_pass_on(statement, status < 0) == ALCH_WAIT) return ALCH_WAIT;
    if (status == ALCH_OK && statement->phase == ALCH_MYSQL_ROWS) status = fetched(statement, connection->library->mysql_stmt_fetch(statement->handle), error);
  }
  if (status == ALCH_DONE) connection->last_insert_id = statement->last_insert_id;
  return status;
}

/* The library takes a stored result whose rows are all read for one that it still has to read, so it is read to its end here. */
void alch_mysql_free_rows(alch_driver_statement *statement) {
  const alch_libmariadb *library = statement->connection->library;
  if (!statement->handle || statement->column_count == 0 || statement->connection->call != ALCH_MYSQL_NONE || statement->connection->gone) return;
  if ((statement->held ? statement->held : (uint8_t)statement->phase) == ALCH_MYSQL_ROWS) {
    library->mysql_stmt_data_seek(statement->handle, UINT64_MAX);
    library->mysql_stmt_fetch(statement->handle);
  }
  library->mysql_stmt_free_result(statement->handle);
}

void alch_mysql_finish(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  alch_mysql_leave_line(statement);
  bool calling = connection->call != ALCH_MYSQL_NONE && connection->caller == statement && connection->dropped != statement;
  bool more = connection->current == statement || connection->flowing == statement;
  if (calling || more) connection->dropped = statement;
  else if (!alch_mysql_hold(statement)) alch_mysql_free_rows(statement);
  if (connection->current == statement) connection->current = NULL;
  statement->phase = ALCH_MYSQL_IDLE;
  statement->current = false;
  statement->stream_rows = 0;
  statement->flows = false;
  statement->values = NULL;
  if (ALCH_UNLIKELY(statement->failure.set)) alch_error_close(&statement->failure);
  alch_mysql_release(connection);
}
