#include "engine/engine.h"
#include <time.h>

int64_t alch_clock_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t alch_clock_microseconds(void) {
  return alch_clock_nanoseconds() / 1000;
}
