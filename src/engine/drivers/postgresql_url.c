/* What URLs of this database may say. Options are libpq's own connection parameters (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS), which pass through as they are, and one of ours:
   prepared_statements=false, which is for poolers that give each transaction another session. SQLAlchemy's name for it under asyncpg, prepared_statement_cache_size=0, says the same. */
#include "base/map.h"
#include "base/real.h"
#include "engine/drivers/postgresql_private.h"
#include <string.h>
#include <strings.h>

#define SECONDS_MAX 2000000.0
#define TLS_OPTIONS "sslmode=require (encrypted), sslmode=verify-full with sslrootcert (the authority that the server's certificate must be of, which is for its host), sslcert, sslkey and the like of libpq"

/* In the order of the manual. Some are of later versions: an older library refuses them by name. */
static const char *const names[] = {
  "host", "hostaddr", "port", "dbname", "user", "password", "passfile", "require_auth", "channel_binding", "connect_timeout", "client_encoding", "options", "application_name",
  "fallback_application_name", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "gssencmode", "sslmode", "requiressl", "sslnegotiation",
  "sslcompression", "sslcert", "sslkey", "sslpassword", "sslcertmode", "sslrootcert", "sslcrl", "sslcrldir", "sslsni", "requirepeer", "ssl_min_protocol_version", "ssl_max_protocol_version",
  "min_protocol_version", "max_protocol_version", "krbsrvname", "gsslib", "gssdelegation", "service", "target_session_attrs", "load_balance_hosts",
  "prepared_statements", "prepared_statement_cache_size",
};

/* Those that are not for the library, or that are written in another place. */
static const char *const own_names[] = { "host", "client_encoding", "connect_timeout", "prepared_statements", "prepared_statement_cache_size" };

/* Parameters that the URL's own parts are, and those that are said in any case. */
enum { OWN_PARAMETERS = 8 };

typedef struct settings_writer {
  alch_postgresql_settings *out;
  uint32_t count;
  alch_buffer hosts, ports;
  int port;                /* of hosts that have none of their own; 0: the library's */
  bool any_port;
} settings_writer;

static alch_status unknown_option(const char *name, alch_error *error) {
  const char *nearest = alch_nearest(name, names, ALCH_COUNT(names));
  bool tls = strcasestr(name, "ssl") || strcasestr(name, "tls");   /* clients have many words for it */
  if (nearest) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a PostgreSQL URL has no option '%s'; did you mean '%s'?%s%s", name, nearest, tls ? " Of TLS it takes " : "", tls ? TLS_OPTIONS : "");
  if (tls) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a PostgreSQL URL has no option '%s'; of TLS it takes %s", name, TLS_OPTIONS);
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a PostgreSQL URL has no option '%s'; it takes the connection parameters of libpq, such as sslmode, application_name, connect_timeout, options", name);
}

static bool is_known(const char *name) {
  for (size_t i = 0; i < ALCH_COUNT(names); i++)
    if (strcmp(names[i], name) == 0) return true;
  return false;
}

static bool is_utf8(const char *value) {
  return strcasecmp(value, "utf8") == 0 || strcasecmp(value, "utf-8") == 0 || strcasecmp(value, "unicode") == 0;
}

static alch_status read_timeout(const char *value, int64_t *microseconds, alch_error *error) {
  double seconds;
  if (!alch_real_parse(value, strlen(value), &seconds) || !(seconds >= 0 && seconds <= SECONDS_MAX))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "connect_timeout=%s is no number of seconds", value);
  *microseconds = seconds > 0 ? (int64_t)(seconds * 1e6 + 0.5) : -1;
  return ALCH_OK;
}

static bool is_one_of(const char *word, const char *const *words, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcasecmp(words[i], word) == 0) return true;
  return false;
}

static alch_status read_prepares(const alch_url_option *option, bool *nameless, alch_error *error) {
  static const char *const on[] = { "true", "1", "on", "yes" }, *const off[] = { "false", "0", "off", "no" };
  bool size = strcmp(option->name, "prepared_statement_cache_size") == 0, number = strspn(option->value, "0123456789") == strlen(option->value) && *option->value;
  if (!(size ? number : is_one_of(option->value, on, ALCH_COUNT(on)) || is_one_of(option->value, off, ALCH_COUNT(off))))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, size ? "%s=%s: it is a number, and 0 means that no statement is prepared under a name" : "%s=%s: it is true or false", option->name, option->value);
  *nameless = *nameless || (size ? strspn(option->value, "0") == strlen(option->value) : is_one_of(option->value, off, ALCH_COUNT(off)));
  return ALCH_OK;
}

