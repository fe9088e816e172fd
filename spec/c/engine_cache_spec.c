#include "engine_support.h"
#include "engine/drivers/mock.h"
#include "engine/private.h"

static alch_table *make_table(world *w) {
  alch_metadata *metadata = NULL;
  alch_table *table = NULL;
  if (alch_metadata_new(w->catalog, NULL, &metadata, &w->error) != ALCH_OK || alch_table_new(metadata, "t", NULL, &table, &w->error) != ALCH_OK) return NULL;
  alch_column id = { .name = "id", .type = ALCH_TYPE_INTEGER, .has_type = true, .primary_key = true };
  alch_column name = { .name = "name", .type = ALCH_TYPE_STRING, .has_type = true, .nullable = true };
  alch_column *added;
  if (alch_table_add_column(table, &id, &added, &w->error) != ALCH_OK || alch_table_add_column(table, &name, &added, &w->error) != ALCH_OK) return NULL;
  return table;
}

/* SELECT t.id FROM t [aliased] WHERE t.id = value, or LIMIT value written into the text where `literal`. */
static alch_block *select_block(world *w, const alch_table *table, bool aliased, uint8_t bits, int64_t number, size_t *size) {
  alch_builder b;
  alch_value value = alch_value_integer(number);
  alch_builder_init(&b, w->allocator);
  alch_builder_start(&b);
  uint32_t source = table->id;
  if (aliased) {
    source = alch_catalog_anonymous(w->catalog);
    alch_builder_define(&b, source, ALCH_DEFINITION_ALIAS, NULL, NULL, table->id);
  }
  alch_builder_open(&b, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&b, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_leaf(&b, ALCH_NODE_COLUMN, 0, source, 0);
  alch_builder_close(&b);
  alch_builder_open(&b, ALCH_NODE_WHERE, 0, 0, 0);
  alch_builder_open(&b, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
  alch_builder_leaf(&b, ALCH_NODE_COLUMN, 0, source, 0);
  alch_builder_bind(&b, ALCH_TYPE_INTEGER, bits, NULL, &value, NULL);
  alch_builder_close(&b);
  alch_builder_close(&b);
  alch_builder_close(&b);
  return finish_block(w, &b, size);
}

/* Compiles and lets go; the address may serve to tell statements apart while the cache holds them. */
static const alch_compiled *compile(world *w, const alch_table *table, bool aliased, uint8_t bits, int64_t number) {
  size_t size;
  alch_compiled *compiled = NULL;
  alch_block *block = select_block(w, table, aliased, bits, number, &size);
  if (!CHECK(block != NULL)) return NULL;
  if (!CHECK_INT(alch_engine_compile(w->engine, w->catalog, block, NULL, NULL, NULL, &compiled, &w->error), ALCH_OK)) printf("# %s\n", alch_error_message(&w->error));
  alch_free(w->allocator, block, size);
  alch_compiled_release(compiled);
  return compiled;
}

CASE("a statement is compiled once, whatever its values and its aliases' numbers") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_table *t = make_table(&w);
    const alch_compiled *plain = compile(&w, t, false, 0, 1), *aliased = compile(&w, t, true, 0, 1);
    CHECK(plain != aliased);
    CHECK(compile(&w, t, false, 0, 2) == plain);
    CHECK(compile(&w, t, true, 0, 3) == aliased);
    alch_cache_info info = alch_engine_cache_info(w.engine);
    CHECK_INT(info.hits, 2);
    CHECK_INT(info.misses, 2);
    CHECK_INT(info.size, 2);
    CHECK_INT(info.capacity, 500);
    alch_engine_cache_clear(w.engine);
    CHECK_INT(alch_engine_cache_info(w.engine).size, 0);
    CHECK(compile(&w, t, false, 0, 2) != NULL);
    CHECK_INT(alch_engine_cache_info(w.engine).misses, 3);
  }
  world_close(&w);
}

