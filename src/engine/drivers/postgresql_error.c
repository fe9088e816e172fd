/* What the server's SQLSTATEs mean here, by one table. The kinds are those of psycopg (its errors.py), which SQLAlchemy reports.
   Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
#include "engine/drivers/postgresql_private.h"
#include <stdio.h>
#include <string.h>

typedef struct error_row {
  const char *state;       /* the whole code, or its class */
  alch_error_kind kind;
  bool disconnected;       /* the server ends the session */
  bool retryable;          /* beside class 40, which the engine knows */
} error_row;

/* The first row that the code begins with. */
static const error_row rows[] = {
  { "57P01", ALCH_ERROR_OPERATIONAL, true, false },    /* admin_shutdown */
  { "57P02", ALCH_ERROR_OPERATIONAL, true, false },    /* crash_shutdown */
  { "57P03", ALCH_ERROR_OPERATIONAL, true, false },    /* cannot_connect_now */
  { "57P05", ALCH_ERROR_OPERATIONAL, true, false },    /* idle_session_timeout */
  { "25P03", ALCH_ERROR_OPERATIONAL, true, false },    /* idle_in_transaction_session_timeout */
  { "08", ALCH_ERROR_OPERATIONAL, true, false },
  { "0A", ALCH_ERROR_NOT_SUPPORTED, false, false },
  { "20", ALCH_ERROR_PROGRAMMING, false, false },
  { "21", ALCH_ERROR_PROGRAMMING, false, false },
  { "22", ALCH_ERROR_DATA, false, false },
  { "23", ALCH_ERROR_INTEGRITY, false, false },
  { "24", ALCH_ERROR_INTERNAL, false, false },
  { "25", ALCH_ERROR_INTERNAL, false, false },
  { "26", ALCH_ERROR_PROGRAMMING, false, false },
  { "27", ALCH_ERROR_OPERATIONAL, false, false },
  { "28", ALCH_ERROR_OPERATIONAL, false, false },
  { "2B", ALCH_ERROR_INTERNAL, false, false },
  { "2D", ALCH_ERROR_INTERNAL, false, false },
  { "2F", ALCH_ERROR_INTERNAL, false, false },
  { "34", ALCH_ERROR_PROGRAMMING, false, false },
  { "38", ALCH_ERROR_OPERATIONAL, false, false },
  { "39", ALCH_ERROR_OPERATIONAL, false, false },
  { "3B", ALCH_ERROR_OPERATIONAL, false, false },
  { "3D", ALCH_ERROR_PROGRAMMING, false, false },
  { "3F", ALCH_ERROR_PROGRAMMING, false, false },
  { "40", ALCH_ERROR_OPERATIONAL, false, false },
  { "42", ALCH_ERROR_PROGRAMMING, false, false },
  { "44", ALCH_ERROR_PROGRAMMING, false, false },
  { "53", ALCH_ERROR_OPERATIONAL, false, false },
  { "54", ALCH_ERROR_OPERATIONAL, false, false },
  { "55P03", ALCH_ERROR_OPERATIONAL, false, true },   /* lock_not_available */
  { "55", ALCH_ERROR_OPERATIONAL, false, false },
  { "57", ALCH_ERROR_OPERATIONAL, false, false },
  { "58", ALCH_ERROR_OPERATIONAL, false, false },
  { "F0", ALCH_ERROR_OPERATIONAL, false, false },
  { "HV", ALCH_ERROR_OPERATIONAL, false, false },
  { "P0", ALCH_ERROR_PROGRAMMING, false, false },
  { "XX", ALCH_ERROR_INTERNAL, false, false },
};

static const error_row *find_row(const char *state) {
  for (size_t i = 0; i < ALCH_COUNT(rows); i++)
    if (strncmp(rows[i].state, state, strlen(rows[i].state)) == 0) return &rows[i];
  return NULL;
}

/* libpq ends its messages with a line break. */
static int trimmed(const char *text) {
  size_t length = strlen(text);
  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' ')) length--;
  return length > 4000 ? 4000 : (int)length;
}

static void attach(const alch_libpq *library, const PGresult *result, int field, alch_error *error, alch_error_text which) {
  const char *text = library->PQresultErrorField(result, field);
  if (text && *text) alch_error_attach(error, which, text, SIZE_MAX);
}

