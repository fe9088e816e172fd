#include "base/decimal.h"
#include "check.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The oracle: school arithmetic on lists of decimal digits, the lowest first, all at a scale that the caller keeps in mind. */
enum { PLACES = 240 };

typedef struct naive {
  signed char digit[PLACES];
} naive;

static naive naive_read(const char *text, int scale) {
  naive out = { { 0 } };
  const char *point = strchr(text, '.');
  int behind = point ? (int)strlen(point + 1) : 0, place = scale - behind;
  for (const char *at = text + strlen(text); at-- > text;)
    if (*at >= '0' && *at <= '9') out.digit[place++] = (signed char)(*at - '0');
  return out;
}

static naive naive_shift(const naive *number, int places) {
  naive out = { { 0 } };
  memcpy(out.digit + places, number->digit, (size_t)(PLACES - places));
  return out;
}

static int naive_compare(const naive *left, const naive *right) {
  for (int i = PLACES - 1; i >= 0; i--)
    if (left->digit[i] != right->digit[i]) return left->digit[i] < right->digit[i] ? -1 : 1;
  return 0;
}

static void naive_carry(int *places, naive *out) {
  for (int i = 0, carry = 0; i < PLACES; i++) {
    int sum = places[i] + carry;
    carry = sum >= 0 ? sum / 10 : -((9 - sum) / 10);
    out->digit[i] = (signed char)(sum - carry * 10);
  }
}

/* left + factor * right; not below zero. */
static naive naive_add(const naive *left, const naive *right, int factor) {
  int places[PLACES];
  naive out;
  for (int i = 0; i < PLACES; i++) places[i] = left->digit[i] + factor * right->digit[i];
  naive_carry(places, &out);
  return out;
}

static naive naive_multiply(const naive *left, const naive *right) {
  int places[PLACES] = { 0 };
  naive out;
  for (int i = 0; i < PLACES; i++)
    for (int j = 0; left->digit[i] != 0 && j < PLACES - i; j++) places[i + j] += left->digit[i] * right->digit[j];
  naive_carry(places, &out);
  return out;
}

static int naive_length(const naive *number) {
  int length = PLACES;
  while (length > 0 && number->digit[length - 1] == 0) length--;
  return length;
}

/* Writes the number at the largest scale, from `natural` down, at which it has a place; false when there is none. */
static bool naive_print(const naive *number, int scale, int natural, bool negative, char *out) {
  int last = 0, length = naive_length(number);
  while (last < length && number->digit[last] == 0) last++;
  int shown = natural > 38 ? 38 : natural;
  while (shown > 0 && length - (scale - shown) > 38) shown--;
  if (length - (scale - shown) > 38 || (length > 0 && last < scale - shown)) return false;
  if (negative && length > 0) *out++ = '-';
  for (int i = length > scale ? length - 1 : scale; i >= scale - shown; i--) {
    if (i == scale - 1) *out++ = '.';
    *out++ = (char)('0' + number->digit[i]);
  }
  *out = '\0';
  return true;
}

/* A canonical text of at most 38 digits, often near the borders. */
static void random_text(char *out) {
  int digits = 1 + (int)check_random_below(check_random_below(2) ? 38 : 8), scale = (int)check_random_below((uint64_t)digits + 1);
  if (check_random_below(6) == 0) scale = digits + (int)check_random_below(39 - (uint64_t)digits);
  uint64_t style = check_random_below(6);
  bool zero = true;
  char *start = out + 1;
  *out = '-';
  for (int i = digits > scale ? digits : scale + 1; i > 0; i--) {
    char c = (char)('0' + (style == 0 ? 9 : style == 1 ? 0 : check_random_below(10)));
    if (i > digits || (i == digits && digits > scale + 1 && c == '0')) c = i > digits ? '0' : '1';
    if (i == scale) *++out = '.';
    *++out = c;
    zero = zero && c == '0';
  }
  out[1] = '\0';
  if (zero || check_random_below(2)) memmove(start - 1, start, strlen(start) + 1);
}