CASE("a value that went into the text is not shared") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_table *t = make_table(&w);
    for (int64_t i = 1; i <= 3; i++) {
      size_t size;
      char expected[20];
      alch_compiled *compiled;
      alch_compile_options options = { .literal_binds = true };
      alch_block *block = select_block(&w, t, false, 0, i, &size);
      CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, &options, NULL, NULL, &compiled, &w.error), ALCH_OK);
      snprintf(expected, sizeof expected, "= %d", (int)i);
      CHECK(strstr(compiled->sql, expected) != NULL);
      alch_compiled_release(compiled);
      alch_free(w.allocator, block, size);
      block = select_block(&w, t, false, ALCH_BIND_LITERAL, i, &size);
      CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, NULL, NULL, NULL, &compiled, &w.error), ALCH_OK);
      if (compiled->slot_count == 0) CHECK(strstr(compiled->sql, expected) != NULL);
      alch_compiled_release(compiled);
      alch_free(w.allocator, block, size);
    }
  }
  world_close(&w);
}

static alch_block *insert_block(world *w, const alch_table *table, size_t *size) {
  alch_builder b;
  alch_builder_init(&b, w->allocator);
  alch_builder_start(&b);
  alch_builder_leaf(&b, ALCH_NODE_INSERT, 0, table->id, 0);
  return finish_block(w, &b, size);
}

CASE("the names of the parameters belong to the key") {
  static const char *const ab[] = { "id", "name" }, *const ba[] = { "name", "id" };
  world w;
  if (world_open(&w, "sqlite://")) {
    size_t size;
    alch_compiled *one, *two, *three, *again;
    alch_block *block = insert_block(&w, make_table(&w), &size);
    alch_compile_options options = { .parameter_names = ab, .parameter_count = 2 }, fewer = { .parameter_names = ba, .parameter_count = 1 },
                         turned = { .parameter_names = ba, .parameter_count = 2 };
    CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, &options, NULL, NULL, &one, &w.error), ALCH_OK);
    CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, &fewer, NULL, NULL, &two, &w.error), ALCH_OK);
    CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, &turned, NULL, NULL, &three, &w.error), ALCH_OK);
    CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, &options, NULL, NULL, &again, &w.error), ALCH_OK);
    CHECK(one == again && one != two && one != three && two != three);
    alch_compiled_release(one);
    alch_compiled_release(two);
    alch_compiled_release(three);
    alch_compiled_release(again);
    alch_free(w.allocator, block, size);
  }
  world_close(&w);
}

CASE("the statement used longest ago goes first") {
  world w;
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.cache_size = 3;
  if (CHECK_INT(world_open_with(&w, "sqlite://", &options, NULL), ALCH_OK)) {
    CHECK_INT(scalar(&w, "select 1"), 1);
    CHECK_INT(scalar(&w, "select 2"), 2);
    CHECK_INT(scalar(&w, "select 3"), 3);
    CHECK_INT(scalar(&w, "select 1"), 1);
    CHECK_INT(scalar(&w, "select 4"), 4);
    alch_cache_info info = alch_engine_cache_info(w.engine);
    CHECK_INT(info.evictions, 1);
    CHECK_INT(info.size, 3);
    CHECK_INT(scalar(&w, "select 1"), 1);
    CHECK_INT(alch_engine_cache_info(w.engine).hits, 2);
    CHECK_INT(scalar(&w, "select 2"), 2);
    CHECK_INT(alch_engine_cache_info(w.engine).misses, 5);
  }
  world_close(&w);
}

static alch_status count_plans(void *context, const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, const alch_compile_options *options,
                               const alch_allocator *allocator, alch_compiled **out, alch_error *error) {
  ++*(int *)context;
  return alch_compile(catalog, dialect, block, options, allocator, out, error);
}

CASE("the maker is asked once") {
  world w;
  if (world_open(&w, "sqlite://")) {
    int made = 0;
    alch_table *t = make_table(&w);
    for (int i = 0; i < 3; i++) {
      size_t size;
      alch_compiled *compiled;
      alch_block *block = select_block(&w, t, true, 0, i, &size);
      CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, NULL, count_plans, &made, &compiled, &w.error), ALCH_OK);
      alch_compiled_release(compiled);
      alch_free(w.allocator, block, size);
    }
    CHECK_INT(made, 1);
  }
  world_close(&w);
}

/* ---- prepared handles ---- */

static bool open_mock(world *w, alch_mock **mock, uint32_t prepared) {
  alch_engine_options options;
  alch_engine_options_init(&options);
  *mock = alch_mock_open(&alch_allocator_standard);
  options.driver = alch_mock_driver(*mock);
  options.prepared_size = prepared;
  return CHECK_INT(world_open_with(w, "mock+sqlite://", &options, NULL), ALCH_OK);
}

