#include "orm/load_keys.h"

#include "base/map.h"

#include <string.h>

/* ---- keys ---- */

void alch_load_keys_init(alch_load_keys *keys, const alch_allocator *allocator, uint32_t width) {
  *keys = (alch_load_keys){ .allocator = allocator, .width = width };
  alch_arena_init(&keys->texts, allocator);
}

void alch_load_keys_close(alch_load_keys *keys) {
  if (!keys->allocator) return;
  alch_free(keys->allocator, keys->entries, keys->capacity * sizeof *keys->entries);
  alch_free(keys->allocator, keys->values, keys->value_capacity * sizeof *keys->values);
  alch_free(keys->allocator, keys->slots, keys->slot_count * sizeof *keys->slots);
  alch_arena_clear(&keys->texts);
  *keys = (alch_load_keys){ .allocator = NULL };
}

static uint32_t mix(uint64_t number) {
  number *= UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(number >> 32);
}

static uint32_t hash_key(const alch_value *key, uint32_t width) {
  uint32_t hash = 0;
  for (uint32_t i = 0; i < width; i++) {
    uint64_t part = alch_value_has_text(key[i].kind) ? alch_hash(key[i].text, key[i].length, key[i].kind) : (uint64_t)key[i].integer;
    hash = mix(part + hash);
  }
  return hash;
}

static bool same_key(const alch_value *left, const alch_value *right, uint32_t width) {
  for (uint32_t i = 0; i < width; i++)
    if (!alch_value_equal(&left[i], &right[i])) return false;
  return true;
}

static uint32_t find_slot(const alch_load_keys *keys, const alch_value *key, uint32_t hash) {
  uint32_t mask = keys->slot_count - 1, slot = hash & mask;
  for (; keys->slots[slot] != 0; slot = (slot + 1) & mask) {
    uint32_t entry = keys->slots[slot] - 1;
    if (keys->entries[entry].hash == hash && same_key(&keys->values[(size_t)entry * keys->width], key, keys->width)) break;
  }
  return slot;
}

static bool grow_slots(alch_load_keys *keys) {
  uint32_t wanted = keys->slot_count == 0 ? 32 : keys->slot_count * 2;
  uint32_t *slots = alch_allocate_zeroed(keys->allocator, wanted * sizeof *slots);
  if (!slots) return false;
  for (uint32_t i = 0; i < keys->count; i++) {
    uint32_t slot = keys->entries[i].hash & (wanted - 1);
    while (slots[slot] != 0) slot = (slot + 1) & (wanted - 1);
    slots[slot] = i + 1;
  }
  alch_free(keys->allocator, keys->slots, keys->slot_count * sizeof *keys->slots);
  keys->slots = slots;
  keys->slot_count = wanted;
  return true;
}

/* Each array knows its own size, so that one may have grown when the other cannot. */
static bool grow_entries(alch_load_keys *keys) {
  alch_load_key *entries = alch_grow(keys->allocator, keys->entries, &keys->capacity, keys->count + 1, sizeof *entries);
  if (!entries) return false;
  keys->entries = entries;
  alch_value *values = alch_grow(keys->allocator, keys->values, &keys->value_capacity, (keys->count + 1) * keys->width, sizeof *values);
  if (!values) return false;
  keys->values = values;
  return true;
}

static bool keep_texts(alch_load_keys *keys, alch_value *key) {
  for (uint32_t i = 0; i < keys->width; i++) {
    if (!alch_value_has_text(key[i].kind)) continue;
    key[i].text = alch_arena_text(&keys->texts, key[i].text, key[i].length);
    if (!key[i].text) return false;
  }
  return true;
}

uint32_t alch_load_keys_add(alch_load_keys *keys, const alch_value *key) {
  uint32_t hash = hash_key(key, keys->width);
  if (keys->count * 2 >= keys->slot_count && !grow_slots(keys)) return UINT32_MAX;
  uint32_t slot = find_slot(keys, key, hash);
  if (keys->slots[slot] != 0) return keys->slots[slot] - 1;
  if (!grow_entries(keys)) return UINT32_MAX;
  alch_value *values = &keys->values[(size_t)keys->count * keys->width];
  memcpy(values, key, keys->width * sizeof *values);
  if (!keep_texts(keys, values)) return UINT32_MAX;
  keys->entries[keys->count] = (alch_load_key){ .hash = hash };
  keys->slots[slot] = ++keys->count;
  return keys->count - 1;
}

uint32_t alch_load_keys_find(const alch_load_keys *keys, const alch_value *key) {
  if (keys->slot_count == 0) return UINT32_MAX;
  uint32_t found = keys->slots[find_slot(keys, key, hash_key(key, keys->width))];
  return found == 0 ? UINT32_MAX : found - 1;
}

/* ---- pairs ---- */

void alch_load_pairs_init(alch_load_pairs *pairs, const alch_allocator *allocator) { *pairs = (alch_load_pairs){ .allocator = allocator }; }

void alch_load_pairs_close(alch_load_pairs *pairs) {
  if (!pairs->allocator) return;
  alch_free(pairs->allocator, pairs->slots, pairs->slot_count * sizeof *pairs->slots);
  *pairs = (alch_load_pairs){ .allocator = NULL };
}

static uint32_t pair_slot(const alch_load_pair *slots, uint32_t count, const void *first, const void *second) {
  uint32_t slot = mix((uint64_t)(uintptr_t)first + mix((uint64_t)(uintptr_t)second)) & (count - 1);
  while (slots[slot].first && (slots[slot].first != first || slots[slot].second != second)) slot = (slot + 1) & (count - 1);
  return slot;
}

static bool grow_pairs(alch_load_pairs *pairs) {
  uint32_t wanted = pairs->slot_count == 0 ? 64 : pairs->slot_count * 2;
  alch_load_pair *slots = alch_allocate_zeroed(pairs->allocator, wanted * sizeof *slots);
  if (!slots) return false;
  for (uint32_t i = 0; i < pairs->slot_count; i++)
    if (pairs->slots[i].first) slots[pair_slot(slots, wanted, pairs->slots[i].first, pairs->slots[i].second)] = pairs->slots[i];
  alch_free(pairs->allocator, pairs->slots, pairs->slot_count * sizeof *pairs->slots);
  pairs->slots = slots;
  pairs->slot_count = wanted;
  return true;
}

int alch_load_pairs_add(alch_load_pairs *pairs, const void *first, const void *second) {
  if (pairs->count * 2 >= pairs->slot_count && !grow_pairs(pairs)) return -1;
  alch_load_pair *slot = &pairs->slots[pair_slot(pairs->slots, pairs->slot_count, first, second)];
  if (slot->first) return 0;
  *slot = (alch_load_pair){ first, second };
  pairs->count++;
  return 1;
}
