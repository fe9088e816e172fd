/* column.c - columns of tables: made from definitions, and what they answer when asked. */
#include "lua/schema.h"
#include <string.h>

void binding_enter_column(lua_State *L, binding *b, const alch_column *column) {
  alch_builder_start(&b->builder);
  alch_builder_leaf(&b->builder, ALCH_NODE_COLUMN, 0, column->table->id, column->index);
  binding_push_block(L, b, BINDING_EXPRESSION);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, (lua_Integer)column->index + 1);
  lua_pushstring(L, column->key);
  lua_insert(L, -2);
  lua_rawset(L, -3);
}

/* ---- from a definition: the table is at stack slot 2 ---- */

enum { DEFINITION = 2 };

static bool flag(lua_State *L, const char *name) {
  lua_getfield(L, DEFINITION, name);
  bool answer = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return answer;
}

/* The definition keeps the text. */
static const char *text_field(lua_State *L, const char *name) {
  lua_getfield(L, DEFINITION, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1);
  return text;
}

static bool is_expression(lua_State *L, binding *b, int index) { return lua_type(L, index) == LUA_TUSERDATA && binding_block(L, b, index) != NULL; }

/* default, onupdate: leaves the value on the stack, which holds its text until the column is made. */
static void client_default(lua_State *L, binding *b, const char *name, const alch_column *column, alch_default *out) {
  lua_getfield(L, DEFINITION, name);
  int index = lua_gettop(L);
  if (lua_isnil(L, index)) return;
  if (lua_isfunction(L, index)) {
    lua_pushvalue(L, index);
    *out = (alch_default){ .kind = ALCH_DEFAULT_HOST, .value = { .kind = ALCH_HOST, .integer = luaL_ref(L, LUA_REGISTRYINDEX) } };
  } else if (binding_test(L, b, index, BINDING_SEQUENCE)) {
    alch_sequence *sequence = binding_check_sequence(L, b, index, name);
    *out = (alch_default){ .kind = ALCH_DEFAULT_SEQUENCE, .block = binding_next_value(L, b, sequence), .sequence = sequence };
  } else if (is_expression(L, b, index)) {
    *out = (alch_default){ .kind = ALCH_DEFAULT_SQL, .block = binding_keep_expression(L, b, index, name) };
  } else {
    out->kind = ALCH_DEFAULT_VALUE;
    binding_value_typed(L, b, index, column->type, &out->value);
  }
}

/* server_default, server_onupdate: text, an expression, or true for "the database fills it in" (FetchedValue). */
static void server_default(lua_State *L, binding *b, const char *name, alch_default *out) {
  lua_getfield(L, DEFINITION, name);
  int index = lua_gettop(L);
  if (lua_isnil(L, index)) return;
  if (lua_type(L, index) == LUA_TSTRING) *out = (alch_default){ .kind = ALCH_DEFAULT_TEXT, .text = lua_tostring(L, index) };
  else if (lua_isboolean(L, index)) out->kind = ALCH_DEFAULT_FETCHED;
  else if (is_expression(L, b, index)) *out = (alch_default){ .kind = ALCH_DEFAULT_SQL, .block = binding_keep_expression(L, b, index, name) };
  else binding_expected(L, b, index, "a string, an expression such as la.text \"…\" or la.func.now(), or la.FetchedValue()", name);
}

static void computed(lua_State *L, binding *b, alch_column *column) {
  column->computed_persisted = -1;
  lua_getfield(L, DEFINITION, "computed");
  if (lua_isnil(L, -1)) return;
  lua_getfield(L, -1, "sqltext");
  column->computed = binding_keep_expression(L, b, -1, "Computed");
  lua_getfield(L, -2, "persisted");
  if (!lua_isnil(L, -1)) column->computed_persisted = lua_toboolean(L, -1);
}

static void column_flags(lua_State *L, alch_column *column) {
  column->primary_key = flag(L, "primary_key");
  column->unique = flag(L, "unique");
  column->indexed = flag(L, "index");
  lua_getfield(L, DEFINITION, "nullable");
  column->nullable_given = !lua_isnil(L, -1);
  column->nullable = lua_toboolean(L, -1);
  lua_getfield(L, DEFINITION, "quote");
  if (!lua_isnil(L, -1)) column->quote = lua_toboolean(L, -1) ? 1 : 2;
  lua_getfield(L, DEFINITION, "autoincrement");
  if (lua_isboolean(L, -1)) column->autoincrement = lua_toboolean(L, -1) ? ALCH_AUTOINCREMENT_YES : ALCH_AUTOINCREMENT_NO;
  else if (lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), "ignore_fk") == 0) column->autoincrement = ALCH_AUTOINCREMENT_IGNORE_FK;
  lua_pop(L, 3);
}

