#include "engine/drivers/mysql_library.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static const char *const file_names[] = { "libmariadb.so.3", "libmariadb.3.dylib", "libmariadb.so" };

/* Written once, by whoever comes first. */
static struct {
  pthread_once_t once;
  bool found;
  const char *missing;     /* the function that the library has not got */
  alch_libmariadb functions;
} libmariadb = { .once = PTHREAD_ONCE_INIT };

static void load(void) {
  void *handle = NULL, *address;
  for (size_t i = 0; i < ALCH_COUNT(file_names) && !handle; i++) handle = dlopen(file_names[i], RTLD_NOW | RTLD_LOCAL);
  if (!handle) return;
  libmariadb.found = true;
  /* Functions and objects have addresses of one size wherever dlsym is (POSIX). */
#define ALCH_MYSQL_LOAD(name, result, arguments) \
  address = dlsym(handle, #name);                \
  memcpy(&libmariadb.functions.name, &address, sizeof address);
  ALCH_MYSQL_FUNCTIONS(ALCH_MYSQL_LOAD)
#undef ALCH_MYSQL_LOAD
#define ALCH_MYSQL_CHECK(name, result, arguments) \
  if (!libmariadb.functions.name && !libmariadb.missing) libmariadb.missing = #name;
  ALCH_MYSQL_FUNCTIONS(ALCH_MYSQL_CHECK)
#undef ALCH_MYSQL_CHECK
  if (!libmariadb.missing) libmariadb.functions.mysql_server_init(0, NULL, NULL);
}

const alch_libmariadb *alch_libmariadb_open(alch_error *error) {
  pthread_once(&libmariadb.once, load);
  if (libmariadb.found && !libmariadb.missing) return &libmariadb.functions;
  if (libmariadb.missing) alch_error_set(error, ALCH_ERROR_INTERFACE, "the client library MariaDB Connector/C is too old: it has no %s, which came with version 3.1", libmariadb.missing);
  else alch_error_set(error, ALCH_ERROR_INTERFACE, "the client library libmariadb.so.3 (MariaDB Connector/C) is not installed (Debian: libmariadb3)");
  return NULL;
}
