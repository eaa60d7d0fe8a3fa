/* SPDX-License-Identifier: MIT */
/*
 * A second opinion on messages, from the tables alone: counts and codes, who
 * gets what, and the complaint.
 */

#include "message_i.h"

#define MESSAGE_UNBOUNDED_MOST 37u

uint32_t
message_error_size(const struct harness_side *side)
{
    return side->ndr ? 36 : 28;
}

kern_return_t
message_code(const struct harness_side *side, const void *bytes)
{
    kern_return_t code;

    memcpy(&code, (const uint8_t *)bytes + message_error_size(side) - 4,
           sizeof(code));
    return code;
}

uint32_t
message_count_max(const struct harness_routine *routine, int counter)
{
    const struct harness_arg *arg;
    uint32_t max = 0;

    for (unsigned int i = 0; i < routine->arg_count; i++) {
        arg = &routine->args[i];

        if (arg->counter == counter && arg->count != 0 &&
            (max == 0 || arg->count < max)) {
            max = arg->count;
        }
    }

    return max;
}

uint32_t
message_any_count(uint32_t max, enum message_counts counts)
{
    if (max == 0) {
        max = MESSAGE_UNBOUNDED_MOST;
    }

    switch (counts) {
    case MESSAGE_COUNTS_NONE:
        return 0;
    case MESSAGE_COUNTS_MOST:
        return max;
    default:
        return (engine_below(2) == 0) ? engine_below(max + 1)
                                      : engine_below((max < 9) ? max + 1 : 9);
    }
}

void
message_differs(const struct message *message, const struct harness_arg *arg,
                const char *what)
{
    complain("%s of %s: %s is not what was given",
             message->reply ? "reply" : "request", message->routine->name,
             what);
    complain("  argument %s", arg->name);
}

static void
message_take_right(mach_port_t name)
{
    struct ledger_right *right;

    if (MACH_PORT_VALID(name)) {
        right = ledger_right(name);

        if (right != NULL) {
            right->taken++;
        }
    }
}

static void
message_take_region(const struct harness_arg *arg, uint64_t address,
                    uint32_t size, bool ports, bool reply)
{
    struct ledger_region *region;
    const mach_port_t *names;

    if (size == 0) {
        return;
    }

    region = ledger_region(address);

    if (region == NULL || region->size != size || region->released != 0) {
        return;
    }

    if (reply || (arg->flags & HARNESS_AUTO) == 0) {
        region->taken++;
    }

    names = (const mach_port_t *)(uintptr_t)address;

    for (uint32_t i = 0; ports && i < size / sizeof(*names); i++) {
        message_take_right(names[i]);
    }
}

void
message_take(const struct message *message, unsigned int index)
{
    const struct harness_arg *arg = &message->routine->args[index];
    const struct harness_field *field = message->layout->fields;
    const mach_msg_port_descriptor_t *port;
    const mach_msg_ool_descriptor_t *ool;

    for (unsigned int i = 0; field->kind != HARNESS_FIELD_END; i++, field++) {
        if (field->arg != (int)index) {
            continue;
        }

        port = message_at(message, message->places.at[i]);
        ool = (const void *)port;

        switch (field->kind) {
        case HARNESS_FIELD_PORT:
        case HARNESS_FIELD_PORTS:
            for (uint32_t j = 0; j < field->number; j++) {
                message_take_right(port[j].name);
            }

            break;
        case HARNESS_FIELD_OOLS:
            for (uint32_t j = 0; j < field->number; j++) {
                bool rights = (arg->flags & HARNESS_RIGHTS) != 0;

                message_take_region(arg, ool[j].address,
                                    ool[j].size * (rights ? 4 : 1), rights,
                                    message->reply);
            }

            break;
        case HARNESS_FIELD_OOL:
            message_take_region(arg, ool->address, ool->size, false,
                                message->reply);
            break;
        case HARNESS_FIELD_OOL_PORTS:
            message_take_region(arg, ool->address, ool->size * 4, true,
                                message->reply);
            break;
        default:
            break;
        }
    }
}

void
message_hide_addresses(mach_msg_header_t *msg)
{
    mach_msg_base_t *base = (void *)msg;
    uint8_t *at = (uint8_t *)(base + 1);
    mach_msg_descriptor_t *descriptor;

    if (!MACH_MSGH_BITS_IS_COMPLEX(msg->msgh_bits)) {
        return;
    }

    for (uint32_t i = 0; i < base->body.msgh_descriptor_count; i++) {
        descriptor = (void *)at;

        if (descriptor->type.type == MACH_MSG_PORT_DESCRIPTOR) {
            at += sizeof(descriptor->port);
        } else {
            descriptor->out_of_line.address = descriptor->out_of_line.size;
            at += sizeof(descriptor->out_of_line);
        }
    }
}
