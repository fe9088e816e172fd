#include "sql/hook.h"
#include <string.h>

/* SQLite takes expressions of this depth and no deeper; a thread's stack has room for it. */
#define DEEPEST 1000

static alch_status refuse(alch_compiler *compiler, const alch_node *node) {
  return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "a %s cannot stand here", alch_node_kind_name(node->kind));
}

/* What some databases have, each in its own form, and the standard has not. */
static alch_status refuse_dialect(alch_compiler *compiler, const alch_node *node) {
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "a %s is not supported by the dialect '%s'", alch_node_kind_name(node->kind), compiler->dialect->name);
}

static const alch_renderer default_renderers[] = {
  [ALCH_NODE_END] = refuse,
  [ALCH_NODE_COLUMN] = alch_default_column,
  [ALCH_NODE_BIND] = alch_default_bind,
  [ALCH_NODE_NULL] = alch_default_null,
  [ALCH_NODE_TRUE] = alch_default_true,
  [ALCH_NODE_FALSE] = alch_default_false,
  [ALCH_NODE_DEFAULT] = alch_default_default_word,
  [ALCH_NODE_STAR] = alch_default_star,
  [ALCH_NODE_ENTITY] = alch_default_entity,
  [ALCH_NODE_TEXT] = alch_default_text,
  [ALCH_NODE_LITERAL] = alch_default_literal,
  [ALCH_NODE_NAME] = alch_default_name,
  [ALCH_NODE_UNARY] = alch_default_unary,
  [ALCH_NODE_BINARY] = alch_default_binary,
  [ALCH_NODE_CUSTOM] = alch_default_custom,
  [ALCH_NODE_BETWEEN] = alch_default_between,
  [ALCH_NODE_LIST] = alch_default_list,
  [ALCH_NODE_GROUPING] = alch_default_grouping,
  [ALCH_NODE_TUPLE] = alch_default_tuple,
  [ALCH_NODE_FUNCTION] = alch_default_function,
  [ALCH_NODE_CASE] = alch_default_case,
  [ALCH_NODE_CAST] = alch_default_cast,
  [ALCH_NODE_TYPE_COERCE] = alch_default_type_coerce,
  [ALCH_NODE_EXTRACT] = alch_default_extract,
  [ALCH_NODE_COLLATE] = alch_default_collate,
  [ALCH_NODE_REGEXP] = alch_default_regexp,
  [ALCH_NODE_SUBSCRIPT] = alch_default_subscript,
  [ALCH_NODE_ARRAY] = alch_default_array,
  [ALCH_NODE_LABEL] = alch_default_label,
  [ALCH_NODE_LABEL_NAME] = alch_default_label_name,
  [ALCH_NODE_EXISTS] = alch_default_exists,
  [ALCH_NODE_SCALAR] = alch_default_scalar,
  [ALCH_NODE_OVER] = alch_default_over,
  [ALCH_NODE_FRAME] = alch_default_frame,
  [ALCH_NODE_FILTER] = alch_default_filter,
  [ALCH_NODE_WITHIN_GROUP] = alch_default_within_group,
  [ALCH_NODE_AGGREGATE_ORDER] = alch_default_aggregate_order,
  [ALCH_NODE_NEXT_VALUE] = alch_default_next_value,
  [ALCH_NODE_CONSTRUCT] = alch_render_hooked,
  [ALCH_NODE_OPERAND] = alch_default_operand,
  [ALCH_NODE_EXCLUDED] = alch_default_excluded,
  [ALCH_NODE_TABLE] = alch_default_table,
  [ALCH_NODE_SOURCE] = alch_default_source,
  [ALCH_NODE_JOIN] = alch_default_join,
  [ALCH_NODE_VALUES] = alch_default_values,
  [ALCH_NODE_TABLESAMPLE] = refuse_dialect,
  [ALCH_NODE_DEFINE] = refuse,
  [ALCH_NODE_SELECT] = alch_default_select,
  [ALCH_NODE_COMPOUND] = alch_default_compound,
  [ALCH_NODE_INSERT] = alch_default_insert,
  [ALCH_NODE_UPDATE] = alch_default_update,
  [ALCH_NODE_DELETE] = alch_default_delete,
  [ALCH_NODE_WITH] = alch_default_nothing,
  [ALCH_NODE_MEMBERS] = alch_default_members,
  [ALCH_NODE_PREFIXES] = alch_default_prefixes,
  [ALCH_NODE_HINTS] = alch_default_hints,
  [ALCH_NODE_DISTINCT] = alch_default_distinct,
  [ALCH_NODE_COLUMNS] = alch_default_columns,
  [ALCH_NODE_FROM] = alch_default_from,
  [ALCH_NODE_INTO] = alch_default_nothing,
  [ALCH_NODE_ROWS] = alch_default_nothing,
  [ALCH_NODE_SET] = alch_default_set,
  [ALCH_NODE_WHERE] = alch_default_where,
  [ALCH_NODE_GROUP_BY] = alch_default_group_by,
  [ALCH_NODE_HAVING] = alch_default_having,
  [ALCH_NODE_ORDER_BY] = alch_default_order_by,
  [ALCH_NODE_LIMIT] = alch_default_limit,
  [ALCH_NODE_OFFSET] = alch_default_offset,
  [ALCH_NODE_FETCH] = alch_default_fetch,
  [ALCH_NODE_FOR_UPDATE] = alch_default_for_update,
  [ALCH_NODE_ON_CONFLICT] = alch_default_on_conflict,
  [ALCH_NODE_ON_DUPLICATE_KEY] = refuse_dialect,
  [ALCH_NODE_RETURNING] = alch_default_returning,
  [ALCH_NODE_SUFFIXES] = alch_default_suffixes,
  [ALCH_NODE_CORRELATE] = alch_default_nothing,
  [ALCH_NODE_OPTIONS] = alch_default_nothing,
  [ALCH_NODE_EXECUTION] = alch_default_nothing,
  [ALCH_NODE_OPTION] = alch_default_nothing,
  [ALCH_NODE_ROW] = refuse,
  [ALCH_NODE_ASSIGN] = refuse,
  [ALCH_NODE_TARGETS] = refuse, [ALCH_NODE_TARGET] = refuse,
  [ALCH_NODE_WORDS] = alch_default_words,
};
_Static_assert(ALCH_COUNT(default_renderers) == ALCH_NODE_KIND_COUNT, "one renderer a node kind");

