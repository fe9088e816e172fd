#include "compile_check.h"

#define U(name) c(w.users, name)
#define A(name) c(w.addresses, name)
#define D(name) c(w.defaults, name)

static const char *const name_and_age[] = { "name", "age" };
static const alch_compile_options by_name = { .parameter_names = name_and_age, .parameter_count = 2 };

static X insert_named(void) { return ROWS(INTO(insert(w.users), U("id"), U("name")), ROW(typed(w.users, "id", i(1)), typed(w.users, "name", s("x")))); }

CASE("insert: one row, many rows, none, parameters") {
  spec_open();
  SQL(insert_named(), "INSERT INTO users (id, name) VALUES (:id, :name)");
  SQL(ROWS(INTO(insert(w.users), U("name"), U("id")), ROW(s("x"), i(1))), "INSERT INTO users (id, name) VALUES (:id, :name)");
  SQL(ROWS(INTO(insert(w.users), U("name")), ROW(s("x")), ROW(s("y"))), "INSERT INTO users (name) VALUES (:name_m0), (:name_m1)");
  SQL(insert(w.users), "INSERT INTO users DEFAULT VALUES");
  check_sql(insert(w.users), &by_name, "INSERT INTO users (name, age) VALUES (:name, :age)", NULL, __LINE__);
  check_sql(insert_named(), &by_name, "INSERT INTO users (id, name, age) VALUES (:id, :name, :age)", NULL, __LINE__);
  SQL(ROWS(INTO(insert(w.users), U("age")), ROW(add(value(i(1), 0), i(2)))), "INSERT INTO users (age) VALUES ((:param_1 + :param_2))");
  SQL(ROWS(INTO(insert(w.users), U("name"), U("age")), ROW(FUNC("lower", s("A")), sql_null())), "INSERT INTO users (name, age) VALUES (lower(:lower_1), NULL)");
  SQL(ROWS(INTO(insert(w.users), U("age")), ROW(scalar(SELECT(FUNC("max", A("id")))))), "INSERT INTO users (age) VALUES ((SELECT max(addresses.id) AS max_1 FROM addresses))");
  SQL(ROWS(INTO(insert(w.users), U("name")), SELECT(A("email"))), "INSERT INTO users (name) SELECT addresses.email FROM addresses");
  SQL(ROWS(INTO(insert(w.users), U("name"), U("age")), SELECT(A("email"), A("id"))), "INSERT INTO users (name, age) SELECT addresses.email, addresses.id FROM addresses");
  SQL2(ROWS(INTO(insert(w.quoted), c(w.quoted, "two words")), ROW(s("x"))), "INSERT INTO \"Order\" (\"two words\") VALUES (:two words)", "INSERT INTO \"Order\" (\"two words\") VALUES (?)");
  X named = cte(SELECT(A("email")), "t");
  SQL(ROWS(INTO(insert(w.users), U("name")), SELECT(at(named, 0))), "WITH t AS (SELECT addresses.email AS email FROM addresses) INSERT INTO users (name) SELECT t.email FROM t");
  SQL(CLAUSE(insert_named(), PREFIXES, text("OR REPLACE")), "INSERT OR REPLACE INTO users (id, name) VALUES (:id, :name)");
  FAILS(ROWS(INTO(insert(w.users), U("name"), U("age")), ROW(s("x"))), "sqlite", COMPILE, "a row of the INSERT into 'users' has 1 values for 2 columns");
  FAILS(ROWS(INTO(insert(w.users), A("email")), ROW(s("x"))), "sqlite", NO_SUCH_COLUMN, "INSERT names a column that is not one of 'users'");
  FAILS(ROWS(insert(w.users), ROW(i(1)), ROW(i(2))), "sqlite", COMPILE, "several rows of the INSERT into 'users' have no column at all");
  spec_close();
}

