/* SPDX-License-Identifier: MIT */
/* Well-formed messages, as they are received, out of random values. */

#include "message_i.h"

struct message_maker {
    struct message *message;
    uint32_t counts[ENGINE_ARGS_MAX];
    uint32_t origin; /* of the segment */
};

static void
message_make_ports(struct message_maker *maker,
                   const struct harness_field *field, uint32_t place)
{
    const struct harness_arg *arg = message_arg(maker->message, field);
    mach_msg_port_descriptor_t *descriptor = message_at(maker->message, place);
    unsigned int kind = arg->received;
    uint32_t used = field->number;

    if (kind == 0) {
        kind = MACH_MSG_TYPE_MOVE_RECEIVE + engine_below(3);
    }

    if (arg->form == HARNESS_FORM_VPORTS) {
        used = maker->counts[arg->counter];
    }

    for (uint32_t i = 0; i < field->number; i++) {
        memset(descriptor, 0, sizeof(*descriptor));
        descriptor->type = MACH_MSG_PORT_DESCRIPTOR;
        descriptor->disposition = (uint8_t)kind;
        descriptor->name = (i < used) ? ledger_new_right(kind) : MACH_PORT_NULL;
        descriptor++;
    }
}

static void
message_make_ool(struct message_maker *maker, const struct harness_field *field,
                 uint32_t place)
{
    const struct harness_arg *arg = message_arg(maker->message, field);
    mach_msg_ool_descriptor_t *descriptor = message_at(maker->message, place);
    uint32_t count = arg->count;

    if (arg->counter >= 0) {
        count = maker->counts[arg->counter];
    }

    memset(descriptor, 0, sizeof(*descriptor));
    descriptor->type = MACH_MSG_OOL_DESCRIPTOR;
    descriptor->deallocate = TRUE;
    descriptor->size = (arg->counter >= 0) ? count * arg->unit : arg->size;
    descriptor->address = ledger_new_region(descriptor->size);

    if (descriptor->address != 0) {
        ledger_region(descriptor->address)->automatic =
            !maker->message->reply && (arg->flags & HARNESS_AUTO) != 0;
    }
}

static void
message_make_ool_ports(struct message_maker *maker,
                       const struct harness_field *field, uint32_t place)
{
    const struct harness_arg *arg = message_arg(maker->message, field);
    mach_msg_ool_ports_descriptor_t *descriptor;
    unsigned int kind = arg->received;
    mach_port_t *names;

    if (kind == 0) {
        kind = MACH_MSG_TYPE_MOVE_RECEIVE + engine_below(3);
    }

    descriptor = message_at(maker->message, place);
    memset(descriptor, 0, sizeof(*descriptor));
    descriptor->type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
    descriptor->deallocate = TRUE;
    descriptor->disposition = (uint8_t)kind;
    descriptor->count =
        (arg->counter >= 0) ? maker->counts[arg->counter] : arg->count;
    descriptor->address =
        ledger_new_region(descriptor->count * (uint32_t)sizeof(*names));
    names = (mach_port_t *)(uintptr_t)descriptor->address;

    if (descriptor->address != 0) {
        ledger_region(descriptor->address)->automatic =
            !maker->message->reply && (arg->flags & HARNESS_AUTO) != 0;
    }

    for (uint32_t i = 0; i < descriptor->count; i++) {
        names[i] = ledger_new_right(kind);
    }
}

/* A region of bytes or of rights. */
static uint64_t
message_make_region(const struct harness_arg *arg, uint32_t number,
                    unsigned int kind, bool automatic)
{
    bool rights = (arg->flags & HARNESS_RIGHTS) != 0;
    mach_port_t *names;
    uint64_t address;

    address = ledger_new_region(rights ? number * 4 : number);
    names = (mach_port_t *)(uintptr_t)address;

    if (address != 0) {
        ledger_region(address)->automatic = automatic;
    }

    for (uint32_t i = 0; rights && i < number; i++) {
        names[i] = ledger_new_right(kind);
    }

    return address;
}

/* A row of regions; those behind the count are empty. */
static void
message_make_row(struct message_maker *maker, const struct harness_field *field,
                 uint32_t place)
{
    const struct harness_arg *arg = message_arg(maker->message, field);
    mach_msg_ool_ports_descriptor_t *descriptor;
    bool rights = (arg->flags & HARNESS_RIGHTS) != 0;
    bool automatic = !maker->message->reply && (arg->flags & HARNESS_AUTO) != 0;
    uint32_t number, used = field->number;

    if (arg->counter >= 0) {
        used = maker->counts[arg->counter];
    }

    descriptor = message_at(maker->message, place);

    for (uint32_t i = 0; i < field->number; i++, descriptor++) {
        number = arg->each;

        if (i >= used) {
            number = 0;
        } else if ((arg->flags & HARNESS_SUBS) != 0) {
            number = message_any_count(arg->each, MESSAGE_COUNTS_ANY) *
                     (rights ? 1 : arg->unit);
        }

        memset(descriptor, 0, sizeof(*descriptor));
        descriptor->type =
            rights ? MACH_MSG_OOL_PORTS_DESCRIPTOR : MACH_MSG_OOL_DESCRIPTOR;
        descriptor->disposition = rights ? (uint8_t)arg->received : 0;
        descriptor->deallocate = TRUE;
        descriptor->count = number;
        descriptor->address =
            message_make_region(arg, number, arg->received, automatic);
    }
}