static alch_status check_option(const alch_url *url, uint32_t index, alch_postgresql_settings *out, alch_error *error) {
  const alch_url_option *option = &url->options[index];
  if (!is_known(option->name)) return unknown_option(option->name, error);
  for (uint32_t i = 0; i < index && strcmp(option->name, "host") != 0; i++)
    if (strcmp(url->options[i].name, option->name) == 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the option '%s' is given twice", option->name);
  if (strcmp(option->name, "client_encoding") == 0 && !is_utf8(option->value))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "client_encoding=%s: texts are UTF-8 here; the server converts them from whatever encoding the database has", option->value);
  if (strncmp(option->name, "prepared_statement", strlen("prepared_statement")) == 0) return read_prepares(option, &out->nameless, error);
  return strcmp(option->name, "connect_timeout") == 0 ? read_timeout(option->value, &out->microseconds, error) : ALCH_OK;
}

/* ---- hosts ---- */

static bool is_port(const char *from, const char *end) {
  if (from == end) return false;
  while (from < end && *from >= '0' && *from <= '9') from++;
  return from == end;
}

/* host, host:port, [::1]:port; a folder begins with a slash. */
static void add_host(settings_writer *writer, const char *from, const char *end) {
  bool bracket = from < end && *from == '[';
  const char *close = bracket ? memchr(from, ']', (size_t)(end - from)) : NULL, *colon = end;
  while (colon > from && *colon != ':') colon--;
  bool has_port = colon > from && colon > (close ? close : from) && is_port(colon + 1, end);
  const char *stop = has_port ? colon : end;
  if (close) from++, stop = close;
  alch_buffer_add_bytes(&writer->hosts, from, (size_t)(stop - from));
  if (has_port) alch_buffer_add_bytes(&writer->ports, colon + 1, (size_t)(end - colon - 1));
  else if (writer->port > 0) alch_buffer_add_integer(&writer->ports, writer->port);
  writer->any_port = writer->any_port || has_port;
}

static void add_hosts(settings_writer *writer, const char *list) {
  for (bool more = true; more;) {
    const char *end = strchr(list, ',');
    more = end != NULL;
    if (!more) end = list + strlen(list);
    if (writer->hosts.length > 0) alch_buffer_add_char(&writer->hosts, ','), alch_buffer_add_char(&writer->ports, ',');
    add_host(writer, list, end);
    list = end + 1;
  }
}

static void add(settings_writer *writer, const char *keyword, const char *value) {
  if (!value) return;
  writer->out->keywords[writer->count] = keyword;
  writer->out->values[writer->count++] = value;
}

static alch_status write_hosts(settings_writer *writer, const alch_url *url, alch_error *error) {
  alch_arena *arena = &writer->out->arena;
  writer->port = url->port;
  if (url->port) alch_buffer_add_integer(&writer->ports, url->port);   /* of the host of the URL's own, or of none at all */
  if (url->host && strchr(url->host, ',')) add_hosts(writer, url->host);
  else if (url->host) alch_buffer_add(&writer->hosts, url->host);
  else if (alch_url_option_value(url, "host")) alch_buffer_clear(&writer->ports);
  for (uint32_t i = 0; i < url->option_count; i++)
    if (strcmp(url->options[i].name, "host") == 0) add_hosts(writer, url->options[i].value);
  if (alch_buffer_failed(&writer->hosts) || alch_buffer_failed(&writer->ports)) return alch_error_out_of_memory(error);
  char *hosts = alch_arena_text(arena, alch_buffer_text(&writer->hosts), writer->hosts.length), *ports = alch_arena_text(arena, alch_buffer_text(&writer->ports), writer->ports.length);
  if (!hosts || !ports) return alch_error_out_of_memory(error);
  if (*hosts) add(writer, "host", hosts);
  if (url->port || writer->any_port) add(writer, "port", ports);
  return ALCH_OK;
}

