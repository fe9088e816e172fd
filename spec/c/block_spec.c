#include "compile_world.h"

#define U(name) c(w.users, name)

static alch_block *copy_of(const alch_block *block) {
  size_t size = alch_block_size(block);
  alch_block *copy = malloc(size);
  memcpy(copy, block, size);
  return copy;
}

static void check_keys(const alch_block *left, const alch_block *right, bool same) {
  alch_buffer a, b;
  alch_buffer_init(&a, &alch_allocator_standard);
  alch_buffer_init(&b, &alch_allocator_standard);
  alch_block_key(left, &a);
  alch_block_key(right, &b);
  bool equal = a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
  CHECK(equal == same);
  CHECK(alch_block_same_structure(left, right, &alch_allocator_standard) == same);
  alch_buffer_close(&a);
  alch_buffer_close(&b);
}

static void check_print(X x, const char *expected) {
  alch_buffer out;
  alch_buffer_init(&out, &alch_allocator_standard);
  alch_block_print(x.block, &out);
  CHECK_TEXT(alch_buffer_text(&out), expected);
  alch_buffer_close(&out);
}

CASE("a comparison is three nodes and one record") {
  world_open();
  X x = eq(U("name"), s("hello"));
  const alch_node *root = alch_block_root(x.block);
  CHECK_INT(root->kind, ALCH_NODE_BINARY);
  CHECK_INT(root->op, ALCH_OPERATOR_EQ);
  CHECK_INT(alch_node_child_count(root), 2);
  CHECK_INT(alch_node_nth(root, 0)->kind, ALCH_NODE_COLUMN);
  CHECK_INT(alch_node_nth(root, 1)->kind, ALCH_NODE_BIND);
  CHECK(alch_node_nth(root, 2) == NULL);
  CHECK_INT(x.block->structure, 3 * sizeof(alch_node));
  CHECK_INT(x.block->values, 16);
  CHECK_INT(alch_block_size(x.block), sizeof(alch_block) + 72 + 16);
  CHECK(alch_block_valid(x.block));
  check_print(x, "binary EQ b=11\n  column a=1 b=1\n  bind a=7 := 'hello'\n");
  world_close();
}

CASE("every kind of value comes back as it went in") {
  world_open();
  const alch_value values[] = {
    ALCH_VALUE_NULL, INTEGER(INT64_MIN), INTEGER(INT64_MAX), alch_value_real(-0.5), alch_value_boolean(true), TEXT(""), TEXT("12345678"), TEXT("123456789"),
    { .kind = ALCH_BLOB, .length = 3, .text = "a\0b" }, { .kind = ALCH_DECIMAL, .length = 4, .text = "1.50" }, { .kind = ALCH_DATE, .integer = -1 },
    { .kind = ALCH_DATETIME, .integer = 5 }, { .kind = ALCH_HOST, .integer = 9 },
  };
  alch_builder_open(start(), ALCH_NODE_LIST, ALCH_OPERATOR_COMMA, 0, 0);
  for (size_t n = 0; n < ALCH_COUNT(values); n++) alch_builder_bind(&w.builder, 0, 0, NULL, &values[n], NULL);
  alch_value list = { .kind = ALCH_LIST, .integer = 3 };
  alch_builder_bind(&w.builder, 0, 0, "items", &list, values + 5);
  alch_builder_bind(&w.builder, 0, 0, NULL, NULL, NULL);
  alch_builder_close(&w.builder);
  X x = taken(ALCH_OK);
  CHECK(alch_block_valid(x.block));
  CHECK(x.block->flags & ALCH_BLOCK_HOST_VALUES);
  alch_value_cursor cursor = alch_block_value_cursor(x.block);
  alch_value value;
  for (size_t n = 0; n < ALCH_COUNT(values); n++) CHECK(alch_value_cursor_next(&cursor, &value) && alch_value_equal(&value, &values[n]));
  alch_value_cursor behind = cursor;
  CHECK(alch_value_cursor_next(&cursor, &value) && value.kind == ALCH_LIST && value.integer == 3);
  for (size_t n = 5; n < 8; n++) CHECK(alch_value_cursor_next(&cursor, &value) && alch_value_equal(&value, &values[n]));
  alch_value_cursor_skip(&behind);
  CHECK(behind.next == cursor.next);
  CHECK(alch_value_cursor_next(&cursor, &value) && value.kind == ALCH_NULL);
  CHECK(!alch_value_cursor_next(&cursor, &value));
  CHECK(alch_node_nth(alch_block_root(x.block), (uint32_t)ALCH_COUNT(values))->op & ALCH_BIND_EXPANDING);
  world_close();
}

