/* session.c - sessions as Lua sees them. What takes part in a transaction is a step, run protected by session_step.c; lua/lualchemy/orm/session.lua adds the rest. */
#include "lua/host.h"
#include <string.h>

enum { ENGINE = 1, INFO = 3, TRANSACTIONS = 4 };   /* user values; the others are bind.c's too */

static const char session_mark = 0;

static inline bool is_session(lua_State *L, const binding_session *s, int index) { return ALCH_LIKELY(s && lua_rawlen(L, index) == sizeof *s && s->mark == &session_mark); }

binding_session *binding_check_session(lua_State *L, binding *b, int index) {
  binding_session *s = lua_touserdata(L, index);
  if (ALCH_UNLIKELY(!is_session(L, s, index))) s = binding_check(L, b, index, BINDING_SESSION);
  if (!s->session) binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "this session is gone");
  return s;
}

static binding_session *check_session(lua_State *L) { return binding_check_session(L, BINDING(L), 1); }

/* ---- opening and closing ---- */

static bool option_flag(lua_State *L, int index, const char *name, bool otherwise) {
  lua_getfield(L, index, name);
  bool flag = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

static void read_options(lua_State *L, binding *b, int index, alch_session_options *options) {
  alch_session_options_init(options);
  options->autoflush = option_flag(L, index, "autoflush", options->autoflush);
  options->expire_on_commit = option_flag(L, index, "expire_on_commit", options->expire_on_commit);
  options->autobegin = option_flag(L, index, "autobegin", options->autobegin);
  options->twophase = option_flag(L, index, "twophase", options->twophase);
  lua_getfield(L, index, "batch_size");
  lua_Integer size = lua_tointeger(L, -1);
  if (!lua_isnil(L, -1) && (!lua_isinteger(L, -1) || size < 1 || size > INT32_MAX)) binding_expected(L, b, -1, "a whole number from 1 on", "batch_size of a session");
  options->batch_size = (uint32_t)size;
  lua_pop(L, 1);
}

/* session(engine, options, routed): the options were checked by lua/lualchemy/orm/session.lua. engine nil: everything is routed */
static int session_new(lua_State *L) {
  binding *b = BINDING(L);
  binding_orm *o = BINDING_ORM(L);
  lua_settop(L, 3);
  alch_engine *engine = lua_isnil(L, 1) ? NULL : binding_check_engine(L, b, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  alch_session_options options;
  read_options(L, b, 2, &options);
  binding_session *s = binding_new(L, b, BINDING_SESSION, sizeof *s, BINDING_SESSION_ENGINES);
  s->orm = o;
  s->mark = &session_mark;
  s->held = LUA_NOREF;
  lua_newtable(L);
  s->held = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, ENGINE);
  lua_createtable(L, 1, 0);
  lua_setiuservalue(L, -2, BINDING_SESSION_CONNECTIONS);
  lua_createtable(L, 1, 0);
  lua_setiuservalue(L, -2, BINDING_SESSION_ENGINES);
  binding_must(L, b, alch_session_open(engine, b->catalog, &o->host, &options, &b->allocator, &s->session, &b->error));
  s->session->host_data = s;
  if (engine) binding_session_bind(L, s, lua_gettop(L), 1);
  s->session->routed = s->session->routed || lua_toboolean(L, 3);
  lua_rawgeti(L, LUA_REGISTRYINDEX, o->sessions);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, s->session);
  lua_pop(L, 1);
  return 1;
}

/* A finaliser may run in the midst of another call: all that this call has at hand is put back afterwards, and no user code is called. */
static int session_gc(lua_State *L) {
  binding *b = BINDING(L);
  binding_orm *o = BINDING_ORM(L);
  binding_session *s = binding_check(L, b, 1, BINDING_SESSION);
  if (!s->session) return 0;
  binding_scope outer = o->scope;
  lua_State *state = b->state;
  o->scope = (binding_scope){ .state = L, .base = outer.count, .count = outer.count, .closing = true };
  b->state = NULL;
  for (alch_bind *bind = s->session->binds; bind; bind = bind->next)
    if (bind->host_data) ((binding_connection *)bind->host_data)->connection = NULL;
  alch_session_destroy(s->session);
  s->session = NULL;
  o->scope = outer;
  b->state = state;
  luaL_unref(L, LUA_REGISTRYINDEX, s->held);
  for (uint32_t i = 0; i < s->map_capacity; i++)
    if (s->maps[i]) luaL_unref(L, LUA_REGISTRYINDEX, s->maps[i]);
  alch_free(&b->allocator, s->maps, s->map_capacity * sizeof *s->maps);
  s->maps = NULL;
  s->map_capacity = 0;
  return 0;
}

