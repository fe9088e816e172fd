/* What this database can do because it lives within the process: functions, aggregates, window functions and collations of the host, backups, serialised databases, blobs in pieces, patience with locks.
   A host function that fails must not leave by a long jump across the library's frames: the library is told of a failure, the connection remembers it, and the call that was under way answers ALCH_HOST_ERROR. */
#include "engine/drivers/sqlite_private.h"
#include "engine/engine.h"
#include <string.h>
#include <unistd.h>

/* ---- locks ---- */

/* A writer that begins again at once leaves the file free for a ten-thousandth of a second, which who asks seldom misses for seconds on end: so pauses double up to a two-hundredth of a second, and get shorter
   the less time is left. Each is cut at random, so that those who wait do not come back at once. */
static int64_t choose_pause(int count, int64_t left) {
  int64_t pause = count < 3 ? INT64_C(1000) << count : 5000, most = left / 2000 > 250 ? left / 2000 : 250;
  uint32_t chance;
  if (pause > most) pause = most;
  sqlite3_randomness(sizeof chance, &chance);
  return pause / 2 + (int64_t)(chance % (uint32_t)(pause / 2 + 1));
}

static int wait_for_lock(void *context, int count) {
  alch_driver_connection *connection = context;
  int64_t now = alch_clock_microseconds();
  if (count == 0) connection->busy_since = now;
  int64_t left = connection->busy_limit - (now - connection->busy_since);
  if (left <= 0 || atomic_load(&connection->interrupted)) return 0;
  int64_t pause = choose_pause(count, left);
  usleep((useconds_t)(pause < left ? pause : left));
  return 1;
}

void alch_sqlite_watch_locks(alch_driver_connection *connection, int timeout) {
  connection->busy_limit = (int64_t)timeout * 1000;
  sqlite3_busy_handler(connection->db, timeout > 0 ? wait_for_lock : NULL, connection);
}

/* ---- values ---- */

static void take_value(sqlite3_value *from, alch_value *out) {
  *out = ALCH_VALUE_NULL;
  int type = sqlite3_value_type(from);
  if (type == SQLITE_INTEGER) *out = alch_value_integer(sqlite3_value_int64(from));
  else if (type == SQLITE_FLOAT) *out = alch_value_real(sqlite3_value_double(from));
  else if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
    out->kind = type == SQLITE_TEXT ? ALCH_TEXT : ALCH_BLOB;
    out->text = type == SQLITE_TEXT ? (const char *)sqlite3_value_text(from) : sqlite3_value_blob(from);
    out->length = (uint32_t)sqlite3_value_bytes(from);
    if (!out->text) out->text = "";
  }
}

static void give_value(alch_function_call *call, const alch_value *value) {
  sqlite3_context *context = call->target;
  switch (value->kind) {
  case ALCH_NULL: sqlite3_result_null(context); break;
  case ALCH_INTEGER:
  case ALCH_BOOLEAN: sqlite3_result_int64(context, value->integer); break;
  case ALCH_REAL: sqlite3_result_double(context, value->real); break;
  case ALCH_TEXT:
  case ALCH_DECIMAL: sqlite3_result_text64(context, value->text ? value->text : "", value->length, SQLITE_TRANSIENT, SQLITE_UTF8); break;
  case ALCH_BLOB: sqlite3_result_blob64(context, value->text ? value->text : "", value->length, SQLITE_TRANSIENT); break;
  default: sqlite3_result_error(context, "the function answered a value that cannot be stored", -1);
  }
}

/* ---- functions ---- */

/* Released with the library's own connection, which an open value keeps beyond ours. */
typedef struct held_function {
  alch_driver_connection *connection;
  const alch_allocator *allocator;
  alch_user_function function;         /* its name is not kept */
} held_function;

enum { MOST_ARGUMENTS = 127 };         /* the library's own limit (SQLITE_MAX_FUNCTION_ARG) */

static void call_host(sqlite3_context *context, alch_function_phase phase, int count, sqlite3_value **values) {
  held_function *held = sqlite3_user_data(context);
  alch_value arguments[MOST_ARGUMENTS];
  alch_function_call call = { .phase = phase, .arguments = arguments, .count = (uint32_t)count, .answer = give_value, .target = context };
  call.discarded = held->connection->host_failed || !held->connection->stepping;
  if (held->function.aggregate) {
    call.state = sqlite3_aggregate_context(context, sizeof(int64_t));
    if (!call.state) {
      sqlite3_result_error_nomem(context);
      return;
    }
  }
  if (call.discarded && phase != ALCH_FUNCTION_FINISH) {
    sqlite3_result_error(context, "a function has failed", -1);
    return;
  }
  for (int i = 0; i < count; i++) take_value(values[i], &arguments[i]);
  if (held->function.call(held->function.context, &call) == ALCH_OK) return;
  held->connection->host_failed = true;
  sqlite3_result_error(context, "a function has failed", -1);
}

