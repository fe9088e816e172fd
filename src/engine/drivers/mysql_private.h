/* mysql_private.h - what the files of this driver share. Nobody else includes it.
   The library's non-blocking calls run each blocking call on a stack of its own, which is left and entered again at every wait: one call of a connection may be under way at a time, and it has to be led to its
   end, whatever has become of whoever asked for it. So a connection knows the call that it is in; an execution that is given up in the middle leaves it to the next one, which ends it first. */
#ifndef ALCH_MYSQL_PRIVATE_H
#define ALCH_MYSQL_PRIVATE_H

#include "base/arena.h"
#include "engine/driver.h"
#include "engine/drivers/mysql_library.h"

#define ALCH_MYSQL_SECONDS 10         /* to connect in, where the URL has no connect_timeout */
#define ALCH_MYSQL_PARAMETERS 65535   /* the protocol counts them in 16 bits */

/* The calls of the library that may wait. */
typedef enum alch_mysql_call {
  ALCH_MYSQL_NONE, ALCH_MYSQL_CONNECT, ALCH_MYSQL_PING, ALCH_MYSQL_QUERY, ALCH_MYSQL_PREPARE, ALCH_MYSQL_EXECUTE, ALCH_MYSQL_STORE, ALCH_MYSQL_FETCH, ALCH_MYSQL_FREE, ALCH_MYSQL_NEXT,
  ALCH_MYSQL_SAVE, ALCH_MYSQL_UNDO   /* a savepoint before many sets of values, and back to it */
} alch_mysql_call;

typedef enum alch_mysql_phase {
  ALCH_MYSQL_IDLE,
  ALCH_MYSQL_QUEUED,      /* until the connection has ended what others left */
  ALCH_MYSQL_ASKING,      /* the text as it is */
  ALCH_MYSQL_SAVING,      /* many sets: all of them or none */
  ALCH_MYSQL_PREPARING,
  ALCH_MYSQL_EXECUTING,
  ALCH_MYSQL_RENEWING,    /* the table has other columns than when it was prepared: the result is read away, and it is prepared again */
  ALCH_MYSQL_STORING,
  ALCH_MYSQL_ROWS,        /* all of them are here */
  ALCH_MYSQL_PIECES,      /* they come in pieces */
  ALCH_MYSQL_FLOWING,     /* each is read when it is asked for, while the server sends the next (mysql_flow.c) */
  ALCH_MYSQL_BROKEN,      /* they could not be stored when somebody else wanted the connection; the handle keeps the error */
  ALCH_MYSQL_REST,        /* further results, of a CALL, are read away */
  ALCH_MYSQL_REST_ROWS,
  ALCH_MYSQL_UNDOING,     /* a set has failed; the handle keeps the error */
  ALCH_MYSQL_FAILED,      /* while somebody else was asked for an answer; `failure` says why */
  ALCH_MYSQL_COMPLETE
} alch_mysql_phase;

#define ALCH_MYSQL_NO_TLS "\nHINT:  TLS has to be set up at the server (its ssl_cert and ssl_key); a URL without ssl and its like connects unencrypted"

/* ---- mysql_url.c ---- */
typedef struct alch_mysql_settings {
  alch_arena arena;
  const char *host, *user, *password, *database, *socket;
  unsigned int port;                 /* 0: the library's own */
  unsigned long flags;               /* CLIENT_ */
  bool tls, plain;                   /* it is asked for; it is asked to be left out. Neither: as the library has it */
  bool verifies;                     /* with tls: the server's certificate is looked at, and the host that it is for */
  int64_t microseconds;              /* to connect in; -1: no limit */
  int64_t read_limit, write_limit;   /* microseconds that may pass without a byte; 0: no limit */
  const char *session;               /* the SET that begins every session */
  const char *init_command;          /* the user's own; or NULL */
  const alch_url_option *options;    /* the URL's; for those that the library takes. NULL once it has taken them */
  uint32_t option_count;
} alch_mysql_settings;
/* ARGUMENT, naming the nearest. Closes itself on error; else alch_arena_clear(&out->arena). Copies what it needs. */
alch_status alch_mysql_settings_read(const alch_url *url, const alch_allocator *allocator, alch_mysql_settings *out, alch_error *error);
alch_status alch_mysql_check(const alch_driver *driver, const alch_url *url, alch_error *error);
/* Tells the library. False: no memory. */
bool alch_mysql_settings_apply(const alch_mysql_settings *settings, const alch_libmariadb *library, MYSQL *handle);

typedef struct alch_mysql_column {
  int type;                          /* MYSQL_TYPE_ of the field */
  uint8_t form;                      /* how its values stand in a row; mysql_result.c's own */
  uint8_t size;                      /* of those that all have the same */
  bool is_unsigned, is_binary;
  /* the current row's value, as the server sent it: within the library's memory, until the next row */
  const unsigned char *at;           /* NULL: NULL */
  uint64_t length;
} alch_mysql_column;

