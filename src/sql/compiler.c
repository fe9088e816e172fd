#include "sql/compiler.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- failing ---- */

alch_status alch_compile_error(alch_compiler *compiler, alch_error_kind kind, const char *format, ...) {
  if (compiler->status != ALCH_OK) return compiler->status;
  va_list arguments;
  va_start(arguments, format);
  compiler->status = alch_error_set_list(compiler->error, kind, format, arguments);
  va_end(arguments);
  return compiler->status;
}

alch_status alch_no_memory(alch_compiler *compiler) {
  if (compiler->status == ALCH_OK) compiler->status = alch_error_out_of_memory(compiler->error);
  return compiler->status;
}

bool alch_require(alch_compiler *compiler, alch_capability capability, const char *construct) {
  if (alch_can(compiler, capability)) return true;
  alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "%s is not supported by the dialect '%s'", construct, compiler->dialect->name);
  return false;
}

/* ---- writing ---- */

void alch_write_identifier(alch_compiler *compiler, const char *name) {
  uint32_t limit = compiler->dialect->identifier_limit;
  if (ALCH_UNLIKELY(limit > 0 && strlen(name) > limit) && !alch_can(compiler, ALCH_CAPABILITY_TRUNCATES_NAMES))
    alch_compile_error(compiler, ALCH_ERROR_COMPILE, "the name '%s' is too long for the dialect '%s', which takes %u characters; give it a shorter one", name, compiler->dialect->name, (unsigned)limit);
  alch_quote_identifier(compiler->dialect, name, 0, compiler->out);
}

void alch_write_quoted(alch_compiler *compiler, const char *text, size_t length) {
  alch_write_char(compiler, '\'');
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\'' || (text[i] == '\\' && alch_can(compiler, ALCH_CAPABILITY_BACKSLASH_ESCAPES))) alch_write_char(compiler, text[i]);
    alch_write_char(compiler, text[i]);
  }
  alch_write_char(compiler, '\'');
}

const char *alch_operator_spelling(alch_compiler *compiler, uint8_t op) {
  const char *spelling = compiler->dialect->operator_spellings ? compiler->dialect->operator_spellings[op] : NULL;
  if (!spelling) spelling = alch_operator_rows[op].spelling;
  if (*spelling == '\0') alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "the operator '%s' is not supported by the dialect '%s'", *alch_operator_rows[op].lua_name ? alch_operator_rows[op].lua_name : alch_operator_rows[op].symbol, compiler->dialect->name);
  return spelling;
}

alch_status alch_write_type(alch_compiler *compiler, alch_type_id type) {
  if (compiler->status != ALCH_OK) return compiler->status;
  compiler->status = alch_type_write(compiler->dialect, alch_catalog_type(compiler->catalog, type), NULL, compiler->out, compiler->error);
  return compiler->status;
}

alch_status alch_check_type(alch_compiler *compiler, alch_type_id type) {
  const alch_type *seen = alch_type_in(alch_catalog_type(compiler->catalog, type), compiler->dialect->name);
  if (compiler->status != ALCH_OK || !seen->exact) return compiler->status;
  alch_buffer name;
  alch_buffer_init(&name, compiler->scratch.allocator);
  compiler->status = alch_type_write(compiler->dialect, seen, NULL, &name, compiler->error);
  alch_buffer_close(&name);
  return compiler->status;
}

/* ---- ids ---- */

bool alch_ids_have(const alch_id_list *list, uint32_t id) {
  for (uint32_t i = 0; i < list->count; i++)
    if (list->ids[i] == id) return true;
  return false;
}

void alch_ids_add(alch_compiler *compiler, alch_id_list *list, uint32_t id) {
  if (alch_ids_have(list, id)) return;
  if (list->count == list->capacity) {
    uint32_t capacity = list->capacity ? list->capacity * 2 : 8;
    uint32_t *ids = alch_arena_allocate(&compiler->scratch, capacity * sizeof *ids);
    if (!ids) {
      alch_no_memory(compiler);
      return;
    }
    if (list->count > 0) memcpy(ids, list->ids, list->count * sizeof *ids);
    list->ids = ids;
    list->capacity = capacity;
  }
  list->ids[list->count++] = id;
}

