#include "engine/private.h"
#include <stdio.h>
#include <string.h>

#define POOL_SIZE_DEFAULT 5
#define MAX_OVERFLOW_DEFAULT 10
#define POOL_TIMEOUT_DEFAULT (INT64_C(30) * 1000000)
#define CACHE_SIZE_DEFAULT 500
#define PREPARED_SIZE_DEFAULT 200

void alch_engine_options_init(alch_engine_options *options) {
  *options = (alch_engine_options){
    .pool_size = POOL_SIZE_DEFAULT,
    .max_overflow = MAX_OVERFLOW_DEFAULT,
    .pool_timeout = POOL_TIMEOUT_DEFAULT,
    .cache_size = CACHE_SIZE_DEFAULT,
    .prepared_size = PREPARED_SIZE_DEFAULT,
  };
}

static void take_options(alch_engine *engine, const alch_engine_options *options) {
  if (options) engine->options = *options;
  else alch_engine_options_init(&engine->options);
  if (engine->options.pool_size == 0) engine->options.pool_size = POOL_SIZE_DEFAULT;
  if (engine->options.cache_size == 0) engine->options.cache_size = CACHE_SIZE_DEFAULT;
  if (engine->options.prepared_size == 0) engine->options.prepared_size = PREPARED_SIZE_DEFAULT;
}

/* A driver that is handed in serves the dialect that the URL names in its place, or its own. */
static alch_status resolve_given(alch_engine *engine, const char **dialect, alch_error *error) {
  const alch_url *url = &engine->url;
  engine->driver = engine->options.driver;
  *dialect = engine->driver->dialect;
  if (!*dialect && url->driver && alch_dialect_find(url->driver)) *dialect = url->driver;
  if (!*dialect) *dialect = url->dialect;
  return alch_driver_validate(engine->driver, error);
}

static alch_status resolve(alch_engine *engine, alch_error *error) {
  const char *dialect = NULL;
  alch_status status = engine->options.driver ? resolve_given(engine, &dialect, error) : alch_driver_resolve(&engine->url, &engine->driver, &dialect, error);
  if (status != ALCH_OK) return status;
  const alch_dialect *named = alch_dialect_find(dialect);
  if (!named) return alch_error_set(error, ALCH_ERROR_NO_SUCH_MODULE, "there is no dialect '%s'", dialect);
  status = alch_engine_state_server(engine, named, error);
  if (status != ALCH_OK) return status;
  const char *level = engine->options.isolation_level;
  if (level) status = alch_isolation_find(alch_dialect_transactions(named), dialect, level, &engine->defaults.isolation, error);
  if (status != ALCH_OK) return status;
  if (engine->driver->check) status = engine->driver->check(engine->driver, &engine->url, error);
  if (status == ALCH_OK && engine->driver->choose && !engine->options.driver) engine->driver = engine->driver->choose(&engine->url);
  return status;
}

static void free_engine(alch_engine *engine) {
  alch_replicas_close(engine);
  alch_lock_close(&engine->meeting);
  alch_cache_close(&engine->cache);
  alch_url_close(&engine->url);
  if (engine->shared_name) alch_free(engine->allocator, engine->shared_name, strlen(engine->shared_name) + 1);
  alch_free(engine->allocator, engine, sizeof *engine);
}

/* Options of the engine's that stand in the URL are none of the driver's. */
static alch_status take_url_options(alch_engine *engine, alch_error *error) {
  const char *version = alch_url_take_option(&engine->url, "server_version"), *stated = engine->options.server_version;
  if (version && stated && strcmp(version, stated) != 0)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "server_version is '%s' in the URL and '%s' among the options: say it once", version, stated);
  if (version) engine->options.server_version = version;
  return ALCH_OK;
}

/* The caller's texts may go; what is left is what alch_engine_options_of tells. */
static void forget_texts(alch_engine *engine) {
  engine->options.pool = alch_pool_name(&engine->pool);
  engine->options.isolation_level = NULL;
  engine->options.replicas = NULL;
}

static alch_status fill_engine(alch_engine *engine, const char *url, size_t length, alch_error *error) {
  alch_process_watch();
  alch_status status = alch_url_parse(&engine->url, url, length, engine->allocator, error);
  if (status == ALCH_OK) status = take_url_options(engine, error);
  if (status == ALCH_OK) status = resolve(engine, error);
  if (status == ALCH_OK) status = alch_cache_open(&engine->cache, engine->allocator, engine->options.cache_size, error);
  if (status == ALCH_OK) status = alch_pool_open(engine, error);
  if (status == ALCH_OK && engine->options.replica_count > 0) status = alch_replicas_open(engine, error);
  if (status == ALCH_OK) forget_texts(engine);
  else if (engine->replica_count > 0) alch_pool_close(&engine->pool, engine->allocator);
  return status;
}

