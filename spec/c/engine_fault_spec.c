#include "engine_support.h"
#include "engine/drivers/mock.h"

/* ---- memory: the n-th allocation fails, for every n ---- */

static alch_status add_column(world *w, alch_table *table, const char *name, alch_type_id type, bool key) {
  alch_column *added, column = { .name = name, .type = type, .has_type = true, .primary_key = key, .nullable = !key };
  return alch_table_add_column(table, &column, &added, &w->error);
}

static alch_status make_schema(world *w, alch_metadata **metadata) {
  alch_table *parent, *child;
  alch_constraint *made;
  alch_index *index;
  static const char *const columns[] = { "parent_id" }, *const targets[] = { "parent.id" };
  alch_constraint key = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = targets, .deferrable = -1 };
  alch_status status = alch_metadata_new(w->catalog, NULL, metadata, &w->error);
  if (status == ALCH_OK) status = alch_table_new(*metadata, "child", NULL, &child, &w->error);
  if (status == ALCH_OK) status = add_column(w, child, "id", ALCH_TYPE_INTEGER, true);
  if (status == ALCH_OK) status = add_column(w, child, "parent_id", ALCH_TYPE_INTEGER, false);
  if (status == ALCH_OK) status = alch_table_new(*metadata, "parent", NULL, &parent, &w->error);
  if (status == ALCH_OK) status = add_column(w, parent, "id", ALCH_TYPE_INTEGER, true);
  if (status == ALCH_OK) status = add_column(w, parent, "born", ALCH_TYPE_DATE, false);
  if (status == ALCH_OK) status = alch_table_add_constraint(child, &key, columns, 1, &made, &w->error);
  if (status == ALCH_OK) status = alch_table_add_index(child, NULL, false, columns, NULL, 1, NULL, &index, &w->error);
  return status;
}

static alch_status give_parent(void *context, const alch_slot *slot, alch_value *out, alch_error *error) {
  (void)error;
  *out = strcmp(slot->name, "born") == 0 ? *(alch_value *)context : alch_value_integer(1);
  return ALCH_OK;
}

/* Dates go through the dialect on the way in and out. */
static alch_status insert_parent(world *w, alch_table *parent) {
  static const char *const names[] = { "id", "born" };
  alch_builder b;
  size_t size;
  alch_compiled *compiled = NULL;
  alch_value day = { .kind = ALCH_DATE, .integer = 19782 };
  alch_parameters parameters = { .context = &day, .named = give_parent };
  alch_compile_options options = { .parameter_names = names, .parameter_count = 2 };
  alch_builder_init(&b, w->allocator);
  alch_builder_start(&b);
  alch_builder_leaf(&b, ALCH_NODE_INSERT, 0, parent->id, 0);
  alch_block *block = finish_block(w, &b, &size);
  if (!block) return ALCH_ERROR;
  alch_status status = alch_engine_compile(w->engine, w->catalog, block, &options, NULL, NULL, &compiled, &w->error);
  if (status == ALCH_OK) status = alch_execution_start(&w->execution, w->connection, compiled, block, &parameters, &w->error);
  alch_compiled_release(compiled);
  alch_free(w->allocator, block, size);
  return status;
}

