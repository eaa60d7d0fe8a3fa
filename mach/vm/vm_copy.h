/* SPDX-License-Identifier: MIT */
/*
 * Memory on its way in a message. A copy is made once and never changes:
 * whoever holds it reads what was there at copyin, whatever the sender does.
 * Less than a page is held in kernel memory, more as ranges of objects,
 * shared copy-on-write or moved.
 *
 * The receiver gets whole pages. Memory held as pages keeps its offset
 * within the page, small memory starts at a page; bytes of the first and
 * last page outside the data are zero, never the sender's. A size of 0 is a
 * NULL copy, and the address 0.
 */

#ifndef VM_VM_COPY_H
#define VM_VM_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/vm_types.h>

#include <kern/list.h>
#include <kern/macros.h>

struct vm_account;
struct vm_map;

struct vm_map_copy {
    vm_size_t size;
    vm_offset_t offset;         /* of the first byte in its page */
    struct list entries;        /* vm_map_entry, addresses from 0 */
    struct vm_account *account; /* charged for the pages, or NULL */
    void *data;                 /* small: the bytes; no entries then */
};

void vm_copy_setup(void);

/*
 * Take [address, address + size) out of the map. destroy: the pages it
 * touches leave the map too (moved, not copied).
 *
 * Returns: KERN_SUCCESS, KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE,
 *          KERN_RESOURCE_SHORTAGE, KERN_LIMIT_REACHED. On an error nothing
 *          has been taken away.
 */
MUST_CHECK kern_return_t vm_map_copyin(struct vm_map *map, vm_offset_t address,
                                       vm_size_t size, bool destroy,
                                       struct vm_map_copy **copyp);

/*
 * Put the copy at a free place in the map. Consumes it on success only.
 *
 * Returns: KERN_SUCCESS, KERN_NO_SPACE, KERN_RESOURCE_SHORTAGE,
 *          KERN_LIMIT_REACHED, KERN_TERMINATED.
 */
MUST_CHECK kern_return_t vm_map_copyout(struct vm_map *map,
                                        vm_offset_t *addressp,
                                        struct vm_map_copy *copy);

/* Write it over memory that is there. Consumes the copy on success only. */
MUST_CHECK kern_return_t vm_map_copy_overwrite(struct vm_map *map,
                                               vm_offset_t address,
                                               struct vm_map_copy *copy);

void vm_map_copy_discard(struct vm_map_copy *copy);

/* A copy of kernel memory. */
MUST_CHECK kern_return_t vm_map_copy_from_kernel(const void *data,
                                                 vm_size_t size,
                                                 struct vm_map_copy **copyp);

/* Read bytes of the copy into kernel memory. */
MUST_CHECK kern_return_t vm_map_copy_read(struct vm_map_copy *copy,
                                          vm_offset_t offset, void *to,
                                          vm_size_t size);

static inline vm_size_t
vm_map_copy_size(const struct vm_map_copy *copy)
{
    return copy == NULL ? 0 : copy->size;
}

#endif /* VM_VM_COPY_H */
