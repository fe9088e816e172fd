/* odbc_private.h - what the files of this driver share. Nobody else includes it. */
#ifndef ALCH_ODBC_PRIVATE_H
#define ALCH_ODBC_PRIVATE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "engine/driver.h"
#include "engine/drivers/odbc_library.h"
#include <pthread.h>

/* ---- what databases do differently, by dialect: odbc_quirks.c ---- */

/* How host, port and database stand in a connection string: Server=h;Port=p;Database=d, Server=h,p;Database=d, DBQ=//h:p/d. */
typedef enum alch_odbc_place { ALCH_ODBC_PLACE_PLAIN, ALCH_ODBC_PLACE_COMMA, ALCH_ODBC_PLACE_SERVICE } alch_odbc_place;

typedef struct alch_odbc_quirks {
  const char *dialect;
  uint8_t place;                /* alch_odbc_place */
  const char *keywords;         /* said in every connection string unless the URL says otherwise, name=value;name=value */
  const char *session;          /* run on every new connection, or NULL */
  const char *probe;            /* a query that always has a row */
  const char *last_key;         /* a query of the key that the session's last INSERT has made; NULL: RETURNING and its kin tell it */
  const char *savepoint, *rollback_to, *release;   /* the words before the name; NULL: the standard's; "": there is none and none is needed */
  bool integers_as_text;        /* 64-bit integers are not taken in binary */
  bool trusts_sizes;            /* the sizes of text columns that the driver tells are true */
  bool few_kinds;               /* booleans are stored as integers and moments as text, whatever columns are declared as */
  bool utf8_texts;              /* texts as SQL_C_CHAR are UTF-8, whatever the process's locale is, and come through better than as UTF-16 */
  bool nan_is_null;             /* a NaN would be stored as NULL */
  bool single_blobs;            /* arrays of bytes lose them */
  bool utf8_statements;         /* the driver manager would cut UTF-16 down to a byte a character for this driver, and gives UTF-8 on as it is */
  bool dollars;                 /* placeholders are written $1 */
} alch_odbc_quirks;

/* Never NULL. */
const alch_odbc_quirks *alch_odbc_quirks_find(const alch_url *url);

/* ---- odbc_url.c ---- */

typedef struct alch_odbc_settings {
  alch_buffer connection_string;
  uint32_t connect_timeout;     /* seconds; 0: none */
  uint32_t isolation;           /* bit of SQL_ATTR_TXN_ISOLATION; 0: as it is */
  const alch_odbc_quirks *quirks;
} alch_odbc_settings;

/* ARGUMENT, naming the nearest. The caller closes connection_string unless an error came. */
alch_status alch_odbc_settings_read(const alch_url *url, const alch_allocator *allocator, alch_odbc_settings *out, alch_error *error);
alch_status alch_odbc_check(const alch_driver *driver, const alch_url *url, alch_error *error);

/* ---- the records ---- */

struct alch_driver_connection {
  const alch_allocator *allocator;
  const alch_odbc_library *library;
  const alch_odbc_quirks *quirks;
  SQLHANDLE environment, handle;
  char product[64], version[64];   /* as SQLGetInfo tells them; "": it does not */
  bool connected;
  bool gone;                    /* found dead */
  bool in_transaction;          /* autocommit is off */
  bool in_branch;               /* of XA, which begins and ends by statements of its own */
  bool doubtful;                /* a statement has failed in it: some databases make a rollback of its commit then, and drivers do not say so */
  bool rolled_back;             /* the server has taken back what was done, or it is of no more use: nothing runs any more but what ends it */
  bool commit_deletes, rollback_deletes;   /* prepared statements do not outlive the end of a transaction */
  uint32_t epoch;               /* how often that has happened */
  pthread_mutex_t mutex;        /* round `running`, which another thread may cancel */
  SQLHANDLE running;
};

/* Texts that are calls of ODBC and no statements. */
typedef enum alch_odbc_control { ALCH_ODBC_STATEMENT, ALCH_ODBC_BEGIN, ALCH_ODBC_COMMIT, ALCH_ODBC_ROLLBACK, ALCH_ODBC_NOTHING } alch_odbc_control;

