/* The library's result codes as the error kinds of this project, by one table. The kinds are those that SQLAlchemy reports by way of Python's driver,
   except that a value of the wrong type (MISMATCH) is a DataError. Codes: https://sqlite.org/rescode.html */
#include "engine/drivers/sqlite_private.h"
#include <string.h>

typedef void (*error_parser)(const char *detail, alch_error *error);

typedef struct error_row {
  int code;                /* an extended code, or a primary one for all of its family */
  alch_error_kind kind;
  error_parser parse;      /* takes the names out of what follows ": " in the message, or NULL */
} error_row;

/* "t.a, t.b": the table is t, the column "a, b". Of several dots in a name the last is taken: SQLite does not say which it is. */
static void parse_columns(const char *detail, alch_error *error) {
  char columns[256];
  size_t length = 0;
  const char *end = strstr(detail, ", "), *stop = end ? end : detail + strlen(detail), *dot = stop;
  while (dot > detail && *dot != '.') dot--;
  if (dot == detail) return;
  size_t prefix = (size_t)(dot - detail) + 1;
  alch_error_attach(error, ALCH_ERROR_TABLE_NAME, detail, prefix - 1);
  for (const char *next = detail; next;) {
    stop = strstr(next, ", ");
    const char *name = strncmp(next, detail, prefix) == 0 ? next + prefix : next;
    size_t size = stop ? (size_t)(stop - name) : strlen(name);
    if (length + size + 2 > sizeof columns) return;
    if (length > 0) memcpy(columns + length, ", ", 2), length += 2;
    memcpy(columns + length, name, size);
    length += size;
    next = stop ? stop + 2 : NULL;
  }
  alch_error_attach(error, ALCH_ERROR_COLUMN_NAME, columns, length);
}

/* A unique index on expressions is named: index 'ix_name'. */
static void parse_unique(const char *detail, alch_error *error) {
  static const char index[] = "index '";
  size_t length = strlen(detail);
  if (strncmp(detail, index, sizeof index - 1) == 0 && length > sizeof index && detail[length - 1] == '\'')
    alch_error_attach(error, ALCH_ERROR_CONSTRAINT_NAME, detail + sizeof index - 1, length - sizeof index);
  else
    parse_columns(detail, error);
}

static void parse_name(const char *detail, alch_error *error) {
  alch_error_attach(error, ALCH_ERROR_CONSTRAINT_NAME, detail, SIZE_MAX);
}

/* The first row that matches the whole code or its last byte. */
static const error_row rows[] = {
  { SQLITE_CONSTRAINT_UNIQUE, ALCH_ERROR_INTEGRITY, parse_unique },
  { SQLITE_CONSTRAINT_PRIMARYKEY, ALCH_ERROR_INTEGRITY, parse_columns },
  { SQLITE_CONSTRAINT_ROWID, ALCH_ERROR_INTEGRITY, parse_columns },
  { SQLITE_CONSTRAINT_NOTNULL, ALCH_ERROR_INTEGRITY, parse_columns },
  { SQLITE_CONSTRAINT_CHECK, ALCH_ERROR_INTEGRITY, parse_name },
  { SQLITE_CONSTRAINT, ALCH_ERROR_INTEGRITY, NULL },
  { SQLITE_TOOBIG, ALCH_ERROR_DATA, NULL },
  { SQLITE_MISMATCH, ALCH_ERROR_DATA, NULL },
  { SQLITE_RANGE, ALCH_ERROR_PROGRAMMING, NULL },
  { SQLITE_MISUSE, ALCH_ERROR_INTERFACE, NULL },
  { SQLITE_INTERNAL, ALCH_ERROR_INTERNAL, NULL },
  { SQLITE_NOTFOUND, ALCH_ERROR_INTERNAL, NULL },
  { SQLITE_CORRUPT, ALCH_ERROR_DATABASE, NULL },
  { SQLITE_NOTADB, ALCH_ERROR_DATABASE, NULL },
  { SQLITE_FORMAT, ALCH_ERROR_DATABASE, NULL },
  { SQLITE_AUTH, ALCH_ERROR_DATABASE, NULL },
};

static const error_row *find_row(int code) {
  for (size_t i = 0; i < ALCH_COUNT(rows); i++)
    if (rows[i].code == code || rows[i].code == (code & 0xff)) return &rows[i];
  return NULL;
}

/* What follows ": ", when the message has the form "UNIQUE constraint failed: …". */
static const char *find_detail(const char *message) {
  static const char middle[] = "constraint failed: ";
  const char *at = strstr(message, middle);
  return at ? at + sizeof middle - 1 : NULL;
}

alch_status alch_sqlite_fail(sqlite3 *db, int code, alch_error *error) {
  int extended = db ? sqlite3_extended_errcode(db) : code;
  if ((extended & 0xff) == (code & 0xff)) code = extended;
  if ((code & 0xff) == SQLITE_NOMEM) return alch_error_out_of_memory(error);
  const error_row *row = find_row(code);
  const char *message = db && code == extended ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  alch_error_set(error, row ? row->kind : ALCH_ERROR_OPERATIONAL, "%s", message);
  if (!error) return ALCH_ERROR;
  error->code = code;
  error->retryable = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
  const char *detail = row && row->parse ? find_detail(alch_error_message(error)) : NULL;
  if (detail) row->parse(detail, error);
  return ALCH_ERROR;
}
