/* schema_build.h - short words for specs that build schemas. Every function tells by a check when it fails. */
#ifndef SCHEMA_BUILD_H
#define SCHEMA_BUILD_H

#include "base/buffer.h"
#include "check.h"
#include "schema/metadata.h"
#include <stdio.h>
#include <string.h>

typedef struct schema {
  const alch_allocator *allocator;
  alch_catalog *catalog;
  alch_metadata *metadata;
  alch_error error;
} schema;

static inline bool schema_open(schema *s, const alch_allocator *allocator) {
  *s = (schema){ .allocator = allocator };
  alch_error_init(&s->error, allocator);
  s->catalog = alch_catalog_open(allocator);
  if (!s->catalog) return false;
  return alch_metadata_new(s->catalog, NULL, &s->metadata, &s->error) == ALCH_OK;
}

static inline void schema_close(schema *s) {
  alch_catalog_close(s->catalog);
  alch_error_close(&s->error);
}

static inline alch_table *schema_table(schema *s, const char *name) {
  alch_table *table = NULL;
  CHECK_INT(alch_table_new(s->metadata, name, NULL, &table, &s->error), ALCH_OK);
  return table;
}

static inline alch_column schema_column(const char *name, alch_type_id type) {
  return (alch_column){ .name = name, .type = type, .has_type = true, .computed_persisted = -1 };
}

static inline alch_column *schema_add(schema *s, alch_table *table, alch_column given) {
  alch_column *column = NULL;
  if (!CHECK_INT(alch_table_add_column(table, &given, &column, &s->error), ALCH_OK)) printf("# %s\n", alch_error_message(&s->error));
  return column;
}

static inline alch_column *schema_plain(schema *s, alch_table *table, const char *name, alch_type_id type) {
  return schema_add(s, table, schema_column(name, type));
}

static inline alch_column *schema_key(schema *s, alch_table *table, const char *name) {
  alch_column given = schema_column(name, ALCH_TYPE_INTEGER);
  given.primary_key = true;
  return schema_add(s, table, given);
}

/* A column without a type that takes it from `target`. */
static inline alch_constraint *schema_reference(schema *s, alch_table *table, const char *name, const char *target) {
  alch_column given = { .name = name, .computed_persisted = -1 };
  alch_constraint *constraint = NULL;
  const alch_constraint key = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = &target, .deferrable = -1, .of_column = true };
  schema_add(s, table, given);
  CHECK_INT(alch_table_add_constraint(table, &key, &name, 1, &constraint, &s->error), ALCH_OK);
  return constraint;
}

/* A dialect option with text. */
static inline void schema_option(schema *s, alch_options *options, const char *name, const char *text) {
  const alch_option option = { .name = name, .value = alch_value_text(text, strlen(text)) };
  CHECK_INT(alch_options_set(s->catalog, options, &option, &s->error), ALCH_OK);
}

/* Says that the last call failed with this kind and a message that holds `words`; the record is empty afterwards. */
#define CHECK_FAILED(s, status, kind_, words) schema_check_failed((s), (status), (kind_), (words), __FILE__, __LINE__)
static inline void schema_check_failed(schema *s, alch_status status, alch_error_kind kind, const char *words, const char *file, int line) {
  check_int(status, ALCH_ERROR, "status", file, line);
  check_text(alch_error_kind_name(s->error.kind), alch_error_kind_name(kind), "kind of the error", file, line);
  if (!check_true(strstr(alch_error_message(&s->error), words) != NULL, words, file, line)) printf("# the message is: %s\n", alch_error_message(&s->error));
  alch_error_close(&s->error);
}

/* A body run with its first, second … allocation failing, until it passes; it answers whether it got all its memory, and checks that the error is OUT_OF_MEMORY where not. */
static inline void schema_survive_faults(bool (*body)(const alch_allocator *allocator)) {
  for (uint64_t fail_at = 1, done = 0; !done; fail_at++) {
    alch_fault_allocator fault;
    alch_fault_allocator_init(&fault);
    fault.fail_at = fail_at;
    bool passed = body(&fault.allocator);
    if (!CHECK(passed == (fault.failures == 0))) printf("# at allocation %d\n", (int)fail_at);
    if (!CHECK_INT(fault.live_blocks, 0) || !CHECK_INT(fault.wrong_sizes, 0)) printf("# at allocation %d\n", (int)fail_at);
    done = fault.failures == 0;
    if (done) CHECK(fail_at > 10);
  }
}

#endif
