/* SPDX-License-Identifier: MIT */
/*
 * The routines of <mach/mach_port.defs>, contracts there. `task` is NULL when
 * the request port was no task's.
 */

#include <debug/assert.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_notify.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_space.h>
#include <kern/slab.h>
#include <kern/string.h>
#include <mach/mach_port_server.h>
#include <vm/vm_copy.h>

/*
 * The entry of a name; the space is then locked.
 * KERN_INVALID_TASK, KERN_INVALID_NAME: nothing is locked.
 */
static kern_return_t
port_lookup(struct ipc_space *space, mach_port_name_t name,
            struct ipc_entry **entryp)
{
    struct ipc_entry *entry;

    if (space == NULL) {
        return KERN_INVALID_TASK;
    }

    spin_lock(&space->lock);
    entry = space->active ? ipc_entry_lookup(space, name) : NULL;

    if (entry == NULL) {
        spin_unlock(&space->lock);
        return KERN_INVALID_NAME;
    }

    *entryp = entry;
    return KERN_SUCCESS;
}

/* The port whose receive right has this name, locked; the space is not. */
static kern_return_t
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

static mach_port_type_t
entry_type(struct ipc_space *space, mach_port_name_t name,
           struct ipc_entry *entry)
{
    (void)ipc_right_check(space, name, entry);
    return (mach_port_type_t)entry->type << 16 |
           (entry->request != NULL ? MACH_PORT_TYPE_DNREQUEST : 0);
}

/* Copies of the two arrays go out as memory; they are freed here. */
static kern_return_t
names_copyout(natural_t *names, natural_t *types, natural_t count,
              natural_t room, natural_t **namesp, natural_t **typesp)
{
    struct vm_map_copy *names_copy = NULL, *types_copy = NULL;
    kern_return_t kr = KERN_SUCCESS;

    if (count != 0) {
        kr =
            vm_map_copy_from_kernel(names, count * sizeof(*names), &names_copy);
    }

    if (kr == KERN_SUCCESS && count != 0 && types != NULL) {
        kr =
            vm_map_copy_from_kernel(types, count * sizeof(*types), &types_copy);

        if (kr != KERN_SUCCESS) {
            vm_map_copy_discard(names_copy);
        }
    }

    kmem_free(names, room * sizeof(*names));

    if (types != NULL) {
        kmem_free(types, room * sizeof(*types));
    }

    if (kr == KERN_SUCCESS) {
        *namesp = (natural_t *)names_copy;

        if (typesp != NULL) {
            *typesp = (natural_t *)types_copy;
        }
    }

    return kr;
}

/* Room is made for the names that there are, looked at again afterwards. */
kern_return_t
mach_port_names(ipc_space_t task, mach_port_name_array_t *names,
                mach_msg_type_number_t *namesCnt, mach_port_type_array_t *types,
                mach_msg_type_number_t *typesCnt)
{
    natural_t *name_array, *type_array;
    natural_t room, count = 0;
    struct ipc_entry *entry;
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    spin_lock(&task->lock);
    room = task->count + 16;
    spin_unlock(&task->lock);
    name_array = kmem_alloc(room * sizeof(*name_array));
    type_array = kmem_alloc(room * sizeof(*type_array));

    if (name_array == NULL || type_array == NULL) {
        if (name_array != NULL) {
            kmem_free(name_array, room * sizeof(*name_array));
        }

        if (type_array != NULL) {
            kmem_free(type_array, room * sizeof(*type_array));
        }

        return KERN_RESOURCE_SHORTAGE;
    }

    spin_lock(&task->lock);

    for (uint32_t index = 1; index < task->size && count < room; index++) {
        entry = ipc_entry_at(task, index);

        if (entry->type != IE_NONE) {
            name_array[count] = MACH_PORT_MAKE(index, entry->generation);
            type_array[count] = entry_type(task, name_array[count], entry);
            count++;
        }
    }

    spin_unlock(&task->lock);
    kr = names_copyout(name_array, type_array, count, room, names, types);

    if (kr == KERN_SUCCESS) {
        *namesCnt = count;
        *typesCnt = count;
    }

    return kr;
}

