/* schema.c - MetaData and Table objects. lua/lualchemy/schema.lua checks what a user writes and calls the functions here. */
#include "lua/schema.h"
#include <string.h>

/* ---- metadata ---- */

alch_metadata *binding_check_metadata(lua_State *L, binding *b, int index, const char *where) {
  alch_metadata **metadata = binding_test(L, b, index, BINDING_METADATA);
  if (!metadata) binding_expected(L, b, index, "a MetaData", where);
  return *metadata;
}

/* metadata(schema or nil, naming convention or nil) */
static int schema_metadata(lua_State *L) {
  binding *b = BINDING(L);
  alch_metadata **metadata = binding_new(L, b, BINDING_METADATA, sizeof *metadata, 1);
  binding_must(L, b, alch_metadata_new(b->catalog, luaL_optstring(L, 1, NULL), metadata, &b->error));
  if (lua_istable(L, 2)) {
    lua_pushnil(L);
    while (lua_next(L, 2)) {
      const char *kind = binding_text(L, b, -2, NULL, "the kinds ix, uq, ck, fk and pk as keys", "naming_convention");
      const char *template_text = binding_text(L, b, -1, NULL, "templates such as \"fk_%(table_name)s_%(column_0_name)s\"", "naming_convention");
      binding_must(L, b, alch_metadata_set_naming(*metadata, kind, template_text, &b->error));
      lua_pop(L, 1);
    }
  }
  return 1;
}

static void push_tables(lua_State *L, binding *b, const alch_metadata *metadata) {
  uint32_t position = 0;
  void *table;
  const char *name;
  lua_newtable(L);
  while (alch_map_next(&metadata->tables, &position, &name, NULL, &table)) {
    binding_push_table(L, b, table);
    lua_setfield(L, -2, name);
  }
}

static void push_sorted_tables(lua_State *L, binding *b, alch_metadata *metadata) {
  alch_table **tables = NULL;
  alch_constraint **cycle = NULL;
  uint32_t count = 0, cycle_count = 0;
  binding_must(L, b, alch_metadata_sorted(metadata, &tables, &count, &cycle, &cycle_count, &b->error));
  alch_free(&b->allocator, cycle, cycle_count * sizeof *cycle);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    binding_push_table(L, b, tables[i]);
    lua_rawseti(L, -2, i + 1);
  }
  alch_free(&b->allocator, tables, count * sizeof *tables);
}

static int metadata_property(lua_State *L) {
  binding *b = BINDING(L);
  alch_metadata *metadata = *(alch_metadata **)lua_touserdata(L, 1);
  if (binding_is(L, 2, "tables")) push_tables(L, b, metadata);
  else if (binding_is(L, 2, "sorted_tables")) push_sorted_tables(L, b, metadata);
  else if (binding_is(L, 2, "schema")) lua_pushstring(L, metadata->schema);
  else return 0;
  return 1;
}

/* metadata:remove(table) */
static int metadata_remove(lua_State *L) {
  binding *b = BINDING(L);
  alch_metadata_remove(binding_check_metadata(L, b, 1, "remove"), binding_check_table(L, b, 2, "remove"));
  return 0;
}

/* metadata:resolve(): finds the targets of all foreign keys; errors name what is missing. */
static int metadata_resolve(lua_State *L) {
  binding *b = BINDING(L);
  binding_must(L, b, alch_metadata_resolve(binding_check_metadata(L, b, 1, "resolve"), &b->error));
  return 0;
}

/* ---- tables ---- */

alch_table *binding_check_table(lua_State *L, binding *b, int index, const char *where) {
  alch_table **table = binding_test(L, b, index, BINDING_TABLE);
  if (table) return *table;
  if (lua_type(L, index) == LUA_TTABLE) {
    index = lua_absindex(L, index);
    lua_pushliteral(L, "__table");
    lua_rawget(L, index);
    table = binding_test(L, b, -1, BINDING_TABLE);
    lua_pop(L, 1);   /* the model keeps it */
    if (table) return *table;
  }
  binding_expected(L, b, index, "a Table or a model", where);
  return NULL;
}

/* The object is made with the table; its user values are table.c, and later its ENTITY (operand.c). */
void binding_push_table(lua_State *L, binding *b, alch_table *table) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->tables);
  if (lua_rawgeti(L, -1, table->id) == LUA_TNIL) {
    lua_pop(L, 1);
    *(alch_table **)binding_new(L, b, BINDING_TABLE, sizeof(alch_table *), 2) = table;
    lua_createtable(L, (int)table->column_count, (int)table->column_count);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->columns_metatable);
    lua_setmetatable(L, -2);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, table->id);
  }
  lua_remove(L, -2);
  lua_getiuservalue(L, -1, 1);
  for (uint32_t i = (uint32_t)lua_rawlen(L, -1); i < table->column_count; i++) binding_enter_column(L, b, table->columns[i]);
  lua_pop(L, 1);
}

