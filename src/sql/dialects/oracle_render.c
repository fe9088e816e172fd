/* Operators and other expressions that Oracle spells in its own way (SQLAlchemy: OracleCompiler in dialects/oracle/base.py). */
#include "sql/dialects/oracle.h"
#include <string.h>
#include <strings.h>

alch_status alch_oracle_unsupported(alch_compiler *compiler, const char *construct, const char *mend) {
  const alch_dialect *dialect = compiler->dialect;
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "%s is not supported by the dialect '%s' (version %u); %s", construct, dialect->name, (unsigned)dialect->version_major, mend);
}

static const alch_node *second(const alch_node *node) { return alch_node_next(alch_node_child(node)); }

/* name(a, b), each side as an operand of the operator that it stands for. */
static alch_status render_call(alch_compiler *compiler, const alch_node *node, const char *before, const char *after) {
  alch_write(compiler, before);
  alch_render_operand(compiler, alch_node_child(node), node->op);
  alch_write(compiler, ", ");
  alch_render_operand(compiler, second(node), node->op);
  alch_write(compiler, after);
  return compiler->status;
}

/* ---- bits: BITOR and BITXOR came with 21; (a | b) + (a & b) is a + b, whatever the numbers ---- */

static alch_status render_bits(alch_compiler *compiler, const alch_node *node, const char *call, const char *factor) {
  if (alch_oracle_since(compiler->dialect, 21, 0)) return render_call(compiler, node, call, ")");
  const alch_node *left = alch_node_child(node);
  alch_write_char(compiler, '(');
  alch_render_operand(compiler, left, ALCH_OPERATOR_ADD);
  alch_write(compiler, " + ");
  alch_render_operand(compiler, alch_node_next(left), ALCH_OPERATOR_ADD);
  alch_write(compiler, factor);
  return render_call(compiler, node, "BITAND(", "))");
}

/* ---- IS with a truth value: its own predicate from 23 on, a comparison that is never NULL before ---- */

static int truth_of(const alch_node *node) {
  if (node->kind == ALCH_NODE_TRUE) return 1;
  return node->kind == ALCH_NODE_FALSE ? 0 : -1;
}

static alch_status render_is(alch_compiler *compiler, const alch_node *node) {
  int truth = truth_of(second(node));
  if (truth < 0 || alch_can(compiler, ALCH_CAPABILITY_NATIVE_BOOLEAN)) return alch_render_default(compiler, node);
  alch_write(compiler, "DECODE(");
  alch_render_operand(compiler, alch_node_child(node), ALCH_OPERATOR_NONE);
  alch_write(compiler, truth ? ", 1, 1, 0) = " : ", 0, 1, 0) = ");
  alch_write_char(compiler, node->op == ALCH_OPERATOR_IS ? '1' : '0');
  return compiler->status;
}

/* ---- the table of operators that are calls ---- */

static const struct { uint8_t op; const char *before, *after; } calls[] = {
  { ALCH_OPERATOR_MODULO, "mod(", ")" },
  { ALCH_OPERATOR_BITWISE_AND, "BITAND(", ")" },
  /* SQLAlchemy leaves the comparison out, but CONTAINS is a number, the score (Oracle Text Reference, CONTAINS). */
  { ALCH_OPERATOR_MATCH, "CONTAINS (", ") > 0" },
  { ALCH_OPERATOR_NOT_MATCH, "CONTAINS (", ") = 0" },
  { ALCH_OPERATOR_IS_DISTINCT, "DECODE(", ", 0, 1) = 1" },
  { ALCH_OPERATOR_IS_NOT_DISTINCT, "DECODE(", ", 0, 1) = 0" },
};

static const struct { uint8_t op; const char *construct, *mend; } refused[] = {
  { ALCH_OPERATOR_SHIFT_LEFT, "bitwise_lshift", "multiply by a power of two" },
  { ALCH_OPERATOR_SHIFT_RIGHT, "bitwise_rshift", "divide by a power of two and take the floor" },
};

