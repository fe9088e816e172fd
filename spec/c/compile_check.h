/* Expected texts: the default dialect's, and SQLite's, which SQLite itself must then accept. */
#ifndef COMPILE_CHECK_H
#define COMPILE_CHECK_H

#include "compile_world.h"
#include <ctype.h>
#include <sqlite3.h>

static sqlite3 *database;

static inline void database_open(void) {
  sqlite3_open(":memory:", &database);
  int failed = sqlite3_exec(database,
                            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, active INTEGER, age INTEGER, born TEXT);"
                            "CREATE TABLE addresses (id INTEGER PRIMARY KEY, user_id INTEGER, email TEXT);"
                            "CREATE TABLE orders (id INTEGER PRIMARY KEY, bill_id INTEGER, ship_id INTEGER, price NUMERIC);"
                            "CREATE TABLE nodes (id INTEGER PRIMARY KEY, parent_id INTEGER);"
                            "CREATE TABLE \"Order\" (\"select\" INTEGER PRIMARY KEY, \"two words\" TEXT);"
                            "CREATE TABLE pairs (a INTEGER, b INTEGER, PRIMARY KEY (a, b));"
                            "CREATE TABLE pair_links (pair_a INTEGER, pair_b INTEGER);"
                            "CREATE TABLE defaults (id INTEGER PRIMARY KEY, name TEXT, stamp TEXT, level INTEGER, updated TEXT);",
                            NULL, NULL, NULL);
  CHECK_INT(failed, SQLITE_OK);
}

static inline void spec_open(void) {
  world_open();
  database_open();
}

static inline void spec_close(void) {
  sqlite3_close(database);
  world_close();
}

/* Place-holders with names as those without. */
static inline void with_question_marks(const char *from, char *to) {
  bool quoted = false;
  for (; *from; from++) {
    if (*from == '\'') quoted = !quoted;
    *to++ = *from == ':' && !quoted && (isalpha((unsigned char)from[1]) || from[1] == '_') ? '?' : *from;
    if (to[-1] == '?')
      while (isalnum((unsigned char)from[1]) || from[1] == '_') from++;
  }
  *to = '\0';
}

static inline bool is_statement(X x) {
  uint8_t kind = alch_block_root(x.block)->kind;
  return (kind >= ALCH_NODE_SELECT && kind <= ALCH_NODE_DELETE);
}

static inline void check_accepted(const char *sql, int line) {
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
  if (code != SQLITE_OK) {
    check_text(sqlite3_errmsg(database), "accepted", "SQLite's answer", __FILE__, line);
    check_text(sql, "", "the text", __FILE__, line);
  }
  sqlite3_finalize(statement);
}

static inline void check_sql(X x, const alch_compile_options *options, const char *plain, const char *sqlite, int line) {
  char text[4096], expected[4096];
  if (!check_true(x.block != NULL, "it is built", __FILE__, line)) return;
  if (plain) check_text(sql_in(x, "default", options, text, sizeof text), plain, "default", __FILE__, line);
  if (sqlite) snprintf(expected, sizeof expected, "%s", sqlite);
  else with_question_marks(plain, expected);
  check_text(sql_in(x, "sqlite", options, text, sizeof text), expected, "sqlite", __FILE__, line);
  if (is_statement(x)) check_accepted(text, line);
  alch_error_close(&w.error);
}

/* One text for both, but for the place-holders; or one for each. */
#define SQL(x, plain) check_sql(x, NULL, plain, NULL, __LINE__)
#define SQL2(x, plain, sqlite) check_sql(x, NULL, plain, sqlite, __LINE__)

/* The error that compiling gives. */
static inline void check_error(X x, const char *dialect, alch_error_kind kind, const char *message, int line) {
  alch_compiled *compiled = compiled_as(x, dialect, NULL);
  check_true(compiled == NULL, "it fails", __FILE__, line);
  check_int(w.error.kind, kind, "its kind", __FILE__, line);
  check_text(alch_error_message(&w.error), message, "its message", __FILE__, line);
  alch_compiled_release(compiled);
  alch_error_close(&w.error);
}
#define FAILS(x, dialect, kind, message) check_error(x, dialect, ALCH_ERROR_##kind, message, __LINE__)

#endif
