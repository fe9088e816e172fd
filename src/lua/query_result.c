/* query_result.c - what a statement with entities gives: rows of objects and values, all there already, so that nothing of it depends on the connection; or piece by piece (query_stream.c). */
#include "lua/host.h"
#include <string.h>

enum { ROWS = 1, ROW_METATABLE = 2 };   /* user values */

/* ---- which model ---- */

static binding_model *entity_model(const binding_orm *o, const alch_node *node) {
  if (node->kind == ALCH_NODE_ENTITY && node->b != 0) return alch_map_get(&o->models, &node->b, sizeof node->b);
  if (node->kind == ALCH_NODE_LABEL) return entity_model(o, alch_node_child(node));
  return NULL;
}

static binding_model *selected_model(const binding_orm *o, const alch_node *query) {
  if (query->kind == ALCH_NODE_COMPOUND) {
    const alch_node *members = alch_node_clause(query, ALCH_NODE_MEMBERS);
    return members ? selected_model(o, alch_node_child(members)) : NULL;
  }
  const alch_node *columns = query->kind == ALCH_NODE_SELECT ? alch_node_clause(query, ALCH_NODE_COLUMNS) : NULL;
  if (!columns) return NULL;
  for ALCH_EACH_CHILD(item, columns) {
    binding_model *model = entity_model(o, item);
    if (model) return model;
  }
  return NULL;
}

binding_model *binding_statement_model(const binding_orm *o, const alch_block *block) { return selected_model(o, alch_block_root(block)); }

/* ---- rows ---- */

static int no_such_name(lua_State *L, const char *word) {
  const char *names[64];
  size_t count = 0;
  for (; count < ALCH_COUNT(names) && lua_rawgeti(L, lua_upvalueindex(4), (lua_Integer)count + 1) == LUA_TSTRING; count++) names[count] = lua_tostring(L, -1);
  const char *nearest = alch_nearest(word, names, count);
  return binding_error(L, BINDING(L), ALCH_ERROR_NO_SUCH_COLUMN, nearest ? "the row has no column '%s'; the nearest is '%s'" : "the row has no column '%s'", word, nearest);
}

/* upvalues: the binding, name -> place (false: several), the methods of rows, the names */
static int row_index(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  int kind = lua_rawget(L, lua_upvalueindex(2));
  if (kind == LUA_TNUMBER) {
    lua_rawgeti(L, 1, lua_tointeger(L, -1));
    return 1;
  }
  const char *word = lua_tostring(L, 2);
  if (kind == LUA_TBOOLEAN) return binding_error(L, BINDING(L), ALCH_ERROR_INVALID_REQUEST, "several places of the row are named '%s'; use their numbers, or labels", word);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(3)) != LUA_TNIL || strncmp(word, "__", 2) == 0) return 1;
  return no_such_name(L, word);
}

/* upvalue 1: how many places */
static int row_len(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

/* Enters a name in the tables at two slots of the stack: place -> name, name -> place. */
static void enter_name(lua_State *L, int names, int places, const char *name, lua_Integer place) {
  lua_pushstring(L, name);
  lua_pushvalue(L, -1);
  lua_rawseti(L, names, place);
  lua_pushvalue(L, -1);
  bool taken = lua_rawget(L, places) != LUA_TNIL;
  lua_pop(L, 1);
  if (taken) lua_pushboolean(L, 0);
  else lua_pushinteger(L, place);
  lua_rawset(L, places);
}

/* The metatable of a result's rows, made from the names of its places, which are in the list on top of the stack; takes the list. */
static void push_row_metatable(lua_State *L, binding *b) {
  int list = lua_gettop(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  lua_createtable(L, 0, 5);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_createtable(L, 0, (int)count);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->row_methods);
  lua_createtable(L, (int)count, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, list, i);
    enter_name(L, list + 5, list + 3, lua_tostring(L, -1), i);
    lua_pop(L, 1);
  }
  lua_pushvalue(L, -1);
  lua_setfield(L, list + 1, "names");
  lua_pushcclosure(L, row_index, 4);
  lua_setfield(L, list + 1, "__index");
  lua_pushinteger(L, count);
  lua_pushcclosure(L, row_len, 1);
  lua_setfield(L, list + 1, "__len");
  lua_pushliteral(L, "Row");
  lua_setfield(L, list + 1, "__name");
  lua_replace(L, list);
}

