/* Every allocation of a session fails once: the error says so, a rollback mends everything, and the work then succeeds. */
#include "orm_world.h"

#include "base/fault.h"

typedef struct attempt { world w; alch_fault_allocator fault; alch_session *ordinary; } attempt;

static alch_status add_family(world *w, alch_object **root) {
  alch_object *team = make(w, w->team, "Red"), *node = make(w, w->node, "root"), *post = make(w, w->post, "p");
  for (int i = 0; i < 12; i++) {
    append(w, team, w->players, make(w, w->player, "a name that is long enough"));
    append(w, node, w->children, make(w, w->node, "leaf"));
    append(w, post, w->tags, make(w, w->tag, "t"));
  }
  *root = team;
  alch_status status = alch_session_add(w->session, team, &w->error);
  if (status == ALCH_OK) status = alch_session_add(w->session, node, &w->error);
  return status == ALCH_OK ? alch_session_add(w->session, post, &w->error) : status;
}

static alch_status work(world *w) {
  alch_object *team = NULL;
  alch_status status = add_family(w, &team);
  if (status == ALCH_OK) status = alch_session_flush(w->session, &w->error);
  if (status == ALCH_OK) status = alch_session_begin(w->session, true, &w->error);
  if (status == ALCH_OK) status = alch_object_set(&w->plain.host, team, 1, alch_value_text("Blue", 4), &w->error);
  if (status == ALCH_OK) status = alch_collection_remove(&w->plain.host, team->cells[w->players->slot].collection, 3, &w->error);
  if (status == ALCH_OK) status = alch_session_commit(w->session, &w->error);
  return status == ALCH_OK ? alch_session_commit(w->session, &w->error) : status;
}

static void begin_attempt(attempt *a) {
  open_world(&a->w, 0);
  alch_fault_allocator_init(&a->fault);
  a->ordinary = a->w.session;
  world *w = &a->w;
  OK(alch_session_open(w->engine, w->catalog, &w->plain.host, NULL, &a->fault.allocator, &w->session, &w->error));
}

static void end_attempt(attempt *a) {
  a->fault.fail_at = 0;
  alch_session_destroy(a->w.session);
  CHECK_INT(a->fault.live_blocks, 0);
  CHECK_INT(a->fault.wrong_sizes, 0);
  a->w.session = a->ordinary;
  close_world(&a->w);
}

CASE("each allocation fails once") {
  static attempt a;
  for (uint64_t n = 1;; n++) {
    begin_attempt(&a);
    world *w = &a.w;
    a.fault.fail_at = a.fault.calls + n;
    alch_status status = work(w);
    bool failed = a.fault.failures > 0;
    a.fault.fail_at = 0;
    if (failed) {
      CHECK_INT(status, ALCH_ERROR);
      CHECK_INT(w->error.kind, ALCH_ERROR_OUT_OF_MEMORY);
      while (w->session->frame != NULL) OK(alch_session_rollback(w->session, &w->error));
      OK(alch_session_rollback(w->session, &w->error));
      CHECK_INT(ask(w, "select (select count(*) from teams) + (select count(*) from players)"), 0);
      status = work(w);
    }
    CHECK_INT(status, ALCH_OK);
    CHECK_INT(ask(w, "select count(*) from players where team_id is not null"), 11);
    CHECK_INT(ask(w, "select count(*) from post_tags"), 12);
    end_attempt(&a);
    if (!failed) break;
    if (n > 2000) {
      CHECK(!"the loop ends");
      break;
    }
  }
}

#ifdef ALCH_DEBUG
/* The n-th statement, commit or row fails, for every n: nothing of the transaction stays, and the same work then succeeds. */
static void fail_each(const char *point) {
  for (uint64_t n = 1;; n++) {
    static world here;
    world *w = &here;
    open_world(w, 0);
    alch_fault_arm(point, n);
    alch_status status = work(w);
    bool reached = alch_fault_passes() >= n;
    alch_fault_arm(NULL, 0);
    if (reached) {
      CHECK_INT(status, ALCH_ERROR);
      CHECK_INT(w->error.kind, ALCH_ERROR_OPERATIONAL);
      do OK(alch_session_rollback(w->session, &w->error)); while (w->session->frame != NULL);
      CHECK_INT(ask(w, "select (select count(*) from teams) + (select count(*) from players) + (select count(*) from post_tags)"), 0);
      status = work(w);
    }
    CHECK_INT(status, ALCH_OK);
    CHECK_INT(ask(w, "select count(*) from players where team_id is not null"), 11);
    close_world(w);
    if (!reached || n > 500) break;
  }
}

CASE("each statement of a flush fails once") { fail_each("flush: statement"); }
CASE("each commit fails once") { fail_each("session: commit"); }
#endif
