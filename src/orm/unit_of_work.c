#include "orm/unit_of_work.h"

#include "orm/load.h"

void alch_flush_init(alch_flush *flush, alch_session *session) {
  *flush = (alch_flush){ .session = session };
  alch_arena_init(&flush->arena, session->allocator);
  alch_execution_init(&flush->execution, session->allocator);
  alch_execution_init(&flush->single.execution, session->allocator);
  for (uint32_t i = 0; i < ALCH_BATCHES; i++) alch_execution_init(&flush->batches[i].execution, session->allocator);
  alch_buffer_init(&flush->scratch, session->allocator);
}

void alch_flush_close(alch_flush *flush) {
  const alch_allocator *allocator = flush->session->allocator;
  alch_execution_destroy(&flush->execution);
  alch_buffer_close(&flush->scratch);
  for (uint32_t i = 0; i < ALCH_BATCHES; i++) alch_batch_close(&flush->batches[i], allocator);
  alch_batch_close(&flush->single, allocator);
  alch_free(allocator, flush->steps, flush->step_capacity * sizeof *flush->steps);
  alch_free(allocator, flush->objects, flush->object_capacity * sizeof *flush->objects);
  alch_free(allocator, flush->links, flush->link_capacity * sizeof *flush->links);
  alch_compiled_release(flush->question);
  alch_arena_clear(&flush->arena);
  alch_free(allocator, flush, sizeof *flush);
}

static alch_status open_flush(alch_session *session, alch_error *error) {
  alch_flush *flush = alch_allocate(session->allocator, sizeof *flush);
  if (flush == NULL) return alch_error_out_of_memory(error);
  alch_flush_init(flush, session);
  session->flush = flush;
  return ALCH_OK;
}

/* ---- afterwards ---- */

/* Answers how many objects have no more reason to be held. Inserted ones have forgotten their changes already. */
static uint32_t settle_list(alch_session *session, const alch_object_list *list, uint16_t bits, bool forget) {
  uint32_t idle = 0;
  for (uint32_t i = 0; i < list->count; i++) {
    alch_object *object = list->items[i];
    if (object == NULL || object->session != session) continue;
    if (forget) alch_session_forget_changes(object);
    object->state &= (uint16_t)~bits;
    idle += object->anchor != 0 && !(object->state & (ALCH_STATE_DELETED | ALCH_STATE_REKEYED));
  }
  return idle;
}

static void release_list(alch_session *session, alch_object_list *list, bool all) {
  for (uint32_t i = 0; i < list->count; i++) {
    alch_object *object = list->items[i];
    if (object == NULL || object->session != session) continue;
    if (all) object->anchor = 0;
    else alch_session_release(session, object);
  }
  list->count = 0;
}

/* What was written counts as committed state; nothing is held for it any more. */
static void settle(alch_session *session) {
  uint32_t idle = settle_list(session, &session->pending, ALCH_STATE_PENDING, false) + settle_list(session, &session->modified, ALCH_STATE_MODIFIED, true);
  bool all = idle == session->held_now;
  if (all && idle > 0) {
    session->host->release_all(session->host, session);
    session->held_now = 0;
    session->held_count = 1;
  }
  if (session->pending.count == 1 && session->pending.items[0] != NULL) session->pending.items[0]->state |= ALCH_STATE_ALONE;
  release_list(session, &session->pending, all);
  release_list(session, &session->modified, all);
  session->deleting.count = session->cascaded = 0;
  session->journal_count = 0;
}

static void end_flush(alch_session *session) {
  alch_flush_close(session->flush);
  session->flush = NULL;
  session->in_flush = false;
}

static alch_status run_flush(alch_session *session, alch_error *error) {
  alch_flush *flush = session->flush;
  alch_status status = ALCH_OK;
  if (flush->stage < 2) {
    status = alch_flush_plan(flush, error);
    if (status != ALCH_OK) return status;
    flush->stage = 2;
  }
  if (flush->stage == 2) {
    /* The transaction first: what is born from here on is its to take back. */
    if (flush->step_count > 0 && (status = alch_session_ensure_frame(session, error)) != ALCH_OK) return status;
    flush->stage = 3;
    session->batch++;
    session->born++;
  }
  status = alch_flush_run(flush, error);
  if (status != ALCH_OK) return status;
  settle(session);
  return ALCH_OK;
}

/* What a listener loads does not flush: it would be told of that again. */
static alch_status begin_flush(alch_session *session, alch_error *error) {
  alch_status status = ALCH_OK;
  session->in_flush = true;
  if (session->events >> ALCH_SESSION_BEFORE_FLUSH & 1) status = session->host->session_event(session->host, ALCH_SESSION_BEFORE_FLUSH, session);
  if (status == ALCH_OK) status = open_flush(session, error);
  if (status != ALCH_OK) session->in_flush = false;
  return status;
}

