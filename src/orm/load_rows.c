/* The rows of a statement: an object for each entity, then either a row for the host, or a place in another object. */
#include "orm/load_state.h"

/* ---- one entity ---- */

/* The key of the entity in a row: where it stands, or, of several parts, gathered in `room`. NULL: there is nothing in this row. */
static const alch_value *find_key(const alch_plan_entity *entity, const alch_value *row, alch_value *room) {
  bool any = false;
  if (ALCH_LIKELY(entity->mapper->key_count == 1)) {
    const alch_value *key = &row[entity->key_columns[0]];
    return key->kind == ALCH_NULL ? NULL : key;
  }
  for (uint32_t i = 0; i < entity->mapper->key_count; i++) {
    room[i] = row[entity->key_columns[i]];
    any = any || room[i].kind != ALCH_NULL;
  }
  return any ? room : NULL;
}

/* Relationships that options forbid, or say to be empty. */
static void mark(alch_host *host, const alch_plan_entity *entity, alch_object *object) {
  for (uint32_t i = 0; i < entity->raising_count; i++) {
    uint8_t *kind = &alch_object_kinds(object)[entity->raising[i]];
    if (*kind & ALCH_SLOT_UNLOADED) *kind |= ALCH_SLOT_RAISES;
  }
  for (uint32_t i = 0; i < entity->empty_count; i++) {
    const alch_relationship *r = alch_mapper_relationship(object->mapper, entity->empty[i]);
    if (!(alch_object_kinds(object)[r->slot] & ALCH_SLOT_UNLOADED)) continue;
    if (r->list) alch_object_collection(host, object, r);
    else alch_object_load_related(host, object, r, NULL);
  }
}

static alch_status gather(alch_load *load, alch_object_list *list, alch_object *object, alch_error *error) {
  if (list->count > 0 && list->items[list->count - 1] == object) return ALCH_OK;
  return alch_list_add(load->session->allocator, list, object) == ALCH_OK ? ALCH_OK : alch_error_out_of_memory(error);
}

static bool is_same_key(const alch_plan_entity *entity, const alch_value *key, const alch_object *object) {
  for (uint32_t i = 0; i < entity->mapper->key_count; i++) {
    uint32_t slot = entity->mapper->key_slots[i];
    alch_value own = alch_object_cell_value(object, slot);
    if (!alch_value_equal(&own, &key[i]) || (alch_object_kinds(object)[slot] & ALCH_SLOT_CHANGED)) return false;
  }
  return true;
}

/* Rows of a join say the same object again and again. */
static inline bool is_same(const alch_plan_entity *entity, const alch_value *key, const alch_object *object) {
  uint32_t first = entity->mapper->key_slots[0];
  bool plain = entity->mapper->key_count == 1 && key->kind == ALCH_INTEGER && alch_object_kinds(object)[first] == ALCH_INTEGER;
  return ALCH_LIKELY(plain) ? object->cells[first].integer == key->integer : is_same_key(entity, key, object);
}

/* Reads the entity's columns of the row. Of one that may be as in the row before the key comes first: ALCH_DONE, it is, and nothing more is read. */
static alch_status read_part(alch_load_step *step, const alch_plan_entity *entity, const alch_load_entity *state, alch_error *error) {
  const alch_value *key = &step->execution.row[entity->key_columns[0]];
  if (entity->repeats && state->object) {
    if (alch_execution_cells(&step->execution, entity->key_columns[0], 1, error) != ALCH_OK) return ALCH_ERROR;
    if (key->kind != ALCH_NULL && is_same(entity, key, state->object)) return ALCH_DONE;
  }
  return alch_execution_cells(&step->execution, entity->first_column, entity->column_count, error);
}

