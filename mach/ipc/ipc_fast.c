/* SPDX-License-Identifier: MIT */
/*
 * See ipc/ipc_fast.h. Two shapes fit: a request (COPY_SEND to the server, a
 * send-once right made from the port that is received from), and a reply
 * (MOVE_SEND_ONCE, no reply right). Everything is looked at first, under the
 * locks of the two queues, and anything unusual leaves through the general
 * path with nothing changed; then all is done and nothing can fail.
 *
 * What makes it short: the header stays in registers and the rest on this
 * stack; no queue, no run queue; the right that carries a request would be
 * counted up and down again, so it is not counted at all; the reply right
 * lies in the receiver's slot (ipc/ipc_reply.h); the port to receive from is
 * known from the last time (struct thread, member receive). The frame stays
 * valid across the change of threads, since a thread that waits has no stack
 * and the next one goes on upon this.
 *
 * Locks go against the order only by trying: a lock that somebody has means
 * the general path.
 */

#include <debug/assert.h>
#include <ipc/ipc_fast.h>
#include <ipc/ipc_fast_i.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_reply.h>
#include <ipc/ipc_space.h>
#include <ipc/mach_msg.h>
#include <kern/sched_direct.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/copy.h>
#include <machine/copy_message.h>
#include <machine/trap.h>

#define HEADER_SIZE ((mach_msg_size_t)sizeof(mach_msg_header_t))
#define TRAILER_SIZE ((mach_msg_size_t)sizeof(mach_msg_trailer_t))

#define BITS_REQUEST                                                           \
    MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE)
#define BITS_REPLY MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0)

/* The words of a header: bits and size, remote and local port, voucher and
 * id. The data behind it lies in memory, with room for the trailer. */
struct fast_header {
    uint64_t word0, word1, word2;
};

struct fast_data {
    char bytes[IPC_FAST_SIZE_MAX - HEADER_SIZE + TRAILER_SIZE]
        __attribute__((aligned(8)));
};

static ALWAYS_INLINE uint32_t
low_half(uint64_t word)
{
    return (uint32_t)word;
}

