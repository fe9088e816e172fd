#include "base_faults.h"
#include "base/graph.h"
#include <stdlib.h>
#include <string.h>

enum { NODES = 14, EDGES = 40 };

typedef struct random_graph {
  uint32_t count;
  size_t edge_count;
  alch_edge edges[EDGES];
  bool reaches[NODES][NODES];      /* along one edge or more */
} random_graph;

static void close_reach(random_graph *graph) {
  memset(graph->reaches, 0, sizeof graph->reaches);
  for (size_t i = 0; i < graph->edge_count; i++) graph->reaches[graph->edges[i].before][graph->edges[i].after] = true;
  for (uint32_t k = 0; k < NODES; k++)
    for (uint32_t i = 0; i < NODES; i++)
      for (uint32_t j = 0; j < NODES; j++)
        if (graph->reaches[i][k] && graph->reaches[k][j]) graph->reaches[i][j] = true;
}

static random_graph make_graph(void) {
  random_graph graph = { .count = (uint32_t)check_random_below(NODES + 1) };
  bool forward = check_random_below(3) == 0;
  graph.edge_count = graph.count == 0 ? 0 : check_random_below(graph.count * 2 + 2);
  for (size_t i = 0; i < graph.edge_count; i++) {
    uint32_t a = (uint32_t)check_random_below(graph.count), b = (uint32_t)check_random_below(graph.count);
    if (forward && a == b) b = (b + 1) % graph.count;
    bool turn = forward && (a * 5 + 3) % 17 > (b * 5 + 3) % 17;
    graph.edges[i] = turn ? (alch_edge){ b, a } : (alch_edge){ a, b };
  }
  if (forward && graph.count == 1) graph.edge_count = 0;
  close_reach(&graph);
  return graph;
}

static bool free_to_go(const random_graph *graph, const bool *gone, uint32_t node) {
  if (gone[node]) return false;
  for (size_t i = 0; i < graph->edge_count; i++)
    if (graph->edges[i].after == node && !gone[graph->edges[i].before]) return false;
  return true;
}

/* The order by its definition: the smallest free node, again and again; then the rest by number. */
static uint32_t define_order(const random_graph *graph, uint32_t *order) {
  bool gone[NODES] = { false };
  uint32_t ordered = 0;
  for (uint32_t node = 0; node < graph->count; node++) {
    if (!free_to_go(graph, gone, node)) continue;
    gone[node] = true;
    order[ordered++] = node;
    node = UINT32_MAX;
  }
  for (uint32_t node = 0, at = ordered; node < graph->count; node++)
    if (!gone[node]) order[at++] = node;
  return ordered;
}

static bool in_or_behind_cycle(const random_graph *graph, uint32_t node) {
  for (uint32_t i = 0; i < graph->count; i++)
    if (graph->reaches[i][i] && (i == node || graph->reaches[i][node])) return true;
  return false;
}

CASE("random graphs are ordered as defined") {
  unsigned full = 0;
  for (int i = 0; i < 20000; i++) {
    random_graph graph = make_graph();
    uint32_t order[NODES + 1], expected[NODES + 1], ordered = 0;
    alch_status status = alch_graph_sort(&alch_allocator_standard, graph.count, graph.edges, graph.edge_count, order, &ordered);
    if (!CHECK_INT(ordered, define_order(&graph, expected))) return;
    if (!CHECK(memcmp(order, expected, graph.count * sizeof *order) == 0)) return;
    CHECK_INT(status, ordered == graph.count ? ALCH_OK : ALCH_DONE);
    for (uint32_t at = 0; at < graph.count; at++) CHECK((at >= ordered) == in_or_behind_cycle(&graph, order[at]));
    full += status == ALCH_OK;
  }
  CHECK(full > 3000 && full < 17000);
}

static void check_components(const random_graph *graph, const uint32_t *component, uint32_t components) {
  bool used[NODES] = { false };
  for (uint32_t i = 0; i < graph->count; i++) {
    if (!CHECK(component[i] < components)) return;
    used[component[i]] = true;
    for (uint32_t j = 0; j < graph->count; j++) {
      bool together = i == j || (graph->reaches[i][j] && graph->reaches[j][i]);
      CHECK((component[i] == component[j]) == together);
    }
  }
  for (uint32_t i = 0; i < components; i++) CHECK(used[i]);
  for (size_t i = 0; i < graph->edge_count; i++) CHECK(component[graph->edges[i].before] <= component[graph->edges[i].after]);
}

CASE("random graphs fall into components as defined") {
  for (int i = 0; i < 20000; i++) {
    random_graph graph = make_graph();
    uint32_t component[NODES + 1], components = 0;
    CHECK_INT(alch_graph_components(&alch_allocator_standard, graph.count, graph.edges, graph.edge_count, component, &components), ALCH_OK);
    check_components(&graph, component, components);
  }
}

CASE("a long chain needs no deep stack") {
  enum { LENGTH = 300000 };
  alch_edge *edges = malloc(LENGTH * sizeof *edges);
  uint32_t *order = malloc(LENGTH * sizeof *order), ordered, components;
  for (uint32_t i = 0; i < LENGTH; i++) edges[i] = (alch_edge){ (i + 1) % LENGTH, i };
  CHECK_INT(alch_graph_sort(&alch_allocator_standard, LENGTH, edges, LENGTH - 1, order, &ordered), ALCH_OK);
  CHECK_INT(order[0], LENGTH - 1);
  CHECK_INT(order[LENGTH - 1], 0);
  CHECK_INT(alch_graph_components(&alch_allocator_standard, LENGTH, edges, LENGTH - 1, order, &components), ALCH_OK);
  CHECK_INT(components, LENGTH);
  CHECK_INT(alch_graph_components(&alch_allocator_standard, LENGTH, edges, LENGTH, order, &components), ALCH_OK);
  CHECK_INT(components, 1);
  CHECK_INT(alch_graph_sort(&alch_allocator_standard, LENGTH, edges, LENGTH, order, &ordered), ALCH_DONE);
  CHECK_INT(ordered, 0);
  free(edges);
  free(order);
}

static bool sort_and_split(const alch_allocator *allocator) {
  static const alch_edge edges[] = { { 0, 1 }, { 1, 2 }, { 2, 1 }, { 3, 3 } };
  uint32_t order[4], number;
  alch_status sorted = alch_graph_sort(allocator, 4, edges, 4, order, &number);
  alch_status split = alch_graph_components(allocator, 4, edges, 4, order, &number);
  return sorted == ALCH_DONE && split == ALCH_OK;
}

CASE("no memory is an error, and nothing leaks") {
  survive_faults(sort_and_split);
}
