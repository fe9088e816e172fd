/* compiler.h - internal to floor 3: the walk that turns a block into text, and what renderers (those of dialects too) use.
   A compiler lives on the stack of alch_compile; what it allocates for itself lies in its scratch arena. Errors stick: after the first one
   every call answers it and writes nothing that anyone will see, so a renderer may go on without asking. */
#ifndef ALCH_COMPILER_H
#define ALCH_COMPILER_H

#include "sql/compile.h"
#include "sql/expression.h"
#include "sql/source.h"

/* Ids in a growing array of the scratch arena. */
typedef struct alch_id_list { uint32_t *ids; uint32_t count, capacity; } alch_id_list;

/* One column that a select gives: where it comes from and what it is called there. */
typedef struct alch_named_output {
  alch_output output;
  const char *name;             /* zero-terminated; NULL until it is written for the first time, when a made-up name gets its number */
  bool numbered;                /* base_1, base_2, …: base is output.name, and an underscore when `repeated` */
  bool repeated;                /* the same column stood in the list before: id__1 */
} alch_named_output;

/* All columns of one SELECT or COMPOUND. */
typedef struct alch_output_plan {
  const alch_node *query;
  alch_named_output *outputs;
  uint32_t count;
  struct alch_output_plan *next;
} alch_output_plan;

/* What a query is rendered for. */
typedef enum alch_role {
  ALCH_ROLE_TOP,                /* the statement, or its members */
  ALCH_ROLE_NESTED,             /* inside an expression: correlates with the select around it */
  ALCH_ROLE_FROM,               /* a subquery or CTE: all columns get names, nothing correlates */
  ALCH_ROLE_LATERAL
} alch_role;

/* One item of a FROM clause: a node, or a bare source that some column named. */
typedef struct alch_from_item { const alch_node *node; uint32_t source; } alch_from_item;

/* One statement on the way down. */
typedef struct alch_scope {
  struct alch_scope *outer;
  const alch_node *statement;
  alch_role role;
  alch_from_item *froms;
  uint32_t from_count, from_capacity;
  alch_id_list sources;         /* all sources that its FROM shows */
  alch_output_plan *plan;       /* of a SELECT */
  const struct alch_insertion *insertion;   /* of an INSERT, see insertion.h */
  struct alch_insert *insert;   /* of a SELECT that gives an INSERT its rows, what it has to add; or NULL */
} alch_scope;

/* An INSERT from a SELECT: the columns with defaults that the SELECT must give as well. */
typedef struct alch_insert {
  const alch_column **defaults;
  uint32_t default_count;
  bool needs_where;             /* ON CONFLICT follows, which a parser would take for the ON of a join */
} alch_insert;

/* One DEFINE of the block. */
typedef struct alch_defined {
  const alch_node *node;
  const char *name;             /* zero-terminated; NULL until it is written for the first time */
  bool listed;                  /* CTE: in the WITH list */
  bool busy;                    /* its inside is being looked at */
  bool named;                   /* is looked for among those of this level */
} alch_defined;

/* What an aggregate has to take into its parentheses: the condition of FILTER where that becomes a CASE, and the LIST of its ORDER BY. */
typedef struct alch_aggregate { const alch_node *filter, *order; } alch_aggregate;

/* How many made-up names begin so. */
typedef struct alch_counter { const char *base; uint32_t length, count; struct alch_counter *next; } alch_counter;

