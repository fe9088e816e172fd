/* postgresql_private.h - what the files of this driver share. Nobody else includes it. */
#ifndef ALCH_POSTGRESQL_PRIVATE_H
#define ALCH_POSTGRESQL_PRIVATE_H

#include "base/buffer.h"
#include "engine/driver.h"
#include "engine/drivers/postgresql_library.h"

/* Numbers of the types that the server is built with (its pg_type.dat). */
enum {
  PG_UNKNOWN = 0, PG_BOOL = 16, PG_BYTEA = 17, PG_CHAR = 18, PG_NAME = 19, PG_INT8 = 20, PG_INT2 = 21, PG_INT4 = 23, PG_TEXT = 25, PG_OID = 26, PG_JSON = 114, PG_XML = 142, PG_FLOAT4 = 700,
  PG_FLOAT8 = 701, PG_BPCHAR = 1042, PG_VARCHAR = 1043, PG_DATE = 1082, PG_TIME = 1083, PG_TIMESTAMP = 1114, PG_TIMESTAMPTZ = 1184, PG_INTERVAL = 1186, PG_TIMETZ = 1266, PG_NUMERIC = 1700,
  PG_UUID = 2950, PG_JSONB = 3802, PG_INT4_ARRAY = 1007, PG_INT8_ARRAY = 1016, PG_TEXT_ARRAY = 1009, PG_OID_ARRAY = 1028, PG_CIDR = 650, PG_MACADDR8 = 774, PG_MACADDR = 829, PG_INET = 869, PG_BIT = 1560, PG_VARBIT = 1562,
  PG_JSONPATH = 4072, PG_INT4RANGE = 3904, PG_NUMRANGE = 3906, PG_TSRANGE = 3908, PG_TSTZRANGE = 3910, PG_DATERANGE = 3912, PG_INT8RANGE = 3926, PG_INT4MULTIRANGE = 4451, PG_NUMMULTIRANGE = 4532,
  PG_TSMULTIRANGE = 4533, PG_TSTZMULTIRANGE = 4534, PG_DATEMULTIRANGE = 4535, PG_INT8MULTIRANGE = 4536
};

#define ALCH_POSTGRESQL_PARAMETERS 65535   /* the protocol counts them in 16 bits */
#define ALCH_POSTGRESQL_EPOCH INT64_C(10957)  /* the server counts from 2000-01-01: days since 1970 */
#define ALCH_POSTGRESQL_SECONDS 10         /* to connect in, where the URL has no connect_timeout */

/* Where a statement's own work on the connection is. */
typedef enum alch_postgresql_phase {
  ALCH_POSTGRESQL_IDLE,        /* nothing is under way */
  ALCH_POSTGRESQL_QUEUED,      /* to be sent as soon as the connection has read what others asked for */
  ALCH_POSTGRESQL_SENT,        /* results are coming */
  ALCH_POSTGRESQL_COMPLETE     /* all that it will ever have is in its list of results */
} alch_postgresql_phase;

/* Texts that the connection itself has to know. All but the plain ones go without a name: they are cheap to parse, and have to work when names are gone (DISCARD ALL). */
typedef enum alch_postgresql_control { ALCH_POSTGRESQL_PLAIN, ALCH_POSTGRESQL_DIRECT, ALCH_POSTGRESQL_BEGIN, ALCH_POSTGRESQL_COMMIT, ALCH_POSTGRESQL_ROLLBACK, ALCH_POSTGRESQL_PREPARE /* TRANSACTION */ } alch_postgresql_control;

/* Where a COPY on the connection is. */
typedef enum alch_postgresql_copying {
  ALCH_POSTGRESQL_COPY_NONE,
  ALCH_POSTGRESQL_COPY_ASKED,  /* the command was sent */
  ALCH_POSTGRESQL_COPY_IN,     /* the server takes data */
  ALCH_POSTGRESQL_COPY_OUT,    /* it sends data */
  ALCH_POSTGRESQL_COPY_ENDING  /* the data is through; what the server says of it comes */
} alch_postgresql_copying;

