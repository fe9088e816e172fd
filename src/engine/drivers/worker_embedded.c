/* What a database within the process can do beyond statements, by way of its thread: the host's functions are called by the owner, copies and values are made by the thread. */
#include "engine/drivers/worker_private.h"
#include <string.h>

static const alch_allocator *const memory = &alch_allocator_standard;

static const alch_embedded *embedded_of(const alch_driver_connection *connection) { return connection->inner->embedded; }

/* ---- functions and collations of the host ---- */

struct alch_hosted {
  alch_driver_connection *connection;
  alch_user_function function;             /* of a collation: only context and release */
  alch_collation collation;
  bool given_back;                         /* the host has been told that it is not needed */
  alch_hosted *next, *previous;            /* the owner's list */
  alch_hosted *next_released;
};

struct alch_dropped {
  alch_hosted *hosted;
  int64_t state;
  alch_dropped *next;
};

static void give_back(alch_hosted *hosted) {
  if (hosted->given_back) return;
  hosted->given_back = true;
  if (hosted->function.release) hosted->function.release(hosted->function.context);
}

static void drop_states(alch_dropped *dropped) {
  while (dropped) {
    alch_dropped *next = dropped->next;
    const alch_user_function *function = &dropped->hosted->function;
    alch_function_call call = { .phase = ALCH_FUNCTION_FINISH, .discarded = true, .state = &dropped->state };
    if (!dropped->hosted->given_back) function->call(function->context, &call);
    alch_free(memory, dropped, sizeof *dropped);
    dropped = next;
  }
}

void alch_worker_clear(alch_driver_connection *connection, alch_hosted *released, alch_dropped *dropped) {
  drop_states(dropped);
  while (released) {
    alch_hosted *next = released->next_released;
    give_back(released);
    *(released->previous ? &released->previous->next : &connection->hosted) = released->next;
    if (released->next) released->next->previous = released->previous;
    alch_free(memory, released, sizeof *released);
    released = next;
  }
}

void alch_worker_release_host(alch_driver_connection *connection) {
  for (alch_hosted *hosted = connection->hosted; hosted; hosted = hosted->next) give_back(hosted);
}

/* On the thread: a state is the host's, so only its owner may forget it. Without memory it stays where it is. */
static void drop_state(alch_hosted *hosted, alch_function_call *call) {
  alch_dropped *dropped = call->state && *call->state != 0 ? alch_allocate(memory, sizeof *dropped) : NULL;
  if (!dropped) return;
  alch_driver_connection *connection = hosted->connection;
  pthread_mutex_lock(&connection->mutex);
  *dropped = (alch_dropped){ hosted, *call->state, connection->dropped };
  connection->dropped = dropped;
  pthread_mutex_unlock(&connection->mutex);
  *call->state = 0;
}

typedef struct function_question { const alch_hosted *hosted; alch_function_call *call; } function_question;

static alch_status ask_function(void *context) {
  const function_question *question = context;
  const alch_user_function *function = &question->hosted->function;
  return function->call(function->context, question->call);
}

static void note_asking(alch_driver_connection *connection) {
  if (connection->current) connection->current->asks = true;
}

static alch_status call_function(void *context, alch_function_call *call) {
  alch_hosted *hosted = context;
  if (call->discarded) {
    drop_state(hosted, call);
    return ALCH_OK;
  }
  note_asking(hosted->connection);
  function_question question = { hosted, call };
  return alch_worker_ask(hosted->connection, ask_function, &question);
}

typedef struct comparison { const alch_hosted *hosted; const char *first, *second; size_t first_length, second_length; int *out; } comparison;

static alch_status ask_comparison(void *context) {
  const comparison *one = context;
  const alch_collation *collation = &one->hosted->collation;
  return collation->compare(collation->context, one->first, one->first_length, one->second, one->second_length, one->out);
}

static alch_status compare(void *context, const char *first, size_t first_length, const char *second, size_t second_length, int *out) {
  alch_hosted *hosted = context;
  comparison one = { hosted, first, second, first_length, second_length, out };
  note_asking(hosted->connection);
  return alch_worker_ask(hosted->connection, ask_comparison, &one);
}

