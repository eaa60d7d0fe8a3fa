/* SPDX-License-Identifier: MIT */
/*
 * Page tables of four levels (Intel SDM volume 3, 4.5). The struct vm_page
 * of a table page counts the entries in use (`index`), so that an empty table
 * is noticed. One empty table per pmap stays linked, because a program that
 * frees memory often asks for some again.
 *
 * Lists of mappings: each page of user memory knows its mappings, guarded by
 * one of a few pv locks. The way from page to page table is against the lock
 * order (pmap, then pv), hence by trylock.
 */

#include <debug/assert.h>
#include <kern/slab.h>
#include <machine/cpu.h>
#include <machine/layout.h>
#include <machine/pmap.h>
#include <vm/vm_page.h>

#define PTE_PRESENT 0x001ul
#define PTE_WRITE 0x002ul
#define PTE_USER 0x004ul
#define PTE_UNCACHED 0x018ul /* PCD and PWT */
#define PTE_ACCESSED 0x020ul
#define PTE_DIRTY 0x040ul
#define PTE_LARGE 0x080ul
#define PTE_GLOBAL 0x100ul
#define PTE_MANAGED 0x200ul /* ours: the page lists this mapping */
#define PTE_NX (1ul << 63)
#define PTE_ADDRESS 0x000ffffffffff000ul

/* Of a table in a table: rights are decided at the last level. */
#define PTE_TABLE_KERNEL (PTE_PRESENT | PTE_WRITE)
#define PTE_TABLE_USER (PTE_PRESENT | PTE_WRITE | PTE_USER)

#define TABLE_ENTRIES 512u
#define TABLE_SPAN 0x200000ul /* bytes mapped by a table of the last level */
#define ROOT_SHIFT 39u

#define FLUSH_MAX 32u /* more pages than this: reload CR3 instead */

#define CR0_WRITE_PROTECT (1ul << 16)
#define CR4_GLOBAL (1ul << 7)
#define MSR_EFER 0xc0000080u
#define EFER_NXE (1ul << 11)

#define PV_LOCKS 64u

#define ROOTS_MAX 8u
#define BLANKS_MAX 32u

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[];
extern char __data_start[], __kernel_end[];

struct pmap kernel_pmap;

static struct spinlock pv_locks[PV_LOCKS];
static struct slab_cache pv_cache;
static struct slab_cache pmap_cache;

/* Used tables that are empty again: top tables with the kernel's half filled,
 * and others. */
static struct spinlock stock_lock;
static unsigned int roots_count;           /* (stock_lock) */
static struct vm_page *roots[ROOTS_MAX];   /* (stock_lock) */
static unsigned int blanks_count;          /* (stock_lock) */
static struct vm_page *blanks[BLANKS_MAX]; /* (stock_lock) */

static inline uint64_t *
table_address(uint64_t entry)
{
    return phys_to_direct(entry & PTE_ADDRESS);
}

static inline unsigned int
table_index(vm_offset_t address, unsigned int shift)
{
    return (address >> shift) % TABLE_ENTRIES;
}

/* The first entry in use from slot on, which is below `end`, or `end`. Tables
 * are mostly empty. */
static inline unsigned int
table_next(const uint64_t *table, unsigned int slot, unsigned int end)
{
    const uint64_t *at = table + slot;
    uint64_t count = end - slot;
    bool found = false;

    __asm__ volatile("repe scasq"
                     : "+D"(at), "+c"(count), "=@ccne"(found)
                     : "a"(0UL)
                     : "memory");

    return found ? (unsigned int)(at - table) - 1 : end;
}

static inline struct spinlock *
pv_lock(const struct vm_page *page)
{
    return &pv_locks[vm_page_frame(page) % PV_LOCKS];
}

/* -- Boot ------------------------------------------------------------------ */

static uint64_t
boot_table(void)
{
    uint64_t table = vm_page_bootstrap_alloc(PAGE_SIZE);

    page_zero(phys_to_direct(table));
    return table;
}

/* Map one page of 2^shift bytes in the kernel's half. */
static void
boot_map(vm_offset_t address, uint64_t physical, unsigned int shift,
         uint64_t flags)
{
    uint64_t *table = phys_to_direct(kernel_pmap.root);

    for (unsigned int at = ROOT_SHIFT; at > shift; at -= 9) {
        uint64_t *entry = &table[table_index(address, at)];

        if (*entry == 0) {
            *entry = boot_table() | PTE_TABLE_KERNEL;
        }

        table = table_address(*entry);
    }

    table[table_index(address, shift)] = physical | flags | PTE_PRESENT |
                                         PTE_GLOBAL |
                                         (shift > PAGE_SHIFT ? PTE_LARGE : 0);
}

