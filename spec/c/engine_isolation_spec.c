/* Kinds of transactions: levels, read-only ones, two phases, replicas; the texts of each dialect on the mock driver, each wait and each failure on the way. */
#include "engine_support.h"
#include "engine/drivers/mock.h"
#include "engine/private.h"

typedef struct scene {
  world w;
  alch_mock *mock;
  char texts[1000];
} scene;

static bool open_scene(scene *s, const char *url, alch_engine_options *given) {
  alch_engine_options options;
  alch_engine_options_init(&options);
  if (given) options = *given;
  *s = (scene){ .mock = alch_mock_open(&alch_allocator_standard) };
  options.driver = alch_mock_driver(s->mock);
  return CHECK_INT(world_open_with(&s->w, url, &options, NULL), ALCH_OK);
}

static void close_scene(scene *s) {
  world_close(&s->w);
  alch_mock_close(s->mock);
}

/* What was sent since the last time, one behind the other. */
static const char *sent(scene *s) {
  s->texts[0] = '\0';
  for (uint32_t i = 0; i < alch_mock_count(s->mock); i++) {
    size_t length = strlen(s->texts);
    snprintf(s->texts + length, sizeof s->texts - length, "%s%s", i > 0 ? "; " : "", alch_mock_sql(s->mock, i));
  }
  alch_mock_forget(s->mock);
  return s->texts;
}

static alch_status commit(scene *s) {
  alch_status status;
  while ((status = alch_connection_commit(s->w.connection, 1, &s->w.error)) == ALCH_WAIT) alch_connection_wait(s->w.connection, &s->w.error);
  return status;
}

static alch_status rollback(scene *s) {
  alch_status status;
  while ((status = alch_connection_rollback(s->w.connection, 1, &s->w.error)) == ALCH_WAIT) alch_connection_wait(s->w.connection, &s->w.error);
  return status;
}

