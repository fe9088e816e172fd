/* Round trips. The connection is always in the library's pipeline mode: what a statement needs (statements that may be forgotten, a BEGIN, its Parse, Bind and Execute) goes out at once, with one Sync behind it,
   and the answers come in the same order (https://www.postgresql.org/docs/current/libpq-pipeline-mode.html).
   A query that is new to the server takes two: what its columns are is asked with the Parse, so that all of its rows can come in binary.
   Within a transaction a second round trip may go out before the first is answered. When the first fails so does the second, since its transaction has: that is why it needs one, and why a round trip that
   may have to be sent again (it begins the transaction, or asks what its columns are) is not followed but by what waits for its success. */
#include "engine/drivers/postgresql_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENT_NAME ALCH_POSTGRESQL_NAMES "%08x_%llu"   /* of the connection and of the statement */
#define SETS_AT_ONCE 256    /* before the socket is looked at again */
#define DESCRIBED_PARAMETERS 5000  /* libpq takes no description of parameters that is longer than 30,000 bytes */

/* ---- sending ---- */

static alch_status send_command(alch_driver_connection *connection, const char *sql, alch_error *error) {
  if (connection->library->PQsendQueryParams(connection->handle, sql, 0, NULL, NULL, NULL, NULL, 0) != 1) return alch_postgresql_fail_connection(connection, NULL, error);
  connection->leading++;
  return ALCH_OK;
}

/* Only where no transaction is open: a name that the server has not got any more (DISCARD ALL) would end it. With a Sync of their own: a BEGIN that says its level must be the first of its
   transaction, and what stands before a Sync is one. */
static alch_status send_forgotten(alch_driver_connection *connection, alch_error *error) {
  alch_status status = ALCH_OK;
  if (connection->in_transaction || connection->forgotten_count == 0) return ALCH_OK;
  for (uint32_t i = 0; i < connection->forgotten_count && status == ALCH_OK; i++) {
    char sql[64];
    snprintf(sql, sizeof sql, "DEALLOCATE " STATEMENT_NAME, connection->salt, (unsigned long long)connection->forgotten[i]);
    status = send_command(connection, sql, error);
  }
  connection->forgotten_count = 0;
  connection->clearing = true;
  if (status == ALCH_OK && connection->library->PQpipelineSync(connection->handle) != 1) status = alch_postgresql_fail_connection(connection, NULL, error);
  return status;
}

static alch_status send_begin(alch_driver_connection *connection, alch_error *error) {
  if (!connection->begin) return ALCH_OK;
  alch_status status = send_command(connection, connection->begin, error);
  connection->began = connection->in_transaction = true;
  return status;
}

static alch_status send_parse(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  bool plain = statement->control == ALCH_POSTGRESQL_PLAIN, named = !connection->nameless || statement->cursor.rows == 0;
  statement->parses = !statement->known && plain && named;
  statement->describes = statement->parses && statement->queries && statement->count <= DESCRIBED_PARAMETERS && !alch_postgresql_copies_out(statement) && !connection->nameless;
  if (!statement->parses) return ALCH_OK;
  statement->number = ++connection->last_number;
  if (connection->nameless) *statement->name = '\0';   /* it lasts until the next one like it */
  else snprintf(statement->name, sizeof statement->name, STATEMENT_NAME, connection->salt, (unsigned long long)statement->number);
  bool sent = connection->library->PQsendPrepare(connection->handle, statement->name, statement->sql, (int)statement->count, statement->arrayed ? statement->arrays : statement->types) == 1;
  sent = sent && (!statement->describes || connection->library->PQsendDescribePrepared(connection->handle, statement->name) == 1);
  return sent ? ALCH_OK : alch_postgresql_fail_connection(connection, NULL, error);
}