static ALWAYS_INLINE uint32_t
high_half(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static ALWAYS_INLINE uint64_t
halves(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

/* -- The two queues --------------------------------------------------------- */

/* Lock the port to receive from if there is nothing to receive. */
static ALWAYS_INLINE bool
fast_own_port(struct thread *self, struct ipc_port *port)
{
    if (unlikely(!spin_trylock(&port->lock))) {
        return false;
    }

    if (unlikely(port->receiver != self->space) ||
        unlikely(port->name_when_empty != self->receive.name) ||
        unlikely(port->pset != NULL)) {
        spin_unlock(&port->lock);
        return false;
    }

    return true;
}

static ALWAYS_INLINE bool
fast_own_pset(struct thread *self, struct ipc_pset *pset)
{
    if (unlikely(!spin_trylock(&pset->lock))) {
        return false;
    }

    if (unlikely(!pset->active) || unlikely(pset->name != self->receive.name) ||
        unlikely(!list_empty(&pset->ready))) {
        spin_unlock(&pset->lock);
        return false;
    }

    return true;
}

/* The current thread waits on the list, as mach_msg_receive() would have it.
 * It may be found when its lock is dropped: kern/sched.c. */
static ALWAYS_INLINE void
fast_wait(struct thread *self, struct list *receivers)
{
    self->continuation = mach_msg_receive_continue;
    atomic_store_explicit(
        &self->run_low,
        (uint32_t)THREAD_RUN_WORD(THREAD_WAITING, WAIT_STATE_INTERRUPTIBLE, 1),
        memory_order_release);
    list_insert_tail(receivers, &self->wait_link);
}

/* The local half of the header: the name of the port, or its payload. */
static ALWAYS_INLINE void
fast_local(const struct ipc_port *port, struct fast_header *header,
           mach_msg_size_t size, uint32_t bits, mach_port_name_t remote)
{
    uint32_t local = port->receiver_name;

    if (port->has_payload) {
        local = low_half(port->payload);
        header->word2 += high_half(port->payload); /* the voucher is 0 */
        bits =
            (bits & 0xff) | MACH_MSGH_BITS(0, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
    }

    header->word0 = halves(bits, size);
    header->word1 = halves(remote, local);
}

/* -- Arrival ---------------------------------------------------------------- */

/* The receiver's buffer is not in memory: with interrupts on, one may wait. */
static NOINLINE mach_msg_return_t
fast_arrive_slow(vm_offset_t buffer, const struct fast_header *header,
                 const struct fast_data *data, mach_msg_size_t size)
{
    bool done;

    cpu_interrupts_enable();
    done = copyout(header, buffer, sizeof(*header)) &&
           copyout(data, buffer + sizeof(*header), size);
    cpu_interrupts_disable();
    return done ? MACH_MSG_SUCCESS : MACH_RCV_INVALID_DATA;
}

/* Change to the receiver and finish its trap, on the same stack. */
NORETURN static ALWAYS_INLINE void
fast_arrive(struct thread *self, struct thread *receiver,
            struct fast_header header, struct fast_data *data,
            mach_msg_size_t size)
{
    mach_msg_return_t mr = MACH_MSG_SUCCESS;
    volatile mach_msg_trailer_t *trailer; /* two stores of constants */
    vm_offset_t buffer;

    size -= HEADER_SIZE;
    trailer = (void *)&data->bytes[size];
    trailer->msgh_trailer_type = MACH_MSG_TRAILER_FORMAT_0;
    trailer->msgh_trailer_size = TRAILER_SIZE;
    size += TRAILER_SIZE;
    sched_direct(self, receiver);
    buffer = receiver->msg.buffer;

    if (unlikely(!copy_message_range(buffer)) ||
        unlikely(!copyout_message(buffer, header.word0, header.word1,
                                  header.word2, data->bytes, size))) {
        struct fast_header words = header;

        mr = fast_arrive_slow(buffer, &words, data, size);
    }

    if (unlikely(mr != MACH_MSG_SUCCESS)) {
        thread_return_result(receiver, (uint64_t)mr);
    }

    thread_return_success(receiver);
}

/* -- Request ---------------------------------------------------------------- */

/* The send-once right goes to the slot; false if that has just been taken
 * away. */
static ALWAYS_INLINE bool
fast_make_reply(struct thread *receiver, struct ipc_port *own, uint64_t handle,
                mach_port_name_t *namep)
{
    uint64_t slot = receiver->reply_name;

    own->sorights++;
    refcount_ref(&own->refs); /* ref: the right in the slot */

    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &receiver->reply, &slot, handle | slot, memory_order_acq_rel,
            memory_order_relaxed))) {
        own->sorights--;
        refcount_unref_held(&own->refs);
        return false;
    }

    *namep = (mach_port_name_t)slot;
    return true;
}

/* The receiver was somebody else's: the right is taken back, unless it is an
 * ordinary one by now, of a message that never came. */
static NOINLINE void
fast_unmake_reply(struct thread *receiver, mach_port_name_t name,
                  struct ipc_port *own, uint64_t handle)
{
    uint64_t slot = handle | name;

    if (atomic_compare_exchange_strong(&receiver->reply, &slot, name)) {
        own->sorights--;
        refcount_unref_held(&own->refs);
    }
}

/* With all locks held: those of the port, of `pset` if the receiver waits
 * there, and of the port to receive from. Nothing is changed if it returns. */
static ALWAYS_INLINE void
fast_request_deliver(struct thread *self, struct ipc_port *own,
                     struct ipc_port *port, struct ipc_pset *pset,
                     struct thread *receiver, struct fast_header header,
                     struct fast_data *data, mach_msg_size_t size)
{
    mach_port_name_t name;

    if (unlikely(!fast_slot(receiver)) ||
        unlikely(
            !fast_make_reply(receiver, own, self->receive.handle, &name))) {
        return;
    }

