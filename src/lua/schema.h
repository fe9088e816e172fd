/* schema.h - what schema.c, column.c and constraint.c share. The tables that the functions take are definitions, checked by lua/lualchemy/schema.lua. */
#ifndef ALCH_LUA_SCHEMA_H
#define ALCH_LUA_SCHEMA_H

#include "lua/binding.h"

alch_metadata *binding_check_metadata(lua_State *L, binding *b, int index, const char *where);

void binding_push_metadata(lua_State *L, binding *b, alch_metadata *metadata);

/* A constraint or index that is there; in Lua it is the field `record` of what describes it. */
typedef struct binding_schema_item { const alch_constraint *constraint; alch_index *index; } binding_schema_item;
void binding_push_constraint(lua_State *L, binding *b, const alch_constraint *constraint);
void binding_push_index(lua_State *L, binding *b, const alch_index *index);

/* sequence.c */
/* start, increment, minvalue … of the definition at index. */
void binding_read_counting(lua_State *L, binding *b, int definition, const char *where, alch_counting *out);
/* The field `identity` of a column's definition; false when there is none. */
bool binding_read_identity(lua_State *L, binding *b, int definition, alch_identity *out);
alch_sequence *binding_check_sequence(lua_State *L, binding *b, int index, const char *where);
void binding_push_sequence(lua_State *L, binding *b, alch_sequence *sequence);
/* The block of its next value, kept in the catalog. */
const alch_block *binding_next_value(lua_State *L, binding *b, const alch_sequence *sequence);
void binding_open_sequence(lua_State *L, binding *b);

/* view.c: view(metadata, definition): a table that is made from a query */
int binding_add_view(lua_State *L);

/* ddl.c */
void binding_open_ddl(lua_State *L, binding *b);

/* column.c */
/* Enters a column's expression in the table of columns on top of the stack, by place and by key. */
void binding_enter_column(lua_State *L, binding *b, const alch_column *column);
/* add_column(table, definition): what Column{} made, its name filled in; answers the column. */
int binding_add_column(lua_State *L);
/* The attributes that a column has as an expression: name, key, type, table, …; 0 when there is none of this name. */
int binding_column_property(lua_State *L, binding *b, const alch_column *column);

/* option.c */
/* One dialect option out of the value at index: plain, a list, a map, or an expression. */
void binding_set_option(lua_State *L, binding *b, int index, const char *name, alch_options *options);
/* All of the field `options` of the definition, in the order of their names. */
void binding_set_options(lua_State *L, binding *b, int definition, alch_options *options);
/* The field `condition` of the definition: { dialects = { … }, callable = function }. */
void binding_set_condition(lua_State *L, binding *b, int definition, alch_condition *out);
int binding_check_option(lua_State *L);   /* check_option(scope, name, where) */
int binding_is_option(lua_State *L);      /* is_option(scope, name) */

/* constraint.c */
/* add_constraint(table, kind, definition), add_index(table, definition) */
int binding_add_constraint(lua_State *L);
int binding_add_index(lua_State *L);
int binding_constraint_property(lua_State *L, binding *b, const alch_table *table);   /* constraints, foreign_keys, indexes */
/* A block that the schema keeps: the expression at index (a string: a literal). */
const alch_block *binding_keep_expression(lua_State *L, binding *b, int index, const char *where);

#endif
