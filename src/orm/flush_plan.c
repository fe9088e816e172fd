/* From changed objects to a list of steps.
   Mappers are taken in an order in which what is referred to comes first. Where mappers depend on each other in a circle (or one on itself), their new objects are ordered one by one, and those of one
   level go together. Rows of secondary tables follow all saves; deletes come last, in the reverse order. */
#include "base/graph.h"
#include "orm/flush_planner.h"
#include "orm/load.h"

alch_status alch_flush_add_step(alch_flush *flush, alch_step step, alch_error *error) {
  if (step.count == 0) return ALCH_OK;
  alch_step *grown = alch_grow(flush->session->allocator, flush->steps, &flush->step_capacity, flush->step_count + 1, sizeof *grown);
  if (grown == NULL) return alch_error_out_of_memory(error);
  flush->steps = grown;
  flush->steps[flush->step_count++] = step;
  return ALCH_OK;
}

alch_status alch_flush_add_object(alch_flush *flush, alch_object *object, alch_error *error) {
  if (flush->object_count == flush->object_capacity) {
    alch_object **grown = alch_grow(flush->session->allocator, flush->objects, &flush->object_capacity, flush->object_count + 1, sizeof *grown);
    if (grown == NULL) return alch_error_out_of_memory(error);
    flush->objects = grown;
  }
  flush->objects[flush->object_count++] = object;
  return ALCH_OK;
}

alch_status alch_flush_add_link(alch_flush *flush, alch_object *parent, alch_object *child, alch_error *error) {
  if (flush->link_count == flush->link_capacity) {
    alch_link *grown = alch_grow(flush->session->allocator, flush->links, &flush->link_capacity, flush->link_count + 1, sizeof *grown);
    if (grown == NULL) return alch_error_out_of_memory(error);
    flush->links = grown;
  }
  flush->links[flush->link_count++] = (alch_link){ parent, child };
  return ALCH_OK;
}

/* ---- orphans and what deleted objects leave behind ---- */

static bool has_other_parent(const alch_relationship *relationship, const alch_object *item) {
  const alch_relationship *back = relationship->back;
  if (back == NULL || !alch_object_loaded(item, back->slot)) return false;
  return back->list ? item->cells[back->slot].collection != NULL && item->cells[back->slot].collection->count > 0 : item->cells[back->slot].object != NULL;
}

static alch_status orphan(alch_session *session, const alch_relationship *relationship, alch_object *item, alch_error *error) {
  if (item == NULL || item->session != session || !(item->state & ALCH_STATE_PERSISTENT) || has_other_parent(relationship, item)) return ALCH_OK;
  return alch_session_mark_deleted(session, item, error);
}

static alch_status find_orphans_of(alch_session *session, alch_object *object, const alch_relationship *relationship, alch_error *error) {
  if (!relationship->list) {
    const alch_old_value *old = alch_object_kinds(object)[relationship->slot] & ALCH_SLOT_OLD ? alch_session_old_value(session, object, relationship->slot) : NULL;
    return old == NULL || old->cell.object == object->cells[relationship->slot].object ? ALCH_OK : orphan(session, relationship, old->cell.object, error);
  }
  alch_collection *collection = object->cells[relationship->slot].collection;
  for (uint32_t i = 0; collection != NULL && collection->committed != NULL && i < collection->committed_count; i++) {
    alch_object *item = collection->committed[i];
    if (has_other_parent(relationship, item) || alch_collection_find(collection, item) != UINT32_MAX) continue;   /* what the item itself knows is asked first */
    alch_status status = orphan(session, relationship, item, error);
    if (status != ALCH_OK) return status;
  }
  return ALCH_OK;
}

/* What a deleted object had let go of before goes with it, as what it still has. */
static alch_status find_orphans(alch_session *session, alch_error *error) {
  for (uint32_t i = 0; i < session->modified.count; i++) {
    alch_object *object = session->modified.items[i];
    if (object == NULL || object->state & ALCH_STATE_DELETED) continue;
    bool deleting = object->state & ALCH_STATE_DELETING;
    for (uint32_t k = 0; k < object->mapper->relationship_count; k++) {
      const alch_relationship *relationship = &object->mapper->relationships[k];
      uint8_t cascade = deleting && relationship->direction != ALCH_MANY_TO_ONE ? ALCH_CASCADE_DELETE | ALCH_CASCADE_DELETE_ORPHAN : ALCH_CASCADE_DELETE_ORPHAN;
      if (!(relationship->cascade & cascade) || !alch_slot_changed(object, relationship->slot)) continue;
      alch_status status = find_orphans_of(session, object, relationship, error);
      if (status != ALCH_OK) return status;
    }
  }
  return ALCH_OK;
}

