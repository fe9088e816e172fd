/* A driver that compiles and refuses everything: copy it for a new one, add a line to drivers.def, and replace the functions
   from the top. driver.h says what each has to keep to. */
#include "engine/driver.h"

static alch_status refuse(alch_error *error, const char *what) {
  return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED, "the skeleton driver cannot %s: it is a pattern for new drivers", what);
}

static alch_status skeleton_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out,
                                    alch_error *error) {
  (void)driver, (void)url, (void)allocator;
  *out = NULL;
  return refuse(error, "connect");
}

static alch_status skeleton_connect_poll(alch_driver_connection *connection, alch_error *error) {
  (void)connection;
  return refuse(error, "connect");
}

/* Called after a function answered ALCH_WAIT. */
static void skeleton_waits_for(alch_driver_connection *connection, alch_wait *out) {
  (void)connection;
  *out = (alch_wait){ .descriptor = -1, .microseconds = 0 };
}

static void skeleton_close(alch_driver_connection *connection) {
  (void)connection;
}

static alch_status skeleton_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error) {
  (void)connection, (void)sql, (void)length, (void)types, (void)count;
  *out = NULL;
  return refuse(error, "prepare a statement");
}

static void skeleton_finalize(alch_driver_statement *statement) {
  (void)statement;
}

static alch_status skeleton_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error) {
  (void)statement, (void)values, (void)count;
  return refuse(error, "execute a statement");
}

static alch_status skeleton_poll(alch_driver_statement *statement, alch_error *error) {
  (void)statement;
  return refuse(error, "execute a statement");
}

static alch_status skeleton_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error) {
  (void)statement, (void)out, (void)count;
  return refuse(error, "read a row");
}

static void skeleton_finish(alch_driver_statement *statement) {
  (void)statement;
}

static uint32_t skeleton_column_count(alch_driver_statement *statement) {
  (void)statement;
  return 0;
}

static const char *skeleton_column_name(alch_driver_statement *statement, uint32_t column) {
  (void)statement, (void)column;
  return "";
}

static int64_t skeleton_changes(alch_driver_statement *statement) {
  (void)statement;
  return -1;
}

static bool skeleton_in_transaction(alch_driver_connection *connection) {
  (void)connection;
  return false;
}

static bool skeleton_alive(alch_driver_connection *connection) {
  (void)connection;
  return false;
}

extern const alch_driver alch_driver_skeleton;

const alch_driver alch_driver_skeleton = {
  .name = "skeleton",
  .connect = skeleton_connect,
  .connect_poll = skeleton_connect_poll,
  .waits_for = skeleton_waits_for,
  .close = skeleton_close,
  .prepare = skeleton_prepare,
  .finalize = skeleton_finalize,
  .start = skeleton_start,
  .poll = skeleton_poll,
  .row = skeleton_row,
  .finish = skeleton_finish,
  .column_count = skeleton_column_count,
  .column_name = skeleton_column_name,
  .changes = skeleton_changes,
  .in_transaction = skeleton_in_transaction,
  .alive = skeleton_alive,
};
