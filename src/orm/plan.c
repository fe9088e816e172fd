/* Plans: made once for a statement, kept with its compiled form. */
#include "orm/plan_work.h"

#include <string.h>

static void release_plan(void *memory) {
  alch_plan *plan = memory;
  alch_arena_clear(&plan->arena);
  alch_free(plan->allocator, plan, sizeof *plan);
}

/* ---- values keep their places ----
   While the statement is rewritten, its values are their own numbers; where each has gone is read from the result, and the compiled slots ask for the value that the original has there. */

static uint32_t count_records(const alch_block *block) {
  uint32_t count = 0;
  for (alch_value_cursor cursor = alch_block_value_cursor(block); cursor.next < cursor.end; count++) alch_value_cursor_skip(&cursor);
  return count;
}

static alch_block *number_values(alch_arena *arena, const alch_block *block, uint32_t count) {
  size_t head = sizeof *block + block->structure;
  alch_block *numbered = alch_arena_allocate(arena, head + count * 16);
  if (!numbered) return NULL;
  memcpy(numbered, block, head);
  numbered->values = count * 16;
  numbered->definition_values = alch_block_definition_binds(block) * 16;
  numbered->flags &= ~(uint32_t)ALCH_BLOCK_HOST_VALUES;
  for (uint32_t i = 0; i < count; i++) {
    char *record = (char *)numbered + head + i * 16;
    const uint32_t kind[2] = { ALCH_INTEGER, 0 };
    const int64_t number = i;
    memcpy(record, kind, sizeof kind);
    memcpy(record + sizeof kind, &number, sizeof number);
  }
  return numbered;
}

/* map[i]: which value of the original the i-th of the rewritten block is. */
static uint32_t *read_numbers(alch_planner *planner, const alch_block *rewritten, uint32_t *count) {
  *count = rewritten->values / 16;
  uint32_t *map = alch_arena_allocate(&planner->arena, (*count + 1) * sizeof *map);
  alch_value_cursor cursor = alch_block_value_cursor(rewritten);
  alch_value value;
  for (uint32_t i = 0; map && alch_value_cursor_next(&cursor, &value); i++) map[i] = (uint32_t)value.integer;
  return map;
}

/* Where each record of a block begins; [count]: the end. */
static const char **find_records(alch_planner *planner, const alch_block *block, uint32_t count) {
  const char **records = alch_arena_allocate(&planner->arena, (count + 1) * sizeof *records);
  alch_value_cursor cursor = alch_block_value_cursor(block);
  for (uint32_t i = 0; records && i <= count; i++) {
    records[i] = cursor.next;
    alch_value_cursor_skip(&cursor);
  }
  return records;
}

/* The rewritten block with the true values: a compiler may look at them. */
static const alch_block *restore_values(alch_planner *planner, const alch_block *rewritten, const alch_block *original, const uint32_t *map, uint32_t count, uint32_t original_count) {
  const char **records = find_records(planner, original, original_count);
  size_t size = sizeof *rewritten + rewritten->structure;
  if (!records) return NULL;
  for (uint32_t i = 0; i < count; i++) size += (size_t)(records[map[i] + 1] - records[map[i]]);
  alch_block *restored = alch_arena_allocate(&planner->plan->arena, size);
  if (!restored) return NULL;
  memcpy(restored, rewritten, sizeof *rewritten + rewritten->structure);
  restored->values = (uint32_t)(size - sizeof *rewritten - rewritten->structure);
  restored->definition_values = 0;
  restored->flags |= original->flags & ALCH_BLOCK_HOST_VALUES;
  uint32_t definition_binds = alch_block_definition_binds(rewritten);
  char *next = (char *)restored + sizeof *rewritten + rewritten->structure;
  for (uint32_t i = 0; i < count; i++) {
    size_t length = (size_t)(records[map[i] + 1] - records[map[i]]);
    memcpy(next, records[map[i]], length);
    if (i < definition_binds) restored->definition_values += (uint32_t)length;
    next += length;
  }
  return restored;
}

/* The compiled statement is still nobody else's. */
static void point_slots(alch_compiled *compiled, const uint32_t *map, uint32_t original_count) {
  for (uint32_t i = 0; i < compiled->slot_count; i++)
    if (compiled->slots[i].kind != ALCH_SLOT_DEFAULT && compiled->slots[i].ordinal < compiled->value_count) compiled->slots[i].ordinal = map[compiled->slots[i].ordinal];
  compiled->value_count = original_count;
}

/* ---- entities ---- */

static bool take_option_slots(alch_planner *planner, const alch_planned *from, uint8_t strategy, uint32_t **slots, uint32_t *count) {
  const alch_mapper *mapper = from->mapper;
  for (uint32_t i = 0; i < mapper->relationship_count; i++)
    if (alch_plan_strategy(from->options, &mapper->relationships[i]) == strategy) (*count)++;
  if (*count == 0) return true;
  *slots = alch_arena_allocate(&planner->plan->arena, *count * sizeof **slots);
  if (!*slots) return false;
  *count = 0;
  for (uint32_t i = 0; i < mapper->relationship_count; i++)
    if (alch_plan_strategy(from->options, &mapper->relationships[i]) == strategy) (*slots)[(*count)++] = mapper->relationships[i].slot;
  return true;
}

