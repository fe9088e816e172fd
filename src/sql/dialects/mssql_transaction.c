/* https://learn.microsoft.com/sql/t-sql/statements/set-transaction-isolation-level-transact-sql: a setting of the session. */
#include "sql/dialects/mssql.h"

static const alch_isolation levels[] = {
  { .name = "READ UNCOMMITTED" }, { .name = "READ COMMITTED" }, { .name = "REPEATABLE READ" }, { .name = "SNAPSHOT" },
  { .name = "SERIALIZABLE" },     { .name = "AUTOCOMMIT", .autocommit = true }, { .name = NULL },
};

const alch_transaction_words alch_mssql_transactions = {
  .levels = levels,
  .begin = "BEGIN TRANSACTION",
  .set_level = "SET TRANSACTION ISOLATION LEVEL %",
  .reset_level = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
  .savepoint = "SAVE TRANSACTION %",
  .rollback_to = "ROLLBACK TRANSACTION %",
};
