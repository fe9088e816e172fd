/* fork.h - processes that fork: how a child knows that it is one, and locks that it finds free. */
#ifndef ALCH_FORK_H
#define ALCH_FORK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* From now on forks of this process are counted. */
void alch_process_watch(void);
/* Another number in a child than in its parent. */
uint32_t alch_process_serial(void);

/* Forks wait for the list of shared engines (shared.c). Of alch_process_watch alone. */
void alch_shared_watch(void);

/* A mutex that may have been held by another thread while the process forked, which the child has not got. */
typedef struct alch_lock {
  pthread_mutex_t mutex;
  atomic_uint process;                   /* alch_process_serial of who has taken it last */
} alch_lock;

typedef enum alch_lock_state {
  ALCH_LOCK_SOUND,
  ALCH_LOCK_INHERITED,                   /* the first time in a child: what it guards is the parent's, and whole */
  ALCH_LOCK_TORN                         /* likewise, but it was held in the parent: what it guards may be half written */
} alch_lock_state;

bool alch_lock_open(alch_lock *lock);    /* false: no memory */
void alch_lock_close(alch_lock *lock);
/* It is taken in any case; of several threads of a child one alone hears that it is the first. */
alch_lock_state alch_lock_take(alch_lock *lock);
void alch_lock_leave(alch_lock *lock);

#endif
