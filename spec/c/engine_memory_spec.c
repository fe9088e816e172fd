/* Memory runs out at the n-th allocation, for every n until the work passes: of the engine's allocator, of SQLite's own, of the C library's (what engines use that belong to no host, and connections with a
   thread). Each time there is an error that says so or none at all, nothing is half committed, the connection goes on or says that it cannot, and nothing is lost. */
#include "engine_support.h"
#include "base/fault.h"
#include "odbc_bridge.h"
#include "server.h"
#include <sqlite3.h>
#include <stdatomic.h>

/* ---- memory that fails ---- */

/* SQLite's: its own pool of threads may ask for it. */
static struct {
  sqlite3_mem_methods real;
  atomic_ullong calls, fail_at, failures;
} library;

static bool library_fails(void) {
  if (atomic_load(&library.fail_at) == 0 || atomic_fetch_add(&library.calls, 1) + 1 != atomic_load(&library.fail_at)) return false;
  atomic_fetch_add(&library.failures, 1);
  return true;
}

static void *library_allocate(int size) { return library_fails() ? NULL : library.real.xMalloc(size); }
static void *library_resize(void *block, int size) { return library_fails() ? NULL : library.real.xRealloc(block, size); }

__attribute__((constructor)) static void take_over_library(void) {
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &library.real);
  sqlite3_mem_methods methods = library.real;
  methods.xMalloc = library_allocate;
  methods.xRealloc = library_resize;
  sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

typedef enum memory { OF_ENGINE, OF_LIBRARY, OF_PROCESS } memory;

static void arm(memory kind, alch_fault_allocator *engine, uint64_t n) {
  if (kind == OF_ENGINE) engine->fail_at = n > 0 ? engine->calls + n : 0;
  if (kind == OF_LIBRARY) {
    atomic_store(&library.calls, 0);
    atomic_store(&library.fail_at, n);
  }
#ifdef ALCH_DEBUG
  if (kind == OF_PROCESS) alch_fault_arm(n > 0 ? "memory" : NULL, n);
#endif
}

/* Has it come to that? */
static bool has_failed(memory kind, const alch_fault_allocator *engine, uint64_t n) {
  if (kind == OF_ENGINE) return engine->failures > 0;
  if (kind == OF_LIBRARY) return atomic_load(&library.failures) > 0;
#ifdef ALCH_DEBUG
  return alch_fault_passes() >= n;
#else
  (void)n;
  return false;
#endif
}

/* ---- the work ---- */

typedef alch_status (*stepper)(alch_connection *connection, uint32_t level, alch_error *error);

static alch_status end_level(world *w, stepper step, uint32_t level) {
  alch_status status;
  while ((status = step(w->connection, level, &w->error)) == ALCH_WAIT)
    if (alch_connection_wait(w->connection, &w->error) != ALCH_OK) return ALCH_ERROR;
  return status;
}

static alch_status begin_savepoint(world *w, uint32_t *level) {
  alch_status status;
  while ((status = alch_connection_savepoint(w->connection, level, &w->error)) == ALCH_WAIT)
    if (alch_connection_wait(w->connection, &w->error) != ALCH_OK) return ALCH_ERROR;
  return status;
}

static alch_status insert(world *w, int64_t number) {
  alch_value values[] = { alch_value_integer(number), alch_value_text("a text that is long enough not to fit anywhere", 46) };
  return start(w, "insert into kept values (:a, :b)", values, 2);
}

/* Three rows, and a fourth that is taken back. */
static alch_status write_rows(world *w) {
  uint32_t level = 0;
  alch_status status = insert(w, 1);
  if (status == ALCH_OK) status = insert(w, 2);
  if (status == ALCH_OK) status = begin_savepoint(w, &level);
  if (status == ALCH_OK) status = insert(w, 3);
  if (status == ALCH_OK) status = end_level(w, alch_connection_rollback, level);
  if (status == ALCH_OK) status = insert(w, 4);
  if (status == ALCH_OK) status = start(w, "select a, b from kept order by a", NULL, 0);
  if (status == ALCH_OK) do status = next_of(&w->execution, &w->error); while (status == ALCH_ROW);
  return status == ALCH_DONE ? end_level(w, alch_connection_commit, 1) : status;
}

/* Another connection of the pool beside it, and an engine with defaults of its own, which gives its connection back. */
static alch_status use_pool(world *w) {
  alch_connection *second = NULL, *third = NULL;
  alch_engine *derived = NULL, *own = w->engine;
  const alch_execution_options options = { .read_only = 1, .deferrable = -1, .stream_rows = 10 };
  alch_status status = world_connect(w, &second);
  if (status == ALCH_OK) status = run_on(w, second, "select 1");
  if (status == ALCH_OK) status = alch_connection_detach(second, &w->error);
  if (status == ALCH_OK) status = alch_engine_derive(own, &options, &derived, &w->error);
  if (status == ALCH_OK) w->engine = derived;
  if (status == ALCH_OK) status = world_connect(w, &third);
  w->engine = own;
  if (status == ALCH_OK) status = run_on(w, third, "select 2");
  alch_connection_close(second);
  alch_connection_close(third);
  alch_engine_release(derived);
  alch_engine_dispose(own, true);
  return status;
}

static alch_status work(world *w, const char *url, const alch_allocator *allocator) {
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.pool_size = 2;
  alch_status status = world_open_with(w, url, &options, allocator);
  if (status == ALCH_OK) status = use_pool(w);
  return status == ALCH_OK ? write_rows(w) : status;
}

/* ---- what has become of it ---- */

typedef struct place { const char *url; memory kind; world witness; } place;

static int64_t count_rows(place *p) { return scalar(&p->witness, "select count(*) from kept"); }

