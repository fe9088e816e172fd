/* What the specs of blocks, expressions and the compiler share: tables, and a short way to write statements.
 *
 * Every X is an operand: a block (kept until world_close) or a plain value. A mistake in building fails the case. */
#ifndef COMPILE_WORLD_H
#define COMPILE_WORLD_H

#include "check.h"
#include "schema/metadata.h"
#include "sql/compile.h"
#include "sql/expression.h"
#include "sql/source.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef alch_operand X;

typedef struct world_block { struct world_block *next; size_t size; alch_block block; } world_block;

typedef struct world {
  const alch_allocator *allocator;
  alch_catalog *catalog;
  alch_metadata *metadata;
  alch_builder builder;
  alch_error error;
  world_block *blocks;
  bool failed;                 /* a building failed: nothing that comes after counts */
  alch_error_kind failure;
  alch_table *users, *addresses, *orders, *nodes, *defaults, *quoted, *pairs, *pair_links;
} world;

static world w;

/* ---- the tables ---- */

static alch_column *world_column(alch_table *table, const char *name, uint8_t family, bool key) {
  alch_column column = { .name = name, .type = family, .has_type = true, .primary_key = key, .nullable = !key };
  alch_column *out = NULL;
  alch_table_add_column(table, &column, &out, &w.error);
  return out;
}

static alch_table *world_table(const char *name) {
  alch_table *table = NULL;
  alch_table_new(w.metadata, name, NULL, &table, &w.error);
  return table;
}

static void world_key(alch_table *table, const char *const *columns, const char *const *targets, uint32_t count) {
  alch_constraint key = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = targets, .column_count = count, .deferrable = -1 };
  alch_constraint *out = NULL;
  alch_table_add_constraint(table, &key, columns, count, &out, &w.error);
}

static inline void world_open_with(const alch_allocator *allocator) {
  memset(&w, 0, sizeof w);
  w.allocator = allocator;
  alch_error_init(&w.error, &alch_allocator_standard);
  alch_builder_init(&w.builder, allocator);
  w.catalog = alch_catalog_open(&alch_allocator_standard);
  alch_metadata_new(w.catalog, NULL, &w.metadata, &w.error);
  w.users = world_table("users");
  world_column(w.users, "id", ALCH_TYPE_INTEGER, true);
  world_column(w.users, "name", ALCH_TYPE_STRING, false);
  world_column(w.users, "active", ALCH_TYPE_BOOLEAN, false);
  world_column(w.users, "age", ALCH_TYPE_INTEGER, false);
  world_column(w.users, "born", ALCH_TYPE_DATE, false);
  w.addresses = world_table("addresses");
  world_column(w.addresses, "id", ALCH_TYPE_INTEGER, true);
  world_column(w.addresses, "user_id", ALCH_TYPE_INTEGER, false);
  world_column(w.addresses, "email", ALCH_TYPE_STRING, false);
  world_key(w.addresses, (const char *const[]){ "user_id" }, (const char *const[]){ "users.id" }, 1);
  w.orders = world_table("orders");
  world_column(w.orders, "id", ALCH_TYPE_INTEGER, true);
  world_column(w.orders, "bill_id", ALCH_TYPE_INTEGER, false);
  world_column(w.orders, "ship_id", ALCH_TYPE_INTEGER, false);
  world_column(w.orders, "price", ALCH_TYPE_NUMERIC, false);
  world_key(w.orders, (const char *const[]){ "bill_id" }, (const char *const[]){ "addresses.id" }, 1);
  world_key(w.orders, (const char *const[]){ "ship_id" }, (const char *const[]){ "addresses.id" }, 1);
  w.nodes = world_table("nodes");
  world_column(w.nodes, "id", ALCH_TYPE_INTEGER, true);
  world_column(w.nodes, "parent_id", ALCH_TYPE_INTEGER, false);
  world_key(w.nodes, (const char *const[]){ "parent_id" }, (const char *const[]){ "nodes.id" }, 1);
  w.quoted = world_table("Order");
  world_column(w.quoted, "select", ALCH_TYPE_INTEGER, true);
  world_column(w.quoted, "two words", ALCH_TYPE_STRING, false);
  w.pairs = world_table("pairs");
  world_column(w.pairs, "a", ALCH_TYPE_INTEGER, true);
  world_column(w.pairs, "b", ALCH_TYPE_INTEGER, true);
  w.pair_links = world_table("pair_links");
  world_column(w.pair_links, "pair_a", ALCH_TYPE_INTEGER, false);
  world_column(w.pair_links, "pair_b", ALCH_TYPE_INTEGER, false);
  world_key(w.pair_links, (const char *const[]){ "pair_a", "pair_b" }, (const char *const[]){ "pairs.a", "pairs.b" }, 2);
}

