/* load.h - rows become objects.
   A load is an operation that can wait: alch_load_run answers ALCH_WAIT and is called again. One load is under way in a session at a time; loads that follow from it
   (selectin, batches) are run within it. */
#ifndef ALCH_LOAD_H
#define ALCH_LOAD_H

#include "orm/session.h"

/* What an item of the select list becomes. */
typedef struct alch_plan_entity {
  const alch_mapper *mapper;             /* NULL: a plain value */
  uint32_t first_column, column_count;   /* in the result row */
  uint32_t *slot_of_result;              /* column_count: slot of each column */
  uint32_t *key_columns;                 /* mapper->key_count result columns */
  uint32_t place;                        /* of the row that is emitted; UINT32_MAX: eager, goes into its owner */
  /* eager ones: whose, by which relationship */
  uint32_t owner;                        /* entity number */
  const alch_relationship *relationship;
} alch_plan_entity;

/* Follow-up loads: relationships to load for the objects of an entity once all rows are there. */
typedef struct alch_plan_follow {
  const alch_relationship *relationship;
  uint32_t entity;
  const alch_node *options;              /* nested options of it, or NULL; inside `block` */
} alch_plan_follow;

/* Hangs on an alch_compiled (plan). */
typedef struct alch_plan {
  const alch_allocator *allocator;
  alch_arena arena;
  alch_plan_entity *entities;
  uint32_t entity_count, place_count;
  bool single_entity;                    /* rows are one object each */
  bool unique;                           /* joined collections: rows repeat the main entity; they are emitted once */
  alch_plan_follow *follows;
  uint32_t follow_count;
  alch_block *block;                     /* the statement as rewritten (columns in place of entities, joins for eager loading); values are those of the original, in the same order */
} alch_plan;

/* An alch_plan_maker (engine.h); context is the alch_registry: rewrites ENTITY nodes that have a mapper, applies OPTIONS, compiles, hangs the plan on the result. */
alch_status alch_plan_make(void *context, const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, const alch_compile_options *options, const alch_allocator *allocator,
                           alch_compiled **out, alch_error *error);

typedef struct alch_load alch_load;

/* Executes a SELECT with entities and emits every row to the host: place by place, then emit_row. Flushes first when autoflush is on and something is changed.
   `populate`: what is loaded already is overwritten (populate_existing, refresh). */
alch_status alch_load_start(alch_session *session, alch_registry *registry, const alch_block *block, const alch_parameters *parameters, bool populate, alch_load **out, alch_error *error);
alch_status alch_load_run(alch_load *load, alch_error *error);      /* ALCH_DONE, ALCH_WAIT, or an error; at most `limit` rows a run when set: ALCH_ROW then */
void alch_load_limit(alch_load *load, uint32_t rows);
void alch_load_close(alch_load *load);                              /* NULL is fine */

/* The object with a key: from the identity map, or by a SELECT; *out NULL when there is no such row. Made known to the host (the last found or made). */
alch_status alch_load_get(alch_session *session, const alch_mapper *mapper, const alch_value *key, bool populate, alch_object **out, alch_error *error);
/* A slot of an object that is not loaded: loads it, and for a batch relationship or expired and deferred columns, for all of its batch. DETACHED_INSTANCE without a session, OBJECT_DELETED when the row is gone,
   INVALID_REQUEST for lazy = "raise". */
alch_status alch_load_slot(alch_object *object, uint32_t slot, alch_host *host, alch_error *error);
/* Loads a relationship for many objects at once (selectin). Objects that have it already are passed over. options: nested loader options or NULL. */
alch_status alch_load_relationship(alch_session *session, const alch_relationship *relationship, alch_object *const *objects, uint32_t count, const alch_node *options, alch_error *error);
/* Reads the object's row again. */
alch_status alch_load_refresh(alch_session *session, alch_object *object, alch_error *error);

#endif
