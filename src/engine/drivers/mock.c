#include "engine/drivers/mock.h"
#include "base/arena.h"
#include "engine/engine.h"
#include "sql/dialect.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const alch_driver alch_driver_mock;

/* An answer of the script, with copies of everything, in the mock's arena. */
typedef struct mock_answer {
  struct mock_answer *next;
  alch_mock_answer answer;
  bool used;
} mock_answer;

typedef struct mock_entry {
  char *sql;
  alch_value *values;
  uint32_t count;
} mock_entry;

struct alch_mock {
  alch_driver driver;            /* first: the driver that connect is given is the mock itself */
  const alch_allocator *allocator;
  alch_arena arena;              /* of script and record */
  mock_answer *answers, **last_answer;
  mock_entry *entries;
  uint32_t entry_count, entry_capacity;
  uint32_t waits[ALCH_MOCK_POINT_COUNT];
  uint64_t calls, fail_at;
  alch_error_kind fail_kind;
  bool fail_disconnects, fail_ends_transaction;
  int64_t last_id;
  int64_t sleep;                 /* microseconds of each statement */
  uint32_t connections, statements, kills;
  alch_mock_counts counts;
  char sqlstate[6];
  alch_server server;            /* copies in the arena */
};

struct alch_driver_connection {
  alch_mock *mock;
  bool owns_mock;
  const alch_allocator *allocator;
  int pipe[2];
  uint32_t connect_waits_left, ping_waits_left;
  bool pinging, begins_itself;
  bool signalled;                /* there is a byte in the pipe */
  int64_t sleeps_until;          /* by the monotonic clock; 0: does not sleep */
  bool in_transaction, dead;
  alch_server server;            /* of the mock when it was made */
  uint32_t kills;                /* likewise */
  int64_t last_id;
};

struct alch_driver_statement {
  alch_driver_connection *connection;
  char *sql;
  size_t size;
  uint32_t parameter_count;
  const mock_answer *answer;
  uint32_t next_row, waits_left;
  bool is_started;
};

/* ---- the script ---- */

static alch_mock *open_like(const alch_driver *driver, const alch_allocator *allocator) {
  alch_mock *mock = alch_allocate_zeroed(allocator, sizeof *mock);
  if (!mock) return NULL;
  mock->driver = *driver;
  mock->allocator = allocator;
  mock->last_answer = &mock->answers;
  alch_arena_init(&mock->arena, allocator);
  return mock;
}

alch_mock *alch_mock_open(const alch_allocator *allocator) {
  return open_like(&alch_driver_mock, allocator);
}

void alch_mock_close(alch_mock *mock) {
  if (!mock) return;
  alch_free(mock->allocator, mock->entries, mock->entry_capacity * sizeof *mock->entries);
  alch_arena_clear(&mock->arena);
  alch_free(mock->allocator, mock, sizeof *mock);
}

const alch_driver *alch_mock_driver(alch_mock *mock) {
  return &mock->driver;
}

static char *copy_text(alch_mock *mock, const char *text) {
  return alch_arena_text(&mock->arena, text, strlen(text));
}

void alch_mock_set_server(alch_mock *mock, const char *product, const char *version) {
  mock->server = (alch_server){ .product = product ? copy_text(mock, product) : NULL, .version = version ? copy_text(mock, version) : NULL };
}

static alch_value *copy_values(alch_mock *mock, const alch_value *values, size_t count) {
  alch_value *copy = alch_arena_allocate(&mock->arena, count * sizeof *copy);
  for (size_t i = 0; copy && i < count; i++) {
    copy[i] = values[i];
    if (!alch_value_has_text(values[i].kind)) continue;
    copy[i].text = alch_arena_text(&mock->arena, values[i].text, values[i].length);
    if (!copy[i].text) return NULL;
  }
  return copy;
}

static bool copy_columns(alch_mock *mock, const alch_mock_answer *from, alch_mock_answer *to) {
  const char **columns = alch_arena_allocate(&mock->arena, from->column_count * sizeof *columns);
  for (uint32_t i = 0; columns && i < from->column_count; i++)
    if (!(columns[i] = copy_text(mock, from->columns[i]))) return false;
  to->columns = columns;
  return columns != NULL;
}

