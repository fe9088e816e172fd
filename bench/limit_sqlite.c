/*
 * The limit: what a plain C program over sqlite3 needs for the workloads of this folder when it does
 * them well. The connection takes no mutex, memory statistics are off, each statement is prepared once,
 * everything happens in one transaction, an object is one malloc with its text inline, every object
 * goes into an identity map, and new keys come back into the objects.
 *
 *   limit_sqlite WORKLOAD [SIZE] [FILE]     runs one workload, prints its name and nanoseconds a unit
 *   limit_sqlite fill FILE SIZE             makes the database file that W10.memory loads
 *   limit_sqlite spawn TIMES COMMAND...     prints the median nanoseconds from start to end of a command
 *
 * Each workload counts its rows and sums their cells, and fails when they are not what the data says.
 * The timed part of each is one function named timed_*, so that callgrind can count it alone.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMED static __attribute__((noinline)) void

extern char **environ;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "limit_sqlite: %s: %s\n", what, why);
    exit(1);
}

static void *need(void *block)
{
    if (!block) fail("memory", "none left");
    return block;
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- the data: the same formulas as in common.lua and sqlalchemy_peer.py ---- */

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

static person_values person_data(int64_t i)
{
    person_values v = { .age = 18 + i % 70, .score = (double)i * 0.5 + 0.25 };
    int n = (int)i;
    v.name_length = snprintf(v.name, sizeof v.name, "Person %06d", n);
    v.email_length = snprintf(v.email, sizeof v.email, "person%06d@example.org", n);
    v.created_length = snprintf(v.created, sizeof v.created, "2024-%02d-%02d %02d:%02d:%02d",
                                1 + n % 12, 1 + n % 28, n % 24, n % 60, n / 60 % 60);
    return v;
}

static address_values address_data(int64_t i)
{
    address_values v;
    v.email_length = snprintf(v.email, sizeof v.email, "home%07d@example.org", (int)i);
    return v;
}

static int64_t person_sum(int64_t id, int64_t age, double score, int64_t text_length)
{
    return id + age + (int64_t)(score * 4) + text_length;
}

static int64_t expected_person_sum(int64_t rows)
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

static person *new_person(int64_t id, int64_t age, double score, const char *name, int name_length,
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

static person *person_from_values(const person_values *v)
{
    return new_person(0, v->age, v->score, v->name, v->name_length, v->email, v->email_length,
                      v->created, v->created_length);
}

static address *new_address(int64_t id, int64_t person_id, const char *email, int email_length)
{
    address *a = need(malloc(sizeof *a + (size_t)email_length));
    a->id = id;
    a->person_id = person_id;
    a->parent = NULL;
    a->email_length = email_length;
    memcpy(a->text, email, (size_t)email_length);
    return a;
}

static void append_child(person *p, address *a)
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

static void map_init(identity_map *map)
{
    map->mask = 1023;
    map->count = 0;
    map->entries = need(calloc(map->mask + 1, sizeof *map->entries));
}

static entry *map_slot(const identity_map *map, int64_t key)
{
    size_t i = (size_t)key & map->mask;
    while (map->entries[i].object && map->entries[i].key != key) i = (i + 1) & map->mask;
    return &map->entries[i];
}

static void *map_get(const identity_map *map, int64_t key)
{
    return map_slot(map, key)->object;
}

static void map_grow(identity_map *map)
{
    identity_map bigger = { .mask = map->mask * 2 + 1, .count = map->count };
    bigger.entries = need(calloc(bigger.mask + 1, sizeof *bigger.entries));
    for (size_t i = 0; i <= map->mask; i++)
        if (map->entries[i].object) *map_slot(&bigger, map->entries[i].key) = map->entries[i];
    free(map->entries);
    *map = bigger;
}

static void map_put(identity_map *map, int64_t key, void *object)
{
    if (map->count * 4 >= map->mask * 3) map_grow(map);
    *map_slot(map, key) = (entry){ key, object };
    map->count++;
}

/* ---- the database ---- */

typedef struct {
    sqlite3 *db;
    const char *file;
    int64_t size, sum, memory;
    int children;                    /* of each parent, in W5 and W7 */
    person_values *people;           /* values that exist before the clock starts */
    address_values *addresses;
    person **objects;
    identity_map person_map, address_map;
} bench;

static const char schema[] =
    "create table person (id integer primary key, name text, email text, age integer, score real, created text);"
    "create table address (id integer primary key, person_id integer references person (id), email text);"
    "create index ix_address_person_id on address (person_id);";

static const char select_all[] = "select id, name, email, age, score, created from person";
static const char select_one[] = "select id, name, email, age, score, created from person where id = ?";
static const char select_children[] = "select id, person_id, email from address where person_id = ?";

static void check(bench *b, int code)
{
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) fail("sqlite3", sqlite3_errmsg(b->db));
}

