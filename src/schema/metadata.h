/* metadata.h - tables, columns, constraints, indexes.
   All records live in the catalog's arena; pointers stay good for its life. Texts given are copied.
   Records may be read directly; they are changed only through these functions. */
#ifndef ALCH_METADATA_H
#define ALCH_METADATA_H

#include "schema/catalog.h"
#include "schema/option.h"

/* An expression (a statement block of floor 3), which this floor only keeps. */
struct alch_block;

typedef enum alch_default_kind {
  ALCH_DEFAULT_NONE,
  ALCH_DEFAULT_VALUE,      /* a constant */
  ALCH_DEFAULT_HOST,       /* a function of the host: host reference in value.integer */
  ALCH_DEFAULT_SQL,        /* an expression, rendered into the statement */
  ALCH_DEFAULT_SEQUENCE,   /* the next value of a sequence, where the database has sequences; nothing elsewhere: sequence, and block (its NEXT_VALUE) */
  ALCH_DEFAULT_TEXT,       /* server side: literal text of a string value, which the dialect quotes */
  ALCH_DEFAULT_FETCHED     /* server side, written by someone else (a trigger): fetch it after the write */
} alch_default_kind;

typedef struct alch_default {
  alch_default_kind kind;
  alch_value value;                /* VALUE, HOST; text is owned by the catalog */
  const struct alch_block *block;  /* SQL, SEQUENCE */
  const char *text;                /* TEXT */
  struct alch_sequence *sequence;  /* SEQUENCE */
} alch_default;

/* Something that a user may leave open. */
typedef enum alch_choice { ALCH_UNSAID, ALCH_YES, ALCH_NO } alch_choice;

/* How a sequence, or the counter of an identity column, counts. The order is that of the text. */
typedef enum alch_counting_number { ALCH_COUNTING_INCREMENT, ALCH_COUNTING_START, ALCH_COUNTING_MINVALUE, ALCH_COUNTING_MAXVALUE, ALCH_COUNTING_CACHE, ALCH_COUNTING_NUMBERS } alch_counting_number;

typedef struct alch_counting {
  int64_t numbers[ALCH_COUNTING_NUMBERS];
  uint8_t given;                   /* 1 << alch_counting_number: this one was given */
  bool nominvalue, nomaxvalue;
  alch_choice cycle, order;
} alch_counting;

typedef struct alch_identity {
  alch_choice always, on_null;
  alch_counting counting;
} alch_identity;

/* On which dialects a thing is created at all (ddl_if): all when count is 0; and where `host` is not 0, only if the host's function says so (catalog->condition). */
typedef struct alch_condition {
  const char *const *dialects;
  uint32_t count;
  int64_t host;
} alch_condition;

typedef struct alch_sequence {
  struct alch_metadata *metadata;  /* NULL: of none; create_all does not see it */
  uint32_t id;                     /* in the catalog; NEXT_VALUE nodes name it by this */
  const char *name, *schema;       /* schema may be NULL */
  uint8_t quote;
  bool optional;                   /* only where the database needs one for its keys */
  alch_type_id data_type;          /* 0: the database's choice */
  alch_counting counting;
  alch_options options;
  alch_condition condition;
  struct alch_sequence *next;      /* of the metadata, in the order of creation */
} alch_sequence;

typedef enum alch_autoincrement { ALCH_AUTOINCREMENT_AUTO, ALCH_AUTOINCREMENT_YES, ALCH_AUTOINCREMENT_NO, ALCH_AUTOINCREMENT_IGNORE_FK /* as AUTO, foreign key or not */ } alch_autoincrement;

