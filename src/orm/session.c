#include "orm/session.h"

#include "orm/load.h"
#include "orm/unit_of_work.h"

void alch_session_options_init(alch_session_options *options) { *options = (alch_session_options){ .autoflush = true, .expire_on_commit = true, .autobegin = true }; }

alch_status alch_session_open(alch_engine *engine, alch_catalog *catalog, alch_host *host, const alch_session_options *options, const alch_allocator *allocator, alch_session **out,
                              alch_error *error) {
  alch_session *session = alch_allocate_zeroed(allocator, sizeof *session);
  if (session == NULL) return alch_error_out_of_memory(error);
  session->allocator = allocator;
  session->catalog = catalog;
  session->host = host;
  if (options != NULL) session->options = *options;
  else alch_session_options_init(&session->options);
  session->batch = session->oldest_batch = 1;
  session->held_count = 1;
  session->routed = engine == NULL;
  alch_error_init(&session->failure, allocator);
  if (engine != NULL && alch_bind_enrol(session, engine, &session->bind, error) != ALCH_OK) {
    alch_free(allocator, session, sizeof *session);
    return ALCH_ERROR;
  }
  *out = session;
  return ALCH_OK;
}

/* ---- lists and holding ---- */

alch_status alch_list_add(const alch_allocator *allocator, alch_object_list *list, alch_object *object) {
  if (list->count == list->capacity) {
    alch_object **grown = alch_grow(allocator, list->items, &list->capacity, list->count + 1, sizeof *grown);
    if (grown == NULL) return ALCH_ERROR;
    list->items = grown;
  }
  list->items[list->count++] = object;
  return ALCH_OK;
}

static void list_free(const alch_allocator *allocator, alch_object_list *list) {
  alch_free(allocator, list->items, list->capacity * sizeof *list->items);
  *list = (alch_object_list){ 0 };
}

static void list_drop(alch_object_list *list, const alch_object *object) {
  for (uint32_t i = list->count; i-- > 0;)
    if (list->items[i] == object) {
      list->items[i] = NULL;
      return;
    }
}

/* Room in `held` comes first, so that nothing can fail once the host holds the object. */
static alch_status hold(alch_session *session, alch_object *object) {
  if (object->anchor != 0) return ALCH_OK;
  if (session->held_count + 1 >= session->held_capacity) {
    alch_held *grown = alch_grow(session->allocator, session->held, &session->held_capacity, session->held_count + 2, sizeof *grown);
    if (grown == NULL) return ALCH_ERROR;
    session->held = grown;
  }
  session->host->hold(session->host, session, object);
  uint32_t anchor = object->anchor;
  if (anchor >= session->held_count) session->held_count = anchor + 1;
  session->held[anchor] = (alch_held){ .object = object };
  session->held_now++;
  return ALCH_OK;
}

alch_status alch_session_hold(alch_session *session, alch_object *object) { return hold(session, object); }

void alch_session_release(alch_session *session, alch_object *object) {
  if (object->anchor == 0 || (object->state & (ALCH_STATE_PENDING | ALCH_STATE_MODIFIED | ALCH_STATE_DELETING | ALCH_STATE_DELETED | ALCH_STATE_REKEYED))) return;
  session->held[object->anchor] = (alch_held){ 0 };
  session->held_now--;
  session->host->release(session->host, session, object);
}

/* Holds an object and puts it into a list, or does neither. */
static alch_status hold_in(alch_session *session, alch_object_list *list, alch_object *object) {
  if (hold(session, object) != ALCH_OK) return ALCH_ERROR;
  if (alch_list_add(session->allocator, list, object) == ALCH_OK) return ALCH_OK;
  alch_session_release(session, object);
  return ALCH_ERROR;
}

alch_status alch_session_touch(alch_session *session, alch_object *object) {
  if (object->state & (ALCH_STATE_MODIFIED | ALCH_STATE_PENDING)) return ALCH_OK;
  if (hold_in(session, &session->modified, object) != ALCH_OK) return ALCH_ERROR;
  object->state |= ALCH_STATE_MODIFIED;
  return ALCH_OK;
}

