/* construct.c - custom constructs and hooks of the compiler: Lua functions that give SQL text. */
#include "base/map.h"
#include "lua/expression.h"
#include "sql/hook.h"
#include <string.h>

/* What a hook in the catalog knows of its function. */
typedef struct lua_hook { binding *binding; int function; } lua_hook;

/* One call on its way: the objects that Lua sees hold it, and it ends with the call. */
typedef struct running { alch_hook_call *call; } running;

/* ---- what the function sees ---- */

typedef struct element { running *running; const alch_node *node; } element;

static alch_hook_call *call_of(lua_State *L, binding *b, const running *running) {
  if (!running->call) binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "an element and its compiler can be used while the statement is compiled, and not afterwards");
  return running->call;
}

/* user value 1: the running call, which lives in a userdata of its own */
static void push_element(lua_State *L, binding *b, int running_index, const alch_node *node) {
  running_index = lua_absindex(L, running_index);
  element *made = binding_new(L, b, BINDING_ELEMENT, sizeof *made, 1);
  *made = (element){ lua_touserdata(L, running_index), node };
  lua_pushvalue(L, running_index);
  lua_setiuservalue(L, -2, 1);
}

static int element_part(lua_State *L, binding *b, const element *self, lua_Integer number) {
  call_of(L, b, self->running);
  const alch_node *part = number >= 1 ? alch_node_nth(self->node, (uint32_t)(number - 1)) : NULL;
  if (!part) { lua_pushnil(L); return 1; }
  lua_getiuservalue(L, 1, 1);
  push_element(L, b, -1, part);
  return 1;
}

/* element[i]: a part; element.kind, element.text, element.type */
static int element_index(lua_State *L) {
  binding *b = BINDING(L);
  const element *self = binding_check(L, b, 1, BINDING_ELEMENT);
  if (lua_type(L, 2) == LUA_TNUMBER) return element_part(L, b, self, lua_tointeger(L, 2));
  alch_hook_call *call = call_of(L, b, self->running);
  if (binding_is(L, 2, "kind")) lua_pushstring(L, alch_node_kind_name(self->node->kind));
  else if (binding_is(L, 2, "text")) lua_pushlstring(L, alch_node_text(self->node), self->node->length);
  else if (binding_is(L, 2, "type")) binding_push_type(L, b, alch_type_of(call->compiler, self->node));
  else return binding_error(L, b, ALCH_ERROR_ARGUMENT, "an element has parts (element[1], #element), kind, text and type, and no '%s'", luaL_tolstring(L, 2, NULL));
  return 1;
}

static int element_length(lua_State *L) {
  binding *b = BINDING(L);
  const element *self = binding_check(L, b, 1, BINDING_ELEMENT);
  call_of(L, b, self->running);
  lua_pushinteger(L, (lua_Integer)alch_node_child_count(self->node));
  return 1;
}

/* ---- the compiler, as the function sees it ---- */

static int push_text(lua_State *L, binding *b, alch_status status, const alch_buffer *text) {
  binding_must(L, b, status);
  lua_pushlstring(L, alch_buffer_text(text), text->length);
  return 1;
}

/* compiler:process(element[i]): its SQL. */
static int compiler_process(lua_State *L) {
  binding *b = BINDING(L);
  const element *self = binding_check(L, b, 1, BINDING_HOOK), *part = binding_test(L, b, 2, BINDING_ELEMENT);
  alch_hook_call *call = call_of(L, b, self->running);
  if (!part) return binding_expected(L, b, 2, "a part of the element, such as element[1]", "process");
  alch_buffer *text = binding_push_buffer(L, b);
  return push_text(L, b, alch_hook_process(call, part->node, text), text);
}

/* compiler:default(element): what stands there without the hook. */
static int compiler_default(lua_State *L) {
  binding *b = BINDING(L);
  const element *self = binding_check(L, b, 1, BINDING_HOOK);
  alch_hook_call *call = call_of(L, b, self->running);
  if (call->node->kind == ALCH_NODE_CONSTRUCT) return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "a construct has no other text than its functions give");
  alch_buffer *text = binding_push_buffer(L, b);
  return push_text(L, b, alch_hook_default(call, text), text);
}

static int compiler_quote(lua_State *L) {
  binding *b = BINDING(L);
  const element *self = binding_check(L, b, 1, BINDING_HOOK);
  alch_hook_call *call = call_of(L, b, self->running);
  alch_buffer_clear(&b->scratch);
  alch_quote_identifier(call->compiler->dialect, luaL_checkstring(L, 2), 0, &b->scratch);
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
  return 1;
}

static int compiler_property(lua_State *L) {
  binding *b = BINDING(L);
  const element *self = lua_touserdata(L, 1);
  if (!binding_is(L, 2, "dialect")) return 0;
  lua_pushstring(L, call_of(L, b, self->running)->compiler->dialect->name);
  return 1;
}

/* ---- the call ---- */

