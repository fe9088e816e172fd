/* engine.h - an engine: a URL, a driver, a dialect, a pool of connections and a cache of compiled statements.
   An engine is counted; connections hold it. The engine's cache and pool are guarded by mutexes of their own and may be used from several threads (its allocator then has to be safe for that);
   a connection belongs to one thread at a time. */
#ifndef ALCH_ENGINE_H
#define ALCH_ENGINE_H

#include "engine/driver.h"
#include "sql/compile.h"

typedef struct alch_engine alch_engine;
typedef struct alch_connection alch_connection;

typedef enum alch_reset {
  ALCH_RESET_ROLLBACK,
  ALCH_RESET_COMMIT,
  ALCH_RESET_NONE                  /* rolled back when the connection began it, left open when somebody's own SQL did */
} alch_reset;

typedef struct alch_engine_options {
  uint32_t pool_size;              /* 0: 5 */
  int32_t max_overflow;            /* connections beyond pool_size, closed when they come back; -1: as many as are asked for; default 10 */
  int64_t pool_timeout;            /* microseconds to wait for a connection; 0: not at all; default 30 s */
  int64_t pool_recycle;            /* microseconds after which a connection is replaced, when it is next asked for; 0: never */
  bool pool_pre_ping;              /* asks the server for a sign of life before a connection goes out (alch_driver.ping), unless it was in use within the last second */
  alch_reset reset_on_return;      /* what becomes of a transaction that is open when its connection comes back */
  bool use_lifo;                   /* the connection used last goes out first, so that the others can be closed by the server; default: the one idle longest */
  const char *pool;                /* "queue", "null", "static" ("single" connection kept); NULL: static for an in-memory database, queue otherwise.
                                      A static pool lends its one connection to all who ask for it in one thread: their transactions really begin with the first statement that writes,
                                      and only one of them can have one at a time (OPERATIONAL, "database is locked"); other threads wait until all of them are closed */
  uint32_t cache_size;             /* compiled statements kept; 0: 500 */
  uint32_t prepared_size;          /* prepared handles kept by each connection; 0: 200 */
  const char *isolation_level;     /* of all transactions, "SERIALIZABLE", "AUTOCOMMIT"; which there are says the dialect. NULL: the database's own */
  const char *const *replicas;     /* URLs of servers that follow this one: read only connections go to them in turn, to the next when one cannot be reached, and at last to this one. Same dialect */
  uint32_t replica_count;
  const void *host;                /* whatever the host knows the engine by (alch_engine_host); its replicas have the same, members of a shared one each their own */
  const char *server_version;      /* as the server would say it, "8.0.36" or "10.11.6-MariaDB": the dialect's record is chosen by it at once, and no server is asked. NULL: the first connection tells.
                                      An option of the URL says the same (ARGUMENT when it says another). Copied */
  const alch_driver *driver;       /* this one, not the one that the URL names; NULL: the URL's. Borrowed: outlives the engine */
} alch_engine_options;
void alch_engine_options_init(alch_engine_options *options);

enum { ALCH_TOKEN_SIZE = 48 };     /* of a logging_token, with its zero */

