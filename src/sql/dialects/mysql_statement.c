/* Statements and clauses of MySQL and MariaDB. */
#include "sql/dialects/mysql.h"
#include "sql/insertion.h"
#include <strings.h>

static alch_status unsupported(alch_compiler *compiler, const char *construct, const char *mend) {
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "%s is not supported by the dialect '%s'; %s", construct, compiler->dialect->name, mend);
}

/* The child of a clause of the statement that is being written, when it has the clause and that is not empty. */
static const alch_node *value_of(const alch_compiler *compiler, alch_node_kind kind) {
  const alch_node *clause = alch_node_clause(compiler->scope->statement, kind);
  return clause && alch_node_child_count(clause) > 0 ? alch_node_child(clause) : NULL;
}

/* ---- FROM ---- */

/* A WHERE wants a FROM before it. */
alch_status alch_mysql_from(alch_compiler *compiler, const alch_node *node) {
  const alch_scope *scope = compiler->scope;
  if (scope->from_count == 0 && scope->statement->kind == ALCH_NODE_SELECT && value_of(compiler, ALCH_NODE_WHERE)) {
    alch_write(compiler, " FROM DUAL");
    return compiler->status;
  }
  return alch_default_from(compiler, node);
}

static const char *const join_words[] = { [ALCH_JOIN_INNER] = " INNER JOIN ", [ALCH_JOIN_LEFT] = " LEFT OUTER JOIN ", [ALCH_JOIN_CROSS] = " CROSS JOIN " };

static void render_right(alch_compiler *compiler, const alch_node *right) {
  bool parentheses = right->kind == ALCH_NODE_JOIN;
  if (parentheses) alch_write_char(compiler, '(');
  alch_render(compiler, right);
  if (parentheses) alch_write_char(compiler, ')');
}

alch_status alch_mysql_join(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_nth(node, 0), *right = alch_node_nth(node, 1), *condition = alch_node_nth(node, 2);
  if (node->op == ALCH_JOIN_FULL) return unsupported(compiler, "FULL OUTER JOIN", "write a UNION of a LEFT JOIN from either side");
  if (!right || node->op >= ALCH_COUNT(join_words)) return alch_render_default(compiler, node);
  alch_render(compiler, left);
  alch_write(compiler, join_words[node->op]);
  render_right(compiler, right);
  if (node->op == ALCH_JOIN_CROSS) return compiler->status;
  alch_write(compiler, " ON ");
  return condition ? alch_render_condition(compiler, condition, ALCH_OPERATOR_NONE) : alch_render_join_condition(compiler, left, right);
}

/* USE INDEX and its kin stand behind the table. */
alch_status alch_mysql_source_hint(alch_compiler *compiler, const alch_node *words, bool before) {
  if (before) return compiler->status;
  alch_write_char(compiler, ' ');
  return alch_render_words(compiler, words);
}

/* ---- LIMIT ---- */

/* The grammar takes a number or a placeholder; what a user wrote is passed on. */
static void render_count(alch_compiler *compiler, const alch_node *node) {
  switch (node->kind) {
    case ALCH_NODE_BIND: case ALCH_NODE_TEXT: case ALCH_NODE_LITERAL: alch_render(compiler, node); break;
    default: unsupported(compiler, "an expression as LIMIT or OFFSET", "give a number");
  }
}

/* LIMIT offset, count; an offset alone takes all the rows that there can be. */
static alch_status render_limit(alch_compiler *compiler, const alch_node *count, const alch_node *offset) {
  alch_write(compiler, " LIMIT ");
  if (offset) {
    render_count(compiler, offset);
    alch_write(compiler, ", ");
  }
  if (count) render_count(compiler, count);
  else alch_write(compiler, "18446744073709551615");
  return compiler->status;
}

alch_status alch_mysql_limit(alch_compiler *compiler, const alch_node *node) {
  if (alch_node_child_count(node) == 0) return compiler->status;
  return render_limit(compiler, alch_node_child(node), value_of(compiler, ALCH_NODE_OFFSET));
}

alch_status alch_mysql_offset(alch_compiler *compiler, const alch_node *node) {
  if (alch_node_child_count(node) == 0 || value_of(compiler, ALCH_NODE_LIMIT) || value_of(compiler, ALCH_NODE_FETCH)) return compiler->status;
  return render_limit(compiler, NULL, alch_node_child(node));
}

