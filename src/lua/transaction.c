/* transaction.c - transactions and savepoints: as objects, as conn:commit(), round a function. */
#include "lua/engine.h"
#include <stdio.h>
#include <string.h>

/* User value 1: the connection object. */
typedef struct binding_transaction {
  uint32_t level, serial;    /* serial 0: not begun yet */
  bool ended, twophase;
  char xid[72];              /* of a two-phase one; "": one is made up */
} binding_transaction;

static binding_connection *connection_of(lua_State *L, int index) {
  lua_getiuservalue(L, index, 1);
  binding_connection *connection = lua_touserdata(L, -1);
  lua_pop(L, 1);   /* the transaction keeps it */
  return connection;
}

static bool is_open(const binding_transaction *transaction, const binding_connection *connection) {
  return !transaction->ended && binding_level_is(connection, transaction->level, transaction->serial);
}

static binding_transaction *push_transaction(lua_State *L, binding *b, int connection) {
  connection = lua_absindex(L, connection);
  binding_transaction *transaction = binding_new(L, b, BINDING_TRANSACTION, sizeof *transaction, 1);
  lua_pushvalue(L, connection);
  lua_setiuservalue(L, -2, 1);
  return transaction;
}

static alch_status begin_one(alch_connection *connection, binding_transaction *transaction, bool nested, alch_error *error) {
  if (transaction->twophase) return alch_connection_begin_twophase(connection, transaction->xid[0] ? transaction->xid : NULL, &transaction->level, error);
  return nested ? alch_connection_savepoint(connection, &transaction->level, error) : alch_connection_begin(connection, &transaction->level, error);
}

/* The one that was made up; without its quotes. */
static void take_xid(binding_transaction *transaction, const alch_connection *connection) {
  const char *xid = alch_connection_xid(connection);
  if (xid) snprintf(transaction->xid, sizeof transaction->xid, "%.*s", (int)strlen(xid) - 2, xid + 1);
}

/* ---- the steps, which may wait: `again` is called when the wait is over ---- */

/* ALCH_OK, or an error that is still to be raised. */
static alch_status begin_step(lua_State *L, binding *b, binding_connection *connection, binding_transaction *transaction, bool nested, lua_KContext context, lua_KFunction again) {
  while (transaction->serial == 0) {
    if (!connection->connection) return alch_error_set(&b->error, ALCH_ERROR_RESOURCE_CLOSED, "This Connection is closed");
    binding_enter(L, b);
    alch_status status = begin_one(connection->connection, transaction, nested, &b->error);
    if (status < 0) return status;
    if (status == ALCH_WAIT) binding_wait(L, b, connection->connection, context, again);
    else {
      transaction->serial = binding_begin_level(connection, transaction->level);
      if (transaction->twophase) take_xid(transaction, connection->connection);
    }
  }
  return ALCH_OK;
}

static void end_step(lua_State *L, binding *b, binding_connection *connection, uint32_t level, bool commit, lua_KContext context, lua_KFunction again) {
  while (connection->connection) {
    binding_enter(L, b);
    alch_status status = commit ? alch_connection_commit(connection->connection, level, &b->error) : alch_connection_rollback(connection->connection, level, &b->error);
    if (binding_must(L, b, status) != ALCH_WAIT) return;
    binding_wait(L, b, connection->connection, context, again);
  }
}

/* ---- conn:begin(), conn:begin_nested() ---- */

/* The connection is slot 1, the transaction slot 2; context: nested. */
static int begin_continue(lua_State *L, int status, lua_KContext nested) {
  (void)status;
  binding *b = BINDING(L);
  binding_must(L, b, begin_step(L, b, lua_touserdata(L, 1), lua_touserdata(L, 2), nested, nested, begin_continue));
  lua_settop(L, 2);
  return 1;
}

static int begin(lua_State *L, bool nested) {
  binding *b = BINDING(L);
  binding_check_connection(L, b, 1);
  lua_settop(L, 1);
  push_transaction(L, b, 1);
  return begin_continue(L, LUA_OK, nested);
}

static int connection_begin(lua_State *L) { return begin(L, false); }
static int connection_begin_nested(lua_State *L) { return begin(L, true); }

/* ---- two phases ---- */