static alch_status render_division(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, node->op == ALCH_OPERATOR_FLOOR_DIVIDE ? "FLOOR(" : "");
  alch_render_operand(compiler, alch_node_child(node), node->op);
  alch_write(compiler, " / ");
  alch_render_operand(compiler, second(node), node->op);
  alch_write(compiler, node->op == ALCH_OPERATOR_FLOOR_DIVIDE ? ")" : "");
  return compiler->status;
}

/* ---- rows of values: equal or not, with the right one as a list of one row ---- */

static alch_status render_tuples(alch_compiler *compiler, const alch_node *node) {
  if (node->op != ALCH_OPERATOR_EQ && node->op != ALCH_OPERATOR_NE) return alch_oracle_unsupported(compiler, "a tuple compared by order", "compare the columns one by one, with or_ and and_");
  alch_render(compiler, alch_node_child(node));
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  alch_write_char(compiler, '(');
  alch_render(compiler, second(node));
  alch_write_char(compiler, ')');
  return compiler->status;
}

static bool compares_tuples(const alch_node *node) {
  return node->op >= ALCH_OPERATOR_EQ && node->op <= ALCH_OPERATOR_GE && alch_node_child(node)->kind == ALCH_NODE_TUPLE && second(node)->kind == ALCH_NODE_TUPLE;
}

static alch_status render_binary(alch_compiler *compiler, const alch_node *node) {
  if (compares_tuples(node)) return render_tuples(compiler, node);
  for (size_t i = 0; i < ALCH_COUNT(calls); i++)
    if (calls[i].op == node->op) return render_call(compiler, node, calls[i].before, calls[i].after);
  for (size_t i = 0; i < ALCH_COUNT(refused); i++)
    if (refused[i].op == node->op) return alch_oracle_unsupported(compiler, refused[i].construct, refused[i].mend);
  switch (node->op) {
    case ALCH_OPERATOR_BITWISE_OR: return render_bits(compiler, node, "BITOR(", " - ");
    case ALCH_OPERATOR_BITWISE_XOR: return render_bits(compiler, node, "BITXOR(", " - 2 * ");
    case ALCH_OPERATOR_DIVIDE: case ALCH_OPERATOR_FLOOR_DIVIDE: return render_division(compiler, node);
    case ALCH_OPERATOR_IS: case ALCH_OPERATOR_IS_NOT: return render_is(compiler, node);
    default: return alch_render_default(compiler, node);
  }
}

static alch_status render_unary(alch_compiler *compiler, const alch_node *node) {
  if (node->op == ALCH_OPERATOR_BITWISE_NOT) return alch_oracle_unsupported(compiler, "bitwise_not", "write -1 - x");
  bool quantified = node->op == ALCH_OPERATOR_ANY || node->op == ALCH_OPERATOR_ALL;
  if (quantified && alch_family_of(compiler, alch_node_child(node)) == ALCH_TYPE_ARRAY) return alch_oracle_unsupported(compiler, "ANY and ALL of an array", "keep the items in a table of their own, and take a subquery");
  return alch_render_default(compiler, node);
}

/* ---- BETWEEN: there is no SYMMETRIC ---- */

static alch_status render_range(alch_compiler *compiler, const alch_node *operand, const alch_node *low, const alch_node *high) {
  alch_render_operand(compiler, operand, ALCH_OPERATOR_BETWEEN);
  alch_write(compiler, " BETWEEN ");
  alch_render_operand(compiler, low, ALCH_OPERATOR_BETWEEN);
  alch_write(compiler, " AND ");
  return alch_render_operand(compiler, high, ALCH_OPERATOR_BETWEEN);
}

