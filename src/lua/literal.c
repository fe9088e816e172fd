/* literal.c - values and text as expressions: la.literal, la.bindparam, la.text …; and what expressions answer when asked. */
#include "lua/schema.h"
#include "lua/expression.h"
#include <string.h>

static int push_built(lua_State *L, binding *b, binding_kind kind) {
  binding_push_block(L, b, kind);
  return 1;
}

static alch_type_id optional_type(lua_State *L, binding *b, int index, const char *where) {
  return lua_isnoneornil(L, index) ? 0 : binding_check_type(L, b, index, where);
}

/* literal(value [, type]): a bound value */
static int literal_literal(lua_State *L) {
  binding *b = BINDING(L);
  alch_type_id type = optional_type(L, b, 2, "literal");
  alch_operand operand;
  binding_operand(L, b, 1, type, false, &operand);
  binding_must(L, b, alch_expression_literal(&b->builder, b->catalog, &operand, type, &b->error));
  return push_built(L, b, BINDING_EXPRESSION);
}

/* literal_column(text [, type]): SQL as written */
static int literal_column(lua_State *L) {
  binding *b = BINDING(L);
  size_t length;
  const char *text = binding_text(L, b, 1, &length, "SQL as a string", "literal_column");
  alch_type_id type = optional_type(L, b, 2, "literal_column");
  alch_builder_start(&b->builder);
  alch_builder_leaf_text(&b->builder, ALCH_NODE_LITERAL, 0, type, 0, text, length);
  return push_built(L, b, BINDING_EXPRESSION);
}

/* ---- bind parameters ---- */

typedef struct bind { const char *name; alch_type_id type; uint8_t bits; alch_operand operand; bool unique; } bind;

static void put_bind(binding *b, const bind *one) {
  alch_builder_bind(&b->builder, one->type, one->bits, one->name, &one->operand.value, one->operand.items);
}

static void bind_options(lua_State *L, binding *b, int index, bool has_value, bind *out) {
  static const binding_option known[] = { { "type_", LUA_TUSERDATA }, { "required", LUA_TBOOLEAN }, { "expanding", LUA_TBOOLEAN }, { "literal_execute", LUA_TBOOLEAN }, { "unique", LUA_TBOOLEAN }, { "value", LUA_TNONE }, { NULL, 0 } };
  bool required = !has_value;
  if (lua_istable(L, index)) {
    binding_options(L, b, index, known, "bindparam");
    lua_getfield(L, index, "type_");
    if (!lua_isnil(L, -1)) out->type = binding_check_type(L, b, -1, "bindparam");
    if (lua_getfield(L, index, "required") != LUA_TNIL) required = lua_toboolean(L, -1);
    lua_getfield(L, index, "expanding");
    if (lua_toboolean(L, -1)) out->bits |= ALCH_BIND_EXPANDING;
    lua_getfield(L, index, "literal_execute");
    if (lua_toboolean(L, -1)) out->bits |= ALCH_BIND_LITERAL;
    lua_getfield(L, index, "unique");
    out->unique = lua_toboolean(L, -1);
    lua_pop(L, 5);
  }
  if (required) out->bits |= ALCH_BIND_REQUIRED;
}

/* bindparam(name [, value [, { type_ =, required =, expanding =, literal_execute =, unique = }]]), or bindparam(name, { options }) with value among them. */
static int literal_bindparam(lua_State *L) {
  binding *b = BINDING(L);
  bind one = { .bits = ALCH_BIND_NAMED };
  one.name = binding_text(L, b, 1, NULL, "a name", "bindparam");
  lua_settop(L, 3);
  if (lua_isnil(L, 3) && lua_istable(L, 2) && lua_rawlen(L, 2) == 0) {
    lua_getfield(L, 2, "value");
    lua_insert(L, 2);
    lua_settop(L, 3);
  }
  bind_options(L, b, 3, !lua_isnil(L, 2), &one);
  if (one.bits & ALCH_BIND_EXPANDING && !lua_isnil(L, 2)) binding_list_operand(L, b, 2, one.type, &one.operand);
  else binding_operand(L, b, 2, one.type, false, &one.operand);
  if (one.operand.block) return binding_expected(L, b, 2, "a plain value", "bindparam");
  /* A name of its own, which no execution can give a value to, is no name. */
  if (one.unique) one.bits &= (uint8_t)~(ALCH_BIND_NAMED | ALCH_BIND_REQUIRED), one.name = NULL;
  if (one.bits & ALCH_BIND_EXPANDING && one.operand.value.kind != ALCH_LIST) one.operand.value = (alch_value){ .kind = ALCH_LIST };
  if (one.type == 0 && one.operand.value.kind != ALCH_LIST) one.type = alch_value_type(one.operand.value.kind);
  alch_builder_start(&b->builder);
  put_bind(b, &one);
  return push_built(L, b, BINDING_EXPRESSION);
}

/* ---- constants ---- */

