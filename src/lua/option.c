/* option.c - dialect options of schema records, out of Lua values; what is known of their names. */
#include "lua/schema.h"
#include <stdlib.h>
#include <string.h>

static const struct { const char *name; uint16_t scope; } scopes[] = {
  { "table", ALCH_SCOPE_TABLE },   { "column", ALCH_SCOPE_COLUMN },           { "index", ALCH_SCOPE_INDEX }, { "primary_key", ALCH_SCOPE_PRIMARY_KEY },
  { "unique", ALCH_SCOPE_UNIQUE }, { "foreign_key", ALCH_SCOPE_FOREIGN_KEY }, { "check", ALCH_SCOPE_CHECK }, { "exclude", ALCH_SCOPE_EXCLUDE },
  { "sequence", ALCH_SCOPE_SEQUENCE }, { "view", ALCH_SCOPE_VIEW },
};

static uint16_t check_scope(lua_State *L, int index) {
  const char *name = luaL_checkstring(L, index);
  for (size_t i = 0; i < ALCH_COUNT(scopes); i++)
    if (strcmp(scopes[i].name, name) == 0) return scopes[i].scope;
  luaL_error(L, "there is no scope of options '%s'", name);
  return 0;
}

/* check_option(scope, name, where): raises for a name that no dialect has. */
int binding_check_option(lua_State *L) {
  binding *b = BINDING(L);
  binding_must(L, b, alch_option_check(check_scope(L, 1), luaL_checkstring(L, 2), luaL_checkstring(L, 3), &b->error));
  return 0;
}

/* is_option(scope, name) */
int binding_is_option(lua_State *L) {
  binding *b = BINDING(L);
  bool known = alch_option_check(check_scope(L, 1), luaL_checkstring(L, 2), "", &b->error) == ALCH_OK;
  alch_error_close(&b->error);
  lua_pushboolean(L, known);
  return 1;
}

/* ---- values ---- */

/* Text, a number or a boolean; of a column its key. The value at index keeps the text. */
static alch_value item_value(lua_State *L, binding *b, int index, const char *name) {
  alch_value value = ALCH_VALUE_NULL;
  const alch_block *block = lua_type(L, index) == LUA_TUSERDATA ? binding_block(L, b, index) : NULL;
  const alch_node *root = block ? alch_block_root(block) : NULL;
  if (root && root->kind == ALCH_NODE_COLUMN && !(root->a & ALCH_ANONYMOUS)) {
    const char *key = alch_catalog_table(b->catalog, root->a)->columns[root->b]->key;
    return alch_value_text(key, strlen(key));
  }
  int type = lua_type(L, index);
  bool plain = type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
  if (!plain || !binding_value(L, b, index, &value)) binding_expected(L, b, index, "text, a number, a boolean or a column", name);
  return value;
}

static int by_name(const void *left, const void *right) {
  return strcmp(((const alch_option_item *)left)->name, ((const alch_option_item *)right)->name);
}

/* Items with names come in the order of their names, since Lua's tables have none. The table keeps the texts, a userdata on the stack the items. */
static void table_value(lua_State *L, binding *b, int index, const char *name, alch_option *out) {
  uint32_t count = 0, length = (uint32_t)lua_rawlen(L, index);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) count++;
  alch_option_item *items = lua_newuserdatauv(L, (count + 1) * sizeof *items, 0);
  out->kind = length > 0 || count == 0 ? ALCH_OPTION_LIST : ALCH_OPTION_MAP;
  out->items = items;
  for (uint32_t i = 1; i <= length; i++, lua_pop(L, 1)) {
    lua_rawgeti(L, index, i);
    items[out->count++] = (alch_option_item){ .value = item_value(L, b, lua_gettop(L), name) };
  }
  if (length > 0) return;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) binding_expected(L, b, lua_gettop(L) - 1, "names as keys", name);
    items[out->count++] = (alch_option_item){ .name = lua_tostring(L, -2), .value = item_value(L, b, lua_gettop(L), name) };
  }
  qsort(items, out->count, sizeof *items, by_name);
}

void binding_set_option(lua_State *L, binding *b, int index, const char *name, alch_options *options) {
  int top = lua_gettop(L);
  alch_option option = { .name = name };
  index = lua_absindex(L, index);
  luaL_checkstack(L, 16, "an option");
  if (lua_type(L, index) == LUA_TTABLE) table_value(L, b, index, name, &option);
  else if (lua_type(L, index) == LUA_TUSERDATA && binding_block(L, b, index)) {
    option.kind = ALCH_OPTION_EXPRESSION;
    option.block = binding_keep_expression(L, b, index, name);
  } else {
    option.value = item_value(L, b, index, name);
  }
  binding_must(L, b, alch_options_set(b->catalog, options, &option, &b->error));
  lua_settop(L, top);
}

static int compare_names(const void *left, const void *right) {
  return strcmp(*(const char *const *)left, *(const char *const *)right);
}

void binding_set_options(lua_State *L, binding *b, int definition, alch_options *options) {
  int top = lua_gettop(L);
  definition = lua_absindex(L, definition);
  if (lua_getfield(L, definition, "options") == LUA_TTABLE) {
    uint32_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, top + 1)) { count++; lua_pop(L, 1); }
    const char **names = lua_newuserdatauv(L, (count + 1) * sizeof *names, 0);
    count = 0;
    lua_pushnil(L);
    while (lua_next(L, top + 1)) { names[count++] = lua_tostring(L, -2); lua_pop(L, 1); }   /* the table keeps its keys */
    qsort(names, count, sizeof *names, compare_names);
    for (uint32_t i = 0; i < count; i++) {
      lua_getfield(L, top + 1, names[i]);
      binding_set_option(L, b, -1, names[i], options);
      lua_pop(L, 1);
    }
  }
  lua_settop(L, top);
}

/* condition = { dialects = { … }, callable = function } in the definition; the function is kept for good, as the record is. */
void binding_set_condition(lua_State *L, binding *b, int definition, alch_condition *out) {
  int top = lua_gettop(L);
  alch_condition condition = { NULL, 0, 0 };
  if (lua_getfield(L, definition, "condition") != LUA_TTABLE) { lua_settop(L, top); return; }
  int given = lua_gettop(L);
  if (lua_getfield(L, given, "dialects") == LUA_TTABLE) {
    int list = lua_gettop(L);
    condition.count = (uint32_t)lua_rawlen(L, list);
    const char **names = lua_newuserdatauv(L, (condition.count + 1) * sizeof *names, 0);
    for (uint32_t i = 0; i < condition.count; i++) {
      lua_rawgeti(L, list, i + 1);
      names[i] = luaL_checkstring(L, -1);
      lua_pop(L, 1);   /* the list keeps it */
    }
    condition.dialects = (const char *const *)names;
  }
  if (lua_getfield(L, given, "callable") == LUA_TFUNCTION) condition.host = luaL_ref(L, LUA_REGISTRYINDEX);
  binding_must(L, b, alch_condition_set(b->catalog, out, &condition, &b->error));
  lua_settop(L, top);
}
