/* The statement that loads what was planned: columns in place of entities, joins for what comes along, and where rows are counted (LIMIT and the like), a subquery round the statement as it was. */
#include "orm/plan_work.h"
#include "sql/source.h"

#include <string.h>

/* ---- columns ---- */

static uint32_t own_index(const alch_planned *entity, uint32_t slot) { return entity->indexes ? entity->indexes[slot] : entity->mapper->attributes[slot].column->index; }

/* An attribute, as the statement that is being built now has it. */
static void put_attribute(alch_planner *planner, const alch_planned *entity, uint32_t slot) {
  if (!planner->inner || entity->joined) {
    alch_builder_leaf(&planner->builder, ALCH_NODE_COLUMN, 0, entity->source, own_index(entity, slot));
    return;
  }
  uint32_t place = 0;
  while (entity->slots[place] != slot) place++;
  alch_builder_leaf(&planner->builder, ALCH_NODE_COLUMN, 0, planner->subquery, planner->first_output[entity->item + place]);
}

static alch_status list_slots(alch_planner *planner, alch_planned *entity) {
  uint32_t count = entity->mapper->attribute_count;
  entity->slots = alch_arena_allocate(&planner->arena, count * sizeof *entity->slots);
  if (!entity->slots) return alch_error_out_of_memory(planner->error);
  for (uint32_t i = 0; i < count; i++)
    if (entity->takes[i] && own_index(entity, i) != UINT32_MAX) entity->slots[entity->slot_count++] = i;
  return ALCH_OK;
}

/* ---- items of the select list ---- */

static alch_status add_item(alch_planner *planner, const alch_node *node, uint32_t entity, uint32_t slot) {
  alch_plan_item *grown = alch_plan_grow(planner, planner->items, &planner->item_capacity, planner->item_count, sizeof *grown);
  if (!grown) return alch_error_out_of_memory(planner->error);
  planner->items = grown;
  grown[planner->item_count++] = (alch_plan_item){ .node = node, .entity = entity, .slot = slot };
  return ALCH_OK;
}

static alch_status add_entity_items(alch_planner *planner, uint32_t number) {
  alch_planned *entity = &planner->entities[number];
  entity->item = planner->item_count;
  for (uint32_t i = 0; i < entity->slot_count; i++)
    if (add_item(planner, NULL, number, entity->slots[i]) != ALCH_OK) return ALCH_ERROR;
  return ALCH_OK;
}

/* The statement's own items, then what contains_eager reads from its joins. */
static alch_status list_items(alch_planner *planner) {
  uint32_t number = 0;
  for ALCH_EACH_CHILD(node, planner->list) {
    bool entity = node->kind == ALCH_NODE_ENTITY && node->b != 0;
    alch_status status = entity ? add_entity_items(planner, number++) : add_item(planner, node, UINT32_MAX, 0);
    if (status != ALCH_OK) return status;
  }
  for (; number < planner->entity_count; number++)
    if (!planner->entities[number].joined && add_entity_items(planner, number) != ALCH_OK) return ALCH_ERROR;
  return ALCH_OK;
}

/* A reader at a node of the statement, with its values. */
static alch_reader reader_at(const alch_planner *planner, const alch_node *node) {
  alch_reader reader = alch_reader_at_root(planner->block);
  while (reader.node < node) alch_reader_enter(&reader);
  return reader;
}

static void copy_node(alch_planner *planner, const alch_node *node) {
  alch_reader reader = reader_at(planner, node);
  alch_builder_copy(&planner->builder, &reader);
}

static void put_items(alch_planner *planner) {
  for (uint32_t i = 0; i < planner->item_count; i++) {
    const alch_plan_item *item = &planner->items[i];
    if (item->node) copy_node(planner, item->node);
    else put_attribute(planner, &planner->entities[item->entity], item->slot);
  }
}

static void put_joined_columns(alch_planner *planner) {
  for (uint32_t i = 0; i < planner->entity_count; i++) {
    const alch_planned *entity = &planner->entities[i];
    for (uint32_t j = 0; j < entity->slot_count && entity->joined; j++) put_attribute(planner, entity, entity->slots[j]);
  }
}

/* ---- joins ---- */

typedef struct join_level { const alch_planned *entity; bool secondary; } join_level;

static void put_equal_open(alch_planner *planner, uint32_t pairs) {
  if (pairs > 1) alch_builder_open(&planner->builder, ALCH_NODE_LIST, ALCH_OPERATOR_AND, 0, 0);
}

static void put_equal_close(alch_planner *planner, uint32_t pairs) {
  if (pairs > 1) alch_builder_close(&planner->builder);
}

