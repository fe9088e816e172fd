#include "compile_check.h"

#define U(name) c(w.users, name)

CASE("comparisons, and what NULL makes of them") {
  spec_open();
  SQL(eq(U("name"), s("x")), "users.name = :name_1");
  SQL(OP(NE, U("name"), s("x")), "users.name != :name_1");
  SQL(gt(U("age"), i(3)), "users.age > :age_1");
  SQL(OP(GE, U("age"), i(3)), "users.age >= :age_1");
  SQL(lt(U("age"), i(3)), "users.age < :age_1");
  SQL(OP(LE, U("age"), i(3)), "users.age <= :age_1");
  SQL(eq(U("name"), null()), "users.name IS NULL");
  SQL(OP(NE, U("name"), null()), "users.name IS NOT NULL");
  SQL(eq(U("name"), sql_null()), "users.name IS NULL");
  SQL(OP(IS, U("name"), null()), "users.name IS NULL");
  SQL(OP(IS_NOT, U("name"), null()), "users.name IS NOT NULL");
  SQL(eq(null(), U("name")), "users.name IS NULL");
  SQL(eq(U("age"), U("id")), "users.age = users.id");
  SQL(eq(i(3), U("age")), ":age_1 = users.age");
  SQL2(OP(IS_DISTINCT, U("age"), i(1)), "users.age IS DISTINCT FROM :age_1", "users.age IS NOT ?");
  SQL2(OP(IS_NOT_DISTINCT, U("age"), i(1)), "users.age IS NOT DISTINCT FROM :age_1", "users.age IS ?");
  SQL(eq(eq(U("id"), i(1)), eq(U("age"), i(2))), "(users.id = :id_1) = (users.age = :age_1)");
  SQL(OP(IS, eq(U("id"), i(1)), null()), "(users.id = :id_1) IS NULL");
  spec_close();
}

CASE("booleans where the database has none") {
  spec_open();
  SQL2(eq(U("active"), truth(true)), "users.active = true", "users.active = 1");
  SQL2(eq(U("active"), truth(false)), "users.active = false", "users.active = 0");
  SQL2(OP(IS, U("active"), truth(true)), "users.active IS true", "users.active IS 1");
  SQL2(WHERE(SELECT(U("id")), U("active")), "SELECT users.id FROM users WHERE users.active", "SELECT users.id FROM users WHERE users.active = 1");
  SQL2(WHERE(SELECT(U("id")), not(U("active"))), "SELECT users.id FROM users WHERE NOT users.active", "SELECT users.id FROM users WHERE users.active = 0");
  SQL2(AND(U("active"), eq(U("age"), i(1))), "users.active AND users.age = :age_1", "users.active = 1 AND users.age = ?");
  SQL2(OR(U("active"), not(U("active"))), "users.active OR NOT users.active", "users.active = 1 OR users.active = 0");
  SQL2(WHERE(SELECT(U("id")), sql_true()), "SELECT users.id FROM users WHERE true", "SELECT users.id FROM users WHERE 1 = 1");
  SQL2(WHERE(SELECT(U("id")), sql_false()), "SELECT users.id FROM users WHERE false", "SELECT users.id FROM users WHERE 0 = 1");
  SQL2(SELECT(sql_true(), eq(U("active"), truth(true))), "SELECT true AS anon_1, users.active = true AS anon_2 FROM users", "SELECT 1 AS anon_1, users.active = 1 AS anon_2 FROM users");
  SQL(eq(U("active"), U("active")), "users.active = users.active");
  spec_close();
}