/* A table with a default of each kind: a value, SQL, the host's function; and an onupdate. */
static inline void world_add_defaults(void) {
  w.defaults = world_table("defaults");
  world_column(w.defaults, "id", ALCH_TYPE_INTEGER, true);
  world_column(w.defaults, "name", ALCH_TYPE_STRING, false);
  alch_column stamp = { .name = "stamp", .type = ALCH_TYPE_STRING, .has_type = true, .nullable = true }, level = stamp, updated = stamp;
  level.name = "level";
  level.type = ALCH_TYPE_INTEGER;
  level.insert_default = (alch_default){ .kind = ALCH_DEFAULT_VALUE, .value = alch_value_integer(7) };
  updated.name = "updated";
  updated.update_default = (alch_default){ .kind = ALCH_DEFAULT_HOST, .value = { .kind = ALCH_HOST, .integer = 1 } };
  alch_operand text = { .value = alch_value_text("a", 1) };
  size_t size = 0;
  alch_expression_function(&w.builder, w.catalog, "lower", &text, 1, 0, &w.error);
  if (alch_builder_finish(&w.builder, &size, &w.error) != ALCH_OK) return;
  void *block = malloc(size);
  alch_builder_write(&w.builder, block);
  stamp.insert_default = (alch_default){ .kind = ALCH_DEFAULT_SQL, .block = alch_catalog_keep_block(w.catalog, block, size) };
  stamp.update_default = stamp.insert_default;
  free(block);
  alch_column *out = NULL;
  alch_table_add_column(w.defaults, &stamp, &out, &w.error);
  alch_table_add_column(w.defaults, &level, &out, &w.error);
  alch_table_add_column(w.defaults, &updated, &out, &w.error);
}

static inline void world_open(void) { world_open_with(&alch_allocator_standard); }

static inline void world_free_blocks(void) {
  while (w.blocks) {
    world_block *next = w.blocks->next;
    alch_free(w.allocator, w.blocks, w.blocks->size);
    w.blocks = next;
  }
}

static inline void world_close(void) {
  world_free_blocks();
  alch_builder_destroy(&w.builder);
  alch_catalog_close(w.catalog);
  alch_error_close(&w.error);
}

/* ---- blocks ---- */

static bool world_failed(alch_status status) {
  if (status == ALCH_OK || w.failed) return w.failed;
  w.failed = true;
  w.failure = w.error.kind;
  if (w.error.kind != ALCH_ERROR_OUT_OF_MEMORY) check_text(alch_error_message(&w.error), "no error", "building", __FILE__, __LINE__);
  return true;
}

static inline X taken(alch_status status) {
  size_t size = 0;
  X none = { .value = { .kind = ALCH_NULL } };
  if (w.failed) return none;
  if (status == ALCH_OK) status = alch_builder_finish(&w.builder, &size, &w.error);
  if (world_failed(status)) return none;
  size_t whole = offsetof(world_block, block) + size;
  world_block *kept = alch_allocate(w.allocator, whole);
  if (!kept) {
    world_failed(alch_error_out_of_memory(&w.error));
    return none;
  }
  kept->size = whole;
  kept->next = w.blocks;
  w.blocks = kept;
  alch_builder_write(&w.builder, &kept->block);
  return (X){ .block = &kept->block };
}

static inline alch_builder *start(void) {
  alch_builder_start(&w.builder);
  return &w.builder;
}

static inline X leaf(uint8_t kind, uint32_t a, uint32_t b) {
  alch_builder_leaf(start(), kind, 0, a, b);
  return taken(ALCH_OK);
}

static inline X leaf_text(uint8_t kind, uint32_t a, const char *text) {
  alch_builder_leaf_text(start(), kind, 0, a, 0, text, strlen(text));
  return taken(ALCH_OK);
}

/* ---- values ---- */