CASE("a handle is prepared once, and the oldest go when there are too many") {
  world w;
  alch_mock *mock;
  if (open_mock(&w, &mock, 4)) {
    for (int i = 0; i < 3; i++) CHECK_INT(run(&w, "UPDATE a"), ALCH_OK);
    CHECK_INT(alch_mock_open_statements(mock), 2);
    CHECK_INT(run(&w, "UPDATE b"), ALCH_OK);
    CHECK_INT(run(&w, "UPDATE c"), ALCH_OK);
    CHECK_INT(run(&w, "UPDATE d"), ALCH_OK);
    CHECK_INT(alch_mock_open_statements(mock), 4);
    CHECK_INT(w.connection->link->prepared.evictions, 1);
    CHECK_INT(run(&w, "UPDATE a"), ALCH_OK);
    CHECK_INT(w.connection->link->prepared.evictions, 1);
  }
  world_close(&w);
  CHECK_INT(alch_mock_open_statements(mock), 0);
  alch_mock_close(mock);
}

CASE("a handle in use is not given to another") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_execution executions[10];
    for (int i = 0; i < 10; i++) {
      alch_execution_init(&executions[i], w.allocator);
      CHECK_INT(start_on(&w, w.connection, &executions[i], "select 1 union select 2", NULL, 0), ALCH_OK);
    }
    CHECK_INT(w.connection->link->prepared.count, 10);
    for (int round = 1; round <= 2; round++)
      for (int i = 0; i < 10; i++) {
        CHECK_INT(next_of(&executions[i], &w.error), ALCH_ROW);
        CHECK_INT(executions[i].row[0].integer, round);
      }
    for (int i = 0; i < 10; i++) alch_execution_destroy(&executions[i]);
    CHECK_INT(run(&w, "select 1 union select 2"), ALCH_OK);
    CHECK_INT(w.connection->link->prepared.count, 10);
  }
  world_close(&w);
}

CASE("with all handles in use there are more than there should be, for a while") {
  world w;
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.prepared_size = 2;
  if (CHECK_INT(world_open_with(&w, "sqlite://", &options, NULL), ALCH_OK)) {
    alch_execution executions[5];
    for (int i = 0; i < 5; i++) {
      alch_execution_init(&executions[i], w.allocator);
      CHECK_INT(start_on(&w, w.connection, &executions[i], "select 1", NULL, 0), ALCH_OK);
    }
    CHECK_INT(w.connection->link->prepared.count, 5);
    for (int i = 0; i < 5; i++) alch_execution_destroy(&executions[i]);
    CHECK_INT(w.connection->link->prepared.count, 2);
  }
  world_close(&w);
}

/* ---- lists ---- */