static const struct kind_row {
  const char *url, *level;
  bool read_only, deferrable;
  const char *transaction, *home;
} kinds[] = {
  { "mock+postgresql://", NULL, false, false, "BEGIN; SELECT 1; COMMIT", "" },
  { "mock+postgresql://", "serializable", true, true, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; SELECT 1; COMMIT", "" },
  { "mock+postgresql://", "REPEATABLE_READ", false, false, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; COMMIT", "" },
  { "mock+postgresql://", "AUTOCOMMIT", false, false, "SELECT 1", "" },
  { "mock+mysql://", "READ COMMITTED", true, false, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION READ ONLY; SELECT 1; COMMIT", "" },
  { "mock+mssql://", "SNAPSHOT", false, false, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION; SELECT 1; COMMIT", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED" },
  { "mock+sqlite://", "READ UNCOMMITTED", true, false, "PRAGMA read_uncommitted = 1; PRAGMA query_only = 1; BEGIN; SELECT 1; COMMIT", "PRAGMA read_uncommitted = 0; PRAGMA query_only = 0" },
  { "mock+sqlite://", "AUTOCOMMIT", true, false, "PRAGMA query_only = 1; SELECT 1", "PRAGMA query_only = 0" },
  { "mock+oracle://", "SERIALIZABLE", false, false, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT", "" },
};

static void check_kind(const struct kind_row *row, uint32_t waits) {
  scene s;
  if (open_scene(&s, row->url, NULL)) {
    alch_connection *connection = s.w.connection;
    alch_mock_wait(s.mock, ALCH_MOCK_START, waits);
    if (row->level) CHECK_INT(alch_connection_set_isolation(connection, row->level, &s.w.error), ALCH_OK);
    CHECK_INT(alch_connection_set_read_only(connection, row->read_only, &s.w.error), ALCH_OK);
    CHECK_INT(alch_connection_set_deferrable(connection, row->deferrable, &s.w.error), ALCH_OK);
    CHECK_INT(run(&s.w, "SELECT 1"), ALCH_OK);
    if (alch_connection_depth(connection) > 0) CHECK_INT(commit(&s), ALCH_OK);
    CHECK_TEXT(sent(&s), row->transaction);
    alch_connection_close(connection);
    s.w.connection = NULL;
    CHECK_TEXT(sent(&s), row->home);
    CHECK_INT(world_connect(&s.w, &s.w.connection), ALCH_OK);
    CHECK_TEXT(alch_connection_isolation(s.w.connection), NULL);
  }
  close_scene(&s);
}

CASE("each database has its words for what kind of transaction begins, and goes home as it was") {
  for (size_t i = 0; i < ALCH_COUNT(kinds); i++)
    for (uint32_t waits = 0; waits < 3; waits++) check_kind(&kinds[i], waits);
}

CASE("a level that there is not is refused, and the nearest named") {
  scene s;
  if (open_scene(&s, "mock+oracle://", NULL)) {
    CHECK_INT(alch_connection_set_isolation(s.w.connection, "SERIALISABLE", &s.w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&s.w), "ArgumentError");
    CHECK_TEXT(alch_error_message(&s.w.error), "'SERIALISABLE' is no isolation level of oracle; the nearest is 'SERIALIZABLE'; there are READ COMMITTED, SERIALIZABLE, AUTOCOMMIT");
    CHECK_INT(alch_connection_set_deferrable(s.w.connection, true, &s.w.error), ALCH_ERROR);
    CHECK_INT(run(&s.w, "SELECT 1"), ALCH_OK);
    CHECK_INT(alch_connection_set_isolation(s.w.connection, "SERIALIZABLE", &s.w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&s.w), "InvalidRequestError");
  }
  close_scene(&s);
}

CASE("an engine may have a level, and derived ones with the same pool others") {
  scene s;
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.isolation_level = "REPEATABLE READ";
  if (open_scene(&s, "mock+postgresql://", &options)) {
    alch_engine *derived = NULL;
    alch_connection *second = NULL;
    alch_execution_options other = { .isolation_level = "AUTOCOMMIT", .read_only = -1, .deferrable = -1, .stream_rows = 10 };
    CHECK_TEXT(alch_connection_isolation(s.w.connection), "REPEATABLE READ");
    CHECK_INT(alch_engine_derive(s.w.engine, &other, &derived, &s.w.error), ALCH_OK);
    CHECK_INT(alch_engine_connect(derived, &second, &s.w.error), ALCH_OK);
    CHECK_TEXT(alch_connection_isolation(second), "AUTOCOMMIT");
    CHECK_INT(second->options.stream_rows, 10);
    CHECK_INT(alch_engine_pool_status(derived).in_use, 2);
    CHECK(alch_engine_dialect(derived) == alch_engine_dialect(s.w.engine));
    alch_connection_close(second);
    alch_engine_release(derived);
    other.isolation_level = "none";
    CHECK_INT(alch_engine_derive(s.w.engine, &other, &derived, &s.w.error), ALCH_ERROR);
  }
  close_scene(&s);
}

CASE("without transactions there are no savepoints, and begin and commit go on as if") {
  scene s;
  uint32_t level;
  if (open_scene(&s, "mock+postgresql://", NULL)) {
    CHECK_INT(alch_connection_set_isolation(s.w.connection, "AUTOCOMMIT", &s.w.error), ALCH_OK);
    CHECK_INT(alch_connection_begin(s.w.connection, &level, &s.w.error), ALCH_OK);
    CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_OK);
    CHECK_INT(alch_connection_savepoint(s.w.connection, &level, &s.w.error), ALCH_ERROR);
    CHECK_INT(commit(&s), ALCH_OK);
    CHECK_TEXT(sent(&s), "INSERT INTO t");
  }
  close_scene(&s);
}

CASE("savepoints have each database's words") {
  static const char *const rows[][2] = {
    { "mock+postgresql://", "BEGIN; SAVEPOINT sp_2; ROLLBACK TO SAVEPOINT sp_2; RELEASE SAVEPOINT sp_2; SAVEPOINT sp_2; RELEASE SAVEPOINT sp_2" },
    { "mock+mssql://", "BEGIN TRANSACTION; SAVE TRANSACTION sp_2; ROLLBACK TRANSACTION sp_2; SAVE TRANSACTION sp_2" },
    { "mock+oracle://", "SAVEPOINT sp_2; ROLLBACK TO SAVEPOINT sp_2; SAVEPOINT sp_2" },
  };
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) {
    scene s;
    uint32_t level;
    if (open_scene(&s, rows[i][0], NULL)) {
      CHECK_INT(alch_connection_savepoint(s.w.connection, &level, &s.w.error), ALCH_OK);
      CHECK_INT(alch_connection_rollback(s.w.connection, level, &s.w.error), ALCH_OK);
      CHECK_INT(alch_connection_savepoint(s.w.connection, &level, &s.w.error), ALCH_OK);
      CHECK_INT(alch_connection_commit(s.w.connection, level, &s.w.error), ALCH_OK);
      CHECK_TEXT(sent(&s), rows[i][1]);
    }
    close_scene(&s);
  }
}

/* ---- two phases ---- */

static alch_status begin_twophase(scene *s) {
  alch_status status;
  uint32_t level;
  while ((status = alch_connection_begin_twophase(s->w.connection, "x1", &level, &s->w.error)) == ALCH_WAIT) alch_connection_wait(s->w.connection, &s->w.error);
  return status;
}

static alch_status prepare(scene *s) {
  alch_status status;
  while ((status = alch_connection_prepare(s->w.connection, 1, &s->w.error)) == ALCH_WAIT) alch_connection_wait(s->w.connection, &s->w.error);
  return status;
}

static const struct phase_row { const char *url; bool prepares, commits; const char *sent; } phases[] = {
  { "mock+postgresql://", true, true, "BEGIN; INSERT INTO t; PREPARE TRANSACTION 'x1'; COMMIT PREPARED 'x1'" },
  { "mock+postgresql://", false, true, "BEGIN; INSERT INTO t; PREPARE TRANSACTION 'x1'; COMMIT PREPARED 'x1'" },
  { "mock+postgresql://", true, false, "BEGIN; INSERT INTO t; PREPARE TRANSACTION 'x1'; ROLLBACK PREPARED 'x1'" },
  { "mock+postgresql://", false, false, "BEGIN; INSERT INTO t; ROLLBACK" },
  { "mock+mariadb://", true, true, "XA START 'x1'; INSERT INTO t; XA END 'x1'; XA PREPARE 'x1'; XA COMMIT 'x1'" },
  { "mock+mariadb://", false, false, "XA START 'x1'; INSERT INTO t; XA END 'x1'; XA ROLLBACK 'x1'" },
};

static void check_phases(const struct phase_row *row, uint32_t waits) {
  scene s;
  if (open_scene(&s, row->url, NULL)) {
    alch_mock_wait(s.mock, ALCH_MOCK_START, waits);
    CHECK_INT(begin_twophase(&s), ALCH_OK);
    CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_OK);
    if (row->prepares) CHECK_INT(prepare(&s), ALCH_OK);
    if (row->prepares) CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_ERROR);
    CHECK_INT(row->commits ? commit(&s) : rollback(&s), ALCH_OK);
    CHECK_INT(alch_connection_depth(s.w.connection), 0);
    CHECK_TEXT(sent(&s), row->sent);
    CHECK(alch_connection_xid(s.w.connection) == NULL);
  }
  close_scene(&s);
}

