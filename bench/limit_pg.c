/*
 * The limit on PostgreSQL: what a plain C program over libpq needs for the workloads of this folder when it does them well
 * (limit.h). Parameters and results are binary, statements are prepared once, everything happens in one transaction. New rows
 * and changes go as arrays (unnest), many to a statement, and the next arrays are written while the server works on the last.
 *
 *   limit_pg WORKLOAD SIZE URL        runs one workload on tables that bench/database.lua has made, prints nanoseconds a unit
 */
#define _GNU_SOURCE 1
#include <endian.h>
#include <libpq-fe.h>

#define LIMIT_CONNECTION PGconn
#include "limit.h"

enum { TYPE_INT4 = 23, TYPE_FLOAT8 = 701, TYPE_VARCHAR = 1043 };

static const char select_one[] = "select id, name, email, age, score, created from person where id = $1";
static const char select_children[] = "select id, person_id, email from address where person_id = $1";

/* ---- the database ---- */

static PGresult *expect_result(bench *b, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_COPY_IN) fail("libpq", PQerrorMessage(b->db));
    return result;
}

static void run(bench *b, const char *sql)
{
    PQclear(expect_result(b, PQexec(b->db, sql)));
}

static void prepare(bench *b, const char *name, const char *sql)
{
    PQclear(expect_result(b, PQprepare(b->db, name, sql, 0, NULL)));
}

static PGresult *query_all(bench *b, const char *sql)
{
    return expect_result(b, PQexecParams(b->db, sql, 0, NULL, NULL, NULL, NULL, 1));
}

/* A prepared query with one integer; sleeps in poll until the answer is there. */
static PGresult *query_key(bench *b, const char *name, int64_t key)
{
    uint32_t bytes = htobe32((uint32_t)key);
    const char *values[] = { (const char *)&bytes };
    const int lengths[] = { sizeof bytes }, formats[] = { 1 };
    return expect_result(b, PQexecPrepared(b->db, name, 1, values, lengths, formats, 1));
}

static void open_database(bench *b, const char *url)
{
    b->db = PQconnectdb(url);
    if (PQstatus(b->db) != CONNECTION_OK) fail("libpq", PQerrorMessage(b->db));
    run(b, "begin");
    map_init(&b->person_map);
    map_init(&b->address_map);
}

/* ---- rows ---- */

static int64_t get_integer(const PGresult *result, int row, int column)
{
    uint32_t bytes;
    memcpy(&bytes, PQgetvalue(result, row, column), sizeof bytes);
    return (int32_t)be32toh(bytes);
}

static double get_real(const PGresult *result, int row, int column)
{
    uint64_t bytes;
    double real;
    memcpy(&bytes, PQgetvalue(result, row, column), sizeof bytes);
    bytes = be64toh(bytes);
    memcpy(&real, &bytes, sizeof real);
    return real;
}

static int64_t person_row_sum(const PGresult *result, int row)
{
    if (PQgetisnull(result, row, 1) || PQgetisnull(result, row, 2) || PQgetisnull(result, row, 5)) fail("person", "a text is missing");
    return person_sum(get_integer(result, row, 0), get_integer(result, row, 3), get_real(result, row, 4),
                      PQgetlength(result, row, 1) + PQgetlength(result, row, 2) + PQgetlength(result, row, 5));
}

static person *load_person(bench *b, const PGresult *result, int row)
{
    int64_t id = get_integer(result, row, 0);
    person *p = new_person(id, get_integer(result, row, 3), get_real(result, row, 4), PQgetvalue(result, row, 1), PQgetlength(result, row, 1),
                           PQgetvalue(result, row, 2), PQgetlength(result, row, 2), PQgetvalue(result, row, 5), PQgetlength(result, row, 5));
    map_put(&b->person_map, id, p);
    return p;
}

static address *load_address(bench *b, const PGresult *result, int row, int first)
{
    int64_t id = get_integer(result, row, first);
    address *a = new_address(id, get_integer(result, row, first + 1), PQgetvalue(result, row, first + 2), PQgetlength(result, row, first + 2));
    map_put(&b->address_map, id, a);
    return a;
}

static void load_all(bench *b)
{
    PGresult *result = query_all(b, select_all);
    int rows = PQntuples(result);
    for (int i = 0; i < rows; i++) load_person(b, result, i);
    PQclear(result);
}

static void load_objects(bench *b)
{
    load_all(b);
    b->objects = need(malloc((size_t)b->size * sizeof *b->objects));
    for (int64_t i = 1; i <= b->size; i++) b->objects[i - 1] = map_get(&b->person_map, i);
}

/* ---- arrays ---- */

