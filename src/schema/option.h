/* option.h - dialect options: "postgresql_using", "mysql_engine", "sqlite_on_conflict". What tables, columns, indexes, constraints, sequences and views carry for one database alone.
   Lists live in the catalog's arena, with everything they point to. Which names there are is the dialects' affair (alch_option_check of floor 3). */
#ifndef ALCH_OPTION_H
#define ALCH_OPTION_H

#include "schema/catalog.h"

struct alch_block;

typedef enum alch_option_kind {
  ALCH_OPTION_VALUE,        /* text, number or boolean: value */
  ALCH_OPTION_LIST,         /* items without names: postgresql_include = { "a", "b" } */
  ALCH_OPTION_MAP,          /* items with names, sorted by them: mysql_length = { name = 10 } */
  ALCH_OPTION_EXPRESSION    /* block */
} alch_option_kind;

typedef struct alch_option_item {
  const char *name;                /* NULL in a list */
  alch_value value;                /* text, number or boolean */
} alch_option_item;

typedef struct alch_option {
  const char *name;                /* with the dialect's before it: "postgresql_using" */
  uint8_t kind;                    /* alch_option_kind */
  alch_value value;
  const alch_option_item *items;
  uint32_t count;
  const struct alch_block *block;
  struct alch_option *next;        /* in the order in which they were given */
} alch_option;

typedef struct alch_options { alch_option *first, *last; } alch_options;

/* Copies one in; an option of this name that is there already is replaced. */
alch_status alch_options_set(alch_catalog *catalog, alch_options *options, const alch_option *given, alch_error *error);
/* NULL when it was not given. */
const alch_option *alch_option_find(const alch_options *options, const char *name);
/* 1 true, 0 false, -1 not given. Texts and numbers count as what they say: "off", "no", "false", "0" and 0 are false. */
int alch_option_truth(const alch_option *option);
/* The text of an option that is one; NULL when it was not given or is no text. */
const char *alch_option_text(const alch_option *option);

#endif
