/* SPDX-License-Identifier: MIT */
/* Mutexes and conditions: the words change in user space, gsync waits. */

#include <libmach/sync.h>
#include <mach/gsync.h>
#include <mach/mach_init.h>
#include <mach/mach_traps.h>

void
mach_mutex_init(struct mach_mutex *mutex)
{
    mutex->state = 0;
}

boolean_t
mach_mutex_trylock(struct mach_mutex *mutex)
{
    uint32_t free = 0;

    return __atomic_compare_exchange_n(&mutex->state, &free, 1, FALSE,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void
mach_mutex_lock(struct mach_mutex *mutex)
{
    if (mach_mutex_trylock(mutex)) {
        return;
    }

    /* Whoever waited keeps the word at 2: there may be others. */
    while (__atomic_exchange_n(&mutex->state, 2, __ATOMIC_ACQUIRE) != 0) {
        (void)gsync_wait(mach_task_self(), &mutex->state, 2, 0, 0);
    }
}

void
mach_mutex_unlock(struct mach_mutex *mutex)
{
    if (__atomic_exchange_n(&mutex->state, 0, __ATOMIC_RELEASE) == 2) {
        (void)gsync_wake(mach_task_self(), &mutex->state, 0, 0);
    }
}

void
mach_condition_init(struct mach_condition *condition)
{
    condition->sequence = 0;
}

/* Locks as contended: others that the same broadcast woke may wait too. */
static kern_return_t
mach_condition_block(struct mach_condition *condition, struct mach_mutex *mutex,
                     unsigned int msec, int flags)
{
    uint32_t sequence;
    kern_return_t kr;

    sequence = __atomic_load_n(&condition->sequence, __ATOMIC_RELAXED);
    mach_mutex_unlock(mutex);
    kr = gsync_wait(mach_task_self(), &condition->sequence, sequence, msec,
                    flags);

    while (__atomic_exchange_n(&mutex->state, 2, __ATOMIC_ACQUIRE) != 0) {
        (void)gsync_wait(mach_task_self(), &mutex->state, 2, 0, 0);
    }

    return kr;
}

void
mach_condition_wait(struct mach_condition *condition, struct mach_mutex *mutex)
{
    (void)mach_condition_block(condition, mutex, 0, 0);
}

boolean_t
mach_condition_timedwait(struct mach_condition *condition,
                         struct mach_mutex *mutex, unsigned int msec)
{
    return mach_condition_block(condition, mutex, msec, GSYNC_TIMED) !=
           KERN_OPERATION_TIMED_OUT;
}

void
mach_condition_signal(struct mach_condition *condition)
{
    __atomic_fetch_add(&condition->sequence, 1, __ATOMIC_RELEASE);
    (void)gsync_wake(mach_task_self(), &condition->sequence, 0, 0);
}

void
mach_condition_broadcast(struct mach_condition *condition)
{
    __atomic_fetch_add(&condition->sequence, 1, __ATOMIC_RELEASE);
    (void)gsync_wake(mach_task_self(), &condition->sequence, 0,
                     GSYNC_BROADCAST);
}