CASE("and, or, not") {
  spec_open();
  X a = eq(U("id"), i(1)), b = eq(U("id"), i(2)), d = eq(U("id"), i(3));
  SQL(AND(a, b), "users.id = :id_1 AND users.id = :id_2");
  SQL(AND(a, OR(b, d)), "users.id = :id_1 AND (users.id = :id_2 OR users.id = :id_3)");
  SQL(AND(a, AND(b, d)), "users.id = :id_1 AND users.id = :id_2 AND users.id = :id_3");
  SQL(OR(a, AND(b, d)), "users.id = :id_1 OR users.id = :id_2 AND users.id = :id_3");
  SQL(AND(a, OR(b, d), not(OR(a, b))), "users.id = :id_1 AND (users.id = :id_2 OR users.id = :id_3) AND NOT (users.id = :id_4 OR users.id = :id_5)");
  SQL(not(AND(a, b)), "NOT (users.id = :id_1 AND users.id = :id_2)");
  SQL(not(not(AND(a, b))), "users.id = :id_1 AND users.id = :id_2");
  SQL(not(a), "users.id != :id_1");
  SQL(not(lt(U("age"), i(1))), "users.age >= :age_1");
  SQL(not(OP(IS, U("name"), null())), "users.name IS NOT NULL");
  SQL(AND(a), "users.id = :id_1");
  SQL(AND(sql_true(), a), "users.id = :id_1");
  SQL(AND(truth(true), a, b), "users.id = :id_1 AND users.id = :id_2");
  SQL2(AND(sql_false(), a), "false", "0");
  SQL2(OR(sql_true(), a), "true", "1");
  SQL(OR(sql_false(), a), "users.id = :id_1");
  SQL2(operate(ALCH_OPERATOR_AND, NULL, 0), "true", "1");
  SQL2(operate(ALCH_OPERATOR_OR, NULL, 0), "false", "0");
  SQL2(not(sql_true()), "false", "0");
  SQL(not(text("a = 1 OR b = 2")), "NOT (a = 1 OR b = 2)");
  SQL(AND(text("a = 1 or b = 2"), a), "(a = 1 or b = 2) AND users.id = :id_1");
  SQL(AND(text("a = 1"), a), "a = 1 AND users.id = :id_1");
  SQL(AND(text("a = 'x or y'"), a), "a = 'x or y' AND users.id = :id_1");
  SQL(WHERE(WHERE(SELECT(U("id")), OR(a, b)), d), "SELECT users.id FROM users WHERE (users.id = :id_1 OR users.id = :id_2) AND users.id = :id_3");
  spec_close();
}

CASE("arithmetic: parentheses are where SQLAlchemy puts them") {
  spec_open();
  X age = U("age"), id = U("id");
  SQL(sub(sub(age, id), age), "(users.age - users.id) - users.age");
  SQL(add(sub(age, id), age), "(users.age - users.id) + users.age");
  SQL(sub(age, sub(id, age)), "users.age - (users.id - users.age)");
  SQL(add(add(age, id), age), "users.age + users.id + users.age");
  SQL(add(age, add(id, age)), "users.age + users.id + users.age");
  SQL(mul(age, mul(id, age)), "users.age * users.id * users.age");
  SQL(add(mul(age, i(2)), i(1)), "users.age * :age_1 + :param_1");
  SQL(mul(add(age, i(1)), i(2)), "(users.age + :age_1) * :param_1");
  SQL2(mul(OP(DIVIDE, age, id), age), "(users.age / CAST(users.id AS NUMERIC)) * users.age", "(users.age / (users.id + 0.0)) * users.age");
  SQL2(OP(DIVIDE, age, r(2.5)), "users.age / CAST(:age_1 AS DOUBLE)", "users.age / (? + 0.0)");
  SQL(OP(FLOOR_DIVIDE, age, id), "users.age / users.id");
  SQL(eq(OP(MODULO, age, i(2)), i(0)), "users.age % :age_1 = :param_1");
  SQL(OP(NEGATE, age), "-users.age");
  SQL(OP(NEGATE, OP(NEGATE, age)), "-(-users.age)");
  SQL(OP(NEGATE, add(age, i(1))), "-(users.age + :age_1)");
  SQL(eq(OP(BITWISE_AND, age, i(1)), i(0)), "users.age & :age_1 = :param_1");
  SQL(OP(BITWISE_AND, age, add(id, i(1))), "users.age & (users.id + :id_1)");
  SQL(OP(BITWISE_OR, OP(BITWISE_AND, age, i(1)), i(2)), "(users.age & :age_1) | :param_1");
  SQL(OP(SHIFT_LEFT, age, i(1)), "users.age << :age_1");
  SQL(OP(BITWISE_NOT, age), "~users.age");
  SQL(OP(CONCAT, U("name"), s("x")), "users.name || :name_1");
  SQL(add(U("name"), U("name")), "users.name || users.name");
  SQL(add(s("x"), U("name")), ":name_1 || users.name");
  SQL(OP(CONCAT, OP(CONCAT, U("name"), s("x")), s("z")), "users.name || :name_1 || :param_1");
  SQL(OP(CONCAT, U("name"), add(age, i(1))), "users.name || (users.age + :age_1)");
  SQL(add(OP(CONCAT, U("name"), s("1")), OP(CONCAT, U("name"), s("2"))), "users.name || :name_1 || users.name || :name_2");
  spec_close();
}

