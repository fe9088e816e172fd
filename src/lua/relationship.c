/* relationship.c - relationships as attributes of models: Team.players in joins, any, has, contains; conditions made of their pairs of columns. */
#include "lua/host.h"
#include <string.h>

/* The payload of BINDING_RELATIONSHIP. User values: 1 the model or alias that it belongs to, 2 the alias that it leads to (of_type), or nil. */
typedef struct binding_relationship {
  const alch_relationship *relationship;
  uint32_t source;                  /* of the parent's columns */
} binding_relationship;

enum { OWNER = 1, TARGET = 2 };

void binding_push_relationship(lua_State *L, binding_orm *o, const alch_relationship *relationship, uint32_t source, int index) {
  index = lua_absindex(L, index);
  binding_relationship *one = binding_new(L, o->b, BINDING_RELATIONSHIP, sizeof *one, 2);
  *one = (binding_relationship){ relationship, source };
  lua_pushvalue(L, index);
  lua_setiuservalue(L, -2, OWNER);
}

static const binding_relationship *check_relationship(lua_State *L) {
  const binding_relationship *one = binding_check(L, BINDING(L), 1, BINDING_RELATIONSHIP);
  binding_be_ready(L, one->relationship->mapper->host);
  return one;
}

static int refuse(lua_State *L, const alch_relationship *relationship, const char *what) {
  return binding_error(L, BINDING(L), ALCH_ERROR_INVALID_REQUEST, "%s.%s %s", relationship->mapper->name, relationship->name, what);
}

/* ---- building ---- */

/* One side of a relationship within a statement. */
typedef struct sides { const alch_relationship *relationship; uint32_t parent, target, link; } sides;

static void build_column(alch_builder *builder, uint32_t source, const alch_column *column) { alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, source, column->index); }

static void build_equal(alch_builder *builder, uint32_t left_source, const alch_column *left, uint32_t right_source, const alch_column *right) {
  alch_builder_open(builder, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
  build_column(builder, left_source, left);
  build_column(builder, right_source, right);
  alch_builder_close(builder);
}

static const alch_column *column_of(const alch_mapper *mapper, uint32_t slot) { return mapper->attributes[slot].column; }

/* Parent and target, or parent and link: the side that is referred to stands left, as in a declaration. */
static void build_parent_pairs(alch_builder *builder, const sides *s) {
  const alch_relationship *relationship = s->relationship;
  for (uint32_t i = 0; i < relationship->pair_count; i++) {
    const alch_pair *pair = &relationship->pairs[i];
    const alch_column *local = column_of(relationship->mapper, pair->local);
    if (relationship->direction == ALCH_MANY_TO_MANY) build_equal(builder, s->parent, local, s->link, pair->link);
    else if (relationship->direction == ALCH_ONE_TO_MANY) build_equal(builder, s->parent, local, s->target, column_of(relationship->target, pair->remote));
    else build_equal(builder, s->target, column_of(relationship->target, pair->remote), s->parent, local);
  }
}

static void build_link_pairs(alch_builder *builder, const sides *s) {
  const alch_relationship *relationship = s->relationship;
  for (uint32_t i = 0; i < relationship->remote_pair_count; i++) {
    const alch_pair *pair = &relationship->remote_pairs[i];
    build_equal(builder, s->target, column_of(relationship->target, pair->remote), s->link, pair->link);
  }
}

/* Conditions joined by AND; `count` of them are built by the function. */
static void push_conjunction(lua_State *L, binding *b, uint32_t count, void (*build)(alch_builder *, const sides *), const sides *s, const alch_block *definitions, const alch_block *more) {
  alch_builder_start(&b->builder);
  if (definitions) alch_builder_definitions(&b->builder, definitions);
  if (more) alch_builder_definitions(&b->builder, more);
  if (count > 1) alch_builder_open(&b->builder, ALCH_NODE_LIST, ALCH_OPERATOR_AND, 0, 0);
  build(&b->builder, s);
  if (count > 1) alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_EXPRESSION);
}

