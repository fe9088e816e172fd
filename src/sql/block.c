#include "sql/block.h"
#include <string.h>

enum { TEXT_NONE, TEXT_TEXT };
enum { GROUP_EXPRESSION, GROUP_PART, GROUP_SELECTABLE, GROUP_STATEMENT, GROUP_CLAUSE };

static const struct node_row { const char *name; uint8_t text, group; } node_rows[] = {
  { "end", TEXT_NONE, GROUP_PART },
#define ALCH_NODE(symbol, name, text, group) { name, TEXT_##text, GROUP_##group },
#include "sql/node.def"
#undef ALCH_NODE
};
_Static_assert(ALCH_COUNT(node_rows) == ALCH_NODE_KIND_COUNT, "one row a node kind");

/* ---- reading ---- */

uint32_t alch_node_child_count(const alch_node *node) {
  uint32_t count = 0;
  for ALCH_EACH_CHILD(child, node) count++;
  return count;
}

const alch_node *alch_node_nth(const alch_node *node, uint32_t index) {
  for ALCH_EACH_CHILD(child, node)
    if (index-- == 0) return child;
  return NULL;
}

const alch_node *alch_node_clause(const alch_node *statement, alch_node_kind clause) {
  for ALCH_EACH_CHILD(child, statement)
    if (child->kind == clause) return child;
  return NULL;
}

uint32_t alch_node_target(const alch_node *statement) {
  const alch_node *target = alch_node_clause(statement, ALCH_NODE_TARGET);
  return target ? alch_node_child(target)->a : statement->a;
}

const char *alch_node_kind_name(uint8_t kind) {
  return kind < ALCH_NODE_KIND_COUNT ? node_rows[kind].name : "unknown";
}

bool alch_node_is_query(const alch_node *node) { return node->kind == ALCH_NODE_SELECT || node->kind == ALCH_NODE_COMPOUND; }

const alch_node *alch_block_definition(const alch_block *block, uint32_t anonymous) {
  const alch_node *root = alch_block_root(block);
  for (const alch_node *node = alch_block_first(block); node < root; node = alch_node_next(node))
    if (node->a == anonymous) return node;
  return NULL;
}

uint32_t alch_block_definition_binds(const alch_block *block) {
  uint32_t count = 0;
  for (const alch_node *node = alch_block_first(block), *root = alch_block_root(block); node < root; node = alch_node_child(node)) count += node->kind == ALCH_NODE_BIND;
  return count;
}

static size_t padded(size_t length) { return (length + 7) & ~(size_t)7; }

/* A list's record carries the bytes of its items in place of a text's length, so that it is passed in one step. */
bool alch_value_cursor_next(alch_value_cursor *cursor, alch_value *out) {
  if (cursor->next >= cursor->end) return false;
  uint32_t head[2];
  memcpy(head, cursor->next, sizeof head);
  const char *payload = cursor->next + sizeof head;
  *out = (alch_value){ .kind = (uint8_t)head[0], .length = head[1] };
  if (alch_value_has_text(out->kind)) {
    out->text = payload;
    cursor->next = payload + padded(head[1]);
  } else {
    memcpy(&out->integer, payload, sizeof out->integer);
    cursor->next = payload + sizeof out->integer;
  }
  return true;
}

void alch_value_cursor_skip(alch_value_cursor *cursor) {
  alch_value value;
  if (alch_value_cursor_next(cursor, &value) && value.kind == ALCH_LIST) cursor->next += value.length;
}

/* ---- the cache key ---- */

/* Kinds whose `a` names a source or a label, which may be anonymous. */
static bool names_source(uint8_t kind) {
  switch (kind) {
    case ALCH_NODE_COLUMN: case ALCH_NODE_STAR: case ALCH_NODE_ENTITY: case ALCH_NODE_SOURCE: case ALCH_NODE_DEFINE: case ALCH_NODE_LABEL: case ALCH_NODE_LABEL_NAME: case ALCH_NODE_WORDS:
      return true;
    default: return false;
  }
}

bool alch_node_is_anonymous(const alch_node *node) { return (node->a & ALCH_ANONYMOUS) && names_source(node->kind); }

