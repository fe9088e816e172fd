#include "base/decimal.h"
#include "base/real.h"
#include "base/wide.h"
#include <string.h>

#define DIGITS ALCH_DECIMAL_DIGITS
/* 10^38 */
#define LIMIT_HIGH UINT64_C(0x4b3b4ca85a86c47a)
#define LIMIT_LOW UINT64_C(0x098a224000000000)
/* Past any exponent that could still matter, and far from overflow. */
#define EXPONENT_MAX INT64_C(1000000000000000)

static bool too_large(uint64_t high, uint64_t low) {
  return high > LIMIT_HIGH || (high == LIMIT_HIGH && low >= LIMIT_LOW);
}

static alch_wide widen(const alch_decimal *decimal, int power) {
  alch_wide wide = alch_wide_from(decimal->high, decimal->low);
  alch_wide_shift_decimal(&wide, power);
  return wide;
}

static bool is_zero(const alch_decimal *decimal) {
  return decimal->high == 0 && decimal->low == 0;
}

/* False when the magnitude has no place as it is. */
static bool narrow(alch_decimal *out, const alch_wide *wide, int scale, bool negative) {
  uint64_t high, low;
  if (scale < 0 || scale > DIGITS || !alch_wide_to(wide, &high, &low) || too_large(high, low)) return false;
  *out = (alch_decimal){ .high = high, .low = low, .scale = scale, .negative = negative && (high | low) != 0 };
  return true;
}

static alch_status no_room(alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_DATA, "decimal result needs more than %d digits", DIGITS);
}

static alch_status narrow_as_is(alch_decimal *out, const alch_wide *wide, int scale, bool negative, alch_error *error) {
  return narrow(out, wide, scale, negative) ? ALCH_OK : no_room(error);
}

/* Drops zeros at the end for as long as that is what lacks. */
static alch_status narrow_exactly(alch_decimal *out, const alch_wide *wide, int scale, bool negative, alch_error *error) {
  alch_wide rest = *wide;
  while (!narrow(out, &rest, scale, negative)) {
    if (scale <= 0 || alch_wide_divide_small(&rest, 10) != 0) return no_room(error);
    scale--;
  }
  return ALCH_OK;
}

/* What the text says: digits without the zeros at either end, times 10^exponent; and the digits it has behind the point. */
typedef struct reading {
  alch_wide digits;
  int count;
  int64_t exponent, behind;
  bool any, negative, too_long;
} reading;

static void flush_zeros(reading *got, int64_t zeros) {
  got->too_long = got->too_long || got->count + zeros > DIGITS;
  if (got->too_long) return;
  alch_wide_shift_decimal(&got->digits, (int)zeros);
  got->count += (int)zeros;
}

static void read_digit(reading *got, int digit, int64_t *zeros) {
  got->any = true;
  if (digit == 0) {
    if (got->count > 0) ++*zeros;
    return;
  }
  flush_zeros(got, *zeros + 1);
  if (!got->too_long) alch_wide_add_small(&got->digits, (uint32_t)digit);
  *zeros = 0;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static const char *read_digits(reading *got, const char *at, const char *end) {
  int64_t zeros = 0;
  for (; at < end && is_digit(*at); at++) read_digit(got, *at - '0', &zeros);
  if (at < end && *at == '.' && at + 1 < end && is_digit(at[1]))
    for (at++; at < end && is_digit(*at); at++, got->behind++) read_digit(got, *at - '0', &zeros);
  got->exponent = zeros - got->behind;
  return at;
}

static const char *read_exponent(reading *got, const char *at, const char *end) {
  if (!got->any || at == end || (*at != 'e' && *at != 'E')) return at;
  at++;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end) return NULL;
  int64_t exponent = 0;
  for (; at < end && is_digit(*at); at++)
    if (exponent < EXPONENT_MAX) exponent = exponent * 10 + (*at - '0');
  got->exponent += negative ? -exponent : exponent;
  got->behind -= negative ? -exponent : exponent;
  return at;
}

static bool read_text(reading *got, const char *text, size_t length) {
  const char *end = text + length;
  *got = (reading){ .negative = length > 0 && *text == '-' };
  if (length > 0 && (*text == '-' || *text == '+')) text++;
  return read_exponent(got, read_digits(got, text, end), end) == end && got->any;
}

