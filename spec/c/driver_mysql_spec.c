#define SERVER "mariadb"
#define SERVER_URL "mariadb://spec@/spec?unix_socket=%s/mariadb.sock%s"
#include "driver_world.h"

static void check_cell(world *w, const char *sql, alch_value expected) { check_answer(w, sql, NULL, expected); }

CASE("numbers come as they are") {
  world w;
  if (open_server(&w)) {
    CHECK_INT(run(&w, "create temporary table n (a tinyint, b smallint unsigned, c mediumint, d int unsigned, e bigint, f bigint unsigned, g float, h double, i decimal(65,30), j bit(64), k year, l bit(1))"), ALCH_OK);
    CHECK_INT(run(&w, "insert into n values (-128, 65535, -8388608, 4294967295, -9223372036854775808, 18446744073709551615, 0.1, 2.2250738585072014e-308, 12345678901234567890123456789012345.123456789012345678901234567890, b'1111111111111111111111111111111111111111111111111111111111111111', 2155, b'1')"), ALCH_OK);
    check_cell(&w, "select a from n", alch_value_integer(-128));
    check_cell(&w, "select b from n", alch_value_integer(65535));
    check_cell(&w, "select c from n", alch_value_integer(-8388608));
    check_cell(&w, "select d from n", alch_value_integer(UINT32_MAX));
    check_cell(&w, "select e from n", alch_value_integer(INT64_MIN));
    check_cell(&w, "select f from n", decimal("18446744073709551615"));
    check_cell(&w, "select g from n", alch_value_real(0.1));
    check_cell(&w, "select h from n", alch_value_real(2.2250738585072014e-308));
    check_cell(&w, "select i from n", decimal("12345678901234567890123456789012345.123456789012345678901234567890"));
    check_cell(&w, "select j from n", decimal("18446744073709551615"));
    check_cell(&w, "select k from n", alch_value_integer(2155));
    check_cell(&w, "select l from n", alch_value_integer(1));
    check_cell(&w, "select true", alch_value_integer(1));
    check_cell(&w, "select null", ALCH_VALUE_NULL);
    check_cell(&w, "select cast(9223372036854775808 as unsigned)", decimal("9223372036854775808"));
    check_cell(&w, "select -0.50", decimal("-0.50"));
  }
  close_server(&w);
}

CASE("texts and bytes come as they are") {
  world w;
  if (open_server(&w)) {
    check_cell(&w, "select 'h\xc3\xa9llo \xf0\x9f\x98\x80'", text("h\xc3\xa9llo \xf0\x9f\x98\x80"));
    check_cell(&w, "select ''", text(""));
    check_cell(&w, "select cast('00ff41' as binary)", with_kind(ALCH_BLOB, "00ff41", 6));
    check_cell(&w, "select unhex('00ff41')", with_kind(ALCH_BLOB, "\0\xff\x41", 3));
    check_cell(&w, "select cast('550E8400-e29b-41d4-a716-446655440000' as uuid)", text("550e8400-e29b-41d4-a716-446655440000"));
    check_cell(&w, "select json_extract('{\"a\": [1, 2.50]}', '$.a')", text("[1, 2.50]"));
    CHECK_INT(run(&w, "create temporary table s (a enum('x','y'), b set('p','q'), c json, d blob, e inet6)"), ALCH_OK);
    CHECK_INT(run(&w, "insert into s values ('y', 'p,q', '{\"a\": 1}', '', '::1')"), ALCH_OK);
    check_cell(&w, "select a from s", text("y"));
    check_cell(&w, "select b from s", text("p,q"));
    check_cell(&w, "select c from s", text("{\"a\": 1}"));
    check_cell(&w, "select d from s", with_kind(ALCH_BLOB, "", 0));
    check_cell(&w, "select e from s", text("::1"));
  }
  close_server(&w);
}