const alch_old_value *alch_session_old_value(const alch_session *session, const alch_object *object, uint32_t slot) {
  if (session == NULL || object->anchor == 0) return NULL;
  for (uint32_t i = session->held[object->anchor].newest_old; i != 0; i = session->journal[i - 1].previous)
    if (session->journal[i - 1].slot == slot) return &session->journal[i - 1];
  return NULL;
}

bool alch_session_dirty(const alch_session *session) { return session->pending.count > 0 || session->modified.count > 0 || session->deleting.count > 0; }

/* ---- add ---- */

static alch_status refuse_foreign(const alch_session *session, const alch_object *object, alch_error *error) {
  if (object->session == NULL || object->session == session) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this %s object is already attached to another session: expunge it there first, or merge a copy of it into this one", object->mapper->name);
}

static alch_status rejoin(alch_session *session, alch_object *object, alch_error *error) {
  const alch_mapper *mapper = object->mapper;
  alch_value key[ALCH_KEY_LIMIT];
  if (!alch_object_key(object, false, key)) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this detached %s object has no key any more", mapper->name);
  alch_object *other = session->host->identity_find(session->host, session, mapper, key);
  if (other != NULL && other != object)
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "another %s object with this key is in the session already: use it, or merge this one", mapper->name);
  if (hold(session, object) != ALCH_OK) return alch_error_out_of_memory(error);
  session->host->identity_add(session->host, session, object, key);
  object->session = session;
  object->state = (object->state & (ALCH_STATE_KEYED | ALCH_STATE_EXPIRED)) | ALCH_STATE_PERSISTENT;
  session->expired_once |= (object->state & ALCH_STATE_EXPIRED) != 0;
  object->batch = session->batch;
  object->born = 0;
  return alch_session_touch(session, object) == ALCH_OK ? ALCH_OK : alch_error_out_of_memory(error);
}

static alch_status join(alch_session *session, alch_object *object, alch_error *error) {
  if (object->session == session) {
    /* A deletion that was only asked for is taken back. */
    if (object->state & ALCH_STATE_DELETING) {
      list_drop(&session->deleting, object);
      object->state &= (uint16_t)~ALCH_STATE_DELETING;
    }
    if (object->state & ALCH_STATE_DELETED)
      return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this %s object was deleted by a flush of this transaction: it can be added again after a rollback", object->mapper->name);
    return ALCH_OK;
  }
  alch_status status = refuse_foreign(session, object, error);
  if (status != ALCH_OK) return status;
  if (object->state & ALCH_STATE_KEYED) return rejoin(session, object, error);
  if (hold_in(session, &session->pending, object) != ALCH_OK) return alch_error_out_of_memory(error);
  object->session = session;
  object->state = ALCH_STATE_PENDING;
  return ALCH_OK;
}

static alch_status join_reached(alch_session *session, alch_object *object, alch_object_list *list, alch_error *error) {
  bool fresh = object->session == NULL;
  alch_status status = join(session, object, error);
  if (status == ALCH_OK && fresh && object->mapper->relationship_count > 0 && alch_list_add(session->allocator, list, object) != ALCH_OK) return alch_error_out_of_memory(error);
  return status;
}

/* One step of the save-update cascade: everything that hangs at the relationships of an object. */
static alch_status join_related(alch_session *session, alch_object *object, alch_object_list *list, alch_error *error) {
  const alch_mapper *mapper = object->mapper;
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < mapper->relationship_count && status == ALCH_OK; i++) {
    const alch_relationship *relationship = &mapper->relationships[i];
    alch_cell cell = object->cells[relationship->slot];
    if (!(relationship->cascade & ALCH_CASCADE_SAVE_UPDATE) || cell.object == NULL || !alch_object_loaded(object, relationship->slot)) continue;
    if (!relationship->list) {
      session->host->reach(session->host, object, relationship->slot, 0);
      status = join_reached(session, cell.object, list, error);
    }
    for (uint32_t k = 0; relationship->list && k < cell.collection->count && status == ALCH_OK; k++) {
      session->host->reach(session->host, object, relationship->slot, k);
      status = join_reached(session, cell.collection->items[k], list, error);
    }
  }
  return status;
}

/* The list belongs to the session, so that nothing is lost when the host leaves by a long jump. */
alch_status alch_session_add(alch_session *session, alch_object *object, alch_error *error) {
  session->reached.count = 0;
  alch_status status = join_reached(session, object, &session->reached, error);
  for (uint32_t i = 0; i < session->reached.count && status == ALCH_OK; i++) status = join_related(session, session->reached.items[i], &session->reached, error);
  session->reached.count = 0;
  return status;
}