alch_status alch_render(alch_compiler *compiler, const alch_node *node) {
  if (compiler->status != ALCH_OK) return compiler->status;
  if (compiler->depth >= DEEPEST) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "the statement nests more than %d levels deep", DEEPEST);
  bool condition = compiler->condition, parts = !condition && !alch_can(compiler, ALCH_CAPABILITY_CONDITION_VALUES) && alch_is_condition(compiler, node);
  /* Parentheses hand it on to what stands in them. */
  compiler->condition = condition && node->kind == ALCH_NODE_GROUPING;
  compiler->depth++;
  alch_status status = parts ? alch_render_truth(compiler, node) : compiler->renderers[node->kind](compiler, node);
  compiler->depth--;
  if (status < 0 && compiler->status == ALCH_OK) compiler->status = status;
  return compiler->status;
}

alch_status alch_render_default(alch_compiler *compiler, const alch_node *node) { return default_renderers[node->kind](compiler, node); }

/* ---- a compiler ---- */

static void *scratch(alch_compiler *compiler, size_t size) {
  void *memory = alch_arena_allocate(&compiler->scratch, size);
  if (!memory) alch_no_memory(compiler);
  return memory;
}

static void find_binds(alch_compiler *compiler, const alch_block *block) {
  const char *first = (const char *)alch_block_first(block), *end = first + block->structure;
  uint32_t count = 0;
  for (const char *node = first; node < end; node = (const char *)alch_node_child((const alch_node *)node)) count += ((const alch_node *)node)->kind == ALCH_NODE_BIND;
  compiler->bind_count = 0;
  compiler->binds = count > 0 ? scratch(compiler, count * sizeof *compiler->binds) : NULL;
  if (!compiler->binds) return;
  for (const char *node = first; node < end; node = (const char *)alch_node_child((const alch_node *)node))
    if (((const alch_node *)node)->kind == ALCH_NODE_BIND) compiler->binds[compiler->bind_count++] = (uint32_t)(node - first);
}