static bool map_columns(alch_planner *planner, const alch_planned *from, alch_plan_entity *entity) {
  alch_arena *arena = &planner->plan->arena;
  const alch_mapper *mapper = from->mapper;
  entity->slot_of_result = alch_arena_copy(arena, from->slots, from->slot_count * sizeof *from->slots);
  entity->given = alch_arena_allocate(arena, mapper->attribute_count * sizeof *entity->given);
  entity->key_columns = alch_arena_allocate(arena, mapper->key_count * sizeof *entity->key_columns);
  if (!entity->slot_of_result || !entity->given || !entity->key_columns) return false;
  for (uint32_t i = 0; i < from->slot_count; i++) {
    entity->given[from->slots[i]] = true;
    for (uint32_t j = 0; j < mapper->key_count; j++)
      if (mapper->key_slots[j] == from->slots[i]) entity->key_columns[j] = entity->first_column + i;
  }
  entity->direct = from->slot_count == mapper->attribute_count;
  return true;
}

static alch_status fill_entities(alch_planner *planner) {
  alch_plan *plan = planner->plan;
  uint32_t next_joined = planner->first_output[planner->main_items];
  plan->entities = alch_arena_allocate(&plan->arena, planner->entity_count * sizeof *plan->entities);
  if (!plan->entities) return alch_error_out_of_memory(planner->error);
  plan->entity_count = planner->entity_count;
  for (uint32_t i = 0; i < planner->entity_count; i++) {
    const alch_planned *from = &planner->entities[i];
    alch_plan_entity *entity = &plan->entities[i];
    *entity = (alch_plan_entity){ .mapper = from->mapper, .column_count = from->slot_count, .place = UINT32_MAX, .owner = from->owner, .relationship = from->relationship };
    entity->first_column = from->joined ? next_joined : planner->first_output[from->item];
    if (from->joined) next_joined += from->slot_count;
    bool filled = map_columns(planner, from, entity) && take_option_slots(planner, from, ALCH_LAZY_RAISE, &entity->raising, &entity->raising_count) &&
                  take_option_slots(planner, from, ALCH_LAZY_NOLOAD, &entity->empty, &entity->empty_count);
    if (!filled) return alch_error_out_of_memory(planner->error);
  }
  return ALCH_OK;
}

static alch_status fill_follows(alch_planner *planner) {
  alch_plan *plan = planner->plan;
  if (planner->follow_count == 0) return ALCH_OK;
  plan->follows = alch_arena_copy(&plan->arena, planner->follows, planner->follow_count * sizeof *plan->follows);
  if (!plan->follows) return alch_error_out_of_memory(planner->error);
  plan->follow_count = planner->follow_count;
  for (uint32_t i = 0; i < plan->follow_count; i++) plan->entities[plan->follows[i].entity].followed = true;
  return ALCH_OK;
}

/* Does an entity hang at another, or is it that one? */
static bool hangs_at(const alch_plan *plan, uint32_t entity, uint32_t at) {
  while (entity != at && entity != UINT32_MAX) entity = plan->entities[entity].owner;
  return entity == at;
}

/* A list that it does not hang at itself makes rows that say the same of it. */
static bool repeats(const alch_plan *plan, uint32_t entity) {
  if (plan->entities[entity].mapper->key_count != 1) return false;
  for (uint32_t i = 0; i < plan->entity_count; i++)
    if (plan->entities[i].relationship && plan->entities[i].relationship->list && !hangs_at(plan, entity, i)) return true;
  return false;
}

/* ---- places ---- */

static void add_value_places(alch_plan *plan, const alch_compiled *compiled, uint32_t first, uint32_t end) {
  for (uint32_t column = first; column < end; column++)
    plan->places[plan->place_count++] = (alch_plan_place){ .entity = UINT32_MAX, .column = column, .name = compiled->columns[column].name };
}

static void add_entity_place(alch_plan *plan, uint32_t number) {
  plan->entities[number].place = plan->place_count;
  plan->places[plan->place_count++] = (alch_plan_place){ .entity = number, .name = plan->entities[number].mapper->name };
}

