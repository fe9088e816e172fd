/* What URLs of these databases may say: the names of Connector/C's options in the words that other clients have for them, and what every session begins with. */
#include "base/map.h"
#include "base/real.h"
#include "engine/drivers/mysql_private.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECONDS_MAX 2000000.0

/* Errors where other modes store something else; the rest is as MariaDB has it by default. What the server's own mode says of quotes and backslashes does not count: the dialect writes them one way. */
#define SQL_MODE "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION"
#define TIME_ZONE "+00:00"

typedef enum option_kind {
  TEXT,      /* the library takes the text */
  TLS_TEXT,  /* likewise; who gives it wants TLS */
  TRUTH,     /* 1 or 0 */
  TLS_TRUTH, /* likewise; read_tls makes of it what the library is told */
  SECONDS,   /* whole */
  BYTES,
  OWN        /* not the library's */
} option_kind;

typedef struct option_row {
  const char *name;
  option_kind kind;
  int option;              /* MYSQL_ */
} option_row;

static const option_row rows[] = {
  { "charset", OWN, 0 }, { "connect_timeout", OWN, 0 }, { "unix_socket", OWN, 0 }, { "init_command", OWN, 0 }, { "sql_mode", OWN, 0 }, { "time_zone", OWN, 0 }, { "found_rows", OWN, 0 },
  { "read_timeout", SECONDS, MYSQL_OPT_READ_TIMEOUT }, { "write_timeout", SECONDS, MYSQL_OPT_WRITE_TIMEOUT },
  { "ssl", TLS_TRUTH, 0 }, { "ssl_verify_cert", TLS_TRUTH, 0 }, { "ssl_ca", TLS_TEXT, MYSQL_OPT_SSL_CA }, { "ssl_capath", TLS_TEXT, MYSQL_OPT_SSL_CAPATH },
  { "ssl_cert", TLS_TEXT, MYSQL_OPT_SSL_CERT }, { "ssl_key", TLS_TEXT, MYSQL_OPT_SSL_KEY }, { "ssl_cipher", TLS_TEXT, MYSQL_OPT_SSL_CIPHER }, { "ssl_crl", TLS_TEXT, MYSQL_OPT_SSL_CRL },
  { "ssl_crlpath", TLS_TEXT, MYSQL_OPT_SSL_CRLPATH }, { "tls_version", TLS_TEXT, MYSQL_OPT_TLS_VERSION }, { "server_public_key", TEXT, MYSQL_SERVER_PUBLIC_KEY },
  { "compress", TRUTH, MYSQL_OPT_COMPRESS }, { "bind_address", TEXT, MYSQL_OPT_BIND }, { "plugin_dir", TEXT, MYSQL_PLUGIN_DIR }, { "default_auth", TEXT, MYSQL_DEFAULT_AUTH },
  { "read_default_file", TEXT, MYSQL_READ_DEFAULT_FILE }, { "read_default_group", TEXT, MYSQL_READ_DEFAULT_GROUP }, { "max_allowed_packet", BYTES, MYSQL_OPT_MAX_ALLOWED_PACKET },
};

static const option_row *find_row(const char *name) {
  for (size_t i = 0; i < ALCH_COUNT(rows); i++)
    if (strcmp(rows[i].name, name) == 0) return &rows[i];
  return NULL;
}

static alch_status unknown_option(const char *name, alch_error *error) {
  const char *names[ALCH_COUNT(rows)];
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) names[i] = rows[i].name;
  const char *nearest = alch_nearest(name, names, ALCH_COUNT(names));
  if (strcasestr(name, "ssl") || strcasestr(name, "tls"))   /* clients have many words for it */
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a MySQL or MariaDB URL has no option '%s'; of TLS it takes ssl=1 (encrypted), ssl_ca (the authority that the server's certificate must be of, which is for its host), "
                          "ssl_verify_cert, ssl_cert, ssl_key, ssl_capath, ssl_cipher, ssl_crl, ssl_crlpath, tls_version", name);
  if (nearest) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a MySQL or MariaDB URL has no option '%s'; did you mean '%s'?", name, nearest);
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a MySQL or MariaDB URL has no option '%s'; it takes unix_socket, connect_timeout, ssl, ssl_ca, init_command and their like", name);
}

static bool read_truth(const char *text, bool *out) {
  *out = strcasecmp(text, "1") == 0 || strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 || strcasecmp(text, "on") == 0;
  return *out || strcasecmp(text, "0") == 0 || strcasecmp(text, "false") == 0 || strcasecmp(text, "no") == 0 || strcasecmp(text, "off") == 0;
}

static bool read_number(const char *text, unsigned long *out) {
  char *end;
  if (*text < '0' || *text > '9' || strlen(text) > 10) return false;
  *out = strtoul(text, &end, 10);
  return *end == '\0';
}

static bool fits(const option_row *row, const char *value) {
  bool truth;
  unsigned long number;
  if (row->kind == TRUTH || row->kind == TLS_TRUTH) return read_truth(value, &truth);
  return row->kind == SECONDS || row->kind == BYTES ? read_number(value, &number) : true;
}