CASE("two phases, with each database's words") {
  for (size_t i = 0; i < ALCH_COUNT(phases); i++)
    for (uint32_t waits = 0; waits < 3; waits++) check_phases(&phases[i], waits);
}

CASE("what is prepared when its connection closes is rolled back") {
  scene s;
  if (open_scene(&s, "mock+postgresql://", NULL)) {
    CHECK_INT(begin_twophase(&s), ALCH_OK);
    CHECK_INT(prepare(&s), ALCH_OK);
    alch_connection_close(s.w.connection);
    s.w.connection = NULL;
    CHECK_TEXT(sent(&s), "BEGIN; PREPARE TRANSACTION 'x1'; ROLLBACK PREPARED 'x1'");
    CHECK_INT(alch_engine_pool_status(s.w.engine).idle, 1);
  }
  close_scene(&s);
}

enum { CALLS_OF_ONE = 3 };   /* prepare, start, poll: the calls of the driver for a text */

static const struct ended_row { const char *url; bool closes; const char *sent; } ended[] = {
  { "mock+postgresql://", false, "BEGIN; INSERT INTO t" },
  { "mock+mariadb://", false, "XA START 'x1'; INSERT INTO t; XA END 'x1'; XA ROLLBACK 'x1'" },
  { "mock+mariadb://", true, "XA START 'x1'; INSERT INTO t; XA END 'x1'; XA ROLLBACK 'x1'" },
};

