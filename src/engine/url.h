/* url.h - dialect[+driver]://user:password@host:port/database?option=value
   Parts are percent-decoded. The record owns its texts (arena); alch_url_close frees them. */
#ifndef ALCH_URL_H
#define ALCH_URL_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

typedef struct alch_url_option { const char *name, *value; } alch_url_option;

typedef struct alch_url {
  alch_arena arena;
  const char *dialect, *driver;                    /* driver: NULL when not given */
  const char *user, *password, *host, *database;   /* NULL when absent; SQLite: sqlite:// and sqlite:///:memory: are memory, sqlite:///a.db relative, sqlite:////a.db absolute */
  int port;                                        /* 0 when absent */
  alch_url_option *options;
  uint32_t option_count;
} alch_url;

/* ARGUMENT errors say what a URL looks like and, for an unknown scheme, name the nearest known one (NO_SUCH_MODULE). */
alch_status alch_url_parse(alch_url *url, const char *text, size_t length, const alch_allocator *allocator, alch_error *error);
void alch_url_close(alch_url *url);
const char *alch_url_option_value(const alch_url *url, const char *name);    /* NULL when absent */
/* The same, and the URL has it no longer; the text lives as long as the URL. */
const char *alch_url_take_option(alch_url *url, const char *name);
/* As text again, the password as *** when hidden. */
void alch_url_print(const alch_url *url, bool hide_password, alch_buffer *out);

#endif
