/* SPDX-License-Identifier: MIT */
/* What the fast paths of messages share: finding a receiver who waits, and
 * taking hold of it. */

#ifndef IPC_IPC_FAST_I_H
#define IPC_IPC_FAST_I_H

#include <ipc/ipc_reply.h>
#include <ipc/ipc_space.h>
#include <kern/list.h>
#include <kern/macros.h>
#include <kern/thread.h>

/* A thread that waits on the list, with room; nobody's yet. Its lock, which
 * the caller holds, keeps it there. A port on which somebody waits is alive
 * and a space's. */
static ALWAYS_INLINE struct thread *
fast_receiver(struct list *receivers, mach_msg_size_t size)
{
    struct thread *receiver =
        list_entry(list_first(receivers), struct thread, wait_link);

    if (unlikely(list_empty(receivers)) ||
        unlikely(receiver->msg.room < (int64_t)size)) {
        return NULL;
    }

    return receiver;
}

/* The receiver is ours if nobody else was first and it is wholly at rest:
 * from here on it runs. */
static ALWAYS_INLINE bool
fast_claim(struct thread *receiver)
{
    uint64_t waits =
        THREAD_RUN_WORD(THREAD_WAITING, WAIT_STATE_INTERRUPTIBLE, 0);

    return likely(atomic_compare_exchange_strong_explicit(
        &receiver->run_word, &waits,
        THREAD_RUN_WORD(THREAD_RUNNING, WAIT_STATE_NONE, 1),
        memory_order_acquire, memory_order_relaxed));
}

/* Make sure that the receiver has an empty slot for the reply right, and that
 * its space may have one more name. */
static ALWAYS_INLINE bool
fast_slot(struct thread *receiver)
{
    const struct ipc_space *space = receiver->space;

    return likely(space->count < space->limit) &&
           (likely(receiver->reply_handle == 0) || ipc_reply_renew(receiver));
}

#endif /* IPC_IPC_FAST_I_H */