static alch_decimal read_decimal(const char *text) {
  alch_decimal decimal = { 0 };
  if (!CHECK_INT(alch_decimal_parse(&decimal, text, strlen(text), NULL), ALCH_OK)) CHECK_TEXT(text, "read");
  return decimal;
}

static int scale_of(const char *text) {
  const char *point = strchr(text, '.');
  return point ? (int)strlen(point + 1) : 0;
}

static bool check_result(alch_status status, const alch_decimal *out, bool fits, const char *expected) {
  char text[ALCH_DECIMAL_TEXT_SIZE];
  if (!CHECK_INT(status, fits ? ALCH_OK : ALCH_ERROR)) return false;
  if (!fits) return true;
  size_t length = alch_decimal_print(out, text);
  CHECK_INT(length, strlen(text));
  return CHECK_TEXT(text, expected);
}

CASE("canonical text comes back the same") {
  for (int i = 0; i < 50000; i++) {
    char text[100];
    random_text(text);
    alch_decimal decimal = read_decimal(text);
    if (!check_result(ALCH_OK, &decimal, true, text)) return;
  }
}

static bool check_sum(const char *a, const char *b, bool minus) {
  naive left = naive_read(a, 38), right = naive_read(b, 38), sum;
  bool left_negative = *a == '-', right_negative = (*b == '-') != minus, negative = left_negative;
  if (left_negative == right_negative) {
    sum = naive_add(&left, &right, 1);
  } else if (naive_compare(&left, &right) >= 0) {
    sum = naive_add(&left, &right, -1);
  } else {
    sum = naive_add(&right, &left, -1);
    negative = right_negative;
  }
  char expected[200];
  int natural = scale_of(a) > scale_of(b) ? scale_of(a) : scale_of(b);
  bool fits = naive_print(&sum, 38, natural, negative, expected);
  alch_decimal x = read_decimal(a), y = read_decimal(b), out = { 0 };
  alch_status status = (minus ? alch_decimal_subtract : alch_decimal_add)(&out, &x, &y, NULL);
  return check_result(status, &out, fits, expected);
}

static bool check_product(const char *a, const char *b) {
  naive left = naive_read(a, 38), right = naive_read(b, 38), product = naive_multiply(&left, &right);
  char expected[200];
  bool fits = naive_print(&product, 76, scale_of(a) + scale_of(b), (*a == '-') != (*b == '-'), expected);
  alch_decimal x = read_decimal(a), y = read_decimal(b), out = { 0 };
  return check_result(alch_decimal_multiply(&out, &x, &y, NULL), &out, fits, expected);
}

CASE("sums, differences and products agree with school arithmetic") {
  for (int i = 0; i < 50000; i++) {
    char a[100], b[100];
    random_text(a);
    random_text(b);
    if (!check_sum(a, b, false) || !check_sum(a, b, true) || (i % 3 == 0 && !check_product(a, b))) {
      CHECK_TEXT(a, b);
      return;
    }
  }
}

/* A quotient by its definition: 2 * |a - q * b| is at most one last place of q times b; where it is just that, q is even. */
static bool check_quotient(const char *a, const char *b, int scale, const alch_decimal *out) {
  char q[ALCH_DECIMAL_TEXT_SIZE];
  size_t length = alch_decimal_print(out, q);
  naive left = naive_read(a, 76), right = naive_read(b, 38), quotient = naive_read(q, 38);
  naive product = naive_multiply(&quotient, &right), rest;
  if (naive_compare(&left, &product) >= 0) rest = naive_add(&left, &product, -1);
  else rest = naive_add(&product, &left, -1);
  rest = naive_add(&rest, &rest, 1);
  naive place = naive_shift(&right, 38 - scale);
  int order = naive_compare(&rest, &place);
  bool sign = naive_length(&quotient) == 0 ? *q != '-' : (*q == '-') == ((*a == '-') != (*b == '-'));
  return CHECK_INT(out->scale, scale) && CHECK(order < 0 || (order == 0 && (q[length - 1] - '0') % 2 == 0)) && CHECK(sign);
}

