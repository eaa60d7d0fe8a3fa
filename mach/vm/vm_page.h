/* SPDX-License-Identifier: MIT */
/*
 * Page frames. Every frame of RAM has a struct vm_page in one array, indexed
 * by frame number. A frame is free, in a block of the buddy allocator or in
 * the small stock of a processor; or it is the kernel's; or a page of a
 * vm_object, that is, user memory.
 */

#ifndef VM_VM_PAGE_H
#define VM_VM_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/vm_statistics.h>
#include <mach/vm_types.h>

#include <kern/list.h>
#include <kern/macros.h>
#include <kern/wait.h>
#include <machine/cpu.h>
#include <machine/layout.h>

struct pmap;
struct vm_page_tree;

enum boot_range_type {
    BOOT_RANGE_USABLE,   /* RAM, free for any use */
    BOOT_RANGE_RESERVED, /* RAM or not, never touched: firmware, kernel image */
    BOOT_RANGE_MODULE,   /* RAM with a boot module: becomes user memory */
};

/* A range of physical memory as the boot loader tells of it, in bytes. */
struct boot_range {
    uint64_t start;
    uint64_t end;
    enum boot_range_type type;
};

enum vm_page_state {
    VM_PAGE_RESERVED, /* no memory of ours, or inside a free block */
    VM_PAGE_FREE,     /* first frame of a free block of the allocator */
    VM_PAGE_CACHED,   /* free, in a processor's stock */
    VM_PAGE_KERNEL,   /* page table, slab, stack; or just allocated */
    VM_PAGE_OBJECT,   /* in the tree of a vm_object */
};

/* One mapping of a page: machine/pmap.h. The first is in the page itself. */
struct pv_entry {
    struct pmap *pmap;
    vm_offset_t address;
    struct pv_entry *next;
};

#define VM_PAGE_BUSY 0x01u     /* contents under way: wait for the page */
#define VM_PAGE_WANTED 0x02u   /* somebody waits for it */
#define VM_PAGE_ABSENT 0x04u   /* asked of the pager, no contents yet */
#define VM_PAGE_MODIFIED 0x08u /* collected from removed mappings */
#define VM_PAGE_REFERENCED 0x10u
#define VM_PAGE_POISONED 0x20u /* debug kernels: free and filled */

#define VM_PAGE_DYING 0x8000u /* in `holds`: the last holder frees the page */

/*
 * Lock keys: (o) the object's lock, (v) the pv lock of the page, (f) the
 * allocator's lock, (a) atomic.
 */
struct vm_page {
    struct list link;          /* (f) free block; (o) page queues */
    struct vm_page_tree *tree; /* (o) of the object that has the page */
    uint64_t index;            /* (o) place in the object, in pages */
    struct pv_entry pv;        /* (v) mappings; pv.pmap null: none */
    uint8_t state;             /* enum vm_page_state */
    uint8_t order;             /* (f) of a free block */
    uint16_t wires;            /* (o) */
    _Atomic uint16_t holds;    /* (a) users of the frame without a lock */
    uint16_t flags;            /* (o) VM_PAGE_BUSY ... */
};
_Static_assert(sizeof(struct vm_page) == 64, "one shift from page to frame");

extern struct vm_page *vm_page_array;
extern uint64_t vm_page_frames; /* in the array */

#define VM_PAGE_ORDERS 11 /* blocks of 2^0 to 2^10 frames */

/*
 * Boot, in this order: vm_page_bootstrap() notes the ranges, which may
 * overlap (the stricter type wins) and must stay valid; then frames can be
 * had from vm_page_bootstrap_alloc(), for ever; pmap_bootstrap() maps all
 * RAM; vm_page_setup() makes the array and frees the rest.
 */
void vm_page_bootstrap(const struct boot_range *ranges, unsigned int count);
uint64_t vm_page_bootstrap_alloc(uint64_t size);
void vm_page_setup(void);

/* End of the highest RAM; whether any RAM is in [start, end). */
uint64_t vm_page_ram_end(void);
bool vm_page_is_ram(uint64_t start, uint64_t end);

#define VM_PAGE_ALLOC_KERNEL 1u /* may use the reserve whoever asks */
#define VM_PAGE_ALLOC_ZERO 2u   /* filled with zeros */

/*
 * A frame, or NULL when memory is short: the last frames are only for tasks
 * with vm_privilege and for VM_PAGE_ALLOC_KERNEL. Never blocks.
 *
 * Locks: takes LOCK_RANK_VM_PAGE, seldom.
 */
MUST_CHECK struct vm_page *vm_page_alloc(unsigned int flags);

/*
 * Memory is short: sleep until frames are freed, or for a while. A task that
 * ends gives back its memory some time after others see its end.
 *
 * Only few threads sleep here with their stacks; for others the sleep ends
 * in the continuation, if there is one.
 *
 * Locks:   no spin lock and no map lock may be held.
 * Returns: KERN_SUCCESS (try again), KERN_OPERATION_TIMED_OUT, KERN_ABORTED,
 *          KERN_RESOURCE_SHORTAGE (too many sleep).
 */
MUST_CHECK kern_return_t vm_page_wait(continuation_t continuation);

/* The page has left its object and has no mapping. */
void vm_page_free(struct vm_page *page);

/*
 * `count` adjacent frames below physical address `below` (0: anywhere),
 * starting at a multiple of the next power of two of their size.
 */
MUST_CHECK struct vm_page *
vm_page_alloc_contiguous(uint64_t count, uint64_t below, unsigned int flags);
void vm_page_free_contiguous(struct vm_page *page, uint64_t count);

/* Keep the frame from being reused while no lock protects it. Locks: the
 * object's lock for hold, none for release. */
void vm_page_hold(struct vm_page *page);
void vm_page_release(struct vm_page *page);

/* Events of one processor, counted without a lock. */
struct vm_events {
    uint64_t faults;
    uint64_t zero_fills;
    uint64_t cow_faults;
    int64_t object_pages; /* gone into objects less those that left */
} CACHE_ALIGNED;

extern struct vm_events vm_events[CPU_MAX];

static inline struct vm_events *
vm_events_self(void)
{
    return &vm_events[cpu_self()->number];
}

/* Frames free now, and all counts. */
uint64_t vm_page_free_count(void);
void vm_page_statistics(struct vm_statistics *statistics);

static inline uint64_t
vm_page_frame(const struct vm_page *page)
{
    return (uint64_t)(page - vm_page_array);
}

static inline uint64_t
vm_page_phys(const struct vm_page *page)
{
    return vm_page_frame(page) << PAGE_SHIFT;
}

/* The frame in the direct map. */
static inline void *
vm_page_address(const struct vm_page *page)
{
    return phys_to_direct(vm_page_phys(page));
}

/* NULL: no RAM there. */
static inline struct vm_page *
vm_page_lookup(uint64_t physical)
{
    uint64_t frame = physical >> PAGE_SHIFT;

    return frame < vm_page_frames ? &vm_page_array[frame] : NULL;
}

static inline struct vm_page *
vm_page_from_address(const void *direct)
{
    return &vm_page_array[direct_to_phys(direct) >> PAGE_SHIFT];
}

static inline void
page_zero(void *to)
{
    uint64_t count = PAGE_SIZE / 8;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0UL) : "memory");
}

static inline void
page_copy(void *to, const void *from)
{
    uint64_t count = PAGE_SIZE / 8;

    __asm__ volatile("rep movsq"
                     : "+D"(to), "+S"(from), "+c"(count)
                     :
                     : "memory");
}

#endif /* VM_VM_PAGE_H */
