/* bind.h - the databases of a session. Most have one (session->bind). Others send each model, or each statement, to an engine of its own: session->routed, and then the host says which (alch_host.find_bind).
   A session keeps its binds until it is destroyed. Each has a connection of its own while the session's transaction has to do with it: the outermost frame is a transaction there, the others are savepoints,
   begun when the first statement goes there. */
#ifndef ALCH_ORM_BIND_H
#define ALCH_ORM_BIND_H

#include "engine/engine.h"

enum { ALCH_XID_SIZE = 65 };
typedef char alch_xid[ALCH_XID_SIZE];

struct alch_mapper;
struct alch_relationship;
struct alch_session;

/* How far its transaction is, when the session's ends. */
typedef enum alch_bind_state {
  ALCH_BIND_OPEN,
  ALCH_BIND_PREPARED,              /* two phases: the database has promised that a commit will work */
  ALCH_BIND_COMMITTED,
  ALCH_BIND_LEFT                   /* it was prepared, and its end has failed: somebody has to end it (alch_connection_end_prepared) */
} alch_bind_state;

typedef struct alch_bind {
  struct alch_bind *next;          /* in the order in which the session met them */
  alch_engine *engine;             /* held */
  uint32_t place;                  /* its number, from 0 */
  uint8_t state;                   /* alch_bind_state */
  alch_connection *connection;     /* NULL outside a transaction */
  alch_connection *connecting;     /* on its way */
  void *host_data;                 /* the host's own */
  uint32_t *levels;                /* of the connection, for each frame that has come to it, from the outermost on */
  uint32_t level_count, level_capacity;
} alch_bind;

/* The bind of an engine, made where there is none. */
alch_status alch_bind_enrol(struct alch_session *session, alch_engine *engine, alch_bind **out, alch_error *error);
void alch_bind_free_all(struct alch_session *session);
/* Where a model's rows are. table: a secondary one, which may be somewhere else than the model; or NULL. writes: for a flush. UNBOUND_EXECUTION, or the error of the user's get_bind. */
alch_status alch_bind_find(struct alch_session *session, const struct alch_mapper *mapper, const alch_table *table, bool writes, alch_bind **out, alch_error *error);
/* Where a relationship is loaded from. INVALID_REQUEST when its secondary table is in another database than its target. */
alch_status alch_bind_find_related(struct alch_session *session, const struct alch_relationship *relationship, alch_bind **out, alch_error *error);
/* INVALID_REQUEST when the statement reads a table that is known to be in another database. */
alch_status alch_bind_check_block(struct alch_session *session, const alch_bind *bind, const alch_block *block, alch_error *error);
/* Connects, and begins what the session's frames need there. */
alch_status alch_bind_connect(struct alch_session *session, alch_bind *bind, alch_error *error);
/* The id that its two-phase transaction has, or had. */
void alch_bind_xid(const struct alch_session *session, const alch_bind *bind, alch_xid out);
/* For texts: the URL, without its password. */
void alch_bind_print(const alch_bind *bind, alch_buffer *out);

/* ---- bind_ending.c: of all binds; each may answer ALCH_WAIT: the same call again ---- */
/* Commits the frame at this depth (0: the outermost) wherever it has come to: one database after the other, or in two phases. */
alch_status alch_binds_commit(struct alch_session *session, uint32_t depth, alch_error *error);
/* Is the transaction decided? Then it counts as committed, though an error tells that some databases wait for somebody to end it there. */
bool alch_binds_decided(const struct alch_session *session);
alch_status alch_binds_prepare(struct alch_session *session, alch_error *error);
/* Rolls back everywhere, whatever goes wrong somewhere; the first error is answered. */
alch_status alch_binds_rollback(struct alch_session *session, uint32_t depth, alch_error *error);
/* All transactions are over, or will be when the connections are closed: gives them back. */
void alch_binds_give_back(struct alch_session *session);
/* The error that is kept while others are rolled back: kept where there is none yet; taken, with what its answer is to be (ALCH_OK: there was none). */
void alch_session_keep_failure(struct alch_session *session, const alch_error *error, alch_status status);
alch_status alch_session_take_failure(struct alch_session *session, alch_error *error);

#endif
