/* All mappers of a declarative base, and their configuration, all together. */
#include "orm/mapper.h"

#include <string.h>

alch_status alch_registry_new(alch_catalog *catalog, alch_registry **out, alch_error *error) {
  alch_registry *registry = alch_allocate_zeroed(catalog->allocator, sizeof *registry);
  if (!registry) return alch_error_out_of_memory(error);
  registry->catalog = catalog;
  alch_arena_init(&registry->arena, catalog->allocator);
  alch_map_init(&registry->by_name, catalog->allocator);
  alch_map_init(&registry->by_id, catalog->allocator);
  *out = registry;
  return ALCH_OK;
}

void alch_registry_close(alch_registry *registry) {
  if (!registry) return;
  const alch_allocator *allocator = registry->arena.allocator;
  alch_free(allocator, registry->mappers, registry->mapper_capacity * sizeof *registry->mappers);
  alch_map_close(&registry->by_name);
  alch_map_close(&registry->by_id);
  alch_arena_clear(&registry->arena);
  alch_free(allocator, registry, sizeof *registry);
}

alch_mapper *alch_registry_mapper(const alch_registry *registry, uint32_t id) { return alch_map_get(&registry->by_id, &id, sizeof id); }

alch_mapper *alch_registry_find(const alch_registry *registry, const char *name) { return alch_map_get_text(&registry->by_name, name); }

const alch_block *alch_registry_block(alch_registry *registry, alch_builder *builder, alch_error *error) {
  size_t size;
  if (alch_builder_finish(builder, &size, error) != ALCH_OK) return NULL;
  alch_block *block = alch_arena_allocate(&registry->arena, size);
  if (!block) {
    alch_error_out_of_memory(error);
    return NULL;
  }
  alch_builder_write(builder, block);
  return block;
}

/* ---- order: parents first ---- */

static bool seen_before(const alch_registry *registry, uint32_t number) {
  for (uint32_t i = 0; i < number; i++)
    if (registry->mappers[i]->table->metadata == registry->mappers[number]->table->metadata) return true;
  return false;
}

static void number_mappers(alch_registry *registry, const alch_table *table, uint32_t *order) {
  for (uint32_t i = 0; i < registry->mapper_count; i++)
    if (registry->mappers[i]->table == table) registry->mappers[i]->order = (*order)++;
}

