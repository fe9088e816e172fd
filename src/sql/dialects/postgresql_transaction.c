/* https://www.postgresql.org/docs/current/sql-begin.html, sql-prepare-transaction.html */
#include "sql/dialects/postgresql.h"

static const alch_isolation levels[] = {
  { .name = "READ COMMITTED" }, { .name = "REPEATABLE READ" }, { .name = "SERIALIZABLE" }, { .name = "READ UNCOMMITTED" }, { .name = "AUTOCOMMIT", .autocommit = true }, { .name = NULL },
};

static const char *const prepare[] = { "PREPARE TRANSACTION %", NULL }, *const commit[] = { "COMMIT PREPARED %", NULL },
                  *const rollback[] = { "ROLLBACK PREPARED %", NULL };

const alch_transaction_words alch_postgresql_transactions = {
  .levels = levels,
  .begin = "BEGIN",
  .begin_level = " ISOLATION LEVEL %",
  .begin_read_only = " READ ONLY",
  .begin_deferrable = " DEFERRABLE",
  .savepoint = "SAVEPOINT %",
  .release = "RELEASE SAVEPOINT %",
  .rollback_to = "ROLLBACK TO SAVEPOINT %",
  .begin_twophase = "BEGIN",
  .prepare = prepare,
  .commit_prepared = commit,
  .rollback_prepared = rollback,
  .recover = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared",
};
