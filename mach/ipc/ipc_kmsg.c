/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_kmsg.h. */

#include <debug/assert.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_reply.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_space.h>
#include <kern/slab.h>
#include <kern/string.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/copy.h>
#include <vm/vm_copy.h>
#include <vm/vm_map.h>

/* Buffers of the two common sizes come from caches. */
#define KMSG_MEDIUM 1024

struct slab_cache ipc_kmsg_small_cache;
static struct slab_cache medium_cache;
static atomic_ulong large_count;

void
ipc_kmsg_setup(void)
{
    slab_cache_init(&ipc_kmsg_small_cache, "ipc_kmsg small",
                    IPC_KMSG_OVERHEAD + IPC_KMSG_SMALL, 16);
    slab_cache_init(&medium_cache, "ipc_kmsg medium",
                    IPC_KMSG_OVERHEAD + KMSG_MEDIUM, 16);
}

/* The trailer goes behind the message, in the same buffer. */
struct ipc_kmsg *
ipc_kmsg_alloc(mach_msg_size_t size)
{
    mach_msg_size_t room = ((size + 3) & ~3u) + MAX_TRAILER_SIZE;
    struct ipc_kmsg *kmsg;

    if (room <= IPC_KMSG_SMALL) {
        kmsg = slab_alloc_raw(&ipc_kmsg_small_cache);

        if (likely(kmsg != NULL)) {
            memset(kmsg, 0, IPC_KMSG_OVERHEAD + room);
        }

        room = IPC_KMSG_SMALL;
    } else if (room <= KMSG_MEDIUM) {
        kmsg = slab_alloc(&medium_cache);
        room = KMSG_MEDIUM;
    } else {
        kmsg = kmem_alloc(IPC_KMSG_OVERHEAD + room);

        if (kmsg != NULL) {
            atomic_fetch_add(&large_count, 1);
        }
    }

    if (kmsg != NULL) {
        kmsg->room = room;
        list_init(&kmsg->link);
    }

    return kmsg;
}

/* For a message that will be copied in, whole: a small one is not zeroed
 * before. Its trailer is made when it is received. */
static struct ipc_kmsg *
kmsg_alloc_raw(mach_msg_size_t size)
{
    return likely(size <= IPC_KMSG_SHORT) ? ipc_kmsg_alloc_short()
                                          : ipc_kmsg_alloc(size);
}

void
ipc_kmsg_free(struct ipc_kmsg *kmsg)
{
    if (kmsg->room == IPC_KMSG_SMALL) {
        slab_free(&ipc_kmsg_small_cache, kmsg);
    } else if (kmsg->room == KMSG_MEDIUM) {
        slab_free(&medium_cache, kmsg);
    } else {
        atomic_fetch_sub(&large_count, 1);
        kmem_free(kmsg, IPC_KMSG_OVERHEAD + kmsg->room);
    }
}

uint64_t
ipc_kmsg_count(void)
{
    return slab_count(&ipc_kmsg_small_cache) + slab_count(&medium_cache) +
           atomic_load(&large_count);
}

/* -- Descriptors ------------------------------------------------------------ */

static mach_msg_body_t *
kmsg_body(struct ipc_kmsg *kmsg)
{
    return (mach_msg_body_t *)(&kmsg->header + 1);
}

/* Bytes of a descriptor on the wire. */
static size_t
descriptor_size(uint8_t type)
{
    return type == MACH_MSG_PORT_DESCRIPTOR ? sizeof(mach_msg_port_descriptor_t)
                                            : sizeof(mach_msg_ool_descriptor_t);
}

static uint8_t
descriptor_type(const void *descriptor)
{
    return ((const mach_msg_type_descriptor_t *)descriptor)->type;
}

/* A right counts as much as a port: it may be all that keeps one. */
static size_t
descriptor_memory(const mach_msg_descriptor_t *descriptor)
{
    switch (descriptor->type.type) {
    case MACH_MSG_PORT_DESCRIPTOR:
        return sizeof(struct ipc_port);
    case MACH_MSG_OOL_PORTS_DESCRIPTOR:
        return descriptor->ool_ports.count *
               (sizeof(struct ipc_port) + sizeof(mach_port_t));
    default:
        /* Pages are charged to the sender's memory; less than one is ours. */
        return MIN(descriptor->out_of_line.size, PAGE_SIZE);
    }
}

size_t
ipc_kmsg_memory(const struct ipc_kmsg *kmsg)
{
    size_t size = IPC_KMSG_OVERHEAD + kmsg->room;
    const mach_msg_body_t *body = (const void *)(&kmsg->header + 1);
    const char *at = (const char *)(body + 1);

    if (likely(!MACH_MSGH_BITS_IS_COMPLEX(kmsg->header.msgh_bits))) {
        return size;
    }

    for (mach_msg_size_t i = 0; i < body->msgh_descriptor_count; i++) {
        size += descriptor_memory((const void *)at);
        at += descriptor_size(descriptor_type(at));
    }

    return size;
}