/* What a reader who has not seen the first error, or does not know what is between him and the server, should be told. */
static const char *advice(const char *state, const char *message) {
  bool unknown = strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0;   /* no such statement, or one more of its name */
  if (unknown && strstr(message, "\"" ALCH_POSTGRESQL_NAMES))
    return "\nHINT:  where a pooler gives each transaction another session of the server (as PgBouncer does in its transaction mode), the URL has to say prepared_statements=false";
  if (strcmp(state, "25P02") == 0) return "\nHINT:  an earlier statement of this transaction has failed: roll back, or use a savepoint (begin_nested) around what may fail";
  return "";
}

static void set_message(const alch_libpq *library, const PGresult *result, alch_error_kind kind, const char *state, alch_error *error) {
  const char *message = library->PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), *detail = library->PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  const char *hint = library->PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  if (!message) message = library->PQresultErrorMessage(result);
  alch_error_set(error, kind, "%.*s%s%.*s%s%.*s%s", trimmed(message), message, detail ? "\nDETAIL:  " : "", detail ? trimmed(detail) : 0, detail ? detail : "", hint ? "\nHINT:  " : "",
                 hint ? trimmed(hint) : 0, hint ? hint : "", advice(state, message));
}

alch_status alch_postgresql_fail(alch_driver_connection *connection, const PGresult *result, alch_error *error) {
  const alch_libpq *library = connection->library;
  const char *state = library->PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (!state) return alch_postgresql_fail_connection(connection, library->PQresultErrorMessage(result), error);
  const error_row *row = find_row(state);
  set_message(library, result, row ? row->kind : ALCH_ERROR_DATABASE, state, error);
  if (!error) return ALCH_ERROR;
  snprintf(error->sqlstate, sizeof error->sqlstate, "%s", state);
  error->retryable = row && row->retryable;
  error->disconnected = (row && row->disconnected) || library->PQstatus(connection->handle) == CONNECTION_BAD;
  attach(library, result, PG_DIAG_CONSTRAINT_NAME, error, ALCH_ERROR_CONSTRAINT_NAME);
  attach(library, result, PG_DIAG_TABLE_NAME, error, ALCH_ERROR_TABLE_NAME);
  attach(library, result, PG_DIAG_COLUMN_NAME, error, ALCH_ERROR_COLUMN_NAME);
  alch_postgresql_note_row(library->PQresultErrorField(result, PG_DIAG_CONTEXT), error);
  return ALCH_ERROR;
}

#define NO_TLS "\nHINT:  TLS has to be set up at the server (its ssl, ssl_cert_file and ssl_key_file); sslmode=disable or prefer in the URL connects unencrypted"
#define AUTHORITY "\nHINT:  sslrootcert in the URL names a file (PEM) with the certificate of the authority that has signed the server's; sslmode=require alone encrypts and looks at no certificate"

/* Of a connection that was not made the library tells no SQLSTATE: by the first words that are in what it says. What cannot be read in the server's language goes without advice. */
static const char *advice_of_refusal(const char *message) {
  static const alch_driver_advice rows[] = {
    { "too many clients", ALCH_TOO_MANY_CONNECTIONS },
    { "too many connections", ALCH_TOO_MANY_CONNECTIONS },
    { "remaining connection slots", ALCH_TOO_MANY_CONNECTIONS },
    { "server does not support SSL", NO_TLS },
    { "root certificate file", AUTHORITY },
    { "certificate verify failed", AUTHORITY },
    { "does not match host name", "\nHINT:  write in the URL the host name that the certificate is for (hostaddr says the address beside it), or sslmode=verify-ca, by which sslrootcert alone is looked at" },
    { "valid client certificate", "\nHINT:  sslcert and sslkey in the URL name the files (PEM) of the client's certificate and of its key" },
    { "no encryption", "\nHINT:  where the server wants TLS the URL says sslmode=require, or better verify-full with sslrootcert" },
    { "unsupported startup parameter", "\nHINT:  a pooler stands before the server: leave this option out of the URL, or let the pooler ignore it (PgBouncer: ignore_startup_parameters)" },
  };
  return alch_driver_advise(rows, ALCH_COUNT(rows), message);
}

alch_status alch_postgresql_fail_connection(alch_driver_connection *connection, const char *what, alch_error *error) {
  if (!what || !*what) what = connection->library->PQerrorMessage(connection->handle);
  bool gone = connection->library->PQstatus(connection->handle) == CONNECTION_BAD;
  if (!*what) what = "the connection to the server is in no usable state";
  alch_error_set(error, ALCH_ERROR_OPERATIONAL, "%.*s%s", trimmed(what), what, connection->connected ? "" : advice_of_refusal(what));
  if (error) error->disconnected = gone;
  return ALCH_ERROR;
}
