/* Columns of a table. */
#include "base/buffer.h"
#include "schema/metadata.h"
#include "schema/record.h"
#include <stdio.h>
#include <string.h>

alch_column *alch_table_column(const alch_table *table, const char *key) {
  return alch_map_get_text(&table->column_map, key);
}

size_t alch_record_column_names(const alch_table *table, const char **names, size_t limit) {
  size_t count = table->column_count < limit ? table->column_count : limit;
  for (size_t i = 0; i < count; i++) names[i] = table->columns[i]->key;
  return count;
}

/* Says which columns there are, as many as a reader can take in. */
static void list_columns(const char *const *names, size_t count, alch_buffer *out) {
  enum { SHOWN = 12 };
  alch_buffer_add(out, count == 0 ? "it has no columns yet" : "it has ");
  for (size_t i = 0; i < count && i < SHOWN; i++) {
    if (i > 0) alch_buffer_add(out, ", ");
    alch_buffer_add(out, names[i]);
  }
  if (count > SHOWN) alch_buffer_add_format(out, " and %zu more", count - SHOWN);
}

static alch_status no_such_column(const alch_table *table, const char *key, const char *asking, alch_error_kind kind, alch_error *error) {
  const char *names[ALCH_NAMES_LIMIT] = { NULL };
  size_t count = alch_record_column_names(table, names, ALCH_COUNT(names));
  const char *nearest = alch_nearest(key, names, count);
  alch_buffer list;
  alch_buffer_init(&list, table->metadata->catalog->allocator);
  list_columns(names, count, &list);
  alch_status status = alch_error_set(error, kind, "%s%sTable '%s' has no column '%s'%s%s%s; %s", asking ? asking : "", asking ? ": " : "", table->full_name, key,
                                      nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "", alch_buffer_text(&list));
  alch_error_attach(error, ALCH_ERROR_TABLE_NAME, table->full_name, SIZE_MAX);
  alch_error_attach(error, ALCH_ERROR_COLUMN_NAME, key, SIZE_MAX);
  alch_buffer_close(&list);
  return status;
}

alch_status alch_record_find_column(const alch_table *table, const char *key, const char *asking, alch_error_kind kind, alch_column **out, alch_error *error) {
  *out = alch_table_column(table, key);
  return *out ? ALCH_OK : no_such_column(table, key, asking, kind, error);
}

alch_status alch_table_require_column(const alch_table *table, const char *key, alch_column **out, alch_error *error) {
  return alch_record_find_column(table, key, NULL, ALCH_ERROR_NO_SUCH_COLUMN, out, error);
}

static alch_status check_name(const alch_table *table, const alch_column *column, alch_error *error) {
  if (!column->name || !*column->name)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Table '%s': column %u has no name; write Column{ \"name\", Integer, ... }", table->full_name, table->column_count + 1);
  if (alch_table_column(table, column->key ? column->key : column->name))
    return alch_error_set(error, ALCH_ERROR_DUPLICATE_COLUMN, "Table '%s' has a column with the key '%s' already; give one of the two another key", table->full_name,
                          column->key ? column->key : column->name);
  for (uint32_t i = 0; i < table->column_count; i++)
    if (strcmp(table->columns[i]->name, column->name) == 0)
      return alch_error_set(error, ALCH_ERROR_DUPLICATE_COLUMN, "Table '%s' has a column named '%s' already", table->full_name, column->name);
  return ALCH_OK;
}

static alch_status check_defaults(const alch_table *table, const alch_column *column, alch_error *error) {
  const char *generated = column->computed ? "Computed" : column->identity ? "Identity" : NULL;
  if (column->computed && column->identity)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Column '%s.%s' is Computed and Identity; it can only be one of them", table->full_name, column->name);
  if (generated && (column->server_default.kind != ALCH_DEFAULT_NONE || column->server_onupdate.kind != ALCH_DEFAULT_NONE))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Column '%s.%s' is %s and cannot have a server_default or server_onupdate; leave them out", table->full_name, column->name,
                          generated);
  if (column->computed && (column->insert_default.kind != ALCH_DEFAULT_NONE || column->update_default.kind != ALCH_DEFAULT_NONE))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Column '%s.%s' is Computed and cannot have a default or onupdate; leave them out", table->full_name, column->name);
  return ALCH_OK;
}

