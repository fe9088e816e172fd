/*
 * The limit on MariaDB: what a plain C program over MariaDB Connector/C needs for the workloads of this folder when it does them
 * well (limit.h). Statements are prepared once, results are binary rows that are read as they come, everything happens in one
 * transaction. New rows and changes go as arrays, all in one execution, whose keys follow one another.
 *
 *   limit_mysql WORKLOAD SIZE SOCKET      runs one workload on tables that bench/database.lua has made, prints nanoseconds a unit
 */
#define _GNU_SOURCE 1
#include <mysql.h>

#define LIMIT_CONNECTION MYSQL
#include "limit.h"

enum { text_size = 64, rows_at_once = 100000, columns_at_most = 9 };

static const char select_one[] = "select id, name, email, age, score, created from person where id = ?";
static const char select_children[] = "select id, person_id, email from address where person_id = ?";

/* ---- the database ---- */

static void run(bench *b, const char *sql)
{
    if (mysql_query(b->db, sql)) fail("mariadb", mysql_error(b->db));
}

static void check(MYSQL_STMT *statement, int failed)
{
    if (failed) fail("mariadb", mysql_stmt_error(statement));
}

static MYSQL_STMT *prepare(bench *b, const char *sql)
{
    MYSQL_STMT *statement = need(mysql_stmt_init(b->db));
    check(statement, mysql_stmt_prepare(statement, sql, strlen(sql)));
    return statement;
}

static void open_database(bench *b, const char *socket)
{
    b->db = need(mysql_init(NULL));
    if (!mysql_real_connect(b->db, NULL, "spec", NULL, "spec", 0, socket, CLIENT_FOUND_ROWS)) fail("mariadb", mysql_error(b->db));
    run(b, "start transaction");
    map_init(&b->person_map);
    map_init(&b->address_map);
}

/* ---- rows ---- */

typedef struct {
    int integer;
    double real;
    unsigned long length;
    char text[text_size];
    my_bool null;
} cell;

typedef struct {
    MYSQL_STMT *statement;
    MYSQL_BIND binds[columns_at_most];
    cell cells[columns_at_most];
} query;

/* The columns of an address follow those of a person. */
static const enum enum_field_types column_types[columns_at_most] = {
    MYSQL_TYPE_LONG, MYSQL_TYPE_STRING, MYSQL_TYPE_STRING, MYSQL_TYPE_LONG, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_STRING,
    MYSQL_TYPE_LONG, MYSQL_TYPE_LONG, MYSQL_TYPE_STRING,
};

static void bind_cell(MYSQL_BIND *bind, cell *c, enum enum_field_types type)
{
    bind->buffer_type = type;
    bind->is_null = &c->null;
    bind->length = &c->length;
    bind->buffer = type == MYSQL_TYPE_STRING ? (void *)c->text : type == MYSQL_TYPE_DOUBLE ? (void *)&c->real : &c->integer;
    bind->buffer_length = text_size;
}

/* Reads columns [first, last) of those above. */
static query *open_query(bench *b, const char *sql, int first, int last)
{
    query *q = need(calloc(1, sizeof *q));
    q->statement = prepare(b, sql);
    for (int i = first; i < last; i++) bind_cell(&q->binds[i - first], &q->cells[i], column_types[i]);
    return q;
}

static void execute(query *q)
{
    check(q->statement, mysql_stmt_execute(q->statement));
    check(q->statement, mysql_stmt_bind_result(q->statement, q->binds));
}

static void execute_key(query *q, int64_t key)
{
    int integer = (int)key;
    MYSQL_BIND parameter = { .buffer_type = MYSQL_TYPE_LONG, .buffer = &integer };
    check(q->statement, mysql_stmt_bind_param(q->statement, &parameter));
    execute(q);
}

static bool fetch(query *q)
{
    int code = mysql_stmt_fetch(q->statement);
    if (code != 0 && code != MYSQL_NO_DATA) fail("mariadb", code == 1 ? mysql_stmt_error(q->statement) : "a value is too long");
    return code == 0;
}

