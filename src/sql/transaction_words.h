/* transaction_words.h - how a database begins and ends transactions: data of its dialect, <name>_transaction.c beside its record.
   In each text a % stands for what the field says. NULL: the database has no such thing. */
#ifndef ALCH_TRANSACTION_WORDS_H
#define ALCH_TRANSACTION_WORDS_H

#include "base/error.h"

typedef struct alch_isolation {
  const char *name;                        /* upper case, "REPEATABLE READ" */
  const char *words;                       /* what stands for it in the texts; NULL: the name */
  bool autocommit;                         /* no transaction at all: each statement is one */
} alch_isolation;

/* A way to begin. */
typedef struct alch_begin_mode {
  const char *name;                        /* upper case, "IMMEDIATE" */
  const char *text;                        /* in place of `begin` */
} alch_begin_mode;

typedef struct alch_transaction_words {
  const alch_isolation *levels;            /* name NULL at the end */
  const char *begin;                       /* "": a transaction begins by itself with the first statement */
  const alch_begin_mode *begin_modes;      /* name NULL at the end; NULL: there is one way alone */
  /* Behind the text that begins, in this order; % the level's words. */
  const char *begin_level, *begin_read_only, *begin_deferrable;
  /* In place of these: statements of their own before the transaction, % the level's words. With a reset they hold until that is run, before the connection goes home or begins another kind of
     transaction; without one for the next transaction alone. */
  const char *set_level, *reset_level, *set_read_only, *reset_read_only;
  const char *savepoint, *release, *rollback_to;   /* % the name; release NULL: savepoints end with their transaction */
  /* Two-phase commit, % the id in quotes. In place of `begin`; NULL: there is no such thing. twophase_read_only: a statement of its own before it, for words that cannot stand behind it; or NULL. */
  const char *begin_twophase, *twophase_read_only;
  /* Statements in their order, NULL at the end. rollback_unprepared NULL: ROLLBACK. */
  const char *const *prepare, *const *commit_prepared, *const *rollback_prepared, *const *rollback_unprepared;
  const char *recover;                     /* a query of the ids that are prepared */
  uint32_t recover_column;                 /* where in its rows, from 0 */
} alch_transaction_words;

/* The standard's. */
extern const alch_transaction_words alch_standard_transactions;
/* A level by its name (in any case, _ for a blank); ARGUMENT, naming the nearest and what there is. dialect: its name, for the error. */
alch_status alch_isolation_find(const alch_transaction_words *words, const char *dialect, const char *name, const alch_isolation **out, alch_error *error);
/* A way to begin by its name, likewise. */
alch_status alch_begin_mode_find(const alch_transaction_words *words, const char *dialect, const char *name, const alch_begin_mode **out, alch_error *error);

#endif
