/* A slot that is touched and not there: loaded for all objects that came with this one. */
#include "orm/load_state.h"

enum { BATCH_LIMIT = 1 << 16 };   /* where the database has no limit of its own */

/* ---- rows of objects, by their keys ---- */

alch_status alch_load_push_keys(alch_load *load, const alch_mapper *mapper, alch_object *const *objects, uint32_t count, const alch_node *options, alch_error *error) {
  alch_load_step *step = alch_load_push(load, ALCH_STEP_KEYS, error);
  alch_value key[ALCH_KEY_LIMIT];
  if (!step) return ALCH_ERROR;
  step->mapper = mapper;
  step->options = options;
  step->width = mapper->key_count;
  alch_load_keys_init(&step->keys, load->session->allocator, step->width);
  step->objects = alch_arena_copy(&load->arena, objects, count * sizeof *objects);
  step->wanted = alch_arena_allocate(&load->arena, count * sizeof *step->wanted);
  if (!step->objects || !step->wanted) return alch_error_out_of_memory(error);
  step->object_count = count;
  for (uint32_t i = 0; i < count; i++) {
    if (!alch_object_key(objects[i], true, key)) continue;
    uint32_t before = step->keys.count, entry = alch_load_keys_add(&step->keys, key);
    if (entry == UINT32_MAX) return alch_error_out_of_memory(error);
    if (entry == before) step->wanted[step->wanted_count++] = entry;
  }
  return ALCH_OK;
}

/* ---- those that came together ---- */

typedef struct siblings {
  const alch_object *first;
  uint32_t slot, most;
  bool expired;
  const alch_allocator *allocator;
  alch_object_list *list;
  bool failed;
} siblings;

static bool visit_sibling(void *context, alch_object *object) {
  siblings *s = context;
  uint8_t kind = alch_object_kinds(object)[s->slot];
  if (object == s->first || object->batch != s->first->batch || !(object->state & ALCH_STATE_PERSISTENT) || alch_object_loaded(object, s->slot)) return true;
  if (alch_object_expired(object) != s->expired || (s->slot >= object->mapper->attribute_count && (kind & ALCH_SLOT_UNLOADED) && (kind & ALCH_SLOT_RAISES))) return true;
  if (alch_list_add(s->allocator, s->list, object) != ALCH_OK) s->failed = true;
  return !s->failed && s->list->count < s->most;
}

static uint32_t most_siblings(const alch_session *session) {
  uint32_t most = session->options.batch_size;
  if (most == 0 && session->bind) most = alch_engine_dialect(session->bind->engine)->parameter_limit;
  return most > 0 ? most : BATCH_LIMIT;
}

/* Into load->siblings: the object itself first. alone: no others. */
static alch_status find_siblings(alch_load *load, alch_object *object, uint32_t slot, bool alone, alch_error *error) {
  alch_session *session = object->session;
  alch_host *host = session->host;
  siblings s = { .first = object, .slot = slot, .most = most_siblings(session), .expired = alch_object_expired(object), .allocator = session->allocator, .list = &load->siblings };
  load->siblings.count = 0;
  s.failed = alch_list_add(session->allocator, s.list, object) != ALCH_OK;
  alone |= (object->state & ALCH_STATE_ALONE) != 0;
  if (!s.failed && !alone && s.most > 1) host->identity_each(host, session, object->mapper, object, visit_sibling, &s);
  return s.failed ? alch_error_out_of_memory(error) : ALCH_OK;
}

/* ---- columns ---- */

/* Is it only a deferred column that is missing? */
static bool is_deferred_alone(const alch_object *object, uint32_t slot) {
  const alch_mapper *mapper = object->mapper;
  if (alch_object_expired(object) || !mapper->attributes[slot].deferred) return false;
  for (uint32_t i = 0; i < mapper->attribute_count; i++)
    if (!mapper->attributes[i].deferred && !alch_object_loaded(object, i)) return false;
  return true;
}

/* An OPTIONS node with one option, in the load's arena; NULL: not needed. */
static alch_status make_option(alch_load *load, const alch_object *object, uint32_t slot, const alch_node **out, alch_error *error) {
  struct { alch_node options, option; } *made;
  *out = NULL;
  if (!object->mapper->attributes[slot].deferred) return ALCH_OK;
  made = alch_arena_allocate(&load->arena, sizeof *made);
  if (!made) return alch_error_out_of_memory(error);
  made->options = (alch_node){ .kind = ALCH_NODE_OPTIONS, .size = sizeof *made };
  made->option = (alch_node){ .kind = ALCH_NODE_OPTION, .size = sizeof made->option, .a = object->mapper->id, .b = slot };
  made->option.op = is_deferred_alone(object, slot) ? ALCH_STRATEGY_LOAD_ONLY : ALCH_STRATEGY_UNDEFER;
  *out = &made->options;
  return ALCH_OK;
}

static alch_status push_attribute(alch_load *load, const alch_object_list *list, uint32_t slot, alch_error *error) {
  const alch_node *options;
  if (make_option(load, list->items[0], slot, &options, error) != ALCH_OK) return ALCH_ERROR;
  return alch_load_push_keys(load, list->items[0]->mapper, list->items, list->count, options, error);
}

/* ---- what cannot be loaded ---- */

