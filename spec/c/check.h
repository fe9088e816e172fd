/* The harness of the C specs. A spec is one program, and check.c holds its main:
 *
 *     #include "check.h"
 *     #include "base/map.h"
 *
 *     CASE("finds what was put") { ... CHECK_INT(map.count, 3); ... }
 *     CASE("keeps the order")    { ... CHECK_TEXT(name, "a"); ... }
 *
 * A failed check is printed with both values and the case goes on, so that what it holds is still
 * released; `if (!CHECK(pointer)) return;` leaves early. Cases run in the order in which they are
 * written, each with its random numbers restarted from the seed, which is printed and can be given
 * back by the environment variable ALCH_SEED. The output is TAP. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CASE(name) CHECK_CASE_(name, __LINE__)

#define CHECK(condition) check_true((condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(actual, expected) \
    check_int((int64_t)(actual), (int64_t)(expected), #actual, __FILE__, __LINE__)
#define CHECK_REAL(actual, expected) check_real((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected) check_text((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_BYTES(actual, expected, size) \
    check_bytes((actual), (expected), (size), #actual, __FILE__, __LINE__)

/* The case cannot run here, and this is why; it counts as skipped. Return after it. */
void check_skip(const char *why);

/* Random numbers that the seed decides; the second is at least 0 and below limit. */
uint64_t check_random(void);
uint64_t check_random_below(uint64_t limit);

/* Behind the macros. Each tells whether the check held. A text may be NULL, which equals only NULL;
 * reals are equal when they are the same number, or both not a number. */
bool check_true(bool held, const char *what, const char *file, int line);
bool check_int(int64_t actual, int64_t expected, const char *what, const char *file, int line);
bool check_real(double actual, double expected, const char *what, const char *file, int line);
bool check_text(const char *actual, const char *expected, const char *what, const char *file,
                int line);
bool check_bytes(const void *actual, const void *expected, size_t size, const char *what,
                 const char *file, int line);

typedef struct check_case {
    const char *name;
    void (*run)(void);
    struct check_case *next;
} check_case;

void check_register(check_case *one);

/* A case puts itself on the list before main starts, so that its name is written once. */
#define CHECK_CASE_(name, line) CHECK_CASE_AT_(name, line)
#define CHECK_CASE_AT_(name, line)                                               \
    static void check_case_##line(void);                                         \
    __attribute__((constructor)) static void check_register_##line(void)         \
    {                                                                            \
        static check_case one = {name, check_case_##line, NULL};                 \
        check_register(&one);                                                    \
    }                                                                            \
    static void check_case_##line(void)

#endif