static void
boot_map_image(const char *start, const char *end, uint64_t flags)
{
    for (const char *at = start; at < end; at += PAGE_SIZE) {
        boot_map((uintptr_t)at, image_to_phys(at), PAGE_SHIFT, flags);
    }
}

/* 2 MB of the direct map; text and constants may not be written here. */
static void
boot_map_direct(uint64_t physical)
{
    uint64_t constant = image_to_phys(__text_start);
    uint64_t constant_end = image_to_phys(__rodata_end);
    uint64_t flags = PTE_WRITE | PTE_NX;

    if (!vm_page_is_ram(physical, physical + TABLE_SPAN)) {
        flags |= PTE_UNCACHED;
    }

    if (physical >= constant_end || physical + TABLE_SPAN <= constant) {
        boot_map(DIRECT_MAP_BASE + physical, physical, 21, flags);
        return;
    }

    for (uint64_t at = physical; at < physical + TABLE_SPAN; at += PAGE_SIZE) {
        boot_map(DIRECT_MAP_BASE + at, at, PAGE_SHIFT,
                 at >= constant && at < constant_end ? PTE_NX : flags);
    }
}

void
pmap_cpu_setup(void)
{
    uint64_t value;

    cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_NXE);
    __asm__ volatile("movq %%cr0, %0" : "=r"(value));
    __asm__ volatile("movq %0, %%cr0" ::"r"(value | CR0_WRITE_PROTECT));
    __asm__ volatile("movq %%cr4, %0" : "=r"(value));
    __asm__ volatile("movq %0, %%cr4" ::"r"(value | CR4_GLOBAL) : "memory");
}

void
pmap_bootstrap(void)
{
    const uint64_t low = 0x100000000;
    uint64_t end = MAX(vm_page_ram_end(), low);
    uint64_t *root;

    kernel_pmap.root = boot_table();
    root = phys_to_direct(kernel_pmap.root);

    for (uint64_t at = 0; at < end; at += TABLE_SPAN) {
        if (at < low || vm_page_is_ram(at, at + TABLE_SPAN)) {
            boot_map_direct(at);
        }
    }

    boot_map_image(__text_start, __text_end, 0);
    boot_map_image(__rodata_start, __rodata_end, PTE_NX);
    boot_map_image(__data_start, __kernel_end, PTE_WRITE | PTE_NX);
    root[table_index(STACK_AREA_BASE, ROOT_SHIFT)] =
        boot_table() | PTE_TABLE_KERNEL;

    spin_init(&kernel_pmap.lock, LOCK_RANK_PMAP);
    refcount_init(&kernel_pmap.refs, 1);
    kernel_pmap.idle = 1;

    pmap_cpu_setup();
    cpu_write_cr3(kernel_pmap.root);
    cpu_self()->pmap = &kernel_pmap;
    cpu_bit_set(&kernel_pmap.cpus, cpu_self()->number);
}

void
pmap_setup(void)
{
    for (unsigned int i = 0; i < PV_LOCKS; i++) {
        spin_init(&pv_locks[i], LOCK_RANK_VM_PV);
    }

    spin_init(&stock_lock, LOCK_RANK_SLAB);
    slab_cache_init(&pmap_cache, "pmap", sizeof(struct pmap), 64);
    slab_cache_init(&pv_cache, "pv_entry", sizeof(struct pv_entry), 16);
}

/* -- Stock of tables ------------------------------------------------------- */

/* A zeroed table, or NULL. */
static struct vm_page *
table_alloc(void)
{
    struct vm_page *page = NULL;

    spin_lock(&stock_lock);

    if (blanks_count != 0) {
        blanks_count--;
        page = blanks[blanks_count];
    }

    spin_unlock(&stock_lock);

    if (page == NULL) {
        page = vm_page_alloc(VM_PAGE_ALLOC_ZERO);
    }

    if (page != NULL) {
        page->index = 0;
    }

    return page;
}

