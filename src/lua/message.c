/* message.c - notifications of other sessions. lua/lualchemy/notification.lua is the part that users see. */
#include "engine/message.h"
#include "lua/engine.h"
#include "sql/compile.h"

enum { SLOT_CONNECTION = 1, SLOT_UNTIL };

static const alch_messages *check_messages(lua_State *L, binding *b, alch_connection *connection) {
  const alch_messages *messages = alch_connection_messages(connection);
  if (!messages || !messages->notification)
    binding_error(L, b, ALCH_ERROR_NOT_SUPPORTED, "%s sends no notifications to its sessions", alch_engine_dialect(alch_connection_engine(connection))->name);
  return messages;
}

static void push_notification(lua_State *L, const alch_notification *notification) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, notification->channel);
  lua_setfield(L, -2, "channel");
  lua_pushstring(L, notification->payload);
  lua_setfield(L, -2, "payload");
  lua_pushinteger(L, (lua_Integer)notification->process);
  lua_setfield(L, -2, "pid");
}

/* The second slot: the moment until which it is waited for, in microseconds, or nil. */
static int notification_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  for (;;) {
    alch_notification notification;
    alch_connection *connection = binding_check_connection(L, b, SLOT_CONNECTION);
    binding_enter(L, b);
    int64_t until = lua_isnil(L, SLOT_UNTIL) ? INT64_MAX : (int64_t)lua_tointeger(L, SLOT_UNTIL);
    alch_status heard = binding_must(L, b, alch_connection_notification(connection, until, &notification, &b->error));
    if (heard == ALCH_DONE) return 0;
    if (heard == ALCH_ROW) {
      push_notification(L, &notification);
      return 1;
    }
    binding_wait(L, b, connection, context, notification_continue);
  }
}

/* wait_for_notification([seconds]): the next one, { channel =, payload =, pid = }; nil when the time is over. Without a time it waits for as long as it takes. */
static int connection_wait(lua_State *L) {
  binding *b = BINDING(L);
  check_messages(L, b, binding_check_connection(L, b, SLOT_CONNECTION));
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) {
    lua_Number seconds = lua_tonumber(L, 2);
    if (lua_type(L, 2) != LUA_TNUMBER || !(seconds >= 0)) return binding_expected(L, b, 2, "seconds, from 0 on, or nothing", "wait_for_notification");
    if (seconds > 1e9) lua_pushnil(L);
    else lua_pushinteger(L, (lua_Integer)(alch_clock_microseconds() + (int64_t)(seconds * 1e6)));
    lua_replace(L, 2);
  }
  return notification_continue(L, LUA_OK, 0);
}

/* listening_words_(channel or nil): the statements that begin and end listening to it, that which ends all of it, and that which notifies. */
static int connection_words(lua_State *L) {
  binding *b = BINDING(L);
  alch_connection *connection = binding_check_connection(L, b, 1);
  const alch_messages *messages = check_messages(L, b, connection);
  alch_buffer *name = &b->scratch;
  alch_buffer_clear(name);
  if (!lua_isnoneornil(L, 2)) alch_quote_identifier(alch_engine_dialect(alch_connection_engine(connection)), binding_text(L, b, 2, NULL, "the name of a channel", "listen"), 1, name);
  if (alch_buffer_failed(name)) binding_must(L, b, alch_error_out_of_memory(&b->error));
  luaL_gsub(L, messages->listen, "%", alch_buffer_text(name));
  luaL_gsub(L, messages->unlisten, "%", alch_buffer_text(name));
  lua_pushstring(L, messages->unlisten_all);
  lua_pushstring(L, messages->notify);
  return 4;
}

void binding_open_message(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "wait_for_notification", connection_wait }, { "listening_words_", connection_words }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_CONNECTION, methods);
}
