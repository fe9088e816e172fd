/* parameters.c - the values that an execution is given by name. They are all read from the Lua table before the core is called, so that nothing can raise in its midst;
   what the core asks of Lua itself (defaults that are functions) is called protected. */
#include "lua/result.h"
#include <string.h>

/* ---- what the core asks ---- */

static alch_status named(void *context, const alch_slot *slot, alch_value *out, alch_error *error) {
  const binding_parameters *parameters = context;
  ptrdiff_t place = slot - parameters->compiled->slots;
  (void)error;
  if (!parameters->given || !parameters->given[place]) return ALCH_DONE;
  *out = parameters->values[place];
  return ALCH_OK;
}

static alch_status item(void *context, const alch_slot *slot, uint32_t index, alch_value *out, alch_error *error) {
  const binding_parameters *parameters = context;
  (void)error;
  *out = parameters->items[slot - parameters->compiled->slots][index];
  return ALCH_OK;
}

typedef struct default_call { binding *b; const alch_slot *slot; int64_t reference; alch_value *out; } default_call;

/* Called protected; what it answers is whatever keeps the value's text. */
static int call_default(lua_State *L) {
  default_call *call = lua_touserdata(L, 1);
  const alch_slot *slot = call->slot;
  lua_rawgeti(L, LUA_REGISTRYINDEX, call->reference);
  lua_call(L, 0, 1);
  binding_value_for(L, call->b, 2, slot->type, slot->column, call->out);
  lua_settop(L, 2);
  return 1;
}

static alch_status host(void *context, const alch_slot *slot, int64_t reference, alch_value *out, alch_error *error) {
  binding_parameters *parameters = context;
  lua_State *L = parameters->L;
  binding *b = parameters->b;
  if (!lua_checkstack(L, 4)) return alch_error_out_of_memory(error);
  default_call call = { b, slot, reference, out };
  alch_error aside = b->error;
  alch_error_init(&b->error, &b->allocator);
  lua_pushcfunction(L, call_default);
  lua_pushlightuserdata(L, &call);
  alch_status status = binding_call(L, b, 1, 1);
  alch_error_close(&b->error);
  b->error = aside;
  binding_enter(L, b);
  return status;
}

/* ---- reading a table ---- */

void binding_parameters_open(lua_State *L, binding *b, const alch_compiled *compiled, binding_parameters *out) {
  size_t count = compiled->slot_count + 1;
  char *memory = lua_newuserdatauv(L, count * (sizeof *out->values + sizeof *out->items + sizeof *out->given), 0);
  *out = (binding_parameters){ .L = L, .b = b, .compiled = compiled };
  out->values = (alch_value *)(void *)memory;
  out->items = (const alch_value **)(void *)(memory + count * sizeof *out->values);
  out->given = (bool *)(memory + count * (sizeof *out->values + sizeof *out->items));
}

static void take_list(lua_State *L, binding_parameters *parameters, uint32_t place, const alch_slot *slot) {
  binding *b = parameters->b;
  int list = lua_gettop(L);
  if (!lua_istable(L, list)) binding_expected(L, b, list, "a list of values", slot->name);
  uint32_t count = (uint32_t)lua_rawlen(L, list);
  alch_value *items = lua_newuserdatauv(L, (count + 1) * sizeof *items, 0);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    binding_value_for(L, b, -1, slot->type, NULL, &items[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  parameters->values[place] = (alch_value){ .kind = ALCH_LIST, .integer = count };
  parameters->items[place] = items;
}

static const char *set_prefix(lua_State *L, lua_Integer set) { return set > 0 ? lua_pushfstring(L, "parameter set %d: ", (int)set) : ""; }

/* Is the slot the first one of its name? */
static bool is_first(const alch_compiled *compiled, uint32_t place) {
  for (uint32_t i = 0; i < place; i++)
    if (compiled->slots[i].name && strcmp(compiled->slots[i].name, compiled->slots[place].name) == 0) return false;
  return true;
}

/* Some key of the table at index is no name of a slot: says which. */
static void refuse_extra(lua_State *L, binding_parameters *parameters, int index, lua_Integer set) {
  const alch_compiled *compiled = parameters->compiled;
  const char *names[256], *prefix = set_prefix(L, set);
  size_t count = 0;
  for (uint32_t i = 0; i < compiled->slot_count && count < ALCH_COUNT(names); i++)
    if (compiled->slots[i].name) names[count++] = compiled->slots[i].name;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) binding_error(L, parameters->b, ALCH_ERROR_ARGUMENT, "%sparameters go by name: { name = value }", prefix);
    const char *word = lua_tostring(L, -1);
    bool known = false;
    for (size_t i = 0; i < count; i++) known = known || strcmp(names[i], word) == 0;
    if (known) continue;
    const char *nearest = alch_nearest(word, names, count);
    binding_error(L, parameters->b, ALCH_ERROR_ARGUMENT, nearest ? "%sthe statement has no parameter '%s'; the nearest is '%s'" : "%sthe statement has no parameter '%s'", prefix, word, nearest);
  }
}

static void refuse_missing(lua_State *L, binding_parameters *parameters, const alch_slot *slot, lua_Integer set) {
  binding_error(L, parameters->b, ALCH_ERROR_STATEMENT, "%sA value is required for bind parameter '%s'", set_prefix(L, set), slot->name);
}

static uint32_t count_keys(lua_State *L, int index) {
  uint32_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) { lua_pop(L, 1); count++; }
  return count;
}

void binding_parameters_take(lua_State *L, binding_parameters *parameters, int index, lua_Integer set) {
  const alch_compiled *compiled = parameters->compiled;
  uint32_t used = 0;
  luaL_checkstack(L, (int)compiled->slot_count * 3 + 8, "too many parameters");
  for (uint32_t i = 0; i < compiled->slot_count; i++) {
    const alch_slot *slot = &compiled->slots[i];
    parameters->given[i] = false;
    if (!slot->name) continue;
    lua_pushstring(L, slot->name);
    if (lua_rawget(L, index) == LUA_TNIL) {
      lua_pop(L, 1);
      if (slot->required || (set > 1 && slot->column && slot->kind == ALCH_SLOT_VALUE)) refuse_missing(L, parameters, slot, set);
      continue;
    }
    used += is_first(compiled, i);
    parameters->given[i] = true;
    parameters->b->set = set;
    if (slot->list) take_list(L, parameters, i, slot);
    else binding_value_for(L, parameters->b, -1, slot->type, slot->column, &parameters->values[i]);
  }
  parameters->b->set = 0;
  if (count_keys(L, index) != used) refuse_extra(L, parameters, index, set);
}

alch_parameters binding_parameters_callbacks(binding_parameters *parameters) {
  return (alch_parameters){ .context = parameters, .named = named, .host = host, .item = item };
}