/* An empty table that no processor can walk any more. */
static void
table_free(struct vm_page *page)
{
    debug_assert(table_next(vm_page_address(page), 0, TABLE_ENTRIES) ==
                 TABLE_ENTRIES);
    spin_lock(&stock_lock);

    if (blanks_count < BLANKS_MAX) {
        blanks[blanks_count] = page;
        blanks_count++;
        page = NULL;
    }

    spin_unlock(&stock_lock);

    if (page != NULL) {
        vm_page_free(page);
    }
}

/* -- Translation look-aside buffers ---------------------------------------- */

/*
 * What a change of the tables makes stale: up to FLUSH_MAX pages one by one,
 * else everything. Table pages taken out wait here until nobody can walk
 * them any more.
 */
struct flush {
    unsigned int count; /* FLUSH_MAX + 1: too many */
    vm_offset_t pages[FLUSH_MAX];
    struct list tables; /* vm_page.link */
};

static inline void
flush_init(struct flush *flush)
{
    flush->count = 0;
    list_init(&flush->tables);
}

static inline void
flush_add(struct flush *flush, vm_offset_t address)
{
    if (flush->count < FLUSH_MAX) {
        flush->pages[flush->count] = address;
        flush->count++;
    } else {
        flush->count = FLUSH_MAX + 1;
    }
}

/*
 * The processors whose buffers may know the pmap. Only this one, as long as
 * no other is started: the interrupt that asks the others belongs here.
 */
static inline bool
flush_needed(struct pmap *pmap)
{
    uint32_t users = atomic_load_explicit(&pmap->cpus, memory_order_relaxed);
    uint32_t self = 1u << cpu_self()->number;

    assert((users & ~self) == 0);
    return (users & self) != 0;
}

/* Locks: pmap. */
static void
flush_finish(struct pmap *pmap, struct flush *flush)
{
    if (flush->count != 0 && flush_needed(pmap)) {
        if (flush->count > FLUSH_MAX) {
            cpu_write_cr3(pmap->root);
        } else {
            for (unsigned int i = 0; i < flush->count; i++) {
                cpu_invalidate_page(flush->pages[i]);
            }
        }
    }

    list_for_each_safe(&flush->tables, link, next)
    {
        list_remove(link);
        table_free(list_entry(link, struct vm_page, link));
    }
}

/* -- Lists of mappings ----------------------------------------------------- */

/* One more mapping. False: no memory. Locks: pmap, and the page's object. */
static NOINLINE bool
pv_insert_more(struct vm_page *page, struct pmap *pmap, vm_offset_t address)
{
    struct spinlock *lock = pv_lock(page);
    struct pv_entry *pv = slab_alloc_raw(&pv_cache);

    if (pv == NULL) {
        return false;
    }

    spin_lock(lock);

    if (page->pv.pmap == NULL) {
        slab_free(&pv_cache, pv);
        pv = &page->pv; /* the others have gone meanwhile */
        pv->next = NULL;
    } else {
        pv->next = page->pv.next;
        page->pv.next = pv;
    }

    pv->pmap = pmap;
    pv->address = address;
    spin_unlock(lock);
    return true;
}

/*
 * The same, quick for the first mapping: who adds one holds the object's
 * lock, and of no mapping there is nothing that others could remove.
 */
static inline bool
pv_insert(struct vm_page *page, struct pmap *pmap, vm_offset_t address)
{
    if (unlikely(page->pv.pmap != NULL)) {
        return pv_insert_more(page, pmap, address);
    }

    page->pv.next = NULL;
    page->pv.address = address;
    page->pv.pmap = pmap;
    return true;
}

/* Take out the first entry. Locks: pv. */
static void
pv_remove_first(struct vm_page *page)
{
    struct pv_entry *next = page->pv.next;

    if (next == NULL) {
        page->pv.pmap = NULL;
        return;
    }

    page->pv = *next;
    slab_free(&pv_cache, next);
}

/* Forget a mapping, and keep what it knew of use and change. */
static void
pv_remove(struct vm_page *page, struct pmap *pmap, vm_offset_t address,
          uint64_t entry)
{
    struct spinlock *lock = pv_lock(page);

    spin_lock(lock);
    page->flags |= ((entry & PTE_DIRTY) != 0 ? VM_PAGE_MODIFIED : 0) |
                   ((entry & PTE_ACCESSED) != 0 ? VM_PAGE_REFERENCED : 0);

    if (likely(page->pv.pmap == pmap && page->pv.address == address)) {
        pv_remove_first(page);
    } else {
        struct pv_entry **linkp = &page->pv.next;
        struct pv_entry *pv;

        while ((*linkp)->pmap != pmap || (*linkp)->address != address) {
            linkp = &(*linkp)->next;
            assert(*linkp != NULL);
        }

        pv = *linkp;
        *linkp = pv->next;
        slab_free(&pv_cache, pv);
    }

    spin_unlock(lock);
}

