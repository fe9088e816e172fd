#include "schema/catalog.h"
#include "base/buffer.h"
#include "schema/record.h"
#include <stdatomic.h>
#include <string.h>

static const alch_type plain_types[ALCH_TYPE_FAMILY_COUNT] = {
#define ALCH_TYPE(symbol, name, value, comparison) [ALCH_TYPE_##symbol] = { .family = ALCH_TYPE_##symbol, .precision = -1, .scale = -1, .native = true },
#include "schema/type.def"
#undef ALCH_TYPE
};

static uint64_t next_serial(void) {
  static _Atomic uint64_t catalog_serial;
  return atomic_fetch_add_explicit(&catalog_serial, 1, memory_order_relaxed) + 1;
}

static bool open_types(alch_catalog *catalog) {
  catalog->types = alch_grow(catalog->allocator, NULL, &catalog->type_capacity, ALCH_TYPE_FAMILY_COUNT, sizeof *catalog->types);
  if (!catalog->types) return false;
  for (; catalog->type_count < ALCH_TYPE_FAMILY_COUNT; catalog->type_count++) catalog->types[catalog->type_count] = &plain_types[catalog->type_count];
  return true;
}

static bool open_tables(alch_catalog *catalog) {
  catalog->tables = alch_grow(catalog->allocator, NULL, &catalog->table_capacity, 1, sizeof *catalog->tables);
  if (!catalog->tables) return false;
  catalog->tables[catalog->table_count++] = NULL;
  return true;
}

alch_catalog *alch_catalog_open(const alch_allocator *allocator) {
  alch_catalog *catalog = alch_allocate_zeroed(allocator, sizeof *catalog);
  if (!catalog) return NULL;
  catalog->allocator = allocator;
  catalog->serial = next_serial();
  alch_arena_init(&catalog->arena, allocator);
  alch_map_init(&catalog->type_ids, allocator);
  if (open_types(catalog) && open_tables(catalog)) return catalog;
  alch_catalog_close(catalog);
  return NULL;
}

static void close_table(const alch_catalog *catalog, alch_table *table) {
  alch_free(catalog->allocator, table->columns, table->column_capacity * sizeof *table->columns);
  alch_map_close(&table->column_map);
}

void alch_catalog_close(alch_catalog *catalog) {
  if (!catalog) return;
  for (uint32_t id = 1; id < catalog->table_count; id++) close_table(catalog, catalog->tables[id]);
  for (alch_metadata *metadata = catalog->metadata; metadata; metadata = metadata->next) {
    alch_map_close(&metadata->tables);
    alch_map_close(&metadata->naming);
  }
  alch_free(catalog->allocator, catalog->tables, catalog->table_capacity * sizeof *catalog->tables);
  alch_free(catalog->allocator, catalog->sequences, catalog->sequence_capacity * sizeof *catalog->sequences);
  alch_free(catalog->allocator, catalog->types, catalog->type_capacity * sizeof *catalog->types);
  alch_map_close(&catalog->type_ids);
  alch_arena_clear(&catalog->arena);
  alch_free(catalog->allocator, catalog, sizeof *catalog);
}

void alch_catalog_renew(alch_catalog *catalog) { catalog->serial = next_serial(); }

const alch_type *alch_catalog_type(const alch_catalog *catalog, alch_type_id id) {
  ALCH_CHECK(id < catalog->type_count);
  return catalog->types[id];
}

static alch_status check_type(const alch_type *type, alch_error *error) {
  if (type->family >= ALCH_TYPE_FAMILY_COUNT) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "there is no type family %d", type->family);
  if (type->exact && type->exact->family != type->family && type->exact->family != ALCH_TYPE_NULL) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s is no %s", type->exact->name, alch_type_family_name(type->family));
  if (type->length < 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s: the length must be positive, not %d", alch_type_family_name(type->family), (int)type->length);
  if (type->precision > 0 && type->scale > type->precision && type->family != ALCH_TYPE_INTERVAL)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s: the scale (%d) must not be larger than the precision (%d)", alch_type_family_name(type->family), (int)type->scale,
                          (int)type->precision);
  for (uint32_t i = 0; i < type->item_count; i++)
    for (uint32_t j = 0; j < i; j++)
      if (strcmp(type->items[i], type->items[j]) == 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Enum: the word '%s' stands there twice", type->items[i]);
  return ALCH_OK;
}

static bool copy_variants(alch_catalog *catalog, alch_type *type) {
  if (type->variant_count == 0) return true;
  alch_type_variant *variants = alch_arena_copy(&catalog->arena, type->variants, type->variant_count * sizeof *variants);
  if (!variants) return false;
  for (uint32_t i = 0; i < type->variant_count; i++)
    if (!alch_record_text(catalog, &variants[i].dialect)) return false;
  type->variants = variants;
  return true;
}

