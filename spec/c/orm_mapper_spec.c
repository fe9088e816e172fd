/* Models before they are used: what is found out from foreign keys, and what the errors say. */
#include "orm_load_world.h"

typedef struct models { alch_error error; alch_catalog *catalog; alch_metadata *metadata; alch_registry *registry; world w; } models;

static void open_models(models *m) {
  *m = (models){ .catalog = alch_catalog_open(&alch_allocator_standard) };
  alch_error_init(&m->error, NULL);
  CHECK_INT(alch_metadata_new(m->catalog, NULL, &m->metadata, &m->error), ALCH_OK);
  CHECK_INT(alch_registry_new(m->catalog, &m->registry, &m->error), ALCH_OK);
  m->w.registry = m->registry;
  (void)close_load_world;
  (void)open_load_world;
}

static void close_models(models *m) {
  alch_registry_close(m->registry);
  alch_catalog_close(m->catalog);
  alch_error_close(&m->error);
  alch_error_close(&m->w.error);
}

/* A table with an id, and integer columns; "other>table" refers to a table's id. */
static alch_mapper *model(models *m, const char *name, const char *table_name, const char *const *columns) {
  alch_table *table = table_of(&m->w, m->metadata, table_name);
  alch_mapper *mapper = NULL;
  add_column(&m->w, table, "id", ALCH_TYPE_INTEGER, true);
  for (; columns && *columns; columns++) {
    char column[64], target[64];
    const char *arrow = strchr(*columns, '>');
    snprintf(column, sizeof column, "%.*s", (int)(arrow ? arrow - *columns : (long)strlen(*columns)), *columns);
    add_column(&m->w, table, column, ALCH_TYPE_INTEGER, false);
    snprintf(target, sizeof target, "%s.id", arrow ? arrow + 1 : "");
    if (arrow) add_foreign_key(&m->w, table, column, target);
  }
  CHECK_INT(alch_mapper_new(m->registry, name, table, &mapper, &m->error), ALCH_OK);
  return mapper;
}

#define COLUMNS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void relation(models *m, alch_mapper *mapper, alch_relationship r) { CHECK_INT(alch_mapper_add_relationship(mapper, &r, NULL, &m->error), ALCH_OK); }

static void fails(models *m, alch_error_kind kind, const char *text) {
  CHECK_INT(alch_registry_configure(m->registry, &m->error), ALCH_ERROR);
  CHECK_INT(m->error.kind, kind);
  if (!CHECK(strstr(alch_error_message(&m->error), text) != NULL)) printf("# %s\n", alch_error_message(&m->error));
}

static void configures(models *m) {
  if (!CHECK_INT(alch_registry_configure(m->registry, &m->error), ALCH_OK)) printf("# %s\n", alch_error_message(&m->error));
}

static const alch_relationship *found(const alch_mapper *mapper, const char *name) { return alch_mapper_relationship(mapper, alch_mapper_slot(mapper, name)); }

CASE("attributes and names") {
  models here, *m = &here;
  open_models(m);
  alch_mapper *team = model(m, "Team", "teams", COLUMNS("rank", "size"));
  CHECK_INT(team->attribute_count, 3);
  CHECK_INT(alch_mapper_slot(team, "size"), 2);
  CHECK_INT(alch_mapper_slot(team, "none"), UINT32_MAX);
  CHECK_TEXT(alch_mapper_nearest(team, "sice"), "size");
  CHECK_INT(alch_mapper_set_attribute(team, alch_table_column(team->table, "size"), "heads", true, &m->error), ALCH_OK);
  CHECK_INT(alch_mapper_slot(team, "heads"), 2);
  CHECK_INT(alch_mapper_set_attribute(team, alch_table_column(team->table, "size"), "rank", false, &m->error), ALCH_ERROR);
  CHECK_TEXT(alch_error_message(&m->error), "Team has an attribute named 'rank' already");
  CHECK_INT(alch_mapper_set_attribute(team, alch_table_column(team->table, "id"), NULL, true, &m->error), ALCH_ERROR);
  alch_mapper *again;
  CHECK_INT(alch_mapper_new(m->registry, "Team", team->table, &again, &m->error), ALCH_ERROR);
  CHECK_INT(m->error.kind, ALCH_ERROR_ARGUMENT);
  alch_table *keyless = table_of(&m->w, m->metadata, "keyless");
  add_column(&m->w, keyless, "a", ALCH_TYPE_INTEGER, false);
  CHECK_INT(alch_mapper_new(m->registry, "Keyless", keyless, &again, &m->error), ALCH_ERROR);
  CHECK(strstr(alch_error_message(&m->error), "could not assemble any primary key columns for mapped table 'keyless'") != NULL);
  configures(m);
  CHECK(team->integer_key && team->generated_slot == 0);
  CHECK_INT(team->attributes[1].value_kind, ALCH_INTEGER);
  alch_relationship late = { .name = "late", .target_name = "Team" };
  CHECK_INT(alch_mapper_add_relationship(team, &late, NULL, &m->error), ALCH_ERROR);
  CHECK_INT(m->error.kind, ALCH_ERROR_INVALID_REQUEST);
  CHECK(alch_registry_mapper(m->registry, team->id) == team && alch_registry_find(m->registry, "Team") == team);
  close_models(m);
}

