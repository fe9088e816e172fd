/* The unit of work without Lua: plans, runs, cascades, rollbacks, on a real database. */
#include "orm_world.h"

static const char *plan_of(world *w, alch_buffer *out) {
  alch_buffer_clear(out);
  OK(alch_session_plan(w->session, out, &w->error));
  return alch_buffer_text(out);
}

CASE("inserts parents before children, keys handed on") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *team = make(w, w->team, "Red"), *ann = make(w, w->player, "Ann"), *bo = make(w, w->player, "Bo");
  append(w, team, w->players, ann), append(w, team, w->players, bo);
  CHECK(ann->cells[w->team_of->slot].object == team);
  OK(alch_session_add(w->session, ann, &w->error));
  CHECK(team->session == w->session && bo->session == w->session);
  alch_buffer text;
  alch_buffer_init(&text, &alch_allocator_standard);
  CHECK_TEXT(plan_of(w, &text), "1. insert into teams: 1 Team\n2. copy key teams.id -> players.team_id: 2 Player (Player.team)\n3. insert into players: 2 Player\n");
  alch_buffer_close(&text);
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(id_of(team), 1);
  CHECK_INT(ann->cells[3].integer, 1);
  CHECK_INT(ask(w, "select count(*) from players where team_id = 1"), 2);
  CHECK(ann->state & ALCH_STATE_PERSISTENT);
  CHECK_INT(w->plain.held, 0);
  OK(alch_session_commit(w->session, &w->error));
  CHECK(alch_object_expired(ann));
  close_world(w);
}

