/* Mappers that refer to each other in a circle: their objects are ordered one by one.
   New objects get a level (one more than the deepest they refer to) and go level by level, so that a tree of depth d takes d batches. While planning, object->born of a new object holds
   its number in the circle, then its level, from 1. */
#include <stdlib.h>

#include "base/graph.h"
#include "orm/flush_planner.h"

typedef struct circle {
  alch_planner *planner;
  uint32_t first;                /* number of its first mapper */
  alch_object_list nodes;
  alch_edge *edges;
  uint32_t edge_count, edge_capacity, deepest;
} circle;

static bool in_circle(const circle *c, const alch_mapper *mapper) {
  uint32_t number = alch_planner_number(c->planner, mapper);
  return number != UINT32_MAX && c->planner->components[number] == c->planner->components[c->first];
}

static bool is_node(const alch_object *object) { return object != NULL && object->state & ALCH_STATE_PENDING && object->born != 0; }

static alch_status add_edge(circle *c, uint32_t before, uint32_t after) {
  alch_edge *grown = alch_grow(c->planner->session->allocator, c->edges, &c->edge_capacity, c->edge_count + 1, sizeof *grown);
  if (grown == NULL) return alch_error_out_of_memory(c->planner->error);
  c->edges = grown;
  c->edges[c->edge_count++] = (alch_edge){ before, after };
  return ALCH_OK;
}

static alch_status number_pending(circle *c) {
  const alch_object_list *pending = &c->planner->session->pending;
  for (uint32_t i = 0; i < pending->count; i++) {
    alch_object *object = pending->items[i];
    if (!alch_is_saved(object) || !in_circle(c, object->mapper)) continue;
    if (alch_list_add(c->planner->session->allocator, &c->nodes, object) != ALCH_OK) return alch_error_out_of_memory(c->planner->error);
    object->born = c->nodes.count;
  }
  return ALCH_OK;
}

static alch_status pending_edges(circle *c) {
  const alch_planner *p = c->planner;
  for (uint32_t i = 0; i < p->copy_count; i++) {
    if (p->copies[i].relationship->post_update) continue;
    for (uint32_t k = 0; k < p->copies[i].count; k++) {
      alch_link link = p->flush->links[p->copies[i].first + k];
      if (!is_node(link.parent) || !is_node(link.child)) continue;
      alch_status status = add_edge(c, link.parent->born - 1, link.child->born - 1);
      if (status != ALCH_OK) return status;
    }
  }
  return ALCH_OK;
}

static alch_status sort_nodes(circle *c, uint32_t *order) {
  uint32_t ordered = 0;
  alch_status status = alch_graph_sort(c->planner->session->allocator, c->nodes.count, c->edges, c->edge_count, order, &ordered);
  if (status == ALCH_ERROR) return alch_error_out_of_memory(c->planner->error);
  if (status == ALCH_OK) return ALCH_OK;
  return alch_error_set(c->planner->error, ALCH_ERROR_CIRCULAR_DEPENDENCY,
                        "%s objects refer to each other in a circle, so that none of them can be written first: give one of the relationships post_update = true, and its column is written by an UPDATE of its own",
                        c->nodes.items[order[ordered]]->mapper->name);
}

/* Edges in compressed rows, walked in topological order: one pass gives the levels. */
static alch_status find_levels(circle *c) {
  alch_arena *arena = &c->planner->flush->arena;
  uint32_t count = c->nodes.count;
  uint32_t *order = alch_arena_allocate(arena, (count + 1) * sizeof *order), *start = alch_arena_allocate(arena, (count + 2) * sizeof *start);
  uint32_t *after = alch_arena_allocate(arena, (c->edge_count + 1) * sizeof *after), *levels = alch_arena_allocate(arena, (count + 1) * sizeof *levels);
  if (order == NULL || start == NULL || after == NULL || levels == NULL) return alch_error_out_of_memory(c->planner->error);
  alch_status status = sort_nodes(c, order);
  if (status != ALCH_OK) return status;
  for (uint32_t i = 0; i < c->edge_count; i++) start[c->edges[i].before + 2]++;
  for (uint32_t i = 2; i < count + 2; i++) start[i] += start[i - 1];
  for (uint32_t i = 0; i < c->edge_count; i++) after[start[c->edges[i].before + 1]++] = c->edges[i].after;
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t k = start[order[i]]; k < start[order[i] + 1]; k++)
      if (levels[after[k]] <= levels[order[i]]) levels[after[k]] = levels[order[i]] + 1;
  for (uint32_t i = 0; i < count; i++) {
    c->nodes.items[i]->born = levels[i] + 1;
    if (levels[i] > c->deepest) c->deepest = levels[i];
  }
  return ALCH_OK;
}

