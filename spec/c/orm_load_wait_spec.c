/* Loading on a database that has to be waited for: every call goes on where it stood, and what is given up leaves nothing half done. */
#include "orm_load_world.h"

static const alch_driver *inner;      /* the true driver, behind one that waits before every other answer */
static unsigned turn;
static bool waits_now;

static alch_status waiting_poll(alch_driver_statement *statement, alch_error *error) { return waits_now && ++turn % 2 ? ALCH_WAIT : inner->poll(statement, error); }

static void waiting_for(alch_driver_connection *connection, alch_wait *out) {
  (void)connection;
  *out = (alch_wait){ .descriptor = -1, .microseconds = 0 };
}

static void open_waiting_world(load_world *lw, alch_driver *driver) {
  open_load_world(lw);
  world *w = &lw->w;
  turn = 0;
  waits_now = false;
  inner = alch_driver_find("sqlite");
  *driver = *inner;
  driver->poll = waiting_poll;
  driver->waits_for = waiting_for;
  alch_session_destroy(w->session);
  alch_engine_release(w->engine);
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.driver = driver;
  options.pool = "static";
  OK(alch_engine_open("sqlite://", 9, &options, &alch_allocator_standard, &w->engine, &w->error));
  fill_tables(lw);
  alch_engine_listen(w->engine, log_statement, lw);
  OK(alch_session_open(w->engine, w->catalog, &w->plain.host, NULL, &alch_allocator_standard, &w->session, &w->error));
  waits_now = true;
}

static unsigned waits;

#define THROUGH(call) do { alch_status status_; while ((status_ = (call)) == ALCH_WAIT) waits++; OK(status_ == ALCH_DONE ? ALCH_OK : status_); } while (0)

CASE("queries, lazy loads, gets, refreshes") {
  static load_world here;
  load_world *lw = &here;
  world *w = &lw->w;
  alch_driver driver;
  open_waiting_world(lw, &driver);
  alch_load *load = NULL;
  select_of s = { .entities = { lw->area }, .order_by = "name", .options = { { ALCH_LAZY_SELECTIN, lw->area, "towns", 0 }, { ALCH_LAZY_JOINED, lw->town, "residents", 1 } } };
  OK(alch_load_start(w->session, w->session->bind, w->registry, build_select(lw, &s), NULL, false, &load, &w->error));
  waits = 0;
  THROUGH(alch_load_run(load, &w->error));
  CHECK(waits > 6);
  alch_load_close(load);
  CHECK_INT(w->plain.row_count, 4);
  alch_object *north = row_object(lw, 1);
  CHECK_TEXT(names_of(lw, north, "towns"), "Bb Aa");
  alch_object *aa = list_of(lw, north, "towns")->items[1], *ann = list_of(lw, aa, "residents")->items[0], *ed = NULL;
  CHECK_TEXT(names_of(lw, aa, "residents"), "Ann Bo -");
  selects(lw);
  THROUGH(alch_load_slot(ann, slot_named(ann, "friends"), &w->plain.host, &w->error));
  CHECK_TEXT(names_of(lw, ann, "friends"), "Bo Cy");
  CHECK_INT(selects(lw), 1);
  const alch_value key = alch_value_integer(5);
  THROUGH(alch_load_get(w->session, lw->person, &key, false, &ed, &w->error));
  if (CHECK(ed)) CHECK_TEXT(text_of(lw, ed, "name"), "Ed");
  CHECK_INT(selects(lw), 1);
  alch_session_expire_all(w->session);
  THROUGH(alch_load_slot(ann, slot_named(ann, "home"), &w->plain.host, &w->error));
  CHECK(related(lw, ann, "home") == aa);
  THROUGH(alch_load_refresh(w->session, aa, &w->error));
  CHECK_TEXT(text_of(lw, aa, "name"), "Aa");
  CHECK(!w->session->load);
  close_load_world(lw);
}

CASE("given up in the midst: lists do not count as loaded, and the next load is whole") {
  static load_world here;
  load_world *lw = &here;
  world *w = &lw->w;
  alch_driver driver;
  for (unsigned steps = 1; steps < 40; steps++) {
    open_waiting_world(lw, &driver);
    alch_load *load = NULL;
    select_of s = { .entities = { lw->town }, .order_by = "id", .options = { { ALCH_LAZY_JOINED, lw->town, "residents", 0 }, { ALCH_LAZY_SELECTIN, lw->town, "workers", 0 } } };
    const alch_block *block = build_select(lw, &s);
    OK(alch_load_start(w->session, w->session->bind, w->registry, block, NULL, false, &load, &w->error));
    alch_status status = ALCH_WAIT;
    for (unsigned i = 0; i < steps && status == ALCH_WAIT; i++) status = alch_load_run(load, &w->error);
    alch_session_abandon(w->session);
    CHECK(!w->session->load);
    plain_host_clear(&w->plain);
    OK(alch_load_start(w->session, w->session->bind, w->registry, block, NULL, false, &load, &w->error));
    THROUGH(alch_load_run(load, &w->error));
    alch_load_close(load);
    CHECK_INT(w->plain.row_count, 5);
    CHECK_TEXT(names_of(lw, row_object(lw, 0), "residents"), "Ann Bo -");
    CHECK_INT(list_of(lw, row_object(lw, 0), "workers")->count, 3);
    close_load_world(lw);
    if (status == ALCH_DONE) break;
  }
}
