/* SPDX-License-Identifier: MIT */
/*
 * Message queues: those of ports, and through them of port sets. A message
 * goes straight to a waiting receiver if there is one. Who waits (to send or
 * to receive) is claimed by exactly one waker, see kern/sched.c, and finds
 * the outcome in its own struct thread, member msg.
 */

#ifndef IPC_IPC_MQUEUE_H
#define IPC_IPC_MQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_space.h>
#include <kern/list.h>
#include <kern/macros.h>
#include <mach/message.h>

struct ipc_kmsg;
struct ipc_port;
struct ipc_pset;
struct ipc_space;
struct thread;

/* How ipc_mqueue_send() ended. */
enum ipc_mqueue_result {
    IPC_MQUEUE_SENT, /* consumed: queued, delivered, or its port was dead */
    IPC_MQUEUE_FULL, /* not consumed: the queue is full */
    IPC_MQUEUE_NO_BUFFER, /* not consumed: its receiver has too many */
};

/*
 * Send a kmsg. With `force` the queue's limit does not count (kernel
 * messages, replies). A receiver that got it is woken, or, if receiverp is
 * given, returned claimed, for sched_wake() or sched_handoff().
 *
 * Locks: takes and drops those of the port and its set; none held.
 */
MUST_CHECK enum ipc_mqueue_result
ipc_mqueue_send(struct ipc_kmsg *kmsg, bool force, struct thread **receiverp);

/*
 * The queue was full: note that the current thread waits for room, its kmsg
 * in self->msg.kmsg. False if there is room now (try again). The caller then
 * blocks; whoever makes room takes the kmsg and leaves NULL there.
 */
MUST_CHECK bool
ipc_mqueue_wait_to_send(struct thread *self, uint64_t timeout_ns);

/* Stop waiting to send, after a time-out or an abort. */
void ipc_mqueue_leave_senders(struct thread *self);

/*
 * Take a message for the current thread, from self->receive.port or .pset.
 *
 * Returns: MACH_MSG_SUCCESS (self->msg.kmsg), MACH_RCV_TOO_LARGE (then kmsg
 *          is the message to destroy, or NULL if it stays queued; needed is
 *          its size), MACH_RCV_INVALID_NAME: self->receive.name is no longer
 *          its name here, MACH_RCV_IN_SET, MACH_RCV_TIMED_OUT: the queue is
 *          empty; if `wait`, the thread is on the list of waiting receivers.
 */
MUST_CHECK mach_msg_return_t ipc_mqueue_receive(struct thread *self, bool wait,
                                                bool will_hand_off);

/* Stop waiting to receive, after a time-out or an abort. */
void ipc_mqueue_leave_receivers(struct thread *self);

/* A short message waits at its sender's expense. Its port is locked. */
static inline void
ipc_mqueue_charge_sender(struct ipc_kmsg *kmsg, struct ipc_space *sender)
{
    kmsg->payer = sender;
    kmsg->charge = IPC_QUEUED_MESSAGE;
    atomic_fetch_add(&sender->queued, IPC_QUEUED_MESSAGE);
    ipc_space_ref(sender); /* ref: kmsg->payer */
}

/* Wake all on the list with this result. The list's lock is held. */
void
ipc_mqueue_wake_receivers(struct list *receivers, mach_msg_return_t result);

/* It is not queued any more, and waits no more: nobody pays for it. */
void ipc_mqueue_uncharge(struct ipc_kmsg *kmsg);

/* The locked port has just joined a set, which is not locked: its messages go
 * to those that wait there. */
void ipc_mqueue_joined(struct ipc_port *port);

/* The locked port may have room: let messages of waiting senders in. */
void ipc_mqueue_room(struct ipc_port *port);

/* The locked port died: senders that wait give up. */
void ipc_mqueue_wake_senders(struct ipc_port *port);

#endif /* IPC_IPC_MQUEUE_H */
