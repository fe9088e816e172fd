#include "engine/prepared.h"
#include "base/map.h"
#include "engine/private.h"
#include <string.h>

/* What a handle is looked up by. compiled NULL: key is a text. */
typedef struct prepared_key {
  alch_compiled *compiled;
  const void *key;
  uint32_t size;
  uint32_t slot;
} prepared_key;

alch_status alch_prepared_cache_open(alch_link *link, uint32_t capacity, alch_error *error) {
  alch_prepared_cache *cache = &link->prepared;
  *cache = (alch_prepared_cache){ .capacity = capacity, .bucket_bits = 4 };
  while (UINT32_C(1) << cache->bucket_bits < capacity && cache->bucket_bits < 20) cache->bucket_bits++;
  cache->buckets = alch_allocate_zeroed(link->allocator, sizeof *cache->buckets << cache->bucket_bits);
  return cache->buckets ? ALCH_OK : alch_error_out_of_memory(error);
}

static void unlink_prepared(alch_prepared_cache *cache, alch_prepared *prepared) {
  *(prepared->newer ? &prepared->newer->older : &cache->newest) = prepared->older;
  *(prepared->older ? &prepared->older->newer : &cache->oldest) = prepared->newer;
}

static void link_newest(alch_prepared_cache *cache, alch_prepared *prepared) {
  prepared->newer = NULL;
  prepared->older = cache->newest;
  *(cache->newest ? &cache->newest->newer : &cache->oldest) = prepared;
  cache->newest = prepared;
}

static void free_prepared(alch_link *link, alch_prepared *prepared) {
  if (prepared->statement && !alch_link_is_foreign(link)) link->driver->finalize(prepared->statement);
  alch_compiled_release(prepared->compiled);
  alch_free(link->allocator, prepared, prepared->size);
}

void alch_prepared_drop(alch_link *link) {
  alch_prepared *pending = link->prepared.pending;
  link->prepared.pending = NULL;
  if (pending) free_prepared(link, pending);
}

static void remove_prepared(alch_link *link, alch_prepared *prepared) {
  alch_prepared_cache *cache = &link->prepared;
  alch_prepared **place = &cache->buckets[prepared->slot];
  while (*place != prepared) place = &(*place)->chain;
  *place = prepared->chain;
  unlink_prepared(cache, prepared);
  cache->count--;
  free_prepared(link, prepared);
}

void alch_prepared_cache_close(alch_link *link) {
  alch_prepared_cache *cache = &link->prepared;
  if (!cache->buckets) return;
  alch_prepared_drop(link);
  while (cache->oldest) remove_prepared(link, cache->oldest);
  alch_free(link->allocator, cache->buckets, sizeof *cache->buckets << cache->bucket_bits);
  cache->buckets = NULL;
}

/* The oldest that nobody uses; with all of them in use the cache is larger for a while. */
static void evict(alch_link *link) {
  alch_prepared_cache *cache = &link->prepared;
  alch_prepared *candidate = cache->oldest;
  while (candidate && cache->count > cache->capacity) {
    alch_prepared *newer = candidate->newer;
    if (!candidate->in_use) {
      remove_prepared(link, candidate);
      cache->evictions++;
    }
    candidate = newer;
  }
}

