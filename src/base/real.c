#include "base/real.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More digits than this never decide between two doubles, except by being there at all. */
#define REAL_DIGITS_MAX 770

static void read_scientific(const char *text, alch_real_digits *out) {
  out->count = 0;
  for (; *text != 'e'; text++)
    if (*text >= '0' && *text <= '9') out->digits[out->count++] = *text;
  out->exponent = atoi(text + 1) - (out->count - 1);
  while (out->count > 1 && out->digits[out->count - 1] == '0') {
    out->count--;
    out->exponent++;
  }
  out->digits[out->count] = '\0';
}

/* 15 digits are what every normal double holds and 17 tell any two apart; below the normal range fewer may do. */
bool alch_real_to_digits(double real, alch_real_digits *out) {
  if (!isfinite(real)) return false;
  out->negative = signbit(real) != 0;
  if (real == 0) {
    memcpy(out->digits, "0", 2);
    out->count = 1;
    out->exponent = 0;
    return true;
  }
  double magnitude = fabs(real);
  char text[40];
  int precision = magnitude < 2.2250738585072014e-308 ? 0 : 14;
  for (;; precision++) {
    snprintf(text, sizeof text, "%.*e", precision, magnitude);
    if (precision >= 16 || strtod(text, NULL) == magnitude) break;
  }
  read_scientific(text, out);
  return true;
}

static char *put_zeros(char *out, int count) {
  for (; count > 0; count--) *out++ = '0';
  return out;
}

static char *put_bytes(char *out, const char *bytes, int count) {
  memcpy(out, bytes, (size_t)count);
  return out + count;
}

static char *print_fixed(const alch_real_digits *digits, char *out) {
  int point = digits->count + digits->exponent;
  if (point <= 0) {
    out = put_zeros(put_bytes(out, "0.", 2), -point);
    return put_bytes(out, digits->digits, digits->count);
  }
  if (digits->exponent >= 0) {
    out = put_zeros(put_bytes(out, digits->digits, digits->count), digits->exponent);
    return put_bytes(out, ".0", 2);
  }
  out = put_bytes(put_bytes(out, digits->digits, point), ".", 1);
  return put_bytes(out, digits->digits + point, digits->count - point);
}

static char *print_scientific(const alch_real_digits *digits, char *out) {
  *out++ = digits->digits[0];
  if (digits->count > 1) {
    *out++ = '.';
    out = put_bytes(out, digits->digits + 1, digits->count - 1);
  }
  return out + snprintf(out, 8, "e%+03d", digits->exponent + digits->count - 1);
}

static size_t print_special(double real, char *out) {
  const char *text = isnan(real) ? "nan" : real < 0 ? "-inf" : "inf";
  size_t length = strlen(text);
  memcpy(out, text, length + 1);
  return length;
}

/* Up to whole_digits before the point, and four zeros behind it; with an exponent beyond. */
static size_t print(double real, int whole_digits, char *out) {
  alch_real_digits digits;
  if (!alch_real_to_digits(real, &digits)) return print_special(real, out);
  char *end = out;
  if (digits.negative) *end++ = '-';
  int point = digits.count + digits.exponent;
  end = point > -4 && point <= whole_digits ? print_fixed(&digits, end) : print_scientific(&digits, end);
  *end = '\0';
  return (size_t)(end - out);
}

size_t alch_real_print(double real, char out[ALCH_REAL_TEXT_SIZE]) { return print(real, 16, out); }

/* 2^63 has nineteen digits. */
size_t alch_real_print_whole(double real, char out[ALCH_REAL_TEXT_SIZE]) { return print(real, 19, out); }

bool alch_real_has_digits(double real, const char *text, size_t length) {
  alch_real_digits digits;
  size_t at = 0, count = 0;
  if (!alch_real_to_digits(real, &digits)) return false;
  while (length > 0 && (text[length - 1] == '0' || text[length - 1] == '.')) length--;
  while (at < length && (text[at] < '1' || text[at] > '9')) at++;
  for (; at < length; at++)
    if (text[at] != '.' && (count >= (size_t)digits.count || digits.digits[count++] != text[at])) return false;
  return count == (size_t)digits.count || (count == 0 && real == 0);
}

/* The number as digits and an exponent without a point, which strtod reads alike in every locale. */
typedef struct reading {
  char digits[REAL_DIGITS_MAX + 32];
  size_t count;
  int64_t exponent;
  bool any, rest;
} reading;

static const char *read_digits(reading *into, const char *at, const char *end, int exponent_step) {
  for (; at < end && *at >= '0' && *at <= '9'; at++) {
    into->any = true;
    bool leading = into->count == 0 && *at == '0';
    bool kept = into->count < REAL_DIGITS_MAX;
    if (!leading && kept) into->digits[into->count++] = *at;
    if (!kept && *at != '0') into->rest = true;
    into->exponent += exponent_step + (kept ? 0 : 1);
  }
  return at;
}

static const char *read_exponent(reading *into, const char *at, const char *end) {
  if (at == end || (*at != 'e' && *at != 'E')) return at;
  at++;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end) return NULL;
  int64_t exponent = 0;
  for (; at < end && *at >= '0' && *at <= '9'; at++)
    if (exponent < INT64_C(1000000000000)) exponent = exponent * 10 + (*at - '0');
  into->exponent += negative ? -exponent : exponent;
  return at;
}

static double finish_reading(reading *got) {
  if (got->count == 0) return 0;
  if (got->rest) {
    got->digits[got->count++] = '1';
    got->exponent--;
  }
  int exponent = got->exponent > 100000 ? 100000 : got->exponent < -100000 ? -100000 : (int)got->exponent;
  snprintf(got->digits + got->count, 16, "e%d", exponent);
  return strtod(got->digits, NULL);
}

static bool word_is(const char *text, size_t length, const char *word) {
  if (length != strlen(word)) return false;
  for (size_t i = 0; i < length; i++)
    if ((text[i] | 0x20) != word[i]) return false;
  return true;
}

static bool parse_magnitude(const char *at, const char *end, double *out) {
  size_t length = (size_t)(end - at);
  if (word_is(at, length, "inf") || word_is(at, length, "infinity")) {
    *out = (double)INFINITY;
    return true;
  }
  if (word_is(at, length, "nan")) {
    *out = (double)NAN;
    return true;
  }
  reading got = { .count = 0 };
  at = read_digits(&got, at, end, 0);
  if (at < end && *at == '.') at = read_digits(&got, at + 1, end, -1);
  if (got.any) at = read_exponent(&got, at, end);
  if (!got.any || at != end) return false;
  *out = finish_reading(&got);
  return true;
}

bool alch_real_parse(const char *text, size_t length, double *out) {
  if (length == 0) return false;
  const char *end = text + length;
  bool negative = *text == '-';
  if (*text == '-' || *text == '+') text++;
  double magnitude;
  if (!parse_magnitude(text, end, &magnitude)) return false;
  *out = negative ? -magnitude : magnitude;
  return true;
}
