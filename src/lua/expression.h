/* expression.h - what the files that build expressions and statements share. */
#ifndef ALCH_LUA_EXPRESSION_H
#define ALCH_LUA_EXPRESSION_H

#include "lua/binding.h"
#include "sql/source.h"

/* operand.c */
/* The type of what a block gives, where values beside it need more than the core's coercion (custom types, JSON, dates, which may be tables); 0 else. */
alch_type_id binding_special_type(binding *b, const alch_block *block);
/* The right side of IN: a list, which stays in its slot; its items' memory stays on the stack. */
void binding_list_operand(lua_State *L, binding *b, int index, alch_type_id type, alch_operand *out);
/* A list of lists of `width` items, which stands beside a tuple, becomes one list of all items, in its slot; anything else stays. */
void binding_flatten_tuples(lua_State *L, binding *b, int index, uint32_t width);
/* Puts an operand into the node that is open in b->builder: a SELECT as a scalar subquery, a value as a bind. */
void binding_build_operand(lua_State *L, binding *b, const alch_operand *operand, alch_type_id type);
/* Does the table at index hold nothing? */
bool binding_is_empty(lua_State *L, int index);

/* expression.c */
/* A list of operands out of the arguments first .. top, or out of the one plain table that stands there: slots of the stack, from *start on. */
uint32_t binding_spread(lua_State *L, binding *b, int first, int *start);
/* Names in order_by and group_by: a string becomes the label of that name, in its slot. */
void binding_label_names(lua_State *L, binding *b, int first, uint32_t count);

/* container.c: JSON, arrays, key-value sets */
/* Does `contains` mean the operator for the expression at index, and no pattern? */
bool binding_is_container(lua_State *L, binding *b, int index);
/* Slot 1, the operator, slot 2, where a plain value takes the type that the operator wants. */
int binding_operate_container(lua_State *L, binding *b, alch_operator op);
/* construct.c: custom constructs, hooks of the compiler */
void binding_open_construct(lua_State *L, binding *b);
/* An empty buffer, pushed as an object that the collector closes. */
alch_buffer *binding_push_buffer(lua_State *L, binding *b);
void binding_open_container(lua_State *L, binding *b);

void binding_open_function(lua_State *L, binding *b);    /* function.c: functions, CASE, CAST */
void binding_open_literal(lua_State *L, binding *b);     /* literal.c: values, parameters, text */
int binding_text_bindparams(lua_State *L);               /* literal.c: text:bindparams, as Lua calls it */
/* literal.c: what columns, labels and other expressions answer when asked for a name that is no method. */
int binding_expression_property(lua_State *L);

/* selectable.c */
void binding_open_selectable(lua_State *L, binding *b);
/* A FROM element: pushes a SELECTABLE-rooted block (TABLE, SOURCE, JOIN) and answers it; raises for what is none. */
const alch_block *binding_push_from(lua_State *L, binding *b, int index, const char *where);
/* An expression for column `index` of a source, with the definitions of a block that has it. */
void binding_push_source_column(lua_State *L, binding *b, const alch_block *definitions, uint32_t source, uint32_t index);

/* derived.c */
void binding_open_derived(lua_State *L, binding *b);
/* The DEFINE of a source; NULL for tables and joins. */
const alch_node *binding_definition(const alch_block *selectable);
/* At what a definition is made of, with its place among the values. */
alch_reader binding_reader_at_definition(const alch_block *block, const alch_node *definition);
/* The same as a block of its own, on the stack. */
const alch_block *binding_push_element(lua_State *L, binding *b, const alch_block *selectable, const alch_node *definition);
/* The same source once more, under another name (NULL: a made-up one) and with other bits; on the stack. */
int binding_redefine(lua_State *L, binding *b, const alch_block *selectable, alch_definition kind, uint32_t bits, const char *name);

