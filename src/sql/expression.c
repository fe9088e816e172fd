#include "sql/expression.h"
#include "sql/operand.h"

#define ROW(op) (&alch_operator_rows[op])

static alch_status wrong_count(alch_maker *maker, alch_operator op, uint32_t count) {
  return alch_error_set(maker->error, ALCH_ERROR_ARGUMENT, "%s does not take %u operands", ROW(op)->lua_name[0] ? ROW(op)->lua_name : ROW(op)->symbol, (unsigned)count);
}

/* ---- AND, OR ---- */

/* A plain true or false counts as the constant that it means. */
static uint8_t constant_kind(const alch_operand *operand) {
  if (operand->block) return alch_block_root(operand->block)->kind;
  if (operand->value.kind != ALCH_BOOLEAN) return ALCH_NODE_BIND;
  return operand->value.integer ? ALCH_NODE_TRUE : ALCH_NODE_FALSE;
}

static bool is_list_of(const alch_operand *operand, alch_operator op) {
  const alch_node *root = alch_operand_root(operand);
  return root && root->kind == ALCH_NODE_LIST && root->op == op;
}

static void put_children(alch_builder *builder, const alch_block *block) {
  alch_builder_definitions(builder, block);
  alch_reader reader = alch_reader_at_root(block);
  const alch_node *end = alch_node_next(reader.node);
  alch_reader_enter(&reader);
  while (reader.node < end) alch_builder_copy(builder, &reader);
}

static alch_status put_member(alch_maker *maker, alch_operator op, const alch_operand *operand) {
  if (!is_list_of(operand, op)) return alch_put_operand(maker, operand, 0);
  put_children(maker->builder, operand->block);
  return ALCH_OK;
}

/* The law: the neutral element vanishes, the absorbing one is all that remains, nested lists of the same operator are one list. */
static alch_status make_junction(alch_maker *maker, alch_operator op, const alch_operand *operands, uint32_t count) {
  uint8_t neutral = op == ALCH_OPERATOR_AND ? ALCH_NODE_TRUE : ALCH_NODE_FALSE, absorbing = op == ALCH_OPERATOR_AND ? ALCH_NODE_FALSE : ALCH_NODE_TRUE;
  uint32_t members = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint8_t kind = constant_kind(&operands[i]);
    if (kind == absorbing) members = UINT32_MAX;
    if (members != UINT32_MAX && kind != neutral) members += is_list_of(&operands[i], op) ? 2 : 1;
  }
  if (members == 0 || members == UINT32_MAX) {
    alch_builder_leaf(maker->builder, members == 0 ? neutral : absorbing, 0, 0, 0);
    return ALCH_OK;
  }
  alch_status status = ALCH_OK;
  if (members > 1) alch_builder_open(maker->builder, ALCH_NODE_LIST, op, 0, 0);
  for (uint32_t i = 0; i < count && status == ALCH_OK; i++)
    if (constant_kind(&operands[i]) != neutral) status = put_member(maker, op, &operands[i]);
  if (members > 1) alch_builder_close(maker->builder);
  return status;
}

static alch_status make_comma(alch_maker *maker, const alch_operand *operands, uint32_t count) {
  alch_status status = ALCH_OK;
  alch_builder_open(maker->builder, ALCH_NODE_LIST, ALCH_OPERATOR_COMMA, 0, 0);
  for (uint32_t i = 0; i < count && status == ALCH_OK; i++) status = alch_put_operand(maker, &operands[i], 0);
  alch_builder_close(maker->builder);
  return status;
}

/* ---- NOT and the other unary operators ---- */

static alch_status make_unary(alch_maker *maker, alch_operator op, const alch_operand *operand) {
  const alch_node *root = alch_operand_root(operand);
  bool quantifier = op == ALCH_OPERATOR_ANY || op == ALCH_OPERATOR_ALL;
  alch_status status = ALCH_OK;
  alch_builder_open(maker->builder, ALCH_NODE_UNARY, op, 0, 0);
  if (quantifier && root && alch_node_is_query(root)) alch_builder_block(maker->builder, operand->block);
  else status = alch_put_operand(maker, operand, 0);
  alch_builder_close(maker->builder);
  return status;
}

