/* The same tables made here and in Python, where SQLAlchemy writes the DDL that ours must be. */
#include "ddl_build.h"
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { SCHEMAS = 30, TABLES = 4 };

static const char *const table_names[TABLES] = { "plain", "Order", "select", "with space" };
static const char *const column_names[] = { "id", "name", "Mixed", "group", "two words", "quo\"te", "x$1", "1st", "é", "_under" };
static const char *const actions[] = { NULL, "CASCADE", "SET NULL", "NO ACTION", "RESTRICT", "SET DEFAULT" };

/* One schema on its way: ours, and the script that makes it in Python. */
typedef struct twin {
  schema s;
  alch_buffer python;
  bool named, schemas;           /* with naming conventions; with a second schema */
  alch_table *tables[TABLES];
  uint32_t indexes;
} twin;

static void say(twin *t, const char *format, ...) ALCH_PRINTF(2, 3);
static void say(twin *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  alch_buffer_add_format_list(&t->python, format, arguments);
  va_end(arguments);
}

static bool chance(uint64_t in) {
  return check_random_below(in) == 0;
}

/* ---- types ---- */

static alch_type_id intern(twin *t, alch_type type) {
  alch_type_id id = 0;
  CHECK_INT(alch_catalog_intern(t->s.catalog, &type, &id, &t->s.error), ALCH_OK);
  return id;
}

static alch_type_id sized(twin *t, uint8_t family, const char *name) {
  alch_type type = ALCH_TYPE_PLAIN(family);
  type.length = (int32_t)check_random_below(3) * 40;
  if (type.length > 0) say(t, "%s(%d", name, (int)type.length);
  else say(t, "%s(None", name);
  if (chance(4)) {
    type.collation = "NOCASE";
    say(t, ", collation='NOCASE'");
  }
  say(t, ")");
  return intern(t, type);
}

static alch_type_id numeric(twin *t) {
  alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_NUMERIC);
  uint64_t which = check_random_below(3);
  if (which > 0) type.precision = 10;
  if (which > 1) type.scale = 2;
  say(t, which == 0 ? "Numeric()" : which == 1 ? "Numeric(10)" : "Numeric(10, 2)");
  return intern(t, type);
}

static alch_type_id choice(twin *t) {
  static const char *const items[] = { "red", "it's", "blué" };
  alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_ENUM);
  type.items = items;
  type.item_count = 1 + (uint32_t)check_random_below(3);
  type.create_constraint = chance(2);
  say(t, "Enum(");
  for (uint32_t i = 0; i < type.item_count; i++) say(t, "\"%s\", ", items[i]);
  if (t->named || chance(2)) {
    type.name = "colours";
    say(t, "name='colours', ");
  }
  say(t, "create_constraint=%s)", type.create_constraint ? "True" : "False");
  return intern(t, type);
}

static alch_type_id boolean(twin *t) {
  alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_BOOLEAN);
  type.create_constraint = chance(2);
  if (type.create_constraint && (t->named || chance(2))) type.name = "truth";
  say(t, "Boolean(create_constraint=%s, name=%s)", type.create_constraint ? "True" : "False", type.name ? "'truth'" : "None");
  return intern(t, type);
}

static alch_type_id any_type(twin *t) {
  static const struct { uint8_t family; const char *name; } plain[] = {
    { ALCH_TYPE_INTEGER, "Integer" },   { ALCH_TYPE_SMALL_INTEGER, "SmallInteger" }, { ALCH_TYPE_BIG_INTEGER, "BigInteger" }, { ALCH_TYPE_FLOAT, "Float" },
    { ALCH_TYPE_DATE, "Date" },         { ALCH_TYPE_TIME, "Time" },                  { ALCH_TYPE_DATETIME, "DateTime" },      { ALCH_TYPE_INTERVAL, "Interval" },
    { ALCH_TYPE_LARGE_BINARY, "LargeBinary" },
  };
  switch (check_random_below(9)) {
    case 0: return sized(t, ALCH_TYPE_STRING, "String");
    case 1: return sized(t, ALCH_TYPE_TEXT, "Text");
    case 2: return sized(t, ALCH_TYPE_UNICODE, "Unicode");
    case 3: return numeric(t);
    case 4: return choice(t);
    case 5: return boolean(t);
    default: break;
  }
  size_t which = check_random_below(ALCH_COUNT(plain));
  say(t, "%s()", plain[which].name);
  return plain[which].family;
}

/* ---- columns ---- */

