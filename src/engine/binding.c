/* From a block's value area and an execution's parameters to the values that the driver binds. */
#include "engine/private.h"
#include "sql/expression.h"

#define SHOWN_VALUES 20
#define SHOWN_BYTES 100

/* A walk over the slots of one statement. */
typedef struct binding_walk {
  alch_execution *execution;
  const alch_parameters *parameters;
  alch_error *error;
  const alch_block *block;
  alch_value_cursor cursor;
  uint32_t next;           /* number of the record that the cursor is at */
  uint32_t filled;         /* values of the execution that are there */
} binding_walk;

static void rewind_cursor(binding_walk *walk) {
  walk->cursor = walk->block ? alch_block_value_cursor(walk->block) : (alch_value_cursor){ NULL, NULL };
  walk->next = 0;
}

static alch_status missing_record(const binding_walk *walk) {
  return alch_error_set(walk->error, ALCH_ERROR_STATEMENT, "the statement has fewer values than it was compiled with");
}

/* The record with this number. Most statements take theirs in order; where one does not, the walk starts again from the first. A list's items are passed over. */
static alch_status find_record(binding_walk *walk, uint32_t ordinal, alch_value *out) {
  alch_value skipped;
  if (ALCH_UNLIKELY(ordinal < walk->next)) rewind_cursor(walk);
  for (; walk->next < ordinal; walk->next++) {
    if (!alch_value_cursor_next(&walk->cursor, &skipped)) return missing_record(walk);
    for (int64_t items = skipped.kind == ALCH_LIST ? skipped.integer : 0; items > 0; items--)
      if (!alch_value_cursor_next(&walk->cursor, &skipped)) return missing_record(walk);
  }
  return alch_value_cursor_next(&walk->cursor, out) ? ALCH_OK : missing_record(walk);
}

static alch_status no_memory(const binding_walk *walk) {
  return alch_error_out_of_memory(walk->error);
}

/* The text moves into the execution's own memory: whoever gave it may take it back. */
static alch_status keep(binding_walk *walk, alch_value *value) {
  if (!alch_value_has_text(value->kind)) return ALCH_OK;
  return alch_keep_text(&walk->execution->texts, walk->execution->values, walk->filled, value) ? ALCH_OK : no_memory(walk);
}

/* The type that decides what is stored. A value in a text has only its own kind. */
static const alch_type *storing_type(const alch_slot *slot, const alch_value *value, alch_type *plain) {
  if (slot->converts) return slot->type;
  if (value->kind <= ALCH_BLOB || value->kind >= ALCH_HOST) return NULL;
  *plain = ALCH_TYPE_PLAIN((uint8_t)alch_value_type(value->kind));
  return plain;
}

static alch_status convert(binding_walk *walk, const alch_slot *slot, alch_value *value) {
  alch_type plain;
  const alch_type *type = storing_type(slot, value, &plain);
  const alch_dialect *dialect = walk->execution->compiled->dialect;
  if (!type || !dialect->to_database) return ALCH_OK;
  const char *before = alch_value_has_text(value->kind) ? value->text : NULL;
  alch_status status = alch_dialect_store(dialect, type, slot->column != NULL, value, &walk->execution->connection->link->conversion, walk->error);
  return status == ALCH_OK && alch_value_has_text(value->kind) && value->text != before ? keep(walk, value) : status;
}

/* What a callback answered, when it has not closed the execution under way. */
static alch_status keep_answer(binding_walk *walk, alch_status status, alch_value *value) {
  if (status != ALCH_OK) return status;
  if (!walk->execution->connection) return alch_error_set(walk->error, ALCH_ERROR_RESOURCE_CLOSED, "the connection was closed while the statement's values were asked for");
  return keep(walk, value);
}

static alch_status ask_host(binding_walk *walk, const alch_slot *slot, int64_t reference, alch_value *out) {
  if (!walk->parameters || !walk->parameters->host)
    return alch_error_set(walk->error, ALCH_ERROR_STATEMENT, "a value of the statement has to be asked of the host, and nobody answers");
  return keep_answer(walk, walk->parameters->host(walk->parameters->context, slot, reference, out, walk->error), out);
}

/* One value that is there: asked of the host where need be, converted, put behind those before it. */
static alch_status put(binding_walk *walk, const alch_slot *slot, alch_value value) {
  alch_status status = ALCH_OK;
  if (ALCH_UNLIKELY(value.kind == ALCH_HOST)) status = ask_host(walk, slot, value.integer, &value);
  if (status == ALCH_OK && (slot->converts || value.kind > ALCH_BLOB)) status = convert(walk, slot, &value);
  if (ALCH_LIKELY(status == ALCH_OK)) walk->execution->values[walk->filled++] = value;
  return status;
}

