/* instance.c - objects of models as Lua sees them: attributes, relationships, construction. */
#include "base/utf8.h"
#include "lua/host.h"
#include <string.h>

static const char instance_key = 0;   /* metatable[&instance_key]: the model of the instances with this metatable */

int binding_unknown_attribute(lua_State *L, const binding_model *model, const char *name) {
  const char *nearest = alch_mapper_nearest(model->mapper, name);
  return binding_error(L, model->orm->b, ALCH_ERROR_ARGUMENT, nearest ? "%s has no attribute '%s'; the nearest is '%s'" : "%s has no attribute '%s'", model->mapper->name, name, nearest);
}

static alch_object *test_instance(lua_State *L, int index, const binding_model **model) {
  void *payload = lua_touserdata(L, index);
  if (!payload || !lua_getmetatable(L, index)) return NULL;
  bool ours = lua_rawgetp(L, -1, &instance_key) == LUA_TLIGHTUSERDATA;
  if (model) *model = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return ours ? payload : NULL;
}

alch_object *binding_instance(lua_State *L, int index) { return test_instance(L, index, NULL); }

alch_object *binding_check_instance(lua_State *L, binding *b, int index, const char *where) {
  alch_object *object = test_instance(L, index, NULL);
  if (!object) binding_expected(L, b, index, "an object of a model", where);
  return object;
}

/* ---- reading ---- */

static void push_attribute(lua_State *L, const binding_model *model, const alch_object *object, uint32_t slot) {
  alch_value value = alch_object_cell_value(object, slot);
  if (ALCH_UNLIKELY(!model->direct[slot])) {
    binding_push_value(L, model->orm->b, &value, model->mapper->attributes[slot].type);
    return;
  }
  switch (value.kind) {
    case ALCH_NULL: lua_pushnil(L); return;
    case ALCH_INTEGER: lua_pushinteger(L, value.integer); return;
    case ALCH_REAL: lua_pushnumber(L, value.real); return;
    case ALCH_TEXT: case ALCH_BLOB: lua_pushlstring(L, value.text, value.length); return;
    case ALCH_BOOLEAN: lua_pushboolean(L, value.integer != 0); return;
    default: binding_push_value(L, model->orm->b, &value, model->mapper->attributes[slot].type); return;
  }
}

/* What is there at a slot that is loaded, or needs no loading. The object stands at `at`. */
static void push_present(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot, int at) {
  const alch_mapper *mapper = object->mapper;
  uint8_t kind = alch_object_kinds(object)[slot];
  if (slot < mapper->attribute_count) {
    if (kind & ALCH_SLOT_UNLOADED) lua_pushnil(L);
    else push_attribute(L, mapper->host, object, slot);
    return;
  }
  const alch_relationship *relationship = &mapper->relationships[slot - mapper->attribute_count];
  if (relationship->list && ((kind & ALCH_SLOT_UNLOADED) || !object->cells[slot].collection)) {
    binding_orm_enter(L, o);
    binding_know(L, o, object, at);
    alch_object_collection(&o->host, object, relationship);
  }
  if (!relationship->list && ((kind & ALCH_SLOT_UNLOADED) || !object->cells[slot].object)) lua_pushnil(L);
  else lua_getiuservalue(L, at, 2 + (int)relationship->index);
}

/* Has the object a row to load the slot from? Transient and pending ones read nil. */
static bool wants_loading(const alch_object *object, uint32_t slot) {
  if (alch_object_loaded(object, slot)) return false;
  if (object->session) return (object->state & ALCH_STATE_PERSISTENT) != 0 || slot >= object->mapper->attribute_count;
  return (object->state & ALCH_STATE_KEYED) != 0;
}

/* A pending object's many-to-one may be known by its foreign key; nothing else of it is in the database. */
static bool row_is_there(const alch_object *object) { return !object->session || (object->state & ALCH_STATE_PERSISTENT); }

static int load_continue(lua_State *L, int status, lua_KContext context);

/* The object stands at 1, the slot's number at 2, what is kept alive at 3: the frame of a protected call. */
static int load_body(lua_State *L) {
  if (lua_isnone(L, 3)) { lua_settop(L, 2); lua_pushnil(L); }
  return load_continue(L, LUA_OK, 0);
}

