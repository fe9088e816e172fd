/* Expressions that SQL Server spells in its own way. */
#include "base/map.h"
#include "sql/dialects/mssql.h"
#include <string.h>

static alch_status unsupported(alch_compiler *compiler, const char *construct, const char *mend) {
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "%s is not supported by the dialect '%s'; %s", construct, compiler->dialect->name, mend);
}

static const alch_node *second(const alch_node *node) { return alch_node_next(alch_node_child(node)); }

/* ---- comparisons ---- */

static void render_row(alch_compiler *compiler, const alch_node *node) {
  if (node->kind == ALCH_NODE_TUPLE) alch_render_children(compiler, node, ", ");
  else alch_render(compiler, node);
}

/* Rows with one value each have one in common when both are equal or both NULL. */
static alch_status render_sameness(alch_compiler *compiler, const alch_node *node, bool negative) {
  alch_write(compiler, negative ? "NOT EXISTS (SELECT " : "EXISTS (SELECT ");
  render_row(compiler, alch_node_child(node));
  alch_write(compiler, " INTERSECT SELECT ");
  render_row(compiler, second(node));
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* IS is for NULL alone here. */
static alch_status render_is(alch_compiler *compiler, const alch_node *node) {
  if (second(node)->kind == ALCH_NODE_NULL) return alch_render_default(compiler, node);
  return render_sameness(compiler, node, node->op == ALCH_OPERATOR_IS_NOT);
}

static alch_status render_match(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, node->op == ALCH_OPERATOR_MATCH ? "CONTAINS (" : "NOT CONTAINS (");
  alch_render_children(compiler, node, ", ");
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* SQLAlchemy moves a value to the right of =, and so do we. */
static alch_status render_equality(alch_compiler *compiler, const alch_node *node) {
  const alch_node *left = alch_node_child(node), *right = alch_node_next(left);
  bool quantified = right->kind == ALCH_NODE_UNARY && (right->op == ALCH_OPERATOR_ANY || right->op == ALCH_OPERATOR_ALL);
  if (left->kind != ALCH_NODE_BIND || right->kind == ALCH_NODE_BIND || quantified) return alch_render_default(compiler, node);
  alch_render_operand(compiler, right, node->op);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  return alch_render_operand(compiler, left, node->op);
}

/* ---- arithmetic ---- */

static bool is_text(uint8_t family) { return (family >= ALCH_TYPE_STRING && family <= ALCH_TYPE_UNICODE_TEXT) || family == ALCH_TYPE_ENUM || family == ALCH_TYPE_UUID || family == ALCH_TYPE_JSON; }

/* + adds when one side is a number, so that becomes text first. */
static void render_part(alch_compiler *compiler, const alch_node *node) {
  uint8_t family = alch_family_of(compiler, node);
  if (family == ALCH_TYPE_NULL || family == ALCH_TYPE_LARGE_BINARY || is_text(family)) {
    alch_render_operand(compiler, node, ALCH_OPERATOR_CONCAT);
    return;
  }
  alch_write(compiler, "CAST(");
  alch_render(compiler, node);
  alch_write(compiler, " AS VARCHAR(max))");
}

static alch_status render_concat(alch_compiler *compiler, const alch_node *node) {
  render_part(compiler, alch_node_child(node));
  alch_write(compiler, alch_operator_spelling(compiler, ALCH_OPERATOR_CONCAT));
  render_part(compiler, second(node));
  return compiler->status;
}

static bool is_real(const alch_compiler *compiler, const alch_node *node) {
  uint8_t family = alch_family_of(compiler, node);
  return family == ALCH_TYPE_FLOAT || family == ALCH_TYPE_DOUBLE;
}

static alch_status render_modulo(alch_compiler *compiler, const alch_node *node) {
  if (is_real(compiler, alch_node_child(node)) || is_real(compiler, second(node))) return unsupported(compiler, "% of floating-point numbers", "cast both sides to Numeric");
  return alch_render_default(compiler, node);
}

/* A NUMERIC of which nothing is said has no digits behind the point here: a cast to it would round the divisor. */
static alch_status render_division(alch_compiler *compiler, const alch_node *node) {
  if (alch_type_of(compiler, second(node)) != ALCH_TYPE_NUMERIC) return alch_render_default(compiler, node);
  alch_render_operand(compiler, alch_node_child(node), node->op);
  alch_write(compiler, " / ");
  return alch_render_operand(compiler, second(node), node->op);
}

/* A [ in the value is the beginning of a wild card here (https://learn.microsoft.com/sql/t-sql/language-elements/like-transact-sql). */
static void render_bracketed(alch_compiler *compiler, const alch_node *node, char escape) {
  if (node->kind == ALCH_NODE_BINARY && node->op == ALCH_OPERATOR_CONCAT) {
    render_bracketed(compiler, alch_node_child(node), escape);
    alch_write(compiler, alch_operator_spelling(compiler, ALCH_OPERATOR_CONCAT));
    render_bracketed(compiler, second(node), escape);
    return;
  }
  if (node->kind == ALCH_NODE_LITERAL) {
    alch_render(compiler, node);
    return;
  }
  const char with[] = { escape, '[' };
  alch_write(compiler, "REPLACE(");
  alch_render(compiler, node);
  alch_write(compiler, ", '[', ");
  alch_write_quoted(compiler, with, sizeof with);
  alch_write_char(compiler, ')');
}

static alch_status render_like(alch_compiler *compiler, const alch_node *node) {
  char escape = (char)(node->a & 0xff);
  if (!(node->a & ALCH_LIKE_BRACKET)) return alch_render_default(compiler, node);
  alch_render_operand(compiler, alch_node_child(node), node->op);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  render_bracketed(compiler, second(node), escape);
  alch_write(compiler, " ESCAPE ");
  alch_write_quoted(compiler, &escape, 1);
  return compiler->status;
}

alch_status alch_mssql_binary(alch_compiler *compiler, const alch_node *node) {
  bool distinct = node->op == ALCH_OPERATOR_IS_DISTINCT || node->op == ALCH_OPERATOR_IS_NOT_DISTINCT, in = node->op == ALCH_OPERATOR_IN || node->op == ALCH_OPERATOR_NOT_IN;
  if (!distinct && alch_mssql_is_tuple(alch_node_child(node))) return in ? alch_mssql_tuple_in(compiler, node) : alch_mssql_tuple_compare(compiler, node);
  switch (node->op) {
    case ALCH_OPERATOR_IS: case ALCH_OPERATOR_IS_NOT: return render_is(compiler, node);
    case ALCH_OPERATOR_IS_DISTINCT: case ALCH_OPERATOR_IS_NOT_DISTINCT: return render_sameness(compiler, node, node->op == ALCH_OPERATOR_IS_DISTINCT);
    case ALCH_OPERATOR_MATCH: case ALCH_OPERATOR_NOT_MATCH: return render_match(compiler, node);
    case ALCH_OPERATOR_LIKE: case ALCH_OPERATOR_NOT_LIKE: return render_like(compiler, node);
    case ALCH_OPERATOR_EQ: return render_equality(compiler, node);
    case ALCH_OPERATOR_CONCAT: return render_concat(compiler, node);
    case ALCH_OPERATOR_MODULO: return render_modulo(compiler, node);
    case ALCH_OPERATOR_DIVIDE: return render_division(compiler, node);
    case ALCH_OPERATOR_REGEXP: case ALCH_OPERATOR_NOT_REGEXP: return alch_mssql_regexp(compiler, node);
    case ALCH_OPERATOR_SHIFT_LEFT: case ALCH_OPERATOR_SHIFT_RIGHT:
      if (!alch_mssql_require(compiler, ALCH_MSSQL_2022, "a shift of bits (multiply or divide by a power of two)", "2022")) return compiler->status;
      return alch_render_default(compiler, node);
    default: return alch_render_default(compiler, node);
  }
}

/* ---- unary operators ---- */

static bool is_descending(const alch_node *node) {
  while (node->kind == ALCH_NODE_UNARY && (node->op == ALCH_OPERATOR_NULLS_FIRST || node->op == ALCH_OPERATOR_NULLS_LAST || node->op == ALCH_OPERATOR_ASC)) node = alch_node_child(node);
  return node->kind == ALCH_NODE_UNARY && node->op == ALCH_OPERATOR_DESC;
}

static const alch_node *ordered(const alch_node *node) {
  while (node->kind == ALCH_NODE_UNARY && node->op >= ALCH_OPERATOR_DESC && node->op <= ALCH_OPERATOR_NULLS_LAST) node = alch_node_child(node);
  return node;
}

/* NULL is the least value here. Where it is wanted at the other end, a key of its own stands before the item. */
static alch_status render_nulls(alch_compiler *compiler, const alch_node *node) {
  const alch_node *child = alch_node_child(node);
  bool first = node->op == ALCH_OPERATOR_NULLS_FIRST, in_order_by = compiler->in_order_by;
  const alch_node *statement = compiler->scope ? compiler->scope->statement : NULL;
  if (first == is_descending(child)) {
    bool listed = statement && (statement->kind == ALCH_NODE_COMPOUND || alch_node_clause(statement, ALCH_NODE_DISTINCT));
    if (listed && in_order_by) return unsupported(compiler, first ? "NULLS FIRST behind DESC with DISTINCT or UNION" : "NULLS LAST with DISTINCT or UNION", "order a select of that as a subquery");
    compiler->in_order_by = false;
    alch_write(compiler, "CASE WHEN (");
    alch_render_operand(compiler, ordered(child), ALCH_OPERATOR_IS);
    alch_write(compiler, first ? " IS NULL) THEN 0 ELSE 1 END, " : " IS NULL) THEN 1 ELSE 0 END, ");
  }
  compiler->in_order_by = in_order_by;
  return alch_render(compiler, child);
}

static alch_status render_quantified(alch_compiler *compiler, const alch_node *node) {
  const alch_node *child = alch_node_child(node);
  if (child->kind == ALCH_NODE_SCALAR || alch_node_is_query(child)) return alch_render_default(compiler, node);
  return unsupported(compiler, node->op == ALCH_OPERATOR_ANY ? "ANY of an array" : "ALL of an array", "write in_ with a list, or a subquery");
}

alch_status alch_mssql_unary(alch_compiler *compiler, const alch_node *node) {
  switch (node->op) {
    case ALCH_OPERATOR_NULLS_FIRST: case ALCH_OPERATOR_NULLS_LAST: return render_nulls(compiler, node);
    case ALCH_OPERATOR_ANY: case ALCH_OPERATOR_ALL: return render_quantified(compiler, node);
    default: return alch_render_default(compiler, node);
  }
}

alch_status alch_mssql_regexp(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  return unsupported(compiler, "a regular expression", "write like with its patterns");
}

alch_status alch_mssql_next_value(alch_compiler *compiler, const alch_node *node) {
  const alch_sequence *sequence = alch_catalog_sequence(compiler->catalog, node->a);
  if (!sequence) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "there is no sequence number %u", (unsigned)node->a);
  if (!alch_mssql_require(compiler, ALCH_MSSQL_2012, "a sequence", "2012")) return compiler->status;
  alch_write(compiler, "NEXT VALUE FOR ");
  if (sequence->schema) alch_quote_schema(compiler->dialect, sequence->schema, compiler->out);
  if (sequence->schema) alch_write_char(compiler, '.');
  alch_quote_identifier(compiler->dialect, sequence->name, sequence->quote, compiler->out);
  return compiler->status;
}

