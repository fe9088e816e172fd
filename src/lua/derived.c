/* derived.c - rows that come from neither tables nor queries: functions, VALUES, samples, texts with columns; and names that no table here has. */
#include "lua/expression.h"
#include <string.h>

/* column(name [, type]): a column that no table here has */
static int derived_column(lua_State *L) {
  binding *b = BINDING(L);
  size_t length;
  const char *name = binding_text(L, b, 1, &length, "a name", "column");
  alch_type_id type = lua_isnoneornil(L, 2) ? 0 : binding_check_type(L, b, 2, "column");
  alch_builder_start(&b->builder);
  alch_builder_leaf_text(&b->builder, ALCH_NODE_NAME, 0, type, 0, name, length);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* ---- lists of columns: names, la.column(…), columns of tables ---- */

typedef struct named { const char *name; size_t length; alch_type_id type; } named;

static named name_at(lua_State *L, binding *b, int index, const char *where) {
  named out = { .type = 0 };
  const alch_block *block = binding_test(L, b, index, BINDING_EXPRESSION);
  const alch_node *root = block ? alch_block_root(block) : NULL;
  alch_output output;
  if (root && root->kind == ALCH_NODE_NAME) return (named){ alch_node_text(root), root->length, root->a };
  if (root && root->kind == ALCH_NODE_COLUMN && alch_source_output(b->catalog, block, root->a, root->b, &output)) return (named){ output.name, output.name_length, output.type };
  out.name = binding_text(L, b, index, &out.length, "names, or la.column(name, type)", where);
  return out;
}

static void build_name(binding *b, const named *one) { alch_builder_leaf_text(&b->builder, ALCH_NODE_NAME, 0, one->type, 0, one->name, one->length); }

/* ---- definitions ---- */

static int push_defined(lua_State *L, binding *b, const alch_define *define) {
  alch_builder_start(&b->builder);
  alch_builder_define_as(&b->builder, define);
  alch_builder_leaf(&b->builder, ALCH_NODE_SOURCE, 0, define->anonymous, 0);
  binding_push_block(L, b, BINDING_SELECTABLE);
  return 1;
}

const alch_node *binding_definition(const alch_block *selectable) {
  const alch_node *root = alch_block_root(selectable);
  return root->kind == ALCH_NODE_SOURCE ? alch_block_definition(selectable, root->a) : NULL;
}

alch_reader binding_reader_at_definition(const alch_block *block, const alch_node *definition) {
  alch_reader reader = { block, alch_block_first(block), alch_block_value_cursor(block) };
  while (reader.node < definition) alch_reader_skip(&reader);
  alch_reader_enter(&reader);
  return reader;
}

/* What a definition is made of as a block of its own, on the stack. */
const alch_block *binding_push_element(lua_State *L, binding *b, const alch_block *selectable, const alch_node *definition) {
  alch_reader reader = binding_reader_at_definition(selectable, definition);
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, selectable);
  alch_builder_copy(&b->builder, &reader);
  return binding_push_block(L, b, BINDING_SELECTABLE);
}

/* The same source once more, under another name and with other bits. name NULL: a made-up one. */
int binding_redefine(lua_State *L, binding *b, const alch_block *selectable, alch_definition kind, uint32_t bits, const char *name) {
  const alch_block *element = binding_push_element(L, b, selectable, binding_definition(selectable));
  return push_defined(L, b, &(alch_define){ .anonymous = alch_catalog_anonymous(b->catalog), .kind = kind, .bits = bits, .name = name, .element = element });
}

static const char *kept_name(lua_State *L, const alch_node *definition) {
  if (definition->length == 0) return NULL;
  return lua_pushlstring(L, alch_node_text(definition), definition->length);
}

/* ---- functions ---- */

static const alch_block *check_function(lua_State *L, binding *b, const char *method) {
  const alch_block *block = binding_check(L, b, 1, BINDING_EXPRESSION);
  if (alch_block_root(block)->kind != ALCH_NODE_FUNCTION) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s belongs to functions: la.func.name(…):%s(…)", method, method);
  return block;
}

