/* conflict.c - INSERT … ON CONFLICT, ON DUPLICATE KEY UPDATE, upserts, and the row that was refused: stmt.excluded, stmt.inserted. */
#include "lua/expression.h"
#include <string.h>

static alch_table *table_of(binding *b, const alch_block *statement) { return alch_catalog_table(b->catalog, alch_block_root(statement)->a); }

/* ---- stmt.excluded ---- */

static int push_excluded(lua_State *L, binding *b, const alch_table *table) {
  lua_createtable(L, (int)table->column_count, (int)table->column_count);
  for (uint32_t i = 0; i < table->column_count; i++) {
    alch_builder_start(&b->builder);
    alch_builder_leaf(&b->builder, ALCH_NODE_EXCLUDED, 0, table->id, i);
    binding_push_block(L, b, BINDING_EXPRESSION);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, (lua_Integer)i + 1);
    lua_pushstring(L, table->columns[i]->key);
    lua_insert(L, -2);
    lua_rawset(L, -3);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->columns_metatable);
  lua_setmetatable(L, -2);
  return 1;
}

int binding_statement_property(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = lua_touserdata(L, 1);
  const alch_node *root = alch_block_root(statement);
  if ((binding_is(L, 2, "excluded") || binding_is(L, 2, "inserted")) && root->kind == ALCH_NODE_INSERT) return push_excluded(L, b, table_of(b, statement));
  if (binding_is(L, 2, "kind")) {
    lua_pushstring(L, alch_node_kind_name(root->kind));
    return 1;
  }
  return 0;
}

/* ---- targets ---- */

typedef struct conflict {
  const alch_table *table;
  alch_column **columns;           /* targets, in memory on the stack */
  uint32_t column_count;
  const char *constraint;
  alch_operand index_where, where;
  int set;                         /* slot of the table of values, 0: none */
} conflict;

static alch_column *check_column(lua_State *L, binding *b, const alch_table *table, int index) {
  alch_column *column = NULL;
  const alch_block *block = binding_test(L, b, index, BINDING_EXPRESSION);
  const alch_node *root = block ? alch_block_root(block) : NULL;
  if (root && root->kind == ALCH_NODE_COLUMN && root->a == table->id) return table->columns[root->b];
  binding_must(L, b, alch_table_require_column(table, binding_text(L, b, index, NULL, "names of columns", "index_elements"), &column, &b->error));
  return column;
}

/* Reads the options table at slot 2; what it needs stays on the stack. */
static void read_options(lua_State *L, binding *b, const char *where, const binding_option *known, conflict *out) {
  if (lua_isnoneornil(L, 2)) { lua_settop(L, 1); lua_newtable(L); }
  luaL_checktype(L, 2, LUA_TTABLE);
  binding_only_options(L, b, 2, known, where);
  lua_getfield(L, 2, "index_elements");
  int list = lua_gettop(L);
  if (lua_istable(L, list)) {
    out->column_count = (uint32_t)lua_rawlen(L, list);
    out->columns = lua_newuserdatauv(L, (out->column_count + 1) * sizeof *out->columns, 0);
    for (uint32_t i = 0; i < out->column_count; i++) {
      lua_rawgeti(L, list, i + 1);
      out->columns[i] = check_column(L, b, out->table, lua_gettop(L));
      lua_pop(L, 1);
    }
  } else if (!lua_isnil(L, list)) {
    binding_expected(L, b, list, "a list of column names as index_elements", where);
  }
  if (lua_getfield(L, 2, "constraint") != LUA_TNIL) out->constraint = binding_text(L, b, -1, NULL, "a constraint's name", where);
  if (lua_getfield(L, 2, "index_where") != LUA_TNIL) binding_operand(L, b, -1, 0, true, &out->index_where);
  if (lua_getfield(L, 2, "where") != LUA_TNIL) binding_operand(L, b, -1, 0, true, &out->where);
  if (lua_getfield(L, 2, "set") == LUA_TTABLE) out->set = lua_gettop(L);
}

