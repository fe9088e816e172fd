/* compile.h - a block becomes SQL text in one walk.
   A compiled statement is immutable and counted: alch_compiled_hold and alch_compiled_release (thread-safe); it points into the catalog (types, columns), which must outlive it. */
#ifndef ALCH_COMPILE_H
#define ALCH_COMPILE_H

#include "sql/block.h"
#include "sql/dialect.h"

/* What a list stands behind. */
enum { ALCH_SET_PLAIN, ALCH_SET_IN, ALCH_SET_NOT_IN };

typedef enum alch_slot_kind {
  ALCH_SLOT_VALUE,        /* record number `ordinal` of the block's value area */
  ALCH_SLOT_EXPANDING,    /* the same, a list: its items take the place of one placeholder, see alch_compiled_expand */
  ALCH_SLOT_LITERAL,      /* the same, one value or a list, written into the text when executing: no placeholder is left */
  ALCH_SLOT_OUT,          /* the database writes into it: column `column` of a row that RETURNING … INTO gives */
  ALCH_SLOT_DEFAULT       /* a client-side default of `column`, asked for when executing */
} alch_slot_kind;

/* One placeholder, in the order of the placeholders. */
typedef struct alch_slot {
  uint8_t kind;
  bool converts;             /* the dialect's to_database applies */
  bool required;             /* a named bind without a value: the execution must give one */
  bool update;               /* DEFAULT: the column's onupdate is meant */
  bool list;                 /* a list is wanted, and no single value */
  uint8_t set;               /* of a list: ALCH_SET_: what it means when it is empty */
  uint16_t width;            /* of a list: items of one tuple; 0: no tuples */
  uint32_t ordinal;          /* UINT32_MAX: no record; the value comes by name or default only */
  const char *label;         /* what stands behind the colon, where placeholders have names; NULL elsewhere */
  const char *name;          /* NULL: unnamed. An execution may give a value by this name */
  const alch_type *type;
  const alch_column *column; /* DEFAULT: whose; VALUE of an insert or update: the column written, or NULL */
  const char *before, *behind;   /* of a list: what stands round each item; NULL: nothing */
  size_t offset;             /* where in the text its placeholder (?, $n, :name) stands; EXPANDING has a single one */
  size_t length;             /* of the placeholder */
} alch_slot;

typedef struct alch_result_column {
  const char *name;          /* label or column name */
  const char *key;           /* the key of the column that it is, even where name had to be told from another (id_1); else the name */
  alch_type_id type_id;
  const alch_type *type;
  bool converts;             /* from_database applies */
  uint32_t source, index;    /* COLUMN: its source id and place; 0 else */
  uint32_t place;            /* number of the item of the select list it came from (an ENTITY gives several columns) */
} alch_result_column;

typedef enum alch_statement_kind { ALCH_STATEMENT_SELECT, ALCH_STATEMENT_INSERT, ALCH_STATEMENT_UPDATE, ALCH_STATEMENT_DELETE, ALCH_STATEMENT_TEXT, ALCH_STATEMENT_DDL } alch_statement_kind;

typedef struct alch_compiled {
  const alch_allocator *allocator;
  uint32_t references;                   /* use hold and release */
  uint8_t kind;                          /* alch_statement_kind */
  bool returns_rows;                     /* known to; a TEXT is asked of the driver */
  bool expands;                          /* some slot is EXPANDING or LITERAL: the text depends on the values */
  bool bulk_insert;                      /* one row, no RETURNING: may be run for many parameter sets */
  bool open_columns;                     /* a * or a TEXT in the select list: there may be more columns than are listed, or others; match them by name */
  bool has_values;                       /* some DEFAULT or named slot: not every slot comes from the block */
  uint64_t hash;                         /* of the cache key */
  char *sql;
  size_t sql_length;
  alch_slot *slots;
  uint32_t slot_count;
  uint32_t value_count;                  /* records that the block must have */
  alch_result_column *columns;
  uint32_t column_count;
  alch_table *table;                     /* INSERT, UPDATE, DELETE */
  const alch_dialect *dialect;
  void *plan;                            /* a floor above may hang its own plan here, once, before the statement is shared */
  void (*plan_release)(void *plan);
  alch_arena arena;                      /* owns all of the above */
} alch_compiled;

