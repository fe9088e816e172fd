/* What the specs of the drivers of servers share: engines on a server, values, what statements give and how they fail.
   Before it is included: SERVER, the server's name for tools/servers.sh and the driver's; SERVER_URL, a format with the server's
   folder and further parameters ("&name=value"). */
#ifndef SPEC_DRIVER_WORLD_H
#define SPEC_DRIVER_WORLD_H

#include "base/date.h"
#include "engine_support.h"
#include "server.h"
#include <limits.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define DAY ALCH_MICROSECONDS_PER_DAY
#define SECOND ALCH_MICROSECONDS_PER_SECOND

/* ---- connections ---- */

static inline bool server_url(char *url, size_t size, const char *more) {
  const char *folder = server_folder(SERVER);
  if (folder) snprintf(url, size, SERVER_URL, folder, more);
  return folder != NULL;
}

/* False where the server is not installed; close_server is right then, too. */
static inline bool open_with(world *w, const char *more) {
  char url[512];
  *w = (world){ .allocator = &alch_allocator_standard };
  alch_error_init(&w->error, w->allocator);
  alch_execution_init(&w->execution, w->allocator);
  return server_url(url, sizeof url, more) && world_open(w, url);
}

static inline bool open_server(world *w) { return open_with(w, ""); }

static inline void close_server(world *w) {
  if (w->engine) world_close(w);
}

/* The same of a connection that has to be good for statements still. */
static inline void close_working(world *w) {
  if (w->engine && w->connection) CHECK_INT(scalar(w, "select 7"), 7);
  close_server(w);
}

static inline alch_status rolled_back(world *w) {
  alch_status status;
  while ((status = alch_connection_rollback(w->connection, 1, &w->error)) == ALCH_WAIT) alch_connection_wait(w->connection, &w->error);
  return status;
}

static inline void rollback(world *w) { CHECK_INT(rolled_back(w), ALCH_OK); }

static inline alch_status commit(world *w) {
  alch_status status;
  while ((status = alch_connection_commit(w->connection, 1, &w->error)) == ALCH_WAIT) alch_connection_wait(w->connection, &w->error);
  return status;
}

/* ---- values ---- */

static inline alch_value text(const char *given) { return alch_value_text(given, strlen(given)); }

static inline alch_value of(uint8_t kind, int64_t integer) { return (alch_value){ .kind = kind, .integer = integer }; }

static inline alch_value with_kind(uint8_t kind, const char *given, size_t length) {
  alch_value value = alch_value_text(given, length);
  value.kind = kind;
  return value;
}

static inline alch_value decimal(const char *given) { return with_kind(ALCH_DECIMAL, given, strlen(given)); }

static inline bool value_is(const alch_value *value, const alch_value *expected) {
  if (value->kind == ALCH_REAL && expected->kind == ALCH_REAL && isnan(value->real)) return isnan(expected->real);
  return alch_value_equal(value, expected);
}

static inline void say(const char *what, const alch_value *value) {
  alch_buffer printed;
  alch_buffer_init(&printed, &alch_allocator_standard);
  alch_value_print(value, &printed, 80);
  printf("# %s: %s %s\n", what, alch_value_kind_name(value->kind), alch_buffer_text(&printed));
  alch_buffer_close(&printed);
}

/* ---- statements ---- */

/* The one cell of a statement with one value (NULL: none). */
static inline void check_answer(world *w, const char *sql, const alch_value *value, alch_value expected) {
  bool right = CHECK_INT(start(w, sql, value, value ? 1 : 0), ALCH_OK) && CHECK_INT(next_of(&w->execution, &w->error), ALCH_ROW) && CHECK(value_is(&w->execution.row[0], &expected));
  if (right) return;
  printf("# %s: %s\n", sql, alch_error_message(&w->error));
  if (value) say("given", value);
  if (w->execution.row) say("came", &w->execution.row[0]);
  rollback(w);
}

static inline void check_given(world *w, const char *sql, alch_value value, alch_value expected) { check_answer(w, sql, &value, expected); }

static inline void check_same(world *w, const char *sql, alch_value value) { check_answer(w, sql, &value, value); }

/* The statement fails like that, and the connection goes on after a rollback. */
static inline void check_fails(world *w, const char *sql, alch_error_kind kind, const char *state, int code) {
  if (CHECK_INT(run(w, sql), ALCH_ERROR)) {
    CHECK_TEXT(error_name(w), alch_error_kind_name(kind));
    CHECK_TEXT(w->error.sqlstate, state);
    CHECK_INT(w->error.code, code);
    CHECK(!w->error.disconnected);
  }
  rollback(w);
  CHECK_INT(scalar(w, "select 7"), 7);
}