static alch_status select_parent(world *w, alch_table *parent) {
  alch_builder b;
  size_t size;
  alch_compiled *compiled = NULL;
  alch_builder_init(&b, w->allocator);
  alch_builder_start(&b);
  alch_builder_open(&b, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&b, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_leaf(&b, ALCH_NODE_ENTITY, 0, parent->id, 0);
  alch_builder_close(&b);
  alch_builder_close(&b);
  alch_block *block = finish_block(w, &b, &size);
  if (!block) return ALCH_ERROR;
  alch_status status = alch_engine_compile(w->engine, w->catalog, block, NULL, NULL, NULL, &compiled, &w->error);
  if (status == ALCH_OK) status = alch_execution_start(&w->execution, w->connection, compiled, block, NULL, &w->error);
  if (status == ALCH_OK) status = next_of(&w->execution, &w->error);
  if (status == ALCH_ROW && CHECK_INT(w->execution.row[1].kind, ALCH_DATE)) CHECK_INT(w->execution.row[1].integer, 19782);
  if (status == ALCH_ROW) status = next_of(&w->execution, &w->error);
  alch_compiled_release(compiled);
  alch_free(w->allocator, block, size);
  return status == ALCH_DONE ? ALCH_OK : status;
}

static alch_status whole_life(world *w, const alch_allocator *allocator) {
  alch_metadata *metadata;
  alch_value values[2] = { alch_value_integer(7), { .kind = ALCH_DATE, .integer = 0 } };
  alch_status status = world_open_with(w, "sqlite://?timeout=1", NULL, allocator);
  if (status == ALCH_OK) status = make_schema(w, &metadata);
  if (status == ALCH_OK) status = alch_create_all(w->connection, metadata, NULL, 0, true, &w->error);
  if (status == ALCH_OK) status = insert_parent(w, alch_metadata_table(metadata, "parent"));
  if (status == ALCH_OK) status = select_parent(w, alch_metadata_table(metadata, "parent"));
  if (status == ALCH_OK) status = start(w, "insert into parent values (:a, :b)", values, 2);
  if (status == ALCH_OK) status = alch_connection_commit(w->connection, 1, &w->error);
  if (status == ALCH_OK) status = alch_drop_all(w->connection, metadata, NULL, 0, true, &w->error);
  if (status == ALCH_OK) status = alch_connection_commit(w->connection, 1, &w->error);
  return status;
}

static void fail_each_allocation(bool persistent) {
  bool passed = false;
  uint64_t n = 0;
  while (!passed && n < 5000) {
    world w;
    alch_fault_allocator fault;
    alch_fault_allocator_init(&fault);
    fault.fail_at = ++n;
    fault.persistent = persistent;
    alch_status status = whole_life(&w, &fault.allocator);
    passed = fault.failures == 0;
    if (passed) CHECK_INT(status, ALCH_OK);
    else if (status != ALCH_OK && w.error.kind != ALCH_ERROR_OUT_OF_MEMORY) CHECK_TEXT(error_name(&w), "OutOfMemoryError");
    world_close(&w);
    CHECK_INT(fault.live_blocks, 0);
    CHECK_INT(fault.wrong_sizes, 0);
  }
  CHECK(passed);
  printf("# %d allocations\n", (int)n - 1);
}

CASE("every failing allocation is an error, and nothing leaks") {
  fail_each_allocation(false);
}

CASE("so is every allocation from some point on") {
  fail_each_allocation(true);
}

CASE("after a failed allocation the connection goes on") {
  world w;
  alch_fault_allocator fault;
  alch_fault_allocator_init(&fault);
  if (CHECK_INT(world_open_with(&w, "sqlite://", NULL, &fault.allocator), ALCH_OK)) {
    char sql[40];
    int failed = 0;
    CHECK_INT(run(&w, "create table t (a)"), ALCH_OK);
    for (int i = 0; i < 60; i++) {
      fault.fail_at = fault.calls + 1 + check_random_below(40);
      snprintf(sql, sizeof sql, "insert into t values (%d)", i);
      failed += run(&w, sql) != ALCH_OK;
      fault.fail_at = 0;
      CHECK(scalar(&w, "select count(*) from t") >= 0);
    }
    CHECK(failed > 0);
    CHECK_INT(scalar(&w, "select count(*) from t"), 60 - failed);
  }
  world_close(&w);
  CHECK_INT(fault.live_blocks, 0);
}

/* ---- the driver: its n-th call fails, for every n ---- */

static alch_status finish_wait(world *w, alch_status status) {
  return status == ALCH_WAIT ? alch_connection_wait(w->connection, &w->error) : status;
}

static alch_status savepoint(world *w, uint32_t *level) {
  alch_status status;
  while ((status = alch_connection_savepoint(w->connection, level, &w->error)) == ALCH_WAIT)
    if ((status = finish_wait(w, status)) != ALCH_OK) break;
  return status;
}

static alch_status rollback(world *w, uint32_t level) {
  alch_status status;
  while ((status = alch_connection_rollback(w->connection, level, &w->error)) == ALCH_WAIT)
    if ((status = finish_wait(w, status)) != ALCH_OK) break;
  return status;
}

static alch_status commit(world *w, uint32_t level) {
  alch_status status;
  while ((status = alch_connection_commit(w->connection, level, &w->error)) == ALCH_WAIT)
    if ((status = finish_wait(w, status)) != ALCH_OK) break;
  return status;
}

static alch_status ask_for_table(world *w) {
  alch_status status;
  bool there;
  while ((status = alch_has_table(w->connection, "t", NULL, &there, &w->error)) == ALCH_WAIT)
    if ((status = finish_wait(w, status)) != ALCH_OK) break;
  return status;
}

static alch_status work(world *w) {
  uint32_t level;
  alch_status status = w->connection ? ALCH_OK : world_connect(w, &w->connection);
  if (status == ALCH_OK) status = ask_for_table(w);
  if (status == ALCH_OK) status = alch_connection_run_text(w->connection, "CREATE TABLE t", 14, &w->error);
  if (status == ALCH_OK) status = run(w, "INSERT INTO t");
  if (status == ALCH_OK) status = savepoint(w, &level);
  if (status == ALCH_OK) status = run(w, "SELECT two");
  if (status == ALCH_OK) status = rollback(w, 2);
  return status == ALCH_OK ? commit(w, 1) : status;
}

static void script(alch_mock *mock) {
  static const char *const names[] = { "id" };
  alch_value cells[] = { alch_value_integer(1), alch_value_integer(2) };
  alch_mock_answer answer = { .pattern = "SELECT two", .columns = names, .column_count = 1, .cells = cells, .row_count = 2 };
  CHECK(alch_mock_add(mock, &answer));
}

static void check_recovers(world *w, bool disconnected) {
  CHECK_TEXT(error_name(w), "OperationalError");
  if (w->connection) {
    CHECK_INT(rollback(w, 1), ALCH_OK);
    CHECK_INT(alch_connection_depth(w->connection), 0);
    if (disconnected) {
      alch_connection_close(w->connection);
      w->connection = NULL;
    }
  }
  if (!CHECK_INT(work(w), ALCH_OK)) printf("# %s\n", alch_error_message(&w->error));
}

static void fail_each_call(uint32_t waits, bool disconnected, bool ends_transaction) {
  bool passed = false;
  uint64_t n = 0;
  while (!passed && n < 500) {
    world w;
    alch_engine_options options;
    alch_mock *mock = alch_mock_open(&alch_allocator_standard);
    alch_engine_options_init(&options);
    options.driver = alch_mock_driver(mock);
    script(mock);
    for (int point = 0; point < ALCH_MOCK_POINT_COUNT; point++) alch_mock_wait(mock, (alch_mock_point)point, waits);
    CHECK_INT(world_open_with(&w, "mock+sqlite://", &options, NULL), ALCH_OK);
    alch_connection_close(w.connection);
    w.connection = NULL;
    alch_engine_dispose(w.engine, true);
    alch_mock_fail(mock, ++n, ALCH_ERROR_OPERATIONAL, disconnected, ends_transaction);
    alch_status status = work(&w);
    passed = status == ALCH_OK;
    if (!passed) check_recovers(&w, disconnected);
    world_close(&w);
    CHECK_INT(alch_mock_open_connections(mock), 0);
    CHECK_INT(alch_mock_open_statements(mock), 0);
    alch_mock_close(mock);
  }
  CHECK(passed);
  CHECK(n > 15);
  printf("# %d calls\n", (int)n - 1);
}

CASE("every failing call of the driver is an error, after a rollback all goes on") {
  fail_each_call(0, false, false);
}

CASE("so it is when the calls wait") {
  fail_each_call(2, false, false);
}

CASE("when the failure ends the transaction, work goes on after a rollback") {
  fail_each_call(0, false, true);
}

CASE("when the failure ends the connection, a new one is there") {
  fail_each_call(0, true, true);
  fail_each_call(1, true, true);
}
