/* collection.c - lists of related objects: they behave as plain Lua lists do, and the core hears of every change. */
#include "lua/host.h"

enum { ITEMS = 1, OWNER = 2 };   /* user values */

/* ---- changing ---- */

static alch_collection *check_list(lua_State *L) { return &((binding_collection *)binding_check(L, BINDING(L), 1, BINDING_COLLECTION))->list; }

static bool is_ready(const alch_collection *list) { return alch_object_loaded(list->owner, list->relationship->slot); }

/* The list at 1, read from the database when it has expired. */
static alch_collection *ready_list(lua_State *L) {
  alch_collection *list = check_list(L);
  if (ALCH_LIKELY(is_ready(list))) return list;
  lua_getiuservalue(L, 1, OWNER);
  binding_load_slot(L, BINDING_ORM(L), list->owner, list->relationship->slot, -1);
  lua_pop(L, 1);
  return list;
}

/* The same before a change: the owner is known, and stays on top of the stack. */
static alch_collection *enter_list(lua_State *L) {
  alch_collection *list = ready_list(L);
  luaL_checkstack(L, 24, "a list");
  lua_getiuservalue(L, 1, OWNER);
  binding_orm_enter(L, BINDING_ORM(L));
  binding_know(L, BINDING_ORM(L), list->owner, -1);
  return list;
}

/* The object at index, known to the call. */
static alch_object *check_item(lua_State *L, binding_orm *o, const alch_relationship *relationship, int index) {
  alch_object *item = binding_instance(L, index);
  if (!item) {
    const char *came = binding_describe(L, o->b, index);
    binding_error(L, o->b, ALCH_ERROR_ARGUMENT, "%s.%s is a list of %s objects; %s came", relationship->mapper->name, relationship->name, relationship->target_name, came);
  }
  binding_know(L, o, item, index);
  return item;
}

static void insert_item(lua_State *L, alch_collection *list, uint32_t place, int index) {
  binding_orm *o = BINDING_ORM(L);
  alch_object *item = check_item(L, o, list->relationship, index);
  binding_must(L, o->b, alch_collection_insert(&o->host, list, place, item, &o->b->error));
}

static void remove_item(lua_State *L, alch_collection *list, uint32_t place) {
  binding_orm *o = BINDING_ORM(L);
  binding_must(L, o->b, alch_collection_remove(&o->host, list, place, &o->b->error));
}

/* A place from 1 to `last`, as an index from 0. */
static uint32_t check_place(lua_State *L, const alch_collection *list, int index, uint32_t last) {
  int integral = 0;
  lua_Integer place = lua_tointegerx(L, index, &integral);
  if (!integral || lua_type(L, index) != LUA_TNUMBER) binding_expected(L, BINDING(L), index, "a place in the list", list->relationship->name);
  if (place < 1 || place > (lua_Integer)last)
    binding_error(L, BINDING(L), ALCH_ERROR_ARGUMENT, "%s.%s has %u items: %lld is no place for this", list->relationship->mapper->name, list->relationship->name, list->count, (long long)place);
  return (uint32_t)(place - 1);
}

/* ---- as a Lua list ---- */

/* What stands at a place of the list at 1, or nil: a list that never had an item has no table of them. */
static void push_item(lua_State *L, lua_Integer place) {
  if (lua_getiuservalue(L, 1, ITEMS) == LUA_TTABLE) lua_rawgeti(L, -1, place);
  else lua_pushnil(L);
}

/* upvalues: the binding, the ORM's record, the methods */
static int list_index(lua_State *L) {
  if (ALCH_LIKELY(lua_isinteger(L, 2))) {
    ready_list(L);
    push_item(L, lua_tointeger(L, 2));
    return 1;
  }
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(3)) != LUA_TNIL || lua_type(L, 2) != LUA_TSTRING) return 1;
  const char *name = lua_tostring(L, 2);
  if (name[0] == '_' && name[1] == '_') return 1;
  const alch_collection *list = check_list(L);
  return binding_error(L, BINDING(L), ALCH_ERROR_ARGUMENT, "%s.%s is a list of objects and has no method '%s'", list->relationship->mapper->name, list->relationship->name, name);
}

/* list, place, item or nil: append at the end, replace within, take the last one out. */
static int list_newindex(lua_State *L) {
  lua_settop(L, 3);
  alch_collection *list = enter_list(L);
  binding_orm *o = BINDING_ORM(L);
  if (lua_isnil(L, 3)) {
    if (lua_isinteger(L, 2) && (lua_tointeger(L, 2) == (lua_Integer)list->count + 1 || lua_tointeger(L, 2) == 0)) return 0;
    uint32_t place = check_place(L, list, 2, list->count);
    if (place + 1 != list->count)
      return binding_error(L, o->b, ALCH_ERROR_ARGUMENT, "nil within %s.%s would leave a hole: use table.remove(list, place), or list:remove(item)", list->relationship->mapper->name,
                           list->relationship->name);
    remove_item(L, list, place);
    return 0;
  }
  uint32_t place = check_place(L, list, 2, list->count + 1);
  if (place == list->count) { insert_item(L, list, place, 3); return 0; }
  alch_object *item = check_item(L, o, list->relationship, 3);
  binding_must(L, o->b, alch_collection_replace(&o->host, list, place, item, &o->b->error));
  return 0;
}

