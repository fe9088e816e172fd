#include "sql/hook.h"
#include <string.h>

/* SELECT, compound selects, and their clauses. Each clause writes the space before itself. */

/* ---- the select list ---- */

static void write_comma(alch_compiler *compiler, uint32_t number) { if (number > 0) alch_write(compiler, ", "); }

static bool is_column(const alch_output *output) { return output->source != 0; }

/* What is called what in the result: columns by their own names, unless two share one or a subquery hands them on. */
static bool needs_label(const alch_compiler *compiler, const alch_named_output *named, alch_role role) {
  const alch_node *item = named->output.item;
  if (compiler->unlabelled) return false;
  if (is_column(&named->output)) return named->numbered || role == ALCH_ROLE_FROM || role == ALCH_ROLE_LATERAL;
  switch (item->kind) {
    case ALCH_NODE_TEXT: case ALCH_NODE_LITERAL: case ALCH_NODE_STAR: return false;
    case ALCH_NODE_NAME: return named->numbered;
    case ALCH_NODE_UNARY: return item->op != ALCH_OPERATOR_DISTINCT || named->numbered;
    default: return true;
  }
}

/* What the type of a column puts round it, in the rows that go to the user. */
static const alch_block *expression_round(const alch_compiler *compiler, const alch_named_output *named, alch_role role) {
  if (named->output.type < ALCH_TYPE_FAMILY_COUNT || role != ALCH_ROLE_TOP || (compiler->scope && compiler->scope->insert)) return NULL;
  return alch_type_in(alch_catalog_type(compiler->catalog, named->output.type), compiler->dialect->name)->column_expression;
}

static void render_output(alch_compiler *compiler, alch_named_output *named, alch_role role) {
  const alch_node *item = named->output.item;
  const alch_block *round = expression_round(compiler, named, role);
  size_t start = compiler->out->length;
  uint32_t first = compiler->slot_count;
  /* A made-up name is numbered before those inside the item. */
  const char *label = (round && !compiler->unlabelled) || needs_label(compiler, named, role) ? alch_output_name(compiler, named) : NULL;
  if (is_column(&named->output)) alch_render_column(compiler, named->output.source, named->output.index);
  else alch_render(compiler, item->kind == ALCH_NODE_LABEL ? alch_node_child(item) : item);
  if (round && compiler->status == ALCH_OK) alch_wrap(compiler, start, first, round);
  if (!label) return;
  alch_write(compiler, " AS ");
  alch_write_identifier(compiler, label);
}

static const char *keep_name(alch_compiler *compiler, const alch_named_output *named, const char *name) {
  const alch_column *column = named->output.column;
  if (column && strcmp(column->name, name) == 0) return column->name;
  const char *copy = alch_arena_text(&compiler->compiled->arena, name, strlen(name));
  if (!copy) alch_no_memory(compiler);
  return copy;
}

static void collect(alch_compiler *compiler, alch_named_output *named) {
  const alch_output *output = &named->output;
  alch_result_column *columns = alch_grow(compiler->scratch.allocator, compiler->columns, &compiler->column_capacity, compiler->column_count + 1, sizeof *columns);
  if (!columns) {
    alch_no_memory(compiler);
    return;
  }
  compiler->columns = columns;
  alch_result_column *column = &columns[compiler->column_count++];
  *column = (alch_result_column){ .type_id = output->type, .source = output->source, .index = output->index, .place = output->place };
  column->type = alch_type_in(alch_catalog_type(compiler->catalog, output->type), compiler->dialect->name);
  column->converts = compiler->dialect->converts(column->type, false);
  column->name = keep_name(compiler, named, alch_output_name(compiler, named));
  column->key = output->column && is_column(output) ? output->column->key : column->name;
}

static bool is_open(const alch_node *item) { return item && (item->kind == ALCH_NODE_TEXT || (item->kind == ALCH_NODE_STAR && item->a == 0)); }

