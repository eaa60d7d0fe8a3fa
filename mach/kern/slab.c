/* SPDX-License-Identifier: MIT */
/*
 * See kern/slab.h. A slab is 2^n pages, aligned to its size, with a header
 * at its start: so an object's slab is found by masking its address. Free
 * objects of a slab are linked through their first word. In front of the
 * slabs each processor has a magazine of free objects, which is used without
 * a lock: the kernel is preempted only at named points, and interrupt
 * handlers don't allocate.
 */

#include <debug/assert.h>
#include <kern/slab.h>
#include <kern/string.h>
#include <vm/vm_page.h>

#define SLAB_ORDER_MAX 3
#define SLAB_OBJECTS_MIN 4
#define SLAB_MOVE 7 /* objects that move between magazine and slabs at once */
#define SLAB_POISON 0xdb

struct slab {
    struct list link;         /* (cache->lock) partial, empty, or nowhere */
    struct slab_cache *cache; /* its owner */
    void *free;               /* (cache->lock) first free object */
    size_t used;              /* (cache->lock) */
};

/* Sizes of kmem_alloc() below a page. */
#define KMEM_SHIFT_MIN 5
#define KMEM_SHIFT_MAX 11
static struct slab_cache kmem_caches[KMEM_SHIFT_MAX - KMEM_SHIFT_MIN + 1];

/* Pages of the larger ones. */
static atomic_size_t large_pages;

/* All caches: they are made before there is a second thread, and stay. */
static struct slab_cache *slab_caches;

void
slab_cache_init(struct slab_cache *cache, const char *name, size_t size,
                size_t align)
{
    size_t bytes;

    align = MAX(align, 16);
    memset(cache, 0, sizeof(*cache));
    spin_init(&cache->lock, LOCK_RANK_SLAB);
    list_init(&cache->partial);
    list_init(&cache->empty);
    cache->name = name;
    cache->size = (size + align - 1) & ~(align - 1);
    cache->first = (sizeof(struct slab) + align - 1) & ~(align - 1);

    for (;;) {
        bytes = PAGE_SIZE << cache->order;
        cache->capacity =
            bytes > cache->first ? (bytes - cache->first) / cache->size : 0;

        if (cache->capacity >= SLAB_OBJECTS_MIN ||
            cache->order == SLAB_ORDER_MAX) {
            break;
        }

        cache->order++;
    }

    assert(cache->capacity != 0);
    cache->next = slab_caches;
    slab_caches = cache;
}

static struct slab *
slab_of(struct slab_cache *cache, void *object)
{
    uintptr_t mask = (PAGE_SIZE << cache->order) - 1;
    struct slab *slab = (struct slab *)((uintptr_t)object & ~mask);

    assert(slab->cache == cache);
    return slab;
}

/* A new slab, in no list. Locks: none. */
static struct slab *
slab_create(struct slab_cache *cache)
{
    struct vm_page *page =
        cache->order == 0 ? vm_page_alloc(0)
                          : vm_page_alloc_contiguous(1ul << cache->order, 0, 0);
    struct slab *slab;
    char *object;

    if (page == NULL) {
        return NULL;
    }

    /* All of it is written once: as long as a page holds a byte of code that
     * an emulator has translated, it looks at each write to that page. */
    slab = vm_page_address(page);
    memset(slab, 0, PAGE_SIZE << cache->order);
    slab->cache = cache;
    slab->used = 0;
    slab->free = NULL;
    object = (char *)slab + cache->first + cache->capacity * cache->size;

    for (size_t i = 0; i < cache->capacity; i++) {
        object -= cache->size;
        *(void **)(void *)object = slab->free;
        slab->free = object;
    }

    return slab;
}

static void
slab_destroy(struct slab *slab)
{
    struct vm_page *page = vm_page_from_address(slab);
    unsigned int order = slab->cache->order;

    slab->cache = NULL;
    vm_page_free_contiguous(page, 1ul << order);
}

/* A slab with free objects, first in the partial list, or NULL. */
static struct slab *
slab_find(struct slab_cache *cache)
{
    struct slab *slab;

    if (list_empty(&cache->partial)) {
        if (list_empty(&cache->empty)) {
            return NULL;
        }

        slab = list_entry(list_first(&cache->empty), struct slab, link);
        list_remove(&slab->link);
        list_insert_head(&cache->partial, &slab->link);
    }

    return list_entry(list_first(&cache->partial), struct slab, link);
}

/* Fill an empty magazine. False: no memory. */
static NOINLINE bool
slab_magazine_fill(struct slab_cache *cache, struct slab_magazine *magazine)
{
    struct slab *slab;

    spin_lock(&cache->lock);

    while (magazine->count < SLAB_MOVE) {
        slab = slab_find(cache);

        if (slab == NULL) {
            if (magazine->count != 0) {
                break;
            }

            spin_unlock(&cache->lock);
            slab = slab_create(cache);

            if (slab == NULL) {
                return false;
            }

            spin_lock(&cache->lock);
            list_insert_head(&cache->partial, &slab->link);
        }

        while (magazine->count < SLAB_MOVE && slab->free != NULL) {
            magazine->objects[magazine->count] = slab->free;
            magazine->count++;
            slab->free = *(void **)slab->free;
            slab->used++;
        }

        if (slab->free == NULL) {
            list_remove(&slab->link);
        }
    }

    spin_unlock(&cache->lock);
    return true;
}

/* Give one object back to its slab; the slab itself comes back if it should
 * be destroyed. */
