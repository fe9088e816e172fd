#include "engine_support.h"
#include "engine/drivers/mock.h"
#include <pthread.h>

static void pool_options(alch_engine_options *options, uint32_t size, int32_t overflow, int64_t timeout) {
  alch_engine_options_init(options);
  options->pool_size = size;
  options->max_overflow = overflow;
  options->pool_timeout = timeout;
}

static bool open_with(world *w, const alch_engine_options *options, const char *url) {
  return CHECK_INT(world_open_with(w, url, options, NULL), ALCH_OK);
}

static alch_driver_connection *raw(const alch_connection *connection) {
  return alch_connection_driver_connection(connection);
}

CASE("connections are made until the limit, and then waited for until the time is out") {
  world w;
  alch_engine_options options;
  pool_options(&options, 1, 1, 30000);
  if (open_with(&w, &options, "mock+sqlite://")) {
    alch_connection *second = NULL, *third = NULL;
    CHECK_INT(world_connect(&w, &second), ALCH_OK);
    int64_t before = alch_clock_microseconds();
    CHECK_INT(alch_engine_connect(w.engine, &third, &w.error), ALCH_WAIT);
    CHECK_INT(world_connect(&w, &third), ALCH_ERROR);
    CHECK(alch_clock_microseconds() - before >= 30000);
    CHECK(third == NULL);
    CHECK_TEXT(error_name(&w), "TimeoutError");
    CHECK_TEXT(alch_error_message(&w.error), "all 2 connections of the pool are in use (pool_size 1, max_overflow 1) and none came free within 0.03 s: close connections as soon as they are done with (engine:begin does), or allow more");
    alch_pool_status status = alch_engine_pool_status(w.engine);
    CHECK_INT(status.size, 1);
    CHECK_INT(status.in_use, 2);
    CHECK_INT(status.overflow, 1);
    alch_connection_close(second);
    status = alch_engine_pool_status(w.engine);
    CHECK_INT(status.idle, 1);
    CHECK_INT(status.in_use, 1);
    alch_connection_close(w.connection);   /* one more than the pool keeps */
    w.connection = NULL;
    status = alch_engine_pool_status(w.engine);
    CHECK_INT(status.idle, 1);
    CHECK_INT(status.in_use, 0);
  }
  world_close(&w);
}

