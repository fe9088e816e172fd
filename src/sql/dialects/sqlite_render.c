/* Expressions that SQLite spells in its own way. */
#include "base/map.h"
#include "sql/compiler.h"
#include "sql/dialects/sqlite.h"
#include <string.h>

static alch_status unsupported(alch_compiler *compiler, const char *construct, const char *mend) {
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "SQLite has no %s; %s", construct, mend);
}

/* ---- operators ---- */

/* An integer in a NUMERIC column is an integer, so that the types do not tell when / would cut off. */
static void render_division(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_child(node);
  alch_render_operand(compiler, left, ALCH_OPERATOR_DIVIDE);
  alch_write(compiler, " / (");
  alch_render_operand(compiler, alch_node_next(left), ALCH_OPERATOR_DIVIDE);
  alch_write(compiler, " + 0.0)");
}

/* a ^ b is (a | b) - (a & b). */
static void render_xor(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_child(node), *right = alch_node_next(left);
  static const struct { const char *before, *between; alch_operator op; } halves[] = { { "((", " | ", ALCH_OPERATOR_BITWISE_OR }, { ") - (", " & ", ALCH_OPERATOR_BITWISE_AND } };
  for (size_t i = 0; i < ALCH_COUNT(halves); i++) {
    alch_write(compiler, halves[i].before);
    alch_render_operand(compiler, left, halves[i].op);
    alch_write(compiler, halves[i].between);
    alch_render_operand(compiler, right, halves[i].op);
  }
  alch_write(compiler, "))");
}

static alch_status render_binary(alch_compiler *compiler, const alch_node *node) {
  switch (node->op) {
    case ALCH_OPERATOR_DIVIDE: render_division(compiler, node); return compiler->status;
    case ALCH_OPERATOR_BITWISE_XOR: render_xor(compiler, node); return compiler->status;
    default: return alch_render_default(compiler, node);
  }
}

static alch_status render_unary(alch_compiler *compiler, const alch_node *node) {
  if (node->op == ALCH_OPERATOR_ANY) return unsupported(compiler, "ANY or ALL", "write in_ with the subquery");
  if (node->op == ALCH_OPERATOR_ALL) return unsupported(compiler, "ALL or ANY", "compare with the max or min of the subquery");
  return alch_render_default(compiler, node);
}

/* ---- functions ---- */

/* concat and octet_length came with SQLite 3.44 and 3.43; max of one argument would be the aggregate. */
static alch_status render_function(alch_compiler *compiler, const alch_node *node) {
  uint32_t count = alch_node_child_count(node);
  if (count == 2 && alch_is_distinct(node)) return unsupported(compiler, "DISTINCT beside another argument", "write func.group_concat(x:distinct()), which joins with commas, or select the distinct ones in a subquery");
  if (count > 0 && alch_is_called(node, "concat")) return alch_render_concatenated(compiler, node);
  if (count == 1 && alch_is_called(node, "octet_length")) return alch_render_enclosed(compiler, node, "length(CAST(", "", " AS BLOB))");
  if (count == 1 && (alch_is_called(node, "greatest") || alch_is_called(node, "least"))) return alch_render_enclosed(compiler, node, "(", "", ")");
  return alch_render_default(compiler, node);
}

/* CAST AS DATE would give the number 2024: a type of that name has numeric affinity (https://www.sqlite.org/lang_expr.html#castexpr). */
static alch_status render_cast(alch_compiler *compiler, const alch_node *node) {
  if (node->op == 1) return alch_render_default(compiler, node);
  if (alch_check_type(compiler, node->b) != ALCH_OK) return compiler->status;
  switch (alch_type_in(alch_catalog_type(compiler->catalog, node->b), compiler->dialect->name)->family) {
    case ALCH_TYPE_DATE: return alch_render_enclosed(compiler, node, "DATE(", "", ")");
    case ALCH_TYPE_TIME: return alch_render_enclosed(compiler, node, "STRFTIME('%H:%M:%f000', ", "", ")");
    case ALCH_TYPE_DATETIME: case ALCH_TYPE_INTERVAL: return alch_render_enclosed(compiler, node, "STRFTIME('%Y-%m-%d %H:%M:%f000', ", "", ")");
    case ALCH_TYPE_JSON: return alch_render_enclosed(compiler, node, "JSON(", "", ")");
    default: return alch_render_default(compiler, node);
  }
}

