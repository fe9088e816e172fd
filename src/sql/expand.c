#include "sql/compiler.h"
#include <string.h>

/* Writing out what depends on the values: the placeholders of lists, when their lengths are known, and values that the text carries itself. */

static void add_placeholder(const alch_compiled *compiled, const alch_slot *slot, uint32_t number, uint32_t item, alch_buffer *out) {
  switch (compiled->dialect->placeholder) {
    case ALCH_PLACEHOLDER_QUESTION: alch_buffer_add_char(out, '?'); break;
    case ALCH_PLACEHOLDER_DOLLAR: alch_buffer_add_format(out, "$%u", (unsigned)number); break;
    case ALCH_PLACEHOLDER_COLON:
      alch_buffer_add_format(out, ":%s", slot->label);
      if (slot->kind != ALCH_SLOT_EXPANDING) break;
      if (slot->width > 0) alch_buffer_add_format(out, "_%u_%u", (unsigned)((item - 1) / slot->width + 1), (unsigned)((item - 1) % slot->width + 1));
      else alch_buffer_add_format(out, "_%u", (unsigned)item);
      break;
  }
  /* It was written once already, when the statement was compiled. */
  if (compiled->dialect->placeholder_cast) compiled->dialect->placeholder_cast(compiled->dialect, slot->type, out, NULL);
}

/* ---- empty lists ---- */

static void add_times(const char *word, uint32_t count, alch_buffer *out) {
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) alch_buffer_add(out, ", ");
    alch_buffer_add(out, word);
  }
}

/* NULL, and then a condition that decides: x IN (NULL) AND (1 != 1). */
static void add_decided(uint8_t set, uint32_t width, alch_buffer *out) {
  if (width > 1) alch_buffer_add_char(out, '(');
  add_times("NULL", width, out);
  if (width > 1) alch_buffer_add_char(out, ')');
  alch_buffer_add(out, set == ALCH_SET_IN ? ") AND (1 != 1" : ") OR (1 = 1");
}

void alch_empty_set_write(const alch_dialect *dialect, uint8_t set, uint32_t width, alch_buffer *out) {
  if (width == 0) width = 1;
  if (set != ALCH_SET_PLAIN && !alch_dialect_can(dialect, ALCH_CAPABILITY_EMPTY_SET_SELECT)) {
    add_decided(set, width, out);
    return;
  }
  for (const char *at = dialect->empty_set ? dialect->empty_set : "SELECT % WHERE 1!=1"; *at; at++) {
    if (*at == '%') add_times("1", width, out);
    else alch_buffer_add_char(out, *at);
  }
}

/* ---- lists ---- */

static bool is_too_long(const alch_dialect *dialect, int64_t count) { return dialect->list_limit > 0 && count > (int64_t)dialect->list_limit; }

void alch_list_before(const alch_dialect *dialect, int64_t item, int64_t count, alch_buffer *out) {
  bool rows = is_too_long(dialect, count);
  if (item > 0) alch_buffer_add(out, rows ? " UNION ALL " : ", ");
  if (rows) alch_buffer_add_bytes(out, dialect->list_item, (size_t)(strchr(dialect->list_item, '%') - dialect->list_item));
}

void alch_list_behind(const alch_dialect *dialect, int64_t count, alch_buffer *out) {
  if (is_too_long(dialect, count)) alch_buffer_add(out, strchr(dialect->list_item, '%') + 1);
}

static void add_tuples(const alch_compiled *compiled, const alch_slot *slot, uint32_t number, uint32_t count, alch_buffer *out) {
  if (alch_dialect_can(compiled->dialect, ALCH_CAPABILITY_TUPLE_VALUES)) alch_buffer_add(out, "VALUES ");
  for (uint32_t i = 0; i < count; i++) {
    bool first = i % slot->width == 0;
    if (i > 0) alch_buffer_add(out, ", ");
    if (first) alch_buffer_add_char(out, '(');
    add_placeholder(compiled, slot, number + i, i + 1, out);
    if ((i + 1) % slot->width == 0) alch_buffer_add_char(out, ')');
  }
}

