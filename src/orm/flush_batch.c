/* One statement for many objects: they are gathered from the place of the step on as long as they write the same columns, their values are bound one behind the other, and what the database makes for them
   goes back into them. Each phase may wait, and goes on where it stood.
   Where the driver can, the next batch is made and sent while the database works on the last, whose keys are read while it works on the next. To the user it is as if one went after the other: what is wrong
   with a batch is told when those before it are through. */
#include "base/fault.h"
#include "orm/writer.h"

#define WEIGHT_LIMIT (4u << 20)     /* bytes of text in one statement: less than what any server takes in one message */

/* ---- gathering ---- */

static bool is_link(const alch_step *step) { return step->kind == ALCH_STEP_LINK || step->kind == ALCH_STEP_UNLINK; }

/* Are the two places written by the same statement? The masks are compared apart. */
static bool belongs(const alch_flush *flush, const alch_step *step, const alch_batch *batch, uint32_t place) {
  if (!is_link(step) || batch->count == 0) return true;
  return (flush->links[step->first + place].child == NULL) == (flush->links[step->first + batch->items[0]].child == NULL);
}

static size_t weigh(const alch_flush *flush, const alch_step *step, uint32_t place, const bool *mask) {
  if (step->kind != ALCH_STEP_INSERT && step->kind != ALCH_STEP_UPDATE) return 0;
  const alch_object *object = flush->objects[step->first + place];
  const uint8_t *kinds = alch_object_kinds(object);
  size_t weight = 0;
  for (uint32_t i = 0; i < step->mapper->attribute_count; i++) {
    if (!mask[i] || !alch_value_has_text(kinds[i] & ALCH_SLOT_KIND)) continue;
    weight += kinds[i] & ALCH_SLOT_OUTSIDE ? object->cells[i].outside->length : object->cells[i].inside.length;
  }
  return weight;
}

/* An object that ended the batch before is not looked at again: what its defaults are may be the work of the user's functions. */
static alch_status examine(alch_flush *flush, const alch_step *step, const alch_batch *batch, uint32_t place, bool *mask, bool *writes, alch_error *error) {
  bool known = place > 0 && flush->examined == place;
  flush->examined = 0;
  if (!known || batch->count > 0) return alch_flush_examine(flush, step, place, mask, writes, error);
  *writes = true;
  memcpy(mask, flush->other, step->mapper->attribute_count * sizeof *mask);
  return ALCH_OK;
}

static alch_status make_room(alch_flush *flush, const alch_step *step, alch_batch *batch, uint32_t most, alch_error *error) {
  uint32_t wanted = step->count - flush->place < most ? step->count - flush->place : most;
  uint32_t *items = alch_grow(flush->session->allocator, batch->items, &batch->capacity, wanted, sizeof *items);
  if (items == NULL) return alch_error_out_of_memory(error);
  batch->items = items;
  return ALCH_OK;
}

static alch_status gather(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  uint32_t most = alch_flush_batch_most(flush, step), place = flush->place;
  size_t size = is_link(step) ? 0 : step->mapper->attribute_count * sizeof *batch->mask, weight = 0;
  batch->count = batch->read = 0;
  batch->no_arrays = batch->waits = false;
  alch_status status = make_room(flush, step, batch, most, error);
  for (; status == ALCH_OK && place < step->count && batch->count < most && weight < WEIGHT_LIMIT; place++) {
    bool writes, *mask = batch->count == 0 ? batch->mask : flush->other;
    if (!belongs(flush, step, batch, place)) break;
    if (!is_link(step) && (status = examine(flush, step, batch, place, mask, &writes, error)) != ALCH_OK) break;
    if (!is_link(step) && !writes) continue;
    if (size > 0 && mask != batch->mask && memcmp(mask, batch->mask, size) != 0) {
      flush->examined = place;
      break;
    }
    if (most > 1) weight += weigh(flush, step, place, mask);
    batch->items[batch->count++] = place;
  }
  batch->end = place;
  return status;
}

/* ---- binding ---- */

static alch_status need_writer(const alch_flush *flush, alch_batch *batch, alch_error *error) {
  if (batch->writer == NULL) batch->writer = alch_allocate_zeroed(flush->session->allocator, sizeof *batch->writer);
  return batch->writer != NULL ? ALCH_OK : alch_error_out_of_memory(error);
}

