/* ddl_build.h - DDL as text, for specs. */
#ifndef DDL_BUILD_H
#define DDL_BUILD_H

#include "schema_build.h"
#include "sql/block.h"
#include "sql/ddl.h"

/* SQL as written, kept in the catalog. */
static inline const alch_block *ddl_text(schema *s, const char *words) {
  alch_builder builder;
  size_t size = 0;
  _Alignas(8) char room[512];
  const alch_block *kept = NULL;
  alch_builder_init(&builder, s->allocator);
  alch_builder_start(&builder);
  alch_builder_leaf_text(&builder, ALCH_NODE_TEXT, 0, 0, 0, words, strlen(words));
  if (CHECK_INT(alch_builder_finish(&builder, &size, &s->error), ALCH_OK) && CHECK(size <= sizeof room)) {
    alch_builder_write(&builder, room);
    kept = alch_catalog_keep_block(s->catalog, room, size);
  }
  alch_builder_destroy(&builder);
  return kept;
}

/* The text, or the error's message with its kind before it; good until the next call with the same place (0 .. 3). */
static inline const char *ddl_result(schema *s, int place, alch_status status, alch_buffer *out) {
  static char lines[4][8192];
  if (status == ALCH_OK) snprintf(lines[place], sizeof lines[place], "%s", alch_buffer_text(out));
  else snprintf(lines[place], sizeof lines[place], "%s: %s", alch_error_kind_name(s->error.kind), alch_error_message(&s->error));
  alch_error_close(&s->error);
  alch_buffer_close(out);
  return lines[place];
}

static inline const char *ddl_create(schema *s, const char *dialect, const alch_table *table) {
  alch_buffer out;
  alch_buffer_init(&out, s->allocator);
  alch_status status = alch_compile_table(alch_dialect_find(dialect), ALCH_DDL_CREATE, table, false, &out, &s->error);
  return ddl_result(s, 0, status, &out);
}

static inline const char *ddl_index(schema *s, const char *dialect, alch_ddl_action action, const alch_index *index) {
  alch_buffer out;
  alch_buffer_init(&out, s->allocator);
  alch_status status = alch_compile_index(alch_dialect_find(dialect), action, index, false, &out, &s->error);
  return ddl_result(s, 1, status, &out);
}

#endif
