/* dialect.h - a database's language as data.
   A dialect is a constant record; alch_dialect_find knows them all by name. No file but a dialect's own names it. */
#ifndef ALCH_DIALECT_H
#define ALCH_DIALECT_H

#include "schema/metadata.h"
#include "sql/transaction_words.h"

struct alch_compiler;
struct alch_node;

/* What a database can do; the compiler, the engine and the unit of work ask for these, never for a name. */
typedef enum alch_capability {
#define ALCH_CAPABILITY(symbol, name, documentation) ALCH_CAPABILITY_##symbol,
#include "sql/capability.def"
#undef ALCH_CAPABILITY
  ALCH_CAPABILITY_COUNT
} alch_capability;

/* One bit each: there are more than a word of 64 has. */
__extension__ typedef unsigned __int128 alch_capability_set;
#define ALCH_CAN(capability) ((alch_capability_set)1 << ALCH_CAPABILITY_##capability)

typedef enum alch_placeholder { ALCH_PLACEHOLDER_QUESTION /* ? */, ALCH_PLACEHOLDER_DOLLAR /* $1 */, ALCH_PLACEHOLDER_COLON /* :name */ } alch_placeholder;

/* What an option belongs to; one name may belong to several. */
enum {
  ALCH_SCOPE_TABLE = 1, ALCH_SCOPE_COLUMN = 2, ALCH_SCOPE_INDEX = 4, ALCH_SCOPE_PRIMARY_KEY = 8, ALCH_SCOPE_UNIQUE = 16, ALCH_SCOPE_FOREIGN_KEY = 32, ALCH_SCOPE_CHECK = 64, ALCH_SCOPE_EXCLUDE = 128,
  ALCH_SCOPE_SEQUENCE = 256, ALCH_SCOPE_VIEW = 512, ALCH_SCOPE_WRITING = 1024 /* UPDATE, DELETE */,
  ALCH_SCOPE_CONSTRAINT = ALCH_SCOPE_PRIMARY_KEY | ALCH_SCOPE_UNIQUE | ALCH_SCOPE_FOREIGN_KEY | ALCH_SCOPE_CHECK | ALCH_SCOPE_EXCLUDE
};

struct alch_ddl;

/* How values go into a column as the items of an array that is a parameter: not at all, as they are, or as texts that a CAST makes values of. */
typedef enum alch_array_form { ALCH_ARRAY_NONE, ALCH_ARRAY_ITEMS, ALCH_ARRAY_TEXT } alch_array_form;

/* Renders one node in place of the default renderer. */
typedef alch_status (*alch_renderer)(struct alch_compiler *compiler, const struct alch_node *node);

