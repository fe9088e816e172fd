/* Random expressions: what SQLite makes of the text must be what the tree means, so every parenthesis that is needed is there.
   Each tree is compiled twice, with its values in the text and with place-holders, and run over a few rows; a small evaluator with
   SQL's three truth values says what must come out. */
#include "compile_world.h"
#include <ctype.h>
#include <sqlite3.h>

typedef enum { INT, BOOL, TEXT_KIND } kind;

/* A value of SQL; null for all kinds. */
typedef struct result { bool null; int64_t integer; char text[64]; bool is_text; } result;

typedef enum {
  T_VALUE, T_COLUMN, T_ADD, T_SUBTRACT, T_MULTIPLY, T_MODULO, T_AND_BITS, T_OR_BITS, T_SHIFT, T_NEGATE, T_NOT_BITS, T_CASE, T_AS_INT,
  T_FLAG, T_EQ, T_NE, T_LT, T_GE, T_IS_NULL, T_DISTINCT, T_AND, T_OR, T_NOT, T_BETWEEN, T_IN, T_NOT_IN, T_SAME_TEXT, T_LESS_TEXT, T_LIKE, T_CONTAINS, T_EQ_BOOL,
  T_WORD, T_CONCAT, T_CONCAT_INT
} shape;

typedef struct tree { shape shape; int count; struct tree *child[4]; int64_t number; const char *word; } tree;

enum { COLUMNS = 4, ROWS_IN_TABLE = 6, LARGEST = 1 << 30 };
static int64_t cells[ROWS_IN_TABLE][COLUMNS];      /* INT64_MIN: NULL */
static tree pool[512];
static int pool_used;
static alch_table *table;
static sqlite3 *db;

/* ---- making trees ---- */

static const char *const words[] = { "a", "b1", "", "1", "ab", "B", "%", "_", "a%", "%1" };

static tree *make(kind kind, int depth);

static tree *node(shape shape, int count, const kind *kinds, int depth) {
  tree *t = &pool[pool_used++];
  *t = (tree){ .shape = shape, .count = count };
  for (int n = 0; n < count; n++) t->child[n] = make(kinds[n], depth - 1);
  return t;
}

static const kind ints[] = { INT, INT, INT, INT }, bools[] = { BOOL, BOOL, BOOL, BOOL }, texts[] = { TEXT_KIND, TEXT_KIND }, choice[] = { BOOL, INT, INT }, mixed[] = { TEXT_KIND, INT };

static tree *make_int(int depth) {
  static const shape two[] = { T_ADD, T_SUBTRACT, T_MULTIPLY, T_MODULO, T_AND_BITS, T_OR_BITS, T_SHIFT };
  uint64_t roll = check_random_below(depth > 0 ? 12 : 2);
  tree *t;
  if (roll < 2) {
    t = node(roll ? T_VALUE : T_COLUMN, 0, NULL, 0);
    t->number = roll ? (int64_t)check_random_below(19) - 9 : (int64_t)check_random_below(COLUMNS - 1);
    return t;
  }
  if (roll < 9) return node(two[roll - 2], 2, ints, depth);
  if (roll == 9) return node(check_random_below(2) ? T_NEGATE : T_NOT_BITS, 1, ints, depth);
  if (roll == 10) return node(T_CASE, 3, choice, depth);
  return node(T_AS_INT, 1, bools, depth);
}

static tree *make_bool(int depth) {
  static const shape compares[] = { T_EQ, T_NE, T_LT, T_GE, T_DISTINCT };
  switch (depth > 0 ? check_random_below(16) : 15) {
    case 0: case 1: case 2: return node(compares[check_random_below(5)], 2, ints, depth);
    case 3: return node(T_IS_NULL, 1, check_random_below(2) ? ints : bools, depth);
    case 4: case 5: return node(T_AND, 2 + (int)check_random_below(2), bools, depth);
    case 6: case 7: return node(T_OR, 2 + (int)check_random_below(2), bools, depth);
    case 8: case 9: return node(T_NOT, 1, bools, depth);
    case 10: return node(T_BETWEEN, 3, ints, depth);
    case 11: return node(check_random_below(2) ? T_IN : T_NOT_IN, 1 + (int)check_random_below(3), ints, depth);
    case 12: return node(check_random_below(2) ? T_SAME_TEXT : T_LESS_TEXT, 2, texts, depth);
    case 13: return node(check_random_below(2) ? T_LIKE : T_CONTAINS, 2, texts, depth);
    case 14: return node(T_EQ_BOOL, 2, bools, depth);
    default: return node(T_FLAG, 0, NULL, 0);
  }
}

