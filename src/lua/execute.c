/* execute.c - conn:execute and its kin. */
#include "lua/engine.h"
#include "lua/expression.h"
#include "lua/result.h"
#include <string.h>

/* Slots while a statement is on its way; the function that waits finds everything in them. */
enum { SLOT_CONNECTION = 1, SLOT_STATEMENT, SLOT_PARAMETERS, SLOT_RESULT };
enum { FOLLOW_NONE, FOLLOW_SCALAR, FOLLOW_SCALARS };
enum { STAGE_START, STAGE_POLL, STAGE_COLLECT };
enum { SETS_AT_ONCE = 1000 };   /* parameter sets that are bound before they are sent: what they need of memory is bounded */

/* ---- arguments ---- */

static int refuse_statement(lua_State *L, binding *b, int index) {
  if (lua_type(L, index) == LUA_TSTRING)
    return binding_error(L, b, ALCH_ERROR_ARGUMENT, "Not an executable object: '%s'; write la.text(…) (or conn:exec_driver_sql)", lua_tostring(L, index));
  const char *came = binding_describe(L, b, index);
  const char *hint = binding_test(L, b, index, BINDING_TABLE) || lua_istable(L, index) ? "; write la.select(…)" : "";
  return binding_error(L, b, ALCH_ERROR_ARGUMENT, "execute takes a statement, not %s%s", came, hint);
}

/* An expression alone is selected. */
static void select_expression(lua_State *L, binding *b, int index) {
  const alch_block *block = binding_test(L, b, index, BINDING_EXPRESSION);
  if (!block) { refuse_statement(L, b, index); return; }
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&b->builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_block(&b->builder, block);
  alch_builder_close(&b->builder);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_STATEMENT);
  lua_replace(L, index);
}

static bool is_list_of_sets(lua_State *L, int index) {
  bool list = lua_rawgeti(L, index, 1) == LUA_TTABLE;
  lua_pop(L, 1);
  return list;
}

/* Of the fourth argument: rows of a piece, 0 where nothing is said. */
static uint32_t take_options(lua_State *L, binding *b) {
  static const binding_option known[] = { { "stream_results", LUA_TBOOLEAN }, { "yield_per", LUA_TNUMBER }, { NULL, 0 } };
  if (lua_isnoneornil(L, 4)) return 0;
  if (lua_istable(L, 4)) binding_refuse_transaction_options(L, b, 4);
  binding_only_options(L, b, 4, known, "execute");
  int64_t rows = binding_stream_rows(L, b, 4, "execute");
  return rows > 0 ? (uint32_t)rows : 0;
}

/* Leaves connection, statement, parameters in their slots. Answers the statement. */
static const alch_block *check_arguments(lua_State *L, binding *b) {
  binding_check_connection(L, b, SLOT_CONNECTION);
  lua_settop(L, SLOT_PARAMETERS);
  if (!lua_isnil(L, SLOT_PARAMETERS) && !lua_istable(L, SLOT_PARAMETERS)) binding_expected(L, b, SLOT_PARAMETERS, "a table of parameters, or a list of such tables", "execute");
  const alch_block *statement = binding_test(L, b, SLOT_STATEMENT, BINDING_STATEMENT);
  if (ALCH_UNLIKELY(!statement)) {
    select_expression(L, b, SLOT_STATEMENT);
    statement = lua_touserdata(L, SLOT_STATEMENT);
  }
  uint8_t root = alch_block_root(statement)->kind;
  if (root == ALCH_NODE_UPDATE || root == ALCH_NODE_DELETE) binding_check_guard(L, b, statement);
  return statement;
}

static binding_result *push_result(lua_State *L, binding *b) {
  binding_result *result = binding_new(L, b, BINDING_RESULT, sizeof *result, RESULT_USER_VALUES);
  binding_result_open(b, result);
  lua_pushvalue(L, SLOT_CONNECTION);
  lua_setiuservalue(L, -2, RESULT_CONNECTION);
  lua_pushvalue(L, SLOT_STATEMENT);
  lua_setiuservalue(L, -2, RESULT_STATEMENT);
  return result;
}

/* ---- keys that the database makes ---- */

static bool is_one_row(const alch_node *insert) {
  const alch_node *rows = alch_node_clause(insert, ALCH_NODE_ROWS);
  return !rows || (alch_node_child_count(rows) == 1 && alch_node_child(rows)->kind == ALCH_NODE_ROW);
}

