/* What a relationship means: its target, its direction and the columns that it equates, all from foreign keys. */
#include "orm/mapper.h"

#include <string.h>

/* ---- names ---- */

static alch_status find_target(alch_relationship *relationship, alch_error *error) {
  const alch_registry *registry = relationship->mapper->registry;
  if (!relationship->target) relationship->target = alch_registry_find(registry, relationship->target_name);
  if (relationship->target) return ALCH_OK;
  const char *names[256];
  uint32_t count = registry->mapper_count < ALCH_COUNT(names) ? registry->mapper_count : ALCH_COUNT(names);
  for (uint32_t i = 0; i < count; i++) names[i] = registry->mappers[i]->name;
  const char *nearest = alch_nearest(relationship->target_name, names, count);
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "%s.%s: there is no model named '%s'%s%s%s", relationship->mapper->name, relationship->name, relationship->target_name,
                        nearest ? "; did you mean '" : "; declare it before the models are first used", nearest ? nearest : "", nearest ? "'?" : "");
}

/* ---- which foreign key ---- */

static bool is_among(const alch_column *column, alch_column *const *columns, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (columns[i] == column) return true;
  return false;
}

static bool are_among(alch_column *const *some, uint32_t some_count, alch_column *const *columns, uint32_t count) {
  for (uint32_t i = 0; i < some_count; i++)
    if (!is_among(some[i], columns, count)) return false;
  return true;
}

/* The foreign keys from one table to another that a search found. */
typedef struct link_search {
  const alch_relationship *relationship;
  const alch_table *from, *to;
  enum { SIDE_LOCAL, SIDE_REMOTE, SIDE_LINK_LOCAL, SIDE_LINK_REMOTE } side;     /* where the foreign key's columns are */
  bool any;                /* foreign_keys does not speak of this side */
  const alch_constraint *found, *other;
  uint32_t count;
} link_search;

/* Does the foreign key agree with remote_side? */
static bool fits_remote_side(const link_search *search, const alch_constraint *key) {
  const alch_relationship *r = search->relationship;
  if (r->remote_side_count == 0) return true;
  switch (search->side) {
    case SIDE_LOCAL: return are_among(r->remote_side, r->remote_side_count, key->referred, key->column_count);
    case SIDE_REMOTE: case SIDE_LINK_REMOTE: return are_among(r->remote_side, r->remote_side_count, key->columns, key->column_count);
    default: return !is_among(key->columns[0], r->remote_side, r->remote_side_count);
  }
}

/* Does it agree with foreign_keys? */
static bool fits_foreign_keys(const link_search *search, const alch_constraint *key) {
  const alch_relationship *r = search->relationship;
  return r->foreign_key_count == 0 || search->any || are_among(key->columns, key->column_count, r->foreign_keys, r->foreign_key_count);
}

static alch_status search_links(link_search *search, alch_error *error) {
  for (alch_constraint *key = search->from->constraints; key; key = key->next) {
    if (key->kind != ALCH_CONSTRAINT_FOREIGN_KEY) continue;
    if (alch_foreign_key_resolve(key, error) != ALCH_OK) return ALCH_ERROR;
    if (key->referred[0]->table != search->to || !fits_foreign_keys(search, key) || !fits_remote_side(search, key)) continue;
    if (search->count++ == 0) search->found = key;
    else if (!search->other) search->other = key;
  }
  return ALCH_OK;
}

static alch_status no_link(const alch_relationship *r, const alch_table *from, const alch_table *to, alch_error *error) {
  bool hinted = r->foreign_key_count > 0 || r->remote_side_count > 0;
  return alch_error_set(error, ALCH_ERROR_NO_FOREIGN_KEYS,
                        "Could not determine join condition between parent/child tables on relationship %s.%s: there are no foreign keys linking the tables '%s' and '%s'%s", r->mapper->name,
                        r->name, from->full_name, to->full_name,
                        hinted ? " that agree with its foreign_keys and remote_side" : "; give a column of one of them a ForeignKey to the other, or name the secondary table");
}

