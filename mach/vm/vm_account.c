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
vm_account_destroy(struct vm_account *account)
{
    assert(account->charged == 0);
    slab_free(&account_cache, account);
}
