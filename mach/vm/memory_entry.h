/* SPDX-License-Identifier: MIT */
/*
 * Memory entries: a range of an object with a maximal protection, to be
 * named by a port. Whoever holds a send right may map the memory.
 */

#ifndef VM_MEMORY_ENTRY_H
#define VM_MEMORY_ENTRY_H

#include <mach/kern_return.h>
#include <mach/vm_prot.h>
#include <mach/vm_types.h>

#include <kern/macros.h>
#include <kern/refcount.h>

struct ipc_port;
struct vm_map;
struct vm_map_request;
struct vm_object;

/*
 * References: the port (while it has send rights) and those who use it.
 *
 * Lock keys: (c) set at creation; `port` belongs to the port's side.
 */
struct memory_entry {
    struct refcount refs;
    struct ipc_port *port;    /* the port that names it, or NULL */
    struct vm_object *object; /* (c) reference */
    uint64_t offset;          /* (c) of the range in the object, in bytes */
    vm_size_t size;           /* (c) whole pages */
    vm_prot_t protection;     /* (c) maximal */
};

void memory_entry_setup(void);

void memory_entry_ref(struct memory_entry *entry);
void memory_entry_unref(struct memory_entry *entry);

/*
 * Each of these gives a reference to a new entry.
 *
 * Returns: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE, KERN_LIMIT_REACHED,
 *          KERN_INVALID_ARGUMENT (size).
 */

/* New zero-filled memory, charged to the map. */
MUST_CHECK kern_return_t memory_entry_create(struct vm_map *map, vm_size_t size,
                                             vm_prot_t protection,
                                             struct memory_entry **entryp);

/* The memory at an address, as much of *sizep as is one range of one object;
 * also KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE. */
MUST_CHECK kern_return_t memory_entry_create_from_map(
    struct vm_map *map, vm_offset_t address, vm_size_t *sizep,
    vm_prot_t protection, struct memory_entry **entryp);

/* Part of another entry. */
MUST_CHECK kern_return_t memory_entry_create_part(struct memory_entry *parent,
                                                  uint64_t offset,
                                                  vm_size_t size,
                                                  vm_prot_t protection,
                                                  struct memory_entry **entryp);

/* Frames that are filled already: those of a boot module, or allocated by
 * vm_page_alloc. The entry's object owns them from now on. */
MUST_CHECK kern_return_t memory_entry_create_from_frames(
    uint64_t physical, vm_size_t size, vm_prot_t protection,
    struct memory_entry **entryp);

/* Physical memory of a device, mapped uncached; not RAM. */
MUST_CHECK kern_return_t
memory_entry_create_device(uint64_t physical, vm_size_t size,
                           vm_prot_t protection, struct memory_entry **entryp);

/* Map (part of) it; the request's protections are cut to the entry's.
 * Returns: as vm_map_object, KERN_INVALID_ARGUMENT (outside the entry),
 * KERN_PROTECTION_FAILURE (more asked than the entry gives). */
MUST_CHECK kern_return_t memory_entry_map(struct memory_entry *entry,
                                          struct vm_map *map,
                                          struct vm_map_request *request,
                                          uint64_t offset);

/* Copy bytes of it into the kernel: boot images. */
MUST_CHECK kern_return_t memory_entry_read(struct memory_entry *entry,
                                           uint64_t offset, void *to,
                                           vm_size_t size);

/* Make a range of whole pages read as zeros. Returns: KERN_SUCCESS,
 * KERN_INVALID_ARGUMENT, KERN_PROTECTION_FAILURE (no write permission),
 * KERN_RESOURCE_SHORTAGE. */
MUST_CHECK kern_return_t memory_entry_drop(struct memory_entry *entry,
                                           uint64_t offset, vm_size_t size);

/* Pages of the range that are resident. */
uint64_t memory_entry_pages(struct memory_entry *entry);

#endif /* VM_MEMORY_ENTRY_H */