static alch_status read_timeout(const char *value, int64_t *microseconds, alch_error *error) {
  double seconds;
  if (!alch_real_parse(value, strlen(value), &seconds) || !(seconds >= 0 && seconds <= SECONDS_MAX))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "connect_timeout=%s is no number of seconds", value);
  *microseconds = seconds > 0 ? (int64_t)(seconds * 1e6 + 0.5) : -1;
  return ALCH_OK;
}

static alch_status check_option(const alch_url *url, uint32_t index, alch_error *error) {
  static const char *const kinds[] = { [TEXT] = "a text", [TLS_TEXT] = "a text", [TRUTH] = "1 or 0", [TLS_TRUTH] = "1 or 0", [SECONDS] = "a whole number of seconds", [BYTES] = "a number of bytes", [OWN] = "" };
  const alch_url_option *option = &url->options[index];
  const option_row *row = find_row(option->name);
  if (!row) return unknown_option(option->name, error);
  for (uint32_t i = 0; i < index; i++)
    if (strcmp(url->options[i].name, option->name) == 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the option '%s' is given twice", option->name);
  if (fits(row, option->value)) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s=%s: it takes %s", option->name, option->value, kinds[row->kind]);
}

/* A word that a SET may have in quotes. */
static bool is_quotable(const char *text) { return !strpbrk(text, "'\"\\"); }

static int64_t limit_of(const alch_url *url, const char *option) {
  unsigned long seconds = 0;
  const char *value = alch_url_option_value(url, option);
  if (value) read_number(value, &seconds);
  return (int64_t)seconds * 1000000;
}

static alch_status read_own(const alch_url *url, alch_mysql_settings *out, alch_error *error) {
  const char *charset = alch_url_option_value(url, "charset"), *timeout = alch_url_option_value(url, "connect_timeout"), *found = alch_url_option_value(url, "found_rows");
  const char *mode = alch_url_option_value(url, "sql_mode"), *zone = alch_url_option_value(url, "time_zone");
  bool finds = true;
  if (charset && strcasecmp(charset, "utf8mb4") != 0)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "charset=%s: texts are UTF-8 here, all of it (utf8mb4); the server converts them from whatever its tables have", charset);
  if (timeout && read_timeout(timeout, &out->microseconds, error) != ALCH_OK) return ALCH_ERROR;
  if (found && !read_truth(found, &finds)) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "found_rows=%s: it takes 1 (an UPDATE counts the rows that it finds) or 0 (those that it changes)", found);
  if ((mode && !is_quotable(mode)) || (zone && !is_quotable(zone))) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "sql_mode and time_zone have no quotes or backslashes in them");
  out->read_limit = limit_of(url, "read_timeout");
  out->write_limit = limit_of(url, "write_timeout");
  out->flags = finds ? CLIENT_FOUND_ROWS : 0;
  out->socket = alch_url_option_value(url, "unix_socket");
  out->init_command = alch_url_option_value(url, "init_command");
  return ALCH_OK;
}

/* The library passes over a version that it does not know. */
static bool are_versions(const char *list) {
  static const char *const known[] = { "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3" };
  for (const char *at = list;; at++) {
    size_t length = strcspn(at, ","), i = 0;
    while (i < ALCH_COUNT(known) && (strlen(known[i]) != length || strncmp(known[i], at, length) != 0)) i++;
    if (i == ALCH_COUNT(known)) return false;
    at += length;
    if (!*at) return true;
  }
}

/* Whoever says something of TLS wants it, and whoever names an authority wants the server's certificate to be of it, and for the host of the URL, as with PyMySQL. */
static alch_status read_tls(const alch_url *url, alch_mysql_settings *out, alch_error *error) {
  const char *ssl = alch_url_option_value(url, "ssl"), *verifies = alch_url_option_value(url, "ssl_verify_cert"), *versions = alch_url_option_value(url, "tls_version"), *asks = NULL;
  bool wanted = false;
  out->verifies = alch_url_option_value(url, "ssl_ca") || alch_url_option_value(url, "ssl_capath");
  if (verifies) read_truth(verifies, &out->verifies);
  if (verifies && out->verifies) asks = "ssl_verify_cert=1";
  for (uint32_t i = 0; i < url->option_count; i++)
    if (find_row(url->options[i].name)->kind == TLS_TEXT) asks = url->options[i].name;
  if (ssl) read_truth(ssl, &wanted);
  if (ssl && !wanted && asks) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "ssl=0 and %s contradict each other: with TLS leave out ssl=0, without it %s", asks, asks);
  if (versions && !are_versions(versions)) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "tls_version=%s: it takes TLSv1.0, TLSv1.1, TLSv1.2, TLSv1.3, or several with commas between them", versions);
  out->plain = ssl && !wanted;
  out->tls = wanted || asks;
  return ALCH_OK;
}

static const char *keep(alch_mysql_settings *out, const char *text, bool *failed) {
  const char *kept = text ? alch_arena_text(&out->arena, text, strlen(text)) : NULL;
  if (text && !kept) *failed = true;
  return kept;
}

