/* bulk.c - rows from Lua into a table in one stream, and out of a query. lua/lualchemy/bulk.lua is the part that users see: it settles the columns, pulls rows from iterators, and ends what fails. */
#include "engine/bulk.h"
#include "lua/expression.h"
#include "lua/result.h"
#include "sql/ddl.h"
#include <string.h>

enum { LOAD_CONNECTION = 1, LOAD_NAMES, LOAD_MEMORY, LOAD_TEXTS, LOAD_USER_VALUES = LOAD_TEXTS };
enum { SLOT_LOAD = 1, SLOT_ROWS };

typedef struct load_column {
  const alch_column *column;
  const alch_type *type;
  uint8_t plain;             /* Lua values of one kind, integers, numbers, texts, truths or bytes, are what the column takes as they are: that alch_value_kind; ALCH_NULL: the value has to be looked at */
  bool converts;             /* the dialect keeps it in another form */
} load_column;

typedef struct binding_load {
  binding_owned owned;
  alch_bulk_load load;
  alch_bulk_target target;
  load_column *columns;
  alch_value *values;        /* of the row on its way */
  uint32_t given;            /* columns that rows have values for; behind them are those with a default */
  bool maps, lenient;        /* rows are maps of names; and what one does not name is NULL */
  lua_Integer row;           /* that is on its way, or was last */
  const alch_dialect *dialect;
} binding_load;

static void release_load(binding_owned *owned) { alch_bulk_load_close(&((binding_load *)(void *)owned)->load); }

static binding_load *check_load(lua_State *L, binding *b) { return binding_check(L, b, SLOT_LOAD, BINDING_LOAD); }

/* ---- which columns ---- */

