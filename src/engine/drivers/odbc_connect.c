/* Connections, transactions, signs of life. Calls of ODBC block: none of the drivers that were measured can do otherwise, so nothing here ever answers ALCH_WAIT. */
#include "engine/drivers/odbc_private.h"
#include <string.h>

static void *number(uintptr_t value) {
  return (void *)value;   /* the standard passes integers as pointers */
}

static alch_status allocate_handles(alch_driver_connection *connection, alch_error *error) {
  const alch_odbc_library *library = connection->library;
  if (!alch_odbc_succeeded(library->SQLAllocHandle(SQL_HANDLE_ENV, NULL, &connection->environment))) return alch_error_out_of_memory(error);
  if (!alch_odbc_succeeded(library->SQLSetEnvAttr(connection->environment, SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0))) return alch_odbc_fail(connection, SQL_HANDLE_ENV, connection->environment, error);
  if (!alch_odbc_succeeded(library->SQLAllocHandle(SQL_HANDLE_DBC, connection->environment, &connection->handle))) return alch_odbc_fail(connection, SQL_HANDLE_ENV, connection->environment, error);
  return ALCH_OK;
}

static bool deletes(alch_driver_connection *connection, SQLUSMALLINT what) {
  SQLUSMALLINT behaviour = 0;
  enum { CB_DELETE = 0 };
  return alch_odbc_succeeded(connection->library->SQLGetInfo(connection->handle, what, &behaviour, sizeof behaviour, NULL)) && behaviour == CB_DELETE;
}

static alch_status drive(alch_driver_connection *connection, const alch_odbc_settings *settings, alch_error *error) {
  const alch_odbc_library *library = connection->library;
  const alch_buffer *text = &settings->connection_string;
  alch_buffer wide;
  alch_buffer_init(&wide, connection->allocator);
  bool utf8 = alch_odbc_widen(alch_buffer_text(text), text->length, &wide);
  alch_status status = ALCH_OK;
  /* a driver without a time limit says so by failing, which is no reason not to connect */
  if (settings->connect_timeout) library->SQLSetConnectAttr(connection->handle, SQL_ATTR_LOGIN_TIMEOUT, number(settings->connect_timeout), 0);
  if (alch_buffer_failed(&wide)) status = alch_error_out_of_memory(error);
  else if (!utf8 || wide.length / sizeof(SQLWCHAR) > INT16_MAX) status = alch_error_set(error, ALCH_ERROR_ARGUMENT, "the connection string is longer than 32767 characters, or no UTF-8");
  else if (!alch_odbc_succeeded(library->SQLDriverConnectW(connection->handle, NULL, (SQLWCHAR *)(void *)wide.text, (SQLSMALLINT)(wide.length / sizeof(SQLWCHAR)), NULL, 0, NULL, 0)))
    status = alch_odbc_fail(connection, SQL_HANDLE_DBC, connection->handle, error);
  else connection->connected = true;
  alch_buffer_close(&wide);
  return status;
}

/* "" where the driver does not tell. */
static void read_text(const alch_driver_connection *connection, SQLUSMALLINT what, char *out, size_t size) {
  SQLSMALLINT length = 0;
  if (!alch_odbc_succeeded(connection->library->SQLGetInfo(connection->handle, what, out, (SQLSMALLINT)size, &length))) *out = '\0';
}

/* What a new session is told. */
static alch_status prepare_session(alch_driver_connection *connection, const alch_odbc_settings *settings, alch_error *error) {
  const alch_odbc_library *library = connection->library;
  read_text(connection, SQL_DBMS_NAME, connection->product, sizeof connection->product);
  read_text(connection, SQL_DBMS_VER, connection->version, sizeof connection->version);
  connection->commit_deletes = deletes(connection, SQL_CURSOR_COMMIT_BEHAVIOR);
  connection->rollback_deletes = deletes(connection, SQL_CURSOR_ROLLBACK_BEHAVIOR);
  if (settings->isolation && !alch_odbc_succeeded(library->SQLSetConnectAttr(connection->handle, SQL_ATTR_TXN_ISOLATION, number(settings->isolation), 0)))
    return alch_odbc_fail(connection, SQL_HANDLE_DBC, connection->handle, error);
  return connection->quirks->session ? alch_odbc_run(connection, connection->quirks->session, error) : ALCH_OK;
}