typedef struct alch_postgresql_column {
  Oid type;
  bool binary;
  bool container;                  /* in binary it has an inside, and its text is made beforehand: the next two say where in the statement's `inside` */
  size_t text_at;
  uint32_t text_length;
  uint8_t size;                    /* bytes that a value has at least */
  alch_status (*read)(alch_driver_statement *statement, const char *bytes, uint32_t length, alch_value *out, alch_error *error);
} alch_postgresql_column;

typedef struct alch_postgresql_out alch_postgresql_out;   /* postgresql_copy.c: rows that come by COPY */

/* A query that comes in pieces: postgresql_cursor.c. */
typedef struct alch_postgresql_cursor {
  uint32_t rows;                   /* of a piece; 0: there is no cursor */
  bool declares;                   /* this round trip has the DECLARE */
  bool declared;
  uint64_t number;                 /* of its name */
  uint64_t ended, rolled;          /* those of the connection when it was declared */
} alch_postgresql_cursor;

struct alch_driver_statement {
  alch_driver_connection *connection;
  char *sql;                       /* a copy */
  size_t sql_size;
  uint64_t number;                 /* its name on the server is alch_<number>; 0: it has none yet */
  char name[40];                   /* that name */
  alch_postgresql_phase phase;
  bool known;                      /* the server has it under its name */
  bool parses;                     /* this round trip has a Parse */
  bool queries;                    /* its text begins as that of a query, which may have many rows */
  bool describes;                  /* this round trip ends with the question of what its columns are */
  bool learns;                     /* this round trip asks for types that its columns have */
  bool healed;                     /* it was sent a second time in this start */
  bool ahead;                      /* it may go out before the answer to another has come */
  bool binary;                     /* results are asked for in binary: all columns are known to have such a form */
  bool asks_binary;                /* the same, of the sets of this execution: what is learned from the first results holds for the next one, since rows of both forms cannot be told apart */
  uint8_t control;                 /* alch_postgresql_control: what the text is */
  uint32_t stream_rows;
  alch_postgresql_cursor cursor;
  /* parameters */
  uint32_t count;                  /* of placeholders */
  Oid *declared;                   /* what the statement says of them; PG_UNKNOWN: nothing */
  Oid *types;                      /* what the server was (or will be) told */
  Oid *arrays;                     /* of arrays of these */
  bool arrayed;                    /* its placeholders take arrays, */
  uint32_t shared;                 /* but for the last ones, which take a value that is the same in all sets */
  alch_buffer packed;              /* the arrays */
  const char **values;             /* of all sets, as libpq wants them */
  int *lengths, *formats;
  uint32_t capacity;               /* of the three */
  char *bytes;                     /* which they point into */
  size_t bytes_size;
  uint32_t sets, sets_sent;
  bool synced;                     /* the end of the round trip was sent */
  /* results */
  PGresult **results;
  uint32_t result_capacity, result_count, result_at;
  int row, row_count;              /* of the result at result_at; row -1: before its first */
  PGresult *spent;                 /* of a stream: the piece that was read to its end */
  PGresult *shape;                 /* the last result that had columns; in the list, or spent */
  alch_postgresql_column *columns;
  uint32_t column_count, column_capacity;
  Oid *unlearned;                  /* types of its columns that are to be asked for before it is sent again */
  uint32_t unlearned_count, unlearned_capacity;
  uint64_t shaped;                 /* the number under which the columns were read: they do not change while the server has it (it refuses a plan that would) */
  bool shaped_binary;              /* in which of the two forms */
  bool own_texts;                  /* some column's values are written into the scratch text */
  bool has_inside;                 /* some column is a container */
  alch_buffer scratch;             /* texts of the current row that are not the server's own */
  alch_buffer inside;              /* those of its arrays, ranges and their like */
  alch_postgresql_out *out;        /* NULL until it is first asked for */
  int64_t changes;
  bool stale;                      /* it failed because the server has it no longer, or as it was no longer */
  alch_error failure;              /* told by the server, kept until everything is read */
};

