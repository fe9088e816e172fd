/* What numbers and states of databases behind ODBC become, SQL Server's and Oracle's among them: the driver manager here is a fake that tells one diagnostic record. */
#include "check.h"
#include "engine/drivers/odbc_private.h"
#include <string.h>

typedef struct told { const char *state; int native; const char *message; } told;
static told telling;

static SQLRETURN get_record(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, SQLWCHAR *state, SQLINTEGER *native, SQLWCHAR *message, SQLSMALLINT room, SQLSMALLINT *length) {
  (void)kind, (void)handle, (void)room;
  if (number > 1) return SQL_NO_DATA;
  for (int i = 0; i < 5; i++) state[i] = (SQLWCHAR)telling.state[i];
  *length = (SQLSMALLINT)strlen(telling.message);
  for (SQLSMALLINT i = 0; i <= *length; i++) message[i] = (SQLWCHAR)telling.message[i];
  *native = telling.native;
  return SQL_SUCCESS;
}

static SQLRETURN is_dead(SQLHANDLE handle, SQLINTEGER attribute, void *value, SQLINTEGER size, SQLINTEGER *length) {
  (void)handle, (void)attribute, (void)size, (void)length;
  *(SQLINTEGER *)value = 0;
  return SQL_SUCCESS;
}

typedef struct judged { const char *dialect, *state; int native; alch_error_kind kind; bool retryable, gone; } judged;

static const judged errors[] = {
  { "mssql", "40001", 1205, ALCH_ERROR_OPERATIONAL, true, false },     /* deadlock */
  { "mssql", "HY000", 3960, ALCH_ERROR_OPERATIONAL, true, false },     /* snapshot isolation met an update */
  { "mssql", "HY000", 3961, ALCH_ERROR_OPERATIONAL, true, false },     /* … a change of the schema */
  { "mssql", "HY000", 41302, ALCH_ERROR_OPERATIONAL, true, false },    /* tables in memory */
  { "mssql", "HY000", 41305, ALCH_ERROR_OPERATIONAL, true, false },
  { "mssql", "HY000", 41325, ALCH_ERROR_OPERATIONAL, true, false },
  { "mssql", "HY000", 1222, ALCH_ERROR_OPERATIONAL, true, false },     /* lock time-out */
  { "mssql", "23000", 2627, ALCH_ERROR_INTEGRITY, false, false },
  { "mssql", "42000", 102, ALCH_ERROR_PROGRAMMING, false, false },
  { "mssql", "08S01", 10054, ALCH_ERROR_OPERATIONAL, false, true },
  { "oracle", "HY000", 60, ALCH_ERROR_OPERATIONAL, true, false },      /* ORA-00060: deadlock */
  { "oracle", "HY000", 8177, ALCH_ERROR_OPERATIONAL, true, false },    /* ORA-08177: can't serialize access */
  { "oracle", "HY000", 54, ALCH_ERROR_OPERATIONAL, true, false },      /* ORA-00054: NOWAIT */
  { "oracle", "HY000", 1, ALCH_ERROR_INTEGRITY, false, false },
  { "oracle", "HY000", 3113, ALCH_ERROR_OPERATIONAL, false, true },
  { "mysql", "HY000", 9007, ALCH_ERROR_OPERATIONAL, true, false },     /* TiDB: write conflict */
  { "mysql", "HY000", 8022, ALCH_ERROR_OPERATIONAL, true, false },
  { "postgresql", "40001", 1, ALCH_ERROR_OPERATIONAL, true, false },   /* CockroachDB: restart transaction */
  { "postgresql", "40P01", 1, ALCH_ERROR_OPERATIONAL, true, false },
  { "postgresql", "HY000", 1205, ALCH_ERROR_OPERATIONAL, false, false },   /* another database's number */
};

CASE("numbers say what may be tried again, and what is gone") {
  const alch_odbc_library library = { .SQLGetDiagRecW = get_record, .SQLGetConnectAttr = is_dead };
  for (size_t i = 0; i < ALCH_COUNT(errors); i++) {
    const judged *one = &errors[i];
    const alch_odbc_quirks quirks = { .dialect = one->dialect };
    alch_driver_connection connection = { .allocator = &alch_allocator_standard, .library = &library, .quirks = &quirks, .connected = true };
    alch_error error;
    alch_error_init(&error, &alch_allocator_standard);
    telling = (told){ one->state, one->native, "[vendor][driver]what the server said" };
    CHECK_INT(alch_odbc_fail(&connection, SQL_HANDLE_STMT, NULL, &error), ALCH_ERROR);
    CHECK_INT(error.kind, one->kind);
    CHECK_INT(error.retryable, one->retryable);
    CHECK_INT(error.disconnected, one->gone);
    CHECK_INT(error.code, one->native);
    CHECK_TEXT(error.sqlstate, one->state);
    CHECK_TEXT(alch_error_message(&error), "what the server said");
    alch_error_close(&error);
  }
}
