/* Rows of secondary tables: which pairs came, which went. A pair that both sides of a many-to-many relationship know of is written once. */
#include "orm/flush_planner.h"

typedef struct linker {
  alch_planner *planner;
  alch_map seen;                 /* pairs of the relationship at hand that are planned already */
} linker;

/* Of two sides, the one that speaks for both. */
static const alch_relationship *speaker(const alch_relationship *relationship) {
  const alch_relationship *back = relationship->back;
  if (back == NULL || back->secondary != relationship->secondary) return relationship;
  bool first = relationship->mapper->id < back->mapper->id || (relationship->mapper == back->mapper && relationship->index < back->index);
  return first ? relationship : back;
}

static alch_status add_pair(linker *l, const alch_relationship *relationship, alch_object *owner, alch_object *item) {
  bool turned = speaker(relationship) != relationship;
  alch_link link = turned ? (alch_link){ item, owner } : (alch_link){ owner, item };
  if (alch_map_get(&l->seen, &link, sizeof link) != NULL) return ALCH_OK;
  if (!alch_map_put(&l->seen, &link, sizeof link, l)) return alch_error_out_of_memory(l->planner->error);
  return alch_flush_add_link(l->planner->flush, link.parent, link.child, l->planner->error);
}

static alch_status scalar_pairs(linker *l, const alch_relationship *relationship, alch_object *object, bool gone) {
  alch_object *now = object->cells[relationship->slot].object;
  const alch_old_value *old = alch_session_old_value(l->planner->session, object, relationship->slot);
  alch_object *before = old != NULL ? old->cell.object : NULL;
  if (now == before) return ALCH_OK;
  alch_object *item = gone ? before : now;
  return item == NULL ? ALCH_OK : add_pair(l, relationship, object, item);
}

static alch_status list_pairs(linker *l, const alch_relationship *relationship, const alch_collection *collection, bool gone) {
  alch_status status = ALCH_OK;
  if (gone) {
    for (uint32_t i = 0; collection->committed != NULL && i < collection->committed_count && status == ALCH_OK; i++)
      if (alch_collection_find(collection, collection->committed[i]) == UINT32_MAX) status = add_pair(l, relationship, collection->owner, collection->committed[i]);
    return status;
  }
  uint32_t from = collection->committed == NULL ? collection->committed_count : 0;
  for (uint32_t i = from; i < collection->count && status == ALCH_OK; i++)
    if (collection->committed == NULL || !alch_collection_was_there(collection, collection->items[i])) status = add_pair(l, relationship, collection->owner, collection->items[i]);
  return status;
}

static alch_status pairs_in(linker *l, const alch_object_list *list, const alch_relationship *relationship, bool gone) {
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < list->count && status == ALCH_OK; i++) {
    alch_object *object = list->items[i];
    if (!alch_is_saved(object) || object->mapper != relationship->mapper || !alch_slot_changed(object, relationship->slot) || alch_object_kinds(object)[relationship->slot] & ALCH_SLOT_UNLOADED) continue;
    if (!relationship->list) status = scalar_pairs(l, relationship, object, gone);
    else if (object->cells[relationship->slot].collection != NULL) status = list_pairs(l, relationship, object->cells[relationship->slot].collection, gone);
  }
  return status;
}

/* All rows of deleted objects: a link whose child is NULL. */
static alch_status deleted_in(linker *l, const alch_relationship *relationship) {
  const alch_object_list *deleting = &l->planner->session->deleting;
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < deleting->count && status == ALCH_OK; i++)
    if (deleting->items[i] != NULL && deleting->items[i]->mapper == relationship->mapper) status = alch_flush_add_link(l->planner->flush, deleting->items[i], NULL, l->planner->error);
  return status;
}

static alch_status plan_pairs(linker *l, const alch_relationship *relationship, bool gone) {
  alch_flush *flush = l->planner->flush;
  alch_map_clear(&l->seen);
  alch_step step = { .kind = gone ? ALCH_STEP_UNLINK : ALCH_STEP_LINK, .mapper = relationship->mapper, .relationship = relationship, .first = flush->link_count };
  alch_status status = ALCH_OK;
  const alch_relationship *sides[] = { relationship, relationship->back != NULL && speaker(relationship->back) == relationship && relationship->back != relationship ? relationship->back : NULL };
  for (size_t i = 0; i < ALCH_COUNT(sides) && status == ALCH_OK; i++) {
    if (sides[i] == NULL) continue;
    status = pairs_in(l, &l->planner->session->pending, sides[i], gone);
    if (status == ALCH_OK) status = pairs_in(l, &l->planner->session->modified, sides[i], gone);
  }
  step.count = flush->link_count - step.first;
  return status == ALCH_OK ? alch_flush_add_step(flush, step, l->planner->error) : status;
}

static alch_status plan_deleted(linker *l, const alch_relationship *relationship) {
  alch_step step = { .kind = ALCH_STEP_UNLINK, .mapper = relationship->mapper, .relationship = relationship, .first = l->planner->flush->link_count };
  alch_status status = deleted_in(l, relationship);
  step.count = l->planner->flush->link_count - step.first;
  return status == ALCH_OK ? alch_flush_add_step(l->planner->flush, step, l->planner->error) : status;
}

/* A mapper without objects of its own in this flush may still speak for one that has. */
static alch_status plan_relationship(linker *l, const alch_relationship *relationship) {
  const alch_relationship *voice = speaker(relationship);
  if (voice != relationship && alch_planner_number(l->planner, voice->mapper) != UINT32_MAX) return plan_deleted(l, relationship);
  alch_status status = plan_deleted(l, relationship);
  if (status == ALCH_OK) status = plan_pairs(l, voice, true);
  return status == ALCH_OK ? plan_pairs(l, voice, false) : status;
}

alch_status alch_plan_links(alch_planner *planner) {
  linker l = { .planner = planner };
  alch_map_init(&l.seen, planner->session->allocator);
  alch_status status = ALCH_OK;
  for (uint32_t m = 0; m < planner->mapper_count && status == ALCH_OK; m++)
    for (uint32_t i = 0; i < planner->mappers[m]->relationship_count && status == ALCH_OK; i++) {
      const alch_relationship *relationship = &planner->mappers[m]->relationships[i];
      if (relationship->direction == ALCH_MANY_TO_MANY && !relationship->view_only) status = plan_relationship(&l, relationship);
    }
  alch_map_close(&l.seen);
  return status;
}
