#include "engine/drivers/postgresql_library.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static const char *const file_names[] = { "libpq.so.5", "libpq.5.dylib", "libpq.so" };

/* Written once, by whoever comes first. */
static struct {
  pthread_once_t once;
  bool found;
  const char *missing;     /* the function that the library has not got */
  alch_libpq functions;
} libpq = { .once = PTHREAD_ONCE_INIT };

static void load(void) {
  void *handle = NULL, *address;
  for (size_t i = 0; i < ALCH_COUNT(file_names) && !handle; i++) handle = dlopen(file_names[i], RTLD_NOW | RTLD_LOCAL);
  if (!handle) return;
  libpq.found = true;
  /* Functions and objects have addresses of one size wherever dlsym is (POSIX). */
#define ALCH_LIBPQ_LOAD(name, result, arguments) \
  address = dlsym(handle, #name);                \
  memcpy(&libpq.functions.name, &address, sizeof address);
  ALCH_LIBPQ_FUNCTIONS(ALCH_LIBPQ_LOAD)
  ALCH_LIBPQ_NEW_FUNCTIONS(ALCH_LIBPQ_LOAD)
#undef ALCH_LIBPQ_LOAD
#define ALCH_LIBPQ_CHECK(name, result, arguments) \
  if (!libpq.functions.name && !libpq.missing) libpq.missing = #name;
  ALCH_LIBPQ_FUNCTIONS(ALCH_LIBPQ_CHECK)
#undef ALCH_LIBPQ_CHECK
}

const alch_libpq *alch_libpq_open(alch_error *error) {
  pthread_once(&libpq.once, load);
  if (libpq.found && !libpq.missing) return &libpq.functions;
  if (libpq.missing) alch_error_set(error, ALCH_ERROR_INTERFACE, "the client library libpq is too old: it has no %s, which came with version 14", libpq.missing);
  else alch_error_set(error, ALCH_ERROR_INTERFACE, "the client library libpq.so.5 is not installed (Debian: libpq5)");
  return NULL;
}