static alch_status many_links(const alch_relationship *r, const alch_constraint *first, const alch_constraint *second, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_AMBIGUOUS_FOREIGN_KEYS,
                        "Could not determine join condition between parent/child tables on relationship %s.%s: there are several foreign keys linking the tables (by '%s.%s', by '%s.%s'); say "
                        "which one is meant: foreign_keys = \"%s.%s\"",
                        r->mapper->name, r->name, first->table->full_name, first->columns[0]->name, second->table->full_name, second->columns[0]->name, first->table->full_name,
                        first->columns[0]->name);
}

/* ---- pairs ---- */

static alch_status slot_of(const alch_relationship *r, const alch_mapper *mapper, const alch_column *column, uint32_t *out, alch_error *error) {
  *out = alch_mapper_column_slot(mapper, column);
  if (*out != UINT32_MAX) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s needs the column '%s.%s', which the model %s does not have: it was added to the table behind the model's back", r->mapper->name, r->name,
                        column->table->full_name, column->key, mapper->name);
}

static alch_pair *new_pairs(alch_relationship *r, uint32_t count, alch_error *error) {
  if (count > ALCH_KEY_LIMIT) {
    alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s: its foreign key has %u columns; %d is the most", r->mapper->name, r->name, (unsigned)count, ALCH_KEY_LIMIT);
    return NULL;
  }
  alch_pair *pairs = alch_arena_allocate(&r->mapper->registry->arena, count * sizeof *pairs);
  if (!pairs) alch_error_out_of_memory(error);
  return pairs;
}

