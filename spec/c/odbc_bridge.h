/* The ODBC driver that every machine can have: SQLite's. */
#ifndef SPEC_ODBC_BRIDGE_H
#define SPEC_ODBC_BRIDGE_H

#include "check.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

/* The URL of the database in this file. False: the driver is not there; the case is skipped then, or has failed where CI is set. */
static inline bool bridge_url(const char *path, char *out, size_t size) {
  glob_t found = { 0 };
  bool there = glob("/usr/lib/*/odbc/libsqlite3odbc.so", 0, NULL, &found) == 0;
  if (there) snprintf(out, size, "sqlite+odbc:///%s?driver=%s", path, found.gl_pathv[0]);
  else if (getenv("CI")) CHECK(!"libsqliteodbc is not installed");
  else check_skip("libsqliteodbc is not installed");
  globfree(&found);
  return there;
}

#endif
