/* fetch.c - rows from results. Each function may wait for the database: its state is on the stack and in the result, and it is its own continuation. */
#include "lua/result.h"
#include <string.h>

/* ---- one value of the result's mode ---- */

/* A row of several executions was made a table already. */
static void push_buffered(lua_State *L, binding *b, int index) {
  const binding_result *result = lua_touserdata(L, index);
  lua_getiuservalue(L, index, RESULT_ROWS);
  lua_rawgeti(L, -1, result->number);
  lua_remove(L, -2);
  if (result->mode == RESULT_MODE_SCALARS) {
    lua_rawgeti(L, -1, (lua_Integer)result->scalar_column + 1);
    lua_remove(L, -2);
  } else if (result->mode == RESULT_MODE_MAPPINGS) {
    lua_getfield(L, -1, "as_table");
    lua_insert(L, -2);
    lua_call(L, 1, 1);
  }
  (void)b;
}

static void push_current(lua_State *L, binding *b, int index) {
  const binding_result *result = lua_touserdata(L, index);
  if (result->buffered) push_buffered(L, b, index);
  else if (result->mode == RESULT_MODE_ROWS) binding_push_row(L, b, index);
  else if (result->mode == RESULT_MODE_SCALARS) binding_push_cell(L, b, result, result->scalar_column);
  else binding_push_mapping(L, b, index);
}

static alch_status step_buffered(lua_State *L, binding_result *result, int index) {
  lua_getiuservalue(L, index, RESULT_ROWS);
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  lua_pop(L, 1);
  return result->number < count ? ALCH_ROW : ALCH_DONE;
}

static void add_key_part(lua_State *L, luaL_Buffer *key) {
  static const char kinds[] = { 'n', 'b', 'l', '#', 's', 't', 'f', 'u' };
  int type = lua_type(L, -1);
  luaL_tolstring(L, -1, NULL);
  lua_pushfstring(L, "%c%d:%s", kinds[type], (int)lua_rawlen(L, -1), lua_tostring(L, -1));
  lua_replace(L, -3);
  lua_pop(L, 1);
  luaL_addvalue(key);
}

/* unique(): was a value like the one on top of the stack given before? */
static bool is_seen(lua_State *L, binding *b, int index) {
  const binding_result *result = lua_touserdata(L, index);
  luaL_Buffer key;
  int value = lua_gettop(L);
  luaL_buffinit(L, &key);
  if (result->mode == RESULT_MODE_SCALARS) {
    lua_pushvalue(L, value);
    add_key_part(L, &key);
  }
  for (uint32_t i = 0; result->mode != RESULT_MODE_SCALARS && i < binding_result_width(result); i++) {
    binding_push_cell(L, b, result, binding_result_place(result, i));
    add_key_part(L, &key);
  }
  luaL_pushresult(&key);
  lua_getiuservalue(L, index, RESULT_SEEN);
  lua_pushvalue(L, -2);
  bool seen = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 1);
  lua_insert(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_settop(L, value);
  return seen;
}

/* The next value on the stack (ALCH_ROW), or ALCH_DONE, ALCH_WAIT with nothing pushed. */
static alch_status fetch(lua_State *L, binding *b, int index) {
  binding_result *result = lua_touserdata(L, index);
  for (;;) {
    alch_status status = result->buffered ? step_buffered(L, result, index) : binding_step(L, b, result);
    if (status != ALCH_ROW) return status;
    result->number++;
    push_current(L, b, index);
    if (ALCH_LIKELY(!result->unique) || !is_seen(L, b, index)) return ALCH_ROW;
    lua_pop(L, 1);
  }
}

/* The result at slot 1, ready to be read in its mode. */
static binding_result *begin(lua_State *L, binding *b) {
  binding_result *result = binding_check_result(L, b, 1);
  if (result->mode != RESULT_MODE_SCALARS && !result->buffered) binding_result_shape(L, b, 1);
  return result;
}

static void wait_for_row(lua_State *L, binding *b, const binding_result *result, lua_KContext context, lua_KFunction again) {
  binding_wait(L, b, result->execution.connection, context, again);
}

/* NULL in a list or a loop of scalars is la.null: nil would end either. */
static void mark_null(lua_State *L, const binding_result *result) {
  if (result->mode != RESULT_MODE_SCALARS || !lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  binding_push_null(L);
}

/* ---- lists: all, fetchmany, partitions ---- */

/* Slots: 1 the result, 2 the list. context: how many, or -1; partitions: below -1, answering nil for an empty list. */
static int list_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_result *result = lua_touserdata(L, 1);
  bool partition = context < -1;
  lua_Integer limit = partition ? -1 - (lua_Integer)context : (lua_Integer)context;
  while (limit < 0 || result->filled < limit) {
    alch_status step = fetch(L, b, 1);
    if (step == ALCH_DONE) break;
    if (step == ALCH_WAIT) { wait_for_row(L, b, result, context, list_continue); continue; }
    mark_null(L, result);
    lua_rawseti(L, 2, ++result->filled);
  }
  if (partition && result->filled == 0) return 0;
  lua_settop(L, 2);
  return 1;
}