static void build_source(alch_builder *builder, uint32_t source) {
  alch_builder_leaf(builder, source & ALCH_ANONYMOUS ? ALCH_NODE_SOURCE : ALCH_NODE_TABLE, 0, source, 0);
}

/* The entity of the model or alias at index; the table keeps it. */
static const alch_block *entity_at(lua_State *L, binding *b, int index) { return binding_block(L, b, index); }

/* ---- joins ---- */

/* join_parts(relationship [, target]): what a join along it needs: the owner, then (target, condition), before that (secondary, condition) for many to many. */
static int relationship_join_parts(lua_State *L) {
  binding *b = BINDING(L);
  const binding_relationship *one = check_relationship(L);
  const alch_relationship *relationship = one->relationship;
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, OWNER);
  if (lua_isnil(L, 2)) { lua_getiuservalue(L, 1, TARGET); lua_replace(L, 2); }
  if (lua_isnil(L, 2)) { lua_rawgeti(L, LUA_REGISTRYINDEX, ((const binding_model *)relationship->target->host)->model); lua_replace(L, 2); }
  const binding_model *target = binding_check_model(L, b, 2, "a join");
  if (target->mapper != relationship->target)
    return binding_error(L, b, ALCH_ERROR_ARGUMENT, "%s.%s leads to %s, not to %s", relationship->mapper->name, relationship->name, relationship->target->name, target->mapper->name);
  const alch_block *owner_entity = entity_at(L, b, 3), *target_entity = entity_at(L, b, 2);
  sides s = { relationship, one->source, alch_block_root(target_entity)->a, 0 };
  if (s.parent == s.target)
    return binding_error(L, b, ALCH_ERROR_INVALID_REQUEST, "%s.%s leads from %s to itself: join an alias, stmt:join(%s.%s:of_type(alias)) with alias = la.aliased(%s)", relationship->mapper->name,
                         relationship->name, relationship->mapper->name, relationship->mapper->name, relationship->name, relationship->mapper->name);
  if (relationship->direction != ALCH_MANY_TO_MANY) {
    lua_pushvalue(L, 2);
    push_conjunction(L, b, relationship->pair_count, build_parent_pairs, &s, owner_entity, target_entity);
    return 3;
  }
  s.link = relationship->secondary->id;
  binding_push_table(L, b, relationship->secondary);
  push_conjunction(L, b, relationship->pair_count, build_parent_pairs, &s, owner_entity, NULL);
  lua_pushvalue(L, 2);
  push_conjunction(L, b, relationship->remote_pair_count, build_link_pairs, &s, target_entity, NULL);
  return 5;
}

/* of_type(alias): the same relationship, leading to an alias */
static int relationship_of_type(lua_State *L) {
  const binding_relationship *one = check_relationship(L);
  binding_check_model(L, BINDING(L), 2, "of_type");
  lua_getiuservalue(L, 1, OWNER);
  binding_push_relationship(L, BINDING_ORM(L), one->relationship, one->source, -1);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, TARGET);
  return 1;
}

/* ---- EXISTS ---- */

