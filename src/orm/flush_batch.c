/* New rows that go many to a statement.
   INSERT … VALUES with many rows saves what each statement costs by itself. The keys that the database makes are then known only where they follow one another up to the last: the driver is asked whether
   they do, the first row of a step goes alone, and each batch must end where counting on from there says; if it ever does not, the flush fails rather than give objects wrong keys. */
#include "orm/writer.h"

enum { BATCH_ROWS = 50, BATCH_LEAST = 2 * BATCH_ROWS };

static bool has_room(const alch_flush *flush, const alch_mapper *mapper) {
  uint32_t limit = alch_engine_dialect(flush->session->engine)->parameter_limit;
  return limit == 0 || mapper->attribute_count * BATCH_ROWS <= limit;
}

/* Listeners are told of each object before its statement runs, and may look at the one before. */
static bool is_watched(const alch_mapper *mapper) { return (mapper->events & (1u << ALCH_EVENT_BEFORE_INSERT | 1u << ALCH_EVENT_AFTER_INSERT)) != 0; }

static bool may_batch(const alch_flush *flush, const alch_step *step) {
  uint32_t wanted = flush->keys_follow == ALCH_KEYS_FOLLOW ? BATCH_ROWS : BATCH_LEAST;
  if (flush->keys_follow == ALCH_KEYS_SCATTER || flush->place < flush->batch_from || step->count - flush->place < wanted || is_watched(step->mapper)) return false;
  return alch_dialect_can(alch_engine_dialect(flush->session->engine), ALCH_CAPABILITY_MULTI_VALUES) && has_room(flush, step->mapper);
}

/* mask has room for two sets of columns. Objects that write other columns than the first end the batch before it begins; none is tried again before they are past. */
static alch_status same_columns(alch_flush *flush, const alch_step *step, bool *mask, bool *same, alch_error *error) {
  alch_object **objects = flush->objects + step->first + flush->place;
  uint32_t count = step->mapper->attribute_count;
  bool *other = mask + count;
  alch_status status = alch_flush_insert_mask(flush, objects[0], mask, error);
  *same = true;
  for (uint32_t i = 1; i < BATCH_ROWS && status == ALCH_OK && *same; i++) {
    status = alch_flush_insert_mask(flush, objects[i], other, error);
    *same = memcmp(mask, other, count * sizeof *mask) == 0;
    if (!*same) flush->batch_from = flush->place + i;
  }
  return status;
}

static bool makes_keys(const alch_mapper *mapper, const bool *mask) { return mapper->generated_slot != UINT32_MAX && !mask[mapper->generated_slot]; }

static alch_status ask_keys(alch_flush *flush, const alch_table *table, alch_error *error) {
  alch_connection *connection;
  bool follow = false;
  alch_status status = alch_session_connection(flush->session, &connection, error);
  if (status == ALCH_OK) status = alch_keys_follow(connection, table->name, table->schema, &follow, error);
  if (status == ALCH_OK) flush->keys_follow = follow ? ALCH_KEYS_FOLLOW : ALCH_KEYS_SCATTER;
  return status;
}

static alch_status bind_all(alch_flush *flush, const alch_step *step, const bool *mask, alch_error *error) {
  alch_writing writing = { .kind = ALCH_STEP_INSERT, .mapper = step->mapper, .mask = mask, .rows = BATCH_ROWS };
  alch_status status = alch_writer_prepare(flush->writer, flush->session, &writing, error);
  for (uint32_t i = 0; i < BATCH_ROWS && status == ALCH_OK; i++) status = alch_writer_bind(flush->writer, i, flush->objects[step->first + flush->place + i], NULL, error);
  return status;
}

static alch_status give_keys(alch_flush *flush, const alch_step *step, alch_error *error) {
  if (!makes_keys(step->mapper, flush->writer->mask)) {
    flush->last_key = 0;
    return ALCH_OK;
  }
  if (flush->last_key > INT64_MAX - BATCH_ROWS || flush->execution.last_insert_id != flush->last_key + BATCH_ROWS)
    return alch_error_set(error, ALCH_ERROR_FLUSH, "the keys that the database made for new rows of '%s' do not follow one another, so it is not known which object has which: flush fewer than %d objects at a time",
                          step->mapper->table->name, BATCH_LEAST);
  for (uint32_t i = 0; i < BATCH_ROWS; i++) alch_flush_give_key(flush->objects[step->first + flush->place + i], ++flush->last_key);
  return ALCH_OK;
}

/* Is there a batch to be made here, and with which columns? ALCH_DONE: no. */
static alch_status begin_batch(alch_flush *flush, const alch_step *step, bool *mask, alch_error *error) {
  if (!may_batch(flush, step)) return ALCH_DONE;
  bool same;
  alch_status status = same_columns(flush, step, mask, &same, error);
  if (status != ALCH_OK) return status;
  if (!same || (makes_keys(step->mapper, mask) && flush->last_key == 0)) return ALCH_DONE;
  if (makes_keys(step->mapper, mask) && flush->keys_follow == ALCH_KEYS_UNKNOWN) status = ask_keys(flush, step->mapper->table, error);
  if (status != ALCH_OK) return status;
  if (makes_keys(step->mapper, mask) && flush->keys_follow != ALCH_KEYS_FOLLOW) return ALCH_DONE;
  status = bind_all(flush, step, mask, error);
  return status == ALCH_OK && flush->writer->fetches_key ? ALCH_DONE : status;
}

alch_status alch_flush_batch(alch_flush *flush, const alch_step *step, bool *mask, alch_error *error) {
  bool waiting = flush->statement_open && flush->writer->rows == BATCH_ROWS;
  if (flush->statement_open && !waiting) return ALCH_DONE;
  alch_status status = waiting ? ALCH_OK : begin_batch(flush, step, mask, error);
  if (status == ALCH_OK) status = alch_flush_execute(flush, error);
  if (status == ALCH_OK) status = give_keys(flush, step, error);
  for (uint32_t i = 0; i < BATCH_ROWS && status == ALCH_OK; i++) status = alch_flush_inserted(flush, flush->objects[step->first + flush->place + i], error);
  if (status == ALCH_OK) flush->place += BATCH_ROWS;
  return status;
}
