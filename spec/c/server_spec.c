/* Which record a server's own words choose. The words are those that servers and their drivers are known to send. */
#include "engine/drivers/mock.h"
#include "engine_support.h"
#include "sql/server.h"

typedef struct said {
  const char *named, *product, *version;
  const char *name;                /* of the record, and from which version on it holds */
  unsigned major, minor, patch;
  bool too_old;
} said;

static const said servers[] = {
  { "postgresql", NULL, "15.3 (Debian 15.3-0+deb12u1)", "postgresql", 15, 0, 0, false },
  { "postgresql", NULL, "18beta1", "postgresql", 18, 0, 0, false },
  { "postgresql", NULL, "16.2 (Oracle Linux MariaDB edition)", "postgresql", 15, 0, 0, false },
  { "postgresql", NULL, "12.1", "postgresql", 12, 0, 0, false },
  { "postgresql", NULL, "9.6.24", "postgresql", 12, 0, 0, true },
  { "postgresql", "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27)", "13.0.0", "postgresql", 13, 0, 0, false },
  { "postgresql", NULL, "11.2-YB-2.20.1.0-b97", "postgresql", 11, 0, 0, false },
  { "postgresql", NULL, "15.2-YB-2.25.0.0-b489", "postgresql", 15, 0, 0, false },
  { "postgresql", "PostgreSQL", "15.0.14", "postgresql", 15, 0, 0, false },
  { "mysql", "MySQL", "8.4.0", "mysql", 8, 0, 31, false },
  { "mysql", "MySQL", "8.0.36-0ubuntu0.22.04.1", "mysql", 8, 0, 31, false },
  { "mysql", "MySQL", "8.0.28", "mysql", 8, 0, 0, false },
  { "mysql", "MySQL", "5.7.44-log", "mysql", 5, 7, 0, false },
  { "mysql", "MySQL", "5.6.51", "mysql", 5, 7, 0, true },
  { "mysql", "MySQL", "8.0.11-TiDB-v7.5.1", "mysql", 8, 0, 0, false },
  { "mysql", "MySQL", "5.7.25-TiDB-v6.5.3", "mysql", 5, 7, 0, false },
  { "mysql", "MariaDB", "10.11.6-MariaDB-0+deb12u1", "mysql", 10, 7, 0, false },
  { "mysql", NULL, "5.5.5-10.6.12-MariaDB-log", "mysql", 10, 5, 0, false },
  { "mysql", NULL, "11.4.2-MariaDB-ubu2404", "mysql", 10, 7, 0, false },
  { "mysql", NULL, "5.5.5-10.3.39-MariaDB", "mysql", 10, 5, 0, true },
  { "mariadb", "MariaDB", "5.5.5-10.11.6-MariaDB", "mariadb", 10, 7, 0, false },
  { "mariadb", NULL, "10.6.12", "mariadb", 10, 5, 0, false },
  { "mssql", "Microsoft SQL Server", "16.00.1000", "mssql", 16, 0, 0, false },
  { "mssql", "Microsoft SQL Server", "15.00.4335", "mssql", 14, 0, 0, false },
  { "mssql", "Microsoft SQL Server", "10.50.6000", "mssql", 10, 0, 0, false },
  { "mssql", "Microsoft SQL Server", "09.00.5000", "mssql", 10, 0, 0, true },
  { "oracle", "Oracle", "23.00.0000", "oracle", 23, 0, 0, false },
  { "oracle", "Oracle", "19.00.0000", "oracle", 19, 0, 0, false },
  { "oracle", NULL, "12.2.0.1.0", "oracle", 12, 2, 0, false },
  { "oracle", NULL, "12", "oracle", 12, 2, 0, false },
  { "sqlite", "SQLite", "3.40.1", "sqlite", 3, 39, 0, false },
  { "sqlite", "SQLite", "3.34.1", "sqlite", 3, 30, 0, false },
  { "postgresql", NULL, NULL, "postgresql", 18, 0, 0, false },
  { "mysql", "MySQL", "no number", "mysql", 8, 0, 31, false },
};

CASE("the record is chosen by what a server says") {
  for (size_t i = 0; i < ALCH_COUNT(servers); i++) {
    const said *one = &servers[i];
    const alch_server server = { .product = one->product, .version = one->version };
    alch_server_record found;
    alch_error error;
    alch_error_init(&error, &alch_allocator_standard);
    if (!CHECK_INT(alch_server_find(alch_dialect_find(one->named), &server, &found, &error), ALCH_OK)) printf("# %s\n", alch_error_message(&error));
    const alch_dialect *record = found.dialect;
    bool right = strcmp(record->name, one->name) == 0 && record->version_major == one->major && record->version_minor == one->minor && record->version_patch == one->patch;
    if (!CHECK(right) || !CHECK_INT(found.too_old, one->too_old))
      printf("# %s: %s gives %s %u.%u.%u\n", one->named, one->version ? one->version : "(nothing)", record->name, record->version_major, record->version_minor, record->version_patch);
    CHECK_INT(alch_dialect_validate(record, NULL), ALCH_OK);
    alch_error_close(&error);
  }
}

