/* Values of results, by what their types say: what the drivers give is a number, a moment, or text in a form that all databases share. */
#include "base/date.h"
#include "base/real.h"
#include "sql/conversion.h"
#include <math.h>
#include <string.h>

#define MICROSECONDS_PER_MINUTE (60 * ALCH_MICROSECONDS_PER_SECOND)
/* A double holds every integer up to here. */
#define EXACT_INTEGER (INT64_C(1) << 53)

static bool is_text(const alch_value *value) { return value->kind == ALCH_TEXT || value->kind == ALCH_DECIMAL; }

/* ---- numbers ---- */

bool alch_read_decimal(const alch_value *value, alch_decimal *out) {
  switch (value->kind) {
    case ALCH_INTEGER: case ALCH_BOOLEAN: alch_decimal_from_integer(out, value->integer); return true;
    case ALCH_REAL: return isfinite(value->real) && alch_decimal_from_real(out, value->real, NULL) == ALCH_OK;
    case ALCH_TEXT: case ALCH_DECIMAL: return alch_decimal_parse(out, value->text, value->length, NULL) == ALCH_OK;
    default: return false;
  }
}

alch_status alch_load_boolean(const alch_conversion *c) {
  bool number = c->value->kind == ALCH_INTEGER || c->value->kind == ALCH_BOOLEAN;
  if (!number || (c->value->integer != 0 && c->value->integer != 1)) return alch_refuse_stored(c, "0 or 1");
  c->value->kind = ALCH_BOOLEAN;
  return ALCH_OK;
}

alch_status alch_load_integer(const alch_conversion *c) {
  alch_decimal decimal = { 0 };
  int64_t integer;
  if (!is_text(c->value)) return ALCH_OK;
  if (!alch_read_decimal(c->value, &decimal)) return alch_refuse_stored(c, "an integer");
  if (alch_decimal_to_integer(&decimal, &integer)) return alch_give_number(c, ALCH_INTEGER, integer);
  if (c->value->kind == ALCH_TEXT && decimal.scale > 0) return alch_refuse_stored(c, "an integer");
  c->value->kind = ALCH_DECIMAL;
  return ALCH_OK;
}

alch_status alch_load_real(const alch_conversion *c) {
  double real;
  if (c->value->kind == ALCH_REAL) return ALCH_OK;
  if (c->value->kind == ALCH_INTEGER) {
    if (c->value->integer >= -EXACT_INTEGER && c->value->integer <= EXACT_INTEGER) *c->value = alch_value_real((double)c->value->integer);
    return ALCH_OK;
  }
  if (!is_text(c->value) || !alch_real_parse(c->value->text, c->value->length, &real)) return alch_refuse_stored(c, "a number");
  *c->value = alch_value_real(real);
  return ALCH_OK;
}

/* What is a decimal already has the digits that the database shows. */
alch_status alch_load_numeric(const alch_conversion *c) {
  alch_decimal decimal = { 0 };
  if (c->type->as_number) return alch_load_real(c);
  if (c->value->kind == ALCH_DECIMAL) return ALCH_OK;
  return alch_read_decimal(c->value, &decimal) ? alch_give_decimal(c, &decimal) : alch_refuse_stored(c, "a number of at most 38 digits");
}

/* ---- dates and times ---- */

bool alch_read_moment(const alch_value *value, int64_t *microseconds) {
  alch_civil civil;
  if (value->kind == ALCH_DATETIME) *microseconds = value->integer;
  if (value->kind == ALCH_DATE) *microseconds = value->integer * ALCH_MICROSECONDS_PER_DAY;
  if (value->kind == ALCH_DATETIME || value->kind == ALCH_DATE) return true;
  if (value->kind != ALCH_TEXT || !alch_datetime_parse(value->text, value->length, &civil)) return false;
  *microseconds = alch_microseconds_from_civil(&civil) - (civil.has_offset ? civil.offset * MICROSECONDS_PER_MINUTE : 0);
  return true;
}

alch_status alch_load_date(const alch_conversion *c) {
  int64_t moment;
  if (c->value->kind == ALCH_DATE) return ALCH_OK;
  if (alch_read_moment(c->value, &moment) && moment % ALCH_MICROSECONDS_PER_DAY == 0) return alch_give_number(c, ALCH_DATE, moment / ALCH_MICROSECONDS_PER_DAY);
  return alch_refuse_stored(c, "a date of the years 1 to 9999, such as 2024-02-29");
}

alch_status alch_load_time(const alch_conversion *c) {
  int64_t microseconds;
  if (c->value->kind == ALCH_TIME) return ALCH_OK;
  if (c->value->kind == ALCH_TEXT && alch_time_parse(c->value->text, c->value->length, &microseconds)) return alch_give_number(c, ALCH_TIME, microseconds);
  return alch_refuse_stored(c, "a time of a day, such as 13:14:15.000001");
}

alch_status alch_load_datetime(const alch_conversion *c) {
  int64_t microseconds;
  if (alch_read_moment(c->value, &microseconds)) return alch_give_number(c, ALCH_DATETIME, microseconds);
  return alch_refuse_stored(c, "a moment of the years 1 to 9999, such as 2024-02-29 13:14:15.000001");
}

alch_status alch_load_epoch_interval(const alch_conversion *c) {
  int64_t microseconds;
  if (c->value->kind == ALCH_INTERVAL) return ALCH_OK;
  if (alch_read_moment(c->value, &microseconds)) return alch_give_number(c, ALCH_INTERVAL, microseconds);
  return alch_refuse_stored(c, "a moment, counted from 1970-01-01 00:00:00");
}
