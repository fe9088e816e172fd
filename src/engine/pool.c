/* Who gives a link back hands it to the first in the queue, and who closes one hands on the right to make another: nobody who comes later can be quicker.
   Nothing of the database happens under the lock. */
#include "engine/private.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static const struct kind_row {
  const char *name;
  alch_pool_kind kind;
} kinds[] = { { "queue", ALCH_POOL_QUEUE }, { "null", ALCH_POOL_NULL }, { "static", ALCH_POOL_STATIC }, { "single", ALCH_POOL_STATIC } };

alch_status alch_pool_find_kind(const char *name, alch_pool_kind *out, alch_error *error) {
  for (size_t i = 0; i < ALCH_COUNT(kinds); i++)
    if (strcmp(kinds[i].name, name) == 0) {
      *out = kinds[i].kind;
      return ALCH_OK;
    }
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "there is no pool '%s'; there are queue, null, static", name);
}

static alch_status choose_kind(const alch_engine *engine, alch_pool_kind *out, alch_error *error) {
  if (engine->options.pool) return alch_pool_find_kind(engine->options.pool, out, error);
  bool memory = engine->driver->lives_in_connection && engine->driver->lives_in_connection(&engine->url);
  *out = memory ? ALCH_POOL_STATIC : ALCH_POOL_QUEUE;
  return ALCH_OK;
}

const char *alch_pool_name(const alch_pool *pool) {
  size_t i = 0;
  while (kinds[i].kind != pool->kind) i++;
  return kinds[i].name;
}

static uint32_t find_limit(const alch_engine *engine, alch_pool_kind kind) {
  const alch_engine_options *options = &engine->options;
  if (kind == ALCH_POOL_STATIC) return 1;
  if (kind == ALCH_POOL_NULL || options->max_overflow < 0 || options->pool_size > UINT32_MAX / 2) return UINT32_MAX;
  return options->pool_size + (uint32_t)options->max_overflow;
}

alch_status alch_pool_open(alch_engine *engine, alch_error *error) {
  alch_pool *pool = &engine->pool;
  alch_pool_kind kind = ALCH_POOL_QUEUE;
  alch_status status = choose_kind(engine, &kind, error);
  if (status != ALCH_OK) return status;
  *pool = (alch_pool){ .kind = kind, .limit = find_limit(engine, kind) };
  return alch_lock_open(&pool->lock) ? ALCH_OK : alch_error_out_of_memory(error);
}

static void free_list(alch_link *link) {
  while (link) {
    alch_link *next = link->next;
    alch_link_free(link);
    link = next;
  }
}

/* ---- the lock ---- */

/* In a child that was forked all links are the parent's. Those that connections of the child still hold are freed when these are closed. */
static void enter_process(alch_pool *pool) {
  alch_link *inherited = pool->first;
  alch_link *only = pool->only && pool->only->users == 0 ? pool->only : NULL;
  pool->generation++;
  pool->first = pool->last = pool->only = NULL;
  pool->count = pool->idle_count = 0;
  pool->first_waiting = pool->last_waiting = NULL;
  free_list(inherited);
  if (only) alch_link_free(only);
}

static void lock(alch_pool *pool) {
  if (ALCH_UNLIKELY(alch_lock_take(&pool->lock) != ALCH_LOCK_SOUND)) enter_process(pool);
}

static void unlock(alch_pool *pool) {
  alch_lock_leave(&pool->lock);
}

/* ---- idle links, oldest first; under the lock ---- */

static void push_idle(alch_pool *pool, alch_link *link) {
  link->next = NULL;
  link->previous = pool->last;
  *(pool->last ? &pool->last->next : &pool->first) = link;
  pool->last = link;
  pool->idle_count++;
}

static alch_link *pop_idle(alch_pool *pool, bool newest) {
  alch_link *link = newest ? pool->last : pool->first;
  if (!link) return NULL;
  *(link->previous ? &link->previous->next : &pool->first) = link->next;
  *(link->next ? &link->next->previous : &pool->last) = link->previous;
  link->next = link->previous = NULL;
  pool->idle_count--;
  return link;
}

