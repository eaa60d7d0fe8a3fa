/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_right.h. */

#include <debug/assert.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_notify.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_space.h>

mach_msg_type_name_t
ipc_right_received_type(mach_msg_type_name_t disposition)
{
    switch (disposition) {
    case MACH_MSG_TYPE_MOVE_RECEIVE:
        return MACH_MSG_TYPE_PORT_RECEIVE;
    case MACH_MSG_TYPE_MOVE_SEND_ONCE:
    case MACH_MSG_TYPE_MAKE_SEND_ONCE:
        return MACH_MSG_TYPE_PORT_SEND_ONCE;
    default:
        return MACH_MSG_TYPE_PORT_SEND;
    }
}

/* Take a name's request from its port, which is locked. */
struct ipc_dnrequest *
ipc_right_request_take(struct ipc_port *port, struct ipc_entry *entry)
{
    struct ipc_dnrequest *request = entry->request;

    entry->request = NULL;

    if (request == NULL) {
        return NULL;
    }

    if (!port->active && !list_empty(&request->link)) {
        request->forgotten = true; /* it is about to be told of the death */
        return NULL;
    }

    if (request->armed && !list_empty(&request->link)) {
        struct list *next = request->link.next;

        port->armed = next != &port->dnrequests &&
                      list_entry(next, struct ipc_dnrequest, link)->armed;
    }

    list_remove(&request->link);
    return request;
}

/* Off the usual way: it may live after all, if it was not asked under its
 * lock. */
bool
ipc_right_died(struct ipc_space *space, mach_port_name_t name,
               struct ipc_entry *entry)
{
    struct ipc_port *port = entry->object;
    struct ipc_dnrequest *request = NULL;
    bool active, told = false;

    spin_lock(&port->lock);
    active = port->active;

    if (!active) {
        if (entry->type == IE_SEND) {
            port->srights--;
        } else {
            port->sorights--;
        }

        told = entry->request != NULL && !entry->request->possible;
        request = ipc_right_request_take(port, entry);
    }

    spin_unlock(&port->lock);

    if (active) {
        return false;
    }

    if (entry->type == IE_SEND) {
        ipc_hash_remove(space, name, entry);
    }

    /* The notification of a death counts as a user reference, so that the
     * name is still there when it is read. */
    if (told && entry->urefs < MACH_PORT_UREFS_MAX) {
        entry->urefs++;
    }

    if (request != NULL) {
        ipc_dnrequest_free(request);
    }

    entry->type = IE_DEAD_NAME;
    entry->object = NULL;
    ipc_port_unref(port);
    return true;
}

bool
ipc_right_copyin_check(struct ipc_space *space, mach_port_name_t name,
                       struct ipc_entry *entry,
                       mach_msg_type_name_t disposition)
{
    switch (disposition) {
    case MACH_MSG_TYPE_MAKE_SEND:
    case MACH_MSG_TYPE_MAKE_SEND_ONCE:
        return (entry->type & IE_RECEIVE) != 0;
    case MACH_MSG_TYPE_MOVE_RECEIVE:
        return (entry->type & IE_RECEIVE) != 0 &&
               !((struct ipc_port *)entry->object)->strict_guard;
    case MACH_MSG_TYPE_COPY_SEND:
    case MACH_MSG_TYPE_MOVE_SEND:
        return ipc_right_check(space, name, entry) ||
               (entry->type & IE_SEND) != 0;
    case MACH_MSG_TYPE_MOVE_SEND_ONCE:
        return ipc_right_check(space, name, entry) ||
               (entry->type & IE_SEND_ONCE) != 0;
    default:
        return false;
    }
}

void
ipc_right_request_cancelled(struct ipc_dnrequest *request)
{
    if (request != NULL) {
        ipc_notify_port_deleted(request->notify, request->name);
        ipc_dnrequest_free(request);
    }
}

/* Move the receive right out: the entry keeps a send right if it has one. */
static struct ipc_port *
ipc_right_copyin_receive(struct ipc_space *space, mach_port_name_t name,
                         struct ipc_entry *entry,
                         struct ipc_dnrequest **requestp)
{
    struct ipc_port *port = entry->object;

    spin_lock(&port->lock);
    ipc_pset_remove(port);
    port->receiver = NULL;
    port->receiver_name = MACH_PORT_NULL;
    ipc_mqueue_wake_receivers(&port->receivers, MACH_RCV_PORT_CHANGED);

    if ((entry->type & IE_SEND) == 0) {
        *requestp = ipc_right_request_take(port, entry);
    }

    spin_unlock(&port->lock);

