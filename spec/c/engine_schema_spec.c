#include "engine_support.h"
#include "engine/drivers/mock.h"

static alch_table *make_table(world *w, alch_metadata *metadata, const char *name, const char *target) {
  alch_table *table = NULL;
  alch_constraint *made;
  alch_column *added;
  const char *columns[] = { "other" };
  alch_column id = { .name = "id", .type = ALCH_TYPE_INTEGER, .has_type = true, .primary_key = true };
  alch_column other = { .name = "other", .type = ALCH_TYPE_INTEGER, .has_type = true, .nullable = true };
  alch_constraint key = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = &target, .deferrable = -1 };
  CHECK_INT(alch_table_new(metadata, name, NULL, &table, &w->error), ALCH_OK);
  CHECK_INT(alch_table_add_column(table, &id, &added, &w->error), ALCH_OK);
  CHECK_INT(alch_table_add_column(table, &other, &added, &w->error), ALCH_OK);
  if (target) CHECK_INT(alch_table_add_constraint(table, &key, columns, 1, &made, &w->error), ALCH_OK);
  return table;
}

static bool has_table(world *w, const char *name) {
  bool there = false;
  CHECK_INT(alch_has_table(w->connection, name, NULL, &there, &w->error), ALCH_OK);
  return there;
}

CASE("tables are made in the order in which they need each other, with their indexes, and once") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_metadata *metadata;
    alch_index *index;
    const char *columns[] = { "other" };
    CHECK_INT(alch_metadata_new(w.catalog, NULL, &metadata, &w.error), ALCH_OK);
    alch_table *c = make_table(&w, metadata, "c", "b.id"), *b = make_table(&w, metadata, "b", "a.id");
    make_table(&w, metadata, "a", NULL);
    CHECK_INT(alch_table_add_index(c, NULL, false, columns, NULL, 1, NULL, &index, &w.error), ALCH_OK);
    if (!CHECK_INT(alch_create_all(w.connection, metadata, NULL, 0, true, &w.error), ALCH_OK)) printf("# %s\n", alch_error_message(&w.error));
    CHECK(has_table(&w, "a") && has_table(&w, "b") && has_table(&w, "c") && !has_table(&w, "d"));
    CHECK_INT(scalar(&w, "select count(*) from sqlite_master where name = 'ix_c_other'"), 1);
    CHECK_INT(scalar(&w, "select group_concat(name) = 'a,b,c' from sqlite_master where type = 'table'"), 1);
    CHECK_INT(alch_create_all(w.connection, metadata, NULL, 0, true, &w.error), ALCH_OK);
    CHECK_INT(alch_create_all(w.connection, metadata, NULL, 0, false, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "OperationalError");
    CHECK(strstr(error_text(&w, ALCH_ERROR_SQL), "CREATE TABLE") != NULL);
    alch_table *some[] = { c, b };
    CHECK_INT(alch_drop_all(w.connection, metadata, some, 1, true, &w.error), ALCH_OK);
    CHECK(has_table(&w, "b") && !has_table(&w, "c"));
    CHECK_INT(alch_drop_all(w.connection, metadata, some, 2, true, &w.error), ALCH_OK);
    CHECK(has_table(&w, "a") && !has_table(&w, "b"));
    CHECK_INT(alch_create_all(w.connection, metadata, NULL, 0, true, &w.error), ALCH_OK);
    CHECK_INT(alch_drop_all(w.connection, metadata, NULL, 0, true, &w.error), ALCH_OK);
    CHECK_INT(scalar(&w, "select count(*) from sqlite_master"), 0);
  }
  world_close(&w);
}

CASE("tables that need each other are made as well") {
  world w;
  if (world_open(&w, "sqlite://")) {
    alch_metadata *metadata;
    CHECK_INT(alch_metadata_new(w.catalog, NULL, &metadata, &w.error), ALCH_OK);
    make_table(&w, metadata, "a", "b.id");
    make_table(&w, metadata, "b", "a.id");
    make_table(&w, metadata, "self", "self.id");
    CHECK_INT(alch_create_all(w.connection, metadata, NULL, 0, true, &w.error), ALCH_OK);
    CHECK_INT(scalar(&w, "select count(*) from pragma_foreign_key_list('a')"), 1);
    CHECK_INT(scalar(&w, "select count(*) from pragma_foreign_key_list('b')"), 1);
    CHECK_INT(alch_drop_all(w.connection, metadata, NULL, 0, true, &w.error), ALCH_OK);
  }
  world_close(&w);
}

CASE("tables, views and other schemas are found by name; a name is never a pattern or code") {
  world w;
  if (world_open(&w, "sqlite://")) {
    bool there = false;
    alch_connection_set_autobegin(w.connection, false);
    CHECK_INT(run(&w, "create table \"odd ' name\" (a)"), ALCH_OK);
    CHECK_INT(run(&w, "create view v as select 1"), ALCH_OK);
    CHECK_INT(run(&w, "attach ':memory:' as other"), ALCH_OK);
    CHECK_INT(run(&w, "create table other.t (a)"), ALCH_OK);
    CHECK(has_table(&w, "odd ' name") && has_table(&w, "v") && !has_table(&w, "od%"));
    CHECK_INT(alch_has_table(w.connection, "t", "other", &there, &w.error), ALCH_OK);
    CHECK(there);
    CHECK_INT(alch_has_table(w.connection, "t", "main", &there, &w.error), ALCH_OK);
    CHECK(!there);
  }
  world_close(&w);
}

CASE("DDL is part of the transaction") {
  world w;
  temporary t;
  if (!make_temporary(&t, "")) return;
  if (world_open(&w, t.url)) {
    alch_metadata *metadata;
    CHECK_INT(alch_metadata_new(w.catalog, NULL, &metadata, &w.error), ALCH_OK);
    make_table(&w, metadata, "a", NULL);
    CHECK_INT(alch_create_all(w.connection, metadata, NULL, 0, true, &w.error), ALCH_OK);
    CHECK_INT(alch_connection_rollback(w.connection, 1, &w.error), ALCH_OK);
    CHECK(!has_table(&w, "a"));
  }
  world_close(&w);
  remove_temporary(&t);
}

CASE("a text with parameters is refused, since nobody gives them") {
  world w;
  if (world_open(&w, "sqlite://")) {
    CHECK_INT(alch_connection_run_text(w.connection, "select ?", 8, &w.error), ALCH_ERROR);
    CHECK_TEXT(error_name(&w), "ProgrammingError");
    CHECK_INT(alch_connection_run_text(w.connection, "select 1", 8, &w.error), ALCH_OK);
  }
  world_close(&w);
}
