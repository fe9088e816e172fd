/* cache.h - the compiled statements of an engine, found by the bytes they came from; the one used longest ago goes first.
   It owns one reference to each. Guarded by a lock of its own. */
#ifndef ALCH_CACHE_H
#define ALCH_CACHE_H

#include "engine/engine.h"
#include "engine/fork.h"

struct alch_cache_entry;

typedef struct alch_cache {
  const alch_allocator *allocator;
  alch_lock lock;
  struct alch_cache_entry **buckets;   /* a power of two of them, made with the cache: it never grows */
  uint32_t bucket_count;
  struct alch_cache_entry *newest, *oldest;
  alch_buffer key;                     /* of a block with anonymous ids, while the lock is held */
  alch_cache_info info;
} alch_cache;

/* What a compiled statement depends on. Everything is borrowed. */
typedef struct alch_cache_key {
  const alch_dialect *dialect;
  uint64_t serial;                     /* of the catalog, doubled; odd for statements that a plan maker has made into something else */
  const void *structure;
  size_t structure_size;
  const char *const *names;            /* of parameters, in their order */
  uint32_t name_count;
  uint64_t hash;
} alch_cache_key;

alch_status alch_cache_open(alch_cache *cache, const alch_allocator *allocator, uint32_t capacity, alch_error *error);
void alch_cache_close(alch_cache *cache);
void alch_cache_clear(alch_cache *cache);
/* What was compiled for the catalog of this serial goes. */
void alch_cache_forget(alch_cache *cache, uint64_t serial);
/* What is asked for. Everything is borrowed; options may be NULL. */
typedef struct alch_cache_request {
  const alch_dialect *dialect;         /* the record */
  const alch_catalog *catalog;
  const alch_block *block;
  const alch_compile_options *options;
  bool planned;                        /* by way of a plan maker, whose result is another statement */
} alch_cache_request;
/* *out: the compiled statement, held for the caller, or NULL. Counts a hit or a miss. Fails only for lack of memory. */
alch_status alch_cache_find(alch_cache *cache, const alch_cache_request *request, alch_compiled **out, alch_error *error);
/* Keeps *compiled, unless another thread was quicker: then *compiled is released and becomes the one that is there. */
alch_status alch_cache_add(alch_cache *cache, const alch_cache_request *request, alch_compiled **compiled, alch_error *error);

#endif
