/* How many objects go into one statement, and how.
   Whatever the way, each object gets the row and the key that it would have got alone: what cannot promise that is not chosen. So an INSERT of many rows is taken where the database returns the keys in the order
   of the rows, or where the driver has a query that says that they can be told by it (alch_driver.scatters_keys); one that leaves columns to SQL which may look at the table goes row by row; and an UPDATE
   of a column that must be unique keeps the order of the objects. Sets of values keep it by themselves: the database takes one after the other. */
#include "orm/writer.h"

enum {
  ARRAYS_MOST = 2000,      /* as arrays, one after the other: few, so that their rows stay in caches and the first are soon under way, and enough for the way there and back */
  SETS_MOST = 5000,        /* as sets of values; more gain nothing, and need memory */
  ROWS_MOST = 1000,
  CLOSE_ROWS = 4,          /* so many rows are read together as quickly as one is found */
  EMBEDDED_ROWS = 50       /* where a statement is no round trip */
};

/* Statements of few sizes, so that they are found prepared. */
static const uint32_t row_counts[] = { ROWS_MOST, 100, 10 };

static const alch_dialect *dialect_of(const alch_flush *flush) { return alch_engine_dialect(flush->bind->engine); }
static bool can(const alch_flush *flush, alch_capability capability) { return alch_dialect_can(dialect_of(flush), capability); }

/* ---- the keys that the database makes ---- */

typedef struct unset_keys { uint32_t count; bool generated; /* it is the one that the database numbers */ } unset_keys;

static unset_keys find_unset(const alch_batch *batch, const alch_step *step) {
  unset_keys out = { 0 };
  const alch_mapper *mapper = step->mapper;
  for (uint32_t i = 0; step->kind == ALCH_STEP_INSERT && i < mapper->key_count; i++) {
    if (batch->mask[mapper->key_slots[i]]) continue;
    out.count++;
    out.generated = out.count == 1 && mapper->key_slots[i] == mapper->generated_slot;
  }
  return out;
}

static alch_status keys_follow(alch_flush *flush, const alch_step *step, bool *follow, alch_error *error) {
  alch_status status = ALCH_OK;
  if (flush->keys_follow == ALCH_KEYS_UNKNOWN) status = alch_flush_ask_keys(flush, step->mapper->attributes[step->mapper->generated_slot].column, error);
  *follow = status == ALCH_OK && flush->keys_follow == ALCH_KEYS_FOLLOW;
  return status;
}

/* ---- how many rows behind VALUES ---- */

static uint32_t fitting_rows(const alch_flush *flush, const alch_step *step, uint32_t count) {
  uint32_t limit = dialect_of(flush)->parameter_limit, width = step->mapper->attribute_count;
  if (!can(flush, ALCH_CAPABILITY_MULTI_VALUES)) return 0;
  if (alch_connection_embedded(flush->bind->connection) != NULL) return count >= EMBEDDED_ROWS && (limit == 0 || width * EMBEDDED_ROWS <= limit) ? EMBEDDED_ROWS : 0;
  for (size_t i = 0; i < ALCH_COUNT(row_counts); i++)
    if (row_counts[i] <= count && (limit == 0 || width * row_counts[i] <= limit)) return row_counts[i];
  return 0;
}

/* The first row of a step goes alone where the keys are told by the last one: counting goes on from there. It is not worth asking the database about few. */
static bool may_count_keys(const alch_flush *flush, const alch_step *step, bool first) {
  if (!can(flush, ALCH_CAPABILITY_LAST_INSERT_ID)) return false;
  if (first) return true;
  return flush->last_key != 0 && (flush->keys_follow != ALCH_KEYS_UNKNOWN || step->count - flush->place >= 2 * EMBEDDED_ROWS);
}

/* ---- the ways ---- */

/* The order in which rows are changed decides whether a value is free already. */
static bool constraint_has(const alch_constraint *constraint, const alch_column *column) {
  if (constraint->kind == ALCH_CONSTRAINT_EXCLUDE) return true;
  for (uint32_t i = 0; constraint->kind == ALCH_CONSTRAINT_UNIQUE && i < constraint->column_count; i++)
    if (constraint->columns[i] == column) return true;
  return false;
}

static bool index_has(const alch_index *index, const alch_column *column) {
  for (uint32_t i = 0; index->unique && i < index->count; i++)
    if (index->columns[i] == column || index->columns[i] == NULL) return true;
  return false;
}

static bool is_unique(const alch_column *column) {
  if (column->unique || column->primary_key) return true;
  for (const alch_constraint *constraint = column->table->constraints; constraint != NULL; constraint = constraint->next)
    if (constraint_has(constraint, column)) return true;
  for (const alch_index *index = column->table->indexes; index != NULL; index = index->next)
    if (index_has(index, column)) return true;
  return false;
}

