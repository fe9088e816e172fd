/* session_step.c - what a session does in the core: protected, since the core may be left by a long jump, and able to wait.
   The frame of a step is a C function of its own with the session at 1 and the arguments behind it; a step that answers ALCH_WAIT is called again with the same frame. */
#include "lua/engine.h"
#include "lua/host.h"
#include "lua/result.h"

typedef struct step { alch_status (*run)(lua_State *L, binding_session *s); uint8_t frame, results; } step;   /* frame: how many slots of the stack the step starts from */

/* ---- objects ---- */

static alch_object *known_object(lua_State *L, const binding_session *s) {
  alch_object *object = lua_touserdata(L, 2);
  binding_know(L, s->orm, object, 2);
  return object;
}

static alch_status step_delete(lua_State *L, binding_session *s) { return alch_session_delete(s->session, known_object(L, s), &s->orm->b->error); }
static alch_status step_expunge(lua_State *L, binding_session *s) { return alch_session_expunge(s->session, known_object(L, s), &s->orm->b->error); }

/* The slot of the name at index. */
static uint32_t check_slot(lua_State *L, const alch_object *object, int index) {
  const binding_model *model = object->mapper->host;
  const char *name = binding_text(L, model->orm->b, index, NULL, "names of attributes", object->mapper->name);
  uint32_t slot = alch_mapper_slot(object->mapper, name);
  if (slot == UINT32_MAX) binding_unknown_attribute(L, model, name);
  return slot;
}

/* Expires the attributes that the list at 3 names; false when there is no list. */
static bool expire_named(lua_State *L, binding_session *s, alch_object *object, alch_status *status) {
  if (!lua_istable(L, 3)) return false;
  *status = ALCH_OK;
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, 3) && *status == ALCH_OK; i++) {
    lua_rawgeti(L, 3, i);
    uint32_t slot = check_slot(L, object, -1);
    lua_pop(L, 1);
    *status = alch_session_expire(s->session, object, slot, &s->orm->b->error);
  }
  return true;
}

static alch_status step_expire(lua_State *L, binding_session *s) {
  alch_object *object = known_object(L, s);
  alch_status status;
  if (expire_named(L, s, object, &status)) return status;
  return alch_session_expire(s->session, object, UINT32_MAX, &s->orm->b->error);
}

/* Named attributes: they expire, and are read again. */
static alch_status step_refresh(lua_State *L, binding_session *s) {
  binding_orm *o = s->orm;
  alch_object *object = known_object(L, s);
  alch_status status = ALCH_OK;
  if (!lua_istable(L, 3)) return alch_load_refresh(s->session, object, &o->b->error);
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, 3) && status >= 0 && status != ALCH_WAIT; i++) {
    lua_rawgeti(L, 3, i);
    uint32_t slot = check_slot(L, object, -1);
    lua_pop(L, 1);
    status = alch_session_expire(s->session, object, slot, &o->b->error);
    if (status == ALCH_OK && !alch_object_loaded(object, slot)) status = alch_load_slot(object, slot, &o->host, &o->b->error);
  }
  return status;
}

/* Several objects of one model at 2, the name of a relationship at 3. */
static alch_status step_related(lua_State *L, binding_session *s) {
  binding_orm *o = s->orm;
  uint32_t count = (uint32_t)lua_rawlen(L, 2);
  if (count == 0) return ALCH_DONE;
  alch_object **objects = lua_newuserdatauv(L, count * sizeof *objects, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i + 1);
    objects[i] = binding_check_instance(L, o->b, -1, "preload");
    if (objects[i]->session != s->session || objects[i]->mapper != objects[0]->mapper)
      return alch_error_set(&o->b->error, ALCH_ERROR_INVALID_REQUEST, "preload takes objects of one model that are all in this session");
    lua_pop(L, 1);
  }
  uint32_t slot = check_slot(L, objects[0], 3);
  const alch_relationship *relationship = alch_mapper_relationship(objects[0]->mapper, slot);
  if (!relationship) return alch_error_set(&o->b->error, ALCH_ERROR_ARGUMENT, "%s.%s is no relationship", objects[0]->mapper->name, alch_mapper_slot_name(objects[0]->mapper, slot));
  binding_orm_prepare(L, o);
  return alch_load_relationship(s->session, relationship, objects, count, NULL, &o->b->error);
}

