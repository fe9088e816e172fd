#include "ddl_build.h"

static const char *constraint(schema *s, const char *dialect, alch_ddl_action action, const alch_constraint *one) {
  alch_buffer out;
  alch_buffer_init(&out, s->allocator);
  alch_status status = alch_compile_constraint(alch_dialect_find(dialect), action, one, &out, &s->error);
  return ddl_result(s, 2, status, &out);
}

static void set_option(schema *s, alch_table *table, const char *name, const char *value) {
  schema_option(s, &table->options, name, value);
}

CASE("a table as SQLAlchemy writes it") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *teams = schema_table(&s, "teams"), *players = schema_table(&s, "players");
  alch_column name = schema_column("name", ALCH_TYPE_STRING), score = schema_column("score", ALCH_TYPE_DOUBLE);
  name.nullable_given = name.unique = true;
  score.server_default = (alch_default){ .kind = ALCH_DEFAULT_VALUE, .value = alch_value_real(0) };
  schema_key(&s, teams, "id");
  schema_key(&s, players, "id");
  schema_add(&s, players, name);
  schema_add(&s, players, score);
  schema_reference(&s, players, "team_id", "teams.id")->ondelete = "CASCADE";
  CHECK_TEXT(ddl_create(&s, "sqlite", players),
             "CREATE TABLE players (\n\tid INTEGER NOT NULL, \n\tname VARCHAR NOT NULL, \n\tscore DOUBLE DEFAULT 0.0, \n\tteam_id INTEGER, \n\tPRIMARY KEY (id), \n\tUNIQUE (name), \n"
             "\tFOREIGN KEY(team_id) REFERENCES teams (id) ON DELETE CASCADE\n)");
  schema_close(&s);
}

CASE("the rowid, WITHOUT ROWID and STRICT") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *big = schema_table(&s, "big"), *words = schema_table(&s, "words"), *counted = schema_table(&s, "counted");
  alch_column id = schema_column("id", ALCH_TYPE_BIG_INTEGER), word = schema_column("word", ALCH_TYPE_STRING);
  id.primary_key = word.primary_key = true;
  schema_add(&s, big, id);
  CHECK_TEXT(ddl_create(&s, "sqlite", big), "CREATE TABLE big (\n\tid INTEGER NOT NULL, \n\tPRIMARY KEY (id)\n)");
  CHECK_TEXT(ddl_create(&s, "default", big), "CREATE TABLE big (\n\tid BIGINT NOT NULL, \n\tPRIMARY KEY (id)\n)");
  schema_add(&s, words, word);
  schema_plain(&s, words, "price", ALCH_TYPE_NUMERIC);
  schema_plain(&s, words, "day", ALCH_TYPE_DATE);
  set_option(&s, words, "sqlite_with_rowid", "false");
  set_option(&s, words, "sqlite_strict", "true");
  CHECK_TEXT(ddl_create(&s, "sqlite", words), "CREATE TABLE words (\n\tword TEXT NOT NULL, \n\tprice ANY, \n\tday TEXT, \n\tPRIMARY KEY (word)\n)\n WITHOUT ROWID,\n STRICT");
  schema_key(&s, counted, "id");
  set_option(&s, counted, "sqlite_autoincrement", "true");
  CHECK_TEXT(ddl_create(&s, "sqlite", counted), "CREATE TABLE counted (\n\tid INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT\n)");
  schema_close(&s);
}

CASE("composite keys start with the column that numbers itself, where the database can") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  schema_key(&s, table, "a");
  schema_key(&s, table, "b")->autoincrement = ALCH_AUTOINCREMENT_YES;
  CHECK_TEXT(ddl_create(&s, "default", table), "CREATE TABLE t (\n\ta INTEGER NOT NULL, \n\tb INTEGER NOT NULL, \n\tPRIMARY KEY (b, a)\n)");
  CHECK_TEXT(ddl_create(&s, "sqlite", table), "CompileError: (in table 't', column 'b'): SQLite does not support autoincrement for composite primary keys");
  schema_close(&s);
}

