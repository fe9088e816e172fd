#include "schema_build.h"

static const char *name_of(schema *s, const alch_constraint *constraint) {
  static char line[256];
  alch_buffer out;
  alch_buffer_init(&out, s->allocator);
  line[0] = '\0';
  if (alch_constraint_name(constraint, &out, &s->error) == ALCH_OK) snprintf(line, sizeof line, "%s", alch_buffer_text(&out));
  else snprintf(line, sizeof line, "%s", alch_error_message(&s->error));
  alch_buffer_close(&out);
  return line;
}

static void set(schema *s, const char *kind, const char *words) {
  CHECK_INT(alch_metadata_set_naming(s->metadata, kind, words, &s->error), ALCH_OK);
}

/* Names as SQLAlchemy 1.4 gives them to the same constraints. */
CASE("every token has SQLAlchemy's meaning") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *parent, *table;
  CHECK_INT(alch_table_new(s.metadata, "p", "sch.x", &parent, &s.error), ALCH_OK);
  CHECK_INT(alch_table_new(s.metadata, "t", "sch.x", &table, &s.error), ALCH_OK);
  schema_plain(&s, parent, "px", ALCH_TYPE_INTEGER);
  schema_plain(&s, parent, "py", ALCH_TYPE_INTEGER);
  alch_column x = schema_column("x", ALCH_TYPE_INTEGER);
  x.key = "kx";
  schema_add(&s, table, x);
  schema_plain(&s, table, "y", ALCH_TYPE_INTEGER);
  const char *const keys[] = { "kx", "y" }, *const targets[] = { "sch.x.p.px", "sch.x.p.py" };
  const alch_constraint unique = { .kind = ALCH_CONSTRAINT_UNIQUE, .deferrable = -1 }, foreign = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = targets, .deferrable = -1 };
  alch_constraint *uq, *fk;
  CHECK_INT(alch_table_add_constraint(table, &unique, keys, 2, &uq, &s.error), ALCH_OK);
  CHECK_INT(alch_table_add_constraint(table, &foreign, keys, 2, &fk, &s.error), ALCH_OK);
  CHECK_TEXT(name_of(&s, uq), "");
  static const struct { const char *words, *unique, *foreign; } rows[] = {
    { "%(table_name)s", "t", "t" },
    { "a%%_%(column_0_name)s", "a%_x", "a%_x" },
    { "%(column_1_name)s", "y", "y" },
    { "%(column_2_name)s.", ".", "." },
    { "%(column_0_key)s", "kx", "kx" },
    { "%(column_0_label)s", "sch_x_t_x", "sch_x_t_x" },
    { "%(column_0N_name)s", "xy", "xy" },
    { "%(column_0_N_name)s", "x_y", "x_y" },
    { "%(column_0_N_key)s", "kx_y", "kx_y" },
    { "%(column_0N_label)s", "sch_x_t_xsch_x_t_y", "sch_x_t_xsch_x_t_y" },
    { "%(referred_table_name)s", "", "p" },
    { "%(referred_column_0_name)s", "", "px" },
    { "%(referred_column_0_N_name)s", "", "px_py" },
  };
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) {
    set(&s, "uq", rows[i].words);
    set(&s, "fk", rows[i].words);
    CHECK_TEXT(name_of(&s, uq), rows[i].unique);
    CHECK_TEXT(name_of(&s, fk), rows[i].foreign);
  }
  schema_close(&s);
}

CASE("a name of one's own stays, unless the convention makes use of it") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  schema_plain(&s, table, "a", ALCH_TYPE_INTEGER);
  alch_constraint *named, *unnamed, *final, given = { .kind = ALCH_CONSTRAINT_CHECK, .name = "positive", .check_text = "a > 0", .deferrable = -1 };
  CHECK_INT(alch_table_add_constraint(table, &given, NULL, 0, &named, &s.error), ALCH_OK);
  given.name_is_final = true;
  CHECK_INT(alch_table_add_constraint(table, &given, NULL, 0, &final, &s.error), ALCH_OK);
  given.name_is_final = false;
  given.name = NULL;
  CHECK_INT(alch_table_add_constraint(table, &given, NULL, 0, &unnamed, &s.error), ALCH_OK);
  set(&s, "ck", "ck_%(table_name)s");
  CHECK_TEXT(name_of(&s, named), "positive");
  CHECK_TEXT(name_of(&s, unnamed), "ck_t");
  set(&s, "ck", "ck_%(table_name)s_%(constraint_name)s");
  CHECK_TEXT(name_of(&s, named), "ck_t_positive");
  CHECK_TEXT(name_of(&s, final), "positive");
  CHECK(strstr(name_of(&s, unnamed), "needs a name of its own") != NULL);
  CHECK_INT(s.error.kind, ALCH_ERROR_INVALID_REQUEST);
  schema_close(&s);
}

CASE("indexes are named at once") {
  schema s;
  alch_index *index;
  const char *const keys[] = { "a", "b" };
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  schema_plain(&s, table, "a", ALCH_TYPE_INTEGER);
  schema_plain(&s, table, "b", ALCH_TYPE_INTEGER);
  CHECK_INT(alch_table_add_index(table, NULL, false, keys, NULL, 2, NULL, &index, &s.error), ALCH_OK);
  CHECK_TEXT(index->name, "ix_t_a");
  set(&s, "ix", "idx_%(column_0_N_name)s");
  CHECK_INT(alch_table_add_index(table, NULL, false, keys, NULL, 2, NULL, &index, &s.error), ALCH_OK);
  CHECK_TEXT(index->name, "idx_a_b");
  schema_close(&s);
}

CASE("conventions that cannot be are refused") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  static const struct { const char *kind, *words, *message; } rows[] = {
    { "xx", "a", "no naming convention for 'xx'" },
    { "fk", "%(tabel_name)s", "no token 'tabel_name'; did you mean 'table_name'" },
    { "fk", "%(column_name)s", "no token 'column_name'" },
    { "fk", "%(column_1N_name)s", "no token" },
    { "fk", "%(referred_column_0_key)s", "no token" },
    { "fk", "%(column_99999999999_name)s", "no token" },
    { "fk", "100%", "a % stands before no token" },
    { "fk", "%(table_name", "a % stands before no token" },
    { "fk", "%d", "a % stands before no token" },
  };
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) CHECK_FAILED(&s, alch_metadata_set_naming(s.metadata, rows[i].kind, rows[i].words, &s.error), ALCH_ERROR_ARGUMENT, rows[i].message);
  schema_close(&s);
}