/* What a statement means for a branch of XA. */
typedef enum alch_odbc_branch { ALCH_ODBC_BRANCH_NONE, ALCH_ODBC_BRANCH_BEGINS, ALCH_ODBC_BRANCH_ENDS } alch_odbc_branch;

/* How the bytes of a cell are read. */
enum {
  ALCH_ODBC_READ_WIDE, ALCH_ODBC_READ_UTF8, ALCH_ODBC_READ_CHARACTERS, ALCH_ODBC_READ_UUID, ALCH_ODBC_READ_INTEGER, ALCH_ODBC_READ_BIG, ALCH_ODBC_READ_REAL, ALCH_ODBC_READ_BIT, ALCH_ODBC_READ_DECIMAL, ALCH_ODBC_READ_DATE,
  ALCH_ODBC_READ_TIME, ALCH_ODBC_READ_MOMENT, ALCH_ODBC_READ_BYTES
};

typedef struct alch_odbc_column {
  const char *name;
  uint8_t reader;
  SQLSMALLINT c_type;
  uint32_t width;               /* bytes of one bound cell; 0: its size is not known beforehand */
  char *cells;                  /* bound: one behind the other */
  SQLLEN *indicators;
} alch_odbc_column;

typedef struct alch_odbc_parameter {
  SQLSMALLINT c_type, sql_type, digits;
  SQLULEN size;                 /* as the standard has it: characters, digits or bytes */
  SQLLEN length;                /* bytes; SQL_NULL_DATA: NULL */
  const void *bytes;            /* NULL: at `offset` in the statement's wide texts, or inline */
  size_t offset;
  bool wide;
  union { int64_t integer; double real; unsigned char bit; alch_odbc_date date; alch_odbc_timestamp timestamp; char text[40]; } inlined;
} alch_odbc_parameter;

struct alch_driver_statement {
  alch_driver_connection *connection;
  SQLHANDLE handle;
  uint8_t control;              /* alch_odbc_control */
  uint32_t epoch;               /* of the connection when it was prepared */
  alch_buffer text;             /* UTF-16 */
  uint32_t count;               /* values */
  uint32_t placeholders;
  uint32_t *order;              /* which value each placeholder takes; NULL: in turn */
  const alch_type **types;      /* of the values, type_count of them; or NULL */
  uint32_t type_count;
  alch_odbc_parameter *parameters;   /* of one set */
  alch_buffer wide;             /* texts of the parameters in UTF-16 */
  alch_arena columns_arena;     /* what a result has */
  alch_odbc_column *columns;
  uint32_t column_count;
  SQLULEN rows_wanted;          /* of one fetch into bound columns; 0: cells are read one by one */
  SQLULEN rows_there, row;      /* of the last fetch */
  SQLUSMALLINT *row_states;
  uint32_t output_count;        /* of placeholders that the database writes into; their cells are the columns then */
  uint32_t *outputs;            /* their numbers, ascending */
  alch_buffer raw, cells;       /* a cell as it came; texts of the current row */
  int64_t changes;
  bool returns;                 /* the word RETURNING is in it: drivers may not know that it gives rows before it has run */
  bool begins;                  /* SET TRANSACTION, in place of what would begin one with its level: autocommit is switched off before */
  bool ends;                    /* PREPARE TRANSACTION: it is no longer the session's, and autocommit is switched on again */
  uint8_t branch;               /* alch_odbc_branch */
  bool executed, finished;
  bool failed;                  /* the last execution: its handle is good for no other */
  bool own_transaction;         /* several sets, outside of a transaction: one of their own */
  /* several sets, one after the other, for statements that return rows */
  const alch_value *sets;
  uint32_t set_count, set_size, set_next;
};

/* ---- odbc_error.c ---- */
/* Fills the error from the records of a handle. */
alch_status alch_odbc_fail(alch_driver_connection *connection, SQLSMALLINT kind, SQLHANDLE handle, alch_error *error);

