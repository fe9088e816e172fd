/*
 * The limit: what a plain C program over sqlite3 needs for the workloads of this folder when it does
 * them well (limit.h). The connection takes no mutex, memory statistics are off, each statement is prepared once, everything
 * happens in one transaction.
 *
 *   limit_sqlite WORKLOAD [SIZE] [FILE]     runs one workload, prints its name and nanoseconds a unit
 *   limit_sqlite fill FILE SIZE             makes the database file that W10.memory loads
 *   limit_sqlite spawn TIMES COMMAND...     prints the median nanoseconds from start to end of a command
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_CONNECTION sqlite3
#include "limit.h"

extern char **environ;

/* ---- the database ---- */

static const char schema[] =
    "create table person (id integer primary key, name text, email text, age integer, score real, created text);"
    "create table address (id integer primary key, person_id integer references person (id), email text);"
    "create index ix_address_person_id on address (person_id);";

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

static int64_t query_number(bench *b, const char *sql)
{
    sqlite3_stmt *row = prepare(b, sql);
    check(b, sqlite3_step(row));
    int64_t number = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return number;
}

static void verify_inserted(bench *b)
{
    verify_map(b);
    expect("rows", query_number(b, "select count(*) from person"), b->size);
    expect("children", query_number(b, "select count(distinct person_id * 1000000 + id) from address"), b->size * b->children);
}

static void verify_first(bench *b)
{
    expect("first query", b->sum, 1);
}

/* ---- the command line ---- */

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

static int run_here(const workload *w, int64_t size, const char *file)
{
    bench b = { .file = file, .children = w->children };
    open_database(&b);
    if (!file) run(&b, schema);
    run_workload(&b, w, size);
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
            return run_here(&workloads[i], count > 2 ? atoll(arguments[2]) : 0, count > 3 ? arguments[3] : NULL);
    fail(arguments[1], "no such workload");
}
