/* Constraints: inside CREATE TABLE, and by themselves. */
#include "sql/ddl_part.h"
#include <string.h>
#include <strings.h>

/* A key that comes of the columns' flags starts with the column that numbers itself: databases want it first. */
static void key_columns(alch_ddl *d, const alch_constraint *key) {
  const alch_column *first = key->of_column && key->column_count > 1 ? alch_table_autoincrement(key->table) : NULL;
  if (!first) {
    alch_ddl_columns(d, key->columns, key->column_count);
    return;
  }
  alch_buffer_add_char(d->out, '(');
  alch_ddl_column_name(d, first);
  for (uint32_t i = 0; i < key->column_count; i++) {
    if (key->columns[i] == first) continue;
    alch_ddl_add(d, ", ");
    alch_ddl_column_name(d, key->columns[i]);
  }
  alch_buffer_add_char(d->out, ')');
}

alch_status alch_ddl_primary_key(alch_ddl *d) {
  alch_ddl_add(d, "PRIMARY KEY ");
  alch_status status = alch_ddl_write(d, ALCH_DDL_PART_KEY_WORDS);
  key_columns(d, d->constraint);
  return status == ALCH_OK ? alch_ddl_write(d, ALCH_DDL_PART_KEY_SUFFIX) : status;
}

alch_status alch_ddl_unique(alch_ddl *d) {
  alch_ddl_add(d, "UNIQUE ");
  alch_status status = alch_ddl_write(d, ALCH_DDL_PART_KEY_WORDS);
  alch_ddl_columns(d, d->constraint->columns, d->constraint->column_count);
  return status == ALCH_OK ? alch_ddl_write(d, ALCH_DDL_PART_KEY_SUFFIX) : status;
}

alch_status alch_ddl_key_words(alch_ddl *d) {
  (void)d;
  return ALCH_OK;
}

alch_status alch_ddl_key_suffix(alch_ddl *d) {
  (void)d;
  return ALCH_OK;
}

/* ---- foreign keys ---- */

alch_status alch_ddl_foreign_match(alch_ddl *d) {
  if (d->constraint->match) alch_buffer_add_format(d->out, " MATCH %s", d->constraint->match);
  return ALCH_OK;
}

/* SET NULL (a, b) is one database's. */
static alch_status foreign_action(alch_ddl *d, const char *words, const char *action) {
  if (!action) return ALCH_OK;
  if (strchr(action, '(')) return alch_ddl_unsupported(d, "list of columns behind SET NULL and SET DEFAULT", "leave the list out");
  alch_ddl_add(d, words);
  alch_ddl_add(d, action);
  return ALCH_OK;
}

alch_status alch_ddl_foreign_delete(alch_ddl *d) {
  return foreign_action(d, " ON DELETE ", d->constraint->ondelete);
}

alch_status alch_ddl_foreign_update(alch_ddl *d) {
  return foreign_action(d, " ON UPDATE ", d->constraint->onupdate);
}

alch_status alch_ddl_foreign_key(alch_ddl *d) {
  static const uint8_t parts[] = { ALCH_DDL_PART_FOREIGN_MATCH, ALCH_DDL_PART_FOREIGN_DELETE, ALCH_DDL_PART_FOREIGN_UPDATE };
  const alch_constraint *key = d->constraint;
  alch_status status = ALCH_OK;
  alch_ddl_add(d, "FOREIGN KEY");
  alch_ddl_columns(d, key->columns, key->column_count);
  alch_ddl_add(d, " REFERENCES ");
  alch_ddl_table_name(d, key->referred[0]->table, alch_ddl_can(d, ALCH_CAPABILITY_CROSS_SCHEMA_KEYS));
  alch_buffer_add_char(d->out, ' ');
  alch_ddl_columns(d, key->referred, key->column_count);
  for (size_t i = 0; i < ALCH_COUNT(parts) && status == ALCH_OK; i++) status = alch_ddl_write(d, parts[i]);
  return status;
}

/* ---- checks ---- */

/* column IN ('a', 'b'), for types that the database has not. */
static alch_status type_check(alch_ddl *d) {
  const alch_column *column = d->constraint->columns[0];
  const alch_type *type = alch_catalog_type(d->catalog, column->type);
  alch_status status = ALCH_OK;
  alch_ddl_column_name(d, column);
  alch_ddl_add(d, " IN (");
  if (type->family == ALCH_TYPE_BOOLEAN) alch_ddl_add(d, "0, 1");
  for (uint32_t i = 0; i < type->item_count && status == ALCH_OK; i++) {
    if (i > 0) alch_ddl_add(d, ", ");
    status = alch_ddl_literal(d, type->items[i]);
  }
  alch_buffer_add_char(d->out, ')');
  return status;
}

alch_status alch_ddl_check(alch_ddl *d) {
  const alch_constraint *check = d->constraint;
  alch_status status = ALCH_OK;
  alch_ddl_add(d, "CHECK (");
  if (check->of_type) status = type_check(d);
  else if (check->check) status = alch_ddl_expression(d, check->check);
  else alch_ddl_add(d, check->check_text);
  alch_buffer_add_char(d->out, ')');
  return status;
}

/* ---- EXCLUDE ---- */

static alch_status exclude_expression(alch_ddl *d, const alch_block *expression) {
  const alch_node *node = alch_block_root(expression);
  if (node->kind == ALCH_NODE_LABEL) node = alch_node_child(node);
  return alch_ddl_is_atom(node) ? alch_ddl_expression(d, expression) : alch_ddl_parenthesised(d, expression);
}

