/* SPDX-License-Identifier: MIT */
/* What docs/mig.md says is wrong with a message, and where its fields are. */

#include "message_i.h"

static unsigned int
message_check_ports(const struct message *message,
                    const struct harness_field *field, uint32_t place,
                    unsigned int disposition)
{
    const mach_msg_port_descriptor_t *descriptor = message_at(message, place);
    unsigned int faults = 0;

    if (disposition == 0) {
        disposition = descriptor->disposition; /* any, but all alike */
    }

    for (uint32_t i = 0; i < field->number; i++) {
        if (descriptor[i].type != MACH_MSG_PORT_DESCRIPTOR ||
            descriptor[i].disposition != disposition) {
            faults = FAULT_TYPE;
        }
    }

    return faults;
}

static unsigned int
message_check_ool(const struct message *message,
                  const struct harness_field *field, uint32_t place,
                  unsigned int disposition)
{
    const struct harness_arg *arg = message_arg(message, field);
    const mach_msg_ool_ports_descriptor_t *descriptor;
    bool ports = (field->kind == HARNESS_FIELD_OOL_PORTS);
    unsigned int faults = 0;

    descriptor = message_at(message, place);

    if (descriptor->type !=
            (ports ? MACH_MSG_OOL_PORTS_DESCRIPTOR : MACH_MSG_OOL_DESCRIPTOR) ||
        (ports && disposition != 0 && descriptor->disposition != disposition)) {
        faults = FAULT_TYPE;
    }

    if (arg->counter < 0 &&
        descriptor->count != (ports ? arg->count : arg->size)) {
        faults = FAULT_TYPE;
    }

    return faults;
}

/* A row: all alike, each of its size or within its limit. */
static unsigned int
message_check_row(const struct message *message,
                  const struct harness_field *field, uint32_t place,
                  unsigned int disposition)
{
    const struct harness_arg *arg = message_arg(message, field);
    const mach_msg_ool_ports_descriptor_t *descriptor;
    bool rights = (arg->flags & HARNESS_RIGHTS) != 0;
    uint32_t unit = rights ? 1 : arg->unit;
    unsigned int faults = 0;

    descriptor = message_at(message, place);

    for (uint32_t i = 0; i < field->number; i++, descriptor++) {
        if (descriptor->type != (rights ? MACH_MSG_OOL_PORTS_DESCRIPTOR
                                        : MACH_MSG_OOL_DESCRIPTOR) ||
            (rights && disposition != 0 &&
             descriptor->disposition != disposition)) {
            faults = FAULT_TYPE;
        }

        if ((arg->flags & HARNESS_SUBS) != 0) {
            if (descriptor->count % unit != 0 ||
                (arg->each != 0 && descriptor->count / unit > arg->each)) {
                faults = FAULT_TYPE;
            }
        } else if (arg->counter < 0 && descriptor->count != arg->each) {
            faults = FAULT_TYPE;
        }
    }

    return faults;
}

static unsigned int
message_check_used(const struct message *message, int index, uint32_t count)
{
    const struct harness_arg *arg = &message->routine->args[index];
    const mach_msg_ool_descriptor_t *descriptor;

    descriptor =
        message_at(message, message_find(message, index, HARNESS_FIELD_OOLS));

    for (uint32_t i = 0; i < arg->count; i++) {
        if ((i >= count) ? descriptor[i].size != 0
                         : (arg->flags & HARNESS_SUBS) == 0 &&
                               descriptor[i].size != arg->each) {
            return FAULT_TYPE;
        }
    }

    return 0;
}

static unsigned int
message_check_counted(const struct message *message, int index, uint32_t count)
{
    const struct harness_arg *arg = &message->routine->args[index];
    const mach_msg_port_descriptor_t *ports;
    const mach_msg_ool_descriptor_t *ool;

    switch (arg->form) {
    case HARNESS_FORM_VPORTS:
        ports = message_at(message,
                           message_find(message, index, HARNESS_FIELD_PORTS));

        for (uint32_t i = count; i < arg->count; i++) {
            if (ports[i].name != MACH_PORT_NULL) {
                return FAULT_TYPE;
            }
        }

        break;
    case HARNESS_FORM_VOOLS:
        if (message_check_used(message, index, count) != 0) {
            return FAULT_TYPE;
        }

        break;
    case HARNESS_FORM_VOOL:
        ool = message_at(message,
                         message_find(message, index, HARNESS_FIELD_OOL));

        if (ool->size != (uint64_t)count * arg->unit) {
            return FAULT_TYPE;
        }

        break;
    case HARNESS_FORM_VOOL_PORTS:
        ool = message_at(message,
                         message_find(message, index, HARNESS_FIELD_OOL_PORTS));

        if (ool->size != count) {
            return FAULT_TYPE;
        }

        break;
    default:
        return 0;
    }

    return (arg->count != 0 && count > arg->count) ? FAULT_TYPE : 0;
}

