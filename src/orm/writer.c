#include "orm/writer.h"
#include "sql/source.h"

enum { BOUNDS = 2 };                 /* of the keys: what the objects share at most */

void alch_writer_close(alch_writer *writer) {
  if (writer->allocator == NULL) return;
  alch_compiled_release(writer->compiled);
  alch_free(writer->allocator, writer->listed, (alch_writer_column_limit(&writer->writing) + BOUNDS) * sizeof *writer->listed);
  alch_free(writer->allocator, writer->sources, writer->width * sizeof *writer->sources);
  alch_free(writer->allocator, writer->values, (size_t)writer->width * writer->writing.rows * sizeof *writer->values);
  alch_free(writer->allocator, writer->mask, writer->mask_count * sizeof *writer->mask);
  alch_buffer_close(&writer->texts);
  alch_buffer_close(&writer->scratch);
  *writer = (alch_writer){ 0 };
}

/* ---- what can go how ---- */

static const alch_type *type_in(const alch_session *session, const alch_writing *writing, const alch_column *column) {
  return alch_type_in(alch_catalog_type(session->catalog, alch_column_type(column)), alch_engine_dialect(writing->engine)->name);
}

static uint8_t array_form(const alch_session *session, const alch_writing *writing, const alch_column *column) {
  const alch_dialect *dialect = alch_engine_dialect(writing->engine);
  return dialect->array_form != NULL ? dialect->array_form(dialect, type_in(session, writing, column)) : ALCH_ARRAY_NONE;
}

bool alch_writer_takes_arrays(const alch_session *session, const alch_writing *writing) {
  const alch_mapper *mapper = writing->mapper;
  const alch_relationship *relationship = writing->relationship;
  if (alch_engine_dialect(writing->engine)->array_form == NULL) return false;
  for (uint32_t i = 0; relationship != NULL && i < relationship->pair_count; i++)
    if (array_form(session, writing, relationship->pairs[i].link) == ALCH_ARRAY_NONE) return false;
  for (uint32_t i = 0; relationship != NULL && i < relationship->remote_pair_count; i++)
    if (array_form(session, writing, relationship->remote_pairs[i].link) == ALCH_ARRAY_NONE) return false;
  for (uint32_t i = 0; relationship == NULL && i < mapper->attribute_count; i++) {
    bool wanted = writing->mask != NULL && writing->mask[i];
    if ((wanted || mapper->attributes[i].primary_key) && array_form(session, writing, mapper->attributes[i].column) == ALCH_ARRAY_NONE) return false;
  }
  return true;
}

bool alch_writer_numbers_rows(const alch_session *session, const alch_writing *writing) {
  const alch_mapper *mapper = writing->mapper;
  if (writing->relationship != NULL || mapper->key_count != 1) return false;
  const alch_column *column = mapper->attributes[mapper->key_slots[0]].column;
  return alch_type_is_integer(type_in(session, writing, column)->family) && array_form(session, writing, column) == ALCH_ARRAY_ITEMS;
}

static bool is_sql(const alch_default *rule) { return rule->kind == ALCH_DEFAULT_SQL || rule->kind == ALCH_DEFAULT_SEQUENCE; }

static bool is_listed(const alch_writing *writing, const alch_column *column) {
  if (writing->relationship == NULL) {
    uint32_t slot = alch_mapper_column_slot(writing->mapper, column);
    return slot != UINT32_MAX && writing->mask != NULL && writing->mask[slot];
  }
  for (uint32_t i = 0; i < writing->relationship->pair_count; i++)
    if (writing->relationship->pairs[i].link == column) return true;
  for (uint32_t i = 0; i < writing->relationship->remote_pair_count; i++)
    if (writing->relationship->remote_pairs[i].link == column) return true;
  return false;
}

bool alch_writer_leaves_sql(const alch_writing *writing) {
  const alch_table *table = alch_writer_table(writing);
  if (writing->kind == ALCH_STEP_DELETE || writing->kind == ALCH_STEP_UNLINK) return false;
  for (uint32_t i = 0; i < table->column_count; i++) {
    const alch_column *column = table->columns[i];
    if (is_sql(writing->kind == ALCH_STEP_UPDATE ? &column->update_default : &column->insert_default) && !is_listed(writing, column)) return true;
  }
  return false;
}

/* ---- preparing ---- */

static bool same_mask(const alch_writer *writer, const bool *mask) {
  if (mask == NULL || writer->mask == NULL) return mask == NULL && writer->mask == NULL;
  return memcmp(mask, writer->mask, writer->mask_count * sizeof *mask) == 0;
}