/* A type that the connection has asked for. */
typedef bool (*alch_postgresql_printer)(alch_driver_statement *statement, Oid part, const char *bytes, uint32_t length, alch_buffer *out);
typedef struct alch_postgresql_learned {
  Oid type, part;                  /* part: what a domain is of, or what the bounds of a range are, or the ranges of a multirange */
  alch_postgresql_printer print;   /* appends the text of a binary value; NULL: it has no binary form that is read here */
  bool text;                       /* its binary form is its text */
} alch_postgresql_learned;

typedef struct alch_postgresql_notice alch_postgresql_notice;   /* postgresql_notification.c */

/* How to connect, as the URL says it. */
typedef struct alch_postgresql_settings {
  alch_arena arena;
  const char **keywords, **values;   /* as PQconnectStartParams wants them, NULL at the end */
  int64_t microseconds;              /* to connect to one host in; -1: no limit */
  bool nameless;                     /* no statement gets a name on the server */
} alch_postgresql_settings;

struct alch_driver_connection {
  const alch_allocator *allocator;
  const alch_libpq *library;
  PGconn *handle;
  PGcancel *cancel;                /* made when connected, so that any thread may use it */
  alch_postgresql_settings settings; /* until it is connected */
  int64_t deadline;                /* of connecting to one host */
  int polling;                     /* what PQconnectPoll asked for */
  bool connected;
  bool nameless;                   /* statements get no names: each start parses its own again */
  bool styles;                     /* STYLES_TEXT is under way */
  bool flushing;                   /* output waits for the socket */
  bool pinging;
  bool fresh;                      /* a round trip has just gone out: its answer cannot be there yet */
  bool busy;                       /* the server has not said that it is ready again */
  bool in_transaction;             /* as it was when the server was last ready, or as what was sent makes it */
  bool clearing;                   /* what the server may forget has a Sync of its own, which is still to come */
  bool failed;                     /* the transaction has, and can only be rolled back */
  uint64_t ended, rolled;          /* transactions that have ended, rollbacks of any kind: cursors do not outlive the first, and may not the second */
  alch_postgresql_cursor *leaving; /* cursors that nobody reads any more */
  uint32_t leaving_count, leaving_capacity;
  bool began, rolled_back;         /* this round trip begins a transaction; and ends a failed one before */
  char *begin;                     /* a BEGIN that the next statement takes along; NULL: none */
  size_t begin_size;
  alch_driver_statement *current;  /* whose results come; NULL while busy: nobody's, they are dropped */
  uint32_t leading;                /* commands of this round trip before the statement's own: what the server may forget, ROLLBACK, BEGIN */
  uint32_t answered;               /* commands of it whose answers are complete */
  bool followed;                   /* another round trip went out behind the one whose answers come: that of `behind`, NULL: nobody wants its results any more */
  alch_driver_statement *behind;   /* where nothing follows: the one that goes out as soon as the answers have come and are no failure; or NULL */
  uint8_t copying;                 /* alch_postgresql_copying; the connection is busy then, and not in pipeline mode */
  bool copy_given_up;              /* whoever began it wants no more of it: the next to wait for the connection reads its end */
  alch_error copy_failure;         /* what the server has against it */
  int64_t copied;                  /* rows, as the server has counted them */
  alch_postgresql_notice *notices; /* the oldest first */
  uint32_t notice_count;
  bool notice_heard;               /* the first was given out, and goes with the next call */
  bool listens;                    /* the session has asked for notifications */
  PGnotify *notification;          /* the one that was given out last */
  alch_postgresql_learned *learned;
  uint32_t learned_count, learned_capacity;
  const void *session;             /* of TLS, OpenSSL's; NULL: there is none */
  uint64_t last_number;
  uint32_t salt;                   /* in the names of its statements, since a pooler may put one connection after another on a session that still has theirs: none must meet another's statement under its own name */
  uint64_t *forgotten;             /* numbers of statements that the server may forget */
  uint32_t forgotten_count, forgotten_capacity;
};

