/* SPDX-License-Identifier: MIT */
/* See vm/vm_account.h. */

#include <debug/assert.h>
#include <kern/slab.h>
#include <vm/vm_account.h>

static struct slab_cache account_cache;

void
vm_account_setup(void)
{
    slab_cache_init(&account_cache, "vm_account", sizeof(struct vm_account),
                    16);
}

struct vm_account *
vm_account_create(void)
{
    struct vm_account *account = slab_alloc(&account_cache);

    if (account != NULL) {
        refcount_init(&account->refs, 1);
        account->limit = VM_ACCOUNT_DEFAULT_LIMIT;
    }

    return account;
}

void
vm_account_ref(struct vm_account *account)
{
    refcount_ref(&account->refs);
}

void
vm_account_unref(struct vm_account *account)
{
    if (refcount_unref(&account->refs)) {
        assert(account->charged == 0);
        slab_free(&account_cache, account);
    }
}

kern_return_t
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

void
vm_account_uncharge(struct vm_account *account, vm_size_t size)
{
    vm_size_t old = atomic_fetch_sub(&account->charged, size);

    assert(old >= size);
}
