/* Statements that are started while the answer to another is still to come: each gets its own answer, and they happen in the order of their starts. */
#define SERVER "mariadb"
#define SERVER_URL "mariadb://spec@/spec?unix_socket=%s/mariadb.sock%s"
#include "driver_world.h"

#define INSERT "insert into t (n) values (?) returning n"
enum { SETS = 4095, NUMBERS = 40000 };

static alch_value numbers[NUMBERS];

static bool open_table(world *w) {
  if (!open_server(w)) return false;
  for (int i = 0; i < NUMBERS; i++) numbers[i] = alch_value_integer(i);
  run(w, "create or replace table t (id int primary key auto_increment, n int unique) engine=innodb");
  return CHECK_INT(run(w, "start transaction"), ALCH_OK);
}

static void close_table(world *w) {
  if (w->engine) {
    rollback(w);
    CHECK_INT(run(w, "drop table t"), ALCH_OK);
  }
  close_server(w);
}

/* sets 0: the one set of `count` values. */
static alch_driver_statement *started(world *w, const char *sql, const alch_value *values, uint32_t count, uint32_t sets) {
  const alch_driver *driver = driver_of_server();
  alch_driver_statement *statement = prepared(w, sql, count);
  if (!statement) return NULL;
  driver->ahead(statement);
  CHECK_INT(sets > 0 ? driver->start_many(statement, values, count, sets, &w->error) : driver->start(statement, values, count, &w->error), ALCH_OK);
  return statement;
}

static alch_driver_statement *inserted(world *w, const alch_value *values, uint32_t sets) { return started(w, INSERT, values, 1, sets); }

static void ended(alch_driver_statement *statement) {
  driver_of_server()->finish(statement);
  driver_of_server()->finalize(statement);
}

/* Reads the rest of the rows, which are the numbers from `next` on; how many of them were right. */
static int64_t read_numbers(world *w, alch_driver_statement *statement, int64_t next) {
  int64_t right = 0;
  while (polled(w, statement) == ALCH_ROW) right += first_cell(w, statement) == next++;
  return right;
}

static int64_t count_rows(world *w) { return scalar(w, "select count(*) from t"); }

CASE("the server works on the second while rows of the first are read") {
  world w, other;
  if (open_table(&w) && open_server(&other)) {
    int64_t session = scalar(&w, "select connection_id()");
    CHECK_INT(scalar(&other, "select get_lock('turn', 0)"), 1);
    alch_driver_statement *first = inserted(&w, numbers, SETS), *second = started(&w, "select get_lock('turn', 60) + 4", NULL, 0, 0);
    CHECK_INT(polled(&w, first), ALCH_ROW);
    CHECK_INT(first_cell(&w, first), 0);
    wait_until(&other, "select count(*) from information_schema.processlist where id = :a and state = 'User lock'", session, 1);
    CHECK_INT(scalar(&other, "select release_lock('turn')"), 1);
    CHECK_INT(read_numbers(&w, first, 1), SETS - 1);
    CHECK_INT(driver_of_server()->changes(first), SETS);
    ended(first);
    CHECK_INT(polled(&w, second), ALCH_ROW);
    CHECK_INT(first_cell(&w, second), 5);
    CHECK_INT(polled(&w, second), ALCH_DONE);
    ended(second);
    close_server(&other);
  }
  close_table(&w);
}


/* The row of the number `next`, and when `whole` all of them. */
static void take(world *w, alch_driver_statement *statement, int64_t next, uint32_t sets, bool whole) {
  CHECK_INT(polled(w, statement), ALCH_ROW);
  CHECK_INT(first_cell(w, statement), next);
  if (whole) CHECK_INT(read_numbers(w, statement, next + 1), sets - 1);
}

CASE("many go one behind the other, whether the rows of each are read to the end or not") {
  static const uint32_t sizes[] = { SETS, SETS, 1, 2, SETS, 3, 3, 1, 1, 1000, 0 };
  world w;
  if (open_table(&w)) {
    int64_t from = 0;
    for (int whole = 0; whole < 2; whole++) {
      alch_driver_statement *before = inserted(&w, numbers + from, sizes[0]);
      for (size_t i = 0; sizes[i] > 0; from += sizes[i++]) {
        alch_driver_statement *next = sizes[i + 1] > 0 ? inserted(&w, numbers + from + sizes[i], sizes[i + 1]) : NULL;
        take(&w, before, from, sizes[i], whole);
        ended(before);
        before = next;
      }
    }
    CHECK_INT(count_rows(&w), from);
    CHECK_INT(scalar(&w, "select count(*) from t a join t b on b.n = a.n + 1 where b.id > a.id"), from - 1);
  }
  close_table(&w);
}

