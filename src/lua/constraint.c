/* constraint.c - constraints and indexes: made from definitions, and listed. */
#include "lua/schema.h"
#include <string.h>

enum { DEFINITION = 3, DEFINITION_OF_INDEX = 2 };

const alch_block *binding_keep_expression(lua_State *L, binding *b, int index, const char *where) {
  size_t length = 0;
  if (lua_type(L, index) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, index, &length);
    alch_builder_start(&b->builder);
    alch_builder_leaf_text(&b->builder, ALCH_NODE_LITERAL, 0, 0, 0, text, length);
    binding_push_block(L, b, BINDING_EXPRESSION);
    lua_replace(L, index < 0 ? index - 1 : index);
  }
  const alch_block *block = binding_block(L, b, index);
  if (!block) binding_expected(L, b, index, "an expression or SQL as a string", where);
  const alch_block *kept = alch_catalog_keep_block(b->catalog, block, alch_block_size(block));
  if (!kept) binding_must(L, b, alch_error_out_of_memory(&b->error));
  return kept;
}

static const char *text_field(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1);   /* the definition keeps it */
  return text;
}

static int truth_field(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  int truth = lua_isnil(L, -1) ? -1 : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return truth;
}

/* The list of strings in a field, in memory that stays on the stack. Places that are no strings are NULL. */
static const char **text_list(lua_State *L, int index, const char *name, uint32_t *count) {
  lua_getfield(L, index, name);
  if (!lua_istable(L, -1)) { *count = 0; return NULL; }
  *count = (uint32_t)lua_rawlen(L, -1);
  const char **list = lua_newuserdatauv(L, (*count + 1) * sizeof *list, 0);
  for (uint32_t i = 0; i < *count; i++) {
    lua_rawgeti(L, -2, i + 1);
    list[i] = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 1);
  }
  return list;
}

static const char *const kind_names[] = { "primary_key", "foreign_key", "unique", "check", "exclude", NULL };

void binding_push_constraint(lua_State *L, binding *b, const alch_constraint *constraint) {
  *(binding_schema_item *)binding_new(L, b, BINDING_SCHEMA_ITEM, sizeof(binding_schema_item), 0) = (binding_schema_item){ constraint, NULL };
}

void binding_push_index(lua_State *L, binding *b, const alch_index *index) {
  *(binding_schema_item *)binding_new(L, b, BINDING_SCHEMA_ITEM, sizeof(binding_schema_item), 0) = (binding_schema_item){ NULL, (alch_index *)(uintptr_t)index };
}

/* Expressions at the places of a list (of what the field names) that are no strings; kept. */
static const alch_block **expression_list(lua_State *L, binding *b, int index, const char *field, const char **columns, uint32_t count, const char *where) {
  const alch_block **expressions = lua_newuserdatauv(L, (count + 1) * sizeof *expressions, 0);
  lua_getfield(L, index, field);
  for (uint32_t i = 0; i < count; i++) {
    expressions[i] = NULL;
    if (columns[i]) continue;
    lua_rawgeti(L, -1, i + 1);
    expressions[i] = binding_keep_expression(L, b, -1, where);
    lua_pop(L, 1);   /* the catalog has a copy */
  }
  lua_pop(L, 1);   /* the definition keeps its list */
  return expressions;
}

static const alch_block *expression_field(lua_State *L, binding *b, int index, const char *field, const char *where) {
  const alch_block *block = lua_getfield(L, index, field) == LUA_TNIL ? NULL : binding_keep_expression(L, b, -1, where);
  lua_pop(L, 1);   /* the catalog has a copy */
  return block;
}

/* add_constraint(table, kind, { name, columns, targets, ondelete, …, sqltext }) */
int binding_add_constraint(lua_State *L) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, "add_constraint");
  int kind = luaL_checkoption(L, 2, NULL, kind_names);
  luaL_checktype(L, DEFINITION, LUA_TTABLE);
  uint32_t count = 0, target_count = 0;
  const char **columns = text_list(L, DEFINITION, "columns", &count), **targets = text_list(L, DEFINITION, "targets", &target_count);
  if (targets && target_count != count)
    return binding_error(L, b, ALCH_ERROR_ARGUMENT, "ForeignKeyConstraint has %u columns and %u targets; it needs as many of each", (unsigned)count, (unsigned)target_count);
  alch_constraint constraint = {
    .kind = (alch_constraint_kind)kind, .name = text_field(L, DEFINITION, "name"), .targets = (const char *const *)targets,
    .ondelete = text_field(L, DEFINITION, "ondelete"), .onupdate = text_field(L, DEFINITION, "onupdate"), .match = text_field(L, DEFINITION, "match"),
    .initially = text_field(L, DEFINITION, "initially"), .comment = text_field(L, DEFINITION, "comment"), .deferrable = truth_field(L, DEFINITION, "deferrable"),
    .use_alter = truth_field(L, DEFINITION, "use_alter") == 1, .of_column = truth_field(L, DEFINITION, "of_column") == 1,
    .name_is_final = truth_field(L, DEFINITION, "name_is_final") == 1,
  };
  lua_getfield(L, DEFINITION, "sqltext");
  if (lua_type(L, -1) == LUA_TSTRING) constraint.check_text = lua_tostring(L, -1);
  else if (!lua_isnil(L, -1)) constraint.check = binding_keep_expression(L, b, -1, "CheckConstraint");
  if (constraint.kind == ALCH_CONSTRAINT_EXCLUDE) {
    uint32_t operator_count = 0;
    constraint.expressions = expression_list(L, b, DEFINITION, "columns", columns, count, "ExcludeConstraint");
    constraint.operators = (const char *const *)text_list(L, DEFINITION, "operators", &operator_count);
    constraint.method = text_field(L, DEFINITION, "using");
    constraint.where = expression_field(L, b, DEFINITION, "where", "the where of an ExcludeConstraint");
  }
  alch_constraint *made = NULL;
  binding_must(L, b, alch_table_add_constraint(table, &constraint, columns, count, &made, &b->error));
  binding_set_options(L, b, DEFINITION, &made->options);
  binding_set_condition(L, b, DEFINITION, &made->condition);
  binding_push_constraint(L, b, made);
  return 1;
}

