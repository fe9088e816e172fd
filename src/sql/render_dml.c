#include "sql/compiler.h"
#include <string.h>

/* UPDATE, DELETE, RETURNING, and what INSERT shares with them. */

alch_table *alch_target_table(alch_compiler *compiler, const alch_node *statement) {
  alch_table *table = alch_catalog_table(compiler->catalog, statement->a);
  if (!table) alch_compile_error(compiler, ALCH_ERROR_COMPILE, "the %s names no table", alch_node_kind_name(statement->kind));
  else if (compiler->role == ALCH_ROLE_TOP && compiler->scope == NULL) compiler->compiled->table = table;
  return table;
}

/* ---- values on their way into a column ---- */

/* The place-holder carries the column's name, with the row's number behind it where there are several (name_m0). */
static void name_bind(alch_compiler *compiler, const alch_column *column, int64_t row) {
  compiler->hint = column->key;
  compiler->hint_length = (uint32_t)strlen(column->key);
  compiler->hint_whole = true;
  if (row < 0 || compiler->dialect->placeholder != ALCH_PLACEHOLDER_COLON) return;
  alch_buffer name;
  alch_buffer_init(&name, compiler->scratch.allocator);
  alch_buffer_add_format(&name, "%s_m%lld", column->key, (long long)row);
  compiler->hint = alch_arena_text(&compiler->scratch, alch_buffer_text(&name), name.length);
  compiler->hint_length = (uint32_t)name.length;
  if (!compiler->hint || alch_buffer_failed(&name)) alch_no_memory(compiler);
  alch_buffer_close(&name);
}

alch_status alch_render_value_for(alch_compiler *compiler, const alch_node *value, const alch_column *column, int64_t row) {
  bool parentheses = alch_is_operation(value);
  if (parentheses) alch_write_char(compiler, '(');
  if (value->kind == ALCH_NODE_BIND) {
    name_bind(compiler, column, row);
    alch_render_bind(compiler, value, column);
  } else {
    alch_render(compiler, value);
  }
  compiler->hint = NULL;
  compiler->hint_whole = false;
  if (parentheses) alch_write_char(compiler, ')');
  return compiler->status;
}

alch_status alch_render_parameter_for(alch_compiler *compiler, const alch_column *column) {
  return alch_render_parameter(compiler, column->key, strlen(column->key), column->type, column);
}

void alch_write_column_name(alch_compiler *compiler, const alch_column *column) { alch_quote_identifier(compiler->dialect, column->name, column->quote, compiler->out); }

/* ---- parameters that the execution will give ---- */

bool alch_is_parameter(const alch_compiler *compiler, const alch_column *column) {
  for (uint32_t i = 0; i < compiler->options->parameter_count; i++)
    if (strcmp(compiler->options->parameter_names[i], column->key) == 0) return true;
  return false;
}

/* ---- RETURNING ---- */

alch_status alch_render_returning(alch_compiler *compiler, const alch_node *returning, bool qualified) {
  (void)returning;
  static const struct { uint8_t kind, capability; const char *construct; } rows[] = {
    { ALCH_NODE_INSERT, ALCH_CAPABILITY_INSERT_RETURNING, "INSERT with RETURNING" },
    { ALCH_NODE_UPDATE, ALCH_CAPABILITY_UPDATE_RETURNING, "UPDATE with RETURNING" },
    { ALCH_NODE_DELETE, ALCH_CAPABILITY_DELETE_RETURNING, "DELETE with RETURNING" },
  };
  const alch_node *statement = compiler->scope->statement;
  for (size_t i = 0; i < ALCH_COUNT(rows); i++)
    if (rows[i].kind == statement->kind && !alch_require(compiler, rows[i].capability, rows[i].construct)) return compiler->status;
  bool unqualified = compiler->unqualified;
  alch_write(compiler, " RETURNING ");
  compiler->unqualified = !qualified;
  compiler->collects = alch_is_whole(compiler->scope);
  if (compiler->collects) compiler->compiled->returns_rows = true;
  alch_render_outputs(compiler, alch_plan_of(compiler, statement), ALCH_ROLE_TOP);
  compiler->unqualified = unqualified;
  return compiler->status;
}

alch_status alch_default_returning(alch_compiler *compiler, const alch_node *node) { return alch_render_returning(compiler, node, true); }

/* ---- SET ---- */

static const alch_column *assigned_column(alch_compiler *compiler, const alch_node *assign) {
  const alch_table *table = alch_catalog_table(compiler->catalog, assign->a);
  if (table && assign->b < table->column_count) return table->columns[assign->b];
  alch_compile_error(compiler, ALCH_ERROR_NO_SUCH_COLUMN, "SET names a column number %u that its table does not have", (unsigned)assign->b);
  return NULL;
}