static void add_default(twin *t, alch_column *column) {
  switch (check_random_below(6)) {
    case 0:
      column->server_default = (alch_default){ .kind = ALCH_DEFAULT_TEXT, .text = "it's" };
      say(t, ", server_default=\"it's\"");
      break;
    case 1:
      column->server_default = (alch_default){ .kind = ALCH_DEFAULT_SQL, .block = ddl_text(&t->s, "CURRENT_TIMESTAMP") };
      say(t, ", server_default=text('CURRENT_TIMESTAMP')");
      break;
    default: break;
  }
}

static void add_flags(twin *t, alch_column *column) {
  if (chance(3)) {
    column->nullable_given = true;
    column->nullable = chance(2) || column->primary_key;
    say(t, ", nullable=%s", column->nullable ? "True" : "False");
  }
  column->unique = chance(5);
  column->indexed = chance(5);
  if (column->unique) say(t, ", unique=True");
  if (column->indexed) say(t, ", index=True");
  if (chance(8)) {
    column->quote = 1;
    say(t, ", quote=True");
  }
}

static void add_computed(twin *t, alch_column *column) {
  int persisted = (int)check_random_below(3) - 1;
  column->computed = ddl_text(&t->s, "1 + 1");
  column->computed_persisted = persisted;
  say(t, ", Computed('1 + 1', persisted=%s)", persisted < 0 ? "None" : persisted ? "True" : "False");
}

static void add_check(twin *t, alch_table *table, const char *key, uint32_t number) {
  char name[16];
  alch_constraint *out;
  snprintf(name, sizeof name, "check%u", (unsigned)number);
  const alch_constraint given = { .kind = ALCH_CONSTRAINT_CHECK, .name = t->named || chance(2) ? name : NULL, .check_text = "1 < 2", .deferrable = -1, .of_column = key != NULL };
  CHECK_INT(alch_table_add_constraint(table, &given, &key, key ? 1 : 0, &out, &t->s.error), ALCH_OK);
  say(t, "CheckConstraint('1 < 2', name=%s%s%s)", given.name ? "'" : "", given.name ? name : "None", given.name ? "'" : "");
}

/* Column(...): in Python the belongings of the column stand inside it. */
static void add_column(twin *t, alch_table *table, const char *name, bool primary_key) {
  alch_column given = { .name = name, .has_type = true, .primary_key = primary_key, .computed_persisted = -1 };
  say(t, "  Column('%s', ", name);
  given.type = any_type(t);
  /* SQLAlchemy writes BIGINT PRIMARY KEY, which does not number itself in SQLite; we write INTEGER, and so the two differ there. */
  if (primary_key) given.autoincrement = ALCH_AUTOINCREMENT_NO;
  bool computed = !primary_key && chance(12);
  if (computed) add_computed(t, &given);
  bool check = chance(8);
  say(t, "%s", check ? ", " : "");
  if (check) say(t, "CheckConstraint('1 < 2', name=%s)", t->named ? "'of_column'" : "None");
  if (!computed) add_default(t, &given);
  add_flags(t, &given);
  if (primary_key) say(t, ", primary_key=True, autoincrement=False");
  say(t, "),\n");
  schema_add(&t->s, table, given);
  if (!check) return;
  alch_constraint *out;
  const alch_constraint inside = { .kind = ALCH_CONSTRAINT_CHECK, .name = t->named ? "of_column" : NULL, .check_text = "1 < 2", .deferrable = -1, .of_column = true };
  CHECK_INT(alch_table_add_constraint(table, &inside, &name, 1, &out, &t->s.error), ALCH_OK);
}

static void add_key(twin *t, alch_table *table) {
  alch_column given = schema_column("pk", ALCH_TYPE_INTEGER);
  given.primary_key = true;
  say(t, "  Column('pk', Integer, primary_key=True),\n");
  schema_add(&t->s, table, given);
}

static const char *quoted(const char *phrase, char room[32]) {
  if (!phrase) return "None";
  snprintf(room, 32, "'%s'", phrase);
  return room;
}

