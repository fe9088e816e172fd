/* Many sets of values in one call, on a database in a file, through its ODBC driver. */
#include "check.h"
#include "engine/driver.h"
#include "odbc_bridge.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct bridge {
  const alch_driver *driver;
  alch_driver_connection *connection;
  alch_error error;
  char path[64];
} bridge;

static bool open_bridge(bridge *b) {
  char url[512];
  alch_url parsed;
  *b = (bridge){ .driver = alch_driver_find("odbc"), .path = "/tmp/odbc_spec.XXXXXX" };
  alch_error_init(&b->error, &alch_allocator_standard);
  close(mkstemp(b->path));
  if (!bridge_url(b->path, url, sizeof url)) {
    unlink(b->path);
    return false;
  }
  if (!CHECK_INT(alch_url_parse(&parsed, url, strlen(url), &alch_allocator_standard, &b->error), ALCH_OK)) return false;
  alch_status status = b->driver->connect(b->driver, &parsed, &alch_allocator_standard, &b->connection, &b->error);
  alch_url_close(&parsed);
  return CHECK_INT(status, ALCH_OK);
}

static void close_bridge(bridge *b) {
  if (b->connection) b->driver->close(b->connection);
  alch_error_close(&b->error);
  unlink(b->path);
}

/* Runs it to the end; the first cell of the last row, or the changes where there are no rows. */
static int64_t run(bridge *b, const char *sql, const alch_value *values, uint32_t count, uint32_t sets, alch_status expected) {
  alch_driver_statement *statement;
  alch_value row[4];
  int64_t answer = -1;
  if (!CHECK_INT(b->driver->prepare(b->connection, sql, strlen(sql), NULL, count, &statement, &b->error), ALCH_OK)) return -1;
  alch_status status = sets ? b->driver->start_many(statement, values, count, sets, &b->error) : b->driver->start(statement, values, count, &b->error);
  bool rows = false;
  while (status == ALCH_OK && (status = b->driver->poll(statement, &b->error)) == ALCH_ROW) {
    status = b->driver->row(statement, row, b->driver->column_count(statement), &b->error);
    answer = row[0].integer;
    rows = true;
  }
  if (!rows) answer = b->driver->changes(statement);
  CHECK_INT(status, expected);
  b->driver->finish(statement);
  b->driver->finalize(statement);
  return answer;
}

CASE("many sets go in at once, or none of them") {
  enum { SETS = 1000 };
  static alch_value values[SETS * 2];
  bridge b;
  if (open_bridge(&b)) {
    for (int i = 0; i < SETS; i++) {
      values[i * 2] = alch_value_integer(i);
      values[i * 2 + 1] = i % 10 == 0 ? ALCH_VALUE_NULL : alch_value_text("abcdefghij", (size_t)(i % 11));
    }
    run(&b, "create table t (id integer primary key, name varchar(20))", NULL, 0, 0, ALCH_DONE);
    run(&b, "insert into t values (?, ?)", values, 2, SETS, ALCH_DONE);
    CHECK_INT(run(&b, "select count(*) from t", NULL, 0, 0, ALCH_DONE), SETS);
    CHECK_INT(run(&b, "select count(*) from t where name is null", NULL, 0, 0, ALCH_DONE), SETS / 10);
    run(&b, "delete from t where id <> 999", NULL, 0, 0, ALCH_DONE);
    run(&b, "insert into t values (?, ?)", values, 2, SETS, ALCH_ERROR);
    CHECK_INT(b.error.kind, ALCH_ERROR_INTEGRITY);
    CHECK(!b.driver->in_transaction(b.connection));
    CHECK_INT(run(&b, "select count(*) from t", NULL, 0, 0, ALCH_DONE), 1);
  }
  close_bridge(&b);
}

CASE("within a transaction a failed call leaves what was there before it") {
  alch_value values[] = { alch_value_integer(1), alch_value_integer(2), alch_value_integer(1) }, mixed[] = { alch_value_integer(7), alch_value_text("8", 1) };
  bridge b;
  if (open_bridge(&b)) {
    run(&b, "create table t (id integer primary key)", NULL, 0, 0, ALCH_DONE);
    run(&b, "BEGIN", NULL, 0, 0, ALCH_DONE);
    run(&b, "insert into t values (5)", NULL, 0, 0, ALCH_DONE);
    run(&b, "insert into t values (?)", values, 1, 3, ALCH_ERROR);
    CHECK(b.driver->in_transaction(b.connection));
    run(&b, "insert into t values (?)", mixed, 1, 2, ALCH_DONE);
    run(&b, "COMMIT", NULL, 0, 0, ALCH_DONE);
    CHECK_INT(run(&b, "select count(*) from t", NULL, 0, 0, ALCH_DONE), 3);
  }
  close_bridge(&b);
}
