/* A spec is one program made of one file: it includes this one. */
#include "plain_host.h"
#include <stdlib.h>
#include <string.h>

/* No spec goes on without memory. */
static void *plain_must(void *memory) {
  if (!memory) abort();
  return memory;
}

static void *plain_keep_block(plain_host *plain, size_t size) {
  void **grown = alch_grow(&alch_allocator_standard, plain->blocks, &plain->block_capacity, plain->block_count + 1, sizeof *grown);
  plain->blocks = plain_must(grown);
  return plain->blocks[plain->block_count++] = plain_must(calloc(1, size ? size : 1));
}

/* ---- identity map ---- */

static void plain_add_bytes(alch_buffer *out, const alch_value *part) {
  alch_buffer_add_char(out, (char)part->kind);
  if (alch_value_has_text(part->kind)) {
    alch_buffer_add_bytes(out, &part->length, sizeof part->length);
    alch_buffer_add_bytes(out, part->text, part->length);
  } else {
    alch_buffer_add_bytes(out, &part->integer, sizeof part->integer);
  }
}

static void plain_pack(alch_buffer *out, const alch_session *session, const alch_mapper *mapper, const alch_value *key) {
  alch_buffer_init(out, &alch_allocator_standard);
  alch_buffer_add_bytes(out, &session, sizeof session);
  alch_buffer_add_bytes(out, &mapper, sizeof mapper);
  for (uint32_t i = 0; i < mapper->key_count; i++) plain_add_bytes(out, &key[i]);
  if (alch_buffer_failed(out)) abort();
}

static alch_object *plain_identity_find(alch_host *host, alch_session *session, const alch_mapper *mapper, const alch_value *key) {
  plain_host *plain = (plain_host *)host;
  alch_buffer packed;
  plain_pack(&packed, session, mapper, key);
  alch_object *object = alch_map_get(&plain->identities, packed.text, packed.length);
  alch_buffer_close(&packed);
  plain->found += object != NULL;
  return object;
}

static void plain_identity_add(alch_host *host, alch_session *session, alch_object *object, const alch_value *key) {
  plain_host *plain = (plain_host *)host;
  alch_buffer packed;
  plain_pack(&packed, session, object->mapper, key);
  if (!alch_map_put(&plain->identities, packed.text, packed.length, object)) abort();
  alch_buffer_close(&packed);
}

static void plain_identity_remove(alch_host *host, alch_session *session, const alch_mapper *mapper, const alch_value *key) {
  plain_host *plain = (plain_host *)host;
  alch_buffer packed;
  plain_pack(&packed, session, mapper, key);
  alch_map_remove(&plain->identities, packed.text, packed.length);
  alch_buffer_close(&packed);
}

static bool plain_key_session(const char *key, const alch_session *session) { return memcmp(key, &session, sizeof session) == 0; }

static void plain_remove_where(plain_host *plain, const alch_session *session, bool only_loose) {
  uint32_t position = 0;
  const char *key;
  size_t length;
  void *value;
  while (alch_map_next(&plain->identities, &position, &key, &length, &value)) {
    const alch_object *object = value;
    if ((session && !plain_key_session(key, session)) || (only_loose && object->anchor != 0)) continue;
    alch_map_remove(&plain->identities, key, length);
  }
}

static void plain_identity_clear(alch_host *host, alch_session *session) { plain_remove_where((plain_host *)host, session, false); }

static void plain_identity_each(alch_host *host, alch_session *session, const alch_mapper *mapper, alch_object *from, bool (*visit)(void *context, alch_object *object), void *context) {
  plain_host *plain = (plain_host *)host;
  bool begun = from == NULL;
  for (int round = 0; round < 2; round++) {
    uint32_t position = 0;
    const char *key;
    void *value;
    while (alch_map_next(&plain->identities, &position, &key, NULL, &value)) {
      alch_object *object = value;
      if (round == 0 && object == from) begun = true;
      if (round == 1 && object == from) return;
      if (!begun || !plain_key_session(key, session) || (mapper && object->mapper != mapper)) continue;
      if (!visit(context, object)) return;
    }
    if (!from) return;
    begun = true;
  }
}