/* ---- odbc_text.c ---- */
/* Appends as UTF-16, without a zero behind. False: the text is not UTF-8. */
bool alch_odbc_widen(const char *text, size_t length, alch_buffer *out);
/* Appends as UTF-8; half a surrogate pair becomes U+FFFD. */
void alch_odbc_narrow(const SQLWCHAR *text, size_t count, alch_buffer *out);
/* What the text is: a call of ODBC, or a statement. *out: the text to send where it is another one (dialects without RELEASE), in room bytes. */
alch_odbc_control alch_odbc_control_of(const alch_odbc_quirks *quirks, const char *sql, size_t length, char *out, size_t room);
alch_odbc_branch alch_odbc_branch_of(const char *sql, size_t length);
/* Goes over the statement: appends it to `out` with each $n as ?; *placeholders counts them (only with dollars), order gets their numbers from 0, as uint32_t. PROGRAMMING for a second statement. */
alch_status alch_odbc_scan(const alch_odbc_quirks *quirks, const char *sql, size_t length, alch_buffer *out, alch_buffer *order, alch_error *error);

/* ---- odbc_connect.c ---- */
alch_status alch_odbc_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error);
void alch_odbc_close(alch_driver_connection *connection);
alch_status alch_odbc_control_run(alch_driver_connection *connection, uint8_t control, alch_error *error);
/* Is one open, of either kind? */
bool alch_odbc_in_transaction(alch_driver_connection *connection);
/* Before a commit and the like: an error where a failed statement has made the transaction useless. */
alch_status alch_odbc_check_sound(alch_driver_connection *connection, alch_error *error);
/* What was done in it must not be kept. */
void alch_odbc_give_up_transaction(alch_driver_connection *connection);
/* Before a statement: what the server has rolled back is over for the driver as well. */
alch_status alch_odbc_leave_rolled_back(alch_driver_connection *connection, alch_error *error);
/* Runs a text without values or rows. */
alch_status alch_odbc_run(alch_driver_connection *connection, const char *sql, alch_error *error);
/* The key that the last INSERT has made, 0 where nobody can tell. */
int64_t alch_odbc_last_key(alch_driver_connection *connection);
void alch_odbc_server(alch_driver_connection *connection, alch_server *out);
bool alch_odbc_alive(alch_driver_connection *connection);
alch_status alch_odbc_ping(alch_driver_connection *connection, alch_error *error);
void alch_odbc_interrupt(alch_driver_connection *connection);
void alch_odbc_set_running(alch_driver_connection *connection, SQLHANDLE handle);

/* ---- odbc_parameter.c ---- */
alch_status alch_odbc_bind(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error);
/* Arrays: executes all sets, and counts the changes. */
alch_status alch_odbc_execute_array(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error);
/* Can one column of an array hold these values? */
bool alch_odbc_fits_array(const alch_odbc_quirks *quirks, const alch_value *values, uint32_t count, uint32_t sets);

/* ---- odbc_output.c: placeholders that the database writes into ---- */
alch_status alch_odbc_outputs(alch_driver_statement *statement, const uint32_t *places, uint32_t count, alch_error *error);
/* Is it one of them? */
bool alch_odbc_is_output(const alch_driver_statement *statement, uint32_t placeholder);
/* Binds them all, beside the others. */
alch_status alch_odbc_bind_outputs(alch_driver_statement *statement, alch_error *error);
/* To their row, which is there once, and only when the statement has changed something. */
alch_status alch_odbc_output_fetch(alch_driver_statement *statement);
void alch_odbc_outputs_close(alch_driver_statement *statement);

/* ---- odbc_result.c ---- */
/* What each reader asks for; bytes 0: as many as the column is long. */
typedef struct alch_odbc_reader { SQLSMALLINT c_type; uint32_t bytes; } alch_odbc_reader;
extern const alch_odbc_reader alch_odbc_reader_rows[];
/* After an execution: its columns, bound where they are short. */
alch_status alch_odbc_describe(alch_driver_statement *statement, bool bind, alch_error *error);
alch_status alch_odbc_fetch(alch_driver_statement *statement, alch_error *error);
alch_status alch_odbc_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error);
void alch_odbc_result_end(alch_driver_statement *statement);

#endif
