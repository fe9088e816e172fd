/* What the server's numbers mean here, by one table, and the names that its messages have in them. The kinds are those of PyMySQL and mysqlclient, which SQLAlchemy reports, with what is one of constraints
   taken for one. Numbers: https://mariadb.com/kb/en/mariadb-error-code-reference/, https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html; 2000 and up are the library's own. */
#include "engine/drivers/mysql_private.h"
#include <stdio.h>
#include <string.h>

/* Where a name stands in a message: between the last `before` and the next (for a quoted one: the last) `after`. */
typedef struct name_place {
  const char *before, *after;
  alch_error_text which;
} name_place;

static const name_place duplicate[] = { { " for key '", "'", ALCH_ERROR_CONSTRAINT_NAME }, { NULL, NULL, 0 } };
static const name_place not_null[] = { { "olumn '", "' cannot be null", ALCH_ERROR_COLUMN_NAME }, { NULL, NULL, 0 } };
static const name_place no_default[] = { { "Field '", "' doesn't have a default", ALCH_ERROR_COLUMN_NAME }, { NULL, NULL, 0 } };
static const name_place foreign_key[] = { { "CONSTRAINT `", "` FOREIGN KEY", ALCH_ERROR_CONSTRAINT_NAME }, { "`.`", "`, CONSTRAINT", ALCH_ERROR_TABLE_NAME }, { "FOREIGN KEY (`", "`) REFERENCES", ALCH_ERROR_COLUMN_NAME }, { NULL, NULL, 0 } };
static const name_place check[] = { { "CONSTRAINT `", "` failed for", ALCH_ERROR_CONSTRAINT_NAME }, { "`.`", "`", ALCH_ERROR_TABLE_NAME }, { NULL, NULL, 0 } };
static const name_place check_mysql[] = { { "Check constraint '", "' is violated", ALCH_ERROR_CONSTRAINT_NAME }, { NULL, NULL, 0 } };
static const name_place data[] = { { "for column '", "' at row", ALCH_ERROR_COLUMN_NAME }, { "`.`", "` at row", ALCH_ERROR_COLUMN_NAME }, { NULL, NULL, 0 } };

typedef struct error_row {
  unsigned int code;
  alch_error_kind kind;
  const name_place *names;
} error_row;

#define LONG_MESSAGE (1 << 20)   /* bytes; servers have a limit of four times that or more */
#define PROGRAMMING(code) { code, ALCH_ERROR_PROGRAMMING, NULL }
#define DATA(code) { code, ALCH_ERROR_DATA, data }
#define UNSUPPORTED(code) { code, ALCH_ERROR_NOT_SUPPORTED, NULL }

static const error_row rows[] = {
  PROGRAMMING(1007), PROGRAMMING(1008), PROGRAMMING(1050), PROGRAMMING(1051), PROGRAMMING(1064), PROGRAMMING(1065), PROGRAMMING(1102), PROGRAMMING(1103), PROGRAMMING(1110), PROGRAMMING(1111),
  PROGRAMMING(1112), PROGRAMMING(1113), PROGRAMMING(1146), PROGRAMMING(1149), PROGRAMMING(1179), PROGRAMMING(1210),
  { 1048, ALCH_ERROR_INTEGRITY, not_null }, { 1364, ALCH_ERROR_INTEGRITY, no_default }, { 1062, ALCH_ERROR_INTEGRITY, duplicate }, { 1586, ALCH_ERROR_INTEGRITY, duplicate },
  { 1022, ALCH_ERROR_INTEGRITY, NULL }, { 1169, ALCH_ERROR_INTEGRITY, NULL }, { 1215, ALCH_ERROR_INTEGRITY, NULL }, { 1216, ALCH_ERROR_INTEGRITY, NULL }, { 1217, ALCH_ERROR_INTEGRITY, NULL },
  { 1451, ALCH_ERROR_INTEGRITY, foreign_key }, { 1452, ALCH_ERROR_INTEGRITY, foreign_key }, { 4025, ALCH_ERROR_INTEGRITY, check }, { 3819, ALCH_ERROR_INTEGRITY, check_mysql },
  DATA(1171), DATA(1230), DATA(1263), DATA(1264), DATA(1265), DATA(1292), DATA(1365), DATA(1366), DATA(1367), DATA(1406), DATA(1411), DATA(1425), DATA(1426), DATA(1441), DATA(1690), DATA(3140), DATA(4038),
  UNSUPPORTED(1196), UNSUPPORTED(1235), UNSUPPORTED(1286), UNSUPPORTED(1289), UNSUPPORTED(1295), UNSUPPORTED(5003),
  { 1153, ALCH_ERROR_DATA, NULL }, { 2020, ALCH_ERROR_DATA, NULL },
  { CR_COMMANDS_OUT_OF_SYNC, ALCH_ERROR_INTERNAL, NULL },
};

/* The connection is gone: by the library's word, or by the server's last one (killed, idle for too long, shutting down). */
static const unsigned int gone[] = { CR_SERVER_GONE_ERROR, CR_SERVER_LOST, 2055, 1053, 1927, 4031, 5013, 5014 };

/* Deadlocks, after which the server has rolled the transaction back; time-outs of locks and rows changed meanwhile, after which it has rolled the statement back. */
static const unsigned int deadlocks[] = { 1213, 1614 };

