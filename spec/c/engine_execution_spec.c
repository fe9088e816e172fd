#include "engine_support.h"
#include "engine/drivers/mock.h"

typedef struct story { char text[2000]; int64_t microseconds; alch_status answer; alch_engine_event_kind at; } story;

static alch_status listen(void *context, const alch_engine_event *event) {
  static const char *const names[] = {
    [ALCH_ENGINE_CHECKIN] = "checkin", [ALCH_ENGINE_RESET] = "reset", [ALCH_ENGINE_BEGIN] = "begin", [ALCH_ENGINE_COMMIT] = "commit", [ALCH_ENGINE_ROLLBACK] = "rollback",
    [ALCH_ENGINE_SAVEPOINT] = "savepoint", [ALCH_ENGINE_RELEASE] = "release", [ALCH_ENGINE_ROLLBACK_TO] = "rollback_to", [ALCH_ENGINE_BEFORE_EXECUTE] = "before",
    [ALCH_ENGINE_AFTER_EXECUTE] = "after", [ALCH_ENGINE_FAILED] = "failed",
  };
  story *s = context;
  size_t length = strlen(s->text);
  snprintf(s->text + length, sizeof s->text - length, "%s%s", length > 0 ? " " : "", names[event->kind]);
  if (event->kind == ALCH_ENGINE_AFTER_EXECUTE) s->microseconds = event->microseconds;
  return event->kind == s->at ? s->answer : ALCH_OK;
}

static alch_value text_value(const char *text) {
  return alch_value_text(text, strlen(text));
}

CASE("named values are asked for, and a missing one is named") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_value values[3] = { alch_value_integer(40), text_value("x"), alch_value_integer(2) };
    CHECK_INT(start(&w, "select :a + :c, :b, :a", values, 3), ALCH_OK);
    CHECK_INT(w.execution.column_count, 3);
    if (CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW)) {
      CHECK_INT(w.execution.row[0].integer, 42);
      CHECK_BYTES(w.execution.row[1].text, "x", 1);
      CHECK_INT(w.execution.row[2].integer, 40);
    }
    CHECK_INT(start(&w, "select :a, :b", values, 1), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "StatementError");
    CHECK_TEXT(alch_error_message(&w.error), "A value is required for bind parameter 'b'");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_SQL), "select ?, ?");
    CHECK_INT(scalar(&w, "select 7"), 7);
  }
  world_close(&w);
}

/* Many texts, so that the memory that they are kept in moves while it is filled. */
CASE("texts keep their place when there are many") {
  world w;
  if (world_open(&w, "sqlite://")) {
    static char texts[20][300];
    alch_value values[20];
    char sql[200] = "select :a";
    for (int i = 0; i < 20; i++) {
      memset(texts[i], 'a' + i, sizeof texts[i]);
      values[i] = alch_value_text(texts[i], sizeof texts[i]);
      if (i > 0) snprintf(sql + strlen(sql), sizeof sql - strlen(sql), ", :%c", 'a' + i);
    }
    CHECK_INT(start(&w, sql, values, 20), ALCH_OK);
    if (CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW))
      for (int i = 0; i < 20; i++) CHECK(alch_value_equal(&w.execution.row[i], &values[i]));
  }
  world_close(&w);
}

CASE("a date, a decimal and a truth in a text are stored as the dialect stores them") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_value decimal = text_value("12.5");
    decimal.kind = ALCH_DECIMAL;
    alch_value values[5] = { { .kind = ALCH_DATE, .integer = 19782 }, { .kind = ALCH_DATETIME, .integer = 0 }, { .kind = ALCH_TIME, .integer = 1000000 }, decimal, alch_value_boolean(true) };
    CHECK_INT(start(&w, "select :a, :b, :c, :d, :e", values, 5), ALCH_OK);
    if (CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW)) {
      const alch_value *row = w.execution.row;
      CHECK_BYTES(row[0].text, "2024-02-29", 10);
      CHECK_BYTES(row[1].text, "1970-01-01 00:00:00", 19);
      CHECK_BYTES(row[2].text, "00:00:01", 8);
      CHECK_REAL(row[3].real, 12.5);
      CHECK_INT(row[4].integer, 1);
    }
  }
  world_close(&w);
}

