/* conflict.c - INSERT … ON CONFLICT, and the row that was refused: stmt.excluded. */
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
  if (binding_is(L, 2, "excluded") && root->kind == ALCH_NODE_INSERT) return push_excluded(L, b, table_of(b, statement));
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
  binding_options(L, b, 2, known, where);
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
  if (op == 1) {
    columns = lua_newuserdatauv(L, (given->table->column_count + 1) * sizeof *columns, 0);
    values = lua_newuserdatauv(L, (given->table->column_count + 1) * sizeof *values, 0);
    count = binding_assignments(L, b, given->table, given->set, columns, values);
  }
  bool there;
  alch_reader reader = alch_build_up_to(&b->builder, statement, ALCH_NODE_ON_CONFLICT, &there);
  if (there) alch_reader_skip(&reader);
  alch_builder_open(&b->builder, ALCH_NODE_ON_CONFLICT, op, 0, 0);
  build_targets(L, b, given);
  if (op == 1) binding_build_set(L, b, given->table, columns, values, count, 0);
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
  return push_conflict(L, b, statement, &given, 0);
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
  return push_conflict(L, b, statement, &given, 1);
}

void binding_open_conflict(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "on_conflict_do_nothing", conflict_do_nothing }, { "on_conflict_do_update", conflict_do_update }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_STATEMENT, methods);
  binding_kind_properties(L, b, BINDING_STATEMENT, binding_statement_property);
}
