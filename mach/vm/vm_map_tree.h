/* SPDX-License-Identifier: MIT */
/*
 * Ranges of addresses in a treap: ordered by address, and a heap by weights
 * given out at random, so that it is balanced on average and a change touches
 * about two nodes. Each node knows a bound of the gaps in its subtree. The
 * bound may be too high: it rises with a gap, but falls only when a search
 * looks for such a gap in vain. So memory that comes and goes again, as with
 * messages, costs no way up, and the search still takes O(log n) on average.
 */

#ifndef VM_VM_MAP_TREE_H
#define VM_VM_MAP_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include <mach/vm_types.h>

struct vm_map_node {
    vm_offset_t start;
    vm_offset_t end;
    struct vm_map_node *parent;
    struct vm_map_node *child[2]; /* lower, higher addresses */
    vm_size_t gap;   /* free bytes between the range before and this one */
    vm_size_t bound; /* no gap in this subtree is larger */
    uint32_t weight; /* not above the parent's */
};

struct vm_map_tree {
    struct vm_map_node *root;
    uint32_t random; /* of the last weight */
};

/* The range that holds the address, or else the next above it, or NULL. */
struct vm_map_node *
vm_map_tree_lookup(const struct vm_map_tree *tree, vm_offset_t address);

/* `before`: the neighbour below, or NULL. `gap`: as above. */
void vm_map_tree_insert(struct vm_map_tree *tree, struct vm_map_node *node,
                        struct vm_map_node *before, vm_size_t gap);

void vm_map_tree_remove(struct vm_map_tree *tree, struct vm_map_node *node);

/* The gap below the node has changed. */
void vm_map_tree_set_gap(struct vm_map_node *node, vm_size_t gap);

/* The lowest range at or above the address that has a gap of at least `size`
 * below it, or NULL. Makes bounds true on the way. */
struct vm_map_node *vm_map_tree_find_gap(struct vm_map_tree *tree,
                                         vm_offset_t address, vm_size_t size);

#endif /* VM_VM_MAP_TREE_H */
