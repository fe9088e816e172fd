#include "base/buffer.h"
#include "schema/metadata.h"
#include "schema/record.h"
#include <string.h>

void alch_record_link_index(alch_index *index) {
  alch_table *table = index->table;
  if (table->last_index) table->last_index->next = index;
  else table->indexes = index;
  table->last_index = index;
}

static alch_status fill_places(alch_index *index, const char *const *columns, const struct alch_block *const *expressions, alch_error *error) {
  alch_arena *arena = &index->table->metadata->catalog->arena;
  index->columns = alch_arena_allocate(arena, index->count * sizeof *index->columns);
  index->expressions = alch_arena_allocate(arena, index->count * sizeof *index->expressions);
  if (!index->columns || !index->expressions) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < index->count; i++) {
    bool plain = columns && columns[i];
    if (plain && alch_record_find_column(index->table, columns[i], "Index", ALCH_ERROR_ARGUMENT, &index->columns[i], error) != ALCH_OK) return ALCH_ERROR;
    if (!plain && (!expressions || !expressions[i]))
      return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Index on table '%s': place %u is neither a column nor an expression", index->table->full_name, i + 1);
    if (!plain) index->expressions[i] = expressions[i];
  }
  return ALCH_OK;
}

static alch_status check_name(const alch_table *table, const char *name, alch_error *error) {
  for (const alch_index *other = table->indexes; other; other = other->next)
    if (strcmp(other->name, name) == 0)
      return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Table '%s' has an index named '%s' already; give one of the two another name", table->full_name, name);
  return ALCH_OK;
}

static alch_status conventional_name(alch_index *index, const char *given, alch_buffer *name, alch_error *error) {
  const alch_naming naming = { .table = index->table, .kind = "ix", .given = given, .columns = index->columns, .column_count = index->count };
  if (!given && index->count > 0 && !index->columns[0])
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Index on table '%s' starts with an expression and needs a name: Index{ \"ix_...\", ... }", index->table->full_name);
  if (alch_record_conventional_name(&naming, name, error) != ALCH_OK) return ALCH_ERROR;
  if (alch_buffer_failed(name)) return alch_error_out_of_memory(error);
  if (name->length == 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Index on table '%s' needs a name: Index{ \"ix_...\", ... }", index->table->full_name);
  index->name = name->text;
  return ALCH_OK;
}

static alch_status choose_name(alch_index *index, const char *given, alch_error *error) {
  alch_catalog *catalog = index->table->metadata->catalog;
  alch_buffer name;
  alch_status status = ALCH_OK;
  alch_buffer_init(&name, catalog->allocator);
  index->name = given;
  index->name_is_made = alch_record_has_convention(index->table, "ix", given) || !given;
  if (index->name_is_made) status = conventional_name(index, given, &name, error);
  if (status == ALCH_OK && !alch_record_text(catalog, &index->name)) status = alch_error_out_of_memory(error);
  alch_buffer_close(&name);
  return status;
}

alch_status alch_table_add_index(alch_table *table, const char *name, bool unique, const char *const *columns, const struct alch_block *const *expressions, uint32_t count,
                                 const struct alch_block *where, alch_index **out, alch_error *error) {
  if (count == 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Index%s%s on table '%s' names no column", name ? " " : "", name ? name : "", table->full_name);
  alch_index *index = alch_arena_allocate(&table->metadata->catalog->arena, sizeof *index);
  if (!index) return alch_error_out_of_memory(error);
  *index = (alch_index){ .table = table, .unique = unique, .count = count, .where = where };
  if (fill_places(index, columns, expressions, error) != ALCH_OK || choose_name(index, name, error) != ALCH_OK || check_name(table, index->name, error) != ALCH_OK) return ALCH_ERROR;
  alch_record_link_index(index);
  *out = index;
  return ALCH_OK;
}
