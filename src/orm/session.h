/* session.h - a session: identity map (kept by the host), changed objects, transaction, unit of work.
   Owns its lists and the connections it has checked out; holds its engines. One thread at a time. Functions that may wait answer ALCH_WAIT and are called again after the wait
   (alch_connection_wait on alch_session_awaits, or the host's way). */
#ifndef ALCH_SESSION_H
#define ALCH_SESSION_H

#include "engine/engine.h"
#include "orm/bind.h"
#include "orm/object.h"

/* The value that an attribute had at the last flush (or load). */
typedef struct alch_old_value {
  alch_object *object;
  alch_cell cell;
  uint32_t slot;
  uint8_t kind;                    /* as in kinds[] */
  uint32_t previous;               /* entry of the same object before this one, + 1 */
} alch_old_value;

/* What the session knows about an object that it holds. */
typedef struct alch_held {
  alch_object *object;             /* NULL: free */
  uint32_t newest_old;             /* its newest journal entry + 1 */
} alch_held;

typedef struct alch_object_list { alch_object **items; uint32_t count, capacity; } alch_object_list;

/* An object whose key was changed by a flush: where it stood in the identity map before. */
typedef struct alch_rekeyed { struct alch_rekeyed *next; alch_object *object /* NULL: gone from the session */; alch_value key[]; } alch_rekeyed;

/* A transaction or savepoint of the session. */
typedef struct alch_session_frame {
  struct alch_session_frame *outer;
  uint32_t depth;                  /* 0: the outermost */
  uint32_t first_born;             /* objects born from here on become transient again on rollback */
  bool nested;
  alch_object_list deleted;        /* held: come back on rollback */
  alch_rekeyed *rekeyed;           /* held; newest first */
  alch_arena arena;                /* keys of rekeyed */
} alch_session_frame;

typedef struct alch_session_options { bool autoflush, expire_on_commit, autobegin, twophase; uint32_t batch_size; /* objects that one lazy load serves; 0: as many as the database has parameters */ } alch_session_options;

typedef struct alch_session {
  const alch_allocator *allocator;
  alch_catalog *catalog;
  alch_host *host;
  alch_bind *bind;                 /* where everything goes unless it is routed; NULL: there is no such engine */
  alch_bind *binds;                /* all that were met */
  alch_bind *awaited;              /* whose connection an ALCH_WAIT is about; NULL: there is none yet */
  alch_bind *begun;                /* AFTER_BEGIN is being told of it */
  bool routed;                     /* the host says which bind (alch_host.find_bind) */
  bool prepared;                   /* alch_session_prepare: only commit and rollback are left */
  bool undoing;                    /* a prepare has failed, and all is being rolled back */
  alch_xid xid;                    /* of the transaction in two phases; "": none yet */
  alch_error failure;              /* the first of several, while others are ended */
  alch_status failure_status;
  bool in_flush, failed;           /* failed: a flush failed, rollback is due (PENDING_ROLLBACK) */
  bool expired_once;               /* some object may have expired: until then what is in the identity map is as it was loaded */
  alch_session_options options;
  uint32_t batch, oldest_batch;    /* current number; smaller ones than oldest_batch are expired */
  uint32_t born;                   /* serial of the last flush */
  alch_session_frame *frame;               /* innermost, or NULL */
  alch_held *held;                 /* by anchor; [0] unused */
  uint32_t held_count, held_capacity, held_now;   /* places, and how many of them are taken */
  alch_old_value *journal;
  uint32_t journal_count, journal_capacity;
  /* Lists that are filled while the host is called: here, so that nothing is lost when it leaves by a long jump. */
  alch_object_list reached;        /* by the save-update cascade under way */
  alch_object_list wanting;        /* whose children a delete needs */
  alch_object_list identities;     /* see alch_session_identities */
  alch_object_list pending;        /* new: in the order of add */
  alch_object_list modified;       /* changed since the last flush */
  alch_object_list deleting;       /* session:delete */
  uint32_t cascaded;               /* how many of deleting have had their delete cascade followed */
  uint32_t events;                 /* 1 << alch_session_event that somebody listens to */
  struct alch_flush *flush;        /* the one under way, or NULL */
  bool committing;                 /* BEFORE_COMMIT was told, and the commit has not come to its end yet */
  bool flush_waits;                /* it answered ALCH_WAIT: the next call goes on with it */
  struct alch_load *load;          /* the one under way, or NULL; those that it came into the midst of hang on it */
  struct alch_load *spare_load;    /* memory of a load that is over, for the next one */
  void *host_data;
} alch_session;

void alch_session_options_init(alch_session_options *options);
/* engine NULL: the session is routed. */
alch_status alch_session_open(alch_engine *engine, alch_catalog *catalog, alch_host *host, const alch_session_options *options, const alch_allocator *allocator, alch_session **out, alch_error *error);
/* Rolls back, lets all objects go (detached), gives the connection back. The session may be used again, as in SQLAlchemy. */
void alch_session_close(alch_session *session);
/* Rolls back in the database what is open, before the session is closed, which would wait for it. ALCH_WAIT: the same call again. */
alch_status alch_session_unwind(alch_session *session, alch_error *error);
void alch_session_destroy(alch_session *session);
/* After the host left the core by a long jump: ends what was under way; a flush that was under way is rolled back by the next use (PENDING_ROLLBACK). */
void alch_session_abandon(alch_session *session);
/* The same, but loads that rest between two pieces stay. */
void alch_session_stop(alch_session *session);

