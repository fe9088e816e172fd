/* The thread of a connection, its errands and its questions; connecting and closing. */
#include "engine/drivers/worker_private.h"
#include "engine/private.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- forks ----
   A thread that is within the database's library while the process forks leaves the library's locks taken in the child, for ever. So whoever forks waits until no thread is at work (a second at most: a
   statement may take longer), and none begins meanwhile. */

#define LONGEST_FORK 1000000   /* microseconds */

static struct labour {
  pthread_once_t once;
  atomic_uint threads;         /* that are at work */
  atomic_bool forking;
} labour = { .once = PTHREAD_ONCE_INIT };

static void before_fork(void) {
  int64_t until = alch_clock_microseconds() + LONGEST_FORK;
  atomic_store(&labour.forking, true);
  while (atomic_load(&labour.threads) > 0 && alch_clock_microseconds() < until) usleep(50);
}

static void after_fork(void) { atomic_store(&labour.forking, false); }

static void in_child(void) {
  atomic_store(&labour.threads, 0);
  atomic_store(&labour.forking, false);
}

static void watch_forks(void) { pthread_atfork(before_fork, after_fork, in_child); }

static void begin_work(void) {
  atomic_fetch_add(&labour.threads, 1);
  while (ALCH_UNLIKELY(atomic_load(&labour.forking))) {
    atomic_fetch_sub(&labour.threads, 1);
    while (atomic_load(&labour.forking)) usleep(50);
    atomic_fetch_add(&labour.threads, 1);
  }
}

static void end_work(void) { atomic_fetch_sub(&labour.threads, 1); }

/* ---- telling the owner; under the mutex ---- */

static void write_byte(alch_driver_connection *connection) {
  if (connection->written) return;
  connection->written = true;
  while (write(connection->pipe[1], "", 1) < 0 && errno == EINTR) {}
}

static void drain(alch_driver_connection *connection) {
  char byte;
  if (connection->written)
    while (read(connection->pipe[0], &byte, 1) < 0 && errno == EINTR) {}
  connection->watched = connection->written = false;
}

static void tell(alch_driver_connection *connection) {
  if (connection->watched) write_byte(connection);
  if (connection->waiting) pthread_cond_broadcast(&connection->told);
}

/* ---- the thread ---- */

static alch_errand *take_errand(alch_driver_connection *connection) {
  while (!connection->first) pthread_cond_wait(&connection->work, &connection->mutex);
  alch_errand *errand = connection->first;
  connection->first = errand->next;
  if (!connection->first) connection->last = NULL;
  return errand;
}

/* At the end of an errand: what the owner may ask of the connection at any time. Not under the mutex: the thread alone uses the inner connection. */
static void note_state(alch_driver_connection *connection) {
  const alch_driver *inner = connection->inner;
  alch_driver_connection *served = connection->served;
  bool in_transaction = served && inner->in_transaction(served), alive = served && inner->alive(served);
  int64_t id = served && inner->last_insert_id ? inner->last_insert_id(served) : 0;
  end_work();
  pthread_mutex_lock(&connection->mutex);
  connection->in_transaction = in_transaction;
  connection->alive = alive;
  connection->last_insert_id = id;
}

static void *serve(void *argument) {
  alch_driver_connection *connection = argument;
  pthread_mutex_lock(&connection->mutex);
  while (!connection->ended) {
    alch_errand *errand = take_errand(connection);
    connection->running = errand;
    pthread_mutex_unlock(&connection->mutex);
    begin_work();
    bool kept = errand->run(errand);
    note_state(connection);
    connection->running = NULL;
    connection->refusing = false;
    if (kept) errand->pending = false;
    connection->ended = connection->closing && errand == &connection->leaving;
    tell(connection);
  }
  pthread_mutex_unlock(&connection->mutex);
  return NULL;
}

alch_status alch_worker_ask(alch_driver_connection *connection, alch_status (*ask)(void *context), void *context) {
  alch_question question = { .ask = ask, .context = context, .statement = connection->current, .status = ALCH_HOST_ERROR };
  pthread_mutex_lock(&connection->mutex);
  if (!connection->refusing && !connection->closing) {
    connection->question = &question;
    tell(connection);
    end_work();
    while (!question.answered) pthread_cond_wait(&connection->work, &connection->mutex);
    pthread_mutex_unlock(&connection->mutex);
    begin_work();
    return question.status;
  }
  pthread_mutex_unlock(&connection->mutex);
  return question.status;
}

/* ---- errands ---- */

