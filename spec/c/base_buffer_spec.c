#include "base_faults.h"
#include "base/buffer.h"
#include "base/real.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CASE("an empty buffer is the empty text") {
  alch_buffer buffer;
  alch_buffer_init(&buffer, &alch_allocator_standard);
  CHECK_TEXT(alch_buffer_text(&buffer), "");
  CHECK(!alch_buffer_failed(&buffer));
  alch_buffer_add_bytes(&buffer, NULL, 0);
  CHECK_TEXT(alch_buffer_text(&buffer), "");
  alch_buffer_close(&buffer);
}

CASE("everything appended stands in order") {
  alch_buffer buffer;
  alch_buffer_init(&buffer, &alch_allocator_standard);
  alch_buffer_add(&buffer, "select ");
  alch_buffer_add_char(&buffer, '(');
  alch_buffer_add_integer(&buffer, INT64_MIN);
  alch_buffer_add_char(&buffer, ' ');
  alch_buffer_add_integer(&buffer, INT64_MAX);
  alch_buffer_add_char(&buffer, ' ');
  alch_buffer_add_integer(&buffer, 0);
  alch_buffer_add_format(&buffer, " %s=%d", "x", -5);
  alch_buffer_add_bytes(&buffer, ")ignored", 1);
  CHECK_TEXT(alch_buffer_text(&buffer), "select (-9223372036854775808 9223372036854775807 0 x=-5)");
  alch_buffer_insert(&buffer, 0, "-- ", 3);
  alch_buffer_insert(&buffer, buffer.length, "!", 1);
  alch_buffer_insert(&buffer, 3, "re", 2);
  CHECK_TEXT(alch_buffer_text(&buffer), "-- reselect (-9223372036854775808 9223372036854775807 0 x=-5)!");
  alch_buffer_clear(&buffer);
  CHECK_TEXT(alch_buffer_text(&buffer), "");
  alch_buffer_close(&buffer);
}

CASE("formats of any length come out whole") {
  alch_buffer buffer;
  alch_buffer_init(&buffer, &alch_allocator_standard);
  char expected[700];
  for (int width = 1; width < 600; width += 1) {
    alch_buffer_clear(&buffer);
    alch_buffer_add(&buffer, "|");
    alch_buffer_add_format(&buffer, "%*d", width, 42);
    snprintf(expected, sizeof expected, "|%*d", width, 42);
    if (!CHECK_TEXT(alch_buffer_text(&buffer), expected)) break;
    CHECK_INT(buffer.length, strlen(expected));
  }
  alch_buffer_close(&buffer);
}

CASE("a reserve is filled by its caller") {
  alch_buffer buffer;
  alch_buffer_init(&buffer, &alch_allocator_standard);
  char *room = alch_buffer_reserve(&buffer, 1000);
  memset(room, 'x', 1000);
  buffer.length += 3;
  CHECK_TEXT(alch_buffer_text(&buffer), "xxx");
  CHECK(alch_buffer_reserve(&buffer, SIZE_MAX) == NULL);
  CHECK(alch_buffer_failed(&buffer));
  alch_buffer_add(&buffer, "more");
  CHECK_TEXT(alch_buffer_text(&buffer), "xxx");
  alch_buffer_close(&buffer);
}

CASE("random edits agree with a plain array") {
  static char model[200000];
  size_t length = 0;
  alch_buffer buffer;
  alch_buffer_init(&buffer, &alch_allocator_standard);
  for (int i = 0; i < 3000; i++) {
    char piece[40];
    size_t size = check_random_below(sizeof piece), at = check_random_below(length + 1);
    for (size_t j = 0; j < size; j++) piece[j] = (char)check_random_below(256);
    if (check_random_below(3) > 0) at = length;
    memmove(model + at + size, model + at, length - at);
    memcpy(model + at, piece, size);
    length += size;
    if (at + size == length) alch_buffer_add_bytes(&buffer, piece, size);
    else alch_buffer_insert(&buffer, at, piece, size);
  }
  CHECK_INT(buffer.length, length);
  CHECK(memcmp(alch_buffer_text(&buffer), model, length) == 0);
  alch_buffer_close(&buffer);
}