/* ---- delete ---- */

alch_status alch_session_mark_deleted(alch_session *session, alch_object *object, alch_error *error) {
  if (object->state & (ALCH_STATE_DELETING | ALCH_STATE_DELETED)) return ALCH_OK;
  if (hold_in(session, &session->deleting, object) != ALCH_OK) return alch_error_out_of_memory(error);
  object->state |= ALCH_STATE_DELETING;
  return ALCH_OK;
}

static alch_status cascade_delete_to(alch_session *session, alch_object *target, alch_error *error) {
  if (target->state & ALCH_STATE_PENDING) {
    alch_session_let_go(session, target, false);
    return ALCH_OK;
  }
  return target->session == session ? alch_session_mark_deleted(session, target, error) : ALCH_OK;
}

alch_status alch_session_load_for_delete(alch_session *session, const alch_relationship *relationship, uint32_t from, alch_error *error) {
  alch_object_list *wanting = &session->wanting;
  wanting->count = 0;
  for (uint32_t i = from; i < session->deleting.count; i++) {
    alch_object *object = session->deleting.items[i];
    if (object == NULL || object->mapper != relationship->mapper || alch_object_loaded(object, relationship->slot)) continue;
    if (alch_list_add(session->allocator, wanting, object) != ALCH_OK) return alch_error_out_of_memory(error);
  }
  if (wanting->count == 0) return ALCH_OK;
  /* One object by itself is likely one of many: what came with it is loaded along, as on a touch by the user. */
  bool touch = wanting->count == 1 && relationship->strategy != ALCH_LAZY_RAISE && relationship->strategy != ALCH_LAZY_NOLOAD;
  alch_status status = touch ? alch_load_slot(wanting->items[0], relationship->slot, session->host, error)
                             : alch_load_relationship(session, relationship, wanting->items, wanting->count, NULL, error);
  return status == ALCH_DONE ? ALCH_OK : status;
}

/* Follows the delete cascade of one object over relationships that are loaded; those that are not are loaded first. */
static alch_status cascade_delete(alch_session *session, alch_object *object, alch_error *error) {
  const alch_mapper *mapper = object->mapper;
  for (uint32_t i = 0; i < mapper->relationship_count; i++) {
    const alch_relationship *relationship = &mapper->relationships[i];
    if (!(relationship->cascade & ALCH_CASCADE_DELETE) || relationship->view_only) continue;
    alch_status status = ALCH_OK;
    if (!alch_object_loaded(object, relationship->slot)) {
      if (relationship->passive_deletes) continue;
      status = alch_session_load_for_delete(session, relationship, session->cascaded, error);
      if (status != ALCH_OK) return status;
    }
    alch_cell cell = object->cells[relationship->slot];
    if (cell.object == NULL) continue;
    if (!relationship->list) {
      session->host->reach(session->host, object, relationship->slot, 0);
      status = cascade_delete_to(session, cell.object, error);
    }
    for (uint32_t k = 0; relationship->list && k < cell.collection->count && status == ALCH_OK; k++) {
      session->host->reach(session->host, object, relationship->slot, k);
      status = cascade_delete_to(session, cell.collection->items[k], error);
    }
    if (status != ALCH_OK) return status;
  }
  return ALCH_OK;
}

alch_status alch_session_cascade_deletes(alch_session *session, alch_error *error) {
  while (session->cascaded < session->deleting.count) {
    alch_object *object = session->deleting.items[session->cascaded];
    alch_status status = object == NULL ? ALCH_OK : cascade_delete(session, object, error);
    if (status != ALCH_OK) return status;
    session->cascaded++;
  }
  return ALCH_OK;
}

/* Autoflush comes before the mark: one that came with the load would find half of the cascade. */
static bool loads_for_delete(const alch_object *object) {
  if (object->state & ALCH_STATE_DELETING) return false;
  for (uint32_t i = 0; i < object->mapper->relationship_count; i++) {
    const alch_relationship *relationship = &object->mapper->relationships[i];
    if ((relationship->cascade & ALCH_CASCADE_DELETE) && !relationship->view_only && !relationship->passive_deletes && !alch_object_loaded(object, relationship->slot)) return true;
  }
  return false;
}

