#include "sql/compiler.h"

/* Windows, and what else stands inside and behind an aggregate. */

static void render_order_list(alch_compiler *compiler, const alch_node *list, const char *before) {
  if (alch_node_child_count(list) == 0) return;
  alch_write(compiler, before);
  alch_render_children(compiler, list, ", ");
}

/* ---- OVER ---- */

alch_status alch_default_over(alch_compiler *compiler, const alch_node *node) {
  const alch_node *function = alch_node_child(node), *partition = alch_node_next(function), *order = alch_node_next(partition), *frame = alch_node_nth(node, 3);
  if (!alch_require(compiler, ALCH_CAPABILITY_WINDOWS, "OVER")) return compiler->status;
  bool partitions = alch_node_child_count(partition) > 0, orders = alch_node_child_count(order) > 0;
  alch_render(compiler, function);
  alch_write(compiler, " OVER (");
  render_order_list(compiler, partition, "PARTITION BY ");
  render_order_list(compiler, order, partitions ? " ORDER BY " : "ORDER BY ");
  if (frame && (partitions || orders)) alch_write_char(compiler, ' ');
  if (frame) alch_render(compiler, frame);
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* Writes one bound and answers the child that the next one has. */
static const alch_node *render_bound(alch_compiler *compiler, uint32_t bound, const alch_node *count, const char *unbounded) {
  static const char *const words[] = { [ALCH_BOUND_UNBOUNDED] = "UNBOUNDED", [ALCH_BOUND_CURRENT] = "CURRENT ROW", [ALCH_BOUND_PRECEDING] = " PRECEDING", [ALCH_BOUND_FOLLOWING] = " FOLLOWING" };
  bool counted = bound == ALCH_BOUND_PRECEDING || bound == ALCH_BOUND_FOLLOWING;
  if (bound >= ALCH_COUNT(words) || (counted && !count)) {
    alch_compile_error(compiler, ALCH_ERROR_COMPILE, "a window's frame has a bound without its number of rows");
    return NULL;
  }
  if (counted && count->kind == ALCH_NODE_BIND && alch_can(compiler, ALCH_CAPABILITY_FRAME_LITERALS)) alch_render_bind_literal(compiler, count);
  else if (counted) alch_render(compiler, count);
  alch_write(compiler, words[bound]);
  if (bound == ALCH_BOUND_UNBOUNDED) alch_write(compiler, unbounded);
  return counted ? alch_node_next(count) : count;
}

alch_status alch_default_frame(alch_compiler *compiler, const alch_node *node) {
  static const char *const words[] = { [ALCH_FRAME_ROWS] = "ROWS", [ALCH_FRAME_RANGE] = "RANGE", [ALCH_FRAME_GROUPS] = "GROUPS" };
  static const char *const exclusions[ALCH_EXCLUDE_COUNT] = {
    [ALCH_EXCLUDE_CURRENT_ROW] = " EXCLUDE CURRENT ROW", [ALCH_EXCLUDE_GROUP] = " EXCLUDE GROUP", [ALCH_EXCLUDE_TIES] = " EXCLUDE TIES", [ALCH_EXCLUDE_NO_OTHERS] = " EXCLUDE NO OTHERS",
  };
  uint8_t unit = node->op & ALCH_FRAME_UNIT, exclusion = node->op >> ALCH_FRAME_EXCLUSION_SHIFT;
  if (unit >= ALCH_COUNT(words) || exclusion >= ALCH_EXCLUDE_COUNT) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "a window's frame is ROWS, RANGE or GROUPS");
  if (unit == ALCH_FRAME_GROUPS && !alch_require(compiler, ALCH_CAPABILITY_WINDOW_GROUPS, "a window's frame of GROUPS")) return compiler->status;
  if (exclusion != ALCH_EXCLUDE_NOTHING && !alch_require(compiler, ALCH_CAPABILITY_WINDOW_EXCLUDE, "EXCLUDE in a window's frame")) return compiler->status;
  const alch_node *count = alch_node_nth(node, 0), *end = alch_node_next(node);
  alch_write(compiler, words[unit]);
  alch_write(compiler, " BETWEEN ");
  count = render_bound(compiler, node->a, count, " PRECEDING");
  alch_write(compiler, " AND ");
  render_bound(compiler, node->b, count < end ? count : NULL, " FOLLOWING");
  if (exclusion != ALCH_EXCLUDE_NOTHING) alch_write(compiler, exclusions[exclusion]);
  return compiler->status;
}

/* ---- what an aggregate takes into its parentheses ---- */