/* conn:begin_twophase([xid]) */
static int connection_begin_twophase(lua_State *L) {
  binding *b = BINDING(L);
  binding_check_connection(L, b, 1);
  const char *xid = lua_isnoneornil(L, 2) ? "" : binding_text(L, b, 2, NULL, "an id as a string", "begin_twophase");
  lua_settop(L, 2);
  binding_transaction *transaction = push_transaction(L, b, 1);
  if (strlen(xid) >= sizeof transaction->xid) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "the id of a two-phase transaction has 64 characters at most");
  snprintf(transaction->xid, sizeof transaction->xid, "%s", xid);
  transaction->twophase = true;
  lua_replace(L, 2);
  return begin_continue(L, LUA_OK, false);
}

static int prepare_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  const binding_transaction *transaction = lua_touserdata(L, 1);
  binding_connection *connection = connection_of(L, 1);
  while (connection->connection) {
    binding_enter(L, b);
    if (binding_must(L, b, alch_connection_prepare(connection->connection, transaction->level, &b->error)) != ALCH_WAIT) break;
    binding_wait(L, b, connection->connection, context, prepare_continue);
  }
  return 0;
}

/* transaction:prepare(): the database promises that a commit will work */
static int transaction_prepare(lua_State *L) {
  binding *b = BINDING(L);
  const binding_transaction *transaction = binding_check(L, b, 1, BINDING_TRANSACTION);
  if (!transaction->twophase || !is_open(transaction, connection_of(L, 1))) return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "only an open transaction of begin_twophase can be prepared");
  lua_settop(L, 1);
  return prepare_continue(L, LUA_OK, 0);
}

static int end_prepared_continue(lua_State *L, int status, lua_KContext commit) {
  (void)status;
  binding *b = BINDING(L);
  binding_connection *connection = lua_touserdata(L, 1);
  while (connection->connection) {
    binding_enter(L, b);
    if (binding_must(L, b, alch_connection_end_prepared(connection->connection, lua_tostring(L, 2), commit, &b->error)) != ALCH_WAIT) break;
    binding_wait(L, b, connection->connection, commit, end_prepared_continue);
  }
  return 0;
}

static int end_prepared(lua_State *L, bool commit, const char *where) {
  binding_check_connection(L, BINDING(L), 1);
  binding_text(L, BINDING(L), 2, NULL, "the id of a prepared transaction", where);
  lua_settop(L, 2);
  return end_prepared_continue(L, LUA_OK, commit);
}

/* conn:commit_prepared(xid), conn:rollback_prepared(xid): of a transaction that recover_twophase has found */
static int connection_commit_prepared(lua_State *L) { return end_prepared(L, true, "commit_prepared"); }
static int connection_rollback_prepared(lua_State *L) { return end_prepared(L, false, "rollback_prepared"); }

/* recover_query_(): the text, and the column of the ids; lua/lualchemy/engine.lua runs it */
static int connection_recover_query(lua_State *L) {
  binding *b = BINDING(L);
  const char *sql;
  uint32_t column;
  binding_must(L, b, alch_connection_recover_query(binding_check_connection(L, b, 1), &sql, &column, &b->error));
  lua_pushstring(L, sql);
  lua_pushinteger(L, (lua_Integer)column + 1);
  return 2;
}

/* ---- conn:commit(), conn:rollback(): the whole transaction; without one they do nothing ---- */

static int connection_end_continue(lua_State *L, int status, lua_KContext commit) {
  (void)status;
  binding *b = BINDING(L);
  binding_connection *connection = lua_touserdata(L, 1);
  uint32_t depth;
  while (connection->connection && (depth = alch_connection_depth(connection->connection)) > 0)
    end_step(L, b, connection, commit ? depth : 1, commit, commit, connection_end_continue);
  return 0;
}

static int connection_end(lua_State *L, bool commit) {
  binding_check_connection(L, BINDING(L), 1);
  lua_settop(L, 1);
  return connection_end_continue(L, LUA_OK, commit);
}

static int connection_commit(lua_State *L) { return connection_end(L, true); }

/* A transaction that the database has ended by itself has to be rolled back too. */
static int connection_rollback(lua_State *L) {
  binding *b = BINDING(L);
  alch_connection *connection = binding_check_connection(L, b, 1);
  if (alch_connection_depth(connection) > 0) return connection_end(L, false);
  binding_enter(L, b);
  binding_must(L, b, alch_connection_rollback(connection, 1, &b->error));
  return 0;
}

/* ---- transaction objects ---- */

static int transaction_end_continue(lua_State *L, int status, lua_KContext commit) {
  (void)status;
  binding_transaction *transaction = lua_touserdata(L, 1);
  binding_connection *connection = connection_of(L, 1);
  end_step(L, BINDING(L), connection, transaction->level, commit, commit, transaction_end_continue);
  transaction->ended = true;
  return 0;
}