mach_msg_size_t
ipc_kmsg_trailer(const struct ipc_kmsg *kmsg, mach_msg_option_t option,
                 mach_port_seqno_t seqno, mach_msg_max_trailer_t *trailer)
{
    mach_msg_size_t size = REQUESTED_TRAILER_SIZE(option);
    const struct ipc_identity *sender = &kmsg->sender;

    trailer->msgh_trailer_type = MACH_MSG_TRAILER_FORMAT_0;
    trailer->msgh_trailer_size = size;

    if (likely(size == sizeof(mach_msg_trailer_t))) {
        return size;
    }

    if ((kmsg->header.msgh_bits & MACH_MSGH_BITS_KERNEL) != 0) {
        sender = &ipc_identity_kernel;
    }

    trailer->msgh_seqno = seqno;

    if (size >= sizeof(mach_msg_security_trailer_t)) {
        trailer->msgh_sender = sender->security;
    }

    if (size >= sizeof(mach_msg_audit_trailer_t)) {
        trailer->msgh_audit = sender->audit;
    }

    return size;
}

static void
clean_port(mach_msg_port_descriptor_t *descriptor)
{
    ipc_port_release(ipc_port_from_handle(descriptor->name),
                     descriptor->disposition);
    descriptor->name = MACH_PORT_NULL;
}

static void
clean_ool(mach_msg_ool_descriptor_t *descriptor)
{
    struct vm_map_copy *copy = (void *)(uintptr_t)descriptor->address;

    descriptor->address = 0;

    if (copy != NULL && descriptor->copy != MACH_MSG_OVERWRITE) {
        vm_map_copy_discard(copy);
    }
}

static void
ports_array_free(mach_port_t *handles, mach_msg_size_t count)
{
    if (handles != NULL) {
        kmem_free(handles, count * sizeof(*handles));
    }
}

static void
clean_ports_array(mach_port_t *handles, mach_msg_size_t count,
                  mach_msg_type_name_t type)
{
    for (mach_msg_size_t i = 0; i < count; i++) {
        ipc_port_release(ipc_port_from_handle(handles[i]), type);
    }
}

static void
clean_ool_ports(mach_msg_ool_ports_descriptor_t *descriptor)
{
    mach_port_t *handles = (void *)(uintptr_t)descriptor->address;

    descriptor->address = 0;
    clean_ports_array(handles, handles == NULL ? 0 : descriptor->count,
                      descriptor->disposition);
    ports_array_free(handles, descriptor->count);
}

/* Release the first `count` descriptors. */
static void
clean_descriptors(struct ipc_kmsg *kmsg, mach_msg_size_t count)
{
    char *at = (char *)(kmsg_body(kmsg) + 1);

    for (mach_msg_size_t i = 0; i < count; i++) {
        switch (descriptor_type(at)) {
        case MACH_MSG_PORT_DESCRIPTOR:
            clean_port((void *)at);
            break;
        case MACH_MSG_OOL_PORTS_DESCRIPTOR:
            clean_ool_ports((void *)at);
            break;
        default:
            clean_ool((void *)at);
            break;
        }

        at += descriptor_size(descriptor_type(at));
    }
}

/* Kernel stubs say how they would send: make that what is received. */
static void
received_dispositions(struct ipc_kmsg *kmsg)
{
    mach_msg_bits_t bits = kmsg->header.msgh_bits;
    mach_msg_type_name_t reply = MACH_MSGH_BITS_LOCAL(bits);
    mach_msg_port_descriptor_t *port;
    mach_msg_size_t count;
    char *at;

    kmsg->header.msgh_bits =
        (bits & MACH_MSGH_BITS_COMPLEX) | MACH_MSGH_BITS_KERNEL |
        MACH_MSGH_BITS(ipc_right_received_type(MACH_MSGH_BITS_REMOTE(bits)),
                       reply == 0 ? 0 : ipc_right_received_type(reply));

    if (!MACH_MSGH_BITS_IS_COMPLEX(bits)) {
        return;
    }

    count = kmsg_body(kmsg)->msgh_descriptor_count;
    at = (char *)(kmsg_body(kmsg) + 1);

    for (mach_msg_size_t i = 0; i < count; i++) {
        if (descriptor_type(at) == MACH_MSG_PORT_DESCRIPTOR) {
            port = (void *)at;
            port->disposition =
                (uint8_t)ipc_right_received_type(port->disposition);
        }

        at += descriptor_size(descriptor_type(at));
    }
}

/* Only the answer of mach_port_extract_right() has one. */
void
ipc_kmsg_transit(struct ipc_kmsg *kmsg)
{
    mach_msg_port_descriptor_t *descriptor = (void *)(kmsg_body(kmsg) + 1);
    struct ipc_port *port;

    if (!MACH_MSGH_BITS_IS_COMPLEX(kmsg->header.msgh_bits) ||
        descriptor->type != MACH_MSG_PORT_DESCRIPTOR ||
        descriptor->disposition != MACH_MSG_TYPE_PORT_RECEIVE) {
        return;
    }

    port = ipc_port_from_handle(descriptor->name);

    if (IP_VALID(port) &&
        !ipc_port_transit(
            port, ipc_port_from_handle(kmsg->header.msgh_remote_port))) {
        ipc_port_destroy(port);
        descriptor->name = ipc_port_to_handle(IP_DEAD);
    }
}

