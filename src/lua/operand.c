/* operand.c - what stands beside an operator, in a list, in a clause: blocks and plain values. */
#include "lua/expression.h"
#include <string.h>

/* ---- entities ---- */

/* An ENTITY of a table or of an alias takes the place of the thing itself in its slot. */
static const alch_block *entity_of(lua_State *L, binding *b, int index, uint32_t source, const alch_block *definitions) {
  alch_builder_start(&b->builder);
  if (definitions) alch_builder_definitions(&b->builder, definitions);
  alch_builder_leaf(&b->builder, ALCH_NODE_ENTITY, 0, source, 0);
  const alch_block *block = binding_push_block(L, b, BINDING_EXPRESSION);
  lua_replace(L, index);
  return block;
}

/* A table's ENTITY is made once: it is the table's second user value. */
static const alch_block *entity_of_table(lua_State *L, binding *b, int index) {
  const alch_table *table = *(alch_table **)lua_touserdata(L, index);
  if (lua_getiuservalue(L, index, 2) == LUA_TUSERDATA) {
    lua_replace(L, index);
    return lua_touserdata(L, index);
  }
  lua_pop(L, 1);
  lua_pushvalue(L, index);
  const alch_block *block = entity_of(L, b, index, table->id, NULL);
  lua_pushvalue(L, index);
  lua_setiuservalue(L, -2, 2);
  lua_pop(L, 1);
  return block;
}

static const alch_block *entity_of_selectable(lua_State *L, binding *b, int index, const alch_block *selectable) {
  const alch_node *root = alch_block_root(selectable);
  if (root->kind == ALCH_NODE_SOURCE) return entity_of(L, b, index, root->a, selectable);
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "a join is no column expression; name the columns or tables that are meant");
  return NULL;
}

/* The block at index, where tables and aliases count as all of their columns; NULL when it is no block. */
static const alch_block *operand_block(lua_State *L, binding *b, int index) {
  int type = lua_type(L, index);
  if (type == LUA_TTABLE) return binding_block(L, b, index);
  if (type != LUA_TUSERDATA || !lua_getmetatable(L, index)) return NULL;
  const void *metatable = lua_topointer(L, -1), *payload = lua_touserdata(L, index);
  lua_pop(L, 1);
  if (metatable == b->metatables[BINDING_EXPRESSION] || metatable == b->metatables[BINDING_STATEMENT]) return payload;
  if (metatable == b->metatables[BINDING_TABLE]) return entity_of_table(L, b, index);
  return metatable == b->metatables[BINDING_SELECTABLE] ? entity_of_selectable(L, b, index, payload) : NULL;
}

/* ---- values ---- */

static void refuse_boolean(lua_State *L, binding *b) {
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "a comparison written with == gives true or false before lualchemy sees it; write column:eq(value) (or la.true_() and la.false_() for the constants)");
}

static void refuse_operand(lua_State *L, binding *b, int index) {
  const char *came = binding_describe(L, b, index);
  const char *hint = "";
  if (lua_isfunction(L, index)) hint = "; did you forget to call it?";
  else if (lua_istable(L, index)) hint = "; lists go with in_ and criteria tables with where{ … }";
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "an expression or a plain value was expected, not %s%s", came, hint);
}

void binding_operand(lua_State *L, binding *b, int index, alch_type_id type, bool condition, alch_operand *out) {
  index = lua_absindex(L, index);
  out->items = NULL;
  out->block = operand_block(L, b, index);
  if (out->block) return;
  if (condition && lua_isboolean(L, index)) refuse_boolean(L, b);
  if (type != 0) { binding_value_typed(L, b, index, type, &out->value); return; }
  if (!binding_value(L, b, index, &out->value)) refuse_operand(L, b, index);
}

/* Types whose values Lua code converts, or that take tables: the others are the core's to coerce. */
alch_type_id binding_special_type(binding *b, const alch_block *block) {
  const alch_node *root = alch_block_root(block);
  alch_type_id id = 0;
  if (root->kind == ALCH_NODE_COLUMN && !(root->a & ALCH_ANONYMOUS)) id = alch_catalog_table(b->catalog, root->a)->columns[root->b]->type;
  else if (root->kind != ALCH_NODE_TEXT) id = alch_node_type(b->catalog, block, root);
  if (id == 0) return 0;
  const alch_type *type = alch_catalog_type(b->catalog, id);
  bool date = type->family >= ALCH_TYPE_DATE && type->family <= ALCH_TYPE_INTERVAL;
  return type->host != 0 || (type->family >= ALCH_TYPE_JSON && type->family <= ALCH_TYPE_HSTORE) || date ? id : 0;
}

/* ---- lists ---- */

bool binding_is_empty(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_pushnil(L);
  if (!lua_next(L, index)) return true;
  lua_pop(L, 2);
  return false;
}

static bool is_plain_list(lua_State *L, binding *b, int index) {
  return lua_type(L, index) == LUA_TTABLE && !binding_block(L, b, index) && (lua_rawlen(L, index) > 0 || binding_is_empty(L, index));
}