/* What item `place` of the select list is called: a column by its key, however the statement had to label it. */
static const char *place_name(const binding *b, const alch_plan *plan, const alch_node *item, uint32_t place) {
  if (item && item->kind == ALCH_NODE_COLUMN && !(item->a & ALCH_ANONYMOUS)) return alch_catalog_table(b->catalog, item->a)->columns[item->b]->key;
  return plan->places[place].name;
}

static void push_place_names(lua_State *L, const binding *b, const alch_plan *plan, const alch_block *block) {
  const alch_node *columns = alch_block_root(block)->kind == ALCH_NODE_SELECT ? alch_node_clause(alch_block_root(block), ALCH_NODE_COLUMNS) : NULL;
  bool alike = columns && alch_node_child_count(columns) == plan->place_count;
  lua_createtable(L, (int)plan->place_count, 0);
  for (uint32_t i = 0; i < plan->place_count; i++) {
    lua_pushstring(L, place_name(b, plan, alike ? alch_node_nth(columns, i) : NULL, i));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

binding_query_result *binding_query_result_new(lua_State *L, binding_orm *o, const alch_plan *plan, const alch_block *block, bool streams) {
  binding_query_result *result = binding_new(L, o->b, BINDING_QUERY_RESULT, sizeof *result, streams ? 4 : 3);
  result->place_count = plan->place_count;
  result->single = plan->single_entity;
  result->distinct = plan->single_entity && plan->unique;
  lua_newtable(L);
  lua_setiuservalue(L, -2, ROWS);
  if (result->single) lua_pushstring(L, plan->places[0].name);
  else {
    push_place_names(L, o->b, plan, block);
    push_row_metatable(L, o->b);
  }
  lua_setiuservalue(L, -2, ROW_METATABLE);
  return result;
}

static binding_query_result *check_result(lua_State *L) {
  binding_query_result *result = binding_check(L, BINDING(L), 1, BINDING_QUERY_RESULT);
  if (result->closed) binding_error(L, BINDING(L), ALCH_ERROR_RESOURCE_CLOSED, "this result is closed");
  return result;
}

/* The metatable of single objects' rows is made when first asked for. */
static void push_metatable_of(lua_State *L) {
  if (lua_getiuservalue(L, 1, ROW_METATABLE) == LUA_TTABLE) return;
  lua_createtable(L, 1, 0);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 1);
  push_row_metatable(L, BINDING(L));
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, ROW_METATABLE);
}

/* Row `number`, from 1, as this result gives rows out; the list of rows stands at `rows`. */
static void push_row(lua_State *L, const binding_query_result *result, int rows, uint32_t number) {
  lua_rawgeti(L, rows, (lua_Integer)number);
  if (result->scalars) {
    if (result->single) return;
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
    return;
  }
  if (result->single) {
    lua_createtable(L, 1, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
  }
  if (!lua_getmetatable(L, -1)) { push_metatable_of(L); lua_setmetatable(L, -2); }
  else lua_pop(L, 1);
}

/* ---- methods ---- */

static int take(lua_State *L, binding_query_result *result, uint32_t count) {
  uint32_t left = result->count - result->next;
  if (count > left) count = left;
  lua_getiuservalue(L, 1, ROWS);
  int rows = lua_gettop(L);
  if (result->scalars && result->single && result->next == 0 && count == result->count) {   /* the list itself: nobody else has it */
    lua_newtable(L);
    lua_setiuservalue(L, 1, ROWS);
    result->before += count;
    result->count = result->next = 0;
    return 1;
  }
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 1; i <= count; i++) {
    push_row(L, result, rows, ++result->next);
    lua_rawseti(L, -2, (lua_Integer)i);
  }
  return 1;
}

