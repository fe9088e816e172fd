/* DDL on SQL Server (https://learn.microsoft.com/sql/t-sql/statements/create-table-transact-sql). */
#include "sql/ddl_part.h"
#include "sql/dialects/mssql.h"
#include <string.h>
#include <strings.h>

/* ---- reading text ---- */

/* Behind the quotes, brackets or parentheses that begin at `at`. */
static size_t passed(const char *sql, size_t length, size_t at) {
  char close = sql[at] == '\'' ? '\'' : sql[at] == '[' ? ']' : 0;
  size_t depth = 0;
  for (; at < length; at++) {
    if (close && depth++ > 0 && sql[at] == close) return at + 1;
    if (close) continue;
    if (sql[at] == '\'' || sql[at] == '[') {
      at = passed(sql, length, at) - 1;
      continue;
    }
    depth += sql[at] == '(';
    if (sql[at] == ')' && --depth == 0) return at + 1;
  }
  return length;
}

/* ---- columns ---- */

/* Does the database number the column? It then takes no DEFAULT. */
static bool is_identity(const alch_ddl *d) {
  const alch_column *column = d->column;
  const alch_default *given = &column->insert_default;
  bool counts = given->kind == ALCH_DEFAULT_SEQUENCE && alch_ddl_uses_sequence(d->dialect, given->sequence);
  if (column->computed) return false;
  return column->identity || (!counts && (alch_ddl_numbers_itself(d, column) || column->autoincrement == ALCH_AUTOINCREMENT_YES));
}

/* A computed column has the type of its expression. */
static alch_status column_type(alch_ddl *d) {
  return d->column->computed ? ALCH_OK : alch_ddl_write_default(d, ALCH_DDL_PART_COLUMN_TYPE);
}

static alch_status column_computed(alch_ddl *d) {
  if (!d->column->computed) return ALCH_OK;
  alch_ddl_add(d, " AS (");
  alch_status status = alch_ddl_value(d, d->column->computed);
  alch_buffer_add_char(d->out, ')');
  if (d->column->computed_persisted == 1) alch_ddl_add(d, " PERSISTED");
  return status;
}

/* NULL is written as well, since what is meant without it depends on the session. */
static alch_status column_not_null(alch_ddl *d) {
  const alch_column *column = d->column;
  bool not_null = !column->nullable || column->primary_key || is_identity(d) || column->insert_default.kind == ALCH_DEFAULT_SEQUENCE;
  if (not_null && column->computed && column->computed_persisted != 1) return alch_ddl_unsupported(d, "NOT NULL for a computed column that is not stored", "write persisted = true");
  if (not_null) alch_ddl_add(d, " NOT NULL");
  else if (!column->computed) alch_ddl_add(d, " NULL");
  return ALCH_OK;
}

static int64_t number_of(const alch_option *option) { return option && option->value.kind == ALCH_INTEGER ? option->value.integer : 1; }

/* The server counts from a number by a number; what else an Identity may say is passed over, as SQLAlchemy does. */
static alch_status column_identity(alch_ddl *d) {
  const alch_column *column = d->column;
  const alch_option *start = alch_ddl_option(d, &column->options, "identity_start"), *increment = alch_ddl_option(d, &column->options, "identity_increment");
  int64_t numbers[] = { number_of(start), number_of(increment) };
  bool given = start || increment;
  if (!is_identity(d)) return ALCH_OK;
  if (column->identity) {
    const alch_counting *counting = &column->identity->counting;
    bool starts = counting->given >> ALCH_COUNTING_START & 1, increments = counting->given >> ALCH_COUNTING_INCREMENT & 1;
    if (given) return alch_error_set(d->error, ALCH_ERROR_COMPILE, "an Identity and the options mssql_identity_start and mssql_identity_increment say the same; write one of them");
    numbers[0] = starts ? counting->numbers[ALCH_COUNTING_START] : 1;
    numbers[1] = increments ? counting->numbers[ALCH_COUNTING_INCREMENT] : 1;
    given = starts || increments;
  }
  alch_ddl_add(d, " IDENTITY");
  if (given) alch_buffer_add_format(d->out, "(%lld,%lld)", (long long)numbers[0], (long long)numbers[1]);
  return ALCH_OK;
}


