/* What SQLite spells in its own way must mean the same: the text is run, and its value compared with the one reckoned here. */
#include "base/date.h"
#include "ddl_build.h"
#include "sql/expression.h"
#include <math.h>
#include <sqlite3.h>

typedef struct maker {
  schema s;
  alch_builder builder;
  sqlite3 *database;
  alch_buffer text;
  _Alignas(8) char blocks[8][1024];
} maker;

static bool maker_open(maker *m) {
  alch_builder_init(&m->builder, &alch_allocator_standard);
  alch_buffer_init(&m->text, &alch_allocator_standard);
  CHECK_INT(sqlite3_open(":memory:", &m->database), SQLITE_OK);
  return CHECK(schema_open(&m->s, &alch_allocator_standard));
}

static void maker_close(maker *m) {
  alch_builder_destroy(&m->builder);
  alch_buffer_close(&m->text);
  sqlite3_close(m->database);
  schema_close(&m->s);
}

/* The block that was built, in one of eight places. */
static const alch_block *built(maker *m, int place, alch_status status) {
  size_t size = 0;
  if (!CHECK_INT(status, ALCH_OK)) printf("# %s\n", alch_error_message(&m->s.error));
  CHECK_INT(alch_builder_finish(&m->builder, &size, &m->s.error), ALCH_OK);
  if (!CHECK(size <= sizeof m->blocks[0])) return NULL;
  alch_builder_write(&m->builder, m->blocks[place]);
  return (const alch_block *)(void *)m->blocks[place];
}

static alch_operand value(alch_value plain) { return (alch_operand){ .value = plain }; }
static alch_operand block(const alch_block *one) { return (alch_operand){ .block = one }; }
static alch_value words(const char *text) { return alch_value_text(text, strlen(text)); }

static const alch_block *operate(maker *m, int place, alch_operator op, alch_operand left, alch_operand right) {
  const alch_operand operands[] = { left, right };
  return built(m, place, alch_expression_operate(&m->builder, m->s.catalog, op, operands, 2, &m->s.error));
}

/* A literal of its own, so that neither side takes the other's type. */
static const alch_block *literal(maker *m, int place, alch_value plain) {
  const alch_operand operand = value(plain);
  return built(m, place, alch_expression_literal(&m->builder, m->s.catalog, &operand, alch_value_type(plain.kind), &m->s.error));
}

static const alch_block *call(maker *m, int place, const char *name, const alch_operand *arguments, uint32_t count) {
  return built(m, place, alch_expression_function(&m->builder, m->s.catalog, name, arguments, count, 0, &m->s.error));
}

/* A node with one child: CAST, EXTRACT. */
static const alch_block *around(maker *m, int place, uint8_t kind, uint32_t b, const char *text, const alch_block *child) {
  alch_builder_start(&m->builder);
  alch_builder_open_text(&m->builder, kind, 0, 0, b, text, strlen(text));
  alch_builder_block(&m->builder, child);
  alch_builder_close(&m->builder);
  return built(m, place, ALCH_OK);
}

static const char *text_of(maker *m, const alch_block *one) {
  alch_buffer_clear(&m->text);
  if (alch_compile_ddl_expression(m->s.catalog, alch_dialect_find("sqlite"), one, &m->text, &m->s.error) == ALCH_OK) return alch_buffer_text(&m->text);
  alch_buffer_clear(&m->text);
  alch_buffer_add_format(&m->text, "%s: %s", alch_error_kind_name(m->s.error.kind), alch_error_message(&m->s.error));
  alch_error_close(&m->s.error);
  return alch_buffer_text(&m->text);
}

/* The statement at its one row. */
static sqlite3_stmt *run(maker *m, const alch_block *one) {
  char sql[2048];
  sqlite3_stmt *statement = NULL;
  snprintf(sql, sizeof sql, "SELECT %s", text_of(m, one));
  if (!CHECK_INT(sqlite3_prepare_v2(m->database, sql, -1, &statement, NULL), SQLITE_OK)) printf("# %s: %s\n", sqlite3_errmsg(m->database), sql);
  else CHECK_INT(sqlite3_step(statement), SQLITE_ROW);
  return statement;
}

static int64_t integer_of(maker *m, const alch_block *one) {
  sqlite3_stmt *statement = run(m, one);
  int64_t integer = statement ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  return integer;
}

static double real_of(maker *m, const alch_block *one) {
  sqlite3_stmt *statement = run(m, one);
  double real = statement ? sqlite3_column_double(statement, 0) : 0;
  sqlite3_finalize(statement);
  return real;
}

static void check_result(maker *m, const alch_block *one, const char *expected) {
  sqlite3_stmt *statement = run(m, one);
  if (statement) CHECK_TEXT((const char *)sqlite3_column_text(statement, 0), expected);
  sqlite3_finalize(statement);
}

