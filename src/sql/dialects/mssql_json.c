/* JSON on SQL Server: text, and two functions, one for values and one for what has an inside of its own. */
#include "sql/dialects/mssql.h"

static alch_status unsupported(alch_compiler *compiler, const char *construct, const char *mend) {
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "%s is not supported by the dialect '%s'; %s", construct, compiler->dialect->name, mend);
}

/* The path may be a parameter since 2017. */
static void render_call(alch_compiler *compiler, const alch_node *node, const char *function) {
  const alch_node *subject = alch_node_child(node), *path = alch_node_next(subject);
  alch_write(compiler, function);
  alch_render(compiler, subject);
  alch_write(compiler, ", ");
  if (alch_mssql_since(compiler->dialect, ALCH_MSSQL_2017)) alch_render(compiler, path);
  else alch_render_bind_literal(compiler, path);
  alch_write_char(compiler, ')');
}

static void render_typed(alch_compiler *compiler, const alch_node *node, const char *before) {
  alch_write(compiler, before);
  render_call(compiler, node, "CAST(JSON_VALUE(");
  alch_write(compiler, " AS ");
  alch_write_type(compiler, node->b);
  alch_write_char(compiler, ')');
}

/* In SQLAlchemy's form, which asks for NULL first. */
static alch_status render_value(alch_compiler *compiler, const alch_node *node) {
  render_call(compiler, node, "CASE JSON_VALUE(");
  alch_write(compiler, " WHEN NULL THEN NULL");
  switch (alch_family_of(compiler, node)) {
    case ALCH_TYPE_BOOLEAN: render_typed(compiler, node, " WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE "); break;
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_BIG_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_NUMERIC: case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: render_typed(compiler, node, " ELSE "); break;
    case ALCH_TYPE_STRING: case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE: case ALCH_TYPE_UNICODE_TEXT: render_call(compiler, node, " ELSE JSON_VALUE("); break;
    default: render_call(compiler, node, " ELSE JSON_QUERY(");
  }
  alch_write(compiler, " END");
  return compiler->status;
}

alch_status alch_mssql_subscript(alch_compiler *compiler, const alch_node *node) {
  bool json = node->op == ALCH_OPERATOR_JSON_INDEX || node->op == ALCH_OPERATOR_JSON_PATH;
  if (!json) return unsupported(compiler, "the subscript of an array", "keep the items in a table of their own, or in a JSON column");
  if (alch_node_nth(node, 1)->kind != ALCH_NODE_BIND) return unsupported(compiler, "JSON access by an expression", "give get a key, a place or a list of them");
  if (!alch_mssql_require(compiler, ALCH_MSSQL_2016, "access to the inside of a JSON value", "2016")) return compiler->status;
  if (alch_family_of(compiler, node) != ALCH_TYPE_JSON) return render_value(compiler, node);
  render_call(compiler, node, "JSON_QUERY(");
  return compiler->status;
}
