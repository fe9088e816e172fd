#include "sql/compiler.h"

/* Sources that are neither tables nor queries: functions, VALUES, samples. */

static void write_as(alch_compiler *compiler, alch_defined *defined) {
  alch_write(compiler, alch_can(compiler, ALCH_CAPABILITY_TABLE_ALIAS_AS) ? " AS " : " ");
  alch_write_identifier(compiler, alch_defined_name(compiler, defined));
}

/* ---- functions ---- */

static void write_columns(alch_compiler *compiler, const alch_node *element, bool types) {
  const alch_node *name;
  for (uint32_t i = 0; (name = alch_element_name(element, i)); i++) {
    alch_write(compiler, i == 0 ? "(" : ", ");
    alch_render(compiler, name);
    if (!types) continue;
    alch_write_char(compiler, ' ');
    alch_write_type(compiler, name->a);
  }
  alch_write_char(compiler, ')');
}

alch_status alch_render_table_function(alch_compiler *compiler, alch_defined *defined) {
  const alch_node *element = alch_node_child(defined->node), *function = element->kind == ALCH_NODE_LIST ? alch_node_child(element) : element;
  const char *before = compiler->dialect->table_function;
  if (!alch_require(compiler, ALCH_CAPABILITY_TABLE_FUNCTIONS, "a function in FROM")) return compiler->status;
  uint32_t bits = defined->node->b;
  if (before) alch_write(compiler, before);
  if (before) alch_write_char(compiler, '(');
  alch_render(compiler, function);
  if ((bits & ALCH_DEFINE_ORDINALITY) && alch_require(compiler, ALCH_CAPABILITY_ORDINALITY, "WITH ORDINALITY")) alch_write(compiler, " WITH ORDINALITY");
  if (before) alch_write_char(compiler, ')');
  write_as(compiler, defined);
  if (bits & (ALCH_DEFINE_DERIVED | ALCH_DEFINE_DERIVED_TYPES)) write_columns(compiler, element, bits & ALCH_DEFINE_DERIVED_TYPES);
  return compiler->status;
}

/* ---- VALUES ---- */

alch_status alch_default_values(alch_compiler *compiler, const alch_node *node) {
  const char *separator = "VALUES ";
  for ALCH_EACH_CHILD(row, node) {
    if (row->kind != ALCH_NODE_ROW) continue;
    alch_write(compiler, separator);
    alch_write_char(compiler, '(');
    alch_render_children(compiler, row, ", ");
    alch_write_char(compiler, ')');
    separator = ", ";
  }
  if (separator[0] == 'V') alch_compile_error(compiler, ALCH_ERROR_COMPILE, "values has no rows; give them with :data{ { … }, … }");
  return compiler->status;
}

/* The first row names the columns. */
static void render_as_selects(alch_compiler *compiler, const alch_node *values) {
  bool first = true;
  for ALCH_EACH_CHILD(row, values) {
    if (row->kind != ALCH_NODE_ROW) continue;
    const char *separator = first ? "SELECT " : " UNION ALL SELECT ";
    uint32_t index = 0;
    for ALCH_EACH_CHILD(cell, row) {
      alch_write(compiler, separator);
      alch_render(compiler, cell);
      if (first) alch_write(compiler, " AS ");
      if (first) alch_render(compiler, alch_element_name(values, index++));
      separator = ", ";
    }
    if (compiler->dialect->empty_from) alch_write(compiler, compiler->dialect->empty_from);
    first = false;
  }
}

/* Where VALUES alone is no query. */
alch_status alch_render_values_query(alch_compiler *compiler, alch_defined *defined) {
  const alch_node *values = alch_node_child(defined->node);
  bool table = alch_can(compiler, ALCH_CAPABILITY_VALUES_TABLE);
  alch_write(compiler, table ? "(SELECT * FROM (" : "(");
  if (table) alch_render(compiler, values);
  else render_as_selects(compiler, values);
  alch_write_char(compiler, ')');
  if (!table) return compiler->status;
  write_as(compiler, defined);
  alch_write_char(compiler, ' ');
  write_columns(compiler, values, false);
  alch_write_char(compiler, ')');
  return compiler->status;
}

alch_status alch_render_table_values(alch_compiler *compiler, alch_defined *defined) {
  const alch_node *values = alch_node_child(defined->node);
  bool table = alch_can(compiler, ALCH_CAPABILITY_VALUES_TABLE);
  alch_write_char(compiler, '(');
  if (table) alch_render(compiler, values);
  else render_as_selects(compiler, values);
  alch_write_char(compiler, ')');
  write_as(compiler, defined);
  if (!table) return compiler->status;
  alch_write_char(compiler, ' ');
  write_columns(compiler, values, false);
  return compiler->status;
}

/* ---- samples ---- */

alch_status alch_render_sample(alch_compiler *compiler, alch_defined *defined) {
  const alch_node *sample = alch_node_child(defined->node), *source = alch_node_child(sample), *method = alch_node_next(source), *seed = alch_node_nth(sample, 2);
  const alch_table *table = alch_source_table(compiler->catalog, compiler->block, source->a);
  if (!alch_require(compiler, ALCH_CAPABILITY_TABLESAMPLE, "TABLESAMPLE")) return compiler->status;
  if (!table) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "TABLESAMPLE takes a table or an alias of one");
  alch_render_table_name(compiler, table);
  write_as(compiler, defined);
  alch_write(compiler, " TABLESAMPLE ");
  compiler->writes_values = alch_can(compiler, ALCH_CAPABILITY_SAMPLE_LITERALS);
  alch_render(compiler, method);
  if (seed) alch_write(compiler, " REPEATABLE (");
  if (seed) alch_render(compiler, seed);
  if (seed) alch_write_char(compiler, ')');
  compiler->writes_values = false;
  return compiler->status;
}