typedef struct alch_compiler {
  const alch_catalog *catalog;
  const alch_dialect *dialect;
  const alch_block *block;
  const alch_compile_options *options;
  alch_buffer *out;
  alch_error *error;
  alch_status status;
  alch_arena scratch;
  alch_compiled *compiled;                             /* NULL when only text is wanted */
  alch_renderer renderers[ALCH_NODE_KIND_COUNT];       /* the default ones with the dialect's put over them */
  uint32_t *binds;                                     /* offsets of the BIND nodes in the structure, ascending: the place is the ordinal */
  uint32_t bind_count, bind_hint;
  const char **records;                                /* of the value area, by ordinal; made when first needed */
  alch_slot *slots;
  uint32_t slot_count, slot_capacity;
  alch_result_column *columns;
  uint32_t column_count, column_capacity;
  alch_defined *definitions;
  bool has_nesting;                                    /* some CTE is to stand where it is used */
  uint32_t definition_count;
  alch_output_plan *plans;
  alch_counter *counters;
  alch_scope *scope;
  struct alch_operand_text *operand;                   /* what the OPERAND of the block in hand stands for (hook.c) */
  alch_role role;                                      /* of the query that is rendered next */
  const char *hint;                                    /* what an unnamed bind is called after where placeholders have names; NULL: param */
  uint32_t hint_length;
  bool hint_whole;                                     /* the hint is the whole name */
  alch_insert *insert;                                 /* for the SELECT that is rendered next */
  alch_aggregate aggregate;                            /* for the function that is rendered next */
  uint8_t set;                                         /* ALCH_SET_ of the bind that is rendered next, and the width of its tuples */
  uint16_t set_width;
  uint32_t depth;
  bool literal_binds;                                  /* values are written into the text */
  const char *renamed;                                 /* what columns of this source are qualified with in place of its name (inserted, deleted); NULL: none is */
  uint32_t renamed_source;
  bool writes_values;                                  /* values are written when executing: the place takes no placeholders */
  bool unqualified;                                    /* columns stand without their table's name */
  bool collects;                                       /* the select list that comes next is the result's */
  bool condition;                                      /* what is rendered next stands where a condition does */
  bool in_operator;                                    /* beside an operator, however deep: what brings parentheses of its own there needs them */
  bool labels_in_full;                                 /* a name of a label stands for the label's expression */
  bool unlabelled;                                     /* outputs stand without labels */
  bool in_order_by;                                    /* labels of the select list stand as names */
} alch_compiler;

/* ---- rendering ---- */
/* Renders a node as its kind says, or as the dialect says for its kind. The renderers of FROM and ORDER BY alone are also called with NULL for a node: compiler->scope has the items, most of them inferred, and some databases want an order where none was asked for. */
alch_status alch_render(alch_compiler *compiler, const alch_node *node);
/* The default renderer, for an override that wants it for some of its nodes. */
alch_status alch_render_default(alch_compiler *compiler, const alch_node *node);
/* An operand of an operator, in parentheses where precedence asks for them. The one place that decides. */
alch_status alch_render_operand(alch_compiler *compiler, const alch_node *node, alch_operator parent);
/* The same where a condition stands (WHERE, ON, HAVING, AND, OR, WHEN): booleans become comparisons where the dialect has no native ones. parent: ALCH_OPERATOR_NONE outside of operators. */
alch_status alch_render_condition(alch_compiler *compiler, const alch_node *node, alch_operator parent);
/* The only condition of a WHEN or a FILTER: a boolean stands there as it is, unless the dialect keeps conditions and values apart. */
alch_status alch_render_lone_truth(alch_compiler *compiler, const alch_node *node);
/* Is it a condition by its own kind (a comparison, AND, EXISTS, …), which some databases do not take for a value? */
bool alch_is_condition(const alch_compiler *compiler, const alch_node *node);
/* Is it a value of type Boolean: a column, a function, a CASE, …? */
bool alch_is_boolean_value(const alch_compiler *compiler, const alch_node *node);
/* A condition where a value stands, for dialects that keep the two apart: a CASE that gives 1, 0 or NULL. */
alch_status alch_render_truth(alch_compiler *compiler, const alch_node *node);
/* Children of a node with a separator between. */
alch_status alch_render_children(alch_compiler *compiler, const alch_node *node, const char *separator);
/* The same with a text on either side: "length(CAST(", "", " AS BLOB))". */
alch_status alch_render_enclosed(alch_compiler *compiler, const alch_node *node, const char *before, const char *separator, const char *after);
/* The arguments of concat() with || between, in parentheses. */
alch_status alch_render_concatenated(alch_compiler *compiler, const alch_node *node);
/* Children of a node as conditions joined with AND. */
alch_status alch_render_conditions(alch_compiler *compiler, const alch_node *node);
/* What stands between the members of a compound: " UNION ALL ". */
const char *alch_compound_word(alch_compiler *compiler, uint8_t op);
/* A query in parentheses. */
alch_status alch_render_subquery(alch_compiler *compiler, const alch_node *query, alch_role role);
/* " RETURNING a, b"; qualified: with the table's name before the columns. */
alch_status alch_render_returning(alch_compiler *compiler, const alch_node *returning, bool qualified);
/* A column of a source by its number, with the source's name unless compiler->unqualified. */
alch_status alch_render_column(alch_compiler *compiler, uint32_t source, uint32_t index);
/* An item of ORDER BY: labels of the select list by name, columns of a compound by name. */
alch_status alch_render_order_item(alch_compiler *compiler, const alch_node *item);
/* One FROM item, with its AS. */
alch_status alch_render_source(alch_compiler *compiler, uint32_t source);
/* The name under which columns of a source are written. */
alch_status alch_render_source_name(alch_compiler *compiler, uint32_t source);
/* [schema.]table */
void alch_render_table_name(alch_compiler *compiler, const alch_table *table);

