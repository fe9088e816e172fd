/* mysql.h - what the files of the MySQL and MariaDB dialects share: the two have one language, with traits that tell their versions apart. Nothing here owns anything. */
#ifndef ALCH_DIALECT_MYSQL_H
#define ALCH_DIALECT_MYSQL_H

#include "sql/dialect.h"

/* Where the texts of the servers part. */
typedef enum alch_mysql_trait {
  ALCH_MYSQL_ROW_ALIAS = 1,             /* INSERT … VALUES (…) AS new ON DUPLICATE KEY UPDATE a = new.a; else VALUES(a) */
  ALCH_MYSQL_FOR_SHARE = 2,             /* FOR SHARE, and OF; else LOCK IN SHARE MODE */
  ALCH_MYSQL_LOCK_WAITS = 4,            /* NOWAIT, SKIP LOCKED */
  ALCH_MYSQL_FLOAT_CAST = 8,            /* CAST(x AS FLOAT), AS DOUBLE */
  ALCH_MYSQL_DEFAULT_EXPRESSIONS = 16,  /* DEFAULT (expression) */
  ALCH_MYSQL_VALUES_ROW = 32,           /* (VALUES ROW(…), …) AS v (a, b) */
  ALCH_MYSQL_REGEXP_FUNCTIONS = 64,     /* REGEXP_REPLACE, and REGEXP_LIKE with flags */
  ALCH_MYSQL_REGEXP_INLINE_FLAGS = 128, /* flags stand in the pattern, (?i), and REGEXP_REPLACE is there */
  ALCH_MYSQL_FETCH = 256,          /* OFFSET … FETCH FIRST … ROWS ONLY or WITH TIES */
  ALCH_MYSQL_NATIVE_UUID = 1024,        /* the type UUID, in its text with dashes */
  ALCH_MYSQL_JSON_TYPE = 2048,          /* JSON is a type of its own, so that CAST knows it */
  ALCH_MYSQL_NO_CHECK = 4096,           /* CHECK is read and forgotten */
  ALCH_MYSQL_WITHIN_GROUP = 8192,       /* percentile_cont and its kin, as window functions */
  ALCH_MYSQL_COMPUTED_NOT_NULL = 16384, /* a generated column may be NOT NULL, or a key */
  ALCH_MYSQL_DROP_CHECK = 32768         /* DROP CHECK in place of DROP CONSTRAINT */
} alch_mysql_trait;

/* MariaDB has a sequence among its tables, and MySQL none. */
#define ALCH_MYSQL_HAS_TABLE "SELECT 1 FROM information_schema.tables WHERE table_name = ? AND table_schema = COALESCE(?, DATABASE())"

/* MariaDB's records under the name of MySQL. */
extern const alch_dialect alch_dialect_mysql_mariadb, alch_dialect_mysql_mariadb_10_5;
extern const struct alch_option_name alch_mysql_options[];

bool alch_mysql_has(const alch_dialect *dialect, alch_mysql_trait trait);

extern const struct alch_renderer_override alch_mysql_renderers[];
extern const uint8_t alch_mysql_select_clauses[], alch_mysql_update_clauses[], alch_mysql_delete_clauses[];
extern const char *const alch_mysql_operator_spellings[];
extern const struct alch_function_spelling alch_mysql_functions[];
extern const uint8_t alch_mysql_column_parts[];

/* Statements and their clauses. */
struct alch_compiler;
struct alch_node;
#define ALCH_RENDERER(name) alch_status alch_mysql_##name(struct alch_compiler *compiler, const struct alch_node *node)
ALCH_RENDERER(from); ALCH_RENDERER(join); ALCH_RENDERER(limit); ALCH_RENDERER(offset); ALCH_RENDERER(fetch); ALCH_RENDERER(for_update); ALCH_RENDERER(on_conflict);
ALCH_RENDERER(on_duplicate_key); ALCH_RENDERER(excluded);
#undef ALCH_RENDERER
alch_status alch_mysql_source_hint(struct alch_compiler *compiler, const struct alch_node *words, bool before);

/* Types, in CREATE TABLE and in CAST. alch_mysql_cast_type answers false when CAST has no word for the type. */
alch_status alch_mysql_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, struct alch_buffer *out, alch_error *error);
extern const struct alch_type_word alch_mysql_type_words[], alch_mariadb_type_words[];
bool alch_mysql_cast_type(const alch_dialect *dialect, const alch_type *type, struct alch_buffer *out);

/* What the primary key's column has in its line, and what stands behind the table. */
extern const struct alch_ddl_override alch_mysql_ddl_parts[];

/* Values: dates, times and booleans go as they are, as the binary protocol has forms for them. */
alch_status alch_mysql_to_database(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);
alch_status alch_mysql_from_database(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);
alch_status alch_mysql_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, struct alch_buffer *out, bool *written, alch_error *error);
bool alch_mysql_converts(const alch_type *type, bool to_database);
alch_status alch_mariadb_to_database(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);

extern const alch_transaction_words alch_mysql_transactions;   /* mysql_transaction.c */

#endif