static inline X i(int64_t integer) { return (X){ .value = alch_value_integer(integer) }; }
static inline X r(double real) { return (X){ .value = alch_value_real(real) }; }
static inline X s(const char *text) { return (X){ .value = alch_value_text(text, strlen(text)) }; }
static inline X truth(bool is) { return (X){ .value = alch_value_boolean(is) }; }
static inline X null(void) { return (X){ .value = ALCH_VALUE_NULL }; }
#define LIST(...) list_of((alch_value[]){ __VA_ARGS__ }, sizeof((alch_value[]){ __VA_ARGS__ }) / sizeof(alch_value))
static inline X list_of(const alch_value *items, size_t count) { return (X){ .value = { .kind = ALCH_LIST, .integer = (int64_t)count }, .items = items }; }
static inline X no_items(void) { return (X){ .value = { .kind = ALCH_LIST } }; }
#define INTEGER(n) alch_value_integer(n)
#define TEXT(t) alch_value_text(t, strlen(t))

/* ---- expressions ---- */

static inline uint32_t column_index(const alch_table *table, const char *name) {
  alch_column *column = alch_table_column(table, name);
  return column ? column->index : UINT32_MAX;
}
static inline X c(const alch_table *table, const char *name) { return leaf(ALCH_NODE_COLUMN, table->id, column_index(table, name)); }
static inline X entity(const alch_table *table) { return leaf(ALCH_NODE_ENTITY, table->id, 0); }
static inline X star(void) { return leaf(ALCH_NODE_STAR, 0, 0); }
static inline X text(const char *sql) { return leaf_text(ALCH_NODE_TEXT, 0, sql); }
static inline X literal(const char *sql) { return leaf_text(ALCH_NODE_LITERAL, 0, sql); }
static inline X label_name(const char *name) { return leaf_text(ALCH_NODE_LABEL_NAME, 0, name); }
static inline X sql_null(void) { return leaf(ALCH_NODE_NULL, 0, 0); }
static inline X sql_true(void) { return leaf(ALCH_NODE_TRUE, 0, 0); }
static inline X sql_false(void) { return leaf(ALCH_NODE_FALSE, 0, 0); }

#define OP(op, ...) operate(ALCH_OPERATOR_##op, (X[]){ __VA_ARGS__ }, sizeof((X[]){ __VA_ARGS__ }) / sizeof(X))
static inline X operate(alch_operator op, const X *operands, size_t count) {
  return taken(alch_expression_operate(&w.builder, w.catalog, op, operands, (uint32_t)count, &w.error));
}
static inline X eq(X left, X right) { return OP(EQ, left, right); }
static inline X gt(X left, X right) { return OP(GT, left, right); }
static inline X lt(X left, X right) { return OP(LT, left, right); }
static inline X add(X left, X right) { return OP(ADD, left, right); }
static inline X sub(X left, X right) { return OP(SUBTRACT, left, right); }
static inline X mul(X left, X right) { return OP(MULTIPLY, left, right); }
static inline X not(X operand) { return OP(NOT, operand); }
static inline X desc(X operand) { return OP(DESC, operand); }
static inline X in(X left, X right) { return OP(IN, left, right); }
#define AND(...) OP(AND, __VA_ARGS__)
#define OR(...) OP(OR, __VA_ARGS__)
static inline X pattern(alch_pattern kind, X left, X right, bool escape) { return taken(alch_expression_pattern(&w.builder, w.catalog, kind, &left, &right, escape, 0, &w.error)); }
static inline X like(alch_operator op, X left, X right, char escape) { return taken(alch_expression_like(&w.builder, w.catalog, op, &left, &right, escape, &w.error)); }
static inline X value(X plain, alch_type_id type) { return taken(alch_expression_literal(&w.builder, w.catalog, &plain, type, &w.error)); }
#define NO_LIST operate(ALCH_OPERATOR_COMMA, NULL, 0)
#define FUNC(name, ...) func_of(name, (X[]){ __VA_ARGS__ }, sizeof((X[]){ __VA_ARGS__ }) / sizeof(X))
static inline X func_of(const char *name, const X *arguments, size_t count) {
  return taken(alch_expression_function(&w.builder, w.catalog, name, arguments, (uint32_t)count, 0, &w.error));
}
static inline X func(const char *name) { return func_of(name, NULL, 0); }