/* ---- by key ---- */

/* Part `part` of the key at 3: the value itself, or an item of the table by name or by place. Left on the stack, which keeps its text. */
static void key_part(lua_State *L, const binding_model *model, uint32_t part, alch_value *out) {
  const alch_mapper *mapper = model->mapper;
  uint32_t slot = mapper->key_slots[part];
  bool table = lua_type(L, 3) == LUA_TTABLE;
  if (!table && mapper->key_count > 1) binding_error(L, model->orm->b, ALCH_ERROR_ARGUMENT, "the key of %s has %u parts: write { first, second } or { name = value, … }", mapper->name, mapper->key_count);
  if (!table) lua_pushvalue(L, 3);
  else if (lua_getfield(L, 3, mapper->attributes[slot].name) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_rawgeti(L, 3, (lua_Integer)part + 1);
  }
  if (lua_isnil(L, -1)) {
    binding_error(L, model->orm->b, ALCH_ERROR_ARGUMENT, "the key of %s needs a value for '%s'", mapper->name, mapper->attributes[slot].name);
  }
  binding_attribute_value(L, model, slot, lua_gettop(L), out);
}

/* Items of a table that are no part of the key. */
static void check_key(lua_State *L, const binding_model *model) {
  const alch_mapper *mapper = model->mapper;
  if (lua_type(L, 3) != LUA_TTABLE) return;
  for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
    bool known = false;
    if (lua_isinteger(L, -2)) known = lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= (lua_Integer)mapper->key_count;
    for (uint32_t i = 0; i < mapper->key_count && !known; i++) known = binding_is(L, lua_gettop(L) - 1, mapper->attributes[mapper->key_slots[i]].name);
    if (known) continue;
    if (lua_isinteger(L, -2)) binding_error(L, model->orm->b, ALCH_ERROR_ARGUMENT, "the key of %s has %d part%s, and is given %d", mapper->name, (int)mapper->key_count, mapper->key_count == 1 ? "" : "s", (int)lua_rawlen(L, 3));
    binding_error(L, model->orm->b, ALCH_ERROR_ARGUMENT, "the key of %s has no part '%s'; it begins with '%s'", mapper->name, luaL_tolstring(L, -2, NULL), mapper->attributes[mapper->key_slots[0]].name);
  }
}

static alch_status step_get(lua_State *L, binding_session *s) {
  const binding_model *model = binding_model_of(L, s->orm->b, 2);
  alch_value key[ALCH_KEY_LIMIT];
  alch_object *object = NULL;
  check_key(L, model);
  for (uint32_t i = 0; i < model->mapper->key_count; i++) key_part(L, model, i, &key[i]);
  alch_status status = alch_load_get(s->session, model->mapper, key, lua_toboolean(L, 4), &object, &s->orm->b->error);
  if (status >= 0 && status != ALCH_WAIT) binding_push_object(L, s->orm, object);
  return status;
}

/* ---- transactions ---- */

static bool is_open(const alch_session *session, const alch_session_frame *frame) {
  for (const alch_session_frame *one = session->frame; one; one = one->outer)
    if (one == frame) return true;
  return false;
}

/* Ends frames from the innermost on until `frame` is gone, or (NULL) all are. */
static alch_status end_frames(alch_session *session, const alch_session_frame *frame, alch_status (*end)(alch_session *, alch_error *), alch_error *error) {
  alch_status status;
  do status = end(session, error);
  while ((status == ALCH_OK || status == ALCH_DONE) && session->frame && (!frame || is_open(session, frame)));
  return status;
}

