/* SPDX-License-Identifier: MIT */
/*
 * The frame allocator. Frames stand in a buddy system: free blocks of 2^n
 * frames, aligned to their size, in a list per n. Single frames, which is
 * nearly all of the traffic, go through a stock per processor that takes no
 * lock (the kernel is preempted only at named points, and interrupts don't
 * allocate) and exchanges frames with the buddy system by the dozen.
 *
 * During boot frames come from the ranges directly, and never go back.
 */

#include <debug/assert.h>
#include <kern/spinlock.h>
#include <kern/string.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <vm/vm_page.h>

#define BOOT_USED_MAX 32
#define BOOT_LOWEST 0x100000 /* below is for the processors' start-up code */

#define STOCK_SIZE 64
#define STOCK_BATCH_ORDER 4 /* frames that move at once: 16 */

#define RESERVE_MIN 128
#define RESERVE_MAX 2048

#define WAIT_NS 100000000ul /* for frames, each time */
#define WAITERS_MAX 8u      /* that keep their stacks */
#define WAIT_FRAMES 64u     /* that must be free to wake them */

#define POISON 0xdfdfdfdfdfdfdfdf

struct vm_page *vm_page_array;
uint64_t vm_page_frames;
struct vm_events vm_events[CPU_MAX];

static const struct boot_range *boot_ranges;
static unsigned int boot_range_count;
static struct boot_range boot_used[BOOT_USED_MAX];
static unsigned int boot_used_count;

/* Free frames of one processor; only that processor looks. */
struct vm_page_stock {
    unsigned int count;
    struct vm_page *pages[STOCK_SIZE];
} CACHE_ALIGNED;

static struct vm_page_stock stocks[CPU_MAX];

static struct spinlock buddy_lock;
static struct list buddy_free[VM_PAGE_ORDERS]; /* (buddy_lock) */
static uint64_t buddy_count;                   /* (buddy_lock) frames */
static uint64_t managed_count;                 /* frames ever freed to us */
static uint64_t reserve_count;
static atomic_bool frames_wanted;  /* somebody sleeps in vm_page_wait() */
static atomic_uint frames_waiters; /* those that keep their stacks */

static uint64_t
page_round(uint64_t address)
{
    return (address + PAGE_MASK) & ~PAGE_MASK;
}

/* -- Boot ------------------------------------------------------------------ */

void
vm_page_bootstrap(const struct boot_range *ranges, unsigned int count)
{
    boot_ranges = ranges;
    boot_range_count = count;
    boot_used_count = 0;
    spin_init(&buddy_lock, LOCK_RANK_VM_PAGE);

    for (unsigned int i = 0; i < VM_PAGE_ORDERS; i++) {
        list_init(&buddy_free[i]);
    }
}

/*
 * The i-th range that may not be used, in whole pages: what the boot loader
 * says, then what boot has taken. False: no such.
 */
static bool
boot_blocker(unsigned int i, struct boot_range *range)
{
    if (i < boot_range_count) {
        *range = boot_ranges[i];

        if (range->type == BOOT_RANGE_USABLE) {
            range->start = range->end = 0;
        }
    } else if (i < boot_range_count + boot_used_count) {
        *range = boot_used[i - boot_range_count];
    } else {
        return false;
    }

    range->start &= ~PAGE_MASK;
    range->end = page_round(range->end);
    return true;
}

/*
 * The first free stretch at or above `address` and below `end`: its start
 * (or `end`: none), and where it ends.
 */
static uint64_t
boot_stretch(uint64_t address, uint64_t end, uint64_t *stretch_endp)
{
    struct boot_range range;
    uint64_t stretch_end = end;

    for (unsigned int i = 0; boot_blocker(i, &range); i++) {
        if (range.start <= address && address < range.end) {
            address = range.end;
            i = (unsigned int)-1; /* another one may begin there */
        }
    }

    for (unsigned int i = 0; boot_blocker(i, &range); i++) {
        if (range.start >= address && range.start < stretch_end &&
            range.start < range.end) {
            stretch_end = range.start;
        }
    }

    *stretch_endp = stretch_end;
    return MIN(address, end);
}

static void
boot_take(uint64_t start, uint64_t end)
{
    if (boot_used_count != 0 && boot_used[boot_used_count - 1].end == start) {
        boot_used[boot_used_count - 1].end = end;
        return;
    }

    if (boot_used_count == BOOT_USED_MAX) {
        panic("vm_page: more than %d stretches taken at boot", BOOT_USED_MAX);
    }

    boot_used[boot_used_count].start = start;
    boot_used[boot_used_count].end = end;
    boot_used[boot_used_count].type = BOOT_RANGE_RESERVED;
    boot_used_count++;
}

