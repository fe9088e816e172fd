#include "sql/source.h"
#include <string.h>

#define DEEPEST ALCH_SOURCE_DEEPEST

static const alch_node *definition_element(const alch_block *block, uint32_t source) {
  const alch_node *definition = alch_block_definition(block, source);
  return definition ? alch_node_child(definition) : NULL;
}

static alch_table *table_at(const alch_catalog *catalog, const alch_block *block, uint32_t source, uint32_t depth) {
  if (!(source & ALCH_ANONYMOUS)) return alch_catalog_table(catalog, source);
  const alch_node *element = depth < DEEPEST ? definition_element(block, source) : NULL;
  if (element && element->kind == ALCH_NODE_TABLESAMPLE) element = alch_node_child(element);
  if (!element || (element->kind != ALCH_NODE_TABLE && element->kind != ALCH_NODE_SOURCE)) return NULL;
  return table_at(catalog, block, element->a, depth + 1);
}

alch_table *alch_source_table(const alch_catalog *catalog, const alch_block *block, uint32_t source) { return table_at(catalog, block, source, 0); }

alch_table *alch_node_table(const alch_catalog *catalog, const alch_block *block, const alch_node *node) {
  switch (node->kind) {
    case ALCH_NODE_TABLE: case ALCH_NODE_COLUMN: case ALCH_NODE_STAR: case ALCH_NODE_ENTITY: case ALCH_NODE_INSERT: case ALCH_NODE_UPDATE: case ALCH_NODE_DELETE:
      return alch_source_table(catalog, block, node->a);
    default: return NULL;
  }
}

/* ---- types of columns ---- */

/* A column that takes its type from its foreign key's target may have it only now. */
alch_type_id alch_column_type(const alch_column *column) {
  if (column->type != 0 || column->has_type) return column->type;
  alch_constraint *key = alch_column_foreign_key(column, NULL);
  if (key && !key->referred) alch_foreign_key_resolve(key, NULL);
  return column->type;
}

static void table_output(const alch_column *column, alch_output *out) {
  *out = (alch_output){ .source = column->table->id, .index = column->index, .column = column, .type = alch_column_type(column), .name = column->name };
  out->name_length = (uint32_t)strlen(column->name);
}

/* ---- names ---- */

static void set_name(alch_output *out, const char *name, size_t length, bool anonymous) {
  out->name = name;
  out->name_length = (uint32_t)length;
  out->anonymous = anonymous;
}

/* A function lends its last name, a cast the name of the column inside; the rest is anonymous. */
static void name_function(const alch_node *node, alch_output *out) {
  const char *text = alch_node_text(node), *start = text;
  for (const char *c = text; c < text + node->length; c++)
    if (*c == '.') start = c + 1;
  set_name(out, start, (size_t)(text + node->length - start), true);
}

static void name_item(alch_output_walk *walk, const alch_node *node, alch_output *out) {
  alch_output inner;
  switch (node->kind) {
    case ALCH_NODE_LABEL:
      if (node->length > 0) set_name(out, alch_node_text(node), node->length, false);
      else name_item(walk, alch_node_child(node), out), out->anonymous = true;
      break;
    case ALCH_NODE_TEXT: case ALCH_NODE_LITERAL: case ALCH_NODE_NAME: set_name(out, alch_node_text(node), node->length, false); break;
    case ALCH_NODE_FUNCTION: name_function(node, out); break;
    case ALCH_NODE_UNARY:
      if (node->op == ALCH_OPERATOR_DISTINCT) name_item(walk, alch_node_child(node), out);
      else set_name(out, "anon", 4, true);
      break;
    case ALCH_NODE_NEXT_VALUE: set_name(out, "next_value", 10, true); break;
    case ALCH_NODE_OVER: case ALCH_NODE_FILTER: set_name(out, "anon", 4, true); break;
    case ALCH_NODE_WITHIN_GROUP: case ALCH_NODE_AGGREGATE_ORDER: case ALCH_NODE_CAST: case ALCH_NODE_TYPE_COERCE: case ALCH_NODE_GROUPING: name_item(walk, alch_node_child(node), out); break;
    case ALCH_NODE_COLUMN:
      if (alch_source_output_at(walk->catalog, walk->block, node->a, node->b, walk->depth + 1, &inner)) set_name(out, inner.name, inner.name_length, inner.anonymous);
      break;
    default: set_name(out, "anon", 4, true);
  }
}

