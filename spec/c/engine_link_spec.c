/* How long links live: age, signs of life, generations, resets, detached ones, forks. */
#include "engine_support.h"
#include "engine/drivers/mock.h"
#include "engine/private.h"
#include <sys/wait.h>

typedef struct scene {
  world w;
  alch_mock *mock;
  alch_engine_options options;
  char heard[512];
} scene;

static void begin_scene(scene *s) {
  *s = (scene){ .mock = alch_mock_open(&alch_allocator_standard) };
  alch_engine_options_init(&s->options);
  s->options.driver = alch_mock_driver(s->mock);
}

static bool open_scene(scene *s) {
  return CHECK_INT(world_open_with(&s->w, "mock+sqlite://", &s->options, NULL), ALCH_OK);
}

static void end_scene(scene *s) {
  world_close(&s->w);
  alch_mock_close(s->mock);
}

static void give_back(scene *s) {
  alch_connection_close(s->w.connection);
  s->w.connection = NULL;
}

static bool take(scene *s) {
  return CHECK_INT(world_connect(&s->w, &s->w.connection), ALCH_OK);
}

static alch_link *link_of(const scene *s) {
  return s->w.connection->link;
}

CASE("a connection that is too old is replaced when it is asked for again") {
  scene s;
  begin_scene(&s);
  s.options.pool_recycle = 60000000;
  if (open_scene(&s)) {
    give_back(&s);
    CHECK(take(&s));
    CHECK_INT(alch_mock_count_calls(s.mock).closed, 0);
    link_of(&s)->connected_at -= 61000000;
    CHECK_INT(run(&s.w, "SELECT 1"), ALCH_OK);
    give_back(&s);
    CHECK(take(&s));
    CHECK_INT(alch_mock_count_calls(s.mock).closed, 1);
    CHECK_INT(alch_mock_open_connections(s.mock), 1);
    CHECK_INT(alch_engine_pool_status(s.w.engine).in_use, 1);
  }
  end_scene(&s);
}

CASE("a connection that was idle for a while is asked for a sign of life") {
  scene s;
  begin_scene(&s);
  s.options.pool_pre_ping = true;
  if (open_scene(&s)) {
    give_back(&s);
    CHECK(take(&s));
    CHECK_INT(alch_mock_count_calls(s.mock).pings, 0);
    alch_link *link = link_of(&s);
    give_back(&s);
    link->used_at -= 2000000;
    alch_mock_wait(s.mock, ALCH_MOCK_START, 2);
    CHECK(take(&s));
    CHECK_INT(alch_mock_count_calls(s.mock).pings, 1);
    CHECK(link_of(&s) == link);
  }
  end_scene(&s);
}

CASE("a driver without a ping of its own is asked for a row, and who loses patience leaves nothing behind") {
  scene s;
  begin_scene(&s);
  s.options.pool_pre_ping = true;
  ((alch_driver *)(uintptr_t)s.options.driver)->ping = NULL;
  if (open_scene(&s)) {
    alch_link *link = link_of(&s);
    give_back(&s);
    link->used_at = 0;
    CHECK(take(&s));
    CHECK_TEXT(alch_mock_sql(s.mock, alch_mock_count(s.mock) - 1), "SELECT 1");
    CHECK(link_of(&s) == link);
    give_back(&s);
    link->used_at = 0;
    alch_mock_wait(s.mock, ALCH_MOCK_START, 5);
    CHECK_INT(alch_engine_connect(s.w.engine, &s.w.connection, &s.w.error), ALCH_WAIT);
    give_back(&s);
    CHECK_INT(alch_mock_open_connections(s.mock), 0);
    CHECK_INT(alch_mock_open_statements(s.mock), 0);
    CHECK(take(&s));
    link = link_of(&s);
    give_back(&s);
    link->used_at = 0;
    CHECK_INT(alch_engine_connect(s.w.engine, &s.w.connection, &s.w.error), ALCH_WAIT);
    s.w.connection->deadline = 0;
    CHECK_INT(alch_engine_connect(s.w.engine, &s.w.connection, &s.w.error), ALCH_OK);
    CHECK_INT(alch_mock_open_connections(s.mock), 1);
    CHECK_INT(run(&s.w, "SELECT 1"), ALCH_OK);
  }
  end_scene(&s);
}

