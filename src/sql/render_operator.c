#include "sql/compiler.h"
#include <string.h>
#include <strings.h>

/* Operators, and the one place that decides on parentheses. */

/* Binds tighter than any operator. */
#define ATOM 255

/* ---- parentheses ---- */

/* A literal or text is taken as written; one whose AND or OR stands open would change its meaning inside another operator. */
static bool has_open_junction(const alch_node *node) {
  const char *text = alch_node_text(node), *end = text + node->length;
  int depth = 0;
  for (const char *at = text; at < end; at++) {
    const char *close = *at == '\'' || *at == '"' ? memchr(at + 1, *at, (size_t)(end - at - 1)) : NULL;
    if (close) at = close;
    depth += (*at == '(') - (*at == ')');
    bool begins = depth == 0 && at > text && at[-1] == ' ';
    if (begins && end - at > 3 && strncasecmp(at, "or ", 3) == 0) return true;
    if (begins && end - at > 4 && strncasecmp(at, "and ", 4) == 0) return true;
  }
  return false;
}

static bool is_negative_literal(const alch_compiler *compiler, const alch_node *node) {
  return node->kind == ALCH_NODE_BIND && (compiler->literal_binds || (node->op & ALCH_BIND_LITERAL));
}

static uint8_t operator_of(const alch_node *node) {
  switch (node->kind) {
    case ALCH_NODE_UNARY: case ALCH_NODE_BINARY: case ALCH_NODE_BETWEEN: case ALCH_NODE_LIST: case ALCH_NODE_REGEXP: return node->op;
    default: return ALCH_OPERATOR_NONE;
  }
}

/* EXISTS, and the LIKE of contains and its kin, are in parentheses beside any operator, NOT IN brings its own: SQLAlchemy's text has it so. */
static uint8_t precedence_of(const alch_compiler *compiler, const alch_node *node) {
  switch (node->kind) {
    case ALCH_NODE_BINARY:
      if (node->op == ALCH_OPERATOR_NOT_IN) return ATOM;
      return node->a & ALCH_LIKE_PATTERN ? 0 : alch_operator_rows[node->op].precedence;
    case ALCH_NODE_UNARY: case ALCH_NODE_BETWEEN: case ALCH_NODE_LIST: case ALCH_NODE_REGEXP: return alch_operator_rows[node->op].precedence;
    case ALCH_NODE_CUSTOM: return (uint8_t)node->a;
    case ALCH_NODE_COLLATE: return 4;
    case ALCH_NODE_EXISTS: return 0;
    case ALCH_NODE_TEXT: case ALCH_NODE_LITERAL: return has_open_junction(node) ? 0 : ATOM;
    case ALCH_NODE_LABEL: case ALCH_NODE_TYPE_COERCE: return precedence_of(compiler, alch_node_child(node));
    case ALCH_NODE_BIND: return is_negative_literal(compiler, node) ? alch_operator_rows[ALCH_OPERATOR_NEGATE].precedence : ATOM;
    default: return ATOM;
  }
}

bool alch_is_operation(const alch_node *node) {
  switch (node->kind) {
    case ALCH_NODE_REGEXP: return true;
    case ALCH_NODE_UNARY: case ALCH_NODE_BINARY: case ALCH_NODE_BETWEEN: case ALCH_NODE_CUSTOM: case ALCH_NODE_COLLATE: case ALCH_NODE_EXISTS: return node->op != ALCH_OPERATOR_NOT_IN || node->kind != ALCH_NODE_BINARY;
    case ALCH_NODE_LIST: return alch_node_child_count(node) > 1;
    default: return false;
  }
}

static bool is_arithmetic(uint8_t op) { return op >= ALCH_OPERATOR_ADD && op <= ALCH_OPERATOR_MODULO; }