static int list_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)ready_list(L)->count);
  return 1;
}

static int list_next(lua_State *L) {
  lua_Integer place = lua_tointeger(L, 2) + 1;
  if (place > (lua_Integer)ready_list(L)->count) return 0;
  lua_pushinteger(L, place);
  push_item(L, place);
  lua_remove(L, -2);
  return 2;
}

static int list_pairs(lua_State *L) {
  ready_list(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, BINDING(L));
  lua_pushlightuserdata(L, BINDING_ORM(L));
  lua_pushcclosure(L, list_next, 2);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

static int list_tostring(lua_State *L) {
  const alch_collection *list = check_list(L);
  if (is_ready(list)) lua_pushfstring(L, "list of %d %s objects (%s.%s)", (int)list->count, list->relationship->target_name, list->relationship->mapper->name, list->relationship->name);
  else lua_pushfstring(L, "list of %s objects (%s.%s), not loaded", list->relationship->target_name, list->relationship->mapper->name, list->relationship->name);
  return 1;
}

/* ---- methods ---- */

/* append(item) */
static int list_append(lua_State *L) {
  lua_settop(L, 2);
  alch_collection *list = enter_list(L);
  insert_item(L, list, list->count, 2);
  return 0;
}

/* insert(place, item) */
static int list_insert(lua_State *L) {
  lua_settop(L, 3);
  alch_collection *list = enter_list(L);
  insert_item(L, list, check_place(L, list, 2, list->count + 1), 3);
  return 0;
}

/* remove(item) */
static int list_remove(lua_State *L) {
  lua_settop(L, 2);
  alch_collection *list = enter_list(L);
  alch_object *item = check_item(L, BINDING_ORM(L), list->relationship, 2);
  uint32_t place = alch_collection_find(list, item);
  if (place == UINT32_MAX)
    return binding_error(L, BINDING(L), ALCH_ERROR_INVALID_REQUEST, "this %s object is not in %s.%s", item->mapper->name, list->relationship->mapper->name, list->relationship->name);
  remove_item(L, list, place);
  return 0;
}

/* pop([place]): takes an item out, the last one by default, and answers it; nil when the list is empty */
static int list_pop(lua_State *L) {
  lua_settop(L, 2);
  alch_collection *list = enter_list(L);
  if (list->count == 0) return 0;
  uint32_t place = lua_isnil(L, 2) ? list->count - 1 : check_place(L, list, 2, list->count);
  push_item(L, (lua_Integer)place + 1);
  remove_item(L, list, place);
  lua_settop(L, 5);   /* list, place, owner, items, item */
  return 1;
}

static int list_clear(lua_State *L) {
  lua_settop(L, 1);
  alch_collection *list = enter_list(L);
  int top = lua_gettop(L);
  while (list->count > 0) {
    remove_item(L, list, list->count - 1);
    lua_settop(L, top);
    BINDING_ORM(L)->scope.count = BINDING_ORM(L)->scope.base + 1;
  }
  return 0;
}

static uint32_t place_of(lua_State *L) {
  const alch_collection *list = ready_list(L);
  const alch_object *item = binding_instance(L, 2);
  return item ? alch_collection_find(list, item) : UINT32_MAX;
}

static int list_contains(lua_State *L) {
  lua_pushboolean(L, place_of(L) != UINT32_MAX);
  return 1;
}

/* index(item): its first place, or nil */
static int list_place(lua_State *L) {
  uint32_t place = place_of(L);
  if (place == UINT32_MAX) lua_pushnil(L);
  else lua_pushinteger(L, (lua_Integer)place + 1);
  return 1;
}

/* to_list(): a plain table of the items */
static int list_to_list(lua_State *L) {
  const alch_collection *list = ready_list(L);
  lua_settop(L, 1);
  lua_createtable(L, (int)list->count, 0);
  lua_getiuservalue(L, 1, ITEMS);
  for (lua_Integer i = 1; i <= (lua_Integer)list->count; i++) {
    lua_rawgeti(L, 3, i);
    lua_rawseti(L, 2, i);
  }
  lua_settop(L, 2);
  return 1;
}

static int next_item(lua_State *L) {
  lua_Integer place = lua_tointeger(L, lua_upvalueindex(4)) + 1;
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(3));
  if (place > (lua_Integer)ready_list(L)->count) return 0;
  lua_pushinteger(L, place);
  lua_replace(L, lua_upvalueindex(4));
  push_item(L, place);
  return 1;
}

/* iter(): for item in list:iter() do … end */
static int list_iter(lua_State *L) {
  ready_list(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, BINDING(L));
  lua_pushlightuserdata(L, BINDING_ORM(L));
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_item, 4);
  return 1;
}