/* What an anonymous id is called in a key: the place where it is seen first, which the structure alone decides. Mostly that is its definition. */
static uint32_t first_place(const alch_block *block, uint32_t id) {
  const alch_node *first = alch_block_first(block), *root = alch_block_root(block);
  uint32_t number = 1;
  for (const alch_node *node = first; node < root; node = alch_node_next(node), number++)
    if (node->a == id) return ALCH_ANONYMOUS | number;
  const char *end = alch_block_values(block);
  for (const alch_node *node = first; (const char *)node < end; node = alch_node_child(node))
    if (node->a == id && names_source(node->kind)) return ALCH_ANONYMOUS | 0x40000000u | (uint32_t)(((const char *)node - (const char *)first) / 8);
  return id;
}

void alch_block_key(const alch_block *block, alch_buffer *out) {
  size_t start = out->length;
  alch_buffer_add_bytes(out, alch_block_first(block), block->structure);
  if (!(block->flags & ALCH_BLOCK_ANONYMOUS) || alch_buffer_failed(out)) return;
  const alch_node *node = alch_block_first(block);
  for (const char *first = (const char *)node, *end = first + block->structure; (const char *)node < end; node = alch_node_child(node)) {
    if (!alch_node_is_anonymous(node)) continue;
    uint32_t place = first_place(block, node->a);
    memcpy(out->text + start + ((const char *)node - first) + offsetof(alch_node, a), &place, sizeof place);
  }
}

static bool same_node(const alch_block *left, const alch_node *a, const alch_block *right, const alch_node *b) {
  alch_node copy = *b;
  if (alch_node_is_anonymous(a) && alch_node_is_anonymous(b) && first_place(left, a->a) == first_place(right, b->a)) copy.a = a->a;
  return memcmp(a, &copy, sizeof copy) == 0 && memcmp(alch_node_text(a), alch_node_text(b), a->length) == 0;
}

bool alch_block_same_structure(const alch_block *left, const alch_block *right, const alch_allocator *allocator) {
  (void)allocator;
  if (left->structure != right->structure || left->definitions != right->definitions) return false;
  if (memcmp(alch_block_first(left), alch_block_first(right), left->structure) == 0) return true;
  const alch_node *a = alch_block_first(left), *b = alch_block_first(right);
  for (const char *end = alch_block_values(left); (const char *)a < end; a = alch_node_child(a), b = alch_node_child(b))
    if (!same_node(left, a, right, b)) return false;
  return true;
}

/* ---- validity ---- */

typedef struct validity { const alch_block *block; uint32_t binds; int depth; } validity;

/* Deeper than anything that compiles, and still far from the end of a thread's stack. */
#define DEEPEST 2048

static bool valid_node(validity *v, const alch_node *node, const char *end);

/* The clauses of a statement stand in the order of the list of kinds, each once. */
static bool valid_place(const alch_node *parent, uint8_t before, uint8_t kind) {
  return node_rows[parent->kind].group != GROUP_STATEMENT || (node_rows[kind].group == GROUP_CLAUSE && kind > before);
}

/* Below the depth that is looked at closely, nodes must still lie inside their parent. */
static bool valid_flat(validity *v, const char *node, const char *end) {
  while (node < end) {
    const alch_node *at = (const alch_node *)node;
    if ((size_t)(end - node) < sizeof *at || padded(at->length) > (size_t)(end - node) - sizeof *at) return false;
    v->binds += at->kind == ALCH_NODE_BIND;
    node = (const char *)alch_node_child(at);
  }
  return true;
}

