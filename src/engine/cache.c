#include "engine/cache.h"
#include "base/map.h"
#include "engine/private.h"
#include <string.h>

typedef struct alch_cache_entry {
  uint64_t hash, serial;
  alch_compiled *compiled;
  struct alch_cache_entry *chain;            /* same bucket */
  struct alch_cache_entry *newer, *older;
  size_t structure_size, size;               /* size: of the whole record */
  uint32_t name_count;
  char bytes[];                              /* the structure, then the names with their zero bytes */
} alch_cache_entry;

alch_status alch_cache_open(alch_cache *cache, const alch_allocator *allocator, uint32_t capacity, alch_error *error) {
  *cache = (alch_cache){ .allocator = allocator, .bucket_count = 16 };
  while (cache->bucket_count < capacity && cache->bucket_count < UINT32_C(1) << 24) cache->bucket_count *= 2;
  cache->buckets = alch_allocate_zeroed(allocator, cache->bucket_count * sizeof *cache->buckets);
  if (!cache->buckets) return alch_error_out_of_memory(error);
  if (!alch_lock_open(&cache->lock)) {
    alch_free(allocator, cache->buckets, cache->bucket_count * sizeof *cache->buckets);
    cache->buckets = NULL;
    return alch_error_out_of_memory(error);
  }
  alch_buffer_init(&cache->key, allocator);
  cache->info.capacity = capacity;
  return ALCH_OK;
}

/* Of a cache that is half written nothing is touched any more. */
static void abandon(alch_cache *cache) {
  memset(cache->buckets, 0, cache->bucket_count * sizeof *cache->buckets);
  cache->newest = cache->oldest = NULL;
  cache->info.size = 0;
  alch_buffer_init(&cache->key, cache->allocator);
}

static void lock(alch_cache *cache) {
  if (ALCH_UNLIKELY(alch_lock_take(&cache->lock) == ALCH_LOCK_TORN)) abandon(cache);
}

static alch_cache_entry **bucket_of(alch_cache *cache, uint64_t hash) {
  return &cache->buckets[hash & (cache->bucket_count - 1)];
}

static void unlink_entry(alch_cache *cache, alch_cache_entry *entry) {
  *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
  *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(alch_cache *cache, alch_cache_entry *entry) {
  entry->newer = NULL;
  entry->older = cache->newest;
  *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
  cache->newest = entry;
}

static void remove_entry(alch_cache *cache, alch_cache_entry *entry) {
  alch_cache_entry **place = bucket_of(cache, entry->hash);
  while (*place != entry) place = &(*place)->chain;
  *place = entry->chain;
  unlink_entry(cache, entry);
  cache->info.size--;
  alch_compiled_release(entry->compiled);
  alch_free(cache->allocator, entry, entry->size);
}

void alch_cache_clear(alch_cache *cache) {
  lock(cache);
  while (cache->oldest) remove_entry(cache, cache->oldest);
  alch_lock_leave(&cache->lock);
}

void alch_cache_forget(alch_cache *cache, uint64_t serial) {
  lock(cache);
  for (alch_cache_entry *entry = cache->oldest, *newer; entry; entry = newer) {
    newer = entry->newer;
    if (entry->serial / 2 == serial) remove_entry(cache, entry);
  }
  alch_lock_leave(&cache->lock);
}

void alch_cache_close(alch_cache *cache) {
  if (!cache->buckets) return;
  alch_cache_clear(cache);
  alch_lock_close(&cache->lock);
  alch_buffer_close(&cache->key);
  alch_free(cache->allocator, cache->buckets, cache->bucket_count * sizeof *cache->buckets);
  cache->buckets = NULL;
}

/* There are as many names as the entry has. */
static bool same_names(const char *kept, const alch_cache_key *key) {
  for (uint32_t i = 0; i < key->name_count; i++) {
    if (strcmp(kept, key->names[i]) != 0) return false;
    kept += strlen(kept) + 1;
  }
  return true;
}

static bool matches(const alch_cache_entry *entry, const alch_cache_key *key) {
  return entry->hash == key->hash && entry->serial == key->serial && entry->compiled->dialect == key->dialect && entry->structure_size == key->structure_size && entry->name_count == key->name_count
         && memcmp(entry->bytes, key->structure, key->structure_size) == 0 && same_names(entry->bytes + key->structure_size, key);
}

/* Structures with anonymous ids are written anew with their order of appearance. Under the lock. */
static alch_status make_key(alch_cache *cache, const alch_cache_request *request, alch_cache_key *key, alch_error *error) {
  const alch_block *block = request->block;
  const alch_compile_options *options = request->options;
  *key = (alch_cache_key){ .dialect = request->dialect, .serial = request->catalog->serial * 2 + request->planned, .structure = alch_block_first(block), .structure_size = block->structure };
  if (block->flags & ALCH_BLOCK_ANONYMOUS) {
    alch_buffer_clear(&cache->key);
    alch_block_key(block, &cache->key);
    if (alch_buffer_failed(&cache->key)) return alch_error_out_of_memory(error);
    key->structure = cache->key.text;
    key->structure_size = cache->key.length;
  }
  if (options) {
    key->names = options->parameter_names;
    key->name_count = options->parameter_count;
  }
  key->hash = alch_hash(key->structure, key->structure_size, key->serial);
  for (uint32_t i = 0; i < key->name_count; i++) key->hash = alch_hash(key->names[i], strlen(key->names[i]), key->hash);
  return ALCH_OK;
}

static alch_cache_entry *find_entry(alch_cache *cache, const alch_cache_key *key) {
  alch_cache_entry *entry = *bucket_of(cache, key->hash);
  while (entry && !matches(entry, key)) entry = entry->chain;
  if (entry && entry->newer) {
    unlink_entry(cache, entry);
    link_newest(cache, entry);
  }
  return entry;
}

alch_status alch_cache_find(alch_cache *cache, const alch_cache_request *request, alch_compiled **out, alch_error *error) {
  alch_cache_key key;
  *out = NULL;
  lock(cache);
  alch_status status = make_key(cache, request, &key, error);
  alch_cache_entry *entry = status == ALCH_OK ? find_entry(cache, &key) : NULL;
  *(entry ? &cache->info.hits : &cache->info.misses) += 1;
  if (entry) alch_compiled_hold(*out = entry->compiled);
  alch_lock_leave(&cache->lock);
  return status;
}

static alch_cache_entry *new_entry(alch_cache *cache, const alch_cache_key *key) {
  size_t size = sizeof(alch_cache_entry) + key->structure_size;
  for (uint32_t i = 0; i < key->name_count; i++) size += strlen(key->names[i]) + 1;
  alch_cache_entry *entry = alch_allocate(cache->allocator, size);
  if (!entry) return NULL;
  *entry = (alch_cache_entry){ .hash = key->hash, .serial = key->serial, .structure_size = key->structure_size, .size = size, .name_count = key->name_count };
  memcpy(entry->bytes, key->structure, key->structure_size);
  char *next = entry->bytes + key->structure_size;
  for (uint32_t i = 0; i < key->name_count; i++) {
    size_t length = strlen(key->names[i]) + 1;
    memcpy(next, key->names[i], length);
    next += length;
  }
  return entry;
}

static alch_status add_entry(alch_cache *cache, const alch_cache_key *key, alch_compiled *compiled, alch_error *error) {
  alch_cache_entry *entry = new_entry(cache, key);
  if (!entry) return alch_error_out_of_memory(error);
  alch_compiled_hold(compiled);
  entry->compiled = compiled;
  alch_cache_entry **bucket = bucket_of(cache, key->hash);
  entry->chain = *bucket;
  *bucket = entry;
  link_newest(cache, entry);
  if (++cache->info.size > cache->info.capacity) {
    remove_entry(cache, cache->oldest);
    cache->info.evictions++;
  }
  return ALCH_OK;
}

alch_status alch_cache_add(alch_cache *cache, const alch_cache_request *request, alch_compiled **compiled, alch_error *error) {
  alch_cache_key key;
  lock(cache);
  alch_status status = make_key(cache, request, &key, error);
  alch_cache_entry *there = status == ALCH_OK ? find_entry(cache, &key) : NULL;
  if (there) {
    alch_compiled_hold(there->compiled);
    alch_compiled_release(*compiled);
    *compiled = there->compiled;
  } else if (status == ALCH_OK) {
    status = add_entry(cache, &key, *compiled, error);
  }
  alch_lock_leave(&cache->lock);
  return status;
}

/* ---- the engine's side ---- */

static uint32_t count_used(const alch_compiled *compiled, uint8_t *used) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < compiled->slot_count; i++) {
    const alch_slot *slot = &compiled->slots[i];
    if (slot->kind == ALCH_SLOT_DEFAULT || slot->ordinal >= compiled->value_count || used[slot->ordinal]) continue;
    used[slot->ordinal] = 1;
    count++;
  }
  return count;
}

