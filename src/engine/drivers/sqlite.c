/* The embedded database. It never waits: every call is done when it answers (sqlite_worker.c has it done on a thread).
   Connections are opened without the library's own mutexes (a connection belongs to one thread at a time), which is a fifth of the time of a read. */
#include "engine/drivers/sqlite_private.h"
#include <stdio.h>
#include <string.h>

struct alch_driver_statement {
  alch_driver_connection *connection;
  sqlite3_stmt *handle;
  int64_t changes;
  int64_t total_before;   /* changes of the connection when the execution started */
  bool read_only;
  bool utf8_known;        /* texts of this execution have been found to be UTF-8 in the file */
};

/* ---- connecting ---- */

static alch_status open_failed(alch_driver_connection *connection, const alch_sqlite_settings *settings, int code, alch_error *error) {
  alch_sqlite_fail(connection->db, code, error);
  if (error && error->kind == ALCH_ERROR_OPERATIONAL) {
    int extended = error->code;
    alch_error_set(error, ALCH_ERROR_OPERATIONAL, "%s: '%s'", connection->db ? sqlite3_errmsg(connection->db) : sqlite3_errstr(code), settings->path);
    error->code = extended;
  }
  return ALCH_ERROR;
}

/* `immutable` can only be said in a URI, in which the path's own special characters are escaped (%w doubles quotes, which is not this). */
static char *immutable_uri(const char *path) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  sqlite3_str_appendall(text, "file:");
  for (; *path; path++) {
    if (strchr("%?#", *path)) sqlite3_str_appendf(text, "%%%02X", *path);
    else sqlite3_str_appendchar(text, 1, *path);
  }
  sqlite3_str_appendall(text, "?immutable=1");
  return sqlite3_str_finish(text);
}

static alch_status open_database(alch_driver_connection *connection, const alch_sqlite_settings *settings, alch_error *error) {
  const char *path = settings->path;
  char *uri = NULL;
  int flags = settings->flags;
  if (settings->immutable && !(flags & SQLITE_OPEN_URI)) {
    path = uri = immutable_uri(path);
    if (!uri) return alch_error_out_of_memory(error);
    flags |= SQLITE_OPEN_URI;
  }
  int code = sqlite3_open_v2(path, &connection->db, flags, settings->vfs);
  alch_status status = code == SQLITE_OK ? ALCH_OK : open_failed(connection, settings, code, error);
  sqlite3_free(uri);
  return status;
}

static alch_status run_pragma(alch_driver_connection *connection, const char *name, const char *value, alch_error *error) {
  char sql[128];
  snprintf(sql, sizeof sql, "PRAGMA %s=%s", name, value);
  int code = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
  return code == SQLITE_OK ? ALCH_OK : alch_sqlite_fail(connection->db, code, error);
}

/* The database answers the mode that it has afterwards, and says nothing more when that is not the one that was asked for. */
static alch_status set_journal_mode(alch_driver_connection *connection, const char *mode, alch_error *error) {
  char sql[64];
  sqlite3_stmt *handle = NULL;
  snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s", mode);
  int code = sqlite3_prepare_v2(connection->db, sql, -1, &handle, NULL);
  if (code == SQLITE_OK) code = sqlite3_step(handle);
  alch_status status = ALCH_OK;
  if (code != SQLITE_ROW && code != SQLITE_DONE) status = alch_sqlite_fail(connection->db, code, error);
  const char *now = code == SQLITE_ROW ? (const char *)sqlite3_column_text(handle, 0) : NULL;
  if (now && sqlite3_stricmp(now, mode) != 0)
    status = alch_error_set(error, ALCH_ERROR_OPERATIONAL, "journal_mode=%s is not possible here: it stays '%s'", mode, now);
  sqlite3_finalize(handle);
  return status;
}

/* Before anything is written: some of them (page_size, encoding) come too late afterwards. */
static alch_status run_pragmas(alch_driver_connection *connection, const alch_url *url, alch_error *error) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < url->option_count && status == ALCH_OK; i++) {
    const char *name = alch_sqlite_pragma(&url->options[i]);
    if (name) status = run_pragma(connection, name, url->options[i].value, error);
  }
  return status;
}

/* A quoted column that does not exist would otherwise be a string, row after row (https://sqlite.org/quirks.html, 8). */
static alch_status apply_settings(alch_driver_connection *connection, const alch_sqlite_settings *settings, alch_error *error) {
  sqlite3_extended_result_codes(connection->db, 1);
  sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DQS_DML, (int)settings->dqs, (int *)NULL);
  alch_sqlite_watch_locks(connection, settings->timeout);
  connection->begin = settings->begin;
  alch_status status = run_pragma(connection, "foreign_keys", settings->foreign_keys ? "1" : "0", error);
  if (status == ALCH_OK) status = run_pragmas(connection, settings->url, error);
  if (status == ALCH_OK && settings->journal_mode) status = set_journal_mode(connection, settings->journal_mode, error);
  if (status == ALCH_OK && settings->synchronous) status = run_pragma(connection, "synchronous", settings->synchronous, error);
  return status;
}

