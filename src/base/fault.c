#include "base/fault.h"

#ifdef ALCH_DEBUG
#include <string.h>

/* The one exception from "no mutable global state": a spec arms its own thread, in debug builds. */
static _Thread_local struct {
  const char *point;
  uint64_t pass, passes;
} armed;

bool alch_fault(const char *point) {
  if (!armed.point || strcmp(armed.point, point) != 0) return false;
  return ++armed.passes == armed.pass;
}

void alch_fault_arm(const char *point, uint64_t pass) {
  armed.point = point;
  armed.pass = pass;
  armed.passes = 0;
}

uint64_t alch_fault_passes(void) {
  return armed.passes;
}
#endif
