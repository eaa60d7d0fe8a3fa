/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer's messages: requests to the kernel, made after the interfaces
 * (fuzz_table.py) and then spoilt a little; messages of any make to any port;
 * and receives.
 */

#include "fuzz.h"

enum fuzz_target {
    FUZZ_TO_HOST,
    FUZZ_TO_TASK,
    FUZZ_TO_THREAD,
    FUZZ_TO_OBJECT, /* whatever some name stands for */
};

struct fuzz_field {
    uint16_t offset;
    uint16_t size;
    enum fuzz_source source;
    uint16_t count_offset; /* where the number of items stands, or 0 */
    uint16_t unit;         /* bytes of an item */
};

struct fuzz_routine {
    const char *name;
    mach_msg_id_t id;
    uint16_t min_size;
    uint16_t max_size;
    uint16_t descriptor_count;
    uint16_t first_field;
    uint16_t field_count;
    enum fuzz_target target;
};

#include "fuzz_table.h"

#define ROUTINE_COUNT (sizeof(fuzz_routines) / sizeof(fuzz_routines[0]))
#define NAMES_REQUEST 3200 /* mach_port_names */
#define TASK_TERMINATE 3401
#define TASK_SUSPEND 3407
#define TASK_SET_EXCEPTION_PORTS 3412
#define THREAD_TERMINATE 3600
#define THREAD_SUSPEND 3603
#define THREAD_SET_STATE 3602

/* -- What comes back -------------------------------------------------------- */

/* The names in a received message are worth trying. Rights and memory are
 * given up, most of the time. */
static void
fuzz_received(struct fuzz_caller *caller, mach_msg_header_t *head)
{
    const mach_msg_base_t *base = (const void *)head;
    const mach_msg_port_descriptor_t *port = (const void *)(base + 1);

    fuzz_name_seen(caller, head->msgh_remote_port);

    if (MACH_MSGH_BITS_IS_COMPLEX(head->msgh_bits) &&
        port->type == MACH_MSG_PORT_DESCRIPTOR) {
        fuzz_name_seen(caller, port->name);
    }

    if (!fuzz_once_in(caller, 8)) {
        mach_msg_destroy(head);
    }
}

mach_msg_return_t
fuzz_trap_msg(struct fuzz_caller *caller, mach_msg_option_t option,
              mach_msg_size_t size, mach_msg_size_t room,
              mach_port_name_t receive_name, uint64_t buffer)
{
    mach_msg_return_t mr;

    mr = (mach_msg_return_t)guest_trap(
        MACH_TRAP_MSG, (long)&caller->message, (long)option,
        (long)(size | (uint64_t)room << 32),
        (long)(receive_name | fuzz_value(caller, FUZZ_NAME) << 32),
        (long)fuzz_value(caller, FUZZ_TIME), (long)buffer);

    if (mr == MACH_MSG_SUCCESS && (option & MACH_RCV_MSG) != 0 &&
        buffer == (uint64_t)&caller->received) {
        fuzz_received(caller, &caller->received.head);
    }

    return mr;
}

void
fuzz_reply_port(struct fuzz_caller *caller)
{
    mach_port_name_t name = mach_reply_port();

    if (name != MACH_PORT_NULL) {
        caller->reply_port = name;
    }
}

/* The request is in the caller's buffer; take the answer. */
static void
fuzz_rpc(struct fuzz_caller *caller, mach_msg_size_t size)
{
    mach_msg_option_t option = MACH_SEND_MSG | MACH_RCV_MSG;
    mach_msg_return_t mr;

    /* The short path is for those who wait as long as it takes. */
    if (fuzz_once_in(caller, 4)) {
        option |= MACH_SEND_TIMEOUT | MACH_RCV_TIMEOUT;
    }

    mr = fuzz_trap_msg(caller, option, size, sizeof(caller->received),
                       caller->reply_port, (uint64_t)&caller->received);

    if (mr == MACH_SEND_INVALID_REPLY || mr == MACH_RCV_INVALID_NAME ||
        mr == MACH_RCV_IN_SET) {
        fuzz_reply_port(caller);
    }
}