static tree *make_text(int depth) {
  uint64_t roll = check_random_below(depth > 0 ? 4 : 1);
  if (roll == 1) return node(T_CONCAT_INT, 2, mixed, depth);
  if (roll > 1) return node(T_CONCAT, 2, texts, depth);
  tree *t = node(T_WORD, 0, NULL, 0);
  t->word = words[check_random_below(sizeof words / sizeof *words)];
  return t;
}

static tree *make(kind kind, int depth) {
  if (pool_used > 400) depth = 0;
  return kind == INT ? make_int(depth) : kind == BOOL ? make_bool(depth) : make_text(depth);
}

/* ---- what a tree means ---- */

static bool too_large;      /* some part is larger than both sides count exactly, or longer than the room for it */

static result number_of(int64_t integer) {
  if (integer > LARGEST || integer < -LARGEST) too_large = true;
  return (result){ .integer = integer };
}
static const result NOTHING = { .null = true };

static bool matches(const char *pattern, const char *text) {
  if (!*pattern) return !*text;
  if (*pattern == '%') return matches(pattern + 1, text) || (*text && matches(pattern, text + 1));
  return *text && (*pattern == '_' || tolower((unsigned char)*pattern) == tolower((unsigned char)*text)) && matches(pattern + 1, text + 1);
}

static result evaluate(const tree *t, int row);

static result arithmetic(shape shape, int64_t a, int64_t b) {
  switch (shape) {
    case T_ADD: return number_of(a + b);
    case T_SUBTRACT: return number_of(a - b);
    case T_MULTIPLY: return number_of(a * b);
    case T_MODULO: return b == 0 ? NOTHING : number_of(a % b);
    case T_AND_BITS: return number_of(a & b);
    case T_OR_BITS: return number_of(a | b);
    case T_SHIFT: if (b < 0 || b > 8) too_large = true; return too_large ? NOTHING : number_of(a * ((int64_t)1 << b));
    case T_EQ: case T_EQ_BOOL: return number_of(a == b);
    case T_NE: return number_of(a != b);
    case T_LT: return number_of(a < b);
    default: return number_of(a >= b);
  }
}

static result junction(const tree *t, int row, bool absorbing) {
  bool unknown = false;
  for (int n = 0; n < t->count; n++) {
    result one = evaluate(t->child[n], row);
    if (one.null) unknown = true;
    else if ((one.integer != 0) == absorbing) return number_of(absorbing);
  }
  return unknown ? NOTHING : number_of(!absorbing);
}

static result between(const tree *t, int row) {
  result x = evaluate(t->child[0], row), low = evaluate(t->child[1], row), high = evaluate(t->child[2], row);
  result above = x.null || low.null ? NOTHING : number_of(x.integer >= low.integer), below = x.null || high.null ? NOTHING : number_of(x.integer <= high.integer);
  if ((!above.null && !above.integer) || (!below.null && !below.integer)) return number_of(0);
  return above.null || below.null ? NOTHING : number_of(1);
}

static result member(const tree *t, int row) {
  result x = evaluate(t->child[0], row);
  bool unknown = x.null, found = false;
  for (int n = 1; n < t->count; n++) {
    result one = evaluate(t->child[n], row);
    if (one.null) unknown = true;
    else if (!x.null && one.integer == x.integer) found = true;
  }
  if (t->count == 1) return number_of(t->shape == T_NOT_IN);
  if (found) return number_of(t->shape == T_IN);
  return unknown ? NOTHING : number_of(t->shape == T_NOT_IN);
}