static alch_status check_identity(const alch_table *table, const alch_column *column, alch_error *error) {
  char what[160];
  if (!column->identity) return ALCH_OK;
  snprintf(what, sizeof what, "Identity of column '%.60s.%.60s'", table->full_name, column->name);
  return alch_counting_check(&column->identity->counting, what, error);
}

static bool copy_default(alch_catalog *catalog, alch_default *one) {
  return alch_record_value(catalog, &one->value) && alch_record_text(catalog, &one->text);
}

static bool copy_identity(alch_catalog *catalog, alch_column *column) {
  if (!column->identity) return true;
  column->identity = alch_arena_copy(&catalog->arena, column->identity, sizeof *column->identity);
  return column->identity != NULL;
}

static alch_column *copy_column(alch_table *table, const alch_column *given) {
  alch_catalog *catalog = table->metadata->catalog;
  alch_column *column = alch_arena_copy(&catalog->arena, given, sizeof *given);
  if (!column) return NULL;
  column->table = table;
  column->index = table->column_count;
  if (!column->key) column->key = column->name;
  if (!column->nullable_given) column->nullable = !column->primary_key && !column->identity;
  column->options = (alch_options){ NULL, NULL };
  bool copied = alch_record_text(catalog, &column->name) && alch_record_text(catalog, &column->key) && alch_record_text(catalog, &column->comment) &&
                copy_default(catalog, &column->insert_default) && copy_default(catalog, &column->update_default) && copy_default(catalog, &column->server_default) &&
                copy_default(catalog, &column->server_onupdate) && copy_identity(catalog, column);
  return copied ? column : NULL;
}

static bool enter_column(alch_table *table, alch_column *column) {
  alch_column **columns = alch_grow(table->metadata->catalog->allocator, table->columns, &table->column_capacity, table->column_count + 1, sizeof *columns);
  if (!columns) return false;
  table->columns = columns;
  if (!alch_map_put_text(&table->column_map, column->key, column)) return false;
  table->columns[table->column_count++] = column;
  return true;
}

static bool needs_check(const alch_column *column) {
  const alch_type *type = alch_catalog_type(column->table->metadata->catalog, column->type);
  return column->has_type && type->create_constraint && (type->family == ALCH_TYPE_BOOLEAN || type->family == ALCH_TYPE_ENUM);
}

/* What the column's flags ask for beside the column. */
static alch_status add_belongings(alch_column *column, alch_error *error) {
  alch_table *table = column->table;
  const char *const keys[] = { column->key };
  const alch_constraint unique = { .kind = ALCH_CONSTRAINT_UNIQUE, .deferrable = -1, .of_column = true };
  const alch_type *type = alch_catalog_type(table->metadata->catalog, column->type);
  const alch_constraint check = { .kind = ALCH_CONSTRAINT_CHECK, .name = type->name, .deferrable = -1, .of_type = true };
  alch_constraint *constraint;
  alch_index *index;
  if (column->indexed && alch_table_add_index(table, NULL, column->unique, keys, NULL, 1, NULL, &index, error) != ALCH_OK) return ALCH_ERROR;
  if (column->unique && !column->indexed && alch_table_add_constraint(table, &unique, keys, 1, &constraint, error) != ALCH_OK) return ALCH_ERROR;
  if (needs_check(column) && alch_table_add_constraint(table, &check, keys, 1, &constraint, error) != ALCH_OK) return ALCH_ERROR;
  if (column->primary_key && !alch_record_join_primary_key(column)) return alch_error_out_of_memory(error);
  return ALCH_OK;
}

