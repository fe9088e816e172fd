/* host.c - the host of the ORM's core: objects and lists as userdata, identity maps, strong references. */
#include "lua/host.h"
#include <string.h>

enum { PINNED = 8, RING = 64 };   /* of the objects known to one call, the first stay; the others make room for newer ones */

static const char registry_key = 0;

/* ---- what is known in this call ---- */

static void append_known(lua_State *L, binding_orm *o, const alch_object *object, int index) {
  binding_scope *scope = &o->scope;
  if (ALCH_UNLIKELY(scope->count == o->known_capacity)) {
    binding_known *known = alch_grow(&o->b->allocator, o->known, &o->known_capacity, scope->count + RING, sizeof *known);
    if (!known) luaL_error(L, "not enough memory");
    o->known = known;
  }
  scope->newest = scope->count;
  o->known[scope->count++] = (binding_known){ object, index };
}

void binding_know(lua_State *L, binding_orm *o, const alch_object *object, int index) { append_known(L, o, object, lua_absindex(L, index)); }

/* The same for an object that has just been pushed. */
static void know_top(lua_State *L, binding_orm *o, const alch_object *object) {
  binding_scope *scope = &o->scope;
  uint32_t count = scope->count - scope->base;
  if (ALCH_LIKELY(count < RING)) {
    if ((count & 7) == 0) luaL_checkstack(L, 24, "objects");
    append_known(L, o, object, lua_gettop(L));
    return;
  }
  scope->newest = scope->base + PINNED + scope->turn++ % (RING - PINNED);
  binding_known *oldest = &o->known[scope->newest];
  lua_replace(L, oldest->index);
  oldest->object = object;
}

/* Where the object that came last stands on the stack, or the one that was looked up last; 0: it is neither. */
static inline int find_near(const binding_orm *o, const alch_object *object) {
  const binding_scope *scope = &o->scope;
  if (scope->newest < scope->count && o->known[scope->newest].object == object) return o->known[scope->newest].index;
  return scope->recalled == object ? scope->spots + BINDING_SPOT_RECALLED : 0;
}

static int known_index(const binding_orm *o, const alch_object *object, uint32_t newest, uint32_t oldest) {
  for (uint32_t i = newest; i-- > oldest;)
    if (o->known[i].object == object) return o->known[i].index;
  return 0;
}

/* ---- keys ---- */

static void add_key_part(alch_buffer *out, const alch_value *part) {
  alch_buffer_add_char(out, (char)part->kind);
  if (!alch_value_has_text(part->kind)) {
    alch_buffer_add_bytes(out, &part->integer, sizeof part->integer);
    return;
  }
  alch_buffer_add_bytes(out, &part->length, sizeof part->length);
  alch_buffer_add_bytes(out, part->text, part->length);
}

/* Integers and single texts are their own keys; anything else is packed into a string. */
static void push_key(lua_State *L, binding_orm *o, const alch_mapper *mapper, const alch_value *key) {
  if (mapper->key_count == 1 && key->kind == ALCH_INTEGER) { lua_pushinteger(L, key->integer); return; }
  if (mapper->key_count == 1 && key->kind == ALCH_TEXT) { lua_pushlstring(L, key->text, key->length); return; }
  alch_buffer_clear(&o->key);
  for (uint32_t i = 0; i < mapper->key_count; i++) add_key_part(&o->key, &key[i]);
  if (alch_buffer_failed(&o->key)) luaL_error(L, "not enough memory");
  lua_pushlstring(L, alch_buffer_text(&o->key), o->key.length);
}

/* ---- from an address to the value ---- */

static bool push_held(lua_State *L, const alch_object *object) {
  if (object->anchor == 0 || !object->session) return false;
  const binding_session *s = object->session->host_data;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->held);
  lua_rawgeti(L, -1, (lua_Integer)object->anchor);
  lua_remove(L, -2);
  return true;
}