static void add_items(const alch_compiled *compiled, const alch_slot *slot, uint32_t number, uint32_t count, alch_buffer *out) {
  if (count == 0) {
    alch_empty_set_write(compiled->dialect, slot->set, slot->width, out);
    return;
  }
  if (slot->width > 0) {
    add_tuples(compiled, slot, number, count, out);
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    alch_list_before(compiled->dialect, i, count, out);
    if (slot->before) alch_buffer_add(out, slot->before);
    add_placeholder(compiled, slot, number + i, i + 1, out);
    if (slot->behind) alch_buffer_add(out, slot->behind);
    alch_list_behind(compiled->dialect, count, out);
  }
}

/* ---- literals ---- */

void alch_literal_write(uint32_t *counts, const char *text, size_t length) {
  counts[alch_literal_words(length) - 1] = 0;
  counts[0] = (uint32_t)length;
  if (length > 0) memcpy(counts + 1, text, length);
}

alch_status alch_literal_text(const alch_dialect *dialect, const alch_slot *slot, const alch_value *value, const alch_value *items, alch_buffer *out, alch_error *error) {
  if (value->kind != ALCH_LIST) return alch_render_literal(dialect, slot->type, value, out, error);
  if (value->integer == 0) alch_empty_set_write(dialect, slot->set, slot->width, out);
  alch_status status = ALCH_OK;
  for (int64_t i = 0; i < value->integer && status == ALCH_OK; i++) {
    alch_list_before(dialect, i, value->integer, out);
    if (slot->before) alch_buffer_add(out, slot->before);
    status = alch_render_literal(dialect, slot->type, &items[i], out, error);
    if (slot->behind) alch_buffer_add(out, slot->behind);
    alch_list_behind(dialect, value->integer, out);
  }
  return status;
}

/* ---- the text ---- */

alch_status alch_compiled_expand(const alch_compiled *compiled, const uint32_t *counts, alch_buffer *out, alch_error *error) {
  size_t copied = 0;
  uint32_t number = 1;
  for (uint32_t i = 0; i < compiled->slot_count; i++) {
    const alch_slot *slot = &compiled->slots[i];
    uint32_t count = slot->kind == ALCH_SLOT_EXPANDING ? *counts++ : 1;
    alch_buffer_add_bytes(out, compiled->sql + copied, slot->offset - copied);
    copied = slot->offset + slot->length;
    if (slot->kind == ALCH_SLOT_LITERAL) {
      alch_buffer_add_bytes(out, (const char *)(counts + 1), *counts);
      counts += alch_literal_words(*counts);
      continue;
    }
    add_items(compiled, slot, number, count, out);
    number += count;
  }
  alch_buffer_add_bytes(out, compiled->sql + copied, compiled->sql_length - copied);
  return alch_buffer_failed(out) ? alch_error_out_of_memory(error) : ALCH_OK;
}

/* ---- for people ---- */

static void print_slot(const alch_slot *slot, uint32_t number, alch_buffer *out) {
  static const char *const kinds[] = { [ALCH_SLOT_VALUE] = "value", [ALCH_SLOT_EXPANDING] = "list", [ALCH_SLOT_LITERAL] = "literal", [ALCH_SLOT_OUT] = "out", [ALCH_SLOT_DEFAULT] = "default" };
  alch_buffer_add_format(out, "  slot %u: %s", (unsigned)number, kinds[slot->kind]);
  if (slot->ordinal != UINT32_MAX) alch_buffer_add_format(out, " of value %u", (unsigned)slot->ordinal);
  if (slot->name) alch_buffer_add_format(out, " called %s", slot->name);
  if (slot->column) alch_buffer_add_format(out, " for %s.%s", slot->column->table->name, slot->column->name);
  alch_buffer_add_format(out, ", %s at %u%s%s\n", alch_type_family_name(slot->type->family), (unsigned)slot->offset, slot->converts ? ", converted" : "", slot->required ? ", required" : "");
}

void alch_compiled_print(const alch_compiled *compiled, alch_buffer *out) {
  alch_buffer_add_format(out, "%s: %s\n", compiled->dialect->name, compiled->sql);
  for (uint32_t i = 0; i < compiled->slot_count; i++) print_slot(&compiled->slots[i], i + 1, out);
  for (uint32_t i = 0; i < compiled->column_count; i++) {
    const alch_result_column *column = &compiled->columns[i];
    alch_buffer_add_format(out, "  column %u: %s, %s%s\n", (unsigned)i + 1, column->name, alch_type_family_name(column->type->family), column->converts ? ", converted" : "");
  }
}