/* state->object: what the row before had there; afterwards what this one has, NULL: nothing. */
static alch_status load_entity(alch_load *load, alch_load_step *step, const alch_plan_entity *entity, const alch_value *row, alch_load_entity *state, alch_error *error) {
  alch_host *host = load->session->host;
  const alch_mapper *mapper = entity->mapper;
  alch_value room[ALCH_KEY_LIMIT];
  state->made = false;
  alch_status status = step->by_parts ? read_part(step, entity, state, error) : ALCH_OK;
  if (status != ALCH_OK) return status == ALCH_DONE ? ALCH_OK : status;
  const alch_value *key = find_key(entity, row, room);
  if (key && state->object && is_same(entity, key, state->object)) return ALCH_OK;
  state->object = NULL;
  if (!key) return ALCH_OK;
  alch_object *object = host->identity_find(host, load->session, mapper, key);
  bool made = !object, renewed = false;
  if (made) object = alch_load_make(load, step, entity, row, key);
  else renewed = alch_load_meet(load, step, entity, row, object);
  state->object = object;
  state->made = made;
  if (made && (mapper->events & 1u << ALCH_EVENT_LOAD) && alch_load_note(load, object, ALCH_EVENT_LOAD, error) != ALCH_OK) return ALCH_ERROR;
  if (renewed && (mapper->events & 1u << ALCH_EVENT_REFRESH) && alch_load_note(load, object, ALCH_EVENT_REFRESH, error) != ALCH_OK) return ALCH_ERROR;
  if (entity->raising_count > 0 || entity->empty_count > 0) mark(host, entity, object);
  return entity->followed ? gather(load, &state->gathered, object, error) : ALCH_OK;
}

/* ---- eager ones find their owner ---- */

void alch_load_link_back(alch_host *host, const alch_relationship *relationship, alch_object *parent, alch_object *child) {
  const alch_relationship *back = relationship->back;
  if (!back || back->list || relationship->direction != ALCH_ONE_TO_MANY || alch_object_loaded(child, back->slot)) return;
  if (!alch_object_expired(child)) alch_object_load_related(host, child, back, parent);
}

/* The list that this load fills at the owner, begun when it is met first; NULL when it has one already. Until all rows are there it does not count as loaded. */
static alch_status find_list(alch_load *load, alch_load_step *step, const alch_relationship *r, alch_object *owner, alch_collection **out, alch_error *error) {
  *out = NULL;
  if (alch_object_loaded(owner, r->slot)) return ALCH_OK;
  int added = alch_load_pairs_add(&step->lists, owner, r);
  if (added < 0) return alch_error_out_of_memory(error);
  if (added) {
    owner->cells[r->slot].collection = NULL;
    alch_object_collection(load->session->host, owner, r);
    alch_object_kinds(owner)[r->slot] |= ALCH_SLOT_UNLOADED;
  }
  *out = owner->cells[r->slot].collection;
  return ALCH_OK;
}

void alch_load_complete_lists(alch_load_step *step) {
  for (uint32_t i = 0; i < step->lists.slot_count; i++) {
    const alch_load_pair *pair = &step->lists.slots[i];
    if (!pair->first) continue;
    alch_object *owner = (alch_object *)(uintptr_t)pair->first;
    alch_object_kinds(owner)[((const alch_relationship *)pair->second)->slot] &= (uint8_t)~ALCH_SLOT_UNLOADED;
  }
}

enum { MOST_EXPECTED = 1024 };

void alch_load_append(alch_host *host, alch_load_entity *entity, alch_collection *list, alch_object *item) {
  alch_collection_load(host, list, item, entity->list_length);
  entity->list_length = list->count < MOST_EXPECTED ? list->count : MOST_EXPECTED;
}

/* What all the lists have by now. */
static bool keep_links(alch_load_step *step) {
  for (uint32_t i = 0; i < step->lists.slot_count; i++) {
    const alch_load_pair *pair = &step->lists.slots[i];
    if (!pair->first) continue;
    const alch_collection *list = ((const alch_object *)pair->first)->cells[((const alch_relationship *)pair->second)->slot].collection;
    for (uint32_t k = 0; k < list->count; k++)
      if (alch_load_pairs_add(&step->links, list, list->items[k]) < 0) return false;
  }
  return step->links_kept = true;
}

/* 1: the item is not in the list yet; -1: no memory. Most come with one row, which makes them: then there is nothing to look up, or to remember. */
static int is_new_item(alch_load_step *step, const alch_collection *list, const alch_object *item, bool made) {
  if (list->count > 0 && list->items[list->count - 1] == item) return 0;
  if (made && !step->links_kept) return 1;
  if (!step->links_kept && !keep_links(step)) return -1;
  return alch_load_pairs_add(&step->links, list, item);
}

static alch_status add_to_list(alch_load *load, alch_load_step *step, alch_load_entity *state, const alch_relationship *r, alch_object *owner, alch_error *error) {
  int added = is_new_item(step, state->list, state->object, state->made);
  if (added < 0) return alch_error_out_of_memory(error);
  if (!added) return ALCH_OK;
  alch_load_append(load->session->host, state, state->list, state->object);
  alch_load_link_back(load->session->host, r, owner, state->object);
  return ALCH_OK;
}