static alch_status detached(const alch_object *object, uint32_t slot, alch_error *error) {
  const char *model = object->mapper->name, *name = alch_mapper_slot_name(object->mapper, slot);
  if (slot < object->mapper->attribute_count)
    return alch_error_set(error, ALCH_ERROR_DETACHED_INSTANCE, "Instance <%s> is not bound to a session; refresh of its attribute '%s' cannot proceed: add it to a session, or read the attribute before",
                          model, name);
  return alch_error_set(error, ALCH_ERROR_DETACHED_INSTANCE,
                        "Parent object <%s> is not bound to a session; lazy load of '%s' cannot proceed: add it to a session or load it eagerly with la.selectinload(%s.%s)", model, name, model,
                        name);
}

static alch_status deleted(const alch_object *object, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_OBJECT_DELETED, "Instance <%s> has been deleted, or its row is otherwise not present", object->mapper->name);
}

static alch_status raises(const alch_relationship *r, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "'%s.%s' is not available due to lazy='raise': load it eagerly, with la.selectinload(%s.%s) or la.joinedload(%s.%s)", r->mapper->name,
                        r->name, r->mapper->name, r->name, r->mapper->name, r->name);
}

/* Objects without a row have nothing that could be loaded. */
static alch_status without_row(alch_host *host, alch_object *object, uint32_t slot, alch_error *error) {
  const alch_relationship *r = alch_mapper_relationship(object->mapper, slot);
  if (object->state & ALCH_STATE_DELETED) return deleted(object, error);
  if (!object->session && (object->state & ALCH_STATE_KEYED)) return detached(object, slot, error);
  if (r && r->list) alch_object_collection(host, object, r);
  return ALCH_OK;
}

static void set_nothing(alch_host *host, alch_object *object, const alch_relationship *r) {
  if (r->list) alch_object_collection(host, object, r);
  else alch_object_load_related(host, object, r, NULL);
}

/* ---- from outside ---- */

static alch_status push_slot(alch_load *load, alch_object *object, uint32_t slot, alch_error *error) {
  const alch_relationship *r = alch_mapper_relationship(object->mapper, slot);
  const alch_object_list *list = &load->siblings;
  alch_status status = find_siblings(load, object, slot, r && r->strategy == ALCH_LAZY_SELECT, error);
  if (status != ALCH_OK) return status;
  return r ? alch_load_push_related(load, r, list->items, list->count, NULL, NULL, error) : push_attribute(load, list, slot, error);
}

static alch_status check_slot(alch_load *load, alch_error *error) { return alch_object_loaded(load->object, load->slot) ? ALCH_OK : deleted(load->object, error); }

static alch_status open_slot(alch_object *object, uint32_t slot, alch_load **out, alch_error *error) {
  if (alch_load_open(object->session, object->mapper->registry, ALCH_LOAD_SLOT, out, error) != ALCH_OK) return ALCH_ERROR;
  (*out)->object = object;
  (*out)->slot = slot;
  alch_status status = push_slot(*out, object, slot, error);
  if (status != ALCH_OK) alch_load_close(*out);
  return status;
}

/* A load that waits goes on first: the slot may be there before its rows are at an end. */
alch_status alch_load_slot(alch_object *object, uint32_t slot, alch_host *host, alch_error *error) {
  alch_load *load = object->session ? alch_load_resumed(object->session, ALCH_LOAD_SLOT, NULL, object, slot) : NULL;
  if (load) return alch_load_drive(load, check_slot, error);
  if (alch_object_loaded(object, slot)) return ALCH_OK;
  if (!object->session || !(object->state & ALCH_STATE_PERSISTENT)) return without_row(host, object, slot, error);
  const alch_relationship *r = alch_mapper_relationship(object->mapper, slot);
  uint8_t kind = alch_object_kinds(object)[slot];
  if (r && (r->strategy == ALCH_LAZY_RAISE || ((kind & ALCH_SLOT_UNLOADED) && (kind & ALCH_SLOT_RAISES)))) return raises(r, error);
  if (r && r->strategy == ALCH_LAZY_NOLOAD) {
    set_nothing(host, object, r);
    return ALCH_OK;
  }
  alch_status status = open_slot(object, slot, &load, error);
  return status == ALCH_OK ? alch_load_drive(load, check_slot, error) : status;
}

static alch_status check_refresh(alch_load *load, alch_error *error) {
  if (load->object->batch == load->batch) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "Could not refresh instance <%s>: its row is not there any more", load->object->mapper->name);
}

alch_status alch_load_refresh(alch_session *session, alch_object *object, alch_error *error) {
  if (object->session != session || !(object->state & ALCH_STATE_PERSISTENT))
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "Instance <%s> is not persistent within this session: only an object that has a row can be refreshed", object->mapper->name);
  alch_load *load = alch_load_resumed(session, ALCH_LOAD_REFRESH, NULL, object, 0);
  if (load) return alch_load_drive(load, check_refresh, error);
  if (alch_load_open(session, object->mapper->registry, ALCH_LOAD_REFRESH, &load, error) != ALCH_OK) return ALCH_ERROR;
  load->object = object;
  load->populate = true;
  alch_status status = alch_load_push_keys(load, object->mapper, &object, 1, NULL, error);
  if (status == ALCH_OK) return alch_load_drive(load, check_refresh, error);
  alch_load_close(load);
  return status;
}