/* Where the driver tells no last key, an INSERT of one row returns it: the table whose key is wanted, or NULL. */
static const alch_table *returns_key(lua_State *L, binding *b, const alch_block *statement) {
  const alch_node *root = alch_block_root(statement);
  if (root->kind != ALCH_NODE_INSERT || alch_node_clause(root, ALCH_NODE_RETURNING) || !is_one_row(root)) return NULL;
  if (lua_istable(L, SLOT_PARAMETERS) && is_list_of_sets(L, SLOT_PARAMETERS)) return NULL;
  const alch_dialect *dialect = alch_engine_dialect(alch_connection_engine(binding_check_connection(L, b, SLOT_CONNECTION)));
  if (alch_dialect_can(dialect, ALCH_CAPABILITY_LAST_INSERT_ID) || !alch_dialect_can(dialect, ALCH_CAPABILITY_INSERT_RETURNING)) return NULL;
  const alch_table *table = alch_catalog_table(b->catalog, root->a);
  return table->primary_key && alch_table_autoincrement(table) ? table : NULL;
}

static void add_key(lua_State *L, binding *b, const alch_table *table, const alch_block *statement) {
  bool there;
  alch_reader reader = alch_build_up_to(&b->builder, statement, ALCH_NODE_RETURNING, &there);
  alch_builder_open(&b->builder, ALCH_NODE_RETURNING, 0, 0, 0);
  for (uint32_t i = 0; i < table->primary_key->column_count; i++) alch_builder_leaf(&b->builder, ALCH_NODE_COLUMN, 0, table->id, table->primary_key->columns[i]->index);
  alch_builder_close(&b->builder);
  alch_build_rest(&b->builder, &reader);
  binding_push_block(L, b, BINDING_STATEMENT);
  lua_replace(L, SLOT_STATEMENT);
}

/* ---- compiling ---- */

static bool has_named_bind(const alch_block *block, const char *name) {
  const char *first = (const char *)alch_block_first(block), *end = first + block->structure;
  size_t length = strlen(name);
  for (const char *at = first; at < end; at = (const char *)alch_node_child((const alch_node *)(const void *)at)) {
    const alch_node *node = (const alch_node *)(const void *)at;
    if (node->kind == ALCH_NODE_BIND && node->length == length && memcmp(alch_node_text(node), name, length) == 0) return true;
  }
  return false;
}

/* The columns that the parameters (of the table at index) give to an INSERT or UPDATE that names none itself. The list goes on the stack. */
static void name_columns(lua_State *L, const alch_table *table, const alch_block *statement, int index, alch_compile_options *options) {
  const char **names = lua_newuserdatauv(L, (table->column_count + 1) * sizeof *names, 0);
  for (uint32_t i = 0; i < table->column_count; i++) {
    const char *key = table->columns[i]->key;
    lua_pushstring(L, key);
    bool given = lua_rawget(L, index) != LUA_TNIL;
    lua_pop(L, 1);
    if (given && !has_named_bind(statement, key)) names[options->parameter_count++] = key;
  }
  options->parameter_names = (const char *const *)names;
}

static void refuse_unknown_columns(lua_State *L, binding *b, const alch_table *table, const alch_block *statement, int index) {
  alch_column *column = NULL;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING || has_named_bind(statement, lua_tostring(L, -1))) continue;
    binding_must(L, b, alch_table_require_column(table, lua_tostring(L, -1), &column, &b->error));
  }
}

static void compile(lua_State *L, binding *b, binding_result *result, const alch_block *statement) {
  alch_connection *connection = binding_check_connection(L, b, SLOT_CONNECTION);
  alch_compile_options options = { .parameter_count = 0 };
  const alch_node *root = alch_block_root(statement);
  bool open = (root->kind == ALCH_NODE_INSERT && !alch_node_clause(root, ALCH_NODE_INTO)) || (root->kind == ALCH_NODE_UPDATE && !alch_node_clause(root, ALCH_NODE_SET));
  int top = lua_gettop(L);
  if (open && lua_istable(L, SLOT_PARAMETERS)) {
    const alch_table *table = alch_catalog_table(b->catalog, root->a);
    if (result->many) lua_rawgeti(L, SLOT_PARAMETERS, 1);
    else lua_pushvalue(L, SLOT_PARAMETERS);
    refuse_unknown_columns(L, b, table, statement, top + 1);
    name_columns(L, table, statement, top + 1, &options);
  }
  binding_must(L, b, alch_engine_compile(alch_connection_engine(connection), b->catalog, statement, options.parameter_count > 0 ? &options : NULL, NULL, NULL, &result->compiled, &b->error));
  lua_settop(L, top);
}