kern_return_t
mach_port_type(ipc_space_t task, mach_port_name_t name, mach_port_type_t *ptype)
{
    struct ipc_entry *entry;
    kern_return_t kr;

    kr = port_lookup(task, name, &entry);

    if (kr == KERN_SUCCESS) {
        *ptype = entry_type(task, name, entry);
        spin_unlock(&task->lock);
    }

    return kr;
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

    old = ipc_entry_lookup(task, old_name);

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

/* The space was locked by the allocation of the entry. */
static void
port_allocate_fill(struct ipc_space *space, mach_port_right_t right,
                   mach_port_name_t name, struct ipc_entry *entry, void *object)
{
    entry->object = object;
    entry->type = (uint8_t)(MACH_PORT_TYPE(right) >> 16);
    entry->urefs = right == MACH_PORT_RIGHT_DEAD_NAME ? 1 : 0;

    if (right == MACH_PORT_RIGHT_RECEIVE) {
        ((struct ipc_port *)object)->receiver_name = name;
    } else if (right == MACH_PORT_RIGHT_PORT_SET) {
        ((struct ipc_pset *)object)->name = name;
    }

    spin_unlock(&space->lock);
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

    port_allocate_fill(task, right, name, entry, object);
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
    port_allocate_fill(task, right, name, entry, object);
    *namep = name;
    return KERN_SUCCESS;
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
mach_port_get_refs(ipc_space_t task, mach_port_name_t name,
                   mach_port_right_t right, mach_port_urefs_t *refs)
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

    (void)ipc_right_check(task, name, entry);

    if ((entry->type & (MACH_PORT_TYPE(right) >> 16)) == 0) {
        *refs = 0;
    } else if (right == MACH_PORT_RIGHT_RECEIVE ||
               right == MACH_PORT_RIGHT_PORT_SET) {
        *refs = 1;
    } else {
        *refs = entry->urefs;
    }

    spin_unlock(&task->lock);
    return KERN_SUCCESS;
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

kern_return_t
mach_port_set_mscount(ipc_space_t task, mach_port_name_t name,
                      mach_port_mscount_t mscount)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr == KERN_SUCCESS) {
        port->mscount = mscount;
        spin_unlock(&port->lock);
    }

    return kr;
}

kern_return_t
mach_port_set_seqno(ipc_space_t task, mach_port_name_t name,
                    mach_port_seqno_t seqno)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr == KERN_SUCCESS) {
        port->seqno = seqno;
        spin_unlock(&port->lock);
    }

    return kr;
}