/* ---- objects ---- */

/* Not protected: it calls no user code, never waits, and leaves nothing half done when memory runs out. */
static int session_add(lua_State *L) {
  binding *b = BINDING(L);
  binding_session *s = check_session(L);
  lua_settop(L, 2);
  alch_object *object = binding_check_instance(L, b, 2, "session:add");
  binding_orm_enter(L, s->orm);
  binding_know(L, s->orm, object, 2);
  binding_must(L, b, alch_session_add(s->session, object, &b->error));
  return 0;
}

/* add_all(objects). upvalue 3: add */
static int session_add_all(lua_State *L) {
  check_session(L);
  if (!lua_istable(L, 2) && !binding_test(L, BINDING(L), 2, BINDING_COLLECTION)) binding_expected(L, BINDING(L), 2, "a list of objects", "session:add_all");
  lua_settop(L, 2);
  lua_Integer count = luaL_len(L, 2);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, 2, i);
    binding_check_instance(L, BINDING(L), -1, "session:add_all");
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    lua_call(L, 2, 0);
    lua_settop(L, 2);
  }
  return 0;
}

static int run_on_object(lua_State *L, binding_task step, const char *where) {
  check_session(L);
  lua_settop(L, 3);
  binding_check_instance(L, BINDING(L), 2, where);
  return binding_session_run(L, step);
}

static int session_delete(lua_State *L) { return run_on_object(L, BINDING_TASK_DELETE, "session:delete"); }
static int session_expunge(lua_State *L) { return run_on_object(L, BINDING_TASK_EXPUNGE, "session:expunge"); }

/* A list of names at 3, or nothing. */
static void check_names(lua_State *L, const char *where) {
  if (lua_isnoneornil(L, 3) || (lua_istable(L, 3) && lua_rawlen(L, 3) > 0)) return;
  binding_expected(L, BINDING(L), 3, "a list of names of attributes such as { \"name\" }", where);
}

/* expire(object [, names]) */
static int session_expire(lua_State *L) { check_names(L, "session:expire"); return run_on_object(L, BINDING_TASK_EXPIRE, "session:expire"); }

/* refresh(object [, names]) */
static int session_refresh(lua_State *L) { check_names(L, "session:refresh"); return run_on_object(L, BINDING_TASK_REFRESH, "session:refresh"); }

/* load_related(objects, relationship, options): lualchemy.orm.session's preload */
static int session_related(lua_State *L) {
  check_session(L);
  lua_settop(L, 3);
  luaL_checktype(L, 2, LUA_TTABLE);
  return binding_session_run(L, BINDING_TASK_RELATED);
}

static int session_expunge_all(lua_State *L) {
  binding_session *s = check_session(L);
  binding_orm_enter(L, s->orm);
  alch_session_expunge_all(s->session);
  return 0;
}

static int session_expire_all(lua_State *L) {
  binding_session *s = check_session(L);
  binding_orm_enter(L, s->orm);
  alch_session_expire_all(s->session);
  return 0;
}

static int session_contains(lua_State *L) {
  const binding_session *s = check_session(L);
  const alch_object *object = binding_instance(L, 2);
  lua_pushboolean(L, object && object->session == s->session && !(object->state & ALCH_STATE_DELETED));
  return 1;
}

/* is_modified(object): is there a change that a flush would look at? */
static int session_is_modified(lua_State *L) {
  check_session(L);
  const alch_object *object = binding_check_instance(L, BINDING(L), 2, "session:is_modified");
  const uint8_t *kinds = alch_object_kinds(object);
  bool modified = false;
  for (uint32_t i = 0; i < object->mapper->slot_count; i++) modified = modified || (kinds[i] & ALCH_SLOT_CHANGED);
  lua_pushboolean(L, modified || (object->state & ALCH_STATE_PENDING));
  return 1;
}

/* ---- by key ---- */

