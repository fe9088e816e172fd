/* Functions that Oracle has under another name or in another form, EXTRACT, and what is inside of JSON. */
#include "base/map.h"
#include "sql/dialects/oracle.h"
#include <string.h>

/* ---- functions ---- */

/* LISTAGG needed its order before 19. */
static bool is_listagg(const alch_node *node) { return alch_is_called(node, "aggregate_strings") || alch_is_called(node, "string_agg") || alch_is_called(node, "listagg"); }

static alch_status render_listagg(alch_compiler *compiler, const alch_node *node) {
  if (alch_is_distinct(node) && !alch_oracle_since(compiler->dialect, 19, 0)) return alch_oracle_unsupported(compiler, "LISTAGG of DISTINCT before Oracle 19", "select the distinct ones in a subquery");
  alch_render_default(compiler, node);
  if (!alch_oracle_since(compiler->dialect, 19, 0)) alch_write(compiler, " WITHIN GROUP (ORDER BY NULL)");
  return compiler->status;
}

/* mode() WITHIN GROUP (ORDER BY x) */
static alch_status render_mode(alch_compiler *compiler, const alch_node *order) {
  const alch_node *item = alch_node_nth(order, 0);
  while (item && item->kind == ALCH_NODE_UNARY && item->op >= ALCH_OPERATOR_DESC && item->op <= ALCH_OPERATOR_NULLS_LAST) item = alch_node_child(item);
  alch_write(compiler, "STATS_MODE(");
  if (item) alch_render(compiler, item);
  alch_write_char(compiler, ')');
  return compiler->status;
}

alch_status alch_oracle_within_group(alch_compiler *compiler, const alch_node *node) {
  const alch_node *function = alch_node_child(node);
  if (function->kind == ALCH_NODE_FUNCTION && alch_is_called(function, "mode")) return render_mode(compiler, alch_node_next(function));
  if (function->kind == ALCH_NODE_FUNCTION && is_listagg(function)) alch_render_default(compiler, function);
  else alch_render(compiler, function);
  alch_write(compiler, " WITHIN GROUP (ORDER BY ");
  alch_render_children(compiler, alch_node_next(function), ", ");
  alch_write_char(compiler, ')');
  return compiler->status;
}

/* Aggregates that take their order inside of the parentheses. */
static const char *const ordered[] = { "xmlagg", "collect", "json_arrayagg" };

alch_status alch_oracle_aggregate_order(alch_compiler *compiler, const alch_node *node) {
  const alch_node *function = alch_node_child(node);
  bool inside = false;
  for (size_t i = 0; i < ALCH_COUNT(ordered); i++) inside = inside || alch_is_called(function, ordered[i]);
  if (!inside) return alch_oracle_within_group(compiler, node);
  alch_buffer_add_bytes(compiler->out, alch_node_text(function), function->length);
  alch_write_char(compiler, '(');
  alch_render_children(compiler, function, ", ");
  alch_write(compiler, " ORDER BY ");
  alch_render_children(compiler, alch_node_next(function), ", ");
  alch_write_char(compiler, ')');
  return compiler->status;
}

static const char *const absent[] = { "current_time", "localtime", "array_agg" };

alch_status alch_oracle_function(alch_compiler *compiler, const alch_node *node) {
  uint32_t count = alch_node_child_count(node);
  if (alch_is_called(node, "concat") && count != 2 && !alch_oracle_since(compiler->dialect, 23, 0)) return alch_render_concatenated(compiler, node);
  if (is_listagg(node)) return render_listagg(compiler, node);
  for (size_t i = 0; i < ALCH_COUNT(absent); i++)
    if (alch_is_called(node, absent[i])) return alch_oracle_unsupported(compiler, absent[i], i < 2 ? "there is no TIME: take current_timestamp or localtimestamp" : "write collect(x), or aggregate_strings");
  return alch_render_default(compiler, node);
}

/* ---- EXTRACT ---- */

/* Fields that EXTRACT does not know, as expressions round the moment. Of TRUNC(x, 'IW') comes the Monday of x, whatever the session's territory. */
static const struct { const char *field, *before, *between, *after; } forms[] = {
  { "doy", "TO_NUMBER(TO_CHAR(", NULL, ", 'DDD'))" },
  { "week", "TO_NUMBER(TO_CHAR(", NULL, ", 'IW'))" },
  { "quarter", "TO_NUMBER(TO_CHAR(", NULL, ", 'Q'))" },
  { "isoyear", "TO_NUMBER(TO_CHAR(", NULL, ", 'IYYY'))" },
  { "dow", "mod(TRUNC(", ") - TRUNC(", ", 'IW') + 1, 7)" },
  { "isodow", "(TRUNC(", ") - TRUNC(", ", 'IW') + 1)" },
  { "epoch", "((CAST(", NULL, " AS DATE) - DATE '1970-01-01') * 86400)" },
};

static const char *const fields[] = { "year", "month", "day", "hour", "minute", "second", "timezone_hour", "timezone_minute", "doy", "week", "quarter", "isoyear", "dow", "isodow", "epoch" };
enum { OWN_FIELDS = 8, FIRST_OF_TIME = 3 };