/* || and the bitwise operators stand above arithmetic in one database and below it in another. */
static bool is_ambiguous(uint8_t parent, uint8_t child) {
  bool bitwise = child > ALCH_OPERATOR_CONCAT && child <= ALCH_OPERATOR_SHIFT_RIGHT && child != ALCH_OPERATOR_BITWISE_NOT;
  return parent >= ALCH_OPERATOR_CONCAT && parent <= ALCH_OPERATOR_SHIFT_RIGHT && parent != ALCH_OPERATOR_BITWISE_NOT && (is_arithmetic(child) || (parent == ALCH_OPERATOR_CONCAT && bitwise));
}

static const alch_node *bare(const alch_node *node) {
  while (node->kind == ALCH_NODE_LABEL || node->kind == ALCH_NODE_TYPE_COERCE) node = alch_node_child(node);
  return node;
}

static bool needs_parentheses(const alch_compiler *compiler, const alch_node *node, alch_operator parent) {
  uint8_t outer = alch_operator_rows[parent].precedence, inner = precedence_of(compiler, node), op = operator_of(bare(node));
  if (outer == 0 || inner == ATOM) return false;
  if (inner != outer) return inner < outer || is_ambiguous(parent, op);
  return op != parent || alch_operator_rows[parent].associativity != ALCH_ASSOCIATIVE_BOTH;
}

static alch_status render_enclosed(alch_compiler *compiler, const alch_node *node, bool parentheses) {
  if (parentheses) alch_write_char(compiler, '(');
  alch_render(compiler, node);
  if (parentheses) alch_write_char(compiler, ')');
  return compiler->status;
}

alch_status alch_render_operand(alch_compiler *compiler, const alch_node *node, alch_operator parent) {
  return render_enclosed(compiler, node, needs_parentheses(compiler, node, parent));
}

/* ---- conditions ---- */

bool alch_is_boolean_value(const alch_compiler *compiler, const alch_node *node) {
  switch (node->kind) {
    case ALCH_NODE_COLUMN: case ALCH_NODE_BIND: case ALCH_NODE_FUNCTION: case ALCH_NODE_CASE: case ALCH_NODE_CAST: case ALCH_NODE_SUBSCRIPT: case ALCH_NODE_SCALAR: case ALCH_NODE_EXCLUDED: case ALCH_NODE_OVER: case ALCH_NODE_FILTER:
      return alch_family_of(compiler, node) == ALCH_TYPE_BOOLEAN;
    default: return false;
  }
}

/* A value as a condition, where the dialect knows none: x = 1. */
static alch_status compare_boolean(alch_compiler *compiler, const alch_node *node, bool truth) {
  alch_render_operand(compiler, node, ALCH_OPERATOR_EQ);
  alch_write(compiler, truth ? " = 1" : " = 0");
  return compiler->status;
}

bool alch_is_condition(const alch_compiler *compiler, const alch_node *node) {
  node = bare(node);
  switch (node->kind) {
    case ALCH_NODE_BINARY: case ALCH_NODE_UNARY: case ALCH_NODE_LIST: case ALCH_NODE_REGEXP: return alch_operator_rows[node->op].result == ALCH_RESULT_BOOLEAN;
    case ALCH_NODE_BETWEEN: case ALCH_NODE_EXISTS: return true;
    case ALCH_NODE_CUSTOM: return alch_family_of(compiler, node) == ALCH_TYPE_BOOLEAN;
    case ALCH_NODE_GROUPING: return alch_is_condition(compiler, alch_node_child(node));
    default: return false;
  }
}

static bool is_never_null(const alch_node *node) {
  node = bare(node);
  if (node->kind != ALCH_NODE_BINARY) return node->kind == ALCH_NODE_EXISTS;
  return node->op == ALCH_OPERATOR_IS || node->op == ALCH_OPERATOR_IS_NOT || node->op == ALCH_OPERATOR_IS_DISTINCT || node->op == ALCH_OPERATOR_IS_NOT_DISTINCT;
}

