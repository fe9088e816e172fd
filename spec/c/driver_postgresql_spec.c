#define SERVER "postgresql"
#define SERVER_URL "postgresql://spec@/spec?host=%s&application_name=driver+spec%s"
#include "driver_world.h"

/* The cell that the query gives, as text (behind a comment it is not known for a query, and comes so the first time) and in binary. */
static void check_cell(world *w, const char *sql, alch_value expected) {
  char commented[1024];
  snprintf(commented, sizeof commented, "/**/ %s", sql);
  check_answer(w, commented, NULL, expected);
  check_answer(w, sql, NULL, expected);
}

CASE("numbers come as they are, as text and in binary") {
  world w;
  if (open_server(&w)) {
    check_cell(&w, "select 1::int2", alch_value_integer(1));
    check_cell(&w, "select (-32768)::int2", alch_value_integer(-32768));
    check_cell(&w, "select 2147483647", alch_value_integer(INT32_MAX));
    check_cell(&w, "select (-9223372036854775808)::int8", alch_value_integer(INT64_MIN));
    check_cell(&w, "select 4294967295::oid", alch_value_integer(UINT32_MAX));
    check_cell(&w, "select true", alch_value_boolean(true));
    check_cell(&w, "select false", alch_value_boolean(false));
    check_cell(&w, "select 0.1::float8", alch_value_real(0.1));
    check_cell(&w, "select '-0'::float8", alch_value_real(-0.0));
    check_cell(&w, "select 'NaN'::float8", alch_value_real(NAN));
    check_cell(&w, "select '-Infinity'::float8", alch_value_real(-INFINITY));
    check_cell(&w, "select 0.1::float4", alch_value_real(0.1));
    check_cell(&w, "select 16777217::float4", alch_value_real(16777216));
    check_cell(&w, "select '-1.1754944e-38'::float4", alch_value_real(-1.1754944e-38));
    check_cell(&w, "select 'Infinity'::float4", alch_value_real(INFINITY));
    check_cell(&w, "select null::int4", ALCH_VALUE_NULL);
  }
  close_server(&w);
}

/* The server's text of a date would not be understood in this style. */
CASE("a query has its first rows in binary, and so has one whose table has changed") {
  world w;
  alch_value day = of(ALCH_DATE, 19756);
  if (open_server(&w)) {
    run(&w, "set datestyle to 'German'");
    run(&w, "create temporary table t (a int)");
    run(&w, "insert into t values (1)");
    CHECK_INT(scalar(&w, "select * from t"), 1);
    run(&w, "alter table t alter a type date using '2024-02-03'::date");
    CHECK_INT(commit(&w), ALCH_OK);
    CHECK_INT(start(&w, "select * from t", NULL, 0), ALCH_OK);
    if (CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW)) CHECK(value_is(&w.execution.row[0], &day));
    alch_execution_close(&w.execution);
    CHECK_INT(run(&w, "select nothing from nowhere"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "ProgrammingError");
    rollback(&w);
    CHECK_INT(start(&w, "with d (d) as (select date '2024-02-03') select d from d", NULL, 0), ALCH_OK);
    if (CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW)) CHECK(value_is(&w.execution.row[0], &day));
  }
  close_server(&w);
}

CASE("decimals keep every digit") {
  world w;
  if (open_server(&w)) {
    check_cell(&w, "select 0::numeric", decimal("0"));
    check_cell(&w, "select 1.50::numeric(10,2)", decimal("1.50"));
    check_cell(&w, "select (-0.0001)::numeric", decimal("-0.0001"));
    check_cell(&w, "select 0.00000000012::numeric", decimal("0.00000000012"));
    check_cell(&w, "select 10000::numeric", decimal("10000"));
    check_cell(&w, "select 100000000.00010000::numeric", decimal("100000000.00010000"));
    check_cell(&w, "select 12345678901234567890123456789012345678::numeric", decimal("12345678901234567890123456789012345678"));
    check_cell(&w, "select (-99999999999999999999.999999999999999999)::numeric", decimal("-99999999999999999999.999999999999999999"));
    check_cell(&w, "select 123456789012345678901234567890123456789::numeric", text("123456789012345678901234567890123456789"));
    check_cell(&w, "select 'NaN'::numeric", text("NaN"));
    check_cell(&w, "select '-Infinity'::numeric", text("-Infinity"));
    check_cell(&w, "select 0.000::numeric(6,3)", decimal("0.000"));
  }
  close_server(&w);
}