bool alch_mock_add(alch_mock *mock, const alch_mock_answer *answer) {
  mock_answer *one = alch_arena_allocate(&mock->arena, sizeof *one);
  if (!one) return false;
  one->answer = *answer;
  if (answer->pattern && !(one->answer.pattern = copy_text(mock, answer->pattern))) return false;
  one->answer.cells = copy_values(mock, answer->cells, (size_t)answer->row_count * answer->column_count);
  if (!one->answer.cells || !copy_columns(mock, answer, &one->answer)) return false;
  *mock->last_answer = one;
  mock->last_answer = &one->next;
  return true;
}

void alch_mock_wait(alch_mock *mock, alch_mock_point point, uint32_t times) {
  mock->waits[point] = times;
}

void alch_mock_sleep(alch_mock *mock, int64_t microseconds) {
  mock->sleep = microseconds;
}

void alch_mock_fail(alch_mock *mock, uint64_t call, alch_error_kind kind, bool disconnected, bool ends_transaction) {
  mock->calls = 0;
  mock->fail_at = call;
  mock->fail_kind = kind;
  mock->fail_disconnects = disconnected;
  mock->fail_ends_transaction = ends_transaction;
}

void alch_mock_kill(alch_mock *mock) {
  mock->kills++;
}

void alch_mock_set_sqlstate(alch_mock *mock, const char *sqlstate) {
  snprintf(mock->sqlstate, sizeof mock->sqlstate, "%s", sqlstate);
}

alch_mock_counts alch_mock_count_calls(const alch_mock *mock) {
  return mock->counts;
}

uint32_t alch_mock_count(const alch_mock *mock) {
  return mock->entry_count;
}

const char *alch_mock_sql(const alch_mock *mock, uint32_t index) {
  return index < mock->entry_count ? mock->entries[index].sql : NULL;
}

const alch_value *alch_mock_values(const alch_mock *mock, uint32_t index, uint32_t *count) {
  *count = index < mock->entry_count ? mock->entries[index].count : 0;
  return *count > 0 ? mock->entries[index].values : NULL;
}

void alch_mock_forget(alch_mock *mock) {
  mock->entry_count = 0;
}

uint32_t alch_mock_open_connections(const alch_mock *mock) {
  return mock->connections;
}

uint32_t alch_mock_open_statements(const alch_mock *mock) {
  return mock->statements;
}

/* ---- faults and waits ---- */

/* Every function that can fail begins with this. */
static alch_status pass(alch_mock *mock, alch_driver_connection *connection, const char *function, alch_error *error) {
  if (connection && connection->kills != mock->kills) connection->dead = true;
  if (connection && connection->dead) {
    alch_error_set(error, ALCH_ERROR_OPERATIONAL, "the mock connection is lost");
    if (error) error->disconnected = true;
    connection->in_transaction = false;
    return ALCH_ERROR;
  }
  if (++mock->calls != mock->fail_at) return ALCH_OK;
  alch_error_set(error, mock->fail_kind, "the mock driver was told to fail at call %llu, which is %s", (unsigned long long)mock->calls, function);
  if (error) error->disconnected = mock->fail_disconnects;
  if (error) memcpy(error->sqlstate, mock->sqlstate, sizeof error->sqlstate);
  if (connection && mock->fail_disconnects) connection->dead = true;
  if (connection && (mock->fail_ends_transaction || mock->fail_disconnects)) connection->in_transaction = false;
  return ALCH_ERROR;
}

/* The byte in the pipe makes the wait end at once, for poll(2) as for any event loop. */
static alch_status wait_or(alch_driver_connection *connection, uint32_t *left, alch_status otherwise) {
  char byte;
  if (connection->signalled && read(connection->pipe[0], &byte, 1) == 1) connection->signalled = false;
  if (*left == 0) return otherwise;
  --*left;
  connection->mock->counts.waits++;
  connection->signalled = write(connection->pipe[1], "", 1) == 1;
  return ALCH_WAIT;
}

/* ---- the connection ---- */

static void free_connection(alch_driver_connection *connection) {
  close(connection->pipe[0]);
  close(connection->pipe[1]);
  connection->mock->connections--;
  if (connection->owns_mock) alch_mock_close(connection->mock);
  alch_free(connection->allocator, connection, sizeof *connection);
}