/* What happens, told to whoever listens (echo, events, logs). Pointers are good during the call. */
typedef enum alch_engine_event_kind {
  ALCH_ENGINE_CONNECT, ALCH_ENGINE_FIRST_CONNECT /* before the engine's first CONNECT */, ALCH_ENGINE_CHECKOUT, ALCH_ENGINE_RESET /* before what is open is ended */, ALCH_ENGINE_CHECKIN,
  ALCH_ENGINE_INVALIDATE /* its database connection will not be used again; error: why, or NULL */,
  ALCH_ENGINE_CLOSE, ALCH_ENGINE_CLOSE_DETACHED /* a database connection ends; `connection` is NULL in both */,
  ALCH_ENGINE_BEGIN, ALCH_ENGINE_PREPARE, ALCH_ENGINE_COMMIT, ALCH_ENGINE_ROLLBACK, ALCH_ENGINE_SAVEPOINT, ALCH_ENGINE_RELEASE, ALCH_ENGINE_ROLLBACK_TO,
  ALCH_ENGINE_BEFORE_EXECUTE, ALCH_ENGINE_AFTER_EXECUTE, ALCH_ENGINE_FAILED,
  ALCH_ENGINE_NOTICE /* the server says something beside its answer */
} alch_engine_event_kind;
typedef struct alch_engine_event {
  alch_engine_event_kind kind;
  alch_connection *connection;
  const char *sql;                 /* executes: the text; savepoints: the name */
  const alch_value *values;        /* executes: the first parameter set */
  uint32_t value_count;
  uint64_t executions;             /* parameter sets, when many */
  int64_t microseconds;            /* AFTER_EXECUTE: how long it took until the first row or the end */
  bool cached;                     /* the prepared handle was there already */
  const alch_error *error;         /* FAILED */
  const struct alch_notice *notice;/* NOTICE (engine/message.h) */
  const char *token;               /* the connection's logging_token, "" for none */
} alch_engine_event;
/* Answers ALCH_OK, or ALCH_HOST_ERROR to stop what is about to happen. It may run statements on the connection, and may close it (what was under way then ends with RESOURCE_CLOSED). */
typedef alch_status (*alch_engine_listener)(void *context, const alch_engine_event *event);

typedef struct alch_cache_info { uint64_t hits, misses, evictions; uint32_t size, capacity; } alch_cache_info;
typedef struct alch_pool_status { uint32_t size, idle, in_use, overflow; } alch_pool_status;

/* Opens no connection yet, but finds driver and dialect and checks the URL and its options. options may be NULL. *out has one reference. */
alch_status alch_engine_open(const char *url, size_t length, const alch_engine_options *options, const alch_allocator *allocator, alch_engine **out, alch_error *error);
/* The engine of this name in the process, for one more host (a Lua state, a thread): opened when there is none, else found, and then of `options` only host and isolation_level count, which are the host's
   own. *out is the host's own member of it: it shares pool and cache with the others, and has a host and a listener of its own, which hears of what its own connections do (of connections that the pool closes
   by itself nobody does). The engine's memory is alch_allocator_standard's. When the last member and connection are gone so is the engine. ARGUMENT: the one of this name has another URL (its password is not
   shown), or options have a driver. */
alch_status alch_engine_share(const char *name, const char *url, size_t length, const alch_engine_options *options, alch_engine **out, alch_error *error);
/* What the engine has been opened with, of a shared one by its first host; `pool` is a name that there is, server_version what was stated, other texts are NULL. */
const alch_engine_options *alch_engine_options_of(const alch_engine *engine);
/* For a host whose engine was there already: ARGUMENT, naming the option, where `wanted` (a copy of alch_engine_options_of, in which the host's own options were set) says something else of the pool, the caches,
   the replicas or the server than the engine has. */
alch_status alch_engine_check_options(const alch_engine *engine, const alch_engine_options *wanted, alch_error *error);
/* Is it a member of a shared one? Then nothing that belongs to one host may be left on its connections. */
bool alch_engine_is_shared(const alch_engine *engine);
/* The catalog will be gone soon: what was compiled for it leaves the cache. */
void alch_engine_forget(alch_engine *engine, const alch_catalog *catalog);
void alch_engine_hold(alch_engine *engine);
void alch_engine_release(alch_engine *engine);
/* Closes idle connections; those in use are closed when they come back. The engine stays usable.
   After a fork the child may call it with close false: what it inherited is let go of, and its parent's sessions go on. (A child that does not is told apart all the same, at its first use of the pool,
   and a connection that it inherited refuses work and says no goodbye. Only one thread may use the engine until then.) */