/* -- Requests to the kernel ------------------------------------------------- */

static mach_port_name_t
fuzz_target(struct fuzz_caller *caller, enum fuzz_target target)
{
    if (fuzz_once_in(caller, 8)) {
        return (mach_port_name_t)fuzz_value(caller, FUZZ_NAME);
    }

    switch (target) {
    case FUZZ_TO_HOST:
        return mach_host_self();
    case FUZZ_TO_TASK:
        return (mach_port_name_t)fuzz_value(caller, FUZZ_TASK);
    case FUZZ_TO_THREAD:
        return fuzz_once_in(caller, 4)
                   ? mach_thread_self()
                   : (mach_port_name_t)fuzz_value(caller, FUZZ_NAME);
    default:
        return (mach_port_name_t)fuzz_value(caller, FUZZ_NAME);
    }
}

static uint8_t
fuzz_disposition(struct fuzz_caller *caller)
{
    return fuzz_once_in(caller, 2)
               ? MACH_MSG_TYPE_COPY_SEND
               : (uint8_t)fuzz_value(caller, FUZZ_DISPOSITION);
}

static void
fuzz_port_descriptor(struct fuzz_caller *caller, void *at)
{
    *(mach_msg_port_descriptor_t *)at = (mach_msg_port_descriptor_t){
        .name = (mach_port_name_t)fuzz_value(caller, FUZZ_NAME),
        .disposition = fuzz_disposition(caller),
        .type = MACH_MSG_PORT_DESCRIPTOR,
    };
}

/* Returns the number of bytes that it says. */
static mach_msg_size_t
fuzz_memory_descriptor(struct fuzz_caller *caller, void *at)
{
    mach_msg_size_t size = (mach_msg_size_t)fuzz_value(caller, FUZZ_SIZE);

    *(mach_msg_ool_descriptor_t *)at = (mach_msg_ool_descriptor_t){
        .address = fuzz_value(caller, FUZZ_ADDRESS),
        .deallocate = (uint8_t)fuzz_value(caller, FUZZ_BOOLEAN),
        .copy = (uint8_t)fuzz_value(caller, FUZZ_BOOLEAN),
        .type = fuzz_once_in(caller, 4) ? MACH_MSG_OOL_VOLATILE_DESCRIPTOR
                                        : MACH_MSG_OOL_DESCRIPTOR,
        .size = size,
    };
    return size;
}

/* Returns the number of names; some of them are in the scratch memory. */
static mach_msg_size_t
fuzz_ports_descriptor(struct fuzz_caller *caller, void *at)
{
    mach_port_t *names = (mach_port_t *)caller->scratch;
    mach_msg_size_t count = (mach_msg_size_t)(fuzz_random(caller) >> 8) % 9;

    for (mach_msg_size_t i = 0; i < count; i++) {
        names[i] = (mach_port_name_t)fuzz_value(caller, FUZZ_NAME);
    }

    if (fuzz_once_in(caller, 16)) {
        count = (mach_msg_size_t)fuzz_value(caller, FUZZ_SMALL);
    }

    *(mach_msg_ool_ports_descriptor_t *)at = (mach_msg_ool_ports_descriptor_t){
        .address = fuzz_once_in(caller, 16) ? fuzz_value(caller, FUZZ_ADDRESS)
                                            : (uint64_t)names,
        .deallocate = 0,
        .copy = (uint8_t)fuzz_value(caller, FUZZ_BOOLEAN),
        .disposition = fuzz_disposition(caller),
        .type = MACH_MSG_OOL_PORTS_DESCRIPTOR,
        .count = count,
    };
    return count;
}