static void mock_close(alch_driver_connection *connection) {
  connection->mock->counts.closed++;
  free_connection(connection);
}

static void mock_abandon(alch_driver_connection *connection) {
  connection->mock->counts.abandoned++;
  free_connection(connection);
}

static alch_status mock_ping(alch_driver_connection *connection, alch_error *error) {
  alch_status status = pass(connection->mock, connection, "ping", error);
  if (status != ALCH_OK) return status;
  if (!connection->pinging) {
    connection->mock->counts.pings++;
    connection->ping_waits_left = connection->mock->waits[ALCH_MOCK_START];
  }
  status = wait_or(connection, &connection->ping_waits_left, ALCH_OK);
  connection->pinging = status == ALCH_WAIT;
  return status;
}

static alch_status open_connection(alch_mock *mock, bool owns_mock, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error) {
  alch_driver_connection *connection = alch_allocate_zeroed(allocator, sizeof *connection);
  if (!connection) return alch_error_out_of_memory(error);
  *connection = (alch_driver_connection){ .mock = mock, .owns_mock = owns_mock, .allocator = allocator, .kills = mock->kills, .server = mock->server };
  if (pipe(connection->pipe) != 0) {
    alch_free(allocator, connection, sizeof *connection);
    return alch_error_set(error, ALCH_ERROR_OPERATIONAL, "the mock driver could not open a pipe");
  }
  fcntl(connection->pipe[0], F_SETFL, O_NONBLOCK);
  mock->connections++;
  *out = connection;
  return ALCH_OK;
}

/* Does a transaction of this dialect begin with the first statement? */
static bool begins_itself(const char *name) {
  const alch_dialect *dialect = alch_dialect_find(name);
  return dialect && alch_dialect_transactions(dialect)->begin[0] == '\0';
}

static alch_status mock_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error) {
  *out = NULL;
  bool owns_mock = driver == &alch_driver_mock;
  alch_mock *mock = owns_mock ? open_like(driver, allocator) : (alch_mock *)(uintptr_t)driver;
  if (!mock) return alch_error_out_of_memory(error);
  alch_status status = pass(mock, NULL, "connect", error);
  if (status == ALCH_OK) status = open_connection(mock, owns_mock, allocator, out, error);
  if (status != ALCH_OK) {
    if (owns_mock) alch_mock_close(mock);
    return status;
  }
  (*out)->begins_itself = begins_itself(url->dialect) || (url->driver && begins_itself(url->driver));
  (*out)->connect_waits_left = mock->waits[ALCH_MOCK_CONNECT];
  return wait_or(*out, &(*out)->connect_waits_left, ALCH_OK);
}

static alch_status mock_connect_poll(alch_driver_connection *connection, alch_error *error) {
  alch_status status = pass(connection->mock, connection, "connect_poll", error);
  return status == ALCH_OK ? wait_or(connection, &connection->connect_waits_left, ALCH_OK) : status;
}

/* Time goes on between the poll that finds it asleep and the question what to wait for: only a poll wakes it. */
static bool is_asleep(alch_driver_connection *connection) {
  if (connection->sleeps_until <= alch_clock_microseconds()) connection->sleeps_until = 0;
  return connection->sleeps_until > 0;
}

static void mock_waits_for(alch_driver_connection *connection, alch_wait *out) {
  if (connection->sleeps_until > 0) {
    int64_t left = connection->sleeps_until - alch_clock_microseconds();
    *out = (alch_wait){ .descriptor = -1, .microseconds = left > 0 ? left : 0 };
    return;
  }
  *out = (alch_wait){ .descriptor = connection->pipe[0], .events = ALCH_WAIT_READ, .microseconds = -1 };
}

static bool mock_in_transaction(alch_driver_connection *connection) {
  return connection->in_transaction;
}

static void mock_server(alch_driver_connection *connection, alch_server *out) {
  *out = connection->server;
}

static bool mock_alive(alch_driver_connection *connection) {
  return !connection->dead;
}

static int64_t mock_last_insert_id(alch_driver_connection *connection) {
  return connection->last_id;
}

/* ---- statements ---- */

