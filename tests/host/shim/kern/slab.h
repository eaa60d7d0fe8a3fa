/* SPDX-License-Identifier: MIT */
/*
 * Slab caches of host tests: each object is one of malloc's, so that the
 * sanitizers see it, and any allocation can be made to fail.
 */

#ifndef KERN_SLAB_H
#define KERN_SLAB_H

#include <stddef.h>

#include <kern/list.h>
#include <kern/macros.h>
#include <kern/spinlock.h>

struct slab_cache {
    const char *name;
    size_t size;
    size_t count;
};

void slab_cache_init(struct slab_cache *cache, const char *name, size_t size,
                     size_t align);
MUST_CHECK void *slab_alloc(struct slab_cache *cache);
MUST_CHECK void *slab_alloc_raw(struct slab_cache *cache);
void slab_free(struct slab_cache *cache, void *object);
size_t slab_count(struct slab_cache *cache);

MUST_CHECK void *kmem_alloc(size_t size);
void kmem_free(void *memory, size_t size);

/* Objects of all caches. */
size_t slab_total(void);

/* Fail the n-th allocation from now, of objects and frames; 0: none. True
 * since then: one has failed. */
void shim_fail(unsigned int n);
bool shim_failed(void);

#endif /* KERN_SLAB_H */
