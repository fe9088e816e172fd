/* Connecting without blocking, and what concerns a connection as a whole. Names of hosts are looked up by the library before it starts to connect; that is the one thing that may block. */
#include "base/map.h"
#include "engine/drivers/postgresql_private.h"
#include "engine/engine.h"
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Dates in ISO's form and intervals in one that is read here, whatever the server, the database or the role has as its default. */
#define STYLES_TEXT "SELECT set_config('DateStyle', 'ISO', false), set_config('IntervalStyle', 'postgres', false)"

enum { UNASKED_READS = 4 };   /* its last words, and the end behind them, with room for a notice before */

static void free_connection(alch_driver_connection *connection) {
  const alch_allocator *allocator = connection->allocator;
  if (connection->cancel) connection->library->PQfreeCancel(connection->cancel);
  alch_postgresql_drop_messages(connection);
  if (connection->handle) connection->library->PQfinish(connection->handle);
  alch_free(allocator, connection->forgotten, connection->forgotten_capacity * sizeof *connection->forgotten);
  alch_free(allocator, connection->leaving, connection->leaving_capacity * sizeof *connection->leaving);
  alch_free(allocator, connection->learned, connection->learned_capacity * sizeof *connection->learned);
  alch_free(allocator, connection->begin, connection->begin_size);
  alch_error_close(&connection->copy_failure);
  alch_arena_clear(&connection->settings.arena);
  alch_free(allocator, connection, sizeof *connection);
}

void alch_postgresql_close(alch_driver_connection *connection) {
  free_connection(connection);
}

/* The library would tell the server that the session ends: what it writes goes nowhere. */
void alch_postgresql_abandon_connection(alch_driver_connection *connection) {
  int descriptor = connection->library->PQsocket(connection->handle), nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0) return;
  if (descriptor >= 0) dup2(nowhere, descriptor);
  close(nowhere);
  free_connection(connection);
}

static alch_status start_connecting(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  const alch_postgresql_settings *settings = &connection->settings;
  connection->handle = library->PQconnectStartParams(settings->keywords, settings->values, 0);
  if (!connection->handle) return alch_error_out_of_memory(error);
  library->PQsetNoticeReceiver(connection->handle, alch_postgresql_take_notice, connection);
  connection->polling = PGRES_POLLING_WRITING;
  connection->deadline = settings->microseconds < 0 ? INT64_MAX : alch_clock_microseconds() + settings->microseconds;
  if (library->PQstatus(connection->handle) != CONNECTION_BAD) return ALCH_WAIT;
  alch_postgresql_fail_connection(connection, NULL, error);
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

alch_status alch_postgresql_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error) {
  (void)driver;
  *out = NULL;
  const alch_libpq *library = alch_libpq_open(error);
  if (!library) return ALCH_ERROR;
  alch_postgresql_settings settings;
  if (alch_postgresql_settings_read(url, allocator, &settings, error) != ALCH_OK) return ALCH_ERROR;
  alch_driver_connection *connection = alch_allocate_zeroed(allocator, sizeof *connection);
  if (!connection) {
    alch_arena_clear(&settings.arena);
    return alch_error_out_of_memory(error);
  }
  connection->allocator = allocator;
  connection->library = library;
  connection->settings = settings;
  connection->nameless = settings.nameless;
  alch_error_init(&connection->copy_failure, allocator);
  alch_status status = start_connecting(connection, error);
  if (status == ALCH_WAIT) *out = connection;
  else free_connection(connection);
  return status;
}

static bool is_iso(alch_driver_connection *connection) {
  const char *dates = connection->library->PQparameterStatus(connection->handle, "DateStyle"), *intervals = connection->library->PQparameterStatus(connection->handle, "IntervalStyle");
  return (!dates || strncmp(dates, "ISO", 3) == 0) && (!intervals || strcmp(intervals, "postgres") == 0 || strcmp(intervals, "iso_8601") == 0);
}