/* By the database, on the thread: what the host is told of it the owner says. */
static void release_hosted(void *context) {
  alch_hosted *hosted = context;
  alch_driver_connection *connection = hosted->connection;
  pthread_mutex_lock(&connection->mutex);
  hosted->next_released = connection->released;
  connection->released = hosted;
  pthread_mutex_unlock(&connection->mutex);
}

static alch_hosted *new_hosted(alch_driver_connection *connection) {
  alch_hosted *hosted = alch_allocate_zeroed(memory, sizeof *hosted);
  if (!hosted) return NULL;
  hosted->connection = connection;
  hosted->next = connection->hosted;
  if (hosted->next) hosted->next->previous = hosted;
  connection->hosted = hosted;
  return hosted;
}

/* ---- errands that answer a status ---- */

struct alch_job {
  alch_errand errand;
  alch_driver_connection *connection;
  bool sent;
  alch_status status;
  alch_error error;
  char *schema;                            /* what the errand is about */
  void *bytes;
  size_t length;
};

static void open_job(alch_job *job, alch_driver_connection *connection, bool (*run)(alch_errand *errand), void *target) {
  *job = (alch_job){ .errand = { .run = run, .target = target }, .connection = connection };
  alch_error_init(&job->error, memory);
}

static alch_status conclude(alch_job *job, alch_error *error) {
  alch_status status = job->status == ALCH_ERROR ? alch_error_copy(error, &job->error) : job->status;
  alch_error_close(&job->error);
  job->sent = false;
  return status;
}

/* Sends it, or looks whether it is done. */
static alch_status go(alch_job *job, alch_error *error) {
  alch_status status = job->sent ? alch_worker_look(job->connection, NULL) : alch_worker_check_free(job->connection, error);
  if (status != ALCH_OK) return status;
  if (!job->sent) alch_worker_send(job->connection, &job->errand);
  else if (!alch_worker_is_pending(job->connection, &job->errand)) return conclude(job, error);
  job->sent = true;
  return ALCH_WAIT;
}

/* What takes no time to speak of. */
static alch_status go_at_once(alch_job *job, alch_error *error) {
  alch_status status = alch_worker_do(job->connection, &job->errand, error);
  return status == ALCH_OK ? conclude(job, error) : status;
}

/* ---- making functions ---- */

typedef struct making { alch_job job; alch_user_function function; alch_collation collation; } making;

static bool run_create_function(alch_errand *errand) {
  making *one = errand->target;
  one->job.status = embedded_of(one->job.connection)->create_function(one->job.connection->served, &one->function, &one->job.error);
  return true;
}

static bool run_create_collation(alch_errand *errand) {
  making *one = errand->target;
  one->job.status = embedded_of(one->job.connection)->create_collation(one->job.connection->served, &one->collation, &one->job.error);
  return true;
}

/* The inner driver releases it in any case, but not when nothing was sent. */
static alch_status make(making *one, alch_hosted *hosted, alch_error *error) {
  alch_status status = go_at_once(&one->job, error);
  if (one->job.connection->answering) release_hosted(hosted);
  alch_worker_look(one->job.connection, NULL);
  return status;
}

static alch_status create_function(alch_driver_connection *connection, const alch_user_function *function, alch_error *error) {
  alch_hosted *hosted = new_hosted(connection);
  making one = { .function = *function };
  if (!hosted) {
    if (function->release) function->release(function->context);
    return alch_error_out_of_memory(error);
  }
  hosted->function = *function;
  one.function.context = hosted;
  one.function.call = call_function;
  one.function.release = release_hosted;
  open_job(&one.job, connection, run_create_function, &one);
  return make(&one, hosted, error);
}

static alch_status create_collation(alch_driver_connection *connection, const alch_collation *collation, alch_error *error) {
  alch_hosted *hosted = new_hosted(connection);
  making one = { .collation = { .name = collation->name, .context = hosted, .compare = compare, .release = release_hosted } };
  if (!hosted) {
    if (collation->release) collation->release(collation->context);
    return alch_error_out_of_memory(error);
  }
  hosted->collation = *collation;
  hosted->function = (alch_user_function){ .context = collation->context, .release = collation->release };
  open_job(&one.job, connection, run_create_collation, &one);
  return make(&one, hosted, error);
}