struct ipc_kmsg *
ipc_kmsg_from_kernel(const mach_msg_header_t *message, mach_msg_size_t size)
{
    struct ipc_kmsg *kmsg = kmsg_alloc_raw(size);

    if (kmsg == NULL) {
        return NULL;
    }

    memcpy(&kmsg->header, message, size);
    kmsg->header.msgh_size = size;
    received_dispositions(kmsg);
    return kmsg;
}

void
ipc_kmsg_clean_body(struct ipc_kmsg *kmsg)
{
    if (MACH_MSGH_BITS_IS_COMPLEX(kmsg->header.msgh_bits)) {
        clean_descriptors(kmsg, kmsg_body(kmsg)->msgh_descriptor_count);
    }
}

static void
clean_header(struct ipc_kmsg *kmsg)
{
    mach_msg_bits_t bits = kmsg->header.msgh_bits;

    ipc_port_release(ipc_port_from_handle(kmsg->header.msgh_remote_port),
                     MACH_MSGH_BITS_REMOTE(bits));
    ipc_port_release(ipc_port_from_handle(kmsg->header.msgh_local_port),
                     MACH_MSGH_BITS_LOCAL(bits));
}

void
ipc_kmsg_destroy_list(struct list *messages)
{
    struct thread *self = current_thread();
    struct ipc_kmsg *kmsg;

    if (list_empty(messages)) {
        return;
    }

    if (self->reaping != NULL) {
        list_for_each_safe(messages, link, following)
        {
            list_remove(link);
            list_insert_tail(self->reaping, link);
        }

        return;
    }

    self->reaping = messages;

    while (!list_empty(messages)) {
        kmsg = list_entry(list_first(messages), struct ipc_kmsg, link);
        list_remove(&kmsg->link);
        ipc_mqueue_uncharge(kmsg);
        clean_header(kmsg);
        ipc_kmsg_clean_body(kmsg);
        ipc_kmsg_free(kmsg);
    }

    self->reaping = NULL;
}

void
ipc_kmsg_destroy(struct ipc_kmsg *kmsg)
{
    struct list messages;

    list_init(&messages);
    list_insert_tail(&messages, &kmsg->link);
    ipc_kmsg_destroy_list(&messages);
}

/* -- Into the kernel -------------------------------------------------------- */

/* Both header rights, or neither. */
static mach_msg_return_t
copyin_header_rights(mach_msg_header_t *header, struct ipc_space *space,
                     struct ipc_dnrequest **requests)
{
    mach_port_name_t dest_name = header->msgh_remote_port;
    mach_port_name_t reply_name = header->msgh_local_port;
    mach_msg_type_name_t dest_type = MACH_MSGH_BITS_REMOTE(header->msgh_bits);
    mach_msg_type_name_t reply_type = MACH_MSGH_BITS_LOCAL(header->msgh_bits);
    struct ipc_entry *dest, *reply = NULL;
    struct ipc_port *dest_port, *reply_port;

    dest = ipc_entry_lookup(space, dest_name);

    if (dest == NULL ||
        !ipc_right_copyin_check(space, dest_name, dest, dest_type) ||
        dest->type == IE_DEAD_NAME) {
        return MACH_SEND_INVALID_DEST;
    }

    if (MACH_PORT_VALID(reply_name)) {
        reply = ipc_entry_lookup(space, reply_name);

        if (reply == NULL ||
            !ipc_right_copyin_check(space, reply_name, reply, reply_type)) {
            return MACH_SEND_INVALID_REPLY;
        }
    }

    /* The same name twice: both moves must find something to move. */
    if (reply == dest) {
        if (dest_type == MACH_MSG_TYPE_MOVE_SEND_ONCE ||
            reply_type == MACH_MSG_TYPE_MOVE_SEND_ONCE) {
            return MACH_SEND_INVALID_REPLY;
        }

        if (dest_type == MACH_MSG_TYPE_MOVE_SEND &&
            reply_type == MACH_MSG_TYPE_MOVE_SEND && dest->urefs < 2) {
            return MACH_SEND_INVALID_REPLY;
        }
    }

    if (reply == NULL) {
        reply_port = reply_name == MACH_PORT_NULL ? IP_NULL : IP_DEAD;
        dest_port =
            ipc_right_copyin(space, dest_name, dest, dest_type, &requests[0]);
    } else if (dest_type == MACH_MSG_TYPE_MOVE_SEND) {
        reply_port = ipc_right_copyin(space, reply_name, reply, reply_type,
                                      &requests[1]);
        dest_port =
            ipc_right_copyin(space, dest_name, dest, dest_type, &requests[0]);
    } else {
        dest_port =
            ipc_right_copyin(space, dest_name, dest, dest_type, &requests[0]);
        reply_port = ipc_right_copyin(space, reply_name, reply, reply_type,
                                      &requests[1]);
    }

