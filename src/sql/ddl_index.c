/* Indexes. */
#include "sql/ddl_part.h"
#include <string.h>

static alch_status nothing(alch_ddl *d) {
  (void)d;
  return ALCH_OK;
}

alch_status alch_ddl_index_words(alch_ddl *d) { return nothing(d); }
alch_status alch_ddl_index_more_words(alch_ddl *d) { return nothing(d); }
alch_status alch_ddl_index_method(alch_ddl *d) { return nothing(d); }
alch_status alch_ddl_index_suffix(alch_ddl *d) { return nothing(d); }

/* ---- places ---- */

bool alch_ddl_is_order(const alch_node *node) { return node->kind == ALCH_NODE_UNARY && node->op >= ALCH_OPERATOR_DESC && node->op <= ALCH_OPERATOR_NULLS_LAST; }

bool alch_ddl_is_atom(const alch_node *node) {
  switch (node->kind) {
    case ALCH_NODE_COLUMN: case ALCH_NODE_NAME: case ALCH_NODE_FUNCTION: case ALCH_NODE_CAST: case ALCH_NODE_EXTRACT: case ALCH_NODE_TEXT: case ALCH_NODE_LITERAL: case ALCH_NODE_GROUPING: case ALCH_NODE_COLLATE:
      return true;
    default: return false;
  }
}

const char *alch_ddl_operator_class(const alch_option *classes, const alch_column *column, const alch_block *expression) {
  const alch_node *node = expression ? alch_block_root(expression) : NULL;
  while (node && alch_ddl_is_order(node)) node = alch_node_child(node);
  const alch_node *label = node && node->kind == ALCH_NODE_LABEL ? node : NULL;
  const char *name = column ? column->key : label ? alch_node_text(label) : NULL;
  size_t length = column ? strlen(name) : label ? label->length : 0;
  for (uint32_t i = 0; name && classes && i < classes->count; i++) {
    const alch_option_item *item = &classes->items[i];
    if (item->name && strlen(item->name) == length && memcmp(item->name, name, length) == 0 && item->value.kind == ALCH_TEXT) return item->value.text;
  }
  return NULL;
}

alch_status alch_ddl_index_place(alch_ddl *d) {
  const alch_index *index = d->index;
  if (index->columns[d->place]) {
    alch_ddl_column_name(d, index->columns[d->place]);
    return ALCH_OK;
  }
  if (!alch_ddl_can(d, ALCH_CAPABILITY_EXPRESSION_INDEX))
    return alch_error_set(d->error, ALCH_ERROR_UNSUPPORTED_COMPILATION, "index '%s': dialect '%s' has no indexes on expressions; name columns only", index->name, d->dialect->name);
  return alch_ddl_expression(d, index->expressions[d->place]);
}

/* The dialect's own condition, or the one for all. */
alch_status alch_ddl_index_where(alch_ddl *d) {
  const alch_option *own = alch_ddl_option(d, &d->index->options, "where");
  const alch_block *block = own ? own->block : d->index->where;
  const char *text = alch_option_text(own);
  if (!block && !text) return ALCH_OK;
  if (!alch_ddl_can(d, ALCH_CAPABILITY_PARTIAL_INDEX))
    return alch_error_set(d->error, ALCH_ERROR_UNSUPPORTED_COMPILATION, "index '%s': dialect '%s' has no partial indexes; leave the where out", d->index->name, d->dialect->name);
  alch_ddl_add(d, " WHERE ");
  if (block) return alch_ddl_expression(d, block);
  alch_ddl_add(d, text);
  return ALCH_OK;
}

static alch_status places(alch_ddl *d) {
  alch_status status = ALCH_OK;
  alch_buffer_add_char(d->out, '(');
  for (d->place = 0; d->place < d->index->count && status == ALCH_OK; d->place++) {
    if (d->place > 0) alch_ddl_add(d, ", ");
    status = alch_ddl_write(d, ALCH_DDL_PART_INDEX_PLACE);
  }
  alch_buffer_add_char(d->out, ')');
  return status;
}

static alch_status head(alch_ddl *d, bool schema_before) {
  alch_ddl_add(d, d->index->unique ? "CREATE UNIQUE " : "CREATE ");
  alch_status status = alch_ddl_write(d, ALCH_DDL_PART_INDEX_WORDS);
  alch_ddl_add(d, "INDEX ");
  if (status == ALCH_OK) status = alch_ddl_write(d, ALCH_DDL_PART_INDEX_MORE_WORDS);
  if (status == ALCH_OK) status = alch_ddl_if_exists(d, ALCH_DDL_PART_CREATE_INDEX, "IF NOT EXISTS ");
  if (status == ALCH_OK) status = alch_ddl_index_name(d, schema_before);
  alch_ddl_add(d, " ON ");
  alch_ddl_table_name(d, d->index->table, !schema_before);
  alch_buffer_add_char(d->out, ' ');
  return status;
}

alch_status alch_ddl_create_index(alch_ddl *d) {
  alch_status status = head(d, alch_ddl_can(d, ALCH_CAPABILITY_INDEX_SCHEMA));
  if (status == ALCH_OK) status = alch_ddl_write(d, ALCH_DDL_PART_INDEX_METHOD);
  if (status == ALCH_OK) status = places(d);
  if (status == ALCH_OK) status = alch_ddl_write(d, ALCH_DDL_PART_INDEX_SUFFIX);
  return status == ALCH_OK ? alch_ddl_write(d, ALCH_DDL_PART_INDEX_WHERE) : status;
}

alch_status alch_ddl_drop_index(alch_ddl *d) {
  alch_ddl_add(d, "DROP INDEX ");
  alch_status status = alch_ddl_write(d, ALCH_DDL_PART_INDEX_MORE_WORDS);
  if (status == ALCH_OK) status = alch_ddl_if_exists(d, ALCH_DDL_PART_DROP_INDEX, "IF EXISTS ");
  return status == ALCH_OK ? alch_ddl_index_name(d, true) : status;
}
