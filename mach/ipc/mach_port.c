/* SPDX-License-Identifier: MIT */
/*
 * The routines of <mach/mach_port.defs> that change names and rights,
 * contracts there. `task` is NULL when the request port was no task's.
 */

#include <debug/assert.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_notify.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_space.h>
#include <ipc/mach_port.h>
#include <mach/mach_port_server.h>

kern_return_t
port_lookup_receive(struct ipc_space *space, mach_port_name_t name,
                    struct ipc_port **portp)
{
    struct ipc_entry *entry;
    kern_return_t kr;

    kr = port_lookup(space, name, &entry);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if ((entry->type & IE_RECEIVE) == 0) {
        spin_unlock(&space->lock);
        return KERN_INVALID_RIGHT;
    }

    *portp = entry->object;
    spin_lock(&(*portp)->lock);
    spin_unlock(&space->lock);
    return KERN_SUCCESS;
}

kern_return_t
mach_port_rename(ipc_space_t task, mach_port_name_t old_name,
                 mach_port_name_t new_name)
{
    struct ipc_entry *old, *new;
    struct ipc_port *port;
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if (!MACH_PORT_VALID(new_name)) {
        return KERN_INVALID_VALUE;
    }

    kr = ipc_entry_alloc_name(task, new_name, &new);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    old = old_name == new_name ? NULL : ipc_entry_lookup(task, old_name);

    if (old == NULL) {
        ipc_entry_free(task, new_name, new);
        spin_unlock(&task->lock);
        return KERN_INVALID_NAME;
    }

    (void)ipc_right_check(task, old_name, old);

    if (old->type == IE_SEND) {
        ipc_hash_remove(task, old_name, old);
    }

    new->object = old->object;
    new->request = old->request;
    new->urefs = old->urefs;
    new->type = old->type;

    if (new->type == IE_SEND) {
        ipc_hash_insert(task, new_name, new);
    }

    if ((new->type &IE_PORT) != 0) {
        port = new->object;
        spin_lock(&port->lock);

        if ((new->type &IE_RECEIVE) != 0) {
            port->receiver_name = new_name;
        }

        if (new->request != NULL && port->active) {
            new->request->name = new_name;
        }

        spin_unlock(&port->lock);
    } else if (new->type == IE_PORT_SET) {
        ((struct ipc_pset *)new->object)->name = new_name;
    }

    ipc_entry_free(task, old_name, old);
    spin_unlock(&task->lock);
    return KERN_SUCCESS;
}

/* What mach_port_allocate makes: the object behind a new name. */
static kern_return_t
port_allocate_object(struct ipc_space *space, mach_port_right_t right,
                     void **objectp)
{
    *objectp = NULL;

    switch (right) {
    case MACH_PORT_RIGHT_RECEIVE:
        *objectp = ipc_port_create(space, MACH_PORT_NULL);
        break;
    case MACH_PORT_RIGHT_PORT_SET:
        *objectp = ipc_pset_create(MACH_PORT_NULL);
        break;
    case MACH_PORT_RIGHT_DEAD_NAME:
        return KERN_SUCCESS;
    default:
        return KERN_INVALID_VALUE;
    }

    return *objectp == NULL ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS;
}

/* The entry of a new name becomes what it denotes. The space is locked. */
static void
port_allocate_fill(mach_port_right_t right, mach_port_name_t name,
                   struct ipc_entry *entry, void *object)
{
    entry->object = object;
    entry->type = (uint8_t)(MACH_PORT_TYPE(right) >> 16);
    entry->urefs = right == MACH_PORT_RIGHT_DEAD_NAME ? 1 : 0;

    if (right == MACH_PORT_RIGHT_RECEIVE) {
        ((struct ipc_port *)object)->receiver_name = name;
    } else if (right == MACH_PORT_RIGHT_PORT_SET) {
        ((struct ipc_pset *)object)->name = name;
    }
}