/* -- Tables ---------------------------------------------------------------- */

/*
 * The table of the last level for an address, or NULL; then *spanp is how
 * much around the address has no table. Locks: pmap.
 */
static uint64_t *
pmap_table(struct pmap *pmap, vm_offset_t address, uint64_t *spanp)
{
    uint64_t *table;

    *spanp = TABLE_SPAN;

    if (likely((address & ~(TABLE_SPAN - 1)) == pmap->table_base &&
               pmap->table != NULL)) {
        return pmap->table;
    }

    table = phys_to_direct(pmap->root);

    for (unsigned int shift = ROOT_SHIFT; shift > PAGE_SHIFT; shift -= 9) {
        uint64_t entry = table[table_index(address, shift)];

        if (entry == 0) {
            *spanp = 1ul << shift;
            return NULL;
        }

        table = table_address(entry);
    }

    pmap->table_base = address & ~(TABLE_SPAN - 1);
    pmap->table = table;
    return table;
}

/* The same, with all tables made that are missing; NULL: no memory. */
static NOINLINE uint64_t *
pmap_table_create(struct pmap *pmap, vm_offset_t address)
{
    uint64_t *table = phys_to_direct(pmap->root);
    unsigned int slot = table_index(address, ROOT_SHIFT);

    for (unsigned int shift = ROOT_SHIFT; shift > PAGE_SHIFT; shift -= 9) {
        uint64_t *entry = &table[table_index(address, shift)];

        if (*entry == 0) {
            struct vm_page *page = table_alloc();

            if (page == NULL) {
                return NULL; /* tables made so far serve the next attempt */
            }

            *entry = vm_page_phys(page) | PTE_TABLE_USER;

            if (shift == ROOT_SHIFT) {
                pmap->used[slot / 64] |= 1ul << (slot % 64);
            } else {
                vm_page_from_address(table)->index++;
            }
        }

        table = table_address(*entry);
    }

    pmap->table_base = address & ~(TABLE_SPAN - 1);
    pmap->table = table;
    return table;
}

/* Take out the empty table of an address, and those above it that get empty
 * with it. */
static void
pmap_table_remove(struct pmap *pmap, vm_offset_t address, struct flush *flush)
{
    uint64_t *tables[4];
    uint64_t *table = phys_to_direct(pmap->root);
    unsigned int level = 0;

    for (unsigned int shift = ROOT_SHIFT; shift > PAGE_SHIFT; shift -= 9) {
        tables[level] = table;
        level++;
        table = table_address(table[table_index(address, shift)]);
    }

    tables[level] = table;
    pmap->table = NULL;
    flush_add(flush, address);

    for (unsigned int shift = PAGE_SHIFT + 9; level > 0; shift += 9) {
        struct vm_page *page = vm_page_from_address(tables[level]);

        if (page->index != 0) {
            return;
        }

        list_insert_tail(&flush->tables, &page->link);
        level--;
        tables[level][table_index(address, shift)] = 0;

        if (level == 0) {
            unsigned int slot = table_index(address, ROOT_SHIFT);

            pmap->used[slot / 64] &= ~(1ul << (slot % 64));
        } else {
            vm_page_from_address(tables[level])->index--;
        }
    }
}

/* The table of this region has just become empty. */
static NOINLINE void
pmap_table_idle(struct pmap *pmap, vm_offset_t region, struct flush *flush)
{
    uint64_t span;
    uint64_t *table;
    vm_offset_t idle = pmap->idle;

    if (idle == region) {
        return;
    }

    pmap->idle = region;

    if (idle != 1) {
        table = pmap_table(pmap, idle, &span);

        if (table != NULL && vm_page_from_address(table)->index == 0) {
            pmap_table_remove(pmap, idle, flush);
        }
    }
}

/* -- Address spaces -------------------------------------------------------- */

