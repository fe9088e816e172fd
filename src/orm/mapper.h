/* mapper.h - what a model is to the core: a table, attributes, relationships.
   A registry owns its mappers (arena); it lives as long as the catalog it is made on. Records may be read directly. Mappers are configured once, all together, when first used. */
#ifndef ALCH_MAPPER_H
#define ALCH_MAPPER_H

#include "orm/host.h"
#include "schema/metadata.h"
#include "sql/block.h"

/* Columns that a primary key may have: keys travel in arrays on the stack. */
#define ALCH_KEY_LIMIT 16

/* A mapped column. Its number in the mapper is its slot in objects. */
typedef struct alch_attribute {
  const char *name;                /* in programs */
  alch_column *column;
  const alch_type *type;
  alch_type_id type_id;
  uint8_t value_kind;              /* kind of a value that is not NULL */
  bool primary_key, deferred;
  bool listened;                   /* attribute events */
} alch_attribute;

typedef enum alch_direction { ALCH_MANY_TO_ONE, ALCH_ONE_TO_MANY, ALCH_MANY_TO_MANY } alch_direction;
enum {
  ALCH_CASCADE_SAVE_UPDATE = 1, ALCH_CASCADE_DELETE = 2, ALCH_CASCADE_DELETE_ORPHAN = 4, ALCH_CASCADE_MERGE = 8, ALCH_CASCADE_REFRESH_EXPIRE = 16, ALCH_CASCADE_EXPUNGE = 32
};
typedef enum alch_strategy {
  ALCH_LAZY_DEFAULT,               /* what the relationship says */
  ALCH_LAZY_BATCH,                 /* on first touch, for all that were loaded together */
  ALCH_LAZY_SELECT,                /* on first touch, for the one object */
  ALCH_LAZY_JOINED, ALCH_LAZY_SELECTIN, ALCH_LAZY_RAISE, ALCH_LAZY_NOLOAD,
  ALCH_STRATEGY_DEFER, ALCH_STRATEGY_UNDEFER, ALCH_STRATEGY_LOAD_ONLY,    /* of attributes */
  ALCH_STRATEGY_CONTAINS_EAGER,
  ALCH_STRATEGY_COUNT
} alch_strategy;

/* One pair of columns that a relationship equates. */
typedef struct alch_pair {
  uint32_t local;                  /* slot of the parent object */
  uint32_t remote;                 /* slot of the target object (many to many: of no meaning) */
  alch_column *link;               /* many to many: column of the secondary table */
} alch_pair;

typedef struct alch_relationship {
  struct alch_mapper *mapper;      /* that has it */
  struct alch_mapper *target;
  const char *name, *target_name, *back_name;     /* back_name: back_populates or NULL */
  uint32_t index;                  /* among the mapper's relationships */
  uint32_t slot;                   /* mapper->attribute_count + index */
  alch_direction direction;
  bool list;                       /* a collection; else a scalar */
  bool list_given;                 /* false: a collection unless it is many to one */
  bool view_only, passive_deletes, post_update, single_parent, listened;
  uint8_t cascade, strategy;
  bool inner_join;
  struct alch_relationship *back;  /* kept in step */
  alch_table *secondary;
  alch_pair *pairs;                /* local side: MANY_TO_ONE: local is the foreign key; ONE_TO_MANY: remote is. MANY_TO_MANY: local with link column */
  uint32_t pair_count;
  alch_pair *remote_pairs;         /* MANY_TO_MANY: remote (a slot of the target, in .remote) with link column */
  uint32_t remote_pair_count;
  const alch_constraint *foreign_key, *remote_foreign_key;   /* what the pairs (remote pairs) were made from */
  uint32_t *key_pairs;             /* MANY_TO_ONE to the target's primary key: for each part of that key, which pair gives it; else NULL. Such a target is looked for in the identity map first */
  const alch_block *order_by;      /* an expression or comma list over the target's columns, or NULL */
  const alch_block *load_block;    /* SELECT for many parents: the target's entity, then for MANY_TO_MANY the link columns; … WHERE column IN (:keys, expanding). NULL where the key has several columns */
  /* hints given by the user: */
  alch_column **foreign_keys, **remote_side;
  uint32_t foreign_key_count, remote_side_count;
} alch_relationship;

typedef struct alch_mapper {
  struct alch_registry *registry;
  uint32_t id;                     /* b of ENTITY nodes; no two mappers of one catalog have the same. From 1, with holes */
  const char *name;
  alch_table *table;
  alch_attribute *attributes;
  uint32_t attribute_count;
  alch_relationship *relationships;
  uint32_t relationship_count, relationship_capacity;
  uint32_t slot_count;             /* attributes and relationships */
  uint32_t *slot_of_column;        /* by column index; UINT32_MAX: not mapped. Ask alch_mapper_column_slot: columns may have been added to the table since */
  uint32_t column_count;           /* of slot_of_column */
  uint32_t *key_slots;             /* primary key */
  uint32_t key_count;
  bool integer_key;                /* one column, an integer: the identity map's short way */
  uint32_t generated_slot;         /* filled by the database on insert, UINT32_MAX: none */
  uint32_t order;                  /* place in the order of tables: parents first */
  uint32_t events;                 /* 1 << alch_object_event that somebody listens to */
  bool configured;
  const alch_block *load_block;    /* SELECT of the entity, for many keys: … WHERE key IN (:keys, expanding). NULL where the key has several columns */
  const alch_block *get_block;     /* SELECT of the entity WHERE key = :ka, AND :kb, … */
  void *host;                      /* for the host's own use */
} alch_mapper;

