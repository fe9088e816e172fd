/* What a C program sees: one header, and a query from the URL to the rows. */
#include "check.h"
#include "lualchemy.h"

#include <string.h>

typedef struct program { alch_error error; alch_catalog *catalog; alch_metadata *metadata; alch_table *people; alch_engine *engine; alch_connection *connection; } program;

static void declare(program *p) {
  alch_column id = { .name = "id", .type = ALCH_TYPE_INTEGER, .has_type = true, .primary_key = true, .computed_persisted = -1 };
  alch_column name = { .name = "name", .type = ALCH_TYPE_STRING, .has_type = true, .computed_persisted = -1 };
  alch_column *made;
  p->catalog = alch_catalog_open(&alch_allocator_standard);
  CHECK_INT(alch_metadata_new(p->catalog, NULL, &p->metadata, &p->error), ALCH_OK);
  CHECK_INT(alch_table_new(p->metadata, "people", NULL, &p->people, &p->error), ALCH_OK);
  CHECK_INT(alch_table_add_column(p->people, &id, &made, &p->error), ALCH_OK);
  CHECK_INT(alch_table_add_column(p->people, &name, &made, &p->error), ALCH_OK);
}

/* select(people).where(people.name = ?) */
static alch_block *select_by_name(program *p, const char *name) {
  alch_builder builder;
  size_t size = 0;
  alch_value value = alch_value_text(name, strlen(name));
  alch_builder_init(&builder, &alch_allocator_standard);
  alch_builder_start(&builder);
  alch_builder_open(&builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_leaf(&builder, ALCH_NODE_ENTITY, 0, p->people->id, 0);
  alch_builder_close(&builder);
  alch_builder_open(&builder, ALCH_NODE_WHERE, 0, 0, 0);
  alch_builder_open(&builder, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
  alch_builder_leaf(&builder, ALCH_NODE_COLUMN, 0, p->people->id, 1);
  alch_builder_bind(&builder, ALCH_TYPE_STRING, 0, NULL, &value, NULL);
  alch_builder_close(&builder);
  alch_builder_close(&builder);
  alch_builder_close(&builder);
  CHECK_INT(alch_builder_finish(&builder, &size, &p->error), ALCH_OK);
  alch_block *block = alch_allocate(&alch_allocator_standard, size);
  alch_builder_write(&builder, block);
  alch_builder_destroy(&builder);
  return block;
}

CASE("a table, a row, a query") {
  program p = { 0 };
  alch_error_init(&p.error, NULL);
  declare(&p);
  CHECK_INT(alch_engine_open("sqlite://", 9, NULL, &alch_allocator_standard, &p.engine, &p.error), ALCH_OK);
  CHECK_INT(alch_engine_connect(p.engine, &p.connection, &p.error), ALCH_OK);
  CHECK_INT(alch_create_all(p.connection, p.metadata, NULL, 0, true, &p.error), ALCH_OK);
  const char *insert = "insert into people (name) values ('Ann'), ('Bo')";
  CHECK_INT(alch_connection_run_text(p.connection, insert, strlen(insert), &p.error), ALCH_OK);
  alch_block *block = select_by_name(&p, "Bo");
  alch_compiled *compiled = NULL;
  CHECK_INT(alch_engine_compile(p.engine, p.catalog, block, NULL, NULL, NULL, &compiled, &p.error), ALCH_OK);
  CHECK_TEXT(compiled->sql, "SELECT people.id, people.name FROM people WHERE people.name = ?");
  alch_execution execution;
  alch_execution_init(&execution, &alch_allocator_standard);
  CHECK_INT(alch_execution_start(&execution, p.connection, compiled, block, NULL, &p.error), ALCH_OK);
  CHECK_INT(alch_execution_next(&execution, &p.error), ALCH_ROW);
  CHECK_INT(execution.row[0].integer, 2);
  CHECK_INT(alch_execution_next(&execution, &p.error), ALCH_DONE);
  alch_execution_destroy(&execution);
  alch_compiled_release(compiled);
  alch_free(&alch_allocator_standard, block, alch_block_size(block));
  alch_connection_close(p.connection);
  alch_engine_release(p.engine);
  alch_catalog_close(p.catalog);
  alch_error_close(&p.error);
}