static void sqlite_close(alch_driver_connection *connection) {
  sqlite3_close_v2(connection->db);
  alch_free(connection->allocator, connection, sizeof *connection);
}

static alch_status sqlite_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error) {
  (void)driver;
  *out = NULL;
  alch_sqlite_settings settings;
  alch_status status = alch_sqlite_settings_read(url, &settings, error);
  if (status != ALCH_OK) return status;
  alch_driver_connection *connection = alch_allocate_zeroed(allocator, sizeof *connection);
  if (!connection) return alch_error_out_of_memory(error);
  connection->allocator = allocator;
  status = open_database(connection, &settings, error);
  if (status == ALCH_OK) status = apply_settings(connection, &settings, error);
  if (status == ALCH_OK) *out = connection;
  else sqlite_close(connection);
  return status;
}

static alch_status sqlite_connect_poll(alch_driver_connection *connection, alch_error *error) {
  (void)connection, (void)error;
  return ALCH_OK;
}

static void sqlite_waits_for(alch_driver_connection *connection, alch_wait *out) {
  (void)connection;
  *out = (alch_wait){ .descriptor = -1, .microseconds = 0 };
}

alch_status alch_sqlite_check(const alch_driver *driver, const alch_url *url, alch_error *error) {
  (void)driver;
  alch_sqlite_settings settings;
  return alch_sqlite_settings_read(url, &settings, error);
}

/* ---- preparing ---- */

static const char *skip_comment(const char *at, const char *end) {
  if (at[0] == '-') {
    while (at < end && *at != '\n') at++;
    return at;
  }
  for (at += 2; at < end; at++)
    if (at[0] == '*' && at + 1 < end && at[1] == '/') return at + 2;
  return end;
}

/* Is there nothing but white space, comments and semicolons? */
static bool is_blank(const char *at, const char *end) {
  while (at < end) {
    bool comment = at + 1 < end && ((at[0] == '-' && at[1] == '-') || (at[0] == '/' && at[1] == '*'));
    if (comment) at = skip_comment(at, end);
    else if (strchr(" \t\r\n\f;", *at)) at++;
    else return false;
  }
  return true;
}

/* One of an earlier statement. */
static void forget_interruption(alch_driver_connection *connection) {
  if (ALCH_UNLIKELY(atomic_load_explicit(&connection->interrupted, memory_order_relaxed))) atomic_store(&connection->interrupted, false);
}

/* Whoever waits for a lock learns of an interruption as of a lock that did not come free. */
static alch_status fail_call(const alch_driver_connection *connection, int code, alch_error *error) {
  bool gave_up = (code & 0xff) == SQLITE_BUSY && atomic_load(&connection->interrupted);
  return gave_up ? alch_sqlite_fail(NULL, SQLITE_INTERRUPT, error) : alch_sqlite_fail(connection->db, code, error);
}

static alch_status prepare_handle(alch_driver_connection *connection, const char *sql, size_t length, sqlite3_stmt **out, alch_error *error) {
  const char *tail = sql;
  if (length > INT32_MAX - 1) return alch_error_set(error, ALCH_ERROR_DATA, "a statement of %zu bytes is too long", length);
  if (memchr(sql, '\0', length)) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has a zero byte in it");
  forget_interruption(connection);
  int code = sqlite3_prepare_v3(connection->db, sql, (int)length + 1, SQLITE_PREPARE_PERSISTENT, out, &tail);
  if (code != SQLITE_OK) return fail_call(connection, code, error);
  if (!*out) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement is empty");
  if (is_blank(tail, sql + length)) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "a second statement follows the first: execute them one by one");
}

static alch_status sqlite_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error) {
  (void)types, (void)count;
  *out = NULL;
  sqlite3_stmt *handle = NULL;
  alch_driver_statement *statement = NULL;
  alch_status status = prepare_handle(connection, sql, length, &handle, error);
  if (status == ALCH_OK && !(statement = alch_allocate_zeroed(connection->allocator, sizeof *statement))) status = alch_error_out_of_memory(error);
  if (status != ALCH_OK) {
    sqlite3_finalize(handle);
    return status;
  }
  *statement = (alch_driver_statement){ .connection = connection, .handle = handle, .changes = -1, .read_only = sqlite3_stmt_readonly(handle) != 0 };
  *out = statement;
  return ALCH_OK;
}

