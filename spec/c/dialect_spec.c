#include "base/date.h"
#include "base/decimal.h"
#include "ddl_build.h"
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

CASE("every dialect is whole, and knows its name") {
  alch_error error;
  alch_error_init(&error, NULL);
  size_t count = 0;
  for (const char *const *name = alch_dialect_names(); *name; name++, count++) {
    const alch_dialect *dialect = alch_dialect_find(*name);
    if (!CHECK(dialect != NULL)) continue;
    CHECK_TEXT(dialect->name, *name);
    if (!CHECK_INT(alch_dialect_validate(dialect, &error), ALCH_OK)) printf("# %s\n", alch_error_message(&error));
  }
  CHECK(count >= 2);
  const alch_dialect *none;
  CHECK_INT(alch_dialect_require("sqlit", &none, &error), ALCH_ERROR);
  CHECK_TEXT(alch_error_message(&error), "there is no dialect 'sqlit'; did you mean 'sqlite'?");
  CHECK_INT(alch_option_check(ALCH_SCOPE_TABLE, "sqlite_strict", "Table", &error), ALCH_OK);
  CHECK_INT(alch_option_check(ALCH_SCOPE_TABLE, "sqlite_strct", "Table", &error), ALCH_ERROR);
  CHECK_TEXT(alch_error_message(&error), "Table has no option 'sqlite_strct'; did you mean 'sqlite_strict'?");
  alch_error_close(&error);
}

static void check_invalid(const alch_dialect *dialect, const char *words) {
  alch_error error;
  alch_error_init(&error, NULL);
  CHECK_INT(alch_dialect_validate(dialect, &error), ALCH_ERROR);
  if (!CHECK(strstr(alch_error_message(&error), words) != NULL)) printf("# %s\n", alch_error_message(&error));
  alch_error_close(&error);
}

CASE("a dialect with missing or contradictory parts is refused") {
  static const char *const unsorted[] = { "b", "a", NULL }, *const upper[] = { "A", NULL };
  static const uint8_t twice[] = { 1, 2, 1, 0 };
  const alch_dialect whole = *alch_dialect_find("sqlite");
  alch_dialect one = whole;
  one.reserved_words = unsorted;
  one.reserved_word_count = 2;
  check_invalid(&one, "'a' is out of place");
  one.reserved_words = upper;
  one.reserved_word_count = 1;
  check_invalid(&one, "'A' is out of place");
  one = whole;
  one.select_clauses = twice;
  check_invalid(&one, "a clause of SELECT twice");
  one = whole;
  one.type_name = NULL;
  check_invalid(&one, "has no type_name");
  one = whole;
  one.from_database = NULL;
  check_invalid(&one, "both or none");
  one = whole;
  one.capabilities |= ALCH_CAN(ORDERED_RETURNING);
  one.capabilities &= ~(ALCH_CAN(MULTI_VALUES));
  check_invalid(&one, "ordered_returning without multi_values");
  one = whole;
  one.capabilities &= ~(ALCH_CAN(INLINE_CYCLES));
  check_invalid(&one, "closes a cycle");
}

/* ---- through a real database ---- */

typedef struct base {
  sqlite3 *database;
  alch_buffer text, scratch;
  alch_error error;
  const alch_dialect *dialect;
} base;

static void base_open(base *b) {
  CHECK_INT(sqlite3_open(":memory:", &b->database), SQLITE_OK);
  alch_buffer_init(&b->text, &alch_allocator_standard);
  alch_buffer_init(&b->scratch, &alch_allocator_standard);
  alch_error_init(&b->error, NULL);
  b->dialect = alch_dialect_find("sqlite");
}

static void base_close(base *b) {
  sqlite3_close(b->database);
  alch_buffer_close(&b->text);
  alch_buffer_close(&b->scratch);
  alch_error_close(&b->error);
}

