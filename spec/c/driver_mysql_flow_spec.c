/* Rows that are read as they come: whatever happens on the connection before the last of them is read, each statement gets its own. */
#define SERVER "mariadb"
#define SERVER_URL "mariadb://spec@/spec?unix_socket=%s/mariadb.sock%s"
#include "driver_world.h"
#include "engine/private.h"
#include <sys/wait.h>

#define MANY "select seq, concat('row ', seq), if(seq % 3 = 0, null, seq * 2) from seq_1_to_100000"
#define WIDE "select seq, repeat(char(97 + seq % 26), 10000) from seq_1_to_5000"   /* more than any socket holds */

static alch_status begin_flow(world *w, alch_execution *execution, const char *sql) {
  alch_compiled *compiled;
  alch_status status = compile_text(w, sql, &compiled);
  alch_execution_close(execution);
  execution->flows = true;
  if (status == ALCH_OK) status = alch_execution_start(execution, w->connection, compiled, NULL, NULL, &w->error);
  alch_compiled_release(compiled);
  return finish_start(execution, status, &w->error);
}

static alch_status flow(world *w, const char *sql) { return begin_flow(w, &w->execution, sql); }

/* Is the row number `seq` of MANY what it should be? */
static bool is_row(const alch_execution *execution, int64_t seq) {
  const alch_value *row = execution->row;
  char expected[32];
  snprintf(expected, sizeof expected, "row %lld", (long long)seq);
  bool text = row[1].length == strlen(expected) && memcmp(row[1].text, expected, row[1].length) == 0;
  bool last = seq % 3 == 0 ? row[2].kind == ALCH_NULL : row[2].kind == ALCH_INTEGER && row[2].integer == seq * 2;
  return row[0].integer == seq && text && last;
}

/* Reads rows of MANY up to number `last`; how many were not right. */
static int64_t read_many(world *w, alch_execution *execution, int64_t from, int64_t last) {
  int64_t wrong = 0;
  for (int64_t seq = from; seq <= last; seq++) wrong += next_of(execution, &w->error) != ALCH_ROW || !is_row(execution, seq);
  return wrong;
}

static bool at_end(world *w, alch_execution *execution) { return next_of(execution, &w->error) == ALCH_DONE; }

/* Waits, as another session sees it, until the first one is in such a state. */
static bool comes_to(world *other, int64_t session, const char *condition) {
  char sql[256];
  snprintf(sql, sizeof sql, "select count(*) from information_schema.processlist where id = %lld and %s", (long long)session, condition);
  for (int64_t end = alch_clock_microseconds() + 20000000; alch_clock_microseconds() < end; usleep(2000))
    if (scalar(other, sql) == 1) return true;
  return false;
}

