#include "sql/operand.h"
#include <math.h>

void alch_maker_begin(alch_maker *maker, alch_builder *builder, const alch_catalog *catalog, alch_error *error) {
  maker->builder = builder;
  maker->catalog = catalog;
  maker->error = error;
  alch_buffer_init(&maker->scratch, builder->allocator);
  alch_builder_start(builder);
}

alch_status alch_maker_end(alch_maker *maker, alch_status status) {
  if (maker->scratch.text) alch_buffer_close(&maker->scratch);
  return status;
}

const alch_node *alch_operand_root(const alch_operand *operand) { return operand->block ? alch_block_root(operand->block) : NULL; }

alch_type_id alch_value_type(uint8_t kind) {
  static const uint8_t types[] = {
    [ALCH_NULL] = 0, [ALCH_INTEGER] = ALCH_TYPE_INTEGER, [ALCH_REAL] = ALCH_TYPE_DOUBLE, [ALCH_BOOLEAN] = ALCH_TYPE_BOOLEAN, [ALCH_TEXT] = ALCH_TYPE_STRING,
    [ALCH_BLOB] = ALCH_TYPE_LARGE_BINARY, [ALCH_DECIMAL] = ALCH_TYPE_NUMERIC, [ALCH_DATE] = ALCH_TYPE_DATE, [ALCH_TIME] = ALCH_TYPE_TIME, [ALCH_DATETIME] = ALCH_TYPE_DATETIME,
    [ALCH_INTERVAL] = ALCH_TYPE_INTERVAL, [ALCH_HOST] = 0, [ALCH_LIST] = 0,
  };
  _Static_assert(ALCH_COUNT(types) == ALCH_VALUE_KIND_COUNT, "one type a kind of value");
  return kind < ALCH_VALUE_KIND_COUNT ? types[kind] : 0;
}

alch_type_id alch_operand_type(const alch_maker *maker, const alch_operand *operand) {
  if (!operand->block) return alch_value_type(operand->value.kind);
  return alch_node_type(maker->catalog, operand->block, alch_block_root(operand->block));
}

/* Plain types have their family as their id, so most need no look-up. */
uint8_t alch_type_family_of(const alch_maker *maker, alch_type_id type) {
  return type < ALCH_TYPE_FAMILY_COUNT ? (uint8_t)type : alch_catalog_type(maker->catalog, type)->family;
}

bool alch_operand_is_null(const alch_operand *operand) {
  return operand->block ? alch_block_root(operand->block)->kind == ALCH_NODE_NULL : operand->value.kind == ALCH_NULL;
}

/* ---- types of plain values beside something ---- */

static bool is_float(uint8_t family) { return family == ALCH_TYPE_FLOAT || family == ALCH_TYPE_DOUBLE; }
static bool is_number(uint8_t family) { return alch_type_is_integer(family) || is_float(family) || family == ALCH_TYPE_NUMERIC; }
static bool is_text(uint8_t family) { return family >= ALCH_TYPE_STRING && family <= ALCH_TYPE_UNICODE_TEXT; }
static bool is_date(uint8_t family) { return family >= ALCH_TYPE_DATE && family <= ALCH_TYPE_INTERVAL; }
static bool is_comparison(alch_operator op) { return op >= ALCH_OPERATOR_EQ && op <= ALCH_OPERATOR_NOT_BETWEEN_SYMMETRIC; }
static bool takes_text(alch_operator op) { return (op >= ALCH_OPERATOR_LIKE && op <= ALCH_OPERATOR_NOT_REGEXP) || op == ALCH_OPERATOR_CONCAT; }

/* A number beside a number column keeps what the column's type could not hold: 17.5 beside an integer, three digits beside Numeric(10, 2). */
static alch_type_id number_type(uint8_t family, alch_type_id other, const alch_value *value) {
  if (value->kind == ALCH_REAL && alch_type_is_integer(family)) return value->real == floor(value->real) && fabs(value->real) < 0x1p63 ? other : ALCH_TYPE_DOUBLE;
  if (value->kind == ALCH_DECIMAL) return ALCH_TYPE_NUMERIC;
  if (value->kind == ALCH_REAL && !isfinite(value->real)) return ALCH_TYPE_DOUBLE;
  return family == ALCH_TYPE_NUMERIC ? ALCH_TYPE_NUMERIC : other;
}

alch_type_id alch_literal_type(const alch_maker *maker, alch_operator op, alch_type_id other, const alch_value *value) {
  alch_type_id own = alch_value_type(value->kind);
  if (other == 0 || other == own) return own;
  if (other >= ALCH_TYPE_FAMILY_COUNT && alch_catalog_type(maker->catalog, other)->host != 0) return other;
  uint8_t family = alch_type_family_of(maker, other);
  if (takes_text(op)) return is_text(family) && value->kind == ALCH_TEXT ? other : own;
  if (op == ALCH_OPERATOR_DIVIDE && value->kind == ALCH_INTEGER && is_number(family) && !alch_type_is_integer(family)) return own;
  if (is_number(family) && is_number((uint8_t)own)) return number_type(family, other, value);
  if (is_comparison(op) || own == 0) return other;
  return is_date(family) && value->kind == ALCH_TEXT ? other : own;
}

