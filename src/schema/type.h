/* type.h - SQL types as plain records, interned in the catalog: equal types have one id, for the catalog's whole life.
   Everything a record points to is copied into the catalog. */
#ifndef ALCH_TYPE_H
#define ALCH_TYPE_H

#include "base/error.h"
#include "base/value.h"

typedef enum alch_type_family {
#define ALCH_TYPE(symbol, name, value, comparison) ALCH_TYPE_##symbol,
#include "schema/type.def"
#undef ALCH_TYPE
  ALCH_TYPE_FAMILY_COUNT
} alch_type_family;

/* An interned type. A plain type of family F (no arguments) always has the id F. 0 is the type of nothing known. */
typedef uint32_t alch_type_id;

typedef struct alch_type {
  uint8_t family;             /* alch_type_family */
  bool timezone;              /* DateTime, Time */
  bool as_number;             /* Numeric{ asdecimal = false }: results are numbers */
  bool native;                /* Enum, Uuid: the database's own type where it has one */
  bool create_constraint;     /* Enum, Boolean: a CHECK where the type is not native */
  int32_t length;             /* String, LargeBinary: characters or bytes; 0: none given */
  int32_t precision, scale;   /* Numeric, Float; -1: none given */
  const char *collation;      /* or NULL */
  const char *name;           /* Enum: name of the type or constraint, or NULL */
  const char *const *items;   /* Enum: the words, in order */
  uint32_t item_count;
  int64_t host;               /* custom type: the host's reference to its conversion; 0: none. `family` is then its impl's */
} alch_type;

#define ALCH_TYPE_PLAIN(family_) ((alch_type){ .family = (family_), .precision = -1, .scale = -1, .native = true })

const char *alch_type_family_name(uint8_t family);        /* "Integer" */
/* The family with this name, -1 when there is none. */
int alch_type_family_find(const char *name);
uint8_t alch_type_value_kind(uint8_t family);             /* the alch_value_kind that results have */
bool alch_type_is_integer(uint8_t family);                /* Integer, SmallInteger, BigInteger */

struct alch_buffer;
/* String(80), as a user writes it. Types that differ in anything that has a meaning for their family print differently. */
void alch_type_print(const alch_type *type, struct alch_buffer *out);

/* Brings a value as a user gives it to the kind that the type stores, or fails (DATA or ARGUMENT) naming what is expected and what came:
   integral reals become integers, ISO text becomes dates, integers and text become decimals (rescaled never: too many digits for the scale is an error), 0/1 becomes a boolean where
   the type is Boolean, a text longer than the type is let through (the database decides), an enum word outside the list is refused, text with a zero byte is refused for text types,
   a real NaN or infinity is let through for FLOAT and DOUBLE only. *value may afterwards point into `scratch`, whose content is overwritten (valid until scratch changes).
   NULL, LIST and HOST values pass, and so does every value of a custom type (host != 0): its conversion comes first, and what that gives is coerced to the type with host 0.
   A datetime with an offset goes to UTC where the type has a time zone and is refused where it has none; one without an offset is taken as UTC where the type has one. */
alch_status alch_type_coerce(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);

/* The 32 digits of a UUID in lower case, from text with or without dashes; false when it is none. And back, with dashes. */
bool alch_uuid_digits(const char *text, size_t length, char digits[32]);
void alch_uuid_print(const char digits[32], char out[36]);

#endif