CASE("like, contains, startswith, endswith, ilike, regexp") {
  spec_open();
  X name = U("name");
  SQL(OP(LIKE, name, s("x%")), "users.name LIKE :name_1");
  SQL(OP(NOT_LIKE, name, s("x%")), "users.name NOT LIKE :name_1");
  SQL(not(OP(LIKE, name, s("x%"))), "users.name NOT LIKE :name_1");
  SQL(like(ALCH_OPERATOR_LIKE, name, s("x"), '/'), "users.name LIKE :name_1 ESCAPE '/'");
  SQL(like(ALCH_OPERATOR_LIKE, name, s("x"), '\''), "users.name LIKE :name_1 ESCAPE ''''");
  SQL(pattern(ALCH_PATTERN_CONTAINS, name, s("a"), false), "users.name LIKE '%' || :name_1 || '%'");
  SQL(pattern(ALCH_PATTERN_STARTSWITH, name, s("a"), true), "users.name LIKE :name_1 || '%' ESCAPE '/'");
  SQL(pattern(ALCH_PATTERN_ENDSWITH, name, s("a"), false), "users.name LIKE '%' || :name_1");
  SQL(pattern(ALCH_PATTERN_CONTAINS, name, U("name"), false), "users.name LIKE '%' || users.name || '%'");
  SQL(AND(pattern(ALCH_PATTERN_CONTAINS, name, s("a"), false), eq(U("age"), i(1))), "(users.name LIKE '%' || :name_1 || '%') AND users.age = :age_1");
  SQL(not(pattern(ALCH_PATTERN_CONTAINS, name, s("a"), false)), "users.name NOT LIKE '%' || :name_1 || '%'");
  SQL(OP(ILIKE, name, s("x")), "lower(users.name) LIKE lower(:name_1)");
  SQL(like(ALCH_OPERATOR_NOT_ILIKE, name, s("x"), '/'), "lower(users.name) NOT LIKE lower(:name_1) ESCAPE '/'");
  SQL2(OP(REGEXP, name, s("^a")), "users.name <regexp> :name_1", "users.name REGEXP ?");
  spec_close();
}

CASE("between and in") {
  spec_open();
  X age = U("age");
  SQL(OP(BETWEEN, age, i(1), i(2)), "users.age BETWEEN :age_1 AND :age_2");
  SQL(OP(NOT_BETWEEN, age, i(1), i(2)), "users.age NOT BETWEEN :age_1 AND :age_2");
  SQL(not(OP(BETWEEN, age, i(1), i(2))), "users.age NOT BETWEEN :age_1 AND :age_2");
  SQL2(AND(OP(BETWEEN, U("name"), s("a"), s("b")), U("active")), "users.name BETWEEN :name_1 AND :name_2 AND users.active", "users.name BETWEEN ? AND ? AND users.active = 1");
  SQL(OP(BETWEEN, i(5), U("id"), U("age")), ":param_1 BETWEEN users.id AND users.age");
  SQL(in(age, LIST(INTEGER(1), INTEGER(2))), "users.age IN (:age_1)");
  SQL(in(age, no_items()), "users.age IN (:age_1)");
  SQL(OP(NOT_IN, age, LIST(INTEGER(1))), "(users.age NOT IN (:age_1))");
  SQL(not(in(age, LIST(INTEGER(1)))), "(users.age NOT IN (:age_1))");
  SQL(AND(OP(NOT_IN, age, LIST(INTEGER(1))), eq(U("id"), i(2))), "(users.age NOT IN (:age_1)) AND users.id = :id_1");
  SQL(in(age, SELECT(c(w.addresses, "id"))), "users.age IN (SELECT addresses.id FROM addresses)");
  SQL(in(age, OP(COMMA, i(1), U("id"))), "users.age IN (:age_1, users.id)");
  SQL(in(age, bind("ages", ALCH_TYPE_INTEGER, 0)), "users.age IN (:ages)");
  SQL(OP(IS, in(age, LIST(INTEGER(1))), null()), "(users.age IN (:age_1)) IS NULL");
  X pair = NODE(TUPLE, 0, 0, 0, U("id"), U("age"));
  X one = NODE(TUPLE, 0, 0, 0, i(1), i(2)), two = NODE(TUPLE, 0, 0, 0, i(3), i(4));
  SQL2(in(pair, OP(COMMA, one, two)), "(users.id, users.age) IN ((:param_1, :param_2), (:param_3, :param_4))", "(users.id, users.age) IN (VALUES (?, ?), (?, ?))");
  SQL2(in(pair, operate(ALCH_OPERATOR_COMMA, NULL, 0)), "(users.id, users.age) IN ((NULL, NULL)) AND (1 != 1)", "(users.id, users.age) IN (SELECT 1, 1 FROM (SELECT 1, 1) WHERE 1!=1)");
  SQL(in(pair, SELECT(c(w.addresses, "id"), c(w.addresses, "user_id"))), "(users.id, users.age) IN (SELECT addresses.id, addresses.user_id FROM addresses)");
  spec_close();
}

