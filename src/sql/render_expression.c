#include "sql/compiler.h"
#include <string.h>
#include <strings.h>

/* Expressions that are no operators. */

alch_status alch_render_children(alch_compiler *compiler, const alch_node *node, const char *separator) {
  const char *before = "";
  for ALCH_EACH_CHILD(child, node) {
    alch_write(compiler, before);
    alch_render(compiler, child);
    before = separator;
  }
  return compiler->status;
}

alch_status alch_render_enclosed(alch_compiler *compiler, const alch_node *node, const char *before, const char *separator, const char *after) {
  alch_write(compiler, before);
  alch_render_children(compiler, node, separator);
  alch_write(compiler, after);
  return compiler->status;
}

/* ---- leaves ---- */

alch_status alch_default_column(alch_compiler *compiler, const alch_node *node) { return alch_render_column(compiler, node->a, node->b); }

alch_status alch_default_bind(alch_compiler *compiler, const alch_node *node) { return alch_render_bind(compiler, node, NULL); }

alch_status alch_default_null(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  alch_write(compiler, "NULL");
  return compiler->status;
}

static alch_status write_truth(alch_compiler *compiler, bool truth) {
  bool native = alch_can(compiler, ALCH_CAPABILITY_NATIVE_BOOLEAN) || alch_can(compiler, ALCH_CAPABILITY_BOOLEAN_WORDS);
  alch_write(compiler, native ? (truth ? "true" : "false") : (truth ? "1" : "0"));
  return compiler->status;
}

alch_status alch_default_true(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  return write_truth(compiler, true);
}

alch_status alch_default_false(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  return write_truth(compiler, false);
}

alch_status alch_default_default_word(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  if (alch_require(compiler, ALCH_CAPABILITY_DEFAULT_KEYWORD, "the word DEFAULT as a value")) alch_write(compiler, "DEFAULT");
  return compiler->status;
}

alch_status alch_default_star(alch_compiler *compiler, const alch_node *node) {
  if (node->a != 0) {
    alch_render_source_name(compiler, node->a);
    alch_write_char(compiler, '.');
  }
  alch_write_char(compiler, '*');
  return compiler->status;
}

/* Outside of a select list an entity is all of its columns, as count() or GROUP BY may want them. */
alch_status alch_default_entity(alch_compiler *compiler, const alch_node *node) {
  uint32_t width = alch_source_width(compiler->catalog, compiler->block, node->a);
  for (uint32_t i = 0; i < width; i++) {
    if (i > 0) alch_write(compiler, ", ");
    alch_render_column(compiler, node->a, i);
  }
  return compiler->status;
}

alch_status alch_default_excluded(alch_compiler *compiler, const alch_node *node) {
  const alch_table *table = alch_catalog_table(compiler->catalog, node->a);
  if (!table || node->b >= table->column_count) return alch_compile_error(compiler, ALCH_ERROR_NO_SUCH_COLUMN, "the excluded row has no column number %u", (unsigned)node->b);
  alch_write(compiler, "excluded.");
  alch_quote_identifier(compiler->dialect, table->columns[node->b]->name, table->columns[node->b]->quote, compiler->out);
  return compiler->status;
}

/* ---- functions ---- */

bool alch_is_called(const alch_node *function, const char *name) { return strlen(name) == function->length && strncasecmp(name, alch_node_text(function), function->length) == 0; }

bool alch_is_distinct(const alch_node *function) {
  const alch_node *first = alch_node_nth(function, 0);
  return first && first->kind == ALCH_NODE_UNARY && first->op == ALCH_OPERATOR_DISTINCT;
}

alch_status alch_render_concatenated(alch_compiler *compiler, const alch_node *node) {
  const char *before = "(";
  for ALCH_EACH_CHILD(child, node) {
    alch_write(compiler, before);
    alch_render_operand(compiler, child, ALCH_OPERATOR_CONCAT);
    before = " || ";
  }
  alch_write_char(compiler, ')');
  return compiler->status;
}

