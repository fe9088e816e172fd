/* What the specs of the engine share: an engine with one connection, and statements written as text whose values stand as :a, :b, … */
#ifndef ENGINE_SUPPORT_H
#define ENGINE_SUPPORT_H

#include "check.h"
#include "engine/engine.h"
#include "sql/expression.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct world {
  const alch_allocator *allocator;
  alch_error error;
  alch_engine *engine;
  alch_connection *connection;
  alch_catalog *catalog;
  alch_execution execution;
} world;

static inline alch_status world_connect(world *w, alch_connection **out) {
  alch_status status;
  while ((status = alch_engine_connect(w->engine, out, &w->error)) == ALCH_WAIT) {
    status = alch_connection_wait(*out, &w->error);
    if (status != ALCH_OK) break;
  }
  return status;
}

/* Everything but the connection may be there after a failure. */
static inline alch_status world_open_with(world *w, const char *url, const alch_engine_options *options, const alch_allocator *allocator) {
  *w = (world){ .allocator = allocator ? allocator : &alch_allocator_standard };
  alch_error_init(&w->error, w->allocator);
  alch_execution_init(&w->execution, w->allocator);
  w->catalog = alch_catalog_open(w->allocator);
  if (!w->catalog) return alch_error_out_of_memory(&w->error);
  alch_status status = alch_engine_open(url, strlen(url), options, w->allocator, &w->engine, &w->error);
  return status == ALCH_OK ? world_connect(w, &w->connection) : status;
}

static inline bool world_open(world *w, const char *url) {
  alch_status status = world_open_with(w, url, NULL, NULL);
  if (status != ALCH_OK) printf("# %s\n", alch_error_message(&w->error));
  return CHECK_INT(status, ALCH_OK);
}

static inline void world_close(world *w) {
  alch_execution_destroy(&w->execution);
  alch_connection_close(w->connection);
  alch_engine_release(w->engine);
  if (w->catalog) alch_catalog_close(w->catalog);
  alch_error_close(&w->error);
}

/* A block in memory of its own; NULL when there is none. */
static inline alch_block *finish_block(world *w, alch_builder *builder, size_t *size) {
  alch_block *block = NULL;
  if (alch_builder_finish(builder, size, &w->error) == ALCH_OK) {
    block = alch_allocate(w->allocator, *size);
    if (block) alch_builder_write(builder, block);
    else alch_error_out_of_memory(&w->error);
  }
  alch_builder_destroy(builder);
  return block;
}

static inline alch_block *text_block(world *w, const char *sql, size_t *size) {
  alch_builder builder;
  alch_builder_init(&builder, w->allocator);
  alch_builder_start(&builder);
  alch_builder_leaf_text(&builder, ALCH_NODE_TEXT, 0, 0, 0, sql, strlen(sql));
  return finish_block(w, &builder, size);
}

typedef struct letters { const alch_value *values; uint32_t count; } letters;

static inline alch_status give_letter(void *context, const alch_slot *slot, alch_value *out, alch_error *error) {
  const letters *given = context;
  uint32_t index = (uint32_t)(slot->name[0] - 'a');
  (void)error;
  if (index >= given->count) return ALCH_DONE;
  *out = given->values[index];
  return ALCH_OK;
}

static inline alch_status finish_start(alch_execution *execution, alch_status status, alch_error *error) {
  while (status == ALCH_WAIT) {
    status = alch_connection_wait(execution->connection, error);
    if (status == ALCH_OK) status = alch_execution_start_poll(execution, error);
  }
  return status;
}

static inline alch_status compile_text(world *w, const char *sql, alch_compiled **out) {
  size_t size;
  *out = NULL;
  alch_block *block = text_block(w, sql, &size);
  if (!block) return ALCH_ERROR;
  alch_status status = alch_engine_compile(w->engine, w->catalog, block, NULL, NULL, NULL, out, &w->error);
  alch_free(w->allocator, block, size);
  return status;
}

static inline alch_status start_on(world *w, alch_connection *connection, alch_execution *execution, const char *sql, const alch_value *values, uint32_t count) {
  alch_compiled *compiled;
  letters given = { values, count };
  alch_parameters parameters = { .context = &given, .named = give_letter };
  alch_status status = compile_text(w, sql, &compiled);
  if (status == ALCH_OK) status = alch_execution_start(execution, connection, compiled, NULL, &parameters, &w->error);
  alch_compiled_release(compiled);
  return finish_start(execution, status, &w->error);
}

static inline alch_status start(world *w, const char *sql, const alch_value *values, uint32_t count) {
  return start_on(w, w->connection, &w->execution, sql, values, count);
}

static inline alch_status next_of(alch_execution *execution, alch_error *error) {
  alch_status status;
  while ((status = alch_execution_next(execution, error)) == ALCH_WAIT)
    if (alch_connection_wait(execution->connection, error) != ALCH_OK) return ALCH_ERROR;
  return status;
}

/* Runs it and reads what it gives to the end. */
static inline alch_status run_on(world *w, alch_connection *connection, const char *sql) {
  alch_execution execution;
  alch_execution_init(&execution, w->allocator);
  alch_status status = start_on(w, connection, &execution, sql, NULL, 0);
  while (status == ALCH_OK || status == ALCH_ROW) status = next_of(&execution, &w->error);
  alch_execution_destroy(&execution);
  return status == ALCH_DONE ? ALCH_OK : status;
}

static inline alch_status run(world *w, const char *sql) {
  return run_on(w, w->connection, sql);
}

/* The first cell of the first row, as an integer; INT64_MIN after a failure or without a row. */
static inline int64_t scalar_on(world *w, alch_connection *connection, const char *sql) {
  alch_execution execution;
  alch_execution_init(&execution, w->allocator);
  int64_t found = INT64_MIN;
  if (start_on(w, connection, &execution, sql, NULL, 0) == ALCH_OK && next_of(&execution, &w->error) == ALCH_ROW) found = execution.row[0].integer;
  alch_execution_destroy(&execution);
  return found;
}

static inline int64_t scalar(world *w, const char *sql) {
  return scalar_on(w, w->connection, sql);
}

static inline const char *error_name(const world *w) {
  return w->error.set ? alch_error_kind_name(w->error.kind) : NULL;
}

static inline const char *error_text(const world *w, alch_error_text which) {
  return w->error.texts[which];
}

/* A file in a folder of its own; remove_file takes both away. */
typedef struct temporary { char folder[64], path[96], url[256]; } temporary;

static inline bool make_temporary(temporary *t, const char *options) {
  snprintf(t->folder, sizeof t->folder, "/tmp/alch_engine_XXXXXX");
  if (!CHECK(mkdtemp(t->folder) != NULL)) return false;
  snprintf(t->path, sizeof t->path, "%s/a.db", t->folder);
  snprintf(t->url, sizeof t->url, "sqlite:///%s%s", t->path, options);
  return true;
}

static inline void remove_temporary(const temporary *t) {
  static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
  char path[128];
  for (size_t i = 0; i < ALCH_COUNT(endings); i++) {
    snprintf(path, sizeof path, "%s%s", t->path, endings[i]);
    unlink(path);
  }
  rmdir(t->folder);
}

#endif