static void close_query(query *q)
{
    mysql_stmt_close(q->statement);
    free(q);
}

static int64_t person_row_sum(const query *q)
{
    const cell *c = q->cells;
    if (c[1].null || c[2].null || c[5].null) fail("person", "a text is missing");
    return person_sum(c[0].integer, c[3].integer, c[4].real, (int64_t)(c[1].length + c[2].length + c[5].length));
}

static person *load_person(bench *b, const query *q)
{
    const cell *c = q->cells;
    person *p = new_person(c[0].integer, c[3].integer, c[4].real, c[1].text, (int)c[1].length, c[2].text, (int)c[2].length,
                           c[5].text, (int)c[5].length);
    map_put(&b->person_map, p->id, p);
    return p;
}

static address *load_address(bench *b, const query *q)
{
    const cell *c = &q->cells[6];
    address *a = new_address(c[0].integer, c[1].integer, c[2].text, (int)c[2].length);
    map_put(&b->address_map, a->id, a);
    return a;
}

static void load_all(bench *b)
{
    query *q = open_query(b, select_all, 0, 6);
    for (execute(q); fetch(q);) load_person(b, q);
    close_query(q);
}

static void load_objects(bench *b)
{
    load_all(b);
    b->objects = need(malloc((size_t)b->size * sizeof *b->objects));
    for (int64_t i = 1; i <= b->size; i++) b->objects[i - 1] = map_get(&b->person_map, i);
}

/* ---- arrays ---- */

typedef struct {
    int integers[rows_at_once];
    double reals[rows_at_once];
    const char *texts[rows_at_once];
    unsigned long lengths[rows_at_once];
} array;

/* Writes units [from, to) into the arrays, and takes what became of as many. */
typedef struct {
    const char *sql;
    int columns;
    enum enum_field_types types[columns_at_most];
    void (*write)(bench *b, int64_t from, int64_t to, array *columns);
    void (*take)(bench *b, int64_t from, int64_t to, MYSQL_STMT *statement);
} array_statement;

static void bind_array(MYSQL_BIND *bind, array *a, enum enum_field_types type)
{
    bind->buffer_type = type;
    bind->length = a->lengths;
    bind->buffer = type == MYSQL_TYPE_STRING ? (void *)a->texts : type == MYSQL_TYPE_DOUBLE ? (void *)a->reals : a->integers;
}

static void run_arrays(bench *b, const array_statement *s, int64_t count)
{
    MYSQL_STMT *statement = prepare(b, s->sql);
    MYSQL_BIND binds[columns_at_most] = { { 0 } };
    array *columns = need(malloc((size_t)s->columns * sizeof *columns));
    for (int i = 0; i < s->columns; i++) bind_array(&binds[i], &columns[i], s->types[i]);
    for (int64_t from = 0, to; from < count; from = to) {
        to = from + rows_at_once < count ? from + rows_at_once : count;
        unsigned int rows = (unsigned int)(to - from);
        s->write(b, from, to, columns);
        check(statement, mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &rows));
        check(statement, mysql_stmt_bind_param(statement, binds));
        check(statement, mysql_stmt_execute(statement));
        s->take(b, from, to, statement);
    }
    mysql_stmt_close(statement);
    free(columns);
}

static void put_text(array *to, int64_t at, const char *text, int length)
{
    to->texts[at] = text;
    to->lengths[at] = (unsigned long)length;
}

static void write_people(bench *b, int64_t from, int64_t to, array *columns)
{
    for (int64_t i = from; i < to; i++) {
        const person *p = b->objects[i];
        const char *email = p->text + p->name_length;
        put_text(&columns[0], i - from, p->text, p->name_length);
        put_text(&columns[1], i - from, email, p->email_length);
        columns[2].integers[i - from] = (int)p->age;
        columns[3].reals[i - from] = p->score;
        put_text(&columns[4], i - from, email + p->email_length, p->created_length);
    }
}

