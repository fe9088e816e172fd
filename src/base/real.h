/* real.h - doubles as text and back, exactly, whatever the process's locale says about decimal points.
   Nothing here owns anything. */
#ifndef ALCH_REAL_H
#define ALCH_REAL_H

#include "base/base.h"

#define ALCH_REAL_TEXT_SIZE 32

/* A double as an integer times a power of ten. */
typedef struct alch_real_digits {
  char digits[18];      /* no leading or trailing zeros ("0" for zero), zero-terminated */
  int count, exponent;  /* the value is digits * 10^exponent */
  bool negative;
} alch_real_digits;

/* The shortest digits that read back as the same double; false for NaN and infinities. */
bool alch_real_to_digits(double real, alch_real_digits *out);
/* The shortest text that reads back as the same double, always told from an integer: 1.0, 0.1, 1e+300, -inf, nan. Answers the length. */
size_t alch_real_print(double real, char out[ALCH_REAL_TEXT_SIZE]);
/* The same, but with an exponent only from 1e19 on: -144428520280348350.0. So a point is left where a reader that writes out exponents (PostgreSQL's JSONB, whose numbers
   are numerics) would make digits of it that are an integer of 64 bits. */
size_t alch_real_print_whole(double real, char out[ALCH_REAL_TEXT_SIZE]);
/* Are these, but for a sign, a point and zeros on either end, the shortest digits of the double that the text (of digits, without an exponent) is read as? */
bool alch_real_has_digits(double real, const char *text, size_t length);
/* [+-]digits[.digits][e[+-]digits], a bare point on either side, inf, infinity and nan in any case. The whole text or false.
   The nearest double; what is too large becomes an infinity, as strtod has it. */
bool alch_real_parse(const char *text, size_t length, double *out);

#endif