static alch_status touch_children(alch_session *session, alch_object *object, const alch_relationship *relationship, alch_error *error) {
  alch_cell cell = object->cells[relationship->slot];
  uint32_t count = cell.object == NULL ? 0 : relationship->list ? cell.collection->count : 1;
  for (uint32_t i = 0; i < count; i++) {
    alch_object *child = relationship->list ? cell.collection->items[i] : cell.object;
    if (!alch_is_saved(child) || child->session != session) continue;
    session->host->reach(session->host, object, relationship->slot, i);
    if (alch_session_touch(session, child) != ALCH_OK) return alch_error_out_of_memory(error);
  }
  return ALCH_OK;
}

/* Children of deleted objects lose their foreign key, so they must be known, and count as modified. */
static alch_status load_children(alch_session *session, alch_error *error) {
  for (uint32_t i = 0; i < session->deleting.count; i++) {
    alch_object *object = session->deleting.items[i];
    for (uint32_t k = 0; object != NULL && k < object->mapper->relationship_count; k++) {
      const alch_relationship *relationship = &object->mapper->relationships[k];
      if (!alch_leaves_children(relationship)) continue;
      alch_status status = ALCH_OK;
      if (!alch_object_loaded(object, relationship->slot)) status = alch_session_load_for_delete(session, relationship, i, error);
      if (status == ALCH_OK) status = touch_children(session, object, relationship, error);
      if (status != ALCH_OK) return status;
    }
  }
  return ALCH_OK;
}

/* ---- mappers and their order ---- */

static alch_status note_mapper(alch_planner *p, const alch_mapper *mapper) {
  if (alch_planner_number(p, mapper) != UINT32_MAX) return ALCH_OK;
  alch_mapper **grown = alch_grow(p->session->allocator, p->mappers, &p->mapper_capacity, p->mapper_count + 1, sizeof *grown);
  if (grown == NULL) return alch_error_out_of_memory(p->error);
  p->mappers = grown;
  p->mappers[p->mapper_count++] = (alch_mapper *)mapper;
  return ALCH_OK;
}

static alch_status note_list(alch_planner *p, const alch_object_list *list) {
  const alch_mapper *last = NULL;
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < list->count && status == ALCH_OK; i++) {
    const alch_object *object = list->items[i];
    if (object == NULL || object->mapper == last) continue;
    last = object->mapper;
    status = note_mapper(p, last);
  }
  return status;
}

uint32_t alch_planner_number(const alch_planner *p, const alch_mapper *mapper) {
  for (uint32_t i = 0; i < p->mapper_count; i++)
    if (p->mappers[i] == mapper) return i;
  return UINT32_MAX;
}

/* Edges of one mapper's relationships: the side that is referred to first. */
static uint32_t mapper_edges(const alch_planner *p, uint32_t number, alch_edge *edges) {
  uint32_t count = 0;
  const alch_mapper *mapper = p->mappers[number];
  for (uint32_t i = 0; i < mapper->relationship_count; i++) {
    const alch_relationship *relationship = &mapper->relationships[i];
    uint32_t target = alch_planner_number(p, relationship->target);
    if (target == UINT32_MAX || relationship->direction == ALCH_MANY_TO_MANY || relationship->post_update || relationship->view_only) continue;
    edges[count++] = relationship->direction == ALCH_MANY_TO_ONE ? (alch_edge){ target, number } : (alch_edge){ number, target };
  }
  return count;
}

static alch_status count_circles(alch_planner *p, const alch_edge *edges, uint32_t edge_count, uint32_t components) {
  uint32_t *sizes = alch_arena_allocate(&p->flush->arena, (components + 1) * sizeof *sizes);
  if (sizes == NULL) return alch_error_out_of_memory(p->error);
  for (uint32_t i = 0; i < p->mapper_count; i++) sizes[p->components[i]]++;
  for (uint32_t i = 0; i < p->mapper_count; i++) p->cyclic[i] = sizes[p->components[i]] > 1;
  for (uint32_t i = 0; i < edge_count; i++)
    if (edges[i].before == edges[i].after) p->cyclic[edges[i].before] = true;
  return ALCH_OK;
}