/* A sum and its kin: two operands with an operator between. */
static bool has_operator(const char *sql, size_t length) {
  for (size_t at = 0; at + 1 < length; at++) {
    if (strchr("'[(", sql[at])) at = passed(sql, length, at) - 1;
    else if (at > 0 && sql[at - 1] == ' ' && sql[at + 1] == ' ' && strchr("+-*/%&|^", sql[at])) return true;
  }
  return false;
}

static alch_status column_default(alch_ddl *d) {
  static const char word[] = " DEFAULT ";
  size_t start = d->out->length + sizeof word - 1;
  if (is_identity(d) || d->column->computed) return ALCH_OK;
  alch_status status = alch_ddl_write_default(d, ALCH_DDL_PART_COLUMN_DEFAULT);
  if (status != ALCH_OK || alch_buffer_failed(d->out) || d->out->length <= start || !has_operator(d->out->text + start, d->out->length - start)) return status;
  alch_buffer_insert(d->out, start, "(", 1);
  alch_buffer_add_char(d->out, ')');
  return ALCH_OK;
}

/* ---- keys and other constraints ---- */

static alch_status cluster_words(alch_ddl *d, const alch_options *options) {
  int clustered = alch_ddl_option_truth(d, options, "clustered");
  if (clustered >= 0) alch_ddl_add(d, clustered ? "CLUSTERED " : "NONCLUSTERED ");
  return ALCH_OK;
}

static alch_status key_words(alch_ddl *d) { return cluster_words(d, &d->constraint->options); }

static alch_status primary_key(alch_ddl *d) {
  alch_ddl_add(d, "PRIMARY KEY ");
  alch_status status = alch_ddl_write(d, ALCH_DDL_PART_KEY_WORDS);
  alch_ddl_columns(d, d->constraint->columns, d->constraint->column_count);
  return status;
}

static alch_status foreign_match(alch_ddl *d) {
  return d->constraint->match ? alch_ddl_unsupported(d, "MATCH of a foreign key", "leave it out") : ALCH_OK;
}

/* Keys are checked at the end of each statement and no sooner, so RESTRICT is no more than NO ACTION. */
static alch_status foreign_action(alch_ddl *d, const char *words, const char *action, alch_ddl_part part) {
  if (!action || strcasecmp(action, "RESTRICT") != 0) return alch_ddl_write_default(d, part);
  alch_ddl_add(d, words);
  return ALCH_OK;
}

static alch_status foreign_delete(alch_ddl *d) { return foreign_action(d, " ON DELETE NO ACTION", d->constraint->ondelete, ALCH_DDL_PART_FOREIGN_DELETE); }
static alch_status foreign_update(alch_ddl *d) { return foreign_action(d, " ON UPDATE NO ACTION", d->constraint->onupdate, ALCH_DDL_PART_FOREIGN_UPDATE); }

static alch_status deferrability(alch_ddl *d) {
  bool deferred = d->constraint->initially && strcasecmp(d->constraint->initially, "DEFERRED") == 0;
  return d->constraint->deferrable == 1 || deferred ? alch_ddl_unsupported(d, "DEFERRABLE constraint", "leave deferrable and initially out") : ALCH_OK;
}

static alch_status drop_constraint(alch_ddl *d) {
  if (d->cascade) return alch_ddl_unsupported(d, "DROP CONSTRAINT with CASCADE", "drop the foreign keys first");
  return alch_ddl_write_default(d, ALCH_DDL_PART_DROP_CONSTRAINT);
}

/* ---- indexes ---- */

static bool is_columnstore(const alch_ddl *d) { return alch_ddl_option_truth(d, &d->index->options, "columnstore") == 1; }

static alch_status index_words(alch_ddl *d) {
  if (is_columnstore(d) && !alch_mssql_since(d->dialect, ALCH_MSSQL_2012)) return alch_ddl_unsupported(d, "columnstore indexes before SQL Server 2012", "leave mssql_columnstore out");
  cluster_words(d, &d->index->options);
  if (is_columnstore(d)) alch_ddl_add(d, "COLUMNSTORE ");
  return ALCH_OK;
}

