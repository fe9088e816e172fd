#include "compile_check.h"

#define U(name) c(w.users, name)
#define A(name) c(w.addresses, name)

CASE("select lists and their names") {
  spec_open();
  SQL(SELECT(U("id"), U("name")), "SELECT users.id, users.name FROM users");
  SQL(SELECT(entity(w.users)), "SELECT users.id, users.name, users.active, users.age, users.born FROM users");
  SQL(SELECT(U("id"), A("id")), "SELECT users.id, addresses.id AS id_1 FROM users, addresses");
  SQL(SELECT(U("id"), U("id")), "SELECT users.id, users.id AS id__1 FROM users");
  SQL(SELECT(U("id"), U("id"), A("id"), A("id")), "SELECT users.id, users.id AS id__1, addresses.id AS id_1, addresses.id AS id__2 FROM users, addresses");
  SQL(SELECT(func("count"), FUNC("count", U("id")), add(U("age"), i(1)), add(U("age"), i(2)), value(i(3), 0), cast(U("id"), ALCH_TYPE_STRING)),
      "SELECT count(*) AS count_1, count(users.id) AS count_2, users.age + :age_1 AS anon_1, users.age + :age_2 AS anon_2, :param_1 AS anon_3, CAST(users.id AS VARCHAR) AS id FROM users");
  SQL(SELECT(NODE(TYPE_COERCE, 0, 0, ALCH_TYPE_STRING, U("id"))), "SELECT users.id AS id FROM users");
  SQL(SELECT(cast(add(U("id"), i(1)), ALCH_TYPE_STRING)), "SELECT CAST(users.id + :id_1 AS VARCHAR) AS anon_1 FROM users");
  SQL(SELECT(label(U("id"), "x")), "SELECT users.id AS x FROM users");
  SQL(SELECT(literal("1"), sql_null()), "SELECT 1, NULL AS anon_1");
  SQL(FROM(SELECT(star()), t(w.users)), "SELECT * FROM users");
  SQL(SELECT(OP(DISTINCT, U("id"))), "SELECT DISTINCT users.id FROM users");
  SQL(SELECT(eq(FUNC("lower", U("name")), s("a"))), "SELECT lower(users.name) = :lower_1 AS anon_1 FROM users");
  SQL(SELECT(add(mul(U("age"), i(2)), i(1)), mul(add(U("age"), i(1)), i(2))),
      "SELECT users.age * :age_1 + :param_1 AS anon_1, (users.age + :age_2) * :param_2 AS anon_2 FROM users");
  SQL(SELECT(entity(w.quoted)), "SELECT \"Order\".\"select\", \"Order\".\"two words\" FROM \"Order\"");
  SQL(SELECT(label(U("name"), "Group")), "SELECT users.name AS \"Group\" FROM users");
  spec_close();
}