alch_status alch_session_delete(alch_session *session, alch_object *object, alch_error *error) {
  if (object->session != session || !(object->state & ALCH_STATE_PERSISTENT))
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this %s object cannot be deleted: it is not persistent in this session (%s)", object->mapper->name,
                          object->session != NULL && object->session != session ? "it belongs to another one" : object->state & ALCH_STATE_PENDING ? "it is new: expunge it instead" : "it was never stored, or is detached: add it first");
  alch_status status = ALCH_OK;
  if (session->flush_waits || (session->options.autoflush && !session->in_flush && loads_for_delete(object))) status = alch_session_flush(session, error);
  if (status == ALCH_OK) status = alch_session_mark_deleted(session, object, error);
  return status == ALCH_OK ? alch_session_cascade_deletes(session, error) : status;
}

/* ---- leaving ---- */

void alch_session_forget_changes(alch_object *object) {
  const alch_mapper *mapper = object->mapper;
  uint8_t *kinds = alch_object_kinds(object);
  for (uint32_t i = 0; i < mapper->slot_count; i++) kinds[i] &= (uint8_t)~(ALCH_SLOT_CHANGED | ALCH_SLOT_OLD);
  for (uint32_t i = 0; i < mapper->relationship_count; i++) {
    const alch_relationship *relationship = &mapper->relationships[i];
    alch_collection *collection = relationship->list ? object->cells[relationship->slot].collection : NULL;
    if (collection == NULL || (kinds[relationship->slot] & ALCH_SLOT_UNLOADED)) continue;
    collection->committed = NULL;
    collection->committed_count = collection->count;
    collection->changed = false;
  }
}

/* A frame must not name an object that nobody holds. */
void alch_session_forget_key(alch_session *session, alch_object *object) {
  for (alch_session_frame *frame = session->frame; frame != NULL; frame = frame->outer)
    for (alch_rekeyed *entry = frame->rekeyed; entry != NULL; entry = entry->next)
      if (entry->object == object) entry->object = NULL;
}

void alch_session_let_go(alch_session *session, alch_object *object, bool keyed) {
  if (object->state & ALCH_STATE_REKEYED) alch_session_forget_key(session, object);
  if (object->state & ALCH_STATE_PENDING) list_drop(&session->pending, object);
  if (object->state & ALCH_STATE_MODIFIED) list_drop(&session->modified, object);
  if (object->state & ALCH_STATE_DELETING) list_drop(&session->deleting, object);
  alch_value key[ALCH_KEY_LIMIT];
  if ((object->state & ALCH_STATE_PERSISTENT) && alch_object_key(object, true, key)) session->host->identity_remove(session->host, session, object->mapper, key);
  bool expired = alch_object_expired(object);
  object->state = (uint16_t)((keyed ? ALCH_STATE_KEYED : 0) | (keyed && expired ? ALCH_STATE_EXPIRED : 0));
  uint8_t *kinds = alch_object_kinds(object);
  for (uint32_t i = 0; i < object->mapper->slot_count; i++) kinds[i] &= (uint8_t)~ALCH_SLOT_OLD;
  alch_session_release(session, object);
  object->session = NULL;
  object->born = 0;
}

alch_status alch_session_expunge(alch_session *session, alch_object *object, alch_error *error) {
  if (object->session != session) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this %s object is not in this session", object->mapper->name);
  alch_session_let_go(session, object, !(object->state & ALCH_STATE_PENDING));
  return ALCH_OK;
}

static bool gather(void *context, alch_object *object) {
  alch_session *session = context;
  return alch_list_add(session->allocator, &session->identities, object) == ALCH_OK;
}

const alch_object_list *alch_session_identities(alch_session *session) {
  session->identities.count = 0;
  session->host->identity_each(session->host, session, NULL, NULL, gather, session);
  return &session->identities;
}

static bool detach_visit(void *context, alch_object *object) {
  alch_session *session = context;
  bool expired = alch_object_expired(object);
  uint8_t *kinds = alch_object_kinds(object);
  for (uint32_t i = 0; i < object->mapper->slot_count; i++) kinds[i] &= (uint8_t)~ALCH_SLOT_OLD;
  object->state = (uint16_t)(ALCH_STATE_KEYED | (expired ? ALCH_STATE_EXPIRED : 0));
  alch_session_release(session, object);
  object->session = NULL;
  object->born = 0;
  return true;
}