void alch_worker_send(alch_driver_connection *connection, alch_errand *errand) {
  pthread_mutex_lock(&connection->mutex);
  errand->pending = true;
  errand->next = NULL;
  *(connection->last ? &connection->last->next : &connection->first) = errand;
  connection->last = errand;
  pthread_cond_signal(&connection->work);
  pthread_mutex_unlock(&connection->mutex);
}

bool alch_worker_is_pending(alch_driver_connection *connection, const alch_errand *errand) {
  pthread_mutex_lock(&connection->mutex);
  bool pending = errand->pending;
  pthread_mutex_unlock(&connection->mutex);
  return pending;
}

/* Under the mutex. */
static void answer(alch_driver_connection *connection, alch_question *question, alch_status status) {
  connection->question = NULL;
  question->status = status;
  question->answered = true;
  pthread_cond_signal(&connection->work);
}

void alch_worker_refuse(alch_driver_connection *connection) {
  answer(connection, connection->question, ALCH_HOST_ERROR);
}

/* Under the mutex: the host keeps the error of its function until its statement answers, so that statement has to end before anything else is done. */
static void await_failure(alch_driver_connection *connection) {
  connection->refusing = true;
  while (connection->running) {
    if (connection->question) answer(connection, connection->question, ALCH_HOST_ERROR);
    connection->waiting = true;
    pthread_cond_wait(&connection->told, &connection->mutex);
    connection->waiting = false;
  }
}

/* Under the mutex, which is let go of meanwhile. */
static alch_status answer_question(alch_driver_connection *connection, const alch_driver_statement *statement) {
  alch_question *question = connection->question;
  alch_driver_statement *asking = question->statement;
  pthread_mutex_unlock(&connection->mutex);
  connection->answering = true;
  alch_status status = question->ask(question->context);
  connection->answering = false;
  pthread_mutex_lock(&connection->mutex);
  answer(connection, question, status);
  if (status >= 0) return ALCH_OK;
  await_failure(connection);
  if (!asking || asking == statement) return ALCH_OK;
  asking->told = true;
  return status;
}

alch_status alch_worker_look(alch_driver_connection *connection, const alch_driver_statement *statement) {
  alch_status status = ALCH_OK;
  pthread_mutex_lock(&connection->mutex);
  drain(connection);
  if (connection->question && !connection->answering) status = answer_question(connection, statement);
  alch_hosted *released = connection->released;
  alch_dropped *dropped = connection->dropped;
  connection->released = NULL;
  connection->dropped = NULL;
  pthread_mutex_unlock(&connection->mutex);
  if (ALCH_UNLIKELY(released || dropped)) alch_worker_clear(connection, released, dropped);
  return status;
}

void alch_worker_rest(alch_driver_connection *connection) {
  pthread_mutex_lock(&connection->mutex);
  while (connection->running || connection->first) {
    connection->waiting = true;
    pthread_cond_wait(&connection->told, &connection->mutex);
    connection->waiting = false;
  }
  pthread_mutex_unlock(&connection->mutex);
}

void alch_worker_await(alch_driver_connection *connection, const alch_errand *errand) {
  pthread_mutex_lock(&connection->mutex);
  while (errand->pending) {
    if (connection->question && !connection->answering) {
      answer_question(connection, NULL);
      continue;
    }
    connection->waiting = true;
    pthread_cond_wait(&connection->told, &connection->mutex);
    connection->waiting = false;
  }
  pthread_mutex_unlock(&connection->mutex);
}

alch_status alch_worker_check_free(const alch_driver_connection *connection, alch_error *error) {
  if (ALCH_LIKELY(!connection->answering)) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "a function that a statement calls cannot use the connection of that statement, whose thread waits for the function: use another connection");
}

alch_status alch_worker_do(alch_driver_connection *connection, alch_errand *errand, alch_error *error) {
  alch_status status = alch_worker_check_free(connection, error);
  if (status != ALCH_OK) return status;
  alch_worker_send(connection, errand);
  alch_worker_await(connection, errand);
  return ALCH_OK;
}

/* ---- connecting ---- */

static bool open_served(alch_errand *errand) {
  alch_driver_connection *connection = errand->target, *served = NULL;
  connection->status = connection->inner->connect(connection->inner, &connection->url, &alch_allocator_standard, &served, &connection->error);
  if (connection->status == ALCH_OK && connection->inner->server) connection->inner->server(served, &connection->server);
  pthread_mutex_lock(&connection->mutex);
  connection->served = served;
  pthread_mutex_unlock(&connection->mutex);
  return true;
}