    header->msgh_remote_port = ipc_port_to_handle(dest_port);
    header->msgh_local_port = ipc_port_to_handle(reply_port);
    return MACH_MSG_SUCCESS;
}

/* A right that is made or copied under the space's lock; NULL if it is for
 * copyin_header_rights() to say why not. */
static inline struct ipc_port *
copyin_header_right(struct ipc_space *space, mach_port_name_t name,
                    mach_msg_type_name_t type)
{
    struct ipc_entry *entry = ipc_entry_lookup_inline(space, name);
    struct ipc_port *port;

    if (entry == NULL ||
        (entry->type &
         (type == MACH_MSG_TYPE_COPY_SEND ? IE_SEND : IE_RECEIVE)) == 0) {
        return NULL;
    }

    port = entry->object;
    spin_lock(&port->lock);

    if (unlikely(!port->active)) {
        spin_unlock(&port->lock);
        return NULL;
    }

    if (type == MACH_MSG_TYPE_MAKE_SEND_ONCE) {
        port->sorights++;
    } else {
        port->srights++;
        port->mscount += type == MACH_MSG_TYPE_MAKE_SEND ? 1 : 0;
    }

    ipc_port_ref(port);
    spin_unlock(&port->lock);
    return port;
}

/*
 * The shapes of most messages: a copied or made send right, and no reply
 * right or a made one. False, with nothing done, if it is none of them or
 * something is wrong with it.
 */
static bool
copyin_header_short(mach_msg_header_t *header, struct ipc_space *space)
{
    mach_msg_bits_t bits = header->msgh_bits & ~MACH_MSGH_BITS_COMPLEX;
    mach_msg_type_name_t type = MACH_MSGH_BITS_REMOTE(bits);
    bool replies = (bits & ~0xffu) != 0;
    struct ipc_port *reply = IP_NULL, *dest = IP_NULL;

    if ((type != MACH_MSG_TYPE_COPY_SEND && type != MACH_MSG_TYPE_MAKE_SEND) ||
        bits !=
            MACH_MSGH_BITS(type, replies ? MACH_MSG_TYPE_MAKE_SEND_ONCE : 0) ||
        (!replies && header->msgh_local_port != MACH_PORT_NULL) ||
        header->msgh_voucher_port != 0) {
        return false;
    }

    spin_lock(&space->lock);

    if (replies) {
        reply = copyin_header_right(space, header->msgh_local_port,
                                    MACH_MSG_TYPE_MAKE_SEND_ONCE);
    }

    if (!replies || reply != NULL) {
        dest = copyin_header_right(space, header->msgh_remote_port, type);
    }

    spin_unlock(&space->lock);

    if (unlikely(dest == NULL)) {
        if (reply != NULL) {
            ipc_port_consume_sonce(reply);
        }

        return false;
    }

    header->msgh_remote_port = ipc_port_live_handle(dest);
    header->msgh_local_port = ipc_port_to_handle(reply);
    header->msgh_bits =
        (header->msgh_bits & MACH_MSGH_BITS_COMPLEX) |
        MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND,
                       replies ? MACH_MSG_TYPE_PORT_SEND_ONCE : 0);
    return true;
}

static mach_msg_return_t
copyin_header(mach_msg_header_t *header, struct ipc_space *space)
{
    struct ipc_dnrequest *requests[2] = { NULL, NULL };
    mach_msg_bits_t bits = header->msgh_bits;
    mach_msg_type_name_t reply_type = MACH_MSGH_BITS_LOCAL(bits);
    mach_msg_return_t mr;

    if ((bits & ~MACH_MSGH_BITS_USER) != 0 || header->msgh_voucher_port != 0 ||
        !MACH_MSG_TYPE_PORT_ANY_SEND(MACH_MSGH_BITS_REMOTE(bits)) ||
        (reply_type == 0 ? header->msgh_local_port != MACH_PORT_NULL
                         : !MACH_MSG_TYPE_PORT_ANY_SEND(reply_type))) {
        return MACH_SEND_INVALID_HEADER;
    }

    if (!MACH_PORT_VALID(header->msgh_remote_port)) {
        return MACH_SEND_INVALID_DEST;
    }

    spin_lock(&space->lock);
    mr = space->active ? copyin_header_rights(header, space, requests)
                       : MACH_SEND_INVALID_DEST;
    spin_unlock(&space->lock);
    ipc_right_request_cancelled(requests[0]);
    ipc_right_request_cancelled(requests[1]);

    if (mr != MACH_MSG_SUCCESS) {
        return mr;
    }

    reply_type = reply_type == 0 ? 0 : ipc_right_received_type(reply_type);

    if (header->msgh_remote_port == MACH_PORT_DEAD) {
        /* The port died on another processor since the check. */
        ipc_port_release(ipc_port_from_handle(header->msgh_local_port),
                         reply_type);
        return MACH_SEND_INVALID_DEST;
    }

    header->msgh_bits =
        (bits & MACH_MSGH_BITS_COMPLEX) |
        MACH_MSGH_BITS(ipc_right_received_type(MACH_MSGH_BITS_REMOTE(bits)),
                       reply_type);
    return MACH_MSG_SUCCESS;
}

