#include "sql/server.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- numbers ---- */

/* Saturated: builds have numbers of any size, and nobody compares them. */
static const char *read_number(const char *at, uint16_t *out) {
  uint32_t number = 0;
  for (; isdigit((unsigned char)*at); at++)
    if (number < UINT16_MAX) number = number * 10 + (uint32_t)(*at - '0');
  *out = number < UINT16_MAX ? (uint16_t)number : UINT16_MAX;
  return at;
}

uint32_t alch_server_numbers(const char *version, const char *prefix, uint16_t *out) {
  uint32_t count = 0;
  memset(out, 0, ALCH_SERVER_NUMBERS * sizeof *out);
  if (!version) return 0;
  if (prefix && strncmp(version, prefix, strlen(prefix)) == 0) version += strlen(prefix);
  version += strcspn(version, "0123456789");
  while (count < ALCH_SERVER_NUMBERS && isdigit((unsigned char)*version)) {
    version = read_number(version, &out[count++]);
    if (*version == '.') version++;
  }
  return count;
}

/* ---- kinds ---- */

static bool has_word(const char *text, const char *word) {
  size_t length = strlen(word);
  for (; *text; text++)
    if (strncasecmp(text, word, length) == 0) return true;
  return false;
}

static bool is_told_by(const alch_server *server, const char *word) {
  return (server->version && has_word(server->version, word)) || (server->product && has_word(server->product, word));
}

/* Which dialect the product's name belongs to; NULL: nobody's. (A version may name anything: the system that the server was built for.) */
static const alch_dialect *kind_of(const char *product) {
  const char *const *names = alch_dialect_names();
  for (size_t i = 0; product && names[i]; i++) {
    const alch_dialect *dialect = alch_dialect_find(names[i]);
    for (const char *const *word = dialect->server_words; word && *word; word++)
      if (has_word(product, *word)) return dialect;
  }
  return NULL;
}

/* ---- records ---- */

static int compare(const alch_dialect *record, const alch_server_record *server) {
  const uint16_t since[] = { record->version_major, record->version_minor, record->version_patch };
  for (uint32_t i = 0; i < server->count && i < sizeof since / sizeof *since; i++)
    if (server->numbers[i] != since[i]) return server->numbers[i] < since[i] ? -1 : 1;
  return 0;
}

/* The newest record of the guests of this kind that is not newer than the server, or the oldest. False: it is none of them. */
static bool find_guest(const alch_dialect *named, const alch_server *server, alch_server_record *out) {
  for (const struct alch_dialect_guest *guest = named->guests; guest && guest->word; guest++) {
    if (out->guest ? strcmp(guest->word, out->guest) != 0 : !is_told_by(server, guest->word)) continue;
    if (!out->guest) out->count = alch_server_numbers(server->version, guest->record->version_prefix, out->numbers);
    out->guest = guest->word;
    out->dialect = guest->record;
    if (compare(guest->record, out) >= 0) return true;
  }
  return out->guest != NULL;
}

static void find_own(const alch_dialect *named, const alch_server *server, alch_server_record *out) {
  out->count = alch_server_numbers(server->version, named->version_prefix, out->numbers);
  const uint16_t *numbers = out->numbers;
  if (out->count > 0) out->dialect = alch_dialect_for_version(named, numbers[0], out->count > 1 ? numbers[1] : UINT16_MAX, out->count > 2 ? numbers[2] : UINT16_MAX);
}

alch_status alch_server_find(const alch_dialect *named, const alch_server *server, alch_server_record *out, alch_error *error) {
  *out = (alch_server_record){ .dialect = named };
  if (!find_guest(named, server, out)) {
    const alch_dialect *kind = kind_of(server->product);
    if (kind && strcmp(kind->name, named->name) != 0)
      return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the URL says %s, but the server (%s%s%s) speaks %s: write %s in the URL", named->name, server->product ? server->product : "",
                            server->product ? " " : "", server->version ? server->version : "", kind->name, kind->name);
    find_own(named, server, out);
  }
  out->too_old = compare(out->dialect, out) < 0;
  return ALCH_OK;
}
