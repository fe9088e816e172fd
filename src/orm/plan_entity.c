/* What a statement loads: its entities, and what options and relationships add to them. */
#include "orm/plan_work.h"
#include "sql/source.h"

#include <string.h>

enum { ENTITY_LIMIT = 60 };   /* joins of one statement */

void *alch_plan_grow(alch_planner *planner, void *array, uint32_t *capacity, uint32_t count, size_t size) {
  if (count < *capacity) return array;
  uint32_t wanted = *capacity == 0 ? 8 : *capacity * 2;
  void *grown = alch_arena_allocate(&planner->arena, wanted * size);
  if (!grown) return NULL;
  if (count > 0) memcpy(grown, array, count * size);
  *capacity = wanted;
  return grown;
}

uint32_t alch_plan_base(const alch_planner *planner, uint32_t entity) {
  while (planner->entities[entity].joined) entity = planner->entities[entity].owner;
  return entity;
}

bool alch_plan_names(const alch_planner *planner, const alch_node *node, uint32_t source) {
  if (node->kind == ALCH_NODE_TABLE || node->kind == ALCH_NODE_SOURCE) return node->a == source;
  if (node->kind != ALCH_NODE_JOIN) return false;
  const alch_node *left = alch_node_child(node);
  return alch_plan_names(planner, left, source) || alch_plan_names(planner, alch_node_next(left), source);
}

/* ---- options ---- */

static bool is_for(const alch_node *option, const alch_mapper *mapper, uint32_t slot) {
  return option->kind == ALCH_NODE_OPTION && option->a == mapper->id && (option->b == slot || option->b == UINT32_MAX);
}

static bool is_of_attributes(uint8_t op) { return op == ALCH_STRATEGY_DEFER || op == ALCH_STRATEGY_UNDEFER || op == ALCH_STRATEGY_LOAD_ONLY; }

/* The option that counts for a relationship: the last one; one that names it before one for all. NULL: none. */
static const alch_node *option_for(const alch_node *options, const alch_relationship *r) {
  const alch_node *found = NULL;
  if (!options) return NULL;
  for ALCH_EACH_CHILD(option, options) {
    if (!is_for(option, r->mapper, r->slot) || is_of_attributes(option->op) || option->op == ALCH_LAZY_DEFAULT) continue;
    if (!found || option->b != UINT32_MAX || found->b == UINT32_MAX) found = option;
  }
  return found;
}

uint8_t alch_plan_strategy(const alch_node *options, const alch_relationship *relationship) {
  const alch_node *option = option_for(options, relationship);
  return option ? option->op : ALCH_LAZY_DEFAULT;
}

static uint32_t copy_nested(alch_builder *builder, const alch_node *options, const alch_relationship *r) {
  static const alch_block nothing;
  uint32_t count = 0;
  for ALCH_EACH_CHILD(option, options) {
    if (!is_for(option, r->mapper, r->slot) || is_of_attributes(option->op)) continue;
    for ALCH_EACH_CHILD(nested, option) {
      if (nested->kind != ALCH_NODE_OPTION) continue;
      alch_reader reader = { .block = &nothing, .node = nested };
      alch_builder_copy(builder, &reader);
      count++;
    }
  }
  return count;
}

/* What stands below the options of a relationship, as one list; *out NULL: nothing. */
static alch_status nested_options(alch_planner *planner, const alch_node *options, const alch_relationship *r, const alch_node **out) {
  size_t size;
  *out = NULL;
  if (!options) return ALCH_OK;
  alch_builder_start(&planner->builder);
  alch_builder_open(&planner->builder, ALCH_NODE_OPTIONS, 0, 0, 0);
  uint32_t count = copy_nested(&planner->builder, options, r);
  alch_builder_close(&planner->builder);
  if (count == 0) return ALCH_OK;
  alch_status status = alch_builder_finish(&planner->builder, &size, planner->error);
  alch_block *block = status == ALCH_OK ? alch_arena_allocate(&planner->plan->arena, size) : NULL;
  if (!block) return status == ALCH_OK ? alch_error_out_of_memory(planner->error) : status;
  alch_builder_write(&planner->builder, block);
  *out = alch_block_root(block);
  return ALCH_OK;
}

/* ---- columns of an entity ---- */

