/* catalog.h - the root that owns all metadata of one host state.
   Tables, types and columns are named in statements by ids which the catalog gives out and never uses again; a catalog and
   everything in it lives until alch_catalog_close. One catalog belongs to one thread at a time. */
#ifndef ALCH_CATALOG_H
#define ALCH_CATALOG_H

#include "base/arena.h"
#include "base/map.h"
#include "schema/type.h"

struct alch_table;
struct alch_sequence;
struct alch_metadata;

/* Table ids are 1 .. 0x7fffffff; ids with the top bit are anonymous (aliases, subqueries, labels). */
#define ALCH_ANONYMOUS UINT32_C(0x80000000)

typedef struct alch_catalog {
  const alch_allocator *allocator;
  alch_arena arena;
  uint64_t serial;                   /* differs between catalogs of one process, and after alch_catalog_renew: part of every key of a compiled statement */
  struct alch_table **tables;        /* by id; [0] is NULL */
  uint32_t table_count, table_capacity;
  const alch_type **types;           /* by id */
  uint32_t type_count, type_capacity;
  alch_map type_ids;                 /* printed type -> id + 1 */
  struct alch_sequence **sequences;  /* by id; [0] is NULL */
  uint32_t sequence_count, sequence_capacity;
  /* Asks the host whether a thing with a condition of its own (alch_condition.host) is wanted on this dialect; NULL: always. `thing` is the record that carries it. */
  alch_status (*condition)(void *context, int64_t host, const void *thing, const char *dialect, bool *wanted, alch_error *error);
  void *condition_context;
  uint32_t anonymous;                /* last anonymous id given out, without the top bit */
  struct alch_metadata *metadata;    /* all of them, newest first */
  struct alch_hook *hooks;           /* sql/hook.h, newest first */
} alch_catalog;

/* NULL when there is no memory. */
alch_catalog *alch_catalog_open(const alch_allocator *allocator);
void alch_catalog_close(alch_catalog *catalog);
/* What was compiled for this catalog is not to be used again. */
void alch_catalog_renew(alch_catalog *catalog);
/* Never NULL for ids that were given out. */
const alch_type *alch_catalog_type(const alch_catalog *catalog, alch_type_id id);
/* Interns a type. */
alch_status alch_catalog_intern(alch_catalog *catalog, const alch_type *type, alch_type_id *id, alch_error *error);
struct alch_table *alch_catalog_table(const alch_catalog *catalog, uint32_t id);     /* NULL for anonymous and unknown ids */
uint32_t alch_catalog_anonymous(alch_catalog *catalog);                             /* a new anonymous id */

#endif