static void put_condition(alch_planner *planner, const join_level *level) {
  const alch_planned *entity = level->entity, *owner = &planner->entities[entity->owner];
  const alch_relationship *r = entity->relationship;
  bool many = r->direction == ALCH_MANY_TO_MANY, far = many && !level->secondary;
  const alch_pair *pairs = far ? r->remote_pairs : r->pairs;
  uint32_t count = far ? r->remote_pair_count : r->pair_count;
  put_equal_open(planner, count);
  for (uint32_t i = 0; i < count; i++) {
    alch_builder_open(&planner->builder, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
    if (far) put_attribute(planner, entity, pairs[i].remote);
    else put_attribute(planner, owner, pairs[i].local);
    if (many) alch_builder_leaf(&planner->builder, ALCH_NODE_COLUMN, 0, entity->secondary, pairs[i].link->index);
    else put_attribute(planner, entity, pairs[i].remote);
    alch_builder_close(&planner->builder);
  }
  put_equal_close(planner, count);
}

/* All joins that hang on a FROM item, or (item NULL) on a source. levels has room for two an entity. */
static uint32_t levels_of(const alch_planner *planner, const alch_node *item, uint32_t source, join_level *levels) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < planner->entity_count; i++) {
    const alch_planned *entity = &planner->entities[i];
    if (!entity->joined) continue;
    uint32_t base = planner->inner ? planner->subquery : planner->entities[alch_plan_base(planner, i)].source;
    if (item ? !alch_plan_names(planner, item, base) : base != source) continue;
    if (entity->relationship->direction == ALCH_MANY_TO_MANY) levels[count++] = (join_level){ entity, true };
    levels[count++] = (join_level){ entity, false };
  }
  return count;
}

static void open_joins(alch_planner *planner, const join_level *levels, uint32_t count) {
  while (count-- > 0) alch_builder_open(&planner->builder, ALCH_NODE_JOIN, levels[count].entity->inner ? ALCH_JOIN_INNER : ALCH_JOIN_LEFT, 0, 0);
}

static void close_joins(alch_planner *planner, const join_level *levels, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const alch_planned *entity = levels[i].entity;
    alch_builder_leaf(&planner->builder, ALCH_NODE_SOURCE, 0, levels[i].secondary ? entity->secondary : entity->source, 0);
    put_condition(planner, &levels[i]);
    alch_builder_close(&planner->builder);
  }
}

static void join_to_source(alch_planner *planner, uint32_t source, join_level *levels) {
  uint32_t count = levels_of(planner, NULL, source, levels);
  if (count == 0) return;
  open_joins(planner, levels, count);
  alch_builder_leaf(&planner->builder, source & ALCH_ANONYMOUS ? ALCH_NODE_SOURCE : ALCH_NODE_TABLE, 0, source, 0);
  close_joins(planner, levels, count);
}

/* Is a source shown by the statement's FROM, or was it dealt with for an entity before? */
static bool is_shown(const alch_planner *planner, const alch_node *from, uint32_t entity) {
  uint32_t source = planner->entities[entity].source;
  for (uint32_t i = 0; i < entity; i++)
    if (!planner->entities[i].joined && planner->entities[i].source == source) return true;
  if (!from) return false;
  for ALCH_EACH_CHILD(item, from)
    if (alch_plan_names(planner, item, source)) return true;
  return false;
}

static void put_from(alch_planner *planner, const alch_node *from, join_level *levels) {
  alch_builder_open(&planner->builder, ALCH_NODE_FROM, 0, 0, 0);
  if (from) {
    for ALCH_EACH_CHILD(item, from) {
      uint32_t count = levels_of(planner, item, 0, levels);
      open_joins(planner, levels, count);
      copy_node(planner, item);
      close_joins(planner, levels, count);
    }
  }
  for (uint32_t i = 0; i < planner->entity_count; i++)
    if (!planner->entities[i].joined && !is_shown(planner, from, i)) join_to_source(planner, planner->entities[i].source, levels);
  alch_builder_close(&planner->builder);
}

static bool has_joins(const alch_planner *planner) {
  for (uint32_t i = 0; i < planner->entity_count; i++)
    if (planner->entities[i].joined) return true;
  return false;
}

static void define_aliases(alch_planner *planner) {
  for (uint32_t i = 0; i < planner->entity_count; i++) {
    const alch_planned *entity = &planner->entities[i];
    if (!entity->joined) continue;
    alch_builder_define(&planner->builder, entity->source, ALCH_DEFINITION_ALIAS, NULL, NULL, entity->mapper->table->id);
    if (entity->secondary) alch_builder_define(&planner->builder, entity->secondary, ALCH_DEFINITION_ALIAS, NULL, NULL, entity->relationship->secondary->id);
  }
}