static bool is_ready(const alch_writer *writer, const alch_writing *wanted) {
  const alch_writing *now = &writer->writing;
  if (writer->compiled == NULL || now->kind != wanted->kind || now->engine != wanted->engine || now->way != wanted->way || now->mapper != wanted->mapper || now->relationship != wanted->relationship || now->whole != wanted->whole || now->span.close != wanted->span.close) return false;
  bool room = wanted->way == ALCH_WAY_ROWS ? now->rows == wanted->rows : now->rows >= wanted->rows;
  return room && same_mask(writer, wanted->mask);
}

/* The key must come back from the database when no value is given for it and the driver cannot tell it; those of several rows where they come in the order of the rows. */
static bool must_fetch_key(const alch_writing *writing) {
  const alch_mapper *mapper = writing->mapper;
  const alch_dialect *dialect = alch_engine_dialect(writing->engine);
  bool many = writing->way == ALCH_WAY_ROWS || writing->way == ALCH_WAY_SETS;
  bool told = alch_dialect_can(dialect, ALCH_CAPABILITY_LAST_INSERT_ID) && !(many && alch_dialect_can(dialect, ALCH_CAPABILITY_ORDERED_RETURNING));
  for (uint32_t i = 0; i < mapper->key_count; i++)
    if (!writing->mask[mapper->key_slots[i]] && !(mapper->key_slots[i] == mapper->generated_slot && told)) return true;
  return false;
}

static alch_status list_columns(alch_writer *writer, const alch_session *session, alch_error *error) {
  const alch_dialect *dialect = alch_engine_dialect(writer->writing.engine);
  writer->listed = alch_allocate_zeroed(writer->allocator, (alch_writer_column_limit(&writer->writing) + BOUNDS) * sizeof *writer->listed);
  if (writer->listed == NULL) return alch_error_out_of_memory(error);
  writer->listed_count = alch_writer_columns(&writer->writing, writer->listed);
  for (uint32_t i = 0; i < writer->listed_count; i++) {
    alch_source *source = &writer->listed[i];
    source->type = type_in(session, &writer->writing, source->column);
    source->converts = dialect->converts(source->type, true);
    if (writer->writing.way == ALCH_WAY_ARRAYS) source->form = array_form(session, &writer->writing, source->column);
  }
  writer->shared = writer->writing.span.close ? BOUNDS : 0;
  for (uint32_t i = 0; i < writer->shared; i++) {
    alch_source *bound = &writer->listed[writer->listed_count + i];
    *bound = writer->listed[writer->listed_count - 1];
    bound->shared = true;
  }
  return ALCH_OK;
}

static alch_status set_up(alch_writer *writer, const alch_session *session, const alch_writing *wanted, alch_error *error) {
  *writer = (alch_writer){ .allocator = session->allocator, .writing = *wanted };
  alch_buffer_init(&writer->texts, writer->allocator);
  alch_buffer_init(&writer->scratch, writer->allocator);
  if (wanted->mask != NULL) {
    writer->mask_count = wanted->mapper->attribute_count;
    writer->mask = alch_allocate(writer->allocator, writer->mask_count * sizeof *writer->mask);
    if (writer->mask == NULL) return alch_error_out_of_memory(error);
    memcpy(writer->mask, wanted->mask, writer->mask_count * sizeof *writer->mask);
    writer->writing.mask = writer->mask;
  }
  writer->fetches_key = wanted->kind == ALCH_STEP_INSERT && must_fetch_key(wanted);
  return list_columns(writer, session, error);
}

static alch_status no_value(const alch_writer *writer, const alch_slot *slot, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_FLUSH, "the flush has no value for column '%s' of table '%s'", slot->column != NULL ? slot->column->name : "?", alch_writer_table(&writer->writing)->name);
}