/* ---- names that are made up ---- */

static alch_counter *counter_of(alch_compiler *compiler, const char *base, size_t length) {
  for (alch_counter *counter = compiler->counters; counter; counter = counter->next)
    if (counter->length == length && memcmp(counter->base, base, length) == 0) return counter;
  alch_counter *counter = alch_arena_allocate(&compiler->scratch, sizeof *counter);
  if (!counter) return NULL;
  *counter = (alch_counter){ base, (uint32_t)length, 0, compiler->counters };
  return compiler->counters = counter;
}

static char *write_number(char *at, uint32_t number) {
  if (number >= 10) at = write_number(at, number / 10);
  *at = (char)('0' + number % 10);
  return at + 1;
}

/* A name too long for the database is cut so that a number of its own fits behind it, as SQLAlchemy does. */
static void cut_name(alch_compiler *compiler, char *name) {
  enum { ROOM = 6 };
  uint32_t limit = compiler->dialect->identifier_limit;
  if (limit == 0 || strlen(name) <= limit - ROOM) return;
  alch_counter *counter = counter_of(compiler, "", 0);
  size_t end = limit - ROOM;
  while (end > 0 && ((unsigned char)name[end] & 0xc0) == 0x80) end--;
  if (counter) snprintf(name + end, ROOM, "_%x", (unsigned)++counter->count & 0xfff);
}

const char *alch_new_name(alch_compiler *compiler, const char *base, size_t length) {
  alch_counter *counter = counter_of(compiler, base, length);
  char *name = counter ? alch_arena_allocate(&compiler->scratch, length + 20) : NULL;
  if (!name) {
    alch_no_memory(compiler);
    return "";
  }
  memcpy(name, base, length);
  name[length] = '_';
  *write_number(name + length + 1, ++counter->count) = '\0';
  cut_name(compiler, name);
  return name;
}

static const char *zero_terminated(alch_compiler *compiler, const char *text, size_t length) {
  const char *copy = alch_arena_text(&compiler->scratch, text, length);
  if (!copy) alch_no_memory(compiler);
  return copy ? copy : "";
}

const char *alch_output_name(alch_compiler *compiler, alch_named_output *named) {
  const alch_output *output = &named->output;
  if (named->name) return named->name;
  if (!named->numbered) return named->name = zero_terminated(compiler, output->name, output->name_length);
  if (!named->repeated) return named->name = alch_new_name(compiler, output->name, output->name_length);
  char *base = alch_arena_allocate(&compiler->scratch, output->name_length + 2);
  if (!base) {
    alch_no_memory(compiler);
    return "";
  }
  memcpy(base, output->name, output->name_length);
  base[output->name_length] = '_';
  return named->name = alch_new_name(compiler, base, output->name_length + 1);
}

/* ---- definitions ---- */

alch_defined *alch_defined_at(alch_compiler *compiler, uint32_t source) {
  for (uint32_t i = 0; i < compiler->definition_count; i++)
    if (compiler->definitions[i].node->a == source) return &compiler->definitions[i];
  return NULL;
}

/* The definition behind an alias of an alias, of a CTE, of a subquery. */
static const alch_node *element_of(alch_compiler *compiler, uint32_t source) {
  for (int depth = 0; depth < ALCH_SOURCE_DEEPEST; depth++) {
    alch_defined *defined = alch_defined_at(compiler, source);
    if (!defined) return NULL;
    const alch_node *element = alch_node_child(defined->node);
    if (element->kind != ALCH_NODE_SOURCE) return element;
    source = element->a;
  }
  return NULL;
}

alch_type_id alch_type_of(const alch_compiler *compiler, const alch_node *node) { return alch_node_type(compiler->catalog, compiler->block, node); }

uint8_t alch_family_of(const alch_compiler *compiler, const alch_node *node) {
  alch_type_id type = alch_type_of(compiler, node);
  return type < ALCH_TYPE_FAMILY_COUNT ? (uint8_t)type : alch_catalog_type(compiler->catalog, type)->family;
}

/* ---- plans of select lists ---- */