static X with_fresh_ids(int64_t number, const char *word) {
  X one = alias(w.users, NULL), two = subquery(WHERE(SELECT(U("id")), gt(U("age"), i(number))), NULL);
  return WHERE(SELECT(at(one, 0), at(two, 0), NODE(LABEL, 0, alch_catalog_anonymous(w.catalog), 0, U("name"))), eq(at(one, 1), s(word)), in(at(two, 0), LIST(INTEGER(number))));
}

CASE("keys: fresh ids and other values are the same statement; anything else is another") {
  world_open();
  X first = with_fresh_ids(1, "a");
  for (int n = 0; n < 100; n++) alch_catalog_anonymous(w.catalog);
  X second = with_fresh_ids(200, "another word");
  CHECK(first.block->flags & ALCH_BLOCK_ANONYMOUS);
  CHECK(memcmp(alch_block_first(first.block), alch_block_first(second.block), first.block->structure) != 0);
  check_keys(first.block, second.block, true);
  check_keys(eq(U("id"), i(1)).block, eq(U("id"), i(2)).block, true);
  check_keys(eq(U("id"), i(1)).block, eq(U("age"), i(1)).block, false);
  check_keys(eq(U("id"), i(1)).block, gt(U("id"), i(1)).block, false);
  X one = alias(w.users, NULL), two = alias(w.users, NULL);
  check_keys(eq(at(one, 0), at(two, 0)).block, eq(at(one, 0), at(one, 0)).block, false);
  check_keys(eq(at(one, 0), at(two, 1)).block, eq(at(two, 0), at(one, 1)).block, false);
  check_keys(eq(at(one, 0), at(two, 0)).block, eq(at(one, 0), at(alias(w.users, NULL), 0)).block, true);
  check_keys(at(alias(w.users, "a"), 0).block, at(alias(w.users, "b"), 0).block, false);
  world_close();
}

CASE("definitions come along once, sorted by their ids") {
  world_open();
  X one = alias(w.users, "one"), two = subquery(WHERE(SELECT(U("id")), gt(U("age"), i(77))), "two");
  X both = eq(at(two, 0), at(one, 0)), again = AND(both, eq(at(one, 1), s("x")), eq(at(two, 0), i(1)));
  CHECK_INT(alch_node_child_count(alch_block_root(again.block)), 3);
  CHECK_INT(alch_block_first(again.block)->a, source_id(one));
  CHECK_INT(alch_node_next(alch_block_first(again.block))->a, source_id(two));
  CHECK(alch_node_next(alch_node_next(alch_block_first(again.block))) == alch_block_root(again.block));
  CHECK(alch_block_definition(again.block, source_id(two)) != NULL);
  CHECK(alch_block_definition(again.block, 12345) == NULL);
  alch_value value;
  alch_value_cursor cursor = alch_block_value_cursor(again.block);
  CHECK(alch_value_cursor_next(&cursor, &value) && value.integer == 77);
  CHECK(alch_value_cursor_next(&cursor, &value) && value.kind == ALCH_TEXT);
  world_close();
}

CASE("a recursive CTE that has grown replaces what it was, in either order") {
  world_open();
  X base = recursive(WHERE(SELECT(U("id")), gt(U("age"), i(5))), "t");
  X grown = redefine(base, "t", compound(ALCH_COMPOUND_UNION, SELECT(U("id")), SELECT(at(base, 0))));
  X one = eq(at(base, 0), at(grown, 0)), other = eq(at(grown, 0), at(base, 0));
  for (int n = 0; n < 2; n++) {
    const alch_block *block = n ? other.block : one.block;
    CHECK_INT(alch_node_child(alch_block_first(block))->kind, ALCH_NODE_COMPOUND);
    CHECK(alch_node_next(alch_block_first(block)) == alch_block_root(block));
    CHECK(alch_block_valid(block));
    CHECK_INT(block->values, 0);
  }
  world_close();
}

