/* odbc_library.h - the driver manager, opened when it is first needed. Its functions, types and numbers are declared here from the standard (ISO/IEC 9075-3; https://learn.microsoft.com/sql/odbc/reference),
   as unixODBC has them on 64 bits: SQLLEN has 64, a wide character is a unit of UTF-16. The record is one for the process and never changes once it is there. */
#ifndef ALCH_ODBC_LIBRARY_H
#define ALCH_ODBC_LIBRARY_H

#include "base/error.h"

typedef int16_t SQLRETURN;
typedef int16_t SQLSMALLINT;
typedef uint16_t SQLUSMALLINT;
typedef int32_t SQLINTEGER;
typedef intptr_t SQLLEN;
typedef uintptr_t SQLULEN;
typedef uint16_t SQLWCHAR;
typedef void *SQLHANDLE;

enum { SQL_SUCCESS = 0, SQL_SUCCESS_WITH_INFO = 1, SQL_NO_DATA = 100, SQL_NULL_DATA = -1, SQL_NTS = -3, SQL_NO_TOTAL = -4 };
enum { SQL_HANDLE_ENV = 1, SQL_HANDLE_DBC, SQL_HANDLE_STMT };
enum { SQL_CLOSE = 0, SQL_UNBIND = 2, SQL_RESET_PARAMS = 3 };
enum { SQL_COMMIT = 0, SQL_ROLLBACK = 1 };
enum {
  SQL_ATTR_ODBC_VERSION = 200, SQL_OV_ODBC3 = 3, SQL_ATTR_AUTOCOMMIT = 102, SQL_ATTR_LOGIN_TIMEOUT = 103, SQL_ATTR_TXN_ISOLATION = 108, SQL_ATTR_CONNECTION_DEAD = 1209,
  SQL_ATTR_PARAM_STATUS_PTR = 20, SQL_ATTR_PARAMS_PROCESSED_PTR = 21, SQL_ATTR_PARAMSET_SIZE = 22, SQL_ATTR_ROW_STATUS_PTR = 25, SQL_ATTR_ROWS_FETCHED_PTR = 26, SQL_ATTR_ROW_ARRAY_SIZE = 27
};
enum { SQL_DBMS_NAME = 17, SQL_DBMS_VER = 18 };   /* SQLGetInfo */
enum { SQL_CURSOR_COMMIT_BEHAVIOR = 23, SQL_CURSOR_ROLLBACK_BEHAVIOR = 24, SQL_DESC_UNSIGNED = 8 };
enum { SQL_PARAM_INPUT = 1, SQL_PARAM_OUTPUT = 4, SQL_PARAM_SUCCESS = 0, SQL_PARAM_ERROR = 5, SQL_PARAM_SUCCESS_WITH_INFO = 6, SQL_PARAM_UNUSED = 7, SQL_ROW_ERROR = 5 };
enum {
  SQL_CHAR = 1, SQL_NUMERIC = 2, SQL_DECIMAL = 3, SQL_INTEGER = 4, SQL_SMALLINT = 5, SQL_FLOAT = 6, SQL_REAL = 7, SQL_DOUBLE = 8, SQL_VARCHAR = 12, SQL_TYPE_DATE = 91, SQL_TYPE_TIME = 92,
  SQL_TYPE_TIMESTAMP = 93, SQL_LONGVARCHAR = -1, SQL_BINARY = -2, SQL_VARBINARY = -3, SQL_LONGVARBINARY = -4, SQL_BIGINT = -5, SQL_TINYINT = -6, SQL_BIT = -7, SQL_WCHAR = -8, SQL_WVARCHAR = -9,
  SQL_WLONGVARCHAR = -10, SQL_GUID = -11, SQL_SS_TIME2 = -154, SQL_SS_TIMESTAMPOFFSET = -155
};
enum { SQL_C_CHAR = SQL_CHAR, SQL_C_DOUBLE = SQL_DOUBLE, SQL_C_BIT = SQL_BIT, SQL_C_BINARY = SQL_BINARY, SQL_C_WCHAR = SQL_WCHAR, SQL_C_SBIGINT = -25, SQL_C_TYPE_DATE = SQL_TYPE_DATE, SQL_C_TYPE_TIMESTAMP = SQL_TYPE_TIMESTAMP };

typedef struct alch_odbc_date { SQLSMALLINT year; SQLUSMALLINT month, day; } alch_odbc_date;
typedef struct alch_odbc_timestamp { SQLSMALLINT year; SQLUSMALLINT month, day, hour, minute, second; uint32_t nanoseconds; } alch_odbc_timestamp;