CASE("texts and bytes come as they are") {
  world w;
  if (open_server(&w)) {
    check_cell(&w, "select 'h\xc3\xa9llo \xf0\x9f\x98\x80'::text", text("h\xc3\xa9llo \xf0\x9f\x98\x80"));
    check_cell(&w, "select ''::varchar", text(""));
    check_cell(&w, "select 'ab'::char(4)", text("ab  "));
    check_cell(&w, "select 'n'::name", text("n"));
    check_cell(&w, "select 'c'::\"char\"", text("c"));
    check_cell(&w, "select '\\x00ff41'::bytea", with_kind(ALCH_BLOB, "\0\xff\x41", 3));
    check_cell(&w, "select ''::bytea", with_kind(ALCH_BLOB, "", 0));
    check_cell(&w, "select '550E8400-e29b-41d4-a716-446655440000'::uuid", text("550e8400-e29b-41d4-a716-446655440000"));
    check_cell(&w, "select '{\"a\": [1, 2.50]}'::json", text("{\"a\": [1, 2.50]}"));
    check_cell(&w, "select '{\"a\":[1,2.50]}'::jsonb", text("{\"a\": [1, 2.50]}"));
    check_cell(&w, "select '10.0.0.1/8'::inet", text("10.0.0.1/8"));
    check_cell(&w, "select array[1, null, 3]", text("{1,NULL,3}"));
    check_cell(&w, "select repeat('x', 3)::xml", text("xxx"));
  }
  close_server(&w);
}

/* Values with an inside, which come in binary, against the texts that the server itself has for them. */
static const char *const insides[] = {
  "array[1, null, -3]", "'{}'::int[]", "array[[1,2],[3,4],[5,6]]", "array[[[1],[2]],[[3],[4]]]", "'[2:3]={7,8}'::int[]", "'[0:1][-1:0]={{1,2},{3,4}}'::int8[]", "array[1,2]::int2[]", "array[true,null,false]",
  "array['a', '', 'a b', 'null', 'NULL', 'nul', 'q\"x', 'b\\s', 'c,d', '{', E'tab\\t', 'z\xc3\xa9']", "array['x','y z']::varchar[]", "array['ab']::char(4)[]", "array['n']::name[]", "array['c']::\"char\"[]",
  "array[0.5, -2, 1e300, 1e-7, 'NaN', '-Infinity']::float8[]", "array[0.1]::float4[]", "array[1.50, 'NaN', 0, -12345678901234567890.000100]::numeric[]", "array['\\x00ff'::bytea, '']",
  "array['2024-02-29', '0044-03-15 BC', 'infinity']::date[]", "array['00:00:00.5']::time[]", "array['2024-02-29 12:13:14.5', '-infinity']::timestamp[]", "array['1 day 02:03:04', '-1 day -00:00:00.5', '1 mon']::interval[]",
  "array['550e8400-e29b-41d4-a716-446655440000']::uuid[]", "array['{\"a\": 1}', '[]']::json[]", "array['{\"a\": 1}', '\"x\"']::jsonb[]", "array['<a/>']::xml[]", "array[4294967295]::oid[]",
  "'10.0.0.1'::inet", "'10.0.0.1/8'::inet", "'10.0.0.0/8'::cidr", "'10.0.0.1/32'::cidr", "'::1'::inet", "'2001:db8::/32'::cidr", "array['1.2.3.4', '::/0']::inet[]", "'08:00:2b:01:02:03'::macaddr",
  "'08:00:2b:01:02:03:04:05'::macaddr8", "array['08:00:2b:01:02:03']::macaddr[]", "'101'::bit(3)", "''::varbit", "'1011001110001'::varbit", "array['1', '']::varbit[]", "'$.a[*]'::jsonpath",
  "'[1,5)'::int4range", "'empty'::int4range", "'(,)'::int4range", "'[,9]'::int8range", "'(1.5,2.50]'::numrange", "'[2024-01-01,2024-02-01)'::daterange", "'(2024-01-01 00:00:00, infinity]'::tsrange", "'[-5,-2]'::int4range",
  "array['[1,2)', 'empty']::int4range[]", "'{[1,3),[5,9)}'::int4multirange", "'{}'::nummultirange", "'{[2024-01-01 10:00,2024-01-02 11:00)}'::tsmultirange", "array['{[1,2)}', '{}']::int8multirange[]",
  "array['[1,2)', '(3.5,)']::numrange[]",
};