static alch_status bind(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  bool link = is_link(step);
  const alch_link *links = flush->links + step->first;
  alch_writing writing = alch_flush_writing(flush, step, batch);
  alch_status status = need_writer(flush, batch, error);
  if (status == ALCH_OK) status = alch_writer_prepare(batch->writer, flush->session, &writing, error);
  for (uint32_t i = 0; i < batch->count && status == ALCH_OK; i++) {
    uint32_t place = batch->items[i];
    status = alch_writer_bind(batch->writer, i, link ? links[place].parent : flush->objects[step->first + place], link ? links[place].child : NULL, error);
  }
  if (status == ALCH_OK) alch_writer_end_bind(batch->writer, batch->count);
  return status;
}

void alch_batch_close(alch_batch *batch, const alch_allocator *allocator) {
  alch_execution_destroy(&batch->execution);
  if (batch->writer != NULL) alch_writer_close(batch->writer);
  alch_free(allocator, batch->writer, sizeof *batch->writer);
  alch_free(allocator, batch->items, batch->capacity * sizeof *batch->items);
}

/* ---- running ---- */

static alch_status start(alch_batch *batch, alch_connection *connection, alch_error *error) {
  alch_writer *writer = batch->writer;
  switch (batch->way) {
    case ALCH_WAY_ARRAYS: return alch_execution_run_arrays(&batch->execution, connection, writer->compiled, writer->values, writer->width, batch->count, writer->shared, error);
    case ALCH_WAY_SETS: return alch_execution_run_many(&batch->execution, connection, writer->compiled, writer->values, writer->width, batch->count, error);
    default: return alch_execution_run(&batch->execution, connection, writer->compiled, writer->values, writer->compiled->slot_count, error);
  }
}

/* Starts the statement, or goes on with the one that waits. ALCH_DONE: its values cannot go as arrays. */
static alch_status execute(alch_flush *flush, alch_batch *batch, bool ahead, alch_error *error) {
  alch_connection *connection;
  alch_status status;
  if (alch_fault("flush: statement")) return alch_error_set(error, ALCH_ERROR_OPERATIONAL, "a fault that a spec asked for");
  if (batch->waits) {
    status = alch_execution_start_poll(&batch->execution, error);
  } else if ((status = alch_session_connection(flush->session, flush->bind, &connection, error)) == ALCH_OK) {
    batch->execution.ahead = ahead;
    status = start(batch, connection, error);
  }
  batch->waits = status == ALCH_WAIT;
  return status;
}

/* ---- the count of rows ---- */

static void print_key(const alch_object *object, alch_buffer *out) {
  alch_value key[ALCH_KEY_LIMIT];
  if (!alch_object_key(object, true, key)) return;
  for (uint32_t i = 0; i < object->mapper->key_count; i++) {
    alch_buffer_add_format(out, "%s%s ", i == 0 ? "" : ", ", object->mapper->attributes[object->mapper->key_slots[i]].name);
    alch_value_print(&key[i], out, 40);
  }
}

static alch_status stale(const alch_flush *flush, const alch_step *step, const alch_batch *batch, alch_error *error) {
  static const char *const verbs[] = { [ALCH_STEP_UPDATE] = "UPDATE", [ALCH_STEP_LINK] = "INSERT", [ALCH_STEP_UNLINK] = "DELETE" };
  const alch_table *table = is_link(step) ? step->relationship->secondary : step->mapper->table;
  uint32_t count = batch->count;
  alch_buffer whose;
  alch_buffer_init(&whose, flush->session->allocator);
  if (!is_link(step) && count == 1) {
    alch_buffer_add_format(&whose, " (%s: ", step->mapper->name);
    print_key(flush->objects[step->first + batch->items[0]], &whose);
    alch_buffer_add_char(&whose, ')');
  }
  alch_error_set(error, ALCH_ERROR_STALE_DATA, "%s on table '%s' expected to meet %u row%s, and met %lld%s: %s changed or deleted by someone else since %s loaded. Roll back and read again", verbs[step->kind], table->name, count,
                 count == 1 ? "" : "s", (long long)batch->execution.changes, alch_buffer_text(&whose), count == 1 ? "the row was" : "some were", count == 1 ? "it was" : "they were");
  alch_buffer_close(&whose);
  return ALCH_ERROR;
}

/* A row to be deleted that is gone already is what was wanted: no error, as SQLAlchemy has only a warning for it. When rows to be changed are missing, the statement is said again for each object, to find out
   whose they are: ALCH_DONE. */
static alch_status check_count(const alch_flush *flush, const alch_step *step, const alch_batch *batch, alch_error *error) {
  int64_t changes = batch->execution.changes;
  if (step->kind == ALCH_STEP_INSERT || step->kind == ALCH_STEP_DELETE || (step->kind == ALCH_STEP_UNLINK && batch->writer->writing.whole)) return ALCH_OK;
  if (changes < 0 || changes == batch->count) return ALCH_OK;
  return step->kind != ALCH_STEP_UPDATE || batch->count == 1 ? stale(flush, step, batch, error) : ALCH_DONE;
}