static const struct alch_function_spelling *spelling_of(const alch_compiler *compiler, const alch_node *node) {
  for (const struct alch_function_spelling *spelling = compiler->dialect->functions; spelling && spelling->name; spelling++)
    if (alch_is_called(node, spelling->name)) return spelling;
  return NULL;
}

static bool is_plain(const char *text, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    char c = text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '$')) return false;
  }
  return length > 0;
}

/* A name is written as it came; whatever is more than a name is quoted, so that it stays one. */
static void write_function_name(alch_compiler *compiler, const alch_node *node) {
  if (is_plain(alch_node_text(node), node->length)) {
    alch_buffer_add_bytes(compiler->out, alch_node_text(node), node->length);
    return;
  }
  const char *name = alch_arena_text(&compiler->scratch, alch_node_text(node), node->length);
  if (name) alch_quote_identifier(compiler->dialect, name, 1, compiler->out);
  else alch_no_memory(compiler);
}

const char *alch_last_name(const alch_node *function, uint32_t *length) {
  const char *text = alch_node_text(function), *start = text, *end = text + function->length;
  for (const char *at = text; at < end; at++)
    if (*at == '.') start = at + 1;
  *length = (uint32_t)(end - start);
  return start;
}

alch_status alch_render_arguments(alch_compiler *compiler, const alch_node *node) {
  const char *outer = compiler->hint, *separator = "";
  uint32_t outer_length = compiler->hint_length;
  bool inherits = outer && node->length == 5 && strncasecmp(alch_node_text(node), "lower", 5) == 0;
  alch_aggregate aggregate = alch_take_aggregate(compiler);
  if (!inherits) compiler->hint = alch_last_name(node, &compiler->hint_length);
  alch_write_char(compiler, '(');
  for ALCH_EACH_CHILD(child, node) {
    alch_write(compiler, separator);
    if (*separator == '\0') alch_render_aggregated(compiler, child, &aggregate);
    else alch_render(compiler, child);
    separator = ", ";
  }
  alch_render_aggregate_order(compiler, &aggregate);
  alch_write_char(compiler, ')');
  compiler->hint = outer;
  compiler->hint_length = outer_length;
  return compiler->status;
}

/* Those that stand in capitals, as SQLAlchemy has them. */
static const struct alch_function_spelling *common_spelling(const alch_node *node) {
  static const struct alch_function_spelling rows[] = {
    { "rollup", "ROLLUP", false },
    { "cube", "CUBE", false },
    { "grouping_sets", "GROUPING SETS", false },
    { "current_date", "CURRENT_DATE", true },
    { "current_time", "CURRENT_TIME", true },
    { "current_timestamp", "CURRENT_TIMESTAMP", true },
    { "current_user", "CURRENT_USER", true },
    { "localtime", "LOCALTIME", true },
    { "localtimestamp", "LOCALTIMESTAMP", true },
    { "session_user", "SESSION_USER", true },
    { "sysdate", "sysdate", true },
    { "user", "USER", true },
  };
  for (size_t i = 0; i < ALCH_COUNT(rows); i++)
    if (alch_is_called(node, rows[i].name)) return &rows[i];
  return NULL;
}

static bool is_string_aggregate(const alch_node *node) {
  static const char name[] = "aggregate_strings";
  return node->length == sizeof name - 1 && strncasecmp(name, alch_node_text(node), node->length) == 0 && alch_node_child_count(node) == 2;
}

alch_status alch_default_function(alch_compiler *compiler, const alch_node *node) {
  const struct alch_function_spelling *spelling = spelling_of(compiler, node);
  if (is_string_aggregate(node)) return alch_render_string_aggregate(compiler, node);
  if (!spelling) spelling = common_spelling(node);
  bool groups = spelling && (strcmp(spelling->name, "rollup") == 0 || strcmp(spelling->name, "cube") == 0 || strcmp(spelling->name, "grouping_sets") == 0);
  if (groups && !alch_require(compiler, ALCH_CAPABILITY_GROUPING_SETS, spelling->spelling)) return compiler->status;
  bool bare = alch_node_child_count(node) == 0 && ((node->op & ALCH_FUNCTION_BARE) || (spelling && spelling->bare));
  if (spelling) alch_write(compiler, spelling->spelling);
  else write_function_name(compiler, node);
  if (!bare) alch_render_arguments(compiler, node);
  return compiler->status;
}