/* Past a quoted text, a quoted name or a comment; where there is none of these, the same place. */
static const char *skip_quoted(const char *at) {
  if (*at == '\'' || *at == '"' || *at == '`') {
    const char *end = strchr(at + 1, *at);
    return end ? end + 1 : at + strlen(at);
  }
  if (at[0] == '-' && at[1] == '-') return at + strcspn(at, "\n");
  if (at[0] == '/' && at[1] == '*') {
    const char *end = strstr(at + 2, "*/");
    return end ? end + 2 : at + strlen(at);
  }
  return at;
}

/* ?, $n and :name, in any mixture: the mock does not ask which of them its dialect has. */
static uint32_t count_parameters(const char *sql) {
  uint32_t plain = 0, highest = 0;
  for (const char *at = sql; *at;) {
    const char *behind = skip_quoted(at);
    if (behind != at) {
      at = behind;
      continue;
    }
    if (*at == '?') plain++;
    if (*at == '$' && isdigit((unsigned char)at[1])) {
      uint32_t number = 0;
      while (isdigit((unsigned char)at[1])) number = number * 10 + (uint32_t)(*++at - '0');
      if (number > highest) highest = number;
    } else if (at[0] == ':' && (isalpha((unsigned char)at[1]) || at[1] == '_') && (at == sql || at[-1] != ':')) {
      plain++;
    }
    at++;
  }
  return plain + highest;
}

static alch_status mock_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error) {
  (void)types, (void)count;
  *out = NULL;
  alch_status status = pass(connection->mock, connection, "prepare", error);
  if (status != ALCH_OK) return status;
  size_t size = sizeof(alch_driver_statement) + length + 1;
  alch_driver_statement *statement = alch_allocate_zeroed(connection->allocator, size);
  if (!statement) return alch_error_out_of_memory(error);
  *statement = (alch_driver_statement){ .connection = connection, .sql = (char *)(statement + 1), .size = size };
  memcpy(statement->sql, sql, length + 1);
  statement->parameter_count = count_parameters(statement->sql);
  connection->mock->statements++;
  *out = statement;
  return ALCH_OK;
}

static uint32_t mock_parameter_count(alch_driver_statement *statement) {
  return statement->parameter_count;
}

static bool begins_with(const char *text, const char *word) {
  while (isspace((unsigned char)*text)) text++;
  for (; *word; text++, word++)
    if (toupper((unsigned char)*text) != *word) return false;
  return true;
}

static bool mock_read_only(alch_driver_statement *statement) {
  return begins_with(statement->sql, "SELECT");
}

static void mock_finalize(alch_driver_statement *statement) {
  statement->connection->mock->statements--;
  alch_free(statement->connection->allocator, statement, statement->size);
}

static alch_status record(alch_mock *mock, const char *sql, const alch_value *values, uint32_t count, alch_error *error) {
  mock_entry entry = { copy_text(mock, sql), copy_values(mock, values, count), count };
  mock_entry *entries = alch_grow(mock->allocator, mock->entries, &mock->entry_capacity, mock->entry_count + 1, sizeof *entries);
  if (entries) mock->entries = entries;
  if (!entries || !entry.sql || !entry.values) return alch_error_out_of_memory(error);
  mock->entries[mock->entry_count++] = entry;
  return ALCH_OK;
}

static const mock_answer *find_answer(alch_mock *mock, const char *sql) {
  for (mock_answer *one = mock->answers; one; one = one->next) {
    if (one->used || (one->answer.pattern && !strstr(sql, one->answer.pattern))) continue;
    one->used = true;
    return one;
  }
  return NULL;
}

/* The first that fits counts. */
static const struct control_row { const char *words; int8_t opens; } controls[] = {
  { "ROLLBACK TO", 0 },  { "ROLLBACK TRANSACTION SP_", 0 }, { "COMMIT", -1 },   { "ROLLBACK", -1 }, { "PREPARE TRANSACTION", -1 }, { "XA COMMIT", -1 }, { "XA ROLLBACK", -1 },
  { "XA PREPARE", 0 },   { "XA END", 0 },                   { "XA RECOVER", 0 }, { "BEGIN", 1 },     { "START TRANSACTION", 1 },    { "XA START", 1 },   { "SAVEPOINT", 1 },
};

