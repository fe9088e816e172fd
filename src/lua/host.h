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

enum { BINDING_MAPPERS = 3 };
/* The slots from scope.spots on; the first mapper's identity map and metatable, then the next one's. */
enum { BINDING_SPOT_RECALLED, BINDING_SPOT_LIST, BINDING_SPOT_ITEMS, BINDING_SPOT_MAPPERS, BINDING_SPOTS = BINDING_SPOT_MAPPERS + 2 * BINDING_MAPPERS };

/* What the call that is inside the core has at hand. User code that runs meanwhile (events, defaults) has a scope of its own, on top. */
typedef struct binding_scope {
  lua_State *state;
  uint32_t base, count;            /* in `known`: what belongs to this call */
  uint32_t turn;                   /* which of the older ones is overwritten next */
  uint32_t newest;                 /* which came last, if it is below `count` */
  int spots;                       /* loading: the first of the slots of the stack for what is used again and again; 0: there are none. In these stand: */
  const alch_object *recalled;     /* of the objects that had to be looked up, the last one, */
  const alch_collection *list;     /* the list that was put something in, with its items, */
  const alch_mapper *mappers[BINDING_MAPPERS];   /* the identity maps and metatables of these */
  uint32_t mapper_turn;            /* which of them makes room for the next */
  const alch_mapper *mapper;       /* the one of them that was used last, or NULL; and where its two stand */
  int identities, metatable;
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
  int instance_methods;            /* what every instance can do, */
  int configure;                   /* the function that resolves strings of models, */
  int route;                       /* the one that says where something goes: lualchemy.orm.binds */
  alch_registry **registries;      /* closed with the record: sessions and objects go before it */
  uint32_t registry_count, registry_capacity;
  uint32_t model_count;
  alch_map models;                 /* 4 bytes of mapper id -> binding_model */
  alch_map models_by_table;        /* 4 bytes of table id -> the first model over it */
} binding_orm;

/* How a value is written without asking the type. */
typedef enum binding_write { BINDING_WRITE_TYPED, BINDING_WRITE_INTEGER, BINDING_WRITE_REAL, BINDING_WRITE_TEXT, BINDING_WRITE_BOOLEAN } binding_write;

typedef struct binding_name { const char *text; uint32_t slot; } binding_name;

/* The payload of BINDING_MAPPER; alch_mapper.host points to it. User value 1: its arrays; 2: the strings that `names` points to. */
typedef struct binding_model {
  alch_mapper *mapper;
  binding_orm *orm;
  uint32_t number;                 /* place of its identity map in sessions */
  int model, metatable;            /* registry references: the model's table, the metatable of its instances */
  bool ready;                      /* configured, and writes and direct are filled in */
  bool extra;                      /* instances may carry other values */
  uint32_t mask;                   /* of names */
  binding_name *names;             /* open hash by the address of the interned string */
  uint8_t *writes;                 /* by attribute: binding_write */
  bool *direct;                    /* by attribute: pushed without asking the type */
} binding_model;

/* The payload of BINDING_COLLECTION. User values: 1 the list of items, 2 the owner, 3 and 4 memory of the core's. */
typedef struct binding_collection { alch_collection list; size_t sizes[2]; } binding_collection;

/* The payload of BINDING_SESSION. User values: 1 the engine, 2 the connections that were given out, 3 the user's info, 4 the list of open transaction objects, 5 the engines that it has met. The lists of 2 and 5
   are by the number of the bind (alch_bind.place), from 1; alch_bind.host_data is the binding_connection that was given out. */
typedef struct binding_session {
  const void *mark;                /* the same in all sessions: tells them from other userdata faster than a metatable does */
  alch_session *session;           /* NULL once destroyed */
  binding_orm *orm;
  int held;                        /* registry reference: anchor -> object, or the next free anchor */
  uint32_t held_count, held_free;
  int *maps;                       /* by number of the model: registry references of the identity maps, 0 where there is none yet */
  uint32_t map_capacity;
  uint32_t entered;                /* calls of the core under way */
  const void *last_table;          /* the model that get was last asked for: the address of its table, */
  struct binding_model *last_model;/* and what it is */
  bool abandoned;                  /* a call was left by an error: to be cleared up once the outer ones are done */
} binding_session;