typedef struct alch_registry {
  alch_catalog *catalog;
  alch_arena arena;
  alch_mapper **mappers;           /* by creation */
  uint32_t mapper_count, mapper_capacity;
  alch_map by_name;                /* model name -> mapper */
  bool configured;
  alch_map by_id;                  /* 4 bytes of id -> mapper */
} alch_registry;

alch_status alch_registry_new(alch_catalog *catalog, alch_registry **out, alch_error *error);
void alch_registry_close(alch_registry *registry);
/* A mapper over a table: every column becomes an attribute named by its key, in order. ARGUMENT when the table has no primary key or the name is taken. */
alch_status alch_mapper_new(alch_registry *registry, const char *name, alch_table *table, alch_mapper **out, alch_error *error);
/* Renames the attribute of a column / marks it deferred. Before configuration. */
alch_status alch_mapper_set_attribute(alch_mapper *mapper, alch_column *column, const char *name, bool deferred, alch_error *error);
/* `relationship` is a filled template: name, target_name (or target), back_name, list and list_given, cascade, strategy, order_by, secondary, hints and the other flags; everything is copied.
   Before configuration. *out (may be NULL) is good until the next relationship is added to this mapper; its slot stays. */
alch_status alch_mapper_add_relationship(alch_mapper *mapper, const alch_relationship *relationship, alch_relationship **out, alch_error *error);
/* For what the host could not know when it added the relationship, because the other model was not there yet: takes those of target, secondary, order_by, foreign_keys and remote_side that
   are set in the template. Before configuration. */
alch_status alch_mapper_set_hints(alch_mapper *mapper, uint32_t slot, const alch_relationship *hints, alch_error *error);
/* Resolves names, finds directions and pairs from foreign keys, ties back_populates, orders mappers. Does nothing when all is configured. Errors (ARGUMENT, INVALID_REQUEST, NO_FOREIGN_KEYS,
   AMBIGUOUS_FOREIGN_KEYS) name the relationship ("Team.players") and what to write. */
alch_status alch_registry_configure(alch_registry *registry, alch_error *error);
/* NULL when there is none in this registry. */
alch_mapper *alch_registry_mapper(const alch_registry *registry, uint32_t id);
alch_mapper *alch_registry_find(const alch_registry *registry, const char *name);
/* Slot of an attribute or relationship; UINT32_MAX when there is none. */
uint32_t alch_mapper_slot(const alch_mapper *mapper, const char *name);
const char *alch_mapper_slot_name(const alch_mapper *mapper, uint32_t slot);
/* Slot of a column; UINT32_MAX when it is not mapped. */
uint32_t alch_mapper_column_slot(const alch_mapper *mapper, const alch_column *column);
/* Name of the nearest attribute or relationship, or NULL. */
const char *alch_mapper_nearest(const alch_mapper *mapper, const char *name);
/* Left out of an INSERT when no value was set, since the database has something to say. */
static inline bool alch_attribute_database_decides(const alch_mapper *mapper, uint32_t slot) {
  const alch_column *column = mapper->attributes[slot].column;
  return slot == mapper->generated_slot || column->server_default.kind != ALCH_DEFAULT_NONE || column->insert_default.kind == ALCH_DEFAULT_SQL ||
         column->insert_default.kind == ALCH_DEFAULT_SEQUENCE || column->computed != NULL || column->identity != NULL;
}
static inline const alch_relationship *alch_mapper_relationship(const alch_mapper *mapper, uint32_t slot) {
  return slot >= mapper->attribute_count && slot < mapper->slot_count ? &mapper->relationships[slot - mapper->attribute_count] : NULL;
}

/* ---- used by the files of this floor ---- */
/* Target, direction, pairs, list; foreign keys are resolved by then. */
alch_status alch_relationship_configure(alch_relationship *relationship, alch_error *error);
/* back_populates, when all relationships have their pairs. */
alch_status alch_relationship_tie(alch_relationship *relationship, alch_error *error);
/* The statements of load_block, in parts: everything before the conditions; everything behind them, with loader options (a node whose children they are, or NULL). */
void alch_mapper_open_select(const alch_mapper *mapper, alch_builder *builder);
void alch_mapper_close_select(alch_builder *builder, const alch_node *options);
void alch_relationship_open_select(const alch_relationship *relationship, alch_builder *builder);
void alch_relationship_close_select(const alch_relationship *relationship, alch_builder *builder, const alch_node *options);
/* column IN (:keys), expanding. */
void alch_build_in_keys(alch_builder *builder, uint32_t source, const alch_column *column);
void alch_build_options(alch_builder *builder, const alch_node *options);
/* The column of a pair by which rows are told apart: of the target's table, or of the secondary one. */
void alch_relationship_link_column(const alch_relationship *relationship, uint32_t pair, uint32_t *source, const alch_column **column);
/* Appends an expression, or each of a comma list. */
void alch_build_order_by(alch_builder *builder, const alch_block *order_by);
alch_status alch_relationship_build(alch_relationship *relationship, alch_builder *builder, alch_error *error);
/* A block in the registry's arena with what the builder has built; NULL and an error when it failed. */
const alch_block *alch_registry_block(alch_registry *registry, alch_builder *builder, alch_error *error);

#endif