static result text_of(const char *a, const char *b) {
  result out = { .is_text = true };
  if (snprintf(out.text, sizeof out.text, "%s%s", a, b) >= (int)sizeof out.text) too_large = true;
  return out;
}

static result textual(const tree *t, int row) {
  result a = evaluate(t->child[0], row), b = evaluate(t->child[1], row);
  char digits[24], pattern[80];
  if (a.null || b.null) return NOTHING;
  snprintf(digits, sizeof digits, "%lld", (long long)b.integer);
  snprintf(pattern, sizeof pattern, "%%%s%%", b.text);
  switch (t->shape) {
    case T_SAME_TEXT: return number_of(strcmp(a.text, b.text) == 0);
    case T_LESS_TEXT: return number_of(strcmp(a.text, b.text) < 0);
    case T_LIKE: return number_of(matches(b.text, a.text));
    case T_CONTAINS: return number_of(matches(pattern, a.text));
    case T_CONCAT: return text_of(a.text, b.text);
    default: return text_of(a.text, digits);
  }
}

static result column_value(int row, int64_t column) { return cells[row][column] == INT64_MIN ? NOTHING : number_of(cells[row][column]); }

static result evaluate_one(const tree *t, int row, result a) {
  switch (t->shape) {
    case T_IS_NULL: return number_of(a.null);
    case T_AS_INT: return a;
    case T_NOT: return a.null ? a : number_of(!a.integer);
    case T_NEGATE: return a.null ? a : number_of(-a.integer);
    case T_NOT_BITS: return a.null ? a : number_of(~a.integer);
    default: break;
  }
  result b = evaluate(t->child[1], row);
  if (t->shape == T_DISTINCT) return number_of(a.null != b.null || (!a.null && a.integer != b.integer));
  return a.null || b.null ? NOTHING : arithmetic(t->shape, a.integer, b.integer);
}

static result evaluate(const tree *t, int row) {
  switch (t->shape) {
    case T_VALUE: return number_of(t->number);
    case T_COLUMN: return column_value(row, t->number);
    case T_FLAG: return column_value(row, COLUMNS - 1);
    case T_WORD: return text_of(t->word, "");
    case T_AND: return junction(t, row, false);
    case T_OR: return junction(t, row, true);
    case T_BETWEEN: return between(t, row);
    case T_IN: case T_NOT_IN: return member(t, row);
    case T_SAME_TEXT: case T_LESS_TEXT: case T_LIKE: case T_CONTAINS: case T_CONCAT: case T_CONCAT_INT: return textual(t, row);
    case T_CASE: {
      result condition = evaluate(t->child[0], row);
      result yes = evaluate(t->child[1], row), no = evaluate(t->child[2], row);
      return !condition.null && condition.integer ? yes : no;
    }
    default: return evaluate_one(t, row, evaluate(t->child[0], row));
  }
}

/* ---- the same tree as an expression ---- */

static X build(const tree *t);

static X build_in(const tree *t) {
  X items[3];
  for (int n = 1; n < t->count; n++) items[n - 1] = build(t->child[n]);
  X set = t->count == 1 ? no_items() : operate(ALCH_OPERATOR_COMMA, items, (size_t)t->count - 1);
  X x = build(t->child[0]);
  return check_random_below(2) ? operate(t->shape == T_IN ? ALCH_OPERATOR_IN : ALCH_OPERATOR_NOT_IN, (X[]){ x, set }, 2)
                               : not(operate(t->shape == T_IN ? ALCH_OPERATOR_NOT_IN : ALCH_OPERATOR_IN, (X[]){ x, set }, 2));
}