kern_return_t
mach_port_get_set_status(ipc_space_t task, mach_port_name_t name,
                         mach_port_name_array_t *members,
                         mach_msg_type_number_t *membersCnt)
{
    struct ipc_entry *entry;
    struct ipc_pset *pset;
    natural_t *names;
    natural_t room, count = 0;
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    spin_lock(&task->lock);
    room = task->count + 16;
    spin_unlock(&task->lock);
    names = kmem_alloc(room * sizeof(*names));

    if (names == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    kr = port_lookup(task, name, &entry);

    if (kr == KERN_SUCCESS && entry->type != IE_PORT_SET) {
        spin_unlock(&task->lock);
        kr = KERN_INVALID_RIGHT;
    }

    if (kr != KERN_SUCCESS) {
        kmem_free(names, room * sizeof(*names));
        return kr;
    }

    pset = entry->object;
    spin_lock(&pset->lock);

    list_for_each(&pset->members, link)
    {
        if (count < room) {
            names[count] =
                list_entry(link, struct ipc_port, pset_link)->receiver_name;
            count++;
        }
    }

    spin_unlock(&pset->lock);
    spin_unlock(&task->lock);
    kr = names_copyout(names, NULL, count, room, members, NULL);

    if (kr == KERN_SUCCESS) {
        *membersCnt = count;
    }

    return kr;
}

kern_return_t
mach_port_move_member(ipc_space_t task, mach_port_name_t member,
                      mach_port_name_t after)
{
    struct ipc_entry *entry, *set_entry = NULL;
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup(task, member, &entry);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if ((entry->type & IE_RECEIVE) == 0) {
        spin_unlock(&task->lock);
        return KERN_INVALID_RIGHT;
    }

    if (after != MACH_PORT_NULL) {
        set_entry = ipc_entry_lookup(task, after);

        if (set_entry == NULL || set_entry->type != IE_PORT_SET) {
            spin_unlock(&task->lock);
            return set_entry == NULL ? KERN_INVALID_NAME : KERN_INVALID_RIGHT;
        }
    }

    port = entry->object;
    spin_lock(&port->lock);

    if (after == MACH_PORT_NULL && port->pset == NULL) {
        kr = KERN_NOT_IN_SET;
    }

    ipc_pset_remove(port);

    if (set_entry != NULL) {
        struct ipc_pset *pset = set_entry->object;

        spin_lock(&pset->lock);
        ipc_pset_add(pset, port);
        spin_unlock(&pset->lock);
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

/* Exchange the request of an entry whose port is live. Space locked. */
static struct ipc_port *
dead_name_exchange(struct ipc_entry *entry, struct ipc_dnrequest *request,
                   struct ipc_dnrequest **oldp)
{
    struct ipc_port *port = entry->object;

    *oldp = entry->request;

    if (entry->request != NULL) {
        list_remove(&entry->request->link);
    }

    entry->request = request;

    if (request != NULL) {
        list_insert_tail(&port->dnrequests, &request->link);
    }

    return *oldp != NULL ? (*oldp)->notify : IP_NULL;
}

/* sync != 0: a name that is dead already is told at once. */
static kern_return_t
request_dead_name(struct ipc_space *space, mach_port_name_t name,
                  mach_port_mscount_t sync, struct ipc_port *notify,
                  struct ipc_port **previousp)
{
    struct ipc_dnrequest *request = NULL, *old = NULL;
    struct ipc_entry *entry;
    struct ipc_port *port;
    kern_return_t kr;
    bool dead;

    if (notify != IP_NULL) {
        request = ipc_dnrequest_create(name, notify);

        if (request == NULL) {
            return KERN_RESOURCE_SHORTAGE;
        }
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
        spin_unlock(&port->lock);
        spin_unlock(&space->lock);

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
        kr = request_dead_name(task, name, sync, port, &old);
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

/* -- Attributes ------------------------------------------------------------- */

kern_return_t
mach_port_get_receive_status(ipc_space_t task, mach_port_name_t name,
                             mach_port_status_t *status)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    *status = (mach_port_status_t){
        .mps_pset = port->pset == NULL ? MACH_PORT_NULL : port->pset->name,
        .mps_seqno = port->seqno,
        .mps_mscount = port->mscount,
        .mps_qlimit = port->qlimit,
        .mps_msgcount = port->msgcount,
        .mps_sorights = port->sorights,
        .mps_srights = port->srights != 0,
        .mps_pdrequest = port->pdrequest != IP_NULL,
        .mps_nsrequest = port->nsrequest != IP_NULL,
    };
    spin_unlock(&port->lock);
    return KERN_SUCCESS;
}

kern_return_t
mach_port_set_qlimit(ipc_space_t task, mach_port_name_t name,
                     mach_port_msgcount_t qlimit)
{
    struct ipc_port *port;
    kern_return_t kr;

    if (qlimit == 0 || qlimit > MACH_PORT_QLIMIT_MAX) {
        return task == NULL ? KERN_INVALID_TASK : KERN_INVALID_VALUE;
    }

    kr = port_lookup_receive(task, name, &port);

    if (kr == KERN_SUCCESS) {
        port->qlimit = qlimit;
        ipc_mqueue_room(port);
        spin_unlock(&port->lock);
    }

    return kr;
}

kern_return_t
mach_port_set_protected_payload(ipc_space_t task, mach_port_name_t name,
                                vm_offset_t payload)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr == KERN_SUCCESS) {
        port->has_payload = true;
        port->payload = payload;
        spin_unlock(&port->lock);
    }

    return kr;
}

kern_return_t
mach_port_clear_protected_payload(ipc_space_t task, mach_port_name_t name)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr == KERN_SUCCESS) {
        port->has_payload = false;
        spin_unlock(&port->lock);
    }

    return kr;
}
