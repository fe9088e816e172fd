/* SELECT on SQL Server: TOP, OFFSET and FETCH, and row numbers where the server has neither of these two; ORDER BY, which stands in no subquery but with them. */
#include "sql/dialects/mssql.h"

#define NUMBER_NAME "mssql_rn"

/* ---- how many rows a query gives ---- */

/* How a SELECT or COMPOUND is cut. */
typedef struct paging {
  const alch_node *count, *offset;      /* NULL: all of them, from the first */
  uint8_t bits;                         /* ALCH_FETCH_ */
  bool top;                             /* TOP says it */
} paging;

static const alch_node *only_child(const alch_node *statement, alch_node_kind kind) {
  const alch_node *clause = alch_node_clause(statement, kind);
  return clause ? alch_node_nth(clause, 0) : NULL;
}

/* TOP is for a SELECT with a plain number, as SQLAlchemy has it. */
static paging paging_of(const alch_node *statement) {
  const alch_node *fetch = alch_node_clause(statement, ALCH_NODE_FETCH), *limit = only_child(statement, ALCH_NODE_LIMIT);
  paging page = { .count = only_child(statement, ALCH_NODE_FETCH), .offset = only_child(statement, ALCH_NODE_OFFSET) };
  bool fetches = page.count != NULL;
  page.bits = fetches ? fetch->op : 0;
  if (!fetches) page.count = limit;
  bool plain = page.count && page.count->kind == ALCH_NODE_BIND && page.count->length == 0;
  page.top = statement->kind == ALCH_NODE_SELECT && plain && !page.offset && (!fetches || page.bits != 0);
  return page;
}

static bool is_paged(const paging *page) { return page->count || page->offset; }

static bool has_order(const alch_node *statement) { return only_child(statement, ALCH_NODE_ORDER_BY) != NULL; }

static bool is_distinct(const alch_node *statement) { return alch_node_clause(statement, ALCH_NODE_DISTINCT) != NULL; }

static void check_paging(alch_compiler *compiler, const alch_node *statement, const paging *page) {
  const char *name = compiler->dialect->name, *fetch = page->bits & ALCH_FETCH_WITH_TIES ? "FETCH WITH TIES" : "FETCH PERCENT";
  if (page->bits != 0 && !page->top) alch_compile_error(compiler, ALCH_ERROR_COMPILE, "the dialect '%s' has %s only as TOP, with a plain number and without an offset", name, fetch);
  else if ((page->bits & ALCH_FETCH_WITH_TIES) && !has_order(statement)) alch_compile_error(compiler, ALCH_ERROR_COMPILE, "the dialect '%s' needs an order_by where a select has %s", name, fetch);
}

/* Where the server cannot skip rows, they are numbered. */
static bool is_numbered(const alch_compiler *compiler, const paging *page) { return is_paged(page) && !page->top && !alch_mssql_since(compiler->dialect, ALCH_MSSQL_2012); }

/* ---- the select list ---- */

static void render_top(alch_compiler *compiler, const paging *page) {
  alch_write(compiler, " TOP ");
  alch_render_bind_literal(compiler, page->count);
  if (page->bits & ALCH_FETCH_PERCENT) alch_write(compiler, " PERCENT");
  if (page->bits & ALCH_FETCH_WITH_TIES) alch_write(compiler, " WITH TIES");
}

static void render_number(alch_compiler *compiler, const alch_node *statement) {
  const alch_node *order = alch_node_clause(statement, ALCH_NODE_ORDER_BY);
  alch_write(compiler, ", ROW_NUMBER() OVER (ORDER BY ");
  if (has_order(statement)) alch_render_children(compiler, order, ", ");
  else alch_write(compiler, "(SELECT NULL)");
  alch_write(compiler, ") AS " NUMBER_NAME);
}

alch_status alch_mssql_columns(alch_compiler *compiler, const alch_node *node) {
  const alch_node *statement = compiler->scope->statement;
  const paging page = paging_of(statement);
  check_paging(compiler, statement, &page);
  if (page.top) render_top(compiler, &page);
  alch_default_columns(compiler, node);
  if (is_numbered(compiler, &page)) render_number(compiler, statement);
  return compiler->status;
}

/* ---- ORDER BY, with OFFSET and FETCH ---- */

/* The server skips no rows without an order. Any will do where none was asked for; but what is distinct, or comes of several selects, is ordered by its own columns only. */
static void render_order(alch_compiler *compiler, const alch_node *order) {
  const alch_node *statement = compiler->scope->statement;
  if (has_order(statement)) alch_default_order_by(compiler, order);
  else alch_write(compiler, statement->kind == ALCH_NODE_COMPOUND || is_distinct(statement) ? " ORDER BY 1" : " ORDER BY (SELECT NULL)");
}

/* In a subquery the server allows no order but for the rows that it is cut to. node: NULL where the statement says none. */
alch_status alch_mssql_order_by(alch_compiler *compiler, const alch_node *node) {
  const paging page = paging_of(compiler->scope->statement);
  bool cut = is_paged(&page) && !page.top;
  if (is_numbered(compiler, &page) || (!is_paged(&page) && !alch_is_whole(compiler->scope))) return compiler->status;
  if (cut) render_order(compiler, node);
  else if (node) alch_default_order_by(compiler, node);
  if (!cut) return compiler->status;
  alch_write(compiler, " OFFSET ");
  if (page.offset) alch_render(compiler, page.offset);
  else alch_write_char(compiler, '0');
  alch_write(compiler, " ROWS");
  if (!page.count) return compiler->status;
  alch_write(compiler, " FETCH FIRST ");
  alch_render(compiler, page.count);
  alch_write(compiler, " ROWS ONLY");
  return compiler->status;
}

