/* counting.c - sequences and identity columns out of definitions. */
#include "lua/schema.h"
#include <string.h>

static const char *const number_names[ALCH_COUNTING_NUMBERS] = { "increment", "start", "minvalue", "maxvalue", "cache" };

static alch_choice choice(lua_State *L, int definition, const char *name) {
  alch_choice answer = ALCH_UNSAID;
  if (lua_getfield(L, definition, name) != LUA_TNIL) answer = lua_toboolean(L, -1) ? ALCH_YES : ALCH_NO;
  lua_pop(L, 1);
  return answer;
}

void binding_read_counting(lua_State *L, binding *b, int definition, const char *where, alch_counting *out) {
  *out = (alch_counting){ .given = 0 };
  for (int i = 0; i < ALCH_COUNTING_NUMBERS; i++) {
    int whole = 0;
    if (lua_getfield(L, definition, number_names[i]) != LUA_TNIL) {
      out->numbers[i] = lua_tointegerx(L, -1, &whole);
      if (!whole || lua_type(L, -1) != LUA_TNUMBER) binding_expected(L, b, lua_gettop(L), "a whole number", where);
      out->given |= (uint8_t)(1u << i);
    }
    lua_pop(L, 1);
  }
  out->nominvalue = choice(L, definition, "nominvalue") == ALCH_YES;
  out->nomaxvalue = choice(L, definition, "nomaxvalue") == ALCH_YES;
  out->cycle = choice(L, definition, "cycle");
  out->order = choice(L, definition, "order");
}

bool binding_read_identity(lua_State *L, binding *b, int definition, alch_identity *out) {
  bool there = lua_getfield(L, definition, "identity") == LUA_TTABLE;
  if (there) {
    int index = lua_gettop(L);
    out->always = choice(L, index, "always");
    out->on_null = choice(L, index, "on_null");
    binding_read_counting(L, b, index, "Identity", &out->counting);
  }
  lua_pop(L, 1);
  return there;
}
