/* SPDX-License-Identifier: MIT */
/*
 * Bytes in and out of maps that are not loaded, through the direct map. Data
 * is written while the page is resolved for writing, with map and object
 * locked: a copy that somebody makes at the same time has either all of the
 * bytes in a page or none.
 */

#include <kern/sched.h>
#include <kern/string.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <vm/vm_fault.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

/* Bytes from the address to the end of its page, at most `size`. */
static inline vm_size_t
page_rest(vm_offset_t address, vm_size_t size)
{
    vm_size_t rest = PAGE_SIZE - (address & PAGE_MASK);

    return MIN(rest, size);
}

static kern_return_t
data_range_check(vm_offset_t address, vm_size_t size)
{
    vm_offset_t start, end;

    return vm_map_range(address, size, &start, &end);
}

/*
 * The page at an address for writing, mapped, and with all locks held. Device
 * memory is not for data.
 */
static kern_return_t
data_resolve(struct vm_map *map, vm_offset_t address, vm_prot_t access,
             struct vm_fault *fault)
{
    kern_return_t kr = vm_fault_resolve(map, address, access, NULL, fault);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (fault->page == NULL) {
        kr = KERN_PROTECTION_FAILURE;
    } else if (access == VM_PROT_WRITE) {
        kr = vm_fault_enter(fault, address, access);
    }

    if (kr != KERN_SUCCESS) {
        vm_fault_release(fault);
    }

    return kr;
}

/* Write part of a page. */
static kern_return_t
data_write(struct vm_map *map, vm_offset_t address, const void *from,
           vm_size_t size)
{
    struct vm_fault fault;
    kern_return_t kr = data_resolve(map, address, VM_PROT_WRITE, &fault);

    if (kr == KERN_SUCCESS) {
        memcpy((char *)vm_page_address(fault.page) + (address & PAGE_MASK),
               from, size);
        vm_fault_release(&fault);
    }

    return kr;
}

kern_return_t
vm_map_write_kernel(struct vm_map *map, vm_offset_t to, const void *from,
                    vm_size_t size)
{
    kern_return_t kr = KERN_SUCCESS;

    if (size == 0) {
        return KERN_SUCCESS;
    }

    kr = data_range_check(to, size);

    while (kr == KERN_SUCCESS && size != 0) {
        vm_size_t part = page_rest(to, size);

        kr = data_write(map, to, from, part);
        to += part;
        from = (const char *)from + part;
        size -= part;
        thread_preempt_point();
    }

    return kr;
}

kern_return_t
vm_map_read_kernel(struct vm_map *map, vm_offset_t from, void *to,
                   vm_size_t size)
{
    struct vm_fault fault;
    kern_return_t kr = KERN_SUCCESS;

    if (size == 0) {
        return KERN_SUCCESS;
    }

    kr = data_range_check(from, size);

    while (kr == KERN_SUCCESS && size != 0) {
        vm_size_t part = page_rest(from, size);

        kr = data_resolve(map, from, VM_PROT_READ, &fault);

        if (kr == KERN_SUCCESS) {
            memcpy(to, (char *)vm_page_address(fault.page) + (from & PAGE_MASK),
                   part);
            vm_fault_release(&fault);
        }

        from += part;
        to = (char *)to + part;
        size -= part;
        thread_preempt_point();
    }

    return kr;
}

kern_return_t
vm_map_copy_bytes(struct vm_map *from, vm_offset_t source, struct vm_map *to,
                  vm_offset_t target, vm_size_t size)
{
    kern_return_t kr;

    if (size == 0) {
        return KERN_SUCCESS;
    }

    kr = data_range_check(source, size);

    if (kr == KERN_SUCCESS) {
        kr = data_range_check(target, size);
    }

    while (kr == KERN_SUCCESS && size != 0) {
        vm_size_t part = page_rest(source, page_rest(target, size));
        struct vm_fault fault;
        struct vm_page *page;

        /* Held, not locked, while the target is looked up: its contents may
         * change, but the frame does not become somebody else's. */
        kr = data_resolve(from, source, VM_PROT_READ, &fault);

        if (kr != KERN_SUCCESS) {
            break;
        }

        page = fault.page;
        vm_page_hold(page);
        vm_fault_release(&fault);
        kr = data_write(to, target,
                        (char *)vm_page_address(page) + (source & PAGE_MASK),
                        part);
        vm_page_release(page);
        source += part;
        target += part;
        size -= part;
        thread_preempt_point();
    }

    return kr;
}

kern_return_t
vm_map_read_bytes(struct vm_map *target, vm_offset_t from, vm_offset_t user,
                  vm_size_t size)
{
    return vm_map_copy_bytes(target, from, current_thread()->task->map, user,
                             size);
}

kern_return_t
vm_map_write_bytes(struct vm_map *target, vm_offset_t to, vm_offset_t user,
                   vm_size_t size)
{
    return vm_map_copy_bytes(current_thread()->task->map, user, target, to,
                             size);
}
