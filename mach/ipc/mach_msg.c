/* SPDX-License-Identifier: MIT */
/*
 * The message trap: send, receive, or both. This is the general path; every
 * wait in it is by continuation, so a thread that waits here keeps no kernel
 * stack, and all it needs is in self->msg.
 */

#include <debug/assert.h>
#include <ipc/ipc_fast.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_scatter.h>
#include <ipc/ipc_short.h>
#include <ipc/ipc_space.h>
#include <ipc/mach_msg.h>
#include <kern/sched.h>
#include <kern/string.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/context.h>
#include <machine/copy.h>
#include <machine/trap.h>

#define OPTIONS_KNOWN                                                          \
    (MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_LARGE | MACH_RCV_LARGE_IDENTITY | \
     MACH_RCV_OVERWRITE | MACH_SEND_TIMEOUT | MACH_SEND_INTERRUPT |            \
     MACH_SEND_NOTIFY | MACH_RCV_TIMEOUT | MACH_RCV_INTERRUPT |                \
     MACH_RCV_TRAILER_TYPE(0xf) | MACH_RCV_TRAILER_ELEMENTS(0xf))

/* Those that ask for nothing but a message and how long to wait. */
#define OPTIONS_USUAL                                                          \
    (MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_LARGE | MACH_SEND_TIMEOUT |       \
     MACH_SEND_INTERRUPT | MACH_RCV_TIMEOUT | MACH_RCV_INTERRUPT)

#define NS_PER_MS 1000000ul

static void mach_msg_send_continue(struct thread *self);

/* The trap ends with this result, from a continuation. */
NORETURN static void
mach_msg_return(struct thread *self, mach_msg_return_t mr)
{
    context_set_result(self, (uint64_t)(int64_t)mr);
    thread_return();
}

/* -- Receive ---------------------------------------------------------------- */

/* Put another object in the place of what the thread received from last. */
static void
receive_replace(struct thread *self, struct ipc_port *port,
                struct ipc_pset *pset, mach_port_name_t name)
{
    struct ipc_port *old_port = self->receive.port;
    struct ipc_pset *old_pset = self->receive.pset;

    self->receive.port = port;
    self->receive.pset = pset;
    self->receive.name = name;
    self->receive.handle = (uint64_t)ipc_port_live_handle(port) << 32;

    if (old_port != &ipc_port_none) {
        ipc_port_unref(old_port);
    }

    if (old_pset != NULL) {
        ipc_pset_unref(old_pset);
    }
}

mach_msg_return_t
mach_msg_receive_find(struct thread *self, mach_port_name_t name)
{
    struct ipc_space *space = self->task->space;
    struct ipc_port *port = &ipc_port_none;
    struct ipc_pset *pset = NULL;
    struct ipc_entry *entry;

    spin_lock(&space->lock);
    entry = ipc_entry_lookup_inline(space, name);

    if (entry != NULL && (entry->type & IE_RECEIVE) != 0) {
        port = entry->object;
        ipc_port_ref(port); /* ref: self->receive.port */
    } else if (entry != NULL && entry->type == IE_PORT_SET) {
        pset = entry->object;
        ipc_pset_ref(pset); /* ref: self->receive.pset */
    } else {
        name = MACH_PORT_NULL;
    }

    spin_unlock(&space->lock);
    receive_replace(self, port, pset, name);
    return name == MACH_PORT_NULL ? MACH_RCV_INVALID_NAME : MACH_MSG_SUCCESS;
}

void
mach_msg_receive_forget(struct thread *self)
{
    receive_replace(self, &ipc_port_none, NULL, MACH_PORT_NULL);
}

/* What a receiver gets of a message that did not fit: its size, and of one
 * that is still queued the port where it is. */
static mach_msg_return_t
receive_too_large(struct thread *self, mach_msg_return_t mr)
{
    mach_msg_header_t header = {
        .msgh_size =
            self->msg.needed - REQUESTED_TRAILER_SIZE(self->msg.option),
    };

    if (self->msg.kmsg != NULL) {
        ipc_kmsg_destroy(self->msg.kmsg);
        self->msg.kmsg = NULL;
    } else if ((self->msg.option & MACH_RCV_LARGE_IDENTITY) != 0) {
        header.msgh_local_port = self->msg.seqno;
    }

    if (self->msg.size >= sizeof(header) &&
        !copyout(&header, self->msg.buffer, sizeof(header))) {
        return MACH_RCV_INVALID_DATA;
    }

    return mr;
}