static void run(bench *b, const char *sql)
{
    check(b, sqlite3_exec(b->db, sql, NULL, NULL, NULL));
}

static sqlite3_stmt *prepare(bench *b, const char *sql)
{
    sqlite3_stmt *statement;
    check(b, sqlite3_prepare_v3(b->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL));
    return statement;
}

static void open_database(bench *b)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    check(b, sqlite3_open_v2(b->file ? b->file : ":memory:", &b->db, flags, NULL));
    run(b, "pragma foreign_keys = on");          /* as lualchemy opens it */
    map_init(&b->person_map);
    map_init(&b->address_map);
}

/* One column's text: the value is looked up once, then asked without the checks of sqlite3_column_*. */
static const char *column_text(sqlite3_stmt *row, int column, int *length)
{
    sqlite3_value *value = sqlite3_column_value(row, column);
    const char *text = (const char *)sqlite3_value_text(value);
    *length = sqlite3_value_bytes(value);
    return text;
}

static int64_t person_row_sum(sqlite3_stmt *row)
{
    int name_length, email_length, created_length;
    const char *name = column_text(row, 1, &name_length);
    const char *email = column_text(row, 2, &email_length);
    const char *created = column_text(row, 5, &created_length);
    if (!name || !email || !created) fail("person", "a text is missing");
    return person_sum(sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 3),
                      sqlite3_column_double(row, 4), name_length + email_length + created_length);
}

static person *load_person(bench *b, sqlite3_stmt *row)
{
    int name_length, email_length, created_length;
    int64_t id = sqlite3_column_int64(row, 0);
    const char *name = column_text(row, 1, &name_length);
    const char *email = column_text(row, 2, &email_length);
    const char *created = column_text(row, 5, &created_length);
    person *p = new_person(id, sqlite3_column_int64(row, 3), sqlite3_column_double(row, 4),
                           name, name_length, email, email_length, created, created_length);
    map_put(&b->person_map, id, p);
    return p;
}

static address *load_address(bench *b, sqlite3_stmt *row, int first)
{
    int email_length;
    int64_t id = sqlite3_column_int64(row, first);
    const char *email = column_text(row, first + 2, &email_length);
    address *a = new_address(id, sqlite3_column_int64(row, first + 1), email, email_length);
    map_put(&b->address_map, id, a);
    return a;
}

static void insert(bench *b, sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE) check(b, SQLITE_ERROR);
    sqlite3_reset(statement);
}

static void insert_person(bench *b, sqlite3_stmt *statement, person *p)
{
    const char *email = p->text + p->name_length;
    sqlite3_bind_text(statement, 1, p->text, p->name_length, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, email, p->email_length, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, p->age);
    sqlite3_bind_double(statement, 4, p->score);
    sqlite3_bind_text(statement, 5, email + p->email_length, p->created_length, SQLITE_STATIC);
    insert(b, statement);
    p->id = sqlite3_last_insert_rowid(b->db);
    map_put(&b->person_map, p->id, p);
}

