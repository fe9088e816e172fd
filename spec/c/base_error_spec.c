#include "base_faults.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/value.h"
#include <string.h>

CASE("kinds form SQLAlchemy's tree") {
  CHECK_TEXT(alch_error_kind_name(ALCH_ERROR_INTEGRITY), "IntegrityError");
  CHECK_INT(alch_error_kind_find("NoResultFound"), ALCH_ERROR_NO_RESULT_FOUND);
  CHECK_INT(alch_error_kind_find("Nonsense"), -1);
  CHECK(alch_error_kind_is(ALCH_ERROR_INTEGRITY, ALCH_ERROR_DBAPI));
  CHECK(alch_error_kind_is(ALCH_ERROR_INTEGRITY, ALCH_ERROR_BASE));
  CHECK(alch_error_kind_is(ALCH_ERROR_INTEGRITY, ALCH_ERROR_INTEGRITY));
  CHECK(!alch_error_kind_is(ALCH_ERROR_DBAPI, ALCH_ERROR_INTEGRITY));
  CHECK(!alch_error_kind_is(ALCH_ERROR_INTEGRITY, ALCH_ERROR_OPERATIONAL));
  CHECK_TEXT(alch_error_kind_name((alch_error_kind)999), "Error");
}

CASE("every kind has one name and comes under the root") {
  for (int kind = 0; kind < ALCH_ERROR_KIND_COUNT; kind++) {
    CHECK_INT(alch_error_kind_find(alch_error_kind_name((alch_error_kind)kind)), kind);
    CHECK((int)alch_error_kind_base((alch_error_kind)kind) < kind || kind == ALCH_ERROR_BASE);
    CHECK(alch_error_kind_is((alch_error_kind)kind, ALCH_ERROR_BASE));
  }
}

CASE("a new error replaces the old one and may quote it") {
  alch_error error;
  alch_error_init(&error, NULL);
  CHECK_TEXT(alch_error_message(&error), "");
  CHECK_INT(alch_error_set(&error, ALCH_ERROR_DATA, "bad %s", "value"), ALCH_ERROR);
  error.code = 19;
  error.disconnected = true;
  memcpy(error.sqlstate, "23505", 6);
  alch_error_attach(&error, ALCH_ERROR_SQL, "select\0 1", 9);
  alch_error_attach(&error, ALCH_ERROR_SQL, "select 22", SIZE_MAX);
  CHECK_TEXT(error.texts[ALCH_ERROR_SQL], "select 22");
  alch_error_set(&error, ALCH_ERROR_FLUSH, "%s; while flushing", alch_error_message(&error));
  CHECK_TEXT(alch_error_message(&error), "bad value; while flushing");
  CHECK_INT(error.kind, ALCH_ERROR_FLUSH);
  CHECK_INT(error.code, 0);
  CHECK(!error.disconnected && error.sqlstate[0] == '\0' && !error.texts[ALCH_ERROR_SQL]);
  alch_error_close(&error);
  CHECK(!error.set);
  alch_error_attach(&error, ALCH_ERROR_SQL, "nothing is set", SIZE_MAX);
  CHECK(!error.texts[ALCH_ERROR_SQL]);
}

CASE("a copy says all that the error says") {
  alch_error error, copy;
  alch_error_init(&error, NULL);
  alch_error_init(&copy, NULL);
  alch_error_set(&error, ALCH_ERROR_DATA, "bad %s", "value");
  error.code = 19;
  error.row = 7;
  error.disconnected = error.retryable = error.outcome_unknown = true;
  memcpy(error.sqlstate, "22P02", 6);
  alch_error_attach(&error, ALCH_ERROR_COLUMN_NAME, "age", SIZE_MAX);
  CHECK_INT(alch_error_copy(&copy, &error), ALCH_ERROR);
  alch_error_close(&error);
  CHECK_TEXT(alch_error_message(&copy), "bad value");
  CHECK_TEXT(copy.texts[ALCH_ERROR_COLUMN_NAME], "age");
  CHECK_TEXT(copy.sqlstate, "22P02");
  CHECK(copy.kind == ALCH_ERROR_DATA && copy.code == 19 && copy.row == 7 && copy.disconnected && copy.retryable && copy.outcome_unknown);
  alch_error_close(&copy);
}

CASE("nobody need listen") {
  CHECK_INT(alch_error_set(NULL, ALCH_ERROR_DATA, "x"), ALCH_ERROR);
  CHECK_INT(alch_error_out_of_memory(NULL), ALCH_ERROR);
  alch_error_attach(NULL, ALCH_ERROR_SQL, "x", 1);
  CHECK_TEXT(alch_error_message(NULL), "");
}

