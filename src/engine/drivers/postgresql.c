/* PostgreSQL through libpq. Nothing here blocks but the look-up of names of hosts and interrupt.
   A statement is prepared by name with its first start, in the same round trip; its results come as text that first time, since only then their types are known, and in binary from then on where every type of
   them has such a form. A query, which may have many rows, asks for their types first, in a round trip of its own. Types that users
   have made are asked for when a connection meets them. A BEGIN travels with the first statement of its transaction. There is no last_insert_id: keys come by RETURNING. */
#include "engine/bulk.h"
#include "engine/drivers/postgresql_private.h"
#include "engine/message.h"
#include <string.h>
#include <strings.h>

/* ---- preparing ---- */

static const struct control_row {
  const char *text;
  alch_postgresql_control control;
  bool more;               /* something may stand behind it */
} controls[] = {
  { "BEGIN", ALCH_POSTGRESQL_BEGIN, true },       { "START TRANSACTION", ALCH_POSTGRESQL_BEGIN, true }, { "COMMIT", ALCH_POSTGRESQL_COMMIT, false },  { "ROLLBACK", ALCH_POSTGRESQL_ROLLBACK, false },
  { "ROLLBACK", ALCH_POSTGRESQL_DIRECT, true },   { "COMMIT", ALCH_POSTGRESQL_DIRECT, true },           { "SAVEPOINT", ALCH_POSTGRESQL_DIRECT, true }, { "RELEASE", ALCH_POSTGRESQL_DIRECT, true },
  { "PREPARE TRANSACTION", ALCH_POSTGRESQL_PREPARE, true },
  { "PREPARE", ALCH_POSTGRESQL_DIRECT, true },    { "CREATE", ALCH_POSTGRESQL_DIRECT, true },           { "ALTER", ALCH_POSTGRESQL_DIRECT, true },     { "DROP", ALCH_POSTGRESQL_DIRECT, true },
  { "DISCARD", ALCH_POSTGRESQL_DIRECT, true },    { "DEALLOCATE", ALCH_POSTGRESQL_DIRECT, true },       { "SET", ALCH_POSTGRESQL_DIRECT, true },       { "COMMENT", ALCH_POSTGRESQL_DIRECT, true },
  { "TRUNCATE", ALCH_POSTGRESQL_DIRECT, true },   { "LISTEN", ALCH_POSTGRESQL_DIRECT, true },           { "UNLISTEN", ALCH_POSTGRESQL_DIRECT, true },
};

static bool is_control(const struct control_row *row, const char *sql, size_t length) {
  size_t size = strlen(row->text);
  if (length < size || strncasecmp(sql, row->text, size) != 0) return false;
  return length == size || (row->more && (sql[size] == ' ' || sql[size] == '\n') && (row->control == ALCH_POSTGRESQL_DIRECT || !memchr(sql, ';', length)));
}

static uint8_t control_of(const char *sql, size_t length) {
  for (size_t i = 0; i < ALCH_COUNT(controls); i++)
    if (is_control(&controls[i], sql, length)) return (uint8_t)controls[i].control;
  return ALCH_POSTGRESQL_PLAIN;
}

static bool is_query(const char *sql, size_t length) {
  static const char *const words[] = { "SELECT", "WITH", "VALUES", "TABLE" };
  for (size_t i = 0; i < ALCH_COUNT(words); i++) {
    size_t size = strlen(words[i]);
    if (length > size && strncasecmp(sql, words[i], size) == 0) return true;
  }
  return false;
}

static void free_statement(alch_driver_statement *statement) {
  const alch_allocator *allocator = statement->connection->allocator;
  alch_postgresql_drop_results(statement);
  alch_error_close(&statement->failure);
  alch_buffer_close(&statement->scratch);
  alch_buffer_close(&statement->inside);
  if (statement->out) alch_postgresql_free_out(statement);
  alch_buffer_close(&statement->packed);
  alch_free(allocator, statement->results, statement->result_capacity * sizeof *statement->results);
  alch_free(allocator, statement->columns, statement->column_capacity * sizeof *statement->columns);
  alch_free(allocator, statement->unlearned, statement->unlearned_capacity * sizeof *statement->unlearned);
  alch_free(allocator, statement->bytes, statement->bytes_size);
  alch_free(allocator, statement->values, statement->capacity * sizeof *statement->values);
  alch_free(allocator, statement->lengths, statement->capacity * sizeof *statement->lengths);
  alch_free(allocator, statement->formats, statement->capacity * sizeof *statement->formats);
  alch_free(allocator, statement->declared, statement->count * 3 * sizeof *statement->declared);
  alch_free(allocator, statement->sql, statement->sql_size);
  alch_free(allocator, statement, sizeof *statement);
}