CASE("all rows come, of all sizes") {
  world w;
  if (open_server(&w)) {
    CHECK_INT(flow(&w, MANY), ALCH_OK);
    CHECK_INT(w.execution.column_count, 3);
    CHECK_INT(read_many(&w, &w.execution, 1, 100000), 0);
    CHECK(at_end(&w, &w.execution));
    CHECK_INT(flow(&w, "select 1 from dual where 1 = 0"), ALCH_OK);
    CHECK(at_end(&w, &w.execution));
    CHECK_INT(flow(&w, "select null, null"), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(w.execution.row[0].kind, ALCH_NULL);
    CHECK(at_end(&w, &w.execution));
    CHECK_INT(flow(&w, "select seq, repeat('x', seq * 3000000), 'end' from seq_1_to_5"), ALCH_OK);
    for (int64_t i = 1; i <= 5; i++) {
      CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
      const alch_value *row = w.execution.row;
      CHECK_INT(row[1].length, i * 3000000);
      CHECK(row[1].text[0] == 'x' && row[1].text[row[1].length - 1] == 'x' && memcmp(row[2].text, "end", 3) == 0);
    }
    CHECK(at_end(&w, &w.execution));
  }
  close_working(&w);
}

CASE("the server sends while rows are read, and another statement has the rest stored") {
  world w, other;
  if (open_server(&w) && open_server(&other)) {
    int64_t session = scalar(&w, "select connection_id()");
    CHECK_INT(flow(&w, WIDE), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK(comes_to(&other, session, "command <> 'Sleep' and state in ('Sending data', 'Writing to net')"));
    const alch_value before = w.execution.row[1];
    CHECK_INT(scalar(&w, "select length(repeat('z', 50000))"), 50000);
    CHECK(comes_to(&other, session, "command = 'Sleep'"));
    int64_t wrong = 0;
    for (uint32_t i = 0; i < before.length; i++) wrong += before.text[i] != 'b';
    CHECK_INT(wrong, 0);
    int64_t rows = 1;
    while (next_of(&w.execution, &w.error) == ALCH_ROW) rows += w.execution.row[0].integer == rows + 1 && w.execution.row[1].length == 10000 && w.execution.row[1].text[9999] == 'a' + (rows + 1) % 26;
    CHECK_INT(rows, 5000);
    close_server(&other);
  }
  close_server(&w);
}

CASE("a row that has not been asked for is kept when another statement comes first") {
  world w;
  if (open_server(&w)) {
    CHECK_INT(flow(&w, MANY), ALCH_OK);
    CHECK_INT(scalar(&w, "select 7"), 7);
    CHECK_INT(read_many(&w, &w.execution, 1, 100000), 0);
    CHECK(at_end(&w, &w.execution));
  }
  close_server(&w);
}

CASE("results are read in turn, whichever of them is read as it comes") {
  world w;
  if (open_server(&w)) {
    for (int order = 0; order < 4; order++) {
      alch_execution other;
      alch_execution_init(&other, w.allocator);
      CHECK_INT(order & 1 ? flow(&w, MANY) : start(&w, MANY, NULL, 0), ALCH_OK);
      CHECK_INT(read_many(&w, &w.execution, 1, 5), 0);
      CHECK_INT(order & 2 ? begin_flow(&w, &other, MANY) : start_on(&w, w.connection, &other, MANY, NULL, 0), ALCH_OK);
      for (int64_t seq = 1; seq <= 2000; seq++) CHECK_INT(read_many(&w, &other, seq, seq) + read_many(&w, &w.execution, seq + 5, seq + 5), 0);
      alch_execution_close(order & 1 ? &other : &w.execution);
      alch_execution *left = order & 1 ? &w.execution : &other;
      CHECK_INT(read_many(&w, left, order & 1 ? 2006 : 2001, 100000), 0);
      CHECK(at_end(&w, left));
      alch_execution_destroy(&other);
    }
  }
  close_working(&w);
}

/* What is stored of the first is freed, and the first runs again, while rows of the second are on their way. */
CASE("a result that is closed while other rows come takes none of them away") {
  world w;
  if (open_server(&w)) {
    alch_execution other, third;
    alch_execution_init(&other, w.allocator);
    alch_execution_init(&third, w.allocator);
    for (int64_t read = 0; read <= 100001; read += read == 0 ? 3 : 99998) {
      CHECK_INT(start(&w, MANY, NULL, 0), ALCH_OK);
      CHECK_INT(read_many(&w, &w.execution, 1, read < 100000 ? read : 100000), 0);
      CHECK_INT(begin_flow(&w, &other, "select seq + 0, concat('row ', seq), if(seq % 3 = 0, null, seq * 2) from seq_1_to_100000"), ALCH_OK);
      CHECK_INT(read_many(&w, &other, 1, 10), 0);
      alch_execution_close(&w.execution);
      CHECK_INT(read_many(&w, &other, 11, 1000), 0);
      CHECK_INT(start_on(&w, w.connection, &third, MANY, NULL, 0), ALCH_OK);
      CHECK_INT(read_many(&w, &third, 1, 100), 0);
      CHECK_INT(read_many(&w, &other, 1001, 100000), 0);
      CHECK(at_end(&w, &other));
      alch_execution_close(&third);
    }
    alch_execution_destroy(&third);
    alch_execution_destroy(&other);
  }
  close_server(&w);
}

CASE("handles that are closed meanwhile take no rows away") {
  world w;
  if (open_server(&w)) {
    const alch_driver *driver = driver_of_server();
    alch_driver_connection *connection = connection_of(&w);
    alch_driver_statement *statement = NULL;
    CHECK_INT(driver->prepare(connection, "select ?", 8, NULL, 1, &statement, &w.error), ALCH_OK);
    alch_value value = alch_value_integer(5);
    alch_status status = driver->start(statement, &value, 1, &w.error);
    while (status == ALCH_OK || status == ALCH_WAIT || status == ALCH_ROW) status = driver->poll(statement, &w.error);
    CHECK_INT(status, ALCH_DONE);
    driver->finish(statement);
    CHECK_INT(flow(&w, MANY), ALCH_OK);
    CHECK_INT(read_many(&w, &w.execution, 1, 100), 0);
    driver->finalize(statement);
    CHECK_INT(read_many(&w, &w.execution, 101, 100000), 0);
    CHECK(at_end(&w, &w.execution));
  }
  close_working(&w);
}

CASE("what is left unread is read away: by the next statement, a rollback, the pool, or the end") {
  world w;
  if (open_server(&w)) {
    CHECK_INT(flow(&w, WIDE), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    alch_execution_close(&w.execution);
    CHECK_INT(scalar(&w, "select 7"), 7);
    CHECK_INT(flow(&w, WIDE), ALCH_OK);
    CHECK(driver_of_server()->alive(connection_of(&w)));
    rollback(&w);
    CHECK_INT(flow(&w, WIDE), ALCH_OK);
    int64_t session = (int64_t)w.connection->link->driver_connection;
    alch_execution_close(&w.execution);
    alch_connection_close(w.connection);
    w.connection = NULL;
    CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
    CHECK_INT((int64_t)w.connection->link->driver_connection, session);
    CHECK_INT(scalar(&w, "select 7"), 7);
    CHECK_INT(flow(&w, WIDE), ALCH_OK);
    alch_connection_invalidate(w.connection);
  }
  close_server(&w);
}

CASE("an execution that is closed while it waits for a row leaves a connection that works") {
  world w;
  if (open_server(&w)) {
    CHECK_INT(scalar(&w, "select 1"), 1);
    CHECK_INT(flow(&w, "select seq, repeat('y', 1000000), sleep(0.3 * (seq > 2)) from seq_1_to_4"), ALCH_OK);
    CHECK_INT(alch_execution_next(&w.execution, &w.error), ALCH_ROW);
    alch_status status;
    while ((status = alch_execution_next(&w.execution, &w.error)) == ALCH_ROW) continue;
    CHECK_INT(status, ALCH_WAIT);
    alch_execution_close(&w.execution);
  }
  close_working(&w);
}

/* The second statement waits for the rest of the first one's rows, and is given up. */
CASE("a statement that is given up while it makes way for itself leaves the first one's rows") {
  world w;
  if (open_server(&w)) {
    alch_compiled *compiled;
    alch_execution other;
    alch_execution_init(&other, w.allocator);
    for (int closes = 0; closes < 2; closes++) {
      CHECK_INT(compile_text(&w, "select 5", &compiled), ALCH_OK);
      CHECK_INT(flow(&w, "select seq, repeat('y', 1000000), sleep(0.05 * (seq > 8)) from seq_1_to_10"), ALCH_OK);
      CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
      CHECK_INT(alch_execution_start(&other, w.connection, compiled, NULL, NULL, &w.error), ALCH_WAIT);
      alch_execution_close(&other);
      if (closes) alch_execution_close(&w.execution);
      else {
        int rows = 1;
        while (next_of(&w.execution, &w.error) == ALCH_ROW) rows += w.execution.row[0].integer == rows + 1 && w.execution.row[1].length == 1000000;
        CHECK_INT(rows, 10);
      }
      CHECK_INT(scalar(&w, "select 7"), 7);
      alch_compiled_release(compiled);
    }
    alch_execution_destroy(&other);
  }
  close_server(&w);
}

/* The server finds a subquery with several rows only when it comes to that row. */
#define FAILS "select seq, repeat('x', 1000), if(seq < %d, 1, (select seq from seq_1_to_2)) from seq_1_to_20000"

CASE("an error in the middle of rows is told after the rows before it, and to whoever has the rest stored") {
  world w;
  if (open_server(&w)) {
    char sql[256];
    snprintf(sql, sizeof sql, FAILS, 15000);
    int rows = 0;
    alch_status status = flow(&w, sql);
    while (status == ALCH_OK || status == ALCH_ROW) status = next_of(&w.execution, &w.error), rows += status == ALCH_ROW;
    CHECK_INT(status, ALCH_ERROR);
    CHECK_INT(w.error.code, 1242);
    CHECK_INT(rows, 14999);
    rollback(&w);
    CHECK_INT(scalar(&w, "select 7"), 7);
    CHECK_INT(flow(&w, sql), ALCH_OK);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
    CHECK_INT(run(&w, "select 7"), ALCH_ERROR);
    CHECK_INT(w.error.code, 1242);
    CHECK_INT(next_of(&w.execution, &w.error), ALCH_ERROR);
    CHECK_INT(w.error.code, 1242);
    rollback(&w);
  }
  close_working(&w);
}

CASE("a session that is ended or interrupted in the middle of rows says so") {
  static const struct { const char *how; int disconnected; } ways[] = { { "kill query %lld", false }, { "kill %lld", true } };
  world w, other;
  for (size_t i = 0; i < ALCH_COUNT(ways); i++) {
    char sql[64];
    if (!open_server(&w) || !open_server(&other)) break;
    int64_t session = scalar(&w, "select connection_id()");
    CHECK_INT(flow(&w, WIDE), ALCH_OK);
    CHECK(comes_to(&other, session, "state in ('Sending data', 'Writing to net')"));
    snprintf(sql, sizeof sql, ways[i].how, (long long)session);
    CHECK_INT(run(&other, sql), ALCH_OK);
    alch_status status;
    while ((status = next_of(&w.execution, &w.error)) == ALCH_ROW) continue;
    CHECK_INT(status, ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "OperationalError");
    CHECK_INT(w.error.disconnected, ways[i].disconnected);
    if (!ways[i].disconnected) {
      rollback(&w);
      CHECK_INT(scalar(&w, "select 7"), 7);
    }
    close_server(&other);
    close_server(&w);
  }
}

CASE("a child that is forked in the middle of rows takes none away") {
  world w;
  if (open_server(&w)) {
    CHECK_INT(flow(&w, MANY), ALCH_OK);
    CHECK_INT(read_many(&w, &w.execution, 1, 10), 0);
    pid_t child = fork();
    if (child == 0) {
      driver_of_server()->abandon(connection_of(&w));
      _exit(0);
    }
    int status = -1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    CHECK_INT(read_many(&w, &w.execution, 11, 100000), 0);
    CHECK(at_end(&w, &w.execution));
  }
  close_working(&w);
}

static int noticed;

static alch_status hear(void *context, const alch_engine_event *event) {
  (void)context;
  if (event->kind == ALCH_ENGINE_NOTICE) noticed++;
  return ALCH_OK;
}

CASE("warnings are told as of other results") {
  world w;
  if (open_server(&w)) {
    alch_engine_listen(w.engine, hear, NULL);
    noticed = 0;
    CHECK_INT(flow(&w, "select cast(concat(seq, 'x') as integer) from seq_1_to_3"), ALCH_OK);
    for (int i = 1; i <= 3; i++) {
      CHECK_INT(next_of(&w.execution, &w.error), ALCH_ROW);
      CHECK_INT(w.execution.row[0].integer, i);
    }
    CHECK(at_end(&w, &w.execution));
    CHECK_INT(noticed, 1);
    CHECK_INT(flow(&w, MANY), ALCH_OK);
    CHECK_INT(read_many(&w, &w.execution, 1, 100000), 0);
    CHECK(at_end(&w, &w.execution));
    CHECK_INT(noticed, 1);
  }
  close_server(&w);
}
