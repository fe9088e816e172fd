#include "sql/compiler.h"
#include <string.h>

/* FROM: what a statement names, what its columns use, and what the statements around it bring already. */

/* ---- names of sources ---- */

void alch_render_table_name(alch_compiler *compiler, const alch_table *table) {
  if (table->schema) {
    alch_quote_schema(compiler->dialect, table->schema, compiler->out);
    alch_write_char(compiler, '.');
  }
  alch_quote_identifier(compiler->dialect, table->name, table->quote, compiler->out);
}

static alch_status unknown_source(alch_compiler *compiler, uint32_t source) {
  return alch_compile_error(compiler, ALCH_ERROR_COMPILE, source & ALCH_ANONYMOUS ? "an alias or subquery that the statement does not define (number %u)" : "there is no table number %u",
                            (unsigned)(source & ~ALCH_ANONYMOUS));
}

/* An unnamed alias is called after what it stands for, users_1; anything else anon_1. */
static const char *made_up_name(alch_compiler *compiler, const alch_node *element) {
  if (element->kind == ALCH_NODE_TABLESAMPLE) element = alch_node_child(element);
  const alch_table *table = element->kind == ALCH_NODE_TABLE ? alch_catalog_table(compiler->catalog, element->a) : NULL;
  if (table) return alch_new_name(compiler, table->name, strlen(table->name));
  const alch_defined *other = element->kind == ALCH_NODE_SOURCE ? alch_defined_at(compiler, element->a) : NULL;
  if (other && other->node->length > 0) return alch_new_name(compiler, alch_node_text(other->node), other->node->length);
  return alch_new_name(compiler, "anon", 4);
}

const char *alch_defined_name(alch_compiler *compiler, alch_defined *defined) {
  if (defined->name) return defined->name;
  if (defined->node->length == 0) return defined->name = made_up_name(compiler, alch_node_child(defined->node));
  defined->name = alch_arena_text(&compiler->scratch, alch_node_text(defined->node), defined->node->length);
  if (!defined->name) alch_no_memory(compiler);
  return defined->name ? defined->name : "";
}

alch_status alch_render_source_name(alch_compiler *compiler, uint32_t source) {
  alch_defined *defined = source & ALCH_ANONYMOUS ? alch_defined_at(compiler, source) : NULL;
  const alch_table *table = defined ? NULL : alch_catalog_table(compiler->catalog, source);
  if (compiler->renamed && source == compiler->renamed_source) alch_write(compiler, compiler->renamed);
  else if (defined) alch_write_identifier(compiler, alch_defined_name(compiler, defined));
  else if (table) alch_render_table_name(compiler, table);
  else return unknown_source(compiler, source);
  return compiler->status;
}

/* ---- columns ---- */

static alch_status no_such_column(alch_compiler *compiler, uint32_t index) {
  return alch_compile_error(compiler, ALCH_ERROR_NO_SUCH_COLUMN, "a column number %u that its table or subquery does not have", (unsigned)index);
}

static const alch_node *query_behind(alch_compiler *compiler, uint32_t source) {
  const alch_defined *defined = alch_defined_at(compiler, source);
  for (int depth = 0; defined && depth < ALCH_SOURCE_DEEPEST; depth++) {
    const alch_node *element = alch_node_child(defined->node);
    if (element->kind != ALCH_NODE_SOURCE) return element;
    defined = alch_defined_at(compiler, element->a);
  }
  return NULL;
}

static alch_status write_named_column(alch_compiler *compiler, const alch_node *element, uint32_t index) {
  const alch_node *name = alch_element_name(element, index);
  const char *text = name ? alch_arena_text(&compiler->scratch, alch_node_text(name), name->length) : NULL;
  if (!name) return no_such_column(compiler, index);
  if (!text) return alch_no_memory(compiler);
  alch_write_identifier(compiler, text);
  return compiler->status;
}

/* A function's value is written as the function's name in FROM alone. */
static bool is_function_value(const alch_node *element, uint32_t index) {
  const alch_node *name = element && element->kind == ALCH_NODE_LIST ? alch_element_name(element, index) : NULL;
  return name && name->length == 0;
}