static int load_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  alch_object *object = lua_touserdata(L, 1);
  uint32_t slot = (uint32_t)lua_tointeger(L, 2);
  binding_orm *o = ((const binding_model *)object->mapper->host)->orm;
  for (;;) {
    binding_session *s = object->session ? object->session->host_data : NULL;
    binding_orm_enter(L, o);
    o->scope.keep = 3;
    binding_know(L, o, object, 1);
    binding_orm_prepare(L, o);
    if (s) s->entered++;
    alch_status answer = alch_load_slot(object, slot, &o->host, &o->b->error);
    if (s) s->entered--;
    if (answer != ALCH_WAIT) { binding_must(L, o->b, answer); break; }
    binding_keep_known(L, o, 3);
    lua_settop(L, 3);
    binding_wait(L, o->b, alch_session_awaits(object->session), context, load_continue);
  }
  lua_settop(L, 2);
  push_present(L, o, object, slot, 1);
  return 1;
}

static int load_left(lua_State *L, int status, lua_KContext context) {
  alch_object *object = lua_touserdata(L, 1);
  if (object->session) binding_session_left(L, object->session->host_data, (uint32_t)context, status);
  else if (status != LUA_OK && status != LUA_YIELD) return lua_error(L);
  return 1;
}

/* The object stands at 1. Leaves the value on the stack's top. */
static int load_and_push(lua_State *L, alch_object *object, uint32_t slot) {
  const binding_session *s = object->session ? object->session->host_data : NULL;
  lua_KContext entered = s ? (lua_KContext)s->entered : 0;
  lua_pushcfunction(L, load_body);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, (lua_Integer)slot);
  return load_left(L, lua_pcallk(L, 2, 1, 0, entered, load_left), entered);
}

int binding_push_slot(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot) {
  if (wants_loading(object, slot) && (row_is_there(object) || alch_mapper_relationship(object->mapper, slot)->direction == ALCH_MANY_TO_ONE)) return load_and_push(L, object, slot);
  push_present(L, o, object, slot, 1);
  return 1;
}

static int read_slot(lua_State *L) {
  alch_object *object = lua_touserdata(L, 1);
  return binding_push_slot(L, ((const binding_model *)object->mapper->host)->orm, object, (uint32_t)lua_tointeger(L, 2));
}

void binding_load_slot(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot, int at) {
  (void)o;
  if (!wants_loading(object, slot)) return;
  at = lua_absindex(L, at);
  lua_pushcfunction(L, read_slot);
  lua_pushvalue(L, at);
  lua_pushinteger(L, (lua_Integer)slot);
  lua_call(L, 2, 0);
}

/* Methods of the model, extras, methods of all instances; nil for names with two underscores; else an error. */
static int read_other(lua_State *L, const binding_model *model) {
  binding_orm *o = model->orm;
  lua_settop(L, 2);
  if (lua_type(L, 2) != LUA_TSTRING) {
    if (model->extra && lua_getiuservalue(L, 1, 1) == LUA_TTABLE) { lua_getfield(L, -1, "extra"); if (lua_istable(L, -1)) { lua_pushvalue(L, 2); lua_rawget(L, -2); return 1; } }
    return model->extra ? 0 : binding_expected(L, o->b, 2, "the name of an attribute", model->mapper->name);
  }
  const char *name = lua_tostring(L, 2);
  bool internal = name[0] == '_' && name[1] == '_';
  lua_rawgeti(L, LUA_REGISTRYINDEX, model->model);
  lua_pushvalue(L, 2);
  if (!internal && lua_rawget(L, -2) != LUA_TNIL) return 1;
  lua_settop(L, 2);
  if (model->extra && lua_getiuservalue(L, 1, 1) == LUA_TTABLE && lua_getfield(L, -1, "extra") == LUA_TTABLE) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return 1;
  }
  lua_settop(L, 2);
  lua_rawgeti(L, LUA_REGISTRYINDEX, o->instance_methods);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TNIL || internal || model->extra) return 1;
  return binding_unknown_attribute(L, model, name);
}

/* alch_object_loaded, without a call for what has not expired. */
static inline bool is_loaded(const alch_object *object, uint32_t slot) {
  const alch_session *session = object->session;
  bool current = session && !(object->state & ALCH_STATE_EXPIRED) && object->batch >= session->oldest_batch;
  return ALCH_LIKELY(current) ? !(alch_object_kinds(object)[slot] & ALCH_SLOT_UNLOADED) : alch_object_loaded(object, slot);
}