static bool copy_texts(alch_catalog *catalog, alch_type *type) {
  const char **const texts[] = { &type->collation, &type->name, &type->schema, &type->detail, &type->word };
  for (size_t i = 0; i < ALCH_COUNT(texts); i++) {
    bool constant = texts[i] == &type->word && type->exact && type->word == type->exact->word;
    if (!constant && !alch_record_text(catalog, texts[i])) return false;
  }
  return true;
}

static bool add_type(alch_catalog *catalog, const alch_type *type, const alch_buffer *printed) {
  alch_type *copy = alch_arena_copy(&catalog->arena, type, sizeof *type);
  if (!copy || !alch_record_texts(catalog, &copy->items, copy->item_count) || !copy_variants(catalog, copy) || !copy_texts(catalog, copy)) return false;
  const alch_type **types = alch_grow(catalog->allocator, catalog->types, &catalog->type_capacity, catalog->type_count + 1, sizeof *types);
  if (!types) return false;
  catalog->types = types;
  if (!alch_map_put(&catalog->type_ids, printed->text, printed->length, (void *)(uintptr_t)(catalog->type_count + 1))) return false;
  catalog->types[catalog->type_count++] = copy;
  return true;
}

static bool is_plain(const alch_type *type) {
  return type->length == 0 && type->precision < 0 && type->scale < 0 && type->item_count == 0 && type->host == 0 && type->native && !type->timezone && !type->as_number &&
         !type->create_constraint && !type->collation && !type->name && !type->schema && !type->inherit_schema && !type->null_as_json && type->dimensions == 0 && type->variant_count == 0 &&
         !type->exact && !type->word && !type->item && !type->bind_expression && !type->column_expression;
}

/* What its print does not tell: identities of what it points to, which the catalog has interned or kept. */
static void add_identity(const alch_type *type, alch_buffer *key) {
  const void *const parts[] = { type->exact, type->item, type->bind_expression, type->column_expression };
  bool plain = type->variant_count == 0 && !type->word;
  for (size_t i = 0; i < ALCH_COUNT(parts); i++) plain = plain && !parts[i];
  if (plain) return;
  alch_buffer_add_char(key, '\0');
  alch_buffer_add_bytes(key, (const char *)parts, sizeof parts);
  for (uint32_t i = 0; i < type->variant_count; i++) alch_buffer_add_format(key, "%u,", (unsigned)type->variants[i].id);
  if (type->word) alch_buffer_add(key, type->word);
}

static alch_status intern(alch_catalog *catalog, const alch_type *type, alch_buffer *printed, alch_type_id *id, alch_error *error) {
  alch_type_print(type, printed);
  add_identity(type, printed);
  if (alch_buffer_failed(printed)) return alch_error_out_of_memory(error);
  uintptr_t known = (uintptr_t)alch_map_get(&catalog->type_ids, printed->text, printed->length);
  if (known == 0) {
    if (!add_type(catalog, type, printed)) return alch_error_out_of_memory(error);
    known = catalog->type_count;
  }
  *id = (alch_type_id)(known - 1);
  return ALCH_OK;
}

alch_status alch_catalog_intern(alch_catalog *catalog, const alch_type *given, alch_type_id *id, alch_error *error) {
  alch_buffer printed;
  if (check_type(given, error) != ALCH_OK) return ALCH_ERROR;
  alch_type type = alch_type_relevant(given);
  if (is_plain(&type)) {
    *id = type.family;
    return ALCH_OK;
  }
  alch_buffer_init(&printed, catalog->allocator);
  alch_status status = intern(catalog, &type, &printed, id, error);
  alch_buffer_close(&printed);
  return status;
}

alch_table *alch_catalog_table(const alch_catalog *catalog, uint32_t id) {
  return id < catalog->table_count ? catalog->tables[id] : NULL;
}

uint32_t alch_catalog_anonymous(alch_catalog *catalog) {
  return ++catalog->anonymous | ALCH_ANONYMOUS;
}

const struct alch_block *alch_catalog_keep_block(alch_catalog *catalog, const void *block, size_t size) {
  return alch_arena_copy(&catalog->arena, block, size);
}

bool alch_record_text(alch_catalog *catalog, const char **text) {
  if (!*text) return true;
  *text = alch_arena_text(&catalog->arena, *text, strlen(*text));
  return *text != NULL;
}

bool alch_record_texts(alch_catalog *catalog, const char *const **texts, uint32_t count) {
  const char *const *given = *texts;
  *texts = NULL;
  if (count == 0) return true;
  const char **copy = alch_arena_copy(&catalog->arena, given, count * sizeof *copy);
  if (!copy) return false;
  for (uint32_t i = 0; i < count; i++)
    if (!alch_record_text(catalog, &copy[i])) return false;
  *texts = copy;
  return true;
}

bool alch_record_value(alch_catalog *catalog, alch_value *value) {
  if (!alch_value_has_text(value->kind)) return true;
  value->text = alch_arena_text(&catalog->arena, value->text, value->length);
  return value->text != NULL;
}
