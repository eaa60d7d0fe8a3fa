/* SPDX-License-Identifier: MIT */
/*
 * The pages of an object by index: a radix tree of 16-way nodes whose root
 * covers just as much as is needed, wherever that lies, so that a page, or a
 * compact group of pages at any index, costs one step. A lone page needs no
 * node. The tree stands apart from its object, so that two objects can swap
 * trees: a page points at its tree, and the tree at the object.
 */

#ifndef VM_VM_PAGE_TREE_H
#define VM_VM_PAGE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include <kern/macros.h>

#include <vm/vm_page.h>

struct vm_object;

#define VM_PAGE_NODE_BITS 4
#define VM_PAGE_NODE_SLOTS (1u << VM_PAGE_NODE_BITS)

struct vm_page_node {
    void *slots[VM_PAGE_NODE_SLOTS]; /* nodes, or pages at the bottom */
    uint64_t used;                   /* bitmap of non-null slots */
};

/* All guarded by the object's lock. */
struct vm_page_tree {
    struct vm_object *object;
    void *root;                /* NULL, a page (height 0), or a node */
    uint64_t prefix;           /* index >> (4 * height) of all that is inside */
    unsigned int height;       /* levels of nodes */
    unsigned int count;        /* pages; at most 2^32 */
    struct vm_page_node *leaf; /* lowest node used last, or NULL */
    uint64_t leaf_prefix;      /* index >> 4 of all that is in it */
};

void vm_page_tree_setup(void);

MUST_CHECK struct vm_page_tree *vm_page_tree_create(struct vm_object *object);
void vm_page_tree_destroy(struct vm_page_tree *tree); /* empty */

struct vm_page *vm_page_tree_walk(struct vm_page_tree *tree, uint64_t index);

static inline struct vm_page *
vm_page_tree_lookup(struct vm_page_tree *tree, uint64_t index)
{
    if (likely(tree->leaf != NULL &&
               tree->leaf_prefix == index >> VM_PAGE_NODE_BITS)) {
        return tree->leaf->slots[index % VM_PAGE_NODE_SLOTS];
    }

    return tree->root == NULL ? NULL : vm_page_tree_walk(tree, index);
}

/* There is no page at index. False: no memory for a node. */
MUST_CHECK bool vm_page_tree_insert(struct vm_page_tree *tree,
                                    struct vm_page *page, uint64_t index);

/* The page is in the tree. */
void vm_page_tree_remove(struct vm_page_tree *tree, struct vm_page *page);

/* Move a page from its tree to the same index of another one, which has no
 * page there. False: no memory, nothing changed. */
MUST_CHECK bool
vm_page_tree_move(struct vm_page_tree *tree, struct vm_page *page);

struct vm_page *vm_page_tree_search(const struct vm_page_tree *tree,
                                    uint64_t start, uint64_t end);

/* The page with the lowest index in [start, end), or NULL. */
static inline struct vm_page *
vm_page_tree_next(const struct vm_page_tree *tree, uint64_t start, uint64_t end)
{
    return tree->root == NULL ? NULL : vm_page_tree_search(tree, start, end);
}

#endif /* VM_VM_PAGE_TREE_H */
