/* writer.h - one prepared INSERT, UPDATE or DELETE of the unit of work, and where its values come from.
   A writer serves one set of columns of one mapper (or one secondary table); objects that follow one another with the same set need no look-up. It owns its arrays. */
#ifndef ALCH_WRITER_H
#define ALCH_WRITER_H

#include "orm/unit_of_work.h"

/* Where the value of a placeholder is read. */
typedef struct alch_source {
  uint32_t slot;
  bool key;                        /* the committed value of a key attribute, for WHERE */
  bool child;                      /* LINK: of the child, else of the parent */
} alch_source;

typedef struct alch_writer {
  const alch_allocator *allocator;
  uint8_t kind;                    /* alch_step_kind */
  bool whole;                      /* UNLINK: by the parent alone */
  bool fetches_key;                /* INSERT … RETURNING key */
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

/* Prepares the writer for a set of columns (mask; NULL for DELETE, LINK, UNLINK); does nothing when it is ready for that. */
alch_status alch_writer_prepare(alch_writer *writer, alch_session *session, uint8_t kind, const alch_mapper *mapper, const alch_relationship *relationship, const bool *mask, bool whole, alch_error *error);
/* Fills writer->values. child is NULL except for LINK and UNLINK. */
alch_status alch_writer_bind(alch_writer *writer, const alch_object *object, const alch_object *child, alch_error *error);
void alch_writer_close(alch_writer *writer);

#endif
