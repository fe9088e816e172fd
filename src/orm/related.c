/* Relationships of objects in memory: scalars, lists, and the other side kept in step.
   The functions that keep the other side in step never call back, so no pass goes round in circles. */
#include "orm/object.h"

#include "orm/session.h"

static uint8_t *slot_kind(alch_object *object, const alch_relationship *relationship) { return &alch_object_kinds(object)[relationship->slot]; }

static bool keeps_list_without_loading(const alch_object *object) { return !(object->state & ALCH_STATE_PERSISTENT) || object->session == NULL; }

/* The list as it stands, or NULL when it was never loaded. */
static alch_collection *known_list(alch_object *object, const alch_relationship *relationship) {
  return alch_object_loaded(object, relationship->slot) ? object->cells[relationship->slot].collection : NULL;
}

alch_collection *alch_object_collection(alch_host *host, alch_object *object, const alch_relationship *relationship) {
  alch_collection *collection = object->cells[relationship->slot].collection;
  if (collection == NULL) {
    collection = host->collection_new(host, object, relationship->slot);
    collection->owner = object;
    collection->relationship = relationship;
    object->cells[relationship->slot].collection = collection;
  }
  *slot_kind(object, relationship) &= (uint8_t)~ALCH_SLOT_UNLOADED;
  return collection;
}

uint32_t alch_collection_find(const alch_collection *collection, const alch_object *item) {
  for (uint32_t i = 0; i < collection->count; i++)
    if (collection->items[i] == item) return i;
  return UINT32_MAX;
}

bool alch_collection_was_there(const alch_collection *collection, const alch_object *item) {
  alch_object *const *items = collection->committed != NULL ? collection->committed : collection->items;
  for (uint32_t i = 0; i < collection->committed_count; i++)
    if (items[i] == item) return true;
  return false;
}

/* Appends leave the first items as they were at the last flush; any other change first makes a copy of them. */
static alch_status before_change(alch_host *host, alch_collection *collection, uint32_t index, alch_error *error) {
  alch_session *session = collection->owner->session;
  if (session != NULL && alch_session_touch(session, collection->owner) != ALCH_OK) return alch_error_out_of_memory(error);
  if (collection->committed == NULL && index < collection->committed_count) {
    size_t size = collection->committed_count * sizeof *collection->items;
    collection->committed = host->collection_memory(host, collection, 1, size);
    memcpy(collection->committed, collection->items, size);
  }
  collection->changed = true;
  *slot_kind(collection->owner, collection->relationship) |= ALCH_SLOT_CHANGED;
  return ALCH_OK;
}

enum { LEAST_ROOM = 4 };

/* expected: how many items there may come to be, for a list that has no room yet. */
static void make_room(alch_host *host, alch_collection *collection, uint32_t expected) {
  if (collection->count < collection->capacity) return;
  collection->capacity = collection->capacity == 0 ? expected : collection->capacity * 2;
  collection->items = host->collection_memory(host, collection, 0, collection->capacity * sizeof *collection->items);
}

static void list_insert(alch_host *host, alch_collection *collection, uint32_t index, alch_object *item) {
  make_room(host, collection, LEAST_ROOM);
  host->collection_insert(host, collection, index, item);
  memmove(collection->items + index + 1, collection->items + index, (collection->count - index) * sizeof *collection->items);
  collection->items[index] = item;
  collection->count++;
}

static void list_remove(alch_host *host, alch_collection *collection, uint32_t index) {
  host->collection_remove(host, collection, index);
  collection->count--;
  memmove(collection->items + index, collection->items + index + 1, (collection->count - index) * sizeof *collection->items);
}

/* ---- the other side ---- */

static alch_status write_scalar(alch_host *host, alch_object *object, const alch_relationship *relationship, alch_object *target, alch_error *error) {
  alch_status status = alch_object_remember(object, relationship->slot, error);
  if (status != ALCH_OK) return status;
  alch_session *session = object->session;
  if (session != NULL && alch_session_touch(session, object) != ALCH_OK) return alch_error_out_of_memory(error);
  alch_object *old = *slot_kind(object, relationship) & ALCH_SLOT_UNLOADED ? NULL : object->cells[relationship->slot].object;
  if (old != NULL) {
    /* The journal names the old one: it must stay alive until the flush. */
    host->reach(host, object, relationship->slot, 0);
    if (old->session != NULL && alch_session_touch(old->session, old) != ALCH_OK) return alch_error_out_of_memory(error);
  }
  host->relate(host, object, relationship->slot, target);
  object->cells[relationship->slot].object = target;
  *slot_kind(object, relationship) = (*slot_kind(object, relationship) & ALCH_SLOT_OLD) | ALCH_SLOT_CHANGED;
  return ALCH_OK;
}