    if ((entry->type & IE_SEND) != 0) {
        entry->type = IE_SEND;
        ipc_hash_insert(space, name, entry);
    } else {
        ipc_entry_free(space, name, entry);
    }

    return port;
}

static struct ipc_port *
ipc_right_copyin_dead(struct ipc_space *space, mach_port_name_t name,
                      struct ipc_entry *entry, bool move)
{
    if (move) {
        entry->urefs--;

        if (entry->urefs == 0) {
            ipc_entry_free(space, name, entry);
        }
    }

    return IP_DEAD;
}

/* One user reference of a send right leaves; the last takes the right that
 * the entry had, others make one more. */
static struct ipc_port *
ipc_right_copyin_send(struct ipc_space *space, mach_port_name_t name,
                      struct ipc_entry *entry, bool move,
                      struct ipc_dnrequest **requestp)
{
    struct ipc_port *port = entry->object;

    if (!move || entry->urefs > 1) {
        spin_lock(&port->lock);
        port->srights++;
        ipc_port_ref(port);
        spin_unlock(&port->lock);
        entry->urefs -= move ? 1 : 0;
        return port;
    }

    entry->urefs = 0;

    if ((entry->type & IE_RECEIVE) != 0) {
        ipc_space_changed(space);
        entry->type = IE_RECEIVE;
        return port;
    }

    spin_lock(&port->lock);
    *requestp = ipc_right_request_take(port, entry);
    spin_unlock(&port->lock);
    ipc_hash_remove(space, name, entry);
    ipc_entry_free(space, name, entry);
    return port;
}

struct ipc_port *
ipc_right_copyin(struct ipc_space *space, mach_port_name_t name,
                 struct ipc_entry *entry, mach_msg_type_name_t disposition,
                 struct ipc_dnrequest **requestp)
{
    struct ipc_port *port = entry->object;

    *requestp = NULL;

    switch (disposition) {
    case MACH_MSG_TYPE_MAKE_SEND:
        spin_lock(&port->lock);
        ipc_port_make_send_locked(port);
        spin_unlock(&port->lock);
        return port;
    case MACH_MSG_TYPE_MAKE_SEND_ONCE:
        spin_lock(&port->lock);
        ipc_port_make_sonce_locked(port);
        spin_unlock(&port->lock);
        return port;
    case MACH_MSG_TYPE_MOVE_RECEIVE:
        return ipc_right_copyin_receive(space, name, entry, requestp);
    default:
        break;
    }

    if (ipc_right_check(space, name, entry)) {
        return ipc_right_copyin_dead(space, name, entry,
                                     disposition != MACH_MSG_TYPE_COPY_SEND);
    }

    if (disposition == MACH_MSG_TYPE_MOVE_SEND_ONCE) {
        spin_lock(&port->lock);
        *requestp = ipc_right_request_take(port, entry);
        spin_unlock(&port->lock);
        ipc_entry_free(space, name, entry);
        return port;
    }

    return ipc_right_copyin_send(
        space, name, entry, disposition == MACH_MSG_TYPE_MOVE_SEND, requestp);
}

kern_return_t
ipc_right_copyin_name(struct ipc_space *space, mach_port_name_t name,
                      mach_msg_type_name_t disposition, struct ipc_port **portp)
{
    struct ipc_dnrequest *request;
    struct ipc_entry *entry;

    if (name == MACH_PORT_NULL || name == MACH_PORT_DEAD) {
        *portp = name == MACH_PORT_NULL ? IP_NULL : IP_DEAD;
        return KERN_SUCCESS;
    }

    spin_lock(&space->lock);
    entry = ipc_entry_lookup(space, name);

    if (entry == NULL) {
        spin_unlock(&space->lock);
        return KERN_INVALID_NAME;
    }

    if (!ipc_right_copyin_check(space, name, entry, disposition)) {
        spin_unlock(&space->lock);
        return KERN_INVALID_RIGHT;
    }

    *portp = ipc_right_copyin(space, name, entry, disposition, &request);
    spin_unlock(&space->lock);
    ipc_right_request_cancelled(request);
    return KERN_SUCCESS;
}

/* The name under which the space already knows the port, with its entry. The
 * port is locked and active. */
static mach_port_name_t
ipc_right_reverse(struct ipc_space *space, struct ipc_port *port,
                  struct ipc_entry **entryp)
{
    if (port->receiver == space) {
        *entryp = ipc_entry_lookup(space, port->receiver_name);
        assert(*entryp != NULL);
        return port->receiver_name;
    }

    return ipc_hash_lookup(space, port, entryp);
}

/* The entry takes the right over. Space and port locked; false: too many
 * user references. */
