/* Mappers before they are configured: attributes and relationships by name. */
#include "orm/mapper.h"

#include <string.h>

enum { NAMES_LIMIT = 256 };

static alch_status no_key(const char *name, const alch_table *table, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Mapper %s could not assemble any primary key columns for mapped table '%s'; give one of its columns primary_key = true", name,
                        table->full_name);
}

static alch_status long_key(const char *name, const alch_table *table, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Mapper %s: the primary key of table '%s' has %u columns; %d is the most", name, table->full_name, (unsigned)table->primary_key->column_count,
                        ALCH_KEY_LIMIT);
}

static void fill_attribute(alch_mapper *mapper, uint32_t slot, alch_column *column) {
  mapper->attributes[slot] = (alch_attribute){ .name = column->key, .column = column, .primary_key = column->primary_key };
  mapper->slot_of_column[column->index] = slot;
}

static bool fill_attributes(alch_mapper *mapper, alch_table *table) {
  alch_arena *arena = &mapper->registry->arena;
  mapper->attributes = alch_arena_allocate(arena, table->column_count * sizeof *mapper->attributes);
  mapper->slot_of_column = alch_arena_allocate(arena, table->column_count * sizeof *mapper->slot_of_column);
  mapper->key_slots = alch_arena_allocate(arena, table->primary_key->column_count * sizeof *mapper->key_slots);
  if (!mapper->attributes || !mapper->slot_of_column || !mapper->key_slots) return false;
  for (uint32_t i = 0; i < table->column_count; i++) fill_attribute(mapper, i, table->columns[i]);
  for (uint32_t i = 0; i < table->primary_key->column_count; i++) mapper->key_slots[i] = mapper->slot_of_column[table->primary_key->columns[i]->index];
  mapper->attribute_count = mapper->column_count = mapper->slot_count = table->column_count;
  mapper->key_count = table->primary_key->column_count;
  return true;
}

static bool enter(alch_registry *registry, alch_mapper *mapper) {
  alch_mapper **grown = alch_grow(registry->arena.allocator, registry->mappers, &registry->mapper_capacity, registry->mapper_count + 1, sizeof *grown);
  if (!grown) return false;
  registry->mappers = grown;
  if (!alch_map_put_text(&registry->by_name, mapper->name, mapper)) return false;
  if (!alch_map_put(&registry->by_id, &mapper->id, sizeof mapper->id, mapper)) {
    alch_map_remove(&registry->by_name, mapper->name, strlen(mapper->name));
    return false;
  }
  registry->mappers[registry->mapper_count++] = mapper;
  registry->configured = false;
  return true;
}

alch_status alch_mapper_new(alch_registry *registry, const char *name, alch_table *table, alch_mapper **out, alch_error *error) {
  if (alch_registry_find(registry, name)) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "there is a model named '%s' already; give this one another name", name);
  if (table->primary_key->column_count == 0) return no_key(name, table, error);
  if (table->primary_key->column_count > ALCH_KEY_LIMIT) return long_key(name, table, error);
  alch_mapper *mapper = alch_arena_allocate(&registry->arena, sizeof *mapper);
  if (!mapper) return alch_error_out_of_memory(error);
  mapper->registry = registry;
  mapper->table = table;
  mapper->generated_slot = UINT32_MAX;
  /* Anonymous ids are the one number of a catalog that is never given out twice. */
  mapper->id = alch_catalog_anonymous(registry->catalog) & ~ALCH_ANONYMOUS;
  mapper->name = alch_arena_text(&registry->arena, name, strlen(name));
  if (!mapper->name || !fill_attributes(mapper, table) || !enter(registry, mapper)) return alch_error_out_of_memory(error);
  *out = mapper;
  return ALCH_OK;
}

/* ---- names ---- */

uint32_t alch_mapper_slot(const alch_mapper *mapper, const char *name) {
  for (uint32_t i = 0; i < mapper->attribute_count; i++)
    if (strcmp(mapper->attributes[i].name, name) == 0) return i;
  for (uint32_t i = 0; i < mapper->relationship_count; i++)
    if (strcmp(mapper->relationships[i].name, name) == 0) return mapper->attribute_count + i;
  return UINT32_MAX;
}

const char *alch_mapper_slot_name(const alch_mapper *mapper, uint32_t slot) {
  if (slot < mapper->attribute_count) return mapper->attributes[slot].name;
  const alch_relationship *relationship = alch_mapper_relationship(mapper, slot);
  return relationship ? relationship->name : "?";
}

const char *alch_mapper_nearest(const alch_mapper *mapper, const char *name) {
  const char *names[NAMES_LIMIT];
  uint32_t count = mapper->slot_count < NAMES_LIMIT ? mapper->slot_count : NAMES_LIMIT;
  for (uint32_t i = 0; i < count; i++) names[i] = alch_mapper_slot_name(mapper, i);
  return alch_nearest(name, names, count);
}

uint32_t alch_mapper_column_slot(const alch_mapper *mapper, const alch_column *column) {
  return column->table == mapper->table && column->index < mapper->column_count ? mapper->slot_of_column[column->index] : UINT32_MAX;
}

/* ---- additions ---- */

static alch_status must_be_open(const alch_mapper *mapper, const char *name, alch_error *error) {
  if (!mapper->configured) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "%s.%s comes too late: the model %s was configured when it was first used; declare everything of a model before that", mapper->name, name,
                        mapper->name);
}

static alch_status must_be_free(const alch_mapper *mapper, const char *name, uint32_t own_slot, alch_error *error) {
  uint32_t slot = alch_mapper_slot(mapper, name);
  if (slot == UINT32_MAX || slot == own_slot) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has %s named '%s' already", mapper->name, slot < mapper->attribute_count ? "an attribute" : "a relationship", name);
}