/* Fill one field in; returns what the array adds to the message's size. */
static mach_msg_size_t
fuzz_field_fill(struct fuzz_caller *caller, const struct fuzz_field *field)
{
    char *at = (char *)&caller->message + field->offset;
    mach_msg_size_t count = 0;
    mach_msg_size_t more = 0;
    uint64_t value;

    switch (field->source) {
    case FUZZ_PORT:
        fuzz_port_descriptor(caller, at);
        return 0;
    case FUZZ_MEMORY:
        count = fuzz_memory_descriptor(caller, at) / field->unit;
        break;
    case FUZZ_PORT_ARRAY:
        count = fuzz_ports_descriptor(caller, at);
        break;
    case FUZZ_ARRAY:
        count = (mach_msg_size_t)(fuzz_random(caller) >> 8) %
                (field->size / field->unit + 1);
        more = (count * field->unit + 3) & ~3u;
        break;
    default:
        value = fuzz_value(caller, field->source);

        for (unsigned int i = 0; i < field->size; i++) {
            at[i] = (char)(value >> 8 * (i % 8));
        }

        return 0;
    }

    if (field->count_offset != 0) {
        *(uint32_t *)(void *)((char *)&caller->message + field->count_offset) =
            count;
    }

    return more;
}

/* Some that end a caller, or make it wait for a kick, are rare. */
static const struct fuzz_routine *
fuzz_choose_routine(struct fuzz_caller *caller)
{
    const struct fuzz_routine *routine;

    for (;;) {
        routine = &fuzz_routines[(fuzz_random(caller) >> 8) % ROUTINE_COUNT];

        switch (routine->id) {
        case TASK_TERMINATE:
        case TASK_SUSPEND:
        case TASK_SET_EXCEPTION_PORTS:
        case THREAD_TERMINATE:
        case THREAD_SUSPEND:
        case THREAD_SET_STATE:
            if (!fuzz_once_in(caller, 32)) {
                break;
            }

            return routine;
        default:
            return routine;
        }
    }
}

/* Spoil some of it; returns the size to say. */
static mach_msg_size_t
fuzz_spoil(struct fuzz_caller *caller, mach_msg_size_t size)
{
    uint32_t *words = caller->message.words;
    uint64_t random = fuzz_random(caller);

    switch (random % 8) {
    case 0:
        return (mach_msg_size_t)fuzz_value(caller, FUZZ_SMALL);
    case 1:
        return size + 4 * ((random >> 8) % 4);
    case 2:
        return size - 4 * ((random >> 8) % 4);
    case 3:
        words[(random >> 8) % (size / 4)] =
            (uint32_t)fuzz_value(caller, FUZZ_WILD);
        return size;
    case 4:
        caller->message.head.msgh_bits ^= 1u << (random >> 8) % 32;
        return size;
    default:
        words[(random >> 8) % (size / 4)] ^= 1u << (random >> 32) % 32;
        return size;
    }
}

static void
fuzz_request(struct fuzz_caller *caller, const struct fuzz_round *round)
{
    const struct fuzz_routine *routine = fuzz_choose_routine(caller);
    mach_msg_header_t *head = &caller->message.head;
    mach_msg_size_t size = routine->min_size;

    *head = (mach_msg_header_t){
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                    MACH_MSG_TYPE_MAKE_SEND_ONCE),
        .msgh_remote_port = fuzz_target(caller, routine->target),
        .msgh_local_port = caller->reply_port,
        .msgh_id = routine->id,
    };

    if (routine->descriptor_count != 0) {
        head->msgh_bits |= MACH_MSGH_BITS_COMPLEX;
        ((mach_msg_base_t *)head)->body.msgh_descriptor_count =
            routine->descriptor_count;
    }

    for (unsigned int i = 0; i < routine->field_count; i++) {
        size += fuzz_field_fill(caller, &fuzz_fields[routine->first_field + i]);
    }

    while (fuzz_once_in(caller, 4)) {
        size = fuzz_spoil(caller, size) % sizeof(caller->message);
        size = size < sizeof(*head) ? sizeof(*head) : size;
    }

    if (round->trace) {
        tap_diag("call %lu: %s to %x, bits %x, id %d, %u bytes", caller->call,
                 routine->name, head->msgh_remote_port, head->msgh_bits,
                 head->msgh_id, size);
    }

    fuzz_rpc(caller, size);
}