static alch_status link_to_list(alch_load *load, alch_load_step *step, alch_load_entity *state, const alch_relationship *r, alch_object *owner, alch_error *error) {
  if (owner != state->owner) {
    if (find_list(load, step, r, owner, &state->list, error) != ALCH_OK) return ALCH_ERROR;
    state->owner = owner;
  }
  if (!state->object) return ALCH_OK;
  if (state->list) return add_to_list(load, step, state, r, owner, error);
  load->session->host->keep(load->session->host, state->object);
  return ALCH_OK;
}

static void link_to_scalar(alch_host *host, const alch_relationship *r, alch_object *owner, alch_object *object) {
  if (!alch_object_loaded(owner, r->slot)) {
    alch_object_load_related(host, owner, r, object);
    if (object) alch_load_link_back(host, r, owner, object);
  } else if (object) {
    host->keep(host, object);
  }
}

static alch_status read_eager(alch_load *load, alch_load_step *step, uint32_t number, const alch_value *row, alch_error *error) {
  const alch_plan_entity *entity = &step->plan->entities[number];
  alch_load_entity *state = &step->entities[number];
  alch_object *owner = step->entities[entity->owner].object;
  if (!owner) {
    state->object = NULL;
    return ALCH_OK;
  }
  if (load_entity(load, step, entity, row, state, error) != ALCH_OK) return ALCH_ERROR;
  if (entity->relationship->list) return link_to_list(load, step, state, entity->relationship, owner, error);
  link_to_scalar(load->session->host, entity->relationship, owner, state->object);
  return ALCH_OK;
}

/* ---- rows for the host ---- */

/* entities: those too, which were not emitted when they were met. */
static void emit_row(alch_load *load, const alch_load_step *step, const alch_value *row, bool entities) {
  alch_host *host = load->session->host;
  const alch_plan *plan = step->plan;
  for (uint32_t i = 0; i < plan->place_count; i++) {
    const alch_plan_place *place = &plan->places[i];
    if (place->entity == UINT32_MAX) host->emit_value(host, &row[place->column], step->compiled->columns[place->column].type, i);
    else if (entities) host->emit(host, step->entities[place->entity].object, i);
  }
  if (!plan->single_entity) host->emit_row(host);
  load->emitted++;
}

static void add_value(alch_buffer *out, const alch_value *value) {
  alch_buffer_add_char(out, (char)value->kind);
  if (alch_value_has_text(value->kind)) {
    alch_buffer_add_bytes(out, &value->length, sizeof value->length);
    alch_buffer_add_bytes(out, value->text, value->length);
  } else {
    alch_buffer_add_bytes(out, &value->integer, sizeof value->integer);
  }
}

/* 1: this row was not there before; -1: no memory. */
static int is_new_row(const alch_load *load, alch_load_step *step, const alch_value *row) {
  const alch_plan *plan = step->plan;
  static const char nothing;
  if (plan->single_entity) return alch_load_pairs_add(&step->rows, step->entities[0].object ? (const void *)step->entities[0].object : &nothing, NULL);
  alch_buffer key;
  alch_buffer_init(&key, load->session->allocator);
  if (!step->whole_rows.allocator) alch_map_init(&step->whole_rows, load->session->allocator);
  for (uint32_t i = 0; i < plan->place_count; i++) {
    const alch_plan_place *place = &plan->places[i];
    if (place->entity != UINT32_MAX) alch_buffer_add_bytes(&key, &step->entities[place->entity].object, sizeof(alch_object *));
    else add_value(&key, &row[place->column]);
  }
  int added = alch_buffer_failed(&key) ? -1 : !alch_map_get(&step->whole_rows, key.text, key.length);
  if (added == 1 && !alch_map_put(&step->whole_rows, key.text, key.length, step)) added = -1;
  alch_buffer_close(&key);
  return added;
}

/* Each object goes to the host as soon as it is met, which knows it best then. */
static alch_status read_plain_places(alch_load *load, alch_load_step *step, const alch_value *row, alch_error *error) {
  alch_host *host = load->session->host;
  const alch_plan *plan = step->plan;
  for (uint32_t i = 0; i < plan->entity_count && plan->entities[i].owner == UINT32_MAX; i++) {
    alch_load_entity *state = &step->entities[i];
    state->object = NULL;
    if (load_entity(load, step, &plan->entities[i], row, state, error) != ALCH_OK) return ALCH_ERROR;
    host->emit(host, state->object, plan->entities[i].place);
  }
  emit_row(load, step, row, false);
  return ALCH_OK;
}

