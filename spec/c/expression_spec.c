#include "compile_world.h"

#define U(name) c(w.users, name)
#define O(name) c(w.orders, name)

static alch_type_id type_of(X x) { return alch_node_type(w.catalog, x.block, alch_block_root(x.block)); }
#define TYPE(x, family) CHECK_INT(type_of(x), ALCH_TYPE_##family)

/* The first value of a block, after everything that was done to it. */
static alch_value first_value(X x) {
  alch_value_cursor cursor = alch_block_value_cursor(x.block);
  alch_value value = { .kind = ALCH_NULL };
  alch_value_cursor_next(&cursor, &value);
  return value;
}

static alch_type_id bind_type(X x) {
  const alch_node *node = alch_block_root(x.block), *end = alch_node_next(node);
  while (node < end && node->kind != ALCH_NODE_BIND) node = alch_node_child(node);
  return node < end ? node->a : UINT32_MAX;
}

static void check_refused(alch_operator op, X left, X right, alch_error_kind kind, const char *message, int line) {
  X operands[] = { left, right };
  alch_status status = alch_expression_operate(&w.builder, w.catalog, op, operands, 2, &w.error);
  check_int(status, ALCH_ERROR, "the status", __FILE__, line);
  check_int(w.error.kind, kind, "the kind", __FILE__, line);
  if (message) check_text(alch_error_message(&w.error), message, "the message", __FILE__, line);
  alch_error_close(&w.error);
}
#define REFUSED(op, left, right, kind, message) check_refused(ALCH_OPERATOR_##op, left, right, ALCH_ERROR_##kind, message, __LINE__)

CASE("operators are found by their Lua names, and negations are mutual") {
  CHECK_INT(alch_operator_find("eq"), ALCH_OPERATOR_EQ);
  CHECK_INT(alch_operator_find("not_in"), ALCH_OPERATOR_NOT_IN);
  CHECK_INT(alch_operator_find("nix"), -1);
  CHECK_INT(alch_operator_find(""), -1);
  for (int n = 0; n < ALCH_OPERATOR_COUNT; n++) {
    uint8_t negation = alch_operator_rows[n].negation;
    if (negation != ALCH_OPERATOR_NONE) CHECK_INT(alch_operator_rows[negation].negation, n);
  }
}

CASE("types of results") {
  world_open();
  TYPE(U("id"), INTEGER);
  TYPE(eq(U("id"), i(1)), BOOLEAN);
  TYPE(AND(eq(U("id"), i(1)), eq(U("id"), i(2))), BOOLEAN);
  TYPE(not(AND(eq(U("id"), i(1)), eq(U("id"), i(2)))), BOOLEAN);
  TYPE(add(U("id"), i(1)), INTEGER);
  TYPE(add(U("id"), r(1.5)), DOUBLE);
  TYPE(mul(O("price"), U("id")), NUMERIC);
  TYPE(OP(DIVIDE, U("id"), i(2)), DOUBLE);
  TYPE(OP(FLOOR_DIVIDE, U("id"), i(2)), INTEGER);
  TYPE(add(U("name"), s("x")), STRING);
  TYPE(OP(CONCAT, U("name"), i(5)), STRING);
  TYPE(sub(U("born"), U("born")), INTEGER);
  TYPE(add(U("born"), (X){ .value = { .kind = ALCH_INTERVAL, .integer = 5 } }), DATETIME);
  TYPE(OP(NEGATE, U("id")), INTEGER);
  TYPE(OP(BETWEEN, U("id"), i(1), i(2)), BOOLEAN);
  TYPE(label(U("name"), "x"), STRING);
  TYPE(cast(U("id"), ALCH_TYPE_STRING), STRING);
  TYPE(func("count"), BIG_INTEGER);
  TYPE(FUNC("sum", O("price")), NUMERIC);
  TYPE(FUNC("max", U("born")), DATE);
  TYPE(FUNC("coalesce", sql_null(), U("name")), STRING);
  TYPE(FUNC("Lower", U("name")), STRING);
  TYPE(func("now"), DATETIME);
  TYPE(func("unknown_function"), NULL);
  TYPE(NODE(CASE, 2, 0, 0, eq(U("id"), i(1)), U("name"), sql_null()), STRING);
  TYPE(NODE(CASE, 1, 0, 0, U("id"), value(i(1), 0), U("name")), STRING);
  TYPE(NODE(OVER, 0, 0, 0, FUNC("sum", U("id")), operate(ALCH_OPERATOR_COMMA, NULL, 0), operate(ALCH_OPERATOR_COMMA, NULL, 0)), INTEGER);
  TYPE(SELECT(U("name"), U("id")), STRING);
  TYPE(scalar(SELECT(FUNC("max", U("born")))), DATE);
  TYPE(exists(SELECT(U("id"))), BOOLEAN);
  TYPE(at(alias(w.users, NULL), 4), DATE);
  TYPE(at(subquery(SELECT(at(subquery(SELECT(add(U("id"), r(0.5))), NULL), 0)), NULL), 0), DOUBLE);
  TYPE(desc(U("name")), STRING);
  TYPE(literal("x"), NULL);
  world_close();
}

