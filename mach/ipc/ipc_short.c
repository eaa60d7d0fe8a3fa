/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_short.h. */

#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_reply.h>
#include <ipc/ipc_short.h>
#include <ipc/ipc_space.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/copy.h>
#include <machine/copy_message.h>

#define HEADER_SIZE ((mach_msg_size_t)sizeof(mach_msg_header_t))
#define TRAILER_SIZE ((mach_msg_size_t)sizeof(mach_msg_trailer_t))

/* -- Send ------------------------------------------------------------------- */

/* Lock the port if a message can simply be queued there. */
static ALWAYS_INLINE bool
short_lock(struct ipc_port *port)
{
    spin_lock(&port->lock);

    if (unlikely(!port->active) ||
        unlikely(port->receiver == &ipc_space_kernel) ||
        unlikely(port->pset != NULL) ||
        unlikely(!list_empty(&port->receivers)) ||
        unlikely(port->msgcount >= port->qlimit)) {
        spin_unlock(&port->lock);
        return false;
    }

    return true;
}

/* The header as three words: bits and size; remote and local port; voucher
 * and id. */
static ALWAYS_INLINE uint64_t *
header_words(struct ipc_kmsg *kmsg)
{
    return (uint64_t *)(void *)&kmsg->header;
}

/* The right to the locked port, and the message into its queue. */
static ALWAYS_INLINE void
short_queue(struct ipc_space *space, struct ipc_port *port, bool makes,
            struct ipc_kmsg *kmsg)
{
    port->srights++;
    port->mscount += makes ? 1 : 0;
    refcount_ref(&port->refs); /* ref: the message's right */
    header_words(kmsg)[1] = ipc_port_live_handle(port); /* no local port */
    ipc_space_identity(space, &kmsg->sender);

    /* The first is paid for with the port: ipc/ipc_mqueue.c. */
    if (port->msgcount != 0) {
        ipc_mqueue_charge_sender(kmsg, space);
    }

    list_insert_tail(&port->messages, &kmsg->link);
    port->msgcount++;
    spin_unlock(&port->lock);
}

/* The rest of the message, and where it goes; false if it can't. */
static ALWAYS_INLINE bool
short_send(struct ipc_space *space, struct ipc_kmsg *kmsg, vm_offset_t buffer,
           mach_msg_size_t size, mach_port_name_t name, bool makes)
{
    struct ipc_entry *entry;
    struct ipc_port *port;

    if (size != HEADER_SIZE &&
        unlikely(!copyin_quick(buffer + HEADER_SIZE, &kmsg->header + 1,
                               size - HEADER_SIZE))) {
        return false;
    }

    spin_lock(&space->lock);
    entry = ipc_entry_lookup_inline(space, name);

    if (unlikely(entry == NULL) ||
        unlikely((entry->type & (makes ? IE_RECEIVE : IE_SEND)) == 0) ||
        unlikely(!short_lock(entry->object))) {
        spin_unlock(&space->lock);
        return false;
    }

    port = entry->object;

    spin_unlock(&space->lock);
    short_queue(space, port, makes, kmsg);
    return true;
}

bool
ipc_short_send(struct thread *self, vm_offset_t buffer, mach_msg_size_t size)
{
    uint64_t word0, word1, word2; /* bits, size; ports; voucher, id */
    struct ipc_kmsg *kmsg;
    bool makes;

    if (unlikely(size - HEADER_SIZE > IPC_KMSG_SHORT - HEADER_SIZE) ||
        unlikely((size & 3) != 0) || unlikely(!copy_message_range(buffer)) ||
        unlikely(!copyin_header(buffer, &word0, &word1, &word2))) {
        return false;
    }

    makes = (uint32_t)word0 == MACH_MSG_TYPE_MAKE_SEND;

    if ((!makes && (uint32_t)word0 != MACH_MSG_TYPE_COPY_SEND) ||
        unlikely(word1 >> 32 != MACH_PORT_NULL) ||
        unlikely((uint32_t)word2 != 0)) {
        return false;
    }

    kmsg = ipc_kmsg_alloc_short();

    if (unlikely(kmsg == NULL)) {
        return false;
    }

    header_words(kmsg)[0] = (uint64_t)size << 32 | MACH_MSG_TYPE_PORT_SEND;
    header_words(kmsg)[2] = word2;

    if (unlikely(!short_send(self->space, kmsg, buffer, size,
                             (mach_port_name_t)word1, makes))) {
        ipc_kmsg_free(kmsg);
        return false;
    }

    return true;
}

/* -- Receive ---------------------------------------------------------------- */

/* The first message of the locked port if it is a simple one, short enough
 * for the receiver, that came by a send right, whose end nobody wants to
 * hear of, and has no reply right. */
