/* SPDX-License-Identifier: MIT */
/*
 * A second opinion on messages, from the tables alone: which field is where,
 * and what docs/mig.md says is wrong with it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define MESSAGE_UNBOUNDED_MOST 37u

static const struct harness_arg *
message_arg(const struct message *message, const struct harness_field *field)
{
    return (field->arg < 0) ? NULL : &message->routine->args[field->arg];
}

static void *
message_at(const struct message *message, uint32_t place)
{
    return message->bytes + place;
}

static uint32_t
message_word(const struct message *message, uint32_t place)
{
    uint32_t word;

    memcpy(&word, message->bytes + place, sizeof(word));
    return word;
}

static bool
message_has(const struct message *message, const struct harness_arg *arg)
{
    return (arg->flags & (message->reply ? HARNESS_OUT : HARNESS_IN)) != 0;
}

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
message_count_max(const struct harness_routine *routine, int counter,
                  bool reply)
{
    const struct harness_arg *arg;
    uint32_t max = 0;

    (void)reply;

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

/* Dispositions that a field must have; 0: any. */
static unsigned int
message_disposition(const struct harness_arg *arg, enum message_form form)
{
    switch (form) {
    case MESSAGE_SENT:
        return arg->sent;
    case MESSAGE_ANSWER:
        return arg->answer;
    default:
        return arg->received;
    }
}

static uint32_t
message_field_bytes(const struct harness_field *field, uint32_t count,
                    const struct harness_arg *arg)
{
    switch (field->kind) {
    case HARNESS_FIELD_VARRAY:
        return (count * arg->unit + 3) & ~3u;
    case HARNESS_FIELD_VSTRING:
        return (count + 3) & ~3u;
    default:
        return field->size + field->pad;
    }
}

/* Making. */

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
        uint32_t max = message_count_max(message->routine, field->arg, true);
        uint32_t room = message_any_count(max + 2, MESSAGE_COUNTS_ANY);

        memcpy(at, &room, sizeof(room));
        break;
    }
    default:
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
            maker->counts[i] = message_any_count(
                message_count_max(routine, (int)i, maker->message->reply),
                counts);
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

/* Checking. */

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

/* The place of the argument's field of that kind. */
static uint32_t
message_find(const struct message *message, int arg,
             enum harness_field_kind kind)
{
    const struct harness_field *fields = message->layout->fields;

    for (unsigned int i = 0; fields[i].kind != HARNESS_FIELD_END; i++) {
        if (fields[i].arg == arg && fields[i].kind == kind) {
            return message->places.at[i];
        }
    }

    return PLACE_NONE;
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

/* Comparing. */

static void
message_differs(const struct message *message, const struct harness_arg *arg,
                const char *what)
{
    complain("%s of %s: %s is not what was given",
             message->reply ? "reply" : "request", message->routine->name,
             what);
    complain("  argument %s", arg->name);
}

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

void
message_compare(const struct message *message, const struct value *values,
                enum message_form form)
{
    const struct harness_field *field = message->layout->fields;
    const struct harness_arg *arg;
    const struct value *value;
    uint32_t place, word;