/* It failed: then q + 1/2 in the last place reaches 10^38 of them. */
static bool check_no_quotient(const char *a, const char *b, int scale) {
  naive left = naive_read(a, 76), right = naive_read(b, 38);
  naive half = naive_shift(&right, 38 - scale), most = naive_shift(&right, 76 - scale);
  left = naive_add(&left, &left, 1);
  left = naive_add(&left, &half, 1);
  most = naive_add(&most, &most, 1);
  return CHECK(naive_compare(&left, &most) >= 0);
}

CASE("quotients and other scales agree with their definition") {
  unsigned failed = 0;
  for (int i = 0; i < 40000; i++) {
    char a[100], b[100];
    int scale = (int)check_random_below(39);
    random_text(a);
    random_text(b);
    bool rescale = i % 2;
    if (rescale) memcpy(b, "1", 2);
    alch_decimal x = read_decimal(a), y = read_decimal(b), out = { 0 };
    if (y.high == 0 && y.low == 0) continue;
    alch_status status = rescale ? alch_decimal_rescale(&out, &x, scale, NULL) : alch_decimal_divide(&out, &x, &y, scale, NULL);
    failed += status != ALCH_OK;
    if (status == ALCH_OK ? check_quotient(a, b, scale, &out) : check_no_quotient(a, b, scale)) continue;
    CHECK_TEXT(a, b);
    return;
  }
  CHECK(failed > 100 && failed < 36000);
}

CASE("decimals compare by value") {
  for (int i = 0; i < 50000; i++) {
    char a[100], b[100];
    random_text(a);
    random_text(b);
    if (i % 5 == 0) memcpy(b, a, sizeof b);
    alch_decimal x = read_decimal(a), y = read_decimal(b);
    if (i % 5 == 0) alch_decimal_rescale(&y, &x, 38, NULL);
    naive left = naive_read(a, 38), right = naive_read(b, 38);
    int order = naive_compare(&left, &right);
    if (*a != *b && (*a == '-' || *b == '-')) order = *a == '-' ? -1 : 1;
    else if (*a == '-') order = -order;
    if (!CHECK_INT(alch_decimal_compare(&x, &y), order) || !CHECK_INT(alch_decimal_compare(&y, &x), -order)) return;
    alch_decimal negated;
    alch_decimal_negate(&negated, &x);
    alch_decimal_negate(&negated, &negated);
    CHECK_INT(alch_decimal_compare(&negated, &x), 0);
  }
}

static void check_parse(const char *text, const char *expected) {
  alch_decimal decimal = { 0 };
  alch_error error;
  alch_error_init(&error, NULL);
  if (!check_result(alch_decimal_parse(&decimal, text, strlen(text), &error), &decimal, expected != NULL, expected)) CHECK_TEXT(text, expected);
  if (!expected) CHECK_INT(error.kind, ALCH_ERROR_DATA);
  alch_error_close(&error);
}

CASE("text is read in all its spellings, or refused") {
  check_parse("0", "0");
  check_parse("-0", "0");
  check_parse("-0.00", "0.00");
  check_parse("+007.50", "7.50");
  check_parse(".5", "0.5");
  check_parse("-.5", "-0.5");
  check_parse("1e3", "1000");
  check_parse("1.50E+1", "15.0");
  check_parse("15e-3", "0.015");
  check_parse("0e-5", "0.00000");
  check_parse("0e99999999999999999999999", "0");
  check_parse("99999999999999999999999999999999999999", "99999999999999999999999999999999999999");
  check_parse("100000000000000000000000000000000000000", NULL);
  check_parse("1e37", "10000000000000000000000000000000000000");
  check_parse("1e38", NULL);
  check_parse("1e-38", "0.00000000000000000000000000000000000001");
  check_parse("1e-39", NULL);
  check_parse("10e-39", "0.00000000000000000000000000000000000001");
  check_parse("1.00000000000000000000000000000000000000000000000000000", "1.0000000000000000000000000000000000000");
  check_parse("0.000000000000000000000000000000000000000000000000000", "0.00000000000000000000000000000000000000");
  check_parse("1.000000000000000000000000000000000000001", NULL);
  check_parse("1e99999999999999999999999", NULL);
  check_parse("1e-99999999999999999999999", NULL);
  static const char *const bad[] = { "", "-", "+", ".", "5.", "e5", "1e", "1e+", "1x", " 1", "1 ", "1.2.3", "--1", "+-1", "1,5", "NaN", "Infinity", "0x10", "1e5.0" };
  for (size_t i = 0; i < ALCH_COUNT(bad); i++) check_parse(bad[i], NULL);
  alch_decimal decimal;
  CHECK_INT(alch_decimal_parse(&decimal, "1\0", 2, NULL), ALCH_ERROR);
}

