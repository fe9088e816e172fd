/* sqlite_private.h - what the files of this driver share. Nobody else includes it. */
#ifndef ALCH_SQLITE_PRIVATE_H
#define ALCH_SQLITE_PRIVATE_H

#include "engine/embedded.h"
#include <sqlite3.h>
#include <stdatomic.h>

struct alch_driver_connection {
  const alch_allocator *allocator;
  sqlite3 *db;
  const char *begin;         /* the text that begins a transaction; constant */
  int64_t busy_limit;        /* microseconds to wait for another's lock */
  int64_t busy_since;
  atomic_bool interrupted;   /* since a statement has started: whoever waits for a lock gives up */
  bool stepping;             /* a statement runs: functions of the host are asked, and not only told that it is over */
  bool host_failed;          /* a function or collation of the host has failed within the call that is under way */
};

/* What a URL asks for. Texts are the URL's or constants. */
typedef struct alch_sqlite_settings {
  const char *path;          /* ":memory:" for a private one */
  const char *vfs;           /* NULL: the default */
  const char *journal_mode;  /* NULL: as the file has it */
  const char *synchronous;   /* NULL: the library's default */
  const char *begin;         /* "BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE" */
  const alch_url *url;       /* its options with pragma_ in front are read when a connection opens */
  int flags;                 /* of sqlite3_open_v2 */
  int timeout;               /* milliseconds */
  bool foreign_keys, immutable;
  bool worker;               /* its work is done on a thread */
  bool dqs;                  /* text in double quotes that names nothing is a string, as the library has it by default */
} alch_sqlite_settings;

/* ARGUMENT, naming the nearest. */
alch_status alch_sqlite_settings_read(const alch_url *url, alch_sqlite_settings *out, alch_error *error);
bool alch_sqlite_settings_private(const alch_url *url);

/* The name of the setting that an option of the URL gives (pragma_cache_size), or NULL. */
const char *alch_sqlite_pragma(const alch_url_option *option);

/* Waits for locks of others, with pauses that grow and are left to chance. */
void alch_sqlite_watch_locks(alch_driver_connection *connection, int timeout);
extern const alch_embedded alch_sqlite_embedded;
/* The table for URLs with worker=1, or the plain one. */
const alch_driver *alch_sqlite_choose(const alch_url *url);
extern const alch_driver alch_driver_sqlite;
/* A text of both tables. */
/* Rowids of one INSERT are consecutive unless a trigger writes to the table meanwhile (https://www.sqlite.org/autoinc.html). Only the schema "main" is looked at. */
#define ALCH_SQLITE_SCATTERS_KEYS \
  "SELECT 1 FROM (SELECT type, tbl_name FROM sqlite_master UNION ALL SELECT type, tbl_name FROM sqlite_temp_master) " \
  "WHERE type = 'trigger' AND tbl_name = :table COLLATE NOCASE UNION ALL SELECT 1 WHERE :schema <> 'main' LIMIT 1"
alch_status alch_sqlite_check(const alch_driver *driver, const alch_url *url, alch_error *error);

/* Fills the error from what the connection says about the call that answered `code`; db may be NULL. */
alch_status alch_sqlite_fail(sqlite3 *db, int code, alch_error *error);

#endif
