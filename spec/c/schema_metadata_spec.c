#include "schema_build.h"

CASE("a table knows its columns by key, in order") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "teams");
  alch_column given = schema_column("colour", ALCH_TYPE_STRING);
  given.key = "color";
  alch_column *id = schema_key(&s, table, "id"), *colour = schema_add(&s, table, given);
  CHECK(alch_table_column(table, "color") == colour);
  CHECK(alch_table_column(table, "colour") == NULL);
  CHECK_TEXT(colour->name, "colour");
  CHECK_INT(colour->index, 1);
  CHECK(table->columns[0] == id);
  CHECK(!id->nullable);
  CHECK(colour->nullable);
  CHECK(alch_catalog_table(s.catalog, table->id) == table);
  CHECK(alch_metadata_table(s.metadata, "teams") == table);
  CHECK(alch_table_autoincrement(table) == id);
  CHECK(alch_catalog_table(s.catalog, 99) == NULL);
  CHECK(alch_catalog_table(s.catalog, alch_catalog_anonymous(s.catalog)) == NULL);
  schema_close(&s);
}

CASE("texts that are given are copied") {
  schema s;
  char name[8] = "points", key[8] = "score", text[8] = "ten";
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_column given = schema_column(name, ALCH_TYPE_STRING);
  given.key = key;
  given.insert_default = (alch_default){ .kind = ALCH_DEFAULT_VALUE, .value = alch_value_text(text, 3) };
  given.server_default = (alch_default){ .kind = ALCH_DEFAULT_TEXT, .text = text };
  alch_column *column = schema_add(&s, schema_table(&s, "t"), given);
  memset(name, 'x', 6);
  memset(key, 'x', 5);
  memset(text, 'x', 3);
  CHECK_TEXT(column->name, "points");
  CHECK_TEXT(column->key, "score");
  CHECK_BYTES(column->insert_default.value.text, "ten", 3);
  CHECK_TEXT(column->server_default.text, "ten");
  schema_close(&s);
}

CASE("names that are wrong are refused, with the nearest one") {
  schema s;
  alch_table *other;
  alch_column *column, twice = schema_column("name", ALCH_TYPE_TEXT), nameless = schema_column(NULL, ALCH_TYPE_TEXT), same_name = schema_column("name", ALCH_TYPE_TEXT);
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "teams");
  schema_key(&s, table, "id");
  schema_plain(&s, table, "name", ALCH_TYPE_STRING);
  same_name.key = "title";
  CHECK_FAILED(&s, alch_table_require_column(table, "nmae", &column, &s.error), ALCH_ERROR_NO_SUCH_COLUMN, "Table 'teams' has no column 'nmae'; did you mean 'name'?; it has id, name");
  CHECK_FAILED(&s, alch_table_add_column(table, &twice, &column, &s.error), ALCH_ERROR_DUPLICATE_COLUMN, "'teams' has a column with the key 'name'");
  CHECK_FAILED(&s, alch_table_add_column(table, &same_name, &column, &s.error), ALCH_ERROR_DUPLICATE_COLUMN, "a column named 'name'");
  CHECK_FAILED(&s, alch_table_add_column(table, &nameless, &column, &s.error), ALCH_ERROR_ARGUMENT, "column 3 has no name");
  CHECK_FAILED(&s, alch_table_new(s.metadata, "teams", NULL, &other, &s.error), ALCH_ERROR_INVALID_REQUEST, "Table 'teams' is already defined");
  CHECK_FAILED(&s, alch_table_new(s.metadata, "", NULL, &other, &s.error), ALCH_ERROR_ARGUMENT, "needs a name");
  CHECK_INT(table->column_count, 2);
  schema_close(&s);
}

