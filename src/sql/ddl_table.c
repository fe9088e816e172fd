/* CREATE TABLE and DROP TABLE. */
#include "sql/ddl_part.h"
#include <string.h>

/* An error in a part of a table says where. */
static alch_status in_column(const alch_ddl *d, const alch_column *column) {
  alch_buffer message;
  alch_error_kind kind = d->error ? d->error->kind : ALCH_ERROR_COMPILE;
  if (!d->error || kind == ALCH_ERROR_OUT_OF_MEMORY) return ALCH_ERROR;
  alch_buffer_init(&message, d->out->allocator);
  alch_buffer_add_format(&message, "(in table '%s', column '%s'): %s", column->table->full_name, column->name, alch_error_message(d->error));
  if (alch_buffer_failed(&message)) alch_error_out_of_memory(d->error);
  else alch_error_set(d->error, kind, "%s", alch_buffer_text(&message));
  alch_buffer_close(&message);
  alch_error_attach(d->error, ALCH_ERROR_TABLE_NAME, column->table->full_name, SIZE_MAX);
  alch_error_attach(d->error, ALCH_ERROR_COLUMN_NAME, column->name, SIZE_MAX);
  return ALCH_ERROR;
}

static bool is_column_check(const alch_ddl *d, const alch_constraint *constraint) {
  if (constraint->name && alch_dialect_can(d->dialect, ALCH_CAPABILITY_NAMELESS_COLUMN_CHECKS)) return false;
  return constraint->kind == ALCH_CONSTRAINT_CHECK && constraint->of_column && !constraint->of_type && constraint->column_count == 1;
}

/* With the checks that were written in it. */
static alch_status whole_column(alch_ddl *d, const alch_column *column) {
  d->column = column;
  alch_status status = alch_ddl_write(d, ALCH_DDL_PART_COLUMN);
  for (const alch_constraint *constraint = column->table->constraints; constraint && status == ALCH_OK; constraint = constraint->next) {
    bool wanted = is_column_check(d, constraint) && constraint->columns[0] == column;
    if (wanted) status = alch_ddl_wanted(d->catalog, d->dialect, &constraint->condition, constraint, &wanted, d->error);
    if (!wanted || status != ALCH_OK) continue;
    alch_buffer_add_char(d->out, ' ');
    d->constraint = constraint;
    status = alch_ddl_constraint(d);
  }
  return status == ALCH_ERROR ? in_column(d, column) : status;
}

alch_status alch_compile_column(const alch_dialect *dialect, const alch_column *column, bool *is_key, alch_buffer *out, alch_error *error) {
  alch_ddl d = { .dialect = dialect, .catalog = column->table->metadata->catalog, .out = out, .error = error, .table = column->table };
  *is_key = false;
  for (alch_constraint *constraint = column->table->constraints; constraint; constraint = constraint->next)
    if (alch_foreign_key_resolve(constraint, error) != ALCH_OK) return ALCH_ERROR;
  alch_status status = whole_column(&d, column);
  *is_key = d.key_is_written;
  return status == ALCH_OK ? alch_ddl_done(&d) : status;
}

/* ---- which constraints ---- */

static bool is_omitted(const alch_ddl *d, const alch_constraint *constraint) {
  for (uint32_t i = 0; i < d->omitted_count; i++)
    if (d->omitted[i] == constraint) return true;
  return constraint->use_alter && alch_ddl_can(d, ALCH_CAPABILITY_ALTER_CONSTRAINT);
}

static bool same_schema(const alch_table *left, const alch_table *right) {
  return left->schema && right->schema ? strcmp(left->schema, right->schema) == 0 : left->schema == right->schema;
}