static inline void put(X operand) {
  if (operand.block) alch_builder_block(&w.builder, operand.block);
  else alch_builder_bind(&w.builder, alch_value_type(operand.value.kind), 0, NULL, &operand.value, operand.items);
}
#define NODE(kind, op, a, b, ...) node_of(ALCH_NODE_##kind, op, a, b, NULL, (X[]){ __VA_ARGS__ }, sizeof((X[]){ __VA_ARGS__ }) / sizeof(X))
#define NAMED(kind, name, ...) node_of(ALCH_NODE_##kind, 0, 0, 0, name, (X[]){ __VA_ARGS__ }, sizeof((X[]){ __VA_ARGS__ }) / sizeof(X))
static inline X node_of(uint8_t kind, uint8_t op, uint32_t a, uint32_t b, const char *name, const X *children, size_t count) {
  alch_builder_open_text(start(), kind, op, a, b, name, name ? strlen(name) : 0);
  for (size_t n = 0; n < count; n++) put(children[n]);
  alch_builder_close(&w.builder);
  return taken(ALCH_OK);
}
static inline X label(X expression, const char *name) { return NAMED(LABEL, name, expression); }
static inline X cast(X expression, alch_type_id type) { return NODE(CAST, 0, 0, type, expression); }
static inline X exists(X query) { return NODE(EXISTS, 0, 0, 0, query); }
static inline X scalar(X query) { return NODE(SCALAR, 0, 0, 0, query); }
static inline X bind(const char *name, alch_type_id type, uint8_t bits) {
  alch_builder_bind(start(), type, bits | ALCH_BIND_NAMED, name, NULL, NULL);
  return taken(ALCH_OK);
}

/* ---- sources ---- */

static inline X define(uint32_t id, alch_definition kind, const char *name, const alch_block *element, uint32_t table) {
  start();
  alch_builder_define(&w.builder, id, kind, name, element, table);
  alch_builder_leaf(&w.builder, ALCH_NODE_SOURCE, 0, id, 0);
  return taken(ALCH_OK);
}
static inline X alias(const alch_table *table, const char *name) { return define(alch_catalog_anonymous(w.catalog), ALCH_DEFINITION_ALIAS, name, NULL, table->id); }
static inline X alias_of(X source, const char *name) { return define(alch_catalog_anonymous(w.catalog), ALCH_DEFINITION_ALIAS, name, source.block, 0); }
static inline X subquery(X query, const char *name) { return define(alch_catalog_anonymous(w.catalog), ALCH_DEFINITION_SUBQUERY, name, query.block, 0); }
static inline X lateral(X query, const char *name) { return define(alch_catalog_anonymous(w.catalog), ALCH_DEFINITION_LATERAL, name, query.block, 0); }
static inline X cte(X query, const char *name) { return define(alch_catalog_anonymous(w.catalog), ALCH_DEFINITION_CTE, name, query.block, 0); }
static inline X recursive(X query, const char *name) { return define(alch_catalog_anonymous(w.catalog), ALCH_DEFINITION_RECURSIVE_CTE, name, query.block, 0); }
static inline uint32_t source_id(X source) { return source.block ? alch_block_root(source.block)->a : 0; }
/* A recursive CTE with its second member. */
static inline X redefine(X source, const char *name, X query) { return define(source_id(source), ALCH_DEFINITION_RECURSIVE_CTE, name, query.block, 0); }
/* Column number `index` of an alias, a subquery, a CTE: it brings the definition along. */
static inline X at(X source, uint32_t index) {
  start();
  if (source.block) alch_builder_definitions(&w.builder, source.block);
  alch_builder_leaf(&w.builder, ALCH_NODE_COLUMN, 0, source_id(source), index);
  return taken(ALCH_OK);
}
static inline X whole(X source) {
  start();
  if (source.block) alch_builder_definitions(&w.builder, source.block);
  alch_builder_leaf(&w.builder, ALCH_NODE_ENTITY, 0, source_id(source), 0);
  return taken(ALCH_OK);
}
static inline X t(const alch_table *table) { return leaf(ALCH_NODE_TABLE, table->id, 0); }
static inline X join(X left, X right) { return NODE(JOIN, ALCH_JOIN_INNER, 0, 0, left, right); }
static inline X join_on(uint8_t kind, X left, X right, X condition) { return NODE(JOIN, kind, 0, 0, left, right, condition); }