static alch_status pair_directly(alch_relationship *r, const alch_constraint *key, alch_error *error) {
  bool to_one = r->direction == ALCH_MANY_TO_ONE;
  alch_column *const *local = to_one ? key->columns : key->referred, *const *remote = to_one ? key->referred : key->columns;
  r->pairs = new_pairs(r, key->column_count, error);
  if (!r->pairs) return ALCH_ERROR;
  r->pair_count = key->column_count;
  r->foreign_key = key;
  for (uint32_t i = 0; i < key->column_count; i++) {
    if (slot_of(r, r->mapper, local[i], &r->pairs[i].local, error) != ALCH_OK) return ALCH_ERROR;
    if (slot_of(r, r->target, remote[i], &r->pairs[i].remote, error) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}

static alch_status pair_links(alch_relationship *r, const alch_constraint *local, const alch_constraint *remote, alch_error *error) {
  r->pairs = new_pairs(r, local->column_count, error);
  r->remote_pairs = r->pairs ? new_pairs(r, remote->column_count, error) : NULL;
  if (!r->remote_pairs) return ALCH_ERROR;
  r->pair_count = local->column_count;
  r->remote_pair_count = remote->column_count;
  r->foreign_key = local;
  r->remote_foreign_key = remote;
  for (uint32_t i = 0; i < local->column_count; i++) {
    r->pairs[i].link = local->columns[i];
    if (slot_of(r, r->mapper, local->referred[i], &r->pairs[i].local, error) != ALCH_OK) return ALCH_ERROR;
  }
  for (uint32_t i = 0; i < remote->column_count; i++) {
    r->remote_pairs[i].link = remote->columns[i];
    if (slot_of(r, r->target, remote->referred[i], &r->remote_pairs[i].remote, error) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}

/* A many-to-one to the target's key can be answered by the identity map. */
static alch_status find_key_pairs(alch_relationship *r, alch_error *error) {
  const alch_mapper *target = r->target;
  r->key_pairs = NULL;
  if (r->direction != ALCH_MANY_TO_ONE || r->pair_count != target->key_count) return ALCH_OK;
  uint32_t *places = alch_arena_allocate(&r->mapper->registry->arena, target->key_count * sizeof *places), found = 0;
  if (!places) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < target->key_count; i++) {
    uint32_t j = 0;
    while (j < r->pair_count && r->pairs[j].remote != target->key_slots[i]) j++;
    places[i] = j;
    found += j < r->pair_count;
  }
  if (found == target->key_count) r->key_pairs = places;
  return ALCH_OK;
}

/* ---- directions ---- */

/* A table that refers to itself is many to one where remote_side names what is referred to, and one to many otherwise. */
static alch_status link_tables(alch_relationship *r, alch_error *error) {
  alch_table *own = r->mapper->table, *other = r->target->table;
  bool itself = own == other;
  link_search forward = { .relationship = r, .from = own, .to = other, .side = SIDE_LOCAL };
  link_search backward = { .relationship = r, .from = other, .to = own, .side = SIDE_REMOTE };
  if (!itself || r->remote_side_count > 0)
    if (search_links(&forward, error) != ALCH_OK) return ALCH_ERROR;
  if (!itself || forward.count == 0)
    if (search_links(&backward, error) != ALCH_OK) return ALCH_ERROR;
  if (forward.count + backward.count == 0) return no_link(r, own, other, error);
  if (forward.count > 1) return many_links(r, forward.found, forward.other, error);
  if (backward.count > 1) return many_links(r, backward.found, backward.other, error);
  if (forward.count + backward.count > 1) return many_links(r, forward.found, backward.found, error);
  r->direction = forward.count > 0 ? ALCH_MANY_TO_ONE : ALCH_ONE_TO_MANY;
  return pair_directly(r, forward.count > 0 ? forward.found : backward.found, error);
}

static alch_status hint_for_secondary(const alch_relationship *r, const alch_constraint *first, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_AMBIGUOUS_FOREIGN_KEYS,
                        "Could not determine join condition between parent/child tables on relationship %s.%s: several foreign keys link its secondary table '%s' to '%s'; name the column that "
                        "refers to the %s that has the relationship: foreign_keys = \"%s.%s\"",
                        r->mapper->name, r->name, r->secondary->full_name, first->referred[0]->table->full_name, r->mapper->name, r->secondary->full_name, first->columns[0]->name);
}

/* foreign_keys names the columns of the local side, or those of both sides where the tables differ. */
static alch_status search_remote_link(link_search *remote, const alch_constraint *local, alch_error *error) {
  remote->any = remote->relationship->mapper->table == remote->relationship->target->table;
  if (search_links(remote, error) != ALCH_OK) return ALCH_ERROR;
  if (remote->count == 0 && !remote->any) {
    remote->any = true;
    if (search_links(remote, error) != ALCH_OK) return ALCH_ERROR;
  }
  if (remote->found != local && remote->other != local) return ALCH_OK;
  if (remote->found == local) remote->found = remote->other;
  remote->count--;
  return ALCH_OK;
}

static alch_status link_secondary(alch_relationship *r, alch_error *error) {
  link_search local = { .relationship = r, .from = r->secondary, .to = r->mapper->table, .side = SIDE_LINK_LOCAL };
  link_search remote = { .relationship = r, .from = r->secondary, .to = r->target->table, .side = SIDE_LINK_REMOTE };
  if (search_links(&local, error) != ALCH_OK) return ALCH_ERROR;
  if (local.count == 0) return no_link(r, r->secondary, r->mapper->table, error);
  if (local.count > 1) return hint_for_secondary(r, local.found, error);
  if (search_remote_link(&remote, local.found, error) != ALCH_OK) return ALCH_ERROR;
  if (remote.count == 0) return no_link(r, r->secondary, r->target->table, error);
  if (remote.count > 1) return hint_for_secondary(r, local.found, error);
  r->direction = ALCH_MANY_TO_MANY;
  return pair_links(r, local.found, remote.found, error);
}

static alch_status check_list(alch_relationship *r, alch_error *error) {
  if (!r->list_given) r->list = r->direction != ALCH_MANY_TO_ONE;
  if (r->list && r->direction == ALCH_MANY_TO_ONE)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s cannot be a list: '%s.%s' refers to one row of '%s'%s", r->mapper->name, r->name, r->mapper->table->full_name,
                          r->foreign_key->columns[0]->name, r->target->table->full_name, r->mapper->table == r->target->table ? " (leave remote_side out on the side that has many)" : "");
  if (!(r->cascade & ALCH_CASCADE_DELETE_ORPHAN) || r->direction == ALCH_ONE_TO_MANY || r->single_parent) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT,
                        "For %s relationship %s.%s, delete-orphan cascade is normally configured only on the \"one\" side of a one-to-many relationship; to say that each %s has one %s only, set "
                        "single_parent = true",
                        r->direction == ALCH_MANY_TO_ONE ? "many-to-one" : "many-to-many", r->mapper->name, r->name, r->target->name, r->mapper->name);
}