CASE("nothing to do is nothing done; a change and back again is no change") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *ann = make(w, w->player, "Ann");
  OK(alch_session_add(w->session, ann, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK(!alch_session_dirty(w->session));
  alch_host *host = &w->plain.host;
  OK(alch_object_set(host, ann, 1, alch_value_text("Anna", 4), &w->error));
  CHECK(alch_session_old_value(w->session, ann, 1) != NULL);
  OK(alch_object_set(host, ann, 1, alch_value_text("Ann", 3), &w->error));
  alch_status begun = alch_session_flush(w->session, &w->error);
  CHECK_INT(begun, ALCH_OK);
  CHECK_INT(ask(w, "select total_changes()"), 1);
  OK(alch_object_set(host, ann, 2, alch_value_integer(7), &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select score from players"), 7);
  CHECK_INT(ask(w, "select total_changes()"), 2);
  close_world(w);
}

CASE("moving a child, removing it, deleting the parent") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *red = make(w, w->team, "Red"), *blue = make(w, w->team, "Blue"), *ann = make(w, w->player, "Ann"), *bo = make(w, w->player, "Bo");
  append(w, red, w->players, ann), append(w, red, w->players, bo);
  OK(alch_session_add(w->session, red, &w->error)), OK(alch_session_add(w->session, blue, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  OK(alch_object_set_related(&w->plain.host, ann, w->team_of, blue, &w->error));
  CHECK_INT(red->cells[w->players->slot].collection->count, 1);
  OK(alch_session_flush(w->session, &w->error));
  OK(alch_load_relationship(w->session, w->players, &blue, 1, NULL, &w->error));
  CHECK_INT(alch_object_collection(&w->plain.host, blue, w->players)->count, 1);
  CHECK_INT(ask(w, "select team_id from players where name = 'Ann'"), id_of(blue));
  OK(alch_collection_remove(&w->plain.host, red->cells[w->players->slot].collection, 0, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select team_id is null from players where name = 'Bo'"), 1);
  OK(alch_session_delete(w->session, blue, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from teams"), 1);
  CHECK_INT(ask(w, "select team_id is null from players where name = 'Ann'"), 1);
  close_world(w);
}

CASE("delete and delete-orphan cascades") {
  world here, *w = &here;
  open_world(w, ALCH_CASCADE_DELETE | ALCH_CASCADE_DELETE_ORPHAN);
  alch_object *red = make(w, w->team, "Red"), *blue = make(w, w->team, "Blue"), *ann = make(w, w->player, "Ann"), *bo = make(w, w->player, "Bo"), *cy = make(w, w->player, "Cy");
  append(w, red, w->players, ann), append(w, red, w->players, bo), append(w, blue, w->players, cy);
  OK(alch_session_add(w->session, red, &w->error)), OK(alch_session_add(w->session, blue, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  OK(alch_collection_remove(&w->plain.host, red->cells[w->players->slot].collection, 1, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from players where name = 'Bo'"), 0);
  /* Moved to another parent: no orphan. */
  OK(alch_object_set_related(&w->plain.host, ann, w->team_of, blue, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from players"), 2);
  OK(alch_session_delete(w->session, blue, &w->error));
  CHECK(ann->state & ALCH_STATE_DELETING);
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from players"), 0);
  OK(alch_session_rollback(w->session, &w->error));
  close_world(w);
}

CASE("a tree goes level by level, deletes the other way round") {
  world here, *w = &here;
  open_world(w, ALCH_CASCADE_DELETE);
  alch_object *root = make(w, w->node, "root"), *all[40];
  for (int i = 0; i < 40; i++) all[i] = make(w, w->node, "n");
  for (int i = 39; i >= 0; i--) append(w, i == 0 ? root : all[check_random_below((uint64_t)i)], w->children, all[i]);
  OK(alch_session_add(w->session, all[20], &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from nodes"), 41);
  CHECK_INT(ask(w, "select count(*) from nodes where parent_id is null"), 1);
  for (int i = 0; i < 40; i++) {
    alch_object *parent = all[i]->cells[w->parent->slot].object;
    CHECK_INT(all[i]->cells[2].integer, id_of(parent));
  }
  OK(alch_session_delete(w->session, root, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from nodes"), 0);
  close_world(w);
}

CASE("a real circle is refused") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *a = make(w, w->node, "a"), *b = make(w, w->node, "b");
  append(w, a, w->children, b), append(w, b, w->children, a);
  OK(alch_session_add(w->session, a, &w->error));
  CHECK_INT(alch_session_flush(w->session, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_CIRCULAR_DEPENDENCY);
  CHECK_INT(alch_session_flush(w->session, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_PENDING_ROLLBACK);
  OK(alch_session_rollback(w->session, &w->error));
  CHECK(a->session == NULL && a->state == 0);
  close_world(w);
}

CASE("many to many: both sides know, one row is written") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *post = make(w, w->post, "p"), *other = make(w, w->post, "q"), *lua = make(w, w->tag, "lua"), *sql = make(w, w->tag, "sql");
  append(w, post, w->tags, lua), append(w, post, w->tags, sql), append(w, lua, w->posts, other);
  CHECK_INT(lua->cells[w->posts->slot].collection->count, 2);
  OK(alch_session_add(w->session, post, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from post_tags"), 3);
  OK(alch_collection_remove(&w->plain.host, sql->cells[w->posts->slot].collection, 0, &w->error));
  CHECK_INT(post->cells[w->tags->slot].collection->count, 1);
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from post_tags"), 2);
  OK(alch_session_delete(w->session, lua, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from post_tags"), 0);
  CHECK_INT(ask(w, "select count(*) from posts"), 2);
  close_world(w);
}

CASE("rollback: new objects are transient without their key, deleted ones are back, changed ones are read again") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *red = make(w, w->team, "Red");
  OK(alch_session_add(w->session, red, &w->error));
  OK(alch_session_commit(w->session, &w->error));
  alch_object *ann = make(w, w->player, "Ann");
  append(w, red, w->players, ann);
  OK(alch_session_add(w->session, ann, &w->error));
  OK(alch_session_delete(w->session, red, &w->error));
  OK(alch_object_set_related(&w->plain.host, ann, w->team_of, NULL, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from teams"), 0);
  CHECK(id_of(ann) > 0);
  OK(alch_session_rollback(w->session, &w->error));
  CHECK(ann->session == NULL);
  CHECK_INT(ann->state, 0);
  CHECK_INT(id_of(ann), -1);
  CHECK(red->session == w->session && red->state & ALCH_STATE_PERSISTENT);
  CHECK_INT(ask(w, "select count(*) from teams"), 1);
  OK(alch_session_add(w->session, ann, &w->error));
  OK(alch_session_commit(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from players"), 1);
  close_world(w);
}

CASE("a savepoint takes back what was done inside it") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *outer = make(w, w->team, "outer"), *inner = make(w, w->team, "inner");
  OK(alch_session_add(w->session, outer, &w->error));
  OK(alch_session_begin(w->session, true, &w->error));
  OK(alch_session_add(w->session, inner, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from teams"), 2);
  OK(alch_session_rollback(w->session, &w->error));
  CHECK(inner->session == NULL && outer->session == w->session);
  CHECK_INT(ask(w, "select count(*) from teams"), 1);
  OK(alch_session_commit(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from teams"), 1);
  close_world(w);
}

CASE("a changed key: the row is found by the old one, the identity map follows, rollback turns it back") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *note = plain_object(&w->plain, w->note);
  alch_host *host = &w->plain.host;
  OK(alch_object_set(host, note, 0, alch_value_text("a", 1), &w->error));
  OK(alch_session_add(w->session, note, &w->error));
  OK(alch_session_commit(w->session, &w->error));
  OK(alch_object_set(host, note, 0, alch_value_text("longer", 6), &w->error));
  OK(alch_session_flush(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from notes where key = 'longer'"), 1);
  alch_value key = alch_value_text("longer", 6);
  CHECK(host->identity_find(host, w->session, w->note, &key) == note);
  OK(alch_session_rollback(w->session, &w->error));
  key = alch_value_text("a", 1);
  CHECK(host->identity_find(host, w->session, w->note, &key) == note);
  alch_value now = alch_object_cell_value(note, 0);
  CHECK(alch_value_equal(&now, &key));
  close_world(w);
}

CASE("a failure in the middle: nothing stays, everything can go on") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *first = plain_object(&w->plain, w->note), *second = plain_object(&w->plain, w->note);
  alch_host *host = &w->plain.host;
  OK(alch_object_set(host, first, 0, alch_value_text("same", 4), &w->error)), OK(alch_object_set(host, second, 0, alch_value_text("same", 4), &w->error));
  OK(alch_session_add(w->session, first, &w->error)), OK(alch_session_add(w->session, second, &w->error));
  CHECK_INT(alch_session_commit(w->session, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_INTEGRITY);
  CHECK_INT(alch_session_commit(w->session, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_PENDING_ROLLBACK);
  OK(alch_session_rollback(w->session, &w->error));
  CHECK(first->session == NULL && second->session == NULL);
  CHECK_INT(ask(w, "select count(*) from notes"), 0);
  OK(alch_session_add(w->session, first, &w->error));
  OK(alch_session_commit(w->session, &w->error));
  CHECK_INT(ask(w, "select count(*) from notes"), 1);
  close_world(w);
}

CASE("a row that someone else took away is found out") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *ann = make(w, w->player, "Ann");
  OK(alch_session_add(w->session, ann, &w->error));
  OK(alch_session_flush(w->session, &w->error));
  ask(w, "delete from players");
  OK(alch_object_set(&w->plain.host, ann, 2, alch_value_integer(1), &w->error));
  CHECK_INT(alch_session_flush(w->session, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_STALE_DATA);
  OK(alch_session_rollback(w->session, &w->error));
  close_world(w);
}

CASE("an error of an event stops the flush and comes out") {
  world here, *w = &here;
  open_world(w, 0);
  w->team->events = 1u << ALCH_EVENT_BEFORE_INSERT;
  alch_object *red = make(w, w->team, "Red");
  OK(alch_session_add(w->session, red, &w->error));
  w->plain.answer = ALCH_HOST_ERROR;
  CHECK_INT(alch_session_flush(w->session, &w->error), ALCH_HOST_ERROR);
  OK(alch_session_rollback(w->session, &w->error));
  OK(alch_session_add(w->session, red, &w->error));
  OK(alch_session_commit(w->session, &w->error));
  close_world(w);
}

CASE("two sessions cannot have one object") {
  world here, *w = &here;
  open_world(w, 0);
  alch_session *other = NULL;
  OK(alch_session_open(w->engine, w->catalog, &w->plain.host, NULL, &alch_allocator_standard, &other, &w->error));
  alch_object *red = make(w, w->team, "Red");
  OK(alch_session_add(w->session, red, &w->error));
  CHECK_INT(alch_session_add(other, red, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_INVALID_REQUEST);
  alch_session_destroy(other);
  OK(alch_session_commit(w->session, &w->error));
  close_world(w);
}

/* Lists, scalars and the database agree after any series of moves. */
CASE("random moves between parents") {
  world here, *w = &here;
  open_world(w, 0);
  enum { TEAMS = 5, PLAYERS = 30 };
  alch_object *teams[TEAMS], *players[PLAYERS];
  for (int i = 0; i < TEAMS; i++) teams[i] = make(w, w->team, "t"), OK(alch_session_add(w->session, teams[i], &w->error));
  for (int i = 0; i < PLAYERS; i++) players[i] = make(w, w->player, "p"), OK(alch_session_add(w->session, players[i], &w->error));
  for (int round = 0; round < 300; round++) {
    alch_object *player = players[check_random_below(PLAYERS)], *team = teams[check_random_below(TEAMS)];
    switch (check_random_below(4)) {
      case 0: OK(alch_object_set_related(&w->plain.host, player, w->team_of, team, &w->error)); break;
      case 1: OK(alch_object_set_related(&w->plain.host, player, w->team_of, NULL, &w->error)); break;
      case 2: {
        if (!alch_object_loaded(team, w->players->slot)) OK(alch_load_slot(team, w->players->slot, &w->plain.host, &w->error));
        alch_collection *list = alch_object_collection(&w->plain.host, team, w->players);
        if (alch_collection_find(list, player) == UINT32_MAX) append(w, team, w->players, player);
        break;
      }
      default: if (check_random_below(8) == 0) OK(alch_session_flush(w->session, &w->error));
    }
  }
  OK(alch_session_flush(w->session, &w->error));
  for (int i = 0; i < TEAMS; i++) {
    if (!alch_object_loaded(teams[i], w->players->slot)) OK(alch_load_slot(teams[i], w->players->slot, &w->plain.host, &w->error));
    alch_collection *list = alch_object_collection(&w->plain.host, teams[i], w->players);
    for (uint32_t k = 0; k < list->count; k++) {
      CHECK(list->items[k]->cells[w->team_of->slot].object == teams[i]);
      CHECK_INT(list->items[k]->cells[3].integer, id_of(teams[i]));
    }
    char sql[80];
    snprintf(sql, sizeof sql, "select count(*) from players where team_id = %d", (int)id_of(teams[i]));
    CHECK_INT(ask(w, sql), list->count);
  }
  close_world(w);
}

/* Each object has the key of its own row, whichever way the rows went. */
static void check_rows(world *w, alch_object *const *teams, int count) {
  CHECK_INT(ask(w, "select count(*) from teams where name like 'team %'"), count);
  for (int i = 0; i < count; i++) {
    char sql[80];
    snprintf(sql, sizeof sql, "select count(*) from teams where id = %lld and name = 'team %d'", (long long)id_of(teams[i]), i);
    if (!CHECK_INT(ask(w, sql), 1)) return;
  }
}

static void insert_many(world *w, alch_object **teams, int count, int explicit_key) {
  for (int i = 0; i < count; i++) {
    char name[20];
    snprintf(name, sizeof name, "team %d", i);
    teams[i] = make(w, w->team, name);
    if (i == explicit_key) OK(alch_object_set(&w->plain.host, teams[i], 0, alch_value_integer(100000), &w->error));
    OK(alch_session_add(w->session, teams[i], &w->error));
  }
  OK(alch_session_flush(w->session, &w->error));
}

static void run_sql(world *w, const char *sql) {
  alch_connection *connection = NULL;
  OK(alch_session_connection(w->session, w->session->bind, &connection, &w->error));
  OK(alch_connection_run_text(connection, sql, strlen(sql), &w->error));
}

enum { MANY = 333 };

CASE("many new rows go many to a statement, and every object gets its own key") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *teams[MANY];
  insert_many(w, teams, MANY, -1);
  check_rows(w, teams, MANY);
  CHECK_INT(id_of(teams[MANY - 1]), MANY);
  close_world(w);
}

CASE("a key that was given, in the midst of those that the database makes") {
  world here, *w = &here;
  open_world(w, 0);
  alch_object *teams[MANY];
  insert_many(w, teams, MANY, 170);
  check_rows(w, teams, MANY);
  CHECK_INT(id_of(teams[171]), 100001);
  close_world(w);
}

CASE("a trigger that writes to the same table: rows go one by one") {
  world here, *w = &here;
  open_world(w, 0);
  run_sql(w, "create trigger twice after insert on teams when new.name like 'team %' begin insert into teams (name) values ('echo'); end");
  alch_object *teams[MANY];
  insert_many(w, teams, MANY, -1);
  check_rows(w, teams, MANY);
  CHECK_INT(ask(w, "select count(*) from teams"), 2 * MANY);
  close_world(w);
}

CASE("keys that cannot follow one another are found out, never guessed") {
  world here, *w = &here;
  open_world(w, 0);
  run_sql(w, "insert into teams (id, name) values (9223372036854775707, 'near the end')");
  alch_object *teams[MANY];
  for (int i = 0; i < MANY; i++) teams[i] = make(w, w->team, "team"), OK(alch_session_add(w->session, teams[i], &w->error));
  CHECK_INT(alch_session_flush(w->session, &w->error), ALCH_ERROR);
  CHECK_INT(w->error.kind, ALCH_ERROR_FLUSH);
  OK(alch_session_rollback(w->session, &w->error));
  CHECK(teams[0]->session == NULL);
  close_world(w);
}