/* A named type that has no schema is of its metadata's, or of its table's when it says so. */
static alch_status place_type(alch_column *column, alch_error *error) {
  alch_table *table = column->table;
  alch_catalog *catalog = table->metadata->catalog;
  const alch_type *type = alch_catalog_type(catalog, column->type);
  const alch_type *named = type->family == ALCH_TYPE_ARRAY && type->item ? type->item : type;
  const char *schema = named->inherit_schema ? table->schema : table->metadata->schema;
  if (!column->has_type || named->family != ALCH_TYPE_ENUM || !named->name || named->schema || !schema) return ALCH_OK;
  alch_type placed = *named, array = *type;
  placed.schema = schema;
  placed.inherit_schema = false;
  alch_status status = alch_catalog_intern(catalog, &placed, &column->type, error);
  if (status != ALCH_OK || named == type) return status;
  array.item_id = column->type;
  array.item = alch_catalog_type(catalog, array.item_id);
  return alch_catalog_intern(catalog, &array, &column->type, error);
}

/* Takes back a column and what add_belongings had made before it failed; `before` is the table as it was. */
static void take_back(alch_table *table, const alch_table *before, const alch_column *column) {
  alch_map_remove(&table->column_map, column->key, strlen(column->key));
  table->column_count = before->column_count;
  table->constraints = before->constraints;
  table->last_constraint = before->last_constraint;
  if (table->last_constraint) table->last_constraint->next = NULL;
  table->indexes = before->indexes;
  table->last_index = before->last_index;
  if (table->last_index) table->last_index->next = NULL;
}

alch_status alch_table_add_column(alch_table *table, const alch_column *given, alch_column **out, alch_error *error) {
  if (check_name(table, given, error) != ALCH_OK || check_defaults(table, given, error) != ALCH_OK || check_identity(table, given, error) != ALCH_OK) return ALCH_ERROR;
  if (given->primary_key && !table->primary_key->of_column)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Column '%s.%s' comes after the table's PrimaryKeyConstraint; name it there, or leave primary_key = true out", table->full_name,
                          given->name);
  const alch_table before = *table;
  alch_column *column = copy_column(table, given);
  if (!column || !enter_column(table, column)) return alch_error_out_of_memory(error);
  alch_status status = place_type(column, error);
  if (status == ALCH_OK) status = add_belongings(column, error);
  if (status == ALCH_OK) *out = column;
  else take_back(table, &before, column);
  return status;
}

/* A column can number itself unless something else gives it its value; one that was asked to does so in any case. */
static bool numbers_itself(const alch_catalog *catalog, const alch_column *column) {
  const alch_type *type = alch_catalog_type(catalog, column->type);
  bool asked = column->autoincrement == ALCH_AUTOINCREMENT_YES;
  if (asked && type->family == ALCH_TYPE_NUMERIC && type->scale == 0) return true;
  if (column->autoincrement == ALCH_AUTOINCREMENT_NO || !alch_type_is_integer(type->family) || column->computed) return false;
  if (asked) return true;
  if (column->insert_default.kind != ALCH_DEFAULT_NONE && column->insert_default.kind != ALCH_DEFAULT_SEQUENCE) return false;
  if (column->server_default.kind != ALCH_DEFAULT_NONE) return false;
  return column->autoincrement == ALCH_AUTOINCREMENT_IGNORE_FK || !alch_column_foreign_key(column, NULL);
}

alch_column *alch_table_autoincrement(const alch_table *table) {
  const alch_constraint *key = table->primary_key;
  for (uint32_t i = 0; i < key->column_count; i++) {
    alch_column *column = key->columns[i];
    if (key->column_count > 1 && column->autoincrement != ALCH_AUTOINCREMENT_YES) continue;
    if (numbers_itself(table->metadata->catalog, column)) return column;
  }
  return NULL;
}
