/* SPDX-License-Identifier: MIT */
/*
 * Record locks: a list per file of ranges that do not overlap for one owner.
 * Setting a range first cuts it out of what the owner has.
 */

#include <stdlib.h>

#include "call.h"
#include "lock.h"
#include "process.h"
#include "vnode.h"

#define LOCKS_MAX 4096

struct file_lock {
    struct list link; /* in vnode->locks */
    struct process *owner;
    struct lock_range range;
};

static uint32_t lock_count;
static struct wait_queue lock_waiters = { { &lock_waiters.links,
                                            &lock_waiters.links } };

struct wait_queue *
lock_queue(void)
{
    return &lock_waiters;
}

static bool
lock_overlap(const struct lock_range *a, const struct lock_range *b)
{
    return a->start < b->end && b->start < a->end;
}

static struct file_lock *
lock_conflict(struct vnode *vnode, struct process *process,
              const struct lock_range *range)
{
    struct list *link;

    list_for_each(&vnode->locks, link)
    {
        struct file_lock *lock = list_entry(link, struct file_lock, link);

        if (lock->owner != process && lock_overlap(&lock->range, range) &&
            (lock->range.type == UNIX_F_WRLCK || range->type == UNIX_F_WRLCK)) {
            return lock;
        }
    }

    return NULL;
}

int
lock_test(struct vnode *vnode, struct process *process,
          struct lock_range *range)
{
    struct file_lock *lock = lock_conflict(vnode, process, range);

    if (lock == NULL) {
        return 0;
    }

    *range = lock->range;
    return lock->owner->pid;
}

static void
lock_destroy(struct file_lock *lock)
{
    list_remove(&lock->link);
    lock_count--;
    free(lock);
}

/* Take a range out of one lock; `spare` becomes its second half if there are
 * two. True: it was used. */
static bool
lock_cut(struct file_lock *lock, const struct lock_range *range,
         struct file_lock *spare)
{
    if (lock->range.start < range->start && lock->range.end > range->end) {
        *spare = *lock;
        spare->range.start = range->end;
        lock->range.end = range->start;
        list_insert_tail(&lock->link, &spare->link);
        return true;
    }

    if (lock->range.start < range->start) {
        lock->range.end = range->start;
    } else if (lock->range.end > range->end) {
        lock->range.start = range->end;
    } else {
        lock_destroy(lock);
    }

    return false;
}

static struct file_lock *
lock_create(void)
{
    struct file_lock *lock;

    if (lock_count >= LOCKS_MAX) {
        return NULL;
    }

    lock = malloc(sizeof(*lock));
    lock_count += lock != NULL;
    return lock;
}

static void
lock_free(struct file_lock *lock)
{
    if (lock != NULL) {
        lock_count--;
        free(lock);
    }
}

int
lock_set(struct vnode *vnode, struct process *process,
         const struct lock_range *range)
{
    struct file_lock *lock;
    struct file_lock *spare;
    struct list *link;
    struct list *next;

    if (range->type != UNIX_F_UNLCK &&
        lock_conflict(vnode, process, range) != NULL) {
        return EAGAIN;
    }

    lock = lock_create();
    spare = lock_create();

    if (lock == NULL || spare == NULL) {
        lock_free(lock);
        lock_free(spare);
        return ENOLCK;
    }

    list_for_each_safe(&vnode->locks, link, next)
    {
        struct file_lock *old = list_entry(link, struct file_lock, link);

        if (old->owner == process && lock_overlap(&old->range, range) &&
            lock_cut(old, range, spare)) {
            spare = NULL;
            break;
        }
    }

    lock_free(spare);

    if (range->type == UNIX_F_UNLCK) {
        lock_free(lock);
    } else {
        lock->owner = process;
        lock->range = *range;
        list_insert_tail(&vnode->locks, &lock->link);
    }

    wait_queue_wake(&lock_waiters);
    return 0;
}

void
lock_release_process(struct vnode *vnode, struct process *process)
{
    struct list *link;
    struct list *next;
    bool any = false;

    if (vnode == NULL) {
        return;
    }

    list_for_each_safe(&vnode->locks, link, next)
    {
        struct file_lock *lock = list_entry(link, struct file_lock, link);

        if (lock->owner == process) {
            lock_destroy(lock);
            any = true;
        }
    }

    if (any) {
        wait_queue_wake(&lock_waiters);
    }
}