alch_status alch_session_flush(alch_session *session, alch_error *error) {
  if (!alch_session_dirty(session) && session->flush == NULL) return ALCH_OK;
  if (session->failed) return alch_error_set(error, ALCH_ERROR_PENDING_ROLLBACK, "a flush of this session has failed and its transaction cannot go on: call session:rollback() first");
  if (session->prepared) return alch_session_ensure_frame(session, error);   /* which says why not */
  if (session->in_flush && !session->flush_waits) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this session is flushing already: an event of the flush cannot start another");
  alch_status status = session->flush == NULL ? begin_flush(session, error) : ALCH_OK;
  if (status != ALCH_OK) return status;
  session->flush_waits = false;
  status = run_flush(session, error);
  session->flush_waits = status == ALCH_WAIT;
  if (status == ALCH_WAIT) return status;
  end_flush(session);
  session->failed = status != ALCH_OK;
  if (status == ALCH_OK && session->events >> ALCH_SESSION_AFTER_FLUSH & 1) status = session->host->session_event(session->host, ALCH_SESSION_AFTER_FLUSH, session);
  return status;
}

/* ---- printing ---- */

static const char *const verbs[] = {
  [ALCH_STEP_COPY] = "copy key", [ALCH_STEP_UPDATE] = "update", [ALCH_STEP_INSERT] = "insert into", [ALCH_STEP_UNLINK] = "unlink in", [ALCH_STEP_LINK] = "link in", [ALCH_STEP_DELETE] = "delete from",
};

static void print_pairs(const alch_step *step, alch_buffer *out) {
  const alch_relationship *relationship = step->relationship;
  for (uint32_t i = 0; i < relationship->pair_count; i++) {
    const alch_pair *pair = &relationship->pairs[i];
    const alch_column *local = relationship->mapper->attributes[pair->local].column, *remote = relationship->target->attributes[pair->remote].column;
    const alch_column *from = step->reversed ? remote : local, *to = step->reversed ? local : remote;
    alch_buffer_add_format(out, "%s%s.%s -> %s.%s", i > 0 ? ", " : " ", from->table->name, from->name, to->table->name, to->name);
  }
}

static void print_step(const alch_flush *flush, uint32_t number, alch_buffer *out) {
  const alch_step *step = &flush->steps[number];
  alch_buffer_add_format(out, "%u. %s", number + 1, verbs[step->kind]);
  if (step->kind == ALCH_STEP_COPY) print_pairs(step, out);
  else alch_buffer_add_format(out, " %s", step->relationship != NULL ? step->relationship->secondary->name : step->mapper->table->name);
  alch_buffer_add_format(out, ": %u %s", step->count, step->mapper->name);
  if (step->relationship != NULL) alch_buffer_add_format(out, " (%s.%s)", step->relationship->mapper->name, step->relationship->name);
  alch_buffer_add_char(out, '\n');
}

void alch_flush_print(const alch_flush *flush, alch_buffer *out) {
  for (uint32_t i = 0; i < flush->step_count; i++) print_step(flush, i, out);
}

static void unmark_orphans(alch_session *session, uint32_t count) {
  for (uint32_t i = count; i < session->deleting.count; i++) {
    alch_object *object = session->deleting.items[i];
    if (object == NULL) continue;
    object->state &= (uint16_t)~ALCH_STATE_DELETING;
    alch_session_release(session, object);
  }
  session->deleting.count = count;
  if (session->cascaded > count) session->cascaded = count;
}

alch_status alch_session_plan(alch_session *session, alch_buffer *out, alch_error *error) {
  if (!alch_session_dirty(session)) return ALCH_OK;
  if (session->flush != NULL && !session->flush_waits) return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "this session is flushing: its plan is being carried out");
  uint32_t asked = session->flush == NULL ? session->deleting.count : session->flush->place;
  alch_status status = session->flush == NULL ? open_flush(session, error) : ALCH_OK;
  if (status != ALCH_OK) return status;
  session->in_flush = true;
  session->flush_waits = false;
  session->flush->place = asked;
  status = alch_flush_plan(session->flush, error);
  session->flush_waits = status == ALCH_WAIT;
  if (status == ALCH_WAIT) return status;
  if (status == ALCH_OK) alch_flush_print(session->flush, out);
  end_flush(session);
  unmark_orphans(session, asked);
  return status;
}