/* Here it is known only when all are there whether this row repeats another. */
static alch_status read_unique_places(alch_load *load, alch_load_step *step, const alch_value *row, alch_error *error) {
  alch_host *host = load->session->host;
  const alch_plan *plan = step->plan;
  bool repeats = plan->single_entity;
  for (uint32_t i = 0; i < plan->entity_count && plan->entities[i].owner == UINT32_MAX; i++) {
    alch_load_entity *state = &step->entities[i];
    const alch_object *before = state->object;
    if (load_entity(load, step, &plan->entities[i], row, state, error) != ALCH_OK) return ALCH_ERROR;
    bool same = before && state->object == before;
    repeats = repeats && same;
    if (!same && state->object) host->keep(host, state->object);
  }
  if (repeats) return ALCH_OK;
  int added = is_new_row(load, step, row);
  if (added < 0) return alch_error_out_of_memory(error);
  if (added) emit_row(load, step, row, true);
  return ALCH_OK;
}

static alch_status read_first(alch_load *load, alch_load_step *step, const alch_value *row, alch_error *error) {
  alch_load_entity *state = &step->entities[0];
  if (step->kind == ALCH_STEP_QUERY) return step->plan->unique ? read_unique_places(load, step, row, error) : read_plain_places(load, step, row, error);
  if (!step->plan->unique) state->object = NULL;
  if (load_entity(load, step, &step->plan->entities[0], row, state, error) != ALCH_OK) return ALCH_ERROR;
  if (!state->object) return ALCH_OK;
  if (step->kind == ALCH_STEP_RELATED) return alch_load_link_related(load, step, row, state->object, error);
  load->session->host->keep(load->session->host, state->object);
  if (!step->objects) load->object = state->object;
  return ALCH_OK;
}

static alch_status read_row(alch_load *load, alch_load_step *step, alch_error *error) {
  const alch_value *row = step->execution.row;
  const alch_plan *plan = step->plan;
  alch_status status = read_first(load, step, row, error);
  for (uint32_t i = 0; i < plan->entity_count && status == ALCH_OK; i++)
    if (plan->entities[i].owner != UINT32_MAX) status = read_eager(load, step, i, row, error);
  return status;
}

/* ---- the short way: rows that are one object each, and nothing else to do ---- */

static bool is_short(const alch_load_step *step) {
  const alch_plan *plan = step->plan;
  const alch_plan_entity *entity = plan->entities;
  return step->kind == ALCH_STEP_QUERY && plan->single_entity && plan->entity_count == 1 && !plan->unique && !entity->followed && entity->raising_count == 0 && entity->empty_count == 0 &&
         entity->mapper->key_count == 1 && !(entity->mapper->events & (1u << ALCH_EVENT_LOAD | 1u << ALCH_EVENT_REFRESH));
}

static alch_status read_short(alch_load *load, alch_load_step *step, alch_error *error) {
  alch_session *session = load->session;
  alch_host *host = session->host;
  const alch_plan_entity *entity = step->plan->entities;
  const alch_mapper *mapper = entity->mapper;
  const uint32_t key_column = entity->key_columns[0], limit = load->limit > 0 ? load->limit : UINT32_MAX;
  alch_status status;
  while ((status = alch_execution_next(&step->execution, error)) == ALCH_ROW) {
    const alch_value *row = step->execution.row, *key = &row[key_column];
    alch_object *object = NULL;
    if (ALCH_LIKELY(key->kind != ALCH_NULL)) {
      object = host->identity_find(host, session, mapper, key);
      if (ALCH_LIKELY(!object)) object = alch_load_make(load, step, entity, row, key);
      else alch_load_meet(load, step, entity, row, object);
    }
    host->emit(host, object, 0);
    if (ALCH_UNLIKELY(++load->emitted == limit)) return ALCH_ROW;
  }
  return status;
}

alch_status alch_load_read_rows(alch_load *load, alch_load_step *step, alch_error *error) {
  if (is_short(step)) return read_short(load, step, error);
  alch_status status;
  step->by_parts = step->kind == ALCH_STEP_QUERY && step->plan->by_parts && alch_execution_by_cells(&step->execution);
  while ((status = alch_execution_next(&step->execution, error)) == ALCH_ROW) {
    status = read_row(load, step, error);
    if (status != ALCH_OK) return status;
    if (step->kind == ALCH_STEP_QUERY && load->limit > 0 && load->emitted == load->limit) return ALCH_ROW;
  }
  return status;
}