CASE("insert: defaults of columns") {
  spec_open();
  world_add_defaults();
  SQL(insert(w.defaults), "INSERT INTO defaults (stamp, level) VALUES (lower('a'), :level)");
  X two = ROWS(INTO(insert(w.defaults), D("name")), ROW(s("x")), ROW(s("y")));
  SQL2(two, "INSERT INTO defaults (name, stamp, level) VALUES (:name_m0, lower('a'), :level), (:name_m1, lower('a'), :level)",
       "INSERT INTO defaults (name, stamp, level) VALUES (?, lower('a'), ?), (?, lower('a'), ?)");
  SQL(ROWS(INTO(insert(w.defaults), D("level")), ROW(i(1))), "INSERT INTO defaults (stamp, level) VALUES (lower('a'), :level)");
  SQL(ROWS(INTO(insert(w.defaults), D("name")), SELECT(A("email"))), "INSERT INTO defaults (name, stamp, level) SELECT addresses.email, lower('a'), :level AS anon_1 FROM addresses");
  FAILS(ROWS(INTO(insert(w.defaults), D("name")), compound(ALCH_COMPOUND_UNION, SELECT(A("email")), SELECT(A("email")))), "sqlite", COMPILE,
        "a compound select cannot give the default of column 'stamp' of 'defaults' as well; make it a subquery and select from that");
  alch_compiled *compiled = compiled_as(two, "sqlite", NULL);
  if (!CHECK(compiled != NULL)) return;
  CHECK_INT(compiled->kind, ALCH_STATEMENT_INSERT);
  CHECK(compiled->table == w.defaults);
  CHECK(!compiled->bulk_insert);
  CHECK(compiled->has_values);
  CHECK_INT(compiled->slot_count, 4);
  CHECK_INT(compiled->slots[1].kind, ALCH_SLOT_DEFAULT);
  CHECK_TEXT(compiled->slots[1].column->name, "level");
  CHECK_INT(compiled->slots[2].ordinal, 1);
  CHECK_TEXT(compiled->slots[2].column->name, "name");
  alch_compiled_release(compiled);
  compiled = compiled_as(insert(w.users), "sqlite", &by_name);
  if (!CHECK(compiled != NULL)) return;
  CHECK(compiled->bulk_insert);
  CHECK_TEXT(compiled->slots[0].name, "name");
  CHECK(compiled->slots[0].required);
  CHECK_INT(compiled->slots[0].ordinal, UINT32_MAX);
  CHECK_INT(compiled->slots[1].type->family, ALCH_TYPE_INTEGER);
  alch_compiled_release(compiled);
  spec_close();
}

static X conflict(X statement, uint8_t op, const X *parts, size_t count) { return clause_of(statement, ALCH_NODE_ON_CONFLICT, op, parts, count); }

CASE("insert: on conflict, returning") {
  spec_open();
  X targets = NODE(TARGETS, 0, 0, 0, U("id"));
  X set = NODE(SET, 0, 0, 0, assign(w.users, "name", leaf(ALCH_NODE_EXCLUDED, w.users->id, 1)), assign(w.users, "age", add(U("age"), i(1))));
  X where = NODE(WHERE, 0, 0, 0, lt(U("age"), i(5)));
  SQL(conflict(insert_named(), 0, NULL, 0), "INSERT INTO users (id, name) VALUES (:id, :name) ON CONFLICT DO NOTHING");
  SQL(conflict(insert_named(), 0, &targets, 1), "INSERT INTO users (id, name) VALUES (:id, :name) ON CONFLICT (id) DO NOTHING");
  SQL(conflict(insert_named(), 1, (X[]){ targets, set }, 2),
      "INSERT INTO users (id, name) VALUES (:id, :name) ON CONFLICT (id) DO UPDATE SET name = excluded.name, age = (users.age + :age_1)");
  SQL(conflict(insert_named(), 1, (X[]){ targets, set, where }, 3),
      "INSERT INTO users (id, name) VALUES (:id, :name) ON CONFLICT (id) DO UPDATE SET name = excluded.name, age = (users.age + :age_1) WHERE users.age < :age_2");
  SQL(conflict(ROWS(INTO(insert(w.users), U("name")), SELECT(A("email"))), 0, NULL, 0),
      "INSERT INTO users (name) SELECT addresses.email FROM addresses WHERE 1 = 1 ON CONFLICT DO NOTHING");
  char out[512];
  X constraint = NODE(TARGETS, 0, 0, 0, literal("uq_name"));
  CHECK_TEXT(sql_in(conflict(insert_named(), 0, &constraint, 1), "default", NULL, out, sizeof out), "INSERT INTO users (id, name) VALUES (:id, :name) ON CONFLICT ON CONSTRAINT uq_name DO NOTHING");
  X partial = NODE(TARGETS, 0, 0, 0, U("id"), NODE(WHERE, 0, 0, 0, gt(U("age"), i(1))));
  CHECK_TEXT(sql_in(conflict(insert_named(), 0, &partial, 1), "default", NULL, out, sizeof out), "INSERT INTO users (id, name) VALUES (:id, :name) ON CONFLICT (id) WHERE age > :age_1 DO NOTHING");
  FAILS(conflict(insert_named(), 1, &targets, 1), "sqlite", COMPILE, "ON CONFLICT DO UPDATE sets no column");
  CHECK_TEXT(sql_in(RETURNING(insert_named(), U("id"), label(FUNC("lower", U("name")), "low")), "default", NULL, out, sizeof out),
             "INSERT INTO users (id, name) VALUES (:id, :name) RETURNING users.id, lower(users.name) AS low");
  alch_compiled *compiled = compiled_as(RETURNING(insert_named(), entity(w.users)), "sqlite", NULL);
  if (!CHECK(compiled != NULL)) return;
  CHECK(compiled->returns_rows);
  CHECK(!compiled->bulk_insert);
  CHECK_INT(compiled->column_count, 5);
  CHECK_TEXT(compiled->columns[1].name, "name");
  check_accepted(compiled->sql, __LINE__);
  alch_compiled_release(compiled);
  spec_close();
}

