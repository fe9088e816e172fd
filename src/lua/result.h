/* result.h - what execute.c, row.c, result.c and fetch.c share. */
#ifndef ALCH_LUA_RESULT_H
#define ALCH_LUA_RESULT_H

#include "lua/engine.h"

/* User values of a result. */
enum { RESULT_CONNECTION = 1, RESULT_SHAPE, RESULT_STATEMENT, RESULT_SEEN, RESULT_SELECTED, RESULT_ROWS, RESULT_KEY, RESULT_FORMAT, RESULT_USER_VALUES = RESULT_FORMAT };
enum { RESULT_MODE_ROWS, RESULT_MODE_SCALARS, RESULT_MODE_MAPPINGS };

typedef struct binding_result {
  binding_owned owned;
  binding *binding;
  alch_execution execution;
  alch_compiled *compiled;       /* held; the execution lets its own go when it closes */
  uint8_t mode;
  bool plain;                    /* every column is an integer, a float, text or NULL to Lua: no type asks for more */
  bool closed;                   /* by close(), first(), one() … */
  bool unique;
  bool buffered;                 /* the rows of several executions, in the user value RESULT_ROWS */
  bool many;                     /* several parameter sets */
  bool returns_key;              /* it is an INSERT that was given a RETURNING for its key: what came is in the user value RESULT_KEY, and not a row of the result */
  uint8_t stage;                 /* execute.c */
  uint32_t scalar_column;        /* from 0 */
  const uint32_t *selected;      /* columns(): places from 0, in the user value RESULT_SELECTED; NULL: all */
  uint32_t selected_count;
  uint32_t next_set;             /* execute: the parameter set that is next, from 1 */
  lua_Integer number, filled;    /* rows given so far; rows in the list that is being filled */
  int64_t changes;               /* of all executions */
} binding_result;

static inline uint32_t binding_result_width(const binding_result *result) { return result->selected ? result->selected_count : result->execution.column_count; }
static inline uint32_t binding_result_place(const binding_result *result, uint32_t i) { return result->selected ? result->selected[i] : i; }
static inline const alch_type *binding_result_type(const binding_result *result, uint32_t place) {
  return result->compiled->column_count == result->execution.column_count ? result->compiled->columns[place].type : NULL;
}

/* row.c */
/* Pushes the value of a column of the current row. */
void binding_push_cell(lua_State *L, binding *b, const binding_result *result, uint32_t place);
/* Makes sure that the result at index has its shape (names of columns, and the metatable of its rows) in its user value. */
void binding_result_shape(lua_State *L, binding *b, int index);
/* Pushes the current row as a table of values with the shape's metatable, or of names. */
void binding_push_row(lua_State *L, binding *b, int index);
void binding_push_mapping(lua_State *L, binding *b, int index);
/* Pushes the list of names of the result at index. */
void binding_push_names(lua_State *L, binding *b, int index);
/* Puts a copy in the place of the list on top of the stack: what is given away may be changed. */
void binding_copy_list(lua_State *L);
/* The place (from 0) of the column that the value at `key` names by number, name or column; raises when there is none. */
uint32_t binding_find_column(lua_State *L, binding *b, int index, int key);
void binding_open_row(lua_State *L, binding *b);

/* result.c */
binding_result *binding_check_result(lua_State *L, binding *b, int index);
/* The next row into the execution: ALCH_ROW, ALCH_DONE, ALCH_WAIT; raises. */
alch_status binding_step(lua_State *L, binding *b, binding_result *result);
void binding_result_release(binding_owned *owned);
/* An execution for a new result: with the arrays of one that went, when there is one. */
void binding_result_open(binding *b, binding_result *result);
void binding_result_finish(binding_result *result);      /* no more rows are wanted */

/* fetch.c */
void binding_open_fetch(lua_State *L, binding *b);
/* Goes on with the result at slot 1 as result:scalar() does. */
int binding_fetch_scalar(lua_State *L);
int binding_result_scalars(lua_State *L);

/* execute.c */
void binding_open_execute(lua_State *L, binding *b);

/* parameters.c: the values of one execution. Slots of the statement that have names get theirs from a table. */
typedef struct binding_parameters {
  lua_State *L;
  binding *b;
  const alch_compiled *compiled;
  alch_value *values;            /* by slot */
  const alch_value **items;      /* by slot: of lists */
  bool *given;                   /* by slot */
} binding_parameters;
alch_parameters binding_parameters_callbacks(binding_parameters *parameters);
/* Memory for the slots of a compiled statement, which goes on the stack. */
void binding_parameters_open(lua_State *L, binding *b, const alch_compiled *compiled, binding_parameters *out);
/* Takes the values of the table at index, which then (with what they were converted to) stay on the stack. set: number of the parameter set for messages, 0: the only one. */
void binding_parameters_take(lua_State *L, binding_parameters *parameters, int index, lua_Integer set);

#endif
