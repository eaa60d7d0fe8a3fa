/* SPDX-License-Identifier: MIT */
/*
 * See ipc/ipc_fast.h. Two shapes fit: a request (COPY_SEND to the server, a
 * send-once right made from the port that is received from), and a reply
 * (MOVE_SEND_ONCE, no reply right). Everything is looked at first, under all
 * the locks, and anything unusual leaves through `slow` with nothing changed;
 * then all is done and nothing can fail.
 *
 * What makes it short: no message buffer but this stack frame, no queue, no
 * run queue. The right that carries a request would be counted up and down
 * again, so it is not counted at all. The frame stays valid across the change
 * of threads, since a thread that waits has no stack and the next one goes on
 * upon this.
 *
 * Locks go against the order only by trying: a lock that somebody has means
 * the general path.
 */

#include <debug/assert.h>
#include <ipc/ipc_fast.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_space.h>
#include <ipc/mach_msg.h>
#include <kern/sched.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/context.h>
#include <machine/copy.h>
#include <machine/trap.h>

#define FAST_SIZE_MAX 256u

/* The message with the trailer that follows it. */
struct fast_message {
    union {
        mach_msg_header_t header;
        mach_msg_payload_header_t payload_header;
        char bytes[FAST_SIZE_MAX + sizeof(mach_msg_trailer_t)];
    };
};

/* What the first half finds, locked as far as `lock_count` says. */
struct fast_path {
    struct ipc_space *space;   /* locked in a reply only */
    struct ipc_entry *right;   /* of a reply: the send-once right */
    struct ipc_port *port;     /* destination */
    struct ipc_port *own_port; /* to receive from, or ... */
    struct ipc_pset *own_pset; /* ... its set */
    struct thread *receiver;
    struct spinlock *locks[4]; /* held beside the space's */
    unsigned int lock_count;
};

static inline bool
fast_try(struct fast_path *path, struct spinlock *lock)
{
    if (!spin_trylock(lock)) {
        return false;
    }

    path->locks[path->lock_count] = lock;
    path->lock_count++;
    return true;
}

static inline void
fast_unlock(struct fast_path *path)
{
    while (path->lock_count != 0) {
        path->lock_count--;
        spin_unlock(path->locks[path->lock_count]);
    }
}

/* The destination by its name. The space is locked. */
static inline bool
fast_find_port(struct fast_path *path, const mach_msg_header_t *header,
               bool request)
{
    struct ipc_entry *entry;

    entry = ipc_entry_lookup_inline(path->space, header->msgh_remote_port);

    if (entry == NULL ||
        (request ? (entry->type & IE_SEND) == 0
                 : entry->type != IE_SEND_ONCE || entry->request != NULL)) {
        return false;
    }

    path->right = entry;
    path->port = entry->object;
    return fast_try(path, &path->port->lock) && path->port->active &&
           path->port->kobject_type == IKOT_NONE;
}

/* Where the current thread will wait: nothing must be there to receive. */
static inline bool
fast_find_own(struct fast_path *path, mach_port_name_t name)
{
    struct ipc_entry *entry = ipc_entry_lookup_inline(path->space, name);
    struct ipc_port *port;
    struct ipc_pset *pset;

    if (entry == NULL) {
        return false;
    }

    if ((entry->type & IE_RECEIVE) != 0) {
        port = entry->object;
        path->own_port = port;
        path->own_pset = NULL;
        return fast_try(path, &port->lock) && port->msgcount == 0 &&
               port->pset == NULL;
    }

    if (entry->type != IE_PORT_SET) {
        return false;
    }

    pset = entry->object;
    path->own_port = NULL;
    path->own_pset = pset;
    return fast_try(path, &pset->lock) && list_empty(&pset->ready);
}

/* A thread that waits at the destination and has room. */
static inline bool
fast_find_receiver(struct fast_path *path, mach_msg_size_t size)
{
    struct list *receivers = &path->port->receivers;
    struct ipc_pset *pset = path->port->pset;
    struct thread *receiver;

    if (list_empty(receivers)) {
        if (pset == NULL || !fast_try(path, &pset->lock)) {
            return false;
        }

        receivers = &pset->receivers;

        if (list_empty(receivers)) {
            return false;
        }
    }

    receiver = list_entry(list_first(receivers), struct thread, wait_link);
    path->receiver = receiver;
    return receiver->msg.size >= size + sizeof(mach_msg_trailer_t) &&
           GET_RCV_ELEMENTS(receiver->msg.option) == MACH_RCV_TRAILER_NULL &&
           !receiver->wait_timer.active &&
           atomic_load_explicit(&receiver->ast, memory_order_relaxed) == 0 &&
           !atomic_load_explicit(&receiver->on_cpu, memory_order_acquire);
}

/* A request needs a name for the reply right in the receiver's space. */
static inline bool
fast_find_name(struct fast_path *path)
{
    struct ipc_space *space = path->receiver->task->space;

    return fast_try(path, &space->lock) && space->active && space->free != 0 &&
           space->count < space->limit;
}

static inline bool
fast_prepare(struct fast_path *path, const mach_msg_header_t *header,
             bool request, mach_port_name_t receive_name)
{
    bool found = fast_find_port(path, header, request) &&
                 fast_find_own(path, receive_name);

    /* In a request nothing of our own space changes. The receiver may live
     * in the same space, so it must be free now. */
    if (request) {
        spin_unlock(&path->space->lock);
    }

    return found && fast_find_receiver(path, header->msgh_size) &&
           (!request || (path->own_port != NULL && fast_find_name(path))) &&
           sched_claim(path->receiver, false);
}