static alch_status leave_list(alch_host *host, alch_object *owner, const alch_relationship *relationship, alch_object *item, alch_error *error) {
  alch_collection *collection = known_list(owner, relationship);
  uint32_t index = collection == NULL ? UINT32_MAX : alch_collection_find(collection, item);
  if (index == UINT32_MAX) return ALCH_OK;
  alch_status status = before_change(host, collection, index, error);
  if (status == ALCH_OK) list_remove(host, collection, index);
  return status;
}

/* absent: the item is known not to be in the list. */
static alch_status join_list(alch_host *host, alch_object *owner, const alch_relationship *relationship, alch_object *item, bool absent, alch_error *error) {
  alch_collection *collection = keeps_list_without_loading(owner) ? alch_object_collection(host, owner, relationship) : known_list(owner, relationship);
  if (collection == NULL || (!absent && alch_collection_find(collection, item) != UINT32_MAX)) return ALCH_OK;
  alch_status status = before_change(host, collection, collection->count, error);
  if (status == ALCH_OK) list_insert(host, collection, collection->count, item);
  return status;
}

/* `object` was told to be related to `target` (or no more): tell target. */
static alch_status other_side(alch_host *host, const alch_relationship *relationship, alch_object *object, alch_object *target, bool added, alch_error *error) {
  const alch_relationship *back = relationship->back;
  if (target == NULL) return ALCH_OK;
  /* Without another side the flush still writes the target's foreign key. */
  if (back == NULL) return target->session == NULL || alch_session_touch(target->session, target) == ALCH_OK ? ALCH_OK : alch_error_out_of_memory(error);
  /* A new object whose scalar did not name the target until now came from no row, so no list has it. */
  bool absent = !relationship->list && !(object->state & (ALCH_STATE_PERSISTENT | ALCH_STATE_KEYED));
  if (back->list) return added ? join_list(host, target, back, object, absent, error) : leave_list(host, target, back, object, error);
  bool known = alch_object_loaded(target, back->slot);
  alch_object *current = known ? target->cells[back->slot].object : NULL;
  if (added && current == object) return ALCH_OK;
  if (!added && known && current != object) return ALCH_OK;
  if (added && current != NULL) {
    /* A child has one parent: it leaves the list (or place) of the one it had. */
    host->reach(host, target, back->slot, 0);
    alch_status status = ALCH_OK;
    if (relationship->list) status = leave_list(host, current, relationship, target, error);
    else if (alch_object_loaded(current, relationship->slot) && current->cells[relationship->slot].object == target) status = write_scalar(host, current, relationship, NULL, error);
    if (status != ALCH_OK) return status;
  }
  return write_scalar(host, target, back, added ? object : NULL, error);
}

static alch_status check_target(const alch_relationship *relationship, const alch_object *object, const alch_object *target, alch_error *error) {
  if (target == NULL) return ALCH_OK;
  if (target->mapper != relationship->target)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s takes %s objects; a %s object came", relationship->mapper->name, relationship->name, relationship->target->name, target->mapper->name);
  if (object->session != NULL && target->session != NULL && object->session != target->session)
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the %s object belongs to another session than the %s object that it is put into: merge or expunge it first", target->mapper->name,
                          object->mapper->name);
  return ALCH_OK;
}

/* SQLAlchemy 2: a new object joins the session when it is put into one that is there; not the other way round. */
static alch_status cascade(const alch_relationship *relationship, alch_object *object, alch_object *target, alch_error *error) {
  if (target == NULL || object->session == NULL || target->session != NULL || !(relationship->cascade & ALCH_CASCADE_SAVE_UPDATE)) return ALCH_OK;
  return alch_session_add(object->session, target, error);
}

alch_status alch_object_set_related(alch_host *host, alch_object *object, const alch_relationship *relationship, alch_object *target, alch_error *error) {
  alch_status status = check_target(relationship, object, target, error);
  if (status != ALCH_OK) return status;
  bool known = alch_object_loaded(object, relationship->slot);
  alch_object *old = known ? object->cells[relationship->slot].object : NULL;
  if (known && old == target) return ALCH_OK;
  if (relationship->listened) status = host->related_event(host, object, relationship->slot, target, target != NULL);
  if (status == ALCH_OK) status = cascade(relationship, object, target, error);
  if (status == ALCH_OK && old != NULL) {
    host->reach(host, object, relationship->slot, 0);
    status = other_side(host, relationship, object, old, false, error);
  }
  if (status == ALCH_OK) status = write_scalar(host, object, relationship, target, error);
  if (status == ALCH_OK && target != NULL) status = other_side(host, relationship, object, target, true, error);
  return status;
}

/* A new object that leaves the parent without which it may not be is not stored at all, as in SQLAlchemy. */
static void drop_pending_orphan(const alch_relationship *relationship, alch_object *item) {
  if (item->session != NULL && item->state & ALCH_STATE_PENDING && relationship->cascade & ALCH_CASCADE_DELETE_ORPHAN) alch_session_let_go(item->session, item, false);
}

/* ---- lists ---- */