CASE("arrays, ranges and addresses have the texts of the server") {
  world w;
  if (open_server(&w)) {
    for (size_t i = 0; i < ALCH_COUNT(insides); i++) {
      char sql[512], expected[512];
      snprintf(sql, sizeof sql, "select format('%%s', %s)", insides[i]);
      bool there = CHECK_INT(start(&w, sql, NULL, 0), ALCH_OK) && CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
      if (!there) printf("# %s: %s\n", sql, alch_error_message(&w.error));
      if (!there) continue;
      snprintf(expected, sizeof expected, "%.*s", (int)w.execution.row[0].length, w.execution.row[0].text);
      snprintf(sql, sizeof sql, "select %s", insides[i]);
      check_cell(&w, sql, text(expected));
    }
    rollback(&w);
    close_server(&w);
  }
}

CASE("the older form of bytes is read too") {
  world w;
  if (open_server(&w)) {
    CHECK_INT(run(&w, "set bytea_output = 'escape'"), ALCH_OK);
    check_cell(&w, "select '\\x00ff415c'::bytea, '1.1.1.1'::inet", with_kind(ALCH_BLOB, "\0\xff\x41\\", 4));
  }
  close_server(&w);
}

CASE("dates and times come as numbers") {
  world w;
  if (open_server(&w)) {
    check_cell(&w, "select date '1970-01-01'", of(ALCH_DATE, 0));
    check_cell(&w, "select date '0001-01-01'", of(ALCH_DATE, ALCH_DAYS_MIN));
    check_cell(&w, "select date '9999-12-31'", of(ALCH_DATE, ALCH_DAYS_MAX));
    check_cell(&w, "select date '1969-12-31'", of(ALCH_DATE, -1));
    check_cell(&w, "select time '23:59:59.999999'", of(ALCH_TIME, DAY - 1));
    check_cell(&w, "select timetz '01:30:00+02'", of(ALCH_TIME, 84600 * SECOND));
    check_cell(&w, "select timetz '23:30:00-02:30'", of(ALCH_TIME, 7200 * SECOND));
    check_cell(&w, "select timestamp '1969-12-31 23:59:59.999999'", of(ALCH_DATETIME, -1));
    check_cell(&w, "select timestamp '9999-12-31 23:59:59.999999'", of(ALCH_DATETIME, ALCH_MICROSECONDS_MAX));
    check_cell(&w, "select timestamptz '1970-01-01 00:00:00+02'", of(ALCH_DATETIME, -7200 * SECOND));
    CHECK_INT(run(&w, "set timezone = 'Asia/Kolkata'"), ALCH_OK);
    check_cell(&w, "select timestamptz '1970-01-01 00:00:00.000001+00'", of(ALCH_DATETIME, 1));
    check_cell(&w, "select interval '1 day 02:03:04.5'", of(ALCH_INTERVAL, DAY + 7384 * SECOND + SECOND / 2));
    check_cell(&w, "select interval '-1 day -00:00:00.000001'", of(ALCH_INTERVAL, -DAY - 1));
  }
  close_server(&w);
}

