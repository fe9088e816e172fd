/* ddl.h - DDL, straight from the schema records.
   A statement says what is to be done to which record; it borrows everything. */
#ifndef ALCH_DDL_H
#define ALCH_DDL_H

#include "sql/compile.h"

typedef enum alch_ddl_kind {
  ALCH_DDL_TABLE,                /* table; a view or CREATE TABLE AS where it has one */
  ALCH_DDL_INDEX,                /* index */
  ALCH_DDL_CONSTRAINT,           /* constraint: ALTER TABLE */
  ALCH_DDL_SEQUENCE,             /* sequence */
  ALCH_DDL_SCHEMA,               /* schema */
  ALCH_DDL_TYPE,                 /* type */
  ALCH_DDL_TABLE_COMMENT,        /* table */
  ALCH_DDL_COLUMN_COMMENT,       /* column */
  ALCH_DDL_CONSTRAINT_COMMENT,   /* constraint */
  ALCH_DDL_ATTACHMENT,           /* table: what makes it a part of another, once it and its indexes are there */
  ALCH_DDL_KIND_COUNT
} alch_ddl_kind;

typedef struct alch_ddl_statement {
  uint8_t kind;                  /* alch_ddl_kind */
  uint8_t action;                /* alch_ddl_action */
  bool if_exists;                /* IF NOT EXISTS of CREATE, IF EXISTS of DROP */
  bool cascade;                  /* DROP of a schema or constraint */
  const alch_table *table;
  const alch_column *column;
  const alch_constraint *constraint;
  const alch_index *index;
  const alch_sequence *sequence;
  const alch_type *type;
  const char *schema;
  const alch_constraint *const *omitted;   /* CREATE TABLE: foreign keys that close a cycle and are added afterwards */
  uint32_t omitted_count;
} alch_ddl_statement;

/* Errors: COMPILE, UNSUPPORTED_COMPILATION, IDENTIFIER, ARGUMENT, those of unresolved foreign keys. */
alch_status alch_compile_ddl(const alch_catalog *catalog, const alch_dialect *dialect, const alch_ddl_statement *statement, alch_buffer *out, alch_error *error);
/* One column as CREATE TABLE and ADD COLUMN have it. *is_key: the text makes it the primary key. */
alch_status alch_compile_column(const alch_dialect *dialect, const alch_column *column, bool *is_key, alch_buffer *out, alch_error *error);
/* "schema"."table", quoted as needed. */
void alch_quote_table(const alch_dialect *dialect, const alch_table *table, bool with_schema, alch_buffer *out);
/* Is a thing with this condition (ddl_if) created on this dialect? `thing` is the record that carries it. HOST_ERROR when the host's function fails. */
alch_status alch_ddl_wanted(const alch_catalog *catalog, const alch_dialect *dialect, const alch_condition *condition, const void *thing, bool *wanted, alch_error *error);
/* Does the dialect make use of this sequence? Not of any where there are none, nor of optional ones where keys number themselves. */
bool alch_ddl_uses_sequence(const alch_dialect *dialect, const alch_sequence *sequence);

/* What creating or dropping a whole metadata comes to. */
typedef struct alch_ddl_plan {
  const alch_allocator *allocator;
  alch_ddl_statement *statements;
  uint32_t count, capacity;
  alch_table **tables;           /* those of it, in the order of creation */
  uint32_t table_count;
  alch_constraint **cycle;       /* foreign keys that stand alone; the statements point to these */
  uint32_t cycle_count;
} alch_ddl_plan;

/* The statements for the tables chosen (by their place in alch_metadata_sorted; NULL: all), in their order. CREATE: types and sequences of these tables (`everything`: all sequences of
   the metadata), tables, each with its indexes, attachment and comments, foreign keys that close a cycle; DROP: the other way round, types and sequences only with `everything`. Whoever gives a plan back closes it, after an error too. */
alch_status alch_ddl_plan_make(alch_ddl_plan *plan, const alch_dialect *dialect, alch_metadata *metadata, alch_ddl_action action, const bool *chosen, bool everything, alch_error *error);
void alch_ddl_plan_close(alch_ddl_plan *plan);
/* The table that a statement of a plan belongs to: its own, its index's, its comment's. NULL: to none (a sequence, a foreign key that stands alone). */
const alch_table *alch_ddl_owner(const alch_ddl_statement *statement);

#endif