CASE("a removed table makes room for another of its name, and stays readable") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *first = schema_table(&s, "t"), *child = schema_table(&s, "child");
  schema_key(&s, first, "id");
  schema_key(&s, child, "id");
  alch_constraint *key = schema_reference(&s, child, "t_id", "t.id");
  CHECK_INT(alch_metadata_resolve(s.metadata, &s.error), ALCH_OK);
  CHECK(key->referred[0]->table == first);
  alch_metadata_remove(s.metadata, first);
  CHECK(alch_metadata_table(s.metadata, "t") == NULL);
  CHECK_TEXT(first->columns[0]->name, "id");
  CHECK(alch_catalog_table(s.catalog, first->id) == first);
  CHECK_FAILED(&s, alch_metadata_resolve(s.metadata, &s.error), ALCH_ERROR_NO_REFERENCED_TABLE, "could not find table 't'");
  alch_table *second = schema_table(&s, "t");
  schema_key(&s, second, "id");
  CHECK(second->id != first->id);
  CHECK_INT(alch_metadata_resolve(s.metadata, &s.error), ALCH_OK);
  CHECK(key->referred[0]->table == second);
  schema_close(&s);
}

CASE("schemas are part of a table's full name; the metadata's is the default") {
  schema s;
  alch_metadata *metadata;
  alch_table *plain, *named, *blank;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  CHECK_INT(alch_metadata_new(s.catalog, "shop", &metadata, &s.error), ALCH_OK);
  CHECK_INT(alch_table_new(metadata, "a", NULL, &plain, &s.error), ALCH_OK);
  CHECK_INT(alch_table_new(metadata, "a", "other", &named, &s.error), ALCH_OK);
  CHECK_INT(alch_table_new(metadata, "a", "", &blank, &s.error), ALCH_OK);
  CHECK_TEXT(plain->full_name, "shop.a");
  CHECK_TEXT(named->full_name, "other.a");
  CHECK_TEXT(blank->full_name, "a");
  CHECK(blank->schema == NULL);
  schema_key(&s, plain, "id");
  alch_constraint *key = schema_reference(&s, named, "a_id", "a.id"), *whole = schema_reference(&s, plain, "b_id", "other.a.a_id");
  CHECK_INT(alch_foreign_key_resolve(key, &s.error), ALCH_OK);
  CHECK(key->referred[0]->table == plain);
  CHECK_INT(alch_foreign_key_resolve(whole, &s.error), ALCH_OK);
  CHECK(whole->referred[0]->table == named);
  CHECK_INT(plain->columns[1]->type, ALCH_TYPE_INTEGER);
  schema_close(&s);
}

CASE("flags of a column make what belongs to it") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  alch_type enumeration = ALCH_TYPE_PLAIN(ALCH_TYPE_ENUM);
  const char *const items[] = { "red", "blue" };
  alch_type_id colours;
  enumeration.items = items;
  enumeration.item_count = 2;
  enumeration.create_constraint = true;
  CHECK_INT(alch_catalog_intern(s.catalog, &enumeration, &colours, &s.error), ALCH_OK);
  alch_column unique = schema_column("a", ALCH_TYPE_INTEGER), indexed = schema_column("b", ALCH_TYPE_INTEGER), both = schema_column("c", ALCH_TYPE_INTEGER);
  unique.unique = indexed.indexed = both.unique = both.indexed = true;
  schema_add(&s, table, unique);
  schema_add(&s, table, indexed);
  schema_add(&s, table, both);
  schema_plain(&s, table, "colour", colours);
  CHECK_INT(table->constraints->kind, ALCH_CONSTRAINT_UNIQUE);
  CHECK_TEXT(table->constraints->columns[0]->name, "a");
  CHECK(table->constraints->next->of_type);
  CHECK(table->constraints->next->next == NULL);
  CHECK_TEXT(table->indexes->name, "ix_t_b");
  CHECK(!table->indexes->unique);
  CHECK_TEXT(table->indexes->next->name, "ix_t_c");
  CHECK(table->indexes->next->unique);
  CHECK(table->last_index == table->indexes->next);
  schema_close(&s);
}

CASE("a column that fails leaves its table as it was") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  alch_column first = schema_column("a", ALCH_TYPE_INTEGER), clash = schema_column("b", ALCH_TYPE_INTEGER), *column;
  const char *const key = "a";
  alch_index *index;
  schema_add(&s, table, first);
  CHECK_INT(alch_table_add_index(table, "ix_t_b", false, &key, NULL, 1, NULL, &index, &s.error), ALCH_OK);
  clash.indexed = true;
  clash.unique = true;
  CHECK_FAILED(&s, alch_table_add_column(table, &clash, &column, &s.error), ALCH_ERROR_ARGUMENT, "an index named 'ix_t_b' already");
  CHECK_INT(table->column_count, 1);
  CHECK(alch_table_column(table, "b") == NULL);
  CHECK(table->last_index == index && index->next == NULL);
  schema_close(&s);
}