/* Told apart from moments by their kind: a column that has a type refuses them. */
CASE("moments that no clock here has come as the server's text") {
  world w;
  if (open_server(&w)) {
    check_cell(&w, "select date 'infinity'", text("infinity"));
    check_cell(&w, "select timestamp '-infinity'", text("-infinity"));
    check_cell(&w, "select date '0044-03-15 BC'", text("0044-03-15 BC"));
    check_cell(&w, "select date '10000-01-01'", text("10000-01-01"));
    check_cell(&w, "select timestamp '0001-12-31 23:59:59.5 BC'", text("0001-12-31 23:59:59.5 BC"));
    check_cell(&w, "select timestamp '10000-01-01 00:00:00'", text("10000-01-01 00:00:00"));
    check_cell(&w, "select timestamptz '10000-01-02 00:00:00+00'", text("10000-01-02 00:00:00+00"));
    check_cell(&w, "select time '24:00:00'", text("24:00:00"));
    check_cell(&w, "select interval '1 year 2 months -3 days 04:05:06.7'", text("1 year 2 mons -3 days +04:05:06.7"));
    check_cell(&w, "select interval '-1 month'", text("-1 mons"));
    check_cell(&w, "select interval '2 years 1 day -1 second'", text("2 years 1 day -00:00:01"));
  }
  close_server(&w);
}

CASE("values go in by their kind, whatever was given before") {
  world w;
  if (open_server(&w)) {
    check_given(&w, "select :a", ALCH_VALUE_NULL, ALCH_VALUE_NULL);
    check_given(&w, "select :a", alch_value_integer(5), alch_value_integer(5));
    check_given(&w, "select :a", alch_value_integer(INT64_MAX), alch_value_integer(INT64_MAX));
    check_given(&w, "select :a", alch_value_integer(-5), alch_value_integer(-5));
    check_given(&w, "select :a", alch_value_real(0.1), alch_value_real(0.1));
    check_given(&w, "select :a", alch_value_boolean(true), alch_value_boolean(true));
    check_given(&w, "select :a", text("x'\\"), text("x'\\"));
    check_given(&w, "select :a", with_kind(ALCH_BLOB, "\0\1", 2), with_kind(ALCH_BLOB, "\0\1", 2));
    check_given(&w, "select :a", ALCH_VALUE_NULL, ALCH_VALUE_NULL);
    check_given(&w, "select cast(:a as float4)", alch_value_real(0.1), alch_value_real(0.1));
    check_given(&w, "select cast(:a as numeric)", alch_value_real(INFINITY), text("Infinity"));
    check_given(&w, "select cast(:a as date)", text("2024-02-29"), of(ALCH_DATE, 19782));
    check_given(&w, "select :a", of(ALCH_DATE, -1), of(ALCH_DATE, -1));
    check_given(&w, "select :a", of(ALCH_TIME, DAY - 1), of(ALCH_TIME, DAY - 1));
    check_given(&w, "select cast(:a as timetz)", of(ALCH_TIME, 1), of(ALCH_TIME, 1));
    check_given(&w, "select :a", of(ALCH_DATETIME, ALCH_MICROSECONDS_MIN), of(ALCH_DATETIME, ALCH_MICROSECONDS_MIN));
    check_given(&w, "select cast(:a as timestamptz)", of(ALCH_DATETIME, 1), of(ALCH_DATETIME, 1));
    check_given(&w, "select :a", of(ALCH_INTERVAL, -DAY - 1), of(ALCH_INTERVAL, -DAY - 1));
    check_given(&w, "select cast(:a as text)", of(ALCH_INTERVAL, DAY + SECOND), text("1 day 00:00:01"));
    check_given(&w, "select :a", decimal("-12.50"), decimal("-12.50"));
    check_given(&w, "select substr('hello', :a)", alch_value_integer(2), text("ello"));
  }
  close_server(&w);
}

CASE("a text with a zero byte is refused before it is sent") {
  world w;
  if (open_server(&w)) {
    alch_value value = alch_value_text("a\0b", 3);
    CHECK_INT(start(&w, "select :a", &value, 1), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "DataError");
    CHECK(strstr(alch_error_message(&w.error), "zero byte") != NULL);
  }
  close_working(&w);
}

