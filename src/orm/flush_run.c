/* A plan is carried out step by step, batch by batch; the place is kept, so that a wait can come between any two statements. */
#include "orm/load.h"
#include "orm/writer.h"

/* ---- copying keys ---- */

static alch_status blank_key(const alch_step *step, uint32_t slot, alch_error *error) {
  const alch_attribute *attribute = &step->mapper->attributes[slot];
  return alch_error_set(error, ALCH_ERROR_FLUSH,
                        "%s.%s is part of the primary key of '%s' and would become NULL, since the %s that it belongs to goes away: delete the %s object as well (cascade = \"all, delete-orphan\")",
                        step->mapper->name, attribute->name, step->mapper->table->name, step->reversed ? step->relationship->target->name : step->relationship->mapper->name, step->mapper->name);
}

static alch_status copy_key(alch_session *session, const alch_step *step, const alch_link *link, alch_error *error) {
  const alch_relationship *relationship = step->relationship;
  for (uint32_t i = 0; i < relationship->pair_count; i++) {
    uint32_t to = step->reversed ? relationship->pairs[i].local : relationship->pairs[i].remote, from = step->reversed ? relationship->pairs[i].remote : relationship->pairs[i].local;
    alch_value value = ALCH_VALUE_NULL;
    if (link->parent != NULL) value = alch_object_cell_value(link->parent, from);
    else if (step->mapper->attributes[to].primary_key) return blank_key(step, to, error);
    alch_status status = alch_object_write(session->host, link->child, to, &value, error);
    if (status != ALCH_OK) return status;
  }
  return ALCH_OK;
}

static alch_status run_copy(alch_flush *flush, const alch_step *step, alch_error *error) {
  alch_status status = ALCH_OK;
  for (; flush->place < step->count && status == ALCH_OK; flush->place++) status = copy_key(flush->session, step, &flush->links[step->first + flush->place], error);
  return status;
}

/* ---- listeners: of all objects of a step before the first statement, and after the last, as in SQLAlchemy; but after an update of those alone that were written ---- */

static const uint8_t before_events[] = { [ALCH_STEP_INSERT] = ALCH_EVENT_BEFORE_INSERT, [ALCH_STEP_UPDATE] = ALCH_EVENT_BEFORE_UPDATE, [ALCH_STEP_DELETE] = ALCH_EVENT_BEFORE_DELETE };
static const uint8_t after_events[] = { [ALCH_STEP_INSERT] = ALCH_EVENT_AFTER_INSERT, [ALCH_STEP_UPDATE] = ALCH_EVENT_AFTER_UPDATE, [ALCH_STEP_DELETE] = ALCH_EVENT_AFTER_DELETE };

static alch_status tell_all(alch_flush *flush, const alch_step *step, const uint8_t *events, uint32_t *told) {
  alch_host *host = flush->session->host;
  alch_object_event event = (alch_object_event)events[step->kind];
  alch_status status = ALCH_OK;
  if (!(step->mapper->events >> event & 1)) return ALCH_OK;
  while (*told < step->count && status == ALCH_OK) {
    alch_object *object = flush->objects[step->first + (*told)++];
    if (event != ALCH_EVENT_AFTER_UPDATE || object->state & ALCH_STATE_WRITTEN) status = host->object_event(host, event, object);
  }
  return status;
}

/* ---- steps ---- */

static alch_status run_step(alch_flush *flush, const alch_step *step, alch_error *error) {
  if (step->kind == ALCH_STEP_COPY) return run_copy(flush, step, error);
  if (step->kind == ALCH_STEP_LINK || step->kind == ALCH_STEP_UNLINK) return alch_flush_batches(flush, step, error);
  alch_status status = tell_all(flush, step, before_events, &flush->told_before);
  if (status == ALCH_OK) status = alch_flush_batches(flush, step, error);
  return status == ALCH_OK ? tell_all(flush, step, after_events, &flush->told_after) : status;
}

/* Each step goes to the database of its model, rows of a secondary table to that of the target. A connection comes before listeners are told: they may ask for it. */
static alch_status find_bind(alch_flush *flush, const alch_step *step, alch_error *error) {
  const alch_relationship *relationship = step->relationship;
  alch_connection *connection;
  if (step->kind == ALCH_STEP_COPY) return ALCH_OK;
  alch_bind *bind = flush->bind;
  alch_status status = ALCH_OK;
  if (bind == NULL) status = alch_bind_find(flush->session, relationship != NULL ? relationship->target : step->mapper, relationship != NULL ? relationship->secondary : NULL, true, &bind, error);
  if (status == ALCH_OK) flush->bind = bind;
  return status == ALCH_OK ? alch_session_connection(flush->session, bind, &connection, error) : status;
}

alch_status alch_flush_run(alch_flush *flush, alch_error *error) {
  alch_status status = ALCH_OK;
  while (flush->step < flush->step_count && status == ALCH_OK) {
    status = find_bind(flush, &flush->steps[flush->step], error);
    if (status == ALCH_OK) status = run_step(flush, &flush->steps[flush->step], error);
    if (status == ALCH_WAIT && flush->bind != NULL) flush->session->awaited = flush->bind;
    if (status != ALCH_OK) break;
    flush->step++;
    flush->bind = NULL;
    flush->place = flush->told_before = flush->told_after = flush->singly_until = 0;
    flush->last_key = 0;
    flush->keys_follow = ALCH_KEYS_UNKNOWN;
  }
  return status;
}