static uint32_t sqlite_parameter_count(alch_driver_statement *statement) {
  return (uint32_t)sqlite3_bind_parameter_count(statement->handle);
}

static bool sqlite_read_only(alch_driver_statement *statement) {
  return statement->read_only;
}

static void sqlite_finalize(alch_driver_statement *statement) {
  sqlite3_finalize(statement->handle);
  alch_free(statement->connection->allocator, statement, sizeof *statement);
}

/* ---- executing ---- */

/* A NaN would be stored as NULL without a word. */
static int bind_real(sqlite3_stmt *handle, int place, double real, alch_error *error) {
  if (real == real) return sqlite3_bind_double(handle, place, real);
  alch_error_set(error, ALCH_ERROR_DATA, "parameter %d is not a number: SQLite would store it as NULL", place);
  return -1;
}

static int bind_other(sqlite3_stmt *handle, int place, const alch_value *value, alch_error *error) {
  (void)handle;
  alch_error_set(error, ALCH_ERROR_INTERFACE, "parameter %d has the kind %s, which SQLite cannot store", place, alch_value_kind_name(value->kind));
  return -1;
}

/* Answers a result code, or -1 when the error is filled already. A text or blob without bytes is not NULL, so it needs an address. */
static int bind_value(sqlite3_stmt *handle, int place, const alch_value *value, alch_error *error) {
  switch (value->kind) {
  case ALCH_NULL: return sqlite3_bind_null(handle, place);
  case ALCH_INTEGER:
  case ALCH_BOOLEAN: return sqlite3_bind_int64(handle, place, value->integer);
  case ALCH_REAL: return bind_real(handle, place, value->real, error);
  case ALCH_TEXT:
  case ALCH_DECIMAL: return sqlite3_bind_text64(handle, place, value->text ? value->text : "", value->length, SQLITE_STATIC, SQLITE_UTF8);
  case ALCH_BLOB: return sqlite3_bind_blob64(handle, place, value->text ? value->text : "", value->length, SQLITE_STATIC);
  default: return bind_other(handle, place, value, error);
  }
}

static alch_status sqlite_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error) {
  sqlite3_stmt *handle = statement->handle;
  for (uint32_t i = 0; i < count; i++) {
    int code = bind_value(handle, (int)i + 1, &values[i], error);
    if (ALCH_UNLIKELY(code != SQLITE_OK)) return code < 0 ? ALCH_ERROR : alch_sqlite_fail(statement->connection->db, code, error);
  }
  statement->changes = -1;
  statement->utf8_known = false;
  forget_interruption(statement->connection);
  if (!statement->read_only) statement->total_before = sqlite3_total_changes(statement->connection->db);
  return ALCH_OK;
}

#if SQLITE_VERSION_NUMBER < 3037000
#define sqlite3_changes64 sqlite3_changes
#endif

/* The count of the last statement that wrote rows stands until the next one that does, so a statement that wrote none must not ask for it. */
static void count_changes(alch_driver_statement *statement) {
  sqlite3 *db = statement->connection->db;
  if (statement->read_only) return;
  statement->changes = sqlite3_total_changes(db) == statement->total_before ? 0 : sqlite3_changes64(db);
}

/* The host keeps the error of its function; the library was only told that there was one. */
static alch_status host_failed(alch_driver_connection *connection) {
  connection->host_failed = false;
  return ALCH_HOST_ERROR;
}

static alch_status sqlite_poll(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  bool outer = connection->stepping;
  connection->stepping = true;
  int code = sqlite3_step(statement->handle);
  connection->stepping = outer;
  if (ALCH_UNLIKELY(connection->host_failed)) return host_failed(connection);
  if (ALCH_LIKELY(code == SQLITE_ROW)) return ALCH_ROW;
  if (code != SQLITE_DONE) return fail_call(connection, code, error);
  count_changes(statement);
  return ALCH_DONE;
}

/* Aggregates that were under way are finished, which may fail as well: nobody asks any more. */
static void sqlite_finish(alch_driver_statement *statement) {
  sqlite3_reset(statement->handle);
}

/* A file that holds UTF-16 is converted by the library, cell by cell; all texts of one database have one encoding, so the first one tells. */
static bool find_utf8(alch_driver_statement *statement, sqlite3_value *cell) {
#if SQLITE_VERSION_NUMBER >= 3040000
  statement->utf8_known = sqlite3_value_encoding(cell) == SQLITE_UTF8;
#else
  (void)cell;
#endif
  return statement->utf8_known;
}