CASE("functions") {
  spec_open();
  SQL(func("count"), "count(*)");
  SQL(FUNC("count", U("id")), "count(users.id)");
  SQL(FUNC("count", OP(DISTINCT, U("id"))), "count(DISTINCT users.id)");
  SQL2(func("now"), "now()", "CURRENT_TIMESTAMP");
  SQL(func("current_timestamp"), "CURRENT_TIMESTAMP");
  SQL(gt(FUNC("coalesce", U("age"), i(5)), i(3)), "coalesce(users.age, :coalesce_1) > :coalesce_2");
  SQL(eq(FUNC("lower", U("name")), s("a")), "lower(users.name) = :lower_1");
  SQL(FUNC("a.b.c", i(1)), "a.b.c(:c_1)");
  SQL2(FUNC("char_length", U("name")), "char_length(users.name)", "length(users.name)");
  SQL(func("my func\"x"), "\"my func\"\"x\"()");
  SQL(NODE(OVER, 0, 0, 0, func("row_number"), OP(COMMA, U("age")), OP(COMMA, desc(U("id")))), "row_number() OVER (PARTITION BY users.age ORDER BY users.id DESC)");
  SQL(NODE(OVER, 0, 0, 0, FUNC("sum", U("age")), operate(ALCH_OPERATOR_COMMA, NULL, 0), OP(COMMA, U("id"))), "sum(users.age) OVER (ORDER BY users.id)");
  X frame = node_of(ALCH_NODE_FRAME, ALCH_FRAME_ROWS, ALCH_BOUND_UNBOUNDED, ALCH_BOUND_CURRENT, NULL, NULL, 0);
  SQL(NODE(OVER, 0, 0, 0, FUNC("sum", U("age")), operate(ALCH_OPERATOR_COMMA, NULL, 0), OP(COMMA, U("id")), frame),
      "sum(users.age) OVER (ORDER BY users.id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)");
  X range = NODE(FRAME, ALCH_FRAME_RANGE | ALCH_EXCLUDE_TIES << ALCH_FRAME_EXCLUSION_SHIFT, ALCH_BOUND_PRECEDING, ALCH_BOUND_FOLLOWING, i(1), i(2));
  SQL(NODE(OVER, 0, 0, 0, FUNC("sum", U("age")), operate(ALCH_OPERATOR_COMMA, NULL, 0), operate(ALCH_OPERATOR_COMMA, NULL, 0), range),
      "sum(users.age) OVER (RANGE BETWEEN :param_1 PRECEDING AND :param_2 FOLLOWING EXCLUDE TIES)");
  SQL(NODE(FILTER, 0, 0, 0, FUNC("count", U("id")), gt(U("age"), i(1))), "count(users.id) FILTER (WHERE users.age > :age_1)");
  SQL2(NAMED(EXTRACT, "year", U("born")), "EXTRACT(year FROM users.born)", "CAST(STRFTIME('%Y', users.born) AS INTEGER)");
  X group = NODE(WITHIN_GROUP, 0, 0, 0, FUNC("percentile", r(0.5)), OP(COMMA, U("age")));
  char out[512];
  CHECK_TEXT(sql_in(group, "default", NULL, out, sizeof out), "percentile(:percentile_1) WITHIN GROUP (ORDER BY users.age)");
  FAILS(NAMED(EXTRACT, "year FROM x)--", U("born")), "default", COMPILE, "'year FROM x)--' is no field that EXTRACT knows");
  spec_close();
}

