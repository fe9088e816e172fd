#include "orm/object.h"

#include "orm/session.h"

bool alch_object_expired(const alch_object *object) {
  if (object->session == NULL) return (object->state & ALCH_STATE_EXPIRED) != 0;
  return (object->state & ALCH_STATE_PERSISTENT) && ((object->state & ALCH_STATE_EXPIRED) || object->batch < object->session->oldest_batch);
}

static bool is_attribute(const alch_mapper *mapper, uint32_t slot) { return slot < mapper->attribute_count; }

bool alch_object_loaded(const alch_object *object, uint32_t slot) {
  uint8_t kind = alch_object_kinds(object)[slot];
  if (kind & ALCH_SLOT_UNLOADED) return false;
  if (kind & ALCH_SLOT_CHANGED) return true;
  const alch_mapper *mapper = object->mapper;
  if (is_attribute(mapper, slot) && mapper->attributes[slot].primary_key) return true;
  return !alch_object_expired(object);
}

static alch_value cell_value(const alch_object *object, uint8_t kind, alch_cell cell) {
  alch_value value = { .kind = kind & ALCH_SLOT_KIND, .integer = cell.integer };
  if (!alch_value_has_text(value.kind)) return value;
  if (kind & ALCH_SLOT_OUTSIDE) return (alch_value){ .kind = value.kind, .length = cell.outside->length, .text = cell.outside->bytes };
  return (alch_value){ .kind = value.kind, .length = cell.inside.length, .text = (const char *)object + cell.inside.offset };
}

alch_value alch_object_old_cell_value(const alch_object *object, const alch_old_value *old) { return cell_value(object, old->kind, old->cell); }

bool alch_object_key(const alch_object *object, bool committed, alch_value *key) {
  const alch_mapper *mapper = object->mapper;
  const uint8_t *kinds = alch_object_kinds(object);
  for (uint32_t i = 0; i < mapper->key_count; i++) {
    uint32_t slot = mapper->key_slots[i];
    const alch_old_value *old = committed && (kinds[slot] & ALCH_SLOT_OLD) ? alch_session_old_value(object->session, object, slot) : NULL;
    key[i] = old != NULL ? alch_object_old_cell_value(object, old) : alch_object_cell_value(object, slot);
    if (key[i].kind == ALCH_NULL || (old == NULL && (kinds[slot] & ALCH_SLOT_UNLOADED))) return false;
  }
  return true;
}

size_t alch_object_size(const alch_mapper *mapper, const alch_value *values) {
  size_t size = alch_object_fixed_size(mapper);
  for (uint32_t i = 0; i < mapper->attribute_count; i++)
    if (alch_value_has_text(values[i].kind)) size += values[i].length;
  return size;
}

void alch_object_fill(alch_object *object, const alch_mapper *mapper, const alch_value *values, const bool *given) {
  object->mapper = mapper;
  uint8_t *kinds = alch_object_kinds(object);
  char *text = (char *)object + alch_object_fixed_size(mapper);
  uint32_t attributes = mapper->attribute_count;
  for (uint32_t i = 0; i < attributes; i++) {
    const alch_value *value = &values[i];
    kinds[i] = value->kind;
    if (alch_value_has_text(value->kind)) {
      object->cells[i].inside.offset = (uint32_t)(text - (char *)object);
      object->cells[i].inside.length = value->length;
      if (value->length > 0) memcpy(text, value->text, value->length);
      text += value->length;
    } else {
      object->cells[i].integer = value->integer;
    }
  }
  if (given != NULL)
    for (uint32_t i = 0; i < attributes; i++)
      if (!given[i]) kinds[i] = ALCH_SLOT_UNLOADED;
  memset(kinds + attributes, ALCH_SLOT_UNLOADED, mapper->relationship_count);
}

/* The value of the last flush is wanted for history, for "no net change", and for the WHERE of a changed key. It is not known when the slot was never loaded or has expired. */
alch_status alch_object_remember(alch_object *object, uint32_t slot, alch_error *error) {
  uint8_t *kind = &alch_object_kinds(object)[slot];
  alch_session *session = object->session;
  if ((*kind & (ALCH_SLOT_CHANGED | ALCH_SLOT_OLD)) || session == NULL || !(object->state & ALCH_STATE_PERSISTENT) || !alch_object_loaded(object, slot)) return ALCH_OK;
  if (alch_session_touch(session, object) != ALCH_OK) return alch_error_out_of_memory(error);
  if (session->journal_count == session->journal_capacity) {
    alch_old_value *grown = alch_grow(session->allocator, session->journal, &session->journal_capacity, session->journal_count + 1, sizeof *grown);
    if (grown == NULL) return alch_error_out_of_memory(error);
    session->journal = grown;
  }
  alch_held *held = &session->held[object->anchor];
  session->journal[session->journal_count++] =
      (alch_old_value){ .object = object, .cell = object->cells[slot], .slot = slot, .kind = *kind & (ALCH_SLOT_KIND | ALCH_SLOT_OUTSIDE), .previous = held->newest_old };
  held->newest_old = session->journal_count;
  *kind |= ALCH_SLOT_OLD;
  return ALCH_OK;
}

void alch_object_put(alch_host *host, alch_object *object, uint32_t slot, const alch_value *value) {
  uint8_t flags = alch_object_kinds(object)[slot] & (ALCH_SLOT_CHANGED | ALCH_SLOT_OLD);
  if (!alch_value_has_text(value->kind)) {
    object->cells[slot].integer = value->integer;
    alch_object_kinds(object)[slot] = value->kind | flags;
    return;
  }
  alch_outside_text *text = (alch_outside_text *)(void *)host->text_new(host, object, slot, sizeof *text + value->length);
  text->length = value->length;
  if (value->length > 0) memcpy(text->bytes, value->text, value->length);
  object->cells[slot].outside = text;
  alch_object_kinds(object)[slot] = value->kind | ALCH_SLOT_OUTSIDE | flags;
}

alch_status alch_object_write(alch_host *host, alch_object *object, uint32_t slot, const alch_value *value, alch_error *error) {
  if (alch_object_loaded(object, slot)) {
    alch_value current = alch_object_cell_value(object, slot);
    if (alch_value_equal(&current, value)) return ALCH_OK;
  }
  alch_status status = alch_object_remember(object, slot, error);
  if (status != ALCH_OK) return status;
  if (object->session != NULL && alch_session_touch(object->session, object) != ALCH_OK) return alch_error_out_of_memory(error);
  alch_object_put(host, object, slot, value);
  alch_object_kinds(object)[slot] |= ALCH_SLOT_CHANGED;
  return ALCH_OK;
}

alch_status alch_object_set(alch_host *host, alch_object *object, uint32_t slot, alch_value value, alch_error *error) {
  const alch_attribute *attribute = &object->mapper->attributes[slot];
  if (attribute->listened) {
    alch_status status = host->attribute_event(host, object, slot, &value);
    if (status != ALCH_OK) return status;
  }
  if (attribute->primary_key && object->session == NULL && (object->state & ALCH_STATE_KEYED))
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST,
                          "the key attribute '%s' of a detached %s object cannot be changed: its row would not be found again. Add the object to a session first, then change it",
                          attribute->name, object->mapper->name);
  return alch_object_write(host, object, slot, &value, error);
}