/* -- Messages to ports ------------------------------------------------------ */

static mach_msg_size_t
fuzz_descriptors(struct fuzz_caller *caller)
{
    mach_msg_base_t *base = (void *)&caller->message;
    unsigned int count = (unsigned int)(fuzz_random(caller) >> 8) % 6;
    char *at = (char *)(base + 1);

    base->body.msgh_descriptor_count =
        fuzz_once_in(caller, 16) ? (uint32_t)fuzz_value(caller, FUZZ_SMALL)
                                 : count;

    for (unsigned int i = 0; i < count; i++) {
        switch ((fuzz_random(caller) >> 8) % 3) {
        case 0:
            fuzz_port_descriptor(caller, at);
            at += sizeof(mach_msg_port_descriptor_t);
            break;
        case 1:
            (void)fuzz_memory_descriptor(caller, at);
            at += sizeof(mach_msg_ool_descriptor_t);
            break;
        default:
            (void)fuzz_ports_descriptor(caller, at);
            at += sizeof(mach_msg_ool_ports_descriptor_t);
            break;
        }
    }

    return (mach_msg_size_t)(at - (char *)base);
}

/* Sizes of the common buffers, and large ones now and then. */
static mach_msg_size_t
fuzz_more_size(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);

    return random % 16 == 0 ? (random >> 8) % 4096 & ~3u
                            : (random >> 8) % 64 & ~3u;
}

static mach_msg_option_t
fuzz_option(struct fuzz_caller *caller, mach_msg_option_t option)
{
    uint64_t random = fuzz_random(caller);

    option |= MACH_SEND_TIMEOUT | MACH_RCV_TIMEOUT;

    switch (random % 16) {
    case 0:
        return option & ~MACH_RCV_TIMEOUT;
    case 1:
        return option & ~MACH_SEND_TIMEOUT;
    case 2:
        return option | MACH_RCV_LARGE;
    case 3:
        return option | MACH_SEND_INTERRUPT | MACH_RCV_INTERRUPT;
    case 4:
        return option | MACH_RCV_TRAILER_ELEMENTS((random >> 8) % 16);
    case 5:
        return option ^ 1u << (random >> 8) % 32;
    case 6:
        return (mach_msg_option_t)(random >> 8);
    case 7:
        return option | MACH_SEND_NOTIFY;
    case 8:
        return option | MACH_RCV_OVERWRITE;
    default:
        return option;
    }
}

static void
fuzz_send(struct fuzz_caller *caller, const struct fuzz_round *round)
{
    mach_msg_header_t *head = &caller->message.head;
    mach_msg_option_t option;
    mach_msg_size_t size = sizeof(*head);
    mach_msg_size_t room;

    *head = (mach_msg_header_t){
        .msgh_bits = MACH_MSGH_BITS(fuzz_disposition(caller),
                                    fuzz_value(caller, FUZZ_DISPOSITION)),
        .msgh_remote_port = (mach_port_name_t)fuzz_value(caller, FUZZ_NAME),
        .msgh_local_port = (mach_port_name_t)fuzz_value(caller, FUZZ_NAME),
        .msgh_id = (mach_msg_id_t)fuzz_value(caller, FUZZ_NOTIFICATION),
    };

    if (fuzz_once_in(caller, 4)) {
        head->msgh_local_port = MACH_PORT_NULL;
        head->msgh_bits = MACH_MSGH_BITS_REMOTE(head->msgh_bits);
    }

    if (fuzz_once_in(caller, 2)) {
        head->msgh_bits |= MACH_MSGH_BITS_COMPLEX;
        size = fuzz_descriptors(caller);
    }

    size += fuzz_more_size(caller);

    while (fuzz_once_in(caller, 8)) {
        size = fuzz_spoil(caller, size) % sizeof(caller->message);
        size = size < sizeof(*head) ? sizeof(*head) : size;
    }

    option = fuzz_option(caller, fuzz_once_in(caller, 2)
                                     ? MACH_SEND_MSG | MACH_RCV_MSG
                                     : MACH_SEND_MSG);
    room = fuzz_once_in(caller, 4)
               ? (mach_msg_size_t)fuzz_value(caller, FUZZ_SMALL)
               : sizeof(caller->received);

    if (round->trace) {
        tap_diag("call %lu: send to %x, bits %x, %u bytes, option %x",
                 caller->call, head->msgh_remote_port, head->msgh_bits, size,
                 option);
    }

    (void)fuzz_trap_msg(caller, option, size, room,
                        (mach_port_name_t)fuzz_value(caller, FUZZ_NAME),
                        fuzz_once_in(caller, 16)
                            ? fuzz_value(caller, FUZZ_POINTER)
                            : (uint64_t)&caller->received);
}

