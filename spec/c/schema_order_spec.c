#include "schema_build.h"

typedef struct sorted { alch_table **tables; alch_constraint **cycle; uint32_t count, cycle_count; } sorted;

static bool sort(schema *s, sorted *out) {
  return CHECK_INT(alch_metadata_sorted(s->metadata, &out->tables, &out->count, &out->cycle, &out->cycle_count, &s->error), ALCH_OK);
}

static void release(schema *s, sorted *one) {
  alch_free(s->allocator, one->tables, one->count * sizeof *one->tables);
  alch_free(s->allocator, one->cycle, one->cycle_count * sizeof *one->cycle);
}

static bool names_are(const sorted *one, const char *expected) {
  char line[256] = "";
  for (uint32_t i = 0; i < one->count; i++) {
    strncat(line, one->tables[i]->name, sizeof line - strlen(line) - 1);
    strncat(line, " ", sizeof line - strlen(line) - 1);
  }
  return CHECK_TEXT(line, expected);
}

CASE("referred tables come first, and the rest keeps its order") {
  schema s;
  sorted out;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *players = schema_table(&s, "players"), *zoo = schema_table(&s, "zoo"), *teams = schema_table(&s, "teams"), *games = schema_table(&s, "games");
  schema_key(&s, players, "id");
  schema_key(&s, zoo, "id");
  schema_key(&s, teams, "id");
  schema_key(&s, games, "id");
  schema_reference(&s, players, "team_id", "teams.id");
  schema_reference(&s, players, "mentor_id", "players.id");
  schema_reference(&s, games, "home_id", "teams.id");
  if (sort(&s, &out)) {
    names_are(&out, "zoo teams players games ");
    CHECK_INT(out.cycle_count, 0);
    CHECK(out.cycle == NULL);
    release(&s, &out);
  }
  CHECK_INT(players->columns[1]->type, ALCH_TYPE_INTEGER);
  schema_close(&s);
}

CASE("tables come after those that they are said to depend on, and no order is made up for a circle of such") {
  schema s;
  sorted out;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *a = schema_table(&s, "a"), *b = schema_table(&s, "b"), *c = schema_table(&s, "c");
  schema_key(&s, a, "id");
  schema_key(&s, b, "id");
  schema_key(&s, c, "id");
  schema_reference(&s, b, "a_id", "a.id");
  CHECK_INT(alch_table_add_dependency(a, c, &s.error), ALCH_OK);
  if (sort(&s, &out)) {
    names_are(&out, "c a b ");
    CHECK_INT(out.cycle_count, 0);
    release(&s, &out);
  }
  schema_reference(&s, c, "b_id", "b.id");
  if (sort(&s, &out)) {
    names_are(&out, "b c a ");
    CHECK_INT(out.cycle_count, 1);
    CHECK(out.cycle[0]->table == b);
    release(&s, &out);
  }
  CHECK_INT(alch_table_add_dependency(a, a, &s.error), ALCH_ERROR);
  CHECK_INT(s.error.kind, ALCH_ERROR_ARGUMENT);
  CHECK_INT(alch_table_add_dependency(c, a, &s.error), ALCH_OK);
  CHECK_INT(alch_metadata_sorted(s.metadata, &out.tables, &out.count, &out.cycle, &out.cycle_count, &s.error), ALCH_ERROR);
  CHECK_INT(s.error.kind, ALCH_ERROR_CIRCULAR_DEPENDENCY);
  schema_close(&s);
}

CASE("no tables, and the foreign keys of a cycle") {
  schema s;
  sorted out;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  if (sort(&s, &out)) release(&s, &out);
  alch_table *a = schema_table(&s, "a"), *b = schema_table(&s, "b"), *c = schema_table(&s, "c");
  schema_key(&s, a, "id");
  schema_key(&s, b, "id");
  schema_key(&s, c, "id");
  schema_reference(&s, b, "a_id", "a.id");
  alch_constraint *closing = schema_reference(&s, a, "b_id", "b.id"), *altered = schema_reference(&s, a, "c_id", "c.id");
  altered->use_alter = true;
  if (sort(&s, &out)) {
    names_are(&out, "a b c ");
    CHECK_INT(out.cycle_count, 2);
    CHECK((out.cycle[0] == altered && out.cycle[1] == closing) || (out.cycle[0] == closing && out.cycle[1] == altered));
    release(&s, &out);
  }
  schema_close(&s);
}

static uint32_t place_of(const sorted *out, const alch_table *table) {
  uint32_t i = 0;
  while (i < out->count && out->tables[i] != table) i++;
  return i;
}

static bool is_in_cycle(const sorted *out, const alch_constraint *constraint) {
  for (uint32_t i = 0; i < out->cycle_count; i++)
    if (out->cycle[i] == constraint) return true;
  return false;
}