CASE("a large text and many rows go through") {
  world w;
  size_t size = 3000000;
  char *large = malloc(size);
  if (large && open_server(&w)) {
    memset(large, 'x', size);
    alch_value value = alch_value_text(large, size);
    check_given(&w, "select length(:a)", value, alch_value_integer((int64_t)size));
    check_given(&w, "select :a", value, value);
    CHECK_INT(start(&w, "select n, 'row ' || n from generate_series(1, 100000) n", NULL, 0), ALCH_OK);
    int64_t sum = 0;
    while (next_of(&w.execution, &w.error) == ALCH_ROW) sum += w.execution.row[0].integer;
    CHECK_INT(sum, INT64_C(5000050000));
    close_server(&w);
  }
  free(large);
}

CASE("errors have their kinds, codes and names") {
  world w;
  if (open_server(&w)) {
    check_fails(&w, "select 1/0", ALCH_ERROR_DATA, "22012", 0);
    check_fails(&w, "selekt", ALCH_ERROR_PROGRAMMING, "42601", 0);
    check_fails(&w, "select 1; select 2", ALCH_ERROR_PROGRAMMING, "42601", 0);
    check_fails(&w, "", ALCH_ERROR_PROGRAMMING, "", 0);
    check_fails(&w, "select * from nowhere", ALCH_ERROR_PROGRAMMING, "42P01", 0);
    run(&w, "set local statement_timeout = '50ms'");
    check_fails(&w, "select pg_sleep(5)", ALCH_ERROR_OPERATIONAL, "57014", 0);
    run(&w, "create temporary table t (id int constraint positive check (id > 0) unique, name text not null)");
    CHECK_INT(commit(&w), ALCH_OK);
    CHECK_INT(run(&w, "insert into t values (1, 'a'), (1, 'b')"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "IntegrityError");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_CONSTRAINT_NAME), "t_id_key");
    CHECK_TEXT(error_text(&w, ALCH_ERROR_TABLE_NAME), "t");
    CHECK(strstr(alch_error_message(&w.error), "Key (id)=(1)") != NULL);
    CHECK_INT(run(&w, "select 1"), ALCH_ERROR);
    CHECK_TEXT(w.error.sqlstate, "25P02");
    CHECK(strstr(alch_error_message(&w.error), "roll back") != NULL);
    rollback(&w);
    CHECK_INT(run(&w, "insert into t values (2, null)"), ALCH_ERROR);
    CHECK_TEXT(error_text(&w, ALCH_ERROR_COLUMN_NAME), "name");
    rollback(&w);
  }
  close_server(&w);
}

CASE("a COMMIT that the server makes a ROLLBACK of is an error") {
  world w;
  if (open_server(&w)) {
    CHECK_INT(run(&w, "select 1/0"), ALCH_ERROR);
    CHECK_INT(commit(&w), ALCH_ERROR);
    CHECK_TEXT(w.error.sqlstate, "25P02");
    rollback(&w);
  }
  close_working(&w);
}

CASE("changes are counted, and those of a SELECT are not") {
  world w;
  if (open_server(&w)) {
    run(&w, "create temporary table t (id int)");
    CHECK_INT(start(&w, "insert into t select generate_series(1, 5) returning id", NULL, 0), ALCH_OK);
    int rows = 0;
    while (next_of(&w.execution, &w.error) == ALCH_ROW) rows++;
    CHECK_INT(rows, 5);
    CHECK_INT(w.execution.changes, 5);
    CHECK_INT(start(&w, "update t set id = 0 where id > 3", NULL, 0), ALCH_OK);
    CHECK_INT(w.execution.changes, 2);
    CHECK_INT(start(&w, "select * from t", NULL, 0), ALCH_OK);
    while (next_of(&w.execution, &w.error) == ALCH_ROW) continue;
    CHECK_INT(w.execution.changes, -1);
  }
  close_server(&w);
}

