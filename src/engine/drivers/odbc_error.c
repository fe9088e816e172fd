/* Diagnostic records as the error kinds of this project: by SQLSTATE, and by the database's own number where the state says nothing (HY000) or too little. The first row of a table that matches counts.
   Sources: the standard's appendix of states; PostgreSQL's appendix A; Oracle's error messages ORA-; SQL Server's sys.messages; https://sqlite.org/rescode.html; MariaDB's list of error codes. */
#include "engine/drivers/odbc_private.h"
#include <string.h>

#define MESSAGE_UNITS 2048
#define RECORDS_READ 16

typedef struct state_row {
  const char *prefix;
  alch_error_kind kind;
} state_row;

static const state_row states[] = {
  { "08", ALCH_ERROR_OPERATIONAL }, { "0A", ALCH_ERROR_NOT_SUPPORTED }, { "07", ALCH_ERROR_PROGRAMMING }, { "21", ALCH_ERROR_PROGRAMMING }, { "22", ALCH_ERROR_DATA }, { "23", ALCH_ERROR_INTEGRITY },
  { "24", ALCH_ERROR_PROGRAMMING }, { "25", ALCH_ERROR_INTERNAL }, { "26", ALCH_ERROR_PROGRAMMING }, { "28", ALCH_ERROR_OPERATIONAL }, { "34", ALCH_ERROR_PROGRAMMING }, { "3D", ALCH_ERROR_PROGRAMMING },
  { "3F", ALCH_ERROR_PROGRAMMING }, { "40002", ALCH_ERROR_INTEGRITY }, { "40", ALCH_ERROR_OPERATIONAL }, { "42", ALCH_ERROR_PROGRAMMING }, { "44", ALCH_ERROR_INTEGRITY }, { "S0", ALCH_ERROR_PROGRAMMING },
  { "HYC00", ALCH_ERROR_NOT_SUPPORTED }, { "IM001", ALCH_ERROR_NOT_SUPPORTED }, { "IM", ALCH_ERROR_INTERFACE }, { "01S00", ALCH_ERROR_INTERFACE }, { "HY003", ALCH_ERROR_INTERFACE },
  { "HY004", ALCH_ERROR_INTERFACE }, { "HY010", ALCH_ERROR_INTERFACE }, { "HY104", ALCH_ERROR_DATA }, { "XX", ALCH_ERROR_INTERNAL },
};

/* What is to be known of one of a database's own numbers. */
enum { RETRYABLE = 1, GONE = 2, ROLLED_BACK = 4 };   /* ROLLED_BACK: the whole transaction, after which the next statement would begin another one */
typedef struct native_row {
  const char *dialect;
  int from, to;
  uint8_t kind;        /* alch_error_kind */
  uint8_t flags;
} native_row;