CASE("one that gives none is replaced, and so are those of its age, without an error") {
  scene s;
  begin_scene(&s);
  s.options.pool_pre_ping = true;
  if (open_scene(&s)) {
    alch_connection *second = NULL, *third = NULL;
    CHECK_INT(world_connect(&s.w, &second), ALCH_OK);
    CHECK_INT(world_connect(&s.w, &third), ALCH_OK);
    link_of(&s)->used_at = 0;
    alch_link *first = link_of(&s);
    give_back(&s);
    alch_connection_close(second);
    first->used_at = 0;
    alch_mock_kill(s.mock);
    CHECK(take(&s));
    CHECK(!s.w.error.set);
    CHECK_INT(run(&s.w, "SELECT 1"), ALCH_OK);
    CHECK_INT(alch_mock_open_connections(s.mock), 2);   /* the third is in use */
    alch_connection_close(third);
    CHECK_INT(alch_mock_open_connections(s.mock), 1);
    CHECK_INT(alch_engine_pool_status(s.w.engine).in_use, 1);
    CHECK_INT(alch_engine_pool_status(s.w.engine).idle, 0);
  }
  end_scene(&s);
}

CASE("a statement that finds its connection dead takes the idle ones of its age along") {
  scene s;
  begin_scene(&s);
  if (open_scene(&s)) {
    alch_connection *second = NULL, *third = NULL;
    CHECK_INT(world_connect(&s.w, &second), ALCH_OK);
    CHECK_INT(world_connect(&s.w, &third), ALCH_OK);
    alch_connection_close(second);
    alch_mock_kill(s.mock);
    CHECK_INT(run(&s.w, "SELECT 1"), ALCH_ERROR);
    CHECK(s.w.error.disconnected);
    CHECK_INT(alch_mock_open_connections(s.mock), 2);
    CHECK(alch_connection_is_invalidated(s.w.connection));
    give_back(&s);
    CHECK(take(&s));
    alch_link *fresh = link_of(&s);
    give_back(&s);
    /* the other one finds out later, and the new generation is not blamed for it */
    CHECK_INT(run_on(&s.w, third, "SELECT 1"), ALCH_ERROR);
    alch_connection_close(third);
    CHECK(take(&s));
    CHECK(link_of(&s) == fresh);
    CHECK_INT(run(&s.w, "SELECT 1"), ALCH_OK);
  }
  end_scene(&s);
}

CASE("a commit whose answer is lost may have happened") {
  scene s;
  begin_scene(&s);
  if (open_scene(&s)) {
    CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_OK);
    alch_mock_kill(s.mock);
    CHECK_INT(alch_connection_commit(s.w.connection, 1, &s.w.error), ALCH_ERROR);
    CHECK(s.w.error.outcome_unknown && !s.w.error.retryable && s.w.error.disconnected);
    CHECK_INT(run(&s.w, "SELECT 1"), ALCH_ERROR);
    CHECK(!s.w.error.outcome_unknown);
    CHECK_TEXT(error_name(&s.w), "PendingRollbackError");
  }
  end_scene(&s);
}

CASE("a commit whose answer is lost is never tried again, whatever was said before the end") {
  scene s;
  begin_scene(&s);
  alch_mock_set_sqlstate(s.mock, "40001");
  if (open_scene(&s)) {
    CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_OK);
    alch_mock_fail(s.mock, 1, ALCH_ERROR_OPERATIONAL, true, true);
    CHECK_INT(alch_connection_commit(s.w.connection, 1, &s.w.error), ALCH_ERROR);
    CHECK(s.w.error.outcome_unknown && !s.w.error.retryable);
  }
  end_scene(&s);
}

