/* Connections with a thread of their own (worker=1): the same as without, however often one is left in the middle, from several threads at once, in a forked child. */
#include "engine/embedded.h"
#include "engine_support.h"
#include <pthread.h>
#include <sys/wait.h>

static char path[64], url[128];

static void make_file(const char *options) {
  snprintf(path, sizeof path, "/tmp/alch_worker_XXXXXX");
  int descriptor = mkstemp(path);
  CHECK(descriptor >= 0);
  close(descriptor);
  snprintf(url, sizeof url, "sqlite:///%s?worker=1&timeout=30%s", path, options);
}

static void remove_file(void) {
  static const char *const endings[] = { "", "-journal" };
  char name[80];
  for (size_t i = 0; i < ALCH_COUNT(endings); i++) {
    snprintf(name, sizeof name, "%s%s", path, endings[i]);
    unlink(name);
  }
}

static const char numbers[] = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000) select i, 'text ' || i from n";
static const char endless[] = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";

/* Reads so many rows and leaves the rest; all of them when it is more than there are. */
static void read_numbers(world *w, uint32_t count) {
  if (!CHECK_INT(start(w, numbers, NULL, 0), ALCH_OK)) return;
  for (uint32_t i = 1; i <= count; i++) {
    alch_status status = next_of(&w->execution, &w->error);
    if (i > 3000) {
      CHECK_INT(status, ALCH_DONE);
      return;
    }
    char text[20];
    snprintf(text, sizeof text, "text %u", i);
    if (!CHECK_INT(status, ALCH_ROW) || !CHECK_INT(w->execution.row[0].integer, i)) return;
    CHECK_INT(w->execution.row[1].length, strlen(text));
    CHECK_BYTES(w->execution.row[1].text, text, strlen(text));
  }
  alch_execution_close(&w->execution);
}

CASE("rows come as they are, to whoever reads all of them or leaves") {
  world w;
  if (world_open(&w, "sqlite://?worker=1")) {
    for (uint32_t i = 0; i < 40; i++) read_numbers(&w, check_random_below(2) ? 3001 : check_random_below(3000));
  }
  world_close(&w);
}

/* Starts something that does not end, lets it run for a while, and leaves. */
static void leave_endless(world *w, bool close_connection) {
  alch_compiled *compiled = NULL;
  CHECK_INT(compile_text(w, endless, &compiled), ALCH_OK);
  alch_status status = alch_execution_start(&w->execution, w->connection, compiled, NULL, NULL, &w->error);
  for (uint32_t i = check_random_below(8); i > 0 && status == ALCH_WAIT; i--) {
    alch_wait wait;
    alch_connection_waits_for(w->connection, &wait);
    CHECK(wait.descriptor >= 0);
    wait.microseconds = 500;
    alch_wait_for(&wait, NULL);
    status = alch_execution_start_poll(&w->execution, &w->error);
  }
  CHECK_INT(status, ALCH_WAIT);
  if (close_connection) {
    alch_connection_close(w->connection);
    w->connection = NULL;
  } else alch_execution_close(&w->execution);
  alch_execution_close(&w->execution);
  alch_compiled_release(compiled);
}

CASE("what is left in the middle ends, and the next statement runs") {
  world w;
  if (world_open(&w, "sqlite://?worker=1")) {
    for (int i = 0; i < 30; i++) {
      leave_endless(&w, false);
      read_numbers(&w, 20);
    }
  }
  world_close(&w);
}

CASE("a connection that is closed in the middle does not hold anybody up") {
  world w;
  make_file("");
  if (world_open(&w, url)) {
    for (int i = 0; i < 15; i++) {
      int64_t begun = alch_clock_microseconds();
      leave_endless(&w, true);
      CHECK(alch_clock_microseconds() - begun < 5000000);
      CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
      read_numbers(&w, 20);
    }
  }
  world_close(&w);
  remove_file();
}

/* ---- several threads ---- */

enum { THREADS = 4, ROUNDS = 25 };

typedef struct bystander { world w; } bystander;

static void *use(void *context) {
  bystander *one = context;
  world *w = &one->w;
  for (int i = 0; i < ROUNDS; i++) {
    w->connection = NULL;
    if (!CHECK_INT(world_connect(w, &w->connection), ALCH_OK)) break;
    read_numbers(w, 1 + (uint32_t)i * 100);
    if (i % 5 == 4) leave_endless(w, false);
    CHECK_INT(run(w, "insert into t values (1)"), ALCH_OK);
    uint32_t level = 1;
    alch_status status;
    while ((status = i % 2 ? alch_connection_commit(w->connection, level, &w->error) : alch_connection_rollback(w->connection, level, &w->error)) == ALCH_WAIT)
      alch_connection_wait(w->connection, NULL);
    CHECK_INT(status, ALCH_OK);
    alch_connection_close(w->connection);
  }
  w->connection = NULL;
  return NULL;
}