/* One right of the body. A receive right must not end in a circle. */
static mach_msg_return_t
copyin_right(struct ipc_space *space, mach_port_t *namep,
             mach_msg_type_name_t disposition, struct ipc_port *destination)
{
    struct ipc_port *port;

    if (ipc_right_copyin_name(space, *namep, disposition, &port) !=
        KERN_SUCCESS) {
        return MACH_SEND_INVALID_RIGHT;
    }

    if (disposition == MACH_MSG_TYPE_MOVE_RECEIVE && IP_VALID(port) &&
        !ipc_port_transit(port, destination)) {
        /* It would wait for itself for ever: it dies here. */
        ipc_port_destroy(port);
        port = IP_DEAD;
    }

    *namep = ipc_port_to_handle(port);
    return MACH_MSG_SUCCESS;
}

static mach_msg_return_t
copyin_port(struct ipc_space *space, mach_msg_port_descriptor_t *descriptor,
            struct ipc_port *destination)
{
    mach_port_t name = descriptor->name;
    mach_msg_return_t mr;

    if (!MACH_MSG_TYPE_PORT_ANY(descriptor->disposition)) {
        return MACH_SEND_INVALID_TYPE;
    }

    mr = copyin_right(space, &name, descriptor->disposition, destination);

    if (mr == MACH_MSG_SUCCESS) {
        *descriptor = (mach_msg_port_descriptor_t){
            .name = name,
            .disposition =
                (uint8_t)ipc_right_received_type(descriptor->disposition),
            .type = MACH_MSG_PORT_DESCRIPTOR,
        };
    }

    return mr;
}

static mach_msg_return_t
copyin_ool(struct vm_map *map, mach_msg_ool_descriptor_t *descriptor)
{
    struct vm_map_copy *copy = NULL;
    kern_return_t kr;

    if (descriptor->copy != MACH_MSG_PHYSICAL_COPY &&
        descriptor->copy != MACH_MSG_VIRTUAL_COPY) {
        return MACH_SEND_INVALID_TYPE;
    }

    if (descriptor->size != 0) {
        kr = vm_map_copyin(map, descriptor->address, descriptor->size,
                           descriptor->deallocate != 0, &copy);

        if (kr != KERN_SUCCESS) {
            return kr == KERN_RESOURCE_SHORTAGE || kr == KERN_LIMIT_REACHED
                       ? MACH_SEND_INVALID_MEMORY | MACH_MSG_VM_KERNEL
                       : MACH_SEND_INVALID_MEMORY;
        }
    }

    *descriptor = (mach_msg_ool_descriptor_t){
        .address = (uint64_t)(uintptr_t)copy,
        .copy = MACH_MSG_VIRTUAL_COPY,
        .type = MACH_MSG_OOL_DESCRIPTOR,
        .size = descriptor->size,
    };
    return MACH_MSG_SUCCESS;
}

static mach_msg_return_t
copyin_ports_array(struct ipc_space *space, mach_port_t *names,
                   const mach_msg_ool_ports_descriptor_t *descriptor,
                   struct ipc_port *destination)
{
    mach_msg_return_t mr;

    for (mach_msg_size_t i = 0; i < descriptor->count; i++) {
        mr = copyin_right(space, &names[i], descriptor->disposition,
                          destination);

        if (mr != MACH_MSG_SUCCESS) {
            clean_ports_array(names, i,
                              ipc_right_received_type(descriptor->disposition));
            return mr;
        }
    }

    return MACH_MSG_SUCCESS;
}

static mach_msg_return_t
copyin_ool_ports(struct ipc_space *space, struct vm_map *map,
                 mach_msg_ool_ports_descriptor_t *descriptor,
                 struct ipc_port *destination)
{
    vm_size_t size = descriptor->count * sizeof(mach_port_t);
    mach_port_t *names = NULL;
    mach_msg_return_t mr;

    if (!MACH_MSG_TYPE_PORT_ANY(descriptor->disposition)) {
        return MACH_SEND_INVALID_TYPE;
    }

    if (descriptor->count > MACH_MSG_OOL_PORTS_MAX) {
        return MACH_SEND_TOO_LARGE;
    }

    if (size != 0) {
        names = kmem_alloc(size);

        if (names == NULL) {
            return MACH_SEND_NO_BUFFER;
        }

        mr = MACH_SEND_INVALID_MEMORY;

        if (copyin(descriptor->address, names, size)) {
            mr = copyin_ports_array(space, names, descriptor, destination);
        }

        if (mr != MACH_MSG_SUCCESS) {
            kmem_free(names, size);
            return mr;
        }

        /* The names were read there just now; that somebody else has taken
         * the memory away meanwhile is no fault of the message. */
        if (descriptor->deallocate &&
            vm_map_remove(map, descriptor->address, size) != KERN_SUCCESS) {
            descriptor->deallocate = 0;
        }
    }