/* ---- the queue; under the lock ---- */

static void leave_queue(alch_pool *pool, alch_connection *connection) {
  alch_connection **place = &pool->first_waiting, *before = NULL;
  while (*place && *place != connection) {
    before = *place;
    place = &before->next;
  }
  if (!*place) return;
  *place = connection->next;
  if (pool->last_waiting == connection) pool->last_waiting = before;
  connection->next = NULL;
}

/* The pipe's other end becomes readable, whoever looks at it: poll(2), or a host's own loop. */
static alch_connection *wake_first(alch_pool *pool) {
  alch_connection *first = pool->first_waiting;
  if (!first) return NULL;
  leave_queue(pool, first);
  while (write(first->pipe[1], "", 1) < 0 && errno == EINTR) {}
  return first;
}

static bool set_flags(int descriptor) {
  return fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 && fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0;
}

static alch_status enter_queue(alch_pool *pool, alch_connection *connection, alch_error *error) {
  if (pipe(connection->pipe) != 0) return alch_error_set(error, ALCH_ERROR_OPERATIONAL, "cannot wait for a connection: no file descriptor is free");
  connection->signalled = true;
  set_flags(connection->pipe[0]);
  set_flags(connection->pipe[1]);
  connection->state = ALCH_CONNECTION_QUEUED;
  connection->thread = pthread_self();
  connection->deadline = alch_clock_microseconds() + connection->engine->options.pool_timeout;
  *(pool->last_waiting ? &pool->last_waiting->next : &pool->first_waiting) = connection;
  pool->last_waiting = connection;
  return ALCH_WAIT;
}

static void close_pipe(alch_connection *connection) {
  if (!connection->signalled) return;
  close(connection->pipe[0]);
  close(connection->pipe[1]);
  connection->signalled = false;
}

/* ---- out ---- */

#define FRESH_FOR 1000000          /* microseconds after its last use for which a link is not pinged */
#define PING_TIMEOUT 5000000       /* microseconds after which a link that does not answer counts as dead */

/* One that several connections share stays as it is until the last of them closes. */
static alch_connection_state examine(const alch_engine *engine, const alch_link *link) {
  const alch_engine_options *options = &engine->options;
  if (!link->connected) return ALCH_CONNECTION_CONNECTING;
  if (link->users > 1) return ALCH_CONNECTION_READY;
  int64_t now = options->pool_recycle > 0 || options->pool_pre_ping ? alch_clock_microseconds() : 0;
  if (options->pool_recycle > 0 && now - link->connected_at > options->pool_recycle) return ALCH_CONNECTION_REPLACING;
  if (!link->driver->alive(link->driver_connection)) return ALCH_CONNECTION_REPLACING;
  return options->pool_pre_ping && now - link->used_at >= FRESH_FOR ? ALCH_CONNECTION_PINGING : ALCH_CONNECTION_READY;
}

static void take_link(alch_connection *connection, alch_link *link) {
  connection->link = link;
  connection->state = (uint8_t)examine(connection->engine, link);
  if (connection->state == ALCH_CONNECTION_PINGING) connection->deadline = alch_clock_microseconds() + PING_TIMEOUT;
}

static alch_status time_out(const alch_pool *pool, const alch_connection *connection, alch_error *error) {
  const alch_engine_options *options = &connection->engine->options;
  if (pool->kind == ALCH_POOL_STATIC)
    return alch_error_set(error, ALCH_ERROR_TIMEOUT, "the only connection of this pool is in use by another thread and did not come free within %.2f s", (double)options->pool_timeout / 1e6);
  return alch_error_set(error, ALCH_ERROR_TIMEOUT, "all %u connections of the pool are in use (pool_size %u, max_overflow %d) and none came free within %.2f s: close connections as soon as they are done with (engine:begin does), or allow more", pool->limit,
                        options->pool_size, (int)options->max_overflow, (double)options->pool_timeout / 1e6);
}

