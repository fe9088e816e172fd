/* engine.c - engines: la.create_engine, cache and pool figures, waiting. */
#include "lua/engine.h"
#include <errno.h>
#include <poll.h>
#include <string.h>

alch_engine *binding_check_engine(lua_State *L, binding *b, int index) {
  binding_engine *engine = binding_test(L, b, index, BINDING_ENGINE);
  if (!engine || !engine->engine) binding_expected(L, b, index, "an engine", NULL);
  return engine->engine;
}

/* ---- waiting: the one place ---- */

static const char *const wait_events[] = { "", "r", "w", "rw" };

static void push_wait(lua_State *L, const alch_wait *wait) {
  lua_pushinteger(L, wait->descriptor);
  lua_pushstring(L, wait_events[wait->events & 3]);
  if (wait->microseconds < 0) lua_pushnil(L);
  else lua_pushnumber(L, (double)wait->microseconds / 1e6);
}

/* The function that waits for this engine (NULL: for none in particular): its own, or everybody's. False, and nothing on the stack, where there is none. */
static bool push_hook(lua_State *L, binding *b, const alch_engine *engine) {
  int top = lua_gettop(L);
  luaL_checkstack(L, 8, "a wait");
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->connections);
  if (engine && lua_rawgetp(L, -1, alch_engine_host(engine)) == LUA_TUSERDATA && lua_getiuservalue(L, -1, BINDING_ENGINE_WAIT) == LUA_TFUNCTION) lua_replace(L, top + 1);
  else if (b->wait_hook != LUA_NOREF) lua_rawgeti(L, LUA_REGISTRYINDEX, b->wait_hook), lua_replace(L, top + 1);
  else lua_settop(L, top);
  if (lua_gettop(L) > top) lua_settop(L, top + 1);
  return lua_gettop(L) > top;
}

void binding_wait(lua_State *L, binding *b, alch_connection *connection, lua_KContext context, lua_KFunction continuation) {
  if (!lua_isyieldable(L) || !push_hook(L, b, alch_connection_engine(connection))) {
    binding_must(L, b, alch_connection_wait(connection, &b->error));
    return;
  }
  alch_wait wait;
  alch_connection_waits_for(connection, &wait);
  push_wait(L, &wait);
  lua_callk(L, 3, 0, context, continuation);
}

/* Slots: 1 when it is over, 2 the engine or nil. */
static int sleep_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  int64_t left;
  while ((left = (int64_t)lua_tonumber(L, 1) - alch_clock_microseconds()) > 0) {
    alch_wait wait = { .descriptor = -1, .microseconds = left };
    lua_settop(L, 2);
    if (!lua_isyieldable(L) || !push_hook(L, b, lua_isnil(L, 2) ? NULL : binding_check_engine(L, b, 2))) {
      binding_must(L, b, alch_wait_for(&wait, &b->error));
      continue;
    }
    push_wait(L, &wait);
    lua_callk(L, 3, 0, context, sleep_continue);
  }
  return 0;
}

/* sleep(seconds [, engine]): as any wait (of this engine) */
static int engine_sleep(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  if (!(seconds > 0 && seconds < 1e6)) return 0;
  lua_settop(L, 2);
  lua_pushnumber(L, (double)alch_clock_microseconds() + seconds * 1e6);
  lua_replace(L, 1);
  return sleep_continue(L, LUA_OK, 0);
}

