#include "engine_support.h"
#include "engine/drivers/mock.h"

static bool open_file(world *w, temporary *t) {
  return make_temporary(t, "") && world_open(w, t->url) && CHECK_INT(run(w, "create table t (a integer)"), ALCH_OK)
         && CHECK_INT(alch_connection_commit(w->connection, 1, &w->error), ALCH_OK);
}

static int64_t count(world *w) {
  return scalar(w, "select count(*) from t");
}

CASE("a transaction is kept by commit and undone by rollback") {
  world w;
  temporary t;
  uint32_t level = 0;
  if (open_file(&w, &t)) {
    CHECK_INT(alch_connection_begin(w.connection, &level, &w.error), ALCH_OK);
    CHECK_INT(level, 1);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, level, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_depth(w.connection), 0);
    CHECK_INT(alch_connection_begin(w.connection, &level, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (2)"), ALCH_OK);
    CHECK_INT(count(&w), 2);
    CHECK_INT(alch_connection_rollback(w.connection, level, &w.error), ALCH_OK);
    CHECK_INT(count(&w), 1);
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("DDL is undone as well") {
  world w;
  temporary t;
  if (open_file(&w, &t)) {
    CHECK_INT(run(&w, "create table u (a)"), ALCH_OK);
    CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "select * from u"), ALCH_ERROR);
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("executing begins a transaction, unless that is switched off") {
  world w;
  temporary t;
  uint32_t level;
  if (open_file(&w, &t)) {
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_depth(w.connection), 1);
    CHECK_INT(alch_connection_begin(w.connection, &level, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "InvalidRequestError");
    CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
    alch_connection_set_autobegin(w.connection, false);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_depth(w.connection), 0);
    CHECK_INT(count(&w), 1);
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("closing a connection rolls back what is open") {
  world w;
  temporary t;
  if (open_file(&w, &t)) {
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
    CHECK_INT(count(&w), 0);
    CHECK_INT(alch_engine_pool_status(w.engine).in_use, 1);
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("savepoints undo what was done after them, and nothing before") {
  world w;
  temporary t;
  uint32_t one, two, three;
  if (open_file(&w, &t)) {
    CHECK_INT(alch_connection_savepoint(w.connection, &two, &w.error), ALCH_OK);
    CHECK_INT(two, 2);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_savepoint(w.connection, &three, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (2)"), ALCH_OK);
    CHECK_INT(alch_connection_rollback(w.connection, three, &w.error), ALCH_OK);
    CHECK_INT(count(&w), 1);
    CHECK_INT(alch_connection_depth(w.connection), 2);
    CHECK_INT(alch_connection_savepoint(w.connection, &three, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (3)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, three, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, two, &w.error), ALCH_OK);
    CHECK_INT(count(&w), 2);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_begin(w.connection, &one, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_savepoint(w.connection, &two, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_savepoint(w.connection, &three, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "delete from t"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, two, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "InvalidRequestError");
    CHECK_INT(alch_connection_rollback(w.connection, two, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_depth(w.connection), 1);
    CHECK_INT(alch_connection_rollback(w.connection, three, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, three, &w.error), ALCH_ERROR);
    CHECK_INT(count(&w), 2);
    CHECK_INT(alch_connection_commit(w.connection, one, &w.error), ALCH_OK);
    CHECK_INT(count(&w), 2);
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("rows of a statement that writes do not stand in the way of a commit") {
  world w;
  temporary t;
  uint32_t level;
  if (open_file(&w, &t)) {
    CHECK_INT(start(&w, "insert into t values (1), (2), (3) returning a", NULL, 0), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(alch_connection_savepoint(w.connection, &level, &w.error), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "ResourceClosedError");
    CHECK_INT(start(&w, "insert into t values (1), (2), (3) returning a", NULL, 0), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, level, &w.error), ALCH_OK);
    CHECK_INT(start(&w, "select a from t", NULL, 0), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    for (int i = 0; i < 6; i++) CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_DONE);
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("a commit that a deferred foreign key refuses leaves the transaction open") {
  world w;
  temporary t;
  if (open_file(&w, &t)) {
    CHECK_INT(run(&w, "create table p (id integer primary key)"), ALCH_OK);
    CHECK_INT(run(&w, "create table c (p references p deferrable initially deferred)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert into c values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "IntegrityError");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_SQL), "COMMIT");
    CHECK_INT(alch_connection_depth(w.connection), 1);
    CHECK_INT(scalar(&w, "select count(*) from c"), 1);
    CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(scalar(&w, "select count(*) from c"), 0);
    CHECK_INT(run(&w, "insert into c values (1)"), ALCH_OK);
    CHECK_INT(run(&w, "insert into p values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("a transaction that the database has ended takes nothing more until it is rolled back") {
  world w;
  temporary t;
  uint32_t level;
  if (open_file(&w, &t)) {
    CHECK_INT(run(&w, "create unique index u on t (a)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_savepoint(w.connection, &level, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert or rollback into t values (1)"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "IntegrityError");
    CHECK_INT(run(&w, "insert into t values (2)"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "PendingRollbackError");
    CHECK_INT(alch_connection_commit(w.connection, level, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "PendingRollbackError");
    CHECK_INT(alch_connection_rollback(w.connection, level, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (2)"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "PendingRollbackError");
    CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(count(&w), 0);
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("a text may begin and end transactions by itself") {
  world w;
  temporary t;
  if (open_file(&w, &t)) {
    alch_connection_set_autobegin(w.connection, false);
    CHECK_INT(run(&w, "begin immediate"), ALCH_OK);
    CHECK_INT(alch_connection_depth(w.connection), 1);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "begin"), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (2)"), ALCH_OK);
    CHECK_INT(run(&w, "rollback"), ALCH_OK);
    CHECK_INT(alch_connection_depth(w.connection), 0);
    CHECK_INT(count(&w), 1);
    CHECK_INT(run(&w, "begin"), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (3)"), ALCH_OK);
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
    CHECK_INT(count(&w), 1);
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("connections of one thread share a database in memory, and one of them at a time writes") {
  world w;
  alch_connection *other = NULL;
  uint32_t level;
  if (world_open(&w, "sqlite://")) {
    CHECK_INT(run(&w, "create table t (a integer)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(count(&w), 0);
    CHECK_INT(alch_connection_depth(w.connection), 1);
    if (CHECK_INT(world_connect(&w, &other), ALCH_OK)) {
      /* what only reads is in nobody's way */
      CHECK_INT(alch_connection_begin(other, &level, &w.error), ALCH_OK);
      CHECK_INT(run_on(&w, other, "insert into t values (1)"), ALCH_OK);
      CHECK_INT(run(&w, "insert into t values (2)"), ALCH_ERROR);
      CHECK_TEXT(error_name(&w), "OperationalError");
      CHECK(strstr(alch_error_message(&w.error), "database is locked") != NULL);
      CHECK_INT(alch_connection_savepoint(w.connection, &level, &w.error), ALCH_ERROR);
      CHECK_INT(alch_connection_commit(other, 1, &w.error), ALCH_OK);
      /* closing the one that has read does not undo what the other has committed */
      CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
      CHECK_INT(count(&w), 1);
      CHECK_INT(run(&w, "insert into t values (2)"), ALCH_OK);
      alch_connection_close(other);
      CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
      CHECK_INT(count(&w), 2);
    }
  }
  world_close(&w);
}

CASE("a shared connection that is closed undoes its own work only") {
  world w;
  alch_connection *other = NULL;
  if (world_open(&w, "sqlite://")) {
    CHECK_INT(run(&w, "create table t (a integer)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(world_connect(&w, &other), ALCH_OK);
    CHECK_INT(run_on(&w, other, "insert into t values (1)"), ALCH_OK);
    alch_connection_close(other);
    CHECK_INT(count(&w), 0);
    other = NULL;
    CHECK_INT(world_connect(&w, &other), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(scalar_on(&w, other, "select count(*) from t"), 1);
    alch_connection_close(other);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(count(&w), 1);
    alch_connection_set_autobegin(w.connection, false);
    CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (2)"), ALCH_OK);
    CHECK_INT(count(&w), 2);
  }
  world_close(&w);
}

/* ---- through the mock ---- */

static bool open_mock(world *w, alch_mock **mock) {
  alch_engine_options options;
  alch_engine_options_init(&options);
  *mock = alch_mock_open(&alch_allocator_standard);
  options.driver = alch_mock_driver(*mock);
  return CHECK_INT(world_open_with(w, "mock+sqlite://", &options, NULL), ALCH_OK);
}

CASE("each step of a transaction is one text, and may wait") {
  static const char *const expected[] = { "BEGIN", "SAVEPOINT sp_2", "UPDATE t", "ROLLBACK TO SAVEPOINT sp_2", "RELEASE SAVEPOINT sp_2", "COMMIT" };
  world w;
  alch_mock *mock;
  uint32_t level, waits = 0;
  if (open_mock(&w, &mock)) {
    alch_status status;
    alch_mock_wait(mock, ALCH_MOCK_START, 2);
    while ((status = alch_connection_savepoint(w.connection, &level, &w.error)) == ALCH_WAIT) {
      waits++;
      CHECK_INT(alch_connection_wait(w.connection, &w.error), ALCH_OK);
    }
    CHECK_INT(status, ALCH_OK);
    CHECK_INT(level, 2);
    CHECK_INT(waits, 4);
    CHECK_INT(run(&w, "UPDATE t"), ALCH_OK);
    while ((status = alch_connection_rollback(w.connection, 2, &w.error)) == ALCH_WAIT) waits++;
    CHECK_INT(status, ALCH_OK);
    CHECK_INT(waits, 8);
    while ((status = alch_connection_commit(w.connection, 1, &w.error)) == ALCH_WAIT) waits++;
    CHECK_INT(status, ALCH_OK);
    CHECK_INT(alch_mock_count(mock), ALCH_COUNT(expected));
    for (uint32_t i = 0; i < ALCH_COUNT(expected); i++) CHECK_TEXT(alch_mock_sql(mock, i), expected[i]);
  }
  world_close(&w);
  alch_mock_close(mock);
}

CASE("a connection that is lost loses its transaction, and is not pooled") {
  world w;
  alch_mock *mock;
  if (open_mock(&w, &mock)) {
    CHECK_INT(run(&w, "UPDATE t"), ALCH_OK);
    alch_mock_fail(mock, 2, ALCH_ERROR_OPERATIONAL, true, true);
    CHECK_INT(run(&w, "UPDATE u"), ALCH_ERROR);
    CHECK(w.error.disconnected);
    CHECK_INT(run(&w, "UPDATE t"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "PendingRollbackError");
    CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "UPDATE t"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "ResourceClosedError");
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK_INT(alch_mock_open_connections(mock), 0);
    CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
    CHECK_INT(run(&w, "UPDATE t"), ALCH_OK);
  }
  world_close(&w);
  CHECK_INT(alch_mock_open_connections(mock), 0);
  CHECK_INT(alch_mock_open_statements(mock), 0);
  alch_mock_close(mock);
}