static int64_t small(void) { return (int64_t)check_random_below(2001) - 1000; }

CASE("division is true division, and exclusive or is one") {
  maker m;
  if (!maker_open(&m)) return;
  for (int i = 0; i < 300; i++) {
    int64_t a = small(), b = small(), c = small();
    if (b == 0) continue;
    const alch_block *quotient = operate(&m, 0, ALCH_OPERATOR_DIVIDE, value(alch_value_integer(a)), value(alch_value_integer(b)));
    CHECK_REAL(real_of(&m, quotient), (double)a / (double)b);
    const alch_block *sum = operate(&m, 1, ALCH_OPERATOR_ADD, value(alch_value_integer(c)), block(quotient));
    CHECK_REAL(real_of(&m, sum), (double)c + (double)a / (double)b);
    const alch_block *nested = operate(&m, 2, ALCH_OPERATOR_DIVIDE, value(alch_value_integer(c)), block(quotient));
    if (a != 0) CHECK_REAL(real_of(&m, nested), (double)c / ((double)a / (double)b));
    const alch_block *other = operate(&m, 3, ALCH_OPERATOR_BITWISE_XOR, value(alch_value_integer(a)), value(alch_value_integer(b)));
    CHECK_INT(integer_of(&m, other), a ^ b);
    CHECK_INT(integer_of(&m, operate(&m, 4, ALCH_OPERATOR_BITWISE_XOR, block(other), value(alch_value_integer(c)))), a ^ b ^ c);
    CHECK_INT(integer_of(&m, operate(&m, 4, ALCH_OPERATOR_MULTIPLY, block(other), value(alch_value_integer(c)))), (a ^ b) * c);
    CHECK_INT(integer_of(&m, operate(&m, 4, ALCH_OPERATOR_SUBTRACT, value(alch_value_integer(c)), block(other))), c - (a ^ b));
  }
  maker_close(&m);
}

CASE("functions that SQLite calls otherwise, or has not") {
  maker m;
  if (!maker_open(&m)) return;
  const alch_operand texts[] = { value(words("a")), value(words("'b")), value(words("c")) }, numbers[] = { value(alch_value_integer(3)), value(alch_value_integer(7)) };
  const alch_operand umlaut[] = { value(words("\xc3\xa9")) };
  check_result(&m, call(&m, 0, "concat", texts, 3), "a'bc");
  check_result(&m, call(&m, 0, "concat", texts, 1), "a");
  CHECK_INT(integer_of(&m, call(&m, 0, "greatest", numbers, 2)), 7);
  CHECK_INT(integer_of(&m, call(&m, 0, "least", numbers, 2)), 3);
  CHECK_INT(integer_of(&m, call(&m, 0, "greatest", numbers, 1)), 3);
  CHECK_INT(integer_of(&m, call(&m, 0, "char_length", umlaut, 1)), 1);
  CHECK_INT(integer_of(&m, call(&m, 0, "octet_length", umlaut, 1)), 2);
  check_result(&m, call(&m, 0, "string_agg", texts, 2), "a");
  CHECK_TEXT(text_of(&m, call(&m, 0, "now", NULL, 0)), "CURRENT_TIMESTAMP");
  CHECK_TEXT(text_of(&m, call(&m, 0, "current_date", NULL, 0)), "CURRENT_DATE");
  maker_close(&m);
}

CASE("extract takes the parts of a moment") {
  static const struct { const char *field; size_t offset; } fields[] = {
    { "year", offsetof(alch_civil, year) }, { "month", offsetof(alch_civil, month) },   { "day", offsetof(alch_civil, day) },
    { "hour", offsetof(alch_civil, hour) }, { "minute", offsetof(alch_civil, minute) }, { "second", offsetof(alch_civil, second) },
  };
  maker m;
  if (!maker_open(&m)) return;
  for (int i = 0; i < 100; i++) {
    alch_civil civil;
    int64_t seconds = (int64_t)check_random_below(UINT64_C(315537897600)) - INT64_C(62135596800);
    alch_civil_from_microseconds(seconds * ALCH_MICROSECONDS_PER_SECOND, &civil);
    const alch_block *moment = literal(&m, 0, (alch_value){ .kind = ALCH_DATETIME, .integer = seconds * ALCH_MICROSECONDS_PER_SECOND });
    for (size_t f = 0; f < ALCH_COUNT(fields); f++) {
      int expected;
      memcpy(&expected, (const char *)&civil + fields[f].offset, sizeof expected);
      CHECK_INT(integer_of(&m, around(&m, 1, ALCH_NODE_EXTRACT, 0, fields[f].field, moment)), expected);
    }
    CHECK_INT(integer_of(&m, around(&m, 1, ALCH_NODE_EXTRACT, 0, "epoch", moment)), seconds);
    CHECK_INT(integer_of(&m, around(&m, 1, ALCH_NODE_EXTRACT, 0, "doy", moment)), alch_day_of_year(alch_days_from_civil(civil.year, civil.month, civil.day)));
  }
  CHECK_TEXT(text_of(&m, around(&m, 1, ALCH_NODE_EXTRACT, 0, "yeer", literal(&m, 0, words("x")))), "CompileError: yeer is not a valid extract argument; did you mean 'year'");
  maker_close(&m);
}