static alch_status step_commit(lua_State *L, binding_session *s) { return end_frames(s->session, lua_touserdata(L, 2), alch_session_commit, &s->orm->b->error); }
static alch_status step_rollback(lua_State *L, binding_session *s) { return end_frames(s->session, lua_touserdata(L, 2), alch_session_rollback, &s->orm->b->error); }

static alch_status step_flush(lua_State *L, binding_session *s) { (void)L; return alch_session_flush(s->session, &s->orm->b->error); }

static alch_status begin(lua_State *L, binding_session *s, bool nested) {
  alch_status status = alch_session_begin(s->session, nested, &s->orm->b->error);
  if (status == ALCH_OK) binding_push_session_transaction(L, s);
  return status;
}
static alch_status step_begin(lua_State *L, binding_session *s) { return begin(L, s, false); }
static alch_status step_begin_nested(lua_State *L, binding_session *s) { return begin(L, s, true); }

static alch_status step_plan(lua_State *L, binding_session *s) {
  binding *b = s->orm->b;
  alch_buffer_clear(&b->scratch);
  alch_status status = alch_session_plan(s->session, &b->scratch, &b->error);
  if (status >= 0 && status != ALCH_WAIT) lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
  return status;
}

static alch_status step_prepare(lua_State *L, binding_session *s) { (void)L; return alch_session_prepare(s->session, &s->orm->b->error); }

/* Of the engine at index; nil: the session's own. */
static alch_bind *bind_at(lua_State *L, binding_session *s, int index) { return ALCH_LIKELY(lua_isnil(L, index)) ? s->session->bind : binding_session_bind(L, s, 1, index); }

static alch_status step_connection(lua_State *L, binding_session *s) {
  alch_bind *bind = bind_at(L, s, 2);
  alch_connection *connection = NULL;
  alch_status status = alch_session_connection(s->session, bind, &connection, &s->orm->b->error);
  if (status >= 0 && status != ALCH_WAIT) binding_push_session_connection(L, s, bind);
  return status;
}

/* ---- loading: 2 the statement, 3 parameters, 4 the engine or nil, 5 what hands the parameters over, 6 the result, 7 its rows, 8 the row under way, 9 what is kept, then the parameters' memory ---- */

enum { STATEMENT = 2, PARAMETERS = 3, TARGET = 4, HANDED = 5, RESULT = 6, ROWS = 7 };

typedef struct handed { binding_parameters taken; alch_parameters callbacks; } handed;

/* The load first, since it knows what rows will look like, and which parameters there are. */
static alch_status open_load(lua_State *L, binding_session *s, binding_query_result **out) {
  const alch_block *block = lua_touserdata(L, STATEMENT);
  const binding_model *model = binding_statement_model(s->orm, block);
  alch_load *load = NULL;
  binding_execution_options options;
  lua_settop(L, TARGET);
  binding_statement_options(block, &options);
  handed *parameters = lua_istable(L, PARAMETERS) ? lua_newuserdatauv(L, sizeof *parameters, 0) : NULL;
  if (!parameters) lua_pushnil(L);
  alch_status status = alch_load_start(s->session, bind_at(L, s, TARGET), model->mapper->registry, block, parameters ? &parameters->callbacks : NULL, options.populate, &load, &s->orm->b->error);
  if (status != ALCH_OK) return status;
  if (options.autoflush == 0) alch_load_skip_flush(load);
  binding_apply_options(&options, alch_load_execution(load));
  bool streams = options.stream_rows > 0 && (options.yields || !alch_load_plan(load)->unique);
  if (ALCH_UNLIKELY(streams) && alch_load_limit(load, (uint32_t)options.stream_rows, &s->orm->b->error) != ALCH_OK) {
    alch_load_close(load);
    return ALCH_ERROR;
  }
  *out = binding_query_result_new(L, s->orm, alch_load_plan(load), block, streams);
  (*out)->load = load;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, RESULT, 3);
  if (ALCH_UNLIKELY(streams)) binding_query_stream_new(L, s->orm, RESULT, STATEMENT, (uint32_t)options.stream_rows, options.yields);
  lua_getiuservalue(L, RESULT, 1);
  if ((*out)->single) lua_pushnil(L);
  else lua_createtable(L, (int)(*out)->place_count, 0);
  lua_pushnil(L);
  if (parameters) {
    binding_parameters_open(L, s->orm->b, alch_load_compiled(load), &parameters->taken);
    binding_parameters_take(L, &parameters->taken, PARAMETERS, 0);
    parameters->callbacks = binding_parameters_callbacks(&parameters->taken);
  }
  return ALCH_OK;
}