/* The object at this place of the step, which is one of the batch. */
static alch_status make_single(alch_flush *flush, const alch_step *step, const alch_batch *batch, uint32_t place, alch_error *error) {
  alch_batch *single = &flush->single;
  uint32_t *items = alch_grow(flush->session->allocator, single->items, &single->capacity, 1, sizeof *items);
  if (items == NULL) return alch_error_out_of_memory(error);
  single->items = items;
  single->items[0] = place;
  single->count = 1;
  single->way = ALCH_WAY_ONE;
  single->mask = batch->mask;
  return bind(flush, step, single, error);
}

static alch_status say_singly(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  alch_batch *single = &flush->single;
  alch_status status = ALCH_OK;
  for (; batch->read < batch->count && status == ALCH_OK; batch->read += status == ALCH_OK) {
    if (!single->waits) status = make_single(flush, step, batch, batch->items[batch->read], error);
    if (status == ALCH_OK) status = execute(flush, single, false, error);
    if (status == ALCH_OK) status = check_count(flush, step, single, error);
  }
  if (status == ALCH_OK) batch->read = 0;
  return status;
}

/* ---- keys ---- */

static alch_status lose_keys(const alch_step *step, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_FLUSH, "the keys that the database made for new rows of '%s' are not in the order of the rows, so it is not known which object has which: flush one object at a time",
                        step->mapper->table->name);
}

/* Keys of a sequence go up from row to row; where they do not, something else has had a hand in them. */
static bool is_in_order(alch_flush *flush, const alch_step *step, const alch_batch *batch) {
  const alch_mapper *mapper = step->mapper;
  if (batch->way != ALCH_WAY_ARRAYS) return true;
  for (uint32_t i = 0; i < mapper->key_count; i++) {
    if (mapper->key_slots[i] != mapper->generated_slot) continue;
    int64_t key = batch->execution.row[i].integer;
    if (batch->execution.row[i].kind != ALCH_INTEGER || (batch->read > 0 && key <= flush->last_key)) return false;
    flush->last_key = key;
  }
  return true;
}

static alch_status read_keys(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  const alch_mapper *mapper = step->mapper;
  while (batch->read < batch->count) {
    alch_status status = alch_execution_next(&batch->execution, error);
    if (status == ALCH_DONE) return alch_error_set(error, ALCH_ERROR_FLUSH, "the INSERT into '%s' returned no key", mapper->table->name);
    if (status != ALCH_ROW) return status;
    if (!is_in_order(flush, step, batch)) return lose_keys(step, error);
    alch_object *object = flush->objects[step->first + batch->items[batch->read++]];
    for (uint32_t i = 0; i < mapper->key_count; i++) alch_object_put(flush->session->host, object, mapper->key_slots[i], &batch->execution.row[i]);
    object->state |= ALCH_STATE_GENERATED;
  }
  /* The rows are written; reading on to the end could wait, and the statement would then be run again. */
  alch_execution_close(&batch->execution);
  return ALCH_OK;
}

static bool makes_keys(const alch_step *step, const bool *mask) { return step->mapper->generated_slot != UINT32_MAX && !mask[step->mapper->generated_slot]; }

/* Keys that the driver tells: of one row, of the last of several or of the first. */
static alch_status count_keys(alch_flush *flush, const alch_step *step, const alch_batch *batch, alch_error *error) {
  int64_t told = batch->execution.last_insert_id;
  uint32_t count = batch->count;
  bool first = alch_connection_tells_first_key(flush->bind->connection);
  int64_t key = count == 1 || first ? told : flush->last_key + 1;
  if (count > 1 && (key > INT64_MAX - count || (first ? told <= flush->last_key : told != flush->last_key + count))) return lose_keys(step, error);
  for (uint32_t i = 0; i < count; i++) alch_flush_give_key(flush->objects[step->first + batch->items[i]], key + i);
  flush->last_key = key + count - 1;
  return ALCH_OK;
}

static alch_status take_keys(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  if (step->kind != ALCH_STEP_INSERT) return ALCH_OK;
  if (batch->writer->fetches_key) return read_keys(flush, step, batch, error);
  if (makes_keys(step, batch->mask)) return count_keys(flush, step, batch, error);
  flush->last_key = 0;
  return ALCH_OK;
}

/* ---- from phase to phase ---- */