static void note_transaction(alch_driver_connection *connection, const char *sql) {
  const struct control_row *found = NULL;
  for (size_t i = 0; i < ALCH_COUNT(controls) && !found; i++)
    if (begins_with(sql, controls[i].words)) found = &controls[i];
  if (found && found->opens != 0) connection->in_transaction = found->opens > 0;
  if (!found && connection->begins_itself) connection->in_transaction = true;
  if (begins_with(sql, "INSERT")) connection->last_id = ++connection->mock->last_id;
}

static alch_status mock_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  alch_status status = pass(connection->mock, connection, "start", error);
  if (status == ALCH_OK) status = record(connection->mock, statement->sql, values, count, error);
  if (status != ALCH_OK) return status;
  statement->answer = find_answer(connection->mock, statement->sql);
  statement->next_row = 0;
  statement->is_started = false;
  statement->waits_left = connection->mock->waits[ALCH_MOCK_START];
  connection->sleeps_until = connection->mock->sleep > 0 ? alch_clock_microseconds() + connection->mock->sleep : 0;
  return wait_or(connection, &statement->waits_left, ALCH_OK);
}

static alch_status mock_start_many(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error) {
  return mock_start(statement, values, count * sets, error);
}

static alch_status mock_start_arrays(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, uint32_t shared, alch_error *error) {
  (void)shared;
  return mock_start_many(statement, values, count, sets, error);
}

void alch_mock_take_many(alch_mock *mock, bool sets, bool arrays) {
  mock->driver.start_many = sets ? mock_start_many : NULL;
  mock->driver.start_arrays = arrays ? mock_start_arrays : NULL;
  mock->driver.scatters_keys = arrays ? "SELECT 1 FROM scattered WHERE name = :table" : NULL;
}

static alch_status advance(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  if (!statement->is_started) note_transaction(connection, statement->sql);
  statement->is_started = true;
  statement->waits_left = connection->mock->waits[ALCH_MOCK_ROW];
  if (!statement->answer || statement->next_row == statement->answer->answer.row_count) return ALCH_DONE;
  statement->next_row++;
  return ALCH_ROW;
}

static alch_status mock_poll(alch_driver_statement *statement, alch_error *error) {
  alch_driver_connection *connection = statement->connection;
  alch_status status = pass(connection->mock, connection, "poll", error);
  if (status == ALCH_OK && is_asleep(connection)) return ALCH_WAIT;
  if (status == ALCH_OK) status = wait_or(connection, &statement->waits_left, ALCH_OK);
  return status == ALCH_OK ? advance(statement) : status;
}

static alch_status mock_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error) {
  const alch_mock_answer *answer = &statement->answer->answer;
  alch_status status = pass(statement->connection->mock, statement->connection, "row", error);
  if (status == ALCH_OK) memcpy(out, answer->cells + (size_t)(statement->next_row - 1) * answer->column_count, count * sizeof *out);
  return status;
}

static void mock_finish(alch_driver_statement *statement) {
  uint32_t none = 0;
  statement->connection->sleeps_until = 0;
  wait_or(statement->connection, &none, ALCH_OK);
  statement->is_started = false;
}

static uint32_t mock_column_count(alch_driver_statement *statement) {
  return statement->answer ? statement->answer->answer.column_count : 0;
}

static const char *mock_column_name(alch_driver_statement *statement, uint32_t column) {
  return column < mock_column_count(statement) ? statement->answer->answer.columns[column] : "";
}

static int64_t mock_changes(alch_driver_statement *statement) {
  return statement->answer ? statement->answer->answer.changes : 1;
}

const alch_driver alch_driver_mock = {
  .name = "mock",
  .connect = mock_connect,
  .connect_poll = mock_connect_poll,
  .waits_for = mock_waits_for,
  .close = mock_close,
  .ping = mock_ping,
  .abandon = mock_abandon,
  .prepare = mock_prepare,
  .parameter_count = mock_parameter_count,
  .read_only = mock_read_only,
  .finalize = mock_finalize,
  .start = mock_start,
  .poll = mock_poll,
  .row = mock_row,
  .finish = mock_finish,
  .column_count = mock_column_count,
  .column_name = mock_column_name,
  .changes = mock_changes,
  .last_insert_id = mock_last_insert_id,
  .in_transaction = mock_in_transaction,
  .server = mock_server,
  .alive = mock_alive,
};
