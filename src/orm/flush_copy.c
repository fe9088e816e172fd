/* Which keys go from which object to which: the pairs behind COPY steps. */
#include "orm/flush_planner.h"

static alch_status copy_pair(alch_planner *p, alch_object *parent, alch_object *child) {
  if (!alch_is_saved(child) || (parent != NULL && parent->state & ALCH_STATE_DELETING)) return ALCH_OK;
  child->state |= ALCH_STATE_COPIED;
  return alch_flush_add_link(p->flush, parent, child, p->error);
}

/* Lists and scalars on the parent's side. Where the child's own many-to-one is kept in step, that one says all. */
static alch_status copies_of_parent(alch_planner *p, alch_object *object, const alch_relationship *relationship) {
  alch_status status = ALCH_OK;
  alch_cell cell = object->cells[relationship->slot];
  if (!relationship->list) {
    const alch_old_value *old = alch_session_old_value(p->session, object, relationship->slot);
    if (old != NULL && old->cell.object != NULL && old->cell.object != cell.object) status = copy_pair(p, NULL, old->cell.object);
    return status == ALCH_OK && cell.object != NULL ? copy_pair(p, object, cell.object) : status;
  }
  alch_collection *collection = cell.collection;
  for (uint32_t i = 0; collection->committed != NULL && i < collection->committed_count && status == ALCH_OK; i++)
    if (alch_collection_find(collection, collection->committed[i]) == UINT32_MAX) status = copy_pair(p, NULL, collection->committed[i]);
  uint32_t from = collection->committed == NULL ? collection->committed_count : 0;
  for (uint32_t i = from; i < collection->count && status == ALCH_OK; i++)
    if (from > 0 || !alch_collection_was_there(collection, collection->items[i])) status = copy_pair(p, object, collection->items[i]);
  return status;
}

static alch_status copies_of(alch_planner *p, alch_object *object, const alch_relationship *relationship) {
  if (!alch_slot_changed(object, relationship->slot) || alch_object_kinds(object)[relationship->slot] & ALCH_SLOT_UNLOADED) return ALCH_OK;
  if (relationship->direction == ALCH_ONE_TO_MANY) return object->cells[relationship->slot].object == NULL && relationship->list ? ALCH_OK : copies_of_parent(p, object, relationship);
  alch_object *target = object->cells[relationship->slot].object;
  return target == NULL && object->state & ALCH_STATE_PENDING ? ALCH_OK : copy_pair(p, target, object);
}

static alch_status close_copies(alch_planner *p, const alch_relationship *relationship, uint32_t first) {
  if (p->flush->link_count == first) return ALCH_OK;
  alch_step *grown = alch_grow(p->session->allocator, p->copies, &p->copy_capacity, p->copy_count + 1, sizeof *grown);
  if (grown == NULL) return alch_error_out_of_memory(p->error);
  p->copies = grown;
  bool reversed = relationship->direction == ALCH_MANY_TO_ONE;
  p->copies[p->copy_count++] = (alch_step){ .kind = ALCH_STEP_COPY, .mapper = reversed ? relationship->mapper : relationship->target, .relationship = relationship, .reversed = reversed,
                                            .first = first, .count = p->flush->link_count - first };
  return ALCH_OK;
}

static alch_status copies_in(alch_planner *p, const alch_object_list *list, const alch_relationship *relationship) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < list->count && status == ALCH_OK; i++)
    if (alch_is_saved(list->items[i]) && list->items[i]->mapper == relationship->mapper) status = copies_of(p, list->items[i], relationship);
  return status;
}

static alch_status children_of_deleted(alch_planner *p, const alch_relationship *relationship) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < p->session->deleting.count && status == ALCH_OK; i++) {
    alch_object *object = p->session->deleting.items[i];
    if (object == NULL || object->mapper != relationship->mapper || !alch_object_loaded(object, relationship->slot) || object->cells[relationship->slot].object == NULL) continue;
    alch_collection *collection = object->cells[relationship->slot].collection;
    uint32_t count = relationship->list ? collection->count : 1;
    for (uint32_t k = 0; k < count && status == ALCH_OK; k++) {
      alch_object *child = relationship->list ? collection->items[k] : object->cells[relationship->slot].object;
      if (!alch_is_saved(child) || child->session != p->session || child->state & ALCH_STATE_PENDING) continue;
      child->state |= ALCH_STATE_COPIED;
      status = alch_flush_add_link(p->flush, NULL, child, p->error);
    }
  }
  return status;
}

alch_status alch_plan_copies(alch_planner *p) {
  for (uint32_t m = 0; m < p->mapper_count; m++) {
    const alch_mapper *mapper = p->mappers[m];
    for (uint32_t i = 0; i < mapper->relationship_count; i++) {
      const alch_relationship *relationship = &mapper->relationships[i];
      if (relationship->direction == ALCH_MANY_TO_MANY || relationship->view_only) continue;
      uint32_t first = p->flush->link_count;
      alch_status status = ALCH_OK;
      if (relationship->direction == ALCH_MANY_TO_ONE || relationship->back == NULL) {
        status = copies_in(p, &p->session->pending, relationship);
        if (status == ALCH_OK) status = copies_in(p, &p->session->modified, relationship);
      }
      if (status == ALCH_OK && alch_leaves_children(relationship)) status = children_of_deleted(p, relationship);
      if (status == ALCH_OK) status = close_copies(p, relationship, first);
      if (status != ALCH_OK) return status;
    }
  }
  return ALCH_OK;
}
