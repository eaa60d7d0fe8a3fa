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

/* The trailer as one word: its type, 0, and its size. */
#define TRAILER_WORD ((uint64_t)sizeof(mach_msg_trailer_t) << 32)

/* The header as three words: bits and size, remote and local, voucher and
 * id. Behind it the data, with room for the trailer. */
struct fast_message {
    uint64_t word0, word1, word2;
    mach_msg_size_t size; /* with the header */
    char data[IPC_FAST_SIZE_MAX - HEADER_SIZE + TRAILER_SIZE]
        __attribute__((aligned(8)));
};

static inline uint32_t
low_half(uint64_t word)
{
    return (uint32_t)word;
}

static inline uint32_t
high_half(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline uint64_t
halves(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

/* A thread that waits on the list, with room; nobody's yet. Its lock, which
 * the caller holds, keeps it there. */
static inline struct thread *
fast_receiver_of(struct list *receivers, mach_msg_size_t size)
{
    struct thread *receiver =
        list_entry(list_first(receivers), struct thread, wait_link);

    if (unlikely(list_empty(receivers)) ||
        unlikely(receiver->msg.room < size) ||
        unlikely(atomic_load_explicit(&receiver->ast, memory_order_relaxed) !=
                 0) ||
        unlikely(
            atomic_load_explicit(&receiver->on_cpu, memory_order_acquire))) {
        return NULL;
    }

    return receiver;
}

/* The same at the locked port's set, whose lock is then held. */
static struct thread *
fast_receiver_of_set(struct ipc_pset *pset, mach_msg_size_t size)
{
    struct thread *receiver;

    if (pset == NULL || !spin_trylock(&pset->lock)) {
        return NULL;
    }

    receiver = fast_receiver_of(&pset->receivers, size);

    if (receiver == NULL) {
        spin_unlock(&pset->lock);
    }

    return receiver;
}

/* The receiver of a message to the locked port; *psetp is its set if it waits
 * there, locked. A port on which somebody waits is alive and a space's. */
static inline struct thread *
fast_receiver(struct ipc_port *port, mach_msg_size_t size,
              struct ipc_pset **psetp)
{
    *psetp = NULL;

    if (likely(!list_empty(&port->receivers))) {
        return fast_receiver_of(&port->receivers, size);
    }

    *psetp = port->pset;
    return fast_receiver_of_set(port->pset, size);
}

/* Lock the port to receive from if there is nothing to receive. */
static inline bool
fast_own_port(struct thread *self, struct ipc_port *port)
{
    if (unlikely(port == NULL) || unlikely(!spin_trylock(&port->lock))) {
        return false;
    }

    if (unlikely(port->receiver != self->task->space) ||
        unlikely(port->receiver_name != self->receive.name) ||
        unlikely(port->msgcount != 0) || unlikely(port->pset != NULL)) {
        spin_unlock(&port->lock);
        return false;
    }

    return true;
}

static inline bool
fast_own_pset(struct thread *self, struct ipc_pset *pset)
{
    if (unlikely(pset == NULL) || unlikely(!spin_trylock(&pset->lock))) {
        return false;
    }

    if (unlikely(!pset->active) ||
        unlikely(pset->name != self->receive.name) ||
        unlikely(!list_empty(&pset->ready))) {
        spin_unlock(&pset->lock);
        return false;
    }

    return true;
}

/* The receiver is ours if nobody else was first: it runs from here on. */
static inline bool
fast_claim(struct thread *receiver)
{
    unsigned int state = WAIT_STATE_INTERRUPTIBLE;

    return likely(atomic_compare_exchange_strong_explicit(
        &receiver->wait_state, &state, WAIT_STATE_NONE, memory_order_acquire,
        memory_order_relaxed));
}

/* The local half of the header: the name of the port, or its payload. */
static inline void
fast_local(const struct ipc_port *port, struct fast_message *message,
           uint32_t bits, mach_port_name_t remote)
{
    uint32_t local = port->receiver_name;

    if (port->has_payload) {
        local = low_half(port->payload);
        message->word2 += high_half(port->payload); /* the voucher is 0 */
        bits = (bits & 0xff) |
               MACH_MSGH_BITS(0, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
    }

    message->word0 = halves(bits, message->size);
    message->word1 = halves(remote, local);
}

/* The current thread waits on the list, as mach_msg_receive() would have it.
 * It may be found when its lock is dropped. */
static inline void
fast_wait(struct thread *self, struct list *receivers, vm_offset_t buffer,
          mach_msg_size_t size)
{
    self->msg.buffer = buffer;
    self->msg.option = MACH_SEND_MSG | MACH_RCV_MSG;
    self->msg.size = size;
    self->msg.room = size > TRAILER_SIZE ? size - TRAILER_SIZE : 0;
    self->state = THREAD_WAITING; /* before it can be found: kern/sched.c */
    atomic_store_explicit(&self->wait_state, WAIT_STATE_INTERRUPTIBLE,
                          memory_order_release);
    list_insert_tail(receivers, &self->wait_link);
}

/* The receiver's buffer is not in memory: with interrupts on, one may wait. */
static NOINLINE mach_msg_return_t
fast_arrive_slow(struct thread *receiver, const struct fast_message *message,
                 mach_msg_size_t data_size)
{
    uint64_t words[3] = { message->word0, message->word1, message->word2 };
    bool done;

    cpu_interrupts_enable();
    done = copyout(words, receiver->msg.buffer, sizeof(words)) &&
           copyout(message->data, receiver->msg.buffer + sizeof(words),
                   data_size);
    cpu_interrupts_disable();
    return done ? MACH_MSG_SUCCESS : MACH_RCV_INVALID_DATA;
}

/* Change to the receiver and finish its trap, on the same stack. */
NORETURN static inline void
fast_arrive(struct thread *self, struct thread *receiver,
            struct fast_message *message)
{
    mach_msg_size_t data_size = message->size - HEADER_SIZE + TRAILER_SIZE;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;
    uint64_t trailer = TRAILER_WORD;

    __builtin_memcpy(&message->data[message->size - HEADER_SIZE], &trailer,
                     sizeof(trailer));
    sched_direct(self, mach_msg_receive_continue, receiver);

    if (unlikely(!copy_message_range(receiver->msg.buffer)) ||
        unlikely(!copyout_message(receiver->msg.buffer, message->word0,
                                  message->word1, message->word2,
                                  message->data, data_size))) {
        mr = fast_arrive_slow(receiver, message, data_size);
    }

    thread_return_result(receiver, (uint64_t)mr);
}

/* -- Request ---------------------------------------------------------------- */

/* The locked destination, of which the current space has a send right. */
static inline struct ipc_port *
fast_request_port(struct ipc_space *space, mach_port_name_t name)
{
    struct ipc_entry *entry;
    struct ipc_port *port = NULL;

    spin_lock(&space->lock);
    entry = ipc_entry_lookup_inline(space, name);

    if (likely(entry != NULL) && likely((entry->type & IE_SEND) != 0)) {
        port = entry->object;
        spin_lock(&port->lock);
    }

    spin_unlock(&space->lock);
    return port;
}

/* An empty slot in the receiver for the reply right; 0 if there is none. */
static inline uint64_t
fast_slot(struct thread *receiver)
{
    uint64_t slot = atomic_load_explicit(&receiver->reply,
                                         memory_order_relaxed);

    if (unlikely(slot - 1 >= UINT32_MAX)) { /* without an entry, or full */
        slot = ipc_reply_renew(receiver)
                   ? atomic_load_explicit(&receiver->reply,
                                          memory_order_relaxed)
                   : 0;
    }

    return slot;
}

/* The send-once right goes to the slot, which thereby gets its next name. */
static inline mach_port_name_t
fast_make_reply(struct thread *receiver, uint64_t slot, struct ipc_port *own)
{
    mach_port_name_t name = IPC_REPLY_NAME(slot);

    name = (name & ~0xffu) | ((name + 1) & 0xff);
    own->sorights++;
    refcount_ref(&own->refs); /* ref: the right in the slot */
    atomic_store_explicit(&receiver->reply,
                          IPC_REPLY_MAKE(name, ipc_port_live_handle(own)),
                          memory_order_release);
    return name;
}

static inline void
fast_request(struct thread *self, struct fast_message *message,
             vm_offset_t receive_buffer, mach_msg_size_t receive_size)
{
    struct ipc_port *own = self->receive.port;
    struct ipc_port *port;
    struct ipc_pset *pset;
    struct thread *receiver;
    mach_port_name_t name;
    uint64_t slot;

    port = fast_request_port(self->task->space, low_half(message->word1));

    if (unlikely(port == NULL)) {
        return;
    }

    receiver = fast_receiver(port, message->size, &pset);

    if (unlikely(receiver == NULL)) {
        goto unlock_port;
    }

    if (unlikely(!fast_own_port(self, own))) {
        goto unlock_pset;
    }

    slot = fast_slot(receiver);

    if (unlikely(slot == 0) || unlikely(!fast_claim(receiver))) {
        goto unlock_own;
    }

    list_remove(&receiver->wait_link);
    port->seqno++;
    name = fast_make_reply(receiver, slot, own);
    fast_local(port, message,
               MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE,
                              MACH_MSG_TYPE_PORT_SEND),
               name);
    fast_wait(self, &own->receivers, receive_buffer, receive_size);
    spin_unlock(&own->lock);

    if (pset != NULL) {
        spin_unlock(&pset->lock);
    }

    spin_unlock(&port->lock);
    fast_arrive(self, receiver, message);

unlock_own:
    spin_unlock(&own->lock);
unlock_pset:
    if (pset != NULL) {
        spin_unlock(&pset->lock);
    }
unlock_port:
    spin_unlock(&port->lock);
}

/* -- Reply ------------------------------------------------------------------ */

/* Lock what the current thread receives from, if nothing is there. */
static inline bool
fast_own(struct thread *self)
{
    return likely(self->receive.pset == NULL)
               ? fast_own_port(self, self->receive.port)
               : fast_own_pset(self, self->receive.pset);
}

static inline struct list *
fast_own_receivers(struct thread *self)
{
    return self->receive.pset == NULL ? &self->receive.port->receivers
                                      : &self->receive.pset->receivers;
}

static inline void
fast_own_unlock(struct thread *self)
{
    spin_unlock(self->receive.pset == NULL ? &self->receive.port->lock
                                           : &self->receive.pset->lock);
}

/* Take the right out of the slot. */
static inline bool
fast_take_reply(struct thread *self, uint64_t slot)
{
    return likely(atomic_compare_exchange_strong_explicit(
        &self->reply, &slot, IPC_REPLY_MAKE(IPC_REPLY_NAME(slot), 0),
        memory_order_acq_rel, memory_order_relaxed));
}

static inline void
fast_reply(struct thread *self, struct fast_message *message,
           vm_offset_t receive_buffer, mach_msg_size_t receive_size)
{
    uint64_t slot = atomic_load_explicit(&self->reply, memory_order_relaxed);
    struct ipc_port *port;
    struct ipc_pset *pset;
    struct thread *receiver;

    if (unlikely(IPC_REPLY_NAME(slot) != low_half(message->word1)) ||
        unlikely(IPC_REPLY_HANDLE(slot) == 0)) {
        return;
    }

    port = ipc_port_from_live_handle(IPC_REPLY_HANDLE(slot));
    spin_lock(&port->lock);
    receiver = fast_receiver(port, message->size, &pset);

    if (unlikely(receiver == NULL)) {
        goto unlock_port;
    }

    if (unlikely(!fast_own(self))) {
        goto unlock_pset;
    }

    if (unlikely(!fast_take_reply(self, slot))) {
        goto unlock_own;
    }

    /* A claim can't be taken back, the right can. */
    if (unlikely(!fast_claim(receiver))) {
        atomic_store_explicit(&self->reply, slot, memory_order_release);
        goto unlock_own;
    }

    list_remove(&receiver->wait_link);
    port->seqno++;
    port->sorights--;
    (void)refcount_unref(&port->refs); /* the receive right still holds it */
    fast_local(port, message, MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE),
               MACH_PORT_NULL);
    fast_wait(self, fast_own_receivers(self), receive_buffer, receive_size);
    fast_own_unlock(self);

    if (pset != NULL) {
        spin_unlock(&pset->lock);
    }

    spin_unlock(&port->lock);
    fast_arrive(self, receiver, message);

unlock_own:
    fast_own_unlock(self);
unlock_pset:
    if (pset != NULL) {
        spin_unlock(&pset->lock);
    }
unlock_port:
    spin_unlock(&port->lock);
}

void
ipc_fast_rpc(struct thread *self, vm_offset_t buffer, uint64_t sizes,
             mach_port_name_t receive_name, vm_offset_t receive_buffer)
{
    struct fast_message message;

    message.size = low_half(sizes);

    if (unlikely(message.size - HEADER_SIZE >
                 IPC_FAST_SIZE_MAX - HEADER_SIZE) ||
        unlikely((message.size & 3) != 0) ||
        unlikely(!copy_message_range(buffer)) ||
        unlikely(!copyin_message(buffer, &message.word0, &message.word1,
                                 &message.word2, message.data,
                                 message.size - HEADER_SIZE)) ||
        unlikely(low_half(message.word2) != 0) || /* the voucher */
        unlikely(atomic_load_explicit(&self->ast, memory_order_relaxed) != 0)) {
        return;
    }

    /* A thread that calls others in between receives from several ports. */
    if (unlikely(self->receive.name != receive_name) &&
        mach_msg_receive_find(self, receive_name) != MACH_MSG_SUCCESS) {
        return;
    }

    if (low_half(message.word0) == BITS_REPLY &&
        high_half(message.word1) == MACH_PORT_NULL) {
        fast_reply(self, &message, receive_buffer, high_half(sizes));
    } else if (low_half(message.word0) == BITS_REQUEST &&
               high_half(message.word1) == receive_name) {
        fast_request(self, &message, receive_buffer, high_half(sizes));
    }
}
