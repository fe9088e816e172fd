/* COPY, in and out, in binary where every column's type has such a form, else as text (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"; libpq's functions for it: libpq-copy.html).
   It does not go in the library's pipeline mode: the connection leaves that, and comes back when the server has answered to the end, whoever waits for it then. */
#include "engine/bulk.h"
#include "engine/drivers/postgresql_private.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PIECE ((size_t)1 << 16)        /* bytes that are given to the library at once */
#define HEADER_SIZE 19                 /* signature, flags, length of an extension (none) */

static const char header[HEADER_SIZE + 1] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";

/* ---- the exchange: what both directions have ---- */

static alch_status copy_lost(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  PGresult *result;
  bool said = false;
  for (int i = 0; i < 8 && (result = library->PQgetResult(connection->handle)); i++) {
    if (!said && library->PQresultStatus(result) == PGRES_FATAL_ERROR) said = alch_postgresql_fail(connection, result, error) == ALCH_ERROR;
    library->PQclear(result);
  }
  if (!said) alch_postgresql_fail_connection(connection, NULL, error);
  if (error) error->disconnected = true;
  connection->copying = ALCH_POSTGRESQL_COPY_NONE;
  connection->busy = connection->flushing = connection->in_transaction = false;
  return ALCH_ERROR;
}

static alch_status leave(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  int state = library->PQtransactionStatus(connection->handle);
  if (library->PQstatus(connection->handle) != CONNECTION_OK || library->PQenterPipelineMode(connection->handle) != 1) return copy_lost(connection, error);
  connection->in_transaction = state == PQTRANS_INTRANS || state == PQTRANS_INERROR;
  connection->copying = ALCH_POSTGRESQL_COPY_NONE;
  connection->busy = connection->flushing = connection->copy_given_up = false;
  return ALCH_OK;
}

/* Nothing is under way on the connection. */
static alch_status ask(alch_driver_connection *connection, const char *sql, alch_error *error) {
  const alch_libpq *library = connection->library;
  connection->copying = ALCH_POSTGRESQL_COPY_ASKED;
  connection->copy_given_up = false;
  alch_error_close(&connection->copy_failure);
  connection->copied = 0;
  connection->busy = true;
  connection->current = NULL;
  if (library->PQexitPipelineMode(connection->handle) != 1 || library->PQsendQuery(connection->handle, sql) != 1) return copy_lost(connection, error);
  connection->flushing = library->PQflush(connection->handle) > 0;
  return ALCH_OK;
}

static alch_status move(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  if (alch_postgresql_read(connection) != 1) return copy_lost(connection, error);
  int left = library->PQflush(connection->handle);
  connection->flushing = left > 0;
  return left < 0 ? copy_lost(connection, error) : ALCH_OK;
}

/* An answer to the command itself: the data may go, or it has ended. The first failure is kept by the connection. */
static void take_answer(alch_driver_connection *connection, PGresult *result) {
  const alch_libpq *library = connection->library;
  switch (library->PQresultStatus(result)) {
    case PGRES_COPY_IN: connection->copying = ALCH_POSTGRESQL_COPY_IN; break;
    case PGRES_COPY_OUT: connection->copying = ALCH_POSTGRESQL_COPY_OUT; break;
    case PGRES_FATAL_ERROR:
      if (!connection->copy_failure.set) alch_postgresql_fail(connection, result, &connection->copy_failure);
      connection->copying = ALCH_POSTGRESQL_COPY_ENDING;
      break;
    default:
      connection->copied = strtoll(library->PQcmdTuples(result), NULL, 10);
      connection->copying = ALCH_POSTGRESQL_COPY_ENDING;
  }
  library->PQclear(result);
}

/* Until the data may go, or everything has ended: ALCH_OK, ALCH_WAIT, or an error of the connection. */
static alch_status await_answer(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  alch_status status = move(connection, error);
  while (status == ALCH_OK && (connection->copying == ALCH_POSTGRESQL_COPY_ASKED || connection->copying == ALCH_POSTGRESQL_COPY_ENDING)) {
    if (library->PQisBusy(connection->handle)) return ALCH_WAIT;
    PGresult *result = library->PQgetResult(connection->handle);
    if (!result) return leave(connection, error);
    take_answer(connection, result);
  }
  return status;
}

static alch_status end_data(alch_driver_connection *connection, const char *reason, alch_error *error) {
  connection->copying = ALCH_POSTGRESQL_COPY_ENDING;
  return connection->library->PQputCopyEnd(connection->handle, reason) < 0 ? copy_lost(connection, error) : ALCH_OK;
}

/* To the end of the data that the server sends, which nobody wants. */
static alch_status drop_data(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  char *row = NULL;
  int length;
  alch_status status = move(connection, error);
  if (status != ALCH_OK) return status;
  while ((length = library->PQgetCopyData(connection->handle, &row, 1)) > 0) library->PQfreemem(row);
  if (length == 0) return ALCH_WAIT;
  connection->copying = ALCH_POSTGRESQL_COPY_ENDING;
  return ALCH_OK;
}

