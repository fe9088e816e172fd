#include "sql/expression.h"
#include "sql/operand.h"
#include <string.h>
#include <strings.h>

#define ALCH_TYPE_ARGUMENT ALCH_TYPE_FAMILY_COUNT

static const struct function_row { const char *name; uint8_t type, bits; } function_rows[] = {
#define ALCH_FUNCTION(name, result, bits) { name, ALCH_TYPE_##result, bits },
#include "sql/function.def"
#undef ALCH_FUNCTION
};

static const struct function_row *find_function(const char *name) {
  for (size_t i = 0; i < ALCH_COUNT(function_rows); i++)
    if (strcasecmp(function_rows[i].name, name) == 0) return &function_rows[i];
  return NULL;
}

static alch_type_id function_type(const alch_maker *maker, const struct function_row *row, const alch_operand *arguments, uint32_t count) {
  if (!row) return 0;
  if (row->type != ALCH_TYPE_ARGUMENT) return row->type;
  for (uint32_t i = 0; i < count; i++) {
    alch_type_id type = alch_operand_type(maker, &arguments[i]);
    if (type != 0) return type;
  }
  return 0;
}

/* Among arguments of one type a plain value takes that type: coalesce(price, 0). Elsewhere it keeps its own. */
static alch_type_id argument_type(const alch_maker *maker, const struct function_row *row, alch_type_id type, const alch_operand *argument) {
  bool alike = row && row->type == ALCH_TYPE_ARGUMENT && (strcasecmp(row->name, "coalesce") == 0 || strcasecmp(row->name, "ifnull") == 0 || strcasecmp(row->name, "nullif") == 0);
  return alike ? alch_literal_type(maker, ALCH_OPERATOR_ADD, type, &argument->value) : 0;
}

static alch_status put_function(alch_maker *maker, const char *name, const alch_operand *arguments, uint32_t count, alch_type_id type) {
  const struct function_row *row = find_function(name);
  uint8_t bits = row && !(row->bits & ALCH_FUNCTION_BARE && count > 0) ? row->bits : 0;
  if (type == 0) type = function_type(maker, row, arguments, count);
  alch_builder_open_text(maker->builder, ALCH_NODE_FUNCTION, bits, 0, type, name, strlen(name));
  if (count == 0 && strcasecmp(name, "count") == 0) alch_builder_leaf(maker->builder, ALCH_NODE_STAR, 0, 0, 0);
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < count && status == ALCH_OK; i++)
    status = alch_put_operand(maker, &arguments[i], arguments[i].block ? 0 : argument_type(maker, row, type, &arguments[i]));
  alch_builder_close(maker->builder);
  return status;
}

alch_status alch_expression_function(alch_builder *builder, const alch_catalog *catalog, const char *name, const alch_operand *arguments, uint32_t count, alch_type_id type, alch_error *error) {
  alch_maker maker;
  alch_maker_begin(&maker, builder, catalog, error);
  return alch_maker_end(&maker, put_function(&maker, name, arguments, count, type));
}