static alch_status fill_statement(alch_driver_statement *statement, const char *sql, size_t length, const alch_type *const *types, alch_error *error) {
  const alch_allocator *allocator = statement->connection->allocator;
  statement->sql = alch_allocate(allocator, length + 1);
  if (!statement->sql) return alch_error_out_of_memory(error);
  statement->sql_size = length + 1;
  memcpy(statement->sql, sql, length + 1);
  statement->control = statement->count == 0 ? control_of(sql, length) : ALCH_POSTGRESQL_PLAIN;
  statement->queries = is_query(sql, length);
  if (statement->count == 0) return ALCH_OK;
  statement->declared = alch_allocate(allocator, statement->count * 3 * sizeof *statement->declared);
  if (!statement->declared) return alch_error_out_of_memory(error);
  statement->types = statement->declared + statement->count;
  statement->arrays = statement->types + statement->count;
  for (uint32_t i = 0; i < statement->count; i++) statement->types[i] = statement->declared[i] = types ? alch_postgresql_type_number(types[i]) : PG_UNKNOWN;
  return ALCH_OK;
}

static alch_status check_text(const char *sql, size_t length, uint32_t count, alch_error *error) {
  if (memchr(sql, '\0', length)) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has a zero byte in it");
  if (count <= ALCH_POSTGRESQL_PARAMETERS) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has %u parameters, and PostgreSQL takes %d at most: send fewer rows at once, or an array", count, ALCH_POSTGRESQL_PARAMETERS);
}

alch_status alch_postgresql_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error) {
  *out = NULL;
  if (check_text(sql, length, count, error) != ALCH_OK) return ALCH_ERROR;
  alch_driver_statement *statement = alch_allocate_zeroed(connection->allocator, sizeof *statement);
  if (!statement) return alch_error_out_of_memory(error);
  statement->connection = connection;
  statement->changes = -1;
  alch_buffer_init(&statement->scratch, connection->allocator);
  alch_buffer_init(&statement->inside, connection->allocator);
  alch_buffer_init(&statement->packed, connection->allocator);
  alch_error_init(&statement->failure, connection->allocator);
  alch_postgresql_drop_results(statement);
  uint32_t wanted = count;
  statement->count = wanted;
  alch_status status = fill_statement(statement, sql, length, types, error);
  if (status == ALCH_OK) {
    *out = statement;
    return ALCH_OK;
  }
  statement->count = statement->declared ? wanted : 0;
  free_statement(statement);
  return status;
}

void alch_postgresql_finalize(alch_driver_statement *statement) {
  if (statement->out) alch_postgresql_end_out(statement);
  alch_postgresql_abandon(statement);
  alch_postgresql_leave_cursor(statement);
  alch_postgresql_forget(statement);
  free_statement(statement);
}

/* ---- executing ---- */

static alch_status keep_begin(alch_driver_connection *connection, const alch_driver_statement *statement, alch_error *error) {
  alch_free(connection->allocator, connection->begin, connection->begin_size);
  connection->begin = alch_allocate(connection->allocator, statement->sql_size);
  if (!connection->begin) return alch_error_out_of_memory(error);
  connection->begin_size = statement->sql_size;
  memcpy(connection->begin, statement->sql, statement->sql_size);
  return ALCH_OK;
}

/* A BEGIN that waits for its first statement, and its end without one, need no round trip. */
static bool is_local(const alch_driver_statement *statement) {
  const alch_driver_connection *connection = statement->connection;
  switch (statement->control) {
    case ALCH_POSTGRESQL_BEGIN: return !connection->in_transaction && !connection->begin && !connection->busy;
    case ALCH_POSTGRESQL_COMMIT: case ALCH_POSTGRESQL_ROLLBACK: return connection->begin && !connection->busy;
    default: return false;
  }
}

static alch_status run_locally(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  statement->phase = ALCH_POSTGRESQL_COMPLETE;
  if (statement->control == ALCH_POSTGRESQL_BEGIN) return keep_begin(connection, statement, error);
  alch_free(connection->allocator, connection->begin, connection->begin_size);
  connection->begin = NULL;
  return ALCH_OK;
}

static void reset(alch_driver_statement *statement) {
  alch_postgresql_abandon(statement);
  alch_postgresql_leave_cursor(statement);
  alch_postgresql_drop_results(statement);
  alch_error_close(&statement->failure);
  statement->phase = ALCH_POSTGRESQL_IDLE;
}

