/* SPDX-License-Identifier: MIT */
/*
 * See vm/vm_page_tree.h. No node is ever empty: a branch that is missing is
 * built from the bottom up and linked last, so that a lack of memory changes
 * nothing. The tree grows at the top when an index outside its prefix comes;
 * it shrinks only by losing nodes that got empty.
 */

#include <debug/assert.h>
#include <kern/slab.h>
#include <vm/vm_object.h>
#include <vm/vm_page_tree.h>

#define LEVELS_MAX 14u /* 4 bits each for an index of 52 bits */

static struct slab_cache node_cache;
static struct slab_cache tree_cache;

void
vm_page_tree_setup(void)
{
    slab_cache_init(&node_cache, "vm_page_node", sizeof(struct vm_page_node),
                    16);
    slab_cache_init(&tree_cache, "vm_page_tree", sizeof(struct vm_page_tree),
                    16);
}

struct vm_page_tree *
vm_page_tree_create(struct vm_object *object)
{
    struct vm_page_tree *tree = slab_alloc(&tree_cache);

    if (tree != NULL) {
        tree->object = object;
    }

    return tree;
}

void
vm_page_tree_destroy(struct vm_page_tree *tree)
{
    assert(tree->count == 0 && tree->root == NULL);
    slab_free(&tree_cache, tree);
}

static inline unsigned int
node_slot(uint64_t index, unsigned int shift)
{
    return (index >> shift) % VM_PAGE_NODE_SLOTS;
}

struct vm_page *
vm_page_tree_walk(struct vm_page_tree *tree, uint64_t index)
{
    unsigned int shift = tree->height * VM_PAGE_NODE_BITS;
    struct vm_page_node *node = tree->root;

    if (tree->prefix != index >> shift) {
        return NULL;
    }

    if (shift == 0) {
        return tree->root;
    }

    for (;;) {
        void *below;

        shift -= VM_PAGE_NODE_BITS;
        below = node->slots[node_slot(index, shift)];

        if (shift == 0) {
            tree->leaf = node;
            tree->leaf_prefix = index >> VM_PAGE_NODE_BITS;
            return below;
        }

        if (below == NULL) {
            return NULL;
        }

        node = below;
    }
}

static inline void
node_set(struct vm_page_node *node, unsigned int slot, void *what)
{
    node->slots[slot] = what;
    node->used |= 1ul << slot;
}

/* Add levels at the top until the index is inside. */
static NOINLINE bool
tree_grow(struct vm_page_tree *tree, uint64_t index)
{
    while (index >> (tree->height * VM_PAGE_NODE_BITS) != tree->prefix) {
        struct vm_page_node *node = slab_alloc(&node_cache);

        if (node == NULL) {
            return false;
        }

        assert(tree->height < LEVELS_MAX);
        node_set(node, node_slot(tree->prefix, 0), tree->root);
        tree->root = node;
        tree->prefix >>= VM_PAGE_NODE_BITS;
        tree->height++;
    }

    return true;
}

/* A chain of nodes for the levels below `shift`, with the page at its end;
 * NULL: no memory. */
static NOINLINE void *
tree_branch(struct vm_page *page, uint64_t index, unsigned int shift)
{
    void *branch = page;

    for (unsigned int at = 0; at < shift; at += VM_PAGE_NODE_BITS) {
        struct vm_page_node *node = slab_alloc(&node_cache);

        if (node == NULL) {
            while (branch != page) {
                node = branch;
                at -= VM_PAGE_NODE_BITS;
                branch = node->slots[node_slot(index, at)];
                slab_free(&node_cache, node);
            }

            return NULL;
        }

        node_set(node, node_slot(index, at), branch);
        branch = node;
    }

    return branch;
}

static bool
tree_link(struct vm_page_tree *tree, struct vm_page *page, uint64_t index)
{
    struct vm_page_node *node;
    unsigned int shift, slot;
    void *branch;

    if (likely(tree->leaf != NULL &&
               tree->leaf_prefix == index >> VM_PAGE_NODE_BITS)) {
        node_set(tree->leaf, node_slot(index, 0), page);
        return true;
    }

    if (tree->root == NULL) {
        tree->root = page;
        tree->height = 0;
        tree->prefix = index;
        return true;
    }

    if (unlikely(index >> (tree->height * VM_PAGE_NODE_BITS) != tree->prefix) &&
        !tree_grow(tree, index)) {
        return false;
    }

    assert(tree->height != 0);
    shift = (tree->height - 1) * VM_PAGE_NODE_BITS;
    node = tree->root;
    slot = node_slot(index, shift);

    while (shift != 0 && node->slots[slot] != NULL) {
        node = node->slots[slot];
        shift -= VM_PAGE_NODE_BITS;
        slot = node_slot(index, shift);
    }

    assert(node->slots[slot] == NULL);
    branch = page;

    if (unlikely(shift != 0)) {
        branch = tree_branch(page, index, shift);

        if (branch == NULL) {
            return false;
        }
    }

    node_set(node, slot, branch);
    return true;
}