/* A list with expressions among its items: a LIST node, in the slot of the table. */
static const alch_block *mixed_list(lua_State *L, binding *b, int index, uint32_t count, alch_type_id type) {
  luaL_checkstack(L, (int)count + 8, "too many expressions in a list");
  alch_operand *items = lua_newuserdatauv(L, (count + 1) * sizeof *items, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, i + 1);
    binding_operand(L, b, -1, type, false, &items[i]);
  }
  binding_must(L, b, alch_expression_operate(&b->builder, b->catalog, ALCH_OPERATOR_COMMA, items, count, &b->error));
  const alch_block *block = binding_push_block(L, b, BINDING_EXPRESSION);
  lua_replace(L, index);
  lua_settop(L, lua_gettop(L) - (int)count - 1);
  return block;
}

static bool has_blocks(lua_State *L, binding *b, int index, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    bool found = lua_rawgeti(L, index, i + 1) == LUA_TUSERDATA && binding_block(L, b, -1) != NULL;
    lua_pop(L, 1);
    if (found) return true;
  }
  return false;
}

static void refuse_item(lua_State *L, binding *b, int index) {
  if (!is_plain_list(L, b, index)) refuse_operand(L, b, index);
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "an item of a list cannot be a list; for pairs write la.tuple_(a, b):in_{ la.tuple_(1, 2), … }");
}

/* The memory of the items, and a table that holds texts which no Lua string of the list holds, go on the stack; the list stays in its slot. */
static void plain_list(lua_State *L, binding *b, int index, uint32_t count, alch_type_id type, alch_operand *out) {
  alch_value *items = lua_newuserdatauv(L, (count + 1) * sizeof *items, 0);
  int anchors = 0;
  for (uint32_t i = 0; i < count; i++) {
    int kind = lua_rawgeti(L, index, i + 1);
    const char *text = kind == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    if (type != 0) binding_value_typed(L, b, -1, type, &items[i]);
    else if (!binding_value(L, b, -1, &items[i])) refuse_item(L, b, lua_gettop(L));
    if (alch_value_has_text(items[i].kind) && items[i].text != text) {
      if (anchors == 0) { lua_newtable(L); lua_insert(L, -2); anchors = lua_gettop(L) - 1; }
      lua_rawseti(L, anchors, i + 1);
    } else {
      lua_pop(L, 1);
    }
  }
  *out = (alch_operand){ .value = { .kind = ALCH_LIST, .integer = count }, .items = items };
}

void binding_flatten_tuples(lua_State *L, binding *b, int index, uint32_t width) {
  uint32_t count = is_plain_list(L, b, index) ? (uint32_t)lua_rawlen(L, index) : 0;
  if (count == 0) return;
  bool tuples = lua_rawgeti(L, index, 1) == LUA_TTABLE && is_plain_list(L, b, lua_gettop(L));
  lua_pop(L, 1);
  if (!tuples) return;
  lua_createtable(L, (int)(count * width), 0);
  for (uint32_t i = 0; i < count; i++) {
    if (lua_rawgeti(L, index, i + 1) != LUA_TTABLE || lua_rawlen(L, -1) != width)
      binding_error(L, b, ALCH_ERROR_ARGUMENT, "item %u of the list beside a tuple must be a list of %u values (la.null where there is none)", (unsigned)i + 1, (unsigned)width);
    for (uint32_t j = 0; j < width; j++) {
      lua_rawgeti(L, -1, j + 1);
      lua_rawseti(L, -3, (lua_Integer)(i * width + j) + 1);
    }
    lua_pop(L, 1);
  }
  lua_replace(L, index);
}

void binding_list_operand(lua_State *L, binding *b, int index, alch_type_id type, alch_operand *out) {
  if (!is_plain_list(L, b, index)) {
    const char *came = lua_istable(L, index) && !binding_block(L, b, index) ? "a table with names" : binding_describe(L, b, index);
    if (binding_block(L, b, index)) { binding_operand(L, b, index, 0, false, out); return; }
    binding_error(L, b, ALCH_ERROR_ARGUMENT, "in_ takes a list { 1, 2, 3 }, a select or a bindparam, not %s", came);
  }
  uint32_t count = (uint32_t)lua_rawlen(L, index);
  if (has_blocks(L, b, index, count)) *out = (alch_operand){ .block = mixed_list(L, b, index, count, type) };
  else plain_list(L, b, index, count, type, out);
}

/* ---- putting operands into a node that is open ---- */

void binding_build_operand(lua_State *L, binding *b, const alch_operand *operand, alch_type_id type) {
  alch_builder *builder = &b->builder;
  if (!operand->block) {
    alch_value value = operand->value;
    if (value.kind == ALCH_NULL) { alch_builder_leaf(builder, ALCH_NODE_NULL, 0, 0, 0); return; }
    alch_buffer_clear(&b->scratch);
    if (type != 0) binding_must(L, b, alch_type_coerce(alch_catalog_type(b->catalog, type), &value, &b->scratch, &b->error));
    alch_builder_bind(builder, type != 0 ? type : alch_value_type(value.kind), 0, NULL, &value, NULL);
    return;
  }
  const alch_node *root = alch_block_root(operand->block);
  bool scalar = alch_node_is_query(root);
  if (scalar) alch_builder_open(builder, ALCH_NODE_SCALAR, 0, 0, alch_node_type(b->catalog, operand->block, root));
  alch_builder_block(builder, operand->block);
  if (scalar) alch_builder_close(builder);
}