static bool open_witness(place *p) {
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.isolation_level = "AUTOCOMMIT";
  if (!CHECK_INT(world_open_with(&p->witness, p->url, &options, NULL), ALCH_OK)) return false;
  run(&p->witness, "drop table if exists kept");
  return CHECK_INT(run(&p->witness, "create table kept (a integer, b text)"), ALCH_OK);
}

static void close_witness(place *p) {
  if (p->witness.connection) run(&p->witness, "drop table if exists kept");
  world_close(&p->witness);
}

/* After a failure the same world does the same work, with a connection of its own where it has none that is of use. */
static void check_goes_on(place *p, world *w, int64_t before) {
  if (w->connection) CHECK_INT(end_level(w, alch_connection_rollback, 1), ALCH_OK);
  if (w->connection && alch_connection_is_invalidated(w->connection)) {
    alch_connection_close(w->connection);
    w->connection = NULL;
  }
  if (!w->engine) return;
  if (!w->connection) CHECK_INT(world_connect(w, &w->connection), ALCH_OK);
  if (!CHECK_INT(write_rows(w), ALCH_OK)) printf("# %s\n", alch_error_message(&w->error));
  CHECK_INT(count_rows(p), before + 3);
}

/* True: the n-th allocation was never asked for. */
static bool survive(place *p, uint64_t n) {
  world w;
  alch_fault_allocator fault;
  alch_fault_allocator_init(&fault);
  CHECK_INT(run(&p->witness, "delete from kept"), ALCH_OK);
  atomic_store(&library.failures, 0);
  arm(p->kind, &fault, n);
  alch_status status = work(&w, p->url, p->kind == OF_PROCESS ? NULL : &fault.allocator);
  bool failed = has_failed(p->kind, &fault, n);
  arm(p->kind, &fault, 0);
  if (status != ALCH_OK && !(CHECK(failed) && CHECK_INT(w.error.kind, ALCH_ERROR_OUT_OF_MEMORY))) printf("# at allocation %d: %s\n", (int)n, alch_error_message(&w.error));
  int64_t rows = 0;
  if (status != ALCH_OK && w.connection) CHECK_INT(end_level(&w, alch_connection_rollback, 1), ALCH_OK);
  rows = count_rows(p);
  if (!CHECK(rows == 3 || (rows == 0 && status != ALCH_OK))) printf("# %d rows at allocation %d\n", (int)rows, (int)n);
  if (failed && w.catalog) check_goes_on(p, &w, rows);
  world_close(&w);
  CHECK_INT(fault.live_blocks, 0);
  CHECK_INT(fault.wrong_sizes, 0);
  return !failed;
}

/* Servers are asked every few allocations, unless SPEC_ROUNDS says that there is time. */
static void survive_all(const char *url, memory kind, uint64_t stride) {
  place p = { .url = url, .kind = kind };
  uint64_t n = 1;
  if (getenv("SPEC_ROUNDS")) stride = 1;
  if (open_witness(&p))
    while (!survive(&p, n) && n < 20000) n += stride > 1 ? 1 + check_random_below((uint32_t)stride) : 1;
  CHECK(n > 50 && n < 20000);
  printf("# up to %d allocations\n", (int)n);
  close_witness(&p);
}

static void survive_in_file(const char *options, memory kind) {
  temporary t;
  if (!make_temporary(&t, options)) return;
  survive_all(t.url, kind, 1);
  remove_temporary(&t);
}

CASE("the engine's memory, SQLite") { survive_in_file("?timeout=1", OF_ENGINE); }
CASE("SQLite's own memory") { survive_in_file("?timeout=1", OF_LIBRARY); }
CASE("the engine's memory, SQLite on a thread") { survive_in_file("?timeout=1&worker=1", OF_ENGINE); }
CASE("SQLite's own memory on a thread") { survive_in_file("?timeout=1&worker=1", OF_LIBRARY); }

CASE("the engine's memory, SQLite by way of ODBC") {
  char url[256];
  temporary t;
  if (!make_temporary(&t, "")) return;
  if (bridge_url(t.path, url, sizeof url)) survive_all(url, OF_ENGINE, 1);
  remove_temporary(&t);
}

CASE("the engine's memory, PostgreSQL") {
  char url[256];
  const char *folder = server_folder("postgresql");
  if (!folder) return;
  snprintf(url, sizeof url, "postgresql://spec@/spec?host=%s", folder);
  survive_all(url, OF_ENGINE, 4);
}

#ifdef ALCH_DEBUG
CASE("the process's memory, SQLite on a thread") { survive_in_file("?timeout=1&worker=1", OF_PROCESS); }

/* ---- an engine that several hosts share ---- */

static alch_status share(alch_engine **out, alch_error *error) {
  static const char url[] = "sqlite://?timeout=1";
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.isolation_level = "SERIALIZABLE";
  return alch_engine_share("scarce", url, sizeof url - 1, &options, out, error);
}

CASE("the process's memory, an engine that is shared") {
  bool failed = true;
  uint64_t n = 0;
  while (failed && n < 2000) {
    alch_engine *first = NULL, *second = NULL;
    alch_error error;
    alch_error_init(&error, &alch_allocator_standard);
    alch_fault_arm("memory", ++n);
    alch_status status = share(&first, &error);
    if (status == ALCH_OK) status = share(&second, &error);
    failed = alch_fault_passes() >= n;
    alch_fault_arm(NULL, 0);
    CHECK_INT(status, failed ? ALCH_ERROR : ALCH_OK);
    if (failed) CHECK_INT(error.kind, ALCH_ERROR_OUT_OF_MEMORY);
    alch_engine_release(first);
    alch_engine_release(second);
    alch_error_close(&error);
  }
  CHECK(n > 10 && n < 2000);
}
#endif
