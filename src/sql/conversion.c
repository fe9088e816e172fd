#include "sql/conversion.h"
#include "base/date.h"
#include <math.h>
#include <string.h>

#define MICROSECONDS_PER_MINUTE (60 * ALCH_MICROSECONDS_PER_SECOND)

alch_status alch_give_text(const alch_conversion *c, uint8_t kind, const char *text, size_t length) {
  alch_buffer_clear(c->scratch);
  alch_buffer_add_bytes(c->scratch, text, length);
  if (alch_buffer_failed(c->scratch)) return alch_error_out_of_memory(c->error);
  *c->value = (alch_value){ .kind = kind, .length = (uint32_t)length, .text = alch_buffer_text(c->scratch) };
  return ALCH_OK;
}

alch_status alch_give_number(const alch_conversion *c, uint8_t kind, int64_t integer) {
  *c->value = (alch_value){ .kind = kind, .integer = integer };
  return ALCH_OK;
}

alch_status alch_give_decimal(const alch_conversion *c, const alch_decimal *decimal) {
  char text[ALCH_DECIMAL_TEXT_SIZE];
  alch_decimal scaled = { 0 };
  const alch_decimal *chosen = decimal;
  if (c->type->scale >= 0 && c->type->scale <= ALCH_DECIMAL_DIGITS && alch_decimal_rescale(&scaled, decimal, c->type->scale, NULL) == ALCH_OK &&
      alch_decimal_compare(&scaled, decimal) == 0)
    chosen = &scaled;
  return alch_give_text(c, ALCH_DECIMAL, text, alch_decimal_print(chosen, text));
}

alch_status alch_refuse_stored(const alch_conversion *c, const char *expected) {
  alch_buffer type, value;
  alch_buffer_init(&type, c->scratch->allocator);
  alch_buffer_init(&value, c->scratch->allocator);
  alch_type_print(c->type, &type);
  alch_value_print(c->value, &value, 40);
  alch_status status = alch_error_set(c->error, ALCH_ERROR_DATA, "the database holds the %s %s where a %s stands, which is %s", alch_value_kind_name(c->value->kind),
                                      alch_buffer_text(&value), alch_buffer_text(&type), expected);
  alch_buffer_close(&type);
  alch_buffer_close(&value);
  return status;
}

/* ---- texts of a form of their own ---- */

alch_status alch_store_uuid(const alch_conversion *c, bool dashes) {
  char digits[32], text[36];
  if (!alch_uuid_digits(c->value->text, c->value->length, digits)) return alch_error_set(c->error, ALCH_ERROR_DATA, "'%.*s' is no UUID", (int)c->value->length, c->value->text);
  if (!dashes) return alch_give_text(c, ALCH_TEXT, digits, sizeof digits);
  alch_uuid_print(digits, text);
  return alch_give_text(c, ALCH_TEXT, text, sizeof text);
}

alch_status alch_load_uuid(const alch_conversion *c) {
  char digits[32], text[36];
  if (c->value->kind != ALCH_TEXT || !alch_uuid_digits(c->value->text, c->value->length, digits)) return alch_refuse_stored(c, "text of 32 hexadecimal digits");
  alch_uuid_print(digits, text);
  return alch_give_text(c, ALCH_TEXT, text, sizeof text);
}

alch_status alch_load_enum(const alch_conversion *c) {
  if (c->value->kind == ALCH_TEXT)
    for (uint32_t i = 0; i < c->type->item_count; i++)
      if (strlen(c->type->items[i]) == c->value->length && memcmp(c->type->items[i], c->value->text, c->value->length) == 0) return ALCH_OK;
  return alch_refuse_stored(c, "one of its words");
}

bool alch_is_path(const alch_type *type) { return type->family == ALCH_TYPE_JSON_INDEX || type->family == ALCH_TYPE_JSON_PATH; }

alch_status alch_store_path(const alch_conversion *c, alch_status (*write)(uint8_t family, const alch_value *path, alch_buffer *out, alch_error *error)) {
  alch_buffer path;
  alch_buffer_init(&path, c->scratch->allocator);
  alch_status status = write(c->type->family, c->value, &path, c->error);
  if (status == ALCH_OK) status = alch_buffer_failed(&path) ? alch_error_out_of_memory(c->error) : alch_give_text(c, ALCH_TEXT, alch_buffer_text(&path), path.length);
  alch_buffer_close(&path);
  return status;
}

/* ---- whatever the driver has made of it ---- */

bool alch_read_decimal(const alch_value *value, alch_decimal *out) {
  switch (value->kind) {
    case ALCH_INTEGER: case ALCH_BOOLEAN: alch_decimal_from_integer(out, value->integer); return true;
    case ALCH_REAL: return isfinite(value->real) && alch_decimal_from_real(out, value->real, NULL) == ALCH_OK;
    case ALCH_TEXT: case ALCH_DECIMAL: return alch_decimal_parse(out, value->text, value->length, NULL) == ALCH_OK;
    default: return false;
  }
}

bool alch_read_moment(const alch_value *value, int64_t *microseconds) {
  alch_civil civil;
  if (value->kind == ALCH_DATETIME) *microseconds = value->integer;
  if (value->kind == ALCH_DATE) *microseconds = value->integer * ALCH_MICROSECONDS_PER_DAY;
  if (value->kind == ALCH_DATETIME || value->kind == ALCH_DATE) return true;
  if (value->kind != ALCH_TEXT || !alch_datetime_parse(value->text, value->length, &civil)) return false;
  *microseconds = alch_microseconds_from_civil(&civil) - (civil.has_offset ? civil.offset * MICROSECONDS_PER_MINUTE : 0);
  return true;
}