static bool
ipc_right_merge(struct ipc_space *space, struct ipc_port *port,
                mach_msg_type_name_t type, mach_port_name_t name,
                struct ipc_entry *entry)
{
    switch (type) {
    case MACH_MSG_TYPE_PORT_SEND:
        if ((entry->type & IE_SEND) != 0) {
            if (entry->urefs >= MACH_PORT_UREFS_MAX) {
                return false;
            }

            entry->urefs++;
            port->srights--;
            ipc_port_unref(port); /* the entry has one */
            return true;
        }

        entry->urefs = 1;

        if ((entry->type & IE_RECEIVE) != 0) {
            entry->type = IE_SEND | IE_RECEIVE;
            return true;
        }

        entry->type = IE_SEND;
        entry->object = port;
        ipc_hash_insert(space, name, entry);
        return true;
    case MACH_MSG_TYPE_PORT_SEND_ONCE:
        entry->type = IE_SEND_ONCE;
        entry->urefs = 1;
        entry->object = port;
        return true;
    default:
        if ((entry->type & IE_SEND) != 0) {
            ipc_hash_remove(space, name, entry);
        }

        entry->type |= IE_RECEIVE;
        entry->object = port;
        port->receiver = space;
        port->receiver_name = name;
        port->mscount = 0;
        port->seqno = 0;
        port->has_payload = false;
        ipc_port_clear_guard(port);
        return true;
    }
}

bool
ipc_right_copyout_known(struct ipc_space *space, struct ipc_port *port,
                        mach_port_name_t *namep)
{
    struct ipc_entry *entry;
    mach_port_name_t name;
    bool known;

    spin_lock(&space->lock);
    name = ipc_hash_lookup(space, port, &entry);
    known = name != MACH_PORT_NULL && entry->urefs < MACH_PORT_UREFS_MAX;

    if (known) {
        spin_lock(&port->lock);
        known = port->active;

        if (likely(known)) {
            entry->urefs++;
            port->srights--;
            refcount_unref_held(&port->refs); /* the entry has one */
        }

        spin_unlock(&port->lock);
    }

    spin_unlock(&space->lock);
    *namep = name;
    return known;
}

kern_return_t
ipc_right_copyout(struct ipc_space *space, struct ipc_port *port,
                  mach_msg_type_name_t type, mach_port_name_t *namep)
{
    mach_port_name_t name = MACH_PORT_NULL;
    struct ipc_entry *entry;
    kern_return_t kr;
    bool merged;

    if (!IP_VALID(port)) {
        *namep = port == IP_NULL ? MACH_PORT_NULL : MACH_PORT_DEAD;
        return KERN_SUCCESS;
    }

    *namep = MACH_PORT_NULL;
    kr = ipc_space_lock_reserve(space);

    if (kr != KERN_SUCCESS) {
        ipc_port_release(port, type);
        return kr;
    }

    spin_lock(&port->lock);

    if (!port->active) {
        spin_unlock(&port->lock);
        spin_unlock(&space->lock);
        ipc_port_release(port, type);
        *namep = MACH_PORT_DEAD;
        return KERN_SUCCESS;
    }

    if (type != MACH_MSG_TYPE_PORT_SEND_ONCE) {
        name = ipc_right_reverse(space, port, &entry);
    }

    if (name == MACH_PORT_NULL) {
        entry = ipc_entry_alloc(space, &name);
    }

    merged = ipc_right_merge(space, port, type, name, entry);
    spin_unlock(&port->lock);
    spin_unlock(&space->lock);

    if (!merged) {
        ipc_port_release(port, type);
        return KERN_UREFS_OVERFLOW;
    }

    if (type == MACH_MSG_TYPE_PORT_RECEIVE) {
        ipc_port_arrived(port);
    }

    *namep = name;
    return KERN_SUCCESS;
}

/* The entry for insert_right: a free one, or the one that the port already
 * has there. Locks the space on success. */
static kern_return_t
ipc_right_name_entry(struct ipc_space *space, struct ipc_port *port,
                     mach_msg_type_name_t type, mach_port_name_t name,
                     struct ipc_entry **entryp)
{
    struct ipc_entry *entry;
    mach_port_name_t known = MACH_PORT_NULL;
    kern_return_t kr;

    kr = ipc_entry_alloc_name(space, name, &entry);

