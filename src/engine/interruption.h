/* interruption.h - statements that nobody waits for any more: the server is told to end them, by a thread where that takes a connection of its own. */
#ifndef ALCH_INTERRUPTION_H
#define ALCH_INTERRUPTION_H

#include <stdint.h>

/* What it takes to tell the server. It uses nothing of the connection that it was made of, which may be gone by then, nor its allocator. */
typedef struct alch_interruption {
  void (*run)(struct alch_interruption *interruption);   /* once; frees it; may block, in whatever thread. What cannot be interrupted goes on */
} alch_interruption;

/* Runs it in a thread, which is waited for so long at most. A process that ends waits for such threads, one second at most. */
void alch_interruption_send(alch_interruption *interruption, int64_t microseconds);

#endif