/* The trailer begins at the next multiple of 4 behind the message. */
static mach_msg_size_t
receive_trailer(struct thread *self, struct ipc_kmsg *kmsg)
{
    return ipc_kmsg_trailer(
        kmsg, self->msg.option, self->msg.seqno,
        (void *)((char *)&kmsg->header + ((kmsg->header.msgh_size + 3) & ~3u)));
}

/* self->msg.kmsg has arrived and fits. */
static mach_msg_return_t
receive_copyout(struct thread *self)
{
    struct ipc_kmsg *kmsg = self->msg.kmsg;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;
    mach_msg_size_t size;

    if (unlikely((self->msg.option & MACH_RCV_OVERWRITE) != 0)) {
        mr = ipc_scatter(kmsg, self->task->map, self->msg.buffer,
                         self->msg.size);

        if (mr == MACH_RCV_SCATTER_SMALL) {
            return receive_too_large(self, mr);
        }
    }

    self->msg.kmsg = NULL;
    mr |= ipc_kmsg_copyout(kmsg, self->task->space, self->task->map);
    size = (kmsg->header.msgh_size + 3) & ~3u;
    size += receive_trailer(self, kmsg);

    if (!copyout(&kmsg->header, self->msg.buffer, size)) {
        /* The rights are in the space by now; the receiver gave a bad
         * buffer and only it loses. */
        mr = MACH_RCV_INVALID_DATA;
    }

    ipc_kmsg_free(kmsg);
    return mr;
}

/* The wait has an outcome. */
static mach_msg_return_t
receive_finish(struct thread *self, mach_msg_return_t mr)
{
    switch (mr) {
    case MACH_MSG_SUCCESS:
        return receive_copyout(self);
    case MACH_RCV_TOO_LARGE:
        return receive_too_large(self, mr);
    case MACH_RCV_TIMED_OUT:
    case MACH_RCV_INTERRUPTED:
        return mr;
    default:
        mach_msg_receive_forget(self); /* it is no longer what it was */
        return mr;
    }
}

static mach_msg_return_t
receive_wait_result(struct thread *self, enum wait_result result)
{
    if (result == WAIT_AWAKENED) {
        return self->msg.result;
    }

    ipc_mqueue_leave_receivers(self);
    return result == WAIT_TIMED_OUT ? MACH_RCV_TIMED_OUT : MACH_RCV_INTERRUPTED;
}

void
mach_msg_receive_continue(struct thread *self)
{
    mach_msg_return_t mr = receive_wait_result(self, self->wait_result);

    mach_msg_return(self, receive_finish(self, mr));
}

/* `next`: the receiver of what was just sent, claimed, or NULL. */
static mach_msg_return_t
mach_msg_receive(struct thread *self, struct thread *next)
{
    bool wait =
        (self->msg.option & MACH_RCV_TIMEOUT) == 0 || self->msg.timeout_ns != 0;
    mach_msg_return_t mr;

    if (next != NULL && ipc_short_wait(self)) {
        sched_handoff(self, mach_msg_receive_continue, next, WAIT_AWAKENED);
    }

    if ((self->msg.option & MACH_RCV_TIMEOUT) == 0) {
        self->msg.timeout_ns = 0;
    }

    mr = MACH_RCV_INVALID_NAME;

    if (self->receive.name == self->msg.name &&
        self->msg.name != MACH_PORT_NULL) {
        mr = ipc_mqueue_receive(self, wait, next != NULL);
    }

    if (mr == MACH_RCV_INVALID_NAME) {
        mr = mach_msg_receive_find(self, self->msg.name);

        if (mr == MACH_MSG_SUCCESS) {
            mr = ipc_mqueue_receive(self, wait, next != NULL);
        }
    }

    if (mr == MACH_RCV_TIMED_OUT && wait) {
        /* An abort that was pending has ended the wait already. */
        if (next != NULL && atomic_load(&self->wait_state) < WAIT_STATE_DONE) {
            sched_handoff(self, mach_msg_receive_continue, next, WAIT_AWAKENED);
        }

        if (next != NULL) {
            sched_wake(next, WAIT_AWAKENED);
        }

        thread_block(mach_msg_receive_continue);
    }

    if (next != NULL) {
        sched_wake(next, WAIT_AWAKENED);
    }

    return receive_finish(self, mr);
}

/* -- Send ------------------------------------------------------------------- */

