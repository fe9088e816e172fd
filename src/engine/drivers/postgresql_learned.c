/* Types that the server is not built with: enums, domains, composite types, arrays and ranges of such, and what extensions bring (citext, hstore). What the binary form of one is, is told by the function that sends it
   (https://www.postgresql.org/docs/current/catalog-pg-type.html, typsend). A connection asks for the types that a result has and that it has not met, once, before the rows are asked for: they then come in binary, and the
   columns beside them as well, since the library asks for all of a result's columns in one form. */
#include "engine/drivers/postgresql_private.h"
#include <stdlib.h>
#include <string.h>

#define FIRST_OWN 16384                /* the server's FirstNormalObjectId: types that somebody has created */
#define MULTIRANGES 140000             /* the version that brings them */

/* Of the types asked for, and of all that they are made of: a row with the function that sends it, and a row for each part. */
#define TYPES_TEXT \
  "WITH RECURSIVE met(type, part) AS (SELECT 0::pg_catalog.oid, pg_catalog.unnest($1) UNION SELECT t.oid, p.part FROM met m JOIN pg_catalog.pg_type t ON t.oid = m.part CROSS JOIN LATERAL (" \
  "SELECT 0::pg_catalog.oid AS part UNION ALL SELECT t.typbasetype UNION ALL SELECT t.typelem WHERE t.typcategory = 'A'" \
  " UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped" \
  " UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid%s) p WHERE t.oid >= 16384)" \
  " SELECT m.type, CASE WHEN t.typtype = 'd' THEN 'domain' WHEN t.typdelim = ',' THEN f.prosrc END, m.part FROM met m JOIN pg_catalog.pg_type t ON t.oid = m.type" \
  " LEFT JOIN pg_catalog.pg_proc f ON f.oid = t.typsend"
#define MULTIRANGES_TEXT " UNION ALL SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid"

static alch_postgresql_learned *find(const alch_driver_connection *connection, Oid type) {
  for (uint32_t i = 0; i < connection->learned_count; i++)
    if (connection->learned[i].type == type) return &connection->learned[i];
  return NULL;
}

const alch_postgresql_learned *alch_postgresql_learned_of(const alch_driver_connection *connection, Oid type) { return type < FIRST_OWN ? NULL : find(connection, type); }

/* ---- what a result needs ---- */

/* False: no memory for it. */
static bool put_down(alch_driver_statement *statement, Oid type) {
  for (uint32_t i = 0; i < statement->unlearned_count; i++)
    if (statement->unlearned[i] == type) return true;
  Oid *types = alch_grow(statement->connection->allocator, statement->unlearned, &statement->unlearned_capacity, statement->unlearned_count + 1, sizeof *types);
  if (!types) return false;
  statement->unlearned = types;
  types[statement->unlearned_count++] = type;
  return true;
}

void alch_postgresql_settle_results(alch_driver_statement *statement, const PGresult *described) {
  const alch_driver_connection *connection = statement->connection;
  int count = connection->library->PQnfields(described);
  bool binary = count > 0;
  statement->unlearned_count = 0;
  for (int i = 0; i < count && binary; i++) {
    Oid type = connection->library->PQftype(described, i);
    if (alch_postgresql_has_binary(connection, type)) continue;
    binary = type >= FIRST_OWN && !find(connection, type) && put_down(statement, type);
  }
  if (!binary) statement->unlearned_count = 0;   /* it would help nothing to know them */
  statement->binary = binary && statement->unlearned_count == 0;
}

/* ---- asking ---- */

