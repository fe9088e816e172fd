#include "base/buffer.h"
#include "schema/metadata.h"
#include "schema/record.h"
#include <string.h>
#include <strings.h>

static const char *const words[] = {
  [ALCH_CONSTRAINT_PRIMARY_KEY] = "PrimaryKeyConstraint",
  [ALCH_CONSTRAINT_FOREIGN_KEY] = "ForeignKeyConstraint",
  [ALCH_CONSTRAINT_UNIQUE] = "UniqueConstraint",
  [ALCH_CONSTRAINT_CHECK] = "CheckConstraint",
  [ALCH_CONSTRAINT_EXCLUDE] = "ExcludeConstraint",
};

void alch_record_link_constraint(alch_constraint *constraint) {
  alch_table *table = constraint->table;
  if (table->last_constraint) table->last_constraint->next = constraint;
  else table->constraints = constraint;
  table->last_constraint = constraint;
}

bool alch_record_join_primary_key(alch_column *column) {
  alch_constraint *key = column->table->primary_key;
  alch_arena *arena = &column->table->metadata->catalog->arena;
  alch_column **columns = alch_arena_allocate(arena, (key->column_count + 1) * sizeof *columns);
  if (!columns) return false;
  for (uint32_t i = 0; i < key->column_count; i++) columns[i] = key->columns[i];
  columns[key->column_count++] = column;
  key->columns = columns;
  return true;
}

/* SET NULL and SET DEFAULT may name columns. */
static bool is_phrase(const char *phrase, const char *allowed) {
  size_t length = strlen(allowed), end = strlen(phrase);
  if (strncasecmp(phrase, allowed, length) != 0) return false;
  if (strncmp(allowed, "SET ", 4) != 0 || end == length) return end == length;
  const char *list = phrase + length + strspn(phrase + length, " ");
  return *list == '(' && strspn(list + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_, \"") == strlen(list) - 2 && phrase[end - 1] == ')';
}

/* These words go into the SQL as they are, so they must be known ones. */
static alch_status check_phrase(const char *phrase, const char *key, const char *const *allowed, alch_error *error) {
  size_t count = 0;
  if (!phrase) return ALCH_OK;
  for (; allowed[count]; count++)
    if (is_phrase(phrase, allowed[count])) return ALCH_OK;
  const char *nearest = alch_nearest(phrase, allowed, count);
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s cannot be '%s'; %s '%s'", key, phrase, nearest ? "did you mean" : "write for example", nearest ? nearest : allowed[0]);
}

static alch_status check_phrases(const alch_constraint *constraint, alch_error *error) {
  static const char *const actions[] = { "CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION", NULL };
  static const char *const times[] = { "DEFERRED", "IMMEDIATE", NULL };
  static const char *const matches[] = { "FULL", "PARTIAL", "SIMPLE", NULL };
  if (check_phrase(constraint->ondelete, "ondelete", actions, error) != ALCH_OK || check_phrase(constraint->onupdate, "onupdate", actions, error) != ALCH_OK) return ALCH_ERROR;
  if (check_phrase(constraint->initially, "initially", times, error) != ALCH_OK) return ALCH_ERROR;
  if (constraint->deferrable == 0 && constraint->initially && strcasecmp(constraint->initially, "DEFERRED") == 0)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "initially = \"DEFERRED\" contradicts deferrable = false; leave deferrable out");
  return check_phrase(constraint->match, "match", matches, error);
}

static alch_status check_constraint(const alch_table *table, const alch_constraint *constraint, uint32_t count, alch_error *error) {
  const char *word = words[constraint->kind];
  if (constraint->kind == ALCH_CONSTRAINT_CHECK && !constraint->of_type && !constraint->check == !constraint->check_text)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "CheckConstraint on table '%s' needs a condition: CheckConstraint{ \"price > 0\" }", table->full_name);
  if (count == 0 && (constraint->kind == ALCH_CONSTRAINT_UNIQUE || constraint->kind == ALCH_CONSTRAINT_FOREIGN_KEY || constraint->kind == ALCH_CONSTRAINT_EXCLUDE))
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s on table '%s' names no column", word, table->full_name);
  if (constraint->kind == ALCH_CONSTRAINT_FOREIGN_KEY && !constraint->targets)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s on table '%s' needs a target for each column: \"table.column\"", word, table->full_name);
  if (constraint->kind == ALCH_CONSTRAINT_EXCLUDE && !constraint->operators)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s on table '%s' needs an operator for each column: { \"room\", \"=\" }", word, table->full_name);
  return check_phrases(constraint, error);
}

/* A column that stands in a constraint twice is a slip of the hand, and some databases let it through. */
static alch_status check_twice(const alch_constraint *constraint, alch_error *error) {
  for (uint32_t i = 0; i < constraint->column_count; i++)
    for (uint32_t j = 0; j < i; j++)
      if (constraint->columns[i] && constraint->columns[i] == constraint->columns[j])
        return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s on table '%s' names the column '%s' twice", words[constraint->kind], constraint->table->full_name,
                              constraint->columns[i]->key);
  return ALCH_OK;
}