CASE("serialization failures and deadlocks may be tried again") {
  static const struct { const char *sqlstate; bool retryable; } rows[] = { { "40001", true }, { "40P01", true }, { "23505", false }, { "", false } };
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) {
    scene s;
    begin_scene(&s);
    alch_mock_set_sqlstate(s.mock, rows[i].sqlstate);
    if (open_scene(&s)) {
      alch_mock_fail(s.mock, 3, ALCH_ERROR_OPERATIONAL, false, true);
      CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_ERROR);
      CHECK_INT(s.w.error.retryable, rows[i].retryable);
    }
    end_scene(&s);
  }
}

/* The last statement when a connection comes back in a transaction. */
static const char *last_after(alch_reset reset, scene *s) {
  begin_scene(s);
  s->options.reset_on_return = reset;
  if (!open_scene(s)) return NULL;
  CHECK_INT(run(&s->w, "INSERT INTO t"), ALCH_OK);
  give_back(s);
  return alch_mock_sql(s->mock, alch_mock_count(s->mock) - 1);
}

CASE("what is open when a connection comes back is rolled back, or committed where that is asked for") {
  scene s;
  CHECK_TEXT(last_after(ALCH_RESET_ROLLBACK, &s), "ROLLBACK");
  end_scene(&s);
  CHECK_TEXT(last_after(ALCH_RESET_COMMIT, &s), "COMMIT");
  end_scene(&s);
  CHECK_TEXT(last_after(ALCH_RESET_NONE, &s), "ROLLBACK");
  end_scene(&s);
}

/* Something that has to be taken back when the connection comes home. */
static void leave_open(scene *s) {
  CHECK_INT(run(&s->w, "INSERT INTO t"), ALCH_OK);
}

static void leave_set(scene *s) {
  CHECK_INT(alch_connection_set_read_only(s->w.connection, true, &s->w.error), ALCH_OK);
  CHECK_INT(run(&s->w, "SELECT 1"), ALCH_OK);
  CHECK_INT(alch_connection_commit(s->w.connection, 1, &s->w.error), ALCH_OK);
}

CASE("one that cannot be put back as it was is closed, and nobody else gets it") {
  static void (*const leavings[])(scene *) = { leave_open, leave_set };
  for (size_t i = 0; i < ALCH_COUNT(leavings); i++) {
    scene s;
    begin_scene(&s);
    if (open_scene(&s)) {
      leavings[i](&s);
      alch_mock_fail(s.mock, 1, ALCH_ERROR_OPERATIONAL, false, false);
      give_back(&s);
      CHECK_INT(alch_mock_open_connections(s.mock), 0);
      CHECK(take(&s));
      CHECK_INT(run(&s.w, "SELECT 1"), ALCH_OK);
      CHECK_INT(alch_engine_pool_status(s.w.engine).in_use, 1);
    }
    end_scene(&s);
  }
}

CASE("a detached connection is the pool's no more") {
  scene s;
  begin_scene(&s);
  s.options.pool_size = 1;
  s.options.max_overflow = 0;
  s.options.pool_timeout = 0;
  if (open_scene(&s)) {
    alch_connection *second = NULL;
    CHECK_INT(alch_connection_detach(s.w.connection, &s.w.error), ALCH_OK);
    CHECK(alch_connection_is_detached(s.w.connection));
    CHECK_INT(world_connect(&s.w, &second), ALCH_OK);
    CHECK_INT(alch_mock_open_connections(s.mock), 2);
    CHECK_INT(run(&s.w, "SELECT 1"), ALCH_OK);
    give_back(&s);
    CHECK_INT(alch_mock_open_connections(s.mock), 1);
    CHECK_INT(alch_engine_pool_status(s.w.engine).in_use, 1);
    alch_connection_close(second);
    CHECK_INT(alch_engine_pool_status(s.w.engine).idle, 1);
  }
  end_scene(&s);
}

CASE("the only connection of a static pool leaves when nobody else has it") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_connection *second = NULL;
    CHECK_INT(world_connect(&w, &second), ALCH_OK);
    CHECK_INT(alch_connection_detach(w.connection, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "InvalidRequestError");
    alch_connection_close(second);
    CHECK_INT(run(&w, "create table t (a)"), ALCH_OK);
    CHECK_INT(alch_connection_detach(w.connection, &w.error), ALCH_OK);
    second = NULL;
    CHECK_INT(world_connect(&w, &second), ALCH_OK);
    CHECK_INT(scalar_on(&w, second, "select count(*) from sqlite_master"), 0);
    alch_connection_close(second);
  }
  world_close(&w);
}

