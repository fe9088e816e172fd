/* Writing on SQL Server. */
#include "sql/dialects/mssql.h"

/* OUTPUT names the rows as they came to be, or as they were when they are gone. */
alch_status alch_mssql_returning(alch_compiler *compiler, const alch_node *node) {
  const alch_node *statement = compiler->scope->statement;
  uint32_t renamed = compiler->renamed_source;
  const char *name = compiler->renamed;
  bool collects = compiler->collects;
  compiler->renamed_source = alch_node_target(statement);
  compiler->renamed = statement->kind == ALCH_NODE_DELETE ? "deleted" : "inserted";
  compiler->collects = alch_is_whole(compiler->scope);
  if (compiler->collects) compiler->compiled->returns_rows = true;
  alch_write(compiler, " OUTPUT ");
  alch_render_outputs(compiler, alch_plan_clause(compiler, statement, node), ALCH_ROLE_TOP);
  compiler->collects = collects;
  compiler->renamed_source = renamed;
  compiler->renamed = name;
  return compiler->status;
}
