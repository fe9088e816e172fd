/* Placeholders that a database writes into, through PostgreSQL's ODBC driver: its procedures have OUT parameters. */
#include "engine/driver.h"
#include "server.h"
#include <glob.h>

typedef struct bridge {
  const alch_driver *driver;
  alch_driver_connection *connection;
  alch_error error;
} bridge;

/* The folder of a socket as a host: its slashes are written %2F. */
static void escape(const char *path, char *out) {
  for (; *path; path++) out += sprintf(out, *path == '/' ? "%%2F" : "%c", *path);
  *out = '\0';
}

static bool open_bridge(bridge *b) {
  glob_t found = { 0 };
  char host[256], url[1024];
  alch_url parsed;
  const char *folder = server_folder("postgresql");
  *b = (bridge){ .driver = alch_driver_find("odbc") };
  alch_error_init(&b->error, &alch_allocator_standard);
  if (!folder) return false;
  if (glob("/usr/lib/*/odbc/psqlodbcw.so", 0, NULL, &found) != 0) {
    if (getenv("CI")) CHECK(!"odbc-postgresql is not installed");
    else check_skip("odbc-postgresql is not installed");
    return false;
  }
  escape(folder, host);
  snprintf(url, sizeof url, "postgresql+odbc://spec@%s:5432/spec?driver=%s", host, found.gl_pathv[0]);
  globfree(&found);
  if (!CHECK_INT(alch_url_parse(&parsed, url, strlen(url), &alch_allocator_standard, &b->error), ALCH_OK)) return false;
  alch_status status = b->driver->connect(b->driver, &parsed, &alch_allocator_standard, &b->connection, &b->error);
  alch_url_close(&parsed);
  if (status != ALCH_OK) CHECK_TEXT(b->error.texts[ALCH_ERROR_MESSAGE], "a connection");
  return status == ALCH_OK;
}

static void close_bridge(bridge *b) {
  if (b->connection) b->driver->close(b->connection);
  alch_error_close(&b->error);
}

static alch_driver_statement *prepare(bridge *b, const char *sql, const alch_type *const *types, uint32_t count) {
  alch_driver_statement *statement = NULL;
  CHECK_INT(b->driver->prepare(b->connection, sql, strlen(sql), types, count, &statement, &b->error), ALCH_OK);
  return statement;
}

static void run(bridge *b, const char *sql) {
  alch_driver_statement *statement = prepare(b, sql, NULL, 0);
  if (!statement) return;
  alch_status status = b->driver->start(statement, NULL, 0, &b->error);
  while (status == ALCH_OK || status == ALCH_ROW) status = b->driver->poll(statement, &b->error);
  if (!CHECK_INT(status, ALCH_DONE)) CHECK_TEXT(b->error.texts[ALCH_ERROR_MESSAGE], "");
  b->driver->finish(statement);
  b->driver->finalize(statement);
}

CASE("what the database writes into placeholders is the row of the statement") {
  const alch_type integer = { .family = ALCH_TYPE_BIG_INTEGER }, text = { .family = ALCH_TYPE_TEXT }, real = { .family = ALCH_TYPE_DOUBLE }, moment = { .family = ALCH_TYPE_DATETIME };
  const alch_type *types[] = { &integer, &integer, &text, &real, &moment };
  alch_value values[] = { alch_value_integer(20), ALCH_VALUE_NULL, ALCH_VALUE_NULL, ALCH_VALUE_NULL, ALCH_VALUE_NULL }, row[4];
  const uint32_t places[] = { 1, 2, 3, 4 };
  bridge b;
  if (open_bridge(&b)) {
    run(&b, "CREATE FUNCTION tell(a bigint, OUT twice bigint, OUT word text, OUT half double precision, OUT day timestamp) AS $$"
            " SELECT 2 * a, nullif(repeat(U&'\\00e9', a::int), ''), a / 2.0, timestamp '2001-02-03 04:05:06.5' $$ LANGUAGE sql");
    alch_driver_statement *statement = prepare(&b, "{call tell($1, $2, $3, $4, $5)}", types, 5);
    if (!CHECK(statement)) return;
    CHECK_INT(b.driver->outputs(statement, places, 4, &b.error), ALCH_OK);
    for (int64_t given = 20; given >= 0; given -= 10) {
      values[0] = alch_value_integer(given);
      if (!CHECK_INT(b.driver->start(statement, values, 5, &b.error), ALCH_OK)) CHECK_TEXT(b.error.texts[ALCH_ERROR_MESSAGE], "");
      CHECK_INT(b.driver->poll(statement, &b.error), ALCH_ROW);
      CHECK_INT(b.driver->column_count(statement), 4);
      CHECK_INT(b.driver->row(statement, row, 4, &b.error), ALCH_OK);
      CHECK_INT(row[0].kind, ALCH_INTEGER);
      CHECK_INT(row[0].integer, 2 * given);
      CHECK_INT(row[1].kind, given ? ALCH_TEXT : ALCH_NULL);
      if (given) CHECK_INT(row[1].length, 2 * given);
      CHECK(row[2].kind == ALCH_REAL && row[2].real == (double)given / 2);
      CHECK_INT(row[3].kind, ALCH_DATETIME);
      CHECK_INT(row[3].integer, INT64_C(981173106500000));
      CHECK_INT(b.driver->poll(statement, &b.error), ALCH_DONE);
      b.driver->finish(statement);
    }
    alch_value sets[15];
    for (int i = 0; i < 15; i++) sets[i] = i % 5 == 0 ? alch_value_integer(i) : ALCH_VALUE_NULL;
    CHECK_INT(b.driver->start_many(statement, sets, 5, 3, &b.error), ALCH_OK);
    for (int i = 0; i < 15; i += 5) {
      CHECK_INT(b.driver->poll(statement, &b.error), ALCH_ROW);
      CHECK_INT(b.driver->row(statement, row, 4, &b.error), ALCH_OK);
      CHECK_INT(row[0].integer, 2 * i);
    }
    CHECK_INT(b.driver->poll(statement, &b.error), ALCH_DONE);
    b.driver->finish(statement);
    b.driver->finalize(statement);
  }
  close_bridge(&b);
}
