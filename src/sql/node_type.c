#include "sql/expression.h"
#include "sql/source.h"

/* Types of expressions: most nodes carry theirs; the others take it from a child or a column. */

typedef struct type_walk { const alch_catalog *catalog; const alch_block *block; uint32_t depth; } type_walk;

/* The common case, a table's own column with a type of its own, takes the short way. */
static alch_type_id column_type(const type_walk *walk, const alch_node *node) {
  alch_output output;
  const alch_table *table = node->a & ALCH_ANONYMOUS ? NULL : alch_catalog_table(walk->catalog, node->a);
  if (table && node->b < table->column_count && table->columns[node->b]->type != 0) return table->columns[node->b]->type;
  return alch_source_output_at(walk->catalog, walk->block, node->a, node->b, walk->depth + 1, &output) ? output.type : 0;
}

static alch_type_id excluded_type(const type_walk *walk, const alch_node *node) {
  const alch_table *table = alch_catalog_table(walk->catalog, node->a);
  return table && node->b < table->column_count ? alch_column_type(table->columns[node->b]) : 0;
}

static alch_type_id sequence_type(const type_walk *walk, const alch_node *node) {
  const alch_sequence *sequence = alch_catalog_sequence(walk->catalog, node->a);
  return sequence && sequence->data_type ? sequence->data_type : ALCH_TYPE_INTEGER;
}

static alch_type_id query_type(const type_walk *walk, const alch_node *query) {
  alch_output_walk outputs = alch_outputs(walk->catalog, walk->block, query);
  alch_output output;
  outputs.depth = walk->depth + 1;
  return outputs.depth < ALCH_SOURCE_DEEPEST && alch_output_next(&outputs, &output) ? output.type : 0;
}

static alch_type_id unary_type(uint8_t op) { return alch_operator_rows[op].result == ALCH_RESULT_BOOLEAN ? ALCH_TYPE_BOOLEAN : 0; }

/* The first THEN: after the value, when there is one, and its WHEN. */
static const alch_node *first_then(const alch_node *node) { return alch_node_nth(node, node->op & 1 ? 2 : 1); }

/* The child that lends its type, or NULL. */
static const alch_node *lender(const alch_node *node) {
  switch (node->kind) {
    case ALCH_NODE_UNARY: case ALCH_NODE_GROUPING: case ALCH_NODE_COLLATE: case ALCH_NODE_LABEL: case ALCH_NODE_OVER: case ALCH_NODE_FILTER: case ALCH_NODE_WITHIN_GROUP: case ALCH_NODE_AGGREGATE_ORDER: case ALCH_NODE_SCALAR:
      return alch_node_nth(node, 0);
    case ALCH_NODE_CASE: return first_then(node);
    default: return NULL;
  }
}

static alch_type_id own_type(const type_walk *walk, const alch_node *node) {
  switch (node->kind) {
    case ALCH_NODE_COLUMN: return column_type(walk, node);
    case ALCH_NODE_EXCLUDED: return excluded_type(walk, node);
    case ALCH_NODE_NEXT_VALUE: return sequence_type(walk, node);
    case ALCH_NODE_BIND: case ALCH_NODE_TEXT: case ALCH_NODE_LITERAL: case ALCH_NODE_NAME: case ALCH_NODE_OPERAND: return node->a;
    case ALCH_NODE_TRUE: case ALCH_NODE_FALSE: case ALCH_NODE_BETWEEN: case ALCH_NODE_EXISTS: return ALCH_TYPE_BOOLEAN;
    case ALCH_NODE_UNARY: case ALCH_NODE_LIST: return unary_type(node->op);
    case ALCH_NODE_EXTRACT: return ALCH_TYPE_INTEGER;
    case ALCH_NODE_BINARY: case ALCH_NODE_CUSTOM: case ALCH_NODE_FUNCTION: case ALCH_NODE_CASE: case ALCH_NODE_CAST: case ALCH_NODE_TYPE_COERCE: case ALCH_NODE_SCALAR:
    case ALCH_NODE_REGEXP: case ALCH_NODE_SUBSCRIPT: case ALCH_NODE_ARRAY: case ALCH_NODE_CONSTRUCT:
      return node->b;
    case ALCH_NODE_SELECT: case ALCH_NODE_COMPOUND: return query_type(walk, node);
    default: return 0;
  }
}

alch_type_id alch_node_type_at(const alch_catalog *catalog, const alch_block *block, const alch_node *node, uint32_t depth) {
  type_walk walk = { catalog, block, depth };
  while (node && depth < ALCH_SOURCE_DEEPEST) {
    alch_type_id type = own_type(&walk, node);
    if (type != 0) return type;
    node = lender(node);
  }
  return 0;
}

alch_type_id alch_node_type(const alch_catalog *catalog, const alch_block *block, const alch_node *node) { return alch_node_type_at(catalog, block, node, 0); }