/* ---- the walk ---- */

static uint32_t source_width(const alch_catalog *catalog, const alch_block *block, uint32_t source, uint32_t depth);

static const alch_node *first_member(const alch_node *query, uint32_t depth) {
  if (query->kind != ALCH_NODE_COMPOUND) return alch_has_outputs(query) ? query : NULL;
  const alch_node *members = depth < DEEPEST ? alch_node_clause(query, ALCH_NODE_MEMBERS) : NULL;
  return members && members->size > sizeof *members ? first_member(alch_node_child(members), depth + 1) : NULL;
}

const alch_node *alch_first_member(const alch_node *query) { return first_member(query, 0); }

static bool is_whole_source(const alch_node *item) { return item->kind == ALCH_NODE_ENTITY || (item->kind == ALCH_NODE_STAR && item->a != 0); }

static void enter_item(alch_output_walk *walk) {
  walk->next = 0;
  walk->width = 1;
  if (walk->item < walk->end && is_whole_source(walk->item)) walk->width = source_width(walk->catalog, walk->block, walk->item->a, walk->depth + 1);
}

static alch_output_walk outputs_of(const alch_catalog *catalog, const alch_block *block, const alch_node *clause, uint32_t depth) {
  alch_output_walk walk = { .catalog = catalog, .block = block, .depth = depth };
  if (clause && depth < DEEPEST) walk.item = alch_node_child(clause), walk.end = alch_node_next(clause);
  enter_item(&walk);
  return walk;
}

alch_output_walk alch_outputs_of(const alch_catalog *catalog, const alch_block *block, const alch_node *clause) { return outputs_of(catalog, block, clause, 0); }

static alch_output_walk outputs(const alch_catalog *catalog, const alch_block *block, const alch_node *query, uint32_t depth) {
  const alch_node *select = first_member(query, 0);
  if (!select) return outputs_of(catalog, block, NULL, depth);
  return outputs_of(catalog, block, alch_node_clause(select, select->kind == ALCH_NODE_SELECT ? ALCH_NODE_COLUMNS : ALCH_NODE_RETURNING), depth);
}

alch_output_walk alch_outputs(const alch_catalog *catalog, const alch_block *block, const alch_node *query) { return outputs(catalog, block, query, 0); }

/* Moves to the item that gives the column which is `ahead` columns on; false at the end. */
static bool advance(alch_output_walk *walk, uint32_t ahead) {
  while (walk->item < walk->end) {
    if (ahead < walk->width - walk->next) {
      walk->next += ahead;
      return true;
    }
    ahead -= walk->width - walk->next;
    walk->item = alch_node_next(walk->item);
    walk->place++;
    enter_item(walk);
  }
  return false;
}

static bool column_output(const alch_output_walk *walk, uint32_t source, uint32_t index, alch_output *out) {
  if (!alch_source_output_at(walk->catalog, walk->block, source, index, walk->depth + 1, out)) return false;
  out->source = source;
  out->index = index;
  return true;
}

/* What stands at the walk's place. */
static void current_output(alch_output_walk *walk, alch_output *out) {
  const alch_node *item = walk->item;
  bool whole = is_whole_source(item);
  if (!(whole || item->kind == ALCH_NODE_COLUMN) || !column_output(walk, item->a, whole ? walk->next : item->b, out)) {
    *out = (alch_output){ 0 };
    name_item(walk, item, out);
    out->type = alch_node_type_at(walk->catalog, walk->block, item, walk->depth);
  }
  out->item = item;
  out->place = walk->place;
}

