#include "engine/url.h"
#include "base/map.h"
#include "engine/driver.h"
#include "sql/dialect.h"
#include <string.h>

/* What is left to read. */
typedef struct url_reader {
  alch_url *url;
  const char *next, *end;
  alch_error *error;
} url_reader;

static alch_status malformed(alch_error *error, const char *what) {
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s; a URL reads dialect[+driver]://user:password@host:port/database?option=value", what);
}

static const char *find(const char *from, const char *end, char wanted) {
  return from < end ? memchr(from, wanted, (size_t)(end - from)) : NULL;
}

/* The nearest of several characters, or the end. */
static const char *find_any(const char *from, const char *end, const char *wanted) {
  while (from < end && !strchr(wanted, *from)) from++;
  return from;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* One character, decoded, or -1. */
static int decode_one(const char **from, const char *end, bool in_query) {
  char c = *(*from)++;
  if (c == '+' && in_query) return ' ';
  if (c != '%') return (unsigned char)c;
  int high = end - *from >= 2 ? hex_digit((*from)[0]) : -1, low = high >= 0 ? hex_digit((*from)[1]) : -1;
  if (low < 0) return -1;
  *from += 2;
  return high * 16 + low;
}

/* The text, percent-decoded, in the URL's arena. */
static alch_status decode(url_reader *reader, const char *from, const char *end, bool in_query, const char **out) {
  char *text = alch_arena_text(&reader->url->arena, from, (size_t)(end - from));
  if (!text) return alch_error_out_of_memory(reader->error);
  char *to = text;
  while (from < end) {
    int c = decode_one(&from, end, in_query);
    if (c < 0) return malformed(reader->error, "a percent sign stands in front of two hexadecimal digits (%25 is the sign itself)");
    if (c == 0) return malformed(reader->error, "no part of a URL may hold a zero byte");
    *to++ = (char)c;
  }
  *to = '\0';
  *out = text;
  return ALCH_OK;
}

static bool is_word(const char *text) {
  if (!*text) return false;
  for (; *text; text++)
    if (!((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') || *text == '_')) return false;
  return true;
}

/* All words that a scheme may be: drivers first, then dialects. */
static uint32_t known_schemes(const char **out, uint32_t room) {
  uint32_t count = 0;
  for (const char *const *name = alch_driver_names(); *name && count < room; name++) out[count++] = *name;
  for (const char *const *name = alch_dialect_names(); *name && count < room; name++) out[count++] = *name;
  return count;
}

static alch_status check_scheme(const char *scheme, alch_error *error) {
  const char *known[64];
  uint32_t count = known_schemes(known, ALCH_COUNT(known));
  for (uint32_t i = 0; i < count; i++)
    if (strcmp(known[i], scheme) == 0) return ALCH_OK;
  const alch_driver *driver = alch_driver_in_place_of(scheme);
  if (driver) return alch_error_set(error, ALCH_ERROR_NO_SUCH_MODULE, driver->dialect ? "'%s' is a driver of Python's; write %s:// alone" : "'%s' is a driver of Python's; write %s in its place", scheme,
                                   driver->dialect ? driver->dialect : driver->name);
  const char *nearest = alch_nearest(scheme, known, count);
  if (nearest) return alch_error_set(error, ALCH_ERROR_NO_SUCH_MODULE, "there is no dialect or driver '%s'; did you mean '%s'?", scheme, nearest);
  return alch_error_set(error, ALCH_ERROR_NO_SUCH_MODULE, "there is no dialect or driver '%s'", scheme);
}

static alch_status read_scheme_word(url_reader *reader, const char *from, const char *end, const char **out) {
  char *word = alch_arena_text(&reader->url->arena, from, (size_t)(end - from));
  if (!word) return alch_error_out_of_memory(reader->error);
  for (char *c = word; *c; c++)
    if (*c >= 'A' && *c <= 'Z') *c |= 0x20;
  if (!is_word(word) || strlen(word) != (size_t)(end - from)) return malformed(reader->error, "a scheme is made of letters, digits and underscores");
  *out = word;
  return check_scheme(word, reader->error);
}

static alch_status read_scheme(url_reader *reader) {
  const char *colon = find(reader->next, reader->end, ':');
  if (!colon || reader->end - colon < 3 || memcmp(colon, "://", 3) != 0) return malformed(reader->error, "this is no URL: '://' is missing");
  const char *plus = find(reader->next, colon, '+');
  alch_status status = read_scheme_word(reader, reader->next, plus ? plus : colon, &reader->url->dialect);
  if (status == ALCH_OK && plus) status = read_scheme_word(reader, plus + 1, colon, &reader->url->driver);
  reader->next = colon + 3;
  return status;
}

static alch_status read_user(url_reader *reader, const char *from, const char *at) {
  const char *colon = find(from, at, ':');
  alch_status status = decode(reader, from, colon ? colon : at, false, &reader->url->user);
  if (status == ALCH_OK && colon) status = decode(reader, colon + 1, at, false, &reader->url->password);
  return status;
}

static alch_status read_port(url_reader *reader, const char *from, const char *end) {
  int port = 0;
  for (; from < end && *from >= '0' && *from <= '9' && port <= 65535; from++) port = port * 10 + (*from - '0');
  if (from < end || port < 1 || port > 65535) return malformed(reader->error, "a port is a number from 1 to 65535");
  reader->url->port = port;
  return ALCH_OK;
}

/* Where the host ends and its port begins. An IPv6 address stands in brackets; in a list of hosts each has its own port, which stays in the list. */
static const char *end_of_host(const char *from, const char *end) {
  if (find(from, end, ',')) return end;
  const char *bracket = *from == '[' ? find(from, end, ']') : NULL;
  const char *colon = find(bracket ? bracket : from, end, ':');
  return colon ? colon : end;
}

static alch_status read_host(url_reader *reader, const char *from, const char *end) {
  if (from == end) return ALCH_OK;
  const char *stop = end_of_host(from, end);
  alch_status status = ALCH_OK;
  if (stop < end) status = read_port(reader, stop + 1, end);
  if (status != ALCH_OK || stop == from) return status;
  if (*from == '[' && stop[-1] == ']') return decode(reader, from + 1, stop - 1, false, &reader->url->host);
  return decode(reader, from, stop, false, &reader->url->host);
}

static alch_status read_authority(url_reader *reader) {
  const char *from = reader->next, *end = find_any(from, reader->end, "/?"), *at = NULL;
  for (const char *next = from; (next = find(next, end, '@')); next++) at = next;
  reader->next = end;
  alch_status status = ALCH_OK;
  if (at) status = read_user(reader, from, at);
  return status == ALCH_OK ? read_host(reader, at ? at + 1 : from, end) : status;
}

static alch_status read_database(url_reader *reader) {
  if (reader->next == reader->end || *reader->next != '/') return ALCH_OK;
  const char *from = reader->next + 1;
  reader->next = find_any(from, reader->end, "?");
  return from == reader->next ? ALCH_OK : decode(reader, from, reader->next, false, &reader->url->database);
}

static uint32_t count_options(const char *from, const char *end) {
  uint32_t count = 1;
  while ((from = find(from, end, '&'))) from++, count++;
  return count;
}

static alch_status read_option(url_reader *reader, const char *from, const char *end, alch_url_option *option) {
  const char *equals = find(from, end, '=');
  if (!equals || equals == from) return malformed(reader->error, "options are name=value, with & between them");
  alch_status status = decode(reader, from, equals, true, &option->name);
  return status == ALCH_OK ? decode(reader, equals + 1, end, true, &option->value) : status;
}

static alch_status read_options(url_reader *reader) {
  if (reader->next == reader->end || reader->end - reader->next == 1) return ALCH_OK;
  alch_url *url = reader->url;
  const char *from = reader->next + 1;
  url->options = alch_arena_allocate(&url->arena, count_options(from, reader->end) * sizeof *url->options);
  if (!url->options) return alch_error_out_of_memory(reader->error);
  for (bool more = true; more; url->option_count++) {
    const char *end = find_any(from, reader->end, "&");
    alch_status status = read_option(reader, from, end, &url->options[url->option_count]);
    if (status != ALCH_OK) return status;
    more = end < reader->end;
    from = end + 1;
  }
  return ALCH_OK;
}

alch_status alch_url_parse(alch_url *url, const char *text, size_t length, const alch_allocator *allocator, alch_error *error) {
  *url = (alch_url){ .dialect = NULL };
  alch_arena_init(&url->arena, allocator);
  url_reader reader = { url, text, text + length, error };
  alch_status status = read_scheme(&reader);
  if (status == ALCH_OK) status = read_authority(&reader);
  if (status == ALCH_OK) status = read_database(&reader);
  if (status == ALCH_OK) status = read_options(&reader);
  if (status != ALCH_OK) alch_url_close(url);
  return status;
}

void alch_url_close(alch_url *url) {
  alch_arena arena = url->arena;
  alch_arena_clear(&arena);
  *url = (alch_url){ .arena = arena };
}

const char *alch_url_option_value(const alch_url *url, const char *name) {
  for (uint32_t i = 0; i < url->option_count; i++)
    if (strcmp(url->options[i].name, name) == 0) return url->options[i].value;
  return NULL;
}

const char *alch_url_take_option(alch_url *url, const char *name) {
  const char *value = alch_url_option_value(url, name);
  uint32_t kept = 0;
  for (uint32_t i = 0; value && i < url->option_count; i++)
    if (strcmp(url->options[i].name, name) != 0) url->options[kept++] = url->options[i];
  if (value) url->option_count = kept;
  return value;
}

/* Letters, digits and what stands for itself in every part; `more` is what else does in this one. */
static void encode(alch_buffer *out, const char *text, const char *more) {
  static const char digits[] = "0123456789ABCDEF";
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) || strchr(more, c);
    if (plain || c >= 0x80) {
      alch_buffer_add_char(out, (char)c);
    } else {
      char escape[3] = { '%', digits[c >> 4], digits[c & 15] };
      alch_buffer_add_bytes(out, escape, sizeof escape);
    }
  }
}

static void print_user(const alch_url *url, bool hide_password, alch_buffer *out) {
  if (!url->user) return;
  encode(out, url->user, "");
  if (url->password) alch_buffer_add_char(out, ':');
  if (url->password && hide_password) alch_buffer_add(out, "***");
  if (url->password && !hide_password) encode(out, url->password, "");
  alch_buffer_add_char(out, '@');
}

static void print_host(const alch_url *url, alch_buffer *out) {
  bool address = url->host && strchr(url->host, ':') && !strchr(url->host, ',');
  if (address) alch_buffer_add_char(out, '[');
  if (url->host) encode(out, url->host, ":,");
  if (address) alch_buffer_add_char(out, ']');
  if (url->port) {
    alch_buffer_add_char(out, ':');
    alch_buffer_add_integer(out, url->port);
  }
}

void alch_url_print(const alch_url *url, bool hide_password, alch_buffer *out) {
  alch_buffer_add(out, url->dialect);
  if (url->driver) {
    alch_buffer_add_char(out, '+');
    alch_buffer_add(out, url->driver);
  }
  alch_buffer_add(out, "://");
  print_user(url, hide_password, out);
  print_host(url, out);
  if (url->database) {
    alch_buffer_add_char(out, '/');
    encode(out, url->database, "/:,@");
  }
  for (uint32_t i = 0; i < url->option_count; i++) {
    alch_buffer_add_char(out, i == 0 ? '?' : '&');
    encode(out, url->options[i].name, "");
    alch_buffer_add_char(out, '=');
    encode(out, url->options[i].value, "/:,");
  }
}