static void insert_address(bench *b, sqlite3_stmt *statement, address *a)
{
    a->person_id = a->parent->id;
    sqlite3_bind_int64(statement, 1, a->person_id);
    sqlite3_bind_text(statement, 2, a->text, a->email_length, SQLITE_STATIC);
    insert(b, statement);
    a->id = sqlite3_last_insert_rowid(b->db);
    map_put(&b->address_map, a->id, a);
}

/* ---- before the clock starts ---- */

static void make_values(bench *b)
{
    int64_t addresses = b->size * b->children;
    b->people = need(malloc((size_t)b->size * sizeof *b->people));
    b->objects = need(calloc((size_t)b->size, sizeof *b->objects));
    for (int64_t i = 0; i < b->size; i++) b->people[i] = person_data(i + 1);
    b->addresses = need(malloc((size_t)(addresses + 1) * sizeof *b->addresses));
    for (int64_t i = 0; i < addresses; i++) b->addresses[i] = address_data(i + 1);
}

static void fill(bench *b, int64_t rows)
{
    sqlite3_stmt *people = prepare(b, "insert into person values (?, ?, ?, ?, ?, ?)");
    sqlite3_stmt *addresses = prepare(b, "insert into address values (?, ?, ?)");
    run(b, "begin");
    for (int64_t i = 1; i <= rows; i++) {
        person_values v = person_data(i);
        sqlite3_bind_int64(people, 1, i);
        sqlite3_bind_text(people, 2, v.name, v.name_length, SQLITE_STATIC);
        sqlite3_bind_text(people, 3, v.email, v.email_length, SQLITE_STATIC);
        sqlite3_bind_int64(people, 4, v.age);
        sqlite3_bind_double(people, 5, v.score);
        sqlite3_bind_text(people, 6, v.created, v.created_length, SQLITE_STATIC);
        insert(b, people);
        for (int64_t j = (i - 1) * b->children + 1; j <= i * b->children; j++) {
            address_values a = address_data(j);
            sqlite3_bind_int64(addresses, 1, j);
            sqlite3_bind_int64(addresses, 2, i);
            sqlite3_bind_text(addresses, 3, a.email, a.email_length, SQLITE_STATIC);
            insert(b, addresses);
        }
    }
    run(b, "commit");
    sqlite3_finalize(people);
    sqlite3_finalize(addresses);
}

static void fill_size(bench *b)
{
    fill(b, b->size);
}

/* Point queries ask for keys all over a table of 100,000 rows. */
enum { point_rows = 100000, point_stride = 7919 };

static int64_t point_key(int64_t i)
{
    return i * point_stride % point_rows + 1;
}

static void fill_points(bench *b)
{
    fill(b, point_rows);
}

static void load_all(bench *b)
{
    sqlite3_stmt *row = prepare(b, select_all);
    while (sqlite3_step(row) == SQLITE_ROW) load_person(b, row);
    sqlite3_finalize(row);
}

static void fill_and_load(bench *b)
{
    int64_t n = 0;
    fill_size(b);
    load_all(b);
    b->objects = need(malloc((size_t)b->size * sizeof *b->objects));
    for (int64_t i = 1; i <= b->size; i++) b->objects[n++] = map_get(&b->person_map, i);
}

static void load_points(bench *b)
{
    fill_points(b);
    load_all(b);
}

/* ---- the workloads ---- */

TIMED timed_W1(bench *b)
{
    sqlite3_stmt *statement = prepare(b, "insert into person (name, email, age, score, created) values (?, ?, ?, ?, ?)");
    for (int64_t i = 0; i < b->size; i++) b->objects[i] = person_from_values(&b->people[i]);
    run(b, "begin");
    for (int64_t i = 0; i < b->size; i++) insert_person(b, statement, b->objects[i]);
    run(b, "commit");
    sqlite3_finalize(statement);
}

TIMED timed_W2(bench *b)
{
    load_all(b);
}

TIMED timed_W3(bench *b)
{
    sqlite3_stmt *row = prepare(b, select_all);
    while (sqlite3_step(row) == SQLITE_ROW) b->sum += person_row_sum(row);
    sqlite3_finalize(row);
}

