/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: which object stands behind which range of addresses, with
 * what protection and inheritance. A map is a balanced tree of entries, each
 * a range of one object. Private memory that was never touched has no object
 * yet. Page offsets of entries go by object; those of memory that the kernel
 * made for the map itself equal the address, so neighbours always fit.
 */

#ifndef VM_VM_MAP_H
#define VM_VM_MAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/vm_inherit.h>
#include <mach/vm_prot.h>
#include <mach/vm_region.h>
#include <mach/vm_types.h>

#include <kern/list.h>
#include <kern/macros.h>
#include <kern/refcount.h>

#include <vm/vm_account.h>
#include <vm/vm_map_lock.h>
#include <vm/vm_map_tree.h>

struct pmap;
struct vm_object;

/*
 * A range of addresses, or, in a vm_map_copy, of a message's memory. All
 * members are guarded by the map's lock.
 *
 * needs_copy: the entry may only read the object's pages; the first write
 * puts a shadow between. All entries over a page that one entry needs to
 * copy are in this state: nobody writes such a page.
 */
struct vm_map_entry {
    struct vm_map_node node;  /* start, end, place in the tree */
    struct list link;         /* in order of address */
    struct vm_object *object; /* reference; NULL: zeros, never touched */
    uint64_t offset;          /* of start in the object, in bytes */
    uint8_t protection;
    uint8_t max_protection;
    uint8_t inheritance;
    bool needs_copy;
    bool shared;  /* writes are meant to be seen by others */
    bool charged; /* private: its size is charged to the account */

    /* Page tables may have pages of it. Set by faults, who hold the lock for
     * reading; until then there is nothing to take out of them. */
    atomic_bool mapped;
};

/* Ranges that one map may have: each costs the kernel memory. */
#define VM_MAP_ENTRIES_MAX 65536u

/*
 * References: the task, and whoever works on the map; when the last goes the
 * entries go. A dead map (task terminated) has no entries and takes none.
 *
 * Lock keys: (c) set at creation, (m) lock held for writing.
 */
struct vm_map {
    struct vm_map_lock lock; /* LOCK_RANK_VM_MAP */
    struct refcount refs;
    struct pmap *pmap;                 /* (c) reference */
    struct vm_account *account;        /* (c) reference */
    struct vm_map_tree tree;           /* (m) */
    struct list entries;               /* (m) */
    struct vm_map_entry *_Atomic hint; /* found last; readers set it too */

    /* (m) From VM_ANYWHERE_BASE to here nothing is free that is as large as
     * hole_size: where the search for room begins. */
    vm_offset_t hole;
    vm_size_t hole_size;
    vm_size_t size;           /* (m) bytes in entries */
    unsigned int entry_count; /* (m) */
    bool dead;                /* (m) */
};

void vm_map_setup(void);

/* An empty map. Takes over the reference to the pmap; NULL: no memory. */
MUST_CHECK struct vm_map *vm_map_create(struct pmap *pmap);
void vm_map_ref(struct vm_map *map);
void vm_map_unref(struct vm_map *map);

/* The task ends: throw everything away, though others hold references. */
void vm_map_terminate(struct vm_map *map);

/*
 * A child's map, by the inheritance of each range, with a pmap and with the
 * parent's limit.
 *
 * Returns: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE.
 */
MUST_CHECK kern_return_t vm_map_fork(struct vm_map *parent,
                                     struct vm_map **childp);

/* Bytes that the map may promise, and has promised. */
void vm_map_set_limit(struct vm_map *map, vm_size_t limit);
vm_size_t vm_map_limit(struct vm_map *map);
vm_size_t vm_map_charged(struct vm_map *map);
vm_size_t vm_map_size(struct vm_map *map);     /* bytes in entries */
vm_size_t vm_map_resident(struct vm_map *map); /* bytes mapped now */

/*
 * Turn address and size from a user into the whole pages they touch. The
 * only way a user's range gets into this folder.
 *
 * Returns: KERN_SUCCESS, KERN_INVALID_ADDRESS (wraps, or not in user space).
 */
