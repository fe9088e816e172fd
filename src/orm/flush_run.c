/* A plan is carried out step by step, object by object; the place is kept, so that a wait can come between any two statements. */
#include "base/fault.h"
#include "orm/load.h"
#include "orm/writer.h"

static alch_status object_event(alch_session *session, alch_object_event event, alch_object *object) {
  return object->mapper->events >> event & 1 ? session->host->object_event(session->host, event, object) : ALCH_OK;
}

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

/* ---- statements ---- */

/* Starts the writer's statement, or goes on with the one that waits. */
alch_status alch_flush_execute(alch_flush *flush, alch_error *error) {
  alch_connection *connection;
  alch_status status;
  if (alch_fault("flush: statement")) return alch_error_set(error, ALCH_ERROR_OPERATIONAL, "a fault that a spec asked for");
  if (flush->statement_open) {
    status = alch_execution_start_poll(&flush->execution, error);
  } else {
    if ((status = alch_session_connection(flush->session, &connection, error)) != ALCH_OK) return status;
    status = alch_execution_run(&flush->execution, connection, flush->writer->compiled, flush->writer->values, flush->writer->count, error);
  }
  flush->statement_open = status == ALCH_WAIT;
  return status;
}

static alch_status expect_one(const alch_flush *flush, const char *verb, const char *table, alch_error *error) {
  int64_t changes = flush->execution.changes;
  if (changes == 1 || changes < 0) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_STALE_DATA, "%s on table '%s' expected to meet 1 row, and met %lld: the row was changed or deleted by someone else since it was loaded. Roll back and read it again", verb,
                        table, (long long)changes);
}

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

alch_status alch_flush_insert_mask(alch_flush *flush, alch_object *object, bool *mask, alch_error *error) {
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

static alch_status take_key(alch_flush *flush, alch_object *object, alch_error *error) {
  const alch_mapper *mapper = object->mapper;
  alch_writer *writer = flush->writer;
  if (writer->fetches_key) {
    alch_status status = alch_execution_next(&flush->execution, error);
    if (status == ALCH_DONE) return alch_error_set(error, ALCH_ERROR_FLUSH, "the INSERT into '%s' returned no key", mapper->table->name);
    if (status != ALCH_ROW) return status;
    for (uint32_t i = 0; i < mapper->key_count; i++) alch_object_put(flush->session->host, object, mapper->key_slots[i], &flush->execution.row[i]);
    /* The row is written; reading on to the end could wait, and the statement would then be run again. */
    alch_execution_close(&flush->execution);
  } else if (mapper->generated_slot != UINT32_MAX && !writer->mask[mapper->generated_slot]) {
    flush->last_key = flush->execution.last_insert_id;
    alch_flush_give_key(object, flush->last_key);
    return ALCH_OK;
  } else {
    flush->last_key = 0;
    return ALCH_OK;
  }
  object->state |= ALCH_STATE_GENERATED;
  return ALCH_OK;
}

/* From here on the row is there: the object is persistent, and born in this flush for as long as the transaction may be rolled back. */
alch_status alch_flush_inserted(alch_flush *flush, alch_object *object, alch_error *error) {
  alch_session *session = flush->session;
  const alch_mapper *mapper = object->mapper;
  alch_session_forget_changes(object);
  alch_value key[ALCH_KEY_LIMIT];
  if (!alch_object_key(object, false, key)) return alch_error_set(error, ALCH_ERROR_FLUSH, "a %s object was inserted without a key", mapper->name);
  object->state = (uint16_t)((object->state & ~ALCH_STATE_PENDING) | ALCH_STATE_PERSISTENT | ALCH_STATE_KEYED);
  object->batch = session->batch;
  object->born = session->born;
  session->host->identity_add(session->host, session, object, key);
  return object_event(session, ALCH_EVENT_AFTER_INSERT, object);
}

static alch_status insert_object(alch_flush *flush, alch_object *object, bool *mask, alch_error *error) {
  alch_session *session = flush->session;
  alch_status status = ALCH_OK;
  if (!flush->statement_open) {
    status = object_event(session, ALCH_EVENT_BEFORE_INSERT, object);
    if (status == ALCH_OK) status = alch_flush_insert_mask(flush, object, mask, error);
    if (status == ALCH_OK) status = alch_writer_prepare(flush->writer, session, &(alch_writing){ .kind = ALCH_STEP_INSERT, .mapper = object->mapper, .mask = mask, .rows = 1 }, error);
    if (status == ALCH_OK) status = alch_writer_bind(flush->writer, 0, object, NULL, error);
  }
  if (status == ALCH_OK) status = alch_flush_execute(flush, error);
  if (status == ALCH_OK) status = take_key(flush, object, error);
  return status == ALCH_OK ? alch_flush_inserted(flush, object, error) : status;
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
  alch_status status = expect_one(flush, "UPDATE", mapper->table->name, error);
  if (status != ALCH_OK) return status;
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
    status = alch_session_note_key(session, object, before, error);
    if (status != ALCH_OK) return status;
    session->host->identity_remove(session->host, session, mapper, before);
    session->host->identity_add(session->host, session, object, now);
    for (uint32_t i = 0; i < mapper->key_count; i++) kinds[mapper->key_slots[i]] &= (uint8_t)~(ALCH_SLOT_CHANGED | ALCH_SLOT_OLD);
  }
  return object_event(session, ALCH_EVENT_AFTER_UPDATE, object);
}