static void
port_allocate_undo(mach_port_right_t right, void *object)
{
    if (right == MACH_PORT_RIGHT_RECEIVE) {
        ipc_port_destroy(object);
    } else if (right == MACH_PORT_RIGHT_PORT_SET) {
        ipc_pset_destroy(object);
    }
}

kern_return_t
mach_port_allocate_name(ipc_space_t task, mach_port_right_t right,
                        mach_port_name_t name)
{
    struct ipc_entry *entry;
    kern_return_t kr;
    void *object;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if (!MACH_PORT_VALID(name)) {
        return KERN_INVALID_VALUE;
    }

    kr = port_allocate_object(task, right, &object);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    kr = ipc_entry_alloc_name(task, name, &entry);

    if (kr != KERN_SUCCESS) {
        port_allocate_undo(right, object);
        return kr;
    }

    port_allocate_fill(right, name, entry, object);
    spin_unlock(&task->lock);
    return KERN_SUCCESS;
}

/* What is allocated most. */
static kern_return_t
port_allocate_receive(struct ipc_space *space, mach_port_name_t *namep)
{
    struct ipc_port *port = ipc_port_create(space, MACH_PORT_NULL);
    struct ipc_entry *entry;
    kern_return_t kr;

    if (port == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    kr = ipc_space_lock_reserve(space);

    if (kr != KERN_SUCCESS) {
        ipc_port_destroy(port);
        return kr;
    }

    entry = ipc_entry_alloc(space, namep);
    entry->object = port;
    entry->type = IE_RECEIVE;
    port->receiver_name = *namep;
    spin_unlock(&space->lock);
    return KERN_SUCCESS;
}

kern_return_t
mach_port_allocate(ipc_space_t task, mach_port_right_t right,
                   mach_port_name_t *namep)
{
    struct ipc_entry *entry;
    mach_port_name_t name;
    kern_return_t kr;
    void *object;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if (likely(right == MACH_PORT_RIGHT_RECEIVE)) {
        return port_allocate_receive(task, namep);
    }

    kr = port_allocate_object(task, right, &object);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    kr = ipc_space_lock_reserve(task);

    if (kr != KERN_SUCCESS) {
        port_allocate_undo(right, object);
        return kr;
    }

    entry = ipc_entry_alloc(task, &name);
    port_allocate_fill(right, name, entry, object);
    spin_unlock(&task->lock);
    *namep = name;
    return KERN_SUCCESS;
}

kern_return_t
mach_port_allocate_full(ipc_space_t task, mach_port_right_t right,
                        mach_port_t proto, mach_port_qos_t *qos,
                        mach_port_name_t *name)
{
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if (proto != MACH_PORT_NULL || qos->pad1 != 0 ||
        (!qos->prealloc && qos->len != 0)) {
        return KERN_INVALID_VALUE;
    }

    if (qos->prealloc) {
        return KERN_NOT_SUPPORTED;
    }

    kr = qos->name ? mach_port_allocate_name(task, right, *name)
                   : mach_port_allocate(task, right, name);
    return kr;
}

kern_return_t
mach_port_allocate_qos(ipc_space_t task, mach_port_right_t right,
                       mach_port_qos_t *qos, mach_port_name_t *namep)
{
    mach_port_name_t name = MACH_PORT_NULL;
    kern_return_t kr;

    if (task != NULL && qos->name) {
        return KERN_INVALID_VALUE; /* there is none */
    }

    kr = mach_port_allocate_full(task, right, MACH_PORT_NULL, qos, &name);

    if (kr == KERN_SUCCESS) {
        *namep = name;
    }

    return kr;
}

#define MPO_KNOWN                                                              \
    (MPO_CONTEXT_AS_GUARD | MPO_QLIMIT | MPO_INSERT_SEND_RIGHT | MPO_STRICT)

static kern_return_t
port_construct_check(const mach_port_options_t *options)
{
    uint32_t reserved = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(options->reserved); i++) {
        reserved |= options->reserved[i];
    }

    if ((options->flags & ~MPO_KNOWN) != 0 || reserved != 0 ||
        (options->flags & (MPO_STRICT | MPO_CONTEXT_AS_GUARD)) == MPO_STRICT) {
        return KERN_INVALID_ARGUMENT;
    }

    if ((options->flags & MPO_QLIMIT) != 0 &&
        (options->mpl.mpl_qlimit == 0 ||
         options->mpl.mpl_qlimit > MACH_PORT_QLIMIT_MAX)) {
        return KERN_INVALID_VALUE;
    }

    return KERN_SUCCESS;
}

