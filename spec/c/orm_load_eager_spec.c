/* Loading along: joined, selectin, contains_eager, options for columns; and the statements that come of them. */
#include "orm_load_world.h"

#define JOINED ALCH_LAZY_JOINED
#define SELECTIN ALCH_LAZY_SELECTIN

static bool said(const load_world *lw, uint32_t statement, const char *text) {
  bool found = strstr(lw->log[statement], text) != NULL;
  if (!found) printf("# %s\n", lw->log[statement]);
  return found;
}

CASE("a many-to-one by LEFT JOIN, a list by LEFT JOIN with its order: one statement each, rows emitted once") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->person }, .order_by = "id", .options = { { JOINED, lw->person, "home", 0 } } }), 6);
  CHECK_TEXT(text_of(lw, related(lw, row_object(lw, 0), "home"), "name"), "Aa");
  CHECK(related(lw, row_object(lw, 4), "home") == NULL);
  CHECK_INT(selects(lw), 1);
  CHECK(said(lw, 0, "LEFT OUTER JOIN towns AS towns_1"));
  close_load_world(lw);
  open_load_world(lw);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id", .options = { { JOINED, lw->town, "residents", 0 } } }), 5);
  CHECK_TEXT(names_of(lw, row_object(lw, 0), "residents"), "Ann Bo -");
  CHECK_TEXT(names_of(lw, row_object(lw, 1), "residents"), "Cy");
  CHECK_TEXT(names_of(lw, row_object(lw, 3), "residents"), "");
  CHECK(is_loaded(list_of(lw, row_object(lw, 0), "residents")->items[0], "home"));
  CHECK_INT(selects(lw), 1);
  CHECK(said(lw, 0, "ORDER BY towns.id, coalesce(persons_1.name, 'zz')"));
  close_load_world(lw);
}

CASE("nested joins, two lists at once, the same model again") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id",
                                      .options = { { JOINED, lw->town, "residents", 0 }, { JOINED, lw->person, "passport", 1 }, { JOINED, lw->person, "friends", 1 }, { JOINED, lw->town, "workers", 0 } } }),
            5);
  alch_object *aa = row_object(lw, 0), *ann = list_of(lw, aa, "residents")->items[0];
  CHECK_TEXT(names_of(lw, aa, "residents"), "Ann Bo -");
  CHECK_INT(list_of(lw, aa, "workers")->count, 3);
  CHECK_TEXT(text_of(lw, related(lw, ann, "passport"), "number"), "P1");
  CHECK_TEXT(names_of(lw, ann, "friends"), "Bo Cy");
  CHECK(related(lw, related(lw, ann, "passport"), "holder") == ann);
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("with LIMIT the statement becomes a subquery, so that rows are counted before they multiply") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  select_of s = { .entities = { lw->town }, .order_by = "-name", .limit = 2, .offset = 3, .above = -1, .options = { { JOINED, lw->town, "residents", 0 } } };
  CHECK_INT(load_all(lw, s), 2);
  CHECK_TEXT(text_of(lw, row_object(lw, 0), "name"), "Bb");
  CHECK_TEXT(text_of(lw, row_object(lw, 1), "name"), "Aa");
  CHECK_TEXT(names_of(lw, row_object(lw, 1), "residents"), "Ann Bo -");
  CHECK_INT(selects(lw), 1);
  CHECK(said(lw, 0, "FROM (SELECT"));
  CHECK(said(lw, 0, "LIMIT"));
  CHECK(said(lw, 0, ".name DESC, coalesce(persons_1.name, 'zz')"));
  /* the same structure with other values: one compiled statement, other rows */
  s.limit = 1, s.offset = 4;
  alch_cache_info before = alch_engine_cache_info(lw->w.engine);
  CHECK_INT(load_all(lw, s), 1);
  CHECK_INT(alch_engine_cache_info(lw->w.engine).misses, before.misses);
  CHECK_TEXT(text_of(lw, row_object(lw, 0), "name"), "Aa");
  s = (select_of){ .entities = { lw->town }, .columns = { "name" }, .order_by = "area", .distinct = true, .options = { { JOINED, lw->town, "residents", 0 } } };
  CHECK_INT(load_all(lw, s), 5);
  CHECK_INT(lw->w.plain.rows[0].count, 2);
  close_load_world(lw);
}

