/* SPDX-License-Identifier: MIT */
/*
 * newlib's locks: the nine that it has by name, and those of streams. All of
 * them are recursive; a stream's lock that can't be allocated is shared.
 */

#include <stdlib.h>
#include <sys/lock.h>

#include <libmach/sync.h>
#include <mach/mach_init.h>

struct __lock {
    struct mach_mutex mutex;
    unsigned int depth;
    struct mach_tcb *owner;
};

struct __lock __lock___sinit_recursive_mutex;
struct __lock __lock___sfp_recursive_mutex;
struct __lock __lock___atexit_recursive_mutex;
struct __lock __lock___at_quick_exit_mutex;
struct __lock __lock___malloc_recursive_mutex;
struct __lock __lock___env_recursive_mutex;
struct __lock __lock___tz_mutex;
struct __lock __lock___dd_hash_mutex;
struct __lock __lock___arc4random_mutex;

static struct __lock lock_fallback;

void
__retarget_lock_init_recursive(_LOCK_T *lockp)
{
    struct __lock *lock = calloc(1, sizeof(*lock));

    *lockp = (lock != NULL) ? lock : &lock_fallback;
}

void
__retarget_lock_close_recursive(_LOCK_T lock)
{
    if (lock != &lock_fallback) {
        free(lock);
    }
}

void
__retarget_lock_acquire_recursive(_LOCK_T lock)
{
    struct mach_tcb *self = mach_tcb_self();

    if (lock->owner != self) {
        mach_mutex_lock(&lock->mutex);
        lock->owner = self;
    }

    lock->depth++;
}

int
__retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    struct mach_tcb *self = mach_tcb_self();

    if (lock->owner != self) {
        if (!mach_mutex_trylock(&lock->mutex)) {
            return 0;
        }

        lock->owner = self;
    }

    lock->depth++;
    return 1;
}

void
__retarget_lock_release_recursive(_LOCK_T lock)
{
    lock->depth--;

    if (lock->depth == 0) {
        lock->owner = NULL;
        mach_mutex_unlock(&lock->mutex);
    }
}

void
__retarget_lock_init(_LOCK_T *lockp)
{
    __retarget_lock_init_recursive(lockp);
}

void
__retarget_lock_close(_LOCK_T lock)
{
    __retarget_lock_close_recursive(lock);
}

void
__retarget_lock_acquire(_LOCK_T lock)
{
    __retarget_lock_acquire_recursive(lock);
}

int
__retarget_lock_try_acquire(_LOCK_T lock)
{
    return __retarget_lock_try_acquire_recursive(lock);
}

void
__retarget_lock_release(_LOCK_T lock)
{
    __retarget_lock_release_recursive(lock);
}
