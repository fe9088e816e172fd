/* binding.h - what all files of the binding share.

   One `binding` record a Lua state, in the registry; every C function of the library has it as its first upvalue (BINDING(L)). It owns the catalog, so all metadata lives as long as the state.
   Rules: the userdata first, closed, then the resource. Only binding_raise raises the core's errors. Memory comes from the state's allocator.
   Statement and expression objects are userdata whose payload is the block itself; nothing in them needs freeing. */
#ifndef ALCH_LUA_BINDING_H
#define ALCH_LUA_BINDING_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/value.h"
#include "engine/engine.h"
#include "lua/compat.h"
#include "sql/expression.h"

/* Kinds of userdata: one metatable each, compared by address. */
typedef enum binding_kind {
  BINDING_EXPRESSION,   /* payload: alch_block whose root is an expression (columns of tables and models too) */
  BINDING_STATEMENT,    /* payload: alch_block whose root is a statement (or TEXT) */
  BINDING_SELECTABLE,   /* aliases, subqueries, CTEs, joins: payload alch_block; user value 1: the table of its columns (c) */
  BINDING_TABLE,        /* payload: alch_table * */
  BINDING_METADATA,     /* payload: alch_metadata * */
  BINDING_TYPE,         /* payload: alch_type_id */
  BINDING_SEQUENCE,     /* payload: alch_sequence * */
  BINDING_SCHEMA_ITEM,  /* payload: binding_schema_item (schema.h): a constraint or index of a table */
  BINDING_DECIMAL,      /* payload: alch_decimal */
  BINDING_DATE, BINDING_TIME, BINDING_DATETIME, BINDING_INTERVAL,   /* payload: int64_t (date.h); DATETIME: followed by an int32_t offset in minutes, INT32_MIN for none */
  BINDING_ENGINE, BINDING_CONNECTION, BINDING_TRANSACTION, BINDING_RESULT,
  BINDING_MOCK,         /* mock.c: a scripted database for specs */
  BINDING_COMPILED,     /* alch_compiled *: held by C code while Lua calls may raise */
  BINDING_SHAPE,        /* result.c: the names of a compiled statement's rows and parameters */
  BINDING_MAPPER, BINDING_SESSION, BINDING_SESSION_TRANSACTION, BINDING_COLLECTION, BINDING_RELATIONSHIP, BINDING_QUERY_RESULT, BINDING_QUERY_STREAM,
  BINDING_ELEMENT, BINDING_HOOK,   /* construct.c: a node, and the compiler, as a custom construct's function sees them */
  BINDING_LOAD,         /* bulk.c: rows on their way into a table */
  BINDING_SCHEMA_RUN,   /* schema_run.c: create_all or drop_all on its way */
  BINDING_BACKUP,       /* embedded.c: a copy on its way */
  BINDING_LARGE,        /* embedded_large.c: a value that is read and written in pieces */
  BINDING_KIND_COUNT
} binding_kind;

/* First member of payloads that hold something beyond Lua's memory. Lua does not finalise what is made while a state closes (by other finalisers), so the binding, which goes last, looks after the rest. */
typedef struct binding_owned {
  struct binding_owned *next, **previous;
  void (*release)(struct binding_owned *owned);   /* may be called again afterwards */
} binding_owned;

