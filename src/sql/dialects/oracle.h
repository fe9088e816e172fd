/* oracle.h - what the files of the Oracle dialect share. Nothing here owns anything. */
#ifndef ALCH_DIALECT_ORACLE_H
#define ALCH_DIALECT_ORACLE_H

#include "sql/compiler.h"

/* Is the server of this version or newer? The record's own version says from which one on it holds. */
static inline bool alch_oracle_since(const alch_dialect *dialect, uint16_t major, uint16_t minor) {
  return dialect->version_major > major || (dialect->version_major == major && dialect->version_minor >= minor);
}

/* "Oracle has no <construct>; <mend>"; before version `since` (0: none has it). */
alch_status alch_oracle_unsupported(alch_compiler *compiler, const char *construct, const char *mend);

extern const struct alch_renderer_override alch_oracle_renderers[];

/* ---- expressions (oracle_render.c, oracle_function.c) ---- */
#define ALCH_ORACLE_RENDERER(name) alch_status alch_oracle_##name(alch_compiler *compiler, const alch_node *node)
ALCH_ORACLE_RENDERER(function); ALCH_ORACLE_RENDERER(extract); ALCH_ORACLE_RENDERER(subscript); ALCH_ORACLE_RENDERER(within_group); ALCH_ORACLE_RENDERER(aggregate_order);
/* ---- clauses (oracle_select.c) ---- */
ALCH_ORACLE_RENDERER(hints); ALCH_ORACLE_RENDERER(limit); ALCH_ORACLE_RENDERER(offset); ALCH_ORACLE_RENDERER(fetch); ALCH_ORACLE_RENDERER(for_update); ALCH_ORACLE_RENDERER(select);
ALCH_ORACLE_RENDERER(compound); ALCH_ORACLE_RENDERER(columns);
/* ---- statements that write (oracle_write.c) ---- */
ALCH_ORACLE_RENDERER(returning);
#undef ALCH_ORACLE_RENDERER

/* ---- DDL (oracle_ddl.c) ---- */
extern const struct alch_ddl_override alch_oracle_ddl_parts[];
extern const struct alch_option_name alch_oracle_options[];

/* ---- types and values (oracle_value.c) ---- */
extern const struct alch_type_word alch_oracle_type_words[];
alch_status alch_oracle_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out, alch_error *error);
alch_status alch_oracle_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error);
alch_status alch_oracle_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error);
alch_status alch_oracle_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, bool *written, alch_error *error);
bool alch_oracle_converts(const alch_type *type, bool to_database);

extern const alch_transaction_words alch_oracle_transactions;   /* oracle_transaction.c */

#endif
