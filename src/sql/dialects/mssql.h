/* mssql.h - what the files of the SQL Server dialect share. Nothing here owns anything. */
#ifndef ALCH_DIALECT_MSSQL_H
#define ALCH_DIALECT_MSSQL_H

#include "sql/compiler.h"

/* Servers by their major version. */
enum { ALCH_MSSQL_2008 = 10, ALCH_MSSQL_2012 = 11, ALCH_MSSQL_2016 = 13, ALCH_MSSQL_2017 = 14, ALCH_MSSQL_2022 = 16 };
static inline bool alch_mssql_since(const alch_dialect *dialect, uint16_t major) { return dialect->version_major >= major; }
/* Fails unless the server is of this version or newer; year: how people call it. */
bool alch_mssql_require(alch_compiler *compiler, uint16_t major, const char *construct, const char *year);

alch_status alch_mssql_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out, alch_error *error);
/* Digits behind the point of a Numeric that says nothing of them. */
enum { ALCH_MSSQL_NUMERIC_SCALE = 18 };
alch_status alch_mssql_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error);
alch_status alch_mssql_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error);
bool alch_mssql_converts(const alch_type *type, bool to_database);
alch_status alch_mssql_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, bool *written, alch_error *error);

extern const struct alch_ddl_override alch_mssql_ddl_parts[];

/* The renderers of the dialect, by file. */
#define ALCH_MSSQL_RENDERER(name) alch_status alch_mssql_##name(alch_compiler *compiler, const alch_node *node)
/* mssql_expression.c */
ALCH_MSSQL_RENDERER(binary); ALCH_MSSQL_RENDERER(unary); ALCH_MSSQL_RENDERER(function); ALCH_MSSQL_RENDERER(cast); ALCH_MSSQL_RENDERER(extract); ALCH_MSSQL_RENDERER(collate); ALCH_MSSQL_RENDERER(over);
ALCH_MSSQL_RENDERER(frame); ALCH_MSSQL_RENDERER(within_group); ALCH_MSSQL_RENDERER(regexp); ALCH_MSSQL_RENDERER(next_value);
/* mssql_json.c */
ALCH_MSSQL_RENDERER(subscript);
/* mssql_tuple.c */
ALCH_MSSQL_RENDERER(tuple_in); ALCH_MSSQL_RENDERER(tuple_compare);
bool alch_mssql_is_tuple(const alch_node *node);
/* mssql_select.c */
ALCH_MSSQL_RENDERER(select); ALCH_MSSQL_RENDERER(compound); ALCH_MSSQL_RENDERER(members); ALCH_MSSQL_RENDERER(columns); ALCH_MSSQL_RENDERER(order_by); ALCH_MSSQL_RENDERER(hints);
/* mssql_from.c */
ALCH_MSSQL_RENDERER(from); ALCH_MSSQL_RENDERER(join);
alch_status alch_mssql_source_hint(alch_compiler *compiler, const alch_node *words, bool before);
/* mssql_dml.c */
ALCH_MSSQL_RENDERER(returning);
#undef ALCH_MSSQL_RENDERER

extern const alch_transaction_words alch_mssql_transactions;   /* mssql_transaction.c */

#endif
