/* Loads: a stack of steps each, and a stack of them on the session. */
#include "orm/load_state.h"

#include <string.h>

/* ---- numbers ---- */

static bool expire_singly(void *context, alch_object *object) {
  (void)context;
  if (alch_object_expired(object)) object->state |= ALCH_STATE_EXPIRED;
  return true;
}

static bool renumber(void *context, alch_object *object) {
  object->batch = *(const uint32_t *)context;
  return true;
}

/* After four thousand million loads the numbers begin anew. */
static uint32_t next_batch(alch_session *session) {
  if (ALCH_UNLIKELY(session->batch >= UINT32_MAX - 1)) {
    const uint32_t one = 1;
    session->host->identity_each(session->host, session, NULL, NULL, expire_singly, NULL);
    session->host->identity_each(session->host, session, NULL, NULL, renumber, (void *)(uintptr_t)&one);
    session->batch = session->oldest_batch = 1;
  }
  return ++session->batch;
}

/* ---- the stack of loads ---- */

alch_status alch_load_open(alch_session *session, alch_registry *registry, alch_load_kind kind, alch_load **out, alch_error *error) {
  *out = NULL;
  if (alch_registry_configure(registry, error) != ALCH_OK) return ALCH_ERROR;
  alch_load *load = session->spare_load;
  session->spare_load = NULL;
  if (!load) load = alch_allocate_zeroed(session->allocator, sizeof *load);
  if (!load) return alch_error_out_of_memory(error);
  if (!load->session) {
    alch_arena_init(&load->arena, session->allocator);
    alch_arena_init(&load->kept, session->allocator);
  }
  load->session = session;
  load->registry = registry;
  load->kind = (uint8_t)kind;
  load->batch = next_batch(session);
  load->outer = session->load;
  session->load = load;
  *out = load;
  return ALCH_OK;
}

static void leave_stack(alch_load *load) {
  alch_load **at = &load->session->load;
  while (*at && *at != load) at = &(*at)->outer;
  if (*at) *at = load->outer;
}

static void destroy(alch_load *load, const alch_allocator *allocator) {
  alch_load_free_steps(load);
  alch_compiled_release(load->get_compiled);
  alch_arena_clear(&load->arena);
  alch_arena_clear(&load->kept);
  alch_free(allocator, load->events, load->event_capacity * sizeof *load->events);
  alch_free(allocator, load->siblings.items, load->siblings.capacity * sizeof *load->siblings.items);
  alch_free(allocator, load, sizeof *load);
}

void alch_load_close(alch_load *load) {
  if (!load) return;
  alch_session *session = load->session;
  leave_stack(load);
  if (ALCH_UNLIKELY(load->place != NULL)) *load->place = NULL;
  while (load->step) alch_load_pop(load);
  if (session->spare_load) {
    destroy(load, session->allocator);
    return;
  }
  alch_arena_clear(&load->arena);
  if (ALCH_UNLIKELY(load->limit > 0)) alch_arena_clear(&load->kept);
  memset(load, 0, offsetof(alch_load, session));
  session->spare_load = load;
}

void alch_load_stop(alch_session *session) {
  for (alch_load *load = session->load, *outer; load; load = outer) {
    outer = load->outer;
    if (!load->rests) alch_load_close(load);
  }
}

void alch_load_abandon(alch_session *session) {
  while (session->load) alch_load_close(session->load);
  if (session->spare_load) destroy(session->spare_load, session->allocator);
  session->spare_load = NULL;
}

alch_load *alch_load_resumed(alch_session *session, alch_load_kind kind, const void *subject, const alch_object *object, uint32_t slot) {
  alch_load *load = session->load;
  return load && load->waiting && load->kind == kind && load->subject == subject && load->object == object && load->slot == slot ? load : NULL;
}

/* ---- events: told when the rows are read, since their listeners may do anything ---- */

alch_status alch_load_note(alch_load *load, alch_object *object, alch_object_event event, alch_error *error) {
  alch_load_event *grown = alch_grow(load->session->allocator, load->events, &load->event_capacity, load->event_count + 1, sizeof *grown);
  if (!grown) return alch_error_out_of_memory(error);
  load->events = grown;
  grown[load->event_count++] = (alch_load_event){ object, event };
  return ALCH_OK;
}