/* columns_to_load_(table): the names of the columns that can be written, in their order. */
static int bulk_columns(lua_State *L) {
  binding *b = BINDING(L);
  const alch_table *table = binding_check_table(L, b, 1, "copy_from");
  lua_Integer count = 0;
  lua_createtable(L, (int)table->column_count, 0);
  for (uint32_t i = 0; i < table->column_count; i++) {
    if (table->columns[i]->computed) continue;
    lua_pushstring(L, table->columns[i]->key);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static uint8_t plain_kind(const alch_type *type) {
  if (type->host != 0) return ALCH_NULL;
  switch (type->family) {
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_SMALL_INTEGER: case ALCH_TYPE_BIG_INTEGER: return ALCH_INTEGER;
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: return ALCH_REAL;
    case ALCH_TYPE_STRING: case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE: case ALCH_TYPE_UNICODE_TEXT: return ALCH_TEXT;
    case ALCH_TYPE_BOOLEAN: return ALCH_BOOLEAN;
    case ALCH_TYPE_LARGE_BINARY: return ALCH_BLOB;
    default: return ALCH_NULL;
  }
}

static void add_column(lua_State *L, binding *b, binding_load *load, const alch_column *column) {
  load_column *to = &load->columns[load->target.count++];
  to->column = column;
  to->type = alch_type_in(alch_catalog_type(b->catalog, column->type), load->dialect->name);
  to->plain = plain_kind(to->type);
  to->converts = load->dialect->to_database && load->dialect->converts && load->dialect->converts(to->type, true);
  if (to->converts) to->plain = ALCH_NULL;
  if (to->type->bind_expression)
    binding_error(L, b, ALCH_ERROR_NOT_SUPPORTED, "column %s.%s has a type that puts SQL round its values (bind_expression), which rows in one stream cannot have: give execute a list of rows", column->table->full_name, column->name);
}

static bool has_column(const binding_load *load, const alch_column *column) {
  for (uint32_t i = 0; i < load->target.count; i++)
    if (load->columns[i].column == column) return true;
  return false;
}

/* Columns that the rows do not have, and that are not left to the database. */
static void add_defaults(lua_State *L, binding *b, binding_load *load, const alch_table *table) {
  for (uint32_t i = 0; i < table->column_count; i++) {
    const alch_column *column = table->columns[i];
    alch_default_kind kind = column->insert_default.kind;
    if (kind == ALCH_DEFAULT_NONE || has_column(load, column)) continue;
    if (kind != ALCH_DEFAULT_VALUE && kind != ALCH_DEFAULT_HOST)
      binding_error(L, b, ALCH_ERROR_NOT_SUPPORTED, "column %s.%s has SQL as its default, which rows in one stream cannot have: give its values, or make it a server_default", table->full_name, column->name);
    add_column(L, b, load, column);
  }
}

/* The list of names at index. */
static void take_columns(lua_State *L, binding *b, binding_load *load, const alch_table *table, int index) {
  load->given = (uint32_t)lua_rawlen(L, index);
  for (uint32_t i = 0; i < load->given; i++) {
    alch_column *column = NULL;
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    binding_must(L, b, alch_table_require_column(table, binding_text(L, b, lua_gettop(L), NULL, "names of columns", "copy_from"), &column, &b->error));
    lua_pop(L, 1);
    if (has_column(load, column)) binding_error(L, b, ALCH_ERROR_ARGUMENT, "copy_from is given the column '%s' twice", column->key);
    add_column(L, b, load, column);
  }
  if (load->given == 0) binding_error(L, b, ALCH_ERROR_ARGUMENT, "copy_from needs a column at least");
}

/* Names in a buffer that the load keeps; the target's lists point into it. */
static void write_target(lua_State *L, binding *b, binding_load *load, const alch_table *table, const char **names, const char **quoted) {
  alch_buffer *texts = binding_push_buffer(L, b);
  size_t *places = lua_newuserdatauv(L, (load->target.count + 1) * sizeof *places, 0);
  alch_quote_table(load->dialect, table, true, texts);
  alch_buffer_add_char(texts, '\0');
  for (uint32_t i = 0; i < load->target.count; i++) {
    places[i] = texts->length;
    alch_quote_identifier(load->dialect, load->columns[i].column->name, load->columns[i].column->quote, texts);
    alch_buffer_add_char(texts, '\0');
  }
  if (alch_buffer_failed(texts)) binding_must(L, b, alch_error_out_of_memory(&b->error));
  for (uint32_t i = 0; i < load->target.count; i++) {
    names[i] = load->columns[i].column->name;
    quoted[i] = texts->text + places[i];
  }
  load->target.table = texts->text;
  load->target.names = names;
  load->target.quoted = quoted;
  lua_pop(L, 1);
}

/* connection:load_(table, names, maps, lenient [, format]): a load that is not open yet. */
static int bulk_load(lua_State *L) {
  binding *b = BINDING(L);
  alch_connection *connection = binding_check_connection(L, b, 1);
  const alch_table *table = binding_check_table(L, b, 2, "copy_from");
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 6);
  size_t most = lua_rawlen(L, 3) + table->column_count + 1, column_size = sizeof(load_column) + sizeof(alch_value) + 2 * sizeof(char *);
  char *memory = lua_newuserdatauv(L, most * column_size, 0);
  binding_load *load = binding_new(L, b, BINDING_LOAD, sizeof *load, LOAD_USER_VALUES);
  load->values = (alch_value *)(void *)memory;
  load->columns = (load_column *)(void *)(memory + most * sizeof(alch_value));
  const char **names = (const char **)(void *)(memory + most * (sizeof(alch_value) + sizeof(load_column)));
  load->dialect = alch_engine_dialect(alch_connection_engine(connection));
  load->maps = lua_toboolean(L, 4);
  load->lenient = lua_toboolean(L, 5);
  load->target.format = lua_tostring(L, 6);
  take_columns(L, b, load, table, 3);
  if (!load->target.format) add_defaults(L, b, load, table);
  write_target(L, b, load, table, names, names + most);
  lua_setiuservalue(L, 8, LOAD_TEXTS);
  static const int kept[] = { 1, LOAD_CONNECTION, 3, LOAD_NAMES, 7, LOAD_MEMORY };
  for (size_t i = 0; i < ALCH_COUNT(kept); i += 2) {
    lua_pushvalue(L, kept[i]);
    lua_setiuservalue(L, 8, kept[i + 1]);
  }
  binding_own(b, &load->owned, release_load);
  return 1;
}

/* ---- one row ---- */

static bool take_plain(lua_State *L, int index, uint8_t plain, alch_value *out) {
  size_t length;
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
      if (plain == ALCH_INTEGER && lua_isinteger(L, index)) *out = alch_value_integer(lua_tointeger(L, index));
      else if (plain == ALCH_REAL) *out = alch_value_real(lua_tonumber(L, index));
      else return false;
      return true;
    case LUA_TSTRING:
      if (plain != ALCH_TEXT && plain != ALCH_BLOB) return false;
      out->text = lua_tolstring(L, index, &length);
      out->kind = plain;
      out->length = (uint32_t)length;
      return length <= INT32_MAX;
    case LUA_TNIL: *out = ALCH_VALUE_NULL; return plain != ALCH_NULL;
    case LUA_TBOOLEAN: *out = alch_value_boolean(lua_toboolean(L, index)); return plain == ALCH_BOOLEAN;
    default: return false;
  }
}