MUST_CHECK static inline kern_return_t
vm_map_range(vm_offset_t address, vm_size_t size, vm_offset_t *startp,
             vm_offset_t *endp)
{
    if (unlikely(address < VM_MIN_ADDRESS || address > VM_MAX_ADDRESS ||
                 size > VM_MAX_ADDRESS - address)) {
        return KERN_INVALID_ADDRESS;
    }

    *startp = address & ~PAGE_MASK;
    *endp = (address + size + PAGE_MASK) & ~PAGE_MASK;
    return KERN_SUCCESS;
}

/*
 * The operations of vm_map.defs, with the arguments from there. They work on
 * the whole pages that the range touches. A size of 0 does nothing and
 * succeeds (allocate: at address 0).
 *
 * Locks:   take and drop map->lock, and object locks; may block.
 * Returns: KERN_SUCCESS; KERN_INVALID_ARGUMENT (flags, protection,
 *          inheritance); KERN_INVALID_ADDRESS (range
 *          outside user space; a hole in the range of protect, inherit);
 *          KERN_NO_SPACE; KERN_PROTECTION_FAILURE; KERN_LIMIT_REACHED (the
 *          map's limit); KERN_RESOURCE_SHORTAGE; KERN_TERMINATED.
 */
MUST_CHECK kern_return_t vm_map_allocate(struct vm_map *map,
                                         vm_offset_t *addressp, vm_size_t size,
                                         int flags);
MUST_CHECK kern_return_t vm_map_remove(struct vm_map *map, vm_offset_t address,
                                       vm_size_t size);
MUST_CHECK kern_return_t vm_map_protect(struct vm_map *map, vm_offset_t address,
                                        vm_size_t size, bool set_maximum,
                                        vm_prot_t protection);
MUST_CHECK kern_return_t vm_map_inherit(struct vm_map *map, vm_offset_t address,
                                        vm_size_t size,
                                        vm_inherit_t inheritance);
MUST_CHECK kern_return_t vm_map_region(struct vm_map *map,
                                       vm_offset_t *addressp, vm_size_t *sizep,
                                       struct vm_region_basic_info *info);

/* How a range is to be mapped: the common arguments of vm_map, vm_remap. */
struct vm_map_request {
    vm_offset_t address; /* in: wish or order; out: result */
    vm_size_t size;
    vm_offset_t mask; /* bits that must be 0 in the address */
    int flags;        /* VM_FLAGS_* */
    vm_prot_t protection;
    vm_prot_t max_protection;
    vm_inherit_t inheritance;
    bool copy;
};

/*
 * Map a range of an object, shared or as a private copy. object NULL: new
 * zero-filled memory.
 *
 * Refs: takes its own reference to the object.
 */
MUST_CHECK kern_return_t vm_map_object(struct vm_map *map,
                                       struct vm_map_request *request,
                                       struct vm_object *object,
                                       uint64_t offset);

/* Map a range of another map, or of the same one; the request's protections
 * come back as those of the source. */
MUST_CHECK kern_return_t vm_map_remap(struct vm_map *map,
                                      struct vm_map_request *request,
                                      struct vm_map *source,
                                      vm_offset_t source_address);

/*
 * Copy bytes from memory of one map to memory of another, once, through the
 * direct map. What can't be read or written ends the copy with the error of
 * the fault; bytes before it are copied.
 */
MUST_CHECK kern_return_t vm_map_copy_bytes(struct vm_map *from,
                                           vm_offset_t source,
                                           struct vm_map *to,
                                           vm_offset_t target, vm_size_t size);

/* The traps vm_read_overwrite and vm_write: `user` is in the current task. */
MUST_CHECK kern_return_t vm_map_read_bytes(struct vm_map *target,
                                           vm_offset_t from, vm_offset_t user,
                                           vm_size_t size);
MUST_CHECK kern_return_t vm_map_write_bytes(struct vm_map *target,
                                            vm_offset_t to, vm_offset_t user,
                                            vm_size_t size);

/* The same with a buffer in the kernel. */
MUST_CHECK kern_return_t vm_map_read_kernel(struct vm_map *map,
                                            vm_offset_t from, void *to,
                                            vm_size_t size);
MUST_CHECK kern_return_t vm_map_write_kernel(struct vm_map *map, vm_offset_t to,
                                             const void *from, vm_size_t size);

/* Alive now, for leak checks. */
uint64_t vm_map_count(void);
uint64_t vm_map_entry_count(void);

#endif /* VM_VM_MAP_H */