/* The statement's poll fails, and the driver says that no transaction is open any more. */
static void check_ended(const struct ended_row *row, uint32_t waits) {
  scene s;
  if (open_scene(&s, row->url, NULL)) {
    CHECK_INT(begin_twophase(&s), ALCH_OK);
    alch_mock_fail(s.mock, CALLS_OF_ONE, ALCH_ERROR_OPERATIONAL, false, true);
    CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_ERROR);
    alch_error_close(&s.w.error);
    CHECK_INT(run(&s.w, "INSERT INTO t"), ALCH_ERROR);
    CHECK_TEXT(error_name(&s.w), "PendingRollbackError");
    alch_mock_wait(s.mock, ALCH_MOCK_START, waits);
    if (row->closes) alch_connection_close(s.w.connection);
    else CHECK_INT(rollback(&s), ALCH_OK);
    if (row->closes) s.w.connection = NULL;
    else CHECK_INT(alch_connection_depth(s.w.connection), 0);
    CHECK_TEXT(sent(&s), row->sent);
  }
  close_scene(&s);
}

CASE("two phases that the database has rolled back by itself are ended by their words, where they have some") {
  for (size_t i = 0; i < ALCH_COUNT(ended); i++)
    for (uint32_t waits = 0; waits < 3; waits++) check_ended(&ended[i], waits);
}

/* What would leave the active state fails when the server has left it by itself; then only the last text counts. */
CASE("a failure on the way to the end of two phases does not keep them open") {
  for (uint32_t text = 0; text < 2; text++) {
    scene s;
    if (open_scene(&s, "mock+mariadb://", NULL)) {
      CHECK_INT(begin_twophase(&s), ALCH_OK);
      alch_mock_fail(s.mock, (text + 1) * CALLS_OF_ONE, ALCH_ERROR_OPERATIONAL, false, text == 1);
      CHECK_INT(rollback(&s), text == 0 ? ALCH_OK : ALCH_ERROR);
      CHECK_INT(alch_connection_depth(s.w.connection), text);
      CHECK(s.w.error.set == (text == 1));
      alch_error_close(&s.w.error);
      CHECK_INT(rollback(&s), ALCH_OK);
      CHECK_INT(alch_connection_depth(s.w.connection), 0);
      CHECK_TEXT(sent(&s), text == 0 ? "XA START 'x1'; XA END 'x1'; XA ROLLBACK 'x1'" : "XA START 'x1'; XA END 'x1'; XA ROLLBACK 'x1'; XA END 'x1'; XA ROLLBACK 'x1'");
    }
    close_scene(&s);
  }
}

CASE("what a crash has left is ended from outside") {
  scene s;
  const char *sql;
  uint32_t column;
  if (open_scene(&s, "mock+mysql://", NULL)) {
    CHECK_INT(alch_connection_recover_query(s.w.connection, &sql, &column, &s.w.error), ALCH_OK);
    CHECK_TEXT(sql, "XA RECOVER");
    CHECK_INT(alch_connection_end_prepared(s.w.connection, "a.b:c", true, &s.w.error), ALCH_OK);
    CHECK_INT(alch_connection_end_prepared(s.w.connection, "d", false, &s.w.error), ALCH_OK);
    CHECK_TEXT(sent(&s), "XA COMMIT 'a.b:c'; XA ROLLBACK 'd'");
    CHECK_INT(alch_connection_end_prepared(s.w.connection, "d'", false, &s.w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&s.w), "ArgumentError");
  }
  close_scene(&s);
  if (open_scene(&s, "mock+sqlite://", NULL)) {
    uint32_t level;
    CHECK_INT(alch_connection_begin_twophase(s.w.connection, NULL, &level, &s.w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&s.w), "NotSupportedError");
  }
  close_scene(&s);
}

