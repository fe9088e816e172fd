/* A process knows itself by the number of forks between it and the first: cheaper to ask than getpid. Children made without fork (a raw clone) are not noticed. */
#include "engine/fork.h"
#include "base/base.h"

static atomic_uint fork_serial;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t first_mutex = PTHREAD_MUTEX_INITIALIZER;   /* of who takes a lock for the first time in a process; free in a child */

static void lock_first(void) { pthread_mutex_lock(&first_mutex); }
static void unlock_first(void) { pthread_mutex_unlock(&first_mutex); }

static void note_child(void) {
  atomic_fetch_add_explicit(&fork_serial, 1, memory_order_relaxed);
  unlock_first();
}

static void watch(void) {
  pthread_atfork(lock_first, unlock_first, note_child);
  alch_shared_watch();
}

void alch_process_watch(void) {
  pthread_once(&fork_once, watch);
}

uint32_t alch_process_serial(void) {
  return atomic_load_explicit(&fork_serial, memory_order_relaxed);
}

bool alch_lock_open(alch_lock *lock) {
  atomic_init(&lock->process, alch_process_serial());
  return pthread_mutex_init(&lock->mutex, NULL) == 0;
}

void alch_lock_close(alch_lock *lock) {
  pthread_mutex_destroy(&lock->mutex);
}

static bool is_entered(alch_lock *lock) {
  return atomic_load_explicit(&lock->process, memory_order_acquire) == alch_process_serial();
}

/* Nobody in this process has it, so who has it was in the parent. */
static alch_lock_state take_over(alch_lock *lock) {
  bool held = pthread_mutex_trylock(&lock->mutex) != 0;
  if (held) pthread_mutex_init(&lock->mutex, NULL);
  if (held) pthread_mutex_lock(&lock->mutex);
  atomic_store_explicit(&lock->process, alch_process_serial(), memory_order_release);
  return held ? ALCH_LOCK_TORN : ALCH_LOCK_INHERITED;
}

alch_lock_state alch_lock_take(alch_lock *lock) {
  if (ALCH_UNLIKELY(!is_entered(lock))) {
    lock_first();
    alch_lock_state state = is_entered(lock) ? ALCH_LOCK_SOUND : take_over(lock);
    unlock_first();
    if (state != ALCH_LOCK_SOUND) return state;
  }
  pthread_mutex_lock(&lock->mutex);
  return ALCH_LOCK_SOUND;
}

void alch_lock_leave(alch_lock *lock) {
  pthread_mutex_unlock(&lock->mutex);
}
