/* What is to be written of an object, and what becomes of the object when it is. */
#include "orm/load.h"
#include "orm/writer.h"

/* ---- defaults ---- */

static alch_status apply_default(alch_flush *flush, alch_object *object, uint32_t slot, bool update, alch_error *error) {
  const alch_attribute *attribute = &object->mapper->attributes[slot];
  const alch_default *rule = update ? &attribute->column->update_default : &attribute->column->insert_default;
  alch_session *session = flush->session;
  alch_value value = rule->value;
  alch_status status = ALCH_OK;
  if (rule->kind == ALCH_DEFAULT_HOST) status = session->host->default_value(session->host, attribute->column, update, rule->value.integer, &value, error);
  if (status == ALCH_OK) status = alch_type_coerce(attribute->type, &value, &flush->scratch, error);
  if (status == ALCH_OK) alch_object_put(session->host, object, slot, &value);
  return status;
}

static bool is_client_side(const alch_default *rule) { return rule->kind == ALCH_DEFAULT_VALUE || rule->kind == ALCH_DEFAULT_HOST; }

static alch_status refuse_key(const alch_mapper *mapper, uint32_t slot, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_FLUSH, "a new %s object has no value for its primary key attribute '%s', and the database makes none: set it, or give the column a default", mapper->name,
                        mapper->attributes[slot].name);
}

static alch_status insert_mask(alch_flush *flush, alch_object *object, bool *mask, alch_error *error) {
  const alch_mapper *mapper = object->mapper;
  uint8_t *kinds = alch_object_kinds(object);
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < mapper->attribute_count && status == ALCH_OK; i++) {
    if ((kinds[i] & ALCH_SLOT_UNLOADED) && is_client_side(&mapper->attributes[i].column->insert_default)) status = apply_default(flush, object, i, false, error);
    bool unset = (kinds[i] & ALCH_SLOT_UNLOADED) || (i == mapper->generated_slot && (kinds[i] & ALCH_SLOT_KIND) == ALCH_NULL);
    mask[i] = !unset || !alch_attribute_database_decides(mapper, i);
    if (unset && mask[i]) {
      kinds[i] = ALCH_NULL;
      object->cells[i].integer = 0;
    }
    if (status == ALCH_OK && mask[i] && mapper->attributes[i].primary_key && (kinds[i] & ALCH_SLOT_KIND) == ALCH_NULL) status = refuse_key(mapper, i, error);
  }
  return status;
}

/* ---- insert ---- */

void alch_flush_give_key(alch_object *object, int64_t key) {
  uint32_t slot = object->mapper->generated_slot;
  object->cells[slot].integer = key;
  alch_object_kinds(object)[slot] = ALCH_INTEGER;
  object->state |= ALCH_STATE_GENERATED;
}

/* From here on the row is there: the object is persistent, and born in this flush for as long as the transaction may be rolled back. */
static alch_status inserted(alch_flush *flush, alch_object *object, alch_error *error) {
  alch_session *session = flush->session;
  const alch_mapper *mapper = object->mapper;
  alch_session_forget_changes(object);
  alch_value key[ALCH_KEY_LIMIT];
  if (!alch_object_key(object, false, key)) return alch_error_set(error, ALCH_ERROR_FLUSH, "a %s object was inserted without a key", mapper->name);
  object->state = (uint16_t)((object->state & ~ALCH_STATE_PENDING) | ALCH_STATE_PERSISTENT | ALCH_STATE_KEYED);
  object->batch = session->batch;
  object->born = session->born;
  session->host->identity_add(session->host, session, object, key);
  return ALCH_OK;
}

/* ---- update ---- */

static bool really_changed(alch_session *session, const alch_object *object, uint32_t slot) {
  uint8_t kind = alch_object_kinds(object)[slot];
  if (!(kind & ALCH_SLOT_CHANGED)) return false;
  const alch_old_value *old = kind & ALCH_SLOT_OLD ? alch_session_old_value(session, object, slot) : NULL;
  if (old == NULL) return true;
  alch_value before = alch_object_old_cell_value(object, old), now = alch_object_cell_value(object, slot);
  return !alch_value_equal(&before, &now);
}