static void on_call(sqlite3_context *context, int count, sqlite3_value **values) { call_host(context, ALCH_FUNCTION_CALL, count, values); }
static void on_step(sqlite3_context *context, int count, sqlite3_value **values) { call_host(context, ALCH_FUNCTION_STEP, count, values); }
static void on_inverse(sqlite3_context *context, int count, sqlite3_value **values) { call_host(context, ALCH_FUNCTION_INVERSE, count, values); }
static void on_value(sqlite3_context *context) { call_host(context, ALCH_FUNCTION_VALUE, 0, NULL); }
static void on_finish(sqlite3_context *context) { call_host(context, ALCH_FUNCTION_FINISH, 0, NULL); }

static void release_function(void *context) {
  held_function *held = context;
  if (held->function.release) held->function.release(held->function.context);
  alch_free(held->allocator, held, sizeof *held);
}

static alch_status create_function(alch_driver_connection *connection, const alch_user_function *function, alch_error *error) {
  held_function *held = alch_allocate(connection->allocator, sizeof *held);
  if (!held) {
    if (function->release) function->release(function->context);
    return alch_error_out_of_memory(error);
  }
  *held = (held_function){ connection, connection->allocator, *function };
  int flags = SQLITE_UTF8 | (function->deterministic ? SQLITE_DETERMINISTIC : 0), code;
  if (function->window) code = sqlite3_create_window_function(connection->db, function->name, function->arguments, flags, held, on_step, on_finish, on_value, on_inverse, release_function);
  else if (function->aggregate) code = sqlite3_create_function_v2(connection->db, function->name, function->arguments, flags, held, NULL, on_step, on_finish, release_function);
  else code = sqlite3_create_function_v2(connection->db, function->name, function->arguments, flags, held, on_call, NULL, NULL, release_function);
  return code == SQLITE_OK ? ALCH_OK : alch_sqlite_fail(connection->db, code, error);
}

/* ---- collations ---- */

typedef struct held_collation {
  alch_driver_connection *connection;
  const alch_allocator *allocator;
  alch_collation collation;
} held_collation;

/* There is no way to say that a comparison failed, but the statement can be stopped. */
static int on_compare(void *context, int first_length, const void *first, int second_length, const void *second) {
  held_collation *held = context;
  int order = 0;
  if (held->connection->host_failed) return 0;
  if (held->collation.compare(held->collation.context, first, (size_t)first_length, second, (size_t)second_length, &order) == ALCH_OK) return order;
  held->connection->host_failed = true;
  sqlite3_interrupt(held->connection->db);
  return 0;
}

static void release_collation(void *context) {
  held_collation *held = context;
  if (held->collation.release) held->collation.release(held->collation.context);
  alch_free(held->allocator, held, sizeof *held);
}

/* Unlike functions, a collation that cannot be made is not released by the library. */
static alch_status create_collation(alch_driver_connection *connection, const alch_collation *collation, alch_error *error) {
  held_collation *held = alch_allocate(connection->allocator, sizeof *held);
  if (!held) {
    if (collation->release) collation->release(collation->context);
    return alch_error_out_of_memory(error);
  }
  *held = (held_collation){ connection, connection->allocator, *collation };
  int code = sqlite3_create_collation_v2(connection->db, collation->name, SQLITE_UTF8, held, on_compare, release_collation);
  if (code == SQLITE_OK) return ALCH_OK;
  release_collation(held);
  return alch_sqlite_fail(connection->db, code, error);
}

/* ---- backups ---- */

struct alch_backup {
  alch_driver_connection *to;
  sqlite3_backup *handle;
};

static alch_status backup_open(alch_driver_connection *to, alch_driver_connection *from, alch_backup **out, alch_error *error) {
  alch_backup *backup = alch_allocate(to->allocator, sizeof *backup);
  *out = NULL;
  if (!backup) return alch_error_out_of_memory(error);
  *backup = (alch_backup){ to, sqlite3_backup_init(to->db, "main", from->db, "main") };
  if (backup->handle) {
    *out = backup;
    return ALCH_OK;
  }
  alch_free(to->allocator, backup, sizeof *backup);
  return alch_sqlite_fail(to->db, sqlite3_errcode(to->db), error);
}

static alch_status backup_step(alch_backup *backup, int32_t pages, uint32_t *remaining, uint32_t *total, alch_error *error) {
  int code = sqlite3_backup_step(backup->handle, pages);
  *remaining = (uint32_t)sqlite3_backup_remaining(backup->handle);
  *total = (uint32_t)sqlite3_backup_pagecount(backup->handle);
  if (code == SQLITE_OK || code == SQLITE_DONE) return code == SQLITE_DONE ? ALCH_DONE : ALCH_OK;
  return alch_sqlite_fail(NULL, code, error);
}

static void backup_close(alch_backup *backup) {
  sqlite3_backup_finish(backup->handle);
  alch_free(backup->to->allocator, backup, sizeof *backup);
}

