/* DDL that PostgreSQL writes in its own way (SQLAlchemy: PGDDLCompiler in dialects/postgresql/base.py). */
#include "sql/compiler.h"
#include "sql/ddl_part.h"
#include "sql/dialects/postgresql.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_SIZE = 64 };   /* of an identifier, with the zero byte (NAMEDATALEN) */

const struct alch_option_name alch_postgresql_options[] = {
  { ALCH_SCOPE_TABLE, "postgresql_ignore_search_path" }, { ALCH_SCOPE_TABLE, "postgresql_inherits" },   { ALCH_SCOPE_TABLE, "postgresql_partition_by" },
  { ALCH_SCOPE_TABLE, "postgresql_partition_of" },       { ALCH_SCOPE_TABLE, "postgresql_partition_bound" },
  { ALCH_SCOPE_TABLE, "postgresql_using" },              { ALCH_SCOPE_TABLE, "postgresql_with_oids" },  { ALCH_SCOPE_TABLE, "postgresql_on_commit" },
  { ALCH_SCOPE_TABLE, "postgresql_tablespace" },         { ALCH_SCOPE_TABLE | ALCH_SCOPE_INDEX | ALCH_SCOPE_VIEW, "postgresql_with" },
  { ALCH_SCOPE_INDEX, "postgresql_using" },              { ALCH_SCOPE_INDEX, "postgresql_where" },      { ALCH_SCOPE_INDEX, "postgresql_concurrently" },
  { ALCH_SCOPE_INDEX, "postgresql_tablespace" },         { ALCH_SCOPE_INDEX | ALCH_SCOPE_EXCLUDE, "postgresql_ops" },
  { ALCH_SCOPE_INDEX | ALCH_SCOPE_UNIQUE, "postgresql_nulls_not_distinct" },
  { ALCH_SCOPE_INDEX | ALCH_SCOPE_UNIQUE | ALCH_SCOPE_PRIMARY_KEY, "postgresql_include" },
  { ALCH_SCOPE_CHECK | ALCH_SCOPE_FOREIGN_KEY, "postgresql_not_valid" }, { ALCH_SCOPE_CHECK, "postgresql_no_inherit" },
  { 0, NULL },
};

/* ---- what several parts have ---- */

static void write_value(alch_ddl *d, const alch_value *value) {
  switch (value->kind) {
    case ALCH_BOOLEAN: alch_ddl_add(d, value->integer ? "true" : "false"); break;
    case ALCH_INTEGER: alch_buffer_add_integer(d->out, value->integer); break;
    case ALCH_REAL: alch_buffer_add_real(d->out, value->real); break;
    default: alch_buffer_add_bytes(d->out, value->text, value->length);
  }
}

/* WITH (fillfactor = 50): storage parameters, given as a table of them or as text. */
static void write_with(alch_ddl *d, const char *before, const alch_options *options) {
  const alch_option *with = alch_ddl_option(d, options, "with");
  if (!with || (with->kind != ALCH_OPTION_VALUE && with->count == 0)) return;
  alch_buffer_add_format(d->out, "%sWITH (", before);
  if (with->kind == ALCH_OPTION_VALUE) write_value(d, &with->value);
  for (uint32_t i = 0; i < with->count; i++) {
    if (i > 0) alch_ddl_add(d, ", ");
    if (with->items[i].name) alch_buffer_add_format(d->out, "%s = ", with->items[i].name);
    write_value(d, &with->items[i].value);
  }
  alch_buffer_add_char(d->out, ')');
}

static void write_tablespace(alch_ddl *d, const char *before, const alch_options *options) {
  const char *name = alch_ddl_option_text(d, options, "tablespace");
  if (!name) return;
  alch_buffer_add_format(d->out, "%sTABLESPACE ", before);
  alch_ddl_quote(d, name, 0);
}

static alch_status write_distinct_nulls(alch_ddl *d, const char *before, const char *after, const alch_options *options) {
  int equal = alch_ddl_option_truth(d, options, "nulls_not_distinct");
  if (equal < 0) return ALCH_OK;
  if (!alch_postgresql_since(d->dialect, 15)) return alch_ddl_unsupported(d, "NULLS NOT DISTINCT before PostgreSQL 15", "leave postgresql_nulls_not_distinct out");
  alch_buffer_add_format(d->out, "%sNULLS %sDISTINCT%s", before, equal ? "NOT " : "", after);
  return ALCH_OK;
}