alch_status alch_render_outputs(alch_compiler *compiler, alch_output_plan *plan, alch_role role) {
  bool collects = compiler->collects;
  compiler->collects = false;
  for (uint32_t i = 0; plan && i < plan->count && compiler->status == ALCH_OK; i++) {
    alch_named_output *named = &plan->outputs[i];
    write_comma(compiler, i);
    render_output(compiler, named, role);
    if (!collects || compiler->status != ALCH_OK) continue;
    if (is_open(named->output.item)) compiler->compiled->open_columns = true;
    else collect(compiler, named);
  }
  return compiler->status;
}

/* An INSERT's SELECT gives the client-side defaults of columns that it does not name as well. */
static void render_added_defaults(alch_compiler *compiler, const alch_scope *scope) {
  for (uint32_t i = 0; scope->insert && i < scope->insert->default_count; i++) {
    alch_write(compiler, ", ");
    alch_render_column_default(compiler, scope->insert->defaults[i], false);
    bool named = scope->role == ALCH_ROLE_FROM;
    if (!named && scope->insert->defaults[i]->insert_default.kind == ALCH_DEFAULT_SQL) continue;
    alch_write(compiler, " AS ");
    if (named) alch_write_column_name(compiler, scope->insert->defaults[i]);
    else alch_write_identifier(compiler, alch_new_name(compiler, "anon", 4));
  }
}

alch_status alch_default_columns(alch_compiler *compiler, const alch_node *node) {
  alch_scope *scope = compiler->scope;
  (void)node;
  alch_write_char(compiler, ' ');
  alch_render_outputs(compiler, scope->plan, scope->role);
  render_added_defaults(compiler, scope);
  return compiler->status;
}

alch_status alch_default_distinct(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, " DISTINCT");
  if (alch_node_child_count(node) == 0 || !alch_require(compiler, ALCH_CAPABILITY_DISTINCT_ON, "DISTINCT ON")) return compiler->status;
  alch_write(compiler, " ON (");
  alch_render_children(compiler, node, ", ");
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* ---- the other clauses ---- */

static alch_status render_condition_clause(alch_compiler *compiler, const alch_node *node, const char *word) {
  if (alch_node_child_count(node) == 0) return compiler->status;
  alch_write(compiler, word);
  return alch_render_conditions(compiler, node);
}

alch_status alch_default_where(alch_compiler *compiler, const alch_node *node) { return render_condition_clause(compiler, node, " WHERE "); }
alch_status alch_default_having(alch_compiler *compiler, const alch_node *node) { return render_condition_clause(compiler, node, " HAVING "); }

alch_status alch_default_group_by(alch_compiler *compiler, const alch_node *node) {
  if (alch_node_child_count(node) == 0) return compiler->status;
  alch_write(compiler, " GROUP BY ");
  compiler->labels_in_full = !alch_can(compiler, ALCH_CAPABILITY_GROUP_LABELS);
  alch_render_children(compiler, node, ", ");
  compiler->labels_in_full = false;
  return compiler->status;
}

static bool is_order(uint8_t op) { return op >= ALCH_OPERATOR_DESC && op <= ALCH_OPERATOR_NULLS_LAST; }

/* Of a compound only the names of its columns are left to order by. */
static bool render_compound_name(alch_compiler *compiler, const alch_node *item) {
  alch_output_plan *plan = compiler->scope->plan;
  if (compiler->scope->statement->kind != ALCH_NODE_COMPOUND || item->kind != ALCH_NODE_COLUMN || !plan) return false;
  for (uint32_t i = 0; i < plan->count; i++) {
    const alch_output *output = &plan->outputs[i].output;
    if (output->source != item->a || output->index != item->b) continue;
    alch_write_identifier(compiler, alch_output_name(compiler, &plan->outputs[i]));
    return true;
  }
  return false;
}

alch_status alch_render_order_item(alch_compiler *compiler, const alch_node *item) {
  bool outer = compiler->in_order_by;
  bool names = alch_can(compiler, ALCH_CAPABILITY_ORDER_LABELS) || compiler->scope->statement->kind == ALCH_NODE_COMPOUND;
  compiler->in_order_by = names && (item->kind == ALCH_NODE_LABEL || (item->kind == ALCH_NODE_UNARY && is_order(item->op)));
  if (!render_compound_name(compiler, item)) alch_render(compiler, item);
  compiler->in_order_by = outer;
  return compiler->status;
}

