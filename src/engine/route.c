/* Which of several servers a connection goes to: those that only read to the replicas, in turn. */
#include "engine/private.h"
#include <string.h>

static alch_status open_replica(alch_engine *engine, const char *url, alch_engine **out, alch_error *error) {
  alch_engine_options options = engine->options;
  options.replicas = NULL;
  options.replica_count = 0;
  alch_status status = alch_engine_open(url, strlen(url), &options, engine->allocator, out, error);
  if (status != ALCH_OK) return status;
  (*out)->primary = engine;
  if ((*out)->named == engine->named) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a replica must be the same kind of database as its primary, which is %s, not %s", engine->named->name, (*out)->named->name);
}

alch_status alch_replicas_open(alch_engine *engine, alch_error *error) {
  uint32_t count = engine->options.replica_count;
  alch_status status = ALCH_OK;
  engine->replicas = alch_allocate_zeroed(engine->allocator, count * sizeof(alch_engine *));
  if (!engine->replicas) return alch_error_out_of_memory(error);
  engine->replica_count = count;
  for (uint32_t i = 0; i < count && status == ALCH_OK; i++) status = open_replica(engine, engine->options.replicas[i], &engine->replicas[i], error);
  return status;
}

void alch_replicas_close(alch_engine *engine) {
  for (uint32_t i = 0; i < engine->replica_count; i++) alch_engine_release(engine->replicas[i]);
  alch_free(engine->allocator, engine->replicas, engine->replica_count * sizeof(alch_engine *));
}

alch_engine *alch_route(alch_engine *engine, uint32_t turn, uint32_t attempt) {
  alch_engine *root = alch_engine_root(engine);
  uint32_t replicas = engine->defaults.read_only ? root->replica_count : 0;
  if (attempt > replicas) return NULL;
  return attempt == replicas ? root : root->replicas[(turn + attempt) % replicas];
}

bool alch_route_goes_on(alch_status status, const alch_error *error) {
  return status == ALCH_ERROR && error && (error->disconnected || error->kind == ALCH_ERROR_TIMEOUT || error->kind == ALCH_ERROR_OPERATIONAL);
}