/* A statement with the criteria of the arguments 2 .. top, over the target; the reader then stands at its conditions, or at its end. */
static const alch_block *push_criteria(lua_State *L, binding *b, const alch_relationship *relationship) {
  int top = lua_gettop(L);
  luaL_checkstack(L, top + 8, "criteria");
  lua_rawgeti(L, LUA_REGISTRYINDEX, ((const binding_model *)relationship->target->host)->model);
  const alch_block *entity = entity_at(L, b, -1);
  alch_builder_start(&b->builder);
  alch_builder_open(&b->builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(&b->builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_block(&b->builder, entity);
  alch_builder_close(&b->builder);
  alch_builder_close(&b->builder);
  const alch_block *statement = binding_push_block(L, b, BINDING_STATEMENT);
  if (top < 2) return statement;
  lua_getfield(L, -1, "where");
  lua_insert(L, -2);
  for (int i = 2; i <= top; i++) lua_pushvalue(L, i);
  lua_call(L, top, 1);
  return lua_touserdata(L, -1);
}

static void copy_conditions(alch_builder *builder, const alch_block *statement) {
  alch_reader reader = alch_reader_at_root(statement);
  const alch_node *end = alch_node_next(reader.node);
  alch_reader_enter(&reader);
  while (reader.node < end && reader.node->kind != ALCH_NODE_WHERE) alch_reader_skip(&reader);
  if (reader.node >= end) return;
  const alch_node *last = alch_node_next(reader.node);
  alch_reader_enter(&reader);
  while (reader.node < last) alch_builder_copy(builder, &reader);
}

static void build_sources(alch_builder *builder, alch_node_kind clause, uint8_t op, const sides *s) {
  alch_builder_open(builder, clause, op, 0, 0);
  if (s->target) build_source(builder, s->target);
  if (s->link) build_source(builder, s->link);
  alch_builder_close(builder);
}

typedef void (*build_more)(alch_builder *builder, const sides *s, const void *context);

/* EXISTS (SELECT 1 FROM … WHERE pairs AND …), correlated with everything but its own sources. */
static void build_exists(alch_builder *builder, const sides *s, build_more more, const void *context) {
  alch_builder_open(builder, ALCH_NODE_EXISTS, 0, 0, 0);
  alch_builder_open(builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_leaf_text(builder, ALCH_NODE_LITERAL, 0, ALCH_TYPE_INTEGER, 0, "1", 1);
  alch_builder_close(builder);
  build_sources(builder, ALCH_NODE_FROM, 0, s);
  alch_builder_open(builder, ALCH_NODE_WHERE, 0, 0, 0);
  build_parent_pairs(builder, s);
  more(builder, s, context);
  alch_builder_close(builder);
  build_sources(builder, ALCH_NODE_CORRELATE, 1, s);
  alch_builder_close(builder);
  alch_builder_close(builder);
}

static void build_criteria(alch_builder *builder, const sides *s, const void *context) {
  if (s->relationship->direction == ALCH_MANY_TO_MANY) build_link_pairs(builder, s);
  copy_conditions(builder, context);
}

/* The criteria of a relationship from a table to itself mean the target: they are turned to an alias. */
static const alch_block *retarget(lua_State *L, const alch_block *criteria, uint32_t from, uint32_t to) {
  size_t size = alch_block_size(criteria);
  alch_block *copy = lua_newuserdatauv(L, size, 0);
  memcpy(copy, criteria, size);
  alch_block_retarget(copy, from, to);
  return copy;
}

static int exists(lua_State *L, bool list, const char *other) {
  binding *b = BINDING(L);
  const binding_relationship *one = check_relationship(L);
  const alch_relationship *relationship = one->relationship;
  if (relationship->list != list) return refuse(L, relationship, lua_pushfstring(L, list ? "is no list: write :%s(…)" : "is a list: write :%s(…)", other));
  const alch_block *criteria = push_criteria(L, b, relationship);
  lua_getiuservalue(L, 1, OWNER);
  const alch_block *owner = entity_at(L, b, -1);
  sides s = { relationship, one->source, relationship->target->table->id, relationship->direction == ALCH_MANY_TO_MANY ? relationship->secondary->id : 0 };
  bool itself = s.parent == s.target;
  if (itself) {
    s.target = alch_catalog_anonymous(b->catalog);
    criteria = retarget(L, criteria, s.parent, s.target);
  }
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, owner);
  if (itself) alch_builder_define(&b->builder, s.target, ALCH_DEFINITION_ALIAS, NULL, NULL, relationship->target->table->id);
  alch_builder_definitions(&b->builder, criteria);
  build_exists(&b->builder, &s, build_criteria, criteria);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* any(criteria…): is there one in the list that meets them? */
static int relationship_any(lua_State *L) { return exists(L, true, "has"); }
/* has(criteria…): is there a related one that meets them? */
static int relationship_has(lua_State *L) { return exists(L, false, "any"); }

/* ---- comparing with an object ---- */

/* The object at 2, of the target's model, with this slot loaded. */
static void object_value(lua_State *L, const alch_relationship *relationship, uint32_t slot, alch_value *out) {
  alch_object *object = lua_touserdata(L, 2);
  binding_load_slot(L, BINDING_ORM(L), object, slot, 2);
  *out = alch_object_cell_value(object, slot);
  if (alch_object_kinds(object)[slot] & ALCH_SLOT_UNLOADED) *out = ALCH_VALUE_NULL;
  if (out->kind == ALCH_NULL)
    binding_error(L, BINDING(L), ALCH_ERROR_INVALID_REQUEST, "this %s object has no value for '%s' to compare %s.%s with: add and flush it first", relationship->target->name,
                  relationship->target->attributes[slot].name, relationship->mapper->name, relationship->name);
}

static bool check_object(lua_State *L, const alch_relationship *relationship, const char *method) {
  if (lua_isnoneornil(L, 2) || (lua_islightuserdata(L, 2) && !lua_touserdata(L, 2))) return false;
  const alch_object *object = binding_instance(L, 2);
  if (!object || object->mapper != relationship->target) {
    const char *came = binding_describe(L, BINDING(L), 2);
    binding_error(L, BINDING(L), ALCH_ERROR_ARGUMENT, "%s.%s:%s takes a %s object%s, not %s", relationship->mapper->name, relationship->name, method, relationship->target->name,
                  relationship->list ? "" : " or nil", came);
  }
  return true;
}

static void build_value(alch_builder *builder, uint32_t source, const alch_column *column, uint8_t op, const alch_value *value) {
  if (!value) {
    alch_builder_open(builder, ALCH_NODE_BINARY, op == ALCH_OPERATOR_EQ ? ALCH_OPERATOR_IS : ALCH_OPERATOR_IS_NOT, 0, ALCH_TYPE_BOOLEAN);
    build_column(builder, source, column);
    alch_builder_leaf(builder, ALCH_NODE_NULL, 0, 0, 0);
  } else {
    alch_builder_open(builder, ALCH_NODE_BINARY, op, 0, ALCH_TYPE_BOOLEAN);
    build_column(builder, source, column);
    alch_builder_bind(builder, column->type, 0, NULL, value, NULL);
  }
  alch_builder_close(builder);
}

/* parent.column op the object's value, for each pair; != of several parts: any of them differs. */
static int compare_pairs(lua_State *L, const binding_relationship *one, uint8_t op, bool given) {
  binding *b = BINDING(L);
  const alch_relationship *relationship = one->relationship;
  alch_value values[ALCH_KEY_LIMIT];
  if (relationship->pair_count > ALCH_KEY_LIMIT) return refuse(L, relationship, "has too many columns to be compared");
  for (uint32_t i = 0; i < relationship->pair_count && given; i++) object_value(L, relationship, relationship->pairs[i].remote, &values[i]);
  lua_getiuservalue(L, 1, OWNER);
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, entity_at(L, b, -1));
  if (relationship->pair_count > 1) alch_builder_open(&b->builder, ALCH_NODE_LIST, op == ALCH_OPERATOR_EQ ? ALCH_OPERATOR_AND : ALCH_OPERATOR_OR, 0, 0);
  for (uint32_t i = 0; i < relationship->pair_count; i++)
    build_value(&b->builder, one->source, column_of(relationship->mapper, relationship->pairs[i].local), op, given ? &values[i] : NULL);
  if (relationship->pair_count > 1) alch_builder_close(&b->builder);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

static int compare(lua_State *L, uint8_t op, const char *method) {
  const binding_relationship *one = check_relationship(L);
  const alch_relationship *relationship = one->relationship;
  if (relationship->list) return refuse(L, relationship, "is a list: write :contains(object), or :any(…)");
  if (relationship->direction == ALCH_ONE_TO_MANY) return refuse(L, relationship, "has its foreign key on the other side: write :has(…)");
  return compare_pairs(L, one, op, check_object(L, relationship, method));
}

static int relationship_eq(lua_State *L) { return compare(L, ALCH_OPERATOR_EQ, "eq"); }
static int relationship_ne(lua_State *L) { return compare(L, ALCH_OPERATOR_NE, "ne"); }

static void build_link_values(alch_builder *builder, const sides *s, const void *context) {
  const alch_value *values = context;
  for (uint32_t i = 0; i < s->relationship->remote_pair_count; i++) build_value(builder, s->link, s->relationship->remote_pairs[i].link, ALCH_OPERATOR_EQ, &values[i]);
}

/* contains(object): is the object in the list? */
static int relationship_contains(lua_State *L) {
  binding *b = BINDING(L);
  const binding_relationship *one = check_relationship(L);
  const alch_relationship *relationship = one->relationship;
  alch_value values[ALCH_KEY_LIMIT];
  if (!relationship->list) return refuse(L, relationship, "is no list: write :eq(object)");
  if (!check_object(L, relationship, "contains")) return binding_expected(L, b, 2, "an object", "contains");
  if (relationship->direction != ALCH_MANY_TO_MANY) return compare_pairs(L, one, ALCH_OPERATOR_EQ, true);
  for (uint32_t i = 0; i < relationship->remote_pair_count && i < ALCH_KEY_LIMIT; i++) object_value(L, relationship, relationship->remote_pairs[i].remote, &values[i]);
  sides s = { relationship, one->source, 0, relationship->secondary->id };
  lua_getiuservalue(L, 1, OWNER);
  alch_builder_start(&b->builder);
  alch_builder_definitions(&b->builder, entity_at(L, b, -1));
  build_exists(&b->builder, &s, build_link_values, values);
  binding_push_block(L, b, BINDING_EXPRESSION);
  return 1;
}

/* ---- the rest ---- */

static int relationship_property(lua_State *L) {
  const binding_relationship *one = lua_touserdata(L, 1);
  if (binding_is(L, 2, "key")) lua_pushstring(L, one->relationship->name);
  else if (binding_is(L, 2, "parent")) lua_getiuservalue(L, 1, OWNER);
  else if (binding_is(L, 2, "class") || binding_is(L, 2, "target")) {
    check_relationship(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, ((const binding_model *)one->relationship->target->host)->model);
  } else if (binding_is(L, 2, "uselist")) lua_pushboolean(L, check_relationship(L)->relationship->list);
  else return 0;
  return 1;
}

static int relationship_tostring(lua_State *L) {
  const binding_relationship *one = binding_check(L, BINDING(L), 1, BINDING_RELATIONSHIP);
  lua_pushfstring(L, "%s.%s", one->relationship->mapper->name, one->relationship->name);
  return 1;
}

/* is_relationship(value) */
static int relationship_is(lua_State *L) {
  lua_pushboolean(L, binding_test(L, BINDING(L), 1, BINDING_RELATIONSHIP) != NULL);
  return 1;
}

/* relationship_slot(relationship): the id of its mapper, its slot, and the alias that it leads to or nil; for loader options */
static int relationship_slot(lua_State *L) {
  const binding_relationship *one = check_relationship(L);
  lua_pushinteger(L, (lua_Integer)one->relationship->mapper->id);
  lua_pushinteger(L, (lua_Integer)one->relationship->slot);
  lua_getiuservalue(L, 1, TARGET);
  return 3;
}

void binding_open_relationship(lua_State *L, binding *b, binding_orm *o) {
  static const luaL_Reg methods[] = {
    { "any", relationship_any }, { "has", relationship_has }, { "contains", relationship_contains }, { "eq", relationship_eq }, { "ne", relationship_ne },
    { "is_", relationship_eq }, { "is_not", relationship_ne }, { "of_type", relationship_of_type }, { "join_parts", relationship_join_parts }, { NULL, NULL },
  };
  static const luaL_Reg metamethods[] = { { "__tostring", relationship_tostring }, { NULL, NULL } };
  static const luaL_Reg functions[] = { { "is_relationship", relationship_is }, { "relationship_slot", relationship_slot }, { NULL, NULL } };
  binding_orm_kind(L, o, BINDING_RELATIONSHIP, "relationship attribute", methods, metamethods);
  lua_pop(L, 1);
  binding_kind_properties(L, b, BINDING_RELATIONSHIP, relationship_property);
  binding_orm_functions(L, o, functions);
}