CASE("update") {
  spec_open();
  world_add_defaults();
  SQL(WHERE(SET(update(w.users), assign(w.users, "name", s("x"))), eq(U("id"), i(1))), "UPDATE users SET name=:name WHERE users.id = :id_1");
  SQL(SET(update(w.users), assign(w.users, "age", add(U("age"), i(1)))), "UPDATE users SET age=(users.age + :age_1)");
  SQL(SET(update(w.users), assign(w.users, "age", OP(NEGATE, U("age"))), assign(w.users, "active", eq(U("age"), i(1))), assign(w.users, "name", FUNC("lower", U("name")))),
      "UPDATE users SET name=lower(users.name), active=(users.age = :age_1), age=(-users.age)");
  SQL(clause_of(update(w.users), ALCH_NODE_SET, 1, (X[]){ assign(w.users, "age", i(1)), assign(w.users, "name", s("x")) }, 2), "UPDATE users SET age=:age, name=:name");
  SQL(SET(update(w.users), assign(w.users, "age", sql_null())), "UPDATE users SET age=NULL");
  check_sql(WHERE(update(w.users), eq(U("id"), bind("key", ALCH_TYPE_INTEGER, 0))), &by_name, "UPDATE users SET name=:name, age=:age WHERE users.id = :key", NULL, __LINE__);
  SQL(SET(update(w.users), assign(w.users, "name", scalar(WHERE(SELECT(A("email")), eq(A("user_id"), U("id")))))),
      "UPDATE users SET name=(SELECT addresses.email FROM addresses WHERE addresses.user_id = users.id)");
  SQL(WHERE(SET(update(w.users), assign(w.users, "name", A("email"))), eq(U("id"), A("user_id"))),
      "UPDATE users SET name=addresses.email FROM addresses WHERE users.id = addresses.user_id");
  SQL(WHERE(SET(update(w.users), assign(w.users, "age", i(1))), exists(WHERE(SELECT(star()), eq(A("user_id"), U("id"))))),
      "UPDATE users SET age=:age WHERE EXISTS (SELECT * FROM addresses WHERE addresses.user_id = users.id)");
  SQL(SET(update(w.defaults), assign(w.defaults, "name", s("x"))), "UPDATE defaults SET name=:name, stamp=lower('a'), updated=:updated");
  SQL(SET(update(w.defaults), assign(w.defaults, "stamp", s("x")), assign(w.defaults, "updated", s("x"))), "UPDATE defaults SET stamp=:stamp, updated=:updated");
  alch_compiled *compiled = compiled_as(SET(update(w.defaults), assign(w.defaults, "name", s("x"))), "sqlite", NULL);
  if (!CHECK(compiled != NULL)) return;
  CHECK_INT(compiled->slots[1].kind, ALCH_SLOT_DEFAULT);
  CHECK(compiled->slots[1].update);
  alch_compiled_release(compiled);
  char out[512];
  CHECK_TEXT(sql_in(RETURNING(SET(update(w.users), assign(w.users, "age", i(1))), U("id")), "default", NULL, out, sizeof out), "UPDATE users SET age=:age RETURNING users.id");
  FAILS(update(w.users), "sqlite", COMPILE, "UPDATE of 'users' sets no column; give it values");
  spec_close();
}