static void find_definitions(alch_compiler *compiler, const alch_block *block) {
  const alch_node *root = alch_block_root(block);
  uint32_t count = 0;
  for (const alch_node *node = alch_block_first(block); node < root; node = alch_node_next(node)) count++;
  compiler->definition_count = 0;
  compiler->definitions = count > 0 ? scratch(compiler, count * sizeof *compiler->definitions) : NULL;
  if (!compiler->definitions) return;
  for (const alch_node *node = alch_block_first(block); node < root; node = alch_node_next(node)) compiler->definitions[compiler->definition_count++].node = node;
}

static void take_block(alch_compiler *compiler, const alch_block *block) {
  compiler->block = block;
  compiler->records = NULL;
  compiler->plans = NULL;
  compiler->bind_hint = 0;
  find_binds(compiler, block);
  find_definitions(compiler, block);
}

static void compiler_open(alch_compiler *compiler, const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, const alch_allocator *allocator, alch_buffer *out, alch_error *error) {
  memset(compiler, 0, sizeof *compiler);
  compiler->catalog = catalog;
  compiler->dialect = dialect;
  compiler->out = out;
  compiler->error = error;
  alch_arena_init(&compiler->scratch, allocator);
  memcpy(compiler->renderers, default_renderers, sizeof default_renderers);
  for (const struct alch_renderer_override *override = dialect->renderers; override && override->kind; override++) compiler->renderers[override->kind] = override->render;
  for (const alch_hook *hook = catalog->hooks; hook; hook = hook->next)
    if (alch_hook_exists(catalog, hook->kind, dialect->name)) compiler->renderers[hook->kind] = alch_render_hooked;
  take_block(compiler, block);
}

static alch_status compiler_close(alch_compiler *compiler) {
  const alch_allocator *allocator = compiler->scratch.allocator;
  alch_free(allocator, compiler->slots, compiler->slot_capacity * sizeof *compiler->slots);
  alch_free(allocator, compiler->columns, compiler->column_capacity * sizeof *compiler->columns);
  alch_arena_clear(&compiler->scratch);
  return compiler->status;
}

alch_status alch_render_foreign_block(alch_compiler *compiler, const alch_block *block) {
  alch_compiler outer = *compiler;
  take_block(compiler, block);
  compiler->literal_binds = true;
  compiler->unqualified = true;
  alch_render_operand(compiler, alch_block_root(block), ALCH_OPERATOR_NONE);
  compiler->block = outer.block;
  compiler->binds = outer.binds;
  compiler->bind_count = outer.bind_count;
  compiler->bind_hint = outer.bind_hint;
  compiler->records = outer.records;
  compiler->definitions = outer.definitions;
  compiler->definition_count = outer.definition_count;
  compiler->plans = outer.plans;
  compiler->literal_binds = outer.literal_binds;
  compiler->unqualified = outer.unqualified;
  return compiler->status;
}

/* ---- the statement ---- */

static alch_statement_kind statement_kind(const alch_node *root) {
  switch (root->kind) {
    case ALCH_NODE_INSERT: return ALCH_STATEMENT_INSERT;
    case ALCH_NODE_UPDATE: return ALCH_STATEMENT_UPDATE;
    case ALCH_NODE_DELETE: return ALCH_STATEMENT_DELETE;
    case ALCH_NODE_TEXT: return ALCH_STATEMENT_TEXT;
    default: return ALCH_STATEMENT_SELECT;
  }
}

static void render_statement(alch_compiler *compiler, const alch_node *root) {
  bool query = alch_node_is_query(root);
  compiler->collects = query;
  compiler->compiled->kind = (uint8_t)statement_kind(root);
  compiler->compiled->returns_rows = query;
  if (root->kind != ALCH_NODE_INSERT || !alch_can(compiler, ALCH_CAPABILITY_CTE_FOLLOWS_INSERT)) alch_render_with(compiler);
  alch_render(compiler, root);
}

