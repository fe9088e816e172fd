#include "sql/block.h"
#include <string.h>

/* More than any statement of a gigabyte's text needs; sizes inside a block have 32 bits. */
#define BLOCK_LIMIT (UINT32_C(1) << 30)

static size_t padded(size_t length) { return (length + 7) & ~(size_t)7; }

void alch_builder_init(alch_builder *builder, const alch_allocator *allocator) {
  memset(builder, 0, sizeof *builder);
  builder->allocator = allocator;
  alch_buffer_init(&builder->definitions, allocator);
  alch_buffer_init(&builder->tree, allocator);
  alch_buffer_init(&builder->definition_values, allocator);
  alch_buffer_init(&builder->values, allocator);
}

void alch_builder_destroy(alch_builder *builder) {
  alch_buffer_close(&builder->definitions);
  alch_buffer_close(&builder->tree);
  alch_buffer_close(&builder->definition_values);
  alch_buffer_close(&builder->values);
}

static void forget(alch_buffer *buffer) {
  buffer->length = 0;
  buffer->failed = false;
}

void alch_builder_start(alch_builder *builder) {
  forget(&builder->definitions);
  forget(&builder->tree);
  forget(&builder->definition_values);
  forget(&builder->values);
  builder->depth = 0;
  builder->flags = 0;
  builder->failed = false;
}

/* Room at the end of a buffer, counted as used; NULL when there is no memory. Blocks need no zero behind them. */
static char *append(alch_buffer *buffer, size_t size) {
  bool full = buffer->failed || buffer->capacity - buffer->length <= size;
  char *room = ALCH_UNLIKELY(full) ? alch_buffer_reserve(buffer, size) : buffer->text + buffer->length;
  if (ALCH_LIKELY(room != NULL)) buffer->length += size;
  return room;
}

static void append_bytes(alch_buffer *buffer, const void *bytes, size_t size) {
  char *room = size > 0 ? append(buffer, size) : NULL;
  if (room) memcpy(room, bytes, size);
}

static void append_text(char *room, const char *text, size_t length) {
  size_t whole = padded(length);
  memset(room + whole - 8, 0, 8);
  memcpy(room, text, length);
}

/* ---- nodes ---- */

static void put_node(alch_builder *builder, uint8_t kind, uint8_t op, uint32_t a, uint32_t b, const char *text, size_t length) {
  size_t size = sizeof(alch_node) + padded(length);
  char *room = length < BLOCK_LIMIT ? append(&builder->tree, size) : NULL;
  if (!room) {
    builder->failed = true;
    return;
  }
  alch_node node = { .kind = kind, .op = op, .size = (uint32_t)size, .a = a, .b = b, .length = (uint32_t)length };
  memcpy(room, &node, sizeof node);
  if (length > 0) append_text(room + sizeof node, text, length);
  if ((a & ALCH_ANONYMOUS) && alch_node_is_anonymous(&node)) builder->flags |= ALCH_BLOCK_ANONYMOUS;
}

void alch_builder_open_text(alch_builder *builder, uint8_t kind, uint8_t op, uint32_t a, uint32_t b, const char *text, size_t length) {
  if (builder->depth == ALCH_COUNT(builder->open)) {
    builder->failed = true;
    return;
  }
  builder->open[builder->depth++] = (uint32_t)builder->tree.length;
  put_node(builder, kind, op, a, b, text, length);
}

void alch_builder_open(alch_builder *builder, uint8_t kind, uint8_t op, uint32_t a, uint32_t b) {
  alch_builder_open_text(builder, kind, op, a, b, NULL, 0);
}

void alch_builder_close(alch_builder *builder) {
  if (builder->failed || builder->depth == 0) {
    builder->failed = true;
    return;
  }
  uint32_t offset = builder->open[--builder->depth], size = (uint32_t)(builder->tree.length - offset);
  memcpy(builder->tree.text + offset + offsetof(alch_node, size), &size, sizeof size);
}

void alch_builder_leaf(alch_builder *builder, uint8_t kind, uint8_t op, uint32_t a, uint32_t b) { put_node(builder, kind, op, a, b, NULL, 0); }

void alch_builder_leaf_text(alch_builder *builder, uint8_t kind, uint8_t op, uint32_t a, uint32_t b, const char *text, size_t length) {
  put_node(builder, kind, op, a, b, text, length);
}

/* ---- values ---- */

static void put_record(alch_builder *builder, uint32_t kind, uint32_t length, int64_t integer) {
  uint32_t head[2] = { kind, length };
  char *room = append(&builder->values, sizeof head + sizeof integer);
  if (!room) return;
  memcpy(room, head, sizeof head);
  memcpy(room + sizeof head, &integer, sizeof integer);
}