/* The scale as written, or the nearest one at which the digits fit; -1 when they fit at none. */
static int fitting_scale(const reading *got) {
  int64_t scale = got->behind < 0 ? 0 : got->behind > DIGITS ? DIGITS : got->behind;
  if (got->count == 0) return (int)scale;
  if (got->exponent < -DIGITS || got->exponent > DIGITS) return -1;
  int64_t most = DIGITS - got->count - got->exponent;
  if (scale > most) scale = most;
  return scale < 0 || scale < -got->exponent ? -1 : (int)scale;
}

/* A text may be a megabyte; a message should not. */
static int shown_length(size_t length) {
  return length > 60 ? 60 : (int)length;
}

alch_status alch_decimal_parse(alch_decimal *out, const char *text, size_t length, alch_error *error) {
  reading got;
  if (!read_text(&got, text, length))
    return alch_error_set(error, ALCH_ERROR_DATA, "'%.*s' is not a decimal number", shown_length(length), text);
  int scale = fitting_scale(&got);
  if (got.too_long || scale < 0)
    return alch_error_set(error, ALCH_ERROR_DATA, "decimal '%.*s%s' needs more than %d digits", shown_length(length), text,
                          length > 60 ? "..." : "", DIGITS);
  if (got.count > 0) alch_wide_shift_decimal(&got.digits, (int)got.exponent + scale);
  return narrow_as_is(out, &got.digits, scale, got.negative, error);
}

/* The digits of the magnitude, at least `least` of them; answers how many. */
static int magnitude_digits(const alch_decimal *decimal, int least, char out[ALCH_DECIMAL_TEXT_SIZE]) {
  char reversed[ALCH_DECIMAL_TEXT_SIZE];
  int count = 0;
  for (alch_wide rest = widen(decimal, 0); !alch_wide_is_zero(&rest);) {
    uint32_t group = alch_wide_divide_small(&rest, 1000000000);
    for (int i = 0; i < 9; i++, group /= 10) reversed[count++] = (char)('0' + group % 10);
  }
  while (count > 0 && reversed[count - 1] == '0') count--;
  while (count < least) reversed[count++] = '0';
  for (int i = 0; i < count; i++) out[i] = reversed[count - 1 - i];
  return count;
}

size_t alch_decimal_print(const alch_decimal *decimal, char out[ALCH_DECIMAL_TEXT_SIZE]) {
  char digits[ALCH_DECIMAL_TEXT_SIZE];
  int count = magnitude_digits(decimal, decimal->scale + 1, digits), whole = count - decimal->scale;
  char *end = out;
  if (decimal->negative) *end++ = '-';
  memcpy(end, digits, (size_t)whole);
  end += whole;
  if (decimal->scale > 0) {
    *end++ = '.';
    memcpy(end, digits + whole, (size_t)decimal->scale);
    end += decimal->scale;
  }
  *end = '\0';
  return (size_t)(end - out);
}

void alch_decimal_from_integer(alch_decimal *out, int64_t integer) {
  uint64_t magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
  *out = (alch_decimal){ .low = magnitude, .negative = integer < 0 };
}

alch_status alch_decimal_from_real(alch_decimal *out, double real, alch_error *error) {
  alch_real_digits digits;
  if (!alch_real_to_digits(real, &digits)) return alch_error_set(error, ALCH_ERROR_DATA, "NaN and infinities are no decimal numbers");
  char text[ALCH_REAL_TEXT_SIZE];
  alch_real_print(real, text);
  reading got = { .negative = digits.negative, .exponent = digits.exponent };
  int64_t zeros = 0;
  for (int i = 0; i < digits.count; i++) read_digit(&got, digits.digits[i] - '0', &zeros);
  got.behind = digits.exponent < 0 ? -digits.exponent : 0;
  int scale = fitting_scale(&got);
  if (scale < 0) return alch_error_set(error, ALCH_ERROR_DATA, "%s does not fit into %d decimal digits", text, DIGITS);
  if (got.count > 0) alch_wide_shift_decimal(&got.digits, (int)got.exponent + scale);
  return narrow_as_is(out, &got.digits, scale, got.negative, error);
}

double alch_decimal_to_real(const alch_decimal *decimal) {
  char text[ALCH_DECIMAL_TEXT_SIZE];
  size_t length = alch_decimal_print(decimal, text);
  double real = 0;
  alch_real_parse(text, length, &real);
  return real;
}

