/* decimal.h - exact decimal numbers of up to 38 significant digits (what SQL's NUMERIC(38) holds).
   A plain value, nothing owned. Canonical text: no exponent, no leading zeros or plus sign, "-0" is "0"; trailing zeros behind the point are kept (the scale is part of the value). */
#ifndef ALCH_DECIMAL_H
#define ALCH_DECIMAL_H

#include "base/error.h"

#define ALCH_DECIMAL_DIGITS 38
#define ALCH_DECIMAL_TEXT_SIZE 88

typedef struct alch_decimal {
  uint64_t high, low;     /* the magnitude, below 10^38 */
  int32_t scale;          /* digits behind the point, 0 .. 38 */
  bool negative;
} alch_decimal;

/* Accepts [+-]digits[.digits][e[+-]digits], and .digits, as Oracle writes it; fails (ALCH_ERROR, kind DATA) on anything else, or past 38 digits.
   Here and in sums, differences and products, zeros at the end that have no room among 38 digits are dropped: they change the scale, not the value. */
alch_status alch_decimal_parse(alch_decimal *out, const char *text, size_t length, alch_error *error);
size_t alch_decimal_print(const alch_decimal *decimal, char out[ALCH_DECIMAL_TEXT_SIZE]);
void alch_decimal_from_integer(alch_decimal *out, int64_t integer);
/* The shortest decimal that reads back as the same double; fails for NaN and infinities and where it has no place: 1e38 and up, or more than 38 digits behind the point. */
alch_status alch_decimal_from_real(alch_decimal *out, double real, alch_error *error);
/* The nearest double. */
double alch_decimal_to_real(const alch_decimal *decimal);
bool alch_decimal_to_integer(const alch_decimal *decimal, int64_t *out);    /* false when there is a fraction or no room */
/* By value: 1.0 and 1.00 are equal. */
int alch_decimal_compare(const alch_decimal *left, const alch_decimal *right);
/* Exact, or ALCH_ERROR (DATA) when the result needs more than 38 digits. */
alch_status alch_decimal_add(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, alch_error *error);
alch_status alch_decimal_subtract(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, alch_error *error);
alch_status alch_decimal_multiply(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, alch_error *error);
/* Quotient with `scale` digits behind the point, rounded half to even; fails on division by zero. A scale outside 0 .. 38 is an error of kind ARGUMENT. */
alch_status alch_decimal_divide(alch_decimal *out, const alch_decimal *left, const alch_decimal *right, int scale, alch_error *error);
/* The same value with another scale, rounded half to even. */
alch_status alch_decimal_rescale(alch_decimal *out, const alch_decimal *decimal, int scale, alch_error *error);
void alch_decimal_negate(alch_decimal *out, const alch_decimal *decimal);

#endif