CASE("a column that cannot be written says where it stands") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t"), *child = schema_table(&s, "child");
  schema_plain(&s, table, "c", ALCH_TYPE_NULL);
  CHECK_TEXT(ddl_create(&s, "sqlite", table), "CompileError: (in table 't', column 'c'): Can't generate DDL for NullType; did you forget to specify a type on this Column?");
  schema_reference(&s, child, "t_id", "nowhere.id");
  CHECK(strncmp(ddl_create(&s, "sqlite", child), "NoReferencedTableError: ", 24) == 0);
  schema_close(&s);
}

CASE("indexes") {
  schema s;
  alch_index *index, *partial;
  alch_table *table;
  const char *const keys[] = { "a", NULL };
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  CHECK_INT(alch_table_new(s.metadata, "t", "sch", &table, &s.error), ALCH_OK);
  schema_plain(&s, table, "a", ALCH_TYPE_INTEGER);
  const alch_block *const expressions[] = { NULL, ddl_text(&s, "lower(b)") };
  CHECK_INT(alch_table_add_index(table, "ix", true, keys, expressions, 2, NULL, &index, &s.error), ALCH_OK);
  CHECK_INT(alch_table_add_index(table, NULL, false, keys, NULL, 1, ddl_text(&s, "a > 1"), &partial, &s.error), ALCH_OK);
  CHECK_TEXT(ddl_index(&s, "sqlite", ALCH_DDL_CREATE, index), "CREATE UNIQUE INDEX sch.ix ON t (a, lower(b))");
  CHECK_TEXT(ddl_index(&s, "default", ALCH_DDL_CREATE, index), "CREATE UNIQUE INDEX ix ON sch.t (a, lower(b))");
  CHECK_TEXT(ddl_index(&s, "sqlite", ALCH_DDL_CREATE, partial), "CREATE INDEX sch.ix_sch_t_a ON t (a) WHERE a > 1");
  CHECK_TEXT(ddl_index(&s, "sqlite", ALCH_DDL_DROP, index), "DROP INDEX sch.ix");
  schema_close(&s);
}

CASE("constraints by themselves") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *a = schema_table(&s, "a");
  schema_key(&s, a, "id");
  alch_constraint *key = schema_reference(&s, a, "a_id", "a.id");
  CHECK_TEXT(constraint(&s, "default", ALCH_DDL_CREATE, key), "ALTER TABLE a ADD FOREIGN KEY(a_id) REFERENCES a (id)");
  CHECK_TEXT(constraint(&s, "default", ALCH_DDL_DROP, key),
             "CompileError: Can't emit DROP CONSTRAINT for a constraint of table 'a' that has no name; give it one, or the MetaData a naming_convention");
  CHECK(strncmp(constraint(&s, "sqlite", ALCH_DDL_CREATE, key), "UnsupportedCompilationError: dialect 'sqlite' cannot add or drop constraints", 70) == 0);
  key->name = "Fk";
  key->use_alter = true;
  CHECK_TEXT(constraint(&s, "default", ALCH_DDL_CREATE, key), "ALTER TABLE a ADD CONSTRAINT \"Fk\" FOREIGN KEY(a_id) REFERENCES a (id)");
  CHECK_TEXT(constraint(&s, "default", ALCH_DDL_DROP, key), "ALTER TABLE a DROP CONSTRAINT \"Fk\"");
  CHECK(strstr(ddl_create(&s, "default", a), "FOREIGN KEY") == NULL);
  CHECK(strstr(ddl_create(&s, "sqlite", a), "FOREIGN KEY") != NULL);
  schema_close(&s);
}