CASE("a plain value takes the type of the other side") {
  world_open();
  CHECK_INT(bind_type(eq(U("name"), s("x"))), ALCH_TYPE_STRING);
  CHECK_INT(bind_type(eq(s("x"), U("name"))), ALCH_TYPE_STRING);
  CHECK_INT(first_value(eq(U("id"), r(3.0))).kind, ALCH_INTEGER);
  CHECK_INT(bind_type(gt(U("id"), r(17.5))), ALCH_TYPE_DOUBLE);
  CHECK_INT(first_value(gt(U("id"), r(17.5))).kind, ALCH_REAL);
  CHECK_INT(first_value(eq(U("born"), s("2024-02-29"))).kind, ALCH_DATE);
  CHECK_INT(first_value(eq(U("born"), s("2024-02-29"))).integer, 19782);
  CHECK_INT(first_value(eq(O("price"), r(9.99))).kind, ALCH_DECIMAL);
  CHECK_INT(first_value(OP(BETWEEN, U("born"), s("2024-01-01"), s("2024-12-31"))).kind, ALCH_DATE);
  CHECK_INT(bind_type(eq(func("unknown"), i(1))), ALCH_TYPE_INTEGER);
  CHECK_INT(bind_type(OP(CONCAT, U("name"), i(1))), ALCH_TYPE_INTEGER);
  CHECK_INT(bind_type(OP(LIKE, U("id"), s("1%"))), ALCH_TYPE_STRING);
  CHECK_INT(bind_type(in(U("id"), LIST(INTEGER(1), alch_value_real(2.5)))), ALCH_TYPE_DOUBLE);
  X list = in(U("born"), LIST(TEXT("2024-01-01"), ALCH_VALUE_NULL, TEXT("2024-01-02")));
  alch_value_cursor cursor = alch_block_value_cursor(list.block);
  alch_value value;
  CHECK(alch_value_cursor_next(&cursor, &value) && value.integer == 3);
  CHECK(alch_value_cursor_next(&cursor, &value) && value.kind == ALCH_DATE);
  CHECK(alch_value_cursor_next(&cursor, &value) && value.kind == ALCH_NULL);
  CHECK(alch_value_cursor_next(&cursor, &value) && value.kind == ALCH_DATE);
  X escaped = pattern(ALCH_PATTERN_CONTAINS, U("name"), s("50%_/x"), true);
  value = first_value(escaped);
  CHECK_INT(value.length, 9);
  CHECK_BYTES(value.text, "50/%/_//x", 9);
  world_close();
}

CASE("what makes no sense is refused") {
  world_open();
  REFUSED(EQ, U("id"), s("5"), DATA, NULL);
  REFUSED(EQ, U("born"), s("yesterday"), DATA, NULL);
  REFUSED(LT, U("id"), null(), ARGUMENT, "nothing is < NULL; only eq, ne, is_, is_not and is_distinct_from can be used with NULL");
  REFUSED(IN, U("id"), i(5), ARGUMENT, NULL);
  REFUSED(EQ, U("id"), LIST(INTEGER(1)), ARGUMENT, "a list cannot stand beside = ; use in_");
  REFUSED(BETWEEN, U("id"), i(5), ARGUMENT, "between does not take 2 operands");
  REFUSED(NOT, U("id"), U("id"), ARGUMENT, "not_ does not take 2 operands");
  X number = i(5), text = U("name"), name = U("name");
  CHECK_INT(alch_expression_pattern(&w.builder, w.catalog, ALCH_PATTERN_CONTAINS, &name, &number, false, 0, &w.error), ALCH_ERROR);
  CHECK_INT(alch_expression_pattern(&w.builder, w.catalog, ALCH_PATTERN_CONTAINS, &name, &text, true, 0, &w.error), ALCH_ERROR);
  alch_error_close(&w.error);
  world_close();
}

CASE("folding keeps only what is needed") {
  world_open();
  X a = eq(U("id"), i(1)), b = eq(U("id"), i(2));
  CHECK_INT(alch_block_root(AND(a, AND(b, a)).block)->kind, ALCH_NODE_LIST);
  CHECK_INT(alch_node_child_count(alch_block_root(AND(a, AND(b, a)).block)), 3);
  CHECK_INT(alch_node_child_count(alch_block_root(AND(a, OR(b, a)).block)), 2);
  CHECK_INT(alch_block_root(AND(sql_true(), a).block)->kind, ALCH_NODE_BINARY);
  CHECK_INT(alch_block_root(AND(a, sql_false()).block)->kind, ALCH_NODE_FALSE);
  CHECK_INT(AND(a, sql_false()).block->values, 0);
  CHECK_INT(alch_block_root(not(a).block)->op, ALCH_OPERATOR_NE);
  CHECK(alch_block_same_structure(not(not(a)).block, a.block, w.allocator));
  X pair = AND(a, b);
  CHECK(alch_block_same_structure(not(not(pair)).block, pair.block, w.allocator));
  world_close();
}