/* How many children a node of a kind has, and how many values its op has; kinds that are not named have none. */
#define ANY 255
static const struct shape { uint8_t least, most, ops; } shapes[ALCH_NODE_KIND_COUNT] = {
  [ALCH_NODE_TEXT] = { 0, ANY, ALCH_TEXT_READING_COUNT }, [ALCH_NODE_UNARY] = { 1, 1, ALCH_OPERATOR_COUNT },      [ALCH_NODE_BINARY] = { 2, 2, ALCH_OPERATOR_COUNT },
  [ALCH_NODE_CUSTOM] = { 1, 2, 2 },          [ALCH_NODE_BETWEEN] = { 3, 3, ALCH_OPERATOR_COUNT },    [ALCH_NODE_LIST] = { 0, ANY, ALCH_OPERATOR_COUNT },
  [ALCH_NODE_GROUPING] = { 1, 1, 0 },        [ALCH_NODE_TUPLE] = { 0, ANY, 0 },                      [ALCH_NODE_FUNCTION] = { 0, ANY, 0 },
  [ALCH_NODE_CASE] = { 2, ANY, 4 },          [ALCH_NODE_CAST] = { 1, 1, 2 },                         [ALCH_NODE_TYPE_COERCE] = { 1, 1, 0 },
  [ALCH_NODE_EXTRACT] = { 1, 1, 0 },         [ALCH_NODE_COLLATE] = { 1, 1, 0 },                      [ALCH_NODE_REGEXP] = { 2, 3, ALCH_OPERATOR_COUNT },
  [ALCH_NODE_SUBSCRIPT] = { 2, 3, ALCH_OPERATOR_COUNT }, [ALCH_NODE_ARRAY] = { 0, ANY, 0 },          [ALCH_NODE_LABEL] = { 1, 1, 0 },
  [ALCH_NODE_EXISTS] = { 1, 1, 0 },          [ALCH_NODE_SCALAR] = { 1, 1, 0 },                       [ALCH_NODE_OVER] = { 3, 4, 0 },
  [ALCH_NODE_FRAME] = { 0, 2, 0 },           [ALCH_NODE_FILTER] = { 2, 2, 0 },                       [ALCH_NODE_WITHIN_GROUP] = { 2, 2, 0 },
  [ALCH_NODE_AGGREGATE_ORDER] = { 2, 2, 0 }, [ALCH_NODE_CONSTRUCT] = { 0, ANY, 0 },                  [ALCH_NODE_JOIN] = { 2, 3, 0 },
  [ALCH_NODE_VALUES] = { 1, ANY, 0 },        [ALCH_NODE_TABLESAMPLE] = { 2, 3, 0 },                  [ALCH_NODE_DEFINE] = { 1, 3, ALCH_DEFINITION_TABLESAMPLE + 1 },
  [ALCH_NODE_SELECT] = { 0, ANY, 0 },        [ALCH_NODE_COMPOUND] = { 0, ANY, 0 },                   [ALCH_NODE_INSERT] = { 0, ANY, 0 },
  [ALCH_NODE_UPDATE] = { 0, ANY, 0 },        [ALCH_NODE_DELETE] = { 0, ANY, 0 },                     [ALCH_NODE_WITH] = { 0, ANY, 0 },
  [ALCH_NODE_TARGET] = { 1, 1, 0 },
  [ALCH_NODE_MEMBERS] = { 0, ANY, 0 },       [ALCH_NODE_PREFIXES] = { 0, ANY, 0 },                   [ALCH_NODE_HINTS] = { 0, ANY, 0 },
  [ALCH_NODE_DISTINCT] = { 0, ANY, 0 },      [ALCH_NODE_COLUMNS] = { 0, ANY, 0 },                    [ALCH_NODE_FROM] = { 0, ANY, 0 },
  [ALCH_NODE_INTO] = { 0, ANY, 0 },          [ALCH_NODE_ROWS] = { 0, ANY, 2 },                       [ALCH_NODE_SET] = { 0, ANY, 2 },
  [ALCH_NODE_WHERE] = { 0, ANY, 0 },         [ALCH_NODE_GROUP_BY] = { 0, ANY, 0 },                   [ALCH_NODE_HAVING] = { 0, ANY, 0 },
  [ALCH_NODE_ORDER_BY] = { 0, ANY, 0 },      [ALCH_NODE_LIMIT] = { 0, 1, 0 },                        [ALCH_NODE_OFFSET] = { 0, 1, 0 },
  [ALCH_NODE_FETCH] = { 0, 1, 4 },           [ALCH_NODE_FOR_UPDATE] = { 0, ANY, 0 },                 [ALCH_NODE_ON_CONFLICT] = { 0, 3, 4 },
  [ALCH_NODE_ON_DUPLICATE_KEY] = { 1, 1, 0 }, [ALCH_NODE_RETURNING] = { 0, ANY, 0 },                 [ALCH_NODE_SUFFIXES] = { 0, ANY, 0 },
  [ALCH_NODE_CORRELATE] = { 0, ANY, 2 },     [ALCH_NODE_OPTIONS] = { 0, ANY, 0 },                    [ALCH_NODE_OPTION] = { 0, ANY, 0 },
  [ALCH_NODE_ROW] = { 0, ANY, 0 },           [ALCH_NODE_ASSIGN] = { 1, 1, 0 },                       [ALCH_NODE_WORDS] = { 0, 1, 0 },
  [ALCH_NODE_TARGETS] = { 0, ANY, 0 },       [ALCH_NODE_EXECUTION] = { 0, 0, 32 },
};