static alch_status render_between(alch_compiler *compiler, const alch_node *node) {
  bool negative = node->op == ALCH_OPERATOR_NOT_BETWEEN_SYMMETRIC;
  if (!negative && node->op != ALCH_OPERATOR_BETWEEN_SYMMETRIC) return alch_render_default(compiler, node);
  const alch_node *operand = alch_node_child(node), *low = alch_node_next(operand), *high = alch_node_next(low);
  alch_write(compiler, negative ? "NOT (" : "(");
  render_range(compiler, operand, low, high);
  alch_write(compiler, " OR ");
  render_range(compiler, operand, high, low);
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* ---- regular expressions ---- */

static alch_status render_regexp(alch_compiler *compiler, const alch_node *node) {
  bool replaces = node->op == ALCH_OPERATOR_REGEXP_REPLACE;
  if (node->op == ALCH_OPERATOR_NOT_REGEXP) alch_write(compiler, "NOT ");
  alch_write(compiler, replaces ? "REGEXP_REPLACE(" : "REGEXP_LIKE(");
  alch_render_children(compiler, node, ", ");
  if (node->length > 0) {
    /* Of a replacement the flags stand behind a place to begin at and the number of the match, 0 for all: SQLAlchemy leaves those out. */
    alch_write(compiler, replaces ? ", 1, 0, " : ", ");
    alch_write_quoted(compiler, alch_node_text(node), node->length);
  }
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* ---- CAST ---- */

/* A text in CAST needs a length, the longest that a VARCHAR2 has everywhere, and is a VARCHAR2 whatever it is called. */
static void write_cast_type(alch_compiler *compiler, alch_type_id id) {
  const alch_type *type = alch_type_in(alch_catalog_type(compiler->catalog, id), compiler->dialect->name);
  bool text = type->family == ALCH_TYPE_STRING || type->family == ALCH_TYPE_UNICODE || type->family == ALCH_TYPE_ENUM, own = type->exact && type->exact->dialects;
  if (!text || own || (type->exact && type->family == ALCH_TYPE_UNICODE)) {
    alch_write_type(compiler, id);
    return;
  }
  alch_type sized = ALCH_TYPE_PLAIN(type->family);
  sized.length = type->length > 0 || type->item_count > 0 ? type->length : 4000;
  sized.items = type->items;
  sized.item_count = type->item_count;
  compiler->status = alch_type_write(compiler->dialect, &sized, NULL, compiler->out, compiler->error);
}

/* A cast to text fails for nothing; what may fail, and may say so since 12.2, are numbers and moments. */
static bool is_text(const alch_compiler *compiler, alch_type_id id) {
  uint8_t family = alch_catalog_type(compiler->catalog, id)->family;
  return family >= ALCH_TYPE_STRING && family <= ALCH_TYPE_UNICODE_TEXT;
}

static bool takes_default(const alch_compiler *compiler, alch_type_id id) {
  uint8_t family = alch_catalog_type(compiler->catalog, id)->family;
  return (family >= ALCH_TYPE_INTEGER && family <= ALCH_TYPE_NUMERIC) || family == ALCH_TYPE_DATE || family == ALCH_TYPE_DATETIME || family == ALCH_TYPE_INTERVAL;
}

static alch_status render_cast(alch_compiler *compiler, const alch_node *node) {
  bool tries = node->op == 1 && !is_text(compiler, node->b);
  if (tries && (!alch_oracle_since(compiler->dialect, 12, 2) || !takes_default(compiler, node->b))) return alch_oracle_unsupported(compiler, "TRY_CAST", "write a cast, or a CASE that looks at the value first");
  alch_write(compiler, "CAST(");
  alch_render(compiler, alch_node_child(node));
  alch_write(compiler, " AS ");
  if (compiler->status == ALCH_OK) write_cast_type(compiler, node->b);
  alch_write(compiler, tries ? " DEFAULT NULL ON CONVERSION ERROR)" : ")");
  return compiler->status;
}

/* ---- other expressions ---- */

static alch_status render_collate(alch_compiler *compiler, const alch_node *node) {
  if (!alch_oracle_since(compiler->dialect, 12, 2)) return alch_oracle_unsupported(compiler, "COLLATE", "write nlssort(x, 'NLS_SORT=BINARY_CI') around what is compared");
  return alch_render_default(compiler, node);
}

static alch_status render_default_word(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  alch_write(compiler, "DEFAULT");
  return compiler->status;
}

static alch_status render_next_value(alch_compiler *compiler, const alch_node *node) {
  const alch_sequence *sequence = alch_catalog_sequence(compiler->catalog, node->a);
  if (!sequence) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "there is no sequence number %u", (unsigned)node->a);
  if (sequence->schema) {
    alch_quote_schema(compiler->dialect, sequence->schema, compiler->out);
    alch_write_char(compiler, '.');
  }
  alch_quote_identifier(compiler->dialect, sequence->name, sequence->quote, compiler->out);
  alch_write(compiler, ".nextval");
  return compiler->status;
}

/* ---- samples: of rows, or of blocks, which is what others call system ---- */

static void write_sample_number(alch_compiler *compiler, const char *before, const alch_node *number) {
  alch_write(compiler, before);
  if (number->kind == ALCH_NODE_BIND) alch_render_bind_literal(compiler, number);
  else alch_render(compiler, number);
  alch_write_char(compiler, ')');
}

static alch_status render_sample(alch_compiler *compiler, const alch_node *node) {
  const alch_node *source = alch_node_child(node), *method = alch_node_next(source), *seed = alch_node_nth(node, 2);
  bool blocks = method->length == 6 && strncasecmp(alch_node_text(method), "system", 6) == 0, rows = method->length == 9 && strncasecmp(alch_node_text(method), "bernoulli", 9) == 0;
  if ((!blocks && !rows) || alch_node_child_count(method) != 1) return alch_oracle_unsupported(compiler, "a sample by this method", "write func.system(percent) or func.bernoulli(percent)");
  alch_render(compiler, source);
  write_sample_number(compiler, blocks ? " SAMPLE BLOCK (" : " SAMPLE (", alch_node_child(method));
  if (seed) write_sample_number(compiler, " SEED (", seed);
  return compiler->status;
}

const struct alch_renderer_override alch_oracle_renderers[] = {
  { ALCH_NODE_BINARY, render_binary },
  { ALCH_NODE_UNARY, render_unary },
  { ALCH_NODE_BETWEEN, render_between },
  { ALCH_NODE_REGEXP, render_regexp },
  { ALCH_NODE_CAST, render_cast },
  { ALCH_NODE_COLLATE, render_collate },
  { ALCH_NODE_DEFAULT, render_default_word },
  { ALCH_NODE_FUNCTION, alch_oracle_function },
  { ALCH_NODE_EXTRACT, alch_oracle_extract },
  { ALCH_NODE_SUBSCRIPT, alch_oracle_subscript },
  { ALCH_NODE_WITHIN_GROUP, alch_oracle_within_group },
  { ALCH_NODE_AGGREGATE_ORDER, alch_oracle_aggregate_order },
  { ALCH_NODE_NEXT_VALUE, render_next_value },
  { ALCH_NODE_TABLESAMPLE, render_sample },
  { ALCH_NODE_SELECT, alch_oracle_select },
  { ALCH_NODE_COMPOUND, alch_oracle_compound },
  { ALCH_NODE_COLUMNS, alch_oracle_columns },
  { ALCH_NODE_HINTS, alch_oracle_hints },
  { ALCH_NODE_LIMIT, alch_oracle_limit },
  { ALCH_NODE_OFFSET, alch_oracle_offset },
  { ALCH_NODE_FETCH, alch_oracle_fetch },
  { ALCH_NODE_FOR_UPDATE, alch_oracle_for_update },
  { ALCH_NODE_RETURNING, alch_oracle_returning },
  { 0, NULL },
};