bool alch_output_next(alch_output_walk *walk, alch_output *out) {
  if (!advance(walk, 0)) return false;
  current_output(walk, out);
  walk->next++;
  return true;
}

/* ---- columns by number ---- */

static const alch_node *nth_name(const alch_node *first, const alch_node *end, uint32_t index) {
  for (; first < end; first = alch_node_next(first))
    if (first->kind == ALCH_NODE_NAME && index-- == 0) return first;
  return NULL;
}

const alch_node *alch_element_name(const alch_node *element, uint32_t index) {
  if (element->kind == ALCH_NODE_VALUES) element = alch_node_child(element);
  if (element->kind != ALCH_NODE_LIST && element->kind != ALCH_NODE_TEXT) return NULL;
  return nth_name(alch_node_child(element), alch_node_next(element), index);
}

/* The value of a function is called as the function is here. */
static bool named_output(const alch_block *block, uint32_t source, const alch_node *element, uint32_t index, alch_output *out) {
  const alch_node *name = alch_element_name(element, index), *definition = alch_block_definition(block, source);
  if (!name) return false;
  *out = (alch_output){ .item = name, .index = index, .type = name->a, .name = alch_node_text(name), .name_length = name->length };
  if (name->length > 0) return true;
  if (definition && definition->length > 0) set_name(out, alch_node_text(definition), definition->length, false);
  else set_name(out, "anon", 4, true);
  return true;
}

static bool is_named(const alch_node *element) { return element->kind == ALCH_NODE_LIST || element->kind == ALCH_NODE_VALUES || element->kind == ALCH_NODE_TEXT; }

bool alch_source_output_at(const alch_catalog *catalog, const alch_block *block, uint32_t source, uint32_t index, uint32_t depth, alch_output *out) {
  alch_table *table = table_at(catalog, block, source, depth);
  if (table) {
    if (index >= table->column_count) return false;
    table_output(table->columns[index], out);
    return true;
  }
  const alch_node *element = depth < DEEPEST ? definition_element(block, source) : NULL;
  if (!element) return false;
  if (element->kind == ALCH_NODE_SOURCE) return alch_source_output_at(catalog, block, element->a, index, depth + 1, out);
  if (is_named(element)) return named_output(block, source, element, index, out);
  alch_output_walk walk = outputs(catalog, block, element, depth + 1);
  if (!advance(&walk, index)) return false;
  current_output(&walk, out);
  return true;
}

static bool same_name(const alch_output *left, const alch_output *right) {
  return left->name_length == right->name_length && memcmp(left->name, right->name, left->name_length) == 0;
}

bool alch_source_output(const alch_catalog *catalog, const alch_block *block, uint32_t source, uint32_t index, alch_output *out) {
  alch_output before;
  if (!alch_source_output_at(catalog, block, source, index, 0, out)) return false;
  if (alch_source_table(catalog, block, source)) return true;
  out->number = out->anonymous;
  for (uint32_t i = 0; i < index; i++)
    if (alch_source_output_at(catalog, block, source, i, 0, &before)) out->number += same_name(&before, out);
  return true;
}

uint32_t alch_output_count(alch_output_walk walk) {
  uint32_t width = 0;
  while (advance(&walk, 0)) {
    width += walk.width;
    walk.next = walk.width;
  }
  return width;
}

static uint32_t source_width(const alch_catalog *catalog, const alch_block *block, uint32_t source, uint32_t depth) {
  alch_table *table = table_at(catalog, block, source, depth);
  if (table) return table->column_count;
  const alch_node *element = depth < DEEPEST ? definition_element(block, source) : NULL;
  if (!element) return 0;
  if (element->kind == ALCH_NODE_SOURCE) return source_width(catalog, block, element->a, depth + 1);
  if (is_named(element)) {
    uint32_t width = 0;
    while (alch_element_name(element, width)) width++;
    return width;
  }
  return alch_output_count(outputs(catalog, block, element, depth + 1));
}

uint32_t alch_source_width(const alch_catalog *catalog, const alch_block *block, uint32_t source) { return source_width(catalog, block, source, 0); }
