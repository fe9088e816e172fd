#include "sql/insertion.h"
#include <string.h>

/* Upserts: what they set, and their form as MERGE for the databases that know no ON CONFLICT. The row that is to be written is the source `excluded`. */

/* ---- what an upsert sets ---- */

static bool is_target(const alch_node *targets, const alch_column *column) {
  if (!targets) return false;
  for ALCH_EACH_CHILD(child, targets)
    if (child->kind == ALCH_NODE_COLUMN && child->b == column->index) return true;
  return false;
}

static bool is_key(const alch_table *table, const alch_column *column) {
  for (uint32_t i = 0; table->primary_key && i < table->primary_key->column_count; i++)
    if (table->primary_key->columns[i] == column) return true;
  return false;
}

/* A default that the INSERT brings along is for new rows alone. */
static bool is_updated(const alch_insertion *insertion, const alch_node *targets, const alch_pick *pick) {
  return pick->from != ALCH_FROM_DEFAULT && !is_target(targets, pick->column) && !is_key(insertion->table, pick->column);
}

bool alch_upsert_updates(alch_compiler *compiler, const alch_node *conflict) {
  const alch_insertion *insertion = compiler->scope->insertion;
  const alch_node *targets = alch_node_clause(conflict, ALCH_NODE_TARGETS);
  if (!(conflict->op & ALCH_CONFLICT_UPDATE)) return false;
  if (alch_node_clause(conflict, ALCH_NODE_SET)) return true;
  for (uint32_t i = 0; insertion && i < insertion->pick_count; i++)
    if (is_updated(insertion, targets, &insertion->picks[i])) return true;
  return false;
}

static void render_excluded(alch_compiler *compiler, const alch_column *column) {
  alch_node excluded = { .kind = ALCH_NODE_EXCLUDED, .size = sizeof excluded, .a = column->table->id, .b = column->index };
  alch_render(compiler, &excluded);
}

alch_status alch_render_upsert_set(alch_compiler *compiler, const alch_node *conflict, const char *before, const char *equals) {
  const alch_insertion *insertion = compiler->scope->insertion;
  const alch_node *set = alch_node_clause(conflict, ALCH_NODE_SET), *targets = alch_node_clause(conflict, ALCH_NODE_TARGETS);
  if (set) {
    for ALCH_EACH_CHILD(assign, set) {
      alch_write(compiler, before);
      alch_render_assign(compiler, assign, equals);
      before = ", ";
    }
    return compiler->status;
  }
  for (uint32_t i = 0; i < insertion->pick_count; i++) {
    if (!is_updated(insertion, targets, &insertion->picks[i])) continue;
    alch_write(compiler, before);
    alch_write_column_name(compiler, insertion->picks[i].column);
    alch_write(compiler, equals);
    render_excluded(compiler, insertion->picks[i].column);
    before = ", ";
  }
  return compiler->status;
}

/* ---- MERGE: the source ---- */

/* One row as a SELECT without a table; the first names the columns. */
static void render_source_row(alch_compiler *compiler, const alch_insertion *insertion, uint32_t row) {
  alch_write(compiler, row == 0 ? "SELECT " : " UNION ALL SELECT ");
  for (uint32_t i = 0; i < insertion->pick_count; i++) {
    if (i > 0) alch_write(compiler, ", ");
    alch_render_cell(compiler, insertion, i, row);
    if (row > 0) continue;
    alch_write(compiler, " AS ");
    alch_write_column_name(compiler, insertion->picks[i].column);
  }
  if (compiler->dialect->empty_from) alch_write(compiler, compiler->dialect->empty_from);
}

/* The names that the SELECT gives are those by which MERGE knows its columns. */
static bool has_names(alch_compiler *compiler, const alch_insertion *insertion) {
  alch_output_plan *plan = alch_plan_of(compiler, insertion->query);
  for (uint32_t i = 0; plan && i < insertion->pick_count; i++) {
    const char *name = insertion->picks[i].column->name;
    if (insertion->picks[i].from == ALCH_FROM_DEFAULT) continue;
    if (i < plan->count && strcmp(alch_output_name(compiler, &plan->outputs[i]), name) == 0) continue;
    alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "an upsert from a select needs a column called '%s' as number %u of the select on the dialect '%s'; label it so", name, (unsigned)i + 1,
                       compiler->dialect->name);
    return false;
  }
  return plan != NULL;
}