struct alch_driver_statement {
  alch_driver_connection *connection;
  MYSQL_STMT *handle;                /* NULL before it is prepared for the first time */
  char *sql;                         /* a copy, with a zero */
  size_t sql_length;
  alch_mysql_phase phase;
  bool prepared;
  bool plain;                        /* sent as text: it never gives rows, and servers may not prepare it */
  bool reads;                        /* a query: it may be run again, and its rows may come in pieces */
  bool inserts;                      /* an INSERT: of many sets in one round trip it gives the rows of all, in their order */
  bool renewed;                      /* it was prepared a second time in this start */
  bool current;                      /* there is a row */
  uint32_t stream_rows;
  bool flows;                        /* rows may be read as they come */
  bool ahead;                        /* it may be started while the answer to another is still to come, or the next one while its own is (mysql_turn.c) */
  bool had_cursor;                   /* the library takes every later execution of the handle for one of a cursor, unless it stores the rows */
  uint8_t held;                      /* the phase in which it has ended, where its rows are to be freed later, when nothing else is under way; else 0 */
  /* parameters; values are borrowed from start to finish */
  const alch_value *values;
  uint32_t count;
  uint32_t sets, set;                /* 0: one, and no more to it; the one under way */
  bool bulk;                         /* all sets go in one round trip */
  bool arrayed;                      /* the library would send many sets */
  alch_mysql_bind *binds;
  alch_mysql_time *times;
  unsigned long *lengths;
  size_t bytes;                 /* of the texts and blobs that were bound last */
  uint32_t bind_capacity;
  /* results */
  alch_mysql_column *columns;
  uint32_t column_count, column_capacity;
  const unsigned char *row, *row_end;   /* the current row, from its first value that is no NULL; row NULL: all are, or none has come yet */
  alch_buffer kept;                  /* the current row of those that are read as they come */
  char digits[24];                   /* of integers beyond int64 go one behind the other into `scratch` */
  alch_buffer scratch;
  int64_t changes, last_insert_id;
  alch_error failure;                /* of the phase FAILED */
  alch_driver_statement *next;       /* among those to be closed */
  alch_driver_statement *older, *newer;   /* all of the connection's */
};

struct alch_driver_connection {
  const alch_allocator *allocator;
  const alch_libmariadb *library;
  const alch_driver *driver;
  MYSQL *handle;
  alch_mysql_settings settings;      /* kept for interrupt */
  unsigned long thread;              /* the server's number for it */
  int64_t deadline;                  /* of connecting */
  bool connected, gone;
  bool rolled_back;                  /* the server has ended the transaction with an error, which does not come with its state */
  alch_driver_statement *statements; /* all of them, newest first */
  /* the call under way */
  alch_mysql_call call;
  alch_driver_statement *caller;
  int events;                        /* MYSQL_WAIT_ bits that it waits for */
  int64_t call_deadline;             /* INT64_MAX: none */
  bool own_deadline;                 /* it is none of the library's, which knows none under TLS */
  union { MYSQL *handle; int number; char truth; } answer;
  alch_driver_statement *flowing;    /* whose rows are read as they come; or NULL */
  bool holding;                      /* some statements are held */
  alch_driver_statement *leader;     /* of those that were started ahead: the oldest whose answer is not told of yet; or NULL */
  alch_driver_statement *follower;   /* started behind it, and not sent before its answer is here; or NULL */
  alch_driver_statement *current;    /* whose results are not read to the end (a CALL); or NULL */
  alch_driver_statement *dropped;    /* given up in the middle of a call, or with results to be read away */
  bool dropped_closed;               /* and finalized */
  alch_driver_statement *closing;    /* finalized while a call was under way */
  int64_t last_insert_id;
  unsigned warnings;                 /* of the statements that have ended, not told of yet */
  char warning_text[80];
};

/* ---- mysql_call.c ---- */
/* Begins the call, or goes on with it. ALCH_OK: connection->answer is there. */
alch_status alch_mysql_advance(alch_driver_connection *connection, alch_mysql_call call, alch_driver_statement *statement);
/* Ends what others have left. */
alch_status alch_mysql_settle(alch_driver_connection *connection);
/* Leads the call under way to its end without waiting; the connection is lost with it. */
void alch_mysql_break(alch_driver_connection *connection);
void alch_mysql_waits_for(alch_driver_connection *connection, alch_wait *out);
unsigned int alch_mysql_server_status(alch_driver_connection *connection);