kern_return_t
mach_port_construct(ipc_space_t task, mach_port_options_t options,
                    mach_port_context_t context, mach_port_name_t *namep)
{
    struct ipc_entry *entry;
    struct ipc_port *port;
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = port_construct_check(&options);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    port = ipc_port_create(task, MACH_PORT_NULL);

    if (port == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    port->context = context;
    port->guarded = (options.flags & MPO_CONTEXT_AS_GUARD) != 0;
    port->strict_guard = (options.flags & MPO_STRICT) != 0;

    if ((options.flags & MPO_QLIMIT) != 0) {
        port->qlimit = options.mpl.mpl_qlimit;
    }

    kr = ipc_space_lock_reserve(task);

    if (kr != KERN_SUCCESS) {
        ipc_port_destroy(port);
        return kr;
    }

    entry = ipc_entry_alloc(task, namep);
    port_allocate_fill(MACH_PORT_RIGHT_RECEIVE, *namep, entry, port);

    if ((options.flags & MPO_INSERT_SEND_RIGHT) != 0) {
        spin_lock(&port->lock);
        ipc_port_make_send_locked(port);
        spin_unlock(&port->lock);
        entry->type |= IE_SEND;
        entry->urefs = 1;
    }

    spin_unlock(&task->lock);
    return KERN_SUCCESS;
}

kern_return_t
mach_port_destruct(ipc_space_t task, mach_port_name_t name,
                   mach_port_delta_t srdelta, mach_port_context_t guard)
{
    struct ipc_entry *entry;
    kern_return_t kr;

    kr = port_lookup(task, name, &entry);

    if (kr == KERN_SUCCESS) {
        kr = ipc_right_destruct(task, name, entry, srdelta, guard);
    }

    return kr;
}

kern_return_t
mach_port_destroy(ipc_space_t task, mach_port_name_t name)
{
    struct ipc_entry *entry;
    kern_return_t kr;

    if (task != NULL && !MACH_PORT_VALID(name)) {
        return KERN_SUCCESS; /* nothing to release */
    }

    kr = port_lookup(task, name, &entry);

    if (kr == KERN_SUCCESS && ipc_right_guarded(entry)) {
        spin_unlock(&task->lock);
        return KERN_INVALID_RIGHT;
    }

    if (kr == KERN_SUCCESS) {
        ipc_right_destroy(task, name, entry);
    }

    return kr;
}

kern_return_t
mach_port_deallocate(ipc_space_t task, mach_port_name_t name)
{
    struct ipc_entry *entry;
    mach_port_right_t right;
    kern_return_t kr;

    if (task != NULL && !MACH_PORT_VALID(name)) {
        return KERN_SUCCESS; /* nothing to release */
    }

    kr = port_lookup(task, name, &entry);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    /* Some references stay, be the port dead or alive. */
    if ((entry->type & IE_SEND) != 0 && entry->urefs > 1) {
        entry->urefs--;
        spin_unlock(&task->lock);
        return KERN_SUCCESS;
    }

    (void)ipc_right_check(task, name, entry);

    if ((entry->type & IE_SEND) != 0) {
        right = MACH_PORT_RIGHT_SEND;
    } else if (entry->type == IE_SEND_ONCE) {
        right = MACH_PORT_RIGHT_SEND_ONCE;
    } else if (entry->type == IE_DEAD_NAME) {
        right = MACH_PORT_RIGHT_DEAD_NAME;
    } else {
        spin_unlock(&task->lock);
        return KERN_INVALID_RIGHT;
    }

    return ipc_right_delta(task, name, entry, right, -1);
}

kern_return_t
mach_port_mod_refs(ipc_space_t task, mach_port_name_t name,
                   mach_port_right_t right, mach_port_delta_t delta)
{
    struct ipc_entry *entry;
    kern_return_t kr;

    if (right >= MACH_PORT_RIGHT_NUMBER) {
        return task == NULL ? KERN_INVALID_TASK : KERN_INVALID_VALUE;
    }

    kr = port_lookup(task, name, &entry);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    return ipc_right_delta(task, name, entry, right, delta);
}

/* -- Port sets --------------------------------------------------------------- */

/* Port and set by their names in a space, which is then locked; the set may
 * be MACH_PORT_NULL. */
static kern_return_t
member_lookup(struct ipc_space *space, mach_port_name_t name,
              mach_port_name_t set_name, struct ipc_port **portp,
              struct ipc_pset **psetp)
{
    struct ipc_entry *entry, *set_entry = NULL;
    kern_return_t kr;

    kr = port_lookup(space, name, &entry);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if ((entry->type & IE_RECEIVE) == 0) {
        spin_unlock(&space->lock);
        return KERN_INVALID_RIGHT;
    }

    if (set_name != MACH_PORT_NULL) {
        set_entry = ipc_entry_lookup(space, set_name);

        if (set_entry == NULL || set_entry->type != IE_PORT_SET) {
            spin_unlock(&space->lock);
            return set_entry == NULL ? KERN_INVALID_NAME : KERN_INVALID_RIGHT;
        }
    }

    *portp = entry->object;
    *psetp = set_entry == NULL ? NULL : set_entry->object;
    return KERN_SUCCESS;
}

/* The port is locked and in no set. */
static void
member_add(struct ipc_pset *pset, struct ipc_port *port)
{
    spin_lock(&pset->lock);
    ipc_pset_add(pset, port);
    spin_unlock(&pset->lock);
    ipc_mqueue_joined(port);
}

/* Unlock both; there may be room in the queue now. */
static void
member_unlock(struct ipc_space *space, struct ipc_port *port)
{
    bool possible = port->armed;

    if (possible) {
        ipc_port_ref(port);
    }

    spin_unlock(&port->lock);
    spin_unlock(&space->lock);

    if (possible) {
        ipc_notify_possible(port);
        ipc_port_unref(port);
    }
}

kern_return_t
mach_port_move_member(ipc_space_t task, mach_port_name_t member,
                      mach_port_name_t after)
{
    struct ipc_port *port;
    struct ipc_pset *pset;
    kern_return_t kr;

    kr = member_lookup(task, member, after, &port, &pset);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    spin_lock(&port->lock);

    if (pset == NULL && port->pset == NULL) {
        kr = KERN_NOT_IN_SET;
    }

    ipc_pset_remove(port);

    if (pset != NULL) {
        member_add(pset, port);
    }

    member_unlock(task, port);
    return kr;
}

kern_return_t
mach_port_insert_member(ipc_space_t task, mach_port_name_t name,
                        mach_port_name_t pset_name)
{
    struct ipc_port *port;
    struct ipc_pset *pset;
    kern_return_t kr;

    kr = member_lookup(task, name, pset_name, &port, &pset);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    spin_lock(&port->lock);

    if (pset == NULL) {
        kr = KERN_INVALID_NAME;
    } else if (port->pset != NULL) {
        kr = KERN_ALREADY_IN_SET;
    } else {
        member_add(pset, port);
    }

    member_unlock(task, port);
    return kr;
}

kern_return_t
mach_port_extract_member(ipc_space_t task, mach_port_name_t name,
                         mach_port_name_t pset_name)
{
    struct ipc_port *port;
    struct ipc_pset *pset;
    kern_return_t kr;

    kr = member_lookup(task, name, pset_name, &port, &pset);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    spin_lock(&port->lock);

    if (pset == NULL) {
        kr = KERN_INVALID_NAME;
    } else if (port->pset != pset) {
        kr = KERN_NOT_IN_SET;
    } else {
        ipc_pset_remove(port);
    }

    spin_unlock(&port->lock);
    spin_unlock(&task->lock);
    return kr;
}

/* -- Notifications ---------------------------------------------------------- */

static kern_return_t
request_no_senders(struct ipc_space *space, mach_port_name_t name,
                   mach_port_mscount_t sync, struct ipc_port *notify,
                   struct ipc_port **previousp)
{
    struct ipc_port *port;
    mach_port_mscount_t mscount;
    kern_return_t kr;
    bool now;

    kr = port_lookup_receive(space, name, &port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    *previousp = port->nsrequest;
    mscount = port->mscount;
    now = notify != IP_NULL && port->srights == 0 &&
          (int32_t)(mscount - sync) >= 0;
    port->nsrequest = now ? IP_NULL : notify;
    spin_unlock(&port->lock);

    if (now) {
        ipc_notify_no_senders(notify, mscount);
    }

    return KERN_SUCCESS;
}

static kern_return_t
request_port_destroyed(struct ipc_space *space, mach_port_name_t name,
                       mach_port_mscount_t sync, struct ipc_port *notify,
                       struct ipc_port **previousp)
{
    struct ipc_port *port;
    kern_return_t kr;

    if (sync != 0) {
        return KERN_INVALID_VALUE;
    }

    kr = port_lookup_receive(space, name, &port);

    if (kr == KERN_SUCCESS) {
        *previousp = port->pdrequest;
        port->pdrequest = notify;
        spin_unlock(&port->lock);
    }

    return kr;
}

/* Exchange the request of an entry whose port is live. Both locked. */
static struct ipc_port *
dead_name_exchange(struct ipc_entry *entry, struct ipc_dnrequest *request,
                   struct ipc_dnrequest **oldp)
{
    struct ipc_port *port = entry->object;

    *oldp = ipc_right_request_take(port, entry);
    entry->request = request;

    if (request != NULL && request->armed) {
        list_insert_head(&port->dnrequests, &request->link);
        port->armed = true;
    } else if (request != NULL) {
        list_insert_tail(&port->dnrequests, &request->link);
    }

    return *oldp != NULL ? (*oldp)->notify : IP_NULL;
}

/* sync != 0: a name that is dead already is told at once; for send-possible
 * also a port that has room. */
static kern_return_t
request_dead_name(struct ipc_space *space, mach_port_name_t name,
                  mach_port_mscount_t sync, bool send_possible,
                  struct ipc_port *notify, struct ipc_port **previousp)
{
    struct ipc_dnrequest *request = NULL, *old = NULL;
    struct ipc_entry *entry;
    struct ipc_port *port;
    kern_return_t kr;
    bool dead;

    if (notify != IP_NULL) {
        request = ipc_dnrequest_create(name, notify, send_possible);

        if (request == NULL) {
            return KERN_RESOURCE_SHORTAGE;
        }

        request->armed = send_possible && sync != 0;
    }

    for (;;) {
        kr = port_lookup(space, name, &entry);

        if (kr != KERN_SUCCESS) {
            break;
        }

        dead = ipc_right_check(space, name, entry);

        if (dead) {
            kr = notify != IP_NULL && sync != 0 ? KERN_SUCCESS
                                                : KERN_INVALID_ARGUMENT;

            if (kr == KERN_SUCCESS && entry->urefs < MACH_PORT_UREFS_MAX) {
                entry->urefs++;
            }

            spin_unlock(&space->lock);
            break;
        }

        if ((entry->type & IE_PORT) == 0) {
            spin_unlock(&space->lock);
            kr = KERN_INVALID_RIGHT;
            break;
        }

        port = entry->object;
        spin_lock(&port->lock);

        if (!port->active) {
            /* It died since the check: look again. */
            spin_unlock(&port->lock);
            spin_unlock(&space->lock);
            continue;
        }

        *previousp = dead_name_exchange(entry, request, &old);
        ipc_port_ref(port);
        spin_unlock(&port->lock);
        spin_unlock(&space->lock);
        ipc_notify_possible(port);
        ipc_port_unref(port);

        if (old != NULL) {
            ipc_dnrequest_free(old);
        }

        return KERN_SUCCESS;
    }

    if (request != NULL) {
        ipc_dnrequest_free(request);
    }

    if (kr == KERN_SUCCESS) {
        ipc_notify_dead_name(notify, name);
    }

    return kr;
}

/* On an error the right stays with the request, which releases it. */
kern_return_t
mach_port_request_notification(ipc_space_t task, mach_port_name_t name,
                               mach_msg_id_t id, mach_port_mscount_t sync,
                               mach_port_t notify,
                               mach_msg_type_name_t notifyPoly,
                               mach_port_t *previous)
{
    struct ipc_port *port = ipc_port_from_handle(notify);
    struct ipc_port *old = IP_NULL;
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if (port == IP_DEAD) {
        return KERN_INVALID_CAPABILITY;
    }

    if (port != IP_NULL && notifyPoly != MACH_MSG_TYPE_PORT_SEND_ONCE) {
        return KERN_INVALID_CAPABILITY;
    }

    switch (id) {
    case MACH_NOTIFY_NO_SENDERS:
        kr = request_no_senders(task, name, sync, port, &old);
        break;
    case MACH_NOTIFY_PORT_DESTROYED:
        kr = request_port_destroyed(task, name, sync, port, &old);
        break;
    case MACH_NOTIFY_DEAD_NAME:
    case MACH_NOTIFY_SEND_POSSIBLE:
        kr = request_dead_name(task, name, sync,
                               id == MACH_NOTIFY_SEND_POSSIBLE, port, &old);
        break;
    default:
        kr = KERN_INVALID_VALUE;
        break;
    }

    *previous = ipc_port_to_handle(old);
    return kr;
}

/* -- Rights of another space ------------------------------------------------ */

kern_return_t
mach_port_insert_right(ipc_space_t task, mach_port_name_t name,
                       mach_port_t poly, mach_msg_type_name_t polyPoly)
{
    struct ipc_port *port = ipc_port_from_handle(poly);

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if (!MACH_PORT_VALID(name)) {
        return KERN_INVALID_VALUE;
    }

    if (!IP_VALID(port)) {
        return KERN_INVALID_CAPABILITY;
    }

    return ipc_right_copyout_name(task, port, polyPoly, name);
}

kern_return_t
mach_port_extract_right(ipc_space_t task, mach_port_name_t name,
                        natural_t msgt_name, mach_port_t *poly,
                        mach_msg_type_name_t *polyPoly)
{
    struct ipc_port *port;
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if (!MACH_MSG_TYPE_PORT_ANY(msgt_name)) {
        return KERN_INVALID_VALUE;
    }

    if (!MACH_PORT_VALID(name)) {
        return KERN_INVALID_NAME;
    }

    kr = ipc_right_copyin_name(task, name, msgt_name, &port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    *poly = ipc_port_to_handle(port);
    *polyPoly = ipc_right_received_type(msgt_name);
    return KERN_SUCCESS;
}

/* -- A receive right's properties -------------------------------------------- */

enum port_property {
    PORT_MSCOUNT,
    PORT_SEQNO,
    PORT_QLIMIT,
    PORT_CONTEXT,
    PORT_PAYLOAD,
    PORT_NO_PAYLOAD,
};

static kern_return_t
port_set(struct ipc_space *space, mach_port_name_t name,
         enum port_property property, uint64_t value)
{
    struct ipc_port *port;
    bool possible;
    kern_return_t kr;

    kr = port_lookup_receive(space, name, &port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    switch (property) {
    case PORT_MSCOUNT:
        port->mscount = (uint32_t)value;
        break;
    case PORT_SEQNO:
        port->seqno = (uint32_t)value;
        break;
    case PORT_QLIMIT:
        port->qlimit = (uint32_t)value;
        ipc_mqueue_room(port);
        break;
    case PORT_CONTEXT:
        if (port->guarded) {
            kr = KERN_INVALID_ARGUMENT;
        } else {
            port->context = value;
        }

        break;
    case PORT_PAYLOAD:
        port->has_payload = true;
        port->payload = value;
        break;
    case PORT_NO_PAYLOAD:
        port->has_payload = false;
        break;
    }

    possible = port->armed;

    if (possible) {
        ipc_port_ref(port);
    }

    spin_unlock(&port->lock);

    if (possible) {
        ipc_notify_possible(port);
        ipc_port_unref(port);
    }

    return kr;
}

kern_return_t
mach_port_set_mscount(ipc_space_t task, mach_port_name_t name,
                      mach_port_mscount_t mscount)
{
    return port_set(task, name, PORT_MSCOUNT, mscount);
}

kern_return_t
mach_port_set_seqno(ipc_space_t task, mach_port_name_t name,
                    mach_port_seqno_t seqno)
{
    return port_set(task, name, PORT_SEQNO, seqno);
}

kern_return_t
mach_port_set_qlimit(ipc_space_t task, mach_port_name_t name,
                     mach_port_msgcount_t qlimit)
{
    if (qlimit == 0 || qlimit > MACH_PORT_QLIMIT_MAX) {
        return task == NULL ? KERN_INVALID_TASK : KERN_INVALID_VALUE;
    }

    return port_set(task, name, PORT_QLIMIT, qlimit);
}

kern_return_t
mach_port_set_context(ipc_space_t task, mach_port_name_t name,
                      mach_port_context_t context)
{
    return port_set(task, name, PORT_CONTEXT, context);
}

kern_return_t
mach_port_set_protected_payload(ipc_space_t task, mach_port_name_t name,
                                vm_offset_t payload)
{
    return port_set(task, name, PORT_PAYLOAD, payload);
}

kern_return_t
mach_port_clear_protected_payload(ipc_space_t task, mach_port_name_t name)
{
    return port_set(task, name, PORT_NO_PAYLOAD, 0);
}

kern_return_t
mach_port_set_attributes(ipc_space_t task, mach_port_name_t name,
                         mach_port_flavor_t flavor, integer_t *port_info,
                         mach_msg_type_number_t port_infoCnt)
{
    struct ipc_port *port;
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    switch (flavor) {
    case MACH_PORT_LIMITS_INFO:
        return port_infoCnt < MACH_PORT_LIMITS_INFO_COUNT
                   ? KERN_FAILURE
                   : mach_port_set_qlimit(task, name, (uint32_t)port_info[0]);
    case MACH_PORT_DNREQUESTS_SIZE:
        if (port_infoCnt < MACH_PORT_DNREQUESTS_SIZE_COUNT) {
            return KERN_FAILURE;
        }

        kr = port_lookup_receive(task, name, &port);

        if (kr == KERN_SUCCESS) {
            spin_unlock(&port->lock);
        }

        return kr;
    default:
        return KERN_INVALID_ARGUMENT;
    }
}

kern_return_t
mach_port_guard(ipc_space_t task, mach_port_name_t name,
                mach_port_context_t guard, boolean_t strict)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (port->guarded || port->context != 0) {
        kr = KERN_INVALID_ARGUMENT;
    } else {
        port->context = guard;
        port->guarded = true;
        port->strict_guard = strict != FALSE;
    }

    spin_unlock(&port->lock);
    return kr;
}

kern_return_t
mach_port_unguard(ipc_space_t task, mach_port_name_t name,
                  mach_port_context_t guard)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (!port->guarded) {
        kr = KERN_INVALID_ARGUMENT;
    } else if (port->context != guard) {
        kr = KERN_INVALID_VALUE;
    } else {
        ipc_port_clear_guard(port);
    }

    spin_unlock(&port->lock);
    return kr;
}
