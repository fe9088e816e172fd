/* Loading without Lua: rows into objects, lazy loads by batch, refreshing, on a real database. */
#include "orm_load_world.h"

CASE("rows become objects; the same rows the same objects") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->person }, .order_by = "id" }), 6);
  alch_object *ann = row_object(lw, 0), *nameless = row_object(lw, 5);
  CHECK_TEXT(text_of(lw, ann, "name"), "Ann");
  CHECK_TEXT(text_of(lw, nameless, "name"), NULL);
  CHECK_INT(ann->cells[2].integer, 1);
  CHECK(ann->state == (ALCH_STATE_PERSISTENT | ALCH_STATE_KEYED) && ann->session == lw->w.session);
  CHECK(ann->batch == nameless->batch);
  CHECK_INT(lw->w.plain.made, 6);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->person }, .order_by = "-id" }), 6);
  CHECK(row_object(lw, 5) == ann && row_object(lw, 0) == nameless);
  CHECK_INT(lw->w.plain.made, 6);
  close_load_world(lw);
}

CASE("entities and values in one row, outer joins, keys of two columns") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->area }, .columns = { "name", "code" }, .order_by = "-name" }), 4);
  plain_row *row = &lw->w.plain.rows[0];
  CHECK(row->objects[0] && row->objects[0]->mapper == lw->area);
  CHECK_INT(row->values[2].integer, 1);
  CHECK_INT(row->values[1].length, 4);
  CHECK_INT(row->count, 3);
  CHECK_TEXT(text_of(lw, row->objects[0], "country"), "fr");
  alch_object *again = NULL;
  const alch_value key[] = { alch_value_text("fr", 2), alch_value_integer(1) };
  world *w = &lw->w;
  selects(lw);
  OK(alch_load_get(w->session, lw->area, key, false, &again, &w->error));
  CHECK(again == row->objects[0]);
  CHECK_INT(selects(lw), 0);
  close_load_world(lw);
}

CASE("get: from the map, from the database, or nothing") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  alch_object *ann = NULL, *again = NULL, *none = NULL;
  alch_value key = alch_value_integer(1);
  OK(alch_load_get(w->session, lw->person, &key, false, &ann, &w->error));
  if (CHECK(ann)) CHECK_TEXT(text_of(lw, ann, "name"), "Ann");
  OK(alch_load_get(w->session, lw->person, &key, false, &again, &w->error));
  CHECK(again == ann);
  CHECK_INT(selects(lw), 1);
  key = alch_value_integer(99);
  OK(alch_load_get(w->session, lw->person, &key, false, &none, &w->error));
  CHECK(!none);
  key = ALCH_VALUE_NULL;
  OK(alch_load_get(w->session, lw->person, &key, false, &none, &w->error));
  CHECK(!none);
  CHECK_INT(selects(lw), 1);
  const alch_value area[] = { alch_value_text("de", 2), alch_value_integer(2) };
  OK(alch_load_get(w->session, lw->area, area, false, &none, &w->error));
  if (CHECK(none)) CHECK_TEXT(text_of(lw, none, "name"), "South");
  close_load_world(lw);
}

CASE("a many-to-one is loaded for all that came together, by one statement, and not at all when the map has it") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  load_all(lw, (select_of){ .entities = { lw->person }, .order_by = "id" });
  alch_object *people[6];
  for (uint32_t i = 0; i < 6; i++) people[i] = row_object(lw, i);
  selects(lw);
  alch_object *aa = related(lw, people[0], "home");
  CHECK_TEXT(text_of(lw, aa, "name"), "Aa");
  CHECK_INT(selects(lw), 1);
  for (uint32_t i = 0; i < 6; i++) CHECK(is_loaded(people[i], "home"));
  CHECK(related(lw, people[1], "home") == aa && related(lw, people[5], "home") == aa);
  CHECK(related(lw, people[4], "home") == NULL);
  CHECK_INT(selects(lw), 0);
  /* lazy = "select": each for itself, but what is there already needs no statement */
  CHECK(related(lw, people[3], "work") == aa);
  CHECK_INT(selects(lw), 0);
  CHECK(!is_loaded(people[4], "work"));
  close_load_world(lw);
}

