/* mapper.c - models: a Lua table over a mapper of the core. lua/lualchemy/orm/model.lua says what a user writes. */
#include "lua/host.h"
#include <string.h>

static const char model_key = 0;   /* raw field of models and aliases, keyed by this address: the binding_model */

/* ---- what stands at an index ---- */

binding_model *binding_model_of(lua_State *L, binding *b, int index) {
  if (lua_type(L, index) == LUA_TUSERDATA) return binding_test(L, b, index, BINDING_MAPPER);
  if (lua_type(L, index) != LUA_TTABLE) return NULL;
  lua_rawgetp(L, index, &model_key);
  binding_model *model = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return model;
}

binding_model *binding_check_model(lua_State *L, binding *b, int index, const char *where) {
  binding_model *model = binding_model_of(L, b, index);
  if (!model) binding_expected(L, b, index, "a model", where);
  return model;
}

static binding_model *check_mapper(lua_State *L) { return binding_check(L, BINDING(L), 1, BINDING_MAPPER); }

/* The column that the expression at index is, or that has this key in the table. */
static alch_column *check_column(lua_State *L, binding *b, int index, alch_table *table) {
  alch_column *column = NULL;
  if (lua_type(L, index) == LUA_TSTRING) {
    binding_must(L, b, alch_table_require_column(table, lua_tostring(L, index), &column, &b->error));
    return column;
  }
  const alch_block *block = binding_test(L, b, index, BINDING_EXPRESSION);
  const alch_node *root = block ? alch_block_root(block) : NULL;
  if (!root || root->kind != ALCH_NODE_COLUMN || (root->a & ALCH_ANONYMOUS)) binding_expected(L, b, index, "a column", "a model");
  return alch_catalog_table(b->catalog, root->a)->columns[root->b];
}

/* ---- registries ---- */

/* registry(): closed with the state. */
static int mapper_registry(lua_State *L) {
  binding *b = BINDING(L);
  binding_orm *o = BINDING_ORM(L);
  alch_registry **grown = alch_grow(&b->allocator, o->registries, &o->registry_capacity, o->registry_count + 1, sizeof *grown);
  if (!grown) return binding_raise(L, b, alch_error_out_of_memory(&b->error));
  o->registries = grown;
  alch_registry **place = lua_newuserdatauv(L, sizeof *place, 0);
  *place = NULL;
  alch_registry *registry = NULL;
  binding_must(L, b, alch_registry_new(b->catalog, &registry, &b->error));
  o->registries[o->registry_count++] = *place = registry;
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, registry);
  return 1;
}

static alch_registry *check_registry(lua_State *L, int index) {
  alch_registry **place = lua_touserdata(L, index);
  luaL_argcheck(L, place && lua_rawlen(L, index) == sizeof *place, index, "a registry expected");
  return *place;
}

/* ---- making a mapper ---- */

/* mapper(registry, name, table) */
static int mapper_new(lua_State *L) {
  binding *b = BINDING(L);
  binding_orm *o = BINDING_ORM(L);
  alch_registry *registry = check_registry(L, 1);
  const char *name = binding_text(L, b, 2, NULL, "the name of the model", "a model");
  alch_table *table = binding_check_table(L, b, 3, name);
  binding_model *model = binding_new(L, b, BINDING_MAPPER, sizeof *model, 2);
  model->orm = o;
  model->model = model->metatable = LUA_NOREF;
  binding_must(L, b, alch_mapper_new(registry, name, table, &model->mapper, &b->error));
  model->number = o->model_count++;
  bool entered = alch_map_put(&o->models, &model->mapper->id, sizeof model->mapper->id, model);
  if (entered && !alch_map_get(&o->models_by_table, &table->id, sizeof table->id)) entered = alch_map_put(&o->models_by_table, &table->id, sizeof table->id, model);
  if (!entered) return binding_raise(L, b, alch_error_out_of_memory(&b->error));
  model->mapper->host = model;
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, model);
  return 1;
}

