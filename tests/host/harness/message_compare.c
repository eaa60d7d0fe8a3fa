/* SPDX-License-Identifier: MIT */
/* From C to the message: does it hold what was passed, and nothing else? */

#include "message_i.h"

static void
message_compare_ports(const struct message *message,
                      const struct harness_field *field, uint32_t place,
                      const struct value *value, unsigned int disposition)
{
    const struct harness_arg *arg = message_arg(message, field);
    const mach_msg_port_descriptor_t *descriptor = message_at(message, place);
    mach_port_t name;

    for (uint32_t i = 0; i < field->number; i++) {
        name = MACH_PORT_NULL;

        if ((i + 1) * sizeof(name) <= value->size) {
            memcpy(&name, value->bytes + i * sizeof(name), sizeof(name));
        }

        if (descriptor[i].name != name) {
            message_differs(message, arg, "a right");
        }

        if (descriptor[i].disposition !=
            ((disposition == 0) ? value->poly : disposition)) {
            message_differs(message, arg, "a disposition");
        }

        if (descriptor[i].pad1 != 0 || descriptor[i].pad2 != 0) {
            message_differs(message, arg, "padding");
        }
    }
}

static void
message_compare_ool(const struct message *message,
                    const struct harness_field *field, uint32_t place,
                    const struct value *value, unsigned int disposition)
{
    const struct harness_arg *arg = message_arg(message, field);
    const mach_msg_ool_ports_descriptor_t *descriptor;
    uint64_t address = 0;
    uint32_t size = value->count;

    descriptor = message_at(message, place);
    memcpy(&address, value->bytes,
           (value->size < sizeof(address)) ? value->size : sizeof(address));

    if (descriptor->address != address) {
        message_differs(message, arg, "an address");
    }

    if (arg->form == HARNESS_FORM_OOL) {
        size = arg->size;
    } else if (arg->form == HARNESS_FORM_OOL_PORTS) {
        size = arg->count;
    } else if (arg->form == HARNESS_FORM_VOOL) {
        size = value->count * arg->unit;
    }

    if (descriptor->count != size) {
        message_differs(message, arg, "a size");
    }

    if ((descriptor->deallocate != 0) != (value->dealloc != 0)) {
        message_differs(message, arg, "deallocate");
    }

    if (field->kind == HARNESS_FIELD_OOL_PORTS &&
        descriptor->disposition !=
            ((disposition == 0) ? value->poly : disposition)) {
        message_differs(message, arg, "a disposition");
    }

    if (field->kind == HARNESS_FIELD_OOL && descriptor->disposition != 0) {
        message_differs(message, arg, "padding");
    }
}

static void
message_compare_row(const struct message *message,
                    const struct harness_field *field, uint32_t place,
                    const struct value *value, unsigned int disposition)
{
    const struct harness_arg *arg = message_arg(message, field);
    const mach_msg_ool_ports_descriptor_t *descriptor;
    bool rights = (arg->flags & HARNESS_RIGHTS) != 0;
    uint32_t size, used;
    uint64_t address;

    descriptor = message_at(message, place);
    used = (arg->counter >= 0) ? value->count : field->number;

    for (uint32_t i = 0; i < field->number; i++) {
        address = 0;
        size = 0;

        if (i < used) {
            memcpy(&address, value->bytes + i * sizeof(address),
                   sizeof(address));
            size = ((arg->flags & HARNESS_SUBS) == 0)
                       ? arg->each
                       : value->subs[i] * (rights ? 1 : arg->unit);
        }

        if (descriptor[i].address != address || descriptor[i].count != size ||
            (descriptor[i].deallocate != 0) != (value->dealloc != 0) ||
            descriptor[i].disposition != (rights ? disposition : 0)) {
            message_differs(message, arg, "a region");
        }
    }
}

static bool
message_is_zero(const uint8_t *at, uint32_t size)
{
    while (size > 0) {
        size--;

        if (at[size] != 0) {
            return false;
        }
    }

    return true;
}