static int list(lua_State *L, lua_Integer limit) {
  binding_result *result = begin(L, BINDING(L));
  lua_settop(L, 1);
  lua_newtable(L);
  result->filled = 0;
  return list_continue(L, LUA_OK, (lua_KContext)limit);
}

/* all(), fetchall(): the rest of the rows */
static int result_all(lua_State *L) { return list(L, -1); }

static lua_Integer check_count(lua_State *L, const char *where) {
  int integral = 0;
  lua_Integer count = lua_tointegerx(L, 2, &integral);
  if (!integral || count < 1 || count > INT32_MAX) binding_expected(L, BINDING(L), 2, "a whole number from 1 on", where);
  return count;
}

/* fetchmany(n) */
static int result_fetchmany(lua_State *L) { return list(L, check_count(L, "fetchmany")); }

/* upvalues: the binding, the result, how many */
static int partition_next(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  begin(L, BINDING(L))->filled = 0;
  lua_newtable(L);
  return list_continue(L, LUA_OK, (lua_KContext)(-1 - lua_tointeger(L, lua_upvalueindex(3))));
}

/* for rows in result:partitions(n) */
static int result_partitions(lua_State *L) {
  binding *b = BINDING(L);
  binding_check_result(L, b, 1);
  lua_Integer count = check_count(L, "partitions");
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, count);
  lua_pushcclosure(L, partition_next, 3);
  return 1;
}

/* ---- single values ---- */

enum { SINGLE_FIRST, SINGLE_ONE, SINGLE_ONE_OR_NONE, SINGLE_NEXT };

static int no_row(lua_State *L, binding *b, binding_result *result, lua_KContext kind) {
  if (kind != SINGLE_NEXT) binding_result_finish(result);
  if (kind == SINGLE_ONE) return binding_error(L, b, ALCH_ERROR_NO_RESULT_FOUND, "No row was found when one was required");
  lua_pushnil(L);
  return 1;
}

/* Slots: 1 the result, 2 the value once it is there. context: the kind. */
static int single_continue(lua_State *L, int status, lua_KContext kind) {
  (void)status;
  binding *b = BINDING(L);
  binding_result *result = lua_touserdata(L, 1);
  for (;;) {
    bool found = lua_gettop(L) >= 2;
    if (found && (kind == SINGLE_FIRST || kind == SINGLE_NEXT)) break;
    alch_status step = fetch(L, b, 1);
    if (step == ALCH_WAIT) { wait_for_row(L, b, result, kind, single_continue); continue; }
    if (step == ALCH_DONE) {
      if (found) break;
      return no_row(L, b, result, kind);
    }
    if (!found) continue;
    binding_result_finish(result);
    return binding_error(L, b, ALCH_ERROR_MULTIPLE_RESULTS_FOUND, kind == SINGLE_ONE ? "Multiple rows were found when exactly one was required" : "Multiple rows were found when one or none was required");
  }
  if (kind != SINGLE_NEXT) binding_result_finish(result);
  return 1;
}

static int single(lua_State *L, lua_KContext kind, bool scalar) {
  binding *b = BINDING(L);
  binding_result *result = binding_check_result(L, b, 1);
  if (scalar) result->mode = RESULT_MODE_SCALARS;
  if (result->mode != RESULT_MODE_SCALARS && !result->buffered) binding_result_shape(L, b, 1);
  lua_settop(L, 1);
  return single_continue(L, LUA_OK, kind);
}

/* first(): the first row or nil; the rest is given up. one(): raises NoResultFound, MultipleResultsFound. */
static int result_first(lua_State *L) { return single(L, SINGLE_FIRST, false); }
static int result_one(lua_State *L) { return single(L, SINGLE_ONE, false); }
static int result_one_or_none(lua_State *L) { return single(L, SINGLE_ONE_OR_NONE, false); }
static int result_fetchone(lua_State *L) { return single(L, SINGLE_NEXT, false); }
/* The same of the first column. */
static int result_scalar(lua_State *L) { return single(L, SINGLE_FIRST, true); }
static int result_scalar_one(lua_State *L) { return single(L, SINGLE_ONE, true); }
static int result_scalar_one_or_none(lua_State *L) { return single(L, SINGLE_ONE_OR_NONE, true); }

int binding_fetch_scalar(lua_State *L) { return single(L, SINGLE_FIRST, true); }

/* ---- loops ---- */

/* for row in result do */
static int iterate_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_result *result = lua_touserdata(L, 1);
  alch_status step;
  while ((step = fetch(L, b, 1)) == ALCH_WAIT) wait_for_row(L, b, result, context, iterate_continue);
  if (step == ALCH_DONE) return 0;
  mark_null(L, result);
  return 1;
}

static int result_call(lua_State *L) {
  begin(L, BINDING(L));
  lua_settop(L, 1);
  return iterate_continue(L, LUA_OK, 0);
}