#define ALCH_POSTGRESQL_NAMES "alch_"   /* what names of statements begin with */

/* ---- postgresql_url.c ---- */
/* ARGUMENT, naming the nearest. Closes itself on error. */
alch_status alch_postgresql_settings_read(const alch_url *url, const alch_allocator *allocator, alch_postgresql_settings *out, alch_error *error);
/* Leaves this host out of several. False: it is none of them, or no other is left. */
bool alch_postgresql_settings_drop(alch_postgresql_settings *settings, const char *host, const char *port);
alch_status alch_postgresql_check(const alch_driver *driver, const alch_url *url, alch_error *error);

/* ---- postgresql_connect.c ---- */
alch_status alch_postgresql_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error);
alch_status alch_postgresql_connect_poll(alch_driver_connection *connection, alch_error *error);
void alch_postgresql_waits_for(alch_driver_connection *connection, alch_wait *out);
/* Reads what has come, as PQconsumeInput does: 1, or 0. That takes a part of a record of TLS where its buffer has no more room, and no socket is readable for the rest: so records are read to their end. */
int alch_postgresql_read(alch_driver_connection *connection);
void alch_postgresql_close(alch_driver_connection *connection);
void alch_postgresql_abandon_connection(alch_driver_connection *connection);
void alch_postgresql_interrupt(alch_driver_connection *connection);
alch_interruption *alch_postgresql_interruption(alch_driver_connection *connection);
void alch_postgresql_server(alch_driver_connection *connection, alch_server *out);
bool alch_postgresql_alive(alch_driver_connection *connection);

/* ---- postgresql_notification.c ---- */
extern const struct alch_messages alch_postgresql_messages;
/* What the library calls with a notice; context: the connection. */
void alch_postgresql_take_notice(void *context, const PGresult *result);
/* The statement was carried out; tag: what the server calls it. */
void alch_postgresql_note_command(const alch_driver_statement *statement, const char *tag);
void alch_postgresql_drop_messages(alch_driver_connection *connection);

/* ---- postgresql_error.c ---- */
/* Fills the error from a result that failed. */
alch_status alch_postgresql_fail(alch_driver_connection *connection, const PGresult *result, alch_error *error);
/* The same from what the connection itself says: it is gone, or the library had no memory. */
alch_status alch_postgresql_fail_connection(alch_driver_connection *connection, const char *what, alch_error *error);

/* ---- postgresql_flow.c ---- */
/* Sends the statement's round trip: ALCH_OK or an error. The connection is not busy. */
alch_status alch_postgresql_send(alch_driver_statement *statement, alch_error *error);
/* The same for one that is to go out while the connection is busy. When it cannot yet, it waits until the connection is not. What goes wrong is in its failure. */
void alch_postgresql_send_behind(alch_driver_statement *statement);
/* Writes and reads as far as the socket allows, and gives each result to whom it belongs: ALCH_OK when something has come, ALCH_WAIT, or an error of the connection. */
alch_status alch_postgresql_pump(alch_driver_connection *connection, alch_error *error);
/* A round trip that asks for nothing. */
alch_status alch_postgresql_ping(alch_driver_connection *connection, alch_error *error);
/* Nobody wants the rest of the statement's results. */
void alch_postgresql_abandon(alch_driver_statement *statement);
/* The server may forget it, and does with one of the next round trips. */
void alch_postgresql_forget(alch_driver_statement *statement);
void alch_postgresql_drop_results(alch_driver_statement *statement);

/* ---- postgresql.c ---- */
alch_status alch_postgresql_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error);
alch_status alch_postgresql_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error);
alch_status alch_postgresql_poll(alch_driver_statement *statement, alch_error *error);
void alch_postgresql_finalize(alch_driver_statement *statement);