static alch_status hear(void *context, const alch_engine_event *event) {
  static const char *const names[] = {
    [ALCH_ENGINE_CONNECT] = "connect", [ALCH_ENGINE_FIRST_CONNECT] = "first", [ALCH_ENGINE_CHECKOUT] = "out", [ALCH_ENGINE_RESET] = "reset", [ALCH_ENGINE_CHECKIN] = "in",
    [ALCH_ENGINE_INVALIDATE] = "invalidate", [ALCH_ENGINE_CLOSE] = "close", [ALCH_ENGINE_CLOSE_DETACHED] = "detached",
  };
  scene *s = context;
  if (event->kind > ALCH_ENGINE_CLOSE_DETACHED) return ALCH_OK;
  CHECK_INT(event->connection == NULL, event->kind == ALCH_ENGINE_CLOSE || event->kind == ALCH_ENGINE_CLOSE_DETACHED);
  size_t length = strlen(s->heard);
  snprintf(s->heard + length, sizeof s->heard - length, "%s%s", length > 0 ? " " : "", names[event->kind]);
  return ALCH_OK;
}

CASE("the pool tells what it does") {
  scene s;
  begin_scene(&s);
  CHECK_INT(alch_engine_open("mock+sqlite://", 14, &s.options, NULL, &s.w.engine, &s.w.error), ALCH_OK);
  alch_engine *engine = s.w.engine;
  alch_connection *connection = NULL;
  s.w.allocator = &alch_allocator_standard;
  alch_engine_listen(engine, hear, &s);
  for (int round = 0; round < 2; round++, connection = NULL) {
    CHECK_INT(alch_engine_connect(engine, &connection, &s.w.error), ALCH_OK);
    if (round == 1) alch_connection_invalidate(connection);
    alch_connection_close(connection);
  }
  CHECK_INT(alch_engine_connect(engine, &connection, &s.w.error), ALCH_OK);
  CHECK_INT(alch_connection_detach(connection, &s.w.error), ALCH_OK);
  alch_connection_close(connection);
  CHECK_TEXT(s.heard, "first connect out reset in out invalidate reset in close connect out reset in detached");
  alch_engine_release(engine);
  alch_mock_close(s.mock);
}

/* ---- forks ---- */

/* What the child has to say, as the process's end; nothing of the specs may run twice. */
static int in_child(int (*body)(scene *), scene *s) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) _exit(body(s));
  int status = 0;
  if (!CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))) return -1;
  return WEXITSTATUS(status);
}

static int use_engine(scene *s) {
  alch_connection *own = NULL;
  if (run(&s->w, "SELECT 1") != ALCH_ERROR || s->w.error.kind != ALCH_ERROR_INVALID_REQUEST) return 1;
  give_back(s);
  if (world_connect(&s->w, &own) != ALCH_OK || run_on(&s->w, own, "SELECT 1") != ALCH_OK) return 2;
  if (alch_engine_pool_status(s->w.engine).in_use != 1) return 3;
  alch_connection_close(own);
  if (alch_mock_count_calls(s->mock).closed != 0 || alch_mock_count_calls(s->mock).abandoned != 2) return 4;
  alch_engine_dispose(s->w.engine, true);
  return alch_mock_count_calls(s->mock).closed == 1 ? 0 : 5;
}

static int let_go(scene *s) {
  alch_engine_dispose(s->w.engine, false);
  if (alch_mock_count_calls(s->mock).abandoned != 1) return 1;
  world_close(&s->w);
  return alch_mock_count_calls(s->mock).closed == 0 && alch_mock_count_calls(s->mock).abandoned == 2 ? 0 : 2;
}

