/* SPDX-License-Identifier: MIT */
/* Events: a hash of queues, by the address of the event. */

#include <debug/assert.h>
#include <kern/list.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/thread.h>
#include <kern/wait.h>

#define WAIT_BUCKETS 256

static struct wait_bucket {
    struct spinlock lock;
    struct list threads; /* (l) through wait_link, first come first */
} wait_buckets[WAIT_BUCKETS];

void
wait_setup(void)
{
    for (unsigned int i = 0; i < WAIT_BUCKETS; i++) {
        spin_init(&wait_buckets[i].lock, LOCK_RANK_WAIT);
        list_init(&wait_buckets[i].threads);
    }
}

static struct wait_bucket *
wait_bucket(const void *event)
{
    uint64_t key = (uint64_t)(uintptr_t)event;

    key = (key >> 4) * 0x9e3779b97f4a7c15ul;
    return &wait_buckets[key >> 56];
}

/* Take the thread off the queue of its event, if it still is there. */
static void
wait_leave(struct thread *self)
{
    struct wait_bucket *bucket = wait_bucket(self->wait_event);

    spin_lock(&bucket->lock);
    list_remove(&self->wait_link);
    spin_unlock(&bucket->lock);
}

void
wait_finish(struct thread *self)
{
    if (self->wait_result != WAIT_AWAKENED) {
        wait_leave(self);
    }

    self->wait_event = NULL;
}

void
thread_wait_on(const void *event, bool interruptible, uint64_t timeout_ns)
{
    struct thread *self = current_thread();
    struct wait_bucket *bucket = wait_bucket(event);

    assert(self->wait_event == NULL);
    self->wait_event = event;
    spin_lock(&bucket->lock);

    if (sched_wait_begin(self, interruptible, timeout_ns)) {
        list_insert_tail(&bucket->threads, &self->wait_link);
    } else {
        atomic_store(&self->wait_state, WAIT_STATE_DONE + WAIT_INTERRUPTED);
    }

    spin_unlock(&bucket->lock);
}

void
thread_wait_cancel(void)
{
    struct thread *self = current_thread();

    wait_leave(self);
    self->wait_event = NULL;

    /* Nobody finds it now; a time-out may have claimed it already. */
    if (sched_claim(self, false)) {
        atomic_store(&self->wait_state, WAIT_STATE_NONE);
    }

    timer_stop(&self->wait_timer);
}

/* Wake up to `most` threads of the event. */
static unsigned int
wait_wakeup(const void *event, unsigned int most)
{
    struct wait_bucket *bucket = wait_bucket(event);
    unsigned int woken = 0;
    struct thread *thread;

    spin_lock(&bucket->lock);

    list_for_each_safe(&bucket->threads, link, following)
    {
        thread = list_entry(link, struct thread, wait_link);

        if (thread->wait_event != event || woken == most) {
            continue;
        }

        list_remove(&thread->wait_link);

        if (sched_claim(thread, false)) {
            woken++;
            sched_wake(thread, WAIT_AWAKENED);
        }
    }

    spin_unlock(&bucket->lock);
    return woken;
}

unsigned int
thread_wakeup(const void *event)
{
    return wait_wakeup(event, ~0u);
}

unsigned int
thread_wakeup_one(const void *event)
{
    return wait_wakeup(event, 1);
}