CASE("distinct, group by, having, order by, limit, offset") {
  spec_open();
  SQL(distinct(SELECT(U("id"))), "SELECT DISTINCT users.id FROM users");
  SQL(ORDER_BY(SELECT(U("id")), desc(U("name")), U("id")), "SELECT users.id FROM users ORDER BY users.name DESC, users.id");
  SQL(ORDER_BY(SELECT(U("id")), OP(NULLS_LAST, desc(U("name")))), "SELECT users.id FROM users ORDER BY users.name DESC NULLS LAST");
  X n = label(FUNC("count", A("id")), "n");
  SQL(HAVING(ORDER_BY(GROUP_BY(SELECT(U("id"), n), U("id")), desc(n)), gt(n, i(1))),
      "SELECT users.id, count(addresses.id) AS n FROM users, addresses GROUP BY users.id HAVING count(addresses.id) > :param_1 ORDER BY n DESC");
  SQL(ORDER_BY(SELECT(U("id"), n), add(n, i(1))), "SELECT users.id, count(addresses.id) AS n FROM users, addresses ORDER BY count(addresses.id) + :param_1");
  SQL(ORDER_BY(SELECT(U("id"), n), label_name("n")), "SELECT users.id, count(addresses.id) AS n FROM users, addresses ORDER BY n");
  SQL(ORDER_BY(SELECT(U("id"), n), desc(label_name("n"))), "SELECT users.id, count(addresses.id) AS n FROM users, addresses ORDER BY n DESC");
  SQL(ORDER_BY(SELECT(U("id"), U("name")), label_name("name")), "SELECT users.id, users.name FROM users ORDER BY users.name");
  SQL(GROUP_BY(SELECT(U("id"), U("name")), label_name("name")), "SELECT users.id, users.name FROM users GROUP BY users.name");
  SQL(ORDER_BY(SELECT(label(U("id"), "n")), label(U("id"), "n")), "SELECT users.id AS n FROM users ORDER BY n");
  SQL(ORDER_BY(SELECT(U("id")), label(U("id"), "n")), "SELECT users.id FROM users ORDER BY users.id");
  SQL(WHERE(SELECT(label(U("name"), "n")), eq(label(U("name"), "n"), s("x"))), "SELECT users.name AS n FROM users WHERE users.name = :param_1");
  SQL(HAVING(GROUP_BY(SELECT(U("id")), U("age")), gt(func("count"), i(2))), "SELECT users.id FROM users GROUP BY users.age HAVING count(*) > :count_1");
  SQL(limit(SELECT(U("id")), 5), "SELECT users.id FROM users LIMIT :param_1");
  SQL(offset(limit(SELECT(U("id")), 5), 3), "SELECT users.id FROM users LIMIT :param_1 OFFSET :param_2");
  SQL2(offset(SELECT(U("id")), 3), "SELECT users.id FROM users OFFSET :param_1", "SELECT users.id FROM users LIMIT -1 OFFSET ?");
  SQL2(clause_of(SELECT(U("id")), ALCH_NODE_FOR_UPDATE, 0, NULL, 0), "SELECT users.id FROM users FOR UPDATE", "SELECT users.id FROM users");
  SQL2(clause_of(SELECT(U("id")), ALCH_NODE_FOR_UPDATE, ALCH_FOR_UPDATE_READ | ALCH_FOR_UPDATE_SKIP_LOCKED, NULL, 0), "SELECT users.id FROM users FOR SHARE SKIP LOCKED", "SELECT users.id FROM users");
  FAILS(ORDER_BY(SELECT(U("id")), label_name("nix")), "sqlite", COMPILE,
        "Can't resolve label reference for ORDER BY / GROUP BY / DISTINCT etc. Textual SQL expression 'nix' should be explicitly declared as text");
  spec_close();
}

CASE("FROM: inferred, explicit, hidden by joins") {
  spec_open();
  SQL(WHERE(SELECT(U("id")), eq(U("id"), A("user_id"))), "SELECT users.id FROM users, addresses WHERE users.id = addresses.user_id");
  SQL(FROM(SELECT(func("count")), t(w.users)), "SELECT count(*) AS count_1 FROM users");
  SQL(FROM(SELECT(U("id")), t(w.addresses)), "SELECT users.id FROM addresses, users");
  SQL(FROM(SELECT(U("id")), join(t(w.users), t(w.addresses))), "SELECT users.id FROM users JOIN addresses ON users.id = addresses.user_id");
  SQL(WHERE(FROM(SELECT(A("id")), join(t(w.users), t(w.addresses))), eq(U("id"), i(1))),
      "SELECT addresses.id FROM users JOIN addresses ON users.id = addresses.user_id WHERE users.id = :id_1");
  SQL(FROM(SELECT(A("id")), t(w.users), join(t(w.users), t(w.addresses))), "SELECT addresses.id FROM users JOIN addresses ON users.id = addresses.user_id");
  SQL(ORDER_BY(SELECT(U("id")), U("name")), "SELECT users.id FROM users ORDER BY users.name");
  spec_close();
}