static void
message_make_string(uint8_t *at, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        at[i] = (uint8_t)('a' + engine_below(26));
    }

    at[length] = '\0';
}

static void
message_make_field(struct message_maker *maker,
                   const struct harness_field *field, uint32_t place)
{
    struct message *message = maker->message;
    uint8_t *at = message_at(message, place);

    switch (field->kind) {
    case HARNESS_FIELD_PORT:
    case HARNESS_FIELD_PORTS:
        message_make_ports(maker, field, place);
        break;
    case HARNESS_FIELD_OOL:
        message_make_ool(maker, field, place);
        break;
    case HARNESS_FIELD_OOL_PORTS:
        message_make_ool_ports(maker, field, place);
        break;
    case HARNESS_FIELD_OOLS:
        message_make_row(maker, field, place);
        break;
    case HARNESS_FIELD_COUNT:
        memcpy(at, &maker->counts[field->arg], 4);
        break;
    case HARNESS_FIELD_NDR:
        memcpy(at, &NDR_record, 8);
        break;
    case HARNESS_FIELD_RETCODE:
    case HARNESS_FIELD_OFFSET:
        memset(at, 0, 4);
        break;
    case HARNESS_FIELD_STRING:
        engine_fill(at, field->size);
        message_make_string(at, engine_below(field->size));
        break;
    case HARNESS_FIELD_VSTRING:
        message_make_string(at, maker->counts[field->arg] - 1);
        break;
    case HARNESS_FIELD_CAPACITY: {
        uint32_t max = message_count_max(message->routine, field->arg);
        uint32_t room = message_any_count(max + 2, MESSAGE_COUNTS_ANY);

        memcpy(at, &room, sizeof(room));
        break;
    }
    default:
        if (field->arg == message->routine->retcode) {
            memset(at, 0, field->size);
            break;
        }

        engine_fill(
            at, message_field_bytes(
                    field,
                    (field->kind == HARNESS_FIELD_VARRAY)
                        ? maker->counts[message_arg(message, field)->counter]
                        : 0,
                    message_arg(message, field)));
        break;
    }
}

static void
message_choose_counts(struct message_maker *maker, enum message_counts counts)
{
    const struct harness_routine *routine = maker->message->routine;
    const struct harness_arg *arg;
    uint32_t count;

    for (unsigned int i = 0; i < routine->arg_count; i++) {
        arg = &routine->args[i];

        if (arg->form == HARNESS_FORM_VSTRING) {
            count = message_any_count(arg->count, counts);
            maker->counts[i] = (count == 0) ? 1 : count;
        } else if (arg->counter == (int)i) {
            maker->counts[i] =
                message_any_count(message_count_max(routine, (int)i), counts);
        }
    }
}

void
message_build(struct message *message, enum message_counts counts)
{
    struct message_maker maker = { .message = message };
    const struct harness_field *field;
    mach_msg_header_t *head = message_at(message, 0);
    uint32_t count, bytes, place, end;

    message_choose_counts(&maker, counts);
    memset(message->bytes, 0, sizeof(*head) + 4);
    end = message->layout->complex ? 28 : 24;

    if (message->layout->complex) {
        head->msgh_bits = MACH_MSGH_BITS_COMPLEX;
        memcpy(message->bytes + 24, &message->layout->descriptors, 4);
    }

    for (field = message->layout->fields; field->kind != HARNESS_FIELD_END;
         field++) {
        place = maker.origin + field->offset;
        message_make_field(&maker, field, place);
        count = 0;

        if (field->kind == HARNESS_FIELD_VARRAY) {
            count = maker.counts[message_arg(message, field)->counter];
        } else if (field->kind == HARNESS_FIELD_VSTRING) {
            count = maker.counts[field->arg];
        }

        bytes = message_field_bytes(field, count, message_arg(message, field));
        end = place + bytes;

        if (field->kind == HARNESS_FIELD_VARRAY ||
            field->kind == HARNESS_FIELD_VSTRING) {
            maker.origin = end;
        }
    }

    message->size = end;
    head->msgh_size = end;
    head->msgh_id = message->routine->id + (message->reply ? 100 : 0);
}
