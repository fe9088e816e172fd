/* The clauses of a SELECT: hints, FETCH FIRST, or ROWNUM round the whole where there is no FETCH, and FOR UPDATE. */
#include "sql/dialects/oracle.h"
#include <string.h>

/* ---- hints: one comment behind the first word, which is the only one that is read; another comment of the user's stands at the end ---- */

static bool is_comment(const alch_node *words) { return words->length >= 3 && memcmp(alch_node_text(words), "/*", 2) == 0 && alch_node_text(words)[2] != '+'; }

alch_status alch_oracle_hints(alch_compiler *compiler, const alch_node *node) {
  const char *before = " /*+ ";
  for ALCH_EACH_CHILD(words, node) {
    if (!alch_words_apply(compiler, words) || is_comment(words)) continue;
    size_t start = compiler->out->length + strlen(before);
    alch_write(compiler, before);
    alch_render_words(compiler, words);
    /* What came as a comment of its own is taken out of it. */
    if (strncmp(compiler->out->text + start, "/*+", 3) == 0) {
      size_t length = compiler->out->length - start, end = length >= 5 && memcmp(compiler->out->text + start + length - 2, "*/", 2) == 0 ? length - 2 : length;
      size_t first = 3;
      while (first < end && compiler->out->text[start + first] == ' ') first++;
      while (end > first && compiler->out->text[start + end - 1] == ' ') end--;
      memmove(compiler->out->text + start, compiler->out->text + start + first, end - first);
      compiler->out->length = start + (end - first);
    }
    before = " ";
  }
  if (before[1] == '\0') alch_write(compiler, " */");
  return compiler->status;
}

static void write_comments(alch_compiler *compiler, const alch_node *query) {
  const alch_node *hints = alch_node_clause(query, ALCH_NODE_HINTS);
  if (!hints) return;
  for ALCH_EACH_CHILD(words, hints) {
    if (!alch_words_apply(compiler, words) || !is_comment(words)) continue;
    alch_write_char(compiler, ' ');
    alch_render_words(compiler, words);
  }
}

/* ---- how many rows ---- */

typedef struct limits { const alch_node *count, *offset, *locks; uint8_t bits; } limits;

static const alch_node *only_child(const alch_node *clause) { return clause && alch_node_child_count(clause) > 0 ? alch_node_child(clause) : NULL; }

static limits read_limits(const alch_node *query) {
  const alch_node *fetch = alch_node_clause(query, ALCH_NODE_FETCH);
  limits read = { .count = only_child(alch_node_clause(query, ALCH_NODE_LIMIT)), .offset = only_child(alch_node_clause(query, ALCH_NODE_OFFSET)) };
  if (only_child(fetch)) read.count = only_child(fetch), read.bits = fetch->op;
  read.locks = alch_node_clause(query, ALCH_NODE_FOR_UPDATE);
  return read;
}

static bool has_fetch(const alch_compiler *compiler) { return alch_oracle_since(compiler->dialect, 12, 1); }

/* FETCH FIRST and FOR UPDATE exclude each other (ORA-02014), so rows to be locked are counted by ROWNUM as well. */
static bool is_wrapped(const alch_compiler *compiler, const alch_node *query) {
  limits read = read_limits(query);
  if (!read.count && !read.offset) return false;
  return !has_fetch(compiler) || read.locks;
}

/* A number goes into the text, where the optimizer sees it; what comes by name, or is an expression, stays as it is. */
static void write_count(alch_compiler *compiler, const alch_node *count) {
  if (count->kind == ALCH_NODE_BIND && !(count->op & ALCH_BIND_NAMED)) alch_render_bind_literal(compiler, count);
  else alch_render_operand(compiler, count, ALCH_OPERATOR_ADD);
}

