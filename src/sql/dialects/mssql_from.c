/* FROM on SQL Server: APPLY, which is a join with what sees the tables before it, and hints of tables. */
#include "sql/dialects/mssql.h"

alch_status alch_mssql_source_hint(alch_compiler *compiler, const alch_node *words, bool before) {
  if (before) return compiler->status;
  alch_write_char(compiler, ' ');
  return alch_render_words(compiler, words);
}

static bool is_lateral_source(alch_compiler *compiler, uint32_t source) {
  const alch_defined *defined = source & ALCH_ANONYMOUS ? alch_defined_at(compiler, source) : NULL;
  return defined && (defined->node->op == ALCH_DEFINITION_LATERAL || (defined->node->op == ALCH_DEFINITION_FUNCTION && (defined->node->b & ALCH_DEFINE_LATERAL)));
}

static bool is_lateral(alch_compiler *compiler, const alch_node *item) { return item->kind == ALCH_NODE_SOURCE && is_lateral_source(compiler, item->a); }

/* ---- joins ---- */

static bool is_always_true(const alch_node *condition) {
  while (condition->kind == ALCH_NODE_GROUPING || condition->kind == ALCH_NODE_LABEL) condition = alch_node_child(condition);
  return condition->kind == ALCH_NODE_TRUE;
}

/* APPLY takes no condition: it goes inside. */
static void render_applied(alch_compiler *compiler, const alch_node *left, const alch_node *right, const alch_node *condition) {
  alch_write(compiler, "(SELECT * FROM ");
  alch_render_source(compiler, right->a);
  alch_write(compiler, " WHERE ");
  if (condition) alch_render_condition(compiler, condition, ALCH_OPERATOR_NONE);
  else alch_render_join_condition(compiler, left, right);
  alch_write(compiler, ") AS ");
  alch_render_source_name(compiler, right->a);
}

alch_status alch_mssql_join(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_nth(node, 0), *right = alch_node_nth(node, 1), *condition = alch_node_nth(node, 2);
  if (!right || !is_lateral(compiler, right)) return alch_render_default(compiler, node);
  if (node->op == ALCH_JOIN_FULL)
    return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "FULL OUTER JOIN with LATERAL is not supported by the dialect '%s'; write a left join", compiler->dialect->name);
  alch_render(compiler, left);
  alch_write(compiler, node->op == ALCH_JOIN_LEFT ? " OUTER APPLY " : " CROSS APPLY ");
  if (node->op == ALCH_JOIN_CROSS || (condition && is_always_true(condition))) alch_render_source(compiler, right->a);
  else render_applied(compiler, left, right, condition);
  return compiler->status;
}

/* ---- the list ---- */

static bool is_lateral_item(alch_compiler *compiler, const alch_from_item *item) {
  return item->node ? is_lateral(compiler, item->node) : is_lateral_source(compiler, item->source);
}

static void render_item(alch_compiler *compiler, const alch_from_item *item, bool parentheses) {
  if (parentheses) alch_write_char(compiler, '(');
  if (item->node) alch_render(compiler, item->node);
  else alch_render_source(compiler, item->source);
  if (parentheses) alch_write_char(compiler, ')');
}

/* A comma would hide what stands before it from APPLY. */
alch_status alch_mssql_from(alch_compiler *compiler, const alch_node *node) {
  const alch_scope *scope = compiler->scope;
  bool applies = false;
  for (uint32_t i = 0; i < scope->from_count; i++) applies = applies || is_lateral_item(compiler, &scope->froms[i]);
  if (!applies) return compiler->status == ALCH_OK ? alch_default_from(compiler, node) : compiler->status;
  const char *separator = " FROM ";
  for (int lateral = 0; lateral <= 1; lateral++)
    for (uint32_t i = 0; i < scope->from_count; i++) {
      const alch_from_item *item = &scope->froms[i];
      if (is_lateral_item(compiler, item) != lateral) continue;
      bool joined = separator[1] != 'F' && item->node && item->node->kind == ALCH_NODE_JOIN;
      alch_write(compiler, separator[1] != 'F' && lateral ? " CROSS APPLY " : separator);
      render_item(compiler, item, joined);
      separator = " CROSS JOIN ";
    }
  return compiler->status;
}
