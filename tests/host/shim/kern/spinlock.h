/* SPDX-License-Identifier: MIT */
/*
 * Locks of host tests: one thread, so a lock that is taken twice, dropped
 * twice or taken against the order of kern/lock_rank.h is a bug.
 */

#ifndef KERN_SPINLOCK_H
#define KERN_SPINLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <kern/lock_rank.h>
#include <machine/cpu.h>

struct spinlock {
    enum lock_rank rank;
    bool ready;
    bool held;
};

void spin_init(struct spinlock *lock, enum lock_rank rank);
void spin_lock(struct spinlock *lock);
bool spin_trylock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);

/* Locks held now: none where code may block. */
unsigned int spin_count(void);

/* Make the next so many attempts fail. */
extern unsigned int spin_trylock_failures;

static inline bool
spin_held(const struct spinlock *lock)
{
    return lock->held;
}

#endif /* KERN_SPINLOCK_H */