/* Insertion sort: few mappers, and stable. */
static void sort_mappers(alch_planner *p) {
  for (uint32_t i = 1; i < p->mapper_count; i++)
    for (uint32_t k = i; k > 0; k--) {
      uint32_t a = k - 1;
      if (p->components[a] < p->components[k] || (p->components[a] == p->components[k] && p->mappers[a]->order <= p->mappers[k]->order)) break;
      alch_mapper *mapper = p->mappers[a];
      uint32_t component = p->components[a];
      bool cyclic = p->cyclic[a];
      p->mappers[a] = p->mappers[k], p->components[a] = p->components[k], p->cyclic[a] = p->cyclic[k];
      p->mappers[k] = mapper, p->components[k] = component, p->cyclic[k] = cyclic;
    }
}

static alch_status order_mappers(alch_planner *p) {
  alch_arena *arena = &p->flush->arena;
  const alch_object_list *lists[] = { &p->session->pending, &p->session->modified, &p->session->deleting };
  alch_status status = ALCH_OK;
  for (size_t i = 0; i < ALCH_COUNT(lists) && status == ALCH_OK; i++) status = note_list(p, lists[i]);
  if (status != ALCH_OK) return status;
  uint32_t relationships = 0, edge_count = 0, components = 0;
  for (uint32_t i = 0; i < p->mapper_count; i++) relationships += p->mappers[i]->relationship_count;
  p->components = alch_arena_allocate(arena, (p->mapper_count + 1) * sizeof *p->components);
  p->cyclic = alch_arena_allocate(arena, p->mapper_count + 1);
  alch_edge *edges = alch_arena_allocate(arena, (relationships + 1) * sizeof *edges);
  if (p->components == NULL || p->cyclic == NULL || edges == NULL) return alch_error_out_of_memory(p->error);
  for (uint32_t i = 0; i < p->mapper_count; i++) edge_count += mapper_edges(p, i, edges + edge_count);
  if (alch_graph_components(p->session->allocator, p->mapper_count, edges, edge_count, p->components, &components) != ALCH_OK) return alch_error_out_of_memory(p->error);
  status = count_circles(p, edges, edge_count, components);
  sort_mappers(p);
  return status;
}

/* ---- saves ---- */

bool alch_is_updated(const alch_object *object) {
  const alch_mapper *mapper = object->mapper;
  if (object->state & ALCH_STATE_COPIED || mapper->events & (1u << ALCH_EVENT_BEFORE_UPDATE)) return true;
  for (uint32_t i = 0; i < mapper->attribute_count; i++)
    if (alch_slot_changed(object, i)) return true;
  return false;
}

static alch_status add_objects(alch_planner *p, alch_step_kind kind, const alch_object_list *list, const alch_mapper *mapper) {
  alch_flush *flush = p->flush;
  alch_step step = { .kind = (uint8_t)kind, .mapper = mapper, .first = flush->object_count };
  for (uint32_t i = 0; i < list->count; i++) {
    alch_object *object = list->items[i];
    if (object == NULL || object->mapper != mapper || (kind != ALCH_STEP_DELETE && !alch_is_saved(object))) continue;
    if (kind == ALCH_STEP_UPDATE && !alch_is_updated(object)) continue;
    alch_status status = alch_flush_add_object(flush, object, p->error);
    if (status != ALCH_OK) return status;
  }
  step.count = flush->object_count - step.first;
  return alch_flush_add_step(flush, step, p->error);
}

static alch_status take_copies(alch_planner *p, const alch_mapper *mapper) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < p->copy_count && status == ALCH_OK; i++)
    if (p->copies[i].mapper == mapper && !(p->copies[i].relationship->post_update)) status = alch_flush_add_step(p->flush, p->copies[i], p->error);
  return status;
}

static alch_status save_mapper(alch_planner *p, const alch_mapper *mapper) {
  alch_status status = take_copies(p, mapper);
  if (status == ALCH_OK) status = add_objects(p, ALCH_STEP_UPDATE, &p->session->modified, mapper);
  return status == ALCH_OK ? add_objects(p, ALCH_STEP_INSERT, &p->session->pending, mapper) : status;
}

/* A COPY, and an UPDATE of its children. */
static alch_status copy_and_update(alch_planner *p, const alch_step *copy) {
  alch_step update = { .kind = ALCH_STEP_UPDATE, .mapper = copy->mapper, .first = p->flush->object_count, .count = copy->count };
  alch_status status = alch_flush_add_step(p->flush, *copy, p->error);
  for (uint32_t i = 0; i < copy->count && status == ALCH_OK; i++) status = alch_flush_add_object(p->flush, p->flush->links[copy->first + i].child, p->error);
  return status == ALCH_OK ? alch_flush_add_step(p->flush, update, p->error) : status;
}