/* The host's part of a load under way: slots of its rows, the row under way, what is kept. */
static alch_status run_load(lua_State *L, binding_orm *o, alch_load *load, binding_query_result *result, int rows) {
  binding_scope *scope = &o->scope;
  scope->rows = rows;
  scope->row = rows + 1;
  scope->keep = rows + 2;
  scope->count = scope->base;   /* the stack was cut since the piece before */
  binding_orm_prepare(L, o);
  scope->floor = lua_gettop(L);
  scope->floor_count = scope->count;
  scope->row_count = result->count;
  scope->place_count = result->single ? 0 : result->place_count;
  alch_status status = alch_load_run(load, &o->b->error);
  result->count = scope->row_count;
  return status;
}

static alch_status step_load(lua_State *L, binding_session *s) {
  binding_orm *o = s->orm;
  binding_query_result *result = lua_gettop(L) >= RESULT ? lua_touserdata(L, RESULT) : NULL;
  alch_status status = result ? ALCH_OK : open_load(L, s, &result);
  if (status != ALCH_OK) return status;
  int before = lua_gettop(L);
  status = run_load(L, o, result->load, result, ROWS);
  if (status == ALCH_WAIT) binding_keep_known(L, o, before);
  lua_settop(L, before);
  if (status == ALCH_WAIT) return status;
  if (status != ALCH_ROW) {
    alch_load_close(result->load);
    if (result->stream) result->stream->ended = true;
  }
  result->load = NULL;
  lua_pushvalue(L, RESULT);
  return status;
}

/* ---- the pieces that follow: 2 the result, 3 how many rows are wanted, 4 its rows, 5 the row under way, 6 what is kept ---- */

enum { PIECE_RESULT = 2, PIECE_WANTED = 3, PIECE_ROWS = 4, PIECE_KEEP = 6 };

/* A commit has given the connection back, and with it all that was open there. */
static alch_status lost_connection(alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_RESOURCE_CLOSED, "the rest of these rows is gone: the transaction in which they were being read has ended. Read them to the end before, or commit when all pieces are done");
}

static alch_status step_pieces(lua_State *L, binding_session *s) {
  binding_orm *o = s->orm;
  binding_query_result *result = lua_touserdata(L, PIECE_RESULT);
  binding_query_stream *stream = result->stream;
  alch_status status = ALCH_ROW;
  bool waited = stream->running;   /* in the midst of a piece, however many rows of it are there */
  stream->running = true;
  while (waited || (status == ALCH_ROW && result->count - result->next < (lua_Unsigned)lua_tointeger(L, PIECE_WANTED))) {
    alch_load *load = stream->load;
    bool there = load && (waited || alch_load_execution(load)->connection);
    lua_settop(L, PIECE_KEEP);
    status = there ? run_load(L, o, load, result, PIECE_ROWS) : lost_connection(&o->b->error);
    if (status == ALCH_WAIT) return status;
    waited = false;
  }
  stream->running = false;
  stream->ended = status == ALCH_DONE;
  if (status != ALCH_ROW || result->closed) alch_load_close(stream->load);
  if (status < 0) result->closed = true;
  return status;
}

/* ---- running ---- */

