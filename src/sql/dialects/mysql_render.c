/* Expressions that MySQL and MariaDB spell in their own way. */
#include "sql/compiler.h"
#include "sql/dialects/mysql.h"
#include <string.h>

static alch_status unsupported(alch_compiler *compiler, const char *construct, const char *mend) {
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "%s is not supported by the dialect '%s'; %s", construct, compiler->dialect->name, mend);
}

static const alch_node *second(const alch_node *node) { return alch_node_next(alch_node_child(node)); }

static alch_status render_enclosed(alch_compiler *compiler, const alch_node *node, const char *before, const char *after) {
  alch_write(compiler, before);
  alch_render_children(compiler, node, ", ");
  alch_write(compiler, after);
  return compiler->status;
}

/* ---- operators ---- */

/* || is OR here; a chain of it is one call of concat. */
static void render_concat_items(alch_compiler *compiler, const alch_node *node, const char **separator) {
  for ALCH_EACH_CHILD(child, node) {
    if (child->kind == ALCH_NODE_BINARY && child->op == ALCH_OPERATOR_CONCAT) {
      render_concat_items(compiler, child, separator);
      continue;
    }
    alch_write(compiler, *separator);
    alch_render(compiler, child);
    *separator = ", ";
  }
}

static void render_concat(alch_compiler *compiler, const alch_node *node) {
  const char *separator = "concat(";
  render_concat_items(compiler, node, &separator);
  alch_write_char(compiler, ')');
}

static void render_infix(alch_compiler *compiler, const alch_node *node, const char *spelling) {
  alch_render_operand(compiler, alch_node_child(node), node->op);
  alch_write(compiler, spelling);
  alch_render_operand(compiler, second(node), node->op);
}

/* / gives a decimal, whatever it divides. */
static void render_floor_division(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, "FLOOR(");
  render_infix(compiler, node, " / ");
  alch_write_char(compiler, ')');
}

static void render_distinct_from(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, "NOT (");
  render_infix(compiler, node, " <=> ");
  alch_write_char(compiler, ')');
}

static void render_match(alch_compiler *compiler, const alch_node *node) {
  alch_write(compiler, node->op == ALCH_OPERATOR_MATCH ? "MATCH (" : "NOT MATCH (");
  alch_render(compiler, alch_node_child(node));
  alch_write(compiler, ") AGAINST (");
  alch_render(compiler, second(node));
  alch_write(compiler, " IN BOOLEAN MODE)");
}

static const alch_node *query_of(const alch_node *node) {
  if (node->kind == ALCH_NODE_SCALAR) node = alch_node_child(node);
  return alch_node_is_query(node) ? node : NULL;
}

static bool has_limit(const alch_node *query) {
  static const uint8_t kinds[] = { ALCH_NODE_LIMIT, ALCH_NODE_OFFSET, ALCH_NODE_FETCH };
  for (size_t i = 0; i < ALCH_COUNT(kinds); i++)
    if (alch_node_clause(query, kinds[i])) return true;
  return false;
}

/* The servers take no LIMIT in a query behind IN, ANY or ALL, but in one inside it. */
static void render_limited(alch_compiler *compiler, const alch_node *query) {
  alch_write(compiler, "(SELECT * FROM ");
  alch_render_subquery(compiler, query, ALCH_ROLE_NESTED);
  alch_write(compiler, " AS ");
  alch_write_identifier(compiler, alch_new_name(compiler, "limited", strlen("limited")));
  alch_write_char(compiler, ')');
}

static alch_status render_in(alch_compiler *compiler, const alch_node *node) {
  const alch_node *query = query_of(second(node));
  bool negative = node->op == ALCH_OPERATOR_NOT_IN;
  if (!query || !has_limit(query)) return alch_render_default(compiler, node);
  if (negative) alch_write_char(compiler, '(');
  alch_render_operand(compiler, alch_node_child(node), node->op);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  render_limited(compiler, query);
  if (negative) alch_write_char(compiler, ')');
  return compiler->status;
}