/* A top table with the kernel's half in it, or NULL. */
static struct vm_page *
pmap_root_alloc(void)
{
    struct vm_page *page = NULL;
    const uint64_t *kernel = phys_to_direct(kernel_pmap.root);
    uint64_t *root;

    spin_lock(&stock_lock);

    if (roots_count != 0) {
        roots_count--;
        page = roots[roots_count];
    }

    spin_unlock(&stock_lock);

    if (page != NULL) {
        return page;
    }

    page = vm_page_alloc(VM_PAGE_ALLOC_ZERO);

    if (page != NULL) {
        root = vm_page_address(page);

        for (unsigned int i = TABLE_ENTRIES / 2; i < TABLE_ENTRIES; i++) {
            root[i] = kernel[i];
        }
    }

    return page;
}

static void
pmap_root_free(struct vm_page *page)
{
    spin_lock(&stock_lock);

    if (roots_count < ROOTS_MAX) {
        roots[roots_count] = page;
        roots_count++;
        page = NULL;
    }

    spin_unlock(&stock_lock);

    if (page != NULL) {
        vm_page_free(page);
    }
}

struct pmap *
pmap_create(void)
{
    struct pmap *pmap = slab_alloc(&pmap_cache);
    struct vm_page *root;

    if (pmap == NULL) {
        return NULL;
    }

    root = pmap_root_alloc();

    if (root == NULL) {
        slab_free(&pmap_cache, pmap);
        return NULL;
    }

    spin_init(&pmap->lock, LOCK_RANK_PMAP);
    refcount_init(&pmap->refs, 1);
    pmap->root = vm_page_phys(root);
    pmap->idle = 1;
    return pmap;
}

void
pmap_ref(struct pmap *pmap)
{
    refcount_ref(&pmap->refs);
}

/* Free a table, which has only empty tables in it. */
static void
pmap_table_destroy(uint64_t *table, unsigned int shift)
{
    struct vm_page *page = vm_page_from_address(table);

    for (unsigned int i = 0; page->index != 0; i++) {
        assert(shift > PAGE_SHIFT);
        i = table_next(table, i, TABLE_ENTRIES);
        assert(i < TABLE_ENTRIES);
        pmap_table_destroy(table_address(table[i]), shift - 9);
        table[i] = 0;
        page->index--;
    }

    table_free(page);
}

static void
pmap_destroy(struct pmap *pmap)
{
    uint64_t *root = phys_to_direct(pmap->root);
    struct flush flush;

    if (cpu_self()->pmap == pmap) {
        pmap_activate(&kernel_pmap);
    }

    assert(pmap->cpus == 0 && pmap->resident == 0);

    /* Most often the idle table and those above it are all there is. */
    flush_init(&flush);
    spin_lock(&pmap->lock);
    pmap_table_idle(pmap, 1, &flush);
    flush_finish(pmap, &flush);
    spin_unlock(&pmap->lock);

    for (unsigned int i = 0; i < ARRAY_SIZE(pmap->used); i++) {
        while (pmap->used[i] != 0) {
            unsigned int bit = (unsigned int)__builtin_ctzl(pmap->used[i]);
            uint64_t *entry = &root[i * 64 + bit];

            pmap_table_destroy(table_address(*entry), ROOT_SHIFT - 9);
            *entry = 0;
            pmap->used[i] &= ~(1ul << bit);
        }
    }

    pmap_root_free(vm_page_from_address(root));
    slab_free(&pmap_cache, pmap);
}

void
pmap_unref(struct pmap *pmap)
{
    if (refcount_unref(&pmap->refs)) {
        pmap_destroy(pmap);
    }
}

void
pmap_activate(struct pmap *pmap)
{
    pmap_activate_on(cpu_self(), pmap);
}

/* -- User mappings --------------------------------------------------------- */

static inline uint64_t
pte_rights(vm_prot_t protection)
{
    return PTE_PRESENT | PTE_USER |
           ((protection & VM_PROT_WRITE) != 0 ? PTE_WRITE : 0) |
           ((protection & VM_PROT_EXECUTE) != 0 ? 0 : PTE_NX);
}

/* Undo what an entry, already out of its table, stood for. */
static inline void
pmap_forget(struct pmap *pmap, vm_offset_t address, uint64_t entry)
{
    if (likely((entry & PTE_MANAGED) != 0)) {
        pv_remove(vm_page_lookup(entry & PTE_ADDRESS), pmap, address, entry);
    }
}