void alch_engine_dispose(alch_engine *engine, bool close);
/* What connections begin with; see alch_connection_set_isolation. Unset: as the engine has it. */
typedef struct alch_execution_options {
  const char *isolation_level;     /* NULL: unset */
  int8_t read_only, deferrable;    /* -1: unset */
  int64_t stream_rows;             /* rows of a piece, 0: results come whole; -1: unset */
  const char *begin_mode;          /* how transactions that may write begin, "IMMEDIATE"; which ways there are says the dialect. NULL: unset */
  const char *logging_token;       /* in what listeners are told, at most ALCH_TOKEN_SIZE - 1 bytes of it; "": none again. NULL: unset */
} alch_execution_options;
/* Another engine with the same pool, cache and listener, whose connections begin with these. *out has one reference, and holds `engine`. */
alch_status alch_engine_derive(alch_engine *engine, const alch_execution_options *options, alch_engine **out, alch_error *error);
/* The record that statements are compiled with: the newest of the dialect that the URL names, until the first connection has told which server there is (alch_engine_is_met), and then the one for it.
   An engine and its replicas have one, for the oldest server that they have met: it may become an older one when a connection finds such a server. A server older than all records, or of another kind than
   the first, cannot be connected to (NOT_SUPPORTED, INVALID_REQUEST). What was compiled before for another record is not found in the cache any more, and is refused when it is executed. */
const alch_dialect *alch_engine_dialect(const alch_engine *engine);
bool alch_engine_is_met(const alch_engine *engine);
/* The numbers of the server's version, 0 of them when it is unknown; text (may be NULL): as the server wrote it, "" when it is unknown, at most `size` bytes with the zero. */
uint32_t alch_engine_server_version(const alch_engine *engine, uint16_t numbers[ALCH_SERVER_NUMBERS], char *text, size_t size);
const alch_url *alch_engine_url(const alch_engine *engine);
const void *alch_engine_host(const alch_engine *engine);
void alch_engine_listen(alch_engine *engine, alch_engine_listener listener, void *context);   /* one listener; NULL: none. Without one, events cost nothing */
alch_cache_info alch_engine_cache_info(alch_engine *engine);
void alch_engine_cache_clear(alch_engine *engine);
alch_pool_status alch_engine_pool_status(alch_engine *engine);

/* ---- the statement cache ----
   Finds, or compiles and keeps, the compiled form of a block: key = (catalog serial, structure bytes, parameter names, options). *out is held for the caller (alch_compiled_release).
   `maker`, when not NULL, compiles in place of alch_compile (it may compile another block, and hang a plan on the result) before it enters the cache; no lock is held meanwhile.
   What cannot be shared is compiled each time: literal_binds, and blocks with values that no slot takes (they may have gone into the text). */
typedef alch_status (*alch_plan_maker)(void *context, const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, const alch_compile_options *options, const alch_allocator *allocator,
                                       alch_compiled **out, alch_error *error);
alch_status alch_engine_compile(alch_engine *engine, const alch_catalog *catalog, const alch_block *block, const alch_compile_options *options, alch_plan_maker maker, void *context, alch_compiled **out,
                                alch_error *error);

/* ---- connections ---- */
/* From the pool. ALCH_WAIT while a new one connects or the pool is exhausted: call again (with the same *out, NULL at first; alch_connection_waits_for and alch_connection_wait work on it).
   TIMEOUT error after pool_timeout; *out is NULL after an error. */
alch_status alch_engine_connect(alch_engine *engine, alch_connection **out, alch_error *error);
/* Ends open results, rolls an open transaction back, and gives the connection back to the pool. Also gives up one that alch_engine_connect is still waiting for. NULL is fine. It blocks where the
   database has to be waited for; whoever must not block settles it first. */
void alch_connection_close(alch_connection *connection);
/* Does what close would wait for. ALCH_WAIT: the same call again, or close all the same; ALCH_OK: close waits no more. Nothing else may be done with the connection from then on. */
alch_status alch_connection_settle(alch_connection *connection);
/* Whose pool it is of: an engine, a replica; the member where it is shared. */
alch_engine *alch_connection_engine(const alch_connection *connection);
alch_driver_connection *alch_connection_driver_connection(const alch_connection *connection);   /* raw access */
/* What its driver can do beyond statements, or NULL (engine/embedded.h). */
const struct alch_embedded *alch_connection_embedded(const alch_connection *connection);
/* ALCH_OK when something new may be run on it. */
alch_status alch_connection_ready(const alch_connection *connection, alch_error *error);
/* Nobody else may use it until it is given free (by: NULL): for calls of alch_embedded that wait. */
void alch_connection_occupy(alch_connection *connection, const void *by);
/* What runs on it ends with an error. False: the driver cannot. */
bool alch_connection_interrupt(alch_connection *connection);
/* Before a connection is rolled back to be closed: a statement that nobody waits for any more (its execution is closed), and that the server is still at work on, is interrupted. Transaction and connection are of
   no more use then (RESOURCE_CLOSED), and a rollback has nothing to wait for. Takes a tenth of a second at most, where the server cannot be reached. Closing a connection does the same. */
