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

/* Whole numbers that are keys of rows, and lie so close together that it is quicker to read what lies between the lowest and the highest of them than to look for each. */
typedef struct alch_key_span {
  bool close;
  int64_t low, high;
} alch_key_span;

/* Objects (or links) that are written by one statement. */
typedef struct alch_batch {
  uint8_t phase;                           /* ALCH_BATCH_ */
  uint8_t way;                             /* alch_way */
  bool no_arrays;                          /* its values have no form as items of arrays */
  bool waits;                              /* its statement is under way: start_poll goes on with it */
  alch_key_span span;                      /* ARRAYS: of the rows that are changed or deleted */
  uint32_t *items, capacity;               /* their places in the step */
  uint32_t count;
  uint32_t end;                            /* the place of the step behind them; those between that are no items need no statement */
  uint32_t read;                           /* rows with keys that were taken; of one that is said again singly: objects that are through */
  bool *mask;                              /* the columns that are written */
  struct alch_writer *writer;              /* NULL before it is first needed */
  alch_execution execution;
} alch_batch;

enum { ALCH_BATCHES = 2 };                 /* one that the database works on, and the next */

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
  alch_bind *bind;                         /* where the step under way is written; NULL: not known yet */
  uint32_t step, place;
  uint32_t told_before, told_after;        /* how many objects of the step listeners have been told of */
  bool statement_open;                     /* the question about keys is under way */
  uint8_t keys_follow;                     /* ALCH_KEYS_: of the table of the INSERT step under way */
  uint32_t singly_until;                   /* up to this place of the step each object goes alone */
  int64_t last_key;                        /* that the database made in this step; 0: none yet */
  alch_batch batches[ALCH_BATCHES], single;/* in turn; and an object of one that is said again singly */
  uint32_t first, sent;                    /* the number of the oldest that was sent and is not through, and how many there are */
  uint32_t depth;                          /* how many may be sent before the first of them is through */
  bool ahead;                              /* ... before it is answered; else the next is only made ready meanwhile */
  bool *other;                             /* the columns of the object at `examined` */
  uint32_t examined;                       /* a place that the last batch ended at; 0: none */
  alch_compiled *question;                 /* about the keys of a table, while it is asked */
  alch_execution execution;                /* of the question */
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
enum { ALCH_BATCH_NONE, ALCH_BATCH_GATHERED, ALCH_BATCH_BOUND, ALCH_BATCH_SENT, ALCH_BATCH_SINGLY, ALCH_BATCH_RUN };
/* Writes all objects of the step, from the place on. */
alch_status alch_flush_batches(alch_flush *flush, const alch_step *step, alch_error *error);
/* How many batches of the step may be under way at once: alch_flush.depth and .ahead. The session has its connection. */
void alch_flush_set_depth(alch_flush *flush, const alch_step *step);
void alch_batch_close(alch_batch *batch, const alch_allocator *allocator);
/* Finds out whether the keys that the database makes in this column can be told by the order of rows: flush->keys_follow. */
alch_status alch_flush_ask_keys(alch_flush *flush, const alch_column *column, alch_error *error);
/* How many objects a batch is made of at most, from the place on. */
uint32_t alch_flush_batch_most(const alch_flush *flush, const alch_step *step);
/* Chooses how the batch goes, and makes it smaller where that is needed. */
alch_status alch_flush_choose_way(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error);

/* Which columns a statement for the object at a place of the step writes, after client-side defaults; *writes: it has something to write. */
alch_status alch_flush_examine(alch_flush *flush, const alch_step *step, uint32_t place, bool *mask, bool *writes, alch_error *error);
/* The row of the object at this place is written (and its key known). */
alch_status alch_flush_settle(alch_flush *flush, const alch_step *step, uint32_t place, alch_error *error);
void alch_flush_give_key(alch_object *object, int64_t key);
alch_status alch_flush_add_step(alch_flush *flush, alch_step step, alch_error *error);
alch_status alch_flush_add_object(alch_flush *flush, alch_object *object, alch_error *error);
alch_status alch_flush_add_link(alch_flush *flush, alch_object *parent, alch_object *child, alch_error *error);

#endif
