/* SPDX-License-Identifier: MIT */
/*
 * The short way of an RPC to the kernel: a short simple request to a kernel
 * object, answered at the caller's own reply port, which nobody else looks at.
 * The request is served where it was copied to, the reply goes straight back:
 * no right changes hands that is not given back, nothing is queued. Whatever
 * turns out to be unusual, before the call or after it, takes the general way
 * from there, with the same result.
 */

#include <debug/assert.h>
#include <ipc/ipc_fast.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_reply.h>
#include <ipc/ipc_space.h>
#include <kern/string.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <machine/copy.h>
#include <machine/copy_message.h>

#define REQUEST_MAX 256u
#define REPLY_MAX 256u
#define HEADER_SIZE ((mach_msg_size_t)sizeof(mach_msg_header_t))
#define TRAILER_SIZE ((mach_msg_size_t)sizeof(mach_msg_trailer_t))

#define REQUEST_BITS                                                           \
    MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE)
#define SERVED_BITS                                                            \
    MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND, MACH_MSG_TYPE_PORT_SEND_ONCE)
#define REPLY_BITS                                                             \
    (MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE) | MACH_MSGH_BITS_KERNEL)

/* The request, its header in the form of the kernel, and its two ports. */
struct kernel_call {
    struct ipc_port *port;  /* ref */
    struct ipc_port *reply; /* a send-once right */
    const struct routine_descriptor *routine;
    union {
        mach_msg_header_t header;
        uint64_t words[REQUEST_MAX / sizeof(uint64_t)];
    } request;
};

/*
 * Is the port still where the thread receives, and would a message to it be
 * the next that the thread gets? Locks: port.
 */
static inline bool
kernel_reply_is_next(const struct thread *self, const struct ipc_port *port)
{
    return port->receiver == self->space &&
           port->name_when_empty == self->receive.name && port->pset == NULL &&
           !port->has_payload && list_empty(&port->receivers);
}

/* A send-once right to the port that the thread receives from. */
static inline bool
kernel_take_reply_right(struct thread *self, struct ipc_port *port)
{
    bool good;

    spin_lock(&port->lock);
    good = kernel_reply_is_next(self, port);

    if (likely(good)) {
        port->sorights++;
        refcount_ref(&port->refs);
    }

    spin_unlock(&port->lock);
    return good;
}

/* The request's header is one of a stub, to the port that the fast path has
 * just looked up, with a reply to the port that the thread receives from. */
static inline bool
kernel_header_fits(const struct thread *self, const mach_msg_header_t *header)
{
    return atomic_load_explicit(&self->space->queued, memory_order_relaxed) <=
               IPC_QUEUED_MAX &&
           header->msgh_bits == REQUEST_BITS &&
           header->msgh_remote_port == self->destination.name &&
           self->destination.changes ==
               *(volatile uint32_t *)&self->space->changes &&
           header->msgh_local_port == self->receive.name &&
           header->msgh_voucher_port == 0;
}

/* Copy the request in, find out whether it is ours, take the rights. */
static inline bool
kernel_accept(struct kernel_call *call, struct thread *self, vm_offset_t buffer,
              mach_msg_size_t size)
{
    mach_msg_header_t *header = &call->request.header;
    uint64_t *words = call->request.words;

    if (size < HEADER_SIZE || size > REQUEST_MAX || (size & 3) != 0 ||
        !copy_message_range(buffer) ||
        !copyin_message(buffer, &words[0], &words[1], &words[2], &words[3],
                        size - HEADER_SIZE) ||
        !kernel_header_fits(self, header)) {
        return false;
    }

    call->port = self->destination.port;
    call->reply = self->receive.port;
    call->routine = ipc_kobject_routine(header->msgh_id);

    if (call->routine == NULL || call->routine->stub_routine == NULL ||
        call->routine->max_reply_msg > REPLY_MAX ||
        !kernel_take_reply_right(self, call->reply)) {
        return false;
    }

    refcount_ref(&call->port->refs);
    header->msgh_bits = SERVED_BITS;
    header->msgh_size = size;
    header->msgh_remote_port = ipc_port_live_handle(call->port);
    header->msgh_local_port = ipc_port_live_handle(call->reply);
    return true;
}