/* ---- postgresql_cursor.c ---- */
/* At a start, its sets and rows of a piece being known: does it go by a cursor? */
void alch_postgresql_choose_cursor(alch_driver_statement *statement);
/* Sends the FETCH of a piece, with the DECLARE before the first. */
alch_status alch_postgresql_send_fetch(alch_driver_statement *statement, alch_error *error);
/* All rows of a piece are read: ALCH_OK, the statement is queued for the next; ALCH_DONE, that was the last; RESOURCE_CLOSED, its transaction has ended. */
alch_status alch_postgresql_next_piece(alch_driver_statement *statement, alch_error *error);
/* Nobody wants more of it: the server closes it with one of the next round trips. */
void alch_postgresql_leave_cursor(alch_driver_statement *statement);
/* Sends that, for all that were left; how many commands that were. */
uint32_t alch_postgresql_close_cursors(alch_driver_connection *connection, bool *sent);
/* A command was carried out that may have closed cursors. */
void alch_postgresql_note_cursors(alch_driver_connection *connection, const char *tag);

/* ---- postgresql_copy.c ---- */
extern const struct alch_bulk alch_postgresql_bulk;
/* To the end of a COPY that was given up: ALCH_OK, ALCH_WAIT, or an error of the connection. */
alch_status alch_postgresql_leave_copy(alch_driver_connection *connection, alch_error *error);
/* INVALID_REQUEST while rows are copied. */
alch_status alch_postgresql_refuse_beside_copy(const alch_driver_connection *connection, alch_error *error);
/* Is the statement's execution one by COPY; and are its rows lines of text? */
bool alch_postgresql_copies_out(const alch_driver_statement *statement);
bool alch_postgresql_gives_lines(const alch_driver_statement *statement);
/* In place of alch_postgresql_poll, and of _row, for such a one. */
alch_status alch_postgresql_poll_out(alch_driver_statement *statement, alch_error *error);
alch_status alch_postgresql_row_out(alch_driver_statement *statement, alch_value *values, uint32_t count, alch_error *error);
/* The execution is over, whatever its state. */
void alch_postgresql_end_out(alch_driver_statement *statement);
void alch_postgresql_free_out(alch_driver_statement *statement);
/* The row, and the column, that the server's context of an error names. */
void alch_postgresql_note_row(const char *context, alch_error *error);

/* ---- postgresql_parameter.c ---- */
/* What the server is told of a placeholder of this type; PG_UNKNOWN where the value or the server is to say. */
Oid alch_postgresql_type_number(const alch_type *type);
/* Settles the types of the placeholders for these values. *changed: the server has to parse the statement again. */
void alch_postgresql_settle(alch_driver_statement *statement, const alch_value *values, uint32_t sets, bool *changed);
/* Fills values, lengths, formats and bytes. */
alch_status alch_postgresql_encode(alch_driver_statement *statement, const alch_value *values, uint32_t sets, alch_error *error);

/* Room for so many values, lengths and formats. False: no memory. */
bool alch_postgresql_make_places(alch_driver_statement *statement, size_t total);

/* ---- postgresql_array.c ---- */
/* Fills values, lengths, formats and arrays with an array for each placeholder. ALCH_DONE: some value cannot be an item of one. */
alch_status alch_postgresql_encode_arrays(alch_driver_statement *statement, const alch_value *values, uint32_t sets, alch_error *error);
/* What is large is not kept. */
void alch_postgresql_drop_arrays(alch_driver_statement *statement);

