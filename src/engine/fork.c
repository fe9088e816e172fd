/* A process knows itself by the number of forks between it and the first: cheaper to ask than getpid. Children made without fork (a raw clone) are not noticed. */
#include "engine/private.h"

static atomic_uint fork_serial;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void note_child(void) {
  atomic_fetch_add_explicit(&fork_serial, 1, memory_order_relaxed);
}

static void watch(void) {
  pthread_atfork(NULL, NULL, note_child);
}

void alch_process_watch(void) {
  pthread_once(&fork_once, watch);
}

uint32_t alch_process_serial(void) {
  return atomic_load_explicit(&fork_serial, memory_order_relaxed);
}