    if (unlikely(!fast_claim(receiver))) {
        fast_unmake_reply(receiver, name, own, self->receive.handle);
        return;
    }

    list_unlink(&receiver->wait_link);
    port->seqno++;
    fast_local(
        port, &header, size,
        MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE, MACH_MSG_TYPE_PORT_SEND),
        name);
    fast_wait(self, &own->receivers);
    spin_unlock(&own->lock);

    if (pset != NULL) {
        spin_unlock(&pset->lock);
    }

    spin_unlock(&port->lock);
    fast_arrive(self, receiver, header, data, size);
}

/* The same with only the port locked, and its set. */
static ALWAYS_INLINE void
fast_request_locked(struct thread *self, struct ipc_port *port,
                    struct ipc_pset *pset, struct fast_header header,
                    struct fast_data *data, mach_msg_size_t size)
{
    struct ipc_port *own = self->receive.port;
    struct thread *receiver;

    receiver =
        fast_receiver(pset != NULL ? &pset->receivers : &port->receivers, size);

    if (unlikely(receiver == NULL) || unlikely(!fast_own_port(self, own))) {
        return;
    }

    fast_request_deliver(self, own, port, pset, receiver, header, data, size);
    spin_unlock(&own->lock);
}

/* The destination, of which the current space has a send right. */
static ALWAYS_INLINE struct ipc_port *
fast_destination(struct thread *self, mach_port_name_t name)
{
    if (unlikely(self->destination.name != name) ||
        unlikely(self->destination.changes !=
                 *(volatile uint32_t *)&self->space->changes)) {
        return mach_msg_destination_find(self, name);
    }

    return self->destination.port;
}

static ALWAYS_INLINE void
fast_request(struct thread *self, struct fast_header header,
             struct fast_data *data, mach_msg_size_t size)
{
    struct ipc_port *port = fast_destination(self, low_half(header.word1));
    struct ipc_pset *pset;

    spin_lock(&port->lock);
    pset = port->pset;

    if (likely(pset == NULL)) {
        fast_request_locked(self, port, NULL, header, data, size);
    } else if (likely(spin_trylock(&pset->lock))) {
        fast_request_locked(self, port, pset, header, data, size);
        spin_unlock(&pset->lock);
    }

    spin_unlock(&port->lock);
}

/* -- Reply ------------------------------------------------------------------ */

/* With both queues locked; nothing is changed if this returns. */
static ALWAYS_INLINE void
fast_reply_deliver(struct thread *self, struct ipc_port *port,
                   struct thread *receiver, struct fast_header header,
                   struct fast_data *data, mach_msg_size_t size,
                   struct list *own_receivers, struct spinlock *own_lock)
{
    if (unlikely(!fast_claim(receiver))) {
        return;
    }

    list_unlink(&receiver->wait_link);
    port->seqno++;
    port->sorights--;
    refcount_unref_held(&port->refs); /* the receive right holds it */
    fast_local(port, &header, size,
               MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE), MACH_PORT_NULL);
    fast_wait(self, own_receivers);
    spin_unlock(own_lock);
    spin_unlock(&port->lock);
    fast_arrive(self, receiver, header, data, size);
}

/* The right is in our hands. Returns if it must go back. */
static ALWAYS_INLINE void
fast_reply_with(struct thread *self, struct ipc_port *port,
                struct fast_header header, struct fast_data *data,
                mach_msg_size_t size)
{
    struct ipc_pset *own_pset = self->receive.pset;
    struct ipc_port *own_port = self->receive.port;
    struct thread *receiver;

    spin_lock(&port->lock);
    receiver = fast_receiver(&port->receivers, size);

    if (unlikely(receiver == NULL)) {
        goto unlock;
    }

    if (own_pset == NULL) {
        if (likely(fast_own_port(self, own_port))) {
            fast_reply_deliver(self, port, receiver, header, data, size,
                               &own_port->receivers, &own_port->lock);
            spin_unlock(&own_port->lock);
        }
    } else if (likely(fast_own_pset(self, own_pset))) {
        fast_reply_deliver(self, port, receiver, header, data, size,
                           &own_pset->receivers, &own_pset->lock);
        spin_unlock(&own_pset->lock);
    }

unlock:
    spin_unlock(&port->lock);
}

