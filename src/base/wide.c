#include "base/wide.h"

alch_wide alch_wide_from(uint64_t high, uint64_t low) {
  return (alch_wide){ { (uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32) } };
}

static int limbs_used(const alch_wide *wide) {
  int used = ALCH_WIDE_LIMBS;
  while (used > 0 && wide->limb[used - 1] == 0) used--;
  return used;
}

bool alch_wide_is_zero(const alch_wide *wide) {
  return limbs_used(wide) == 0;
}

bool alch_wide_to(const alch_wide *wide, uint64_t *high, uint64_t *low) {
  *low = (uint64_t)wide->limb[1] << 32 | wide->limb[0];
  *high = (uint64_t)wide->limb[3] << 32 | wide->limb[2];
  return limbs_used(wide) <= 4;
}

int alch_wide_compare(const alch_wide *left, const alch_wide *right) {
  for (int i = ALCH_WIDE_LIMBS - 1; i >= 0; i--)
    if (left->limb[i] != right->limb[i]) return left->limb[i] < right->limb[i] ? -1 : 1;
  return 0;
}

void alch_wide_add(alch_wide *wide, const alch_wide *other) {
  uint64_t carry = 0;
  for (int i = 0; i < ALCH_WIDE_LIMBS; i++) {
    carry += (uint64_t)wide->limb[i] + other->limb[i];
    wide->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  ALCH_CHECK(carry == 0);
}

void alch_wide_subtract(alch_wide *wide, const alch_wide *other) {
  uint64_t borrow = 0;
  for (int i = 0; i < ALCH_WIDE_LIMBS; i++) {
    uint64_t difference = (uint64_t)wide->limb[i] - other->limb[i] - borrow;
    wide->limb[i] = (uint32_t)difference;
    borrow = difference >> 63;
  }
  ALCH_CHECK(borrow == 0);
}

void alch_wide_add_small(alch_wide *wide, uint32_t small) {
  uint64_t carry = small;
  for (int i = 0; carry > 0 && i < ALCH_WIDE_LIMBS; i++) {
    carry += wide->limb[i];
    wide->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  ALCH_CHECK(carry == 0);
}

void alch_wide_multiply_small(alch_wide *wide, uint32_t small) {
  uint64_t carry = 0;
  for (int i = 0; i < ALCH_WIDE_LIMBS; i++) {
    carry += (uint64_t)wide->limb[i] * small;
    wide->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  ALCH_CHECK(carry == 0);
}

alch_wide alch_wide_multiply(const alch_wide *left, const alch_wide *right) {
  alch_wide product = { { 0 } };
  int left_used = limbs_used(left), right_used = limbs_used(right);
  ALCH_CHECK(left_used + right_used <= ALCH_WIDE_LIMBS);
  for (int i = 0; i < left_used; i++) {
    uint64_t carry = 0;
    for (int j = 0; j < right_used; j++) {
      carry += (uint64_t)left->limb[i] * right->limb[j] + product.limb[i + j];
      product.limb[i + j] = (uint32_t)carry;
      carry >>= 32;
    }
    product.limb[i + right_used] = (uint32_t)carry;
  }
  return product;
}

void alch_wide_shift_decimal(alch_wide *wide, int power) {
  for (; power >= 9; power -= 9) alch_wide_multiply_small(wide, 1000000000);
  for (; power > 0; power--) alch_wide_multiply_small(wide, 10);
}

uint32_t alch_wide_divide_small(alch_wide *wide, uint32_t divisor) {
  uint64_t rest = 0;
  for (int i = limbs_used(wide) - 1; i >= 0; i--) {
    rest = rest << 32 | wide->limb[i];
    wide->limb[i] = (uint32_t)(rest / divisor);
    rest %= divisor;
  }
  return (uint32_t)rest;
}

static int leading_zeros(uint32_t word) {
  int count = 0;
  for (; !(word & 0x80000000u); word <<= 1) count++;
  return count;
}

static void shift_left(alch_wide *wide, int bits) {
  for (int i = ALCH_WIDE_LIMBS - 1; bits > 0 && i >= 0; i--)
    wide->limb[i] = wide->limb[i] << bits | (i > 0 ? wide->limb[i - 1] >> (32 - bits) : 0);
}

static void shift_right(alch_wide *wide, int bits) {
  for (int i = 0; bits > 0 && i < ALCH_WIDE_LIMBS; i++)
    wide->limb[i] = wide->limb[i] >> bits | (i + 1 < ALCH_WIDE_LIMBS ? wide->limb[i + 1] << (32 - bits) : 0);
}

/* A quotient digit that is right or, rarely, one too large (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D, step D3). */
static uint64_t guess_digit(const uint32_t *rest, const uint32_t *divisor, int used) {
  uint64_t top = (uint64_t)rest[used] << 32 | rest[used - 1];
  uint64_t digit = top / divisor[used - 1], left = top % divisor[used - 1];
  while (digit > UINT32_MAX || digit * divisor[used - 2] > (left << 32 | rest[used - 2])) {
    digit--;
    left += divisor[used - 1];
    if (left > UINT32_MAX) break;
  }
  return digit;
}

static bool subtract_multiple(uint32_t *rest, const uint32_t *divisor, int used, uint64_t digit) {
  uint64_t carry = 0, borrow = 0;
  for (int i = 0; i <= used; i++) {
    if (i < used) carry += digit * divisor[i];
    uint64_t difference = (uint64_t)rest[i] - (uint32_t)carry - borrow;
    rest[i] = (uint32_t)difference;
    borrow = difference >> 63;
    carry >>= 32;
  }
  return borrow != 0;
}

static void add_back(uint32_t *rest, const uint32_t *divisor, int used) {
  uint64_t carry = 0;
  for (int i = 0; i < used; i++) {
    carry += (uint64_t)rest[i] + divisor[i];
    rest[i] = (uint32_t)carry;
    carry >>= 32;
  }
  rest[used] += (uint32_t)carry;
}

/* The dividend's top limb is free, so that there is room to shift and for the first digit. */
static void divide_long(alch_wide *wide, alch_wide divisor, int used, alch_wide *rest) {
  int bits = leading_zeros(divisor.limb[used - 1]);
  alch_wide quotient = { { 0 } };
  ALCH_CHECK(limbs_used(wide) < ALCH_WIDE_LIMBS);
  *rest = *wide;
  shift_left(&divisor, bits);
  shift_left(rest, bits);
  for (int i = ALCH_WIDE_LIMBS - 1 - used; i >= 0; i--) {
    uint64_t digit = guess_digit(rest->limb + i, divisor.limb, used);
    if (subtract_multiple(rest->limb + i, divisor.limb, used, digit)) {
      add_back(rest->limb + i, divisor.limb, used);
      digit--;
    }
    quotient.limb[i] = (uint32_t)digit;
  }
  shift_right(rest, bits);
  *wide = quotient;
}

void alch_wide_divide(alch_wide *wide, const alch_wide *divisor, alch_wide *rest) {
  int used = limbs_used(divisor);
  ALCH_CHECK(used > 0);
  if (used > 1) divide_long(wide, *divisor, used, rest);
  else *rest = alch_wide_from(0, alch_wide_divide_small(wide, divisor->limb[0]));
}