static alch_status lost(alch_error *error) {
  alch_error_set(error, ALCH_ERROR_OPERATIONAL, "the connection to the server is lost");
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

/* *ready: it is to be encoded and sent. */
static alch_status begin_start(alch_driver_statement *statement, uint32_t count, bool *ready, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  *ready = false;
  reset(statement);
  statement->changes = -1;
  statement->healed = false;
  if (connection->library->PQstatus(connection->handle) != CONNECTION_OK) return lost(error);
  if (alch_postgresql_refuse_beside_copy(connection, error) != ALCH_OK) return ALCH_ERROR;
  if (count != statement->count) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has %u parameters, and %u values are there for them", statement->count, count);
  if (is_local(statement)) return run_locally(statement, error);
  *ready = true;
  return ALCH_OK;
}

static alch_status send_or_queue(alch_driver_statement *statement, uint32_t sets, bool parse_again, alch_error *error) {
  if (parse_again) alch_postgresql_forget(statement);
  statement->sets = sets;
  if (ALCH_UNLIKELY(statement->stream_rows > 0)) alch_postgresql_choose_cursor(statement);
  statement->phase = ALCH_POSTGRESQL_QUEUED;
  if (!statement->connection->busy) return alch_postgresql_send(statement, error);
  alch_postgresql_send_behind(statement);
  return ALCH_OK;
}

static alch_status postgresql_start_many(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error) {
  bool changed, ready;
  alch_status status = begin_start(statement, count, &ready, error);
  if (!ready) return status;
  alch_postgresql_settle(statement, values, sets, &changed);
  if (alch_postgresql_encode(statement, values, sets, error) != ALCH_OK) return ALCH_ERROR;
  changed = changed || statement->arrayed;
  statement->arrayed = false;
  return send_or_queue(statement, sets, changed, error);
}

static alch_status postgresql_start_arrays(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, uint32_t shared, alch_error *error) {
  bool changed, ready;
  alch_status status = begin_start(statement, count, &ready, error);
  if (!ready) return status;
  alch_postgresql_settle(statement, values, sets, &changed);
  if (changed || (statement->arrayed && statement->shared != shared)) alch_postgresql_forget(statement);
  statement->shared = shared;
  status = alch_postgresql_encode_arrays(statement, values, sets, error);
  if (status != ALCH_OK) return status;
  changed = !statement->arrayed;
  statement->arrayed = true;
  return send_or_queue(statement, 1, changed, error);
}

alch_status alch_postgresql_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error) {
  return postgresql_start_many(statement, values, count, 1, error);
}

static void postgresql_ahead(alch_driver_statement *statement) {
  statement->ahead = true;
}

static void postgresql_stream(alch_driver_statement *statement, uint32_t rows) {
  statement->stream_rows = rows;
}

/* To the next row that is there; the result whose columns are told stays until another takes its place. */
static bool next_row(alch_driver_statement *statement) {
  const alch_libpq *library = statement->connection->library;
  while (statement->result_at < statement->result_count) {
    PGresult *result = statement->results[statement->result_at];
    if (statement->row < 0) statement->row_count = library->PQntuples(result);
    if (++statement->row < statement->row_count) return true;
    statement->row = -1;
    if (statement->result_at + 1 == statement->result_count) {
      statement->row = statement->row_count;
      break;
    }
    library->PQclear(result);
    statement->result_at++;
  }
  return false;
}

/* In a stream there is one result at a time: the one that was read goes when the next comes. */
static void make_room(alch_driver_statement *statement) {
  if (statement->stream_rows == 0 || statement->result_count == 0 || statement->row < statement->row_count) return;
  if (statement->spent) statement->connection->library->PQclear(statement->spent);
  statement->spent = statement->results[statement->result_at];
  statement->result_count = statement->result_at = 0;
  statement->row = -1;
}

alch_status alch_postgresql_poll(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  if (ALCH_UNLIKELY(statement->out != NULL) && alch_postgresql_copies_out(statement)) return alch_postgresql_poll_out(statement, error);
  for (;;) {
    bool readable = statement->phase == ALCH_POSTGRESQL_COMPLETE || (statement->phase == ALCH_POSTGRESQL_SENT && statement->stream_rows > 0);
    if (readable && !statement->failure.set && next_row(statement)) return ALCH_ROW;
    if (statement->phase == ALCH_POSTGRESQL_COMPLETE) {
      if (statement->failure.set) return alch_error_copy(error, &statement->failure);
      alch_status more = statement->cursor.rows > 0 ? alch_postgresql_next_piece(statement, error) : ALCH_DONE;
      if (more != ALCH_OK) return more;
      continue;
    }
    if (statement->phase == ALCH_POSTGRESQL_IDLE) return alch_error_set(error, ALCH_ERROR_INTERFACE, "the statement was not started");
    make_room(statement);
    bool queued = statement->phase == ALCH_POSTGRESQL_QUEUED && !connection->busy;
    alch_status status = queued ? alch_postgresql_send(statement, error) : alch_postgresql_pump(connection, error);
    if (status != ALCH_OK) return status;
  }
}

