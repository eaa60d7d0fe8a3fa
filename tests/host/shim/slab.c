/* SPDX-License-Identifier: MIT */
/* See the shim's kern/slab.h. */

#include <stdlib.h>

#include <debug/panic.h>
#include <kern/slab.h>
#include <vm/vm_page.h>

static unsigned int fail_at;
static bool failed;
static size_t total;

void
shim_fail(unsigned int n)
{
    fail_at = n;
    failed = false;
}

bool
shim_failed(void)
{
    return failed;
}

static bool
fails_now(void)
{
    if (fail_at != 0) {
        fail_at--;

        if (fail_at == 0) {
            failed = true;
            return true;
        }
    }

    return false;
}

struct vm_page *__real_vm_page_alloc(unsigned int flags);
struct vm_page *__wrap_vm_page_alloc(unsigned int flags);

struct vm_page *
__wrap_vm_page_alloc(unsigned int flags)
{
    return fails_now() ? NULL : __real_vm_page_alloc(flags);
}

void
slab_cache_init(struct slab_cache *cache, const char *name, size_t size,
                size_t align)
{
    (void)align;
    *cache = (struct slab_cache){ .name = name, .size = size };
}

void *
slab_alloc(struct slab_cache *cache)
{
    if (cache->size == 0) {
        panic("slab: cache without set-up");
    }

    if (fails_now()) {
        return NULL;
    }

    cache->count++;
    total++;
    return calloc(1, cache->size);
}

void *
slab_alloc_raw(struct slab_cache *cache)
{
    return slab_alloc(cache);
}

void
slab_free(struct slab_cache *cache, void *object)
{
    if (cache->count == 0) {
        panic("slab: %s freed too often", cache->name);
    }

    cache->count--;
    total--;
    free(object);
}

size_t
slab_count(struct slab_cache *cache)
{
    return cache->count;
}

size_t
slab_total(void)
{
    return total;
}

void *
kmem_alloc(size_t size)
{
    if (fails_now()) {
        return NULL;
    }

    total++;
    return calloc(1, size);
}

void
kmem_free(void *memory, size_t size)
{
    (void)size;

    if (memory != NULL) {
        total--;
        free(memory);
    }
}
