/* One statement of a load: compiled, started, read, and what follows from its rows. */
#include "orm/load_state.h"

#include <string.h>

/* ---- the stack ---- */

static alch_load_step *new_step(alch_load *load) {
  const alch_allocator *allocator = load->session->allocator;
  alch_load_step *step = load->spare;
  if (step) {
    load->spare = step->outer;
    return step;
  }
  step = alch_allocate_zeroed(allocator, sizeof *step);
  if (step) alch_execution_init(&step->execution, allocator);
  return step;
}

alch_load_step *alch_load_push(alch_load *load, alch_load_step_kind kind, alch_error *error) {
  const alch_allocator *allocator = load->session->allocator;
  alch_load_step *step = new_step(load);
  if (!step) {
    alch_error_out_of_memory(error);
    return NULL;
  }
  step->outer = load->step;
  step->kind = kind;
  step->populate = load->populate;
  alch_load_pairs_init(&step->rows, allocator);
  alch_load_pairs_init(&step->links, allocator);
  alch_load_pairs_init(&step->lists, allocator);
  load->step = step;
  return step;
}

static void forget_entities(alch_load *load, alch_load_step *step) {
  for (uint32_t i = 0; step->entities && i < step->plan->entity_count; i++) {
    alch_object_list *list = &step->entities[i].gathered;
    if (list->items) alch_free(load->session->allocator, list->items, list->capacity * sizeof *list->items);
  }
}

/* The record and the execution's memory stay for the next step. */
void alch_load_pop(alch_load *load) {
  alch_load_step *step = load->step;
  load->step = step->outer;
  forget_entities(load, step);
  alch_execution_close(&step->execution);
  alch_compiled_release(step->compiled);
  alch_load_pairs_close(&step->rows);
  alch_load_pairs_close(&step->links);
  alch_load_pairs_close(&step->lists);
  if (step->whole_rows.allocator) alch_map_close(&step->whole_rows);
  alch_load_keys_close(&step->keys);
  memset(step, 0, offsetof(alch_load_step, execution));
  step->outer = load->spare;
  load->spare = step;
}

void alch_load_free_steps(alch_load *load) {
  while (load->step) alch_load_pop(load);
  while (load->spare) {
    alch_load_step *step = load->spare;
    load->spare = step->outer;
    alch_execution_destroy(&step->execution);
    alch_free(load->session->allocator, step, sizeof *step);
  }
}

/* ---- compiling ---- */

/* 0: rows are what objects are, and need not be put together. */
static uint32_t most_cells(const alch_plan *plan) {
  uint32_t most = 0;
  for (uint32_t i = 0; i < plan->entity_count; i++)
    if (!plan->entities[i].direct && plan->entities[i].mapper->attribute_count > most) most = plan->entities[i].mapper->attribute_count;
  return most;
}

static alch_status make_room(alch_load *load, alch_load_step *step, alch_error *error) {
  const alch_plan *plan = step->plan;
  uint32_t cells = most_cells(plan);
  if (cells > 0) step->cells = alch_arena_allocate(&load->arena, cells * sizeof *step->cells);
  if (cells > 0 && !step->cells) return alch_error_out_of_memory(error);
  if (plan->entity_count > 1) step->entities = alch_arena_allocate(&load->arena, plan->entity_count * sizeof *step->entities);
  else step->entities = &step->entity;
  return step->entities ? ALCH_OK : alch_error_out_of_memory(error);
}

/* A statement that was first executed without objects is in the cache without a plan. */
static alch_status compile(alch_load *load, alch_load_step *step, alch_error *error) {
  alch_session *session = load->session;
  alch_status status = alch_engine_compile(step->bind->engine, session->catalog, step->block, NULL, alch_plan_make, load->registry, &step->compiled, error);
  if (status != ALCH_OK || step->compiled->plan) return status;
  alch_compiled_release(step->compiled);
  step->compiled = NULL;
  return alch_plan_make(load->registry, session->catalog, alch_engine_dialect(step->bind->engine), step->block, NULL, session->allocator, &step->compiled, error);
}

