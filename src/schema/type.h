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

/* What types take beside their family: one bit each. */
typedef enum alch_type_option {
#define ALCH_TYPE_OPTION(symbol, name, kind) ALCH_TYPE_OPTION_##symbol,
#include "schema/type_option.def"
#undef ALCH_TYPE_OPTION
  ALCH_TYPE_OPTION_COUNT
} alch_type_option;
#define ALCH_TAKES(option) (UINT64_C(1) << ALCH_TYPE_OPTION_##option)
#define ALCH_TYPE_LAST_POSITIONAL ALCH_TYPE_OPTION_SCALE
/* The options that are words beside the name. */
#define ALCH_TYPE_WORDS (UINT64_C(0) - ALCH_TAKES(NATIONAL))

/* A type by its exact SQL name: one line of schema/exact.def, or of a database's own list. Constant memory. */
typedef struct alch_exact_type {
  const char *name;           /* in Lua: "DOUBLE_PRECISION" */
  const char *word;           /* in SQL: "DOUBLE PRECISION"; NULL: it has a name of its own in the database, which the record's name and schema say */
  uint8_t family;
  uint64_t options;           /* ALCH_TAKES bits */
  const char *dialects;       /* those that know it, with a space between them; NULL: all */
} alch_exact_type;

/* The length of VARCHAR(max) and its like. */
#define ALCH_LENGTH_MAX INT32_MAX

struct alch_block;
struct alch_type_variant;

/* What values and results are asked for comes first. */
typedef struct alch_type {
  uint8_t family;             /* alch_type_family */
  bool timezone;              /* DateTime, Time */
  bool as_number;             /* Numeric{ asdecimal = false }: results are numbers */
  bool native;                /* Enum, Uuid, Interval: the database's own type where it has one */
  bool create_constraint;     /* Enum, Boolean: a CHECK where the type is not native */
  bool inherit_schema;        /* Enum: the schema of its table */
  bool null_as_json;          /* JSON{ none_as_null = false }: nil is JSON's null and not NULL */
  uint8_t dimensions;         /* ARRAY; 0: any number */
  uint32_t variant_count;
  int64_t host;               /* custom type: the host's reference to its conversion; 0: none. `family` is then its impl's */
  /* SQL round each value on its way in, round each column on its way out: blocks with an OPERAND where the value stands, kept by the catalog (alch_catalog_keep_block); or NULL. */
  const struct alch_block *bind_expression, *column_expression;
  int32_t length;             /* String, LargeBinary, Enum: characters or bytes; 0: none given */
  int32_t precision, scale;   /* Numeric, Float; -1: none given. Precision of an exact DateTime or Time: digits of its seconds; of an Interval: of its days, scale: of its seconds */
  alch_type_id item_id;       /* ARRAY: what is in it, an interned type, and its id; or NULL */
  const struct alch_type *item;
  const char *const *items;   /* Enum: the words, in order */
  uint32_t item_count;
  const struct alch_type_variant *variants;   /* what stands in its place in some dialects */
  const alch_exact_type *exact;               /* what it is exactly; NULL: a generic type, which every dialect has its own word for */
  const char *word;           /* its exact name in SQL: that of exact, or another spelling; NULL: none */
  uint64_t words;             /* exact types: ALCH_TAKES bits of words beside the name: UNSIGNED … */
  const char *collation;      /* or NULL */
  const char *name;           /* Enum: name of the type or constraint, or NULL */
  const char *schema;         /* Enum: of the named type, or NULL */
  const char *detail;         /* exact types: the character set of a text, the fields of an INTERVAL; or NULL */
} alch_type;

/* In this dialect the interned type stands in the place of the one that has the variant. */
typedef struct alch_type_variant { const char *dialect; const alch_type *type; alch_type_id id; } alch_type_variant;

#define ALCH_TYPE_PLAIN(family_) ((alch_type){ .family = (family_), .precision = -1, .scale = -1, .native = true })
/* VARCHAR and its like, without arguments: a row of a list. */
#define ALCH_TYPE_EXACT(row) ((alch_type){ .family = (row)->family, .precision = -1, .scale = -1, .native = true, .exact = (row), .word = (row)->word })

/* The standard's exact types, name NULL at the end; and the one with this name, or NULL. */
extern const alch_exact_type alch_exact_types[];
const alch_exact_type *alch_exact_find(const alch_exact_type *list, const char *name);
/* Does the dialect know this exact type? Others may still know its name, without the words that are one database's own. */
bool alch_exact_belongs(const alch_exact_type *exact, const char *dialect);

/* The options that it takes: ALCH_TAKES bits. */
uint64_t alch_type_options(const alch_type *type);

/* The type with everything that it does not take set to the plain value: equal types have equal bytes of meaning. */
alch_type alch_type_relevant(const alch_type *type);

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

/* The type as a dialect sees it: its variant there, else the type itself. */
const alch_type *alch_type_variant_find(const alch_type *type, const char *dialect);
static inline const alch_type *alch_type_in(const alch_type *type, const char *dialect) { return ALCH_LIKELY(type->variant_count == 0) ? type : alch_type_variant_find(type, dialect); }

#endif