static alch_status send_set(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  size_t at = (size_t)statement->sets_sent * statement->count;
  bool none = statement->count == 0;
  if (statement->sets_sent++ == 0) statement->asks_binary = statement->binary;
  if (statement->control != ALCH_POSTGRESQL_PLAIN) {
    bool sent = connection->library->PQsendQueryParams(connection->handle, statement->sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
    return sent ? ALCH_OK : alch_postgresql_fail_connection(connection, NULL, error);
  }
  if (statement->out && alch_postgresql_copies_out(statement)) {
    bool sent = connection->library->PQsendDescribePrepared(connection->handle, statement->name) == 1;
    return sent ? ALCH_OK : alch_postgresql_fail_connection(connection, NULL, error);
  }
  if (statement->cursor.rows > 0) return alch_postgresql_send_fetch(statement, error);
  if (connection->library->PQsendQueryPrepared(connection->handle, statement->name, (int)statement->count, none ? NULL : statement->values + at, none ? NULL : statement->lengths + at,
                                               none ? NULL : statement->formats + at, statement->asks_binary) != 1)
    return alch_postgresql_fail_connection(connection, NULL, error);
  return ALCH_OK;
}

static alch_status flush(alch_driver_connection *connection, alch_error *error) {
  int left = connection->library->PQflush(connection->handle);
  connection->flushing = left > 0;
  return left < 0 ? alch_postgresql_fail_connection(connection, NULL, error) : ALCH_OK;
}

static alch_status send_sync(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  statement->synced = true;
  if (connection->library->PQpipelineSync(connection->handle) != 1) return alch_postgresql_fail_connection(connection, NULL, error);
  return flush(connection, error);
}

/* As many sets as go out without waiting. After a failure the rest would be passed over. */
static alch_status send_sets(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  alch_status status = ALCH_OK;
  while (!statement->synced && !connection->flushing && status == ALCH_OK) {
    for (int i = 0; i < SETS_AT_ONCE && statement->sets_sent < statement->sets && !statement->failure.set && status == ALCH_OK; i++) status = send_set(statement, error);
    if (status != ALCH_OK) return status;
    if (statement->sets_sent == statement->sets || statement->failure.set) status = send_sync(statement, error);
    else status = flush(connection, error);
  }
  return status;
}

/* Rows one by one (or in pieces), when the results that come next are the statement's; without it they come whole, which is right as well. */
static void ask_for_stream(alch_driver_connection *connection) {
  const alch_libpq *library = connection->library;
  alch_driver_statement *statement = connection->current;
  if (!statement || statement->stream_rows == 0 || statement->describes || statement->learns || connection->answered < connection->leading + statement->parses) return;
  if (library->PQsetChunkedRowsMode) library->PQsetChunkedRowsMode(connection->handle, (int)statement->stream_rows);
  else library->PQsetSingleRowMode(connection->handle);
}

static void forget_begin(alch_driver_connection *connection) {
  alch_free(connection->allocator, connection->begin, connection->begin_size);
  connection->begin = NULL;
}

/* A round trip that could not be sent whole leaves the connection in no known state. */
static alch_status broken(alch_driver_connection *connection, alch_error *error) {
  connection->busy = false;
  connection->current = connection->behind = NULL;
  connection->in_transaction = false;
  forget_begin(connection);
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

static alch_status close_cursors(alch_driver_connection *connection, alch_error *error) {
  bool sent;
  connection->leading += alch_postgresql_close_cursors(connection, &sent);
  return sent ? ALCH_OK : alch_postgresql_fail_connection(connection, NULL, error);
}

static alch_status send_own(alch_driver_statement *statement, alch_error *error) {
  statement->learns = statement->unlearned_count > 0;
  statement->parses = statement->describes = false;
  alch_status status = statement->learns ? alch_postgresql_ask_for_types(statement, error) : send_parse(statement, error);
  if (status != ALCH_OK) return status;
  return statement->learns || statement->describes ? send_sync(statement, error) : send_sets(statement, error);
}

alch_status alch_postgresql_send(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  connection->leading = connection->answered = 0;
  connection->began = false;
  statement->sets_sent = 0;
  statement->synced = statement->stale = statement->cursor.declares = false;
  connection->busy = true;
  connection->current = statement;
  statement->phase = ALCH_POSTGRESQL_SENT;
  alch_status status = connection->rolled_back ? send_command(connection, "ROLLBACK", error) : ALCH_OK;
  if (status == ALCH_OK) status = send_forgotten(connection, error);
  if (status == ALCH_OK) status = send_begin(connection, error);
  if (status == ALCH_OK && ALCH_UNLIKELY(connection->leaving_count > 0)) status = close_cursors(connection, error);
  if (status == ALCH_OK) status = send_own(statement, error);
  if (status != ALCH_OK) return broken(connection, error);
  ask_for_stream(connection);
  connection->fresh = statement->synced && !connection->flushing;
  return ALCH_OK;
}

/* ---- one round trip behind another ---- */

static bool may_follow(const alch_driver_statement *statement) {
  const alch_driver_connection *connection = statement->connection;
  const alch_driver_statement *before = connection->current;
  bool plain = statement->control == ALCH_POSTGRESQL_PLAIN && !statement->queries && statement->sets == 1 && statement->stream_rows == 0;
  bool settled = connection->in_transaction && !connection->began && !connection->rolled_back && !connection->clearing;
  return plain && settled && before->synced && !before->describes && before->stream_rows == 0 && !before->failure.set;
}

static alch_status send_following(alch_driver_statement *statement, alch_error *error) {
  statement->sets_sent = 0;
  statement->stale = false;
  alch_status status = send_parse(statement, error);
  if (status == ALCH_OK) status = send_set(statement, error);
  return status == ALCH_OK ? send_sync(statement, error) : status;
}

/* An error is not told now: the answer that comes first may say why. */
static void keep_for_poll(alch_driver_statement *statement) {
  statement->failure.disconnected = true;
  statement->phase = ALCH_POSTGRESQL_COMPLETE;
}

void alch_postgresql_send_behind(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  if (!statement->ahead || !connection->current || connection->followed || connection->behind) return;
  if (may_follow(statement)) {
    if (send_following(statement, &statement->failure) != ALCH_OK) {
      keep_for_poll(statement);
      return;
    }
    connection->fresh = false;
    connection->followed = true;
    statement->phase = ALCH_POSTGRESQL_SENT;
  }
  connection->behind = statement;
}

/* The answers of a round trip are complete: those of the next are to come, or it can go out now. */
static void go_on(alch_driver_connection *connection, bool failed) {
  alch_driver_statement *statement = connection->behind;
  connection->behind = NULL;
  if (connection->followed) {
    connection->followed = false;
    connection->busy = true;
    connection->current = statement;
    connection->leading = connection->answered = 0;
  } else if (statement && !failed && alch_postgresql_send(statement, &statement->failure) != ALCH_OK) {
    keep_for_poll(statement);
  }
}

/* ---- results ---- */

void alch_postgresql_drop_results(alch_driver_statement *statement) {
  for (uint32_t i = statement->result_at; i < statement->result_count; i++) statement->connection->library->PQclear(statement->results[i]);
  if (statement->spent) statement->connection->library->PQclear(statement->spent);
  statement->spent = NULL;
  statement->result_count = statement->result_at = 0;
  statement->row = -1;
  statement->row_count = 0;
  statement->shape = NULL;
}

/* What the columns are, when they are not what they were. */
static alch_status read_shape(alch_driver_statement *statement, PGresult *result, alch_error *error) {
  const alch_libpq *library = statement->connection->library;
  uint32_t count = (uint32_t)library->PQnfields(result);
  bool in_binary = count > 0 && library->PQfformat(result, 0) == 1;
  if (statement->known && statement->shaped == statement->number && statement->shaped_binary == in_binary) return ALCH_OK;
  if (count > statement->column_capacity) {
    alch_postgresql_column *columns = alch_grow(statement->connection->allocator, statement->columns, &statement->column_capacity, count, sizeof *columns);
    if (!columns) return alch_error_out_of_memory(error);
    statement->columns = columns;
  }
  statement->column_count = count;
  statement->own_texts = statement->has_inside = false;
  for (uint32_t i = 0; i < count; i++) {
    Oid type = library->PQftype(result, (int)i);
    if (in_binary && !alch_postgresql_has_binary(statement->connection, type)) return alch_postgresql_learn_again(statement, i, type, error);
    statement->columns[i] = alch_postgresql_column_of(statement->connection, type, library->PQfformat(result, (int)i) == 1);
    statement->own_texts = statement->own_texts || alch_postgresql_own_texts(&statement->columns[i]);
    statement->has_inside = statement->has_inside || statement->columns[i].container;
  }
  alch_postgresql_settle_results(statement, result);
  statement->shaped = statement->number;
  statement->shaped_binary = in_binary;
  return ALCH_OK;
}

/* Rows that the statement has changed; a SELECT's count is none of that. */
static void count_changes(alch_driver_statement *statement, PGresult *result) {
  static const char *const verbs[] = { "INSERT", "UPDATE", "DELETE", "MERGE", "COPY" };
  const char *tag = statement->connection->library->PQcmdStatus(result), *rows;
  if (*tag == 'S') return;
  for (size_t i = 0; i < ALCH_COUNT(verbs); i++) {
    if (strncmp(tag, verbs[i], strlen(verbs[i])) != 0) continue;
    rows = statement->connection->library->PQcmdTuples(result);
    if (*rows) statement->changes = (statement->changes < 0 ? 0 : statement->changes) + strtoll(rows, NULL, 10);
  }
}

static alch_status keep_result(alch_driver_statement *statement, PGresult *result, alch_error *error) {
  PGresult **results = alch_grow(statement->connection->allocator, statement->results, &statement->result_capacity, statement->result_count + 1, sizeof *results);
  if (!results) return alch_error_out_of_memory(error);
  statement->results = results;
  bool new_shape = !statement->shape || statement->cursor.rows > 0;   /* a later piece may come in binary */
  if (new_shape && read_shape(statement, result, error) != ALCH_OK) return ALCH_ERROR;
  results[statement->result_count++] = result;
  statement->shape = result;
  return ALCH_OK;
}

/* The plan that the server keeps has become useless, or is there no longer. */
static bool is_stale(alch_driver_connection *connection, const PGresult *result) {
  const char *state = connection->library->PQresultErrorField(result, PG_DIAG_SQLSTATE), *function = connection->library->PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  if (!state) return false;
  return strcmp(state, "26000") == 0 || (strcmp(state, "0A000") == 0 && function && strcmp(function, "RevalidateCachedQuery") == 0);
}

static void note_failure(alch_driver_connection *connection, PGresult *result) {
  alch_driver_statement *statement = connection->current;
  if (!statement || statement->failure.set || connection->clearing) return;
  alch_postgresql_fail(connection, result, &statement->failure);
  statement->stale = connection->answered < connection->leading ? !connection->began || connection->answered + 1 < connection->leading : !statement->parses && is_stale(connection, result);
}

/* The server has rolled back what was to be committed, since a statement of the transaction had failed; it says so only by the name of what it did. */
static void check_commit(alch_driver_statement *statement, PGresult *result) {
  bool commits = statement->control == ALCH_POSTGRESQL_COMMIT || statement->control == ALCH_POSTGRESQL_PREPARE;
  if (!commits || strcmp(statement->connection->library->PQcmdStatus(result), "ROLLBACK") != 0) return;
  alch_error_set(&statement->failure, ALCH_ERROR_INTERNAL, "nothing was %s: a statement of the transaction had failed, and the server has rolled it back",
                 statement->control == ALCH_POSTGRESQL_COMMIT ? "committed" : "prepared");
  snprintf(statement->failure.sqlstate, sizeof statement->failure.sqlstate, "25P02");
}

/* An answer to the statement itself. True: the result is kept. */
static bool take_answer(alch_driver_statement *statement, PGresult *result, int status) {
  bool described = status == PGRES_COMMAND_OK && statement->out && alch_postgresql_copies_out(statement) && statement->connection->library->PQnfields(result) > 0;
  bool has_rows = described || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_CHUNK;
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) count_changes(statement, result);
  if (status == PGRES_COMMAND_OK) check_commit(statement, result);
  if (status == PGRES_COMMAND_OK) alch_postgresql_note_command(statement, statement->connection->library->PQcmdStatus(result));
  if (status == PGRES_COMMAND_OK) alch_postgresql_note_cursors(statement->connection, statement->connection->library->PQcmdStatus(result));
  if (status == PGRES_EMPTY_QUERY) alch_error_set(&statement->failure, ALCH_ERROR_PROGRAMMING, "the statement is empty");
  if (!has_rows || statement->failure.set) return false;
  return keep_result(statement, result, &statement->failure) == ALCH_OK;
}

static bool take_result(alch_driver_connection *connection, PGresult *result, int status) {
  alch_driver_statement *statement = connection->current;
  if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) note_failure(connection, result);
  else if (!statement || status == PGRES_PIPELINE_ABORTED || connection->answered < connection->leading) return false;
  else if (statement->parses && connection->answered == connection->leading) statement->known = !connection->nameless;
  else if (statement->cursor.declares && connection->answered == connection->leading + statement->parses) return false;
  else if (statement->describes) alch_postgresql_settle_results(statement, result);   /* before there are rows */
  else if (statement->learns) alch_postgresql_learn(statement, result);
  else return take_answer(statement, result, status);
  return false;
}