typedef struct binding {
  alch_allocator allocator;             /* the state's own */
  alch_catalog *catalog;
  alch_builder builder;                 /* for building, one build at a time */
  alch_buffer scratch;                  /* texts of values on their way into the core; cleared by whoever starts */
  alch_error error;                     /* filled by core calls, raised by binding_raise */
  const void *metatables[BINDING_KIND_COUNT];
  int metatable_references[BINDING_KIND_COUNT];   /* the same, in the registry */
  int host_error;                       /* registry reference of the Lua error that travels through the core as ALCH_HOST_ERROR, LUA_NOREF */
  int host_slot;                        /* the reference that host_error takes when it is set: made beforehand, so that keeping an error needs no memory */
  lua_Integer set;                      /* of parameters whose values are being converted, from 1, for the row of an error; 0: there is none */
  int wait_hook;                        /* registry reference of la.set_wait's function, LUA_NOREF */
  int error_metatable, columns_metatable, criterion_metatable, sql_metatable, dialect_metatable, row_methods;
  int connections;                      /* alch_connection * -> its object, binding_engine * -> its object; weak: for those who hear of events, and for waits */
  struct binding_connection *opening;   /* the connection that alch_engine_connect is working on */
  int tables;                           /* table id -> its object; column expressions hang on it */
  int hooks;                            /* core.hooks: what the floors in Lua plug in (criteria, join, inspect, json_encode, json_decode) */
  int home;                             /* "@/usr/share/lua/5.4/lualchemy/": chunks of the library, which are not where a user's error is; or LUA_NOREF */
  struct binding_orm *orm;              /* host.h; NULL until the ORM is opened */
  alch_execution spare;                 /* closed; its arrays serve the next result (result.c) */
  binding_owned *owned;                 /* all of them, newest first */
  lua_State *state;                     /* the coroutine that is inside the core: set by binding_enter, for callbacks */
  const char *dialect;                  /* name of the dialect that values are converted for; NULL: none in sight. Constant memory */
} binding;

/* Before a call of the core that may call back (events, defaults, waits): says which coroutine runs. NULL: callbacks are not to call Lua (finalisers). */
static inline void binding_enter(lua_State *L, binding *b) { b->state = L; }

#define BINDING(L) ((binding *)lua_touserdata((L), lua_upvalueindex(1)))

static inline void binding_own(binding *b, binding_owned *owned, void (*release)(binding_owned *)) {
  *owned = (binding_owned){ b->owned, &b->owned, release };
  if (b->owned) b->owned->previous = &owned->next;
  b->owned = owned;
}
/* Releases it now; for __gc. */
static inline void binding_disown(binding_owned *owned) {
  if (!owned->release) return;
  void (*release)(binding_owned *) = owned->release;
  *owned->previous = owned->next;
  if (owned->next) owned->next->previous = owned->previous;
  owned->release = NULL;
  release(owned);
}

/* ---- kinds ---- */
/* A new userdata of a kind on the stack, zeroed where it is no block (blocks are written whole); user_values as for lua_newuserdatauv. */
void *binding_new(lua_State *L, binding *b, binding_kind kind, size_t size, int user_values);
/* The payload, or NULL when the value at index is not of this kind. */
static inline void *binding_test(lua_State *L, binding *b, int index, binding_kind kind) {
  void *payload = lua_touserdata(L, index);
  if (payload == NULL || !lua_getmetatable(L, index)) return NULL;
  const void *metatable = lua_topointer(L, -1);
  lua_pop(L, 1);
  return metatable == b->metatables[kind] ? payload : NULL;
}
/* The payload, or an ArgumentError that says what was expected and what came. */
void *binding_check(lua_State *L, binding *b, int index, binding_kind kind);
/* Makes the metatable of a kind: methods become __index (unless metamethods has one), __name is set, __metatable hides it. Both lists get the binding as upvalue. */
void binding_kind_register(lua_State *L, binding *b, binding_kind kind, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);
/* After that: names that are no method are asked of `property` (object, name: pushes a value and answers 1, or answers 0), and what that does not know either is an ArgumentError naming the nearest method. May be NULL. */
void binding_kind_properties(lua_State *L, binding *b, binding_kind kind, lua_CFunction property);
/* Adds methods to a kind that is registered; for files that add to another's kind. */
void binding_kind_methods(lua_State *L, binding *b, binding_kind kind, const luaL_Reg *methods);
/* The text at index compared with a constant; for properties. */
bool binding_is(lua_State *L, int index, const char *text);