alch_status alch_render_truth(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, "CASE WHEN (");
  alch_render_condition(compiler, node, ALCH_OPERATOR_NONE);
  if (is_never_null(node)) {
    alch_write(compiler, ") THEN 1 ELSE 0 END");
    return compiler->status;
  }
  alch_write(compiler, ") THEN 1 WHEN NOT (");
  alch_render_condition(compiler, node, ALCH_OPERATOR_NONE);
  alch_write(compiler, ") THEN 0 END");
  return compiler->status;
}

alch_status alch_render_condition(alch_compiler *compiler, const alch_node *node, alch_operator parent) {
  node = bare(node);
  compiler->condition = alch_is_condition(compiler, node);
  if (alch_can(compiler, ALCH_CAPABILITY_NATIVE_BOOLEAN)) return alch_render_operand(compiler, node, parent);
  if (alch_is_boolean_value(compiler, node)) return compare_boolean(compiler, node, true);
  if (node->kind != ALCH_NODE_TRUE && node->kind != ALCH_NODE_FALSE) return alch_render_operand(compiler, node, parent);
  alch_render(compiler, node);
  alch_write(compiler, " = 1");
  return compiler->status;
}

alch_status alch_render_lone_truth(alch_compiler *compiler, const alch_node *node) {
  bool constant = node->kind == ALCH_NODE_TRUE || node->kind == ALCH_NODE_FALSE;
  if (alch_can(compiler, ALCH_CAPABILITY_CONDITION_VALUES) && (constant || alch_is_boolean_value(compiler, bare(node)))) return alch_render(compiler, node);
  return alch_render_condition(compiler, node, ALCH_OPERATOR_NONE);
}

/* Of several conditions the true ones vanish, and a false one is all that remains. Whatever begins and ends with a LIKE that contains() made stands in parentheses. */
static alch_status render_lone_condition(alch_compiler *compiler, const alch_node *node) {
  bool pattern = node->kind == ALCH_NODE_BINARY && (node->a & ALCH_LIKE_PATTERN);
  if (pattern) alch_write_char(compiler, '(');
  alch_render_condition(compiler, node, ALCH_OPERATOR_NONE);
  if (pattern) alch_write_char(compiler, ')');
  return compiler->status;
}

alch_status alch_render_conditions(alch_compiler *compiler, const alch_node *node) {
  uint32_t count = 0;
  const char *separator = "";
  const alch_node *last = NULL;
  for ALCH_EACH_CHILD(child, node) {
    if (child->kind == ALCH_NODE_FALSE) return render_lone_condition(compiler, child);
    if (child->kind != ALCH_NODE_TRUE) count++;
    if (!last || child->kind != ALCH_NODE_TRUE) last = child;
  }
  if (count <= 1) return last ? render_lone_condition(compiler, last) : compiler->status;
  for ALCH_EACH_CHILD(child, node) {
    if (child->kind == ALCH_NODE_TRUE) continue;
    alch_write(compiler, separator);
    alch_render_condition(compiler, child, ALCH_OPERATOR_AND);
    separator = alch_operator_spelling(compiler, ALCH_OPERATOR_AND);
  }
  return compiler->status;
}

/* ---- what unnamed binds are called ---- */

typedef struct hint { const char *text; uint32_t length; bool whole; } hint;

static hint take_hint(const alch_compiler *compiler) { return (hint){ compiler->hint, compiler->hint_length, compiler->hint_whole }; }

static void set_hint(alch_compiler *compiler, hint to) {
  compiler->hint = to.text;
  compiler->hint_length = to.length;
  compiler->hint_whole = to.whole;
}