/* A string that is cut to its room, and nothing behind it. */
static void
message_compare_string(const struct message *message,
                       const struct harness_field *field, uint32_t place,
                       const struct value *value)
{
    const struct harness_arg *arg = message_arg(message, field);
    const uint8_t *at = message_at(message, place);
    uint32_t length, end = field->size + field->pad;

    length = (uint32_t)strnlen((const char *)value->bytes, field->size - 1);

    if (field->kind == HARNESS_FIELD_VSTRING) {
        end = (length + 1 + 3) & ~3u;

        if (message_word(message, place - 4) != length + 1) {
            message_differs(message, arg, "a length");
        }
    }

    if (memcmp(at, value->bytes, length) != 0 ||
        !message_is_zero(at + length, end - length)) {
        message_differs(message, arg, "a string");
    }
}

static void
message_compare_data(const struct message *message,
                     const struct harness_field *field, uint32_t place,
                     const struct value *value)
{
    const struct harness_arg *arg = message_arg(message, field);
    const uint8_t *at = message_at(message, place);
    uint32_t size = field->size;

    if (field->kind == HARNESS_FIELD_VARRAY) {
        size = value->count * arg->unit;
    }

    if (memcmp(at, value->bytes, (size < value->size) ? size : value->size) !=
        0) {
        message_differs(message, arg, "a value");
    }

    if (!message_is_zero(at + size, -size & 3)) {
        message_differs(message, arg, "padding");
    }
}

/* Words that say how much there is, or nothing. */
static void
message_compare_word(const struct message *message,
                     const struct harness_field *field, uint32_t place,
                     const struct value *value)
{
    const struct harness_arg *arg = message_arg(message, field);
    uint32_t word = message_word(message, place);
    uint32_t want = 0;

    if (field->kind == HARNESS_FIELD_COUNT) {
        if (arg->form == HARNESS_FORM_VSTRING) {
            return; /* see message_compare_string() */
        }

        want = value->count;
    } else if (field->kind == HARNESS_FIELD_CAPACITY) {
        want = message_count_max(message->routine, field->arg);
        want = (value->count < want) ? value->count : want;
    }

    if (word != want) {
        complain("a word of the %s of %s is %u, not %u",
                 message->reply ? "reply" : "request", message->routine->name,
                 word, want);
    }
}

static void
message_compare_field(const struct message *message,
                      const struct harness_field *field, uint32_t place,
                      const struct value *values, enum message_form form)
{
    const struct harness_arg *arg = message_arg(message, field);
    const struct value *value = (arg == NULL) ? NULL : &values[field->arg];

    switch (field->kind) {
    case HARNESS_FIELD_PORT:
    case HARNESS_FIELD_PORTS:
        message_compare_ports(message, field, place, value,
                              message_disposition(arg, form));
        break;
    case HARNESS_FIELD_OOL:
    case HARNESS_FIELD_OOL_PORTS:
        message_compare_ool(message, field, place, value,
                            message_disposition(arg, form));
        break;
    case HARNESS_FIELD_OOLS:
        message_compare_row(message, field, place, value,
                            message_disposition(arg, form));
        break;
    case HARNESS_FIELD_NDR:
        if (memcmp(message_at(message, place), &NDR_record, 8) != 0) {
            complain("no NDR record");
        }

        break;
    case HARNESS_FIELD_STRING:
    case HARNESS_FIELD_VSTRING:
        message_compare_string(message, field, place, value);
        break;
    case HARNESS_FIELD_DATA:
    case HARNESS_FIELD_VARRAY:
        message_compare_data(message, field, place, value);
        break;
    default:
        message_compare_word(message, field, place, value);
        break;
    }
}

void
message_compare(const struct message *message, const struct value *values,
                enum message_form form)
{
    const struct harness_field *field = message->layout->fields;

    for (unsigned int i = 0; field->kind != HARNESS_FIELD_END; i++, field++) {
        message_compare_field(message, field, message->places.at[i], values,
                              form);
    }
}
