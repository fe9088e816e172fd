/* A relationship for many objects: keys gathered from the parents, rows told apart by them. */
#include "orm/load_state.h"

/* ---- which keys ---- */

static uint32_t local_slot(const alch_relationship *r, uint32_t part) { return r->pairs[r->key_pairs ? r->key_pairs[part] : part].local; }

static bool has_locals(const alch_relationship *r, const alch_object *object) {
  for (uint32_t i = 0; i < r->pair_count; i++)
    if (!alch_object_loaded(object, r->pairs[i].local)) return false;
  return true;
}

/* False when a part is NULL: nothing is related to it. */
static bool read_key(const alch_relationship *r, const alch_object *object, alch_value *key) {
  for (uint32_t i = 0; i < r->pair_count; i++) {
    key[i] = alch_object_cell_value(object, local_slot(r, i));
    if (key[i].kind == ALCH_NULL) return false;
  }
  return true;
}

static void set_empty(alch_load *load, const alch_relationship *r, alch_object *object) {
  alch_host *host = load->session->host;
  if (!r->list) {
    alch_object_load_related(host, object, r, NULL);
    return;
  }
  object->cells[r->slot].collection = NULL;
  alch_object_collection(host, object, r);
}

/* Until all rows are there the list does not count as loaded. */
static void begin_list(alch_load *load, const alch_relationship *r, alch_object *object) {
  set_empty(load, r, object);
  alch_object_kinds(object)[r->slot] |= ALCH_SLOT_UNLOADED;
}

static bool waits_already(const alch_load_step *step, uint32_t key, const alch_object *object) {
  for (uint32_t i = step->keys.entries[key].first; i != 0; i = step->next[i - 1])
    if (step->objects[i - 1] == object) return true;
  return false;
}

/* What the identity map has need not be asked for, unless options want more of it than may be there. */
static void look_up(alch_load *load, alch_load_step *step, uint32_t key) {
  alch_host *host = load->session->host;
  alch_load_key *entry = &step->keys.entries[key];
  if (!step->relationship->key_pairs || step->options) return;
  entry->target = host->identity_find(host, load->session, step->mapper, &step->keys.values[(size_t)key * step->width]);
  if (entry->target) host->keep(host, entry->target);
}

static alch_status take_object(alch_load *load, alch_load_step *step, uint32_t number, alch_error *error) {
  const alch_relationship *r = step->relationship;
  alch_object *object = step->objects[number];
  alch_value key[ALCH_KEY_LIMIT];
  if (alch_object_loaded(object, r->slot) || !has_locals(r, object)) return ALCH_OK;
  if (alch_object_expired(object)) alch_load_settle(load, object, false);
  if (!read_key(r, object, key)) {
    set_empty(load, r, object);
    return ALCH_OK;
  }
  uint32_t before = step->keys.count, entry = alch_load_keys_add(&step->keys, key);
  if (entry == UINT32_MAX) return alch_error_out_of_memory(error);
  if (entry == before) look_up(load, step, entry);
  else if (r->list && waits_already(step, entry, object)) return ALCH_OK;
  step->key_of[number] = entry + 1;
  step->next[number] = step->keys.entries[entry].first;
  step->keys.entries[entry].first = number + 1;
  if (r->list) begin_list(load, r, object);
  return ALCH_OK;
}

/* Objects whose own columns have to be read first. */
static alch_status refresh_locals(alch_load *load, alch_load_step *step, alch_error *error) {
  const alch_relationship *r = step->relationship;
  alch_object **stale = alch_arena_allocate(&load->arena, step->object_count * sizeof *stale);
  uint32_t count = 0;
  step->refreshed = true;
  if (!stale) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < step->object_count; i++)
    if (!alch_object_loaded(step->objects[i], r->slot) && !has_locals(r, step->objects[i])) stale[count++] = step->objects[i];
  return count > 0 ? alch_load_push_keys(load, r->mapper, stale, count, NULL, error) : ALCH_OK;
}

alch_status alch_load_gather_related(alch_load *load, alch_load_step *step, alch_error *error) {
  if (!step->refreshed) {
    alch_status status = refresh_locals(load, step, error);
    if (status != ALCH_OK || load->step != step) return status;
  }
  size_t size = step->object_count * sizeof(uint32_t);
  step->width = step->relationship->pair_count;
  alch_load_keys_init(&step->keys, load->session->allocator, step->width);
  step->key_of = alch_arena_allocate(&load->arena, size);
  step->next = alch_arena_allocate(&load->arena, size);
  step->wanted = alch_arena_allocate(&load->arena, size);
  if (!step->key_of || !step->next || !step->wanted) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < step->object_count; i++)
    if (take_object(load, step, i, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < step->keys.count; i++)
    if (!step->keys.entries[i].target) step->wanted[step->wanted_count++] = i;
  return ALCH_OK;
}

