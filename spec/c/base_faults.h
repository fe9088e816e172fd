/* base_faults.h - runs a body with its first, second, ... allocation failing, until it passes. */
#ifndef BASE_FAULTS_H
#define BASE_FAULTS_H

#include "base/memory.h"
#include "check.h"

/* True when the body got all the memory it asked for. It checks what it holds and releases everything, either way. */
typedef bool (*faulty_body)(const alch_allocator *allocator);

static inline bool survive_fault(faulty_body body, uint64_t fail_at, bool persistent) {
  alch_fault_allocator fault;
  alch_fault_allocator_init(&fault);
  fault.fail_at = fail_at;
  fault.persistent = persistent;
  bool passed = body(&fault.allocator);
  CHECK(passed == (fault.failures == 0));
  CHECK_INT(fault.live_blocks, 0);
  CHECK_INT(fault.live_bytes, 0);
  CHECK_INT(fault.wrong_sizes, 0);
  return fault.failures == 0;
}

static inline void survive_faults(faulty_body body) {
  for (int persistent = 0; persistent < 2; persistent++) {
    uint64_t fail_at = 1;
    while (!survive_fault(body, fail_at, persistent != 0)) fail_at++;
    CHECK(fail_at > 1);
  }
}

#endif