static alch_status render_binary(alch_compiler *compiler, const alch_node *node) {
  switch (node->op) {
    case ALCH_OPERATOR_CONCAT: render_concat(compiler, node); return compiler->status;
    case ALCH_OPERATOR_DIVIDE: render_infix(compiler, node, " / "); return compiler->status;
    case ALCH_OPERATOR_FLOOR_DIVIDE: render_floor_division(compiler, node); return compiler->status;
    case ALCH_OPERATOR_IS_DISTINCT: render_distinct_from(compiler, node); return compiler->status;
    case ALCH_OPERATOR_MATCH: case ALCH_OPERATOR_NOT_MATCH: render_match(compiler, node); return compiler->status;
    case ALCH_OPERATOR_IN: case ALCH_OPERATOR_NOT_IN: return render_in(compiler, node);
    default: return alch_render_default(compiler, node);
  }
}

static alch_status render_between(alch_compiler *compiler, const alch_node *node) {
  if (node->op == ALCH_OPERATOR_BETWEEN_SYMMETRIC || node->op == ALCH_OPERATOR_NOT_BETWEEN_SYMMETRIC)
    return unsupported(compiler, "BETWEEN SYMMETRIC", "write between with least and greatest of the bounds");
  return alch_render_default(compiler, node);
}

/* NULL comes before all values: where that is what is wanted, nothing needs to be said; else the items that are NULL are told apart first. */
static alch_status render_nulls(alch_compiler *compiler, const alch_node *node) {
  const alch_node *item = alch_node_child(node);
  bool first = node->op == ALCH_OPERATOR_NULLS_FIRST, descends = item->kind == ALCH_NODE_UNARY && item->op == ALCH_OPERATOR_DESC;
  if (first != descends) return alch_render(compiler, item);
  const alch_node *subject = item->kind == ALCH_NODE_UNARY && (item->op == ALCH_OPERATOR_DESC || item->op == ALCH_OPERATOR_ASC) ? alch_node_child(item) : item;
  alch_render_operand(compiler, subject, ALCH_OPERATOR_IS);
  alch_write(compiler, first ? " IS NOT NULL, " : " IS NULL, ");
  return alch_render(compiler, item);
}

static alch_status render_unary(alch_compiler *compiler, const alch_node *node) {
  if (node->op == ALCH_OPERATOR_NULLS_FIRST || node->op == ALCH_OPERATOR_NULLS_LAST) return render_nulls(compiler, node);
  if (node->op != ALCH_OPERATOR_ANY && node->op != ALCH_OPERATOR_ALL) return alch_render_default(compiler, node);
  const alch_node *query = query_of(alch_node_child(node));
  if (!query) return unsupported(compiler, "ANY or ALL of an array", "give a subquery, or write in_ with a list");
  if (!has_limit(query)) return alch_render_default(compiler, node);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  render_limited(compiler, query);
  return compiler->status;
}

/* ---- regular expressions ---- */

/* Flags as the pattern's first characters, or as an argument of the function. */
static void render_pattern(alch_compiler *compiler, const alch_node *node, const alch_node *pattern) {
  bool in_pattern = node->length > 0 && alch_mysql_has(compiler->dialect, ALCH_MYSQL_REGEXP_INLINE_FLAGS);
  if (!in_pattern) {
    if (node->op == ALCH_OPERATOR_REGEXP_REPLACE || node->length > 0) alch_render(compiler, pattern);
    else alch_render_operand(compiler, pattern, node->op);
    return;
  }
  alch_write(compiler, "CONCAT('(?', ");
  alch_write_quoted(compiler, alch_node_text(node), node->length);
  alch_write(compiler, ", ')', ");
  alch_render(compiler, pattern);
  alch_write_char(compiler, ')');
}

static void close_with_flags(alch_compiler *compiler, const alch_node *node) {
  if (node->length > 0 && !alch_mysql_has(compiler->dialect, ALCH_MYSQL_REGEXP_INLINE_FLAGS)) {
    alch_write(compiler, ", ");
    alch_write_quoted(compiler, alch_node_text(node), node->length);
  }
  alch_write_char(compiler, ')');
}

/* REGEXP_REPLACE(subject, pattern, replacement, position, occurrence, flags): SQLAlchemy leaves the two numbers out, and the flags would be taken for one. */
static void render_regexp_replace(alch_compiler *compiler, const alch_node *node) {
  const alch_node *subject = alch_node_child(node), *pattern = alch_node_next(subject);
  alch_write(compiler, "REGEXP_REPLACE(");
  alch_render(compiler, subject);
  alch_write(compiler, ", ");
  render_pattern(compiler, node, pattern);
  alch_write(compiler, ", ");
  alch_render(compiler, alch_node_next(pattern));
  if (node->length > 0 && !alch_mysql_has(compiler->dialect, ALCH_MYSQL_REGEXP_INLINE_FLAGS)) alch_write(compiler, ", 1, 0");
  close_with_flags(compiler, node);
}

