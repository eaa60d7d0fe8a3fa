/* SPDX-License-Identifier: MIT */
/*
 * The routines of <mach/mach_port.defs> that only look, contracts there.
 * `task` is NULL when the request port was no task's.
 */

#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_space.h>
#include <ipc/mach_port.h>
#include <kern/slab.h>
#include <kern/string.h>
#include <mach/mach_port_server.h>
#include <vm/vm_copy.h>

/* A request that has been told is none. */
static mach_port_type_t
request_type(const struct ipc_dnrequest *request)
{
    if (request == NULL || request->notify == IP_NULL) {
        return 0;
    }

    if (!request->send_possible) {
        return MACH_PORT_TYPE_DNREQUEST;
    }

    return request->armed
               ? MACH_PORT_TYPE_SPREQUEST
               : MACH_PORT_TYPE_SPREQUEST | MACH_PORT_TYPE_SPREQUEST_DELAYED;
}

static mach_port_type_t
entry_type(struct ipc_space *space, mach_port_name_t name,
           struct ipc_entry *entry)
{
    (void)ipc_right_check(space, name, entry);
    return (mach_port_type_t)entry->type << 16 | request_type(entry->request);
}

/* -- Arrays ------------------------------------------------------------------ */

/* An array in the making: `room` members, and what has been filled in. */
struct port_array {
    void *memory;
    vm_size_t size; /* bytes of a member */
    natural_t room;
};

/* Room for something about each name, for a few more than there are now. */
static kern_return_t
array_alloc(struct port_array *array, struct ipc_space *space, vm_size_t size)
{
    if (space == NULL) {
        return KERN_INVALID_TASK;
    }

    spin_lock(&space->lock);
    ipc_reply_settle_all(space); /* full slots are names, too */
    array->room = space->count + 16;
    spin_unlock(&space->lock);
    array->size = size;
    array->memory = kmem_alloc(array->room * size);
    return array->memory == NULL ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS;
}

static void
array_free(struct port_array *array)
{
    kmem_free(array->memory, array->room * array->size);
}

/* What the stub sends out of line in the place of an array. Frees that. */
static kern_return_t
array_out(struct port_array *array, natural_t count, void **outp)
{
    struct vm_map_copy *copy = NULL;
    kern_return_t kr = KERN_SUCCESS;

    if (count != 0) {
        kr = vm_map_copy_from_kernel(array->memory, count * array->size, &copy);
    }

    array_free(array);

    if (kr == KERN_SUCCESS) {
        *outp = copy;
    }

    return kr;
}

/* Tell all there is to know of each name, the space locked. */
static natural_t
space_snapshot(struct ipc_space *space, ipc_info_name_t *names, natural_t room)
{
    struct ipc_entry *entry;
    natural_t count = 0;

    ipc_reply_settle_all(space);

    for (uint32_t index = 1; index < space->size && count < room; index++) {
        entry = ipc_entry_at(space, index);

        if (entry->type != IE_NONE && entry->type != IE_REPLY) {
            names[count].iin_name = MACH_PORT_MAKE(index, entry->generation);
            names[count].iin_type =
                entry_type(space, names[count].iin_name, entry);
            names[count].iin_urefs = entry->urefs;
            count++;
        }
    }

    return count;
}

/* The names and types of a snapshot, which is freed. */
static kern_return_t
names_out(struct port_array *snapshot, natural_t count, void **namesp,
          void **typesp)
{
    const ipc_info_name_t *from = snapshot->memory;
    vm_size_t size = (count + 1) * sizeof(natural_t);
    struct port_array names = { kmem_alloc(size), sizeof(natural_t),
                                count + 1 };
    struct port_array types = { kmem_alloc(size), sizeof(natural_t),
                                count + 1 };
    kern_return_t kr = KERN_RESOURCE_SHORTAGE;

    if (names.memory == NULL || types.memory == NULL) {
        if (names.memory != NULL) {
            array_free(&names);
        }

        if (types.memory != NULL) {
            array_free(&types);
        }

        array_free(snapshot);
        return kr;
    }

    for (natural_t i = 0; i < count; i++) {
        ((natural_t *)names.memory)[i] = from[i].iin_name;
        ((natural_t *)types.memory)[i] = from[i].iin_type;
    }

    array_free(snapshot);
    kr = array_out(&names, count, namesp);

    if (kr != KERN_SUCCESS) {
        array_free(&types);
        return kr;
    }

    kr = array_out(&types, count, typesp);

    if (kr != KERN_SUCCESS && count != 0) {
        vm_map_copy_discard(*namesp);
    }

    return kr;
}