/* ---- rows by their numbers ---- */

static void render_wanted_numbers(alch_compiler *compiler, const paging *page) {
  alch_write(compiler, " WHERE " NUMBER_NAME);
  if (page->offset) {
    alch_write(compiler, " > ");
    alch_render_operand(compiler, page->offset, ALCH_OPERATOR_GT);
  }
  if (!page->count) return;
  alch_write(compiler, page->offset ? " AND " NUMBER_NAME " <= " : " <= ");
  alch_render_operand(compiler, page->count, page->offset ? ALCH_OPERATOR_ADD : ALCH_OPERATOR_LE);
  if (!page->offset) return;
  alch_write(compiler, " + ");
  alch_render_operand(compiler, page->offset, ALCH_OPERATOR_ADD);
}

static void render_outer_list(alch_compiler *compiler, const alch_node *query, const char *alias, bool labels) {
  alch_output_plan *plan = alch_plan_of(compiler, query);
  alch_write(compiler, "SELECT ");
  for (uint32_t i = 0; plan && i < plan->count; i++) {
    const char *name = alch_output_name(compiler, &plan->outputs[i]);
    if (i > 0) alch_write(compiler, ", ");
    alch_write_identifier(compiler, alias);
    alch_write_char(compiler, '.');
    alch_write_identifier(compiler, name);
    if (!labels) continue;
    alch_write(compiler, " AS ");
    alch_write_identifier(compiler, name);
  }
  alch_write(compiler, " FROM (");
}

static bool gives_names(alch_role role) { return role == ALCH_ROLE_FROM || role == ALCH_ROLE_LATERAL; }

/* A select of a subquery that numbers the rows; the subquery sees what the select would. */
static alch_status render_numbered(alch_compiler *compiler, const alch_node *query, const paging *page) {
  alch_role role = compiler->role;
  bool nested = role == ALCH_ROLE_NESTED || role == ALCH_ROLE_LATERAL;
  const char *alias = alch_new_name(compiler, "anon", 4), *inner = query->kind == ALCH_NODE_COMPOUND ? alch_new_name(compiler, "anon", 4) : NULL;
  if (is_distinct(query))
    return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "an offset of a distinct select is not supported by the dialect '%s' before SQL Server 2012; make the distinct select a subquery",
                              compiler->dialect->name);
  if (compiler->insert && compiler->insert->default_count > 0)
    return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "an INSERT from a select with an offset cannot give column '%s' its default; name it, or make the select a subquery", compiler->insert->defaults[0]->name);
  render_outer_list(compiler, query, alias, gives_names(role));
  compiler->role = nested ? ALCH_ROLE_LATERAL : ALCH_ROLE_FROM;
  if (inner) {
    alch_write(compiler, "SELECT *");
    render_number(compiler, query);
    alch_write(compiler, " FROM (");
  }
  alch_render_default(compiler, query);
  if (inner) {
    alch_write(compiler, ") AS ");
    alch_write_identifier(compiler, inner);
  }
  alch_write(compiler, ") AS ");
  alch_write_identifier(compiler, alias);
  render_wanted_numbers(compiler, page);
  const alch_node *hints = alch_node_clause(query, ALCH_NODE_HINTS);
  return hints ? alch_render_words_clause(compiler, hints) : compiler->status;
}

/* OPTION stands at the very end. */
alch_status alch_mssql_hints(alch_compiler *compiler, const alch_node *node) {
  const paging page = paging_of(compiler->scope->statement);
  return is_numbered(compiler, &page) ? compiler->status : alch_default_hints(compiler, node);
}

static alch_status render_query(alch_compiler *compiler, const alch_node *query) {
  const paging page = paging_of(query);
  if (!is_numbered(compiler, &page)) return alch_render_default(compiler, query);
  check_paging(compiler, query, &page);
  return render_numbered(compiler, query, &page);
}

alch_status alch_mssql_select(alch_compiler *compiler, const alch_node *node) { return render_query(compiler, node); }

/* ---- compound selects ---- */

alch_status alch_mssql_compound(alch_compiler *compiler, const alch_node *node) { return render_query(compiler, node); }

/* In parentheses alone a member may not be ordered, so one that is cut becomes a subquery of a select of its own. */
static void render_member(alch_compiler *compiler, const alch_node *member, alch_role role) {
  const paging page = paging_of(member);
  bool apart = member->kind == ALCH_NODE_COMPOUND || has_order(member), cut = is_paged(&page);
  compiler->role = cut ? ALCH_ROLE_FROM : role;
  alch_write(compiler, cut ? "SELECT * FROM (" : apart ? "(" : "");
  alch_render(compiler, member);
  if (cut || apart) alch_write_char(compiler, ')');
  if (!cut) return;
  alch_write(compiler, " AS ");
  alch_write_identifier(compiler, alch_new_name(compiler, "anon", 4));
}

alch_status alch_mssql_members(alch_compiler *compiler, const alch_node *node) {
  const alch_scope *scope = compiler->scope;
  const paging page = paging_of(scope->statement);
  const char *separator = "";
  check_paging(compiler, scope->statement, &page);
  for ALCH_EACH_CHILD(member, node) {
    if (*separator) alch_write(compiler, separator);
    render_member(compiler, member, scope->role);
    if (alch_node_next(member) < member_end) separator = alch_compound_word(compiler, scope->statement->op);
  }
  return compiler->status;
}