/* Addresses of blocks differ in their middle bits; the multiplication brings them to the top. */
static uint32_t slot_of(const alch_prepared_cache *cache, const alch_compiled *compiled, const void *key, uint32_t size) {
  uint64_t hash = (uint64_t)(uintptr_t)compiled;
  if (size > 0) hash ^= alch_hash(key, size, 0);
  return (uint32_t)((hash >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> (64 - cache->bucket_bits));
}

static bool matches(const alch_prepared *prepared, const prepared_key *key) {
  return prepared->compiled == key->compiled && !prepared->in_use && prepared->key_size == key->size && (key->size == 0 || memcmp(prepared->key, key->key, key->size) == 0);
}

static alch_prepared *find_free(alch_prepared_cache *cache, const prepared_key *key) {
  alch_prepared *prepared = cache->buckets[key->slot];
  while (prepared && !matches(prepared, key)) prepared = prepared->chain;
  if (prepared && prepared->newer) {
    unlink_prepared(cache, prepared);
    link_newest(cache, prepared);
  }
  return prepared;
}

static uint32_t count_converting(const alch_compiled *compiled) {
  uint32_t count = 0;
  for (uint32_t i = 0; compiled && i < compiled->column_count; i++) count += compiled->columns[i].converts;
  return count;
}

/* Integers and floating numbers are in every dialect what they are here, once a driver has them so (dialect.h). */
static uint8_t kind_of(const alch_type *type) {
  switch (type->family) {
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: return ALCH_INTEGER;
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: return ALCH_REAL;
    default: return ALCH_NULL;
  }
}

static void fill_converting(alch_prepared *prepared, const alch_compiled *compiled) {
  for (uint32_t i = 0; compiled && i < compiled->column_count; i++)
    if (compiled->columns[i].converts) prepared->converting[prepared->converting_count++] = (alch_converting){ .column = i, .kind = kind_of(compiled->columns[i].type) };
}

/* The record, then the converting columns, the key, and the text where it is not the compiled statement's. */
static alch_prepared *new_prepared(alch_link *link, const prepared_key *key, const alch_buffer *expanded) {
  uint32_t converting = count_converting(key->compiled);
  size_t numbers = sizeof(alch_prepared) + converting * sizeof(alch_converting), keys = numbers + key->size + (key->compiled ? 0 : 1);
  size_t size = keys + (expanded ? expanded->length + 1 : 0);
  alch_prepared *prepared = alch_allocate(link->allocator, size);
  if (!prepared) return NULL;
  char *bytes = (char *)prepared;
  *prepared = (alch_prepared){ .compiled = key->compiled, .key = bytes + numbers, .key_size = key->size, .slot = key->slot, .size = size, .in_use = true };
  prepared->converting = (alch_converting *)(void *)(prepared + 1);
  fill_converting(prepared, key->compiled);
  if (key->size > 0) memcpy(bytes + numbers, key->key, key->size);
  prepared->sql = key->compiled ? key->compiled->sql : prepared->key;
  prepared->sql_length = key->compiled ? key->compiled->sql_length : key->size;
  if (!key->compiled) bytes[numbers + key->size] = '\0';
  if (expanded) {
    memcpy(bytes + keys, alch_buffer_text(expanded), expanded->length + 1);
    prepared->sql = bytes + keys;
    prepared->sql_length = expanded->length;
  }
  if (key->compiled) alch_compiled_hold(key->compiled);
  return prepared;
}

static alch_status check_parameters(alch_link *link, const alch_prepared *prepared, uint32_t expected, alch_error *error) {
  if (!link->driver->parameter_count) return ALCH_OK;
  uint32_t count = link->driver->parameter_count(prepared->statement);
  if (count == expected) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has %u parameter%s, and %u value%s for them", count, count == 1 ? "" : "s", expected,
                        expected == 1 ? " is there" : "s are there");
}

/* The type of each placeholder; the items of a list have the list's. */
static void fill_types(const alch_prepared *prepared, const alch_type **types) {
  const alch_compiled *compiled = prepared->compiled;
  const uint32_t *counts = prepared->key;
  for (uint32_t i = 0; i < compiled->slot_count; i++) {
    const alch_slot *slot = &compiled->slots[i];
    if (slot->kind == ALCH_SLOT_LITERAL) {
      counts += alch_literal_words(*counts);
      continue;
    }
    for (uint32_t left = slot->kind == ALCH_SLOT_EXPANDING ? *counts++ : 1; left > 0; left--) *types++ = slot->type;
  }
}

static alch_status prepare_handle(alch_link *link, alch_prepared *prepared, uint32_t parameters, alch_error *error) {
  const alch_type **types = prepared->compiled && parameters > 0 ? alch_allocate(link->allocator, parameters * sizeof *types) : NULL;
  if (prepared->compiled && parameters > 0 && !types) return alch_error_out_of_memory(error);
  if (types) fill_types(prepared, types);
  alch_status status = link->driver->prepare(link->driver_connection, prepared->sql, prepared->sql_length, types, parameters, &prepared->statement, error);
  alch_free(link->allocator, types, parameters * sizeof *types);
  return status;
}

/* Tells the driver which placeholders the database writes into. Such a statement has no lists: slots and placeholders are one. */
static alch_status name_outputs(alch_link *link, const alch_prepared *prepared, alch_error *error) {
  const alch_compiled *compiled = prepared->compiled;
  uint32_t count = 0;
  for (uint32_t i = 0; i < compiled->slot_count; i++) count += compiled->slots[i].kind == ALCH_SLOT_OUT;
  if (count == 0) return ALCH_OK;
  if (!link->driver->outputs)
    return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "the driver '%s' cannot read what RETURNING … INTO gives: leave the returning out, and select the row afterwards", link->driver->name);
  uint32_t *places = alch_allocate(link->allocator, count * sizeof *places), filled = 0;
  if (!places) return alch_error_out_of_memory(error);
  for (uint32_t i = 0, place = 0; i < compiled->slot_count; i++) {
    if (compiled->slots[i].kind == ALCH_SLOT_OUT) places[filled++] = place;
    place += compiled->slots[i].kind != ALCH_SLOT_LITERAL;
  }
  alch_status status = link->driver->outputs(prepared->statement, places, count, error);
  alch_free(link->allocator, places, count * sizeof *places);
  return status;
}