static void build_targets(lua_State *L, binding *b, const conflict *given) {
  alch_builder_open(&b->builder, ALCH_NODE_TARGETS, 0, 0, 0);
  if (given->constraint) alch_builder_leaf_text(&b->builder, ALCH_NODE_LITERAL, 0, 0, 0, given->constraint, strlen(given->constraint));
  for (uint32_t i = 0; i < given->column_count; i++) alch_builder_leaf(&b->builder, ALCH_NODE_COLUMN, 0, given->table->id, given->columns[i]->index);
  if (given->index_where.block) {
    alch_builder_open(&b->builder, ALCH_NODE_WHERE, 0, 0, 0);
    binding_build_operand(L, b, &given->index_where, 0);
    alch_builder_close(&b->builder);
  }
  alch_builder_close(&b->builder);
}

static int push_conflict(lua_State *L, binding *b, const alch_block *statement, const conflict *given, uint8_t op) {
  alch_operand *values = NULL;
  const alch_column **columns = NULL;
  uint32_t count = 0;
  if (given->set != 0) {
    columns = lua_newuserdatauv(L, (given->table->column_count + 1) * sizeof *columns, 0);
    values = lua_newuserdatauv(L, (given->table->column_count + 1) * sizeof *values, 0);
    count = binding_assignments(L, b, given->table, given->set, columns, values);
  }
  bool there;
  alch_reader reader = alch_build_up_to(&b->builder, statement, ALCH_NODE_ON_CONFLICT, &there);
  if (there) alch_reader_skip(&reader);
  alch_builder_open(&b->builder, ALCH_NODE_ON_CONFLICT, op, 0, 0);
  build_targets(L, b, given);
  if (given->set != 0) binding_build_set(L, b, given->table, columns, values, count, 0);
  if (given->where.block) {
    alch_builder_open(&b->builder, ALCH_NODE_WHERE, 0, 0, 0);
    binding_build_operand(L, b, &given->where, 0);
    alch_builder_close(&b->builder);
  }
  alch_builder_close(&b->builder);
  alch_build_rest(&b->builder, &reader);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

/* on_conflict_do_nothing{ index_elements =, constraint =, index_where = } */
static int conflict_do_nothing(lua_State *L) {
  static const binding_option known[] = { { "index_elements", LUA_TTABLE }, { "constraint", LUA_TSTRING }, { "index_where", LUA_TNONE }, { NULL, 0 } };
  binding *b = BINDING(L);
  const alch_block *statement = binding_check_statement(L, b, 1, ALCH_NODE_INSERT, ALCH_NODE_INSERT, "on_conflict_do_nothing");
  conflict given = { .table = table_of(b, statement) };
  read_options(L, b, "on_conflict_do_nothing", known, &given);
  return push_conflict(L, b, statement, &given, ALCH_CONFLICT_NOTHING);
}

/* on_conflict_do_update{ index_elements =, constraint =, index_where =, set = { name = value }, where = } */
static int conflict_do_update(lua_State *L) {
  static const binding_option known[] = {
    { "index_elements", LUA_TTABLE }, { "constraint", LUA_TSTRING }, { "index_where", LUA_TNONE }, { "set", LUA_TTABLE }, { "where", LUA_TNONE }, { NULL, 0 },
  };
  binding *b = BINDING(L);
  const alch_block *statement = binding_check_statement(L, b, 1, ALCH_NODE_INSERT, ALCH_NODE_INSERT, "on_conflict_do_update");
  conflict given = { .table = table_of(b, statement) };
  read_options(L, b, "on_conflict_do_update", known, &given);
  if (given.set == 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "on_conflict_do_update needs set = { name = value, … }");
  if (given.column_count == 0 && !given.constraint) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "on_conflict_do_update needs index_elements = { \"id\" } or constraint = \"name\"");
  return push_conflict(L, b, statement, &given, ALCH_CONFLICT_UPDATE);
}

/* ---- upserts ---- */

/* Without index_elements the row is found by its primary key. */
static void take_primary_key(lua_State *L, binding *b, conflict *given) {
  const alch_constraint *key = given->table->primary_key;
  if (given->column_count > 0) return;
  if (!key || key->column_count == 0) binding_error(L, b, ALCH_ERROR_ARGUMENT, "'%s' has no primary key to find a row by; give upsert index_elements = { \"name\" }", given->table->full_name);
  given->columns = key->columns;
  given->column_count = key->column_count;
}

