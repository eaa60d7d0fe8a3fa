/* SPDX-License-Identifier: MIT */
/*
 * The fast path of a message that the kernel sends for the current thread,
 * which then waits: an exception. To a receiver who waits it goes straight
 * from the stub's frame, and the processor with it; the frame stays valid
 * across the change of threads, since the one that waits has no stack.
 */

#include <ipc/ipc_fast.h>
#include <ipc/ipc_fast_i.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_right.h>
#include <kern/sched_direct.h>
#include <kern/string.h>
#include <machine/copy.h>
#include <machine/copy_message.h>
#include <machine/trap.h>

#define RAISE_SIZE_MAX 256u
#define HEADER_SIZE ((mach_msg_size_t)sizeof(mach_msg_header_t))
#define TRAILER_SIZE ((mach_msg_size_t)sizeof(mach_msg_trailer_t))

#define RAISE_BITS                                                             \
    (MACH_MSGH_BITS_COMPLEX |                                                  \
     MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE))
#define RAISED_BITS (MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS_KERNEL)

/* As the receiver gets it. */
struct raise_message {
    union {
        mach_msg_header_t header;
        mach_msg_payload_header_t payload_header;
        uint64_t words[(RAISE_SIZE_MAX + sizeof(mach_msg_trailer_t)) /
                       sizeof(uint64_t)];
    };
};

/* The wait that has begun becomes one of a thread that is about to leave the
 * processor; false if it has ended. */
static bool
raise_wait(struct thread *self)
{
    uint32_t begun =
        (uint32_t)THREAD_RUN_WORD(THREAD_RUNNING, WAIT_STATE_INTERRUPTIBLE, 1);

    return atomic_compare_exchange_strong(
        &self->run_low, &begun,
        (uint32_t)THREAD_RUN_WORD(THREAD_WAITING, WAIT_STATE_INTERRUPTIBLE, 1));
}

/* The reverse. If somebody ended the wait meanwhile, thread_block() sees. */
static void
raise_unwait(struct thread *self)
{
    uint32_t waits =
        (uint32_t)THREAD_RUN_WORD(THREAD_WAITING, WAIT_STATE_INTERRUPTIBLE, 1);

    (void)atomic_compare_exchange_strong(
        &self->run_low, &waits,
        (uint32_t)THREAD_RUN_WORD(THREAD_RUNNING, WAIT_STATE_INTERRUPTIBLE, 1));
}

/* Take hold of the receiver, and put the reply right into its slot. */
static bool
raise_claim(struct thread *self, struct thread *receiver,
            struct ipc_port *reply)
{
    uint64_t empty, full;

    if (!fast_slot(receiver) || !raise_wait(self)) {
        return false;
    }

    empty = IPC_REPLY_MAKE(receiver->reply_name, 0);
    full = IPC_REPLY_MAKE(receiver->reply_name, ipc_port_live_handle(reply));

    if (atomic_compare_exchange_strong(&receiver->reply, &empty, full)) {
        if (fast_claim(receiver)) {
            return true;
        }

        /* If somebody has made it a name, that stays a right like another,
         * of which the receiver never hears: then a new one is made. */
        if (!atomic_compare_exchange_strong(&receiver->reply, &full, empty)) {
            ipc_port_make_sonce_locked(reply);
        }
    }

    raise_unwait(self);
    return false;
}

/* The header, under the port's lock; the send right has served. */
static void
raise_header(struct ipc_port *port, struct thread *receiver,
             const mach_msg_header_t *from, struct raise_message *message)
{
    mach_msg_header_t *to = &message->header;

    port->seqno++;
    port->srights--;
    refcount_unref_held(&port->refs); /* the receive right holds it */
    to->msgh_bits = RAISED_BITS | MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE,
                                                 MACH_MSG_TYPE_PORT_SEND);
    to->msgh_size = from->msgh_size;
    to->msgh_remote_port = receiver->reply_name;
    to->msgh_local_port = port->receiver_name;
    to->msgh_voucher_port = 0;
    to->msgh_id = from->msgh_id;

    if (port->has_payload) {
        to->msgh_bits =
            RAISED_BITS | MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE,
                                         MACH_MSG_TYPE_PROTECTED_PAYLOAD);
        message->payload_header.msgh_protected_payload = port->payload;
    }
}

/* A claimed receiver for the message, and its header. The locks are dropped
 * again. NULL: nothing has been done. */
