/* SPDX-License-Identifier: MIT */
/*
 * Locks and conditions for the threads of one task, on gsync: without
 * contention no trap is made. All-zero memory is a free lock.
 */

#ifndef LIBMACH_SYNC_H
#define LIBMACH_SYNC_H

#include <mach/boolean.h>
#include <mach/vm_types.h>

struct mach_mutex {
    uint32_t state; /* 0 free, 1 held, 2 held and waited for */
};

struct mach_condition {
    uint32_t sequence; /* changes with each signal */
};

#define MACH_MUTEX_INIT                                                        \
    {                                                                          \
        0                                                                      \
    }
#define MACH_CONDITION_INIT                                                    \
    {                                                                          \
        0                                                                      \
    }

void mach_mutex_init(struct mach_mutex *mutex);
void mach_mutex_lock(struct mach_mutex *mutex);
boolean_t mach_mutex_trylock(struct mach_mutex *mutex);
void mach_mutex_unlock(struct mach_mutex *mutex);

/* The mutex is held on entry and on return. May return without a signal. */
void mach_condition_init(struct mach_condition *condition);
void
mach_condition_wait(struct mach_condition *condition, struct mach_mutex *mutex);

/* The same for at most msec milliseconds; FALSE when they have passed. */
boolean_t mach_condition_timedwait(struct mach_condition *condition,
                                   struct mach_mutex *mutex, unsigned int msec);
void mach_condition_signal(struct mach_condition *condition);
void mach_condition_broadcast(struct mach_condition *condition);

#endif /* LIBMACH_SYNC_H */