static bool push_identical(lua_State *L, binding_orm *o, const alch_object *object) {
  alch_value key[ALCH_KEY_LIMIT];
  if (!object->session || !binding_push_identities(L, object->session->host_data, object->mapper)) return false;
  for (int committed = 1; committed >= 0; committed--) {
    if (!alch_object_key(object, committed, key)) continue;
    push_key(L, o, object->mapper, key);
    lua_rawget(L, -2);
    if (lua_touserdata(L, -1) == object) { lua_remove(L, -2); return true; }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return false;
}

void binding_push_object(lua_State *L, binding_orm *o, const alch_object *object) {
  if (!object) { lua_pushnil(L); return; }
  binding_scope *scope = &o->scope;
  int index = find_near(o, object);
  if (index) { lua_pushvalue(L, index); return; }
  uint32_t recent = scope->count - scope->base > 4 ? scope->count - 4 : scope->base;
  index = known_index(o, object, scope->count, recent);
  if (!index && push_held(L, object)) return;
  if (!index) index = known_index(o, object, recent, scope->base);
  if (index) { lua_pushvalue(L, index); return; }
  if (!push_identical(L, o, object)) luaL_error(L, "lualchemy: a %s object is not known here (a fault of the library)", object->mapper->name);
  if (!scope->spots) return;
  lua_pushvalue(L, -1);
  lua_replace(L, scope->spots + BINDING_SPOT_RECALLED);
  scope->recalled = object;
}

void binding_push_session(lua_State *L, binding_orm *o, const alch_session *session) {
  if (!session) { lua_pushnil(L); return; }
  lua_rawgeti(L, LUA_REGISTRYINDEX, o->sessions);
  lua_rawgetp(L, -1, session);
  lua_remove(L, -2);
}

/* ---- identity map ---- */

static void make_identities(lua_State *L, binding_orm *o, binding_session *s, uint32_t number) {
  if (number >= s->map_capacity) {
    uint32_t before = s->map_capacity;
    int *maps = alch_grow(&o->b->allocator, s->maps, &s->map_capacity, number + 1, sizeof *maps);
    if (!maps) luaL_error(L, "not enough memory");
    memset(maps + before, 0, (s->map_capacity - before) * sizeof *maps);
    s->maps = maps;
  }
  lua_newtable(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, o->weak);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  s->maps[number] = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Enters the value on top of the stack, which stays there. */
static void enter_identity(lua_State *L, binding_orm *o, alch_session *session, const alch_mapper *mapper, const alch_value *key) {
  binding_session *s = session->host_data;
  int object = lua_gettop(L);
  if (ALCH_UNLIKELY(!binding_push_identities(L, s, mapper))) make_identities(L, o, s, ((const binding_model *)mapper->host)->number);
  if (ALCH_LIKELY(mapper->integer_key && key->kind == ALCH_INTEGER)) {
    lua_pushvalue(L, object);
    lua_rawseti(L, -2, key->integer);
  } else {
    push_key(L, o, mapper, key);
    lua_pushvalue(L, object);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
}

void binding_orm_prepare(lua_State *L, binding_orm *o) {
  luaL_checkstack(L, BINDING_SPOTS + 40, "a load");
  o->scope.spots = lua_gettop(L) + 1;
  lua_settop(L, o->scope.spots + BINDING_SPOTS - 1);
  o->scope.mapper_turn = 0;
  binding_forget_spots(&o->scope);
}

static bool put_at_hand(lua_State *L, binding_orm *o, alch_session *session, const alch_mapper *mapper) {
  binding_scope *scope = &o->scope;
  if (scope->spots == 0 || !mapper->integer_key) return false;
  const binding_model *model = mapper->host;
  uint32_t place = 0;
  while (place < BINDING_MAPPERS && scope->mappers[place] != mapper) place++;
  if (place == BINDING_MAPPERS) {
    place = scope->mapper_turn++ % BINDING_MAPPERS;
    if (!binding_push_identities(L, session->host_data, mapper)) make_identities(L, o, session->host_data, model->number);
    lua_replace(L, scope->spots + BINDING_SPOT_MAPPERS + 2 * (int)place);
    lua_rawgeti(L, LUA_REGISTRYINDEX, model->metatable);
    lua_replace(L, scope->spots + BINDING_SPOT_MAPPERS + 2 * (int)place + 1);
    scope->mappers[place] = mapper;
  }
  scope->mapper = mapper;
  scope->identities = scope->spots + BINDING_SPOT_MAPPERS + 2 * (int)place;
  scope->metatable = scope->identities + 1;
  return true;
}

/* Makes the identity map and the metatable of a mapper stand at hand, while loading; false where its keys are no integers. */
static inline bool is_at_hand(lua_State *L, binding_orm *o, alch_session *session, const alch_mapper *mapper, const alch_value *key) {
  if (ALCH_UNLIKELY(key->kind != ALCH_INTEGER)) return false;
  return ALCH_LIKELY(mapper == o->scope.mapper) || put_at_hand(L, o, session, mapper);
}

static alch_object *object_new(alch_host *host, alch_session *session, const alch_mapper *mapper, const alch_value *key, size_t size) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  const binding_model *model = mapper->host;
  alch_object *object = lua_newuserdatauv(L, size, 1 + (int)mapper->relationship_count);
  memset(object, 0, alch_object_fixed_size(mapper));
  object->mapper = mapper;
  if (is_at_hand(L, o, session, mapper, key)) {
    lua_pushvalue(L, o->scope.metatable);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, o->scope.identities, key->integer);
  } else {
    lua_rawgeti(L, LUA_REGISTRYINDEX, model->metatable);
    lua_setmetatable(L, -2);
    enter_identity(L, o, session, mapper, key);
  }
  know_top(L, o, object);
  return object;
}

static alch_object *identity_find(alch_host *host, alch_session *session, const alch_mapper *mapper, const alch_value *key) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  bool prepared = is_at_hand(L, o, session, mapper, key);
  if (prepared) lua_rawgeti(L, o->scope.identities, key->integer);
  else if (!binding_push_identities(L, session->host_data, mapper)) return NULL;
  else if (mapper->integer_key && key->kind == ALCH_INTEGER) lua_rawgeti(L, -1, key->integer);
  else {
    push_key(L, o, mapper, key);
    lua_rawget(L, -2);
  }
  alch_object *object = lua_touserdata(L, -1);
  if (!object) { lua_pop(L, prepared ? 1 : 2); return NULL; }
  if (!prepared) lua_replace(L, -2);
  know_top(L, o, object);
  return object;
}

