/* https://mariadb.com/kb/en/set-transaction/ (without SESSION it is for the next transaction alone), start-transaction, xa-transactions: an XA transaction leaves its active state before it ends. */
#include "sql/dialects/mysql.h"

static const alch_isolation levels[] = {
  { .name = "READ UNCOMMITTED" }, { .name = "READ COMMITTED" }, { .name = "REPEATABLE READ" }, { .name = "SERIALIZABLE" }, { .name = "AUTOCOMMIT", .autocommit = true }, { .name = NULL },
};

static const char *const prepare[] = { "XA END %", "XA PREPARE %", NULL }, *const commit[] = { "XA COMMIT %", NULL },
                  *const rollback[] = { "XA ROLLBACK %", NULL }, *const rollback_unprepared[] = { "XA END %", "XA ROLLBACK %", NULL };

const alch_transaction_words alch_mysql_transactions = {
  .levels = levels,
  .begin = "START TRANSACTION",
  .begin_read_only = " READ ONLY",
  .set_level = "SET TRANSACTION ISOLATION LEVEL %",
  .savepoint = "SAVEPOINT %",
  .release = "RELEASE SAVEPOINT %",
  .rollback_to = "ROLLBACK TO SAVEPOINT %",
  .begin_twophase = "XA START %",
  .twophase_read_only = "SET TRANSACTION READ ONLY",
  .prepare = prepare,
  .commit_prepared = commit,
  .rollback_prepared = rollback,
  .rollback_unprepared = rollback_unprepared,
  .recover = "XA RECOVER",
  .recover_column = 3,
};