CASE("directions, lists and order from foreign keys") {
  models here, *m = &here;
  open_models(m);
  alch_mapper *player = model(m, "Player", "players", COLUMNS("team_id>teams", "rival_id>players")), *team = model(m, "Team", "teams", NULL);
  alch_column *id = alch_table_column(player->table, "id"), *rival = alch_table_column(player->table, "rival_id");
  relation(m, team, (alch_relationship){ .name = "players", .target_name = "Player", .back_name = "team" });
  relation(m, player, (alch_relationship){ .name = "team", .target_name = "Team", .back_name = "players" });
  relation(m, player, (alch_relationship){ .name = "rival", .target_name = "Player", .back_name = "rivals", .remote_side = &id, .remote_side_count = 1 });
  relation(m, player, (alch_relationship){ .name = "rivals", .target_name = "Player", .back_name = "rival", .remote_side = &rival, .remote_side_count = 1 });
  configures(m);
  const alch_relationship *players = found(team, "players"), *to_team = found(player, "team"), *up = found(player, "rival"), *down = found(player, "rivals");
  CHECK_INT(players->direction, ALCH_ONE_TO_MANY);
  CHECK_INT(to_team->direction, ALCH_MANY_TO_ONE);
  CHECK(players->list && !to_team->list && players->back == to_team && to_team->back == players);
  CHECK_INT(players->pairs[0].local, 0);
  CHECK_INT(players->pairs[0].remote, 1);
  CHECK(to_team->key_pairs && !players->key_pairs);
  CHECK_INT(up->direction, ALCH_MANY_TO_ONE);
  CHECK_INT(down->direction, ALCH_ONE_TO_MANY);
  CHECK(team->order < player->order);
  CHECK(players->load_block && team->get_block && team->load_block);
  close_models(m);
}

CASE("a new model after the others are in use") {
  models here, *m = &here;
  open_models(m);
  alch_mapper *team = model(m, "Team", "teams", NULL);
  configures(m);
  alch_mapper *player = model(m, "Player", "players", COLUMNS("team_id>teams"));
  relation(m, player, (alch_relationship){ .name = "team", .target = team });
  configures(m);
  CHECK(found(player, "team")->target == team && team->order < player->order);
  close_models(m);
}

CASE("hints that come later") {
  models here, *m = &here;
  open_models(m);
  alch_mapper *match = model(m, "Match", "matches", COLUMNS("home_id>teams", "guest_id>teams")), *team = model(m, "Team", "teams", NULL);
  relation(m, match, (alch_relationship){ .name = "home", .target_name = "Team" });
  fails(m, ALCH_ERROR_AMBIGUOUS_FOREIGN_KEYS, "relationship Match.home: there are several foreign keys linking the tables (by 'matches.home_id', by 'matches.guest_id'); say which one is meant");
  alch_column *home = alch_table_column(match->table, "home_id");
  CHECK_INT(alch_mapper_set_hints(match, alch_mapper_slot(match, "home"), &(alch_relationship){ .foreign_keys = &home, .foreign_key_count = 1 }, &m->error), ALCH_OK);
  configures(m);
  CHECK_INT(found(match, "home")->pairs[0].local, 1);
  CHECK(found(match, "home")->target == team);
  close_models(m);
}

CASE("the secondary table, also to the same model") {
  models here, *m = &here;
  open_models(m);
  alch_mapper *post = model(m, "Post", "posts", NULL), *tag = model(m, "Tag", "tags", NULL);
  alch_mapper *link = model(m, "Link", "links", COLUMNS("post_id>posts", "tag_id>tags")), *pal = model(m, "Pal", "pals", COLUMNS("a>posts", "b>posts"));
  relation(m, post, (alch_relationship){ .name = "tags", .target_name = "Tag", .back_name = "posts", .secondary = link->table });
  relation(m, tag, (alch_relationship){ .name = "posts", .target_name = "Post", .back_name = "tags", .secondary = link->table });
  relation(m, post, (alch_relationship){ .name = "pals", .target_name = "Post", .secondary = pal->table });
  fails(m, ALCH_ERROR_AMBIGUOUS_FOREIGN_KEYS, "name the column that refers to the Post that has the relationship: foreign_keys = \"pals.a\"");
  alch_column *a = alch_table_column(pal->table, "a");
  CHECK_INT(alch_mapper_set_hints(post, alch_mapper_slot(post, "pals"), &(alch_relationship){ .foreign_keys = &a, .foreign_key_count = 1 }, &m->error), ALCH_OK);
  configures(m);
  const alch_relationship *tags = found(post, "tags"), *pals = found(post, "pals");
  CHECK_INT(tags->direction, ALCH_MANY_TO_MANY);
  CHECK_TEXT(tags->pairs[0].link->name, "post_id");
  CHECK_TEXT(tags->remote_pairs[0].link->name, "tag_id");
  CHECK_TEXT(pals->pairs[0].link->name, "a");
  CHECK_TEXT(pals->remote_pairs[0].link->name, "b");
  CHECK(tags->back == found(tag, "posts"));
  close_models(m);
}

