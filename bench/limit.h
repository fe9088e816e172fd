/*
 * What the limits share: the data, objects, the identity map, and the checks that the work was done. Each program brings a
 * database: it defines LIMIT_CONNECTION, the type of its connection, before it includes this, and the function query_number.
 *
 * An object is one malloc with its text inline, every object goes into an identity map, and new keys come back into the objects.
 * Each workload counts its rows and sums their cells, and fails when they are not what the data says. The timed part of each is
 * one function named timed_*, so that callgrind can count it alone.
 */
#ifndef LIMIT_H
#define LIMIT_H
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMED static __attribute__((noinline)) void

static inline void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(1);
}

static inline void *need(void *block)
{
    if (!block) fail("memory", "none left");
    return block;
}

static inline int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- the data: the same formulas as in common.lua, database.lua and sqlalchemy_peer.py ---- */

typedef struct {
    int64_t age;
    double score;
    int name_length, email_length, created_length;
    char name[24], email[40], created[32];
} person_values;

typedef struct {
    int email_length;
    char email[40];
} address_values;

static inline person_values person_data(int64_t i)
{
    person_values v = { .age = 18 + i % 70, .score = (double)i * 0.5 + 0.25 };
    int n = (int)i;
    v.name_length = snprintf(v.name, sizeof v.name, "Person %06d", n);
    v.email_length = snprintf(v.email, sizeof v.email, "person%06d@example.org", n);
    v.created_length = snprintf(v.created, sizeof v.created, "2024-%02d-%02d %02d:%02d:%02d",
                                1 + n % 12, 1 + n % 28, n % 24, n % 60, n / 60 % 60);
    return v;
}

static inline address_values address_data(int64_t i)
{
    address_values v;
    v.email_length = snprintf(v.email, sizeof v.email, "home%07d@example.org", (int)i);
    return v;
}

static inline int64_t person_sum(int64_t id, int64_t age, double score, int64_t text_length)
{
    return id + age + (int64_t)(score * 4) + text_length;
}

static inline int64_t expected_person_sum(int64_t rows)
{
    int64_t sum = 0;
    for (int64_t i = 1; i <= rows; i++) {
        person_values v = person_data(i);
        sum += person_sum(i, v.age, v.score, v.name_length + v.email_length + v.created_length);
    }
    return sum;
}

/* ---- objects ---- */

typedef struct person person;

typedef struct {
    int64_t id, person_id;
    person *parent;
    int email_length;
    char text[];
} address;

struct person {
    person *next_changed;
    address **children;
    int64_t id, age;
    double score;
    int child_count, child_room;
    int name_length, email_length, created_length;   /* the three texts follow one another */
    char text[];
};

static inline person *new_person(int64_t id, int64_t age, double score, const char *name, int name_length,
                          const char *email, int email_length, const char *created, int created_length)
{
    size_t text = (size_t)name_length + (size_t)email_length + (size_t)created_length;
    person *p = need(malloc(sizeof *p + text));
    p->next_changed = NULL;
    p->children = NULL;
    p->id = id;
    p->age = age;
    p->score = score;
    p->child_count = p->child_room = 0;
    p->name_length = name_length;
    p->email_length = email_length;
    p->created_length = created_length;
    memcpy(p->text, name, (size_t)name_length);
    memcpy(p->text + name_length, email, (size_t)email_length);
    memcpy(p->text + name_length + email_length, created, (size_t)created_length);
    return p;
}

static inline person *person_from_values(const person_values *v)
{
    return new_person(0, v->age, v->score, v->name, v->name_length, v->email, v->email_length,
                      v->created, v->created_length);
}

static inline address *new_address(int64_t id, int64_t person_id, const char *email, int email_length)
{
    address *a = need(malloc(sizeof *a + (size_t)email_length));
    a->id = id;
    a->person_id = person_id;
    a->parent = NULL;
    a->email_length = email_length;
    memcpy(a->text, email, (size_t)email_length);
    return a;
}

static inline void append_child(person *p, address *a)
{
    if (p->child_count == p->child_room) {
        p->child_room = p->child_room ? p->child_room * 2 : 4;
        p->children = need(realloc(p->children, (size_t)p->child_room * sizeof *p->children));
    }
    p->children[p->child_count++] = a;
    a->parent = p;
}

/* ---- the identity map: open addressing; the low bits of a key serve, since generated keys are dense ---- */

typedef struct {
    int64_t key;
    void *object;
} entry;

typedef struct {
    entry *entries;
    size_t mask, count;
} identity_map;

static inline void map_init(identity_map *map)
{
    map->mask = 1023;
    map->count = 0;
    map->entries = need(calloc(map->mask + 1, sizeof *map->entries));
}

static inline entry *map_slot(const identity_map *map, int64_t key)
{
    size_t i = (size_t)key & map->mask;
    while (map->entries[i].object && map->entries[i].key != key) i = (i + 1) & map->mask;
    return &map->entries[i];
}

static inline void *map_get(const identity_map *map, int64_t key)
{
    return map_slot(map, key)->object;
}

static inline void map_grow(identity_map *map)
{
    identity_map bigger = { .mask = map->mask * 2 + 1, .count = map->count };
    bigger.entries = need(calloc(bigger.mask + 1, sizeof *bigger.entries));
    for (size_t i = 0; i <= map->mask; i++)
        if (map->entries[i].object) *map_slot(&bigger, map->entries[i].key) = map->entries[i];
    free(map->entries);
    *map = bigger;
}

static inline void map_put(identity_map *map, int64_t key, void *object)
{
    if (map->count * 4 >= map->mask * 3) map_grow(map);
    *map_slot(map, key) = (entry){ key, object };
    map->count++;
}

