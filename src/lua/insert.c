/* insert.c - INSERT, and the values that INSERT and UPDATE write. */
#include "lua/expression.h"
#include <string.h>

/* ---- values: names or columns to values, in the order of the table's columns ---- */

/* For each column of the table the value at values[column], on the stack from *start on; columns[i] are those that have one. The table of values is at index. */
static uint32_t push_values(lua_State *L, const alch_table *table, int index, const alch_column **columns, int *start) {
  uint32_t count = 0;
  *start = lua_gettop(L) + 1;
  for (uint32_t i = 0; i < table->column_count; i++) {
    lua_pushstring(L, table->columns[i]->key);
    if (lua_rawget(L, index) == LUA_TNIL) { lua_pop(L, 1); continue; }
    luaL_checkstack(L, 8, "too many values");
    columns[count++] = table->columns[i];
  }
  return count;
}

/* Keys that are columns (t.c.name) become names, in a copy that takes the table's place; unknown names raise. */
void binding_value_names(lua_State *L, binding *b, const alch_table *table, int index) {
  bool expressions = false;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    const alch_block *block = binding_test(L, b, -1, BINDING_EXPRESSION);
    const alch_node *root = block ? alch_block_root(block) : NULL;
    alch_column *column = NULL;
    if (root && root->kind == ALCH_NODE_COLUMN && root->a == table->id) expressions = true;
    else if (lua_type(L, -1) == LUA_TSTRING) binding_must(L, b, alch_table_require_column(table, lua_tostring(L, -1), &column, &b->error));
    else binding_expected(L, b, -1, "names of columns as keys", "values");
  }
  if (!expressions) return;
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    const alch_block *block = binding_test(L, b, -2, BINDING_EXPRESSION);
    if (block) lua_pushstring(L, table->columns[alch_block_root(block)->b]->key);
    else lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_replace(L, index);
}

/* An expression stays one; a value takes the column's type. */
void binding_column_operand(lua_State *L, binding *b, int index, const alch_column *column, alch_operand *out) {
  *out = (alch_operand){ .block = lua_isuserdata(L, index) && lua_touserdata(L, index) ? binding_block(L, b, index) : NULL };
  if (out->block) { binding_operand(L, b, index, 0, false, out); return; }
  binding_value_column(L, b, index, column, &out->value);
}

void binding_build_value(lua_State *L, binding *b, const alch_operand *operand, const alch_column *column) {
  if (operand->block) binding_build_operand(L, b, operand, 0);
  else alch_builder_bind(&b->builder, column->type, 0, NULL, &operand->value, NULL);
}

/* ---- INSERT ---- */

static const alch_block *check_insert(lua_State *L, const char *method) { return binding_check_statement(L, BINDING(L), 1, ALCH_NODE_INSERT, ALCH_NODE_INSERT, method); }

static alch_table *table_of(binding *b, const alch_block *statement) { return alch_catalog_table(b->catalog, alch_block_root(statement)->a); }

static void check_same_names(lua_State *L, binding *b, int index, lua_Integer row, const alch_column *const *columns, uint32_t count, const alch_table *table) {
  uint32_t given = 0;
  for (uint32_t i = 0; i < table->column_count; i++) {
    lua_pushstring(L, table->columns[i]->key);
    given += lua_rawget(L, index) != LUA_TNIL;
    lua_pop(L, 1);
  }
  for (uint32_t i = 0; i < count; i++) {
    lua_pushstring(L, columns[i]->key);
    if (lua_rawget(L, index) == LUA_TNIL)
      binding_error(L, b, ALCH_ERROR_ARGUMENT, "row %d of the values has no '%s'; every row needs the names of the first (la.null where there is no value)", (int)row, columns[i]->key);
    lua_pop(L, 1);
  }
  if (given > count) binding_error(L, b, ALCH_ERROR_ARGUMENT, "row %d of the values has names that the first has not", (int)row);
}

/* The clauses of the statement except those between INTO and ROWS, which are built by `build` in their place. */
static void copy_clauses(alch_builder *builder, alch_reader *reader, const alch_node *end, uint32_t below) {
  while (reader->node < end && reader->node->kind < below) alch_builder_copy(builder, reader);
}