static alch_status write_function_value(alch_compiler *compiler, uint32_t source) {
  alch_render_source_name(compiler, source);
  if (compiler->dialect->column_value) alch_write(compiler, compiler->dialect->column_value);
  return compiler->status;
}

static alch_status write_subquery_column(alch_compiler *compiler, uint32_t source, uint32_t index) {
  const alch_node *element = query_behind(compiler, source);
  if (!element) return unknown_source(compiler, source);
  if (!alch_has_outputs(element)) return write_named_column(compiler, element, index);
  alch_output_plan *plan = alch_plan_of(compiler, element);
  if (!plan) return compiler->status;
  if (index >= plan->count) return no_such_column(compiler, index);
  alch_write_identifier(compiler, alch_output_name(compiler, &plan->outputs[index]));
  return compiler->status;
}

alch_status alch_render_column(alch_compiler *compiler, uint32_t source, uint32_t index) {
  const alch_table *table = alch_source_table(compiler->catalog, compiler->block, source);
  if (!table && is_function_value(query_behind(compiler, source), index)) return write_function_value(compiler, source);
  if (!compiler->unqualified) {
    alch_render_source_name(compiler, source);
    alch_write_char(compiler, '.');
  }
  if (!table) return write_subquery_column(compiler, source, index);
  if (index >= table->column_count) return no_such_column(compiler, index);
  alch_quote_identifier(compiler->dialect, table->columns[index]->name, table->columns[index]->quote, compiler->out);
  return compiler->status;
}

/* ---- sources with their AS ---- */

static void write_as(alch_compiler *compiler, alch_defined *defined) {
  alch_write(compiler, alch_can(compiler, ALCH_CAPABILITY_TABLE_ALIAS_AS) ? " AS " : " ");
  alch_write_identifier(compiler, alch_defined_name(compiler, defined));
}

static void render_element(alch_compiler *compiler, const alch_node *element, alch_role role) {
  if (alch_node_is_query(element) || element->kind == ALCH_NODE_TEXT) alch_render_subquery(compiler, element, role);
  else alch_render(compiler, element);
}

bool alch_is_cte(const alch_defined *defined) { return defined->node->op == ALCH_DEFINITION_CTE || defined->node->op == ALCH_DEFINITION_RECURSIVE_CTE; }

/* An alias of a CTE is written as the CTE's name; one of a subquery as the subquery again, under the alias's own name. */
static void render_aliased(alch_compiler *compiler, const alch_node *element) {
  alch_defined *other = element->kind == ALCH_NODE_SOURCE ? alch_defined_at(compiler, element->a) : NULL;
  for (int depth = 0; other && !alch_is_cte(other) && depth < ALCH_SOURCE_DEEPEST; depth++) {
    element = alch_node_child(other->node);
    other = element->kind == ALCH_NODE_SOURCE ? alch_defined_at(compiler, element->a) : NULL;
  }
  if (other) alch_write_identifier(compiler, alch_defined_name(compiler, other));
  else render_element(compiler, element, ALCH_ROLE_FROM);
}

static bool write_lateral(alch_compiler *compiler) {
  if (!alch_require(compiler, ALCH_CAPABILITY_LATERAL, "LATERAL")) return false;
  if (!alch_can(compiler, ALCH_CAPABILITY_APPLY)) alch_write(compiler, "LATERAL ");
  return true;
}

static alch_status render_defined(alch_compiler *compiler, alch_defined *defined) {
  const alch_node *element = alch_node_child(defined->node);
  bool lateral = defined->node->op == ALCH_DEFINITION_LATERAL || (!alch_is_cte(defined) && (defined->node->b & ALCH_DEFINE_LATERAL));
  if (lateral && !write_lateral(compiler)) return compiler->status;
  switch (defined->node->op) {
    case ALCH_DEFINITION_CTE: case ALCH_DEFINITION_RECURSIVE_CTE: alch_write_identifier(compiler, alch_defined_name(compiler, defined)); return compiler->status;
    case ALCH_DEFINITION_FUNCTION: return alch_render_table_function(compiler, defined);
    case ALCH_DEFINITION_VALUES: return alch_render_table_values(compiler, defined);
    case ALCH_DEFINITION_TABLESAMPLE: return alch_render_sample(compiler, defined);
    case ALCH_DEFINITION_LATERAL: render_element(compiler, element, ALCH_ROLE_LATERAL); break;
    default: render_aliased(compiler, element);
  }
  write_as(compiler, defined);
  return compiler->status;
}

