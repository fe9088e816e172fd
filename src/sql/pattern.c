#include "sql/expression.h"
#include "sql/operand.h"
#include <string.h>

/* contains, startswith, endswith: LIKE with the wild cards in the text and the value bound between them. */

#define ESCAPE '/'

static bool needs_escape(char c, char escape) { return c == '%' || c == '_' || c == escape; }

uint32_t alch_pattern_escape(const char *text, size_t length, char escape, alch_buffer *out) {
  if (escape == 0) escape = ESCAPE;
  for (size_t i = 0; i < length; i++) {
    if (needs_escape(text[i], escape)) alch_buffer_add_char(out, escape);
    alch_buffer_add_char(out, text[i]);
  }
  return (uint8_t)escape | (length > 0 && memchr(text, '[', length) ? ALCH_LIKE_BRACKET : 0u);
}

static void put_wild_card(alch_builder *builder) { alch_builder_leaf_text(builder, ALCH_NODE_LITERAL, 0, ALCH_TYPE_STRING, 0, "'%'", 3); }

static alch_type_id pattern_type(alch_maker *maker, const alch_operand *left) {
  alch_type_id type = alch_operand_type(maker, left);
  alch_value text = { .kind = ALCH_TEXT };
  return alch_literal_type(maker, ALCH_OPERATOR_LIKE, type, &text);
}

static alch_status put_pattern(alch_maker *maker, alch_pattern pattern, const alch_operand *left, const alch_operand *right) {
  bool before = pattern != ALCH_PATTERN_STARTSWITH, after = pattern != ALCH_PATTERN_ENDSWITH;
  alch_builder *builder = maker->builder;
  if (before && after) alch_builder_open(builder, ALCH_NODE_BINARY, ALCH_OPERATOR_CONCAT, 0, ALCH_TYPE_STRING);
  alch_builder_open(builder, ALCH_NODE_BINARY, ALCH_OPERATOR_CONCAT, 0, ALCH_TYPE_STRING);
  if (before) put_wild_card(builder);
  alch_status status = alch_put_operand(maker, right, pattern_type(maker, left));
  if (before && after) alch_builder_close(builder);
  if (after) put_wild_card(builder);
  alch_builder_close(builder);
  return status;
}

static alch_status make_pattern(alch_maker *maker, alch_pattern pattern, const alch_operand *left, const alch_operand *right, bool autoescape, uint32_t escape) {
  alch_operand value = *right;
  alch_buffer escaped;
  if (!right->block && value.value.kind != ALCH_TEXT && value.value.kind != ALCH_HOST)
    return alch_error_set(maker->error, ALCH_ERROR_ARGUMENT, "contains, startswith and endswith look for text, not for the %s", alch_value_kind_name(value.value.kind));
  if (autoescape && value.value.kind != ALCH_TEXT) return alch_error_set(maker->error, ALCH_ERROR_ARGUMENT, "autoescape needs a plain text, since the value of an expression is not known here");
  alch_buffer_init(&escaped, maker->builder->allocator);
  if (autoescape) {
    escape = alch_pattern_escape(value.value.text, value.value.length, (char)escape, &escaped);
    value.value.text = alch_buffer_text(&escaped);
    value.value.length = (uint32_t)escaped.length;
  }
  alch_builder_open(maker->builder, ALCH_NODE_BINARY, ALCH_OPERATOR_LIKE, ALCH_LIKE_PATTERN | escape, ALCH_TYPE_BOOLEAN);
  alch_status status = alch_put_operand(maker, left, 0);
  if (status == ALCH_OK) status = put_pattern(maker, pattern, left, &value);
  alch_builder_close(maker->builder);
  if (alch_buffer_failed(&escaped)) status = alch_error_out_of_memory(maker->error);
  alch_buffer_close(&escaped);
  return status;
}

alch_status alch_expression_pattern(alch_builder *builder, const alch_catalog *catalog, alch_pattern pattern, const alch_operand *left, const alch_operand *right, bool autoescape, uint32_t escape, alch_error *error) {
  alch_maker maker;
  alch_maker_begin(&maker, builder, catalog, error);
  return alch_maker_end(&maker, make_pattern(&maker, pattern, left, right, autoescape, escape));
}