static bool valid_shape(const alch_node *node, uint32_t children) {
  const struct shape *shape = &shapes[node->kind];
  return children >= shape->least && (shape->most == ANY || children <= shape->most) && (shape->ops == 0 || node->op < shape->ops);
}

static bool valid_children(validity *v, const alch_node *node) {
  const char *end = (const char *)alch_node_next(node);
  const alch_node *child = alch_node_child(node);
  uint8_t before = ALCH_NODE_END;
  uint32_t count = 0;
  if (v->depth == DEEPEST) return valid_flat(v, (const char *)child, end);
  v->depth++;
  for (; (const char *)child < end; child = alch_node_next(child)) {
    if (!valid_node(v, child, end) || !valid_place(node, before, child->kind)) return false;
    before = child->kind;
    count++;
  }
  v->depth--;
  return (const char *)child == end && valid_shape(node, count);
}

static bool valid_text(const alch_node *node) {
  if (node_rows[node->kind].text == TEXT_NONE) return node->length == 0;
  const char *text = alch_node_text(node);
  for (uint32_t i = node->length; i < padded(node->length); i++)
    if (text[i] != 0) return false;
  return true;
}

static bool valid_node(validity *v, const alch_node *node, const char *end) {
  size_t room = (size_t)(end - (const char *)node);
  if (room < sizeof *node || node->size > room || node->size % 8 != 0) return false;
  if (node->kind == ALCH_NODE_END || node->kind >= ALCH_NODE_KIND_COUNT) return false;
  if (node->length_high != 0 || node->reserved != 0 || node->size < sizeof *node + padded(node->length)) return false;
  if (!valid_text(node)) return false;
  if (node->kind == ALCH_NODE_BIND) v->binds++;
  if (alch_node_is_anonymous(node) && !(v->block->flags & ALCH_BLOCK_ANONYMOUS)) return false;
  return valid_children(v, node);
}

static bool valid_structure(validity *v) {
  const alch_block *block = v->block;
  const char *node = (const char *)alch_block_first(block), *root = (const char *)alch_block_root(block), *end = alch_block_values(block);
  for (; node < root; node += ((const alch_node *)node)->size)
    if (!valid_node(v, (const alch_node *)node, root) || ((const alch_node *)node)->kind != ALCH_NODE_DEFINE) return false;
  return node == root && valid_node(v, (const alch_node *)root, end) && (const char *)alch_node_next((const alch_node *)root) == end;
}

/* The end of the record that begins here (of a list: of its head); NULL when it does not fit into its room. */
static const char *valid_record(const char *record, const char *end, uint32_t head[2]) {
  if (end - record < 8) return NULL;
  memcpy(head, record, 8);
  if (head[0] >= ALCH_VALUE_KIND_COUNT) return NULL;
  size_t payload = alch_value_has_text((uint8_t)head[0]) ? padded(head[1]) : 8;
  return payload <= (size_t)(end - record - 8) ? record + 8 + payload : NULL;
}

/* The items fill the list's bytes, and there are as many as it says. */
static bool valid_items(const char *item, const char *end, int64_t count) {
  uint32_t head[2];
  for (; item < end; count--) {
    item = valid_record(item, end, head);
    if (!item || head[0] == ALCH_LIST) return false;
  }
  return count == 0;
}

static bool valid_records(const alch_block *block, uint32_t binds) {
  const char *record = alch_block_values(block), *end = record + block->values, *tree = record + block->definition_values;
  uint32_t head[2], tree_binds = binds - alch_block_definition_binds(block);
  int64_t count;
  for (; record < end && binds > 0; binds--) {
    if (binds == tree_binds && record != tree) return false;
    const char *next = valid_record(record, end, head);
    if (!next) return false;
    if (head[0] == ALCH_LIST) {
      memcpy(&count, record + 8, sizeof count);
      if (head[1] > (size_t)(end - next) || head[1] % 8 != 0 || !valid_items(next, next + head[1], count)) return false;
      next += head[1];
    }
    record = next;
  }
  return record == end && binds == 0;
}

bool alch_block_valid(const alch_block *block) {
  if (block->structure % 8 != 0 || block->values % 8 != 0 || block->definitions % 8 != 0 || block->definitions >= block->structure || block->definition_values > block->values) return false;
  validity v = { .block = block };
  return valid_structure(&v) && valid_records(block, v.binds);
}

/* ---- for people ---- */