alch_status alch_postgresql_leave_copy(alch_driver_connection *connection, alch_error *error) {
  alch_status status = ALCH_OK;
  while (status == ALCH_OK && connection->copying != ALCH_POSTGRESQL_COPY_NONE) {
    if (connection->copying == ALCH_POSTGRESQL_COPY_IN) status = end_data(connection, "the rows were given up", error);
    else if (connection->copying == ALCH_POSTGRESQL_COPY_OUT) status = drop_data(connection, error);
    else status = await_answer(connection, error);
  }
  return status;
}

alch_status alch_postgresql_refuse_beside_copy(const alch_driver_connection *connection, alch_error *error) {
  if (connection->copying == ALCH_POSTGRESQL_COPY_NONE || connection->copy_given_up) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the connection copies rows, and can do nothing else meanwhile: read or write them to the end, close what gives them, or use another connection");
}

/* ---- in ---- */

typedef enum load_phase { LOAD_ASKING /* what the columns are */, LOAD_OPENING, LOAD_ROWS, LOAD_REFUSED /* the server has said so already */, LOAD_ENDING, LOAD_DONE } load_phase;

typedef struct load_column {
  alch_postgresql_form form;
  char *name;
  size_t name_size;
} load_column;

struct alch_driver_load {
  alch_driver_connection *connection;
  alch_driver_statement *asking;      /* the query for the columns' types */
  load_phase phase;
  bool binary, text;                  /* text: pieces of it come, and no values */
  uint32_t count;
  load_column *columns;
  int64_t added;
  alch_buffer sql, out;
};

static void free_load(alch_driver_load *load) {
  const alch_allocator *allocator = load->connection->allocator;
  if (load->asking) alch_postgresql_finalize(load->asking);
  for (uint32_t i = 0; load->columns && i < load->count; i++) alch_free(allocator, load->columns[i].name, load->columns[i].name_size);
  alch_free(allocator, load->columns, load->count * sizeof *load->columns);
  alch_buffer_close(&load->sql);
  alch_buffer_close(&load->out);
  alch_free(allocator, load, sizeof *load);
}

static void load_close(alch_driver_load *load) {
  if (load->phase > LOAD_ASKING && load->phase < LOAD_DONE && load->connection->copying != ALCH_POSTGRESQL_COPY_NONE) load->connection->copy_given_up = true;
  free_load(load);
}

static bool keep_columns(alch_driver_load *load, const alch_bulk_target *target) {
  const alch_allocator *allocator = load->connection->allocator;
  load->columns = alch_allocate_zeroed(allocator, target->count * sizeof *load->columns);
  for (uint32_t i = 0; load->columns && i < target->count; i++) {
    load_column *column = &load->columns[i];
    column->name_size = strlen(target->names[i]) + 1;
    column->name = alch_allocate(allocator, column->name_size);
    if (!column->name) return false;
    memcpy(column->name, target->names[i], column->name_size);
  }
  return load->columns != NULL;
}

static void write_sql(alch_driver_load *load, const alch_bulk_target *target) {
  alch_buffer_add_format(&load->sql, "COPY %s (", target->table);
  for (uint32_t i = 0; i < target->count; i++) alch_buffer_add_format(&load->sql, "%s%s", i > 0 ? ", " : "", target->quoted[i]);
  alch_buffer_add(&load->sql, ") FROM STDIN");
  if (target->format) alch_buffer_add_format(&load->sql, " (%s)", target->format);
}

/* Of every column: its type (of a domain: what it is of), whether that is its own text in binary (an enum, citext), and the same of an array's items. Whoever may write a table may ask this. */
#define COLUMNS_TEXT \
  "WITH RECURSIVE base(name, type) AS (SELECT attname, atttypid FROM pg_catalog.pg_attribute WHERE attrelid = $alch$%s$alch$::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped" \
  " UNION ALL SELECT b.name, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd')" \
  " SELECT b.name, t.oid, f.prosrc IN ('enum_send', 'textsend'), i.oid, g.prosrc IN ('enum_send', 'textsend') FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type" \
  " LEFT JOIN pg_catalog.pg_type i ON i.oid = t.typelem AND t.typcategory = 'A' LEFT JOIN pg_catalog.pg_proc f ON f.oid = t.typsend LEFT JOIN pg_catalog.pg_proc g ON g.oid = i.typsend" \
  " WHERE t.typtype <> 'd'"