typedef struct alch_column {
  struct alch_table *table;
  uint32_t index;                  /* place in the table, from 0; what statements name it by */
  const char *name;                /* in the database */
  const char *key;                 /* in programs: table.c.key */
  alch_type_id type;               /* 0 until taken from the foreign key's target */
  bool has_type;                   /* a type was given */
  bool primary_key, nullable, nullable_given, unique, indexed;
  uint8_t quote;                   /* 0 as needed, 1 always, 2 never */
  alch_autoincrement autoincrement;
  alch_default insert_default, update_default;    /* default, onupdate */
  alch_default server_default, server_onupdate;
  const struct alch_block *computed;              /* GENERATED ALWAYS AS, or NULL */
  int computed_persisted;                         /* -1 unsaid, 0 virtual, 1 stored */
  const alch_identity *identity;                  /* GENERATED … AS IDENTITY, or NULL */
  const char *comment;
  alch_options options;
} alch_column;

typedef enum alch_constraint_kind { ALCH_CONSTRAINT_PRIMARY_KEY, ALCH_CONSTRAINT_FOREIGN_KEY, ALCH_CONSTRAINT_UNIQUE, ALCH_CONSTRAINT_CHECK, ALCH_CONSTRAINT_EXCLUDE } alch_constraint_kind;

typedef struct alch_constraint {
  struct alch_table *table;
  alch_constraint_kind kind;
  const char *name;                /* NULL: unnamed (a naming convention may still give one: alch_constraint_name) */
  alch_column **columns;           /* of this table; EXCLUDE: NULL at places that are expressions */
  uint32_t column_count;
  const struct alch_block *const *expressions;   /* EXCLUDE: NULL at places that are plain columns; or NULL */
  const char *const *operators;    /* EXCLUDE: one a place, "&&" */
  const char *method;              /* EXCLUDE: the index's, "gist" when NULL */
  const struct alch_block *where;  /* EXCLUDE, or NULL */
  const char *const *targets;      /* foreign key: "table.column" or "schema.table.column", one a column */
  alch_column **referred;          /* foreign key: the columns meant, filled by alch_foreign_key_resolve; NULL before */
  const char *ondelete, *onupdate, *match, *initially;   /* or NULL */
  int deferrable;                  /* -1 unsaid, 0, 1 */
  bool use_alter;
  const struct alch_block *check;  /* CHECK as an expression, or */
  const char *check_text;          /* as text */
  bool of_type;                    /* a CHECK that belongs to a Boolean or Enum type of its column; it has no text of its own */
  bool of_column;                  /* written with its column: ForeignKey and CheckConstraint inside Column{}, `unique = true` */
  bool isolated;                   /* AddConstraint adds it: it is no part of CREATE TABLE */
  bool name_is_final;              /* as it stands in the database: no naming convention makes use of it */
  const char *comment;
  alch_options options;
  alch_condition condition;
  struct alch_constraint *next;    /* in the order of creation */
} alch_constraint;

typedef struct alch_index {
  struct alch_table *table;
  const char *name;
  bool unique;
  alch_column **columns;                     /* NULL at places that are expressions */
  const struct alch_block **expressions;     /* NULL at places that are plain columns */
  uint32_t count;
  const struct alch_block *where;            /* partial index, or NULL; a dialect's own option of this name goes first */
  bool name_is_made;                         /* by a naming convention: it is cut to the length that a database takes */
  alch_options options;
  alch_condition condition;
  struct alch_index *next;
} alch_index;

/* A table that is made from a query: a view, or CREATE TABLE AS. */
typedef struct alch_view {
  const struct alch_block *query;
  bool of_rows;                    /* CREATE TABLE … AS: the rows are copied once */
  bool or_replace, temporary, materialized, if_not_exists;
} alch_view;

/* A table that must be there before this one, whatever the foreign keys say. */
typedef struct alch_dependency {
  const struct alch_table *on;
  struct alch_dependency *next;
} alch_dependency;

