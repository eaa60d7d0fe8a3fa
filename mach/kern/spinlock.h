/* SPDX-License-Identifier: MIT */
/*
 * Spin locks, fair under contention. Interrupt handlers take only locks
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
#include <kern/macros.h>
#include <machine/cpu.h>

/*
 * The low byte of `word` is 1 while somebody holds the lock, the rest counts
 * those who wait, who take turns by ticket (spinlock.c). A newcomer gets the
 * lock at once only when the whole word is 0: whoever has been counted is not
 * overtaken any more.
 */
struct spinlock {
    union {
        _Atomic uint32_t word;
        _Atomic uint8_t held;
    };
    _Atomic uint8_t next;    /* the next ticket to give out */
    _Atomic uint8_t serving; /* whose turn it is to wait for `held` */
    uint8_t rank;
    uint8_t holder; /* debug kernels: CPU number + 1 */
};

/* The ticket's turn comes, then the lock. */
void spin_lock_wait(struct spinlock *lock);

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
    atomic_init(&lock->word, 0);
    atomic_init(&lock->next, 0);
    atomic_init(&lock->serving, 0);
    lock->rank = (uint8_t)rank;
    lock->holder = 0;
}

static inline bool
spin_held(const struct spinlock *lock)
{
    return atomic_load_explicit(&lock->held, memory_order_relaxed) != 0;
}

static inline void
spin_lock(struct spinlock *lock)
{
    uint32_t idle = 0;

    spin_debug_acquire(lock);

    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &lock->word, &idle, 1, memory_order_acquire,
            memory_order_relaxed))) {
        spin_lock_wait(lock);
    }

    spin_debug_acquired(lock);
}

/* Take the lock unless somebody has it: for taking against the order. */
static inline bool
spin_trylock(struct spinlock *lock)
{
    uint32_t idle = 0;

    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &lock->word, &idle, 1, memory_order_acquire,
            memory_order_relaxed))) {
        return false;
    }

    spin_debug_acquired(lock);
    return true;
}

static inline void
spin_unlock(struct spinlock *lock)
{
    spin_debug_release(lock);
    atomic_store_explicit(&lock->held, 0, memory_order_release);
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