static alch_status ask_for_columns(alch_driver_load *load, const alch_bulk_target *target, alch_error *error) {
  alch_buffer sql;
  alch_buffer_init(&sql, load->connection->allocator);
  alch_buffer_add_format(&sql, COLUMNS_TEXT, target->table);
  alch_status status = alch_buffer_failed(&sql) ? alch_error_out_of_memory(error) : alch_postgresql_prepare(load->connection, sql.text, sql.length, NULL, 0, &load->asking, error);
  alch_buffer_close(&sql);
  if (status != ALCH_OK) return status;
  load->asking->control = ALCH_POSTGRESQL_DIRECT;
  return alch_postgresql_start(load->asking, NULL, 0, error);
}

static alch_status load_poll(alch_driver_load *load, alch_error *error);
static alch_status load_finish(alch_driver_load *load, const char *reason, alch_error *error);

static alch_status load_open(alch_driver_connection *connection, const alch_bulk_target *target, alch_driver_load **out, alch_error *error) {
  *out = NULL;
  if (alch_postgresql_refuse_beside_copy(connection, error) != ALCH_OK) return ALCH_ERROR;
  alch_driver_load *load = alch_allocate_zeroed(connection->allocator, sizeof *load);
  if (!load) return alch_error_out_of_memory(error);
  *load = (alch_driver_load){ .connection = connection, .text = target->format != NULL, .count = target->count };
  alch_buffer_init(&load->sql, connection->allocator);
  alch_buffer_init(&load->out, connection->allocator);
  write_sql(load, target);
  bool kept = keep_columns(load, target) && !alch_buffer_failed(&load->sql);
  alch_status status = kept ? ask_for_columns(load, target, error) : alch_error_out_of_memory(error);
  if (status >= 0) status = load_poll(load, error);
  if (status >= 0) *out = load;
  else load_close(load);
  return status;
}

/* The row of the answer that tells of the column with this name: -1, where the table has none (the server says so when it gets to it). */
static int row_of(const alch_libpq *library, const PGresult *result, const char *name) {
  for (int i = 0; i < library->PQntuples(result); i++)
    if (strcmp(library->PQgetvalue(result, i, 0), name) == 0) return i;
  return -1;
}

static bool form_of_row(const alch_libpq *library, const PGresult *result, int row, alch_postgresql_form *out) {
  Oid type = row < 0 ? PG_UNKNOWN : (Oid)strtoul(library->PQgetvalue(result, row, 1), NULL, 10);
  if (alch_postgresql_form_of(type, out)) return true;
  if (row >= 0 && *library->PQgetvalue(result, row, 2) == 't') *out = alch_postgresql_text_form(type, PG_UNKNOWN);
  else if (row >= 0 && *library->PQgetvalue(result, row, 4) == 't') *out = alch_postgresql_text_form(type, (Oid)strtoul(library->PQgetvalue(result, row, 3), NULL, 10));
  else return false;
  return true;
}

static void read_columns(alch_driver_load *load) {
  const alch_libpq *library = load->connection->library;
  const PGresult *result = load->asking->shape;
  load->binary = !load->text && result;
  for (uint32_t i = 0; i < load->count && result; i++) {
    load_column *column = &load->columns[i];
    bool known = form_of_row(library, result, row_of(library, result, column->name), &column->form);
    load->binary = load->binary && known;
  }
}

/* The types are known: the command itself. Rows of it begin with the header. */
static alch_status open_copy(alch_driver_load *load, alch_error *error) {
  read_columns(load);
  alch_postgresql_finalize(load->asking);
  load->asking = NULL;
  load->phase = LOAD_OPENING;
  if (load->binary) {
    alch_buffer_add(&load->sql, " (FORMAT binary)");
    alch_buffer_add_bytes(&load->out, header, HEADER_SIZE);
  }
  if (alch_buffer_failed(&load->sql) || alch_buffer_failed(&load->out)) return alch_error_out_of_memory(error);
  return ask(load->connection, load->sql.text, error);
}

/* Does an error of the server lie in the socket? The library looks for none before the end of the data, and tells of none: so the beginning of the message itself is looked at, which nothing else that comes
   meanwhile can have (E, a length of less than 64 KB, S; https://www.postgresql.org/docs/current/protocol-error-fields.html). Under TLS it is heard at the end. */
