/* https://sqlite.org/pragma.html#pragma_read_uncommitted, #pragma_query_only: both are settings of the connection. Reading uncommitted rows means something in a shared cache alone. */
#include "sql/dialects/sqlite.h"

static const alch_isolation levels[] = {
  { .name = "SERIALIZABLE", .words = "0" }, { .name = "READ UNCOMMITTED", .words = "1" }, { .name = "AUTOCOMMIT", .autocommit = true }, { .name = NULL },
};

const alch_transaction_words alch_sqlite_transactions = {
  .levels = levels,
  .begin = "BEGIN",
  .set_level = "PRAGMA read_uncommitted = %",
  .reset_level = "PRAGMA read_uncommitted = 0",
  .set_read_only = "PRAGMA query_only = 1",
  .reset_read_only = "PRAGMA query_only = 0",
  .savepoint = "SAVEPOINT %",
  .release = "RELEASE SAVEPOINT %",
  .rollback_to = "ROLLBACK TO SAVEPOINT %",
};