typedef struct alch_compile_options {
  bool literal_binds;                    /* values rendered into the text */
  const char *const *parameter_names;    /* INSERT, UPDATE without VALUES/SET of their own: the columns that the execution will give, by key; each becomes a named bind */
  uint32_t parameter_count;
} alch_compile_options;

/* Any statement: SELECT, COMPOUND, INSERT, UPDATE, DELETE, TEXT; also a lone expression (for printing). options may be NULL. Errors: COMPILE, UNSUPPORTED_COMPILATION, ARGUMENT,
   NO_SUCH_COLUMN, each naming construct and dialect. An INSERT names the columns of INTO (or parameter_names) and those with a client-side or SQL default, in the order of the table; with none it uses DEFAULT VALUES. */
alch_status alch_compile(const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, const alch_compile_options *options, const alch_allocator *allocator, alch_compiled **out,
                         alch_error *error);
void alch_compiled_hold(alch_compiled *compiled);
void alch_compiled_release(alch_compiled *compiled);     /* NULL is fine */
/* Text, slots and columns, one a line: for people. */
void alch_compiled_print(const alch_compiled *compiled, alch_buffer *out);
/* The text with every expanding and literal slot written out. counts, in the order of the slots: for an EXPANDING one the number of its items (0: the empty set's text; with tuples the number of all their parts); for a LITERAL one
   what alch_literal_words says of its text: the number of its bytes, and the text itself in as many further words as it fills. */
alch_status alch_compiled_expand(const alch_compiled *compiled, const uint32_t *counts, alch_buffer *out, alch_error *error);
/* How many words a literal's text of this length takes, the one with its length included. */
static inline uint32_t alch_literal_words(size_t length) { return 1 + (uint32_t)((length + 3) / 4); }
/* Writes them; counts has room for alch_literal_words(length). */
void alch_literal_write(uint32_t *counts, const char *text, size_t length);
/* How many ? of a text as a driver has it (ALCH_TEXT_MARKED) stand for values. */
uint32_t alch_driver_marks(const alch_dialect *dialect, const char *sql, size_t length);
/* The text of a literal slot: one value, or the items of a list. */
alch_status alch_literal_text(const alch_dialect *dialect, const alch_slot *slot, const alch_value *value, const alch_value *items, alch_buffer *out, alch_error *error);

/* An expression for DDL: literals inline, columns without their table's name. Text is appended to out. */
alch_status alch_compile_ddl_expression(const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, alch_buffer *out, alch_error *error);
/* The same where a value stands: a default, what a column is computed from. */
alch_status alch_compile_ddl_value(const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, alch_buffer *out, alch_error *error);

/* The three forms of DDL that are asked for most; sql/ddl.h has all of it. */
typedef enum alch_ddl_action { ALCH_DDL_CREATE, ALCH_DDL_DROP } alch_ddl_action;
alch_status alch_compile_table(const alch_dialect *dialect, alch_ddl_action action, const alch_table *table, bool if_exists, alch_buffer *out, alch_error *error);
alch_status alch_compile_index(const alch_dialect *dialect, alch_ddl_action action, const alch_index *index, bool if_exists, alch_buffer *out, alch_error *error);
/* ALTER TABLE … ADD / DROP CONSTRAINT, for foreign keys that close a cycle. */
alch_status alch_compile_constraint(const alch_dialect *dialect, alch_ddl_action action, const alch_constraint *constraint, alch_buffer *out, alch_error *error);
/* One identifier, quoted as the dialect needs (quote: 0 as needed, 1 always, 2 never). */
void alch_quote_identifier(const alch_dialect *dialect, const char *name, uint8_t quote, alch_buffer *out);
/* The name of a schema, quoted as the dialect needs; in some databases it has parts. */
void alch_quote_schema(const alch_dialect *dialect, const char *schema, alch_buffer *out);
/* A value as a literal of its type. */
alch_status alch_render_literal(const alch_dialect *dialect, const alch_type *type, const alch_value *value, alch_buffer *out, alch_error *error);

#endif
