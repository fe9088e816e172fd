/* Parameters that are arrays: each column of many sets of values as one array in binary (the server's array_recv), so that unnest(…) makes rows of them again. */
#include "engine/drivers/postgresql_private.h"
#include <string.h>

#define KEPT_BYTES (64 << 10)       /* what a statement keeps for its next start */

/* Kinds that are written otherwise one by one (true, and not t) do not go in here. */
static bool is_text(Oid type) { return type == PG_TEXT || type == PG_VARCHAR || type == PG_BPCHAR; }
static bool may_be_item(Oid type, const alch_value *value) { return value->kind == ALCH_NULL || !is_text(type) || value->kind == ALCH_TEXT || value->kind == ALCH_DECIMAL; }

/* A column of an array: the values of one placeholder. */
typedef struct column {
  const alch_postgresql_form *form;
  const alch_value *values;       /* the first one, */
  uint32_t stride, count;         /* how far it is to the next, and how many there are */
  bool nulls;
} column;

/* Compilers make one instruction of these. */
static inline char *put_32(char *to, uint32_t bits) {
  to[0] = (char)(bits >> 24), to[1] = (char)(bits >> 16), to[2] = (char)(bits >> 8), to[3] = (char)bits;
  return to + 4;
}

static inline char *put_64(char *to, uint64_t bits) { return put_32(put_32(to, (uint32_t)(bits >> 32)), (uint32_t)bits); }

static inline char *put_null(column *c, char *to) {
  c->nulls = true;
  return put_32(to, UINT32_MAX);
}

/* The commonest columns, whose values are all of the one kind that they should be, without a call for each. False: they are not, and nothing is added. */
static bool add_integers(column *c, alch_buffer *out) {
  const alch_value *value = c->values;
  char *to = alch_buffer_reserve(out, (size_t)c->count * 12);
  if (!to) return true;
  for (uint32_t i = 0; i < c->count; i++, value += c->stride) {
    if (value->kind == ALCH_NULL) to = put_null(c, to);
    else if (value->kind != ALCH_INTEGER) return false;
    else if (c->form->size == 4) to = put_32(put_32(to, 4), (uint32_t)value->integer);
    else to = put_64(put_32(to, 8), (uint64_t)value->integer);
  }
  out->length = (size_t)(to - out->text);
  return true;
}

static bool add_reals(column *c, alch_buffer *out) {
  const alch_value *value = c->values;
  char *to = alch_buffer_reserve(out, (size_t)c->count * 12);
  if (!to) return true;
  for (uint32_t i = 0; i < c->count; i++, value += c->stride) {
    if (value->kind != ALCH_REAL && value->kind != ALCH_NULL) return false;
    uint64_t bits;
    memcpy(&bits, &value->real, sizeof bits);
    to = value->kind == ALCH_NULL ? put_null(c, to) : put_64(put_32(to, 8), bits);
  }
  out->length = (size_t)(to - out->text);
  return true;
}

static bool add_texts(column *c, alch_buffer *out) {
  const alch_value *value = c->values;
  size_t size = 0;
  for (uint32_t i = 0; i < c->count; i++, value += c->stride) size += 4 + (alch_value_has_text(value->kind) ? (size_t)value->length : 0);
  char *to = alch_buffer_reserve(out, size);
  value = c->values;
  if (!to) return true;
  for (uint32_t i = 0; i < c->count; i++, value += c->stride) {
    if (value->kind == ALCH_NULL) {
      to = put_null(c, to);
      continue;
    }
    if (value->kind != ALCH_TEXT || value->length > INT32_MAX || (value->length > 0 && memchr(value->text, '\0', value->length))) return false;
    to = put_32(to, value->length);
    if (value->length > 0) memcpy(to, value->text, value->length);
    to += value->length;
  }
  out->length = (size_t)(to - out->text);
  return true;
}

static bool add_quickly(column *c, alch_buffer *out) {
  switch (c->form->type) {
    case PG_INT4: case PG_INT8: return add_integers(c, out);
    case PG_FLOAT8: return add_reals(c, out);
    case PG_TEXT: case PG_VARCHAR: case PG_BPCHAR: return add_texts(c, out);
    default: return false;
  }
}