static alch_status tell_events(alch_load *load) {
  alch_host *host = load->session->host;
  while (load->event_next < load->event_count) {
    const alch_load_event *event = &load->events[load->event_next++];
    alch_status status = host->object_event(host, event->event, event->object);
    if (status != ALCH_OK) return status;
  }
  load->event_next = load->event_count = 0;
  return ALCH_OK;
}

/* ---- running ---- */

static alch_status flush_first(alch_load *load, alch_error *error) {
  alch_session *session = load->session;
  bool cascading = session->cascaded < session->deleting.count;   /* the load is for a delete whose cascade is being followed */
  /* One that waits was begun here, and is gone on with whatever it has come to meanwhile. */
  if (!session->flush_waits && (load->flushed || !session->options.autoflush || session->in_flush || cascading || !alch_session_dirty(session))) {
    load->flushed = true;
    return ALCH_OK;
  }
  alch_status status = alch_session_flush(session, error);
  load->flushed = status == ALCH_OK;
  return status;
}

/* A number of its own, since all that was loaded before may have expired meanwhile, and nothing from before that the host may have let go of. */
static void begin_piece(alch_load *load) {
  load->emitted = load->met = 0;
  load->batch = next_batch(load->session);
  load->rests = false;
}

alch_status alch_load_run(alch_load *load, alch_error *error) {
  if (ALCH_UNLIKELY(load->limit > 0) && !load->waiting) begin_piece(load);
  alch_status status = flush_first(load, error);
  while (status == ALCH_OK && load->step) {
    alch_load_step *step = load->step;
    status = alch_load_step_run(load, step, error);
    if (status == ALCH_DONE) {
      alch_load_pop(load);
      status = ALCH_OK;
    }
  }
  load->waiting = status == ALCH_WAIT;
  if (status != ALCH_OK && status != ALCH_ROW) return status;
  if (load->met == 1) load->last_met->state |= ALCH_STATE_ALONE;
  alch_status told = tell_events(load);
  if (told != ALCH_OK) return told;
  load->rests = status == ALCH_ROW;
  return load->rests ? ALCH_ROW : ALCH_DONE;
}

alch_status alch_load_drive(alch_load *load, alch_status (*check)(alch_load *load, alch_error *error), alch_error *error) {
  alch_status status = alch_load_run(load, error);
  if (status == ALCH_WAIT) return status;
  if (status == ALCH_DONE) status = check ? check(load, error) : ALCH_OK;
  alch_load_close(load);
  return status;
}

/* ---- statements ---- */

alch_status alch_load_start(alch_session *session, alch_bind *bind, alch_registry *registry, const alch_block *block, const alch_parameters *parameters, bool populate, alch_load **out, alch_error *error) {
  alch_load *load;
  *out = NULL;
  alch_status status = alch_session_meet(session, bind, error);
  if (ALCH_UNLIKELY(status != ALCH_OK)) return status;
  if (alch_load_open(session, registry, ALCH_LOAD_QUERY, &load, error) != ALCH_OK) return ALCH_ERROR;
  load->populate = populate;
  alch_load_step *step = alch_load_push(load, ALCH_STEP_QUERY, error);
  status = step ? ALCH_OK : ALCH_ERROR;
  if (step) {
    step->bind = bind;
    step->block = block;
    step->parameters = parameters;
    status = alch_load_prepare(load, step, error);
  }
  if (status == ALCH_OK) *out = load;
  else alch_load_close(load);
  return status;
}

static const alch_load_step *first_step(const alch_load *load) {
  const alch_load_step *step = load->step;
  while (step && step->outer) step = step->outer;
  return step;
}

const alch_plan *alch_load_plan(const alch_load *load) {
  const alch_load_step *step = first_step(load);
  return step ? step->plan : NULL;
}

const alch_compiled *alch_load_compiled(const alch_load *load) {
  const alch_load_step *step = first_step(load);
  return step ? step->compiled : NULL;
}

alch_execution *alch_load_execution(alch_load *load) {
  return load->step ? &load->step->execution : NULL;
}

void alch_load_skip_flush(alch_load *load) {
  load->flushed = true;
}