static alch_status render_regexp(alch_compiler *compiler, const alch_node *node) {
  const alch_node *subject = alch_node_child(node);
  bool functions = alch_mysql_has(compiler->dialect, ALCH_MYSQL_REGEXP_FUNCTIONS), in_pattern = alch_mysql_has(compiler->dialect, ALCH_MYSQL_REGEXP_INLINE_FLAGS);
  if (node->op == ALCH_OPERATOR_REGEXP_REPLACE) {
    if (!functions && !in_pattern) return unsupported(compiler, "REGEXP_REPLACE", "it came with version 8.0");
    render_regexp_replace(compiler, node);
    return compiler->status;
  }
  if (node->length > 0 && !in_pattern) {
    if (!functions) return unsupported(compiler, "a regular expression with flags", "it came with version 8.0; compare lower() of both, or add a collation");
    alch_write(compiler, node->op == ALCH_OPERATOR_NOT_REGEXP ? "NOT REGEXP_LIKE(" : "REGEXP_LIKE(");
    alch_render(compiler, subject);
    alch_write(compiler, ", ");
    render_pattern(compiler, node, alch_node_next(subject));
    close_with_flags(compiler, node);
    return compiler->status;
  }
  alch_render_operand(compiler, subject, node->op);
  alch_write(compiler, alch_operator_spelling(compiler, node->op));
  render_pattern(compiler, node, alch_node_next(subject));
  return compiler->status;
}

/* ---- inside of JSON ---- */

static void render_extracted(alch_compiler *compiler, const alch_node *node, const char *before, const char *after) {
  alch_write(compiler, before);
  render_enclosed(compiler, node, "JSON_EXTRACT(", ")");
  alch_write(compiler, after);
}

/* JSON's own null is no NULL, and is told apart first. */
static void render_typed(alch_compiler *compiler, const alch_node *node) {
  const alch_type *type = alch_catalog_type(compiler->catalog, node->b);
  render_extracted(compiler, node, "CASE ", " WHEN 'null' THEN NULL");
  switch (type->family) {
    case ALCH_TYPE_BOOLEAN: alch_write(compiler, " WHEN true THEN true ELSE false"); break;
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: render_extracted(compiler, node, " ELSE CAST(", " AS SIGNED INTEGER)"); break;
    case ALCH_TYPE_NUMERIC: case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE:
      if (type->precision < 0 || type->scale < 0) {
        render_extracted(compiler, node, " ELSE ", "+0.0000000000000000000000");
        break;
      }
      render_extracted(compiler, node, " ELSE CAST(", " AS DECIMAL");
      alch_buffer_add_format(compiler->out, "(%d, %d))", (int)type->precision, (int)type->scale);
      break;
    default: render_extracted(compiler, node, " ELSE JSON_UNQUOTE(", ")");
  }
  alch_write(compiler, " END");
}

static alch_status render_subscript(alch_compiler *compiler, const alch_node *node) {
  if (node->op != ALCH_OPERATOR_JSON_INDEX && node->op != ALCH_OPERATOR_JSON_PATH) return unsupported(compiler, "an array", "keep the items in a table of their own, or in a JSON column");
  if (second(node)->kind != ALCH_NODE_BIND) return unsupported(compiler, "JSON access by an expression", "give get a key, a place or a list of them");
  if (alch_family_of(compiler, node) == ALCH_TYPE_JSON) render_extracted(compiler, node, "", "");
  else render_typed(compiler, node);
  return compiler->status;
}

static alch_status render_array(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  return unsupported(compiler, "an array", "keep the items in a table of their own, or in a JSON column");
}

/* ---- functions ---- */

