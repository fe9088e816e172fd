/* Texts that no statement block makes: DDL, pragmas, the question whether a table is there. They block, and are run once, so their handles are not kept. */
#include "engine/private.h"
#include <string.h>

typedef struct text_run {
  alch_connection *connection;
  const char *sql;
  alch_driver_statement *statement;
  int64_t started_at;
  bool any_row;
} text_run;

static alch_status tell(const text_run *run, alch_engine_event_kind kind, const alch_error *failure, alch_error *error) {
  if (!run->connection->engine->listener) return ALCH_OK;
  alch_engine_event event = { .kind = kind, .sql = run->sql, .executions = 1, .error = failure };
  if (kind == ALCH_ENGINE_AFTER_EXECUTE) event.microseconds = alch_clock_microseconds() - run->started_at;
  return alch_connection_tell(run->connection, &event, error);
}

static alch_status begin_blocking(alch_connection *connection, bool read_only, alch_error *error) {
  alch_status status = ALCH_OK;
  while (!connection->real && status == ALCH_OK) {
    status = alch_transaction_before_run(connection, read_only, error);
    if (status != ALCH_WAIT) return status;
    status = alch_link_wait(connection->link, error);
  }
  return status;
}

static alch_status step_blocking(text_run *run, alch_error *error) {
  const alch_driver *driver = run->connection->driver;
  alch_status status;
  while ((status = driver->poll(run->statement, error)) != ALCH_DONE) {
    if (status < 0) return status;
    if (status == ALCH_ROW) run->any_row = true;
    if (status == ALCH_WAIT && alch_link_wait(run->connection->link, error) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}

static alch_status execute(text_run *run, const alch_value *values, uint32_t count, alch_error *error) {
  const alch_driver *driver = run->connection->driver;
  uint32_t wanted = driver->parameter_count(run->statement);
  if (wanted != count) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has %u parameter%s, and no values are given", wanted, wanted == 1 ? "" : "s");
  alch_status status = driver->start(run->statement, values, count, error);
  if (status >= 0) status = step_blocking(run, error);
  driver->finish(run->statement);
  return status;
}

/* No listener is told anything while there is a handle: he might close the connection under it. */
static alch_status prepare_and_execute(text_run *run, size_t length, const alch_value *values, uint32_t count, alch_error *error) {
  alch_connection *connection = run->connection;
  alch_status status = connection->driver->prepare(connection->link->driver_connection, run->sql, length, &run->statement, error);
  if (status == ALCH_OK) status = execute(run, values, count, error);
  if (run->statement) connection->driver->finalize(run->statement);
  if (status == ALCH_OK) alch_transaction_after_text(connection);
  return status;
}

static alch_status run_once(text_run *run, size_t length, const alch_value *values, uint32_t count, bool read_only, alch_error *error) {
  alch_connection *connection = run->connection;
  alch_status status = alch_connection_usable(connection, error);
  if (status != ALCH_OK) return status;
  run->started_at = connection->engine->listener ? alch_clock_microseconds() : 0;
  status = tell(run, ALCH_ENGINE_BEFORE_EXECUTE, NULL, error);
  if (status == ALCH_OK) status = begin_blocking(connection, read_only, error);
  if (status == ALCH_OK) status = prepare_and_execute(run, length, values, count, error);
  if (status == ALCH_OK) return tell(run, ALCH_ENGINE_AFTER_EXECUTE, NULL, error);
  if (status == ALCH_ERROR) alch_error_attach(error, ALCH_ERROR_SQL, run->sql, length);
  alch_connection_note_failure(connection, error);
  return status == ALCH_ERROR && connection->link && tell(run, ALCH_ENGINE_FAILED, error, NULL) == ALCH_HOST_ERROR ? ALCH_HOST_ERROR : status;
}

alch_status alch_connection_run_text(alch_connection *connection, const char *sql, size_t length, alch_error *error) {
  text_run run = { .connection = connection, .sql = sql };
  return run_once(&run, length, NULL, 0, false, error);
}

/* Does a query of the driver's about a table give a row? */
static alch_status ask_about(alch_connection *connection, const char *query, const char *name, const char *schema, bool *out, alch_error *error) {
  alch_value values[2] = { alch_value_text(name, strlen(name)), schema ? alch_value_text(schema, strlen(schema)) : ALCH_VALUE_NULL };
  text_run run = { .connection = connection, .sql = query };
  alch_status status = run_once(&run, strlen(query), values, 2, true, error);
  *out = run.any_row;
  return status;
}

alch_status alch_has_table(alch_connection *connection, const char *name, const char *schema, bool *out, alch_error *error) {
  const char *query = connection->driver->has_table;
  if (!query) return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "the driver '%s' cannot tell which tables there are", connection->driver->name);
  return ask_about(connection, query, name, schema, out, error);
}

alch_status alch_keys_follow(alch_connection *connection, const char *name, const char *schema, bool *out, alch_error *error) {
  const char *query = connection->driver->scatters_keys;
  bool scattered = true;
  alch_status status = query ? ask_about(connection, query, name, schema, &scattered, error) : ALCH_OK;
  *out = !scattered;
  return status;
}

/* ---- create_all, drop_all ---- */

/* What the two walks share. */
typedef struct schema_run {
  alch_connection *connection;
  const alch_dialect *dialect;
  alch_ddl_action action;
  bool check_first;
  alch_table *const *wanted;           /* NULL: all */
  uint32_t wanted_count;
  alch_table **tables;                 /* in the order of creation */
  alch_constraint **cycle;
  uint32_t table_count, cycle_count;
  bool *chosen;                        /* tables that are worked on, as many */
  alch_buffer text;
  alch_error *error;
} schema_run;

static bool is_wanted(const schema_run *run, const alch_table *table) {
  for (uint32_t i = 0; i < run->wanted_count; i++)
    if (run->wanted[i] == table) return true;
  return run->wanted == NULL;
}

/* Wanted, and there where it is to be dropped, not there where it is to be created. */
static alch_status choose_tables(schema_run *run) {
  for (uint32_t i = 0; i < run->table_count; i++) {
    const alch_table *table = run->tables[i];
    bool there = run->action == ALCH_DDL_DROP;
    run->chosen[i] = is_wanted(run, table);
    if (!run->chosen[i] || !run->check_first) continue;
    alch_status status = alch_has_table(run->connection, table->name, table->schema, &there, run->error);
    if (status != ALCH_OK) return status;
    run->chosen[i] = there == (run->action == ALCH_DDL_DROP);
  }
  return ALCH_OK;
}

static alch_status run_ddl(schema_run *run, alch_status compiled) {
  if (compiled == ALCH_OK && alch_buffer_failed(&run->text)) compiled = alch_error_out_of_memory(run->error);
  if (compiled != ALCH_OK) return compiled;
  return alch_connection_run_text(run->connection, alch_buffer_text(&run->text), run->text.length, run->error);
}

static alch_status run_table(schema_run *run, const alch_table *table) {
  alch_buffer_clear(&run->text);
  alch_status status = run_ddl(run, alch_compile_table(run->dialect, run->action, table, false, &run->text, run->error));
  if (run->action == ALCH_DDL_DROP) return status;
  for (const alch_index *index = table->indexes; index && status == ALCH_OK; index = index->next) {
    alch_buffer_clear(&run->text);
    status = run_ddl(run, alch_compile_index(run->dialect, run->action, index, false, &run->text, run->error));
  }
  return status;
}

static bool is_chosen(const schema_run *run, const alch_table *table) {
  for (uint32_t i = 0; i < run->table_count; i++)
    if (run->tables[i] == table) return run->chosen[i];
  return false;
}

/* Foreign keys that close a cycle stand in statements of their own, where the database cannot have them inside CREATE TABLE. */
static alch_status run_cycle(schema_run *run) {
  alch_status status = ALCH_OK;
  if (alch_dialect_can(run->dialect, ALCH_CAPABILITY_INLINE_CYCLES) || !alch_dialect_can(run->dialect, ALCH_CAPABILITY_ALTER_CONSTRAINT)) return ALCH_OK;
  for (uint32_t i = 0; i < run->cycle_count && status == ALCH_OK; i++) {
    if (!is_chosen(run, run->cycle[i]->table)) continue;
    alch_buffer_clear(&run->text);
    status = run_ddl(run, alch_compile_constraint(run->dialect, run->action, run->cycle[i], &run->text, run->error));
  }
  return status;
}

static alch_status create_chosen(schema_run *run) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < run->table_count && status == ALCH_OK; i++)
    if (run->chosen[i]) status = run_table(run, run->tables[i]);
  return status == ALCH_OK ? run_cycle(run) : status;
}

