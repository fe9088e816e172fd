/* RETURNING … INTO, and the MERGE that an upsert is. */
#include "sql/dialects/oracle.h"

/* Of several rows there would be several values for one parameter. */
static bool check_returning(alch_compiler *compiler) {
  const alch_node *statement = compiler->scope->statement, *rows = alch_node_clause(statement, ALCH_NODE_ROWS), *conflict = alch_node_clause(statement, ALCH_NODE_ON_CONFLICT);
  const alch_node *first = rows ? alch_node_nth(rows, 0) : NULL;
  if (first && alch_node_is_query(first)) alch_oracle_unsupported(compiler, "RETURNING of an INSERT from a select", "select the rows afterwards");
  else if (rows && alch_node_child_count(rows) > 1) alch_oracle_unsupported(compiler, "RETURNING of an INSERT of several rows", "insert them one by one: execute it with a list of rows");
  else if (conflict && !alch_oracle_since(compiler->dialect, 23, 0)) alch_oracle_unsupported(compiler, "RETURNING of a MERGE", "select the row afterwards");
  return compiler->status == ALCH_OK;
}

/* The values come back in parameters that the database writes into, one for each. */
alch_status alch_oracle_returning(alch_compiler *compiler, const alch_node *node) {
  const alch_scope *scope = compiler->scope;
  alch_output_plan *plan = alch_plan_clause(compiler, scope->statement, node);
  if (!plan || !check_returning(compiler)) return compiler->status;
  alch_write(compiler, " RETURNING ");
  compiler->collects = alch_is_whole(scope);
  if (compiler->collects) compiler->compiled->returns_rows = true;
  compiler->unlabelled = true;
  alch_render_outputs(compiler, plan, ALCH_ROLE_TOP);
  compiler->unlabelled = false;
  for (uint32_t i = 0; i < plan->count; i++) {
    const alch_output *output = &plan->outputs[i].output;
    alch_write(compiler, i == 0 ? " INTO " : ", ");
    alch_render_out(compiler, output->type, output->source ? output->column : NULL);
  }
  return compiler->status;
}