/* Divides by 10^power; *half tells how the rest stands to one half: -1 below, 0 the same, 1 above. False: there was no rest. */
static bool divide_decimal(alch_wide *wide, int power, int *half) {
  alch_wide unit = alch_wide_from(0, 1), rest;
  alch_wide_shift_decimal(&unit, power);
  alch_wide_divide(wide, &unit, &rest);
  bool exact = alch_wide_is_zero(&rest);
  alch_wide_multiply_small(&rest, 2);
  *half = alch_wide_compare(&rest, &unit);
  return !exact;
}

bool alch_decimal_to_integer(const alch_decimal *decimal, int64_t *out) {
  alch_wide wide = widen(decimal, 0);
  int half;
  uint64_t high, low;
  if (divide_decimal(&wide, decimal->scale, &half)) return false;
  alch_wide_to(&wide, &high, &low);
  if (high != 0 || low > (uint64_t)INT64_MAX + decimal->negative) return false;
  if (!decimal->negative) *out = (int64_t)low;
  else *out = low == 0 ? 0 : -(int64_t)(low - 1) - 1;
  return true;
}

static int larger_scale(const alch_decimal *left, const alch_decimal *right) {
  return left->scale > right->scale ? left->scale : right->scale;
}

static int compare_magnitudes(const alch_decimal *left, const alch_decimal *right) {
  int scale = larger_scale(left, right);
  alch_wide a = widen(left, scale - left->scale), b = widen(right, scale - right->scale);
  return alch_wide_compare(&a, &b);
}

int alch_decimal_compare(const alch_decimal *left, const alch_decimal *right) {
  if (left->negative != right->negative) return left->negative ? -1 : 1;
  int order = compare_magnitudes(left, right);
  return left->negative ? -order : order;
}

static alch_status add_signed(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, bool right_negative, alch_error *error) {
  int scale = larger_scale(left, right);
  alch_wide a = widen(left, scale - left->scale), b = widen(right, scale - right->scale);
  bool negative = left->negative;
  if (left->negative == right_negative) {
    alch_wide_add(&a, &b);
  } else if (alch_wide_compare(&a, &b) >= 0) {
    alch_wide_subtract(&a, &b);
  } else {
    alch_wide_subtract(&b, &a);
    a = b;
    negative = right_negative;
  }
  return narrow_exactly(out, &a, scale, negative, error);
}

alch_status alch_decimal_add(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, alch_error *error) {
  return add_signed(out, left, right, right->negative, error);
}

alch_status alch_decimal_subtract(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, alch_error *error) {
  return add_signed(out, left, right, !right->negative, error);
}

alch_status alch_decimal_multiply(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, alch_error *error) {
  alch_wide a = widen(left, 0), b = widen(right, 0);
  alch_wide product = alch_wide_multiply(&a, &b);
  return narrow_exactly(out, &product, left->scale + right->scale, left->negative != right->negative, error);
}

static void round_half_even(alch_wide *wide, int half) {
  if (half > 0 || (half == 0 && wide->limb[0] % 2 == 1)) alch_wide_add_small(wide, 1);
}

static alch_status check_scale(int scale, alch_error *error) {
  if (scale >= 0 && scale <= DIGITS) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a decimal's scale lies between 0 and %d; got %d", DIGITS, scale);
}

alch_status alch_decimal_divide(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, int scale, alch_error *error) {
  if (check_scale(scale, error) != ALCH_OK) return ALCH_ERROR;
  if (is_zero(right)) return alch_error_set(error, ALCH_ERROR_DATA, "decimal division by zero");
  int power = scale + right->scale - left->scale;
  alch_wide quotient = widen(left, power), divisor = widen(right, -power), rest;
  alch_wide_divide(&quotient, &divisor, &rest);
  alch_wide_multiply_small(&rest, 2);
  round_half_even(&quotient, alch_wide_compare(&rest, &divisor));
  return narrow_as_is(out, &quotient, scale, left->negative != right->negative, error);
}

alch_status alch_decimal_rescale(alch_decimal *out, const alch_decimal *decimal, int scale, alch_error *error) {
  if (check_scale(scale, error) != ALCH_OK) return ALCH_ERROR;
  alch_wide wide = widen(decimal, scale - decimal->scale);
  if (scale < decimal->scale) {
    int half;
    divide_decimal(&wide, decimal->scale - scale, &half);
    round_half_even(&wide, half);
  }
  return narrow_as_is(out, &wide, scale, decimal->negative, error);
}

void alch_decimal_negate(alch_decimal *out, const alch_decimal *decimal) {
  *out = *decimal;
  out->negative = !decimal->negative && !is_zero(decimal);
}
