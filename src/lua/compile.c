/* compile.c - statements as text: tostring(stmt), stmt:compile{ dialect =, literal_binds = }; CREATE and DROP as text. */
#include "lua/expression.h"
#include <string.h>

/* A statement to be looked at: a selectable shows what it is made of, an INSERT or UPDATE without values all columns. The block is pushed. */
static const alch_block *block_to_show(lua_State *L, binding *b, int index) {
  const alch_block *block = binding_block(L, b, index);
  if (!block) binding_expected(L, b, index, "a statement or an expression", "compile");
  lua_pushvalue(L, index);
  const alch_node *root = alch_block_root(block);
  if (root->kind != ALCH_NODE_TABLE && root->kind != ALCH_NODE_SOURCE && root->kind != ALCH_NODE_JOIN) return block;
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&b->builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_leaf(&b->builder, ALCH_NODE_STAR, 0, 0, 0);
  alch_builder_close(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_FROM, 0, 0, 0);
  alch_builder_block(&b->builder, block);
  alch_builder_close(&b->builder);
  alch_builder_close(&b->builder);
  return binding_push_block(L, b, BINDING_STATEMENT);
}

static void name_all_columns(lua_State *L, binding *b, const alch_node *root, alch_compile_options *options) {
  bool insert = root->kind == ALCH_NODE_INSERT && !alch_node_clause(root, ALCH_NODE_INTO);
  bool update = root->kind == ALCH_NODE_UPDATE && !alch_node_clause(root, ALCH_NODE_SET);
  if (!insert && !update) return;
  const alch_table *table = alch_catalog_table(b->catalog, root->a);
  const char **names = lua_newuserdatauv(L, (table->column_count + 1) * sizeof *names, 0);
  for (uint32_t i = 0; i < table->column_count; i++) names[i] = table->columns[i]->key;
  options->parameter_names = (const char *const *)names;
  options->parameter_count = table->column_count;
}

/* ---- parameters ---- */

static void push_param(lua_State *L, binding *b, const alch_value *value, const alch_type *type) {
  alch_type plain = *type;
  plain.host = 0;   /* as it goes to the database, not as it comes back */
  if (value->kind == ALCH_NULL) binding_push_null(L);
  else if (type->family == ALCH_TYPE_JSON) lua_pushlstring(L, value->text, value->length);
  else binding_push_value(L, b, value, &plain);
}

/* The records of the block's value area as pairs of cursors, found again for each slot: this is for people, not for speed. */
static bool nth_record(const alch_block *block, uint32_t ordinal, alch_value_cursor *cursor) {
  *cursor = alch_block_value_cursor(block);
  for (uint32_t i = 0; i < ordinal; i++) alch_value_cursor_skip(cursor);
  return cursor->next < cursor->end;
}

/* Pushes the slot's value, a list for an expanding one, and answers how many items it has. */
static uint32_t push_slot(lua_State *L, binding *b, const alch_dialect *dialect, const alch_slot *slot, const alch_block *block) {
  alch_value_cursor cursor;
  alch_value value;
  if (slot->ordinal == UINT32_MAX || !nth_record(block, slot->ordinal, &cursor) || !alch_value_cursor_next(&cursor, &value)) {
    binding_push_null(L);
    return 1;
  }
  /* A path into a JSON value is shown as the database gets it: its other form is nobody's. */
  if (slot->converts && (slot->type->family == ALCH_TYPE_JSON_INDEX || slot->type->family == ALCH_TYPE_JSON_PATH)) {
    alch_buffer_clear(&b->scratch);
    binding_must(L, b, dialect->to_database(slot->type, &value, &b->scratch, &b->error));
  }
  if (value.kind != ALCH_LIST) { push_param(L, b, &value, slot->type); return 1; }
  uint32_t count = (uint32_t)value.integer;
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count && alch_value_cursor_next(&cursor, &value); i++) {
    push_param(L, b, &value, slot->type);
    lua_rawseti(L, -2, i + 1);
  }
  return count;
}

/* ---- what the text depends on: pieces of the words that alch_compiled_expand wants, as strings in a table ---- */

static void add_piece(lua_State *L, int pieces, const void *bytes, size_t length) {
  lua_pushlstring(L, bytes, length);
  lua_rawseti(L, pieces, (lua_Integer)lua_rawlen(L, pieces) + 1);
}