CASE("handles take turns") {
  world w;
  if (open_table(&w)) {
    const alch_driver *driver = driver_of_server();
    alch_driver_statement *pair[] = { inserted(&w, numbers, 1000), inserted(&w, numbers + 1000, 1000) };
    for (int64_t i = 0; i < 8; i++) {
      alch_driver_statement *statement = pair[i % 2];
      take(&w, statement, i * 1000, 1000, i % 3 == 0);
      driver->finish(statement);
      if (i >= 6) continue;
      driver->ahead(statement);
      CHECK_INT(driver->start_many(statement, numbers + (i + 2) * 1000, 1, 1000, &w.error), ALCH_OK);
    }
    for (int i = 0; i < 2; i++) driver->finalize(pair[i]);
    CHECK_INT(count_rows(&w), 8000);
  }
  close_table(&w);
}

/* Small statements are answered before anybody asks. */
CASE("each has its own key and its own count") {
  world w;
  if (open_table(&w)) {
    const alch_driver *driver = driver_of_server();
    alch_driver_statement *before = started(&w, "insert into t (n) values (?)", numbers, 1, 0);
    for (int64_t i = 0; i < 20; i++) {
      alch_driver_statement *next = started(&w, i % 2 == 0 ? "insert into t (n) select 1000 + ? from seq_1_to_1" : "insert into t (n) values (?)", numbers + i + 1, 1, 0);
      usleep(1000);
      CHECK_INT(polled(&w, before), ALCH_DONE);
      CHECK_INT(driver->last_insert_id(connection_of(&w)), i + 1);
      CHECK_INT(driver->changes(before), 1);
      ended(before);
      before = next;
    }
    CHECK_INT(polled(&w, before), ALCH_DONE);
    ended(before);
  }
  close_table(&w);
}

CASE("what comes behind one that fails is not sent") {
  world w;
  if (open_table(&w)) {
    alch_value twice[] = { numbers[1], numbers[2], numbers[1] };
    alch_driver_statement *first = inserted(&w, twice, 3), *second = inserted(&w, numbers + 10, 3);
    CHECK_INT(polled(&w, first), ALCH_ERROR);
    CHECK_INT(w.error.code, 1062);
    ended(first);
    CHECK_INT(polled(&w, second), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "OperationalError");
    CHECK(strstr(alch_error_message(&w.error), "not sent") != NULL);
    ended(second);
    CHECK_INT(count_rows(&w), 0);
    alch_driver_statement *third = inserted(&w, numbers, 3);
    take(&w, third, 0, 3, true);
    ended(third);
  }
  close_table(&w);
}

CASE("one that fails takes nothing from the one before it, and says why when it is asked") {
  const alch_value bad[] = { of(ALCH_TIME, 900 * 3600 * SECOND), of(ALCH_TIME, 0) };
  static const struct { const char *sql; uint32_t count; int code; const char *kind; } failures[] = {
    { INSERT, 3, 1062, "IntegrityError" }, { INSERT, 0, 1062, "IntegrityError" }, { "insert into t (n) values (?) returning nothing", 3, 1054, "OperationalError" },
    { "insert into t (n) values (?) returning n", UINT32_MAX, 0, "DataError" }, { "insert into t (n) values (?) returning (select seq from seq_1_to_2)", 3, 1242, "OperationalError" },
  };
  world w;
  if (open_table(&w)) {
    for (size_t i = 0; i < ALCH_COUNT(failures); i++) {
      bool refused = failures[i].count == UINT32_MAX;
      alch_value twice[] = { numbers[1], numbers[2000], numbers[2001] };
      if (failures[i].code != 1062) twice[0] = numbers[2002];
      alch_driver_statement *first = inserted(&w, numbers, 1000), *second = started(&w, failures[i].sql, refused ? bad : twice, 1, refused ? 2 : failures[i].count);
      CHECK_INT(polled(&w, first), ALCH_ROW);
      usleep(1000);
      CHECK_INT(first_cell(&w, first), 0);
      CHECK_INT(read_numbers(&w, first, 1), 999);
      ended(first);
      CHECK_INT(polled(&w, second), ALCH_ERROR);
      CHECK_INT(w.error.code, failures[i].code);
      CHECK_TEXT(error_name(&w), failures[i].kind);
      ended(second);
      CHECK_INT(count_rows(&w), 1000);
      CHECK_INT(run(&w, "delete from t"), ALCH_OK);
    }
  }
  close_table(&w);
}

