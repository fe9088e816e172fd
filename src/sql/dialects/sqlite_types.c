/* SQLite's own types: a column may be called anything, and the standard's names do. */
#include "schema/type.h"

extern const alch_exact_type alch_sqlite_types[];

const alch_exact_type alch_sqlite_types[] = {
  { "JSON", "JSON", ALCH_TYPE_JSON, ALCH_TAKES(NONE_AS_NULL), "sqlite" },
  { NULL, NULL, 0, 0, NULL },
};
