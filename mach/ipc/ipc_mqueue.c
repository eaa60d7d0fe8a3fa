/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_mqueue.h. */

#include <debug/assert.h>
#include <ipc/ipc_fast.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_notify.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_space.h>
#include <kern/sched.h>
#include <kern/task.h>
#include <kern/thread.h>

/* Bytes that the thread's buffer must have for the message. */
static mach_msg_size_t
mqueue_needed(const struct thread *thread, const struct ipc_kmsg *kmsg)
{
    return ((kmsg->header.msgh_size + 3) & ~3u) +
           REQUESTED_TRAILER_SIZE(thread->msg.option);
}

void
ipc_mqueue_wake_receivers(struct list *receivers, mach_msg_return_t result)
{
    struct thread *thread;

    while (!list_empty(receivers)) {
        thread = list_entry(list_first(receivers), struct thread, wait_link);
        list_remove(&thread->wait_link);

        if (sched_claim(thread, false)) {
            thread->msg.result = result;
            thread->msg.kmsg = NULL;
            sched_wake(thread, WAIT_AWAKENED);
        }
    }
}

void
ipc_mqueue_wake_senders(struct ipc_port *port)
{
    struct thread *thread;

    while (!list_empty(&port->senders)) {
        thread =
            list_entry(list_first(&port->senders), struct thread, wait_link);
        list_remove(&thread->wait_link);

        if (sched_claim(thread, false)) {
            sched_wake(thread, WAIT_AWAKENED);
        }
    }
}

/* Note who sends it: where that can't be found out later, or is wanted. */
static void
mqueue_identify(struct ipc_kmsg *kmsg)
{
    if ((kmsg->header.msgh_bits & MACH_MSGH_BITS_KERNEL) == 0) {
        ipc_space_identity(current_thread()->task->space, &kmsg->sender);
    }
}

/*
 * Somebody pays for a message that has to wait: the sender, who may exceed
 * its limit by one; or, if it comes by a send-once right, who made that right
 * and will have the message. What the kernel sends is never refused; it was
 * asked for by who pays.
 */
static bool
mqueue_charge(struct ipc_kmsg *kmsg, struct ipc_port *port, bool force)
{
    struct ipc_space *sender = current_thread()->task->space;
    struct ipc_space *payer = sender;

    if (MACH_MSGH_BITS_REMOTE(kmsg->header.msgh_bits) ==
            MACH_MSG_TYPE_PORT_SEND_ONCE &&
        port->receiver != NULL) {
        payer = port->receiver;
    } else if (force) {
        return true; /* an exception, an interrupt: one at a time */
    }

    if (payer != sender && !force && ipc_space_queued_over(payer)) {
        return false;
    }

    kmsg->payer = payer;
    kmsg->charge = MAX(ipc_kmsg_memory(kmsg), IPC_QUEUED_MESSAGE);
    atomic_fetch_add(&payer->queued, kmsg->charge);
    ipc_space_ref(payer); /* ref: kmsg->payer */
    return true;
}

/* The first message of a queue is paid for with the port, if it is small. */
static inline bool
mqueue_is_free(const struct ipc_kmsg *kmsg, const struct ipc_port *port)
{
    return port->msgcount == 0 && kmsg->room <= IPC_KMSG_SMALL &&
           !MACH_MSGH_BITS_IS_COMPLEX(kmsg->header.msgh_bits);
}

void
ipc_mqueue_uncharge(struct ipc_kmsg *kmsg)
{
    struct ipc_space *payer = kmsg->payer;

    if (payer != NULL) {
        kmsg->payer = NULL;
        atomic_fetch_sub(&payer->queued, kmsg->charge);
        ipc_space_unref(payer);
    }
}

/*
 * Claim a waiting receiver with room for the message and give it to it. One
 * without room either consumes it too, as MACH_RCV_TOO_LARGE, or, with
 * MACH_RCV_LARGE, only hears of it.
 */