static struct slab *
slab_put(struct slab_cache *cache, void *object)
{
    struct slab *slab = slab_of(cache, object);

    assert(spin_held(&cache->lock) && slab->used != 0);

    if (slab->free == NULL) {
        list_insert_tail(&cache->partial, &slab->link);
    }

    *(void **)object = slab->free;
    slab->free = object;
    slab->used--;

    if (slab->used == 0) {
        list_remove(&slab->link);

        if (!list_empty(&cache->empty)) {
            return slab;
        }

        list_insert_head(&cache->empty, &slab->link);
    }

    return NULL;
}

/* Make room in a full magazine. */
static NOINLINE void
slab_magazine_drain(struct slab_cache *cache, struct slab_magazine *magazine)
{
    struct slab *unused[SLAB_MOVE];
    unsigned int count = 0;

    spin_lock(&cache->lock);

    for (unsigned int i = 0; i < SLAB_MOVE; i++) {
        magazine->count--;
        unused[count] = slab_put(cache, magazine->objects[magazine->count]);
        count += unused[count] != NULL;
    }

    spin_unlock(&cache->lock);

    while (count != 0) {
        count--;
        slab_destroy(unused[count]);
    }
}

#ifdef DEBUG_KERNEL
static bool
slab_poisoned(const unsigned char *object, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (object[i] != SLAB_POISON) {
            return false;
        }
    }

    return true;
}

/* Exchange the object for one freed long ago, which nobody may have touched
 * since. NULL: none yet. */
static void *
slab_quarantine(struct slab_cache *cache, void *object)
{
    void *oldest;

    if (slab_poisoned(object, cache->size)) {
        panic("slab: %s object %p freed twice", cache->name, object);
    }

    memset(object, SLAB_POISON, cache->size);
    spin_lock(&cache->lock);
    oldest = cache->quarantine[cache->quarantine_at];
    cache->quarantine[cache->quarantine_at] = object;
    cache->quarantine_at = (cache->quarantine_at + 1) % SLAB_QUARANTINE_SIZE;
    spin_unlock(&cache->lock);

    if (oldest != NULL && !slab_poisoned(oldest, cache->size)) {
        panic("slab: %s object %p written after free", cache->name, oldest);
    }

    return oldest;
}
#else
#define slab_quarantine(cache, object) (object)
#endif

void *
slab_alloc_slow(struct slab_cache *cache)
{
    struct slab_magazine *magazine = &cache->magazines[cpu_self()->number];

    if (!slab_magazine_fill(cache, magazine)) {
        return NULL;
    }

    magazine->in_use++;
    magazine->count--;
    return magazine->objects[magazine->count];
}

void *
slab_alloc(struct slab_cache *cache)
{
    void *object = slab_alloc_raw(cache);

    if (likely(object != NULL)) {
        void *at = object;
        size_t count = cache->size / 8;

        __asm__ volatile("rep stosq"
                         : "+D"(at), "+c"(count)
                         : "a"(0UL)
                         : "memory");
    }

    return object;
}

void
slab_free_slow(struct slab_cache *cache, void *object)
{
    struct slab_magazine *magazine = &cache->magazines[cpu_self()->number];

    magazine->in_use--;
    debug_assert(slab_of(cache, object) != NULL);
    object = slab_quarantine(cache, object);

    if (object == NULL) {
        return;
    }

    if (unlikely(magazine->count == SLAB_MAGAZINE_SIZE)) {
        slab_magazine_drain(cache, magazine);
    }

    magazine->objects[magazine->count] = object;
    magazine->count++;
}

size_t
slab_count(struct slab_cache *cache)
{
    long count = 0;

    for (unsigned int i = 0; i < CPU_MAX; i++) {
        count += cache->magazines[i].in_use;
    }

    return (size_t)count;
}

size_t
slab_total(void)
{
    size_t total = 0;

    for (struct slab_cache *cache = slab_caches; cache != NULL;
         cache = cache->next) {
        total += slab_count(cache);
    }

    return total;
}

size_t
kmem_large_pages(void)
{
    return atomic_load(&large_pages);
}

/* -- By size --------------------------------------------------------------- */

static struct slab_cache *
kmem_cache(size_t size)
{
    unsigned int shift = KMEM_SHIFT_MIN;

    while ((1ul << shift) < size) {
        shift++;
    }

    return &kmem_caches[shift - KMEM_SHIFT_MIN];
}

void *
kmem_alloc(size_t size)
{
    struct vm_page *page;

    if (size <= 1ul << KMEM_SHIFT_MAX) {
        return slab_alloc(kmem_cache(size));
    }

    page = vm_page_alloc_contiguous((size + PAGE_MASK) >> PAGE_SHIFT, 0,
                                    VM_PAGE_ALLOC_ZERO);

    if (page == NULL) {
        return NULL;
    }

    atomic_fetch_add(&large_pages, (size + PAGE_MASK) >> PAGE_SHIFT);
    return vm_page_address(page);
}

void
kmem_free(void *memory, size_t size)
{
    if (memory == NULL) {
        return;
    }

    if (size <= 1ul << KMEM_SHIFT_MAX) {
        slab_free(kmem_cache(size), memory);
    } else {
        atomic_fetch_sub(&large_pages, (size + PAGE_MASK) >> PAGE_SHIFT);
        vm_page_free_contiguous(vm_page_from_address(memory),
                                (size + PAGE_MASK) >> PAGE_SHIFT);
    }
}

void
slab_setup(void)
{
    static const char *const names[] = {
        "kmem_32",  "kmem_64",   "kmem_128",  "kmem_256",
        "kmem_512", "kmem_1024", "kmem_2048",
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(kmem_caches); i++) {
        slab_cache_init(&kmem_caches[i], names[i], 1ul << (KMEM_SHIFT_MIN + i),
                        16);
    }
}
