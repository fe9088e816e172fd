#include "base/graph.h"

/* Edges as a list of targets for each node: those of `node` stand at first[node] .. first[node + 1]. */
typedef struct adjacency {
  uint32_t count;
  uint32_t *first, *targets;
} adjacency;

/* One block for all arrays of a run; NULL also where the counts pass what 32 bits index. */
static uint32_t *allocate_words(const alch_allocator *allocator, uint32_t count, unsigned arrays, size_t edge_count, size_t *size) {
  if (edge_count > UINT32_MAX / 2 || count > UINT32_MAX / 2) return NULL;
  uint64_t words = (uint64_t)(count + 1) * arrays + edge_count;
  if (words > SIZE_MAX / sizeof(uint32_t)) return NULL;
  *size = (size_t)words * sizeof(uint32_t);
  return alch_allocate_zeroed(allocator, *size);
}

static void fill_adjacency(adjacency *graph, const alch_edge *edges, size_t edge_count) {
  for (size_t i = 0; i < edge_count; i++) {
    ALCH_CHECK(edges[i].before < graph->count && edges[i].after < graph->count);
    graph->first[edges[i].before + 1]++;
  }
  for (uint32_t node = 0; node < graph->count; node++) graph->first[node + 1] += graph->first[node];
  /* Filling moves each start to its end; shifting by one puts the starts back. */
  for (size_t i = 0; i < edge_count; i++) graph->targets[graph->first[edges[i].before]++] = edges[i].after;
  for (uint32_t node = graph->count; node > 0; node--) graph->first[node] = graph->first[node - 1];
  graph->first[0] = 0;
}

static void swap(uint32_t *left, uint32_t *right) {
  uint32_t kept = *left;
  *left = *right;
  *right = kept;
}

static void heap_push(uint32_t *heap, uint32_t *size, uint32_t node) {
  uint32_t at = (*size)++;
  heap[at] = node;
  for (; at > 0 && heap[(at - 1) / 2] > heap[at]; at = (at - 1) / 2) swap(&heap[at], &heap[(at - 1) / 2]);
}

static uint32_t heap_pop(uint32_t *heap, uint32_t *size) {
  uint32_t top = heap[0], at = 0;
  heap[0] = heap[--*size];
  for (;;) {
    uint32_t child = 2 * at + 1;
    if (child >= *size) return top;
    if (child + 1 < *size && heap[child + 1] < heap[child]) child++;
    if (heap[at] <= heap[child]) return top;
    swap(&heap[at], &heap[child]);
    at = child;
  }
}

/* Takes the smallest free node until none is free; answers how many were taken. */
static uint32_t take_free(const adjacency *graph, uint32_t *waiting, uint32_t *heap, uint32_t *order) {
  uint32_t free_nodes = 0, taken = 0;
  for (uint32_t node = 0; node < graph->count; node++)
    if (waiting[node] == 0) heap_push(heap, &free_nodes, node);
  while (free_nodes > 0) {
    uint32_t node = heap_pop(heap, &free_nodes);
    order[taken++] = node;
    for (uint32_t i = graph->first[node]; i < graph->first[node + 1]; i++)
      if (--waiting[graph->targets[i]] == 0) heap_push(heap, &free_nodes, graph->targets[i]);
  }
  return taken;
}

alch_status alch_graph_sort(const alch_allocator *allocator, uint32_t count, const alch_edge *edges, size_t edge_count, uint32_t *order, uint32_t *ordered) {
  size_t size;
  uint32_t *words = allocate_words(allocator, count, 3, edge_count, &size);
  if (!words) return ALCH_ERROR;
  uint32_t *waiting = words + count + 1, *heap = waiting + count + 1;
  adjacency graph = { count, words, heap + count + 1 };
  fill_adjacency(&graph, edges, edge_count);
  for (size_t i = 0; i < edge_count; i++) waiting[edges[i].after]++;
  uint32_t taken = take_free(&graph, waiting, heap, order);
  *ordered = taken;
  for (uint32_t node = 0, rest = taken; node < count; node++)
    if (waiting[node] > 0) order[rest++] = node;
  alch_free(allocator, words, size);
  return taken == count ? ALCH_OK : ALCH_DONE;
}

/* Tarjan's walk. A node's number is 0 before it is met, and UINT32_MAX once its component is closed. */
typedef struct walk {
  const adjacency *graph;
  uint32_t *number, *low, *next;      /* next: the edge to follow next, as it stands in targets */
  uint32_t *path, *open;              /* nodes being walked; nodes whose component is open */
  uint32_t path_size, open_size, met, closed;
  uint32_t *component;
} walk;

static void enter(walk *at, uint32_t node) {
  at->number[node] = at->low[node] = ++at->met;
  at->next[node] = at->graph->first[node];
  at->path[at->path_size++] = node;
  at->open[at->open_size++] = node;
}

static void close_component(walk *at, uint32_t root) {
  uint32_t node;
  do {
    node = at->open[--at->open_size];
    at->number[node] = UINT32_MAX;
    at->component[node] = at->closed;
  } while (node != root);
  at->closed++;
}

static void lower_to(uint32_t *low, uint32_t number) {
  if (number < *low) *low = number;
}

static void leave(walk *at, uint32_t node) {
  at->path_size--;
  uint32_t low = at->low[node];
  if (low == at->number[node]) close_component(at, node);
  else lower_to(&at->low[at->path[at->path_size - 1]], low);
}

static void walk_from(walk *at, uint32_t start) {
  enter(at, start);
  while (at->path_size > 0) {
    uint32_t node = at->path[at->path_size - 1];
    if (at->next[node] == at->graph->first[node + 1]) {
      leave(at, node);
      continue;
    }
    uint32_t target = at->graph->targets[at->next[node]++];
    if (at->number[target] == 0) enter(at, target);
    else if (at->number[target] != UINT32_MAX) lower_to(&at->low[node], at->number[target]);
  }
}

alch_status alch_graph_components(const alch_allocator *allocator, uint32_t count, const alch_edge *edges, size_t edge_count, uint32_t *component, uint32_t *components) {
  size_t size;
  uint32_t *words = allocate_words(allocator, count, 6, edge_count, &size);
  if (!words) return ALCH_ERROR;
  size_t step = (size_t)count + 1;
  adjacency graph = { count, words, words + 6 * step };
  walk at = { .graph = &graph, .number = words + step, .low = words + 2 * step, .next = words + 3 * step,
              .path = words + 4 * step, .open = words + 5 * step, .component = component };
  fill_adjacency(&graph, edges, edge_count);
  for (uint32_t node = 0; node < count; node++)
    if (at.number[node] == 0) walk_from(&at, node);
  /* The walk closes what stands last first. */
  for (uint32_t node = 0; node < count; node++) component[node] = at.closed - 1 - component[node];
  *components = at.closed;
  alch_free(allocator, words, size);
  return ALCH_OK;
}