static void
fuzz_receive(struct fuzz_caller *caller, const struct fuzz_round *round)
{
    mach_port_name_t name = (mach_port_name_t)fuzz_value(caller, FUZZ_NAME);
    mach_msg_option_t option = fuzz_option(caller, MACH_RCV_MSG);
    mach_msg_size_t room = sizeof(caller->received);
    uint64_t buffer = (uint64_t)&caller->received;

    if (fuzz_once_in(caller, 8)) {
        room = (mach_msg_size_t)fuzz_value(caller, FUZZ_SMALL);
    }

    if (fuzz_once_in(caller, 32)) {
        buffer = fuzz_value(caller, FUZZ_POINTER);
    }

    if (round->trace) {
        tap_diag("call %lu: receive from %x, option %x, room %u", caller->call,
                 name, option, room);
    }

    (void)fuzz_trap_msg(caller, option & ~MACH_SEND_MSG, 0, room, name, buffer);
}

void
fuzz_message_call(struct fuzz_caller *caller, const struct fuzz_round *round)
{
    switch ((fuzz_random(caller) >> 8) % 8) {
    case 0:
    case 1:
        fuzz_send(caller, round);
        break;
    case 2:
    case 3:
        fuzz_receive(caller, round);
        break;
    default:
        fuzz_request(caller, round);
        break;
    }
}

/* -- Tidying up ------------------------------------------------------------- */

struct names_reply {
    mach_msg_header_t head;
    mach_msg_body_t body;
    mach_msg_ool_descriptor_t names;
    mach_msg_ool_descriptor_t types;
    natural_t count;
    natural_t type_count;
};

void
fuzz_tidy(struct fuzz_caller *caller)
{
    const struct names_reply *reply = (const void *)&caller->received;
    const mach_port_name_t *names;

    fuzz_reply_port(caller);
    caller->message.head = (mach_msg_header_t){
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                    MACH_MSG_TYPE_MAKE_SEND_ONCE),
        .msgh_remote_port = mach_task_self(),
        .msgh_local_port = caller->reply_port,
        .msgh_id = NAMES_REQUEST,
    };

    if (guest_trap(
            MACH_TRAP_MSG, (long)&caller->message,
            MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
            (long)(sizeof(mach_msg_header_t) | sizeof(caller->received) << 32),
            (long)caller->reply_port, 0,
            (long)&caller->received) != MACH_MSG_SUCCESS ||
        !MACH_MSGH_BITS_IS_COMPLEX(reply->head.msgh_bits) ||
        reply->names.size < reply->count * sizeof(*names)) {
        return;
    }

    names = (const void *)reply->names.address;

    for (natural_t i = 0; i < reply->count; i++) {
        if (names[i] != mach_task_self() && names[i] != mach_host_self() &&
            names[i] != fuzz_exception_port && fuzz_once_in(caller, 2)) {
            (void)syscall_mach_port_destroy(mach_task_self(), names[i]);
        }
    }

    mach_msg_destroy(&caller->received.head);
}
