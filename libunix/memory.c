/* SPDX-License-Identifier: MIT */
/*
 * Memory: the heap, which grows at a fixed place far from everything that the
 * kernel places by itself, and anonymous mappings.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mach/mach_traps.h>
#include <mach/vm_prot.h>
#include <mach/vm_region.h>

#include "call.h"

#define HEAP_BASE 0x0000100000000000UL
#define HEAP_END 0x0000500000000000UL
#define HEAP_STEP 0x40000UL /* what is asked of the kernel at once */

static uintptr_t heap_break = HEAP_BASE;
static uintptr_t heap_top = HEAP_BASE;  /* memory is there below this */
static uintptr_t heap_used = HEAP_BASE; /* and may not be zero below this */

static uintptr_t
page_round(uintptr_t size)
{
    return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static int
heap_grow(uintptr_t to)
{
    vm_address_t address = heap_top;
    vm_size_t size = (to - heap_top + HEAP_STEP - 1) & ~(HEAP_STEP - 1);

    if (syscall_vm_allocate(mach_task_self(), &address, size, VM_FLAGS_FIXED) !=
        KERN_SUCCESS) {
        return -1;
    }

    heap_top += size;
    return 0;
}

/* Give back what is not needed; a step more is kept, so that a program that
 * frees and allocates at the border makes no trap each time. */
static void
heap_shrink(uintptr_t to)
{
    uintptr_t keep = (to + 2 * HEAP_STEP - 1) & ~(HEAP_STEP - 1);

    if (keep < heap_top) {
        (void)syscall_vm_deallocate(mach_task_self(), keep, heap_top - keep);
        heap_top = keep;
        heap_used = (heap_used < keep) ? heap_used : keep;
    }
}

/* Memory that sbrk() gives reads as zero, also when it comes again. */
static void
heap_clear(uintptr_t from, uintptr_t to)
{
    uintptr_t end = (to < heap_used) ? to : heap_used;

    if (from < end) {
        memset((void *)from, 0, end - from);
    }

    heap_used = (heap_used > to) ? heap_used : to;
}

void *
sbrk(ptrdiff_t increment)
{
    uintptr_t old = heap_break;
    uintptr_t new = old + (uintptr_t)increment;

    if ((increment < 0) ? (new < HEAP_BASE || new > old)
                        : (new < old || new > HEAP_END)) {
        errno = ENOMEM;
        return (void *)-1;
    }

    if (new > heap_top && heap_grow(new) != 0) {
        errno = ENOMEM;
        return (void *)-1;
    }

    if (increment < 0) {
        heap_shrink(new);
    } else {
        heap_clear(old, new);
    }

    heap_break = new;
    return (void *)old;
}

static int
map_error(kern_return_t kr)
{
    if (kr == KERN_SUCCESS) {
        return 0;
    }

    errno =
        (kr == KERN_NO_SPACE || kr == KERN_RESOURCE_SHORTAGE) ? ENOMEM : EINVAL;
    return -1;
}

/* PROT_* are VM_PROT_*. */
static kern_return_t
map_protect(vm_address_t address, vm_size_t size, int protection)
{
    return syscall_vm_protect(mach_task_self(), address, size, FALSE,
                              protection);
}

void *
mmap(void *where, size_t length, int protection, int flags, int fd,
     off_t offset)
{
    vm_address_t address = (vm_address_t)where;
    vm_size_t size = page_round(length);
    bool fixed = (flags & MAP_FIXED) != 0;
    kern_return_t kr;

    (void)fd;
    (void)offset;

    if (length == 0 || size < length || (flags & MAP_ANONYMOUS) == 0 ||
        (fixed && (address & (PAGE_SIZE - 1)) != 0)) {
        errno = (flags & MAP_ANONYMOUS) == 0 ? ENODEV : EINVAL;
        return MAP_FAILED;
    }

    if (fixed) {
        (void)syscall_vm_deallocate(mach_task_self(), address, size);
    }

    kr = syscall_vm_allocate(mach_task_self(), &address, size,
                             fixed ? VM_FLAGS_FIXED : VM_FLAGS_ANYWHERE);

    if (kr == KERN_SUCCESS && protection != (PROT_READ | PROT_WRITE)) {
        kr = map_protect(address, size, protection);
    }

    return (map_error(kr) == 0) ? (void *)address : MAP_FAILED;
}

int
munmap(void *where, size_t length)
{
    vm_address_t address = (vm_address_t)where;

    if (length == 0 || (address & (PAGE_SIZE - 1)) != 0) {
        errno = EINVAL;
        return -1;
    }

    return map_error(
        syscall_vm_deallocate(mach_task_self(), address, page_round(length)));
}

int
mprotect(void *where, size_t length, int protection)
{
    vm_address_t address = (vm_address_t)where;

    if ((address & (PAGE_SIZE - 1)) != 0) {
        errno = EINVAL;
        return -1;
    }

    return map_error(map_protect(address, page_round(length), protection));
}