/* ---- functions ---- */

/* What came with a server later than the oldest one here; 0: with none, and what to write instead. */
static const struct { const char *name; uint16_t major; const char *year; } newer_functions[] = {
  { "lag", ALCH_MSSQL_2012, "2012" },           { "lead", ALCH_MSSQL_2012, "2012" },           { "first_value", ALCH_MSSQL_2012, "2012" },     { "last_value", ALCH_MSSQL_2012, "2012" },
  { "percent_rank", ALCH_MSSQL_2012, "2012" },  { "cume_dist", ALCH_MSSQL_2012, "2012" },      { "percentile_cont", ALCH_MSSQL_2012, "2012" }, { "percentile_disc", ALCH_MSSQL_2012, "2012" },
  { "string_agg", ALCH_MSSQL_2017, "2017" },    { "aggregate_strings", ALCH_MSSQL_2017, "2017" }, { "group_concat", ALCH_MSSQL_2017, "2017" },  { "concat_ws", ALCH_MSSQL_2017, "2017" },
  { "approx_percentile_cont", ALCH_MSSQL_2022, "2022" }, { "approx_percentile_disc", ALCH_MSSQL_2022, "2022" },
  { "nth_value", 0, "number the rows with row_number and take the one wanted" },
  { "bernoulli", 0, "a sample of rows is taken with system" },
};