static void put_value(alch_builder *builder, const alch_value *value) {
  if (value->kind == ALCH_HOST) builder->flags |= ALCH_BLOCK_HOST_VALUES;
  if (!alch_value_has_text(value->kind)) {
    put_record(builder, value->kind, 0, value->integer);
    return;
  }
  uint32_t head[2] = { value->kind, value->length };
  append_bytes(&builder->values, head, sizeof head);
  char *room = value->length > 0 ? append(&builder->values, padded(value->length)) : NULL;
  if (room) append_text(room, value->text, value->length);
}

static void put_bind(alch_builder *builder, alch_type_id type, uint8_t bits, const char *name) {
  put_node(builder, ALCH_NODE_BIND, bits, type, 0, name, name ? strlen(name) : 0);
}

size_t alch_builder_list_open(alch_builder *builder, alch_type_id type, uint8_t bits, const char *name) {
  put_bind(builder, type, bits | ALCH_BIND_EXPANDING, name);
  size_t start = builder->values.length;
  put_record(builder, ALCH_LIST, 0, 0);
  return start;
}

void alch_builder_list_item(alch_builder *builder, const alch_value *item) { put_value(builder, item); }

/* The head of a list learns the size of its items when they are there. */
void alch_builder_list_close(alch_builder *builder, size_t start, int64_t count) {
  if (builder->values.failed) return;
  uint32_t head[2] = { ALCH_LIST, (uint32_t)(builder->values.length - start - sizeof head - sizeof count) };
  memcpy(builder->values.text + start, head, sizeof head);
  memcpy(builder->values.text + start + sizeof head, &count, sizeof count);
}

void alch_builder_bind(alch_builder *builder, alch_type_id type, uint8_t bits, const char *name, const alch_value *value, const alch_value *items) {
  if (value && value->kind == ALCH_LIST) {
    size_t start = alch_builder_list_open(builder, type, bits, name);
    for (int64_t i = 0; i < value->integer; i++) put_value(builder, &items[i]);
    alch_builder_list_close(builder, start, value->integer);
    return;
  }
  put_bind(builder, type, bits, name);
  put_value(builder, value ? value : &ALCH_VALUE_NULL);
}

/* ---- definitions: kept in the order of their ids, so that the order of the calls leaves no trace ---- */

static uint32_t count_binds(const alch_node *node, const void *end) {
  uint32_t count = 0;
  for (; (const void *)node < end; node = alch_node_child(node)) count += node->kind == ALCH_NODE_BIND;
  return count;
}

static void skip_records(alch_value_cursor *cursor, uint32_t count) {
  while (count-- > 0) alch_value_cursor_skip(cursor);
}

static const alch_node *definition_at(const alch_builder *builder, size_t offset) { return (const alch_node *)(builder->definitions.text + offset); }

/* Where in `definition_values` the values of the definition at `offset` begin. */
static size_t value_offset(const alch_builder *builder, size_t offset) {
  const alch_buffer *values = &builder->definition_values;
  if (values->length == 0) return 0;
  alch_value_cursor cursor = { values->text, values->text + values->length };
  skip_records(&cursor, count_binds(definition_at(builder, 0), builder->definitions.text + offset));
  return (size_t)(cursor.next - values->text);
}

static void cut(alch_buffer *buffer, size_t offset, size_t size) {
  if (size == 0) return;
  memmove(buffer->text + offset, buffer->text + offset + size, buffer->length - offset - size);
  buffer->length -= size;
}

static void remove_definition(alch_builder *builder, size_t offset) {
  size_t size = definition_at(builder, offset)->size, first = value_offset(builder, offset);
  cut(&builder->definition_values, first, value_offset(builder, offset + size) - first);
  cut(&builder->definitions, offset, size);
}

static void insert_definition(alch_builder *builder, size_t offset, const alch_node *node, const char *values, size_t value_size) {
  if (offset == builder->definitions.length) append_bytes(&builder->definition_values, values, value_size);
  else if (value_size > 0) alch_buffer_insert(&builder->definition_values, value_offset(builder, offset), values, value_size);
  alch_buffer_insert(&builder->definitions, offset, node, node->size);
}

/* Of two definitions with one id the longer wins: a recursive CTE grows from its first member to its union, and nothing else is ever defined anew. */
static void merge_definition(alch_builder *builder, const alch_node *node, const char *values, size_t value_size, bool wins) {
  size_t offset = 0;
  if (builder->definitions.failed || builder->definition_values.failed) return;
  for (; offset < builder->definitions.length; offset += definition_at(builder, offset)->size) {
    const alch_node *other = definition_at(builder, offset);
    if (other->a < node->a) continue;
    if (other->a > node->a) break;
    if (!wins && other->size >= node->size) return;
    remove_definition(builder, offset);
    break;
  }
  insert_definition(builder, offset, node, values, value_size);
}