static const step steps[] = {
  [BINDING_TASK_DELETE] = { step_delete, 2, 0 }, [BINDING_TASK_FLUSH] = { step_flush, 1, 0 },
  [BINDING_TASK_COMMIT] = { step_commit, 2, 0 }, [BINDING_TASK_ROLLBACK] = { step_rollback, 2, 0 }, [BINDING_TASK_BEGIN] = { step_begin, 1, 1 },
  [BINDING_TASK_BEGIN_NESTED] = { step_begin_nested, 1, 1 }, [BINDING_TASK_GET] = { step_get, 4, 1 }, [BINDING_TASK_REFRESH] = { step_refresh, 3, 0 },
  [BINDING_TASK_EXPIRE] = { step_expire, 3, 0 }, [BINDING_TASK_EXPUNGE] = { step_expunge, 2, 0 }, [BINDING_TASK_PLAN] = { step_plan, 1, 1 },
  [BINDING_TASK_CONNECTION] = { step_connection, 2, 1 }, [BINDING_TASK_LOAD] = { step_load, 4, 1 }, [BINDING_TASK_RELATED] = { step_related, 3, 0 },
  [BINDING_TASK_PIECES] = { step_pieces, 5, 0 }, [BINDING_TASK_PREPARE] = { step_prepare, 1, 0 },
};

/* Behind the arguments the frame has a slot for what is kept alive from one wait to the next; a load has one of its own. */
static int run_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding_session *s = lua_touserdata(L, 1);
  binding_orm *o = s->orm;
  const step *one = &steps[context];
  for (;;) {
    luaL_checkstack(L, 40, "a session");
    binding_orm_enter(L, o);
    if (context != BINDING_TASK_LOAD) o->scope.keep = one->frame + 1;
    s->entered++;
    alch_status answer = one->run(L, s);
    s->entered--;
    if (answer != ALCH_WAIT) {
      binding_must(L, o->b, answer);
      return one->results;
    }
    if (context != BINDING_TASK_LOAD) {
      binding_keep_known(L, o, one->frame + 1);
      lua_settop(L, one->frame + 1);
    } else if (lua_gettop(L) < RESULT) lua_settop(L, one->frame);
    binding_wait(L, o->b, alch_session_awaits(s->session), context, run_continue);
  }
}

static int run_body(lua_State *L) {
  lua_KContext context = lua_tointeger(L, -1);
  lua_pop(L, 1);
  lua_settop(L, steps[context].frame);
  if (context != BINDING_TASK_LOAD) lua_pushnil(L);
  return run_continue(L, LUA_OK, context);
}

void binding_session_left(lua_State *L, binding_session *s, uint32_t entered, int status) {
  if (s->entered > entered) {   /* left by a long jump: lack of memory, or user code where none can be protected */
    s->entered = entered;
    s->abandoned = true;
  }
  if (s->abandoned && s->entered == 0 && s->session) {
    s->abandoned = false;
    alch_session_abandon(s->session);
  }
  if (status != LUA_OK && status != LUA_YIELD) lua_error(L);
}

/* The frame of binding_session_run: the session is still at 1; what run_body left is on top, above the arguments, whose number is in the context beside `entered`. */
static int run_left(lua_State *L, int status, lua_KContext context) {
  binding_session *s = lua_touserdata(L, 1);
  int arguments = (int)(context & 7);
  if (s->session) binding_session_settle(L, s);
  binding_session_left(L, s, (uint32_t)(context >> 3), status);
  return lua_gettop(L) - arguments;
}

int binding_session_run(lua_State *L, binding_task step) {
  const binding_session *s = lua_touserdata(L, 1);
  int arguments = lua_gettop(L);
  luaL_checkstack(L, arguments + 8, "a session");
  lua_pushcfunction(L, run_body);
  for (int i = 1; i <= arguments; i++) lua_pushvalue(L, i);
  lua_pushinteger(L, step);
  lua_KContext context = (lua_KContext)s->entered << 3 | arguments;
  return run_left(L, lua_pcallk(L, arguments + 1, LUA_MULTRET, 0, context, run_left), context);
}