/* The value at index, as an INSERT would take it; its text stays in the slot. */
static void take_value(lua_State *L, binding *b, const binding_load *load, uint32_t at, int index) {
  const load_column *column = &load->columns[at];
  alch_value *out = &load->values[at];
  if (ALCH_LIKELY(column->plain != ALCH_NULL && take_plain(L, index, column->plain, out))) return;
  binding_value_for(L, b, index, column->type, column->column, out);
  if (!column->converts || out->kind == ALCH_NULL) return;
  const char *before = alch_value_has_text(out->kind) ? out->text : NULL;
  alch_buffer_clear(&b->scratch);
  if (alch_dialect_store(load->dialect, column->type, true, out, &b->scratch, &b->error) < 0) binding_raise_for_column(L, b, column->column);
  if (!alch_value_has_text(out->kind) || out->text == before) return;
  out->text = lua_pushlstring(L, out->text, out->length);
  lua_replace(L, index);
}

static void take_default(lua_State *L, binding *b, binding_load *load, uint32_t at) {
  const alch_default *given = &load->columns[at].column->insert_default;
  if (given->kind == ALCH_DEFAULT_VALUE && !load->columns[at].converts) {
    lua_pushnil(L);
    load->values[at] = given->value;
    return;
  }
  if (given->kind == ALCH_DEFAULT_VALUE) binding_push_value(L, b, &given->value, load->columns[at].type);
  else {
    lua_rawgeti(L, LUA_REGISTRYINDEX, (lua_Integer)given->value.integer);
    lua_call(L, 0, 1);
  }
  take_value(L, b, load, at, lua_gettop(L));
}

static void refuse_names(lua_State *L, binding *b, const binding_load *load, const alch_table *table, int row) {
  lua_pushnil(L);
  while (lua_next(L, row)) {
    alch_column *column = NULL;
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) binding_error(L, b, ALCH_ERROR_ARGUMENT, "the first row is a map of names, and this one has values without names");
    binding_must(L, b, alch_table_require_column(table, lua_tostring(L, -1), &column, &b->error));
    bool given = false;
    for (uint32_t i = 0; i < load->given; i++) given = given || load->columns[i].column == column;
    if (!given) binding_error(L, b, ALCH_ERROR_ARGUMENT, "the row has a '%s', which is not among the columns: they are those of the first row, unless copy_from is given { columns = … }", column->key);
  }
}

static uint32_t count_names(lua_State *L, int row) {
  uint32_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, row)) { lua_pop(L, 1); count++; }
  return count;
}

