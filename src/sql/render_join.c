#include "sql/compiler.h"

/* Joins, and the conditions that foreign keys give them. */

/* ---- a foreign key between two sources ---- */

typedef struct link { const alch_constraint *key; uint32_t referring, referred; } link;

typedef struct link_search {
  alch_compiler *compiler;
  link found;
  uint32_t count;              /* one key read in both directions, as in a self join, counts twice */
} link_search;

static alch_output_plan *plan_of_source(alch_compiler *compiler, uint32_t source) {
  for (int depth = 0; depth < ALCH_SOURCE_DEEPEST; depth++) {
    alch_defined *defined = alch_defined_at(compiler, source);
    const alch_node *element = defined ? alch_node_child(defined->node) : NULL;
    if (!element) return NULL;
    if (alch_has_outputs(element)) return alch_plan_of(compiler, element);
    if (element->kind != ALCH_NODE_SOURCE) return NULL;
    source = element->a;
  }
  return NULL;
}

/* The place of a table's column among the columns of a source, which may be a subquery that hands it on; -1 when it is not there. */
static int64_t place_of(alch_compiler *compiler, uint32_t source, const alch_column *column) {
  const alch_table *table = alch_source_table(compiler->catalog, compiler->block, source);
  if (table) return column->table == table ? (int64_t)column->index : -1;
  alch_output_plan *plan = plan_of_source(compiler, source);
  for (uint32_t i = 0; plan && i < plan->count; i++)
    if (plan->outputs[i].output.column == column) return i;
  return -1;
}

static bool links(alch_compiler *compiler, const alch_constraint *key, uint32_t referring, uint32_t referred) {
  for (uint32_t i = 0; i < key->column_count; i++)
    if (place_of(compiler, referring, key->columns[i]) < 0 || place_of(compiler, referred, key->referred[i]) < 0) return false;
  return key->column_count > 0;
}

static void try_table(link_search *search, const alch_table *table, uint32_t referring, uint32_t referred) {
  alch_compiler *compiler = search->compiler;
  for (alch_constraint *key = table->constraints; key && compiler->status == ALCH_OK; key = key->next) {
    if (key->kind != ALCH_CONSTRAINT_FOREIGN_KEY) continue;
    /* A key whose target does not exist (yet) links nothing here. */
    if (!key->referred && alch_foreign_key_resolve(key, NULL) != ALCH_OK) continue;
    if (!links(compiler, key, referring, referred)) continue;
    search->found = (link){ key, referring, referred };
    search->count++;
  }
}

static void try_pair(link_search *search, uint32_t referring, uint32_t referred) {
  const alch_table *table = alch_source_table(search->compiler->catalog, search->compiler->block, referring), *last = NULL;
  if (table) {
    try_table(search, table, referring, referred);
    return;
  }
  alch_output_plan *plan = plan_of_source(search->compiler, referring);
  for (uint32_t i = 0; plan && i < plan->count; i++) {
    const alch_column *column = plan->outputs[i].output.column;
    if (column && column->table != last) try_table(search, last = column->table, referring, referred);
  }
}

static void try_sources(link_search *search, const alch_id_list *left, const alch_id_list *right) {
  for (uint32_t i = 0; i < left->count; i++)
    for (uint32_t j = 0; j < right->count; j++) {
      try_pair(search, right->ids[j], left->ids[i]);
      try_pair(search, left->ids[i], right->ids[j]);
    }
}

/* ---- the condition ---- */

static void write_link(alch_compiler *compiler, const link *found) {
  for (uint32_t i = 0; i < found->key->column_count; i++) {
    if (i > 0) alch_write(compiler, " AND ");
    alch_render_column(compiler, found->referred, (uint32_t)place_of(compiler, found->referred, found->key->referred[i]));
    alch_write(compiler, " = ");
    alch_render_column(compiler, found->referring, (uint32_t)place_of(compiler, found->referring, found->key->columns[i]));
  }
}