CASE("dates and times come as numbers") {
  world w;
  if (open_server(&w)) {
    check_cell(&w, "select date '1970-01-01'", of(ALCH_DATE, 0));
    check_cell(&w, "select date '0001-01-01'", of(ALCH_DATE, ALCH_DAYS_MIN));
    check_cell(&w, "select date '9999-12-31'", of(ALCH_DATE, ALCH_DAYS_MAX));
    check_cell(&w, "select time '23:59:59.999999'", of(ALCH_TIME, DAY - 1));
    check_cell(&w, "select time '838:59:59.999999'", of(ALCH_INTERVAL, (838 * 3600 + 3599) * SECOND + 999999));
    check_cell(&w, "select time '-838:59:59'", of(ALCH_INTERVAL, -(838 * 3600 + 3599) * SECOND));
    check_cell(&w, "select timestamp '1969-12-31 23:59:59.999999'", of(ALCH_DATETIME, -1));
    check_cell(&w, "select timestamp '9999-12-31 23:59:59.999999'", of(ALCH_DATETIME, ALCH_MICROSECONDS_MAX));
    check_cell(&w, "select from_unixtime(1)", of(ALCH_DATETIME, SECOND));
  }
  close_server(&w);
}

CASE("a date that is no day is refused, and can be had as text") {
  world w;
  if (open_with(&w, "&sql_mode=")) {
    CHECK_INT(run(&w, "create temporary table z (d date, t datetime)"), ALCH_OK);
    CHECK_INT(run(&w, "insert into z values ('0000-00-00', '2024-00-01 00:00:00')"), ALCH_OK);
    CHECK_INT(run(&w, "select d from z"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "DataError");
    CHECK(strstr(alch_error_message(&w.error), "column 'd' holds 0000-00-00") != NULL);
    CHECK_INT(run(&w, "select t from z"), ALCH_ERROR);
    check_cell(&w, "select cast(d as char) from z", text("0000-00-00"));
  }
  close_server(&w);
}

CASE("values go in by their kind, whatever was given before") {
  world w;
  if (open_server(&w)) {
    alch_value number = alch_value_integer(2), day = text("2024-02-29"), before = of(ALCH_TIME, -30 * 3600 * SECOND - 1);
    check_same(&w, "select :a", ALCH_VALUE_NULL);
    check_same(&w, "select :a", alch_value_integer(5));
    check_same(&w, "select :a", alch_value_integer(INT64_MAX));
    check_same(&w, "select :a", alch_value_integer(INT64_MIN));
    check_same(&w, "select :a", alch_value_real(0.1));
    check_same(&w, "select :a", text("x'\\"));
    check_same(&w, "select :a", with_kind(ALCH_BLOB, "\0\1", 2));
    check_same(&w, "select :a", with_kind(ALCH_BLOB, "", 0));
    check_same(&w, "select :a", alch_value_text("a\0b", 3));
    check_same(&w, "select cast(:a as date)", of(ALCH_DATE, -1));
    check_same(&w, "select cast(:a as time(6))", of(ALCH_TIME, DAY - 1));
    check_given(&w, "select cast(:a as time(6))", before, of(ALCH_INTERVAL, before.integer));
    check_same(&w, "select cast(:a as datetime(6))", of(ALCH_DATETIME, 1));
    check_same(&w, "select cast(:a as datetime(6))", of(ALCH_DATETIME, ALCH_MICROSECONDS_MAX));
    check_same(&w, "select :a", decimal("-12.50"));
    check_given(&w, "select cast(:a as date)", day, of(ALCH_DATE, 19782));
    check_given(&w, "select substr('hello', :a)", number, text("ello"));
  }
  close_server(&w);
}

static void check_refused(world *w, alch_value value, const char *part) {
  CHECK_INT(start(w, "select :a", &value, 1), ALCH_ERROR);
  CHECK_TEXT(error_name(w), "DataError");
  if (!strstr(alch_error_message(&w->error), part)) CHECK_TEXT(alch_error_message(&w->error), part);
  CHECK_INT(scalar(w, "select 7"), 7);
}

CASE("what no column could hold is refused before it is sent") {
  world w;
  if (open_server(&w)) {
    check_refused(&w, alch_value_real(NAN), "finite");
    check_refused(&w, of(ALCH_TIME, 839 * 3600 * SECOND), "838:59:59");
    check_refused(&w, of(ALCH_DATE, ALCH_DAYS_MAX + 1), "1 to 9999");
  }
  close_server(&w);
}

CASE("large values and many rows go through") {
  world w;
  size_t size = 3000000;
  char *large = malloc(size);
  if (large && open_server(&w)) {
    for (size_t i = 0; i < size; i++) large[i] = (char)('a' + i % 26);
    alch_value value = alch_value_text(large, size);
    check_given(&w, "select length(:a)", value, alch_value_integer((int64_t)size));
    check_same(&w, "select :a", value);
    CHECK_INT(start(&w, "select seq, concat('row ', seq), repeat('y', seq % 700) from seq_1_to_100000", NULL, 0), ALCH_OK);
    int64_t sum = 0, length = 0;
    while (next_of(&w.execution, &w.error) == ALCH_ROW) sum += w.execution.row[0].integer, length += w.execution.row[2].length;
    CHECK_INT(sum, INT64_C(5000050000));
    for (int64_t i = 1; i <= 100000; i++) length -= i % 700;
    CHECK_INT(length, 0);
    close_server(&w);
  }
  free(large);
}

CASE("two results are read in turn, and one that is given up is in nobody's way") {
  world w;
  if (open_server(&w)) {
    alch_execution other;
    alch_execution_init(&other, w.allocator);
    CHECK_INT(start(&w, "select seq from seq_1_to_1000", NULL, 0), ALCH_OK);
    CHECK_INT(start_on(&w, w.connection, &other, "select seq * 2 from seq_1_to_1000", NULL, 0), ALCH_OK);
    for (int i = 1; i <= 10; i++) {
      CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
      CHECK_INT(next_of(&other, &w.error), ALCH_ROW);
      CHECK_INT(w.execution.row[0].integer, i);
      CHECK_INT(other.row[0].integer, 2 * i);
    }
    alch_execution_close(&other);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(scalar(&w, "select 7"), 7);
    alch_execution_destroy(&other);
  }
  close_server(&w);
}

/* A call that is left in the middle is ended by the next statement. */
CASE("an execution that is closed while it waits leaves a connection that works") {
  world w;
  if (open_server(&w)) {
    alch_compiled *compiled;
    CHECK_INT(scalar(&w, "select 1"), 1);
    for (int i = 0; i < 3; i++) {
      CHECK_INT(compile_text(&w, i == 0 ? "select sleep(0.2)" : i == 1 ? "select seq, sleep(0.2 * (seq = 1)) from seq_1_to_50000" : "do sleep(0.2)", &compiled), ALCH_OK);
      CHECK_INT(alch_execution_start(&w.execution, w.connection, compiled, NULL, NULL, &w.error), ALCH_WAIT);
      if (i > 0) {
        alch_connection_wait(w.connection, &w.error);
        alch_execution_start_poll(&w.execution, &w.error);
      }
      alch_execution_close(&w.execution);
      alch_compiled_release(compiled);
      CHECK_INT(scalar(&w, "select 7"), 7);
    }
  }
  close_server(&w);
}

CASE("a connection may be closed while a statement is under way") {
  world w;
  if (open_server(&w)) {
    alch_compiled *compiled;
    CHECK_INT(compile_text(&w, "select sleep(20)", &compiled), ALCH_OK);
    CHECK_INT(scalar(&w, "select 1"), 1);
    int64_t before = alch_clock_microseconds();
    CHECK_INT(alch_execution_start(&w.execution, w.connection, compiled, NULL, NULL, &w.error), ALCH_WAIT);
    alch_compiled_release(compiled);
    driver_of_server()->interrupt(connection_of(&w));
    close_server(&w);
    CHECK(alch_clock_microseconds() - before < 10 * SECOND);
  }
}

CASE("errors have their kinds, codes and names") {
  world w;
  if (open_server(&w)) {
    run(&w, "drop table if exists child, parent");
    CHECK_INT(run(&w, "create table parent (id int primary key, name varchar(3) not null, n tinyint, constraint positive check (id > 0), unique key by_name (name)) engine=innodb"), ALCH_OK);
    CHECK_INT(run(&w, "create table child (id int primary key, parent_id int, constraint has_parent foreign key (parent_id) references parent (id)) engine=innodb"), ALCH_OK);
    CHECK_INT(run(&w, "insert into parent values (1, 'a', 1)"), ALCH_OK);
    CHECK_INT(commit(&w), ALCH_OK);
    check_fails(&w, "selekt", ALCH_ERROR_PROGRAMMING, "42000", 1064);
    check_fails(&w, "select 1; select 2", ALCH_ERROR_PROGRAMMING, "42000", 1064);
    check_fails(&w, "create table x (a int); select 2", ALCH_ERROR_PROGRAMMING, "42000", 1064);
    check_fails(&w, "", ALCH_ERROR_PROGRAMMING, "42000", 1065);
    check_fails(&w, "select * from nowhere", ALCH_ERROR_PROGRAMMING, "42S02", 1146);
    check_fails(&w, "select nothing", ALCH_ERROR_OPERATIONAL, "42S22", 1054);
    check_fails(&w, "load data local infile '/etc/passwd' into table parent", ALCH_ERROR_OPERATIONAL, "HY000", 4166);
    check_fails(&w, "insert into parent values (2, 'b', 300)", ALCH_ERROR_DATA, "22003", 1264);
    CHECK_INT(run(&w, "insert into parent values (2, 'for key ''x''', 1)"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "DataError");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_COLUMN_NAME), "name");
    CHECK_INT(run(&w, "insert into parent values (2, 'a', 1)"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "IntegrityError");
    CHECK_TEXT(w.error.sqlstate, "23000");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_CONSTRAINT_NAME), "by_name");
    CHECK_INT(run(&w, "insert into parent values (2, null, 1)"), ALCH_ERROR);
    CHECK_TEXT(error_text(&w, ALCH_ERROR_COLUMN_NAME), "name");
    CHECK_INT(run(&w, "insert into parent (id) values (2)"), ALCH_ERROR);
    CHECK_TEXT(error_text(&w, ALCH_ERROR_COLUMN_NAME), "name");
    CHECK_INT(run(&w, "insert into parent values (-2, 'c', 1)"), ALCH_ERROR);
    CHECK_TEXT(error_text(&w, ALCH_ERROR_CONSTRAINT_NAME), "positive");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_TABLE_NAME), "parent");
    CHECK_INT(run(&w, "insert into child values (1, 5)"), ALCH_ERROR);
    CHECK_TEXT(error_text(&w, ALCH_ERROR_CONSTRAINT_NAME), "has_parent");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_TABLE_NAME), "child");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_COLUMN_NAME), "parent_id");
    run(&w, "drop table child, parent");
  }
  close_server(&w);
}

