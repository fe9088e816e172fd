/* ddl.c - DDL as text: single statements, and what creating or dropping a whole MetaData comes to. lua/lualchemy/ddl.lua makes objects of it. */
#include "lua/expression.h"
#include "lua/schema.h"
#include "sql/ddl.h"
#include <string.h>

static const char *const kind_names[] = { "table", "index", "constraint", "sequence", "schema", "type", "table_comment", "column_comment", "constraint_comment", "attachment", NULL };
static const char *const action_names[] = { "create", "drop", NULL };

_Static_assert(ALCH_COUNT(kind_names) == ALCH_DDL_KIND_COUNT + 1, "one name a kind of statement");

/* ---- what a statement is about ---- */

static const alch_column *check_column(lua_State *L, binding *b, int index) {
  const alch_block *block = binding_test(L, b, index, BINDING_EXPRESSION);
  const alch_node *root = block ? alch_block_root(block) : NULL;
  if (!root || root->kind != ALCH_NODE_COLUMN || (root->a & ALCH_ANONYMOUS)) binding_expected(L, b, index, "a column of a table", "DDL");
  return alch_catalog_table(b->catalog, root->a)->columns[root->b];
}

static const binding_schema_item *check_item(lua_State *L, binding *b, int index, bool index_wanted) {
  const binding_schema_item *item = binding_test(L, b, index, BINDING_SCHEMA_ITEM);
  const char *expected = index_wanted ? "an Index of a table" : "a constraint of a table";
  if (!item || !(index_wanted ? (const void *)item->index : (const void *)item->constraint)) binding_expected(L, b, index, expected, "DDL");
  return item;
}

static void set_subject(lua_State *L, binding *b, int index, alch_ddl_statement *statement) {
  switch (statement->kind) {
    case ALCH_DDL_TABLE: case ALCH_DDL_TABLE_COMMENT: case ALCH_DDL_ATTACHMENT: statement->table = binding_check_table(L, b, index, "DDL"); return;
    case ALCH_DDL_INDEX: statement->index = check_item(L, b, index, true)->index; return;
    case ALCH_DDL_CONSTRAINT: case ALCH_DDL_CONSTRAINT_COMMENT: statement->constraint = check_item(L, b, index, false)->constraint; return;
    case ALCH_DDL_SEQUENCE: statement->sequence = binding_check_sequence(L, b, index, "DDL"); return;
    case ALCH_DDL_COLUMN_COMMENT: statement->column = check_column(L, b, index); return;
    case ALCH_DDL_TYPE: statement->type = alch_catalog_type(b->catalog, binding_check_type(L, b, index, "DDL")); return;
    default: statement->schema = binding_text(L, b, index, NULL, "a schema's name", "DDL"); return;
  }
}

static bool truth(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  bool answer = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return answer;
}

static void push_text(lua_State *L, binding *b, const alch_dialect *dialect, const alch_ddl_statement *statement) {
  alch_buffer text;
  alch_buffer_init(&text, &b->allocator);
  binding_enter(L, b);
  alch_status status = alch_compile_ddl(b->catalog, dialect, statement, &text, &b->error);
  if (status == ALCH_OK && lua_checkstack(L, 2)) {
    alch_buffer_clear(&b->scratch);
    alch_buffer_add_bytes(&b->scratch, alch_buffer_text(&text), text.length);
    if (alch_buffer_failed(&b->scratch)) status = alch_error_out_of_memory(&b->error);
  }
  alch_buffer_close(&text);
  binding_must(L, b, status);
  lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
}

/* ddl(kind, action, thing, { dialect, version, if_exists, cascade }): the statement as text */
static int ddl_statement(lua_State *L) {
  binding *b = BINDING(L);
  alch_ddl_statement statement = { .kind = (uint8_t)luaL_checkoption(L, 1, NULL, kind_names), .action = (uint8_t)luaL_checkoption(L, 2, NULL, action_names) };
  luaL_checktype(L, 4, LUA_TTABLE);
  set_subject(L, b, 3, &statement);
  statement.if_exists = truth(L, 4, "if_exists");
  statement.cascade = truth(L, 4, "cascade");
  push_text(L, b, binding_options_dialect(L, b, 4), &statement);
  return 1;
}

/* ---- all of a MetaData ---- */

/* A plan on the stack, closed by whatever comes. */
typedef struct held_plan { alch_ddl_plan plan; } held_plan;

static int held_plan_gc(lua_State *L) {
  held_plan *held = lua_touserdata(L, 1);
  if (held->plan.allocator) alch_ddl_plan_close(&held->plan);
  held->plan = (alch_ddl_plan){ .allocator = NULL };
  return 0;
}

static held_plan *push_plan(lua_State *L) {
  held_plan *held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = (held_plan){ .plan = { .allocator = NULL } };
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, held_plan_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return held;
}

