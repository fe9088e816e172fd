/* error.h - the error record that every failing function fills.
   The record owns its texts; alch_error_close frees them. Setting an error on a record that holds one replaces it. */
#ifndef ALCH_ERROR_H
#define ALCH_ERROR_H

#include "base/memory.h"
#include <stdarg.h>

typedef enum alch_error_kind {
#define ALCH_ERROR_KIND(symbol, name, base) ALCH_ERROR_##symbol,
#include "base/error.def"
#undef ALCH_ERROR_KIND
  ALCH_ERROR_KIND_COUNT
} alch_error_kind;

/* The texts that a record may carry beside its kind. */
typedef enum alch_error_text {
  ALCH_ERROR_MESSAGE,      /* what was expected, what came, what to write instead */
  ALCH_ERROR_SQL,          /* err.statement */
  ALCH_ERROR_PARAMETERS,   /* err.params, readable and shortened */
  ALCH_ERROR_CONSTRAINT_NAME,
  ALCH_ERROR_TABLE_NAME,
  ALCH_ERROR_COLUMN_NAME,
  ALCH_ERROR_TEXT_COUNT
} alch_error_text;

typedef struct alch_error {
  const alch_allocator *allocator;   /* NULL: the standard one */
  alch_error_kind kind;
  bool set;
  bool disconnected;                 /* the connection is of no more use */
  bool retryable;                    /* the same transaction, run again, may succeed: a deadlock, a serialization failure, a busy database */
  bool outcome_unknown;              /* the answer to a COMMIT was lost: it may have happened or not */
  int code;                          /* the database's own number, 0 where it gives none */
  int64_t row;                       /* of rows that go in one stream, the one that it is about, from 1; 0: none, or not known */
  char sqlstate[6];                  /* five characters, or "" */
  char *texts[ALCH_ERROR_TEXT_COUNT];/* NULL where unknown */
} alch_error;

void alch_error_init(alch_error *error, const alch_allocator *allocator);
void alch_error_close(alch_error *error);      /* frees the texts; the record is empty and usable again */
/* Always answers ALCH_ERROR, so that a caller can `return alch_error_set(...)`. error may be NULL. Clears what was there.
   When there is no memory for the message, the kind becomes ALCH_ERROR_OUT_OF_MEMORY. */
alch_status alch_error_set(alch_error *error, alch_error_kind kind, const char *format, ...) ALCH_PRINTF(3, 4);
alch_status alch_error_set_list(alch_error *error, alch_error_kind kind, const char *format, va_list arguments);
alch_status alch_error_out_of_memory(alch_error *error);
/* Attaches a text to a record that is set (length SIZE_MAX: zero-terminated). Silently without it when there is no memory. */
void alch_error_attach(alch_error *error, alch_error_text which, const char *text, size_t length);
/* The same error in a record with an allocator of its own. `to` may be NULL. Answers ALCH_ERROR. */
alch_status alch_error_copy(alch_error *to, const alch_error *from);
const char *alch_error_message(const alch_error *error);   /* never NULL */
const char *alch_error_kind_name(alch_error_kind kind);
alch_error_kind alch_error_kind_base(alch_error_kind kind);
/* Is `kind` the given kind or one below it? */
bool alch_error_kind_is(alch_error_kind kind, alch_error_kind ancestor);
/* The kind with this name, -1 when there is none. */
int alch_error_kind_find(const char *name);

#endif