static bool keep_options(const alch_url *url, alch_mysql_settings *out) {
  bool failed = false;
  alch_url_option *options = url->option_count > 0 ? alch_arena_allocate(&out->arena, url->option_count * sizeof *options) : NULL;
  if (url->option_count > 0 && !options) return false;
  for (uint32_t i = 0; i < url->option_count; i++) options[i] = (alch_url_option){ keep(out, url->options[i].name, &failed), keep(out, url->options[i].value, &failed) };
  out->options = options;
  out->option_count = url->option_count;
  return !failed;
}

static bool write_session(const alch_url *url, alch_mysql_settings *out, const alch_allocator *allocator) {
  const char *mode = alch_url_option_value(url, "sql_mode"), *zone = alch_url_option_value(url, "time_zone");
  bool failed = false;
  alch_buffer text;
  alch_buffer_init(&text, allocator);
  alch_buffer_add_format(&text, "SET sql_mode='%s', time_zone='%s'", mode ? mode : SQL_MODE, zone ? zone : TIME_ZONE);
  failed = alch_buffer_failed(&text);
  if (!failed) out->session = keep(out, alch_buffer_text(&text), &failed);
  alch_buffer_close(&text);
  return !failed;
}

static alch_status keep_all(const alch_url *url, const alch_allocator *allocator, alch_mysql_settings *out, alch_error *error) {
  bool failed = false;
  out->host = keep(out, out->socket ? NULL : url->host, &failed);
  out->user = keep(out, url->user, &failed);
  out->password = keep(out, url->password, &failed);
  out->database = keep(out, url->database, &failed);
  out->socket = keep(out, out->socket, &failed);
  out->init_command = keep(out, out->init_command, &failed);
  out->port = (unsigned int)url->port;
  if (failed || !keep_options(url, out) || !write_session(url, out, allocator)) return alch_error_out_of_memory(error);
  return ALCH_OK;
}

alch_status alch_mysql_settings_read(const alch_url *url, const alch_allocator *allocator, alch_mysql_settings *out, alch_error *error) {
  *out = (alch_mysql_settings){ .microseconds = ALCH_MYSQL_SECONDS * INT64_C(1000000) };
  alch_arena_init(&out->arena, allocator);
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < url->option_count && status == ALCH_OK; i++) status = check_option(url, i, error);
  if (status == ALCH_OK) status = read_own(url, out, error);
  if (status == ALCH_OK) status = read_tls(url, out, error);
  if (status == ALCH_OK) status = keep_all(url, allocator, out, error);
  if (status != ALCH_OK) alch_arena_clear(&out->arena);
  return status;
}

alch_status alch_mysql_check(const alch_driver *driver, const alch_url *url, alch_error *error) {
  alch_mysql_settings settings;
  (void)driver;
  alch_status status = alch_mysql_settings_read(url, &alch_allocator_standard, &settings, error);
  if (status != ALCH_OK) return status;
  alch_arena_clear(&settings.arena);
  return alch_libmariadb_open(error) ? ALCH_OK : ALCH_ERROR;
}

/* ---- telling the library ---- */

static int apply(const option_row *row, const char *value, const alch_libmariadb *library, MYSQL *handle) {
  bool truth = false;
  char flag;
  unsigned long number = 0;
  unsigned int small;
  switch (row->kind) {
    case TEXT: case TLS_TEXT: return library->mysql_options(handle, row->option, value);
    case TRUTH:
      read_truth(value, &truth);
      flag = truth;
      return row->option == MYSQL_OPT_COMPRESS && !truth ? 0 : library->mysql_options(handle, row->option, &flag);
    case SECONDS:
      read_number(value, &number);
      small = (unsigned int)number;
      return library->mysql_options(handle, row->option, &small);
    case BYTES:
      read_number(value, &number);
      return library->mysql_options(handle, row->option, &number);
    default: return 0;
  }
}

/* Versions of the library differ in what they do where nothing is said. */
static int apply_tls(const alch_mysql_settings *settings, const alch_libmariadb *library, MYSQL *handle) {
  const char on = settings->tls, verifies = settings->verifies;
  if (!settings->tls) return settings->plain ? library->mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &on) : 0;
  return library->mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &on) + library->mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies);
}

bool alch_mysql_settings_apply(const alch_mysql_settings *settings, const alch_libmariadb *library, MYSQL *handle) {
  const unsigned int off = 0, tcp = MYSQL_PROTOCOL_TCP;
  int failures = library->mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4") != 0;
  failures += library->mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &off) != 0;
  /* the library takes "localhost" for the socket, even with a port */
  if (settings->host && settings->port) failures += library->mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp) != 0;
  for (uint32_t i = 0; i < settings->option_count; i++) failures += apply(find_row(settings->options[i].name), settings->options[i].value, library, handle) != 0;
  failures += apply_tls(settings, library, handle) != 0;
  failures += library->mysql_options(handle, MYSQL_INIT_COMMAND, settings->session) != 0;
  if (settings->init_command) failures += library->mysql_options(handle, MYSQL_INIT_COMMAND, settings->init_command) != 0;
  return failures == 0;
}