/* MySQL takes both together since 8.0.12, MariaDB not yet (https://mariadb.com/kb/en/select-with-rollup/). */
static bool refuses_order(const alch_compiler *compiler) {
  const alch_node *order = compiler->scope ? alch_node_clause(compiler->scope->statement, ALCH_NODE_ORDER_BY) : NULL;
  return order && alch_node_child_count(order) > 0 && !alch_mysql_has(compiler->dialect, ALCH_MYSQL_ROW_ALIAS);
}

static alch_status render_function(alch_compiler *compiler, const alch_node *node) {
  if (alch_is_called(node, "rollup") && refuses_order(compiler))
    return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "ORDER BY beside ROLLUP is not supported by this version of the dialect '%s'; order a subquery's rows", compiler->dialect->name);
  if (alch_is_called(node, "rollup")) return render_enclosed(compiler, node, "", " WITH ROLLUP");
  if (alch_is_called(node, "cube")) return unsupported(compiler, "CUBE", "write a UNION ALL of a select for each grouping");
  if (alch_is_called(node, "grouping_sets")) return unsupported(compiler, "GROUPING SETS", "write a UNION ALL of a select for each grouping");
  return alch_render_default(compiler, node);
}

static alch_status render_within_group(alch_compiler *compiler, const alch_node *node) {
  (void)node;
  return unsupported(compiler, "WITHIN GROUP", alch_mysql_has(compiler->dialect, ALCH_MYSQL_WITHIN_GROUP) ? "as a window function it is: write over{ … } behind it" : "order the rows and take the one wanted");
}

/* percentile_cont and its kin are window functions here, so they stand with OVER or not at all. */
static alch_status render_over(alch_compiler *compiler, const alch_node *node) {
  alch_renderer outer = compiler->renderers[ALCH_NODE_WITHIN_GROUP];
  if (alch_mysql_has(compiler->dialect, ALCH_MYSQL_WITHIN_GROUP)) compiler->renderers[ALCH_NODE_WITHIN_GROUP] = alch_default_within_group;
  alch_render_default(compiler, node);
  compiler->renderers[ALCH_NODE_WITHIN_GROUP] = outer;
  return compiler->status;
}

/* ---- VALUES ---- */

/* Rows say that they are. */
static alch_status render_values(alch_compiler *compiler, const alch_node *node) {
  const char *before = "VALUES ROW(";
  if (!alch_mysql_has(compiler->dialect, ALCH_MYSQL_VALUES_ROW)) return alch_render_default(compiler, node);
  for ALCH_EACH_CHILD(row, node) {
    if (row->kind != ALCH_NODE_ROW) continue;
    alch_write(compiler, before);
    alch_render_children(compiler, row, ", ");
    alch_write_char(compiler, ')');
    before = ", ROW(";
  }
  return before[0] == 'V' ? alch_render_default(compiler, node) : compiler->status;
}

/* ---- sequences ---- */