/* add_index(table, { name, unique, columns = { key or expression, … }, where }) */
int binding_add_index(lua_State *L) {
  binding *b = BINDING(L);
  alch_table *table = binding_check_table(L, b, 1, "add_index");
  luaL_checktype(L, DEFINITION_OF_INDEX, LUA_TTABLE);
  uint32_t count = 0;
  const char **columns = text_list(L, DEFINITION_OF_INDEX, "columns", &count);
  const alch_block **expressions = expression_list(L, b, DEFINITION_OF_INDEX, "columns", columns, count, "Index");
  const alch_block *where = expression_field(L, b, DEFINITION_OF_INDEX, "where", "the where of an Index");
  alch_index *made = NULL;
  binding_must(L, b, alch_table_add_index(table, text_field(L, DEFINITION_OF_INDEX, "name"), truth_field(L, DEFINITION_OF_INDEX, "unique") == 1, columns, expressions, count, where, &made,
                                          &b->error));
  binding_set_options(L, b, DEFINITION_OF_INDEX, &made->options);
  binding_set_condition(L, b, DEFINITION_OF_INDEX, &made->condition);
  binding_push_index(L, b, made);
  return 1;
}

/* ---- listing ---- */

static void set_text(lua_State *L, const char *name, const char *text) {
  if (!text) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void push_columns(lua_State *L, alch_column *const *columns, uint32_t count) {
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_pushstring(L, columns[i] ? columns[i]->key : "");
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_targets(lua_State *L, const alch_constraint *constraint) {
  lua_createtable(L, (int)constraint->column_count, 0);
  for (uint32_t i = 0; i < constraint->column_count; i++) {
    lua_pushstring(L, constraint->targets[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

/* { kind, name, columns = keys, targets, ondelete, onupdate, … } */
static void push_constraint(lua_State *L, binding *b, const alch_constraint *constraint) {
  lua_newtable(L);
  set_text(L, "kind", kind_names[constraint->kind]);
  alch_buffer_clear(&b->scratch);
  binding_must(L, b, alch_constraint_name(constraint, &b->scratch, &b->error));
  set_text(L, "name", b->scratch.length > 0 ? alch_buffer_text(&b->scratch) : NULL);
  push_columns(L, constraint->columns, constraint->column_count);
  lua_setfield(L, -2, "columns");
  if (constraint->kind == ALCH_CONSTRAINT_FOREIGN_KEY) { push_targets(L, constraint); lua_setfield(L, -2, "targets"); }
  set_text(L, "ondelete", constraint->ondelete);
  set_text(L, "onupdate", constraint->onupdate);
  set_text(L, "sqltext", constraint->check_text);
  set_text(L, "comment", constraint->comment);
  binding_push_constraint(L, b, constraint);
  lua_setfield(L, -2, "record");
}

static void push_constraints(lua_State *L, binding *b, const alch_table *table, bool foreign_only) {
  lua_newtable(L);
  lua_Integer count = 0;
  if (!foreign_only) { push_constraint(L, b, table->primary_key); lua_rawseti(L, -2, ++count); }
  for (const alch_constraint *one = table->constraints; one; one = one->next) {
    if (foreign_only && one->kind != ALCH_CONSTRAINT_FOREIGN_KEY) continue;
    push_constraint(L, b, one);
    lua_rawseti(L, -2, ++count);
  }
}

static void push_indexes(lua_State *L, binding *b, const alch_table *table) {
  lua_newtable(L);
  lua_Integer count = 0;
  for (const alch_index *one = table->indexes; one; one = one->next) {
    lua_newtable(L);
    set_text(L, "name", one->name);
    lua_pushboolean(L, one->unique);
    lua_setfield(L, -2, "unique");
    push_columns(L, one->columns, one->count);
    lua_setfield(L, -2, "columns");
    binding_push_index(L, b, one);
    lua_setfield(L, -2, "record");
    lua_rawseti(L, -2, ++count);
  }
}

int binding_constraint_property(lua_State *L, binding *b, const alch_table *table) {
  if (binding_is(L, 2, "constraints")) push_constraints(L, b, table, false);
  else if (binding_is(L, 2, "foreign_keys")) push_constraints(L, b, table, true);
  else if (binding_is(L, 2, "indexes")) push_indexes(L, b, table);
  else return 0;
  return 1;
}