CASE("a child neither uses nor ends what its parent has made") {
  static int (*const bodies[])(scene *) = { use_engine, let_go };
  for (size_t i = 0; i < ALCH_COUNT(bodies); i++) {
    scene s;
    begin_scene(&s);
    if (open_scene(&s)) {
      alch_connection *second = NULL;
      CHECK_INT(world_connect(&s.w, &second), ALCH_OK);
      alch_connection_close(second);
      CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_OK);
      CHECK_INT(in_child(bodies[i], &s), 0);
      CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_OK);
      CHECK_INT(alch_connection_commit(s.w.connection, 1, &s.w.error), ALCH_OK);
    }
    end_scene(&s);
  }
}

/* An allocator that stops a thread in the middle of an allocation, while it holds a lock. */
typedef struct gate { int arrived[2], open[2]; atomic_int armed; pid_t process; alch_status status; } gate;
static gate fork_gate;

static void *reallocate_at_gate(void *context, void *block, size_t old_size, size_t new_size) {
  char byte = 0;
  (void)context;
  if (new_size > 0 && fork_gate.process == getpid() && atomic_exchange(&fork_gate.armed, 0)) {
    if (write(fork_gate.arrived[1], &byte, 1) != 1 || read(fork_gate.open[0], &byte, 1) != 1) return NULL;
  }
  return alch_allocator_standard.reallocate(NULL, block, old_size, new_size);
}

/* What is allocated next is the cache's entry, under its lock. */
static alch_status stop_in_compiler(void *context, const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, const alch_compile_options *options, const alch_allocator *allocator,
                                    alch_compiled **out, alch_error *error) {
  (void)context;
  alch_status status = alch_compile(catalog, dialect, block, options, allocator, out, error);
  atomic_store(&fork_gate.armed, 1);
  return status;
}

static void *compile_slowly(void *context) {
  world *w = context;
  size_t size;
  alch_error error;
  alch_compiled *compiled = NULL;
  alch_error_init(&error, &alch_allocator_standard);
  alch_block *block = text_block(w, "SELECT slowly", &size);
  fork_gate.status = alch_engine_compile(w->engine, w->catalog, block, NULL, stop_in_compiler, NULL, &compiled, &error);
  alch_compiled_release(compiled);
  alch_free(w->allocator, block, size);
  alch_error_close(&error);
  return NULL;
}

static int compile_in_child(scene *s) {
  alch_compiled *compiled = NULL;
  alarm(60);
  if (compile_text(&s->w, "SELECT quickly", &compiled) != ALCH_OK) return 1;
  alch_compiled_release(compiled);
  alch_cache_info info = alch_engine_cache_info(s->w.engine);
  if (info.size != 1) return 2;
  alch_engine_cache_clear(s->w.engine);
  return alch_engine_cache_info(s->w.engine).size == 0 ? 0 : 3;
}

CASE("a child compiles, although another thread held the cache while the process forked") {
  static const alch_allocator gated = { reallocate_at_gate, NULL };
  scene s = { .w = { .allocator = &alch_allocator_standard } };
  pthread_t thread;
  char byte = 0;
  fork_gate = (gate){ .process = getpid() };
  CHECK(pipe(fork_gate.arrived) == 0 && pipe(fork_gate.open) == 0);
  CHECK_INT(world_open_with(&s.w, "sqlite://", NULL, &gated), ALCH_OK);
  CHECK_INT(run(&s.w, "select 1"), ALCH_OK);
  CHECK_INT(pthread_create(&thread, NULL, compile_slowly, &s.w), 0);
  CHECK(read(fork_gate.arrived[0], &byte, 1) == 1);
  CHECK_INT(in_child(compile_in_child, &s), 0);
  CHECK(write(fork_gate.open[1], &byte, 1) == 1);
  CHECK_INT(pthread_join(thread, NULL), 0);
  CHECK_INT(fork_gate.status, ALCH_OK);
  CHECK_INT(alch_engine_cache_info(s.w.engine).size, 2);
  world_close(&s.w);
  for (int i = 0; i < 2; i++) CHECK(close(fork_gate.arrived[i]) == 0 && close(fork_gate.open[i]) == 0);
}

/* ---- shared engines ---- */

static atomic_bool sharing;
static atomic_uint shared_in_vain;