static const char *operator_symbol(uint8_t op) {
  static const char *const symbols[] = {
#define ALCH_OPERATOR(symbol, lua_name, spelling, precedence, associativity, negation, result) #symbol,
#include "sql/operator.def"
#undef ALCH_OPERATOR
  };
  return op < ALCH_COUNT(symbols) ? symbols[op] : "?";
}

static bool has_operator(uint8_t kind) {
  return kind == ALCH_NODE_UNARY || kind == ALCH_NODE_BINARY || kind == ALCH_NODE_LIST || kind == ALCH_NODE_BETWEEN || kind == ALCH_NODE_REGEXP || kind == ALCH_NODE_SUBSCRIPT;
}

static void print_id(uint32_t id, alch_buffer *out) {
  if (id & ALCH_ANONYMOUS) alch_buffer_add_format(out, " a=~%u", (unsigned)(id & ~ALCH_ANONYMOUS));
  else alch_buffer_add_format(out, " a=%u", (unsigned)id);
}

static void print_value(alch_value_cursor *values, alch_buffer *out) {
  alch_value value;
  if (!alch_value_cursor_next(values, &value)) return;
  alch_buffer_add(out, " := ");
  alch_value_print(&value, out, 40);
  if (value.kind == ALCH_LIST) values->next += value.length;
}

static void print_node(const alch_node *node, alch_value_cursor *values, alch_buffer *out) {
  alch_buffer_add(out, alch_node_kind_name(node->kind));
  if (has_operator(node->kind)) alch_buffer_add_format(out, " %s", operator_symbol(node->op));
  else if (node->op) alch_buffer_add_format(out, " op=%u", (unsigned)node->op);
  if (node->a) print_id(node->a, out);
  if (node->b) alch_buffer_add_format(out, " b=%u", (unsigned)node->b);
  if (node->length) alch_buffer_add_format(out, " \"%.*s\"", (int)node->length, alch_node_text(node));
  if (node->kind == ALCH_NODE_BIND) print_value(values, out);
  alch_buffer_add(out, "\n");
}

/* Without recursion, so that any depth can be looked at; past the last margin the lines go on at it. */
void alch_block_print(const alch_block *block, alch_buffer *out) {
  const alch_node *ends[64];
  size_t depth = 0;
  alch_value_cursor values = alch_block_value_cursor(block);
  const alch_node *node = alch_block_first(block);
  for (const char *end = alch_block_values(block); (const char *)node < end; node = alch_node_child(node)) {
    while (depth > 0 && node >= ends[depth - 1]) depth--;
    for (size_t i = 0; i < depth; i++) alch_buffer_add(out, "  ");
    print_node(node, &values, out);
    if (depth < ALCH_COUNT(ends)) ends[depth++] = alch_node_next(node);
  }
}

/* ---- rewriting in place ---- */

static void retarget_node(alch_block *block, alch_node *node, uint32_t from, uint32_t to) {
  bool source = node->kind == ALCH_NODE_COLUMN || node->kind == ALCH_NODE_ENTITY || node->kind == ALCH_NODE_STAR || node->kind == ALCH_NODE_TABLE || node->kind == ALCH_NODE_SOURCE;
  if (!source || node->a != from) return;
  node->a = to;
  if (to & ALCH_ANONYMOUS) block->flags |= ALCH_BLOCK_ANONYMOUS;
  if (node->kind == ALCH_NODE_TABLE || node->kind == ALCH_NODE_SOURCE) node->kind = to & ALCH_ANONYMOUS ? ALCH_NODE_SOURCE : ALCH_NODE_TABLE;
}

static void retarget_subtree(alch_block *block, alch_node *node, uint32_t from, uint32_t to) {
  for (const alch_node *end = alch_node_next(node); node < end; node = (alch_node *)(uintptr_t)alch_node_child(node)) retarget_node(block, node, from, to);
}

/* Definitions are scopes of their own and keep what they mean, but for a LATERAL, which sees the tree's sources. */
void alch_block_retarget(alch_block *block, uint32_t from, uint32_t to) {
  alch_node *node = (alch_node *)(block + 1), *root = (alch_node *)((char *)node + block->definitions);
  for (; node < root; node = (alch_node *)((char *)node + node->size))
    if (node->op == ALCH_DEFINITION_LATERAL && node->a != to) retarget_subtree(block, node, from, to);
  retarget_subtree(block, root, from, to);
}