/* The only link, for a thread that has it already or when nobody has it. */
static bool borrow_only(alch_pool *pool, alch_connection *connection) {
  alch_link *only = pool->only;
  if (!only || (only->users > 0 && !pthread_equal(only->thread, pthread_self())) || (only->users == 0 && pool->first_waiting)) return false;
  only->users++;
  only->thread = pthread_self();
  take_link(connection, only);
  return true;
}

static bool take_idle(alch_pool *pool, alch_connection *connection) {
  alch_link *link = pop_idle(pool, connection->engine->options.use_lifo);
  if (!link) return false;
  link->users = 1;
  take_link(connection, link);
  return true;
}

/* Under the lock. ALCH_DONE: a new link may be made. */
static alch_status first_try(alch_pool *pool, alch_connection *connection, alch_error *error) {
  if (pool->kind == ALCH_POOL_STATIC ? borrow_only(pool, connection) : take_idle(pool, connection)) return ALCH_OK;
  if (pool->count < pool->limit) {
    pool->count++;
    return ALCH_DONE;
  }
  if (connection->engine->options.pool_timeout == 0) return time_out(pool, connection, error);
  return enter_queue(pool, connection, error);
}

/* Under the lock. */
static alch_status next_try(alch_pool *pool, alch_connection *connection, alch_error *error) {
  if (connection->granted) {
    take_link(connection, connection->granted);
    connection->granted = NULL;
    return ALCH_OK;
  }
  if (connection->permitted) {
    connection->permitted = false;
    return ALCH_DONE;
  }
  return alch_clock_microseconds() < connection->deadline ? ALCH_WAIT : time_out(pool, connection, error);
}

/* Under the lock. */
static void drop_right(alch_pool *pool) {
  alch_connection *next = wake_first(pool);
  if (next) next->permitted = true;
  else pool->count--;
}

/* The right to a link is there; without memory for it the right goes to the next one. */
static alch_status make_link(alch_pool *pool, alch_connection *connection, alch_error *error) {
  alch_link *link = alch_link_new(connection->engine, error);
  lock(pool);
  if (link) {
    link->generation = pool->generation;
    if (pool->kind == ALCH_POOL_STATIC) pool->only = link;
    take_link(connection, link);
  } else {
    connection->state = ALCH_CONNECTION_NEW;
    drop_right(pool);
  }
  unlock(pool);
  return link ? ALCH_OK : ALCH_ERROR;
}

alch_status alch_pool_check_out(alch_pool *pool, alch_connection *connection, alch_error *error) {
  lock(pool);
  alch_status status = connection->state == ALCH_CONNECTION_QUEUED ? next_try(pool, connection, error) : first_try(pool, connection, error);
  unlock(pool);
  if (status == ALCH_OK || status == ALCH_DONE) close_pipe(connection);
  return status == ALCH_DONE ? make_link(pool, connection, error) : status;
}

alch_status alch_pool_replace(alch_pool *pool, alch_connection *connection, alch_error *error) {
  alch_link *old = connection->link;
  connection->link = NULL;
  connection->state = ALCH_CONNECTION_NEW;
  lock(pool);
  if (pool->only == old) pool->only = NULL;
  unlock(pool);
  alch_link_free(old);
  return make_link(pool, connection, error);
}

/* ---- in ---- */

static bool is_reusable(const alch_pool *pool, const alch_link *link) {
  return link->connected && !link->broken && link->generation == pool->generation && pool->kind != ALCH_POOL_NULL && link->driver->alive(link->driver_connection);
}

static void grant(alch_connection *next, alch_link *link) {
  link->users = 1;
  link->thread = next->thread;
  next->granted = link;
}

/* Under the lock. True: the link is to be closed. */
static bool give_back(alch_pool *pool, alch_link *link, uint32_t pool_size) {
  if (--link->users > 0) {
    if (!is_reusable(pool, link) && pool->only == link) pool->only = NULL;   /* those who still have it are its last */
    return false;
  }
  bool detached = pool->kind == ALCH_POOL_STATIC && pool->only != link;
  bool keep = is_reusable(pool, link) && !detached;
  alch_connection *next = keep ? wake_first(pool) : NULL;
  if (next) {
    grant(next, link);
    return false;
  }
  if (keep && pool->kind == ALCH_POOL_STATIC) return false;
  if (keep && pool->idle_count < pool_size) {
    push_idle(pool, link);
    return false;
  }
  if (pool->only == link) pool->only = NULL;
  drop_right(pool);
  return true;
}