alch_status alch_default_order_by(alch_compiler *compiler, const alch_node *node) {
  const char *separator = " ORDER BY ";
  if (!node) return compiler->status;
  for ALCH_EACH_CHILD(child, node) {
    alch_write(compiler, separator);
    alch_render_order_item(compiler, child);
    separator = ", ";
  }
  return compiler->status;
}

alch_status alch_default_limit(alch_compiler *compiler, const alch_node *node) {
  if (alch_node_child_count(node) == 0) return compiler->status;
  alch_write(compiler, " LIMIT ");
  return alch_render(compiler, alch_node_child(node));
}

static const alch_node *filled_clause(const alch_compiler *compiler, alch_node_kind kind) {
  const alch_node *clause = alch_node_clause(compiler->scope->statement, kind);
  return clause && alch_node_child_count(clause) > 0 ? clause : NULL;
}

static void write_fetch_as_limit(alch_compiler *compiler, const alch_node *fetch) {
  if (fetch->op != 0) {
    alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "FETCH %s is not supported by the dialect '%s'; compare with a window function such as rank() in a subquery",
                       fetch->op & ALCH_FETCH_WITH_TIES ? "WITH TIES" : "PERCENT", compiler->dialect->name);
    return;
  }
  alch_write(compiler, " LIMIT ");
  alch_render(compiler, alch_node_child(fetch));
}

alch_status alch_default_offset(alch_compiler *compiler, const alch_node *node) {
  if (alch_node_child_count(node) == 0) return compiler->status;
  const alch_node *limit = filled_clause(compiler, ALCH_NODE_LIMIT), *fetch = filled_clause(compiler, ALCH_NODE_FETCH);
  bool standard = fetch && alch_can(compiler, ALCH_CAPABILITY_FETCH);
  /* Where FETCH is written as LIMIT it stands before OFFSET. */
  if (fetch && !standard) write_fetch_as_limit(compiler, fetch);
  else if (!limit && !fetch && !alch_can(compiler, ALCH_CAPABILITY_OFFSET_ALONE)) alch_write(compiler, " LIMIT -1");
  alch_write(compiler, " OFFSET ");
  alch_render(compiler, alch_node_child(node));
  if (standard) alch_write(compiler, " ROWS");
  return compiler->status;
}

alch_status alch_default_fetch(alch_compiler *compiler, const alch_node *node) {
  if (alch_node_child_count(node) == 0) return compiler->status;
  if (!alch_can(compiler, ALCH_CAPABILITY_FETCH)) {
    if (!filled_clause(compiler, ALCH_NODE_OFFSET)) write_fetch_as_limit(compiler, node);
    return compiler->status;
  }
  alch_write(compiler, " FETCH FIRST ");
  alch_render(compiler, alch_node_child(node));
  alch_write(compiler, node->op & ALCH_FETCH_PERCENT ? " PERCENT ROWS " : " ROWS ");
  alch_write(compiler, node->op & ALCH_FETCH_WITH_TIES ? "WITH TIES" : "ONLY");
  return compiler->status;
}

static const char *lock_word(uint8_t bits) {
  bool read = bits & ALCH_FOR_UPDATE_READ, key = bits & ALCH_FOR_UPDATE_KEY_SHARE;
  if (read) return key ? " FOR KEY SHARE" : " FOR SHARE";
  return key ? " FOR NO KEY UPDATE" : " FOR UPDATE";
}

/* The name under which the statement knows it: a table's without its schema. */
static void render_locked(alch_compiler *compiler, uint32_t source) {
  const alch_table *table = source & ALCH_ANONYMOUS ? NULL : alch_catalog_table(compiler->catalog, source);
  if (table) alch_quote_identifier(compiler->dialect, table->name, table->quote, compiler->out);
  else alch_render_source_name(compiler, source);
}

