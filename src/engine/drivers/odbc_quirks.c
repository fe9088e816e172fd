/* ODBC leads to any database; what a dialect's databases want of it stands here, in one table. */
#include "engine/drivers/odbc_private.h"
#include <string.h>

/* The driver for PostgreSQL: BoolsAsChar=0 has booleans described as bits. Protocol=7.4-0: no savepoint of the driver's own round each statement, so that a failed statement ends a transaction as it does with
   the database's own library. Its moments with a zone come without their offset, in the session's zone, which is therefore UTC.
   psqlODBC's server-side statements fail for good when a table has changed under them, so there are none.
   OPTION=2 is CLIENT_FOUND_ROWS: rows that an UPDATE finds are counted, also those that stay as they are.
   SQLite has integers and texts where columns are declared as booleans and moments.
   Oracle has no RELEASE; SQL Server has neither that nor the standard's words for the rest. */
static const alch_odbc_quirks rows[] = {
  { .dialect = "postgresql", .keywords = "BoolsAsChar=0;Protocol=7.4-0;UseServerSidePrepare=0", .session = "SET TIME ZONE 'UTC'", .probe = "SELECT 1", .dollars = true },
  { .dialect = "sqlite", .session = "PRAGMA foreign_keys = ON", .probe = "SELECT 1", .last_key = "SELECT last_insert_rowid()", .few_kinds = true, .utf8_texts = true, .nan_is_null = true, .single_blobs = true, .utf8_statements = true },
  { .dialect = "mysql", .keywords = "OPTION=2;CHARSET=utf8mb4", .probe = "SELECT 1", .last_key = "SELECT LAST_INSERT_ID()", .trusts_sizes = true, .utf8_texts = true },
  { .dialect = "mariadb", .keywords = "OPTION=2;CHARSET=utf8mb4", .probe = "SELECT 1", .last_key = "SELECT LAST_INSERT_ID()", .trusts_sizes = true, .utf8_texts = true },
  { .dialect = "mssql", .place = ALCH_ODBC_PLACE_COMMA, .probe = "SELECT 1", .savepoint = "SAVE TRANSACTION ", .rollback_to = "ROLLBACK TRANSACTION ", .release = "", .trusts_sizes = true },
  { .dialect = "oracle", .place = ALCH_ODBC_PLACE_SERVICE, .session = "ALTER SESSION SET TIME_ZONE = '+00:00'", .probe = "SELECT 1 FROM DUAL", .rollback_to = "ROLLBACK TO SAVEPOINT ", .release = "",
    .integers_as_text = true, .trusts_sizes = true },
};
static const alch_odbc_quirks others = { .dialect = "", .probe = "SELECT 1" };

static const alch_odbc_quirks *find(const char *dialect) {
  for (size_t i = 0; i < ALCH_COUNT(rows) && dialect; i++)
    if (strcmp(rows[i].dialect, dialect) == 0) return &rows[i];
  return NULL;
}

const alch_odbc_quirks *alch_odbc_quirks_find(const alch_url *url) {
  const alch_odbc_quirks *quirks = find(url->dialect);
  if (!quirks) quirks = find(url->driver);
  return quirks ? quirks : &others;
}