typedef struct alch_dialect {
  const char *name;
  uint16_t version_major, version_minor, version_patch;   /* of the server from which on the record holds; one name may have several records, the newest first in dialects.def */
  /* How it is told which record a server wants (sql/server.h): what is in the name of servers that speak this dialect, whatever the case, NULL at the end; what may stand before the version and is none of
     it; records under this dialect's name for servers of a kind of their own, told by a word of their name or version, the newest first, NULL at the end. Each may be NULL. */
  const char *const *server_words;
  const char *version_prefix;
  const struct alch_dialect_guest { const char *word; const struct alch_dialect *record; } *guests;
  alch_capability_set capabilities;        /* ALCH_CAN(…) | … */
  char quote_open, quote_close;
  alch_placeholder placeholder;
  uint32_t identifier_limit;               /* bytes; 0: none */
  uint32_t parameter_limit;                /* binds in one statement */
  const char *const *reserved_words;       /* lower case, sorted, NULL at the end */
  uint32_t reserved_word_count;            /* how many there are: every identifier is looked up among them */
  const uint8_t *select_clauses;           /* node kinds in the order in which the text has them, 0 at the end */
  const uint8_t *insert_clauses, *update_clauses, *delete_clauses;   /* the same for these statements, TABLE being the table written to; NULL: those of render_insert.c and render_dml.c */
  /* Writes a table's schema, quoted; NULL: as one identifier. */
  void (*schema_name)(const struct alch_dialect *dialect, const char *schema, struct alch_buffer *out);
  const alch_transaction_words *transactions;   /* NULL: alch_standard_transactions */
  const char *const *compound_words;       /* by alch_compound, up to EXCEPT_ALL; NULL at places (or NULL): the standard's, "": there is none such */
  uint32_t list_limit;                     /* items that a list behind IN may have; more become a select of each, list_item with % for it, joined with UNION ALL. 0: any number */
  const char *list_item;
  const char *quoted_initials;             /* names that begin with one of these are quoted, those that begin with a digit aside; NULL: $ */
  const char *empty_set;                   /* rows of an empty list behind IN, % being a list of ones; NULL: SELECT % WHERE 1!=1 */
  const char *table_function;              /* before the parentheses round a function in FROM, "TABLE "; NULL: it stands there as it is */
  const char *column_value;                /* behind the name of a function whose value is meant, ".COLUMN_VALUE"; NULL: nothing */
  const char *string_aggregate;            /* the name of aggregate_strings(text, separator); NULL: that */
  const char *string_separator;            /* what stands before its separator, behind its ORDER BY: " SEPARATOR "; NULL: a comma, before its ORDER BY */
  const char *empty_from;                  /* behind a select list without sources, " FROM DUAL"; NULL: nothing */
  const char *merge_hint, *merge_end;      /* behind the name of the table that a MERGE writes to, and at its end; NULL: nothing */
  const char *const *operator_spellings;   /* by alch_operator; NULL: the default */
  /* Queries with two parameters, a name and its schema or NULL (where names without one are looked for), that give a row where there is such a table or view; a sequence; a type. NULL: nobody can tell, and
     create_all and drop_all do not look first. */
  const char *has_table, *has_sequence, *has_type;
  const struct alch_renderer_override { uint8_t kind; alch_renderer render; } *renderers;   /* kind 0 at the end */
  /* Writes the name of a type as CREATE TABLE and CAST have it; column may be NULL. Called by alch_type_write alone, with the variants resolved. A type with a `word` is an exact one, whose word the
     dialect knows: alch_type_name_write writes it. */
  alch_status (*type_name)(const struct alch_dialect *dialect, const alch_type *type, const alch_column *column, struct alch_buffer *out, alch_error *error);
  const struct alch_type_word { const char *word, *spelling; } *type_words;   /* exact names of the standard that are spelt otherwise here, "TIMESTAMP% WITH TIME ZONE" (arguments stand for the %); spelling NULL: there is none such. NULL word at the end; may be NULL */
  bool any_type;                           /* writes the types of all databases: for printing */
  const struct alch_function_spelling { const char *name, *spelling; bool bare; } *functions;   /* NULL name at the end: now -> CURRENT_TIMESTAMP */
  /* A hint of a source (a WORDS node), written before its name or behind it; NULL: the database has none, and they are passed over. */
  alch_status (*source_hint)(struct alch_compiler *compiler, const struct alch_node *words, bool before);
  const struct alch_option_name { uint16_t scope; const char *name; } *options;   /* names of its options, "mysql_engine"; "mysql_*" stands for any; scope (ALCH_SCOPE_ bits) 0 at the end */
  const char *option_fallback;             /* the dialect whose options hold here where there is none of its own, or NULL: "mysql" for one that is like it */
  uint32_t name_limit;                     /* bytes of a constraint's or index's name, where they are fewer than identifier_limit; 0: the same */
  const uint8_t *column_parts;             /* alch_ddl_part: what stands behind a column's name and type, in the order of the text, 0 at the end */
  const struct alch_ddl_override { uint8_t part; alch_status (*write)(struct alch_ddl *ddl); } *ddl_parts;   /* parts of DDL that it writes in its own way (sql/ddl_part.h), part 0 at the end; NULL: none */
  const uint8_t *if_exists_parts;          /* alch_ddl_part: the statements that take IF [NOT] EXISTS, 0 at the end; NULL: all where it has the capability */
  /* Is it a type that must be created (CREATE TYPE) before a table has columns of it? NULL: there are none. */
  bool (*names_type)(const alch_type *type);
  /* The full name of the table that this one's options make it a part of, by a statement of its own (ALCH_DDL_ATTACHMENT); it goes when that one is dropped. NULL: it is a part of none. NULL in place of the
     function: there are no parts. */
  const char *(*part_of)(const alch_table *table);
  /* What is stored for a value of this type, when it is not the value itself (dates as text, booleans as 0/1), and back again. *value may point into scratch afterwards, whose content is
     overwritten; NULL passes, and so do an integer of an integer type and a real number of a floating one when they come back. The functions are NULL when there is nothing to do for any type. */
  alch_status (*to_database)(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);
  alch_status (*from_database)(const alch_type *type, alch_value *value, struct alch_buffer *scratch, alch_error *error);
  /* What to_database has made, for a column of this type that it is stored in, and not for an expression that it is compared with, when that is something else. NULL: it never is. */
  alch_status (*to_column)(const alch_type *type, alch_value *value, alch_error *error);
  /* Writes a value, as it was before to_database, as a literal; *written: it did, else the default does. NULL: the default writes all of them. */
  alch_status (*literal)(const struct alch_dialect *dialect, const alch_type *type, const alch_value *value, struct alch_buffer *out, bool *written, alch_error *error);
  /* Writes what stands behind the placeholder of a value of this type, since the database could not tell what it is: ::UUID. NULL: nothing does. */
  alch_status (*placeholder_cast)(const struct alch_dialect *dialect, const alch_type *type, struct alch_buffer *out, alch_error *error);
  /* Does a value of this type need from_database (to_database or to_column) at all? Asked once when a statement is compiled. */
  bool (*converts)(const alch_type *type, bool to_database);
  /* The alch_array_form of a column of this type, so that what the column would refuse one by one is refused as well. NULL: there is no unnest(…), nor arrays as parameters. */
  uint8_t (*array_form)(const struct alch_dialect *dialect, const alch_type *type);
} alch_dialect;

