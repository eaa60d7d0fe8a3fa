/* SPDX-License-Identifier: MIT */
/*
 * Reference counts that saturate: a count that reached the top stays there
 * for ever, so the object leaks instead of being freed while in use.
 */

#ifndef KERN_REFCOUNT_H
#define KERN_REFCOUNT_H

#include <stdatomic.h>
#include <stdbool.h>

#include <debug/assert.h>

#define REFCOUNT_SATURATED 0x80000000u

struct refcount {
    atomic_uint count;
};

static inline void
refcount_init(struct refcount *refs, unsigned int count)
{
    atomic_init(&refs->count, count);
}

static inline unsigned int
refcount_read(struct refcount *refs)
{
    return atomic_load_explicit(&refs->count, memory_order_relaxed);
}

/* The caller holds a reference, or a lock that keeps the object alive. */
static inline void
refcount_ref(struct refcount *refs)
{
    unsigned int old =
        atomic_fetch_add_explicit(&refs->count, 1, memory_order_relaxed);

    assert(old != 0);

    if (__builtin_expect(old >= REFCOUNT_SATURATED, 0)) {
        atomic_store_explicit(&refs->count, REFCOUNT_SATURATED,
                              memory_order_relaxed);
    }
}

/* True when this was the last one: the caller destroys the object. */
static inline bool
refcount_unref(struct refcount *refs)
{
    unsigned int old =
        atomic_fetch_sub_explicit(&refs->count, 1, memory_order_acq_rel);

    assert(old != 0);

    if (__builtin_expect(old >= REFCOUNT_SATURATED, 0)) {
        atomic_store_explicit(&refs->count, REFCOUNT_SATURATED,
                              memory_order_relaxed);
        return false;
    }

    return old == 1;
}

#endif /* KERN_REFCOUNT_H */