/* OFFSET stands before FETCH, and both behind what LIMIT and OFFSET are, in whatever order they come. */
static void write_limits(alch_compiler *compiler, const alch_node *query) {
  limits read = read_limits(query);
  if (is_wrapped(compiler, query)) return;
  if (read.offset) {
    alch_write(compiler, " OFFSET ");
    write_count(compiler, read.offset);
    alch_write(compiler, " ROWS");
  }
  if (!read.count) return;
  alch_write(compiler, " FETCH FIRST ");
  write_count(compiler, read.count);
  alch_write(compiler, read.bits & ALCH_FETCH_PERCENT ? " PERCENT ROWS" : " ROWS");
  alch_write(compiler, read.bits & ALCH_FETCH_WITH_TIES ? " WITH TIES" : " ONLY");
}

/* Which of the three clauses writes all of them: the first that is there. */
static alch_status render_limits(alch_compiler *compiler, uint8_t kind) {
  static const uint8_t kinds[] = { ALCH_NODE_LIMIT, ALCH_NODE_OFFSET, ALCH_NODE_FETCH };
  const alch_node *query = compiler->scope->statement;
  for (size_t i = 0; i < ALCH_COUNT(kinds); i++) {
    if (!alch_node_clause(query, kinds[i])) continue;
    if (kinds[i] == kind) write_limits(compiler, query);
    break;
  }
  return compiler->status;
}

alch_status alch_oracle_limit(alch_compiler *compiler, const alch_node *node) { return render_limits(compiler, node->kind); }
alch_status alch_oracle_offset(alch_compiler *compiler, const alch_node *node) { return render_limits(compiler, node->kind); }
alch_status alch_oracle_fetch(alch_compiler *compiler, const alch_node *node) { return render_limits(compiler, node->kind); }

/* ---- FOR UPDATE ---- */

/* A table is locked by naming a column of it: that of its key, or its first. */
static uint32_t locked_index(alch_compiler *compiler, const alch_node *target) {
  if (target->kind == ALCH_NODE_COLUMN) return target->b;
  const alch_table *table = alch_source_table(compiler->catalog, compiler->block, target->a);
  return table && table->primary_key->column_count > 0 ? table->primary_key->columns[0]->index : 0;
}

static void write_lock_words(alch_compiler *compiler, uint8_t bits) {
  if (bits & ALCH_FOR_UPDATE_NOWAIT) alch_write(compiler, " NOWAIT");
  if (bits & ALCH_FOR_UPDATE_SKIP_LOCKED) alch_write(compiler, " SKIP LOCKED");
}

alch_status alch_oracle_for_update(alch_compiler *compiler, const alch_node *node) {
  const alch_scope *scope = compiler->scope;
  const char *separator = " OF ";
  if (node->op & ALCH_FOR_UPDATE_READ) return alch_oracle_unsupported(compiler, "FOR SHARE", "there are no shared locks of rows: leave `read` out, which locks them whole, or read without");
  if (scope->statement->kind == ALCH_NODE_COMPOUND) return alch_oracle_unsupported(compiler, "FOR UPDATE of a compound select", "lock the rows in a select of one table");
  /* A subquery locks nothing; one inside ROWNUM is locked from outside. */
  if (is_wrapped(compiler, scope->statement) || scope->role != ALCH_ROLE_TOP) return compiler->status;
  alch_write(compiler, " FOR UPDATE");
  for ALCH_EACH_CHILD(target, node) {
    alch_write(compiler, separator);
    alch_render_column(compiler, target->a, locked_index(compiler, target));
    separator = ", ";
  }
  write_lock_words(compiler, node->op);
  return compiler->status;
}

/* ---- ROWNUM round the whole ---- */

typedef struct wrapping {
  const alch_node *query;
  limits limits;
  alch_output_plan *plan;
  const char *outer, *inner;      /* names of the subqueries; inner: with an OFFSET only */
  const alch_insert *insert;
  bool labels;                    /* a subquery itself: its columns need names */
} wrapping;

static bool is_open(const alch_named_output *named) {
  const alch_node *item = named->output.item;
  return item && named->output.source == 0 && (item->kind == ALCH_NODE_TEXT || item->kind == ALCH_NODE_STAR || item->kind == ALCH_NODE_LITERAL);
}