/* ---- the end of a round trip ---- */

static void complete(alch_driver_connection *connection) {
  alch_driver_statement *statement = connection->current;
  connection->current = NULL;
  connection->busy = connection->rolled_back = connection->clearing = false;
  connection->flushing = connection->flushing && connection->followed;
  if (connection->began) forget_begin(connection);
  if (statement) statement->phase = ALCH_POSTGRESQL_COMPLETE;
  go_on(connection, !statement || statement->failure.set);
}

/* Without memory to remember that, the server keeps it until the session ends. */
void alch_postgresql_forget(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  if (!statement->known) return;
  statement->known = false;
  uint64_t *numbers = alch_grow(connection->allocator, connection->forgotten, &connection->forgotten_capacity, connection->forgotten_count + 1, sizeof *numbers);
  if (!numbers) return;
  connection->forgotten = numbers;
  numbers[connection->forgotten_count++] = statement->number;
}

/* Once more, with a new Parse: nothing of this round trip has happened, or what has happened was only its BEGIN. */
static alch_status heal(alch_driver_connection *connection, alch_error *error) {
  alch_driver_statement *statement = connection->current;
  statement->healed = true;
  statement->known = statement->cursor.declared = false;
  alch_error_close(&statement->failure);
  alch_postgresql_drop_results(statement);
  statement->changes = -1;
  connection->rolled_back = connection->in_transaction;
  connection->in_transaction = false;
  return alch_postgresql_send(statement, error);
}