TIMED timed_W4(bench *b)
{
    sqlite3_stmt *row = prepare(b, select_one);
    for (int64_t i = 0; i < b->size; i++) {
        sqlite3_bind_int64(row, 1, point_key(i));
        if (sqlite3_step(row) == SQLITE_ROW) b->sum += person_row_sum(row);
        sqlite3_reset(row);
    }
    sqlite3_finalize(row);
}

TIMED timed_W4_miss(bench *b)
{
    sqlite3_stmt *row = prepare(b, select_one);
    for (int64_t i = 0; i < b->size; i++) {
        int64_t key = point_key(i);
        person *p = map_get(&b->person_map, key);
        if (!p) {
            sqlite3_bind_int64(row, 1, key);
            if (sqlite3_step(row) == SQLITE_ROW) p = load_person(b, row);
            sqlite3_reset(row);
        }
        b->sum += p ? p->id : 0;
    }
    sqlite3_finalize(row);
}

TIMED timed_W4_hit(bench *b)
{
    for (int64_t i = 0; i < b->size; i++) {
        person *p = map_get(&b->person_map, point_key(i));
        b->sum += p ? p->id : 0;
    }
}

TIMED timed_W5_lazy(bench *b)
{
    sqlite3_stmt *parents = prepare(b, select_all), *row = prepare(b, select_children);
    while (sqlite3_step(parents) == SQLITE_ROW) {
        person *p = load_person(b, parents);
        sqlite3_bind_int64(row, 1, p->id);
        while (sqlite3_step(row) == SQLITE_ROW) append_child(p, load_address(b, row, 0));
        sqlite3_reset(row);
    }
    sqlite3_finalize(parents);
    sqlite3_finalize(row);
}

TIMED timed_W5_joined(bench *b)
{
    sqlite3_stmt *row = prepare(b,
        "select p.id, p.name, p.email, p.age, p.score, p.created, a.id, a.person_id, a.email"
        " from person as p left join address as a on a.person_id = p.id");
    person *p = NULL;
    while (sqlite3_step(row) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(row, 0);
        if (!p || p->id != id) p = map_get(&b->person_map, id);
        if (!p) p = load_person(b, row);
        if (sqlite3_column_type(row, 6) != SQLITE_NULL) append_child(p, load_address(b, row, 6));
    }
    sqlite3_finalize(row);
}

enum { keys_at_once = 500 };

static sqlite3_stmt *prepare_selectin(bench *b, int keys)
{
    static const char start[] = "select id, person_id, email from address where person_id in (?";
    char sql[sizeof start + 2 * keys_at_once + 2];
    char *end = sql + sprintf(sql, "%s", start);
    for (int i = 1; i < keys; i++) end += sprintf(end, ",?");
    strcpy(end, ")");
    return prepare(b, sql);
}

static void load_children(bench *b, sqlite3_stmt *row)
{
    person *p = NULL;
    while (sqlite3_step(row) == SQLITE_ROW) {
        address *a = load_address(b, row, 0);
        if (!p || p->id != a->person_id) p = map_get(&b->person_map, a->person_id);
        append_child(p, a);
    }
    sqlite3_reset(row);
}

TIMED timed_W5_selectin(bench *b)
{
    sqlite3_stmt *parents = prepare(b, select_all), *row = prepare_selectin(b, keys_at_once);
    int keys = 0;
    while (sqlite3_step(parents) == SQLITE_ROW) {
        sqlite3_bind_int64(row, ++keys, load_person(b, parents)->id);
        if (keys == keys_at_once) {
            load_children(b, row);
            keys = 0;
        }
    }
    while (keys && keys < keys_at_once) sqlite3_bind_null(row, ++keys);
    if (keys) load_children(b, row);
    sqlite3_finalize(parents);
    sqlite3_finalize(row);
}

