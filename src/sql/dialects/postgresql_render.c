/* Expressions and clauses that PostgreSQL spells in its own way (SQLAlchemy: PGCompiler in dialects/postgresql/base.py). */
#include "sql/compiler.h"
#include "sql/dialects/postgresql.h"
#include <string.h>

/* ---- operators ---- */

static alch_status render_match(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_child(node);
  if (node->op == ALCH_OPERATOR_NOT_MATCH) alch_write(compiler, "NOT ");
  alch_render_operand(compiler, left, node->op);
  alch_write(compiler, " @@ plainto_tsquery(");
  alch_render(compiler, alch_node_next(left));
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* The path is an array of text, whatever is in it. */
static void render_delete_path(alch_compiler *compiler, const alch_node *node) {
  const alch_node *subject = alch_node_child(node), *path = alch_node_next(subject);
  bool outer = compiler->in_operator, cast = path->kind == ALCH_NODE_ARRAY;
  compiler->in_operator = true;
  alch_render_operand(compiler, subject, node->op);
  alch_write(compiler, cast ? " #- CAST(" : " #- ");
  alch_render_operand(compiler, path, node->op);
  if (cast) alch_write(compiler, " AS TEXT[])");
  compiler->in_operator = outer;
}

/* ---- ARRAY[…] beside an array of another kind: no operator takes text[] with varchar[] ---- */

/* The array type that the ARRAY[…] on one side has to be cast to; NULL: none. */
static const alch_type *array_cast(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_child(node), *right = alch_node_next(left);
  if ((left->kind == ALCH_NODE_ARRAY) == (right->kind == ALCH_NODE_ARRAY)) return NULL;
  const alch_type *type = alch_catalog_type(compiler->catalog, alch_type_of(compiler, left->kind == ALCH_NODE_ARRAY ? right : left));
  return alch_postgresql_is_cast_array(type) ? type : NULL;
}

static void render_array_side(alch_compiler *compiler, const alch_node *side, uint8_t op, const alch_type *type) {
  alch_render_operand(compiler, side, op);
  if (side->kind != ALCH_NODE_ARRAY || alch_node_child_count(side) == 0 || compiler->status != ALCH_OK) return;
  compiler->status = alch_postgresql_cast(compiler->dialect, type, compiler->out, compiler->error);
}

static alch_status render_infix(alch_compiler *compiler, const alch_node *node) {
  const alch_type *type = array_cast(compiler, node);
  bool outer = compiler->in_operator;
  if (!type) return alch_render_default(compiler, node);
  compiler->in_operator = true;
  render_array_side(compiler, alch_node_child(node), node->op, type);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  render_array_side(compiler, alch_node_next(alch_node_child(node)), node->op, type);
  compiler->in_operator = outer;
  return compiler->status;
}

/* Operators of JSON and its kin stand in parentheses beside any other operator, as SQLAlchemy has them: their precedence is nobody's second nature. */
static alch_status render_grouped(alch_compiler *compiler, const alch_node *node) {
  bool parentheses = compiler->in_operator;
  if (parentheses) alch_write_char(compiler, '(');
  if (node->op == ALCH_OPERATOR_DELETE_PATH) render_delete_path(compiler, node);
  else render_infix(compiler, node);
  if (parentheses) alch_write_char(compiler, ')');
  return compiler->status;
}

/* ---- icontains and its kin: lower() on both sides of LIKE is what ILIKE is for ---- */

static const alch_node *lowered(const alch_node *node) {
  return node->kind == ALCH_NODE_FUNCTION && alch_is_called(node, "lower") && alch_node_child_count(node) == 1 ? alch_node_child(node) : NULL;
}

/* Has '%' || lower(x) || '%' nothing else in it? */
static bool is_lowered_pattern(const alch_node *node) {
  if (node->kind != ALCH_NODE_BINARY || node->op != ALCH_OPERATOR_CONCAT) return node->kind == ALCH_NODE_LITERAL || lowered(node);
  const alch_node *left = alch_node_child(node);
  return is_lowered_pattern(left) && is_lowered_pattern(alch_node_next(left));
}

static void render_pattern(alch_compiler *compiler, const alch_node *node) {
  if (node->kind != ALCH_NODE_BINARY || node->op != ALCH_OPERATOR_CONCAT) {
    const alch_node *value = lowered(node);
    alch_render_operand(compiler, value ? value : node, ALCH_OPERATOR_CONCAT);
    return;
  }
  render_pattern(compiler, alch_node_child(node));
  alch_write(compiler, " || ");
  render_pattern(compiler, alch_node_next(alch_node_child(node)));
}

static alch_status render_like(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_child(node), *right = alch_node_next(left);
  char escape = (char)(node->a & 0xff);
  if (!(node->a & ALCH_LIKE_PATTERN) || !lowered(left) || !is_lowered_pattern(right)) return alch_render_default(compiler, node);
  alch_render_operand(compiler, lowered(left), ALCH_OPERATOR_ILIKE);
  alch_write(compiler, alch_operator_spelling(compiler, node->op == ALCH_OPERATOR_LIKE ? ALCH_OPERATOR_ILIKE : ALCH_OPERATOR_NOT_ILIKE));
  render_pattern(compiler, right);
  if (!escape) return compiler->status;
  alch_write(compiler, " ESCAPE ");
  alch_write_quoted(compiler, &escape, 1);
  return compiler->status;
}

static alch_status render_binary(alch_compiler *compiler, const alch_node *node) {
  switch (node->op) {
    case ALCH_OPERATOR_LIKE: case ALCH_OPERATOR_NOT_LIKE: return render_like(compiler, node);
    case ALCH_OPERATOR_MATCH: case ALCH_OPERATOR_NOT_MATCH: return render_match(compiler, node);
    case ALCH_OPERATOR_CONTAINS: case ALCH_OPERATOR_CONTAINED_BY: case ALCH_OPERATOR_HAS_KEY: case ALCH_OPERATOR_HAS_ALL: case ALCH_OPERATOR_HAS_ANY: case ALCH_OPERATOR_PATH_EXISTS:
    case ALCH_OPERATOR_PATH_MATCH: case ALCH_OPERATOR_DELETE_PATH:
      return render_grouped(compiler, node);
    case ALCH_OPERATOR_EQ: case ALCH_OPERATOR_NE: case ALCH_OPERATOR_LT: case ALCH_OPERATOR_LE: case ALCH_OPERATOR_GT: case ALCH_OPERATOR_GE: case ALCH_OPERATOR_OVERLAP: case ALCH_OPERATOR_CONCAT:
      return render_infix(compiler, node);
    default: return alch_render_default(compiler, node);
  }
}

/* NOT does not turn these into others; SQLAlchemy has them in parentheses behind it. */
static bool is_stubborn(const alch_node *node) { return node->kind == ALCH_NODE_BINARY && node->op >= ALCH_OPERATOR_CONTAINS && node->op <= ALCH_OPERATOR_ADJACENT_TO; }

static alch_status render_unary(alch_compiler *compiler, const alch_node *node) {
  bool outer = compiler->in_operator;
  if (node->op != ALCH_OPERATOR_NOT || !is_stubborn(alch_node_child(node))) return alch_render_default(compiler, node);
  compiler->in_operator = false;
  alch_write(compiler, "NOT (");
  alch_render(compiler, alch_node_child(node));
  alch_write_char(compiler, ')');
  compiler->in_operator = outer;
  return compiler->status;
}

/* ---- parts of JSON, HSTORE and arrays ---- */

/* The server takes a subscript behind a column, a parameter, another subscript, or parentheses. */
static void render_subscripted(alch_compiler *compiler, const alch_node *node) {
  bool bare = node->kind == ALCH_NODE_COLUMN || node->kind == ALCH_NODE_NAME || node->kind == ALCH_NODE_SCALAR || node->kind == ALCH_NODE_GROUPING ||
              (node->kind == ALCH_NODE_SUBSCRIPT && node->op != ALCH_OPERATOR_JSON_PATH);
  if (!bare) alch_write_char(compiler, '(');
  alch_render(compiler, node);
  if (!bare) alch_write_char(compiler, ')');
}

static alch_status render_brackets(alch_compiler *compiler, const alch_node *node) {
  const alch_node *subject = alch_node_child(node), *index = alch_node_next(subject), *last = alch_node_nth(node, 2);
  render_subscripted(compiler, subject);
  alch_write_char(compiler, '[');
  alch_render(compiler, index);
  if (last) {
    alch_write_char(compiler, ':');
    alch_render(compiler, last);
  }
  alch_write_char(compiler, ']');
  return compiler->status;
}

static alch_status render_arrow(alch_compiler *compiler, const alch_node *node, const char *arrow) {
  const alch_node *subject = alch_node_child(node);
  bool outer = compiler->in_operator, mixed = subject->kind == ALCH_NODE_SUBSCRIPT && subject->op != node->op;
  if (outer) alch_write_char(compiler, '(');
  compiler->in_operator = true;
  if (mixed) alch_write_char(compiler, '(');
  alch_render_operand(compiler, subject, ALCH_OPERATOR_JSON_INDEX);
  if (mixed) alch_write_char(compiler, ')');
  alch_write(compiler, arrow);
  const alch_node *index = alch_node_next(subject);
  if (index->kind == ALCH_NODE_BIND) alch_render(compiler, index);
  else alch_render_operand(compiler, index, ALCH_OPERATOR_JSON_INDEX);
  compiler->in_operator = outer;
  if (outer) alch_write_char(compiler, ')');
  return compiler->status;
}

/* A part that is wanted as a number or text comes out as text, and is cast. */
static alch_status render_json(alch_compiler *compiler, const alch_node *node) {
  bool path = node->op == ALCH_OPERATOR_JSON_PATH;
  const alch_type *type = alch_catalog_type(compiler->catalog, node->b);
  if (type->family == ALCH_TYPE_JSON || node->b == 0) {
    if (!path && alch_postgresql_takes_subscripts(compiler->dialect, alch_catalog_type(compiler->catalog, alch_type_of(compiler, alch_node_child(node))))) return render_brackets(compiler, node);
    return render_arrow(compiler, node, path ? " #> " : " -> ");
  }
  alch_write(compiler, "CAST(");
  render_arrow(compiler, node, path ? " #>> " : " ->> ");
  alch_write(compiler, " AS ");
  alch_write_type(compiler, node->b);
  alch_write_char(compiler, ')');
  return compiler->status;
}

static alch_status render_subscript(alch_compiler *compiler, const alch_node *node) {
  const alch_type *type = alch_catalog_type(compiler->catalog, alch_type_of(compiler, alch_node_child(node)));
  if (node->op == ALCH_OPERATOR_ARRAY_INDEX || node->op == ALCH_OPERATOR_ARRAY_SLICE) return render_brackets(compiler, node);
  if (type->family != ALCH_TYPE_HSTORE) return render_json(compiler, node);
  return alch_postgresql_takes_subscripts(compiler->dialect, type) ? render_brackets(compiler, node) : render_arrow(compiler, node, " -> ");
}

/* Without items the server cannot tell what the array is of. */
static alch_status render_array(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, "ARRAY[");
  alch_render_children(compiler, node, ", ");
  alch_write_char(compiler, ']');
  if (alch_node_child_count(node) > 0 || node->b == 0) return compiler->status;
  alch_write(compiler, "::");
  return alch_write_type(compiler, node->b);
}