static alch_operator operator_for(shape shape) {
  switch (shape) {
    case T_ADD: return ALCH_OPERATOR_ADD;
    case T_SUBTRACT: return ALCH_OPERATOR_SUBTRACT;
    case T_MULTIPLY: return ALCH_OPERATOR_MULTIPLY;
    case T_MODULO: return ALCH_OPERATOR_MODULO;
    case T_AND_BITS: return ALCH_OPERATOR_BITWISE_AND;
    case T_OR_BITS: return ALCH_OPERATOR_BITWISE_OR;
    case T_SHIFT: return ALCH_OPERATOR_SHIFT_LEFT;
    case T_NEGATE: return ALCH_OPERATOR_NEGATE;
    case T_NOT_BITS: return ALCH_OPERATOR_BITWISE_NOT;
    case T_EQ: case T_SAME_TEXT: case T_EQ_BOOL: return ALCH_OPERATOR_EQ;
    case T_NE: return ALCH_OPERATOR_NE;
    case T_LT: case T_LESS_TEXT: return ALCH_OPERATOR_LT;
    case T_GE: return ALCH_OPERATOR_GE;
    case T_DISTINCT: return ALCH_OPERATOR_IS_DISTINCT;
    case T_AND: return ALCH_OPERATOR_AND;
    case T_OR: return ALCH_OPERATOR_OR;
    case T_NOT: return ALCH_OPERATOR_NOT;
    case T_BETWEEN: return ALCH_OPERATOR_BETWEEN;
    case T_LIKE: return ALCH_OPERATOR_LIKE;
    default: return ALCH_OPERATOR_CONCAT;
  }
}

static X build(const tree *t) {
  X children[4];
  switch (t->shape) {
    case T_VALUE: return value(i(t->number), ALCH_TYPE_INTEGER);
    case T_WORD: return value(s(t->word), ALCH_TYPE_STRING);
    case T_COLUMN: return leaf(ALCH_NODE_COLUMN, table->id, (uint32_t)t->number);
    case T_FLAG: return leaf(ALCH_NODE_COLUMN, table->id, COLUMNS - 1);
    case T_IN: case T_NOT_IN: return build_in(t);
    default: break;
  }
  for (int n = 0; n < t->count; n++) children[n] = build(t->child[n]);
  switch (t->shape) {
    case T_AS_INT: return NODE(TYPE_COERCE, 0, 0, ALCH_TYPE_INTEGER, children[0]);
    case T_CASE: return NODE(CASE, 2, 0, ALCH_TYPE_INTEGER, children[0], children[1], children[2]);
    case T_IS_NULL: return operate(ALCH_OPERATOR_IS, (X[]){ children[0], null() }, 2);
    case T_CONTAINS: return pattern(ALCH_PATTERN_CONTAINS, children[0], children[1], false);
    default: return operate(operator_for(t->shape), children, (size_t)t->count);
  }
}

/* ---- what SQLite makes of it ---- */

static void bind_slots(sqlite3_stmt *statement, const alch_compiled *compiled, const alch_block *block) {
  int place = 0;
  for (uint32_t n = 0; n < compiled->slot_count; n++) {
    alch_value_cursor cursor = alch_block_value_cursor(block);
    alch_value value = { 0 };
    if (compiled->slots[n].kind == ALCH_SLOT_EXPANDING) continue;      /* all lists are empty here */
    place++;
    for (uint32_t skip = 0; skip < compiled->slots[n].ordinal; skip++) alch_value_cursor_skip(&cursor);
    alch_value_cursor_next(&cursor, &value);
    if (value.kind == ALCH_INTEGER || value.kind == ALCH_BOOLEAN) sqlite3_bind_int64(statement, place, value.integer);
    else sqlite3_bind_text(statement, place, value.text, (int)value.length, SQLITE_TRANSIENT);
  }
}

static bool same(sqlite3_stmt *statement, const result *expected, kind kind) {
  if (expected->null || sqlite3_column_type(statement, 0) == SQLITE_NULL) return expected->null && sqlite3_column_type(statement, 0) == SQLITE_NULL;
  if (kind == TEXT_KIND) return strcmp((const char *)sqlite3_column_text(statement, 0), expected->text) == 0;
  return sqlite3_column_int64(statement, 0) == expected->integer;
}