void binding_push_column(lua_State *L, binding *b, const alch_column *column) {
  binding_push_table(L, b, column->table);
  lua_getiuservalue(L, -1, 1);
  lua_rawgeti(L, -1, (lua_Integer)column->index + 1);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* table(metadata, name, schema or nil): a table without columns. */
static int schema_table(lua_State *L) {
  binding *b = BINDING(L);
  alch_metadata *metadata = binding_check_metadata(L, b, 1, "Table");
  alch_table *table = NULL;
  binding_must(L, b, alch_table_new(metadata, luaL_checkstring(L, 2), luaL_optstring(L, 3, NULL), &table, &b->error));
  binding_push_table(L, b, table);
  return 1;
}

/* table_option(table, name, value): comment, quote, or a dialect's own option as text. */
static int schema_table_option(lua_State *L) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, "Table");
  const char *name = luaL_checkstring(L, 2);
  if (strcmp(name, "quote") == 0) {
    table->quote = lua_toboolean(L, 3) ? 1 : 2;
    return 0;
  }
  if (strcmp(name, "comment") == 0) {
    table->comment = alch_arena_text(&b->catalog->arena, luaL_checkstring(L, 3), strlen(lua_tostring(L, 3)));
    return 0;
  }
  binding_set_option(L, b, 3, name, &table->options);
  return 0;
}

/* find_table(metadata, full name): the table or nil. */
static int schema_find_table(lua_State *L) {
  binding *b = BINDING(L);
  alch_table *table = alch_metadata_table(binding_check_metadata(L, b, 1, "find_table"), luaL_checkstring(L, 2));
  if (!table) return 0;
  binding_push_table(L, b, table);
  return 1;
}

static void push_column_list(lua_State *L, binding *b, alch_column *const *columns, uint32_t count) {
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    if (columns[i]) binding_push_column(L, b, columns[i]);
    else lua_pushboolean(L, 0);
    lua_rawseti(L, -2, i + 1);
  }
}

void binding_push_metadata(lua_State *L, binding *b, alch_metadata *metadata) {
  *(alch_metadata **)binding_new(L, b, BINDING_METADATA, sizeof metadata, 1) = metadata;
}

static int table_property(lua_State *L) {
  binding *b = BINDING(L);
  alch_table *table = *(alch_table **)lua_touserdata(L, 1);
  if (binding_is(L, 2, "c") || binding_is(L, 2, "columns")) lua_getiuservalue(L, 1, 1);
  else if (binding_is(L, 2, "name")) lua_pushstring(L, table->name);
  else if (binding_is(L, 2, "fullname") || binding_is(L, 2, "key")) lua_pushstring(L, table->full_name);
  else if (binding_is(L, 2, "schema")) lua_pushstring(L, table->schema);
  else if (binding_is(L, 2, "comment")) lua_pushstring(L, table->comment);
  else if (binding_is(L, 2, "metadata")) binding_push_metadata(L, b, table->metadata);
  else if (binding_is(L, 2, "primary_key")) push_column_list(L, b, table->primary_key->columns, table->primary_key->column_count);
  else if (binding_is(L, 2, "id")) lua_pushinteger(L, table->id);
  else return binding_constraint_property(L, b, table);
  return 1;
}

static int table_tostring(lua_State *L) {
  lua_pushstring(L, (*(alch_table **)binding_check(L, BINDING(L), 1, BINDING_TABLE))->full_name);
  return 1;
}

static int metadata_eq(lua_State *L) {
  alch_metadata **left = binding_test(L, BINDING(L), 1, BINDING_METADATA), **right = binding_test(L, BINDING(L), 2, BINDING_METADATA);
  lua_pushboolean(L, left && right && *left == *right);
  return 1;
}

static int metadata_tostring(lua_State *L) {
  const alch_metadata *metadata = *(alch_metadata **)binding_check(L, BINDING(L), 1, BINDING_METADATA);
  lua_pushfstring(L, "MetaData(%d tables)", (int)alch_map_count(&metadata->tables));
  return 1;
}

/* ---- questions for the Lua side ---- */

/* is_table(value), is_column(value): a table; a column of a table */
static int schema_is_table(lua_State *L) {
  lua_pushboolean(L, binding_test(L, BINDING(L), 1, BINDING_TABLE) != NULL);
  return 1;
}

