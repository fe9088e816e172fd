/* worker_private.h - what the files of the worker share. Nobody else includes it.
   All memory here is the C library's: the host's allocator may belong to one thread. What the thread writes is read by the owner when the errand that wrote it is no longer pending, and the other way round. */
#ifndef ALCH_WORKER_PRIVATE_H
#define ALCH_WORKER_PRIVATE_H

#include "engine/drivers/worker.h"
#include "base/buffer.h"
#include <pthread.h>
#include <stdatomic.h>

/* Something that the thread is to do. Part of a record of whoever sends it, and not sent again while it is pending. */
typedef struct alch_errand {
  bool (*run)(struct alch_errand *errand);   /* on the thread. False: the errand's memory is gone */
  void *target;
  struct alch_errand *next;
  bool pending;                              /* queued or under way; under the mutex */
} alch_errand;

/* A function of the host that the thread needs the answer of. */
typedef struct alch_question {
  alch_status (*ask)(void *context);         /* called by the owner */
  void *context;
  alch_driver_statement *statement;          /* whose execution asks, or NULL */
  alch_status status;
  bool answered;
} alch_question;

typedef struct alch_hosted alch_hosted;      /* a function or collation of the host */
typedef struct alch_job alch_job;            /* a copy of the whole database on its way */
typedef struct alch_dropped alch_dropped;    /* the state of an aggregate that nobody asks for any more */

struct alch_driver_connection {
  const alch_driver *inner;
  alch_driver_connection *served;            /* the inner driver's, once it is connected */
  alch_url url;                              /* a copy: a connection that ends slowly may outlive the engine */
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t work;                       /* the thread waits for errands and answers */
  pthread_cond_t told;                       /* the owner, where it blocks */
  /* under the mutex */
  alch_errand *first, *last, *running;
  alch_question *question;
  bool refusing;                             /* until the errand that is under way ends: questions are answered with a failure */
  bool closing, ended;
  bool waiting;                              /* the owner sleeps until it is told something */
  bool watched, written;                     /* a byte is to be written to the pipe; there is one in it */
  bool in_transaction, alive;
  int64_t last_insert_id;
  alch_hosted *released;                     /* the database needs them no more: the owner frees them */
  alch_dropped *dropped;
  alch_large *larges;                        /* open values */
  uint32_t references;                       /* the connection itself, and values that outlive it */
  int pipe[2];
  /* the owner's */
  alch_errand opening, leaving;
  bool answering;                            /* a question is being answered: nothing may be sent that it would wait for */
  alch_hosted *hosted;
  alch_job *job;                             /* of serialize or deserialize */
  /* the thread's */
  alch_driver_statement *current;            /* whose execution runs */
  atomic_bool gave_up;                       /* an execution, since the last rollback: the transaction may have ended with it */
  atomic_uint open;                          /* executions that have begun and not ended */
  alch_status status;                        /* of connecting */
  alch_error error;
  alch_server server;                        /* what it said of itself */
  struct alch_driver_connection *next;       /* among those that end slowly */
};

/* Cells of rows, one row behind the other, their texts in one buffer. */
typedef struct alch_batch {
  alch_value *cells;
  uint32_t capacity, columns, rows, next;
  alch_buffer texts;
} alch_batch;

struct alch_driver_statement {
  alch_driver_connection *connection;
  alch_driver_statement *inner;
  alch_errand work;                          /* prepare, start, more rows */
  alch_errand ending, leaving;
  char *sql;                                 /* while it is being prepared */
  size_t length;
  const alch_type **types;
  uint32_t type_count;
  /* of an execution */
  const alch_value *values;                  /* the caller's, until they are copied */
  uint32_t value_count, sets;
  bool starting;                             /* wanted, not sent yet: the execution before is still under way */
  alch_value *copies;
  uint32_t copy_capacity;
  alch_buffer copied_texts;
  uint32_t stream_rows;
  uint32_t limit;                            /* rows of the next batch */
  alch_batch fill, read;                     /* the thread's, the owner's */
  alch_status status;
  alch_error error;
  bool open;                                 /* the inner execution has begun, and not ended */
  bool asks;                                 /* functions of the host are called: rows come one at a time, so that each is called when its row is wanted */
  bool told;                                 /* the failure of such a function was another call's error already */
  atomic_bool cancelled;
  uint32_t parameter_count, column_count;
  bool read_only;
  alch_buffer names;                         /* of the columns, each with a zero byte behind it */
  int64_t changes;
};

/* ---- worker.c ---- */
void alch_worker_send(alch_driver_connection *connection, alch_errand *errand);
bool alch_worker_is_pending(alch_driver_connection *connection, const alch_errand *errand);
/* Owner: answers what is asked, and frees what is released. ALCH_HOST_ERROR: a function failed that another statement than `statement` had asked for. */
alch_status alch_worker_look(alch_driver_connection *connection, const alch_driver_statement *statement);
/* Owner: sends, and sleeps until it is done; for what is done in an instant. INVALID_REQUEST while a question is being answered. */
alch_status alch_worker_do(alch_driver_connection *connection, alch_errand *errand, alch_error *error);
/* Owner: sleeps until there is no errand. */
void alch_worker_rest(alch_driver_connection *connection);
/* The record goes with the last of those who have it. */
void alch_worker_let_go(alch_driver_connection *connection);
/* Owner: sleeps until the errand is not pending. */
void alch_worker_await(alch_driver_connection *connection, const alch_errand *errand);
/* INVALID_REQUEST while a question is being answered. */
alch_status alch_worker_check_free(const alch_driver_connection *connection, alch_error *error);
/* Owner, under the mutex: the question that there is fails. */
void alch_worker_refuse(alch_driver_connection *connection);
/* Thread: has the owner call the function. ALCH_HOST_ERROR when it failed, or nobody answers any more. */
alch_status alch_worker_ask(alch_driver_connection *connection, alch_status (*ask)(void *context), void *context);

/* ---- worker_embedded.c ---- */
/* Owner: gives back what the database has released, and what it has dropped. The lists are the caller's. */
void alch_worker_clear(alch_driver_connection *connection, alch_hosted *released, alch_dropped *dropped);
/* Owner, when the connection closes: the host's functions are released, whatever the thread still does. */
void alch_worker_release_host(alch_driver_connection *connection);
/* Owner, when the thread has ended: what was to be copied and nobody asked for any more. */
void alch_worker_drop_job(alch_driver_connection *connection);
/* Thread, before the inner connection closes: the values that are open on it. */
void alch_worker_close_larges(alch_driver_connection *connection);

#endif