/* ---- replicas ---- */

static const char *const replicas[] = { "mock+postgresql://one", "mock+postgresql://two" };

static const alch_execution_options only_reading = { .read_only = 1, .deferrable = -1, .stream_rows = -1 };

static bool open_replicas(scene *s, alch_engine **reading) {
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.replicas = replicas;
  options.replica_count = 2;
  options.pool_size = 1;
  options.max_overflow = 0;
  options.pool_timeout = 0;
  return open_scene(s, "mock+postgresql://primary", &options) && CHECK_INT(alch_engine_derive(s->w.engine, &only_reading, reading, &s->w.error), ALCH_OK);
}

/* Which server: 0 the primary, 1 and 2 the replicas. */
static int place_of(const scene *s, const alch_connection *connection) {
  for (int i = 0; i < 2; i++)
    if (connection->engine == s->w.engine->replicas[i]) return i + 1;
  return connection->engine == s->w.engine ? 0 : -1;
}

static int take_reader(scene *s, alch_engine *reading) {
  alch_connection *connection = NULL;
  if (!CHECK_INT(alch_engine_connect(reading, &connection, &s->w.error), ALCH_OK)) return -1;
  CHECK(!s->w.error.set);
  int place = place_of(s, connection);
  CHECK_INT(run_on(&s->w, connection, "SELECT 1"), ALCH_OK);
  CHECK_INT(run_on(&s->w, connection, "INSERT INTO t"), ALCH_ERROR);
  CHECK_TEXT(error_name(&s->w), "InvalidRequestError");
  alch_error_close(&s->w.error);
  alch_connection_close(connection);
  return place;
}

CASE("who only reads goes to the replicas in turn, to the next when one is away, and at last to the primary") {
  scene s;
  alch_engine *reading = NULL;
  if (open_replicas(&s, &reading)) {
    CHECK_INT(place_of(&s, s.w.connection), 0);
    alch_mock_forget(s.mock);
    int first = take_reader(&s, reading), second = take_reader(&s, reading);
    CHECK(first > 0 && second > 0 && first != second);
    CHECK_TEXT(sent(&s), "BEGIN READ ONLY; SELECT 1; ROLLBACK; BEGIN READ ONLY; SELECT 1; ROLLBACK");
    alch_engine_dispose(s.w.engine, true);
    alch_mock_fail(s.mock, 1, ALCH_ERROR_OPERATIONAL, true, false);
    CHECK_INT(take_reader(&s, reading), second);
  }
  alch_engine_release(reading);
  close_scene(&s);
}

CASE("a pool that has none left is a reason to try the next server, and an error when it was the last") {
  enum { READERS = 3 };
  scene s;
  alch_engine *reading = NULL;
  alch_connection *readers[READERS] = { NULL }, *late = NULL;
  int seen[READERS] = { 0 };
  if (open_replicas(&s, &reading)) {
    alch_connection_close(s.w.connection);
    s.w.connection = NULL;
    for (int i = 0; i < READERS; i++)
      if (CHECK_INT(alch_engine_connect(reading, &readers[i], &s.w.error), ALCH_OK)) seen[place_of(&s, readers[i])] = i + 1;
    CHECK_INT(seen[0], READERS);   /* the primary is the last */
    CHECK(seen[1] > 0 && seen[2] > 0);
    CHECK_INT(alch_engine_connect(reading, &late, &s.w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&s.w), "TimeoutError");
  }
  for (int i = 0; i < READERS; i++) alch_connection_close(readers[i]);
  alch_engine_release(reading);
  close_scene(&s);
}

