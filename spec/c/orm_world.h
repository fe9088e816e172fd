/* orm_world.h - models, an in-memory database and a session for specs of the unit of work.
   Team 1-n Player, Node (a tree), Post n-n Tag, Note (text key, no relationship). */
#ifndef ORM_WORLD_H
#define ORM_WORLD_H

#include "check.h"
#include "plain_host.c"

#include <stdio.h>
#include <string.h>

#include "orm/load.h"
#include "orm/unit_of_work.h"

typedef struct world {
  alch_error error;
  alch_catalog *catalog;
  alch_registry *registry;
  alch_engine *engine;
  alch_session *session;
  plain_host plain;
  alch_mapper *team, *player, *node, *post, *tag, *note;
  alch_relationship *players, *team_of, *children, *parent, *tags, *posts;
} world;

#define MUST(call) CHECK_INT((call), ALCH_OK)

static alch_column column_of(const char *name, alch_type_id type, bool primary_key) {
  return (alch_column){ .name = name, .type = type, .has_type = true, .primary_key = primary_key, .nullable = !primary_key, .computed_persisted = -1 };
}

static void add_column(world *w, alch_table *table, const char *name, alch_type_id type, bool primary_key) {
  alch_column column = column_of(name, type, primary_key), *out;
  MUST(alch_table_add_column(table, &column, &out, &w->error));
}

static void add_foreign_key(world *w, alch_table *table, const char *column, const char *target) {
  alch_constraint constraint = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = &target, .deferrable = -1 }, *out;
  MUST(alch_table_add_constraint(table, &constraint, &column, 1, &out, &w->error));
}

static alch_table *table_of(world *w, alch_metadata *metadata, const char *name) {
  alch_table *table = NULL;
  MUST(alch_table_new(metadata, name, NULL, &table, &w->error));
  return table;
}

static alch_relationship *relate_models(world *w, alch_mapper *mapper, const char *name, const char *target, const char *back, uint8_t cascade, alch_table *secondary) {
  alch_relationship relationship = { .name = name, .target_name = target, .back_name = back, .cascade = (uint8_t)(ALCH_CASCADE_SAVE_UPDATE | ALCH_CASCADE_MERGE | cascade), .secondary = secondary }, *out = NULL;
  MUST(alch_mapper_add_relationship(mapper, &relationship, &out, &w->error));
  return out;
}

static alch_relationship *find_relationship(alch_mapper *mapper, const char *name) {
  return (alch_relationship *)alch_mapper_relationship(mapper, alch_mapper_slot(mapper, name));
}

static void make_models(world *w, alch_metadata *metadata, uint8_t cascade) {
  alch_table *teams = table_of(w, metadata, "teams"), *players = table_of(w, metadata, "players"), *nodes = table_of(w, metadata, "nodes");
  alch_table *posts = table_of(w, metadata, "posts"), *tags = table_of(w, metadata, "tags"), *links = table_of(w, metadata, "post_tags"), *notes = table_of(w, metadata, "notes");
  add_column(w, teams, "id", ALCH_TYPE_INTEGER, true), add_column(w, teams, "name", ALCH_TYPE_STRING, false);
  add_column(w, players, "id", ALCH_TYPE_INTEGER, true), add_column(w, players, "name", ALCH_TYPE_STRING, false), add_column(w, players, "score", ALCH_TYPE_INTEGER, false), add_column(w, players, "team_id", ALCH_TYPE_INTEGER, false);
  add_foreign_key(w, players, "team_id", "teams.id");
  add_column(w, nodes, "id", ALCH_TYPE_INTEGER, true), add_column(w, nodes, "name", ALCH_TYPE_STRING, false), add_column(w, nodes, "parent_id", ALCH_TYPE_INTEGER, false);
  add_foreign_key(w, nodes, "parent_id", "nodes.id");
  add_column(w, posts, "id", ALCH_TYPE_INTEGER, true), add_column(w, posts, "title", ALCH_TYPE_STRING, false);
  add_column(w, tags, "id", ALCH_TYPE_INTEGER, true), add_column(w, tags, "word", ALCH_TYPE_STRING, false);
  add_column(w, links, "post_id", ALCH_TYPE_INTEGER, true), add_column(w, links, "tag_id", ALCH_TYPE_INTEGER, true);
  add_foreign_key(w, links, "post_id", "posts.id"), add_foreign_key(w, links, "tag_id", "tags.id");
  add_column(w, notes, "key", ALCH_TYPE_STRING, true), add_column(w, notes, "body", ALCH_TYPE_STRING, false);
  MUST(alch_mapper_new(w->registry, "Team", teams, &w->team, &w->error)), MUST(alch_mapper_new(w->registry, "Player", players, &w->player, &w->error));
  MUST(alch_mapper_new(w->registry, "Node", nodes, &w->node, &w->error)), MUST(alch_mapper_new(w->registry, "Post", posts, &w->post, &w->error));
  MUST(alch_mapper_new(w->registry, "Tag", tags, &w->tag, &w->error)), MUST(alch_mapper_new(w->registry, "Note", notes, &w->note, &w->error));
  relate_models(w, w->team, "players", "Player", "team", cascade, NULL), relate_models(w, w->player, "team", "Team", "players", 0, NULL);
  alch_column *id = alch_table_column(nodes, "id");
  relate_models(w, w->node, "children", "Node", "parent", cascade, NULL);
  alch_relationship parent = { .name = "parent", .target_name = "Node", .back_name = "children", .cascade = ALCH_CASCADE_SAVE_UPDATE, .remote_side = &id, .remote_side_count = 1 }, *out;
  MUST(alch_mapper_add_relationship(w->node, &parent, &out, &w->error));
  relate_models(w, w->post, "tags", "Tag", "posts", 0, links), relate_models(w, w->tag, "posts", "Post", "tags", 0, links);
}