/* set_wait(fn or nil): within a coroutine fn(descriptor, "r" | "w" | "rw", seconds or nil) is called for every wait and may yield until it is over. The descriptor is -1 when only time is waited for. */
static int engine_set_wait(lua_State *L) {
  binding *b = BINDING(L);
  if (!lua_isnoneornil(L, 1) && !lua_isfunction(L, 1)) return binding_expected(L, b, 1, "a function or nil", "set_wait");
  luaL_unref(L, LUA_REGISTRYINDEX, b->wait_hook);
  b->wait_hook = LUA_NOREF;
  lua_settop(L, 1);
  if (!lua_isnil(L, 1)) b->wait_hook = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

/* sleep_until(descriptor, "r" | "w" | "rw" | "", seconds or nil): waits as a call without a hook does, blocking. For hooks that find nobody to yield to. */
static int engine_sleep_until(lua_State *L) {
  binding *b = BINDING(L);
  static const char *const events[] = { "", "r", "w", "rw", NULL };
  alch_wait wait = { .descriptor = (int)luaL_checkinteger(L, 1), .events = luaL_checkoption(L, 2, "", events), .microseconds = -1 };
  if (!lua_isnoneornil(L, 3)) {
    double seconds = luaL_checknumber(L, 3);
    wait.microseconds = seconds > 0 ? seconds < 1e9 ? (int64_t)(seconds * 1e6) : INT64_C(1000000000000000) : 0;
  }
  binding_must(L, b, alch_wait_for(&wait, &b->error));
  return 0;
}

/* poll({ descriptor, "r" | "w" | "rw", … }, seconds): the numbers, from 1 on, of those that are ready, after so many seconds at most. For loops that have no library for this. */
static int engine_poll(lua_State *L) {
  static const char *const events[] = { "", "r", "w", "rw", NULL };
  static const short bits[] = { 0, POLLIN, POLLOUT, POLLIN | POLLOUT };
  binding *b = BINDING(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  double seconds = luaL_optnumber(L, 2, 0);
  size_t count = lua_rawlen(L, 1) / 2;
  struct pollfd *all = lua_newuserdatauv(L, (count + 1) * sizeof *all, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i * 2 + 1);
    lua_rawgeti(L, 1, (lua_Integer)i * 2 + 2);
    all[i] = (struct pollfd){ .fd = (int)luaL_checkinteger(L, -2), .events = bits[luaL_checkoption(L, -1, NULL, events)] };
    lua_pop(L, 2);
  }
  int ready = poll(all, (nfds_t)count, seconds > 0 ? seconds < 1e6 ? (int)(seconds * 1000 + 0.999) : 1000000000 : 0);
  if (ready < 0 && errno != EINTR) return binding_error(L, b, ALCH_ERROR_OPERATIONAL, "poll failed with error %d", errno);
  lua_createtable(L, ready > 0 ? ready : 0, 0);
  for (size_t i = 0; i < count && ready > 0; i++) {
    if (all[i].revents == 0) continue;
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  return 1;
}

/* ---- create_engine ---- */

static const binding_option known_options[] = {
  { "pool_size", LUA_TNUMBER }, { "max_overflow", LUA_TNUMBER }, { "pool_timeout", LUA_TNUMBER }, { "pool_use_lifo", LUA_TBOOLEAN }, { "pool", LUA_TSTRING },
  { "pool_recycle", LUA_TNUMBER }, { "pool_pre_ping", LUA_TBOOLEAN }, { "pool_reset_on_return", LUA_TSTRING }, { "isolation_level", LUA_TSTRING },
  { "server_version", LUA_TSTRING },
  { "replicas", LUA_TTABLE }, { "shared", LUA_TNONE },
  { "query_cache_size", LUA_TNUMBER }, { "prepared_cache_size", LUA_TNUMBER }, { "mock", LUA_TUSERDATA }, { "wait", LUA_TFUNCTION }, { "echo", LUA_TNONE }, { NULL, 0 },
};

/* A whole number option from `least` on, or `otherwise`. */
static lua_Integer whole_option(lua_State *L, binding *b, const char *name, lua_Integer least, lua_Integer otherwise) {
  lua_Integer value = otherwise;
  if (lua_getfield(L, 2, name) != LUA_TNIL) {
    int integral = 0;
    value = lua_tointegerx(L, -1, &integral);
    if (!integral || value < least || value > INT32_MAX) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s must be a whole number from %d on", name, (int)least);
  }
  lua_pop(L, 1);
  return value;
}

/* Seconds as microseconds, or `otherwise` where nothing is said; -1 is `never` where there is such a thing. */
static int64_t seconds_option(lua_State *L, binding *b, const char *name, bool has_never, int64_t otherwise) {
  int64_t value = otherwise;
  if (lua_getfield(L, 2, name) != LUA_TNIL) {
    double seconds = lua_tonumber(L, -1);
    bool never = has_never && seconds == -1;
    if (!never && !(seconds >= 0 && seconds < 1e9)) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s is a number of seconds from 0 on%s", name, has_never ? "; -1 is never" : "");
    value = never ? 0 : (int64_t)(seconds * 1e6);
    if (has_never && !never && value == 0) value = 1;
  }
  lua_pop(L, 1);
  return value;
}

/* The place of the option's word in the list, or `otherwise` where nothing is said. */
static size_t word_option(lua_State *L, binding *b, const char *name, const char *const *words, size_t count, size_t otherwise) {
  size_t found = otherwise;
  if (lua_getfield(L, 2, name) != LUA_TNIL) {
    found = 0;
    const char *word = lua_tostring(L, -1), *nearest = alch_nearest(word, words, count);
    while (found < count && strcmp(words[found], word) != 0) found++;
    if (found == count) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s cannot be '%s'; the nearest is '%s'", name, word, nearest ? nearest : words[0]);
  }
  lua_pop(L, 1);
  return found;
}

/* What is not said stays as it is, here and in read_truth. The options table keeps the text. */
static void read_text(lua_State *L, const char *name, const char **out) {
  if (lua_getfield(L, 2, name) != LUA_TNIL) *out = lua_tostring(L, -1);
  lua_pop(L, 1);
}

static void read_truth(lua_State *L, const char *name, bool *out) {
  if (lua_getfield(L, 2, name) != LUA_TNIL) *out = lua_toboolean(L, -1);
  lua_pop(L, 1);
}

/* Options that mean nothing to the pool that was asked for by name, as SQLAlchemy's pools refuse them. */
static void refuse_meaningless(lua_State *L, binding *b, const char *pool) {
  static const struct { const char *pool, *option; } meaningless[] = {
    { "null", "pool_size" }, { "null", "max_overflow" }, { "null", "pool_timeout" }, { "null", "pool_use_lifo" },
    { "static", "pool_size" }, { "static", "max_overflow" }, { "static", "pool_use_lifo" },
  };
  if (pool && strcmp(pool, "single") == 0) pool = "static";
  for (size_t i = 0; pool && i < ALCH_COUNT(meaningless); i++) {
    bool said = strcmp(meaningless[i].pool, pool) == 0 && lua_getfield(L, 2, meaningless[i].option) != LUA_TNIL;
    if (said) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s means nothing to a pool that is '%s': leave one of the two out", meaningless[i].option, pool);
    if (strcmp(meaningless[i].pool, pool) == 0) lua_pop(L, 1);
  }
}

static void read_options(lua_State *L, binding *b, alch_engine_options *options) {
  static const char *const resets[] = { [ALCH_RESET_ROLLBACK] = "rollback", [ALCH_RESET_COMMIT] = "commit", [ALCH_RESET_NONE] = "none" };
  binding_only_options(L, b, 2, known_options, "create_engine");
  options->pool_size = (uint32_t)whole_option(L, b, "pool_size", 1, options->pool_size);
  options->max_overflow = (int32_t)whole_option(L, b, "max_overflow", -1, options->max_overflow);
  options->cache_size = (uint32_t)whole_option(L, b, "query_cache_size", 1, options->cache_size);
  options->prepared_size = (uint32_t)whole_option(L, b, "prepared_cache_size", 1, options->prepared_size);
  options->pool_timeout = seconds_option(L, b, "pool_timeout", false, options->pool_timeout);
  options->pool_recycle = seconds_option(L, b, "pool_recycle", true, options->pool_recycle);
  options->reset_on_return = (alch_reset)word_option(L, b, "pool_reset_on_return", resets, ALCH_COUNT(resets), options->reset_on_return);
  read_text(L, "isolation_level", &options->isolation_level);
  read_text(L, "server_version", &options->server_version);
  read_text(L, "pool", &options->pool);
  read_truth(L, "pool_pre_ping", &options->pool_pre_ping);
  read_truth(L, "pool_use_lifo", &options->use_lifo);
  if (lua_getfield(L, 2, "mock") != LUA_TNIL) options->driver = binding_mock_driver(L, b, -1);
  lua_pop(L, 1);   /* the options table keeps the mock during the call */
}

/* Its connections hold the engine itself until they go. */
static void release_engine(binding_owned *owned) {
  binding_engine *object = (binding_engine *)owned;
  alch_engine *engine = object->engine;
  if (!engine) return;
  object->engine = NULL;
  if (!object->derived) alch_engine_listen(engine, NULL, NULL);
  if (!object->derived && alch_engine_is_shared(engine)) alch_engine_forget(engine, object->binding->catalog);
  alch_engine_release(engine);
}

static binding_engine *new_engine(lua_State *L, binding *b) {
  binding_engine *engine = binding_new(L, b, BINDING_ENGINE, sizeof *engine, BINDING_ENGINE_VALUES);
  engine->binding = b;
  binding_own(b, &engine->owned, release_engine);
  lua_newtable(L);
  lua_setiuservalue(L, -2, BINDING_ENGINE_SHAPES);
  return engine;
}

void binding_push_derived_engine(lua_State *L, binding *b, int index, alch_engine *engine) {
  index = lua_absindex(L, index);
  binding_engine *object = new_engine(L, b);
  object->engine = engine;
  object->derived = true;
  const binding_engine *given = lua_touserdata(L, index);
  if (given->derived) lua_getiuservalue(L, index, BINDING_ENGINE_BASE);
  else lua_pushvalue(L, index);
  lua_setiuservalue(L, -2, BINDING_ENGINE_BASE);
}

/* The list of texts in options.replicas; both stay on the stack. */
static void read_replicas(lua_State *L, binding *b, alch_engine_options *options) {
  if (lua_getfield(L, 2, "replicas") != LUA_TTABLE) return;
  int list = lua_gettop(L);
  options->replica_count = (uint32_t)lua_rawlen(L, list);
  const char **urls = lua_newuserdatauv(L, (options->replica_count + 1) * sizeof *urls, 0);
  for (uint32_t i = 0; i < options->replica_count; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    urls[i] = binding_text(L, b, -1, NULL, "URLs of replicas", "create_engine");
    lua_pop(L, 1);   /* the list keeps it */
  }
  options->replicas = (const char *const *)urls;
}

/* The name of a shared engine, which options.shared has, or the URL where that is true; NULL: it is not to be shared. The options table keeps it. */
static const char *shared_name(lua_State *L, binding *b, const char *url) {
  int type = lua_istable(L, 2) ? lua_getfield(L, 2, "shared") : LUA_TNIL;
  if (type == LUA_TSTRING) return lua_tostring(L, -1);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN) binding_error(L, b, ALCH_ERROR_ARGUMENT, "shared is a name, or true for the URL as the name, not %s", luaL_typename(L, -1));
  return type == LUA_TBOOLEAN && lua_toboolean(L, -1) ? url : NULL;
}

/* What this state says of the engine that it has found has to be what the first has said. */
static void check_member(lua_State *L, binding *b, const alch_engine_options *options, binding_engine *engine) {
  alch_engine_options wanted = *alch_engine_options_of(engine->engine);
  if (!lua_istable(L, 2)) return;
  read_options(L, b, &wanted);
  wanted.replicas = options->replicas;
  if (options->replicas) wanted.replica_count = options->replica_count;
  alch_status status = alch_engine_check_options(engine->engine, &wanted, &b->error);
  if (status != ALCH_OK) release_engine(&engine->owned);
  binding_must(L, b, status);
}

static void open_engine(lua_State *L, binding *b, const char *url, size_t length, const alch_engine_options *options, binding_engine *out) {
  const char *name = shared_name(L, b, url);
  if (!name) {
    binding_must(L, b, alch_engine_open(url, length, options, &b->allocator, &out->engine, &b->error));
    return;
  }
  binding_must(L, b, alch_engine_share(name, url, length, options, &out->engine, &b->error));
  check_member(L, b, options, out);
}

/* create_engine(url [, options]) */
static int engine_create(lua_State *L) {
  binding *b = BINDING(L);
  size_t length;
  const char *url = binding_text(L, b, 1, &length, "a URL such as \"dialect://user:password@host/database\"", "create_engine");
  alch_engine_options options;
  alch_engine_options_init(&options);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) {
    read_options(L, b, &options);
    refuse_meaningless(L, b, options.pool);
    read_replicas(L, b, &options);
  }
  binding_engine *engine = new_engine(L, b);
  int object = lua_gettop(L);
  options.host = engine;
  open_engine(L, b, url, length, &options, engine);
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->connections);
  lua_pushvalue(L, object);
  lua_rawsetp(L, -2, engine);
  lua_settop(L, object);
  if (lua_isnil(L, 2)) return 1;
  if (options.driver) {
    lua_getfield(L, 2, "mock");
    lua_setiuservalue(L, object, BINDING_ENGINE_MOCK);
  }
  lua_getfield(L, 2, "wait");
  lua_setiuservalue(L, object, BINDING_ENGINE_WAIT);
  return 1;
}