/* The statement of a get is remembered: it is the one most often asked for. */
static alch_status compile_get(alch_load *load, alch_load_step *step, alch_error *error) {
  if (load->get_mapper != step->mapper || load->get_compiled->dialect != alch_engine_dialect(step->bind->engine)) {
    alch_status status = compile(load, step, error);
    if (status != ALCH_OK) return status;
    alch_compiled_release(load->get_compiled);
    load->get_compiled = step->compiled;
    load->get_mapper = step->mapper;
  }
  step->compiled = load->get_compiled;
  alch_compiled_hold(step->compiled);
  return ALCH_OK;
}

alch_status alch_load_prepare(alch_load *load, alch_load_step *step, alch_error *error) {
  if (step->compiled) {
    if (step->kind == ALCH_STEP_QUERY || step->width == 1) return ALCH_OK;
    alch_execution_close(&step->execution);
    alch_compiled_release(step->compiled);
    step->compiled = NULL;
  }
  bool get = step->mapper && step->block == step->mapper->get_block;
  alch_status status = get ? compile_get(load, step, error) : compile(load, step, error);
  if (status != ALCH_OK) return status;
  /* Another chunk's plan is the same but for its address. */
  bool first = step->plan == NULL;
  step->plan = step->compiled->plan;
  if (ALCH_UNLIKELY(load->session->routed) && first && (status = alch_bind_check_block(load->session, step->bind, step->plan->block ? step->plan->block : step->block, error)) != ALCH_OK) return status;
  return first ? make_room(load, step, error) : ALCH_OK;
}

/* ---- statements by keys ---- */

static void put_wide_key(alch_load_step *step, alch_builder *builder, const alch_value *key) {
  alch_builder_open(builder, ALCH_NODE_LIST, ALCH_OPERATOR_AND, 0, 0);
  for (uint32_t i = 0; i < step->width; i++) {
    uint32_t source = step->mapper->table->id;
    const alch_column *column;
    if (step->relationship && !step->relationship->key_pairs) alch_relationship_link_column(step->relationship, i, &source, &column);
    else column = step->mapper->attributes[step->mapper->key_slots[i]].column;
    alch_builder_open(builder, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
    alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, source, column->index);
    alch_builder_bind(builder, column->type, 0, NULL, &key[i], NULL);
    alch_builder_close(builder);
  }
  alch_builder_close(builder);
}

static const alch_value *chunk_key(const alch_load_step *step, uint32_t index) {
  uint32_t place = step->first + (index < step->count ? index : step->count - 1);
  return step->key ? step->key : &step->keys.values[(size_t)step->wanted[place] * step->width];
}

static void put_keys(alch_load_step *step, alch_builder *builder) {
  if (step->width == 1) {
    uint32_t source = step->mapper->table->id;
    const alch_column *column = step->mapper->attributes[step->mapper->key_slots[0]].column;
    if (step->relationship) alch_relationship_link_column(step->relationship, 0, &source, &column);
    alch_build_in_keys(builder, source, column);
    return;
  }
  if (step->padded > 1) alch_builder_open(builder, ALCH_NODE_LIST, ALCH_OPERATOR_OR, 0, 0);
  for (uint32_t i = 0; i < step->padded; i++) put_wide_key(step, builder, chunk_key(step, i));
  if (step->padded > 1) alch_builder_close(builder);
}

static alch_status finish_block(alch_load *load, alch_load_step *step, alch_builder *builder, alch_error *error) {
  size_t size;
  if (alch_builder_finish(builder, &size, error) != ALCH_OK) return ALCH_ERROR;
  alch_block *block = alch_arena_allocate(&load->arena, size);
  if (!block) return alch_error_out_of_memory(error);
  alch_builder_write(builder, block);
  step->block = block;
  return ALCH_OK;
}

/* The statement for the chunk: one that was made beforehand where there are no options and the key is one column. */
static alch_status choose_block(alch_load *load, alch_load_step *step, alch_error *error) {
  const alch_block *made = step->relationship ? step->relationship->load_block : step->wanted_count == 1 ? step->mapper->get_block : step->mapper->load_block;
  if (step->width == 1 && step->block) return ALCH_OK;
  if (made && !step->options) {
    step->block = made;
    return ALCH_OK;
  }
  alch_builder builder;
  alch_builder_init(&builder, load->session->allocator);
  if (step->relationship) alch_relationship_open_select(step->relationship, &builder);
  else alch_mapper_open_select(step->mapper, &builder);
  put_keys(step, &builder);
  if (step->relationship) alch_relationship_close_select(step->relationship, &builder, step->options);
  else alch_mapper_close_select(&builder, step->options);
  alch_status status = finish_block(load, step, &builder, error);
  alch_builder_destroy(&builder);
  return status;
}