/* sqlite3_value_text would copy every text of a table, since there is no zero byte behind it in the page; the bytes are all that is wanted. */
static void read_text(alch_driver_statement *statement, sqlite3_value *cell, alch_value *out) {
  out->kind = ALCH_TEXT;
  if (ALCH_LIKELY(statement->utf8_known) || find_utf8(statement, cell)) out->text = sqlite3_value_blob(cell);
  else out->text = (const char *)sqlite3_value_text(cell);
  out->length = (uint32_t)sqlite3_value_bytes(cell);
}

static void read_blob(sqlite3_value *cell, alch_value *out) {
  out->kind = ALCH_BLOB;
  out->text = sqlite3_value_blob(cell);
  out->length = (uint32_t)sqlite3_value_bytes(cell);
}

/* A text or blob whose bytes cannot be had is a failed allocation; an empty one has none. */
static alch_status read_cell(alch_driver_statement *statement, sqlite3_value *cell, alch_value *out, alch_error *error) {
  switch (sqlite3_value_type(cell)) {
  case SQLITE_INTEGER:
    *out = alch_value_integer(sqlite3_value_int64(cell));
    return ALCH_OK;
  case SQLITE_FLOAT:
    *out = alch_value_real(sqlite3_value_double(cell));
    return ALCH_OK;
  case SQLITE_TEXT: read_text(statement, cell, out); break;
  case SQLITE_BLOB: read_blob(cell, out); break;
  default:
    *out = ALCH_VALUE_NULL;
    return ALCH_OK;
  }
  if (ALCH_LIKELY(out->text)) return ALCH_OK;
  if (sqlite3_errcode(statement->connection->db) == SQLITE_NOMEM) return alch_error_out_of_memory(error);
  out->text = "";
  return ALCH_OK;
}

static alch_status sqlite_cells(alch_driver_statement *statement, alch_value *out, uint32_t first, uint32_t count, alch_error *error) {
  sqlite3_stmt *handle = statement->handle;
  for (uint32_t i = 0; i < count; i++)
    if (ALCH_UNLIKELY(read_cell(statement, sqlite3_column_value(handle, (int)(first + i)), &out[i], error) != ALCH_OK)) return ALCH_ERROR;
  return ALCH_OK;
}

static alch_status sqlite_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error) { return sqlite_cells(statement, out, 0, count, error); }

static uint32_t sqlite_column_count(alch_driver_statement *statement) {
  return (uint32_t)sqlite3_column_count(statement->handle);
}

static const char *sqlite_column_name(alch_driver_statement *statement, uint32_t column) {
  const char *name = sqlite3_column_name(statement->handle, (int)column);
  return name ? name : "";
}

static int64_t sqlite_changes(alch_driver_statement *statement) {
  return statement->changes;
}

static int64_t sqlite_last_insert_id(alch_driver_connection *connection) {
  return sqlite3_last_insert_rowid(connection->db);
}

static bool sqlite_in_transaction(alch_driver_connection *connection) {
  return !sqlite3_get_autocommit(connection->db);
}

/* There is no server that could go away. */
static bool sqlite_alive(alch_driver_connection *connection) {
  return connection->db != NULL;
}

static void sqlite_server(alch_driver_connection *connection, alch_server *out) {
  (void)connection;
  *out = (alch_server){ .product = "SQLite", .version = sqlite3_libversion() };
}

static alch_status sqlite_begin(alch_driver_connection *connection, const char **sql, alch_error *error) {
  (void)error;
  *sql = connection->begin;
  return ALCH_OK;
}

static void sqlite_interrupt(alch_driver_connection *connection) {
  atomic_store(&connection->interrupted, true);
  sqlite3_interrupt(connection->db);
}

const alch_driver alch_driver_sqlite = {
  .name = "sqlite",
  .dialect = "sqlite",
  .scatters_keys = ALCH_SQLITE_SCATTERS_KEYS,
  .check = alch_sqlite_check,
  .lives_in_connection = alch_sqlite_settings_private,
  .connect = sqlite_connect,
  .connect_poll = sqlite_connect_poll,
  .waits_for = sqlite_waits_for,
  .close = sqlite_close,
  .prepare = sqlite_prepare,
  .parameter_count = sqlite_parameter_count,
  .read_only = sqlite_read_only,
  .finalize = sqlite_finalize,
  .start = sqlite_start,
  .poll = sqlite_poll,
  .row = sqlite_row,
  .cells = sqlite_cells,
  .finish = sqlite_finish,
  .column_count = sqlite_column_count,
  .column_name = sqlite_column_name,
  .changes = sqlite_changes,
  .last_insert_id = sqlite_last_insert_id,
  .in_transaction = sqlite_in_transaction,
  .server = sqlite_server,
  .alive = sqlite_alive,
  .interrupt = sqlite_interrupt,
  .begin = sqlite_begin,
  .choose = alch_sqlite_choose,
  .embedded = &alch_sqlite_embedded,
};