static alch_status prepare(alch_link *link, alch_prepared *prepared, uint32_t parameters, alch_error *error) {
  const alch_driver *driver = link->driver;
  alch_status status = prepare_handle(link, prepared, parameters, error);
  if (status == ALCH_OK) status = check_parameters(link, prepared, parameters, error);
  if (status == ALCH_OK && prepared->compiled) status = name_outputs(link, prepared, error);
  if (status != ALCH_OK) return status;
  bool selects = prepared->compiled && prepared->compiled->kind == ALCH_STATEMENT_SELECT;
  prepared->read_only = driver->read_only ? driver->read_only(prepared->statement) : selects;
  return ALCH_OK;
}

static alch_status add_prepared(alch_link *link, const prepared_key *key, const alch_buffer *expanded, uint32_t parameters, alch_prepared **out, alch_error *error) {
  alch_prepared_cache *cache = &link->prepared;
  alch_prepared *prepared = cache->pending ? cache->pending : new_prepared(link, key, expanded);
  if (!prepared) return alch_error_out_of_memory(error);
  alch_status status = prepare(link, prepared, parameters, error);
  cache->pending = status == ALCH_WAIT ? prepared : NULL;
  if (status == ALCH_WAIT) return status;
  if (status != ALCH_OK) {
    alch_error_attach(error, ALCH_ERROR_SQL, prepared->sql, prepared->sql_length);
    free_prepared(link, prepared);
    return status;
  }
  prepared->chain = cache->buckets[key->slot];
  cache->buckets[key->slot] = prepared;
  link_newest(cache, prepared);
  cache->count++;
  evict(link);
  *out = prepared;
  return ALCH_OK;
}

static uint32_t count_parameters(const alch_compiled *compiled, const uint32_t *counts) {
  uint32_t total = 0;
  for (uint32_t i = 0; i < compiled->slot_count; i++) {
    uint8_t kind = compiled->slots[i].kind;
    if (kind == ALCH_SLOT_LITERAL) counts += alch_literal_words(*counts);
    else total += kind == ALCH_SLOT_EXPANDING ? *counts++ : 1;
  }
  return total;
}

static alch_status add_expanded(alch_link *link, const prepared_key *key, const uint32_t *counts, alch_prepared **out, alch_error *error) {
  alch_buffer text;
  alch_buffer_init(&text, link->allocator);
  alch_status status = alch_compiled_expand(key->compiled, counts, &text, error);
  if (status == ALCH_OK && alch_buffer_failed(&text)) status = alch_error_out_of_memory(error);
  if (status == ALCH_OK) status = add_prepared(link, key, &text, count_parameters(key->compiled, counts), out, error);
  alch_buffer_close(&text);
  return status;
}

alch_status alch_prepared_take(alch_link *link, alch_compiled *compiled, const uint32_t *counts, uint32_t count, alch_prepared **out, bool *cached, alch_error *error) {
  prepared_key key = { compiled, counts, count * (uint32_t)sizeof *counts, 0 };
  key.slot = slot_of(&link->prepared, compiled, key.key, key.size);
  *out = find_free(&link->prepared, &key);
  *cached = *out != NULL;
  if (ALCH_LIKELY(*cached)) {
    (*out)->in_use = true;
    return ALCH_OK;
  }
  if (compiled->expands) return add_expanded(link, &key, counts, out, error);
  return add_prepared(link, &key, NULL, compiled->slot_count, out, error);
}

alch_status alch_prepared_take_text(alch_link *link, const char *sql, size_t length, uint32_t parameters, alch_prepared **out, alch_error *error) {
  *out = NULL;
  if (length > UINT32_MAX - 1) return alch_error_set(error, ALCH_ERROR_DATA, "a statement of %zu bytes is too long", length);
  prepared_key key = { NULL, sql, (uint32_t)length, 0 };
  key.slot = slot_of(&link->prepared, NULL, sql, key.size);
  *out = find_free(&link->prepared, &key);
  if (!*out) return add_prepared(link, &key, NULL, parameters, out, error);
  (*out)->in_use = true;
  return ALCH_OK;
}

void alch_prepared_give_back(alch_link *link, alch_prepared *prepared) {
  prepared->in_use = false;
  if (ALCH_UNLIKELY(link->prepared.count > link->prepared.capacity)) evict(link);
}