static alch_status update_mask(alch_flush *flush, alch_object *object, bool *mask, bool *any, alch_error *error) {
  const alch_mapper *mapper = object->mapper;
  *any = false;
  object->state &= (uint16_t)~ALCH_STATE_WRITTEN;
  for (uint32_t i = 0; i < mapper->attribute_count; i++) *any |= mask[i] = really_changed(flush->session, object, i);
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; *any && i < mapper->attribute_count && status == ALCH_OK; i++) {
    const alch_column *column = mapper->attributes[i].column;
    if (mask[i] || !is_client_side(&column->update_default)) continue;
    status = apply_default(flush, object, i, true, error);
    mask[i] = true;
  }
  return status;
}

static alch_status updated(alch_flush *flush, alch_object *object, alch_error *error) {
  alch_session *session = flush->session;
  const alch_mapper *mapper = object->mapper;
  object->state |= ALCH_STATE_WRITTEN;
  uint8_t *kinds = alch_object_kinds(object);
  for (uint32_t i = 0; i < mapper->attribute_count; i++) {
    const alch_column *column = mapper->attributes[i].column;
    bool written = column->update_default.kind == ALCH_DEFAULT_SQL || column->server_onupdate.kind != ALCH_DEFAULT_NONE || column->computed != NULL;
    if (written && !(kinds[i] & ALCH_SLOT_CHANGED) && !mapper->attributes[i].primary_key) kinds[i] = ALCH_SLOT_UNLOADED;
  }
  bool rekeyed = false;
  for (uint32_t i = 0; i < mapper->key_count; i++) rekeyed |= (kinds[mapper->key_slots[i]] & ALCH_SLOT_OLD) != 0;
  if (rekeyed) {
    alch_value before[ALCH_KEY_LIMIT], now[ALCH_KEY_LIMIT];
    if (!alch_object_key(object, true, before) || !alch_object_key(object, false, now)) return alch_error_set(error, ALCH_ERROR_FLUSH, "a %s object has lost its key", mapper->name);
    alch_status status = alch_session_note_key(session, object, before, error);
    if (status != ALCH_OK) return status;
    session->host->identity_remove(session->host, session, mapper, before);
    session->host->identity_add(session->host, session, object, now);
    for (uint32_t i = 0; i < mapper->key_count; i++) kinds[mapper->key_slots[i]] &= (uint8_t)~(ALCH_SLOT_CHANGED | ALCH_SLOT_OLD);
  }
  return ALCH_OK;
}

/* ---- delete ---- */

static alch_status deleted(alch_flush *flush, alch_object *object, alch_error *error) {
  alch_session *session = flush->session;
  alch_value key[ALCH_KEY_LIMIT];
  if (alch_object_key(object, true, key)) session->host->identity_remove(session->host, session, object->mapper, key);
  if (alch_list_add(session->allocator, &session->frame->deleted, object) != ALCH_OK) return alch_error_out_of_memory(error);
  object->state = (uint16_t)((object->state & (ALCH_STATE_GENERATED | ALCH_STATE_MODIFIED)) | ALCH_STATE_DELETED | ALCH_STATE_KEYED);
  return ALCH_OK;
}

/* ---- by step ---- */

alch_status alch_flush_examine(alch_flush *flush, const alch_step *step, uint32_t place, bool *mask, bool *writes, alch_error *error) {
  *writes = true;
  switch (step->kind) {
    case ALCH_STEP_INSERT: return insert_mask(flush, flush->objects[step->first + place], mask, error);
    case ALCH_STEP_UPDATE: return update_mask(flush, flush->objects[step->first + place], mask, writes, error);
    default: return ALCH_OK;
  }
}

alch_status alch_flush_settle(alch_flush *flush, const alch_step *step, uint32_t place, alch_error *error) {
  switch (step->kind) {
    case ALCH_STEP_INSERT: return inserted(flush, flush->objects[step->first + place], error);
    case ALCH_STEP_UPDATE: return updated(flush, flush->objects[step->first + place], error);
    case ALCH_STEP_DELETE: return deleted(flush, flush->objects[step->first + place], error);
    default: return ALCH_OK;
  }
}