void alch_connection_give_up(alch_connection *connection);
void alch_connection_waits_for(alch_connection *connection, alch_wait *out);
/* Sleeps in poll(2) as alch_connection_waits_for says: the blocking loop's one place. */
alch_status alch_connection_wait(alch_connection *connection, alch_error *error);
/* poll(2) on one descriptor, or only the time. An interrupted sleep counts as over. OPERATIONAL. */
alch_status alch_wait_for(const alch_wait *wait, alch_error *error);
/* The connection is broken: it will be closed, not pooled, when it is given back. The others of the pool stay (those of its age go when a statement finds it dead). */
void alch_connection_invalidate(alch_connection *connection);
bool alch_connection_is_invalidated(const alch_connection *connection);
/* Takes the connection out of its pool, which may make another in its place; it ends when it is closed. INVALID_REQUEST when others share it. */
alch_status alch_connection_detach(alch_connection *connection, alch_error *error);
bool alch_connection_is_detached(const alch_connection *connection);

/* Transactions. Depth 0: none; 1: a transaction; above: savepoints. Each begin answers its level, which commit and rollback must name: a level that is not the innermost
   ends those inside it first (rollback) or is an error (commit). Each may answer ALCH_WAIT: the same call again after the wait. A level that is open no longer is an INVALID_REQUEST error for
   commit and nothing for rollback. When the database has ended the transaction by itself (disk full, deadlock, connection lost), statements and commit are refused with PENDING_ROLLBACK until
   level 1 is rolled back, so that nobody goes on unaware in half a transaction. A failing COMMIT (a deferred foreign key) leaves the transaction open where the database does. Results of
   statements that write, not read to their end, are closed by commit and savepoint. Errors: INVALID_REQUEST, OPERATIONAL, … */
alch_status alch_connection_begin(alch_connection *connection, uint32_t *level, alch_error *error);        /* INVALID_REQUEST when one is open already */
alch_status alch_connection_savepoint(alch_connection *connection, uint32_t *level, alch_error *error);    /* begins a transaction first where none is open */
alch_status alch_connection_commit(alch_connection *connection, uint32_t level, alch_error *error);
alch_status alch_connection_rollback(alch_connection *connection, uint32_t level, alch_error *error);
uint32_t alch_connection_depth(const alch_connection *connection);
/* Executing anything begins a transaction first (autobegin), unless this is switched off. On by default. */
void alch_connection_set_autobegin(alch_connection *connection, bool autobegin);

/* What transactions that begin from now on are like, until the connection is closed. INVALID_REQUEST within one; ARGUMENT for what the database does not have (it names the nearest level).
   level NULL: the engine's again. "AUTOCOMMIT": none begins in the database, each statement is done when it is done; depth, commit and rollback go on as if. Statements that write are refused in a
   read-only transaction: by the database where it can be told, else before they are sent. */
alch_status alch_connection_set_isolation(alch_connection *connection, const char *level, alch_error *error);
alch_status alch_connection_set_read_only(alch_connection *connection, bool read_only, alch_error *error);
alch_status alch_connection_set_deferrable(alch_connection *connection, bool deferrable, alch_error *error);
/* How transactions begin; NULL: as the engine has it. ARGUMENT for what the database does not have. */
alch_status alch_connection_set_begin_mode(alch_connection *connection, const char *mode, alch_error *error);
void alch_connection_set_logging_token(alch_connection *connection, const char *token);
/* What is set from now on holds until the end of the next transaction, and then what is set now does again. */
void alch_connection_set_once(alch_connection *connection);
/* The end of that, where no transaction has come of it. */
void alch_connection_unset_once(alch_connection *connection);
/* Rows of results come in pieces of about so many, where the driver can; 0: whole. */
void alch_connection_set_stream(alch_connection *connection, uint32_t rows);
const char *alch_connection_isolation(const alch_connection *connection);   /* the level's name, NULL for the database's own */
bool alch_connection_is_read_only(const alch_connection *connection);