/* Pairs whose child is no new object of the circle go last. */
static uint32_t link_level(const alch_link *link) { return is_node(link->child) ? link->child->born : UINT32_MAX; }

static int by_level(const void *left, const void *right) {
  uint32_t a = link_level(left), b = link_level(right);
  return (a > b) - (a < b);
}

/* The part of a COPY step that belongs to a level (UINT32_MAX: the rest). */
static alch_status copy_level(circle *c, alch_step *copy, uint32_t level) {
  alch_step part = *copy;
  part.count = 0;
  while (part.count < copy->count && link_level(&c->planner->flush->links[copy->first + part.count]) == level) part.count++;
  copy->first += part.count;
  copy->count -= part.count;
  return alch_flush_add_step(c->planner->flush, part, c->planner->error);
}

static bool takes_copy(const circle *c, const alch_step *copy) { return !copy->relationship->post_update && in_circle(c, copy->mapper); }

static alch_status copies_of_level(circle *c, uint32_t level) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < c->planner->copy_count && status == ALCH_OK; i++)
    if (takes_copy(c, &c->planner->copies[i])) status = copy_level(c, &c->planner->copies[i], level);
  return status;
}

/* Objects sorted by level, in the order of add within one; runs of one mapper make a step. */
static alch_status insert_run(circle *c, alch_object *const *objects, uint32_t count) {
  alch_flush *flush = c->planner->flush;
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < count && status == ALCH_OK;) {
    alch_step step = { .kind = ALCH_STEP_INSERT, .mapper = objects[i]->mapper, .first = flush->object_count };
    for (; i < count && objects[i]->mapper == step.mapper && status == ALCH_OK; i++) status = alch_flush_add_object(flush, objects[i], c->planner->error);
    step.count = flush->object_count - step.first;
    if (status == ALCH_OK) status = alch_flush_add_step(flush, step, c->planner->error);
  }
  return status;
}

static alch_status insert_levels(circle *c) {
  uint32_t count = c->nodes.count, *start = alch_arena_allocate(&c->planner->flush->arena, (c->deepest + 3) * sizeof *start);
  alch_object **sorted = alch_arena_allocate(&c->planner->flush->arena, (count + 1) * sizeof *sorted);
  if (start == NULL || sorted == NULL) return alch_error_out_of_memory(c->planner->error);
  for (uint32_t i = 0; i < count; i++) start[c->nodes.items[i]->born + 1]++;
  for (uint32_t i = 1; i < c->deepest + 3; i++) start[i] += start[i - 1];
  for (uint32_t i = 0; i < count; i++) sorted[start[c->nodes.items[i]->born]++] = c->nodes.items[i];
  alch_status status = ALCH_OK;
  for (uint32_t done = 0; done < count && status == ALCH_OK;) {
    uint32_t level = sorted[done]->born, end = done;
    while (end < count && sorted[end]->born == level) end++;
    status = copies_of_level(c, level);
    if (status == ALCH_OK) status = insert_run(c, sorted + done, end - done);
    done = end;
  }
  return status;
}

static alch_status update_modified(circle *c) {
  alch_flush *flush = c->planner->flush;
  alch_status status = copies_of_level(c, UINT32_MAX);
  for (uint32_t m = c->first; m < c->planner->mapper_count && in_circle(c, c->planner->mappers[m]) && status == ALCH_OK; m++) {
    alch_step step = { .kind = ALCH_STEP_UPDATE, .mapper = c->planner->mappers[m], .first = flush->object_count };
    for (uint32_t i = 0; i < flush->session->modified.count && status == ALCH_OK; i++) {
      alch_object *object = flush->session->modified.items[i];
      if (alch_is_saved(object) && object->mapper == step.mapper && alch_is_updated(object)) status = alch_flush_add_object(flush, object, c->planner->error);
    }
    step.count = flush->object_count - step.first;
    if (status == ALCH_OK) status = alch_flush_add_step(flush, step, c->planner->error);
  }
  return status;
}