    if (kr == KERN_NAME_EXISTS) {
        spin_lock(&space->lock);
        entry = ipc_entry_lookup(space, name);

        if (entry == NULL || type == MACH_MSG_TYPE_PORT_SEND_ONCE ||
            (entry->type & (IE_SEND | IE_RECEIVE)) == 0 ||
            entry->object != port) {
            spin_unlock(&space->lock);
            return KERN_NAME_EXISTS;
        }

        *entryp = entry;
        return KERN_SUCCESS;
    }

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (type != MACH_MSG_TYPE_PORT_SEND_ONCE) {
        struct ipc_entry *other;

        spin_lock(&port->lock);
        known = ipc_right_reverse(space, port, &other);
        spin_unlock(&port->lock);
    }

    if (known != MACH_PORT_NULL) {
        ipc_entry_free(space, name, entry);
        spin_unlock(&space->lock);
        return KERN_RIGHT_EXISTS;
    }

    *entryp = entry;
    return KERN_SUCCESS;
}

kern_return_t
ipc_right_copyout_name(struct ipc_space *space, struct ipc_port *port,
                       mach_msg_type_name_t type, mach_port_name_t name)
{
    struct ipc_entry *entry;
    kern_return_t kr;
    bool merged = false;

    kr = ipc_right_name_entry(space, port, type, name, &entry);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    spin_lock(&port->lock);

    if (!port->active) {
        if (entry->type == IE_NONE) {
            ipc_entry_free(space, name, entry);
        }

        kr = KERN_INVALID_CAPABILITY;
    } else {
        merged = ipc_right_merge(space, port, type, name, entry);
        kr = merged ? KERN_SUCCESS : KERN_UREFS_OVERFLOW;
    }

    spin_unlock(&port->lock);
    spin_unlock(&space->lock);

    if (merged && type == MACH_MSG_TYPE_PORT_RECEIVE) {
        ipc_port_arrived(port);
    }

    return kr;
}

void
ipc_right_destroy(struct ipc_space *space, mach_port_name_t name,
                  struct ipc_entry *entry)
{
    struct ipc_dnrequest *request = NULL;
    void *object = entry->object;
    struct ipc_port *port = object;
    uint8_t type = entry->type;

    if (likely(type == IE_RECEIVE && entry->request == NULL)) {
        spin_lock(&port->lock);
        port->receiver = NULL;
        spin_unlock(&port->lock);
        ipc_entry_free(space, name, entry);
        spin_unlock(&space->lock);
        ipc_port_destroy(port);
        return;
    }

    if (type == IE_SEND) {
        ipc_hash_remove(space, name, entry);
    }

    if ((type & IE_PORT) != 0) {
        spin_lock(&port->lock);
        request = ipc_right_request_take(port, entry);

        if ((type & IE_RECEIVE) != 0) {
            /* Nobody finds the name through the port any more. */
            port->receiver = NULL;
        }

        spin_unlock(&port->lock);
    }

    ipc_entry_free(space, name, entry);
    spin_unlock(&space->lock);
    ipc_right_request_cancelled(request);

    if (type == IE_PORT_SET) {
        ipc_pset_destroy(object);
    }

    if ((type & IE_RECEIVE) != 0) {
        ipc_port_destroy(port);
    }

    if ((type & IE_SEND) != 0) {
        ipc_port_release_send(port);
    }

    if ((type & IE_SEND_ONCE) != 0) {
        ipc_port_release_sonce(port);
    }
}

/* Only the receive right of an entry goes; send rights become a dead name. */
static kern_return_t
ipc_right_drop_receive(struct ipc_space *space, mach_port_name_t name,
                       struct ipc_entry *entry)
{
    struct ipc_port *port = entry->object;

    if ((entry->type & IE_SEND) == 0) {
        ipc_right_destroy(space, name, entry);
        return KERN_SUCCESS;
    }

    entry->type = IE_SEND;
    ipc_hash_insert(space, name, entry);
    spin_lock(&port->lock);
    port->receiver = NULL;
    spin_unlock(&port->lock);
    spin_unlock(&space->lock);
    ipc_port_destroy(port);
    return KERN_SUCCESS;
}

/* Drop the send right of an entry: all user references are gone. */
static void
ipc_right_drop_send(struct ipc_space *space, mach_port_name_t name,
                    struct ipc_entry *entry)
{
    struct ipc_port *port = entry->object;

    if ((entry->type & IE_RECEIVE) == 0) {
        ipc_right_destroy(space, name, entry);
        return;
    }

    ipc_space_changed(space);
    entry->type = IE_RECEIVE;
    entry->urefs = 0;
    spin_unlock(&space->lock);
    ipc_port_release_send(port);
}

/* Send, send-once and dead-name references. */
static kern_return_t
ipc_right_delta_urefs(struct ipc_space *space, mach_port_name_t name,
                      struct ipc_entry *entry, mach_port_delta_t delta)
{
    int64_t urefs = (int64_t)entry->urefs + delta;

