/* orm_load_world.h - models with every kind of relationship, rows for them, and a log of the statements that loads make.
   Area (key of two columns) 1-n Town (its body deferred) 1-n Person by home and by work, 1-1 Passport, n-n Person among themselves (friends). */
#ifndef ORM_LOAD_WORLD_H
#define ORM_LOAD_WORLD_H

#include "orm_world.h"
#include "orm/plan_work.h"

enum { LOG_SIZE = 64 };

typedef struct load_world {
  world w;                                   /* first; its models are not used */
  alch_metadata *metadata;
  alch_mapper *area, *town, *person, *passport;
  uint32_t statements;                       /* SELECTs since the last look */
  char log[LOG_SIZE][2048];
  alch_block *blocks[64];                    /* statements that were built */
  uint32_t block_count;
} load_world;

static alch_status log_statement(void *context, const alch_engine_event *event) {
  load_world *lw = context;
  if (event->kind != ALCH_ENGINE_BEFORE_EXECUTE || strncmp(event->sql, "SELECT", 6) != 0) return ALCH_OK;
  snprintf(lw->log[lw->statements % LOG_SIZE], sizeof lw->log[0], "%s", event->sql);
  lw->statements++;
  return ALCH_OK;
}

static void add_pair_key(load_world *lw, alch_table *table, const char *const *columns, const char *const *targets, uint32_t count) {
  world *w = &lw->w;
  alch_constraint constraint = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = targets, .deferrable = -1 }, *out;
  OK(alch_table_add_constraint(table, &constraint, columns, count, &out, &w->error));
}

static void make_tables(load_world *lw) {
  world *w = &lw->w;
  alch_metadata *m = lw->metadata;
  alch_table *areas = table_of(w, m, "areas"), *towns = table_of(w, m, "towns"), *persons = table_of(w, m, "persons"), *passports = table_of(w, m, "passports"), *friends = table_of(w, m, "friends");
  add_column(w, areas, "country", ALCH_TYPE_STRING, true), add_column(w, areas, "code", ALCH_TYPE_INTEGER, true), add_column(w, areas, "name", ALCH_TYPE_STRING, false);
  add_column(w, towns, "id", ALCH_TYPE_INTEGER, true), add_column(w, towns, "name", ALCH_TYPE_STRING, false), add_column(w, towns, "body", ALCH_TYPE_STRING, false);
  add_column(w, towns, "country", ALCH_TYPE_STRING, false), add_column(w, towns, "area", ALCH_TYPE_INTEGER, false);
  add_pair_key(lw, towns, (const char *[]){ "country", "area" }, (const char *[]){ "areas.country", "areas.code" }, 2);
  add_column(w, persons, "id", ALCH_TYPE_INTEGER, true), add_column(w, persons, "name", ALCH_TYPE_STRING, false), add_column(w, persons, "home_id", ALCH_TYPE_INTEGER, false);
  add_column(w, persons, "work_id", ALCH_TYPE_INTEGER, false);
  add_foreign_key(w, persons, "home_id", "towns.id"), add_foreign_key(w, persons, "work_id", "towns.id");
  add_column(w, passports, "id", ALCH_TYPE_INTEGER, true), add_column(w, passports, "number", ALCH_TYPE_STRING, false), add_column(w, passports, "person_id", ALCH_TYPE_INTEGER, false);
  add_foreign_key(w, passports, "person_id", "persons.id");
  add_column(w, friends, "a", ALCH_TYPE_INTEGER, true), add_column(w, friends, "b", ALCH_TYPE_INTEGER, true);
  add_foreign_key(w, friends, "a", "persons.id"), add_foreign_key(w, friends, "b", "persons.id");
  OK(alch_mapper_new(w->registry, "Area", areas, &lw->area, &w->error)), OK(alch_mapper_new(w->registry, "Town", towns, &lw->town, &w->error));
  OK(alch_mapper_new(w->registry, "Person", persons, &lw->person, &w->error)), OK(alch_mapper_new(w->registry, "Passport", passports, &lw->passport, &w->error));
  OK(alch_mapper_set_attribute(lw->town, alch_table_column(towns, "body"), "text", true, &w->error));
}