static void close_circle(circle *c, bool numbered) {
  for (uint32_t i = 0; numbered && i < c->nodes.count; i++) c->nodes.items[i]->born = 0;
  alch_free(c->planner->session->allocator, c->nodes.items, c->nodes.capacity * sizeof *c->nodes.items);
  alch_free(c->planner->session->allocator, c->edges, c->edge_capacity * sizeof *c->edges);
}

alch_status alch_plan_circle(alch_planner *planner, uint32_t first) {
  circle c = { .planner = planner, .first = first };
  alch_status status = number_pending(&c);
  if (status == ALCH_OK) status = pending_edges(&c);
  if (status == ALCH_OK) status = find_levels(&c);
  for (uint32_t i = 0; i < planner->copy_count && status == ALCH_OK; i++)
    if (takes_copy(&c, &planner->copies[i])) qsort(planner->flush->links + planner->copies[i].first, planner->copies[i].count, sizeof(alch_link), by_level);
  if (status == ALCH_OK) status = insert_levels(&c);
  if (status == ALCH_OK) status = update_modified(&c);
  close_circle(&c, true);
  return status;
}

/* ---- deletes ---- */

static uint32_t node_number(const circle *c, alch_map *numbers, const alch_object *object) {
  (void)c;
  return (uint32_t)(uintptr_t)alch_map_get(numbers, &object, sizeof object);
}

static alch_status delete_edge(circle *c, alch_map *numbers, const alch_object *child, const alch_object *parent) {
  uint32_t before = node_number(c, numbers, child), after = node_number(c, numbers, parent);
  return before != 0 && after != 0 && before != after ? add_edge(c, before - 1, after - 1) : ALCH_OK;
}

static alch_status delete_edges_of(circle *c, alch_map *numbers, alch_object *object) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < object->mapper->relationship_count && status == ALCH_OK; i++) {
    const alch_relationship *relationship = &object->mapper->relationships[i];
    if (relationship->direction == ALCH_MANY_TO_MANY || relationship->post_update || alch_object_kinds(object)[relationship->slot] & ALCH_SLOT_UNLOADED) continue;
    alch_cell cell = object->cells[relationship->slot];
    if (cell.object == NULL) continue;
    if (relationship->direction == ALCH_MANY_TO_ONE) status = delete_edge(c, numbers, object, cell.object);
    else if (!relationship->list) status = delete_edge(c, numbers, cell.object, object);
    else
      for (uint32_t k = 0; k < cell.collection->count && status == ALCH_OK; k++) status = delete_edge(c, numbers, cell.collection->items[k], object);
  }
  return status;
}

static alch_status delete_order(circle *c, alch_map *numbers) {
  const alch_object_list *deleting = &c->planner->session->deleting;
  for (uint32_t i = 0; i < deleting->count; i++) {
    alch_object *object = deleting->items[i];
    if (object == NULL || !in_circle(c, object->mapper)) continue;
    if (alch_list_add(c->planner->session->allocator, &c->nodes, object) != ALCH_OK || !alch_map_put(numbers, &object, sizeof object, (void *)(uintptr_t)c->nodes.count))
      return alch_error_out_of_memory(c->planner->error);
  }
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < c->nodes.count && status == ALCH_OK; i++) status = delete_edges_of(c, numbers, c->nodes.items[i]);
  return status;
}

alch_status alch_plan_circle_deletes(alch_planner *planner, uint32_t first) {
  circle c = { .planner = planner, .first = first };
  alch_map numbers;
  alch_map_init(&numbers, planner->session->allocator);
  alch_status status = delete_order(&c, &numbers);
  uint32_t *order = alch_arena_allocate(&planner->flush->arena, (c.nodes.count + 1) * sizeof *order);
  if (status == ALCH_OK && order == NULL) status = alch_error_out_of_memory(planner->error);
  if (status == ALCH_OK) status = sort_nodes(&c, order);
  for (uint32_t i = 0; status == ALCH_OK && i < c.nodes.count;) {
    alch_step step = { .kind = ALCH_STEP_DELETE, .mapper = c.nodes.items[order[i]]->mapper, .first = planner->flush->object_count };
    for (; i < c.nodes.count && c.nodes.items[order[i]]->mapper == step.mapper && status == ALCH_OK; i++) status = alch_flush_add_object(planner->flush, c.nodes.items[order[i]], planner->error);
    step.count = planner->flush->object_count - step.first;
    if (status == ALCH_OK) status = alch_flush_add_step(planner->flush, step, planner->error);
  }
  alch_map_close(&numbers);
  close_circle(&c, false);
  return status;
}