/* A value that the text carries. */
static void add_literal(lua_State *L, binding *b, const alch_compiled *compiled, const alch_slot *slot, const alch_block *block, int pieces) {
  alch_value_cursor cursor;
  alch_value value = ALCH_VALUE_NULL, *items = NULL;
  if (slot->ordinal != UINT32_MAX && nth_record(block, slot->ordinal, &cursor)) alch_value_cursor_next(&cursor, &value);
  if (value.kind == ALCH_LIST) {
    items = lua_newuserdatauv(L, ((size_t)value.integer + 1) * sizeof *items, 0);
    for (int64_t i = 0; i < value.integer && alch_value_cursor_next(&cursor, &items[i]);) i++;
  }
  alch_buffer_clear(&b->scratch);
  binding_must(L, b, alch_literal_text(compiled->dialect, slot, &value, items, &b->scratch, &b->error));
  uint32_t size = alch_literal_words(b->scratch.length), *words = lua_newuserdatauv(L, size * sizeof *words, 0);
  alch_literal_write(words, alch_buffer_text(&b->scratch), b->scratch.length);
  add_piece(L, pieces, words, size * sizeof *words);
  lua_pop(L, items ? 2 : 1);
}

/* The pieces in one, in memory on the stack. */
static const uint32_t *push_words(lua_State *L, int pieces) {
  size_t size = 0, count = lua_rawlen(L, pieces), length;
  for (size_t i = 1; i <= count; i++) { lua_rawgeti(L, pieces, (lua_Integer)i); size += lua_rawlen(L, -1); lua_pop(L, 1); }
  char *words = lua_newuserdatauv(L, size + sizeof(uint32_t), 0), *next = words;
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, pieces, (lua_Integer)i);
    const char *piece = lua_tolstring(L, -1, &length);
    memcpy(next, piece, length);
    next += length;
    lua_pop(L, 1);
  }
  return (const uint32_t *)(void *)words;
}

/* The list of parameters on the stack: by place, and by name where placeholders have names. */
static void push_params(lua_State *L, binding *b, const alch_compiled *compiled, const alch_block *block, int pieces) {
  lua_createtable(L, (int)compiled->slot_count, 0);
  lua_Integer place = 0;
  for (uint32_t i = 0; i < compiled->slot_count; i++) {
    const alch_slot *slot = &compiled->slots[i];
    if (slot->kind == ALCH_SLOT_LITERAL) { add_literal(L, b, compiled, slot, block, pieces); continue; }
    uint32_t count = push_slot(L, b, compiled->dialect, slot, block);
    if (slot->label || slot->name) {
      lua_pushvalue(L, -1);
      lua_setfield(L, -3, slot->label ? slot->label : slot->name);
    }
    if (slot->kind != ALCH_SLOT_EXPANDING) { lua_rawseti(L, -2, ++place); continue; }
    add_piece(L, pieces, &count, sizeof count);
    for (uint32_t item = 1; item <= count; item++) {
      lua_rawgeti(L, -1, item);
      lua_rawseti(L, -3, ++place);
    }
    lua_pop(L, 1);
  }
}

/* ---- compiling ---- */

/* A compiled statement on its way through Lua calls that may raise: the userdata on the stack lets it go. */
alch_compiled **binding_push_compiled(lua_State *L, binding *b) {
  alch_compiled **compiled = binding_new(L, b, BINDING_COMPILED, sizeof *compiled, 0);
  *compiled = NULL;
  return compiled;
}

static int compiled_gc(lua_State *L) {
  alch_compiled **compiled = lua_touserdata(L, 1), *held = *compiled;
  *compiled = NULL;
  alch_compiled_release(held);
  return 0;
}

/* Its text; a list has one placeholder. */
static int compiled_tostring(lua_State *L) {
  const alch_compiled *compiled = *(alch_compiled **)binding_check(L, BINDING(L), 1, BINDING_COMPILED);
  lua_pushlstring(L, compiled->sql, compiled->sql_length);
  return 1;
}

static int compiled_property(lua_State *L) { return binding_is(L, 2, "sql") ? compiled_tostring(L) : 0; }

static void push_sql(lua_State *L, binding *b, const alch_compiled *compiled, const uint32_t *counts) {
  alch_buffer_clear(&b->scratch);
  binding_must(L, b, alch_compiled_expand(compiled, counts, &b->scratch, &b->error));
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
}

/* Pushes SQL and parameters of the block at index. */
static void compile(lua_State *L, binding *b, int index, const alch_dialect *dialect, bool literal_binds) {
  const alch_block *block = block_to_show(L, b, index);
  alch_compile_options options = { .literal_binds = literal_binds };
  name_all_columns(L, b, alch_block_root(block), &options);
  alch_compiled **compiled = binding_push_compiled(L, b);
  binding_enter(L, b);
  binding_must(L, b, alch_compile(b->catalog, dialect, block, &options, &b->allocator, compiled, &b->error));
  if (!(*compiled)->expands) {
    lua_pushlstring(L, (*compiled)->sql, (*compiled)->sql_length);
    push_params(L, b, *compiled, block, 0);
    return;
  }
  lua_newtable(L);
  int pieces = lua_gettop(L);
  push_params(L, b, *compiled, block, pieces);
  push_sql(L, b, *compiled, push_words(L, pieces));
  lua_remove(L, -2);
  lua_insert(L, -2);
}

