/* Connecting without blocking, and what concerns a connection as a whole. Names of hosts are looked up by the library before it starts to connect; that is the one thing that may block. */
#include "engine/drivers/mysql_private.h"
#include "engine/engine.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)256 << 10)    /* of the library's calls; TLS needs more than it takes by itself */
#define INTERRUPT_SECONDS 5u

static void free_connection(alch_driver_connection *connection) {
  const alch_allocator *allocator = connection->allocator;
  if (connection->handle) {
    alch_mysql_break(connection);
    if (alch_mysql_settle(connection) == ALCH_WAIT) {
      alch_mysql_break(connection);
      alch_mysql_settle(connection);
    }
    connection->library->mysql_close(connection->handle);
  }
  alch_arena_clear(&connection->settings.arena);
  alch_free(allocator, connection, sizeof *connection);
}

void alch_mysql_close(alch_driver_connection *connection) {
  free_connection(connection);
}

static alch_status refuse_server(const alch_driver_connection *connection, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_INTERFACE, "the server is no MariaDB but MySQL %s: write mysql:// in the URL instead of %s://", connection->library->mysql_get_server_info(connection->handle),
                        connection->driver->name);
}

/* The library goes on without TLS where the server has none, unless it is to look at a certificate. */
static alch_status refuse_plain(alch_error *error) {
  alch_error_set(error, ALCH_ERROR_OPERATIONAL, "the URL asks for TLS, and the server has none" ALCH_MYSQL_NO_TLS);
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

static alch_status out_of_time(alch_error *error) {
  alch_error_set(error, ALCH_ERROR_OPERATIONAL, "no connection to the server in the time that connect_timeout allows (%d seconds where the URL says nothing)", ALCH_MYSQL_SECONDS);
  if (error) error->disconnected = true;
  return ALCH_ERROR;
}

/* The library's socket blocks: it reads and writes with a flag that says not to, of which OpenSSL, that does so in its place, knows nothing. The library looks at the mode no more once it is connected; before
   that it would take a moment's wait for the end of the handshake, so that this one blocks. */
static bool make_unblocking(const alch_driver_connection *connection) {
  int descriptor = connection->library->mysql_get_socket(connection->handle), flags = descriptor >= 0 ? fcntl(descriptor, F_GETFL) : -1;
  return flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
}

static alch_status connected(alch_driver_connection *connection, alch_error *error) {
  const alch_libmariadb *library = connection->library;
  if (!connection->answer.handle && alch_clock_microseconds() >= connection->deadline) return out_of_time(error);   /* in the handshake of TLS */
  if (!connection->answer.handle) {
    alch_mysql_fail(connection, NULL, error);
    if (error) error->disconnected = true;
    return ALCH_ERROR;
  }
  bool encrypted = library->mysql_get_ssl_cipher(connection->handle) != NULL;
  if (connection->settings.tls && !encrypted) return refuse_plain(error);
  if (encrypted && !make_unblocking(connection)) return alch_error_set(error, ALCH_ERROR_OPERATIONAL, "the socket to the server cannot be told not to block");
  if (strcmp(connection->driver->name, "mariadb") == 0 && !library->mariadb_connection(connection->handle)) return refuse_server(connection, error);
  connection->thread = library->mysql_thread_id(connection->handle);
  connection->connected = true;
  return ALCH_OK;
}

alch_status alch_mysql_connect_poll(alch_driver_connection *connection, alch_error *error) {
  if (alch_clock_microseconds() >= connection->deadline) return out_of_time(error);
  alch_status status = alch_mysql_advance(connection, ALCH_MYSQL_CONNECT, NULL);
  return status == ALCH_OK ? connected(connection, error) : status;
}

/* The handshake of TLS blocks, and no longer than this. */
static bool limit_handshake(const alch_driver_connection *connection) {
  int64_t microseconds = connection->settings.microseconds;
  const unsigned int seconds = microseconds < 0 ? 0 : (unsigned int)((microseconds + 999999) / 1000000);
  return connection->library->mysql_options(connection->handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds) == 0;
}

static alch_status start_connecting(alch_driver_connection *connection, alch_error *error) {
  const size_t stack = STACK_BYTES;
  connection->handle = connection->library->mysql_init(NULL);
  if (!connection->handle) return alch_error_out_of_memory(error);
  if (!alch_mysql_settings_apply(&connection->settings, connection->library, connection->handle)) return alch_error_out_of_memory(error);
  if (connection->settings.tls && !limit_handshake(connection)) return alch_error_out_of_memory(error);
  if (connection->library->mysql_options(connection->handle, MYSQL_OPT_NONBLOCK, &stack) != 0) return alch_mysql_fail(connection, NULL, error);
  connection->deadline = connection->settings.microseconds < 0 ? INT64_MAX : alch_clock_microseconds() + connection->settings.microseconds;
  return alch_mysql_connect_poll(connection, error);
}

alch_status alch_mysql_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error) {
  *out = NULL;
  const alch_libmariadb *library = alch_libmariadb_open(error);
  if (!library) return ALCH_ERROR;
  alch_mysql_settings settings;
  if (alch_mysql_settings_read(url, allocator, &settings, error) != ALCH_OK) return ALCH_ERROR;
  alch_driver_connection *connection = alch_allocate_zeroed(allocator, sizeof *connection);
  if (!connection) {
    alch_arena_clear(&settings.arena);
    return alch_error_out_of_memory(error);
  }
  connection->allocator = allocator;
  connection->library = library;
  connection->driver = driver;
  connection->settings = settings;
  alch_status status = start_connecting(connection, error);
  if (status >= 0) *out = connection;
  else free_connection(connection);
  return status;
}