CASE("errors carry statement and values, long ones shortened") {
  world w;
  if (world_open(&w, "sqlite://")) {
    static char large[5000];
    memset(large, 'x', sizeof large);
    alch_value values[2] = { alch_value_integer(1), alch_value_text(large, sizeof large) };
    CHECK_INT(run(&w, "create table t (a unique, b)"), ALCH_OK);
    CHECK_INT(start(&w, "insert into t values (:a, :b)", values, 2), ALCH_OK);
    CHECK_INT(start(&w, "insert into t values (:a, :b)", values, 2), ALCH_ERROR);
    CHECK_TEXT(error_text(&w, ALCH_ERROR_SQL), "insert into t values (?, ?)");
    const char *shown = error_text(&w, ALCH_ERROR_PARAMETERS);
    if (CHECK(shown != NULL)) CHECK(strlen(shown) < 300 && strncmp(shown, "(1, 'xxx", 8) == 0);
    CHECK(w.execution.connection == NULL);
    CHECK_INT(scalar(&w, "select count(*) from t"), 1);
  }
  world_close(&w);
}

CASE("a result is closed with its connection") {
  world w;
  if (world_open(&w, "sqlite://")) {
    CHECK_INT(start(&w, "select 1 union select 2", NULL, 0), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK(w.execution.connection == NULL);
    CHECK_INT(alch_execution_next(&w.execution, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "ResourceClosedError");
    CHECK_INT(alch_execution_start_poll(&w.execution, &w.error), ALCH_ERROR);
    CHECK_TEXT(alch_execution_column_name(&w.execution, 0), "");
    alch_execution_close(&w.execution);
  }
  world_close(&w);
}

CASE("after the last row there are no more, and after a close there is an error") {
  world w;
  if (world_open(&w, "sqlite://")) {
    CHECK_INT(start(&w, "select 1 as one", NULL, 0), ALCH_OK);
    CHECK(w.execution.returns_rows);
    CHECK_TEXT(alch_execution_column_name(&w.execution, 0), "one");
    CHECK_TEXT(alch_execution_column_name(&w.execution, 1), "");
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_DONE);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_DONE);
    alch_execution_close(&w.execution);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "ResourceClosedError");
  }
  world_close(&w);
}

/* ---- the same statement again and again ---- */

