#include "base/map.h"
#include <string.h>

typedef struct alch_map_entry {
  char *key;        /* NULL: a hole */
  size_t length;
  uint64_t hash;
  void *value;
} alch_map_entry;

#define MAP_SLOTS_MIN 16u
#define MAP_ENTRIES_MAX (UINT32_C(1) << 30)

void alch_map_init(alch_map *map, const alch_allocator *allocator) {
  *map = (alch_map){ .allocator = allocator };
}

static void free_key(alch_map *map, alch_map_entry *entry) {
  if (entry->key) alch_free(map->allocator, entry->key, entry->length + 1);
  entry->key = NULL;
}

void alch_map_clear(alch_map *map) {
  for (uint32_t i = 0; i < map->used; i++) free_key(map, &map->entries[i]);
  if (map->slots) memset(map->slots, 0, map->slot_count * sizeof *map->slots);
  map->used = map->live = 0;
}

void alch_map_close(alch_map *map) {
  alch_map_clear(map);
  alch_free(map->allocator, map->entries, map->capacity * sizeof *map->entries);
  alch_free(map->allocator, map->slots, map->slot_count * sizeof *map->slots);
  uint64_t seed = map->seed;
  alch_map_init(map, map->allocator);
  map->seed = seed;
}

static bool entry_matches(const alch_map_entry *entry, const void *key, size_t length, uint64_t hash) {
  return entry->hash == hash && entry->length == length && (length == 0 || memcmp(entry->key, key, length) == 0);
}

/* The slot that holds the key, or the free one where it would go. */
static uint32_t find_slot(const alch_map *map, const void *key, size_t length, uint64_t hash) {
  uint32_t mask = map->slot_count - 1;
  uint32_t slot = (uint32_t)hash & mask;
  while (map->slots[slot] != 0 && !entry_matches(&map->entries[map->slots[slot] - 1], key, length, hash))
    slot = (slot + 1) & mask;
  return slot;
}

static alch_map_entry *find_entry(const alch_map *map, const void *key, size_t length, uint64_t hash) {
  if (map->live == 0) return NULL;
  uint32_t index = map->slots[find_slot(map, key, length, hash)];
  return index == 0 ? NULL : &map->entries[index - 1];
}

static void fill_slots(alch_map *map) {
  uint32_t mask = map->slot_count - 1;
  memset(map->slots, 0, map->slot_count * sizeof *map->slots);
  for (uint32_t i = 0; i < map->used; i++) {
    if (!map->entries[i].key) continue;
    uint32_t slot = (uint32_t)map->entries[i].hash & mask;
    while (map->slots[slot] != 0) slot = (slot + 1) & mask;
    map->slots[slot] = i + 1;
  }
}

static void compact(alch_map *map) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < map->used; i++)
    if (map->entries[i].key) map->entries[kept++] = map->entries[i];
  map->used = kept;
  fill_slots(map);
}

static bool room_for_entry(alch_map *map) {
  if (map->used < map->capacity) return true;
  if (map->used > 0 && map->live <= map->used - map->used / 4 - 1) {
    compact(map);
    return true;
  }
  if (map->used >= MAP_ENTRIES_MAX) return false;
  alch_map_entry *entries = alch_grow(map->allocator, map->entries, &map->capacity, map->used + 1, sizeof *entries);
  if (entries) map->entries = entries;
  return entries != NULL;
}

static bool room_for_slot(alch_map *map) {
  if (map->live + 1 <= map->slot_count - map->slot_count / 4 && map->slot_count > 0) return true;
  uint32_t count = map->slot_count == 0 ? MAP_SLOTS_MIN : map->slot_count * 2;
  uint32_t *slots = alch_allocate(map->allocator, count * sizeof *slots);
  if (!slots) return false;
  alch_free(map->allocator, map->slots, map->slot_count * sizeof *slots);
  map->slots = slots;
  map->slot_count = count;
  fill_slots(map);
  return true;
}

