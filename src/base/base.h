/* base.h - what every file of the library starts from.
   Nothing here owns anything. */
#ifndef ALCH_BASE_H
#define ALCH_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ALCH_PRINTF(string, first) __attribute__((__format__(__printf__, string, first)))
#define ALCH_LIKELY(x) __builtin_expect(!!(x), 1)
#define ALCH_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ALCH_API __attribute__((visibility("default")))
#else
#define ALCH_PRINTF(string, first)
#define ALCH_LIKELY(x) (x)
#define ALCH_UNLIKELY(x) (x)
#define ALCH_API
#endif

#define ALCH_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a function that can fail or wait answers. Negative: failed, and the error record is filled.
   A function that answers ALCH_WAIT keeps its place: the same call, made again after the wait, goes on. */
typedef enum alch_status {
  ALCH_OK = 0,
  ALCH_ROW = 1,         /* a row is there to be read */
  ALCH_DONE = 2,        /* no more rows */
  ALCH_WAIT = 3,        /* the round trip is under way: wait on the connection's descriptor, call again */
  ALCH_ERROR = -1,      /* the error record says what failed */
  ALCH_HOST_ERROR = -2  /* the host's own error (a Lua error, say) is on its way; the host keeps it */
} alch_status;

/* A debug build stops at a broken invariant; a release build has no trace of the check. */
#ifdef ALCH_DEBUG
#define ALCH_CHECK(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define ALCH_CHECK(condition) ((void)0)
#endif

#endif