static alch_status drop_chosen(schema_run *run) {
  alch_status status = run_cycle(run);
  for (uint32_t i = run->table_count; i > 0 && status == ALCH_OK; i--)
    if (run->chosen[i - 1]) status = run_table(run, run->tables[i - 1]);
  return status;
}

static alch_status run_sorted(schema_run *run, const alch_allocator *allocator) {
  alch_status status = ALCH_OK;
  if (run->table_count == 0) return ALCH_OK;
  run->chosen = alch_allocate_zeroed(allocator, run->table_count * sizeof *run->chosen);
  if (!run->chosen) return alch_error_out_of_memory(run->error);
  status = choose_tables(run);
  if (status == ALCH_OK) status = run->action == ALCH_DDL_CREATE ? create_chosen(run) : drop_chosen(run);
  alch_free(allocator, run->chosen, run->table_count * sizeof *run->chosen);
  return status;
}

static alch_status run_schema(schema_run *run, alch_metadata *metadata) {
  const alch_allocator *allocator = metadata->catalog->allocator;
  run->dialect = run->connection->engine->dialect;
  alch_buffer_init(&run->text, allocator);
  alch_status status = alch_metadata_sorted(metadata, &run->tables, &run->table_count, &run->cycle, &run->cycle_count, run->error);
  if (status == ALCH_OK) status = run_sorted(run, allocator);
  alch_free(allocator, run->tables, run->table_count * sizeof *run->tables);
  alch_free(allocator, run->cycle, run->cycle_count * sizeof *run->cycle);
  alch_buffer_close(&run->text);
  return status;
}

alch_status alch_create_all(alch_connection *connection, alch_metadata *metadata, alch_table *const *tables, uint32_t count, bool check_first, alch_error *error) {
  schema_run run = { .connection = connection, .action = ALCH_DDL_CREATE, .check_first = check_first, .wanted = tables, .wanted_count = count, .error = error };
  return run_schema(&run, metadata);
}

alch_status alch_drop_all(alch_connection *connection, alch_metadata *metadata, alch_table *const *tables, uint32_t count, bool check_first, alch_error *error) {
  schema_run run = { .connection = connection, .action = ALCH_DDL_DROP, .check_first = check_first, .wanted = tables, .wanted_count = count, .error = error };
  return run_schema(&run, metadata);
}