static bool build_text(const alch_allocator *allocator) {
  alch_buffer buffer;
  alch_buffer_init(&buffer, allocator);
  size_t whole = 0;
  bool structure = true;
  for (int i = 0; i < 200; i++) {
    alch_buffer_add_format(&buffer, "%d:", i);
    alch_buffer_add(&buffer, "some text of some length, ");
    alch_buffer_insert(&buffer, 0, "<", 1);
    structure = structure && strlen(alch_buffer_text(&buffer)) == buffer.length;
    if (alch_buffer_failed(&buffer) && whole == 0) whole = buffer.length;
    structure = structure && (!alch_buffer_failed(&buffer) || buffer.length == whole);
  }
  CHECK(structure);
  size_t length, capacity;
  char *text = alch_buffer_detach(&buffer, &length, &capacity);
  if (text) CHECK_INT(strlen(text), length);
  alch_free(allocator, text, text ? capacity : 0);
  alch_buffer_close(&buffer);
  return text != NULL;
}

CASE("a buffer without memory is dead, and no more than that") {
  survive_faults(build_text);
}

CASE("a cleared buffer forgets its failure") {
  alch_fault_allocator fault;
  alch_fault_allocator_init(&fault);
  fault.fail_at = 1;
  alch_buffer buffer;
  alch_buffer_init(&buffer, &fault.allocator);
  alch_buffer_add(&buffer, "lost");
  CHECK(alch_buffer_failed(&buffer));
  CHECK_TEXT(alch_buffer_text(&buffer), "");
  alch_buffer_clear(&buffer);
  alch_buffer_add(&buffer, "kept");
  CHECK_TEXT(alch_buffer_text(&buffer), "kept");
  alch_buffer_close(&buffer);
}

static void check_printed(size_t (*print)(double, char *), double real, const char *expected) {
  char text[ALCH_REAL_TEXT_SIZE];
  CHECK_INT(print(real, text), strlen(expected));
  CHECK_TEXT(text, expected);
}

static void check_real_text(double real, const char *expected) { check_printed(alch_real_print, real, expected); }
static void check_whole_text(double real, const char *expected) { check_printed(alch_real_print_whole, real, expected); }

CASE("reals are printed as short as they can be") {
  check_real_text(0.0, "0.0");
  check_real_text(-0.0, "-0.0");
  check_real_text(1, "1.0");
  check_real_text(0.1, "0.1");
  check_real_text(-1234.5, "-1234.5");
  check_real_text(1e15, "1000000000000000.0");
  check_real_text(1e16, "1e+16");
  check_real_text(0.0001, "0.0001");
  check_real_text(0.00001, "1e-05");
  check_real_text(5e-324, "5e-324");
  check_real_text(1.7976931348623157e308, "1.7976931348623157e+308");
  check_real_text(-2.2250738585072014e-308, "-2.2250738585072014e-308");
  check_real_text((double)INFINITY, "inf");
  check_real_text((double)-INFINITY, "-inf");
  check_real_text((double)NAN, "nan");
}

CASE("reals below 1e19 can be printed with a point and no exponent") {
  check_whole_text(0.0, "0.0");
  check_whole_text(-0.0, "-0.0");
  check_whole_text(1e16, "10000000000000000.0");
  check_whole_text(-1.4442852028034835e17, "-144428520280348350.0");
  check_whole_text(9223372036854775808.0, "9223372036854776000.0");
  check_whole_text(9.999999999999998e18, "9999999999999998000.0");
  check_whole_text(1e19, "1e+19");
  check_whole_text(5e-324, "5e-324");
  check_whole_text(0.00001, "1e-05");
}