static bool is_known(alch_compiler *compiler, const alch_node *node) {
  for (size_t i = 0; i < ALCH_COUNT(newer_functions); i++) {
    if (!alch_is_called(node, newer_functions[i].name)) continue;
    if (newer_functions[i].major > 0) return alch_mssql_require(compiler, newer_functions[i].major, newer_functions[i].name, newer_functions[i].year);
    unsupported(compiler, newer_functions[i].name, newer_functions[i].year);
    return false;
  }
  return true;
}

static alch_status render_concat_function(alch_compiler *compiler, const alch_node *node) {
  const char *before = "(";
  for ALCH_EACH_CHILD(child, node) {
    alch_write(compiler, before);
    render_part(compiler, child);
    before = " + ";
  }
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* The greatest of a list is the maximum of a column. */
static alch_status render_extreme(alch_compiler *compiler, const alch_node *node, const char *aggregate) {
  alch_buffer_add_format(compiler->out, "(SELECT %s(v) FROM (VALUES ", aggregate);
  alch_render_enclosed(compiler, node, "(", "), (", ")");
  alch_write(compiler, ") AS x (v))");
  return compiler->status;
}

static bool is_string_aggregate(const alch_node *node) { return alch_is_called(node, "string_agg") || alch_is_called(node, "aggregate_strings") || alch_is_called(node, "group_concat"); }

/* The server has no separator of its own accord. */
static alch_status render_group_concat(alch_compiler *compiler, const alch_node *node) {
  alch_aggregate aggregate = alch_take_aggregate(compiler);
  alch_write(compiler, "string_agg(");
  alch_render_aggregated(compiler, alch_node_child(node), &aggregate);
  alch_write(compiler, ", ',')");
  return compiler->status;
}

static alch_status render_percentile(alch_compiler *compiler, const alch_node *node) {
  alch_buffer_add_bytes(compiler->out, alch_node_text(node), node->length);
  alch_write_char(compiler, '(');
  if (alch_node_child(node)->kind == ALCH_NODE_BIND) alch_render_bind_literal(compiler, alch_node_child(node));
  else alch_render_children(compiler, node, ", ");
  alch_write_char(compiler, ')');
  return compiler->status;
}

static bool is_percentile(const alch_node *node) { return node->kind == ALCH_NODE_FUNCTION && (alch_is_called(node, "percentile_cont") || alch_is_called(node, "percentile_disc")); }
static bool is_approximate(const alch_node *node) { return node->kind == ALCH_NODE_FUNCTION && (alch_is_called(node, "approx_percentile_cont") || alch_is_called(node, "approx_percentile_disc")); }

alch_status alch_mssql_function(alch_compiler *compiler, const alch_node *node) {
  uint32_t count = alch_node_child_count(node);
  bool since_2022 = alch_mssql_since(compiler->dialect, ALCH_MSSQL_2022);
  if (!is_known(compiler, node)) return compiler->status;
  if (is_string_aggregate(node) && alch_is_distinct(node)) return unsupported(compiler, "DISTINCT among the texts of string_agg", "select the distinct ones in a subquery");
  if (count == 1 && alch_is_called(node, "group_concat")) return render_group_concat(compiler, node);
  if (count == 1 && (is_percentile(node) || is_approximate(node))) return render_percentile(compiler, node);
  if (count == 2 && (alch_is_called(node, "substr") || alch_is_called(node, "substring"))) return alch_render_enclosed(compiler, node, "SUBSTRING(", ", ", ", 2147483647)");
  if (count == 1 && alch_is_called(node, "concat")) return render_concat_function(compiler, node);
  if (count > 0 && alch_is_called(node, "concat") && !alch_mssql_since(compiler->dialect, ALCH_MSSQL_2012)) return render_concat_function(compiler, node);
  if (count == 1 && alch_is_called(node, "trim") && !alch_mssql_since(compiler->dialect, ALCH_MSSQL_2017)) return alch_render_enclosed(compiler, node, "LTRIM(RTRIM(", "", "))");
  if (count > 0 && alch_is_called(node, "greatest") && !since_2022) return render_extreme(compiler, node, "MAX");
  if (count > 0 && alch_is_called(node, "least") && !since_2022) return render_extreme(compiler, node, "MIN");
  return alch_render_default(compiler, node);
}

/* ---- CAST, EXTRACT, COLLATE ---- */

alch_status alch_mssql_cast(alch_compiler *compiler, const alch_node *node) {
  if (node->op != 1) return alch_render_default(compiler, node);
  if (!alch_mssql_require(compiler, ALCH_MSSQL_2012, "TRY_CAST", "2012")) return compiler->status;
  alch_write(compiler, "TRY_CAST (");
  alch_render(compiler, alch_node_child(node));
  alch_write(compiler, " AS ");
  alch_write_type(compiler, node->b);
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* https://learn.microsoft.com/sql/t-sql/functions/datepart-transact-sql; in front of the standard's names. */
static const struct { const char *field, *before, *after; } extracts[] = {
  { "year", "DATEPART(year, ", ")" },
  { "quarter", "DATEPART(quarter, ", ")" },
  { "month", "DATEPART(month, ", ")" },
  { "day", "DATEPART(day, ", ")" },
  { "hour", "DATEPART(hour, ", ")" },
  { "minute", "DATEPART(minute, ", ")" },
  { "second", "DATEPART(second, ", ")" },
  { "week", "DATEPART(week, ", ")" },
  { "doy", "DATEPART(dayofyear, ", ")" },
  { "dow", "DATEPART(weekday, ", ")" },
  { "milliseconds", "DATEPART(millisecond, ", ")" },
  { "microseconds", "DATEPART(microsecond, ", ")" },
  { "dayofyear", "DATEPART(dayofyear, ", ")" },
  { "weekday", "DATEPART(weekday, ", ")" },
  { "iso_week", "DATEPART(iso_week, ", ")" },
  { "millisecond", "DATEPART(millisecond, ", ")" },
  { "microsecond", "DATEPART(microsecond, ", ")" },
  { "nanosecond", "DATEPART(nanosecond, ", ")" },
  { "tzoffset", "DATEPART(tzoffset, ", ")" },
  { "timezone_hour", "DATEPART(tzoffset, ", ") / 60" },
  { "timezone_minute", "DATEPART(tzoffset, ", ") % 60" },
  { "epoch", "DATEDIFF(second, '19700101', ", ")" },
};

static alch_status no_field(alch_compiler *compiler, const alch_node *node) {
  const char *fields[ALCH_COUNT(extracts)];
  char word[32];
  size_t length = node->length < sizeof word ? node->length : sizeof word - 1;
  memcpy(word, alch_node_text(node), length);
  word[length] = '\0';
  for (size_t i = 0; i < ALCH_COUNT(extracts); i++) fields[i] = extracts[i].field;
  const char *nearest = alch_nearest(word, fields, ALCH_COUNT(fields));
  return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "%s is not a valid extract argument; %s '%s'", word, nearest ? "did you mean" : "there is for example", nearest ? nearest : "year");
}

alch_status alch_mssql_extract(alch_compiler *compiler, const alch_node *node) {
  /* DATEDIFF gives no seconds beyond the year 2038. */
  if (alch_is_called(node, "epoch") && alch_mssql_since(compiler->dialect, ALCH_MSSQL_2016)) return alch_render_enclosed(compiler, node, "DATEDIFF_BIG(second, '19700101', ", "", ")");
  for (size_t i = 0; i < ALCH_COUNT(extracts); i++)
    if (alch_is_called(node, extracts[i].field)) return alch_render_enclosed(compiler, node, extracts[i].before, "", extracts[i].after);
  return no_field(compiler, node);
}

/* The name of a collation is a bare word here, never quoted. */
alch_status alch_mssql_collate(alch_compiler *compiler, const alch_node *node) {
  for (const char *at = alch_node_text(node), *end = at + node->length; at < end; at++)
    if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_'))
      return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "'%.*s' is no name of a collation; expected letters, digits and underscores such as Latin1_General_CI_AS", (int)node->length,
                                alch_node_text(node));
  alch_render_operand(compiler, alch_node_child(node), ALCH_OPERATOR_NEGATE);
  alch_write(compiler, " COLLATE ");
  alch_buffer_add_bytes(compiler->out, alch_node_text(node), node->length);
  return compiler->status;
}