static void find_relationships(world *w) {
  w->players = find_relationship(w->team, "players"), w->team_of = find_relationship(w->player, "team");
  w->children = find_relationship(w->node, "children"), w->parent = find_relationship(w->node, "parent");
  w->tags = find_relationship(w->post, "tags"), w->posts = find_relationship(w->tag, "posts");
}

static void open_world(world *w, uint8_t cascade) {
  *w = (world){ 0 };
  alch_error_init(&w->error, NULL);
  w->catalog = alch_catalog_open(&alch_allocator_standard);
  alch_metadata *metadata = NULL;
  MUST(alch_metadata_new(w->catalog, NULL, &metadata, &w->error));
  MUST(alch_registry_new(w->catalog, &w->registry, &w->error));
  make_models(w, metadata, cascade);
  if (!CHECK_INT(alch_registry_configure(w->registry, &w->error), ALCH_OK)) CHECK_TEXT(alch_error_message(&w->error), "");
  find_relationships(w);
  plain_host_open(&w->plain);
  MUST(alch_engine_open("sqlite://", 9, NULL, &alch_allocator_standard, &w->engine, &w->error));
  alch_connection *connection = NULL;
  MUST(alch_engine_connect(w->engine, &connection, &w->error));
  uint32_t level;
  MUST(alch_connection_begin(connection, &level, &w->error));
  if (!CHECK_INT(alch_create_all(connection, metadata, NULL, 0, true, &w->error), ALCH_OK)) CHECK_TEXT(alch_error_message(&w->error), "");
  MUST(alch_connection_commit(connection, level, &w->error));
  alch_connection_close(connection);
  MUST(alch_session_open(w->engine, w->catalog, &w->plain.host, NULL, &alch_allocator_standard, &w->session, &w->error));
}

static void close_world(world *w) {
  alch_session_destroy(w->session);
  CHECK_INT(w->plain.held, 0);
  plain_host_close(&w->plain);
  alch_engine_release(w->engine);
  alch_registry_close(w->registry);
  alch_catalog_close(w->catalog);
  alch_error_close(&w->error);
}

/* ---- short words for specs ---- */

static void check_ok(world *w, alch_status status, const char *file, int line) {
  if (status == ALCH_OK) return;
  check_text(alch_error_message(&w->error), "", "error", file, line);
}
#define OK(call) check_ok(w, (call), __FILE__, __LINE__)

static inline alch_object *make(world *w, alch_mapper *mapper, const char *text) {
  alch_object *object = plain_object(&w->plain, mapper);
  OK(alch_object_set(&w->plain.host, object, 1, alch_value_text(text, strlen(text)), &w->error));
  return object;
}

static inline void append(world *w, alch_object *owner, const alch_relationship *relationship, alch_object *item) {
  alch_collection *collection = alch_object_collection(&w->plain.host, owner, relationship);
  OK(alch_collection_insert(&w->plain.host, collection, collection->count, item, &w->error));
}

static inline int64_t id_of(const alch_object *object) { return alch_object_kinds(object)[0] & ALCH_SLOT_UNLOADED ? -1 : object->cells[0].integer; }

/* One number from the database, read on the session's connection. */
static inline int64_t ask(world *w, const char *sql) {
  alch_builder builder;
  alch_builder_init(&builder, &alch_allocator_standard);
  alch_builder_start(&builder);
  alch_builder_leaf_text(&builder, ALCH_NODE_TEXT, 0, 0, 0, sql, strlen(sql));
  size_t size;
  OK(alch_builder_finish(&builder, &size, &w->error));
  alch_block *block = malloc(size);
  alch_builder_write(&builder, block);
  alch_builder_destroy(&builder);
  alch_compiled *compiled = NULL;
  alch_connection *connection = NULL;
  OK(alch_engine_compile(w->engine, w->catalog, block, NULL, NULL, NULL, &compiled, &w->error));
  OK(alch_session_connection(w->session, w->session->bind, &connection, &w->error));
  alch_execution execution;
  alch_execution_init(&execution, &alch_allocator_standard);
  int64_t answer = -1;
  if (connection != NULL) {
    OK(alch_execution_start(&execution, connection, compiled, block, NULL, &w->error));
    if (alch_execution_next(&execution, &w->error) == ALCH_ROW) answer = execution.row[0].integer;
  }
  alch_execution_destroy(&execution);
  alch_compiled_release(compiled);
  free(block);
  return answer;
}

#endif
