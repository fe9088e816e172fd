/* Programs that embed Lua: one whose memory runs out, and one with a state in each of several threads. */
#include "check.h"

#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdlib.h>

int luaopen_lualchemy_core(lua_State *L);

/* ---- memory ---- */

typedef struct budget { uint64_t calls, fail_from, failures; size_t live; } budget;

static void *limited(void *context, void *block, size_t old_size, size_t new_size) {
  budget *b = context;
  if (new_size == 0) {
    if (block != NULL) b->live -= old_size;
    free(block);
    return NULL;
  }
  bool grows = block == NULL || new_size > old_size;
  if (grows && ++b->calls >= b->fail_from && b->fail_from > 0) {
    b->failures++;
    return NULL;
  }
  void *moved = realloc(block, new_size);
  if (moved != NULL) b->live += new_size - (block != NULL ? old_size : 0);
  return moved;
}

/* Leaves the two functions of world.lua on the stack. */
static bool open_world(lua_State *L) {
  luaL_openlibs(L);
  luaL_requiref(L, "lualchemy.core", luaopen_lualchemy_core, 0);
  lua_pop(L, 1);
  return CHECK_INT(luaL_loadfile(L, "spec/host/world.lua"), LUA_OK) && CHECK_INT(lua_pcall(L, 0, 2, 0), LUA_OK);
}

static bool call(lua_State *L, int function) {
  lua_pushvalue(L, function);
  return lua_pcall(L, 0, 0, 0) == LUA_OK;
}

/* Memory runs out at the n-th allocation of the work and stays out (Lua collects and tries again, so one failure alone would not be seen). Answers whether it came to that. */
static bool run_out_at(uint64_t n) {
  budget b = { 0 };
  lua_State *L = lua_newstate(limited, &b);
  bool failed = false;
  if (CHECK(L != NULL) && open_world(L)) {
    b.fail_from = b.calls + n;
    bool done = call(L, 1);
    failed = b.failures > 0;
    b.fail_from = 0;
    CHECK(done || failed);
    lua_settop(L, 2);
    if (!CHECK(call(L, 2))) CHECK_TEXT(luaL_tolstring(L, -1, NULL), "");
  }
  if (L != NULL) lua_close(L);
  CHECK_INT(b.live, 0);
  return failed;
}

CASE("memory may run out anywhere: an error, nothing lost, the session works again") {
  uint64_t n = 1;
  while (run_out_at(n) && n < 5000) n += 1 + check_random_below(4);
  CHECK(n > 100 && n < 5000);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 5 };

static void *use_states(void *context) {
  int *worked = context;
  for (int i = 0; i < ROUNDS; i++) {
    lua_State *L = luaL_newstate();
    if (L != NULL && open_world(L) && call(L, 1) && call(L, 2)) ++*worked;
    if (L != NULL) lua_close(L);
  }
  return NULL;
}

CASE("states in several threads do not see each other") {
  pthread_t threads[THREADS];
  int worked[THREADS] = { 0 };
  for (int i = 0; i < THREADS; i++) CHECK_INT(pthread_create(&threads[i], NULL, use_states, &worked[i]), 0);
  for (int i = 0; i < THREADS; i++) {
    CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(worked[i], ROUNDS);
  }
}
