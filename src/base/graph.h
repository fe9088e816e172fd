/* graph.h - order and cycles on small integers.
   Nodes are 0 .. count-1; an edge (before, after) means that `before` comes first. Orders are stable: among nodes that are free to go, the smallest number goes first. */
#ifndef ALCH_GRAPH_H
#define ALCH_GRAPH_H

#include "base/memory.h"

typedef struct alch_edge { uint32_t before, after; } alch_edge;

/* Fills order[count]. ALCH_OK: a full order. ALCH_DONE: there are cycles; the nodes that could be ordered stand first, *ordered says how many,
   and the rest (those in or behind cycles) follow by number. ALCH_ERROR: no memory. Duplicate edges and self edges: duplicates count once, self edges are cycles. */
alch_status alch_graph_sort(const alch_allocator *allocator, uint32_t count, const alch_edge *edges, size_t edge_count, uint32_t *order, uint32_t *ordered);

/* Strongly connected components (Tarjan, without recursion): component[i] is the number of i's component; numbers are in an order in which edges go from
   lower to higher numbers. *components is how many. ALCH_ERROR: no memory. */
alch_status alch_graph_components(const alch_allocator *allocator, uint32_t count, const alch_edge *edges, size_t edge_count, uint32_t *component, uint32_t *components);

#endif