void alch_odbc_close(alch_driver_connection *connection) {
  const alch_odbc_library *library = connection->library;
  /* a connection with a transaction open cannot be left (25000) */
  if (connection->connected && connection->in_transaction) library->SQLEndTran(SQL_HANDLE_DBC, connection->handle, SQL_ROLLBACK);
  if (connection->connected) library->SQLDisconnect(connection->handle);
  if (connection->handle) library->SQLFreeHandle(SQL_HANDLE_DBC, connection->handle);
  if (connection->environment) library->SQLFreeHandle(SQL_HANDLE_ENV, connection->environment);
  pthread_mutex_destroy(&connection->mutex);
  alch_free(connection->allocator, connection, sizeof *connection);
}

alch_status alch_odbc_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error) {
  alch_odbc_settings settings;
  (void)driver;
  *out = NULL;
  const alch_odbc_library *library = alch_odbc_open(error);
  alch_status status = library ? alch_odbc_settings_read(url, allocator, &settings, error) : ALCH_ERROR;
  if (status != ALCH_OK) return status;
  alch_driver_connection *connection = alch_allocate_zeroed(allocator, sizeof *connection);
  if (!connection) {
    alch_buffer_close(&settings.connection_string);
    return alch_error_out_of_memory(error);
  }
  *connection = (alch_driver_connection){ .allocator = allocator, .library = library, .quirks = settings.quirks };
  pthread_mutex_init(&connection->mutex, NULL);
  status = allocate_handles(connection, error);
  if (status == ALCH_OK) status = drive(connection, &settings, error);
  if (status == ALCH_OK) status = prepare_session(connection, &settings, error);
  alch_buffer_close(&settings.connection_string);
  if (status == ALCH_OK) *out = connection;
  else alch_odbc_close(connection);
  return status;
}

/* ---- transactions ---- */

static alch_status set_autocommit(alch_driver_connection *connection, bool on, alch_error *error) {
  if (alch_odbc_succeeded(connection->library->SQLSetConnectAttr(connection->handle, SQL_ATTR_AUTOCOMMIT, number(on), 0))) return ALCH_OK;
  return alch_odbc_fail(connection, SQL_HANDLE_DBC, connection->handle, error);
}

static alch_status end_transaction(alch_driver_connection *connection, bool commit, alch_error *error) {
  if (!connection->in_transaction) return ALCH_OK;
  if (commit && alch_odbc_check_sound(connection, error) != ALCH_OK) return ALCH_ERROR;
  if (!alch_odbc_succeeded(connection->library->SQLEndTran(SQL_HANDLE_DBC, connection->handle, commit ? SQL_COMMIT : SQL_ROLLBACK))) return alch_odbc_fail(connection, SQL_HANDLE_DBC, connection->handle, error);
  connection->in_transaction = connection->doubtful = false;
  connection->epoch += commit ? connection->commit_deletes : connection->rollback_deletes;
  return set_autocommit(connection, true, error);
}

/* The database is asked for a row, which it refuses then. */
alch_status alch_odbc_check_sound(alch_driver_connection *connection, alch_error *error) {
  alch_status status = connection->doubtful ? alch_odbc_run(connection, connection->quirks->probe, error) : ALCH_OK;
  if (status == ALCH_OK) connection->doubtful = false;
  return status;
}

bool alch_odbc_in_transaction(alch_driver_connection *connection) {
  return (connection->in_transaction || connection->in_branch) && !connection->rolled_back;
}

/* A branch ends by its name, which its user knows. */
void alch_odbc_give_up_transaction(alch_driver_connection *connection) {
  if (connection->in_branch) connection->rolled_back = true;
  else end_transaction(connection, false, NULL);
}

alch_status alch_odbc_leave_rolled_back(alch_driver_connection *connection, alch_error *error) {
  if (!connection->rolled_back) return ALCH_OK;
  connection->rolled_back = false;
  return end_transaction(connection, false, error);
}

/* Calls of ODBC do not end a branch. */
static alch_status check_no_branch(const alch_driver_connection *connection, alch_error *error) {
  if (!connection->in_branch) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "a transaction in two phases is open: it ends by XA END and XA ROLLBACK or XA COMMIT with its id (rollback and commit of its transaction object)");
}