static inline bool alch_odbc_succeeded(SQLRETURN code) { return code == SQL_SUCCESS || code == SQL_SUCCESS_WITH_INFO; }

/* FUNCTION(name, arguments): all answer an SQLRETURN. */
#define ALCH_ODBC_FUNCTIONS(FUNCTION) \
  FUNCTION(SQLAllocHandle, (SQLSMALLINT kind, SQLHANDLE parent, SQLHANDLE *out)) \
  FUNCTION(SQLFreeHandle, (SQLSMALLINT kind, SQLHANDLE handle)) \
  FUNCTION(SQLSetEnvAttr, (SQLHANDLE environment, SQLINTEGER attribute, void *value, SQLINTEGER length)) \
  FUNCTION(SQLDriverConnectW, (SQLHANDLE connection, void *window, SQLWCHAR *in, SQLSMALLINT in_length, SQLWCHAR *out, SQLSMALLINT out_size, SQLSMALLINT *out_length, SQLUSMALLINT completion)) \
  FUNCTION(SQLDisconnect, (SQLHANDLE connection)) \
  FUNCTION(SQLSetConnectAttr, (SQLHANDLE connection, SQLINTEGER attribute, void *value, SQLINTEGER length)) \
  FUNCTION(SQLGetConnectAttr, (SQLHANDLE connection, SQLINTEGER attribute, void *value, SQLINTEGER size, SQLINTEGER *length)) \
  FUNCTION(SQLGetInfo, (SQLHANDLE connection, SQLUSMALLINT what, void *value, SQLSMALLINT size, SQLSMALLINT *length)) \
  FUNCTION(SQLEndTran, (SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT how)) \
  FUNCTION(SQLPrepare, (SQLHANDLE statement, unsigned char *text, SQLINTEGER length)) \
  FUNCTION(SQLPrepareW, (SQLHANDLE statement, SQLWCHAR *text, SQLINTEGER length)) \
  FUNCTION(SQLNumParams, (SQLHANDLE statement, SQLSMALLINT *count)) \
  FUNCTION(SQLBindParameter, (SQLHANDLE statement, SQLUSMALLINT number, SQLSMALLINT direction, SQLSMALLINT c_type, SQLSMALLINT sql_type, SQLULEN size, SQLSMALLINT digits, void *value, SQLLEN length, SQLLEN *indicator)) \
  FUNCTION(SQLExecute, (SQLHANDLE statement)) \
  FUNCTION(SQLNumResultCols, (SQLHANDLE statement, SQLSMALLINT *count)) \
  FUNCTION(SQLDescribeColW, (SQLHANDLE statement, SQLUSMALLINT number, SQLWCHAR *name, SQLSMALLINT room, SQLSMALLINT *length, SQLSMALLINT *type, SQLULEN *size, SQLSMALLINT *digits, SQLSMALLINT *nullable)) \
  FUNCTION(SQLColAttributeW, (SQLHANDLE statement, SQLUSMALLINT number, SQLUSMALLINT field, void *text, SQLSMALLINT room, SQLSMALLINT *length, SQLLEN *value)) \
  FUNCTION(SQLBindCol, (SQLHANDLE statement, SQLUSMALLINT number, SQLSMALLINT c_type, void *value, SQLLEN room, SQLLEN *indicator)) \
  FUNCTION(SQLFetch, (SQLHANDLE statement)) \
  FUNCTION(SQLGetData, (SQLHANDLE statement, SQLUSMALLINT number, SQLSMALLINT c_type, void *value, SQLLEN room, SQLLEN *indicator)) \
  FUNCTION(SQLRowCount, (SQLHANDLE statement, SQLLEN *count)) \
  FUNCTION(SQLMoreResults, (SQLHANDLE statement)) \
  FUNCTION(SQLSetStmtAttr, (SQLHANDLE statement, SQLINTEGER attribute, void *value, SQLINTEGER length)) \
  FUNCTION(SQLFreeStmt, (SQLHANDLE statement, SQLUSMALLINT what)) \
  FUNCTION(SQLCancel, (SQLHANDLE statement)) \
  FUNCTION(SQLGetDiagRecW, (SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, SQLWCHAR *state, SQLINTEGER *native, SQLWCHAR *message, SQLSMALLINT room, SQLSMALLINT *length))

typedef struct alch_odbc_library {
#define ALCH_ODBC_MEMBER(name, arguments) SQLRETURN(*name) arguments;
  ALCH_ODBC_FUNCTIONS(ALCH_ODBC_MEMBER)
#undef ALCH_ODBC_MEMBER
} alch_odbc_library;

/* NULL and INTERFACE, naming Debian's package, when it is not there. */
const alch_odbc_library *alch_odbc_open(alch_error *error);

#endif