/* compile{ dialect = "sqlite", version = "3.40", literal_binds = true }: an object with sql and params; tostring gives sql. */
static int statement_compile(lua_State *L) {
  static const binding_option known[] = { { "dialect", LUA_TNONE }, { "version", LUA_TSTRING }, { "literal_binds", LUA_TBOOLEAN }, { NULL, 0 } };
  binding *b = BINDING(L);
  bool literal_binds = false;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    binding_only_options(L, b, 2, known, "compile");
    lua_getfield(L, 2, "literal_binds");
    literal_binds = lua_toboolean(L, -1);
  }
  const alch_dialect *found = binding_options_dialect(L, b, 2);
  compile(L, b, 1, found, literal_binds);
  lua_createtable(L, 0, 3);
  lua_insert(L, -3);
  lua_setfield(L, -3, "params");
  lua_setfield(L, -2, "sql");
  lua_pushstring(L, found->name);
  lua_setfield(L, -2, "dialect");
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->sql_metatable);
  lua_setmetatable(L, -2);
  return 1;
}

static int statement_show(lua_State *L) {
  binding *b = BINDING(L);
  compile(L, b, 1, binding_named_dialect(L, b, "default", NULL), false);
  lua_pop(L, 1);
  return 1;
}

/* What has no text yet (a select whose tables are all those of another one) prints the reason: who prints is looking for a mistake. */
static int statement_tostring(lua_State *L) {
  binding *b = BINDING(L);
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushcclosure(L, statement_show, 1);
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return 1;
  if (!binding_is_error(L, b, -1)) return lua_error(L);
  lua_getfield(L, -1, "message");
  lua_pushfstring(L, "<%s: %s>", alch_node_kind_name(alch_block_root(binding_block(L, b, 1))->kind), lua_tostring(L, -1));
  return 1;
}

/* print_compiled(statement [, dialect]): its text, its slots and its columns, one a line. */
static int compile_print(lua_State *L) {
  binding *b = BINDING(L);
  const alch_dialect *dialect = binding_named_dialect(L, b, luaL_optstring(L, 2, "default"), NULL);
  const alch_block *block = block_to_show(L, b, 1);
  alch_compile_options options = { .literal_binds = false };
  name_all_columns(L, b, alch_block_root(block), &options);
  alch_compiled **compiled = binding_push_compiled(L, b);
  binding_must(L, b, alch_compile(b->catalog, dialect, block, &options, &b->allocator, compiled, &b->error));
  alch_buffer_clear(&b->scratch);
  alch_compiled_print(*compiled, &b->scratch);
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
  return 1;
}

static int sql_tostring(lua_State *L) {
  lua_getfield(L, 1, "sql");
  return 1;
}

/* ---- identifiers, dialects ---- */

/* quote_identifier(name [, dialect]) */
static int compile_quote(lua_State *L) {
  binding *b = BINDING(L);
  const alch_dialect *dialect = binding_named_dialect(L, b, luaL_optstring(L, 2, "default"), NULL);
  alch_buffer_clear(&b->scratch);
  alch_quote_identifier(dialect, luaL_checkstring(L, 1), 0, &b->scratch);
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
  return 1;
}

/* dialects(): their names. */
static int compile_dialects(lua_State *L) {
  lua_newtable(L);
  for (lua_Integer i = 0; alch_dialect_names()[i]; i++) {
    lua_pushstring(L, alch_dialect_names()[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

void binding_open_compile(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "compile", statement_compile }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "print_compiled", compile_print }, { "quote_identifier", compile_quote }, { "dialects", compile_dialects }, { NULL, NULL } };
  static const luaL_Reg compiled_metamethods[] = { { "__gc", compiled_gc }, { "__tostring", compiled_tostring }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_COMPILED, "compiled statement", NULL, compiled_metamethods);
  binding_kind_properties(L, b, BINDING_COMPILED, compiled_property);
  for (int kind = BINDING_EXPRESSION; kind <= BINDING_SELECTABLE; kind++) {
    binding_kind_methods(L, b, (binding_kind)kind, methods);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[kind]);
    lua_rawgetp(L, LUA_REGISTRYINDEX, b);
    lua_pushcclosure(L, statement_tostring, 1);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
  }
  lua_newtable(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushcclosure(L, sql_tostring, 1);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "compiled statement");
  lua_setfield(L, -2, "__name");
  b->sql_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