static alch_status render_fetch(alch_compiler *compiler, const alch_node *count, const alch_node *offset, bool ties) {
  if (offset) {
    alch_write(compiler, " OFFSET ");
    render_count(compiler, offset);
    alch_write(compiler, " ROWS");
  }
  alch_write(compiler, " FETCH FIRST ");
  render_count(compiler, count);
  alch_write(compiler, ties ? " ROWS WITH TIES" : " ROWS ONLY");
  return compiler->status;
}

alch_status alch_mysql_fetch(alch_compiler *compiler, const alch_node *node) {
  if (alch_node_child_count(node) == 0) return compiler->status;
  const alch_node *count = alch_node_child(node), *offset = value_of(compiler, ALCH_NODE_OFFSET);
  bool ties = node->op & ALCH_FETCH_WITH_TIES;
  if (node->op & ALCH_FETCH_PERCENT) return unsupported(compiler, "FETCH PERCENT", "compare percent_rank() in a subquery");
  if (alch_mysql_has(compiler->dialect, ALCH_MYSQL_FETCH)) return render_fetch(compiler, count, offset, ties);
  if (ties) return unsupported(compiler, "FETCH WITH TIES", "compare rank() in a subquery");
  return render_limit(compiler, count, offset);
}

/* ---- locks ---- */

static void write_locked(alch_compiler *compiler, const alch_node *node) {
  const char *separator = " OF ";
  for ALCH_EACH_CHILD(child, node) {
    alch_write(compiler, separator);
    alch_render_source_name(compiler, child->a);
    separator = ", ";
  }
}

/* Where OF is not known all tables are locked, and where the key alone is not, the row is: more, and never less. */
alch_status alch_mysql_for_update(alch_compiler *compiler, const alch_node *node) {
  bool share = alch_mysql_has(compiler->dialect, ALCH_MYSQL_FOR_SHARE), waits = alch_mysql_has(compiler->dialect, ALCH_MYSQL_LOCK_WAITS);
  if (!waits && (node->op & (ALCH_FOR_UPDATE_NOWAIT | ALCH_FOR_UPDATE_SKIP_LOCKED))) return unsupported(compiler, "NOWAIT or SKIP LOCKED", "set innodb_lock_wait_timeout");
  if (node->op & ALCH_FOR_UPDATE_READ) alch_write(compiler, share ? " FOR SHARE" : " LOCK IN SHARE MODE");
  else alch_write(compiler, " FOR UPDATE");
  if (share) write_locked(compiler, node);
  if (node->op & ALCH_FOR_UPDATE_NOWAIT) alch_write(compiler, " NOWAIT");
  if (node->op & ALCH_FOR_UPDATE_SKIP_LOCKED) alch_write(compiler, " SKIP LOCKED");
  return compiler->status;
}

/* ---- INSERT on a key that is there already ---- */

/* With rows of VALUES the new row has a name, which must not be the table's; the rows of a SELECT can have none. */
static const char *row_alias(const alch_compiler *compiler, const alch_node *insert) {
  const alch_node *rows = alch_node_clause(insert, ALCH_NODE_ROWS), *first = rows ? alch_node_nth(rows, 0) : NULL;
  if (!alch_mysql_has(compiler->dialect, ALCH_MYSQL_ROW_ALIAS) || (first && alch_node_is_query(first))) return NULL;
  const alch_table *table = alch_catalog_table(compiler->catalog, insert->a);
  return table && strcasecmp(table->name, "new") == 0 ? "new_1" : "new";
}

static const alch_node *insert_around(const alch_compiler *compiler) {
  for (const alch_scope *scope = compiler->scope; scope; scope = scope->outer)
    if (scope->statement->kind == ALCH_NODE_INSERT) return scope->statement;
  return NULL;
}

static void write_new_value(alch_compiler *compiler, const alch_column *column, const char *alias) {
  alch_write(compiler, alias ? alias : "VALUES");
  alch_write_char(compiler, alias ? '.' : '(');
  alch_write_column_name(compiler, column);
  if (!alias) alch_write_char(compiler, ')');
}