/* attribute(mapper, column, name, deferred) */
static int mapper_attribute(lua_State *L) {
  binding *b = BINDING(L);
  binding_model *model = check_mapper(L);
  alch_column *column = check_column(L, b, 2, model->mapper->table);
  binding_must(L, b, alch_mapper_set_attribute(model->mapper, column, lua_tostring(L, 3), lua_toboolean(L, 4), &b->error));
  return 0;
}

static const struct { const char *name; uint8_t bits; } cascades[] = {
  { "save-update", ALCH_CASCADE_SAVE_UPDATE }, { "delete", ALCH_CASCADE_DELETE }, { "delete-orphan", ALCH_CASCADE_DELETE_ORPHAN }, { "merge", ALCH_CASCADE_MERGE },
  { "refresh-expire", ALCH_CASCADE_REFRESH_EXPIRE }, { "expunge", ALCH_CASCADE_EXPUNGE }, { "none", 0 },
  { "all", ALCH_CASCADE_SAVE_UPDATE | ALCH_CASCADE_DELETE | ALCH_CASCADE_MERGE | ALCH_CASCADE_REFRESH_EXPIRE | ALCH_CASCADE_EXPUNGE },
};

static uint8_t cascade_bits(lua_State *L, binding *b, const char *word, size_t length, const char *whose) {
  const char *names[ALCH_COUNT(cascades)];
  for (size_t i = 0; i < ALCH_COUNT(cascades); i++) {
    names[i] = cascades[i].name;
    if (strlen(cascades[i].name) == length && memcmp(cascades[i].name, word, length) == 0) return cascades[i].bits;
  }
  const char *given = lua_pushlstring(L, word, length);
  const char *nearest = alch_nearest(given, names, ALCH_COUNT(names));
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "relationship '%s' has no cascade '%s'; %s%s", whose, given, nearest ? "the nearest is " : "they are: all, save-update, merge, delete, delete-orphan, refresh-expire, expunge",
                nearest ? nearest : "");
  return 0;
}

/* "all, delete-orphan" */
static uint8_t parse_cascade(lua_State *L, binding *b, const char *text, const char *whose) {
  uint8_t bits = 0;
  while (*text) {
    size_t length = strcspn(text, ", ");
    if (length > 0) bits |= cascade_bits(L, b, text, length, whose);
    text += length + strspn(text + length, ", ");
  }
  return bits;
}

static const char *const lazy_names[] = { "batch", "select", "joined", "selectin", "raise", "noload", "subquery", "immediate", "raise_on_sql", NULL };
static const uint8_t lazy_strategies[] = { ALCH_LAZY_BATCH, ALCH_LAZY_SELECT, ALCH_LAZY_JOINED, ALCH_LAZY_SELECTIN, ALCH_LAZY_RAISE, ALCH_LAZY_NOLOAD, ALCH_LAZY_SELECTIN, ALCH_LAZY_SELECTIN, ALCH_LAZY_RAISE };

static uint8_t parse_lazy(lua_State *L, binding *b, const char *name, const char *whose) {
  size_t count = ALCH_COUNT(lazy_strategies);
  for (size_t i = 0; i < count; i++)
    if (strcmp(lazy_names[i], name) == 0) return lazy_strategies[i];
  const char *nearest = alch_nearest(name, lazy_names, count);
  binding_error(L, b, ALCH_ERROR_ARGUMENT, "relationship '%s' cannot be loaded by lazy = '%s'; %s%s", whose, name, nearest ? "the nearest is " : "there are: batch, select, joined, selectin, raise, noload",
                nearest ? nearest : "");
  return 0;
}

static const char *text_field(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1);   /* the table keeps it */
  return text;
}