/* After the column or function on the other side: name_1, lower_1. */
static hint hint_from(alch_compiler *compiler, const alch_node *node) {
  alch_output output;
  if (compiler->dialect->placeholder != ALCH_PLACEHOLDER_COLON) return (hint){ 0 };
  if (node->kind == ALCH_NODE_UNARY && (node->op == ALCH_OPERATOR_ANY || node->op == ALCH_OPERATOR_ALL)) return hint_from(compiler, alch_node_child(node));
  if (node->kind == ALCH_NODE_FUNCTION) {
    hint function = { 0 };
    function.text = alch_last_name(node, &function.length);
    return function;
  }
  if (node->kind != ALCH_NODE_COLUMN || !alch_source_output(compiler->catalog, compiler->block, node->a, node->b, &output)) return (hint){ 0 };
  if (output.column) return (hint){ output.column->key, (uint32_t)strlen(output.column->key), false };
  return (hint){ output.name, output.name_length, false };
}

/* ---- binary operators ---- */

static const alch_node *second(const alch_node *node) { return alch_node_next(alch_node_child(node)); }

static void write_escape(alch_compiler *compiler, uint32_t bits) {
  char escape = (char)(bits & 0xff);
  if (!escape) return;
  alch_write(compiler, " ESCAPE ");
  alch_write_quoted(compiler, &escape, 1);
}

static void render_infix(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_child(node), *right = alch_node_next(left);
  alch_render_operand(compiler, left, node->op);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  if (node->a & ALCH_LIKE_PATTERN) alch_render(compiler, right);
  else alch_render_operand(compiler, right, node->op);
  write_escape(compiler, node->a);
}

/* NOT before the whole of it. */
static void render_not_match(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_child(node);
  alch_write(compiler, alch_operator_spelling(compiler, ALCH_OPERATOR_NOT));
  alch_render_operand(compiler, left, ALCH_OPERATOR_MATCH);
  alch_write(compiler, alch_operator_spelling(compiler, ALCH_OPERATOR_MATCH));
  alch_render_operand(compiler, alch_node_next(left), ALCH_OPERATOR_MATCH);
}

static void render_lower(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, "lower(");
  alch_render(compiler, node);
  alch_write_char(compiler, ')');
}

static void render_ilike(alch_compiler *compiler, const alch_node *node) {
  if (alch_can(compiler, ALCH_CAPABILITY_ILIKE)) {
    render_infix(compiler, node);
    return;
  }
  render_lower(compiler, alch_node_child(node));
  alch_write(compiler, alch_operator_spelling(compiler, node->op == ALCH_OPERATOR_ILIKE ? ALCH_OPERATOR_LIKE : ALCH_OPERATOR_NOT_LIKE));
  render_lower(compiler, second(node));
  write_escape(compiler, node->a);
}

/* ---- IN ---- */

static uint16_t tuple_width(const alch_node *node) { return node->kind == ALCH_NODE_TUPLE ? (uint16_t)alch_node_child_count(node) : 0; }

static void render_set_items(alch_compiler *compiler, uint16_t width, const alch_node *set) {
  if (set->kind != ALCH_NODE_LIST && set->kind != ALCH_NODE_TUPLE) {
    compiler->set_width = width;
    alch_render(compiler, set);
    compiler->set_width = 0;
    return;
  }
  bool empty = alch_node_child_count(set) == 0;
  if (empty) alch_empty_set_write(compiler->dialect, compiler->set, width, compiler->out);
  else if (alch_node_child(set)->kind == ALCH_NODE_TUPLE && alch_can(compiler, ALCH_CAPABILITY_TUPLE_VALUES)) alch_write(compiler, "VALUES ");
  alch_render_children(compiler, set, ", ");
}

static void render_set(alch_compiler *compiler, const alch_node *left, const alch_node *set, bool negative) {
  if (set->kind == ALCH_NODE_SCALAR) set = alch_node_child(set);
  if (alch_node_is_query(set)) {
    alch_render_subquery(compiler, set, ALCH_ROLE_NESTED);
    return;
  }
  alch_write_char(compiler, '(');
  compiler->set = negative ? ALCH_SET_NOT_IN : ALCH_SET_IN;
  render_set_items(compiler, tuple_width(left), set);
  compiler->set = ALCH_SET_PLAIN;
  alch_write_char(compiler, ')');
}