static void let_list_go(alch_session *session, alch_object_list *list, bool keyed) {
  for (uint32_t i = 0; i < list->count; i++)
    if (list->items[i] != NULL && list->items[i]->session == session) {
      alch_object *object = list->items[i];
      object->state &= (uint16_t)~(ALCH_STATE_PENDING | ALCH_STATE_MODIFIED | ALCH_STATE_DELETING | ALCH_STATE_DELETED | ALCH_STATE_REKEYED);
      object->state |= keyed ? ALCH_STATE_KEYED : 0;
      alch_session_release(session, object);
      object->session = NULL;
    }
  list->count = 0;
}

void alch_session_expunge_all(alch_session *session) {
  session->host->identity_each(session->host, session, NULL, NULL, detach_visit, session);
  session->host->identity_clear(session->host, session);
  let_list_go(session, &session->pending, false);
  let_list_go(session, &session->modified, true);
  let_list_go(session, &session->deleting, true);
  for (alch_session_frame *frame = session->frame; frame != NULL; frame = frame->outer) {
    let_list_go(session, &frame->deleted, true);
    frame->rekeyed = NULL;
  }
  session->journal_count = session->cascaded = 0;
}

/* ---- expiring ---- */

alch_status alch_session_expire(alch_session *session, alch_object *object, uint32_t slot, alch_error *error) {
  if (object->session != session || !(object->state & ALCH_STATE_PERSISTENT))
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this %s object is not persistent in this session, so there is nothing to read it again from", object->mapper->name);
  uint8_t *kinds = alch_object_kinds(object);
  session->expired_once = true;
  if (slot != UINT32_MAX) {
    if (slot >= object->mapper->attribute_count || !object->mapper->attributes[slot].primary_key) kinds[slot] = (uint8_t)((kinds[slot] & ~(ALCH_SLOT_CHANGED | ALCH_SLOT_OLD)) | ALCH_SLOT_UNLOADED);
    return ALCH_OK;
  }
  for (uint32_t i = 0; i < object->mapper->slot_count; i++) kinds[i] &= (uint8_t)~(ALCH_SLOT_CHANGED | ALCH_SLOT_OLD);
  object->state |= ALCH_STATE_EXPIRED;
  return ALCH_OK;
}

/* What is changed and not flushed is dropped, as SQLAlchemy does. */
void alch_session_expire_all(alch_session *session) {
  for (uint32_t i = 0; i < session->modified.count; i++) {
    alch_object *object = session->modified.items[i];
    if (object == NULL) continue;
    alch_session_forget_changes(object);
    object->state &= (uint16_t)~ALCH_STATE_MODIFIED;
    alch_session_release(session, object);
  }
  session->modified.count = session->journal_count = 0;
  session->oldest_batch = ++session->batch;
  session->expired_once = true;
}

/* ---- closing ---- */

static void stop_flush(alch_session *session) {
  if (session->flush != NULL) {
    alch_flush_close(session->flush);
    session->flush = NULL;
    session->failed = true;
  }
  session->in_flush = session->committing = false;
}

void alch_session_stop(alch_session *session) {
  alch_load_stop(session);
  stop_flush(session);
}

void alch_session_abandon(alch_session *session) {
  alch_load_abandon(session);
  stop_flush(session);
}

void alch_session_close(alch_session *session) {
  alch_session_abandon(session);
  alch_session_end_frames(session);
  alch_session_expunge_all(session);
  session->failed = false;
}

void alch_session_destroy(alch_session *session) {
  alch_session_close(session);
  list_free(session->allocator, &session->reached);
  list_free(session->allocator, &session->wanting);
  list_free(session->allocator, &session->identities);
  list_free(session->allocator, &session->pending);
  list_free(session->allocator, &session->modified);
  list_free(session->allocator, &session->deleting);
  alch_free(session->allocator, session->held, session->held_capacity * sizeof *session->held);
  alch_free(session->allocator, session->journal, session->journal_capacity * sizeof *session->journal);
  alch_bind_free_all(session);
  alch_error_close(&session->failure);
  alch_free(session->allocator, session, sizeof *session);
}