CASE("mistakes are told by kind") {
  alch_error error;
  alch_error_init(&error, NULL);
  alch_decimal one = read_decimal("1"), zero = read_decimal("0.00"), out;
  CHECK_INT(alch_decimal_divide(&out, &one, &zero, 2, &error), ALCH_ERROR);
  CHECK_INT(error.kind, ALCH_ERROR_DATA);
  CHECK_INT(alch_decimal_divide(&out, &one, &one, 39, &error), ALCH_ERROR);
  CHECK_INT(error.kind, ALCH_ERROR_ARGUMENT);
  CHECK_INT(alch_decimal_rescale(&out, &one, -1, &error), ALCH_ERROR);
  CHECK_INT(error.kind, ALCH_ERROR_ARGUMENT);
  CHECK_INT(alch_decimal_rescale(&out, &one, 38, &error), ALCH_ERROR);
  CHECK_INT(error.kind, ALCH_ERROR_DATA);
  alch_error_close(&error);
}

CASE("integers go in and out") {
  for (int i = 0; i < 100000; i++) {
    int64_t integer = (int64_t)check_random() >> check_random_below(64), back = 0;
    char expected[40];
    if (i < 3) integer = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : 0;
    alch_decimal decimal;
    alch_decimal_from_integer(&decimal, integer);
    snprintf(expected, sizeof expected, "%lld", (long long)integer);
    if (!check_result(ALCH_OK, &decimal, true, expected)) return;
    alch_decimal_rescale(&decimal, &decimal, 19, NULL);
    if (!CHECK(alch_decimal_to_integer(&decimal, &back)) || !CHECK_INT(back, integer)) return;
  }
  int64_t out = 7;
  static const char *const none[] = { "9223372036854775808", "-9223372036854775809", "0.5", "99999999999999999999999999999999999999", "1.0000001" };
  for (size_t i = 0; i < ALCH_COUNT(none); i++) {
    alch_decimal decimal = read_decimal(none[i]);
    CHECK(!alch_decimal_to_integer(&decimal, &out));
  }
  CHECK_INT(out, 7);
}

static void check_from_real(double real, const char *expected) {
  alch_decimal decimal = { 0 };
  check_result(alch_decimal_from_real(&decimal, real, NULL), &decimal, expected != NULL, expected);
}

CASE("reals go in as their shortest decimal and come out the same") {
  check_from_real(0.1, "0.1");
  check_from_real(-2.5, "-2.5");
  check_from_real(-0.0, "0");
  check_from_real(1e22, "10000000000000000000000");
  check_from_real(1e37, "10000000000000000000000000000000000000");
  check_from_real(1e38, NULL);
  check_from_real(1e-38, "0.00000000000000000000000000000000000001");
  check_from_real(1.5e-38, NULL);
  check_from_real((double)NAN, NULL);
  check_from_real((double)-INFINITY, NULL);
  for (int i = 0; i < 50000; i++) {
    double real = ((double)(int64_t)check_random()) * pow(10, (double)check_random_below(36) - 30);
    alch_decimal decimal;
    if (alch_decimal_from_real(&decimal, real, NULL) != ALCH_OK) continue;
    if (!CHECK_REAL(alch_decimal_to_real(&decimal), real)) return;
  }
}
