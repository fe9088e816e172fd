/* The order in which tables can be created. */
#include "base/graph.h"
#include "schema/metadata.h"
#include <string.h>

/* Tables by number, and an edge for each foreign key and each said dependency between two of them. */
typedef struct ordering {
  const alch_allocator *allocator;
  alch_table **tables;
  uint32_t count;
  alch_map numbers;                 /* id of a table -> number + 1 */
  alch_constraint **foreign_keys;   /* beside `edges`, one each; NULL: a dependency that was said */
  alch_edge *edges;
  uint32_t edge_count, edge_limit;
  uint32_t *order, *component;
  bool *fixed;                      /* by component: has it a dependency that was said? */
  alch_constraint **cycle;
  uint32_t cycle_count;
} ordering;

static uint32_t number_of(const ordering *o, const alch_table *table) {
  return (uint32_t)(uintptr_t)alch_map_get(&o->numbers, &table->id, sizeof table->id) - 1;
}

static uint32_t count_edges(const alch_metadata *metadata) {
  uint32_t position = 0, count = 0;
  void *value;
  while (alch_map_next(&metadata->tables, &position, NULL, NULL, &value)) {
    const alch_table *table = value;
    for (const alch_constraint *constraint = table->constraints; constraint; constraint = constraint->next) count += constraint->kind == ALCH_CONSTRAINT_FOREIGN_KEY;
    for (const alch_dependency *dependency = table->dependencies; dependency; dependency = dependency->next) count++;
  }
  return count;
}

/* One item where there is none: an allocation of nothing answers NULL. */
static size_t at_least_one(uint32_t count) {
  return count > 0 ? count : 1;
}

static bool allocate(ordering *o) {
  o->tables = alch_allocate(o->allocator, at_least_one(o->count) * sizeof *o->tables);
  o->order = alch_allocate_zeroed(o->allocator, at_least_one(o->count) * sizeof *o->order);
  o->component = alch_allocate_zeroed(o->allocator, at_least_one(o->count) * sizeof *o->component);
  o->edges = alch_allocate(o->allocator, at_least_one(o->edge_limit) * sizeof *o->edges);
  o->foreign_keys = alch_allocate(o->allocator, at_least_one(o->edge_limit) * sizeof *o->foreign_keys);
  o->cycle = alch_allocate(o->allocator, at_least_one(o->edge_limit) * sizeof *o->cycle);
  o->fixed = alch_allocate_zeroed(o->allocator, at_least_one(o->count) * sizeof *o->fixed);
  return o->tables && o->order && o->component && o->fixed && o->edges && o->foreign_keys && o->cycle;
}

static void release(ordering *o) {
  alch_free(o->allocator, o->tables, at_least_one(o->count) * sizeof *o->tables);
  alch_free(o->allocator, o->order, at_least_one(o->count) * sizeof *o->order);
  alch_free(o->allocator, o->component, at_least_one(o->count) * sizeof *o->component);
  alch_free(o->allocator, o->fixed, at_least_one(o->count) * sizeof *o->fixed);
  alch_free(o->allocator, o->edges, at_least_one(o->edge_limit) * sizeof *o->edges);
  alch_free(o->allocator, o->foreign_keys, at_least_one(o->edge_limit) * sizeof *o->foreign_keys);
  alch_free(o->allocator, o->cycle, at_least_one(o->edge_limit) * sizeof *o->cycle);
  alch_map_close(&o->numbers);
}

static bool number_tables(ordering *o, const alch_metadata *metadata) {
  uint32_t position = 0;
  void *value;
  for (uint32_t i = 0; alch_map_next(&metadata->tables, &position, NULL, NULL, &value); i++) {
    alch_table *table = value;
    o->tables[i] = table;
    if (!alch_map_put(&o->numbers, &table->id, sizeof table->id, (void *)(uintptr_t)(i + 1))) return false;
  }
  return true;
}

static void add_edge(ordering *o, alch_constraint *foreign_key, uint32_t before, uint32_t after) {
  o->foreign_keys[o->edge_count] = foreign_key;
  o->edges[o->edge_count++] = (alch_edge){ .before = before, .after = after };
}

