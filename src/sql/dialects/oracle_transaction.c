/* https://docs.oracle.com/en/database/oracle/oracle-database/19/sqlrf/SET-TRANSACTION.html: the first statement of the transaction that it is about. */
#include "sql/dialects/oracle.h"

static const alch_isolation levels[] = { { .name = "READ COMMITTED" }, { .name = "SERIALIZABLE" }, { .name = "AUTOCOMMIT", .autocommit = true }, { .name = NULL } };

const alch_transaction_words alch_oracle_transactions = {
  .levels = levels,
  .begin = "",
  .set_level = "SET TRANSACTION ISOLATION LEVEL %",
  .set_read_only = "SET TRANSACTION READ ONLY",
  .savepoint = "SAVEPOINT %",
  .rollback_to = "ROLLBACK TO SAVEPOINT %",
};
