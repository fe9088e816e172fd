#include "sql/compiler.h"
#include <string.h>

/* WITH: the common table expressions that a statement uses, each behind those that it is made of. */

typedef struct cte_list { alch_id_list ids; bool recursive; } cte_list;

static void list_ctes(alch_compiler *compiler, const alch_node *node, cte_list *list);

/* What a CTE is made of comes before it. One that is to stand where it is used waits for the select that names it. */
static void list_definition(alch_compiler *compiler, alch_defined *defined, cte_list *list) {
  if (defined->busy) return;
  defined->busy = true;
  list_ctes(compiler, alch_node_child(defined->node), list);
  if (!alch_is_cte(defined) || ((defined->node->b & ALCH_DEFINE_NESTING) && !defined->named)) return;
  alch_ids_add(compiler, &list->ids, defined->node->a);
  list->recursive = list->recursive || defined->node->op == ALCH_DEFINITION_RECURSIVE_CTE;
}

static void list_ctes(alch_compiler *compiler, const alch_node *node, cte_list *list) {
  for (const alch_node *end = alch_node_next(node); node < end; node = alch_node_child(node)) {
    alch_defined *defined = alch_node_is_anonymous(node) ? alch_defined_at(compiler, node->a) : NULL;
    if (defined) list_definition(compiler, defined, list);
  }
}

static bool has_name_twice(alch_compiler *compiler, const cte_list *list, uint32_t index) {
  const char *name = alch_defined_name(compiler, alch_defined_at(compiler, list->ids.ids[index]));
  for (uint32_t i = 0; i < index; i++)
    if (strcmp(name, alch_defined_name(compiler, alch_defined_at(compiler, list->ids.ids[i]))) == 0) {
      alch_compile_error(compiler, ALCH_ERROR_COMPILE, "Multiple, unrelated CTEs found with the same name: '%s'", name);
      return true;
    }
  return false;
}

/* ---- one of them ---- */

/* A recursive one names its columns, since its second member may call them otherwise. */
static void write_query_columns(alch_compiler *compiler, const alch_node *query) {
  alch_output_plan *plan = alch_plan_of(compiler, query);
  for (uint32_t i = 0; plan && i < plan->count; i++) {
    alch_write(compiler, i == 0 ? "(" : ", ");
    alch_write_identifier(compiler, alch_output_name(compiler, &plan->outputs[i]));
  }
  if (plan && plan->count > 0) alch_write_char(compiler, ')');
}

static void write_named_columns(alch_compiler *compiler, const alch_node *element) {
  const alch_node *name;
  for (uint32_t i = 0; (name = alch_element_name(element, i)); i++) {
    alch_write(compiler, i == 0 ? "(" : ", ");
    alch_render(compiler, name);
  }
  alch_write_char(compiler, ')');
}

static bool check_cte(alch_compiler *compiler, const alch_defined *defined, const alch_node *element) {
  bool writes = element->kind == ALCH_NODE_INSERT || element->kind == ALCH_NODE_UPDATE || element->kind == ALCH_NODE_DELETE;
  bool kept = defined->node->b & (ALCH_DEFINE_MATERIALIZED | ALCH_DEFINE_NOT_MATERIALIZED);
  if (writes && !alch_require(compiler, ALCH_CAPABILITY_CTE_WRITES, "a CTE that writes")) return false;
  return !kept || alch_require(compiler, ALCH_CAPABILITY_CTE_MATERIALIZED, "MATERIALIZED for a CTE");
}

static void render_words(alch_compiler *compiler, const alch_node *definition, alch_node_kind clause) {
  const alch_node *words = alch_node_clause(definition, clause);
  if (words) alch_render(compiler, words);
}

