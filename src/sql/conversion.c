#include "sql/conversion.h"
#include "base/date.h"
#include <math.h>
#include <string.h>

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

/* The type and the value, readable. */
static void print_both(const alch_conversion *c, alch_buffer *type, alch_buffer *value) {
  alch_buffer_init(type, c->scratch->allocator);
  alch_buffer_init(value, c->scratch->allocator);
  alch_type_print(c->type, type);
  alch_value_print(c->value, value, 40);
}

alch_status alch_refuse_stored(const alch_conversion *c, const char *expected) {
  alch_buffer type, value;
  print_both(c, &type, &value);
  alch_status status = alch_error_set(c->error, ALCH_ERROR_DATA, "the database holds the %s %s where a %s stands, which is %s", alch_value_kind_name(c->value->kind),
                                      alch_buffer_text(&value), alch_buffer_text(&type), expected);
  alch_buffer_close(&type);
  alch_buffer_close(&value);
  return status;
}

/* ---- what would be lost ---- */

alch_status alch_store_epoch_interval(const alch_conversion *c) {
  if (c->value->integer >= ALCH_MICROSECONDS_MIN && c->value->integer <= ALCH_MICROSECONDS_MAX) return alch_give_number(c, ALCH_DATETIME, c->value->integer);
  return alch_error_set(c->error, ALCH_ERROR_DATA, "an interval is stored here as the moment to which it leads from 1970, and that must lie in the years 1 to 9999; make the column a BigInteger of microseconds");
}

static alch_status refuse_digits(const alch_conversion *c, int digits, const char *of) {
  alch_buffer type, value;
  print_both(c, &type, &value);
  alch_status status = alch_error_set(c->error, ALCH_ERROR_DATA, "%s keeps %d digit%s behind the %s here, and the database would round %s: give the type more digits, or round the value first",
                                      alch_buffer_text(&type), digits, digits == 1 ? "" : "s", of, alch_buffer_text(&value));
  alch_buffer_close(&type);
  alch_buffer_close(&value);
  return status;
}

static alch_status check_seconds(const alch_conversion *c, int digits) {
  int64_t unit = 1;
  if (c->value->kind != ALCH_TIME && c->value->kind != ALCH_DATETIME && c->value->kind != ALCH_INTERVAL) return ALCH_OK;
  for (int i = digits; i < 6; i++) unit *= 10;
  return c->value->integer % unit == 0 ? ALCH_OK : refuse_digits(c, digits, "second");
}

alch_status alch_check_scale(const alch_conversion *c, int digits) {
  alch_decimal decimal = { 0 }, scaled = { 0 };
  bool real = c->value->kind == ALCH_REAL && isfinite(c->value->real);
  if (!real && c->value->kind != ALCH_DECIMAL) return ALCH_OK;
  if (!alch_read_decimal(c->value, &decimal)) {
    bool whole = real && c->value->real == floor(c->value->real);
    return whole ? ALCH_OK : refuse_digits(c, digits, "point");
  }
  if (decimal.scale <= digits) return ALCH_OK;
  if (alch_decimal_rescale(&scaled, &decimal, digits, NULL) == ALCH_OK && alch_decimal_compare(&scaled, &decimal) == 0) return ALCH_OK;
  return refuse_digits(c, digits, "point");
}

alch_status alch_check_digits(const alch_conversion *c, int seconds, int scale) {
  if (!c->type->word) return ALCH_OK;
  switch (c->type->family) {
    case ALCH_TYPE_TIME: case ALCH_TYPE_DATETIME: case ALCH_TYPE_INTERVAL: {
      bool days = alch_type_options(c->type) & ALCH_TAKES(DAY_PRECISION);   /* an interval's precision is then that of its days */
      int32_t given = days ? c->type->scale : c->type->precision;
      return check_seconds(c, given >= 0 ? given : seconds < 0 ? 6 : seconds);
    }
    case ALCH_TYPE_NUMERIC: case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: {
      bool bare = c->type->scale < 0 && (scale < 0 || c->type->family != ALCH_TYPE_NUMERIC);
      return bare ? ALCH_OK : alch_check_scale(c, c->type->scale >= 0 ? c->type->scale : scale);
    }
    default: return ALCH_OK;
  }
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
