/* https://sqlite.org/pragma.html#pragma_read_uncommitted, #pragma_query_only: both are settings of the connection. Reading uncommitted rows means something in a shared cache alone. */
#include "sql/dialects/sqlite.h"

static const alch_isolation levels[] = {
  { .name = "SERIALIZABLE", .words = "0" }, { .name = "READ UNCOMMITTED", .words = "1" }, { .name = "AUTOCOMMIT", .autocommit = true }, { .name = NULL },
};

/* https://sqlite.org/lang_transaction.html: who begins with IMMEDIATE has the right to write at once, and is not refused later because another was quicker. */
static const alch_begin_mode begin_modes[] = { { "DEFERRED", "BEGIN" }, { "IMMEDIATE", "BEGIN IMMEDIATE" }, { "EXCLUSIVE", "BEGIN EXCLUSIVE" }, { NULL, NULL } };

const alch_transaction_words alch_sqlite_transactions = {
  .levels = levels,
  .begin = "BEGIN",
  .begin_modes = begin_modes,
  .set_level = "PRAGMA read_uncommitted = %",
  .reset_level = "PRAGMA read_uncommitted = 0",
  .set_read_only = "PRAGMA query_only = 1",
  .reset_read_only = "PRAGMA query_only = 0",
  .savepoint = "SAVEPOINT %",
  .release = "RELEASE SAVEPOINT %",
  .rollback_to = "ROLLBACK TO SAVEPOINT %",
};