/* Where the placeholders of one object get their values; those of the next objects have the same order. */
static alch_status place_sources(alch_writer *writer, alch_error *error) {
  const alch_compiled *compiled = writer->compiled;
  uint32_t copies = writer->writing.way == ALCH_WAY_ROWS ? writer->writing.rows : 1, width = compiled->slot_count / copies;
  writer->sources = alch_allocate_zeroed(writer->allocator, width * sizeof *writer->sources);
  writer->width = width;
  if (width == 0) return ALCH_OK;
  writer->values = alch_allocate(writer->allocator, (size_t)width * writer->writing.rows * sizeof *writer->values);
  if (writer->sources == NULL || writer->values == NULL) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < compiled->slot_count; i++) {
    const alch_slot *slot = &compiled->slots[i];
    if (slot->kind == ALCH_SLOT_OUT) {
      writer->sources[i % width] = (alch_source){ .slot = UINT32_MAX };
      continue;
    }
    uint32_t row = i / width, first = row * writer->listed_count;
    bool known = slot->kind == ALCH_SLOT_VALUE && slot->ordinal >= first && slot->ordinal < first + writer->listed_count + writer->shared;
    if (!known || (row > 0 && writer->listed[slot->ordinal - first].column != writer->sources[i % width].column)) return no_value(writer, slot, error);
    if (row == 0) writer->sources[i] = writer->listed[slot->ordinal];
  }
  for (uint32_t i = 0; i < width; i++)
    if (writer->sources[i].shared != (i >= width - writer->shared)) return no_value(writer, &compiled->slots[i], error);
  return ALCH_OK;
}

alch_status alch_writer_prepare(alch_writer *writer, alch_session *session, const alch_writing *wanted, alch_error *error) {
  if (is_ready(writer, wanted)) {
    writer->writing.span = wanted->span;
    return ALCH_OK;
  }
  alch_writer_close(writer);
  alch_status status = set_up(writer, session, wanted, error);
  if (status == ALCH_OK) status = alch_writer_compile(writer, session, error);
  if (status == ALCH_OK) status = place_sources(writer, error);
  if (status != ALCH_OK) alch_writer_close(writer);
  return status;
}

/* ---- values ---- */

static alch_value source_value(const alch_source *source, const alch_object *object, const alch_object *child) {
  if (source->slot == UINT32_MAX) return ALCH_VALUE_NULL;
  const alch_object *from = source->child ? child : object;
  if (source->key && (alch_object_kinds(from)[source->slot] & ALCH_SLOT_OLD)) {
    const alch_old_value *old = alch_session_old_value(from->session, from, source->slot);
    if (old != NULL) return alch_object_old_cell_value(from, old);
  }
  return alch_object_cell_value(from, source->slot);
}

/* Texts that a conversion makes move while more are made: until the end of the binding a value has its place among them in `integer`. */
static alch_status convert(alch_writer *writer, const alch_source *source, alch_value *value, alch_error *error) {
  alch_status status = alch_dialect_store(writer->compiled->dialect, source->type, !source->key, value, &writer->scratch, error);
  if (status != ALCH_OK || !alch_value_has_text(value->kind)) return status;
  size_t place = writer->texts.length;
  alch_buffer_add_bytes(&writer->texts, value->text, value->length);
  if (alch_buffer_failed(&writer->texts)) return alch_error_out_of_memory(error);
  value->integer = (int64_t)place;
  return ALCH_OK;
}

alch_status alch_writer_bind(alch_writer *writer, uint32_t row, const alch_object *object, const alch_object *child, alch_error *error) {
  alch_value *values = writer->values + (size_t)row * writer->width;
  if (row == 0) alch_buffer_clear(&writer->texts);
  for (uint32_t i = 0; i < writer->width - writer->shared; i++) {
    const alch_source *source = &writer->sources[i];
    values[i] = source_value(source, object, child);
    if (ALCH_LIKELY(!source->converts) || values[i].kind == ALCH_NULL) continue;
    alch_status status = convert(writer, source, &values[i], error);
    if (status != ALCH_OK) return status;
  }
  return ALCH_OK;
}

/* The bounds of the keys, for all rows. */
static void bind_span(alch_writer *writer, uint32_t rows) {
  alch_value *value = writer->values + writer->width - BOUNDS;
  for (uint32_t row = 0; row < rows; row++, value += writer->width) {
    value[0] = alch_value_integer(writer->writing.span.low);
    value[1] = alch_value_integer(writer->writing.span.high);
  }
}

void alch_writer_end_bind(alch_writer *writer, uint32_t rows) {
  const char *texts = alch_buffer_text(&writer->texts);
  if (writer->shared > 0) bind_span(writer, rows);
  for (uint32_t i = 0; i < writer->width - writer->shared; i++) {
    if (!writer->sources[i].converts) continue;
    alch_value *value = writer->values + i;
    for (uint32_t row = 0; row < rows; row++, value += writer->width)
      if (alch_value_has_text(value->kind)) value->text = texts + value->integer;
  }
}
