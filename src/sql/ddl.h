/* ddl.h - DDL beside what compile.h has, for callers that choose what a table is created with.
   Nothing here owns anything. */
#ifndef ALCH_DDL_H
#define ALCH_DDL_H

#include "sql/compile.h"

/* CREATE TABLE without these foreign keys, which close a cycle and are added by alch_compile_constraint afterwards. */
alch_status alch_compile_table_without(const alch_dialect *dialect, const alch_table *table, bool if_not_exists, const alch_constraint *const *omitted, uint32_t omitted_count,
                                       alch_buffer *out, alch_error *error);
/* One column as CREATE TABLE and ADD COLUMN have it. *is_key: the text makes it the primary key. */
alch_status alch_compile_column(const alch_dialect *dialect, const alch_column *column, bool *is_key, alch_buffer *out, alch_error *error);
/* "schema"."table", quoted as needed. */
void alch_quote_table(const alch_dialect *dialect, const alch_table *table, bool with_schema, alch_buffer *out);
/* COMMENT ON TABLE (column NULL) or COLUMN; comment NULL takes it away. */
alch_status alch_compile_comment(const alch_dialect *dialect, const alch_table *table, const alch_column *column, alch_buffer *out, alch_error *error);

#endif