alch_status alch_mysql_excluded(alch_compiler *compiler, const alch_node *node) {
  const alch_table *table = alch_catalog_table(compiler->catalog, node->a);
  const alch_node *insert = insert_around(compiler);
  if (!table || !insert || node->b >= table->column_count) return alch_render_default(compiler, node);
  write_new_value(compiler, table->columns[node->b], row_alias(compiler, insert));
  return compiler->status;
}

static void write_clause_start(alch_compiler *compiler) {
  const char *alias = row_alias(compiler, compiler->scope->statement);
  if (alias) {
    alch_write(compiler, " AS ");
    alch_write(compiler, alias);
  }
  alch_write(compiler, " ON DUPLICATE KEY UPDATE ");
}

static void write_assignment(alch_compiler *compiler, const alch_table *table, const alch_node *assign) {
  const alch_column *column = table->columns[assign->b];
  alch_write_column_name(compiler, column);
  alch_write(compiler, " = ");
  alch_render_value_for(compiler, alch_node_child(assign), column, -1);
}

static const alch_node *assignment_to(const alch_node *set, uint32_t index) {
  for ALCH_EACH_CHILD(assign, set)
    if (assign->b == index) return assign;
  return NULL;
}

static bool is_own(alch_compiler *compiler, const alch_table *table, const alch_node *set) {
  for ALCH_EACH_CHILD(assign, set)
    if (assign->a != table->id || assign->b >= table->column_count) {
      alch_compile_error(compiler, ALCH_ERROR_NO_SUCH_COLUMN, "ON DUPLICATE KEY UPDATE sets a column that is not one of '%s'", table->full_name);
      return false;
    }
  return true;
}

/* In the order of the table's columns, unless the statement insists on its own. */
static void write_set(alch_compiler *compiler, const alch_table *table, const alch_node *set) {
  uint32_t count = 0;
  if (!is_own(compiler, table, set)) return;
  if (set->op == 1) {
    for ALCH_EACH_CHILD(assign, set) {
      if (count++ > 0) alch_write(compiler, ", ");
      write_assignment(compiler, table, assign);
    }
    return;
  }
  for (uint32_t i = 0; i < table->column_count; i++) {
    const alch_node *assign = assignment_to(set, i);
    if (!assign) continue;
    if (count++ > 0) alch_write(compiler, ", ");
    write_assignment(compiler, table, assign);
  }
}

alch_status alch_mysql_on_duplicate_key(alch_compiler *compiler, const alch_node *node) {
  const alch_table *table = alch_target_table(compiler, compiler->scope->statement);
  const alch_node *set = alch_node_clause(node, ALCH_NODE_SET);
  if (!table) return compiler->status;
  if (!set || alch_node_child_count(set) == 0) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "ON DUPLICATE KEY UPDATE sets no column");
  write_clause_start(compiler);
  write_set(compiler, table, set);
  return compiler->status;
}

/* ---- la.upsert ---- */

/* Doing nothing is setting a column to what it is. */
static void write_no_change(alch_compiler *compiler, const alch_table *table) {
  const alch_column *column = table->primary_key->column_count > 0 ? table->primary_key->columns[0] : table->columns[0];
  alch_write_column_name(compiler, column);
  alch_write(compiler, " = ");
  alch_render_table_name(compiler, table);
  alch_write_char(compiler, '.');
  alch_write_column_name(compiler, column);
}

/* Whatever unique key the row meets, this one or another, the update is made: the database asks for no key. */
alch_status alch_mysql_on_conflict(alch_compiler *compiler, const alch_node *node) {
  if (!(node->op & ALCH_CONFLICT_PORTABLE)) return unsupported(compiler, "ON CONFLICT", "write la.upsert, or on_duplicate_key_update");
  if (alch_node_clause(node, ALCH_NODE_WHERE)) return unsupported(compiler, "a condition of an upsert", "set the columns to a case() expression");
  const alch_table *table = alch_target_table(compiler, compiler->scope->statement);
  if (!table) return compiler->status;
  write_clause_start(compiler);
  if (alch_upsert_updates(compiler, node)) return alch_render_upsert_set(compiler, node, "", " = ");
  write_no_change(compiler, table);
  return compiler->status;
}