    for (unsigned int i = 0; field->kind != HARNESS_FIELD_END; i++, field++) {
        arg = message_arg(message, field);
        place = message->places.at[i];
        value = (arg == NULL) ? NULL : &values[field->arg];
        word = message_word(message, place);

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
        case HARNESS_FIELD_NDR:
            if (memcmp(message_at(message, place), &NDR_record, 8) != 0) {
                complain("no NDR record");
            }

            break;
        case HARNESS_FIELD_COUNT:
            if (arg->form != HARNESS_FORM_VSTRING && word != value->count) {
                message_differs(message, arg, "a count");
            }

            break;
        case HARNESS_FIELD_CAPACITY: {
            uint32_t max =
                message_count_max(message->routine, field->arg, true);

            if (word != ((value->count < max) ? value->count : max)) {
                message_differs(message, arg, "the room");
            }

            break;
        }
        case HARNESS_FIELD_RETCODE:
        case HARNESS_FIELD_OFFSET:
            if (word != 0) {
                complain("RetCode or an offset is %u", word);
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
            break;
        }
    }
}

/* The other way: from the message to C. */

static void
message_gives_ports(const struct message *message, unsigned int index,
                    const void *given, uint32_t used, mach_msg_type_name_t poly)
{
    const struct harness_arg *arg = &message->routine->args[index];
    const mach_msg_port_descriptor_t *descriptor;
    const mach_port_t *names = given;
    unsigned int visible;

    descriptor =
        message_at(message, message_find(message, (int)index,
                                         (arg->form == HARNESS_FORM_PORT)
                                             ? HARNESS_FIELD_PORT
                                             : HARNESS_FIELD_PORTS));
    visible = message->reply ? HARNESS_USER_POLY : HARNESS_SERVER_POLY;

    if ((arg->flags & visible) != 0 && descriptor->disposition != poly) {
        message_differs(message, arg, "a disposition");
    }

    for (uint32_t i = 0; i < used; i++) {
        if (memcmp(&names[i], &descriptor[i].name, sizeof(names[i])) != 0) {
            message_differs(message, arg, "a right");
        }
    }
}

static void
message_gives_data(const struct message *message, unsigned int index,
                   const void *given, size_t size, uint32_t used)
{
    const struct harness_arg *arg = &message->routine->args[index];
    const uint8_t *at;
    uint32_t place, bytes = arg->size;
    bool translated;

    place =
        message_find(message, (int)index,
                     (arg->form == HARNESS_FORM_VARRAY) ? HARNESS_FIELD_VARRAY
                                                        : HARNESS_FIELD_DATA);
    at = message_at(message, place);
    translated = (arg->flags & HARNESS_INTRAN) != 0 && !message->reply;

    if (arg->form == HARNESS_FORM_VARRAY) {
        bytes = used * arg->unit;
    } else if (arg->form == HARNESS_FORM_DATA && size < bytes) {
        bytes = (uint32_t)size;
    }

    if (!translated && arg->form == HARNESS_FORM_DATA && size != bytes) {
        message_differs(message, arg, "a size");
    }

    if ((uintptr_t)given % ((arg->align > 8) ? 8 : arg->align) != 0) {
        message_differs(message, arg, "an alignment");
    }

    if (memcmp(at, given, bytes) != 0) {
        message_differs(message, arg, "a value");
    }
}

static void
message_gives_string(const struct message *message, unsigned int index,
                     const char *given)
{
    const struct harness_arg *arg = &message->routine->args[index];
    const char *at;
    size_t length;

    at = message_at(message, message_find(message, (int)index,
                                          (arg->form == HARNESS_FORM_STRING)
                                              ? HARNESS_FIELD_STRING
                                              : HARNESS_FIELD_VSTRING));
    length = strnlen(at, arg->count - 1);

    if (strlen(given) != length || memcmp(given, at, length) != 0) {
        message_differs(message, arg, "a string");
    }
}

static void
message_gives_ool(const struct message *message, unsigned int index,
                  const void *given, size_t size)
{
    const struct harness_arg *arg = &message->routine->args[index];
    const mach_msg_ool_descriptor_t *descriptor;
    uint32_t place;
    uint64_t address = 0;

    place = message_find(message, (int)index, HARNESS_FIELD_OOL);

    if (place == PLACE_NONE) {
        place = message_find(message, (int)index, HARNESS_FIELD_OOL_PORTS);
    }

    descriptor = message_at(message, place);
    memcpy(&address, given, (size < sizeof(address)) ? size : sizeof(address));

    if (descriptor->address != address) {
        message_differs(message, arg, "an address");
    }
}

void
message_gives(const struct message *message, unsigned int index,
              const void *place, size_t size, mach_msg_type_name_t poly,
              mach_msg_type_number_t count, const uint32_t *room)
{
    const struct harness_arg *arg = &message->routine->args[index];
    uint32_t used = arg->count;

    if (arg->counter >= 0) {
        used = message_word(
            message, message_find(message, arg->counter, HARNESS_FIELD_COUNT));

        if (arg->counter == (int)index && count != used) {
            message_differs(message, arg, "a count");
        }

        if (room != NULL && used > *room) {
            used = *room;
        }
    }

    switch (arg->form) {
    case HARNESS_FORM_PORT:
        used = 1;
        /* Fall through. */
    case HARNESS_FORM_PORTS:
    case HARNESS_FORM_VPORTS:
        message_gives_ports(message, index, place, used, poly);
        break;
    case HARNESS_FORM_STRING:
    case HARNESS_FORM_VSTRING:
        message_gives_string(message, index, place);
        break;
    case HARNESS_FORM_DATA:
    case HARNESS_FORM_ARRAY:
    case HARNESS_FORM_VARRAY:
        message_gives_data(message, index, place, size, used);
        break;
    default:
        message_gives_ool(message, index, place, size);
        break;
    }
}

/* Taking: what a right owner does with what it was given. */

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