static alch_status give_keys(void *context, const alch_slot *slot, alch_value *out, alch_error *error) {
  const alch_load_step *step = context;
  (void)error;
  if (strcmp(slot->name, "keys") == 0) {
    *out = (alch_value){ .kind = ALCH_LIST, .integer = step->padded };
    return ALCH_OK;
  }
  /* ka, kb, … */
  uint32_t part = slot->name[0] == 'k' && slot->name[1] != '\0' && slot->name[2] == '\0' ? (uint32_t)(slot->name[1] - 'a') : UINT32_MAX;
  if (part >= step->width) return ALCH_DONE;
  *out = chunk_key(step, 0)[part];
  return ALCH_OK;
}

static alch_status give_key(void *context, const alch_slot *slot, uint32_t index, alch_value *out, alch_error *error) {
  (void)slot, (void)error;
  *out = *chunk_key(context, index);
  return ALCH_OK;
}

/* Few lengths of lists mean few texts for the database to prepare. */
static uint32_t padded_count(uint32_t count, uint32_t most) {
  uint32_t padded = 1;
  while (padded < count) padded *= 2;
  return padded < most ? padded : most;
}

static uint32_t chunk_size(const alch_load *load, const alch_load_step *step) {
  uint32_t most = step->width > 1 ? ALCH_LOAD_WIDE_CHUNK : ALCH_LOAD_CHUNK;
  uint32_t parameters = alch_engine_dialect(step->bind->engine)->parameter_limit / step->width, batch = load->session->options.batch_size;
  if (parameters > 0 && parameters < most) most = parameters;
  if (batch > 0 && batch < most) most = batch;
  return most;
}

/* ALCH_DONE: no chunk is left. */
static alch_status next_chunk(alch_load *load, alch_load_step *step, alch_error *error) {
  uint32_t most = chunk_size(load, step);
  step->first += step->count;
  step->count = step->wanted_count - step->first;
  if (step->count == 0) return ALCH_DONE;
  if (step->count > most) step->count = most;
  step->padded = padded_count(step->count, most);
  alch_status status = choose_block(load, step, error);
  return status == ALCH_OK ? alch_load_prepare(load, step, error) : status;
}

/* ---- one stage after another ---- */

static alch_status start_keys(alch_load_step *step, alch_connection *connection, alch_error *error) {
  const alch_parameters parameters = { .context = step, .named = give_keys, .item = give_key };
  return alch_execution_start(&step->execution, connection, step->compiled, step->block, &parameters, error);
}

static alch_status start(alch_load *load, alch_load_step *step, alch_error *error) {
  alch_connection *connection;
  alch_status status = alch_session_connection(load->session, step->bind, &connection, error);
  if (status != ALCH_OK) return status;
  step->stage = ALCH_STAGE_STARTING;
  alch_execution_close(&step->execution);   /* of the chunk before */
  step->execution.flows = load->limit == 0;
  if (step->kind == ALCH_STEP_QUERY) return alch_execution_start(&step->execution, connection, step->compiled, step->block, step->parameters, error);
  return start_keys(step, connection, error);
}

static alch_status begin(alch_load *load, alch_load_step *step, alch_error *error) {
  alch_status status = step->kind == ALCH_STEP_RELATED ? alch_load_gather_related(load, step, error) : ALCH_OK;
  if (status != ALCH_OK || load->step != step) return status;
  if (step->kind != ALCH_STEP_QUERY) status = next_chunk(load, step, error);
  step->stage = status == ALCH_DONE ? ALCH_STAGE_END : ALCH_STAGE_READY;
  return status == ALCH_DONE ? ALCH_OK : status;
}

static alch_status end_of_rows(alch_load *load, alch_load_step *step, alch_error *error) {
  alch_status status = step->kind == ALCH_STEP_QUERY ? ALCH_DONE : next_chunk(load, step, error);
  if (status < 0) return status;
  step->stage = status == ALCH_DONE ? ALCH_STAGE_END : ALCH_STAGE_READY;
  return ALCH_OK;
}

