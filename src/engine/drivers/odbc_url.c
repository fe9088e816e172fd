/* From a URL to a connection string: name={value};name={value}, with } doubled in values. */
#include "base/map.h"
#include "engine/drivers/odbc_private.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_DEFAULT 10
#define CONNECT_TIMEOUT_MAX 100000

/* Keywords of drivers' connection strings that go through as they are; case does not matter. Whoever needs another says all of the string as odbc_connect. */
static const char *const keywords[] = {
  /* SQL Server: Microsoft's and FreeTDS */
  "Encrypt", "TrustServerCertificate", "HostNameInCertificate", "Trusted_Connection", "Authentication", "ApplicationIntent", "MultiSubnetFailover", "MARS_Connection", "APP", "WSID", "Language",
  "ServerSPN", "ConnectRetryCount", "ConnectRetryInterval", "Failover_Partner", "ColumnEncryption", "TDS_Version", "ClientCharset", "Instance",
  /* Oracle */
  "DBQ", "TNS", "FBS", "MTS", "FRC", "FDL", "LOB", "MDI", "BNF", "QTO",
  /* PostgreSQL */
  "SSLmode", "ReadOnly", "Protocol", "Fetch", "BoolsAsChar", "TextAsLongVarchar", "UnknownsAsLongVarchar", "MaxVarcharSize", "MaxLongVarcharSize", "UseDeclareFetch", "UseServerSidePrepare",
  "ByteaAsLongVarBinary", "LowerCaseIdentifier", "ConnSettings", "KeepaliveTime", "KeepaliveInterval", "pqopt", "BatchSize", "IgnoreTimeout",
  /* MySQL and MariaDB */
  "Socket", "Option", "Charset", "InitStmt", "SSLCert", "SSLKey", "SSLCA", "SSLVerify", "ForceTLS", "Plugin_Dir",
  /* SQLite */
  "Timeout", "SyncPragma", "JournalMode", "FKSupport", "LongNames", "NoTXN", "NoCreat", "StepAPI", "BigInt", "LoadExt", "NoWCHAR",
};

static const char *const own[] = { "driver", "dsn", "odbc_connect", "connect_timeout", "isolation_level" };

static const struct isolation_row { const char *name; uint32_t bit; } isolations[] = {
  { "READ UNCOMMITTED", 1 }, { "READ COMMITTED", 2 }, { "REPEATABLE READ", 4 }, { "SERIALIZABLE", 8 },
};

static bool is_among(const char *name, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcasecmp(list[i], name) == 0) return true;
  return false;
}

static alch_status unknown_option(const char *name, alch_error *error) {
  const char *known[ALCH_COUNT(own) + ALCH_COUNT(keywords)];
  memcpy(known, own, sizeof own);
  memcpy(known + ALCH_COUNT(own), keywords, sizeof keywords);
  const char *nearest = alch_nearest(name, known, ALCH_COUNT(known));
  if (nearest) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "an ODBC URL has no option '%s'; did you mean '%s'?", name, nearest);
  return alch_error_set(error, ALCH_ERROR_ARGUMENT,
                        "an ODBC URL has no option '%s'; there are driver, dsn, connect_timeout, isolation_level and the drivers' usual keywords; others go into odbc_connect, which is the whole connection string",
                        name);
}

static alch_status read_timeout(const char *value, alch_odbc_settings *out, alch_error *error) {
  char *end;
  unsigned long seconds = strtoul(value, &end, 10);
  if (*value < '0' || *value > '9' || *end || seconds > CONNECT_TIMEOUT_MAX) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "connect_timeout=%s is no whole number of seconds", value);
  out->connect_timeout = (uint32_t)seconds;
  return ALCH_OK;
}

static alch_status read_isolation(const char *value, alch_odbc_settings *out, alch_error *error) {
  for (size_t i = 0; i < ALCH_COUNT(isolations); i++)
    if (strcasecmp(isolations[i].name, value) == 0) out->isolation = isolations[i].bit;
  if (out->isolation) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "isolation_level=%s is none of READ UNCOMMITTED, READ COMMITTED, REPEATABLE READ, SERIALIZABLE", value);
}

static alch_status check_option(const alch_url *url, uint32_t index, alch_odbc_settings *out, alch_error *error) {
  const alch_url_option *option = &url->options[index];
  for (uint32_t i = 0; i < index; i++)
    if (strcasecmp(url->options[i].name, option->name) == 0) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "the option '%s' is given twice", option->name);
  if (strcmp(option->name, "connect_timeout") == 0) return read_timeout(option->value, out, error);
  if (strcmp(option->name, "isolation_level") == 0) return read_isolation(option->value, out, error);
  bool known = is_among(option->name, own, ALCH_COUNT(own)) || is_among(option->name, keywords, ALCH_COUNT(keywords));
  return known ? ALCH_OK : unknown_option(option->name, error);
}

/* ---- writing ---- */

static void add_raw(alch_buffer *out, const char *name, const char *value) {
  if (out->length > 0) alch_buffer_add_char(out, ';');
  alch_buffer_add(out, name);
  alch_buffer_add_char(out, '=');
  alch_buffer_add(out, value);
}

/* Braces only where they are needed: some drivers take them for a part of the value. */
static bool is_plain(const char *value) {
  for (; *value; value++)
    if (strchr("[]{}(),;?*=!@ \t\r\n\\'\"", *value)) return false;
  return true;
}