static void render_in(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_child(node);
  bool negative = node->op == ALCH_OPERATOR_NOT_IN;
  if (negative) alch_write_char(compiler, '(');
  alch_render_operand(compiler, left, node->op);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  render_set(compiler, left, second(node), negative);
  if (negative) alch_write_char(compiler, ')');
}

/* ---- division: / means true division, whatever the database makes of two integers ---- */

static bool is_integral(const alch_compiler *compiler, const alch_node *node) {
  uint8_t family = alch_family_of(compiler, node);
  return family == ALCH_TYPE_INTEGER || family == ALCH_TYPE_SMALL_INTEGER || family == ALCH_TYPE_BIG_INTEGER;
}

/* What the divisor is cast to: its own type where that has a fraction. */
static alch_type_id divisor_type(const alch_compiler *compiler, const alch_node *node) {
  uint8_t family = alch_family_of(compiler, node);
  return family == ALCH_TYPE_NUMERIC || family == ALCH_TYPE_FLOAT || family == ALCH_TYPE_DOUBLE ? alch_type_of(compiler, node) : ALCH_TYPE_NUMERIC;
}

static void render_division(alch_compiler *compiler, const alch_node *node) {
  const alch_node *right = second(node);
  alch_render_operand(compiler, alch_node_child(node), node->op);
  alch_write(compiler, " / CAST(");
  alch_render_operand(compiler, right, node->op);
  alch_write(compiler, " AS ");
  alch_write_type(compiler, divisor_type(compiler, right));
  alch_write_char(compiler, ')');
}

static void render_floor_division(alch_compiler *compiler, const alch_node *node) {
  bool floors = is_integral(compiler, alch_node_child(node)) && is_integral(compiler, second(node));
  if (!floors) alch_write(compiler, "FLOOR(");
  render_infix(compiler, node);
  if (!floors) alch_write_char(compiler, ')');
}

static void render_binary(alch_compiler *compiler, const alch_node *node) {
  switch (node->op) {
    case ALCH_OPERATOR_IN: case ALCH_OPERATOR_NOT_IN: render_in(compiler, node); break;
    case ALCH_OPERATOR_ILIKE: case ALCH_OPERATOR_NOT_ILIKE: render_ilike(compiler, node); break;
    case ALCH_OPERATOR_NOT_MATCH: render_not_match(compiler, node); break;
    case ALCH_OPERATOR_DIVIDE: render_division(compiler, node); break;
    case ALCH_OPERATOR_FLOOR_DIVIDE: render_floor_division(compiler, node); break;
    default: render_infix(compiler, node);
  }
}

alch_status alch_default_binary(alch_compiler *compiler, const alch_node *node) {
  hint outer = take_hint(compiler);
  if (node->op != ALCH_OPERATOR_CONCAT || !outer.text || alch_node_child(node)->kind == ALCH_NODE_COLUMN) {
    hint from = hint_from(compiler, alch_node_child(node));
    set_hint(compiler, from.text ? from : hint_from(compiler, second(node)));
  }
  bool in_operator = compiler->in_operator;
  compiler->in_operator = true;
  render_binary(compiler, node);
  compiler->in_operator = in_operator;
  set_hint(compiler, outer);
  return compiler->status;
}

/* Beside an operator that only its user knows: tighter ones stand free, everything up to comparisons and || does not. */
static void render_beside_custom(alch_compiler *compiler, const alch_node *node, uint32_t precedence) {
  uint32_t own = precedence_of(compiler, node), comparison = alch_operator_rows[ALCH_OPERATOR_EQ].precedence;
  render_enclosed(compiler, node, own != ATOM && (own <= precedence || own <= comparison));
}