static int engine_gc(lua_State *L) {
  binding_disown(lua_touserdata(L, 1));
  return 0;
}

/* dispose([{ close = true }]): closes the idle connections. The engine stays usable. close = false, in a forked child: what it inherited is let go of without a word to the server. */
static int engine_dispose(lua_State *L) {
  static const binding_option known[] = { { "close", LUA_TBOOLEAN }, { NULL, 0 } };
  binding *b = BINDING(L);
  alch_engine *engine = binding_check_engine(L, b, 1);
  bool close = true;
  if (!lua_isnoneornil(L, 2)) {
    binding_only_options(L, b, 2, known, "dispose");
    close = lua_getfield(L, 2, "close") == LUA_TNIL || lua_toboolean(L, -1);
  }
  binding_enter(L, b);
  alch_engine_dispose(engine, close);
  if (b->host_error != LUA_NOREF) binding_raise(L, b, ALCH_HOST_ERROR);
  return 0;
}

static int engine_close(lua_State *L) {
  binding_engine *object = binding_check(L, BINDING(L), 1, BINDING_ENGINE);
  if (object->engine) alch_engine_dispose(object->engine, true);
  return 0;
}

static void set_integer(lua_State *L, const char *name, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

/* cache_info(): { hits, misses, evictions, size, capacity } of the statement cache. */
static int engine_cache_info(lua_State *L) {
  alch_cache_info info = alch_engine_cache_info(binding_check_engine(L, BINDING(L), 1));
  lua_createtable(L, 0, 5);
  set_integer(L, "hits", info.hits);
  set_integer(L, "misses", info.misses);
  set_integer(L, "evictions", info.evictions);
  set_integer(L, "size", info.size);
  set_integer(L, "capacity", info.capacity);
  return 1;
}

static int engine_clear_compiled_cache(lua_State *L) {
  alch_engine_cache_clear(binding_check_engine(L, BINDING(L), 1));
  lua_newtable(L);
  lua_setiuservalue(L, 1, BINDING_ENGINE_SHAPES);
  return 0;
}

/* compile(statement): what execute would run, from the cache or for it. sql and tostring give the text. */
static int engine_compile(lua_State *L) {
  binding *b = BINDING(L);
  alch_engine *engine = binding_check_engine(L, b, 1);
  const alch_block *statement = binding_test(L, b, 2, BINDING_STATEMENT);
  if (!statement) return binding_expected(L, b, 2, "a statement", "compile");
  if (!lua_isnoneornil(L, 3)) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "engine:compile takes a statement alone; statement:compile{ dialect = engine.dialect, \xe2\x80\xa6 } takes options");
  alch_compiled **compiled = binding_push_compiled(L, b);
  binding_must(L, b, alch_engine_compile(engine, b->catalog, statement, NULL, NULL, NULL, compiled, &b->error));
  return 1;
}