alch_status alch_load_limit(alch_load *load, uint32_t rows, alch_error *error) {
  const alch_plan *plan = alch_load_plan(load);
  if (rows > 0 && plan && plan->unique)
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST,
                          "Can't use yield_per with joined eager loads of collections: their objects are complete only when all rows are there; load them by la.selectinload, or not (la.lazyload)");
  if (load->limit == 0 && rows > 0) {
    load->kept = load->arena;
    alch_arena_init(&load->arena, load->kept.allocator);
  }
  load->limit = rows;
  return ALCH_OK;
}

void alch_load_watch(alch_load *load, alch_load **place) {
  load->place = place;
}

/* ---- by key ---- */

static bool same_key(const alch_load *load, const alch_mapper *mapper, const alch_value *key) {
  for (uint32_t i = 0; i < mapper->key_count; i++)
    if (!alch_value_equal(&load->key[i], &key[i])) return false;
  return true;
}

static alch_status keep_key(alch_load *load, const alch_mapper *mapper, const alch_value *key, alch_error *error) {
  alch_load_step *step = alch_load_push(load, ALCH_STEP_KEYS, error);
  if (!step) return ALCH_ERROR;
  for (uint32_t i = 0; i < mapper->key_count; i++) {
    load->key[i] = key[i];
    if (!alch_value_has_text(key[i].kind)) continue;
    load->key[i].text = alch_arena_text(&load->arena, key[i].text, key[i].length);
    if (!load->key[i].text) return alch_error_out_of_memory(error);
  }
  step->mapper = mapper;
  step->width = mapper->key_count;
  step->key = load->key;
  step->wanted_count = 1;
  return ALCH_OK;
}

static alch_load *resumed_get(const alch_session *session, const alch_mapper *mapper, const alch_value *key) {
  alch_load *load = session->load;
  return load && load->waiting && load->kind == ALCH_LOAD_GET && load->subject == mapper && same_key(load, mapper, key) ? load : NULL;
}

static alch_status open_get(alch_session *session, const alch_mapper *mapper, const alch_value *key, bool populate, alch_load **out, alch_error *error) {
  alch_load *load;
  *out = NULL;
  if (alch_load_open(session, mapper->registry, ALCH_LOAD_GET, &load, error) != ALCH_OK) return ALCH_ERROR;
  load->subject = mapper;
  load->populate = populate;
  alch_status status = keep_key(load, mapper, key, error);
  if (status == ALCH_OK) *out = load;
  else alch_load_close(load);
  return status;
}

static bool is_whole_key(const alch_mapper *mapper, const alch_value *key) {
  for (uint32_t i = 0; i < mapper->key_count; i++)
    if (key[i].kind == ALCH_NULL) return false;
  return true;
}

static alch_status run_get(alch_load *load, const alch_mapper *mapper, const alch_value *key, alch_object **out, alch_error *error) {
  alch_session *session = load->session;
  alch_status status = alch_load_run(load, error);
  if (status == ALCH_WAIT) return status;
  if (status == ALCH_DONE) {
    *out = load->object;
    /* What came along with it was found since. */
    if (*out) session->host->identity_find(session->host, session, mapper, key);
    status = ALCH_OK;
  }
  alch_load_close(load);
  return status;
}

/* A load that waits goes on first: the object may be there before its rows are at an end. */
alch_status alch_load_get(alch_session *session, const alch_mapper *mapper, const alch_value *key, bool populate, alch_object **out, alch_error *error) {
  alch_host *host = session->host;
  alch_load *load;
  *out = NULL;
  if (ALCH_UNLIKELY(session->load != NULL) && (load = resumed_get(session, mapper, key))) return run_get(load, mapper, key, out, error);
  alch_object *object = host->identity_find(host, session, mapper, key);
  if (object && !populate && !alch_object_expired(object)) {
    *out = object;
    return ALCH_OK;
  }
  if (!is_whole_key(mapper, key)) return ALCH_OK;
  if (object) host->keep(host, object);
  if (open_get(session, mapper, key, populate, &load, error) != ALCH_OK) return ALCH_ERROR;
  return run_get(load, mapper, key, out, error);
}