/* The statement of the text so far, on its first row; NULL when SQLite does not take it. */
static sqlite3_stmt *base_row(base *b) {
  sqlite3_stmt *statement = NULL;
  const char *tail = "";
  int status = sqlite3_prepare_v2(b->database, alch_buffer_text(&b->text), -1, &statement, &tail);
  if (!CHECK_INT(status, SQLITE_OK) || !CHECK_TEXT(tail, "") || !CHECK_INT(sqlite3_step(statement), SQLITE_ROW)) {
    printf("# %s\n", alch_buffer_text(&b->text));
    sqlite3_finalize(statement);
    return NULL;
  }
  return statement;
}

static size_t random_text(char *text, size_t limit) {
  static const char letters[] = "abcXYZ019_$ \"'`[];-%\\\xc3\xa9\n";
  size_t length = check_random_below(limit);
  for (size_t i = 0; i < length; i++) text[i] = letters[check_random_below(sizeof letters - 1)];
  text[length] = '\0';
  return length;
}

CASE("an identifier comes back as it was, whatever is in it") {
  base b;
  char name[24];
  base_open(&b);
  for (int i = 0; i < 400; i++) {
    if (i < 117) snprintf(name, sizeof name, "%s", b.dialect->reserved_words[i]);
    else random_text(name, sizeof name - 1);
    alch_buffer_clear(&b.text);
    alch_buffer_add(&b.text, "SELECT 1 AS ");
    alch_quote_identifier(b.dialect, name, 0, &b.text);
    sqlite3_stmt *row = base_row(&b);
    if (!row) continue;
    CHECK_TEXT(sqlite3_column_name(row, 0), name);
    sqlite3_finalize(row);
  }
  base_close(&b);
}

static const char *quoted(const char *name, uint8_t quote) {
  static char line[64];
  alch_buffer out;
  alch_buffer_init(&out, &alch_allocator_standard);
  alch_quote_identifier(alch_dialect_find("default"), name, quote, &out);
  snprintf(line, sizeof line, "%s", alch_buffer_text(&out));
  alch_buffer_close(&out);
  return line;
}

CASE("identifiers are quoted where SQLAlchemy quotes them") {
  CHECK_TEXT(quoted("plain_1$", 0), "plain_1$");
  CHECK_TEXT(quoted("Mixed", 0), "\"Mixed\"");
  CHECK_TEXT(quoted("1st", 0), "\"1st\"");
  CHECK_TEXT(quoted("$x", 0), "\"$x\"");
  CHECK_TEXT(quoted("select", 0), "\"select\"");
  CHECK_TEXT(quoted("a\"b", 0), "\"a\"\"b\"");
  CHECK_TEXT(quoted("plain", 1), "\"plain\"");
  CHECK_TEXT(quoted("Mixed", 2), "Mixed");
  CHECK_TEXT(quoted("", 0), "\"\"");
}

static alch_value random_literal(char *text, size_t limit) {
  switch (check_random_below(4)) {
    case 0: return alch_value_text(text, random_text(text, limit));
    case 1: {
      size_t length = check_random_below(limit);
      for (size_t i = 0; i < length; i++) text[i] = (char)check_random();
      return (alch_value){ .kind = ALCH_BLOB, .length = (uint32_t)length, .text = text };
    }
    case 2: {
      uint64_t bits = check_random();
      double real;
      memcpy(&real, &bits, sizeof real);
      return alch_value_real(isfinite(real) ? real : 0.1);
    }
    default: return alch_value_integer((int64_t)(check_random() >> check_random_below(64)) * (check_random_below(2) ? 1 : -1));
  }
}

static alch_value column_value(sqlite3_stmt *row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER: return alch_value_integer(sqlite3_column_int64(row, column));
    case SQLITE_FLOAT: return alch_value_real(sqlite3_column_double(row, column));
    case SQLITE_TEXT: {
      const char *text = (const char *)sqlite3_column_text(row, column);
      return alch_value_text(text, (size_t)sqlite3_column_bytes(row, column));
    }
    case SQLITE_BLOB: {
      const char *text = sqlite3_column_blob(row, column);
      return (alch_value){ .kind = ALCH_BLOB, .length = (uint32_t)sqlite3_column_bytes(row, column), .text = text };
    }
    default: return ALCH_VALUE_NULL;
  }
}

