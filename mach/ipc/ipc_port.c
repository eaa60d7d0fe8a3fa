/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_port.h. */

#include <debug/assert.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_notify.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_space.h>
#include <ipc/mach_msg.h>
#include <kern/slab.h>
#include <kern/thread.h>
#include <machine/cpu.h>

struct ipc_port ipc_port_none;

static struct slab_cache port_cache;

/* Guards the chains of ports in transit. Taken with no port locked. */
static struct spinlock transit_lock;

void
ipc_port_setup(void)
{
    slab_cache_init(&port_cache, "ipc_port", sizeof(struct ipc_port),
                    IPC_PORT_ALIGN);
    spin_init(&ipc_port_none.lock, LOCK_RANK_PORT);
    list_init(&ipc_port_none.receivers);
    spin_init(&transit_lock, LOCK_RANK_TRANSIT);
}

struct ipc_port *
ipc_port_create(struct ipc_space *receiver, mach_port_name_t name)
{
    struct ipc_port *port = slab_alloc_raw(&port_cache);

    if (port == NULL) {
        return NULL;
    }

    __builtin_memset(port, 0, offsetof(struct ipc_port, messages));
    spin_init(&port->lock, LOCK_RANK_PORT);
    refcount_init(&port->refs, 1); /* ref: the receive right */
    port->active = true;
    port->receiver = receiver;
    port->receiver_name = name;
    port->qlimit = MACH_PORT_QLIMIT_DEFAULT;
    list_init(&port->messages);
    list_init(&port->receivers);
    list_init(&port->senders);
    list_init(&port->dnrequests);
    list_init(&port->pset_link);
    list_init(&port->ready_link);
    return port;
}

struct ipc_port *
ipc_port_create_kernel(enum ipc_kobject_type type, void *kobject)
{
    struct ipc_port *port = ipc_port_create(&ipc_space_kernel, 0);

    if (port != NULL) {
        port->kobject_type = (uint8_t)type;
        port->kobject = kobject;
    }

    return port;
}

void
ipc_port_ref(struct ipc_port *port)
{
    refcount_ref(&port->refs);
}

void
ipc_port_unref(struct ipc_port *port)
{
    if (refcount_unref(&port->refs)) {
        assert(!port->active);
        slab_free(&port_cache, port);
    }
}

/* Nothing is queued, nobody waits, nobody wants to be told. Locks: port. */
static inline bool
port_is_alone(const struct ipc_port *port)
{
    return port->pset == NULL && port->pdrequest == NULL &&
           port->nsrequest == NULL && list_empty(&port->messages) &&
           list_empty(&port->receivers) && list_empty(&port->senders) &&
           list_empty(&port->dnrequests);
}

void
ipc_port_destroy(struct ipc_port *port)
{
    struct list messages;
    struct ipc_port *nsrequest, *pdrequest;

    /* Who destroys it has most often received from it before. */
    if (current_thread()->receive.port == port) {
        mach_msg_receive_forget(current_thread());
    }

    if (current_thread()->destination.port == port) {
        (void)mach_msg_destination_find(current_thread(), MACH_PORT_NULL);
    }

    spin_lock(&port->lock);
    assert(port->active);

    if (likely(port_is_alone(port))) {
        port->active = false;
        port->receiver = NULL;
        port->kobject_type = IKOT_NONE;
        port->kobject = NULL;
        spin_unlock(&port->lock);
        ipc_port_unref(port);
        return;
    }

    pdrequest = port->pdrequest;
    port->pdrequest = NULL;

    if (pdrequest != NULL) {
        /* The receive right lives on, in the notification. */
        port->receiver = NULL;
        ipc_pset_remove(port);
        ipc_mqueue_wake_receivers(&port->receivers, MACH_RCV_PORT_CHANGED);
        spin_unlock(&port->lock);
        ipc_notify_port_destroyed(pdrequest, port);
        return;
    }

    port->active = false;
    port->receiver = NULL;
    port->kobject_type = IKOT_NONE;
    port->kobject = NULL;
    ipc_pset_remove(port);
    list_move(&messages, &port->messages);
    port->msgcount = 0;
    nsrequest = port->nsrequest;
    port->nsrequest = NULL;
    ipc_mqueue_wake_receivers(&port->receivers, MACH_RCV_PORT_DIED);
    ipc_mqueue_wake_senders(port);
    spin_unlock(&port->lock);

    ipc_kmsg_destroy_list(&messages);
    ipc_notify_port_dead(port);

    /* Nobody can be told of no senders any more: the request's right goes
     * back to its maker as unused. */
    ipc_port_release_sonce(nsrequest);
    ipc_port_unref(port);
}

