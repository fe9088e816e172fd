/* Many objects in one statement, on a database that has to be waited for: each phase goes on where it stood, and no statement is said twice. */
#include "orm_world.h"

#include "engine/drivers/mock.h"

#define FINE(call) check_ok(&b->w, (call), __FILE__, __LINE__)

enum { MANY = 30 };

typedef struct batch_world {
  world w;
  alch_mock *mock;
  unsigned waits;
} batch_world;

static void open_batch_world(batch_world *b, bool arrays) {
  world *w = &b->w;
  open_world(w, 0);
  alch_session_destroy(w->session);
  alch_engine_release(w->engine);
  b->mock = alch_mock_open(&alch_allocator_standard);
  alch_mock_take_many(b->mock, true, arrays);
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.driver = alch_mock_driver(b->mock);
  OK(alch_engine_open("mock+postgresql://", 18, &options, &alch_allocator_standard, &w->engine, &w->error));
  OK(alch_session_open(w->engine, w->catalog, &w->plain.host, NULL, &alch_allocator_standard, &w->session, &w->error));
  alch_mock_wait(b->mock, ALCH_MOCK_START, 2);
  alch_mock_wait(b->mock, ALCH_MOCK_ROW, 1);
}

static void close_batch_world(batch_world *b) {
  close_world(&b->w);
  alch_mock_close(b->mock);
}

static alch_status flush(batch_world *b) {
  alch_status status;
  b->waits = 0;
  while ((status = alch_session_flush(b->w.session, &b->w.error)) == ALCH_WAIT) {
    b->waits++;
    FINE(alch_connection_wait(b->w.session->bind->connection, &b->w.error));
  }
  return status;
}

static void answer_keys(batch_world *b, const char *pattern, int first, int step) {
  static const char *const columns[] = { "id" };
  alch_value cells[MANY];
  for (int i = 0; i < MANY; i++) cells[i] = alch_value_integer(first + i * step);
  CHECK(alch_mock_add(b->mock, &(alch_mock_answer){ .pattern = pattern, .columns = columns, .column_count = 1, .cells = cells, .row_count = MANY, .changes = MANY }));
}

/* Does the question about the keys of a table get a row? */
static void answer_question(batch_world *b, bool scattered) {
  static const char *const columns[] = { "one" };
  const alch_value cell = alch_value_integer(1);
  CHECK(alch_mock_add(b->mock, &(alch_mock_answer){ .pattern = "scattered", .columns = columns, .column_count = 1, .cells = &cell, .row_count = scattered, .changes = 0 }));
}

static void answer_changes(batch_world *b, const char *pattern, int64_t changes) { CHECK(alch_mock_add(b->mock, &(alch_mock_answer){ .pattern = pattern, .changes = changes })); }

static void add_teams(batch_world *b, alch_object **teams) {
  for (int i = 0; i < MANY; i++) {
    char name[20];
    snprintf(name, sizeof name, "team %d", i);
    teams[i] = make(&b->w, b->w.team, name);
    FINE(alch_session_add(b->w.session, teams[i], &b->w.error));
  }
}

static void rename_team(batch_world *b, alch_object *team, const char *name) { FINE(alch_object_set(&b->w.plain.host, team, 1, alch_value_text(name, 1), &b->w.error)); }

/* Statements with this in them. */
static int said(const batch_world *b, const char *part) {
  int count = 0;
  for (uint32_t i = 0; i < alch_mock_count(b->mock); i++) count += strstr(alch_mock_sql(b->mock, i), part) != NULL;
  return count;
}

static void check_keys(alch_object *const *teams, int first, int step) {
  for (int i = 0; i < MANY; i++) CHECK_INT(teams[i]->cells[0].integer, first + i * step);
}

CASE("as arrays, when the keys can be told by the order of rows") {
  static batch_world here;
  batch_world *b = &here;
  alch_object *teams[MANY];
  open_batch_world(b, true);
  answer_question(b, false);
  answer_keys(b, "unnest", 100, 5);
  add_teams(b, teams);
  FINE(flush(b));
  CHECK(b->waits > MANY);      /* between the rows as well */
  CHECK_INT(said(b, "INSERT"), 1);
  check_keys(teams, 100, 5);
  uint32_t count;
  for (uint32_t i = 0; i < alch_mock_count(b->mock); i++)
    if (strstr(alch_mock_sql(b->mock, i), "INSERT")) CHECK(alch_mock_values(b->mock, i, &count) && count == MANY);
  close_batch_world(b);
}

CASE("as sets, when they cannot") {
  static batch_world here;
  batch_world *b = &here;
  alch_object *teams[MANY];
  open_batch_world(b, true);
  answer_question(b, true);
  answer_keys(b, "INSERT", 1000, -7);
  add_teams(b, teams);
  FINE(flush(b));
  CHECK_INT(said(b, "unnest"), 0);
  CHECK_INT(said(b, "INSERT"), 1);
  check_keys(teams, 1000, -7);
  close_batch_world(b);
}

