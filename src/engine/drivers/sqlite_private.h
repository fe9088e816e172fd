/* sqlite_private.h - what the files of this driver share. Nobody else includes it. */
#ifndef ALCH_SQLITE_PRIVATE_H
#define ALCH_SQLITE_PRIVATE_H

#include "engine/driver.h"
#include <sqlite3.h>

/* What a URL asks for. Texts are the URL's or constants. */
typedef struct alch_sqlite_settings {
  const char *path;          /* ":memory:" for a private one */
  const char *vfs;           /* NULL: the default */
  const char *journal_mode;  /* NULL: as the file has it */
  const char *synchronous;   /* NULL: the library's default */
  int flags;                 /* of sqlite3_open_v2 */
  int timeout;               /* milliseconds */
  bool foreign_keys, immutable;
  bool dqs;                  /* text in double quotes that names nothing is a string, as the library has it by default */
} alch_sqlite_settings;

/* ARGUMENT, naming the nearest. */
alch_status alch_sqlite_settings_read(const alch_url *url, alch_sqlite_settings *out, alch_error *error);
bool alch_sqlite_settings_private(const alch_url *url);

/* Fills the error from what the connection says about the call that answered `code`; db may be NULL. */
alch_status alch_sqlite_fail(sqlite3 *db, int code, alch_error *error);

#endif