/* left: 1 the first, 2 the second, 3 both, in turn from behind; after so many rows of the first. */
CASE("they may be given up at any time") {
  world w;
  if (open_table(&w)) {
    for (int left = 1; left <= 4; left++) {
      for (int rows = 0; rows <= SETS; rows += rows == 0 ? 1 : SETS - 1) {
        alch_driver_statement *pair[] = { inserted(&w, numbers, SETS), inserted(&w, numbers + SETS, 2000) };
        for (int i = 0; i < rows; i++) CHECK_INT(polled(&w, pair[0]), ALCH_ROW);
        if (left != 2) ended(pair[left == 4]);
        if (left != 1) ended(pair[left != 4]);
        if (left == 1) take(&w, pair[1], SETS, 2000, true);
        if (left == 2 && rows < SETS) take(&w, pair[0], rows, SETS - (uint32_t)rows, true);
        if (left <= 2) ended(pair[left == 1]);
        CHECK_INT(scalar(&w, "select 7"), 7);
        CHECK_INT(run(&w, "delete from t"), ALCH_OK);
      }
    }
  }
  close_table(&w);
}

CASE("another statement in between has the answers read first, and leaves them to whom they belong") {
  world w;
  if (open_table(&w)) {
    for (int polls = 0; polls < 3; polls++) {
      alch_driver_statement *pair[] = { inserted(&w, numbers, SETS), inserted(&w, numbers + SETS, SETS) };
      for (int i = 0; i < polls; i++) take(&w, pair[i], i * SETS, SETS, false);
      CHECK_INT(scalar(&w, "select count(*) from t"), polls == 0 ? SETS : 2 * SETS);
      for (int i = 0; i < 2; i++) {
        CHECK_INT(read_numbers(&w, pair[i], i * SETS + (i < polls)), SETS - (i < polls));
        ended(pair[i]);
      }
      CHECK_INT(run(&w, "delete from t"), ALCH_OK);
    }
  }
  close_table(&w);
}

/* Polled until the server sees it sleep: it may have to be prepared first. */
static void poll_to_sleep(world *w, alch_driver_statement *statement, world *other, int64_t session) {
  char sql[128];
  snprintf(sql, sizeof sql, "select count(*) from information_schema.processlist where id = %lld and state = 'User sleep'", (long long)session);
  int64_t deadline = alch_clock_microseconds() + 15 * SECOND;
  while (CHECK_INT(driver_of_server()->poll(statement, &w->error), ALCH_WAIT) && scalar(other, sql) == 0 && CHECK(alch_clock_microseconds() < deadline)) usleep(2000);
}

CASE("both fail when the session has ended, whichever of them it was at") {
  for (int at = 0; at < 2; at++) {
    world w, other;
    if (open_table(&w) && open_server(&other)) {
      alch_value session = alch_value_integer(scalar(&w, "select connection_id()"));
      alch_driver_statement *pair[] = { at == 0 ? started(&w, "select sleep(20)", NULL, 0, 0) : inserted(&w, numbers, 3), at == 1 ? started(&w, "select sleep(20)", NULL, 0, 0) : inserted(&w, numbers, 3) };
      if (at == 1) take(&w, pair[0], 0, 3, true);
      poll_to_sleep(&w, pair[at], &other, session.integer);
      CHECK_INT(start(&other, "kill :a", &session, 1), ALCH_OK);
      for (int i = at; i < 2; i++) {
        CHECK_INT(polled(&w, pair[i]), ALCH_ERROR);
        CHECK_TEXT(error_name(&w), "OperationalError");
        CHECK(i > at || w.error.disconnected);
      }
      for (int i = 0; i < 2; i++) ended(pair[i]);
      CHECK_INT(count_rows(&other), 0);
      CHECK_INT(run(&other, "drop table t"), ALCH_OK);
      close_server(&other);
    }
    close_server(&w);
  }
}
