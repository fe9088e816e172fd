/* Texts that no statement block makes: DDL, pragmas, the question whether a table is there. They block, and are run once, so their handles are not kept. */
#include "engine/private.h"
#include "sql/ddl.h"
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
  uint32_t wanted = driver->parameter_count ? driver->parameter_count(run->statement) : count;
  if (wanted != count) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has %u parameter%s, and no values are given", wanted, wanted == 1 ? "" : "s");
  alch_status status = driver->start(run->statement, values, count, error);
  if (status >= 0) status = step_blocking(run, error);
  driver->finish(run->statement);
  return status;
}

/* No listener is told anything while there is a handle: he might close the connection under it. */
static alch_status prepare_and_execute(text_run *run, size_t length, const alch_value *values, uint32_t count, alch_error *error) {
  alch_connection *connection = run->connection;
  alch_status status = connection->driver->prepare(connection->link->driver_connection, run->sql, length, NULL, count, &run->statement, error);
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

/* One request on its way. */
typedef struct schema_run {
  alch_connection *connection;
  const alch_schema_request *request;
  const alch_dialect *dialect;
  alch_buffer text;
  alch_error *error;
} schema_run;

static bool is_wanted(const alch_schema_request *request, const alch_table *table) {
  for (uint32_t i = 0; i < request->count; i++)
    if (request->tables[i] == table) return true;
  return request->tables == NULL;
}

/* Wanted, and there where it is to be dropped, not there where it is to be created. */
static alch_status choose_tables(const schema_run *run, alch_table *const *tables, uint32_t count, bool *chosen) {
  bool drop = run->request->action == ALCH_DDL_DROP;
  for (uint32_t i = 0; i < count; i++) {
    bool there = drop;
    chosen[i] = is_wanted(run->request, tables[i]);
    if (!chosen[i] || !run->request->check_first) continue;
    alch_status status = alch_has_table(run->connection, tables[i]->name, tables[i]->schema, &there, run->error);
    if (status != ALCH_OK) return status;
    chosen[i] = there == drop;
  }
  return ALCH_OK;
}

static alch_status tell_of(const schema_run *run, alch_table *table, bool after) {
  const alch_schema_request *request = run->request;
  return request->tell ? request->tell(request->context, run->connection, request->metadata, table, request->action, after, run->error) : ALCH_OK;
}

/* Sequences and types that are there already, or not there, need nothing, where the driver can tell. */
static alch_status is_to_do(const schema_run *run, const alch_ddl_statement *statement, bool *out) {
  const alch_driver *driver = run->connection->driver;
  const char *query = statement->sequence ? driver->has_sequence : statement->type ? driver->has_type : NULL;
  const char *name = statement->sequence ? statement->sequence->name : statement->type ? statement->type->name : NULL;
  bool there = false;
  *out = true;
  if (!run->request->check_first || !query || !name) return ALCH_OK;
  alch_status status = ask_about(run->connection, query, name, statement->sequence ? statement->sequence->schema : statement->type->schema, &there, run->error);
  *out = there == (statement->action == ALCH_DDL_DROP);
  return status;
}

static alch_status run_statement(schema_run *run, const alch_ddl_statement *statement) {
  bool to_do;
  alch_buffer_clear(&run->text);
  alch_status status = is_to_do(run, statement, &to_do);
  if (status != ALCH_OK || !to_do) return status;
  status = alch_compile_ddl(run->request->metadata->catalog, run->dialect, statement, &run->text, run->error);
  if (status != ALCH_OK) return status;
  return alch_connection_run_text(run->connection, alch_buffer_text(&run->text), run->text.length, run->error);
}

/* What belongs to a table stands together: its indexes and comments behind it. */
static alch_status run_plan(schema_run *run, const alch_ddl_plan *plan) {
  alch_table *current = NULL;
  alch_status status = tell_of(run, NULL, false);
  for (uint32_t i = 0; i < plan->count && status == ALCH_OK; i++) {
    alch_table *table = (alch_table *)(uintptr_t)alch_ddl_owner(&plan->statements[i]);
    if (current && current != table) status = tell_of(run, current, true);
    if (table && current != table && status == ALCH_OK) status = tell_of(run, table, false);
    current = table;
    if (status == ALCH_OK) status = run_statement(run, &plan->statements[i]);
  }
  if (current && status == ALCH_OK) status = tell_of(run, current, true);
  return status == ALCH_OK ? tell_of(run, NULL, true) : status;
}

static alch_status run_chosen(schema_run *run, alch_table *const *tables, uint32_t count, bool *chosen) {
  alch_ddl_plan plan;
  alch_status status = choose_tables(run, tables, count, chosen);
  if (status != ALCH_OK) return status;
  status = alch_ddl_plan_make(&plan, run->dialect, run->request->metadata, run->request->action, chosen, run->request->tables == NULL, run->error);
  if (status == ALCH_OK) status = run_plan(run, &plan);
  alch_ddl_plan_close(&plan);
  return status;
}

static alch_status run_sorted(schema_run *run, alch_table *const *tables, uint32_t count) {
  const alch_allocator *allocator = run->request->metadata->catalog->allocator;
  bool *chosen = alch_allocate_zeroed(allocator, (count + 1) * sizeof *chosen);
  if (!chosen) return alch_error_out_of_memory(run->error);
  alch_status status = run_chosen(run, tables, count, chosen);
  alch_free(allocator, chosen, (count + 1) * sizeof *chosen);
  return status;
}

alch_status alch_run_schema(alch_connection *connection, const alch_schema_request *request, alch_error *error) {
  schema_run run = { .connection = connection, .request = request, .dialect = alch_engine_dialect(connection->engine), .error = error };
  const alch_allocator *allocator = request->metadata->catalog->allocator;
  alch_table **tables = NULL;
  alch_constraint **cycle = NULL;
  uint32_t count = 0, cycle_count = 0;
  alch_buffer_init(&run.text, allocator);
  alch_status status = alch_metadata_sorted(request->metadata, &tables, &count, &cycle, &cycle_count, error);
  if (status == ALCH_OK) status = run_sorted(&run, tables, count);
  alch_free(allocator, tables, count * sizeof *tables);
  alch_free(allocator, cycle, cycle_count * sizeof *cycle);
  alch_buffer_close(&run.text);
  return status;
}

alch_status alch_create_all(alch_connection *connection, alch_metadata *metadata, alch_table *const *tables, uint32_t count, bool check_first, alch_error *error) {
  const alch_schema_request request = { .metadata = metadata, .action = ALCH_DDL_CREATE, .tables = tables, .count = count, .check_first = check_first };
  return alch_run_schema(connection, &request, error);
}

alch_status alch_drop_all(alch_connection *connection, alch_metadata *metadata, alch_table *const *tables, uint32_t count, bool check_first, alch_error *error) {
  const alch_schema_request request = { .metadata = metadata, .action = ALCH_DDL_DROP, .tables = tables, .count = count, .check_first = check_first };
  return alch_run_schema(connection, &request, error);
}