static void build_into(alch_builder *builder, const alch_table *table, const alch_column *const *columns, uint32_t count) {
  alch_builder_open(builder, ALCH_NODE_INTO, 0, 0, 0);
  for (uint32_t i = 0; i < count; i++) alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, table->id, columns[i]->index);
  alch_builder_close(builder);
}

static const alch_node *begin_insert(alch_builder *builder, const alch_block *statement, alch_reader *reader) {
  *reader = alch_reader_at_root(statement);
  const alch_node *root = reader->node, *end = alch_node_next(root);
  alch_builder_start(builder);
  alch_builder_definitions(builder, statement);
  alch_builder_open(builder, root->kind, root->op, root->a, root->b);
  alch_reader_enter(reader);
  copy_clauses(builder, reader, end, ALCH_NODE_INTO);
  return end;
}

static void end_insert(alch_builder *builder, alch_reader *reader, const alch_node *end) {
  while (reader->node < end && reader->node->kind <= ALCH_NODE_ROWS) alch_reader_skip(reader);
  while (reader->node < end) alch_builder_copy(builder, reader);
  alch_builder_close(builder);
}

typedef struct value_rows {
  const alch_table *table;
  const alch_column **columns;
  uint32_t width, count;
  alch_operand *cells;      /* row by row */
} value_rows;

/* The rows are the tables at slots start .. start + count - 1; their values stay on the stack. */
static void read_rows(lua_State *L, binding *b, int start, value_rows *out) {
  out->columns = lua_newuserdatauv(L, (out->table->column_count + 1) * sizeof *out->columns, 0);
  for (uint32_t row = 0; row < out->count; row++) {
    int index = start + (int)row, first;
    if (!lua_istable(L, index)) binding_expected(L, b, index, "tables of names and values", "values");
    binding_value_names(L, b, out->table, index);
    if (row == 0) {
      out->width = push_values(L, out->table, index, out->columns, &first);
      lua_settop(L, first - 1);
      out->cells = lua_newuserdatauv(L, ((size_t)out->count * out->width + 1) * sizeof *out->cells, 0);
    } else {
      check_same_names(L, b, index, row + 1, out->columns, out->width, out->table);
    }
    luaL_checkstack(L, (int)out->width + 8, "too many values in one statement; give execute a list of rows instead");
    for (uint32_t i = 0; i < out->width; i++) {
      lua_pushstring(L, out->columns[i]->key);
      lua_rawget(L, index);
      binding_column_operand(L, b, lua_gettop(L), out->columns[i], &out->cells[row * out->width + i]);
    }
  }
}

/* What earlier calls of values() gave is kept where this one names nothing: only for one row. */
static void merge_earlier(lua_State *L, binding *b, const alch_block *statement, int index) {
  const alch_node *root = alch_block_root(statement);
  const alch_node *into = alch_node_clause(root, ALCH_NODE_INTO), *rows = alch_node_clause(root, ALCH_NODE_ROWS);
  if (!into || !rows) return;
  const alch_node *row = alch_node_child(rows);
  if (alch_node_child_count(rows) != 1 || row->kind != ALCH_NODE_ROW) binding_error(L, b, ALCH_ERROR_ARGUMENT, "this insert has its rows already");
  alch_reader reader = alch_reader_at_root(statement);
  while (reader.node != row) {
    if ((const char *)alch_node_next(reader.node) > (const char *)row) alch_reader_enter(&reader);
    else alch_reader_skip(&reader);
  }
  alch_reader_enter(&reader);
  for ALCH_EACH_CHILD(column, into) {
    const char *key = table_of(b, statement)->columns[column->b]->key;
    bool given = lua_getfield(L, index, key) != LUA_TNIL;
    lua_pop(L, 1);
    if (given) { alch_reader_skip(&reader); continue; }
    alch_builder_start(&b->builder);
    alch_builder_definitions(&b->builder, statement);
    alch_builder_copy(&b->builder, &reader);
    binding_push_block(L, b, BINDING_EXPRESSION);
    lua_setfield(L, index, key);
  }
}