static uint32_t make_salt(const alch_driver_connection *connection) {
  const struct { const void *address; int64_t now, process, session; } parts = { connection, alch_clock_microseconds(), getpid(), connection->library->PQbackendPID(connection->handle) };
  return (uint32_t)alch_hash(&parts, sizeof parts, 0);
}

static alch_status connected(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  if (library->PQsetnonblocking(connection->handle, 1) != 0) return alch_postgresql_fail_connection(connection, NULL, error);
  connection->cancel = library->PQgetCancel(connection->handle);
  connection->session = library->SSL_pending ? library->PQsslStruct(connection->handle, "OpenSSL") : NULL;
  connection->salt = make_salt(connection);
  connection->connected = true;
  connection->polling = PGRES_POLLING_OK;
  alch_arena_clear(&connection->settings.arena);
  if (library->PQenterPipelineMode(connection->handle) != 1) return alch_postgresql_fail_connection(connection, NULL, error);
  if (is_iso(connection)) return ALCH_OK;
  if (library->PQsendQueryParams(connection->handle, STYLES_TEXT, 0, NULL, NULL, NULL, NULL, 0) != 1 || library->PQpipelineSync(connection->handle) != 1)
    return alch_postgresql_fail_connection(connection, NULL, error);
  connection->styles = true;
  return ALCH_WAIT;
}

/* Has TLS opened a record of which the library has taken but a part? */
static bool holds_back(const alch_driver_connection *connection) { return connection->session && connection->library->SSL_pending(connection->session) > 0; }

int alch_postgresql_read(alch_driver_connection *connection) {
  int well = connection->library->PQconsumeInput(connection->handle);
  while (well == 1 && ALCH_UNLIKELY(holds_back(connection))) well = connection->library->PQconsumeInput(connection->handle);
  return well;
}

/* The answer to STYLES_TEXT. */
static alch_status read_styles(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  connection->flushing = library->PQflush(connection->handle) > 0;
  if (alch_postgresql_read(connection) != 1) return alch_postgresql_fail_connection(connection, NULL, error);
  while (!library->PQisBusy(connection->handle)) {
    PGresult *result = library->PQgetResult(connection->handle);
    int status = result ? library->PQresultStatus(result) : PGRES_COMMAND_OK;
    bool failed = status == PGRES_FATAL_ERROR;
    if (failed) alch_postgresql_fail(connection, result, error);
    if (result) library->PQclear(result);
    if (failed) return ALCH_ERROR;
    if (status == PGRES_PIPELINE_SYNC) {
      connection->styles = connection->flushing = false;
      return ALCH_OK;
    }
  }
  return ALCH_WAIT;
}

