/* Parameters that are arrays: each column of many sets of values as one array in binary (the server's array_recv), so that unnest(…) makes rows of them again. */
#include "engine/drivers/postgresql_private.h"
#include <string.h>

#define HEAD 20                     /* bytes: dimensions, whether there are NULLs, the type of the items, how many, the first one's number */
#define KEPT_BYTES (64 << 10)       /* what a statement keeps for its next start */

/* Kinds that are written otherwise one by one (true, and not t) do not go in here. */
static bool is_text(Oid type) { return type == PG_TEXT || type == PG_VARCHAR || type == PG_BPCHAR; }
static bool may_be_item(Oid type, const alch_value *value) { return value->kind == ALCH_NULL || !is_text(type) || value->kind == ALCH_TEXT || value->kind == ALCH_DECIMAL; }

static bool add_items(const alch_postgresql_form *form, const alch_value *values, uint32_t count, uint32_t sets, bool *nulls, alch_buffer *out) {
  for (uint32_t set = 0; set < sets; set++, values += count) {
    *nulls |= values->kind == ALCH_NULL;
    if (!may_be_item(form->type, values) || !alch_postgresql_add_field(form, values, out)) return false;
  }
  return true;
}

/* One array; *size: its bytes. False: some value has no such form. */
static bool add_array(const alch_postgresql_form *form, const alch_value *values, uint32_t count, uint32_t sets, int *size, alch_buffer *out) {
  size_t start = out->length;
  bool nulls = false;
  alch_postgresql_add_bits(out, 1, 4);
  alch_postgresql_add_bits(out, 0, 4);
  alch_postgresql_add_bits(out, form->type, 4);
  alch_postgresql_add_bits(out, sets, 4);
  alch_postgresql_add_bits(out, 1, 4);
  if (!add_items(form, values, count, sets, &nulls, out) || out->length - start > INT32_MAX) return false;
  if (nulls && !out->failed) alch_postgresql_put(out->text + start + 4, 1, 4);
  *size = (int)(out->length - start);
  return true;
}

static bool settle_arrays(alch_driver_statement *statement) {
  for (uint32_t i = 0; i < statement->count; i++)
    if ((statement->arrays[i] = alch_postgresql_array_of(statement->types[i])) == PG_UNKNOWN) return false;
  return true;
}

alch_status alch_postgresql_encode_arrays(alch_driver_statement *statement, const alch_value *values, uint32_t sets, alch_error *error) {
  alch_buffer *packed = &statement->packed;
  alch_postgresql_form form;
  if (!settle_arrays(statement)) return ALCH_DONE;
  if (!alch_postgresql_make_places(statement, statement->count)) return alch_error_out_of_memory(error);
  alch_buffer_clear(packed);
  for (uint32_t i = 0; i < statement->count; i++)
    if (!alch_postgresql_form_of(statement->types[i], &form) || !add_array(&form, values + i, statement->count, sets, &statement->lengths[i], packed)) return ALCH_DONE;
  if (alch_buffer_failed(packed)) return alch_error_out_of_memory(error);
  const char *at = packed->text;
  for (uint32_t i = 0; i < statement->count; at += statement->lengths[i++]) {
    statement->values[i] = at;
    statement->formats[i] = 1;
  }
  return ALCH_OK;
}

void alch_postgresql_drop_arrays(alch_driver_statement *statement) {
  if (statement->packed.capacity > KEPT_BYTES) alch_buffer_close(&statement->packed);
}
