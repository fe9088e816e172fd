/* load_keys.h - two small tables for loading: keys by number, and pairs that were seen.
   Both own their memory; entries stay where they are by number. */
#ifndef ALCH_LOAD_KEYS_H
#define ALCH_LOAD_KEYS_H

#include "base/arena.h"
#include "base/value.h"

struct alch_object;

typedef struct alch_load_key {
  struct alch_object *target;      /* what was found for it, or NULL */
  uint32_t first;                  /* of those who wait for it, + 1 */
  uint32_t hash;
} alch_load_key;

typedef struct alch_load_keys {
  const alch_allocator *allocator;
  uint32_t width;                  /* values a key */
  uint32_t count, capacity, value_capacity;
  alch_load_key *entries;
  alch_value *values;              /* width an entry */
  uint32_t *slots, slot_count;     /* entry + 1; open addressing */
  alch_arena texts;
} alch_load_keys;

void alch_load_keys_init(alch_load_keys *keys, const alch_allocator *allocator, uint32_t width);
void alch_load_keys_close(alch_load_keys *keys);
/* The key's number, entering it (texts copied) when it is new; UINT32_MAX: no memory. */
uint32_t alch_load_keys_add(alch_load_keys *keys, const alch_value *key);
/* UINT32_MAX when it is not there. */
uint32_t alch_load_keys_find(const alch_load_keys *keys, const alch_value *key);

typedef struct alch_load_pair { const void *first, *second; } alch_load_pair;

typedef struct alch_load_pairs {
  const alch_allocator *allocator;
  alch_load_pair *slots;           /* first NULL: free */
  uint32_t count, slot_count;
} alch_load_pairs;

void alch_load_pairs_init(alch_load_pairs *pairs, const alch_allocator *allocator);
void alch_load_pairs_close(alch_load_pairs *pairs);
/* 1: it is new; 0: it was there; -1: no memory. first is not NULL. */
int alch_load_pairs_add(alch_load_pairs *pairs, const void *first, const void *second);

#endif