static const native_row natives[] = {
  { "mssql", 2627, 2627, ALCH_ERROR_INTEGRITY, 0 }, { "mssql", 2601, 2601, ALCH_ERROR_INTEGRITY, 0 }, { "mssql", 547, 547, ALCH_ERROR_INTEGRITY, 0 }, { "mssql", 515, 515, ALCH_ERROR_INTEGRITY, 0 },
  { "mssql", 8152, 8152, ALCH_ERROR_DATA, 0 }, { "mssql", 2628, 2628, ALCH_ERROR_DATA, 0 }, { "mssql", 245, 245, ALCH_ERROR_DATA, 0 }, { "mssql", 241, 242, ALCH_ERROR_DATA, 0 },
  { "mssql", 8114, 8115, ALCH_ERROR_DATA, 0 }, { "mssql", 8134, 8134, ALCH_ERROR_DATA, 0 }, { "mssql", 1205, 1205, ALCH_ERROR_OPERATIONAL, RETRYABLE | ROLLED_BACK }, { "mssql", 3960, 3960, ALCH_ERROR_OPERATIONAL, RETRYABLE | ROLLED_BACK },
  { "mssql", 1222, 1222, ALCH_ERROR_OPERATIONAL, RETRYABLE }, { "mssql", 3961, 3961, ALCH_ERROR_OPERATIONAL, RETRYABLE },
  /* tables in memory: https://learn.microsoft.com/sql/relational-databases/in-memory-oltp/transactions-with-memory-optimized-tables */
  { "mssql", 41301, 41302, ALCH_ERROR_OPERATIONAL, RETRYABLE }, { "mssql", 41305, 41305, ALCH_ERROR_OPERATIONAL, RETRYABLE }, { "mssql", 41325, 41325, ALCH_ERROR_OPERATIONAL, RETRYABLE },
  { "mssql", 102, 102, ALCH_ERROR_PROGRAMMING, 0 }, { "mssql", 156, 156, ALCH_ERROR_PROGRAMMING, 0 }, { "mssql", 207, 209, ALCH_ERROR_PROGRAMMING, 0 },
  { "mssql", 2714, 2714, ALCH_ERROR_PROGRAMMING, 0 }, { "mssql", 2812, 2812, ALCH_ERROR_PROGRAMMING, 0 }, { "mssql", 10053, 10054, ALCH_ERROR_OPERATIONAL, GONE }, { "mssql", 10060, 10061, ALCH_ERROR_OPERATIONAL, GONE },
  { "mssql", 20003, 20009, ALCH_ERROR_OPERATIONAL, GONE }, { "mssql", 596, 596, ALCH_ERROR_OPERATIONAL, GONE }, { "mssql", 6005, 6006, ALCH_ERROR_OPERATIONAL, GONE },
  { "oracle", 1, 1, ALCH_ERROR_INTEGRITY, 0 }, { "oracle", 1400, 1400, ALCH_ERROR_INTEGRITY, 0 }, { "oracle", 1407, 1407, ALCH_ERROR_INTEGRITY, 0 }, { "oracle", 2290, 2292, ALCH_ERROR_INTEGRITY, 0 },
  { "oracle", 60, 60, ALCH_ERROR_OPERATIONAL, RETRYABLE }, { "oracle", 8177, 8177, ALCH_ERROR_OPERATIONAL, RETRYABLE }, { "oracle", 54, 54, ALCH_ERROR_OPERATIONAL, RETRYABLE },
  { "oracle", 28, 28, ALCH_ERROR_OPERATIONAL, GONE }, { "oracle", 1012, 1012, ALCH_ERROR_OPERATIONAL, GONE }, { "oracle", 1033, 1034, ALCH_ERROR_OPERATIONAL, GONE }, { "oracle", 1089, 1092, ALCH_ERROR_OPERATIONAL, GONE },
  { "oracle", 2396, 2396, ALCH_ERROR_OPERATIONAL, GONE }, { "oracle", 3113, 3114, ALCH_ERROR_OPERATIONAL, GONE }, { "oracle", 3135, 3135, ALCH_ERROR_OPERATIONAL, GONE },
  { "oracle", 12500, 12599, ALCH_ERROR_OPERATIONAL, GONE }, { "oracle", 1438, 1438, ALCH_ERROR_DATA, 0 }, { "oracle", 12899, 12899, ALCH_ERROR_DATA, 0 }, { "oracle", 1476, 1476, ALCH_ERROR_DATA, 0 },
  { "oracle", 1722, 1722, ALCH_ERROR_DATA, 0 }, { "oracle", 1830, 1865, ALCH_ERROR_DATA, 0 }, { "oracle", 900, 999, ALCH_ERROR_PROGRAMMING, 0 },
  { "sqlite", 19, 19, ALCH_ERROR_INTEGRITY, 0 }, { "sqlite", 5, 6, ALCH_ERROR_OPERATIONAL, RETRYABLE }, { "sqlite", 18, 18, ALCH_ERROR_DATA, 0 }, { "sqlite", 20, 20, ALCH_ERROR_DATA, 0 },
  { "sqlite", 25, 25, ALCH_ERROR_PROGRAMMING, 0 }, { "sqlite", 11, 11, ALCH_ERROR_DATABASE, 0 }, { "sqlite", 26, 26, ALCH_ERROR_DATABASE, 0 },
#define BOTH(from, to, kind, flags) { "mysql", from, to, kind, flags }, { "mariadb", from, to, kind, flags }
  BOTH(8002, 8002, ALCH_ERROR_OPERATIONAL, RETRYABLE), BOTH(8005, 8005, ALCH_ERROR_OPERATIONAL, RETRYABLE), BOTH(8022, 8022, ALCH_ERROR_OPERATIONAL, RETRYABLE), /* TiDB's, as in mysql_error.c */
  BOTH(8028, 8028, ALCH_ERROR_OPERATIONAL, RETRYABLE), BOTH(9007, 9007, ALCH_ERROR_OPERATIONAL, RETRYABLE),
  BOTH(1213, 1213, ALCH_ERROR_OPERATIONAL, RETRYABLE | ROLLED_BACK), BOTH(1614, 1614, ALCH_ERROR_OPERATIONAL, RETRYABLE | ROLLED_BACK),
  BOTH(1205, 1205, ALCH_ERROR_OPERATIONAL, RETRYABLE), BOTH(2006, 2006, ALCH_ERROR_OPERATIONAL, GONE), BOTH(2013, 2013, ALCH_ERROR_OPERATIONAL, GONE),
  BOTH(1927, 1927, ALCH_ERROR_OPERATIONAL, GONE), BOTH(4031, 4031, ALCH_ERROR_OPERATIONAL, GONE), BOTH(1053, 1053, ALCH_ERROR_OPERATIONAL, GONE), BOTH(1364, 1364, ALCH_ERROR_INTEGRITY, 0),
  BOTH(4025, 4025, ALCH_ERROR_INTEGRITY, 0), BOTH(3819, 3819, ALCH_ERROR_INTEGRITY, 0), BOTH(1366, 1366, ALCH_ERROR_DATA, 0), BOTH(1292, 1292, ALCH_ERROR_DATA, 0), BOTH(1265, 1265, ALCH_ERROR_DATA, 0),
#undef BOTH
};