static void take_people(bench *b, int64_t from, int64_t to, MYSQL_STMT *statement)
{
    int64_t first = (int64_t)mysql_stmt_insert_id(statement);
    expect("rows", (int64_t)mysql_stmt_affected_rows(statement), to - from);
    for (int64_t i = from; i < to; i++) {
        person *p = b->objects[i];
        p->id = first + i - from;
        map_put(&b->person_map, p->id, p);
    }
}

static address *child_at(bench *b, int64_t i)
{
    return b->objects[i / b->children]->children[i % b->children];
}

static void write_addresses(bench *b, int64_t from, int64_t to, array *columns)
{
    for (int64_t i = from; i < to; i++) {
        address *a = child_at(b, i);
        a->person_id = a->parent->id;
        columns[0].integers[i - from] = (int)a->person_id;
        put_text(&columns[1], i - from, a->text, a->email_length);
    }
}

static void take_addresses(bench *b, int64_t from, int64_t to, MYSQL_STMT *statement)
{
    int64_t first = (int64_t)mysql_stmt_insert_id(statement);
    expect("rows", (int64_t)mysql_stmt_affected_rows(statement), to - from);
    for (int64_t i = from; i < to; i++) {
        address *a = child_at(b, i);
        a->id = first + i - from;
        map_put(&b->address_map, a->id, a);
    }
}

static void write_ages(bench *b, int64_t from, int64_t to, array *columns)
{
    for (int64_t i = from; i < to; i++) {
        columns[0].integers[i - from] = (int)b->objects[i]->age;
        columns[1].integers[i - from] = (int)b->objects[i]->id;
    }
}

static void take_changes(bench *b, int64_t from, int64_t to, MYSQL_STMT *statement)
{
    expect("changes", (int64_t)mysql_stmt_affected_rows(statement), to - from);
    b->sum += to - from;
}

static const array_statement insert_people = {
    "insert into person (name, email, age, score, created) values (?, ?, ?, ?, ?)", 5,
    { MYSQL_TYPE_STRING, MYSQL_TYPE_STRING, MYSQL_TYPE_LONG, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_STRING }, write_people, take_people };
static const array_statement insert_addresses = {
    "insert into address (person_id, email) values (?, ?)", 2, { MYSQL_TYPE_LONG, MYSQL_TYPE_STRING }, write_addresses, take_addresses };
static const array_statement update_ages = {
    "update person set age = ? where id = ?", 2, { MYSQL_TYPE_LONG, MYSQL_TYPE_LONG }, write_ages, take_changes };

/* ---- the workloads ---- */

TIMED timed_W1(bench *b)
{
    for (int64_t i = 0; i < b->size; i++) b->objects[i] = person_from_values(&b->people[i]);
    run_arrays(b, &insert_people, b->size);
    run(b, "commit");
}

TIMED timed_W2(bench *b)
{
    load_all(b);
}

TIMED timed_W3(bench *b)
{
    query *q = open_query(b, select_all, 0, 6);
    for (execute(q); fetch(q);) b->sum += person_row_sum(q);
    close_query(q);
}

TIMED timed_W4(bench *b)
{
    query *q = open_query(b, select_one, 0, 6);
    for (int64_t i = 0; i < b->size; i++)
        for (execute_key(q, point_key(i)); fetch(q);) b->sum += person_row_sum(q);
    close_query(q);
}

TIMED timed_W4_miss(bench *b)
{
    query *q = open_query(b, select_one, 0, 6);
    for (int64_t i = 0; i < b->size; i++) {
        int64_t key = point_key(i);
        person *p = map_get(&b->person_map, key);
        if (!p)
            for (execute_key(q, key); fetch(q);) p = load_person(b, q);
        b->sum += p ? p->id : 0;
    }
    close_query(q);
}

static void load_child(bench *b, const query *q, person **last)
{
    address *a = load_address(b, q);
    if (!*last || (*last)->id != a->person_id) *last = map_get(&b->person_map, a->person_id);
    append_child(*last, a);
}