/* An object that is there and needs no loading: its value is pushed. */
static bool find_loaded(lua_State *L, const binding_session *s, const binding_model *model) {
  if (!lua_isinteger(L, 3) || !binding_push_identities(L, s, model->mapper)) return false;
  bool there = lua_rawgeti(L, -1, lua_tointegerx(L, 3, NULL)) == LUA_TUSERDATA;
  /* Looking at the object is what costs when it is not in the processor's cache. */
  if (ALCH_LIKELY(!s->session->expired_once) || !there) return there;
  const alch_object *object = lua_touserdata(L, -1);
  return !(object->state & (ALCH_STATE_EXPIRED | ALCH_STATE_DELETED)) && object->batch >= s->session->oldest_batch;
}

/* The model at 2, remembered when it is ready and has integer keys. Tables of models live as long as the state, so an address stays what it is. */
static binding_model *model_of(lua_State *L, binding *b, binding_session *s) {
  binding_model *model = binding_model_of(L, b, 2);
  if (!model) binding_expected(L, b, 2, "a model", "session:get");
  binding_be_ready(L, model);
  if (!lua_istable(L, 2) || !model->mapper->integer_key) return model;
  s->last_table = lua_topointer(L, 2);
  s->last_model = model;
  return model;
}

/* Of get: is what is loaded to be read again? */
static bool asks_again(lua_State *L, binding *b) {
  static const binding_option known[] = { { "populate_existing", LUA_TBOOLEAN }, { NULL, 0 } };
  if (lua_isnoneornil(L, 4)) return false;
  binding_only_options(L, b, 4, known, "session:get");
  lua_getfield(L, 4, "populate_existing");
  return lua_toboolean(L, -1);
}

/* get(model, key [, { populate_existing = true }]): the object with this key, from the session or the database; nil when there is none. A key of several parts is a table: in order, or by name. */
static int session_get(lua_State *L) {
  binding_session *s = lua_touserdata(L, 1);
  bool asked_before = is_session(L, s, 1) && s->session && s->last_table && lua_topointer(L, 2) == s->last_table && lua_isnoneornil(L, 4);
  if (ALCH_LIKELY(asked_before) && find_loaded(L, s, s->last_model)) return 1;
  binding *b = BINDING(L);
  s = binding_check_session(L, b, 1);
  bool again = !asked_before && asks_again(L, b);   /* before anything else stands at 4 */
  const binding_model *model = model_of(L, b, s);
  lua_settop(L, 3);
  if (!asked_before && !again && model->mapper->integer_key && find_loaded(L, s, model)) return 1;
  lua_settop(L, 3);
  lua_pushboolean(L, again);
  return binding_session_run(L, BINDING_TASK_GET);
}

/* ---- transactions ---- */

/* A step that takes nothing; what it does, for who gives it something. */
static int run_alone(lua_State *L, binding_task step, const char *method, const char *does) {
  check_session(L);
  if (!lua_isnoneornil(L, 2)) return binding_error(L, BINDING(L), ALCH_ERROR_ARGUMENT, "session:%s takes nothing: it %s", method, does);
  lua_settop(L, 1);
  return binding_session_run(L, step);
}

static int session_flush(lua_State *L) { return run_alone(L, BINDING_TASK_FLUSH, "flush", "writes all that has changed"); }
static int session_commit(lua_State *L) { return run_alone(L, BINDING_TASK_COMMIT, "commit", "ends the transaction (session:transaction takes a function)"); }
static int session_rollback(lua_State *L) { return run_alone(L, BINDING_TASK_ROLLBACK, "rollback", "ends the transaction"); }
static int session_begin(lua_State *L) { check_session(L); lua_settop(L, 1); return binding_session_run(L, BINDING_TASK_BEGIN); }
static int session_begin_nested(lua_State *L) { check_session(L); lua_settop(L, 1); return binding_session_run(L, BINDING_TASK_BEGIN_NESTED); }
static int session_plan(lua_State *L) { check_session(L); lua_settop(L, 1); return binding_session_run(L, BINDING_TASK_PLAN); }
static int session_prepare(lua_State *L) { check_session(L); lua_settop(L, 1); return binding_session_run(L, BINDING_TASK_PREPARE); }

/* connection([arguments]): those of get_bind */
static int session_connection(lua_State *L) {
  const binding_session *s = check_session(L);
  lua_settop(L, 2);
  binding_route(L, s, 2, "session:connection");
  return binding_session_run(L, BINDING_TASK_CONNECTION);
}