/* Is a WORDS node meant for this dialect? */
bool alch_words_apply(const alch_compiler *compiler, const alch_node *words);
/* Its text; of a hint of a source %(name)s is the source's name. */
alch_status alch_render_words(alch_compiler *compiler, const alch_node *words);
/* The words of a clause that are meant for this dialect, with a space before each; those of sources aside. */
alch_status alch_render_words_clause(alch_compiler *compiler, const alch_node *clause);
/* The hints of a source of this statement, by the dialect's source_hint. */
void alch_render_source_hints(alch_compiler *compiler, uint32_t source, bool before);

/* ---- writing ---- */
static inline void alch_write(alch_compiler *compiler, const char *text) { alch_buffer_add(compiler->out, text); }
static inline void alch_write_char(alch_compiler *compiler, char c) { alch_buffer_add_char(compiler->out, c); }
void alch_write_identifier(alch_compiler *compiler, const char *name);
/* [schema.]sequence */
void alch_write_sequence_name(alch_compiler *compiler, const alch_sequence *sequence);
/* Text in single quotes, as a literal. */
void alch_write_quoted(alch_compiler *compiler, const char *text, size_t length);
/* "base_n" with the next n of this base; lies in the scratch arena. */
const char *alch_new_name(alch_compiler *compiler, const char *base, size_t length);
const char *alch_operator_spelling(alch_compiler *compiler, uint8_t op);
alch_status alch_write_type(alch_compiler *compiler, alch_type_id type);
/* Refuses an exact type that the dialect has not: for those who write something else in the place of its name. */
alch_status alch_check_type(alch_compiler *compiler, alch_type_id type);

/* ---- asking ---- */
/* A renderer of functions takes what its parentheses are to hold beside the arguments; what is not taken is an error of whoever wanted it. */
alch_aggregate alch_take_aggregate(alch_compiler *compiler);
/* The first argument, in its CASE when there is a condition. */
alch_status alch_render_aggregated(alch_compiler *compiler, const alch_node *argument, const alch_aggregate *aggregate);
/* " ORDER BY …", or nothing. */
alch_status alch_render_aggregate_order(alch_compiler *compiler, const alch_aggregate *aggregate);
/* All arguments with their parentheses. */
alch_status alch_render_arguments(alch_compiler *compiler, const alch_node *function);
/* aggregate_strings(text, separator) in the dialect's words. */
alch_status alch_render_string_aggregate(alch_compiler *compiler, const alch_node *function);
/* CASE WHEN condition THEN: the condition, in parentheses when it is an operation. */
void alch_render_when(alch_compiler *compiler, const alch_node *condition, bool is_value);

/* The last part of a function's name, a.b.c: c. */
const char *alch_last_name(const alch_node *function, uint32_t *length);
/* Is this the function's whole name, whatever the case of its letters? */
bool alch_is_called(const alch_node *function, const char *name);
/* Is its first argument DISTINCT? */
bool alch_is_distinct(const alch_node *function);
/* Is it an operator with its operands, which SQLAlchemy puts in parentheses where a value is wanted: in SET, VALUES, WHEN? */
bool alch_is_operation(const alch_node *node);
static inline bool alch_can(const alch_compiler *compiler, alch_capability capability) { return alch_dialect_can(compiler->dialect, capability); }
alch_type_id alch_type_of(const alch_compiler *compiler, const alch_node *node);
uint8_t alch_family_of(const alch_compiler *compiler, const alch_node *node);
alch_defined *alch_defined_at(alch_compiler *compiler, uint32_t source);
/* The columns of a query, and one name of them. */
alch_output_plan *alch_plan_of(alch_compiler *compiler, const alch_node *query);
const char *alch_output_name(alch_compiler *compiler, alch_named_output *output);

/* ---- failing ---- */
alch_status alch_compile_error(alch_compiler *compiler, alch_error_kind kind, const char *format, ...) ALCH_PRINTF(3, 4);
/* "… is not supported by the dialect 'x'" unless it has the capability. */
bool alch_require(alch_compiler *compiler, alch_capability capability, const char *construct);
alch_status alch_no_memory(alch_compiler *compiler);