/* A column handed on from a subquery is called what the subquery calls it. */
static void take_inner_name(alch_compiler *compiler, alch_named_output *named) {
  alch_output *output = &named->output;
  if (!(output->source & ALCH_ANONYMOUS) || alch_source_table(compiler->catalog, compiler->block, output->source)) return;
  const alch_node *element = element_of(compiler, output->source);
  if (!element || !alch_has_outputs(element)) return;
  alch_output_plan *plan = alch_plan_of(compiler, element);
  if (!plan || output->index >= plan->count) return;
  output->name = alch_output_name(compiler, &plan->outputs[output->index]);
  output->name_length = (uint32_t)strlen(output->name);
  output->anonymous = false;
}

static bool same_name(const alch_output *left, const alch_output *right) {
  return left->name_length == right->name_length && memcmp(left->name, right->name, left->name_length) == 0;
}

static bool same_column(const alch_output *left, const alch_output *right) {
  return left->column && left->source == right->source && left->index == right->index;
}

static bool keeps_name(const alch_output *output) {
  const alch_node *item = output->item;
  return item && (item->kind == ALCH_NODE_LABEL || item->kind == ALCH_NODE_TEXT || item->kind == ALCH_NODE_LITERAL || (item->kind == ALCH_NODE_STAR && item->a == 0));
}

/* A cast that bears its column's name. */
static bool borrows_name(const alch_output *output) { return output->item && (output->item->kind == ALCH_NODE_CAST || output->item->kind == ALCH_NODE_TYPE_COERCE); }

/* SQLAlchemy's rule: the first of a name keeps it, another column of that name becomes id_1; the same column once more, and a cast, id__1. */
static void disambiguate(alch_output_plan *plan, uint32_t index, uint64_t *seen) {
  alch_named_output *named = &plan->outputs[index];
  named->numbered = named->output.anonymous;
  if (named->numbered || keeps_name(&named->output) || named->output.name_length == 0) return;
  uint64_t bit = UINT64_C(1) << ((named->output.name_length * 7u + (unsigned char)named->output.name[named->output.name_length - 1]) & 63);
  for (uint32_t i = 0; (*seen & bit) && i < index; i++) {
    const alch_named_output *before = &plan->outputs[i];
    if (before->numbered && !before->repeated && !same_column(&before->output, &named->output)) continue;
    if (!same_name(&before->output, &named->output)) continue;
    named->numbered = true;
    named->repeated = named->repeated || borrows_name(&named->output) || same_column(&before->output, &named->output);
  }
  *seen |= bit;
}

static void fill_plan(alch_compiler *compiler, alch_output_plan *plan, alch_output_walk walk) {
  uint64_t seen = 0;
  for (uint32_t i = 0; i < plan->count && alch_output_next(&walk, &plan->outputs[i].output); i++) {
    take_inner_name(compiler, &plan->outputs[i]);
    disambiguate(plan, i, &seen);
  }
}

static alch_output_plan *new_plan(alch_compiler *compiler, const alch_node *query, alch_output_walk walk) {
  alch_output_plan *plan = alch_arena_allocate(&compiler->scratch, sizeof *plan);
  uint32_t count = alch_output_count(walk);
  alch_named_output *outputs = plan && count > 0 ? alch_arena_allocate(&compiler->scratch, count * sizeof *outputs) : NULL;
  if (!plan || (count > 0 && !outputs)) {
    alch_no_memory(compiler);
    return NULL;
  }
  *plan = (alch_output_plan){ query, outputs, count, compiler->plans };
  compiler->plans = plan;
  fill_plan(compiler, plan, walk);
  return plan;
}

alch_output_plan *alch_plan_of(alch_compiler *compiler, const alch_node *query) {
  const alch_node *select = alch_first_member(query);
  for (alch_output_plan *plan = compiler->plans; plan; plan = plan->next)
    if (plan->query == select) return plan;
  return new_plan(compiler, select, alch_outputs(compiler->catalog, compiler->block, query));
}

alch_output_plan *alch_plan_clause(alch_compiler *compiler, const alch_node *query, const alch_node *clause) {
  return new_plan(compiler, query, alch_outputs_of(compiler->catalog, compiler->block, clause));
}
