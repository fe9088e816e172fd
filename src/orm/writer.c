#include "orm/writer.h"

void alch_writer_close(alch_writer *writer) {
  if (writer->allocator == NULL) return;
  alch_compiled_release(writer->compiled);
  for (uint32_t i = 0; writer->texts != NULL && i < writer->count; i++) alch_buffer_close(&writer->texts[i]);
  alch_free(writer->allocator, writer->sources, writer->count * sizeof *writer->sources);
  alch_free(writer->allocator, writer->values, writer->count * sizeof *writer->values);
  alch_free(writer->allocator, writer->texts, writer->count * sizeof *writer->texts);
  alch_free(writer->allocator, writer->mask, writer->mask_count * sizeof *writer->mask);
  *writer = (alch_writer){ 0 };
}

/* ---- statements ---- */

static void bind_column(alch_builder *builder, const alch_column *column) {
  alch_value none = ALCH_VALUE_NULL;
  alch_builder_bind(builder, column->type, 0, NULL, &none, NULL);
}

static void column_leaf(alch_builder *builder, const alch_column *column) { alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, column->table->id, column->index); }

static void column_equals(alch_builder *builder, const alch_column *column) {
  alch_builder_open(builder, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
  column_leaf(builder, column);
  bind_column(builder, column);
  alch_builder_close(builder);
}

static void where_key(alch_builder *builder, const alch_mapper *mapper) {
  alch_builder_open(builder, ALCH_NODE_WHERE, 0, 0, 0);
  for (uint32_t i = 0; i < mapper->key_count; i++) column_equals(builder, mapper->attributes[mapper->key_slots[i]].column);
  alch_builder_close(builder);
}

static void build_row(alch_builder *builder, const alch_writer *writer) {
  const alch_mapper *mapper = writer->mapper;
  alch_builder_open(builder, ALCH_NODE_ROW, 0, 0, 0);
  for (uint32_t i = 0; i < mapper->attribute_count; i++)
    if (writer->mask[i]) bind_column(builder, mapper->attributes[i].column);
  alch_builder_close(builder);
}

static void build_insert(alch_builder *builder, const alch_writer *writer) {
  const alch_mapper *mapper = writer->mapper;
  bool any = false;
  for (uint32_t i = 0; i < mapper->attribute_count; i++) any |= writer->mask[i];
  alch_builder_open(builder, ALCH_NODE_INSERT, 0, mapper->table->id, 0);
  if (any) {
    alch_builder_open(builder, ALCH_NODE_INTO, 0, 0, 0);
    for (uint32_t i = 0; i < mapper->attribute_count; i++)
      if (writer->mask[i]) column_leaf(builder, mapper->attributes[i].column);
    alch_builder_close(builder);
    alch_builder_open(builder, ALCH_NODE_ROWS, 0, 0, 0);
    for (uint32_t row = 0; row < writer->rows; row++) build_row(builder, writer);
    alch_builder_close(builder);
  }
  if (writer->fetches_key) {
    alch_builder_open(builder, ALCH_NODE_RETURNING, 0, 0, 0);
    for (uint32_t i = 0; i < mapper->key_count; i++) column_leaf(builder, mapper->attributes[mapper->key_slots[i]].column);
    alch_builder_close(builder);
  }
  alch_builder_close(builder);
}

static void build_update(alch_builder *builder, const alch_writer *writer) {
  const alch_mapper *mapper = writer->mapper;
  alch_builder_open(builder, ALCH_NODE_UPDATE, 0, mapper->table->id, 0);
  alch_builder_open(builder, ALCH_NODE_SET, 0, 0, 0);
  for (uint32_t i = 0; i < mapper->attribute_count; i++) {
    if (!writer->mask[i]) continue;
    alch_builder_open(builder, ALCH_NODE_ASSIGN, 0, mapper->table->id, mapper->attributes[i].column->index);
    bind_column(builder, mapper->attributes[i].column);
    alch_builder_close(builder);
  }
  alch_builder_close(builder);
  where_key(builder, mapper);
  alch_builder_close(builder);
}

static void build_delete(alch_builder *builder, const alch_writer *writer) {
  alch_builder_open(builder, ALCH_NODE_DELETE, 0, writer->mapper->table->id, 0);
  where_key(builder, writer->mapper);
  alch_builder_close(builder);
}

static void build_link(alch_builder *builder, const alch_writer *writer) {
  const alch_relationship *relationship = writer->relationship;
  alch_builder_open(builder, ALCH_NODE_INSERT, 0, relationship->secondary->id, 0);
  alch_builder_open(builder, ALCH_NODE_INTO, 0, 0, 0);
  for (uint32_t i = 0; i < relationship->pair_count; i++) column_leaf(builder, relationship->pairs[i].link);
  for (uint32_t i = 0; i < relationship->remote_pair_count; i++) column_leaf(builder, relationship->remote_pairs[i].link);
  alch_builder_close(builder);
  alch_builder_open(builder, ALCH_NODE_ROWS, 0, 0, 0);
  alch_builder_open(builder, ALCH_NODE_ROW, 0, 0, 0);
  for (uint32_t i = 0; i < relationship->pair_count; i++) bind_column(builder, relationship->pairs[i].link);
  for (uint32_t i = 0; i < relationship->remote_pair_count; i++) bind_column(builder, relationship->remote_pairs[i].link);
  alch_builder_close(builder);
  alch_builder_close(builder);
  alch_builder_close(builder);
}

static void build_unlink(alch_builder *builder, const alch_writer *writer) {
  const alch_relationship *relationship = writer->relationship;
  alch_builder_open(builder, ALCH_NODE_DELETE, 0, relationship->secondary->id, 0);
  alch_builder_open(builder, ALCH_NODE_WHERE, 0, 0, 0);
  for (uint32_t i = 0; i < relationship->pair_count; i++) column_equals(builder, relationship->pairs[i].link);
  for (uint32_t i = 0; !writer->whole && i < relationship->remote_pair_count; i++) column_equals(builder, relationship->remote_pairs[i].link);
  alch_builder_close(builder);
  alch_builder_close(builder);
}

/* ---- sources, in the order of the records that the statement was built with ---- */

static uint32_t source_limit(const alch_writer *writer) {
  if (writer->relationship != NULL) return writer->relationship->pair_count + writer->relationship->remote_pair_count;
  return writer->mapper->attribute_count + writer->mapper->key_count;
}

static uint32_t list_sources(const alch_writer *writer, alch_source *out) {
  uint32_t count = 0;
  const alch_mapper *mapper = writer->mapper;
  if (writer->relationship != NULL) {
    for (uint32_t i = 0; i < writer->relationship->pair_count; i++) out[count++] = (alch_source){ .slot = writer->relationship->pairs[i].local };
    for (uint32_t i = 0; !writer->whole && i < writer->relationship->remote_pair_count; i++) out[count++] = (alch_source){ .slot = writer->relationship->remote_pairs[i].remote, .child = true };
    return count;
  }
  for (uint32_t i = 0; writer->mask != NULL && i < mapper->attribute_count; i++)
    if (writer->mask[i]) out[count++] = (alch_source){ .slot = i };
  for (uint32_t i = 0; writer->kind != ALCH_STEP_INSERT && i < mapper->key_count; i++) out[count++] = (alch_source){ .slot = mapper->key_slots[i], .key = true };
  return count;
}

static alch_status compile(alch_writer *writer, alch_session *session, alch_error *error) {
  static void (*const builds[])(alch_builder *, const alch_writer *) = {
    [ALCH_STEP_UPDATE] = build_update, [ALCH_STEP_INSERT] = build_insert, [ALCH_STEP_UNLINK] = build_unlink, [ALCH_STEP_LINK] = build_link, [ALCH_STEP_DELETE] = build_delete,
  };
  alch_builder builder;
  alch_builder_init(&builder, writer->allocator);
  alch_builder_start(&builder);
  builds[writer->kind](&builder, writer);
  size_t size = 0;
  alch_status status = alch_builder_finish(&builder, &size, error);
  alch_block *block = status == ALCH_OK ? alch_allocate(writer->allocator, size) : NULL;
  if (status == ALCH_OK && block == NULL) status = alch_error_out_of_memory(error);
  if (block != NULL) {
    alch_builder_write(&builder, block);
    status = alch_engine_compile(session->engine, session->catalog, block, NULL, NULL, NULL, &writer->compiled, error);
    alch_free(writer->allocator, block, size);
  }
  alch_builder_destroy(&builder);
  return status;
}

static alch_status place_sources(alch_writer *writer, alch_error *error) {
  uint32_t limit = source_limit(writer), count = writer->compiled->slot_count;
  alch_source *listed = alch_allocate_zeroed(writer->allocator, (limit + 1) * sizeof *listed);
  writer->sources = alch_allocate_zeroed(writer->allocator, count * sizeof *writer->sources);
  writer->values = alch_allocate_zeroed(writer->allocator, count * sizeof *writer->values);
  writer->texts = alch_allocate_zeroed(writer->allocator, count * sizeof *writer->texts);
  writer->count = count;
  alch_status status = ALCH_OK;
  if (listed == NULL || (count > 0 && (writer->sources == NULL || writer->values == NULL || writer->texts == NULL))) status = alch_error_out_of_memory(error);
  uint32_t listed_count = status == ALCH_OK ? list_sources(writer, listed) : 0;
  for (uint32_t i = 0; i < count && status == ALCH_OK; i++) {
    const alch_slot *slot = &writer->compiled->slots[i];
    alch_buffer_init(&writer->texts[i], writer->allocator);
    if (slot->kind == ALCH_SLOT_VALUE && slot->ordinal < listed_count * writer->rows) writer->sources[i] = listed[slot->ordinal % listed_count];
    else if (slot->kind == ALCH_SLOT_OUT) writer->sources[i] = (alch_source){ .slot = UINT32_MAX };
    else status = alch_error_set(error, ALCH_ERROR_FLUSH, "the flush has no value for column '%s' of table '%s'", slot->column != NULL ? slot->column->name : "?", writer->mapper->table->name);
  }
  alch_free(writer->allocator, listed, (limit + 1) * sizeof *listed);
  return status;
}

static bool is_ready(const alch_writer *writer, const alch_writing *wanted) {
  if (writer->compiled == NULL || writer->kind != wanted->kind || writer->mapper != wanted->mapper || writer->relationship != wanted->relationship || writer->whole != wanted->whole) return false;
  return writer->rows == wanted->rows && (wanted->mask == NULL || memcmp(wanted->mask, writer->mask, writer->mask_count * sizeof *wanted->mask) == 0);
}

/* The key must come back from the database when no value is given for it and the driver cannot tell it. */
static bool must_fetch_key(const alch_session *session, const alch_mapper *mapper, const bool *mask) {
  for (uint32_t i = 0; i < mapper->key_count; i++) {
    uint32_t slot = mapper->key_slots[i];
    if (!mask[slot] && !(slot == mapper->generated_slot && alch_dialect_can(alch_engine_dialect(session->engine), ALCH_CAPABILITY_LAST_INSERT_ID))) return true;
  }
  return false;
}

static alch_status set_up(alch_writer *writer, alch_session *session, const alch_writing *wanted, alch_error *error) {
  const alch_mapper *mapper = wanted->mapper;
  *writer = (alch_writer){ .allocator = session->allocator, .kind = wanted->kind, .whole = wanted->whole, .rows = wanted->rows, .mapper = mapper, .relationship = wanted->relationship };
  if (wanted->mask == NULL) return ALCH_OK;
  writer->mask = alch_allocate(writer->allocator, mapper->attribute_count * sizeof *writer->mask);
  if (writer->mask == NULL) return alch_error_out_of_memory(error);
  writer->mask_count = mapper->attribute_count;
  memcpy(writer->mask, wanted->mask, writer->mask_count * sizeof *writer->mask);
  writer->fetches_key = wanted->kind == ALCH_STEP_INSERT && must_fetch_key(session, mapper, wanted->mask);
  return ALCH_OK;
}

alch_status alch_writer_prepare(alch_writer *writer, alch_session *session, const alch_writing *wanted, alch_error *error) {
  if (is_ready(writer, wanted)) return ALCH_OK;
  alch_writer_close(writer);
  alch_status status = set_up(writer, session, wanted, error);
  if (status == ALCH_OK) status = compile(writer, session, error);
  if (status == ALCH_OK) status = place_sources(writer, error);
  if (status != ALCH_OK) alch_writer_close(writer);
  return status;
}

static alch_value source_value(const alch_source *source, const alch_object *object, const alch_object *child) {
  if (source->slot == UINT32_MAX) return ALCH_VALUE_NULL;
  const alch_object *from = source->child ? child : object;
  if (source->key && (alch_object_kinds(from)[source->slot] & ALCH_SLOT_OLD)) {
    const alch_old_value *old = alch_session_old_value(from->session, from, source->slot);
    if (old != NULL) return alch_object_old_cell_value(from, old);
  }
  return alch_object_cell_value(from, source->slot);
}

alch_status alch_writer_bind(alch_writer *writer, uint32_t row, const alch_object *object, const alch_object *child, alch_error *error) {
  const alch_compiled *compiled = writer->compiled;
  uint32_t width = writer->count / writer->rows;
  for (uint32_t i = row * width; i < (row + 1) * width; i++) {
    writer->values[i] = source_value(&writer->sources[i], object, child);
    if (!compiled->slots[i].converts || writer->values[i].kind == ALCH_NULL) continue;
    alch_buffer_clear(&writer->texts[i]);
    alch_status status = compiled->dialect->to_database(compiled->slots[i].type, &writer->values[i], &writer->texts[i], error);
    if (status != ALCH_OK) return status;
  }
  return ALCH_OK;
}