CASE("clauses: appended, replaced, put in their place") {
  world_open();
  X statement = WHERE(limit(SELECT(U("id")), 5), eq(U("id"), i(1)));
  const alch_node *root = alch_block_root(statement.block);
  CHECK_INT(alch_node_nth(root, 0)->kind, ALCH_NODE_COLUMNS);
  CHECK_INT(alch_node_nth(root, 1)->kind, ALCH_NODE_WHERE);
  CHECK_INT(alch_node_nth(root, 2)->kind, ALCH_NODE_LIMIT);
  CHECK(alch_node_clause(root, ALCH_NODE_ORDER_BY) == NULL);
  X more = WHERE(statement, eq(U("age"), i(2)));
  CHECK_INT(alch_node_child_count(alch_node_clause(alch_block_root(more.block), ALCH_NODE_WHERE)), 2);
  const alch_block *other = eq(U("name"), s("x")).block;
  alch_build_clause(&w.builder, more.block, ALCH_NODE_WHERE, 0, &other, 1, true);
  X replaced = taken(ALCH_OK);
  CHECK_INT(alch_node_child_count(alch_node_clause(alch_block_root(replaced.block), ALCH_NODE_WHERE)), 1);
  alch_value_cursor cursor = alch_block_value_cursor(replaced.block);
  alch_value value;
  CHECK(alch_value_cursor_next(&cursor, &value) && value.kind == ALCH_TEXT);
  CHECK(alch_value_cursor_next(&cursor, &value) && value.integer == 5);
  CHECK(!alch_value_cursor_next(&cursor, &value));
  world_close();
}

CASE("a reader copies, enters and skips with the values") {
  world_open();
  X x = AND(eq(U("id"), i(1)), in(U("id"), LIST(INTEGER(2), INTEGER(3))), eq(at(alias(w.users, NULL), 1), s("four")));
  alch_builder_definitions(start(), x.block);
  alch_reader reader = alch_reader_at_root(x.block);
  const alch_node *end = alch_node_next(reader.node);
  alch_builder_open(&w.builder, ALCH_NODE_LIST, ALCH_OPERATOR_OR, 0, 0);
  alch_reader_enter(&reader);
  alch_builder_copy(&w.builder, &reader);
  alch_reader_skip(&reader);
  alch_builder_copy(&w.builder, &reader);
  CHECK(reader.node == end);
  alch_builder_close(&w.builder);
  X rest = taken(ALCH_OK);
  CHECK(alch_block_valid(rest.block));
  CHECK_INT(alch_node_child_count(alch_block_root(rest.block)), 2);
  alch_value_cursor cursor = alch_block_value_cursor(rest.block);
  alch_value value;
  CHECK(alch_value_cursor_next(&cursor, &value) && value.integer == 1);
  CHECK(alch_value_cursor_next(&cursor, &value) && value.kind == ALCH_TEXT);
  CHECK(!alch_value_cursor_next(&cursor, &value));
  reader = alch_reader_at_root(x.block);
  for (int n = 0; n < 4; n++) alch_reader_enter(&reader);
  CHECK_INT(reader.node->op, ALCH_OPERATOR_IN);
  CHECK(alch_value_cursor_next(&reader.values, &value) && value.kind == ALCH_LIST);
  world_close();
}

CASE("retarget: the sources of the tree, not those of definitions") {
  char out[512];
  world_open();
  X users = alias(w.users, "u");
  X statement = WHERE(FROM(SELECT(entity(w.users), at(subquery(SELECT(U("id")), "s"), 0)), t(w.users)), exists(WHERE(SELECT(star()), eq(c(w.addresses, "user_id"), U("id")))));
  alch_builder_definitions(start(), statement.block);
  alch_builder_definitions(&w.builder, users.block);
  alch_reader reader = alch_reader_at_root(statement.block);
  alch_builder_copy(&w.builder, &reader);
  X both = taken(ALCH_OK);
  alch_block *copy = copy_of(both.block);
  alch_block_retarget(copy, w.users->id, source_id(users));
  CHECK(alch_block_valid(copy));
  CHECK_TEXT(sql_in((X){ .block = copy }, "default", NULL, out, sizeof out),
             "SELECT u.id, u.name, u.active, u.age, u.born, s.id AS id_1 FROM users AS u, (SELECT users.id AS id FROM users) AS s "
             "WHERE EXISTS (SELECT * FROM addresses WHERE addresses.user_id = u.id)");
  alch_block_retarget(copy, source_id(users), w.users->id);
  CHECK_BYTES(alch_block_root(copy), alch_block_root(both.block), copy->structure - copy->definitions);
  free(copy);
  world_close();
}