static alch_status exclude_place(alch_ddl *d, uint32_t place, const alch_option *classes) {
  const alch_constraint *exclude = d->constraint;
  const alch_block *expression = exclude->columns[place] ? NULL : exclude->expressions[place];
  const char *class = alch_ddl_operator_class(classes, exclude->columns[place], expression);
  alch_status status = ALCH_OK;
  if (place > 0) alch_ddl_add(d, ", ");
  if (exclude->columns[place]) alch_ddl_column_name(d, exclude->columns[place]);
  else status = exclude_expression(d, expression);
  if (class) alch_buffer_add_format(d->out, " %s", class);
  alch_buffer_add_format(d->out, " WITH %s", exclude->operators[place]);
  return status;
}

alch_status alch_ddl_exclude(alch_ddl *d) {
  const alch_constraint *exclude = d->constraint;
  const alch_option *classes = alch_ddl_option(d, &exclude->options, "ops");
  if (!alch_ddl_can(d, ALCH_CAPABILITY_EXCLUDE_CONSTRAINTS)) return alch_ddl_unsupported(d, "EXCLUDE constraint", "say with ddl_if for which dialect it is");
  alch_ddl_add(d, "EXCLUDE USING ");
  alch_status status = alch_ddl_word(d, exclude->method ? exclude->method : "gist");
  alch_ddl_add(d, " (");
  for (uint32_t i = 0; i < exclude->column_count && status == ALCH_OK; i++) status = exclude_place(d, i, classes);
  alch_buffer_add_char(d->out, ')');
  if (status != ALCH_OK || !exclude->where) return status;
  alch_ddl_add(d, " WHERE ");
  return alch_ddl_parenthesised(d, exclude->where);
}

/* ---- all of them ---- */

/* In the standard INITIALLY implies the word before it, which some databases want to see all the same. */
alch_status alch_ddl_deferrability(alch_ddl *d) {
  const alch_constraint *constraint = d->constraint;
  bool implied = constraint->initially && strcasecmp(constraint->initially, "DEFERRED") == 0;
  bool deferrable = constraint->deferrable < 0 ? implied : constraint->deferrable != 0;
  if (constraint->deferrable >= 0 || constraint->initially) alch_ddl_add(d, deferrable ? " DEFERRABLE" : " NOT DEFERRABLE");
  if (constraint->initially) alch_buffer_add_format(d->out, " INITIALLY %s", constraint->initially);
  return ALCH_OK;
}

alch_status alch_ddl_constraint_suffix(alch_ddl *d) {
  (void)d;
  return ALCH_OK;
}

alch_status alch_ddl_constraint(alch_ddl *d) {
  static const uint8_t bodies[] = {
    [ALCH_CONSTRAINT_PRIMARY_KEY] = ALCH_DDL_PART_PRIMARY_KEY, [ALCH_CONSTRAINT_FOREIGN_KEY] = ALCH_DDL_PART_FOREIGN_KEY, [ALCH_CONSTRAINT_UNIQUE] = ALCH_DDL_PART_UNIQUE,
    [ALCH_CONSTRAINT_CHECK] = ALCH_DDL_PART_CHECK,             [ALCH_CONSTRAINT_EXCLUDE] = ALCH_DDL_PART_EXCLUDE,
  };
  bool named;
  alch_status status = alch_ddl_constraint_name(d, "CONSTRAINT ", " ", &named);
  if (status == ALCH_OK) status = alch_ddl_write(d, bodies[d->constraint->kind]);
  if (status == ALCH_OK) status = alch_ddl_write(d, ALCH_DDL_PART_DEFERRABILITY);
  return status == ALCH_OK ? alch_ddl_write(d, ALCH_DDL_PART_CONSTRAINT_SUFFIX) : status;
}

/* ---- by themselves ---- */

static alch_status alter_table(alch_ddl *d) {
  if (!alch_ddl_can(d, ALCH_CAPABILITY_ALTER_CONSTRAINT))
    return alch_error_set(d->error, ALCH_ERROR_UNSUPPORTED_COMPILATION, "dialect '%s' cannot add or drop constraints of a table that is there; table '%s' must be built anew", d->dialect->name,
                          d->constraint->table->full_name);
  alch_ddl_add(d, "ALTER TABLE ");
  alch_ddl_table_name(d, d->constraint->table, true);
  return ALCH_OK;
}

alch_status alch_ddl_add_constraint(alch_ddl *d) {
  alch_status status = alter_table(d);
  alch_ddl_add(d, " ADD ");
  d->standing_alone = true;
  return status == ALCH_OK ? alch_ddl_constraint(d) : status;
}

alch_status alch_ddl_drop_constraint(alch_ddl *d) {
  bool named = true;
  alch_status status = alter_table(d);
  alch_ddl_add(d, " DROP CONSTRAINT ");
  if (status == ALCH_OK) status = alch_ddl_if_exists(d, ALCH_DDL_PART_DROP_CONSTRAINT, "IF EXISTS ");
  if (status == ALCH_OK) status = alch_ddl_constraint_name(d, "", "", &named);
  if (status == ALCH_OK && !named)
    return alch_error_set(d->error, ALCH_ERROR_COMPILE, "Can't emit DROP CONSTRAINT for a constraint of table '%s' that has no name; give it one, or the MetaData a naming_convention",
                          d->constraint->table->full_name);
  if (d->cascade) alch_ddl_add(d, " CASCADE");
  return status;
}