CASE("joins") {
  spec_open();
  X users = t(w.users), addresses = t(w.addresses), orders = t(w.orders);
  X bill = eq(A("id"), c(w.orders, "bill_id"));
  SQL(join(users, addresses), "users JOIN addresses ON users.id = addresses.user_id");
  SQL(join(addresses, users), "addresses JOIN users ON users.id = addresses.user_id");
  SQL(NODE(JOIN, ALCH_JOIN_LEFT, 0, 0, users, addresses), "users LEFT OUTER JOIN addresses ON users.id = addresses.user_id");
  SQL(NODE(JOIN, ALCH_JOIN_FULL, 0, 0, users, addresses), "users FULL OUTER JOIN addresses ON users.id = addresses.user_id");
  SQL(NODE(JOIN, ALCH_JOIN_CROSS, 0, 0, users, addresses), "users CROSS JOIN addresses");
  SQL(join_on(ALCH_JOIN_INNER, join(users, addresses), orders, bill), "users JOIN addresses ON users.id = addresses.user_id JOIN orders ON addresses.id = orders.bill_id");
  SQL(join(users, join_on(ALCH_JOIN_INNER, addresses, orders, bill)), "users JOIN (addresses JOIN orders ON addresses.id = orders.bill_id) ON users.id = addresses.user_id");
  SQL(join_on(ALCH_JOIN_INNER, users, addresses, OR(eq(U("id"), A("user_id")), eq(U("name"), A("email")))),
      "users JOIN addresses ON users.id = addresses.user_id OR users.name = addresses.email");
  SQL(join(t(w.pairs), t(w.pair_links)), "pairs JOIN pair_links ON pairs.a = pair_links.pair_a AND pairs.b = pair_links.pair_b");
  SQL(join(users, alias(w.addresses, "a")), "users JOIN addresses AS a ON users.id = a.user_id");
  SQL2(join_on(ALCH_JOIN_INNER, users, addresses, U("active")), "users JOIN addresses ON users.active", "users JOIN addresses ON users.active = 1");
  FAILS(join(users, orders), "default", NO_FOREIGN_KEYS, "Can't find any foreign key relationships between 'users' and 'orders'.");
  FAILS(join(addresses, orders), "default", AMBIGUOUS_FOREIGN_KEYS,
        "Can't determine join between 'addresses' and 'orders'; tables have more than one foreign key constraint relationship between them. Please specify the 'onclause' of this join explicitly.");
  FAILS(join(t(w.nodes), alias(w.nodes, "b")), "default", AMBIGUOUS_FOREIGN_KEYS,
        "Can't determine join between 'nodes' and 'b'; tables have more than one foreign key constraint relationship between them. Please specify the 'onclause' of this join explicitly.");
  X sums = subquery(GROUP_BY(SELECT(A("user_id"), label(func("count"), "n")), A("user_id")), NULL);
  SQL(FROM(SELECT(U("id"), at(sums, 1)), join(users, sums)),
      "SELECT users.id, anon_1.n FROM users JOIN (SELECT addresses.user_id AS user_id, count(*) AS n FROM addresses GROUP BY addresses.user_id) AS anon_1 ON users.id = anon_1.user_id");
  spec_close();
}

CASE("aliases") {
  spec_open();
  X one = alias(w.users, NULL), two = alias(w.users, "b"), three = alias(w.users, NULL);
  SQL(SELECT(at(one, 0), at(two, 0), at(three, 0)), "SELECT users_1.id, b.id AS id_1, users_2.id AS id_2 FROM users AS users_1, users AS b, users AS users_2");
  X child = alias(w.nodes, "child");
  SQL(FROM(SELECT(c(w.nodes, "id"), at(child, 0)), join_on(ALCH_JOIN_LEFT, t(w.nodes), child, eq(c(w.nodes, "id"), at(child, 1)))),
      "SELECT nodes.id, child.id AS id_1 FROM nodes LEFT OUTER JOIN nodes AS child ON nodes.id = child.parent_id");
  SQL(limit(SELECT(whole(alias(w.addresses, "x"))), 1), "SELECT x.id, x.user_id, x.email FROM addresses AS x LIMIT :param_1");
  SQL(SELECT(at(alias(w.quoted, "My Alias"), 1)), "SELECT \"My Alias\".\"two words\" FROM \"Order\" AS \"My Alias\"");
  spec_close();
}