CASE("contradictions among defaults are refused") {
  schema s;
  alch_column *column, given = schema_column("c", ALCH_TYPE_INTEGER);
  const alch_identity identity = { .always = ALCH_YES };
  const struct alch_block *const block = (const struct alch_block *)&given;    /* never looked into on this floor */
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  given.computed = block;
  given.server_default.kind = ALCH_DEFAULT_FETCHED;
  CHECK_FAILED(&s, alch_table_add_column(table, &given, &column, &s.error), ALCH_ERROR_ARGUMENT, "Column 't.c' is Computed and cannot have a server_default");
  given.server_default.kind = ALCH_DEFAULT_NONE;
  given.identity = &identity;
  CHECK_FAILED(&s, alch_table_add_column(table, &given, &column, &s.error), ALCH_ERROR_ARGUMENT, "Computed and Identity");
  given.identity = NULL;
  given.update_default.kind = ALCH_DEFAULT_VALUE;
  CHECK_FAILED(&s, alch_table_add_column(table, &given, &column, &s.error), ALCH_ERROR_ARGUMENT, "cannot have a default or onupdate");
  schema_close(&s);
}

CASE("a primary key comes of flags or of a constraint, and the two must agree") {
  schema s;
  alch_constraint *key;
  const char *const both[] = { "a", "b" }, *const only_b[] = { "b" };
  const alch_constraint given = { .kind = ALCH_CONSTRAINT_PRIMARY_KEY, .name = "pk_t", .deferrable = -1 };
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  schema_key(&s, table, "a");
  schema_plain(&s, table, "b", ALCH_TYPE_INTEGER);
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, only_b, 1, &key, &s.error), ALCH_ERROR_ARGUMENT, "column 'a' has primary_key = true");
  CHECK_INT(alch_table_add_constraint(table, &given, both, 2, &key, &s.error), ALCH_OK);
  CHECK(key == table->primary_key);
  CHECK_INT(key->column_count, 2);
  CHECK(table->columns[1]->primary_key && !table->columns[1]->nullable);
  CHECK(alch_table_autoincrement(table) == NULL);
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, both, 2, &key, &s.error), ALCH_ERROR_ARGUMENT, "has a PrimaryKeyConstraint already");
  schema_close(&s);
}

CASE("constraints that cannot be are refused") {
  schema s;
  alch_constraint *out, given = { .kind = ALCH_CONSTRAINT_UNIQUE, .deferrable = -1 };
  const char *const missing[] = { "nam" }, *const twice[] = { "name", "name" }, *const name[] = { "name" }, *const bad_target[] = { "" };
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  schema_plain(&s, table, "name", ALCH_TYPE_STRING);
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, missing, 1, &out, &s.error), ALCH_ERROR_ARGUMENT, "UniqueConstraint: Table 't' has no column 'nam'; did you mean 'name'?");
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, twice, 2, &out, &s.error), ALCH_ERROR_ARGUMENT, "names the column 'name' twice");
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, NULL, 0, &out, &s.error), ALCH_ERROR_ARGUMENT, "names no column");
  given.kind = ALCH_CONSTRAINT_CHECK;
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, NULL, 0, &out, &s.error), ALCH_ERROR_ARGUMENT, "needs a condition");
  given.kind = ALCH_CONSTRAINT_FOREIGN_KEY;
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, name, 1, &out, &s.error), ALCH_ERROR_ARGUMENT, "needs a target");
  given.targets = bad_target;
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, name, 1, &out, &s.error), ALCH_ERROR_ARGUMENT, "write \"table.column\"");
  given.targets = name;
  given.ondelete = "CASCADES";
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, name, 1, &out, &s.error), ALCH_ERROR_ARGUMENT, "ondelete cannot be 'CASCADES'; did you mean 'CASCADE'");
  given.ondelete = "set null";
  given.initially = "SOON; DROP TABLE t";
  CHECK_FAILED(&s, alch_table_add_constraint(table, &given, name, 1, &out, &s.error), ALCH_ERROR_ARGUMENT, "initially cannot be");
  CHECK(table->constraints == NULL);
  schema_close(&s);
}

