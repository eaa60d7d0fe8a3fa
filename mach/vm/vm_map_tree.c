/* SPDX-License-Identifier: MIT */
/* See vm/vm_map_tree.h. */

#include <debug/assert.h>
#include <kern/macros.h>
#include <vm/vm_map_tree.h>

static inline vm_size_t
node_bound(const struct vm_map_node *node)
{
    return node == NULL ? 0 : node->bound;
}

/* Put `node` (or nothing) where `old` was below `parent`. */
static inline void
tree_replace(struct vm_map_tree *tree, struct vm_map_node *parent,
             struct vm_map_node *old, struct vm_map_node *node)
{
    if (parent == NULL) {
        tree->root = node;
    } else {
        parent->child[parent->child[1] == old] = node;
    }

    if (node != NULL) {
        node->parent = parent;
    }
}

/* The node and its parent change places. What was a bound for the parent's
 * subtree is one for both now. */
static void
tree_rotate(struct vm_map_tree *tree, struct vm_map_node *node)
{
    struct vm_map_node *parent = node->parent;
    int side = parent->child[1] == node;
    struct vm_map_node *inner = node->child[!side];

    tree_replace(tree, parent->parent, parent, node);
    parent->child[side] = inner;

    if (inner != NULL) {
        inner->parent = parent;
    }

    node->child[!side] = parent;
    parent->parent = node;
    node->bound = parent->bound;
}

struct vm_map_node *
vm_map_tree_lookup(const struct vm_map_tree *tree, vm_offset_t address)
{
    struct vm_map_node *node = tree->root;
    struct vm_map_node *above = NULL;

    while (node != NULL) {
        if (address >= node->end) {
            node = node->child[1];
        } else {
            above = node;

            if (address >= node->start) {
                break;
            }

            node = node->child[0];
        }
    }

    return above;
}

/* Nobody who chooses addresses knows the weights: where the nodes lie in the
 * kernel's memory is part of them. */
static uint32_t
tree_weight(struct vm_map_tree *tree, const struct vm_map_node *node)
{
    tree->random =
        tree->random * 1664525 + (uint32_t)((uintptr_t)node >> 4) + 1013904223;
    return tree->random;
}

static void
tree_raise_bound(struct vm_map_node *node, vm_size_t gap)
{
    for (; node != NULL && node->bound < gap; node = node->parent) {
        node->bound = gap;
    }
}

void
vm_map_tree_insert(struct vm_map_tree *tree, struct vm_map_node *node,
                   struct vm_map_node *before, vm_size_t gap)
{
    struct vm_map_node *parent = before;
    int side = 1;

    if (before == NULL || before->child[1] != NULL) {
        parent = before == NULL ? tree->root : before->child[1];
        side = 0;

        while (parent != NULL && parent->child[0] != NULL) {
            parent = parent->child[0];
        }
    }

    node->parent = parent;
    node->child[0] = NULL;
    node->child[1] = NULL;
    node->gap = gap;
    node->bound = gap;
    node->weight = tree_weight(tree, node);

    if (parent == NULL) {
        tree->root = node;
        return;
    }

    assert(parent->child[side] == NULL);
    parent->child[side] = node;
    tree_raise_bound(parent, gap);

    while (node->parent != NULL && node->parent->weight < node->weight) {
        tree_rotate(tree, node);
    }
}

void
vm_map_tree_remove(struct vm_map_tree *tree, struct vm_map_node *node)
{
    struct vm_map_node *lower = node->child[0], *higher = node->child[1];

    /* Down, until there is at most one child to take its place. */
    while (lower != NULL && higher != NULL) {
        tree_rotate(tree, lower->weight > higher->weight ? lower : higher);
        lower = node->child[0];
        higher = node->child[1];
    }

    tree_replace(tree, node->parent, node, lower != NULL ? lower : higher);
}

void
vm_map_tree_set_gap(struct vm_map_node *node, vm_size_t gap)
{
    node->gap = gap;
    tree_raise_bound(node, gap);
}

/* The lowest range of the subtree with such a gap. NULL: there is none, and
 * the bounds that promised one have been made true. */
static struct vm_map_node *
find_lowest(struct vm_map_node *top, vm_size_t size)
{
    struct vm_map_node *node = top, *child;

    for (;;) {
        while (node_bound(node->child[0]) >= size) {
            node = node->child[0];
        }

        /* Nothing below it on the left; it, or what is on its right? */
        while (node->gap < size && node_bound(node->child[1]) < size) {
            do {
                child = node;
                node->bound = MAX(node->gap, MAX(node_bound(node->child[0]),
                                                 node_bound(node->child[1])));

                if (node == top) {
                    return NULL;
                }

                node = node->parent;
            } while (node->child[1] == child);
        }

        if (node->gap >= size) {
            return node;
        }

        node = node->child[1];
    }
}

struct vm_map_node *
vm_map_tree_find_gap(struct vm_map_tree *tree, vm_offset_t address,
                     vm_size_t size)
{
    struct vm_map_node *node = vm_map_tree_lookup(tree, address);
    struct vm_map_node *child, *found;

    while (node != NULL) {
        if (node->gap >= size) {
            return node;
        }

        if (node_bound(node->child[1]) >= size) {
            found = find_lowest(node->child[1], size);

            if (found != NULL) {
                return found;
            }
        }

        /* Up to the next higher range. */
        do {
            child = node;
            node = node->parent;
        } while (node != NULL && node->child[1] == child);
    }

    return NULL;
}