/* A new id, of at most ALCH_XID_MADE characters, no two of which are the same in this program as long as their owners live. */
enum { ALCH_XID_MADE = 50 };
void alch_xid_invent(const void *owner, char *out, size_t size);
/* NOT_SUPPORTED where the database has no such thing. */
alch_status alch_engine_check_twophase(const alch_engine *engine, alch_error *error);
/* Two-phase commit. begin_twophase: as begin; xid NULL makes one up; letters, digits and _ . : - up to 64. prepare: the database promises that a commit will work, and then only commit and rollback (of
   level 1) are possible, which may answer ALCH_WAIT as ever. What is prepared and not yet ended when the connection closes is rolled back; what a crash leaves behind is found with `recover` (alch_connection_recover_query: its text and
   the column of the ids) and ended by end_prepared, outside a transaction. NOT_SUPPORTED where the database has no such thing. */
alch_status alch_connection_begin_twophase(alch_connection *connection, const char *xid, uint32_t *level, alch_error *error);
alch_status alch_connection_prepare(alch_connection *connection, uint32_t level, alch_error *error);
alch_status alch_connection_end_prepared(alch_connection *connection, const char *xid, bool commit, alch_error *error);
alch_status alch_connection_recover_query(const alch_connection *connection, const char **sql, uint32_t *column, alch_error *error);
const char *alch_connection_xid(const alch_connection *connection);   /* in quotes; NULL: no two-phase transaction */
bool alch_connection_is_prepared(const alch_connection *connection);
/* What is prepared on it stays so, for somebody else to end, and the database connection ends: some servers let nobody else have it before. Does nothing where nothing is prepared. */
void alch_connection_leave_prepared(alch_connection *connection);

/* ---- execution ---- */
/* A compiled statement on its way on one connection: prepared handle, bound values, current row. Lives in memory of the caller (init/close); while it has rows to give it keeps the connection's
   count of open results up. Closing it twice is fine. A result whose connection is closed is closed as well: reading from it is a RESOURCE_CLOSED error. */
typedef struct alch_execution {
  alch_connection *connection;           /* NULL once closed */
  alch_compiled *compiled;               /* held */
  struct alch_prepared *prepared;        /* borrowed from the connection's cache, in use */
  alch_value *row;                       /* the current row, converted to the column types; text is valid until the next step */
  uint32_t column_count;
  int64_t changes;                       /* rows affected; -1 unknown or a SELECT */
  int64_t last_insert_id;                /* of the last row inserted; 0 where the database has none */
  alch_buffer scratch;                   /* converted texts of the current row */
  alch_value *values;                    /* of the parameters */
  uint32_t value_capacity, row_capacity;
  bool returns_rows, done, started;
  struct alch_execution *next, *previous;/* the connection's list of open executions */
  int64_t started_at;
  /* its own affairs */
  uint8_t phase;
  bool repeats;                          /* by alch_execution_run: the handle stays when it is done */
  bool converts_row;                     /* the columns are those that were compiled */
  bool by_cells;                         /* rows are read a part at a time, by alch_execution_cells */
  bool cached;                           /* the handle was there already */
  const alch_value *bound;               /* the values that the driver borrows */
  uint32_t bound_count;
  uint32_t stream_rows;                  /* set by whoever starts it: rows of a piece; 0: as the connection has it. Closing sets it back */
  bool flows;                            /* likewise: whoever starts it takes all rows in one go, and they may be read as they come (alch_driver.flow) */
  bool copies;                           /* likewise: rows come by the driver's way for many of them (engine/bulk.h), which has to be there; */
  const char *copy_format;               /* NULL, or the words for lines of text; stays where it is until the execution has started */
  char token[ALCH_TOKEN_SIZE];           /* likewise: its logging_token; "": the connection's */
  uint32_t sets;                         /* of values, one behind the other; 0: one */
  bool arrays;                           /* the sets go as arrays, */
  uint32_t shared;                       /* but for the last of their values, which are the same in all of them */
  bool ahead;                            /* set by whoever runs it: it is only sent, see alch_connection_sends_ahead. Closing sets it back */
  alch_buffer texts;                     /* converted and named texts of the values */
  uint32_t *counts, count_capacity, count_used;   /* of expanding and literal slots, see alch_compiled_expand */
} alch_execution;