/* May the reply go straight to the caller? Then its right is used up. */
static inline bool
kernel_use_reply_right(struct thread *self, struct ipc_port *port)
{
    bool good;

    spin_lock(&port->lock);
    good = kernel_reply_is_next(self, port);

    if (likely(good)) {
        port->seqno++;
        port->sorights--;
        refcount_unref_held(&port->refs); /* its receiver has another */
    }

    spin_unlock(&port->lock);
    return good;
}

/*
 * The reply goes the general way, in a message of its own. Without memory for
 * one it is lost: the caller sees its reply right die.
 */
static NOINLINE enum ipc_fast_kernel
kernel_queue(struct ipc_kmsg *reply)
{
    struct ipc_kmsg *kmsg = ipc_kmsg_alloc(reply->header.msgh_size);

    if (kmsg == NULL) {
        ipc_kmsg_clean_body(reply);
        ipc_port_release_sonce(
            ipc_port_from_handle(reply->header.msgh_remote_port));
        return IPC_FAST_KERNEL_SENT;
    }

    memcpy(&kmsg->header, &reply->header, reply->header.msgh_size);
    ipc_kmsg_transit(kmsg);

    if (ipc_mqueue_send(kmsg, true, NULL) != IPC_MQUEUE_SENT) {
        panic("ipc_fast_kernel: a forced reply was refused");
    }

    return IPC_FAST_KERNEL_SENT;
}

/* Header and body of the reply with its trailer, to the caller. */
static inline mach_msg_return_t
kernel_copyout(struct ipc_kmsg *reply, vm_offset_t buffer, mach_msg_size_t size)
{
    const uint64_t *words = (const void *)&reply->header;

    if (likely(copy_message_range(buffer)) &&
        likely(copyout_message(buffer, words[0], words[1], words[2], &words[3],
                               size - HEADER_SIZE))) {
        return MACH_MSG_SUCCESS;
    }

    return copyout(words, buffer, size) ? MACH_MSG_SUCCESS
                                        : MACH_RCV_INVALID_DATA;
}

/* The routine has been called: what becomes of the reply. */
static inline enum ipc_fast_kernel
kernel_answer(struct thread *self, struct ipc_port *port,
              struct ipc_kmsg *reply, mach_msg_return_t *mrp)
{
    mach_msg_header_t *header = &reply->header;
    mach_msg_size_t size = (header->msgh_size + 3) & ~3u;
    mach_msg_trailer_t *trailer = (void *)((char *)header + size);

    if (unlikely(MACH_MSGH_BITS_IS_COMPLEX(header->msgh_bits)) ||
        unlikely(size + TRAILER_SIZE > self->msg.size) ||
        unlikely(!kernel_use_reply_right(self, port))) {
        header->msgh_bits |= MACH_MSGH_BITS_KERNEL;
        return kernel_queue(reply);
    }

    header->msgh_bits = REPLY_BITS;
    header->msgh_remote_port = MACH_PORT_NULL;
    header->msgh_local_port = (mach_port_name_t)self->receive.name;
    trailer->msgh_trailer_type = MACH_MSG_TRAILER_FORMAT_0;
    trailer->msgh_trailer_size = TRAILER_SIZE;
    *mrp = kernel_copyout(reply, self->msg.buffer, size + TRAILER_SIZE);
    return IPC_FAST_KERNEL_DONE;
}