/* ---- objects ---- */

static alch_object *plain_object_new(alch_host *host, alch_session *session, const alch_mapper *mapper, const alch_value *key, size_t size) {
  plain_host *plain = (plain_host *)host;
  alch_object *object = plain_keep_block(plain, size);
  object->mapper = mapper;
  plain->made++;
  plain_identity_add(host, session, object, key);
  return object;
}

alch_object *plain_object(plain_host *plain, const alch_mapper *mapper) {
  alch_object *object = plain_keep_block(plain, alch_object_fixed_size(mapper));
  object->mapper = mapper;
  memset(alch_object_kinds(object), ALCH_SLOT_UNLOADED, mapper->slot_count);
  return object;
}

static void plain_end_row(plain_host *plain) {
  plain_row *grown = alch_grow(&alch_allocator_standard, plain->rows, &plain->row_capacity, plain->row_count + 1, sizeof *grown);
  plain->rows = plain_must(grown);
  plain->rows[plain->row_count++] = plain->row;
  plain->row = (plain_row){ .count = 0 };
}

static void plain_emit(alch_host *host, alch_object *object, uint32_t place) {
  plain_host *plain = (plain_host *)host;
  plain->row.objects[place] = object;
  plain->row.count++;
  if (!plain->whole_rows) plain_end_row(plain);
}

static void plain_emit_value(alch_host *host, const alch_value *value, const alch_type *type, uint32_t place) {
  plain_host *plain = (plain_host *)host;
  (void)type;
  alch_value copy = *value;
  if (alch_value_has_text(copy.kind)) {
    char *text = plain_keep_block(plain, copy.length + 1u);
    if (copy.length > 0) memcpy(text, copy.text, copy.length);
    copy.text = text;
  }
  plain->row.values[place] = copy;
  plain->row.count++;
}

static void plain_emit_row(alch_host *host) { plain_end_row((plain_host *)host); }

static void plain_keep(alch_host *host, alch_object *object) { (void)host, (void)object; }

static void plain_hold(alch_host *host, alch_session *session, alch_object *object) {
  plain_host *plain = (plain_host *)host;
  (void)session;
  plain->held++;
  object->anchor = ++plain->next_anchor;
}

static void plain_release(alch_host *host, alch_session *session, alch_object *object) {
  (void)session;
  ((plain_host *)host)->held--;
  object->anchor = 0;
}

static void plain_release_all(alch_host *host, alch_session *session) { ((plain_host *)host)->held -= session->held_now; }

static void plain_reach(alch_host *host, alch_object *from, uint32_t slot, uint32_t index) { (void)host, (void)from, (void)slot, (void)index; }

static void plain_relate(alch_host *host, alch_object *object, uint32_t slot, alch_object *target) { (void)host, (void)object, (void)slot, (void)target; }

/* ---- lists ---- */

typedef struct plain_list { alch_collection list; size_t sizes[2]; void *memory[2]; } plain_list;

static alch_collection *plain_collection_new(alch_host *host, alch_object *object, uint32_t slot) {
  (void)object, (void)slot;
  return &((plain_list *)plain_keep_block((plain_host *)host, sizeof(plain_list)))->list;
}

static void *plain_collection_memory(alch_host *host, alch_collection *collection, int which, size_t size) {
  plain_list *list = (plain_list *)collection;
  void *memory = plain_keep_block((plain_host *)host, size);
  size_t kept = list->sizes[which] < size ? list->sizes[which] : size;
  if (kept > 0) memcpy(memory, list->memory[which], kept);
  list->sizes[which] = size;
  return list->memory[which] = memory;
}

static void plain_collection_insert(alch_host *host, alch_collection *collection, uint32_t index, alch_object *object) { (void)host, (void)collection, (void)index, (void)object; }

static void plain_collection_replace(alch_host *host, alch_collection *collection, uint32_t index, alch_object *object) { (void)host, (void)collection, (void)index, (void)object; }

