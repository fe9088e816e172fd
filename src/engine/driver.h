/* driver.h - the driver table: what a database's client library must be able to do.
   A driver knows nothing of statement blocks, pools, sessions or Lua. Every round trip is start / poll / finish: a call that would have to wait answers ALCH_WAIT, `waits_for` then says for what, and the
   matching poll goes on. A driver that never waits (an embedded database) answers at once. A driver connection and its statements belong to one thread at a time. */
#ifndef ALCH_DRIVER_H
#define ALCH_DRIVER_H

#include "base/error.h"
#include "base/value.h"
#include "engine/interruption.h"
#include "engine/url.h"
#include "schema/type.h"
#include "sql/server.h"

typedef struct alch_driver_connection alch_driver_connection;   /* each driver's own */
typedef struct alch_driver_statement alch_driver_statement;

enum { ALCH_WAIT_READ = 1, ALCH_WAIT_WRITE = 2 };
typedef struct alch_wait {
  int descriptor;          /* -1: none, only time */
  int events;              /* ALCH_WAIT_ bits */
  int64_t microseconds;    /* at most this long; -1: no limit */
} alch_wait;

/* What a driver adds to a server's word that it takes no more connections. */
#define ALCH_TOO_MANY_CONNECTIONS "\nHINT:  the pools of all clients together are larger than what the server takes: lower pool_size and max_overflow of create_engine, or raise the server's max_connections"

/* What a driver adds to a message of its library in which these words are: what to write. */
typedef struct alch_driver_advice {
  const char *words, *advice;
} alch_driver_advice;
/* The advice of the first row whose words are in the message; "" where there is none. */
const char *alch_driver_advise(const alch_driver_advice *rows, size_t count, const char *message);