/* ---- a run of a workload ---- */

typedef struct {
    LIMIT_CONNECTION *db;
    const char *file;
    int64_t size, sum, memory;
    int children;                    /* of each parent, in W5 and W7 */
    person_values *people;           /* values that exist before the clock starts */
    address_values *addresses;
    person **objects;
    identity_map person_map, address_map;
} bench;

typedef struct {
    const char *name;
    int64_t size;
    int children;
    void (*before)(bench *);
    void (*timed)(bench *);
    void (*verify)(bench *);
} workload;

static const char select_all[] = "select id, name, email, age, score, created from person";

static inline void make_values(bench *b)
{
    int64_t addresses = b->size * b->children;
    b->people = need(malloc((size_t)b->size * sizeof *b->people));
    b->objects = need(calloc((size_t)b->size, sizeof *b->objects));
    for (int64_t i = 0; i < b->size; i++) b->people[i] = person_data(i + 1);
    b->addresses = need(malloc((size_t)(addresses + 1) * sizeof *b->addresses));
    for (int64_t i = 0; i < addresses; i++) b->addresses[i] = address_data(i + 1);
}

/* Point queries ask for keys all over a table of 100,000 rows. */
enum { point_rows = 100000, point_stride = 7919 };

static inline int64_t point_key(int64_t i)
{
    return i * point_stride % point_rows + 1;
}

/* ---- afterwards: was the work done? ---- */

static inline void expect(const char *what, int64_t found, int64_t expected)
{
    if (found == expected) return;
    fprintf(stderr, "%s: %s: %" PRId64 " instead of %" PRId64 "\n", program_invocation_short_name, what, found, expected);
    exit(1);
}

/* The number that a query gives. */
static int64_t query_number(bench *b, const char *sql);

static inline void verify_updated(bench *b)
{
    expect("changes", b->sum, b->size);
    expect("rows", query_number(b, "select count(*) from person where age = 19 + id % 70"), b->size);
}

static inline void verify_sum(bench *b)
{
    expect("sum of the rows", b->sum, expected_person_sum(b->size));
}

static inline void verify_map(bench *b)
{
    for (int64_t i = 1; i <= b->size; i++) {
        person *p = map_get(&b->person_map, i);
        if (p) b->sum += person_sum(p->id, p->age, p->score, p->name_length + p->email_length + p->created_length);
    }
    expect("objects", (int64_t)b->person_map.count, b->size);
    verify_sum(b);
}

static inline void verify_points(bench *b)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < b->size; i++) {
        person_values v = person_data(point_key(i));
        sum += person_sum(point_key(i), v.age, v.score, v.name_length + v.email_length + v.created_length);
    }
    expect("sum of the rows", b->sum, sum);
}

static inline void verify_point_keys(bench *b)
{
    for (int64_t i = 0; i < b->size; i++) b->sum -= point_key(i);
    expect("sum of the keys", b->sum, 0);
}

static inline void verify_family(bench *b)
{
    verify_map(b);
    for (int64_t i = 1; i <= b->size; i++) {
        person *p = map_get(&b->person_map, i);
        expect("children", p->child_count, b->children);
        expect("parent", p->children[b->children - 1]->person_id, i);
    }
}

/* The peak of this process alone; the field of getrusage would start from the parent's. */
static inline int64_t peak_memory(void)
{
    char line[256];
    int64_t kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    if (!status) fail("/proc/self/status", "cannot be read");
    while (fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %" SCNd64, &kilobytes);
    fclose(status);
    return kilobytes * 1024;
}

/* ---- running, for programs whose tables somebody else has made ---- */

static inline void run_workload(bench *b, const workload *w, int64_t size)
{
    b->size = size ? size : w->size;
    b->children = w->children;
    if (w->before) w->before(b);
    int64_t start = now();
    w->timed(b);
    int64_t time = now() - start;
    w->verify(b);
    printf("%s %.1f\n", w->name, (double)(b->memory ? b->memory : time) / (double)b->size);
}

/* The workloads of a server; each program has the functions timed_* and verify_inserted. */
#define LIMIT_SERVER_WORKLOADS \
    { "W1", 100000, 0, make_values, timed_W1, verify_inserted }, \
    { "W2", 100000, 0, NULL, timed_W2, verify_map }, \
    { "W3", 100000, 0, NULL, timed_W3, verify_sum }, \
    { "W4", 20000, 0, NULL, timed_W4, verify_points }, \
    { "W4.miss", 20000, 0, NULL, timed_W4_miss, verify_point_keys }, \
    { "W5.lazy", 5000, 10, NULL, timed_W5_lazy, verify_family }, \
    { "W5.joined", 5000, 10, NULL, timed_W5_joined, verify_family }, \
    { "W5.selectin", 5000, 10, NULL, timed_W5_selectin, verify_family }, \
    { "W6", 100000, 0, load_objects, timed_W6, verify_updated }, \
    { "W7", 20000, 3, make_values, timed_W7, verify_inserted }

/* The command line: WORKLOAD SIZE (0: the workload's own) WHERE. */
static inline int run_named(const workload *workloads, size_t count, int words, char **arguments,
                            void (*open_database)(bench *, const char *))
{
    bench b = { 0 };
    if (words != 4) fail("usage", "WORKLOAD SIZE WHERE");
    for (size_t i = 0; i < count; i++)
        if (!strcmp(workloads[i].name, arguments[1])) {
            open_database(&b, arguments[3]);
            run_workload(&b, &workloads[i], atoll(arguments[2]));
            return 0;
        }
    fail(arguments[1], "no such workload");
    return 1;
}

#endif