CASE("threads share an engine whose connections have threads") {
  world w;
  make_file("&begin=immediate");
  if (world_open(&w, url)) {
    CHECK_INT(run(&w, "create table t (i)"), ALCH_OK);
    alch_status status;
    while ((status = alch_connection_commit(w.connection, 1, &w.error)) == ALCH_WAIT) alch_connection_wait(w.connection, NULL);
    CHECK_INT(status, ALCH_OK);
    static bystander all[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
      all[i] = (bystander){ .w = { .allocator = w.allocator, .engine = w.engine, .catalog = alch_catalog_open(w.allocator) } };
      alch_error_init(&all[i].w.error, w.allocator);
      alch_execution_init(&all[i].w.execution, w.allocator);
      pthread_create(&threads[i], NULL, use, &all[i]);
    }
    for (int i = 0; i < THREADS; i++) {
      pthread_join(threads[i], NULL);
      alch_execution_destroy(&all[i].w.execution);
      alch_catalog_close(all[i].w.catalog);
      alch_error_close(&all[i].w.error);
    }
    CHECK_INT(start(&w, "select count(*) from t", NULL, 0), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(w.execution.row[0].integer, THREADS * (ROUNDS / 2));
  }
  world_close(&w);
  remove_file();
}

/* ---- functions of the host ---- */

typedef struct host { pthread_t owner; int calls, releases, states; int fails_at; } host;

static alch_status call(void *context, alch_function_call *one) {
  host *h = context;
  CHECK(pthread_equal(h->owner, pthread_self()));
  if (one->discarded) {
    if (one->state && *one->state) h->states--;
    return ALCH_OK;
  }
  h->calls++;
  if (h->calls == h->fails_at) return ALCH_HOST_ERROR;
  if (one->phase == ALCH_FUNCTION_STEP) {
    if (!*one->state) h->states++;
    *one->state += 1;
    return ALCH_OK;
  }
  alch_value value = alch_value_integer(one->phase == ALCH_FUNCTION_FINISH ? *one->state : one->arguments[0].integer * 2);
  if (one->phase == ALCH_FUNCTION_FINISH && *one->state) h->states--;
  one->answer(one, &value);
  return ALCH_OK;
}

static void release(void *context) {
  host *h = context;
  CHECK(pthread_equal(h->owner, pthread_self()));
  h->releases++;
}

static void add_functions(world *w, host *h) {
  const alch_embedded *embedded = alch_connection_embedded(w->connection);
  alch_user_function plain = { .name = "twice", .arguments = 1, .context = h, .call = call, .release = release };
  alch_user_function sum = { .name = "many", .arguments = 1, .aggregate = true, .context = h, .call = call, .release = release };
  CHECK_INT(embedded->create_function(alch_connection_driver_connection(w->connection), &plain, &w->error), ALCH_OK);
  CHECK_INT(embedded->create_function(alch_connection_driver_connection(w->connection), &sum, &w->error), ALCH_OK);
}

CASE("functions of the host are called, and released, by the thread that polls") {
  world w;
  host h = { .owner = pthread_self() };
  if (world_open(&w, "sqlite://?worker=1")) {
    add_functions(&w, &h);
    CHECK_INT(start(&w, "select twice(21), many(column1) from (values (1), (2), (3))", NULL, 0), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(w.execution.row[0].integer, 42);
    CHECK_INT(w.execution.row[1].integer, 3);
    alch_execution_close(&w.execution);
    h.fails_at = h.calls + 2;
    CHECK_INT(start(&w, "select many(column1) from (values (1), (2), (3))", NULL, 0), ALCH_HOST_ERROR);
    CHECK_INT(start(&w, "select 1", NULL, 0), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(h.states, 0);
    add_functions(&w, &h);
    CHECK_INT(h.releases, 2);
  }
  world_close(&w);
  CHECK_INT(h.releases, 4);
}

CASE("a statement that is left while its function is asked for ends") {
  world w;
  host h = { .owner = pthread_self() };
  if (world_open(&w, "sqlite://?worker=1")) {
    add_functions(&w, &h);
    for (int i = 0; i < 20; i++) {
      alch_compiled *compiled = NULL;
      CHECK_INT(compile_text(&w, "select twice(1)", &compiled), ALCH_OK);
      alch_status status = alch_execution_start(&w.execution, w.connection, compiled, NULL, NULL, &w.error);
      if (status == ALCH_WAIT && i % 2) alch_connection_wait(w.connection, NULL);
      alch_execution_close(&w.execution);
      alch_compiled_release(compiled);
    }
    read_numbers(&w, 5);
  }
  world_close(&w);
  CHECK_INT(h.releases, 2);
}

/* ---- a child ---- */

static bool works(world *w) {
  alch_execution_close(&w->execution);
  alch_connection_close(w->connection);
  w->connection = NULL;
  bool fine = world_connect(w, &w->connection) == ALCH_OK && start(w, "select 7", NULL, 0) == ALCH_OK && next_of(&w->execution, &w->error) == ALCH_ROW && w->execution.row[0].integer == 7;
  alch_execution_close(&w->execution);
  alch_connection_close(w->connection);
  alch_engine_dispose(w->engine, true);
  return fine;
}

static void check_child(world *w) {
  pid_t child = fork();
  if (child == 0) _exit(works(w) ? 0 : 1);
  int code = 1;
  CHECK(waitpid(child, &code, 0) == child);
  CHECK_INT(code, 0);
}

CASE("a forked child makes threads of its own, and ends without its parent's") {
  world w;
  make_file("");
  if (world_open(&w, url)) {
    for (int i = 0; i < 10; i++) {
      read_numbers(&w, 10);   /* and the thread has something left to do */
      check_child(&w);
    }

    read_numbers(&w, 3001);
  }
  world_close(&w);
  remove_file();
}