/* ---- running ---- */

static void take_parameters(lua_State *L, binding *b, binding_result *result, binding_parameters *parameters) {
  if (!lua_istable(L, SLOT_PARAMETERS)) return;
  binding_parameters_open(L, b, result->compiled, parameters);
  if (!result->many) lua_pushvalue(L, SLOT_PARAMETERS);
  else if (lua_rawgeti(L, SLOT_PARAMETERS, (lua_Integer)result->next_set) != LUA_TTABLE) {
    const char *expected = lua_pushfstring(L, "a table as parameter set %d", (int)result->next_set);
    binding_expected(L, b, -2, expected, "execute");
  }
  binding_parameters_take(L, parameters, lua_gettop(L), result->many ? (lua_Integer)result->next_set : 0);
}

/* Starts one parameter set. What it put on the stack is gone afterwards: the core has copied it. */
static alch_status start(lua_State *L, binding *b, binding_result *result) {
  alch_connection *connection = binding_check_connection(L, b, SLOT_CONNECTION);
  const alch_block *statement = lua_touserdata(L, SLOT_STATEMENT);
  binding_parameters parameters = { .L = L, .b = b, .compiled = result->compiled };
  b->dialect = result->compiled->dialect->name;
  take_parameters(L, b, result, &parameters);
  alch_parameters callbacks = binding_parameters_callbacks(&parameters);
  binding_enter(L, b);
  alch_status status = alch_execution_start(&result->execution, connection, result->compiled, statement, result->compiled->has_values ? &callbacks : NULL, &b->error);
  binding_must(L, b, status);
  lua_settop(L, SLOT_RESULT);
  return status;
}

/* As many parameter sets as go together, where the driver takes several. */
static alch_status start_sets(lua_State *L, binding *b, binding_result *result, alch_connection *connection) {
  const alch_block *statement = lua_touserdata(L, SLOT_STATEMENT);
  uint32_t count = (uint32_t)lua_rawlen(L, SLOT_PARAMETERS), last = result->next_set + SETS_AT_ONCE < count ? result->next_set + SETS_AT_ONCE : count;
  b->dialect = result->compiled->dialect->name;
  for (;; result->next_set++) {
    binding_parameters parameters = { .L = L, .b = b, .compiled = result->compiled };
    take_parameters(L, b, result, &parameters);
    alch_parameters callbacks = binding_parameters_callbacks(&parameters);
    binding_enter(L, b);
    binding_must(L, b, alch_execution_add_set(&result->execution, connection, result->compiled, statement, &callbacks, &b->error));
    lua_settop(L, SLOT_RESULT);
    if (result->next_set >= last) break;
  }
  binding_enter(L, b);
  return binding_must(L, b, alch_execution_start_sets(&result->execution, &b->error));
}

static alch_status start_next(lua_State *L, binding *b, binding_result *result) {
  alch_connection *connection = binding_check_connection(L, b, SLOT_CONNECTION);
  result->next_set++;
  return result->many && alch_execution_takes_many(connection, result->compiled) ? start_sets(L, b, result, connection) : start(L, b, result);
}

/* Do all of the values go to Lua by their kind alone? */
static bool is_plain(const binding_result *result) {
  for (uint32_t i = 0; i < result->execution.column_count; i++) {
    const alch_type *type = binding_result_type(result, i);
    if (type && (type->host != 0 || binding_has_inside(type->family))) return false;
  }
  return true;
}

static int finish(lua_State *L, binding_result *result, lua_KContext follow) {
  if (result->execution.returns_rows && !result->many) result->plain = is_plain(result);
  else if (!result->buffered) alch_execution_close(&result->execution);
  if (follow == FOLLOW_NONE) return 1;
  lua_replace(L, 1);
  lua_settop(L, 1);
  return follow == FOLLOW_SCALAR ? binding_fetch_scalar(L) : binding_result_scalars(L);
}