/* ---- CASE, CAST and their kin ---- */

/* A condition made of an operator stands in parentheses, as SQLAlchemy has it; NOT before a boolean is no operator there, and NOT IN brings parentheses of its own. */
static bool is_enclosed(const alch_compiler *compiler, const alch_node *node) {
  if (node->kind == ALCH_NODE_UNARY && node->op == ALCH_OPERATOR_NOT) return !alch_is_boolean_value(compiler, alch_node_child(node));
  return alch_is_operation(node) || (node->kind == ALCH_NODE_BINARY && node->op == ALCH_OPERATOR_NOT_IN);
}

void alch_render_when(alch_compiler *compiler, const alch_node *node, bool is_value) {
  bool parentheses = is_enclosed(compiler, node);
  alch_write(compiler, parentheses ? " WHEN (" : " WHEN ");
  if (is_value) alch_render(compiler, node);
  else alch_render_lone_truth(compiler, node);
  if (parentheses) alch_write_char(compiler, ')');
}

static const alch_node *render_when(alch_compiler *compiler, const alch_node *node, bool has_value) {
  alch_render_when(compiler, node, has_value);
  const alch_node *then = alch_node_next(node);
  alch_write(compiler, " THEN ");
  alch_render(compiler, then);
  return alch_node_next(then);
}

alch_status alch_default_case(alch_compiler *compiler, const alch_node *node) {
  const alch_node *child = alch_node_child(node);
  bool has_value = node->op & 1, has_else = node->op & 2;
  uint32_t left = alch_node_child_count(node) - has_value - has_else;
  alch_write(compiler, "CASE");
  if (has_value) {
    alch_write_char(compiler, ' ');
    alch_render(compiler, child);
    child = alch_node_next(child);
  }
  for (; left >= 2; left -= 2) child = render_when(compiler, child, has_value);
  if (has_else) {
    alch_write(compiler, " ELSE ");
    alch_render(compiler, child);
  }
  alch_write(compiler, " END");
  return compiler->status;
}

/* The collation of a type stands behind the cast: inside, no database takes it. */
static void close_cast(alch_compiler *compiler, size_t start) {
  const char *collation = compiler->out->length > start ? strstr(compiler->out->text + start, " COLLATE ") : NULL;
  if (collation) alch_buffer_insert(compiler->out, (size_t)(collation - compiler->out->text), ")", 1);
  else alch_write_char(compiler, ')');
}

alch_status alch_default_cast(alch_compiler *compiler, const alch_node *node) {
  if (node->op == 1 && !alch_require(compiler, ALCH_CAPABILITY_TRY_CAST, "TRY_CAST")) return compiler->status;
  alch_write(compiler, node->op == 1 ? "TRY_CAST(" : "CAST(");
  alch_render(compiler, alch_node_child(node));
  alch_write(compiler, " AS ");
  size_t start = compiler->out->length;
  alch_write_type(compiler, node->b);
  close_cast(compiler, start);
  return compiler->status;
}

/* A value takes the type; an expression is left as it is, and only its results are of the type. */
alch_status alch_default_type_coerce(alch_compiler *compiler, const alch_node *node) { return alch_render(compiler, alch_node_child(node)); }

alch_status alch_default_extract(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, "EXTRACT(");
  if (!is_plain(alch_node_text(node), node->length)) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "'%.*s' is no field that EXTRACT knows", (int)node->length, alch_node_text(node));
  alch_buffer_add_bytes(compiler->out, alch_node_text(node), node->length);
  alch_write(compiler, " FROM ");
  alch_render(compiler, alch_node_child(node));
  alch_write_char(compiler, ')');
  return compiler->status;
}