static bool hears_error(const alch_driver_connection *connection) {
  char bytes[6];
  ssize_t length = recv(connection->library->PQsocket(connection->handle), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  return length == (ssize_t)sizeof bytes && bytes[0] == 'E' && bytes[1] == 0 && bytes[2] == 0 && bytes[5] == PG_DIAG_LOCALIZED_SEVERITY;
}

static alch_status send_piece(alch_driver_load *load, alch_error *error) {
  alch_driver_connection *connection = load->connection;
  const alch_libpq *library = connection->library;
  int sent = load->out.length > 0 ? library->PQputCopyData(connection->handle, load->out.text, (int)load->out.length) : 1;
  if (sent < 0) return copy_lost(connection, error);
  if (sent > 0) alch_buffer_clear(&load->out);
  int left = library->PQflush(connection->handle);
  if (left < 0) return copy_lost(connection, error);
  connection->flushing = left > 0 || sent == 0;
  return connection->flushing ? ALCH_WAIT : ALCH_OK;
}

static alch_status poll_asking(alch_driver_load *load, alch_error *error) {
  alch_status status;
  while ((status = alch_postgresql_poll(load->asking, error)) == ALCH_ROW) {}
  if (status == ALCH_WAIT || status < 0) return status;
  return open_copy(load, error);
}

static alch_status load_poll(alch_driver_load *load, alch_error *error) {
  alch_driver_connection *connection = load->connection;
  alch_status status = ALCH_OK;
  if (load->phase == LOAD_ASKING) status = poll_asking(load, error);
  if (status == ALCH_OK && load->phase == LOAD_OPENING) {
    status = await_answer(connection, error);
    if (status == ALCH_OK && connection->copying == ALCH_POSTGRESQL_COPY_IN) load->phase = LOAD_ROWS;
    else if (status == ALCH_OK) status = alch_error_copy(error, &connection->copy_failure);
    if (status < 0) load->phase = LOAD_DONE;
    return status;
  }
  if (status == ALCH_OK && load->phase == LOAD_ROWS && connection->flushing && hears_error(connection)) load->phase = LOAD_REFUSED;
  if (status == ALCH_OK && (load->phase == LOAD_REFUSED || load->phase == LOAD_ENDING)) return load_finish(load, "refused", error);   /* the server passes over the reason */
  if (status != ALCH_OK || load->phase != LOAD_ROWS || !connection->flushing) return status;
  status = move(connection, error);
  return status == ALCH_OK ? send_piece(load, error) : status;
}

/* ---- rows ---- */

static void add_row_number(const alch_driver_load *load, alch_error *error) {
  if (error) error->row = load->added + 1;
}

static alch_status refuse_value(const alch_driver_load *load, uint32_t at, const alch_value *value, alch_error *error) {
  alch_buffer shown;
  alch_buffer_init(&shown, load->connection->allocator);
  alch_value_print(value, &shown, 60);
  bool zero = value->kind == ALCH_TEXT && value->length > 0 && memchr(value->text, '\0', value->length);
  alch_error_set(error, ALCH_ERROR_DATA, "the %s %s %s the type of column %s", alch_value_kind_name(value->kind), alch_buffer_text(&shown),
                 zero ? "has a zero byte in it, which PostgreSQL cannot store, or does not fit" : "does not fit", load->columns[at].name);
  alch_buffer_close(&shown);
  alch_error_attach(error, ALCH_ERROR_COLUMN_NAME, load->columns[at].name, SIZE_MAX);
  add_row_number(load, error);
  return ALCH_ERROR;
}

static char *put_32(char *to, uint32_t number) {
  alch_postgresql_put(to, number, 4);
  return to + 4;
}

/* What most values are, without a call for each part of them. *to has room for 12 bytes. False: it is something else. */
static bool put_common(const alch_postgresql_form *form, const alch_value *value, char **to) {
  int64_t integer = value->integer;
  switch (form->type) {
    case PG_INT4:
      if (value->kind != ALCH_INTEGER || integer != (int32_t)integer) return false;
      *to = put_32(put_32(*to, 4), (uint32_t)integer);
      return true;
    case PG_INT8:
      if (value->kind != ALCH_INTEGER) return false;
      *to = put_32(put_32(put_32(*to, 8), (uint32_t)((uint64_t)integer >> 32)), (uint32_t)integer);
      return true;
    case PG_FLOAT8:
      if (value->kind != ALCH_REAL) return false;
      *to = put_32(put_32(put_32(*to, 8), (uint32_t)((uint64_t)integer >> 32)), (uint32_t)integer);   /* the bits of the real */
      return true;
    default: return false;
  }
}

static bool is_plain_text(const alch_postgresql_form *form) { return form->type == PG_TEXT || form->type == PG_VARCHAR || form->type == PG_BPCHAR; }

static bool add_plain_text(const alch_value *value, alch_buffer *out) {
  char *to = alch_buffer_reserve(out, (size_t)value->length + 4);
  if (!to || value->length > INT32_MAX) return false;
  put_32(to, value->length);
  if (value->length > 0) memcpy(to + 4, value->text, value->length);
  out->length += (size_t)value->length + 4;
  return value->length == 0 || !memchr(value->text, '\0', value->length);
}

static alch_status add_binary(alch_driver_load *load, const alch_value *values, alch_error *error) {
  alch_buffer *out = &load->out;
  size_t start = out->length;
  alch_postgresql_add_bits(out, load->count, 2);
  for (uint32_t i = 0; i < load->count; i++) {
    const alch_postgresql_form *form = &load->columns[i].form;
    char *to = alch_buffer_reserve(out, 12);
    if (!to) return alch_error_out_of_memory(error);
    if (put_common(form, &values[i], &to)) out->length = (size_t)(to - out->text);
    else if (values[i].kind == ALCH_TEXT && is_plain_text(form) ? !add_plain_text(&values[i], out) : !alch_postgresql_add_field(form, &values[i], out)) {
      out->length = start;
      return out->failed ? alch_error_out_of_memory(error) : refuse_value(load, i, &values[i], error);
    }
  }
  return ALCH_OK;
}

/* What a text would end with, or begin something with, is written with a backslash. */
static void escape(alch_buffer *out, size_t start) {
  static const char special[] = "\b\f\n\r\t\v\\", letters[] = "bfnrtv\\";
  size_t escapes = 0;
  for (size_t i = start; i < out->length; i++) escapes += out->text[i] && strchr(special, out->text[i]) != NULL;
  if (escapes == 0 || !alch_buffer_reserve(out, escapes)) return;
  size_t to = out->length + escapes;
  for (size_t i = out->length; i > start; i--) {
    const char *found = out->text[i - 1] ? strchr(special, out->text[i - 1]) : NULL;
    out->text[--to] = found ? letters[found - special] : out->text[i - 1];
    if (found) out->text[--to] = '\\';
  }
  out->length += escapes;
}

static alch_status add_line(alch_driver_load *load, const alch_value *values, alch_error *error) {
  alch_buffer *out = &load->out;
  size_t start = out->length;
  for (uint32_t i = 0; i < load->count; i++) {
    if (i > 0) alch_buffer_add_char(out, '\t');
    size_t from = out->length;
    if (values[i].kind == ALCH_NULL) alch_buffer_add(out, "\\N");
    else {
      alch_postgresql_add_text(&values[i], load->columns[i].form.type, out);
      escape(out, from);
      if (values[i].kind == ALCH_TEXT && values[i].length > 0 && memchr(values[i].text, '\0', values[i].length)) {
        out->length = start;
        return refuse_value(load, i, &values[i], error);
      }
    }
  }
  alch_buffer_add_char(out, '\n');
  return ALCH_OK;
}

static alch_status send_when_full(alch_driver_load *load, alch_error *error) {
  if (load->out.failed) return alch_error_out_of_memory(error);
  if (load->out.length < PIECE) return ALCH_OK;
  if (!hears_error(load->connection)) return send_piece(load, error);
  load->phase = LOAD_REFUSED;
  return ALCH_WAIT;
}

static alch_status load_add(alch_driver_load *load, const alch_value *values, alch_error *error) {
  alch_status status = load->binary ? add_binary(load, values, error) : add_line(load, values, error);
  if (status != ALCH_OK) return status;
  load->added++;
  return send_when_full(load, error);
}

static alch_status load_add_text(alch_driver_load *load, const char *text, size_t length, alch_error *error) {
  if (length > INT32_MAX / 2) return alch_error_set(error, ALCH_ERROR_DATA, "a piece of text is longer than 1 GiB");
  if (length > 0) alch_buffer_add_bytes(&load->out, text, length);
  return send_when_full(load, error);
}

/* ---- the end ---- */

/* "COPY things, line 3, column name" in the server's language: the number that follows the table's name, and what is said to be the column. */
void alch_postgresql_note_row(const char *context, alch_error *error) {
  const char *found = context && error ? strstr(context, "COPY ") : NULL, *line = found ? strstr(found, ", ") : NULL;
  while (line && !isdigit((unsigned char)*line)) {
    const char *end = strpbrk(line, "0123456789\n");
    line = end && *end != '\n' ? end : NULL;
  }
  if (!line) return;
  char *after;
  error->row = strtoll(line, &after, 10);
  if (error->texts[ALCH_ERROR_COLUMN_NAME] || strncmp(after, ", ", 2) != 0) return;
  const char *name = strchr(after + 2, ' ');
  if (name) alch_error_attach(error, ALCH_ERROR_COLUMN_NAME, name + 1, strcspn(name + 1, ":\n"));
}

static alch_status send_rest(alch_driver_load *load, const char *reason, alch_error *error) {
  if (reason) alch_buffer_clear(&load->out);
  else if (load->binary) alch_postgresql_add_bits(&load->out, UINT16_MAX, 2);
  if (load->out.failed) return alch_error_out_of_memory(error);
  load->phase = LOAD_ENDING;
  return ALCH_OK;
}

static alch_status end_load(alch_driver_load *load, const char *reason, alch_error *error) {
  alch_driver_connection *connection = load->connection;
  if (load->phase < LOAD_ENDING && send_rest(load, reason, error) != ALCH_OK) return ALCH_ERROR;
  if (connection->copying == ALCH_POSTGRESQL_COPY_IN) {
    alch_status status = move(connection, error);
    if (status == ALCH_OK && load->out.length > 0) status = send_piece(load, error);
    if (load->out.length > 0 || status < 0) return status;
    status = end_data(connection, reason, error);
    if (status != ALCH_OK) return status;
  }
  return await_answer(connection, error);
}

static alch_status load_finish(alch_driver_load *load, const char *reason, alch_error *error) {
  alch_driver_connection *connection = load->connection;
  if (load->phase == LOAD_DONE) return ALCH_OK;
  if (load->phase < LOAD_ROWS) return alch_error_set(error, ALCH_ERROR_INTERFACE, "the load has not begun");
  alch_status status = end_load(load, reason, error);
  if (status == ALCH_WAIT) return status;
  load->phase = LOAD_DONE;
  if (status == ALCH_OK && connection->copy_failure.set) status = alch_error_copy(error, &connection->copy_failure);
  return status;
}

static int64_t load_rows(const alch_driver_load *load) { return load->connection->copied; }
static const char *load_sql(const alch_driver_load *load) { return load->sql.text; }

/* ---- out ---- */

typedef enum out_stage { OUT_NONE, OUT_ASKING /* what the columns are */, OUT_OPENING, OUT_ROWS, OUT_ENDING, OUT_DONE } out_stage;

struct alch_postgresql_out {
  out_stage stage;
  bool lines;                         /* rows are lines of text, in the format that was asked for */
  bool begun;                         /* the header is read */
  char *format;
  size_t format_size;
  char *row;                          /* the library's */
  int length;
  const char **cells;                 /* of the row; NULL: it is NULL */
  uint32_t *lengths, capacity;
  alch_buffer text;                   /* cells of a row that came as text */
};

static alch_status no_query(alch_error *error) { return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "rows can be copied out of a query, and this statement gives none"); }