CASE("a plan that no longer fits is made again when the transaction is young") {
  world w;
  if (open_server(&w)) {
    run(&w, "create temporary table t (a int)");
    run(&w, "insert into t values (1)");
    CHECK_INT(scalar(&w, "select * from t"), 1);
    CHECK_INT(commit(&w), ALCH_OK);
    run(&w, "alter table t alter a type text using 'two'");
    CHECK_INT(commit(&w), ALCH_OK);
    CHECK_INT(start(&w, "select * from t", NULL, 0), ALCH_OK);
    if (CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW)) CHECK_INT(w.execution.row[0].kind, ALCH_TEXT);
    alch_execution_close(&w.execution);
    run(&w, "alter table t alter a type int using 3");
    CHECK_INT(run(&w, "select * from t"), ALCH_ERROR);
    CHECK_TEXT(w.error.sqlstate, "0A000");
    rollback(&w);
    CHECK_INT(run(&w, "select * from t"), ALCH_OK);
    rollback(&w);
    run(&w, "deallocate all");
    CHECK_INT(commit(&w), ALCH_OK);
    CHECK_INT(run(&w, "select * from t"), ALCH_OK);
  }
  close_server(&w);
}

#define SESSIONS "select count(*) from pg_stat_activity where pid = :a"

CASE("a session that the server ends is told as that") {
  world w, other;
  if (open_server(&w) && open_server(&other)) {
    int64_t session = scalar(&w, "select pg_backend_pid()");
    alch_value value = alch_value_integer(session);
    CHECK_INT(start(&other, "select pg_terminate_backend(:a)", &value, 1), ALCH_OK);
    wait_until(&other, SESSIONS, value.integer, 0);
    CHECK_INT(run(&w, "select 1"), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "OperationalError");
    CHECK(w.error.disconnected);
    CHECK_TEXT(w.error.sqlstate, "57P01");
    rollback(&w);
    CHECK_INT(run(&w, "select 1"), ALCH_ERROR);
    close_server(&other);
  }
  close_server(&w);
}

CASE("a statement is interrupted from another thread") {
  world w;
  if (open_server(&w)) check_interrupted(&w, "select pg_sleep(60)", "57014", 0);
  close_server(&w);
}

CASE("a server that does not answer is given up in time") { check_unanswered("postgresql+libpq"); }

CASE("options of URLs are checked by name") {
  check_url("postgresql://a:b@h1:1,h2:2/db?target_session_attrs=read-write&sslmode=require", NULL);
  check_url("postgresql:///db?host=h1:1&host=[::1]:2&options=-c%20geqo%3Doff", NULL);
  check_url("postgresql://h/d?sslmod=require", "did you mean 'sslmode'");
  check_url("postgresql://h/d?sslmode=require&sslmode=disable", "given twice");
  check_url("postgresql://h/d?client_encoding=latin1", "UTF-8");
  check_url("postgresql://h/d?connect_timeout=soon", "number of seconds");
  check_url("postgresql+psycopg2://h/d", "write postgresql:// alone");
}

CASE("the first of several hosts that answers is taken") {
  world w;
  char url[400];
  const char *folder = server_folder(SERVER);
  if (!folder) return;
  snprintf(url, sizeof url, "postgresql://spec@/spec?host=%s/none&host=%s:5432&target_session_attrs=any&options=-c%%20datestyle%%3Dsql,dmy", folder, folder);
  if (world_open(&w, url)) {
    check_cell(&w, "select date '2024-02-29'", of(ALCH_DATE, 19782));
    check_cell(&w, "select current_setting('datestyle')", text("ISO, DMY"));
  }
  world_close(&w);
}

/* ---- the driver by itself ---- */

#define STREAM_ROWS INT64_C(100000)

CASE("a stream can be read beside other statements, and left") {
  world w;
  const alch_driver *driver = driver_of_server();
  if (open_server(&w)) {
    for (int round = 0; round < 2; round++) {
      alch_driver_statement *stream = prepared(&w, "select n::int8 from generate_series(1, 100000) n", 0), *other = prepared(&w, "select 7", 0);
      int64_t sum = 0, rows = 0;
      driver->stream(stream, 100);
      CHECK_INT(driver->start(stream, NULL, 0, &w.error), ALCH_OK);
      while (polled(&w, stream) == ALCH_ROW) {
        sum += first_cell(&w, stream);
        if (++rows != 500) continue;
        CHECK_INT(driver->start(other, NULL, 0, &w.error), ALCH_OK);
        if (CHECK_INT(polled(&w, other), ALCH_ROW)) CHECK_INT(first_cell(&w, other), 7);
        driver->finish(other);
        if (round == 1) break;
      }
      if (round == 0) CHECK_INT(sum, STREAM_ROWS * (STREAM_ROWS + 1) / 2);
      driver->finish(stream);
      driver->stream(stream, 1);
      CHECK_INT(driver->start(stream, NULL, 0, &w.error), ALCH_OK);
      CHECK_INT(polled(&w, stream), ALCH_ROW);
      driver->finish(stream);
      CHECK_INT(scalar(&w, "select 8"), 8);
      driver->finalize(stream);
      driver->finalize(other);
    }
  }
  close_server(&w);
}