/* All functions are required unless marked optional. alch_driver_validate refuses a table with holes. */
typedef struct alch_driver {
  const char *name;        /* the part behind the plus sign of a URL, or the scheme itself */
  const char *dialect;     /* name of its dialect; NULL: any, the URL names it (dialect+name:// or name+dialect://) */
  /* Optional, NULL at the end: what URLs of SQLAlchemy call Python's drivers for this database. An error says what to write in their place. */
  const char *const *python;
  /* Optional: a query (as la.text has it) with the names :table, :schema (NULL: where the connection looks for tables) and :column, that gives a row where the integer keys that the database makes in this
     column for the rows of one INSERT may not be told by the order of the rows. Without it nothing is promised for several rows. Where it gives none the keys
     - are consecutive, the last of them being last_insert_id (or the first, see first_key), in a driver that tells last_insert_id;
     - ascend, in one that does not, when the rows come from a query with an order. */
  const char *scatters_keys;
  /* So many sets of an INSERT that returns rows go in one execution; 0: each needs its own. Numbers are set aside for 1, 2, 4, … of them, since the database does not know how many there are: 2^n - 1 lose none. */
  uint32_t returning_sets;
  bool first_key;          /* after an INSERT of several rows last_insert_id is the key of the first */

  /* Optional, when an engine is made: checks the options of a URL, and that the client library is there, without connecting. Errors: ARGUMENT (names the nearest), INTERFACE (names the package). */
  alch_status (*check)(const struct alch_driver *driver, const alch_url *url, alch_error *error);
  /* Optional: would each connection to this URL be a database of its own (in memory)? Its pool then keeps one connection. */
  bool (*lives_in_connection)(const alch_url *url);

  /* Starts to connect. *out is made in any case but an error. Errors: OPERATIONAL, ARGUMENT (an unknown option of the URL: names the nearest), INTERFACE (client library missing: names the package). */
  alch_status (*connect)(const struct alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error);
  alch_status (*connect_poll)(alch_driver_connection *connection, alch_error *error);
  void (*waits_for)(alch_driver_connection *connection, alch_wait *out);
  void (*close)(alch_driver_connection *connection);                       /* statements are gone by then */
  /* Optional, once connected, without a round trip: what the server says of itself, by which its dialect's record is chosen. Texts are good while the connection is. Without it the newest record holds. */
  void (*server)(alch_driver_connection *connection, alch_server *out);
  /* Optional: is the server still there? One short round trip, with nothing else under way. ALCH_OK: it is; ALCH_WAIT: the same call again after the wait; any error: the connection is of no more use.
     Where there is none a pool that pings first runs SELECT 1. */
  alch_status (*ping)(alch_driver_connection *connection, alch_error *error);
  /* Optional: lets go of a connection that another process made and still uses: frees memory and descriptors of this process, without a word to the server and without ending the session. Its statements
     are not finalised before. A forked child calls it in place of close; without it what the child inherited stays where it is. */
  void (*abandon)(alch_driver_connection *connection);

  /* Makes a handle; does no round trip (what the server has to be told goes with the first start). A driver that has to wait all the same answers ALCH_WAIT, with *out made: the same call again, with that *out. sql has a zero byte behind it and may be freed afterwards. A second statement behind the first is a
     PROGRAMMING error, never ignored; where only the server can tell, it comes with the first start. types: of the `count` placeholders, as far as the statement knows them (NULL or NullType: the database
     is to find out); the records live as long as the catalog, the array only during the call. types may be NULL. */
  alch_status (*prepare)(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error);
  /* Optional; after prepare, before the first start. The placeholders of these numbers (ascending, from 0) are written by the database, as RETURNING … INTO has them: what they hold after a start is the one row
     that the statement gives, a column for each, with no names; no row when nothing was changed. Their values in start are NULL and not looked at. With start_many there is a row for each set that
     has changed something. */
  alch_status (*outputs)(alch_driver_statement *statement, const uint32_t *places, uint32_t count, alch_error *error);
  uint32_t (*parameter_count)(alch_driver_statement *statement);           /* optional: where it is known without a round trip */
  bool (*read_only)(alch_driver_statement *statement);                     /* optional: the statement cannot change the database */
  void (*finalize)(alch_driver_statement *statement);

  /* Optional; before start. Rows are to come in pieces of about so many, so that a large result needs little memory; 0: all at once (the default of each execution). */
  void (*stream)(alch_driver_statement *statement, uint32_t rows);
  /* Optional; before start, for this execution. Rows will be taken one after another, with nothing in between but what is done with each: they may be read as they come, while the server sends the next. All
     else on the connection works all the same, and is the same to whoever uses it; what another statement finds unread is stored first. */
  void (*flow)(alch_driver_statement *statement);
  /* Optional; before each start that it is to hold for. Within a transaction that start, or the one after it, may come while the answer to another statement of the connection is still to be polled: what
     can be sent is sent (the rest when the other is answered, before its rows are read), the database works on it right after the other, and both are polled in the order of their starts. When the other fails this one does so as well, and has not happened. ALCH_DONE of
     start_arrays comes at once, and no error that the other's answer could explain. */
  void (*ahead)(alch_driver_statement *statement);
  /* Binds all values (one a placeholder; borrowed until finish) and starts. ALCH_OK or ALCH_WAIT: poll next. */
  alch_status (*start)(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error);
  /* Optional: the same for `sets` sets of values, one behind the other, with as few round trips as the database allows (array binding, pipelining). Rows that the sets return come one after another, in the
     order of the sets; changes counts all of them. When a set fails nothing of the call has happened, or the transaction is over. */
  alch_status (*start_many)(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error);
  /* Optional: the same, with each placeholder taking an array: the values that it has in all sets, in their order; but the last `shared` of them have the same value in all sets, and take that alone. The types
     told to prepare are those of the items. One execution, with the rows and changes of one. ALCH_DONE: some value has no form as an item of such an array; nothing was started, and these sets have to go by
     start_many. */
  alch_status (*start_arrays)(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, uint32_t shared, alch_error *error);
  /* To the next row: ALCH_ROW, ALCH_DONE, ALCH_WAIT. */
  alch_status (*poll)(alch_driver_statement *statement, alch_error *error);
  /* The current row, columns 0 .. count-1, in the kinds that the database's protocol has (a driver that reads dates in binary gives ALCH_DATE, one that reads text gives ALCH_TEXT: the dialect's from_database
     takes both); text borrowed until the next poll or finish, with no zero byte behind it. */
  alch_status (*row)(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error);
  /* Optional, where a column can be had without those before it: the columns first .. first+count-1 of the current row, into out[0 .. count-1]. Text borrowed until the next call of it, else as `row`. */
  alch_status (*cells)(alch_driver_statement *statement, alch_value *out, uint32_t first, uint32_t count, alch_error *error);
  /* Ends an execution, whatever its state (after an error too); the handle can start again. Values and rows are no longer borrowed. */
  void (*finish)(alch_driver_statement *statement);

  uint32_t (*column_count)(alch_driver_statement *statement);              /* known after the first poll at the latest */
  const char *(*column_name)(alch_driver_statement *statement, uint32_t column);
  int64_t (*changes)(alch_driver_statement *statement);                    /* rows affected by the execution that is done; -1 unknown */
  int64_t (*last_insert_id)(alch_driver_connection *connection);           /* optional */
  /* Is a transaction open whose statements count, as far as is known without a round trip? One in two phases as well until it is prepared, and none that the server has rolled back with an error. */
  bool (*in_transaction)(alch_driver_connection *connection);
  bool (*alive)(alch_driver_connection *connection);                       /* cheap; no round trip */
  void (*interrupt)(alch_driver_connection *connection);                   /* optional; from any thread */
  /* Optional, where a statement goes on when its connection is closed: the same, for a thread to do. A connection that is closed in the middle of a statement is interrupted so, and not used again. NULL: the
     server is at work on nothing, or there is no memory. Goes with ping, which may be called then, and waits until the server is through. */
  alch_interruption *(*interruption)(alch_driver_connection *connection);
  alch_status (*begin)(alch_driver_connection *connection, const char **sql, alch_error *error);  /* optional: the text that begins a transaction, "BEGIN" when absent */
  const struct alch_bulk *bulk;            /* optional: many rows in one stream (engine/bulk.h) */
  /* Optional: another table that serves this URL, when an option of it asks for one (worker.h). Not asked of a URL that `check` refuses. */
  const struct alch_driver *(*choose)(const alch_url *url);
  const struct alch_driver *inner;         /* of a table whose calls are handed to a thread: the one that answers them there */
  const struct alch_messages *messages;    /* optional: what the server says without being asked (engine/message.h) */
  const struct alch_embedded *embedded;    /* optional: what only a database within the process can do (engine/embedded.h) */
} alch_driver;

const alch_driver *alch_driver_find(const char *name);      /* NULL when there is none of this name */
const alch_driver *alch_driver_in_place_of(const char *python);   /* whose list of Python's drivers has this name, or NULL */
const char *const *alch_driver_names(void);                 /* NULL at the end; in the order of drivers/drivers.def */
alch_status alch_driver_validate(const alch_driver *driver, alch_error *error);   /* INTERFACE, naming what is missing */
/* The driver and the dialect that a URL means. NO_SUCH_MODULE names what there is. */
alch_status alch_driver_resolve(const alch_url *url, const alch_driver **driver, const char **dialect, alch_error *error);

#endif