static alch_status prepare_step(alch_flush *flush, const alch_step *step, alch_error *error) {
  uint32_t width = is_link(step) ? 0 : step->mapper->attribute_count;
  bool *masks = alch_arena_allocate(&flush->arena, (ALCH_BATCHES + 1) * (width + 1) * sizeof *masks);
  if (masks == NULL) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < ALCH_BATCHES; i++) flush->batches[i].mask = masks + i * width;
  flush->other = masks + ALCH_BATCHES * width;
  flush->examined = 0;
  alch_flush_set_depth(flush, step);
  return ALCH_OK;
}

/* Gathers objects, and binds their values. One of no objects has nothing to write. */
static alch_status make(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  alch_connection *connection;
  alch_status status = alch_session_connection(flush->session, flush->bind, &connection, error);
  if (batch->phase == ALCH_BATCH_NONE) {
    if (status == ALCH_OK && flush->place == 0) status = prepare_step(flush, step, error);
    if (status == ALCH_OK) status = gather(flush, step, batch, error);
    if (status != ALCH_OK) return status;
    if (batch->count == 0) flush->place = batch->end;
    else batch->phase = ALCH_BATCH_GATHERED;
    return ALCH_OK;
  }
  if (status == ALCH_OK) status = alch_flush_choose_way(flush, step, batch, error);
  if (status == ALCH_OK) status = bind(flush, step, batch, error);
  if (status == ALCH_OK) batch->phase = ALCH_BATCH_BOUND;
  return status;
}

static alch_status send(alch_flush *flush, alch_batch *batch, alch_error *error) {
  alch_status status = execute(flush, batch, flush->depth > 1, error);
  if (status == ALCH_DONE) {
    batch->no_arrays = true;
    batch->phase = ALCH_BATCH_GATHERED;
    return ALCH_OK;
  }
  if (status != ALCH_OK) return status;
  batch->phase = ALCH_BATCH_SENT;
  flush->place = batch->end;
  flush->sent++;
  return ALCH_OK;
}

/* What is wrong with it is found again, and told, when those before it are through. */
static alch_status put_off(alch_flush *flush, alch_batch *batch, alch_error *error) {
  alch_execution_close(&batch->execution);
  batch->phase = ALCH_BATCH_NONE;
  batch->waits = false;
  flush->depth = 1;
  if (error != NULL) alch_error_close(error);
  return ALCH_OK;
}

static alch_status advance_next(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  alch_status status = batch->phase == ALCH_BATCH_BOUND ? send(flush, batch, error) : make(flush, step, batch, error);
  return status < 0 && flush->sent > 0 ? put_off(flush, batch, error) : status;
}

static alch_status settle(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  alch_status status = take_keys(flush, step, batch, error);
  for (uint32_t i = 0; i < batch->count && status == ALCH_OK; i++) status = alch_flush_settle(flush, step, batch->items[i], error);
  if (status != ALCH_OK) return status;
  batch->phase = ALCH_BATCH_NONE;
  flush->first = (flush->first + 1) % ALCH_BATCHES;
  flush->sent--;
  return ALCH_OK;
}

static alch_status advance_first(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  alch_status status = ALCH_OK;
  switch (batch->phase) {
    case ALCH_BATCH_SENT:
      status = alch_execution_take_answer(&batch->execution, error);
      if (status == ALCH_OK) status = check_count(flush, step, batch, error);
      if (status == ALCH_OK || status == ALCH_DONE) batch->phase = status == ALCH_OK ? ALCH_BATCH_RUN : ALCH_BATCH_SINGLY;
      return status == ALCH_DONE ? ALCH_OK : status;
    case ALCH_BATCH_SINGLY:
      status = say_singly(flush, step, batch, error);
      if (status == ALCH_OK) batch->phase = ALCH_BATCH_RUN;
      return status;
    default: return settle(flush, step, batch, error);
  }
}

/* Is there something to do for the batch behind those that were sent? */
static bool can_advance_next(const alch_flush *flush, const alch_step *step, const alch_batch *next) {
  if (flush->sent == 0) return true;
  if (flush->sent >= flush->depth) return false;
  return next->phase == ALCH_BATCH_BOUND ? flush->ahead : flush->place < step->count;
}

alch_status alch_flush_batches(alch_flush *flush, const alch_step *step, alch_error *error) {
  alch_status status = ALCH_OK;
  while (status == ALCH_OK && (flush->place < step->count || flush->sent > 0)) {
    alch_batch *first = &flush->batches[flush->first], *next = &flush->batches[(flush->first + flush->sent) % ALCH_BATCHES];
    status = can_advance_next(flush, step, next) ? advance_next(flush, step, next, error) : advance_first(flush, step, first, error);
  }
  return status;
}