bool
vm_page_tree_insert(struct vm_page_tree *tree, struct vm_page *page,
                    uint64_t index)
{
    debug_assert(vm_page_tree_lookup(tree, index) == NULL);
    assert(page->state == VM_PAGE_KERNEL);

    if (unlikely(!tree_link(tree, page, index))) {
        return false;
    }

    page->tree = tree;
    page->index = index;
    page->state = VM_PAGE_OBJECT;
    tree->count++;
    vm_events_self()->object_pages++;
    return true;
}

/* Empty the slot of an index, and drop the nodes that get empty. */
static NOINLINE void
tree_prune(struct vm_page_tree *tree, uint64_t index)
{
    struct vm_page_node *path[LEVELS_MAX];
    unsigned int level = 0;
    unsigned int shift = tree->height * VM_PAGE_NODE_BITS;
    void *at = tree->root;

    while (shift != 0) {
        shift -= VM_PAGE_NODE_BITS;
        path[level] = at;
        at = path[level]->slots[node_slot(index, shift)];
        level++;
    }

    for (; level > 0; shift += VM_PAGE_NODE_BITS) {
        struct vm_page_node *node;
        unsigned int slot = node_slot(index, shift);

        level--;
        node = path[level];
        node->slots[slot] = NULL;
        node->used &= ~(1ul << slot);

        if (node->used != 0) {
            return;
        }

        if (tree->leaf == node) {
            tree->leaf = NULL;
        }

        slab_free(&node_cache, node);
    }

    tree->root = NULL;
}

/* The same, quick when the lowest node keeps other pages. */
static inline void
tree_unlink(struct vm_page_tree *tree, uint64_t index)
{
    struct vm_page_node *node = tree->root;
    unsigned int shift = tree->height * VM_PAGE_NODE_BITS;
    uint64_t used;

    if (shift == 0) {
        tree->root = NULL;
        return;
    }

    if (tree->leaf != NULL && tree->leaf_prefix == index >> VM_PAGE_NODE_BITS) {
        node = tree->leaf;
        shift = VM_PAGE_NODE_BITS;
    }

    while (shift > VM_PAGE_NODE_BITS) {
        shift -= VM_PAGE_NODE_BITS;
        node = node->slots[node_slot(index, shift)];
    }

    used = node->used & ~(1ul << node_slot(index, 0));

    if (used == 0) {
        tree_prune(tree, index);
        return;
    }

    node->slots[node_slot(index, 0)] = NULL;
    node->used = used;
}

void
vm_page_tree_remove(struct vm_page_tree *tree, struct vm_page *page)
{
    assert(page->tree == tree && page->state == VM_PAGE_OBJECT);
    tree_unlink(tree, page->index);
    page->tree = NULL;
    page->state = VM_PAGE_KERNEL;
    tree->count--;
    vm_events_self()->object_pages--;
}

bool
vm_page_tree_move(struct vm_page_tree *tree, struct vm_page *page)
{
    struct vm_page_tree *from = page->tree;

    if (!tree_link(tree, page, page->index)) {
        return false;
    }

    tree_unlink(from, page->index);
    from->count--;
    tree->count++;
    page->tree = tree;
    return true;
}

struct vm_page *
vm_page_tree_search(const struct vm_page_tree *tree, uint64_t start,
                    uint64_t end)
{
    unsigned int top = tree->height * VM_PAGE_NODE_BITS;
    uint64_t index = MAX(start, tree->prefix << top);

    while (index < end && index >> top == tree->prefix) {
        void *at = tree->root;
        unsigned int shift = top;
        uint64_t mask = 1;

        while (shift != 0) {
            struct vm_page_node *node = at;
            unsigned int slot;

            shift -= VM_PAGE_NODE_BITS;
            slot = node_slot(index, shift);
            mask = node->used & (~0ul << slot);

            if (mask == 0) {
                /* Nothing more in this node: on to the one after it. */
                shift += VM_PAGE_NODE_BITS;
                index = ((index >> shift) + 1) << shift;
                break;
            }

            if ((unsigned int)__builtin_ctzl(mask) != slot) {
                index = ((index >> shift) - slot +
                         (unsigned int)__builtin_ctzl(mask))
                        << shift;
            }

            at = node->slots[__builtin_ctzl(mask)];
        }

        if (mask != 0) {
            return index < end ? at : NULL;
        }
    }

    return NULL;
}