/* What the same transaction may get through with the next time. From 8000 on they are TiDB's, whose applications are asked to begin again: https://docs.pingcap.com/tidb/stable/error-codes,
   https://docs.pingcap.com/tidb/stable/dev-guide-transaction-troubleshoot. */
static const unsigned int retryable[] = {
  1213, 1614, 1205, 1020,
  8002,    /* SELECT FOR UPDATE met a conflict at the commit */
  8005,    /* write conflict: txnStartTS is stale */
  8022,    /* the commit failed and was rolled back */
  8028,    /* the schema changed meanwhile */
  9007,    /* write conflict in TiKV */
};

/* Too many connections: of all, of a user. */
static const unsigned int full[] = { 1040, 1203, 1226 };

static const error_row *find_row(unsigned int code) {
  for (size_t i = 0; i < ALCH_COUNT(rows); i++)
    if (rows[i].code == code) return &rows[i];
  return NULL;
}

static bool is_among(unsigned int code, const unsigned int *codes, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (codes[i] == code) return true;
  return false;
}
#define IS_AMONG(code, codes) is_among(code, codes, ALCH_COUNT(codes))

static const char *find_last(const char *text, const char *word) {
  const char *last = NULL;
  for (const char *at = text; (at = strstr(at, word)); at++) last = at;
  return last;
}

static const char *find_before(const char *text, const char *end, const char *word) {
  const char *last = NULL;
  for (const char *at = text; (at = strstr(at, word)) && at < end; at++) last = at;
  return last;
}

/* The value in "Duplicate entry '…' for key" may have anything in it, so the search is from behind. A key of MySQL 8.0.19 and later has its table before a dot. */
static void take_name(const char *message, const name_place *place, alch_error *error) {
  const char *end = find_last(message, place->after), *from = end ? find_before(message, end, place->before) : NULL;
  if (!from || from + strlen(place->before) > end) return;
  from += strlen(place->before);
  if (place->which == ALCH_ERROR_CONSTRAINT_NAME) {
    const char *dot = memchr(from, '.', (size_t)(end - from));
    if (dot) alch_error_attach(error, ALCH_ERROR_TABLE_NAME, from, (size_t)(dot - from));
    if (dot) from = dot + 1;
  }
  alch_error_attach(error, place->which, from, (size_t)(end - from));
}

/* A server that is sent a message longer than it takes closes the connection, often without a word. */
static bool is_too_long(unsigned int code, const alch_driver_statement *statement) {
  static const unsigned int told[] = { 1153, 2020 };
  if (IS_AMONG(code, told)) return true;
  return (code == CR_SERVER_GONE_ERROR || code == CR_SERVER_LOST) && statement && statement->bytes >= LONG_MESSAGE;
}

/* Of a connection by TLS that was not made: what to write. The first whose words are in the message. */
static const char *advice_of_tls(const char *message) {
  static const alch_driver_advice rows[] = {
    { "does not support it", ALCH_MYSQL_NO_TLS },
    { "Validation of SSL server certificate failed", "\nHINT:  the certificate is for another host: write in the URL the name that it is for, or ssl_verify_cert=0, by which ssl_ca alone is looked at" },
    { "No such file", "\nHINT:  ssl_ca, ssl_cert, ssl_key and ssl_crl name files (PEM) that can be read" },
    { "certificate", "\nHINT:  ssl_ca names a file (PEM) with the certificate of the authority that has signed the server's; ssl=1 alone encrypts and looks at no certificate" },
  };
  return alch_driver_advise(rows, ALCH_COUNT(rows), message);
}

alch_status alch_mysql_fail(alch_driver_connection *connection, const alch_driver_statement *statement, alch_error *error) {
  const alch_libmariadb *library = connection->library;
  MYSQL_STMT *handle = statement && library->mysql_stmt_errno(statement->handle) ? statement->handle : NULL;
  unsigned int code = handle ? library->mysql_stmt_errno(handle) : library->mysql_errno(connection->handle);
  if (IS_AMONG(code, gone)) connection->gone = true;
  if (IS_AMONG(code, deadlocks)) connection->rolled_back = true;
  if (code == CR_OUT_OF_MEMORY) return alch_error_out_of_memory(error);
  const error_row *row = find_row(code);
  const char *message = handle ? library->mysql_stmt_error(handle) : library->mysql_error(connection->handle);
  alch_error_set(error, row ? row->kind : ALCH_ERROR_OPERATIONAL, "%s%s", *message ? message : "the client library says nothing of what went wrong",
                 IS_AMONG(code, full) ? ALCH_TOO_MANY_CONNECTIONS : code == CR_SSL_CONNECTION_ERROR ? advice_of_tls(message) : "");
  if (error && is_too_long(code, statement))
    alch_error_set(error, error->kind, "%s (the statement has %zu bytes of values, and the server takes as many as its max_allowed_packet in one message: raise that, or write the value in pieces)", message,
                   statement ? statement->bytes : 0);
  if (!error || error->kind == ALCH_ERROR_OUT_OF_MEMORY) return ALCH_ERROR;
  error->code = (int)code;
  error->disconnected = connection->gone;
  error->retryable = IS_AMONG(code, retryable);
  const char *state = handle ? library->mysql_stmt_sqlstate(handle) : library->mysql_sqlstate(connection->handle);
  snprintf(error->sqlstate, sizeof error->sqlstate, "%s", state);
  for (const name_place *place = row ? row->names : NULL; place && place->before; place++) take_name(alch_error_message(error), place, error);
  return ALCH_ERROR;
}