/* Several parameter sets that return rows: their rows are put aside. ALCH_DONE at the end of this set's. */
static alch_status collect(lua_State *L, binding *b, binding_result *result) {
  if (!result->buffered) {
    result->buffered = true;
    lua_newtable(L);
    lua_setiuservalue(L, SLOT_RESULT, RESULT_ROWS);
    result->plain = is_plain(result);
    binding_result_shape(L, b, SLOT_RESULT);
  }
  lua_getiuservalue(L, SLOT_RESULT, RESULT_ROWS);
  alch_status status;
  while ((status = binding_step(L, b, result)) == ALCH_ROW) {
    binding_push_row(L, b, SLOT_RESULT);
    lua_rawseti(L, -2, ++result->filled);
  }
  lua_settop(L, SLOT_RESULT);
  return status;
}

/* The key that came, kept beside the result, which has no rows then. */
static alch_status collect_key(lua_State *L, binding *b, binding_result *result) {
  alch_status status;
  while ((status = binding_step(L, b, result)) == ALCH_ROW) {
    lua_createtable(L, (int)result->execution.column_count, 0);
    for (uint32_t i = 0; i < result->execution.column_count; i++) {
      binding_push_cell(L, b, result, i);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setiuservalue(L, SLOT_RESULT, RESULT_KEY);
  }
  if (status == ALCH_WAIT) return status;
  result->execution.returns_rows = false;
  return ALCH_OK;
}

static bool has_more_sets(lua_State *L, binding_result *result) {
  if (!result->many) return false;
  return result->next_set < (uint32_t)lua_rawlen(L, SLOT_PARAMETERS);
}

static alch_status advance(lua_State *L, binding *b, binding_result *result) {
  alch_status status = ALCH_OK;
  if (result->stage == STAGE_START) {
    status = start_next(L, b, result);
  } else if (result->stage == STAGE_POLL) {
    binding_enter(L, b);
    status = binding_must(L, b, alch_execution_start_poll(&result->execution, &b->error));
  }
  if (status == ALCH_WAIT) { result->stage = STAGE_POLL; return status; }
  if (result->many && result->execution.returns_rows) {
    result->stage = STAGE_COLLECT;
    if (collect(L, b, result) == ALCH_WAIT) return ALCH_WAIT;
  }
  if (result->returns_key && result->execution.returns_rows) {
    result->stage = STAGE_COLLECT;
    if (collect_key(L, b, result) == ALCH_WAIT) return ALCH_WAIT;
  }
  if (result->execution.changes > 0) result->changes += result->execution.changes;
  result->stage = STAGE_START;
  return ALCH_OK;
}

static int execute_continue(lua_State *L, int status, lua_KContext follow) {
  (void)status;
  binding *b = BINDING(L);
  binding_result *result = lua_touserdata(L, SLOT_RESULT);
  for (;;) {
    alch_status advanced = advance(L, b, result);
    if (ALCH_UNLIKELY(advanced == ALCH_WAIT)) {
      binding_wait(L, b, result->execution.connection, follow, execute_continue);
      continue;
    }
    if (ALCH_LIKELY(!has_more_sets(L, result))) return finish(L, result, follow);
  }
}

static int run(lua_State *L, lua_KContext follow) {
  binding *b = BINDING(L);
  binding_execution_options options;
  uint32_t stream_rows = take_options(L, b);
  const alch_block *statement = check_arguments(L, b);
  const alch_table *table = returns_key(L, b, statement);
  if (table) add_key(L, b, table, statement);
  statement = lua_touserdata(L, SLOT_STATEMENT);
  binding_result *result = push_result(L, b);
  result->execution.stream_rows = stream_rows;
  binding_statement_options(statement, &options);
  binding_apply_options(&options, &result->execution);
  result->returns_key = table != NULL;
  result->many = lua_istable(L, SLOT_PARAMETERS) && is_list_of_sets(L, SLOT_PARAMETERS);
  compile(L, b, result, statement);
  return execute_continue(L, LUA_OK, follow);
}

/* What follows a call of Lua that may have waited. */
static int executed(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 1;
}

/* execute(statement [, parameters or list of them]); DDL elements, which are tables, know how (__execute). */
static int connection_execute(lua_State *L) {
  if (!lua_istable(L, 2) || luaL_getmetafield(L, 2, "__execute") == LUA_TNIL) return run(L, FOLLOW_NONE);
  binding_check_connection(L, BINDING(L), 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 1);
  lua_callk(L, 2, 1, 0, executed);
  return executed(L, LUA_OK, 0);
}
/* copy_out_(statement, format or nil): a result whose rows come in one stream; values stand in the text. */
static int connection_copy_out(lua_State *L) {
  binding *b = BINDING(L);
  alch_compile_options options = { .literal_binds = true };
  lua_settop(L, 3);
  lua_pushnil(L);
  lua_insert(L, SLOT_PARAMETERS);   /* the format behind it */
  alch_connection *connection = binding_check_connection(L, b, SLOT_CONNECTION);
  const alch_block *statement = binding_test(L, b, SLOT_STATEMENT, BINDING_STATEMENT);
  if (!statement) return refuse_statement(L, b, SLOT_STATEMENT);
  binding_result *result = push_result(L, b);
  lua_insert(L, SLOT_RESULT);
  result->execution.copies = true;
  result->execution.copy_format = lua_tostring(L, -1);
  lua_setiuservalue(L, SLOT_RESULT, RESULT_FORMAT);
  binding_must(L, b, alch_engine_compile(alch_connection_engine(connection), b->catalog, statement, &options, NULL, NULL, &result->compiled, &b->error));
  return execute_continue(L, LUA_OK, FOLLOW_NONE);
}

/* scalar(statement [, parameters]): the first column of the first row */
static int connection_scalar(lua_State *L) { return run(L, FOLLOW_SCALAR); }
static int connection_scalars(lua_State *L) { return run(L, FOLLOW_SCALARS); }

/* ---- exec_driver_sql ---- */

static void name_values(lua_State *L, binding *b, int index, int count) {
  if (lua_isnil(L, index)) {
    if (count > 0) binding_error(L, b, ALCH_ERROR_STATEMENT, "the statement has %d parameters and is given none", count);
    return;
  }
  if (!lua_istable(L, index)) binding_expected(L, b, index, "a list of values", "exec_driver_sql");
  lua_newtable(L);
  int given = (int)lua_rawlen(L, index);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) == LUA_TSTRING) binding_error(L, b, ALCH_ERROR_ARGUMENT, "exec_driver_sql takes values in the order of the ?, not by name, as '%s'; la.text has names", lua_tostring(L, -2));
    lua_pop(L, 1);
  }
  if (given > count) binding_error(L, b, ALCH_ERROR_ARGUMENT, "the statement has %d parameters and is given %d", count, given);
  for (int i = 1; i <= count; i++) {
    if (lua_rawgeti(L, index, i) == LUA_TNIL) binding_error(L, b, ALCH_ERROR_STATEMENT, "parameter %d is missing; la.null is NULL", i);
    lua_pushfstring(L, "_%d", i);
    lua_insert(L, -2);
    lua_rawset(L, -3);
  }
  lua_replace(L, index);
}

