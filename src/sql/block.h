/* block.h - a statement, or any part of one, as one flat block of memory.

   A block is: this header, the structure (definitions first, then one tree), the value area. Nodes stand in prefix order: a node's
   children follow it, and the next sibling is found by its size. Literal values are records in the value area, one for each BIND node in the order of the nodes
   (definitions first), so that structure and parameters are apart from the start: two statements that differ in values alone have the same structure bytes.
   A block holds no pointers. It can be copied, kept, hashed and compared as bytes; whoever allocated its memory owns it. It names tables and columns by the
   ids of one catalog. Aliases, subqueries and CTEs are DEFINE nodes before the tree, named by anonymous ids; a column of a subquery brings its definition along. */
#ifndef ALCH_BLOCK_H
#define ALCH_BLOCK_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/value.h"
#include "schema/catalog.h"

typedef enum alch_node_kind {
  ALCH_NODE_END,        /* never in a block */
#define ALCH_NODE(symbol, name, text, group) ALCH_NODE_##symbol,
#include "sql/node.def"
#undef ALCH_NODE
  ALCH_NODE_KIND_COUNT
} alch_node_kind;

typedef enum alch_operator {
#define ALCH_OPERATOR(symbol, lua_name, spelling, precedence, associativity, negation, result) ALCH_OPERATOR_##symbol,
#include "sql/operator.def"
#undef ALCH_OPERATOR
  ALCH_OPERATOR_COUNT
} alch_operator;

typedef enum alch_join { ALCH_JOIN_INNER, ALCH_JOIN_LEFT, ALCH_JOIN_FULL, ALCH_JOIN_CROSS } alch_join;   /* all but CROSS may have a third child, the condition; without one it is inferred from foreign keys */
typedef enum alch_compound { ALCH_COMPOUND_UNION, ALCH_COMPOUND_UNION_ALL, ALCH_COMPOUND_INTERSECT, ALCH_COMPOUND_INTERSECT_ALL, ALCH_COMPOUND_EXCEPT, ALCH_COMPOUND_EXCEPT_ALL } alch_compound;
typedef enum alch_definition { ALCH_DEFINITION_ALIAS, ALCH_DEFINITION_SUBQUERY, ALCH_DEFINITION_CTE, ALCH_DEFINITION_RECURSIVE_CTE, ALCH_DEFINITION_LATERAL, ALCH_DEFINITION_FUNCTION, ALCH_DEFINITION_VALUES, ALCH_DEFINITION_TABLESAMPLE } alch_definition;
/* Of a DEFINE, in b: FUNCTION may say WITH ORDINALITY (its last column), and be named with its columns, or with those and their types; CTEs may be told whether to be kept, and to stand where they are used. */
enum { ALCH_DEFINE_ORDINALITY = 1, ALCH_DEFINE_DERIVED = 2, ALCH_DEFINE_DERIVED_TYPES = 4, ALCH_DEFINE_LATERAL = 8, ALCH_DEFINE_MATERIALIZED = 16, ALCH_DEFINE_NOT_MATERIALIZED = 32, ALCH_DEFINE_NESTING = 64 };

/* How a text is read: :name is a value; ? is one, as a driver has it, named _1, _2, …; all is as it stands. */
typedef enum alch_text_reading { ALCH_TEXT_NAMED, ALCH_TEXT_MARKED, ALCH_TEXT_PLAIN, ALCH_TEXT_READING_COUNT } alch_text_reading;
enum { ALCH_BIND_NAMED = 1, ALCH_BIND_REQUIRED = 2, ALCH_BIND_EXPANDING = 4, ALCH_BIND_LITERAL = 8 };
typedef enum alch_frame { ALCH_FRAME_ROWS, ALCH_FRAME_RANGE, ALCH_FRAME_GROUPS } alch_frame;
/* What a FRAME leaves out, in the upper half of its op. */
typedef enum alch_frame_exclusion { ALCH_EXCLUDE_NOTHING, ALCH_EXCLUDE_CURRENT_ROW, ALCH_EXCLUDE_GROUP, ALCH_EXCLUDE_TIES, ALCH_EXCLUDE_NO_OTHERS, ALCH_EXCLUDE_COUNT } alch_frame_exclusion;
enum { ALCH_FRAME_UNIT = 0x0f, ALCH_FRAME_EXCLUSION_SHIFT = 4 };
/* Bounds of a FRAME; those that are counted have a child each. */
typedef enum alch_bound { ALCH_BOUND_UNBOUNDED, ALCH_BOUND_CURRENT, ALCH_BOUND_PRECEDING, ALCH_BOUND_FOLLOWING } alch_bound;
enum { ALCH_FETCH_WITH_TIES = 1, ALCH_FETCH_PERCENT = 2 };
enum { ALCH_CONFLICT_NOTHING = 0, ALCH_CONFLICT_UPDATE = 1, ALCH_CONFLICT_PORTABLE = 2 };
/* What execution options of a statement say: STREAMS that a has the rows of a piece, AUTOFLUSH_SET that AUTOFLUSH counts. */
enum { ALCH_EXECUTION_STREAMS = 1, ALCH_EXECUTION_POPULATES = 2, ALCH_EXECUTION_AUTOFLUSH_SET = 4, ALCH_EXECUTION_AUTOFLUSH = 8, ALCH_EXECUTION_YIELDS = 16 /* the number of rows was given as yield_per */ };
enum { ALCH_FOR_UPDATE_READ = 1, ALCH_FOR_UPDATE_NOWAIT = 2, ALCH_FOR_UPDATE_SKIP_LOCKED = 4, ALCH_FOR_UPDATE_KEY_SHARE = 8 };
enum {
  ALCH_LIKE_PATTERN = 0x100,   /* a LIKE that contains, startswith or endswith made: stands in parentheses inside AND and OR, as SQLAlchemy has it */
  ALCH_LIKE_BRACKET = 0x200    /* its wild cards were escaped, and there is a [ in it, which is one on some databases and must not be escaped on others */
};
enum { ALCH_SUBSCRIPT_PLACE = 1 };   /* the index of a JSON value is a place and no key: databases that take both have to be told */
enum { ALCH_FUNCTION_BARE = 1 /* no parentheses, CURRENT_TIMESTAMP */, ALCH_FUNCTION_AGGREGATE = 2 };