CASE("lists are loaded for all that came together, in their order, empty ones too, and lead back") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  alch_object *aa = row_object(lw, 0), *dd = row_object(lw, 3);
  selects(lw);
  CHECK_TEXT(names_of(lw, aa, "residents"), "Ann Bo -");
  CHECK_INT(selects(lw), 1);
  CHECK_TEXT(names_of(lw, dd, "residents"), "");
  CHECK(list_of(lw, aa, "residents")->items[0]->cells[slot_named(list_of(lw, aa, "residents")->items[0], "home")].object == aa);
  CHECK(is_loaded(list_of(lw, aa, "residents")->items[1], "home"));
  CHECK_INT(list_of(lw, aa, "residents")->committed_count, 3);
  CHECK_INT(selects(lw), 0);
  CHECK_TEXT(names_of(lw, aa, "workers"), "Di Ed -");
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("by a secondary table, to the same model, both ways") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  load_all(lw, (select_of){ .entities = { lw->person }, .order_by = "id" });
  alch_object *ann = row_object(lw, 0), *bo = row_object(lw, 1), *di = row_object(lw, 3), *ed = row_object(lw, 4);
  selects(lw);
  CHECK_TEXT(names_of(lw, ann, "friends"), "Bo Cy");
  CHECK_TEXT(names_of(lw, bo, "friends"), "Ann");
  CHECK_TEXT(names_of(lw, di, "friends"), "Di");
  CHECK_TEXT(names_of(lw, ed, "friends"), "");
  CHECK_INT(selects(lw), 1);
  CHECK_TEXT(names_of(lw, bo, "friend_of"), "Ann");
  CHECK_TEXT(names_of(lw, ann, "friend_of"), "Bo Cy");
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("one to one, from both sides") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  load_all(lw, (select_of){ .entities = { lw->person }, .order_by = "id" });
  alch_object *ann = row_object(lw, 0), *cy = row_object(lw, 2);
  selects(lw);
  alch_object *passport = related(lw, ann, "passport");
  CHECK_TEXT(text_of(lw, passport, "number"), "P1");
  CHECK(related(lw, passport, "holder") == ann);
  CHECK(related(lw, cy, "passport") == NULL);
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("keys of two columns: lists and the way back") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  load_all(lw, (select_of){ .entities = { lw->area }, .order_by = "name" });
  alch_object *empty = row_object(lw, 0), *north = row_object(lw, 1);
  selects(lw);
  CHECK_TEXT(names_of(lw, north, "towns"), "Bb Aa");
  CHECK_TEXT(names_of(lw, empty, "towns"), "");
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
  open_load_world(lw);
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  selects(lw);
  CHECK_TEXT(text_of(lw, related(lw, row_object(lw, 0), "area_of"), "name"), "North");
  CHECK(related(lw, row_object(lw, 1), "area_of") == related(lw, row_object(lw, 0), "area_of"));
  CHECK(related(lw, row_object(lw, 4), "area_of") == NULL);
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("batches of a given size, and more keys than one statement takes") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  alch_connection *connection = NULL;
  OK(alch_session_connection(w->session, w->session->bind, &connection, &w->error));
  const char *many = "with recursive n(i) as (select 100 union all select i + 1 from n where i < 1699) insert into towns select i, 'T' || i, 'b', null, null from n";
  OK(alch_connection_run_text(connection, many, strlen(many), &w->error));
  many = "insert into persons select id, 'R' || id, id, null from towns where id >= 100";
  OK(alch_connection_run_text(connection, many, strlen(many), &w->error));
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id", .above = 99 }), 1600);
  alch_object *first = row_object(lw, 0), *last = row_object(lw, 1599);
  selects(lw);
  CHECK_TEXT(names_of(lw, first, "residents"), "R100");
  CHECK_INT(selects(lw), 4);
  CHECK_TEXT(names_of(lw, last, "residents"), "R1699");
  CHECK_INT(selects(lw), 0);
  w->session->options.batch_size = 100;
  CHECK_TEXT(names_of(lw, first, "workers"), "");
  CHECK_INT(selects(lw), 1);
  CHECK(!is_loaded(last, "workers"));
  close_load_world(lw);
}