/* Transient or detached objects join, with all that save-update reaches. INVALID_REQUEST when an object belongs to another session, or its key to another object here. */
alch_status alch_session_add(alch_session *session, alch_object *object, alch_error *error);
/* Marks for deletion with all that the delete cascade reaches (loads what it needs). INVALID_REQUEST unless persistent. */
alch_status alch_session_delete(alch_session *session, alch_object *object, alch_error *error);
alch_status alch_session_expunge(alch_session *session, alch_object *object, alch_error *error);
void alch_session_expunge_all(alch_session *session);
alch_status alch_session_expire(alch_session *session, alch_object *object, uint32_t slot, alch_error *error);    /* slot UINT32_MAX: all */
void alch_session_expire_all(alch_session *session);

/* Begins a frame: a transaction when there is none, else a savepoint (nested). */
alch_status alch_session_begin(alch_session *session, bool nested, alch_error *error);
/* A transaction of the session (autobegin), without any connection: INVALID_REQUEST when there is none and autobegin is off, or when it is prepared. */
alch_status alch_session_ensure_frame(alch_session *session, alch_error *error);
/* Ensures a connection to the bind, and a transaction on it. */
alch_status alch_session_connection(alch_session *session, alch_bind *bind, alch_connection **out, alch_error *error);
/* What an ALCH_WAIT of the session is about: the connection that it has, or the one that is on its way. */
static inline alch_connection *alch_session_awaits(const alch_session *session) { return session->awaited->connecting ? session->awaited->connecting : session->awaited->connection; }
/* Which server there is must be known before a statement is compiled: connects where no connection of the engine's has told yet. ALCH_WAIT: call again. */
alch_status alch_session_meet(alch_session *session, alch_bind *bind, alch_error *error);
/* Flushes, and has all databases promise that a commit will work: then only commit and rollback are possible. When one refuses all are rolled back, as by alch_session_rollback. INVALID_REQUEST unless the
   session was opened for two phases and has a transaction without savepoints. */
alch_status alch_session_prepare(alch_session *session, alch_error *error);
/* Flushes, commits the innermost frame; outside nested ones expires (expire_on_commit) and returns the connections. In two phases an error comes either after everything was rolled back (something could
   not be prepared), or tells which databases have not heard of the commit, which has happened all the same. */
alch_status alch_session_commit(alch_session *session, alch_error *error);
/* Rolls the innermost frame back; objects get the states that they had, and their values are expired. */
alch_status alch_session_rollback(alch_session *session, alch_error *error);

/* Writes all changes. Nothing to do: constant time. */
alch_status alch_session_flush(alch_session *session, alch_error *error);
/* What alch_session_flush would do, one step a line. */
alch_status alch_session_plan(alch_session *session, alch_buffer *out, alch_error *error);
/* Does a change wait to be flushed? */
bool alch_session_dirty(const alch_session *session);
/* The value at the last flush of a slot that has one. */
const alch_old_value *alch_session_old_value(const alch_session *session, const alch_object *object, uint32_t slot);

/* ---- used by the files of this floor ---- */
alch_status alch_list_add(const alch_allocator *allocator, alch_object_list *list, alch_object *object);
alch_status alch_session_hold(alch_session *session, alch_object *object);      /* ALCH_ERROR: no memory, no record filled (add and touch likewise) */
void alch_session_release(alch_session *session, alch_object *object);     /* unless it is still in a list */
alch_status alch_session_touch(alch_session *session, alch_object *object);/* joins the modified ones */
/* Marks as deleting, held, without cascades. */
alch_status alch_session_mark_deleted(alch_session *session, alch_object *object, alch_error *error);
/* Follows the delete cascades of all that is marked and was not followed yet; loads, and may wait. */
alch_status alch_session_cascade_deletes(alch_session *session, alch_error *error);
/* The objects of the identity map that are alive now: the map must not change while it is walked. Good until the next call. */
const alch_object_list *alch_session_identities(alch_session *session);
/* Loads a relationship of all objects marked for deletion, from place `from` of the list on, that do not have it yet. */
alch_status alch_session_load_for_delete(alch_session *session, const alch_relationship *relationship, uint32_t from, alch_error *error);
/* Rolls everything back without touching objects, and gives the connection back. */
void alch_session_end_frames(alch_session *session);
/* Out of the session: neither pending, modified nor deleting; out of the identity map when it is there. keyed: it goes as a detached object, else as a transient one. */
void alch_session_let_go(alch_session *session, alch_object *object, bool keyed);
void alch_session_forget_key(alch_session *session, alch_object *object);   /* no frame names the object as rekeyed any more */
void alch_session_forget_changes(alch_object *object);     /* no slot counts as changed any more; changed lists count as committed */
/* Writes the entry of a frame for an object whose key is about to change. */
alch_status alch_session_note_key(alch_session *session, alch_object *object, const alch_value *old_key, alch_error *error);

#endif