uint64_t
vm_page_bootstrap_alloc(uint64_t size)
{
    size = page_round(size);

    for (unsigned int i = 0; i < boot_range_count; i++) {
        uint64_t end = boot_ranges[i].end & ~PAGE_MASK;
        uint64_t at = MAX(page_round(boot_ranges[i].start), BOOT_LOWEST);
        uint64_t stretch_end;

        if (boot_ranges[i].type != BOOT_RANGE_USABLE) {
            continue;
        }

        while (at < end) {
            at = boot_stretch(at, end, &stretch_end);

            if (at < end && stretch_end - at >= size) {
                boot_take(at, at + size);
                return at;
            }

            at = stretch_end;
        }
    }

    panic("vm_page: no room for %lu bytes at boot", size);
}

uint64_t
vm_page_ram_end(void)
{
    uint64_t end = 0;

    for (unsigned int i = 0; i < boot_range_count; i++) {
        if (boot_ranges[i].type != BOOT_RANGE_RESERVED) {
            end = MAX(end, page_round(boot_ranges[i].end));
        }
    }

    return end;
}

bool
vm_page_is_ram(uint64_t start, uint64_t end)
{
    for (unsigned int i = 0; i < boot_range_count; i++) {
        if (boot_ranges[i].type != BOOT_RANGE_RESERVED &&
            boot_ranges[i].start < end && start < boot_ranges[i].end) {
            return true;
        }
    }

    return false;
}

static void buddy_insert(struct vm_page *page, unsigned int order);

/* Hand [start, end) to the allocator in the largest aligned blocks. */
static void
boot_free(uint64_t start, uint64_t end)
{
    uint64_t frame = start >> PAGE_SHIFT;
    uint64_t last = end >> PAGE_SHIFT;

    while (frame < last) {
        unsigned int order = VM_PAGE_ORDERS - 1;

        while ((frame & ((1ul << order) - 1)) != 0 ||
               frame + (1ul << order) > last) {
            order--;
        }

        buddy_insert(&vm_page_array[frame], order);
        frame += 1ul << order;
    }

    managed_count += last - (start >> PAGE_SHIFT);
}

void
vm_page_setup(void)
{
    uint64_t end = vm_page_ram_end();
    uint64_t size = (end >> PAGE_SHIFT) * sizeof(struct vm_page);
    uint64_t array = vm_page_bootstrap_alloc(size);

    vm_page_array = phys_to_direct(array);
    vm_page_frames = end >> PAGE_SHIFT;

    /* Every page: VM_PAGE_RESERVED, no mapping. */
    for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
        page_zero((char *)vm_page_array + at);
    }

    for (unsigned int i = 0; i < boot_range_count; i++) {
        uint64_t at = page_round(boot_ranges[i].start);
        uint64_t stop = boot_ranges[i].end & ~PAGE_MASK;

        while (boot_ranges[i].type == BOOT_RANGE_USABLE && at < stop) {
            uint64_t stretch_end;

            at = boot_stretch(at, stop, &stretch_end);

            if (at < stop) {
                boot_free(at, stretch_end);
                at = stretch_end;
            }
        }
    }

    reserve_count = MIN(MAX(managed_count / 64, RESERVE_MIN), RESERVE_MAX);
}

/* -- The buddy system ------------------------------------------------------ */

/* Put a block in, merged with its free neighbours. */
static void
buddy_insert(struct vm_page *page, unsigned int order)
{
    uint64_t frame = vm_page_frame(page);

    buddy_count += 1ul << order;

    while (order < VM_PAGE_ORDERS - 1) {
        uint64_t other = frame ^ (1ul << order);
        struct vm_page *buddy = &vm_page_array[other];

        if (other >= vm_page_frames || buddy->state != VM_PAGE_FREE ||
            buddy->order != order) {
            break;
        }

        list_remove(&buddy->link);
        buddy->state = VM_PAGE_RESERVED;
        frame &= ~(1ul << order);
        order++;
    }

    page = &vm_page_array[frame];
    page->state = VM_PAGE_FREE;
    page->order = (uint8_t)order;
    list_insert_head(&buddy_free[order], &page->link);
}

/* Take this block out, cut it down to `order`, give the rest back. */
static void
buddy_take(struct vm_page *page, unsigned int order)
{
    unsigned int at = page->order;

    list_remove(&page->link);
    page->state = VM_PAGE_RESERVED;
    buddy_count -= 1ul << order;

    while (at > order) {
        struct vm_page *upper;

        at--;
        upper = page + (1ul << at);
        upper->state = VM_PAGE_FREE;
        upper->order = (uint8_t)at;
        list_insert_head(&buddy_free[at], &upper->link);
    }
}

