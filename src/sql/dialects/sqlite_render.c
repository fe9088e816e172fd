/* Expressions that SQLite spells in its own way. */
#include "sql/block.h"
#include "sql/dialects/sqlite.h"

const struct alch_renderer_override alch_sqlite_renderers[] = {
  { 0, NULL },
};
