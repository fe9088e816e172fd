/* wide.h - unsigned integers of 512 bits, for the intermediate results of decimal.c.
   Plain values; sums and products that pass 512 bits are the caller's to avoid. */
#ifndef ALCH_WIDE_H
#define ALCH_WIDE_H

#include "base/base.h"

#define ALCH_WIDE_LIMBS 16

typedef struct alch_wide {
  uint32_t limb[ALCH_WIDE_LIMBS];    /* the lowest first */
} alch_wide;

alch_wide alch_wide_from(uint64_t high, uint64_t low);
bool alch_wide_is_zero(const alch_wide *wide);
/* False when the number has more than 128 bits. */
bool alch_wide_to(const alch_wide *wide, uint64_t *high, uint64_t *low);
int alch_wide_compare(const alch_wide *left, const alch_wide *right);
void alch_wide_add(alch_wide *wide, const alch_wide *other);
/* wide must not be below other. */
void alch_wide_subtract(alch_wide *wide, const alch_wide *other);
void alch_wide_add_small(alch_wide *wide, uint32_t small);
void alch_wide_multiply_small(alch_wide *wide, uint32_t small);
alch_wide alch_wide_multiply(const alch_wide *left, const alch_wide *right);
/* wide *= 10^power. */
void alch_wide_shift_decimal(alch_wide *wide, int power);
/* Divides in place and answers the rest. */
uint32_t alch_wide_divide_small(alch_wide *wide, uint32_t divisor);
/* wide becomes the quotient; divisor is not 0. */
void alch_wide_divide(alch_wide *wide, const alch_wide *divisor, alch_wide *rest);

#endif
