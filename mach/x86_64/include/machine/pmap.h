/* SPDX-License-Identifier: MIT */
/*
 * Physical maps: the page tables of an address space, and for each page of
 * user memory the list of its mappings. A pmap is a cache of what map and
 * objects say: it may lose a mapping, the next fault makes it again.
 *
 * All pmaps share the kernel's half: its top-level entries are made at boot
 * and never change. User mappings are only below VM_MAX_ADDRESS; nothing is
 * both writable and executable for the kernel.
 */

#ifndef MACHINE_PMAP_H
#define MACHINE_PMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/vm_prot.h>
#include <mach/vm_types.h>

#include <kern/macros.h>
#include <kern/refcount.h>
#include <kern/spinlock.h>
#include <machine/cpu.h>

struct vm_page;

/*
 * References: the vm_map; a processor that has it loaded counts in `cpus`.
 *
 * Lock keys: (c) set at creation, (l) lock, (a) atomic.
 */
struct pmap {
    struct spinlock lock; /* LOCK_RANK_PMAP */
    struct refcount refs;
    uint64_t root;         /* (c) physical address of the top table: CR3 */
    _Atomic uint32_t cpus; /* (a) processors that may walk the tables */
    uint64_t resident;     /* (l) user mappings */
    uint64_t used[4];      /* (l) bitmap of top-level entries in use */
    uint64_t table_base;   /* (l) 2 MB region whose table is cached ... */
    uint64_t *table;       /* (l) ... here, or NULL */
    uint64_t idle;         /* (l) region whose table was left empty, or 1 */
};

/* The kernel's tables with an empty user half. */
extern struct pmap kernel_pmap;

/*
 * Boot: after vm_page_bootstrap(), on tables that map the first 4 GB
 * directly. Builds and loads the final tables: the image by section, the
 * direct map of all RAM, and of the first 4 GB what is not RAM uncached. The
 * low mapping of the first 4 GB is gone then.
 */
void pmap_bootstrap(void);

/* Once other memory works: caches. */
void pmap_setup(void);

/* NX, write protection in the kernel, global pages: on each processor. */
void pmap_cpu_setup(void);

/* NULL when memory is short. The last unref destroys. */
MUST_CHECK struct pmap *pmap_create(void);
void pmap_ref(struct pmap *pmap);
void pmap_unref(struct pmap *pmap);

/* Load it on this processor (nothing to do if it is). */
void pmap_activate(struct pmap *pmap);

/* The same for a caller that knows the processor: interrupts are off. */
static inline void
pmap_activate_on(struct cpu *cpu, struct pmap *pmap)
{
    struct pmap *old = cpu->pmap;

    if (old == pmap) {
        return;
    }

    /* Before the load: who changes the tables from now on must tell us. */
    cpu_bit_set(&pmap->cpus, cpu->number);
    cpu->pmap = pmap;
    cpu_write_cr3(pmap->root);
    cpu_bit_clear(&old->cpus, cpu->number);
}

#define PMAP_WRITE_NOW 1u /* a write follows: set the dirty bit now */

/*
 * Map a page of an object at a user address, in place of what was there.
 *
 * Locks:   the page's object is locked; takes pmap->lock and the pv lock.
 * Returns: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE.
 */
MUST_CHECK kern_return_t pmap_enter(struct pmap *pmap, vm_offset_t address,
                                    struct vm_page *page, vm_prot_t protection,
                                    unsigned int flags);

/* The same for device memory: uncached, no list of mappings. */
MUST_CHECK kern_return_t pmap_enter_device(struct pmap *pmap,
                                           vm_offset_t address,
                                           uint64_t physical,
                                           vm_prot_t protection);

/* Forget the mappings of a range of user addresses, page aligned. */
void pmap_remove(struct pmap *pmap, vm_offset_t start, vm_offset_t end);

/* Take rights away from the mappings of a range; never gives any. */
void pmap_protect(struct pmap *pmap, vm_offset_t start, vm_offset_t end,
                  vm_prot_t protection);

/* Where a user address is mapped now. False: nowhere. */
MUST_CHECK bool
pmap_extract(struct pmap *pmap, vm_offset_t address, uint64_t *physicalp);

/*
 * Take rights away from all mappings of a page; without VM_PROT_READ they
 * are removed.
 *
 * Locks: the page's object is locked (so that no mapping is added).
 */
void pmap_page_protect(struct vm_page *page, vm_prot_t protection);

/* Whether the page was written or used through any mapping since the last
 * clear. Locks as above. */
bool pmap_page_modified(struct vm_page *page);
bool pmap_page_referenced(struct vm_page *page);
void pmap_page_clear(struct vm_page *page, bool modified, bool referenced);

/*
 * Kernel stacks: map one frame in STACK_AREA, readable and writable; undo.
 * Unmapping leaves the frame to the caller.
 */
MUST_CHECK kern_return_t pmap_kernel_map(vm_offset_t address,
                                         uint64_t physical);
void pmap_kernel_unmap(vm_offset_t address);

#endif /* MACHINE_PMAP_H */
