/* query_stream.c - results of statements with entities whose rows come piece by piece (yield_per, stream_results): between two pieces the load rests, and the session does other things. */
#include "lua/host.h"

/* A load that is running goes with its session: it is in the midst of something. */
static int stream_gc(lua_State *L) {
  binding_query_stream *stream = lua_touserdata(L, 1);
  alch_load *load = stream->load;
  if (!load) return 0;
  alch_load_watch(load, NULL);
  stream->load = NULL;
  if (!stream->running) alch_load_close(load);
  return 0;
}

void binding_query_stream_new(lua_State *L, binding_orm *o, int index, int statement, uint32_t piece, bool yields) {
  binding_query_result *result = lua_touserdata(L, index);
  binding_query_stream *stream = binding_new(L, o->b, BINDING_QUERY_STREAM, sizeof *stream, 1);
  stream->piece = piece;
  stream->yields = yields;
  stream->load = result->load;
  alch_load_watch(result->load, &stream->load);
  lua_pushvalue(L, statement);
  lua_setiuservalue(L, -2, 1);
  lua_setiuservalue(L, index, 4);
  result->stream = stream;
}

void binding_query_finish(binding_query_result *result) {
  result->closed = true;
  if (result->stream && !result->stream->running) alch_load_close(result->stream->load);
}

static int load_pieces(lua_State *L) { return binding_session_run(L, BINDING_TASK_PIECES); }

/* The rows that were not given out yet move to a list of their own, which is left on the stack: the others are nobody's business any more. */
static void renew_rows(lua_State *L, binding_query_result *result) {
  uint32_t left = result->count - result->next;
  lua_getiuservalue(L, 1, 1);
  lua_createtable(L, (int)left, 0);
  for (uint32_t i = 1; i <= left; i++) {
    lua_rawgeti(L, -2, (lua_Integer)result->next + i);
    lua_rawseti(L, -2, i);
  }
  lua_remove(L, -2);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, 1);
  result->before += result->next;
  result->next = 0;
  result->count = left;
}

static int refuse_stream(lua_State *L, const binding_query_stream *stream) {
  if (stream->running && stream->load) return binding_error(L, BINDING(L), ALCH_ERROR_INVALID_REQUEST, "the rows of this result are being loaded: what happens meanwhile cannot ask for more of them");
  return binding_error(L, BINDING(L), ALCH_ERROR_RESOURCE_CLOSED, "this result is closed: its session was closed or rolled back before its last row was read");
}

int binding_query_more(lua_State *L, uint32_t wanted, lua_KContext context, lua_KFunction then) {
  binding_query_result *result = lua_touserdata(L, 1);
  const binding_query_stream *stream = result->stream;
  if (!stream || stream->ended || result->count - result->next >= wanted) return then(L, LUA_OK, context);
  if (stream->running || !stream->load) return refuse_stream(L, stream);
  lua_pushcfunction(L, load_pieces);
  lua_getiuservalue(L, 1, 3);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, wanted);
  renew_rows(L, result);
  if (result->single) lua_pushnil(L);
  else lua_createtable(L, (int)result->place_count, 0);
  lua_callk(L, 5, 0, context, then);
  return then(L, LUA_OK, context);
}

void binding_open_query_stream(lua_State *L, binding *b) {
  static const luaL_Reg metamethods[] = { { "__gc", stream_gc }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_QUERY_STREAM, "stream of objects", NULL, metamethods);
}
