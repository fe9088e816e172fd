/* source.h - what columns a source of rows has: a table, an alias, a subquery, a CTE, a select itself.
   Nothing is owned; names are borrowed from the block or the catalog. */
#ifndef ALCH_SOURCE_H
#define ALCH_SOURCE_H

#include "schema/metadata.h"
#include "sql/block.h"

typedef struct alch_output {
  const alch_node *item;       /* the item of the select list it comes from; NULL for a column of a table or alias */
  uint32_t place;              /* that item's number */
  uint32_t source, index;      /* the column of a source that it is, 0 when it is an expression */
  const alch_column *column;   /* the table's column that it is in the end, however often handed on; NULL for expressions */
  alch_type_id type;
  const char *name;            /* of the column or label; for an expression without a name what its name begins with: count, anon */
  uint32_t name_length;
  uint32_t number;             /* 0: the name is whole; else it goes on with _number, since it is made up or was there before (count_1, id_1) */
  bool anonymous;              /* the name is made up */
} alch_output;

/* How many columns a source has; 0 for one that the block does not define. */
uint32_t alch_source_width(const alch_catalog *catalog, const alch_block *block, uint32_t source);
/* Its column number `index`; false past the end. */
bool alch_source_output(const alch_catalog *catalog, const alch_block *block, uint32_t source, uint32_t index, alch_output *out);
/* A column's type; one that comes with a foreign key is looked for at its target. 0 when it has none yet. */
alch_type_id alch_column_type(const alch_column *column);
/* The table behind a table id or an alias of one; NULL for subqueries. */
alch_table *alch_source_table(const alch_catalog *catalog, const alch_block *block, uint32_t source);
/* The table that a node of a block reads or writes by itself; NULL for other nodes. */
alch_table *alch_node_table(const alch_catalog *catalog, const alch_block *block, const alch_node *node);

/* A walk over what a SELECT or COMPOUND (a node of the block) gives, column by column. `number` is not filled here. */
typedef struct alch_output_walk {
  const alch_catalog *catalog;
  const alch_block *block;
  const alch_node *item, *end;
  uint32_t place, next, width, depth;
} alch_output_walk;
alch_output_walk alch_outputs(const alch_catalog *catalog, const alch_block *block, const alch_node *query);
/* The same over the children of a clause: COLUMNS, RETURNING. */
alch_output_walk alch_outputs_of(const alch_catalog *catalog, const alch_block *block, const alch_node *clause);
bool alch_output_next(alch_output_walk *walk, alch_output *out);
/* How many a walk has to give. */
uint32_t alch_output_count(alch_output_walk walk);
/* Does it give the columns of a select list or of RETURNING? */
static inline bool alch_has_outputs(const alch_node *node) { return alch_node_is_query(node) || node->kind == ALCH_NODE_INSERT || node->kind == ALCH_NODE_UPDATE || node->kind == ALCH_NODE_DELETE; }
/* The NAME of a column of a definition's element that lists its columns by name: a function, VALUES, a text. NULL past the end, and for everything else. */
const alch_node *alch_element_name(const alch_node *element, uint32_t index);
/* The SELECT that names the columns of a query: itself, or the first member of a compound; a statement that writes. NULL for anything else. */
const alch_node *alch_first_member(const alch_node *query);

/* Internal: the same at a depth, so that a definition that is made of itself (which no builder call makes, but a host may ask for) has an end. */
enum { ALCH_SOURCE_DEEPEST = 64 };
bool alch_source_output_at(const alch_catalog *catalog, const alch_block *block, uint32_t source, uint32_t index, uint32_t depth, alch_output *out);
alch_type_id alch_node_type_at(const alch_catalog *catalog, const alch_block *block, const alch_node *node, uint32_t depth);

#endif