static bool has_open(const alch_output_plan *plan) {
  for (uint32_t i = 0; i < plan->count; i++)
    if (is_open(&plan->outputs[i])) return true;
  return false;
}

static const char *name_once(alch_compiler *compiler, const char **name) {
  if (!*name) *name = alch_new_name(compiler, "anon", 4);
  return *name;
}

static void write_names(alch_compiler *compiler, const wrapping *w, const char **alias, bool labels) {
  alch_write(compiler, "SELECT ");
  if (has_open(w->plan)) {
    alch_write_identifier(compiler, name_once(compiler, alias));
    alch_write(compiler, ".*");
    return;
  }
  for (uint32_t i = 0; i < w->plan->count; i++) {
    const char *name = alch_output_name(compiler, &w->plan->outputs[i]);
    if (i > 0) alch_write(compiler, ", ");
    alch_write_identifier(compiler, name_once(compiler, alias));
    alch_write_char(compiler, '.');
    alch_write_identifier(compiler, name);
    if (!labels) continue;
    alch_write(compiler, " AS ");
    alch_write_identifier(compiler, name);
  }
}

static void write_inner(alch_compiler *compiler, const wrapping *w, const char *alias) {
  alch_write(compiler, " FROM (");
  compiler->role = ALCH_ROLE_FROM;
  alch_render_default(compiler, w->query);
  compiler->role = ALCH_ROLE_TOP;
  alch_write(compiler, ") ");
  alch_write_identifier(compiler, alias);
  if (!w->limits.count) return;
  alch_write(compiler, " WHERE ROWNUM <= ");
  write_count(compiler, w->limits.count);
  if (!w->limits.offset) return;
  alch_write(compiler, " + ");
  write_count(compiler, w->limits.offset);
}

/* The defaults that an INSERT adds to its SELECT. */
static void write_defaults(alch_compiler *compiler, const wrapping *w) {
  for (uint32_t i = 0; w->insert && i < w->insert->default_count; i++) {
    alch_write(compiler, ", ");
    alch_render_column_default(compiler, w->insert->defaults[i], false);
  }
}

static const alch_named_output *output_of(const alch_output_plan *plan, uint32_t source, uint32_t index) {
  for (uint32_t i = 0; i < plan->count; i++)
    if (plan->outputs[i].output.source == source && plan->outputs[i].output.index == index) return &plan->outputs[i];
  return NULL;
}

static const char *column_name(alch_compiler *compiler, uint32_t source, uint32_t index) {
  alch_output output;
  if (!alch_source_output(compiler->catalog, compiler->block, source, index, &output)) return "";
  const char *name = output.column ? output.column->name : alch_arena_text(&compiler->scratch, output.name, output.name_length);
  if (!name) alch_no_memory(compiler);
  return name ? name : "";
}

static void write_locks(alch_compiler *compiler, const wrapping *w) {
  const char *separator = " OF ";
  if (!w->limits.locks || w->labels) return;
  alch_write(compiler, " FOR UPDATE");
  for ALCH_EACH_CHILD(target, w->limits.locks) {
    uint32_t index = locked_index(compiler, target);
    const alch_named_output *named = output_of(w->plan, target->a, index);
    alch_write(compiler, separator);
    alch_write_identifier(compiler, w->outer);
    alch_write_char(compiler, '.');
    alch_write_identifier(compiler, named && named->name ? named->name : column_name(compiler, target->a, index));
    separator = ", ";
  }
  write_lock_words(compiler, w->limits.locks->op);
}

/* What is locked must be among the columns of the inner select, which are written by the renderer of COLUMNS. */
alch_status alch_oracle_columns(alch_compiler *compiler, const alch_node *node) {
  const alch_scope *scope = compiler->scope;
  limits read = read_limits(scope->statement);
  alch_render_default(compiler, node);
  if (!read.locks || !scope->plan || !is_wrapped(compiler, scope->statement)) return compiler->status;
  for ALCH_EACH_CHILD(target, read.locks) {
    uint32_t index = locked_index(compiler, target);
    if (output_of(scope->plan, target->a, index)) continue;
    alch_write(compiler, ", ");
    alch_render_column(compiler, target->a, index);
    alch_write(compiler, " AS ");
    alch_write_identifier(compiler, column_name(compiler, target->a, index));
  }
  return compiler->status;
}