static int instance_index(lua_State *L) {
  alch_object *object = lua_touserdata(L, 1);
  if (ALCH_UNLIKELY(!object)) return 0;
  const binding_model *model = object->mapper->host;
  if (ALCH_UNLIKELY(lua_type(L, 2) != LUA_TSTRING)) return read_other(L, model);
  size_t length;
  const char *name = lua_tolstring(L, 2, &length);
  uint32_t slot = binding_model_slot(model, name, length);
  if (ALCH_UNLIKELY(slot == UINT32_MAX)) return read_other(L, model);
  if (ALCH_LIKELY(is_loaded(object, slot))) {
    if (ALCH_LIKELY(slot < model->mapper->attribute_count)) {
      push_attribute(L, model, object, slot);
      return 1;
    }
    if (!object->cells[slot].object) lua_pushnil(L);
    else lua_getiuservalue(L, 1, 2 + (int)(slot - model->mapper->attribute_count));
    return 1;
  }
  return binding_push_slot(L, model->orm, object, slot);
}

/* ---- writing ---- */

void binding_attribute_value(lua_State *L, const binding_model *model, uint32_t slot, int index, alch_value *out) {
  switch (model->writes[slot]) {
    case BINDING_WRITE_INTEGER:
      if (!lua_isinteger(L, index)) break;
      *out = alch_value_integer(lua_tointeger(L, index));
      return;
    case BINDING_WRITE_REAL:
      if (lua_type(L, index) != LUA_TNUMBER || lua_isinteger(L, index)) break;
      *out = alch_value_real(lua_tonumber(L, index));
      return;
    case BINDING_WRITE_TEXT: {
      size_t length;
      if (lua_type(L, index) != LUA_TSTRING) break;
      const char *text = lua_tolstring(L, index, &length);
      if (length > INT32_MAX || !alch_utf8_is_text(text, length)) break;
      *out = alch_value_text(text, length);
      return;
    }
    case BINDING_WRITE_BOOLEAN:
      if (!lua_isboolean(L, index)) break;
      *out = alch_value_boolean(lua_toboolean(L, index));
      return;
    default: break;
  }
  binding_value_column(L, model->orm->b, index, model->mapper->attributes[slot].column, out);
}

/* The table of extras of the object at index. */
static void push_extras(lua_State *L, int index) {
  if (lua_getiuservalue(L, index, 1) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, index, 1);
  }
  if (lua_getfield(L, -1, "extra") != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "extra");
  }
  lua_remove(L, -2);
}

/* object, name, value */
static int write_other(lua_State *L, const binding_model *model) {
  if (!model->extra) {
    if (lua_type(L, 2) != LUA_TSTRING) return binding_expected(L, model->orm->b, 2, "the name of an attribute", model->mapper->name);
    return binding_unknown_attribute(L, model, lua_tostring(L, 2));
  }
  push_extras(L, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, -3);
  return 0;
}

static int instance_newindex(lua_State *L) {
  alch_object *object = lua_touserdata(L, 1);
  if (ALCH_UNLIKELY(!object)) return 0;
  const binding_model *model = object->mapper->host;
  if (ALCH_UNLIKELY(lua_type(L, 2) != LUA_TSTRING)) return write_other(L, model);
  size_t length;
  const char *name = lua_tolstring(L, 2, &length);
  uint32_t slot = binding_model_slot(model, name, length);
  if (ALCH_UNLIKELY(slot == UINT32_MAX)) return write_other(L, model);
  binding_orm *o = model->orm;
  if (slot >= model->mapper->attribute_count) {
    binding_set_related(L, o, object, 1, alch_mapper_relationship(model->mapper, slot), 3);
    return 0;
  }
  alch_value value;
  binding_attribute_value(L, model, slot, 3, &value);
  binding_orm_enter(L, o);
  binding_know(L, o, object, 1);
  binding_must(L, o->b, alch_object_set(&o->host, object, slot, value, &o->b->error));
  return 0;
}

/* ---- construction: Player{ name = "Ann", team = red } ---- */

enum { STACK_VALUES = 48 };