CASE("case, cast, collate, custom operators, null, grouping") {
  spec_open();
  X first = gt(U("age"), i(1));
  SQL(NODE(CASE, 2, 0, 0, first, value(s("a"), 0), value(s("b"), 0)), "CASE WHEN (users.age > :age_1) THEN :param_1 ELSE :param_2 END");
  SQL(NODE(CASE, 0, 0, 0, first, value(s("a"), 0), eq(U("id"), i(2)), value(s("b"), 0)), "CASE WHEN (users.age > :age_1) THEN :param_1 WHEN (users.id = :id_1) THEN :param_2 END");
  SQL(NODE(CASE, 3, 0, 0, U("name"), value(s("a"), 0), value(i(1), 0), value(i(0), 0)), "CASE users.name WHEN :param_1 THEN :param_2 ELSE :param_3 END");
  SQL2(NODE(CASE, 0, 0, 0, U("active"), value(i(1), 0)), "CASE WHEN users.active THEN :param_1 END", "CASE WHEN users.active THEN ? END");
  SQL(cast(U("id"), ALCH_TYPE_STRING), "CAST(users.id AS VARCHAR)");
  SQL(cast(value(s("1"), 0), ALCH_TYPE_INTEGER), "CAST(:param_1 AS INTEGER)");
  SQL(eq(cast(U("id"), ALCH_TYPE_STRING), s("1")), "CAST(users.id AS VARCHAR) = :param_1");
  SQL(NODE(TYPE_COERCE, 0, 0, ALCH_TYPE_STRING, U("id")), "users.id");
  SQL(mul(NODE(TYPE_COERCE, 0, 0, ALCH_TYPE_INTEGER, add(U("id"), i(1))), i(2)), "(users.id + :id_1) * :param_1");
  SQL(eq(NAMED(COLLATE, "NOCASE", U("name")), s("x")), "(users.name COLLATE \"NOCASE\") = :param_1");
  SQL(NAMED(COLLATE, "NOCASE", add(U("name"), s("a"))), "(users.name || :name_1) COLLATE \"NOCASE\"");
  SQL(NAMED(CUSTOM, "->", U("name"), value(s("x"), 0)), "users.name -> :name_1");
  SQL(eq(NAMED(CUSTOM, "->", U("name"), value(s("x"), 0)), s("y")), "(users.name -> :name_1) = :param_1");
  SQL(NODE(GROUPING, 0, 0, 0, U("name")), "(users.name)");
  SQL(sql_null(), "NULL");
  SQL(leaf(ALCH_NODE_EXCLUDED, w.users->id, 1), "excluded.name");
  SQL2(OP(ANY, SELECT(c(w.addresses, "id"))), "ANY (SELECT addresses.id FROM addresses)", "SQLite has no ANY or ALL; write in_ with the subquery");
  SQL(c(w.quoted, "two words"), "\"Order\".\"two words\"");
  SQL(desc(U("name")), "users.name DESC");
  SQL(desc(label_name("n")), "n DESC");
  SQL(label(U("name"), "n"), "users.name AS n");
  SQL(eq(label(U("name"), "n"), s("x")), "users.name = :param_1");
  SQL(OP(NULLS_LAST, desc(U("name"))), "users.name DESC NULLS LAST");
  spec_close();
}

CASE("binds: names, literals, text") {
  char out[512];
  spec_open();
  alch_compile_options inline_values = { .literal_binds = true };
  SQL(eq(U("id"), bind("x", ALCH_TYPE_INTEGER, 0)), "users.id = :x");
  CHECK_TEXT(sql_in(eq(U("name"), s("it's")), "sqlite", &inline_values, out, sizeof out), "users.name = 'it''s'");
  CHECK_TEXT(sql_in(in(U("id"), LIST(INTEGER(1), INTEGER(-2))), "sqlite", &inline_values, out, sizeof out), "users.id IN (1, -2)");
  CHECK_TEXT(sql_in(in(U("id"), no_items()), "sqlite", &inline_values, out, sizeof out), "users.id IN (SELECT 1 FROM (SELECT 1) WHERE 1!=1)");
  CHECK_TEXT(sql_in(OP(NEGATE, value(i(-5), 0)), "sqlite", &inline_values, out, sizeof out), "-(-5)");
  CHECK_TEXT(sql_in(sub(U("id"), i(-5)), "sqlite", &inline_values, out, sizeof out), "users.id - -5");
  CHECK_TEXT(sql_in(eq(U("id"), bind("x", ALCH_TYPE_INTEGER, ALCH_BIND_REQUIRED)), "sqlite", &inline_values, out, sizeof out), "bind parameter 'x' has no value to be written as a literal");
  CHECK_TEXT(sql_in(text("SELECT ':a', \":b\", :c -- :d\n, /* :e */ x::int, 12:30, \\:f, :c"), "default", NULL, out, sizeof out), "SELECT ':a', \":b\", :c -- :d\n, /* :e */ x::int, 12:30, :f, :c");
  CHECK_TEXT(sql_in(text("SELECT ':a', \":b\", :c -- :d\n, /* :e */ x::int, 12:30, \\:f, :c"), "sqlite", NULL, out, sizeof out),
             "SELECT ':a', \":b\", ? -- :d\n, /* :e */ x::int, 12:30, :f, ?");
  alch_builder_open_text(start(), ALCH_NODE_TEXT, 0, 0, 0, "id IN :ids AND id IN (:ids)", 27);
  alch_value items[] = { INTEGER(1), INTEGER(2) }, list = { .kind = ALCH_LIST, .integer = 2 };
  alch_builder_bind(&w.builder, ALCH_TYPE_INTEGER, ALCH_BIND_NAMED, "ids", &list, items);
  alch_builder_close(&w.builder);
  CHECK_TEXT(sql_in(taken(ALCH_OK), "sqlite", NULL, out, sizeof out), "id IN (?) AND id IN (?)");
  spec_close();
}