/* Its columns are known, or the types that they have; then it can be executed. */
static alch_status execute_described(alch_driver_connection *connection, alch_error *error) {
  if (connection->began) forget_begin(connection);
  connection->rolled_back = false;
  return alch_postgresql_send(connection->current, error);
}

static alch_status ready(alch_driver_connection *connection, alch_error *error) {
  int state = connection->library->PQtransactionStatus(connection->handle);
  alch_driver_statement *statement = connection->current;
  bool open = state == PQTRANS_INTRANS || state == PQTRANS_INERROR || connection->followed, was_open = connection->in_transaction && !connection->began;
  connection->in_transaction = open;
  connection->failed = state == PQTRANS_INERROR;
  if (!open) connection->ended++;
  if (statement && statement->stale && statement->failure.set) {
    if (strcmp(statement->failure.sqlstate, "0A000") == 0) alch_postgresql_forget(statement);
    statement->known = false;
    if (!was_open && !statement->healed) return heal(connection, error);
  }
  if (statement && (statement->describes || statement->learns) && !statement->failure.set) return execute_described(connection, error);
  complete(connection);
  return ALCH_OK;
}

/* The connection is gone. What the server said last is still to be read; it is what the user should hear. */
static alch_status lost(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  alch_driver_statement *statement = connection->current;
  PGresult *result;
  for (int i = 0; i < 8 && (result = library->PQgetResult(connection->handle)); i++) {
    int status = library->PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR) note_failure(connection, result);
    library->PQclear(result);
  }
  if (statement && !statement->failure.set) alch_postgresql_fail_connection(connection, NULL, &statement->failure);
  if (statement) statement->failure.disconnected = true;
  else alch_postgresql_fail_connection(connection, NULL, error);
  connection->in_transaction = false;
  forget_begin(connection);
  complete(connection);
  if (statement) return ALCH_OK;
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