CASE("keys that go down all the same are nobody's") {
  static batch_world here;
  batch_world *b = &here;
  alch_object *teams[MANY];
  open_batch_world(b, true);
  answer_question(b, false);
  answer_keys(b, "unnest", 1000, -7);
  add_teams(b, teams);
  CHECK_INT(flush(b), ALCH_ERROR);
  CHECK_INT(b->w.error.kind, ALCH_ERROR_FLUSH);
  CHECK(strstr(alch_error_message(&b->w.error), "'teams' are not in the order of the rows"));
  close_batch_world(b);
}

CASE("changes: one statement, and those whose row is gone are looked for") {
  static batch_world here;
  batch_world *b = &here;
  alch_object *teams[MANY];
  open_batch_world(b, true);
  answer_question(b, false);
  answer_keys(b, "unnest", 1, 1);
  add_teams(b, teams);
  FINE(flush(b));
  for (int round = 0; round < 2; round++) {
    alch_mock_forget(b->mock);
    for (int i = 0; i < MANY; i++) rename_team(b, teams[i], round ? "b" : "a");
    answer_changes(b, "UPDATE teams", round ? MANY - 1 : MANY);
    for (int i = 0; round == 1 && i < 17; i++) answer_changes(b, "UPDATE teams", i == 16 ? 0 : 1);
    alch_status status = flush(b);
    if (round == 0) {
      CHECK_INT(status, ALCH_OK);
      CHECK_INT(said(b, "UPDATE"), 1);
    } else {
      CHECK_INT(status, ALCH_ERROR);
      CHECK_INT(b->w.error.kind, ALCH_ERROR_STALE_DATA);
      CHECK(strstr(alch_error_message(&b->w.error), "Team: id 17"));
      CHECK_INT(said(b, "UPDATE"), 18);
    }
    CHECK(b->waits > 1);
  }
  close_batch_world(b);
}

/* The values of the only statement with this in it. */
static const alch_value *values_of(const batch_world *b, const char *part, uint32_t *count) {
  const alch_value *found = NULL;
  CHECK_INT(said(b, part), 1);
  for (uint32_t i = 0; i < alch_mock_count(b->mock); i++)
    if (strstr(alch_mock_sql(b->mock, i), part)) found = alch_mock_values(b->mock, i, count);
  return found;
}

CASE("keys that lie close together: between which they lie is said beside the arrays") {
  static batch_world here;
  batch_world *b = &here;
  alch_object *teams[MANY];
  uint32_t count;
  open_batch_world(b, true);
  answer_question(b, false);
  answer_keys(b, "unnest", 7, 1);
  add_teams(b, teams);
  FINE(flush(b));
  alch_mock_forget(b->mock);
  for (int i = MANY - 1; i >= 0; i--) rename_team(b, teams[i], "a");
  answer_changes(b, "UPDATE teams", MANY);
  FINE(flush(b));
  const alch_value *values = values_of(b, "UPDATE teams SET name=anon_1.p0 FROM (SELECT unnest($1) AS p0, unnest($2) AS p1) AS anon_1 WHERE teams.id = anon_1.p1 AND teams.id BETWEEN $3 AND $4", &count);
  CHECK(values && count == 4 * MANY);
  for (uint32_t i = 0; values && i < count; i += 4) {
    CHECK_INT(values[i + 1].integer, 7 + MANY - 1 - i / 4);
    CHECK_INT(values[i + 2].integer, 7);
    CHECK_INT(values[i + 3].integer, 7 + MANY - 1);
  }
  for (int far = 0; far < 2; far++) {      /* 8 and 9 rows, of which two are changed */
    alch_mock_forget(b->mock);
    rename_team(b, teams[0], far ? "c" : "b");
    rename_team(b, teams[7 + far], far ? "c" : "b");
    answer_changes(b, "UPDATE teams", 2);
    FINE(flush(b));
    values_of(b, far ? "unnest((SELECT $1 AS anon_2)) AS p0" : "BETWEEN", &count);
    CHECK_INT(count, far ? 4 : 8);
  }
  close_batch_world(b);
}

CASE("deletions: sets where there are no arrays; rows that are gone are none's concern") {
  static batch_world here;
  batch_world *b = &here;
  alch_object *teams[MANY];
  open_batch_world(b, false);
  answer_keys(b, "INSERT", 1, 1);
  add_teams(b, teams);
  FINE(flush(b));
  alch_mock_forget(b->mock);
  for (int i = 0; i < MANY; i++) FINE(alch_session_delete(b->w.session, teams[i], &b->w.error));
  answer_changes(b, "DELETE FROM teams", MANY - 3);
  FINE(flush(b));
  CHECK_INT(said(b, "DELETE FROM teams"), 1);
  close_batch_world(b);
}