static void collect_edges(ordering *o) {
  for (uint32_t i = 0; i < o->count; i++) {
    for (const alch_dependency *dependency = o->tables[i]->dependencies; dependency; dependency = dependency->next) {
      uint32_t before = number_of(o, dependency->on);
      if (before != UINT32_MAX) add_edge(o, NULL, before, i);   /* else it has been removed from the metadata */
    }
    for (alch_constraint *constraint = o->tables[i]->constraints; constraint; constraint = constraint->next) {
      if (constraint->kind != ALCH_CONSTRAINT_FOREIGN_KEY) continue;
      const alch_table *referred = constraint->referred[0]->table;
      if (constraint->use_alter) o->cycle[o->cycle_count++] = constraint;
      else if (referred != o->tables[i]) add_edge(o, constraint, number_of(o, referred), i);
    }
  }
}

/* Inside a cycle the foreign keys to tables that were defined later give way: what remains goes from lower to higher numbers only. Dependencies that were said never do, so beside one all keys of the cycle give
   way (keep_satisfied takes back those that need not). */
static alch_status break_cycles(ordering *o) {
  uint32_t components, kept = 0;
  if (alch_graph_components(o->allocator, o->count, o->edges, o->edge_count, o->component, &components) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < o->edge_count; i++)
    if (!o->foreign_keys[i] && o->component[o->edges[i].before] == o->component[o->edges[i].after]) o->fixed[o->component[o->edges[i].after]] = true;
  for (uint32_t i = 0; i < o->edge_count; i++) {
    const alch_edge edge = o->edges[i];
    if (o->foreign_keys[i] && o->component[edge.before] == o->component[edge.after] && (edge.before > edge.after || o->fixed[o->component[edge.after]])) {
      o->cycle[o->cycle_count++] = o->foreign_keys[i];
    } else {
      o->foreign_keys[kept] = o->foreign_keys[i];
      o->edges[kept++] = edge;
    }
  }
  o->edge_count = kept;
  return ALCH_OK;
}

/* What else a table waits for may have moved it behind the table that a left-out key refers to: then the key can stay. */
static void keep_satisfied(ordering *o) {
  uint32_t *place = o->component, kept = 0;
  for (uint32_t i = 0; i < o->count; i++) place[o->order[i]] = i;
  for (uint32_t i = 0; i < o->cycle_count; i++) {
    alch_constraint *key = o->cycle[i];
    bool satisfied = !key->use_alter && place[number_of(o, key->referred[0]->table)] < place[number_of(o, key->table)];
    if (!satisfied) o->cycle[kept++] = key;
  }
  o->cycle_count = kept;
}

static alch_status sort(ordering *o, const alch_metadata *metadata, alch_error *error) {
  uint32_t ordered;
  if (!allocate(o) || !number_tables(o, metadata)) return alch_error_out_of_memory(error);
  collect_edges(o);
  if (break_cycles(o) != ALCH_OK || alch_graph_sort(o->allocator, o->count, o->edges, o->edge_count, o->order, &ordered) == ALCH_ERROR) return alch_error_out_of_memory(error);
  if (ordered < o->count) return alch_error_set(error, ALCH_ERROR_CIRCULAR_DEPENDENCY, "tables depend on one another in a circle that add_is_dependent_on made: no order of them serves all");
  keep_satisfied(o);
  return ALCH_OK;
}

static alch_status hand_over(const ordering *o, alch_table ***tables, alch_constraint ***cycle, alch_error *error) {
  size_t tables_size = o->count * sizeof **tables, cycle_size = o->cycle_count * sizeof **cycle;
  *tables = alch_allocate(o->allocator, tables_size);
  *cycle = alch_allocate(o->allocator, cycle_size);
  if ((!*tables && tables_size > 0) || (!*cycle && cycle_size > 0)) {
    alch_free(o->allocator, *tables, tables_size);
    alch_free(o->allocator, *cycle, cycle_size);
    return alch_error_out_of_memory(error);
  }
  for (uint32_t i = 0; i < o->count; i++) (*tables)[i] = o->tables[o->order[i]];
  if (cycle_size > 0) memcpy(*cycle, o->cycle, cycle_size);
  return ALCH_OK;
}

alch_status alch_metadata_sorted(alch_metadata *metadata, alch_table ***tables, uint32_t *count, alch_constraint ***cycle, uint32_t *cycle_count, alch_error *error) {
  if (alch_metadata_resolve(metadata, error) != ALCH_OK) return ALCH_ERROR;
  ordering o = { .allocator = metadata->catalog->allocator, .count = alch_map_count(&metadata->tables), .edge_limit = count_edges(metadata) };
  alch_map_init(&o.numbers, o.allocator);
  alch_status status = sort(&o, metadata, error);
  if (status == ALCH_OK) status = hand_over(&o, tables, cycle, error);
  if (status == ALCH_OK) {
    *count = o.count;
    *cycle_count = o.cycle_count;
  }
  release(&o);
  return status;
}