/* With a scalar on the other side that says it at once; otherwise by looking. */
static bool has_member(const alch_collection *collection, const alch_object *item) {
  const alch_relationship *back = collection->relationship->back;
  if (back != NULL && !back->list && alch_object_loaded(item, back->slot) && item->cells[back->slot].object != collection->owner) return false;
  return alch_collection_find(collection, item) != UINT32_MAX;
}

static alch_status joined(alch_host *host, alch_collection *collection, alch_object *item, alch_error *error) {
  const alch_relationship *relationship = collection->relationship;
  alch_status status = cascade(relationship, collection->owner, item, error);
  if (status == ALCH_OK) status = other_side(host, relationship, collection->owner, item, true, error);
  if (status == ALCH_OK && relationship->listened) status = host->related_event(host, collection->owner, relationship->slot, item, true);
  return status;
}

static alch_status left(alch_host *host, alch_collection *collection, alch_object *item, alch_error *error) {
  const alch_relationship *relationship = collection->relationship;
  if (alch_collection_find(collection, item) != UINT32_MAX) return ALCH_OK;
  alch_status status = other_side(host, relationship, collection->owner, item, false, error);
  /* Removed items are looked at by the flush: as orphans, or to lose their foreign key. */
  if (status == ALCH_OK && item->session != NULL && alch_session_touch(item->session, item) != ALCH_OK) status = alch_error_out_of_memory(error);
  if (status == ALCH_OK && relationship->listened) status = host->related_event(host, collection->owner, relationship->slot, item, false);
  if (status == ALCH_OK) drop_pending_orphan(relationship, item);
  return status;
}

alch_status alch_collection_insert(alch_host *host, alch_collection *collection, uint32_t index, alch_object *item, alch_error *error) {
  alch_status status = check_target(collection->relationship, collection->owner, item, error);
  if (status == ALCH_OK) status = before_change(host, collection, index, error);
  if (status != ALCH_OK) return status;
  bool member = has_member(collection, item);
  list_insert(host, collection, index, item);
  return member ? ALCH_OK : joined(host, collection, item, error);
}

alch_status alch_collection_replace(alch_host *host, alch_collection *collection, uint32_t index, alch_object *item, alch_error *error) {
  alch_object *old = collection->items[index];
  if (old == item) return ALCH_OK;
  alch_status status = check_target(collection->relationship, collection->owner, item, error);
  if (status == ALCH_OK) status = before_change(host, collection, index, error);
  if (status != ALCH_OK) return status;
  bool member = has_member(collection, item);
  host->reach(host, collection->owner, collection->relationship->slot, index);
  host->collection_replace(host, collection, index, item);
  collection->items[index] = item;
  status = left(host, collection, old, error);
  return status == ALCH_OK && !member ? joined(host, collection, item, error) : status;
}

alch_status alch_collection_remove(alch_host *host, alch_collection *collection, uint32_t index, alch_error *error) {
  alch_object *old = collection->items[index];
  alch_status status = before_change(host, collection, index, error);
  if (status != ALCH_OK) return status;
  host->reach(host, collection->owner, collection->relationship->slot, index);
  list_remove(host, collection, index);
  return left(host, collection, old, error);
}

/* ---- loading ---- */

static alch_status catch_up_with(alch_session *session, const alch_relationship *relationship, alch_object *item, alch_error *error) {
  const alch_relationship *back = relationship->back;
  if (item == NULL || item->mapper != relationship->target || !(*slot_kind(item, back) & ALCH_SLOT_CHANGED)) return ALCH_OK;
  alch_object *owner = item->cells[back->slot].object;
  const alch_old_value *old = alch_session_old_value(session, item, back->slot);
  alch_status status = ALCH_OK;
  if (old != NULL && old->cell.object != NULL && old->cell.object != owner) status = leave_list(session->host, old->cell.object, relationship, item, error);
  return status == ALCH_OK && owner != NULL && owner->session == session ? join_list(session->host, owner, relationship, item, false, error) : status;
}

alch_status alch_relationship_catch_up(alch_session *session, const alch_relationship *relationship, alch_error *error) {
  if (!relationship->list || relationship->back == NULL || relationship->back->list) return ALCH_OK;
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < session->pending.count && status == ALCH_OK; i++) status = catch_up_with(session, relationship, session->pending.items[i], error);
  for (uint32_t i = 0; i < session->modified.count && status == ALCH_OK; i++) status = catch_up_with(session, relationship, session->modified.items[i], error);
  return status;
}

void alch_collection_load(alch_host *host, alch_collection *collection, alch_object *item, uint32_t expected) {
  make_room(host, collection, expected > 0 ? expected : LEAST_ROOM);
  host->collection_insert(host, collection, collection->count, item);
  collection->items[collection->count++] = item;
  collection->committed_count = collection->count;
}

void alch_object_load_related(alch_host *host, alch_object *object, const alch_relationship *relationship, alch_object *target) {
  host->relate(host, object, relationship->slot, target);
  object->cells[relationship->slot].object = target;
  *slot_kind(object, relationship) = 0;
}