static bool flag_field(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  bool flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

/* relationship(mapper, definition): what relationship{} made, checked by lua/lualchemy/orm/relationship.lua, with its name filled in. Answers its slot. */
static int mapper_relationship(lua_State *L) {
  binding *b = BINDING(L);
  binding_model *model = check_mapper(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  alch_relationship made = { .name = text_field(L, 2, "name"), .target_name = text_field(L, 2, "target"), .back_name = text_field(L, 2, "back_populates") };
  const char *cascade = text_field(L, 2, "cascade"), *lazy = text_field(L, 2, "lazy");
  made.cascade = cascade ? parse_cascade(L, b, cascade, made.name) : ALCH_CASCADE_SAVE_UPDATE | ALCH_CASCADE_MERGE;
  made.strategy = lazy ? parse_lazy(L, b, lazy, made.name) : ALCH_LAZY_BATCH;
  made.view_only = flag_field(L, 2, "viewonly");
  made.passive_deletes = flag_field(L, 2, "passive_deletes");
  made.post_update = flag_field(L, 2, "post_update");
  made.single_parent = flag_field(L, 2, "single_parent");
  made.inner_join = flag_field(L, 2, "innerjoin");
  lua_getfield(L, 2, "uselist");
  made.list_given = !lua_isnil(L, -1);
  made.list = lua_toboolean(L, -1);
  if (made.view_only && !cascade) made.cascade = 0;
  alch_relationship *out = NULL;
  binding_must(L, b, alch_mapper_add_relationship(model->mapper, &made, &out, &b->error));
  lua_pushinteger(L, (lua_Integer)out->slot);
  return 1;
}

/* The columns in the list at field `name` of the table at 3; their memory stays on the stack. */
static uint32_t column_list(lua_State *L, binding *b, const char *name, alch_table *table, alch_column ***out) {
  if (lua_getfield(L, 3, name) != LUA_TTABLE) return 0;
  int list = lua_gettop(L);
  uint32_t count = (uint32_t)lua_rawlen(L, list);
  alch_column **columns = lua_newuserdatauv(L, (count + 1) * sizeof *columns, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    columns[i] = check_column(L, b, -1, table);
    lua_pop(L, 1);
  }
  *out = columns;
  return count;
}

/* hints(mapper, slot, { target =, secondary =, order_by =, foreign_keys =, remote_side = }): what could be found only when all models were there. */
static int mapper_hints(lua_State *L) {
  binding *b = BINDING(L);
  binding_model *model = check_mapper(L);
  uint32_t slot = (uint32_t)luaL_checkinteger(L, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  alch_relationship hints = { 0 };
  lua_getfield(L, 3, "target");
  if (!lua_isnil(L, -1)) hints.target = binding_check_model(L, b, -1, "relationship")->mapper;
  lua_getfield(L, 3, "secondary");
  if (!lua_isnil(L, -1)) hints.secondary = binding_check_table(L, b, -1, "secondary of a relationship");
  lua_getfield(L, 3, "order_by");
  if (!lua_isnil(L, -1) && !(hints.order_by = binding_block(L, b, -1))) binding_expected(L, b, -1, "a column or a list of columns", "order_by of a relationship");
  hints.foreign_key_count = column_list(L, b, "foreign_keys", model->mapper->table, &hints.foreign_keys);
  hints.remote_side_count = column_list(L, b, "remote_side", model->mapper->table, &hints.remote_side);
  binding_must(L, b, alch_mapper_set_hints(model->mapper, slot, &hints, &b->error));
  return 0;
}

/* ---- finishing: names, metatable, fields of the model ---- */

static void enter_name(lua_State *L, binding_model *model, const char *name, uint32_t slot) {
  name = lua_pushstring(L, name);   /* the interned string; the list of strings keeps it */
  lua_rawseti(L, -2, (lua_Integer)slot + 1);
  uint32_t i = binding_name_place(name) & model->mask;
  while (model->names[i].text) i = (i + 1) & model->mask;
  model->names[i] = (binding_name){ name, slot };
}

/* The mapper stands at 1. */
static void make_names(lua_State *L, binding_model *model) {
  const alch_mapper *mapper = model->mapper;
  uint32_t size = 8;
  while (size < mapper->slot_count * 2 + 2) size *= 2;
  model->mask = size - 1;
  size_t bytes = size * sizeof *model->names + mapper->attribute_count * 2;
  model->names = lua_newuserdatauv(L, bytes, 0);
  memset(model->names, 0, bytes);
  model->writes = (uint8_t *)(model->names + size);
  model->direct = (bool *)(model->writes + mapper->attribute_count);
  lua_setiuservalue(L, 1, 1);
  lua_createtable(L, (int)mapper->slot_count, 0);
  for (uint32_t i = 0; i < mapper->slot_count; i++) enter_name(L, model, alch_mapper_slot_name(mapper, i), i);
  lua_setiuservalue(L, 1, 2);
}

/* An expression in field `name` of the table on top of the stack: column `column` of the source, or (NULL) the entity. */
static void push_of_source(lua_State *L, binding *b, const alch_mapper *mapper, uint32_t source, const char *alias, const alch_column *column) {
  alch_builder_start(&b->builder);
  if (source & ALCH_ANONYMOUS) alch_builder_define(&b->builder, source, ALCH_DEFINITION_ALIAS, alias, NULL, mapper->table->id);
  if (column) alch_builder_leaf(&b->builder, ALCH_NODE_COLUMN, 0, source, column->index);
  else alch_builder_leaf(&b->builder, ALCH_NODE_ENTITY, 0, source, mapper->id);
  binding_push_block(L, b, BINDING_EXPRESSION);
}

static void set_fields(lua_State *L, const binding_model *model, uint32_t source, const char *alias) {
  const alch_mapper *mapper = model->mapper;
  binding *b = model->orm->b;
  lua_pushlightuserdata(L, (void *)(uintptr_t)model);
  lua_rawsetp(L, -2, &model_key);
  lua_pushliteral(L, "__entity");
  push_of_source(L, b, mapper, source, alias, NULL);
  lua_rawset(L, -3);
  for (uint32_t i = 0; i < mapper->attribute_count; i++) {
    lua_pushstring(L, mapper->attributes[i].name);
    if (source & ALCH_ANONYMOUS) push_of_source(L, b, mapper, source, alias, mapper->attributes[i].column);
    else binding_push_column(L, b, mapper->attributes[i].column);
    lua_rawset(L, -3);
  }
  for (uint32_t i = 0; i < mapper->relationship_count; i++) {
    lua_pushstring(L, mapper->relationships[i].name);
    binding_push_relationship(L, model->orm, &mapper->relationships[i], source, -2);
    lua_rawset(L, -3);
  }
}

/* finish(mapper, model, extra): no attribute can be added after this. Fills the model's table; answers the function that makes its objects. */
static int mapper_finish(lua_State *L) {
  binding_model *model = check_mapper(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  model->extra = lua_toboolean(L, 3);
  lua_settop(L, 2);
  make_names(L, model);
  lua_pushvalue(L, 2);
  model->model = luaL_ref(L, LUA_REGISTRYINDEX);
  binding_model_metatable(L, model);
  model->metatable = luaL_ref(L, LUA_REGISTRYINDEX);
  set_fields(L, model, model->mapper->table->id, NULL);
  lua_pushliteral(L, "__mapper");
  lua_pushvalue(L, 1);
  lua_rawset(L, 2);
  lua_pushliteral(L, "__table");
  binding_push_table(L, model->orm->b, model->mapper->table);
  lua_rawset(L, 2);
  binding_push_constructor(L, model);
  return 1;
}

/* alias(model, fields, name): fills the table with what an alias of the model has. */
static int mapper_alias(lua_State *L) {
  binding *b = BINDING(L);
  binding_model *model = binding_check_model(L, b, 1, "aliased");
  luaL_checktype(L, 2, LUA_TTABLE);
  const char *name = luaL_optstring(L, 3, "");
  lua_settop(L, 3);
  lua_pushvalue(L, 2);
  set_fields(L, model, alch_catalog_anonymous(b->catalog), name);
  lua_pushliteral(L, "__mapper");
  lua_rawgetp(L, LUA_REGISTRYINDEX, model);
  lua_rawset(L, 2);
  lua_pushliteral(L, "__table");
  binding_push_table(L, b, model->mapper->table);
  lua_rawset(L, 2);
  return 0;
}

/* ---- configuring ---- */

static binding_write write_of(const alch_type *type) {
  if (type->host != 0) return BINDING_WRITE_TYPED;
  switch (type->family) {
    case ALCH_TYPE_INTEGER: case ALCH_TYPE_BIG_INTEGER: case ALCH_TYPE_SMALL_INTEGER: return BINDING_WRITE_INTEGER;
    case ALCH_TYPE_DOUBLE: case ALCH_TYPE_FLOAT: return BINDING_WRITE_REAL;
    case ALCH_TYPE_STRING: case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE: case ALCH_TYPE_UNICODE_TEXT: return BINDING_WRITE_TEXT;
    case ALCH_TYPE_BOOLEAN: return BINDING_WRITE_BOOLEAN;
    default: return BINDING_WRITE_TYPED;
  }
}

static void make_ready(binding_model *model) {
  const alch_mapper *mapper = model->mapper;
  for (uint32_t i = 0; i < mapper->attribute_count; i++) {
    const alch_type *type = mapper->attributes[i].type;
    model->writes[i] = (uint8_t)write_of(type);
    model->direct[i] = type->host == 0 && !binding_has_inside(type->family);
  }
  model->ready = true;
}

void binding_configure(lua_State *L, binding_model *model) {
  binding_orm *o = model->orm;
  alch_registry *registry = model->mapper->registry;
  luaL_checkstack(L, 8, "configuring");
  if (lua_rawgeti(L, LUA_REGISTRYINDEX, o->configure) == LUA_TFUNCTION) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, registry);
    lua_call(L, 1, 0);
  } else lua_pop(L, 1);
  binding_must(L, o->b, alch_registry_configure(registry, &o->b->error));
  for (uint32_t i = 0; i < registry->mapper_count; i++) {
    binding_model *one = registry->mappers[i]->host;
    if (one && !one->ready && one->names) make_ready(one);
  }
  if (!model->ready) binding_error(L, o->b, ALCH_ERROR_INVALID_REQUEST, "the model %s is not finished: its declaration failed", model->mapper->name);
}

/* configure(mapper) */
static int mapper_configure(lua_State *L) {
  binding_be_ready(L, check_mapper(L));
  return 0;
}

/* set_hooks(configure, dispatch, route): functions of the Lua side. */
static int mapper_set_hooks(lua_State *L) {
  const binding_orm *o = BINDING_ORM(L);
  lua_settop(L, 3);
  lua_rawseti(L, LUA_REGISTRYINDEX, o->route);
  lua_rawseti(L, LUA_REGISTRYINDEX, o->dispatch);
  lua_rawseti(L, LUA_REGISTRYINDEX, o->configure);
  return 0;
}

static const char *const event_names[ALCH_EVENT_COUNT] = { "load", "refresh", "before_insert", "after_insert", "before_update", "after_update", "before_delete", "after_delete" };

/* listen(mapper, event [, attribute]): from now on the core tells of it. False when there is no such event. */
static int mapper_listen(lua_State *L) {
  binding_model *model = check_mapper(L);
  alch_mapper *mapper = model->mapper;
  const char *event = luaL_checkstring(L, 2);
  if (!lua_isnoneornil(L, 3)) {
    uint32_t slot = alch_mapper_slot(mapper, luaL_checkstring(L, 3));
    if (slot == UINT32_MAX) return binding_unknown_attribute(L, model, lua_tostring(L, 3));
    if (slot < mapper->attribute_count) mapper->attributes[slot].listened = true;
    else mapper->relationships[slot - mapper->attribute_count].listened = true;
    lua_pushboolean(L, 1);
    return 1;
  }
  for (int i = 0; i < ALCH_EVENT_COUNT; i++) {
    if (strcmp(event_names[i], event) != 0) continue;
    mapper->events |= 1u << i;
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  return 1;
}

/* ---- what a mapper answers ---- */

static void push_attributes(lua_State *L, const binding_model *model) {
  const alch_mapper *mapper = model->mapper;
  lua_createtable(L, (int)mapper->attribute_count, 0);
  for (uint32_t i = 0; i < mapper->attribute_count; i++) {
    lua_createtable(L, 0, 4);
    lua_pushstring(L, mapper->attributes[i].name);
    lua_setfield(L, -2, "key");
    binding_push_column(L, model->orm->b, mapper->attributes[i].column);
    lua_setfield(L, -2, "column");
    lua_pushboolean(L, mapper->attributes[i].deferred);
    lua_setfield(L, -2, "deferred");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool flag) {
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, name);
}

static void push_relationships(lua_State *L, const binding_model *model) {
  static const char *const directions[] = { "MANYTOONE", "ONETOMANY", "MANYTOMANY" };
  const alch_mapper *mapper = model->mapper;
  lua_createtable(L, (int)mapper->relationship_count, 0);
  for (uint32_t i = 0; i < mapper->relationship_count; i++) {
    const alch_relationship *one = &mapper->relationships[i];
    lua_createtable(L, 0, 8);
    set_text(L, "key", one->name);
    set_text(L, "target", one->target_name);
    set_text(L, "direction", directions[one->direction]);
    set_flag(L, "uselist", one->list);
    set_flag(L, "viewonly", one->view_only);
    set_flag(L, "passive_deletes", one->passive_deletes);
    set_text(L, "back_populates", one->back_name);
    if (one->secondary) { binding_push_table(L, model->orm->b, one->secondary); lua_setfield(L, -2, "secondary"); }
    lua_rawgetp(L, LUA_REGISTRYINDEX, one->target->host);
    lua_setfield(L, -2, "mapper");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static int mapper_property(lua_State *L) {
  binding_model *model = lua_touserdata(L, 1);
  const alch_mapper *mapper = model->mapper;
  if (binding_is(L, 2, "name")) lua_pushstring(L, mapper->name);
  else if (binding_is(L, 2, "class") || binding_is(L, 2, "class_") || binding_is(L, 2, "model")) lua_rawgeti(L, LUA_REGISTRYINDEX, model->model);
  else if (binding_is(L, 2, "table") || binding_is(L, 2, "local_table")) binding_push_table(L, model->orm->b, mapper->table);
  else if (binding_is(L, 2, "column_attrs")) push_attributes(L, model);
  else if (binding_is(L, 2, "relationships")) { binding_be_ready(L, model); push_relationships(L, model); }
  else if (binding_is(L, 2, "primary_key")) {
    lua_createtable(L, (int)mapper->key_count, 0);
    for (uint32_t i = 0; i < mapper->key_count; i++) {
      lua_pushstring(L, mapper->attributes[mapper->key_slots[i]].name);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
  } else return 0;
  return 1;
}

static int mapper_tostring(lua_State *L) {
  lua_pushfstring(L, "mapper of %s", check_mapper(L)->mapper->name);
  return 1;
}

/* model_of(value): the mapper of a model, alias, mapper or instance, or nil */
static int mapper_of(lua_State *L) {
  const binding_model *model = binding_model_of(L, BINDING(L), 1);
  const alch_object *object = model ? NULL : binding_instance(L, 1);
  if (object) model = object->mapper->host;
  if (!model) return 0;
  lua_rawgetp(L, LUA_REGISTRYINDEX, model);
  return 1;
}

void binding_open_mapper(lua_State *L, binding *b) {
  static const luaL_Reg metamethods[] = { { "__tostring", mapper_tostring }, { NULL, NULL } };
  static const luaL_Reg methods[] = { { "configure", mapper_configure }, { NULL, NULL } };
  static const luaL_Reg functions[] = {
    { "registry", mapper_registry }, { "mapper", mapper_new }, { "attribute", mapper_attribute }, { "relationship", mapper_relationship }, { "hints", mapper_hints },
    { "finish", mapper_finish }, { "alias", mapper_alias }, { "configure", mapper_configure }, { "set_hooks", mapper_set_hooks }, { "listen", mapper_listen },
    { "mapper_of", mapper_of }, { NULL, NULL },
  };
  binding_orm *o = binding_open_host(L, b);
  binding_orm_kind(L, o, BINDING_MAPPER, "mapper", methods, metamethods);
  lua_pop(L, 1);
  binding_kind_properties(L, b, BINDING_MAPPER, mapper_property);
  lua_newtable(L);
  binding_orm_functions(L, o, functions);
  binding_open_instance(L, b, o);
  binding_open_collection(L, b, o);
  binding_open_relationship(L, b, o);
  binding_open_query_result(L, b, o);
  binding_open_loader(L, o);
  binding_open_instance_state(L, o);
  lua_setfield(L, -2, "orm");
}