typedef struct alch_node {
  uint8_t kind, op;
  uint16_t length_high;    /* zero; room for later */
  uint32_t size;           /* bytes of the node with its text and children, a multiple of 8 */
  uint32_t a, b;
  uint32_t length;         /* of the text that follows, padded with zeros to 8 bytes */
  uint32_t reserved;       /* zero */
} alch_node;

_Static_assert(sizeof(alch_node) == 24, "nodes are hashed as bytes: no padding");

enum { ALCH_BLOCK_ANONYMOUS = 1 /* anonymous ids inside */, ALCH_BLOCK_HOST_VALUES = 2 /* ALCH_HOST records inside */ };

typedef struct alch_block {
  uint32_t definitions;    /* bytes of the DEFINE nodes at the start of the structure */
  uint32_t structure;      /* bytes of the whole structure */
  uint32_t values;         /* bytes of the value area */
  uint32_t definition_values;   /* bytes at its start that are the values of the definitions */
  uint32_t flags;
  uint32_t reserved;
} alch_block;

static inline const alch_node *alch_block_first(const alch_block *block) { return (const alch_node *)(block + 1); }
/* The tree. */
static inline const alch_node *alch_block_root(const alch_block *block) { return (const alch_node *)((const char *)(block + 1) + block->definitions); }
static inline const char *alch_block_values(const alch_block *block) { return (const char *)(block + 1) + block->structure; }
static inline size_t alch_block_size(const alch_block *block) { return sizeof(alch_block) + block->structure + block->values; }
static inline const char *alch_node_text(const alch_node *node) { return (const char *)(node + 1); }
static inline const alch_node *alch_node_child(const alch_node *node) { return (const alch_node *)((const char *)(node + 1) + ((node->length + 7u) & ~7u)); }
static inline const alch_node *alch_node_next(const alch_node *node) { return (const alch_node *)((const char *)node + node->size); }
#define ALCH_EACH_CHILD(child, node) (const alch_node *child = alch_node_child(node), *child##_end = alch_node_next(node); child < child##_end; child = alch_node_next(child))
uint32_t alch_node_child_count(const alch_node *node);
const alch_node *alch_node_nth(const alch_node *node, uint32_t index);                 /* NULL past the end */
const alch_node *alch_node_clause(const alch_node *statement, alch_node_kind clause);  /* NULL when absent */
uint32_t alch_node_target(const alch_node *statement);                                 /* the source that an UPDATE or DELETE writes to: its table, or the alias of it */
const char *alch_node_kind_name(uint8_t kind);
bool alch_node_is_query(const alch_node *node);                                        /* SELECT or COMPOUND */
bool alch_node_is_anonymous(const alch_node *node);                                    /* Does its `a` hold an anonymous id? */
const alch_node *alch_block_definition(const alch_block *block, uint32_t anonymous);   /* DEFINE node or NULL */

uint32_t alch_block_definition_binds(const alch_block *block);                         /* BIND nodes in the definitions: as many records come before those of the tree */

/* Value records: 8 bytes of kind and length, then 8 bytes of number or the padded text; a list is followed by its items. */
typedef struct alch_value_cursor { const char *next, *end; } alch_value_cursor;
static inline alch_value_cursor alch_block_value_cursor(const alch_block *block) {
  return (alch_value_cursor){ alch_block_values(block), alch_block_values(block) + block->values };
}
/* Reads one record (of a list: its head; the items are the next records); text is borrowed from the block. False at the end. */
bool alch_value_cursor_next(alch_value_cursor *cursor, alch_value *out);
/* Passes one record; a list with all its items (the `length` of a list's head is the size of its items in bytes). */
void alch_value_cursor_skip(alch_value_cursor *cursor);