alch_status alch_mapper_set_attribute(alch_mapper *mapper, alch_column *column, const char *name, bool deferred, alch_error *error) {
  uint32_t slot = alch_mapper_column_slot(mapper, column);
  if (slot == UINT32_MAX) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "column '%s' of table '%s' is no column of the model %s", column->key, column->table->full_name, mapper->name);
  alch_attribute *attribute = &mapper->attributes[slot];
  const char *kept = attribute->name;
  alch_status status = must_be_open(mapper, name ? name : kept, error);
  if (status == ALCH_OK && name) status = must_be_free(mapper, name, slot, error);
  if (status != ALCH_OK) return status;
  if (deferred && attribute->primary_key) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s is part of the primary key, which every load needs: it cannot be deferred", mapper->name, kept);
  if (name) kept = alch_arena_text(&mapper->registry->arena, name, strlen(name));
  if (!kept) return alch_error_out_of_memory(error);
  attribute->name = kept;
  attribute->deferred = deferred;
  return ALCH_OK;
}

/* In the debug build the array moves each time and the old one is spoiled, so that whoever keeps a pointer too long learns of it. */
static bool grow_relationships(alch_mapper *mapper) {
  if (mapper->relationship_count < mapper->relationship_capacity) return true;
#ifdef ALCH_DEBUG
  uint32_t capacity = mapper->relationship_count + 1;
#else
  uint32_t capacity = mapper->relationship_count == 0 ? 4 : mapper->relationship_count * 2;
#endif
  alch_relationship *grown = alch_arena_allocate(&mapper->registry->arena, capacity * sizeof *grown);
  if (!grown) return false;
  if (mapper->relationship_count > 0) {
    memcpy(grown, mapper->relationships, mapper->relationship_count * sizeof *grown);
#ifdef ALCH_DEBUG
    memset(mapper->relationships, 0xdd, mapper->relationship_count * sizeof *grown);
#endif
  }
  mapper->relationships = grown;
  mapper->relationship_capacity = capacity;
  return true;
}

static bool keep_text(alch_arena *arena, const char **text) {
  if (*text) *text = alch_arena_text(arena, *text, strlen(*text));
  return *text != NULL;
}

static bool keep_columns(alch_arena *arena, alch_column ***columns, uint32_t count) {
  if (count > 0) *columns = alch_arena_copy(arena, *columns, count * sizeof **columns);
  return count == 0 || *columns;
}

static bool keep_block(alch_registry *registry, const alch_block **block) {
  if (*block) *block = alch_arena_copy(&registry->arena, *block, alch_block_size(*block));
  return *block != NULL;
}

static bool keep_hints(alch_registry *registry, alch_relationship *relationship) {
  if (relationship->order_by && !keep_block(registry, &relationship->order_by)) return false;
  return keep_columns(&registry->arena, &relationship->foreign_keys, relationship->foreign_key_count) &&
         keep_columns(&registry->arena, &relationship->remote_side, relationship->remote_side_count);
}

static bool keep_template(alch_registry *registry, alch_relationship *relationship) {
  if (relationship->target) relationship->target_name = relationship->target->name;
  if (!keep_text(&registry->arena, &relationship->name) || !keep_text(&registry->arena, &relationship->target_name)) return false;
  if (relationship->back_name && !keep_text(&registry->arena, &relationship->back_name)) return false;
  return keep_hints(registry, relationship);
}

alch_status alch_mapper_add_relationship(alch_mapper *mapper, const alch_relationship *relationship, alch_relationship **out, alch_error *error) {
  alch_status status = must_be_open(mapper, relationship->name, error);
  if (status == ALCH_OK) status = must_be_free(mapper, relationship->name, UINT32_MAX, error);
  if (status != ALCH_OK) return status;
  if (!relationship->target && !relationship->target_name)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s: a relationship needs the name of a model", mapper->name, relationship->name);
  alch_relationship kept = *relationship;
  if (!keep_template(mapper->registry, &kept) || !grow_relationships(mapper)) return alch_error_out_of_memory(error);
  kept.mapper = mapper;
  kept.index = mapper->relationship_count;
  kept.slot = mapper->attribute_count + kept.index;
  kept.back = NULL;
  mapper->relationships[mapper->relationship_count++] = kept;
  mapper->slot_count++;
  if (out) *out = &mapper->relationships[kept.index];
  return ALCH_OK;
}

alch_status alch_mapper_set_hints(alch_mapper *mapper, uint32_t slot, const alch_relationship *hints, alch_error *error) {
  alch_relationship *relationship = slot >= mapper->attribute_count && slot < mapper->slot_count ? &mapper->relationships[slot - mapper->attribute_count] : NULL;
  if (!relationship) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has no relationship with the number %u", mapper->name, (unsigned)slot);
  alch_status status = must_be_open(mapper, relationship->name, error);
  if (status != ALCH_OK) return status;
  alch_relationship kept = *hints;
  if (!keep_hints(mapper->registry, &kept)) return alch_error_out_of_memory(error);
  if (kept.target) {
    relationship->target = kept.target;
    relationship->target_name = kept.target->name;
  }
  if (kept.secondary) relationship->secondary = kept.secondary;
  if (kept.order_by) relationship->order_by = kept.order_by;
  if (kept.foreign_key_count > 0) {
    relationship->foreign_keys = kept.foreign_keys;
    relationship->foreign_key_count = kept.foreign_key_count;
  }
  if (kept.remote_side_count > 0) {
    relationship->remote_side = kept.remote_side;
    relationship->remote_side_count = kept.remote_side_count;
  }
  return ALCH_OK;
}