typedef struct making {
  const binding_model *model;
  alch_value *values;
  bool *given;
  uint32_t related, extras;     /* how many of the keys are not attributes */
} making;

/* The key is at -2, the value on top; pops the value. Texts that had to be made stay on the stack, below the key. */
static void take_value(lua_State *L, making *m) {
  const binding_model *model = m->model;
  if (lua_type(L, -2) != LUA_TSTRING) {
    if (!model->extra) binding_error(L, model->orm->b, ALCH_ERROR_ARGUMENT, "%s{ … } takes attributes by name; a value without one came: write name = value", model->mapper->name);
    m->extras++;
    lua_pop(L, 1);
    return;
  }
  size_t length;
  const char *name = lua_tolstring(L, -2, &length);
  uint32_t slot = binding_model_slot(model, name, length);
  if (slot == UINT32_MAX) {
    if (!model->extra) binding_unknown_attribute(L, model, name);
    m->extras++;
  } else if (slot >= model->mapper->attribute_count) m->related++;
  else {
    binding_attribute_value(L, model, slot, -1, &m->values[slot]);
    m->given[slot] = true;
    if (alch_value_has_text(m->values[slot].kind) && model->writes[slot] != BINDING_WRITE_TEXT) {
      luaL_checkstack(L, 8, "attributes");
      lua_insert(L, -2);
      return;
    }
  }
  lua_pop(L, 1);
}

static void take_values(lua_State *L, making *m) {
  lua_pushnil(L);
  while (lua_next(L, 2)) take_value(L, m);
}

static void take_related(lua_State *L, const binding_model *model, alch_object *object, int at) {
  for (uint32_t i = 0; i < model->mapper->relationship_count; i++) {
    const alch_relationship *relationship = &model->mapper->relationships[i];
    lua_pushstring(L, relationship->name);
    if (lua_rawget(L, 2) != LUA_TNIL) binding_set_related(L, model->orm, object, at, relationship, lua_gettop(L));
    lua_settop(L, at);
  }
}

static void take_extras(lua_State *L, const binding_model *model, int at) {
  push_extras(L, at);
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    size_t length;
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
    if (!name || binding_model_slot(model, name, length) == UINT32_MAX) {
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_rawset(L, at + 1);
    }
    lua_pop(L, 1);
  }
  lua_settop(L, at);
}

/* The model's __call. upvalues: the binding, the ORM's record, the model, the metatable of its instances */
static int instance_make(lua_State *L) {
  binding_model *model = lua_touserdata(L, lua_upvalueindex(3));
  const alch_mapper *mapper = model->mapper;
  alch_value stack_values[STACK_VALUES];
  bool stack_given[STACK_VALUES];
  making m = { .model = model, .values = stack_values, .given = stack_given };
  binding_be_ready(L, model);
  if (!lua_isnoneornil(L, 2) && !lua_istable(L, 2)) binding_expected(L, model->orm->b, 2, "a table of attributes", mapper->name);
  lua_settop(L, 2);
  if (mapper->attribute_count > STACK_VALUES) {
    m.values = lua_newuserdatauv(L, mapper->attribute_count * sizeof *m.values, 0);
    m.given = lua_newuserdatauv(L, mapper->attribute_count, 0);
  }
  memset(m.values, 0, mapper->attribute_count * sizeof *m.values);
  memset(m.given, 0, mapper->attribute_count);
  if (lua_istable(L, 2)) take_values(L, &m);
  size_t size = alch_object_size(mapper, m.values);
  alch_object *object = lua_newuserdatauv(L, size, 1 + (int)mapper->relationship_count);
  memset(object, 0, alch_object_fixed_size(mapper));
  alch_object_fill(object, mapper, m.values, m.given);
  lua_pushvalue(L, lua_upvalueindex(4));
  lua_setmetatable(L, -2);
  int at = lua_gettop(L);
  if (m.related > 0) take_related(L, model, object, at);
  if (m.extras > 0) take_extras(L, model, at);
  return 1;
}

/* ---- as a table, as text ---- */

static alch_object *check_self(lua_State *L) {
  const binding_model *model = NULL;
  alch_object *object = test_instance(L, 1, &model);
  if (!object) luaL_argerror(L, 1, "an object of a model expected");
  return object;
}