/* A thread that waits for a reply waits on the reply port itself: one that
 * waits on its set is the general path's. */
static ALWAYS_INLINE void
fast_reply(struct thread *self, struct fast_header header,
           struct fast_data *data, mach_msg_size_t size)
{
    uint64_t slot = atomic_load_explicit(&self->reply, memory_order_relaxed);
    mach_port_t handle = IPC_REPLY_HANDLE(slot);
    mach_port_name_t next = cpu_increment_low_byte(low_half(slot));

    /* The port is there as long as its right is: first take the right. The
     * generation, in the name's low byte, goes round. */
    if (unlikely(low_half(slot) != low_half(header.word1)) ||
        unlikely(handle == 0) || unlikely(slot == IPC_REPLY_NONE) ||
        unlikely(!atomic_compare_exchange_strong_explicit(
            &self->reply, &slot, next, memory_order_acq_rel,
            memory_order_relaxed))) {
        return;
    }

    fast_reply_with(self, ipc_port_from_live_handle(handle), header, data,
                    size);
    atomic_store_explicit(&self->reply, IPC_REPLY_MAKE(low_half(slot), handle),
                          memory_order_release);
}

/* -- The trap --------------------------------------------------------------- */

/* Returns if the general path must take it. */
static ALWAYS_INLINE void
fast_rpc(struct thread *self, vm_offset_t buffer, mach_msg_option_t option,
         uint64_t sizes, mach_port_name_t receive_name,
         vm_offset_t receive_buffer)
{
    mach_msg_size_t size = low_half(sizes);
    struct fast_header header;
    struct fast_data data;

    /* As it will wait; if it does not, this is nothing yet. */
    self->msg.option = option;
    self->msg.buffer = receive_buffer == 0 ? buffer : receive_buffer;
    self->msg.size = high_half(sizes);
    self->msg.room = (int64_t)high_half(sizes) - TRAILER_SIZE;

    if (unlikely(size - HEADER_SIZE > IPC_FAST_SIZE_MAX - HEADER_SIZE) ||
        unlikely((size & 3) != 0) || unlikely(!copy_message_range(buffer)) ||
        unlikely(!copyin_message(buffer, &header.word0, &header.word1,
                                 &header.word2, data.bytes,
                                 size - HEADER_SIZE)) ||
        unlikely(low_half(header.word2) != 0) || /* the voucher */
        unlikely(self->run_high != 0)) {         /* an ast */
        return;
    }

    /* A thread that calls others in between receives from several ports. */
    if (unlikely(low_half(self->receive.name) != receive_name) &&
        mach_msg_receive_find(self, receive_name) != MACH_MSG_SUCCESS) {
        return;
    }

    if (low_half(header.word0) == BITS_REPLY &&
        high_half(header.word1) == MACH_PORT_NULL) {
        fast_reply(self, header, &data, size);
    } else if (low_half(header.word0) == BITS_REQUEST &&
               high_half(header.word1) == receive_name) {
        fast_request(self, header, &data, size);
    }
}

void
ipc_fast_trap(vm_offset_t buffer, mach_msg_option_t option, uint64_t sizes,
              uint64_t names, uint64_t timeout, vm_offset_t receive_buffer)
{
    struct thread *self = current_thread();

    /* A send that succeeds at once has no use for its time-out. */
    if (likely(option == (MACH_SEND_MSG | MACH_RCV_MSG)) ||
        likely(option == (MACH_SEND_MSG | MACH_RCV_MSG | MACH_SEND_TIMEOUT))) {
        fast_rpc(self, buffer, option, sizes, (mach_port_name_t)names,
                 receive_buffer);
        option = self->msg.option; /* kept there, not in a register */
        receive_buffer = self->msg.buffer;
    }

    mach_msg_trap_general(buffer, option, sizes, names, timeout,
                          receive_buffer);
}