/* A block that ends at or below frame `limit`, or NULL. */
static struct vm_page *
buddy_remove(unsigned int order, uint64_t limit)
{
    assert(spin_held(&buddy_lock));

    for (unsigned int at = order; at < VM_PAGE_ORDERS; at++) {
        list_for_each(&buddy_free[at], link)
        {
            struct vm_page *page = list_entry(link, struct vm_page, link);

            if (vm_page_frame(page) + (1ul << order) <= limit) {
                buddy_take(page, order);
                return page;
            }
        }
    }

    return NULL;
}

/* Frames that the caller may not touch. */
static uint64_t
buddy_reserve(unsigned int flags)
{
    struct thread *self = current_thread();

    if ((flags & VM_PAGE_ALLOC_KERNEL) != 0 || self == NULL ||
        self->task == kernel_task || self->task->vm_privilege) {
        return 0;
    }

    return reserve_count;
}

/* -- Single frames --------------------------------------------------------- */

#ifdef DEBUG_KERNEL
/* A freed frame holds POISON; who wrote to it since used it after the free. */
static void
page_poison(struct vm_page *page)
{
    uint64_t *words = vm_page_address(page);

    for (unsigned int i = 0; i < PAGE_SIZE / 8; i++) {
        words[i] = POISON;
    }

    page->flags = VM_PAGE_POISONED;
}

static void
page_poison_check(struct vm_page *page)
{
    uint64_t *words = vm_page_address(page);

    if (page->flags != VM_PAGE_POISONED) {
        return; /* never used before */
    }

    for (unsigned int i = 0; i < PAGE_SIZE / 8; i++) {
        if (words[i] != POISON) {
            panic("vm_page: frame %lx written after free: %lx at %u",
                  vm_page_frame(page), words[i], i * 8);
        }
    }

    page->flags = 0;
}
#else
#define page_poison(page) ((void)(page))
#define page_poison_check(page) ((void)(page))
#endif

/* Fill an empty stock as far as the caller may. */
static NOINLINE void
stock_fill(struct vm_page_stock *stock, unsigned int flags)
{
    uint64_t reserve = buddy_reserve(flags);
    unsigned int order = STOCK_BATCH_ORDER;
    struct vm_page *page = NULL;

    spin_lock(&buddy_lock);

    while (buddy_count < reserve + (1ul << order) && order > 0) {
        order--;
    }

    while (buddy_count >= reserve + (1ul << order)) {
        page = buddy_remove(order, UINT64_MAX);

        if (page != NULL || order == 0) {
            break;
        }

        order--;
    }

    spin_unlock(&buddy_lock);

    /* Handed out from the end: lower addresses first. */
    for (unsigned int i = 1u << order; page != NULL && i > 0; i--) {
        page[i - 1].state = VM_PAGE_CACHED;
        stock->pages[stock->count] = &page[i - 1];
        stock->count++;
    }
}

static NOINLINE void
stock_drain(struct vm_page_stock *stock)
{
    bool enough;

    spin_lock(&buddy_lock);

    while (stock->count > STOCK_SIZE / 2) {
        stock->count--;
        buddy_insert(stock->pages[stock->count], 0);
    }

    enough = buddy_count > reserve_count + WAIT_FRAMES;
    spin_unlock(&buddy_lock);

    if (unlikely(atomic_load_explicit(&frames_wanted, memory_order_relaxed)) &&
        enough) {
        atomic_store(&frames_wanted, false);
        thread_wakeup(&frames_wanted);
    }
}

kern_return_t
vm_page_wait(continuation_t continuation)
{
    bool keep = atomic_fetch_add(&frames_waiters, 1) < WAITERS_MAX;
    enum wait_result result;

    if (!keep) {
        atomic_fetch_sub(&frames_waiters, 1);

        if (continuation == NULL) {
            return KERN_RESOURCE_SHORTAGE;
        }
    }

    thread_wait_on(&frames_wanted, true, WAIT_NS);
    atomic_store(&frames_wanted, true);
    result = thread_block(keep ? NULL : continuation);

    if (keep) {
        atomic_fetch_sub(&frames_waiters, 1);
    }

    return result == WAIT_INTERRUPTED ? KERN_ABORTED
           : result == WAIT_TIMED_OUT ? KERN_OPERATION_TIMED_OUT
                                      : KERN_SUCCESS;
}