/* ---- mysql_connect.c ---- */
alch_status alch_mysql_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error);
alch_status alch_mysql_connect_poll(alch_driver_connection *connection, alch_error *error);
void alch_mysql_close(alch_driver_connection *connection);
/* In a forked child: without a word to the server. */
void alch_mysql_abandon(alch_driver_connection *connection);
alch_status alch_mysql_ping(alch_driver_connection *connection, alch_error *error);
void alch_mysql_interrupt(alch_driver_connection *connection);
alch_interruption *alch_mysql_interruption(alch_driver_connection *connection);
void alch_mysql_server(alch_driver_connection *connection, alch_server *out);
bool alch_mysql_alive(alch_driver_connection *connection);

/* ---- mysql_error.c ---- */
/* Fills the error from the statement, or (NULL) from the connection. */
alch_status alch_mysql_fail(alch_driver_connection *connection, const alch_driver_statement *statement, alch_error *error);

/* ---- mysql_warning.c ---- */
extern const struct alch_messages alch_mysql_messages;
/* The statement has ended. */
void alch_mysql_note_warnings(const alch_driver_statement *statement);
/* The same where its rows were read as they came, whose end the library does not look into. */
void alch_mysql_note_flow_warnings(const alch_driver_statement *statement);

/* ---- mysql_parameter.c ---- */
/* Hands the values to the library, which copies them when it executes. */
alch_status alch_mysql_bind_values(alch_driver_statement *statement, alch_error *error);
/* All sets at once, where the server takes them so and each column has values of one kind; *done says whether. Else the library sends one set at a time from then on. */
alch_status alch_mysql_bind_sets(alch_driver_statement *statement, bool *done, alch_error *error);
alch_status alch_mysql_unbind_sets(alch_driver_statement *statement, alch_error *error);

/* ---- mysql_flow.c ---- */
/* Whatever others have left on the connection is ended or stored, so that something can be said to the server for this statement (NULL: for none). ALCH_WAIT: the same call again. */
alch_status alch_mysql_make_way(alch_driver_connection *connection, const alch_driver_statement *statement, alch_error *error);
/* The statement's rows are read as they come from now on. */
void alch_mysql_flow_begin(alch_driver_statement *statement);
/* They are read, stored, or have come to an end in an error. Nothing happens where none flow. */
void alch_mysql_flow_end(alch_driver_connection *connection);
/* Does what somebody else has under way keep this statement from freeing its rows? It is done later then. */
bool alch_mysql_hold(alch_driver_statement *statement);
/* Now, when nothing is under way. */
void alch_mysql_release(alch_driver_connection *connection);

/* ---- mysql_turn.c ---- */
/* The statement was started. One that is ahead goes out at once, or as the follower of another. */
void alch_mysql_line_up(alch_driver_statement *statement);
/* The first answer to a statement that was started ahead is here, or it has failed: its follower goes out. ALCH_WAIT: not all of that is sent yet, the same call again. */
alch_status alch_mysql_pass_on(alch_driver_statement *statement, bool failed);
/* It is given up. */
void alch_mysql_leave_line(alch_driver_statement *statement);
/* The answer to what was sent ahead is read, so that something else can be said to the server for this statement (or NULL). ALCH_WAIT: the same call again. */
alch_status alch_mysql_await_leader(alch_driver_connection *connection, const alch_driver_statement *statement);

/* ---- mysql_result.c ---- */
/* Tells the library what to do with rows, whose columns are the statement's fields. */
alch_status alch_mysql_bind_columns(alch_driver_statement *statement, alch_error *error);
/* Copies the current row, which lies where the next message from the server will be. */
alch_status alch_mysql_keep_row(alch_driver_statement *statement, alch_error *error);
alch_status alch_mysql_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error);
alch_status alch_mysql_cells(alch_driver_statement *statement, alch_value *out, uint32_t first, uint32_t count, alch_error *error);

/* ---- mysql_statement.c ---- */
void alch_mysql_statement_free(alch_driver_statement *statement);
alch_status alch_mysql_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error);
alch_status alch_mysql_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error);
alch_status alch_mysql_start_many(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error);
alch_status alch_mysql_poll(alch_driver_statement *statement, alch_error *error);
/* One call further; to where rows can be asked for, or to the end. ALCH_OK: there is more to do. */
alch_status alch_mysql_step(alch_driver_statement *statement, alch_error *error);
alch_status alch_mysql_drive(alch_driver_statement *statement, alch_error *error);
/* Its rows are all here now, or could not be read (answer: of the call that stores them). */
alch_status alch_mysql_stored(alch_driver_statement *statement, alch_error *error);
/* What the library keeps of its rows is freed. */
void alch_mysql_free_rows(alch_driver_statement *statement);
void alch_mysql_finish(alch_driver_statement *statement);
void alch_mysql_finalize(alch_driver_statement *statement);

#endif
