/* sqlite.h - what the files of the SQLite dialect share. Nothing here owns anything. */
#ifndef ALCH_DIALECT_SQLITE_H
#define ALCH_DIALECT_SQLITE_H

#include "sql/dialect.h"

/* How values of each type are stored, so that SQLAlchemy and we can read the same file. */
alch_status alch_sqlite_to_column(const alch_type *type, alch_value *value, alch_error *error);
alch_status alch_sqlite_to_database(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);
alch_status alch_sqlite_from_database(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);
alch_status alch_sqlite_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, struct alch_buffer *out, bool *written, alch_error *error);
bool alch_sqlite_converts(const alch_type *type, bool to_database);

extern const struct alch_renderer_override alch_sqlite_renderers[];
extern const struct alch_ddl_override alch_sqlite_ddl_parts[];

extern const alch_transaction_words alch_sqlite_transactions;   /* sqlite_transaction.c */

#endif
