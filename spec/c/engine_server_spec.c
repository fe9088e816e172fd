/* A real server's session after a fork: the child's end is not its end. */
#include "engine_support.h"
#include "server.h"

static int child_uses_engine(world *w) {
  alch_connection *own = NULL;
  if (world_connect(w, &own) != ALCH_OK || scalar_on(w, own, "select 2") == INT64_MIN) return 1;
  alch_connection_close(own);
  world_close(w);
  return 0;
}

static int child_lets_go(world *w) {
  alch_engine_dispose(w->engine, false);
  world_close(w);
  return 0;
}

CASE("a child's connections are its own, and its end ends none of its parent's") {
  static int (*const bodies[])(world *) = { child_uses_engine, child_lets_go };
  const char *folder = server_folder("postgresql");
  char url[256];
  for (size_t i = 0; folder && i < ALCH_COUNT(bodies); i++) {
    world w;
    snprintf(url, sizeof url, "postgresql://spec@/spec?host=%s", folder);
    if (CHECK_INT(world_open_with(&w, url, NULL, NULL), ALCH_OK)) {
      alch_connection *second = NULL;
      CHECK_INT(world_connect(&w, &second), ALCH_OK);
      int64_t idle = scalar_on(&w, second, "select pg_backend_pid()"), busy = scalar(&w, "select pg_backend_pid()");
      alch_connection_close(second);
      CHECK_INT(run(&w, "create temporary table t (a integer)"), ALCH_OK);
      fflush(NULL);
      pid_t child = fork();
      if (child == 0) _exit(bodies[i](&w));
      int status = -1;
      CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
      CHECK_INT(run(&w, "insert into t values (1)"), ALCH_OK);
      CHECK_INT(scalar(&w, "select pg_backend_pid()"), busy);
      alch_status committed;
      while ((committed = alch_connection_commit(w.connection, 1, &w.error)) == ALCH_WAIT) alch_connection_wait(w.connection, &w.error);
      CHECK_INT(committed, ALCH_OK);
      second = NULL;
      CHECK_INT(world_connect(&w, &second), ALCH_OK);
      CHECK_INT(scalar_on(&w, second, "select pg_backend_pid()"), idle);
      alch_connection_close(second);
    }
    world_close(&w);
  }
}
