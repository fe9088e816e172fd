#include "sql/compiler.h"

/* Writing out the placeholders of lists, when their lengths are known. */

static void add_placeholder(const alch_compiled *compiled, const alch_slot *slot, uint32_t number, uint32_t item, alch_buffer *out) {
  switch (compiled->dialect->placeholder) {
    case ALCH_PLACEHOLDER_QUESTION: alch_buffer_add_char(out, '?'); break;
    case ALCH_PLACEHOLDER_DOLLAR: alch_buffer_add_format(out, "$%u", (unsigned)number); break;
    case ALCH_PLACEHOLDER_COLON:
      alch_buffer_add_format(out, ":%s", slot->label);
      if (slot->kind == ALCH_SLOT_EXPANDING) alch_buffer_add_format(out, "_%u", (unsigned)item);
      break;
  }
}

static void add_items(const alch_compiled *compiled, const alch_slot *slot, uint32_t number, uint32_t count, alch_buffer *out) {
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) alch_buffer_add(out, ", ");
    add_placeholder(compiled, slot, number + i, i + 1, out);
  }
  if (count == 0) alch_buffer_add(out, ALCH_EMPTY_SET);
}

alch_status alch_compiled_expand(const alch_compiled *compiled, const uint32_t *counts, alch_buffer *out, alch_error *error) {
  size_t copied = 0;
  uint32_t number = 1, lists = 0;
  for (uint32_t i = 0; i < compiled->slot_count; i++) {
    const alch_slot *slot = &compiled->slots[i];
    uint32_t count = slot->kind == ALCH_SLOT_EXPANDING ? counts[lists++] : 1;
    alch_buffer_add_bytes(out, compiled->sql + copied, slot->offset - copied);
    add_items(compiled, slot, number, count, out);
    copied = slot->offset + slot->length;
    number += count;
  }
  alch_buffer_add_bytes(out, compiled->sql + copied, compiled->sql_length - copied);
  return alch_buffer_failed(out) ? alch_error_out_of_memory(error) : ALCH_OK;
}