static void render_source(alch_compiler *compiler, const alch_insertion *insertion) {
  alch_write(compiler, " USING (");
  if (!insertion->query) {
    for (uint32_t row = 0; row < alch_insertion_row_count(insertion); row++) render_source_row(compiler, insertion, row);
  } else if (has_names(compiler, insertion)) {
    compiler->role = ALCH_ROLE_FROM;
    alch_render_insert_query(compiler, insertion);
    compiler->role = ALCH_ROLE_TOP;
  }
  alch_write(compiler, alch_can(compiler, ALCH_CAPABILITY_TABLE_ALIAS_AS) ? ") AS excluded" : ") excluded");
}

/* ---- MERGE: the rest ---- */

static void render_match(alch_compiler *compiler, const alch_node *targets) {
  const char *separator = " ON (";
  const alch_node *where = alch_node_clause(targets, ALCH_NODE_WHERE);
  for ALCH_EACH_CHILD(child, targets) {
    if (child->kind != ALCH_NODE_COLUMN) continue;
    alch_write(compiler, separator);
    alch_render_column(compiler, child->a, child->b);
    alch_write(compiler, " = ");
    render_excluded(compiler, alch_catalog_table(compiler->catalog, child->a)->columns[child->b]);
    separator = " AND ";
  }
  if (separator[1] == 'O') alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "an upsert on the dialect '%s' needs columns to find the row by; give it index_elements", compiler->dialect->name);
  for (const alch_node *child = where ? alch_node_child(where) : NULL; child && child < alch_node_next(where); child = alch_node_next(child)) {
    alch_write(compiler, separator);
    alch_render_condition(compiler, child, ALCH_OPERATOR_AND);
  }
  alch_write_char(compiler, ')');
}

static void render_matched(alch_compiler *compiler, const alch_node *conflict) {
  const alch_node *where = alch_node_clause(conflict, ALCH_NODE_WHERE);
  bool behind = alch_can(compiler, ALCH_CAPABILITY_MERGE_WHERE);
  if (!alch_upsert_updates(compiler, conflict)) return;
  alch_write(compiler, " WHEN MATCHED");
  if (where && !behind) {
    alch_write(compiler, " AND ");
    alch_render_conditions(compiler, where);
  }
  alch_write(compiler, " THEN UPDATE");
  alch_render_upsert_set(compiler, conflict, " SET ", " = ");
  if (where && behind) alch_render(compiler, where);
}

static void render_not_matched(alch_compiler *compiler, const alch_insertion *insertion) {
  alch_write(compiler, " WHEN NOT MATCHED THEN INSERT");
  for (uint32_t i = 0; i < insertion->pick_count; i++) {
    alch_write(compiler, i == 0 ? " (" : ", ");
    alch_write_column_name(compiler, insertion->picks[i].column);
  }
  for (uint32_t i = 0; i < insertion->pick_count; i++) {
    alch_write(compiler, i == 0 ? ") VALUES (" : ", ");
    render_excluded(compiler, insertion->picks[i].column);
  }
  alch_write_char(compiler, ')');
}

alch_status alch_render_merge(alch_compiler *compiler, const alch_insertion *insertion, const alch_node *conflict) {
  const alch_node *targets = alch_node_clause(conflict, ALCH_NODE_TARGETS), *returning = alch_node_clause(insertion->statement, ALCH_NODE_RETURNING);
  const alch_dialect *dialect = compiler->dialect;
  if (insertion->pick_count == 0) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "the upsert into '%s' has no values", insertion->table->full_name);
  alch_write(compiler, "MERGE INTO ");
  alch_render_table_name(compiler, insertion->table);
  if (dialect->merge_hint) alch_write(compiler, dialect->merge_hint);
  render_source(compiler, insertion);
  alch_ids_add(compiler, &compiler->scope->sources, insertion->table->id);
  if (targets) render_match(compiler, targets);
  render_matched(compiler, conflict);
  render_not_matched(compiler, insertion);
  if (returning) alch_render(compiler, returning);
  if (dialect->merge_end) alch_write(compiler, dialect->merge_end);
  return compiler->status;
}
