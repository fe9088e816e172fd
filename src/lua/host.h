/* host.h - what the files of the ORM's binding share: the host that the core sees, models, instances, sessions.

   One `binding_orm` a Lua state, kept in the registry for as long as the state lives; so are models. An instance is a full userdata whose payload is the alch_object itself. Its user values:
   1 the table of texts that were set later and of extras, made when first needed; 2 and on, one a relationship: the related object, or the list.

   The core knows objects by address. What Lua value stands behind an address is found among the objects that the call under way has seen (known), among those that the session holds (object->anchor),
   or by key in the session's identity map. */
#ifndef ALCH_LUA_HOST_H
#define ALCH_LUA_HOST_H

#include "lua/binding.h"
#include "orm/load.h"

typedef struct binding_known { const alch_object *object; int index; } binding_known;

/* What the call that is inside the core has at hand. User code that runs meanwhile (events, defaults) has a scope of its own, on top. */
typedef struct binding_scope {
  lua_State *state;
  uint32_t base, count;            /* in `known`: what belongs to this call */
  uint32_t turn;                   /* which of the older ones is overwritten next */
  int keep;                        /* stack index of the table that keeps objects alive until the call ends; 0: none */
  int rows, row;                   /* loading: stack indexes of the list of results and of the row under way */
  int floor;                       /* loading: what is above belongs to the row under way */
  uint32_t floor_count;
  uint32_t row_count, place_count; /* place_count 0: a row is one object */
  bool closing;                    /* a finaliser runs: no user code */
} binding_scope;

typedef struct binding_orm {
  alch_host host;                  /* first: this is the host that the core is given */
  binding *b;
  binding_scope scope;
  binding_known *known;
  uint32_t known_capacity;
  alch_buffer key;                 /* composite keys of identity maps */
  int weak;                        /* registry references: the metatable of identity maps, */
  int sessions;                    /* session -> its object, weak, */
  int dispatch;                    /* the function that calls listeners, */
  int answer;                      /* the last default's value */
  int instance_methods;            /* what every instance can do */
} binding_orm;

/* How a value is written without asking the type. */
typedef enum binding_write { BINDING_WRITE_TYPED, BINDING_WRITE_INTEGER, BINDING_WRITE_REAL, BINDING_WRITE_TEXT, BINDING_WRITE_BOOLEAN } binding_write;

typedef struct binding_name { const char *text; uint32_t slot; } binding_name;

/* The payload of BINDING_MAPPER; alch_mapper.host points to it. User value 1: its arrays; 2: the strings that `names` points to. */
typedef struct binding_model {
  alch_mapper *mapper;
  binding_orm *orm;
  int model, metatable;            /* registry references: the model's table, the metatable of its instances */
  bool extra;                      /* instances may carry other values */
  uint32_t mask;                   /* of names */
  binding_name *names;             /* open hash by the address of the interned string */
  uint8_t *writes;                 /* by attribute: binding_write */
  bool *direct;                    /* by attribute: pushed without asking the type */
} binding_model;

/* The payload of BINDING_COLLECTION. User values: 1 the list of items, 2 the owner, 3 and 4 memory of the core's. */
typedef struct binding_collection { alch_collection list; size_t sizes[2]; } binding_collection;

/* The payload of BINDING_SESSION. User values: 1 the engine, 2 a connection that was given out, 3 the user's info. */
typedef struct binding_session {
  alch_session *session;           /* NULL once destroyed */
  binding_orm *orm;
  int held;                        /* registry reference: anchor -> object, or the next free anchor */
  uint32_t held_count, held_free;
  int *maps;                       /* by mapper id: registry references of the identity maps, 0 where there is none yet */
  uint32_t map_capacity;
  uint32_t entered;                /* calls of the core under way */
  bool abandoned;                  /* a call was left by an error: to be cleared up once the outer ones are done */
} binding_session;