CASE("an error in the middle of a stream ends it") {
  world w;
  const alch_driver *driver = driver_of_server();
  if (open_server(&w)) {
    alch_driver_statement *stream = prepared(&w, "select 1 / (n - 30000) from generate_series(1, 100000) n", 0);
    int64_t rows = 0;
    alch_status status;
    driver->stream(stream, 100);
    CHECK_INT(driver->start(stream, NULL, 0, &w.error), ALCH_OK);
    while ((status = polled(&w, stream)) == ALCH_ROW) rows++;
    CHECK_INT(status, ALCH_ERROR);
    CHECK_TEXT(w.error.sqlstate, "22012");
    CHECK(rows <= 29999);
    driver->finish(stream);
    CHECK_INT(scalar(&w, "select 8"), 8);
    driver->finalize(stream);
  }
  close_server(&w);
}

enum { SETS = 10000 };   /* more than the socket takes before there are answers */

CASE("many sets of values go in one round trip, and their rows come in the order of the sets") {
  world w;
  const alch_driver *driver = driver_of_server();
  if (open_server(&w)) {
    static alch_value values[SETS * 2];
    for (int i = 0; i < SETS; i++) {
      values[2 * i] = alch_value_integer(i == 2000 ? INT64_C(5000000000) : i);
      values[2 * i + 1] = i % 7 == 0 ? ALCH_VALUE_NULL : text("some text");
    }
    run(&w, "create temporary table t (id int8, name text)");
    CHECK_INT(commit(&w), ALCH_OK);
    alch_driver_statement *statement = prepared(&w, "insert into t values ($1, $2) returning id", 2);
    CHECK_INT(driver->start_many(statement, values, 2, SETS, &w.error), ALCH_OK);
    int rows = 0, wrong = 0;
    while (polled(&w, statement) == ALCH_ROW) wrong += first_cell(&w, statement) != values[2 * rows++].integer;
    CHECK_INT(rows, SETS);
    CHECK_INT(wrong, 0);
    CHECK_INT(driver->changes(statement), SETS);
    driver->finish(statement);
    CHECK_INT(scalar(&w, "select count(name) from t"), SETS - (SETS + 6) / 7);
    CHECK_INT(commit(&w), ALCH_OK);
    run(&w, "delete from t");
    run(&w, "alter table t add check (id <> 1500)");
    CHECK_INT(commit(&w), ALCH_OK);
    CHECK_INT(driver->start_many(statement, values, 2, SETS, &w.error), ALCH_OK);
    CHECK_INT(polled(&w, statement), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "IntegrityError");
    driver->finish(statement);
    CHECK_INT(scalar(&w, "select count(*) from t"), 0);
    driver->finalize(statement);
  }
  close_server(&w);
}