CASE("LIMIT with a joined many-to-one needs no subquery") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->person }, .order_by = "id", .limit = 2, .options = { { JOINED, lw->person, "home", 0 } } }), 2);
  CHECK(!strstr(lw->log[0], "FROM (SELECT"));
  CHECK(related(lw, row_object(lw, 1), "home") == related(lw, row_object(lw, 0), "home"));
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("selectin: one more statement for each relationship, nested as deep as options say") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  select_of s = { .entities = { lw->area }, .order_by = "name",
                  .options = { { SELECTIN, lw->area, "towns", 0 }, { SELECTIN, lw->town, "residents", 1 }, { JOINED, lw->person, "passport", 2 }, { ALCH_STRATEGY_UNDEFER, lw->town, "text", 1 } } };
  CHECK_INT(load_all(lw, s), 4);
  CHECK_INT(selects(lw), 3);
  alch_object *north = row_object(lw, 1), *aa = list_of(lw, north, "towns")->items[1], *ann = list_of(lw, aa, "residents")->items[0];
  CHECK_TEXT(names_of(lw, north, "towns"), "Bb Aa");
  CHECK_TEXT(text_of(lw, aa, "text"), "long a");
  CHECK_TEXT(text_of(lw, related(lw, ann, "passport"), "number"), "P1");
  CHECK(related(lw, aa, "area_of") == north);
  CHECK_INT(selects(lw), 0);
  close_load_world(lw);
}

CASE("selectin behind a join, and a join behind selectin to one; what is loaded is not loaded again") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  select_of s = { .entities = { lw->passport }, .order_by = "id",
                  .options = { { JOINED, lw->passport, "holder", 0 }, { SELECTIN, lw->person, "home", 1 }, { JOINED, lw->town, "residents", 2 } } };
  CHECK_INT(load_all(lw, s), 3);
  CHECK_INT(selects(lw), 2);
  alch_object *ann = related(lw, row_object(lw, 0), "holder");
  CHECK_TEXT(names_of(lw, related(lw, ann, "home"), "residents"), "Ann Bo -");
  CHECK_INT(selects(lw), 0);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->passport }, .options = { { JOINED, lw->passport, "holder", 0 }, { SELECTIN, lw->person, "home", 1 } } }), 3);
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("contains_eager: the statement's own join fills the list") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  const alch_relationship *residents = alch_mapper_relationship(lw->town, alch_mapper_slot(lw->town, "residents"));
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town }, .join = residents, .order_by = "id", .options = { { ALCH_STRATEGY_CONTAINS_EAGER, lw->town, "residents", 0 } } }), 3);
  CHECK_INT(list_of(lw, row_object(lw, 0), "residents")->count, 3);
  CHECK_TEXT(names_of(lw, row_object(lw, 2), "residents"), "Di");
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("load_only, defer, undefer") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id", .options = { { ALCH_STRATEGY_LOAD_ONLY, lw->town, "name", 0 } } }), 5);
  alch_object *aa = row_object(lw, 0), *bb = row_object(lw, 1);
  CHECK(is_loaded(aa, "id") && is_loaded(aa, "name") && !is_loaded(aa, "country") && !is_loaded(aa, "text"));
  selects(lw);
  CHECK_TEXT(text_of(lw, aa, "country"), "de");
  CHECK_TEXT(text_of(lw, bb, "country"), "de");
  CHECK_INT(selects(lw), 1);
  CHECK(!is_loaded(bb, "text"));
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town }, .options = { { ALCH_STRATEGY_UNDEFER, lw->town, NULL, 0 } } }), 5);
  CHECK(is_loaded(bb, "text"));
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->person }, .order_by = "id", .options = { { ALCH_STRATEGY_DEFER, lw->person, "name", 0 }, { JOINED, lw->person, "home", 0 } } }), 6);
  CHECK(!is_loaded(row_object(lw, 0), "name") && is_loaded(row_object(lw, 0), "home"));
  CHECK_TEXT(text_of(lw, row_object(lw, 0), "name"), "Ann");
  close_load_world(lw);
}