static bool share_once(const char *name) {
  alch_engine_options options;
  alch_engine *engine = NULL;
  alch_error error;
  alch_engine_options_init(&options);
  alch_error_init(&error, &alch_allocator_standard);
  bool done = alch_engine_share(name, "sqlite://", 9, &options, &engine, &error) == ALCH_OK;
  alch_engine_release(engine);
  alch_error_close(&error);
  return done;
}

static void *share_often(void *context) {
  while (atomic_load(&sharing)) atomic_fetch_add(&shared_in_vain, !share_once(context));
  return NULL;
}

static int share_in_child(scene *s) {
  (void)s;
  alarm(60);
  return share_once("busy") ? 0 : 1;
}

CASE("a child shares engines, although other threads were at it while the process forked") {
  enum { SHARERS = 3, FORKS = 60 };
  pthread_t threads[SHARERS];
  atomic_store(&sharing, true);
  for (int i = 0; i < SHARERS; i++) CHECK_INT(pthread_create(&threads[i], NULL, share_often, (void *)(uintptr_t)"busy"), 0);
  for (int i = 0; i < FORKS; i++) CHECK_INT(in_child(share_in_child, NULL), 0);
  atomic_store(&sharing, false);
  for (int i = 0; i < SHARERS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
  CHECK_INT(atomic_load(&shared_in_vain), 0);
}

/* ---- threads of a child ---- */

enum { NEWCOMERS = 4 };
static pthread_barrier_t newcomers;

static void *connect_first(void *context) {
  alch_connection *own = NULL;
  alch_error error;
  alch_error_init(&error, &alch_allocator_standard);
  pthread_barrier_wait(&newcomers);
  alch_status status = alch_engine_connect(context, &own, &error);
  alch_connection_close(own);
  alch_error_close(&error);
  return status == ALCH_OK ? context : NULL;
}

static int connect_in_threads(scene *s) {
  pthread_t threads[NEWCOMERS];
  uint32_t through = 0;
  alarm(60);
  pthread_barrier_init(&newcomers, NULL, NEWCOMERS);
  for (int i = 0; i < NEWCOMERS; i++)
    if (pthread_create(&threads[i], NULL, connect_first, s->w.engine) != 0) return 1;
  for (int i = 0; i < NEWCOMERS; i++) {
    void *done = NULL;
    pthread_join(threads[i], &done);
    through += done != NULL;
  }
  alch_pool_status status = alch_engine_pool_status(s->w.engine);
  return through == NEWCOMERS && status.in_use == 0 && status.idle >= 1 && status.idle <= NEWCOMERS ? 0 : 2;
}

CASE("several threads of a child may come first together, and the pool becomes the child's once") {
  enum { FORKS = 200 };
  scene s = { .heard = "" };
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.pool = "queue";
  if (CHECK_INT(world_open_with(&s.w, "sqlite://", &options, NULL), ALCH_OK))
    for (int i = 0; i < FORKS; i++) CHECK_INT(in_child(connect_in_threads, &s), 0);
  world_close(&s.w);
}

static int write_row(scene *s) {
  alch_connection *own = NULL;
  if (world_connect(&s->w, &own) != ALCH_OK || run_on(&s->w, own, "insert into t values (2)") != ALCH_OK) return 1;
  if (alch_connection_commit(own, 1, &s->w.error) != ALCH_OK) return 2;
  alch_connection_close(own);
  world_close(&s->w);
  return 0;
}

CASE("a file is written by parent and child, each through a connection of its own") {
  scene s = { .heard = "" };
  temporary t;
  if (!make_temporary(&t, "?journal_mode=wal")) return;
  if (CHECK_INT(world_open_with(&s.w, t.url, NULL, NULL), ALCH_OK)) {
    CHECK_INT(run(&s.w, "create table t (a)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(s.w.connection, 1, &s.w.error), ALCH_OK);
    CHECK_INT(in_child(write_row, &s), 0);
    CHECK_INT(run(&s.w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(s.w.connection, 1, &s.w.error), ALCH_OK);
    CHECK_INT(scalar(&s.w, "select sum(a) from t"), 3);
  }
  world_close(&s.w);
  remove_temporary(&t);
}