static void identity_add(alch_host *host, alch_session *session, alch_object *object, const alch_value *key) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  luaL_checkstack(L, 8, "objects");
  if (ALCH_LIKELY(object->mapper->integer_key && object->anchor != 0 && key->kind == ALCH_INTEGER) && binding_push_identities(L, session->host_data, object->mapper)) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, ((const binding_session *)session->host_data)->held);
    lua_rawgeti(L, -1, (lua_Integer)object->anchor);
    lua_rawseti(L, -3, key->integer);
    lua_pop(L, 2);
    return;
  }
  binding_push_object(L, o, object);
  enter_identity(L, o, session, object->mapper, key);
  lua_pop(L, 1);
}

static void identity_remove(alch_host *host, alch_session *session, const alch_mapper *mapper, const alch_value *key) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  luaL_checkstack(L, 8, "objects");
  if (!binding_push_identities(L, session->host_data, mapper)) return;
  push_key(L, o, mapper, key);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

static void identity_clear(alch_host *host, alch_session *session) {
  lua_State *L = ((binding_orm *)host)->scope.state;
  binding_session *s = session->host_data;
  for (uint32_t i = 0; i < s->map_capacity; i++) {
    if (s->maps[i] == 0) continue;
    luaL_unref(L, LUA_REGISTRYINDEX, s->maps[i]);
    s->maps[i] = 0;
  }
  binding_forget_spots(&((binding_orm *)host)->scope);
}

/* Keeps the object on top of the stack alive until the call ends, and pops it. */
static void keep_top(lua_State *L, binding_orm *o) {
  if (o->scope.keep == 0) {
    lua_newtable(L);
    lua_insert(L, -2);
    o->scope.keep = lua_gettop(L) - 1;
  } else if (lua_isnil(L, o->scope.keep)) {
    lua_newtable(L);
    lua_replace(L, o->scope.keep);
  }
  lua_rawseti(L, o->scope.keep, (lua_Integer)lua_rawlen(L, o->scope.keep) + 1);
}

void binding_keep_known(lua_State *L, binding_orm *o, int above) {
  const binding_scope *scope = &o->scope;
  luaL_checkstack(L, 8, "objects");
  for (uint32_t i = scope->base; i < scope->count; i++) {
    if (o->known[i].index <= above) continue;
    lua_pushvalue(L, o->known[i].index);
    keep_top(L, o);
  }
}