/* ---- errors ---- */
/* Raises b->error (or, for ALCH_HOST_ERROR, the Lua error that was kept) as an error object: a table with kind, message, statement, params, sqlstate, code, constraint, table, column and the metatable of errors. Does not return. */
int binding_raise(lua_State *L, binding *b, alch_status status);
/* Sets b->error and raises it. */
int binding_error(lua_State *L, binding *b, alch_error_kind kind, const char *format, ...) ALCH_PRINTF(4, 5);
/* Calls the function under `arguments` arguments on the stack, protected. On an error keeps it (host_error) and answers ALCH_HOST_ERROR, nothing being left on the stack. Core callbacks use this. */
alch_status binding_call(lua_State *L, binding *b, int arguments, int results);
alch_status binding_orm_call(lua_State *L, struct binding_orm *o, int arguments, int results);   /* host_call.c: the same, when what the ORM has at hand is to be kept apart */
alch_status binding_call_plainly(lua_State *L, binding *b, int arguments, int results);          /* what both end in */
/* Does a status mean failure? Then raises it; else gives it back. */
static inline alch_status binding_must(lua_State *L, binding *b, alch_status status) {
  if (ALCH_UNLIKELY(status < 0)) binding_raise(L, b, status);
  return status;
}
/* Pushes the error object for b->error (or the host error) and clears it; what binding_raise throws. */
void binding_push_error(lua_State *L, binding *b, alch_status status);
/* ArgumentError: what was expected at this place of `where`, and what came. */
int binding_expected(lua_State *L, binding *b, int index, const char *expected, const char *where);
/* A string argument, or an ArgumentError (numbers are not taken for strings). */
const char *binding_text(lua_State *L, binding *b, int index, size_t *length, const char *expected, const char *where);
/* Text of the type of a value for messages: "nil", "a string", "a Column expression", "a Team object", … on the stack and returned. */
const char *binding_describe(lua_State *L, binding *b, int index);

/* ---- values ---- */
/* The Lua value at index as a core value: nil and la.null: NULL; boolean; integer; number; string: TEXT; decimals, dates, … by kind; os.date tables stay for binding_value_typed. Text is borrowed from the Lua string.
   False when it is not a plain value (a table, an expression, a function). */
bool binding_value(lua_State *L, binding *b, int index, alch_value *out);
/* In both, index is a slot of the stack: where the core needs text that is no Lua string yet (decimals, JSON, …), that text is made a Lua string which takes the value's place in the slot,
   so the text is good for as long as the slot (or whatever the caller moves the string to) holds it. */
/* The same, coerced to a type (alch_type_coerce; LargeBinary takes strings as bytes; tables as os.date gives them become dates; JSON tables are encoded; custom types' bind function is called). Raises. */
void binding_value_typed(lua_State *L, binding *b, int index, alch_type_id type, alch_value *out);
/* The same for a column's type; errors name the column. */
void binding_value_column(lua_State *L, binding *b, int index, const alch_column *column, alch_value *out);
/* The same for a type record (NULL: none), naming the column (or NULL). */
void binding_value_for(lua_State *L, binding *b, int index, const alch_type *type, const alch_column *column, alch_value *out);
/* Raises what b->error says about a value, with the column (or NULL) named in front. */
int binding_raise_for_column(lua_State *L, binding *b, const alch_column *column);
/* Pushes a value as Lua sees it; type may be NULL (plain). NULL becomes nil. JSON is decoded, custom types' result function is called, Uuid and Enum are strings. */
/* container.c: a Lua table as an ARRAY or HSTORE, false when it is none; and such a value as a table. */
bool binding_container_value(lua_State *L, binding *b, int index, const alch_type *type, alch_value *out);
void binding_push_container(lua_State *L, binding *b, const alch_value *value, const alch_type *type);
/* JSON, arrays, key-value sets: what Lua tables are made of. */
bool binding_has_inside(uint8_t family);
void binding_push_value(lua_State *L, binding *b, const alch_value *value, const alch_type *type);
void binding_push_null(lua_State *L);   /* la.null */