TIMED timed_W6(bench *b)
{
    sqlite3_stmt *statement = prepare(b, "update person set age = ? where id = ?");
    person *changed = NULL, **last = &changed;
    for (int64_t i = 0; i < b->size; i++) {
        person *p = b->objects[i];
        p->age++;
        *last = p;
        last = &p->next_changed;
    }
    run(b, "begin");
    for (person *p = changed; p; p = p->next_changed) {
        sqlite3_bind_int64(statement, 1, p->age);
        sqlite3_bind_int64(statement, 2, p->id);
        insert(b, statement);
        b->sum += sqlite3_changes(b->db);
    }
    sqlite3_finalize(statement);
}

TIMED timed_W7(bench *b)
{
    sqlite3_stmt *people = prepare(b, "insert into person (name, email, age, score, created) values (?, ?, ?, ?, ?)");
    sqlite3_stmt *addresses = prepare(b, "insert into address (person_id, email) values (?, ?)");
    address_values *next = b->addresses;
    for (int64_t i = 0; i < b->size; i++) {
        person *p = b->objects[i] = person_from_values(&b->people[i]);
        for (int j = 0; j < b->children; j++, next++) append_child(p, new_address(0, 0, next->email, next->email_length));
    }
    run(b, "begin");
    for (int64_t i = 0; i < b->size; i++) insert_person(b, people, b->objects[i]);
    for (int64_t i = 0; i < b->size; i++)
        for (int j = 0; j < b->children; j++) insert_address(b, addresses, b->objects[i]->children[j]);
    sqlite3_finalize(people);
    sqlite3_finalize(addresses);
}

/* The peak of this process alone; the field of getrusage would start from the parent's. */
static int64_t peak_memory(void)
{
    char line[256];
    int64_t kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    if (!status) fail("/proc/self/status", "cannot be read");
    while (fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %" SCNd64, &kilobytes);
    fclose(status);
    return kilobytes * 1024;
}

static void need_file(bench *b)
{
    if (!b->file) fail("W10.memory", "needs a filled database file");
}

TIMED timed_W10_memory(bench *b)
{
    int64_t before = peak_memory();
    load_all(b);
    b->memory = peak_memory() - before;
}

TIMED timed_start(bench *b)
{
    sqlite3_stmt *row = prepare(b, "select 1");
    if (sqlite3_step(row) == SQLITE_ROW) b->sum = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
}

/* ---- afterwards: was the work done? ---- */

static void expect(const char *what, int64_t found, int64_t expected)
{
    if (found == expected) return;
    fprintf(stderr, "limit_sqlite: %s: %" PRId64 " instead of %" PRId64 "\n", what, found, expected);
    exit(1);
}

static int64_t query_number(bench *b, const char *sql)
{
    sqlite3_stmt *row = prepare(b, sql);
    check(b, sqlite3_step(row));
    int64_t number = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return number;
}

static void verify_sum(bench *b)
{
    expect("sum of the rows", b->sum, expected_person_sum(b->size));
}

static void verify_map(bench *b)
{
    for (int64_t i = 1; i <= b->size; i++) {
        person *p = map_get(&b->person_map, i);
        if (p) b->sum += person_sum(p->id, p->age, p->score, p->name_length + p->email_length + p->created_length);
    }
    expect("objects", (int64_t)b->person_map.count, b->size);
    verify_sum(b);
}

static void verify_inserted(bench *b)
{
    verify_map(b);
    expect("rows", query_number(b, "select count(*) from person"), b->size);
    expect("children", query_number(b, "select count(distinct person_id * 1000000 + id) from address"), b->size * b->children);
}

static void verify_points(bench *b)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < b->size; i++) {
        person_values v = person_data(point_key(i));
        sum += person_sum(point_key(i), v.age, v.score, v.name_length + v.email_length + v.created_length);
    }
    expect("sum of the rows", b->sum, sum);
}

static void verify_point_keys(bench *b)
{
    for (int64_t i = 0; i < b->size; i++) b->sum -= point_key(i);
    expect("sum of the keys", b->sum, 0);
}

