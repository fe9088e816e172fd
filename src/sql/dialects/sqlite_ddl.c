/* DDL that SQLite writes in its own way (https://www.sqlite.org/lang_createtable.html). */
#include "sql/ddl_part.h"
#include "sql/dialects/sqlite.h"
#include <string.h>
#include <strings.h>

/* ON CONFLICT takes five words only. */
static alch_status on_conflict(alch_ddl *d, const char *word) {
  static const char *const words[] = { "ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE" };
  if (!word) return ALCH_OK;
  for (size_t i = 0; i < ALCH_COUNT(words); i++) {
    if (strcasecmp(word, words[i]) != 0) continue;
    alch_buffer_add_format(d->out, " ON CONFLICT %s", word);
    return ALCH_OK;
  }
  return alch_error_set(d->error, ALCH_ERROR_ARGUMENT, "sqlite_on_conflict cannot be '%s'; it is one of ROLLBACK, ABORT, FAIL, IGNORE, REPLACE", word);
}

static alch_status not_null(alch_ddl *d) {
  if (d->column->nullable) return ALCH_OK;
  alch_ddl_add(d, " NOT NULL");
  return on_conflict(d, alch_ddl_option_text(d, &d->column->options, "on_conflict_not_null"));
}

/* AUTOINCREMENT stands behind PRIMARY KEY in the column, and nowhere else. */
static alch_status column_key(alch_ddl *d) {
  const alch_table *table = d->column->table;
  const alch_type *type = alch_catalog_type(d->catalog, d->column->type);
  bool alone = table->primary_key->column_count == 1;
  if (d->column->autoincrement == ALCH_AUTOINCREMENT_YES && !alone)
    return alch_error_set(d->error, ALCH_ERROR_COMPILE, "SQLite does not support autoincrement for composite primary keys");
  if (alch_ddl_option_truth(d, &table->options, "autoincrement") != 1 || !alone || !alch_type_is_integer(type->family) || alch_column_foreign_key(d->column, NULL)) return ALCH_OK;
  d->key_is_written = true;
  alch_ddl_add(d, " PRIMARY KEY");
  alch_status status = on_conflict(d, alch_ddl_option_text(d, &d->column->options, "on_conflict_primary_key"));
  alch_ddl_add(d, " AUTOINCREMENT");
  return status;
}

/* That of the constraint, or of its only column. */
static const char *conflict_of(const alch_ddl *d, const char *column_option) {
  const alch_constraint *constraint = d->constraint;
  const char *word = alch_ddl_option_text(d, &constraint->options, "on_conflict");
  return word || !column_option || constraint->column_count != 1 ? word : alch_ddl_option_text(d, &constraint->columns[0]->options, column_option);
}

static alch_status constraint_suffix(alch_ddl *d) {
  switch (d->constraint->kind) {
    case ALCH_CONSTRAINT_PRIMARY_KEY: return on_conflict(d, conflict_of(d, "on_conflict_primary_key"));
    case ALCH_CONSTRAINT_UNIQUE: return on_conflict(d, conflict_of(d, "on_conflict_unique"));
    case ALCH_CONSTRAINT_CHECK:
      if (d->constraint->of_column && conflict_of(d, NULL))
        return alch_error_set(d->error, ALCH_ERROR_COMPILE, "SQLite does not support on conflict clause for column check constraint");
      return on_conflict(d, conflict_of(d, NULL));
    default: return ALCH_OK;
  }
}

static alch_status table_suffix(alch_ddl *d) {
  bool without = alch_ddl_option_truth(d, &d->table->options, "with_rowid") == 0, strict = alch_ddl_option_truth(d, &d->table->options, "strict") == 1;
  if (without) alch_ddl_add(d, "\n WITHOUT ROWID");
  if (strict) alch_ddl_add(d, without ? ",\n STRICT" : "\n STRICT");
  return ALCH_OK;
}

const struct alch_ddl_override alch_sqlite_ddl_parts[] = {
  { ALCH_DDL_PART_COLUMN_NOT_NULL, not_null }, { ALCH_DDL_PART_COLUMN_KEY, column_key },     { ALCH_DDL_PART_CONSTRAINT_SUFFIX, constraint_suffix },
  { ALCH_DDL_PART_TABLE_SUFFIX, table_suffix }, { 0, NULL },
};