/* A word in lower case, as SQLAlchemy has the names of index methods. */
static alch_status write_method(alch_ddl *d, const char *method) {
  size_t start = d->out->length;
  alch_status status = alch_ddl_word(d, method);
  for (size_t i = start; i < d->out->length; i++)
    if (d->out->text[i] >= 'A' && d->out->text[i] <= 'Z') d->out->text[i] = (char)(d->out->text[i] + ('a' - 'A'));
  return status;
}

/* ---- columns ---- */

/* The key that numbers itself; beside the key, a column that was told to, of which nothing else is known than that the database fills it in. */
static bool is_serial(const alch_ddl *d) {
  const alch_column *column = d->column;
  if (column->primary_key) return alch_ddl_numbers_itself(d, column);
  return column->autoincrement == ALCH_AUTOINCREMENT_YES && column->server_default.kind == ALCH_DEFAULT_FETCHED && !column->nullable;
}

/* SERIAL stands for the type and for a sequence as the default. */
static alch_status column_type(alch_ddl *d) {
  const alch_column *column = d->column;
  if (!is_serial(d)) return alch_ddl_write_default(d, ALCH_DDL_PART_COLUMN_TYPE);
  switch (alch_type_in(alch_catalog_type(d->catalog, column->type), d->dialect->name)->family) {
    case ALCH_TYPE_BIG_INTEGER: alch_ddl_add(d, " BIGSERIAL"); break;
    case ALCH_TYPE_SMALL_INTEGER: alch_ddl_add(d, " SMALLSERIAL"); break;
    default: alch_ddl_add(d, " SERIAL");
  }
  return ALCH_OK;
}

static alch_status column_computed(alch_ddl *d) {
  if (!d->column->computed || alch_postgresql_since(d->dialect, 18)) return alch_ddl_write_default(d, ALCH_DDL_PART_COLUMN_COMPUTED);
  if (d->column->computed_persisted == 0) return alch_ddl_unsupported(d, "virtual computed columns before PostgreSQL 18", "say persisted = true");
  alch_ddl_add(d, " GENERATED ALWAYS AS ");
  alch_status status = alch_ddl_parenthesised(d, d->column->computed);
  alch_ddl_add(d, " STORED");
  return status;
}

static alch_status column_not_null(alch_ddl *d) {
  if (d->column->identity && d->column->nullable && d->column->nullable_given)
    return alch_ddl_unsupported(d, "identity columns that may be NULL", "leave nullable = true out");
  return alch_ddl_write_default(d, ALCH_DDL_PART_COLUMN_NOT_NULL);
}

/* ---- tables ---- */

/* A table by its name, "schema.name" where it has one: as the metadata knows it, or each part of it on its own. */
static void write_table_named(alch_ddl *d, const char *name) {
  const alch_table *table = alch_metadata_table(d->table->metadata, name);
  const char *point = strrchr(name, '.');
  if (table) {
    alch_ddl_table_name(d, table, true);
    return;
  }
  if (point) {
    char schema[NAME_SIZE];
    snprintf(schema, sizeof schema, "%.*s", (int)(point - name), name);
    alch_ddl_quote(d, schema, 0);
    alch_ddl_add(d, ".");
  }
  alch_ddl_quote(d, point ? point + 1 : name, 0);
}

static void write_inherits(alch_ddl *d) {
  const alch_option *inherits = alch_ddl_option(d, &d->table->options, "inherits");
  const char *one = alch_option_text(inherits);
  if (!inherits) return;
  alch_ddl_add(d, "\n INHERITS (");
  if (one) write_table_named(d, one);
  for (uint32_t i = 0; i < inherits->count; i++) {
    if (i > 0) alch_ddl_add(d, ", ");
    if (inherits->items[i].value.kind == ALCH_TEXT) write_table_named(d, inherits->items[i].value.text);
  }
  alch_buffer_add_char(d->out, ')');
}

/* preserve_rows: ON COMMIT PRESERVE ROWS */
static void write_on_commit(alch_ddl *d) {
  const char *words = alch_ddl_option_text(d, &d->table->options, "on_commit");
  if (!words) return;
  alch_ddl_add(d, "\n ON COMMIT ");
  for (; *words; words++) alch_buffer_add_char(d->out, *words == '_' ? ' ' : *words >= 'a' && *words <= 'z' ? (char)(*words - ('a' - 'A')) : *words);
}