CASE("tables without the keys that close a cycle, dropped tables, single columns") {
  schema s;
  alch_buffer out;
  bool is_key;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *a = schema_table(&s, "Order");
  schema_key(&s, a, "id");
  const alch_constraint *const key = schema_reference(&s, a, "a_id", "Order.id");
  alch_buffer_init(&out, s.allocator);
  const alch_ddl_statement statement = { .kind = ALCH_DDL_TABLE, .if_exists = true, .table = a, .omitted = &key, .omitted_count = 1 };
  alch_status status = alch_compile_ddl(s.catalog, alch_dialect_find("default"), &statement, &out, &s.error);
  CHECK_TEXT(ddl_result(&s, 3, status, &out), "CREATE TABLE IF NOT EXISTS \"Order\" (\n\tid INTEGER NOT NULL, \n\ta_id INTEGER, \n\tPRIMARY KEY (id)\n)");
  alch_buffer_init(&out, s.allocator);
  status = alch_compile_table(alch_dialect_find("sqlite"), ALCH_DDL_DROP, a, true, &out, &s.error);
  CHECK_TEXT(ddl_result(&s, 3, status, &out), "DROP TABLE IF EXISTS \"Order\"");
  alch_buffer_init(&out, s.allocator);
  status = alch_compile_column(alch_dialect_find("sqlite"), a->columns[1], &is_key, &out, &s.error);
  CHECK_TEXT(ddl_result(&s, 3, status, &out), "a_id INTEGER");
  CHECK(!is_key);
  alch_buffer_init(&out, s.allocator);
  const alch_ddl_statement comment = { .kind = ALCH_DDL_TABLE_COMMENT, .table = a };
  status = alch_compile_ddl(s.catalog, alch_dialect_find("sqlite"), &comment, &out, &s.error);
  CHECK(strncmp(ddl_result(&s, 3, status, &out), "UnsupportedCompilationError", 27) == 0);
  schema_close(&s);
}

CASE("a deferred key is deferrable") {
  schema s;
  alch_constraint *out;
  const char *const key = "a_id", *const target = "a.id";
  alch_constraint given = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = &target, .initially = "DEFERRED", .deferrable = 0 };
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *a = schema_table(&s, "a");
  schema_key(&s, a, "id");
  schema_plain(&s, a, "a_id", ALCH_TYPE_INTEGER);
  CHECK_FAILED(&s, alch_table_add_constraint(a, &given, &key, 1, &out, &s.error), ALCH_ERROR_ARGUMENT, "contradicts deferrable = false");
  given.deferrable = -1;
  CHECK_INT(alch_table_add_constraint(a, &given, &key, 1, &out, &s.error), ALCH_OK);
  CHECK(strstr(ddl_create(&s, "sqlite", a), "REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED\n)") != NULL);
  schema_close(&s);
}

static bool compile_under_faults(const alch_allocator *allocator) {
  schema s;
  alch_buffer out;
  bool passed = false;
  const char *const target = "t.id", *const key = "a_id";
  const alch_constraint foreign = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = &target, .deferrable = -1 };
  alch_column id = schema_column("id", ALCH_TYPE_INTEGER), a_id = { .name = "a_id", .indexed = true, .computed_persisted = -1 }, *column;
  alch_table *table;
  alch_constraint *constraint;
  id.primary_key = true;
  a_id.server_default = (alch_default){ .kind = ALCH_DEFAULT_TEXT, .text = "0" };
  alch_buffer_init(&out, allocator);
  if (schema_open(&s, allocator))
    passed = alch_table_new(s.metadata, "t", NULL, &table, &s.error) == ALCH_OK && alch_table_add_column(table, &id, &column, &s.error) == ALCH_OK &&
             alch_table_add_column(table, &a_id, &column, &s.error) == ALCH_OK && alch_table_add_constraint(table, &foreign, &key, 1, &constraint, &s.error) == ALCH_OK &&
             alch_compile_table(alch_dialect_find("sqlite"), ALCH_DDL_CREATE, table, false, &out, &s.error) == ALCH_OK &&
             alch_compile_index(alch_dialect_find("sqlite"), ALCH_DDL_CREATE, table->indexes, false, &out, &s.error) == ALCH_OK;
  if (!passed && s.catalog) CHECK_INT(s.error.kind, ALCH_ERROR_OUT_OF_MEMORY);
  alch_buffer_close(&out);
  schema_close(&s);
  return passed;
}

CASE("whatever allocation fails, the error says so and nothing leaks") {
  schema_survive_faults(compile_under_faults);
}
