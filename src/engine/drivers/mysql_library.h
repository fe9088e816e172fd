/* mysql_library.h - MariaDB Connector/C, opened when it is first needed. Its functions and the structures that they share with callers are declared here from its documentation
   (https://mariadb.com/kb/en/mariadb-connectorc-api-functions/) as version 3.1 and later have them, so that no header of its is needed; a spec compares them with the header where that is installed.
   The record is one for the process and never changes once it is there. */
#ifndef ALCH_MYSQL_LIBRARY_H
#define ALCH_MYSQL_LIBRARY_H

#include "base/error.h"

typedef struct st_mysql MYSQL;
typedef struct st_mysql_stmt MYSQL_STMT;

/* Numbers of the library's enumerations. */
enum {
  MYSQL_TYPE_DECIMAL, MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_LONG, MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_NULL, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_INT24,
  MYSQL_TYPE_DATE, MYSQL_TYPE_TIME, MYSQL_TYPE_DATETIME, MYSQL_TYPE_YEAR, MYSQL_TYPE_NEWDATE, MYSQL_TYPE_VARCHAR, MYSQL_TYPE_BIT,
  MYSQL_TYPE_JSON = 245, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_ENUM, MYSQL_TYPE_SET, MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_BLOB, MYSQL_TYPE_VAR_STRING,
  MYSQL_TYPE_STRING, MYSQL_TYPE_GEOMETRY
};
enum {
  MYSQL_OPT_CONNECT_TIMEOUT = 0, MYSQL_OPT_COMPRESS = 1, MYSQL_INIT_COMMAND = 3, MYSQL_READ_DEFAULT_FILE = 4, MYSQL_READ_DEFAULT_GROUP = 5, MYSQL_SET_CHARSET_NAME = 7, MYSQL_OPT_LOCAL_INFILE = 8,
  MYSQL_OPT_PROTOCOL = 9, MYSQL_OPT_READ_TIMEOUT = 11, MYSQL_OPT_WRITE_TIMEOUT = 12, MYSQL_OPT_SSL_VERIFY_SERVER_CERT = 21, MYSQL_PLUGIN_DIR = 22, MYSQL_DEFAULT_AUTH = 23, MYSQL_OPT_BIND = 24,
  MYSQL_OPT_SSL_KEY = 25, MYSQL_OPT_SSL_CERT = 26, MYSQL_OPT_SSL_CA = 27, MYSQL_OPT_SSL_CAPATH = 28, MYSQL_OPT_SSL_CIPHER = 29, MYSQL_OPT_SSL_CRL = 30, MYSQL_OPT_SSL_CRLPATH = 31,
  MYSQL_SERVER_PUBLIC_KEY = 35, MYSQL_OPT_SSL_ENFORCE = 38, MYSQL_OPT_MAX_ALLOWED_PACKET = 39, MYSQL_OPT_TLS_VERSION = 41, MYSQL_OPT_NONBLOCK = 6000
};
enum { MYSQL_PROTOCOL_TCP = 1 };
enum { MARIADB_CONNECTION_SERVER_STATUS = 30 };
enum { STMT_ATTR_CURSOR_TYPE = 1, STMT_ATTR_PREFETCH_ROWS = 2, STMT_ATTR_ARRAY_SIZE = 201, STMT_ATTR_ROW_SIZE = 202, STMT_ATTR_CB_USER_DATA = 204, STMT_ATTR_CB_PARAM = 205, STMT_ATTR_CB_RESULT = 206 };
enum { CURSOR_TYPE_NO_CURSOR, CURSOR_TYPE_READ_ONLY };
enum { STMT_INDICATOR_NONE, STMT_INDICATOR_NULL, STMT_INDICATOR_DEFAULT };
enum { MYSQL_WAIT_READ = 1, MYSQL_WAIT_WRITE = 2, MYSQL_WAIT_EXCEPT = 4, MYSQL_WAIT_TIMEOUT = 8 };
enum { MYSQL_NO_DATA = 100, MYSQL_DATA_TRUNCATED = 101 };
enum { CLIENT_FOUND_ROWS = 2 };
enum { SERVER_STATUS_IN_TRANS = 1, SERVER_STATUS_CURSOR_EXISTS = 64, SERVER_STATUS_IN_TRANS_READONLY = 8192 };
enum { UNSIGNED_FLAG = 32, BINARY_CHARSET = 63 };
enum { CR_CONNECTION_ERROR = 2002, CR_SERVER_GONE_ERROR = 2006, CR_OUT_OF_MEMORY = 2008, CR_SERVER_LOST = 2013, CR_COMMANDS_OUT_OF_SYNC = 2014, CR_SSL_CONNECTION_ERROR = 2026, CR_NEW_STMT_METADATA = 2057, CR_BULK_UNSUPPORTED = 5003 };