static bool changes_unique(const alch_step *step, const bool *mask) {
  for (uint32_t i = 0; i < step->mapper->attribute_count; i++)
    if (mask[i] && is_unique(step->mapper->attributes[i].column)) return true;
  return false;
}

alch_writing alch_flush_writing(const alch_flush *flush, const alch_step *step, const alch_batch *batch) {
  bool masked = step->kind == ALCH_STEP_INSERT || step->kind == ALCH_STEP_UPDATE;
  alch_writing writing = { .engine = flush->bind->engine, .kind = step->kind, .way = batch->way, .mapper = step->mapper, .relationship = step->relationship, .mask = masked ? batch->mask : NULL, .span = batch->span, .rows = batch->count };
  writing.whole = step->kind == ALCH_STEP_UNLINK && flush->links[step->first + batch->items[0]].child == NULL;
  return writing;
}

static bool writes_any(const alch_step *step, const bool *mask) {
  for (uint32_t i = 0; i < step->mapper->attribute_count; i++)
    if (mask[i]) return true;
  return false;
}

static bool takes_arrays(const alch_flush *flush, const alch_step *step, const alch_batch *batch) {
  alch_writing writing = alch_flush_writing(flush, step, batch);
  if (batch->no_arrays || !alch_connection_takes_arrays(flush->bind->connection)) return false;
  if (step->kind == ALCH_STEP_UPDATE && (!can(flush, ALCH_CAPABILITY_UPDATE_FROM) || changes_unique(step, batch->mask))) return false;
  if ((step->kind == ALCH_STEP_DELETE || step->kind == ALCH_STEP_UNLINK) && !can(flush, ALCH_CAPABILITY_DELETE_USING)) return false;
  return !alch_writer_leaves_sql(&writing) && alch_writer_takes_arrays(flush->session, &writing);
}

static void take_rows(const alch_flush *flush, const alch_step *step, alch_batch *batch) {
  uint32_t rows = fitting_rows(flush, step, batch->count);
  if (rows == 0) return;
  batch->way = ALCH_WAY_ROWS;
  batch->count = rows;
}

/* As many sets as lose no numbers, which the database returns all together; 0: these objects are too few. */
static uint32_t fitting_sets(const alch_flush *flush, uint32_t count) {
  uint32_t sets = alch_connection_returning_sets(flush->bind->connection);
  while (sets > count) sets /= 2;
  return sets >= ROWS_MOST ? sets : 0;
}

static void take_sets_or_rows(const alch_flush *flush, const alch_step *step, alch_batch *batch) {
  uint32_t sets = fitting_sets(flush, batch->count);
  if (sets == 0) {
    take_rows(flush, step, batch);
    return;
  }
  batch->way = ALCH_WAY_SETS;
  batch->count = sets;
}

static alch_status choose_with_keys(alch_flush *flush, const alch_step *step, alch_batch *batch, bool generated, alch_error *error) {
  alch_status status = ALCH_OK;
  bool follow = false, first = alch_connection_tells_first_key(flush->bind->connection);
  if (generated && takes_arrays(flush, step, batch)) {
    status = keys_follow(flush, step, &follow, error);
    if (follow) batch->way = ALCH_WAY_ARRAYS;
    if (follow || status != ALCH_OK) return status;
  }
  if (can(flush, ALCH_CAPABILITY_ORDERED_RETURNING)) {
    take_sets_or_rows(flush, step, batch);
  } else if (generated && may_count_keys(flush, step, first)) {
    if (fitting_rows(flush, step, batch->count) > 0) status = keys_follow(flush, step, &follow, error);
    if (follow) take_rows(flush, step, batch);
  } else if (can(flush, ALCH_CAPABILITY_INSERT_RETURNING) && !can(flush, ALCH_CAPABILITY_LAST_INSERT_ID) && alch_connection_takes_sets(flush->bind->connection)) {
    batch->way = ALCH_WAY_SETS;
  }
  return status;
}

static void choose_plain(const alch_flush *flush, const alch_step *step, alch_batch *batch) {
  if (takes_arrays(flush, step, batch)) batch->way = ALCH_WAY_ARRAYS;
  else if (alch_connection_takes_sets(flush->bind->connection)) batch->way = ALCH_WAY_SETS;
  else if (step->kind == ALCH_STEP_INSERT) take_rows(flush, step, batch);
}

/* ---- where the rows lie ---- */