/* ---- ORDER BY of relationships ---- */

/* Values of an order_by are part of the schema, and the statement's own values must keep their places: they are written out. */
static alch_status copy_written_out(alch_planner *planner, alch_reader *reader, alch_buffer *text) {
  alch_value value;
  if (reader->node->kind != ALCH_NODE_BIND) {
    const alch_node *node = reader->node, *end = alch_node_next(node);
    alch_builder_open_text(&planner->builder, node->kind, node->op, node->a, node->b, alch_node_text(node), node->length);
    alch_reader_enter(reader);
    while (reader->node < end)
      if (copy_written_out(planner, reader, text) != ALCH_OK) return ALCH_ERROR;
    alch_builder_close(&planner->builder);
    return ALCH_OK;
  }
  alch_value_cursor at = reader->values;
  alch_buffer_clear(text);
  if (!alch_value_cursor_next(&at, &value)) return alch_error_set(planner->error, ALCH_ERROR_ARGUMENT, "an order_by has no value for one of its binds");
  if (alch_render_literal(planner->dialect, alch_catalog_type(planner->catalog, reader->node->a), &value, text, planner->error) != ALCH_OK) return ALCH_ERROR;
  if (alch_buffer_failed(text)) return alch_error_out_of_memory(planner->error);
  alch_builder_leaf_text(&planner->builder, ALCH_NODE_LITERAL, 0, reader->node->a, 0, alch_buffer_text(text), text->length);
  alch_reader_skip(reader);
  return ALCH_OK;
}

static alch_status put_order_block(alch_planner *planner, const alch_relationship *r, const alch_block *block) {
  alch_reader reader = alch_reader_at_root(block);
  if (reader.values.next != alch_block_values(block))
    return alch_error_set(planner->error, ALCH_ERROR_ARGUMENT, "the order_by of %s.%s has values inside a subquery, which joined loading cannot place; load it by selectinload", r->mapper->name, r->name);
  if (block->values == 0) {
    alch_build_order_by(&planner->builder, block);
    return ALCH_OK;
  }
  alch_buffer text;
  alch_status status = ALCH_OK;
  const alch_node *end = alch_node_next(reader.node);
  alch_buffer_init(&text, planner->plan->allocator);
  alch_builder_definitions(&planner->builder, block);
  if (reader.node->kind == ALCH_NODE_LIST && reader.node->op == ALCH_OPERATOR_COMMA) alch_reader_enter(&reader);
  while (reader.node < end && status == ALCH_OK) status = copy_written_out(planner, &reader, &text);
  alch_buffer_close(&text);
  return status;
}