static void put_negated(alch_builder *builder, const alch_block *block) {
  const alch_node *root = alch_block_root(block);
  alch_builder_open_text(builder, root->kind, ROW(root->op)->negation, root->a, root->b, alch_node_text(root), root->length);
  put_children(builder, block);
  alch_builder_close(builder);
}

static bool has_negation(const alch_node *root) {
  return (root->kind == ALCH_NODE_BINARY || root->kind == ALCH_NODE_BETWEEN || root->kind == ALCH_NODE_REGEXP) && ROW(root->op)->negation != ALCH_OPERATOR_NONE;
}

static alch_status make_not(alch_maker *maker, const alch_operand *operand) {
  uint8_t kind = constant_kind(operand);
  const alch_node *root = alch_operand_root(operand);
  if (kind == ALCH_NODE_TRUE || kind == ALCH_NODE_FALSE) alch_builder_leaf(maker->builder, kind == ALCH_NODE_TRUE ? ALCH_NODE_FALSE : ALCH_NODE_TRUE, 0, 0, 0);
  else if (root && root->kind == ALCH_NODE_UNARY && root->op == ALCH_OPERATOR_NOT) put_children(maker->builder, operand->block);
  else if (root && has_negation(root)) put_negated(maker->builder, operand->block);
  else return make_unary(maker, ALCH_OPERATOR_NOT, operand);
  return ALCH_OK;
}

/* ---- binary operators ---- */

static bool tests_identity(alch_operator op) { return op == ALCH_OPERATOR_IS || op == ALCH_OPERATOR_IS_NOT; }
static bool tests_equality(alch_operator op) { return op == ALCH_OPERATOR_EQ || op == ALCH_OPERATOR_NE || tests_identity(op); }
static bool orders(alch_operator op) { return op >= ALCH_OPERATOR_LT && op <= ALCH_OPERATOR_GE; }

static alch_status make_is_null(alch_maker *maker, alch_operator op, const alch_operand *operand) {
  bool negative = op == ALCH_OPERATOR_NE || op == ALCH_OPERATOR_IS_NOT;
  alch_builder_open(maker->builder, ALCH_NODE_BINARY, negative ? ALCH_OPERATOR_IS_NOT : ALCH_OPERATOR_IS, 0, ALCH_TYPE_BOOLEAN);
  alch_status status = alch_operand_is_null(operand) && !operand->block ? ALCH_OK : alch_put_operand(maker, operand, 0);
  if (alch_operand_is_null(operand) && !operand->block) alch_builder_leaf(maker->builder, ALCH_NODE_NULL, 0, 0, 0);
  alch_builder_leaf(maker->builder, ALCH_NODE_NULL, 0, 0, 0);
  alch_builder_close(maker->builder);
  return status;
}

/* A plain true or false beside a boolean is the constant, as SQLAlchemy has it, and not a value to be bound. */
static alch_status put_side(alch_maker *maker, alch_operator op, const alch_operand *operand, alch_type_id other) {
  if (operand->block) return alch_put_operand(maker, operand, 0);
  if (operand->value.kind == ALCH_LIST)
    return alch_error_set(maker->error, ALCH_ERROR_ARGUMENT, "a list cannot stand beside%s; use in_", ROW(op)->spelling);
  uint8_t kind = constant_kind(operand), family = alch_type_family_of(maker, other);
  if (kind != ALCH_NODE_BIND && (tests_identity(op) || (tests_equality(op) && (family == ALCH_TYPE_NULL || family == ALCH_TYPE_BOOLEAN)))) {
    alch_builder_leaf(maker->builder, kind, 0, 0, 0);
    return ALCH_OK;
  }
  if (operand->value.kind == ALCH_NULL && (op == ALCH_OPERATOR_IS_DISTINCT || op == ALCH_OPERATOR_IS_NOT_DISTINCT)) {
    alch_builder_leaf(maker->builder, ALCH_NODE_NULL, 0, 0, 0);
    return ALCH_OK;
  }
  return alch_put_literal(maker, operand, alch_literal_type(maker, op, other, &operand->value));
}