/* The protocol cannot leave this state in pipeline mode. */
static alch_status refuse_copy(alch_driver_connection *connection, alch_error *error) {
  alch_driver_statement *statement = connection->current;
  alch_error *to = statement ? &statement->failure : error;
  alch_error_set(to, ALCH_ERROR_NOT_SUPPORTED, "COPY FROM STDIN and COPY TO STDOUT are no statements to be executed: use copy_from and copy_to of a connection (this one is lost)");
  if (to) to->disconnected = true;
  connection->in_transaction = false;
  forget_begin(connection);
  complete(connection);
  return statement ? ALCH_OK : ALCH_ERROR;
}

/* One thing that PQgetResult has. */
static alch_status take_one(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  PGresult *result = library->PQgetResult(connection->handle);
  if (!result) {
    connection->answered++;
    ask_for_stream(connection);
    return library->PQstatus(connection->handle) == CONNECTION_BAD ? lost(connection, error) : ALCH_OK;
  }
  int status = library->PQresultStatus(result);
  if (status == PGRES_PIPELINE_SYNC) {
    library->PQclear(result);
    if (!connection->clearing) return ready(connection, error);
    connection->clearing = false;
    return ALCH_OK;
  }
  bool copy = status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
  if (copy || !take_result(connection, result, status)) library->PQclear(result);
  if (copy) return refuse_copy(connection, error);
  return library->PQstatus(connection->handle) == CONNECTION_BAD ? lost(connection, error) : ALCH_OK;
}