/* pool_status(): { size, idle, in_use, overflow } */
static int engine_pool_status(lua_State *L) {
  alch_pool_status status = alch_engine_pool_status(binding_check_engine(L, BINDING(L), 1));
  lua_createtable(L, 0, 4);
  set_integer(L, "size", status.size);
  set_integer(L, "idle", status.idle);
  set_integer(L, "in_use", status.in_use);
  set_integer(L, "overflow", status.overflow);
  return 1;
}

/* The URL as text, its password hidden. */
static void push_url(lua_State *L, binding *b, const alch_engine *engine) {
  alch_buffer_clear(&b->scratch);
  alch_url_print(alch_engine_url(engine), true, &b->scratch);
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
}

static int engine_tostring(lua_State *L) {
  binding *b = BINDING(L);
  push_url(L, b, binding_check_engine(L, b, 1));
  lua_pushfstring(L, "Engine(%s)", lua_tostring(L, -1));
  return 1;
}

/* What a connection does an engine is often asked for. */
static int refuse_connection_method(lua_State *L, binding *b) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, b->metatable_references[BINDING_CONNECTION]);
  lua_getfield(L, -1, "__methods");
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TFUNCTION) return 0;
  const char *name = lua_tostring(L, 2);
  return binding_error(L, b, ALCH_ERROR_ARGUMENT, "Engine has no '%s', which is done by a connection: engine:begin(function(connection) connection:%s(\xe2\x80\xa6) end)", name, name);
}

