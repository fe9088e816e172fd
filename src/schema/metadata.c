#include "schema/metadata.h"
#include "base/buffer.h"
#include "schema/record.h"
#include <string.h>

alch_status alch_metadata_new(alch_catalog *catalog, const char *schema, alch_metadata **out, alch_error *error) {
  alch_metadata *metadata = alch_arena_allocate(&catalog->arena, sizeof *metadata);
  if (!metadata) return alch_error_out_of_memory(error);
  metadata->catalog = catalog;
  metadata->schema = schema && *schema ? schema : NULL;
  alch_map_init(&metadata->tables, catalog->allocator);
  alch_map_init(&metadata->naming, catalog->allocator);
  if (!alch_record_text(catalog, &metadata->schema)) return alch_error_out_of_memory(error);
  metadata->next = catalog->metadata;
  catalog->metadata = metadata;
  *out = metadata;
  return ALCH_OK;
}

static const char *full_name(alch_catalog *catalog, const char *schema, const char *name) {
  if (!schema) return name;
  size_t schema_length = strlen(schema), name_length = strlen(name);
  char *text = alch_arena_allocate(&catalog->arena, schema_length + name_length + 2);
  if (!text) return NULL;
  memcpy(text, schema, schema_length);
  text[schema_length] = '.';
  memcpy(text + schema_length + 1, name, name_length);
  return text;
}

static alch_constraint *new_primary_key(alch_table *table) {
  alch_constraint *key = alch_arena_allocate(&table->metadata->catalog->arena, sizeof *key);
  if (!key) return NULL;
  *key = (alch_constraint){ .table = table, .kind = ALCH_CONSTRAINT_PRIMARY_KEY, .deferrable = -1, .of_column = true };
  return key;
}

static alch_table *new_table(alch_metadata *metadata, const char *name, const char *schema) {
  alch_catalog *catalog = metadata->catalog;
  alch_table *table = alch_arena_allocate(&catalog->arena, sizeof *table);
  if (!table) return NULL;
  table->metadata = metadata;
  table->name = name;
  table->schema = schema;
  alch_map_init(&table->column_map, catalog->allocator);
  if (!alch_record_text(catalog, &table->name) || !alch_record_text(catalog, &table->schema)) return NULL;
  table->full_name = full_name(catalog, table->schema, table->name);
  table->primary_key = new_primary_key(table);
  return table->full_name && table->primary_key ? table : NULL;
}

static bool enter_table(alch_metadata *metadata, alch_table *table) {
  alch_catalog *catalog = metadata->catalog;
  alch_table **tables = alch_grow(catalog->allocator, catalog->tables, &catalog->table_capacity, catalog->table_count + 1, sizeof *tables);
  if (!tables) return false;
  catalog->tables = tables;
  if (!alch_map_put_text(&metadata->tables, table->full_name, table)) return false;
  table->id = catalog->table_count;
  catalog->tables[catalog->table_count++] = table;
  return true;
}

alch_status alch_table_new(alch_metadata *metadata, const char *name, const char *schema, alch_table **out, alch_error *error) {
  if (!name || !*name) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a table needs a name: Table{ \"name\", metadata, ... }");
  if (!schema) schema = metadata->schema;
  if (schema && !*schema) schema = NULL;
  alch_table *table = new_table(metadata, name, schema);
  if (!table) return alch_error_out_of_memory(error);
  if (alch_map_get_text(&metadata->tables, table->full_name))
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "Table '%s' is already defined for this MetaData instance; give one of the two another name, or another MetaData",
                          table->full_name);
  if (!enter_table(metadata, table)) return alch_error_out_of_memory(error);
  *out = table;
  return ALCH_OK;
}

alch_table *alch_metadata_table(const alch_metadata *metadata, const char *name) {
  return alch_map_get_text(&metadata->tables, name);
}

void alch_metadata_remove(alch_metadata *metadata, alch_table *table) {
  if (alch_metadata_table(metadata, table->full_name) == table) alch_map_remove(&metadata->tables, table->full_name, strlen(table->full_name));
}

alch_status alch_table_add_dependency(alch_table *table, const alch_table *on, alch_error *error) {
  if (table == on) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Table '%s' cannot depend on itself", table->full_name);
  if (table->metadata != on->metadata)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Table '%s' cannot depend on Table '%s' of another MetaData: only tables of one are created together", table->full_name, on->full_name);
  alch_dependency one = { .on = on, .next = table->dependencies };
  alch_dependency *kept = alch_arena_copy(&table->metadata->catalog->arena, &one, sizeof one);
  if (!kept) return alch_error_out_of_memory(error);
  table->dependencies = kept;
  return ALCH_OK;
}

alch_status alch_table_set_prefixes(alch_table *table, const char *const *words, uint32_t count, alch_error *error) {
  alch_catalog *catalog = table->metadata->catalog;
  if (!alch_record_texts(catalog, &words, count)) return alch_error_out_of_memory(error);
  table->prefixes = words;
  table->prefix_count = count;
  return ALCH_OK;
}

alch_status alch_table_set_view(alch_table *table, const alch_view *view, alch_error *error) {
  const alch_view *kept = alch_arena_copy(&table->metadata->catalog->arena, view, sizeof *view);
  if (!kept) return alch_error_out_of_memory(error);
  table->view = kept;
  return ALCH_OK;
}

alch_status alch_condition_set(alch_catalog *catalog, alch_condition *condition, const alch_condition *given, alch_error *error) {
  alch_condition copy = *given;
  if (!alch_record_texts(catalog, &copy.dialects, copy.count)) return alch_error_out_of_memory(error);
  *condition = copy;
  return ALCH_OK;
}
