/* SPDX-License-Identifier: MIT */
/*
 * Waiting for an event, which is any address. The order is: thread_wait_on()
 * under the lock that guards the condition, drop the lock, thread_block().
 * A wake-up in between is not lost.
 */

#ifndef KERN_WAIT_H
#define KERN_WAIT_H

#include <stdbool.h>
#include <stdint.h>

enum wait_result {
    WAIT_AWAKENED,    /* thread_wakeup */
    WAIT_TIMED_OUT,   /* the time-out passed */
    WAIT_INTERRUPTED, /* thread_abort or termination */
};

struct thread;

/* What runs when a thread that gave up its stack goes on. Never returns. */
typedef void (*continuation_t)(struct thread *self);

/*
 * Declare that the current thread will wait for `event` at its next
 * thread_block(). timeout_ns: 0 means for ever. An uninterruptible wait is
 * not ended by thread_abort.
 *
 * Locks: takes LOCK_RANK_WAIT and above.
 */
void thread_wait_on(const void *event, bool interruptible, uint64_t timeout_ns);

/* Take back a thread_wait_on() (the condition came true meanwhile). */
void thread_wait_cancel(void);

/*
 * Give the processor away until the wait ends. With a continuation the thread
 * keeps no kernel stack and goes on there, else this returns. The result of
 * the wait is in self->wait_result, also returned.
 */
enum wait_result thread_block(continuation_t continuation);

/* Wake all, or the first, of those that wait for `event`. Returns how many. */
unsigned int thread_wakeup(const void *event);
unsigned int thread_wakeup_one(const void *event);

/* The scheduler's: the wait of the current thread has ended. */
void wait_finish(struct thread *self);

void wait_setup(void);

#endif /* KERN_WAIT_H */