void binding_push_type(lua_State *L, binding *b, alch_type_id id);
alch_type_id binding_check_type(lua_State *L, binding *b, int index, const char *where);

/* ---- tables and columns ---- */
void binding_push_table(lua_State *L, binding *b, alch_table *table);       /* its one object */
void binding_push_column(lua_State *L, binding *b, const alch_column *column);   /* its one expression, table.c.key */
alch_table *binding_check_table(lua_State *L, binding *b, int index, const char *where);   /* a table, or the table of a model (its raw field __table) */

/* ---- blocks ---- */
/* What stands at index as an operand: expression, statement (a SELECT: scalar or IN), table/model/alias (its ENTITY), relationship-free plain values. Models and aliased entities are Lua tables with a raw field
   __entity (an EXPRESSION userdata with an ENTITY root). Values: `type` is what to coerce to, 0: none. Raises ArgumentError with a hint for booleans where `condition` is set ("== compares in Lua; write :eq"), functions, plain tables. */
void binding_operand(lua_State *L, binding *b, int index, alch_type_id type, bool condition, alch_operand *out);
/* Pushes a userdata of the kind holding what b->builder has built (raises what the builder remembers). */
alch_block *binding_push_block(lua_State *L, binding *b, binding_kind kind);
/* The block at index: EXPRESSION, STATEMENT, SELECTABLE, or the __entity of a model; NULL otherwise. */
const alch_block *binding_block(lua_State *L, binding *b, int index);

/* Pushes a place for a compiled statement, NULL at first, which is released when the userdata goes. */
alch_compiled **binding_push_compiled(lua_State *L, binding *b);

/* ---- options tables ---- */
typedef struct binding_option { const char *name; int lua_type; } binding_option;   /* ends with NULL */
/* Raises ArgumentError for any string key of the table at index that is not in the list, naming the nearest; `where` says whose options these are. */
void binding_options(lua_State *L, binding *b, int index, const binding_option *known, const char *where);
/* The same for a table that is nothing but options: a value without a name in it is a mistake. */
void binding_only_options(lua_State *L, binding *b, int index, const binding_option *known, const char *where);

/* ---- connections ---- */
/* A connection object: user value 1 is the engine object. */
struct binding_connection {
  binding_owned owned;
  alch_connection *connection;   /* NULL: closed */
  bool borrowed;                 /* belongs to a session or a begin() block: close does not return it */
  bool connecting;               /* not to be used yet */
  bool leaving;                  /* being closed */
  uint32_t begun;                /* levels begun so far */
  uint32_t serials[16];          /* of the levels that are open, by level modulo 16 */
};
typedef struct binding_connection binding_connection;
alch_connection *binding_check_connection(lua_State *L, binding *b, int index);      /* ResourceClosedError when closed */
alch_engine *binding_check_engine(lua_State *L, binding *b, int index);
/* Waits for the connection: in a yieldable coroutine with a wait hook it yields with the continuation (does not return); else it blocks. */
void binding_wait(lua_State *L, binding *b, alch_connection *connection, lua_KContext context, lua_KFunction continuation);

/* ---- opening: each file adds its names to the module table on top of the stack ---- */
void binding_open_value(lua_State *L, binding *b);      /* value.c: null, decimal, date, time, datetime, interval */
bool binding_is_error(lua_State *L, binding *b, int index);   /* an error of ours, as Lua has them */
void binding_open_json(lua_State *L, binding *b);       /* json.c: json_encode, json_decode, json_list */
void binding_open_error(lua_State *L, binding *b);
void binding_open_type(lua_State *L, binding *b);
void binding_open_schema(lua_State *L, binding *b);
void binding_open_expression(lua_State *L, binding *b);
void binding_open_statement(lua_State *L, binding *b);
void binding_open_engine(lua_State *L, binding *b);
void binding_open_result(lua_State *L, binding *b);
void binding_open_mapper(lua_State *L, binding *b);     /* mapper.c, instance.c: models */
void binding_open_session(lua_State *L, binding *b);

#endif
