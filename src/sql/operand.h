/* operand.h - internal to the makers of expressions: operands, their types, and plain values that become binds.
   Nothing is owned but the scratch buffer, which alch_maker_end closes. */
#ifndef ALCH_OPERAND_H
#define ALCH_OPERAND_H

#include "sql/expression.h"

typedef struct alch_maker {
  alch_builder *builder;
  const alch_catalog *catalog;
  alch_error *error;
  alch_buffer scratch;      /* text of a coerced value */
} alch_maker;

/* Starts the builder. */
void alch_maker_begin(alch_maker *maker, alch_builder *builder, const alch_catalog *catalog, alch_error *error);
alch_status alch_maker_end(alch_maker *maker, alch_status status);

const alch_node *alch_operand_root(const alch_operand *operand);      /* NULL for a plain value */
alch_type_id alch_operand_type(const alch_maker *maker, const alch_operand *operand);
uint8_t alch_type_family_of(const alch_maker *maker, alch_type_id type);
bool alch_operand_is_null(const alch_operand *operand);
/* A block, a SELECT becoming a scalar subquery; or a plain value as a bind of the type. */
alch_status alch_put_operand(alch_maker *maker, const alch_operand *operand, alch_type_id type);
alch_status alch_put_literal(alch_maker *maker, const alch_operand *operand, alch_type_id type);
/* The type that a plain value gets beside something of type `other`. */
alch_type_id alch_literal_type(const alch_maker *maker, alch_operator op, alch_type_id other, const alch_value *value);
/* The type of `left op right`. */
alch_type_id alch_result_type(const alch_maker *maker, alch_operator op, alch_type_id left, alch_type_id right);

#endif