/* A column that refers to the key of an earlier table, and takes its type from it. */
static void add_reference(twin *t, alch_table *table, uint32_t number, uint32_t earlier) {
  char name[16], target[64], delete_room[32], update_room[32];
  alch_constraint *out;
  const alch_table *referred = t->tables[earlier];
  snprintf(name, sizeof name, "ref%u", (unsigned)number);
  snprintf(target, sizeof target, "%s.pk", referred->full_name);
  const char *targets[] = { target }, *keys[] = { name };
  int deferrable = (int)check_random_below(3) - 1;
  const alch_constraint given = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .targets = targets, .ondelete = actions[check_random_below(6)], .onupdate = actions[check_random_below(6)],
                                  .deferrable = deferrable, .initially = deferrable == 1 && chance(2) ? "DEFERRED" : NULL, .of_column = true };
  const alch_column column = { .name = name, .computed_persisted = -1 };
  schema_add(&t->s, table, column);
  CHECK_INT(alch_table_add_constraint(table, &given, keys, 1, &out, &t->s.error), ALCH_OK);
  say(t, "  Column('%s', ForeignKey('%s', ondelete=%s, onupdate=%s, deferrable=%s, initially=%s)),\n", name, target, quoted(given.ondelete, delete_room),
      quoted(given.onupdate, update_room), given.deferrable < 0 ? "None" : given.deferrable ? "True" : "False", given.initially ? "'DEFERRED'" : "None");
}

/* ---- tables ---- */

static void add_unique(twin *t, alch_table *table) {
  const char *const keys[] = { table->columns[0]->name, table->columns[table->column_count - 1]->name };
  const alch_constraint given = { .kind = ALCH_CONSTRAINT_UNIQUE, .name = chance(2) ? "Uni" : NULL, .deferrable = -1 };
  alch_constraint *out;
  if (table->column_count < 2) return;
  CHECK_INT(alch_table_add_constraint(table, &given, keys, 2, &out, &t->s.error), ALCH_OK);
  say(t, "  UniqueConstraint('%s', '%s', name=%s),\n", keys[0], keys[1], given.name ? "'Uni'" : "None");
}

static void add_composite(twin *t, alch_table *table, uint32_t number) {
  const alch_table *referred = number > 0 ? t->tables[number - 1] : NULL;
  char first[64], second[64];
  alch_constraint *out;
  if (!referred || table->column_count < 3 || referred->column_count < 2) return;
  snprintf(first, sizeof first, "%s.%s", referred->full_name, referred->columns[0]->name);
  snprintf(second, sizeof second, "%s.%s", referred->full_name, referred->columns[1]->name);
  const char *targets[] = { first, second };
  const char *const keys[] = { table->columns[0]->name, table->columns[2]->name };
  const alch_constraint given = { .kind = ALCH_CONSTRAINT_FOREIGN_KEY, .name = chance(2) ? "pair" : NULL, .targets = targets, .match = chance(2) ? "FULL" : NULL, .deferrable = -1 };
  CHECK_INT(alch_table_add_constraint(table, &given, keys, 2, &out, &t->s.error), ALCH_OK);
  say(t, "  ForeignKeyConstraint(['%s', '%s'], ['%s', '%s'], name=%s, match=%s),\n", keys[0], keys[1], first, second, given.name ? "'pair'" : "None", given.match ? "'FULL'" : "None");
}

static void add_options(twin *t, alch_table *table, bool numbered) {
  if (numbered && chance(4)) {
    schema_option(&t->s, &table->options, "sqlite_autoincrement", "true");
    say(t, "  sqlite_autoincrement=True,\n");
  } else if (numbered && chance(4)) {
    schema_option(&t->s, &table->options, "sqlite_with_rowid", "false");
    say(t, "  sqlite_with_rowid=False,\n");
  }
}

static void add_index(twin *t, alch_table *table) {
  char name[16];
  alch_index *out;
  const char *const keys[] = { table->columns[table->column_count - 1]->name, table->columns[0]->name };
  uint32_t count = table->column_count > 1 ? 1 + (uint32_t)check_random_below(2) : 1;
  bool unique = chance(2);
  snprintf(name, sizeof name, "Ix%u", (unsigned)t->indexes++);
  CHECK_INT(alch_table_add_index(table, name, unique, keys, NULL, count, NULL, &out, &t->s.error), ALCH_OK);
  say(t, "Index('%s', t.c['%s']", name, keys[0]);
  if (count > 1) say(t, ", t.c['%s']", keys[1]);
  say(t, ", unique=%s)\n", unique ? "True" : "False");
}