alch_status alch_postgresql_ask_for_types(alch_driver_statement *statement, alch_error *error) {
  const alch_driver_connection *connection = statement->connection;
  static const Oid types[] = { PG_OID_ARRAY };
  alch_buffer sql, list;
  alch_buffer_init(&sql, connection->allocator);
  alch_buffer_init(&list, connection->allocator);
  alch_buffer_add_format(&sql, TYPES_TEXT, connection->library->PQserverVersion(connection->handle) >= MULTIRANGES ? MULTIRANGES_TEXT : "");
  for (uint32_t i = 0; i < statement->unlearned_count; i++) alch_buffer_add_format(&list, "%c%u", i > 0 ? ',' : '{', statement->unlearned[i]);
  alch_buffer_add_char(&list, '}');
  const char *values[] = { alch_buffer_text(&list) };
  bool failed = alch_buffer_failed(&sql) || alch_buffer_failed(&list);
  bool sent = !failed && connection->library->PQsendQueryParams(connection->handle, sql.text, 1, types, values, NULL, NULL, 0) == 1;
  alch_buffer_close(&sql);
  alch_buffer_close(&list);
  if (failed) return alch_error_out_of_memory(error);
  return sent ? ALCH_OK : alch_postgresql_fail_connection(statement->connection, NULL, error);
}

/* ---- the answer ---- */

static Oid number_in(const alch_libpq *library, const PGresult *result, int row, int column) { return (Oid)strtoul(library->PQgetvalue(result, row, column), NULL, 10); }

static alch_postgresql_learned *learn(alch_driver_connection *connection, Oid type) {
  alch_postgresql_learned *found = find(connection, type);
  if (found) return found;
  alch_postgresql_learned *learned = alch_grow(connection->allocator, connection->learned, &connection->learned_capacity, connection->learned_count + 1, sizeof *learned);
  if (!learned) return NULL;
  connection->learned = learned;
  learned[connection->learned_count] = (alch_postgresql_learned){ .type = type };
  return &learned[connection->learned_count++];
}

static bool learn_row(alch_driver_connection *connection, const PGresult *result, int row) {
  const alch_libpq *library = connection->library;
  alch_postgresql_learned *learned = learn(connection, number_in(library, result, row, 0));
  Oid part = number_in(library, result, row, 2);
  if (!learned) return false;
  learned->print = alch_postgresql_printer_of(library->PQgetvalue(result, row, 1), &learned->text);
  if (part != PG_UNKNOWN) learned->part = part;
  return true;
}

static bool has_form(const alch_driver_connection *connection, Oid type) {
  alch_postgresql_form form;
  const alch_postgresql_learned *learned = alch_postgresql_learned_of(connection, type);
  return learned ? learned->print != NULL : alch_postgresql_form_of(type, &form);
}

/* A type has no form where one of its parts has none. */
static bool spread(alch_driver_connection *connection, const PGresult *result) {
  const alch_libpq *library = connection->library;
  bool changed = false;
  for (int i = 0; i < library->PQntuples(result); i++) {
    alch_postgresql_learned *learned = find(connection, number_in(library, result, i, 0));
    Oid part = number_in(library, result, i, 2);
    if (!learned || !learned->print || part == PG_UNKNOWN || has_form(connection, part)) continue;
    learned->print = NULL;
    learned->text = false;
    changed = true;
  }
  return changed;
}

void alch_postgresql_learn(alch_driver_statement *statement, const PGresult *result) {
  alch_driver_connection *connection = statement->connection;
  bool well = true;
  for (int i = 0; i < connection->library->PQntuples(result) && well; i++) well = learn_row(connection, result, i);
  for (uint32_t i = 0; i < statement->unlearned_count && well; i++) well = learn(connection, statement->unlearned[i]) != NULL;
  while (well && spread(connection, result)) {}
  if (!well) connection->learned_count = 0;
  statement->binary = well;
  for (uint32_t i = 0; i < statement->unlearned_count; i++) statement->binary = statement->binary && has_form(connection, statement->unlearned[i]);
  statement->unlearned_count = 0;
}

alch_status alch_postgresql_learn_again(alch_driver_statement *statement, uint32_t column, Oid type, alch_error *error) {
  if (type >= FIRST_OWN) put_down(statement, type);
  statement->binary = false;
  return alch_error_set(error, ALCH_ERROR_INTERFACE, "the type of column %u has changed since this connection has learned of it: execute the statement again", column + 1);
}