/* Where a database knows no row locks the whole transaction holds them, so there is nothing to write. */
alch_status alch_default_for_update(alch_compiler *compiler, const alch_node *node) {
  const char *separator = " OF ";
  if (!alch_can(compiler, ALCH_CAPABILITY_FOR_UPDATE)) return compiler->status;
  alch_write(compiler, lock_word(node->op));
  for ALCH_EACH_CHILD(child, node) {
    alch_write(compiler, separator);
    render_locked(compiler, child->a);
    separator = ", ";
  }
  if (node->op & ALCH_FOR_UPDATE_NOWAIT) alch_write(compiler, " NOWAIT");
  if (node->op & ALCH_FOR_UPDATE_SKIP_LOCKED) alch_write(compiler, " SKIP LOCKED");
  return compiler->status;
}

alch_status alch_default_nothing(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  return compiler->status;
}

/* ---- whole selects ---- */

static void push_scope(alch_compiler *compiler, alch_scope *scope, const alch_node *statement) {
  *scope = (alch_scope){ .outer = compiler->scope, .statement = statement, .role = compiler->role, .insert = compiler->insert };
  compiler->insert = NULL;
  compiler->role = ALCH_ROLE_TOP;
  compiler->scope = scope;
}

static void pop_scope(alch_compiler *compiler) { compiler->scope = compiler->scope->outer; }

/* A SELECT between INSERT and ON CONFLICT needs a WHERE, else ON would be read as that of a join (https://www.sqlite.org/lang_upsert.html, "Parsing Ambiguity"). */
static void render_needed_where(alch_compiler *compiler, const alch_scope *scope) {
  if (scope->insert && scope->insert->needs_where && scope->from_count > 0) alch_write(compiler, " WHERE 1 = 1");
}

/* Clauses that the text may have though the block has no node for them. */
static void render_clause(alch_compiler *compiler, const alch_node *select, uint8_t kind) {
  const alch_node *clause = alch_node_clause(select, kind);
  if (clause) alch_render(compiler, clause);
  else if (kind == ALCH_NODE_FROM || kind == ALCH_NODE_ORDER_BY) compiler->renderers[kind](compiler, NULL);
  else if (kind == ALCH_NODE_WHERE) render_needed_where(compiler, compiler->scope);
}

alch_status alch_default_select(alch_compiler *compiler, const alch_node *node) {
  alch_scope scope;
  push_scope(compiler, &scope, node);
  scope.plan = alch_plan_of(compiler, node);
  alch_infer_froms(compiler, &scope);
  if (compiler->has_nesting) alch_render_nested_with(compiler, node);
  alch_write(compiler, "SELECT");
  if (scope.plan && scope.plan->count == 0) alch_compile_error(compiler, ALCH_ERROR_COMPILE, "a select names no columns");
  for (const uint8_t *kind = compiler->dialect->select_clauses; *kind && compiler->status == ALCH_OK; kind++) render_clause(compiler, node, *kind);
  pop_scope(compiler);
  return compiler->status;
}

alch_status alch_render_subquery(alch_compiler *compiler, const alch_node *query, alch_role role) {
  bool collects = compiler->collects, in_order_by = compiler->in_order_by, in_operator = compiler->in_operator;
  const char *hint = compiler->hint;
  compiler->collects = compiler->in_order_by = compiler->in_operator = false;
  compiler->hint = NULL;
  compiler->role = role;
  alch_write_char(compiler, '(');
  alch_render(compiler, query);
  alch_write_char(compiler, ')');
  compiler->role = ALCH_ROLE_TOP;
  compiler->collects = collects;
  compiler->in_order_by = in_order_by;
  compiler->in_operator = in_operator;
  compiler->hint = hint;
  return compiler->status;
}

/* ---- compound selects ---- */

static const char *const compound_words[] = {
  [ALCH_COMPOUND_UNION] = " UNION ",   [ALCH_COMPOUND_UNION_ALL] = " UNION ALL ",   [ALCH_COMPOUND_INTERSECT] = " INTERSECT ", [ALCH_COMPOUND_INTERSECT_ALL] = " INTERSECT ALL ",
  [ALCH_COMPOUND_EXCEPT] = " EXCEPT ", [ALCH_COMPOUND_EXCEPT_ALL] = " EXCEPT ALL ",
};

