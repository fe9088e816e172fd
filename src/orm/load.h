/* load.h - rows become objects.
   A load is an operation that can wait: alch_load_run answers ALCH_WAIT and is called again. One load is under way in a session at a time; loads that follow from it
   (selectin, batches) are run within it. */
#ifndef ALCH_LOAD_H
#define ALCH_LOAD_H

#include "orm/session.h"

/* Loader options, as OPTIONS clauses of statements have them: OPTION nodes, op: alch_strategy, a: id of the mapper, b: slot of the attribute or relationship (UINT32_MAX: all that the strategy is
   for). They apply to every entity of that mapper in the select list; the OPTION children of an option of a relationship apply to the objects that it leads to. The last option for a slot
   counts; ALCH_LAZY_DEFAULT only carries children. A CONTAINS_EAGER option may have an ENTITY child: the alias whose columns fill the relationship; without it that is the target's table. */

/* What an item of the select list becomes, or what is loaded along with it. */
typedef struct alch_plan_entity {
  const alch_mapper *mapper;
  uint32_t first_column, column_count;   /* in the result row */
  uint32_t *slot_of_result;              /* column_count: slot of each column */
  bool *given;                           /* by attribute: is it in the row? */
  bool direct;                           /* the columns are all attributes in the order of their slots: the row's values are an object's as they stand */
  uint32_t *key_columns;                 /* mapper->key_count result columns */
  uint32_t place;                        /* of the row that is emitted; UINT32_MAX: eager, goes into its owner */
  /* eager ones: whose, by which relationship */
  uint32_t owner;                        /* entity number */
  const alch_relationship *relationship;
  /* relationships that options forbid to load (RAISE), or say to be empty (NOLOAD) */
  uint32_t *raising, raising_count, *empty, empty_count;   /* slots */
  bool followed;                         /* follow-up loads need its objects */
  bool repeats;                          /* several rows in a row may have the same of it, since they are told apart by a list of others */
} alch_plan_entity;

/* One place of a row that is emitted. */
typedef struct alch_plan_place {
  uint32_t entity;                       /* UINT32_MAX: a plain value */
  uint32_t column;                       /* of the value in the result row */
  const char *name;                      /* of the model, or of the column */
} alch_plan_place;

/* Follow-up loads: relationships to load for the objects of an entity once all rows are there. */
typedef struct alch_plan_follow {
  const alch_relationship *relationship;
  uint32_t entity;
  bool by_default;                       /* no option asks for it, but the relationship itself: not where its target was met on the way already */
  const alch_node *options;              /* nested options: a node whose children they are, or NULL */
} alch_plan_follow;

/* Hangs on an alch_compiled (plan). */
typedef struct alch_plan {
  const alch_allocator *allocator;
  alch_arena arena;
  alch_plan_entity *entities;
  uint32_t entity_count;
  alch_plan_place *places;
  uint32_t place_count;
  bool single_entity;                    /* rows are one object each */
  bool unique;                           /* joined collections: rows repeat the main entity; they are emitted once */
  bool by_parts;                         /* nothing but entities is looked at, so what repeats need not be read again */
  alch_plan_follow *follows;
  uint32_t follow_count;
  const alch_block *block;               /* the statement as rewritten (columns in place of entities, joins for eager loading) */
} alch_plan;

/* An alch_plan_maker (engine.h); context is the alch_registry: rewrites ENTITY nodes that have a mapper, applies OPTIONS, compiles, hangs the plan on the result. */
alch_status alch_plan_make(void *context, const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, const alch_compile_options *options, const alch_allocator *allocator,
                           alch_compiled **out, alch_error *error);

typedef struct alch_load alch_load;

/* Executes a SELECT with entities and emits every row to the host: place by place, then (unless rows are one object each) emit_row. Flushes first when autoflush is on and something is changed.
   `populate`: what is loaded already is overwritten (populate_existing, refresh). `block` and `parameters` stay where they are until the load is closed. */
alch_status alch_load_start(alch_session *session, alch_bind *bind, alch_registry *registry, const alch_block *block, const alch_parameters *parameters, bool populate, alch_load **out, alch_error *error);
/* ALCH_DONE, ALCH_WAIT, or an error; ALCH_ROW when a limit is set and that many rows were emitted: call again for more. What was emitted is complete, eager loads included. Between two runs the host
   may do what it likes with the session, and let go of what was emitted; a piece is a batch of its own. */
alch_status alch_load_run(alch_load *load, alch_error *error);
/* At most so many rows a run; 0: all. INVALID_REQUEST when the statement loads collections by joining, whose objects are complete only at the end. */
alch_status alch_load_limit(alch_load *load, uint32_t rows, alch_error *error);
const alch_plan *alch_load_plan(const alch_load *load);             /* from start on */
const alch_compiled *alch_load_compiled(const alch_load *load);
/* The place where the host keeps the load: NULL is written there when the load is closed, which a rollback or the end of its session does as well. NULL: no place any more. */
void alch_load_watch(alch_load *load, alch_load **place);
/* Of a load that was started and has not run yet: what executes its statement, for options; NULL when there is none. */
alch_execution *alch_load_execution(alch_load *load);
/* It does not flush first, whatever the session does. */
void alch_load_skip_flush(alch_load *load);
void alch_load_close(alch_load *load);                              /* NULL is fine */
/* Ends all loads of a session but those that rest between two pieces. */
void alch_load_stop(alch_session *session);
/* Ends all loads of a session, and frees the memory that is kept for the next ones. */
void alch_load_abandon(alch_session *session);

/* The object with a key: from the identity map, or by a SELECT; *out NULL when there is no such row. Made known to the host (the last found or made). */
alch_status alch_load_get(alch_session *session, const alch_mapper *mapper, const alch_value *key, bool populate, alch_object **out, alch_error *error);
/* A slot of an object that is not loaded: loads it, and for a batch relationship or expired and deferred columns, for all of its batch. DETACHED_INSTANCE without a session, OBJECT_DELETED when
   the row is gone, INVALID_REQUEST for lazy = "raise". For transient and pending objects nothing is loaded: a list is made, anything else stays as it is. */
alch_status alch_load_slot(alch_object *object, uint32_t slot, alch_host *host, alch_error *error);
/* Loads a relationship for many objects at once (selectin). Objects that have it already are passed over. options: a node whose children are nested loader options, or NULL. */
alch_status alch_load_relationship(alch_session *session, const alch_relationship *relationship, alch_object *const *objects, uint32_t count, const alch_node *options, alch_error *error);
/* Reads the object's row again, over all that is loaded or changed. INVALID_REQUEST when it has no row any more. */
alch_status alch_load_refresh(alch_session *session, alch_object *object, alch_error *error);

#endif