alch_status alch_render_source(alch_compiler *compiler, uint32_t source) {
  alch_defined *defined = source & ALCH_ANONYMOUS ? alch_defined_at(compiler, source) : NULL;
  alch_render_source_hints(compiler, source, true);
  if (defined) render_defined(compiler, defined);
  else alch_render_source_name(compiler, source);
  alch_render_source_hints(compiler, source, false);
  return compiler->status;
}

alch_status alch_default_table(alch_compiler *compiler, const alch_node *node) { return alch_render_source(compiler, node->a); }
alch_status alch_default_source(alch_compiler *compiler, const alch_node *node) { return alch_render_source(compiler, node->a); }

/* ---- which sources ---- */

void alch_collect_sources(alch_compiler *compiler, const alch_node *node, alch_id_list *list) {
  const alch_node *end = alch_node_next(node);
  while (node < end) {
    bool names = node->kind == ALCH_NODE_COLUMN || ((node->kind == ALCH_NODE_ENTITY || node->kind == ALCH_NODE_STAR) && node->a != 0);
    if (names) alch_ids_add(compiler, list, node->a);
    node = alch_node_is_query(node) ? alch_node_next(node) : alch_node_child(node);
  }
}

void alch_item_sources(alch_compiler *compiler, const alch_node *item, alch_id_list *list) {
  if (item->kind == ALCH_NODE_TABLE || item->kind == ALCH_NODE_SOURCE) alch_ids_add(compiler, list, item->a);
  if (item->kind != ALCH_NODE_JOIN) return;
  const alch_node *left = alch_node_child(item);
  alch_item_sources(compiler, left, list);
  alch_item_sources(compiler, alch_node_next(left), list);
}

void alch_scope_add(alch_compiler *compiler, alch_scope *scope, const alch_node *node, uint32_t source) {
  if (scope->from_count == scope->from_capacity) {
    uint32_t capacity = scope->from_capacity ? scope->from_capacity * 2 : 4;
    alch_from_item *froms = alch_arena_allocate(&compiler->scratch, capacity * sizeof *froms);
    if (!froms) {
      alch_no_memory(compiler);
      return;
    }
    if (scope->from_count > 0) memcpy(froms, scope->froms, scope->from_count * sizeof *froms);
    scope->froms = froms;
    scope->from_capacity = capacity;
  }
  scope->froms[scope->from_count++] = (alch_from_item){ node, source };
}

/* Joins first, so that what they hold is known; then, in their order, sources that no join holds. */
static void add_explicit(alch_compiler *compiler, alch_scope *scope, const alch_node *from) {
  alch_id_list joined = { 0 };
  for ALCH_EACH_CHILD(item, from)
    if (item->kind == ALCH_NODE_JOIN) alch_item_sources(compiler, item, &joined);
  for ALCH_EACH_CHILD(item, from) {
    bool bare = item->kind == ALCH_NODE_TABLE || item->kind == ALCH_NODE_SOURCE;
    if (bare && (alch_ids_have(&joined, item->a) || alch_ids_have(&scope->sources, item->a))) continue;
    alch_scope_add(compiler, scope, item, bare ? item->a : 0);
    alch_item_sources(compiler, item, &scope->sources);
  }
}

void alch_scope_add_used(alch_compiler *compiler, alch_scope *scope, const alch_node *clause) {
  alch_id_list used = { 0 };
  if (clause) alch_collect_sources(compiler, clause, &used);
  for (uint32_t i = 0; i < used.count; i++) {
    if (alch_ids_have(&scope->sources, used.ids[i])) continue;
    alch_scope_add(compiler, scope, NULL, used.ids[i]);
    alch_ids_add(compiler, &scope->sources, used.ids[i]);
  }
}

/* ---- correlation ---- */