static int schema_is_column(lua_State *L) {
  const alch_block *block = binding_test(L, BINDING(L), 1, BINDING_EXPRESSION);
  const alch_node *root = block ? alch_block_root(block) : NULL;
  lua_pushboolean(L, root && root->kind == ALCH_NODE_COLUMN && !(root->a & ALCH_ANONYMOUS));
  return 1;
}

/* is_block(value): an expression, a statement, a selectable, or a model */
static int schema_is_block(lua_State *L) {
  lua_pushboolean(L, binding_block(L, BINDING(L), 1) != NULL);
  return 1;
}

/* ---- table.c ---- */

/* table.c.name for a name that is none. The table's columns are the string keys. */
static int columns_index(lua_State *L) {
  binding *b = BINDING(L);
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  const char *names[256], *word = lua_tostring(L, 2);
  size_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, 1) && count < ALCH_COUNT(names)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) names[count++] = lua_tostring(L, -1);
  }
  lua_settop(L, 2);
  const char *nearest = alch_nearest(word, names, count);
  return binding_error(L, b, ALCH_ERROR_NO_SUCH_COLUMN, nearest ? "there is no column '%s'; the nearest is '%s'" : "there is no column '%s'", word, nearest);
}

static int columns_newindex(lua_State *L) {
  return binding_error(L, BINDING(L), ALCH_ERROR_ARGUMENT, "the list of columns is read-only; write table:append_column(Column{ … })");
}

static void make_columns_metatable(lua_State *L, binding *b) {
  static const luaL_Reg metamethods[] = { { "__index", columns_index }, { "__newindex", columns_newindex }, { NULL, NULL } };
  lua_newtable(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, metamethods, 1);
  lua_pushliteral(L, "columns");
  lua_setfield(L, -2, "__name");
  b->columns_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* table_prefixes(table, { words }) */
static int schema_table_prefixes(lua_State *L) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, "Table");
  luaL_checktype(L, 2, LUA_TTABLE);
  uint32_t count = (uint32_t)lua_rawlen(L, 2);
  const char **words = lua_newuserdatauv(L, (count + 1) * sizeof *words, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, i + 1);
    words[i] = binding_text(L, b, lua_gettop(L), NULL, "words such as \"TEMPORARY\"", "prefixes");
    lua_pop(L, 1);   /* the list keeps it */
  }
  binding_must(L, b, alch_table_set_prefixes(table, (const char *const *)words, count, &b->error));
  return 0;
}

/* table:add_is_dependent_on(other): it is created after the other and dropped before it. */
static int table_depend(lua_State *L) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, "add_is_dependent_on"), *on = binding_check_table(L, b, 2, "add_is_dependent_on");
  binding_must(L, b, alch_table_add_dependency(table, on, &b->error));
  return 0;
}

void binding_open_schema(lua_State *L, binding *b) {
  static const luaL_Reg metadata_methods[] = { { "remove", metadata_remove }, { "resolve", metadata_resolve }, { NULL, NULL } };
  static const luaL_Reg metadata_metamethods[] = { { "__eq", metadata_eq }, { "__tostring", metadata_tostring }, { NULL, NULL } };
  static const luaL_Reg table_methods[] = { { "add_is_dependent_on", table_depend }, { NULL, NULL } };
  static const luaL_Reg table_metamethods[] = { { "__tostring", table_tostring }, { NULL, NULL } };
  static const luaL_Reg functions[] = {
    { "metadata", schema_metadata }, { "table", schema_table }, { "table_option", schema_table_option }, { "find_table", schema_find_table },
    { "is_table", schema_is_table }, { "is_column", schema_is_column }, { "is_block", schema_is_block },     { "view", binding_add_view }, { "table_prefixes", schema_table_prefixes }, { "check_option", binding_check_option }, { "is_option", binding_is_option },
    { "add_column", binding_add_column }, { "add_constraint", binding_add_constraint }, { "add_index", binding_add_index }, { NULL, NULL },
  };
  binding_kind_register(L, b, BINDING_METADATA, "MetaData", metadata_methods, metadata_metamethods);
  binding_kind_properties(L, b, BINDING_METADATA, metadata_property);
  binding_kind_register(L, b, BINDING_TABLE, "Table", table_methods, table_metamethods);
  binding_kind_properties(L, b, BINDING_TABLE, table_property);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[BINDING_TABLE]);
  lua_getfield(L, -1, "__methods");
  lua_setfield(L, -3, "table_methods");   /* schema.lua adds to them */
  lua_pop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[BINDING_METADATA]);
  lua_getfield(L, -1, "__methods");
  lua_setfield(L, -3, "metadata_methods");   /* so does ddl.lua */
  lua_pop(L, 1);
  make_columns_metatable(L, b);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
  binding_open_sequence(L, b);
  binding_open_ddl(L, b);
}