static const struct { const char *field, *format; } extracts[] = {
  { "year", "%Y" }, { "month", "%m" }, { "day", "%d" },   { "hour", "%H" }, { "minute", "%M" }, { "second", "%S" },
  { "doy", "%j" },  { "dow", "%w" },   { "week", "%W" },  { "epoch", "%s" },
};

static alch_status no_field(alch_compiler *compiler, const alch_node *node) {
  const char *fields[ALCH_COUNT(extracts)];
  char word[32];
  size_t length = node->length < sizeof word ? node->length : sizeof word - 1;
  memcpy(word, alch_node_text(node), length);
  word[length] = '\0';
  for (size_t i = 0; i < ALCH_COUNT(extracts); i++) fields[i] = extracts[i].field;
  const char *nearest = alch_nearest(word, fields, ALCH_COUNT(fields));
  return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "%s is not a valid extract argument; %s '%s'", word, nearest ? "did you mean" : "there is for example", nearest ? nearest : "year");
}

static alch_status render_extract(alch_compiler *compiler, const alch_node *node) {
  for (size_t i = 0; i < ALCH_COUNT(extracts); i++) {
    if (!alch_is_called(node, extracts[i].field)) continue;
    alch_write(compiler, "CAST(STRFTIME('");
    alch_write(compiler, extracts[i].format);
    return alch_render_enclosed(compiler, node, "', ", "", ") AS INTEGER)");
  }
  return no_field(compiler, node);
}

/* What is inside as JSON, or as a value of the type that as_string and its kin ask for. */
static alch_status render_subscript(alch_compiler *compiler, const alch_node *node) {
  const alch_node *index = alch_node_next(alch_node_child(node));
  if (node->op != ALCH_OPERATOR_JSON_INDEX && node->op != ALCH_OPERATOR_JSON_PATH) return unsupported(compiler, "arrays", "keep the items in a table of their own, or in a JSON column");
  if (index->kind != ALCH_NODE_BIND) return unsupported(compiler, "JSON access by an expression", "give get a key, a place or a list of them");
  if (alch_family_of(compiler, node) == ALCH_TYPE_JSON) return alch_render_enclosed(compiler, node, "JSON_QUOTE(JSON_EXTRACT(", ", ", "))");
  alch_render_enclosed(compiler, node, "CAST(JSON_EXTRACT(", ", ", ") AS ");
  alch_write_type(compiler, node->b);
  alch_write_char(compiler, ')');
  return compiler->status;
}

static alch_status render_array(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  return unsupported(compiler, "arrays", "keep the items in a table of their own, or in a JSON column");
}

static alch_status render_within_group(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  return unsupported(compiler, "WITHIN GROUP", "order the rows and take the one wanted");
}

/* SQLite takes no table's name before the columns of RETURNING of an INSERT, and SQLAlchemy writes none for any statement. */
static alch_status render_returning(alch_compiler *compiler, const alch_node *node) { return alch_render_returning(compiler, node, false); }

const struct alch_renderer_override alch_sqlite_renderers[] = {
  { ALCH_NODE_RETURNING, render_returning },
  { ALCH_NODE_BINARY, render_binary }, { ALCH_NODE_UNARY, render_unary },     { ALCH_NODE_FUNCTION, render_function },
  { ALCH_NODE_CAST, render_cast },     { ALCH_NODE_EXTRACT, render_extract }, { ALCH_NODE_WITHIN_GROUP, render_within_group },
  { ALCH_NODE_SUBSCRIPT, render_subscript }, { ALCH_NODE_ARRAY, render_array },
  { 0, NULL },
};