kern_return_t
mach_port_names(ipc_space_t task, mach_port_name_array_t *names,
                mach_msg_type_number_t *namesCnt, mach_port_type_array_t *types,
                mach_msg_type_number_t *typesCnt)
{
    struct port_array snapshot;
    natural_t count;
    kern_return_t kr;

    kr = array_alloc(&snapshot, task, sizeof(ipc_info_name_t));

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    spin_lock(&task->lock);
    count = space_snapshot(task, snapshot.memory, snapshot.room);
    spin_unlock(&task->lock);
    kr = names_out(&snapshot, count, (void **)names, (void **)types);

    if (kr == KERN_SUCCESS) {
        *namesCnt = count;
        *typesCnt = count;
    }

    return kr;
}

kern_return_t
mach_port_space_info(ipc_space_t task, ipc_info_space_t *space_info,
                     ipc_info_name_array_t *table_info,
                     mach_msg_type_number_t *table_infoCnt,
                     ipc_info_tree_name_array_t *tree_info,
                     mach_msg_type_number_t *tree_infoCnt)
{
    struct port_array snapshot;
    natural_t count;
    kern_return_t kr;

    kr = array_alloc(&snapshot, task, sizeof(ipc_info_name_t));

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    spin_lock(&task->lock);
    count = space_snapshot(task, snapshot.memory, snapshot.room);
    *space_info = (ipc_info_space_t){
        .iis_genno_mask = MACH_PORT_GEN(~0u),
        .iis_table_size = task->size,
        .iis_table_next = task->size + (natural_t)IPC_CHUNK_ENTRIES,
        .iis_tree_hash = task->hash_count,
    };
    spin_unlock(&task->lock);
    kr = array_out(&snapshot, count, (void **)table_info);

    if (kr == KERN_SUCCESS) {
        *table_infoCnt = count;
        *tree_info = NULL;
        *tree_infoCnt = 0;
    }

    return kr;
}

kern_return_t
mach_port_get_set_status(ipc_space_t task, mach_port_name_t name,
                         mach_port_name_array_t *members,
                         mach_msg_type_number_t *membersCnt)
{
    struct port_array array;
    struct ipc_entry *entry;
    struct ipc_pset *pset;
    natural_t count = 0;
    kern_return_t kr;

    kr = array_alloc(&array, task, sizeof(natural_t));

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    kr = port_lookup(task, name, &entry);

    if (kr == KERN_SUCCESS && entry->type != IE_PORT_SET) {
        spin_unlock(&task->lock);
        kr = KERN_INVALID_RIGHT;
    }

    if (kr != KERN_SUCCESS) {
        array_free(&array);
        return kr;
    }

    pset = entry->object;
    spin_lock(&pset->lock);

    list_for_each(&pset->members, link)
    {
        if (count < array.room) {
            ((natural_t *)array.memory)[count] =
                list_entry(link, struct ipc_port, pset_link)->receiver_name;
            count++;
        }
    }

    spin_unlock(&pset->lock);
    spin_unlock(&task->lock);
    kr = array_out(&array, count, (void **)members);

    if (kr == KERN_SUCCESS) {
        *membersCnt = count;
    }

    return kr;
}

/* -- A name ------------------------------------------------------------------ */

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
mach_port_kobject(ipc_space_t task, mach_port_name_t name,
                  natural_t *object_type, vm_address_t *object_addr)
{
    struct ipc_entry *entry;
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup(task, name, &entry);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if ((entry->type & (IE_SEND | IE_RECEIVE)) == 0 ||
        ipc_right_check(task, name, entry)) {
        spin_unlock(&task->lock);
        return KERN_INVALID_RIGHT;
    }

    port = entry->object;
    spin_lock(&port->lock);
    *object_type = port->kobject_type;
    *object_addr = 0;
    spin_unlock(&port->lock);
    spin_unlock(&task->lock);
    return KERN_SUCCESS;
}

/* -- A receive right --------------------------------------------------------- */

static mach_port_status_t
port_status(const struct ipc_port *port)
{
    return (mach_port_status_t){
        .mps_pset = port->pset == NULL ? MACH_PORT_NULL : port->pset->name,
        .mps_seqno = port->seqno,
        .mps_mscount = port->mscount,
        .mps_qlimit = port->qlimit,
        .mps_msgcount = port->msgcount,
        .mps_sorights = port->sorights,
        .mps_srights = port->srights != 0,
        .mps_pdrequest = port->pdrequest != IP_NULL,
        .mps_nsrequest = port->nsrequest != IP_NULL,
        .mps_flags =
            (port->guarded ? MACH_PORT_STATUS_FLAG_GUARDED : 0) |
            (port->strict_guard ? MACH_PORT_STATUS_FLAG_STRICT_GUARD : 0),
    };
}

static natural_t
port_requests(const struct ipc_port *port)
{
    natural_t count = 0;

    list_for_each(&port->dnrequests, link)
    {
        count++;
    }

    return count;
}

kern_return_t
mach_port_get_receive_status(ipc_space_t task, mach_port_name_t name,
                             mach_port_status_t *status)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr == KERN_SUCCESS) {
        *status = port_status(port);
        spin_unlock(&port->lock);
    }

    return kr;
}