/* ---- postgresql_binary.c ---- */
/* How a type is written in binary. */
typedef struct alch_postgresql_form {
  Oid type, item;                  /* item: of an array or range, what is in it; else PG_UNKNOWN */
  /* Appends the value's bytes; false where a value of this kind, or this text, has no such form. */
  bool (*write)(const struct alch_postgresql_form *form, const alch_value *value, alch_buffer *out);
  uint8_t size;                    /* where it is always the same */
  uint8_t prefix;                  /* a byte in front of a text; 0: none */
  Oid array;                       /* the type of its arrays */
} alch_postgresql_form;
bool alch_postgresql_form_of(Oid type, alch_postgresql_form *out);
/* Of a type of the user's whose binary form is its text (an ENUM), or, with an item, of an array of such. */
alch_postgresql_form alch_postgresql_text_form(Oid type, Oid item);
Oid alch_postgresql_array_of(Oid item);
/* The value with its length in four bytes before it. False, and nothing is added, where it has no such form. */
bool alch_postgresql_add_field(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out);
/* A value as the server's text of it. */
void alch_postgresql_add_text(const alch_value *value, Oid type, alch_buffer *out);
void alch_postgresql_put(char *to, uint64_t bits, int size);
void alch_postgresql_add_bits(alch_buffer *out, uint64_t bits, int size);
static inline uint32_t alch_postgresql_get(const char *bytes) {
  return (uint32_t)(unsigned char)bytes[0] << 24 | (uint32_t)(unsigned char)bytes[1] << 16 | (uint32_t)(unsigned char)bytes[2] << 8 | (unsigned char)bytes[3];
}

/* ---- postgresql_container.c ---- */
bool alch_postgresql_write_array(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out);
bool alch_postgresql_write_range(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out);
bool alch_postgresql_write_multirange(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out);
bool alch_postgresql_write_address(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out);
/* Is a binary value of this type, which the server is built with, read by making its text? */
bool alch_postgresql_is_container(Oid type);
/* How a binary value that this function of the server sends ("domain": one of a domain) is read; NULL: it is not. *text: it is its own text. */
alch_postgresql_printer alch_postgresql_printer_of(const char *send, bool *text);
/* Appends the text of a binary value; uses the statement's scratch text. False: the bytes are not what they should be. */
bool alch_postgresql_print(alch_driver_statement *statement, Oid type, const char *bytes, uint32_t length, alch_buffer *out);

/* ---- postgresql_learned.c ---- */
/* What was learned of the type; NULL: nothing, or it is one that the server is built with. */
const alch_postgresql_learned *alch_postgresql_learned_of(const alch_driver_connection *connection, Oid type);
/* Settles whether the rows of what is described so are asked for in binary; types of which nothing is known yet are put down as unlearned. */
void alch_postgresql_settle_results(alch_driver_statement *statement, const PGresult *described);
/* Sends the question for the unlearned types; the answer goes to alch_postgresql_learn, and settles the rest. */
alch_status alch_postgresql_ask_for_types(alch_driver_statement *statement, alch_error *error);
void alch_postgresql_learn(alch_driver_statement *statement, const PGresult *result);
/* A column's values are not what was known of its type, as of a composite type that has got another part: it is asked for before the next execution. An INTERFACE error in any case. */
alch_status alch_postgresql_learn_again(alch_driver_statement *statement, uint32_t column, Oid type, alch_error *error);

/* ---- postgresql_result.c ---- */
/* Makes the text of a column's value in `inside`, behind those that are there. */
alch_status alch_postgresql_make_inside(alch_driver_statement *statement, uint32_t at, const char *bytes, uint32_t length, alch_error *error);
/* What a value may take of the scratch text. */
size_t alch_postgresql_scratch_of(const alch_postgresql_column *column, const char *bytes, size_t length);
/* How values of this type are read, as text or in binary. */
alch_postgresql_column alch_postgresql_column_of(const alch_driver_connection *connection, Oid type, bool binary);
bool alch_postgresql_has_binary(const alch_driver_connection *connection, Oid type);
bool alch_postgresql_own_texts(const alch_postgresql_column *column);
alch_status alch_postgresql_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error);
alch_status alch_postgresql_cells(alch_driver_statement *statement, alch_value *out, uint32_t first, uint32_t count, alch_error *error);

#endif
