/* value.h - one value on its way between host, core and driver.
   A value owns nothing: text is borrowed, and each function that hands one out says for how long. */
#ifndef ALCH_VALUE_H
#define ALCH_VALUE_H

#include "base/base.h"

typedef enum alch_value_kind {
  ALCH_NULL,
  ALCH_INTEGER,    /* integer */
  ALCH_REAL,       /* real */
  ALCH_BOOLEAN,    /* integer 0 or 1 */
  ALCH_TEXT,       /* text, length; UTF-8, may hold zero bytes only where the database can */
  ALCH_BLOB,       /* text, length */
  ALCH_DECIMAL,    /* text, length: canonical decimal text, see decimal.h */
  ALCH_DATE,       /* integer: days since 1970-01-01, proleptic Gregorian */
  ALCH_TIME,       /* integer: microseconds since midnight */
  ALCH_DATETIME,   /* integer: microseconds since 1970-01-01 00:00:00 (of UTC when the type has a time zone) */
  ALCH_INTERVAL,   /* integer: microseconds */
  ALCH_HOST,       /* integer: a reference that only the host understands (custom types, callables) */
  ALCH_LIST,       /* integer: count; the items follow in the same sequence (expanding IN) */
  ALCH_VALUE_KIND_COUNT
} alch_value_kind;

typedef struct alch_value {
  uint8_t kind;        /* alch_value_kind */
  uint32_t length;     /* of text, in bytes */
  union {
    int64_t integer;
    double real;
    const char *text;
  };
} alch_value;

_Static_assert(sizeof(alch_value) == 16, "values travel by the million");

static inline bool alch_value_has_text(uint8_t kind) { return kind == ALCH_TEXT || kind == ALCH_BLOB || kind == ALCH_DECIMAL; }

#define ALCH_VALUE_NULL ((alch_value){ .kind = ALCH_NULL })
static inline alch_value alch_value_integer(int64_t integer) { return (alch_value){ .kind = ALCH_INTEGER, .integer = integer }; }
static inline alch_value alch_value_real(double real) { return (alch_value){ .kind = ALCH_REAL, .real = real }; }
static inline alch_value alch_value_boolean(bool truth) { return (alch_value){ .kind = ALCH_BOOLEAN, .integer = truth }; }
static inline alch_value alch_value_text(const char *text, size_t length) { return (alch_value){ .kind = ALCH_TEXT, .length = (uint32_t)length, .text = text }; }

/* Same kind and same content. */
bool alch_value_equal(const alch_value *left, const alch_value *right);
const char *alch_value_kind_name(uint8_t kind);

struct alch_buffer;
/* Readable, as it stands in logs and error messages: quoted text shortened past `limit` bytes (0: whole), blobs in hexadecimal. */
void alch_value_print(const alch_value *value, struct alch_buffer *out, size_t limit);

#endif
