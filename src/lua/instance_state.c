/* instance_state.c - what la.inspect(object) tells: states, keys, history. lua/lualchemy/orm/inspect.lua puts it into words. */
#include "lua/host.h"

static const char *state_name(const alch_object *object) {
  if (object->session) {
    if (object->state & ALCH_STATE_DELETED) return "deleted";
    return object->state & ALCH_STATE_PENDING ? "pending" : "persistent";
  }
  return object->state & (ALCH_STATE_KEYED | ALCH_STATE_DELETED) ? "detached" : "transient";
}

static alch_object *check_object(lua_State *L) { return binding_check_instance(L, BINDING(L), 1, "inspect"); }

/* state(object): "transient", "pending", "persistent", "deleted" or "detached"; is it changed; is it marked for deletion; is it expired */
static int instance_state(lua_State *L) {
  const alch_object *object = check_object(L);
  const uint8_t *kinds = alch_object_kinds(object);
  bool modified = false;
  for (uint32_t i = 0; i < object->mapper->slot_count; i++) modified = modified || (kinds[i] & ALCH_SLOT_CHANGED);
  lua_pushstring(L, state_name(object));
  lua_pushboolean(L, modified);
  lua_pushboolean(L, (object->state & ALCH_STATE_DELETING) != 0);
  lua_pushboolean(L, alch_object_expired(object));
  return 4;
}

/* key(object): a list of the key's values, or nil when it has no row */
static int instance_key(lua_State *L) {
  const alch_object *object = check_object(L);
  const alch_mapper *mapper = object->mapper;
  alch_value key[ALCH_KEY_LIMIT];
  if (!(object->state & (ALCH_STATE_PERSISTENT | ALCH_STATE_KEYED | ALCH_STATE_DELETED)) || !alch_object_key(object, true, key)) return 0;
  lua_createtable(L, (int)mapper->key_count, 0);
  for (uint32_t i = 0; i < mapper->key_count; i++) {
    binding_push_value(L, BINDING(L), &key[i], mapper->attributes[mapper->key_slots[i]].type);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* object_session(object) */
static int instance_session(lua_State *L) {
  binding_push_session(L, BINDING_ORM(L), check_object(L)->session);
  return 1;
}

static uint32_t check_slot(lua_State *L, const alch_object *object) {
  uint32_t slot = alch_mapper_slot(object->mapper, luaL_checkstring(L, 2));
  if (slot == UINT32_MAX) binding_unknown_attribute(L, object->mapper->host, lua_tostring(L, 2));
  return slot;
}

/* unloaded(object): names of attributes and relationships without a value */
static int instance_unloaded(lua_State *L) {
  const alch_object *object = check_object(L);
  lua_Integer count = 0;
  lua_newtable(L);
  for (uint32_t i = 0; i < object->mapper->slot_count; i++) {
    if (alch_object_loaded(object, i)) continue;
    lua_pushstring(L, alch_mapper_slot_name(object->mapper, i));
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* loaded(object, name): is there a value, and which; nothing is read from the database */
static int instance_loaded(lua_State *L) {
  alch_object *object = check_object(L);
  uint32_t slot = check_slot(L, object);
  bool loaded = alch_object_loaded(object, slot);
  lua_pushboolean(L, loaded);
  if (!loaded) return 1;
  binding_push_slot(L, BINDING_ORM(L), object, slot);
  return 2;
}

static void push_list_of(lua_State *L, int value) {
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, value);
  lua_rawseti(L, -2, 1);
}

/* added, unchanged, deleted of an attribute, or of a scalar relationship */
static int scalar_history(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot) {
  const alch_mapper *mapper = object->mapper;
  uint8_t kind = alch_object_kinds(object)[slot];
  if (!alch_object_loaded(object, slot)) { lua_newtable(L); lua_newtable(L); lua_newtable(L); return 3; }
  binding_push_slot(L, o, object, slot);
  int value = lua_gettop(L);
  bool fresh = !(object->state & (ALCH_STATE_PERSISTENT | ALCH_STATE_KEYED));
  bool changed = (kind & ALCH_SLOT_CHANGED) || (fresh && !lua_isnil(L, value));
  const alch_old_value *old = kind & ALCH_SLOT_OLD ? alch_session_old_value(object->session, object, slot) : NULL;
  if (changed) { push_list_of(L, value); lua_newtable(L); }
  else { lua_newtable(L); push_list_of(L, value); }
  lua_newtable(L);
  if (!old) return 3;
  if (slot >= mapper->attribute_count) {
    binding_orm_enter(L, o);
    binding_push_object(L, o, old->cell.object);
  } else {
    alch_value before = alch_object_old_cell_value(object, old);
    binding_push_value(L, o->b, &before, mapper->attributes[slot].type);
  }
  lua_rawseti(L, -2, 1);
  return 3;
}

static bool is_in(alch_object *const *items, uint32_t count, const alch_object *item) {
  for (uint32_t i = 0; i < count; i++)
    if (items[i] == item) return true;
  return false;
}

static int list_history(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot) {
  lua_newtable(L);
  lua_newtable(L);
  lua_newtable(L);
  int top = lua_gettop(L);
  const alch_collection *list = alch_object_loaded(object, slot) ? object->cells[slot].collection : NULL;
  if (!list) return 3;
  lua_getiuservalue(L, 1, 2 + (int)(slot - object->mapper->attribute_count));
  lua_getiuservalue(L, -1, 1);
  for (uint32_t i = 0; i < list->count; i++) {
    int into = alch_collection_was_there(list, list->items[i]) ? top - 1 : top - 2;
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    lua_rawseti(L, into, (lua_Integer)lua_rawlen(L, into) + 1);
  }
  lua_settop(L, top);
  alch_object *const *before = list->committed ? list->committed : list->items;
  binding_orm_enter(L, o);
  for (uint32_t i = 0; i < list->committed_count; i++) {
    if (is_in(list->items, list->count, before[i])) continue;
    luaL_checkstack(L, 8, "history");
    binding_push_object(L, o, before[i]);
    lua_rawseti(L, top, (lua_Integer)lua_rawlen(L, top) + 1);
  }
  return 3;
}

/* history(object, name): three lists: added, unchanged, deleted, against the last flush or load */
static int instance_history(lua_State *L) {
  alch_object *object = check_object(L);
  uint32_t slot = check_slot(L, object);
  lua_settop(L, 2);
  const alch_relationship *relationship = alch_mapper_relationship(object->mapper, slot);
  return relationship && relationship->list ? list_history(L, BINDING_ORM(L), object, slot) : scalar_history(L, BINDING_ORM(L), object, slot);
}

void binding_open_instance_state(lua_State *L, binding_orm *o) {
  static const luaL_Reg functions[] = {
    { "state", instance_state }, { "key", instance_key }, { "object_session", instance_session }, { "unloaded", instance_unloaded }, { "loaded", instance_loaded },
    { "history", instance_history }, { NULL, NULL },
  };
  binding_orm_functions(L, o, functions);
}