static bool close_served(alch_errand *errand) {
  alch_driver_connection *connection = errand->target;
  pthread_mutex_lock(&connection->mutex);
  alch_driver_connection *served = connection->served;
  connection->served = NULL;
  pthread_mutex_unlock(&connection->mutex);
  alch_worker_close_larges(connection);
  if (served) connection->inner->close(served);
  return true;
}

static alch_status copy_url(alch_driver_connection *connection, const alch_url *url, alch_error *error) {
  alch_buffer text;
  alch_buffer_init(&text, &alch_allocator_standard);
  alch_url_print(url, false, &text);
  alch_status status = alch_buffer_failed(&text) ? alch_error_out_of_memory(error) : alch_url_parse(&connection->url, text.text, text.length, &alch_allocator_standard, error);
  alch_buffer_close(&text);
  return status;
}

static bool open_pipe(alch_driver_connection *connection) {
  if (pipe(connection->pipe) != 0) return false;
  for (int i = 0; i < 2; i++) {
    fcntl(connection->pipe[i], F_SETFD, FD_CLOEXEC);
    fcntl(connection->pipe[i], F_SETFL, O_NONBLOCK);
  }
  return true;
}

/* Signals are the host's: none is delivered to this thread. */
static bool start_thread(alch_driver_connection *connection) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int code = pthread_create(&connection->thread, NULL, serve, connection);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code == 0;
}

static void free_connection(alch_driver_connection *connection) {
  close(connection->pipe[0]);
  close(connection->pipe[1]);
  pthread_cond_destroy(&connection->work);
  pthread_cond_destroy(&connection->told);
  pthread_mutex_destroy(&connection->mutex);
  alch_url_close(&connection->url);
  alch_error_close(&connection->error);
  alch_free(&alch_allocator_standard, connection, sizeof *connection);
}

void alch_worker_let_go(alch_driver_connection *connection) {
  pthread_mutex_lock(&connection->mutex);
  bool last = --connection->references == 0;
  pthread_mutex_unlock(&connection->mutex);
  if (last) free_connection(connection);
}

static alch_driver_connection *new_connection(const alch_driver *driver) {
  alch_driver_connection *connection = alch_allocate_zeroed(&alch_allocator_standard, sizeof *connection);
  if (!connection) return NULL;
  connection->inner = driver->inner;
  connection->references = 1;
  connection->pipe[0] = connection->pipe[1] = -1;
  connection->opening = (alch_errand){ .run = open_served, .target = connection };
  connection->leaving = (alch_errand){ .run = close_served, .target = connection };
  alch_arena_init(&connection->url.arena, &alch_allocator_standard);
  alch_error_init(&connection->error, &alch_allocator_standard);
  pthread_mutex_init(&connection->mutex, NULL);
  pthread_cond_init(&connection->work, NULL);
  pthread_cond_init(&connection->told, NULL);
  return connection;
}

static void reap(bool all);

alch_status alch_worker_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error) {
  (void)allocator;
  *out = NULL;
  pthread_once(&labour.once, watch_forks);
  reap(false);
  alch_driver_connection *connection = new_connection(driver);
  if (!connection) return alch_error_out_of_memory(error);
  alch_status status = copy_url(connection, url, error);
  if (status == ALCH_OK && (!open_pipe(connection) || !start_thread(connection)))
    status = alch_error_set(error, ALCH_ERROR_OPERATIONAL, "no thread can be started for the connection: there are too many threads or open files");
  if (status != ALCH_OK) {
    free_connection(connection);
    return status;
  }
  alch_worker_send(connection, &connection->opening);
  *out = connection;
  return ALCH_WAIT;
}

alch_status alch_worker_connect_poll(alch_driver_connection *connection, alch_error *error) {
  alch_worker_look(connection, NULL);
  if (alch_worker_is_pending(connection, &connection->opening)) return ALCH_WAIT;
  return connection->status == ALCH_ERROR ? alch_error_copy(error, &connection->error) : connection->status;
}

void alch_worker_waits_for(alch_driver_connection *connection, alch_wait *out) {
  pthread_mutex_lock(&connection->mutex);
  if (connection->question || (!connection->running && !connection->first)) write_byte(connection);
  else connection->watched = true;
  pthread_mutex_unlock(&connection->mutex);
  *out = (alch_wait){ .descriptor = connection->pipe[0], .events = ALCH_WAIT_READ, .microseconds = -1 };
}

/* ---- closing ---- */

#define LONGEST_CLOSE 100000   /* microseconds */

