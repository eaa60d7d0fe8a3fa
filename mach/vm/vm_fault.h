/* SPDX-License-Identifier: MIT */
/*
 * Page faults: make the page that map and objects say is there be there.
 * docs/vm.md follows one from the trap to the page table.
 */

#ifndef VM_VM_FAULT_H
#define VM_VM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/vm_prot.h>
#include <mach/vm_types.h>

#include <kern/macros.h>
#include <kern/wait.h>

struct vm_map;
struct vm_map_entry;
struct vm_object;
struct vm_page;

/*
 * Bring in the page at `address` for the access (VM_PROT_* bits). When the
 * page is busy and there is a continuation, the thread waits without a stack
 * and goes on there: the continuation must try again what faulted. Without
 * one the wait happens here.
 *
 * Locks:   no spin lock and no map lock may be held.
 * Returns: KERN_SUCCESS, KERN_INVALID_ADDRESS (nothing there),
 *          KERN_PROTECTION_FAILURE, KERN_RESOURCE_SHORTAGE,
 *          KERN_MEMORY_ERROR, KERN_ABORTED (thread_abort while waiting).
 */
MUST_CHECK kern_return_t vm_fault(struct vm_map *map, vm_offset_t address,
                                  vm_prot_t access,
                                  continuation_t continuation);

/*
 * A page that a fault found, while it can be used: the map is locked for
 * reading, `object` (the front object) is locked, and so is `holder` if the
 * page is in another object of the chain.
 */
struct vm_fault {
    struct vm_map *map;
    struct vm_map_entry *entry;
    struct vm_object *object;
    struct vm_object *holder;
    struct vm_page *page; /* NULL: device memory */
    uint64_t index;       /* of the page in the object */
    vm_prot_t protection; /* that a mapping may have now */
    bool hides;           /* the front object may hide its shadow now */
};

/*
 * The first half of a fault: find or make the page; fill *fault. For a write
 * the page may be written through the direct map until the release.
 */
MUST_CHECK kern_return_t vm_fault_resolve(struct vm_map *map,
                                          vm_offset_t address, vm_prot_t access,
                                          continuation_t continuation,
                                          struct vm_fault *fault);
void vm_fault_release(struct vm_fault *fault);

/* The second half: map it. Between resolve and release. */
MUST_CHECK kern_return_t vm_fault_enter(struct vm_fault *fault,
                                        vm_offset_t address, vm_prot_t access);

#endif /* VM_VM_FAULT_H */
