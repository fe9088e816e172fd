#include "engine_support.h"
#include <float.h>
#include <math.h>

/* The one row that `select :a, typeof(:a)`, with the value twice, gives. */
static void check_value(world *w, alch_value value, const char *type) {
  alch_value values[2] = { value, value };
  if (!CHECK_INT(start(w, "select :a, typeof(:b)", values, 2), ALCH_OK)) return;
  if (!CHECK_INT(next_of(&w->execution, &w->error), ALCH_ROW)) return;
  const alch_value *row = w->execution.row;
  CHECK_INT(row[0].kind, value.kind == ALCH_BOOLEAN ? ALCH_INTEGER : value.kind);
  if (value.kind != ALCH_BOOLEAN) CHECK(alch_value_equal(&row[0], &value));
  CHECK_INT(row[1].length, strlen(type));
  CHECK_BYTES(row[1].text, type, strlen(type));
  CHECK_INT(next_of(&w->execution, &w->error), ALCH_DONE);
}

static alch_value blob(const char *bytes, size_t length) {
  alch_value value = alch_value_text(bytes, length);
  value.kind = ALCH_BLOB;
  return value;
}

CASE("every kind of value goes in and comes out as it is") {
  world w;
  char all[256], large[100000];
  for (int i = 0; i < 256; i++) all[i] = (char)i;
  for (size_t i = 0; i < sizeof large; i++) large[i] = (char)('a' + check_random_below(26));
  if (world_open(&w, "sqlite://")) {
    check_value(&w, ALCH_VALUE_NULL, "null");
    check_value(&w, alch_value_integer(0), "integer");
    check_value(&w, alch_value_integer(INT64_MAX), "integer");
    check_value(&w, alch_value_integer(INT64_MIN), "integer");
    check_value(&w, alch_value_boolean(true), "integer");
    check_value(&w, alch_value_real(0.1), "real");
    check_value(&w, alch_value_real(-0.0), "real");
    check_value(&w, alch_value_real(DBL_MAX), "real");
    check_value(&w, alch_value_real(DBL_TRUE_MIN), "real");
    check_value(&w, alch_value_real(INFINITY), "real");
    check_value(&w, alch_value_text("", 0), "text");
    check_value(&w, alch_value_text("h\xc3\xa9llo \xf0\x9f\x98\x80", 11), "text");
    check_value(&w, alch_value_text("a\0b", 3), "text");
    check_value(&w, alch_value_text(large, sizeof large), "text");
    check_value(&w, blob(all, sizeof all), "blob");
    check_value(&w, blob("", 0), "blob");
    check_value(&w, blob(NULL, 0), "blob");
  }
  world_close(&w);
}

CASE("a row is read a part at a time where that is asked for, and whole again in the next execution") {
  world w;
  if (world_open(&w, "sqlite://")) {
    const char *sql = "select 1, 'two', 3.5, 'four' union all select 5, 'six', 7.5, 'eight' order by 1";
    if (CHECK_INT(start(&w, sql, NULL, 0), ALCH_OK) && CHECK(alch_execution_by_cells(&w.execution))) {
      const alch_value *row = w.execution.row;
      CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
      CHECK_INT(alch_execution_cells(&w.execution, 1, 1, &w.error), ALCH_OK);
      CHECK_BYTES(row[1].text, "two", 3);
      CHECK_INT(row[0].kind, ALCH_NULL);
      CHECK_INT(row[2].kind, ALCH_NULL);
      CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
      CHECK_INT(alch_execution_cells(&w.execution, 2, 2, &w.error), ALCH_OK);
      CHECK(row[2].real == 7.5);
      CHECK_BYTES(row[3].text, "eight", 5);
      CHECK_INT(alch_execution_cells(&w.execution, 0, 4, &w.error), ALCH_OK);
      CHECK_INT(row[0].integer, 5);
      CHECK_BYTES(row[1].text, "six", 3);
      CHECK_INT(next_of(&w.execution, &w.error), ALCH_DONE);
    }
    CHECK_INT(start(&w, sql, NULL, 0), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(w.execution.row[0].integer, 1);
    CHECK_BYTES(w.execution.row[3].text, "four", 4);
  }
  world_close(&w);
}

CASE("values come out of a table as they went in") {
  world w;
  char all[256];
  for (int i = 0; i < 256; i++) all[i] = (char)i;
  if (world_open(&w, "sqlite://")) {
    alch_value values[] = { alch_value_integer(INT64_MIN), alch_value_real(1.0 / 3), alch_value_text("a\0b", 3), blob(all, 256), ALCH_VALUE_NULL };
    CHECK_INT(run(&w, "create table t (a integer, b real, c text, d blob, e)"), ALCH_OK);
    CHECK_INT(start(&w, "insert into t values (:a, :b, :c, :d, :e)", values, 5), ALCH_OK);
    CHECK(w.execution.done);
    CHECK_INT(w.execution.changes, 1);
    CHECK_INT(start(&w, "select * from t", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.column_count, 5);
    CHECK_TEXT(alch_execution_column_name(&w.execution, 2), "c");
    if (CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW))
      for (int i = 0; i < 5; i++) CHECK(alch_value_equal(&w.execution.row[i], &values[i]));
  }
  world_close(&w);
}

CASE("texts of a UTF-16 file arrive as UTF-8") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_value value = alch_value_text("h\xc3\xa9 \xf0\x9f\x98\x80", 8);
    CHECK_INT(run(&w, "pragma encoding = 'UTF-16'"), ALCH_OK);
    CHECK_INT(run(&w, "create table t (a text)"), ALCH_OK);
    CHECK_INT(start(&w, "insert into t values (:a)", &value, 1), ALCH_OK);
    CHECK_INT(start(&w, "select a, 'x' from t", NULL, 0), ALCH_OK);
    if (CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW)) {
      CHECK(alch_value_equal(&w.execution.row[0], &value));
      CHECK_INT(w.execution.row[1].length, 1);
    }
  }
  world_close(&w);
}

