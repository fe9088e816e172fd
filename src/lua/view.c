/* view.c - views and tables that are made from a query: tables whose columns are those of the query. */
#include "lua/schema.h"
#include "sql/compile.h"

static bool flag(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  bool answer = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return answer;
}

/* The query compiled, on the stack: it tells what its columns are called, numbers of made-up names included. */
static const alch_compiled *push_compiled_query(lua_State *L, binding *b, const alch_block *query, const char *name) {
  alch_compiled **compiled = binding_push_compiled(L, b);
  binding_enter(L, b);
  binding_must(L, b, alch_compile(b->catalog, alch_dialect_find("default"), query, NULL, &b->allocator, compiled, &b->error));
  if ((*compiled)->open_columns || (*compiled)->column_count == 0)
    binding_error(L, b, ALCH_ERROR_ARGUMENT, "the columns of '%s' cannot be told from its query; name them in the select", name);
  return *compiled;
}

static void add_columns(lua_State *L, binding *b, alch_table *table, const alch_compiled *query) {
  for (uint32_t i = 0; i < query->column_count; i++) {
    const alch_result_column *output = &query->columns[i];
    alch_column *made, column = { .name = output->name, .type = output->type_id, .has_type = true, .nullable = true, .nullable_given = true, .computed_persisted = -1 };
    binding_must(L, b, alch_table_add_column(table, &column, &made, &b->error));
  }
}

/* view(metadata, { name, schema, query, of_rows, or_replace, temporary, materialized, if_not_exists, options }): the table */
int binding_add_view(lua_State *L) {
  binding *b = BINDING(L);
  alch_metadata *metadata = binding_check_metadata(L, b, 1, "CreateView");
  alch_table *table = NULL;
  luaL_checktype(L, 2, LUA_TTABLE);
  alch_view view = { .of_rows = flag(L, "of_rows"), .or_replace = flag(L, "or_replace"), .temporary = flag(L, "temporary"), .materialized = flag(L, "materialized"),
                     .if_not_exists = flag(L, "if_not_exists") };
  lua_getfield(L, 2, "name");
  lua_getfield(L, 2, "schema");
  const char *name = luaL_checkstring(L, -2), *schema = luaL_optstring(L, -1, NULL);
  lua_getfield(L, 2, "query");
  const alch_block *query = binding_block(L, b, -1);
  if (!query || !alch_node_is_query(alch_block_root(query))) binding_expected(L, b, lua_gettop(L), "a select", "CreateView");
  view.query = alch_catalog_keep_block(b->catalog, query, alch_block_size(query));
  if (!view.query) binding_must(L, b, alch_error_out_of_memory(&b->error));
  const alch_compiled *compiled = push_compiled_query(L, b, view.query, name);
  binding_must(L, b, alch_table_new(metadata, name, schema, &table, &b->error));
  add_columns(L, b, table, compiled);
  binding_must(L, b, alch_table_set_view(table, &view, &b->error));
  binding_set_options(L, b, 2, &table->options);
  binding_push_table(L, b, table);
  return 1;
}
