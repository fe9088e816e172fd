/* words.c - SQL that a user puts into a statement at given places: prefixes, suffixes, hints. */
#include "lua/expression.h"
#include <string.h>

/* A WORDS node in the place of the text at index. source: of a hint, 0: of the statement; dialect: for it alone, or NULL. */
static void words_in_slot(lua_State *L, binding *b, int index, uint32_t source, const char *dialect, const char *method) {
  size_t length;
  const char *text = binding_text(L, b, index, &length, "SQL as a string", method);
  alch_builder_start(&b->builder);
  alch_builder_open_text(&b->builder, ALCH_NODE_WORDS, 0, source, 0, text, length);
  if (dialect) alch_builder_leaf_text(&b->builder, ALCH_NODE_LITERAL, 0, 0, 0, dialect, strlen(dialect));
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_EXPRESSION);
  lua_replace(L, index);
}

/* "*" means all of them, as does nothing. */
static const char *check_dialect(lua_State *L, binding *b, int index, const char *method) {
  if (lua_isnoneornil(L, index)) return NULL;
  const char *name = binding_text(L, b, index, NULL, "a dialect's name", method);
  if (strcmp(name, "*") == 0) return NULL;
  if (!alch_dialect_find(name)) {
    alch_error_kind kind = ALCH_ERROR_ARGUMENT;
    size_t count = 0;
    while (alch_dialect_names()[count]) count++;
    const char *nearest = alch_nearest(name, alch_dialect_names(), count);
    binding_error(L, b, kind, nearest ? "there is no dialect '%s'; the nearest is '%s'" : "there is no dialect '%s'", name, nearest);
  }
  return name;
}

/* The texts of slots 2 .. as WORDS in their places; a last table { dialect = } says for whom. How many there are. */
uint32_t binding_words(lua_State *L, binding *b, const char *method) {
  static const binding_option known[] = { { "dialect", LUA_TSTRING }, { NULL, 0 } };
  const char *dialect = NULL;
  int top = lua_gettop(L);
  if (top >= 2 && lua_istable(L, top)) {
    binding_only_options(L, b, top, known, method);
    lua_getfield(L, top, "dialect");
    dialect = check_dialect(L, b, -1, method);
    top--;
  }
  if (top < 2) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s needs SQL as a string", method);
  for (int i = 2; i <= top; i++) words_in_slot(L, b, i, 0, dialect, method);
  return (uint32_t)top - 1;
}

static const alch_block *check_statement(lua_State *L, binding *b, const char *method) {
  const alch_block *statement = binding_check(L, b, 1, BINDING_STATEMENT);
  if (alch_block_root(statement)->kind == ALCH_NODE_TEXT) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s is no method of text; write the words into it", method);
  return statement;
}

static int add_words(lua_State *L, alch_node_kind clause, const char *method) {
  binding *b = BINDING(L);
  const alch_block *statement = check_statement(L, b, method);
  return binding_add_clause(L, b, statement, clause, 0, 2, binding_words(L, b, method), false);
}

/* prefix_with(sql, … [, { dialect = }]): words behind SELECT, INSERT, UPDATE, DELETE */
static int words_prefix(lua_State *L) { return add_words(L, ALCH_NODE_PREFIXES, "prefix_with"); }
/* suffix_with(sql, … [, { dialect = }]): words at the end */
static int words_suffix(lua_State *L) { return add_words(L, ALCH_NODE_SUFFIXES, "suffix_with"); }

/* with_statement_hint(sql [, dialect]): a hint for the whole statement */
static int words_statement_hint(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = check_statement(L, b, "with_statement_hint");
  words_in_slot(L, b, 2, 0, check_dialect(L, b, 3, "with_statement_hint"), "with_statement_hint");
  return binding_add_clause(L, b, statement, ALCH_NODE_HINTS, 0, 2, 1, false);
}

/* with_hint(table, sql [, dialect]): a hint for one source; of an UPDATE or DELETE its own table when there is none. %(name)s stands for the source's name. */
static int words_hint(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = check_statement(L, b, "with_hint");
  if (lua_type(L, 2) == LUA_TSTRING) { lua_pushnil(L); lua_insert(L, 2); }
  lua_settop(L, 4);
  uint32_t source = binding_leading_source(statement);
  if (!lua_isnil(L, 2)) {
    const alch_node *root = alch_block_root(binding_push_from(L, b, 2, "with_hint"));
    if (root->kind == ALCH_NODE_JOIN) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "a join has no hint; name one of its sides");
    source = root->a;
  }
  const char *dialect = check_dialect(L, b, 4, "with_hint");
  lua_pushvalue(L, 3);
  int slot = lua_gettop(L);
  words_in_slot(L, b, slot, source, dialect, "with_hint");
  return binding_add_clause(L, b, statement, ALCH_NODE_HINTS, 0, slot, 1, false);
}

/* LIMIT of an UPDATE or DELETE, for one dialect: part of the text, since SQLAlchemy has it so. */
static void limit_in_slot(lua_State *L, binding *b, int index, const char *dialect, const char *name) {
  char words[32];
  lua_Integer count = lua_tointeger(L, index);
  if (lua_type(L, index) != LUA_TNUMBER || count < 0) binding_error(L, b, ALCH_ERROR_ARGUMENT, "option '%s' of with_dialect_options must be a whole number, not %s", name, luaL_typename(L, index));
  snprintf(words, sizeof words, "LIMIT %lld", (long long)count);
  lua_pushstring(L, words);
  lua_replace(L, index);
  words_in_slot(L, b, index, 0, dialect, "with_dialect_options");
}

static const alch_block *check_writing_options(lua_State *L, binding *b, const char *method) {
  const alch_block *statement = check_statement(L, b, method);
  uint8_t kind = alch_block_root(statement)->kind;
  if (kind != ALCH_NODE_UPDATE && kind != ALCH_NODE_DELETE) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s is a method of update and delete", method);
  if (!lua_istable(L, 2)) binding_expected(L, b, 2, "a table of options", method);
  lua_settop(L, 2);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1))
    binding_must(L, b, alch_option_check(ALCH_SCOPE_WRITING, lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "", method, &b->error));
  return statement;
}

/* with_dialect_options{ <dialect>_limit = n }: what an UPDATE or DELETE has for one database alone. */
static int words_dialect_options(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = check_writing_options(L, b, "with_dialect_options");
  uint32_t count = 0;
  for (const char *const *dialect = alch_dialect_names(); *dialect; dialect++) {
    char name[64];
    snprintf(name, sizeof name, "%s_limit", *dialect);
    if (lua_getfield(L, 2, name) == LUA_TNIL) { lua_pop(L, 1); continue; }
    limit_in_slot(L, b, lua_gettop(L), *dialect, name);
    count++;
  }
  return binding_add_clause(L, b, statement, ALCH_NODE_SUFFIXES, 0, 3, count, false);
}

void binding_open_words(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "prefix_with", words_prefix }, { "suffix_with", words_suffix }, { "with_hint", words_hint }, { "with_statement_hint", words_statement_hint },
    { "with_dialect_options", words_dialect_options }, { NULL, NULL },
  };
  binding_kind_methods(L, b, BINDING_STATEMENT, methods);
}