alch_status alch_default_custom(alch_compiler *compiler, const alch_node *node) {
  hint outer = take_hint(compiler);
  bool unary = node->op == 1, in_operator = compiler->in_operator;
  compiler->in_operator = true;
  const alch_node *left = alch_node_child(node);
  set_hint(compiler, hint_from(compiler, left));
  if (!unary) {
    render_beside_custom(compiler, left, node->a);
    alch_write_char(compiler, ' ');
  }
  alch_buffer_add_bytes(compiler->out, alch_node_text(node), node->length);
  alch_write_char(compiler, ' ');
  render_beside_custom(compiler, unary ? left : second(node), node->a);
  compiler->in_operator = in_operator;
  set_hint(compiler, outer);
  return compiler->status;
}

/* ---- regular expressions ---- */

static alch_status render_regexp_replace(alch_compiler *compiler, const alch_node *node) {
  const char *spelling = compiler->dialect->operator_spellings[ALCH_OPERATOR_REGEXP_REPLACE];
  if (!spelling) return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "replacing by a regular expression is not supported by the dialect '%s'; replace() knows plain text", compiler->dialect->name);
  alch_write(compiler, spelling);
  alch_write_char(compiler, '(');
  alch_render_children(compiler, node, ", ");
  alch_write_char(compiler, ')');
  return compiler->status;
}

alch_status alch_default_regexp(alch_compiler *compiler, const alch_node *node) {
  hint outer = take_hint(compiler);
  bool in_operator = compiler->in_operator;
  if (node->length > 0 && !alch_require(compiler, ALCH_CAPABILITY_REGEXP_FLAGS, "flags of a regular expression")) return compiler->status;
  compiler->in_operator = true;
  set_hint(compiler, hint_from(compiler, alch_node_child(node)));
  if (node->op == ALCH_OPERATOR_REGEXP_REPLACE) render_regexp_replace(compiler, node);
  else render_infix(compiler, node);
  compiler->in_operator = in_operator;
  set_hint(compiler, outer);
  return compiler->status;
}

alch_status alch_default_between(alch_compiler *compiler, const alch_node *node) {
  hint outer = take_hint(compiler);
  const alch_node *operand = alch_node_child(node), *low = alch_node_next(operand), *high = alch_node_next(low);
  bool symmetric = node->op == ALCH_OPERATOR_BETWEEN_SYMMETRIC || node->op == ALCH_OPERATOR_NOT_BETWEEN_SYMMETRIC;
  if (symmetric && !alch_require(compiler, ALCH_CAPABILITY_BETWEEN_SYMMETRIC, "BETWEEN SYMMETRIC")) return compiler->status;
  set_hint(compiler, hint_from(compiler, operand));
  alch_render_operand(compiler, operand, node->op);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  alch_render_operand(compiler, low, node->op);
  alch_write(compiler, " AND ");
  alch_render_operand(compiler, high, node->op);
  set_hint(compiler, outer);
  return compiler->status;
}

/* ---- subscripts and arrays, in the words of those who have them; the others say that they have none ---- */

static bool has_subscript(alch_compiler *compiler, uint8_t op) {
  bool json = op == ALCH_OPERATOR_JSON_INDEX || op == ALCH_OPERATOR_JSON_PATH;
  if (!json) return alch_require(compiler, ALCH_CAPABILITY_ARRAYS, "the subscript of an array");
  if (compiler->dialect->any_type) return true;
  alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "access to the inside of a JSON value is not supported by the dialect '%s'", compiler->dialect->name);
  return false;
}

alch_status alch_default_subscript(alch_compiler *compiler, const alch_node *node) {
  const alch_node *subject = alch_node_child(node), *index = alch_node_next(subject);
  if (!has_subscript(compiler, node->op)) return compiler->status;
  hint outer = take_hint(compiler);
  set_hint(compiler, hint_from(compiler, subject));
  alch_render_operand(compiler, subject, node->op);
  alch_write_char(compiler, '[');
  alch_render(compiler, index);
  if (node->op == ALCH_OPERATOR_ARRAY_SLICE) {
    alch_write_char(compiler, ':');
    alch_render(compiler, alch_node_next(index));
  }
  alch_write_char(compiler, ']');
  set_hint(compiler, outer);
  return compiler->status;
}

