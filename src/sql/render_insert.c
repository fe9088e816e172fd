#include "sql/insertion.h"
#include <string.h>

/* INSERT: which columns, what goes into them, and what happens on a conflict. */

/* ---- which columns ---- */

static const alch_node *into_node(const alch_insertion *insert, const alch_column *column, uint32_t *place) {
  *place = 0;
  if (!insert->into) return NULL;
  for ALCH_EACH_CHILD(child, insert->into) {
    if (child->b == column->index) return child;
    ++*place;
  }
  return NULL;
}

static void add_pick(alch_insertion *insert, const alch_column *column, uint8_t from, uint32_t place) { insert->picks[insert->pick_count++] = (alch_pick){ column, from, place }; }

static void pick_column(alch_compiler *compiler, alch_insertion *insert, const alch_column *column) {
  uint32_t place;
  const alch_node *named = into_node(insert, column, &place);
  if (alch_is_parameter(compiler, column)) add_pick(insert, column, ALCH_FROM_PARAMETER, 0);
  else if (named) add_pick(insert, column, ALCH_FROM_ROW, place);
  else if (alch_has_default(compiler, column, false)) add_pick(insert, column, ALCH_FROM_DEFAULT, 0);
}

/* A SELECT gives its columns in the order of INTO; the columns with defaults follow. */
static void pick_for_query(const alch_compiler *compiler, alch_insertion *insert) {
  uint32_t place;
  if (insert->into)
    for ALCH_EACH_CHILD(child, insert->into) add_pick(insert, insert->table->columns[child->b], ALCH_FROM_ROW, insert->pick_count);
  if (insert->rows->op == 1) return;
  for (uint32_t i = 0; i < insert->table->column_count; i++) {
    const alch_column *column = insert->table->columns[i];
    if (!into_node(insert, column, &place) && alch_has_default(compiler, column, false)) add_pick(insert, column, ALCH_FROM_DEFAULT, 0);
  }
}

static bool is_own_column(const alch_insertion *insert, const alch_node *node) { return node->kind == ALCH_NODE_COLUMN && node->a == insert->table->id && node->b < insert->table->column_count; }

static bool check_into(alch_compiler *compiler, const alch_insertion *insert) {
  if (insert->into)
    for ALCH_EACH_CHILD(child, insert->into)
      if (!is_own_column(insert, child)) {
        alch_compile_error(compiler, ALCH_ERROR_NO_SUCH_COLUMN, "INSERT names a column that is not one of '%s'", insert->table->full_name);
        return false;
      }
  for (uint32_t i = 0; i < compiler->options->parameter_count; i++)
    if (!alch_table_column(insert->table, compiler->options->parameter_names[i])) {
      alch_compile_error(compiler, ALCH_ERROR_COMPILE, "Unconsumed column names: %s", compiler->options->parameter_names[i]);
      return false;
    }
  return true;
}

/* In the order of the table's columns, whatever the order in which they were named. */
static void pick_columns(alch_compiler *compiler, alch_insertion *insert) {
  insert->width = insert->into ? alch_node_child_count(insert->into) : 0;
  insert->picks = alch_arena_allocate(&compiler->scratch, (insert->table->column_count + insert->width + 1) * sizeof *insert->picks);
  if (!insert->picks) {
    alch_no_memory(compiler);
    return;
  }
  if (insert->query) {
    pick_for_query(compiler, insert);
    return;
  }
  for (uint32_t i = 0; i < insert->table->column_count; i++) pick_column(compiler, insert, insert->table->columns[i]);
}

static void write_column_list(alch_compiler *compiler, const alch_insertion *insert) {
  for (uint32_t i = 0; i < insert->pick_count; i++) {
    alch_write(compiler, i == 0 ? " (" : ", ");
    alch_write_column_name(compiler, insert->picks[i].column);
  }
  if (insert->pick_count > 0) alch_write_char(compiler, ')');
}