/* criteria.c */
/* where{ name = "Ann", score = la.ge(10) }: pushes one condition for each name, in the order of the columns, and answers how many. */
uint32_t binding_criteria(lua_State *L, binding *b, const alch_block *statement, int index);
void binding_open_criteria(lua_State *L, binding *b);

/* select.c */
/* The source that a name without a table means: the last one joined, else the first one selected or named in FROM; the table of an UPDATE or DELETE; 0 when there is none. */
uint32_t binding_leading_source(const alch_block *statement);

/* words.c */
void binding_open_words(lua_State *L, binding *b);
/* The texts of slots 2 .. of a method's call as WORDS nodes in their places; a last table { dialect = } says for whom they are. How many there are. */
uint32_t binding_words(lua_State *L, binding *b, const char *method);

/* statement.c, select.c, insert.c, update.c, compound.c, compile.c */
int binding_push_exists(lua_State *L, binding *b, int index);   /* exists.c: EXISTS round the select at index */
void binding_open_exists(lua_State *L, binding *b);
void binding_open_select(lua_State *L, binding *b);
void binding_open_insert(lua_State *L, binding *b);
void binding_open_update(lua_State *L, binding *b);
void binding_open_compound(lua_State *L, binding *b);
void binding_open_compile(lua_State *L, binding *b);
void binding_open_conflict(lua_State *L, binding *b);
int binding_insert_values(lua_State *L);          /* insert.c: insert:values, as Lua calls it */
int binding_statement_property(lua_State *L);     /* conflict.c: stmt.excluded */
/* Raises for an UPDATE or DELETE of a model that has neither where nor all_rows. */
void binding_check_guard(lua_State *L, binding *b, const alch_block *statement);

/* dialect.c: the dialect of this name; version: "8.4", or NULL for the newest. Raises. */
const alch_dialect *binding_named_dialect(lua_State *L, binding *b, const char *name, const char *version);
/* The record that the options at index ask for: dialect (a name, or an engine's dialect) and version. No table, or nothing in it: the default one. */
const alch_dialect *binding_options_dialect(lua_State *L, binding *b, int index);

/* insert.c: values for columns */
/* Checks the names of the table at index (a slot); column expressions among them become names, in a copy that takes the slot. */
void binding_value_names(lua_State *L, binding *b, const alch_table *table, int index);
/* The value at index for a column: an expression, or a value of the column's type. */
void binding_column_operand(lua_State *L, binding *b, int index, const alch_column *column, alch_operand *out);
void binding_build_value(lua_State *L, binding *b, const alch_operand *operand, const alch_column *column);
/* update.c: the values of the table at index, in the order of the columns, into arrays that have room for all columns; they stay on the stack. */
uint32_t binding_assignments(lua_State *L, binding *b, const alch_table *table, int index, const alch_column **columns, alch_operand *operands);
/* The same of a list of pairs { column or name, value }, in its own order. */
uint32_t binding_ordered_assignments(lua_State *L, binding *b, const alch_table *table, int index, const alch_column **columns, alch_operand *operands);
void binding_build_set(lua_State *L, binding *b, const alch_table *table, const alch_column *const *columns, const alch_operand *operands, uint32_t count, uint8_t op);
/* The statement at index, whose root must be one of the two kinds. */
const alch_block *binding_check_statement(lua_State *L, binding *b, int index, alch_node_kind kind, alch_node_kind other, const char *method);
/* The statement with `count` blocks of the stack, from `start` on, in one of its clauses. */
int binding_add_clause(lua_State *L, binding *b, const alch_block *statement, alch_node_kind clause, uint8_t op, int start, uint32_t count, bool replace);
/* Conditions of where and having from the arguments (criteria tables too): slots of the stack from *start on. */
uint32_t binding_conditions(lua_State *L, binding *b, const alch_block *statement, int first, int *start);
/* Column expressions of select and returning from the arguments. */
uint32_t binding_columns(lua_State *L, binding *b, int first, int *start, const char *where);

#endif
