/* SPDX-License-Identifier: MIT */
/*
 * The memory that a task may come to need, in bytes, and its limit. Charged
 * when a range is promised, not when it is touched, so that asking for too
 * much fails at once and only for the one who asks. Memory that leaves the
 * map - copies in messages, memory entries - stays charged to the account
 * until somebody else maps it or it is gone, so an account outlives its map.
 */

#ifndef VM_VM_ACCOUNT_H
#define VM_VM_ACCOUNT_H

#include <stdatomic.h>

#include <mach/kern_return.h>
#include <mach/vm_types.h>

#include <debug/assert.h>
#include <kern/macros.h>
#include <kern/refcount.h>

struct vm_account {
    struct refcount refs;
    _Atomic vm_size_t limit;
    _Atomic vm_size_t charged;
};

void vm_account_setup(void);

/* Until somebody sets a limit: far above what a machine has, but a bound. */
#define VM_ACCOUNT_DEFAULT_LIMIT (1ul << 40)

MUST_CHECK struct vm_account *vm_account_create(void);
void vm_account_destroy(struct vm_account *account);

static inline void
vm_account_ref(struct vm_account *account)
{
    refcount_ref(&account->refs);
}

static inline void
vm_account_unref(struct vm_account *account)
{
    if (refcount_unref(&account->refs)) {
        vm_account_destroy(account);
    }
}

/* Returns: KERN_SUCCESS, KERN_LIMIT_REACHED. */
MUST_CHECK static inline kern_return_t
vm_account_charge(struct vm_account *account, vm_size_t size)
{
    vm_size_t old = atomic_fetch_add(&account->charged, size);

    /* The sum may wrap only if `old` is garbage already; sizes are less than
     * 2^47 each and ranges of one map don't overlap. */
    if (unlikely(size > account->limit || old > account->limit - size)) {
        atomic_fetch_sub(&account->charged, size);
        return KERN_LIMIT_REACHED;
    }

    return KERN_SUCCESS;
}

static inline void
vm_account_uncharge(struct vm_account *account, vm_size_t size)
{
    vm_size_t old = atomic_fetch_sub(&account->charged, size);

    assert(old >= size);
}

#endif /* VM_VM_ACCOUNT_H */