static unsigned int
message_check_count(const struct message *message, int counter, uint32_t count)
{
    const struct harness_arg *arg;
    unsigned int faults = 0;

    for (unsigned int i = 0; i < message->routine->arg_count; i++) {
        arg = &message->routine->args[i];

        if (arg->counter == counter && message_has(message, arg)) {
            faults |= message_check_counted(message, (int)i, count);
        }
    }

    return faults;
}

struct message_walk {
    uint32_t origin;
    uint32_t slack;
    bool lost; /* what follows cannot be found */
};

static unsigned int
message_check_variable(struct message *message, struct message_walk *walk,
                       const struct harness_field *field, uint32_t place)
{
    const struct harness_arg *arg = message_arg(message, field);
    uint32_t count, bytes;

    count =
        message_word(message, message_find(message,
                                           (arg->form == HARNESS_FORM_VSTRING)
                                               ? field->arg
                                               : arg->counter,
                                           HARNESS_FIELD_COUNT));
    walk->lost = true;

    if (count > arg->count ||
        (field->kind == HARNESS_FIELD_VSTRING && count == 0)) {
        return FAULT_ARGUMENTS;
    }

    bytes = message_field_bytes(field, count, arg);

    if (bytes > walk->slack) {
        return FAULT_ARGUMENTS;
    }

    walk->lost = false;
    walk->slack -= bytes;
    walk->origin = place + bytes;

    if (field->kind == HARNESS_FIELD_VSTRING &&
        message->bytes[place + count - 1] != '\0') {
        return FAULT_ARGUMENTS;
    }

    return 0;
}

static unsigned int
message_check_field(struct message *message, struct message_walk *walk,
                    const struct harness_field *field, uint32_t place,
                    enum message_form form)
{
    const struct harness_arg *arg = message_arg(message, field);

    switch (field->kind) {
    case HARNESS_FIELD_PORT:
    case HARNESS_FIELD_PORTS:
        return message_check_ports(message, field, place,
                                   message_disposition(arg, form));
    case HARNESS_FIELD_OOL:
    case HARNESS_FIELD_OOL_PORTS:
        return message_check_ool(message, field, place,
                                 message_disposition(arg, form));
    case HARNESS_FIELD_OOLS:
        return message_check_row(message, field, place,
                                 message_disposition(arg, form));
    case HARNESS_FIELD_COUNT:
        return message_check_count(message, field->arg,
                                   message_word(message, place));
    case HARNESS_FIELD_STRING:
        return (!message->reply &&
                memchr(message->bytes + place, 0, field->size) == NULL)
                   ? FAULT_ARGUMENTS
                   : 0;
    case HARNESS_FIELD_VARRAY:
    case HARNESS_FIELD_VSTRING:
        return message_check_variable(message, walk, field, place);
    default:
        return 0;
    }
}

unsigned int
message_check(struct message *message, enum message_form form)
{
    const struct harness_layout *layout = message->layout;
    const mach_msg_header_t *head = message_at(message, 0);
    struct message_walk walk = { 0 };
    unsigned int faults = 0;

    for (unsigned int i = 0; i < ENGINE_FIELDS_MAX; i++) {
        message->places.at[i] = PLACE_NONE;
    }

    if (MACH_MSGH_BITS_IS_COMPLEX(head->msgh_bits) != layout->complex) {
        faults |= FAULT_ARGUMENTS;
    }

    if (message->size < layout->min_size) {
        return faults | FAULT_ARGUMENTS;
    }

    if (layout->complex && message_word(message, 24) != layout->descriptors) {
        faults |= FAULT_ARGUMENTS;
    }

    walk.slack = message->size - layout->min_size;

    for (unsigned int i = 0; layout->fields[i].kind != HARNESS_FIELD_END; i++) {
        message->places.at[i] = walk.origin + layout->fields[i].offset;
        faults |= message_check_field(message, &walk, &layout->fields[i],
                                      message->places.at[i], form);

        if (walk.lost) {
            return faults;
        }
    }

    return (walk.slack != 0) ? faults | FAULT_ARGUMENTS : faults;
}