/* ddl_script(metadata, action, { dialect, version }): a list of { sql =, table = the table it belongs to or nil } */
static int ddl_script(lua_State *L) {
  binding *b = BINDING(L);
  alch_metadata *metadata = binding_check_metadata(L, b, 1, "create_script");
  alch_ddl_action action = (alch_ddl_action)luaL_checkoption(L, 2, NULL, action_names);
  const alch_dialect *dialect = binding_options_dialect(L, b, 3);
  held_plan *held = push_plan(L);
  int plan_index = lua_gettop(L);
  binding_enter(L, b);
  binding_must(L, b, alch_ddl_plan_make(&held->plan, dialect, metadata, action, NULL, true, &b->error));
  lua_createtable(L, (int)held->plan.count, 0);
  for (uint32_t i = 0; i < held->plan.count; i++) {
    alch_table *table = (alch_table *)(uintptr_t)alch_ddl_owner(&held->plan.statements[i]);
    lua_createtable(L, 0, 2);
    push_text(L, b, dialect, &held->plan.statements[i]);
    lua_setfield(L, -2, "sql");
    if (table) {
      binding_push_table(L, b, table);
      lua_setfield(L, -2, "table");
    }
    lua_rawseti(L, -2, i + 1);
  }
  lua_remove(L, plan_index);
  return 1;
}

/* quote_table(table, { dialect, version }): fullname, table, schema, quoted */
static int ddl_quote_table(lua_State *L) {
  binding *b = BINDING(L);
  const alch_table *table = binding_check_table(L, b, 1, "DDL");
  const alch_dialect *dialect = binding_options_dialect(L, b, 2);
  for (int part = 0; part < 3; part++) {
    alch_buffer_clear(&b->scratch);
    if (part < 2) alch_quote_table(dialect, table, part == 0, &b->scratch);
    else if (table->schema) alch_quote_schema(dialect, table->schema, &b->scratch);
    if (alch_buffer_failed(&b->scratch)) binding_must(L, b, alch_error_out_of_memory(&b->error));
    lua_pushlstring(L, alch_buffer_text(&b->scratch), b->scratch.length);
  }
  return 3;
}

/* check_dialect(name): raises for a name that no dialect has */
static int ddl_check_dialect(lua_State *L) {
  binding_named_dialect(L, BINDING(L), luaL_checkstring(L, 1), NULL);
  return 0;
}

/* set_condition(record, condition) */
static int ddl_set_condition(lua_State *L) {
  binding *b = BINDING(L);
  const binding_schema_item *item = binding_check(L, b, 1, BINDING_SCHEMA_ITEM);
  lua_settop(L, 2);
  lua_createtable(L, 0, 1);
  lua_insert(L, 2);
  lua_setfield(L, 2, "condition");
  binding_set_condition(L, b, 2, item->index ? &item->index->condition : &((alch_constraint *)(uintptr_t)item->constraint)->condition);
  return 0;
}

/* isolate(constraint): CREATE TABLE leaves it to AddConstraint */
static int ddl_isolate(lua_State *L) {
  const binding_schema_item *item = binding_check(L, BINDING(L), 1, BINDING_SCHEMA_ITEM);
  if (item->constraint) ((alch_constraint *)(uintptr_t)item->constraint)->isolated = true;
  return 0;
}

/* metadata_id(value): the same for all objects of one metadata; nil for what is none */
static int ddl_metadata_id(lua_State *L) {
  alch_metadata **metadata = binding_test(L, BINDING(L), 1, BINDING_METADATA);
  if (!metadata) return 0;
  lua_pushlightuserdata(L, *metadata);
  return 1;
}

/* expression_table(expression): the table of its columns; nil when there is none, or several. */
static int ddl_expression_table(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *block = binding_block(L, b, 1);
  uint32_t found = 0;
  if (!block) return 0;
  const char *end = (const char *)alch_block_values(block);
  for (const alch_node *node = alch_block_root(block); (const char *)node < end; node = alch_node_child(node)) {
    if (node->kind != ALCH_NODE_COLUMN || (node->a & ALCH_ANONYMOUS)) continue;
    if (found && found != node->a) return 0;
    found = node->a;
  }
  alch_table *table = found ? alch_catalog_table(b->catalog, found) : NULL;
  if (!table) return 0;
  binding_push_table(L, b, table);
  return 1;
}

/* ---- ddl_if's functions ---- */

typedef struct question { binding *b; int64_t host; const void *thing; const char *dialect; bool answer; } question;

static int ask(lua_State *L) {
  question *one = lua_touserdata(L, 1);
  luaL_checkstack(L, 8, "ddl_if");
  lua_rawgeti(L, LUA_REGISTRYINDEX, one->host);
  lua_pushstring(L, one->dialect);
  lua_call(L, 1, 1);
  one->answer = lua_toboolean(L, -1);
  return 0;
}

static alch_status condition(void *context, int64_t host, const void *thing, const char *dialect, bool *wanted, alch_error *error) {
  binding *b = context;
  lua_State *L = b->state;
  question one = { b, host, thing, dialect, true };
  if (!L || !lua_checkstack(L, 4)) return alch_error_out_of_memory(error);
  lua_pushcfunction(L, ask);
  lua_pushlightuserdata(L, &one);
  alch_status status = binding_call(L, b, 1, 0);
  binding_enter(L, b);
  *wanted = one.answer;
  return status;
}

void binding_open_ddl(lua_State *L, binding *b) {
  static const luaL_Reg functions[] = {
    { "ddl", ddl_statement }, { "ddl_script", ddl_script }, { "quote_table", ddl_quote_table }, { "metadata_id", ddl_metadata_id }, { "check_dialect", ddl_check_dialect }, { "set_condition", ddl_set_condition }, { "isolate", ddl_isolate }, { "expression_table", ddl_expression_table }, { NULL, NULL },
  };
  b->catalog->condition = condition;
  b->catalog->condition_context = b;
  binding_kind_register(L, b, BINDING_SCHEMA_ITEM, "constraint or index", NULL, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
