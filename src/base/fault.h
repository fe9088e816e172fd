/* fault.h - named fault points; they exist in debug builds only.
   A spec arms one point on the calling thread; the n-th pass through it then fails. */
#ifndef ALCH_FAULT_H
#define ALCH_FAULT_H

#include "base/base.h"

#ifdef ALCH_DEBUG
/* True when the point is armed and its turn has come. */
bool alch_fault(const char *point);
/* Arms a point for its n-th pass (1: the next); NULL disarms. */
void alch_fault_arm(const char *point, uint64_t pass);
/* How often the armed point was passed. */
uint64_t alch_fault_passes(void);
#else
#define alch_fault(point) false
#endif

#endif