/* Values that an execution gives by name (named binds; columns of an INSERT or UPDATE that has none of its own), and the answer to client-side defaults. */
typedef struct alch_parameters {
  void *context;
  /* Fills *out for the slot, text borrowed until the next call (it is copied); for an expanding slot an ALCH_LIST, whose items are then asked for. Answers ALCH_DONE when there is no value of this name (the bind's own value is used; a required one is an error). */
  alch_status (*named)(void *context, const alch_slot *slot, alch_value *out, alch_error *error);
  /* A host default (or onupdate) function's value, or a host value's (ALCH_HOST record) database form. */
  alch_status (*host)(void *context, const alch_slot *slot, int64_t reference, alch_value *out, alch_error *error);
  /* The items of a list that `named` answered, one after another. May be NULL where named answers no lists. */
  alch_status (*item)(void *context, const alch_slot *slot, uint32_t index, alch_value *out, alch_error *error);
} alch_parameters;

void alch_execution_init(alch_execution *execution, const alch_allocator *allocator);
/* Binds, starts and goes to the first row or the end: what changes the database has done so afterwards. `block` brings the literal values (its structure is the compiled one's; NULL where there are
   none) and must stay where it is until the execution is done or closed. parameters may be NULL. After ALCH_OK (returns_rows, column_count and, without rows, changes are known): next.
   ALCH_WAIT: call alch_execution_start_poll after the wait.
   Errors carry statement and parameters. The execution is closed on error and can be used again. */
alch_status alch_execution_start(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_block *block, const alch_parameters *parameters, alch_error *error);
/* The same with all values at hand, already in database form, one a slot: the unit of work's way. Runs the statement to its end when it returns no rows. May be called again and again on one execution for the same compiled: the handle stays.
   An expanding slot has an ALCH_LIST followed by its items. Values are borrowed until the execution is done. ALCH_WAIT: call alch_execution_start_poll after the wait. */
alch_status alch_execution_run(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_value *values, uint32_t count, alch_error *error);
/* The same for `sets` sets of `count` values, one behind the other, with as few round trips as the driver can. Rows come one after another, in the order of the sets; changes counts all of them. When a
   set fails nothing of the call has happened, or the transaction is over. Only where alch_execution_takes_many. */
alch_status alch_execution_run_many(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error);
/* Can the driver of the connection take several sets of values at once, and has the statement no lists in it? */
bool alch_execution_takes_many(const alch_connection *connection, const alch_compiled *compiled);
/* As alch_execution_run_many, but each placeholder takes an array: the values that it has in all of the sets. The last `shared` placeholders have the same value in all of them, and take that alone. Only where
   alch_connection_takes_arrays. ALCH_DONE, also from start_poll: some value has no form as an item of an array; nothing was run, and the execution is closed. */
alch_status alch_execution_run_arrays(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_value *values, uint32_t count, uint32_t sets, uint32_t shared, alch_error *error);
/* May executions be sent before the answers to those before them are taken, and do they fail together? Then of executions with `ahead` set (alch_execution_run and its like) ALCH_OK says that the statement
   was sent, ALCH_WAIT that start_poll has to go on with that, and alch_execution_take_answer goes to the first row or the end: no more than two at once, answered in their order. What follows one that has
   failed has not happened, and is to be closed. */