/* ---- calls into the core ---- */
/* The state's record; every function of these files has it as its second upvalue. */
#define BINDING_ORM(L) ((binding_orm *)lua_touserdata((L), lua_upvalueindex(2)))
/* Before each call of the core. */
static inline void binding_orm_enter(lua_State *L, binding_orm *o) {
  o->b->state = o->scope.state = L;
  o->scope.count = o->scope.base;
  o->scope.keep = 0;
}
/* Says where an object's value stands on the stack. */
void binding_know(lua_State *L, binding_orm *o, const alch_object *object, int index);
/* Calls the function under the arguments as binding_call does, in a scope of its own. */
alch_status binding_orm_call(lua_State *L, binding_orm *o, int arguments, int results);
/* Pushes the value of an object that is known, held or in the identity map; nil for NULL. */
void binding_push_object(lua_State *L, binding_orm *o, const alch_object *object);
/* Pushes the object of a session, or nil. */
void binding_push_session(lua_State *L, binding_orm *o, const alch_session *session);
/* Pushes the identity map of a mapper; false, with nothing pushed, when there is none yet. */
static inline bool binding_push_identities(lua_State *L, const binding_session *s, uint32_t mapper) {
  if (mapper >= s->map_capacity || s->maps[mapper] == 0) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps[mapper]);
  return true;
}
void binding_open_host(lua_State *L, binding *b);    /* host.c: makes the record and leaves it on the stack */

/* ---- models ---- */
/* The model whose table, alias or mapper stands at index, or NULL. */
binding_model *binding_model_of(lua_State *L, int index);
binding_model *binding_check_model(lua_State *L, binding *b, int index, const char *where);
/* Slot of a name: attributes, then relationships; UINT32_MAX. */
uint32_t binding_model_slot(const binding_model *model, const char *name, size_t length);
/* Resolves the strings of all models, once. */
void binding_configure(lua_State *L, binding_orm *o, const alch_mapper *mapper);
int binding_unknown_attribute(lua_State *L, const binding_model *model, const char *name);

/* ---- instances ---- */
/* The object at index, or NULL when that is no instance. */
alch_object *binding_instance(lua_State *L, int index);
alch_object *binding_check_instance(lua_State *L, binding *b, int index, const char *where);
void binding_model_metatable(lua_State *L, binding_model *model);    /* instance.c: pushes a new metatable for the instances of a model */
/* Pushes the value of a slot, loading it where it has to. May wait; continues in binding_slot_continue, whose frame has the object at 1. */
int binding_push_slot(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot);
/* A plain value for an attribute. The slot of the stack keeps the text. */
void binding_attribute_value(lua_State *L, const binding_model *model, uint32_t slot, int index, alch_value *out);
/* Sets a relationship to what stands at index: nil or an instance; for lists, a table or list of instances. The object stands at `at`. */
void binding_set_related(lua_State *L, binding_orm *o, alch_object *object, int at, const alch_relationship *relationship, int index);
/* Makes sure that a slot of the object at index 1 is loaded (blocks). */
void binding_load_slot(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot, int at);

/* ---- sessions ---- */
binding_session *binding_check_session(lua_State *L, binding *b, int index);
/* What a protected call left behind (status of lua_pcallk): when the core was left by a long jump, clears up; raises the error on top of the stack. */
void binding_session_left(lua_State *L, binding_session *s, uint32_t entered, int status);

void binding_open_instance(lua_State *L, binding *b, binding_orm *o);
void binding_open_collection(lua_State *L, binding *b, binding_orm *o);
void binding_open_relationship(lua_State *L, binding *b, binding_orm *o);
void binding_open_query_result(lua_State *L, binding *b, binding_orm *o);

/* ---- results (query_result.c) ---- */
/* Pushes the result for a statement with entities; its rows are filled in by a load. */
struct binding_query_result *binding_query_result_new(lua_State *L, binding_orm *o, const alch_block *block);

#endif