static alch_block *in_block(world *w, const alch_table *table, const int64_t *items, int64_t count, int64_t more, size_t *size) {
  alch_builder b;
  alch_value list = { .kind = ALCH_LIST, .integer = count }, values[100], limit = alch_value_integer(more);
  for (int64_t i = 0; i < count; i++) values[i] = alch_value_integer(items[i]);
  alch_builder_init(&b, w->allocator);
  alch_builder_start(&b);
  alch_builder_open(&b, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&b, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_leaf(&b, ALCH_NODE_COLUMN, 0, table->id, 0);
  alch_builder_close(&b);
  alch_builder_open(&b, ALCH_NODE_WHERE, 0, 0, 0);
  alch_builder_open(&b, ALCH_NODE_BINARY, ALCH_OPERATOR_IN, 0, ALCH_TYPE_BOOLEAN);
  alch_builder_leaf(&b, ALCH_NODE_COLUMN, 0, table->id, 0);
  alch_builder_bind(&b, ALCH_TYPE_INTEGER, ALCH_BIND_EXPANDING, NULL, &list, values);
  alch_builder_close(&b);
  alch_builder_close(&b);
  alch_builder_open(&b, ALCH_NODE_LIMIT, 0, 0, 0);
  alch_builder_bind(&b, ALCH_TYPE_INTEGER, 0, NULL, &limit, NULL);
  alch_builder_close(&b);
  alch_builder_close(&b);
  return finish_block(w, &b, size);
}

static int count_rows(world *w, alch_status status) {
  int rows = 0;
  if (!CHECK_INT(status, ALCH_OK)) printf("# %s\n", alch_error_message(&w->error));
  while (status >= 0 && (status = next_of(&w->execution, &w->error)) == ALCH_ROW) rows++;
  return rows;
}

CASE("a list of any length is one compiled statement, with a handle for each length") {
  static const int64_t items[] = { 1, 2, 3, 4, 5, 6 };
  static const int64_t lengths[] = { 1, 3, 0, 3, 6, 1 };
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_table *t = make_table(&w);
    CHECK_INT(run(&w, "create table t (id integer primary key, name text)"), ALCH_OK);
    CHECK_INT(run(&w, "insert into t (id) values (1), (2), (3), (4)"), ALCH_OK);
    for (size_t i = 0; i < ALCH_COUNT(lengths); i++) {
      size_t size;
      alch_compiled *compiled;
      alch_block *block = in_block(&w, t, items, lengths[i], 100, &size);
      CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, NULL, NULL, NULL, &compiled, &w.error), ALCH_OK);
      int expected = lengths[i] < 4 ? (int)lengths[i] : 4;
      CHECK_INT(count_rows(&w, alch_execution_start(&w.execution, w.connection, compiled, block, NULL, &w.error)), expected);
      /* and the same with the values in the hand */
      alch_value values[10] = { { .kind = ALCH_LIST, .integer = lengths[i] } };
      for (int64_t j = 0; j < lengths[i]; j++) values[1 + j] = alch_value_integer(items[j]);
      values[1 + lengths[i]] = alch_value_integer(2);
      CHECK_INT(count_rows(&w, alch_execution_run(&w.execution, w.connection, compiled, values, (uint32_t)lengths[i] + 2, &w.error)), expected < 2 ? expected : 2);
      CHECK_INT(alch_execution_run(&w.execution, w.connection, compiled, values, (uint32_t)lengths[i] + 1, &w.error), ALCH_ERROR);
      alch_compiled_release(compiled);
      alch_free(w.allocator, block, size);
    }
    CHECK_INT(alch_engine_cache_info(w.engine).hits, ALCH_COUNT(lengths) - 1);
    CHECK_INT(w.connection->link->prepared.count, 7);
  }
  world_close(&w);
}

static alch_status give_list(void *context, const alch_slot *slot, alch_value *out, alch_error *error) {
  (void)slot, (void)error;
  *out = (alch_value){ .kind = ALCH_LIST, .integer = *(int64_t *)context };
  return ALCH_OK;
}

static alch_status give_item(void *context, const alch_slot *slot, uint32_t index, alch_value *out, alch_error *error) {
  static const char *const names[] = { "a", "b", "c" };
  (void)context, (void)slot, (void)error;
  *out = alch_value_text(names[index % 3], 1);
  return ALCH_OK;
}

CASE("a list may be given by name") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_builder b;
    size_t size;
    alch_compiled *compiled;
    alch_value none = { .kind = ALCH_LIST };
    int64_t length = 2;
    alch_parameters parameters = { .context = &length, .named = give_list, .item = give_item };
    CHECK_INT(run(&w, "create table t (name text)"), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values ('a'), ('b'), ('c')"), ALCH_OK);
    alch_builder_init(&b, w.allocator);
    alch_builder_start(&b);
    static const char sql[] = "select name from t where name in :names";
    alch_builder_open_text(&b, ALCH_NODE_TEXT, 0, 0, 0, sql, sizeof sql - 1);
    alch_builder_bind(&b, ALCH_TYPE_STRING, ALCH_BIND_EXPANDING | ALCH_BIND_NAMED, "names", &none, NULL);
    alch_builder_close(&b);
    alch_block *block = finish_block(&w, &b, &size);
    if (CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, NULL, NULL, NULL, &compiled, &w.error), ALCH_OK))
      for (; length <= 3; length++) CHECK_INT(count_rows(&w, alch_execution_start(&w.execution, w.connection, compiled, block, &parameters, &w.error)), length);
    alch_compiled_release(compiled);
    alch_free(w.allocator, block, size);
  }
  world_close(&w);
}