TIMED timed_W5_lazy(bench *b)
{
    load_all(b);
    query *q = open_query(b, select_children, 6, 9);
    for (int64_t i = 1; i <= b->size; i++) {
        person *p = map_get(&b->person_map, i);
        for (execute_key(q, i); fetch(q);) load_child(b, q, &p);
    }
    close_query(q);
}

TIMED timed_W5_joined(bench *b)
{
    query *q = open_query(b, "select p.id, p.name, p.email, p.age, p.score, p.created, a.id, a.person_id, a.email"
                             " from person as p left join address as a on a.person_id = p.id", 0, 9);
    person *p = NULL;
    for (execute(q); fetch(q);) {
        if (!p || p->id != q->cells[0].integer) p = map_get(&b->person_map, q->cells[0].integer);
        if (!p) p = load_person(b, q);
        if (!q->cells[6].null) append_child(p, load_address(b, q));
    }
    close_query(q);
}

enum { keys_at_once = 500 };

static query *open_selectin(bench *b)
{
    static const char start[] = "select id, person_id, email from address where person_id in (?";
    char sql[sizeof start + 2 * keys_at_once + 2];
    char *end = sql + sprintf(sql, "%s", start);
    for (int i = 1; i < keys_at_once; i++) end += sprintf(end, ",?");
    strcpy(end, ")");
    return open_query(b, sql, 6, 9);
}

/* Behind the last key the key 0, which nobody has. */
TIMED timed_W5_selectin(bench *b)
{
    int keys[keys_at_once];
    MYSQL_BIND parameters[keys_at_once] = { { 0 } };
    query *q = open_selectin(b);
    person *p = NULL;
    load_all(b);
    for (int i = 0; i < keys_at_once; i++) parameters[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONG, .buffer = &keys[i] };
    for (int64_t i = 0; i < b->size; i += keys_at_once) {
        for (int j = 0; j < keys_at_once; j++) keys[j] = i + j < b->size ? (int)(i + j + 1) : 0;
        check(q->statement, mysql_stmt_bind_param(q->statement, parameters));
        for (execute(q); fetch(q);) load_child(b, q, &p);
    }
    close_query(q);
}

TIMED timed_W6(bench *b)
{
    for (int64_t i = 0; i < b->size; i++) b->objects[i]->age++;
    run_arrays(b, &update_ages, b->size);
}

TIMED timed_W7(bench *b)
{
    address_values *next = b->addresses;
    for (int64_t i = 0; i < b->size; i++) {
        person *p = b->objects[i] = person_from_values(&b->people[i]);
        for (int j = 0; j < b->children; j++, next++) append_child(p, new_address(0, 0, next->email, next->email_length));
    }
    run_arrays(b, &insert_people, b->size);
    run_arrays(b, &insert_addresses, b->size * b->children);
}

/* ---- afterwards: was the work done? ---- */

static int64_t query_number(bench *b, const char *sql)
{
    run(b, sql);
    MYSQL_RES *result = need(mysql_store_result(b->db));
    int64_t number = atoll(mysql_fetch_row(result)[0]);
    mysql_free_result(result);
    return number;
}

/* The keys are what the database says, too: a person's name has its place, and so has a child's. */
static void verify_inserted(bench *b)
{
    verify_map(b);
    expect("rows", query_number(b, "select count(*) from person where name = concat('Person ', lpad(id, 6, '0'))"), b->size);
    expect("children", query_number(b, "select count(*) from address where email = concat('home', lpad(id, 7, '0'), '@example.org')"
                                       " and person_id = (id - 1) div 3 + 1"), b->size * b->children);
}

static const workload workloads[] = {
    LIMIT_SERVER_WORKLOADS,
};

int main(int count, char **arguments)
{
    return run_named(workloads, sizeof workloads / sizeof *workloads, count, arguments, open_database);
}