CASE("an error that another server would give as well is no reason to try it") {
  scene s;
  alch_engine *reading = NULL;
  if (open_replicas(&s, &reading)) {
    alch_connection *connection = NULL;
    alch_mock_fail(s.mock, 1, ALCH_ERROR_ARGUMENT, false, false);
    CHECK_INT(alch_engine_connect(reading, &connection, &s.w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&s.w), "ArgumentError");
  }
  alch_engine_release(reading);
  close_scene(&s);
}

/* Every call of the driver fails in its turn; whatever comes, the pool is whole afterwards. */
CASE("no failure on the way leaves anything behind") {
  for (uint64_t call = 1; call < 40; call++) {
    scene s;
    if (open_scene(&s, "mock+mariadb://", NULL)) {
      alch_mock_fail(s.mock, call, ALCH_ERROR_OPERATIONAL, call % 2 == 0, call % 3 == 0);
      alch_connection_set_isolation(s.w.connection, "SERIALIZABLE", &s.w.error);
      if (begin_twophase(&s) == ALCH_OK && run(&s.w, "INSERT INTO t") == ALCH_OK && prepare(&s) == ALCH_OK) commit(&s);
      alch_connection_close(s.w.connection);
      s.w.connection = NULL;
      alch_mock_fail(s.mock, 0, ALCH_ERROR_OPERATIONAL, false, false);
      CHECK_INT(world_connect(&s.w, &s.w.connection), ALCH_OK);
      CHECK_INT(run(&s.w, "SELECT 1"), ALCH_OK);
      CHECK_INT(alch_engine_pool_status(s.w.engine).in_use, 1);
    }
    close_scene(&s);
  }
}

/* ---- memory: the n-th allocation fails, for every n ---- */

static alch_status all_of_it(world *w, const alch_engine_options *options, const alch_allocator *allocator, alch_engine **reading) {
  uint32_t level;
  alch_connection *reader = NULL;
  alch_status status = world_open_with(w, "mock+postgresql://primary", options, allocator);
  if (status == ALCH_OK) status = alch_connection_begin_twophase(w->connection, NULL, &level, &w->error);
  if (status == ALCH_OK) status = alch_connection_prepare(w->connection, 1, &w->error);
  if (status == ALCH_OK) status = alch_connection_commit(w->connection, 1, &w->error);
  if (status == ALCH_OK) status = alch_connection_end_prepared(w->connection, "x", false, &w->error);
  if (status == ALCH_OK) status = alch_connection_detach(w->connection, &w->error);
  if (status == ALCH_OK) status = alch_engine_derive(w->engine, &only_reading, reading, &w->error);
  if (status == ALCH_OK) status = alch_engine_connect(*reading, &reader, &w->error);
  if (status == ALCH_OK) status = run_on(w, reader, "SELECT 1");
  alch_connection_close(reader);
  return status;
}

CASE("every failing allocation is an error, and nothing leaks") {
  bool passed = false;
  for (uint64_t n = 1; !passed && n < 2000; n++) {
    world w;
    alch_engine *reading = NULL;
    alch_mock *mock = alch_mock_open(&alch_allocator_standard);
    alch_engine_options options;
    alch_fault_allocator fault;
    alch_fault_allocator_init(&fault);
    alch_engine_options_init(&options);
    options.driver = alch_mock_driver(mock);
    options.replicas = replicas;
    options.replica_count = 2;
    fault.fail_at = n;
    alch_status status = all_of_it(&w, &options, &fault.allocator, &reading);
    passed = fault.failures == 0;
    if (passed) CHECK_INT(status, ALCH_OK);
    else if (status != ALCH_OK) CHECK_TEXT(error_name(&w), "OutOfMemoryError");
    alch_engine_release(reading);
    world_close(&w);
    CHECK_INT(fault.live_blocks, 0);
    CHECK_INT(fault.wrong_sizes, 0);
    alch_mock_close(mock);
  }
  CHECK(passed);
}