/* ---- rows of values ---- */

static void render_cell(alch_compiler *compiler, const alch_pick *pick, const alch_node *value, int64_t row) {
  switch (pick->from) {
    case ALCH_FROM_ROW: alch_render_value_for(compiler, value, pick->column, row); break;
    case ALCH_FROM_PARAMETER: alch_render_parameter_for(compiler, pick->column); break;
    default: alch_render_column_default(compiler, pick->column, false);
  }
}

static bool read_cells(alch_compiler *compiler, const alch_insertion *insert, const alch_node *row, const alch_node **cells) {
  uint32_t count = 0;
  if (row)
    for ALCH_EACH_CHILD(cell, row) {
      if (count < insert->width) cells[count] = cell;
      count++;
    }
  if (count == insert->width || !row) return true;
  alch_compile_error(compiler, ALCH_ERROR_COMPILE, "a row of the INSERT into '%s' has %u values for %u columns", insert->table->full_name, (unsigned)count, (unsigned)insert->width);
  return false;
}

uint32_t alch_insertion_row_count(const alch_insertion *insert) {
  uint32_t count = insert->rows ? alch_node_child_count(insert->rows) : 0;
  if (insert->query) return 0;
  return count == 0 ? 1 : count;
}

void alch_render_cell(alch_compiler *compiler, const alch_insertion *insert, uint32_t index, uint32_t row) {
  const alch_pick *pick = &insert->picks[index];
  const alch_node *values = insert->rows ? alch_node_nth(insert->rows, row) : NULL, *value = values ? alch_node_nth(values, pick->place) : NULL;
  if (pick->from == ALCH_FROM_ROW && !value) {
    alch_compile_error(compiler, ALCH_ERROR_COMPILE, "a row of the INSERT into '%s' has fewer values than %u columns", insert->table->full_name, (unsigned)insert->width);
    return;
  }
  render_cell(compiler, pick, value, alch_insertion_row_count(insert) > 1 ? (int64_t)row : -1);
}

static void render_row(alch_compiler *compiler, const alch_insertion *insert, const alch_node *row, const alch_node **cells, int64_t number) {
  if (!read_cells(compiler, insert, row, cells)) return;
  for (uint32_t i = 0; i < insert->pick_count; i++) {
    const alch_pick *pick = &insert->picks[i];
    alch_write(compiler, i == 0 ? "(" : ", ");
    render_cell(compiler, pick, pick->from == ALCH_FROM_ROW ? cells[pick->place] : NULL, number);
  }
  alch_write_char(compiler, ')');
}

static void render_rows(alch_compiler *compiler, const alch_insertion *insert) {
  uint32_t count = insert->rows ? alch_node_child_count(insert->rows) : 0;
  const alch_node **cells = alch_arena_allocate(&compiler->scratch, (insert->width + 1) * sizeof *cells);
  if (!cells) {
    alch_no_memory(compiler);
    return;
  }
  if (count > 1 && !alch_require(compiler, ALCH_CAPABILITY_MULTI_VALUES, "INSERT of several rows")) return;
  alch_write(compiler, " VALUES ");
  if (count <= 1) {
    render_row(compiler, insert, count ? alch_node_child(insert->rows) : NULL, cells, -1);
    return;
  }
  int64_t number = 0;
  for ALCH_EACH_CHILD(row, insert->rows) {
    if (number > 0) alch_write(compiler, ", ");
    render_row(compiler, insert, row, cells, number++);
  }
}

static void render_default_values(alch_compiler *compiler, const alch_insertion *insert) {
  if (insert->rows && alch_node_child_count(insert->rows) > 1) alch_compile_error(compiler, ALCH_ERROR_COMPILE, "several rows of the INSERT into '%s' have no column at all", insert->table->full_name);
  if (alch_can(compiler, ALCH_CAPABILITY_DEFAULT_VALUES)) alch_write(compiler, " DEFAULT VALUES");
  else if (!alch_can(compiler, ALCH_CAPABILITY_NAMED_DEFAULT)) alch_write(compiler, " () VALUES ()");
  else {
    alch_write(compiler, " (");
    alch_write_column_name(compiler, insert->table->columns[0]);
    alch_write(compiler, ") VALUES (DEFAULT)");
  }
}

