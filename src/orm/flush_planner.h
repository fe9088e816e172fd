/* flush_planner.h - what the files that make a flush plan share. Everything here lives while alch_flush_plan runs. */
#ifndef ALCH_FLUSH_PLANNER_H
#define ALCH_FLUSH_PLANNER_H

#include "orm/unit_of_work.h"

typedef struct alch_planner {
  alch_flush *flush;
  alch_session *session;
  alch_error *error;
  alch_mapper **mappers;         /* that have something to do, by component */
  uint32_t *components;          /* of each */
  bool *cyclic;                  /* is its component a circle? */
  uint32_t mapper_count, mapper_capacity;
  alch_step *copies;             /* COPY steps waiting for their child's mapper to have its turn */
  uint32_t copy_count, copy_capacity;
} alch_planner;

/* Is the object to be inserted or updated (not deleted)? */
static inline bool alch_is_saved(const alch_object *object) { return object != NULL && !(object->state & (ALCH_STATE_DELETING | ALCH_STATE_DELETED)); }
static inline bool alch_slot_changed(const alch_object *object, uint32_t slot) { return (alch_object_kinds(object)[slot] & ALCH_SLOT_CHANGED) != 0; }
/* Has a modified object anything that an UPDATE may write? Listeners are told of all that are modified, as in SQLAlchemy. */
bool alch_is_updated(const alch_object *object);
/* Do children of a deleted object lose their foreign key by an UPDATE of ours? */
static inline bool alch_leaves_children(const alch_relationship *relationship) {
  return relationship->direction == ALCH_ONE_TO_MANY && !relationship->passive_deletes && !relationship->view_only;
}
uint32_t alch_planner_number(const alch_planner *planner, const alch_mapper *mapper);    /* UINT32_MAX: has nothing to do */

/* Collects the pairs of objects between which keys are copied, as steps in planner->copies. */
alch_status alch_plan_copies(alch_planner *planner);
/* Steps for the new objects of a circle of mappers (those from `first` on with one component), level by level. */
alch_status alch_plan_circle(alch_planner *planner, uint32_t first);
/* The objects to delete of a circle, those that refer first. */
alch_status alch_plan_circle_deletes(alch_planner *planner, uint32_t first);
/* Rows of secondary tables. */
alch_status alch_plan_links(alch_planner *planner);

#endif