alch_status alch_relationship_configure(alch_relationship *relationship, alch_error *error) {
  alch_status status = find_target(relationship, error);
  if (status == ALCH_OK) status = relationship->secondary ? link_secondary(relationship, error) : link_tables(relationship, error);
  if (status == ALCH_OK) status = check_list(relationship, error);
  return status == ALCH_OK ? find_key_pairs(relationship, error) : status;
}

/* ---- back_populates ---- */

static alch_relationship *relationship_named(const alch_mapper *mapper, const char *name) {
  for (uint32_t i = 0; i < mapper->relationship_count; i++)
    if (strcmp(mapper->relationships[i].name, name) == 0) return &mapper->relationships[i];
  return NULL;
}

static alch_status no_back(const alch_relationship *r, alch_error *error) {
  const char *nearest = alch_mapper_nearest(r->target, r->back_name);
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "%s.%s: back_populates = \"%s\", but the model %s has no relationship of that name%s%s%s", r->mapper->name, r->name, r->back_name,
                        r->target->name, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static const char *direction_name(alch_direction direction) {
  return direction == ALCH_MANY_TO_ONE ? "many-to-one" : direction == ALCH_ONE_TO_MANY ? "one-to-many" : "many-to-many";
}

static alch_status check_names(const alch_relationship *r, const alch_relationship *back, alch_error *error) {
  if (back->target != r->mapper)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s: back_populates = \"%s\", but %s.%s leads to %s, not to %s", r->mapper->name, r->name, r->back_name, r->target->name, back->name,
                          back->target->name, r->mapper->name);
  if (!back->back_name || strcmp(back->back_name, r->name) != 0)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s says back_populates = \"%s\", so %s.%s must say back_populates = \"%s\"%s%s%s", r->mapper->name, r->name, r->back_name,
                          r->target->name, back->name, r->name, back->back_name ? ", not \"" : "", back->back_name ? back->back_name : "", back->back_name ? "\"" : "");
  return ALCH_OK;
}

static alch_status check_mirror(const alch_relationship *r, const alch_relationship *back, alch_error *error) {
  bool many = r->direction == ALCH_MANY_TO_MANY;
  if (many ? back->direction != ALCH_MANY_TO_MANY : back->direction == r->direction || back->direction == ALCH_MANY_TO_MANY)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s and back-reference %s.%s do not go together: one is %s, the other %s%s", r->mapper->name, r->name, r->target->name, back->name,
                          direction_name(r->direction), direction_name(back->direction), many || r->mapper != r->target ? "" : ". Did you mean to set remote_side on the many-to-one side?");
  if (many ? back->secondary == r->secondary && back->foreign_key == r->remote_foreign_key && back->remote_foreign_key == r->foreign_key : back->foreign_key == r->foreign_key) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s.%s and back-reference %s.%s follow different foreign keys ('%s.%s' and '%s.%s'); give both the same foreign_keys", r->mapper->name, r->name,
                        r->target->name, back->name, r->foreign_key->table->full_name, r->foreign_key->columns[0]->name, back->foreign_key->table->full_name, back->foreign_key->columns[0]->name);
}

alch_status alch_relationship_tie(alch_relationship *relationship, alch_error *error) {
  relationship->back = NULL;
  if (!relationship->back_name) return ALCH_OK;
  alch_relationship *back = relationship_named(relationship->target, relationship->back_name);
  if (!back) return no_back(relationship, error);
  alch_status status = check_names(relationship, back, error);
  if (status == ALCH_OK) status = check_mirror(relationship, back, error);
  if (status == ALCH_OK) relationship->back = back;
  return status;
}