static alch_status write_parameters(settings_writer *writer, const alch_url *url, alch_error *error) {
  size_t room = (url->option_count + OWN_PARAMETERS) * sizeof(char *);
  writer->out->keywords = alch_arena_allocate(&writer->out->arena, room);
  writer->out->values = alch_arena_allocate(&writer->out->arena, room);
  if (!writer->out->keywords || !writer->out->values) return alch_error_out_of_memory(error);
  add(writer, "user", url->user);
  add(writer, "password", url->password);
  add(writer, "dbname", url->database);
  add(writer, "client_encoding", "UTF8");
  add(writer, "fallback_application_name", "lualchemy");
  for (uint32_t i = 0; i < url->option_count; i++) {
    const char *name = url->options[i].name;
    if (!is_one_of(name, own_names, ALCH_COUNT(own_names))) add(writer, name, url->options[i].value);
  }
  return write_hosts(writer, url, error);
}

alch_status alch_postgresql_settings_read(const alch_url *url, const alch_allocator *allocator, alch_postgresql_settings *out, alch_error *error) {
  *out = (alch_postgresql_settings){ .microseconds = ALCH_POSTGRESQL_SECONDS * INT64_C(1000000) };
  alch_arena_init(&out->arena, allocator);
  settings_writer writer = { .out = out };
  alch_buffer_init(&writer.hosts, allocator);
  alch_buffer_init(&writer.ports, allocator);
  alch_status status = ALCH_OK;
  for (uint32_t i = 0; i < url->option_count && status == ALCH_OK; i++) status = check_option(url, i, out, error);
  if (status == ALCH_OK) status = write_parameters(&writer, url, error);
  alch_buffer_close(&writer.hosts);
  alch_buffer_close(&writer.ports);
  if (status != ALCH_OK) alch_arena_clear(&out->arena);
  return status;
}

/* ---- hosts that do not answer ---- */

static const char **value_of(alch_postgresql_settings *settings, const char *keyword) {
  for (uint32_t i = 0; settings->keywords[i]; i++)
    if (strcmp(settings->keywords[i], keyword) == 0) return &settings->values[i];
  return NULL;
}

/* The item at that place of a list with commas: where it begins; NULL behind the last. */
static const char *item_at(const char *list, uint32_t place, size_t *length) {
  for (; list && place > 0; place--) {
    list = strchr(list, ',');
    if (list) list++;
  }
  if (list) *length = strcspn(list, ",");
  return list;
}

/* An item that is empty is the library's default, whatever that is. */
static bool is_item(const char *list, uint32_t place, const char *said) {
  size_t length = 0;
  const char *item = item_at(list, place, &length);
  return !item || length == 0 || (strlen(said) == length && memcmp(item, said, length) == 0);
}

static bool remove_item(alch_arena *arena, const char **list, uint32_t place) {
  size_t length, before;
  const char *item = item_at(*list, place, &length);
  if (!item || !strchr(*list, ',')) return true;   /* one port is that of every host */
  before = (size_t)(item - *list);
  if (item[length] == ',') length++;
  else length++, before--;                         /* the last one goes with the comma in front of it */
  char *left = alch_arena_text(arena, *list, strlen(*list));
  if (!left) return false;
  memmove(left + before, left + before + length, strlen(*list) - before - length + 1);
  *list = left;
  return true;
}

bool alch_postgresql_settings_drop(alch_postgresql_settings *settings, const char *host, const char *port) {
  const char **hosts = value_of(settings, "host"), **ports = value_of(settings, "port");
  size_t length;
  if (!hosts || !strchr(*hosts, ',') || !host || !port || value_of(settings, "hostaddr")) return false;
  for (uint32_t place = 0; item_at(*hosts, place, &length); place++) {
    if (length == 0 || !is_item(*hosts, place, host) || (ports && strchr(*ports, ',') && !is_item(*ports, place, port))) continue;
    return remove_item(&settings->arena, hosts, place) && (!ports || remove_item(&settings->arena, ports, place));
  }
  return false;
}

alch_status alch_postgresql_check(const alch_driver *driver, const alch_url *url, alch_error *error) {
  alch_postgresql_settings settings;
  (void)driver;
  alch_status status = alch_postgresql_settings_read(url, &alch_allocator_standard, &settings, error);
  if (status != ALCH_OK) return status;
  alch_arena_clear(&settings.arena);
  return alch_libpq_open(error) ? ALCH_OK : ALCH_ERROR;
}