static void take_map(lua_State *L, binding *b, const binding_load *load, int row) {
  uint32_t found = 0;
  lua_getiuservalue(L, SLOT_LOAD, LOAD_NAMES);
  int names = lua_gettop(L);
  for (uint32_t i = 0; i < load->given; i++) {
    lua_rawgeti(L, names, (lua_Integer)i + 1);
    bool there = lua_rawget(L, row) != LUA_TNIL;
    if (!there && !load->lenient)
      binding_error(L, b, ALCH_ERROR_STATEMENT, "A value is required for column '%s', which the first row has (la.null is NULL; with { columns = … } what a row does not name is NULL)", load->columns[i].column->key);
    found += there;
    take_value(L, b, load, i, lua_gettop(L));
  }
  if (count_names(L, row) != found) refuse_names(L, b, load, load->columns[0].column->table, row);
}

static void take_list(lua_State *L, binding *b, const binding_load *load, int row) {
  lua_Unsigned length = lua_rawlen(L, row);
  if (length > load->given) binding_error(L, b, ALCH_ERROR_ARGUMENT, "the row has %d values, and there are %d columns", (int)length, (int)load->given);
  for (uint32_t i = 0; i < load->given; i++) {
    lua_rawgeti(L, row, (lua_Integer)i + 1);
    take_value(L, b, load, i, lua_gettop(L));
  }
  if (ALCH_LIKELY(length > 0)) return;
  lua_pushnil(L);
  if (lua_next(L, row) && lua_type(L, -2) == LUA_TSTRING) binding_error(L, b, ALCH_ERROR_ARGUMENT, "the first row is a list of values, and this one has names");
}

/* The row on top of the stack; what was pushed for its values is gone afterwards, with the row. */
static alch_status add_row(lua_State *L, binding *b, binding_load *load) {
  int row = lua_gettop(L);
  load->row++;
  if (ALCH_UNLIKELY(lua_type(L, row) != LUA_TTABLE)) binding_expected(L, b, row, "tables as rows: lists of values, or maps of names and values", "copy_from");
  if (load->maps) take_map(L, b, load, row);
  else take_list(L, b, load, row);
  for (uint32_t i = load->given; i < load->target.count; i++) take_default(L, b, load, i);
  alch_status status = binding_must(L, b, alch_bulk_load_add(&load->load, load->values, &b->error));
  lua_settop(L, row - 1);
  return status;
}

static void ready(lua_State *L, binding *b, const binding_load *load) {
  if (!load->load.connection) binding_error(L, b, ALCH_ERROR_RESOURCE_CLOSED, "this load is closed");
  luaL_checkstack(L, (int)load->target.count + 12, "too many columns");
  b->dialect = load->dialect->name;
  binding_enter(L, b);
}

/* ---- methods of a load; each may wait ---- */

enum { NEXT_NOTHING, NEXT_ROWS };

static int add_continue(lua_State *L, int status, lua_KContext next) {
  (void)status;
  binding *b = BINDING(L);
  binding_load *load = lua_touserdata(L, SLOT_LOAD);
  for (;;) {
    ready(L, b, load);
    alch_status polled = binding_must(L, b, alch_bulk_load_poll(&load->load, &b->error));
    while (polled == ALCH_OK && next == NEXT_ROWS) {
      if (lua_rawgeti(L, SLOT_ROWS, load->row + 1) == LUA_TNIL) return 0;
      polled = add_row(L, b, load);
    }
    if (polled == ALCH_OK) return 0;
    binding_wait(L, b, load->load.connection, next, add_continue);
  }
}

/* add(row) */
static int load_add(lua_State *L) {
  binding *b = BINDING(L);
  binding_load *load = check_load(L, b);
  lua_settop(L, 2);
  ready(L, b, load);
  if (ALCH_LIKELY(add_row(L, b, load) == ALCH_OK)) return 0;
  binding_wait(L, b, load->load.connection, NEXT_NOTHING, add_continue);
  return add_continue(L, LUA_OK, NEXT_NOTHING);
}