CASE("what cannot be right says why") {
  models here, *m = &here;
  static const struct { alch_relationship players, team; alch_error_kind kind; const char *text; } wrong[] = {
    { { .name = "players", .target_name = "Plaier" }, { .name = NULL }, ALCH_ERROR_INVALID_REQUEST, "Team.players: there is no model named 'Plaier'; did you mean 'Player'?" },
    { { .name = "players", .target_name = "Alone" }, { .name = NULL }, ALCH_ERROR_NO_FOREIGN_KEYS, "there are no foreign keys linking the tables 'teams' and 'alone'" },
    { { .name = "players", .target_name = "Player", .back_name = "taem" }, { .name = "team", .target_name = "Team" }, ALCH_ERROR_INVALID_REQUEST, "the model Player has no relationship of that name; did you mean 'team'?" },
    { { .name = "players", .target_name = "Player", .back_name = "team" }, { .name = "team", .target_name = "Team" }, ALCH_ERROR_ARGUMENT, "so Player.team must say back_populates = \"players\"" },
    { { .name = "players", .target_name = "Player", .back_name = "team" }, { .name = "team", .target_name = "Team", .back_name = "x" }, ALCH_ERROR_ARGUMENT, "must say back_populates = \"players\", not \"x\"" },
    { { .name = "players", .target_name = "Player" }, { .name = "team", .target_name = "Team", .list = true, .list_given = true }, ALCH_ERROR_ARGUMENT, "Player.team cannot be a list: 'players.team_id' refers to one row of 'teams'" },
    { { .name = "players", .target_name = "Player" }, { .name = "team", .target_name = "Team", .cascade = ALCH_CASCADE_DELETE_ORPHAN }, ALCH_ERROR_ARGUMENT, "delete-orphan cascade is normally configured only on the \"one\" side" },
    { { .name = "players", .target_name = "Player", .back_name = "other" }, { .name = "other", .target_name = "Player", .back_name = "players" }, ALCH_ERROR_NO_FOREIGN_KEYS, "" },
  };
  for (size_t i = 0; i < ALCH_COUNT(wrong); i++) {
    open_models(m);
    alch_mapper *team = model(m, "Team", "teams", NULL), *player = model(m, "Player", "players", COLUMNS("team_id>teams"));
    model(m, "Alone", "alone", NULL);
    relation(m, team, wrong[i].players);
    if (wrong[i].team.name) relation(m, player, wrong[i].team);
    fails(m, wrong[i].kind, wrong[i].text);
    fails(m, wrong[i].kind, wrong[i].text);
    close_models(m);
  }
}

CASE("a tree needs remote_side, and the error says where") {
  models here, *m = &here;
  open_models(m);
  alch_mapper *node = model(m, "Node", "nodes", COLUMNS("parent_id>nodes"));
  relation(m, node, (alch_relationship){ .name = "parent", .target_name = "Node", .back_name = "children" });
  relation(m, node, (alch_relationship){ .name = "children", .target_name = "Node", .back_name = "parent" });
  fails(m, ALCH_ERROR_ARGUMENT, "Did you mean to set remote_side on the many-to-one side?");
  close_models(m);
}

CASE("back references along different foreign keys") {
  models here, *m = &here;
  open_models(m);
  alch_mapper *match = model(m, "Match", "matches", COLUMNS("home_id>teams", "guest_id>teams")), *team = model(m, "Team", "teams", NULL);
  alch_column *home = alch_table_column(match->table, "home_id"), *guest = alch_table_column(match->table, "guest_id");
  relation(m, match, (alch_relationship){ .name = "home", .target_name = "Team", .back_name = "matches", .foreign_keys = &home, .foreign_key_count = 1 });
  relation(m, team, (alch_relationship){ .name = "matches", .target_name = "Match", .back_name = "home", .foreign_keys = &guest, .foreign_key_count = 1 });
  fails(m, ALCH_ERROR_ARGUMENT, "follow different foreign keys ('matches.home_id' and 'matches.guest_id')");
  close_models(m);
}
