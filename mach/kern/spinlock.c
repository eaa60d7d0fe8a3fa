/* SPDX-License-Identifier: MIT */
/*
 * Debug kernels check each lock that is taken: not by one who has it already,
 * and in the order of kern/lock_rank.h. Locks of one rank may be held
 * together; which first is for their module to say (vm objects go by their
 * chain, ports by address).
 */

#include <debug/assert.h>
#include <kern/spinlock.h>

#ifdef DEBUG_KERNEL
void
spin_debug_acquire(struct spinlock *lock)
{
    struct cpu *cpu = cpu_self();

    if (lock->rank == LOCK_RANK_NONE || lock->rank >= LOCK_RANK_NUMBER) {
        panic("spinlock: %p has rank %u: not initialised", (void *)lock,
              lock->rank);
    }

    if (lock->holder == cpu->number + 1) {
        panic("spinlock: %p of rank %u taken twice", (void *)lock, lock->rank);
    }

    for (unsigned int i = 0; i < cpu->locks_held; i++) {
        if (cpu->lock_ranks[i] > lock->rank) {
            panic("spinlock: %p of rank %u taken with rank %u held",
                  (void *)lock, lock->rank, cpu->lock_ranks[i]);
        }
    }
}

void
spin_debug_acquired(struct spinlock *lock)
{
    struct cpu *cpu = cpu_self();
    unsigned long flags = cpu_interrupts_save();

    assert(cpu->locks_held < ARRAY_SIZE(cpu->lock_ranks));
    lock->holder = (uint8_t)(cpu->number + 1);
    cpu->lock_ranks[cpu->locks_held] = lock->rank;
    cpu->locks_held++;
    cpu_interrupts_restore(flags);
}

void
spin_debug_release(struct spinlock *lock)
{
    struct cpu *cpu = cpu_self();
    unsigned long flags = cpu_interrupts_save();
    unsigned int i = cpu->locks_held;

    if (lock->holder != cpu->number + 1) {
        panic("spinlock: %p of rank %u dropped by processor %u, not its "
              "holder",
              (void *)lock, lock->rank, cpu->number);
    }

    lock->holder = 0;

    do {
        assert(i != 0);
        i--;
    } while (cpu->lock_ranks[i] != lock->rank);

    cpu->locks_held--;
    cpu->lock_ranks[i] = cpu->lock_ranks[cpu->locks_held];
    cpu_interrupts_restore(flags);
}
#endif