typedef struct {
    char *bytes;
    size_t length, room;
} buffer;

enum { columns_at_most = 5 };

static char *grow(buffer *to, size_t size)
{
    if (to->length + size > to->room) {
        to->room = (to->length + size) * 2;
        to->bytes = need(realloc(to->bytes, to->room));
    }
    to->length += size;
    return to->bytes + to->length - size;
}

static void put_16(buffer *to, int value)
{
    uint16_t bytes = htobe16((uint16_t)value);
    memcpy(grow(to, sizeof bytes), &bytes, sizeof bytes);
}

static void put_32(buffer *to, int64_t value)
{
    uint32_t bytes = htobe32((uint32_t)value);
    memcpy(grow(to, sizeof bytes), &bytes, sizeof bytes);
}

static void put_text(buffer *to, const char *text, int length)
{
    put_32(to, length);
    memcpy(grow(to, (size_t)length), text, (size_t)length);
}

static void put_integer(buffer *to, int64_t value)
{
    put_32(to, 4);
    put_32(to, value);
}

static void put_real(buffer *to, double real)
{
    uint64_t bytes;
    memcpy(&bytes, &real, sizeof bytes);
    bytes = htobe64(bytes);
    put_32(to, sizeof bytes);
    memcpy(grow(to, sizeof bytes), &bytes, sizeof bytes);
}

/* One dimension, no nulls, so many elements, counted from 1. */
static void begin_array(buffer *to, int type, int64_t count)
{
    to->length = 0;
    put_32(to, 1);
    put_32(to, 0);
    put_32(to, type);
    put_32(to, count);
    put_32(to, 1);
}

static void send_arrays(bench *b, const char *name, const buffer *columns, int count)
{
    const char *values[columns_at_most];
    int lengths[columns_at_most], formats[columns_at_most];
    for (int i = 0; i < count; i++) {
        values[i] = columns[i].bytes;
        lengths[i] = (int)columns[i].length;
        formats[i] = 1;
    }
    if (!PQsendQueryPrepared(b->db, name, count, values, lengths, formats, 1)) fail("libpq", PQerrorMessage(b->db));
    while (PQflush(b->db) > 0) PQconsumeInput(b->db);
}

static PGresult *answer(bench *b)
{
    PGresult *result = expect_result(b, PQgetResult(b->db)), *end = PQgetResult(b->db);
    if (end) fail("libpq", "a second result");
    return result;
}

/* So many units at once: writes the arrays of units [from, to) and says how many columns they are; takes what the server said of as many. */
typedef struct {
    const char *name;
    int64_t at_once;
    int (*write)(bench *b, int64_t from, int64_t to, buffer *columns);
    void (*take)(bench *b, int64_t from, int64_t to, const PGresult *result);
} array_statement;

/* While the server works on one lot of arrays, the next are written. */
static void run_arrays(bench *b, const array_statement *statement, int64_t count)
{
    buffer columns[columns_at_most] = { { 0 } };
    int64_t sent = 0, taken = 0;
    while (taken < count) {
        int64_t next = sent + statement->at_once < count ? sent + statement->at_once : count;
        int arrays = next > sent ? statement->write(b, sent, next, columns) : 0;
        if (sent > taken) {
            PGresult *result = answer(b);
            statement->take(b, taken, sent, result);
            PQclear(result);
            taken = sent;
        }
        if (next > sent) send_arrays(b, statement->name, columns, arrays);
        sent = next;
    }
    for (int i = 0; i < columns_at_most; i++) free(columns[i].bytes);
}

static int write_people(bench *b, int64_t from, int64_t to, buffer *columns)
{
    static const int types[] = { TYPE_VARCHAR, TYPE_VARCHAR, TYPE_INT4, TYPE_FLOAT8, TYPE_VARCHAR };
    for (int i = 0; i < 5; i++) begin_array(&columns[i], types[i], to - from);
    for (int64_t i = from; i < to; i++) {
        const person *p = b->objects[i];
        const char *email = p->text + p->name_length;
        put_text(&columns[0], p->text, p->name_length);
        put_text(&columns[1], email, p->email_length);
        put_integer(&columns[2], p->age);
        put_real(&columns[3], p->score);
        put_text(&columns[4], email + p->email_length, p->created_length);
    }
    return 5;
}

static void take_people(bench *b, int64_t from, int64_t to, const PGresult *result)
{
    expect("keys", PQntuples(result), to - from);
    for (int64_t i = from; i < to; i++) {
        person *p = b->objects[i];
        p->id = get_integer(result, (int)(i - from), 0);
        map_put(&b->person_map, p->id, p);
    }
}