typedef struct visitor { bool (*visit)(void *context, alch_object *object); void *context; } visitor;

/* Visits the value on top of the stack and pops it. What was visited stays alive: the caller may gather it. */
static bool visit_top(lua_State *L, binding_orm *o, const visitor *one) {
  alch_object *object = lua_touserdata(L, -1);
  if (!object) { lua_pop(L, 1); return true; }
  if (o->scope.closing) lua_pop(L, 1);
  else keep_top(L, o);
  return one->visit(one->context, object);
}

/* Goes round the map on top of the stack, beginning behind `from` when that has a place in it. */
static bool visit_map(lua_State *L, binding_orm *o, const alch_object *from, const visitor *one) {
  alch_value key[ALCH_KEY_LIMIT];
  int map = lua_gettop(L);
  bool around = from && alch_object_key(from, true, key);
  if (around) {
    push_key(L, o, from->mapper, key);
    lua_pushvalue(L, -1);
    around = lua_rawget(L, map) == LUA_TUSERDATA;
    lua_pop(L, 1);
  } else lua_pushnil(L);
  if (!around) { lua_pop(L, 1); lua_pushnil(L); }
  lua_pushvalue(L, -1);   /* the first key */
  while (lua_next(L, map))
    if (!visit_top(L, o, one)) return false;
  if (!around) return true;
  lua_pushnil(L);
  while (lua_next(L, map)) {
    if (!visit_top(L, o, one)) return false;
    if (lua_rawequal(L, -1, map + 1)) return true;
  }
  return true;
}

static void identity_each(alch_host *host, alch_session *session, const alch_mapper *mapper, alch_object *from, bool (*visit)(void *, alch_object *), void *context) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  const binding_session *s = session->host_data;
  visitor one = { visit, context };
  luaL_checkstack(L, 12, "objects");
  if (o->scope.keep == 0 && !o->scope.closing) { lua_newtable(L); o->scope.keep = lua_gettop(L); }
  int top = lua_gettop(L);
  bool more = true;
  for (uint32_t i = 0; i < s->map_capacity && more; i++) {
    if (s->maps[i] == 0 || (mapper && ((const binding_model *)mapper->host)->number != i)) continue;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps[i]);
    more = visit_map(L, o, from && ((const binding_model *)from->mapper->host)->number == i ? from : NULL, &one);
    lua_settop(L, top);
  }
}

/* ---- loading ---- */


/* What the row under way has pushed is of no more use. */
static void end_row(lua_State *L, binding_scope *scope) {
  lua_settop(L, scope->floor);
  scope->count = scope->floor_count;
}

static void emit(alch_host *host, alch_object *object, uint32_t place) {
  binding_orm *o = (binding_orm *)host;
  binding_scope *scope = &o->scope;
  lua_State *L = scope->state;
  if (scope->rows == 0) return;
  const binding_known *newest = scope->count > scope->floor_count ? &o->known[scope->count - 1] : NULL;
  bool on_top = scope->place_count == 0 && newest && newest->object == object && newest->index == scope->floor + 1 && newest->index == lua_gettop(L);
  if (ALCH_LIKELY(on_top)) {
    lua_rawseti(L, scope->rows, (lua_Integer)++scope->row_count);
    scope->count = scope->floor_count;
    return;
  }
  binding_push_object(L, o, object);
  if (scope->place_count > 0) {
    lua_rawseti(L, scope->row, (lua_Integer)place + 1);
    return;
  }
  lua_pushvalue(L, -1);
  lua_rawseti(L, scope->rows, (lua_Integer)++scope->row_count);
  /* the rows that follow may put more into its lists: it alone stays known */
  lua_insert(L, scope->floor + 1);
  lua_settop(L, scope->floor + 1);
  scope->count = scope->floor_count;
  append_known(L, o, object, scope->floor + 1);
}

static void emit_value(alch_host *host, const alch_value *value, const alch_type *type, uint32_t place) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  if (o->scope.rows == 0) return;
  luaL_checkstack(L, 12, "a row");
  binding_push_value(L, o->b, value, type);
  lua_rawseti(L, o->scope.row, (lua_Integer)place + 1);
}

