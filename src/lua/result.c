/* result.c - results as Lua values: what they are, closing, properties. fetch.c reads rows from them. */
#include "lua/result.h"
#include <string.h>

binding_result *binding_check_result(lua_State *L, binding *b, int index) {
  binding_result *result = binding_test(L, b, index, BINDING_RESULT);
  if (ALCH_UNLIKELY(!result)) binding_expected(L, b, index, "a result", NULL);
  if (ALCH_UNLIKELY(result->closed)) binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "This result object is closed.");
  if (ALCH_UNLIKELY(!result->execution.returns_rows && !result->buffered))
    binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "This result object does not return rows. It has been closed automatically.");
  return result;
}

alch_status binding_step(lua_State *L, binding *b, binding_result *result) {
  binding_enter(L, b);
  b->dialect = result->compiled->dialect->name;
  return binding_must(L, b, alch_execution_next(&result->execution, &b->error));
}

void binding_result_open(binding *b, binding_result *result) {
  result->binding = b;
  result->execution = b->spare;
  alch_execution_init(&b->spare, &b->allocator);
  binding_own(b, &result->owned, binding_result_release);
}

enum { SPARE_BYTES = 4096 };   /* more than that is not worth keeping */

static void keep_arrays(binding *b, alch_execution *execution) {
  if (b->spare.row || b->spare.values || execution->scratch.capacity > SPARE_BYTES || execution->texts.capacity > SPARE_BYTES) return;
  alch_execution *spare = &b->spare;
  alch_execution_destroy(spare);
  spare->row = execution->row;
  spare->row_capacity = execution->row_capacity;
  spare->values = execution->values;
  spare->value_capacity = execution->value_capacity;
  spare->counts = execution->counts;
  spare->count_capacity = execution->count_capacity;
  spare->scratch = execution->scratch;
  spare->texts = execution->texts;
  execution->row = execution->values = NULL;
  execution->counts = NULL;
  execution->row_capacity = execution->value_capacity = execution->count_capacity = 0;
  alch_buffer_init(&execution->scratch, &b->allocator);
  alch_buffer_init(&execution->texts, &b->allocator);
}

void binding_result_release(binding_owned *owned) {
  binding_result *result = (binding_result *)owned;
  alch_compiled *compiled = result->compiled;
  result->compiled = NULL;
  result->closed = true;
  alch_execution_close(&result->execution);
  keep_arrays(result->binding, &result->execution);
  alch_execution_destroy(&result->execution);
  alch_compiled_release(compiled);
}

/* What an INSERT wrote is still asked for; the rest of a result with rows is over. */
void binding_result_finish(binding_result *result) {
  result->closed = true;
  alch_execution_close(&result->execution);
  if (result->execution.returns_rows) keep_arrays(result->binding, &result->execution);
}

/* close(): what is left of the rows is given up. Closing twice is fine. */
static int result_close(lua_State *L) {
  binding_result_finish(binding_check(L, BINDING(L), 1, BINDING_RESULT));
  return 0;
}

static int result_gc(lua_State *L) {
  binding_disown(lua_touserdata(L, 1));
  return 0;
}

/* ---- inserted_primary_key ---- */

/* The slot that wrote this column, -1 when none did. Without expanding slots a slot's number is its value's. */
static int64_t slot_of(const alch_compiled *compiled, const alch_column *column) {
  for (uint32_t i = 0; i < compiled->slot_count; i++)
    if (compiled->slots[i].column == column) return i;
  return -1;
}

/* What the statement wrote into a column of the key, as Lua sees it; nil when only the database knows. */
static void push_key_value(lua_State *L, binding *b, const binding_result *result, const alch_column *column) {
  const alch_compiled *compiled = result->compiled;
  int64_t slot = slot_of(compiled, column);
  alch_value value = slot >= 0 && slot < result->execution.bound_count ? result->execution.values[slot] : ALCH_VALUE_NULL;
  if (value.kind == ALCH_NULL) {
    bool given_out = alch_table_autoincrement(compiled->table) == column && result->execution.last_insert_id != 0;
    if (given_out) lua_pushinteger(L, result->execution.last_insert_id);
    else lua_pushnil(L);
    return;
  }
  const alch_type *type = alch_type_in(alch_catalog_type(b->catalog, column->type), compiled->dialect->name);
  alch_buffer_clear(&b->scratch);
  if (compiled->dialect->from_database && compiled->dialect->converts(type, false))
    binding_must(L, b, compiled->dialect->from_database(type, &value, &b->scratch, &b->error));
  binding_push_value(L, b, &value, type);
}

/* The primary key of the row that a single INSERT wrote: by place and by name. */
static int inserted_primary_key(lua_State *L, binding *b, const binding_result *result) {
  const alch_compiled *compiled = result->compiled;
  if (compiled->kind != ALCH_STATEMENT_INSERT || (compiled->returns_rows && !result->returns_key) || result->many)
    return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "inserted_primary_key is there after an INSERT of one row without returning");
  const alch_constraint *key = compiled->table->primary_key;
  lua_createtable(L, (int)key->column_count, (int)key->column_count);
  bool returned = lua_getiuservalue(L, 1, RESULT_KEY) == LUA_TTABLE;
  for (uint32_t i = 0; i < key->column_count; i++) {
    if (returned) lua_rawgeti(L, -1, (lua_Integer)i + 1);
    else push_key_value(L, b, result, key->columns[i]);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -4, (lua_Integer)i + 1);
    lua_setfield(L, -3, key->columns[i]->key);
  }
  lua_pop(L, 1);
  return 1;
}

static int result_property(lua_State *L) {
  binding *b = BINDING(L);
  const binding_result *result = lua_touserdata(L, 1);
  if (binding_is(L, 2, "rowcount")) lua_pushinteger(L, result->many ? result->changes : result->execution.changes);
  else if (binding_is(L, 2, "lastrowid")) lua_pushinteger(L, result->execution.last_insert_id);
  else if (binding_is(L, 2, "inserted_primary_key")) return inserted_primary_key(L, b, result);
  else if (binding_is(L, 2, "returns_rows")) lua_pushboolean(L, result->execution.returns_rows || result->buffered);
  else if (binding_is(L, 2, "closed")) lua_pushboolean(L, result->closed || !(result->execution.returns_rows || result->buffered));
  else if (binding_is(L, 2, "connection")) lua_getiuservalue(L, 1, RESULT_CONNECTION);
  else return 0;
  return 1;
}

void binding_open_result(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "close", result_close }, { NULL, NULL } };
  static const luaL_Reg metamethods[] = { { "__gc", result_gc }, { "__close", result_close }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_RESULT, "Result", methods, metamethods);
  binding_kind_properties(L, b, BINDING_RESULT, result_property);
  binding_open_row(L, b);
  binding_open_fetch(L, b);
  binding_open_execute(L, b);
}