/* The header as the receiver sees it, and the rights that go with it. */
static inline void
fast_translate_request(struct fast_path *path, struct fast_message *message)
{
    struct ipc_port *port = path->port;
    mach_msg_header_t *header = &message->header;
    mach_port_name_t name;
    struct ipc_entry *entry;

    entry = ipc_entry_alloc(path->receiver->task->space, &name);
    entry->type = IE_SEND_ONCE;
    entry->urefs = 1;
    entry->object = path->own_port;
    ipc_port_make_sonce_locked(path->own_port);
    header->msgh_remote_port = name;

    if (port->has_payload) {
        header->msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE,
                                           MACH_MSG_TYPE_PROTECTED_PAYLOAD);
        message->payload_header.msgh_protected_payload = port->payload;
    } else {
        header->msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE,
                                           MACH_MSG_TYPE_PORT_SEND);
        header->msgh_local_port = port->receiver_name;
    }
}

static inline void
fast_translate_reply(struct fast_path *path, struct fast_message *message)
{
    struct ipc_port *port = path->port;
    mach_msg_header_t *header = &message->header;

    ipc_entry_free(path->space, header->msgh_remote_port, path->right);
    spin_unlock(&path->space->lock);
    port->sorights--;
    ipc_port_unref(port); /* the receive right still holds it */
    header->msgh_remote_port = MACH_PORT_NULL;
    header->msgh_local_port = port->receiver_name;
    header->msgh_bits = MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE);

    if (port->has_payload) {
        header->msgh_bits = MACH_MSGH_BITS(0, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
        message->payload_header.msgh_protected_payload = port->payload;
    }
}

/* The current thread waits, as mach_msg_receive() would have it. */
static inline void
fast_wait(struct fast_path *path, struct thread *self, vm_offset_t buffer,
          mach_msg_size_t size, mach_port_name_t name)
{
    struct list *receivers;

    self->msg.port = path->own_port;
    self->msg.pset = path->own_pset;

    if (path->own_port != NULL) {
        receivers = &path->own_port->receivers;
        ipc_port_ref(path->own_port); /* ref: self->msg.port */
    } else {
        receivers = &path->own_pset->receivers;
        ipc_pset_ref(path->own_pset); /* ref: self->msg.pset */
    }

    self->msg.kmsg = NULL;
    self->msg.buffer = buffer;
    self->msg.option = MACH_SEND_MSG | MACH_RCV_MSG;
    self->msg.size = size;
    self->msg.name = name;
    self->msg.timeout_ns = 0;
    self->state = THREAD_WAITING; /* before it can be found: kern/sched.c */
    atomic_store_explicit(&self->wait_state, WAIT_STATE_INTERRUPTIBLE,
                          memory_order_release);
    list_insert_tail(receivers, &self->wait_link);
}

/* Now as the receiver, on the same stack. */
NORETURN static void
fast_arrive(struct thread *receiver, const struct fast_message *message)
{
    mach_msg_size_t size =
        message->header.msgh_size + sizeof(mach_msg_trailer_t);
    mach_msg_return_t mr = MACH_MSG_SUCCESS;

    if (receiver->msg.port != NULL) {
        ipc_port_unref(receiver->msg.port);
        receiver->msg.port = NULL;
    } else {
        ipc_pset_unref(receiver->msg.pset);
        receiver->msg.pset = NULL;
    }

    if (unlikely(!copyout_quick(message->bytes, receiver->msg.buffer, size))) {
        /* The buffer is not in memory: with interrupts on, one may wait. */
        cpu_interrupts_enable();

        if (!copyout(message->bytes, receiver->msg.buffer, size)) {
            mr = MACH_RCV_INVALID_DATA;
        }

        cpu_interrupts_disable();
    }

    context_set_result(receiver, (uint64_t)mr);
    thread_return();
}

void
ipc_fast_rpc(struct thread *self, vm_offset_t buffer,
             vm_offset_t receive_buffer, uint64_t sizes,
             mach_port_name_t receive_name)
{
    mach_msg_size_t size = (mach_msg_size_t)sizes;
    struct fast_path path;
    struct fast_message message;
    mach_msg_trailer_t *trailer;
    bool request;

    if (size - sizeof(mach_msg_header_t) >
            FAST_SIZE_MAX - sizeof(mach_msg_header_t) ||
        (size & 3) != 0 || !copyin_quick(buffer, message.bytes, size)) {
        return;
    }

    request =
        message.header.msgh_bits ==
        MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);

    if (message.header.msgh_voucher_port != 0 ||
        (request ? message.header.msgh_local_port != receive_name
                 : message.header.msgh_bits !=
                           MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0) ||
                       message.header.msgh_local_port != MACH_PORT_NULL) ||
        atomic_load_explicit(&self->ast, memory_order_relaxed) != 0) {
        return;
    }

    message.header.msgh_size = size;
    path.space = self->task->space;
    path.lock_count = 0;
    spin_lock(&path.space->lock);

    if (unlikely(
            !fast_prepare(&path, &message.header, request, receive_name))) {
        if (!request) {
            spin_unlock(&path.space->lock);
        }

        fast_unlock(&path);
        return;
    }

    list_remove(&path.receiver->wait_link);
    path.port->seqno++;

    if (request) {
        fast_translate_request(&path, &message);
    } else {
        fast_translate_reply(&path, &message);
    }

    trailer = (void *)(message.bytes + size);
    trailer->msgh_trailer_type = MACH_MSG_TRAILER_FORMAT_0;
    trailer->msgh_trailer_size = sizeof(*trailer);
    fast_wait(&path, self, receive_buffer, (mach_msg_size_t)(sizes >> 32),
              receive_name);
    fast_unlock(&path);
    sched_direct(self, mach_msg_receive_continue, path.receiver);
    fast_arrive(path.receiver, &message);
}