static alch_status order_metadata(alch_registry *registry, alch_metadata *metadata, uint32_t *order, alch_error *error) {
  const alch_allocator *allocator = metadata->catalog->allocator;
  alch_table **tables = NULL;
  alch_constraint **cycle = NULL;
  uint32_t count = 0, cycle_count = 0;
  if (alch_metadata_sorted(metadata, &tables, &count, &cycle, &cycle_count, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < count; i++) number_mappers(registry, tables[i], order);
  alch_free(allocator, tables, count * sizeof *tables);
  alch_free(allocator, cycle, cycle_count * sizeof *cycle);
  return ALCH_OK;
}

/* Tables that were taken out of their metadata come last. */
static alch_status order_mappers(alch_registry *registry, alch_error *error) {
  uint32_t order = 0;
  for (uint32_t i = 0; i < registry->mapper_count; i++) registry->mappers[i]->order = UINT32_MAX;
  for (uint32_t i = 0; i < registry->mapper_count; i++)
    if (!seen_before(registry, i) && order_metadata(registry, registry->mappers[i]->table->metadata, &order, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < registry->mapper_count; i++)
    if (registry->mappers[i]->order == UINT32_MAX) registry->mappers[i]->order = order++;
  return ALCH_OK;
}

/* ---- attributes: types are known now, those taken from foreign keys too ---- */

static void configure_attributes(alch_mapper *mapper) {
  for (uint32_t i = 0; i < mapper->attribute_count; i++) {
    alch_attribute *attribute = &mapper->attributes[i];
    attribute->type_id = attribute->column->type;
    attribute->type = alch_catalog_type(mapper->registry->catalog, attribute->type_id);
    attribute->value_kind = attribute->type->as_number ? ALCH_REAL : alch_type_value_kind(attribute->type->family);
    attribute->primary_key = attribute->column->primary_key;
  }
  const alch_type *type = mapper->attributes[mapper->key_slots[0]].type;
  mapper->integer_key = mapper->key_count == 1 && alch_type_is_integer(type->family) && type->host == 0;
  const alch_column *generated = alch_table_autoincrement(mapper->table);
  mapper->generated_slot = generated ? alch_mapper_column_slot(mapper, generated) : UINT32_MAX;
}

/* ---- statements that load an entity by its key ---- */

void alch_mapper_open_select(const alch_mapper *mapper, alch_builder *builder) {
  alch_builder_start(builder);
  alch_builder_open(builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_leaf(builder, ALCH_NODE_ENTITY, 0, mapper->table->id, mapper->id);
  alch_builder_close(builder);
  alch_builder_open(builder, ALCH_NODE_WHERE, 0, 0, 0);
}

/* Options as a statement of their own has them: copied as they stand, since they have no values. */
void alch_build_options(alch_builder *builder, const alch_node *options) {
  static const alch_block nothing;
  if (!options) return;
  alch_builder_open(builder, ALCH_NODE_OPTIONS, 0, 0, 0);
  for ALCH_EACH_CHILD(option, options) {
    alch_reader reader = { .block = &nothing, .node = option };
    if (option->kind == ALCH_NODE_OPTION) alch_builder_copy(builder, &reader);
  }
  alch_builder_close(builder);
}

void alch_mapper_close_select(alch_builder *builder, const alch_node *options) {
  alch_builder_close(builder);
  alch_build_options(builder, options);
  alch_builder_close(builder);
}

void alch_build_in_keys(alch_builder *builder, uint32_t source, const alch_column *column) {
  const alch_value list = { .kind = ALCH_LIST };
  alch_builder_open(builder, ALCH_NODE_BINARY, ALCH_OPERATOR_IN, 0, ALCH_TYPE_BOOLEAN);
  alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, source, column->index);
  alch_builder_bind(builder, column->type, ALCH_BIND_NAMED | ALCH_BIND_EXPANDING, "keys", &list, NULL);
  alch_builder_close(builder);
}

static void compare_key(const alch_mapper *mapper, uint32_t part, alch_builder *builder) {
  const char name[] = { 'k', (char)('a' + part), '\0' };
  const alch_column *column = mapper->attributes[mapper->key_slots[part]].column;
  alch_builder_open(builder, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
  alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, mapper->table->id, column->index);
  alch_builder_bind(builder, column->type, ALCH_BIND_NAMED, name, &ALCH_VALUE_NULL, NULL);
  alch_builder_close(builder);
}

static alch_status build_blocks(alch_mapper *mapper, alch_builder *builder, alch_error *error) {
  alch_mapper_open_select(mapper, builder);
  for (uint32_t i = 0; i < mapper->key_count; i++) compare_key(mapper, i, builder);
  alch_mapper_close_select(builder, NULL);
  mapper->get_block = alch_registry_block(mapper->registry, builder, error);
  if (!mapper->get_block) return ALCH_ERROR;
  mapper->load_block = NULL;
  if (mapper->key_count > 1) return ALCH_OK;
  alch_mapper_open_select(mapper, builder);
  alch_build_in_keys(builder, mapper->table->id, mapper->attributes[mapper->key_slots[0]].column);
  alch_mapper_close_select(builder, NULL);
  mapper->load_block = alch_registry_block(mapper->registry, builder, error);
  return mapper->load_block ? ALCH_OK : ALCH_ERROR;
}

/* ---- configuration ---- */

typedef alch_status (*relationship_step)(alch_relationship *relationship, alch_error *error);

static alch_status each_relationship(alch_registry *registry, relationship_step step, alch_error *error) {
  for (uint32_t i = 0; i < registry->mapper_count; i++) {
    alch_mapper *mapper = registry->mappers[i];
    for (uint32_t j = 0; j < mapper->relationship_count && !mapper->configured; j++)
      if (step(&mapper->relationships[j], error) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}

static alch_status build_mapper(alch_mapper *mapper, alch_builder *builder, alch_error *error) {
  if (build_blocks(mapper, builder, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < mapper->relationship_count; i++)
    if (alch_relationship_build(&mapper->relationships[i], builder, error) != ALCH_OK) return ALCH_ERROR;
  return ALCH_OK;
}

static alch_status build_all(alch_registry *registry, alch_error *error) {
  alch_builder builder;
  alch_status status = ALCH_OK;
  alch_builder_init(&builder, registry->arena.allocator);
  for (uint32_t i = 0; i < registry->mapper_count && status == ALCH_OK; i++)
    if (!registry->mappers[i]->configured) status = build_mapper(registry->mappers[i], &builder, error);
  alch_builder_destroy(&builder);
  return status;
}

alch_status alch_registry_configure(alch_registry *registry, alch_error *error) {
  if (registry->configured) return ALCH_OK;
  if (order_mappers(registry, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < registry->mapper_count; i++)
    if (!registry->mappers[i]->configured) configure_attributes(registry->mappers[i]);
  if (each_relationship(registry, alch_relationship_configure, error) != ALCH_OK || each_relationship(registry, alch_relationship_tie, error) != ALCH_OK) return ALCH_ERROR;
  if (build_all(registry, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < registry->mapper_count; i++) registry->mappers[i]->configured = true;
  registry->configured = true;
  return ALCH_OK;
}