CASE("a builder remembers what went wrong") {
  size_t size;
  world_open();
  alch_builder_open(start(), ALCH_NODE_LIST, 0, 0, 0);
  CHECK_INT(alch_builder_finish(&w.builder, &size, &w.error), ALCH_ERROR);
  CHECK_INT(w.error.kind, ALCH_ERROR_ARGUMENT);
  start();
  CHECK_INT(alch_builder_finish(&w.builder, &size, &w.error), ALCH_ERROR);
  alch_builder_close(start());
  CHECK_INT(alch_builder_finish(&w.builder, &size, &w.error), ALCH_ERROR);
  start();
  for (int n = 0; n < 65; n++) alch_builder_open(&w.builder, ALCH_NODE_GROUPING, 0, 0, 0);
  CHECK_INT(alch_builder_finish(&w.builder, &size, &w.error), ALCH_ERROR);
  CHECK_TEXT(alch_error_message(&w.error), "the statement nests more than 64 levels in one step");
  alch_builder_leaf(start(), ALCH_NODE_NULL, 0, 0, 0);
  CHECK_INT(alch_builder_finish(&w.builder, &size, &w.error), ALCH_OK);
  world_close();
}

/* Every 32-bit word of a block is turned into something else; whatever the check says, it must come to an end inside the block. */
CASE("a damaged block is never walked past its end") {
  world_open();
  X x = WHERE(SELECT(at(subquery(WHERE(SELECT(U("id")), eq(U("name"), s("a long enough text"))), "sub"), 0)), in(U("id"), LIST(INTEGER(1), INTEGER(2))));
  size_t size = alch_block_size(x.block);
  int refused = 0;
  for (size_t offset = 0; offset + 4 <= size; offset += 4)
    for (int n = 0; n < 8; n++) {
      alch_block *copy = copy_of(x.block);
      uint32_t word = n == 0 ? UINT32_MAX : n == 1 ? 0 : (uint32_t)check_random();
      memcpy((char *)copy + offset, &word, sizeof word);
      bool inside = offset >= sizeof *copy || alch_block_size(copy) <= size;
      if (inside) refused += !alch_block_valid(copy);
      free(copy);
    }
  CHECK(refused > 100);
  world_close();
}

CASE("what columns a source has") {
  world_open();
  alch_output output;
  X sub = subquery(SELECT(U("id"), entity(w.addresses), func("count"), func("count"), label(U("name"), "who")), NULL);
  X column = at(sub, 0);
  CHECK_INT(alch_source_width(w.catalog, column.block, source_id(sub)), 7);
  static const struct { const char *name; uint32_t number, type; } expected[] = { { "id", 0, ALCH_TYPE_INTEGER }, { "id", 1, ALCH_TYPE_INTEGER }, { "user_id", 0, ALCH_TYPE_INTEGER },
    { "email", 0, ALCH_TYPE_STRING }, { "count", 1, ALCH_TYPE_BIG_INTEGER }, { "count", 2, ALCH_TYPE_BIG_INTEGER }, { "who", 0, ALCH_TYPE_STRING } };
  for (uint32_t n = 0; n < 7; n++) {
    CHECK(alch_source_output(w.catalog, column.block, source_id(sub), n, &output));
    CHECK_INT(output.name_length, strlen(expected[n].name));
    CHECK_BYTES(output.name, expected[n].name, output.name_length);
    CHECK_INT(output.number, expected[n].number);
    CHECK_INT(output.type, expected[n].type);
  }
  CHECK(!alch_source_output(w.catalog, column.block, source_id(sub), 7, &output));
  CHECK(alch_source_output(w.catalog, column.block, source_id(sub), 2, &output) && output.column == w.addresses->columns[1]);
  CHECK(alch_source_table(w.catalog, column.block, w.users->id) == w.users);
  CHECK(alch_source_table(w.catalog, column.block, source_id(sub)) == NULL);
  X loop = recursive(SELECT(U("id")), "t");
  X self = redefine(loop, "t", SELECT(OP(NEGATE, at(loop, 0))));
  CHECK_INT(alch_node_type(w.catalog, at(self, 0).block, alch_block_root(at(self, 0).block)), 0);
  world_close();
}