static int push_leaf(lua_State *L, alch_node_kind kind) {
  binding *b = BINDING(L);
  alch_builder_start(&b->builder);
  alch_builder_leaf(&b->builder, (uint8_t)kind, 0, 0, 0);
  return push_built(L, b, BINDING_EXPRESSION);
}

static int literal_true(lua_State *L) { return push_leaf(L, ALCH_NODE_TRUE); }
static int literal_false(lua_State *L) { return push_leaf(L, ALCH_NODE_FALSE); }
static int literal_default(lua_State *L) { return push_leaf(L, ALCH_NODE_DEFAULT); }

/* ---- text ---- */

static int push_text(lua_State *L, alch_text_reading reading) {
  binding *b = BINDING(L);
  size_t length;
  const char *text = binding_text(L, b, 1, &length, "SQL as a string", "text");
  if (memchr(text, 0, length)) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "SQL text cannot hold a zero byte");
  alch_builder_start(&b->builder);
  alch_builder_leaf_text(&b->builder, ALCH_NODE_TEXT, (uint8_t)reading, 0, 0, text, length);
  return push_built(L, b, BINDING_STATEMENT);
}

/* text(sql): a statement, or a part of one; :name is a parameter, \: a colon. plain_text(sql): a statement that goes as it stands. */
static int literal_text(lua_State *L) { return push_text(L, ALCH_TEXT_NAMED); }
static int literal_plain_text(lua_State *L) { return push_text(L, ALCH_TEXT_PLAIN); }

/* Is the bind's name a key of the table at index? */
static bool is_replaced(lua_State *L, int index, const alch_node *node) {
  lua_pushlstring(L, alch_node_text(node), node->length);
  bool found = lua_rawget(L, index) != LUA_TNIL;
  lua_pop(L, 1);
  return found;
}

/* The names of the table at index, sorted, as a list on the stack: structures are not to depend on the order of a hash. */
static uint32_t push_sorted_names(lua_State *L, binding *b, int index) {
  lua_newtable(L);
  lua_Integer count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) binding_expected(L, b, -1, "names as keys", "bindparams");
    lua_pushvalue(L, -1);
    lua_Integer place = ++count;
    for (; place > 1; place--) {
      lua_rawgeti(L, -3, place - 1);
      bool before = strcmp(lua_tostring(L, -1), lua_tostring(L, -2)) <= 0;
      if (before) { lua_pop(L, 1); break; }
      lua_rawseti(L, -4, place);
    }
    lua_rawseti(L, -3, place);
  }
  return (uint32_t)count;
}

static const alch_node *bind_of(lua_State *L, binding *b, int index) {
  const alch_block *block = binding_test(L, b, index, BINDING_EXPRESSION);
  return block && alch_block_root(block)->kind == ALCH_NODE_BIND ? alch_block_root(block) : NULL;
}

/* bindparams(la.bindparam("a", …), …) becomes bindparams{ a = …, … }. */
static void gather_bindparams(lua_State *L, binding *b) {
  int count = lua_gettop(L);
  lua_createtable(L, 0, count);
  for (int i = 2; i <= count; i++) {
    const alch_node *bind = bind_of(L, b, i);
    if (!bind || bind->length == 0) binding_expected(L, b, i, "a table { name = value } or la.bindparam(…)", "bindparams");
    lua_pushlstring(L, alch_node_text(bind), bind->length);
    lua_pushvalue(L, i);
    lua_rawset(L, -3);
  }
  lua_replace(L, 2);
  lua_settop(L, 2);
}

/* The value of `name` at index: a plain one, or a bindparam of that name. */
static void bindparams_operand(lua_State *L, binding *b, int index, const char *name, alch_operand *out) {
  const alch_node *bind = bind_of(L, b, index);
  binding_operand(L, b, index, 0, false, out);
  if (out->block && (!bind || bind->length != strlen(name) || memcmp(alch_node_text(bind), name, bind->length) != 0)) binding_expected(L, b, index, "a plain value or a la.bindparam of the same name", "bindparams");
}

/* A name that the text does not have is a mistake; one that it has in quotes alone passes. */
static void check_bindparams(lua_State *L, binding *b, const alch_node *text, int names, uint32_t count) {
  lua_pushlstring(L, alch_node_text(text), text->length);
  const char *sql = lua_tostring(L, -1);
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, names, i + 1);
    const char *name = lua_tostring(L, -1);
    if (!strstr(sql, lua_pushfstring(L, ":%s", name))) binding_error(L, b, ALCH_ERROR_ARGUMENT, "the text has no parameter ':%s': %s", name, sql);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