static int push_insert(lua_State *L, binding *b, const alch_block *statement, const value_rows *rows) {
  alch_reader reader;
  const alch_node *end = begin_insert(&b->builder, statement, &reader);
  build_into(&b->builder, rows->table, rows->columns, rows->width);
  alch_builder_open(&b->builder, ALCH_NODE_ROWS, 0, 0, 0);
  for (uint32_t row = 0; row < rows->count; row++) {
    alch_builder_open(&b->builder, ALCH_NODE_ROW, 0, 0, 0);
    for (uint32_t i = 0; i < rows->width; i++) binding_build_value(L, b, &rows->cells[row * rows->width + i], rows->columns[i]);
    alch_builder_close(&b->builder);
  }
  alch_builder_close(&b->builder);
  end_insert(&b->builder, &reader, end);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

static void copy_table(lua_State *L, int index) {
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_replace(L, index);
}

/* insert:values{ name = value, … }, or a list of such tables: one statement with several rows. */
static int insert_values(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = check_insert(L, "values");
  if (lua_gettop(L) != 2 || !lua_istable(L, 2)) return binding_expected(L, b, 2, "a table of names and values, or a list of them", "values");
  value_rows rows = { .table = table_of(b, statement), .count = (uint32_t)lua_rawlen(L, 2) };
  int start = 3;
  if (rows.count == 0) {
    copy_table(L, 2);
    binding_value_names(L, b, rows.table, 2);
    merge_earlier(L, b, statement, 2);
    rows.count = 1;
    start = 2;
  } else {
    luaL_checkstack(L, (int)rows.count + 8, "too many rows in one statement; give execute a list of rows instead");
    for (uint32_t i = 0; i < rows.count; i++) lua_rawgeti(L, 2, i + 1);
  }
  read_rows(L, b, start, &rows);
  return push_insert(L, b, statement, &rows);
}

/* insert:from_select({ names }, select [, { include_defaults = false }]) */
static int insert_from_select(lua_State *L) {
  static const binding_option known[] = { { "include_defaults", LUA_TBOOLEAN }, { NULL, 0 } };
  binding *b = BINDING(L);
  bool defaults = true;
  if (lua_istable(L, 4)) {
    binding_only_options(L, b, 4, known, "from_select");
    defaults = lua_getfield(L, 4, "include_defaults") == LUA_TNIL || lua_toboolean(L, -1);
  }
  const alch_block *statement = check_insert(L, "from_select");
  alch_table *table = table_of(b, statement);
  if (!lua_istable(L, 2)) return binding_expected(L, b, 2, "a list of names, and a select", "from_select");
  const alch_block *query = binding_test(L, b, 3, BINDING_STATEMENT);
  if (!query || !alch_node_is_query(alch_block_root(query))) return binding_expected(L, b, 3, "a list of names, and a select", "from_select");
  uint32_t count = (uint32_t)lua_rawlen(L, 2);
  const alch_column **columns = lua_newuserdatauv(L, (count + 1) * sizeof *columns, 0);
  for (uint32_t i = 0; i < count; i++) {
    alch_column *column = NULL;
    lua_rawgeti(L, 2, i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      lua_getfield(L, -1, "key");
      lua_remove(L, -2);
    }
    binding_must(L, b, alch_table_require_column(table, binding_text(L, b, -1, NULL, "names", "from_select"), &column, &b->error));
    columns[i] = column;
    lua_pop(L, 1);
  }
  alch_reader reader;
  const alch_node *end = begin_insert(&b->builder, statement, &reader);
  build_into(&b->builder, table, columns, count);
  alch_builder_open(&b->builder, ALCH_NODE_ROWS, defaults ? 0 : 1, 0, 0);
  alch_builder_block(&b->builder, query);
  alch_builder_close(&b->builder);
  end_insert(&b->builder, &reader, end);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

/* insert(table), table:insert() */
static int insert_new(lua_State *L) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, "insert");
  alch_builder_start(&b->builder);
  alch_builder_leaf(&b->builder, ALCH_NODE_INSERT, 0, table->id, 0);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

void binding_open_insert(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "from_select", insert_from_select }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "insert", insert_new }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_STATEMENT, methods);
  binding_kind_methods(L, b, BINDING_TABLE, functions);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
  binding_open_conflict(L, b);
}

int binding_insert_values(lua_State *L) { return insert_values(L); }