/* begun_connection(): the one that after_begin is about */
static int session_begun_connection(lua_State *L) {
  binding_session *s = check_session(L);
  if (!s->session->begun) return 0;
  binding_push_session_connection(L, s, s->session->begun);
  return 1;
}

static int session_is_routed(lua_State *L) {
  lua_pushboolean(L, check_session(L)->session->routed);
  return 1;
}

/* left_prepared(): a list of { engine =, xid = }: where the last transaction was prepared and could not be ended */
static int session_left_prepared(lua_State *L) {
  const binding_session *s = check_session(L);
  lua_settop(L, 1);
  lua_newtable(L);
  lua_getiuservalue(L, 1, BINDING_SESSION_ENGINES);
  for (const alch_bind *bind = s->session->binds; bind; bind = bind->next) {
    alch_xid xid;
    if (bind->state != ALCH_BIND_LEFT) continue;
    alch_bind_xid(s->session, bind, xid);
    lua_createtable(L, 0, 2);
    lua_rawgeti(L, 3, (lua_Integer)bind->place + 1);
    lua_setfield(L, -2, "engine");
    lua_pushstring(L, xid);
    lua_setfield(L, -2, "xid");
    lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
  }
  lua_settop(L, 2);
  return 1;
}

/* What a load without other arguments is routed by, at 4. */
static void push_load_arguments(lua_State *L, const binding_model *model) {
  lua_createtable(L, 0, 2);
  lua_rawgeti(L, LUA_REGISTRYINDEX, model->model);
  lua_setfield(L, -2, "mapper");
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "clause");
  lua_replace(L, 4);
}

/* load(statement, parameters, arguments of get_bind): a result of a statement that selects entities; nil when it selects none */
static int session_load(lua_State *L) {
  const binding_session *s = check_session(L);
  binding *b = BINDING(L);
  const alch_block *block = binding_test(L, b, 2, BINDING_STATEMENT);
  binding_model *model = block ? binding_statement_model(BINDING_ORM(L), block) : NULL;
  lua_settop(L, 4);
  if (!model) return 0;
  binding_be_ready(L, model);
  if (ALCH_UNLIKELY(s->session->routed && lua_isnil(L, 4))) push_load_arguments(L, model);
  binding_route(L, s, 4, "bind_arguments");
  return binding_session_run(L, BINDING_TASK_LOAD);
}

/* A rollback that fails is no reason to keep the session open. */
static int close_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_session *s = lua_touserdata(L, 1);
  for (;;) {
    if (!s->session) return 0;
    binding_orm_enter(L, s->orm);
    alch_status answer = alch_session_unwind(s->session, &b->error);
    if (answer == ALCH_WAIT) {
      binding_wait(L, b, alch_session_awaits(s->session), context, close_continue);
      continue;
    }
    if (answer >= 0) break;
    binding_push_error(L, b, answer);
    lua_settop(L, 1);
    break;
  }
  alch_session_close(s->session);
  binding_forget_connections(L, s);
  lua_pushnil(L);
  lua_setiuservalue(L, 1, TRANSACTIONS);
  return 0;
}

/* close(): rolls back, lets all objects go and gives the connection back. The session can be used again. */
static int session_close(lua_State *L) {
  binding_check(L, BINDING(L), 1, BINDING_SESSION);
  lua_settop(L, 1);
  return close_continue(L, LUA_OK, 0);
}

static int session_in_transaction(lua_State *L) {
  lua_pushboolean(L, check_session(L)->session->frame != NULL);
  return 1;
}

static int session_in_nested_transaction(lua_State *L) {
  const alch_session_frame *frame = check_session(L)->session->frame;
  lua_pushboolean(L, frame && frame->nested);
  return 1;
}

/* set_autoflush(flag): answers what it was */
static int session_set_autoflush(lua_State *L) {
  alch_session *session = check_session(L)->session;
  lua_pushboolean(L, session->options.autoflush);
  session->options.autoflush = lua_toboolean(L, 2);
  return 1;
}