    *descriptor = (mach_msg_ool_ports_descriptor_t){
        .address = (uint64_t)(uintptr_t)names,
        .copy = MACH_MSG_VIRTUAL_COPY,
        .disposition =
            (uint8_t)ipc_right_received_type(descriptor->disposition),
        .type = MACH_MSG_OOL_PORTS_DESCRIPTOR,
        .count = descriptor->count,
    };
    return MACH_MSG_SUCCESS;
}

/* Do the descriptors fit in the message, and is each of a known type? Read
 * before any is taken (HAZARDS: a count larger than the message). */
static mach_msg_return_t
check_body(struct ipc_kmsg *kmsg)
{
    mach_msg_size_t size = kmsg->header.msgh_size;
    mach_msg_size_t at = sizeof(mach_msg_base_t);
    mach_msg_size_t count;
    uint64_t rights = 0;
    uint8_t type;

    if (size < at) {
        return MACH_SEND_MSG_TOO_SMALL;
    }

    count = kmsg_body(kmsg)->msgh_descriptor_count;

    if (count > MACH_MSG_DESCRIPTOR_MAX) {
        return MACH_SEND_TOO_LARGE;
    }

    for (mach_msg_size_t i = 0; i < count; i++) {
        if (size - at < sizeof(mach_msg_type_descriptor_t)) {
            return MACH_SEND_MSG_TOO_SMALL;
        }

        type = descriptor_type((char *)&kmsg->header + at);

        if (type > MACH_MSG_OOL_VOLATILE_DESCRIPTOR) {
            return MACH_SEND_INVALID_TYPE;
        }

        if (size - at < descriptor_size(type)) {
            return MACH_SEND_MSG_TOO_SMALL;
        }

        if (type == MACH_MSG_OOL_PORTS_DESCRIPTOR) {
            rights += ((const mach_msg_ool_ports_descriptor_t
                            *)(const void *)((const char *)&kmsg->header + at))
                          ->count;
        }

        at += descriptor_size(type);
    }

    /* Each may become a message, should this one be destroyed. */
    return rights > MACH_MSG_OOL_PORTS_MAX ? MACH_SEND_TOO_LARGE
                                           : MACH_MSG_SUCCESS;
}

static mach_msg_return_t
copyin_body(struct ipc_kmsg *kmsg, struct ipc_space *space, struct vm_map *map)
{
    struct ipc_port *destination =
        ipc_port_from_handle(kmsg->header.msgh_remote_port);
    mach_msg_size_t count = kmsg_body(kmsg)->msgh_descriptor_count;
    char *at = (char *)(kmsg_body(kmsg) + 1);
    mach_msg_return_t mr;

    for (mach_msg_size_t i = 0; i < count; i++) {
        switch (descriptor_type(at)) {
        case MACH_MSG_PORT_DESCRIPTOR:
            mr = copyin_port(space, (void *)at, destination);
            break;
        case MACH_MSG_OOL_PORTS_DESCRIPTOR:
            mr = copyin_ool_ports(space, map, (void *)at, destination);
            break;
        default:
            mr = copyin_ool(map, (void *)at);
            break;
        }

        if (mr != MACH_MSG_SUCCESS) {
            clean_descriptors(kmsg, i);
            clean_header(kmsg);
            return mr;
        }

        at += descriptor_size(descriptor_type(at));
    }

    return MACH_MSG_SUCCESS;
}

mach_msg_return_t
ipc_kmsg_copyin(vm_offset_t buffer, mach_msg_size_t size,
                struct ipc_space *space, struct vm_map *map,
                struct ipc_kmsg **kmsgp)
{
    struct ipc_kmsg *kmsg;
    mach_msg_return_t mr;
    bool complex;

    if (size < sizeof(mach_msg_header_t) || (size & 3) != 0) {
        return MACH_SEND_MSG_TOO_SMALL;
    }

    if (size > MACH_MSG_SIZE_MAX) {
        return MACH_SEND_TOO_LARGE;
    }

    kmsg = kmsg_alloc_raw(size);

    if (unlikely(kmsg == NULL)) {
        return MACH_SEND_NO_BUFFER;
    }

    if (unlikely(!copyin(buffer, &kmsg->header, size))) {
        ipc_kmsg_free(kmsg);
        return MACH_SEND_INVALID_DATA;
    }

    kmsg->header.msgh_size = size;
    complex = MACH_MSGH_BITS_IS_COMPLEX(kmsg->header.msgh_bits);
    mr = complex ? check_body(kmsg) : MACH_MSG_SUCCESS;

    if (likely(mr == MACH_MSG_SUCCESS) &&
        !copyin_header_short(&kmsg->header, space)) {
        mr = copyin_header(&kmsg->header, space);
    }