/*
 * Put an entry in, in place of what is there. The list of mappings knows the
 * new one already, unless it is the same frame again.
 */
static NOINLINE void
pmap_replace(struct pmap *pmap, vm_offset_t address, uint64_t *pte,
             uint64_t entry)
{
    uint64_t old = *pte;

    if (((old ^ entry) & PTE_ADDRESS) == 0) {
        entry |= old & (PTE_ACCESSED | PTE_DIRTY);
    }

    *pte = entry;

    if (((old ^ entry) & PTE_ADDRESS) != 0) {
        pmap_forget(pmap, address, old);
    }

    /* More rights on the same frame: a stale entry faults once, at most. */
    if (((old ^ entry) & PTE_ADDRESS) != 0 || (old & ~entry & PTE_WRITE) != 0 ||
        (entry & ~old & PTE_NX) != 0) {
        if (flush_needed(pmap)) {
            cpu_invalidate_page(address);
        }
    }
}

kern_return_t
pmap_enter(struct pmap *pmap, vm_offset_t address, struct vm_page *page,
           vm_prot_t protection, unsigned int flags)
{
    uint64_t physical = vm_page_phys(page);
    uint64_t entry = physical | pte_rights(protection) | PTE_MANAGED |
                     PTE_ACCESSED |
                     ((flags & PMAP_WRITE_NOW) != 0 ? PTE_DIRTY : 0);
    uint64_t span;
    uint64_t *table, *pte;

    assert(address < VM_MAX_ADDRESS && page->state == VM_PAGE_OBJECT);
    spin_lock(&pmap->lock);
    table = pmap_table(pmap, address, &span);

    if (unlikely(table == NULL)) {
        table = pmap_table_create(pmap, address);

        if (table == NULL) {
            goto shortage;
        }
    }

    pte = &table[table_index(address, PAGE_SHIFT)];

    if (unlikely(*pte != 0 && (*pte & PTE_ADDRESS) == physical)) {
        pmap_replace(pmap, address, pte, entry);
    } else if (unlikely(!pv_insert(page, pmap, address))) {
        goto shortage;
    } else if (*pte != 0) {
        pmap_replace(pmap, address, pte, entry);
    } else {
        *pte = entry;
        vm_page_from_address(table)->index++;
        pmap->resident++;
    }

    spin_unlock(&pmap->lock);
    return KERN_SUCCESS;

shortage:
    spin_unlock(&pmap->lock);
    return KERN_RESOURCE_SHORTAGE;
}

kern_return_t
pmap_enter_device(struct pmap *pmap, vm_offset_t address, uint64_t physical,
                  vm_prot_t protection)
{
    uint64_t entry = physical | pte_rights(protection) | PTE_UNCACHED |
                     PTE_ACCESSED | PTE_DIRTY;
    uint64_t span;
    uint64_t *table, *pte;

    assert(address < VM_MAX_ADDRESS);
    spin_lock(&pmap->lock);
    table = pmap_table(pmap, address, &span);

    if (table == NULL) {
        table = pmap_table_create(pmap, address);

        if (table == NULL) {
            spin_unlock(&pmap->lock);
            return KERN_RESOURCE_SHORTAGE;
        }
    }

    pte = &table[table_index(address, PAGE_SHIFT)];

    if (*pte != 0) {
        pmap_replace(pmap, address, pte, entry);
    } else {
        *pte = entry;
        vm_page_from_address(table)->index++;
        pmap->resident++;
    }

    spin_unlock(&pmap->lock);
    return KERN_SUCCESS;
}

/* One table's part of pmap_remove(). */
static void
pmap_remove_table(struct pmap *pmap, uint64_t *table, vm_offset_t start,
                  vm_offset_t end, struct flush *flush)
{
    vm_offset_t region = start & ~(TABLE_SPAN - 1);
    unsigned int slot = table_index(start, PAGE_SHIFT);
    unsigned int last = slot + (unsigned int)((end - start) >> PAGE_SHIFT);
    uint64_t before = vm_page_from_address(table)->index;
    uint64_t left = before;

    while (left != 0 && slot < last) {
        uint64_t entry = table[slot];
        vm_offset_t at = region + slot * PAGE_SIZE;

        if (entry == 0) {
            slot = table_next(table, slot, last);
            continue;
        }

        table[slot] = 0;
        pmap_forget(pmap, at, entry);
        flush_add(flush, at);
        slot++;
        left--;
    }

    pmap->resident -= before - left;
    vm_page_from_address(table)->index = left;

    if (left == 0 && before != 0) {
        pmap_table_idle(pmap, region, flush);
    }
}