kern_return_t
mach_port_get_srights(ipc_space_t task, mach_port_name_t name,
                      mach_port_rights_t *srights)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr == KERN_SUCCESS) {
        *srights = port->srights;
        spin_unlock(&port->lock);
    }

    return kr;
}

kern_return_t
mach_port_dnrequest_info(ipc_space_t task, mach_port_name_t name,
                         natural_t *dnr_total, natural_t *dnr_used)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr == KERN_SUCCESS) {
        *dnr_used = port_requests(port);
        *dnr_total = *dnr_used;
        spin_unlock(&port->lock);
    }

    return kr;
}

kern_return_t
mach_port_get_context(ipc_space_t task, mach_port_name_t name,
                      mach_port_context_t *context)
{
    struct ipc_port *port;
    kern_return_t kr;

    kr = port_lookup_receive(task, name, &port);

    if (kr == KERN_SUCCESS) {
        *context = port->strict_guard ? 0 : port->context;
        spin_unlock(&port->lock);
    }

    return kr;
}

/* Words of a flavor; 0: there is no such flavor. */
static mach_msg_type_number_t
attributes_count(mach_port_flavor_t flavor)
{
    switch (flavor) {
    case MACH_PORT_LIMITS_INFO:
        return MACH_PORT_LIMITS_INFO_COUNT;
    case MACH_PORT_RECEIVE_STATUS:
        return MACH_PORT_RECEIVE_STATUS_COUNT;
    case MACH_PORT_DNREQUESTS_SIZE:
        return MACH_PORT_DNREQUESTS_SIZE_COUNT;
    default:
        return 0;
    }
}

kern_return_t
mach_port_get_attributes(ipc_space_t task, mach_port_name_t name,
                         mach_port_flavor_t flavor, integer_t *port_info_out,
                         mach_msg_type_number_t *port_info_outCnt)
{
    mach_msg_type_number_t count = attributes_count(flavor);
    mach_port_status_t status;
    struct ipc_port *port;
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if (count == 0 || *port_info_outCnt < count) {
        return count == 0 ? KERN_INVALID_ARGUMENT : KERN_FAILURE;
    }

    kr = port_lookup_receive(task, name, &port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    status = port_status(port);

    if (flavor == MACH_PORT_RECEIVE_STATUS) {
        memcpy(port_info_out, &status, sizeof(status));
    } else if (flavor == MACH_PORT_LIMITS_INFO) {
        port_info_out[0] = (integer_t)status.mps_qlimit;
    } else {
        port_info_out[0] = (integer_t)port_requests(port);
    }

    spin_unlock(&port->lock);
    *port_info_outCnt = count;
    return KERN_SUCCESS;
}

/* The queued message with this sequence number; 0: the first. The port is
 * locked. */
static struct ipc_kmsg *
peek_find(struct ipc_port *port, mach_port_seqno_t *seqnop)
{
    mach_port_seqno_t ahead = *seqnop == 0 ? 0 : *seqnop - port->seqno;

    list_for_each(&port->messages, link)
    {
        if (ahead == 0) {
            *seqnop = *seqnop == 0 ? port->seqno : *seqnop;
            return list_entry(link, struct ipc_kmsg, link);
        }

        ahead--;
    }

    return NULL;
}

kern_return_t
mach_port_peek(ipc_space_t task, mach_port_name_t name, natural_t trailer_type,
               mach_port_seqno_t *request_seqno, natural_t *msg_size,
               mach_msg_id_t *msg_id, char *trailer_info,
               mach_msg_type_number_t *trailer_infoCnt)
{
    mach_msg_max_trailer_t trailer;
    struct ipc_kmsg *kmsg;
    struct ipc_port *port;
    kern_return_t kr;

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if ((trailer_type & ~MACH_RCV_TRAILER_ELEMENTS(0xf)) != 0 ||
        GET_RCV_TRAILER(trailer_type) > MACH_RCV_TRAILER_AUDIT) {
        return KERN_INVALID_VALUE;
    }

    if (*trailer_infoCnt < REQUESTED_TRAILER_SIZE(trailer_type)) {
        return KERN_FAILURE;
    }

    kr = port_lookup_receive(task, name, &port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    kmsg = peek_find(port, request_seqno);

    if (kmsg == NULL) {
        spin_unlock(&port->lock);
        return KERN_FAILURE;
    }

    *msg_size = kmsg->header.msgh_size;
    *msg_id = kmsg->header.msgh_id;
    *trailer_infoCnt =
        ipc_kmsg_trailer(kmsg, trailer_type, *request_seqno, &trailer);
    spin_unlock(&port->lock);
    memcpy(trailer_info, &trailer, *trailer_infoCnt);
    return KERN_SUCCESS;
}