/* set = { "name", … }: from the row that was refused. The table of names and expressions takes the list's place. */
static void spread_set_names(lua_State *L, binding *b, const conflict *given) {
  size_t count = lua_rawlen(L, given->set);
  if (count == 0) return;
  lua_newtable(L);
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, given->set, (lua_Integer)i);
    const alch_column *column = check_column(L, b, given->table, lua_gettop(L));
    alch_builder_start(&b->builder);
    alch_builder_leaf(&b->builder, ALCH_NODE_EXCLUDED, 0, given->table->id, column->index);
    binding_push_block(L, b, BINDING_EXPRESSION);
    lua_setfield(L, -3, column->key);
    lua_pop(L, 1);
  }
  lua_pushnil(L);
  while (lua_next(L, given->set)) {
    if (lua_type(L, -2) == LUA_TNUMBER) { lua_pop(L, 1); continue; }
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_replace(L, given->set);
}

/* upsert(table [, { index_elements =, set = { "name" } or { name = value }, where =, do_nothing = }]): an insert that updates the row when it is there, in the form that the database has. */
static int conflict_upsert(lua_State *L) {
  static const binding_option known[] = {
    { "index_elements", LUA_TTABLE }, { "index_where", LUA_TNONE }, { "set", LUA_TTABLE }, { "where", LUA_TNONE }, { "do_nothing", LUA_TBOOLEAN }, { NULL, 0 },
  };
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, "upsert");
  conflict given = { .table = table };
  lua_settop(L, 2);
  read_options(L, b, "upsert", known, &given);
  take_primary_key(L, b, &given);
  if (given.set != 0) spread_set_names(L, b, &given);
  lua_getfield(L, 2, "do_nothing");
  bool nothing = lua_toboolean(L, -1);
  if (nothing && given.set != 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "upsert takes set or do_nothing, not both");
  alch_builder_start(&b->builder);
  alch_builder_leaf(&b->builder, ALCH_NODE_INSERT, 0, table->id, 0);
  const alch_block *statement = binding_push_block(L, b, BINDING_STATEMENT);
  return push_conflict(L, b, statement, &given, ALCH_CONFLICT_PORTABLE | (nothing ? ALCH_CONFLICT_NOTHING : ALCH_CONFLICT_UPDATE));
}

/* ---- ON DUPLICATE KEY UPDATE ---- */

/* on_duplicate_key_update{ name = value, … }, or a list { { name, value }, … } whose order is kept */
static int conflict_on_duplicate_key(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check_statement(L, b, 1, ALCH_NODE_INSERT, ALCH_NODE_INSERT, "on_duplicate_key_update");
  const alch_table *table = table_of(b, statement);
  if (lua_gettop(L) != 2 || !lua_istable(L, 2) || binding_is_empty(L, 2)) return binding_expected(L, b, 2, "a table of names and values", "on_duplicate_key_update");
  const alch_column **columns = lua_newuserdatauv(L, (table->column_count + 1) * sizeof *columns, 0);
  alch_operand *values = lua_newuserdatauv(L, (table->column_count + 1) * sizeof *values, 0);
  bool ordered = lua_rawlen(L, 2) > 0;
  uint32_t count = ordered ? binding_ordered_assignments(L, b, table, 2, columns, values) : binding_assignments(L, b, table, 2, columns, values);
  bool there;
  alch_reader reader = alch_build_up_to(&b->builder, statement, ALCH_NODE_ON_DUPLICATE_KEY, &there);
  if (there) alch_reader_skip(&reader);
  alch_builder_open(&b->builder, ALCH_NODE_ON_DUPLICATE_KEY, 0, 0, 0);
  binding_build_set(L, b, table, columns, values, count, ordered);
  alch_builder_close(&b->builder);
  alch_build_rest(&b->builder, &reader);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

void binding_open_conflict(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "on_conflict_do_nothing", conflict_do_nothing }, { "on_conflict_do_update", conflict_do_update }, { "on_duplicate_key_update", conflict_on_duplicate_key }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "upsert", conflict_upsert }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_STATEMENT, methods);
  binding_kind_properties(L, b, BINDING_STATEMENT, binding_statement_property);
  binding_kind_methods(L, b, BINDING_TABLE, functions);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
