/* RETURNING … INTO, and the MERGE that an upsert is. */
#include "sql/dialects/oracle.h"

/* The values come back in parameters that the database writes into, one for each. */
alch_status alch_oracle_returning(alch_compiler *compiler, const alch_node *node) {
  const alch_scope *scope = compiler->scope;
  alch_output_plan *plan = alch_plan_clause(compiler, scope->statement, node);
  if (!plan) return compiler->status;
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