/* ---- regular expressions: ~ knows no flags but *, the others stand in the pattern ---- */

static void write_flags(alch_compiler *compiler, const alch_node *node) { alch_write_quoted(compiler, alch_node_text(node), node->length); }

static alch_status render_regexp_replace(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, "REGEXP_REPLACE(");
  alch_render_children(compiler, node, ", ");
  if (node->length > 0) {
    alch_write(compiler, ", ");
    write_flags(compiler, node);
  }
  alch_write_char(compiler, ')');
  return compiler->status;
}

static alch_status render_regexp(alch_compiler *compiler, const alch_node *node) {
  const alch_node *subject = alch_node_child(node), *pattern = alch_node_next(subject);
  bool negative = node->op == ALCH_OPERATOR_NOT_REGEXP, insensitive = node->length == 1 && *alch_node_text(node) == 'i', flags = node->length > 0 && !insensitive;
  if (node->op == ALCH_OPERATOR_REGEXP_REPLACE) return render_regexp_replace(compiler, node);
  alch_render_operand(compiler, subject, node->op);
  alch_write(compiler, negative ? " !~" : " ~");
  alch_write(compiler, insensitive ? "* " : " ");
  if (!flags) return alch_render_operand(compiler, pattern, node->op);
  alch_write(compiler, "CONCAT('(?', ");
  write_flags(compiler, node);
  alch_write(compiler, ", ')', ");
  alch_render(compiler, pattern);
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* ---- functions ---- */

static alch_status render_substring(alch_compiler *compiler, const alch_node *node) {
  const char *before = "SUBSTRING(", *separators[] = { " FROM ", " FOR ", "" };
  size_t place = 0;
  for ALCH_EACH_CHILD(argument, node) {
    alch_write(compiler, before);
    alch_render(compiler, argument);
    before = separators[place++];
  }
  alch_write_char(compiler, ')');
  return compiler->status;
}

static alch_status render_function(alch_compiler *compiler, const alch_node *node) {
  uint32_t count = alch_node_child_count(node);
  if (alch_is_called(node, "substring") && (count == 2 || count == 3)) return render_substring(compiler, node);
  return alch_render_default(compiler, node);
}

/* The server wants the sequence's name as text, with the quotes that it needs inside. */
static alch_status render_next_value(alch_compiler *compiler, const alch_node *node) {
  const alch_sequence *sequence = alch_catalog_sequence(compiler->catalog, node->a);
  if (!sequence) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "there is no sequence number %u", (unsigned)node->a);
  alch_buffer name;
  alch_buffer_init(&name, compiler->scratch.allocator);
  if (sequence->schema) alch_quote_schema(compiler->dialect, sequence->schema, &name);
  if (sequence->schema) alch_buffer_add_char(&name, '.');
  alch_quote_identifier(compiler->dialect, sequence->name, sequence->quote, &name);
  alch_write(compiler, "nextval(");
  alch_write_quoted(compiler, alch_buffer_text(&name), name.length);
  alch_write_char(compiler, ')');
  if (alch_buffer_failed(&name)) alch_no_memory(compiler);
  alch_buffer_close(&name);
  return compiler->status;
}

