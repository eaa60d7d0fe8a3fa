/* SPDX-License-Identifier: MIT */
/*
 * Memory objects inside the kernel: a set of pages by index, what stands
 * behind a missing page, and who depends on the present ones.
 *
 * Behind a missing page stands the same index of `shadow`, else zeros (or,
 * for device memory, the frame itself). A shadow holds the pages that a
 * private copy changed: all objects of a chain use the same page indexes, so
 * there is no offset between them, only a window of interest. An object that
 * several can write (memory entries, shared inheritance) is `shared`: it is
 * copied by a delayed copy object, to which each page is pushed before its
 * first change. docs/vm.md has pictures.
 *
 * Chains stay short: an object that only its shadower still needs is merged
 * with it at once (collapse), one whose pages are all hidden is stepped over
 * (bypass).
 */

#ifndef VM_VM_OBJECT_H
#define VM_VM_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/vm_types.h>

#include <kern/list.h>
#include <kern/macros.h>
#include <kern/spinlock.h>

#include <vm/vm_page_tree.h>

struct vm_account;
struct vm_page;

/*
 * References: map entries, copies under way, memory entries, and shadowers.
 * `copy` is no reference: the copy object clears it when it dies.
 *
 * Lock keys: (c) set at creation, (o) own lock, (s) the shadow's lock.
 * Order of two object locks: shadower before shadow.
 */
struct vm_object {
    struct spinlock lock;       /* LOCK_RANK_VM_OBJECT */
    unsigned int refs;          /* (o) */
    struct vm_page_tree *pages; /* (o) swapped by collapse */
    struct vm_object *shadow;   /* (o) reference */
    struct list shadowers;      /* (o) objects whose shadow this is */
    struct list shadow_link;    /* (s) */
    struct vm_object *copy;     /* (o) youngest copy of this object */
    uint64_t start, end;        /* (o) window of indexes that matter */
    uint64_t device;            /* (c) physical address of index 0 */
    struct vm_account *account; /* (c) charged for `charge` bytes, or NULL */
    uint64_t charge;            /* (c) */
    bool is_device;             /* (c) */
    bool is_copy;               /* (o) some object's `copy`: never written */
    bool shared;                /* (o) copied by copy objects */
    bool one_map;               /* (o) disjoint entries of one map only */
};

void vm_object_setup(void);

/* New zero-filled memory for the indexes [start, end), or NULL. */
MUST_CHECK struct vm_object *vm_object_create(uint64_t start, uint64_t end);

/* Memory of a device, from index 0. */
MUST_CHECK struct vm_object *vm_object_create_device(uint64_t physical,
                                                     uint64_t size);

void vm_object_ref(struct vm_object *object);

/* Locks: none but map locks held. May run long: has preemption points. */
void vm_object_unref(struct vm_object *object);

/*
 * A shadow of the object for the window: writes go there. Takes over the
 * caller's reference to the object.
 */
MUST_CHECK struct vm_object *vm_object_create_shadow(struct vm_object *object,
                                                     uint64_t start,
                                                     uint64_t end);

/*
 * A snapshot of a shared object's window, by a copy object; to be entered
 * with needs_copy.
 *
 * Refs: one is given.
 */
MUST_CHECK kern_return_t vm_object_copy_delayed(struct vm_object *object,
                                                uint64_t start, uint64_t end,
                                                struct vm_object **copyp);

/* From now on others write to it too. */
void vm_object_share(struct vm_object *object);

/* Merge with, or step over, shadows that nobody else needs. Locks: object. */
void vm_object_collapse(struct vm_object *object);

/* Throw away the pages of the window: they read as the shadow or zero. */
void vm_object_remove_pages(struct vm_object *object, uint64_t start,
                            uint64_t end);

/* The page at index, or NULL. Locks: object. */
static inline struct vm_page *
vm_object_lookup(struct vm_object *object, uint64_t index)
{
    return vm_page_tree_lookup(object->pages, index);
}

/* False: no memory for the tree. Locks: object. */
MUST_CHECK static inline bool
vm_object_insert(struct vm_object *object, struct vm_page *page,
                 uint64_t index)
{
    return vm_page_tree_insert(object->pages, page, index);
}

/* Pages resident in the object itself; objects alive. */
uint64_t vm_object_resident(struct vm_object *object);
uint64_t vm_object_count(void);

#endif /* VM_VM_OBJECT_H */