static struct thread *
raise_find(struct thread *self, const mach_msg_header_t *from,
           struct raise_message *message)
{
    struct ipc_port *port = ipc_port_from_handle(from->msgh_remote_port);
    struct ipc_port *reply = ipc_port_from_handle(from->msgh_local_port);
    struct thread *receiver = NULL;
    struct ipc_pset *pset;

    spin_lock(&port->lock);
    pset = port->pset;

    if (pset != NULL) {
        spin_lock(&pset->lock);
    }

    if (port->srights > 1) {
        receiver =
            fast_receiver(pset != NULL ? &pset->receivers : &port->receivers,
                          from->msgh_size);
    }

    if (receiver != NULL && !raise_claim(self, receiver, reply)) {
        receiver = NULL;
    }

    if (receiver != NULL) {
        list_unlink(&receiver->wait_link);
        raise_header(port, receiver, from, message);
    }

    if (pset != NULL) {
        spin_unlock(&pset->lock);
    }

    spin_unlock(&port->lock);
    return receiver;
}

/* Change to the receiver and finish its trap, on the same stack. */
NORETURN static void
raise_arrive(struct thread *self, struct thread *receiver,
             continuation_t continuation, struct raise_message *message,
             mach_msg_return_t mr)
{
    mach_msg_size_t size = message->header.msgh_size + TRAILER_SIZE;
    mach_msg_trailer_t *trailer =
        (void *)((char *)message + message->header.msgh_size);
    vm_offset_t buffer = receiver->msg.buffer;

    trailer->msgh_trailer_type = MACH_MSG_TRAILER_FORMAT_0;
    trailer->msgh_trailer_size = TRAILER_SIZE;
    cpu_interrupts_disable();
    self->continuation = continuation;
    sched_direct(self, receiver);

    if (unlikely(!copy_message_range(buffer)) ||
        unlikely(!copyout_message(buffer, message->words[0], message->words[1],
                                  message->words[2], &message->words[3],
                                  size - HEADER_SIZE))) {
        cpu_interrupts_enable();

        if (!copyout(message, buffer, size)) {
            mr = MACH_RCV_INVALID_DATA;
        }

        cpu_interrupts_disable();
    }

    thread_return_result(receiver, (uint64_t)mr);
}

/* Does it look as such messages do: two rights in the header, and none in the
 * body but send rights? */
static bool
raise_fits(mach_msg_header_t *message, mach_msg_size_t size)
{
    mach_msg_base_t *base = (void *)message;
    mach_msg_port_descriptor_t *descriptor = (void *)(base + 1);

    if (message->msgh_bits != RAISE_BITS || size > RAISE_SIZE_MAX ||
        (size & 3) != 0) {
        return false;
    }

    for (mach_msg_size_t i = 0; i < base->body.msgh_descriptor_count; i++) {
        if (descriptor[i].type != MACH_MSG_PORT_DESCRIPTOR ||
            descriptor[i].disposition != MACH_MSG_TYPE_COPY_SEND) {
            return false;
        }
    }

    return true;
}

void
ipc_fast_raise(struct thread *self, mach_msg_header_t *message,
               mach_msg_size_t size, continuation_t continuation)
{
    struct thread *receiver;
    struct raise_message raised;
    mach_msg_port_descriptor_t *descriptor;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;
    mach_port_name_t name;
    struct ipc_port *port;
    kern_return_t kr;

    message->msgh_size = size;

    if (!raise_fits(message, size)) {
        return;
    }

    receiver = raise_find(self, message, &raised);

    if (receiver == NULL) {
        return;
    }

    memcpy(&raised.words[3], message + 1, size - HEADER_SIZE);
    descriptor = (void *)((char *)&raised + sizeof(mach_msg_base_t));

    for (mach_msg_size_t i = 0;
         i < ((mach_msg_base_t *)(void *)&raised)->body.msgh_descriptor_count;
         i++) {
        port = ipc_port_from_handle(descriptor[i].name);
        kr = IP_VALID(port) &&
                     ipc_right_copyout_known(receiver->space, port, &name)
                 ? KERN_SUCCESS
                 : ipc_right_copyout(receiver->space, port,
                                     MACH_MSG_TYPE_PORT_SEND, &name);
        descriptor[i].name = name;
        descriptor[i].disposition = MACH_MSG_TYPE_PORT_SEND;

        if (unlikely(kr != KERN_SUCCESS)) {
            mr |= MACH_RCV_BODY_ERROR | ipc_kmsg_error(kr);
        }
    }

    raise_arrive(self, receiver, continuation, &raised, mr);
}