static alch_status out_of_time(alch_driver_connection *connection, alch_error *error) {
  const char *said = connection->library->PQerrorMessage(connection->handle);
  alch_error_set(error, ALCH_ERROR_OPERATIONAL, "no connection to the server in the time that connect_timeout allows (%d seconds where the URL says nothing)%s%s", ALCH_POSTGRESQL_SECONDS,
                 *said ? "; the last that was heard: " : "", said);
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

/* A host that has not answered is left out, and the others are asked: the time holds for each, as it does where the library itself waits. Those before it that have refused are asked again, since
   target_session_attrs may have passed over one that will do. */
static alch_status leave_host(alch_driver_connection *connection, alch_error *error) {
  const alch_libpq *library = connection->library;
  if (connection->connected || !alch_postgresql_settings_drop(&connection->settings, library->PQhost(connection->handle), library->PQport(connection->handle))) return out_of_time(connection, error);
  library->PQfinish(connection->handle);
  return start_connecting(connection, error);
}

alch_status alch_postgresql_connect_poll(alch_driver_connection *connection, alch_error *error) {
  if (alch_clock_microseconds() >= connection->deadline) return leave_host(connection, error);
  if (connection->styles) return read_styles(connection, error);
  connection->polling = connection->library->PQconnectPoll(connection->handle);
  if (connection->polling == PGRES_POLLING_OK) return connected(connection, error);
  if (connection->polling != PGRES_POLLING_FAILED) return ALCH_WAIT;
  alch_postgresql_fail_connection(connection, NULL, error);
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

void alch_postgresql_waits_for(alch_driver_connection *connection, alch_wait *out) {
  *out = (alch_wait){ .descriptor = connection->library->PQsocket(connection->handle), .events = ALCH_WAIT_READ, .microseconds = -1 };
  bool connecting = !connection->connected || connection->styles;
  if (!connection->connected) out->events = connection->polling == PGRES_POLLING_READING ? ALCH_WAIT_READ : ALCH_WAIT_WRITE;
  else if (connection->flushing) out->events = ALCH_WAIT_READ | ALCH_WAIT_WRITE;
  if (!connecting || connection->deadline == INT64_MAX) return;
  int64_t left = connection->deadline - alch_clock_microseconds();
  out->microseconds = left > 0 ? left : 0;
}

/* A server that ends a session says so and closes it, which is to be read without waiting. What else comes unasked, notices and the like, the library keeps. */
bool alch_postgresql_alive(alch_driver_connection *connection) {
  const alch_libpq *library = connection->library;
  struct pollfd one = { .fd = library->PQsocket(connection->handle), .events = POLLIN };
  bool idle = connection->connected && !connection->busy && one.fd >= 0;
  for (int reads = 0; idle && reads < UNASKED_READS && poll(&one, 1, 0) > 0; reads++) idle = alch_postgresql_read(connection) == 1;
  return library->PQstatus(connection->handle) == CONNECTION_OK;
}

/* The new way works under TLS as well. Both open a connection of their own to the server, and wait for it. */
static PGcancelConn *encrypted_cancel(const alch_driver_connection *connection) {
  const alch_libpq *library = connection->library;
  bool known = library->PQcancelCreate && library->PQcancelBlocking && library->PQcancelFinish;
  return known && library->PQsslInUse(connection->handle) ? library->PQcancelCreate(connection->handle) : NULL;
}

static void send_cancel(const alch_libpq *library, PGcancel *plain, PGcancelConn *encrypted) {
  char message[256];
  if (encrypted) library->PQcancelBlocking(encrypted);
  else if (plain) library->PQcancel(plain, message, sizeof message);
  if (encrypted) library->PQcancelFinish(encrypted);
}

void alch_postgresql_interrupt(alch_driver_connection *connection) {
  send_cancel(connection->library, connection->cancel, encrypted_cancel(connection));
}

typedef struct interruption {
  alch_interruption base;
  const alch_libpq *library;
  PGcancel *plain;
  PGcancelConn *encrypted;
} interruption;

static void interrupt(alch_interruption *base) {
  interruption *self = (interruption *)base;
  send_cancel(self->library, self->plain, self->encrypted);
  if (self->plain) self->library->PQfreeCancel(self->plain);
  alch_free(&alch_allocator_standard, self, sizeof *self);
}

alch_interruption *alch_postgresql_interruption(alch_driver_connection *connection) {
  interruption *self = connection->busy ? alch_allocate(&alch_allocator_standard, sizeof *self) : NULL;
  if (!self) return NULL;
  *self = (interruption){ .base = { interrupt }, .library = connection->library, .encrypted = encrypted_cancel(connection) };
  if (!self->encrypted) self->plain = connection->library->PQgetCancel(connection->handle);
  return &self->base;
}

/* CockroachDB tells of itself under a name of its own, and of the version of PostgreSQL that it imitates under the usual one. */
void alch_postgresql_server(alch_driver_connection *connection, alch_server *out) {
  const alch_libpq *library = connection->library;
  *out = (alch_server){ .product = library->PQparameterStatus(connection->handle, "crdb_version"), .version = library->PQparameterStatus(connection->handle, "server_version") };
}