/* Relationships that are written last. */
static alch_status save_post_updates(alch_planner *p) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < p->copy_count && status == ALCH_OK; i++)
    if (p->copies[i].relationship->post_update) status = copy_and_update(p, &p->copies[i]);
  return status;
}

/* Rows that are to go refer to each other by these relationships: the reference goes first. */
static alch_status unlink_post_update(alch_planner *p, const alch_relationship *relationship) {
  bool reversed = relationship->direction == ALCH_MANY_TO_ONE;
  alch_step copy = { .kind = ALCH_STEP_COPY, .mapper = reversed ? relationship->mapper : relationship->target, .relationship = relationship, .reversed = reversed, .first = p->flush->link_count };
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < p->session->deleting.count && status == ALCH_OK; i++) {
    alch_object *object = p->session->deleting.items[i];
    if (object == NULL || object->mapper != relationship->mapper) continue;
    alch_cell cell = object->cells[relationship->slot];
    bool loaded = !reversed && alch_object_loaded(object, relationship->slot) && cell.object != NULL;
    uint32_t count = reversed ? 1 : !loaded ? 0 : relationship->list ? cell.collection->count : 1;
    for (uint32_t k = 0; k < count && status == ALCH_OK; k++) {
      alch_object *child = reversed ? object : relationship->list ? cell.collection->items[k] : cell.object;
      if (child->state & ALCH_STATE_DELETING && child->state & ALCH_STATE_PERSISTENT) status = alch_flush_add_link(p->flush, NULL, child, p->error);
    }
  }
  copy.count = p->flush->link_count - copy.first;
  return status == ALCH_OK && copy.count > 0 ? copy_and_update(p, &copy) : status;
}

static alch_status unlink_post_updates(alch_planner *p) {
  alch_status status = ALCH_OK;
  for (uint32_t m = 0; m < p->mapper_count; m++)
    for (uint32_t i = 0; i < p->mappers[m]->relationship_count && status == ALCH_OK; i++) {
      const alch_relationship *relationship = &p->mappers[m]->relationships[i];
      if (relationship->post_update && relationship->direction != ALCH_MANY_TO_MANY && !relationship->view_only) status = unlink_post_update(p, relationship);
    }
  return status;
}

static bool starts_component(const alch_planner *p, uint32_t i) { return i == 0 || p->components[i] != p->components[i - 1]; }

static alch_status plan_saves(alch_planner *p) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < p->mapper_count && status == ALCH_OK; i++) {
    if (!p->cyclic[i]) status = save_mapper(p, p->mappers[i]);
    else if (starts_component(p, i)) status = alch_plan_circle(p, i);
  }
  return status == ALCH_OK ? save_post_updates(p) : status;
}

static alch_status plan_deletes(alch_planner *p) {
  alch_status status = unlink_post_updates(p);
  for (uint32_t i = p->mapper_count; i-- > 0 && status == ALCH_OK;) {
    if (!p->cyclic[i]) status = add_objects(p, ALCH_STEP_DELETE, &p->session->deleting, p->mappers[i]);
    else if (starts_component(p, i)) status = alch_plan_circle_deletes(p, i);
  }
  return status;
}

static alch_status plan_steps(alch_flush *flush, alch_error *error) {
  alch_planner p = { .flush = flush, .session = flush->session, .error = error };
  alch_status status = order_mappers(&p);
  if (status == ALCH_OK) status = alch_plan_copies(&p);
  if (status == ALCH_OK) status = plan_saves(&p);
  if (status == ALCH_OK) status = alch_plan_links(&p);
  if (status == ALCH_OK) status = plan_deletes(&p);
  for (uint32_t i = 0; i < flush->link_count; i++)
    if (flush->links[i].child != NULL) flush->links[i].child->state &= (uint16_t)~ALCH_STATE_COPIED;
  alch_free(flush->session->allocator, p.mappers, p.mapper_capacity * sizeof *p.mappers);
  alch_free(flush->session->allocator, p.copies, p.copy_capacity * sizeof *p.copies);
  return status;
}

/* Loading comes first, and may wait; the steps are then made in one go. */
alch_status alch_flush_plan(alch_flush *flush, alch_error *error) {
  alch_status status = ALCH_OK;
  if (flush->stage == 0) {
    status = find_orphans(flush->session, error);
    if (status == ALCH_OK) flush->stage = 1;
  }
  if (status == ALCH_OK && flush->session->deleting.count > 0) status = alch_session_cascade_deletes(flush->session, error);
  if (status == ALCH_OK && flush->session->deleting.count > 0) status = load_children(flush->session, error);
  return status == ALCH_OK ? plan_steps(flush, error) : status;
}