enum ipc_fast_kernel
ipc_fast_kernel(struct thread *self, vm_offset_t buffer, mach_msg_size_t size,
                mach_msg_return_t *mrp)
{
    struct kernel_call call;
    union {
        struct ipc_kmsg kmsg;
        char space[IPC_KMSG_OVERHEAD + REPLY_MAX + TRAILER_SIZE];
    } reply;
    mach_msg_header_t *header;

    if (!kernel_accept(&call, self, buffer, size)) {
        return IPC_FAST_KERNEL_NOT;
    }

    header = &reply.kmsg.header;
    ipc_kobject_prepare(&call.request.header, header);
    call.routine->stub_routine(&call.request.header, header);
    ipc_port_unref(call.port);

    /* Somebody else answers, later or never. */
    if (unlikely(!MACH_PORT_VALID(header->msgh_remote_port)) ||
        unlikely(!MACH_MSGH_BITS_IS_COMPLEX(header->msgh_bits) &&
                 ((mig_reply_error_t *)header)->RetCode == MIG_NO_REPLY)) {
        ipc_kmsg_clean_body(&reply.kmsg);
        return IPC_FAST_KERNEL_SENT;
    }

    return kernel_answer(self, call.reply, &reply.kmsg, mrp);
}

/* -- Replies to the kernel -------------------------------------------------- */

/* Take the right out of the slot if it is one to a kernel object and the
 * message that is at hand goes there. */
static struct ipc_port *
kernel_take_slot(struct thread *self, const mach_msg_header_t *header)
{
    uint64_t slot = atomic_load_explicit(&self->reply, memory_order_relaxed);
    mach_port_name_t name = IPC_REPLY_NAME(slot);
    mach_port_name_t next = (name & ~0xffu) | ((name + 1) & 0xff);
    struct ipc_port *port;

    if (header->msgh_bits != MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0) ||
        header->msgh_remote_port != name ||
        header->msgh_local_port != MACH_PORT_NULL ||
        header->msgh_voucher_port != 0 || IPC_REPLY_HANDLE(slot) == 0 ||
        slot == IPC_REPLY_NONE ||
        !atomic_compare_exchange_strong(&self->reply, &slot, next)) {
        return NULL;
    }

    port = ipc_port_from_live_handle(IPC_REPLY_HANDLE(slot));

    if (port->receiver == &ipc_space_kernel) {
        return port;
    }

    atomic_store(&self->reply, slot);
    return NULL;
}

bool
ipc_fast_kernel_reply(struct thread *self, vm_offset_t buffer,
                      mach_msg_size_t size, struct thread **nextp)
{
    union {
        mach_msg_header_t header;
        uint64_t words[REQUEST_MAX / sizeof(uint64_t)];
    } request;
    union {
        mig_reply_error_t error;
        uint64_t words[REPLY_MAX / sizeof(uint64_t)];
    } reply;
    const struct routine_descriptor *routine;
    struct ipc_port *port;

    if (size < HEADER_SIZE || size > REQUEST_MAX || (size & 3) != 0 ||
        !copy_message_range(buffer) ||
        !copyin_message(buffer, &request.words[0], &request.words[1],
                        &request.words[2], &request.words[3],
                        size - HEADER_SIZE)) {
        return false;
    }

    routine = ipc_kobject_routine(request.header.msgh_id);

    if (routine == NULL || routine->stub_routine == NULL ||
        routine->max_reply_msg > REPLY_MAX) {
        return false;
    }

    port = kernel_take_slot(self, &request.header);

    if (port == NULL) {
        return false;
    }

    request.header.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE, 0);
    request.header.msgh_size = size;
    request.header.msgh_remote_port = ipc_port_live_handle(port);
    ipc_kobject_prepare(&request.header, &reply.error.Head);
    self->msg.next = NULL;
    self->msg.passes = true;
    routine->stub_routine(&request.header, &reply.error.Head);
    self->msg.passes = false;
    *nextp = self->msg.next;
    ipc_kobject_served(port, MACH_MSG_TYPE_PORT_SEND_ONCE, reply.error.RetCode);
    return true;
}