/* ---- the passes behind the renderers ---- */
bool alch_ids_have(const alch_id_list *list, uint32_t id);
void alch_ids_add(alch_compiler *compiler, alch_id_list *list, uint32_t id);
/* The sources of the columns in a subtree, not those inside queries of their own. */
void alch_collect_sources(alch_compiler *compiler, const alch_node *node, alch_id_list *list);
/* The sources of a FROM item. */
void alch_item_sources(alch_compiler *compiler, const alch_node *item, alch_id_list *list);
/* Fills the froms and sources of a SELECT's scope: what it names, what its columns and conditions use, less what it correlates. */
void alch_infer_froms(alch_compiler *compiler, alch_scope *scope);
/* Would a SELECT in this place name a source of a statement around it, in place of one of its own? */
bool alch_correlates(alch_compiler *compiler, const alch_node *select, alch_role role);
void alch_scope_add(alch_compiler *compiler, alch_scope *scope, const alch_node *node, uint32_t source);
/* The sources that the columns of a clause (NULL: none) name and the scope does not have yet. */
void alch_scope_add_used(alch_compiler *compiler, alch_scope *scope, const alch_node *clause);
/* The condition of a join, inferred from foreign keys. */
alch_status alch_render_join_condition(alch_compiler *compiler, const alch_node *left, const alch_node *right);
/* What a definition is called. */
const char *alch_defined_name(alch_compiler *compiler, alch_defined *defined);
bool alch_is_cte(const alch_defined *defined);
/* A function, VALUES, a sample of a table as a source, with its name. */
alch_status alch_render_table_function(alch_compiler *compiler, alch_defined *defined);
alch_status alch_render_table_values(alch_compiler *compiler, alch_defined *defined);
alch_status alch_render_values_query(alch_compiler *compiler, alch_defined *defined);   /* what stands behind AS in WITH, with its parentheses */
alch_status alch_render_sample(alch_compiler *compiler, alch_defined *defined);
/* WITH … inside a select, of the CTEs that are to stand where they are used. */
void alch_render_nested_with(alch_compiler *compiler, const alch_node *select);
/* WITH … before the statement, when it uses CTEs. */
alch_status alch_render_with(alch_compiler *compiler);
/* The items of a select list or RETURNING, with their labels, and as result columns when compiler->collects. */
alch_status alch_render_outputs(alch_compiler *compiler, alch_output_plan *plan, alch_role role);
alch_output_plan *alch_plan_clause(alch_compiler *compiler, const alch_node *query, const alch_node *clause);

/* What stands before and behind an item of a list of so many behind IN: commas, or where that is more than the dialect's list_limit, a select of each. */
void alch_list_before(const alch_dialect *dialect, int64_t item, int64_t count, alch_buffer *out);
void alch_list_behind(const alch_dialect *dialect, int64_t count, alch_buffer *out);
/* What stands in place of the items of an empty list (set: ALCH_SET_): x IN (…) is then false, x NOT IN (…) true. width: of a tuple; 0 and 1: no tuple. */
void alch_empty_set_write(const alch_dialect *dialect, uint8_t set, uint32_t width, alch_buffer *out);

/* ---- slots ---- */
/* One more placeholder for what a slot that was taken back stood for. */
void alch_slot_repeat(alch_compiler *compiler, const alch_slot *slot);
/* A placeholder for a BIND node; column: what it is written into, or NULL. */
alch_status alch_render_bind(alch_compiler *compiler, const alch_node *bind, const alch_column *column);
/* A BIND node whose value is to be written into the text when executing, since the place takes no placeholder; at once where literals are wanted. */
alch_status alch_render_bind_literal(alch_compiler *compiler, const alch_node *bind);
/* A placeholder that the database writes into: column number `index` of the row that RETURNING … INTO gives. */
alch_status alch_render_out(alch_compiler *compiler, alch_type_id type, const alch_column *column);
/* A placeholder for a value that the execution gives by name. */
alch_status alch_render_parameter(alch_compiler *compiler, const char *name, size_t length, alch_type_id type, const alch_column *column);
/* A placeholder for a column's client-side default (update: its onupdate). */
alch_status alch_render_default_slot(alch_compiler *compiler, const alch_column *column, bool update);
/* A column's default: a slot, or its SQL; false when it has none that the statement must carry. */
bool alch_has_default(const alch_compiler *compiler, const alch_column *column, bool update);
alch_status alch_render_column_default(alch_compiler *compiler, const alch_column *column, bool update);
/* A block of its own (a default, a check) in the midst of the text, its values written out. */
alch_status alch_render_foreign_block(alch_compiler *compiler, const alch_block *block);