CASE("delete") {
  spec_open();
  SQL(delete(w.users), "DELETE FROM users");
  SQL(WHERE(delete(w.users), eq(U("id"), i(1))), "DELETE FROM users WHERE users.id = :id_1");
  SQL(WHERE(delete(w.users), in(U("id"), SELECT(A("user_id")))), "DELETE FROM users WHERE users.id IN (SELECT addresses.user_id FROM addresses)");
  SQL(WHERE(delete(w.users), eq(U("id"), i(1)), eq(U("name"), s("x"))), "DELETE FROM users WHERE users.id = :id_1 AND users.name = :name_1");
  X named = cte(SELECT(A("user_id")), "t");
  SQL(WHERE(delete(w.users), in(U("id"), SELECT(at(named, 0)))), "WITH t AS (SELECT addresses.user_id AS user_id FROM addresses) DELETE FROM users WHERE users.id IN (SELECT t.user_id FROM t)");
  char out[512];
  CHECK_TEXT(sql_in(RETURNING(delete(w.users), U("id")), "default", NULL, out, sizeof out), "DELETE FROM users RETURNING users.id");
  FAILS(WHERE(delete(w.users), eq(U("id"), A("user_id"))), "sqlite", UNSUPPORTED_COMPILATION, "DELETE with further tables is not supported by the dialect 'sqlite'; put them into a subquery");
  spec_close();
}

CASE("expressions for DDL stand without their table, their values written out") {
  spec_open();
  alch_buffer out;
  alch_buffer_init(&out, &alch_allocator_standard);
  X check = AND(gt(U("age"), i(1)), OP(NE, U("name"), s("it's")));
  CHECK_INT(alch_compile_ddl_expression(w.catalog, alch_dialect_find("sqlite"), check.block, &out, &w.error), ALCH_OK);
  CHECK_TEXT(alch_buffer_text(&out), "age > 1 AND name != 'it''s'");
  alch_buffer_clear(&out);
  CHECK_INT(alch_compile_ddl_expression(w.catalog, alch_dialect_find("sqlite"), U("active").block, &out, &w.error), ALCH_OK);
  CHECK_TEXT(alch_buffer_text(&out), "active = 1");
  alch_buffer_close(&out);
  spec_close();
}

/* ---- MERGE: a dialect made up here, which knows no ON CONFLICT ---- */

static X upsert(uint8_t op, X row, X targets, X set, X where) {
  X conflict = set.block ? where.block ? NODE(ON_CONFLICT, op, 0, 0, targets, set, where) : NODE(ON_CONFLICT, op, 0, 0, targets, set)
                         : NODE(ON_CONFLICT, op, 0, 0, targets);
  alch_builder_open(start(), ALCH_NODE_INSERT, 0, w.users->id, 0);
  alch_builder_open(&w.builder, ALCH_NODE_INTO, 0, 0, 0);
  static const char *const names[] = { "id", "name", "age" };
  for (size_t n = 0; n < ALCH_COUNT(names); n++) alch_builder_leaf(&w.builder, ALCH_NODE_COLUMN, 0, w.users->id, column_index(w.users, names[n]));
  alch_builder_close(&w.builder);
  put(row);
  put(conflict);
  alch_builder_close(&w.builder);
  return taken(ALCH_OK);
}

static void check_merge(X statement, const alch_dialect *dialect, const char *expected, int line) {
  alch_compiled *compiled = NULL;
  if (!check_true(statement.block != NULL, "it is built", __FILE__, line)) return;
  alch_compile(w.catalog, dialect, statement.block, NULL, w.allocator, &compiled, &w.error);
  check_text(compiled ? compiled->sql : alch_error_message(&w.error), expected, "merge", __FILE__, line);
  alch_compiled_release(compiled);
  alch_error_close(&w.error);
}