static int transaction_commit(lua_State *L) {
  binding *b = BINDING(L);
  binding_transaction *transaction = binding_check(L, b, 1, BINDING_TRANSACTION);
  if (!is_open(transaction, connection_of(L, 1))) return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "This transaction is inactive");
  lua_settop(L, 1);
  return transaction_end_continue(L, LUA_OK, true);
}

/* Of a transaction that has ended already it does nothing. */
static int transaction_rollback(lua_State *L) {
  binding *b = BINDING(L);
  binding_transaction *transaction = binding_check(L, b, 1, BINDING_TRANSACTION);
  if (!is_open(transaction, connection_of(L, 1))) { transaction->ended = true; return 0; }
  lua_settop(L, 1);
  return transaction_end_continue(L, LUA_OK, false);
}

static int transaction_property(lua_State *L) {
  if (binding_is(L, 2, "is_active")) lua_pushboolean(L, is_open(lua_touserdata(L, 1), connection_of(L, 1)));
  else if (binding_is(L, 2, "xid") && ((binding_transaction *)lua_touserdata(L, 1))->twophase) lua_pushstring(L, ((binding_transaction *)lua_touserdata(L, 1))->xid);
  else if (binding_is(L, 2, "connection")) lua_getiuservalue(L, 1, 1);
  else return 0;
  return 1;
}

/* ---- round a function: conn:transaction(fn), engine:begin(fn) ----
   Slots: 1 the engine or connection, 2 the function, 3 the connection, 4 the transaction, then what the function answered (or its error). context: the stage. */

enum { STAGE_CONNECT, STAGE_BEGIN, STAGE_CALL, STAGE_COMMIT, STAGE_RETURN, STAGE_ROLLBACK, STAGE_FAIL };
enum { SLOT_OWNER = 1, SLOT_FUNCTION, SLOT_CONNECTION, SLOT_TRANSACTION };

static int around(lua_State *L, int status, lua_KContext stage);

static bool owns_connection(lua_State *L, binding *b) { return binding_test(L, b, SLOT_OWNER, BINDING_ENGINE) != NULL; }

static void around_connect(lua_State *L, binding *b) {
  binding_connection *connection = lua_touserdata(L, SLOT_CONNECTION);
  for (;;) {
    alch_engine *engine = binding_check_engine(L, b, SLOT_OWNER);
    if (binding_must(L, b, binding_connect_step(L, b, engine, SLOT_CONNECTION)) != ALCH_WAIT) break;
    binding_wait(L, b, connection->connection, STAGE_CONNECT, around);
  }
  binding_remember_connection(L, b, SLOT_CONNECTION);
}

static alch_status around_begin(lua_State *L, binding *b) {
  binding_connection *connection = lua_touserdata(L, SLOT_CONNECTION);
  bool nested = !owns_connection(L, b) && connection->connection && alch_connection_depth(connection->connection) > 0;
  return begin_step(L, b, connection, lua_touserdata(L, SLOT_TRANSACTION), nested, STAGE_BEGIN, around);
}

static int around_return(lua_State *L, binding *b) {
  binding_connection *connection = lua_touserdata(L, SLOT_CONNECTION);
  if (owns_connection(L, b)) {
    binding_settle_connection(L, b, connection, STAGE_RETURN, around);
    binding_close_connection(L, b, connection);
  }
  return lua_gettop(L) - SLOT_TRANSACTION;
}

static int around_failed(lua_State *L, binding *b, alch_status status) {
  lua_settop(L, SLOT_TRANSACTION);
  binding_push_error(L, b, status);
  return around(L, LUA_OK, STAGE_ROLLBACK);
}

/* The function may have ended the transaction itself. A commit that fails is rolled back, and its error is what is raised. */
static int around_commit(lua_State *L, binding *b) {
  binding_connection *connection = lua_touserdata(L, SLOT_CONNECTION);
  binding_transaction *transaction = lua_touserdata(L, SLOT_TRANSACTION);
  while (is_open(transaction, connection)) {
    binding_enter(L, b);
    alch_status status = alch_connection_commit(connection->connection, transaction->level, &b->error);
    if (status == ALCH_WAIT) { binding_wait(L, b, connection->connection, STAGE_COMMIT, around); continue; }
    if (status >= 0) { transaction->ended = true; break; }
    return around_failed(L, b, status);
  }
  return around_return(L, b);
}

static int around_fail(lua_State *L, binding *b) {
  binding_connection *connection = lua_touserdata(L, SLOT_CONNECTION);
  if (owns_connection(L, b)) {
    binding_settle_connection(L, b, connection, STAGE_FAIL, around);
    binding_close_connection(L, b, connection);
  }
  lua_settop(L, SLOT_TRANSACTION + 1);
  return lua_error(L);
}

