/* SPDX-License-Identifier: MIT */
/*
 * What debug kernels check of each spin lock: that ranks only rise on a
 * processor, that nobody takes a lock twice, and that the holder lets go.
 * spin_trylock() never waits, so it may go against the order.
 */

#include <debug/panic.h>
#include <kern/macros.h>
#include <kern/spinlock.h>
#include <machine/cpu.h>

/* Locks may be let go in any order, so the highest need not be the last. */
static unsigned int
spin_debug_highest(const struct cpu *cpu)
{
    unsigned int highest = LOCK_RANK_NONE;

    for (uint32_t i = 0; i < cpu->locks_held; i++) {
        highest = MAX(highest, cpu->lock_ranks[i]);
    }

    return highest;
}

void
spin_debug_acquire(struct spinlock *lock)
{
    struct cpu *cpu = cpu_self();
    unsigned int highest = spin_debug_highest(cpu);

    if (lock->holder == cpu->number + 1) {
        panic("spinlock: %p of rank %u is taken twice", (void *)lock,
              lock->rank);
    }

    if (lock->rank < highest) {
        panic("spinlock: %p of rank %u is taken after rank %u", (void *)lock,
              lock->rank, highest);
    }
}

/* Interrupts off: a handler pushes and pops on the same array. */
void
spin_debug_acquired(struct spinlock *lock)
{
    unsigned long flags = cpu_interrupts_save();
    struct cpu *cpu = cpu_self();

    lock->holder = (uint8_t)(cpu->number + 1);

    if (cpu->locks_held == ARRAY_SIZE(cpu->lock_ranks)) {
        panic("spinlock: more than %u locks held",
              (unsigned int)ARRAY_SIZE(cpu->lock_ranks));
    }

    cpu->lock_ranks[cpu->locks_held] = lock->rank;
    cpu->locks_held++;
    cpu_interrupts_restore(flags);
}

void
spin_debug_release(struct spinlock *lock)
{
    unsigned long flags = cpu_interrupts_save();
    struct cpu *cpu = cpu_self();
    uint32_t i = cpu->locks_held;

    if (lock->holder != cpu->number + 1) {
        panic("spinlock: %p of rank %u is let go by who has it not",
              (void *)lock, lock->rank);
    }

    while (i > 0 && cpu->lock_ranks[i - 1] != lock->rank) {
        i--;
    }

    if (i == 0) {
        panic("spinlock: rank %u is not among those held", lock->rank);
    }

    for (; i < cpu->locks_held; i++) {
        cpu->lock_ranks[i - 1] = cpu->lock_ranks[i];
    }

    cpu->locks_held--;
    lock->holder = 0;
    cpu_interrupts_restore(flags);
}
