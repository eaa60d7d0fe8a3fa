/* SPDX-License-Identifier: MIT */
/*
 * Ranges of addresses in an AVL tree that knows of each subtree the largest
 * gap, so that lookup and the search for free space take O(log n).
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
    vm_size_t gap;     /* free bytes between the range before and this one */
    vm_size_t gap_max; /* largest gap in this subtree */
    unsigned int height;
};

struct vm_map_tree {
    struct vm_map_node *root;
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
 * below it, or NULL. */
struct vm_map_node *vm_map_tree_find_gap(const struct vm_map_tree *tree,
                                         vm_offset_t address, vm_size_t size);

#endif /* VM_VM_MAP_TREE_H */