/* An expression over a column: "name DESC", or coalesce(name, 'zz') where a value is wanted. */
static const alch_block *order_block(load_world *lw, const alch_mapper *mapper, const char *column, bool descending, bool value) {
  world *w = &lw->w;
  alch_builder builder;
  size_t size;
  const alch_column *c = alch_table_column(mapper->table, column);
  const alch_value last = alch_value_text("zz", 2);
  alch_builder_init(&builder, &alch_allocator_standard);
  alch_builder_start(&builder);
  if (descending) alch_builder_open(&builder, ALCH_NODE_UNARY, ALCH_OPERATOR_DESC, 0, 0);
  if (value) alch_builder_open_text(&builder, ALCH_NODE_FUNCTION, 0, 0, ALCH_TYPE_STRING, "coalesce", 8);
  alch_builder_leaf(&builder, ALCH_NODE_COLUMN, 0, mapper->table->id, c->index);
  if (value) alch_builder_bind(&builder, ALCH_TYPE_STRING, 0, NULL, &last, NULL);
  if (value) alch_builder_close(&builder);
  if (descending) alch_builder_close(&builder);
  OK(alch_builder_finish(&builder, &size, &w->error));
  alch_block *block = lw->blocks[lw->block_count++] = malloc(size);
  alch_builder_write(&builder, block);
  alch_builder_destroy(&builder);
  return block;
}

static void make_load_relationships(load_world *lw) {
  world *w = &lw->w;
  alch_table *persons = lw->person->table, *friends = alch_metadata_table(lw->metadata, "friends");
  alch_column *home = alch_table_column(persons, "home_id"), *work = alch_table_column(persons, "work_id"), *a = alch_table_column(friends, "a"), *b = alch_table_column(friends, "b");
  const alch_relationship made[] = {
    { .name = "towns", .target_name = "Town", .back_name = "area_of", .order_by = order_block(lw, lw->town, "name", true, false) },
    { .name = "area_of", .target_name = "Area", .back_name = "towns" },
    { .name = "residents", .target_name = "Person", .back_name = "home", .foreign_keys = &home, .foreign_key_count = 1, .order_by = order_block(lw, lw->person, "name", false, true) },
    { .name = "workers", .target_name = "Person", .back_name = "work", .foreign_keys = &work, .foreign_key_count = 1 },
    { .name = "home", .target_name = "Town", .back_name = "residents", .foreign_keys = &home, .foreign_key_count = 1 },
    { .name = "work", .target_name = "Town", .back_name = "workers", .foreign_keys = &work, .foreign_key_count = 1, .strategy = ALCH_LAZY_SELECT },
    { .name = "passport", .target_name = "Passport", .back_name = "holder", .list_given = true },
    { .name = "friends", .target_name = "Person", .back_name = "friend_of", .secondary = friends, .foreign_keys = &a, .foreign_key_count = 1, .order_by = order_block(lw, lw->person, "name", false, false) },
    { .name = "friend_of", .target_name = "Person", .back_name = "friends", .secondary = friends, .foreign_keys = &b, .foreign_key_count = 1 },
    { .name = "holder", .target_name = "Person", .back_name = "passport" },
  };
  alch_mapper *const owners[] = { lw->area, lw->town, lw->town, lw->town, lw->person, lw->person, lw->person, lw->person, lw->person, lw->passport };
  for (size_t i = 0; i < ALCH_COUNT(made); i++) OK(alch_mapper_add_relationship(owners[i], &made[i], NULL, &w->error));
}

static const char *const load_rows[] = {
  "insert into areas values ('de', 1, 'North'), ('de', 2, 'South'), ('fr', 1, 'West'), ('fr', 2, 'Empty')",
  "insert into towns values (1, 'Aa', 'long a', 'de', 1), (2, 'Bb', 'long b', 'de', 1), (3, 'Cc', 'long c', 'de', 2), (4, 'Dd', 'long d', 'fr', 1), (5, 'Ee', 'long e', NULL, NULL)",
  "insert into persons values (1, 'Ann', 1, 2), (2, 'Bo', 1, 3), (3, 'Cy', 2, NULL), (4, 'Di', 3, 1), (5, 'Ed', NULL, 1), (6, NULL, 1, 1)",
  "insert into passports values (10, 'P1', 1), (20, 'P2', 2), (30, 'P4', 4)",
  "insert into friends values (1, 2), (1, 3), (2, 1), (3, 1), (4, 4)",
};

static void fill_tables(load_world *lw) {
  world *w = &lw->w;
  alch_connection *connection = NULL;
  uint32_t level;
  OK(alch_engine_connect(w->engine, &connection, &w->error));
  OK(alch_connection_begin(connection, &level, &w->error));
  OK(alch_create_all(connection, lw->metadata, NULL, 0, true, &w->error));
  for (size_t i = 0; i < ALCH_COUNT(load_rows); i++) OK(alch_connection_run_text(connection, load_rows[i], strlen(load_rows[i]), &w->error));
  OK(alch_connection_commit(connection, level, &w->error));
  alch_connection_close(connection);
}

