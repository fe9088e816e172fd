/* plan_work.h - what the files that make plans share: a statement on its way to being one that loads objects.
   A planner lives during alch_plan_make; what ends up in the plan lies in the plan's arena, the rest in the planner's. */
#ifndef ALCH_PLAN_WORK_H
#define ALCH_PLAN_WORK_H

#include "orm/load.h"

/* An entity of the statement, or one that is joined to it. */
typedef struct alch_planned {
  const alch_mapper *mapper;
  uint32_t source;                 /* its columns' source: what the statement says, or the alias that was made for it */
  uint32_t *indexes;               /* by slot, where the source is a subquery: number of the column there, UINT32_MAX: it has none; else NULL */
  uint32_t secondary;              /* alias of the secondary table */
  uint32_t owner;                  /* UINT32_MAX: of the select list */
  const alch_relationship *relationship;
  const alch_node *options;        /* children apply to it; or NULL */
  bool joined;                     /* by us, behind the statement's own sources */
  bool inner;                      /* by INNER JOIN */
  bool *takes;                     /* by slot: its column is selected */
  uint32_t *slots, slot_count;     /* those, in order */
  uint32_t item;                   /* number of its first item */
} alch_planned;

/* An item of the statement's select list once entities are columns. */
typedef struct alch_plan_item {
  const alch_node *node;           /* NULL: column of an entity */
  uint32_t entity, slot;
} alch_plan_item;

/* An ORDER BY expression of a statement that becomes a subquery. */
typedef struct alch_plan_order { const alch_node *node; uint32_t item; } alch_plan_order;

typedef struct alch_planner {
  alch_registry *registry;
  const alch_catalog *catalog;
  const alch_dialect *dialect;
  const alch_block *block;
  const alch_node *root, *list;    /* the statement; its COLUMNS or RETURNING */
  const alch_node *options;
  bool joins;                      /* it can be joined to */
  alch_plan *plan;
  alch_arena arena;
  alch_builder builder;
  alch_planned *entities;
  uint32_t entity_count, entity_capacity;
  alch_plan_follow *follows;
  uint32_t follow_count, follow_capacity;
  alch_plan_item *items;
  uint32_t item_count, item_capacity;
  alch_plan_order *orders;
  uint32_t order_count;
  uint32_t main_items;             /* items that rows are made of; behind them what the subquery has for ORDER BY */
  const alch_block *inner;         /* the statement as a subquery, once it is one */
  uint32_t subquery;               /* its id then */
  uint32_t *first_output;          /* by item: its first column in the main statement's (subquery's) row; [item_count]: how many there are */
  alch_error *error;
} alch_planner;

/* ---- plan_entity.c: what is loaded ---- */
/* Finds the entities of the select list and all that is joined or follows by options and by the relationships' own strategies. */
alch_status alch_plan_entities(alch_planner *planner);
/* What the options say of a relationship; ALCH_LAZY_DEFAULT: nothing. */
uint8_t alch_plan_strategy(const alch_node *options, const alch_relationship *relationship);
bool alch_plan_names(const alch_planner *planner, const alch_node *node, uint32_t source);     /* is the source inside this FROM item? */
/* The entity of the statement that an eager one hangs on in the end (itself when it is one). */
uint32_t alch_plan_base(const alch_planner *planner, uint32_t entity);

/* ---- plan_build.c: the statement that loads it ---- */
alch_status alch_plan_rewrite(alch_planner *planner, const alch_block **out);

/* *array gets room for one more, in the planner's arena. */
void *alch_plan_grow(alch_planner *planner, void *array, uint32_t *capacity, uint32_t count, size_t size);

#endif
