/* binding.c - kinds of userdata, options tables, calls into Lua. */
#include "lua/binding.h"
#include <string.h>

void *binding_new(lua_State *L, binding *b, binding_kind kind, size_t size, int user_values) {
  void *payload = lua_newuserdatauv(L, size, user_values);
  if (kind > BINDING_SELECTABLE) memset(payload, 0, size);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[kind]);
  lua_setmetatable(L, -2);
  return payload;
}

static const char *kind_name(lua_State *L, binding *b, binding_kind kind) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[kind]);
  lua_getfield(L, -1, "__name");
  const char *name = lua_tostring(L, -1);
  lua_pop(L, 2);   /* the metatable keeps the string */
  return name ? name : "lualchemy object";
}

void *binding_check(lua_State *L, binding *b, int index, binding_kind kind) {
  void *payload = binding_test(L, b, index, kind);
  if (!payload) binding_expected(L, b, index, kind_name(L, b, kind), NULL);
  return payload;
}

/* (object, name, value): nothing of these objects can be set. */
static int refuse_assignment(lua_State *L) {
  const char *name = luaL_tolstring(L, 2, NULL);
  return binding_error(L, BINDING(L), ALCH_ERROR_ARGUMENT, "'%s' of %s cannot be set: options are given when it is made, or to its methods", name, binding_describe(L, BINDING(L), 1));
}

void binding_kind_register(lua_State *L, binding *b, binding_kind kind, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods) {
  lua_newtable(L);
  lua_newtable(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  if (methods) { lua_pushvalue(L, -2); lua_pushvalue(L, -2); luaL_setfuncs(L, methods, 1); lua_pop(L, 1); }
  lua_pushvalue(L, -2);
  lua_setfield(L, -4, "__index");
  lua_pushvalue(L, -2);
  lua_setfield(L, -4, "__methods");
  lua_remove(L, -2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushcclosure(L, refuse_assignment, 1);
  lua_setfield(L, -3, "__newindex");
  if (metamethods) { lua_pushvalue(L, -2); lua_pushvalue(L, -2); luaL_setfuncs(L, metamethods, 1); lua_pop(L, 1); }
  lua_pop(L, 1);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  b->metatables[kind] = lua_topointer(L, -1);
  b->metatable_references[kind] = luaL_ref(L, LUA_REGISTRYINDEX);
}

void binding_kind_methods(lua_State *L, binding *b, binding_kind kind, const luaL_Reg *methods) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[kind]);
  lua_getfield(L, -1, "__methods");
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, methods, 1);
  lua_pop(L, 2);
}

/* ---- methods and properties ---- */

/* The nearest text key of the table at index, on the stack, or NULL with nothing pushed. */
static const char *nearest_key(lua_State *L, int index, const char *word) {
  const char *best = NULL;
  index = lua_absindex(L, index);
  lua_pushnil(L);   /* where the best key is kept alive */
  int kept = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    const char *candidates[2] = { lua_tostring(L, -1), best };
    if (candidates[0][0] == '_') continue;
    const char *nearest = alch_nearest(word, candidates, best ? 2 : 1);
    if (nearest && nearest != best) {
      best = nearest;
      lua_pushvalue(L, -1);
      lua_replace(L, kept);
    }
  }
  if (!best) lua_pop(L, 1);
  return best;
}

/* (object, name), or (methods, name) where there are no properties. upvalues: the binding, the methods, the properties' function or false, the kind's name,
   and for what has columns the name "c", which is asked for more often than all else together: they are the first user value. */
static int index_kind(lua_State *L) {
  if (lua_rawequal(L, 2, lua_upvalueindex(5))) {
    if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE) return 1;
    lua_settop(L, 2);
  }
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) return 1;
  lua_pop(L, 1);
  if (lua_toboolean(L, lua_upvalueindex(3)) && lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, LUA_MULTRET);
    if (lua_gettop(L) > 2) return 1;
  }
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  const char *word = lua_tostring(L, 2), *name = lua_tostring(L, lua_upvalueindex(4));
  if (strncmp(word, "__", 2) == 0) return 0;   /* __entity and the like are asked of anything */
  const char *nearest = nearest_key(L, lua_upvalueindex(2), word);
  return binding_error(L, BINDING(L), ALCH_ERROR_ARGUMENT, nearest ? "%s has no '%s'; the nearest is '%s'" : "%s has no '%s'", name, word, nearest);
}

/* Without properties the methods are found by the interpreter itself, and only a name that is none comes here. */
static void set_fallback(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_insert(L, -2);
  lua_setfield(L, -2, "__index");
  lua_getfield(L, -2, "__methods");
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

void binding_kind_properties(lua_State *L, binding *b, binding_kind kind, lua_CFunction property) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[kind]);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_getfield(L, -2, "__methods");
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  if (property) lua_pushcclosure(L, property, 1);
  else { lua_pop(L, 1); lua_pushboolean(L, 0); }
  lua_getfield(L, -4, "__name");
  if (kind == BINDING_TABLE || kind == BINDING_SELECTABLE) lua_pushliteral(L, "c");
  else lua_pushboolean(L, 0);
  lua_pushcclosure(L, index_kind, 5);
  if (property) lua_setfield(L, -2, "__index");
  else set_fallback(L);
  lua_pop(L, 1);
}