static alch_status copy_out(alch_driver_statement *statement, const char *format, alch_error *error) {
  const alch_allocator *allocator = statement->connection->allocator;
  if (statement->control != ALCH_POSTGRESQL_PLAIN) return no_query(error);
  alch_postgresql_out *out = statement->out ? statement->out : alch_allocate_zeroed(allocator, sizeof *out);
  if (!out) return alch_error_out_of_memory(error);
  if (!statement->out) alch_buffer_init(&out->text, allocator);
  statement->out = out;
  alch_free(allocator, out->format, out->format_size);
  out->format_size = format ? strlen(format) + 1 : 0;
  out->format = format ? alch_allocate(allocator, out->format_size) : NULL;
  if (format && !out->format) return alch_error_out_of_memory(error);
  if (format) memcpy(out->format, format, out->format_size);
  if (statement->count > 0) return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "a query whose rows are copied out takes no parameters: its values stand in its text");
  out->lines = format != NULL;
  out->stage = OUT_ASKING;
  return ALCH_OK;
}

static void drop_row(alch_driver_statement *statement) {
  alch_postgresql_out *out = statement->out;
  if (out->row) statement->connection->library->PQfreemem(out->row);
  out->row = NULL;
}

void alch_postgresql_end_out(alch_driver_statement *statement) {
  alch_postgresql_out *out = statement->out;
  bool under_way = out->stage > OUT_ASKING && out->stage < OUT_DONE;
  if (under_way && statement->connection->copying != ALCH_POSTGRESQL_COPY_NONE) statement->connection->copy_given_up = true;
  drop_row(statement);
  out->stage = OUT_NONE;
  out->begun = false;
}