static alch_status option_error(alch_planner *planner, const alch_node *option, const alch_mapper *mapper) {
  return alch_error_set(planner->error, ALCH_ERROR_ARGUMENT, "a loader option names attribute number %u of %s, which it does not have", (unsigned)option->b, mapper->name);
}

static alch_status apply_attribute_options(alch_planner *planner, alch_planned *entity) {
  const alch_mapper *mapper = entity->mapper;
  bool only = false;
  if (!entity->options) return ALCH_OK;
  for ALCH_EACH_CHILD(option, entity->options)
    if (option->kind == ALCH_NODE_OPTION && option->a == mapper->id && option->op == ALCH_STRATEGY_LOAD_ONLY) only = true;
  for (uint32_t i = 0; i < mapper->attribute_count && only; i++) entity->takes[i] = false;
  for ALCH_EACH_CHILD(option, entity->options) {
    if (option->kind != ALCH_NODE_OPTION || option->a != mapper->id || !is_of_attributes(option->op)) continue;
    if (option->b != UINT32_MAX && option->b >= mapper->attribute_count) return option_error(planner, option, mapper);
    for (uint32_t i = 0; i < mapper->attribute_count; i++)
      if (option->b == UINT32_MAX || option->b == i) entity->takes[i] = option->op != ALCH_STRATEGY_DEFER;
  }
  return ALCH_OK;
}

/* Keys always come along. What a subquery does not have stays unloaded. */
static alch_status choose_columns(alch_planner *planner, alch_planned *entity) {
  const alch_mapper *mapper = entity->mapper;
  entity->takes = alch_arena_allocate(&planner->arena, mapper->attribute_count * sizeof *entity->takes);
  if (!entity->takes) return alch_error_out_of_memory(planner->error);
  for (uint32_t i = 0; i < mapper->attribute_count; i++) entity->takes[i] = !mapper->attributes[i].deferred;
  alch_status status = apply_attribute_options(planner, entity);
  for (uint32_t i = 0; i < mapper->key_count; i++) entity->takes[mapper->key_slots[i]] = true;
  return status;
}

/* The columns of a subquery that an entity was aliased to. */
static alch_status find_indexes(alch_planner *planner, alch_planned *entity) {
  const alch_mapper *mapper = entity->mapper;
  if (alch_source_table(planner->catalog, planner->block, entity->source)) return ALCH_OK;
  entity->indexes = alch_arena_allocate(&planner->arena, mapper->attribute_count * sizeof *entity->indexes);
  if (!entity->indexes) return alch_error_out_of_memory(planner->error);
  for (uint32_t i = 0; i < mapper->attribute_count; i++) entity->indexes[i] = UINT32_MAX;
  alch_output output;
  for (uint32_t i = 0; alch_source_output(planner->catalog, planner->block, entity->source, i, &output); i++) {
    uint32_t slot = output.column ? alch_mapper_column_slot(mapper, output.column) : UINT32_MAX;
    if (slot != UINT32_MAX && entity->indexes[slot] == UINT32_MAX) entity->indexes[slot] = i;
  }
  for (uint32_t i = 0; i < mapper->key_count; i++)
    if (entity->indexes[mapper->key_slots[i]] == UINT32_MAX)
      return alch_error_set(planner->error, ALCH_ERROR_INVALID_REQUEST, "the subquery that stands for %s has no column '%s', which is part of its primary key; select it there", mapper->name,
                            mapper->attributes[mapper->key_slots[i]].column->name);
  return ALCH_OK;
}

static alch_status add_entity(alch_planner *planner, const alch_planned *entity, alch_planned **out) {
  alch_planned *grown = alch_plan_grow(planner, planner->entities, &planner->entity_capacity, planner->entity_count, sizeof *grown);
  if (!grown) return alch_error_out_of_memory(planner->error);
  planner->entities = grown;
  grown[planner->entity_count] = *entity;
  *out = &grown[planner->entity_count++];
  if (planner->entity_count > ENTITY_LIMIT) return alch_error_set(planner->error, ALCH_ERROR_INVALID_REQUEST, "more than %d entities in one statement; load some of them by selectinload", ENTITY_LIMIT);
  alch_status status = choose_columns(planner, *out);
  return status == ALCH_OK && !(*out)->joined ? find_indexes(planner, *out) : status;
}