void
ipc_port_destroy_kernel(struct ipc_port *port)
{
    if (port != NULL) {
        ipc_port_destroy(port);
    }
}

void
ipc_port_make_send_locked(struct ipc_port *port)
{
    port->mscount++;
    port->srights++;
    ipc_port_ref(port);
}

void
ipc_port_make_sonce_locked(struct ipc_port *port)
{
    port->sorights++;
    ipc_port_ref(port);
}

void
ipc_port_clear_guard(struct ipc_port *port)
{
    port->context = 0;
    port->guarded = false;
    port->strict_guard = false;
}

struct ipc_port *
ipc_port_make_send(struct ipc_port *port)
{
    struct ipc_port *right = IP_DEAD;

    if (!IP_VALID(port)) {
        return port;
    }

    spin_lock(&port->lock);

    if (port->active) {
        ipc_port_make_send_locked(port);
        right = port;
    }

    spin_unlock(&port->lock);
    return right;
}

struct ipc_port *
ipc_port_make_sonce(struct ipc_port *port)
{
    struct ipc_port *right = IP_DEAD;

    if (!IP_VALID(port)) {
        return port;
    }

    spin_lock(&port->lock);

    if (port->active) {
        ipc_port_make_sonce_locked(port);
        right = port;
    }

    spin_unlock(&port->lock);
    return right;
}

struct ipc_port *
ipc_port_copy_send(struct ipc_port *port)
{
    struct ipc_port *right = IP_DEAD;

    if (!IP_VALID(port)) {
        return port;
    }

    spin_lock(&port->lock);

    if (port->active) {
        port->srights++;
        ipc_port_ref(port);
        right = port;
    }

    spin_unlock(&port->lock);
    return right;
}

void
ipc_port_release_send(struct ipc_port *port)
{
    struct ipc_port *notify = NULL;
    bool tell_kernel = false;
    uint32_t mscount;

    if (!IP_VALID(port)) {
        return;
    }

    spin_lock(&port->lock);
    assert(port->srights != 0);
    port->srights--;
    mscount = port->mscount;

    if (port->srights == 0 && port->active) {
        notify = port->nsrequest;
        port->nsrequest = NULL;
        tell_kernel = port->receiver == &ipc_space_kernel;
    }

    spin_unlock(&port->lock);

    if (notify != NULL) {
        ipc_notify_no_senders(notify, mscount);
    }

    if (tell_kernel) {
        ipc_kobject_no_senders(port);
    }

    ipc_port_unref(port);
}

void
ipc_port_consume_sonce(struct ipc_port *port)
{
    spin_lock(&port->lock);
    assert(port->sorights != 0);
    port->sorights--;
    spin_unlock(&port->lock);
    ipc_port_unref(port);
}

/* An unused send-once right turns into the message that says so, which takes
 * the right along. */
void
ipc_port_release_sonce(struct ipc_port *port)
{
    bool active;

    if (!IP_VALID(port)) {
        return;
    }

    spin_lock(&port->lock);
    active = port->active;
    spin_unlock(&port->lock);

    if (active) {
        ipc_notify_send_once(port);
    } else {
        ipc_port_consume_sonce(port);
    }
}

void
ipc_port_release(struct ipc_port *port, mach_msg_type_name_t type)
{
    if (!IP_VALID(port)) {
        return;
    }

    switch (type) {
    case MACH_MSG_TYPE_PORT_SEND:
        ipc_port_release_send(port);
        break;
    case MACH_MSG_TYPE_PORT_SEND_ONCE:
        ipc_port_release_sonce(port);
        break;
    case MACH_MSG_TYPE_PORT_RECEIVE:
        ipc_port_arrived(port);
        ipc_port_destroy(port);
        break;
    default:
        panic("ipc_port: release of right type %u", type);
    }
}

bool
ipc_port_transit(struct ipc_port *port, struct ipc_port *destination)
{
    struct ipc_port *at = destination;

    spin_lock(&transit_lock);

    while (at != NULL && at != port) {
        at = at->destination;
    }

    if (at == NULL) {
        ipc_port_ref(destination);
        port->destination = destination;
    }

    spin_unlock(&transit_lock);
    return at == NULL;
}

void
ipc_port_arrived(struct ipc_port *port)
{
    struct ipc_port *destination;

    spin_lock(&transit_lock);
    destination = port->destination;
    port->destination = NULL;
    spin_unlock(&transit_lock);

    if (destination != NULL) {
        ipc_port_unref(destination);
    }
}

uint64_t
ipc_port_count(void)
{
    return slab_count(&port_cache);
}
