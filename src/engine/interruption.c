/* Threads that tell servers of statements that nobody waits for: a server that does not answer must not hold up whoever has given the statement up. */
#include "engine/interruption.h"
#include "base/memory.h"
#include "engine/fork.h"
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define LONGEST_END INT64_C(1000000)   /* microseconds */

typedef struct call {
  alch_interruption *interruption;
  bool over, left;                       /* whoever sees both frees it */
} call;

static struct callers {
  pthread_mutex_t mutex;
  pthread_cond_t told;
  pthread_once_t once;
  uint32_t count, process;
} callers = { .mutex = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER, .once = PTHREAD_ONCE_INIT };

/* A forked child has none of its parent's threads. */
static void lock_callers(void) {
  if (callers.process != alch_process_serial()) {
    pthread_mutex_init(&callers.mutex, NULL);
    pthread_cond_init(&callers.told, NULL);
    callers.count = 0;
    callers.process = alch_process_serial();
  }
  pthread_mutex_lock(&callers.mutex);
}

static void *serve(void *argument) {
  call *one = argument;
  one->interruption->run(one->interruption);
  pthread_mutex_lock(&callers.mutex);
  one->over = true;
  callers.count--;
  if (one->left) alch_free(&alch_allocator_standard, one, sizeof *one);
  pthread_cond_broadcast(&callers.told);
  pthread_mutex_unlock(&callers.mutex);
  return NULL;
}

static struct timespec from_now(int64_t microseconds) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int64_t nanoseconds = now.tv_nsec + microseconds % 1000000 * 1000;
  return (struct timespec){ .tv_sec = now.tv_sec + (time_t)(microseconds / 1000000 + nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000) };
}

/* They use what the client libraries put away as the process ends, and hold locks of theirs that a forked child would find taken. */
__attribute__((destructor)) static void await_all(void) {
  struct timespec until = from_now(LONGEST_END);
  lock_callers();
  for (int code = 0; callers.count > 0 && code == 0;) code = pthread_cond_timedwait(&callers.told, &callers.mutex, &until);
  pthread_mutex_unlock(&callers.mutex);
}

/* Nobody joins the threads, so what they run is not to be unloaded. */
static void prepare(void) {
  Dl_info here;
  pthread_atfork(await_all, NULL, NULL);
  if (dladdr((void *)&callers, &here) && here.dli_fname) dlopen(here.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

/* Signals are the host's: none is delivered to this thread. */
static bool start_thread(call *one) {
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = pthread_create(&thread, NULL, serve, one) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (started) pthread_detach(thread);
  return started;
}

static void await(call *one, int64_t microseconds) {
  struct timespec until = from_now(microseconds);
  int code = 0;
  while (!one->over && code == 0) code = pthread_cond_timedwait(&callers.told, &callers.mutex, &until);
  one->left = true;
  if (one->over) alch_free(&alch_allocator_standard, one, sizeof *one);
}

void alch_interruption_send(alch_interruption *interruption, int64_t microseconds) {
  call *one = alch_allocate(&alch_allocator_standard, sizeof *one);
  if (!one) {
    interruption->run(interruption);
    return;
  }
  pthread_once(&callers.once, prepare);
  *one = (call){ .interruption = interruption };
  lock_callers();
  bool started = start_thread(one);
  if (started) callers.count++;
  if (started) await(one, microseconds);
  pthread_mutex_unlock(&callers.mutex);
  if (started) return;
  interruption->run(interruption);
  alch_free(&alch_allocator_standard, one, sizeof *one);
}