static void emit_row(alch_host *host) {
  binding_orm *o = (binding_orm *)host;
  binding_scope *scope = &o->scope;
  lua_State *L = scope->state;
  if (scope->rows == 0 || scope->place_count == 0) return;
  lua_pushvalue(L, scope->row);
  lua_rawseti(L, scope->rows, (lua_Integer)++scope->row_count);
  lua_createtable(L, (int)scope->place_count, 0);
  lua_replace(L, scope->row);
  end_row(L, scope);
}

static void keep(alch_host *host, alch_object *object) {
  binding_orm *o = (binding_orm *)host;
  binding_scope *scope = &o->scope;
  lua_State *L = scope->state;
  luaL_checkstack(L, 8, "objects");
  bool newest = scope->count > scope->base && o->known[scope->count - 1].object == object && o->known[scope->count - 1].index == lua_gettop(L) && scope->keep != 0;
  if (newest) scope->count--;
  else binding_push_object(L, o, object);
  keep_top(L, o);
}

/* ---- strong references ---- */

static void hold(alch_host *host, alch_session *session, alch_object *object) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  binding_session *s = session->host_data;
  luaL_checkstack(L, 8, "objects");
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->held);
  uint32_t anchor = s->held_free, next = 0;
  if (anchor) {
    lua_rawgeti(L, -1, (lua_Integer)anchor);
    next = (uint32_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  binding_push_object(L, o, object);
  lua_rawseti(L, -2, (lua_Integer)(anchor ? anchor : s->held_count + 1));
  lua_pop(L, 1);
  if (anchor) s->held_free = next;
  else anchor = ++s->held_count;
  object->anchor = anchor;
}

static void release(alch_host *host, alch_session *session, alch_object *object) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  binding_session *s = session->host_data;
  if (object->anchor == 0) return;
  luaL_checkstack(L, 8, "objects");
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->held);
  lua_pushinteger(L, (lua_Integer)s->held_free);
  lua_rawseti(L, -2, (lua_Integer)object->anchor);
  lua_pop(L, 1);
  s->held_free = object->anchor;
  object->anchor = 0;
}

/* All at once: the table is made anew. */
static void release_all(alch_host *host, alch_session *session) {
  binding_session *s = session->host_data;
  lua_State *L = ((binding_orm *)host)->scope.state;
  luaL_checkstack(L, 8, "objects");
  lua_newtable(L);
  lua_rawseti(L, LUA_REGISTRYINDEX, s->held);
  s->held_count = s->held_free = 0;
}

/* ---- what hangs at objects ---- */

static int relationship_value(const alch_object *object, uint32_t slot) { return 2 + (int)(slot - object->mapper->attribute_count); }

static void reach(alch_host *host, alch_object *from, uint32_t slot, uint32_t index) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  luaL_checkstack(L, 8, "objects");
  binding_push_object(L, o, from);
  lua_getiuservalue(L, -1, relationship_value(from, slot));
  lua_replace(L, -2);
  if (from->mapper->relationships[slot - from->mapper->attribute_count].list) {
    lua_getiuservalue(L, -1, 1);
    lua_rawgeti(L, -1, (lua_Integer)index + 1);
    lua_replace(L, -3);
    lua_pop(L, 1);
  }
  alch_object *reached = lua_touserdata(L, -1);
  if (reached) know_top(L, o, reached);
  else lua_pop(L, 1);
}

static void relate(alch_host *host, alch_object *object, uint32_t slot, alch_object *target) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  int at = find_near(o, object), to = target ? find_near(o, target) : 0;
  if (ALCH_LIKELY(at && to)) {
    lua_pushvalue(L, to);
    lua_setiuservalue(L, at, relationship_value(object, slot));
    return;
  }
  luaL_checkstack(L, 8, "objects");
  binding_push_object(L, o, object);
  binding_push_object(L, o, target);
  lua_setiuservalue(L, -2, relationship_value(object, slot));
  lua_pop(L, 1);
}

/* The list on top of the stack is what the next calls are about. */
static void recall_list(lua_State *L, binding_orm *o, const alch_collection *collection) {
  binding_scope *scope = &o->scope;
  if (!scope->spots) return;
  lua_pushvalue(L, -1);
  lua_replace(L, scope->spots + BINDING_SPOT_LIST);
  lua_getiuservalue(L, -1, 1);
  lua_replace(L, scope->spots + BINDING_SPOT_ITEMS);
  scope->list = collection;
}

