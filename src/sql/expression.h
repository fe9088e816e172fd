/* expression.h - making expressions with the meaning that SQLAlchemy gives them.
   Each function builds into `builder` (started by the function, finished by the caller with alch_builder_finish). */
#ifndef ALCH_EXPRESSION_H
#define ALCH_EXPRESSION_H

#include "schema/metadata.h"
#include "sql/block.h"

/* One side of an operator: a block, or (block NULL) a plain value that becomes a bind. */
typedef struct alch_operand {
  const alch_block *block;
  alch_value value;             /* ALCH_LIST: `items` holds value.integer values */
  const alch_value *items;
} alch_operand;

typedef struct alch_operator_row {
  const char *symbol, *lua_name, *spelling;
  uint8_t precedence, associativity, negation, result;
} alch_operator_row;
extern const alch_operator_row alch_operator_rows[ALCH_OPERATOR_COUNT];
enum { ALCH_ASSOCIATIVE_NONE, ALCH_ASSOCIATIVE_LEFT, ALCH_ASSOCIATIVE_BOTH };
enum { ALCH_RESULT_BOOLEAN, ALCH_RESULT_LEFT, ALCH_RESULT_NUMBER, ALCH_RESULT_TEXT, ALCH_RESULT_SAME };
int alch_operator_find(const char *lua_name);    /* -1 when there is none */

/* Type of the result of an expression (the root of a block, or a node of it). */
alch_type_id alch_node_type(const alch_catalog *catalog, const alch_block *block, const alch_node *node);

/* Unary and binary operators, BETWEEN (3 operands), IN (right side: list, SELECT block, or a bind), AND/OR over any number of operands (flattened; neutral elements dropped; none: the neutral element).
   x = NULL becomes IS NULL; a plain value takes the type of the other side and is coerced to it (errors: DATA, ARGUMENT); NOT is pushed into an operator that has a negation;
   `contains`, `startswith`, `endswith` are alch_expression_pattern. Operands that are booleans (the result of a comparison in the host language) where a condition is expected are refused
   by the binding, not here. */
alch_status alch_expression_operate(alch_builder *builder, const alch_catalog *catalog, alch_operator op, const alch_operand *operands, uint32_t count, alch_error *error);
/* LIKE with an ESCAPE character (0: none). */
alch_status alch_expression_like(alch_builder *builder, const alch_catalog *catalog, alch_operator op, const alch_operand *left, const alch_operand *right, char escape, alch_error *error);
typedef enum alch_pattern { ALCH_PATTERN_CONTAINS, ALCH_PATTERN_STARTSWITH, ALCH_PATTERN_ENDSWITH } alch_pattern;
/* autoescape: % and _ in the value, which is a plain text, are meant literally. escape: the character of ESCAPE; 0: /, where one is needed; or what alch_pattern_escape answered. */
alch_status alch_expression_pattern(alch_builder *builder, const alch_catalog *catalog, alch_pattern pattern, const alch_operand *left, const alch_operand *right, bool autoescape, uint32_t escape, alch_error *error);
/* The text with its wild cards escaped, appended to out (which may fail); escape 0: /. Answers the escape of the pattern that it is for: the character, and ALCH_LIKE_BRACKET where that is so. */
uint32_t alch_pattern_escape(const char *text, size_t length, char escape, alch_buffer *out);
/* A plain value as an expression of the given type (0: the value's own). */
alch_status alch_expression_literal(alch_builder *builder, const alch_catalog *catalog, const alch_operand *operand, alch_type_id type, alch_error *error);
/* The type a plain value has on its own: Integer, Double, String, Boolean, LargeBinary, Numeric, Date, … */
alch_type_id alch_value_type(uint8_t kind);
/* func.name(...): known names have their type (count: BigInteger, sum: of its argument, now: DateTime, coalesce, max, min: of the first argument, lower, upper, char_length, …), others 0. type 0: look it up. */
alch_status alch_expression_function(alch_builder *builder, const alch_catalog *catalog, const char *name, const alch_operand *arguments, uint32_t count, alch_type_id type, alch_error *error);

#endif