static char *copy_key(alch_map *map, const void *key, size_t length) {
  if (length == SIZE_MAX) return NULL;
  char *copy = alch_allocate(map->allocator, length + 1);
  if (!copy) return NULL;
  if (length > 0) memcpy(copy, key, length);
  copy[length] = '\0';
  return copy;
}

bool alch_map_put(alch_map *map, const void *key, size_t length, void *value) {
  uint64_t hash = alch_hash(key, length, map->seed);
  alch_map_entry *there = find_entry(map, key, length, hash);
  if (there) {
    there->value = value;
    return true;
  }
  if (!room_for_entry(map) || !room_for_slot(map)) return false;
  char *copy = copy_key(map, key, length);
  if (!copy) return false;
  map->entries[map->used] = (alch_map_entry){ copy, length, hash, value };
  map->slots[find_slot(map, key, length, hash)] = ++map->used;
  map->live++;
  return true;
}

bool alch_map_put_text(alch_map *map, const char *key, void *value) {
  return alch_map_put(map, key, strlen(key), value);
}

void *alch_map_get(const alch_map *map, const void *key, size_t length) {
  if (map->live == 0) return NULL;
  alch_map_entry *entry = find_entry(map, key, length, alch_hash(key, length, map->seed));
  return entry ? entry->value : NULL;
}

void *alch_map_get_text(const alch_map *map, const char *key) {
  return alch_map_get(map, key, strlen(key));
}

/* Moves later members of the run into the gap, so that no tombstones are needed. */
static void close_gap(alch_map *map, uint32_t gap) {
  uint32_t mask = map->slot_count - 1;
  for (uint32_t slot = (gap + 1) & mask; map->slots[slot] != 0; slot = (slot + 1) & mask) {
    uint32_t home = (uint32_t)map->entries[map->slots[slot] - 1].hash & mask;
    if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
    map->slots[gap] = map->slots[slot];
    gap = slot;
  }
  map->slots[gap] = 0;
}

void *alch_map_remove(alch_map *map, const void *key, size_t length) {
  if (map->live == 0) return NULL;
  uint32_t slot = find_slot(map, key, length, alch_hash(key, length, map->seed));
  if (map->slots[slot] == 0) return NULL;
  alch_map_entry *entry = &map->entries[map->slots[slot] - 1];
  void *value = entry->value;
  close_gap(map, slot);
  free_key(map, entry);
  map->live--;
  return value;
}

uint32_t alch_map_count(const alch_map *map) {
  return map->live;
}

bool alch_map_next(const alch_map *map, uint32_t *position, const char **key, size_t *length, void **value) {
  while (*position < map->used) {
    const alch_map_entry *entry = &map->entries[(*position)++];
    if (!entry->key) continue;
    if (key) *key = entry->key;
    if (length) *length = entry->length;
    if (value) *value = entry->value;
    return true;
  }
  return false;
}

/* Digits of pi, made odd. */
#define HASH_A UINT64_C(0x243f6a8885a308d3)
#define HASH_B UINT64_C(0x13198a2e03707345)
#define HASH_C UINT64_C(0xa4093822299f31d1)
#define HASH_D UINT64_C(0x082efa98ec4e6c89)

/* Both halves of the product, folded: one multiplication stirs sixteen bytes. */
static inline uint64_t fold(uint64_t a, uint64_t b) {
#ifdef __SIZEOF_INT128__
  __extension__ typedef unsigned __int128 product_type;
  product_type product = (product_type)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
  uint64_t low = (a & 0xffffffff) * (b & 0xffffffff), high = (a >> 32) * (b >> 32);
  uint64_t cross = (a >> 32) * (b & 0xffffffff), other = (a & 0xffffffff) * (b >> 32);
  uint64_t middle = (low >> 32) + (cross & 0xffffffff) + (other & 0xffffffff);
  high += (cross >> 32) + (other >> 32) + (middle >> 32);
  return ((low & 0xffffffff) | middle << 32) ^ high;
#endif
}