typedef struct alch_table {
  struct alch_metadata *metadata;
  uint32_t id;                     /* in the catalog; statements name it by this */
  const char *name, *schema;       /* schema may be NULL */
  const char *full_name;           /* "schema.name" or "name": its key in the metadata */
  uint8_t quote;
  alch_column **columns;
  uint32_t column_count, column_capacity;
  alch_map column_map;             /* key -> column */
  alch_constraint *constraints, *last_constraint;
  alch_constraint *primary_key;    /* never NULL after creation; may have no columns. Not in `constraints` */
  alch_index *indexes, *last_index;
  const char *comment;
  alch_options options;
  const char *const *prefixes;     /* between CREATE and TABLE: "TEMPORARY" */
  uint32_t prefix_count;
  alch_dependency *dependencies;
  const alch_view *view;           /* what it is made from, or NULL */
  void *host;                      /* the host's handle, for its own use */
} alch_table;

typedef struct alch_metadata {
  alch_catalog *catalog;
  alch_map tables;                 /* full name -> table, in the order of creation */
  const char *schema;              /* default schema or NULL */
  alch_map naming;                 /* "ix" "uq" "ck" "fk" "pk" -> template such as "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s" */
  alch_sequence *sequences, *last_sequence;
  struct alch_metadata *next;
} alch_metadata;

alch_status alch_metadata_new(alch_catalog *catalog, const char *schema, alch_metadata **out, alch_error *error);
/* Tokens: table_name, referred_table_name, constraint_name, column_0_name, column_0_key, column_0_label (table_column), column_0N_name (all of them joined), column_0_N_name
   (joined with _), referred_column_0_name and so on; %% is a percent sign. Errors: ARGUMENT for an unknown kind or token. At first "ix" is ix_%(column_0_label)s and the rest is unset.
   https://docs.sqlalchemy.org/en/20/core/constraints.html#constraint-naming-conventions */
alch_status alch_metadata_set_naming(alch_metadata *metadata, const char *kind, const char *template_text, alch_error *error);
/* A table of this name must not exist yet (INVALID_REQUEST, as SQLAlchemy says it). schema NULL: the metadata's; "": none. */
alch_status alch_table_new(alch_metadata *metadata, const char *name, const char *schema, alch_table **out, alch_error *error);
alch_table *alch_metadata_table(const alch_metadata *metadata, const char *full_name);
/* Takes the table out of the metadata; the record stays readable. */
void alch_metadata_remove(alch_metadata *metadata, alch_table *table);

/* `column` is a filled template: name, key (NULL: name), type, flags, defaults; table and index are set here. A primary-key column joins the primary key;
   `unique` and `indexed` make their constraint or index (both: a unique index), and a Boolean or Enum type with create_constraint its CHECK. When nullable_given is false, nullable is what
   primary_key is not. Errors: ARGUMENT (no name, defaults that contradict each other), DUPLICATE_COLUMN. A failure leaves the table as it was. */
alch_status alch_table_add_column(alch_table *table, const alch_column *column, alch_column **out, alch_error *error);
alch_column *alch_table_column(const alch_table *table, const char *key);            /* NULL when there is none */
/* The error (NO_SUCH_COLUMN) says what there is and names the nearest. */
alch_status alch_table_require_column(const alch_table *table, const char *key, alch_column **out, alch_error *error);

/* `constraint` is a filled template: kind, name, targets, …; columns are given by key (EXCLUDE: NULL at places that are expressions). A PRIMARY_KEY becomes the table's own: it names it, and its columns (none: those flagged) are its columns.
   A target is "table.column", "schema.table.column", or "table" (the column of the same key). Errors: ARGUMENT (unknown column with the nearest name, as many targets as columns, unknown
   ondelete, onupdate, initially or match, two primary keys). */
alch_status alch_table_add_constraint(alch_table *table, const alch_constraint *constraint, const char *const *columns, uint32_t count, alch_constraint **out, alch_error *error);
/* columns[i] NULL: the place is expressions[i]; expressions may be NULL when there are none. name NULL: by naming convention (ix_<table>_<column> by default). */
alch_status alch_table_add_index(alch_table *table, const char *name, bool unique, const char *const *columns, const struct alch_block *const *expressions, uint32_t count,
                                 const struct alch_block *where, alch_index **out, alch_error *error);
