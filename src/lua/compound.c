/* compound.c - UNION, INTERSECT, EXCEPT. */
#include "lua/expression.h"

static const struct { const char *name; uint8_t op; } compounds[] = {
  { "union", ALCH_COMPOUND_UNION }, { "union_all", ALCH_COMPOUND_UNION_ALL }, { "intersect", ALCH_COMPOUND_INTERSECT },
  { "intersect_all", ALCH_COMPOUND_INTERSECT_ALL }, { "except_", ALCH_COMPOUND_EXCEPT }, { "except_all", ALCH_COMPOUND_EXCEPT_ALL },
};

/* upvalue 2: the place in the list above. union(select, …), also as a method of the first select. */
static int compound_make(lua_State *L) {
  binding *b = BINDING(L);
  lua_Integer place = lua_tointeger(L, lua_upvalueindex(2));
  int start;
  uint32_t count = binding_spread(L, b, 1, &start);
  if (count < 2) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s takes two selects or more", compounds[place].name);
  for (uint32_t i = 0; i < count; i++) {
    const alch_block *member = binding_test(L, b, start + (int)i, BINDING_STATEMENT);
    if (!member || !alch_node_is_query(alch_block_root(member))) binding_expected(L, b, start + (int)i, "selects", compounds[place].name);
  }
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_COMPOUND, compounds[place].op, 0, 0);
  alch_builder_open(&b->builder, ALCH_NODE_MEMBERS, 0, 0, 0);
  for (uint32_t i = 0; i < count; i++) alch_builder_block(&b->builder, lua_touserdata(L, start + (int)i));
  alch_builder_close(&b->builder);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

static void push_maker(lua_State *L, binding *b, size_t place) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushinteger(L, (lua_Integer)place);
  lua_pushcclosure(L, compound_make, 2);
}

void binding_open_compound(lua_State *L, binding *b) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[BINDING_STATEMENT]);
  lua_getfield(L, -1, "__methods");
  for (size_t i = 0; i < ALCH_COUNT(compounds); i++) {
    push_maker(L, b, i);
    lua_setfield(L, -2, compounds[i].name);
    push_maker(L, b, i);
    lua_setfield(L, -4, compounds[i].name);   /* the module */
  }
  lua_pop(L, 2);
}