CASE("columns that a relationship needs come along whatever load_only says") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  select_of s = { .entities = { lw->person }, .order_by = "id", .options = { { ALCH_STRATEGY_LOAD_ONLY, lw->person, "name", 0 }, { SELECTIN, lw->person, "home", 0 } } };
  CHECK_INT(load_all(lw, s), 6);
  CHECK_INT(selects(lw), 2);
  CHECK_TEXT(text_of(lw, related(lw, row_object(lw, 0), "home"), "name"), "Aa");
  CHECK(!is_loaded(row_object(lw, 0), "work_id"));
  /* a list by selectin needs a column that nobody selected */
  s = (select_of){ .entities = { lw->town }, .order_by = "id", .options = { { SELECTIN, lw->town, "workers", 0 }, { ALCH_STRATEGY_LOAD_ONLY, lw->person, "name", 1 } } };
  CHECK_INT(load_all(lw, s), 5);
  CHECK_INT(list_of(lw, row_object(lw, 0), "workers")->count, 3);
  close_load_world(lw);
}

CASE("raise forbids, noload says there is nothing, a wildcard is for all but what is named") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  select_of s = { .entities = { lw->person }, .order_by = "id", .options = { { SELECTIN, lw->person, "home", 0 }, { ALCH_LAZY_RAISE, lw->person, NULL, 0 }, { ALCH_LAZY_NOLOAD, lw->person, "friends", 0 } } };
  CHECK_INT(load_all(lw, s), 6);
  alch_object *ann = row_object(lw, 0);
  CHECK_TEXT(text_of(lw, related(lw, ann, "home"), "name"), "Aa");
  CHECK_INT(list_of(lw, ann, "friends")->count, 0);
  selects(lw);
  CHECK_INT(alch_load_slot(ann, slot_named(ann, "passport"), &w->plain.host, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_INVALID_REQUEST);
  CHECK(strstr(alch_error_message(&w->error), "'Person.passport' is not available due to lazy='raise'") != NULL);
  CHECK_INT(selects(lw), 0);
  close_load_world(lw);
}

CASE("several entities, each with its own") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  const alch_relationship *residents = alch_mapper_relationship(lw->town, alch_mapper_slot(lw->town, "residents"));
  select_of s = { .entities = { lw->town, lw->person }, .join = residents, .order_by = "id", .options = { { JOINED, lw->person, "passport", 0 }, { JOINED, lw->town, "workers", 0 } } };
  CHECK_INT(load_all(lw, s), 5);
  CHECK(lw->w.plain.rows[0].objects[0] == lw->w.plain.rows[1].objects[0]);
  CHECK(lw->w.plain.rows[0].objects[1] != lw->w.plain.rows[1].objects[1]);
  CHECK_INT(list_of(lw, row_object(lw, 0), "workers")->count, 3);
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("a limit and joined lists do not go together") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  alch_load *load = NULL;
  OK(alch_load_start(w->session, w->session->bind, w->registry, build_select(lw, &(select_of){ .entities = { lw->town }, .options = { { JOINED, lw->town, "residents", 0 } } }), NULL, false, &load, &w->error));
  CHECK_INT(alch_load_limit(load, 2, &w->error), ALCH_ERROR);
  alch_load_close(load);
  OK(alch_load_start(w->session, w->session->bind, w->registry, build_select(lw, &(select_of){ .entities = { lw->town }, .order_by = "id", .options = { { SELECTIN, lw->town, "residents", 0 } } }), NULL, false, &load,
                     &w->error));
  OK(alch_load_limit(load, 2, &w->error));
  plain_host_clear(&w->plain);
  w->plain.whole_rows = false;
  selects(lw);
  CHECK_INT(alch_load_run(load, &w->error), ALCH_ROW);
  CHECK_INT(w->plain.row_count, 2);
  CHECK(is_loaded(row_object(lw, 0), "residents") && is_loaded(row_object(lw, 1), "residents"));
  CHECK_INT(alch_load_run(load, &w->error), ALCH_ROW);
  CHECK_INT(alch_load_run(load, &w->error), ALCH_DONE);
  CHECK_INT(w->plain.row_count, 5);
  CHECK_INT(selects(lw), 4);
  alch_load_close(load);
  close_load_world(lw);
}

CASE("options that lead nowhere are refused") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  CHECK_INT(load_block(lw, build_select(lw, &(select_of){ .entities = { lw->town }, .options = { { JOINED, lw->person, "home", 0 } } }), false), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_ARGUMENT);
  CHECK(strstr(alch_error_message(&w->error), "Mapped class Person does not apply to any of the root entities") != NULL);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town } }), 5);
  close_load_world(lw);
}