/* ---- the driver by itself ---- */

static inline const alch_driver *driver_of_server(void) { return alch_driver_find(SERVER); }

static inline alch_driver_connection *connection_of(const world *w) { return alch_connection_driver_connection(w->connection); }

static inline alch_driver_statement *prepared(world *w, const char *sql, uint32_t parameters) {
  alch_driver_statement *statement = NULL;
  CHECK_INT(driver_of_server()->prepare(connection_of(w), sql, strlen(sql), NULL, parameters, &statement, &w->error), ALCH_OK);
  return statement;
}

static inline alch_status polled(world *w, alch_driver_statement *statement) {
  alch_status status;
  while ((status = driver_of_server()->poll(statement, &w->error)) == ALCH_WAIT) alch_connection_wait(w->connection, &w->error);
  return status;
}

static inline int64_t first_cell(world *w, alch_driver_statement *statement) {
  alch_value value = ALCH_VALUE_NULL;
  CHECK_INT(driver_of_server()->row(statement, &value, 1, &w->error), ALCH_OK);
  return value.integer;
}

/* ---- what others do meanwhile ---- */

/* Asks on w until the query with this one value gives the number; a failure after half a minute. */
static inline void wait_until(world *w, const char *sql, int64_t value, int64_t wanted) {
  const alch_value given = alch_value_integer(value);
  int64_t deadline = alch_clock_microseconds() + 30 * SECOND, found;
  do {
    bool there = start(w, sql, &given, 1) == ALCH_OK && next_of(&w->execution, &w->error) == ALCH_ROW;
    found = there ? w->execution.row[0].integer : INT64_MIN;
    alch_execution_close(&w->execution);
    rollback(w);
    if (found != wanted) usleep(10000);
  } while (found != wanted && alch_clock_microseconds() < deadline);
  if (!CHECK_INT(found, wanted)) printf("# %s: %s\n", sql, alch_error_message(&w->error));
}

/* Another thread's interrupts: again and again, since one may come before the server has begun. */
typedef struct interrupter { const world *w; atomic_bool over; pthread_t thread; } interrupter;

static inline void *interrupt_on(void *given) {
  interrupter *i = given;
  while (!atomic_load(&i->over)) {
    usleep(100000);
    driver_of_server()->interrupt(connection_of(i->w));
  }
  return NULL;
}

/* A statement that would run for long fails soon, and the connection goes on. */
static inline void check_interrupted(world *w, const char *sql, const char *state, int code) {
  interrupter i = { .w = w };
  CHECK_INT(scalar(w, "select 1"), 1);
  if (!CHECK_INT(pthread_create(&i.thread, NULL, interrupt_on, &i), 0)) return;
  int64_t before = alch_clock_microseconds();
  CHECK_INT(run(w, sql), ALCH_ERROR);
  CHECK(alch_clock_microseconds() - before < 10 * SECOND);
  CHECK_TEXT(w->error.sqlstate, state);
  CHECK_INT(w->error.code, code);
  atomic_store(&i.over, true);
  pthread_join(i.thread, NULL);
  rollback(w);
  CHECK_INT(scalar(w, "select 7"), 7);
}

/* ---- URLs ---- */

/* Connecting to a port behind which nobody answers; scheme: of the URL, which has connect_timeout=0.3. */
static inline void check_unanswered(const char *scheme) {
  world w;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  char url[96];
  if (CHECK(bind(listener, (struct sockaddr *)&address, length) == 0) && CHECK(listen(listener, 5) == 0) && CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0)) {
    snprintf(url, sizeof url, "%s://a@127.0.0.1:%d/b?connect_timeout=0.3", scheme, ntohs(address.sin_port));
    int64_t before = alch_clock_microseconds();
    CHECK_INT(world_open_with(&w, url, NULL, NULL), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "OperationalError");
    CHECK(strstr(alch_error_message(&w.error), "connect_timeout") != NULL);
    CHECK(alch_clock_microseconds() - before < 10 * SECOND);
    world_close(&w);
  }
  close(listener);
}

/* part: of the message with which the URL is refused; NULL when it is not. */
static inline void check_url(const char *url, const char *part) {
  alch_engine *engine = NULL;
  alch_error error;
  alch_error_init(&error, NULL);
  alch_status status = alch_engine_open(url, strlen(url), NULL, &alch_allocator_standard, &engine, &error);
  CHECK_INT(status, part ? ALCH_ERROR : ALCH_OK);
  if (part && !strstr(alch_error_message(&error), part)) CHECK_TEXT(alch_error_message(&error), part);
  alch_engine_release(engine);
  alch_error_close(&error);
}

#endif