static bool set_errors(const alch_allocator *allocator) {
  alch_error error;
  alch_error_init(&error, allocator);
  alch_error_set(&error, ALCH_ERROR_DATA, "first %d", 1);
  alch_error_attach(&error, ALCH_ERROR_TABLE_NAME, "users", SIZE_MAX);
  alch_error_set(&error, ALCH_ERROR_INTEGRITY, "%0200d", 2);
  alch_error_attach(&error, ALCH_ERROR_COLUMN_NAME, "name", 4);
  bool passed = error.kind == ALCH_ERROR_INTEGRITY;
  CHECK(error.set);
  if (!passed) CHECK_INT(error.kind, ALCH_ERROR_OUT_OF_MEMORY);
  CHECK_TEXT(passed ? "out of memory" : alch_error_message(&error), "out of memory");
  alch_error_close(&error);
  return passed;
}

CASE("an error without memory says so, and nothing leaks") {
  for (uint64_t fail_at = 0; fail_at < 12; fail_at++) {
    alch_fault_allocator fault;
    alch_fault_allocator_init(&fault);
    fault.fail_at = fail_at;
    CHECK(set_errors(&fault.allocator) || fault.failures > 0);
    CHECK_INT(fault.live_blocks, 0);
    CHECK_INT(fault.wrong_sizes, 0);
  }
  alch_error error;
  alch_error_init(&error, NULL);
  alch_error_out_of_memory(&error);
  CHECK_TEXT(alch_error_message(&error), "out of memory");
}

static void check_print(alch_value value, size_t limit, const char *expected) {
  alch_buffer buffer;
  alch_buffer_init(&buffer, &alch_allocator_standard);
  alch_value_print(&value, &buffer, limit);
  CHECK_TEXT(alch_buffer_text(&buffer), expected);
  alch_buffer_close(&buffer);
}

static alch_value typed(alch_value_kind kind, int64_t integer) {
  return (alch_value){ .kind = (uint8_t)kind, .integer = integer };
}

static alch_value bytes(const char *text, uint32_t length) {
  return (alch_value){ .kind = ALCH_BLOB, .length = length, .text = text };
}

CASE("values print as a reader wants them") {
  check_print(ALCH_VALUE_NULL, 0, "NULL");
  check_print(alch_value_integer(-5), 0, "-5");
  check_print(alch_value_real(0.1), 0, "0.1");
  check_print(alch_value_boolean(true), 0, "true");
  check_print(alch_value_text("it's\n", 5), 0, "'it''s\\x0a'");
  check_print(alch_value_text("", 0), 3, "''");
  check_print(alch_value_text("abcdef", 6), 6, "'abcdef'");
  check_print(alch_value_text("abcdef", 6), 3, "'abc'... (6 bytes)");
  check_print(alch_value_text("a\xc3\xa9z", 4), 2, "'a'... (4 bytes)");
  check_print(bytes("\0\xff", 2), 0, "x'00ff'");
  check_print(bytes("\0\xff", 2), 1, "x'00'... (2 bytes)");
  check_print(typed(ALCH_DATE, 0), 0, "1970-01-01");
  check_print(typed(ALCH_TIME, 1), 0, "00:00:00.000001");
  check_print(typed(ALCH_DATETIME, -1), 0, "1969-12-31 23:59:59.999999");
  check_print(typed(ALCH_INTERVAL, INT64_C(90061000000)), 0, "1 day 01:01:01");
  check_print(typed(ALCH_LIST, 3), 0, "(3 values)");
  check_print(typed(ALCH_HOST, 3), 0, "<host value>");
  check_print((alch_value){ .kind = ALCH_DECIMAL, .length = 4, .text = "1.50" }, 0, "1.50");
  check_print(typed((alch_value_kind)200, 3), 0, "<unknown>");
}

CASE("values are equal in kind and content") {
  alch_value one = alch_value_integer(1), yes = alch_value_boolean(true), null = ALCH_VALUE_NULL, other = ALCH_VALUE_NULL;
  alch_value a = alch_value_text("a\0b", 3), b = alch_value_text("a\0c", 3), empty = alch_value_text(NULL, 0);
  alch_value zero = alch_value_real(0.0), minus = alch_value_real(-0.0);
  other.integer = 7;
  CHECK(alch_value_equal(&one, &one));
  CHECK(!alch_value_equal(&one, &yes));
  CHECK(alch_value_equal(&null, &other));
  CHECK(alch_value_equal(&a, &a) && !alch_value_equal(&a, &b) && !alch_value_equal(&a, &empty));
  CHECK(alch_value_equal(&empty, &empty));
  CHECK(!alch_value_equal(&zero, &minus));
  CHECK_TEXT(alch_value_kind_name(ALCH_DATETIME), "datetime");
}