static address *child_at(bench *b, int64_t i)
{
    return b->objects[i / b->children]->children[i % b->children];
}

static int write_addresses(bench *b, int64_t from, int64_t to, buffer *columns)
{
    begin_array(&columns[0], TYPE_INT4, to - from);
    begin_array(&columns[1], TYPE_VARCHAR, to - from);
    for (int64_t i = from; i < to; i++) {
        address *a = child_at(b, i);
        a->person_id = a->parent->id;
        put_integer(&columns[0], a->person_id);
        put_text(&columns[1], a->text, a->email_length);
    }
    return 2;
}

static void take_addresses(bench *b, int64_t from, int64_t to, const PGresult *result)
{
    expect("keys", PQntuples(result), to - from);
    for (int64_t i = from; i < to; i++) {
        address *a = child_at(b, i);
        a->id = get_integer(result, (int)(i - from), 0);
        map_put(&b->address_map, a->id, a);
    }
}

static int write_ages(bench *b, int64_t from, int64_t to, buffer *columns)
{
    begin_array(&columns[0], TYPE_INT4, to - from);
    begin_array(&columns[1], TYPE_INT4, to - from);
    for (int64_t i = from; i < to; i++) {
        put_integer(&columns[0], b->objects[i]->id);
        put_integer(&columns[1], b->objects[i]->age);
    }
    return 2;
}

static void take_changes(bench *b, int64_t from, int64_t to, const PGresult *result)
{
    int64_t changes = atoll(PQcmdTuples((PGresult *)result));
    expect("changes", changes, to - from);
    b->sum += changes;
}

static const char insert_people[] = "insert into person (name, email, age, score, created)"
    " select unnest($1::varchar[]), unnest($2::varchar[]), unnest($3::int4[]), unnest($4::float8[]), unnest($5::varchar[]) returning id";
static const char insert_addresses[] = "insert into address (person_id, email) select unnest($1::int4[]), unnest($2::varchar[]) returning id";
static const char update_ages[] = "update person set age = v.age from (select unnest($1::int4[]) as id, unnest($2::int4[]) as age) as v where person.id = v.id";

/* In lots, so that the server works while the next is written; but all changes at once, since each statement of them may read the whole table. */
static const array_statement people_statement = { "people", 2000, write_people, take_people };
static const array_statement addresses_statement = { "addresses", 2000, write_addresses, take_addresses };
static const array_statement ages_statement = { "ages", INT64_MAX / 2, write_ages, take_changes };

/* ---- the workloads ---- */

TIMED timed_W1(bench *b)
{
    prepare(b, "people", insert_people);
    for (int64_t i = 0; i < b->size; i++) b->objects[i] = person_from_values(&b->people[i]);
    run_arrays(b, &people_statement, b->size);
    run(b, "commit");
}

TIMED timed_W2(bench *b)
{
    load_all(b);
}

TIMED timed_W3(bench *b)
{
    PGresult *result = query_all(b, select_all);
    int rows = PQntuples(result);
    for (int i = 0; i < rows; i++) b->sum += person_row_sum(result, i);
    PQclear(result);
}

TIMED timed_W4(bench *b)
{
    prepare(b, "one", select_one);
    for (int64_t i = 0; i < b->size; i++) {
        PGresult *result = query_key(b, "one", point_key(i));
        if (PQntuples(result) == 1) b->sum += person_row_sum(result, 0);
        PQclear(result);
    }
}

TIMED timed_W4_miss(bench *b)
{
    prepare(b, "one", select_one);
    for (int64_t i = 0; i < b->size; i++) {
        int64_t key = point_key(i);
        person *p = map_get(&b->person_map, key);
        if (!p) {
            PGresult *result = query_key(b, "one", key);
            if (PQntuples(result) == 1) p = load_person(b, result, 0);
            PQclear(result);
        }
        b->sum += p ? p->id : 0;
    }
}

static void load_children(bench *b, const PGresult *result)
{
    int rows = PQntuples(result);
    person *p = NULL;
    for (int i = 0; i < rows; i++) {
        address *a = load_address(b, result, i, 0);
        if (!p || p->id != a->person_id) p = map_get(&b->person_map, a->person_id);
        append_child(p, a);
    }
}

TIMED timed_W5_lazy(bench *b)
{
    PGresult *parents = query_all(b, select_all);
    prepare(b, "children", select_children);
    for (int i = 0; i < PQntuples(parents); i++) {
        PGresult *result = query_key(b, "children", load_person(b, parents, i)->id);
        load_children(b, result);
        PQclear(result);
    }
    PQclear(parents);
}