/* text:bindparams{ name = value, … }, text:bindparams(la.bindparam(name, …), …): the values and types that hold when the execution gives none. */
int binding_text_bindparams(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *text = binding_block(L, b, 1);
  if (!text || alch_block_root(text)->kind != ALCH_NODE_TEXT) return binding_expected(L, b, 1, "la.text(…)", "bindparams");
  if (lua_istable(L, 2)) lua_settop(L, 2);
  else gather_bindparams(L, b);
  uint32_t count = push_sorted_names(L, b, 2);
  int names = lua_gettop(L), first = names + 1;
  check_bindparams(L, b, alch_block_root(text), names, count);
  luaL_checkstack(L, (int)count + 8, "too many parameters");
  for (uint32_t i = 0; i < count; i++) { lua_rawgeti(L, names, i + 1); lua_rawget(L, 2); }
  alch_operand *operands = lua_newuserdatauv(L, (count + 1) * sizeof *operands, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, names, i + 1);
    bindparams_operand(L, b, first + (int)i, lua_tostring(L, -1), &operands[i]);
    lua_pop(L, 1);
  }
  const alch_node *root = alch_block_root(text), *end = alch_node_next(root);
  alch_builder_start(&b->builder);
  alch_builder_open_text(&b->builder, ALCH_NODE_TEXT, root->op, root->a, 0, alch_node_text(root), root->length);
  alch_reader reader = alch_reader_at_root(text);
  alch_reader_enter(&reader);
  while (reader.node < end) {
    if (is_replaced(L, 2, reader.node)) alch_reader_skip(&reader);
    else alch_builder_copy(&b->builder, &reader);
  }
  for (uint32_t i = 0; i < count; i++) {
    if (operands[i].block) { alch_builder_block(&b->builder, operands[i].block); continue; }
    lua_rawgeti(L, names, i + 1);
    put_bind(b, &(bind){ .name = lua_tostring(L, -1), .type = alch_value_type(operands[i].value.kind), .bits = ALCH_BIND_NAMED, .operand = operands[i] });
    lua_pop(L, 1);
  }
  alch_builder_close(&b->builder);
  return push_built(L, b, BINDING_STATEMENT);
}

/* ---- what an expression answers ---- */

static void push_output_name(lua_State *L, const alch_output *output) {
  lua_pushlstring(L, output->name, output->name_length);
  if (output->number == 0) return;
  lua_pushfstring(L, "_%d", (int)output->number);
  lua_concat(L, 2);
}

static int push_source(lua_State *L, binding *b, const alch_block *block, uint32_t source) {
  alch_table *table = source & ALCH_ANONYMOUS ? NULL : alch_catalog_table(b->catalog, source);
  if (table) { binding_push_table(L, b, table); return 1; }
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, block);
  alch_builder_leaf(&b->builder, ALCH_NODE_SOURCE, 0, source, 0);
  return push_built(L, b, BINDING_SELECTABLE);
}

/* A column of an alias or subquery. */
static int source_column_property(lua_State *L, binding *b, const alch_block *block, const alch_node *node) {
  alch_output output;
  if (binding_is(L, 2, "table")) return push_source(L, b, block, node->a);
  if (!binding_is(L, 2, "name") && !binding_is(L, 2, "key")) return 0;
  if (!alch_source_output(b->catalog, block, node->a, node->b, &output)) return 0;
  if (binding_is(L, 2, "key") && output.column && alch_source_table(b->catalog, block, node->a)) lua_pushstring(L, output.column->key);
  else push_output_name(L, &output);
  return 1;
}

/* An operator that a custom type brings along: expr:name(other) calls its function. */
static bool type_operator(lua_State *L, binding *b, const alch_block *block, const alch_node *root) {
  const alch_type *type = alch_catalog_type(b->catalog, alch_node_type(b->catalog, block, root));
  if (type->host == 0) return false;
  int top = lua_gettop(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->host);
  lua_getfield(L, -1, "operators");
  if (lua_istable(L, -1)) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return true;
  }
  lua_settop(L, top);
  return false;
}

int binding_expression_property(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *block = lua_touserdata(L, 1);
  const alch_node *root = alch_block_root(block);
  if (binding_is(L, 2, "type")) {
    binding_push_type(L, b, alch_node_type(b->catalog, block, root));
    return 1;
  }
  if (type_operator(L, b, block, root)) return 1;
  if (root->kind == ALCH_NODE_COLUMN && root->a & ALCH_ANONYMOUS) return source_column_property(L, b, block, root);
  if (root->kind == ALCH_NODE_COLUMN) return binding_column_property(L, b, alch_catalog_table(b->catalog, root->a)->columns[root->b]);
  if (root->kind == ALCH_NODE_ENTITY && binding_is(L, 2, "table")) return push_source(L, b, block, root->a);
  if ((root->kind == ALCH_NODE_LABEL || root->kind == ALCH_NODE_BIND || root->kind == ALCH_NODE_NAME) && (binding_is(L, 2, "name") || binding_is(L, 2, "key"))) {
    lua_pushlstring(L, alch_node_text(root), root->length);
    return 1;
  }
  return 0;
}

void binding_open_literal(lua_State *L, binding *b) {
  static const luaL_Reg functions[] = {
    { "literal", literal_literal }, { "literal_column", literal_column }, { "bindparam", literal_bindparam }, { "true_", literal_true }, { "false_", literal_false },
    { "default_", literal_default }, { "text", literal_text }, { "plain_text", literal_plain_text }, { NULL, NULL },
  };
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