/* The message goes back to the sender: it may try again. */
static mach_msg_return_t
send_return(struct thread *self, mach_msg_return_t mr)
{
    struct ipc_kmsg *kmsg = self->msg.kmsg;

    self->msg.kmsg = NULL;
    ipc_mqueue_uncharge(kmsg);
    mr |= ipc_kmsg_copyout_pseudo(kmsg, self->task->space, self->task->map);

    if ((self->msg.option & MACH_SEND_NOTIFY) != 0) {
        ipc_right_request_arm(self->task->space, kmsg->header.msgh_remote_port);
    }

    if (!copyout(&kmsg->header, self->msg.send_buffer,
                 kmsg->header.msgh_size)) {
        mr = MACH_SEND_INVALID_DATA;
    }

    ipc_kmsg_free(kmsg);
    return mr;
}

/* self->msg.kmsg is to be sent. May block, and go on in the continuation. */
static mach_msg_return_t
mach_msg_send(struct thread *self, uint64_t timeout_ns,
              struct thread **receiverp)
{
    bool may_wait =
        (self->msg.option & MACH_SEND_TIMEOUT) == 0 || timeout_ns != 0;
    enum ipc_mqueue_result result;

    for (;;) {
        result = ipc_mqueue_send(self->msg.kmsg, false, receiverp);

        if (likely(result == IPC_MQUEUE_SENT)) {
            break;
        }

        if (result == IPC_MQUEUE_NO_BUFFER || !may_wait) {
            return send_return(self, result == IPC_MQUEUE_FULL
                                         ? MACH_SEND_TIMED_OUT
                                         : MACH_SEND_NO_BUFFER);
        }

        if (ipc_mqueue_wait_to_send(
                self,
                (self->msg.option & MACH_SEND_TIMEOUT) != 0 ? timeout_ns : 0)) {
            thread_block(mach_msg_send_continue);
        }
    }

    self->msg.kmsg = NULL;
    return MACH_MSG_SUCCESS;
}

static void
mach_msg_send_continue(struct thread *self)
{
    enum wait_result result = self->wait_result;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;

    if (result != WAIT_AWAKENED) {
        ipc_mqueue_leave_senders(self);
    }

    ipc_port_unref(self->msg.port);
    self->msg.port = NULL;

    if (result != WAIT_AWAKENED) {
        mr =
            send_return(self, result == WAIT_TIMED_OUT ? MACH_SEND_TIMED_OUT
                                                       : MACH_SEND_INTERRUPTED);
    } else if (self->msg.kmsg != NULL) {
        ipc_kmsg_destroy(self->msg.kmsg); /* the port died meanwhile */
        self->msg.kmsg = NULL;
    }

    if (mr == MACH_MSG_SUCCESS && (self->msg.option & MACH_RCV_MSG) != 0) {
        mr = mach_msg_receive(self, NULL);
    }

    mach_msg_return(self, mr);
}

/* -- The trap --------------------------------------------------------------- */

static NOINLINE mach_msg_return_t
check_options(mach_msg_option_t option, mach_port_name_t notify)
{
    /* Forms of older Machs: see mach_port_request_notification. */
    if ((option & MACH_RCV_NOTIFY) != 0) {
        return MACH_RCV_INVALID_NOTIFY;
    }

    if ((option & ~OPTIONS_KNOWN) != 0) {
        return MACH_SEND_INVALID_HEADER;
    }

    if ((option & MACH_RCV_MSG) != 0 &&
        GET_RCV_TRAILER(option) > MACH_RCV_TRAILER_AUDIT) {
        return MACH_RCV_INVALID_TRAILER;
    }

    if ((option & MACH_SEND_NOTIFY) != 0 && notify != MACH_PORT_NULL) {
        return MACH_SEND_INVALID_NOTIFY;
    }

    return MACH_MSG_SUCCESS;
}

/* An RPC to a kernel object, or a reply to one, in the short way. */
static ALWAYS_INLINE enum ipc_fast_kernel
trap_kernel_object(struct thread *self, vm_offset_t buffer, uint64_t sizes,
                   mach_port_name_t name, mach_port_name_t notify,
                   vm_offset_t receive_buffer, struct thread **receiverp,
                   mach_msg_return_t *mrp)
{
    if (unlikely(self->reply_handle - 1 < MACH_PORT_DEAD - 1) &&
        ipc_fast_kernel_reply(self, buffer, (mach_msg_size_t)sizes,
                              receiverp)) {
        return IPC_FAST_KERNEL_SENT;
    }

    if (self->destination.port->receiver != &ipc_space_kernel ||
        self->receive.name != name || notify != MACH_PORT_NULL) {
        return IPC_FAST_KERNEL_NOT;
    }

    self->msg.buffer = receive_buffer;
    self->msg.size = (mach_msg_size_t)(sizes >> 32);
    return ipc_fast_kernel(self, buffer, (mach_msg_size_t)sizes, mrp);
}