CASE("subqueries in FROM") {
  spec_open();
  X sub = subquery(SELECT(U("id"), A("id"), FUNC("count", A("id"))), NULL);
  const char *inner = "(SELECT users.id AS id, addresses.id AS id_1, count(addresses.id) AS count_1 FROM users, addresses) AS anon_1";
  char text[1024];
  snprintf(text, sizeof text, "SELECT anon_1.id, anon_1.id_1, anon_1.count_1 FROM %s", inner);
  SQL(SELECT(whole(sub)), text);
  snprintf(text, sizeof text, "SELECT anon_1.count_1, anon_1.id FROM %s", inner);
  SQL(SELECT(at(sub, 2), at(sub, 0)), text);
  SQL(SELECT(whole(subquery(SELECT(at(subquery(SELECT(U("id")), "inside"), 0)), "outside"))),
      "SELECT outside.id FROM (SELECT inside.id AS id FROM (SELECT users.id AS id FROM users) AS inside) AS outside");
  SQL(WHERE(SELECT(at(subquery(WHERE(SELECT(U("id")), gt(U("age"), i(1))), "s"), 0)), eq(U("id"), i(2))),
      "SELECT s.id FROM (SELECT users.id AS id FROM users WHERE users.age > :age_1) AS s, users WHERE users.id = :id_1");
  SQL(SELECT(at(alias_of(sub, "again"), 0)),
      "SELECT again.id FROM (SELECT users.id AS id, addresses.id AS id_1, count(addresses.id) AS count_1 FROM users, addresses) AS again");
  FAILS(SELECT(at(sub, 7)), "sqlite", NO_SUCH_COLUMN, "a column number 7 that its table or subquery does not have");
  X function = define(alch_catalog_anonymous(w.catalog), ALCH_DEFINITION_FUNCTION, "j",
                      OP(COMMA, FUNC("json_each", s("[1]")), leaf_text(ALCH_NODE_NAME, 0, "key"), leaf_text(ALCH_NODE_NAME, ALCH_TYPE_INTEGER, "value")).block, 0);
  SQL2(SELECT(at(function, 1)), "SELECT j.value FROM json_each(:json_each_1) AS j", "SELECT j.value FROM json_each(?) AS j");
  X beside = SELECT(U("id"), at(lateral(WHERE(SELECT(A("id")), eq(A("user_id"), U("id"))), "l"), 0));
  CHECK_TEXT(sql_in(beside, "default", NULL, text, sizeof text),
             "SELECT users.id, l.id AS id_1 FROM users, LATERAL (SELECT addresses.id AS id FROM addresses WHERE addresses.user_id = users.id) AS l");
  FAILS(beside, "sqlite", UNSUPPORTED_COMPILATION, "LATERAL is not supported by the dialect 'sqlite'");
  spec_close();
}