CASE("a literal is the value") {
  base b;
  char text[64];
  const alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_NULL);
  base_open(&b);
  for (int i = 0; i < 3000; i++) {
    alch_value value = i == 0 ? alch_value_integer(INT64_MIN) : i == 1 ? alch_value_integer(INT64_MAX) : i == 2 ? alch_value_real(-0.0) : random_literal(text, sizeof text - 1);
    alch_buffer_clear(&b.text);
    alch_buffer_add(&b.text, "SELECT ");
    if (!CHECK_INT(alch_render_literal(b.dialect, &type, &value, &b.text, &b.error), ALCH_OK)) continue;
    sqlite3_stmt *row = base_row(&b);
    if (!row) continue;
    alch_value back = column_value(row, 0);
    /* SQLite's own reader of reals may miss the last bit (before 3.42), and its -0.0 is 0.0. */
    if (value.kind == ALCH_REAL) CHECK(back.kind == ALCH_REAL && (back.real == value.real || fabs(back.real - value.real) <= fabs(value.real) * 1e-15));
    else CHECK(alch_value_equal(&value, &back));
    sqlite3_finalize(row);
  }
  base_close(&b);
}

CASE("literals of other kinds, and those that cannot be") {
  static const struct { const char *dialect; alch_type_family family; alch_value value; const char *text; } rows[] = {
    { "sqlite", ALCH_TYPE_BOOLEAN, { .kind = ALCH_BOOLEAN, .integer = 1 }, "1" },
    { "default", ALCH_TYPE_BOOLEAN, { .kind = ALCH_BOOLEAN, .integer = 0 }, "false" },
    { "sqlite", ALCH_TYPE_DATE, { .kind = ALCH_DATE, .integer = 19782 }, "'2024-02-29'" },
    { "default", ALCH_TYPE_DATE, { .kind = ALCH_DATE, .integer = 19782 }, "'2024-02-29'" },
    { "sqlite", ALCH_TYPE_DATETIME, { .kind = ALCH_DATETIME, .integer = 0 }, "'1970-01-01 00:00:00.000000'" },
    { "default", ALCH_TYPE_DATETIME, { .kind = ALCH_DATETIME, .integer = 0 }, "'1970-01-01 00:00:00'" },
    { "sqlite", ALCH_TYPE_NUMERIC, { .kind = ALCH_DECIMAL, .length = 4, .text = "1.50" }, "1.50" },
    { "sqlite", ALCH_TYPE_STRING, { .kind = ALCH_NULL }, "NULL" },
    { "sqlite", ALCH_TYPE_DOUBLE, { .kind = ALCH_REAL, .real = INFINITY }, "9e999" },
    { "default", ALCH_TYPE_DOUBLE, { .kind = ALCH_REAL, .real = INFINITY }, "DataError: an infinity cannot be written as a literal; send it as a parameter" },
    { "sqlite", ALCH_TYPE_STRING, { .kind = ALCH_TEXT, .length = 3, .text = "a\0b" }, "DataError: text with a zero byte cannot be written as a literal; send it as a parameter" },
    { "default", ALCH_TYPE_NULL, { .kind = ALCH_HOST }, "CompileError: a host value cannot be written as a literal; send it as a parameter" },
  };
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) {
    alch_buffer out;
    const alch_type type = ALCH_TYPE_PLAIN(rows[i].family);
    alch_buffer_init(&out, s.allocator);
    alch_status status = alch_render_literal(alch_dialect_find(rows[i].dialect), &type, &rows[i].value, &out, &s.error);
    CHECK_TEXT(ddl_result(&s, 0, status, &out), rows[i].text);
  }
  schema_close(&s);
}

