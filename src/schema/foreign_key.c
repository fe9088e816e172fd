/* What foreign keys point to. */
#include "base/buffer.h"
#include "schema/metadata.h"
#include "schema/record.h"
#include <string.h>

/* The column's name stands behind the last dot: "schema.table.column". */
alch_target alch_record_target(const char *text) {
  const char *dot = strrchr(text, '.');
  if (!dot) return (alch_target){ .table = text, .column = NULL, .table_length = strlen(text) };
  return (alch_target){ .table = text, .column = dot + 1, .table_length = (size_t)(dot - text) };
}

/* A table named without a schema is looked for in the metadata's schema first. */
static alch_table *find_table(const alch_metadata *metadata, const alch_target *target) {
  if (metadata->schema && !memchr(target->table, '.', target->table_length)) {
    uint32_t position = 0;
    size_t schema_length = strlen(metadata->schema), length;
    const char *name;
    void *table;
    while (alch_map_next(&metadata->tables, &position, &name, &length, &table))
      if (length == schema_length + 1 + target->table_length && memcmp(name, metadata->schema, schema_length) == 0 && name[schema_length] == '.' &&
          memcmp(name + schema_length + 1, target->table, target->table_length) == 0)
        return table;
  }
  return alch_map_get(&metadata->tables, target->table, target->table_length);
}

static alch_column *find_column(const alch_table *table, const char *key) {
  alch_column *column = alch_table_column(table, key);
  for (uint32_t i = 0; !column && i < table->column_count; i++)
    if (strcmp(table->columns[i]->name, key) == 0) column = table->columns[i];
  return column;
}

static alch_status no_table(const alch_constraint *foreign_key, uint32_t place, const alch_target *target, alch_error *error) {
  const alch_table *table = foreign_key->table;
  const char *names[ALCH_NAMES_LIMIT] = { NULL }, *name;
  char wanted[96];
  size_t count = 0, length = target->table_length < sizeof wanted ? target->table_length : sizeof wanted - 1;
  uint32_t position = 0;
  memcpy(wanted, target->table, length);
  wanted[length] = '\0';
  while (count < ALCH_COUNT(names) && alch_map_next(&table->metadata->tables, &position, &name, NULL, NULL)) names[count++] = name;
  const char *nearest = alch_nearest(wanted, names, count);
  alch_status status = alch_error_set(error, ALCH_ERROR_NO_REFERENCED_TABLE,
                                      "Foreign key associated with column '%s.%s' could not find table '%s' with which to generate a foreign key to target column '%s'; %s%s%s",
                                      table->full_name, foreign_key->columns[place]->name, wanted, target->column ? target->column : foreign_key->columns[place]->key,
                                      nearest ? "did you mean '" : "define that table in the same MetaData", nearest ? nearest : "", nearest ? "'?" : "");
  alch_error_attach(error, ALCH_ERROR_TABLE_NAME, table->full_name, SIZE_MAX);
  alch_error_attach(error, ALCH_ERROR_COLUMN_NAME, foreign_key->columns[place]->name, SIZE_MAX);
  return status;
}