CASE("scalar subqueries, exists, correlation") {
  spec_open();
  X count = WHERE(SELECT(FUNC("count", A("id"))), eq(A("user_id"), U("id")));
  SQL(SELECT(U("id"), scalar(count)), "SELECT users.id, (SELECT count(addresses.id) AS count_1 FROM addresses WHERE addresses.user_id = users.id) AS anon_1 FROM users");
  SQL(ORDER_BY(SELECT(U("id"), label(scalar(count), "n")), desc(label_name("n"))),
      "SELECT users.id, (SELECT count(addresses.id) AS count_1 FROM addresses WHERE addresses.user_id = users.id) AS n FROM users ORDER BY n DESC");
  SQL(WHERE(SELECT(U("id")), exists(WHERE(SELECT(star()), eq(A("user_id"), U("id"))))), "SELECT users.id FROM users WHERE EXISTS (SELECT * FROM addresses WHERE addresses.user_id = users.id)");
  SQL(WHERE(SELECT(U("id")), not(exists(WHERE(SELECT(A("id")), eq(A("user_id"), U("id")))))),
      "SELECT users.id FROM users WHERE NOT (EXISTS (SELECT addresses.id FROM addresses WHERE addresses.user_id = users.id))");
  SQL(WHERE(SELECT(U("id")), exists(WHERE(SELECT(star()), eq(A("user_id"), U("id")))), eq(U("id"), i(1))),
      "SELECT users.id FROM users WHERE (EXISTS (SELECT * FROM addresses WHERE addresses.user_id = users.id)) AND users.id = :id_1");
  SQL(WHERE(SELECT(U("id")), eq(U("age"), SELECT(FUNC("max", U("age"))))), "SELECT users.id FROM users WHERE users.age = (SELECT max(users.age) AS max_1 FROM users)");
  X other = alias(w.users, NULL);
  SQL(WHERE(SELECT(U("id")), eq(U("age"), WHERE(SELECT(FUNC("max", at(other, 3))), eq(at(other, 0), U("id"))))),
      "SELECT users.id FROM users WHERE users.age = (SELECT max(users_1.age) AS max_1 FROM users AS users_1 WHERE users_1.id = users.id)");
  SQL(WHERE(SELECT(U("id")), in(U("id"), WHERE(SELECT(A("user_id")), eq(A("email"), U("name"))))),
      "SELECT users.id FROM users WHERE users.id IN (SELECT addresses.user_id FROM addresses WHERE addresses.email = users.name)");
  X both = WHERE(SELECT(U("id"), A("id")), eq(A("user_id"), U("id")));
  FAILS(WHERE(SELECT(U("id"), A("id")), exists(both)), "sqlite", INVALID_REQUEST,
        "a select returned no FROM clauses due to auto-correlation; specify correlate(<tables>) to control correlation manually");
  SQL(WHERE(SELECT(U("id"), A("id")), exists(clause_of(both, ALCH_NODE_CORRELATE, 0, (X[]){ t(w.users) }, 1))),
      "SELECT users.id, addresses.id AS id_1 FROM users, addresses WHERE EXISTS (SELECT users.id, addresses.id AS id_2 FROM addresses WHERE addresses.user_id = users.id)");
  SQL(WHERE(SELECT(U("id")), exists(clause_of(count, ALCH_NODE_CORRELATE, 0, NULL, 0))),
      "SELECT users.id FROM users WHERE EXISTS (SELECT count(addresses.id) AS count_1 FROM addresses, users WHERE addresses.user_id = users.id)");
  SQL(WHERE(SELECT(U("id"), A("id")), exists(clause_of(both, ALCH_NODE_CORRELATE, 1, (X[]){ t(w.users) }, 1))),
      "SELECT users.id, addresses.id AS id_1 FROM users, addresses WHERE EXISTS (SELECT users.id, addresses.id AS id_2 FROM users WHERE addresses.user_id = users.id)");
  spec_close();
}