/* ---- rows of a SELECT ---- */

void alch_render_insert_query(alch_compiler *compiler, const alch_insertion *insert) {
  alch_insert added = { .needs_where = alch_node_clause(insert->statement, ALCH_NODE_ON_CONFLICT) && alch_can(compiler, ALCH_CAPABILITY_ON_CONFLICT) };
  added.defaults = alch_arena_allocate(&compiler->scratch, (insert->pick_count + 1) * sizeof *added.defaults);
  if (!added.defaults) {
    alch_no_memory(compiler);
    return;
  }
  for (uint32_t i = 0; i < insert->pick_count; i++)
    if (insert->picks[i].from == ALCH_FROM_DEFAULT) added.defaults[added.default_count++] = insert->picks[i].column;
  if (added.default_count > 0 && insert->query->kind != ALCH_NODE_SELECT) {
    alch_compile_error(compiler, ALCH_ERROR_COMPILE, "a compound select cannot give the default of column '%s' of '%s' as well; make it a subquery and select from that",
                       added.defaults[0]->name, insert->table->full_name);
    return;
  }
  if (alch_is_whole(compiler->scope) && alch_can(compiler, ALCH_CAPABILITY_CTE_FOLLOWS_INSERT)) alch_render_with(compiler);
  compiler->insert = &added;
  alch_render(compiler, insert->query);
  compiler->insert = NULL;
}

/* ---- the statement: its clauses in the dialect's order ---- */

static alch_insertion read_insert(alch_compiler *compiler, const alch_node *statement) {
  alch_insertion insert = { .statement = statement, .table = alch_target_table(compiler, statement) };
  insert.into = alch_node_clause(statement, ALCH_NODE_INTO);
  insert.rows = alch_node_clause(statement, ALCH_NODE_ROWS);
  const alch_node *first = insert.rows ? alch_node_nth(insert.rows, 0) : NULL;
  if (first && alch_node_is_query(first)) insert.query = first;
  return insert;
}

static void render_target(alch_compiler *compiler, const alch_insertion *insert) {
  alch_write(compiler, " INTO ");
  alch_render_table_name(compiler, insert->table);
  alch_render_source_hints(compiler, insert->table->id, false);
}

static void render_rows_clause(alch_compiler *compiler, const alch_insertion *insert) {
  if (insert->query) {
    alch_write_char(compiler, ' ');
    alch_render_insert_query(compiler, insert);
  }
  else if (insert->pick_count == 0) render_default_values(compiler, insert);
  else render_rows(compiler, insert);
  /* What stands behind ON CONFLICT sees the row that is there already. */
  alch_ids_add(compiler, &compiler->scope->sources, insert->table->id);
}

static void render_insert_clause(alch_compiler *compiler, const alch_insertion *insert, uint8_t kind) {
  const alch_node *clause = alch_node_clause(insert->statement, kind);
  switch (kind) {
    case ALCH_NODE_TABLE: render_target(compiler, insert); break;
    case ALCH_NODE_INTO: write_column_list(compiler, insert); break;
    case ALCH_NODE_ROWS: render_rows_clause(compiler, insert); break;
    default:
      if (clause) alch_render(compiler, clause);
  }
}

static void note_insert(alch_compiler *compiler, const alch_insertion *insert) {
  bool one_row = !insert->query && (!insert->rows || alch_node_child_count(insert->rows) <= 1);
  if (alch_is_whole(compiler->scope)) compiler->compiled->bulk_insert = one_row && !alch_node_clause(insert->statement, ALCH_NODE_RETURNING);
}

