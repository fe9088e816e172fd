/* sequence.c - sequences and identity columns: out of definitions, and what a sequence answers. */
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

/* ---- sequences ---- */

alch_sequence *binding_check_sequence(lua_State *L, binding *b, int index, const char *where) {
  alch_sequence **sequence = binding_test(L, b, index, BINDING_SEQUENCE);
  if (!sequence) binding_expected(L, b, index, "a Sequence", where);
  return *sequence;
}

void binding_push_sequence(lua_State *L, binding *b, alch_sequence *sequence) {
  *(alch_sequence **)binding_new(L, b, BINDING_SEQUENCE, sizeof sequence, 0) = sequence;
}

static const char *text_field(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1);   /* the definition keeps it */
  return text;
}

/* sequence(metadata or nil, { name, schema, start, …, data_type, optional, quote, options, condition }) */
static int schema_sequence(lua_State *L) {
  binding *b = BINDING(L);
  alch_metadata *metadata = lua_isnil(L, 1) ? NULL : binding_check_metadata(L, b, 1, "Sequence");
  alch_sequence given = { .name = text_field(L, 2, "name"), .schema = text_field(L, 2, "schema") }, *made = NULL;
  luaL_checktype(L, 2, LUA_TTABLE);
  binding_read_counting(L, b, 2, "Sequence", &given.counting);
  given.optional = choice(L, 2, "optional") == ALCH_YES;
  alch_choice quote = choice(L, 2, "quote");
  given.quote = quote == ALCH_UNSAID ? 0 : quote == ALCH_YES ? 1 : 2;
  if (lua_getfield(L, 2, "data_type") != LUA_TNIL) given.data_type = binding_check_type(L, b, -1, "data_type of Sequence");
  binding_must(L, b, alch_sequence_new(b->catalog, metadata, &given, &made, &b->error));
  binding_set_options(L, b, 2, &made->options);
  binding_set_condition(L, b, 2, &made->condition);
  binding_push_sequence(L, b, made);
  return 1;
}

static void build_next_value(binding *b, const alch_sequence *sequence) {
  alch_builder_start(&b->builder);
  alch_builder_leaf(&b->builder, ALCH_NODE_NEXT_VALUE, 0, sequence->id, 0);
}

const alch_block *binding_next_value(lua_State *L, binding *b, const alch_sequence *sequence) {
  build_next_value(b, sequence);
  const alch_block *block = binding_push_block(L, b, BINDING_EXPRESSION);
  const alch_block *kept = alch_catalog_keep_block(b->catalog, block, alch_block_size(block));
  lua_pop(L, 1);   /* the catalog has a copy */
  if (!kept) binding_must(L, b, alch_error_out_of_memory(&b->error));
  return kept;
}

/* sequence:next_value(): an expression */
static int sequence_next_value(lua_State *L) {
  binding *b = BINDING(L);
  build_next_value(b, binding_check_sequence(L, b, 1, "next_value"));
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

static int push_number(lua_State *L, const alch_counting *counting) {
  for (int i = 0; i < ALCH_COUNTING_NUMBERS; i++) {
    if (!binding_is(L, 2, number_names[i])) continue;
    if (counting->given >> i & 1) lua_pushinteger(L, counting->numbers[i]);
    else lua_pushnil(L);
    return 1;
  }
  return 0;
}

static int sequence_property(lua_State *L) {
  binding *b = BINDING(L);
  const alch_sequence *sequence = *(alch_sequence **)lua_touserdata(L, 1);
  if (binding_is(L, 2, "name")) lua_pushstring(L, sequence->name);
  else if (binding_is(L, 2, "schema")) lua_pushstring(L, sequence->schema);
  else if (binding_is(L, 2, "optional")) lua_pushboolean(L, sequence->optional);
  else if (binding_is(L, 2, "cycle")) lua_pushboolean(L, sequence->counting.cycle == ALCH_YES);
  else if (binding_is(L, 2, "data_type")) { if (sequence->data_type) binding_push_type(L, b, sequence->data_type); else lua_pushnil(L); }
  else return push_number(L, &sequence->counting);
  return 1;
}

static int sequence_tostring(lua_State *L) {
  const alch_sequence *sequence = *(alch_sequence **)binding_check(L, BINDING(L), 1, BINDING_SEQUENCE);
  if (sequence->schema) lua_pushfstring(L, "%s.%s", sequence->schema, sequence->name);
  else lua_pushstring(L, sequence->name);
  return 1;
}

/* is_sequence(value) */
static int schema_is_sequence(lua_State *L) {
  lua_pushboolean(L, binding_test(L, BINDING(L), 1, BINDING_SEQUENCE) != NULL);
  return 1;
}

void binding_open_sequence(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "next_value", sequence_next_value }, { NULL, NULL } };
  static const luaL_Reg metamethods[] = { { "__tostring", sequence_tostring }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "sequence", schema_sequence }, { "is_sequence", schema_is_sequence }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_SEQUENCE, "Sequence", methods, metamethods);
  binding_kind_properties(L, b, BINDING_SEQUENCE, sequence_property);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