/* ---- types of results ---- */

static int rank(uint8_t family) {
  switch (family) {
    case ALCH_TYPE_SMALL_INTEGER: return 1;
    case ALCH_TYPE_INTEGER: return 2;
    case ALCH_TYPE_BIG_INTEGER: return 3;
    case ALCH_TYPE_NUMERIC: return 4;
    case ALCH_TYPE_FLOAT: return 5;
    case ALCH_TYPE_DOUBLE: return 6;
    default: return 0;
  }
}

/* A product of two Numeric(10, 2) has four digits behind the point: the plain type lets it keep them. */
static alch_type_id wider(const alch_maker *maker, alch_operator op, alch_type_id left, alch_type_id right) {
  uint8_t a = alch_type_family_of(maker, left), b = alch_type_family_of(maker, right);
  if (op == ALCH_OPERATOR_DIVIDE && alch_type_is_integer(a) && alch_type_is_integer(b)) return ALCH_TYPE_DOUBLE;
  alch_type_id type = rank(a) >= rank(b) ? left : right;
  return alch_type_family_of(maker, type) == ALCH_TYPE_NUMERIC && !alch_catalog_type(maker->catalog, type)->as_number ? ALCH_TYPE_NUMERIC : type;
}

/* What SQLAlchemy's date types say of sums and differences. */
static alch_type_id date_result(alch_operator op, uint8_t a, uint8_t b) {
  bool minus = op == ALCH_OPERATOR_SUBTRACT;
  if (a == ALCH_TYPE_INTERVAL) return is_date(b) && b != ALCH_TYPE_DATE ? b : b == ALCH_TYPE_DATE ? ALCH_TYPE_DATETIME : a;
  if (b == ALCH_TYPE_INTERVAL) return a == ALCH_TYPE_DATE ? ALCH_TYPE_DATETIME : a;
  if (minus && a == ALCH_TYPE_DATE && b == ALCH_TYPE_DATE) return ALCH_TYPE_INTEGER;
  if (minus && is_date(a) && is_date(b)) return ALCH_TYPE_INTERVAL;
  if (is_date(a) && is_date(b)) return ALCH_TYPE_DATETIME;
  return is_date(a) ? a : b;
}

alch_type_id alch_result_type(const alch_maker *maker, alch_operator op, alch_type_id left, alch_type_id right) {
  uint8_t a = alch_type_family_of(maker, left), b = alch_type_family_of(maker, right);
  switch (alch_operator_rows[op].result) {
    case ALCH_RESULT_BOOLEAN: return ALCH_TYPE_BOOLEAN;
    case ALCH_RESULT_TEXT: return is_text(a) || (a >= ALCH_TYPE_JSON && a <= ALCH_TYPE_RANGE) ? left : ALCH_TYPE_STRING;
    case ALCH_RESULT_NUMBER: return is_date(a) || is_date(b) ? date_result(op, a, b) : wider(maker, op, left, right);
    default: return left;
  }
}

/* ---- putting ---- */

static alch_status coerce(alch_maker *maker, alch_type_id type, alch_value *value) {
  return type == 0 ? ALCH_OK : alch_type_coerce(alch_catalog_type(maker->catalog, type), value, &maker->scratch, maker->error);
}

static alch_status put_list(alch_maker *maker, const alch_operand *operand, alch_type_id type) {
  int64_t count = operand->value.integer;
  size_t start = alch_builder_list_open(maker->builder, type, 0, NULL);
  for (int64_t i = 0; i < count; i++) {
    alch_value item = operand->items[i];
    if (coerce(maker, type, &item) != ALCH_OK) return ALCH_ERROR;
    alch_builder_list_item(maker->builder, &item);
  }
  alch_builder_list_close(maker->builder, start, count);
  return ALCH_OK;
}

alch_status alch_put_literal(alch_maker *maker, const alch_operand *operand, alch_type_id type) {
  alch_value value = operand->value;
  if (value.kind == ALCH_LIST) return put_list(maker, operand, type);
  if (type == 0) type = alch_value_type(value.kind);
  if (coerce(maker, type, &value) != ALCH_OK) return ALCH_ERROR;
  alch_builder_bind(maker->builder, type, 0, NULL, &value, NULL);
  return ALCH_OK;
}

alch_status alch_put_operand(alch_maker *maker, const alch_operand *operand, alch_type_id type) {
  const alch_node *root = alch_operand_root(operand);
  if (!root) return alch_put_literal(maker, operand, type);
  bool scalar = alch_node_is_query(root);
  if (scalar) alch_builder_open(maker->builder, ALCH_NODE_SCALAR, 0, 0, alch_operand_type(maker, operand));
  alch_builder_block(maker->builder, operand->block);
  if (scalar) alch_builder_close(maker->builder);
  return ALCH_OK;
}
