/* SPDX-License-Identifier: MIT */
/*
 * sbrk for newlib's malloc: a heap that grows from an address that the kernel
 * hands out last, taken from it a piece at a time, so that a server is charged
 * for what it uses. Calls come one at a time, under malloc's lock.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mach/mach.h>

#define HEAP_START 0x0000100000000000UL
#define HEAP_END 0x0000200000000000UL
#define HEAP_PIECE (64 * 1024UL)

static vm_address_t heap_break = HEAP_START;
static vm_address_t heap_limit = HEAP_START; /* what is allocated */

static int
heap_grow(vm_address_t end)
{
    vm_address_t at = heap_limit;
    vm_size_t size = (end - at + HEAP_PIECE - 1) & ~(HEAP_PIECE - 1);

    if (syscall_vm_allocate(mach_task_self(), &at, size, VM_FLAGS_FIXED) !=
        KERN_SUCCESS) {
        errno = ENOMEM;
        return -1;
    }

    heap_limit += size;
    return 0;
}

/* Memory that comes back by growing again must be zero. */
static void
heap_shrink(vm_address_t end)
{
    vm_address_t page = (end + PAGE_MASK) & ~PAGE_MASK;

    if (page < heap_limit) {
        (void)syscall_vm_deallocate(mach_task_self(), page, heap_limit - page);
        heap_limit = page;
    }

    memset((void *)end, 0, heap_limit - end);
}

void *
sbrk(ptrdiff_t increment)
{
    vm_address_t old = heap_break;
    vm_address_t new = old + (vm_address_t)increment;

    if (increment > 0) {
        if ((vm_size_t)increment > HEAP_END - old ||
            (new > heap_limit &&heap_grow(new) != 0)) {
            errno = ENOMEM;
            return (void *)-1;
        }
    } else if (increment < 0) {
        if (-(vm_size_t)increment > old - HEAP_START) {
            errno = EINVAL;
            return (void *)-1;
        }

        heap_shrink(new);
    }

    heap_break = new;
    return (void *)old;
}