static void verify_family(bench *b)
{
    verify_map(b);
    for (int64_t i = 1; i <= b->size; i++) {
        person *p = map_get(&b->person_map, i);
        expect("children", p->child_count, b->children);
        expect("parent", p->children[b->children - 1]->person_id, i);
    }
}

static void verify_updated(bench *b)
{
    expect("changes", b->sum, b->size);
    expect("sum of ages", query_number(b, "select sum(age - 19 - id % 70) from person"), 0);
}

static void verify_first(bench *b)
{
    expect("first query", b->sum, 1);
}

/* ---- the command line ---- */

typedef struct {
    const char *name;
    int64_t size;
    int children;
    void (*before)(bench *);
    void (*timed)(bench *);
    void (*verify)(bench *);
} workload;

static const workload workloads[] = {
    { "W1", 100000, 0, make_values, timed_W1, verify_inserted },
    { "W2", 100000, 0, fill_size, timed_W2, verify_map },
    { "W3", 100000, 0, fill_size, timed_W3, verify_sum },
    { "W4", 20000, 0, fill_points, timed_W4, verify_points },
    { "W4.miss", 20000, 0, fill_points, timed_W4_miss, verify_point_keys },
    { "W4.hit", 20000, 0, load_points, timed_W4_hit, verify_point_keys },
    { "W5.lazy", 5000, 10, fill_size, timed_W5_lazy, verify_family },
    { "W5.joined", 5000, 10, fill_size, timed_W5_joined, verify_family },
    { "W5.selectin", 5000, 10, fill_size, timed_W5_selectin, verify_family },
    { "W6", 100000, 0, fill_and_load, timed_W6, verify_updated },
    { "W7", 20000, 3, make_values, timed_W7, verify_inserted },
    { "W10.memory", 1000000, 0, need_file, timed_W10_memory, verify_map },
    { "start", 1, 0, NULL, timed_start, verify_first },
};

static int run_workload(const workload *w, int64_t size, const char *file)
{
    bench b = { .size = size ? size : w->size, .children = w->children, .file = file };
    open_database(&b);
    if (!file) run(&b, schema);
    if (w->before) w->before(&b);
    int64_t start = now();
    w->timed(&b);
    int64_t time = now() - start;
    w->verify(&b);
    printf("%s %.1f\n", w->name, (double)(b.memory ? b.memory : time) / (double)b.size);
    return 0;
}

static int fill_file(const char *file, int64_t rows)
{
    bench b = { .file = file };
    open_database(&b);
    run(&b, schema);
    fill(&b, rows);
    return sqlite3_close(b.db);
}

static int by_value(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int spawn(int times, char **command)
{
    int64_t *taken = need(calloc((size_t)times, sizeof *taken));
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    for (int i = 0; i < times; i++) {
        pid_t child;
        int status;
        int64_t start = now();
        if (posix_spawnp(&child, command[0], &quiet, NULL, command, environ)) fail(command[0], "cannot be started");
        if (waitpid(child, &status, 0) != child || status != 0) fail(command[0], "failed");
        taken[i] = now() - start;
    }
    qsort(taken, (size_t)times, sizeof *taken, by_value);
    printf("W10.start %" PRId64 "\n", taken[times / 2]);
    return 0;
}

int main(int count, char **arguments)
{
    if (count < 2) fail("usage", "limit_sqlite WORKLOAD [SIZE] [FILE] | fill FILE SIZE | spawn TIMES COMMAND...");
    if (count == 4 && !strcmp(arguments[1], "fill")) return fill_file(arguments[2], atoll(arguments[3]));
    if (count > 3 && atoi(arguments[2]) > 0 && !strcmp(arguments[1], "spawn")) return spawn(atoi(arguments[2]), arguments + 3);
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (!strcmp(workloads[i].name, arguments[1]))
            return run_workload(&workloads[i], count > 2 ? atoll(arguments[2]) : 0, count > 3 ? arguments[3] : NULL);
    fail(arguments[1], "no such workload");
}