static bool room_for(binding_walk *walk, uint32_t more) {
  alch_execution *execution = walk->execution;
  if (ALCH_LIKELY(more <= execution->value_capacity - walk->filled && execution->values)) return true;
  if (more > UINT32_MAX - walk->filled) return false;
  alch_value *values = alch_grow(execution->scratch.allocator, execution->values, &execution->value_capacity, walk->filled + more, sizeof *values);
  if (values) execution->values = values;
  return values != NULL;
}

static alch_status item_of_block(binding_walk *walk, alch_value *out) {
  return alch_value_cursor_next(&walk->cursor, out) ? ALCH_OK : missing_record(walk);
}

static alch_status item_of_host(binding_walk *walk, const alch_slot *slot, uint32_t index, alch_value *out) {
  if (!walk->parameters->item) return alch_error_set(walk->error, ALCH_ERROR_STATEMENT, "a list for '%s' cannot be read", slot->name ? slot->name : "?");
  return keep_answer(walk, walk->parameters->item(walk->parameters->context, slot, index, out, walk->error), out);
}

static uint32_t *add_counts(binding_walk *walk, uint32_t more) {
  alch_execution *execution = walk->execution;
  uint32_t *counts = alch_grow(execution->scratch.allocator, execution->counts, &execution->count_capacity, execution->count_used + more, sizeof *counts);
  if (!counts) return NULL;
  execution->counts = counts;
  execution->count_used += more;
  return counts + execution->count_used - more;
}

/* ---- values that the text carries ---- */

/* Items of a list go one by one, since their texts may share memory. */
static alch_status write_literal(binding_walk *walk, const alch_slot *slot, alch_value value, alch_buffer *text) {
  alch_status status = value.kind == ALCH_HOST ? ask_host(walk, slot, value.integer, &value) : ALCH_OK;
  return status == ALCH_OK ? alch_literal_text(walk->execution->compiled->dialect, slot, &value, NULL, text, walk->error) : status;
}

static alch_status write_literals(binding_walk *walk, const alch_slot *slot, const alch_value *list, bool named, alch_buffer *text) {
  alch_status status = list->integer == 0 ? alch_literal_text(walk->execution->compiled->dialect, slot, list, NULL, text, walk->error) : ALCH_OK;
  for (uint32_t i = 0; i < (uint32_t)list->integer && status == ALCH_OK; i++) {
    alch_value item;
    if (i > 0) alch_buffer_add(text, ", ");
    status = named ? item_of_host(walk, slot, i, &item) : item_of_block(walk, &item);
    if (status == ALCH_OK) status = write_literal(walk, slot, item, text);
  }
  return status;
}

static alch_status put_literal(binding_walk *walk, const alch_slot *slot, const alch_value *value, bool named) {
  alch_buffer text;
  alch_buffer_init(&text, walk->execution->scratch.allocator);
  alch_status status = value->kind == ALCH_LIST ? write_literals(walk, slot, value, named, &text) : write_literal(walk, slot, *value, &text);
  uint32_t *words = status == ALCH_OK && !alch_buffer_failed(&text) ? add_counts(walk, alch_literal_words(text.length)) : NULL;
  if (words) alch_literal_write(words, text.text, text.length);
  else if (status == ALCH_OK) status = no_memory(walk);
  alch_buffer_close(&text);
  return status;
}

/* The count of a list is remembered; its items follow as values of their own. */
static alch_status put_list(binding_walk *walk, const alch_slot *slot, const alch_value *list, bool named) {
  alch_execution *execution = walk->execution;
  if (list->kind != ALCH_LIST) return alch_error_set(walk->error, ALCH_ERROR_STATEMENT, "a list is needed for '%s'", slot->name ? slot->name : "IN");
  if (list->integer < 0 || list->integer > UINT32_MAX / 2 || !room_for(walk, (uint32_t)list->integer + execution->compiled->slot_count)) return no_memory(walk);
  uint32_t *count = add_counts(walk, 1);
  if (!count) return no_memory(walk);
  *count = (uint32_t)list->integer;
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < (uint32_t)list->integer && status == ALCH_OK; i++) {
    alch_value item;
    status = named ? item_of_host(walk, slot, i, &item) : item_of_block(walk, &item);
    if (status == ALCH_OK) status = put(walk, slot, item);
  }
  return status;
}

