/* What creating or dropping a whole metadata comes to, statement by statement. */
#include "sql/ddl.h"
#include "base/memory.h"

/* One plan in the making. */
typedef struct planner {
  alch_ddl_plan *plan;
  const alch_dialect *dialect;
  alch_metadata *metadata;
  uint8_t action;
  const bool *chosen;
  bool has_parts;            /* some table is a part of another */
  alch_error *error;
} planner;

static alch_status add(const planner *p, alch_ddl_statement statement) {
  alch_ddl_plan *plan = p->plan;
  alch_ddl_statement *statements = alch_grow(plan->allocator, plan->statements, &plan->capacity, plan->count + 1, sizeof *statements);
  if (!statements) return alch_error_out_of_memory(p->error);
  plan->statements = statements;
  statement.action = p->action;
  statements[plan->count++] = statement;
  return ALCH_OK;
}

static alch_status wanted(const planner *p, const alch_condition *condition, const void *thing, bool *out) {
  return alch_ddl_wanted(p->metadata->catalog, p->dialect, condition, thing, out, p->error);
}

/* ---- sequences and types ---- */

/* Is it the default of a column of a chosen table? */
static bool is_needed(const planner *p, const alch_sequence *sequence) {
  for (uint32_t i = 0; i < p->plan->table_count; i++)
    for (uint32_t c = 0; (!p->chosen || p->chosen[i]) && c < p->plan->tables[i]->column_count; c++)
      if (p->plan->tables[i]->columns[c]->insert_default.kind == ALCH_DEFAULT_SEQUENCE && p->plan->tables[i]->columns[c]->insert_default.sequence == sequence) return true;
  return false;
}

static alch_status add_sequences(const planner *p, bool everything) {
  alch_status status = ALCH_OK;
  for (const alch_sequence *sequence = p->metadata->sequences; sequence && status == ALCH_OK; sequence = sequence->next) {
    bool is_wanted = alch_ddl_uses_sequence(p->dialect, sequence) && (everything || is_needed(p, sequence));
    if (is_wanted) status = wanted(p, &sequence->condition, sequence, &is_wanted);
    if (is_wanted && status == ALCH_OK) status = add(p, (alch_ddl_statement){ .kind = ALCH_DDL_SEQUENCE, .sequence = sequence });
  }
  return status;
}

static bool has_type(const alch_ddl_plan *plan, const alch_type *type) {
  for (uint32_t i = 0; i < plan->count; i++)
    if (plan->statements[i].kind == ALCH_DDL_TYPE && plan->statements[i].type == type) return true;
  return false;
}

/* Each type once, however many columns are of it. */
static alch_status add_types(const planner *p) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < p->plan->table_count; i++) {
    const alch_table *table = p->plan->tables[i];
    if (table->view || (p->chosen && !p->chosen[i])) continue;
    for (uint32_t c = 0; c < table->column_count && status == ALCH_OK; c++) {
      const alch_type *type = alch_catalog_type(p->metadata->catalog, table->columns[c]->type);
      if (type->family == ALCH_TYPE_ARRAY && type->item) type = type->item;
      if (p->dialect->names_type && p->dialect->names_type(type) && !has_type(p->plan, type)) status = add(p, (alch_ddl_statement){ .kind = ALCH_DDL_TYPE, .type = type });
    }
  }
  return status;
}

/* ---- tables ---- */

/* A comment that stands in CREATE TABLE, or that the database cannot keep, needs no statement. */
static alch_status add_comments(const planner *p, const alch_table *table) {
  alch_status status = ALCH_OK;
  if (!alch_dialect_can(p->dialect, ALCH_CAPABILITY_COMMENTS) || alch_dialect_can(p->dialect, ALCH_CAPABILITY_INLINE_COMMENTS)) return ALCH_OK;
  if (table->comment) status = add(p, (alch_ddl_statement){ .kind = ALCH_DDL_TABLE_COMMENT, .table = table });
  for (uint32_t i = 0; i < table->column_count && status == ALCH_OK; i++)
    if (table->columns[i]->comment) status = add(p, (alch_ddl_statement){ .kind = ALCH_DDL_COLUMN_COMMENT, .column = table->columns[i] });
  if (!alch_dialect_can(p->dialect, ALCH_CAPABILITY_CONSTRAINT_COMMENTS)) return status;
  if (table->primary_key->comment && status == ALCH_OK) status = add(p, (alch_ddl_statement){ .kind = ALCH_DDL_CONSTRAINT_COMMENT, .constraint = table->primary_key });
  for (const alch_constraint *constraint = table->constraints; constraint && status == ALCH_OK; constraint = constraint->next)
    if (constraint->comment) status = add(p, (alch_ddl_statement){ .kind = ALCH_DDL_CONSTRAINT_COMMENT, .constraint = constraint });
  return status;
}

static alch_status add_indexes(const planner *p, const alch_table *table) {
  alch_status status = ALCH_OK;
  for (const alch_index *index = table->indexes; index && status == ALCH_OK; index = index->next) {
    bool is_wanted = true;
    status = wanted(p, &index->condition, index, &is_wanted);
    if (is_wanted && status == ALCH_OK) status = add(p, (alch_ddl_statement){ .kind = ALCH_DDL_INDEX, .index = index });
  }
  return status;
}

static bool is_part(const planner *p, const alch_table *table) { return p->dialect->part_of && p->dialect->part_of(table); }