void alch_postgresql_free_out(alch_driver_statement *statement) {
  const alch_allocator *allocator = statement->connection->allocator;
  alch_postgresql_out *out = statement->out;
  drop_row(statement);
  alch_free(allocator, out->format, out->format_size);
  alch_free(allocator, out->cells, out->capacity * sizeof *out->cells);
  alch_free(allocator, out->lengths, out->capacity * sizeof *out->lengths);
  alch_buffer_close(&out->text);
  alch_free(allocator, out, sizeof *out);
}

bool alch_postgresql_copies_out(const alch_driver_statement *statement) { return statement->out && statement->out->stage != OUT_NONE; }
bool alch_postgresql_gives_lines(const alch_driver_statement *statement) { return alch_postgresql_copies_out(statement) && statement->out->lines; }

static bool make_cells(alch_driver_statement *statement) {
  const alch_allocator *allocator = statement->connection->allocator;
  alch_postgresql_out *out = statement->out;
  uint32_t count = statement->column_count;
  if (count <= out->capacity) return true;
  alch_free(allocator, out->cells, out->capacity * sizeof *out->cells);
  alch_free(allocator, out->lengths, out->capacity * sizeof *out->lengths);
  out->cells = alch_allocate(allocator, count * sizeof *out->cells);
  out->lengths = alch_allocate(allocator, count * sizeof *out->lengths);
  out->capacity = out->cells && out->lengths ? count : 0;
  if (out->capacity > 0) return true;
  alch_free(allocator, out->cells, count * sizeof *out->cells);
  alch_free(allocator, out->lengths, count * sizeof *out->lengths);
  out->cells = NULL, out->lengths = NULL;
  return false;
}