CASE("a model joined to itself, and again") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  select_of s = { .entities = { lw->person }, .order_by = "id", .above = -1, .options = { { JOINED, lw->person, "friends", 0 }, { JOINED, lw->person, "friends", 1 }, { JOINED, lw->person, "home", 2 } } };
  CHECK_INT(load_all(lw, s), 6);
  CHECK_TEXT(names_of(lw, row_object(lw, 0), "friends"), "Bo Cy");
  CHECK_TEXT(names_of(lw, row_object(lw, 1), "friends"), "Ann");
  CHECK_TEXT(names_of(lw, row_object(lw, 3), "friends"), "Di");
  CHECK_TEXT(names_of(lw, row_object(lw, 5), "friends"), "");
  CHECK_INT(selects(lw), 1);
  CHECK(said(lw, 0, "friends AS friends_2"));
  /* Ann is there as a friend of a friend, with her home */
  CHECK(is_loaded(row_object(lw, 0), "home") && !is_loaded(row_object(lw, 4), "home"));
  s.limit = 2;
  CHECK_INT(load_all(lw, s), 2);
  close_load_world(lw);
}

CASE("what is loaded already is not joined over; populate does") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  const select_of s = { .entities = { lw->town }, .order_by = "id", .options = { { JOINED, lw->town, "residents", 0 } } };
  CHECK_INT(load_all(lw, s), 5);
  alch_object *aa = row_object(lw, 0), *ann = list_of(lw, aa, "residents")->items[0];
  const char *move = "update persons set home_id = 2, name = 'Anna' where id = 1";
  OK(alch_connection_run_text(w->session->bind->connection, move, strlen(move), &w->error));
  CHECK_INT(load_all(lw, s), 5);
  CHECK_TEXT(names_of(lw, aa, "residents"), "Ann Bo -");
  OK(alch_load_refresh(w->session, aa, &w->error));
  CHECK_TEXT(text_of(lw, ann, "name"), "Ann");
  OK(load_block(lw, build_select(lw, &s), true));
  CHECK_TEXT(names_of(lw, aa, "residents"), "Bo -");
  CHECK_TEXT(names_of(lw, row_object(lw, 1), "residents"), "Anna Cy");
  CHECK(related(lw, ann, "home") == row_object(lw, 1));
  close_load_world(lw);
}

/* ---- strategies of the relationships themselves ---- */

static alch_relationship *relationship_of(alch_mapper *mapper, const char *name) { return &mapper->relationships[alch_mapper_slot(mapper, name) - mapper->attribute_count]; }

static void join_all(load_world *lw) {
  relationship_of(lw->town, "residents")->strategy = ALCH_LAZY_JOINED;
  relationship_of(lw->person, "home")->strategy = ALCH_LAZY_JOINED;
  relationship_of(lw->person, "friends")->strategy = ALCH_LAZY_JOINED;
  relationship_of(lw->person, "passport")->strategy = ALCH_LAZY_SELECTIN;
  relationship_of(lw->passport, "holder")->strategy = ALCH_LAZY_SELECTIN;
  relationship_of(lw->town, "area_of")->strategy = ALCH_LAZY_SELECTIN;
}

CASE("a relationship's own strategy, which stops where a model comes for the second time") {
  static load_world here;
  load_world *lw = &here;
  open_load_world_with(lw, join_all, &alch_allocator_standard);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" }), 5);
  CHECK_INT(selects(lw), 3);
  CHECK_TEXT(names_of(lw, row_object(lw, 0), "residents"), "Ann Bo -");
  alch_object *ann = list_of(lw, row_object(lw, 0), "residents")->items[0];
  CHECK(is_loaded(ann, "passport") && is_loaded(row_object(lw, 0), "area_of"));
  CHECK(!is_loaded(ann, "friends"));
  CHECK_INT(selects(lw), 0);
  world *w = &lw->w;
  const alch_value key = alch_value_integer(1);
  alch_object *town;
  alch_session_expire_all(w->session);
  OK(alch_load_get(w->session, lw->town, &key, false, &town, &w->error));
  if (CHECK(town)) CHECK(is_loaded(town, "residents") && is_loaded(town, "area_of"));
  selects(lw);
  CHECK_TEXT(names_of(lw, town, "residents"), "Ann Bo -");
  CHECK_INT(selects(lw), 0);
  close_load_world(lw);
}