/* ---- storage ---- */

static void store(base *b, sqlite3_stmt *statement, int place, const alch_value *value) {
  (void)b;
  switch (value->kind) {
    case ALCH_INTEGER: sqlite3_bind_int64(statement, place, value->integer); break;
    case ALCH_REAL: sqlite3_bind_double(statement, place, value->real); break;
    case ALCH_TEXT: sqlite3_bind_text(statement, place, value->text, (int)value->length, SQLITE_TRANSIENT); break;
    case ALCH_BLOB: sqlite3_bind_blob(statement, place, value->length ? value->text : "", (int)value->length, SQLITE_TRANSIENT); break;
    default: CHECK_INT(value->kind, ALCH_NULL);
  }
}

/* Into a column of the type's own DDL name, and out again. text holds what comes back. */
static bool round_trip(base *b, const alch_type *type, alch_value *value, alch_buffer *text) {
  sqlite3_stmt *statement;
  if (b->dialect->converts(type, true) && b->dialect->to_database(type, value, &b->scratch, &b->error) != ALCH_OK) return false;
  CHECK_INT(sqlite3_exec(b->database, "DROP TABLE IF EXISTS t", NULL, NULL, NULL), SQLITE_OK);
  alch_buffer_clear(&b->text);
  alch_buffer_add(&b->text, "CREATE TABLE t (c ");
  CHECK_INT(b->dialect->type_name(b->dialect, type, NULL, &b->text, &b->error), ALCH_OK);
  alch_buffer_add(&b->text, ")");
  CHECK_INT(sqlite3_exec(b->database, alch_buffer_text(&b->text), NULL, NULL, NULL), SQLITE_OK);
  CHECK_INT(sqlite3_prepare_v2(b->database, "INSERT INTO t VALUES (?)", -1, &statement, NULL), SQLITE_OK);
  store(b, statement, 1, value);
  CHECK_INT(sqlite3_step(statement), SQLITE_DONE);
  sqlite3_finalize(statement);
  alch_buffer_clear(&b->text);
  alch_buffer_add(&b->text, "SELECT c FROM t");
  statement = base_row(b);
  if (!statement) return false;
  *value = column_value(statement, 0);
  bool back = !b->dialect->converts(type, false) || b->dialect->from_database(type, value, &b->scratch, &b->error) == ALCH_OK;
  if (!CHECK(back)) printf("# %s\n", alch_error_message(&b->error));
  alch_buffer_clear(text);
  if (back && alch_value_has_text(value->kind)) {
    alch_buffer_add_bytes(text, value->text, value->length);
    value->text = alch_buffer_text(text);
  }
  sqlite3_finalize(statement);
  return back;
}

static alch_value random_value(uint8_t family, char *text) {
  int64_t days = (int64_t)check_random_below(3652059) - 719162;
  int64_t clock = (int64_t)check_random_below((uint64_t)ALCH_MICROSECONDS_PER_DAY);
  switch (family) {
    case ALCH_TYPE_BOOLEAN: return alch_value_boolean(check_random_below(2));
    case ALCH_TYPE_DATE: return (alch_value){ .kind = ALCH_DATE, .integer = days };
    case ALCH_TYPE_TIME: return (alch_value){ .kind = ALCH_TIME, .integer = clock };
    case ALCH_TYPE_DATETIME: return (alch_value){ .kind = ALCH_DATETIME, .integer = days * ALCH_MICROSECONDS_PER_DAY + clock };
    case ALCH_TYPE_INTERVAL: return (alch_value){ .kind = ALCH_INTERVAL, .integer = days * ALCH_MICROSECONDS_PER_DAY + clock };
    case ALCH_TYPE_UUID: {
      char digits[33];
      snprintf(digits, sizeof digits, "%016llx%016llx", (unsigned long long)check_random(), (unsigned long long)check_random());
      alch_uuid_print(digits, text);
      return alch_value_text(text, 36);
    }
    default: return random_literal(text, 40);
  }
}