static void render_insert(alch_compiler *compiler, const alch_insertion *insert) {
  static const uint8_t order[] = { ALCH_NODE_PREFIXES, ALCH_NODE_TABLE, ALCH_NODE_INTO, ALCH_NODE_ROWS, ALCH_NODE_ON_CONFLICT, ALCH_NODE_ON_DUPLICATE_KEY, ALCH_NODE_RETURNING, 0 };
  const uint8_t *kind = compiler->dialect->insert_clauses ? compiler->dialect->insert_clauses : order;
  alch_write(compiler, "INSERT");
  for (; *kind && compiler->status == ALCH_OK; kind++) render_insert_clause(compiler, insert, *kind);
}

alch_status alch_default_insert(alch_compiler *compiler, const alch_node *node) {
  alch_scope scope;
  alch_insertion insert = read_insert(compiler, node);
  if (!insert.table || !check_into(compiler, &insert)) return compiler->status;
  pick_columns(compiler, &insert);
  if (compiler->status != ALCH_OK) return compiler->status;
  alch_open_writing(compiler, &scope, node);
  scope.insertion = &insert;
  const alch_node *conflict = alch_node_clause(node, ALCH_NODE_ON_CONFLICT);
  if (conflict && (conflict->op & ALCH_CONFLICT_PORTABLE) && alch_can(compiler, ALCH_CAPABILITY_MERGE)) alch_render_merge(compiler, &insert, conflict);
  else render_insert(compiler, &insert);
  note_insert(compiler, &insert);
  compiler->scope = scope.outer;
  return compiler->status;
}

/* ---- ON CONFLICT ---- */

static void render_target_columns(alch_compiler *compiler, const alch_node *targets) {
  const char *separator = " (";
  for ALCH_EACH_CHILD(child, targets) {
    if (child->kind == ALCH_NODE_WHERE) continue;
    alch_write(compiler, separator);
    alch_render(compiler, child);
    separator = ", ";
  }
  if (separator[0] == ',') alch_write_char(compiler, ')');
}

static void render_targets(alch_compiler *compiler, const alch_node *targets) {
  const alch_node *first = alch_node_nth(targets, 0), *where = alch_node_clause(targets, ALCH_NODE_WHERE);
  bool unqualified = compiler->unqualified;
  if (first && first->kind == ALCH_NODE_LITERAL) {
    const char *name = alch_arena_text(&compiler->scratch, alch_node_text(first), first->length);
    alch_write(compiler, " ON CONSTRAINT ");
    if (name) alch_write_identifier(compiler, name);
    else alch_no_memory(compiler);
    return;
  }
  compiler->unqualified = true;
  render_target_columns(compiler, targets);
  if (where) alch_render(compiler, where);
  compiler->unqualified = unqualified;
}

alch_status alch_default_on_conflict(alch_compiler *compiler, const alch_node *node) {
  const alch_node *targets = alch_node_clause(node, ALCH_NODE_TARGETS), *where = alch_node_clause(node, ALCH_NODE_WHERE);
  bool portable = node->op & ALCH_CONFLICT_PORTABLE, updates = portable ? alch_upsert_updates(compiler, node) : node->op == ALCH_CONFLICT_UPDATE;
  if (!alch_require(compiler, ALCH_CAPABILITY_ON_CONFLICT, portable ? "an upsert" : "INSERT with ON CONFLICT")) return compiler->status;
  alch_write(compiler, " ON CONFLICT");
  if (targets) render_targets(compiler, targets);
  alch_write(compiler, updates ? " DO UPDATE" : " DO NOTHING");
  if (!updates) return compiler->status;
  if (!portable && !alch_node_clause(node, ALCH_NODE_SET)) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "ON CONFLICT DO UPDATE sets no column");
  alch_render_upsert_set(compiler, node, " SET ", " = ");
  if (where) alch_render(compiler, where);
  return compiler->status;
}