TIMED timed_W5_joined(bench *b)
{
    PGresult *result = query_all(b, "select p.id, p.name, p.email, p.age, p.score, p.created, a.id, a.person_id, a.email"
                                    " from person as p left join address as a on a.person_id = p.id");
    int rows = PQntuples(result);
    person *p = NULL;
    for (int i = 0; i < rows; i++) {
        int64_t id = get_integer(result, i, 0);
        if (!p || p->id != id) p = map_get(&b->person_map, id);
        if (!p) p = load_person(b, result, i);
        if (!PQgetisnull(result, i, 6)) append_child(p, load_address(b, result, i, 6));
    }
    PQclear(result);
}

/* One array has the keys of all parents. */
TIMED timed_W5_selectin(bench *b)
{
    PGresult *parents = query_all(b, select_all), *children;
    buffer keys = { 0 };
    prepare(b, "children", "select id, person_id, email from address where person_id = any ($1::int4[])");
    begin_array(&keys, TYPE_INT4, PQntuples(parents));
    for (int i = 0; i < PQntuples(parents); i++) put_integer(&keys, load_person(b, parents, i)->id);
    send_arrays(b, "children", &keys, 1);
    children = answer(b);
    load_children(b, children);
    PQclear(children);
    PQclear(parents);
    free(keys.bytes);
}

TIMED timed_W6(bench *b)
{
    prepare(b, "ages", update_ages);
    for (int64_t i = 0; i < b->size; i++) b->objects[i]->age++;
    run_arrays(b, &ages_statement, b->size);
}

TIMED timed_W7(bench *b)
{
    address_values *next = b->addresses;
    prepare(b, "people", insert_people);
    prepare(b, "addresses", insert_addresses);
    for (int64_t i = 0; i < b->size; i++) {
        person *p = b->objects[i] = person_from_values(&b->people[i]);
        for (int j = 0; j < b->children; j++, next++) append_child(p, new_address(0, 0, next->email, next->email_length));
    }
    run_arrays(b, &people_statement, b->size);
    run_arrays(b, &addresses_statement, b->size * b->children);
}

/* The rows of W9 are these, again and again. */
enum { rows_in_turn = 100000, copy_piece = 1 << 16 };

static void make_rows(bench *b)
{
    b->people = need(malloc(rows_in_turn * sizeof *b->people));
    for (int64_t i = 0; i < rows_in_turn; i++) b->people[i] = person_data(i + 1);
}

static void put_copy(bench *b, buffer *piece)
{
    if (PQputCopyData(b->db, piece->bytes, (int)piece->length) != 1) fail("libpq", PQerrorMessage(b->db));
    piece->length = 0;
}

TIMED timed_W9(bench *b)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    buffer piece = { 0 };
    run(b, "copy person (name, email, age, score, created) from stdin (format binary)");
    memcpy(grow(&piece, sizeof head), head, sizeof head);
    for (int64_t i = 0; i < b->size; i++) {
        const person_values *v = &b->people[i % rows_in_turn];
        put_16(&piece, 5);
        put_text(&piece, v->name, v->name_length);
        put_text(&piece, v->email, v->email_length);
        put_integer(&piece, v->age);
        put_real(&piece, v->score);
        put_text(&piece, v->created, v->created_length);
        if (piece.length > copy_piece) put_copy(b, &piece);
    }
    put_16(&piece, -1);
    put_copy(b, &piece);
    if (PQputCopyEnd(b->db, NULL) != 1) fail("libpq", PQerrorMessage(b->db));
    PQclear(answer(b));
    run(b, "commit");
    free(piece.bytes);
}

/* ---- afterwards: was the work done? ---- */

static int64_t query_number(bench *b, const char *sql)
{
    PGresult *result = expect_result(b, PQexec(b->db, sql));
    int64_t number = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return number;
}

static void verify_inserted(bench *b)
{
    verify_map(b);
    expect("rows", query_number(b, "select count(*) from person"), b->size);
    expect("children", query_number(b, "select count(distinct (person_id, id)) from address"), b->size * b->children);
}

static void verify_copied(bench *b)
{
    expect("rows", query_number(b, "select count(*) from person"), b->size);
    int64_t ages = 0;
    for (int64_t i = 0; i < b->size; i++) ages += b->people[i % rows_in_turn].age;
    expect("sum of the ages", query_number(b, "select sum(age) from person"), ages);
}

static const workload workloads[] = {
    LIMIT_SERVER_WORKLOADS,
    { "W9", 1000000, 0, make_rows, timed_W9, verify_copied },
};

int main(int count, char **arguments)
{
    return run_named(workloads, sizeof workloads / sizeof *workloads, count, arguments, open_database);
}