/* add_all(rows): all of a list */
static int load_add_all(lua_State *L) {
  check_load(L, BINDING(L));
  luaL_checktype(L, SLOT_ROWS, LUA_TTABLE);
  lua_settop(L, 2);
  return add_continue(L, LUA_OK, NEXT_ROWS);
}

/* add_text(piece) */
static int load_add_text(lua_State *L) {
  binding *b = BINDING(L);
  binding_load *load = check_load(L, b);
  size_t length;
  lua_settop(L, 2);
  const char *text = binding_text(L, b, 2, &length, "pieces of text", "copy_from");
  ready(L, b, load);
  if (binding_must(L, b, alch_bulk_load_add_text(&load->load, text, length, &b->error)) == ALCH_OK) return 0;
  binding_wait(L, b, load->load.connection, NEXT_NOTHING, add_continue);
  return add_continue(L, LUA_OK, NEXT_NOTHING);
}

static int open_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_load *load = lua_touserdata(L, SLOT_LOAD);
  lua_getiuservalue(L, SLOT_LOAD, LOAD_CONNECTION);
  alch_connection *connection = binding_check_connection(L, b, -1);
  for (;;) {
    binding_enter(L, b);
    if (binding_must(L, b, alch_bulk_load_open(&load->load, connection, &load->target, &b->error)) == ALCH_OK) return 0;
    binding_wait(L, b, connection, context, open_continue);
  }
}

/* open(): the database is asked to take rows. */
static int load_open(lua_State *L) {
  check_load(L, BINDING(L));
  lua_settop(L, 1);
  return open_continue(L, LUA_OK, 0);
}

static int finish_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  binding *b = BINDING(L);
  binding_load *load = lua_touserdata(L, SLOT_LOAD);
  while (load->load.connection) {
    alch_connection *connection = load->load.connection;
    binding_enter(L, b);
    if (binding_must(L, b, alch_bulk_load_finish(&load->load, lua_tostring(L, 2), &b->error)) != ALCH_WAIT) break;
    binding_wait(L, b, connection, context, finish_continue);
  }
  lua_pushinteger(L, load->load.rows);
  return 1;
}

/* finish([reason]): the number of rows; with a reason nothing was written. */
static int load_finish(lua_State *L) {
  check_load(L, BINDING(L));
  lua_settop(L, 2);
  return finish_continue(L, LUA_OK, 0);
}

static int load_close(lua_State *L) {
  alch_bulk_load_close(&check_load(L, BINDING(L))->load);
  return 0;
}

static int load_gc(lua_State *L) {
  binding_disown(lua_touserdata(L, 1));
  return 0;
}

static int load_property(lua_State *L) {
  if (!binding_is(L, 2, "row")) return 0;
  lua_pushinteger(L, ((const binding_load *)lua_touserdata(L, 1))->row);
  return 1;
}

/* can_copy_(): has the driver a way to take rows in one stream? */
static int bulk_can(lua_State *L) {
  lua_pushboolean(L, alch_connection_bulk(binding_check_connection(L, BINDING(L), 1)) != NULL);
  return 1;
}

void binding_open_bulk(lua_State *L, binding *b) {
  static const luaL_Reg methods[] = { { "open", load_open }, { "add", load_add }, { "add_all", load_add_all }, { "add_text", load_add_text }, { "finish", load_finish }, { "close", load_close }, { NULL, NULL } };
  static const luaL_Reg metamethods[] = { { "__gc", load_gc }, { "__close", load_close }, { NULL, NULL } };
  static const luaL_Reg connection_methods[] = { { "load_", bulk_load }, { "can_copy_", bulk_can }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "columns_to_load", bulk_columns }, { NULL, NULL } };
  binding_kind_register(L, b, BINDING_LOAD, "Load", methods, metamethods);
  binding_kind_properties(L, b, BINDING_LOAD, load_property);
  binding_kind_methods(L, b, BINDING_CONNECTION, connection_methods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
