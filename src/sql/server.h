/* server.h - which record of which dialect a server wants, by what it says of itself. Nothing here owns anything. */
#ifndef ALCH_SERVER_H
#define ALCH_SERVER_H

#include "sql/dialect.h"

/* A server's own words, borrowed. */
typedef struct alch_server {
  const char *product;             /* its name, where it tells it apart from the version: "Microsoft SQL Server"; NULL: it does not */
  const char *version;             /* as it writes it: "15.3 (Debian 15.3-1)", "5.5.5-10.11.6-MariaDB"; NULL or without a digit: it tells none */
} alch_server;

enum { ALCH_SERVER_NUMBERS = 4 };
typedef struct alch_server_record {
  const alch_dialect *dialect;
  uint16_t numbers[ALCH_SERVER_NUMBERS];   /* of its version: 10, 11, 6 */
  uint32_t count;                          /* how many there are; 0: unknown, and the record is the newest */
  const char *guest;                       /* the word by which its own kind is known (alch_dialect.guests), NULL: it is of the dialect's own */
  bool too_old;                            /* older than the oldest record, which is what `dialect` is then */
} alch_server_record;

/* named: the dialect that the URL names. A server of another dialect is an INVALID_REQUEST error that says what to write. */
alch_status alch_server_find(const alch_dialect *named, const alch_server *server, alch_server_record *out, alch_error *error);
/* The numbers of a version, as many as there are (at most ALCH_SERVER_NUMBERS); prefix: what may stand before them and is none of it, or NULL. */
uint32_t alch_server_numbers(const char *version, const char *prefix, uint16_t *out);

#endif