static alch_status write_text_as_name(alch_compiler *compiler, const alch_node *node) {
  const char *name = alch_arena_text(&compiler->scratch, alch_node_text(node), node->length);
  if (!name) return alch_no_memory(compiler);
  alch_write_identifier(compiler, name);
  return compiler->status;
}

alch_status alch_default_name(alch_compiler *compiler, const alch_node *node) { return write_text_as_name(compiler, node); }

alch_status alch_default_collate(alch_compiler *compiler, const alch_node *node) {
  alch_render_operand(compiler, alch_node_child(node), ALCH_OPERATOR_NEGATE);
  alch_write(compiler, " COLLATE ");
  return write_text_as_name(compiler, node);
}

/* ---- labels: the select list writes them; here they are what they stand for ---- */

static alch_named_output *find_label(alch_compiler *compiler, const alch_node *node) {
  alch_output_plan *plan = compiler->scope ? compiler->scope->plan : NULL;
  for (uint32_t i = 0; plan && i < plan->count; i++) {
    const alch_node *item = plan->outputs[i].output.item;
    if (!item || item->kind != ALCH_NODE_LABEL || item->length != node->length || item->a != node->a) continue;
    if (memcmp(alch_node_text(item), alch_node_text(node), node->length) == 0) return &plan->outputs[i];
  }
  return NULL;
}

static bool is_called(const alch_named_output *named, const char *name, uint32_t length) {
  const alch_output *output = &named->output;
  return !output->anonymous && output->name_length == length && memcmp(output->name, name, length) == 0;
}

static alch_named_output *find_name(alch_compiler *compiler, const char *name, uint32_t length) {
  alch_output_plan *plan = compiler->scope ? compiler->scope->plan : NULL;
  for (uint32_t i = 0; plan && i < plan->count; i++)
    if (is_called(&plan->outputs[i], name, length)) return &plan->outputs[i];
  return NULL;
}

/* A label printed on its own shows what it is. */
static alch_status render_lone_label(alch_compiler *compiler, const alch_node *node) {
  alch_render(compiler, alch_node_child(node));
  alch_write(compiler, " AS ");
  return write_text_as_name(compiler, node);
}

alch_status alch_default_label(alch_compiler *compiler, const alch_node *node) {
  alch_named_output *named = compiler->in_order_by ? find_label(compiler, node) : NULL;
  if (!named && !compiler->scope && compiler->depth == 1 && node->length > 0) return render_lone_label(compiler, node);
  if (!named) return alch_render(compiler, alch_node_child(node));
  alch_write_identifier(compiler, alch_output_name(compiler, named));
  return compiler->status;
}

/* A name given as text: a label is written as it is, a column of the select list as the column; of a compound only names are left. */
alch_status alch_default_label_name(alch_compiler *compiler, const alch_node *node) {
  if (!compiler->scope && node->length > 0) return write_text_as_name(compiler, node);
  alch_named_output *named = find_label(compiler, node);
  if (!named && node->length > 0) named = find_name(compiler, alch_node_text(node), node->length);
  if (!named)
    return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "Can't resolve label reference for ORDER BY / GROUP BY / DISTINCT etc. Textual SQL expression '%.*s' should be explicitly declared as text",
                              (int)node->length, alch_node_text(node));
  const alch_output *output = &named->output;
  bool compound = compiler->scope->statement->kind == ALCH_NODE_COMPOUND;
  if (!compound && output->item->kind != ALCH_NODE_LABEL && output->source != 0) return alch_render_column(compiler, output->source, output->index);
  if (!compound && compiler->labels_in_full && output->item->kind == ALCH_NODE_LABEL) return alch_render(compiler, alch_node_child(output->item));
  alch_write_identifier(compiler, alch_output_name(compiler, named));
  return compiler->status;
}

/* ---- subqueries ---- */

alch_status alch_default_exists(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, "EXISTS ");
  return alch_render_subquery(compiler, alch_node_child(node), ALCH_ROLE_NESTED);
}

alch_status alch_default_scalar(alch_compiler *compiler, const alch_node *node) { return alch_render_subquery(compiler, alch_node_child(node), ALCH_ROLE_NESTED); }