/* ---- rows ---- */

static uint32_t key_of_row(const alch_load_step *step, const alch_value *row) {
  const alch_plan *plan = step->plan;
  alch_value key[ALCH_KEY_LIMIT];
  for (uint32_t i = 0; i < step->width; i++) key[i] = row[step->relationship->key_pairs ? plan->entities[0].key_columns[i] : plan->places[1 + i].column];
  return alch_load_keys_find(&step->keys, key);
}

/* Has the object been moved elsewhere by a change that waits for a flush? */
static bool has_moved(const alch_relationship *r, const alch_object *parent, const alch_object *object) {
  const alch_relationship *back = r->back;
  return back && !back->list && (alch_object_kinds(object)[back->slot] & ALCH_SLOT_CHANGED) && object->cells[back->slot].object != parent;
}

static alch_status link_one(alch_load *load, alch_load_step *step, alch_object *parent, alch_object *object, alch_error *error) {
  const alch_relationship *r = step->relationship;
  alch_host *host = load->session->host;
  if (r->list && has_moved(r, parent, object)) return ALCH_OK;
  if (!r->list) {
    if (alch_object_loaded(parent, r->slot)) return ALCH_OK;
    alch_object_load_related(host, parent, r, object);
  } else {
    alch_collection *list = parent->cells[r->slot].collection;
    int added = step->plan->unique ? alch_load_pairs_add(&step->links, list, object) : 1;
    if (added < 0) return alch_error_out_of_memory(error);
    if (!added) return ALCH_OK;
    alch_load_append(host, step->entities, list, object);
  }
  alch_load_link_back(host, r, parent, object);
  return ALCH_OK;
}

alch_status alch_load_link_related(alch_load *load, alch_load_step *step, const alch_value *row, alch_object *object, alch_error *error) {
  alch_host *host = load->session->host;
  uint32_t key = key_of_row(step, row);
  if (key == UINT32_MAX || step->relationship->direction == ALCH_MANY_TO_ONE) {
    if (key != UINT32_MAX) step->keys.entries[key].target = object;
    host->keep(host, object);
    return ALCH_OK;
  }
  for (uint32_t i = step->keys.entries[key].first; i != 0; i = step->next[i - 1])
    if (link_one(load, step, step->objects[i - 1], object, error) != ALCH_OK) return ALCH_ERROR;
  return ALCH_OK;
}

alch_status alch_load_complete_related(alch_load *load, alch_load_step *step, alch_error *error) {
  const alch_relationship *r = step->relationship;
  alch_host *host = load->session->host;
  for (uint32_t i = 0; i < step->object_count; i++) {
    alch_object *object = step->objects[i];
    if (step->key_of[i] == 0) continue;
    if (r->list) alch_object_kinds(object)[r->slot] &= (uint8_t)~ALCH_SLOT_UNLOADED;
    else if (!alch_object_loaded(object, r->slot)) alch_object_load_related(host, object, r, step->keys.entries[step->key_of[i] - 1].target);
  }
  return alch_relationship_catch_up(load->session, r, error);
}

/* ---- from outside ---- */

alch_status alch_load_push_related(alch_load *load, const alch_relationship *relationship, alch_object *const *objects, uint32_t count, const alch_node *options, const alch_load_path *path,
                                   alch_error *error) {
  alch_load_step *step = alch_load_push(load, ALCH_STEP_RELATED, error);
  if (!step) return ALCH_ERROR;
  step->objects = alch_arena_copy(&load->arena, objects, count * sizeof *objects);
  if (!step->objects) return alch_error_out_of_memory(error);
  step->object_count = count;
  step->relationship = relationship;
  step->mapper = relationship->target;
  step->options = options;
  step->path = path;
  return ALCH_OK;
}

alch_status alch_load_relationship(alch_session *session, const alch_relationship *relationship, alch_object *const *objects, uint32_t count, const alch_node *options, alch_error *error) {
  if (count == 0) return ALCH_OK;
  alch_load *load = alch_load_resumed(session, ALCH_LOAD_RELATED, relationship, objects[0], count);
  if (load) return alch_load_drive(load, NULL, error);
  if (alch_load_open(session, relationship->mapper->registry, ALCH_LOAD_RELATED, &load, error) != ALCH_OK) return ALCH_ERROR;
  load->subject = relationship;
  load->object = objects[0];
  load->slot = count;
  alch_status status = alch_load_push_related(load, relationship, objects, count, options, NULL, error);
  if (status == ALCH_OK) return alch_load_drive(load, NULL, error);
  alch_load_close(load);
  return status;
}