/* In Python the table's own constraints are made before those of its columns; here columns must be there first, which is why they are written in two rounds. */
static void make_table(twin *t, uint32_t number) {
  const char *schema_name = t->schemas && number >= 2 ? "sch" : NULL;
  bool keyed_by_type = number == 3;
  alch_table *table = NULL;
  CHECK_INT(alch_table_new(t->s.metadata, table_names[number], schema_name, &table, &t->s.error), ALCH_OK);
  t->tables[number] = table;
  say(t, "t = Table('%s', m,\n", table_names[number]);
  if (keyed_by_type) add_column(t, table, "pk", true);
  else add_key(t, table);
  uint32_t columns = (uint32_t)check_random_below(6), first = (uint32_t)check_random_below(ALCH_COUNT(column_names));
  for (uint32_t i = 0; i < columns; i++) add_column(t, table, column_names[(first + i) % ALCH_COUNT(column_names)], false);
  for (uint32_t i = 0; i < number && number < 3; i++)
    if (chance(2)) add_reference(t, table, i, i);
  if (chance(2)) add_unique(t, table);
  if (chance(3)) add_composite(t, table, number);
  if (chance(3)) {
    say(t, "  ");
    add_check(t, table, NULL, number);
    say(t, ",\n");
  }
  add_options(t, table, !keyed_by_type);
  say(t, "  schema=%s)\n", schema_name ? "'sch'" : "None");
  if (chance(2)) add_index(t, table);
  say(t, "show(t)\n");
}

static const char prelude[] =
  "import re, sys, warnings\n"
  "warnings.simplefilter('ignore')\n"
  "from sqlalchemy import *\n"
  "from sqlalchemy import exc\n"
  "from sqlalchemy.schema import CreateTable, CreateIndex\n"
  "from sqlalchemy.dialects import sqlite, postgresql\n"
  "from sqlalchemy.engine.default import StrCompileDialect\n"
  "def put(text): sys.stdout.buffer.write(text.strip().encode() + b'\\0')\n"
  "def plain(d, text): return re.sub(r'\\bTEXT\\(\\d+\\)', 'TEXT', text) if d.name == 'postgresql' else text\n"
  "def show(t):\n"
  "  for d in (sqlite.dialect(), StrCompileDialect(), postgresql.dialect()):\n"
  "    try: put(plain(d, str(CreateTable(t).compile(dialect=d))))\n"
  "    except exc.CompileError: put('CompileError')\n"
  "    for i in sorted(t.indexes, key=lambda i: i.name): put(str(CreateIndex(i).compile(dialect=d)))\n";

static void start_schema(twin *t, uint32_t number) {
  static const char *const kinds[][2] = { { "ix", "ix_%(column_0_label)s" },
                                          { "uq", "uq_%(table_name)s_%(column_0_N_name)s" },
                                          { "fk", "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s_%(referred_column_0_name)s" },
                                          { "ck", "ck_%(table_name)s_%(constraint_name)s" },
                                          { "pk", "pk_%(table_name)s" } };
  alch_buffer python = t->python;
  *t = (twin){ .python = python, .named = number % 3 == 1, .schemas = number % 3 == 2 };
  CHECK(schema_open(&t->s, &alch_allocator_standard));
  say(t, "m = MetaData(naming_convention={");
  for (size_t i = 0; i < (t->named ? ALCH_COUNT(kinds) : 1); i++) {
    CHECK_INT(alch_metadata_set_naming(t->s.metadata, kinds[i][0], kinds[i][1], &t->s.error), ALCH_OK);
    say(t, "'%s': '%s', ", kinds[i][0], kinds[i][1]);
  }
  say(t, "})\n");
}

/* ---- comparing ---- */

static int by_name(const void *left, const void *right) {
  return strcmp((*(const alch_index *const *)left)->name, (*(const alch_index *const *)right)->name);
}

static void expect(const char **at, const char *end, const char *ours) {
  if (!CHECK(*at < end)) return;
  /* What cannot be said is refused in other words. */
  bool refused = strcmp(*at, "CompileError") == 0;
  if (refused) CHECK(strstr(ours, "CompileError") == ours || strstr(ours, "UnsupportedCompilationError") == ours);
  else CHECK_TEXT(ours, *at);
  *at += strlen(*at) + 1;
}

/* That SQLAlchemy knows PostgreSQL 12, where all generated columns are stored; and it gives TEXT a length, which the server refuses. */
static const char *create_for(twin *t, const char *name, const alch_table *table) {
  alch_buffer out;
  const alch_dialect *dialect = alch_dialect_for_version(alch_dialect_find(name), 12, 0, 0);
  alch_buffer_init(&out, t->s.allocator);
  alch_status status = alch_compile_table(dialect, ALCH_DDL_CREATE, table, false, &out, &t->s.error);
  return ddl_result(&t->s, 0, status, &out);
}