static void join_inner(load_world *lw) {
  relationship_of(lw->passport, "holder")->inner_join = true;
  relationship_of(lw->person, "home")->inner_join = true;
}

CASE("inner joins, but not behind an outer one") {
  static load_world here;
  load_world *lw = &here;
  open_load_world_with(lw, join_inner, &alch_allocator_standard);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->passport }, .options = { { JOINED, lw->passport, "holder", 0 }, { JOINED, lw->person, "home", 1 } } }), 3);
  CHECK(!strstr(lw->log[0], "LEFT OUTER JOIN"));
  selects(lw);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->area }, .options = { { JOINED, lw->area, "towns", 0 }, { JOINED, lw->town, "workers", 1 }, { JOINED, lw->person, "home", 2 } } }), 4);
  CHECK(said(lw, 0, "LEFT OUTER JOIN towns AS towns_1") && said(lw, 0, "LEFT OUTER JOIN towns AS towns_2"));
  close_load_world(lw);
}

/* ---- every allocation fails once ---- */

static alch_status load_much(load_world *lw, const alch_block *joined, const alch_block *nested) {
  world *w = &lw->w;
  alch_status status = load_block(lw, joined, false);
  if (status == ALCH_OK) status = load_block(lw, nested, false);
  alch_object *north = status == ALCH_OK ? row_object(lw, 0) : NULL;
  if (north) status = alch_load_slot(north, slot_named(north, "towns"), &w->plain.host, &w->error);
  if (status != ALCH_OK) return status;
  alch_session_expire_all(w->session);
  return alch_load_slot(north, slot_named(north, "name"), &w->plain.host, &w->error);
}

CASE("each allocation fails once: an error, no half-filled list, and then it works") {
  static load_world here;
  load_world *lw = &here;
  for (uint64_t n = 1;; n++) {
    alch_fault_allocator fault;
    alch_fault_allocator_init(&fault);
    open_load_world_with(lw, NULL, &fault.allocator);
    world *w = &lw->w;
    const alch_block *joined = build_select(lw, &(select_of){ .entities = { lw->town }, .order_by = "id", .limit = 4, .options = { { JOINED, lw->town, "residents", 0 } } });
    const alch_block *nested = build_select(lw, &(select_of){ .entities = { lw->area }, .order_by = "name", .options = { { SELECTIN, lw->area, "towns", 0 }, { SELECTIN, lw->town, "workers", 1 } } });
    fault.fail_at = fault.calls + n;
    alch_status status = load_much(lw, joined, nested);
    bool failed = fault.failures > 0;
    fault.fail_at = 0;
    if (failed) {
      CHECK_INT(status, ALCH_ERROR);
      CHECK_INT(w->error.kind, ALCH_ERROR_OUT_OF_MEMORY);
      CHECK(!w->session->load);
    }
    OK(load_much(lw, joined, nested));
    OK(load_block(lw, joined, false));
    CHECK_TEXT(names_of(lw, row_object(lw, 0), "residents"), "Ann Bo -");
    CHECK_INT(list_of(lw, row_object(lw, 0), "workers")->count, 3);
    close_load_world(lw);
    CHECK_INT(fault.live_blocks, 0);
    CHECK_INT(fault.wrong_sizes, 0);
    if (!failed) break;
  }
}

CASE("plans: each allocation fails once") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  const alch_block *block = build_select(lw, &(select_of){ .entities = { lw->town }, .columns = { "name" }, .order_by = "-area", .limit = 4,
                                                           .options = { { JOINED, lw->town, "residents", 0 }, { JOINED, lw->person, "friends", 1 }, { SELECTIN, lw->person, "home", 2 } } });
  for (uint64_t n = 1;; n++) {
    alch_fault_allocator fault;
    alch_compiled *compiled = NULL;
    alch_fault_allocator_init(&fault);
    fault.fail_at = n;
    alch_status status = alch_plan_make(w->registry, w->catalog, alch_engine_dialect(w->engine), block, NULL, &fault.allocator, &compiled, &w->error);
    if (fault.failures > 0) CHECK(status == ALCH_ERROR && !compiled && w->error.kind == ALCH_ERROR_OUT_OF_MEMORY);
    else OK(status);
    alch_compiled_release(compiled);
    CHECK_INT(fault.live_blocks, 0);
    CHECK_INT(fault.wrong_sizes, 0);
    if (fault.failures == 0) break;
  }
  close_load_world(lw);
}