/* ---- as bytes ---- */

static alch_status serialize(alch_driver_connection *connection, const char *schema, void **bytes, size_t *length, alch_error *error) {
  sqlite3_int64 size = 0;
  *bytes = sqlite3_serialize(connection->db, schema, &size, 0);
  *length = size > 0 ? (size_t)size : 0;
  if (*bytes || size == 0) return ALCH_OK;   /* a database in which nothing was ever written has no pages */
  if (size < 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "there is no schema '%s' on this connection", schema);
  return alch_error_out_of_memory(error);
}

static void release(alch_driver_connection *connection, void *bytes) {
  (void)connection;
  sqlite3_free(bytes);
}

/* How a database begins (https://sqlite.org/fileformat.html): 100 bytes, of which these say what it is, and whether a log stands beside it. */
static const char magic[16] = "SQLite format 3";
enum { HEADER_BYTES = 100, WRITE_VERSION = 18, READ_VERSION = 19, WITHOUT_LOG = 1 };

/* In memory there is no log: sqlite3_deserialize's page says to change the versions of a database that had one. Its rows are all in the bytes. */
static alch_status deserialize(alch_driver_connection *connection, const char *schema, const void *bytes, size_t length, alch_error *error) {
  if (length > 0 && (length < HEADER_BYTES || memcmp(bytes, magic, sizeof magic) != 0))
    return alch_error_set(error, ALCH_ERROR_DATA, "deserialize takes the bytes of a database, as serialize gives them, and these %llu are none", (unsigned long long)length);
  unsigned char *copy = sqlite3_malloc64(length > 0 ? length : 1);
  if (!copy) return alch_error_out_of_memory(error);
  memcpy(copy, bytes, length);
  if (length > 0) copy[WRITE_VERSION] = copy[READ_VERSION] = WITHOUT_LOG;
  int code = sqlite3_deserialize(connection->db, schema, copy, (sqlite3_int64)length, (sqlite3_int64)length, SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
  return code == SQLITE_OK ? ALCH_OK : alch_sqlite_fail(connection->db, code, error);
}

/* ---- blobs in pieces ---- */

/* It may outlive the connection: the library keeps what it needs until the last handle is closed. */
struct alch_large {
  const alch_allocator *allocator;
  sqlite3 *db;
  sqlite3_blob *handle;
};

static alch_status large_open(alch_driver_connection *connection, const char *schema, const char *table, const char *column, int64_t row, bool writable, alch_large **out, alch_error *error) {
  alch_large *large = alch_allocate(connection->allocator, sizeof *large);
  *out = NULL;
  if (!large) return alch_error_out_of_memory(error);
  *large = (alch_large){ connection->allocator, connection->db, NULL };
  int code = sqlite3_blob_open(connection->db, schema, table, column, row, writable, &large->handle);
  if (code == SQLITE_OK) {
    *out = large;
    return ALCH_OK;
  }
  alch_free(connection->allocator, large, sizeof *large);
  return alch_sqlite_fail(connection->db, code, error);
}

static uint64_t large_size(alch_large *large) { return (uint64_t)sqlite3_blob_bytes(large->handle); }

static alch_status check_piece(alch_large *large, uint64_t offset, size_t length, alch_error *error) {
  uint64_t size = large_size(large);
  if (offset <= size && length <= size - offset) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_DATA, "bytes %llu to %llu are not within the value, which has %llu: its size is set by the statement that writes it (zeroblob)", (unsigned long long)offset,
                        (unsigned long long)(offset + length), (unsigned long long)size);
}

/* SQLITE_ABORT: somebody has written to the row meanwhile. */
static alch_status large_failed(alch_large *large, int code, alch_error *error) {
  if (code == SQLITE_ABORT) return alch_error_set(error, ALCH_ERROR_OPERATIONAL, "the row of this value was written to meanwhile: open the value again");
  return alch_sqlite_fail(large->db, code, error);
}

static alch_status large_read(alch_large *large, uint64_t offset, void *bytes, size_t length, alch_error *error) {
  alch_status status = check_piece(large, offset, length, error);
  if (status != ALCH_OK) return status;
  int code = sqlite3_blob_read(large->handle, bytes, (int)length, (int)offset);
  return code == SQLITE_OK ? ALCH_OK : large_failed(large, code, error);
}

static alch_status large_write(alch_large *large, uint64_t offset, const void *bytes, size_t length, alch_error *error) {
  alch_status status = check_piece(large, offset, length, error);
  if (status != ALCH_OK) return status;
  int code = sqlite3_blob_write(large->handle, bytes, (int)length, (int)offset);
  return code == SQLITE_OK ? ALCH_OK : large_failed(large, code, error);
}

static void large_close(alch_large *large) {
  sqlite3_blob_close(large->handle);
  alch_free(large->allocator, large, sizeof *large);
}

const alch_embedded alch_sqlite_embedded = { ALCH_EMBEDDED_FUNCTIONS };