static alch_status find_columns(alch_constraint *constraint, const char *const *keys, uint32_t count, alch_error *error) {
  alch_table *table = constraint->table;
  constraint->columns = alch_arena_allocate(&table->metadata->catalog->arena, count * sizeof *constraint->columns);
  if (!constraint->columns) return alch_error_out_of_memory(error);
  constraint->column_count = count;
  for (uint32_t i = 0; i < count; i++)
    if ((keys[i] || constraint->kind != ALCH_CONSTRAINT_EXCLUDE) && alch_record_find_column(table, keys[i], words[constraint->kind], ALCH_ERROR_ARGUMENT, &constraint->columns[i], error) != ALCH_OK) return ALCH_ERROR;
  return check_twice(constraint, error);
}

static bool copy_expressions(alch_constraint *constraint) {
  if (!constraint->expressions) return true;
  constraint->expressions = alch_arena_copy(&constraint->table->metadata->catalog->arena, constraint->expressions, constraint->column_count * sizeof *constraint->expressions);
  return constraint->expressions != NULL;
}

static bool copy_texts(alch_constraint *constraint) {
  alch_catalog *catalog = constraint->table->metadata->catalog;
  const char **texts[] = { &constraint->name, &constraint->ondelete, &constraint->onupdate, &constraint->match, &constraint->initially, &constraint->check_text,
                           &constraint->comment, &constraint->method };
  for (size_t i = 0; i < ALCH_COUNT(texts); i++)
    if (!alch_record_text(catalog, texts[i])) return false;
  if (constraint->kind == ALCH_CONSTRAINT_FOREIGN_KEY) return alch_record_texts(catalog, &constraint->targets, constraint->column_count);
  if (constraint->kind == ALCH_CONSTRAINT_EXCLUDE) return alch_record_texts(catalog, &constraint->operators, constraint->column_count) && copy_expressions(constraint);
  return true;
}

static alch_status check_targets(const alch_constraint *constraint, alch_error *error) {
  for (uint32_t i = 0; i < constraint->column_count; i++) {
    const char *target = constraint->targets[i];
    if (!target || !*target || alch_record_target(target).table_length == 0)
      return alch_error_set(error, ALCH_ERROR_ARGUMENT, "ForeignKey of column '%s.%s' has the target '%s'; write \"table.column\"", constraint->table->full_name,
                            constraint->columns[i]->name, target ? target : "");
  }
  return ALCH_OK;
}

/* The columns flagged with primary_key must be those that the constraint names: which of the two was meant cannot be known. */
static alch_status check_flags(const alch_table *table, const alch_constraint *constraint, alch_error *error) {
  for (uint32_t i = 0; i < table->primary_key->column_count; i++) {
    const alch_column *flagged = table->primary_key->columns[i];
    bool named = false;
    for (uint32_t j = 0; j < constraint->column_count; j++) named = named || constraint->columns[j] == flagged;
    if (!named)
      return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Table '%s': column '%s' has primary_key = true but its PrimaryKeyConstraint does not name it; name it there or drop the flag",
                            table->full_name, flagged->name);
  }
  return ALCH_OK;
}

static alch_status adopt_primary_key(alch_constraint *given, alch_constraint **out, alch_error *error) {
  alch_table *table = given->table;
  alch_constraint *key = table->primary_key;
  if (!key->of_column) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "Table '%s' has a PrimaryKeyConstraint already", table->full_name);
  if (given->column_count == 0) {
    given->columns = key->columns;
    given->column_count = key->column_count;
  }
  if (check_flags(table, given, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < given->column_count; i++) {
    given->columns[i]->primary_key = true;
    if (!given->columns[i]->nullable_given) given->columns[i]->nullable = false;
  }
  *key = *given;
  *out = key;
  return ALCH_OK;
}

alch_status alch_table_add_constraint(alch_table *table, const alch_constraint *given, const char *const *columns, uint32_t count, alch_constraint **out, alch_error *error) {
  if (check_constraint(table, given, count, error) != ALCH_OK) return ALCH_ERROR;
  alch_constraint *constraint = alch_arena_copy(&table->metadata->catalog->arena, given, sizeof *given);
  if (!constraint) return alch_error_out_of_memory(error);
  constraint->table = table;
  constraint->referred = NULL;
  constraint->next = NULL;
  constraint->options = (alch_options){ NULL, NULL };
  constraint->condition = (alch_condition){ NULL, 0, 0 };
  if (find_columns(constraint, columns, count, error) != ALCH_OK) return ALCH_ERROR;
  if (constraint->kind == ALCH_CONSTRAINT_FOREIGN_KEY && check_targets(constraint, error) != ALCH_OK) return ALCH_ERROR;
  if (!copy_texts(constraint)) return alch_error_out_of_memory(error);
  if (constraint->kind == ALCH_CONSTRAINT_PRIMARY_KEY) {
    constraint->of_column = false;
    return adopt_primary_key(constraint, out, error);
  }
  alch_record_link_constraint(constraint);
  *out = constraint;
  return ALCH_OK;
}