/* The name of a type in a dialect: its variant's there, its exact name, or the dialect's own for a generic one. An exact type of another database is refused (UNSUPPORTED_COMPILATION). column may be NULL. */
alch_status alch_type_write(const alch_dialect *dialect, const alch_type *type, const alch_column *column, struct alch_buffer *out, alch_error *error);
/* The types that a database knows beside the standard's, NULL name at the end; NULL when it has no list. */
const alch_exact_type *alch_dialect_types(const char *name);
/* An exact name, or the standard's name of a type, with its arguments: what a dialect falls back on. words: by alch_type_family, NULL at places (or NULL): the dialect's own words for generic types;
   a % in one is where the arguments go. */
alch_status alch_type_name_write(const char *const *words, const alch_type *type, struct alch_buffer *out, alch_error *error);
/* to_database, and to_column for a value that is stored in one; the dialect has the first. The value is not NULL. */
alch_status alch_dialect_store(const alch_dialect *dialect, const alch_type *type, bool in_column, alch_value *value, struct alch_buffer *scratch, alch_error *error);
/* Refuses names of options that no dialect has for any of these scopes, naming the nearest (ARGUMENT); where: "Table". */
alch_status alch_option_check(uint16_t scope, const char *name, const char *where, alch_error *error);

/* The newest of this name; NULL when there is none. */
const alch_dialect *alch_dialect_find(const char *name);
/* The record that holds for a server of this version: the newest that is not newer, or the oldest there is. UINT16_MAX for what is not said: the newest of what is. */
const alch_dialect *alch_dialect_for_version(const alch_dialect *dialect, uint16_t major, uint16_t minor, uint16_t patch);
/* Is the first one for older servers than the second, of the same name? */
bool alch_dialect_is_older(const alch_dialect *first, const alch_dialect *second);
/* The same with an error (NO_SUCH_MODULE) that names the nearest. */
alch_status alch_dialect_require(const char *name, const alch_dialect **out, alch_error *error);
/* Names of all dialects, each once, NULL at the end. */
const char *const *alch_dialect_names(void);
/* Refuses a record with missing parts or contradictory capabilities; specs call it for each dialect. */
alch_status alch_dialect_validate(const alch_dialect *dialect, alch_error *error);
static inline const alch_transaction_words *alch_dialect_transactions(const alch_dialect *dialect) { return dialect->transactions ? dialect->transactions : &alch_standard_transactions; }
static inline bool alch_dialect_can(const alch_dialect *dialect, alch_capability capability) { return dialect->capabilities >> capability & 1; }

#endif