/* ALCH_DONE: nobody gives a value of this name. */
static alch_status ask_named(binding_walk *walk, const alch_slot *slot, alch_value *out) {
  if (!slot->name || !walk->parameters || !walk->parameters->named) return ALCH_DONE;
  return keep_answer(walk, walk->parameters->named(walk->parameters->context, slot, out, walk->error), out);
}

static alch_status bind_default(binding_walk *walk, const alch_slot *slot) {
  const alch_default *given = slot->update ? &slot->column->update_default : &slot->column->insert_default;
  alch_value value = given->value;
  if (given->kind == ALCH_DEFAULT_HOST) value.kind = ALCH_HOST;
  return put(walk, slot, value);
}

static alch_status bind_record(binding_walk *walk, const alch_slot *slot) {
  alch_value value;
  if (ALCH_UNLIKELY(slot->required)) return alch_error_set(walk->error, ALCH_ERROR_STATEMENT, "A value is required for bind parameter '%s'", slot->name ? slot->name : "?");
  alch_status status = find_record(walk, slot->ordinal, &value);
  if (ALCH_UNLIKELY(status != ALCH_OK)) return status;
  if (ALCH_UNLIKELY(slot->kind == ALCH_SLOT_LITERAL)) {
    status = put_literal(walk, slot, &value, false);
    walk->next++;
    return status;
  }
  if (ALCH_LIKELY(value.kind != ALCH_LIST)) {
    walk->next++;
    return put(walk, slot, value);
  }
  status = put_list(walk, slot, &value, false);
  walk->next++;
  return status;
}

static alch_status bind_slot(binding_walk *walk, const alch_slot *slot) {
  alch_value value;
  alch_status status = slot->name ? ask_named(walk, slot, &value) : ALCH_DONE;
  if (status == ALCH_OK && slot->kind == ALCH_SLOT_LITERAL) return put_literal(walk, slot, &value, true);
  if (status == ALCH_OK) return slot->kind == ALCH_SLOT_EXPANDING ? put_list(walk, slot, &value, true) : put(walk, slot, value);
  if (status != ALCH_DONE) return status;
  switch (slot->kind) {
    case ALCH_SLOT_DEFAULT: return bind_default(walk, slot);
    case ALCH_SLOT_OUT: return put(walk, slot, ALCH_VALUE_NULL);
    default: return bind_record(walk, slot);
  }
}

alch_status alch_execution_bind(alch_execution *execution, const alch_block *block, const alch_parameters *parameters, alch_error *error) {
  const alch_compiled *compiled = execution->compiled;
  binding_walk walk = { .execution = execution, .parameters = parameters, .error = error, .block = block, .filled = execution->sets * compiled->slot_count };
  if (execution->sets == 0) alch_buffer_clear(&execution->texts);
  execution->count_used = 0;
  rewind_cursor(&walk);
  if (!room_for(&walk, compiled->slot_count)) return no_memory(&walk);
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < compiled->slot_count && status == ALCH_OK; i++) status = bind_slot(&walk, &compiled->slots[i]);
  execution->bound = execution->values;
  execution->bound_count = walk.filled;
  return status;
}

static void print_values(const alch_execution *execution, alch_buffer *out) {
  uint32_t shown = execution->bound_count < SHOWN_VALUES ? execution->bound_count : SHOWN_VALUES;
  alch_buffer_add_char(out, '(');
  for (uint32_t i = 0; i < shown; i++) {
    if (i > 0) alch_buffer_add(out, ", ");
    alch_value_print(&execution->bound[i], out, SHOWN_BYTES);
  }
  if (shown < execution->bound_count) alch_buffer_add_format(out, ", ... and %u more", execution->bound_count - shown);
  alch_buffer_add_char(out, ')');
}

void alch_execution_describe_failure(const alch_execution *execution, alch_error *error) {
  if (!error || !execution->compiled) return;
  const alch_prepared *prepared = execution->prepared;
  const alch_compiled *compiled = execution->compiled;
  if (!error->texts[ALCH_ERROR_SQL])
    alch_error_attach(error, ALCH_ERROR_SQL, prepared ? prepared->sql : compiled->sql, prepared ? prepared->sql_length : compiled->sql_length);
  if (!execution->bound || execution->bound_count == 0 || error->texts[ALCH_ERROR_PARAMETERS]) return;
  alch_buffer text;
  alch_buffer_init(&text, execution->scratch.allocator);
  print_values(execution, &text);
  if (!alch_buffer_failed(&text)) alch_error_attach(error, ALCH_ERROR_PARAMETERS, text.text, text.length);
  alch_buffer_close(&text);
}