static int all_continue(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return take(L, lua_touserdata(L, 1), UINT32_MAX);
}

/* all(): the rows that are left, as a list */
static int result_all(lua_State *L) {
  check_result(L);
  return binding_query_more(L, UINT32_MAX, 0, all_continue);
}

static int fetchmany_continue(lua_State *L, int status, lua_KContext count) {
  (void)status;
  return take(L, lua_touserdata(L, 1), (uint32_t)count);
}

/* A number of rows at index; of a stream, those of a piece where there is none. */
static uint32_t check_count(lua_State *L, int index, const binding_query_result *result, const char *where) {
  if (lua_isnoneornil(L, index) && result->stream) return result->stream->piece;
  lua_Integer count = lua_isinteger(L, index) ? lua_tointeger(L, index) : 0;
  if (count < 1 || count > INT32_MAX) binding_expected(L, BINDING(L), index, "a number of rows from 1 on", where);
  return (uint32_t)count;
}

/* fetchmany([n]) */
static int result_fetchmany(lua_State *L) {
  uint32_t count = check_count(L, 2, check_result(L), "fetchmany");
  return binding_query_more(L, count, count, fetchmany_continue);
}

static int next_continue(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  binding_query_result *result = lua_touserdata(L, 1);
  if (result->next >= result->count) return 0;
  lua_getiuservalue(L, 1, ROWS);
  push_row(L, result, lua_gettop(L), ++result->next);
  return 1;
}

/* The next row, which the result is called for by a for loop; nil at the end. */
static int result_next(lua_State *L) {
  check_result(L);
  return binding_query_more(L, 1, 0, next_continue);
}

static int first_continue(lua_State *L, int status, lua_KContext context) {
  int answers = next_continue(L, status, context);
  binding_query_finish(lua_touserdata(L, 1));
  if (answers == 0) lua_pushnil(L);
  return 1;
}

static int take_first(lua_State *L, bool scalars) {
  binding_query_result *result = check_result(L);
  if (scalars) result->scalars = true;
  return binding_query_more(L, 1, 0, first_continue);
}

/* first(): the first row or nil; the rest is dropped */
static int result_first(lua_State *L) { return take_first(L, false); }
/* scalar(): the first value of the first row, or nil */
static int result_scalar(lua_State *L) { return take_first(L, true); }

static int one_continue(lua_State *L, int status, lua_KContext must) {
  binding_query_result *result = lua_touserdata(L, 1);
  uint32_t left = result->count - result->next;
  if (left > 1) {
    const char *many = result->stream && !result->stream->ended ? "at least " : "";
    binding_query_finish(result);
    return binding_error(L, BINDING(L), ALCH_ERROR_MULTIPLE_RESULTS_FOUND, "Multiple rows were found when %s was required (there are %s%u)", must ? "exactly one" : "one or none", many, left);
  }
  if (left == 0) binding_query_finish(result);
  if (left == 0 && must) return binding_error(L, BINDING(L), ALCH_ERROR_NO_RESULT_FOUND, "No row was found when one was required");
  return first_continue(L, status, 0);
}

static int take_one(lua_State *L, bool must, bool scalars) {
  binding_query_result *result = check_result(L);
  if (scalars) result->scalars = true;
  return binding_query_more(L, 2, must, one_continue);
}

/* one(), one_or_none(): NoResultFound, MultipleResultsFound; scalar_…: the first value of that row */
static int result_one(lua_State *L) { return take_one(L, true, false); }
static int result_one_or_none(lua_State *L) { return take_one(L, false, false); }
static int result_scalar_one(lua_State *L) { return take_one(L, true, true); }
static int result_scalar_one_or_none(lua_State *L) { return take_one(L, false, true); }

/* scalars(): the same result, giving the first value of each row */
static int result_scalars(lua_State *L) {
  check_result(L)->scalars = true;
  lua_settop(L, 1);
  return 1;
}