CASE("more parameters than the protocol counts are refused, and as many as it counts go through") {
  world w;
  alch_driver_statement *statement = NULL;
  const alch_driver *driver = driver_of_server();
  if (open_server(&w)) {
    CHECK_INT(driver->prepare(connection_of(&w), "select 1", 8, NULL, 65536, &statement, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "ProgrammingError");
    char *sql = malloc(65535 * 8 + 64);
    alch_value *values = malloc(65535 * sizeof *values);
    size_t length = (size_t)sprintf(sql, "select cardinality(array[");
    for (int i = 1; i <= 65535; i++) {
      length += (size_t)sprintf(sql + length, "%s$%d", i > 1 ? "," : "", i);
      values[i - 1] = alch_value_integer(i);
    }
    strcpy(sql + length, "])");
    statement = prepared(&w, sql, 65535);
    CHECK_INT(driver->start(statement, values, 65535, &w.error), ALCH_OK);
    if (CHECK_INT(polled(&w, statement), ALCH_ROW)) CHECK_INT(first_cell(&w, statement), 65535);
    driver->finish(statement);
    driver->finalize(statement);
    free(values);
    free(sql);
  }
  close_server(&w);
}

static alch_status pinged(world *w) {
  const alch_driver *driver = driver_of_server();
  alch_status status;
  while ((status = driver->ping(connection_of(w), &w->error)) == ALCH_WAIT) alch_connection_wait(w->connection, &w->error);
  return status;
}

CASE("a ping finds out whether the server is there, and leaves the transaction as it is") {
  world w, other;
  if (open_server(&w) && open_server(&other)) {
    CHECK_INT(pinged(&w), ALCH_OK);
    uint32_t level = 0;
    CHECK_INT(alch_connection_begin(w.connection, &level, &w.error), ALCH_OK);
    CHECK_INT(pinged(&w), ALCH_OK);
    run(&w, "create table made_after_ping (a int)");
    rollback(&w);
    CHECK_INT(scalar(&w, "select count(*) from pg_class where relname = 'made_after_ping'"), 0);
    run(&w, "select 1/0");
    CHECK_INT(pinged(&w), ALCH_OK);
    CHECK_INT(run(&w, "select 1"), ALCH_ERROR);
    CHECK_TEXT(w.error.sqlstate, "25P02");
    rollback(&w);
    alch_value value = alch_value_integer(scalar(&w, "select pg_backend_pid()"));
    CHECK_INT(pinged(&w), ALCH_OK);
    CHECK_INT(start(&other, "select pg_terminate_backend(:a)", &value, 1), ALCH_OK);
    wait_until(&other, SESSIONS, value.integer, 0);
    CHECK_INT(pinged(&w), ALCH_ERROR);
    CHECK(w.error.disconnected);
    close_server(&other);
  }
  close_server(&w);
}

CASE("a child that lets go of the connection does not end the session") {
  world w;
  if (open_server(&w)) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
      driver_of_server()->abandon(connection_of(&w));
      _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  }
  close_working(&w);
}

/* Each allocation of the library fails in its turn: an error each time, and nothing is lost. */
CASE("every allocation may fail") {
  char url[256];
  alch_status status = ALCH_ERROR;
  if (!server_url(url, sizeof url, "")) return;
  for (uint64_t fail_at = 1; status != ALCH_OK && fail_at < 2000; fail_at++) {
    alch_fault_allocator fault;
    world w;
    alch_fault_allocator_init(&fault);
    fault.fail_at = fail_at;
    status = world_open_with(&w, url, NULL, &fault.allocator);
    alch_value values[2] = { alch_value_integer(5), text("abc") };
    if (status == ALCH_OK) status = start(&w, "select cast(:a as numeric), :b, '\\x00'::bytea, now()", values, 2);
    if (status == ALCH_OK) status = next_of(&w.execution, &w.error) == ALCH_ROW ? ALCH_OK : ALCH_ERROR;
    if (status == ALCH_OK) status = start(&w, "select cast(:a as numeric), :b, '\\x00'::bytea, now()", values, 2);
    if (status == ALCH_OK) status = next_of(&w.execution, &w.error) == ALCH_ROW ? ALCH_OK : ALCH_ERROR;
    if (status == ALCH_OK && run(&w, "select 1/0") == ALCH_OK) status = ALCH_ERROR;
    if (fault.failures == 0 && status != ALCH_OK) CHECK_TEXT(alch_error_message(&w.error), "an allocation that failed");
    world_close(&w);
    CHECK_INT(fault.live_blocks, 0);
    CHECK_INT(fault.wrong_sizes, 0);
    if (fault.failures == 0) break;
  }
  CHECK_INT(status, ALCH_OK);
}
