/* map.h - a hash map that keeps insertion order, so that no output depends on addresses.
   Keys are byte strings, copied into the map; values are borrowed pointers. */
#ifndef ALCH_MAP_H
#define ALCH_MAP_H

#include "base/memory.h"

struct alch_map_entry;

typedef struct alch_map {
  const alch_allocator *allocator;
  struct alch_map_entry *entries;    /* in insertion order; removed ones are holes */
  uint32_t *slots;                   /* entry index + 1; 0: free */
  uint32_t used, capacity, slot_count, live;
  uint64_t seed;                     /* of the hash; 0, or set before the first put where keys come from outside */
} alch_map;

void alch_map_init(alch_map *map, const alch_allocator *allocator);
void alch_map_close(alch_map *map);
void alch_map_clear(alch_map *map);
/* False when there is no memory (the map is unaltered). An existing key keeps its place and takes the new value. */
bool alch_map_put(alch_map *map, const void *key, size_t length, void *value);
bool alch_map_put_text(alch_map *map, const char *key, void *value);
/* NULL when absent. */
void *alch_map_get(const alch_map *map, const void *key, size_t length);
void *alch_map_get_text(const alch_map *map, const char *key);
/* The value that was there, or NULL. */
void *alch_map_remove(alch_map *map, const void *key, size_t length);
uint32_t alch_map_count(const alch_map *map);
/* Walks in insertion order: *position starts at 0; answers false at the end. key, length and value may be NULL.
   Removing during a walk is right; a new key during a walk is not. Keys have a zero byte behind them. */
bool alch_map_next(const alch_map *map, uint32_t *position, const char **key, size_t *length, void **value);

/* 64-bit hash of bytes (not for adversaries: seed it per map where keys come from outside). */
uint64_t alch_hash(const void *bytes, size_t length, uint64_t seed);

/* The nearest of `count` candidates to `word` by edit distance (case ignored), or NULL when none is near: for error messages. */
const char *alch_nearest(const char *word, const char *const *candidates, size_t count);

#endif