    if (urefs < 0) {
        spin_unlock(&space->lock);
        return KERN_INVALID_VALUE;
    }

    if (urefs > MACH_PORT_UREFS_MAX ||
        (entry->type == IE_SEND_ONCE && urefs > 1)) {
        spin_unlock(&space->lock);
        return entry->type == IE_SEND_ONCE ? KERN_INVALID_VALUE
                                           : KERN_UREFS_OVERFLOW;
    }

    if (urefs == 0) {
        ipc_right_drop_send(space, name, entry);
        return KERN_SUCCESS;
    }

    entry->urefs = (uint32_t)urefs;
    spin_unlock(&space->lock);
    return KERN_SUCCESS;
}

kern_return_t
ipc_right_delta(struct ipc_space *space, mach_port_name_t name,
                struct ipc_entry *entry, mach_port_right_t right,
                mach_port_delta_t delta)
{
    bool dead = ipc_right_check(space, name, entry);
    uint32_t wanted = MACH_PORT_TYPE(right) >> 16;

    if (right >= MACH_PORT_RIGHT_NUMBER) {
        spin_unlock(&space->lock);
        return KERN_INVALID_VALUE;
    }

    if ((entry->type & wanted) == 0 ||
        (dead && right != MACH_PORT_RIGHT_DEAD_NAME)) {
        spin_unlock(&space->lock);
        return KERN_INVALID_RIGHT;
    }

    if (delta == 0) {
        spin_unlock(&space->lock);
        return KERN_SUCCESS;
    }

    if (right != MACH_PORT_RIGHT_RECEIVE && right != MACH_PORT_RIGHT_PORT_SET) {
        return ipc_right_delta_urefs(space, name, entry, delta);
    }

    /* There is one receive right, one set: it can only go. */
    if (delta != -1 || ipc_right_guarded(entry)) {
        spin_unlock(&space->lock);
        return delta != -1 ? KERN_INVALID_VALUE : KERN_INVALID_RIGHT;
    }

    if (right == MACH_PORT_RIGHT_PORT_SET) {
        ipc_right_destroy(space, name, entry);
        return KERN_SUCCESS;
    }

    return ipc_right_drop_receive(space, name, entry);
}

kern_return_t
ipc_right_destruct(struct ipc_space *space, mach_port_name_t name,
                   struct ipc_entry *entry, mach_port_delta_t srdelta,
                   mach_port_context_t guard)
{
    kern_return_t kr = KERN_SUCCESS;

    if ((entry->type & IE_RECEIVE) == 0) {
        kr = KERN_INVALID_RIGHT;
    } else if (ipc_right_guarded(entry) &&
               ((const struct ipc_port *)entry->object)->context != guard) {
        kr = KERN_INVALID_ARGUMENT;
    } else if (srdelta > 0) {
        kr = KERN_INVALID_VALUE;
    } else if (srdelta < 0 && (entry->type & IE_SEND) == 0) {
        kr = KERN_INVALID_RIGHT;
    } else if (srdelta < 0 && (int64_t)entry->urefs + srdelta < 0) {
        kr = KERN_INVALID_VALUE;
    }

    if (kr != KERN_SUCCESS) {
        spin_unlock(&space->lock);
        return kr;
    }

    if ((entry->type & IE_SEND) != 0) {
        entry->urefs = (uint32_t)((int64_t)entry->urefs + srdelta);

        if (entry->urefs == 0) {
            ipc_right_destroy(space, name, entry);
            return KERN_SUCCESS;
        }
    }

    return ipc_right_drop_receive(space, name, entry);
}

void
ipc_right_request_arm(struct ipc_space *space, mach_port_name_t name)
{
    struct ipc_dnrequest *request;
    struct ipc_entry *entry;
    struct ipc_port *port = NULL;

    spin_lock(&space->lock);
    entry = ipc_entry_lookup(space, name);

    if (entry != NULL && (entry->type & IE_PORT) != 0 &&
        entry->request != NULL && entry->request->send_possible) {
        request = entry->request;
        port = entry->object;
        ipc_port_ref(port);
        spin_lock(&port->lock);

        if (port->active && !list_empty(&request->link)) {
            list_remove(&request->link);
            list_insert_head(&port->dnrequests, &request->link);
            request->armed = true;
            port->armed = true;
        }

        spin_unlock(&port->lock);
    }

    spin_unlock(&space->lock);

    if (port != NULL) {
        ipc_notify_possible(port); /* room may have come meanwhile */
        ipc_port_unref(port);
    }
}