CASE("a cast to a date is a date") {
  maker m;
  if (!maker_open(&m)) return;
  const alch_block *moment = literal(&m, 0, words("2024-02-29 13:14:15.5"));
  check_result(&m, around(&m, 1, ALCH_NODE_CAST, ALCH_TYPE_DATE, "", moment), "2024-02-29");
  check_result(&m, around(&m, 1, ALCH_NODE_CAST, ALCH_TYPE_TIME, "", moment), "13:14:15.500000");
  check_result(&m, around(&m, 1, ALCH_NODE_CAST, ALCH_TYPE_DATETIME, "", moment), "2024-02-29 13:14:15.500000");
  check_result(&m, around(&m, 1, ALCH_NODE_CAST, ALCH_TYPE_JSON, "", literal(&m, 0, words("{ \"a\": 1 }"))), "{\"a\":1}");
  CHECK_TEXT(text_of(&m, around(&m, 1, ALCH_NODE_CAST, ALCH_TYPE_INTEGER, "", literal(&m, 0, words("7")))), "CAST('7' AS INTEGER)");
  maker_close(&m);
}

CASE("what SQLite has not is refused, with what to write instead") {
  maker m;
  if (!maker_open(&m)) return;
  const alch_block *one = literal(&m, 0, alch_value_integer(1));
  alch_builder_start(&m.builder);
  alch_builder_open(&m.builder, ALCH_NODE_UNARY, ALCH_OPERATOR_ANY, 0, 0);
  alch_builder_block(&m.builder, one);
  alch_builder_close(&m.builder);
  CHECK_TEXT(text_of(&m, built(&m, 1, ALCH_OK)), "UnsupportedCompilationError: SQLite has no ANY or ALL; write in_ with the subquery");
  maker_close(&m);
}

CASE("expressions in DDL: checks, defaults, generated columns, indexes") {
  maker m;
  alch_constraint *check;
  alch_index *index;
  const char *const none[] = { NULL };
  if (!maker_open(&m)) return;
  schema *s = &m.s;
  alch_table *table = schema_table(s, "t");
  schema_plain(s, table, "Price", ALCH_TYPE_INTEGER);
  alch_builder_start(&m.builder);
  alch_builder_leaf(&m.builder, ALCH_NODE_COLUMN, 0, table->id, 0);
  const alch_block *price = built(&m, 0, ALCH_OK);
  const alch_operand arguments[] = { block(price) };
  const alch_block *positive = operate(&m, 1, ALCH_OPERATOR_GT, block(price), value(alch_value_integer(0))), *magnitude = call(&m, 2, "abs", arguments, 1);
  alch_column at = schema_column("at", ALCH_TYPE_DATETIME), doubled = schema_column("doubled", ALCH_TYPE_INTEGER);
  at.server_default = (alch_default){ .kind = ALCH_DEFAULT_SQL, .block = call(&m, 3, "now", NULL, 0) };
  doubled.computed = operate(&m, 4, ALCH_OPERATOR_MULTIPLY, block(price), value(alch_value_integer(2)));
  doubled.computed_persisted = 1;
  schema_add(s, table, at);
  schema_add(s, table, doubled);
  const alch_constraint given = { .kind = ALCH_CONSTRAINT_CHECK, .check = positive, .deferrable = -1 };
  CHECK_INT(alch_table_add_constraint(table, &given, NULL, 0, &check, &s->error), ALCH_OK);
  CHECK_INT(alch_table_add_index(table, "ix", false, none, &magnitude, 1, positive, &index, &s->error), ALCH_OK);
  const char *sql = ddl_create(s, "sqlite", table);
  CHECK_TEXT(sql, "CREATE TABLE t (\n\t\"Price\" INTEGER, \n\tat DATETIME DEFAULT CURRENT_TIMESTAMP, \n\tdoubled INTEGER GENERATED ALWAYS AS (\"Price\" * 2) STORED, \n\tCHECK (\"Price\" > 0)\n)");
  CHECK_INT(sqlite3_exec(m.database, sql, NULL, NULL, NULL), SQLITE_OK);
  sql = ddl_index(s, "sqlite", ALCH_DDL_CREATE, index);
  CHECK_TEXT(sql, "CREATE INDEX ix ON t (abs(\"Price\")) WHERE \"Price\" > 0");
  CHECK_INT(sqlite3_exec(m.database, sql, NULL, NULL, NULL), SQLITE_OK);
  maker_close(&m);
}