void alch_builder_definitions(alch_builder *builder, const alch_block *block) {
  builder->flags |= block->flags;
  if (block->definitions == 0) return;
  alch_value_cursor cursor = { alch_block_values(block), alch_block_values(block) + block->definition_values };
  if (builder->definitions.length == 0) {
    append_bytes(&builder->definitions, alch_block_first(block), block->definitions);
    append_bytes(&builder->definition_values, cursor.next, block->definition_values);
    return;
  }
  const alch_node *root = alch_block_root(block);
  for (const alch_node *node = alch_block_first(block); node < root; node = alch_node_next(node)) {
    const char *start = cursor.next;
    if (start < cursor.end) skip_records(&cursor, count_binds(node, alch_node_next(node)));
    merge_definition(builder, node, start, (size_t)(cursor.next - start), false);
  }
}

static char *put_bytes(char *room, const void *bytes, size_t size) {
  memcpy(room, bytes, size);
  return room + size;
}

static void fill_define(alch_buffer *out, const alch_node *head, const alch_define *define, const alch_node *child) {
  char *room = append(out, head->size);
  if (!room) return;
  room = put_bytes(room, head, sizeof *head);
  if (head->length > 0) append_text(room, define->name, head->length);
  room = put_bytes(room + padded(head->length), child, child->size);
  for (size_t i = 0; i < ALCH_COUNT(define->words); i++)
    if (define->words[i]) room = put_bytes(room, alch_block_root(define->words[i]), alch_block_root(define->words[i])->size);
}

void alch_builder_define_as(alch_builder *builder, const alch_define *define) {
  const alch_block *element = define->element;
  alch_node leaf = { .kind = define->table & ALCH_ANONYMOUS ? ALCH_NODE_SOURCE : ALCH_NODE_TABLE, .size = sizeof leaf, .a = define->table };
  const alch_node *child = element ? alch_block_root(element) : &leaf;
  uint32_t length = define->name ? (uint32_t)strlen(define->name) : 0;
  alch_node head = { .kind = ALCH_NODE_DEFINE, .op = (uint8_t)define->kind, .a = define->anonymous, .b = define->bits, .length = length };
  head.size = (uint32_t)(sizeof head + padded(length) + child->size);
  for (size_t i = 0; i < ALCH_COUNT(define->words); i++) head.size += define->words[i] ? alch_block_root(define->words[i])->size : 0;
  alch_buffer scratch;
  alch_buffer_init(&scratch, builder->allocator);
  fill_define(&scratch, &head, define, child);
  alch_value_cursor cursor = { NULL, NULL };
  if (element) {
    alch_builder_definitions(builder, element);
    cursor = alch_reader_at_root(element).values;
  }
  builder->flags |= ALCH_BLOCK_ANONYMOUS;
  if (alch_buffer_failed(&scratch)) builder->definitions.failed = true;
  else merge_definition(builder, (const alch_node *)scratch.text, cursor.next, (size_t)(cursor.end - cursor.next), true);
  alch_buffer_close(&scratch);
}

void alch_builder_define(alch_builder *builder, uint32_t anonymous, alch_definition kind, const char *name, const alch_block *element, uint32_t table) {
  alch_builder_define_as(builder, &(alch_define){ .anonymous = anonymous, .kind = kind, .name = name, .element = element, .table = table });
}

/* ---- copying ---- */

alch_reader alch_reader_at_root(const alch_block *block) {
  const char *values = alch_block_values(block);
  return (alch_reader){ block, alch_block_root(block), { values + block->definition_values, values + block->values } };
}

void alch_reader_enter(alch_reader *reader) {
  if (reader->node->kind == ALCH_NODE_BIND) alch_value_cursor_skip(&reader->values);
  reader->node = alch_node_child(reader->node);
}

static void skip_up_to(alch_reader *reader, const alch_node *sibling) {
  if (reader->values.next < reader->values.end) skip_records(&reader->values, count_binds(reader->node, sibling));
  reader->node = sibling;
}

void alch_reader_skip(alch_reader *reader) { skip_up_to(reader, alch_node_next(reader->node)); }

/* Copies what stands before a sibling, with its values. */
static void copy_up_to(alch_builder *builder, alch_reader *reader, const alch_node *sibling) {
  alch_reader start = *reader;
  skip_up_to(reader, sibling);
  append_bytes(&builder->tree, start.node, (size_t)((const char *)sibling - (const char *)start.node));
  append_bytes(&builder->values, start.values.next, (size_t)(reader->values.next - start.values.next));
  builder->flags |= start.block->flags;
}