static bool add_items(column *c, alch_buffer *out) {
  const alch_value *value = c->values;
  c->nulls = false;
  if (add_quickly(c, out)) return true;
  c->nulls = false;
  for (uint32_t i = 0; i < c->count; i++, value += c->stride) {
    c->nulls |= value->kind == ALCH_NULL;
    if (!may_be_item(c->form->type, value) || !alch_postgresql_add_field(c->form, value, out)) return false;
  }
  return true;
}

/* One array, behind its head: dimensions, whether there are NULLs, the type of the items, how many, the number of the first; *size: its bytes. False: some value has no such form. */
static bool add_array(column *c, int *size, alch_buffer *out) {
  size_t start = out->length;
  alch_postgresql_add_bits(out, 1, 4);
  alch_postgresql_add_bits(out, 0, 4);
  alch_postgresql_add_bits(out, c->form->type, 4);
  alch_postgresql_add_bits(out, c->count, 4);
  alch_postgresql_add_bits(out, 1, 4);
  if (!add_items(c, out) || out->length - start > INT32_MAX) return false;
  if (c->nulls && !out->failed) alch_postgresql_put(out->text + start + 4, 1, 4);
  *size = (int)(out->length - start);
  return true;
}

static bool is_shared(const alch_driver_statement *statement, uint32_t place) { return place >= statement->count - statement->shared; }

static bool settle_arrays(alch_driver_statement *statement) {
  for (uint32_t i = 0; i < statement->count; i++) {
    statement->arrays[i] = is_shared(statement, i) ? statement->types[i] : alch_postgresql_array_of(statement->types[i]);
    if (statement->arrays[i] == PG_UNKNOWN) return false;
  }
  return true;
}

/* What a placeholder takes, into the packed bytes: an array, or the length and the bytes of a value. *size: how many bytes that is. */
static bool add_placeholder(const alch_driver_statement *statement, uint32_t place, const alch_value *values, uint32_t sets, int *size, alch_buffer *out) {
  alch_postgresql_form form;
  column c = { .form = &form, .values = values + place, .stride = statement->count, .count = sets };
  size_t start = out->length;
  if (!alch_postgresql_form_of(statement->types[place], &form)) return false;
  if (!is_shared(statement, place)) return add_array(&c, size, out);
  if (!may_be_item(form.type, c.values) || !alch_postgresql_add_field(&form, c.values, out) || out->length - start > INT32_MAX) return false;
  *size = (int)(out->length - start);
  return true;
}

static void put_placeholder(alch_driver_statement *statement, uint32_t place, const char *at, bool null) {
  enum { LENGTH = 4 };
  bool shared = is_shared(statement, place);
  statement->values[place] = !shared ? at : null ? NULL : at + LENGTH;
  statement->lengths[place] -= shared ? LENGTH : 0;
  statement->formats[place] = 1;
}

alch_status alch_postgresql_encode_arrays(alch_driver_statement *statement, const alch_value *values, uint32_t sets, alch_error *error) {
  alch_buffer *packed = &statement->packed;
  if (!settle_arrays(statement)) return ALCH_DONE;
  if (!alch_postgresql_make_places(statement, statement->count)) return alch_error_out_of_memory(error);
  alch_buffer_clear(packed);
  for (uint32_t i = 0; i < statement->count; i++)
    if (!add_placeholder(statement, i, values, sets, &statement->lengths[i], packed)) return ALCH_DONE;
  if (alch_buffer_failed(packed)) return alch_error_out_of_memory(error);
  const char *at = packed->text;
  for (uint32_t i = 0; i < statement->count; i++) {
    int size = statement->lengths[i];
    put_placeholder(statement, i, at, values[i].kind == ALCH_NULL);
    at += size;
  }
  return ALCH_OK;
}

void alch_postgresql_drop_arrays(alch_driver_statement *statement) {
  if (statement->packed.capacity > KEPT_BYTES) alch_buffer_close(&statement->packed);
}
