/* private.h - the records that the files of this floor share: link, connection, pool, engine.
   A link is a connection to the database, which the pool owns and keeps. A connection is what a user holds for a while: it borrows a link. Most pools lend a link to one
   connection at a time; a static pool (a database in memory) lends its only link to every connection of one thread. */
#ifndef ALCH_ENGINE_PRIVATE_H
#define ALCH_ENGINE_PRIVATE_H

#include "engine/cache.h"
#include "engine/engine.h"
#include "engine/fork.h"
#include "engine/prepared.h"
#include <pthread.h>
#include <stdatomic.h>

typedef struct alch_link {
  alch_engine *engine;                   /* not held: an idle link must not keep its engine */
  const alch_driver *driver;
  const alch_allocator *allocator;
  alch_driver_connection *driver_connection;
  alch_prepared_cache prepared;
  alch_buffer conversion;                /* where the dialect writes a converted text, which is then copied */
  uint32_t generation;                   /* of the pool when it was made */
  uint32_t process;                      /* alch_process_serial of who made it */
  int64_t connected_at, used_at;         /* by the monotonic clock; used_at: when it came back last */
  bool detached;                         /* the pool has given it away */
  bool invalidated;                      /* found dead: the pool knows */
  bool left;                             /* a statement was dropped while somebody waited for it */
  bool given_up;                         /* in the middle of a statement: it is broken, and nothing more is to be sent */
  bool let_go;                           /* to be freed without a word to the server */
  bool shared;                           /* lent to several connections at once: transactions begin with the first write */
  bool connected, broken;
  const alch_dialect *dialect;           /* the record for its server */
  alch_connection *owner;                /* whose transaction is open in the database */
  const void *busy;                      /* who waits for the database: nobody else may use the link meanwhile */
  const alch_isolation *level;           /* set for longer than a transaction; to be reset before it goes home */
  bool read_only_set;                    /* likewise */
  alch_prepared *control;                /* BEGIN and its like, while one is under way */
  uint32_t users;                        /* connections that borrow it; guarded by the pool's lock */
  pthread_t thread;                      /* theirs */
  struct alch_link *next, *previous;     /* in the pool's list of idle ones */
} alch_link;

typedef enum alch_connection_state {
  ALCH_CONNECTION_NEW,                   /* has asked for nothing yet */
  ALCH_CONNECTION_QUEUED,                /* waits for a link of the pool */
  ALCH_CONNECTION_REPLACING,             /* its link is too old, or dead: there will be another in its place */
  ALCH_CONNECTION_PINGING,               /* its link is asked whether it lives */
  ALCH_CONNECTION_CONNECTING,            /* its link connects */
  ALCH_CONNECTION_READY,
  ALCH_CONNECTION_CLOSED                 /* by a listener, while the engine is still at work on it */
} alch_connection_state;

/* What transactions and results of a connection are like; an engine has those that its connections begin with. */
typedef struct alch_connection_defaults {
  const alch_isolation *isolation;       /* NULL: the database's own */
  const alch_begin_mode *begin_mode;     /* NULL: the driver's, or the dialect's own */
  bool read_only, deferrable;
  uint32_t stream_rows;                  /* rows of a piece; 0: all at once */
  char logging_token[ALCH_TOKEN_SIZE];
} alch_connection_defaults;