CASE("the column that numbers itself") {
  schema s;
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *with_default = schema_table(&s, "a"), *text = schema_table(&s, "b"), *child = schema_table(&s, "c"), *pair = schema_table(&s, "d");
  alch_column given = schema_column("id", ALCH_TYPE_INTEGER);
  given.primary_key = true;
  given.insert_default = (alch_default){ .kind = ALCH_DEFAULT_VALUE, .value = alch_value_integer(1) };
  schema_add(&s, with_default, given);
  CHECK(alch_table_autoincrement(with_default) == NULL);
  given = schema_column("id", ALCH_TYPE_STRING);
  given.primary_key = true;
  schema_add(&s, text, given);
  CHECK(alch_table_autoincrement(text) == NULL);
  given = schema_column("id", ALCH_TYPE_INTEGER);
  given.primary_key = true;
  schema_add(&s, child, given);
  const char *const key = "id", *const target = "a.id";
  const alch_constraint foreign = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = &target, .deferrable = -1 };
  alch_constraint *out;
  CHECK_INT(alch_table_add_constraint(child, &foreign, &key, 1, &out, &s.error), ALCH_OK);
  CHECK(alch_table_autoincrement(child) == NULL);
  child->columns[0]->autoincrement = ALCH_AUTOINCREMENT_YES;
  CHECK(alch_table_autoincrement(child) == child->columns[0]);
  schema_key(&s, pair, "x");
  schema_key(&s, pair, "y");
  CHECK(alch_table_autoincrement(pair) == NULL);
  pair->columns[1]->autoincrement = ALCH_AUTOINCREMENT_YES;
  CHECK(alch_table_autoincrement(pair) == pair->columns[1]);
  schema_close(&s);
}

CASE("indexes are of columns or expressions") {
  schema s;
  alch_index *index;
  const char *const columns[] = { "a", NULL }, *const wrong[] = { "aa" };
  if (!CHECK(schema_open(&s, &alch_allocator_standard))) return;
  alch_table *table = schema_table(&s, "t");
  schema_plain(&s, table, "a", ALCH_TYPE_STRING);
  const struct alch_block *const block = (const struct alch_block *)&s, *const expressions[] = { NULL, block };
  CHECK_INT(alch_table_add_index(table, "ix", true, columns, expressions, 2, block, &index, &s.error), ALCH_OK);
  CHECK(index->columns[0] == table->columns[0] && index->columns[1] == NULL && index->expressions[1] == block && index->where == block);
  CHECK_FAILED(&s, alch_table_add_index(table, "iy", true, columns, NULL, 2, NULL, &index, &s.error), ALCH_ERROR_ARGUMENT, "place 2 is neither");
  CHECK_FAILED(&s, alch_table_add_index(table, NULL, true, columns + 1, expressions + 1, 1, NULL, &index, &s.error), ALCH_ERROR_ARGUMENT, "needs a name");
  CHECK_FAILED(&s, alch_table_add_index(table, "iz", true, wrong, NULL, 1, NULL, &index, &s.error), ALCH_ERROR_ARGUMENT, "Index: Table 't' has no column 'aa'");
  CHECK_FAILED(&s, alch_table_add_index(table, "ix", true, columns, NULL, 1, NULL, &index, &s.error), ALCH_ERROR_ARGUMENT, "an index named 'ix' already");
  CHECK_FAILED(&s, alch_table_add_index(table, "iz", true, wrong, NULL, 0, NULL, &index, &s.error), ALCH_ERROR_ARGUMENT, "names no column");
  schema_close(&s);
}

static bool failed_for_memory(schema *s) {
  CHECK_INT(s->error.kind, ALCH_ERROR_OUT_OF_MEMORY);
  return false;
}