/* ---- backups: on the thread of the connection that is written, while that of the other rests ---- */

struct alch_backup {
  alch_job job;
  alch_driver_connection *from;
  alch_backup *inner;
  int32_t pages;
  uint32_t remaining, total;
};

static bool run_backup_open(alch_errand *errand) {
  alch_backup *backup = errand->target;
  alch_driver_connection *to = backup->job.connection;
  backup->job.status = embedded_of(to)->backup_open(to->served, backup->from->served, &backup->inner, &backup->job.error);
  return true;
}

static bool run_backup_step(alch_errand *errand) {
  alch_backup *backup = errand->target;
  backup->job.status = embedded_of(backup->job.connection)->backup_step(backup->inner, backup->pages, &backup->remaining, &backup->total, &backup->job.error);
  return true;
}

static bool run_backup_close(alch_errand *errand) {
  alch_backup *backup = errand->target;
  embedded_of(backup->job.connection)->backup_close(backup->inner);
  return true;
}

static alch_status backup_open(alch_driver_connection *to, alch_driver_connection *from, alch_backup **out, alch_error *error) {
  alch_backup *backup = alch_allocate_zeroed(memory, sizeof *backup);
  *out = NULL;
  if (!backup) return alch_error_out_of_memory(error);
  open_job(&backup->job, to, run_backup_open, backup);
  backup->from = from;
  alch_worker_rest(from);
  alch_status status = go_at_once(&backup->job, error);
  if (status == ALCH_OK) *out = backup;
  else alch_free(memory, backup, sizeof *backup);
  return status;
}

static alch_status backup_step(alch_backup *backup, int32_t pages, uint32_t *remaining, uint32_t *total, alch_error *error) {
  if (!backup->job.sent) {
    backup->pages = pages;
    backup->job.errand.run = run_backup_step;
    alch_worker_rest(backup->from);
  }
  alch_status status = go(&backup->job, error);
  *remaining = backup->remaining;
  *total = backup->total;
  return status;
}

static void backup_close(alch_backup *backup) {
  alch_worker_await(backup->job.connection, &backup->job.errand);
  alch_error_close(&backup->job.error);
  backup->job.errand.run = run_backup_close;
  alch_worker_send(backup->job.connection, &backup->job.errand);
  alch_worker_await(backup->job.connection, &backup->job.errand);
  alch_free(memory, backup, sizeof *backup);
}

/* ---- as bytes ---- */

static void free_job(alch_job *job) {
  alch_worker_await(job->connection, &job->errand);
  job->connection->job = NULL;
  alch_error_close(&job->error);
  if (job->schema) alch_free(memory, job->schema, strlen(job->schema) + 1);
  alch_free(memory, job, sizeof *job);
}

static alch_job *new_job(alch_driver_connection *connection, const char *schema, bool (*run)(alch_errand *errand)) {
  size_t size = strlen(schema) + 1;
  alch_job *job = alch_allocate(memory, sizeof *job);
  if (!job) return NULL;
  open_job(job, connection, run, job);
  connection->job = job;
  job->schema = alch_allocate(memory, size);
  if (job->schema) memcpy(job->schema, schema, size);
  else free_job(job);
  return connection->job;
}

static bool run_serialize(alch_errand *errand) {
  alch_job *job = errand->target;
  job->status = embedded_of(job->connection)->serialize(job->connection->served, job->schema, &job->bytes, &job->length, &job->error);
  return true;
}

static alch_status serialize(alch_driver_connection *connection, const char *schema, void **bytes, size_t *length, alch_error *error) {
  alch_job *job = connection->job ? connection->job : new_job(connection, schema, run_serialize);
  if (!job) return alch_error_out_of_memory(error);
  alch_status status = go(job, error);
  if (status == ALCH_WAIT) return status;
  *bytes = job->bytes;
  *length = job->length;
  free_job(job);
  return status;
}