CASE("set operations") {
  spec_open();
  X users = SELECT(U("id")), addresses = SELECT(A("id"));
  SQL(compound(ALCH_COMPOUND_UNION, users, addresses), "SELECT users.id FROM users UNION SELECT addresses.id FROM addresses");
  SQL(compound(ALCH_COMPOUND_UNION_ALL, users, addresses), "SELECT users.id FROM users UNION ALL SELECT addresses.id FROM addresses");
  SQL(compound(ALCH_COMPOUND_EXCEPT, users, addresses), "SELECT users.id FROM users EXCEPT SELECT addresses.id FROM addresses");
  SQL2(limit(ORDER_BY(compound(ALCH_COMPOUND_UNION, limit(users, 1), addresses), label_name("id")), 2),
       "(SELECT users.id FROM users LIMIT :param_1) UNION SELECT addresses.id FROM addresses ORDER BY id LIMIT :param_2",
       "SELECT * FROM (SELECT users.id AS id FROM users LIMIT ?) UNION SELECT addresses.id FROM addresses ORDER BY id LIMIT ?");
  SQL2(ORDER_BY(compound(ALCH_COMPOUND_INTERSECT, ORDER_BY(users, U("id")), addresses), U("id")),
       "(SELECT users.id FROM users ORDER BY users.id) INTERSECT SELECT addresses.id FROM addresses ORDER BY id",
       "SELECT * FROM (SELECT users.id AS id FROM users ORDER BY users.id) INTERSECT SELECT addresses.id FROM addresses ORDER BY id");
  SQL2(compound(ALCH_COMPOUND_UNION, users, compound(ALCH_COMPOUND_UNION_ALL, addresses, SELECT(U("age")))),
       "SELECT users.id FROM users UNION (SELECT addresses.id FROM addresses UNION ALL SELECT users.age FROM users)",
       "SELECT users.id FROM users UNION SELECT * FROM (SELECT addresses.id AS id FROM addresses UNION ALL SELECT users.age AS age FROM users)");
  SQL(SELECT(whole(subquery(compound(ALCH_COMPOUND_UNION, users, addresses), NULL))),
      "SELECT anon_1.id FROM (SELECT users.id AS id FROM users UNION SELECT addresses.id AS id FROM addresses) AS anon_1");
  SQL(WHERE(SELECT(U("id")), in(U("id"), compound(ALCH_COMPOUND_UNION, users, addresses))),
      "SELECT users.id FROM users WHERE users.id IN (SELECT users.id FROM users UNION SELECT addresses.id FROM addresses)");
  SQL(SELECT(U("id"), scalar(compound(ALCH_COMPOUND_UNION, WHERE(SELECT(A("id")), eq(A("user_id"), U("id"))), SELECT(value(i(1), 0))))),
      "SELECT users.id, (SELECT addresses.id FROM addresses WHERE addresses.user_id = users.id UNION SELECT :param_1 AS anon_2) AS anon_1 FROM users");
  spec_close();
}

CASE("common table expressions") {
  spec_open();
  X one = cte(SELECT(U("id")), NULL);
  SQL(SELECT(at(one, 0)), "WITH anon_1 AS (SELECT users.id AS id FROM users) SELECT anon_1.id FROM anon_1");
  X named = cte(WHERE(SELECT(U("id"), U("name")), gt(U("age"), i(1))), "t");
  SQL(SELECT(at(named, 0), at(alias_of(named, "z"), 1)),
      "WITH t AS (SELECT users.id AS id, users.name AS name FROM users WHERE users.age > :age_1) SELECT t.id, z.name FROM t, t AS z");
  SQL(WHERE(SELECT(A("id")), in(A("user_id"), SELECT(at(named, 0)))),
      "WITH t AS (SELECT users.id AS id, users.name AS name FROM users WHERE users.age > :age_1) SELECT addresses.id FROM addresses WHERE addresses.user_id IN (SELECT t.id FROM t)");
  X second = cte(SELECT(at(named, 0)), "v");
  SQL(SELECT(at(second, 0)), "WITH t AS (SELECT users.id AS id, users.name AS name FROM users WHERE users.age > :age_1), v AS (SELECT t.id AS id FROM t) SELECT v.id FROM v");
  X numbers = recursive(SELECT(U("id")), "t");
  X step = WHERE(SELECT(add(at(numbers, 0), i(1))), lt(at(numbers, 0), i(10)));
  X grown = redefine(numbers, "t", compound(ALCH_COMPOUND_UNION_ALL, SELECT(U("id")), step));
  SQL(SELECT(at(grown, 0)), "WITH RECURSIVE t(id) AS (SELECT users.id AS id FROM users UNION ALL SELECT t.id + :id_1 AS anon_1 FROM t WHERE t.id < :id_2) SELECT t.id FROM t");
  SQL(SELECT(at(grown, 0), at(numbers, 0)),
      "WITH RECURSIVE t(id) AS (SELECT users.id AS id FROM users UNION ALL SELECT t.id + :id_1 AS anon_1 FROM t WHERE t.id < :id_2) SELECT t.id, t.id AS id__1 FROM t");
  SQL(clause_of(SELECT(U("id")), ALCH_NODE_WITH, 0, (X[]){ named }, 1),
      "WITH t AS (SELECT users.id AS id, users.name AS name FROM users WHERE users.age > :age_1) SELECT users.id FROM users");
  FAILS(SELECT(at(named, 0), at(cte(SELECT(A("id")), "t"), 0)), "sqlite", COMPILE, "Multiple, unrelated CTEs found with the same name: 't'");
  spec_close();
}

