/* SPDX-License-Identifier: MIT */
/*
 * newlib's locks over libmach's mutexes. One kind serves for both: a lock
 * that its owner may take again.
 */

#include <stdlib.h>
#include <sys/lock.h>

#include <libmach/sync.h>
#include <mach/mach_init.h>

struct __lock {
    struct mach_mutex mutex;
    unsigned int depth;
    const struct mach_tcb *owner;
};

struct __lock __lock___arc4random_mutex;
struct __lock __lock___at_quick_exit_mutex;
struct __lock __lock___atexit_recursive_mutex;
struct __lock __lock___dd_hash_mutex;
struct __lock __lock___env_recursive_mutex;
struct __lock __lock___malloc_recursive_mutex;
struct __lock __lock___sfp_recursive_mutex;
struct __lock __lock___sinit_recursive_mutex;
struct __lock __lock___tz_mutex;

void
__retarget_lock_init(_LOCK_T *lockp)
{
    *lockp = calloc(1, sizeof(**lockp));

    if (*lockp == NULL) {
        abort();
    }
}

void
__retarget_lock_close(_LOCK_T lock)
{
    free(lock);
}

void
__retarget_lock_acquire(_LOCK_T lock)
{
    const struct mach_tcb *self = mach_tcb_self();

    /* Only this thread can have stored its own address there. */
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != self) {
        mach_mutex_lock(&lock->mutex);
        __atomic_store_n(&lock->owner, self, __ATOMIC_RELAXED);
    }

    lock->depth++;
}

int
__retarget_lock_try_acquire(_LOCK_T lock)
{
    const struct mach_tcb *self = mach_tcb_self();

    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != self) {
        if (!mach_mutex_trylock(&lock->mutex)) {
            return 0;
        }

        __atomic_store_n(&lock->owner, self, __ATOMIC_RELAXED);
    }

    lock->depth++;
    return 1;
}

void
__retarget_lock_release(_LOCK_T lock)
{
    lock->depth--;

    if (lock->depth == 0) {
        __atomic_store_n(&lock->owner, NULL, __ATOMIC_RELAXED);
        mach_mutex_unlock(&lock->mutex);
    }
}

void
__retarget_lock_init_recursive(_LOCK_T *lockp)
{
    __retarget_lock_init(lockp);
}

void
__retarget_lock_close_recursive(_LOCK_T lock)
{
    __retarget_lock_close(lock);
}

void
__retarget_lock_acquire_recursive(_LOCK_T lock)
{
    __retarget_lock_acquire(lock);
}

int
__retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    return __retarget_lock_try_acquire(lock);
}

void
__retarget_lock_release_recursive(_LOCK_T lock)
{
    __retarget_lock_release(lock);
}
