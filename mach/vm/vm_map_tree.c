/* SPDX-License-Identifier: MIT */
/* See vm/vm_map_tree.h. */

#include <debug/assert.h>
#include <kern/macros.h>
#include <vm/vm_map_tree.h>

static inline unsigned int
node_height(const struct vm_map_node *node)
{
    return node == NULL ? 0 : node->height;
}

static inline vm_size_t
node_gap(const struct vm_map_node *node)
{
    return node == NULL ? 0 : node->gap_max;
}

/* Work out height and gap_max from the children. True: one has changed. */
static bool
node_update(struct vm_map_node *node)
{
    unsigned int height =
        1 + MAX(node_height(node->child[0]), node_height(node->child[1]));
    vm_size_t gap =
        MAX(node->gap, MAX(node_gap(node->child[0]), node_gap(node->child[1])));
    bool changed = height != node->height || gap != node->gap_max;

    node->height = height;
    node->gap_max = gap;
    return changed;
}

/* Put `node` (or nothing) where `old` was below `parent`. */
static void
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

/* Move the child on the other side up, and the node down to `side`. */
static struct vm_map_node *
tree_rotate(struct vm_map_tree *tree, struct vm_map_node *node, int side)
{
    struct vm_map_node *up = node->child[!side];
    struct vm_map_node *inner = up->child[side];

    tree_replace(tree, node->parent, node, up);
    node->child[!side] = inner;

    if (inner != NULL) {
        inner->parent = node;
    }

    up->child[side] = node;
    node->parent = up;
    node_update(node);
    node_update(up);
    return up;
}

/* Restore balance and sums from the node up to where nothing changes. */
static void
tree_balance(struct vm_map_tree *tree, struct vm_map_node *node)
{
    while (node != NULL) {
        int lean =
            (int)node_height(node->child[1]) - (int)node_height(node->child[0]);
        bool changed = node_update(node);

        if (lean < -1 || lean > 1) {
            int heavy = lean > 0;
            struct vm_map_node *child = node->child[heavy];

            if (node_height(child->child[!heavy]) >
                node_height(child->child[heavy])) {
                tree_rotate(tree, child, heavy);
            }

            node = tree_rotate(tree, node, !heavy);
        } else if (!changed) {
            return;
        }

        node = node->parent;
    }
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
    node->gap_max = gap;
    node->height = 1;

    if (parent == NULL) {
        tree->root = node;
    } else {
        assert(parent->child[side] == NULL);
        parent->child[side] = node;
        tree_balance(tree, parent);
    }
}

void
vm_map_tree_remove(struct vm_map_tree *tree, struct vm_map_node *node)
{
    struct vm_map_node *from = node->parent;
    struct vm_map_node *next;

    if (node->child[0] == NULL || node->child[1] == NULL) {
        tree_replace(tree, node->parent, node,
                     node->child[node->child[0] == NULL]);
        tree_balance(tree, from);
        return;
    }

    /* The successor, which has no lower child, takes the node's place. */
    next = node->child[1];

    while (next->child[0] != NULL) {
        next = next->child[0];
    }

    from = next->parent == node ? next : next->parent;
    tree_replace(tree, next->parent, next, next->child[1]);
    next->child[0] = node->child[0];
    next->child[1] = node->child[1];
    tree_replace(tree, node->parent, node, next);
    next->child[0]->parent = next;

    if (next->child[1] != NULL) {
        next->child[1]->parent = next;
    }

    /* Its sums are stale: they must not stop the way up early. */
    next->height = 0;
    tree_balance(tree, from);

    if (from != next) {
        tree_balance(tree, next);
    }
}

void
vm_map_tree_set_gap(struct vm_map_node *node, vm_size_t gap)
{
    bool largest = node->gap == node->gap_max;

    node->gap = gap;

    /* A sum grows with a gap, and shrinks only with the largest. */
    while (node != NULL && gap > node->gap_max) {
        node->gap_max = gap;
        node = node->parent;
        largest = false;
    }

    while (largest && node != NULL && node_update(node)) {
        node = node->parent;
    }
}

/* The lowest range of the subtree with such a gap; there is one. */
static struct vm_map_node *
find_lowest(struct vm_map_node *node, vm_size_t size)
{
    for (;;) {
        if (node_gap(node->child[0]) >= size) {
            node = node->child[0];
        } else if (node->gap >= size) {
            return node;
        } else {
            node = node->child[1];
        }
    }
}

struct vm_map_node *
vm_map_tree_find_gap(const struct vm_map_tree *tree, vm_offset_t address,
                     vm_size_t size)
{
    struct vm_map_node *node = vm_map_tree_lookup(tree, address);
    struct vm_map_node *child;

    while (node != NULL) {
        if (node->gap >= size) {
            return node;
        }

        if (node_gap(node->child[1]) >= size) {
            return find_lowest(node->child[1], size);
        }

        /* Up to the next higher range. */
        do {
            child = node;
            node = node->parent;
        } while (node != NULL && node->child[1] == child);
    }

    return NULL;
}