/* ---- the statement that loads it for many parents ---- */

void alch_relationship_link_column(const alch_relationship *r, uint32_t pair, uint32_t *source, const alch_column **column) {
  const alch_pair *p = &r->pairs[pair];
  if (r->direction == ALCH_MANY_TO_MANY) *column = p->link;
  else *column = r->target->attributes[p->remote].column;
  *source = (*column)->table->id;
}

static void join_secondary(const alch_relationship *r, alch_builder *builder) {
  alch_builder_open(builder, ALCH_NODE_FROM, 0, 0, 0);
  alch_builder_open(builder, ALCH_NODE_JOIN, ALCH_JOIN_INNER, 0, 0);
  alch_builder_leaf(builder, ALCH_NODE_TABLE, 0, r->target->table->id, 0);
  alch_builder_leaf(builder, ALCH_NODE_TABLE, 0, r->secondary->id, 0);
  if (r->remote_pair_count > 1) alch_builder_open(builder, ALCH_NODE_LIST, ALCH_OPERATOR_AND, 0, 0);
  for (uint32_t i = 0; i < r->remote_pair_count; i++) {
    alch_builder_open(builder, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
    alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, r->target->table->id, r->target->attributes[r->remote_pairs[i].remote].column->index);
    alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, r->secondary->id, r->remote_pairs[i].link->index);
    alch_builder_close(builder);
  }
  if (r->remote_pair_count > 1) alch_builder_close(builder);
  alch_builder_close(builder);
  alch_builder_close(builder);
}

void alch_relationship_open_select(const alch_relationship *r, alch_builder *builder) {
  uint32_t source;
  const alch_column *column;
  alch_builder_start(builder);
  alch_builder_open(builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  alch_builder_leaf(builder, ALCH_NODE_ENTITY, 0, r->target->table->id, r->target->id);
  for (uint32_t i = 0; i < r->pair_count && !r->key_pairs; i++) {
    alch_relationship_link_column(r, i, &source, &column);
    alch_builder_leaf(builder, ALCH_NODE_COLUMN, 0, source, column->index);
  }
  alch_builder_close(builder);
  if (r->direction == ALCH_MANY_TO_MANY) join_secondary(r, builder);
  alch_builder_open(builder, ALCH_NODE_WHERE, 0, 0, 0);
}

void alch_build_order_by(alch_builder *builder, const alch_block *order_by) {
  alch_reader reader = alch_reader_at_root(order_by);
  const alch_node *end = alch_node_next(reader.node);
  alch_builder_definitions(builder, order_by);
  if (reader.node->kind == ALCH_NODE_LIST && reader.node->op == ALCH_OPERATOR_COMMA) alch_reader_enter(&reader);
  while (reader.node < end) alch_builder_copy(builder, &reader);
}

void alch_relationship_close_select(const alch_relationship *r, alch_builder *builder, const alch_node *options) {
  alch_builder_close(builder);
  if (r->order_by && r->direction != ALCH_MANY_TO_ONE) {
    alch_builder_open(builder, ALCH_NODE_ORDER_BY, 0, 0, 0);
    alch_build_order_by(builder, r->order_by);
    alch_builder_close(builder);
  }
  alch_build_options(builder, options);
  alch_builder_close(builder);
}

alch_status alch_relationship_build(alch_relationship *relationship, alch_builder *builder, alch_error *error) {
  uint32_t source;
  const alch_column *column;
  relationship->load_block = NULL;
  if (relationship->pair_count > 1) return ALCH_OK;
  alch_relationship_link_column(relationship, 0, &source, &column);
  alch_relationship_open_select(relationship, builder);
  alch_build_in_keys(builder, source, column);
  alch_relationship_close_select(relationship, builder, NULL);
  relationship->load_block = alch_registry_block(relationship->mapper->registry, builder, error);
  return relationship->load_block ? ALCH_OK : ALCH_ERROR;
}