/* A list that is read anew stays the same value to Lua: whoever holds it sees what is there now. */
static alch_collection *collection_new(alch_host *host, alch_object *object, uint32_t slot) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  luaL_checkstack(L, 8, "objects");
  binding_push_object(L, o, object);
  binding_collection *collection;
  if (lua_getiuservalue(L, -1, relationship_value(object, slot)) == LUA_TUSERDATA) {
    collection = lua_touserdata(L, -1);
    memset(collection, 0, sizeof *collection);
    const int empty[] = { 1, 3, 4 };
    for (size_t i = 0; i < ALCH_COUNT(empty); i++) {
      lua_pushnil(L);
      lua_setiuservalue(L, -2, empty[i]);
    }
    if (o->scope.list == &collection->list) o->scope.list = NULL;
  } else {
    lua_pop(L, 1);
    collection = binding_new(L, o->b, BINDING_COLLECTION, sizeof *collection, 4);
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, 2);
  }
  lua_setiuservalue(L, -2, relationship_value(object, slot));
  lua_pop(L, 1);
  return &collection->list;
}

static void push_collection(lua_State *L, binding_orm *o, const alch_collection *collection) {
  luaL_checkstack(L, 8, "objects");
  if (o->scope.list == collection) {
    lua_pushvalue(L, o->scope.spots + BINDING_SPOT_LIST);
    return;
  }
  binding_push_object(L, o, collection->owner);
  lua_getiuservalue(L, -1, relationship_value(collection->owner, collection->relationship->slot));
  lua_replace(L, -2);
}

/* The table of a list's items is made with their first memory, for as many: a list that stays empty has none. */
static void begin_items(lua_State *L, size_t size) {
  lua_createtable(L, (int)(size / sizeof(alch_object *)), 0);
  lua_setiuservalue(L, -2, 1);
}

static void *collection_memory(alch_host *host, alch_collection *collection, int which, size_t size) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  binding_collection *extended = (binding_collection *)collection;
  push_collection(L, o, collection);
  if (which == 0 && extended->sizes[0] == 0) {
    begin_items(L, size);
    recall_list(L, o, collection);
  }
  lua_getiuservalue(L, -1, 3 + which);
  void *memory = lua_newuserdatauv(L, size, 0);
  if (lua_touserdata(L, -2)) memcpy(memory, lua_touserdata(L, -2), extended->sizes[which] < size ? extended->sizes[which] : size);
  extended->sizes[which] = size;
  lua_setiuservalue(L, -3, 3 + which);
  lua_pop(L, 2);
  return memory;
}

/* Pushes the list of items. */
static void push_items(lua_State *L, binding_orm *o, const alch_collection *collection) {
  push_collection(L, o, collection);
  if (o->scope.list != collection) recall_list(L, o, collection);
  lua_getiuservalue(L, -1, 1);
  lua_replace(L, -2);
}

static void collection_insert(alch_host *host, alch_collection *collection, uint32_t index, alch_object *object) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  int at = o->scope.list == collection && index == collection->count ? find_near(o, object) : 0;
  if (ALCH_LIKELY(at)) {
    lua_pushvalue(L, at);
    lua_rawseti(L, o->scope.spots + BINDING_SPOT_ITEMS, (lua_Integer)index + 1);
    return;
  }
  push_items(L, o, collection);
  for (uint32_t i = collection->count; i > index; i--) {
    lua_rawgeti(L, -1, (lua_Integer)i);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  binding_push_object(L, o, object);
  lua_rawseti(L, -2, (lua_Integer)index + 1);
  lua_pop(L, 1);
}

static void collection_remove(alch_host *host, alch_collection *collection, uint32_t index) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  push_items(L, o, collection);
  for (uint32_t i = index + 1; i < collection->count; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    lua_rawseti(L, -2, (lua_Integer)i);
  }
  lua_pushnil(L);
  lua_rawseti(L, -2, (lua_Integer)collection->count);
  lua_pop(L, 1);
}

static void collection_replace(alch_host *host, alch_collection *collection, uint32_t index, alch_object *object) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  if (!object) { collection_remove(host, collection, index); return; }
  push_items(L, o, collection);
  binding_push_object(L, o, object);
  lua_rawseti(L, -2, (lua_Integer)index + 1);
  lua_pop(L, 1);
}