static void plain_collection_remove(alch_host *host, alch_collection *collection, uint32_t index) { (void)host, (void)collection, (void)index; }

static char *plain_text_new(alch_host *host, alch_object *object, uint32_t slot, size_t size) {
  (void)object, (void)slot;
  return plain_keep_block((plain_host *)host, size);
}

/* ---- the user's code ---- */

static alch_status plain_take_answer(plain_host *plain) {
  alch_status answer = plain->answer;
  plain->answer = ALCH_OK;
  return answer;
}

static alch_status plain_default_value(alch_host *host, const alch_column *column, bool update, int64_t reference, alch_value *out, alch_error *error) {
  plain_host *plain = (plain_host *)host;
  (void)column, (void)update, (void)reference, (void)error;
  plain->defaults++;
  *out = plain->default_answer;
  return plain_take_answer(plain);
}

static alch_status plain_object_event(alch_host *host, alch_object_event event, alch_object *object) {
  plain_host *plain = (plain_host *)host;
  plain->events[event]++;
  alch_status status = plain_take_answer(plain);
  return status == ALCH_OK && plain->on_object_event ? plain->on_object_event(plain, event, object) : status;
}

static alch_status plain_session_event(alch_host *host, alch_session_event event, alch_session *session) {
  plain_host *plain = (plain_host *)host;
  plain->session_events[event]++;
  alch_status status = plain_take_answer(plain);
  return status == ALCH_OK && plain->on_session_event ? plain->on_session_event(plain, event, session) : status;
}

static alch_status plain_attribute_event(alch_host *host, alch_object *object, uint32_t slot, alch_value *value) {
  plain_host *plain = (plain_host *)host;
  (void)object, (void)slot, (void)value;
  plain->attribute_events++;
  return plain_take_answer(plain);
}

static alch_status plain_related_event(alch_host *host, alch_object *object, uint32_t slot, alch_object *target, bool added) {
  plain_host *plain = (plain_host *)host;
  (void)object, (void)slot, (void)target, (void)added;
  plain->related_events++;
  return plain_take_answer(plain);
}

/* ---- opening and closing ---- */

void plain_host_open(plain_host *plain) {
  memset(plain, 0, sizeof *plain);
  alch_map_init(&plain->identities, &alch_allocator_standard);
  plain->host = (alch_host){
    .object_new = plain_object_new, .identity_find = plain_identity_find, .identity_add = plain_identity_add, .identity_remove = plain_identity_remove, .identity_clear = plain_identity_clear,
    .identity_each = plain_identity_each, .emit = plain_emit, .emit_value = plain_emit_value, .emit_row = plain_emit_row, .keep = plain_keep, .hold = plain_hold, .release = plain_release, .release_all = plain_release_all, .reach = plain_reach, .relate = plain_relate,
    .collection_new = plain_collection_new, .collection_memory = plain_collection_memory, .collection_insert = plain_collection_insert, .collection_replace = plain_collection_replace,
    .collection_remove = plain_collection_remove, .text_new = plain_text_new, .default_value = plain_default_value, .object_event = plain_object_event, .session_event = plain_session_event,
    .attribute_event = plain_attribute_event, .related_event = plain_related_event,
  };
}

void plain_host_close(plain_host *plain) {
  for (uint32_t i = 0; i < plain->block_count; i++) free(plain->blocks[i]);
  alch_free(&alch_allocator_standard, plain->blocks, plain->block_capacity * sizeof *plain->blocks);
  alch_free(&alch_allocator_standard, plain->rows, plain->row_capacity * sizeof *plain->rows);
  alch_map_close(&plain->identities);
}

void plain_host_clear(plain_host *plain) {
  plain->row_count = 0;
  plain->row = (plain_row){ .count = 0 };
}

uint32_t plain_identity_count(const plain_host *plain) { return alch_map_count(&plain->identities); }

void plain_host_collect(plain_host *plain) { plain_remove_where(plain, NULL, true); }
