/* SPDX-License-Identifier: MIT */
/* See kern/spinlock.h. At most CPU_MAX wait for a lock: a byte of tickets. */

#include <kern/spinlock.h>

#define ONE_WAITS 0x100u

void
spin_lock_wait(struct spinlock *lock)
{
    uint8_t ticket =
        atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    uint32_t word =
        atomic_fetch_add_explicit(&lock->word, ONE_WAITS, memory_order_relaxed);

    while (atomic_load_explicit(&lock->serving, memory_order_acquire) !=
           ticket) {
        cpu_pause();
    }

    do {
        word = atomic_load_explicit(&lock->word, memory_order_relaxed);

        while ((word & 0xff) != 0) {
            cpu_pause();
            word = atomic_load_explicit(&lock->word, memory_order_relaxed);
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &lock->word, &word, word - ONE_WAITS + 1, memory_order_acquire,
        memory_order_relaxed));

    atomic_store_explicit(&lock->serving, (uint8_t)(ticket + 1),
                          memory_order_release);
}