/* How the record of a connection begins. */
typedef struct alch_mysql_head {
  struct {
    void *pvio;
    unsigned char *buff, *buff_end, *write_pos, *read_pos;   /* read_pos: the message that was read last */
  } net;
} alch_mysql_head;

typedef struct alch_mysql_field {
  char *name, *org_name, *table, *org_table, *db, *catalog, *def;
  unsigned long length, max_length;
  unsigned int name_length, org_name_length, table_length, org_table_length, db_length, catalog_length, def_length;
  unsigned int flags, decimals, charsetnr;
  int type;                        /* MYSQL_TYPE_ */
  void *extension;
} alch_mysql_field;

typedef struct alch_mysql_bind {
  unsigned long *length;
  char *is_null;
  void *buffer;
  char *error;
  union { unsigned char *row; char *indicator; } u;
  void (*functions[3])(void);      /* the library's own */
  unsigned long buffer_length, offset, length_value;
  unsigned int flags, pack_length;
  int buffer_type;                 /* MYSQL_TYPE_ */
  char error_value, is_unsigned, long_data_used, is_null_value;
  void *extension;
} alch_mysql_bind;

typedef struct alch_mysql_time {
  unsigned int year, month, day, hour, minute, second;
  unsigned long second_part;       /* microseconds */
  char neg;
  int time_type;
} alch_mysql_time;