static alch_status put_relationship_orders(alch_planner *planner) {
  for (uint32_t i = 0; i < planner->entity_count; i++) {
    const alch_planned *entity = &planner->entities[i];
    const alch_relationship *r = entity->relationship;
    if (!entity->joined || !r->order_by || r->direction == ALCH_MANY_TO_ONE) continue;
    alch_block *copy = alch_arena_copy(&planner->arena, r->order_by, alch_block_size(r->order_by));
    if (!copy) return alch_error_out_of_memory(planner->error);
    alch_block_retarget(copy, r->target->table->id, entity->source);
    if (r->secondary) alch_block_retarget(copy, r->secondary->id, entity->secondary);
    if (put_order_block(planner, r, copy) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}

static bool has_orders(const alch_planner *planner) {
  for (uint32_t i = 0; i < planner->entity_count; i++) {
    const alch_relationship *r = planner->entities[i].relationship;
    if (planner->entities[i].joined && r->order_by && r->direction != ALCH_MANY_TO_ONE) return true;
  }
  return false;
}

/* ---- the statement, with joins put into it ---- */

static void copy_clause(alch_planner *planner, const alch_node *clause) {
  for ALCH_EACH_CHILD(child, clause) copy_node(planner, child);
}

static alch_status put_order_by(alch_planner *planner, const alch_node *clause) {
  alch_builder_open(&planner->builder, ALCH_NODE_ORDER_BY, 0, 0, 0);
  if (clause) copy_clause(planner, clause);
  alch_status status = put_relationship_orders(planner);
  alch_builder_close(&planner->builder);
  return status;
}

static void put_list(alch_planner *planner, bool joined) {
  alch_builder_open(&planner->builder, planner->list->kind, planner->list->op, 0, 0);
  put_items(planner);
  if (joined) put_joined_columns(planner);
  alch_builder_close(&planner->builder);
}

/* joined: with what comes along; else the statement alone, as a subquery needs it. */
static alch_status put_statement(alch_planner *planner, bool joined) {
  const alch_node *from = alch_node_clause(planner->root, ALCH_NODE_FROM), *order = alch_node_clause(planner->root, ALCH_NODE_ORDER_BY);
  bool joins = joined && has_joins(planner), orders = joined && has_orders(planner);
  join_level *levels = alch_arena_allocate(&planner->arena, (planner->entity_count * 2 + 1) * sizeof *levels);
  alch_status status = ALCH_OK;
  if (!levels) return alch_error_out_of_memory(planner->error);
  alch_builder_start(&planner->builder);
  alch_builder_definitions(&planner->builder, planner->block);
  if (joins) define_aliases(planner);
  alch_builder_open(&planner->builder, planner->root->kind, planner->root->op, planner->root->a, planner->root->b);
  const alch_node *clause = alch_node_child(planner->root), *end = alch_node_next(planner->root);
  for (uint32_t kind = ALCH_NODE_WITH; kind < ALCH_NODE_OPTIONS && status == ALCH_OK; kind++) {
    const alch_node *own = clause < end && clause->kind == kind ? clause : NULL;
    if (kind == planner->list->kind) put_list(planner, joined);
    else if (kind == ALCH_NODE_FROM && joins) put_from(planner, from, levels);
    else if (kind == ALCH_NODE_ORDER_BY && orders) status = put_order_by(planner, order);
    else if (own) copy_node(planner, own);
    if (own) clause = alch_node_next(own);
  }
  alch_builder_close(&planner->builder);
  return status;
}

static alch_status finish(alch_planner *planner, const alch_block **out) {
  size_t size;
  if (alch_builder_finish(&planner->builder, &size, planner->error) != ALCH_OK) return ALCH_ERROR;
  alch_block *block = alch_arena_allocate(&planner->arena, size);
  if (!block) return alch_error_out_of_memory(planner->error);
  alch_builder_write(&planner->builder, block);
  *out = block;
  return ALCH_OK;
}

/* ---- as a subquery ---- */

static bool is_ordering(const alch_node *node) {
  return node->kind == ALCH_NODE_UNARY &&
         (node->op == ALCH_OPERATOR_DESC || node->op == ALCH_OPERATOR_ASC || node->op == ALCH_OPERATOR_NULLS_FIRST || node->op == ALCH_OPERATOR_NULLS_LAST);
}

static bool is_label(const alch_node *node) { return node->kind == ALCH_NODE_LABEL || node->kind == ALCH_NODE_LABEL_NAME; }

/* Is the item what the ORDER BY names? */
static bool is_item(const alch_planner *planner, const alch_plan_item *item, const alch_node *node) {
  if (!item->node) {
    const alch_planned *entity = &planner->entities[item->entity];
    return node->kind == ALCH_NODE_COLUMN && node->a == entity->source && node->b == own_index(entity, item->slot);
  }
  if (is_label(node)) return item->node->kind == ALCH_NODE_LABEL && item->node->length == node->length && memcmp(alch_node_text(item->node), alch_node_text(node), node->length) == 0;
  return node->kind == ALCH_NODE_COLUMN && item->node->kind == ALCH_NODE_COLUMN && item->node->a == node->a && item->node->b == node->b;
}

/* What the statement is ordered by must be a column of the subquery, so that what is outside can be ordered by it again. */
static alch_status list_orders(alch_planner *planner) {
  const alch_node *order_by = alch_node_clause(planner->root, ALCH_NODE_ORDER_BY);
  uint32_t count = order_by ? alch_node_child_count(order_by) : 0;
  if (count == 0) return ALCH_OK;
  planner->orders = alch_arena_allocate(&planner->arena, count * sizeof *planner->orders);
  if (!planner->orders) return alch_error_out_of_memory(planner->error);
  for ALCH_EACH_CHILD(child, order_by) {
    const alch_node *node = child;
    uint32_t item = 0;
    while (is_ordering(node)) node = alch_node_child(node);
    while (item < planner->item_count && !is_item(planner, &planner->items[item], node)) item++;
    if (item == planner->item_count && add_item(planner, node, UINT32_MAX, 0) != ALCH_OK) return ALCH_ERROR;
    planner->orders[planner->order_count++] = (alch_plan_order){ .node = child, .item = item };
  }
  return ALCH_OK;
}

static void put_outer_orders(alch_planner *planner) {
  for (uint32_t i = 0; i < planner->order_count; i++) {
    const alch_plan_order *order = &planner->orders[i];
    uint32_t depth = 0;
    for (const alch_node *node = order->node; is_ordering(node); node = alch_node_child(node), depth++) alch_builder_open(&planner->builder, node->kind, node->op, node->a, node->b);
    alch_builder_leaf(&planner->builder, ALCH_NODE_COLUMN, 0, planner->subquery, planner->first_output[order->item]);
    while (depth-- > 0) alch_builder_close(&planner->builder);
  }
}

static alch_status put_outer(alch_planner *planner, uint32_t main_items) {
  join_level *levels = alch_arena_allocate(&planner->arena, (planner->entity_count * 2 + 1) * sizeof *levels);
  if (!levels) return alch_error_out_of_memory(planner->error);
  alch_builder_start(&planner->builder);
  alch_builder_define(&planner->builder, planner->subquery, ALCH_DEFINITION_SUBQUERY, NULL, planner->inner, 0);
  define_aliases(planner);
  alch_builder_open(&planner->builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&planner->builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  for (uint32_t i = 0; i < planner->first_output[main_items]; i++) alch_builder_leaf(&planner->builder, ALCH_NODE_COLUMN, 0, planner->subquery, i);
  put_joined_columns(planner);
  alch_builder_close(&planner->builder);
  alch_builder_open(&planner->builder, ALCH_NODE_FROM, 0, 0, 0);
  join_to_source(planner, planner->subquery, levels);
  alch_builder_close(&planner->builder);
  alch_status status = ALCH_OK;
  if (planner->order_count > 0 || has_orders(planner)) {
    alch_builder_open(&planner->builder, ALCH_NODE_ORDER_BY, 0, 0, 0);
    put_outer_orders(planner);
    status = put_relationship_orders(planner);
    alch_builder_close(&planner->builder);
  }
  alch_builder_close(&planner->builder);
  return status;
}

/* ---- all of it ---- */

/* Where each item's columns are in the row of the block's select list. */
static alch_status find_outputs(alch_planner *planner, const alch_block *block) {
  uint32_t *first = planner->first_output = alch_arena_allocate(&planner->arena, (planner->item_count + 1) * sizeof *first);
  if (!first) return alch_error_out_of_memory(planner->error);
  const alch_node *list = alch_node_clause(alch_block_root(block), planner->list->kind);
  alch_output_walk walk = alch_outputs_of(planner->catalog, block, list);
  alch_output output;
  uint32_t item = 0, count = 0;
  for (; alch_output_next(&walk, &output) && output.place < planner->item_count; count++)
    while (item <= output.place) first[item++] = count;
  while (item <= planner->item_count) first[item++] = count;
  return ALCH_OK;
}

static bool counts_rows(const alch_node *statement) {
  static const uint8_t clauses[] = { ALCH_NODE_LIMIT, ALCH_NODE_OFFSET, ALCH_NODE_DISTINCT, ALCH_NODE_GROUP_BY };
  for (size_t i = 0; i < ALCH_COUNT(clauses); i++)
    if (alch_node_clause(statement, clauses[i])) return true;
  return false;
}

static bool joins_lists(const alch_planner *planner) {
  for (uint32_t i = 0; i < planner->entity_count; i++)
    if (planner->entities[i].joined && planner->entities[i].relationship->list) return true;
  return false;
}

static alch_status wrap(alch_planner *planner, uint32_t main_items, const alch_block **out) {
  const alch_block *inner;
  if (list_orders(planner) != ALCH_OK || put_statement(planner, false) != ALCH_OK || finish(planner, &inner) != ALCH_OK) return ALCH_ERROR;
  if (find_outputs(planner, inner) != ALCH_OK) return ALCH_ERROR;
  planner->inner = inner;
  planner->subquery = alch_catalog_anonymous(planner->registry->catalog);
  if (put_outer(planner, main_items) != ALCH_OK) return ALCH_ERROR;
  return finish(planner, out);
}

alch_status alch_plan_rewrite(alch_planner *planner, const alch_block **out) {
  for (uint32_t i = 0; i < planner->entity_count; i++)
    if (list_slots(planner, &planner->entities[i]) != ALCH_OK) return ALCH_ERROR;
  if (list_items(planner) != ALCH_OK) return ALCH_ERROR;
  planner->main_items = planner->item_count;
  if (joins_lists(planner) && counts_rows(planner->root)) return wrap(planner, planner->main_items, out);
  if (put_statement(planner, true) != ALCH_OK || finish(planner, out) != ALCH_OK) return ALCH_ERROR;
  return find_outputs(planner, *out);
}