/* Beside further tables the column says which of them it is in. */
static void write_set_name(alch_compiler *compiler, const alch_column *column) {
  const alch_scope *scope = compiler->scope;
  if (scope && scope->statement->kind == ALCH_NODE_UPDATE && scope->from_count > 0 && alch_can(compiler, ALCH_CAPABILITY_UPDATE_TABLES)) {
    if (column->table->id == scope->statement->a) alch_render_source_name(compiler, alch_node_target(scope->statement));
    else alch_render_table_name(compiler, column->table);
    alch_write_char(compiler, '.');
  }
  alch_write_column_name(compiler, column);
}

void alch_render_assign(alch_compiler *compiler, const alch_node *assign, const char *equals) {
  const alch_column *column = assigned_column(compiler, assign);
  if (!column) return;
  write_set_name(compiler, column);
  alch_write(compiler, equals);
  alch_render_value_for(compiler, alch_node_child(assign), column, -1);
}

/* That of ON CONFLICT: in its own order, and with nothing added. */
alch_status alch_default_set(alch_compiler *compiler, const alch_node *node) {
  const char *separator = " SET ";
  for ALCH_EACH_CHILD(assign, node) {
    alch_write(compiler, separator);
    alch_render_assign(compiler, assign, " = ");
    separator = ", ";
  }
  return compiler->status;
}

static const alch_node *assign_of(const alch_node *set, const alch_table *table, uint32_t index) {
  if (!set) return NULL;
  for ALCH_EACH_CHILD(assign, set)
    if (assign->a == table->id && assign->b == index) return assign;
  return NULL;
}

/* What a column is set to: the execution's value, the statement's, or its onupdate. False when it is left alone. */
static bool render_update_column(alch_compiler *compiler, const alch_node *set, const alch_column *column, bool assigned, const char *separator) {
  const alch_node *assign = assigned ? assign_of(set, column->table, column->index) : NULL;
  bool parameter = alch_is_parameter(compiler, column), defaults = !assign_of(set, column->table, column->index) && alch_has_default(compiler, column, true);
  if (!parameter && !assign && !defaults) return false;
  alch_write(compiler, separator);
  if (assign && !parameter) {
    alch_render_assign(compiler, assign, "=");
    return true;
  }
  write_set_name(compiler, column);
  alch_write_char(compiler, '=');
  if (parameter) alch_render_parameter_for(compiler, column);
  else alch_render_column_default(compiler, column, true);
  return true;
}

/* In the order of the table's columns, unless the statement insists on its own. */
static void render_update_set(alch_compiler *compiler, const alch_node *statement, const alch_table *table) {
  const alch_node *set = alch_node_clause(statement, ALCH_NODE_SET);
  bool ordered = set && set->op == 1;
  const char *separator = " SET ";
  if (ordered)
    for ALCH_EACH_CHILD(assign, set) {
      alch_write(compiler, separator);
      alch_render_assign(compiler, assign, "=");
      separator = ", ";
    }
  for (uint32_t i = 0; i < table->column_count; i++)
    if (render_update_column(compiler, set, table->columns[i], !ordered, separator)) separator = ", ";
  if (separator[0] == ' ') alch_compile_error(compiler, ALCH_ERROR_COMPILE, "UPDATE of '%s' sets no column; give it values", table->full_name);
}

/* ---- the sources of an UPDATE or DELETE ---- */

void alch_open_writing(alch_compiler *compiler, alch_scope *scope, const alch_node *statement) {
  *scope = (alch_scope){ .outer = compiler->scope, .statement = statement, .role = compiler->role };
  compiler->role = ALCH_ROLE_TOP;
  compiler->scope = scope;
}

static void find_sources(alch_compiler *compiler, alch_scope *scope, const alch_node *statement) {
  alch_ids_add(compiler, &scope->sources, alch_node_target(statement));
  const alch_node *from = alch_node_clause(statement, ALCH_NODE_FROM);
  if (from)
    for ALCH_EACH_CHILD(item, from) {
      alch_scope_add(compiler, scope, item, 0);
      alch_item_sources(compiler, item, &scope->sources);
    }
  alch_scope_add_used(compiler, scope, alch_node_clause(statement, ALCH_NODE_SET));
  alch_scope_add_used(compiler, scope, alch_node_clause(statement, ALCH_NODE_WHERE));
}

/* Do the tables behind FROM or USING begin with the one that is written? */
static bool repeats_target(const alch_compiler *compiler, const alch_node *statement) {
  bool beside = statement->kind == ALCH_NODE_UPDATE && alch_can(compiler, ALCH_CAPABILITY_UPDATE_TABLES);
  return !beside && alch_can(compiler, ALCH_CAPABILITY_DML_FROM_TARGET);
}