alch_status alch_engine_open(const char *url, size_t length, const alch_engine_options *options, const alch_allocator *allocator, alch_engine **out, alch_error *error) {
  *out = NULL;
  if (!allocator) allocator = &alch_allocator_standard;
  alch_engine *engine = alch_allocate_zeroed(allocator, sizeof *engine);
  if (!engine) return alch_error_out_of_memory(error);
  engine->allocator = allocator;
  if (!alch_lock_open(&engine->meeting)) {
    alch_free(allocator, engine, sizeof *engine);
    return alch_error_out_of_memory(error);
  }
  atomic_init(&engine->references, 1);
  alch_arena_init(&engine->url.arena, allocator);
  take_options(engine, options);
  alch_status status = fill_engine(engine, url, length, error);
  if (status == ALCH_OK) *out = engine;
  else free_engine(engine);
  return status;
}

void alch_engine_hold(alch_engine *engine) {
  atomic_fetch_add_explicit(&engine->references, 1, memory_order_relaxed);
}

static bool drop_reference(alch_engine *engine) {
  return engine->shared_name ? alch_shared_release(engine) : atomic_fetch_sub_explicit(&engine->references, 1, memory_order_acq_rel) == 1;
}

void alch_engine_release(alch_engine *engine) {
  if (!engine || !drop_reference(engine)) return;
  if (engine->base) {
    if (engine->member && engine->member != engine) alch_engine_release(engine->member);
    alch_engine_release(engine->base);
    alch_free(engine->allocator, engine, sizeof *engine);
    return;
  }
  alch_pool_close(&engine->pool, engine->allocator);
  free_engine(engine);
}

static alch_status take_defaults(alch_engine *engine, const alch_execution_options *options, alch_error *error) {
  alch_connection_defaults *defaults = &engine->defaults;
  const alch_dialect *dialect = engine->base->named;
  const alch_transaction_words *words = alch_dialect_transactions(dialect);
  if (options->read_only >= 0) defaults->read_only = options->read_only;
  if (options->deferrable >= 0) defaults->deferrable = options->deferrable;
  if (options->stream_rows >= 0) defaults->stream_rows = (uint32_t)options->stream_rows;
  if (defaults->deferrable && !words->begin_deferrable) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has no deferrable transactions", dialect->name);
  if (options->logging_token) snprintf(defaults->logging_token, sizeof defaults->logging_token, "%s", options->logging_token);
  if (options->begin_mode && alch_begin_mode_find(words, dialect->name, options->begin_mode, &defaults->begin_mode, error) != ALCH_OK) return ALCH_ERROR;
  return options->isolation_level ? alch_isolation_find(words, dialect->name, options->isolation_level, &defaults->isolation, error) : ALCH_OK;
}

alch_engine *alch_engine_new_derived(alch_engine *root, alch_error *error) {
  alch_engine *made = alch_allocate_zeroed(root->allocator, sizeof *made);
  if (!made) {
    alch_error_out_of_memory(error);
    return NULL;
  }
  made->allocator = root->allocator;
  made->base = root;
  atomic_init(&made->references, 1);
  alch_engine_hold(root);
  return made;
}

alch_status alch_engine_derive(alch_engine *engine, const alch_execution_options *options, alch_engine **out, alch_error *error) {
  alch_engine *made = alch_engine_new_derived(alch_engine_root(engine), error);
  *out = NULL;
  if (!made) return ALCH_ERROR;
  made->defaults = engine->defaults;
  if (engine->member) alch_engine_hold(made->member = engine->member);
  alch_status status = take_defaults(made, options, error);
  if (status == ALCH_OK) *out = made;
  else alch_engine_release(made);
  return status;
}

void alch_engine_dispose(alch_engine *engine, bool close) {
  engine = alch_engine_root(engine);
  for (uint32_t i = 0; i < engine->replica_count; i++) alch_engine_dispose(engine->replicas[i], close);
  alch_pool_dispose(&engine->pool, close);
}

const alch_engine_options *alch_engine_options_of(const alch_engine *engine) {
  return &alch_engine_root(engine)->options;
}

const alch_url *alch_engine_url(const alch_engine *engine) {
  return &alch_engine_root(engine)->url;
}

const void *alch_engine_host(const alch_engine *engine) {
  return alch_engine_member(engine)->options.host;
}

void alch_engine_listen(alch_engine *engine, alch_engine_listener listener, void *context) {
  engine = alch_engine_member(engine);
  for (uint32_t i = 0; i < engine->replica_count; i++) alch_engine_listen(engine->replicas[i], listener, context);
  engine->listener = listener;
  engine->listener_context = context;
}

alch_pool_status alch_engine_pool_status(alch_engine *engine) {
  engine = alch_engine_root(engine);
  const alch_pool *pool = &engine->pool;
  uint32_t size = pool->kind == ALCH_POOL_QUEUE ? engine->options.pool_size : pool->kind == ALCH_POOL_STATIC ? 1 : 0;
  return alch_pool_read_status(&engine->pool, size);
}
