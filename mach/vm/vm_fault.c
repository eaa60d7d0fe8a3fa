/* SPDX-License-Identifier: MIT */
/*
 * Page faults. A fault is resolved - map entry, object, page of the chain,
 * new page if need be - under the map's lock for reading and the locks of the
 * front object and of the one that has the page; then the mapping is entered
 * and all locks go. Nothing is kept over a wait: a fault that meets a busy
 * page lets go of everything, sleeps, and starts again.
 *
 * The front object stays locked while the chain behind is walked, so no page
 * can come up in front of the one that is found; the walk goes hand over hand.
 */

#include <stddef.h>

#include <debug/assert.h>
#include <kern/wait.h>
#include <machine/pmap.h>
#include <vm/vm_fault.h>
#include <vm/vm_map_i.h>
#include <vm/vm_page.h>

/* Waits without a frame being freed before a fault fails. */
#define SHORTAGE_PATIENCE 10u

/* -- The entry ------------------------------------------------------------- */

/* Put the entry right, under the lock for writing. The map is locked for
 * reading before and after. */
static NOINLINE kern_return_t
fault_prepare(struct vm_map *map, vm_offset_t address, bool write)
{
    struct vm_map_entry *entry;
    kern_return_t kr = KERN_SUCCESS;

    if (!vm_map_lock_upgrade(&map->lock)) {
        vm_map_unlock_read(&map->lock);
        vm_map_lock_write(&map->lock);
    }

    entry = vm_map_lookup(map, address);

    if (entry != NULL) {
        kr = vm_map_entry_prepare(entry, write);
    }

    vm_map_lock_downgrade(&map->lock);
    return kr;
}

/*
 * Find the entry and see that it has an object that may be accessed so.
 * The map is locked for reading on success, and unlocked on an error.
 */
static kern_return_t
fault_entry(struct vm_fault *fault, vm_offset_t address, vm_prot_t access)
{
    struct vm_map *map = fault->map;
    struct vm_map_entry *entry;
    bool write = (access & VM_PROT_WRITE) != 0;
    kern_return_t kr = KERN_SUCCESS;

    vm_map_lock_read(&map->lock);

    while (kr == KERN_SUCCESS) {
        entry = vm_map_lookup(map, address);

        if (unlikely(entry == NULL)) {
            kr = KERN_INVALID_ADDRESS;
        } else if (unlikely((access & ~entry->protection) != 0)) {
            kr = KERN_PROTECTION_FAILURE;
        } else if (likely(entry->object != NULL &&
                          !(write && entry->needs_copy))) {
            fault->entry = entry;
            return KERN_SUCCESS;
        } else {
            kr = fault_prepare(map, address, write);
        }
    }

    vm_map_unlock_read(&map->lock);
    return kr;
}

/* -- The page -------------------------------------------------------------- */

static inline void
fault_unlock(struct vm_fault *fault)
{
    if (fault->holder != fault->object) {
        spin_unlock(&fault->holder->lock);
    }

    spin_unlock(&fault->object->lock);
    vm_map_unlock_read(&fault->map->lock);
}

/* Somebody else has the page under way: let go of all and wait for it. */
static NOINLINE kern_return_t
fault_wait(struct vm_fault *fault, continuation_t continuation)
{
    enum wait_result result;

    fault->page->flags |= VM_PAGE_WANTED;
    thread_wait_on(fault->page, true, 0);
    fault_unlock(fault);
    result = thread_block(continuation);
    return result == WAIT_INTERRUPTED ? KERN_ABORTED : KERN_SUCCESS;
}

/* A new page in the front object: zeros, or what `from` has. The page is
 * neither zeroed nor copied if there is no memory for its place. */
static struct vm_page *
fault_new_page(struct vm_fault *fault, struct vm_page *from)
{
    struct vm_page *page = vm_page_alloc(0);

    if (unlikely(page == NULL)) {
        return NULL;
    }

    if (unlikely(!vm_object_insert(fault->object, page, fault->index))) {
        vm_page_free(page);
        return NULL;
    }

    if (from == NULL) {
        page_zero(vm_page_address(page));
        vm_events_self()->zero_fills++;
    } else {
        page_copy(vm_page_address(page), vm_page_address(from));
        vm_events_self()->cow_faults++;
    }

    return page;
}

/* Look for the page down the chain: sets page and holder. */
static void
fault_walk(struct vm_fault *fault)
{
    fault->page = vm_object_lookup(fault->object, fault->index);
    fault->holder = fault->object;

    if (fault->page == NULL && fault->object->shadow != NULL) {
        fault->page =
            vm_object_find(fault->object, fault->index, &fault->holder);
    }
}

