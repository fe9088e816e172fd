/* postgresql_library.h - libpq, opened when it is first needed. Its functions are declared here from their documentation (https://www.postgresql.org/docs/current/libpq.html), so that no header of its is needed.
   The record is one for the process and never changes once it is there. */
#ifndef ALCH_POSTGRESQL_LIBRARY_H
#define ALCH_POSTGRESQL_LIBRARY_H

#include "base/error.h"

typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;
typedef struct pg_cancel PGcancel;
typedef struct pg_cancel_conn PGcancelConn;
typedef unsigned int Oid;
/* A notification; freed with PQfreemem. */
typedef struct pg_notify {
  char *channel;
  int process;
  char *payload;
  struct pg_notify *next;   /* the library's */
} PGnotify;
typedef void (*alch_libpq_receiver)(void *context, const PGresult *result);

/* The library's enumerations, whose numbers are part of its ABI. */
enum { CONNECTION_OK, CONNECTION_BAD };
enum { PGRES_POLLING_FAILED, PGRES_POLLING_READING, PGRES_POLLING_WRITING, PGRES_POLLING_OK };
enum {
  PGRES_EMPTY_QUERY, PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_COPY_OUT, PGRES_COPY_IN, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR, PGRES_FATAL_ERROR, PGRES_COPY_BOTH, PGRES_SINGLE_TUPLE,
  PGRES_PIPELINE_SYNC, PGRES_PIPELINE_ABORTED, PGRES_TUPLES_CHUNK
};
enum { PQTRANS_IDLE, PQTRANS_ACTIVE, PQTRANS_INTRANS, PQTRANS_INERROR, PQTRANS_UNKNOWN };
enum {
  PG_DIAG_LOCALIZED_SEVERITY = 'S', PG_DIAG_SQLSTATE = 'C', PG_DIAG_MESSAGE_PRIMARY = 'M', PG_DIAG_MESSAGE_DETAIL = 'D', PG_DIAG_MESSAGE_HINT = 'H', PG_DIAG_TABLE_NAME = 't', PG_DIAG_COLUMN_NAME = 'c',
  PG_DIAG_CONTEXT = 'W', PG_DIAG_SEVERITY = 'V', PG_DIAG_CONSTRAINT_NAME = 'n', PG_DIAG_SOURCE_FUNCTION = 'R', PG_DIAG_STATEMENT_POSITION = 'P'
};