alch_aggregate alch_take_aggregate(alch_compiler *compiler) {
  alch_aggregate taken = compiler->aggregate;
  compiler->aggregate = (alch_aggregate){ NULL, NULL };
  return taken;
}

/* NULL for the rows that do not count, which aggregates pass over; count(*) counts ones. */
static void render_case(alch_compiler *compiler, const alch_node *argument, const alch_node *condition) {
  alch_write(compiler, "CASE");
  alch_render_when(compiler, condition, false);
  alch_write(compiler, " THEN ");
  if (argument->kind == ALCH_NODE_STAR) alch_write_char(compiler, '1');
  else alch_render(compiler, argument);
  alch_write(compiler, " END");
}

alch_status alch_render_aggregated(alch_compiler *compiler, const alch_node *argument, const alch_aggregate *aggregate) {
  if (!aggregate->filter) return alch_render(compiler, argument);
  bool distinct = argument->kind == ALCH_NODE_UNARY && argument->op == ALCH_OPERATOR_DISTINCT;
  if (distinct) alch_write(compiler, alch_operator_spelling(compiler, ALCH_OPERATOR_DISTINCT));
  render_case(compiler, distinct ? alch_node_child(argument) : argument, aggregate->filter);
  return compiler->status;
}

alch_status alch_render_aggregate_order(alch_compiler *compiler, const alch_aggregate *aggregate) {
  if (aggregate->order) render_order_list(compiler, aggregate->order, " ORDER BY ");
  return compiler->status;
}

/* The separator is written into the text, since databases want a literal there. */
alch_status alch_render_string_aggregate(alch_compiler *compiler, const alch_node *function) {
  const alch_node *text = alch_node_child(function), *separator = alch_node_next(text);
  const alch_dialect *dialect = compiler->dialect;
  alch_aggregate aggregate = alch_take_aggregate(compiler);
  alch_write(compiler, dialect->string_aggregate ? dialect->string_aggregate : "aggregate_strings");
  alch_write_char(compiler, '(');
  alch_render_aggregated(compiler, text, &aggregate);
  if (dialect->string_separator) alch_render_aggregate_order(compiler, &aggregate);
  alch_write(compiler, dialect->string_separator ? dialect->string_separator : ", ");
  if (separator->kind == ALCH_NODE_BIND) alch_render_bind_literal(compiler, separator);
  else alch_render(compiler, separator);
  if (!dialect->string_separator) alch_render_aggregate_order(compiler, &aggregate);
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* ---- what stands behind one ---- */

static alch_status not_taken(alch_compiler *compiler, const char *construct) {
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "%s of this function is not supported by the dialect '%s'; write a CASE into its argument", construct, compiler->dialect->name);
}

alch_status alch_default_filter(alch_compiler *compiler, const alch_node *node) {
  const alch_node *aggregate = alch_node_child(node), *condition = alch_node_next(aggregate);
  if (!alch_can(compiler, ALCH_CAPABILITY_FILTER)) {
    const alch_node *function = aggregate->kind == ALCH_NODE_AGGREGATE_ORDER ? alch_node_child(aggregate) : aggregate;
    if (function->kind != ALCH_NODE_FUNCTION || alch_node_child_count(function) == 0) return not_taken(compiler, "FILTER");
    compiler->aggregate.filter = condition;
    alch_render(compiler, aggregate);
    return compiler->aggregate.filter ? not_taken(compiler, "FILTER") : compiler->status;
  }
  alch_render(compiler, aggregate);
  alch_write(compiler, " FILTER (WHERE ");
  alch_render_lone_truth(compiler, condition);
  alch_write_char(compiler, ')');
  return compiler->status;
}

alch_status alch_default_within_group(alch_compiler *compiler, const alch_node *node) {
  const alch_node *function = alch_node_child(node);
  alch_render(compiler, function);
  alch_write(compiler, " WITHIN GROUP (");
  render_order_list(compiler, alch_node_next(function), "ORDER BY ");
  alch_write_char(compiler, ')');
  return compiler->status;
}

alch_status alch_default_aggregate_order(alch_compiler *compiler, const alch_node *node) {
  const alch_node *function = alch_node_child(node);
  if (!alch_can(compiler, ALCH_CAPABILITY_AGGREGATE_ORDER)) return compiler->renderers[ALCH_NODE_WITHIN_GROUP](compiler, node);
  compiler->aggregate.order = alch_node_next(function);
  alch_render(compiler, function);
  return compiler->aggregate.order ? not_taken(compiler, "ORDER BY") : compiler->status;
}