/* The standard has no statement that begins a transaction: one is open whenever autocommit is off. */
alch_status alch_odbc_control_run(alch_driver_connection *connection, uint8_t control, alch_error *error) {
  if (control != ALCH_ODBC_NOTHING && check_no_branch(connection, error) != ALCH_OK) return ALCH_ERROR;
  switch (control) {
    case ALCH_ODBC_BEGIN:
      if (connection->in_transaction) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "a transaction is open already");
      if (set_autocommit(connection, false, error) != ALCH_OK) return ALCH_ERROR;
      connection->in_transaction = true;
      return ALCH_OK;
    case ALCH_ODBC_COMMIT: return end_transaction(connection, true, error);
    case ALCH_ODBC_ROLLBACK: return end_transaction(connection, false, error);
    default: return ALCH_OK;
  }
}

/* out: where the first cell of the first row goes, as an integer; NULL: nobody reads rows. */
static alch_status run_on(alch_driver_connection *connection, SQLHANDLE handle, alch_buffer *wide, int64_t *out, alch_error *error) {
  const alch_odbc_library *library = connection->library;
  SQLLEN indicator = 0;
  SQLRETURN code = library->SQLPrepareW(handle, (SQLWCHAR *)(void *)wide->text, (SQLINTEGER)(wide->length / sizeof(SQLWCHAR)));
  if (alch_odbc_succeeded(code)) code = library->SQLExecute(handle);
  if (out && alch_odbc_succeeded(code)) code = library->SQLFetch(handle);
  if (out && alch_odbc_succeeded(code)) code = library->SQLGetData(handle, 1, SQL_C_SBIGINT, out, sizeof *out, &indicator);
  if (out && indicator == SQL_NULL_DATA) *out = 0;
  return alch_odbc_succeeded(code) || code == SQL_NO_DATA ? ALCH_OK : alch_odbc_fail(connection, SQL_HANDLE_STMT, handle, error);
}

static alch_status run_text(alch_driver_connection *connection, const char *sql, int64_t *out, alch_error *error) {
  SQLHANDLE handle = NULL;
  alch_buffer wide;
  alch_buffer_init(&wide, connection->allocator);
  alch_odbc_widen(sql, strlen(sql), &wide);
  alch_status status = ALCH_OK;
  if (alch_buffer_failed(&wide)) status = alch_error_out_of_memory(error);
  else if (!alch_odbc_succeeded(connection->library->SQLAllocHandle(SQL_HANDLE_STMT, connection->handle, &handle))) status = alch_odbc_fail(connection, SQL_HANDLE_DBC, connection->handle, error);
  else status = run_on(connection, handle, &wide, out, error);
  if (handle) connection->library->SQLFreeHandle(SQL_HANDLE_STMT, handle);
  alch_buffer_close(&wide);
  return status;
}

alch_status alch_odbc_run(alch_driver_connection *connection, const char *sql, alch_error *error) {
  return run_text(connection, sql, NULL, error);
}

int64_t alch_odbc_last_key(alch_driver_connection *connection) {
  int64_t key = 0;
  if (!connection->quirks->last_key || run_text(connection, connection->quirks->last_key, &key, NULL) != ALCH_OK) return 0;
  return key;
}

void alch_odbc_server(alch_driver_connection *connection, alch_server *out) {
  *out = (alch_server){ .product = connection->product, .version = connection->version };
}

/* ---- signs of life ---- */

/* A driver that cannot tell is believed to be alive until a call fails. */
bool alch_odbc_alive(alch_driver_connection *connection) {
  SQLINTEGER dead = 0;
  if (connection->gone) return false;
  if (!alch_odbc_succeeded(connection->library->SQLGetConnectAttr(connection->handle, SQL_ATTR_CONNECTION_DEAD, &dead, sizeof dead, NULL))) return true;
  connection->gone = dead == 1;
  return !connection->gone;
}

alch_status alch_odbc_ping(alch_driver_connection *connection, alch_error *error) {
  if (alch_odbc_alive(connection)) return alch_odbc_run(connection, connection->quirks->probe, error);
  alch_error_set(error, ALCH_ERROR_OPERATIONAL, "the connection to the database is lost");
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

void alch_odbc_set_running(alch_driver_connection *connection, SQLHANDLE handle) {
  pthread_mutex_lock(&connection->mutex);
  connection->running = handle;
  pthread_mutex_unlock(&connection->mutex);
}

void alch_odbc_interrupt(alch_driver_connection *connection) {
  pthread_mutex_lock(&connection->mutex);
  if (connection->running) connection->library->SQLCancel(connection->running);
  pthread_mutex_unlock(&connection->mutex);
}