/* table_valued(column, … [, { name =, with_ordinality = }]) */
static int function_table_valued(lua_State *L) {
  static const binding_option known[] = { { "name", LUA_TSTRING }, { "with_ordinality", LUA_TSTRING }, { "joins_implicitly", LUA_TBOOLEAN }, { NULL, 0 } };
  binding *b = BINDING(L);
  const alch_block *function = check_function(L, b, "table_valued");
  int top = lua_gettop(L), last = top;
  const char *name = NULL, *ordinality = NULL;
  if (top > 1 && lua_istable(L, top)) {
    binding_only_options(L, b, top, known, "table_valued");
    if (lua_getfield(L, top, "name") == LUA_TSTRING) name = lua_tostring(L, -1);
    if (lua_getfield(L, top, "with_ordinality") == LUA_TSTRING) ordinality = lua_tostring(L, -1);
    last--;
  }
  if (last < 2) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "table_valued needs the names of the columns that the function gives");
  named *names = lua_newuserdatauv(L, (size_t)last * sizeof *names, 0);
  for (int i = 2; i <= last; i++) names[i - 2] = name_at(L, b, i, "table_valued");
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_LIST, ALCH_OPERATOR_COMMA, 0, 0);
  alch_builder_block(&b->builder, function);
  for (int i = 2; i <= last; i++) build_name(b, &names[i - 2]);
  if (ordinality) build_name(b, &(named){ ordinality, strlen(ordinality), ALCH_TYPE_INTEGER });
  alch_builder_close(&b->builder);
  const alch_block *element = binding_push_block(L, b, BINDING_EXPRESSION);
  return push_defined(L, b, &(alch_define){ .anonymous = alch_catalog_anonymous(b->catalog), .kind = ALCH_DEFINITION_FUNCTION, .bits = ordinality ? ALCH_DEFINE_ORDINALITY : 0, .name = name, .element = element });
}

/* column_valued([name]): the function as a source, and its value as a column */
static int function_column_valued(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *function = check_function(L, b, "column_valued");
  const char *name = lua_isnoneornil(L, 2) ? NULL : binding_text(L, b, 2, NULL, "a name", "column_valued");
  uint32_t anonymous = alch_catalog_anonymous(b->catalog);
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_LIST, ALCH_OPERATOR_COMMA, 0, 0);
  alch_builder_block(&b->builder, function);
  alch_builder_leaf_text(&b->builder, ALCH_NODE_NAME, 0, alch_node_type(b->catalog, function, alch_block_root(function)), 0, NULL, 0);
  alch_builder_close(&b->builder);
  const alch_block *element = binding_push_block(L, b, BINDING_EXPRESSION);
  alch_builder_start(&b->builder);
  alch_builder_define_as(&b->builder, &(alch_define){ .anonymous = anonymous, .kind = ALCH_DEFINITION_FUNCTION, .name = name, .element = element });
  alch_builder_leaf(&b->builder, ALCH_NODE_COLUMN, 0, anonymous, 0);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

static const alch_block *check_defined(lua_State *L, binding *b, alch_definition kind, const char *method, const char *expected) {
  const alch_block *selectable = binding_check(L, b, 1, BINDING_SELECTABLE);
  const alch_node *definition = binding_definition(selectable);
  if (!definition || definition->op != kind) binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s belongs to %s", method, expected);
  return selectable;
}

/* render_derived{ name =, with_types = }: with its columns behind the name */
static int selectable_render_derived(lua_State *L) {
  static const binding_option known[] = { { "name", LUA_TSTRING }, { "with_types", LUA_TBOOLEAN }, { NULL, 0 } };
  binding *b = BINDING(L);
  const alch_block *selectable = check_defined(L, b, ALCH_DEFINITION_FUNCTION, "render_derived", "functions as tables: la.func.name(…):table_valued(…)");
  const alch_node *definition = binding_definition(selectable);
  uint32_t bits = definition->b | ALCH_DEFINE_DERIVED;
  const char *name = kept_name(L, definition);
  if (lua_istable(L, 2)) {
    binding_only_options(L, b, 2, known, "render_derived");
    if (lua_getfield(L, 2, "name") == LUA_TSTRING) name = lua_tostring(L, -1);
    lua_getfield(L, 2, "with_types");
    if (lua_toboolean(L, -1)) bits |= ALCH_DEFINE_DERIVED_TYPES;
  }
  return binding_redefine(L, b, selectable, ALCH_DEFINITION_FUNCTION, bits, name);
}