CASE("a text has the shortest digits of a real, or others") {
  static const struct { double real; const char *text; bool has; } cases[] = {
    { 1e20, "100000000000000000000", true }, { -1e23, "-100000000000000000000000", true }, { 18446744073709551615.0, "18446744073709551615", false },
    { 18446744073709551615.0, "18446744073709552000", true }, { 1.05, "1.05", true }, { 1.05, "001.0500", true }, { 1.05, "1.005", false }, { 1.5, "1.05", false },
    { 105, "15", false }, { 15, "105", false }, { 1, "11", false }, { 11, "1", false }, { 0, "0.00", true }, { 0, "1", false }, { 1, "0", false },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) CHECK(alch_real_has_digits(cases[i].real, cases[i].text, strlen(cases[i].text)) == cases[i].has);
}

static double random_real(void) {
  uint64_t bits = check_random();
  double real;
  memcpy(&real, &bits, sizeof real);
  if (!isfinite(real) || check_random_below(2)) real = (double)(int64_t)check_random_below(1000000000) / 1000;
  return real;
}

/* One digit fewer must read back as another double. */
static bool is_shortest(double real) {
  alch_real_digits digits;
  char shorter[40];
  if (!alch_real_to_digits(real, &digits) || digits.count == 1) return true;
  snprintf(shorter, sizeof shorter, "%.*e", digits.count - 2, real);
  return strtod(shorter, NULL) != real;
}

CASE("random reals come back the same, and no shorter text does it") {
  for (int i = 0; i < 100000; i++) {
    double real = random_real(), back = 0;
    char text[ALCH_REAL_TEXT_SIZE];
    size_t length = alch_real_print(real, text);
    if (!CHECK(alch_real_parse(text, length, &back)) || !CHECK_REAL(back, real)) return;
    if (!CHECK_REAL(strtod(text, NULL), real) || !CHECK(is_shortest(real))) return;
  }
}

CASE("long digits are read as strtod reads them") {
  for (int i = 0; i < 20000; i++) {
    char text[1500];
    double real = random_real(), back = 0;
    snprintf(text, sizeof text, i % 2 ? "%.1080f" : "%.900e", real);
    if (i % 3 == 0) text[check_random_below(strlen(text) - 5)] = '7';
    if (!strchr(text, '.')) continue;
    if (!CHECK(alch_real_parse(text, strlen(text), &back)) || !CHECK_REAL(back, strtod(text, NULL))) return;
  }
}

CASE("what is no real is refused") {
  static const char *const bad[] = { "", "-", ".", "e5", "1e", "1e+", "1x", " 1", "1 ", "0x10", "1.2.3", "--1", "1,5", "in", "nano", "1e5.0", "+-1" };
  static const struct { const char *text; double real; } good[] = {
    { "5.", 5 }, { ".5", 0.5 }, { "+1e3", 1000 }, { "-1E-3", -0.001 }, { "1e999", (double)INFINITY }, { "1e-999", 0 },
    { "-Infinity", (double)-INFINITY }, { "NaN", (double)NAN }, { "INF", (double)INFINITY }, { "0e99999999999999999999", 0 }, { "00012", 12 },
  };
  double real;
  for (size_t i = 0; i < ALCH_COUNT(bad); i++)
    if (!CHECK(!alch_real_parse(bad[i], strlen(bad[i]), &real))) CHECK_TEXT(bad[i], "refused");
  for (size_t i = 0; i < ALCH_COUNT(good); i++)
    if (CHECK(alch_real_parse(good[i].text, strlen(good[i].text), &real))) CHECK_REAL(real, good[i].real);
}

CASE("a locale with a decimal comma changes nothing") {
  static const char *const commas[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8" };
  bool found = false;
  for (size_t i = 0; !found && i < ALCH_COUNT(commas); i++) found = setlocale(LC_NUMERIC, commas[i]) != NULL;
  if (!found) {
    check_skip("no locale with a decimal comma is installed");
    return;
  }
  double real = 0;
  check_real_text(1234.5, "1234.5");
  check_real_text(1.5e300, "1.5e+300");
  CHECK(alch_real_parse("1234.5", 6, &real));
  CHECK_REAL(real, 1234.5);
  setlocale(LC_NUMERIC, "C");
}
