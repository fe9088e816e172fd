/* prepared.h - the prepared handles of one database connection, found by compiled statement; the one used longest ago goes first.
   A handle that is in use is never given to another execution: a second one is prepared. */
#ifndef ALCH_PREPARED_H
#define ALCH_PREPARED_H

#include "engine/engine.h"

/* A column that goes through the dialect, unless its value has come in this kind already. */
typedef struct alch_converting {
  uint32_t column;
  uint8_t kind;                        /* ALCH_NULL: there is none */
} alch_converting;

typedef struct alch_prepared {
  alch_driver_statement *statement;
  alch_compiled *compiled;             /* held; NULL: a text of its own */
  const char *sql;                     /* the compiled one's, or in this record's memory */
  size_t sql_length;
  const void *key;                     /* beside the compiled statement: how many items each expanding list has, or the text; in this record's memory */
  uint32_t key_size;
  uint32_t slot;                       /* bucket */
  alch_converting *converting;         /* in this record's memory */
  uint32_t converting_count;
  bool in_use, read_only;
  size_t size;                         /* of this record with what stands behind it */
  struct alch_prepared *chain;         /* same bucket */
  struct alch_prepared *newer, *older;
} alch_prepared;

typedef struct alch_prepared_cache {
  alch_prepared **buckets;             /* a power of two of them */
  uint32_t bucket_bits;
  uint32_t count, capacity;
  uint64_t evictions;
  alch_prepared *newest, *oldest;
  alch_prepared *pending;              /* being prepared: the driver has to wait, and the link is busy meanwhile */
} alch_prepared_cache;

struct alch_link;

alch_status alch_prepared_cache_open(struct alch_link *link, uint32_t capacity, alch_error *error);
/* Finalizes everything. */
void alch_prepared_cache_close(struct alch_link *link);

/* A free handle, prepared when there is none, marked as in use. `counts` are those of a statement that expands, else NULL. ALCH_WAIT: the same call again after the wait, or alch_prepared_drop. */
alch_status alch_prepared_take(struct alch_link *link, alch_compiled *compiled, const uint32_t *counts, uint32_t count, alch_prepared **out, bool *cached, alch_error *error);
/* The same for a text that no compiled statement has. */
alch_status alch_prepared_take_text(struct alch_link *link, const char *sql, size_t length, uint32_t parameters, alch_prepared **out, alch_error *error);
void alch_prepared_give_back(struct alch_link *link, alch_prepared *prepared);
/* Gives up the handle that is being prepared, if any. */
void alch_prepared_drop(struct alch_link *link);

#endif
