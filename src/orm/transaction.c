/* The session's transaction: a stack of frames, the outermost a transaction of the connection, the others savepoints.
   A frame gets its place on the connection when the first statement needs it. */
#include "base/fault.h"
#include "orm/session.h"

#include "orm/load.h"
#include "orm/unit_of_work.h"

static alch_status session_event(alch_session *session, alch_session_event event) {
  return session->events >> event & 1 ? session->host->session_event(session->host, event, session) : ALCH_OK;
}

/* What is known of the last one ends here. */
static void start_transaction(alch_session *session) {
  session->prepared = session->undoing = false;
  session->xid[0] = '\0';
  for (alch_bind *bind = session->binds; bind != NULL; bind = bind->next) bind->state = ALCH_BIND_OPEN;
}

static alch_status push_frame(alch_session *session, bool nested, alch_error *error) {
  alch_session_frame *frame = alch_allocate_zeroed(session->allocator, sizeof *frame);
  if (frame == NULL) return alch_error_out_of_memory(error);
  alch_arena_init(&frame->arena, session->allocator);
  frame->outer = session->frame;
  frame->depth = frame->outer != NULL ? frame->outer->depth + 1 : 0;
  frame->nested = nested;
  frame->first_born = session->born + 1;
  session->frame = frame;
  if (frame->depth == 0) start_transaction(session);
  return ALCH_OK;
}

static void free_frame(alch_session *session, alch_session_frame *frame) {
  alch_arena_clear(&frame->arena);
  alch_free(session->allocator, frame->deleted.items, frame->deleted.capacity * sizeof *frame->deleted.items);
  alch_free(session->allocator, frame, sizeof *frame);
}

static alch_status refuse_failed(const alch_session *session, alch_error *error) {
  if (!session->failed) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_PENDING_ROLLBACK, "a flush of this session has failed and its transaction cannot go on: call session:rollback() first");
}

static alch_status refuse_prepared(const alch_session *session, alch_error *error) {
  if (!session->prepared) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this session's transaction is prepared, so that nothing more can be done in it: call session:commit() or session:rollback()");
}

alch_status alch_session_begin(alch_session *session, bool nested, alch_error *error) {
  alch_status status = refuse_failed(session, error);
  if (status == ALCH_OK) status = refuse_prepared(session, error);
  if (status != ALCH_OK) return status;
  if (session->frame != NULL && !nested) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "a transaction is already begun on this session: use session:begin_nested() for a savepoint");
  if (session->options.twophase && !session->routed && (status = alch_engine_check_twophase(session->bind->engine, error)) != ALCH_OK) return status;
  if (nested && (status = alch_session_flush(session, error)) != ALCH_OK) return status;
  if (nested && session->frame == NULL && (status = push_frame(session, false, error)) != ALCH_OK) return status;
  return push_frame(session, nested, error);
}

alch_status alch_session_ensure_frame(alch_session *session, alch_error *error) {
  alch_status status = refuse_failed(session, error);
  if (status == ALCH_OK) status = refuse_prepared(session, error);
  if (status != ALCH_OK || session->frame != NULL) return status;
  if (!session->options.autobegin) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "no transaction is begun on this session and autobegin is off: call session:begin() first");
  return push_frame(session, false, error);
}

alch_status alch_session_connection(alch_session *session, alch_bind *bind, alch_connection **out, alch_error *error) {
  alch_status status = alch_session_ensure_frame(session, error);
  if (status == ALCH_OK) status = alch_bind_connect(session, bind, error);
  *out = bind->connection;
  return status;
}

alch_status alch_session_meet(alch_session *session, alch_bind *bind, alch_error *error) {
  alch_connection *connection;
  return ALCH_LIKELY(alch_engine_is_met(bind->engine)) ? ALCH_OK : alch_session_connection(session, bind, &connection, error);
}

/* ---- commit ---- */

static void settle_deleted(alch_session *session, alch_session_frame *frame) {
  for (uint32_t i = 0; i < frame->deleted.count; i++) {
    alch_object *object = frame->deleted.items[i];
    if (object == NULL) continue;
    if (object->state & ALCH_STATE_REKEYED) alch_session_forget_key(session, object);
    object->state = ALCH_STATE_KEYED;
    alch_session_release(session, object);
    object->session = NULL;
  }
}