static const char *source_text(alch_compiler *compiler, const alch_id_list *list, alch_buffer *text) {
  alch_buffer *out = compiler->out;
  compiler->out = text;
  for (uint32_t i = 0; i < list->count; i++) {
    if (i > 0) alch_write(compiler, ", ");
    alch_render_source_name(compiler, list->ids[i]);
  }
  compiler->out = out;
  return alch_buffer_text(text);
}

static alch_status no_condition(alch_compiler *compiler, const link_search *search, const alch_id_list *left, const alch_id_list *right) {
  alch_buffer left_text, right_text;
  alch_buffer_init(&left_text, compiler->scratch.allocator);
  alch_buffer_init(&right_text, compiler->scratch.allocator);
  const char *a = source_text(compiler, left, &left_text), *b = source_text(compiler, right, &right_text);
  if (alch_buffer_failed(&left_text) || alch_buffer_failed(&right_text)) alch_no_memory(compiler);
  else if (search->count == 0) alch_compile_error(compiler, ALCH_ERROR_NO_FOREIGN_KEYS, "Can't find any foreign key relationships between '%s' and '%s'.", a, b);
  else
    alch_compile_error(compiler, ALCH_ERROR_AMBIGUOUS_FOREIGN_KEYS,
                       "Can't determine join between '%s' and '%s'; tables have more than one foreign key constraint relationship between them. Please specify the 'onclause' of this join explicitly.", a, b);
  alch_buffer_close(&left_text);
  alch_buffer_close(&right_text);
  return compiler->status;
}

/* What was joined last is asked first, and only if it has no key for the right side the rest, as SQLAlchemy has it. */
static void search_links(link_search *search, const alch_id_list *left, const alch_id_list *right) {
  alch_id_list last = { left->ids ? &left->ids[left->count - 1] : NULL, left->ids ? 1 : 0, 1 };
  try_sources(search, &last, right);
  if (search->count == 0 && left->count > 1) try_sources(search, left, right);
}

alch_status alch_render_join_condition(alch_compiler *compiler, const alch_node *left, const alch_node *right) {
  alch_id_list left_sources = { 0 }, right_sources = { 0 };
  link_search search = { .compiler = compiler };
  alch_item_sources(compiler, left, &left_sources);
  alch_item_sources(compiler, right, &right_sources);
  if (compiler->status != ALCH_OK) return compiler->status;
  search_links(&search, &left_sources, &right_sources);
  if (search.count != 1) return no_condition(compiler, &search, &left_sources, &right_sources);
  write_link(compiler, &search.found);
  return compiler->status;
}

/* ---- the join ---- */

static const char *const join_words[] = {
  [ALCH_JOIN_INNER] = " JOIN ", [ALCH_JOIN_LEFT] = " LEFT OUTER JOIN ", [ALCH_JOIN_FULL] = " FULL OUTER JOIN ", [ALCH_JOIN_CROSS] = " CROSS JOIN ",
};

static void render_right(alch_compiler *compiler, const alch_node *right) {
  bool parentheses = right->kind == ALCH_NODE_JOIN;
  if (parentheses) alch_write_char(compiler, '(');
  alch_render(compiler, right);
  if (parentheses) alch_write_char(compiler, ')');
}

alch_status alch_default_join(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_nth(node, 0), *right = alch_node_nth(node, 1), *condition = alch_node_nth(node, 2);
  if (!right || node->op >= ALCH_COUNT(join_words)) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "a join needs two sides, and to be inner, left, full or cross");
  if (node->op == ALCH_JOIN_FULL && !alch_require(compiler, ALCH_CAPABILITY_FULL_JOIN, "FULL OUTER JOIN")) return compiler->status;
  alch_render(compiler, left);
  alch_write(compiler, join_words[node->op]);
  render_right(compiler, right);
  if (node->op == ALCH_JOIN_CROSS) return compiler->status;
  alch_write(compiler, " ON ");
  return condition ? alch_render_condition(compiler, condition, ALCH_OPERATOR_NONE) : alch_render_join_condition(compiler, left, right);
}