static alch_status table_suffix(alch_ddl *d) {
  const alch_options *options = &d->table->options;
  const char *partition = alch_ddl_option_text(d, options, "partition_by"), *method = alch_ddl_option_text(d, options, "using");
  int oids = alch_ddl_option_truth(d, options, "with_oids");
  write_inherits(d);
  if (partition) alch_buffer_add_format(d->out, "\n PARTITION BY %s", partition);
  if (method) alch_ddl_add(d, "\n USING ");
  if (method && alch_ddl_word(d, method) != ALCH_OK) return ALCH_ERROR;
  write_with(d, "\n ", options);
  if (oids == 1) return alch_ddl_unsupported(d, "tables WITH OIDS since PostgreSQL 12", "leave postgresql_with_oids out");
  /* It says what is so anyway, and the server takes one WITH only. */
  if (oids == 0 && !alch_ddl_option(d, options, "with")) alch_ddl_add(d, "\n WITHOUT OIDS");
  write_on_commit(d);
  write_tablespace(d, "\n ", options);
  return ALCH_OK;
}

/* ---- partitions: made as any table, with what they have of their own, and attached when their indexes are there: the server finds those that the whole has as well, and makes what is missing ---- */

const char *alch_postgresql_part_of(const alch_table *table) {
  const char *name = alch_option_text(alch_option_find(&table->options, "postgresql_partition_of"));
  return name || !alch_option_find(&table->options, "postgresql_partition_bound") ? name : "";   /* which is refused when it is written */
}

static alch_status write_partition(alch_ddl *d, const char *words, bool bound) {
  const char *whole = alch_ddl_option_text(d, &d->table->options, "partition_of"), *rows = alch_ddl_option_text(d, &d->table->options, "partition_bound");
  if (!whole || !rows)
    return alch_error_set(d->error, ALCH_ERROR_COMPILE, "table '%s' takes both postgresql_partition_of, the name of the table that it is a partition of, and postgresql_partition_bound, 'FOR VALUES …' or 'DEFAULT'",
                          d->table->name);
  alch_ddl_add(d, "ALTER TABLE ");
  write_table_named(d, whole);
  alch_buffer_add_format(d->out, " %s PARTITION ", words);
  alch_ddl_table_name(d, d->table, true);
  if (bound) alch_buffer_add_format(d->out, " %s", rows);
  return ALCH_OK;
}

static alch_status attach_table(alch_ddl *d) { return write_partition(d, "ATTACH", true); }
static alch_status detach_table(alch_ddl *d) { return write_partition(d, "DETACH", false); }

/* ---- constraints ---- */

static alch_status key_words(alch_ddl *d) {
  return d->constraint->kind == ALCH_CONSTRAINT_UNIQUE ? write_distinct_nulls(d, "", " ", &d->constraint->options) : ALCH_OK;
}

static alch_status key_suffix(alch_ddl *d) {
  return alch_ddl_named_columns(d, " INCLUDE ", d->constraint->table, alch_ddl_option(d, &d->constraint->options, "include"));
}

static alch_status foreign_match(alch_ddl *d) {
  if (d->constraint->match && strcasecmp(d->constraint->match, "PARTIAL") == 0) return alch_ddl_unsupported(d, "MATCH PARTIAL", "there are SIMPLE and FULL");
  return alch_ddl_write_default(d, ALCH_DDL_PART_FOREIGN_MATCH);
}

/* SET NULL (a, b) came with version 15. */
static alch_status foreign_delete(alch_ddl *d) {
  const char *action = d->constraint->ondelete;
  if (!action || !strchr(action, '(') || !alch_postgresql_since(d->dialect, 15)) return alch_ddl_write_default(d, ALCH_DDL_PART_FOREIGN_DELETE);
  alch_buffer_add_format(d->out, " ON DELETE %s", action);
  return ALCH_OK;
}

