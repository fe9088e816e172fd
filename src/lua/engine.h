/* engine.h - what the files round engines, connections and results share. */
#ifndef ALCH_LUA_ENGINE_H
#define ALCH_LUA_ENGINE_H

#include "lua/binding.h"

enum { BINDING_ENGINE_SHAPES = 1, BINDING_ENGINE_LISTENER, BINDING_ENGINE_MOCK, BINDING_ENGINE_BASE, BINDING_ENGINE_WAIT, BINDING_ENGINE_FUNCTIONS, BINDING_ENGINE_VALUES = BINDING_ENGINE_FUNCTIONS };   /* user values of an engine */
typedef struct binding_engine {
  binding_owned owned;
  alch_engine *engine;      /* NULL once finalised */
  binding *binding;
  bool derived;             /* of another, whose object is a user value */
  uint32_t mask;            /* 1 << alch_engine_event_kind: what the function in the user value wants to hear */
} binding_engine;

/* connection.c */
/* Pushes a new connection object of the engine object at index; not connected yet. */
binding_connection *binding_push_connection(lua_State *L, binding *b, int engine);
/* One step towards a connection: alch_engine_connect. Listeners hear of it with the object at index. */
alch_status binding_connect_step(lua_State *L, binding *b, alch_engine *engine, int index);
/* Enters the connection, once connected, among those that events can be told with. index: its object. */
void binding_remember_connection(lua_State *L, binding *b, int index);
/* Before it is closed: what that would wait for; continues in `again`, which makes the same call. From the first call on the object is closed for its users. */
void binding_settle_connection(lua_State *L, binding *b, binding_connection *connection, lua_KContext context, lua_KFunction again);
/* Closes it when it is this object's own. Idempotent. */
void binding_close_connection(lua_State *L, binding *b, binding_connection *connection);
void binding_open_connection(lua_State *L, binding *b);
void binding_open_embedded(lua_State *L, binding *b);   /* embedded.c: functions in Lua, backups and their like */
void binding_open_bulk(lua_State *L, binding *b);       /* bulk.c: rows in one stream */
/* After a call that may wait: does it? Then waits, and continues in `again` (or comes back true: the same call again). Nobody else may use the connection meanwhile. */
bool binding_embedded_waits(lua_State *L, binding *b, binding_connection *object, alch_status status, lua_KContext context, lua_KFunction again);
/* The driver's connection behind the object; ResourceClosedError when it has been closed. */
alch_driver_connection *binding_embedded_connection(lua_State *L, binding *b, const binding_connection *object);
void binding_open_message(lua_State *L, binding *b);    /* message.c: notifications */
void binding_open_large(lua_State *L, binding *b);      /* embedded_large.c: values in pieces */
/* Serial number of the level that was just begun: what a transaction object knows its level by. */
uint32_t binding_begin_level(binding_connection *connection, uint32_t level);
bool binding_level_is(const binding_connection *connection, uint32_t level, uint32_t serial);

/* dialect.c: the dialect object of an engine, with what is known of its server */
void binding_push_dialect(lua_State *L, binding *b, const alch_engine *engine);
void binding_open_dialect(lua_State *L, binding *b);

/* execution_options.c: engine:execution_options, connection:execution_options, statement:execution_options */
typedef struct binding_execution_options {
  int64_t stream_rows;      /* -1: nothing is said */
  bool yields;              /* that was yield_per: objects, too, are made piece by piece, and nothing may ask for all of them */
  int8_t autoflush;         /* -1: nothing is said */
  bool populate;
  char token[ALCH_TOKEN_SIZE];
} binding_execution_options;
void binding_statement_options(const alch_block *statement, binding_execution_options *out);
/* What of them an execution can see to, before it starts. */
void binding_apply_options(const binding_execution_options *options, alch_execution *execution);
void binding_open_execution_options(lua_State *L, binding *b);
/* Rows of a piece that the options at index ask for, -1 where they do not; name: whose options these are. */
int64_t binding_stream_rows(lua_State *L, binding *b, int index, const char *where);
/* ArgumentError for options in the table at index that are of transactions, where those of a statement belong. */
void binding_refuse_transaction_options(lua_State *L, binding *b, int index);
/* A new engine object with an engine that it is given (which it then holds); the base's object, at index, gets the listeners. */
void binding_push_derived_engine(lua_State *L, binding *b, int index, alch_engine *engine);

/* transaction.c: begin, begin_nested, commit, rollback, transaction(fn), engine:begin(fn) */
void binding_open_transaction(lua_State *L, binding *b);
int binding_engine_begin(lua_State *L);

/* schema_run.c: create_all, drop_all, has_table; mock.c: core.mock */
void binding_open_schema_run(lua_State *L, binding *b);
void binding_open_mock(lua_State *L, binding *b);
const alch_driver *binding_mock_driver(lua_State *L, binding *b, int index);

/* listener.c */
int binding_engine_listen(lua_State *L);

#endif