static alch_status no_column(const alch_constraint *foreign_key, uint32_t place, const alch_table *referred, const char *key, alch_error *error) {
  const alch_table *table = foreign_key->table;
  const char *names[ALCH_NAMES_LIMIT] = { NULL };
  const char *nearest = alch_nearest(key, names, alch_record_column_names(referred, names, ALCH_COUNT(names)));
  alch_status status = alch_error_set(error, ALCH_ERROR_NO_REFERENCED_COLUMN,
                                      "Could not initialize target column for ForeignKey '%s' on column '%s.%s': table '%s' has no column named '%s'%s%s%s",
                                      foreign_key->targets[place], table->full_name, foreign_key->columns[place]->name, referred->full_name, key,
                                      nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
  alch_error_attach(error, ALCH_ERROR_TABLE_NAME, table->full_name, SIZE_MAX);
  alch_error_attach(error, ALCH_ERROR_COLUMN_NAME, foreign_key->columns[place]->name, SIZE_MAX);
  return status;
}

static alch_status find_target(const alch_constraint *foreign_key, uint32_t place, alch_column **out, alch_error *error) {
  alch_target target = alch_record_target(foreign_key->targets[place]);
  const char *key = target.column ? target.column : foreign_key->columns[place]->key;
  const alch_table *referred = find_table(foreign_key->table->metadata, &target);
  if (!referred) return no_table(foreign_key, place, &target, error);
  *out = find_column(referred, key);
  return *out ? ALCH_OK : no_column(foreign_key, place, referred, key, error);
}

static alch_status find_targets(const alch_constraint *foreign_key, alch_column **referred, alch_error *error) {
  for (uint32_t i = 0; i < foreign_key->column_count; i++) {
    if (find_target(foreign_key, i, &referred[i], error) != ALCH_OK) return ALCH_ERROR;
    if (referred[i]->table != referred[0]->table)
      return alch_error_set(error, ALCH_ERROR_ARGUMENT, "ForeignKeyConstraint on table '%s' refers to two tables, '%s' and '%s'; write one constraint for each",
                            foreign_key->table->full_name, referred[0]->table->full_name, referred[i]->table->full_name);
  }
  return ALCH_OK;
}

alch_constraint *alch_column_foreign_key(const alch_column *column, uint32_t *place) {
  for (alch_constraint *constraint = column->table->constraints; constraint; constraint = constraint->next) {
    if (constraint->kind != ALCH_CONSTRAINT_FOREIGN_KEY) continue;
    for (uint32_t i = 0; i < constraint->column_count; i++) {
      if (constraint->columns[i] != column) continue;
      if (place) *place = i;
      return constraint;
    }
  }
  return NULL;
}

/* Follows targets until a column with a type comes; a walk longer than there are columns goes round in a circle. */
static alch_status take_type(alch_column *column, const alch_column *target, alch_error *error) {
  const alch_column *at = target;
  uint32_t steps = 0, place;
  while (at->type == ALCH_TYPE_NULL && !at->has_type) {
    alch_constraint *next = alch_column_foreign_key(at, &place);
    if (!next)
      return alch_error_set(error, ALCH_ERROR_COMPILE, "(in table '%s', column '%s'): it takes its type from '%s.%s', which has none; write Column{ \"%s\", Integer }", column->table->full_name,
                            column->name, at->table->full_name, at->name, at->name);
    if (at == column || ++steps > 1000)
      return alch_error_set(error, ALCH_ERROR_COMPILE, "(in table '%s', column '%s'): it takes its type from its foreign key, whose targets lead back to it; give one of them a type",
                            column->table->full_name, column->name);
    alch_column *further;
    if (find_target(next, place, &further, error) != ALCH_OK) return ALCH_ERROR;
    at = further;
  }
  column->type = at->type;
  return ALCH_OK;
}

/* The table that was found may have been taken out of the metadata since, and another come in its place. */
static bool is_resolved(const alch_constraint *foreign_key) {
  if (!foreign_key->referred) return false;
  const alch_table *table = foreign_key->referred[0]->table;
  return alch_metadata_table(table->metadata, table->full_name) == table;
}

static alch_status resolve_targets(alch_constraint *foreign_key, alch_error *error) {
  if (is_resolved(foreign_key)) return ALCH_OK;
  foreign_key->referred = NULL;
  alch_column **referred = alch_arena_allocate(&foreign_key->table->metadata->catalog->arena, foreign_key->column_count * sizeof *referred);
  if (!referred) return alch_error_out_of_memory(error);
  if (find_targets(foreign_key, referred, error) != ALCH_OK) return ALCH_ERROR;
  foreign_key->referred = referred;
  return ALCH_OK;
}

alch_status alch_foreign_key_resolve(alch_constraint *foreign_key, alch_error *error) {
  if (foreign_key->kind != ALCH_CONSTRAINT_FOREIGN_KEY) return ALCH_OK;
  if (resolve_targets(foreign_key, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < foreign_key->column_count; i++) {
    alch_column *column = foreign_key->columns[i];
    if (column->type == ALCH_TYPE_NULL && !column->has_type && take_type(column, foreign_key->referred[i], error) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}

static alch_status check_column(const alch_column *column, alch_error *error) {
  const alch_type *type = alch_catalog_type(column->table->metadata->catalog, column->type);
  alch_status status = ALCH_OK;
  if (column->type == ALCH_TYPE_NULL && !column->has_type)
    status = alch_error_set(error, ALCH_ERROR_COMPILE, "(in table '%s', column '%s'): the column has no type; write Column{ \"%s\", Integer } or give it a ForeignKey to take one from",
                            column->table->full_name, column->name, column->name);
  else if (column->autoincrement == ALCH_AUTOINCREMENT_YES && !alch_type_is_integer(type->family))
    status = alch_error_set(error, ALCH_ERROR_ARGUMENT, "Column type %s on column '%s.%s' is not compatible with autoincrement = true; make it an Integer",
                            alch_type_family_name(type->family), column->table->full_name, column->name);
  if (status == ALCH_OK) return ALCH_OK;
  alch_error_attach(error, ALCH_ERROR_TABLE_NAME, column->table->full_name, SIZE_MAX);
  alch_error_attach(error, ALCH_ERROR_COLUMN_NAME, column->name, SIZE_MAX);
  return status;
}

static alch_status resolve_table(alch_table *table, alch_error *error) {
  for (alch_constraint *constraint = table->constraints; constraint; constraint = constraint->next)
    if (alch_foreign_key_resolve(constraint, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < table->column_count; i++)
    if (check_column(table->columns[i], error) != ALCH_OK) return ALCH_ERROR;
  return ALCH_OK;
}

alch_status alch_metadata_resolve(alch_metadata *metadata, alch_error *error) {
  uint32_t position = 0;
  void *table;
  while (alch_map_next(&metadata->tables, &position, NULL, NULL, &table))
    if (resolve_table(table, error) != ALCH_OK) return ALCH_ERROR;
  return ALCH_OK;
}