static alch_status deferrability(alch_ddl *d) {
  bool late = d->constraint->deferrable == 1 || (d->constraint->initially && strcasecmp(d->constraint->initially, "DEFERRED") == 0);
  if (d->constraint->kind == ALCH_CONSTRAINT_CHECK && late) return alch_ddl_unsupported(d, "CHECK constraints that are DEFERRABLE", "leave deferrable and initially out");
  return alch_ddl_write_default(d, ALCH_DDL_PART_DEFERRABILITY);
}

/* In a column's own line the server does not take NOT VALID. */
static alch_status constraint_suffix(alch_ddl *d) {
  const alch_constraint *constraint = d->constraint;
  bool in_column = constraint->kind == ALCH_CONSTRAINT_CHECK && constraint->of_column && !constraint->of_type && constraint->column_count == 1 && !d->standing_alone;
  if (alch_ddl_option_truth(d, &constraint->options, "no_inherit") == 1) alch_ddl_add(d, " NO INHERIT");
  if (alch_ddl_option_truth(d, &constraint->options, "not_valid") != 1) return ALCH_OK;
  if (in_column) return alch_ddl_unsupported(d, "NOT VALID in a column", "write the CheckConstraint into the table, beside its columns");
  alch_ddl_add(d, " NOT VALID");
  return ALCH_OK;
}

/* ---- indexes ---- */

static alch_status index_more_words(alch_ddl *d) {
  if (alch_ddl_option_truth(d, &d->index->options, "concurrently") == 1) alch_ddl_add(d, "CONCURRENTLY ");
  return ALCH_OK;
}

static alch_status index_method(alch_ddl *d) {
  const char *method = alch_ddl_option_text(d, &d->index->options, "using");
  if (!method) return ALCH_OK;
  alch_ddl_add(d, "USING ");
  alch_status status = write_method(d, method);
  alch_buffer_add_char(d->out, ' ');
  return status;
}

/* How many bytes of the text are its order, as in a DESC NULLS LAST; and what it orders. */
static size_t order_length(const alch_node **node) {
  size_t length = 0;
  while ((*node)->kind == ALCH_NODE_LABEL || alch_ddl_is_order(*node)) {
    if (alch_ddl_is_order(*node)) length += strlen(alch_operator_rows[(*node)->op].spelling);
    *node = alch_node_child(*node);
  }
  return length;
}

static alch_status index_place(alch_ddl *d) {
  const alch_index *index = d->index;
  const char *class = alch_ddl_operator_class(alch_ddl_option(d, &index->options, "ops"), index->columns[d->place], index->columns[d->place] ? NULL : index->expressions[d->place]);
  size_t start = d->out->length;
  alch_status status = alch_ddl_write_default(d, ALCH_DDL_PART_INDEX_PLACE);
  if (status != ALCH_OK || alch_buffer_failed(d->out)) return status;
  size_t order = 0;
  if (!index->columns[d->place]) {
    const alch_node *node = alch_block_root(index->expressions[d->place]);
    order = order_length(&node);
    if (!alch_ddl_is_atom(node)) {
      alch_buffer_insert(d->out, start, "(", 1);
      alch_buffer_insert(d->out, d->out->length - order, ")", 1);
    }
  }
  if (!class || alch_buffer_failed(d->out)) return ALCH_OK;
  size_t place = d->out->length - order;
  alch_buffer_insert(d->out, place, class, strlen(class));
  alch_buffer_insert(d->out, place, " ", 1);
  return ALCH_OK;
}

static alch_status index_suffix(alch_ddl *d) {
  const alch_index *index = d->index;
  alch_status status = alch_ddl_named_columns(d, " INCLUDE ", index->table, alch_ddl_option(d, &index->options, "include"));
  if (status == ALCH_OK) status = write_distinct_nulls(d, " ", "", &index->options);
  write_with(d, " ", &index->options);
  write_tablespace(d, " ", &index->options);
  return status;
}

/* ---- sequences and types ---- */

static alch_status sequence_type(alch_ddl *d) {
  if (d->sequence->data_type == 0) return ALCH_OK;
  alch_ddl_add(d, " AS ");
  return alch_type_write(d->dialect, alch_catalog_type(d->catalog, d->sequence->data_type), NULL, d->out, d->error);
}

static bool is_domain(const alch_type *type) { return type->exact && !type->exact->word && type->item; }

bool alch_postgresql_names_type(const alch_type *given) {
  const alch_type *type = alch_type_in(given, "postgresql");
  if (is_domain(type)) return true;
  return type->family == ALCH_TYPE_ENUM && type->native && type->item_count > 0 && (!type->exact || type->name);
}