/* Threads that took longer to end. They are joined before the library can be unloaded under them. */
static struct leavers {
  pthread_mutex_t mutex;
  alch_driver_connection *first;
  uint32_t process;
} leavers = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* A forked child has none of its parent's threads. */
static void lock_leavers(void) {
  if (leavers.process != alch_process_serial()) {
    pthread_mutex_init(&leavers.mutex, NULL);
    leavers.first = NULL;
    leavers.process = alch_process_serial();
  }
  pthread_mutex_lock(&leavers.mutex);
}

static bool has_ended(alch_driver_connection *connection) {
  pthread_mutex_lock(&connection->mutex);
  bool ended = connection->ended;
  pthread_mutex_unlock(&connection->mutex);
  return ended;
}

static void join(alch_driver_connection *connection) {
  pthread_join(connection->thread, NULL);
  alch_worker_clear(connection, connection->released, NULL);
  alch_worker_drop_job(connection);
  alch_worker_let_go(connection);
}

static void reap(bool all) {
  lock_leavers();
  alch_driver_connection **place = &leavers.first;
  while (*place) {
    alch_driver_connection *connection = *place;
    if (all || has_ended(connection)) {
      *place = connection->next;
      join(connection);
    } else place = &connection->next;
  }
  pthread_mutex_unlock(&leavers.mutex);
}

__attribute__((destructor)) static void reap_all(void) {
  reap(true);
}

static void leave_later(alch_driver_connection *connection) {
  lock_leavers();
  connection->next = leavers.first;
  leavers.first = connection;
  pthread_mutex_unlock(&leavers.mutex);
}

static bool await_end(alch_driver_connection *connection) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  int64_t nanoseconds = until.tv_nsec + INT64_C(1000) * LONGEST_CLOSE;
  until.tv_sec += (time_t)(nanoseconds / 1000000000);
  until.tv_nsec = (long)(nanoseconds % 1000000000);
  int code = 0;
  pthread_mutex_lock(&connection->mutex);
  connection->waiting = true;
  while (!connection->ended && code == 0) code = pthread_cond_timedwait(&connection->told, &connection->mutex, &until);
  connection->waiting = false;
  bool ended = connection->ended;
  pthread_mutex_unlock(&connection->mutex);
  return ended;
}

void alch_worker_close(alch_driver_connection *connection) {
  reap(false);
  pthread_mutex_lock(&connection->mutex);
  connection->closing = true;
  if (connection->question) answer(connection, connection->question, ALCH_HOST_ERROR);
  if (connection->running && connection->served && connection->inner->interrupt) connection->inner->interrupt(connection->served);
  pthread_mutex_unlock(&connection->mutex);
  alch_worker_send(connection, &connection->leaving);
  bool ended = await_end(connection);
  if (ended) alch_worker_look(connection, NULL);
  alch_worker_release_host(connection);
  if (ended) join(connection);
  else leave_later(connection);
}

/* The thread is the parent's, as is what it has open: only the descriptors and the record are this process's. */
void alch_worker_abandon(alch_driver_connection *connection) {
  close(connection->pipe[0]);
  close(connection->pipe[1]);
  alch_url_close(&connection->url);
  alch_free(&alch_allocator_standard, connection, sizeof *connection);
}

/* ---- what is known of the connection ---- */

int64_t alch_worker_last_insert_id(alch_driver_connection *connection) {
  pthread_mutex_lock(&connection->mutex);
  int64_t id = connection->last_insert_id;
  pthread_mutex_unlock(&connection->mutex);
  return id;
}

bool alch_worker_in_transaction(alch_driver_connection *connection) {
  pthread_mutex_lock(&connection->mutex);
  bool in_transaction = connection->in_transaction;
  pthread_mutex_unlock(&connection->mutex);
  return in_transaction;
}

bool alch_worker_alive(alch_driver_connection *connection) {
  pthread_mutex_lock(&connection->mutex);
  bool alive = connection->alive;
  pthread_mutex_unlock(&connection->mutex);
  return alive;
}

void alch_worker_interrupt(alch_driver_connection *connection) {
  pthread_mutex_lock(&connection->mutex);
  if (connection->served && connection->inner->interrupt) connection->inner->interrupt(connection->served);
  pthread_mutex_unlock(&connection->mutex);
}

void alch_worker_server(alch_driver_connection *connection, alch_server *out) {
  *out = connection->server;
}

/* The inner driver's text is a constant of the connection. */
alch_status alch_worker_begin(alch_driver_connection *connection, const char **sql, alch_error *error) {
  return connection->inner->begin ? connection->inner->begin(connection->served, sql, error) : ALCH_OK;
}
