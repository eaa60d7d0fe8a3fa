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
void vm_account_ref(struct vm_account *account);
void vm_account_unref(struct vm_account *account);

/* Returns: KERN_SUCCESS, KERN_LIMIT_REACHED. */
MUST_CHECK kern_return_t vm_account_charge(struct vm_account *account,
                                           vm_size_t size);
void vm_account_uncharge(struct vm_account *account, vm_size_t size);

#endif /* VM_VM_ACCOUNT_H */
