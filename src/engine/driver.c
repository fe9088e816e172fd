#include "engine/driver.h"
#include "base/map.h"
#include "sql/dialect.h"
#include <string.h>

#define ALCH_DRIVER(symbol, name) extern const alch_driver alch_driver_##symbol;
#include "engine/drivers/drivers.def"
#undef ALCH_DRIVER

static const alch_driver *const drivers[] = {
#define ALCH_DRIVER(symbol, name) &alch_driver_##symbol,
#include "engine/drivers/drivers.def"
#undef ALCH_DRIVER
};

static const char *const names[] = {
#define ALCH_DRIVER(symbol, name) name,
#include "engine/drivers/drivers.def"
#undef ALCH_DRIVER
  NULL
};

const char *const *alch_driver_names(void) {
  return names;
}

const alch_driver *alch_driver_find(const char *name) {
  for (size_t i = 0; i < ALCH_COUNT(drivers); i++)
    if (strcmp(names[i], name) == 0) return drivers[i];
  return NULL;
}

const alch_driver *alch_driver_in_place_of(const char *python) {
  for (size_t i = 0; i < ALCH_COUNT(drivers); i++)
    for (const char *const *name = drivers[i]->python; name && *name; name++)
      if (strcmp(*name, python) == 0) return drivers[i];
  return NULL;
}

const char *alch_driver_advise(const alch_driver_advice *rows, size_t count, const char *message) {
  for (size_t i = 0; i < count; i++)
    if (strstr(message, rows[i].words)) return rows[i].advice;
  return "";
}

/* Every required function of the table, so that the check is a list and not a page of conditions. */
#define REQUIRED_FUNCTIONS(X) \
  X(connect) X(connect_poll) X(waits_for) X(close) X(prepare) X(finalize) X(start) X(poll) X(row) X(finish) \
  X(column_count) X(column_name) X(changes) X(in_transaction) X(alive)

alch_status alch_driver_validate(const alch_driver *driver, alch_error *error) {
  const char *missing = driver->name && *driver->name ? NULL : "name";
#define CHECK_FUNCTION(function) if (!driver->function && !missing) missing = #function;
  REQUIRED_FUNCTIONS(CHECK_FUNCTION)
#undef CHECK_FUNCTION
  if (!missing) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INTERFACE, "the driver '%s' has no %s", driver->name ? driver->name : "?", missing);
}

/* The driver that stands at one place of the scheme, when it serves the dialect at the other place. */
static const alch_driver *serving(const char *name, const char *dialect) {
  const alch_driver *driver = alch_driver_find(name);
  if (!driver || !alch_dialect_find(dialect)) return NULL;
  return !driver->dialect || strcmp(driver->dialect, dialect) == 0 ? driver : NULL;
}

/* A driver for users (which Python has under some name too) that any dialect can go through, or NULL. */
static const char *serving_all(void) {
  for (size_t i = 0; i < ALCH_COUNT(drivers); i++)
    if (!drivers[i]->dialect && drivers[i]->python) return names[i];
  return NULL;
}

static alch_status unresolved(const alch_url *url, alch_error *error) {
  if (url->driver) return alch_error_set(error, ALCH_ERROR_NO_SUCH_MODULE, "no driver serves %s+%s://", url->dialect, url->driver);
  if (alch_driver_find(url->dialect))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the driver '%s' serves any dialect: name one, as in %s+dialect://", url->dialect, url->dialect);
  const char *other = serving_all();
  if (other) return alch_error_set(error, ALCH_ERROR_NO_SUCH_MODULE, "the dialect '%s' has no driver of its own: write %s+%s://", url->dialect, url->dialect, other);
  return alch_error_set(error, ALCH_ERROR_NO_SUCH_MODULE, "the dialect '%s' has no driver", url->dialect);
}

alch_status alch_driver_resolve(const alch_url *url, const alch_driver **driver, const char **dialect, alch_error *error) {
  *dialect = url->dialect;
  *driver = url->driver ? serving(url->driver, url->dialect) : alch_driver_find(url->dialect);
  if (!*driver && url->driver) {
    *driver = serving(url->dialect, url->driver);
    *dialect = url->driver;
  }
  if (!url->driver && *driver) *dialect = (*driver)->dialect;
  return *driver && *dialect && alch_dialect_find(*dialect) ? ALCH_OK : unresolved(url, error);
}