/* A column with DESC is no expression. */
static alch_status index_place(alch_ddl *d) {
  const alch_index *index = d->index;
  const alch_node *root = index->columns[d->place] ? NULL : alch_block_root(index->expressions[d->place]);
  bool ordered = root && root->kind == ALCH_NODE_UNARY && (root->op == ALCH_OPERATOR_DESC || root->op == ALCH_OPERATOR_ASC) && alch_node_child(root)->kind == ALCH_NODE_COLUMN;
  return ordered ? alch_ddl_expression(d, index->expressions[d->place]) : alch_ddl_write_default(d, ALCH_DDL_PART_INDEX_PLACE);
}

static alch_status index_suffix(alch_ddl *d) {
  return alch_ddl_named_columns(d, " INCLUDE ", d->index->table, alch_ddl_option(d, &d->index->options, "include"));
}

static alch_status drop_index(alch_ddl *d) {
  alch_ddl_add(d, "DROP INDEX ");
  alch_status status = alch_ddl_if_exists(d, ALCH_DDL_PART_DROP_INDEX, "IF EXISTS ");
  if (status == ALCH_OK) status = alch_ddl_index_name(d, false);
  alch_ddl_add(d, " ON ");
  alch_ddl_table_name(d, d->index->table, true);
  return status;
}

/* ---- views, and tables of a query ---- */

static alch_status create_view(alch_ddl *d) {
  const alch_view *view = d->table->view;
  if (view->temporary) return alch_ddl_unsupported(d, "temporary views", "write a CTE, or a table whose name begins with #");
  if (!view->or_replace || view->materialized) return alch_ddl_write_default(d, ALCH_DDL_PART_CREATE_VIEW);
  if (!alch_mssql_since(d->dialect, ALCH_MSSQL_2016)) return alch_ddl_unsupported(d, "CREATE OR ALTER VIEW before SQL Server 2016", "drop the view first");
  if (view->if_not_exists) return alch_ddl_unsupported(d, "CREATE VIEW IF NOT EXISTS", "look first whether it is there");
  alch_ddl_add(d, "CREATE OR ALTER VIEW ");
  alch_ddl_table_name(d, d->table, true);
  alch_ddl_add(d, " AS ");
  return alch_ddl_query(d, view->query);
}

/* Where the select list of the first SELECT ends. */
static size_t list_end(const char *sql, size_t length) {
  static const char *const words[] = { " FROM ", " WHERE ", " UNION ", " INTERSECT ", " EXCEPT ", " ORDER BY " };
  for (size_t at = 0; at < length; at++) {
    if (strchr("'[(", sql[at])) at = passed(sql, length, at) - 1;
    for (size_t i = 0; i < ALCH_COUNT(words); i++)
      if (length - at > strlen(words[i]) && memcmp(sql + at, words[i], strlen(words[i])) == 0) return at;
  }
  return length;
}

/* SELECT … INTO. */
static alch_status create_table_as(alch_ddl *d) {
  const alch_view *view = d->table->view;
  alch_buffer name;
  if (view->temporary) return alch_ddl_unsupported(d, "CREATE TEMPORARY TABLE", "write a name that begins with #");
  if (view->if_not_exists || d->if_exists) return alch_ddl_unsupported(d, "IF NOT EXISTS for SELECT INTO", "look first whether the table is there");
  size_t start = d->out->length;
  alch_status status = alch_ddl_query(d, view->query);
  if (status != ALCH_OK || alch_buffer_failed(d->out)) return status;
  alch_buffer_init(&name, d->out->allocator);
  alch_buffer_add(&name, " INTO ");
  alch_quote_table(d->dialect, d->table, true, &name);
  alch_buffer_insert(d->out, start + list_end(d->out->text + start, d->out->length - start), alch_buffer_text(&name), name.length);
  if (alch_buffer_failed(&name)) status = alch_error_out_of_memory(d->error);
  alch_buffer_close(&name);
  return status;
}

/* ---- comments: properties of an object, which is named part by part ---- */

