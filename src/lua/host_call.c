/* host_call.c - the host's part that calls the user's functions: defaults, and listeners of events. */
#include "lua/host.h"

/* The function under the arguments has a scope of its own. */
alch_status binding_orm_call(lua_State *L, binding_orm *o, int arguments, int results) {
  binding_scope outer = o->scope;
  lua_State *state = o->b->state;
  o->scope = (binding_scope){ .state = L, .base = outer.count, .count = outer.count, .closing = outer.closing };
  alch_status status = binding_call_plainly(L, o->b, arguments, results);
  o->scope = outer;
  binding_forget_spots(&o->scope);
  o->b->state = state;
  return status;
}

typedef struct default_request { binding_orm *orm; const alch_column *column; int64_t reference; alch_value value; } default_request;

/* Answers the value, which keeps its text. */
static int call_default(lua_State *L) {
  default_request *request = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, request->reference);
  lua_call(L, 0, 1);
  binding_value_column(L, request->orm->b, 2, request->column, &request->value);
  return 1;
}

static alch_status default_value(alch_host *host, const alch_column *column, bool update, int64_t reference, alch_value *out, alch_error *error) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  default_request request = { .orm = o, .column = column, .reference = reference };
  (void)update; (void)error;
  luaL_checkstack(L, 8, "a default");
  lua_pushcfunction(L, call_default);
  lua_pushlightuserdata(L, &request);
  alch_status status = binding_orm_call(L, o, 1, 1);
  if (status != ALCH_OK) return status;
  lua_rawseti(L, LUA_REGISTRYINDEX, o->answer);
  *out = request.value;
  return ALCH_OK;
}

static const char *const object_events[ALCH_EVENT_COUNT] = { "load", "refresh", "before_insert", "after_insert", "before_update", "after_update", "before_delete", "after_delete" };
const char *const binding_session_events[ALCH_SESSION_EVENT_COUNT] = { "before_flush", "after_flush", "before_commit", "after_commit", "after_rollback", "after_begin" };

/* dispatch(name, model or session, ...): see lualchemy.orm.events. */
static bool push_dispatch(lua_State *L, binding_orm *o, const char *name) {
  if (o->scope.closing) return false;
  luaL_checkstack(L, 12, "an event");
  lua_rawgeti(L, LUA_REGISTRYINDEX, o->dispatch);
  lua_pushstring(L, name);
  return true;
}

static void push_model(lua_State *L, const alch_mapper *mapper) { lua_rawgeti(L, LUA_REGISTRYINDEX, ((const binding_model *)mapper->host)->model); }

static alch_status object_event(alch_host *host, alch_object_event event, alch_object *object) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  if (!push_dispatch(L, o, object_events[event])) return ALCH_OK;
  push_model(L, object->mapper);
  binding_push_object(L, o, object);
  binding_push_session(L, o, object->session);
  return binding_orm_call(L, o, 4, 0);
}

static alch_status session_event(alch_host *host, alch_session_event event, alch_session *session) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  if (!push_dispatch(L, o, binding_session_events[event])) return ALCH_OK;
  lua_pushnil(L);
  binding_push_session(L, o, session);
  return binding_orm_call(L, o, 3, 0);
}

typedef struct attribute_request { binding_orm *orm; const alch_object *object; uint32_t slot; alch_value value; } attribute_request;

/* (request, dispatch, "set", model, name, object, value, old): what the listeners answer becomes the value. */
static int call_attribute_event(lua_State *L) {
  attribute_request *request = lua_touserdata(L, 1);
  lua_call(L, lua_gettop(L) - 2, 1);
  const binding_model *model = request->object->mapper->host;
  binding_attribute_value(L, model, request->slot, lua_gettop(L), &request->value);
  return 1;
}

static alch_status attribute_event(alch_host *host, alch_object *object, uint32_t slot, alch_value *value) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  if (o->scope.closing) return ALCH_OK;
  const alch_attribute *attribute = &object->mapper->attributes[slot];
  attribute_request request = { .orm = o, .object = object, .slot = slot };
  luaL_checkstack(L, 16, "an event");
  lua_pushcfunction(L, call_attribute_event);
  lua_pushlightuserdata(L, &request);
  push_dispatch(L, o, "set");
  push_model(L, object->mapper);
  lua_pushstring(L, attribute->name);
  binding_push_object(L, o, object);
  binding_push_value(L, o->b, value, attribute->type);
  alch_value old = alch_object_cell_value(object, slot);
  if (alch_object_loaded(object, slot)) binding_push_value(L, o->b, &old, attribute->type);
  else lua_pushnil(L);
  alch_status status = binding_orm_call(L, o, 8, 1);
  if (status != ALCH_OK) return status;
  lua_rawseti(L, LUA_REGISTRYINDEX, o->answer);
  *value = request.value;
  return ALCH_OK;
}

static alch_status related_event(alch_host *host, alch_object *object, uint32_t slot, alch_object *target, bool added) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  const alch_relationship *relationship = alch_mapper_relationship(object->mapper, slot);
  if (!push_dispatch(L, o, !relationship->list ? "set" : added ? "append" : "remove")) return ALCH_OK;
  push_model(L, object->mapper);
  lua_pushstring(L, relationship->name);
  binding_push_object(L, o, object);
  binding_push_object(L, o, target);
  return binding_orm_call(L, o, 5, 0);
}

void binding_host_calls(alch_host *host) {
  host->default_value = default_value;
  host->object_event = object_event;
  host->session_event = session_event;
  host->attribute_event = attribute_event;
  host->related_event = related_event;
}