void
pmap_remove(struct pmap *pmap, vm_offset_t start, vm_offset_t end)
{
    struct flush flush;

    assert(start <= end && end <= VM_MAX_ADDRESS);
    flush_init(&flush);
    spin_lock(&pmap->lock);

    while (start < end) {
        uint64_t span;
        uint64_t *table = pmap_table(pmap, start, &span);
        vm_offset_t next = (start & ~(span - 1)) + span;

        if (table != NULL) {
            pmap_remove_table(pmap, table, start, MIN(next, end), &flush);
        }

        start = next;
    }

    flush_finish(pmap, &flush);
    spin_unlock(&pmap->lock);
}

/* One table's part of pmap_protect(). */
static void
pmap_protect_table(uint64_t *table, vm_offset_t start, vm_offset_t end,
                   uint64_t rights, struct flush *flush)
{
    vm_offset_t region = start & ~(TABLE_SPAN - 1);
    unsigned int slot = table_index(start, PAGE_SHIFT);
    unsigned int last = slot + (unsigned int)((end - start) >> PAGE_SHIFT);
    uint64_t left = vm_page_from_address(table)->index;

    while (left != 0 && slot < last) {
        uint64_t entry = table[slot];
        uint64_t less = (entry & (rights | ~PTE_WRITE)) | (rights & PTE_NX);

        if (entry == 0) {
            slot = table_next(table, slot, last);
            continue;
        }

        if (entry != less) {
            table[slot] = less;
            flush_add(flush, region + slot * PAGE_SIZE);
        }

        slot++;
        left--;
    }
}

void
pmap_protect(struct pmap *pmap, vm_offset_t start, vm_offset_t end,
             vm_prot_t protection)
{
    struct flush flush;
    uint64_t rights = pte_rights(protection);

    if (protection == VM_PROT_NONE) {
        pmap_remove(pmap, start, end);
        return;
    }

    assert(start <= end && end <= VM_MAX_ADDRESS);
    flush_init(&flush);
    spin_lock(&pmap->lock);

    while (start < end) {
        uint64_t span;
        uint64_t *table = pmap_table(pmap, start, &span);
        vm_offset_t next = MIN((start & ~(span - 1)) + span, end);

        if (table != NULL) {
            pmap_protect_table(table, start, next, rights, &flush);
        }

        start = next;
    }

    flush_finish(pmap, &flush);
    spin_unlock(&pmap->lock);
}

bool
pmap_extract(struct pmap *pmap, vm_offset_t address, uint64_t *physicalp)
{
    uint64_t entry = 0, span;
    uint64_t *table;

    if (address >= VM_MAX_ADDRESS) {
        return false;
    }

    spin_lock(&pmap->lock);
    table = pmap_table(pmap, address, &span);

    if (table != NULL) {
        entry = table[table_index(address, PAGE_SHIFT)];
    }

    spin_unlock(&pmap->lock);

    if (entry != 0) {
        *physicalp = (entry & PTE_ADDRESS) | (address & PAGE_MASK);
    }

    return entry != 0;
}

/* -- From a page to its mappings ------------------------------------------- */

/*
 * Change the page table entry of one mapping: `clear` and `set` bits, or
 * all of it. The mapping stays listed. Returns the old entry; false: the
 * pmap is locked by somebody who may wait for our pv lock.
 */
static bool
pv_change(struct pv_entry *pv, uint64_t clear, uint64_t set, uint64_t *oldp)
{
    struct pmap *pmap = pv->pmap;
    uint64_t *table, *pte;
    uint64_t span;

    if (!spin_trylock(&pmap->lock)) {
        return false;
    }

    table = pmap_table(pmap, pv->address, &span);
    assert(table != NULL);
    pte = &table[table_index(pv->address, PAGE_SHIFT)];
    *oldp = *pte;
    assert((*oldp & PTE_MANAGED) != 0);
    *pte = (*oldp & ~clear) | set;

    if (*pte == 0) {
        vm_page_from_address(table)->index--;
        pmap->resident--;
    }

    if (*pte != *oldp && flush_needed(pmap)) {
        cpu_invalidate_page(pv->address);
    }

    spin_unlock(&pmap->lock);
    return true;
}