CASE("what is stored comes back the same") {
  static const uint8_t families[] = { ALCH_TYPE_BOOLEAN, ALCH_TYPE_DATE, ALCH_TYPE_TIME, ALCH_TYPE_DATETIME, ALCH_TYPE_INTERVAL, ALCH_TYPE_UUID };
  base b;
  char text[64];
  alch_buffer held;
  base_open(&b);
  alch_buffer_init(&held, &alch_allocator_standard);
  for (int i = 0; i < 1200; i++) {
    const alch_type type = ALCH_TYPE_PLAIN(families[i % (int)ALCH_COUNT(families)]);
    alch_value value = random_value(type.family, text), back = value;
    if (CHECK(round_trip(&b, &type, &back, &held)) && !CHECK(alch_value_equal(&value, &back))) printf("# %s\n", alch_type_family_name(type.family));
  }
  alch_buffer_close(&held);
  base_close(&b);
}

/* A decimal of at most `digits` digits, as canonical text. */
static size_t random_decimal(char *text, int digits) {
  char raw[64];
  alch_decimal decimal = { 0 };
  alch_error error;
  int before = (int)check_random_below((uint64_t)digits), after = (int)check_random_below((uint64_t)(digits - before)), length = 0;
  alch_error_init(&error, NULL);
  if (check_random_below(2)) raw[length++] = '-';
  raw[length++] = '0';
  for (int i = 0; i < before; i++) raw[length++] = (char)('0' + check_random_below(10));
  if (after > 0) raw[length++] = '.';
  for (int i = 0; i < after; i++) raw[length++] = (char)('0' + check_random_below(10));
  CHECK_INT(alch_decimal_parse(&decimal, raw, (size_t)length, &error), ALCH_OK);
  alch_error_close(&error);
  return alch_decimal_print(&decimal, text);
}

CASE("decimals keep their value, or are refused") {
  base b;
  char text[ALCH_DECIMAL_TEXT_SIZE];
  alch_buffer held;
  base_open(&b);
  alch_buffer_init(&held, &alch_allocator_standard);
  for (int i = 0; i < 1500; i++) {
    alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_NUMERIC);
    alch_decimal before = { 0 }, after = { 0 };
    size_t length = random_decimal(text, i % 2 ? 15 : 30);
    alch_value value = { .kind = ALCH_DECIMAL, .length = (uint32_t)length, .text = text };
    type.scale = (int32_t)check_random_below(6) - 1;
    if (!round_trip(&b, &type, &value, &held)) {
      CHECK(i % 2 == 0);
      CHECK_INT(b.error.kind, ALCH_ERROR_DATA);
      CHECK(strstr(alch_error_message(&b.error), "make the column a String") != NULL);
      continue;
    }
    CHECK_INT(value.kind, ALCH_DECIMAL);
    CHECK_INT(alch_decimal_parse(&before, text, length, &b.error), ALCH_OK);
    CHECK_INT(alch_decimal_parse(&after, value.text, value.length, &b.error), ALCH_OK);
    if (!CHECK_INT(alch_decimal_compare(&before, &after), 0)) printf("# %s became %s\n", text, value.text);
    if (type.scale >= 0 && before.scale <= type.scale) CHECK_INT(after.scale, type.scale);
  }
  alch_buffer_close(&held);
  base_close(&b);
}

/* What from_database makes of a value that somebody else stored. */
static const char *loaded(const alch_type *type, alch_value value) {
  static char line[256];
  base b;
  alch_buffer out;
  base_open(&b);
  alch_buffer_init(&out, &alch_allocator_standard);
  if (b.dialect->from_database(type, &value, &b.scratch, &b.error) == ALCH_OK) {
    alch_value_print(&value, &out, 0);
    snprintf(line, sizeof line, "%s", alch_buffer_text(&out));
  } else {
    snprintf(line, sizeof line, "%s: %s", alch_error_kind_name(b.error.kind), alch_error_message(&b.error));
  }
  alch_buffer_close(&out);
  base_close(&b);
  return line;
}