/* All that went out is answered, and there is more to send: after a failure the answers to the rest come at once. The library has nothing then, and says the same as between two answers. */
static bool is_ahead_of_sets(const alch_driver_connection *connection) {
  const alch_driver_statement *statement = connection->current;
  return statement && !statement->synced && connection->answered >= connection->leading + statement->parses + statement->sets_sent;
}

/* What the library has read already. Of rows that stream no more than one piece is taken, so that they need little memory. */
static alch_status take_read(alch_driver_connection *connection, alch_error *error) {
  alch_status status = ALCH_WAIT;
  while (connection->busy && !is_ahead_of_sets(connection) && !connection->library->PQisBusy(connection->handle)) {
    status = take_one(connection, error);
    if (status != ALCH_OK || (connection->current && connection->current->stream_rows > 0 && connection->current->result_count > 0)) break;
  }
  return status;
}

alch_status alch_postgresql_pump(alch_driver_connection *connection, alch_error *error) {
  if (ALCH_UNLIKELY(connection->copying != ALCH_POSTGRESQL_COPY_NONE)) {
    alch_status allowed = alch_postgresql_refuse_beside_copy(connection, error);
    return allowed == ALCH_OK ? alch_postgresql_leave_copy(connection, error) : allowed;
  }
  alch_status status = take_read(connection, error);
  if (status != ALCH_WAIT) return status;
  if (connection->fresh) {
    connection->fresh = false;
    return ALCH_WAIT;
  }
  if (flush(connection, NULL) != ALCH_OK || alch_postgresql_read(connection) != 1) return lost(connection, error);
  alch_driver_statement *statement = connection->current;
  if (statement && !statement->synced && send_sets(statement, NULL) != ALCH_OK) return lost(connection, error);
  return take_read(connection, error);
}

/* A Sync alone, which the server answers even in a transaction that has failed. */
alch_status alch_postgresql_ping(alch_driver_connection *connection, alch_error *error) {
  alch_status status = ALCH_OK;
  if (!connection->pinging && !connection->busy) {
    connection->leading = connection->answered = 0;
    connection->began = false;
    connection->busy = true;
    if (connection->library->PQpipelineSync(connection->handle) != 1) status = lost(connection, error);
  }
  connection->pinging = true;
  while (status == ALCH_OK && connection->busy) status = alch_postgresql_pump(connection, error);
  connection->pinging = status == ALCH_WAIT;
  return status;
}

void alch_postgresql_abandon(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  if (connection->behind == statement) connection->behind = NULL;
  if (connection->current != statement) return;
  if (!statement->synced) send_sync(statement, NULL);
  connection->current = NULL;
}