static alch_status fill_places(alch_planner *planner, const alch_compiled *compiled) {
  alch_plan *plan = planner->plan;
  plan->places = alch_arena_allocate(&plan->arena, (compiled->column_count + 1) * sizeof *plan->places);
  if (!plan->places) return alch_error_out_of_memory(planner->error);
  if (planner->entity_count == 0) add_value_places(plan, compiled, 0, compiled->column_count);
  for (uint32_t i = 0; i < planner->main_items; i++) {
    const alch_plan_item *item = &planner->items[i];
    if (item->node) add_value_places(plan, compiled, planner->first_output[i], planner->first_output[i + 1]);
    else if (planner->entities[item->entity].item == i && planner->entities[item->entity].owner == UINT32_MAX) add_entity_place(plan, item->entity);
  }
  plan->single_entity = plan->place_count == 1 && plan->entity_count > 0 && plan->places[0].entity == 0;
  plan->by_parts = plan->single_entity && plan->unique;
  for (uint32_t i = 0; i < plan->entity_count; i++) plan->entities[i].repeats = repeats(plan, i);
  return ALCH_OK;
}

/* ---- making ---- */

static alch_status check_options(const alch_planner *planner) {
  if (!planner->options) return ALCH_OK;
  for ALCH_EACH_CHILD(option, planner->options) {
    bool known = false;
    for (uint32_t i = 0; i < planner->entity_count && !known; i++) known = planner->entities[i].owner == UINT32_MAX && planner->entities[i].mapper->id == option->a;
    if (known) continue;
    const alch_mapper *mapper = alch_registry_mapper(planner->registry, option->a);
    return alch_error_set(planner->error, ALCH_ERROR_ARGUMENT, "Mapped class %s does not apply to any of the root entities in this query: its loader options have nothing to load; select %s, or put them behind the option that "
                          "leads to it",
                          mapper ? mapper->name : "?", mapper ? mapper->name : "it");
  }
  return ALCH_OK;
}

static void look_at(alch_planner *planner, const alch_block *block) {
  planner->block = block;
  planner->root = alch_block_root(block);
  planner->joins = planner->root->kind == ALCH_NODE_SELECT;
  planner->options = alch_node_clause(planner->root, ALCH_NODE_OPTIONS);
  if (planner->joins) planner->list = alch_node_clause(planner->root, ALCH_NODE_COLUMNS);
  else if (planner->root->kind == ALCH_NODE_INSERT || planner->root->kind == ALCH_NODE_UPDATE || planner->root->kind == ALCH_NODE_DELETE)
    planner->list = alch_node_clause(planner->root, ALCH_NODE_RETURNING);
}

static alch_status compile_rewritten(alch_planner *planner, const alch_block *original, uint32_t original_count, const alch_compile_options *options, alch_compiled **out) {
  const alch_block *rewritten;
  uint32_t count;
  if (alch_plan_rewrite(planner, &rewritten) != ALCH_OK) return ALCH_ERROR;
  uint32_t *map = read_numbers(planner, rewritten, &count);
  planner->plan->block = map ? restore_values(planner, rewritten, original, map, count, original_count) : NULL;
  if (!planner->plan->block) return alch_error_out_of_memory(planner->error);
  alch_status status = alch_compile(planner->catalog, planner->dialect, planner->plan->block, options, planner->plan->allocator, out, planner->error);
  if (status == ALCH_OK) point_slots(*out, map, original_count);
  return status;
}

static alch_status make(alch_planner *planner, const alch_block *block, const alch_compile_options *options, alch_compiled **out) {
  uint32_t records = count_records(block);
  const alch_block *numbered = number_values(&planner->arena, block, records);
  if (!numbered) return alch_error_out_of_memory(planner->error);
  look_at(planner, numbered);
  if (planner->list && alch_plan_entities(planner) != ALCH_OK) return ALCH_ERROR;
  if (check_options(planner) != ALCH_OK) return ALCH_ERROR;
  if (planner->entity_count == 0) return alch_compile(planner->catalog, planner->dialect, block, options, planner->plan->allocator, out, planner->error);
  alch_status status = compile_rewritten(planner, block, records, options, out);
  if (status == ALCH_OK) status = fill_entities(planner);
  return status == ALCH_OK ? fill_follows(planner) : status;
}

alch_status alch_plan_make(void *context, const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, const alch_compile_options *options, const alch_allocator *allocator,
                           alch_compiled **out, alch_error *error) {
  alch_planner planner = { .registry = context, .catalog = catalog, .dialect = dialect, .error = error };
  *out = NULL;
  if (alch_registry_configure(planner.registry, error) != ALCH_OK) return ALCH_ERROR;
  planner.plan = alch_allocate_zeroed(allocator, sizeof *planner.plan);
  if (!planner.plan) return alch_error_out_of_memory(error);
  planner.plan->allocator = allocator;
  alch_arena_init(&planner.plan->arena, allocator);
  alch_arena_init(&planner.arena, allocator);
  alch_builder_init(&planner.builder, allocator);
  alch_status status = make(&planner, block, options, out);
  if (status == ALCH_OK) status = fill_places(&planner, *out);
  alch_builder_destroy(&planner.builder);
  alch_arena_clear(&planner.arena);
  if (status == ALCH_OK) {
    (*out)->plan = planner.plan;
    (*out)->plan_release = release_plan;
    return ALCH_OK;
  }
  alch_compiled_release(*out);
  *out = NULL;
  release_plan(planner.plan);
  return status;
}
