/* Comments in statements of their own. */
#include "sql/ddl_part.h"

static alch_status check_comments(alch_ddl *d) {
  if (alch_ddl_can(d, ALCH_CAPABILITY_COMMENTS)) return ALCH_OK;
  return alch_ddl_unsupported(d, "COMMENT ON", NULL);
}

static alch_status on_table(alch_ddl *d, const char *comment) {
  alch_status status = check_comments(d);
  alch_ddl_add(d, "COMMENT ON TABLE ");
  alch_ddl_table_name(d, d->table, true);
  alch_ddl_add(d, " IS ");
  return status == ALCH_OK ? alch_ddl_literal(d, comment) : status;
}

static alch_status on_column(alch_ddl *d, const char *comment) {
  alch_status status = check_comments(d);
  alch_ddl_add(d, "COMMENT ON COLUMN ");
  alch_ddl_table_name(d, d->column->table, true);
  alch_buffer_add_char(d->out, '.');
  alch_ddl_column_name(d, d->column);
  alch_ddl_add(d, " IS ");
  return status == ALCH_OK ? alch_ddl_literal(d, comment) : status;
}

static alch_status on_constraint(alch_ddl *d, const char *comment) {
  bool named;
  if (!alch_ddl_can(d, ALCH_CAPABILITY_CONSTRAINT_COMMENTS)) return alch_ddl_unsupported(d, "comments on constraints", NULL);
  alch_status status = alch_ddl_constraint_name(d, "COMMENT ON CONSTRAINT ", " ON ", &named);
  if (status == ALCH_OK && !named)
    return alch_error_set(d->error, ALCH_ERROR_COMPILE, "Can't emit COMMENT ON for a constraint of table '%s' that has no name; give it one, or the MetaData a naming_convention",
                          d->constraint->table->full_name);
  alch_ddl_table_name(d, d->constraint->table, true);
  alch_ddl_add(d, " IS ");
  return status == ALCH_OK ? alch_ddl_literal(d, comment) : status;
}

alch_status alch_ddl_table_comment(alch_ddl *d) { return on_table(d, d->table->comment); }
alch_status alch_ddl_no_table_comment(alch_ddl *d) { return on_table(d, NULL); }
alch_status alch_ddl_column_comment(alch_ddl *d) { return on_column(d, d->column->comment); }
alch_status alch_ddl_no_column_comment(alch_ddl *d) { return on_column(d, NULL); }
alch_status alch_ddl_constraint_comment(alch_ddl *d) { return on_constraint(d, d->constraint->comment); }
alch_status alch_ddl_no_constraint_comment(alch_ddl *d) { return on_constraint(d, NULL); }