/* (hook, call): everything that may raise, protected by one call. */
static int run(lua_State *L) {
  lua_hook *hook = lua_touserdata(L, 1);
  alch_hook_call *call = lua_touserdata(L, 2);
  binding *b = hook->binding;
  size_t length;
  running *one = lua_newuserdatauv(L, sizeof *one, 0);
  one->call = call;
  int place = lua_gettop(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, hook->function);
  push_element(L, b, place, call->node);
  push_element(L, b, place, NULL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[BINDING_HOOK]);
  lua_setmetatable(L, -2);
  int failed = lua_pcall(L, 2, 1, 0);
  one->call = NULL;
  if (failed) return lua_error(L);
  if (lua_type(L, -1) != LUA_TSTRING) return binding_expected(L, b, -1, "SQL text", "the answer of a construct's function");
  const char *text = lua_tolstring(L, -1, &length);
  lua_pushinteger(L, alch_hook_write(call, text, length));
  return 1;
}

static alch_status render(void *context, alch_hook_call *call) {
  lua_hook *hook = context;
  binding *b = hook->binding;
  lua_State *L = b->state;
  if (!L) return alch_compile_error(call->compiler, ALCH_ERROR_COMPILE, "a construct with a Lua function cannot be compiled here");
  int top = lua_gettop(L);
  if (!lua_checkstack(L, 8)) return alch_no_memory(call->compiler);
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, hook);
  lua_pushlightuserdata(L, call);
  alch_status status = binding_call(L, b, 2, 1);
  if (status == ALCH_OK) status = (alch_status)lua_tointeger(L, -1);
  lua_settop(L, top);
  b->state = L;
  return status;
}

/* ---- declaring ---- */

static uint8_t kind_of(lua_State *L, binding *b, const char *name) {
  const char *names[ALCH_NODE_KIND_COUNT];
  for (int kind = 1; kind < ALCH_NODE_KIND_COUNT; kind++) {
    names[kind - 1] = alch_node_kind_name((uint8_t)kind);
    if (strcmp(names[kind - 1], name) == 0) return (uint8_t)kind;
  }
  const char *nearest = alch_nearest(name, names, ALCH_NODE_KIND_COUNT - 1);
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "there is no kind of node '%s'%s%s%s", name, nearest ? "; the nearest is '" : "", nearest ? nearest : "", nearest ? "'" : "");
  return 0;
}

/* hook(kind, name or nil, dialect or nil, function) */
static int construct_hook(lua_State *L) {
  binding *b = BINDING(L);
  uint8_t kind = kind_of(L, b, luaL_checkstring(L, 1));
  luaL_checktype(L, 4, LUA_TFUNCTION);
  lua_hook *hook = alch_arena_allocate(&b->catalog->arena, sizeof *hook);
  if (!hook) return binding_raise(L, b, alch_error_out_of_memory(&b->error));
  lua_settop(L, 4);
  *hook = (lua_hook){ b, luaL_ref(L, LUA_REGISTRYINDEX) };
  binding_must(L, b, alch_hook_add(b->catalog, &(alch_hook){ .kind = kind, .name = lua_tostring(L, 2), .dialect = lua_tostring(L, 3), .render = render, .context = hook }, &b->error));
  return 0;
}

/* construct(name, type or nil, arguments …): the expression. */
static int construct_construct(lua_State *L) {
  binding *b = BINDING(L);
  size_t length;
  const char *name = luaL_checklstring(L, 1, &length);
  alch_type_id type = lua_isnil(L, 2) ? 0 : binding_check_type(L, b, 2, "construct");
  int count = lua_gettop(L) - 2;
  alch_operand *operands = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *operands, 0);
  for (int i = 0; i < count; i++) binding_operand(L, b, i + 3, 0, false, &operands[i]);
  alch_builder_start(&b->builder);
  alch_builder_open_text(&b->builder, ALCH_NODE_CONSTRUCT, 0, 0, type, name, length);
  for (int i = 0; i < count; i++) binding_build_operand(L, b, &operands[i], 0);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* operand(type): what stands for the value in the expressions of a custom type. */
static int construct_operand(lua_State *L) {
  binding *b = BINDING(L);
  alch_builder_start(&b->builder);
  alch_builder_leaf(&b->builder, ALCH_NODE_OPERAND, 0, binding_check_type(L, b, 1, "operand"), 0);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

void binding_open_construct(lua_State *L, binding *b) {
  static const luaL_Reg element_metamethods[] = { { "__index", element_index }, { "__len", element_length }, { NULL, NULL } };
  static const luaL_Reg compiler_methods[] = { { "process", compiler_process }, { "default", compiler_default }, { "quote", compiler_quote }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "hook", construct_hook }, { "construct", construct_construct }, { "operand", construct_operand }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_ELEMENT, "element", NULL, element_metamethods);
  binding_kind_register(L, b, BINDING_HOOK, "compiler", compiler_methods, NULL);
  binding_kind_properties(L, b, BINDING_HOOK, compiler_property);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