/* lateral([name]): of a function or VALUES */
static int selectable_lateral(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *selectable = binding_check(L, b, 1, BINDING_SELECTABLE);
  const alch_node *definition = binding_definition(selectable);
  if (!definition || (definition->op != ALCH_DEFINITION_FUNCTION && definition->op != ALCH_DEFINITION_VALUES))
    return binding_error(L, b, ALCH_ERROR_ARGUMENT, "lateral belongs to selects, functions as tables and values");
  const char *name = lua_isnoneornil(L, 2) ? kept_name(L, definition) : binding_text(L, b, 2, NULL, "a name", "lateral");
  return binding_redefine(L, b, selectable, (alch_definition)definition->op, definition->b | ALCH_DEFINE_LATERAL, name);
}

/* ---- VALUES ---- */

typedef struct grid { const named *names; const alch_operand *cells; uint32_t width, count; uint8_t bits; } grid;

static void build_values(lua_State *L, binding *b, const grid *values) {
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_VALUES, 0, 0, 0);
  alch_builder_open(&b->builder, ALCH_NODE_LIST, ALCH_OPERATOR_COMMA, 0, 0);
  for (uint32_t i = 0; i < values->width; i++) build_name(b, &values->names[i]);
  alch_builder_close(&b->builder);
  for (uint32_t row = 0; row < values->count; row++) {
    alch_builder_open(&b->builder, ALCH_NODE_ROW, 0, 0, 0);
    for (uint32_t i = 0; i < values->width; i++) {
      const alch_operand *cell = &values->cells[row * values->width + i];
      if (cell->block) binding_build_operand(L, b, cell, 0);
      else alch_builder_bind(&b->builder, values->names[i].type ? values->names[i].type : alch_value_type(cell->value.kind), values->bits, NULL, &cell->value, NULL);
    }
    alch_builder_close(&b->builder);
  }
  alch_builder_close(&b->builder);
}

static void read_row(lua_State *L, binding *b, int row, const named *names, uint32_t width, alch_operand *cells) {
  if (!lua_istable(L, row) || lua_rawlen(L, row) != width) binding_error(L, b, ALCH_ERROR_ARGUMENT, "a row of values must be a list of %u (la.null where there is none)", (unsigned)width);
  luaL_checkstack(L, (int)width + 8, "too many values");
  for (uint32_t i = 0; i < width; i++) {
    lua_rawgeti(L, row, i + 1);
    binding_operand(L, b, lua_gettop(L), names[i].type, false, &cells[i]);
  }
}

/* values(columns, rows [, name [, literal_binds]]): what la.values{ … }:data{ … } comes to */
static int derived_values(lua_State *L) {
  binding *b = BINDING(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 4);
  uint32_t width = (uint32_t)lua_rawlen(L, 1), count = (uint32_t)lua_rawlen(L, 2);
  if (width == 0 || count == 0) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "values needs columns, and rows: la.values{ la.column(\"id\", la.Integer) }:data{ { 1 } }");
  named *names = lua_newuserdatauv(L, width * sizeof *names, 0);
  alch_operand *cells = lua_newuserdatauv(L, (size_t)width * count * sizeof *cells, 0);
  luaL_checkstack(L, (int)width + (int)count + 8, "too many values");
  for (uint32_t i = 0; i < width; i++) { lua_rawgeti(L, 1, i + 1); names[i] = name_at(L, b, lua_gettop(L), "values"); }
  for (uint32_t i = 0; i < count; i++) { lua_rawgeti(L, 2, i + 1); read_row(L, b, lua_gettop(L), names, width, &cells[i * width]); }
  build_values(L, b, &(grid){ names, cells, width, count, lua_toboolean(L, 4) ? ALCH_BIND_LITERAL : 0 });
  const alch_block *element = binding_push_block(L, b, BINDING_SELECTABLE);
  return push_defined(L, b, &(alch_define){ .anonymous = alch_catalog_anonymous(b->catalog), .kind = ALCH_DEFINITION_VALUES, .name = lua_tostring(L, 3), .element = element });
}

/* ---- samples ---- */