/* listen(event): from now on the core tells of it. False when there is no such event. */
static int session_listen(lua_State *L) {
  binding_session *s = check_session(L);
  for (int i = 0; i < ALCH_SESSION_EVENT_COUNT; i++) {
    if (!binding_is(L, 2, binding_session_events[i])) continue;
    s->session->events |= 1u << i;
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  return 1;
}

/* ---- properties ---- */

/* Objects of a list of the core; deleting ones are no dirty ones. */
static int push_objects(lua_State *L, binding_session *s, const alch_object_list *list, uint16_t without) {
  binding_orm_enter(L, s->orm);
  luaL_checkstack(L, 12, "objects");
  lua_createtable(L, (int)list->count, 0);
  lua_Integer count = 0;
  for (uint32_t i = 0; i < list->count; i++) {
    if (!list->items[i] || (list->items[i]->state & without)) continue;
    binding_push_object(L, s->orm, list->items[i]);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* identities: a list of the objects that the session has under their keys, in no particular order */
static int push_identities(lua_State *L, const binding_session *s) {
  lua_newtable(L);
  lua_Integer count = 0;
  int list = lua_gettop(L);
  for (uint32_t i = 0; i < s->map_capacity; i++) {
    if (s->maps[i] == 0) continue;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps[i]);
    lua_pushnil(L);
    while (lua_next(L, -2)) lua_rawseti(L, list, ++count);
    lua_pop(L, 1);
  }
  return 1;
}

static int push_user_value(lua_State *L, int which) {
  if (lua_getiuservalue(L, 1, which) != LUA_TNIL || which != INFO) return 1;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, INFO);
  return 1;
}

/* Methods, not properties: a property would make every method of a session slower to find. */
static int session_pending(lua_State *L) { binding_session *s = check_session(L); return push_objects(L, s, &s->session->pending, 0); }
static int session_dirty(lua_State *L) { binding_session *s = check_session(L); return push_objects(L, s, &s->session->modified, ALCH_STATE_DELETING | ALCH_STATE_DELETED); }
static int session_deleted(lua_State *L) { binding_session *s = check_session(L); return push_objects(L, s, &s->session->deleting, 0); }
static int session_identities(lua_State *L) { return push_identities(L, check_session(L)); }
static int session_bind(lua_State *L) { check_session(L); return push_user_value(L, ENGINE); }
static int session_info(lua_State *L) { check_session(L); return push_user_value(L, INFO); }
static int session_autoflush(lua_State *L) { lua_pushboolean(L, check_session(L)->session->options.autoflush); return 1; }
static int session_expire_on_commit(lua_State *L) { lua_pushboolean(L, check_session(L)->session->options.expire_on_commit); return 1; }
static int session_is_active(lua_State *L) { lua_pushboolean(L, !check_session(L)->session->failed); return 1; }

static int session_tostring(lua_State *L) {
  const binding_session *s = binding_check(L, BINDING(L), 1, BINDING_SESSION);
  if (!s->session) lua_pushliteral(L, "session (gone)");
  else lua_pushfstring(L, "session (%d new, %d changed, %d deleted%s)", (int)s->session->pending.count, (int)s->session->modified.count, (int)s->session->deleting.count,
                       s->session->frame ? ", in a transaction" : "");
  return 1;
}

/* ---- transaction objects: what begin and begin_nested answer ---- */

typedef struct transaction { alch_session_frame *frame; } transaction;   /* user value 1: the session */

static transaction *check_transaction(lua_State *L) { return binding_check(L, BINDING(L), 1, BINDING_SESSION_TRANSACTION); }

/* Puts the session in the place of the transaction and the frame behind it. */
static int end_transaction(lua_State *L, binding_task step, bool must) {
  transaction *one = check_transaction(L);
  if (!one->frame) {
    if (!must) return 0;
    return binding_error(L, BINDING(L), ALCH_ERROR_RESOURCE_CLOSED, "this transaction is over: it was committed or rolled back, or an outer one was");
  }
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_pushlightuserdata(L, one->frame);
  lua_remove(L, 1);
  binding_check_session(L, BINDING(L), 1);
  return binding_session_run(L, step);
}

static int transaction_commit(lua_State *L) { return end_transaction(L, BINDING_TASK_COMMIT, true); }
static int transaction_rollback(lua_State *L) { return end_transaction(L, BINDING_TASK_ROLLBACK, false); }

static int transaction_property(lua_State *L) {
  const transaction *one = check_transaction(L);
  if (binding_is(L, 2, "is_active")) lua_pushboolean(L, one->frame != NULL);
  else if (binding_is(L, 2, "nested")) lua_pushboolean(L, one->frame && one->frame->nested);
  else if (binding_is(L, 2, "session")) lua_getiuservalue(L, 1, 1);
  else return 0;
  return 1;
}

void binding_push_session_transaction(lua_State *L, binding_session *s) {
  transaction *one = binding_new(L, s->orm->b, BINDING_SESSION_TRANSACTION, sizeof *one, 1);
  one->frame = s->session->frame;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (lua_getiuservalue(L, 1, TRANSACTIONS) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, TRANSACTIONS);
  }
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pop(L, 1);
}