static void add(alch_buffer *out, const char *name, const char *value) {
  if (!value) return;
  if (is_plain(value) && strcasecmp(name, "Driver") != 0) {
    add_raw(out, name, value);
    return;
  }
  add_raw(out, name, "{");
  for (; *value; value++) {
    if (*value == '}') alch_buffer_add_char(out, '}');
    alch_buffer_add_char(out, *value);
  }
  alch_buffer_add_char(out, '}');
}

static void add_place(alch_buffer *out, const alch_url *url, const alch_odbc_quirks *quirks) {
  char port[16] = "";
  alch_buffer digits;
  alch_buffer_init(&digits, out->allocator);
  alch_buffer_add_integer(&digits, url->port);
  if (url->port && digits.length < sizeof port) memcpy(port, alch_buffer_text(&digits), digits.length + 1);
  alch_buffer_close(&digits);
  if (quirks->place == ALCH_ODBC_PLACE_SERVICE && url->host) {
    add_raw(out, "DBQ", "//");
    alch_buffer_add(out, url->host);
    if (*port) alch_buffer_add_char(out, ':'), alch_buffer_add(out, port);
    if (url->database) alch_buffer_add_char(out, '/'), alch_buffer_add(out, url->database);
    return;
  }
  if (quirks->place == ALCH_ODBC_PLACE_SERVICE) {
    add(out, "DBQ", url->database);
    return;
  }
  if (url->host) add(out, "Server", url->host);
  if (*port && url->host && quirks->place == ALCH_ODBC_PLACE_COMMA) alch_buffer_add_char(out, ','), alch_buffer_add(out, port);
  else if (*port) add(out, "Port", port);
  add(out, "Database", url->database);
}

/* What the dialect's databases want, unless the URL has a word of its own for it. */
static void add_defaults(alch_buffer *out, const alch_url *url, const char *defaults) {
  while (defaults && *defaults) {
    const char *end = strchr(defaults, ';'), *equals = strchr(defaults, '=');
    size_t length = end ? (size_t)(end - defaults) : strlen(defaults), name = (size_t)(equals - defaults);
    bool said = false;
    for (uint32_t i = 0; i < url->option_count; i++) said = said || (strlen(url->options[i].name) == name && strncasecmp(url->options[i].name, defaults, name) == 0);
    if (!said) alch_buffer_add_char(out, ';'), alch_buffer_add_bytes(out, defaults, length);
    defaults = end ? end + 1 : NULL;
  }
}

static alch_status write_string(const alch_url *url, alch_odbc_settings *out, alch_error *error) {
  alch_buffer *text = &out->connection_string;
  const char *driver = alch_url_option_value(url, "driver"), *dsn = alch_url_option_value(url, "dsn"), *raw = alch_url_option_value(url, "odbc_connect");
  if (raw) {
    if (driver || dsn || url->host || url->database || url->user)
      return alch_error_set(error, ALCH_ERROR_ARGUMENT, "odbc_connect is the whole connection string: no driver, dsn, host, database or user stands beside it");
    alch_buffer_add(text, raw);
    return ALCH_OK;
  }
  if (driver && dsn) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "an ODBC URL names a driver or a dsn, not both");
  bool host_is_dsn = !driver && !dsn && url->host && !url->port && !url->database;
  if (!driver && !dsn && !host_is_dsn)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "an ODBC URL names its driver, as odbcinst -q -d lists them (?driver=ODBC+Driver+18+for+SQL+Server), a data source (?dsn=name), or all of it (?odbc_connect=...)");
  if (driver) add(text, "Driver", driver);
  else add(text, "DSN", dsn ? dsn : url->host);
  if (!host_is_dsn) add_place(text, url, out->quirks);
  add(text, "UID", url->user);
  add(text, "PWD", url->password);
  for (uint32_t i = 0; i < url->option_count; i++)
    if (!is_among(url->options[i].name, own, ALCH_COUNT(own))) add(text, url->options[i].name, url->options[i].value);
  if (driver) add_defaults(text, url, out->quirks->keywords);
  return ALCH_OK;
}

alch_status alch_odbc_settings_read(const alch_url *url, const alch_allocator *allocator, alch_odbc_settings *out, alch_error *error) {
  alch_status status = ALCH_OK;
  *out = (alch_odbc_settings){ .connect_timeout = CONNECT_TIMEOUT_DEFAULT, .quirks = alch_odbc_quirks_find(url) };
  alch_buffer_init(&out->connection_string, allocator);
  for (uint32_t i = 0; i < url->option_count && status == ALCH_OK; i++) status = check_option(url, i, out, error);
  if (status == ALCH_OK) status = write_string(url, out, error);
  if (status == ALCH_OK && alch_buffer_failed(&out->connection_string)) status = alch_error_out_of_memory(error);
  if (status != ALCH_OK) alch_buffer_close(&out->connection_string);
  return status;
}

alch_status alch_odbc_check(const alch_driver *driver, const alch_url *url, alch_error *error) {
  alch_odbc_settings settings;
  (void)driver;
  alch_status status = alch_odbc_settings_read(url, &alch_allocator_standard, &settings, error);
  if (status != ALCH_OK) return status;
  alch_buffer_close(&settings.connection_string);
  return alch_odbc_open(error) ? ALCH_OK : ALCH_ERROR;
}