CASE("the order of the calls leaves no trace in the structure") {
  spec_open();
  X condition = gt(U("age"), i(1)), order = desc(U("name"));
  X sub_one = subquery(SELECT(A("user_id")), NULL), sub_two = subquery(SELECT(c(w.orders, "bill_id")), NULL);
  X in_one = eq(at(sub_one, 0), U("id")), in_two = at(sub_two, 0);
  X first = limit(ORDER_BY(WHERE(SELECT(U("id")), condition, in_one), order, in_two), 5);
  X second = CLAUSE(ORDER_BY(limit(WHERE(WHERE(leaf(ALCH_NODE_SELECT, 0, 0), condition), in_one), 5), order, in_two), COLUMNS, U("id"));
  X third = WHERE(WHERE(ORDER_BY(ORDER_BY(limit(SELECT(U("id")), 5), order), in_two), condition), in_one);
  size_t size = alch_block_size(first.block);
  CHECK_INT(alch_block_size(second.block), size);
  CHECK_BYTES(second.block, first.block, size);
  CHECK_INT(alch_block_size(third.block), size);
  CHECK_BYTES(third.block, first.block, size);
  spec_close();
}

CASE("depth: what SQLite still takes compiles, more is refused, nothing overflows") {
  spec_open();
  X sum = U("age");
  char *text = malloc(1 << 20);
  for (int n = 0; n < 900; n++) sum = add(sum, i(n));
  check_accepted(sql_in(SELECT(sum), "sqlite", NULL, text, 1 << 20), __LINE__);
  for (int n = 0; n < 4000; n++) sum = OP(NEGATE, sum);
  FAILS(SELECT(sum), "sqlite", COMPILE, "the statement nests more than 1000 levels deep");
  alch_buffer out;
  alch_buffer_init(&out, &alch_allocator_standard);
  alch_block_print(sum.block, &out);
  CHECK(!alch_buffer_failed(&out));
  CHECK(alch_block_valid(sum.block));
  alch_buffer_close(&out);
  free(text);
  FAILS(leaf(ALCH_NODE_SELECT, 0, 0), "sqlite", COMPILE, "a select names no columns");
  spec_close();
}

CASE("result columns say what they are") {
  spec_open();
  X statement = SELECT(U("id"), entity(w.addresses), label(FUNC("count", U("name")), "n"), func("now"), U("active"));
  alch_compiled *compiled = compiled_as(statement, "sqlite", NULL);
  if (!CHECK(compiled != NULL)) return;
  CHECK_INT(compiled->kind, ALCH_STATEMENT_SELECT);
  CHECK(compiled->returns_rows);
  CHECK(!compiled->open_columns);
  CHECK_INT(compiled->column_count, 7);
  static const struct { const char *name, *key; uint32_t type, index, place; } expected[] = {
    { "id", "id", ALCH_TYPE_INTEGER, 0, 0 }, { "id_1", "id", ALCH_TYPE_INTEGER, 0, 1 }, { "user_id", "user_id", ALCH_TYPE_INTEGER, 1, 1 }, { "email", "email", ALCH_TYPE_STRING, 2, 1 },
    { "n", "n", ALCH_TYPE_BIG_INTEGER, 0, 2 }, { "now_1", "now_1", ALCH_TYPE_DATETIME, 0, 3 }, { "active", "active", ALCH_TYPE_BOOLEAN, 2, 4 },
  };
  for (uint32_t n = 0; n < compiled->column_count; n++) {
    CHECK_TEXT(compiled->columns[n].name, expected[n].name);
    CHECK_TEXT(compiled->columns[n].key, expected[n].key);
    CHECK_INT(compiled->columns[n].type_id, expected[n].type);
    CHECK_INT(compiled->columns[n].index, expected[n].index);
    CHECK_INT(compiled->columns[n].place, expected[n].place);
  }
  CHECK_INT(compiled->columns[0].source, w.users->id);
  CHECK_INT(compiled->columns[1].source, w.addresses->id);
  CHECK_INT(compiled->columns[4].source, 0);
  CHECK(compiled->columns[6].converts);
  CHECK(!compiled->columns[0].converts);
  alch_compiled_release(compiled);
  compiled = compiled_as(FROM(SELECT(star()), t(w.users)), "sqlite", NULL);
  if (CHECK(compiled != NULL)) CHECK(compiled->open_columns && compiled->column_count == 0);
  alch_compiled_release(compiled);
  compiled = compiled_as(text("SELECT 1"), "sqlite", NULL);
  if (CHECK(compiled != NULL)) CHECK(compiled->kind == ALCH_STATEMENT_TEXT && !compiled->returns_rows);
  alch_compiled_release(compiled);
  spec_close();
}

