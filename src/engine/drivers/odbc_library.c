#include "engine/drivers/odbc_library.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static const char *const file_names[] = { "libodbc.so.2", "libodbc.2.dylib", "libodbc.so" };

/* Written once, by whoever comes first. */
static struct {
  pthread_once_t once;
  bool found;
  const char *missing;     /* the function that the library has not got */
  alch_odbc_library functions;
} libodbc = { .once = PTHREAD_ONCE_INIT };

static void load(void) {
  void *handle = NULL, *address;
  for (size_t i = 0; i < ALCH_COUNT(file_names) && !handle; i++) handle = dlopen(file_names[i], RTLD_NOW | RTLD_LOCAL);
  if (!handle) return;
  libodbc.found = true;
  /* Functions and objects have addresses of one size wherever dlsym is (POSIX). */
#define ALCH_ODBC_LOAD(name, arguments) \
  address = dlsym(handle, #name);       \
  memcpy(&libodbc.functions.name, &address, sizeof address);
  ALCH_ODBC_FUNCTIONS(ALCH_ODBC_LOAD)
#undef ALCH_ODBC_LOAD
#define ALCH_ODBC_CHECK(name, arguments) \
  if (!libodbc.functions.name && !libodbc.missing) libodbc.missing = #name;
  ALCH_ODBC_FUNCTIONS(ALCH_ODBC_CHECK)
#undef ALCH_ODBC_CHECK
}

const alch_odbc_library *alch_odbc_open(alch_error *error) {
  pthread_once(&libodbc.once, load);
  if (libodbc.found && !libodbc.missing) return &libodbc.functions;
  if (libodbc.missing) alch_error_set(error, ALCH_ERROR_INTERFACE, "the ODBC driver manager is too old: it has no %s", libodbc.missing);
  else alch_error_set(error, ALCH_ERROR_INTERFACE, "the ODBC driver manager libodbc.so.2 (unixODBC) is not installed (Debian: libodbc2, and the package of the database's driver)");
  return NULL;
}
