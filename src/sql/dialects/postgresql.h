/* postgresql.h - what the files of the PostgreSQL dialect share. Nothing here owns anything. */
#ifndef ALCH_DIALECT_POSTGRESQL_H
#define ALCH_DIALECT_POSTGRESQL_H

#include "sql/dialect.h"

/* Type names as CREATE TABLE and CAST have them. */
extern const struct alch_type_word alch_postgresql_type_words[];
/* The name of an enumeration, which is a type of its own in the database. */
alch_status alch_postgresql_own_name(const alch_dialect *dialect, const alch_type *type, struct alch_buffer *out, alch_error *error);
alch_status alch_postgresql_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, struct alch_buffer *out, alch_error *error);

/* Options of tables, indexes and constraints, and the DDL that has them. */
extern const struct alch_option_name alch_postgresql_options[];
extern const struct alch_ddl_override alch_postgresql_ddl_parts[];
bool alch_postgresql_names_type(const alch_type *type);
const char *alch_postgresql_part_of(const alch_table *table);

/* Values as the server reads and writes them in its text format. */
alch_status alch_postgresql_to_database(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);
alch_status alch_postgresql_from_database(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);
bool alch_postgresql_converts(const alch_type *type, bool to_database);
/* Values as literals. */
alch_status alch_postgresql_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, struct alch_buffer *out, bool *written, alch_error *error);

/* Is it an array that ARRAY[…] does not make of such items by itself? */
bool alch_postgresql_is_cast_array(const alch_type *type);
/* ::INTEGER[] */
alch_status alch_postgresql_cast(const alch_dialect *dialect, const alch_type *type, struct alch_buffer *out, alch_error *error);
/* ::UUID behind a placeholder. */
alch_status alch_postgresql_placeholder_cast(const alch_dialect *dialect, const alch_type *type, struct alch_buffer *out, alch_error *error);
/* How a column of this type takes the items of an array. */
uint8_t alch_postgresql_array_form(const alch_dialect *dialect, const alch_type *type);
/* Are parts of it written value['key'] rather than value -> 'key'? */
bool alch_postgresql_takes_subscripts(const alch_dialect *dialect, const alch_type *type);

alch_status alch_postgresql_source_hint(struct alch_compiler *compiler, const struct alch_node *words, bool before);
extern const struct alch_renderer_override alch_postgresql_renderers[];

/* Does the record hold for servers of this version and later ones alone? */
static inline bool alch_postgresql_since(const alch_dialect *dialect, uint16_t major) { return dialect->version_major >= major; }

extern const alch_transaction_words alch_postgresql_transactions;   /* postgresql_transaction.c */

#endif