struct vm_page *
vm_page_alloc(unsigned int flags)
{
    struct vm_page_stock *stock = &stocks[cpu_self()->number];
    struct vm_page *page;

    if (unlikely(stock->count == 0)) {
        stock_fill(stock, flags);

        if (stock->count == 0) {
            return NULL;
        }
    }

    stock->count--;
    page = stock->pages[stock->count];
    assert(page->state == VM_PAGE_CACHED);
    page->state = VM_PAGE_KERNEL;
    page_poison_check(page);

    if ((flags & VM_PAGE_ALLOC_ZERO) != 0) {
        page_zero(vm_page_address(page));
    }

    return page;
}

/* The frame is nobody's any more. */
static void
page_free(struct vm_page *page)
{
    struct vm_page_stock *stock = &stocks[cpu_self()->number];

    if (unlikely(page->state != VM_PAGE_KERNEL || page->pv.pmap != NULL ||
                 page->wires != 0)) {
        panic("vm_page: frame %lx freed in state %u, pmap %p, %u wires",
              vm_page_frame(page), page->state, (void *)page->pv.pmap,
              page->wires);
    }

    page->flags = 0;
    page->state = VM_PAGE_CACHED;
    page_poison(page);

    if (unlikely(stock->count == STOCK_SIZE)) {
        stock_drain(stock);
    }

    stock->pages[stock->count] = page;
    stock->count++;
}

void
vm_page_free(struct vm_page *page)
{
    if (unlikely(atomic_load_explicit(&page->holds, memory_order_acquire) !=
                 0)) {
        uint16_t old = atomic_fetch_or(&page->holds, VM_PAGE_DYING);

        if (old != 0) {
            assert((old & VM_PAGE_DYING) == 0);
            return;
        }

        atomic_store(&page->holds, 0);
    }

    page_free(page);
}

void
vm_page_hold(struct vm_page *page)
{
    uint16_t old = atomic_fetch_add(&page->holds, 1);

    assert((old & VM_PAGE_DYING) == 0 && old < VM_PAGE_DYING - 1);
}

void
vm_page_release(struct vm_page *page)
{
    uint16_t old = atomic_fetch_sub(&page->holds, 1);

    assert((old & ~VM_PAGE_DYING) != 0);

    if (old == (VM_PAGE_DYING | 1)) {
        atomic_store(&page->holds, 0);
        page_free(page);
    }
}

/* -- Adjacent frames ------------------------------------------------------- */

struct vm_page *
vm_page_alloc_contiguous(uint64_t count, uint64_t below, unsigned int flags)
{
    uint64_t limit = below == 0 ? UINT64_MAX : below >> PAGE_SHIFT;
    uint64_t reserve = buddy_reserve(flags);
    unsigned int order = 0;
    struct vm_page *page = NULL;

    while (order < VM_PAGE_ORDERS && (1ul << order) < count) {
        order++;
    }

    if (count == 0 || order == VM_PAGE_ORDERS) {
        return NULL;
    }

    spin_lock(&buddy_lock);

    if (buddy_count >= reserve + (1ul << order)) {
        page = buddy_remove(order, limit);
    }

    for (uint64_t i = count; page != NULL && i < (1ul << order); i++) {
        buddy_insert(page + i, 0);
    }

    spin_unlock(&buddy_lock);

    for (uint64_t i = 0; page != NULL && i < count; i++) {
        page_poison_check(page + i);
        page[i].state = VM_PAGE_KERNEL;

        if ((flags & VM_PAGE_ALLOC_ZERO) != 0) {
            page_zero(vm_page_address(page + i));
        }
    }

    return page;
}

void
vm_page_free_contiguous(struct vm_page *page, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        vm_page_free(page + i);
    }
}

/* -- Counts ---------------------------------------------------------------- */

uint64_t
vm_page_free_count(void)
{
    uint64_t count = buddy_count;

    for (unsigned int i = 0; i < CPU_MAX; i++) {
        count += stocks[i].count;
    }

    return count;
}

void
vm_page_statistics(struct vm_statistics *statistics)
{
    int64_t objects = 0;

    *statistics = (struct vm_statistics){ .pagesize = PAGE_SIZE };

    for (unsigned int i = 0; i < CPU_MAX; i++) {
        objects += vm_events[i].object_pages;
        statistics->faults += vm_events[i].faults;
        statistics->zero_fill_count += vm_events[i].zero_fills;
        statistics->cow_faults += vm_events[i].cow_faults;
    }

    /* Each fault looks for one page. */
    statistics->lookups = statistics->faults;
    statistics->hits = statistics->faults - statistics->zero_fill_count;
    statistics->free_count = vm_page_free_count();
    statistics->active_count = (uint64_t)objects;

    /* The rest of what was given to us is the kernel's own. */
    if (managed_count > statistics->free_count + statistics->active_count) {
        statistics->wire_count =
            managed_count - statistics->free_count - statistics->active_count;
    }
}