mach_msg_return_t
mach_msg_trap(vm_offset_t buffer, mach_msg_option_t option, uint64_t sizes,
              uint64_t names, uint64_t timeout, vm_offset_t receive_buffer)
{
    struct thread *self = current_thread();
    struct thread *receiver = NULL;
    uint64_t timeout_ns = (uint32_t)timeout * NS_PER_MS;
    mach_msg_return_t mr;

    cpu_interrupts_enable();

    if (receive_buffer == 0) {
        receive_buffer = buffer;
    }

    /* Of a message that the fast path has left, it has left what it saw. */
    if ((option & ~MACH_SEND_TIMEOUT) == (MACH_SEND_MSG | MACH_RCV_MSG)) {
        switch (trap_kernel_object(self, buffer, sizes, (mach_port_name_t)names,
                                   names >> 32, receive_buffer, &receiver,
                                   &mr)) {
        case IPC_FAST_KERNEL_DONE:
            return mr;
        case IPC_FAST_KERNEL_SENT:
            option = MACH_RCV_MSG;
            break;
        case IPC_FAST_KERNEL_NOT:
            break;
        }
    }

    if (unlikely((option & ~OPTIONS_USUAL) != 0)) {
        mr = check_options(option, names >> 32);

        if (mr != MACH_MSG_SUCCESS) {
            return mr;
        }
    }

    self->msg.option = option;
    self->msg.buffer = receive_buffer;
    self->msg.send_buffer = buffer;
    self->msg.size = (mach_msg_size_t)(sizes >> 32);
    self->msg.name = (mach_port_name_t)names;
    self->msg.timeout_ns = timeout_ns;
    self->msg.room =
        (option & ~OPTIONS_USUAL) != 0
            ? 0
            : (int64_t)self->msg.size - (int64_t)sizeof(mach_msg_trailer_t);

    if ((option & MACH_SEND_MSG) != 0) {
        if (ipc_space_queued_over(self->space)) {
            return MACH_SEND_NO_BUFFER;
        }
    }

    if ((option & MACH_SEND_MSG) != 0 &&
        !ipc_short_send(self, buffer, (mach_msg_size_t)sizes)) {
        mr = ipc_kmsg_copyin(buffer, (mach_msg_size_t)sizes, self->task->space,
                             self->task->map, &self->msg.kmsg);

        if (mr == MACH_MSG_SUCCESS) {
            mr = mach_msg_send(self, timeout_ns, &receiver);
        }

        if (mr != MACH_MSG_SUCCESS) {
            return mr;
        }
    }

    if ((option & MACH_RCV_MSG) != 0) {
        return receiver == NULL && ipc_short_receive(self, &mr)
                   ? mr
                   : mach_msg_receive(self, receiver);
    }

    if (receiver != NULL) {
        sched_wake(receiver, WAIT_AWAKENED);
    }

    return MACH_MSG_SUCCESS;
}

struct ipc_port *
mach_msg_destination_find(struct thread *self, mach_port_name_t name)
{
    struct ipc_space *space = self->space;
    struct ipc_port *old = self->destination.port;
    struct ipc_port *port = &ipc_port_none;
    struct ipc_entry *entry;

    spin_lock(&space->lock);
    entry = ipc_entry_lookup_inline(space, name);

    if (entry != NULL && (entry->type & IE_SEND) != 0) {
        port = entry->object;
        ipc_port_ref(port); /* ref: self->destination.port */
    }

    self->destination.changes = space->changes;
    spin_unlock(&space->lock);
    self->destination.name = port != &ipc_port_none ? name : MACH_PORT_NULL;
    self->destination.port = port;

    if (old != &ipc_port_none) {
        ipc_port_unref(old);
    }

    return port;
}

void
mach_msg_thread_end(struct thread *self)
{
    mach_msg_receive_forget(self);
    (void)mach_msg_destination_find(self, MACH_PORT_NULL);
    ipc_reply_release(self);
}

mach_msg_return_t
mach_msg_send_from_kernel(mach_msg_header_t *message, mach_msg_size_t size)
{
    struct thread *self = current_thread();
    continuation_t raises = self->msg.raises;
    struct ipc_kmsg *kmsg;

    if (raises != NULL) {
        self->msg.raises = NULL;
        ipc_fast_raise(self, message, size, raises);
    }

    kmsg = ipc_kmsg_from_kernel(message, size);

    if (kmsg == NULL) {
        return MACH_SEND_NO_BUFFER;
    }

    if (ipc_mqueue_send(kmsg, true, NULL) != IPC_MQUEUE_SENT) {
        panic("mach_msg: a forced message was refused");
    }

    return MACH_MSG_SUCCESS;
}