/* With the cycle's keys left out every referred table has been made before; and without cycles nothing is left out. */
static void check_random_schema(uint32_t tables, uint32_t references, bool acyclic) {
  schema s;
  sorted out;
  char name[16], target[24];
  alch_constraint *keys[64];
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  for (uint32_t i = 0; i < tables; i++) {
    snprintf(name, sizeof name, "t%u", (unsigned)i);
    schema_key(&s, schema_table(&s, name), "id");
  }
  for (uint32_t i = 0; i < references; i++) {
    uint32_t from = (uint32_t)check_random_below(tables), to = (uint32_t)check_random_below(tables);
    if (acyclic && from < to) { uint32_t swap = from; from = to; to = swap; }
    if (acyclic) { from = tables - 1 - from; to = tables - 1 - to; }
    snprintf(name, sizeof name, "c%u", (unsigned)i);
    snprintf(target, sizeof target, "t%u.id", (unsigned)to);
    keys[i] = schema_reference(&s, s.catalog->tables[from + 1], name, target);
  }
  if (sort(&s, &out)) {
    CHECK_INT(out.count, tables);
    if (acyclic) CHECK_INT(out.cycle_count, 0);
    for (uint32_t i = 0; i < references; i++) {
      const alch_table *referred = keys[i]->referred[0]->table;
      CHECK(is_in_cycle(&out, keys[i]) || referred == keys[i]->table || place_of(&out, referred) < place_of(&out, keys[i]->table));
      if (is_in_cycle(&out, keys[i])) CHECK(place_of(&out, referred) > place_of(&out, keys[i]->table));
    }
    release(&s, &out);
  }
  schema_close(&s);
}

CASE("whatever refers to what, the order can be created") {
  for (int i = 0; i < 150; i++) check_random_schema(1 + (uint32_t)check_random_below(12), (uint32_t)check_random_below(40), i % 2 == 0);
}

CASE("targets that are not there are named with the nearest") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *teams = schema_table(&s, "teams"), *players = schema_table(&s, "players");
  schema_key(&s, teams, "id");
  alch_constraint *table = schema_reference(&s, players, "team_id", "team.id"), *column = schema_reference(&s, players, "second_id", "teams.ident"), *bare;
  CHECK_FAILED(&s, alch_foreign_key_resolve(table, &s.error), ALCH_ERROR_NO_REFERENCED_TABLE,
               "Foreign key associated with column 'players.team_id' could not find table 'team' with which to generate a foreign key to target column 'id'; did you mean 'teams'?");
  CHECK_FAILED(&s, alch_foreign_key_resolve(column, &s.error), ALCH_ERROR_NO_REFERENCED_COLUMN,
               "ForeignKey 'teams.ident' on column 'players.second_id': table 'teams' has no column named 'ident'");
  schema_plain(&s, teams, "ident", ALCH_TYPE_BIG_INTEGER);
  CHECK_INT(alch_foreign_key_resolve(column, &s.error), ALCH_OK);
  CHECK_INT(players->columns[1]->type, ALCH_TYPE_BIG_INTEGER);
  bare = schema_reference(&s, players, "ident", "teams");
  CHECK_INT(alch_foreign_key_resolve(bare, &s.error), ALCH_OK);
  CHECK(bare->referred[0] == teams->columns[1]);
  uint32_t place = 9;
  CHECK(alch_column_foreign_key(players->columns[2], &place) == bare);
  CHECK_INT(place, 0);
  CHECK(alch_column_foreign_key(teams->columns[0], NULL) == NULL);
  schema_close(&s);
}

CASE("types are taken through chains, and circles of them are refused") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *a = schema_table(&s, "a"), *b = schema_table(&s, "b"), *c = schema_table(&s, "c");
  schema_reference(&s, a, "x", "b.x");
  schema_reference(&s, b, "x", "c.x");
  schema_plain(&s, c, "x", ALCH_TYPE_UUID);
  CHECK_INT(alch_metadata_resolve(s.metadata, &s.error), ALCH_OK);
  CHECK_INT(a->columns[0]->type, ALCH_TYPE_UUID);
  CHECK(!a->columns[0]->has_type);
  schema_reference(&s, a, "y", "b.y");
  schema_reference(&s, b, "y", "a.y");
  CHECK_FAILED(&s, alch_metadata_resolve(s.metadata, &s.error), ALCH_ERROR_COMPILE, "(in table 'a', column 'y'): it takes its type from its foreign key, whose targets lead back to it");
  schema_close(&s);
}

CASE("columns without a type, and what cannot number itself, are refused") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  alch_column untyped = { .name = "c", .computed_persisted = -1 }, text = schema_column("d", ALCH_TYPE_STRING);
  schema_add(&s, table, untyped);
  CHECK_FAILED(&s, alch_metadata_resolve(s.metadata, &s.error), ALCH_ERROR_COMPILE, "(in table 't', column 'c'): the column has no type; write Column{ \"c\", Integer }");
  table->columns[0]->has_type = true;
  CHECK_INT(alch_metadata_resolve(s.metadata, &s.error), ALCH_OK);
  text.autoincrement = ALCH_AUTOINCREMENT_YES;
  text.primary_key = true;
  schema_add(&s, table, text);
  CHECK_FAILED(&s, alch_metadata_resolve(s.metadata, &s.error), ALCH_ERROR_ARGUMENT, "Column type String on column 't.d' is not compatible with autoincrement = true");
  schema_close(&s);
}