/* ---- calls into the core ---- */
/* The state's record; every function of these files has it as its second upvalue. */
#define BINDING_ORM(L) ((binding_orm *)lua_touserdata((L), lua_upvalueindex(2)))
/* Before each call of the core. */
static inline void binding_orm_enter(lua_State *L, binding_orm *o) {
  o->b->state = o->scope.state = L;
  o->scope.count = o->scope.base;
  o->scope.keep = o->scope.rows = o->scope.spots = 0;
  o->scope.recalled = NULL;
  o->scope.list = NULL;
  o->scope.mapper = NULL;
}
/* What stands in the slots of a load may be of no more use: the user's code ran, or the identity maps were emptied. */
static inline void binding_forget_spots(binding_scope *scope) {
  scope->mapper = NULL;
  scope->list = NULL;
  for (int i = 0; i < BINDING_MAPPERS; i++) scope->mappers[i] = NULL;
}
/* Before a load: takes the slots for what its rows use again and again, such as the parent of many children, its list, the identity map. */
void binding_orm_prepare(lua_State *L, binding_orm *o);
/* Says where an object's value stands on the stack. */
void binding_know(lua_State *L, binding_orm *o, const alch_object *object, int index);
/* Before a wait: what is known and stands above a slot of the stack stays alive, though the stack is cut. */
void binding_keep_known(lua_State *L, binding_orm *o, int above);
/* Pushes the value of an object that is known, held or in the identity map; nil for NULL. */
void binding_push_object(lua_State *L, binding_orm *o, const alch_object *object);
/* Pushes the object of a session, or nil. */
void binding_push_session(lua_State *L, binding_orm *o, const alch_session *session);
/* Pushes the identity map of a mapper; false, with nothing pushed, when there is none yet. */
static inline bool binding_push_identities(lua_State *L, const binding_session *s, const alch_mapper *mapper) {
  uint32_t number = ((const binding_model *)mapper->host)->number;
  if (number >= s->map_capacity || s->maps[number] == 0) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps[number]);
  return true;
}
binding_orm *binding_open_host(lua_State *L, binding *b);
extern const char *const binding_session_events[];   /* host_call.c: names, by alch_session_event */
void binding_host_calls(alch_host *host);            /* host_call.c: fills in what calls the user's functions */
binding_orm *binding_orm_of(lua_State *L);           /* the state's record */
/* Adds functions with the binding and the record as upvalues to the table on top of the stack. */
void binding_orm_functions(lua_State *L, binding_orm *o, const luaL_Reg *functions);
/* The same for the methods and metamethods of a kind; the table of methods is left on the stack. */
void binding_orm_kind(lua_State *L, binding_orm *o, binding_kind kind, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* ---- models ---- */
/* The model whose table, alias or mapper stands at index, or NULL. */
binding_model *binding_model_of(lua_State *L, binding *b, int index);
binding_model *binding_check_model(lua_State *L, binding *b, int index, const char *where);
/* Slot of a name: attributes, then relationships; UINT32_MAX. The name is a Lua string's: short ones are unique in memory. */
enum { BINDING_INTERNED_LIMIT = 40 };
static inline uint32_t binding_name_place(const char *name) { return (uint32_t)((uintptr_t)name >> 3 ^ (uintptr_t)name >> 9); }
static inline uint32_t binding_model_slot(const binding_model *model, const char *name, size_t length) {
  if (ALCH_UNLIKELY(length > BINDING_INTERNED_LIMIT)) return alch_mapper_slot(model->mapper, name);
  for (uint32_t i = binding_name_place(name) & model->mask;; i = (i + 1) & model->mask) {
    if (model->names[i].text == name) return model->names[i].slot;
    if (!model->names[i].text) return UINT32_MAX;
  }
}
/* Resolves what the models of a declarative base say of each other, when first used. */
void binding_configure(lua_State *L, binding_model *model);
static inline void binding_be_ready(lua_State *L, binding_model *model) { if (ALCH_UNLIKELY(!model->ready)) binding_configure(L, model); }
int binding_unknown_attribute(lua_State *L, const binding_model *model, const char *name);

/* The attribute that a relationship is on a model or (source anonymous) on an alias of it, whose table stands at index. */
void binding_push_relationship(lua_State *L, binding_orm *o, const alch_relationship *relationship, uint32_t source, int index);

/* ---- instances ---- */
/* The object at index, or NULL when that is no instance. */
alch_object *binding_instance(lua_State *L, int index);
alch_object *binding_check_instance(lua_State *L, binding *b, int index, const char *where);
void binding_model_metatable(lua_State *L, binding_model *model);    /* instance.c: pushes a new metatable for the instances of a model */
void binding_push_constructor(lua_State *L, binding_model *model);                                       /* the function that makes them */
/* Pushes the value of a slot, loading it where it has to. May wait; continues in binding_slot_continue, whose frame has the object at 1. */
int binding_push_slot(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot);
/* A plain value for an attribute. The slot of the stack keeps the text. */
void binding_attribute_value(lua_State *L, const binding_model *model, uint32_t slot, int index, alch_value *out);
/* Sets a relationship to what stands at index: nil or an instance; for lists, a table or list of instances. The object stands at `at`. */
void binding_set_related(lua_State *L, binding_orm *o, alch_object *object, int at, const alch_relationship *relationship, int index);
/* Makes sure that a slot of the object at index 1 is loaded (blocks). */
void binding_load_slot(lua_State *L, binding_orm *o, alch_object *object, uint32_t slot, int at);

/* ---- sessions ---- */
enum { BINDING_SESSION_CONNECTIONS = 2, BINDING_SESSION_ENGINES = 5 };   /* user values */
binding_session *binding_check_session(lua_State *L, binding *b, int index);
/* What a protected call left behind (status of lua_pcallk): when the core was left by a long jump, clears up; raises the error on top of the stack. */
void binding_session_left(lua_State *L, binding_session *s, uint32_t entered, int status);
/* session.c. All with the session at 1. Push the object of the innermost transaction, or of the connection; what to look after when a step is over. */
void binding_push_session_transaction(lua_State *L, binding_session *s);
void binding_push_session_connection(lua_State *L, binding_session *s, alch_bind *bind);
/* bind.c. Connections that were given out and are the session's no longer are closed for Lua. */
void binding_forget_connections(lua_State *L, const binding_session *s);
/* Puts the engine that the arguments at index mean in their place; nil for the session's only one. whose: for errors. */
void binding_route(lua_State *L, const binding_session *s, int index, const char *whose);
/* alch_host.find_bind */
alch_status binding_find_bind(alch_host *host, alch_session *session, const alch_mapper *mapper, const alch_table *table, bool writes, alch_bind **out, alch_error *error);
/* The bind of the engine at index; `session` is where the session stands, which keeps the engine. */
alch_bind *binding_session_bind(lua_State *L, binding_session *s, int session, int index);
void binding_session_settle(lua_State *L, binding_session *s);
/* The steps that run protected, and can wait: session_step.c. */
typedef enum binding_task {
  BINDING_TASK_DELETE, BINDING_TASK_FLUSH, BINDING_TASK_COMMIT, BINDING_TASK_ROLLBACK, BINDING_TASK_BEGIN, BINDING_TASK_BEGIN_NESTED, BINDING_TASK_GET, BINDING_TASK_REFRESH,
  BINDING_TASK_EXPIRE, BINDING_TASK_EXPUNGE, BINDING_TASK_PLAN, BINDING_TASK_CONNECTION, BINDING_TASK_LOAD, BINDING_TASK_RELATED, BINDING_TASK_PIECES,
  BINDING_TASK_PREPARE
} binding_task;
/* Runs a step with the arguments on the stack, the session at 1; answers how many results it left. */
int binding_session_run(lua_State *L, binding_task step);

/* ---- results (query_result.c) ---- */
/* The payload of BINDING_QUERY_STREAM: a load whose rows are still to come, closed with it. User value 1: the statement. */
typedef struct binding_query_stream {
  alch_load *load;                 /* NULL once closed, by whomever */
  uint32_t piece;                  /* rows */
  bool yields;                     /* as yield_per has it: nothing may ask for all rows at once */
  bool ended;                      /* the last row is there */
  bool running;                    /* a piece is being loaded */
} binding_query_stream;
/* The payload of BINDING_QUERY_RESULT. User values: 1 the list of rows, 2 the metatable of rows, 3 the session; of a stream, 4 its userdata. */
typedef struct binding_query_result {
  alch_load *load;                 /* of all rows, or of the first piece, under way */
  binding_query_stream *stream;    /* NULL: all rows are there */
  uint32_t place_count;
  uint32_t count, next;            /* rows; the one that comes next, from 0 */
  lua_Integer before;              /* rows that were given out before those */
  bool single;                     /* the list holds the objects themselves, */
  bool distinct;                   /* and each of them once */
  bool scalars;                    /* rows are given out as their first value */
  bool closed;
} binding_query_result;
/* The model of the first entity in what a statement selects; NULL when there is none. */
binding_model *binding_statement_model(const binding_orm *o, const alch_block *block);
/* Pushes a result for a load; the rows are still to come. streams: it may get a stream. */
binding_query_result *binding_query_result_new(lua_State *L, binding_orm *o, const alch_plan *plan, const alch_block *block, bool streams);
/* query_stream.c. Gives the result at index (a slot of the stack) a stream for its load, whose statement stands at `statement`. */
void binding_query_stream_new(lua_State *L, binding_orm *o, int index, int statement, uint32_t piece, bool yields);
/* Makes sure that the result at slot 1 has `wanted` rows that were not given out yet, or all that are left, and goes on in `then`, which it calls with the context (and what was on the stack). May wait. */
int binding_query_more(lua_State *L, uint32_t wanted, lua_KContext context, lua_KFunction then);
/* No more rows are wanted. */
void binding_query_finish(binding_query_result *result);
void binding_open_query_stream(lua_State *L, binding *b);

void binding_open_instance(lua_State *L, binding *b, binding_orm *o);
void binding_open_collection(lua_State *L, binding *b, binding_orm *o);
void binding_open_relationship(lua_State *L, binding *b, binding_orm *o);
void binding_open_query_result(lua_State *L, binding *b, binding_orm *o);
void binding_open_loader(lua_State *L, binding_orm *o);
void binding_open_instance_state(lua_State *L, binding_orm *o);

#endif
