/* SPDX-License-Identifier: MIT */
/* From the message to C: was the other side given what it holds? */

#include "message_i.h"

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

void
message_gives_zero(const struct message *message, unsigned int index,
                   const void *place, size_t size, const struct value *more)
{
    const struct harness_arg *arg = &message->routine->args[index];
    const uint8_t *bytes = place;

    if (more != NULL && more->count != 0) {
        message_differs(message, arg, "a count of an error reply");
    }

    switch (arg->form) {
    case HARNESS_FORM_ARRAY:
        size = arg->size;
        break;
    case HARNESS_FORM_STRING:
    case HARNESS_FORM_VSTRING:
        size = 1;
        break;
    case HARNESS_FORM_PORTS:
    case HARNESS_FORM_VPORTS:
        size = arg->count * sizeof(mach_port_t);
        break;
    case HARNESS_FORM_OOLS:
    case HARNESS_FORM_VOOLS:
        size = arg->count * sizeof(uint64_t);
        break;
    default:
        break;
    }

    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            message_differs(message, arg, "a zero of an error reply");
            return;
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

    if (place == PLACE_NONE) { /* a code that only an error reply carries */
        message_gives_zero(message, index, given, size, NULL);
        return;
    }

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

static void
message_gives_row(const struct message *message, unsigned int index,
                  const void *given, const mach_msg_type_number_t *subs,
                  uint32_t used)
{
    const struct harness_arg *arg = &message->routine->args[index];
    const mach_msg_ool_descriptor_t *descriptor;
    uint32_t unit = (arg->flags & HARNESS_RIGHTS) ? 1 : arg->unit;

    descriptor = message_at(
        message, message_find(message, (int)index, HARNESS_FIELD_OOLS));

    for (uint32_t i = 0; i < used; i++) {
        if (memcmp((const uint8_t *)given + i * sizeof(uint64_t),
                   &descriptor[i].address, sizeof(uint64_t)) != 0) {
            message_differs(message, arg, "an address");
        }

        if ((arg->flags & HARNESS_SUBS) != 0 &&
            subs[i] != descriptor[i].size / unit) {
            message_differs(message, arg, "a count of a region");
        }
    }
}

void
message_gives(const struct message *message, unsigned int index,
              const void *place, size_t size, const struct value *more,
              const uint32_t *room)
{
    const struct harness_arg *arg = &message->routine->args[index];
    uint32_t used = arg->count;

    if (arg->counter >= 0) {
        used = message_word(
            message, message_find(message, arg->counter, HARNESS_FIELD_COUNT));

        if (arg->counter == (int)index && more->count != used) {
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
        message_gives_ports(message, index, place, used, more->poly);
        break;
    case HARNESS_FORM_OOLS:
    case HARNESS_FORM_VOOLS:
        message_gives_row(message, index, place, more->subs, used);
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