static alch_status no_field(alch_compiler *compiler, const alch_node *node) {
  char word[32];
  size_t length = node->length < sizeof word ? node->length : sizeof word - 1;
  memcpy(word, alch_node_text(node), length);
  word[length] = '\0';
  const char *nearest = alch_nearest(word, fields, ALCH_COUNT(fields));
  return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "'%s' is no field that the dialect '%s' extracts; %s '%s'", word, compiler->dialect->name, nearest ? "did you mean" : "there is for example",
                            nearest ? nearest : "year");
}

/* A DATE has a time of day, but EXTRACT reads it of a TIMESTAMP only (ORA-30076). */
static alch_status render_own_field(alch_compiler *compiler, const alch_node *node, size_t field) {
  const alch_node *moment = alch_node_child(node);
  uint8_t family = alch_family_of(compiler, moment);
  bool converts = field >= FIRST_OF_TIME && (family == ALCH_TYPE_DATETIME || family == ALCH_TYPE_DATE);
  if (!converts) return alch_render_default(compiler, node);
  alch_write(compiler, "EXTRACT(");
  alch_buffer_add_bytes(compiler->out, alch_node_text(node), node->length);
  alch_write(compiler, " FROM CAST(");
  alch_render(compiler, moment);
  alch_write(compiler, " AS TIMESTAMP))");
  return compiler->status;
}

alch_status alch_oracle_extract(alch_compiler *compiler, const alch_node *node) {
  for (size_t i = 0; i < OWN_FIELDS; i++)
    if (alch_is_called(node, fields[i])) return render_own_field(compiler, node, i);
  for (size_t i = 0; i < ALCH_COUNT(forms); i++) {
    if (!alch_is_called(node, forms[i].field)) continue;
    alch_write(compiler, forms[i].before);
    alch_render(compiler, alch_node_child(node));
    if (forms[i].between) {
      alch_write(compiler, forms[i].between);
      alch_render(compiler, alch_node_child(node));
    }
    alch_write(compiler, forms[i].after);
    return compiler->status;
  }
  return no_field(compiler, node);
}

/* ---- JSON ---- */

/* A BLOB, which JSON was before 21, says that it is JSON. */
static void write_document(alch_compiler *compiler, const alch_node *node) {
  const alch_node *subject = alch_node_child(node);
  alch_render_operand(compiler, subject, node->op);
  if (subject->kind == ALCH_NODE_COLUMN && !alch_oracle_since(compiler->dialect, 21, 0)) alch_write(compiler, " FORMAT JSON");
  alch_write(compiler, ", ");
  /* The path must stand in the text. */
  alch_render_bind_literal(compiler, alch_node_next(subject));
}

static alch_status write_json(alch_compiler *compiler, const alch_node *node, const char *before, const char *after) {
  alch_write(compiler, before);
  write_document(compiler, node);
  alch_write(compiler, after);
  return compiler->status;
}

/* true and false come out as words, or as a number that somebody stored. */
static alch_status render_json_boolean(alch_compiler *compiler, const alch_node *node) {
  if (alch_can(compiler, ALCH_CAPABILITY_NATIVE_BOOLEAN)) return write_json(compiler, node, "JSON_VALUE(", " RETURNING BOOLEAN ERROR ON ERROR)");
  write_json(compiler, node, "CASE JSON_VALUE(", ") WHEN 'true' THEN 1 WHEN 'false' THEN 0");
  return write_json(compiler, node, " ELSE CAST(JSON_VALUE(", ") AS NUMBER(1)) END");
}

static alch_status render_json_numeric(alch_compiler *compiler, const alch_node *node) {
  const alch_type *type = alch_catalog_type(compiler->catalog, node->b);
  write_json(compiler, node, "JSON_VALUE(", " RETURNING NUMBER");
  if (type->precision > 0 && type->scale >= 0) alch_buffer_add_format(compiler->out, "(%d, %d)", (int)type->precision, (int)type->scale);
  alch_write(compiler, " ERROR ON ERROR)");
  return compiler->status;
}

alch_status alch_oracle_subscript(alch_compiler *compiler, const alch_node *node) {
  const alch_node *index = alch_node_next(alch_node_child(node));
  if (node->op != ALCH_OPERATOR_JSON_INDEX && node->op != ALCH_OPERATOR_JSON_PATH) return alch_oracle_unsupported(compiler, "the subscript of an array", "keep the items in a table of their own, or in a JSON column");
  if (index->kind != ALCH_NODE_BIND) return alch_oracle_unsupported(compiler, "JSON access by an expression", "give get a key, a place or a list of them");
  if (!alch_oracle_since(compiler->dialect, 12, 1)) return alch_oracle_unsupported(compiler, "access to the inside of a JSON value", "it came with version 12");
  switch (alch_family_of(compiler, node)) {
    case ALCH_TYPE_BOOLEAN: return render_json_boolean(compiler, node);
    case ALCH_TYPE_NUMERIC: return render_json_numeric(compiler, node);
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: return write_json(compiler, node, "JSON_VALUE(", " RETURNING INTEGER ERROR ON ERROR)");
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: return write_json(compiler, node, "JSON_VALUE(", " RETURNING FLOAT ERROR ON ERROR)");
    case ALCH_TYPE_STRING: case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE: case ALCH_TYPE_UNICODE_TEXT: return write_json(compiler, node, "JSON_VALUE(", " RETURNING VARCHAR2(4000) ERROR ON ERROR)");
    default: return write_json(compiler, node, "JSON_QUERY(", ")");
  }
}
