/* conversion.h - internal to floor 3: what the dialects' to_database and from_database are made of.
   A conversion borrows everything; what it writes goes into `scratch`, whose content is overwritten, and *value then points there. */
#ifndef ALCH_CONVERSION_H
#define ALCH_CONVERSION_H

#include "base/buffer.h"
#include "base/decimal.h"
#include "schema/type.h"

typedef struct alch_conversion {
  const alch_type *type;
  alch_value *value;
  alch_buffer *scratch;
  alch_error *error;
} alch_conversion;

/* The value becomes this text, or this number. */
alch_status alch_give_text(const alch_conversion *c, uint8_t kind, const char *text, size_t length);
alch_status alch_give_number(const alch_conversion *c, uint8_t kind, int64_t integer);
/* With as many digits behind the point as the type has, unless digits would be lost. */
alch_status alch_give_decimal(const alch_conversion *c, const alch_decimal *decimal);
/* DATA: what the database holds is not what stands there; expected: "0 or 1". */
alch_status alch_refuse_stored(const alch_conversion *c, const char *expected);

/* ---- storing: what the database cannot keep is refused, by DATA errors that name the type, the value and what to do ---- */

/* An interval as the moment to which it leads from 1970. */
alch_status alch_store_epoch_interval(const alch_conversion *c);
/* Does an exact type keep all digits that the value has behind the second, or the point? seconds, scale: what it keeps when it says nothing of them; -1: whatever comes. Values of generic types pass, and
   those that are no numbers and no moments. */
alch_status alch_check_digits(const alch_conversion *c, int seconds, int scale);
/* At most so many digits behind the point; for a decimal or a real, others pass. */
alch_status alch_check_scale(const alch_conversion *c, int digits);

/* 32 digits, or with dashes. DATA when the text is no UUID. And back: with dashes. */
alch_status alch_store_uuid(const alch_conversion *c, bool dashes);
alch_status alch_load_uuid(const alch_conversion *c);
/* Only the words of the type. */
alch_status alch_load_enum(const alch_conversion *c);
/* An index or path into JSON in the database's own form: alch_path_write_dollar or alch_path_write_braces (schema/json_path.h). */
bool alch_is_path(const alch_type *type);
alch_status alch_store_path(const alch_conversion *c, alch_status (*write)(uint8_t family, const alch_value *path, alch_buffer *out, alch_error *error));
/* ---- loading (conversion_load.c): from whatever kind the driver has made of it; DATA where it is not what the type says ---- */

/* 0 or 1. */
alch_status alch_load_boolean(const alch_conversion *c);
/* From decimals and texts as well, such as sums are; one that is beyond 64 bits stays a decimal, and a real what it is. */
alch_status alch_load_integer(const alch_conversion *c);
/* NaN and Infinity are words in texts. An integer that no double is stays one. */
alch_status alch_load_real(const alch_conversion *c);
/* A decimal, or a real where the type says so. */
alch_status alch_load_numeric(const alch_conversion *c);
/* A moment is a date when it is midnight. */
alch_status alch_load_date(const alch_conversion *c);
/* A time of a day. */
alch_status alch_load_time(const alch_conversion *c);
/* As the wall clock of UTC where an offset stands. */
alch_status alch_load_datetime(const alch_conversion *c);
/* A moment, counted from 1970, or what is an interval already. */
alch_status alch_load_epoch_interval(const alch_conversion *c);

/* A number in whatever kind the driver has it; false when it is none, or has more digits than a decimal. */
bool alch_read_decimal(const alch_value *value, alch_decimal *out);
/* The wall clock of UTC, from a datetime, a date, or a text; a text without an offset is taken as such. */
bool alch_read_moment(const alch_value *value, int64_t *microseconds);

#endif
