/* SPDX-License-Identifier: MIT */
/* See vm_env.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kern/slab.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/pmap.h>
#include <vm/vm_fault.h>
#include <vm/vm_init.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>

#include "vm_env.h"

#define PRESENT 1ul
#define WRITE 2ul
#define USER 4ul
#define NO_EXECUTE (1ul << 63)
#define FRAME 0x000ffffffffff000ul

#define TLB_SIZE 512u
#define RAM_START 0x100000ul

char *shim_ram;
unsigned long env_faults;

/* The kernel image, which pmap_bootstrap() would map. */
char __text_start[1], __text_end[1], __rodata_start[1], __rodata_end[1];
char __kernel_end[1];

static struct {
    uint64_t page; /* address + 1; 0: nothing */
    uint64_t entry;
} tlb[TLB_SIZE];

static uint64_t cr3;

void
cpu_invalidate_page(uint64_t address)
{
    unsigned int slot = (address >> PAGE_SHIFT) % TLB_SIZE;

    if (tlb[slot].page == (address & ~PAGE_MASK) + 1) {
        tlb[slot].page = 0;
    }
}

void
cpu_write_cr3(uint64_t value)
{
    memset(tlb, 0, sizeof(tlb));
    cr3 = value;
}

void
env_setup(unsigned int megabytes)
{
    static struct boot_range range = { .type = BOOT_RANGE_USABLE };
    static struct task task = { .vm_privilege = true };
    static struct thread thread = { .task = &task };
    size_t size = RAM_START + ((size_t)megabytes << 20);

    shim_ram = aligned_alloc(PAGE_SIZE, size);
    memset(shim_ram, 0xa5, size);
    shim_cpu.thread = &thread;
    range.start = RAM_START;
    range.end = size;
    vm_page_bootstrap(&range, 1);
    kernel_pmap.root = vm_page_bootstrap_alloc(PAGE_SIZE);
    memset(phys_to_direct(kernel_pmap.root), 0, PAGE_SIZE);
    spin_init(&kernel_pmap.lock, LOCK_RANK_PMAP);
    refcount_init(&kernel_pmap.refs, 1);
    vm_page_setup();
    pmap_setup();
    vm_setup();
    shim_cpu.pmap = &kernel_pmap;
    cpu_bit_set(&kernel_pmap.cpus, shim_cpu.number);
    cpu_write_cr3(kernel_pmap.root);
}

struct vm_map *
env_map_create(void)
{
    struct pmap *pmap = pmap_create();
    struct vm_map *map = pmap == NULL ? NULL : vm_map_create(pmap);

    if (map == NULL && pmap != NULL) {
        pmap_unref(pmap);
    }

    return map;
}

/* The entry that maps the page, or 0, from the tables. */
static uint64_t
walk(uint64_t address)
{
    uint64_t *table = phys_to_direct(cr3);
    uint64_t entry = 0;

    for (unsigned int shift = 39; shift >= 12; shift -= 9) {
        entry = table[(address >> shift) % 512];

        if ((entry & PRESENT) == 0) {
            return 0;
        }

        table = phys_to_direct(entry & FRAME);
    }

    return entry;
}

/* Where the access goes, or NULL: a page fault. */
static char *
translate(uint64_t address, vm_prot_t access)
{
    uint64_t page = address & ~PAGE_MASK;
    unsigned int slot = (address >> PAGE_SHIFT) % TLB_SIZE;
    uint64_t entry;

    if (tlb[slot].page != page + 1) {
        entry = walk(address);

        if (entry == 0) {
            return NULL;
        }

        tlb[slot].page = page + 1;
        tlb[slot].entry = entry;
    }

    entry = tlb[slot].entry;

    if ((entry & USER) == 0 ||
        ((access & VM_PROT_WRITE) != 0 && (entry & WRITE) == 0) ||
        ((access & VM_PROT_EXECUTE) != 0 && (entry & NO_EXECUTE) != 0)) {
        tlb[slot].page = 0; /* a fault drops the entry */
        return NULL;
    }

    return (char *)phys_to_direct(entry & FRAME) + (address & PAGE_MASK);
}

static kern_return_t
access_memory(struct vm_map *map, vm_offset_t address, vm_prot_t access,
              char **memoryp)
{
    kern_return_t kr;

    pmap_activate(map->pmap);

    for (unsigned int i = 0; i < 4; i++) {
        *memoryp = translate(address, access);

        if (*memoryp != NULL) {
            return KERN_SUCCESS;
        }

        env_faults++;
        kr = vm_fault(map, address, access, NULL);

        if (spin_count() != 0) {
            printf("Bail out! vm_fault left a lock\n");
            abort();
        }

        if (kr != KERN_SUCCESS) {
            return kr;
        }
    }

    printf("Bail out! fault at %lx does not end\n", address);
    abort();
}

kern_return_t
env_read(struct vm_map *map, vm_offset_t address, uint64_t *valuep)
{
    char *memory;
    kern_return_t kr = access_memory(map, address, VM_PROT_READ, &memory);

    if (kr == KERN_SUCCESS) {
        memcpy(valuep, memory, sizeof(*valuep));
    }

    return kr;
}

kern_return_t
env_write(struct vm_map *map, vm_offset_t address, uint64_t value)
{
    char *memory;
    kern_return_t kr = access_memory(map, address, VM_PROT_WRITE, &memory);

    if (kr == KERN_SUCCESS) {
        memcpy(memory, &value, sizeof(value));
    }

    return kr;
}

kern_return_t
env_execute(struct vm_map *map, vm_offset_t address)
{
    char *memory;

    return access_memory(map, address, VM_PROT_EXECUTE, &memory);
}
