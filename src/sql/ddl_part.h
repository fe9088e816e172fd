/* ddl_part.h - internal to floor 3: the record that DDL is written with, and what the writers of its parts use.
   An alch_ddl lives on the stack of alch_compile_ddl and owns nothing. A dialect replaces the writer of a part with a row of its ddl_parts; the default one stays within reach. */
#ifndef ALCH_DDL_PART_H
#define ALCH_DDL_PART_H

#include "base/buffer.h"
#include "sql/ddl.h"

typedef enum alch_ddl_part {
  ALCH_DDL_PART_END,
#define ALCH_DDL_PART(symbol, function) ALCH_DDL_PART_##symbol,
#include "sql/ddl_part.def"
#undef ALCH_DDL_PART
  ALCH_DDL_PART_COUNT
} alch_ddl_part;

typedef struct alch_ddl {
  const alch_dialect *dialect;
  const alch_catalog *catalog;
  alch_buffer *out;
  alch_error *error;
  /* What it is about; each part says which of these it looks at. */
  const alch_table *table;
  const alch_column *column;
  const alch_constraint *constraint;
  const alch_index *index;
  uint32_t place;                           /* of the index */
  const alch_sequence *sequence;
  const alch_counting *counting;
  const alch_type *type;
  const char *schema;
  const alch_constraint *const *omitted;    /* foreign keys that CREATE TABLE leaves out */
  uint32_t omitted_count;
  bool if_exists, cascade;
  bool key_is_written;                      /* the primary key stands in its column */
  bool standing_alone;                      /* ALTER TABLE … ADD: use_alter is what it is for */
} alch_ddl;

/* The writer of a part, the dialect's or the default one. */
alch_status alch_ddl_write(alch_ddl *d, alch_ddl_part part);
/* The default one, for an override that wants it for some things. */
alch_status alch_ddl_write_default(alch_ddl *d, alch_ddl_part part);

/* ---- writing ---- */
static inline void alch_ddl_add(alch_ddl *d, const char *text) { alch_buffer_add(d->out, text); }
static inline void alch_ddl_quote(alch_ddl *d, const char *name, uint8_t quote) { alch_quote_identifier(d->dialect, name, quote, d->out); }
static inline void alch_ddl_table_name(alch_ddl *d, const alch_table *table, bool with_schema) { alch_quote_table(d->dialect, table, with_schema, d->out); }
static inline void alch_ddl_column_name(alch_ddl *d, const alch_column *column) { alch_ddl_quote(d, column->name, column->quote); }
/* (a, b) */
void alch_ddl_columns(alch_ddl *d, alch_column *const *columns, uint32_t count);
/* Names of an option's list as quoted column names: " INCLUDE (a, b)" with words " INCLUDE ". Errors: ARGUMENT for a name that the table has not. */
alch_status alch_ddl_named_columns(alch_ddl *d, const char *words, const alch_table *table, const alch_option *option);
/* Text as a literal; NULL: the word NULL. */
/* Is the expression, below its label, one that needs no parentheses as a place of an index? */
bool alch_ddl_is_atom(const alch_node *node);
/* DESC, NULLS LAST and the like above the expression of a place? */
bool alch_ddl_is_order(const alch_node *node);
/* The operator class of a place by the option `ops` (NULL: none): by the key of its column, else by the label of its expression, which may be NULL. NULL: none is named. */
const char *alch_ddl_operator_class(const alch_option *classes, const alch_column *column, const alch_block *expression);
alch_status alch_ddl_literal(alch_ddl *d, const char *text);
/* An expression with literals in place of binds and columns without their table's name; the second in parentheses. */
alch_status alch_ddl_expression(alch_ddl *d, const struct alch_block *block);
alch_status alch_ddl_parenthesised(alch_ddl *d, const struct alch_block *block);
/* The same where a value stands: a default, what a column is computed from. */
alch_status alch_ddl_value(alch_ddl *d, const struct alch_block *block);
/* A query, values inline. */
alch_status alch_ddl_query(alch_ddl *d, const struct alch_block *block);
/* The name of a constraint or index: one that a naming convention made is cut to the length that the dialect takes, another that is too long is an error (IDENTIFIER). */
alch_status alch_ddl_name(alch_ddl *d, const char *name, bool made);
/* The same for d->constraint with words before and behind; nothing when it has no name. */
alch_status alch_ddl_constraint_name(alch_ddl *d, const char *before, const char *behind, bool *named);
alch_status alch_ddl_index_name(alch_ddl *d, bool with_schema);
/* Name, body, deferrability, suffix of d->constraint. */
alch_status alch_ddl_constraint(alch_ddl *d);
/* "IF EXISTS " (word) when it was asked for; an error when the dialect has none in this statement. */
alch_status alch_ddl_if_exists(alch_ddl *d, alch_ddl_part statement, const char *words);
/* A word of a user's that goes into the text as it is: letters, digits, _ and spaces only (ARGUMENT otherwise). */
alch_status alch_ddl_word(alch_ddl *d, const char *word);

/* ---- asking ---- */
static inline bool alch_ddl_can(const alch_ddl *d, alch_capability capability) { return alch_dialect_can(d->dialect, capability); }
/* The option of this name that holds for the dialect: its own ("postgresql_using" for "using"), or that of the dialect whose options hold as well (option_fallback). NULL when there is none. */
const alch_option *alch_ddl_option(const alch_ddl *d, const alch_options *options, const char *name);
const char *alch_ddl_option_text(const alch_ddl *d, const alch_options *options, const char *name);
/* 1, 0, -1: not given. */
int alch_ddl_option_truth(const alch_ddl *d, const alch_options *options, const char *name);
/* Is the column the one that the database numbers, and are there no other words for it (an identity, a sequence that the dialect uses)? */
bool alch_ddl_numbers_itself(const alch_ddl *d, const alch_column *column);

/* ---- failing ---- */
/* "dialect 'x' has no <construct>; <mend>" (UNSUPPORTED_COMPILATION); mend may be NULL. */
alch_status alch_ddl_unsupported(alch_ddl *d, const char *construct, const char *mend);
static inline alch_status alch_ddl_done(const alch_ddl *d) { return alch_buffer_failed(d->out) ? alch_error_out_of_memory(d->error) : ALCH_OK; }

#define ALCH_DDL_PART(symbol, function) alch_status alch_ddl_##function(alch_ddl *d);
#include "sql/ddl_part.def"
#undef ALCH_DDL_PART

#endif