static alch_status add_comment(alch_ddl *d, const alch_table *table, const alch_column *column, const char *comment) {
  const alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_UNICODE);
  alch_status status = ALCH_OK;
  alch_ddl_add(d, comment ? "execute sp_addextendedproperty 'MS_Description', " : "execute sp_dropextendedproperty 'MS_Description', ");
  if (comment) {
    const alch_value value = alch_value_text(comment, strlen(comment));
    status = alch_render_literal(d->dialect, &type, &value, d->out, d->error);
    alch_ddl_add(d, ", ");
  }
  alch_ddl_add(d, "'schema', ");
  alch_quote_schema(d->dialect, table->schema ? table->schema : "dbo", d->out);
  alch_ddl_add(d, ", 'table', ");
  alch_ddl_table_name(d, table, false);
  if (!column) return status;
  alch_ddl_add(d, ", 'column', ");
  alch_ddl_column_name(d, column);
  return status;
}

static alch_status table_comment(alch_ddl *d) { return add_comment(d, d->table, NULL, d->table->comment); }
static alch_status no_table_comment(alch_ddl *d) { return add_comment(d, d->table, NULL, NULL); }
static alch_status column_comment(alch_ddl *d) { return add_comment(d, d->column->table, d->column, d->column->comment); }
static alch_status no_column_comment(alch_ddl *d) { return add_comment(d, d->column->table, d->column, NULL); }

/* ---- sequences, schemas ---- */

static alch_status sequence_type(alch_ddl *d) {
  if (d->sequence->data_type == 0) return ALCH_OK;
  alch_ddl_add(d, " AS ");
  return alch_type_write(d->dialect, alch_catalog_type(d->catalog, d->sequence->data_type), NULL, d->out, d->error);
}

static alch_status drop_schema(alch_ddl *d) {
  if (d->cascade) return alch_ddl_unsupported(d, "DROP SCHEMA with CASCADE", "drop what is in it first");
  return alch_ddl_write_default(d, ALCH_DDL_PART_DROP_SCHEMA);
}

const struct alch_ddl_override alch_mssql_ddl_parts[] = {
  { ALCH_DDL_PART_COLUMN_TYPE, column_type },
  { ALCH_DDL_PART_COLUMN_COMPUTED, column_computed },
  { ALCH_DDL_PART_COLUMN_NOT_NULL, column_not_null },
  { ALCH_DDL_PART_COLUMN_IDENTITY, column_identity },
  { ALCH_DDL_PART_COLUMN_DEFAULT, column_default },
  { ALCH_DDL_PART_KEY_WORDS, key_words },
  { ALCH_DDL_PART_PRIMARY_KEY, primary_key },
  { ALCH_DDL_PART_FOREIGN_MATCH, foreign_match },
  { ALCH_DDL_PART_FOREIGN_DELETE, foreign_delete },
  { ALCH_DDL_PART_FOREIGN_UPDATE, foreign_update },
  { ALCH_DDL_PART_DEFERRABILITY, deferrability },
  { ALCH_DDL_PART_DROP_CONSTRAINT, drop_constraint },
  { ALCH_DDL_PART_INDEX_WORDS, index_words },
  { ALCH_DDL_PART_INDEX_PLACE, index_place },
  { ALCH_DDL_PART_INDEX_SUFFIX, index_suffix },
  { ALCH_DDL_PART_DROP_INDEX, drop_index },
  { ALCH_DDL_PART_CREATE_VIEW, create_view },
  { ALCH_DDL_PART_CREATE_TABLE_AS, create_table_as },
  { ALCH_DDL_PART_SET_TABLE_COMMENT, table_comment },
  { ALCH_DDL_PART_DROP_TABLE_COMMENT, no_table_comment },
  { ALCH_DDL_PART_SET_COLUMN_COMMENT, column_comment },
  { ALCH_DDL_PART_DROP_COLUMN_COMMENT, no_column_comment },
  { ALCH_DDL_PART_SEQUENCE_TYPE, sequence_type },
  { ALCH_DDL_PART_DROP_SCHEMA, drop_schema },
  { 0, NULL },
};