static void postgresql_finish(alch_driver_statement *statement) {
  if (statement->out) alch_postgresql_end_out(statement);
  reset(statement);
  alch_postgresql_drop_arrays(statement);
  statement->stream_rows = 0;
  statement->ahead = false;
}

static uint32_t postgresql_column_count(alch_driver_statement *statement) {
  if (alch_postgresql_gives_lines(statement)) return 1;
  return statement->shape ? statement->column_count : 0;
}

static const char *postgresql_column_name(alch_driver_statement *statement, uint32_t column) {
  if (alch_postgresql_gives_lines(statement)) return "line";
  const char *name = statement->shape ? statement->connection->library->PQfname(statement->shape, (int)column) : NULL;
  return name ? name : "";
}

static int64_t postgresql_changes(alch_driver_statement *statement) {
  return statement->changes;
}

static bool postgresql_in_transaction(alch_driver_connection *connection) {
  return connection->in_transaction || connection->begin;
}

static const char *const python_drivers[] = { "psycopg2", "psycopg", "psycopg2cffi", "psycopg_async", "asyncpg", "pg8000", "pygresql", NULL };

/* Keys that a sequence makes, and nothing else: the default of the column is the next value of an ascending sequence that does not begin again, or the column is an identity of such, in a table without rules,
   partitions and triggers that could change the row before it is written. An INSERT whose rows come from a query with an order draws them in that order
   (https://www.postgresql.org/docs/current/sql-insert.html, https://www.postgresql.org/message-id/29386.1528813619@sss.pgh.pa.us). */
#define SEQUENCE_OF_DEFAULT "d.objid = f.oid AND d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.refobjid = s.seqrelid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass " \
                            "AND pg_catalog.pg_get_expr(f.adbin, f.adrelid) ~ '^nextval[(]''[^'']+''::regclass[)]$'"
#define SEQUENCE_OF_IDENTITY "d.objid = s.seqrelid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass " \
                             "AND d.refobjsubid = a.attnum AND d.deptype = 'i' AND a.attidentity IN ('a', 'd')"
#define SCATTERS \
  "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace " \
  "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = CAST(:column AS pg_catalog.text) AND NOT a.attisdropped " \
  "LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum " \
  "JOIN pg_catalog.pg_depend d ON d.objid = f.oid OR (d.refobjid = c.oid AND d.refobjsubid = a.attnum) " \
  "JOIN pg_catalog.pg_sequence s ON (" SEQUENCE_OF_DEFAULT ") OR (" SEQUENCE_OF_IDENTITY ") " \
  "WHERE c.relname = CAST(:table AS pg_catalog.text) AND c.relkind = 'r' AND NOT c.relhasrules AND s.seqincrement > 0 AND NOT s.seqcycle " \
  "AND (n.nspname = CAST(:schema AS pg_catalog.text) OR (CAST(:schema AS pg_catalog.text) IS NULL AND pg_catalog.pg_table_is_visible(c.oid))) " \
  "AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 7 = 7))"

#define RECORD(symbol, word) \
  extern const alch_driver alch_driver_##symbol; \
  const alch_driver alch_driver_##symbol = { \
    .name = word, \
    .dialect = "postgresql", \
    .python = python_drivers, \
    .scatters_keys = SCATTERS, \
    .check = alch_postgresql_check, \
    .connect = alch_postgresql_connect, \
    .connect_poll = alch_postgresql_connect_poll, \
    .waits_for = alch_postgresql_waits_for, \
    .close = alch_postgresql_close, \
    .ping = alch_postgresql_ping, \
    .abandon = alch_postgresql_abandon_connection, \
    .prepare = alch_postgresql_prepare, \
    .finalize = alch_postgresql_finalize, \
    .stream = postgresql_stream, \
    .ahead = postgresql_ahead, \
    .start = alch_postgresql_start, \
    .start_many = postgresql_start_many, \
    .start_arrays = postgresql_start_arrays, \
    .poll = alch_postgresql_poll, \
    .row = alch_postgresql_row, \
    .cells = alch_postgresql_cells, \
    .finish = postgresql_finish, \
    .column_count = postgresql_column_count, \
    .column_name = postgresql_column_name, \
    .changes = postgresql_changes, \
    .in_transaction = postgresql_in_transaction, \
    .alive = alch_postgresql_alive, \
    .server = alch_postgresql_server, \
    .interrupt = alch_postgresql_interrupt, \
    .interruption = alch_postgresql_interruption, \
    .bulk = &alch_postgresql_bulk, \
    .messages = &alch_postgresql_messages, \
  }

RECORD(postgresql, "postgresql");
RECORD(postgresql_libpq, "libpq");