static alch_status update_object(alch_flush *flush, alch_object *object, bool *mask, alch_error *error) {
  alch_session *session = flush->session;
  alch_status status = ALCH_OK;
  bool any = true;
  if (!flush->statement_open) {
    status = object_event(session, ALCH_EVENT_BEFORE_UPDATE, object);
    if (status == ALCH_OK) status = update_mask(flush, object, mask, &any, error);
    if (status != ALCH_OK || !any) return status;
    status = alch_writer_prepare(flush->writer, session, &(alch_writing){ .kind = ALCH_STEP_UPDATE, .mapper = object->mapper, .mask = mask, .rows = 1 }, error);
    if (status == ALCH_OK) status = alch_writer_bind(flush->writer, 0, object, NULL, error);
  }
  if (status == ALCH_OK) status = alch_flush_execute(flush, error);
  return status == ALCH_OK ? updated(flush, object, error) : status;
}

/* ---- delete ---- */

static alch_status deleted(alch_flush *flush, alch_object *object, alch_error *error) {
  alch_session *session = flush->session;
  alch_value key[ALCH_KEY_LIMIT];
  if (alch_object_key(object, true, key)) session->host->identity_remove(session->host, session, object->mapper, key);
  if (alch_list_add(session->allocator, &session->frame->deleted, object) != ALCH_OK) return alch_error_out_of_memory(error);
  object->state = (uint16_t)((object->state & (ALCH_STATE_GENERATED | ALCH_STATE_MODIFIED)) | ALCH_STATE_DELETED | ALCH_STATE_KEYED);
  return object_event(session, ALCH_EVENT_AFTER_DELETE, object);
}

/* A row that is gone already is what was wanted: no error, as SQLAlchemy has only a warning for it. */
static alch_status delete_object(alch_flush *flush, alch_object *object, alch_error *error) {
  alch_session *session = flush->session;
  alch_status status = ALCH_OK;
  if (!flush->statement_open) {
    status = object_event(session, ALCH_EVENT_BEFORE_DELETE, object);
    if (status == ALCH_OK) status = alch_writer_prepare(flush->writer, session, &(alch_writing){ .kind = ALCH_STEP_DELETE, .mapper = object->mapper, .rows = 1 }, error);
    if (status == ALCH_OK) status = alch_writer_bind(flush->writer, 0, object, NULL, error);
  }
  if (status == ALCH_OK) status = alch_flush_execute(flush, error);
  return status == ALCH_OK ? deleted(flush, object, error) : status;
}

/* ---- secondary tables ---- */

static alch_status write_link(alch_flush *flush, const alch_step *step, const alch_link *link, alch_error *error) {
  alch_status status = ALCH_OK;
  bool whole = link->child == NULL;
  if (!flush->statement_open) {
    status = alch_writer_prepare(flush->writer, flush->session, &(alch_writing){ .kind = step->kind, .mapper = step->mapper, .relationship = step->relationship, .whole = whole, .rows = 1 }, error);
    if (status == ALCH_OK) status = alch_writer_bind(flush->writer, 0, link->parent, link->child, error);
  }
  if (status == ALCH_OK) status = alch_flush_execute(flush, error);
  return status == ALCH_OK && !whole ? expect_one(flush, step->kind == ALCH_STEP_LINK ? "INSERT" : "DELETE", step->relationship->secondary->name, error) : status;
}

/* ---- steps ---- */

static alch_status run_object(alch_flush *flush, const alch_step *step, alch_object *object, bool *mask, alch_error *error) {
  switch (step->kind) {
    case ALCH_STEP_INSERT: return insert_object(flush, object, mask, error);
    case ALCH_STEP_UPDATE: return update_object(flush, object, mask, error);
    default: return delete_object(flush, object, error);
  }
}

static alch_status run_step(alch_flush *flush, const alch_step *step, alch_error *error) {
  if (step->kind == ALCH_STEP_COPY) return run_copy(flush, step, error);
  bool links = step->kind == ALCH_STEP_LINK || step->kind == ALCH_STEP_UNLINK;
  bool *mask = links ? NULL : alch_arena_allocate(&flush->arena, 2 * step->mapper->attribute_count * sizeof *mask);
  if (!links && mask == NULL) return alch_error_out_of_memory(error);
  alch_status status = ALCH_OK;
  while (flush->place < step->count && status == ALCH_OK) {
    if (step->kind == ALCH_STEP_INSERT && (status = alch_flush_batch(flush, step, mask, error)) != ALCH_DONE) continue;
    uint32_t at = step->first + flush->place;
    status = links ? write_link(flush, step, &flush->links[at], error) : run_object(flush, step, flush->objects[at], mask, error);
    if (status == ALCH_OK) flush->place++;
  }
  return status;
}

alch_status alch_flush_run(alch_flush *flush, alch_error *error) {
  alch_status status = ALCH_OK;
  while (flush->step < flush->step_count && status == ALCH_OK) {
    status = run_step(flush, &flush->steps[flush->step], error);
    if (status != ALCH_OK) break;
    flush->step++;
    flush->place = flush->batch_from = 0;
    flush->last_key = 0;
    flush->keys_follow = ALCH_KEYS_UNKNOWN;
  }
  return status;
}