static inline void
pv_collect(struct vm_page *page, uint64_t entry)
{
    if ((entry & PTE_DIRTY) != 0) {
        page->flags |= VM_PAGE_MODIFIED;
    }

    if ((entry & PTE_ACCESSED) != 0) {
        page->flags |= VM_PAGE_REFERENCED;
    }
}

/*
 * Change all mappings of a page, and collect what they know of use and
 * change. Starts over when some pmap can't be had: changes are idempotent.
 */
static void
pv_change_all(struct vm_page *page, uint64_t clear, uint64_t set)
{
    struct spinlock *lock = pv_lock(page);
    uint64_t entry;

    for (;;) {
        struct pv_entry *pv = &page->pv;

        spin_lock(lock);

        while (pv != NULL && pv->pmap != NULL) {
            if (!pv_change(pv, clear, set, &entry)) {
                break;
            }

            pv_collect(page, entry);

            if (clear == ~0ul) {
                pv_remove_first(page);
                pv = &page->pv;
            } else {
                pv = pv->next;
            }
        }

        spin_unlock(lock);

        if (pv == NULL || pv->pmap == NULL) {
            return;
        }

        cpu_pause();
    }
}

void
pmap_page_protect(struct vm_page *page, vm_prot_t protection)
{
    if (page->pv.pmap == NULL) {
        return;
    }

    if ((protection & VM_PROT_READ) == 0) {
        pv_change_all(page, ~0ul, 0);
    } else {
        pv_change_all(page, (protection & VM_PROT_WRITE) != 0 ? 0 : PTE_WRITE,
                      (protection & VM_PROT_EXECUTE) != 0 ? 0 : PTE_NX);
    }
}

bool
pmap_page_modified(struct vm_page *page)
{
    pv_change_all(page, 0, 0);
    return (page->flags & VM_PAGE_MODIFIED) != 0;
}

bool
pmap_page_referenced(struct vm_page *page)
{
    pv_change_all(page, 0, 0);
    return (page->flags & VM_PAGE_REFERENCED) != 0;
}

void
pmap_page_clear(struct vm_page *page, bool modified, bool referenced)
{
    pv_change_all(
        page, (modified ? PTE_DIRTY : 0) | (referenced ? PTE_ACCESSED : 0), 0);
    page->flags &= (uint16_t) ~((modified ? VM_PAGE_MODIFIED : 0) |
                                (referenced ? VM_PAGE_REFERENCED : 0));
}

/* -- Kernel stacks --------------------------------------------------------- */

/* The entry of an address in STACK_AREA, with the tables made on the way. */
static uint64_t *
pmap_kernel_entry(vm_offset_t address)
{
    uint64_t *table = phys_to_direct(kernel_pmap.root);

    assert(address - STACK_AREA_BASE < STACK_AREA_SIZE);

    for (unsigned int shift = ROOT_SHIFT; shift > PAGE_SHIFT; shift -= 9) {
        uint64_t *entry = &table[table_index(address, shift)];

        if (*entry == 0) {
            struct vm_page *page =
                vm_page_alloc(VM_PAGE_ALLOC_KERNEL | VM_PAGE_ALLOC_ZERO);

            if (page == NULL) {
                return NULL;
            }

            *entry = vm_page_phys(page) | PTE_TABLE_KERNEL;
        }

        table = table_address(*entry);
    }

    return &table[table_index(address, PAGE_SHIFT)];
}

kern_return_t
pmap_kernel_map(vm_offset_t address, uint64_t physical)
{
    uint64_t *pte;

    spin_lock(&kernel_pmap.lock);
    pte = pmap_kernel_entry(address);

    if (pte != NULL) {
        assert(*pte == 0);
        *pte = physical | PTE_PRESENT | PTE_WRITE | PTE_NX | PTE_GLOBAL;
    }

    spin_unlock(&kernel_pmap.lock);
    return pte != NULL ? KERN_SUCCESS : KERN_RESOURCE_SHORTAGE;
}

void
pmap_kernel_unmap(vm_offset_t address)
{
    uint64_t *pte;

    spin_lock(&kernel_pmap.lock);
    pte = pmap_kernel_entry(address);
    assert(pte != NULL && *pte != 0);
    *pte = 0;
    cpu_invalidate_page(address);
    spin_unlock(&kernel_pmap.lock);
}