/* exec_driver_sql(sql [, { values } [, options]]): SQL as the driver has it, ? standing for values in order; options as of execute */
static int connection_exec_driver_sql(lua_State *L) {
  binding *b = BINDING(L);
  size_t length;
  const alch_connection *connection = binding_check_connection(L, b, 1);
  const char *sql = binding_text(L, b, 2, &length, "SQL as a string", "exec_driver_sql");
  lua_settop(L, 4);
  int count = (int)alch_driver_marks(alch_engine_dialect(alch_connection_engine(connection)), sql, length);
  alch_builder_start(&b->builder);
  alch_builder_leaf_text(&b->builder, ALCH_NODE_TEXT, ALCH_TEXT_MARKED, 0, 0, sql, length);
  binding_push_block(L, b, BINDING_STATEMENT);
  lua_replace(L, 2);
  lua_settop(L, 4);
  name_values(L, b, 3, count);
  lua_settop(L, 4);
  return run(L, FOLLOW_NONE);
}

void binding_open_execute(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = {
    { "execute", connection_execute }, { "scalar", connection_scalar }, { "scalars", connection_scalars }, { "exec_driver_sql", connection_exec_driver_sql },
    { "copy_out_", connection_copy_out }, { NULL, NULL },
  };
  binding_kind_methods(L, b, BINDING_CONNECTION, methods);
}
