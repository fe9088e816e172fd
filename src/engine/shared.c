/* Engines that several hosts of one process use: found by their names, one member for each host. */
#include "engine/private.h"
#include <stddef.h>
#include <string.h>

static pthread_mutex_t shared_mutex = PTHREAD_MUTEX_INITIALIZER;   /* guards the list, and the last reference of what stands in it */
static alch_engine *shared_engines;

/* A child of a fork finds the list whole, and its lock free. */
static void lock(void) { pthread_mutex_lock(&shared_mutex); }
static void unlock(void) { pthread_mutex_unlock(&shared_mutex); }
void alch_shared_watch(void) { pthread_atfork(lock, unlock, unlock); }

/* Held, or NULL. Under the mutex. */
static alch_engine *find(const char *name) {
  alch_engine *engine = shared_engines;
  while (engine && strcmp(engine->shared_name, name) != 0) engine = engine->next_shared;
  if (engine) alch_engine_hold(engine);
  return engine;
}

bool alch_shared_release(alch_engine *engine) {
  lock();
  bool last = atomic_fetch_sub_explicit(&engine->references, 1, memory_order_acq_rel) == 1;
  alch_engine **place = &shared_engines;
  while (last && *place && *place != engine) place = &(*place)->next_shared;
  if (last && *place) *place = engine->next_shared;
  unlock();
  return last;
}

static alch_status open_root(const char *name, const char *url, size_t length, const alch_engine_options *options, alch_engine **out, alch_error *error) {
  alch_engine_options of_all = *options;
  size_t size = strlen(name) + 1;
  of_all.host = NULL;
  alch_status status = alch_engine_open(url, length, &of_all, &alch_allocator_standard, out, error);
  if (status != ALCH_OK) return status;
  (*out)->shared_name = alch_allocate((*out)->allocator, size);
  if (!(*out)->shared_name) {
    alch_engine_release(*out);
    return alch_error_out_of_memory(error);
  }
  memcpy((*out)->shared_name, name, size);
  return ALCH_OK;
}

/* ---- what a further host says ---- */

static alch_status refuse_url(const alch_engine *root, const alch_engine *engine, alch_error *error) {
  alch_buffer text;
  alch_buffer_init(&text, &alch_allocator_standard);
  alch_url_print(&engine->url, true, &text);
  alch_status status = alch_error_set(error, ALCH_ERROR_ARGUMENT, "the engine that is shared as '%s' is one of %s: give another URL another name", root->shared_name, alch_buffer_text(&text));
  alch_buffer_close(&text);
  return status;
}

static alch_status refuse(const alch_engine *root, const char *option, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the engine that is shared as '%s' was opened with another %s: leave it out, or say the same in all hosts", root->shared_name, option);
}

static alch_status check_version(const alch_engine *root, const char *version, alch_error *error) {
  const char *stated = root->options.server_version;
  return !version || (stated && strcmp(stated, version) == 0) ? ALCH_OK : refuse(root, "server_version", error);
}

/* Both written anew, as their parts say. engine: the root, or a replica of it. */
static alch_status check_url(const alch_engine *root, const alch_engine *engine, const char *url, size_t length, alch_error *error) {
  alch_url given;
  alch_buffer left, right;
  alch_status status = alch_url_parse(&given, url, length, &alch_allocator_standard, error);
  if (status != ALCH_OK) return status;
  const char *version = alch_url_take_option(&given, "server_version");
  alch_buffer_init(&left, &alch_allocator_standard);
  alch_buffer_init(&right, &alch_allocator_standard);
  alch_url_print(&engine->url, false, &left);
  alch_url_print(&given, false, &right);
  bool failed = alch_buffer_failed(&left) || alch_buffer_failed(&right);
  if (failed) status = alch_error_out_of_memory(error);
  else if (left.length != right.length || memcmp(left.text, right.text, left.length) != 0) status = refuse_url(root, engine, error);
  else status = check_version(root, version, error);
  alch_buffer_close(&left);
  alch_buffer_close(&right);
  alch_url_close(&given);
  return status;
}