struct alch_connection {
  alch_engine *engine;                   /* held */
  alch_engine *member;                   /* held: whose listener is told of it; the engine itself, or the host's that asked for it */
  const alch_driver *driver;
  alch_link *link;                       /* NULL before the pool gives one */
  alch_execution *executions;            /* open ones, newest first */
  struct alch_bulk_load *load;                /* rows that go into a table in one stream, or NULL (engine/bulk.h) */
  uint8_t state;                         /* alch_connection_state */
  bool autobegin;
  bool real;                             /* the transaction has begun in the database */
  bool lost;                             /* the database has ended it by itself: only a rollback is possible */
  bool releasing;                        /* rolling a savepoint back: it is rolled back and now released */
  bool closing;                          /* what it has open is being ended */
  uint8_t end_step;                      /* how far that is */
  uint32_t telling;                      /* listeners that are being told something of it: its memory must stay */
  uint32_t depth;
  alch_connection_defaults options;      /* of transactions that begin from now on */
  bool once;                             /* `kept` holds again after the next transaction */
  alch_connection_defaults kept;
  bool replica;                          /* it may not even try to write */
  uint32_t turn, attempt;                /* of the replicas */
  uint8_t begin_step;                    /* of those statements that begin a transaction, how far they are */
  char *xid;                             /* of a two-phase transaction, in quotes; in the engine's memory */
  uint8_t twophase;                      /* alch_twophase */
  uint8_t twophase_step;                 /* of the statements that are under way */
  uint32_t process;                      /* alch_process_serial of who made it */
  struct alch_text_run *text;            /* that waits (text_run.c) */
  /* while it is queued; guarded by the pool's lock */
  alch_link *granted;                    /* given by whoever gave a link back */
  bool permitted;                        /* may make a new link */
  bool signalled;                        /* the pipe is there */
  int pipe[2];                           /* written to when it is its turn */
  int64_t deadline;                      /* of the wait for a link, or of the ping */
  int64_t wait_until;                    /* of a wait for a notification, while the link is busy with it (its address) */
  pthread_t thread;
  alch_connection *next;                 /* also among those that a listener closed */
};

enum { ALCH_SERVER_TEXT = 96 };          /* of a server's version, cut where it is longer */

typedef enum alch_twophase { ALCH_TWOPHASE_NONE, ALCH_TWOPHASE_OPEN, ALCH_TWOPHASE_PREPARED } alch_twophase;

typedef enum alch_pool_kind { ALCH_POOL_QUEUE, ALCH_POOL_NULL, ALCH_POOL_STATIC } alch_pool_kind;

typedef struct alch_pool {
  alch_lock lock;
  alch_pool_kind kind;
  uint32_t limit;                        /* links at most */
  uint32_t count;                        /* links that there are or are being made */
  uint32_t idle_count;
  uint32_t generation;
  alch_link *first, *last;               /* idle ones, oldest first */
  alch_link *only;                       /* of a static pool */
  alch_connection *first_waiting, *last_waiting;
  alch_connection *buried;               /* closed by a listener; their memory goes with the pool */
} alch_pool;

struct alch_engine {
  const alch_allocator *allocator;
  atomic_uint references;
  alch_engine *base;                     /* held: an engine that has only defaults of its own, and a host where it is a member; the rest of its record is empty. NULL: none */
  alch_engine *member;                   /* of a shared engine: whose host and listener count. Itself, or held; NULL: the engine is its host's alone */
  char *shared_name;                     /* what other hosts find it by (shared.c), or NULL */
  alch_engine *next_shared;
  alch_connection_defaults defaults;
  alch_engine **replicas;
  uint32_t replica_count;
  atomic_uint next_replica;              /* whose turn it is */
  alch_url url;
  const alch_driver *driver;
  alch_engine *primary;                  /* whose replica it is, whose record holds for it as well; not held. NULL: none's */
  const alch_dialect *named;             /* the newest record of the dialect that the URL means */
  _Atomic(const alch_dialect *) dialect; /* see alch_engine_dialect */
  atomic_bool met;                       /* it is known which server there is */
  alch_lock meeting;                     /* guards the two, while they change, and server */
  alch_server_record server;
  char server_version[ALCH_SERVER_TEXT];
  alch_engine_options options;
  alch_engine_listener listener;
  void *listener_context;
  atomic_bool connected_once;            /* FIRST_CONNECT has been told */
  alch_cache cache;
  alch_pool pool;
};

/* ---- route.c ---- */
static inline alch_engine *alch_engine_root(const alch_engine *engine) { return engine->base ? engine->base : (alch_engine *)(uintptr_t)engine; }
/* Whose host and listener are meant. */
static inline alch_engine *alch_engine_member(const alch_engine *engine) { return engine->member ? engine->member : alch_engine_root(engine); }
alch_status alch_replicas_open(alch_engine *engine, alch_error *error);
void alch_replicas_close(alch_engine *engine);
/* The engine whose connection is to be tried now, for one that is asked for by `engine`; attempt counts from 0, turn is whose turn it was at the first. NULL: there is no other left. */
alch_engine *alch_route(alch_engine *engine, uint32_t turn, uint32_t attempt);
/* Is another server to be tried after this error? */
bool alch_route_goes_on(alch_status status, const alch_error *error);

/* ---- shared.c ---- */
/* Lets go of a reference. True: it was the last, and nobody can find the engine any more. */
bool alch_shared_release(alch_engine *engine);