bool alch_connection_sends_ahead(const alch_connection *connection);
/* ALCH_WAIT: the same call again after the wait. */
alch_status alch_execution_take_answer(alch_execution *execution, alch_error *error);
/* Is somebody told of what is executed? It would hear of a statement that is sent ahead before it hears that the one before is through. */
bool alch_connection_is_listened_to(const alch_connection *connection);
bool alch_connection_takes_arrays(const alch_connection *connection);
bool alch_connection_takes_sets(const alch_connection *connection);    /* alch_execution_run_many */
/* alch_execution_start for several sets: each is bound by a call of add_set (which opens the execution with the first; the block's and the parameters' values are copied), and start_sets starts all of them. */
alch_status alch_execution_add_set(alch_execution *execution, alch_connection *connection, alch_compiled *compiled, const alch_block *block, const alch_parameters *parameters, alch_error *error);
alch_status alch_execution_start_sets(alch_execution *execution, alch_error *error);
alch_status alch_execution_start_poll(alch_execution *execution, alch_error *error);
/* ALCH_ROW (execution->row is filled), ALCH_DONE (the statement is reset, changes and last_insert_id are known), ALCH_WAIT (again after the wait). */
alch_status alch_execution_next(alch_execution *execution, alch_error *error);
/* From here on, where the driver can: alch_execution_next fills nothing in, and alch_execution_cells reads those columns of the current row that are wanted. False: it goes on filling the whole row. */
bool alch_execution_by_cells(alch_execution *execution);
/* Fills in the columns first .. first+count-1 of the current row. Text is good until the next call. */
alch_status alch_execution_cells(alch_execution *execution, uint32_t first, uint32_t count, alch_error *error);
void alch_execution_close(alch_execution *execution);      /* resets the statement; memory for reuse is kept */
void alch_execution_destroy(alch_execution *execution);    /* close, and free the memory */
/* Until the execution is closed; of a statement whose columns only the database knows (TEXT) until its last row was read. "" for none. */
const char *alch_execution_column_name(const alch_execution *execution, uint32_t column);

/* A plain statement without values, run to its end (DDL, pragmas). ALCH_WAIT never comes out: it blocks. */
alch_status alch_connection_run_text(alch_connection *connection, const char *sql, size_t length, alch_error *error);
/* Creates / drops the tables (all of the metadata when tables is NULL) in dependency order with their indexes, skipping those that are there (not there) when check_first. Commit or rollback is the caller's. */
typedef struct alch_schema_request {
  alch_metadata *metadata;
  alch_ddl_action action;
  alch_table *const *tables;           /* NULL: all, and then types and sequences as well */
  uint32_t count;
  bool check_first;
  /* Told before and after each table, and before and after all of it (table NULL); may run statements on the connection. NULL: nobody is. */
  alch_status (*tell)(void *context, alch_connection *connection, alch_metadata *metadata, alch_table *table, alch_ddl_action action, bool after, alch_error *error);
  void *context;
} alch_schema_request;
/* One that can wait: open, then step until it is no ALCH_WAIT (whatever that is, an error too, it is over then), then close (NULL is fine). What the request points to stays until then. */
typedef struct alch_schema_run alch_schema_run;
alch_status alch_schema_run_open(alch_connection *connection, const alch_schema_request *request, alch_schema_run **out, alch_error *error);
alch_status alch_schema_run_step(alch_schema_run *run, alch_error *error);
void alch_schema_run_close(alch_schema_run *run);
/* These block. The latter two tell nobody. */
alch_status alch_run_schema(alch_connection *connection, const alch_schema_request *request, alch_error *error);
alch_status alch_create_all(alch_connection *connection, alch_metadata *metadata, alch_table *const *tables, uint32_t count, bool check_first, alch_error *error);
alch_status alch_drop_all(alch_connection *connection, alch_metadata *metadata, alch_table *const *tables, uint32_t count, bool check_first, alch_error *error);
/* ALCH_WAIT: the same call again. */
alch_status alch_has_table(alch_connection *connection, const char *name, const char *schema, bool *out, alch_error *error);
/* The driver's query for whether the keys that the database makes can be told by the order of rows (alch_driver.scatters_keys), or NULL. */
const char *alch_connection_scatters_keys(const alch_connection *connection);
uint32_t alch_connection_returning_sets(const alch_connection *connection);   /* alch_driver.returning_sets */
/* Is last_insert_id the key of the first of several rows, or else of the last? */
bool alch_connection_tells_first_key(const alch_connection *connection);

/* Monotonic clock, microseconds (and nanoseconds) since an arbitrary start. */
int64_t alch_clock_microseconds(void);
int64_t alch_clock_nanoseconds(void);

#endif