static bool cycles_stand_alone(const planner *p) {
  return alch_dialect_can(p->dialect, ALCH_CAPABILITY_ALTER_CONSTRAINT) && !alch_dialect_can(p->dialect, ALCH_CAPABILITY_INLINE_CYCLES);
}

static alch_status add_table(const planner *p, uint32_t place, bool if_exists) {
  const alch_table *table = p->plan->tables[place];
  if (p->chosen && !p->chosen[place]) return ALCH_OK;
  alch_ddl_statement statement = { .kind = ALCH_DDL_TABLE, .table = table, .if_exists = if_exists };
  if (p->action == ALCH_DDL_CREATE && cycles_stand_alone(p)) {
    statement.omitted = (const alch_constraint *const *)p->plan->cycle;
    statement.omitted_count = p->plan->cycle_count;
  }
  alch_status status = add(p, statement);
  if (p->action == ALCH_DDL_DROP) return status;
  if (status == ALCH_OK) status = add_indexes(p, table);
  if (status == ALCH_OK && is_part(p, table)) status = add(p, (alch_ddl_statement){ .kind = ALCH_DDL_ATTACHMENT, .table = table });
  return status == ALCH_OK ? add_comments(p, table) : status;
}

static bool is_chosen(const planner *p, const alch_table *table) {
  for (uint32_t i = 0; p->chosen && i < p->plan->table_count; i++)
    if (p->plan->tables[i] == table) return p->chosen[i];
  return p->chosen == NULL;
}

/* The table that this one is a part of, where that is dropped as well. */
static const alch_table *whole_of(const planner *p, const alch_table *table) {
  const alch_table *whole = is_part(p, table) ? alch_metadata_table(p->metadata, p->dialect->part_of(table)) : NULL;
  return whole && whole != table && is_chosen(p, whole) ? whole : NULL;
}

/* Behind a table its parts, which go with it; on their own they could not while somebody refers to the whole. */
static alch_status add_drop(const planner *p, uint32_t place, bool if_exists) {
  const alch_table *table = p->plan->tables[place];
  alch_status status = add_table(p, place, if_exists);
  for (uint32_t i = p->plan->table_count; i > 0 && p->has_parts && status == ALCH_OK; i--)
    if (whole_of(p, p->plan->tables[i - 1]) == table) status = add_drop(p, i - 1, true);
  return status;
}

static alch_status add_drops(planner *p) {
  uint32_t count = p->plan->table_count;
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < count; i++) p->has_parts = p->has_parts || is_part(p, p->plan->tables[i]);
  for (uint32_t i = count; i > 0 && status == ALCH_OK; i--)
    if (!p->has_parts || !whole_of(p, p->plan->tables[i - 1])) status = add_drop(p, i - 1, false);
  return status;
}

static alch_status add_cycle(const planner *p) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < p->plan->cycle_count && cycles_stand_alone(p) && status == ALCH_OK; i++) {
    bool is_wanted = is_chosen(p, p->plan->cycle[i]->table);
    if (is_wanted) status = wanted(p, &p->plan->cycle[i]->condition, p->plan->cycle[i], &is_wanted);
    if (is_wanted && status == ALCH_OK) status = add(p, (alch_ddl_statement){ .kind = ALCH_DDL_CONSTRAINT, .constraint = p->plan->cycle[i] });
  }
  return status;
}

static alch_status add_all(planner *p, bool everything) {
  bool create = p->action == ALCH_DDL_CREATE;
  alch_status status = ALCH_OK;
  if (create) status = add_types(p);
  if (create && status == ALCH_OK) status = add_sequences(p, everything);
  if (!create) status = add_cycle(p);
  if (!create && status == ALCH_OK) status = add_drops(p);
  for (uint32_t i = 0; create && i < p->plan->table_count && status == ALCH_OK; i++) status = add_table(p, i, false);
  if (create && status == ALCH_OK) status = add_cycle(p);
  if (!create && everything && status == ALCH_OK) status = add_sequences(p, true);
  if (!create && everything && status == ALCH_OK) status = add_types(p);
  return status;
}

alch_status alch_ddl_plan_make(alch_ddl_plan *plan, const alch_dialect *dialect, alch_metadata *metadata, alch_ddl_action action, const bool *chosen, bool everything, alch_error *error) {
  planner p = { .plan = plan, .dialect = dialect, .metadata = metadata, .action = (uint8_t)action, .chosen = chosen, .error = error };
  *plan = (alch_ddl_plan){ .allocator = metadata->catalog->allocator };
  alch_status status = alch_metadata_sorted(metadata, &plan->tables, &plan->table_count, &plan->cycle, &plan->cycle_count, error);
  return status == ALCH_OK ? add_all(&p, everything) : status;
}

void alch_ddl_plan_close(alch_ddl_plan *plan) {
  alch_free(plan->allocator, plan->statements, plan->capacity * sizeof *plan->statements);
  alch_free(plan->allocator, plan->tables, plan->table_count * sizeof *plan->tables);
  alch_free(plan->allocator, plan->cycle, plan->cycle_count * sizeof *plan->cycle);
}

const alch_table *alch_ddl_owner(const alch_ddl_statement *statement) {
  if (statement->index) return statement->index->table;
  if (statement->column) return statement->column->table;
  return statement->kind == ALCH_DDL_CONSTRAINT ? NULL : statement->constraint ? statement->constraint->table : statement->table;
}
