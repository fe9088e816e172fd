#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static check_case *first_case;
static check_case **last_link = &first_case;
static unsigned failures; /* of the case that runs */
static const char *skipped;
static uint64_t seed, state;

void check_register(check_case *one)
{
    *last_link = one;
    last_link = &one->next;
}

void check_skip(const char *why)
{
    skipped = why;
}

/* xorshift64*; its state must never be 0. */
uint64_t check_random(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}

uint64_t check_random_below(uint64_t limit)
{
    return limit ? check_random() % limit : 0;
}

/* The start of a failure's line; the caller prints the rest. */
static void fail(const char *file, int line, const char *what)
{
    failures++;
    printf("# %s:%d: %s", file, line, what);
}

/* On one line whatever it holds, so that it cannot break the TAP. */
static void print_bytes(const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        if (byte[i] == '"' || byte[i] == '\\')
            printf("\\%c", byte[i]);
        else if (byte[i] >= ' ' && byte[i] != 127)
            putchar(byte[i]);
        else
            printf("\\x%02x", byte[i]);
    }
    putchar('"');
}

static void print_text(const char *text)
{
    if (text)
        print_bytes(text, strlen(text));
    else
        printf("NULL");
}

bool check_true(bool held, const char *what, const char *file, int line)
{
    if (!held) {
        fail(file, line, what);
        printf(" does not hold\n");
    }
    return held;
}

bool check_int(int64_t actual, int64_t expected, const char *what, const char *file, int line)
{
    bool held = actual == expected;
    if (!held) {
        fail(file, line, what);
        printf(" is %" PRId64 ", not %" PRId64 "\n", actual, expected);
    }
    return held;
}

bool check_real(double actual, double expected, const char *what, const char *file, int line)
{
    bool held = actual == expected || (actual != actual && expected != expected);
    if (!held) {
        fail(file, line, what);
        printf(" is %.17g, not %.17g\n", actual, expected);
    }
    return held;
}

bool check_text(const char *actual, const char *expected, const char *what, const char *file,
                int line)
{
    bool held = actual && expected ? strcmp(actual, expected) == 0 : actual == expected;
    if (!held) {
        fail(file, line, what);
        printf(" is\n#   ");
        print_text(actual);
        printf(", not\n#   ");
        print_text(expected);
        putchar('\n');
    }
    return held;
}

bool check_bytes(const void *actual, const void *expected, size_t size, const char *what,
                 const char *file, int line)
{
    bool held = size == 0 || (actual && expected && memcmp(actual, expected, size) == 0);
    if (!held) {
        fail(file, line, what);
        printf(" is\n#   ");
        print_bytes(actual, actual ? size : 0);
        printf(", not\n#   ");
        print_bytes(expected, expected ? size : 0);
        putchar('\n');
    }
    return held;
}

/* From the environment, or the time scrambled by one step, so that near seeds differ at once. */
static void choose_seed(void)
{
    const char *given = getenv("ALCH_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = given ? strtoull(given, NULL, 0)
                 : ((uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec) * UINT64_C(0x9E3779B97F4A7C15);
    if (seed == 0)
        seed = 1;
    printf("# ALCH_SEED=%" PRIu64 "\n", seed);
}

int main(void)
{
    unsigned number = 0, failed = 0;
    /* A case that crashes must not take with it what was printed before. */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    choose_seed();
    for (check_case *one = first_case; one; one = one->next) {
        failures = 0;
        skipped = NULL;
        state = seed;
        printf("# %s\n", one->name);
        one->run();
        failed += failures > 0;
        printf("%sok %u - %s%s%s\n", failures ? "not " : "", ++number, one->name,
               skipped ? " # SKIP " : "", skipped ? skipped : "");
    }
    printf("1..%u\n", number);
    return failed > 0;
}