/* A server that has closed the connection says so by what there is to read: nothing else may come unasked. */
bool alch_mysql_alive(alch_driver_connection *connection) {
  if (connection->gone || !connection->connected) return false;
  if (connection->call != ALCH_MYSQL_NONE || connection->dropped || connection->current || connection->flowing) return true;
  struct pollfd one = { .fd = connection->library->mysql_get_socket(connection->handle), .events = POLLIN };
  return one.fd >= 0 && poll(&one, 1, 0) == 0;
}

/* What the library would say goodbye on is another file by then, so that the parent's session hears nothing. */
void alch_mysql_abandon(alch_driver_connection *connection) {
  int descriptor = connection->library->mysql_get_socket(connection->handle), nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (descriptor >= 0 && nowhere >= 0) dup2(nowhere, descriptor);
  if (nowhere >= 0) close(nowhere);
  alch_mysql_break(connection);
  connection->dropped = connection->closing = connection->flowing = NULL;
  while (connection->statements) alch_mysql_statement_free(connection->statements);
  free_connection(connection);
}

alch_status alch_mysql_ping(alch_driver_connection *connection, alch_error *error) {
  alch_status status = alch_mysql_make_way(connection, NULL, error);
  if (status == ALCH_OK) status = alch_mysql_advance(connection, ALCH_MYSQL_PING, NULL);
  if (status != ALCH_OK || connection->answer.number == 0) return status;
  return alch_mysql_fail(connection, NULL, error);
}

typedef struct interruption {
  alch_interruption base;
  alch_arena arena;                        /* holds this record */
  const alch_libmariadb *library;
  MYSQL *handle;
  const char *host, *user, *password, *socket;
  unsigned int port;
  unsigned long thread;
} interruption;

static void drop(interruption *self) {
  alch_arena arena = self->arena;
  if (self->handle) self->library->mysql_close(self->handle);
  alch_arena_clear(&arena);
}

/* KILL QUERY over a connection of its own. Nothing is said when that fails. */
static void interrupt(alch_interruption *base) {
  interruption *self = (interruption *)base;
  char sql[48];
  if (self->library->mysql_real_connect(self->handle, self->host, self->user, self->password, NULL, self->port, self->socket, 0)) {
    int length = snprintf(sql, sizeof sql, "KILL QUERY %lu", self->thread);
    self->library->mysql_real_query(self->handle, sql, (unsigned long)length);
  }
  drop(self);
}

static bool copy_text(alch_arena *arena, const char *text, const char **out) {
  *out = text ? alch_arena_text(arena, text, strlen(text)) : NULL;
  return *out || !text;
}

static bool prepare_interruption(interruption *self, const alch_mysql_settings *settings) {
  const unsigned int seconds = INTERRUPT_SECONDS;
  const alch_libmariadb *library = self->library;
  bool copied = copy_text(&self->arena, settings->host, &self->host) && copy_text(&self->arena, settings->user, &self->user) && copy_text(&self->arena, settings->password, &self->password) &&
                copy_text(&self->arena, settings->socket, &self->socket);
  self->handle = copied ? library->mysql_init(NULL) : NULL;
  return self->handle && alch_mysql_settings_apply(settings, library, self->handle) && library->mysql_options(self->handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds) == 0 &&
         library->mysql_options(self->handle, MYSQL_OPT_READ_TIMEOUT, &seconds) == 0;
}

static alch_interruption *make_interruption(const alch_driver_connection *connection) {
  alch_arena arena;
  alch_arena_init(&arena, &alch_allocator_standard);
  interruption *self = connection->connected ? alch_arena_allocate(&arena, sizeof *self) : NULL;
  if (!self) return NULL;
  *self = (interruption){ .base = { interrupt }, .arena = arena, .library = connection->library, .port = connection->settings.port, .thread = connection->thread };
  if (prepare_interruption(self, &connection->settings)) return &self->base;
  drop(self);
  return NULL;
}

alch_interruption *alch_mysql_interruption(alch_driver_connection *connection) {
  return connection->call != ALCH_MYSQL_NONE ? make_interruption(connection) : NULL;
}

void alch_mysql_interrupt(alch_driver_connection *connection) {
  alch_interruption *made = make_interruption(connection);
  if (made) made->run(made);
}

/* The library knows a MariaDB by more than its version, which has lost the prefix of old times here. */
void alch_mysql_server(alch_driver_connection *connection, alch_server *out) {
  const alch_libmariadb *library = connection->library;
  *out = (alch_server){ .product = library->mariadb_connection(connection->handle) ? "MariaDB" : "MySQL", .version = library->mysql_get_server_info(connection->handle) };
}