/* ---- windows ---- */

static const char *const ordered_functions[] = { "row_number", "rank", "dense_rank", "ntile", "lag", "lead", "first_value", "last_value", "percent_rank", "cume_dist" };

/* The server wants an order for these, and for every frame. */
static bool wants_order(const alch_node *function, const alch_node *frame) {
  if (frame) return true;
  for (size_t i = 0; function->kind == ALCH_NODE_FUNCTION && i < ALCH_COUNT(ordered_functions); i++)
    if (alch_is_called(function, ordered_functions[i])) return true;
  return false;
}

static void render_order(alch_compiler *compiler, const alch_node *list, const char *before) {
  if (alch_node_child_count(list) == 0) return;
  alch_write(compiler, before);
  alch_render_children(compiler, list, ", ");
}

static void render_within(alch_compiler *compiler, const alch_node *node) {
  const alch_node *function = alch_node_child(node);
  alch_render(compiler, function);
  alch_write(compiler, " WITHIN GROUP (");
  render_order(compiler, alch_node_next(function), "ORDER BY ");
  alch_write_char(compiler, ')');
}

alch_status alch_mssql_over(alch_compiler *compiler, const alch_node *node) {
  const alch_node *function = alch_node_child(node), *partition = alch_node_next(function), *order = alch_node_next(partition), *frame = alch_node_nth(node, 3);
  bool partitions = alch_node_child_count(partition) > 0, orders = alch_node_child_count(order) > 0;
  if (function->kind == ALCH_NODE_WITHIN_GROUP) render_within(compiler, function);
  else alch_render(compiler, function);
  alch_write(compiler, " OVER (");
  render_order(compiler, partition, "PARTITION BY ");
  if (partitions && (orders || wants_order(function, frame))) alch_write_char(compiler, ' ');
  render_order(compiler, order, "ORDER BY ");
  if (!orders && wants_order(function, frame)) alch_write(compiler, "ORDER BY (SELECT NULL)");
  if (frame) alch_write_char(compiler, ' ');
  if (frame) alch_render(compiler, frame);
  alch_write_char(compiler, ')');
  return compiler->status;
}

