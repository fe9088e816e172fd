/* bind.c - the engines of a session as Lua sees them: which one something goes to (lualchemy.orm.binds decides), and the connections to them that were given out. */
#include "lua/host.h"

/* ---- engines ---- */

alch_bind *binding_session_bind(lua_State *L, binding_session *s, int session, int index) {
  binding *b = s->orm->b;
  alch_bind *bind = NULL;
  binding_must(L, b, alch_bind_enrol(s->session, binding_check_engine(L, b, index), &bind, &b->error));
  lua_pushvalue(L, index);
  lua_getiuservalue(L, session, BINDING_SESSION_ENGINES);
  lua_insert(L, -2);
  lua_rawseti(L, -2, (lua_Integer)bind->place + 1);
  lua_pop(L, 1);
  return bind;
}

void binding_route(lua_State *L, const binding_session *s, int index, const char *whose) {
  if (ALCH_LIKELY(!s->session->routed && lua_isnil(L, index))) return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->orm->route);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, index);
  lua_pushstring(L, whose);
  lua_call(L, 3, 1);
  lua_replace(L, index);
}

typedef struct bind_request { alch_session *session; const alch_mapper *mapper; const alch_table *table; bool writes; alch_bind *bind; } bind_request;

/* The arguments of get_bind. */
static void push_bind_arguments(lua_State *L, binding *b, const bind_request *request) {
  lua_createtable(L, 0, 3);
  if (request->mapper) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, ((const binding_model *)request->mapper->host)->model);
    lua_setfield(L, -2, "mapper");
  }
  if (request->table) {
    binding_push_table(L, b, alch_catalog_table(b->catalog, request->table->id));
    lua_setfield(L, -2, "table");
  }
  lua_pushboolean(L, request->writes);
  lua_setfield(L, -2, "flushing");
}

/* (request): asks lualchemy.orm.binds. */
static int call_route(lua_State *L) {
  bind_request *request = lua_touserdata(L, 1);
  binding_session *s = request->session->host_data;
  binding_push_session(L, s->orm, request->session);
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->orm->route);
  lua_pushvalue(L, 2);
  push_bind_arguments(L, s->orm->b, request);
  lua_call(L, 2, 1);
  if (!lua_isnil(L, 3)) request->bind = binding_session_bind(L, s, 2, 3);
  return 0;
}

alch_status binding_find_bind(alch_host *host, alch_session *session, const alch_mapper *mapper, const alch_table *table, bool writes, alch_bind **out, alch_error *error) {
  binding_orm *o = (binding_orm *)host;
  lua_State *L = o->scope.state;
  bind_request request = { .session = session, .mapper = mapper, .table = table, .writes = writes };
  (void)error;
  luaL_checkstack(L, 8, "an engine");
  lua_pushcfunction(L, call_route);
  lua_pushlightuserdata(L, &request);
  alch_status status = binding_orm_call(L, o, 1, 0);
  *out = request.bind;
  return status;
}

/* ---- connections that were given out ---- */

void binding_forget_connections(lua_State *L, const binding_session *s) {
  for (alch_bind *bind = s->session->binds; bind; bind = bind->next) {
    binding_connection *given = bind->host_data;
    if (ALCH_LIKELY(!given || given->connection == bind->connection)) continue;
    given->connection = NULL;
    bind->host_data = NULL;
    lua_getiuservalue(L, 1, BINDING_SESSION_CONNECTIONS);
    lua_pushnil(L);
    lua_rawseti(L, -2, (lua_Integer)bind->place + 1);
    lua_pop(L, 1);
  }
}

void binding_push_session_connection(lua_State *L, binding_session *s, alch_bind *bind) {
  lua_Integer place = (lua_Integer)bind->place + 1;
  lua_getiuservalue(L, 1, BINDING_SESSION_CONNECTIONS);
  const binding_connection *known = bind->host_data;
  if (known && known->connection == bind->connection) {
    lua_rawgeti(L, -1, place);
    lua_remove(L, -2);
    return;
  }
  binding_connection *given = binding_new(L, s->orm->b, BINDING_CONNECTION, sizeof *given, 1);
  given->connection = bind->connection;
  given->borrowed = true;
  lua_getiuservalue(L, 1, BINDING_SESSION_ENGINES);
  lua_rawgeti(L, -1, place);
  lua_setiuservalue(L, -3, 1);
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, place);
  lua_remove(L, -2);
  bind->host_data = given;
}
