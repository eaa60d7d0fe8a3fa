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
 * Order of two object locks: shadower before shadow, else by trylock.
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
    unsigned int busy;          /* (o) pages that are busy: no collapse */
    bool is_device;             /* (c) */
    bool snapshot;              /* (o) made as a copy: never written itself */
    bool writable;              /* (o) if shared: pages may be mapped so */
    bool shared;                /* (o) copied by copy objects */
    bool one_map;               /* (o) disjoint entries of one map only */
};

void vm_object_setup(void);

/* New zero-filled memory for the indexes [start, end), or NULL. */
MUST_CHECK struct vm_object *vm_object_create(uint64_t start, uint64_t end);

/* Memory of a device, from index 0. */
MUST_CHECK struct vm_object *
vm_object_create_device(uint64_t physical, uint64_t size);

void vm_object_ref(struct vm_object *object);

/* Locks: no spin lock held. May run long: has preemption points. */
void vm_object_unref(struct vm_object *object);

/*
 * A shadow of the object for the window: writes go there.
 *
 * Refs: the caller's reference to the object becomes the shadow's.
 */
MUST_CHECK struct vm_object *
vm_object_create_shadow(struct vm_object *object, uint64_t start, uint64_t end);

/*
 * A snapshot of a shared object's window, by a copy object; to be entered
 * with needs_copy.
 *
 * Refs: one is given.
 * Returns: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE.
 */
MUST_CHECK kern_return_t vm_object_copy_delayed(struct vm_object *object,
                                                uint64_t start, uint64_t end,
                                                struct vm_object **copyp);

/*
 * Before the page of a shared object changes: give the copy object that
 * still reads it its own page. All mappings of the page are gone afterwards.
 * `page` is resident in the object; with `discard` the object loses it (the
 * copy gets this one, or it is freed).
 *
 * Locks:   object locked; takes the copy's lock by trylock.
 * Returns: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE, KERN_ABORTED (the copy's
 *          lock is taken: drop the object's lock and try again).
 */
MUST_CHECK kern_return_t vm_object_push(struct vm_object *object,
                                        struct vm_page *page, bool discard);

/* From now on others write to it too: no private entry may have it. */
void vm_object_share(struct vm_object *object);

/* After pages were added: step over a shadow that is hidden by them. */
void vm_object_bypass(struct vm_object *object);

/* Free the pages of the window, of an object that nobody else has there. */
void
vm_object_remove_pages(struct vm_object *object, uint64_t start, uint64_t end);

/* Make the window of a memory entry's object read as zeros; copies keep what
 * they have. Returns: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE. */
MUST_CHECK kern_return_t vm_object_discard(struct vm_object *object,
                                           uint64_t start, uint64_t end);

/* Take a page out and free it. Locks: object; the page is not busy. */
void vm_object_free_page(struct vm_object *object, struct vm_page *page);

/*
 * A busy page belongs to whoever set it busy; others wait on it. These set
 * and clear the mark; clearing wakes the waiters. Locks: object.
 */
void vm_object_page_busy(struct vm_object *object, struct vm_page *page);
void vm_object_page_done(struct vm_object *object, struct vm_page *page);

/* The page at index, or NULL. Locks: object. */
static inline struct vm_page *
vm_object_lookup(struct vm_object *object, uint64_t index)
{
    return vm_page_tree_lookup(object->pages, index);
}

/*
 * The page that the object reads at index: its own or one of the chain
 * behind. *holderp is where it is, or the end of the chain (result NULL).
 *
 * Locks: object; the holder comes back locked too.
 */
struct vm_page *vm_object_find(struct vm_object *object, uint64_t index,
                               struct vm_object **holderp);

/* Read bytes within one page, from an offset in bytes. */
void vm_object_read(struct vm_object *object, uint64_t offset, void *to,
                    vm_size_t size);

/* False: no memory for the tree. Locks: object. */
MUST_CHECK static inline bool
vm_object_insert(struct vm_object *object, struct vm_page *page, uint64_t index)
{
    return vm_page_tree_insert(object->pages, page, index);
}

/* Pages resident in the window, in the object itself; objects alive. */
uint64_t
vm_object_resident(struct vm_object *object, uint64_t start, uint64_t end);
uint64_t vm_object_count(void);

#endif /* VM_VM_OBJECT_H */