/* `adjust` may change the models before they are configured. */
static void open_load_world_with(load_world *lw, void (*adjust)(load_world *lw), const alch_allocator *allocator) {
  *lw = (load_world){ .statements = 0 };
  world *w = &lw->w;
  alch_error_init(&w->error, NULL);
  w->catalog = alch_catalog_open(&alch_allocator_standard);
  OK(alch_metadata_new(w->catalog, NULL, &lw->metadata, &w->error));
  OK(alch_registry_new(w->catalog, &w->registry, &w->error));
  make_tables(lw);
  make_load_relationships(lw);
  if (adjust) adjust(lw);
  OK(alch_registry_configure(w->registry, &w->error));
  plain_host_open(&w->plain);
  OK(alch_engine_open("sqlite://", 9, NULL, &alch_allocator_standard, &w->engine, &w->error));
  fill_tables(lw);
  alch_engine_listen(w->engine, log_statement, lw);
  OK(alch_session_open(w->engine, w->catalog, &w->plain.host, NULL, allocator, &w->session, &w->error));
}

static inline void open_load_world(load_world *lw) { open_load_world_with(lw, NULL, &alch_allocator_standard); }

/* The other world's models are not needed here, but its words are. */
static inline void close_load_world(load_world *lw) {
  (void)open_world;
  for (uint32_t i = 0; i < lw->block_count; i++) free(lw->blocks[i]);
  close_world(&lw->w);
}

/* ---- statements ---- */

typedef struct option_of { uint8_t op; const alch_mapper *mapper; const char *name; uint32_t depth; } option_of;   /* depth 0: outermost; NULL name: all */

typedef struct select_of {
  const alch_mapper *entities[3];
  const char *columns[4];                   /* of the first entity, as plain values, behind the entities */
  const char *order_by;                     /* column of the first entity; "-name": descending */
  const alch_relationship *join;            /* from the first entity, by the statement itself */
  int64_t limit, offset;                    /* 0: none */
  bool distinct;
  int64_t above;                            /* WHERE key > above, when not 0 */
  option_of options[8];
} select_of;

static void put_options(alch_builder *builder, const option_of *options) {
  if (!options->mapper) return;
  uint32_t depth = 0;
  alch_builder_open(builder, ALCH_NODE_OPTIONS, 0, 0, 0);
  for (uint32_t i = 0; options[i].mapper; i++) {
    while (depth > options[i].depth) alch_builder_close(builder), depth--;
    uint32_t slot = options[i].name ? alch_mapper_slot(options[i].mapper, options[i].name) : UINT32_MAX;
    alch_builder_open(builder, ALCH_NODE_OPTION, options[i].op, options[i].mapper->id, slot);
    depth++;
  }
  while (depth-- > 0) alch_builder_close(builder);
  alch_builder_close(builder);
}

static void put_number(alch_builder *builder, uint8_t clause, int64_t number) {
  const alch_value value = alch_value_integer(number);
  if (number == 0) return;
  alch_builder_open(builder, clause, 0, 0, 0);
  alch_builder_bind(builder, ALCH_TYPE_INTEGER, 0, NULL, &value, NULL);
  alch_builder_close(builder);
}

static void put_order(alch_builder *builder, const alch_mapper *mapper, const char *name) {
  if (!name) return;
  alch_builder_open(builder, ALCH_NODE_ORDER_BY, 0, 0, 0);
  if (*name == '-') alch_builder_open(builder, ALCH_NODE_UNARY, ALCH_OPERATOR_DESC, 0, 0);
  alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, mapper->table->id, alch_table_column(mapper->table, name + (*name == '-'))->index);
  if (*name == '-') alch_builder_close(builder);
  alch_builder_close(builder);
}