static alch_status find_entities(alch_planner *planner) {
  for ALCH_EACH_CHILD(item, planner->list) {
    if (item->kind != ALCH_NODE_ENTITY || item->b == 0) continue;
    const alch_mapper *mapper = alch_registry_mapper(planner->registry, item->b);
    if (!mapper) return alch_error_set(planner->error, ALCH_ERROR_INVALID_REQUEST, "the statement selects a model of another declarative base than the one it is executed with");
    alch_planned *added, entity = { .mapper = mapper, .source = item->a, .owner = UINT32_MAX, .options = planner->options };
    if (add_entity(planner, &entity, &added) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}

/* ---- what comes along ---- */

/* Was this model met on the way from the statement's entity to this one? */
static bool is_on_way(const alch_planner *planner, uint32_t entity, const alch_mapper *mapper) {
  for (; entity != UINT32_MAX; entity = planner->entities[entity].owner)
    if (planner->entities[entity].mapper == mapper) return true;
  return false;
}

/* A relationship is followed by the values of these. */
static void take_local_columns(alch_planned *entity, const alch_relationship *r) {
  for (uint32_t i = 0; i < r->pair_count; i++) entity->takes[r->pairs[i].local] = true;
}

static alch_status join_relationship(alch_planner *planner, uint32_t owner, const alch_relationship *r, const alch_node *options) {
  alch_catalog *catalog = planner->registry->catalog;
  const alch_planned *from = &planner->entities[owner];
  alch_planned *added, entity = { .mapper = r->target, .owner = owner, .relationship = r, .joined = true, .options = options };
  entity.inner = r->inner_join && (!from->joined || from->inner);
  entity.source = alch_catalog_anonymous(catalog);
  if (r->direction == ALCH_MANY_TO_MANY) entity.secondary = alch_catalog_anonymous(catalog);
  take_local_columns(&planner->entities[owner], r);
  if (r->list) planner->plan->unique = true;
  return add_entity(planner, &entity, &added);
}

/* The statement's own join fills the relationship. */
static alch_status fill_from_join(alch_planner *planner, uint32_t owner, const alch_relationship *r, const alch_node *option, const alch_node *options) {
  alch_planned *added, entity = { .mapper = r->target, .source = r->target->table->id, .owner = owner, .relationship = r, .options = options };
  for ALCH_EACH_CHILD(child, option)
    if (child->kind == ALCH_NODE_ENTITY) entity.source = child->a;
  if (r->list) planner->plan->unique = true;
  return add_entity(planner, &entity, &added);
}

static alch_status follow_relationship(alch_planner *planner, uint32_t owner, const alch_relationship *r, bool by_default, const alch_node *options) {
  alch_plan_follow *grown = alch_plan_grow(planner, planner->follows, &planner->follow_capacity, planner->follow_count, sizeof *grown);
  if (!grown) return alch_error_out_of_memory(planner->error);
  planner->follows = grown;
  take_local_columns(&planner->entities[owner], r);
  grown[planner->follow_count++] = (alch_plan_follow){ .relationship = r, .entity = owner, .by_default = by_default, .options = options };
  return ALCH_OK;
}

static alch_status add_relationship(alch_planner *planner, uint32_t owner, const alch_relationship *r) {
  const alch_node *scope = planner->entities[owner].options, *options, *option = option_for(scope, r);
  uint8_t strategy = option ? option->op : r->strategy;
  if (strategy == ALCH_LAZY_JOINED && !planner->joins) strategy = ALCH_LAZY_SELECTIN;
  if (strategy != ALCH_LAZY_JOINED && strategy != ALCH_LAZY_SELECTIN && strategy != ALCH_STRATEGY_CONTAINS_EAGER) return ALCH_OK;
  if (!option && is_on_way(planner, owner, r->target)) return ALCH_OK;
  if (nested_options(planner, scope, r, &options) != ALCH_OK) return ALCH_ERROR;
  if (strategy == ALCH_LAZY_JOINED) return join_relationship(planner, owner, r, options);
  if (strategy == ALCH_STRATEGY_CONTAINS_EAGER) return fill_from_join(planner, owner, r, option, options);
  return follow_relationship(planner, owner, r, !option, options);
}

alch_status alch_plan_entities(alch_planner *planner) {
  if (find_entities(planner) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < planner->entity_count; i++) {
    const alch_mapper *mapper = planner->entities[i].mapper;
    for (uint32_t j = 0; j < mapper->relationship_count; j++)
      if (add_relationship(planner, i, &mapper->relationships[j]) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}