/* The name and the value of the slot; the object stands at 1. */
static int pair_of(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot) {
  lua_pushstring(L, object->mapper->attributes[slot].name);
  binding_load_slot(L, o, object, slot, 1);
  push_present(L, o, object, slot, 1);
  return 2;
}

/* object, name: the attribute behind it with its value; then the extras */
static int instance_next(lua_State *L) {
  alch_object *object = check_self(L);
  const binding_model *model = object->mapper->host;
  uint32_t slot = 0;
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING) {
    size_t length;
    const char *name = lua_tolstring(L, 2, &length);
    slot = binding_model_slot(model, name, length);
    slot = slot == UINT32_MAX ? slot : slot + 1;
  } else if (!lua_isnil(L, 2)) slot = UINT32_MAX;
  if (slot < object->mapper->attribute_count) return pair_of(L, model->orm, object, slot);
  if (!model->extra) return 0;
  push_extras(L, 1);
  if (slot == UINT32_MAX) lua_pushvalue(L, 2);
  else lua_pushnil(L);
  return lua_next(L, -2) ? 2 : 0;
}

static int instance_pairs(lua_State *L) {
  check_self(L);
  lua_pushcfunction(L, instance_next);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

/* to_table(): a plain table of all attributes (not the relationships); what is not loaded is loaded. */
static int instance_to_table(lua_State *L) {
  alch_object *object = check_self(L);
  const binding_model *model = object->mapper->host;
  lua_settop(L, 1);
  lua_createtable(L, 0, (int)object->mapper->attribute_count);
  for (uint32_t slot = 0; slot < object->mapper->attribute_count; slot++) {
    pair_of(L, model->orm, object, slot);
    lua_rawset(L, 2);
  }
  return 1;
}

/* Player(id=1), Player(name="Ann") for keys of text, Player(new) without a key */
static int instance_tostring(lua_State *L) {
  alch_object *object = check_self(L);
  const binding_model *model = object->mapper->host;
  alch_value key[ALCH_KEY_LIMIT];
  if (!alch_object_key(object, false, key)) {
    lua_pushfstring(L, "%s(new)", object->mapper->name);
    return 1;
  }
  alch_buffer *out = &model->orm->key;
  alch_buffer_clear(out);
  alch_buffer_add_format(out, "%s(", object->mapper->name);
  for (uint32_t i = 0; i < object->mapper->key_count; i++) {
    alch_buffer_add_format(out, "%s%s=", i ? ", " : "", object->mapper->attributes[object->mapper->key_slots[i]].name);
    alch_value_print(&key[i], out, 40);
  }
  alch_buffer_add_char(out, ')');
  lua_pushlstring(L, alch_buffer_text(out), out->length);
  return 1;
}

/* ---- opening ---- */

void binding_model_metatable(lua_State *L, binding_model *model) {
  lua_newtable(L);
  lua_pushlightuserdata(L, model);
  lua_rawsetp(L, -2, &instance_key);
  lua_rawgetp(L, LUA_REGISTRYINDEX, model->orm->b);
  lua_pushcclosure(L, instance_index, 1);
  lua_setfield(L, -2, "__index");
  lua_rawgetp(L, LUA_REGISTRYINDEX, model->orm->b);
  lua_pushcclosure(L, instance_newindex, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushcfunction(L, instance_pairs);
  lua_setfield(L, -2, "__pairs");
  lua_pushcfunction(L, instance_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushfstring(L, "%s object", model->mapper->name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

void binding_push_constructor(lua_State *L, binding_model *model) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, model->orm->b);
  lua_pushlightuserdata(L, model->orm);
  lua_pushlightuserdata(L, model);
  lua_rawgeti(L, LUA_REGISTRYINDEX, model->metatable);
  lua_pushcclosure(L, instance_make, 4);
}

/* is_instance(value) */
static int instance_is(lua_State *L) {
  lua_pushboolean(L, binding_instance(L, 1) != NULL);
  return 1;
}

void binding_open_instance(lua_State *L, binding *b, binding_orm *o) {
  static const luaL_Reg methods[] = { { "to_table", instance_to_table }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "is_instance", instance_is }, { NULL, NULL } };
  lua_rawgeti(L, LUA_REGISTRYINDEX, o->instance_methods);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushlightuserdata(L, o);
  luaL_setfuncs(L, functions, 2);
}