/* What the database has a type for needs no check, and what it cannot say is left out, as SQLAlchemy does. */
static bool is_wanted(const alch_ddl *d, const alch_constraint *constraint) {
  if (is_omitted(d, constraint) || is_column_check(d, constraint)) return false;
  if (constraint->kind == ALCH_CONSTRAINT_FOREIGN_KEY)
    return alch_ddl_can(d, ALCH_CAPABILITY_CROSS_SCHEMA_KEYS) || same_schema(constraint->table, constraint->referred[0]->table);
  if (!constraint->of_type) return true;
  const alch_type *type = alch_catalog_type(d->catalog, constraint->columns[0]->type);
  if (type->family == ALCH_TYPE_BOOLEAN) return !alch_ddl_can(d, ALCH_CAPABILITY_NATIVE_BOOLEAN) && !alch_ddl_can(d, ALCH_CAPABILITY_BIT_BOOLEAN);
  return type->item_count > 0 && !(type->native && alch_ddl_can(d, ALCH_CAPABILITY_NATIVE_ENUM));
}

static bool is_of_column(const alch_constraint *constraint) {
  return constraint->of_column || constraint->of_type;
}

/* ---- the list ---- */

static void start_line(const alch_ddl *d, bool *first) {
  alch_buffer_add(d->out, *first ? "\n\t" : ", \n\t");
  *first = false;
}

static alch_status constraint_line(alch_ddl *d, const alch_constraint *constraint, bool *first) {
  bool wanted = true;
  if (constraint->isolated) return ALCH_OK;
  alch_status status = alch_ddl_wanted(d->catalog, d->dialect, &constraint->condition, constraint, &wanted, d->error);
  if (!wanted || status != ALCH_OK) return status;
  start_line(d, first);
  d->constraint = constraint;
  return alch_ddl_constraint(d);
}

/* Those of the table come before those of its columns: in SQLAlchemy they are made first. */
static alch_status table_constraints(alch_ddl *d, const alch_table *table, bool *first) {
  alch_status status = ALCH_OK;
  if (table->primary_key->column_count > 0 && !d->key_is_written) status = constraint_line(d, table->primary_key, first);
  for (int of_column = 0; of_column <= 1; of_column++)
    for (const alch_constraint *constraint = table->constraints; constraint && status == ALCH_OK; constraint = constraint->next)
      if (is_of_column(constraint) == of_column && is_wanted(d, constraint)) status = constraint_line(d, constraint, first);
  return status;
}

static alch_status table_columns(alch_ddl *d, const alch_table *table, bool *first) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < table->column_count && status == ALCH_OK; i++) {
    start_line(d, first);
    status = whole_column(d, table->columns[i]);
  }
  return status;
}

alch_status alch_ddl_table_words(alch_ddl *d) {
  for (uint32_t i = 0; i < d->table->prefix_count; i++) {
    alch_ddl_add(d, d->table->prefixes[i]);
    alch_buffer_add_char(d->out, ' ');
  }
  return ALCH_OK;
}

alch_status alch_ddl_table_suffix(alch_ddl *d) {
  (void)d;
  return ALCH_OK;
}

alch_status alch_ddl_attach_table(alch_ddl *d) { return alch_ddl_unsupported(d, "tables that are attached to others", NULL); }
alch_status alch_ddl_detach_table(alch_ddl *d) { return alch_ddl_unsupported(d, "tables that are detached from others", NULL); }

alch_status alch_ddl_create_table(alch_ddl *d) {
  bool first = true;
  alch_ddl_add(d, "CREATE ");
  alch_status status = alch_ddl_write(d, ALCH_DDL_PART_TABLE_WORDS);
  alch_ddl_add(d, "TABLE ");
  if (status == ALCH_OK) status = alch_ddl_if_exists(d, ALCH_DDL_PART_CREATE_TABLE, "IF NOT EXISTS ");
  alch_ddl_table_name(d, d->table, true);
  alch_ddl_add(d, " (");
  if (status == ALCH_OK) status = table_columns(d, d->table, &first);
  if (status == ALCH_OK) status = table_constraints(d, d->table, &first);
  alch_ddl_add(d, "\n)");
  return status == ALCH_OK ? alch_ddl_write(d, ALCH_DDL_PART_TABLE_SUFFIX) : status;
}

alch_status alch_ddl_drop_table(alch_ddl *d) {
  alch_ddl_add(d, "DROP TABLE ");
  alch_status status = alch_ddl_if_exists(d, ALCH_DDL_PART_DROP_TABLE, "IF EXISTS ");
  alch_ddl_table_name(d, d->table, true);
  return status;
}