/* There an alias is but named where the table stands else, and says what it is behind that word. */
static bool names_target(const alch_compiler *compiler, const alch_node *statement) {
  return alch_node_target(statement) != statement->a && repeats_target(compiler, statement);
}

alch_status alch_render_further_tables(alch_compiler *compiler, const char *word) {
  const alch_scope *scope = compiler->scope;
  const char *separator = word;
  if (scope->from_count == 0 && !names_target(compiler, scope->statement)) return compiler->status;
  if (repeats_target(compiler, scope->statement)) {
    alch_write(compiler, separator);
    alch_render_source(compiler, alch_node_target(scope->statement));
    separator = ", ";
  }
  for (uint32_t i = 0; i < scope->from_count; i++) {
    alch_write(compiler, separator);
    if (scope->froms[i].node) alch_render(compiler, scope->froms[i].node);
    else alch_render_source(compiler, scope->froms[i].source);
    separator = ", ";
  }
  return compiler->status;
}

/* ---- the statements: their clauses in the dialect's order ---- */

static void render_target(alch_compiler *compiler, const alch_node *statement, const alch_table *table) {
  alch_write(compiler, statement->kind == ALCH_NODE_DELETE ? " FROM " : " ");
  uint32_t target = alch_node_target(statement);
  if (names_target(compiler, statement)) {
    alch_render_source_name(compiler, target);
  } else if (target != statement->a) {
    alch_render_source(compiler, target);
  } else {
    alch_render_source_hints(compiler, statement->a, true);
    alch_render_table_name(compiler, table);
    alch_render_source_hints(compiler, statement->a, false);
  }
  if (statement->kind == ALCH_NODE_UPDATE && alch_can(compiler, ALCH_CAPABILITY_UPDATE_TABLES)) alch_render_further_tables(compiler, ", ");
}

static void render_further(alch_compiler *compiler, const alch_node *statement) {
  if (compiler->scope->from_count == 0 && !names_target(compiler, statement)) return;
  if (statement->kind == ALCH_NODE_UPDATE) {
    if (alch_can(compiler, ALCH_CAPABILITY_UPDATE_TABLES)) return;
    if (alch_require(compiler, ALCH_CAPABILITY_UPDATE_FROM, "UPDATE with further tables")) alch_render_further_tables(compiler, " FROM ");
    return;
  }
  if (alch_can(compiler, ALCH_CAPABILITY_DELETE_USING)) alch_render_further_tables(compiler, " USING ");
  else if (alch_can(compiler, ALCH_CAPABILITY_DML_FROM_TARGET)) alch_render_further_tables(compiler, " FROM ");
  else
    alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "DELETE with further tables is not supported by the dialect '%s'; put them into a subquery", compiler->dialect->name);
}

static void render_writing_clause(alch_compiler *compiler, const alch_node *statement, const alch_table *table, uint8_t kind) {
  const alch_node *clause = alch_node_clause(statement, kind);
  switch (kind) {
    case ALCH_NODE_TABLE: render_target(compiler, statement, table); break;
    case ALCH_NODE_SET: render_update_set(compiler, statement, table); break;
    case ALCH_NODE_FROM: render_further(compiler, statement); break;
    default:
      if (clause) alch_render(compiler, clause);
  }
}

static alch_status render_writing(alch_compiler *compiler, const alch_node *statement, const char *word, const uint8_t *clauses) {
  alch_scope scope;
  const alch_table *table = alch_target_table(compiler, statement);
  if (!table) return compiler->status;
  alch_open_writing(compiler, &scope, statement);
  find_sources(compiler, &scope, statement);
  alch_write(compiler, word);
  for (; *clauses && compiler->status == ALCH_OK; clauses++) render_writing_clause(compiler, statement, table, *clauses);
  compiler->scope = scope.outer;
  return compiler->status;
}

alch_status alch_default_update(alch_compiler *compiler, const alch_node *node) {
  static const uint8_t clauses[] = { ALCH_NODE_PREFIXES, ALCH_NODE_TABLE, ALCH_NODE_SET, ALCH_NODE_FROM, ALCH_NODE_WHERE, ALCH_NODE_RETURNING, 0 };
  return render_writing(compiler, node, "UPDATE", compiler->dialect->update_clauses ? compiler->dialect->update_clauses : clauses);
}

alch_status alch_default_delete(alch_compiler *compiler, const alch_node *node) {
  static const uint8_t clauses[] = { ALCH_NODE_PREFIXES, ALCH_NODE_TABLE, ALCH_NODE_FROM, ALCH_NODE_WHERE, ALCH_NODE_RETURNING, 0 };
  return render_writing(compiler, node, "DELETE", compiler->dialect->delete_clauses ? compiler->dialect->delete_clauses : clauses);
}