static struct thread *
mqueue_deliver(struct list *receivers, struct ipc_port *port,
               struct ipc_kmsg *kmsg)
{
    struct thread *thread;
    mach_msg_size_t needed;

    while (!list_empty(receivers)) {
        thread = list_entry(list_first(receivers), struct thread, wait_link);
        list_remove(&thread->wait_link);

        if (!sched_claim(thread, false)) {
            continue;
        }

        needed = mqueue_needed(thread, kmsg);
        thread->msg.needed = needed;
        thread->msg.kmsg = kmsg;
        thread->msg.result = MACH_MSG_SUCCESS;

        if (unlikely(GET_RCV_ELEMENTS(thread->msg.option) >=
                     MACH_RCV_TRAILER_SENDER)) {
            mqueue_identify(kmsg);
        }

        if (likely(needed <= thread->msg.size)) {
            thread->msg.seqno = port->seqno;
            port->seqno++;
            return thread;
        }

        thread->msg.result = MACH_RCV_TOO_LARGE;

        if ((thread->msg.option & MACH_RCV_LARGE) == 0) {
            port->seqno++;
            return thread;
        }

        thread->msg.kmsg = NULL;
        thread->msg.seqno = port->receiver_name;
        sched_wake(thread, WAIT_AWAKENED);
    }

    return NULL;
}

/* Append to the queue of the locked port. */
static void
mqueue_enqueue(struct ipc_port *port, struct ipc_kmsg *kmsg)
{
    struct ipc_pset *pset = port->pset;

    list_insert_tail(&port->messages, &kmsg->link);
    port->msgcount++;

    if (pset != NULL) {
        spin_lock(&pset->lock);

        if (list_empty(&port->ready_link)) {
            list_insert_tail(&pset->ready, &port->ready_link);
        }

        spin_unlock(&pset->lock);
    }
}

/* To a receiver that waits at the port or its set. The port is locked. */
static struct thread *
mqueue_find_receiver(struct ipc_port *port, struct ipc_kmsg *kmsg)
{
    struct ipc_pset *pset = port->pset;
    struct thread *receiver = NULL;

    if (!list_empty(&port->receivers)) {
        receiver = mqueue_deliver(&port->receivers, port, kmsg);
    }

    if (receiver == NULL && pset != NULL) {
        spin_lock(&pset->lock);
        receiver = mqueue_deliver(&pset->receivers, port, kmsg);
        spin_unlock(&pset->lock);
    }

    return receiver;
}

enum ipc_mqueue_result
ipc_mqueue_send(struct ipc_kmsg *kmsg, bool force, struct thread **receiverp)
{
    struct ipc_port *port = ipc_port_from_handle(kmsg->header.msgh_remote_port);
    struct thread *receiver;

    if (receiverp != NULL) {
        *receiverp = NULL;
    }

    assert(IP_VALID(port));
    spin_lock(&port->lock);

    if (unlikely(!port->active)) {
        spin_unlock(&port->lock);
        ipc_kmsg_destroy(kmsg);
        return IPC_MQUEUE_SENT;
    }

    if (port->receiver == &ipc_space_kernel) {
        spin_unlock(&port->lock);
        ipc_kobject_server(kmsg);
        return IPC_MQUEUE_SENT;
    }

    receiver = mqueue_find_receiver(port, kmsg);

    if (receiver == NULL) {
        mqueue_identify(kmsg);

        if (!mqueue_is_free(kmsg, port) && !mqueue_charge(kmsg, port, force)) {
            spin_unlock(&port->lock);
            return IPC_MQUEUE_NO_BUFFER;
        }

        if (port->msgcount >= port->qlimit && !force &&
            MACH_MSGH_BITS_REMOTE(kmsg->header.msgh_bits) !=
                MACH_MSG_TYPE_PORT_SEND_ONCE) {
            spin_unlock(&port->lock);
            return IPC_MQUEUE_FULL;
        }

        mqueue_enqueue(port, kmsg);
    }

    spin_unlock(&port->lock);

    if (receiver != NULL) {
        if (receiverp != NULL) {
            *receiverp = receiver;
        } else {
            sched_wake(receiver, WAIT_AWAKENED);
        }
    }

    return IPC_MQUEUE_SENT;
}