static void compare_table(twin *t, const alch_table *table, const char **at, const char *end) {
  static const char *const dialects[] = { "sqlite", "default", "postgresql" };
  const alch_index *indexes[32];
  size_t count = 0;
  for (const alch_index *index = table->indexes; index && count < ALCH_COUNT(indexes); index = index->next) indexes[count++] = index;
  qsort(indexes, count, sizeof *indexes, by_name);
  for (size_t d = 0; d < ALCH_COUNT(dialects); d++) {
    expect(at, end, create_for(t, dialects[d], table));
    for (size_t i = 0; i < count; i++) expect(at, end, ddl_index(&t->s, dialects[d], ALCH_DDL_CREATE, indexes[i]));
  }
}

/* SQLite itself must take every text; a second schema is an attached database. */
static void run_in_sqlite(twin *t) {
  sqlite3 *database;
  alch_table **tables;
  alch_constraint **cycle;
  uint32_t count, cycle_count;
  CHECK_INT(sqlite3_open(":memory:", &database), SQLITE_OK);
  CHECK_INT(sqlite3_exec(database, "ATTACH ':memory:' AS sch", NULL, NULL, NULL), SQLITE_OK);
  if (CHECK_INT(alch_metadata_sorted(t->s.metadata, &tables, &count, &cycle, &cycle_count, &t->s.error), ALCH_OK)) {
    for (uint32_t i = 0; i < count; i++) {
      const char *sql = ddl_create(&t->s, "sqlite", tables[i]);
      if (!CHECK_INT(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK)) printf("# %s\n# %s\n", sqlite3_errmsg(database), sql);
      for (const alch_index *index = tables[i]->indexes; index; index = index->next) {
        sql = ddl_index(&t->s, "sqlite", ALCH_DDL_CREATE, index);
        if (!CHECK_INT(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK)) printf("# %s\n# %s\n", sqlite3_errmsg(database), sql);
      }
    }
    alch_free(t->s.allocator, tables, count * sizeof *tables);
    alch_free(t->s.allocator, cycle, cycle_count * sizeof *cycle);
  }
  sqlite3_close(database);
}

/* The answer of Python to a script, all of it; NULL when it could not be had. */
static char *ask_python(const char *script, size_t *length) {
  char path[] = "/tmp/alch_ddl_XXXXXX", command[128];
  int file = mkstemp(path);
  char *answer = NULL;
  size_t size = strlen(script), room = 1 << 20;
  if (file < 0) return NULL;
  bool written = write(file, script, size) == (ssize_t)size;
  close(file);
  snprintf(command, sizeof command, "/usr/bin/python3 %s", path);
  FILE *pipe = written ? popen(command, "r") : NULL;
  if (pipe) {
    answer = malloc(room);
    *length = answer ? fread(answer, 1, room - 1, pipe) : 0;
    if (answer) answer[*length] = '\0';
    if (pclose(pipe) != 0) {
      free(answer);
      answer = NULL;
    }
  }
  unlink(path);
  return answer;
}

static bool sqlalchemy_is_there(void) {
  size_t length;
  char *answer = ask_python("import sqlalchemy, sys\nsys.stdout.write('yes' if sqlalchemy.__version__ >= '1.4' else 'no')\n", &length);
  bool there = answer && strcmp(answer, "yes") == 0;
  free(answer);
  return there;
}

CASE("tables and indexes are SQLAlchemy's, letter by letter") {
  if (system("/usr/bin/python3 -c 'import sqlalchemy' 2>/dev/null") != 0 || !sqlalchemy_is_there()) {
    check_skip("there is no SQLAlchemy for /usr/bin/python3 (Debian: python3-sqlalchemy)");
    return;
  }
  static twin twins[SCHEMAS];
  alch_buffer script;
  size_t length = 0;
  alch_buffer_init(&script, &alch_allocator_standard);
  alch_buffer_add(&script, prelude);
  for (uint32_t i = 0; i < SCHEMAS; i++) {
    twins[i].python = script;
    start_schema(&twins[i], i);
    for (uint32_t number = 0; number < TABLES; number++) make_table(&twins[i], number);
    script = twins[i].python;
  }
  char *answer = ask_python(alch_buffer_text(&script), &length);
  if (!CHECK(answer != NULL)) printf("# the script was:\n%s\n", alch_buffer_text(&script));
  const char *at = answer, *end = answer ? answer + length : NULL;
  for (uint32_t i = 0; i < SCHEMAS; i++) {
    for (uint32_t number = 0; answer && number < TABLES; number++) compare_table(&twins[i], twins[i].tables[number], &at, end);
    run_in_sqlite(&twins[i]);
    schema_close(&twins[i].s);
  }
  CHECK(at == end);
  free(answer);
  alch_buffer_close(&script);
}