static const alch_block *build_select(load_world *lw, const select_of *s) {
  world *w = &lw->w;
  alch_builder builder, *b = &builder;
  size_t size;
  const alch_mapper *first = s->entities[0];
  alch_builder_init(b, &alch_allocator_standard);
  alch_builder_start(b);
  alch_builder_open(b, ALCH_NODE_SELECT, 0, 0, 0);
  if (s->distinct) alch_builder_leaf(b, ALCH_NODE_DISTINCT, 0, 0, 0);
  alch_builder_open(b, ALCH_NODE_COLUMNS, 0, 0, 0);
  for (int i = 0; i < 3 && s->entities[i]; i++) alch_builder_leaf(b, ALCH_NODE_ENTITY, 0, s->entities[i]->table->id, s->entities[i]->id);
  for (int i = 0; i < 4 && s->columns[i]; i++) alch_builder_leaf(b, ALCH_NODE_COLUMN, 0, first->table->id, alch_table_column(first->table, s->columns[i])->index);
  alch_builder_close(b);
  if (s->join) {
    const alch_relationship *r = s->join;
    alch_builder_open(b, ALCH_NODE_FROM, 0, 0, 0);
    alch_builder_open(b, ALCH_NODE_JOIN, ALCH_JOIN_INNER, 0, 0);
    alch_builder_leaf(b, ALCH_NODE_TABLE, 0, first->table->id, 0), alch_builder_leaf(b, ALCH_NODE_TABLE, 0, r->target->table->id, 0);
    alch_builder_open(b, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
    alch_builder_leaf(b, ALCH_NODE_COLUMN, 0, first->table->id, first->attributes[r->pairs[0].local].column->index);
    alch_builder_leaf(b, ALCH_NODE_COLUMN, 0, r->target->table->id, r->target->attributes[r->pairs[0].remote].column->index);
    alch_builder_close(b), alch_builder_close(b), alch_builder_close(b);
  }
  if (s->above) {
    const alch_value value = alch_value_integer(s->above);
    alch_builder_open(b, ALCH_NODE_WHERE, 0, 0, 0);
    alch_builder_open(b, ALCH_NODE_BINARY, ALCH_OPERATOR_GT, 0, ALCH_TYPE_BOOLEAN);
    alch_builder_leaf(b, ALCH_NODE_COLUMN, 0, first->table->id, first->attributes[first->key_slots[0]].column->index);
    alch_builder_bind(b, ALCH_TYPE_INTEGER, 0, NULL, &value, NULL);
    alch_builder_close(b), alch_builder_close(b);
  }
  put_order(b, first, s->order_by);
  put_number(b, ALCH_NODE_LIMIT, s->limit), put_number(b, ALCH_NODE_OFFSET, s->offset);
  put_options(b, s->options);
  alch_builder_close(b);
  OK(alch_builder_finish(b, &size, &w->error));
  alch_block *block = lw->blocks[lw->block_count++] = malloc(size);
  alch_builder_write(b, block);
  alch_builder_destroy(b);
  return block;
}

/* ---- short words ---- */

static inline alch_status load_block(load_world *lw, const alch_block *block, bool populate) {
  world *w = &lw->w;
  alch_load *load = NULL;
  plain_host_clear(&w->plain);
  alch_status status = alch_load_start(w->session, w->session->bind, w->registry, block, NULL, populate, &load, &w->error);
  if (status == ALCH_OK) {
    w->plain.whole_rows = !alch_load_plan(load)->single_entity;
    status = alch_load_run(load, &w->error);
  }
  alch_load_close(load);
  return status == ALCH_DONE ? ALCH_OK : status;
}

/* Loads, and answers how many rows came. */
static inline uint32_t load_all(load_world *lw, select_of s) {
  world *w = &lw->w;
  OK(load_block(lw, build_select(lw, &s), false));
  return w->plain.row_count;
}

static inline alch_object *row_object(load_world *lw, uint32_t row) { return row < lw->w.plain.row_count ? lw->w.plain.rows[row].objects[0] : NULL; }

static inline uint32_t selects(load_world *lw) {
  uint32_t count = lw->statements;
  lw->statements = 0;
  return count;
}

static inline uint32_t slot_named(const alch_object *object, const char *name) { return alch_mapper_slot(object->mapper, name); }

static inline bool is_loaded(const alch_object *object, const char *name) { return alch_object_loaded(object, slot_named(object, name)); }

static inline void touch(load_world *lw, alch_object *object, const char *name) {
  world *w = &lw->w;
  OK(alch_load_slot(object, slot_named(object, name), &w->plain.host, &w->error));
}

/* Touches; the scalar that hangs there. */
static inline alch_object *related(load_world *lw, alch_object *object, const char *name) {
  touch(lw, object, name);
  return object->cells[slot_named(object, name)].object;
}

static inline alch_collection *list_of(load_world *lw, alch_object *object, const char *name) {
  touch(lw, object, name);
  return object->cells[slot_named(object, name)].collection;
}

/* Touches; the text of an attribute, in one buffer that the next call uses again. */
static inline const char *text_of(load_world *lw, alch_object *object, const char *name) {
  static char text[256];
  touch(lw, object, name);
  alch_value value = alch_object_cell_value(object, slot_named(object, name));
  if (value.kind == ALCH_NULL) return NULL;
  snprintf(text, sizeof text, "%.*s", (int)value.length, value.text);
  return text;
}

/* The names of a list's items: "Ann Bo". */
static inline const char *names_of(load_world *lw, alch_object *object, const char *name) {
  static char text[512];
  const alch_collection *list = list_of(lw, object, name);
  size_t length = 0;
  text[0] = '\0';
  for (uint32_t i = 0; list && i < list->count; i++) {
    alch_value value = alch_object_cell_value(list->items[i], 1);
    length += (size_t)snprintf(text + length, sizeof text - length, "%s%.*s", i ? " " : "", value.kind == ALCH_TEXT ? (int)value.length : 1, value.kind == ALCH_TEXT ? value.text : "-");
  }
  return text;
}

#endif