    if (mr == MACH_MSG_SUCCESS && complex) {
        mr = copyin_body(kmsg, space, map);
    }

    if (mr != MACH_MSG_SUCCESS) {
        ipc_kmsg_free(kmsg);
        return mr;
    }

    *kmsgp = kmsg;
    return MACH_MSG_SUCCESS;
}

/* -- Out of the kernel ------------------------------------------------------ */

/* How a failed copyout of a right shows in the message's result. */
mach_msg_return_t
ipc_kmsg_error(kern_return_t kr)
{
    if (kr == KERN_SUCCESS) {
        return MACH_MSG_SUCCESS;
    }

    return kr == KERN_RESOURCE_SHORTAGE ? MACH_MSG_IPC_KERNEL
                                        : MACH_MSG_IPC_SPACE;
}

static mach_msg_return_t
copyout_port(struct ipc_space *space, mach_msg_port_descriptor_t *descriptor)
{
    mach_port_name_t name;
    kern_return_t kr;

    kr = ipc_right_copyout(space, ipc_port_from_handle(descriptor->name),
                           descriptor->disposition, &name);
    descriptor->name = name;
    return ipc_kmsg_error(kr);
}

static mach_msg_return_t
copyout_ool(struct vm_map *map, mach_msg_ool_descriptor_t *descriptor)
{
    struct vm_map_copy *copy = (void *)(uintptr_t)descriptor->address;
    vm_offset_t address = 0;
    kern_return_t kr;

    if (descriptor->copy == MACH_MSG_OVERWRITE) {
        return MACH_MSG_SUCCESS; /* see ipc/ipc_scatter.h */
    }

    if (copy != NULL) {
        kr = vm_map_copyout(map, &address, copy);

        if (kr != KERN_SUCCESS) {
            vm_map_copy_discard(copy);
            descriptor->address = 0;
            descriptor->size = 0;
            return kr == KERN_RESOURCE_SHORTAGE ? MACH_MSG_VM_KERNEL
                                                : MACH_MSG_VM_SPACE;
        }
    }

    descriptor->address = address;
    descriptor->deallocate = 1; /* it is the receiver's own */
    return MACH_MSG_SUCCESS;
}

/* Put the names where the receiver finds them: in new memory of its own. */
static mach_msg_return_t
copyout_names(struct vm_map *map, mach_port_t *names, vm_size_t size,
              vm_offset_t *addressp)
{
    struct vm_map_copy *copy;
    kern_return_t kr;

    kr = vm_map_copy_from_kernel(names, size, &copy);

    if (kr != KERN_SUCCESS) {
        return MACH_MSG_VM_KERNEL;
    }

    kr = vm_map_copyout(map, addressp, copy);

    if (kr != KERN_SUCCESS) {
        vm_map_copy_discard(copy);
        return MACH_MSG_VM_SPACE;
    }

    return MACH_MSG_SUCCESS;
}

static void
copyout_names_undo(struct ipc_space *space, mach_port_name_t *names,
                   mach_msg_size_t count)
{
    struct ipc_entry *entry;

    for (mach_msg_size_t i = 0; i < count; i++) {
        spin_lock(&space->lock);
        entry = ipc_entry_lookup(space, names[i]);

        if (entry == NULL) {
            spin_unlock(&space->lock);
        } else if ((entry->type & IE_RECEIVE) != 0 &&
                   (entry->type & IE_SEND) == 0) {
            ipc_right_destroy(space, names[i], entry);
        } else {
            (void)ipc_right_delta(
                space, names[i], entry,
                entry->type == IE_SEND_ONCE   ? MACH_PORT_RIGHT_SEND_ONCE
                : entry->type == IE_DEAD_NAME ? MACH_PORT_RIGHT_DEAD_NAME
                                              : MACH_PORT_RIGHT_SEND,
                -1);
        }
    }
}

static mach_msg_return_t
copyout_ool_ports(struct ipc_space *space, struct vm_map *map,
                  mach_msg_ool_ports_descriptor_t *descriptor)
{
    mach_port_t *handles = (void *)(uintptr_t)descriptor->address;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;
    vm_offset_t address = 0;
    kern_return_t kr;

    descriptor->address = 0;

    if (handles == NULL) {
        return MACH_MSG_SUCCESS;
    }

    for (mach_msg_size_t i = 0; i < descriptor->count; i++) {
        mach_port_name_t name;

        kr = ipc_right_copyout(space, ipc_port_from_handle(handles[i]),
                               descriptor->disposition, &name);
        handles[i] = name;
        mr |= ipc_kmsg_error(kr);
    }

    if (copyout_names(map, handles, descriptor->count * sizeof(*handles),
                      &address) != MACH_MSG_SUCCESS) {
        copyout_names_undo(space, handles, descriptor->count);
        mr |= MACH_MSG_VM_SPACE;
    }

    ports_array_free(handles, descriptor->count);
    descriptor->address = address;
    descriptor->deallocate = 1;
    descriptor->count = address == 0 ? 0 : descriptor->count;
    return mr;
}