bool binding_is(lua_State *L, int index, const char *text) {
  return lua_type(L, index) == LUA_TSTRING && strcmp(lua_tostring(L, index), text) == 0;
}

/* ---- descriptions ---- */

static const char *with_article(lua_State *L, const char *name) {
  return lua_pushfstring(L, "%s %s", name[0] != '\0' && strchr("aeiouAEIO", name[0]) ? "an" : "a", name);
}

const char *binding_describe(lua_State *L, binding *b, int index) {
  (void)b;
  index = lua_absindex(L, index);
  switch (lua_type(L, index)) {
    case LUA_TNONE: return lua_pushliteral(L, "nothing");
    case LUA_TNIL: return lua_pushliteral(L, "nil");
    case LUA_TBOOLEAN: return lua_pushliteral(L, "a boolean");
    case LUA_TNUMBER: return lua_pushliteral(L, "a number");
    case LUA_TSTRING: return lua_pushliteral(L, "a string");
    case LUA_TFUNCTION: return lua_pushliteral(L, "a function");
    case LUA_TLIGHTUSERDATA: return lua_pushstring(L, lua_touserdata(L, index) ? "a light userdata" : "null");
    default: break;
  }
  const char *name = luaL_getmetafield(L, index, "__name") == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, index);
  return with_article(L, name);   /* the metatable keeps the name */
}

/* ---- options ---- */

/* Says the nearest, or where nothing is near all that there are. */
static void unknown_option(lua_State *L, binding *b, const binding_option *known, const char *key, const char *where) {
  const char *names[64] = { NULL };
  size_t count = 0;
  for (; known[count].name && count < ALCH_COUNT(names); count++) names[count] = known[count].name;
  const char *nearest = alch_nearest(key, names, count);
  if (nearest) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s has no option '%s'; the nearest is '%s'", where, key, nearest);
  luaL_Buffer all;
  luaL_buffinit(L, &all);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) luaL_addstring(&all, ", ");
    luaL_addstring(&all, names[i]);
  }
  luaL_pushresult(&all);
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s has no option '%s'; there %s %s", where, key, count == 1 ? "is" : "are", lua_tostring(L, -1));
}

void binding_options(lua_State *L, binding *b, int index, const binding_option *known, const char *where) {
  index = lua_absindex(L, index);
  if (!lua_istable(L, index)) {
    const char *came = binding_describe(L, b, index);
    binding_error(L, b, ALCH_ERROR_ARGUMENT, "the options of %s are a table such as { %s = \xe2\x80\xa6 }, not %s", where, known->name, came);
  }
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) == LUA_TSTRING) {
      const char *key = lua_tostring(L, -2);
      const binding_option *option = known;
      while (option->name && strcmp(option->name, key) != 0) option++;
      if (!option->name) unknown_option(L, b, known, key, where);
      if (option->lua_type != LUA_TNONE && option->lua_type != lua_type(L, -1)) {
        const char *came = binding_describe(L, b, -1);
        binding_error(L, b, ALCH_ERROR_ARGUMENT, "option '%s' of %s must be a %s, not %s", key, where, lua_typename(L, option->lua_type), came);
      }
    }
    lua_pop(L, 1);
  }
}

void binding_only_options(lua_State *L, binding *b, int index, const binding_option *known, const char *where) {
  if (lua_istable(L, index) && lua_rawlen(L, index) > 0) binding_error(L, b, ALCH_ERROR_ARGUMENT, "the options of %s have names: { %s = \xe2\x80\xa6 }; there is one without", where, known->name);
  binding_options(L, b, index, known, where);
}

/* ---- calls from the core into Lua ---- */

/* User code may use the ORM while the ORM is at work. */
alch_status binding_call(lua_State *L, binding *b, int arguments, int results) {
  return b->orm ? binding_orm_call(L, b->orm, arguments, results) : binding_call_plainly(L, b, arguments, results);
}

alch_status binding_call_plainly(lua_State *L, binding *b, int arguments, int results) {
  if (lua_pcall(L, arguments, results, 0) == LUA_OK) return ALCH_OK;
  lua_rawseti(L, LUA_REGISTRYINDEX, b->host_slot);
  b->host_error = b->host_slot;
  return ALCH_HOST_ERROR;
}

/* ---- blocks ---- */

alch_block *binding_push_block(lua_State *L, binding *b, binding_kind kind) {
  size_t size = 0;
  binding_must(L, b, alch_builder_finish(&b->builder, &size, &b->error));
  alch_block *block = binding_new(L, b, kind, size, kind == BINDING_SELECTABLE ? 1 : 0);
  alch_builder_write(&b->builder, block);
  return block;
}

const alch_block *binding_block(lua_State *L, binding *b, int index) {
  void *payload = lua_touserdata(L, index);
  if (payload) {
    if (!lua_getmetatable(L, index)) return NULL;
    const void *metatable = lua_topointer(L, -1);
    lua_pop(L, 1);
    for (int kind = BINDING_EXPRESSION; kind <= BINDING_SELECTABLE; kind++)
      if (metatable == b->metatables[kind]) return payload;
    return NULL;
  }
  if (lua_type(L, index) != LUA_TTABLE) return NULL;
  index = lua_absindex(L, index);
  lua_pushliteral(L, "__entity");
  lua_rawget(L, index);
  const alch_block *block = binding_test(L, b, -1, BINDING_EXPRESSION);
  lua_pop(L, 1);   /* the model keeps it */
  return block;
}