static alch_value words(const char *text) {
  return alch_value_text(text, strlen(text));
}

CASE("what others stored is read, or refused with what was expected") {
  const alch_type truth = ALCH_TYPE_PLAIN(ALCH_TYPE_BOOLEAN), moment = ALCH_TYPE_PLAIN(ALCH_TYPE_DATETIME), day = ALCH_TYPE_PLAIN(ALCH_TYPE_DATE), uuid = ALCH_TYPE_PLAIN(ALCH_TYPE_UUID);
  alch_type money = ALCH_TYPE_PLAIN(ALCH_TYPE_NUMERIC), number = ALCH_TYPE_PLAIN(ALCH_TYPE_NUMERIC), colour = ALCH_TYPE_PLAIN(ALCH_TYPE_ENUM);
  const char *const items[] = { "red" };
  money.precision = 10;
  money.scale = 2;
  number.as_number = true;
  colour.items = items;
  colour.item_count = 1;
  CHECK_TEXT(loaded(&truth, alch_value_integer(1)), "true");
  CHECK_TEXT(loaded(&truth, alch_value_integer(2)), "DataError: the database holds the integer 2 where a Boolean stands, which is 0 or 1");
  CHECK_TEXT(loaded(&moment, words("2024-02-29 13:14:15")), "2024-02-29 13:14:15");
  CHECK_TEXT(loaded(&moment, words("2024-02-29T13:14:15.5Z")), "2024-02-29 13:14:15.500000");
  CHECK_TEXT(loaded(&moment, words("2024-02-29 13:14:15+02:00")), "2024-02-29 11:14:15");
  CHECK(strncmp(loaded(&moment, alch_value_integer(1709212455)), "DataError: the database holds the integer 1709212455 where a DateTime stands", 60) == 0);
  CHECK_TEXT(loaded(&day, words("2024-02-29 00:00:00.000000")), "2024-02-29");
  CHECK(strncmp(loaded(&day, words("2024-02-29 00:00:01")), "DataError", 9) == 0);
  CHECK_TEXT(loaded(&money, alch_value_integer(5)), "5.00");
  CHECK_TEXT(loaded(&money, alch_value_real(0.1)), "0.10");
  CHECK_TEXT(loaded(&money, alch_value_real(0.125)), "0.125");
  CHECK_TEXT(loaded(&money, words("1.5")), "1.50");
  CHECK(strncmp(loaded(&money, words("many")), "DataError", 9) == 0);
  CHECK_TEXT(loaded(&number, alch_value_integer(5)), "5.0");
  CHECK_TEXT(loaded(&number, words("1.5")), "1.5");
  CHECK_TEXT(loaded(&uuid, words("0123456789ABCDEF0123456789abcdef")), "'01234567-89ab-cdef-0123-456789abcdef'");
  CHECK(strncmp(loaded(&uuid, words("x")), "DataError", 9) == 0);
  CHECK_TEXT(loaded(&colour, words("red")), "'red'");
  CHECK(strncmp(loaded(&colour, words("blue")), "DataError", 9) == 0);
}

CASE("plain columns are not converted") {
  static const uint8_t families[] = { ALCH_TYPE_INTEGER, ALCH_TYPE_BIG_INTEGER, ALCH_TYPE_STRING, ALCH_TYPE_TEXT, ALCH_TYPE_DOUBLE, ALCH_TYPE_FLOAT, ALCH_TYPE_LARGE_BINARY };
  const alch_type json = ALCH_TYPE_PLAIN(ALCH_TYPE_JSON);
  const alch_dialect *dialect = alch_dialect_find("sqlite");
  for (size_t i = 0; i < ALCH_COUNT(families); i++) {
    const alch_type type = ALCH_TYPE_PLAIN(families[i]);
    CHECK(!dialect->converts(&type, true));
    CHECK(!dialect->converts(&type, false));
  }
  CHECK(!dialect->converts(&json, false));
}