static const char *const retryable_states[] = { "40001", "40P01", "55P03" };
/* Of class 08 all but 08007, which speaks of a transaction; the rest says that the server ends the session. */
static const char *const gone_states[] = { "08S01", "08003", "08006", "08S02", "57P01", "57P02", "57P03", "57P05" };

static bool is_one_of(const char *state, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(state, list[i]) == 0) return true;
  return false;
}

/* One diagnostic record. */
typedef struct record {
  char state[6];
  SQLINTEGER native;
  alch_buffer message;
} record;

static bool read_record(const alch_odbc_library *library, SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, record *out) {
  SQLWCHAR state[6] = { 0 }, message[MESSAGE_UNITS];
  SQLSMALLINT length = 0;
  if (!alch_odbc_succeeded(library->SQLGetDiagRecW(kind, handle, number, state, &out->native, message, MESSAGE_UNITS, &length))) return false;
  for (int i = 0; i < 6; i++) out->state[i] = state[i] < 0x80 ? (char)state[i] : '?';
  out->state[5] = '\0';
  alch_buffer_clear(&out->message);
  if (length >= MESSAGE_UNITS) length = MESSAGE_UNITS - 1;
  alch_odbc_narrow(message, length > 0 ? (size_t)length : 0, &out->message);
  return true;
}

/* The first record that is no warning; else the first. */
static bool find_record(const alch_odbc_library *library, SQLSMALLINT kind, SQLHANDLE handle, record *out) {
  for (SQLSMALLINT number = 1; number <= RECORDS_READ && read_record(library, kind, handle, number, out); number++)
    if (memcmp(out->state, "01", 2) != 0 && memcmp(out->state, "00", 2) != 0) return true;
  return read_record(library, kind, handle, 1, out);
}

/* [vendor][driver][source] stands in front of what the server said. */
static const char *without_vendors(const char *message) {
  while (*message == '[') {
    const char *close = strchr(message, ']');
    if (!close) break;
    message = close + 1;
  }
  while (*message == ' ') message++;
  return *message ? message : "the driver says nothing of what went wrong";
}

static const native_row *find_native(const char *dialect, int code) {
  for (size_t i = 0; i < ALCH_COUNT(natives) && code; i++)
    if (strcmp(natives[i].dialect, dialect) == 0 && code >= natives[i].from && code <= natives[i].to) return &natives[i];
  return NULL;
}

static alch_error_kind kind_of_state(const char *state) {
  for (size_t i = 0; i < ALCH_COUNT(states); i++)
    if (strncmp(state, states[i].prefix, strlen(states[i].prefix)) == 0) return states[i].kind;
  return ALCH_ERROR_OPERATIONAL;
}

/* A time-out, a general error or a lost link leave it open whether the connection lives: the driver is asked. */
static bool is_doubtful(const char *state) {
  return memcmp(state, "08", 2) == 0 || memcmp(state, "HYT", 3) == 0 || strcmp(state, "HY000") == 0 || memcmp(state, "01", 2) == 0 || memcmp(state, "57", 2) == 0;
}

static void judge(alch_driver_connection *connection, const record *found, alch_error *error) {
  const native_row *native = find_native(connection->quirks->dialect, found->native);
  alch_error_kind kind = native ? native->kind : kind_of_state(found->state);
  /* a database that is not there is no fault of a statement */
  if (!connection->connected && kind == ALCH_ERROR_PROGRAMMING) kind = ALCH_ERROR_OPERATIONAL;
  alch_error_set(error, kind, "%s", without_vendors(alch_buffer_text(&found->message)));
  bool gone = (native && (native->flags & GONE)) || is_one_of(found->state, gone_states, ALCH_COUNT(gone_states));
  if (!gone && connection->connected && is_doubtful(found->state)) gone = !alch_odbc_alive(connection);
  if (gone) connection->gone = true;
  if (native && (native->flags & ROLLED_BACK) && alch_odbc_in_transaction(connection)) connection->rolled_back = true;
  if (!error || error->kind == ALCH_ERROR_OUT_OF_MEMORY) return;
  error->code = found->native;
  memcpy(error->sqlstate, found->state, sizeof error->sqlstate);
  error->retryable = (native && (native->flags & RETRYABLE)) || is_one_of(found->state, retryable_states, ALCH_COUNT(retryable_states));
  error->disconnected = connection->gone;
}

alch_status alch_odbc_fail(alch_driver_connection *connection, SQLSMALLINT kind, SQLHANDLE handle, alch_error *error) {
  connection->doubtful = connection->in_transaction;
  record found = { .native = 0 };
  alch_buffer_init(&found.message, connection->allocator);
  if (find_record(connection->library, kind, handle, &found)) judge(connection, &found, error);
  else alch_error_set(error, ALCH_ERROR_OPERATIONAL, "the ODBC driver failed and says nothing of why");
  alch_buffer_close(&found.message);
  return ALCH_ERROR;
}