static int engine_property(lua_State *L) {
  binding *b = BINDING(L);
  const alch_engine *engine = binding_check_engine(L, b, 1);
  if (binding_is(L, 2, "url")) push_url(L, b, engine);
  else if (binding_is(L, 2, "dialect")) binding_push_dialect(L, b, engine);
  else if (binding_is(L, 2, "met")) lua_pushboolean(L, alch_engine_is_met(engine));
  else return refuse_connection_method(L, b);
  return 1;
}

/* is_engine(value), is_connection(value) */
static int engine_is_engine(lua_State *L) {
  lua_pushboolean(L, binding_test(L, BINDING(L), 1, BINDING_ENGINE) != NULL);
  return 1;
}

static int engine_is_connection(lua_State *L) {
  lua_pushboolean(L, binding_test(L, BINDING(L), 1, BINDING_CONNECTION) != NULL);
  return 1;
}

void binding_open_engine(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "dispose", engine_dispose }, { "cache_info", engine_cache_info }, { "clear_compiled_cache", engine_clear_compiled_cache }, { "compile", engine_compile }, { "pool_status", engine_pool_status },
    { "begin", binding_engine_begin }, { "listen_", binding_engine_listen }, { NULL, NULL },
  };
  static const luaL_Reg metamethods[] = { { "__gc", engine_gc }, { "__close", engine_close }, { "__tostring", engine_tostring }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "create_engine", engine_create }, { "set_wait", engine_set_wait }, { "sleep_until", engine_sleep_until }, { "sleep", engine_sleep }, { "poll", engine_poll }, { "is_engine", engine_is_engine }, { "is_connection", engine_is_connection }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_ENGINE, "Engine", methods, metamethods);
  binding_kind_properties(L, b, BINDING_ENGINE, engine_property);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
  binding_open_connection(L, b);
  binding_open_embedded(L, b);
  binding_open_bulk(L, b);
  binding_open_message(L, b);
  binding_open_transaction(L, b);
  binding_open_schema_run(L, b);
  binding_open_dialect(L, b);
  binding_open_execution_options(L, b);
  binding_open_mock(L, b);
}