static mach_msg_return_t
copyout_body(struct ipc_kmsg *kmsg, struct ipc_space *space, struct vm_map *map)
{
    mach_msg_size_t count = kmsg_body(kmsg)->msgh_descriptor_count;
    char *at = (char *)(kmsg_body(kmsg) + 1);
    mach_msg_return_t mr = MACH_MSG_SUCCESS;

    for (mach_msg_size_t i = 0; i < count; i++) {
        switch (descriptor_type(at)) {
        case MACH_MSG_PORT_DESCRIPTOR:
            mr |= copyout_port(space, (void *)at);
            break;
        case MACH_MSG_OOL_PORTS_DESCRIPTOR:
            mr |= copyout_ool_ports(space, map, (void *)at);
            break;
        default:
            mr |= copyout_ool(map, (void *)at);
            break;
        }

        at += descriptor_size(descriptor_type(at));
    }

    return mr == MACH_MSG_SUCCESS ? mr : mr | MACH_RCV_BODY_ERROR;
}

/*
 * The destination becomes the local port: the name of the receive right, or
 * its payload. The right that carried the message is spent.
 */
static void
copyout_destination(mach_msg_header_t *header, struct ipc_port *port,
                    mach_msg_type_name_t type, struct ipc_space *space)
{
    mach_port_name_t name = MACH_PORT_DEAD;
    bool has_payload = false;
    uint64_t payload = 0;

    spin_lock(&port->lock);

    if (port->active && port->receiver == space) {
        name = port->receiver_name;
        has_payload = port->has_payload;
        payload = port->payload;
    }

    spin_unlock(&port->lock);

    if (type == MACH_MSG_TYPE_PORT_SEND_ONCE) {
        ipc_port_consume_sonce(port);
    } else {
        ipc_port_release_send(port);
    }

    header->msgh_voucher_port = 0;

    if (has_payload) {
        header->msgh_bits |= MACH_MSG_TYPE_PROTECTED_PAYLOAD << 8;
        ((mach_msg_payload_header_t *)header)->msgh_protected_payload = payload;
    } else {
        header->msgh_bits |= type << 8;
        header->msgh_local_port = name;
    }
}

mach_msg_return_t
ipc_kmsg_copyout(struct ipc_kmsg *kmsg, struct ipc_space *space,
                 struct vm_map *map)
{
    mach_msg_header_t *header = &kmsg->header;
    mach_msg_bits_t bits = header->msgh_bits;
    struct ipc_port *dest = ipc_port_from_handle(header->msgh_remote_port);
    struct ipc_port *reply = ipc_port_from_handle(header->msgh_local_port);
    mach_port_name_t reply_name;
    kern_return_t kr = KERN_SUCCESS;

    if (MACH_MSGH_BITS_LOCAL(bits) != MACH_MSG_TYPE_PORT_SEND_ONCE ||
        !IP_VALID(reply) ||
        !ipc_reply_fill(current_thread(), reply, &reply_name)) {
        kr = ipc_right_copyout(space, reply, MACH_MSGH_BITS_LOCAL(bits),
                               &reply_name);
    }

    header->msgh_bits =
        (bits & (MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS_KERNEL)) |
        MACH_MSGH_BITS_LOCAL(bits);
    header->msgh_remote_port = reply_name;
    copyout_destination(header, dest, MACH_MSGH_BITS_REMOTE(bits), space);

    if (kr != KERN_SUCCESS) {
        ipc_kmsg_clean_body(kmsg);
        header->msgh_bits &=
            ~(MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS_REMOTE_MASK);
        header->msgh_size = sizeof(*header);
        return MACH_RCV_HEADER_ERROR | ipc_kmsg_error(kr);
    }

    if (!MACH_MSGH_BITS_IS_COMPLEX(bits)) {
        return MACH_MSG_SUCCESS;
    }

    return copyout_body(kmsg, space, map);
}

mach_msg_return_t
ipc_kmsg_copyout_pseudo(struct ipc_kmsg *kmsg, struct ipc_space *space,
                        struct vm_map *map)
{
    mach_msg_header_t *header = &kmsg->header;
    mach_msg_bits_t bits = header->msgh_bits;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;
    mach_port_name_t name;
    kern_return_t kr;

    kr =
        ipc_right_copyout(space, ipc_port_from_handle(header->msgh_remote_port),
                          MACH_MSGH_BITS_REMOTE(bits), &name);
    header->msgh_remote_port = name;
    mr |= ipc_kmsg_error(kr);
    kr = ipc_right_copyout(space, ipc_port_from_handle(header->msgh_local_port),
                           MACH_MSGH_BITS_LOCAL(bits), &name);
    header->msgh_local_port = name;
    mr |= ipc_kmsg_error(kr);

    if (MACH_MSGH_BITS_IS_COMPLEX(bits)) {
        mr |= copyout_body(kmsg, space, map) & ~MACH_RCV_BODY_ERROR;
    }

    return mr;
}
