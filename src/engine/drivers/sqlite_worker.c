/* The same database on a thread for each connection (?worker=1), for hosts that must not stand still while it works. */
#include "engine/drivers/sqlite_private.h"
#include "engine/drivers/worker.h"

static const alch_driver on_thread = {
  .name = "sqlite",
  .dialect = "sqlite",
  .scatters_keys = ALCH_SQLITE_SCATTERS_KEYS,
  .check = alch_sqlite_check,
  .lives_in_connection = alch_sqlite_settings_private,
  ALCH_WORKER_FUNCTIONS,
  .inner = &alch_driver_sqlite,
  .embedded = &alch_worker_embedded,
};

const alch_driver *alch_sqlite_choose(const alch_url *url) {
  alch_sqlite_settings settings;
  return alch_sqlite_settings_read(url, &settings, NULL) == ALCH_OK && settings.worker ? &on_thread : &alch_driver_sqlite;
}