static void check_plain(X x, const alch_dialect *dialect, const char *expected, int line) {
  alch_compiled *compiled = NULL;
  if (!check_true(x.block != NULL, "it is built", __FILE__, line)) return;
  alch_compile(w.catalog, dialect, x.block, NULL, w.allocator, &compiled, &w.error);
  check_text(compiled ? compiled->sql : alch_error_message(&w.error), expected, "text", __FILE__, line);
  alch_compiled_release(compiled);
  alch_error_close(&w.error);
}

CASE("without FILTER the condition goes into the aggregate") {
  spec_open();
  alch_dialect poor = *alch_dialect_find("sqlite");
  poor.capabilities &= ~(ALCH_CAN(FILTER) | ALCH_CAN(AGGREGATE_ORDER));
  poor.string_separator = " SEPARATOR ";
  X old = gt(U("age"), i(1)), order = OP(COMMA, desc(U("id"))), strings = FUNC("aggregate_strings", U("name"), s(", "));
  check_plain(NODE(FILTER, 0, 0, 0, FUNC("sum", U("age")), old), &poor, "sum(CASE WHEN (users.age > ?) THEN users.age END)", __LINE__);
  check_plain(NODE(FILTER, 0, 0, 0, func("count"), old), &poor, "count(CASE WHEN (users.age > ?) THEN 1 END)", __LINE__);
  check_plain(NODE(FILTER, 0, 0, 0, FUNC("count", OP(DISTINCT, U("id"))), U("active")), &poor, "count(DISTINCT CASE WHEN users.active THEN users.id END)", __LINE__);
  check_plain(NODE(OVER, 0, 0, 0, NODE(FILTER, 0, 0, 0, FUNC("max", FUNC("lower", U("name"))), old), operate(ALCH_OPERATOR_COMMA, NULL, 0), order), &poor,
              "max(CASE WHEN (users.age > ?) THEN lower(users.name) END) OVER (ORDER BY users.id DESC)", __LINE__);
  check_plain(NODE(FILTER, 0, 0, 0, strings, old), &poor, "group_concat(CASE WHEN (users.age > ?) THEN users.name END SEPARATOR ?)", __LINE__);
  check_plain(NODE(FILTER, 0, 0, 0, NODE(CAST, 0, 0, ALCH_TYPE_INTEGER, FUNC("sum", U("age"))), old), &poor,
              "FILTER of this function is not supported by the dialect 'sqlite'; write a CASE into its argument", __LINE__);
  poor.capabilities |= ALCH_CAN(AGGREGATE_ORDER);
  check_plain(NODE(AGGREGATE_ORDER, 0, 0, 0, strings, order), &poor, "group_concat(users.name ORDER BY users.id DESC SEPARATOR ?)", __LINE__);
  poor.string_separator = NULL;
  check_plain(NODE(FILTER, 0, 0, 0, NODE(AGGREGATE_ORDER, 0, 0, 0, strings, order), old), &poor, "group_concat(CASE WHEN (users.age > ?) THEN users.name END, ? ORDER BY users.id DESC)", __LINE__);
  spec_close();
}