/* Is a sum of these what comes of putting one behind the other? */
static bool is_joined(alch_maker *maker, alch_type_id type) {
  uint8_t family = alch_type_family_of(maker, type);
  return (family >= ALCH_TYPE_STRING && family <= ALCH_TYPE_UNICODE_TEXT) || family == ALCH_TYPE_ARRAY || family == ALCH_TYPE_HSTORE;
}

/* Types of both sides, where a plain value has the one that it will be bound with. */
static void side_types(alch_maker *maker, alch_operator op, const alch_operand *operands, alch_type_id types[2]) {
  for (int i = 0; i < 2; i++) types[i] = alch_operand_type(maker, &operands[i]);
  for (int i = 0; i < 2; i++)
    if (!operands[i].block && operands[1 - i].block) types[i] = alch_literal_type(maker, op, types[1 - i], &operands[i].value);
}

static alch_status put_binary(alch_maker *maker, alch_operator op, uint32_t a, const alch_operand *operands) {
  alch_type_id types[2];
  side_types(maker, op, operands, types);
  if (op == ALCH_OPERATOR_ADD && (is_joined(maker, types[0]) || is_joined(maker, types[1]))) op = ALCH_OPERATOR_CONCAT;
  alch_builder_open(maker->builder, ALCH_NODE_BINARY, op, a, alch_result_type(maker, op, types[0], types[1]));
  alch_status status = put_side(maker, op, &operands[0], operands[1].block ? types[1] : 0);
  if (status == ALCH_OK) status = put_side(maker, op, &operands[1], operands[0].block ? types[0] : 0);
  alch_builder_close(maker->builder);
  return status;
}

static alch_status make_binary(alch_maker *maker, alch_operator op, const alch_operand *operands) {
  bool null = alch_operand_is_null(&operands[1]);
  if (null && tests_equality(op)) return make_is_null(maker, op, &operands[0]);
  if (alch_operand_is_null(&operands[0]) && tests_equality(op) && !tests_identity(op)) return make_is_null(maker, op, &operands[1]);
  if (null && orders(op))
    return alch_error_set(maker->error, ALCH_ERROR_ARGUMENT, "nothing is%sNULL; only eq, ne, is_, is_not and is_distinct_from can be used with NULL", ROW(op)->spelling);
  return put_binary(maker, op, 0, operands);
}

alch_status alch_expression_like(alch_builder *builder, const alch_catalog *catalog, alch_operator op, const alch_operand *left, const alch_operand *right, char escape, alch_error *error) {
  alch_maker maker;
  alch_maker_begin(&maker, builder, catalog, error);
  const alch_operand operands[2] = { *left, *right };
  return alch_maker_end(&maker, put_binary(&maker, op, (uint8_t)escape, operands));
}

/* ---- BETWEEN, IN ---- */

static alch_status make_between(alch_maker *maker, alch_operator op, const alch_operand *operands) {
  alch_type_id type = 0;
  for (int i = 0; i < 3 && type == 0; i++)
    if (operands[i].block) type = alch_operand_type(maker, &operands[i]);
  alch_builder_open(maker->builder, ALCH_NODE_BETWEEN, op, 0, 0);
  alch_status status = ALCH_OK;
  for (int i = 0; i < 3 && status == ALCH_OK; i++) status = alch_put_operand(maker, &operands[i], operands[i].block ? 0 : alch_literal_type(maker, op, type, &operands[i].value));
  alch_builder_close(maker->builder);
  return status;
}

/* One type for all items: the other side's, or that of the first item which it cannot hold. */
static alch_type_id list_type(alch_maker *maker, alch_operator op, alch_type_id other, const alch_operand *list) {
  for (int64_t i = 0; i < list->value.integer; i++) {
    alch_type_id type = alch_literal_type(maker, op, other, &list->items[i]);
    if (type != 0 && type != other) return type;
  }
  return other;
}

/* A bind on the right of IN stands for a list, whatever it was made for. */
static void put_expanding(alch_maker *maker, const alch_block *block) {
  alch_builder_block(maker->builder, block);
  if (maker->builder->tree.failed) return;
  size_t offset = maker->builder->tree.length - alch_block_root(block)->size;
  maker->builder->tree.text[offset + offsetof(alch_node, op)] |= ALCH_BIND_EXPANDING;
}