CASE("without a time to wait, exhaustion is an error at once") {
  world w;
  alch_engine_options options;
  pool_options(&options, 1, 0, 0);
  if (open_with(&w, &options, "mock+sqlite://")) {
    alch_connection *second = NULL;
    CHECK_INT(alch_engine_connect(w.engine, &second, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "TimeoutError");
  }
  world_close(&w);
}

CASE("a connection that comes back goes to the first who waits, and wakes him through a descriptor") {
  world w;
  alch_engine_options options;
  alch_wait wait;
  pool_options(&options, 1, 0, 10000000);
  if (open_with(&w, &options, "mock+sqlite://")) {
    alch_connection *second = NULL, *third = NULL, *fourth = NULL;
    alch_driver_connection *only = raw(w.connection);
    CHECK_INT(alch_engine_connect(w.engine, &second, &w.error), ALCH_WAIT);
    CHECK_INT(alch_engine_connect(w.engine, &third, &w.error), ALCH_WAIT);
    alch_connection_waits_for(second, &wait);
    CHECK(wait.descriptor >= 0 && wait.events == ALCH_WAIT_READ && wait.microseconds > 9000000);
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK_INT(alch_connection_wait(second, &w.error), ALCH_OK);
    CHECK_INT(alch_engine_connect(w.engine, &fourth, &w.error), ALCH_WAIT);
    CHECK_INT(alch_engine_connect(w.engine, &third, &w.error), ALCH_WAIT);
    CHECK_INT(alch_engine_connect(w.engine, &second, &w.error), ALCH_OK);
    CHECK(raw(second) == only);
    /* who gives up hands on what was meant for him */
    alch_connection_close(second);
    alch_connection_close(third);
    CHECK_INT(alch_engine_connect(w.engine, &fourth, &w.error), ALCH_OK);
    CHECK(raw(fourth) == only);
    /* and what is broken makes room for a new one */
    CHECK_INT(alch_engine_connect(w.engine, &w.connection, &w.error), ALCH_WAIT);
    alch_connection_invalidate(fourth);
    alch_connection_close(fourth);
    CHECK_INT(alch_engine_connect(w.engine, &w.connection, &w.error), ALCH_OK);
  }
  world_close(&w);
}

/* Which of two idle connections goes out first. */
static void check_order(bool lifo) {
  world w;
  alch_engine_options options;
  pool_options(&options, 2, 0, 0);
  options.use_lifo = lifo;
  if (open_with(&w, &options, "mock+sqlite://")) {
    alch_connection *second = NULL;
    CHECK_INT(world_connect(&w, &second), ALCH_OK);
    alch_driver_connection *first_back = raw(w.connection), *last_back = raw(second);
    alch_connection_close(w.connection);
    alch_connection_close(second);
    w.connection = NULL;
    CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
    CHECK(raw(w.connection) == (lifo ? last_back : first_back));
  }
  world_close(&w);
}

CASE("the one idle longest goes out first, or the one used last where that is asked for") {
  check_order(false);
  check_order(true);
}

CASE("a null pool keeps nothing") {
  world w;
  alch_engine_options options;
  alch_mock *mock = alch_mock_open(&alch_allocator_standard);
  alch_engine_options_init(&options);
  options.pool = "null";
  options.driver = alch_mock_driver(mock);
  if (open_with(&w, &options, "mock+sqlite://")) {
    alch_connection *more[30] = { NULL };
    for (int i = 0; i < 30; i++) CHECK_INT(world_connect(&w, &more[i]), ALCH_OK);
    CHECK_INT(alch_mock_open_connections(mock), 31);
    for (int i = 0; i < 30; i++) alch_connection_close(more[i]);
    CHECK_INT(alch_mock_open_connections(mock), 1);
  }
  world_close(&w);
  alch_mock_close(mock);
}

CASE("a static pool has one connection for all of a thread") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_connection *second = NULL;
    CHECK_INT(world_connect(&w, &second), ALCH_OK);
    CHECK(second != w.connection && raw(second) == raw(w.connection));
    CHECK_INT(alch_engine_pool_status(w.engine).in_use, 1);
    alch_connection_close(second);
    CHECK_INT(alch_engine_pool_status(w.engine).in_use, 1);
    CHECK_INT(run(&w, "create table t (a)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK_INT(alch_engine_pool_status(w.engine).idle, 1);
    CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
    CHECK_INT(scalar(&w, "select count(*) from t"), 0);
  }
  world_close(&w);
}

CASE("pools have names") {
  world w;
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.pool = "queu";
  CHECK_INT(world_open_with(&w, "sqlite://", &options, NULL), ALCH_ERROR);
  CHECK_TEXT(error_name(&w), "ArgumentError");
  world_close(&w);
}

CASE("disposing closes what is idle, and what is in use when it comes back") {
  world w;
  alch_engine_options options;
  alch_mock *mock = alch_mock_open(&alch_allocator_standard);
  alch_engine_options_init(&options);
  options.driver = alch_mock_driver(mock);
  if (open_with(&w, &options, "mock+sqlite://")) {
    alch_connection *second = NULL;
    CHECK_INT(world_connect(&w, &second), ALCH_OK);
    alch_connection_close(second);
    CHECK_INT(alch_mock_open_connections(mock), 2);
    alch_engine_dispose(w.engine, true);
    CHECK_INT(alch_mock_open_connections(mock), 1);
    CHECK_INT(run(&w, "UPDATE t"), ALCH_OK);
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK_INT(alch_mock_open_connections(mock), 0);
    CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
    CHECK_INT(alch_mock_open_connections(mock), 1);
  }
  world_close(&w);
  alch_mock_close(mock);
}

CASE("a connection keeps its engine alive") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_engine_release(w.engine);
    CHECK_INT(scalar(&w, "select 1"), 1);
    w.engine = NULL;
  }
  world_close(&w);
}

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 40 };