CASE("a portable upsert is a MERGE where there is no ON CONFLICT") {
  spec_open();
  alch_dialect hasty = *alch_dialect_find("sqlite"), careful = hasty;
  hasty.capabilities = (hasty.capabilities & ~(ALCH_CAN(ON_CONFLICT))) | ALCH_CAN(MERGE);
  careful.capabilities = (hasty.capabilities & ~(ALCH_CAN(TABLE_ALIAS_AS))) | ALCH_CAN(MERGE_WHERE);
  hasty.merge_hint = " WITH (HOLDLOCK)";
  hasty.merge_end = ";";
  careful.empty_from = " FROM DUAL";
  uint8_t update = ALCH_CONFLICT_PORTABLE | ALCH_CONFLICT_UPDATE;
  X nothing = { 0 }, key = NODE(TARGETS, 0, 0, 0, U("id")), one = NODE(ROWS, 0, 0, 0, ROW(i(1), s("a"), i(30))), two = NODE(ROWS, 0, 0, 0, ROW(i(1), s("a"), i(30)), ROW(i(2), s("b"), i(40)));
  X older = NODE(SET, 0, 0, 0, assign(w.users, "age", add(U("age"), i(1)))), young = NODE(WHERE, 0, 0, 0, lt(U("age"), i(5)));
  check_merge(upsert(update, one, key, nothing, nothing), &hasty,
              "MERGE INTO users WITH (HOLDLOCK) USING (SELECT ? AS id, ? AS name, ? AS age) AS excluded ON (users.id = excluded.id) WHEN MATCHED THEN UPDATE SET name = excluded.name, age = excluded.age "
              "WHEN NOT MATCHED THEN INSERT (id, name, age) VALUES (excluded.id, excluded.name, excluded.age);", __LINE__);
  check_merge(upsert(update, two, NODE(TARGETS, 0, 0, 0, U("name")), older, young), &hasty,
              "MERGE INTO users WITH (HOLDLOCK) USING (SELECT ? AS id, ? AS name, ? AS age UNION ALL SELECT ?, ?, ?) AS excluded ON (users.name = excluded.name) "
              "WHEN MATCHED AND users.age < ? THEN UPDATE SET age = (users.age + ?) WHEN NOT MATCHED THEN INSERT (id, name, age) VALUES (excluded.id, excluded.name, excluded.age);", __LINE__);
  check_merge(upsert(update, one, key, older, young), &careful,
              "MERGE INTO users USING (SELECT ? AS id, ? AS name, ? AS age FROM DUAL) excluded ON (users.id = excluded.id) WHEN MATCHED THEN UPDATE SET age = (users.age + ?) WHERE users.age < ? "
              "WHEN NOT MATCHED THEN INSERT (id, name, age) VALUES (excluded.id, excluded.name, excluded.age)", __LINE__);
  check_merge(upsert(ALCH_CONFLICT_PORTABLE, one, key, nothing, nothing), &careful,
              "MERGE INTO users USING (SELECT ? AS id, ? AS name, ? AS age FROM DUAL) excluded ON (users.id = excluded.id) WHEN NOT MATCHED THEN INSERT (id, name, age) VALUES (excluded.id, excluded.name, excluded.age)",
              __LINE__);
  X query = NODE(ROWS, 0, 0, 0, SELECT(A("id"), label(A("email"), "name"), label(i(3), "age")));
  check_merge(upsert(update, query, key, nothing, nothing), &hasty,
              "MERGE INTO users WITH (HOLDLOCK) USING (SELECT addresses.id AS id, addresses.email AS name, ? AS age FROM addresses) AS excluded ON (users.id = excluded.id) "
              "WHEN MATCHED THEN UPDATE SET name = excluded.name, age = excluded.age WHEN NOT MATCHED THEN INSERT (id, name, age) VALUES (excluded.id, excluded.name, excluded.age);", __LINE__);
  X unnamed = NODE(ROWS, 0, 0, 0, SELECT(A("id"), A("email"), label(i(3), "age")));
  check_merge(upsert(update, unnamed, key, nothing, nothing), &hasty, "an upsert from a select needs a column called 'name' as number 2 of the select on the dialect 'sqlite'; label it so", __LINE__);
  SQL(upsert(update, two, key, nothing, nothing),
      "INSERT INTO users (id, name, age) VALUES (:id_m0, :name_m0, :age_m0), (:id_m1, :name_m1, :age_m1) ON CONFLICT (id) DO UPDATE SET name = excluded.name, age = excluded.age");
  spec_close();
}