static int push_tuple(lua_State *L, binding *b, binding_result *result) {
  uint32_t width = binding_result_width(result);
  if (width > LUA_MINSTACK - 6) luaL_checkstack(L, (int)width + 4, "too many columns");
  lua_pushinteger(L, ++result->number);
  for (uint32_t i = 0; i < width; i++) binding_push_cell(L, b, result, binding_result_place(result, i));
  return (int)width + 1;
}

/* upvalues: the binding, the result. One call a row, and nothing is made but strings. */
static int tuples_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_result *result = lua_touserdata(L, lua_upvalueindex(2));
  if (ALCH_UNLIKELY(result->closed)) return binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "This result object is closed.");
  alch_status step;
  while (ALCH_UNLIKELY((step = binding_step(L, b, result)) == ALCH_WAIT)) wait_for_row(L, b, result, context, tuples_continue);
  return ALCH_LIKELY(step == ALCH_ROW) ? push_tuple(L, b, result) : 0;
}

static int tuples_next(lua_State *L) { return tuples_continue(L, LUA_OK, 0); }

/* The same for rows that were put aside. */
static int tuples_next_buffered(lua_State *L) {
  binding *b = BINDING(L);
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  binding_result *result = lua_touserdata(L, 1);
  if (fetch(L, b, 1) != ALCH_ROW) return 0;
  int row = lua_gettop(L);
  lua_pushinteger(L, result->number);
  int width = (int)result->execution.column_count;
  luaL_checkstack(L, width + 4, "too many columns");
  for (int i = 1; i <= width; i++) lua_rawgeti(L, row, i);
  return width + 1;
}

/* for n, a, b in result:tuples() do: n counts the rows. Leaving the loop early closes the result (Lua 5.4). */
static int result_tuples(lua_State *L) {
  binding *b = BINDING(L);
  binding_result *result = binding_check_result(L, b, 1);
  if (result->unique) return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "tuples() goes row by row and cannot be unique(); use a loop over the result");
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, result->buffered ? tuples_next_buffered : tuples_next, 2);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, 1);
  return 4;
}

/* ---- what a result gives: each answers the result itself ---- */

/* scalars([column]): values of one column, the first by default */
int binding_result_scalars(lua_State *L) {
  binding *b = BINDING(L);
  binding_result *result = binding_check_result(L, b, 1);
  if (!lua_isnoneornil(L, 2)) result->scalar_column = binding_find_column(L, b, 1, 2);
  else result->scalar_column = binding_result_place(result, 0);
  result->mode = RESULT_MODE_SCALARS;
  lua_settop(L, 1);
  return 1;
}

/* mappings(): rows as plain tables of names and values */
static int result_mappings(lua_State *L) {
  binding_check_result(L, BINDING(L), 1)->mode = RESULT_MODE_MAPPINGS;
  lua_settop(L, 1);
  return 1;
}

/* unique(): rows that were given before are left out */
static int result_unique(lua_State *L) {
  binding *b = BINDING(L);
  binding_result *result = binding_check_result(L, b, 1);
  if (result->buffered) return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "unique() is not for the rows of several parameter sets");
  result->unique = true;
  lua_newtable(L);
  lua_setiuservalue(L, 1, RESULT_SEEN);
  lua_settop(L, 1);
  return 1;
}

/* columns(column, …): by place, name or expression */
static int result_columns(lua_State *L) {
  binding *b = BINDING(L);
  binding_result *result = binding_check_result(L, b, 1);
  int count = lua_gettop(L) - 1;
  if (count == 0 || result->buffered || result->selected) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "columns takes columns, once, by place, name or expression");
  uint32_t *places = lua_newuserdatauv(L, (size_t)count * sizeof *places, 0);
  for (int i = 0; i < count; i++) places[i] = binding_find_column(L, b, 1, i + 2);
  lua_setiuservalue(L, 1, RESULT_SELECTED);
  lua_pushnil(L);
  lua_setiuservalue(L, 1, RESULT_SHAPE);
  result->selected = places;
  result->selected_count = (uint32_t)count;
  lua_settop(L, 1);
  return 1;
}

/* keys(): the names of the columns, as a list of its own */
static int result_keys(lua_State *L) {
  binding *b = BINDING(L);
  binding_check_result(L, b, 1);
  binding_push_names(L, b, 1);
  binding_copy_list(L);
  return 1;
}

void binding_open_fetch(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "all", result_all }, { "fetchall", result_all }, { "fetchmany", result_fetchmany }, { "fetchone", result_fetchone }, { "partitions", result_partitions },
    { "first", result_first }, { "one", result_one }, { "one_or_none", result_one_or_none }, { "scalar", result_scalar }, { "scalar_one", result_scalar_one },
    { "scalar_one_or_none", result_scalar_one_or_none }, { "scalars", binding_result_scalars }, { "mappings", result_mappings }, { "unique", result_unique },
    { "columns", result_columns }, { "keys", result_keys }, { "tuples", result_tuples }, { NULL, NULL },
  };
  binding_kind_methods(L, b, BINDING_RESULT, methods);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[BINDING_RESULT]);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushcclosure(L, result_call, 1);
  lua_setfield(L, -2, "__call");
  lua_pop(L, 1);
}