static void release_rekeyed(alch_session *session, alch_session_frame *frame) {
  for (alch_rekeyed *entry = frame->rekeyed; entry != NULL; entry = entry->next) {
    if (entry->object == NULL || entry->object->session != session) continue;
    entry->object->state &= (uint16_t)~ALCH_STATE_REKEYED;
    alch_session_release(session, entry->object);
  }
}

/* What a savepoint saw happen is now the outer frame's to undo. */
static alch_status merge_frame(alch_session *session, alch_session_frame *frame, alch_error *error) {
  alch_session_frame *outer = frame->outer;
  for (uint32_t i = 0; i < frame->deleted.count; i++)
    if (alch_list_add(session->allocator, &outer->deleted, frame->deleted.items[i]) != ALCH_OK) return alch_error_out_of_memory(error);
  for (alch_rekeyed *entry = frame->rekeyed; entry != NULL; entry = entry->next) {
    if (entry->object == NULL) continue;
    size_t size = sizeof *entry + entry->object->mapper->key_count * sizeof *entry->key;
    alch_rekeyed *copy = alch_arena_copy(&outer->arena, entry, size);
    if (copy == NULL) return alch_error_out_of_memory(error);
    for (uint32_t i = 0; i < entry->object->mapper->key_count; i++)
      if (alch_value_has_text(copy->key[i].kind)) copy->key[i].text = alch_arena_text(&outer->arena, entry->key[i].text, entry->key[i].length);
    copy->next = outer->rekeyed;
    outer->rekeyed = copy;
  }
  return ALCH_OK;
}

static alch_status commit_frame(alch_session *session, alch_session_frame *frame, alch_error *error) {
  if (alch_fault("session: commit")) return alch_error_set(error, ALCH_ERROR_OPERATIONAL, "a fault that a spec asked for");
  bool outermost = !frame->nested;
  alch_status status = alch_binds_commit(session, frame->depth, error), merged;
  bool decided = status == ALCH_OK || (status != ALCH_WAIT && outermost && alch_binds_decided(session));
  if (!decided) return status;
  if (!outermost) {
    if ((merged = merge_frame(session, frame, error)) != ALCH_OK) return merged;
    session->frame = frame->outer;
  } else {
    settle_deleted(session, frame);
    release_rekeyed(session, frame);
    session->frame = NULL;
    session->prepared = false;
    if (session->options.expire_on_commit) alch_session_expire_all(session);
    alch_binds_give_back(session);
  }
  free_frame(session, frame);
  return outermost && status == ALCH_OK ? session_event(session, ALCH_SESSION_AFTER_COMMIT) : status;
}

static alch_status tell_before_commit(alch_session *session) {
  if (session->committing || session->flush != NULL) return ALCH_OK;
  return session_event(session, ALCH_SESSION_BEFORE_COMMIT);
}

/* What is to be committed is flushed, unless it is prepared: then it was before. */
static alch_status flush_last(alch_session *session, alch_error *error) {
  if (session->prepared) return ALCH_OK;
  alch_status status = tell_before_commit(session);
  if (status == ALCH_OK) session->committing = true;
  return status == ALCH_OK ? alch_session_flush(session, error) : status;
}

/* When one database refuses, all are rolled back; the error is the one that refused. */
static alch_status prepare_all(alch_session *session, alch_error *error) {
  alch_status status = session->undoing ? ALCH_OK : alch_binds_prepare(session, error);
  if (status < 0) {
    alch_session_keep_failure(session, error, status);
    session->undoing = true;
  }
  if (session->undoing) return alch_session_rollback(session, error);
  session->prepared = status == ALCH_OK;
  return status;
}

static alch_status commit(alch_session *session, alch_error *error) {
  if (session->undoing) return prepare_all(session, error);
  alch_status status = refuse_failed(session, error);
  if (status == ALCH_OK) status = flush_last(session, error);
  if (status != ALCH_OK) return status;
  if (session->frame == NULL) {
    if (session->options.expire_on_commit) alch_session_expire_all(session);
    return ALCH_OK;
  }
  if (session->options.twophase && !session->frame->nested && !session->prepared) status = prepare_all(session, error);
  return status == ALCH_OK ? commit_frame(session, session->frame, error) : status;
}