CASE("a statement runs again with other values, and keeps its handle") {
  world w;
  alch_compiled *insert = NULL, *select = NULL;
  if (world_open(&w, "sqlite://")) {
    alch_execution e;
    alch_execution_init(&e, w.allocator);
    CHECK_INT(run(&w, "create table t (id integer primary key, a, b)"), ALCH_OK);
    CHECK_INT(compile_text(&w, "insert into t (a, b) values (:a, :b)", &insert), ALCH_OK);
    CHECK_INT(compile_text(&w, "insert into t (a, b) values (:a, :b) returning id", &select), ALCH_OK);
    for (int i = 1; i <= 100; i++) {
      alch_value values[2] = { alch_value_integer(i), text_value("text") };
      CHECK_INT(alch_execution_run(&e, w.connection, insert, values, 2, &w.error), ALCH_OK);
      CHECK(e.done && e.changes == 1);
    }
    for (int i = 101; i <= 110; i++) {
      alch_value values[2] = { alch_value_integer(i), ALCH_VALUE_NULL };
      CHECK_INT(alch_execution_run(&e, w.connection, select, values, 2, &w.error), ALCH_OK);
      CHECK_INT(next_of(&e, &w.error), ALCH_ROW);
      CHECK_INT(e.row[0].integer, i);
    }
    CHECK_INT(alch_execution_run(&e, w.connection, insert, NULL, 1, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "StatementError");
    CHECK_INT(scalar(&w, "select count(*) from t"), 110);
    alch_value values[2] = { alch_value_integer(1), ALCH_VALUE_NULL };
    CHECK_INT(alch_execution_run(&e, w.connection, insert, values, 2, &w.error), ALCH_OK);
    alch_execution_destroy(&e);
  }
  alch_compiled_release(insert);
  alch_compiled_release(select);
  world_close(&w);
}

CASE("an error of one run leaves the next ones possible") {
  world w;
  alch_compiled *insert = NULL;
  if (world_open(&w, "sqlite://")) {
    alch_execution e;
    alch_execution_init(&e, w.allocator);
    CHECK_INT(run(&w, "create table t (a unique)"), ALCH_OK);
    CHECK_INT(compile_text(&w, "insert into t values (:a)", &insert), ALCH_OK);
    for (int i = 0; i < 10; i++) {
      alch_value value = alch_value_integer(i / 2);
      CHECK_INT(alch_execution_run(&e, w.connection, insert, &value, 1, &w.error), i % 2 == 0 ? ALCH_OK : ALCH_ERROR);
    }
    CHECK_INT(scalar(&w, "select count(*) from t"), 5);
    alch_execution_destroy(&e);
  }
  alch_compiled_release(insert);
  world_close(&w);
}

/* ---- who listens ---- */

CASE("listeners hear everything in its order") {
  world w;
  story s = { .answer = ALCH_OK };
  uint32_t level;
  if (world_open(&w, "sqlite://")) {
    alch_engine_listen(w.engine, listen, &s);
    CHECK_INT(run(&w, "create table t (a unique)"), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_savepoint(w.connection, &level, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_ERROR);
    CHECK_INT(alch_connection_rollback(w.connection, level, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(scalar(&w, "select 1"), 1);
    CHECK_INT(alch_connection_run_text(w.connection, "drop table t", 12, &w.error), ALCH_OK);
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK_TEXT(s.text, "before begin after before after savepoint before failed rollback_to commit before after before begin after reset rollback checkin");
    CHECK(s.microseconds >= 0);
  }
  world_close(&w);
}

static void check_stopped(alch_engine_event_kind kind) {
  world w;
  story s = { .answer = ALCH_HOST_ERROR, .at = kind };
  if (world_open(&w, "sqlite://")) {
    CHECK_INT(run(&w, "create table t (a)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    alch_engine_listen(w.engine, listen, &s);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_HOST_ERROR);
    alch_engine_listen(w.engine, NULL, NULL);
    CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(scalar(&w, "select count(*) from t"), 0);
  }
  world_close(&w);
}

CASE("a listener can stop what is about to happen") {
  check_stopped(ALCH_ENGINE_BEFORE_EXECUTE);
  check_stopped(ALCH_ENGINE_BEGIN);
  check_stopped(ALCH_ENGINE_AFTER_EXECUTE);
}

typedef struct closer { alch_engine_event_kind at; bool closed; } closer;

static alch_status close_it(void *context, const alch_engine_event *event) {
  closer *c = context;
  if (event->kind != c->at || c->closed) return ALCH_OK;
  c->closed = true;
  alch_connection_close(event->connection);
  return ALCH_OK;
}

/* Whatever comes of it, nothing is touched that is gone. */
CASE("a listener that closes the connection gets away with it") {
  for (int kind = ALCH_ENGINE_CONNECT; kind <= ALCH_ENGINE_FAILED; kind++)
    for (int way = 0; way < 4; way++) {
      closer c = { .at = (alch_engine_event_kind)kind };
      world w;
      uint32_t level;
      if (!world_open(&w, "sqlite://")) return;
      alch_connection_close(w.connection);
      w.connection = NULL;
      alch_engine_dispose(w.engine, true);
      alch_engine_listen(w.engine, close_it, &c);
      alch_status status = world_connect(&w, &w.connection);
      if (status == ALCH_OK && way == 0) status = run(&w, "create table t (a)");
      if (status == ALCH_OK && way == 1) status = alch_connection_run_text(w.connection, "create table t (a)", 18, &w.error);
      if (status == ALCH_OK && way == 2) status = run(&w, "create tabel t (a)");
      if (status == ALCH_OK && way == 3) status = start(&w, "select 1 union select 2", NULL, 0);
      if (status == ALCH_OK) status = alch_connection_savepoint(w.connection, &level, &w.error);
      if (status == ALCH_OK) status = alch_connection_rollback(w.connection, level, &w.error);
      if (status == ALCH_OK) status = alch_connection_savepoint(w.connection, &level, &w.error);
      if (status == ALCH_OK) status = alch_connection_commit(w.connection, level, &w.error);
      if (status == ALCH_OK) status = alch_connection_commit(w.connection, 1, &w.error);
      if (c.closed) {
        CHECK_INT(status, ALCH_ERROR);
        w.connection = NULL;
      }
      if (c.closed && way != 2) CHECK_TEXT(error_name(&w), "ResourceClosedError");
      alch_engine_listen(w.engine, NULL, NULL);
      alch_connection *fresh = NULL;
      CHECK_INT(world_connect(&w, &fresh), ALCH_OK);
      CHECK_INT(scalar_on(&w, fresh, "select 7"), 7);
      alch_connection_close(fresh);
      world_close(&w);
    }
}

typedef struct runner { world *w; int depth, runs; } runner;

static alch_status run_own(void *context, const alch_engine_event *event) {
  runner *r = context;
  if (r->depth > 0 || (event->kind != ALCH_ENGINE_BEGIN && event->kind != ALCH_ENGINE_BEFORE_EXECUTE && event->kind != ALCH_ENGINE_AFTER_EXECUTE)) return ALCH_OK;
  r->depth++;
  r->runs += run_on(r->w, event->connection, "insert into t values (0)") == ALCH_OK;
  r->depth--;
  return ALCH_OK;
}

CASE("a listener may run statements of its own on the connection") {
  world w;
  if (world_open(&w, "sqlite://")) {
    runner r = { .w = &w };
    CHECK_INT(run(&w, "create table t (a)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    alch_engine_listen(w.engine, run_own, &r);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (0)"), ALCH_OK);
    alch_engine_listen(w.engine, NULL, NULL);
    CHECK_INT(scalar(&w, "select count(*) from t"), 2 + r.runs);
    CHECK(r.runs >= 4);
    CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(scalar(&w, "select count(*) from t"), 0);
  }
  world_close(&w);
}

/* ---- waits ---- */

static void script(alch_mock *mock) {
  static const char *const names[] = { "id", "name" };
  alch_value cells[] = { alch_value_integer(1), text_value("one"), alch_value_integer(2), text_value("two") };
  alch_mock_answer answer = { .pattern = "SELECT", .columns = names, .column_count = 2, .cells = cells, .row_count = 2, .changes = 0 };
  CHECK(alch_mock_add(mock, &answer));
}

CASE("every round trip may wait, and goes on where it stood") {
  world w;
  alch_engine_options options;
  alch_mock *mock = alch_mock_open(&alch_allocator_standard);
  alch_engine_options_init(&options);
  options.driver = alch_mock_driver(mock);
  alch_mock_wait(mock, ALCH_MOCK_CONNECT, 3);
  alch_mock_wait(mock, ALCH_MOCK_START, 2);
  alch_mock_wait(mock, ALCH_MOCK_ROW, 1);
  script(mock);
  if (CHECK_INT(world_open_with(&w, "mock+sqlite://", &options, NULL), ALCH_OK)) {
    alch_compiled *compiled;
    alch_status status;
    int waits = 0;
    CHECK_INT(compile_text(&w, "SELECT * FROM t WHERE a = :a", &compiled), ALCH_OK);
    alch_value value = alch_value_integer(5);
    letters given = { &value, 1 };
    alch_parameters parameters = { .context = &given, .named = give_letter };
    status = alch_execution_start(&w.execution, w.connection, compiled, NULL, &parameters, &w.error);
    for (; status == ALCH_WAIT; waits++) {
      uint32_t level;
      alch_wait wait;
      alch_connection_waits_for(w.connection, &wait);
      CHECK(wait.descriptor >= 0 && wait.events == ALCH_WAIT_READ);
      /* nobody else comes between */
      CHECK_INT(run(&w, "SELECT 2"), ALCH_ERROR);
      CHECK_TEXT(error_name(&w), "InvalidRequestError");
      if (waits > 2) CHECK_INT(alch_connection_savepoint(w.connection, &level, &w.error), ALCH_ERROR);
      CHECK_INT(alch_connection_wait(w.connection, &w.error), ALCH_OK);
      status = alch_execution_start_poll(&w.execution, &w.error);
    }
    CHECK_INT(status, ALCH_OK);
    CHECK_INT(waits, 4);
    for (int i = 1; i <= 2; i++) {
      if (i == 2) CHECK_INT(alch_execution_next(&w.execution, &w.error), ALCH_WAIT);
      CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
      CHECK_INT(w.execution.row[0].integer, i);
    }
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_DONE);
    uint32_t count;
    CHECK_INT(alch_mock_count(mock), 2);
    CHECK_TEXT(alch_mock_sql(mock, 1), "SELECT * FROM t WHERE a = ?");
    CHECK_INT(alch_mock_values(mock, 1, &count)->integer, 5);
    alch_compiled_release(compiled);
  }
  world_close(&w);
  alch_mock_close(mock);
}

CASE("a mock's statement that is over by the time its wait is asked for is not waited for any more") {
  world w;
  alch_engine_options options;
  alch_mock *mock = alch_mock_open(&alch_allocator_standard);
  alch_engine_options_init(&options);
  options.driver = alch_mock_driver(mock);
  script(mock);
  if (CHECK_INT(world_open_with(&w, "mock+sqlite://", &options, NULL), ALCH_OK)) {
    alch_compiled *compiled;
    alch_mock_sleep(mock, 50000);
    CHECK_INT(compile_text(&w, "SELECT * FROM t", &compiled), ALCH_OK);
    alch_parameters parameters = { .named = NULL };
    alch_status status = alch_execution_start(&w.execution, w.connection, compiled, NULL, &parameters, &w.error);
    int waits = 0;
    for (; status == ALCH_WAIT && waits < 5; waits++) {
      alch_wait wait;
      usleep(60000);
      alch_connection_waits_for(w.connection, &wait);
      CHECK_INT(wait.descriptor, -1);
      CHECK_INT(wait.microseconds, 0);
      status = alch_execution_start_poll(&w.execution, &w.error);
    }
    CHECK_INT(status, ALCH_OK);
    CHECK_INT(waits, 2);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    alch_compiled_release(compiled);
  }
  world_close(&w);
  alch_mock_close(mock);
}

CASE("a connection may be closed in the middle of a wait, and is not pooled then") {
  world w;
  alch_engine_options options;
  alch_mock *mock = alch_mock_open(&alch_allocator_standard);
  alch_engine_options_init(&options);
  options.driver = alch_mock_driver(mock);
  if (CHECK_INT(world_open_with(&w, "mock+sqlite://", &options, NULL), ALCH_OK)) {
    alch_compiled *compiled;
    alch_connection *half = NULL;
    alch_mock_wait(mock, ALCH_MOCK_START, 2);
    CHECK_INT(compile_text(&w, "UPDATE t", &compiled), ALCH_OK);
    CHECK_INT(alch_execution_start(&w.execution, w.connection, compiled, NULL, NULL, &w.error), ALCH_WAIT);
    alch_compiled_release(compiled);
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK_INT(alch_mock_open_connections(mock), 0);
    alch_mock_wait(mock, ALCH_MOCK_CONNECT, 2);
    CHECK_INT(alch_engine_connect(w.engine, &half, &w.error), ALCH_WAIT);
    alch_connection_close(half);
    CHECK_INT(alch_mock_open_connections(mock), 0);
    CHECK_INT(alch_engine_pool_status(w.engine).in_use, 0);
  }
  world_close(&w);
  alch_mock_close(mock);
}