bool
ipc_mqueue_wait_to_send(struct thread *self, uint64_t timeout_ns)
{
    struct ipc_port *port =
        ipc_port_from_handle(self->msg.kmsg->header.msgh_remote_port);

    spin_lock(&port->lock);

    if (!port->active || port->msgcount < port->qlimit) {
        spin_unlock(&port->lock);
        ipc_mqueue_uncharge(self->msg.kmsg);
        return false;
    }

    ipc_port_ref(port); /* ref: self->msg.port */
    self->msg.port = port;

    if (sched_wait_begin(self, true, timeout_ns)) {
        list_insert_tail(&port->senders, &self->wait_link);
    } else {
        atomic_store(&self->wait_state, WAIT_STATE_DONE + WAIT_INTERRUPTED);
    }

    spin_unlock(&port->lock);
    return true;
}

void
ipc_mqueue_leave_senders(struct thread *self)
{
    spin_lock(&self->msg.port->lock);
    list_remove(&self->wait_link);
    spin_unlock(&self->msg.port->lock);
}

void
ipc_mqueue_room(struct ipc_port *port)
{
    struct thread *thread;
    struct ipc_kmsg *kmsg;

    while (port->msgcount < port->qlimit && !list_empty(&port->senders)) {
        thread =
            list_entry(list_first(&port->senders), struct thread, wait_link);
        list_remove(&thread->wait_link);

        if (sched_claim(thread, false)) {
            kmsg = thread->msg.kmsg;
            thread->msg.kmsg = NULL;
            mqueue_enqueue(port, kmsg);
            sched_wake(thread, WAIT_AWAKENED);
        }
    }
}

/* Take the first message of the locked port, if the thread has room. */
static mach_msg_return_t
mqueue_dequeue(struct thread *self, struct ipc_port *port)
{
    struct ipc_kmsg *kmsg =
        list_entry(list_first(&port->messages), struct ipc_kmsg, link);
    struct ipc_pset *pset = port->pset;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;

    self->msg.needed = mqueue_needed(self, kmsg);

    if (self->msg.needed > self->msg.size) {
        if ((self->msg.option & MACH_RCV_LARGE) != 0) {
            self->msg.kmsg = NULL;
            self->msg.seqno = port->receiver_name;
            return MACH_RCV_TOO_LARGE;
        }

        mr = MACH_RCV_TOO_LARGE;
    }

    list_remove(&kmsg->link);
    port->msgcount--;
    ipc_mqueue_uncharge(kmsg);
    self->msg.kmsg = kmsg;
    self->msg.seqno = port->seqno;
    port->seqno++;

    if (pset != NULL) {
        /* Members take turns. */
        spin_lock(&pset->lock);
        list_remove(&port->ready_link);

        if (port->msgcount != 0) {
            list_insert_tail(&pset->ready, &port->ready_link);
        }

        spin_unlock(&pset->lock);
    }

    ipc_mqueue_room(port);
    return mr;
}

/* The first on the list, claimed and off it, or NULL. Its lock is held. */
static struct thread *
mqueue_claim(struct list *receivers)
{
    struct thread *thread;

    while (!list_empty(receivers)) {
        thread = list_entry(list_first(receivers), struct thread, wait_link);
        list_remove(&thread->wait_link);

        if (sched_claim(thread, false)) {
            return thread;
        }
    }

    return NULL;
}