static void push_identity_of_row(lua_State *L, const binding_query_result *result, int row) {
  if (result->single) { lua_pushvalue(L, row); return; }
  luaL_Buffer key;
  int places = (int)result->place_count;
  luaL_buffinit(L, &key);
  for (int i = 1; i <= places; i++) {
    lua_rawgeti(L, row, i);
    if (lua_isuserdata(L, -1) || lua_istable(L, -1)) { lua_pushfstring(L, "p%p\n", lua_topointer(L, -1)); lua_remove(L, -2); luaL_addvalue(&key); continue; }
    luaL_tolstring(L, -1, NULL);
    lua_pushfstring(L, "%s%d:%s\n", luaL_typename(L, -2), (int)lua_rawlen(L, -1), lua_tostring(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
    luaL_addvalue(&key);
  }
  luaL_pushresult(&key);
}

static int unique_continue(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  binding_query_result *result = lua_touserdata(L, 1);
  lua_settop(L, 1);
  if (result->distinct) return 1;
  lua_newtable(L);
  lua_getiuservalue(L, 1, ROWS);
  lua_newtable(L);
  lua_Integer kept = 0;
  for (uint32_t i = result->next + 1; i <= result->count; i++) {
    lua_rawgeti(L, 3, (lua_Integer)i);
    push_identity_of_row(L, result, lua_gettop(L));
    lua_pushvalue(L, -1);
    bool seen = lua_rawget(L, 2) != LUA_TNIL;
    lua_pop(L, 1);
    if (!seen) {
      lua_pushboolean(L, 1);
      lua_rawset(L, 2);
      lua_rawseti(L, 4, ++kept);
    } else lua_pop(L, 2);
  }
  lua_setiuservalue(L, 1, ROWS);
  result->next = 0;
  result->count = (uint32_t)kept;
  lua_settop(L, 1);
  return 1;
}

/* unique(): the same result without repeated rows */
static int result_unique(lua_State *L) {
  const binding_query_result *result = check_result(L);
  if (result->stream && result->stream->yields)
    return binding_error(L, BINDING(L), ALCH_ERROR_INVALID_REQUEST, "Can't use yield_per with unique(): all rows would have to be remembered; write select(…):distinct(), or leave yield_per out");
  return binding_query_more(L, UINT32_MAX, 0, unique_continue);
}

static void push_names(lua_State *L) {
  push_metatable_of(L);
  lua_getfield(L, -1, "names");
  lua_remove(L, -2);
}

/* keys(): names of the places */
static int result_keys(lua_State *L) {
  check_result(L);
  push_names(L);
  int names = lua_gettop(L);
  lua_newtable(L);
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, names); i++) {
    lua_rawgeti(L, names, i);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

static int mappings_continue(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  binding_query_result *result = lua_touserdata(L, 1);
  lua_settop(L, 1);
  push_names(L);
  lua_getiuservalue(L, 1, ROWS);
  lua_createtable(L, (int)(result->count - result->next), 0);
  lua_Integer number = 0;
  while (result->next < result->count) {
    lua_rawgeti(L, 3, (lua_Integer)++result->next);
    lua_createtable(L, 0, (int)result->place_count);
    for (lua_Integer i = 1; i <= (lua_Integer)result->place_count; i++) {
      lua_rawgeti(L, 2, i);
      if (result->single) lua_pushvalue(L, 5);
      else lua_rawgeti(L, 5, i);
      lua_rawset(L, 6);
    }
    lua_rawseti(L, 4, ++number);
    lua_settop(L, 4);
  }
  return 1;
}

/* mappings(): a list of tables by name */
static int result_mappings(lua_State *L) {
  check_result(L);
  return binding_query_more(L, UINT32_MAX, 0, mappings_continue);
}

static int tuple_continue(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  binding_query_result *result = lua_touserdata(L, 1);
  if (result->next >= result->count) return 0;
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, ROWS);
  luaL_checkstack(L, (int)result->place_count + 4, "a row");
  lua_rawgeti(L, 2, (lua_Integer)++result->next);
  lua_pushinteger(L, result->before + result->next);
  if (result->single) { lua_pushvalue(L, 3); return 2; }
  for (lua_Integer i = 1; i <= (lua_Integer)result->place_count; i++) lua_rawgeti(L, 3, i);
  return 1 + (int)result->place_count;
}

static int next_tuple(lua_State *L) {
  check_result(L);
  return binding_query_more(L, 1, 0, tuple_continue);
}

/* tuples(): for n, a, b in result:tuples() do … end */
static int result_tuples(lua_State *L) {
  check_result(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, BINDING(L));
  lua_pushcclosure(L, next_tuple, 1);
  lua_pushvalue(L, 1);
  return 2;
}

static int partition_continue(lua_State *L, int status, lua_KContext count) {
  (void)status;
  binding_query_result *result = lua_touserdata(L, 1);
  return result->next < result->count ? take(L, result, (uint32_t)count) : 0;
}

/* upvalues: the binding, the result, the size */
static int next_partition(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  check_result(L);
  uint32_t count = (uint32_t)lua_tointeger(L, lua_upvalueindex(3));
  return binding_query_more(L, count, count, partition_continue);
}

/* partitions([n]): for rows in result:partitions(100) do … end; without a number the pieces of yield_per */
static int result_partitions(lua_State *L) {
  uint32_t count = check_count(L, 2, check_result(L), "partitions");
  lua_settop(L, 1);
  lua_pushinteger(L, count);
  lua_rawgetp(L, LUA_REGISTRYINDEX, BINDING(L));
  lua_insert(L, 1);
  lua_pushcclosure(L, next_partition, 3);
  return 1;
}

/* close(): what is left of the rows is given up. Closing twice is fine. */
static int result_close(lua_State *L) {
  binding_query_finish(binding_check(L, BINDING(L), 1, BINDING_QUERY_RESULT));
  return 0;
}

static int result_tostring(lua_State *L) {
  const binding_query_result *result = binding_check(L, BINDING(L), 1, BINDING_QUERY_RESULT);
  if (result->stream) lua_pushfstring(L, "result in pieces of %d rows%s", (int)result->stream->piece, result->closed ? " (closed)" : "");
  else lua_pushfstring(L, "result of %d rows%s", (int)result->count, result->closed ? " (closed)" : "");
  return 1;
}

static int result_property(lua_State *L) {
  const binding_query_result *result = lua_touserdata(L, 1);
  if (binding_is(L, 2, "closed")) lua_pushboolean(L, result->closed);
  else if (binding_is(L, 2, "returns_rows")) lua_pushboolean(L, 1);
  else return 0;
  return 1;
}

void binding_open_query_result(lua_State *L, binding *b, binding_orm *o) {
  static const luaL_Reg methods[] = {
    { "all", result_all }, { "fetchall", result_all }, { "fetchmany", result_fetchmany }, { "fetchone", result_next }, { "first", result_first }, { "one", result_one },
    { "one_or_none", result_one_or_none }, { "scalar", result_scalar }, { "scalar_one", result_scalar_one }, { "scalar_one_or_none", result_scalar_one_or_none },
    { "scalars", result_scalars }, { "unique", result_unique }, { "keys", result_keys }, { "mappings", result_mappings }, { "tuples", result_tuples },
    { "partitions", result_partitions }, { "close", result_close }, { NULL, NULL },
  };
  static const luaL_Reg metamethods[] = { { "__call", result_next }, { "__close", result_close }, { "__tostring", result_tostring }, { NULL, NULL } };
  binding_orm_kind(L, o, BINDING_QUERY_RESULT, "query result", methods, metamethods);
  lua_pop(L, 1);
  binding_kind_properties(L, b, BINDING_QUERY_RESULT, result_property);
  binding_open_query_stream(L, b);
}