/* tablesample(percent or func.method(…) [, { name =, seed = }]): some rows of a table */
static int table_tablesample(lua_State *L) {
  static const binding_option known[] = { { "name", LUA_TSTRING }, { "seed", LUA_TNONE }, { NULL, 0 } };
  binding *b = BINDING(L);
  const char *name = NULL;
  lua_settop(L, 3);
  alch_operand method, seed = { .block = NULL };
  bool has_seed = false;
  if (lua_istable(L, 3)) {
    binding_only_options(L, b, 3, known, "tablesample");
    if (lua_getfield(L, 3, "name") == LUA_TSTRING) name = lua_tostring(L, -1);
    has_seed = lua_getfield(L, 3, "seed") != LUA_TNIL;
    if (has_seed) binding_operand(L, b, lua_gettop(L), 0, false, &seed);
  }
  binding_operand(L, b, 2, 0, false, &method);
  bool function = method.block && alch_block_root(method.block)->kind == ALCH_NODE_FUNCTION;
  const alch_block *source = binding_push_from(L, b, 1, "tablesample");
  if (alch_block_root(source)->kind == ALCH_NODE_JOIN) return binding_error(L, b, ALCH_ERROR_ARGUMENT, "tablesample takes a table or an alias of one");
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_TABLESAMPLE, 0, 0, 0);
  alch_builder_block(&b->builder, source);
  if (!function) alch_builder_open_text(&b->builder, ALCH_NODE_FUNCTION, 0, 0, 0, "system", 6);
  binding_build_operand(L, b, &method, 0);
  if (!function) alch_builder_close(&b->builder);
  if (has_seed) binding_build_operand(L, b, &seed, 0);
  alch_builder_close(&b->builder);
  const alch_block *element = binding_push_block(L, b, BINDING_SELECTABLE);
  return push_defined(L, b, &(alch_define){ .anonymous = alch_catalog_anonymous(b->catalog), .kind = ALCH_DEFINITION_TABLESAMPLE, .name = name, .element = element });
}

/* ---- texts ---- */

/* text:columns{ la.column("id", la.Integer), … }: the columns that the text gives, so that it can be a subquery or a CTE */
static int text_columns(lua_State *L) {
  binding *b = BINDING(L);
  const alch_block *text = binding_check_statement(L, b, 1, ALCH_NODE_TEXT, ALCH_NODE_TEXT, "columns");
  int start;
  uint32_t count = binding_spread(L, b, 2, &start);
  named *names = lua_newuserdatauv(L, (count + 1) * sizeof *names, 0);
  for (uint32_t i = 0; i < count; i++) names[i] = name_at(L, b, start + (int)i, "columns");
  alch_reader reader = alch_reader_at_root(text);
  const alch_node *root = reader.node, *end = alch_node_next(root);
  alch_builder_start(&b->builder);
  alch_builder_open_text(&b->builder, ALCH_NODE_TEXT, root->op, root->a, root->b, alch_node_text(root), root->length);
  alch_reader_enter(&reader);
  while (reader.node < end) {
    if (reader.node->kind == ALCH_NODE_NAME) alch_reader_skip(&reader);
    else alch_builder_copy(&b->builder, &reader);
  }
  for (uint32_t i = 0; i < count; i++) build_name(b, &names[i]);
  alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_STATEMENT);
  return 1;
}

void binding_open_derived(lua_State *L, binding *b) {
  static const luaL_Reg expression_methods[] = { { "table_valued", function_table_valued }, { "column_valued", function_column_valued }, { NULL, NULL } };
  static const luaL_Reg selectable_methods[] = { { "render_derived", selectable_render_derived }, { "lateral", selectable_lateral }, { "tablesample", table_tablesample }, { NULL, NULL } };
  static const luaL_Reg table_methods[] = { { "tablesample", table_tablesample }, { NULL, NULL } };
  static const luaL_Reg text_methods[] = { { "columns", text_columns }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "column", derived_column }, { "values", derived_values }, { "tablesample", table_tablesample }, { NULL, NULL } };
  binding_kind_methods(L, b, BINDING_EXPRESSION, expression_methods);
  binding_kind_methods(L, b, BINDING_SELECTABLE, selectable_methods);
  binding_kind_methods(L, b, BINDING_TABLE, table_methods);
  binding_kind_methods(L, b, BINDING_STATEMENT, text_methods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