CASE("changes count the rows that were found, keys are told, and a SELECT counts nothing") {
  world w;
  if (open_server(&w)) {
    run(&w, "create temporary table t (id int primary key auto_increment, a int)");
    CHECK_INT(start(&w, "insert into t (a) select seq from seq_1_to_5", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.changes, 5);
    CHECK_INT(start(&w, "insert into t (a) values (7), (8) returning id, a", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.column_count, 2);
    int rows = 0;
    while (next_of(&w.execution, &w.error) == ALCH_ROW) rows++;
    CHECK_INT(rows, 2);
    CHECK_INT(w.execution.changes, 2);
    CHECK_INT(start(&w, "update t set a = 1 where a < 3", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.changes, 2);
    CHECK_INT(start(&w, "select * from t", NULL, 0), ALCH_OK);
    CHECK_TEXT(alch_execution_column_name(&w.execution, 1), "a");
    while (next_of(&w.execution, &w.error) == ALCH_ROW) continue;
    CHECK_INT(w.execution.changes, -1);
    CHECK_INT(driver_of_server()->last_insert_id(connection_of(&w)) >= 0, true);
  }
  close_server(&w);
  if (open_with(&w, "&found_rows=0")) {
    run(&w, "create temporary table t (a int)");
    run(&w, "insert into t values (1), (2)");
    CHECK_INT(start(&w, "update t set a = 1", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.changes, 1);
  }
  close_server(&w);
}

CASE("a statement whose table has changed is prepared again") {
  world w;
  if (open_server(&w)) {
    run(&w, "create temporary table t (a int)");
    run(&w, "insert into t values (1)");
    CHECK_INT(scalar(&w, "select * from t"), 1);
    run(&w, "alter table t modify a varchar(10)");
    check_cell(&w, "select * from t", text("1"));
    run(&w, "alter table t add b int default 5");
    CHECK_INT(start(&w, "select * from t", NULL, 0), ALCH_OK);
    if (CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW) && CHECK_INT(w.execution.column_count, 2)) CHECK_INT(w.execution.row[1].integer, 5);
  }
  close_server(&w);
}

/* Runs it, with rows in pieces of so many (0: nothing is said of that), and reads as many as are wanted; how many came. */
static int read_rows(world *w, alch_driver_statement *statement, uint32_t pieces, int wanted) {
  int rows = 0;
  if (pieces > 0) driver_of_server()->stream(statement, pieces);
  alch_status status = driver_of_server()->start(statement, NULL, 0, &w->error);
  while (status >= 0 && rows < wanted && (status = polled(w, statement)) == ALCH_ROW) {
    first_cell(w, statement);
    rows++;
  }
  if (status < 0) printf("# %s\n", alch_error_message(&w->error));
  driver_of_server()->finish(statement);
  return rows;
}

CASE("rows come in pieces") {
  static const struct { const char *sql; int wanted, rows; } queries[] = {
    { "select seq from seq_1_to_1000", INT_MAX, 1000 }, { "select 1", INT_MAX, 1 }, { "select 1 from dual where 1 = 0", INT_MAX, 0 }, { "show tables from mysql like 'user'", INT_MAX, 1 },
    { "select seq from seq_1_to_1000", 20, 20 },
  };
  world w;
  if (open_server(&w)) {
    for (size_t i = 0; i < ALCH_COUNT(queries); i++) {
      alch_driver_statement *statement = prepared(&w, queries[i].sql, 0);
      if (!statement) continue;
      for (int again = 0; again < 2; again++) CHECK_INT(read_rows(&w, statement, 7, queries[i].wanted), queries[i].rows);
      driver_of_server()->finalize(statement);
      CHECK_INT(scalar(&w, "select 7"), 7);
    }
  }
  close_server(&w);
}

#define FETCHES "select cast(variable_value as integer) from information_schema.session_status where variable_name = 'COM_STMT_FETCH'"

CASE("rows come in pieces in the execution that was asked for it, and in no later one") {
  world w;
  if (open_server(&w)) {
    alch_driver_statement *statement = prepared(&w, "select seq from seq_1_to_1000", 0);
    int64_t before = scalar(&w, FETCHES);
    CHECK_INT(read_rows(&w, statement, 7, INT_MAX), 1000);
    int64_t after = scalar(&w, FETCHES);
    CHECK(after > before);
    CHECK_INT(read_rows(&w, statement, 0, INT_MAX), 1000);
    CHECK_INT(scalar(&w, FETCHES), after);
    driver_of_server()->finalize(statement);
  }
  close_server(&w);
}

typedef struct sets_run { world *w; const char *sql; const alch_value *values; uint32_t count, sets; int rows; int64_t sum, changes; } sets_run;

static alch_status run_sets(sets_run *r) {
  const alch_driver *driver = driver_of_server();
  alch_driver_statement *statement = prepared(r->w, r->sql, r->count);
  if (!statement) return ALCH_ERROR;
  r->rows = 0;
  r->sum = 0;
  alch_status status = r->sets > 0 ? driver->start_many(statement, r->values, r->count, r->sets, &r->w->error) : driver->start(statement, r->values, r->count, &r->w->error);
  while (status >= 0 && (status = polled(r->w, statement)) == ALCH_ROW) r->rows++, r->sum = (r->sum * 10 + first_cell(r->w, statement)) % 1000000;
  r->changes = driver->changes(statement);
  driver->finish(statement);
  driver->finalize(statement);
  return status;
}

static void check_sets(world *w, const char *sql, const alch_value *values, uint32_t count, uint32_t sets, int64_t changes, int64_t sum) {
  sets_run r = { .w = w, .sql = sql, .values = values, .count = count, .sets = sets };
  if (!CHECK_INT(run_sets(&r), ALCH_DONE)) printf("# %s\n", alch_error_message(&w->error));
  CHECK_INT(r.changes, changes);
  CHECK_INT(r.sum, sum);
}

CASE("many sets of values go at once, or one by one, and all of them or none") {
  world w;
  if (open_server(&w)) {
    enum { SETS = 2000 };
    static alch_value many[SETS * 4];
    for (int i = 0; i < SETS; i++) {
      many[i * 4] = alch_value_integer(i);
      many[i * 4 + 1] = i % 3 == 0 ? ALCH_VALUE_NULL : text(i % 3 == 1 ? "one" : "another");
      many[i * 4 + 2] = of(ALCH_DATETIME, i * SECOND + i);
      many[i * 4 + 3] = i % 2 == 0 ? decimal("1.50") : ALCH_VALUE_NULL;
    }
    run(&w, "create or replace table m (id int primary key, name varchar(10), at datetime(6), amount decimal(10,2)) engine=innodb");
    check_sets(&w, "insert into m values (?, ?, ?, ?)", many, 4, SETS, SETS, 0);
    CHECK_INT(scalar(&w, "select count(*) from m where (name is null) = (id % 3 = 0) and (amount is null) = (id % 2 = 1)"), SETS);
    CHECK_INT(scalar(&w, "select count(*) from m where at = timestampadd(microsecond, id * 1000001, '1970-01-01')"), SETS);
    alch_value mixed[] = { alch_value_integer(5000), text("5001"), alch_value_integer(5002) }, updated[] = { text("x"), alch_value_integer(1), text("y"), alch_value_integer(2) };
    check_sets(&w, "insert into m (id) values (?)", mixed, 1, 3, 3, 0);
    check_sets(&w, "update m set name = ? where id = ?", updated, 2, 2, 2, 0);
    alch_value returned[] = { alch_value_integer(6001), alch_value_integer(6002), alch_value_integer(6003) };
    check_sets(&w, "insert into m (id) values (?) returning id - 6000", returned, 1, 3, 3, 123);
    alch_value again[] = { alch_value_integer(7001), alch_value_integer(6002), alch_value_integer(7003) }, texts[] = { alch_value_integer(7001), text("7002"), text("6002") };
    sets_run twice[] = { { .w = &w, .sql = "insert into m (id) values (?)", .values = again, .count = 1, .sets = 3 }, { .w = &w, .sql = "insert into m (id) values (?)", .values = texts, .count = 1, .sets = 3 } };
    for (int i = 0; i < 2; i++) {
      run(&w, "start transaction");
      run(&w, "insert into m (id) values (9999)");
      CHECK_INT(run_sets(&twice[i]), ALCH_ERROR);
      CHECK_INT(w.error.code, 1062);
      CHECK_INT(scalar(&w, "select count(*) from m where id between 7000 and 7999"), 0);
      CHECK_INT(scalar(&w, "select count(*) from m where id = 9999"), 1);
      run(&w, "rollback");
    }
    alch_value bad[] = { text("8001"), of(ALCH_TIME, 900 * 3600 * SECOND) };
    sets_run refused = { .w = &w, .sql = "insert into m (name) values (?)", .values = bad, .count = 1, .sets = 2 };
    CHECK_INT(run_sets(&refused), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "DataError");
    CHECK_INT(scalar(&w, "select 7"), 7);
    run(&w, "drop table m");
  }
  close_server(&w);
}

#define EXECUTIONS "select cast(variable_value as integer) from information_schema.session_status where variable_name = 'COM_STMT_EXECUTE'"

/* The numbers are told by the rows, whatever has a hand in them. */
CASE("an INSERT of many sets gives their rows in one execution, and a failure leaves none of them") {
  world w;
  if (open_server(&w)) {
    enum { SETS = 4095 };
    static alch_value names[SETS], columns[2 * SETS];
    static char texts[SETS][16];
    for (int i = 0; i < SETS; i++) {
      names[i] = alch_value_text(texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "%d", i));
      columns[2 * i] = names[i];
      columns[2 * i + 1] = i % 4 == 0 ? ALCH_VALUE_NULL : i % 4 == 1 ? alch_value_integer(i) : alch_value_integer(-i);
    }
    run(&w, "create or replace table m (id int primary key auto_increment, name varchar(10) unique, n int) engine=innodb");
    sets_run r = { .w = &w, .sql = "insert into m (name) values (?) returning id = @last := @last + 1", .values = names, .count = 1, .sets = SETS };
    run(&w, "set @last = 0");
    int64_t before = scalar(&w, EXECUTIONS);
    CHECK_INT(run_sets(&r), ALCH_DONE);
    CHECK_INT(r.rows, SETS);
    CHECK_INT(r.changes, SETS);
    CHECK(scalar(&w, EXECUTIONS) - before < 10);
    CHECK_INT(scalar(&w, "select count(*) from m where id = name + 1"), SETS);
    CHECK_INT(run(&w, "insert into m (name) values ('last')"), ALCH_OK);
    CHECK_INT(scalar(&w, "select id from m where name = 'last'"), SETS + 1);
    CHECK_INT(run(&w, "delete from m where name <> '4000'"), ALCH_OK);
    CHECK_INT(run_sets(&r), ALCH_ERROR);
    CHECK_INT(w.error.code, 1062);
    CHECK_INT(scalar(&w, "select count(*) from m"), 1);
    CHECK_INT(run(&w, "truncate m"), ALCH_OK);
    check_sets(&w, "insert into m (name, n) values (?, ?)", columns, 2, SETS, SETS, 0);
    CHECK_INT(scalar(&w, "select count(*) from m where n <=> case name % 4 when 0 then null when 1 then cast(name as int) else -name end"), SETS);
    alch_value three[] = { text("x"), text("y"), text("z") };
    check_sets(&w, "insert into m (name) select ? returning ascii(name) - 119", three, 1, 3, 3, 123);
    check_sets(&w, "delete from m where name = ? returning ascii(name) - 119", three, 1, 3, 3, 123);
    run(&w, "drop table m");
  }
  close_server(&w);
}

CASE("results of a CALL are read away after the first") {
  world w;
  if (open_server(&w)) {
    run(&w, "create or replace procedure two() begin select 1; select 2; select 3 from seq_1_to_1000; end");
    CHECK_INT(scalar(&w, "call two()"), 1);
    CHECK_INT(start(&w, "call two()", NULL, 0), ALCH_OK);
    alch_execution_close(&w.execution);
    CHECK_INT(scalar(&w, "select 7"), 7);
    run(&w, "drop procedure two");
  }
  close_server(&w);
}

CASE("a session that the server ends is told as that") {
  world w, other;
  if (open_server(&w) && open_server(&other)) {
    alch_value value = alch_value_integer(scalar(&w, "select connection_id()"));
    CHECK_INT(driver_of_server()->alive(connection_of(&w)), true);
    CHECK_INT(start(&other, "kill :a", &value, 1), ALCH_OK);
    wait_until(&other, "select count(*) from information_schema.processlist where id = :a", value.integer, 0);
    CHECK_INT(driver_of_server()->alive(connection_of(&w)), false);
    CHECK_INT(run(&w, "select 1"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "OperationalError");
    CHECK(w.error.disconnected);
    rollback(&w);
    CHECK_INT(run(&w, "select 1"), ALCH_ERROR);
    close_server(&other);
  }
  close_server(&w);
}

CASE("a statement is interrupted from another thread") {
  world w;
  if (open_server(&w)) check_interrupted(&w, "select count(*) from seq_1_to_100000 a, seq_1_to_100000 b", "70100", 1317);
  close_server(&w);
}

#define LOCK_WAITS "select count(*) from information_schema.innodb_trx where trx_state = 'LOCK WAIT'"

CASE("a lock that is not given is retryable, and so is a deadlock, which ends the transaction") {
  world w, other, third;
  if (open_server(&w) && open_server(&other) && open_server(&third)) {
    run(&w, "create or replace table l (id int primary key, a int) engine=innodb");
    run(&w, "insert into l values (1, 0), (2, 0)");
    CHECK_INT(commit(&w), ALCH_OK);
    run(&w, "set innodb_lock_wait_timeout = 1");
    CHECK_INT(run(&other, "update l set a = 1 where id = 1"), ALCH_OK);
    CHECK_INT(run(&w, "update l set a = 2 where id = 1"), ALCH_ERROR);
    CHECK_INT(w.error.code, 1205);
    CHECK(w.error.retryable);
    rollback(&w);
    rollback(&other);
    run(&w, "set innodb_lock_wait_timeout = 20");
    CHECK_INT(run(&w, "update l set a = 1 where id = 1"), ALCH_OK);
    CHECK_INT(run(&other, "update l set a = 1 where id = 2"), ALCH_OK);
    alch_compiled *compiled;
    CHECK_INT(compile_text(&w, "update l set a = 3 where id = 2", &compiled), ALCH_OK);
    alch_status first = alch_execution_start(&w.execution, w.connection, compiled, NULL, NULL, &w.error);
    alch_compiled_release(compiled);
    int64_t deadline = alch_clock_microseconds() + 30 * SECOND;
    while (first == ALCH_WAIT && scalar(&third, LOCK_WAITS) == 0 && alch_clock_microseconds() < deadline) {
      usleep(200000);   /* the server renews what it shows only where nobody has looked for a tenth of a second */
      first = alch_execution_start_poll(&w.execution, &w.error);
    }
    CHECK_INT(first, ALCH_WAIT);
    alch_status second = run(&other, "update l set a = 3 where id = 1");
    first = finish_start(&w.execution, first, &w.error);
    CHECK_INT((first == ALCH_ERROR) + (second == ALCH_ERROR), 1);
    world *loser = first == ALCH_ERROR ? &w : &other;
    CHECK_INT(loser->error.code, 1213);
    CHECK(loser->error.retryable);
    CHECK(!driver_of_server()->in_transaction(alch_connection_driver_connection(loser->connection)));
    alch_execution_close(&w.execution);
    rollback(&w);
    rollback(&other);
    run(&w, "drop table l");
    close_server(&third);
    close_server(&other);
  }
  close_server(&w);
}

CASE("a session says what it is about") {
  world w;
  if (open_server(&w)) {
    check_cell(&w, "select @@time_zone", text("+00:00"));
    check_cell(&w, "select @@character_set_client", text("utf8mb4"));
    check_cell(&w, "select @@sql_mode like '%STRICT_ALL_TABLES%'", alch_value_integer(1));
  }
  close_server(&w);
  if (open_with(&w, "&init_command=set%20@x%3D5&time_zone=%2B02:00&connect_timeout=5&charset=utf8mb4")) {
    check_cell(&w, "select @x", alch_value_integer(5));
    check_cell(&w, "select @@time_zone", text("+02:00"));
  }
  close_server(&w);
}

CASE("a server that does not answer is given up in time") { check_unanswered("mysql"); }

CASE("a socket that is not there is told") {
  world w;
  CHECK_INT(world_open_with(&w, "mariadb://a@/b?unix_socket=/nowhere/x.sock", NULL, NULL), ALCH_ERROR);
  CHECK_TEXT(error_name(&w), "OperationalError");
  CHECK_INT(w.error.code, 2002);
  world_close(&w);
}

CASE("options of URLs are checked by name") {
  check_url("mysql://a:b@h:3306/db?ssl_ca=/x&connect_timeout=1.5&read_timeout=3&compress=0", NULL);
  check_url("mariadb://h/d?unix_sock=/x", "did you mean 'unix_socket'");
  check_url("mysql://h/d?ssl=1&ssl=0", "given twice");
  check_url("mysql://h/d?charset=latin1", "UTF-8");
  check_url("mysql://h/d?connect_timeout=soon", "number of seconds");
  check_url("mysql://h/d?read_timeout=soon", "whole number of seconds");
  check_url("mysql://h/d?found_rows=maybe", "found_rows");
  check_url("mysql://h/d?sql_mode=a'b", "no quotes");
  check_url("mysql://h/d?local_infile=1", "no option 'local_infile'");
}