/* The error of a statement that must fail; the connection is usable afterwards. */
static void check_fails(world *w, const char *sql, alch_error_kind kind, const char *part) {
  if (CHECK_INT(run(w, sql), ALCH_ERROR)) {
    CHECK_TEXT(error_name(w), alch_error_kind_name(kind));
    if (!strstr(alch_error_message(&w->error), part)) CHECK_TEXT(alch_error_message(&w->error), part);
    CHECK_TEXT(error_text(w, ALCH_ERROR_SQL), sql);
  }
  CHECK_INT(scalar(w, "select 7"), 7);
}

CASE("a NaN is refused: it would become NULL") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_value value = alch_value_real(NAN);
    CHECK_INT(start(&w, "select :a", &value, 1), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "DataError");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_PARAMETERS), "(nan)");
    CHECK_INT(scalar(&w, "select 7"), 7);
  }
  world_close(&w);
}

CASE("one statement at a time, whatever stands behind it") {
  world w;
  if (world_open(&w, "sqlite://")) {
    check_fails(&w, "select 1; select 2", ALCH_ERROR_PROGRAMMING, "second statement");
    check_fails(&w, "select 1 /* ; */; -- a\n drop table t", ALCH_ERROR_PROGRAMMING, "second statement");
    check_fails(&w, "", ALCH_ERROR_PROGRAMMING, "empty");
    check_fails(&w, " -- nothing\n /* at all */ ", ALCH_ERROR_PROGRAMMING, "empty");
    CHECK_INT(scalar(&w, "select 3;"), 3);
    CHECK_INT(scalar(&w, "select 4 ; -- a comment; with one\n /* and\n another; */ \t"), 4);
    CHECK_INT(scalar(&w, "select 5; /* not closed; select 6"), 5);
    CHECK_INT(alch_connection_run_text(w.connection, "select 1\0 and more", 18, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "ProgrammingError");
  }
  world_close(&w);
}

CASE("what the database refuses has its SQLAlchemy kind") {
  world w;
  if (world_open(&w, "sqlite://")) {
    check_fails(&w, "selec 1", ALCH_ERROR_OPERATIONAL, "syntax error");
    check_fails(&w, "select * from nowhere", ALCH_ERROR_OPERATIONAL, "no such table: nowhere");
    check_fails(&w, "select absent", ALCH_ERROR_OPERATIONAL, "no such column: absent");
    check_fails(&w, "select \"absent\"", ALCH_ERROR_OPERATIONAL, "no such column: absent");
    check_fails(&w, "select abs(-9223372036854775808)", ALCH_ERROR_OPERATIONAL, "integer overflow");
    CHECK_INT(run(&w, "create table t (id integer primary key, a)"), ALCH_OK);
    check_fails(&w, "insert into t (id) values ('x')", ALCH_ERROR_DATA, "datatype mismatch");
    check_fails(&w, "select zeroblob(2000000000)", ALCH_ERROR_DATA, "too big");
  }
  world_close(&w);
}

static void check_constraint(world *w, const char *sql, const char *table, const char *column, const char *constraint) {
  check_fails(w, sql, ALCH_ERROR_INTEGRITY, "constraint failed");
  CHECK_INT(run(w, sql), ALCH_ERROR);
  CHECK_TEXT(error_text(w, ALCH_ERROR_TABLE_NAME), table);
  CHECK_TEXT(error_text(w, ALCH_ERROR_COLUMN_NAME), column);
  CHECK_TEXT(error_text(w, ALCH_ERROR_CONSTRAINT_NAME), constraint);
  CHECK(w->error.code > 255);
}

CASE("constraints name their table, columns or themselves") {
  world w;
  if (world_open(&w, "sqlite://")) {
    CHECK_INT(run(&w, "create table t (id integer primary key, a not null, b, c, d references t, unique (b, c), constraint ck_b check (b <> 13))"), ALCH_OK);
    CHECK_INT(run(&w, "create unique index ix_lower on t (lower(a))"), ALCH_OK);
    CHECK_INT(run(&w, "create table \"w.x\" (k text primary key) without rowid"), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (1, 'A', 1, 1, 1)"), ALCH_OK);
    CHECK_INT(run(&w, "insert into \"w.x\" values ('k')"), ALCH_OK);
    check_constraint(&w, "insert into t values (1, 'x', 2, 2, 1)", "t", "id", NULL);
    check_constraint(&w, "insert into t values (2, 'x', 1, 1, 1)", "t", "b, c", NULL);
    check_constraint(&w, "insert into t values (2, 'a', 3, 3, 1)", NULL, NULL, "ix_lower");
    check_constraint(&w, "insert into t values (2, null, 3, 3, 1)", "t", "a", NULL);
    check_constraint(&w, "insert into t values (2, 'b', 13, 3, 1)", NULL, NULL, "ck_b");
    check_constraint(&w, "insert into t values (2, 'b', 3, 3, 99)", NULL, NULL, NULL);
    check_constraint(&w, "insert into \"w.x\" values ('k')", "w.x", "k", NULL);
  }
  world_close(&w);
}

CASE("a statement that changes nothing says so") {
  world w;
  if (world_open(&w, "sqlite://")) {
    CHECK_INT(run(&w, "create table t (id integer primary key, a)"), ALCH_OK);
    CHECK_INT(start(&w, "insert into t (a) values (1), (2), (3)", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.changes, 3);
    CHECK_INT(start(&w, "update t set a = 0 where id > 1", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.changes, 2);
    CHECK_INT(start(&w, "update t set a = 0 where id > 9", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.changes, 0);
    CHECK_INT(start(&w, "create table u (a)", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.changes, 0);
    CHECK_INT(start(&w, "delete from t returning id", NULL, 0), ALCH_OK);
    CHECK(w.execution.returns_rows && !w.execution.done);
    for (int i = 1; i <= 3; i++) {
      CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
      CHECK_INT(w.execution.row[0].integer, i);
    }
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_DONE);
    CHECK_INT(w.execution.changes, 3);
    CHECK_INT(start(&w, "select 1", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.changes, -1);
  }
  world_close(&w);
}

CASE("options are read from the URL") {
  world w;
  temporary t;
  if (!make_temporary(&t, "?journal_mode=WAL&synchronous=normal&timeout=0.25&foreign_keys=off")) return;
  if (world_open(&w, t.url)) {
    CHECK_INT(scalar(&w, "select count(*) from pragma_journal_mode where journal_mode = 'wal'"), 1);
    CHECK_INT(scalar(&w, "pragma synchronous"), 1);
    CHECK_INT(scalar(&w, "pragma foreign_keys"), 0);
  }
  world_close(&w);
  if (world_open(&w, "sqlite://?dqs=1")) CHECK_INT(scalar(&w, "select \"absent\" = 'absent'"), 1);
  world_close(&w);
  if (world_open(&w, "sqlite://")) {
    CHECK_INT(scalar(&w, "pragma foreign_keys"), 1);
  }
  world_close(&w);
  snprintf(t.url, sizeof t.url, "sqlite:///%s?mode=ro", t.path);
  if (world_open(&w, t.url)) {
    CHECK_INT(run(&w, "create table t (a)"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "OperationalError");
  }
  world_close(&w);
  snprintf(t.url, sizeof t.url, "sqlite:///%s?immutable=1&mode=ro", t.path);
  if (world_open(&w, t.url)) CHECK_INT(scalar(&w, "select 1"), 1);
  world_close(&w);
  snprintf(t.url, sizeof t.url, "sqlite:///file:%s%%3Fmode=ro?uri=1", t.path);
  if (world_open(&w, t.url)) CHECK_INT(run(&w, "create table t (a)"), ALCH_ERROR);
  world_close(&w);
  remove_temporary(&t);
}

CASE("a path may have any character") {
  world w;
  temporary t;
  if (!make_temporary(&t, "")) return;
  snprintf(t.path, sizeof t.path, "%s/a%%b #é.db", t.folder);
  snprintf(t.url, sizeof t.url, "sqlite:///%s/a%%25b%%20%%23é.db", t.folder);
  if (world_open(&w, t.url)) CHECK_INT(run(&w, "create table t (a)"), ALCH_OK);
  world_close(&w);
  CHECK_INT(access(t.path, F_OK), 0);
  snprintf(t.url, sizeof t.url, "sqlite:///%s/a%%25b%%20%%23é.db?immutable=1", t.folder);
  if (world_open(&w, t.url)) CHECK_INT(scalar(&w, "select 1"), 1);
  world_close(&w);
  remove_temporary(&t);
}

static void check_engine_refused(const char *url, const char *kind, const char *part) {
  world w;
  CHECK_INT(world_open_with(&w, url, NULL, NULL), ALCH_ERROR);
  CHECK_TEXT(error_name(&w), kind);
  if (!strstr(alch_error_message(&w.error), part)) CHECK_TEXT(alch_error_message(&w.error), part);
  world_close(&w);
}

CASE("options that are wrong name the mend") {
  check_engine_refused("sqlite://?timout=3", "ArgumentError", "did you mean 'timeout'?");
  check_engine_refused("sqlite://?qqq=3", "ArgumentError", "there are mode, cache");
  check_engine_refused("sqlite://?mode=write", "ArgumentError", "ro, rw, rwc, memory");
  check_engine_refused("sqlite://?timeout=soon", "ArgumentError", "seconds");
  check_engine_refused("sqlite://?timeout=-1", "ArgumentError", "seconds");
  check_engine_refused("sqlite://?foreign_keys=perhaps", "ArgumentError", "on");
  check_engine_refused("sqlite://?mode=ro&mode=rw", "ArgumentError", "twice");
  check_engine_refused("sqlite://a.db", "ArgumentError", "sqlite:///a.db");
  check_engine_refused("sqlite://user@/a.db", "ArgumentError", "user");
  check_engine_refused("sqlite://?journal_mode=wal", "OperationalError", "stays 'memory'");
  check_engine_refused("sqlite:////no/such/folder/a.db", "OperationalError", "'/no/such/folder/a.db'");
  check_engine_refused("sqlite:////tmp/no_such_file.db?mode=rw", "OperationalError", "unable to open");
  check_engine_refused("skeleton+sqlite://", "NotSupportedError", "skeleton");
  check_engine_refused("mock://", "ArgumentError", "mock+dialect://");
}

CASE("a database that somebody else writes to is busy, and free again") {
  world w, other;
  temporary t;
  if (!make_temporary(&t, "?timeout=0.05")) return;
  if (world_open(&w, t.url) && world_open(&other, t.url)) {
    uint32_t level;
    CHECK_INT(run(&w, "create table t (a)"), ALCH_OK);
    CHECK_INT(alch_connection_commit(w.connection, 1, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_begin(w.connection, &level, &w.error), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
    CHECK_INT(run(&other, "insert into t values (2)"), ALCH_ERROR);
    CHECK_TEXT(error_name(&other), "OperationalError");
    CHECK_TEXT(alch_error_message(&other.error), "database is locked");
    CHECK_INT(alch_connection_commit(w.connection, level, &w.error), ALCH_OK);
    CHECK_INT(run(&other, "insert into t values (2)"), ALCH_OK);
  }
  world_close(&other);
  world_close(&w);
  remove_temporary(&t);
}