/* FUNCTION(name, result, arguments): those that have been there since version 14. */
#define ALCH_LIBPQ_FUNCTIONS(FUNCTION) \
  FUNCTION(PQconnectStartParams, PGconn *, (const char *const *keywords, const char *const *values, int expand)) \
  FUNCTION(PQconnectPoll, int, (PGconn * connection)) \
  FUNCTION(PQfinish, void, (PGconn * connection)) \
  FUNCTION(PQhost, char *, (const PGconn *connection)) \
  FUNCTION(PQport, char *, (const PGconn *connection)) \
  FUNCTION(PQstatus, int, (const PGconn *connection)) \
  FUNCTION(PQsocket, int, (const PGconn *connection)) \
  FUNCTION(PQtransactionStatus, int, (const PGconn *connection)) \
  FUNCTION(PQparameterStatus, const char *, (const PGconn *connection, const char *name)) \
  FUNCTION(PQbackendPID, int, (const PGconn *connection)) \
  FUNCTION(PQserverVersion, int, (const PGconn *connection)) \
  FUNCTION(PQerrorMessage, char *, (const PGconn *connection)) \
  FUNCTION(PQsetnonblocking, int, (PGconn * connection, int on)) \
  FUNCTION(PQflush, int, (PGconn * connection)) \
  FUNCTION(PQconsumeInput, int, (PGconn * connection)) \
  FUNCTION(PQisBusy, int, (PGconn * connection)) \
  FUNCTION(PQgetResult, PGresult *, (PGconn * connection)) \
  FUNCTION(PQclear, void, (PGresult * result)) \
  FUNCTION(PQenterPipelineMode, int, (PGconn * connection)) \
  FUNCTION(PQpipelineSync, int, (PGconn * connection)) \
  FUNCTION(PQexitPipelineMode, int, (PGconn * connection)) \
  FUNCTION(PQsendQuery, int, (PGconn * connection, const char *query)) \
  FUNCTION(PQputCopyData, int, (PGconn * connection, const char *bytes, int length)) \
  FUNCTION(PQputCopyEnd, int, (PGconn * connection, const char *reason)) \
  FUNCTION(PQgetCopyData, int, (PGconn * connection, char **bytes, int async)) \
  FUNCTION(PQsendDescribePrepared, int, (PGconn * connection, const char *name)) \
  FUNCTION(PQsendPrepare, int, (PGconn * connection, const char *name, const char *query, int count, const Oid *types)) \
  FUNCTION(PQsendQueryParams, int, (PGconn * connection, const char *query, int count, const Oid *types, const char *const *values, const int *lengths, const int *formats, int result_format)) \
  FUNCTION(PQsendQueryPrepared, int, (PGconn * connection, const char *name, int count, const char *const *values, const int *lengths, const int *formats, int result_format)) \
  FUNCTION(PQsetSingleRowMode, int, (PGconn * connection)) \
  FUNCTION(PQresultStatus, int, (const PGresult *result)) \
  FUNCTION(PQresultErrorField, char *, (const PGresult *result, int field)) \
  FUNCTION(PQresultErrorMessage, char *, (const PGresult *result)) \
  FUNCTION(PQntuples, int, (const PGresult *result)) \
  FUNCTION(PQnfields, int, (const PGresult *result)) \
  FUNCTION(PQfname, char *, (const PGresult *result, int column)) \
  FUNCTION(PQftype, Oid, (const PGresult *result, int column)) \
  FUNCTION(PQfformat, int, (const PGresult *result, int column)) \
  FUNCTION(PQgetvalue, char *, (const PGresult *result, int row, int column)) \
  FUNCTION(PQgetlength, int, (const PGresult *result, int row, int column)) \
  FUNCTION(PQgetisnull, int, (const PGresult *result, int row, int column)) \
  FUNCTION(PQcmdStatus, char *, (PGresult * result)) \
  FUNCTION(PQcmdTuples, char *, (PGresult * result)) \
  FUNCTION(PQunescapeBytea, unsigned char *, (const unsigned char *text, size_t *length)) \
  FUNCTION(PQfreemem, void, (void *memory)) \
  FUNCTION(PQnotifies, PGnotify *, (PGconn * connection)) \
  FUNCTION(PQgetCancel, PGcancel *, (PGconn * connection)) \
  FUNCTION(PQcancel, int, (PGcancel * cancel, char *message, int size)) \
  FUNCTION(PQfreeCancel, void, (PGcancel * cancel)) \
  FUNCTION(PQsslInUse, int, (PGconn * connection)) \
  FUNCTION(PQsslStruct, void *, (PGconn * connection, const char *name)) \
  FUNCTION(PQsetNoticeReceiver, alch_libpq_receiver, (PGconn * connection, alch_libpq_receiver receiver, void *context))

/* NULL where the library has not got them: those since version 17, and of OpenSSL, where it is linked with that. */
#define ALCH_LIBPQ_NEW_FUNCTIONS(FUNCTION) \
  FUNCTION(SSL_pending, int, (const void *session)) \
  FUNCTION(PQsetChunkedRowsMode, int, (PGconn * connection, int rows)) \
  FUNCTION(PQcancelCreate, PGcancelConn *, (PGconn * connection)) \
  FUNCTION(PQcancelBlocking, int, (PGcancelConn * cancel)) \
  FUNCTION(PQcancelFinish, void, (PGcancelConn * cancel))

typedef struct alch_libpq {
#define ALCH_LIBPQ_MEMBER(name, result, arguments) result(*name) arguments;
  ALCH_LIBPQ_FUNCTIONS(ALCH_LIBPQ_MEMBER)
  ALCH_LIBPQ_NEW_FUNCTIONS(ALCH_LIBPQ_MEMBER)
#undef ALCH_LIBPQ_MEMBER
} alch_libpq;

/* NULL and INTERFACE, naming Debian's package, when it is not there or too old. */
const alch_libpq *alch_libpq_open(alch_error *error);

#endif
