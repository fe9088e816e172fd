/* Rows into objects: new ones are filled whole; those that are there keep what they have, unless it has expired. */
#include "orm/load_state.h"

/* The row's values by slot: as they stand where the columns are the attributes in order. */
static const alch_value *values_of(alch_load_step *step, const alch_plan_entity *entity, const alch_value *row) {
  if (ALCH_LIKELY(entity->direct)) return row + entity->first_column;
  const alch_mapper *mapper = entity->mapper;
  for (uint32_t i = 0; i < mapper->attribute_count; i++) step->cells[i] = ALCH_VALUE_NULL;
  for (uint32_t i = 0; i < entity->column_count; i++) step->cells[entity->slot_of_result[i]] = row[entity->first_column + i];
  return step->cells;
}

alch_object *alch_load_make(alch_load *load, alch_load_step *step, const alch_plan_entity *entity, const alch_value *row, const alch_value *key) {
  const alch_mapper *mapper = entity->mapper;
  alch_session *session = load->session;
  const alch_value *values = values_of(step, entity, row);
  alch_object *object = session->host->object_new(session->host, session, mapper, key, alch_object_size(mapper, values));
  alch_object_fill(object, mapper, values, entity->direct ? NULL : entity->given);
  object->session = session;
  object->batch = load->batch;
  object->state = ALCH_STATE_PERSISTENT | ALCH_STATE_KEYED;
  load->met++;
  load->last_met = object;
  return object;
}

/* A value that is the same needs no new memory. What an unloaded cell had before may still stand there. */
static void put(alch_host *host, alch_object *object, uint32_t slot, const alch_value *value) {
  uint8_t *kind = &alch_object_kinds(object)[slot];
  alch_value current = alch_object_cell_value(object, slot);
  if (alch_value_equal(&current, value)) *kind &= (uint8_t)~ALCH_SLOT_UNLOADED;
  else alch_object_put(host, object, slot, value);
}

static void unload_related(alch_host *host, alch_object *object, uint32_t slot) {
  const alch_relationship *r = alch_mapper_relationship(object->mapper, slot);
  uint8_t *kind = &alch_object_kinds(object)[slot];
  if (*kind & ALCH_SLOT_UNLOADED) return;
  if (!r->list && object->cells[slot].object) host->relate(host, object, slot, NULL);
  object->cells[slot].object = NULL;
  *kind = ALCH_SLOT_UNLOADED;
}

/* Key attributes stay: they are what the object is found by. */
static void unload(alch_host *host, alch_object *object, uint32_t slot, bool populate) {
  uint8_t *kind = &alch_object_kinds(object)[slot];
  if ((*kind & ALCH_SLOT_CHANGED) && !populate) return;
  if (populate) *kind &= (uint8_t) ~(ALCH_SLOT_CHANGED | ALCH_SLOT_OLD);
  if (slot >= object->mapper->attribute_count) unload_related(host, object, slot);
  else if (!object->mapper->attributes[slot].primary_key) *kind |= ALCH_SLOT_UNLOADED;
}

void alch_load_settle(alch_load *load, alch_object *object, bool populate) {
  for (uint32_t slot = 0; slot < object->mapper->slot_count; slot++) unload(load->session->host, object, slot, populate);
  object->state &= (uint16_t)~ALCH_STATE_EXPIRED;
  object->batch = load->batch;
}

static bool lacks_something(const alch_plan_entity *entity, const uint8_t *kinds) {
  for (uint32_t i = 0; i < entity->column_count; i++)
    if (kinds[entity->slot_of_result[i]] & ALCH_SLOT_UNLOADED) return true;
  return false;
}

static void fill_unloaded(alch_host *host, const alch_plan_entity *entity, const alch_value *row, alch_object *object) {
  const uint8_t *kinds = alch_object_kinds(object);
  for (uint32_t i = 0; i < entity->column_count; i++) {
    uint32_t slot = entity->slot_of_result[i];
    if ((kinds[slot] & ALCH_SLOT_UNLOADED) && !(kinds[slot] & ALCH_SLOT_CHANGED)) put(host, object, slot, &row[entity->first_column + i]);
  }
}

bool alch_load_meet(alch_load *load, alch_load_step *step, const alch_plan_entity *entity, const alch_value *row, alch_object *object) {
  alch_host *host = load->session->host;
  /* Once a load; a refresh is for its object alone, whatever comes along. */
  bool again = step->populate && object->batch != load->batch && (load->kind != ALCH_LOAD_REFRESH || object == load->object);
  bool renewed = again || alch_object_expired(object);
  if (object->batch != load->batch) {
    object->state &= (uint16_t)~ALCH_STATE_ALONE;
    load->met++;
    load->last_met = object;
  }
  if (renewed) {
    /* A changed key is forgotten as well when the row is to count. */
    alch_load_settle(load, object, again);
    for (uint32_t i = 0; i < object->mapper->key_count && again; i++) alch_object_kinds(object)[object->mapper->key_slots[i]] |= ALCH_SLOT_UNLOADED;
  }
  if (lacks_something(entity, alch_object_kinds(object))) fill_unloaded(host, entity, row, object);
  object->batch = load->batch;
  return renewed;
}
