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
#include <kern/macros.h>
#include <machine/cpu.h>

#define REFCOUNT_SATURATED 0xc0000000u
#define REFCOUNT_SIGN 0x80000000u

struct refcount {
    _Atomic uint32_t count;
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

/* The sign is the mark of saturation: the count goes back to where it has
 * room to move in both directions. */
static inline void
refcount_saturate(struct refcount *refs)
{
    atomic_store_explicit(&refs->count, REFCOUNT_SATURATED,
                          memory_order_relaxed);
}

/* The caller holds a reference, or a lock that keeps the object alive. */
static inline void
refcount_ref(struct refcount *refs)
{
    if (unlikely(cpu_increment_negative(&refs->count))) {
        refcount_saturate(refs);
    }
}

/* For the paths where an instruction shows: somebody else is known to hold
 * another reference. */
static ALWAYS_INLINE void
refcount_unref_held(struct refcount *refs)
{
    if (unlikely(cpu_decrement_not_positive(&refs->count))) {
        assert(refcount_read(refs) >= REFCOUNT_SIGN - 1);
        refcount_saturate(refs);
    }
}

/* True when this was the last one: the caller destroys the object. */
static inline bool
refcount_unref(struct refcount *refs)
{
    unsigned int old =
        atomic_fetch_sub_explicit(&refs->count, 1, memory_order_acq_rel);

    assert(old != 0);

    if (unlikely(old >= REFCOUNT_SIGN)) {
        refcount_saturate(refs);
        return false;
    }

    return old == 1;
}

#endif /* KERN_REFCOUNT_H */