static bool is_open(const alch_session *session, const alch_session_frame *frame) {
  for (const alch_session_frame *one = session->frame; one; one = one->outer)
    if (one == frame) return true;
  return false;
}

/* After a step, the session at 1: transaction objects whose frames are gone are over, and so is a connection that was given out. */
void binding_session_settle(lua_State *L, binding_session *s) {
  binding_forget_connections(L, s);
  if (lua_getiuservalue(L, 1, TRANSACTIONS) != LUA_TTABLE) { lua_pop(L, 1); return; }
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i > 0; i--) {
    lua_rawgeti(L, -1, i);
    transaction *one = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (is_open(s->session, one->frame)) break;
    one->frame = NULL;
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 1);
}

static const luaL_Reg session_methods[] = {
  { "add", session_add }, { "delete", session_delete }, { "expunge", session_expunge }, { "expunge_all", session_expunge_all }, { "expire", session_expire },
  { "expire_all", session_expire_all }, { "refresh", session_refresh }, { "load_related", session_related }, { "contains", session_contains }, { "is_modified", session_is_modified }, { "get", session_get },
  { "flush", session_flush }, { "commit", session_commit }, { "rollback", session_rollback }, { "begin_transaction", session_begin }, { "begin_savepoint", session_begin_nested },
  { "plan", session_plan }, { "prepare", session_prepare }, { "connection", session_connection }, { "begun_connection", session_begun_connection }, { "is_routed", session_is_routed }, { "left_prepared", session_left_prepared }, { "load", session_load }, { "close", session_close }, { "in_transaction", session_in_transaction },
  { "in_nested_transaction", session_in_nested_transaction }, { "set_autoflush", session_set_autoflush }, { "listen", session_listen },
  { "new", session_pending }, { "dirty", session_dirty }, { "deleted", session_deleted }, { "identities", session_identities }, { "bind", session_bind }, { "info", session_info },
  { "autoflush", session_autoflush }, { "expire_on_commit", session_expire_on_commit }, { "is_active", session_is_active }, { NULL, NULL },
};

static const luaL_Reg session_metamethods[] = { { "__gc", session_gc }, { "__close", session_close }, { "__tostring", session_tostring }, { NULL, NULL } };
static const luaL_Reg transaction_methods[] = { { "commit", transaction_commit }, { "rollback", transaction_rollback }, { "close", transaction_rollback }, { NULL, NULL } };
static const luaL_Reg transaction_metamethods[] = { { "__close", transaction_rollback }, { NULL, NULL } };

/* is_session(value) */
static int session_is(lua_State *L) {
  lua_pushboolean(L, binding_test(L, BINDING(L), 1, BINDING_SESSION) != NULL);
  return 1;
}

/* core.orm.session makes sessions; core.orm.session_methods is where the Lua side adds its own. */
void binding_open_session(lua_State *L, binding *b) {
  static const luaL_Reg functions[] = { { "session", session_new }, { "is_session", session_is }, { NULL, NULL } };
  binding_orm *o = binding_orm_of(L);
  lua_getfield(L, -1, "orm");
  binding_orm_functions(L, o, functions);
  binding_orm_kind(L, o, BINDING_SESSION, "session", session_methods, session_metamethods);
  lua_getfield(L, -1, "add");
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  lua_pushlightuserdata(L, o);
  lua_rotate(L, -3, -1);
  lua_pushcclosure(L, session_add_all, 3);
  lua_setfield(L, -2, "add_all");
  lua_setfield(L, -2, "session_methods");
  binding_kind_properties(L, b, BINDING_SESSION, NULL);
  binding_orm_kind(L, o, BINDING_SESSION_TRANSACTION, "session transaction", transaction_methods, transaction_metamethods);
  lua_pop(L, 1);
  binding_kind_properties(L, b, BINDING_SESSION_TRANSACTION, transaction_property);
  lua_pop(L, 1);
}