/* A document in a column is stored as `kind` of `number`; compared, as its text. */
static void check_document(const char *text, uint8_t kind, double number) {
  const alch_type json = ALCH_TYPE_PLAIN(ALCH_TYPE_JSON);
  alch_value stored = words(text), compared = stored;
  alch_error error;
  alch_error_init(&error, NULL);
  CHECK_INT(alch_dialect_store(alch_dialect_find("sqlite"), &json, false, &compared, NULL, &error), ALCH_OK);
  CHECK(compared.kind == ALCH_TEXT && compared.text == text);
  CHECK_INT(alch_dialect_store(alch_dialect_find("sqlite"), &json, true, &stored, NULL, &error), ALCH_OK);
  CHECK_INT(stored.kind, kind);
  if (kind == ALCH_TEXT) CHECK(stored.text == text);
  if (kind == ALCH_INTEGER) CHECK(stored.integer == (int64_t)number);
  if (kind == ALCH_REAL) CHECK_REAL(stored.real, number);
}

CASE("a document that is a number alone is stored as that number") {
  check_document("7", ALCH_INTEGER, 7);
  check_document("-9223372036854775808", ALCH_INTEGER, -9223372036854775808.0);
  check_document("2.0", ALCH_REAL, 2);
  check_document("-1.8863689330435201e-300", ALCH_REAL, -1.8863689330435201e-300);
  check_document("1E5", ALCH_REAL, 1e5);
  check_document("100000000000000000000", ALCH_REAL, 1e20);
  check_document("\"7\"", ALCH_TEXT, 0);
  check_document("[7]", ALCH_TEXT, 0);
  check_document("{}", ALCH_TEXT, 0);
  check_document("null", ALCH_TEXT, 0);
  check_document("true", ALCH_TEXT, 0);
  const alch_type json = ALCH_TYPE_PLAIN(ALCH_TYPE_JSON);
  alch_value large = words("18446744073709551615");
  alch_error error;
  alch_error_init(&error, NULL);
  CHECK_INT(alch_dialect_store(alch_dialect_find("sqlite"), &json, true, &large, NULL, &error), ALCH_ERROR);
  CHECK(error.kind == ALCH_ERROR_DATA);
  alch_error_close(&error);
}

/* ---- one file for both ---- */

static const char python[] =
  "import sys, warnings, datetime, decimal\n"
  "warnings.simplefilter('ignore')\n"
  "from sqlalchemy import *\n"
  "e = create_engine('sqlite:///' + sys.argv[1])\n"
  "t = Table('t', MetaData(), Column('id', Integer, primary_key=True), Column('a', Date), Column('b', Time), Column('c', DateTime), Column('d', Interval), Column('e', Boolean),\n"
  "  Column('f', Numeric(10, 2)))\n"
  "with e.begin() as c:\n"
  "  print(*c.execute(select(t)).first(), sep='|')\n"
  "  c.execute(t.insert(), dict(id=2, a=datetime.date(1999, 12, 31), b=datetime.time(1, 2, 3, 4), c=datetime.datetime(2001, 2, 3, 4, 5, 6, 7),\n"
  "    d=datetime.timedelta(days=-1, microseconds=5), e=False, f=decimal.Decimal('12345678.25')))\n";

static const uint8_t shared_families[] = { ALCH_TYPE_DATE, ALCH_TYPE_TIME, ALCH_TYPE_DATETIME, ALCH_TYPE_INTERVAL, ALCH_TYPE_BOOLEAN, ALCH_TYPE_NUMERIC };