static inline uint64_t read_8(const unsigned char *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

static inline uint64_t read_4(const unsigned char *bytes) {
  uint32_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

static inline uint64_t hash_16(const unsigned char *at, uint64_t key, uint64_t state) {
  return fold(read_8(at) ^ key, read_8(at + 8) ^ state);
}

static uint64_t hash_short(const unsigned char *at, size_t length, uint64_t state) {
  uint64_t a = 0, b = 0;
  if (length >= 8) {
    a = read_8(at);
    b = read_8(at + length - 8);
  } else if (length >= 4) {
    a = read_4(at);
    b = read_4(at + length - 4);
  } else if (length > 0) {
    a = (uint64_t)at[0] << 16 | (uint64_t)at[length / 2] << 8 | at[length - 1];
  }
  return fold(a ^ HASH_B, b ^ state);
}

/* Four lanes keep the multiplier busy: each step waits only for its own lane. */
static const unsigned char *hash_long(const unsigned char *at, size_t *left, uint64_t *state) {
  uint64_t a = *state, b = a ^ HASH_B, c = a ^ HASH_C, d = a ^ HASH_D;
  do {
    a = hash_16(at, HASH_A, a);
    b = hash_16(at + 16, HASH_B, b);
    c = hash_16(at + 32, HASH_C, c);
    d = hash_16(at + 48, HASH_D, d);
    at += 64;
    *left -= 64;
  } while (*left > 64);
  *state = fold(a ^ HASH_C, b) ^ fold(c ^ HASH_D, d);
  return at;
}

uint64_t alch_hash(const void *bytes, size_t length, uint64_t seed) {
  const unsigned char *at = bytes;
  uint64_t state = seed ^ fold(seed ^ HASH_A, (uint64_t)length ^ HASH_D);
  if (length <= 16) {
    state = hash_short(at, length, state);
  } else {
    size_t left = length;
    if (left > 64) at = hash_long(at, &left, &state);
    for (; left > 16; left -= 16, at += 16) state = hash_16(at, HASH_B, state);
    /* The last sixteen bytes, whatever of them was read before. */
    state = hash_16(at + left - 16, HASH_C, state);
  }
  return fold(state ^ HASH_A, (uint64_t)length ^ HASH_C);
}

#define NEAREST_WORD_MAX 63

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static unsigned least(unsigned a, unsigned b) {
  return a < b ? a : b;
}

/* Edit distance in which two swapped neighbours are one edit: the commonest slip of the hand. */
static unsigned edit_distance(const char *left, size_t left_length, const char *right, size_t right_length) {
  unsigned rows[3][NEAREST_WORD_MAX + 1];
  for (unsigned j = 0; j <= right_length; j++) rows[0][j] = j;
  for (unsigned i = 1; i <= left_length; i++) {
    unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
    row[0] = i;
    for (unsigned j = 1; j <= right_length; j++) {
      char a = lower(left[i - 1]), b = lower(right[j - 1]);
      row[j] = least(above[j - 1] + (a != b), least(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && a == lower(right[j - 2]) && lower(left[i - 2]) == b) row[j] = least(row[j], second[j - 2] + 1);
    }
  }
  return rows[left_length % 3][right_length];
}

const char *alch_nearest(const char *word, const char *const *candidates, size_t count) {
  size_t length = strlen(word);
  if (length == 0 || length > NEAREST_WORD_MAX) return NULL;
  const char *nearest = NULL;
  unsigned best = (unsigned)(length + 2) / 3 + 1;
  for (size_t i = 0; i < count; i++) {
    size_t other = strlen(candidates[i]);
    if (other > NEAREST_WORD_MAX) continue;
    unsigned distance = edit_distance(word, length, candidates[i], other);
    if (distance >= best || distance >= length) continue;
    best = distance;
    nearest = candidates[i];
  }
  return nearest;
}