void alch_builder_copy(alch_builder *builder, alch_reader *reader) { copy_up_to(builder, reader, alch_node_next(reader->node)); }

void alch_builder_block(alch_builder *builder, const alch_block *block) {
  alch_builder_definitions(builder, block);
  alch_value_cursor values = alch_reader_at_root(block).values;
  append_bytes(&builder->tree, alch_block_root(block), block->structure - block->definitions);
  append_bytes(&builder->values, values.next, (size_t)(values.end - values.next));
}

/* ---- the end ---- */

static bool builder_failed(const alch_builder *builder) {
  return builder->definitions.failed || builder->tree.failed || builder->definition_values.failed || builder->values.failed;
}

#ifdef ALCH_DEBUG
/* On the standard allocator, so that a spec which counts allocations counts the same ones as in a release build. */
static bool builds_valid_block(const alch_builder *builder, size_t size) {
  alch_block *block = alch_allocate(&alch_allocator_standard, size);
  if (!block) return true;
  alch_builder_write(builder, block);
  bool valid = alch_block_valid(block);
  alch_free(&alch_allocator_standard, block, size);
  return valid;
}
#endif

alch_status alch_builder_finish(alch_builder *builder, size_t *size, alch_error *error) {
  if (builder_failed(builder)) return alch_error_out_of_memory(error);
  size_t structure = builder->definitions.length + builder->tree.length, values = builder->definition_values.length + builder->values.length;
  if (builder->depth == ALCH_COUNT(builder->open)) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the statement nests more than %u levels in one step", (unsigned)ALCH_COUNT(builder->open));
  if (structure >= BLOCK_LIMIT || values >= BLOCK_LIMIT) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the statement and its values are larger than a gigabyte");
  if (builder->failed || builder->depth != 0 || builder->tree.length == 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the statement was not built to its end");
  *size = sizeof(alch_block) + structure + values;
#ifdef ALCH_DEBUG
  ALCH_CHECK(builds_valid_block(builder, *size));
#endif
  return ALCH_OK;
}

static char *copy_part(char *out, const alch_buffer *part) {
  if (part->length > 0) memcpy(out, part->text, part->length);
  return out + part->length;
}

void alch_builder_write(const alch_builder *builder, void *out) {
  alch_block head = { .definitions = (uint32_t)builder->definitions.length, .definition_values = (uint32_t)builder->definition_values.length, .flags = builder->flags };
  head.structure = (uint32_t)(builder->definitions.length + builder->tree.length);
  head.values = (uint32_t)(builder->definition_values.length + builder->values.length);
  memcpy(out, &head, sizeof head);
  char *next = copy_part((char *)out + sizeof head, &builder->definitions);
  next = copy_part(next, &builder->tree);
  next = copy_part(next, &builder->definition_values);
  copy_part(next, &builder->values);
}

/* ---- clauses ---- */

/* What the clause holds already is copied, or passed over when it is to be replaced. */
static void take_clause(alch_builder *builder, alch_reader *reader, bool replace) {
  const alch_node *end = alch_node_next(reader->node);
  if (replace) {
    alch_reader_skip(reader);
    return;
  }
  alch_reader_enter(reader);
  copy_up_to(builder, reader, end);
}

alch_reader alch_build_up_to(alch_builder *builder, const alch_block *statement, alch_node_kind clause, bool *there) {
  alch_builder_start(builder);
  alch_builder_definitions(builder, statement);
  alch_reader reader = alch_reader_at_root(statement);
  const alch_node *root = reader.node, *end = alch_node_next(root);
  alch_builder_open_text(builder, root->kind, root->op, root->a, root->b, alch_node_text(root), root->length);
  alch_reader_enter(&reader);
  const alch_node *place = reader.node;
  while (place < end && place->kind < clause) place = alch_node_next(place);
  copy_up_to(builder, &reader, place);
  *there = reader.node < end && reader.node->kind == clause;
  return reader;
}

void alch_build_rest(alch_builder *builder, alch_reader *reader) {
  const alch_node *end = alch_node_next(alch_block_root(reader->block));
  copy_up_to(builder, reader, end);
  alch_builder_close(builder);
}

void alch_build_clause(alch_builder *builder, const alch_block *statement, alch_node_kind clause, uint8_t op, const alch_block *const *additions, uint32_t count, bool replace) {
  bool there;
  alch_reader reader = alch_build_up_to(builder, statement, clause, &there);
  alch_builder_open(builder, clause, op, 0, 0);
  if (there) take_clause(builder, &reader, replace);
  for (uint32_t i = 0; i < count; i++) alch_builder_block(builder, additions[i]);
  alch_builder_close(builder);
  alch_build_rest(builder, &reader);
}