alch_status alch_session_commit(alch_session *session, alch_error *error) {
  alch_status status = commit(session, error);
  if (status != ALCH_WAIT) session->committing = false;
  return status;
}

static alch_status check_prepare(const alch_session *session, alch_error *error) {
  const char *why = !session->options.twophase ? "session:prepare() is for sessions that were made with twophase = true"
                    : session->frame == NULL   ? "there is no transaction in progress on this session that could be prepared"
                    : session->frame->nested   ? "a savepoint cannot be prepared: commit it or roll it back, and prepare the transaction"
                                               : NULL;
  return why != NULL ? alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "%s", why) : refuse_prepared(session, error);
}

static alch_status prepare(alch_session *session, alch_error *error) {
  if (session->undoing) return prepare_all(session, error);
  alch_status status = refuse_failed(session, error);
  if (status == ALCH_OK) status = check_prepare(session, error);
  if (status == ALCH_OK) status = flush_last(session, error);
  return status == ALCH_OK ? prepare_all(session, error) : status;
}

alch_status alch_session_prepare(alch_session *session, alch_error *error) {
  alch_status status = prepare(session, error);
  if (status != ALCH_WAIT) session->committing = false;
  return status;
}

/* ---- rollback ---- */

alch_status alch_session_note_key(alch_session *session, alch_object *object, const alch_value *old_key, alch_error *error) {
  alch_session_frame *frame = session->frame;
  uint32_t count = object->mapper->key_count;
  alch_rekeyed *entry = alch_arena_allocate(&frame->arena, sizeof *entry + count * sizeof *entry->key);
  if (entry == NULL || alch_session_hold(session, object) != ALCH_OK) return alch_error_out_of_memory(error);
  *entry = (alch_rekeyed){ .next = frame->rekeyed, .object = object };
  for (uint32_t i = 0; i < count; i++) {
    entry->key[i] = old_key[i];
    if (alch_value_has_text(old_key[i].kind) && (entry->key[i].text = alch_arena_text(&frame->arena, old_key[i].text, old_key[i].length)) == NULL) return alch_error_out_of_memory(error);
  }
  frame->rekeyed = entry;
  object->state |= ALCH_STATE_REKEYED;
  return ALCH_OK;
}

static void become_transient(alch_session *session, alch_object *object) {
  bool generated = (object->state & ALCH_STATE_GENERATED) != 0;
  const alch_mapper *mapper = object->mapper;
  if (object->state & ALCH_STATE_DELETED) object->state = (object->state & ALCH_STATE_GENERATED) | ALCH_STATE_KEYED;
  alch_session_let_go(session, object, false);
  uint8_t *kinds = alch_object_kinds(object);
  for (uint32_t i = 0; generated && i < mapper->key_count; i++) {
    uint32_t slot = mapper->key_slots[i];
    if (!alch_attribute_database_decides(mapper, slot)) continue;
    kinds[slot] = ALCH_SLOT_UNLOADED;
    object->cells[slot].integer = 0;
  }
  for (uint32_t i = 0; i < mapper->slot_count; i++)
    if (!(kinds[i] & ALCH_SLOT_UNLOADED)) kinds[i] |= ALCH_SLOT_CHANGED;
}

static void restore_keys(alch_session *session, alch_session_frame *frame) {
  alch_host *host = session->host;
  for (alch_rekeyed *entry = frame->rekeyed; entry != NULL; entry = entry->next) {
    alch_object *object = entry->object;
    alch_value key[ALCH_KEY_LIMIT];
    if (object == NULL || object->session != session) continue;
    if ((object->state & ALCH_STATE_PERSISTENT) && alch_object_key(object, true, key)) host->identity_remove(host, session, object->mapper, key);
    for (uint32_t i = 0; i < object->mapper->key_count; i++) {
      uint8_t *kind = &alch_object_kinds(object)[object->mapper->key_slots[i]];
      *kind &= (uint8_t)~(ALCH_SLOT_CHANGED | ALCH_SLOT_OLD);
      alch_object_put(host, object, object->mapper->key_slots[i], &entry->key[i]);
    }
    if (object->state & ALCH_STATE_PERSISTENT) host->identity_add(host, session, object, entry->key);
  }
  release_rekeyed(session, frame);
}