/* Has every value of the block a slot? One that has none may stand in the text, which is then good for this value alone. */
static bool is_shareable(const alch_allocator *allocator, const alch_compiled *compiled) {
  if (compiled->value_count == 0) return true;
  uint8_t *used = alch_allocate_zeroed(allocator, compiled->value_count);
  bool all = used && count_used(compiled, used) == compiled->value_count;
  alch_free(allocator, used, compiled->value_count);
  return all;
}

static alch_status compile(const alch_engine *engine, const alch_cache_request *request, alch_plan_maker maker, void *context, alch_compiled **out, alch_error *error) {
  if (maker) return maker(context, request->catalog, request->dialect, request->block, request->options, engine->allocator, out, error);
  return alch_compile(request->catalog, request->dialect, request->block, request->options, engine->allocator, out, error);
}

alch_status alch_engine_compile(alch_engine *engine, const alch_catalog *catalog, const alch_block *block, const alch_compile_options *options, alch_plan_maker maker,
                                void *context, alch_compiled **out, alch_error *error) {
  const alch_cache_request request = { .dialect = alch_engine_dialect(engine), .catalog = catalog, .block = block, .options = options, .planned = maker != NULL };
  engine = alch_engine_root(engine);
  *out = NULL;
  if (options && options->literal_binds) return compile(engine, &request, maker, context, out, error);
  alch_status status = alch_cache_find(&engine->cache, &request, out, error);
  if (ALCH_LIKELY(*out != NULL) || status != ALCH_OK) return status;
  status = compile(engine, &request, maker, context, out, error);
  if (status == ALCH_OK && is_shareable(engine->allocator, *out)) status = alch_cache_add(&engine->cache, &request, out, error);
  if (status != ALCH_OK) {
    alch_compiled_release(*out);
    *out = NULL;
  }
  return status;
}

alch_cache_info alch_engine_cache_info(alch_engine *engine) {
  engine = alch_engine_root(engine);
  lock(&engine->cache);
  alch_cache_info info = engine->cache.info;
  alch_lock_leave(&engine->cache.lock);
  return info;
}

void alch_engine_cache_clear(alch_engine *engine) {
  alch_cache_clear(&alch_engine_root(engine)->cache);
}
