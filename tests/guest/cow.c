/* SPDX-License-Identifier: MIT */
/*
 * Copies against writers (row 7 of the hazards): while one thread writes,
 * another takes copies in each of the ways there are and sees whether they
 * are of one moment, page by page, and stay what they were; and memory that
 * was made read-only stays what it was, whoever writes to it.
 */

#include "tap.h"

#define SELF mach_task_self()
#define PAGES 16u
#define SIZE (PAGES * PAGE_SIZE)
#define WORDS (PAGE_SIZE / sizeof(uint64_t))
#define ROUNDS 60
#define TURNS 4 /* times that the writer gets the processor per copy */

static volatile uint64_t *memory;
static volatile bool stop;
static volatile bool stopped;
static volatile unsigned long written;

/* The same number at both ends of each page, the start first. */
static void
write_pages(void *unused)
{
    (void)unused;

    while (!stop) {
        written++;

        for (unsigned int page = 0; page < PAGES; page++) {
            memory[page * WORDS] = written;
            memory[page * WORDS + WORDS - 1] = written;
        }
    }

    stopped = true;
}

/* The same by the kernel's hand. */
static void
write_trap(void *unused)
{
    uint64_t word = 0;

    (void)unused;

    while (!stop) {
        word++;
        written++;
        (void)syscall_vm_write(SELF, (vm_address_t)memory, (vm_address_t)&word,
                               sizeof(word));
    }

    stopped = true;
}

static mach_port_t
start(void (*function)(void *))
{
    stop = false;
    stopped = false;
    return guest_thread(function, NULL);
}

static void
finish(mach_port_t thread)
{
    stop = true;

    while (!stopped) {
        (void)swtch_pri(0);
    }

    guest_thread_join(thread);
}

static void
let_write(void)
{
    for (unsigned int i = 0; i < TURNS; i++) {
        (void)swtch_pri(0);
    }
}

/* Each page of the copy is of one moment; the sum tells whether it stays. */
static bool
look(const volatile uint64_t *copy, uint64_t *sump)
{
    uint64_t sum = 0;
    bool whole = true;

    for (unsigned int page = 0; page < PAGES; page++) {
        uint64_t first = copy[page * WORDS];
        uint64_t last = copy[page * WORDS + WORDS - 1];

        whole = whole && (first == last || first == last + 1);
        sum = sum * 31 + first * 7 + last;
    }

    *sump = sum;
    return whole;
}

/* One way to take a copy; its address, or 0. */
typedef vm_address_t take_fn_t(mach_port_t entry);

static vm_address_t
take_read(mach_port_t entry)
{
    vm_offset_t data;
    mach_msg_type_number_t count;

    (void)entry;
    return vm_read(SELF, (vm_address_t)memory, SIZE, &data, &count) ==
                   KERN_SUCCESS
               ? data
               : 0;
}

static vm_address_t
take_remap(mach_port_t entry)
{
    vm_address_t address = 0;
    vm_prot_t protection, maximum;

    (void)entry;
    return vm_remap(SELF, &address, SIZE, 0, VM_FLAGS_ANYWHERE, SELF,
                    (vm_address_t)memory, TRUE, &protection, &maximum,
                    VM_INHERIT_NONE) == KERN_SUCCESS
               ? address
               : 0;
}

static vm_address_t
take_map(mach_port_t entry)
{
    vm_address_t address = 0;

    return vm_map(SELF, &address, SIZE, 0, VM_FLAGS_ANYWHERE, entry, 0, TRUE,
                  VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_NONE) == KERN_SUCCESS
               ? address
               : 0;
}

static void
torture(take_fn_t *take, mach_port_t entry, const char *name)
{
    mach_port_t writer = start(write_pages);
    unsigned int torn = 0, changed = 0, failed = 0;
    unsigned long before = written;

    for (unsigned int i = 0; i < ROUNDS; i++) {
        vm_address_t copy = take(entry);
        uint64_t sum, again;

        if (copy == 0) {
            failed++;
            continue;
        }

        torn += !look((volatile uint64_t *)copy, &sum);
        let_write();
        (void)look((volatile uint64_t *)copy, &again);
        changed += sum != again;

        /* It is a copy the other way, too. */
        *(volatile uint64_t *)copy = 0;
        (void)vm_deallocate(SELF, copy, SIZE);
    }

    finish(writer);
    is(failed, 0, "%s: %u copies", name, ROUNDS);
    is(torn, 0, "%s: each page of one moment", name);
    is(changed, 0, "%s: no copy changed", name);
    ok(written > before, "%s: while somebody wrote", name);
}

/* The kernel writes for a task only where the task may. */
static void
read_only(void)
{
    mach_port_t writer = start(write_trap);
    unsigned int changed = 0;

    for (unsigned int i = 0; i < ROUNDS; i++) {
        uint64_t first;

        (void)vm_protect(SELF, (vm_address_t)memory, SIZE, FALSE, VM_PROT_READ);
        first = memory[0];
        let_write();
        changed += memory[0] != first;
        (void)vm_protect(SELF, (vm_address_t)memory, SIZE, FALSE,
                         VM_PROT_DEFAULT);
        let_write();
    }

    finish(writer);
    is(changed, 0, "read-only memory did not change");
}

void
guest_main(void)
{
    struct guest_counts before;
    vm_address_t address = 0;
    vm_size_t size = SIZE;
    mach_port_t entry;

    guest_counts_get(&before);
    is(vm_allocate(SELF, &address, SIZE, VM_FLAGS_ANYWHERE), KERN_SUCCESS,
       "allocate");
    memory = (volatile uint64_t *)address;
    torture(take_read, MACH_PORT_NULL, "vm_read of private memory");
    torture(take_remap, MACH_PORT_NULL, "vm_remap of private memory");
    is(mach_make_memory_entry(SELF, &size, address, VM_PROT_DEFAULT, &entry,
                              MACH_PORT_NULL),
       KERN_SUCCESS, "make it shared");
    is(size, SIZE, "all of it");
    torture(take_read, entry, "vm_read of shared memory");
    torture(take_remap, entry, "vm_remap of shared memory");
    torture(take_map, entry, "vm_map with copy");
    read_only();
    is(mach_port_deallocate(SELF, entry), KERN_SUCCESS, "forget it");
    is(vm_deallocate(SELF, address, SIZE), KERN_SUCCESS, "and the memory");
    ok(guest_counts_settle(&before, 100), "nothing is left of it");
}