static alch_type shared_type(size_t i) {
  alch_type type = ALCH_TYPE_PLAIN(shared_families[i]);
  if (type.family == ALCH_TYPE_NUMERIC) {
    type.precision = 10;
    type.scale = 2;
  }
  return type;
}

static void write_file(base *b) {
  static const char *const texts[] = { "2024-02-29", "13:14:15.5", "2024-02-29 13:14:15.000001", "P1DT2H", NULL, "1.5" };
  sqlite3_stmt *statement;
  CHECK_INT(sqlite3_exec(b->database, "CREATE TABLE t (id INTEGER NOT NULL, a DATE, b TIME, c DATETIME, d DATETIME, e BOOLEAN, f NUMERIC(10, 2), PRIMARY KEY (id))", NULL, NULL, NULL), SQLITE_OK);
  CHECK_INT(sqlite3_prepare_v2(b->database, "INSERT INTO t VALUES (1, ?, ?, ?, ?, ?, ?)", -1, &statement, NULL), SQLITE_OK);
  for (size_t i = 0; i < ALCH_COUNT(shared_families); i++) {
    const alch_type type = shared_type(i);
    alch_value value = texts[i] ? words(texts[i]) : alch_value_boolean(true);
    CHECK_INT(alch_type_coerce(&type, &value, &b->scratch, &b->error), ALCH_OK);
    alch_buffer other;
    alch_buffer_init(&other, &alch_allocator_standard);
    CHECK_INT(b->dialect->to_database(&type, &value, &other, &b->error), ALCH_OK);
    store(b, statement, (int)i + 1, &value);
    alch_buffer_close(&other);
  }
  CHECK_INT(sqlite3_step(statement), SQLITE_DONE);
  sqlite3_finalize(statement);
}

static void read_file(base *b) {
  static const char *const expected[] = { "1999-12-31", "01:02:03.000004", "2001-02-03 04:05:06.000007", NULL, "false", "12345678.25" };
  alch_buffer_clear(&b->text);
  alch_buffer_add(&b->text, "SELECT a, b, c, d, e, f FROM t WHERE id = 2");
  sqlite3_stmt *row = base_row(b);
  for (size_t i = 0; row && i < ALCH_COUNT(shared_families); i++) {
    const alch_type type = shared_type(i);
    alch_value value = column_value(row, (int)i);
    if (!expected[i]) {
      CHECK_INT(b->dialect->from_database(&type, &value, &b->scratch, &b->error), ALCH_OK);
      CHECK_INT(value.integer, -ALCH_MICROSECONDS_PER_DAY + 5);
    } else {
      CHECK_TEXT(loaded(&type, value), expected[i]);
    }
  }
  sqlite3_finalize(row);
}

CASE("SQLAlchemy reads our files, and we read its") {
  char path[] = "/tmp/alch_dialect_XXXXXX", command[4096], line[256] = "";
  base b;
  if (system("/usr/bin/python3 -c 'import sqlalchemy' 2>/dev/null") != 0) {
    check_skip("there is no SQLAlchemy for /usr/bin/python3 (Debian: python3-sqlalchemy)");
    return;
  }
  int file = mkstemp(path);
  if (!CHECK(file >= 0)) return;
  close(file);
  base_open(&b);
  sqlite3_close(b.database);
  CHECK_INT(sqlite3_open(path, &b.database), SQLITE_OK);
  write_file(&b);
  snprintf(command, sizeof command, "/usr/bin/python3 - %s <<'END'\n%s\nEND", path, python);
  FILE *pipe = popen(command, "r");
  if (CHECK(pipe != NULL)) {
    CHECK(fgets(line, sizeof line, pipe) != NULL);
    CHECK_INT(pclose(pipe), 0);
  }
  CHECK_TEXT(line, "1|2024-02-29|13:14:15.500000|2024-02-29 13:14:15.000001|1 day, 2:00:00|True|1.50\n");
  read_file(&b);
  base_close(&b);
  unlink(path);
}