/* What the columns are is known: in binary, where all of them have such a form. */
static void set_columns(alch_driver_statement *statement) {
  statement->own_texts = statement->has_inside = false;
  for (uint32_t i = 0; i < statement->column_count && statement->binary; i++) {
    statement->columns[i] = alch_postgresql_column_of(statement->connection, statement->columns[i].type, true);
    statement->own_texts = statement->own_texts || alch_postgresql_own_texts(&statement->columns[i]);
    statement->has_inside = statement->has_inside || statement->columns[i].container;
  }
  for (uint32_t i = 0; i < statement->column_count && !statement->binary; i++) statement->own_texts = statement->own_texts || alch_postgresql_own_texts(&statement->columns[i]);
}

static alch_status open_out(alch_driver_statement *statement, alch_error *error) {
  alch_postgresql_out *out = statement->out;
  size_t length = statement->sql_size - 1;
  alch_buffer sql;
  if (!statement->shape) return no_query(error);
  if (!make_cells(statement)) return alch_error_out_of_memory(error);
  set_columns(statement);
  while (length > 0 && (isspace((unsigned char)statement->sql[length - 1]) || statement->sql[length - 1] == ';')) length--;
  alch_buffer_init(&sql, statement->connection->allocator);
  alch_buffer_add(&sql, "COPY (");
  alch_buffer_add_bytes(&sql, statement->sql, length);
  alch_buffer_add_format(&sql, "\n) TO STDOUT (%s)", out->lines ? out->format : statement->binary ? "FORMAT binary" : "FORMAT text");
  alch_status status = alch_buffer_failed(&sql) ? alch_error_out_of_memory(error) : ask(statement->connection, sql.text, error);
  alch_buffer_close(&sql);
  out->stage = OUT_OPENING;
  return status;
}

/* ---- rows that come ---- */

static alch_status wrong_row(alch_error *error) { return alch_error_set(error, ALCH_ERROR_INTERFACE, "the server sent a row of COPY that is none of this query"); }

/* ALCH_DONE: it was the end, or only the beginning. */
static alch_status split_binary(alch_driver_statement *statement, alch_error *error) {
  alch_postgresql_out *out = statement->out;
  const char *at = out->row, *end = at + out->length;
  if (!out->begun && out->length >= HEADER_SIZE) at += HEADER_SIZE + alch_postgresql_get(at + HEADER_SIZE - 4);
  out->begun = true;
  if (at == end) return ALCH_DONE;
  if (end - at < 2) return wrong_row(error);
  int count = (int16_t)((unsigned char)at[0] << 8 | (unsigned char)at[1]);
  if (count < 0) return ALCH_DONE;
  if ((uint32_t)count != statement->column_count) return wrong_row(error);
  at += 2;
  for (int i = 0; i < count; i++) {
    if (end - at < 4) return wrong_row(error);
    uint32_t length = alch_postgresql_get(at);
    at += 4;
    out->cells[i] = length == UINT32_MAX ? NULL : at;
    out->lengths[i] = length;
    if (!out->cells[i]) continue;
    if ((uint64_t)(end - at) < length) return wrong_row(error);
    at += length;
  }
  return ALCH_ROW;
}

/* One cell, without its backslashes, and a zero byte behind it; answers what follows it. */
static const char *unescape(const char *at, const char *end, char *to, uint32_t *length, bool *null) {
  static const char letters[] = "bfnrtv", bytes[] = "\b\f\n\r\t\v";
  char *start = to;
  *null = end - at >= 2 && at[0] == '\\' && at[1] == 'N';
  for (; at < end && *at != '\t'; at++) {
    if (*at == '\\' && at + 1 < end) {
      const char *found = strchr(letters, *++at);
      *to++ = found && *found ? bytes[found - letters] : *at;
    } else {
      *to++ = *at;
    }
  }
  *to = '\0';
  *length = (uint32_t)(to - start);
  return at;
}

static alch_status split_text(alch_driver_statement *statement, alch_error *error) {
  alch_postgresql_out *out = statement->out;
  const char *at = out->row, *end = at + out->length;
  alch_buffer_clear(&out->text);
  char *to = alch_buffer_reserve(&out->text, (size_t)out->length + statement->column_count + 1);
  if (!to) return alch_error_out_of_memory(error);
  if (end > at && end[-1] == '\n') end--;
  for (uint32_t i = 0; i < statement->column_count; i++) {
    bool null;
    if (at > end) return wrong_row(error);
    at = unescape(at, end, to, &out->lengths[i], &null) + 1;
    out->cells[i] = null ? NULL : to;
    to += out->lengths[i] + 1;
  }
  return at == end + 1 ? ALCH_ROW : wrong_row(error);
}