/* ---- LIMIT, OFFSET, FETCH ---- */

static bool has_items(const alch_node *clause) { return clause && alch_node_child_count(clause) > 0; }

static alch_status render_offset(alch_compiler *compiler, const alch_node *node) {
  const alch_node *statement = compiler->scope->statement;
  bool fetch = has_items(alch_node_clause(statement, ALCH_NODE_FETCH));
  if (!has_items(node)) return compiler->status;
  if (!fetch && !has_items(alch_node_clause(statement, ALCH_NODE_LIMIT))) alch_write(compiler, " LIMIT ALL");
  alch_write(compiler, fetch ? " OFFSET (" : " OFFSET ");
  alch_render(compiler, alch_node_child(node));
  if (fetch) alch_write(compiler, ") ROWS");
  return compiler->status;
}

static alch_status render_fetch(alch_compiler *compiler, const alch_node *node) {
  if (!has_items(node)) return compiler->status;
  if (node->op & ALCH_FETCH_PERCENT)
    return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "FETCH with percent is not supported by the dialect 'postgresql'; compare percent_rank() OVER with the share");
  if ((node->op & ALCH_FETCH_WITH_TIES) && !alch_postgresql_since(compiler->dialect, 13))
    return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "FETCH WITH TIES needs PostgreSQL 13 or later; compare rank() OVER with the number");
  alch_write(compiler, " FETCH FIRST (");
  alch_render(compiler, alch_node_child(node));
  alch_write(compiler, node->op & ALCH_FETCH_WITH_TIES ? ") ROWS WITH TIES" : ") ROWS ONLY");
  return compiler->status;
}