/* The error stands behind the transaction; it is raised as it is, whatever the rollback says. */
static int around_rollback(lua_State *L, binding *b) {
  binding_connection *connection = lua_touserdata(L, SLOT_CONNECTION);
  binding_transaction *transaction = lua_touserdata(L, SLOT_TRANSACTION);
  while (connection->connection && transaction->serial != 0 && is_open(transaction, connection)) {
    binding_enter(L, b);
    if (owns_connection(L, b)) alch_connection_give_up(connection->connection);
    alch_status status = alch_connection_rollback(connection->connection, transaction->level, &b->error);
    if (status == ALCH_WAIT) { binding_wait(L, b, connection->connection, STAGE_ROLLBACK, around); continue; }
    if (status < 0) { binding_push_error(L, b, status); lua_pop(L, 1); }
    break;
  }
  transaction->ended = true;
  return around_fail(L, b);
}

static int around_called(lua_State *L, binding *b, int status) {
  if (status == LUA_OK || status == LUA_YIELD) return around_commit(L, b);
  lua_insert(L, SLOT_TRANSACTION + 1);
  lua_settop(L, SLOT_TRANSACTION + 1);
  return around_rollback(L, b);
}

static int around(lua_State *L, int status, lua_KContext stage) {
  binding *b = BINDING(L);
  alch_status begun = ALCH_OK;
  switch (stage) {
    case STAGE_CONNECT: around_connect(L, b);   /* fall through */
    case STAGE_BEGIN: begun = around_begin(L, b); break;
    case STAGE_CALL: return around_called(L, b, status);
    case STAGE_COMMIT: return around_commit(L, b);
    case STAGE_RETURN: return around_return(L, b);
    case STAGE_FAIL: return around_fail(L, b);
    default: return around_rollback(L, b);
  }
  if (begun < 0) return around_failed(L, b, begun);
  lua_pushvalue(L, SLOT_FUNCTION);
  lua_pushvalue(L, SLOT_CONNECTION);
  return around_called(L, b, lua_pcallk(L, 1, LUA_MULTRET, 0, STAGE_CALL, around));
}

static void check_function(lua_State *L, binding *b, const char *where) {
  if (!lua_isfunction(L, 2)) binding_expected(L, b, 2, "a function", where);
  lua_settop(L, 2);
}

/* engine:begin(fn): fn(connection) in a transaction; commits and gives back what fn gives, or rolls back and raises the same error again. */
int binding_engine_begin(lua_State *L) {
  binding *b = BINDING(L);
  binding_check_engine(L, b, 1);
  check_function(L, b, "engine:begin");
  binding_push_connection(L, b, SLOT_OWNER);
  lua_toclose(L, SLOT_CONNECTION);   /* a wait may raise, and a coroutine be closed in one */
  push_transaction(L, b, SLOT_CONNECTION);
  return around(L, LUA_OK, STAGE_CONNECT);
}

/* conn:transaction(fn): the same on this connection; within a transaction it is a savepoint. */
static int connection_transaction(lua_State *L) {
  binding *b = BINDING(L);
  binding_check_connection(L, b, 1);
  check_function(L, b, "connection:transaction");
  lua_pushvalue(L, 1);
  push_transaction(L, b, SLOT_CONNECTION);
  return around(L, LUA_OK, STAGE_BEGIN);
}

void binding_open_transaction(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "commit", transaction_commit }, { "rollback", transaction_rollback }, { "close", transaction_rollback }, { "prepare", transaction_prepare }, { NULL, NULL } };
  static const luaL_Reg metamethods[] = { { "__close", transaction_rollback }, { NULL, NULL } };
  static const luaL_Reg connection_methods[] = {
    { "begin", connection_begin }, { "begin_nested", connection_begin_nested }, { "commit", connection_commit }, { "rollback", connection_rollback },
    { "transaction", connection_transaction }, { "begin_twophase", connection_begin_twophase }, { "commit_prepared", connection_commit_prepared },
    { "rollback_prepared", connection_rollback_prepared }, { "recover_query_", connection_recover_query }, { NULL, NULL },
  };
  binding_kind_register(L, b, BINDING_TRANSACTION, "Transaction", methods, metamethods);
  binding_kind_properties(L, b, BINDING_TRANSACTION, transaction_property);
  binding_kind_methods(L, b, BINDING_CONNECTION, connection_methods);
}
