/* SPDX-License-Identifier: MIT */
/*
 * Spin locks: ticket locks, hence fair. Interrupt handlers take only locks
 * of LOCK_RANK_TIMER and above, through the _irqsave forms; all others are
 * taken with interrupts as they are. No holder blocks, allocates, or touches
 * user memory.
 */

#ifndef KERN_SPINLOCK_H
#define KERN_SPINLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <kern/lock_rank.h>
#include <machine/cpu.h>

/* Low half: the ticket being served; high half: the next to give out. */
struct spinlock {
    union {
        _Atomic uint32_t tickets;
        struct {
            _Atomic uint16_t serving;
            _Atomic uint16_t next;
        } half;
    };
    uint8_t rank;
    uint8_t holder; /* debug kernels: CPU number + 1 */
};

#ifdef DEBUG_KERNEL
void spin_debug_acquire(struct spinlock *lock);
void spin_debug_acquired(struct spinlock *lock);
void spin_debug_release(struct spinlock *lock);
#else
#define spin_debug_acquire(lock) ((void)(lock))
#define spin_debug_acquired(lock) ((void)(lock))
#define spin_debug_release(lock) ((void)(lock))
#endif

static inline void
spin_init(struct spinlock *lock, enum lock_rank rank)
{
    atomic_init(&lock->tickets, 0);
    lock->rank = (uint8_t)rank;
    lock->holder = 0;
}

static inline bool
spin_held(const struct spinlock *lock)
{
    uint32_t tickets =
        atomic_load_explicit(&lock->tickets, memory_order_relaxed);

    return (tickets >> 16) != (tickets & 0xffff);
}

static inline void
spin_lock(struct spinlock *lock)
{
    uint32_t tickets;

    spin_debug_acquire(lock);
    tickets = atomic_fetch_add_explicit(&lock->tickets, 0x10000,
                                        memory_order_acquire);

    if (__builtin_expect((tickets >> 16) != (tickets & 0xffff), 0)) {
        while (atomic_load_explicit(&lock->half.serving,
                                    memory_order_acquire) != tickets >> 16) {
            cpu_pause();
        }
    }

    spin_debug_acquired(lock);
}

/* Take the lock unless somebody has it: for taking against the order. */
static inline bool
spin_trylock(struct spinlock *lock)
{
    uint32_t tickets =
        atomic_load_explicit(&lock->tickets, memory_order_relaxed);

    if ((tickets >> 16) != (tickets & 0xffff)) {
        return false;
    }

    if (!atomic_compare_exchange_strong_explicit(
            &lock->tickets, &tickets, tickets + 0x10000, memory_order_acquire,
            memory_order_relaxed)) {
        return false;
    }

    spin_debug_acquired(lock);
    return true;
}

static inline void
spin_unlock(struct spinlock *lock)
{
    uint16_t serving;

    spin_debug_release(lock);
    serving = atomic_load_explicit(&lock->half.serving, memory_order_relaxed);
    atomic_store_explicit(&lock->half.serving, (uint16_t)(serving + 1),
                          memory_order_release);
}

static inline unsigned long
spin_lock_irqsave(struct spinlock *lock)
{
    unsigned long flags = cpu_interrupts_save();

    spin_lock(lock);
    return flags;
}

static inline void
spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags)
{
    spin_unlock(lock);
    cpu_interrupts_restore(flags);
}

#endif /* KERN_SPINLOCK_H */