static alch_status put_set(alch_maker *maker, alch_operator op, const alch_operand *set, alch_type_id type, bool tuples) {
  const alch_node *root = alch_operand_root(set);
  if (!root) {
    if (set->value.kind != ALCH_LIST) return alch_error_set(maker->error, ALCH_ERROR_ARGUMENT, "in_ takes a list, a select or a bindparam, not the %s", alch_value_kind_name(set->value.kind));
    return alch_put_literal(maker, set, tuples ? 0 : list_type(maker, op, type, set));
  }
  if (root->kind == ALCH_NODE_BIND) put_expanding(maker, set->block);
  else alch_builder_block(maker->builder, set->block);
  return ALCH_OK;
}

static alch_status make_in(alch_maker *maker, alch_operator op, const alch_operand *operands) {
  alch_type_id type = operands[0].block ? alch_operand_type(maker, &operands[0]) : alch_value_type(operands[0].value.kind);
  const alch_node *left = alch_operand_root(&operands[0]);
  alch_builder_open(maker->builder, ALCH_NODE_BINARY, op, 0, ALCH_TYPE_BOOLEAN);
  alch_status status = alch_put_operand(maker, &operands[0], 0);
  if (status == ALCH_OK) status = put_set(maker, op, &operands[1], type, left && left->kind == ALCH_NODE_TUPLE);
  alch_builder_close(maker->builder);
  return status;
}

/* ---- the entry ---- */

static bool is_unary(alch_operator op) {
  return op == ALCH_OPERATOR_NEGATE || op == ALCH_OPERATOR_BITWISE_NOT || (op >= ALCH_OPERATOR_DISTINCT && op <= ALCH_OPERATOR_NULLS_LAST);
}

static alch_status operate(alch_maker *maker, alch_operator op, const alch_operand *operands, uint32_t count) {
  switch (op) {
    case ALCH_OPERATOR_AND: case ALCH_OPERATOR_OR: return make_junction(maker, op, operands, count);
    case ALCH_OPERATOR_COMMA: return make_comma(maker, operands, count);
    case ALCH_OPERATOR_NOT: return count == 1 ? make_not(maker, operands) : wrong_count(maker, op, count);
    case ALCH_OPERATOR_BETWEEN: case ALCH_OPERATOR_NOT_BETWEEN: case ALCH_OPERATOR_BETWEEN_SYMMETRIC: case ALCH_OPERATOR_NOT_BETWEEN_SYMMETRIC: return count == 3 ? make_between(maker, op, operands) : wrong_count(maker, op, count);
    case ALCH_OPERATOR_IN: case ALCH_OPERATOR_NOT_IN: return count == 2 ? make_in(maker, op, operands) : wrong_count(maker, op, count);
    case ALCH_OPERATOR_NONE: case ALCH_OPERATOR_COUNT: return wrong_count(maker, ALCH_OPERATOR_NONE, count);
    default: break;
  }
  if (is_unary(op)) return count == 1 ? make_unary(maker, op, operands) : wrong_count(maker, op, count);
  return count == 2 ? make_binary(maker, op, operands) : wrong_count(maker, op, count);
}

alch_status alch_expression_operate(alch_builder *builder, const alch_catalog *catalog, alch_operator op, const alch_operand *operands, uint32_t count, alch_error *error) {
  alch_maker maker;
  alch_maker_begin(&maker, builder, catalog, error);
  return alch_maker_end(&maker, operate(&maker, op, operands, count));
}

alch_status alch_expression_literal(alch_builder *builder, const alch_catalog *catalog, const alch_operand *operand, alch_type_id type, alch_error *error) {
  alch_maker maker;
  alch_maker_begin(&maker, builder, catalog, error);
  if (!operand->block && operand->value.kind == ALCH_LIST && type == 0) type = list_type(&maker, ALCH_OPERATOR_IN, 0, operand);
  return alch_maker_end(&maker, alch_put_operand(&maker, operand, type));
}
