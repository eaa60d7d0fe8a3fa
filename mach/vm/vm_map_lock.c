/* SPDX-License-Identifier: MIT */
/* The slow halves of vm/vm_map_lock.h: somebody else has the lock. */

#include <stddef.h>

#include <debug/assert.h>
#include <kern/wait.h>
#include <vm/vm_map_lock.h>

/*
 * Sleep until the lock may have become free. `old` is the state that made us
 * wait: if it has changed meanwhile, there is nothing to wait for.
 */
static void
vm_map_lock_wait(struct vm_map_lock *lock, uint32_t old)
{
    thread_wait_on(lock, false, 0);

    if (!atomic_compare_exchange_strong(&lock->state, &old,
                                        old | VM_MAP_LOCK_WAITERS)) {
        thread_wait_cancel();
        return;
    }

    thread_block(NULL);
}

void
vm_map_lock_read_slow(struct vm_map_lock *lock)
{
    for (;;) {
        uint32_t old = atomic_load(&lock->state);
        bool held = (old & ~VM_MAP_LOCK_WAITERS) != 0;

        if ((old & VM_MAP_LOCK_WRITER) != 0 ||
            ((old & VM_MAP_LOCK_WAITERS) != 0 && held)) {
            vm_map_lock_wait(lock, old);
        } else if (atomic_compare_exchange_strong(&lock->state, &old,
                                                  old + 1)) {
            return;
        }
    }
}

void
vm_map_lock_write_slow(struct vm_map_lock *lock)
{
    for (;;) {
        uint32_t old = atomic_load(&lock->state);

        if ((old & ~VM_MAP_LOCK_WAITERS) != 0) {
            vm_map_lock_wait(lock, old);
        } else if (atomic_compare_exchange_strong(&lock->state, &old,
                                                  old | VM_MAP_LOCK_WRITER)) {
            return;
        }
    }
}

void
vm_map_lock_wake(struct vm_map_lock *lock)
{
    atomic_fetch_and(&lock->state, ~VM_MAP_LOCK_WAITERS);
    thread_wakeup(lock);
}