/* ---- what ROWNUM cannot say ---- */

static const struct { uint8_t clause; const char *construct; } unlockable[] = {
  { ALCH_NODE_ORDER_BY, "FOR UPDATE with ORDER BY and a limit" },
  { ALCH_NODE_OFFSET, "FOR UPDATE with an offset" },
  { ALCH_NODE_DISTINCT, "FOR UPDATE with DISTINCT and a limit" },
  { ALCH_NODE_GROUP_BY, "FOR UPDATE with GROUP BY and a limit" },
};

static bool check_wrapping(alch_compiler *compiler, const wrapping *w) {
  if (w->limits.locks && (w->limits.locks->op & ALCH_FOR_UPDATE_READ)) {
    alch_oracle_unsupported(compiler, "FOR SHARE", "there are no shared locks of rows: leave `read` out, which locks them whole, or read without");
    return false;
  }
  for (size_t i = 0; w->limits.locks && i < ALCH_COUNT(unlockable); i++)
    if (alch_node_clause(w->query, unlockable[i].clause)) {
      alch_oracle_unsupported(compiler, unlockable[i].construct, "select the keys with the limit in a subquery, and lock where the key is in_() it");
      return false;
    }
  if (w->limits.bits) {
    alch_oracle_unsupported(compiler, w->limits.bits & ALCH_FETCH_WITH_TIES ? "FETCH WITH TIES" : "FETCH PERCENT", w->limits.locks ? "lock in another select" : "filter a subquery by rank() or percent_rank()");
    return false;
  }
  if (!w->limits.offset || !has_open(w->plan)) return true;
  alch_oracle_unsupported(compiler, "OFFSET of a select with a * or columns as text", "name the columns");
  return false;
}

static alch_status render_wrapped(alch_compiler *compiler, const alch_node *query) {
  alch_role role = compiler->role;
  wrapping w = { .query = query, .limits = read_limits(query), .plan = alch_plan_of(compiler, query), .insert = compiler->insert };
  w.labels = role == ALCH_ROLE_FROM || role == ALCH_ROLE_LATERAL;
  compiler->insert = NULL;
  if (!w.plan || !check_wrapping(compiler, &w)) return compiler->status;
  /* A name reaches one level up, and the rows are counted one level further out. */
  if (query->kind == ALCH_NODE_SELECT && alch_correlates(compiler, query, role)) return alch_oracle_unsupported(compiler, "a limit in a correlated subquery", "take min() or max(), or filter by row_number() in a join");
  write_names(compiler, &w, &w.outer, w.labels);
  write_defaults(compiler, &w);
  if (!w.limits.offset) {
    write_inner(compiler, &w, w.outer);
    write_locks(compiler, &w);
    return compiler->status;
  }
  alch_write(compiler, " FROM (");
  write_names(compiler, &w, &w.inner, true);
  alch_write(compiler, ", ROWNUM AS ora_rn");
  write_inner(compiler, &w, w.inner);
  alch_write(compiler, ") ");
  alch_write_identifier(compiler, w.outer);
  alch_write(compiler, " WHERE ora_rn > ");
  write_count(compiler, w.limits.offset);
  return compiler->status;
}

alch_status alch_oracle_select(alch_compiler *compiler, const alch_node *node) {
  if (is_wrapped(compiler, node)) render_wrapped(compiler, node);
  else alch_render_default(compiler, node);
  write_comments(compiler, node);
  return compiler->status;
}

alch_status alch_oracle_compound(alch_compiler *compiler, const alch_node *node) { return is_wrapped(compiler, node) ? render_wrapped(compiler, node) : alch_render_default(compiler, node); }
