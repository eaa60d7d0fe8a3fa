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

struct slab_cache {
    struct spinlock lock; /* LOCK_RANK_SLAB */
    const char *name;
    size_t size;         /* bytes of an object, rounded to the alignment */
    size_t align;        /* a power of two, at least 16 */
    struct list partial; /* (l) slabs with free objects */
    struct list full;    /* (l) */
    size_t objects;      /* (l) in use */
    size_t empty;        /* (l) slabs with no object in use */
    struct list link;    /* all caches */
};

/* May be called before any allocation works. */
void slab_cache_init(struct slab_cache *cache, const char *name, size_t size,
                     size_t align);

/* A zeroed object, or NULL when memory is short. Takes frames as the current
 * task may (see vm_page_alloc). Never blocks; no spin lock above
 * LOCK_RANK_SLAB may be held. */
MUST_CHECK void *slab_alloc(struct slab_cache *cache);

void slab_free(struct slab_cache *cache, void *object);

/* Objects in use now. */
size_t slab_count(struct slab_cache *cache);

/* For sizes known only at run time, up to several pages; the size must be
 * given back. Zeroed. */
MUST_CHECK void *kmem_alloc(size_t size);
void kmem_free(void *memory, size_t size);

void slab_setup(void);

#endif /* KERN_SLAB_H */
