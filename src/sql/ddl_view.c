/* Views, and tables made of a query. */
#include "sql/ddl_part.h"

alch_status alch_ddl_view_suffix(alch_ddl *d) {
  (void)d;
  return ALCH_OK;
}

static alch_status check_view(alch_ddl *d) {
  const alch_view *view = d->table->view;
  if (view->or_replace && !alch_ddl_can(d, ALCH_CAPABILITY_REPLACE_VIEWS)) return alch_ddl_unsupported(d, "CREATE OR REPLACE VIEW", "drop the view first");
  if (view->materialized && !alch_ddl_can(d, ALCH_CAPABILITY_MATERIALIZED_VIEWS)) return alch_ddl_unsupported(d, "materialized views", "write CreateTableAs for a copy of the rows");
  return ALCH_OK;
}

/* name [suffix] AS query */
static alch_status of_query(alch_ddl *d, alch_ddl_part statement) {
  bool asked = d->if_exists;
  d->if_exists = asked || d->table->view->if_not_exists || alch_ddl_option_truth(d, &d->table->options, "if_not_exists") == 1;
  alch_status status = alch_ddl_if_exists(d, statement, "IF NOT EXISTS ");
  alch_ddl_table_name(d, d->table, true);
  if (status == ALCH_OK) status = alch_ddl_write(d, ALCH_DDL_PART_VIEW_SUFFIX);
  alch_ddl_add(d, " AS ");
  return status == ALCH_OK ? alch_ddl_query(d, d->table->view->query) : status;
}

alch_status alch_ddl_create_view(alch_ddl *d) {
  const alch_view *view = d->table->view;
  alch_status status = check_view(d);
  if (status != ALCH_OK) return status;
  alch_ddl_add(d, "CREATE ");
  if (view->or_replace) alch_ddl_add(d, "OR REPLACE ");
  if (view->temporary) alch_ddl_add(d, "TEMPORARY ");
  alch_ddl_add(d, view->materialized ? "MATERIALIZED VIEW " : "VIEW ");
  return of_query(d, ALCH_DDL_PART_CREATE_VIEW);
}

alch_status alch_ddl_create_table_as(alch_ddl *d) {
  alch_ddl_add(d, d->table->view->temporary ? "CREATE TEMPORARY TABLE " : "CREATE TABLE ");
  return of_query(d, ALCH_DDL_PART_CREATE_TABLE_AS);
}

alch_status alch_ddl_drop_view(alch_ddl *d) {
  bool materialized = d->table->view && d->table->view->materialized;
  if (materialized && !alch_ddl_can(d, ALCH_CAPABILITY_MATERIALIZED_VIEWS)) return alch_ddl_unsupported(d, "materialized views", NULL);
  alch_ddl_add(d, materialized ? "DROP MATERIALIZED VIEW " : "DROP VIEW ");
  alch_status status = alch_ddl_if_exists(d, ALCH_DDL_PART_DROP_VIEW, "IF EXISTS ");
  alch_ddl_table_name(d, d->table, true);
  return status;
}
