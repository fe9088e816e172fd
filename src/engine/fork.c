/* A process knows itself by the number of forks between it and the first: cheaper to ask than getpid. Children made without fork (a raw clone) are not noticed. */
#include "engine/fork.h"
#include "base/base.h"

static atomic_uint fork_serial;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void note_child(void) {
  atomic_fetch_add_explicit(&fork_serial, 1, memory_order_relaxed);
}

static void watch(void) {
  pthread_atfork(NULL, NULL, note_child);
  alch_shared_watch();
}

void alch_process_watch(void) {
  pthread_once(&fork_once, watch);
}

uint32_t alch_process_serial(void) {
  return atomic_load_explicit(&fork_serial, memory_order_relaxed);
}

bool alch_lock_open(alch_lock *lock) {
  lock->process = alch_process_serial();
  return pthread_mutex_init(&lock->mutex, NULL) == 0;
}

void alch_lock_close(alch_lock *lock) {
  pthread_mutex_destroy(&lock->mutex);
}

static bool take_in_child(alch_lock *lock) {
  lock->process = alch_process_serial();
  bool free = pthread_mutex_trylock(&lock->mutex) == 0;
  if (!free) pthread_mutex_init(&lock->mutex, NULL);
  if (!free) pthread_mutex_lock(&lock->mutex);
  return free;
}

bool alch_lock_take(alch_lock *lock) {
  if (ALCH_UNLIKELY(lock->process != alch_process_serial())) return take_in_child(lock);
  pthread_mutex_lock(&lock->mutex);
  return true;
}

void alch_lock_leave(alch_lock *lock) {
  pthread_mutex_unlock(&lock->mutex);
}