static alch_status next_out(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  alch_postgresql_out *out = statement->out;
  bool read = false;
  for (;;) {
    drop_row(statement);
    out->length = connection->library->PQgetCopyData(connection->handle, &out->row, 1);
    if (out->length == 0 && read) return ALCH_WAIT;
    if (out->length < -1) return copy_lost(connection, error);
    if (out->length < 0) {
      connection->copying = ALCH_POSTGRESQL_COPY_ENDING;
      out->stage = OUT_ENDING;
      return ALCH_OK;
    }
    if (out->length == 0) {
      read = true;
      if (move(connection, error) != ALCH_OK) return ALCH_ERROR;
      continue;
    }
    alch_status status = out->lines ? ALCH_ROW : statement->binary ? split_binary(statement, error) : split_text(statement, error);
    if (status != ALCH_DONE) return status;
  }
}

/* What the columns are; and then, where they have types that were not met yet, once more with these asked for. */
static alch_status poll_asking_out(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  while (statement->phase != ALCH_POSTGRESQL_COMPLETE || (statement->unlearned_count > 0 && !statement->out->lines && !statement->failure.set)) {
    bool queued = statement->phase != ALCH_POSTGRESQL_SENT && !connection->busy;
    alch_status status = queued ? alch_postgresql_send(statement, error) : alch_postgresql_pump(connection, error);
    if (status != ALCH_OK) return status;
  }
  if (statement->failure.set) return alch_error_copy(error, &statement->failure);
  return open_out(statement, error);
}

/* What the server has answered to the command, or to its end. */
static alch_status poll_answer_out(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  alch_status status = await_answer(connection, error);
  if (status != ALCH_OK) return status;
  statement->out->stage = connection->copying == ALCH_POSTGRESQL_COPY_OUT ? OUT_ROWS : OUT_DONE;
  return statement->out->stage == OUT_DONE && connection->copy_failure.set ? alch_error_copy(error, &connection->copy_failure) : ALCH_OK;
}

alch_status alch_postgresql_poll_out(alch_driver_statement *statement, alch_error *error) {
  alch_postgresql_out *out = statement->out;
  alch_status status = ALCH_OK;
  while (status == ALCH_OK) {
    switch (out->stage) {
      case OUT_ASKING: status = poll_asking_out(statement, error); break;
      case OUT_OPENING: case OUT_ENDING: status = poll_answer_out(statement, error); break;
      case OUT_ROWS: status = next_out(statement, error); break;
      default: return ALCH_DONE;
    }
  }
  if (status < 0 && statement->connection->copying == ALCH_POSTGRESQL_COPY_NONE) out->stage = OUT_DONE;
  return status;
}

static alch_status make_room(alch_driver_statement *statement, uint32_t count, alch_error *error) {
  const alch_postgresql_out *out = statement->out;
  alch_status status = ALCH_OK;
  size_t room = 1;
  alch_buffer_clear(&statement->inside);
  for (uint32_t i = 0; i < count && status == ALCH_OK && statement->has_inside; i++)
    if (out->cells[i] && statement->columns[i].container) status = alch_postgresql_make_inside(statement, i, out->cells[i], out->lengths[i], error);
  alch_buffer_clear(&statement->scratch);
  for (uint32_t i = 0; i < count && status == ALCH_OK; i++)
    if (out->cells[i] && out->lengths[i] >= statement->columns[i].size) room += alch_postgresql_scratch_of(&statement->columns[i], out->cells[i], out->lengths[i]);
  return status != ALCH_OK || alch_buffer_reserve(&statement->scratch, room) ? status : alch_error_out_of_memory(error);
}

alch_status alch_postgresql_row_out(alch_driver_statement *statement, alch_value *values, uint32_t count, alch_error *error) {
  const alch_postgresql_out *out = statement->out;
  if (out->lines) {
    values[0] = alch_value_text(out->row, (size_t)out->length);
    return ALCH_OK;
  }
  if (statement->own_texts && make_room(statement, count, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < count; i++) {
    const alch_postgresql_column *column = &statement->columns[i];
    if (!out->cells[i]) values[i] = ALCH_VALUE_NULL;
    else if (column->container) values[i] = alch_value_text(statement->inside.text + column->text_at, column->text_length);
    else if (out->lengths[i] < column->size) return wrong_row(error);
    else if (column->read(statement, out->cells[i], out->lengths[i], &values[i], error) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}

const alch_bulk alch_postgresql_bulk = {
  .open = load_open, .poll = load_poll, .add = load_add, .add_text = load_add_text, .finish = load_finish, .rows = load_rows, .sql = load_sql, .close = load_close, .copy_out = copy_out,
};