alch_status alch_mssql_frame(alch_compiler *compiler, const alch_node *node) {
  bool counted = node->a == ALCH_BOUND_PRECEDING || node->a == ALCH_BOUND_FOLLOWING || node->b == ALCH_BOUND_PRECEDING || node->b == ALCH_BOUND_FOLLOWING;
  if (counted && (node->op & ALCH_FRAME_UNIT) == ALCH_FRAME_RANGE) return unsupported(compiler, "a frame of RANGE with numbers", "write rows");
  if ((node->op & ALCH_FRAME_UNIT) == ALCH_FRAME_GROUPS) return alch_render_default(compiler, node);
  if (!alch_mssql_require(compiler, ALCH_MSSQL_2012, "a window's frame", "2012")) return compiler->status;
  return alch_render_default(compiler, node);
}

alch_status alch_mssql_within_group(alch_compiler *compiler, const alch_node *node) {
  const alch_node *function = alch_node_child(node);
  if (is_percentile(function)) return unsupported(compiler, "WITHIN GROUP of a percentile without a window", "put :over{} behind it, with a partition_by for groups");
  if (function->kind == ALCH_NODE_FUNCTION && !is_approximate(function) && !is_string_aggregate(function)) return unsupported(compiler, "WITHIN GROUP of this function", "only string_agg and percentiles take it");
  render_within(compiler, node);
  return compiler->status;
}
