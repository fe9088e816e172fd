/* execution_options.c - what transactions and results are like: engine:execution_options{ … }, connection:execution_options{ … }, statement:execution_options{ … }. */
#include "lua/engine.h"
#include <stdio.h>
#include <string.h>

#define STREAM_ROWS 1000   /* of a piece, where nobody says how many */

static const binding_option known_options[] = {
  { "isolation_level", LUA_TSTRING }, { "read_only", LUA_TBOOLEAN }, { "deferrable", LUA_TBOOLEAN }, { "stream_results", LUA_TBOOLEAN }, { "yield_per", LUA_TNUMBER },
  { "begin_mode", LUA_TSTRING }, { "logging_token", LUA_TSTRING }, { NULL, 0 },
};

static int8_t read_truth(lua_State *L, int index, const char *name) {
  int8_t value = lua_getfield(L, index, name) == LUA_TNIL ? -1 : (int8_t)lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

int64_t binding_stream_rows(lua_State *L, binding *b, int index, const char *where) {
  int8_t streams = read_truth(L, index, "stream_results");
  int64_t rows = streams < 0 ? -1 : streams ? STREAM_ROWS : 0;
  if (lua_getfield(L, index, "yield_per") != LUA_TNIL) {
    int integral = 0;
    rows = lua_tointegerx(L, -1, &integral);
    if (!integral || rows < 1 || rows > INT32_MAX) binding_error(L, b, ALCH_ERROR_ARGUMENT, "yield_per of %s must be a whole number from 1 on, not %s", where, luaL_tolstring(L, -1, NULL));
  }
  lua_pop(L, 1);
  return rows;
}

/* It stays with the table. NULL: nothing is said. */
static const char *read_text(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  const char *text = lua_tostring(L, -1);
  lua_pop(L, 1);
  return text;
}

static const char *read_token(lua_State *L, binding *b, int index) {
  const char *token = read_text(L, index, "logging_token");
  if (token && strlen(token) >= ALCH_TOKEN_SIZE) binding_error(L, b, ALCH_ERROR_ARGUMENT, "logging_token has %d bytes at most", ALCH_TOKEN_SIZE - 1);
  return token;
}

/* The method whose options they are, which stands behind them where it is not execution_options itself. */
static const char *whose(lua_State *L) {
  return lua_type(L, 3) == LUA_TSTRING ? lua_tostring(L, 3) : "execution_options";
}

/* Texts stay with the table. */
static void read_options(lua_State *L, binding *b, alch_execution_options *out) {
  binding_only_options(L, b, 2, known_options, whose(L));
  out->isolation_level = read_text(L, 2, "isolation_level");
  out->begin_mode = read_text(L, 2, "begin_mode");
  out->logging_token = read_token(L, b, 2);
  out->read_only = read_truth(L, 2, "read_only");
  out->deferrable = read_truth(L, 2, "deferrable");
  out->stream_rows = binding_stream_rows(L, b, 2, whose(L));
}

/* engine:execution_options{ … }: an engine with the same pool whose connections begin with these. */
static int engine_execution_options(lua_State *L) {
  binding *b = BINDING(L);
  alch_engine *engine = binding_check_engine(L, b, 1), *made = NULL;
  alch_execution_options options;
  read_options(L, b, &options);
  lua_settop(L, 2);
  binding_push_derived_engine(L, b, 1, NULL);
  binding_must(L, b, alch_engine_derive(engine, &options, &made, &b->error));
  ((binding_engine *)lua_touserdata(L, -1))->engine = made;
  return 1;
}

/* connection:execution_options{ … }: for this connection, until it is closed. Gives the connection. */
static int connection_execution_options(lua_State *L) {
  binding *b = BINDING(L);
  alch_connection *connection = binding_check_connection(L, b, 1);
  alch_execution_options options;
  read_options(L, b, &options);
  if (options.isolation_level) binding_must(L, b, alch_connection_set_isolation(connection, options.isolation_level, &b->error));
  if (options.read_only >= 0) binding_must(L, b, alch_connection_set_read_only(connection, options.read_only, &b->error));
  if (options.deferrable >= 0) binding_must(L, b, alch_connection_set_deferrable(connection, options.deferrable, &b->error));
  if (options.begin_mode) binding_must(L, b, alch_connection_set_begin_mode(connection, options.begin_mode, &b->error));
  if (options.logging_token) alch_connection_set_logging_token(connection, options.logging_token);
  if (options.stream_rows >= 0) alch_connection_set_stream(connection, (uint32_t)options.stream_rows);
  lua_settop(L, 1);
  return 1;
}

/* connection:once_(true): what is set from now on is for the next transaction alone; once_(false): there will be none */
static int connection_once(lua_State *L) {
  alch_connection *connection = binding_check_connection(L, BINDING(L), 1);
  if (lua_toboolean(L, 2)) alch_connection_set_once(connection);
  else alch_connection_unset_once(connection);
  return 0;
}

/* ---- statements ---- */

void binding_statement_options(const alch_block *statement, binding_execution_options *out) {
  const alch_node *node = alch_node_clause(alch_block_root(statement), ALCH_NODE_EXECUTION);
  *out = (binding_execution_options){ .stream_rows = -1, .autoflush = -1 };
  if (ALCH_LIKELY(!node)) return;
  if (node->op & ALCH_EXECUTION_STREAMS) out->stream_rows = node->a;
  out->yields = (node->op & ALCH_EXECUTION_YIELDS) != 0;
  if (node->op & ALCH_EXECUTION_AUTOFLUSH_SET) out->autoflush = (node->op & ALCH_EXECUTION_AUTOFLUSH) != 0;
  out->populate = (node->op & ALCH_EXECUTION_POPULATES) != 0;
  snprintf(out->token, sizeof out->token, "%.*s", (int)node->length, alch_node_text(node));
}

void binding_apply_options(const binding_execution_options *options, alch_execution *execution) {
  if (options->stream_rows > 0 && execution->stream_rows == 0) execution->stream_rows = (uint32_t)options->stream_rows;
  if (options->token[0]) memcpy(execution->token, options->token, sizeof execution->token);
}

void binding_refuse_transaction_options(lua_State *L, binding *b, int index) {
  static const char *const names[] = { "isolation_level", "read_only", "deferrable", "begin_mode" };
  for (size_t i = 0; i < ALCH_COUNT(names); i++)
    if (lua_getfield(L, index, names[i]) == LUA_TNIL) lua_pop(L, 1);
    else binding_error(L, b, ALCH_ERROR_ARGUMENT, "'%s' is an option of transactions, not of statements: give it to engine:begin, connection:begin, execution_options of an engine or a connection, or a session", names[i]);
}

static void read_statement_options(lua_State *L, binding *b, binding_execution_options *out) {
  static const binding_option known[] = {
    { "stream_results", LUA_TBOOLEAN }, { "yield_per", LUA_TNUMBER }, { "populate_existing", LUA_TBOOLEAN }, { "autoflush", LUA_TBOOLEAN }, { "logging_token", LUA_TSTRING }, { NULL, 0 },
  };
  if (lua_istable(L, 2)) binding_refuse_transaction_options(L, b, 2);
  binding_only_options(L, b, 2, known, "execution_options");
  int64_t rows = binding_stream_rows(L, b, 2, "execution_options");
  bool yields = lua_getfield(L, 2, "yield_per") != LUA_TNIL;
  lua_pop(L, 1);
  int8_t populate = read_truth(L, 2, "populate_existing"), autoflush = read_truth(L, 2, "autoflush");
  const char *token = read_token(L, b, 2);
  if (rows == 0 || yields || (rows > 0 && !out->yields)) {   /* stream_results takes nothing back from a yield_per */
    out->stream_rows = rows;
    out->yields = yields;
  }
  if (populate >= 0) out->populate = populate;
  if (autoflush >= 0) out->autoflush = autoflush;
  if (token) snprintf(out->token, sizeof out->token, "%s", token);
}

/* statement:execution_options{ stream_results =, yield_per =, populate_existing =, autoflush =, logging_token = }: the statement with these, beside those that it has. */
static int statement_execution_options(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *statement = binding_check(L, b, 1, BINDING_STATEMENT);
  binding_execution_options options;
  bool there;
  binding_statement_options(statement, &options);
  read_statement_options(L, b, &options);
  uint8_t bits = (uint8_t)((options.stream_rows >= 0 ? ALCH_EXECUTION_STREAMS : 0) | (options.yields ? ALCH_EXECUTION_YIELDS : 0) | (options.populate ? ALCH_EXECUTION_POPULATES : 0) |
                           (options.autoflush >= 0 ? ALCH_EXECUTION_AUTOFLUSH_SET : 0) | (options.autoflush > 0 ? ALCH_EXECUTION_AUTOFLUSH : 0));
  alch_reader reader = alch_build_up_to(&b->builder, statement, ALCH_NODE_EXECUTION, &there);
  if (there) alch_reader_skip(&reader);
  alch_builder_leaf_text(&b->builder, ALCH_NODE_EXECUTION, bits, options.stream_rows > 0 ? (uint32_t)options.stream_rows : 0, 0, options.token, strlen(options.token));
  alch_build_rest(&b->builder, &reader);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

/* statement_autoflush(statement): whether its options say that the session is to flush first; nil where they say nothing */
static int statement_autoflush(lua_State *L) {
  binding_execution_options options;
  const alch_block *statement = binding_test(L, BINDING(L), 1, BINDING_STATEMENT);
  if (statement) binding_statement_options(statement, &options);
  if (!statement || options.autoflush < 0) lua_pushnil(L);
  else lua_pushboolean(L, options.autoflush);
  return 1;
}

/* is_statement(value) */
static int is_statement(lua_State *L) {
  lua_pushboolean(L, binding_test(L, BINDING(L), 1, BINDING_STATEMENT) != NULL);
  return 1;
}

/* core.engine_methods, core.connection_methods: where the Lua side adds its own. The module is on top of the stack. */
static void push_methods(lua_State *L, const binding *b, binding_kind kind, const char *name) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[kind]);
  lua_getfield(L, -1, "__methods");
  lua_setfield(L, -3, name);
  lua_pop(L, 1);
}

void binding_open_execution_options(lua_State *L, binding *b) {
  static const luaL_Reg engine_methods[] = { { "execution_options", engine_execution_options }, { NULL, NULL } };
  static const luaL_Reg connection_methods[] = { { "execution_options", connection_execution_options }, { "once_", connection_once }, { NULL, NULL } };
  static const luaL_Reg statement_methods[] = { { "execution_options", statement_execution_options }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "statement_autoflush", statement_autoflush }, { "is_statement", is_statement }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_ENGINE, engine_methods);
  binding_kind_methods(L, b, BINDING_CONNECTION, connection_methods);
  binding_kind_methods(L, b, BINDING_STATEMENT, statement_methods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
  push_methods(L, b, BINDING_ENGINE, "engine_methods");
  push_methods(L, b, BINDING_CONNECTION, "connection_methods");
}