CASE("deferred columns come for all in one statement, alone") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  alch_object *aa = row_object(lw, 0), *bb = row_object(lw, 1);
  CHECK(!is_loaded(aa, "text") && is_loaded(aa, "name"));
  selects(lw);
  CHECK_TEXT(text_of(lw, aa, "text"), "long a");
  CHECK(!strstr(lw->log[0], "towns.name") && strstr(lw->log[0], "towns.body"));
  CHECK_TEXT(text_of(lw, bb, "text"), "long b");
  CHECK_INT(selects(lw), 1);
  close_load_world(lw);
}

CASE("after a commit all is expired; the first touch reads it again for all") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  alch_object *aa = row_object(lw, 0), *bb = row_object(lw, 1);
  CHECK_TEXT(names_of(lw, aa, "residents"), "Ann Bo -");
  OK(alch_session_commit(w->session, &w->error));
  CHECK(!is_loaded(aa, "name") && !is_loaded(aa, "residents") && is_loaded(aa, "id"));
  ask(w, "select 1");
  const char *change = "update towns set name = name || '!'", *move = "update persons set home_id = 2 where id = 2";
  OK(alch_connection_run_text(w->session->bind->connection, change, strlen(change), &w->error));
  OK(alch_connection_run_text(w->session->bind->connection, move, strlen(move), &w->error));
  selects(lw);
  CHECK_TEXT(text_of(lw, aa, "name"), "Aa!");
  CHECK_TEXT(text_of(lw, bb, "name"), "Bb!");
  CHECK_INT(selects(lw), 1);
  CHECK_TEXT(names_of(lw, aa, "residents"), "Ann -");
  CHECK_TEXT(names_of(lw, bb, "residents"), "Bo Cy");
  /* one statement for the lists of towns; the persons that had expired came along with it */
  CHECK_INT(selects(lw), 1);
  CHECK(!is_loaded(aa, "text"));
  close_load_world(lw);
}

CASE("a list of an expired object needs the list only; a many-to-one the row as well") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  load_all(lw, (select_of){ .entities = { lw->person }, .order_by = "id" });
  alch_object *ann = row_object(lw, 0), *di = row_object(lw, 3);
  alch_session_expire_all(w->session);
  selects(lw);
  CHECK_TEXT(names_of(lw, ann, "friends"), "Bo Cy");
  CHECK_INT(selects(lw), 1);
  alch_session_expire_all(w->session);
  CHECK_TEXT(text_of(lw, related(lw, di, "home"), "name"), "Cc");
  CHECK_INT(selects(lw), 2);
  close_load_world(lw);
}

CASE("changes that are not flushed survive what is loaded over them") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  w->session->options.autoflush = false;
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  alch_object *aa = row_object(lw, 0);
  OK(alch_object_set(&w->plain.host, aa, 1, alch_value_text("New", 3), &w->error));
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  CHECK_TEXT(text_of(lw, aa, "name"), "New");
  OK(load_block(lw, build_select(lw, &(select_of){ .entities = { lw->town } }), true));
  CHECK_TEXT(text_of(lw, aa, "name"), "Aa");
  OK(alch_object_set(&w->plain.host, aa, 1, alch_value_text("Newer", 5), &w->error));
  OK(alch_load_refresh(w->session, aa, &w->error));
  CHECK_TEXT(text_of(lw, aa, "name"), "Aa");
  close_load_world(lw);
}

CASE("autoflush: a query sees what was changed") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  OK(alch_object_set(&w->plain.host, row_object(lw, 0), 1, alch_value_text("Zz", 2), &w->error));
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "-name" }), 5);
  CHECK_TEXT(text_of(lw, row_object(lw, 0), "name"), "Zz");
  CHECK(!alch_session_dirty(w->session));
  close_load_world(lw);
}