/* ---- writes, and the one hint there is ---- */

/* ONLY: the table without those that inherit from it. */
alch_status alch_postgresql_source_hint(alch_compiler *compiler, const alch_node *words, bool before) {
  if (!before) return compiler->status;
  if (!alch_is_called(words, "only")) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "Unrecognized hint: '%.*s'; the dialect 'postgresql' knows ONLY", (int)words->length, alch_node_text(words));
  alch_write(compiler, "ONLY ");
  return compiler->status;
}

static alch_status render_on_duplicate_key(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "ON DUPLICATE KEY is not supported by the dialect 'postgresql'; write la.upsert(table), or on_conflict_do_update");
}

const struct alch_renderer_override alch_postgresql_renderers[] = {
  { ALCH_NODE_BINARY, render_binary }, { ALCH_NODE_UNARY, render_unary }, { ALCH_NODE_REGEXP, render_regexp },       { ALCH_NODE_FUNCTION, render_function },
  { ALCH_NODE_ARRAY, render_array },   { ALCH_NODE_SUBSCRIPT, render_subscript }, { ALCH_NODE_NEXT_VALUE, render_next_value },
  { ALCH_NODE_OFFSET, render_offset }, { ALCH_NODE_FETCH, render_fetch },   { ALCH_NODE_ON_DUPLICATE_KEY, render_on_duplicate_key },
  { 0, NULL },
};