/* At the limit: first what follows for the objects that are there, then the host has its turn. */
static alch_status pause(alch_load *load, alch_load_step *step, alch_error *error) {
  if (step->paused) {
    step->paused = false;
    alch_arena_clear(&load->arena);   /* what followed is over */
    return ALCH_ROW;
  }
  step->paused = true;
  /* The host may let the rows go that it has seen. */
  for (uint32_t i = 0; i < step->plan->entity_count; i++) step->entities[i].object = NULL;
  return alch_load_follow(load, step, error);
}

static alch_status run_stage(alch_load *load, alch_load_step *step, alch_error *error) {
  alch_status status;
  switch (step->stage) {
    case ALCH_STAGE_NEW: return begin(load, step, error);
    case ALCH_STAGE_READY: status = start(load, step, error); break;
    case ALCH_STAGE_STARTING: status = alch_execution_start_poll(&step->execution, error); break;
    case ALCH_STAGE_ROWS:
      if (step->paused) return pause(load, step, error);
      status = alch_load_read_rows(load, step, error);
      if (status == ALCH_ROW) return pause(load, step, error);
      return status == ALCH_DONE ? end_of_rows(load, step, error) : status;
    case ALCH_STAGE_END:
      alch_load_complete_lists(step);
      if (step->kind == ALCH_STEP_RELATED && (status = alch_load_complete_related(load, step, error)) != ALCH_OK) return status;
      step->stage = ALCH_STAGE_OVER;
      return alch_load_follow(load, step, error);
    default: return ALCH_DONE;
  }
  if (status == ALCH_OK) step->stage = ALCH_STAGE_ROWS;
  return status;
}

static alch_status find_bind(alch_session *session, alch_load_step *step, alch_error *error) {
  if (step->relationship) return alch_bind_find_related(session, step->relationship, &step->bind, error);
  return alch_bind_find(session, step->mapper, NULL, false, &step->bind, error);
}

alch_status alch_load_step_run(alch_load *load, alch_load_step *step, alch_error *error) {
  alch_status status = step->bind ? ALCH_OK : find_bind(load->session, step, error);
  if (ALCH_LIKELY(status == ALCH_OK)) status = alch_session_meet(load->session, step->bind, error);
  if (ALCH_UNLIKELY(status != ALCH_OK)) return status;
  do status = run_stage(load, step, error);
  while (status == ALCH_OK && load->step == step);
  if (status == ALCH_WAIT) load->session->awaited = step->bind;
  return status;
}

/* ---- what follows ---- */

static bool was_met(const alch_load_path *path, const alch_mapper *mapper) {
  for (; path; path = path->outer)
    if (path->mapper == mapper) return true;
  return false;
}

/* The path to an entity of a step's statement. */
static alch_status path_to(alch_load *load, const alch_load_step *step, uint32_t entity, const alch_load_path **out, alch_error *error) {
  const alch_load_path *outer = step->path;
  if (step->plan->entities[entity].owner != UINT32_MAX && path_to(load, step, step->plan->entities[entity].owner, &outer, error) != ALCH_OK) return ALCH_ERROR;
  alch_load_path *path = alch_arena_allocate(&load->arena, sizeof *path);
  if (!path) return alch_error_out_of_memory(error);
  *path = (alch_load_path){ step->plan->entities[entity].mapper, outer };
  *out = path;
  return ALCH_OK;
}

alch_status alch_load_follow(alch_load *load, alch_load_step *step, alch_error *error) {
  const alch_plan *plan = step->plan;
  if (!plan || !step->entities) return ALCH_OK;
  for (uint32_t i = plan->follow_count; i-- > 0;) {
    const alch_plan_follow *follow = &plan->follows[i];
    const alch_object_list *gathered = &step->entities[follow->entity].gathered;
    const alch_load_path *path;
    if (gathered->count == 0) continue;
    if (path_to(load, step, follow->entity, &path, error) != ALCH_OK) return ALCH_ERROR;
    if (follow->by_default && was_met(path, follow->relationship->target)) continue;
    if (alch_load_push_related(load, follow->relationship, gathered->items, gathered->count, follow->options, path, error) != ALCH_OK) return ALCH_ERROR;
  }
  for (uint32_t i = 0; i < plan->entity_count; i++) step->entities[i].gathered.count = 0;
  return ALCH_OK;
}
