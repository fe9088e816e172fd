/* Rows of values on SQL Server, which compares them only one by one, or as rows of a table. */
#include "sql/dialects/mssql.h"

static const alch_node *second(const alch_node *node) { return alch_node_next(alch_node_child(node)); }

static const alch_node *bare(const alch_node *node) {
  while (node->kind == ALCH_NODE_GROUPING || node->kind == ALCH_NODE_LABEL || node->kind == ALCH_NODE_TYPE_COERCE) node = alch_node_child(node);
  return node;
}

bool alch_mssql_is_tuple(const alch_node *node) { return bare(node)->kind == ALCH_NODE_TUPLE; }

/* ---- IN ---- */

static void render_rows(alch_compiler *compiler, const alch_node *set, uint32_t width) {
  if (set->kind == ALCH_NODE_SCALAR) set = alch_node_child(set);
  if (alch_node_is_query(set)) {
    alch_render_subquery(compiler, set, ALCH_ROLE_NESTED);
    return;
  }
  alch_write_char(compiler, '(');
  if (set->kind == ALCH_NODE_BIND) {
    compiler->set_width = (uint16_t)width;
    alch_render(compiler, set);
    compiler->set_width = 0;
  } else if (alch_node_child_count(set) == 0) {
    alch_empty_set_write(compiler->dialect, ALCH_SET_PLAIN, width, compiler->out);
  } else {
    alch_write(compiler, "VALUES ");
    alch_render_children(compiler, set, ", ");
  }
  alch_write_char(compiler, ')');
}

/* (a, b) IN (…) asks whether a table has a row with both. */
alch_status alch_mssql_tuple_in(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = bare(alch_node_child(node));
  uint32_t width = alch_node_child_count(left), place = 1;
  const char *name = alch_new_name(compiler, "anon", 4), *separator = " WHERE ";
  alch_write(compiler, node->op == ALCH_OPERATOR_NOT_IN ? "(NOT EXISTS (SELECT 1 FROM " : "EXISTS (SELECT 1 FROM ");
  render_rows(compiler, second(node), width);
  alch_buffer_add_format(compiler->out, " AS %s (", name);
  for (uint32_t i = 1; i <= width; i++) alch_buffer_add_format(compiler->out, i == 1 ? "c%u" : ", c%u", (unsigned)i);
  alch_write_char(compiler, ')');
  for ALCH_EACH_CHILD(child, left) {
    alch_buffer_add_format(compiler->out, "%s%s.c%u = ", separator, name, (unsigned)place++);
    alch_render_operand(compiler, child, ALCH_OPERATOR_EQ);
    separator = " AND ";
  }
  alch_write(compiler, node->op == ALCH_OPERATOR_NOT_IN ? "))" : ")");
  return compiler->status;
}

/* ---- comparisons, written out ---- */

static void compare_at(alch_compiler *compiler, const alch_node *left, const alch_node *right, uint32_t place, uint8_t op) {
  alch_render_operand(compiler, alch_node_nth(left, place), op);
  alch_write(compiler, alch_operator_spelling(compiler, op));
  alch_render_operand(compiler, alch_node_nth(right, place), op);
}

static void compare_all(alch_compiler *compiler, const alch_node *left, const alch_node *right, uint8_t op) {
  uint32_t width = alch_node_child_count(left);
  for (uint32_t i = 0; i < width; i++) {
    if (i > 0) alch_write(compiler, op == ALCH_OPERATOR_EQ ? " AND " : " OR ");
    compare_at(compiler, left, right, i, op);
  }
}

/* The first place that differs decides: a > x OR (a = x AND b > y). */
static void compare_in_order(alch_compiler *compiler, const alch_node *left, const alch_node *right, uint8_t op) {
  uint32_t width = alch_node_child_count(left);
  uint8_t strict = op == ALCH_OPERATOR_LE ? ALCH_OPERATOR_LT : op == ALCH_OPERATOR_GE ? ALCH_OPERATOR_GT : op;
  for (uint32_t i = 0; i < width; i++) {
    if (i > 0) alch_write(compiler, " OR (");
    for (uint32_t before = 0; before < i; before++) {
      compare_at(compiler, left, right, before, ALCH_OPERATOR_EQ);
      alch_write(compiler, " AND ");
    }
    compare_at(compiler, left, right, i, i + 1 < width ? strict : op);
    if (i > 0) alch_write_char(compiler, ')');
  }
}

alch_status alch_mssql_tuple_compare(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = bare(alch_node_child(node)), *right = bare(second(node));
  bool comparable = node->op == ALCH_OPERATOR_EQ || node->op == ALCH_OPERATOR_NE || (node->op >= ALCH_OPERATOR_LT && node->op <= ALCH_OPERATOR_GE);
  if (!comparable || left->kind != ALCH_NODE_TUPLE || right->kind != ALCH_NODE_TUPLE || alch_node_child_count(left) != alch_node_child_count(right))
    return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "a tuple beside anything but a tuple of as many values is not supported by the dialect '%s'; compare its parts", compiler->dialect->name);
  alch_write_char(compiler, '(');
  if (node->op == ALCH_OPERATOR_EQ || node->op == ALCH_OPERATOR_NE) compare_all(compiler, left, right, node->op);
  else compare_in_order(compiler, left, right, node->op);
  alch_write_char(compiler, ')');
  return compiler->status;
}