static void *keep(alch_compiler *compiler, const void *array, size_t size) {
  if (size == 0) return NULL;
  void *copy = alch_arena_copy(&compiler->compiled->arena, array, size);
  if (!copy) alch_no_memory(compiler);
  return copy;
}

static void keep_results(alch_compiler *compiler) {
  alch_compiled *compiled = compiler->compiled;
  compiled->sql = alch_arena_text(&compiled->arena, compiler->out->text, compiler->out->length);
  if (!compiled->sql) alch_no_memory(compiler);
  compiled->sql_length = compiler->out->length;
  compiled->slots = keep(compiler, compiler->slots, compiler->slot_count * sizeof *compiler->slots);
  compiled->slot_count = compiler->slot_count;
  compiled->columns = keep(compiler, compiler->columns, compiler->column_count * sizeof *compiler->columns);
  compiled->column_count = compiler->column_count;
  compiled->value_count = compiler->bind_count;
}

alch_status alch_compile(const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, const alch_compile_options *options, const alch_allocator *allocator, alch_compiled **out,
                         alch_error *error) {
  static const alch_compile_options none = { 0 };
  alch_compiler compiler;
  alch_buffer text;
  alch_compiled *compiled = alch_allocate_zeroed(allocator, sizeof *compiled);
  *out = NULL;
  if (!compiled) return alch_error_out_of_memory(error);
  compiled->allocator = allocator;
  compiled->references = 1;
  compiled->dialect = dialect;
  alch_arena_init(&compiled->arena, allocator);
  alch_buffer_init(&text, allocator);
  compiler_open(&compiler, catalog, dialect, block, allocator, &text, error);
  compiler.options = options ? options : &none;
  compiler.literal_binds = compiler.options->literal_binds;
  compiler.compiled = compiled;
  render_statement(&compiler, alch_block_root(block));
  if (alch_buffer_failed(&text)) compiler.status = alch_error_out_of_memory(error);
  if (compiler.status == ALCH_OK) keep_results(&compiler);
  alch_status status = compiler_close(&compiler);
  alch_buffer_close(&text);
  if (status == ALCH_OK) *out = compiled;
  else alch_compiled_release(compiled);
  return status;
}

static alch_status compile_for_ddl(const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, bool condition, alch_buffer *out, alch_error *error) {
  static const alch_compile_options none = { .literal_binds = true };
  alch_compiler compiler;
  compiler_open(&compiler, catalog, dialect, block, catalog->allocator, out, error);
  compiler.options = &none;
  compiler.literal_binds = true;
  compiler.unqualified = true;
  if (condition) alch_render_condition(&compiler, alch_block_root(block), ALCH_OPERATOR_NONE);
  else alch_render(&compiler, alch_block_root(block));
  if (alch_buffer_failed(out)) compiler.status = alch_error_out_of_memory(error);
  return compiler_close(&compiler);
}

alch_status alch_compile_ddl_expression(const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, alch_buffer *out, alch_error *error) {
  return compile_for_ddl(catalog, dialect, block, true, out, error);
}

alch_status alch_compile_ddl_value(const alch_catalog *catalog, const alch_dialect *dialect, const alch_block *block, alch_buffer *out, alch_error *error) {
  return compile_for_ddl(catalog, dialect, block, false, out, error);
}

/* ---- the compiled record ---- */

void alch_compiled_hold(alch_compiled *compiled) { __atomic_add_fetch(&compiled->references, 1, __ATOMIC_RELAXED); }

void alch_compiled_release(alch_compiled *compiled) {
  if (!compiled || __atomic_sub_fetch(&compiled->references, 1, __ATOMIC_ACQ_REL) > 0) return;
  if (compiled->plan && compiled->plan_release) compiled->plan_release(compiled->plan);
  alch_arena_clear(&compiled->arena);
  alch_free(compiled->allocator, compiled, sizeof *compiled);
}