static bool run(const tree *t, kind kind, const alch_compiled *compiled, const char *sql, const alch_block *block) {
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  bool held = check_int(code, SQLITE_OK, sqlite3_errmsg(db), __FILE__, __LINE__);
  if (held) bind_slots(statement, compiled, block);
  for (int row = 0; held && row < ROWS_IN_TABLE && sqlite3_step(statement) == SQLITE_ROW; row++) {
    result expected = evaluate(t, row);
    const unsigned char *actual = sqlite3_column_text(statement, 0);
    if (same(statement, &expected, kind)) continue;
    char wanted[80];
    snprintf(wanted, sizeof wanted, "%lld", (long long)expected.integer);
    held = check_text(actual ? (const char *)actual : "NULL", expected.null ? "NULL" : kind == TEXT_KIND ? expected.text : wanted, sql, __FILE__, __LINE__);
  }
  if (!held) printf("# %s\n", sql);
  sqlite3_finalize(statement);
  return held;
}

static bool agrees(const tree *t, kind kind) {
  static const alch_compile_options inline_values = { .literal_binds = true };
  X expression = build(t);
  if (!CHECK(expression.block != NULL)) return false;
  CHECK(alch_block_valid(expression.block));
  X statement = ORDER_BY(FROM(SELECT(label(expression, "x")), leaf(ALCH_NODE_TABLE, table->id, 0)), literal("rowid"));
  bool held = true;
  for (int n = 0; n < 2 && held; n++) {
    alch_compiled *compiled = compiled_as(statement, "sqlite", n ? &inline_values : NULL);
    if (!CHECK(compiled != NULL)) {
      printf("# %s\n", alch_error_message(&w.error));
      return false;
    }
    uint32_t none[256] = { 0 };
    alch_buffer text;
    alch_buffer_init(&text, &alch_allocator_standard);
    alch_compiled_expand(compiled, none, &text, &w.error);
    held = run(t, kind, compiled, alch_buffer_text(&text), statement.block);
    alch_buffer_close(&text);
    alch_compiled_release(compiled);
  }
  return held;
}

static void open_numbers(void) {
  static const char *const names[] = { "a", "b", "c", "p" };
  char sql[256];
  world_open();
  sqlite3_open(":memory:", &db);
  sqlite3_exec(db, "CREATE TABLE numbers (a INTEGER, b INTEGER, c INTEGER, p BOOLEAN)", NULL, NULL, NULL);
  table = world_table("numbers");
  for (int n = 0; n < COLUMNS; n++) world_column(table, names[n], n == COLUMNS - 1 ? ALCH_TYPE_BOOLEAN : ALCH_TYPE_INTEGER, false);
  for (int row = 0; row < ROWS_IN_TABLE; row++) {
    char text[COLUMNS][24];
    for (int n = 0; n < COLUMNS; n++) {
      bool null = check_random_below(6) == 0;
      cells[row][n] = null ? INT64_MIN : n == COLUMNS - 1 ? (int64_t)check_random_below(2) : (int64_t)check_random_below(15) - 7;
      snprintf(text[n], sizeof text[n], null ? "NULL" : "%lld", (long long)cells[row][n]);
    }
    snprintf(sql, sizeof sql, "INSERT INTO numbers VALUES (%s, %s, %s, %s)", text[0], text[1], text[2], text[3]);
    sqlite3_exec(db, sql, NULL, NULL, NULL);
  }
}

static bool is_exact(const tree *t) {
  too_large = false;
  for (int row = 0; row < ROWS_IN_TABLE; row++) evaluate(t, row);
  return !too_large;
}

CASE("random expressions mean in SQLite what their trees mean") {
  open_numbers();
  int agreed = 0, failed = 0;
  for (int n = 0; n < 4000 && failed < 3; n++) {
    kind kind = (int)check_random_below(3) == 0 ? INT : check_random_below(2) ? BOOL : TEXT_KIND;
    pool_used = 0;
    const tree *t = make(kind, 1 + (int)check_random_below(5));
    if (!is_exact(t)) continue;
    if (agrees(t, kind)) agreed++;
    else failed++;
    world_free_blocks();
  }
  CHECK(agreed > 1000);
  printf("# %d trees\n", agreed);
  sqlite3_close(db);
  world_close();
}