static void render_cte(alch_compiler *compiler, alch_defined *defined) {
  const alch_node *element = alch_node_child(defined->node);
  if (!check_cte(compiler, defined, element)) return;
  alch_write_identifier(compiler, alch_defined_name(compiler, defined));
  if (element->kind == ALCH_NODE_VALUES) write_named_columns(compiler, element);
  else if (defined->node->op == ALCH_DEFINITION_RECURSIVE_CTE && alch_node_is_query(element)) write_query_columns(compiler, element);
  alch_write(compiler, " AS");
  if (defined->node->b & ALCH_DEFINE_MATERIALIZED) alch_write(compiler, " MATERIALIZED");
  if (defined->node->b & ALCH_DEFINE_NOT_MATERIALIZED) alch_write(compiler, " NOT MATERIALIZED");
  render_words(compiler, defined->node, ALCH_NODE_PREFIXES);
  alch_write_char(compiler, ' ');
  if (element->kind == ALCH_NODE_VALUES && !alch_can(compiler, ALCH_CAPABILITY_VALUES_QUERY)) alch_render_values_query(compiler, defined);
  else alch_render_subquery(compiler, element, ALCH_ROLE_FROM);
  render_words(compiler, defined->node, ALCH_NODE_SUFFIXES);
}

static void render_list(alch_compiler *compiler, const cte_list *list) {
  alch_write(compiler, list->recursive && alch_can(compiler, ALCH_CAPABILITY_RECURSIVE_WORD) ? "WITH RECURSIVE " : "WITH ");
  for (uint32_t i = 0; i < list->ids.count && compiler->status == ALCH_OK && !has_name_twice(compiler, list, i); i++) {
    if (i > 0) alch_write(compiler, ", ");
    render_cte(compiler, alch_defined_at(compiler, list->ids.ids[i]));
  }
  alch_write_char(compiler, ' ');
}

/* ---- where they are used ---- */

/* Those that a query names itself, not in a query inside of it. */
static void list_nested(alch_compiler *compiler, const alch_node *query, cte_list *list) {
  const alch_node *node = alch_node_child(query), *end = alch_node_next(query);
  while (node < end) {
    alch_defined *defined = alch_node_is_anonymous(node) ? alch_defined_at(compiler, node->a) : NULL;
    if (defined && alch_is_cte(defined) && (defined->node->b & ALCH_DEFINE_NESTING) && !defined->listed) {
      alch_ids_add(compiler, &list->ids, defined->node->a);
      list->recursive = list->recursive || defined->node->op == ALCH_DEFINITION_RECURSIVE_CTE;
    }
    node = alch_node_is_query(node) ? alch_node_next(node) : alch_node_child(node);
  }
}

void alch_render_nested_with(alch_compiler *compiler, const alch_node *select) {
  cte_list list = { 0 };
  list_nested(compiler, select, &list);
  if (list.ids.count == 0 || !alch_require(compiler, ALCH_CAPABILITY_CTE_NESTED, "a nested CTE")) return;
  render_list(compiler, &list);
}

/* ---- the statement's own ---- */

/* Of those that stand where they are used the statement itself takes the ones that it names. */
static void take_nested(alch_compiler *compiler, const alch_node *root) {
  cte_list own = { 0 };
  for (uint32_t i = 0; i < compiler->definition_count; i++) compiler->has_nesting = compiler->has_nesting || (compiler->definitions[i].node->b & ALCH_DEFINE_NESTING && alch_is_cte(&compiler->definitions[i]));
  if (!compiler->has_nesting) return;
  list_nested(compiler, root, &own);
  for (uint32_t i = 0; i < own.ids.count; i++) {
    alch_defined *defined = alch_defined_at(compiler, own.ids.ids[i]);
    defined->named = defined->listed = true;
  }
}

alch_status alch_render_with(alch_compiler *compiler) {
  cte_list list = { 0 };
  const alch_node *root = alch_block_root(compiler->block);
  if (compiler->definition_count == 0) return compiler->status;
  take_nested(compiler, root);
  list_ctes(compiler, root, &list);
  if (list.ids.count == 0 || !alch_require(compiler, ALCH_CAPABILITY_CTE, "WITH (a CTE)")) return compiler->status;
  if (!alch_node_is_query(root) && !compiler->scope && !alch_require(compiler, ALCH_CAPABILITY_DML_CTE, "a CTE before INSERT, UPDATE or DELETE")) return compiler->status;
  render_list(compiler, &list);
  return compiler->status;
}