static ALWAYS_INLINE struct ipc_kmsg *
short_first(struct thread *self, struct ipc_port *port)
{
    struct ipc_kmsg *kmsg;

    if (port->msgcount == 0 || unlikely(port->receiver != self->space) ||
        unlikely(port->receiver_name != self->msg.name) ||
        unlikely(port->pset != NULL) || unlikely(!list_empty(&port->senders)) ||
        unlikely(port->armed) ||
        unlikely(port->srights == 1 && port->nsrequest != NULL)) {
        return NULL;
    }

    kmsg = list_entry(list_first(&port->messages), struct ipc_kmsg, link);

    if (unlikely((kmsg->header.msgh_bits & ~MACH_MSGH_BITS_KERNEL) !=
                 MACH_MSG_TYPE_PORT_SEND) ||
        unlikely(kmsg->room != IPC_KMSG_SMALL) ||
        unlikely(self->msg.room < (int64_t)kmsg->header.msgh_size)) {
        return NULL;
    }

    return kmsg;
}

/* The header as the receiver sees it. The port is locked. */
static ALWAYS_INLINE void
short_header(const struct ipc_port *port, mach_msg_header_t *header)
{
    mach_msg_bits_t kernel = header->msgh_bits & MACH_MSGH_BITS_KERNEL;

    header->msgh_remote_port = MACH_PORT_NULL;
    header->msgh_local_port = port->receiver_name;
    header->msgh_bits = kernel | MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND);

    if (port->has_payload) {
        header->msgh_bits =
            kernel | MACH_MSGH_BITS(0, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
        ((mach_msg_payload_header_t *)(void *)header)->msgh_protected_payload =
            port->payload;
    }
}

/* Out with it, whose place in the queue and right are gone. */
static ALWAYS_INLINE mach_msg_return_t
short_copyout(vm_offset_t buffer, struct ipc_kmsg *kmsg)
{
    mach_msg_header_t *header = &kmsg->header;
    const uint64_t *words = (const void *)header;
    mach_msg_size_t size = header->msgh_size;
    mach_msg_trailer_t *trailer = (void *)((char *)header + size);

    trailer->msgh_trailer_type = MACH_MSG_TRAILER_FORMAT_0;
    trailer->msgh_trailer_size = TRAILER_SIZE;
    size += TRAILER_SIZE;

    if (likely(copy_message_range(buffer)) &&
        likely(copyout_message(buffer, words[0], words[1], words[2], header + 1,
                               size - HEADER_SIZE))) {
        return MACH_MSG_SUCCESS;
    }

    return copyout(header, buffer, size) ? MACH_MSG_SUCCESS
                                         : MACH_RCV_INVALID_DATA;
}

/* Whoever paid for the message's place gets it back. */
static ALWAYS_INLINE void
short_uncharge(struct ipc_space *space, struct ipc_kmsg *kmsg)
{
    if (kmsg->payer == space) {
        kmsg->payer = NULL;
        atomic_fetch_sub(&space->queued, kmsg->charge);
        refcount_unref_held(&space->refs); /* the task has one */
    } else if (kmsg->payer != NULL) {
        ipc_mqueue_uncharge(kmsg);
    }
}

bool
ipc_short_receive(struct thread *self, mach_msg_return_t *mrp)
{
    struct ipc_port *port = self->receive.port;
    struct ipc_kmsg *kmsg;

    spin_lock(&port->lock);
    kmsg = short_first(self, port);

    if (unlikely(kmsg == NULL)) {
        spin_unlock(&port->lock);
        return false;
    }

    list_unlink(&kmsg->link);
    port->msgcount--;
    port->seqno++;
    port->srights--;
    refcount_unref_held(&port->refs); /* the receive right holds it */
    short_header(port, &kmsg->header);
    spin_unlock(&port->lock);
    short_uncharge(self->space, kmsg);
    *mrp = short_copyout(self->msg.buffer, kmsg);
    ipc_kmsg_free_short(kmsg);
    return true;
}

/* -- Wait ------------------------------------------------------------------- */

bool
ipc_short_wait(struct thread *self)
{
    struct ipc_port *port = self->receive.port;

    if ((self->msg.option & MACH_RCV_TIMEOUT) != 0 || self->msg.room <= 0 ||
        unlikely(self->receive.name != self->msg.name)) {
        return false;
    }

    spin_lock(&port->lock);

    if (unlikely(port->receiver != self->space) ||
        unlikely(port->name_when_empty != self->receive.name) ||
        unlikely(port->pset != NULL) || unlikely(self->run_high != 0)) {
        spin_unlock(&port->lock);
        return false;
    }

    self->msg.result = MACH_MSG_SUCCESS;
    self->msg.kmsg = NULL;
    atomic_store_explicit(
        &self->run_low,
        (uint32_t)THREAD_RUN_WORD(THREAD_WAITING, WAIT_STATE_INTERRUPTIBLE, 1),
        memory_order_release);
    list_insert_tail(&port->receivers, &self->wait_link);
    spin_unlock(&port->lock);
    return true;
}