/* `table` is created after `on` and dropped before it, as if a foreign key referred there (SQLAlchemy: Table.add_is_dependent_on). Errors: ARGUMENT, where the tables are one or belong to two metadatas; that
   several go round in a circle is found by alch_metadata_sorted. */
alch_status alch_table_add_dependency(alch_table *table, const alch_table *on, alch_error *error);
/* Words between CREATE and TABLE. */
alch_status alch_table_set_prefixes(alch_table *table, const char *const *words, uint32_t count, alch_error *error);
/* What a table is made from; the block must be the catalog's already. */
alch_status alch_table_set_view(alch_table *table, const alch_view *view, alch_error *error);
/* `sequence` is a filled template: name, schema (NULL: the metadata's; "": none), counting …; metadata may be NULL, and a record without one can be given it later with alch_sequence_join.
   Errors: ARGUMENT (no name, numbers that contradict each other), INVALID_REQUEST (there is one of this name). */
alch_status alch_sequence_new(alch_catalog *catalog, alch_metadata *metadata, const alch_sequence *sequence, alch_sequence **out, alch_error *error);
/* Puts a sequence that is in no metadata into this one; does nothing for others. */
alch_status alch_sequence_join(alch_sequence *sequence, alch_metadata *metadata, alch_error *error);
alch_sequence *alch_catalog_sequence(const alch_catalog *catalog, uint32_t id);      /* NULL for unknown ids */
/* Refuses an increment of 0, a start outside of minvalue and maxvalue, and the like (ARGUMENT); `what`: "Sequence 's'". */
alch_status alch_counting_check(const alch_counting *counting, const char *what, alch_error *error);
/* Copies the names in. */
alch_status alch_condition_set(alch_catalog *catalog, alch_condition *condition, const alch_condition *given, alch_error *error);

/* Finds the target columns and gives untyped columns their type (through chains). Errors: NO_REFERENCED_TABLE, NO_REFERENCED_COLUMN with the nearest name. */
alch_status alch_foreign_key_resolve(alch_constraint *foreign_key, alch_error *error);
/* All foreign keys of all tables; also refuses columns that have no type (COMPILE, "(in table 't', column 'c')": name the mend). */
alch_status alch_metadata_resolve(alch_metadata *metadata, alch_error *error);
/* The column that gets its value from the database on insert when none is given: an integer primary key alone, without foreign key and default (autoincrement auto; a Sequence is no default here); or the one that was asked to. NULL when none. */
alch_column *alch_table_autoincrement(const alch_table *table);
/* Is this column part of a foreign key? Its constraint, and its place in it; NULL when not. */
alch_constraint *alch_column_foreign_key(const alch_column *column, uint32_t *place);
/* The name given, or the naming convention's, appended to out (nothing when there is none). Error: INVALID_REQUEST when the convention needs the constraint's own name and there is none. */
alch_status alch_constraint_name(const alch_constraint *constraint, struct alch_buffer *out, alch_error *error);

/* Did a naming convention make the name that alch_constraint_name gives? */
bool alch_constraint_name_is_made(const alch_constraint *constraint);

/* Tables in the order of creation so that referred tables come first; foreign keys that close a cycle, and those with use_alter, are collected in *cycle: tables can be created in this order
   when those are left out. (Arrays allocated with the catalog's allocator, freed by the caller with count * sizeof(pointer); NULL when there is nothing in them.) Resolves first. */
alch_status alch_metadata_sorted(alch_metadata *metadata, alch_table ***tables, uint32_t *count, alch_constraint ***cycle, uint32_t *cycle_count, alch_error *error);

/* Copies an expression into the catalog, so that schema records may hold it. */
const struct alch_block *alch_catalog_keep_block(alch_catalog *catalog, const void *block, size_t size);

#endif