CASE("slots stand in the order of their place-holders, whatever the order of the values") {
  spec_open();
  X named = cte(WHERE(SELECT(U("id")), gt(U("age"), i(10))), "t");
  X statement = limit(WHERE(SELECT(at(named, 0), value(i(20), 0)), eq(at(named, 0), i(30)), eq(at(named, 0), bind("mine", ALCH_TYPE_INTEGER, ALCH_BIND_REQUIRED))), 40);
  alch_compiled *compiled = compiled_as(statement, "sqlite", NULL);
  if (!CHECK(compiled != NULL)) return;
  CHECK_TEXT(compiled->sql, "WITH t AS (SELECT users.id AS id FROM users WHERE users.age > ?) SELECT t.id, ? AS anon_1 FROM t WHERE t.id = ? AND t.id = ? LIMIT ?");
  CHECK_INT(compiled->slot_count, 5);
  CHECK_INT(compiled->value_count, 5);
  CHECK(compiled->has_values);
  int64_t expected[] = { 10, 20, 30, 0, 40 };
  for (uint32_t n = 0; n < 5; n++) {
    alch_value_cursor cursor = alch_block_value_cursor(statement.block);
    alch_value value = { 0 };
    for (uint32_t skip = 0; skip <= compiled->slots[n].ordinal; skip++) alch_value_cursor_next(&cursor, &value);
    if (n != 3) CHECK_INT(value.integer, expected[n]);
    CHECK_INT(compiled->sql[compiled->slots[n].offset], '?');
    CHECK_INT(compiled->slots[n].type->family, ALCH_TYPE_INTEGER);
  }
  CHECK_TEXT(compiled->slots[3].name, "mine");
  CHECK(compiled->slots[3].required);
  CHECK(compiled->slots[0].name == NULL);
  alch_compiled_release(compiled);
  spec_close();
}

CASE("lists are written out when their lengths are known") {
  spec_open();
  X statement = WHERE(SELECT(U("id")), in(U("age"), LIST(INTEGER(1), INTEGER(2))), eq(U("name"), s("x")), OP(NOT_IN, U("id"), no_items()));
  const uint32_t counts[] = { 3, 0 };
  static const char *const dialects[] = { "sqlite", "default" };
  static const char *const expected[] = { "SELECT users.id FROM users WHERE users.age IN (?, ?, ?) AND users.name = ? AND (users.id NOT IN (SELECT 1 FROM (SELECT 1) WHERE 1!=1))",
                                          "SELECT users.id FROM users WHERE users.age IN (:age_1_1, :age_1_2, :age_1_3) AND users.name = :name_1 AND (users.id NOT IN (NULL) OR (1 = 1))" };
  for (int n = 0; n < 2; n++) {
    alch_compiled *compiled = compiled_as(statement, dialects[n], NULL);
    if (!CHECK(compiled != NULL)) return;
    alch_buffer out;
    alch_buffer_init(&out, &alch_allocator_standard);
    CHECK(compiled->expands);
    CHECK_INT(alch_compiled_expand(compiled, counts, &out, &w.error), ALCH_OK);
    CHECK_TEXT(alch_buffer_text(&out), expected[n]);
    alch_buffer_close(&out);
    alch_compiled_release(compiled);
  }
  spec_close();
}