/* ---- INSERT, UPDATE, DELETE ---- */
/* Begins the scope of a statement that writes. */
void alch_open_writing(alch_compiler *compiler, alch_scope *scope, const alch_node *statement);
/* Is it the whole statement, and no CTE of another? */
static inline bool alch_is_whole(const alch_scope *scope) { return scope->outer == NULL && scope->role == ALCH_ROLE_TOP; }
/* " FROM a, b" or " USING a, b": the further tables of an UPDATE or DELETE. */
alch_status alch_render_further_tables(alch_compiler *compiler, const char *word);
/* The table that a statement writes to; NULL, and an error, when there is none. */
alch_table *alch_target_table(alch_compiler *compiler, const alch_node *statement);
/* A value on its way into a column; row: its number among several, or -1. */
alch_status alch_render_value_for(alch_compiler *compiler, const alch_node *value, const alch_column *column, int64_t row);
alch_status alch_render_parameter_for(alch_compiler *compiler, const alch_column *column);
/* column = value, of an ASSIGN node. */
void alch_render_assign(alch_compiler *compiler, const alch_node *assign, const char *equals);
void alch_write_column_name(alch_compiler *compiler, const alch_column *column);
/* Will the execution give this column's value by name? */
bool alch_is_parameter(const alch_compiler *compiler, const alch_column *column);

/* ---- default renderers by family; the table is in compile.c ---- */
#define ALCH_RENDERER(name) alch_status alch_default_##name(alch_compiler *compiler, const alch_node *node)
ALCH_RENDERER(column); ALCH_RENDERER(bind); ALCH_RENDERER(null); ALCH_RENDERER(true); ALCH_RENDERER(false); ALCH_RENDERER(default_word); ALCH_RENDERER(star);
ALCH_RENDERER(entity); ALCH_RENDERER(text); ALCH_RENDERER(literal); ALCH_RENDERER(unary); ALCH_RENDERER(binary); ALCH_RENDERER(custom); ALCH_RENDERER(between); ALCH_RENDERER(list); ALCH_RENDERER(grouping);
ALCH_RENDERER(tuple); ALCH_RENDERER(function); ALCH_RENDERER(case); ALCH_RENDERER(cast); ALCH_RENDERER(regexp); ALCH_RENDERER(name); ALCH_RENDERER(type_coerce); ALCH_RENDERER(extract); ALCH_RENDERER(collate); ALCH_RENDERER(label);
ALCH_RENDERER(label_name); ALCH_RENDERER(exists); ALCH_RENDERER(scalar); ALCH_RENDERER(over); ALCH_RENDERER(frame); ALCH_RENDERER(filter); ALCH_RENDERER(within_group); ALCH_RENDERER(aggregate_order); ALCH_RENDERER(excluded);
ALCH_RENDERER(values); ALCH_RENDERER(table); ALCH_RENDERER(source); ALCH_RENDERER(join); ALCH_RENDERER(select); ALCH_RENDERER(compound); ALCH_RENDERER(insert); ALCH_RENDERER(update); ALCH_RENDERER(delete);
ALCH_RENDERER(prefixes); ALCH_RENDERER(distinct); ALCH_RENDERER(columns); ALCH_RENDERER(from); ALCH_RENDERER(where); ALCH_RENDERER(group_by); ALCH_RENDERER(having); ALCH_RENDERER(order_by);
ALCH_RENDERER(fetch); ALCH_RENDERER(hints); ALCH_RENDERER(suffixes); ALCH_RENDERER(words); ALCH_RENDERER(limit); ALCH_RENDERER(offset); ALCH_RENDERER(for_update); ALCH_RENDERER(on_conflict); ALCH_RENDERER(returning); ALCH_RENDERER(set); ALCH_RENDERER(nothing); ALCH_RENDERER(members);
ALCH_RENDERER(subscript); ALCH_RENDERER(array); ALCH_RENDERER(operand); ALCH_RENDERER(next_value);
#undef ALCH_RENDERER

#endif
