/* create_all and drop_all: which tables are to be made, and then one statement after another. Each question and each statement may wait. */
#include "engine/private.h"
#include "sql/ddl.h"
#include <string.h>

enum { PHASE_CHOOSE, PHASE_RUN, PHASE_DONE };

struct alch_schema_run {
  alch_connection *connection;
  alch_schema_request request;
  const alch_allocator *allocator;
  alch_table **tables;                 /* in the order of their creation */
  alch_constraint **cycle;
  uint32_t count, cycle_count;
  bool *chosen;
  alch_ddl_plan plan;
  alch_buffer text;                    /* of the statement that is under way */
  uint8_t phase;
  uint32_t place;                      /* of the table that is asked about, of the statement that runs */
  alch_table *current;                 /* whose events are being told */
  bool told, checked, to_do;           /* of the statement at `place` */
};

static bool is_wanted(const alch_schema_request *request, const alch_table *table) {
  for (uint32_t i = 0; i < request->count; i++)
    if (request->tables[i] == table) return true;
  return request->tables == NULL;
}

/* Wanted, and there where it is to be dropped, not there where it is to be created. */
static alch_status choose_tables(alch_schema_run *run, alch_error *error) {
  bool drop = run->request.action == ALCH_DDL_DROP;
  for (; run->place < run->count; run->place++) {
    const alch_table *table = run->tables[run->place];
    bool there = drop;
    bool wanted = is_wanted(&run->request, table);
    alch_status status = ALCH_OK;
    if (wanted && run->request.check_first) status = alch_has_table(run->connection, table->name, table->schema, &there, error);
    if (status != ALCH_OK) return status;
    run->chosen[run->place] = wanted && (!run->request.check_first || there == drop);
  }
  return ALCH_OK;
}

static alch_status tell_of(const alch_schema_run *run, alch_table *table, bool after, alch_error *error) {
  const alch_schema_request *request = &run->request;
  return request->tell ? request->tell(request->context, run->connection, request->metadata, table, request->action, after, error) : ALCH_OK;
}

/* Sequences and types that are there already, or not there, need nothing, where the dialect can tell. */
static alch_status is_to_do(const alch_schema_run *run, const alch_ddl_statement *statement, bool *out, alch_error *error) {
  const alch_dialect *dialect = alch_engine_dialect(run->connection->engine);
  const char *query = statement->sequence ? dialect->has_sequence : statement->type ? dialect->has_type : NULL;
  const char *name = statement->sequence ? statement->sequence->name : statement->type ? statement->type->name : NULL;
  bool there = false;
  *out = true;
  if (!run->request.check_first || !query || !name) return ALCH_OK;
  alch_status status = alch_text_ask(run->connection, query, name, statement->sequence ? statement->sequence->schema : statement->type->schema, &there, error);
  *out = there == (statement->action == ALCH_DDL_DROP);
  return status;
}

static alch_status check_statement(alch_schema_run *run, const alch_ddl_statement *statement, alch_error *error) {
  if (run->checked) return ALCH_OK;
  alch_status status = is_to_do(run, statement, &run->to_do, error);
  if (status != ALCH_OK) return status;
  run->checked = true;
  alch_buffer_clear(&run->text);
  return run->to_do ? alch_compile_ddl(run->request.metadata->catalog, alch_engine_dialect(run->connection->engine), statement, &run->text, error) : ALCH_OK;
}

/* What belongs to a table stands together: its indexes and comments behind it. */
static alch_status tell_change(alch_schema_run *run, const alch_ddl_statement *statement, alch_error *error) {
  alch_table *table = (alch_table *)(uintptr_t)alch_ddl_owner(statement), *before = run->current;
  alch_status status = ALCH_OK;
  if (run->told || table == before) return ALCH_OK;
  run->told = true;
  run->current = table;
  if (before) status = tell_of(run, before, true, error);
  return table && status == ALCH_OK ? tell_of(run, table, false, error) : status;
}

static alch_status run_statements(alch_schema_run *run, alch_error *error) {
  for (; run->place < run->plan.count; run->place++) {
    const alch_ddl_statement *statement = &run->plan.statements[run->place];
    alch_status status = tell_change(run, statement, error);
    if (status == ALCH_OK) status = check_statement(run, statement, error);
    if (status == ALCH_OK && run->to_do) status = alch_text_step(run->connection, alch_buffer_text(&run->text), run->text.length, error);
    if (status != ALCH_OK) return status;
    run->told = run->checked = false;
  }
  return ALCH_OK;
}

static alch_status make_plan(alch_schema_run *run, alch_error *error) {
  const alch_schema_request *request = &run->request;
  run->place = 0;
  run->phase = PHASE_RUN;
  alch_status status = alch_ddl_plan_make(&run->plan, alch_engine_dialect(run->connection->engine), request->metadata, request->action, run->chosen, request->tables == NULL, error);
  return status == ALCH_OK ? tell_of(run, NULL, false, error) : status;
}

static alch_status end(alch_schema_run *run, alch_error *error) {
  alch_status status = run->current ? tell_of(run, run->current, true, error) : ALCH_OK;
  run->phase = PHASE_DONE;
  return status == ALCH_OK ? tell_of(run, NULL, true, error) : status;
}

alch_status alch_schema_run_step(alch_schema_run *run, alch_error *error) {
  alch_status status = ALCH_OK;
  if (run->phase == PHASE_CHOOSE) {
    status = choose_tables(run, error);
    if (status == ALCH_OK) status = make_plan(run, error);
  }
  if (run->phase == PHASE_RUN && status == ALCH_OK) {
    status = run_statements(run, error);
    if (status == ALCH_OK) status = end(run, error);
  }
  return status;
}

void alch_schema_run_close(alch_schema_run *run) {
  if (!run) return;
  alch_ddl_plan_close(&run->plan);
  alch_free(run->allocator, run->tables, run->count * sizeof *run->tables);
  alch_free(run->allocator, run->cycle, run->cycle_count * sizeof *run->cycle);
  alch_free(run->allocator, run->chosen, (run->count + 1) * sizeof *run->chosen);
  alch_buffer_close(&run->text);
  alch_free(run->allocator, run, sizeof *run);
}

alch_status alch_schema_run_open(alch_connection *connection, const alch_schema_request *request, alch_schema_run **out, alch_error *error) {
  const alch_allocator *allocator = request->metadata->catalog->allocator;
  alch_schema_run *run = alch_allocate_zeroed(allocator, sizeof *run);
  *out = NULL;
  if (!run) return alch_error_out_of_memory(error);
  run->connection = connection;
  run->request = *request;
  run->allocator = allocator;
  alch_buffer_init(&run->text, allocator);
  alch_status status = alch_metadata_sorted(request->metadata, &run->tables, &run->count, &run->cycle, &run->cycle_count, error);
  if (status == ALCH_OK && !(run->chosen = alch_allocate_zeroed(allocator, (run->count + 1) * sizeof *run->chosen))) status = alch_error_out_of_memory(error);
  if (status == ALCH_OK) *out = run;
  else alch_schema_run_close(run);
  return status;
}

alch_status alch_run_schema(alch_connection *connection, const alch_schema_request *request, alch_error *error) {
  alch_schema_run *run;
  alch_status status = alch_schema_run_open(connection, request, &run, error);
  while (status == ALCH_OK && (status = alch_schema_run_step(run, error)) == ALCH_WAIT) status = alch_connection_wait(connection, error);
  if (status < 0) alch_text_drop(connection);
  alch_schema_run_close(run);
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