/* Copies the items of the table or list at index into a new table, checked; answers how many. */
static uint32_t copy_items(lua_State *L, binding_orm *o, const alch_relationship *relationship, int index) {
  bool list = binding_test(L, o->b, index, BINDING_COLLECTION) != NULL;
  if (!list && lua_type(L, index) != LUA_TTABLE) {
    const char *came = binding_describe(L, o->b, index);
    binding_error(L, o->b, ALCH_ERROR_ARGUMENT, "%s.%s takes a list of %s objects, not %s", relationship->mapper->name, relationship->name, relationship->target_name, came);
  }
  index = lua_absindex(L, index);
  lua_Integer count = luaL_len(L, index);
  lua_createtable(L, (int)count, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, index, i);
    check_item(L, o, relationship, -1);
    o->scope.count = o->scope.base;
    lua_rawseti(L, -2, i);
  }
  return (uint32_t)count;
}

/* extend(items) */
static int list_extend(lua_State *L) {
  lua_settop(L, 2);
  binding_orm *o = BINDING_ORM(L);
  alch_collection *list = ready_list(L);
  uint32_t count = copy_items(L, o, list->relationship, 2);
  lua_replace(L, 2);
  enter_list(L);
  uint32_t known = o->scope.count;
  int top = lua_gettop(L);
  for (uint32_t i = 1; i <= count; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i);
    insert_item(L, list, list->count, -1);
    lua_settop(L, top);
    o->scope.count = known;
  }
  return 0;
}

/* ---- whole lists and scalars, for instance.c ---- */

/* Items are put in their places first, and what is left over behind them goes then: an item that stays is at no moment absent, so it hears nothing. */
static void replace_items(lua_State *L, binding_orm *o, alch_object *object, int at, const alch_relationship *relationship, uint32_t count) {
  int items = lua_gettop(L);
  binding_orm_enter(L, o);
  binding_know(L, o, object, at);
  alch_collection *list = alch_object_collection(&o->host, object, relationship);
  uint32_t known = o->scope.count;
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, items, (lua_Integer)i + 1);
    alch_object *item = lua_touserdata(L, -1);
    if (i >= list->count || list->items[i] != item) {
      binding_know(L, o, item, -1);
      binding_must(L, o->b, alch_collection_insert(&o->host, list, i, item, &o->b->error));
    }
    lua_settop(L, items);
    o->scope.count = known;
  }
  while (list->count > count) {
    binding_must(L, o->b, alch_collection_remove(&o->host, list, list->count - 1, &o->b->error));
    lua_settop(L, items);
    o->scope.count = known;
  }
}

void binding_set_related(lua_State *L, binding_orm *o, alch_object *object, int at, const alch_relationship *relationship, int index) {
  luaL_checkstack(L, 24, "a relationship");
  index = lua_absindex(L, index);
  if (relationship->list) {
    binding_load_slot(L, o, object, relationship->slot, at);
    uint32_t count = copy_items(L, o, relationship, index);
    replace_items(L, o, object, at, relationship, count);
    return;
  }
  bool nothing = lua_isnil(L, index) || (lua_islightuserdata(L, index) && !lua_touserdata(L, index));
  alch_object *target = nothing ? NULL : binding_instance(L, index);
  if (!target && !nothing) {
    const char *came = binding_describe(L, o->b, index);
    binding_error(L, o->b, ALCH_ERROR_ARGUMENT, "%s.%s takes one %s object or nil, not %s", relationship->mapper->name, relationship->name, relationship->target_name, came);
  }
  /* The one that had the foreign key has to lose it: it must be known. */
  if (relationship->direction != ALCH_MANY_TO_ONE) binding_load_slot(L, o, object, relationship->slot, at);
  binding_orm_enter(L, o);
  binding_know(L, o, object, at);
  if (target) binding_know(L, o, target, index);
  binding_must(L, o->b, alch_object_set_related(&o->host, object, relationship, target, &o->b->error));
}

static const luaL_Reg list_methods[] = {
  { "append", list_append }, { "insert", list_insert }, { "remove", list_remove }, { "pop", list_pop }, { "clear", list_clear }, { "contains", list_contains },
  { "index", list_place }, { "iter", list_iter }, { "to_list", list_to_list }, { "extend", list_extend }, { NULL, NULL },
};

static const luaL_Reg list_metamethods[] = {
  { "__newindex", list_newindex }, { "__len", list_len }, { "__pairs", list_pairs }, { "__tostring", list_tostring }, { NULL, NULL },
};

void binding_open_collection(lua_State *L, binding *b, binding_orm *o) {
  binding_kind_register(L, b, BINDING_COLLECTION, "list of objects", NULL, NULL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[BINDING_COLLECTION]);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushlightuserdata(L, o);
  luaL_setfuncs(L, list_metamethods, 2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushlightuserdata(L, o);
  lua_newtable(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushlightuserdata(L, o);
  luaL_setfuncs(L, list_methods, 2);
  lua_pushcclosure(L, list_index, 3);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