static alch_status type_statement(alch_ddl *d, const char *words) {
  alch_ddl_add(d, words);
  return alch_postgresql_own_name(d->dialect, alch_type_in(d->type, d->dialect->name), d->out, d->error);
}

static alch_status create_domain(alch_ddl *d, const alch_type *type) {
  alch_status status = type_statement(d, "CREATE DOMAIN ");
  alch_ddl_add(d, " AS ");
  if (status == ALCH_OK) status = alch_type_write(d->dialect, type->item, NULL, d->out, d->error);
  if (type->collation) alch_ddl_add(d, " COLLATE ");
  if (type->collation) alch_ddl_quote(d, type->collation, 0);
  if (type->detail) alch_buffer_add_format(d->out, " %s", type->detail);
  return status;
}

static alch_status create_type(alch_ddl *d) {
  const alch_type *type = alch_type_in(d->type, d->dialect->name);
  if (is_domain(type)) return create_domain(d, type);
  alch_status status = type_statement(d, "CREATE TYPE ");
  alch_ddl_add(d, " AS ENUM (");
  for (uint32_t i = 0; i < type->item_count && status == ALCH_OK; i++) {
    if (i > 0) alch_ddl_add(d, ", ");
    status = alch_ddl_literal(d, type->items[i]);
  }
  alch_buffer_add_char(d->out, ')');
  return status;
}

static alch_status drop_type(alch_ddl *d) { return type_statement(d, is_domain(alch_type_in(d->type, d->dialect->name)) ? "DROP DOMAIN " : "DROP TYPE "); }

/* ---- views ---- */

static alch_status create_view(alch_ddl *d) {
  const alch_view *view = d->table->view;
  bool asked = d->if_exists || view->if_not_exists;
  if (view->materialized && view->or_replace) return alch_ddl_unsupported(d, "CREATE OR REPLACE MATERIALIZED VIEW", "drop the view first");
  if (view->materialized && view->temporary) return alch_ddl_unsupported(d, "temporary materialized views", "write CreateTableAs for a copy of the rows");
  if (asked && !view->materialized) return alch_ddl_unsupported(d, "CREATE VIEW IF NOT EXISTS", "say or_replace = true");
  return alch_ddl_write_default(d, ALCH_DDL_PART_CREATE_VIEW);
}

static alch_status view_suffix(alch_ddl *d) {
  write_with(d, " ", &d->table->options);
  return ALCH_OK;
}

const struct alch_ddl_override alch_postgresql_ddl_parts[] = {
  { ALCH_DDL_PART_COLUMN_TYPE, column_type },           { ALCH_DDL_PART_COLUMN_COMPUTED, column_computed },     { ALCH_DDL_PART_COLUMN_NOT_NULL, column_not_null },
  { ALCH_DDL_PART_TABLE_SUFFIX, table_suffix },         { ALCH_DDL_PART_KEY_WORDS, key_words },                 { ALCH_DDL_PART_KEY_SUFFIX, key_suffix },
  { ALCH_DDL_PART_FOREIGN_MATCH, foreign_match },       { ALCH_DDL_PART_FOREIGN_DELETE, foreign_delete },       { ALCH_DDL_PART_DEFERRABILITY, deferrability },
  { ALCH_DDL_PART_CONSTRAINT_SUFFIX, constraint_suffix }, { ALCH_DDL_PART_INDEX_MORE_WORDS, index_more_words }, { ALCH_DDL_PART_INDEX_METHOD, index_method },
  { ALCH_DDL_PART_INDEX_PLACE, index_place },           { ALCH_DDL_PART_INDEX_SUFFIX, index_suffix },           { ALCH_DDL_PART_SEQUENCE_TYPE, sequence_type },
  { ALCH_DDL_PART_CREATE_TYPE, create_type },           { ALCH_DDL_PART_DROP_TYPE, drop_type },                 { ALCH_DDL_PART_CREATE_VIEW, create_view },
  { ALCH_DDL_PART_VIEW_SUFFIX, view_suffix },           { ALCH_DDL_PART_ATTACH_TABLE, attach_table },         { ALCH_DDL_PART_DETACH_TABLE, detach_table },
  { 0, NULL },
};