/* ---- statements ---- */

static inline X clause_of(X statement, alch_node_kind clause, uint8_t op, const X *additions, size_t count) {
  const alch_block *blocks[16];
  size_t known = 0;
  X literals[16];
  for (size_t n = 0; n < count && n < 16; n++) {
    literals[n] = additions[n].block ? additions[n] : value(additions[n], 0);
    if (literals[n].block) blocks[known++] = literals[n].block;
  }
  if (!statement.block) return statement;
  alch_build_clause(&w.builder, statement.block, clause, op, blocks, (uint32_t)known, false);
  return taken(ALCH_OK);
}
#define CLAUSE(statement, clause, ...) clause_of(statement, ALCH_NODE_##clause, 0, (X[]){ __VA_ARGS__ }, sizeof((X[]){ __VA_ARGS__ }) / sizeof(X))
#define SELECT(...) CLAUSE(leaf(ALCH_NODE_SELECT, 0, 0), COLUMNS, __VA_ARGS__)
#define WHERE(statement, ...) CLAUSE(statement, WHERE, __VA_ARGS__)
#define ORDER_BY(statement, ...) CLAUSE(statement, ORDER_BY, __VA_ARGS__)
#define GROUP_BY(statement, ...) CLAUSE(statement, GROUP_BY, __VA_ARGS__)
#define HAVING(statement, ...) CLAUSE(statement, HAVING, __VA_ARGS__)
#define FROM(statement, ...) CLAUSE(statement, FROM, __VA_ARGS__)
#define RETURNING(statement, ...) CLAUSE(statement, RETURNING, __VA_ARGS__)
static inline X limit(X statement, int64_t count) { return CLAUSE(statement, LIMIT, i(count)); }
static inline X offset(X statement, int64_t count) { return CLAUSE(statement, OFFSET, i(count)); }
static inline X distinct(X statement) { return clause_of(statement, ALCH_NODE_DISTINCT, 0, NULL, 0); }
static inline X compound(alch_compound kind, X left, X right) {
  alch_builder_open(start(), ALCH_NODE_COMPOUND, kind, 0, 0);
  alch_builder_open(&w.builder, ALCH_NODE_MEMBERS, 0, 0, 0);
  put(left);
  put(right);
  alch_builder_close(&w.builder);
  alch_builder_close(&w.builder);
  return taken(ALCH_OK);
}
static inline X insert(const alch_table *table) { return leaf(ALCH_NODE_INSERT, table->id, 0); }
static inline X update(const alch_table *table) { return leaf(ALCH_NODE_UPDATE, table->id, 0); }
static inline X delete(const alch_table *table) { return leaf(ALCH_NODE_DELETE, table->id, 0); }
/* Typed as the binding types them: by the column. */
static inline X typed(const alch_table *table, const char *column, X plain) { return plain.block ? plain : value(plain, alch_table_column(table, column)->type); }
static inline X assign(const alch_table *table, const char *column, X plain) { return NODE(ASSIGN, 0, table->id, column_index(table, column), typed(table, column, plain)); }
#define SET(statement, ...) CLAUSE(statement, SET, __VA_ARGS__)
#define INTO(statement, ...) CLAUSE(statement, INTO, __VA_ARGS__)
#define ROWS(statement, ...) CLAUSE(statement, ROWS, __VA_ARGS__)
#define ROW(...) NODE(ROW, 0, 0, 0, __VA_ARGS__)

/* ---- compiling ---- */

static inline alch_compiled *compiled_as(X statement, const char *dialect, const alch_compile_options *options) {
  alch_compiled *compiled = NULL;
  if (!statement.block || w.failed) return NULL;
  alch_compile(w.catalog, alch_dialect_find(dialect), statement.block, options, w.allocator, &compiled, &w.error);
  return compiled;
}

/* The text, or the error's, in a buffer of the caller. */
static inline const char *sql_in(X statement, const char *dialect, const alch_compile_options *options, char *out, size_t size) {
  alch_compiled *compiled = compiled_as(statement, dialect, options);
  snprintf(out, size, "%s", compiled ? compiled->sql : statement.block ? alch_error_message(&w.error) : "not built");
  alch_compiled_release(compiled);
  return out;
}

#endif