static bool encloses(const alch_scope *scope, uint32_t source) {
  for (const alch_scope *outer = scope->outer; outer; outer = outer->outer)
    if (alch_ids_have(&outer->sources, source)) return true;
  return false;
}

static bool names_source(const alch_node *correlate, uint32_t source) {
  for ALCH_EACH_CHILD(child, correlate)
    if (child->a == source) return true;
  return false;
}

/* SQLAlchemy's rules: said explicitly, any statement around counts; by itself only the nearest, and only when more than one source is there. */
static bool is_correlated(const alch_scope *scope, const alch_node *correlate, uint32_t source) {
  if (source == 0 || !scope->outer) return false;
  if (correlate) return encloses(scope, source) && names_source(correlate, source) == (correlate->op == 0);
  return (scope->role == ALCH_ROLE_NESTED || scope->role == ALCH_ROLE_LATERAL) && alch_ids_have(&scope->outer->sources, source);
}

static void drop_correlated(alch_compiler *compiler, alch_scope *scope) {
  const alch_node *correlate = alch_node_clause(scope->statement, ALCH_NODE_CORRELATE);
  uint32_t kept = 0, before = scope->from_count;
  if (!correlate && before <= 1) return;
  for (uint32_t i = 0; i < before; i++)
    if (!is_correlated(scope, correlate, scope->froms[i].source)) scope->froms[kept++] = scope->froms[i];
  scope->from_count = kept;
  if (kept == 0 && !correlate)
    alch_compile_error(compiler, ALCH_ERROR_INVALID_REQUEST, "a select returned no FROM clauses due to auto-correlation; specify correlate(<tables>) to control correlation manually");
}

bool alch_correlates(alch_compiler *compiler, const alch_node *select, alch_role role) {
  alch_scope scope = { .outer = compiler->scope, .statement = select, .role = role };
  const alch_node *from = alch_node_clause(select, ALCH_NODE_FROM), *correlate = alch_node_clause(select, ALCH_NODE_CORRELATE);
  if (from) add_explicit(compiler, &scope, from);
  alch_scope_add_used(compiler, &scope, alch_node_clause(select, ALCH_NODE_COLUMNS));
  alch_scope_add_used(compiler, &scope, alch_node_clause(select, ALCH_NODE_WHERE));
  for (uint32_t i = 0; i < scope.from_count && (correlate || scope.from_count > 1); i++)
    if (is_correlated(&scope, correlate, scope.froms[i].source)) return true;
  return false;
}

/* What it shows after correlation: what the selects inside it see. */
static void list_sources(alch_compiler *compiler, alch_scope *scope) {
  scope->sources = (alch_id_list){ 0 };
  for (uint32_t i = 0; i < scope->from_count; i++) {
    const alch_from_item *from = &scope->froms[i];
    if (from->node) alch_item_sources(compiler, from->node, &scope->sources);
    else alch_ids_add(compiler, &scope->sources, from->source);
  }
}

void alch_infer_froms(alch_compiler *compiler, alch_scope *scope) {
  const alch_node *from = alch_node_clause(scope->statement, ALCH_NODE_FROM);
  if (from) add_explicit(compiler, scope, from);
  alch_scope_add_used(compiler, scope, alch_node_clause(scope->statement, ALCH_NODE_COLUMNS));
  alch_scope_add_used(compiler, scope, alch_node_clause(scope->statement, ALCH_NODE_WHERE));
  if (!scope->outer || compiler->status != ALCH_OK) return;
  drop_correlated(compiler, scope);
  list_sources(compiler, scope);
}

alch_status alch_default_from(alch_compiler *compiler, const alch_node *node) {
  const alch_scope *scope = compiler->scope;
  (void)node;
  if (scope->from_count == 0 && compiler->dialect->empty_from) alch_write(compiler, compiler->dialect->empty_from);
  for (uint32_t i = 0; i < scope->from_count; i++) {
    alch_write(compiler, i == 0 ? " FROM " : ", ");
    if (scope->froms[i].node) alch_render(compiler, scope->froms[i].node);
    else alch_render_source(compiler, scope->froms[i].source);
  }
  return compiler->status;
}