static alch_status render_next_value(alch_compiler *compiler, const alch_node *node) {
  const alch_sequence *sequence = alch_catalog_sequence(compiler->catalog, node->a);
  if (!sequence || !alch_require(compiler, ALCH_CAPABILITY_SEQUENCES, "a sequence")) return compiler->status;
  alch_write(compiler, "nextval(");
  if (sequence->schema) {
    alch_quote_schema(compiler->dialect, sequence->schema, compiler->out);
    alch_write_char(compiler, '.');
  }
  alch_quote_identifier(compiler->dialect, sequence->name, sequence->quote, compiler->out);
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* ---- CAST ---- */

/* Inside of CAST there is no COLLATE. */
static void write_cast_collation(alch_compiler *compiler, const alch_type *type) {
  if (!type->collation) return;
  alch_write(compiler, " COLLATE ");
  alch_write_identifier(compiler, type->collation);
}

/* Types that CAST has no word for are kin of what the value is already (BOOL is a number): it stands as it is, as SQLAlchemy has it. */
static alch_status render_cast(alch_compiler *compiler, const alch_node *node) {
  if (node->op == 1) return alch_render_default(compiler, node);
  const alch_type *type = alch_type_in(alch_catalog_type(compiler->catalog, node->b), compiler->dialect->name);
  const alch_node *child = alch_node_child(node);
  alch_buffer name;
  if (alch_check_type(compiler, node->b) != ALCH_OK) return compiler->status;
  if (node->op == 1) return unsupported(compiler, "TRY_CAST", "cast, which gives 0 or NULL for what it cannot read");
  if (type->family == ALCH_TYPE_JSON && !alch_mysql_has(compiler->dialect, ALCH_MYSQL_JSON_TYPE)) return render_enclosed(compiler, node, "JSON_EXTRACT(", ", '$')");
  alch_buffer_init(&name, compiler->scratch.allocator);
  if (!alch_mysql_cast_type(compiler->dialect, type, &name)) {
    alch_render_operand(compiler, child, ALCH_OPERATOR_NEGATE);
  } else {
    alch_write(compiler, "CAST(");
    alch_render(compiler, child);
    alch_write(compiler, " AS ");
    alch_write(compiler, alch_buffer_text(&name));
    alch_write_char(compiler, ')');
    write_cast_collation(compiler, type);
  }
  if (alch_buffer_failed(&name)) alch_no_memory(compiler);
  alch_buffer_close(&name);
  return compiler->status;
}

/* ---- EXTRACT ---- */

/* Fields by the server's names; those that it does not have, with what gives them. */
static const struct { const char *field, *before, *after; } extracts[] = {
  { "epoch", "TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', ", ")" },
  { "dow", "DAYOFWEEK(", ") - 1" },
  { "isodow", "WEEKDAY(", ") + 1" },
  { "doy", "DAYOFYEAR(", ")" },
  { "millisecond", "EXTRACT(microsecond FROM ", ") DIV 1000" },
  { "milliseconds", "EXTRACT(microsecond FROM ", ") DIV 1000" },
};

static const char *const extract_fields[] = {
  "microsecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "second_microsecond", "minute_microsecond", "minute_second", "hour_microsecond", "hour_second",
  "hour_minute", "day_microsecond", "day_second", "day_minute", "day_hour", "year_month",
};

static alch_status no_field(alch_compiler *compiler, const alch_node *node) {
  char word[32];
  size_t length = node->length < sizeof word ? node->length : sizeof word - 1;
  memcpy(word, alch_node_text(node), length);
  word[length] = '\0';
  const char *nearest = alch_nearest(word, extract_fields, ALCH_COUNT(extract_fields));
  return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "%s is not a valid extract argument; %s '%s'", word, nearest ? "did you mean" : "there is for example", nearest ? nearest : "year");
}

static alch_status render_extract(alch_compiler *compiler, const alch_node *node) {
  for (size_t i = 0; i < ALCH_COUNT(extracts); i++)
    if (alch_is_called(node, extracts[i].field)) return render_enclosed(compiler, node, extracts[i].before, extracts[i].after);
  for (size_t i = 0; i < ALCH_COUNT(extract_fields); i++)
    if (alch_is_called(node, extract_fields[i])) return alch_render_default(compiler, node);
  return no_field(compiler, node);
}

const struct alch_renderer_override alch_mysql_renderers[] = {
  { ALCH_NODE_BINARY, render_binary },
  { ALCH_NODE_BETWEEN, render_between },
  { ALCH_NODE_UNARY, render_unary },
  { ALCH_NODE_REGEXP, render_regexp },
  { ALCH_NODE_SUBSCRIPT, render_subscript },
  { ALCH_NODE_ARRAY, render_array },
  { ALCH_NODE_FUNCTION, render_function },
  { ALCH_NODE_WITHIN_GROUP, render_within_group },
  { ALCH_NODE_OVER, render_over },
  { ALCH_NODE_VALUES, render_values },
  { ALCH_NODE_NEXT_VALUE, render_next_value },
  { ALCH_NODE_CAST, render_cast },
  { ALCH_NODE_EXTRACT, render_extract },
  { ALCH_NODE_EXCLUDED, alch_mysql_excluded },
  { ALCH_NODE_FROM, alch_mysql_from },
  { ALCH_NODE_JOIN, alch_mysql_join },
  { ALCH_NODE_LIMIT, alch_mysql_limit },
  { ALCH_NODE_OFFSET, alch_mysql_offset },
  { ALCH_NODE_FETCH, alch_mysql_fetch },
  { ALCH_NODE_FOR_UPDATE, alch_mysql_for_update },
  { ALCH_NODE_ON_CONFLICT, alch_mysql_on_conflict },
  { ALCH_NODE_ON_DUPLICATE_KEY, alch_mysql_on_duplicate_key },
  { 0, NULL },
};