/* Keys changed and not flushed go back to what the row has: they are never expired. */
static void restore_unflushed_key(alch_session *session, alch_object *object) {
  for (uint32_t i = 0; i < object->mapper->key_count; i++) {
    uint32_t slot = object->mapper->key_slots[i];
    const alch_old_value *old = alch_object_kinds(object)[slot] & ALCH_SLOT_OLD ? alch_session_old_value(session, object, slot) : NULL;
    if (old == NULL) continue;
    object->cells[slot] = old->cell;
    alch_object_kinds(object)[slot] = old->kind;
  }
}

static void restore_deleted(alch_session *session, alch_session_frame *frame) {
  for (uint32_t i = 0; i < frame->deleted.count; i++) {
    alch_object *object = frame->deleted.items[i];
    alch_value key[ALCH_KEY_LIMIT];
    if (object == NULL || object->session != session) continue;
    if (object->born >= frame->first_born) {
      become_transient(session, object);
      continue;
    }
    object->state = ALCH_STATE_PERSISTENT | ALCH_STATE_KEYED | ALCH_STATE_EXPIRED;
    if (alch_object_key(object, false, key)) session->host->identity_add(session->host, session, object, key);
    alch_session_release(session, object);
  }
}

static void drop_pending(alch_session *session) {
  for (uint32_t i = 0; i < session->pending.count; i++) {
    alch_object *object = session->pending.items[i];
    session->pending.items[i] = NULL;
    if (object != NULL && object->session == session) become_transient(session, object);
  }
  session->pending.count = 0;
}

static void drop_deleting(alch_session *session) {
  for (uint32_t i = 0; i < session->deleting.count; i++) {
    alch_object *object = session->deleting.items[i];
    if (object == NULL || object->session != session) continue;
    object->state &= (uint16_t)~ALCH_STATE_DELETING;
    alch_session_release(session, object);
  }
  session->deleting.count = session->cascaded = 0;
}

static void drop_born(alch_session *session, const alch_session_frame *frame) {
  const alch_object_list *all = alch_session_identities(session);
  for (uint32_t i = 0; i < all->count; i++)
    if (all->items[i]->born >= frame->first_born) become_transient(session, all->items[i]);
}

static void restore_objects(alch_session *session, alch_session_frame *frame) {
  for (uint32_t i = 0; i < session->modified.count; i++)
    if (session->modified.items[i] != NULL) restore_unflushed_key(session, session->modified.items[i]);
  drop_pending(session);
  drop_deleting(session);
  if (session->born >= frame->first_born) drop_born(session, frame);
  restore_deleted(session, frame);
  restore_keys(session, frame);
  alch_session_expire_all(session);
}

alch_status alch_session_rollback(alch_session *session, alch_error *error) {
  if (session->in_flush && !session->flush_waits) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this session is flushing: an event of the flush cannot roll back; raise an error instead");
  if (session->frame != NULL && session->frame->outer != NULL) alch_session_stop(session);
  else alch_session_abandon(session);
  alch_session_frame none = { .first_born = session->born + 1 }, *frame = session->frame;
  alch_status status = frame != NULL ? alch_binds_rollback(session, frame->depth, error) : ALCH_OK;
  if (status == ALCH_WAIT) return status;
  /* Whatever the connection said, the objects must not keep what was never committed. */
  restore_objects(session, frame != NULL ? frame : &none);
  session->failed = false;
  if (frame != NULL) {
    session->frame = frame->outer;
    session->prepared = session->undoing = false;
    if (session->frame == NULL) alch_binds_give_back(session);
    free_frame(session, frame);
  }
  alch_status told = session_event(session, ALCH_SESSION_AFTER_ROLLBACK);
  return status != ALCH_OK ? status : told;
}

alch_status alch_session_unwind(alch_session *session, alch_error *error) {
  alch_session_abandon(session);
  return alch_binds_rollback(session, 0, error);
}

void alch_session_end_frames(alch_session *session) {
  alch_binds_rollback(session, 0, NULL);   /* what would have to be waited for ends with its connection */
  while (session->frame != NULL) {
    alch_session_frame *frame = session->frame;
    settle_deleted(session, frame);
    session->frame = frame->outer;
    free_frame(session, frame);
  }
  session->prepared = session->undoing = false;
  alch_binds_give_back(session);
}