/* The key of the row that an object has there. */
static bool add_key(alch_key_span *span, const alch_object *object) {
  alch_value key[ALCH_KEY_LIMIT];
  if (!alch_object_key(object, true, key) || key[0].kind != ALCH_INTEGER) return false;
  if (key[0].integer < span->low) span->low = key[0].integer;
  if (key[0].integer > span->high) span->high = key[0].integer;
  return true;
}

/* It is known how many rows can lie there since no two have the same number. */
static alch_key_span find_span(const alch_flush *flush, const alch_step *step, const alch_batch *batch) {
  alch_key_span span = { .low = INT64_MAX, .high = INT64_MIN };
  alch_writing writing = alch_flush_writing(flush, step, batch);
  if (step->kind != ALCH_STEP_UPDATE && step->kind != ALCH_STEP_DELETE) return span;
  if (batch->way != ALCH_WAY_ARRAYS || !alch_writer_numbers_rows(flush->session, &writing)) return span;
  for (uint32_t i = 0; i < batch->count; i++)
    if (!add_key(&span, flush->objects[step->first + batch->items[i]])) return span;
  span.close = (uint64_t)span.high - (uint64_t)span.low < (uint64_t)batch->count * CLOSE_ROWS;
  return span;
}

/* Those that are no longer in the batch come next. */
static void shorten(alch_batch *batch, uint32_t gathered) {
  if (batch->way == ALCH_WAY_ONE) batch->count = 1;
  if (batch->count < gathered) batch->end = batch->items[batch->count];
}

alch_status alch_flush_choose_way(alch_flush *flush, const alch_step *step, alch_batch *batch, alch_error *error) {
  uint32_t gathered = batch->count;
  alch_status status = ALCH_OK;
  batch->way = ALCH_WAY_ONE;
  unset_keys unset = find_unset(batch, step);
  if (gathered > 1 && (step->kind != ALCH_STEP_INSERT || writes_any(step, batch->mask))) {
    if (unset.count > 0) status = choose_with_keys(flush, step, batch, unset.generated, error);
    else choose_plain(flush, step, batch);
  }
  if (status != ALCH_OK) return status;
  /* Too few for any way: it is not tried again with each of them, unless this was the one that tells its key. */
  bool again = unset.generated && can(flush, ALCH_CAPABILITY_LAST_INSERT_ID) && flush->last_key == 0;
  if (batch->way == ALCH_WAY_ONE && !again && flush->singly_until <= batch->items[gathered - 1]) flush->singly_until = batch->items[gathered - 1] + 1;
  shorten(batch, gathered);
  batch->span = find_span(flush, step, batch);
  return ALCH_OK;
}

uint32_t alch_flush_batch_most(const alch_flush *flush, const alch_step *step) {
  const alch_connection *connection = flush->bind->connection;
  if (flush->place < flush->singly_until) return 1;
  if (alch_connection_takes_arrays(connection) && dialect_of(flush)->array_form != NULL) return ARRAYS_MOST;
  if (step->kind == ALCH_STEP_INSERT && can(flush, ALCH_CAPABILITY_ORDERED_RETURNING) && alch_connection_returning_sets(connection) > ROWS_MOST) return alch_connection_returning_sets(connection);
  if (step->kind == ALCH_STEP_INSERT && can(flush, ALCH_CAPABILITY_MULTI_VALUES)) return alch_connection_embedded(connection) != NULL ? EMBEDDED_ROWS : ROWS_MOST;
  return alch_connection_takes_sets(connection) ? SETS_MOST : 1;
}

/* ---- how many at once ---- */

/* A function of the user's may ask the database for what it gives: it is called when what was written before is through. */
static bool asks_host(const alch_step *step) {
  bool update = step->kind == ALCH_STEP_UPDATE, defaults = update || step->kind == ALCH_STEP_INSERT;
  for (uint32_t i = 0; defaults && i < step->mapper->attribute_count; i++) {
    const alch_column *column = step->mapper->attributes[i].column;
    if ((update ? column->update_default.kind : column->insert_default.kind) == ALCH_DEFAULT_HOST) return true;
  }
  return false;
}

/* Where keys of several rows are counted, what is next depends on the one before. Listeners hear of a statement when the one before is through. */
void alch_flush_set_depth(alch_flush *flush, const alch_step *step) {
  const alch_connection *connection = flush->bind->connection;
  bool counts = step->kind == ALCH_STEP_INSERT && can(flush, ALCH_CAPABILITY_LAST_INSERT_ID) && !can(flush, ALCH_CAPABILITY_ORDERED_RETURNING);
  flush->depth = alch_connection_sends_ahead(connection) && !counts && !asks_host(step) ? ALCH_BATCHES : 1;
  flush->ahead = flush->depth > 1 && !alch_connection_is_listened_to(connection);
}