int binding_add_column(lua_State *L) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, "add_column");
  luaL_checktype(L, DEFINITION, LUA_TTABLE);
  luaL_checkstack(L, 16, "a column");
  alch_column column = { .name = text_field(L, "name"), .key = text_field(L, "key"), .comment = text_field(L, "comment") };
  lua_getfield(L, DEFINITION, "type");
  const alch_type_id *type = binding_test(L, b, -1, BINDING_TYPE);
  if (type) { column.type = *type; column.has_type = true; }
  alch_identity identity;
  if (binding_read_identity(L, b, DEFINITION, &identity)) column.identity = &identity;
  column_flags(L, &column);
  client_default(L, b, "default", &column, &column.insert_default);
  client_default(L, b, "onupdate", &column, &column.update_default);
  server_default(L, b, "server_default", &column.server_default);
  server_default(L, b, "server_onupdate", &column.server_onupdate);
  computed(L, b, &column);
  alch_column *made = NULL;
  binding_must(L, b, alch_table_add_column(table, &column, &made, &b->error));
  binding_set_options(L, b, DEFINITION, &made->options);
  if (made->insert_default.kind == ALCH_DEFAULT_SEQUENCE) binding_must(L, b, alch_sequence_join(made->insert_default.sequence, table->metadata, &b->error));
  binding_push_column(L, b, made);
  return 1;
}

/* ---- what a column answers ---- */

static void push_default(lua_State *L, binding *b, const alch_default *one, const alch_type *type) {
  switch (one->kind) {
    case ALCH_DEFAULT_VALUE: binding_push_value(L, b, &one->value, type); return;
    case ALCH_DEFAULT_HOST: lua_rawgeti(L, LUA_REGISTRYINDEX, one->value.integer); return;
    case ALCH_DEFAULT_TEXT: lua_pushstring(L, one->text); return;
    case ALCH_DEFAULT_FETCHED: lua_pushboolean(L, 1); return;
    case ALCH_DEFAULT_SEQUENCE: binding_push_sequence(L, b, one->sequence); return;
    case ALCH_DEFAULT_SQL:
      alch_builder_start(&b->builder);
      alch_builder_block(&b->builder, one->block);
      binding_push_block(L, b, BINDING_EXPRESSION);
      return;
    default: lua_pushnil(L); return;
  }
}

static int autoincrement(lua_State *L, const alch_column *column) {
  if (column->autoincrement == ALCH_AUTOINCREMENT_AUTO) lua_pushliteral(L, "auto");
  else if (column->autoincrement == ALCH_AUTOINCREMENT_IGNORE_FK) lua_pushliteral(L, "ignore_fk");
  else lua_pushboolean(L, column->autoincrement == ALCH_AUTOINCREMENT_YES);
  return 1;
}

int binding_column_property(lua_State *L, binding *b, const alch_column *column) {
  const alch_type *type = alch_catalog_type(b->catalog, column->type);
  if (binding_is(L, 2, "name")) lua_pushstring(L, column->name);
  else if (binding_is(L, 2, "key")) lua_pushstring(L, column->key);
  else if (binding_is(L, 2, "table")) binding_push_table(L, b, column->table);
  else if (binding_is(L, 2, "primary_key")) lua_pushboolean(L, column->primary_key);
  else if (binding_is(L, 2, "nullable")) lua_pushboolean(L, column->nullable);
  else if (binding_is(L, 2, "unique")) lua_pushboolean(L, column->unique);
  else if (binding_is(L, 2, "index")) lua_pushboolean(L, column->indexed);
  else if (binding_is(L, 2, "comment")) lua_pushstring(L, column->comment);
  else if (binding_is(L, 2, "autoincrement")) return autoincrement(L, column);
  else if (binding_is(L, 2, "default")) push_default(L, b, &column->insert_default, type);
  else if (binding_is(L, 2, "onupdate")) push_default(L, b, &column->update_default, type);
  else if (binding_is(L, 2, "server_default")) push_default(L, b, &column->server_default, NULL);
  else if (binding_is(L, 2, "server_onupdate")) push_default(L, b, &column->server_onupdate, NULL);
  else return 0;
  return 1;
}