alch_status alch_default_array(alch_compiler *compiler, const alch_node *node) {
  if (!alch_require(compiler, ALCH_CAPABILITY_ARRAYS, "an array")) return compiler->status;
  alch_write(compiler, "ARRAY[");
  alch_render_children(compiler, node, ", ");
  alch_write_char(compiler, ']');
  return compiler->status;
}

/* ---- lists ---- */

alch_status alch_default_list(alch_compiler *compiler, const alch_node *node) {
  const char *spelling = alch_operator_spelling(compiler, node->op), *separator = "";
  bool junction = node->op == ALCH_OPERATOR_AND || node->op == ALCH_OPERATOR_OR, in_operator = compiler->in_operator;
  compiler->in_operator = in_operator || junction;
  for ALCH_EACH_CHILD(child, node) {
    alch_write(compiler, separator);
    if (junction) alch_render_condition(compiler, child, node->op);
    else alch_render_operand(compiler, child, node->op);
    separator = spelling;
  }
  compiler->in_operator = in_operator;
  return compiler->status;
}

alch_status alch_default_grouping(alch_compiler *compiler, const alch_node *node) { return render_enclosed(compiler, alch_node_child(node), true); }

alch_status alch_default_tuple(alch_compiler *compiler, const alch_node *node) {
  alch_write_char(compiler, '(');
  alch_render_children(compiler, node, ", ");
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* ---- unary operators ---- */

static bool is_order(uint8_t op) { return op >= ALCH_OPERATOR_DESC && op <= ALCH_OPERATOR_NULLS_LAST; }

static alch_status render_not(alch_compiler *compiler, const alch_node *child) {
  child = bare(child);
  if (!alch_can(compiler, ALCH_CAPABILITY_NATIVE_BOOLEAN) && alch_is_boolean_value(compiler, child)) return compare_boolean(compiler, child, false);
  alch_write(compiler, alch_operator_spelling(compiler, ALCH_OPERATOR_NOT));
  compiler->condition = alch_is_condition(compiler, child);
  return alch_render_operand(compiler, child, ALCH_OPERATOR_NOT);
}

static alch_status render_quantified(alch_compiler *compiler, const alch_node *node) {
  const alch_node *child = alch_node_child(node);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  if (child->kind == ALCH_NODE_SCALAR) child = alch_node_child(child);
  if (alch_node_is_query(child)) return alch_render_subquery(compiler, child, ALCH_ROLE_NESTED);
  return alch_require(compiler, ALCH_CAPABILITY_ARRAYS, "ANY or ALL of an array") ? render_enclosed(compiler, child, true) : compiler->status;
}

static alch_status render_order(alch_compiler *compiler, const alch_node *node) {
  const alch_node *child = alch_node_child(node);
  bool outer = compiler->in_order_by;
  compiler->in_order_by = outer && (child->kind == ALCH_NODE_LABEL || (child->kind == ALCH_NODE_UNARY && is_order(child->op)));
  alch_render(compiler, child);
  compiler->in_order_by = outer;
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  return compiler->status;
}

alch_status alch_default_unary(alch_compiler *compiler, const alch_node *node) {
  if (node->op == ALCH_OPERATOR_NOT) return render_not(compiler, alch_node_child(node));
  if (node->op == ALCH_OPERATOR_ANY || node->op == ALCH_OPERATOR_ALL) return render_quantified(compiler, node);
  if (is_order(node->op)) return render_order(compiler, node);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  return alch_render_operand(compiler, alch_node_child(node), node->op);
}
