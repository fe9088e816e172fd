/* plain_host.h - a host for specs of the ORM's core: objects by malloc, kept until the end; the identity map is a plain map; what a load emits is written down.
   A spec writes #include "plain_host.c". One plain_host serves any number of sessions, one after another or together. */
#ifndef PLAIN_HOST_H
#define PLAIN_HOST_H

#include "orm/session.h"

enum { PLAIN_PLACES = 8 };

/* One row as it was emitted: at each place an object or a value (text copied). */
typedef struct plain_row {
  alch_object *objects[PLAIN_PLACES];
  alch_value values[PLAIN_PLACES];
  uint32_t count;
} plain_row;

typedef struct plain_host {
  alch_host host;                     /* first: give the core this */
  alch_map identities;                /* session, mapper, key -> object */
  void **blocks;                      /* everything to be freed at the end */
  uint32_t block_count, block_capacity;
  plain_row *rows;
  uint32_t row_count, row_capacity;
  plain_row row;                      /* under way */
  bool whole_rows;                    /* a row ends with emit_row; otherwise each emit is a row */
  uint32_t held;                      /* strong references there are */
  uint32_t next_anchor;
  uint32_t made, found;               /* calls of object_new; of identity_find that answered an object */
  uint32_t events[ALCH_EVENT_COUNT], session_events[ALCH_SESSION_EVENT_COUNT], attribute_events, related_events;
  alch_status answer;                 /* of the next call of the user's code (ALCH_HOST_ERROR: it fails); back to ALCH_OK after it */
  alch_status (*on_object_event)(struct plain_host *plain, alch_object_event event, alch_object *object);    /* or NULL */
  alch_status (*on_session_event)(struct plain_host *plain, alch_session_event event, alch_session *session);
  alch_value default_answer;          /* of default functions */
  uint32_t defaults;                  /* how often they were asked */
  void *context;                      /* the spec's own */
} plain_host;

void plain_host_open(plain_host *plain);
/* Frees all objects and lists: close the sessions first. */
void plain_host_close(plain_host *plain);
/* A new transient object, all slots unset. */
alch_object *plain_object(plain_host *plain, const alch_mapper *mapper);
/* Forgets the rows that were emitted. */
void plain_host_clear(plain_host *plain);
/* How many objects there are in the identity map. */
uint32_t plain_identity_count(const plain_host *plain);
/* As a collector would: everything in the identity map that is not held leaves it (the memory stays until the end). */
void plain_host_collect(plain_host *plain);

#endif
