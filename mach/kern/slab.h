/* SPDX-License-Identifier: MIT */
/*
 * Slab caches: equal objects, cut from whole pages of the direct map. Memory
 * comes back zeroed (no uninitialised byte can leave the kernel). Debug
 * kernels poison freed objects and keep them in quarantine for a while.
 */

#ifndef KERN_SLAB_H
#define KERN_SLAB_H

#include <stddef.h>

#include <kern/list.h>
#include <kern/macros.h>
#include <kern/spinlock.h>
#include <machine/cpu.h>

#define SLAB_MAGAZINE_SIZE 14
#define SLAB_QUARANTINE_SIZE 64

/* Free objects of one processor, which alone looks. */
struct slab_magazine {
    size_t count;
    long in_use; /* handed out here less given back here */
    void *objects[SLAB_MAGAZINE_SIZE];
} CACHE_ALIGNED;

/* Lock keys: (c) set by init, (l) lock. */
struct slab_cache {
    struct slab_magazine magazines[CPU_MAX];
    struct spinlock lock;    /* LOCK_RANK_SLAB */
    struct slab_cache *next; /* (c) of all caches */
    const char *name;        /* (c) */
    size_t size;             /* (c) bytes of an object, with alignment */
    size_t first;            /* (c) offset of the first object in a slab */
    size_t capacity;         /* (c) objects in a slab */
    unsigned int order;      /* (c) a slab is 2^order pages */
    struct list partial;     /* (l) slabs with free and used objects */
    struct list empty;       /* (l) slabs with no used object; at most one */
#ifdef DEBUG_KERNEL
    unsigned int quarantine_at;             /* (l) */
    void *quarantine[SLAB_QUARANTINE_SIZE]; /* (l) */
#endif
};

/* May be called before any allocation works. align: a power of two, at most
 * a page. */
void slab_cache_init(struct slab_cache *cache, const char *name, size_t size,
                     size_t align);

/* A zeroed object, or NULL when memory is short. Takes frames as the current
 * task may (see vm_page_alloc). Never blocks; no spin lock above
 * LOCK_RANK_SLAB may be held. */
MUST_CHECK void *slab_alloc(struct slab_cache *cache);

/* For slab_alloc_raw() and slab_free(): the magazine is empty or full. */
MUST_CHECK void *slab_alloc_slow(struct slab_cache *cache);
void slab_free_slow(struct slab_cache *cache, void *object);

/* As slab_alloc(), for one who sets every byte that matters. */
MUST_CHECK static inline void *
slab_alloc_raw(struct slab_cache *cache)
{
    struct slab_magazine *magazine = &cache->magazines[cpu_self()->number];
    size_t count = magazine->count;

    if (unlikely(count == 0)) {
        return slab_alloc_slow(cache);
    }

    magazine->in_use++;
    magazine->count = count - 1;
    return magazine->objects[count - 1];
}

/* Debug kernels look at each object that is freed. */
static inline void
slab_free(struct slab_cache *cache, void *object)
{
#ifdef DEBUG_KERNEL
    slab_free_slow(cache, object);
#else
    struct slab_magazine *magazine = &cache->magazines[cpu_self()->number];
    size_t count = magazine->count;

    if (unlikely(count == SLAB_MAGAZINE_SIZE)) {
        slab_free_slow(cache, object);
        return;
    }

    magazine->in_use--;
    magazine->objects[count] = object;
    magazine->count = count + 1;
#endif
}

/* Objects in use now. */
size_t slab_count(struct slab_cache *cache);

/* The same of all caches together, and pages of what is larger. */
size_t slab_total(void);
size_t kmem_large_pages(void);

/* For sizes known only at run time, up to several pages; the size must be
 * given back. Zeroed. */
MUST_CHECK void *kmem_alloc(size_t size);
void kmem_free(void *memory, size_t size);

void slab_setup(void);

#endif /* KERN_SLAB_H */
