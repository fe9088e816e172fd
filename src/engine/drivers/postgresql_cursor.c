/* Cursors: a query whose rows are to come in pieces is declared as one within a transaction, and each piece is fetched when it is asked for, so that other statements may come between and nobody holds
   the rows that nobody has asked for (https://www.postgresql.org/docs/current/sql-declare.html). Outside of a transaction, and where no cursor is possible, rows stream from one round trip. */
#include "engine/drivers/postgresql_private.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CURSOR_NAME "alch_cursor_%llu"

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80; }

/* A query that writes cannot be declared; one that locks would do so row by row. Where such a word is but a name, rows stream. */
static bool may_be_declared(const char *sql) {
  static const char *const words[] = { "INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "SHARE" };
  for (const char *at = sql; *at;) {
    size_t length = 0;
    while (is_word(at[length])) length++;
    for (size_t i = 0; i < ALCH_COUNT(words); i++)
      if (strlen(words[i]) == length && strncasecmp(words[i], at, length) == 0) return false;
    at += length > 0 ? length : 1;
  }
  return true;
}

void alch_postgresql_choose_cursor(alch_driver_statement *statement) {
  const alch_driver_connection *connection = statement->connection;
  bool open = connection->in_transaction || connection->begin;
  statement->cursor = (alch_postgresql_cursor){ .rows = 0 };
  if (statement->stream_rows == 0 || !open || !statement->queries || statement->sets != 1 || statement->arrayed || statement->control != ALCH_POSTGRESQL_PLAIN) return;
  if (alch_postgresql_copies_out(statement) || !may_be_declared(statement->sql)) return;
  statement->cursor.rows = statement->stream_rows;
  statement->stream_rows = 0;   /* each piece comes whole */
  statement->shaped = 0;
}

static alch_status declare(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  bool none = statement->count == 0;
  alch_buffer *text = &statement->scratch;
  statement->cursor.number = ++connection->last_number;
  statement->cursor.ended = connection->ended;
  statement->cursor.rolled = connection->rolled;
  alch_buffer_clear(text);
  alch_buffer_add_format(text, "DECLARE " CURSOR_NAME " NO SCROLL CURSOR FOR ", (unsigned long long)statement->cursor.number);
  alch_buffer_add_bytes(text, statement->sql, statement->sql_size);
  if (alch_buffer_failed(text)) return alch_error_out_of_memory(error);
  statement->cursor.declared = statement->cursor.declares = true;
  int sent = connection->library->PQsendQueryParams(connection->handle, text->text, (int)statement->count, none ? NULL : statement->types, none ? NULL : statement->values,
                                                    none ? NULL : statement->lengths, none ? NULL : statement->formats, 0);
  return sent == 1 ? ALCH_OK : alch_postgresql_fail_connection(connection, NULL, error);
}

alch_status alch_postgresql_send_fetch(alch_driver_statement *statement, alch_error *error) {
  const alch_driver_connection *connection = statement->connection;
  char sql[96];
  if (!statement->cursor.declared && declare(statement, error) != ALCH_OK) return ALCH_ERROR;
  snprintf(sql, sizeof sql, "FETCH FORWARD %lu FROM " CURSOR_NAME, (unsigned long)statement->cursor.rows, (unsigned long long)statement->cursor.number);
  bool sent = connection->library->PQsendQueryParams(connection->handle, sql, 0, NULL, NULL, NULL, NULL, statement->binary) == 1;
  return sent ? ALCH_OK : alch_postgresql_fail_connection(statement->connection, NULL, error);
}

/* The rows of the last piece go; what their columns were called stays until the next one is there. */
static void drop_piece(alch_driver_statement *statement) {
  if (statement->result_count == 0) return;
  if (statement->spent) statement->connection->library->PQclear(statement->spent);
  statement->spent = statement->results[statement->result_at];
  statement->result_count = statement->result_at = 0;
  statement->row = -1;
}

alch_status alch_postgresql_next_piece(alch_driver_statement *statement, alch_error *error) {
  const alch_driver_connection *connection = statement->connection;
  if (statement->row_count < (int)statement->cursor.rows) return ALCH_DONE;
  if (!connection->in_transaction || statement->cursor.ended != connection->ended)
    return alch_error_set(error, ALCH_ERROR_RESOURCE_CLOSED, "the rest of these rows is gone: the transaction in which they were being read has ended");
  drop_piece(statement);
  statement->row_count = 0;
  statement->phase = ALCH_POSTGRESQL_QUEUED;
  return ALCH_OK;
}

/* ---- closing: with the next round trip, when the cursor is still there then ---- */

void alch_postgresql_leave_cursor(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  const alch_postgresql_cursor left = statement->cursor;
  statement->cursor = (alch_postgresql_cursor){ .rows = 0 };
  if (!left.declared || left.ended != connection->ended) return;
  alch_postgresql_cursor *leaving = alch_grow(connection->allocator, connection->leaving, &connection->leaving_capacity, connection->leaving_count + 1, sizeof *leaving);
  if (!leaving) return;   /* it stays open until the transaction ends */
  connection->leaving = leaving;
  leaving[connection->leaving_count++] = left;
}

/* In a transaction that has failed nothing can be said to it, and a rollback, to a savepoint too, may have closed it: naming it then would be an error. */
uint32_t alch_postgresql_close_cursors(alch_driver_connection *connection, bool *sent) {
  uint32_t closed = 0;
  *sent = true;
  for (uint32_t i = 0; i < connection->leaving_count && *sent; i++) {
    const alch_postgresql_cursor *cursor = &connection->leaving[i];
    char sql[64];
    if (connection->failed || connection->began || !connection->in_transaction || cursor->ended != connection->ended || cursor->rolled != connection->rolled) continue;
    snprintf(sql, sizeof sql, "CLOSE " CURSOR_NAME, (unsigned long long)cursor->number);
    *sent = connection->library->PQsendQueryParams(connection->handle, sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
    closed++;
  }
  connection->leaving_count = 0;
  return closed;
}

void alch_postgresql_note_cursors(alch_driver_connection *connection, const char *tag) {
  if (strcmp(tag, "ROLLBACK") == 0 || strcmp(tag, "CLOSE CURSOR ALL") == 0) connection->rolled++;
}