/* The page is in a shadow, and is to be written: copy it to the front. */
static NOINLINE kern_return_t
fault_copy(struct vm_fault *fault)
{
    struct vm_page *old = fault->page;
    struct vm_page *page = fault_new_page(fault, old);

    if (page == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    /* Others that have the front object may have the old page mapped. */
    if (!fault->object->one_map) {
        pmap_page_protect(old, VM_PROT_NONE);
    }

    /* As many pages as the shadow has: perhaps all that it has. */
    fault->hides = fault->object->shadow == fault->holder &&
                   fault->object->pages->count == fault->holder->pages->count;
    spin_unlock(&fault->holder->lock);
    fault->holder = fault->object;
    fault->page = page;
    return KERN_SUCCESS;
}

/*
 * Make the page that was found, or not found, fit for the access.
 *
 * Returns: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE, KERN_ABORTED (the lock of a
 *          copy object could not be had: start again).
 */
static kern_return_t
fault_page(struct vm_fault *fault, vm_prot_t access)
{
    struct vm_object *object = fault->object;
    bool write = (access & VM_PROT_WRITE) != 0;
    kern_return_t kr;

    if (fault->page == NULL) {
        if (fault->holder->is_device) {
            return KERN_SUCCESS;
        }

        if (fault->holder != object) {
            spin_unlock(&fault->holder->lock);
            fault->holder = object;
        }

        fault->page = fault_new_page(fault, NULL);

        if (fault->page == NULL) {
            return KERN_RESOURCE_SHORTAGE;
        }
    }

    if (write && fault->holder != object) {
        kr = fault_copy(fault);

        if (kr != KERN_SUCCESS) {
            return kr;
        }
    }

    if (unlikely(object->copy != NULL) && !object->is_device) {
        if (!write) {
            fault->protection &= ~VM_PROT_WRITE;
            return KERN_SUCCESS;
        }

        return vm_object_push(object, fault->page, false);
    }

    return KERN_SUCCESS;
}

kern_return_t
vm_fault_resolve(struct vm_map *map, vm_offset_t address, vm_prot_t access,
                 continuation_t continuation, struct vm_fault *fault)
{
    kern_return_t kr;

    fault->map = map;
    fault->hides = false;

    do {
        kr = fault_entry(fault, address, access);

        if (unlikely(kr != KERN_SUCCESS)) {
            return kr;
        }

        fault->object = fault->entry->object;
        fault->index = vm_map_entry_index(fault->entry, address);
        fault->protection = fault->entry->protection;
        spin_lock(&fault->object->lock);
        fault_walk(fault);

        if (unlikely(fault->page != NULL &&
                     (fault->page->flags & VM_PAGE_BUSY) != 0)) {
            kr = fault_wait(fault, continuation);

            if (kr != KERN_SUCCESS) {
                return kr;
            }

            kr = KERN_ABORTED;
            continue;
        }

        kr = fault_page(fault, access);

        if (unlikely(kr != KERN_SUCCESS)) {
            fault_unlock(fault);
        }
    } while (unlikely(kr == KERN_ABORTED));

    if (unlikely(kr != KERN_SUCCESS)) {
        return kr;
    }

    if (fault->entry->needs_copy || fault->holder != fault->object) {
        fault->protection &= ~VM_PROT_WRITE;
    }

    if ((fault->protection & VM_PROT_WRITE) != 0) {
        fault->object->writable = true;
    }

    return KERN_SUCCESS;
}

static inline void
fault_release(struct vm_fault *fault)
{
    if (unlikely(fault->hides)) {
        spin_unlock(&fault->object->lock); /* it is the holder, too */
        vm_object_bypass(fault->object);
        vm_map_unlock_read(&fault->map->lock);
    } else {
        fault_unlock(fault);
    }
}

void
vm_fault_release(struct vm_fault *fault)
{
    fault_release(fault);
}

/* Map the page that was found. */
static inline kern_return_t
fault_enter(struct vm_fault *fault, vm_offset_t address, vm_prot_t access)
{
    address &= ~PAGE_MASK;
    atomic_store_explicit(&fault->entry->mapped, true, memory_order_relaxed);

    if (unlikely(fault->page == NULL)) {
        return pmap_enter_device(fault->map->pmap, address,
                                 fault->holder->device +
                                     (fault->index << PAGE_SHIFT),
                                 fault->protection);
    }

    return pmap_enter(fault->map->pmap, address, fault->page, fault->protection,
                      (access & VM_PROT_WRITE) != 0 ? PMAP_WRITE_NOW : 0);
}

kern_return_t
vm_fault_enter(struct vm_fault *fault, vm_offset_t address, vm_prot_t access)
{
    return fault_enter(fault, address, access);
}

static inline kern_return_t
fault_try(struct vm_map *map, vm_offset_t address, vm_prot_t access,
          continuation_t continuation)
{
    struct vm_fault fault;
    kern_return_t kr =
        vm_fault_resolve(map, address, access, continuation, &fault);

    if (unlikely(kr != KERN_SUCCESS)) {
        return kr;
    }

    kr = fault_enter(&fault, address, access);
    fault_release(&fault);
    return kr;
}

/* There was no memory: give others the time to give some back. */
static NOINLINE kern_return_t
fault_shortage(struct vm_map *map, vm_offset_t address, vm_prot_t access,
               continuation_t continuation)
{
    unsigned int patience = SHORTAGE_PATIENCE;
    kern_return_t kr;

    do {
        kr = vm_page_wait(continuation);

        if (kr == KERN_OPERATION_TIMED_OUT) {
            patience--;
        } else if (kr != KERN_SUCCESS) {
            return kr;
        }

        kr = fault_try(map, address, access, continuation);
    } while (kr == KERN_RESOURCE_SHORTAGE && patience != 0);

    return kr;
}

kern_return_t
vm_fault(struct vm_map *map, vm_offset_t address, vm_prot_t access,
         continuation_t continuation)
{
    kern_return_t kr;

    vm_events_self()->faults++;
    kr = fault_try(map, address, access, continuation);

    if (unlikely(kr == KERN_RESOURCE_SHORTAGE)) {
        kr = fault_shortage(map, address, access, continuation);
    }

    return kr;
}