/* True: the link is to be closed. What another process made is no part of this pool. */
static bool take_back(alch_pool *pool, alch_connection *connection, alch_link *link) {
  if (connection->process != alch_process_serial()) return link && --link->users == 0;
  leave_queue(pool, connection);
  if (connection->permitted) drop_right(pool);
  if (!link || link->detached) return link != NULL;
  link->used_at = alch_clock_microseconds();
  return give_back(pool, link, connection->engine->options.pool_size);
}

void alch_pool_check_in(alch_pool *pool, alch_connection *connection) {
  alch_link *link = connection->link ? connection->link : connection->granted;
  lock(pool);
  bool close_it = take_back(pool, connection, link);
  unlock(pool);
  if (close_it) alch_link_free(link);
  close_pipe(connection);
  connection->link = connection->granted = NULL;
  connection->permitted = false;
}

void alch_pool_detach(alch_pool *pool, alch_connection *connection) {
  lock(pool);
  if (pool->only == connection->link) pool->only = NULL;
  connection->link->detached = true;
  drop_right(pool);
  unlock(pool);
}

/* ---- the whole ---- */

/* Under the lock: a new generation. Answers the idle links of the old one, which are the caller's. */
static alch_link *begin_generation(alch_pool *pool) {
  alch_link *idle = pool->first;
  pool->generation++;
  pool->count -= pool->idle_count;
  pool->idle_count = 0;
  pool->first = pool->last = NULL;
  if (pool->only && pool->only->users == 0) {
    idle = pool->only;
    pool->only = NULL;
    pool->count--;
  }
  return idle;
}

void alch_pool_dispose(alch_pool *pool, bool close) {
  lock(pool);
  alch_link *idle = begin_generation(pool);
  unlock(pool);
  for (alch_link *link = idle; link; link = link->next) link->let_go = !close;
  free_list(idle);
}

void alch_pool_invalidate(alch_pool *pool, const alch_link *link) {
  lock(pool);
  bool current = link->generation == pool->generation && link->process == alch_process_serial() && !link->detached;
  alch_link *idle = current ? begin_generation(pool) : NULL;
  unlock(pool);
  free_list(idle);
}

void alch_pool_bury(alch_pool *pool, alch_connection *connection) {
  lock(pool);
  connection->next = pool->buried;
  pool->buried = connection;
  unlock(pool);
}

void alch_pool_close(alch_pool *pool, const alch_allocator *allocator) {
  alch_pool_dispose(pool, true);
  while (pool->buried) {
    alch_connection *next = pool->buried->next;
    alch_free(allocator, pool->buried, sizeof *pool->buried);
    pool->buried = next;
  }
  alch_lock_close(&pool->lock);
}

alch_pool_status alch_pool_read_status(alch_pool *pool, uint32_t size) {
  lock(pool);
  uint32_t idle = pool->only && pool->only->users == 0 ? 1 : pool->idle_count;
  alch_pool_status status = { .size = size, .idle = idle, .in_use = pool->count - idle, .overflow = pool->count > size ? pool->count - size : 0 };
  unlock(pool);
  return status;
}

alch_status alch_wait_for(const alch_wait *wait, alch_error *error) {
  struct pollfd one = { .fd = wait->descriptor };
  if (wait->events & ALCH_WAIT_READ) one.events |= POLLIN;
  if (wait->events & ALCH_WAIT_WRITE) one.events |= POLLOUT;
  int64_t milliseconds = wait->microseconds < 0 ? -1 : (wait->microseconds + 999) / 1000;
  int answer = poll(&one, wait->descriptor < 0 ? 0 : 1, milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds);
  if (answer >= 0 || errno == EINTR) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_OPERATIONAL, "poll failed with error %d", errno);
}