/* FUNCTION(name, result, arguments) */
#define ALCH_MYSQL_FUNCTIONS(FUNCTION) \
  FUNCTION(mysql_server_init, int, (int count, char **arguments, char **groups)) \
  FUNCTION(mysql_init, MYSQL *, (MYSQL *connection)) \
  FUNCTION(mysql_options, int, (MYSQL *connection, int option, const void *value)) \
  FUNCTION(mysql_real_connect, MYSQL *, (MYSQL *connection, const char *host, const char *user, const char *password, const char *database, unsigned int port, const char *socket, unsigned long flags)) \
  FUNCTION(mysql_real_connect_start, int, (MYSQL **answer, MYSQL *connection, const char *host, const char *user, const char *password, const char *database, unsigned int port, const char *socket, unsigned long flags)) \
  FUNCTION(mysql_real_connect_cont, int, (MYSQL **answer, MYSQL *connection, int ready)) \
  FUNCTION(mysql_close, void, (MYSQL *connection)) \
  FUNCTION(mysql_kill, int, (MYSQL *connection, unsigned long thread)) \
  FUNCTION(mysql_real_query, int, (MYSQL *connection, const char *sql, unsigned long length)) \
  FUNCTION(mysql_real_query_start, int, (int *answer, MYSQL *connection, const char *sql, unsigned long length)) \
  FUNCTION(mysql_real_query_cont, int, (int *answer, MYSQL *connection, int ready)) \
  FUNCTION(mysql_ping_start, int, (int *answer, MYSQL *connection)) \
  FUNCTION(mysql_ping_cont, int, (int *answer, MYSQL *connection, int ready)) \
  FUNCTION(mysql_errno, unsigned int, (MYSQL *connection)) \
  FUNCTION(mysql_error, const char *, (MYSQL *connection)) \
  FUNCTION(mysql_sqlstate, const char *, (MYSQL *connection)) \
  FUNCTION(mysql_field_count, unsigned int, (MYSQL *connection)) \
  FUNCTION(mysql_affected_rows, unsigned long long, (MYSQL *connection)) \
  FUNCTION(mysql_insert_id, unsigned long long, (MYSQL *connection)) \
  FUNCTION(mysql_warning_count, unsigned int, (MYSQL *connection)) \
  FUNCTION(mysql_thread_id, unsigned long, (MYSQL *connection)) \
  FUNCTION(mysql_get_server_info, const char *, (MYSQL *connection)) \
  FUNCTION(mysql_get_ssl_cipher, const char *, (MYSQL *connection)) \
  FUNCTION(mysql_get_socket, int, (MYSQL *connection)) \
  FUNCTION(mysql_get_timeout_value_ms, unsigned int, (const MYSQL *connection)) \
  FUNCTION(mariadb_get_info, char, (MYSQL *connection, int what, void *out)) \
  FUNCTION(mariadb_connection, char, (MYSQL *connection)) \
  FUNCTION(mysql_stmt_init, MYSQL_STMT *, (MYSQL *connection)) \
  FUNCTION(mysql_stmt_attr_set, char, (MYSQL_STMT *statement, int attribute, const void *value)) \
  FUNCTION(mysql_stmt_prepare_start, int, (int *answer, MYSQL_STMT *statement, const char *sql, unsigned long length)) \
  FUNCTION(mysql_stmt_prepare_cont, int, (int *answer, MYSQL_STMT *statement, int ready)) \
  FUNCTION(mysql_stmt_execute_start, int, (int *answer, MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_execute_cont, int, (int *answer, MYSQL_STMT *statement, int ready)) \
  FUNCTION(mysql_stmt_store_result_start, int, (int *answer, MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_store_result_cont, int, (int *answer, MYSQL_STMT *statement, int ready)) \
  FUNCTION(mysql_stmt_fetch, int, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_fetch_start, int, (int *answer, MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_fetch_cont, int, (int *answer, MYSQL_STMT *statement, int ready)) \
  FUNCTION(mysql_stmt_data_seek, void, (MYSQL_STMT *statement, unsigned long long row)) \
  FUNCTION(mysql_stmt_free_result, char, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_free_result_start, int, (char *answer, MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_free_result_cont, int, (char *answer, MYSQL_STMT *statement, int ready)) \
  FUNCTION(mysql_stmt_more_results, char, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_next_result_start, int, (int *answer, MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_next_result_cont, int, (int *answer, MYSQL_STMT *statement, int ready)) \
  FUNCTION(mysql_stmt_close, char, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_bind_param, char, (MYSQL_STMT *statement, alch_mysql_bind *binds)) \
  FUNCTION(mysql_stmt_param_count, unsigned long, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_field_count, unsigned int, (MYSQL_STMT *statement)) \
  FUNCTION(mariadb_stmt_fetch_fields, alch_mysql_field *, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_num_rows, unsigned long long, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_affected_rows, unsigned long long, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_insert_id, unsigned long long, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_warning_count, unsigned int, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_errno, unsigned int, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_error, const char *, (MYSQL_STMT *statement)) \
  FUNCTION(mysql_stmt_sqlstate, const char *, (MYSQL_STMT *statement))

typedef struct alch_libmariadb {
#define ALCH_MYSQL_MEMBER(name, result, arguments) result(*name) arguments;
  ALCH_MYSQL_FUNCTIONS(ALCH_MYSQL_MEMBER)
#undef ALCH_MYSQL_MEMBER
} alch_libmariadb;

/* NULL with an INTERFACE error that names the package. Any thread may ask. */
const alch_libmariadb *alch_libmariadb_open(alch_error *error);

#endif