#define PLAIN(name, field) { name, offsetof(alch_engine_options, field), sizeof(((alch_engine_options *)0)->field) }
static const struct { const char *name; size_t offset, size; } plain_options[] = {
  PLAIN("pool_size", pool_size), PLAIN("max_overflow", max_overflow), PLAIN("pool_timeout", pool_timeout), PLAIN("pool_recycle", pool_recycle), PLAIN("pool_pre_ping", pool_pre_ping),
  PLAIN("pool_reset_on_return", reset_on_return), PLAIN("pool_use_lifo", use_lifo), PLAIN("query_cache_size", cache_size), PLAIN("prepared_cache_size", prepared_size),
};
#undef PLAIN

static alch_status check_replicas(const alch_engine *root, const alch_engine_options *wanted, alch_error *error) {
  alch_status status = wanted->replica_count == root->replica_count ? ALCH_OK : refuse(root, "number of replicas", error);
  for (uint32_t i = 0; i < root->replica_count && status == ALCH_OK; i++) status = check_url(root, root->replicas[i], wanted->replicas[i], strlen(wanted->replicas[i]), error);
  return status;
}

alch_status alch_engine_check_options(const alch_engine *engine, const alch_engine_options *wanted, alch_error *error) {
  const alch_engine *root = alch_engine_root(engine);
  alch_pool_kind kind = root->pool.kind;
  alch_status status = wanted->pool ? alch_pool_find_kind(wanted->pool, &kind, error) : ALCH_OK;
  if (status == ALCH_OK && kind != root->pool.kind) status = refuse(root, "pool", error);
  for (size_t i = 0; i < ALCH_COUNT(plain_options) && status == ALCH_OK; i++)
    if (memcmp((const char *)wanted + plain_options[i].offset, (const char *)&root->options + plain_options[i].offset, plain_options[i].size) != 0) status = refuse(root, plain_options[i].name, error);
  if (status == ALCH_OK) status = check_version(root, wanted->server_version, error);
  return status == ALCH_OK && wanted->replicas ? check_replicas(root, wanted, error) : status;
}

/* ---- members ---- */

static alch_engine *look_up(const char *name) {
  lock();
  alch_engine *found = find(name);
  unlock();
  return found;
}

/* Enters the engine, unless another thread was quicker, whose engine is answered then, held. */
static alch_engine *enter(alch_engine *engine) {
  lock();
  alch_engine *found = find(engine->shared_name);
  if (!found) {
    engine->next_shared = shared_engines;
    shared_engines = engine;
  }
  unlock();
  return found;
}

/* *out is held. Opening one may load a library, which is nothing to be done under the mutex. */
static alch_status find_or_open(const char *name, const char *url, size_t length, const alch_engine_options *options, alch_engine **out, alch_error *error) {
  alch_engine *found = look_up(name);
  if (!found) {
    alch_status status = open_root(name, url, length, options, out, error);
    if (status == ALCH_OK) found = enter(*out);
    if (!found) return status;
    alch_engine_release(*out);
  }
  *out = found;
  alch_status status = check_url(found, found, url, length, error);
  if (status != ALCH_OK) alch_engine_release(found);
  return status;
}

alch_status alch_engine_share(const char *name, const char *url, size_t length, const alch_engine_options *options, alch_engine **out, alch_error *error) {
  alch_engine *root;
  *out = NULL;
  alch_process_watch();
  if (options->driver) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "an engine that is shared takes no driver of one host's, as `mock` is");
  alch_status status = find_or_open(name, url, length, options, &root, error);
  if (status != ALCH_OK) return status;
  alch_engine *made = alch_engine_new_derived(root, error);
  const char *level = options->isolation_level;
  if (!made) status = ALCH_ERROR;
  else made->options.host = options->host;
  if (made && level) status = alch_isolation_find(alch_dialect_transactions(root->named), root->named->name, level, &made->defaults.isolation, error);
  if (made) made->member = made;
  alch_engine_release(root);   /* the member holds it */
  if (status == ALCH_OK) *out = made;
  else alch_engine_release(made);
  return status;
}

bool alch_engine_is_shared(const alch_engine *engine) {
  return alch_engine_root(engine)->shared_name != NULL;
}

void alch_engine_forget(alch_engine *engine, const alch_catalog *catalog) {
  alch_cache_forget(&alch_engine_root(engine)->cache, catalog->serial);
}
