/* writer.h - one prepared INSERT, UPDATE or DELETE of the unit of work, and where its values come from.
   A writer serves one set of columns of one mapper (or one secondary table); objects that follow one another with the same set need no look-up. It owns its arrays. */
#ifndef ALCH_WRITER_H
#define ALCH_WRITER_H

#include "orm/unit_of_work.h"

/* How the values of several objects go into one statement. */
typedef enum alch_way {
  ALCH_WAY_ONE,                    /* they do not: one object a statement */
  ALCH_WAY_ROWS,                   /* INSERT … VALUES (…), (…) */
  ALCH_WAY_SETS,                   /* one statement, a set of values for each (alch_execution_run_many) */
  ALCH_WAY_ARRAYS                  /* one statement, whose parameters are arrays (alch_execution_run_arrays), see writer_statement.c */
} alch_way;

/* A column of the statement, and where its value is read. */
typedef struct alch_source {
  const alch_column *column;
  const alch_type *type;           /* as the dialect has it */
  uint32_t slot;                   /* UINT32_MAX: nowhere, the database writes into it */
  bool key;                        /* the committed value of a key attribute, for WHERE */
  bool child;                      /* LINK, UNLINK: of the child, else of the parent */
  bool shared;                     /* ARRAYS: not an array; a bound of the keys */
  bool converts;                   /* the dialect's to_database applies */
  uint8_t form;                    /* ARRAYS: alch_array_form */
} alch_source;

/* What a writer is to write. */
typedef struct alch_writing {
  alch_engine *engine;             /* where it goes */
  uint8_t kind;                    /* alch_step_kind */
  uint8_t way;                     /* alch_way */
  const alch_mapper *mapper;
  const alch_relationship *relationship;
  const bool *mask;                /* INSERT, UPDATE: the columns */
  bool whole;                      /* UNLINK: by the parent alone */
  alch_key_span span;              /* ARRAYS of UPDATE and DELETE: the keys of these objects, if they lie close together */
  uint32_t rows;                   /* how many objects there is room for; ROWS: how many there are */
} alch_writing;

typedef struct alch_writer {
  const alch_allocator *allocator;
  alch_writing writing;            /* mask: the next one */
  bool fetches_key;                /* INSERT … RETURNING key */
  bool *mask;                      /* attribute_count: the columns written */
  uint32_t mask_count;
  alch_compiled *compiled;
  alch_source *listed;             /* the columns in the order in which the statement was built; behind them, those that objects share */
  uint32_t listed_count;
  alch_source *sources;            /* by placeholder of one object */
  uint32_t width;                  /* placeholders of one object; the last `shared` of them are the same for all */
  uint32_t shared;
  alch_value *values;              /* object after object */
  alch_buffer texts, scratch;      /* the database form of values that are converted */
} alch_writer;

/* Prepares the writer; does nothing when it is ready for that. */
alch_status alch_writer_prepare(alch_writer *writer, alch_session *session, const alch_writing *writing, alch_error *error);
/* Fills the values of row `row`; row 0 forgets what there was. child is NULL except for LINK and UNLINK. */
alch_status alch_writer_bind(alch_writer *writer, uint32_t row, const alch_object *object, const alch_object *child, alch_error *error);
/* After the last bind: the values of this many rows may be given to an execution. */
void alch_writer_end_bind(alch_writer *writer, uint32_t rows);
/* Can all of the columns that `writing` is about go as arrays? */
bool alch_writer_takes_arrays(const alch_session *session, const alch_writing *writing);
/* Are the rows of this table named by one whole number? */
bool alch_writer_numbers_rows(const alch_session *session, const alch_writing *writing);
/* Is there a column that a new row gets by SQL of its own (a default, a sequence), which a statement of many rows would evaluate once or before them? */
bool alch_writer_leaves_sql(const alch_writing *writing);
void alch_writer_close(alch_writer *writer);

/* ---- flush_way.c ---- */
/* What is written of a batch, by the way that was chosen. */
alch_writing alch_flush_writing(const alch_flush *flush, const alch_step *step, const alch_batch *batch);

/* ---- writer_statement.c ---- */
/* The table that is written. */
const alch_table *alch_writer_table(const alch_writing *writing);
/* The columns whose values the statement takes, in its order; out has room for alch_writer_column_limit of them. */
uint32_t alch_writer_columns(const alch_writing *writing, alch_source *out);
uint32_t alch_writer_column_limit(const alch_writing *writing);
alch_status alch_writer_compile(alch_writer *writer, alch_session *session, alch_error *error);

#endif