static bool build_table(schema *s, const char *name, const char *target, alch_type_id type) {
  alch_table *table;
  alch_column id = schema_column("id", ALCH_TYPE_INTEGER), word = schema_column("word", type), other = { .name = "other_id", .indexed = true, .computed_persisted = -1 }, *column;
  const char *const keys[] = { "id", "word" }, *const reference = "other_id";
  const alch_constraint unique = { .kind = ALCH_CONSTRAINT_UNIQUE, .name = "uq", .deferrable = -1 }, check = { .kind = ALCH_CONSTRAINT_CHECK, .check_text = "id > 0", .deferrable = -1 };
  const alch_constraint foreign = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = &target, .ondelete = "CASCADE", .deferrable = -1 };
  const alch_option strict = { .name = "sqlite_strict", .value = alch_value_text("true", 4) };
  alch_constraint *out;
  id.primary_key = true;
  word.unique = true;
  word.insert_default = (alch_default){ .kind = ALCH_DEFAULT_VALUE, .value = alch_value_text("x", 1) };
  return alch_table_new(s->metadata, name, NULL, &table, &s->error) == ALCH_OK && alch_table_add_column(table, &id, &column, &s->error) == ALCH_OK &&
         alch_table_add_column(table, &word, &column, &s->error) == ALCH_OK && alch_table_add_column(table, &other, &column, &s->error) == ALCH_OK &&
         alch_table_add_constraint(table, &unique, keys, 2, &out, &s->error) == ALCH_OK && alch_table_add_constraint(table, &check, NULL, 0, &out, &s->error) == ALCH_OK &&
         alch_table_add_constraint(table, &foreign, &reference, 1, &out, &s->error) == ALCH_OK && alch_options_set(s->catalog, &table->options, &strict, &s->error) == ALCH_OK;
}

static bool build_schema(schema *s) {
  const char *const items[] = { "a", "b" };
  alch_type colour = ALCH_TYPE_PLAIN(ALCH_TYPE_ENUM);
  alch_type_id type;
  alch_table **tables;
  alch_constraint **cycle;
  uint32_t count, cycle_count;
  colour.items = items;
  colour.item_count = 2;
  colour.create_constraint = true;
  if (alch_catalog_intern(s->catalog, &colour, &type, &s->error) != ALCH_OK) return false;
  if (alch_metadata_set_naming(s->metadata, "uq", "uq_%(table_name)s_%(column_0_N_name)s", &s->error) != ALCH_OK) return false;
  if (!build_table(s, "a", "b.id", type) || !build_table(s, "b", "c.id", type) || !build_table(s, "c", "a.id", type) || !build_table(s, "d", "d.id", type)) return false;
  if (alch_metadata_sorted(s->metadata, &tables, &count, &cycle, &cycle_count, &s->error) != ALCH_OK) return false;
  CHECK_INT(count, 4);
  CHECK_INT(cycle_count, 2);
  alch_free(s->allocator, tables, count * sizeof *tables);
  alch_free(s->allocator, cycle, cycle_count * sizeof *cycle);
  return true;
}

static bool build_under_faults(const alch_allocator *allocator) {
  schema s;
  bool passed = schema_open(&s, allocator);
  if (!passed && s.catalog) failed_for_memory(&s);
  if (passed) passed = build_schema(&s) || failed_for_memory(&s);
  schema_close(&s);
  return passed;
}

CASE("whatever allocation fails, the error says so and nothing leaks") {
  schema_survive_faults(build_under_faults);
}

/* The same piece built again after its failure: a failure must not leave half of it behind. */
static bool retry_under_faults(const alch_allocator *allocator) {
  schema s;
  alch_table *table;
  alch_column given = schema_column("word", ALCH_TYPE_STRING), *column;
  alch_fault_allocator *fault = allocator->context;
  given.primary_key = given.indexed = given.unique = true;
  if (!schema_open(&s, allocator) || alch_table_new(s.metadata, "t", NULL, &table, &s.error) != ALCH_OK) {
    schema_close(&s);
    return false;
  }
  bool passed = alch_table_add_column(table, &given, &column, &s.error) == ALCH_OK;
  CHECK(passed || (table->column_count == 0 && !table->indexes && !table->constraints && table->primary_key->column_count == 0));
  if (!passed) CHECK_INT(alch_table_add_column(table, &given, &column, &s.error), ALCH_OK);
  CHECK_INT(table->column_count, 1);
  CHECK_INT(table->primary_key->column_count, 1);
  CHECK(table->indexes && !table->indexes->next);
  CHECK(fault->failures <= 1);
  schema_close(&s);
  return passed;
}

CASE("a column can be added again after memory ran out") {
  schema_survive_faults(retry_under_faults);
}