typedef struct worker {
  world w;              /* engine borrowed, catalog and connection its own */
  int64_t number;
  int failures;
  pthread_t thread;
} worker;

static alch_status work_once(worker *one, int64_t round) {
  world *w = &one->w;
  alch_value values[2] = { alch_value_integer(one->number), alch_value_integer(round) };
  alch_status status = world_connect(w, &w->connection);
  if (status == ALCH_OK) status = start(w, "insert into t values (:a, :b)", values, 2);
  if (status == ALCH_OK) status = alch_connection_commit(w->connection, 1, &w->error);
  alch_connection_close(w->connection);
  w->connection = NULL;
  return status;
}

static void *work(void *argument) {
  worker *one = argument;
  for (int64_t round = 0; round < ROUNDS; round++)
    if (work_once(one, round) != ALCH_OK) one->failures++;
  return NULL;
}

CASE("threads share engine, pool and cache") {
  world w;
  temporary t;
  static worker workers[THREADS];
  alch_engine_options options;
  pool_options(&options, 2, 1, 60000000);
  if (!make_temporary(&t, "?timeout=60&journal_mode=wal&synchronous=off")) return;
  if (open_with(&w, &options, t.url)) {
    CHECK_INT(run(&w, "create table t (worker integer, round integer)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    for (int i = 0; i < THREADS; i++) {
      workers[i] = (worker){ .w = { .allocator = &alch_allocator_standard, .engine = w.engine, .catalog = alch_catalog_open(w.allocator) }, .number = i };
      alch_error_init(&workers[i].w.error, w.allocator);
      alch_execution_init(&workers[i].w.execution, w.allocator);
      CHECK_INT(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
      pthread_join(workers[i].thread, NULL);
      if (!CHECK_INT(workers[i].failures, 0)) printf("# %s\n", alch_error_message(&workers[i].w.error));
      alch_execution_destroy(&workers[i].w.execution);
      alch_catalog_close(workers[i].w.catalog);
      alch_error_close(&workers[i].w.error);
    }
    CHECK_INT(scalar(&w, "select count(*) from t"), THREADS * ROUNDS);
    CHECK(alch_engine_pool_status(w.engine).in_use + alch_engine_pool_status(w.engine).idle <= 3);
    alch_cache_info info = alch_engine_cache_info(w.engine);
    CHECK_INT(info.hits, THREADS * (ROUNDS - 1));
    CHECK_INT(info.size, THREADS + 2);
  }
  world_close(&w);
  remove_temporary(&t);
}

typedef struct visitor { alch_engine *engine; alch_status status; } visitor;

static void *visit(void *argument) {
  visitor *one = argument;
  alch_connection *connection = NULL;
  alch_error error;
  alch_error_init(&error, NULL);
  while ((one->status = alch_engine_connect(one->engine, &connection, &error)) == ALCH_WAIT) alch_connection_wait(connection, &error);
  if (one->status == ALCH_OK) one->status = alch_connection_run_text(connection, "insert into t values (1)", 24, &error);
  if (one->status == ALCH_OK) one->status = alch_connection_commit(connection, 1, &error);
  alch_connection_close(connection);
  alch_error_close(&error);
  return NULL;
}

CASE("a database in memory is lent to one thread after another") {
  world w;
  if (world_open(&w, "sqlite://")) {
    pthread_t threads[THREADS];
    visitor visitors[THREADS];
    CHECK_INT(run(&w, "create table t (a)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    for (int i = 0; i < THREADS; i++) {
      visitors[i] = (visitor){ w.engine, ALCH_ERROR };
      CHECK_INT(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
    }
    usleep(20000);
    CHECK_INT(scalar(&w, "select count(*) from t"), 0);
    alch_connection_close(w.connection);
    w.connection = NULL;
    for (int i = 0; i < THREADS; i++) {
      pthread_join(threads[i], NULL);
      CHECK_INT(visitors[i].status, ALCH_OK);
    }
    CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
    CHECK_INT(scalar(&w, "select count(*) from t"), THREADS);
  }
  world_close(&w);
}