/* The structure with anonymous ids replaced by their order of appearance, when it has any: the cache key. Appends to out. */
void alch_block_key(const alch_block *block, alch_buffer *out);
/* Same structure (anonymous ids aside), values aside. Needs no memory; the allocator is not used. */
bool alch_block_same_structure(const alch_block *left, const alch_block *right, const alch_allocator *allocator);
/* Checks a whole block: sizes, kinds, counts of binds and records. For debug builds and specs. */
bool alch_block_valid(const alch_block *block);
/* One node a line, indented: for people. */
void alch_block_print(const alch_block *block, alch_buffer *out);

/* ---- building: an append cursor. One builder serves many builds, one after another. ----
   open/close nest; block() adds a finished expression with its definitions and values; copy() moves a subtree of another block over.
   Failure (no memory, bad nesting) is remembered and reported by finish. */
typedef struct alch_builder {
  const alch_allocator *allocator;
  alch_buffer definitions, tree, definition_values, values;
  uint32_t depth;
  uint32_t open[64];           /* offsets of the open nodes in `tree` */
  uint32_t flags;
  bool failed;
} alch_builder;

/* A place in a block that is being read, with its place in the value area. */
typedef struct alch_reader { const alch_block *block; const alch_node *node; alch_value_cursor values; } alch_reader;

void alch_builder_init(alch_builder *builder, const alch_allocator *allocator);
void alch_builder_destroy(alch_builder *builder);
void alch_builder_start(alch_builder *builder);      /* forgets what was built */
void alch_builder_open(alch_builder *builder, uint8_t kind, uint8_t op, uint32_t a, uint32_t b);
void alch_builder_open_text(alch_builder *builder, uint8_t kind, uint8_t op, uint32_t a, uint32_t b, const char *text, size_t length);
void alch_builder_close(alch_builder *builder);
void alch_builder_leaf(alch_builder *builder, uint8_t kind, uint8_t op, uint32_t a, uint32_t b);
void alch_builder_leaf_text(alch_builder *builder, uint8_t kind, uint8_t op, uint32_t a, uint32_t b, const char *text, size_t length);
/* A BIND with its value record. name may be NULL. For an expanding bind: value.kind is ALCH_LIST, items are value.integer values. */
void alch_builder_bind(alch_builder *builder, alch_type_id type, uint8_t bits, const char *name, const alch_value *value, const alch_value *items);
/* The same with the items one by one: open answers what close wants back. */
size_t alch_builder_list_open(alch_builder *builder, alch_type_id type, uint8_t bits, const char *name);
void alch_builder_list_item(alch_builder *builder, const alch_value *item);
void alch_builder_list_close(alch_builder *builder, size_t start, int64_t count);
void alch_builder_block(alch_builder *builder, const alch_block *block);
/* Merges the definitions of a block, without its tree (for copying the tree piece by piece with a reader). */
void alch_builder_definitions(alch_builder *builder, const alch_block *block);
/* Makes `element` (a SELECT, COMPOUND, TABLE or SOURCE block, or a LIST of a FUNCTION and NAMEs of its columns; or NULL with a table or anonymous id) the definition `anonymous`.
   A definition of this id that came with the element is replaced: that is how a recursive CTE grows its second member. */
void alch_builder_define(alch_builder *builder, uint32_t anonymous, alch_definition kind, const char *name, const alch_block *element, uint32_t table);
/* The same with everything that a definition may have. words: PREFIXES and SUFFIXES of a CTE (blocks with such a root), or NULL. */
typedef struct alch_define { uint32_t anonymous; alch_definition kind; uint32_t bits; const char *name; const alch_block *element; uint32_t table; const alch_block *words[2]; } alch_define;
void alch_builder_define_as(alch_builder *builder, const alch_define *define);
alch_reader alch_reader_at_root(const alch_block *block);
/* Into the first child of the node / over the node without copying it (its values are passed as well). */
void alch_reader_enter(alch_reader *reader);
void alch_reader_skip(alch_reader *reader);
/* Copies the subtree with its values, and moves the reader past it. */
void alch_builder_copy(alch_builder *builder, alch_reader *reader);
/* Fails when something is still open or memory ran out. *size is what write needs; out must be aligned to 8. */
alch_status alch_builder_finish(alch_builder *builder, size_t *size, alch_error *error);
void alch_builder_write(const alch_builder *builder, void *out);

/* A statement with `addition` appended to one clause (opened at its place when absent), or put in place of what the clause held. addition may hold several expressions: count of them. */
void alch_build_clause(alch_builder *builder, const alch_block *statement, alch_node_kind clause, uint8_t op, const alch_block *const *additions, uint32_t count, bool replace);
/* The same by hand: a new build with everything of the statement that stands before the place of a clause. The reader answered stands at the clause (*there), or where it would be;
   write the clause, enter or skip the old one, then the rest, which closes the statement. */
alch_reader alch_build_up_to(alch_builder *builder, const alch_block *statement, alch_node_kind clause, bool *there);
void alch_build_rest(alch_builder *builder, alch_reader *reader);
/* The block with every reference to source `from` turned into one to `to` (same columns): what aliasing is. In place, in memory that the caller owns. */
void alch_block_retarget(alch_block *block, uint32_t from, uint32_t to);

#endif