static bool run_deserialize(alch_errand *errand) {
  alch_job *job = errand->target;
  job->status = embedded_of(job->connection)->deserialize(job->connection->served, job->schema, job->bytes, job->length, &job->error);
  return true;
}

static alch_status deserialize(alch_driver_connection *connection, const char *schema, const void *bytes, size_t length, alch_error *error) {
  alch_job *job = connection->job ? connection->job : new_job(connection, schema, run_deserialize);
  if (job && !job->sent) {
    job->bytes = alch_allocate(memory, length + 1);
    job->length = length;
    if (job->bytes) memcpy(job->bytes, bytes, length);
    else free_job(job);
  }
  if (!connection->job) return alch_error_out_of_memory(error);
  alch_status status = go(job, error);
  if (status == ALCH_WAIT) return status;
  alch_free(memory, job->bytes, job->length + 1);
  free_job(job);
  return status;
}

void alch_worker_drop_job(alch_driver_connection *connection) {
  alch_job *job = connection->job;
  if (!job) return;
  if (job->errand.run == run_deserialize) alch_free(memory, job->bytes, job->length + 1);
  else if (job->bytes) embedded_of(connection)->release(NULL, job->bytes);
  free_job(job);
}

/* ---- values in pieces ---- */

struct alch_large {
  alch_job job;
  alch_errand leaving;
  alch_large *inner;
  char *names[3];                          /* schema, table, column, until it is open */
  int64_t row;
  bool writable;
  uint64_t size, offset;
  char *bytes;                             /* of the piece that is on its way */
  size_t length;
  alch_large *next, *previous;             /* under the connection's mutex, as are: */
  bool left;                               /* the host wants it no more */
  bool ended;                              /* its connection has closed it */
};

static void free_bytes(alch_large *large) {
  alch_free(memory, large->bytes, large->length + 1);
  large->bytes = NULL;
}

static void free_names(alch_large *large) {
  for (size_t i = 0; i < ALCH_COUNT(large->names); i++) {
    if (large->names[i]) alch_free(memory, large->names[i], strlen(large->names[i]) + 1);
    large->names[i] = NULL;
  }
}

static void free_large(alch_large *large) {
  alch_driver_connection *connection = large->job.connection;
  free_bytes(large);
  free_names(large);
  alch_error_close(&large->job.error);
  alch_free(memory, large, sizeof *large);
  alch_worker_let_go(connection);
}

/* Under the mutex. */
static void unlink_large(alch_large *large) {
  *(large->previous ? &large->previous->next : &large->job.connection->larges) = large->next;
  if (large->next) large->next->previous = large->previous;
}

static void close_inner(alch_large *large) {
  if (large->inner) embedded_of(large->job.connection)->large_close(large->inner);
  large->inner = NULL;
}

void alch_worker_close_larges(alch_driver_connection *connection) {
  pthread_mutex_lock(&connection->mutex);
  while (connection->larges) {
    alch_large *large = connection->larges;
    unlink_large(large);
    pthread_mutex_unlock(&connection->mutex);
    close_inner(large);
    pthread_mutex_lock(&connection->mutex);
    large->ended = true;
    bool left = large->left;
    pthread_mutex_unlock(&connection->mutex);
    if (left) free_large(large);
    pthread_mutex_lock(&connection->mutex);
  }
  pthread_mutex_unlock(&connection->mutex);
}

static bool run_large_open(alch_errand *errand) {
  alch_large *large = errand->target;
  const alch_embedded *embedded = embedded_of(large->job.connection);
  large->job.status = embedded->large_open(large->job.connection->served, large->names[0], large->names[1], large->names[2], large->row, large->writable, &large->inner, &large->job.error);
  if (large->inner) large->size = embedded->large_size(large->inner);
  return true;
}

static bool run_large_read(alch_errand *errand) {
  alch_large *large = errand->target;
  large->job.status = embedded_of(large->job.connection)->large_read(large->inner, large->offset, large->bytes, large->length, &large->job.error);
  return true;
}

static bool run_large_write(alch_errand *errand) {
  alch_large *large = errand->target;
  large->job.status = embedded_of(large->job.connection)->large_write(large->inner, large->offset, large->bytes, large->length, &large->job.error);
  return true;
}