CASE("a row that is gone is said to be") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  load_all(lw, (select_of){ .entities = { lw->passport }, .order_by = "id" });
  alch_object *first = row_object(lw, 0), *second = row_object(lw, 1), *none;
  alch_session_expire_all(w->session);
  const char *gone = "delete from passports where id = 10";
  OK(alch_connection_run_text(w->session->bind->connection, gone, strlen(gone), &w->error));
  CHECK_TEXT(text_of(lw, second, "number"), "P2");
  CHECK_INT(alch_load_slot(first, 1, &w->plain.host, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_OBJECT_DELETED);
  CHECK_INT(alch_load_refresh(w->session, first, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_INVALID_REQUEST);
  const alch_value key = alch_value_integer(10);
  OK(alch_load_get(w->session, lw->passport, &key, false, &none, &w->error));
  CHECK(!none);
  close_load_world(lw);
}

CASE("without a session: what to do stands in the error") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  alch_object *aa = row_object(lw, 0), *fresh = plain_object(&w->plain, lw->town);
  alch_session_expunge_all(w->session);
  CHECK_INT(alch_load_slot(aa, slot_named(aa, "residents"), &w->plain.host, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_DETACHED_INSTANCE);
  CHECK_TEXT(alch_error_message(&w->error),
             "Parent object <Town> is not bound to a session; lazy load of 'residents' cannot proceed: add it to a session or load it eagerly with la.selectinload(Town.residents)");
  CHECK_INT(alch_load_slot(aa, slot_named(aa, "text"), &w->plain.host, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_DETACHED_INSTANCE);
  CHECK_INT(list_of(lw, fresh, "residents")->count, 0);
  close_load_world(lw);
}

CASE("events of loading are told when all is there") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  lw->town->events = 1u << ALCH_EVENT_LOAD | 1u << ALCH_EVENT_REFRESH;
  load_all(lw, (select_of){ .entities = { lw->town } });
  CHECK_INT(w->plain.events[ALCH_EVENT_LOAD], 5);
  load_all(lw, (select_of){ .entities = { lw->town } });
  CHECK_INT(w->plain.events[ALCH_EVENT_LOAD], 5);
  alch_session_expire_all(w->session);
  touch(lw, row_object(lw, 0), "name");
  CHECK_INT(w->plain.events[ALCH_EVENT_REFRESH], 5);
  alch_session_expire_all(w->session);
  w->plain.answer = ALCH_HOST_ERROR;
  CHECK_INT(load_block(lw, build_select(lw, &(select_of){ .entities = { lw->town } }), false), ALCH_HOST_ERROR);
  CHECK(!w->session->load);
  CHECK_INT(load_all(lw, (select_of){ .entities = { lw->town } }), 5);
  close_load_world(lw);
}

CASE("rows in parts, with other loads between them") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  alch_load *load = NULL;
  OK(alch_load_start(w->session, w->session->bind, w->registry, build_select(lw, &(select_of){ .entities = { lw->person }, .order_by = "id" }), NULL, false, &load, &w->error));
  OK(alch_load_limit(load, 4, &w->error));
  CHECK_INT(alch_load_run(load, &w->error), ALCH_ROW);
  CHECK_INT(w->plain.row_count, 4);
  CHECK_TEXT(text_of(lw, related(lw, row_object(lw, 0), "home"), "name"), "Aa");
  CHECK_INT(alch_load_run(load, &w->error), ALCH_DONE);
  CHECK_INT(w->plain.row_count, 6);
  alch_load_close(load);
  CHECK(!w->session->load);
  close_load_world(lw);
}

CASE("lazy loads of what the collector took: made again") {
  static load_world here;
  load_world *lw = &here;
  open_load_world(lw);
  world *w = &lw->w;
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  alch_object *aa = row_object(lw, 0);
  plain_host_collect(&w->plain);
  load_all(lw, (select_of){ .entities = { lw->town }, .order_by = "id" });
  CHECK(row_object(lw, 0) != aa);
  CHECK_INT(plain_identity_count(&w->plain), 5);
  close_load_world(lw);
}