/* ---- engine.c ---- */
/* An engine on the pool of `root`, which it holds, with one reference and nothing of its own yet. NULL: no memory. */
alch_engine *alch_engine_new_derived(alch_engine *root, alch_error *error);

/* ---- server.c ---- */
/* Which dialect an engine speaks as long as no server has told: named by the URL, of the version that the options state. */
alch_status alch_engine_state_server(alch_engine *engine, const alch_dialect *named, alch_error *error);
/* The link is connected: which record does its server want? NOT_SUPPORTED, INVALID_REQUEST. */
alch_status alch_engine_meet(alch_link *link, alch_error *error);
/* INVALID_REQUEST for a statement that was compiled for another server than that of the link. */
alch_status alch_link_check_dialect(const alch_link *link, const alch_compiled *compiled, alch_error *error);

/* ---- link.c ---- */
alch_link *alch_link_new(alch_engine *engine, alch_error *error);
/* ALCH_OK, ALCH_WAIT (call again), or an error; the link then has to be freed. */
alch_status alch_link_connect(alch_link *link, alch_error *error);
/* Closes it, and tells the listener; what another process made is only let go of. */
void alch_link_free(alch_link *link);
/* Does somebody else use it, so that not even a goodbye may be sent? */
bool alch_link_is_foreign(const alch_link *link);
/* Whoever waits for it, where this is who, does so no more. */
static inline void alch_link_leave(alch_link *link, const void *by) {
  if (ALCH_LIKELY(link->busy != by)) return;
  link->busy = NULL;
  link->left = true;
}
/* It is left in the middle of a round trip, and of no more use. */
void alch_link_give_up(alch_link *link);
/* Asks the server whether it is there. ALCH_WAIT: again after the wait. */
alch_status alch_link_ping(alch_link *link, alch_error *error);
/* Is such a text under way, that the next call goes on with? */
static inline bool alch_link_controls(const alch_link *link) { return link->busy == link; }
/* Runs a text without values to its end. ALCH_WAIT: the same call again, after the wait. */
alch_status alch_link_control(alch_link *link, const char *sql, alch_error *error);
/* Sleeps until the text that is under way is at its end. False: it has failed. */
bool alch_link_end_control(alch_link *link);
/* The same as alch_link_control, sleeping where it would wait. */
alch_status alch_link_control_blocking(alch_link *link, const char *sql, alch_error *error);
alch_status alch_link_wait(alch_link *link, alch_error *error);

/* ---- message.c ---- */
/* The session listens no more, and what has come is dropped. ALCH_OK, whatever becomes of it, or ALCH_WAIT: the same call again. */
alch_status alch_link_unlisten(alch_link *link);

/* ---- pool.c ---- */
/* The kind that an option names. ARGUMENT. */
alch_status alch_pool_find_kind(const char *name, alch_pool_kind *out, alch_error *error);
const char *alch_pool_name(const alch_pool *pool);   /* a constant */
alch_status alch_pool_open(alch_engine *engine, alch_error *error);
void alch_pool_close(alch_pool *pool, const alch_allocator *allocator);   /* everything has been given back */
/* Gives the connection a link that is connected (state READY) or to be connected (CONNECTING), or puts it into the queue: ALCH_WAIT. */
alch_status alch_pool_check_out(alch_pool *pool, alch_connection *connection, alch_error *error);
/* Takes back whatever the connection has of the pool, in whatever state it is. */
void alch_pool_check_in(alch_pool *pool, alch_connection *connection);
/* Keeps the memory of a closed connection until the pool is closed. */
void alch_pool_bury(alch_pool *pool, alch_connection *connection);
/* close: with a goodbye to the server. */
void alch_pool_dispose(alch_pool *pool, bool close);
/* In place of the connection's link, which it has found dead or too old, a new one that is to be connected. */
alch_status alch_pool_replace(alch_pool *pool, alch_connection *connection, alch_error *error);
/* The link was found dead: closes all idle links of its generation; those in use are closed when they come back. */
void alch_pool_invalidate(alch_pool *pool, const alch_link *link);
/* The connection's link is the pool's no more, which may make another. */
void alch_pool_detach(alch_pool *pool, alch_connection *connection);
alch_pool_status alch_pool_read_status(alch_pool *pool, uint32_t size);