static bool run_large_leave(alch_errand *errand) {
  alch_large *large = errand->target;
  alch_driver_connection *connection = large->job.connection;
  close_inner(large);
  pthread_mutex_lock(&connection->mutex);
  unlink_large(large);
  pthread_mutex_unlock(&connection->mutex);
  free_large(large);
  return false;
}

static bool copy_names(alch_large *large, const char *const *names) {
  for (size_t i = 0; i < ALCH_COUNT(large->names); i++) {
    size_t size = strlen(names[i]) + 1;
    large->names[i] = alch_allocate(memory, size);
    if (!large->names[i]) return false;
    memcpy(large->names[i], names[i], size);
  }
  return true;
}

static alch_large *new_large(alch_driver_connection *connection, const char *const *names, int64_t row, bool writable) {
  alch_large *large = alch_allocate_zeroed(memory, sizeof *large);
  if (!large) return NULL;
  open_job(&large->job, connection, run_large_open, large);
  large->leaving = (alch_errand){ .run = run_large_leave, .target = large };
  large->row = row;
  large->writable = writable;
  pthread_mutex_lock(&connection->mutex);
  connection->references++;
  pthread_mutex_unlock(&connection->mutex);
  if (!copy_names(large, names)) {
    free_large(large);
    return NULL;
  }
  pthread_mutex_lock(&connection->mutex);
  large->next = connection->larges;
  if (large->next) large->next->previous = large;
  connection->larges = large;
  pthread_mutex_unlock(&connection->mutex);
  return large;
}

static void large_close(alch_large *large) {
  alch_driver_connection *connection = large->job.connection;
  pthread_mutex_lock(&connection->mutex);
  bool closing = connection->closing, ended = large->ended;
  large->left = true;
  pthread_mutex_unlock(&connection->mutex);
  if (!closing) alch_worker_send(connection, &large->leaving);
  else if (ended) free_large(large);
}

static alch_status large_open(alch_driver_connection *connection, const char *schema, const char *table, const char *column, int64_t row, bool writable, alch_large **out, alch_error *error) {
  const char *names[] = { schema, table, column };
  alch_status status = *out ? ALCH_OK : alch_worker_check_free(connection, error);
  if (status != ALCH_OK) return status;
  if (!*out && !(*out = new_large(connection, names, row, writable))) return alch_error_out_of_memory(error);
  status = go(&(*out)->job, error);
  if (status >= 0) return status;
  large_close(*out);
  *out = NULL;
  return status;
}

static uint64_t large_size(alch_large *large) { return large->size; }

static bool hold_bytes(alch_large *large, uint64_t offset, size_t length) {
  free_bytes(large);
  large->offset = offset;
  large->length = length;
  large->bytes = alch_allocate(memory, length + 1);
  return large->bytes != NULL;
}

static alch_status large_read(alch_large *large, uint64_t offset, void *bytes, size_t length, alch_error *error) {
  if (!large->job.sent && !hold_bytes(large, offset, length)) return alch_error_out_of_memory(error);
  large->job.errand.run = large->job.sent ? large->job.errand.run : run_large_read;
  alch_status status = go(&large->job, error);
  if (status == ALCH_OK) memcpy(bytes, large->bytes, length);
  if (status != ALCH_WAIT) free_bytes(large);
  return status;
}

static alch_status large_write(alch_large *large, uint64_t offset, const void *bytes, size_t length, alch_error *error) {
  if (!large->job.sent) {
    if (!hold_bytes(large, offset, length)) return alch_error_out_of_memory(error);
    memcpy(large->bytes, bytes, length);
    large->job.errand.run = run_large_write;
  }
  alch_status status = go(&large->job, error);
  if (status != ALCH_WAIT) free_bytes(large);
  return status;
}

/* The inner driver's memory, whatever made it. */
static void release(alch_driver_connection *connection, void *bytes) { embedded_of(connection)->release(connection->served, bytes); }

const alch_embedded alch_worker_embedded = { ALCH_EMBEDDED_FUNCTIONS };
