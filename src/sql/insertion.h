/* insertion.h - internal to floor 3: an INSERT taken apart, for those who write it in another form (MERGE, ON DUPLICATE KEY).
   It lies in the compiler's scratch arena and hangs on the scope of the INSERT while that is rendered. */
#ifndef ALCH_INSERTION_H
#define ALCH_INSERTION_H

#include "sql/compiler.h"

enum { ALCH_FROM_ROW, ALCH_FROM_PARAMETER, ALCH_FROM_DEFAULT };

/* One column that the statement writes. */
typedef struct alch_pick { const alch_column *column; uint8_t from; uint32_t place; /* in INTO */ } alch_pick;

typedef struct alch_insertion {
  const alch_node *statement, *into, *rows, *query;   /* query: the SELECT that gives the rows, or NULL */
  const alch_table *table;
  alch_pick *picks;
  uint32_t pick_count, width;                         /* width: columns of INTO */
} alch_insertion;

/* How many rows VALUES has: 1 for an INSERT that is given its values when executing; 0 with a query. */
uint32_t alch_insertion_row_count(const alch_insertion *insertion);
/* The value of pick number `index` in row number `row` of VALUES. */
void alch_render_cell(alch_compiler *compiler, const alch_insertion *insertion, uint32_t index, uint32_t row);
/* The SELECT that gives the rows, with the defaults that it has to give as well. */
void alch_render_insert_query(alch_compiler *compiler, const alch_insertion *insertion);

/* ---- upserts (la.upsert: an ON_CONFLICT node with ALCH_CONFLICT_PORTABLE) ---- */
/* Does the conflict update what is there? Not with do_nothing, nor when nothing is left to be set. */
bool alch_upsert_updates(alch_compiler *compiler, const alch_node *conflict);
/* " SET a = …, b = …", or the same without the word: what SET says; without SET the inserted columns, targets and primary key aside, from the row that was refused, whose columns alch_render_excluded writes.
   equals: " = " or "=". */
alch_status alch_render_upsert_set(alch_compiler *compiler, const alch_node *conflict, const char *before, const char *equals);
/* The MERGE that does what the upsert means. */
alch_status alch_render_merge(alch_compiler *compiler, const alch_insertion *insertion, const alch_node *conflict);

#endif
