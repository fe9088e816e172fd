/* writer.h - one prepared INSERT, UPDATE or DELETE of the unit of work, and where its values come from.
   A writer serves one set of columns of one mapper (or one secondary table); objects that follow one another with the same set need no look-up. It owns its arrays. */
#ifndef ALCH_WRITER_H
#define ALCH_WRITER_H

#include "orm/unit_of_work.h"

/* Where the value of a placeholder is read. */
typedef struct alch_source {
  uint32_t slot;                   /* UINT32_MAX: nowhere, the database writes into it */
  bool key;                        /* the committed value of a key attribute, for WHERE */
  bool child;                      /* LINK: of the child, else of the parent */
} alch_source;

typedef struct alch_writer {
  const alch_allocator *allocator;
  uint8_t kind;                    /* alch_step_kind */
  bool whole;                      /* UNLINK: by the parent alone */
  bool fetches_key;                /* INSERT … RETURNING key */
  uint32_t rows;                   /* of an INSERT; 1 otherwise */
  const alch_mapper *mapper;
  const alch_relationship *relationship;
  bool *mask;                      /* attribute_count: the columns written */
  uint32_t mask_count;
  alch_compiled *compiled;
  alch_source *sources;            /* by placeholder */
  alch_value *values;
  alch_buffer *texts;              /* by placeholder: the database form of values that are converted */
  uint32_t count;
} alch_writer;

/* What a writer is to write. */
typedef struct alch_writing {
  uint8_t kind;                    /* alch_step_kind */
  const alch_mapper *mapper;
  const alch_relationship *relationship;
  const bool *mask;                /* INSERT, UPDATE: the columns */
  bool whole;                      /* UNLINK */
  uint32_t rows;                   /* INSERT */
} alch_writing;

/* Prepares the writer; does nothing when it is ready for that. */
alch_status alch_writer_prepare(alch_writer *writer, alch_session *session, const alch_writing *writing, alch_error *error);
/* Fills the values of row `row`. child is NULL except for LINK and UNLINK. */
alch_status alch_writer_bind(alch_writer *writer, uint32_t row, const alch_object *object, const alch_object *child, alch_error *error);
void alch_writer_close(alch_writer *writer);

#endif