CASE("numbers of a version") {
  uint16_t numbers[ALCH_SERVER_NUMBERS];
  CHECK_INT(alch_server_numbers("5.5.5-10.11.6-MariaDB", "5.5.5-", numbers), 3);
  CHECK(numbers[0] == 10 && numbers[1] == 11 && numbers[2] == 6 && numbers[3] == 0);
  CHECK_INT(alch_server_numbers("v19.3.0.0.0", NULL, numbers), 4);
  CHECK(numbers[0] == 19 && numbers[1] == 3);
  CHECK_INT(alch_server_numbers("16.00.70000000000000000000", NULL, numbers), 3);
  CHECK_INT(numbers[2], UINT16_MAX);
  CHECK_INT(alch_server_numbers("", NULL, numbers), 0);
  CHECK_INT(alch_server_numbers(NULL, NULL, numbers), 0);
}

CASE("a server of another kind is refused with what to write") {
  static const struct { const char *named, *product, *version, *says; } wrong[] = {
    { "mariadb", "MySQL", "8.0.36", "write mysql in the URL" }, { "mssql", "PostgreSQL", "15.3", "write postgresql in the URL" }, { "postgresql", "Microsoft SQL Server", "16.00.1000", "write mssql" },
  };
  for (size_t i = 0; i < ALCH_COUNT(wrong); i++) {
    const alch_server server = { .product = wrong[i].product, .version = wrong[i].version };
    alch_server_record found;
    alch_error error;
    alch_error_init(&error, &alch_allocator_standard);
    CHECK_INT(alch_server_find(alch_dialect_find(wrong[i].named), &server, &found, &error), ALCH_ERROR);
    CHECK_INT(error.kind, ALCH_ERROR_INVALID_REQUEST);
    CHECK(strstr(alch_error_message(&error), wrong[i].says) != NULL);
    alch_error_close(&error);
  }
}

/* Open an engine of MySQL's on a mock whose server says this. */
static bool open_saying(world *w, alch_mock *mock, const char *version) {
  alch_engine_options options;
  alch_engine_options_init(&options);
  options.driver = alch_mock_driver(mock);
  if (version) alch_mock_set_server(mock, NULL, version);
  *w = (world){ .allocator = &alch_allocator_standard };
  alch_error_init(&w->error, w->allocator);
  alch_execution_init(&w->execution, w->allocator);
  w->catalog = alch_catalog_open(w->allocator);
  return CHECK_INT(alch_engine_open("mock+mysql://", strlen("mock+mysql://"), &options, w->allocator, &w->engine, &w->error), ALCH_OK);
}

CASE("what was compiled before the first connection is not executed on another kind of server") {
  world w;
  alch_mock *mock = alch_mock_open(&alch_allocator_standard);
  if (!CHECK(mock != NULL)) return;
  if (open_saying(&w, mock, "10.11.6-MariaDB")) {
    size_t size;
    alch_compiled *before = NULL, *after = NULL;
    alch_block *block = text_block(&w, "select 1", &size);
    CHECK(!alch_engine_is_met(w.engine));
    CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, NULL, NULL, NULL, &before, &w.error), ALCH_OK);
    CHECK_INT(world_connect(&w, &w.connection), ALCH_OK);
    CHECK(alch_engine_is_met(w.engine));
    CHECK_INT(alch_engine_compile(w.engine, w.catalog, block, NULL, NULL, NULL, &after, &w.error), ALCH_OK);
    CHECK(after != before && after->dialect == alch_engine_dialect(w.engine) && after->dialect->version_major == 10);
    CHECK_INT(alch_execution_start(&w.execution, w.connection, before, block, NULL, &w.error), ALCH_ERROR);
    CHECK_INT(w.error.kind, ALCH_ERROR_INVALID_REQUEST);
    alch_error_close(&w.error);
    CHECK_INT(alch_mock_count(mock), 0);
    CHECK_INT(alch_execution_start(&w.execution, w.connection, after, block, NULL, &w.error), ALCH_OK);
    alch_execution_close(&w.execution);
    alch_compiled_release(before);
    alch_compiled_release(after);
    alch_free(w.allocator, block, size);
  }
  world_close(&w);
  alch_mock_close(mock);
}
