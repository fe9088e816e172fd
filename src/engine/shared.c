/* Engines that several hosts of one process use: found by their names, one member for each host. */
#include "engine/private.h"
#include <string.h>

static pthread_mutex_t shared_mutex = PTHREAD_MUTEX_INITIALIZER;   /* guards the list, and the last reference of what stands in it */
static alch_engine *shared_engines;

static alch_engine *find(const char *name) {
  alch_engine *engine = shared_engines;
  while (engine && strcmp(engine->shared_name, name) != 0) engine = engine->next_shared;
  return engine;
}

bool alch_shared_release(alch_engine *engine) {
  pthread_mutex_lock(&shared_mutex);
  bool last = atomic_fetch_sub_explicit(&engine->references, 1, memory_order_acq_rel) == 1;
  alch_engine **place = &shared_engines;
  while (last && *place && *place != engine) place = &(*place)->next_shared;
  if (last && *place) *place = engine->next_shared;
  pthread_mutex_unlock(&shared_mutex);
  return last;
}

static alch_status open_root(const char *name, const char *url, size_t length, const alch_engine_options *options, alch_engine **out, alch_error *error) {
  alch_engine_options of_all = *options;
  size_t size = strlen(name) + 1;
  of_all.host = NULL;
  if (options->driver) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "an engine that is shared takes no driver of one host's");
  alch_status status = alch_engine_open(url, length, &of_all, &alch_allocator_standard, out, error);
  if (status != ALCH_OK) return status;
  (*out)->shared_name = alch_allocate((*out)->allocator, size);
  if (!(*out)->shared_name) {
    alch_engine_release(*out);
    return alch_error_out_of_memory(error);
  }
  memcpy((*out)->shared_name, name, size);
  (*out)->next_shared = shared_engines;
  shared_engines = *out;
  return ALCH_OK;
}

/* Written anew, both as their parts say. */
static alch_status check_url(const alch_engine *engine, const char *url, size_t length, alch_error *error) {
  alch_url given;
  alch_buffer left, right;
  alch_status status = alch_url_parse(&given, url, length, &alch_allocator_standard, error);
  if (status != ALCH_OK) return status;
  alch_url_take_option(&given, "server_version");
  alch_buffer_init(&left, &alch_allocator_standard);
  alch_buffer_init(&right, &alch_allocator_standard);
  alch_url_print(&engine->url, false, &left);
  alch_url_print(&given, false, &right);
  bool failed = alch_buffer_failed(&left) || alch_buffer_failed(&right);
  if (failed) status = alch_error_out_of_memory(error);
  else if (left.length != right.length || memcmp(left.text, right.text, left.length) != 0) {
    alch_buffer_clear(&left);
    alch_url_print(&engine->url, true, &left);
    status = alch_error_set(error, ALCH_ERROR_ARGUMENT, "the engine that is shared as '%s' is one of %s: give another URL another name", engine->shared_name, alch_buffer_text(&left));
  }
  alch_buffer_close(&left);
  alch_buffer_close(&right);
  alch_url_close(&given);
  return status;
}

/* *out is held. */
static alch_status find_or_open(const char *name, const char *url, size_t length, const alch_engine_options *options, alch_engine **out, alch_error *error) {
  pthread_mutex_lock(&shared_mutex);
  alch_engine *found = find(name);
  alch_status status = found ? check_url(found, url, length, error) : open_root(name, url, length, options, out, error);
  if (status == ALCH_OK && found) alch_engine_hold(*out = found);
  pthread_mutex_unlock(&shared_mutex);
  return status;
}

alch_status alch_engine_share(const char *name, const char *url, size_t length, const alch_engine_options *options, alch_engine **out, alch_error *error) {
  alch_engine *root;
  *out = NULL;
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
