/* unit_of_work.h - a flush is a plan, then a run.
   The plan is a list of steps over objects and pairs of objects; it can be printed. The run executes it and keeps its place, so that it can wait.
   A flush belongs to its session (session->flush) and dies with it. */
#ifndef ALCH_UNIT_OF_WORK_H
#define ALCH_UNIT_OF_WORK_H

#include "orm/session.h"

typedef enum alch_step_kind { ALCH_STEP_COPY, ALCH_STEP_UPDATE, ALCH_STEP_INSERT, ALCH_STEP_UNLINK, ALCH_STEP_LINK, ALCH_STEP_DELETE } alch_step_kind;

/* parent's key goes into child's foreign key (COPY; parent NULL: the foreign key becomes NULL), or both keys into a row of the secondary table (LINK). */
typedef struct alch_link { alch_object *parent, *child; } alch_link;

typedef struct alch_step {
  uint8_t kind;
  const alch_mapper *mapper;               /* whose rows are written; of a COPY: the child's */
  const alch_relationship *relationship;   /* COPY, LINK, UNLINK. COPY: pairs by `pairs` */
  bool reversed;                           /* COPY: the relationship is the child's many-to-one; else the parent's one-to-many */
  uint32_t first, count;                   /* in flush->objects, or flush->links */
} alch_step;

typedef struct alch_flush {
  alch_session *session;
  alch_arena arena;
  alch_step *steps;
  uint32_t step_count, step_capacity;
  alch_object **objects;
  uint32_t object_count, object_capacity;
  alch_link *links;
  uint32_t link_count, link_capacity;
  uint8_t stage;
  /* running: */
  uint32_t step, place;
  bool statement_open;                     /* the statement at this place is under way */
  uint8_t keys_follow;                     /* ALCH_KEYS_: of the table of the INSERT step under way */
  uint32_t batch_from;                     /* no batch is tried before this place of the step */
  int64_t last_key;                        /* that the database made in this step; 0: none yet */
  struct alch_writer *writer;
  alch_execution execution;
  alch_buffer scratch;                     /* texts of defaults */
} alch_flush;

/* Builds the plan. May load (children of what is deleted) and wait: call again then. */
alch_status alch_flush_plan(alch_flush *flush, alch_error *error);
alch_status alch_flush_run(alch_flush *flush, alch_error *error);
void alch_flush_print(const alch_flush *flush, alch_buffer *out);
void alch_flush_init(alch_flush *flush, alch_session *session);
void alch_flush_close(alch_flush *flush);    /* frees it too */

/* ---- used by the files of the unit of work ---- */
enum { ALCH_KEYS_UNKNOWN, ALCH_KEYS_FOLLOW, ALCH_KEYS_SCATTER };
/* Inserts many objects by one statement from the place on, and moves the place past them. ALCH_DONE: nothing was done, they go one by one. */
alch_status alch_flush_batch(alch_flush *flush, const alch_step *step, bool *mask, alch_error *error);
/* Starts the writer's statement, or goes on with the one that waits. */
alch_status alch_flush_execute(alch_flush *flush, alch_error *error);
/* Applies client-side defaults and tells which columns an INSERT of the object writes. */
alch_status alch_flush_insert_mask(alch_flush *flush, alch_object *object, bool *mask, alch_error *error);
void alch_flush_give_key(alch_object *object, int64_t key);
/* The row of a new object is there, and its key known. */
alch_status alch_flush_inserted(alch_flush *flush, alch_object *object, alch_error *error);
alch_status alch_flush_add_step(alch_flush *flush, alch_step step, alch_error *error);
alch_status alch_flush_add_object(alch_flush *flush, alch_object *object, alch_error *error);
alch_status alch_flush_add_link(alch_flush *flush, alch_object *parent, alch_object *child, alch_error *error);

#endif