static bool stands_apart(const alch_node *member) {
  return member->kind == ALCH_NODE_COMPOUND || alch_node_clause(member, ALCH_NODE_ORDER_BY) || alch_node_clause(member, ALCH_NODE_LIMIT) || alch_node_clause(member, ALCH_NODE_OFFSET) ||
         alch_node_clause(member, ALCH_NODE_FETCH);
}

/* Where members cannot stand in parentheses, one that needs them becomes a subquery of a select of its own. */
static void render_member(alch_compiler *compiler, const alch_node *member, alch_role role) {
  bool apart = stands_apart(member), parentheses = alch_can(compiler, ALCH_CAPABILITY_COMPOUND_PARENTHESES);
  compiler->role = apart && !parentheses ? ALCH_ROLE_FROM : role;
  if (apart) alch_write(compiler, parentheses ? "(" : "SELECT * FROM (");
  alch_render(compiler, member);
  if (apart) alch_write_char(compiler, ')');
}

static void refuse_compound(alch_compiler *compiler, uint8_t op) {
  bool all = op == ALCH_COMPOUND_INTERSECT_ALL || op == ALCH_COMPOUND_EXCEPT_ALL, except = op == ALCH_COMPOUND_EXCEPT || op == ALCH_COMPOUND_EXCEPT_ALL;
  alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "%s%s is not supported by the dialect '%s'; %s", except ? "EXCEPT" : "INTERSECT", all ? " ALL" : "", compiler->dialect->name,
                     all ? "compare row_number() over all columns as well, without ALL" : except ? "write NOT EXISTS" : "write EXISTS");
}

const char *alch_compound_word(alch_compiler *compiler, uint8_t op) {
  const char *const *words = compiler->dialect->compound_words, *word = words && words[op] ? words[op] : compound_words[op];
  if (*word == '\0') refuse_compound(compiler, op);
  return word;
}

alch_status alch_default_members(alch_compiler *compiler, const alch_node *node) {
  const alch_scope *scope = compiler->scope;
  const char *separator = "";
  for ALCH_EACH_CHILD(member, node) {
    alch_write(compiler, separator);
    render_member(compiler, member, scope->role);
    separator = alch_node_next(member) < member_end ? alch_compound_word(compiler, scope->statement->op) : "";
  }
  return compiler->status;
}

static bool is_known_compound(alch_compiler *compiler, const alch_node *node) {
  if (node->op < ALCH_COUNT(compound_words) && alch_node_clause(node, ALCH_NODE_MEMBERS)) return true;
  alch_compile_error(compiler, ALCH_ERROR_COMPILE, "a compound select needs members and one of UNION, INTERSECT, EXCEPT");
  return false;
}

/* The members see the sources around the compound, as if they stood there themselves. */
alch_status alch_default_compound(alch_compiler *compiler, const alch_node *node) {
  static const uint8_t clauses[] = { ALCH_NODE_MEMBERS, ALCH_NODE_GROUP_BY, ALCH_NODE_ORDER_BY, ALCH_NODE_LIMIT, ALCH_NODE_OFFSET, ALCH_NODE_FETCH, ALCH_NODE_FOR_UPDATE };
  alch_scope scope;
  if (!is_known_compound(compiler, node)) return compiler->status;
  push_scope(compiler, &scope, node);
  scope.plan = alch_plan_of(compiler, node);
  if (scope.outer) scope.sources = scope.outer->sources;
  for (size_t i = 0; i < ALCH_COUNT(clauses); i++) {
    const alch_node *clause = alch_node_clause(node, clauses[i]);
    if (clause) alch_render(compiler, clause);
    else if (clauses[i] == ALCH_NODE_ORDER_BY) compiler->renderers[ALCH_NODE_ORDER_BY](compiler, NULL);
  }
  pop_scope(compiler);
  return compiler->status;
}