/* The table of texts has the current text of slot s at s + 1, and the one of the last flush, which the journal points to, at -s - 1. */
static char *text_new(alch_host *host, alch_object *object, uint32_t slot, size_t size) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  lua_Integer place = (lua_Integer)slot + 1;
  uint8_t kind = alch_object_kinds(object)[slot];
  luaL_checkstack(L, 8, "objects");
  binding_push_object(L, o, object);
  if (lua_getiuservalue(L, -1, 1) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, -3, 1);
  }
  if ((kind & ALCH_SLOT_OUTSIDE) && !(kind & ALCH_SLOT_CHANGED)) {
    lua_rawgeti(L, -1, place);
    lua_rawseti(L, -2, -place);
  }
  char *text = lua_newuserdatauv(L, size, 0);
  lua_rawseti(L, -2, place);
  lua_pop(L, 2);
  return text;
}

/* ---- the record ---- */

static int host_gc(lua_State *L) {
  binding_orm *o = lua_touserdata(L, 1);
  o->b->orm = NULL;
  alch_free(&o->b->allocator, o->known, o->known_capacity * sizeof *o->known);
  o->known = NULL;
  o->known_capacity = 0;
  alch_buffer_close(&o->key);
  alch_map_close(&o->models);
  alch_map_close(&o->models_by_table);
  for (uint32_t i = 0; i < o->registry_count; i++) alch_registry_close(o->registries[i]);
  alch_free(&o->b->allocator, o->registries, o->registry_capacity * sizeof *o->registries);
  o->registries = NULL;
  o->registry_count = o->registry_capacity = 0;
  return 0;
}

static const alch_host host_functions = {
  .object_new = object_new, .identity_find = identity_find, .identity_add = identity_add, .identity_remove = identity_remove, .identity_clear = identity_clear,
  .identity_each = identity_each, .emit = emit, .emit_value = emit_value, .emit_row = emit_row, .keep = keep, .hold = hold, .release = release, .release_all = release_all, .reach = reach,
  .relate = relate, .collection_new = collection_new, .collection_memory = collection_memory, .collection_insert = collection_insert,
  .collection_replace = collection_replace, .collection_remove = collection_remove, .text_new = text_new, .find_bind = binding_find_bind,
};

static int reference_of_false(lua_State *L) {
  lua_pushboolean(L, 0);
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* The metatable of weak tables, or a weak table. */
static int weak_reference(lua_State *L, bool table) {
  lua_newtable(L);
  if (table) lua_newtable(L);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  if (table) lua_setmetatable(L, -2);
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

binding_orm *binding_open_host(lua_State *L, binding *b) {
  binding_orm *o = lua_newuserdatauv(L, sizeof *o, 0);
  memset(o, 0, sizeof *o);
  o->host = host_functions;
  binding_host_calls(&o->host);
  o->b = b;
  alch_buffer_init(&o->key, &b->allocator);
  alch_map_init(&o->models, &b->allocator);
  alch_map_init(&o->models_by_table, &b->allocator);
  lua_newtable(L);
  lua_pushcfunction(L, host_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
  b->orm = o;
  o->weak = weak_reference(L, false);
  o->sessions = weak_reference(L, true);
  o->dispatch = reference_of_false(L);
  o->answer = reference_of_false(L);
  o->configure = reference_of_false(L);
  o->route = reference_of_false(L);
  lua_newtable(L);
  o->instance_methods = luaL_ref(L, LUA_REGISTRYINDEX);
  return o;
}

binding_orm *binding_orm_of(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key);
  binding_orm *o = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return o;
}

void binding_orm_functions(lua_State *L, binding_orm *o, const luaL_Reg *functions) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, o->b);
  lua_pushlightuserdata(L, o);
  luaL_setfuncs(L, functions, 2);
}

void binding_orm_kind(lua_State *L, binding_orm *o, binding_kind kind, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods) {
  binding_kind_register(L, o->b, kind, name, NULL, NULL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, o->b->metatable_references[kind]);
  if (metamethods) binding_orm_functions(L, o, metamethods);
  lua_getfield(L, -1, "__index");
  binding_orm_functions(L, o, methods);
  lua_remove(L, -2);
}