void
ipc_mqueue_joined(struct ipc_port *port)
{
    struct ipc_pset *pset = port->pset;
    struct thread *thread;

    while (port->msgcount != 0) {
        spin_lock(&pset->lock);
        thread = mqueue_claim(&pset->receivers);
        spin_unlock(&pset->lock);

        if (thread == NULL) {
            return;
        }

        thread->msg.result = mqueue_dequeue(thread, port);
        sched_wake(thread, WAIT_AWAKENED);
    }
}

/* Put the thread on a list of waiting receivers, whose lock is held. */
static void
mqueue_wait(struct thread *self, struct list *receivers, bool will_hand_off)
{
    uint64_t timeout = self->msg.timeout_ns;

    self->msg.result = MACH_MSG_SUCCESS;
    self->msg.kmsg = NULL;
    self->msg.room = ipc_fast_room(self->msg.option, self->msg.size, timeout);

    if (will_hand_off) {
        self->state = THREAD_WAITING; /* see kern/sched.c */
    }

    if (sched_wait_begin(self, true, timeout)) {
        list_insert_tail(receivers, &self->wait_link);
    } else {
        atomic_store(&self->wait_state, WAIT_STATE_DONE + WAIT_INTERRUPTED);
    }
}

static mach_msg_return_t
mqueue_receive_port(struct thread *self, struct ipc_port *port, bool wait,
                    bool will_hand_off)
{
    mach_msg_return_t mr = MACH_RCV_TIMED_OUT;
    bool possible = false;

    spin_lock(&port->lock);

    if (port->receiver != self->task->space ||
        port->receiver_name != self->receive.name) {
        mr = MACH_RCV_INVALID_NAME;
    } else if (port->pset != NULL) {
        mr = MACH_RCV_IN_SET;
    } else if (port->msgcount != 0) {
        mr = mqueue_dequeue(self, port);
        possible = port->armed;
    } else if (wait) {
        mqueue_wait(self, &port->receivers, will_hand_off);
    }

    spin_unlock(&port->lock);

    if (unlikely(possible)) {
        ipc_notify_possible(port);
    }

    return mr;
}

static mach_msg_return_t
mqueue_receive_pset(struct thread *self, struct ipc_pset *pset, bool wait,
                    bool will_hand_off)
{
    mach_msg_return_t mr;
    struct ipc_port *port;
    bool possible;

    for (;;) {
        spin_lock(&pset->lock);

        if (!pset->active || pset->name != self->receive.name) {
            spin_unlock(&pset->lock);
            return MACH_RCV_INVALID_NAME;
        }

        if (list_empty(&pset->ready)) {
            if (wait) {
                mqueue_wait(self, &pset->receivers, will_hand_off);
            }

            spin_unlock(&pset->lock);
            return MACH_RCV_TIMED_OUT;
        }

        /* The port's lock comes first: look again under it. */
        port =
            list_entry(list_first(&pset->ready), struct ipc_port, ready_link);
        ipc_port_ref(port);
        spin_unlock(&pset->lock);
        spin_lock(&port->lock);

        if (port->pset == pset && port->msgcount != 0) {
            mr = mqueue_dequeue(self, port);
            possible = port->armed;
            spin_unlock(&port->lock);

            if (unlikely(possible)) {
                ipc_notify_possible(port);
            }

            ipc_port_unref(port);
            return mr;
        }

        spin_unlock(&port->lock);
        ipc_port_unref(port);
    }
}

mach_msg_return_t
ipc_mqueue_receive(struct thread *self, bool wait, bool will_hand_off)
{
    if (self->receive.pset != NULL) {
        return mqueue_receive_pset(self, self->receive.pset, wait,
                                   will_hand_off);
    }

    return mqueue_receive_port(self, self->receive.port, wait, will_hand_off);
}

void
ipc_mqueue_leave_receivers(struct thread *self)
{
    struct spinlock *lock = self->receive.pset != NULL
                                ? &self->receive.pset->lock
                                : &self->receive.port->lock;

    spin_lock(lock);
    list_remove(&self->wait_link);
    spin_unlock(lock);
}