/* ---- connection.c ---- */
/* Tells the listener, when there is one. RESOURCE_CLOSED when it has closed the connection: then nothing may be done with it any more. */
alch_status alch_connection_tell(alch_connection *connection, alch_engine_event *event, alch_error *error);
alch_status alch_connection_tell_kind(alch_connection *connection, alch_engine_event_kind kind, const char *sql, alch_error *error);
/* After a failed call of the driver: has the transaction gone, is the link broken? Says in the error whether the transaction may be tried again. A listener may close the connection. */
void alch_connection_note_failure(alch_connection *connection, alch_error *error);
/* ALCH_OK when statements may be run on it. */
alch_status alch_connection_usable(const alch_connection *connection, alch_error *error);

/* ---- isolation.c ---- */
/* Runs what begins a transaction of the connection's kind. ALCH_WAIT: the same call again. */
alch_status alch_transaction_begin_text(alch_connection *connection, alch_error *error);
/* Takes back what was set for longer than a transaction. ALCH_WAIT: the same call again. */
alch_status alch_transaction_unset(alch_link *link);
/* A text of the dialect with `what` in place of its %; out has `size` bytes. */
const char *alch_transaction_text(const char *text, const char *what, char *out, size_t size);
/* May this statement be sent? INVALID_REQUEST for one that writes where only reading is allowed and the database would not say so itself. */
alch_status alch_transaction_check_write(const alch_connection *connection, const alch_prepared *prepared, alch_error *error);

/* ---- twophase.c: level 1 of a transaction with an id; each may answer ALCH_WAIT ---- */
/* Does the server still have such a transaction of the connection's, to be ended by its words? Where two phases begin with words of their own they end by such words alone, also when the server has rolled back
   what was done in them. */
bool alch_twophase_is_there(const alch_connection *connection);
alch_status alch_twophase_commit(alch_connection *connection, alch_error *error);
alch_status alch_twophase_rollback(alch_connection *connection, alch_error *error);
void alch_twophase_forget(alch_connection *connection);
/* Adds to the error, where there is one (status), that what was prepared still waits. Answers status. */
alch_status alch_twophase_note(const alch_connection *connection, alch_status status, alch_error *error);

/* ---- transaction.c ---- */
alch_status alch_transaction_control(alch_connection *connection, alch_engine_event_kind kind, uint32_t level, const char *sql, alch_error *error);
/* After a commit, or a statement that is its own transaction: when the connection is lost nobody knows whether it has happened, and nobody may run it again. */
void alch_transaction_doubt(alch_error *error);
/* It has ended in the database. */
void alch_transaction_leave(alch_connection *connection);
/* Before a statement runs: begins what has to be begun. ALCH_WAIT: the same call again. */
alch_status alch_transaction_before_run(alch_connection *connection, bool read_only, alch_error *error);
/* After a text ran that may have begun or ended a transaction by itself. */
void alch_transaction_after_text(alch_connection *connection);
/* The way back to the pool: ends what is open. What cannot be ended is ended with the link. ALCH_WAIT: the same call again. */
alch_status alch_transaction_end(alch_connection *connection);

/* ---- text_run.c ---- */
typedef struct alch_text_run alch_text_run;
/* Runs a text to its end. ALCH_WAIT: the same call again; texts stay where they are until it is over. */
alch_status alch_text_step(alch_connection *connection, const char *sql, size_t length, alch_error *error);
/* Likewise, a query with two parameters, a name and a schema or NULL: does it give a row? */
alch_status alch_text_ask(alch_connection *connection, const char *query, const char *name, const char *schema, bool *out, alch_error *error);
/* Gives up what waits. */
void alch_text_drop(alch_connection *connection);

/* ---- binding.c ---- */
/* Fills execution->values from block and parameters, in database form; for a statement that expands also execution->counts, as alch_compiled_expand wants it (count_used of them). */
alch_status alch_execution_bind(alch_execution *execution, const alch_block *block, const alch_parameters *parameters, alch_error *error);
/* Statement and values as they stand in error messages. */
void alch_execution_describe_failure(const alch_execution *execution, alch_error *error);

/* ---- keep.c ---- */
/* Copies the value's text behind what the buffer holds. Of the `count` values, those whose text lies in the buffer move with it when it grows. False: no memory. */
bool alch_keep_text(alch_buffer *buffer, alch_value *values, uint32_t count, alch_value *value);

#endif
