/* SPDX-License-Identifier: MIT */
/* What the parts of the model ask of a message and its tables. */

#ifndef TESTS_HOST_HARNESS_MESSAGE_I_H
#define TESTS_HOST_HARNESS_MESSAGE_I_H

#include <string.h>

#include "engine.h"

static inline const struct harness_arg *
message_arg(const struct message *message, const struct harness_field *field)
{
    return (field->arg < 0) ? NULL : &message->routine->args[field->arg];
}

static inline void *
message_at(const struct message *message, uint32_t place)
{
    return message->bytes + place;
}

static inline uint32_t
message_word(const struct message *message, uint32_t place)
{
    uint32_t word;

    memcpy(&word, message->bytes + place, sizeof(word));
    return word;
}

static inline bool
message_has(const struct message *message, const struct harness_arg *arg)
{
    return (arg->flags & (message->reply ? HARNESS_OUT : HARNESS_IN)) != 0;
}

/* Dispositions that a field must have; 0: any. */
static inline unsigned int
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

static inline uint32_t
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

/* The place of the argument's field of that kind. */
static inline uint32_t
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

/* Something is not what was passed. */
void message_differs(const struct message *message,
                     const struct harness_arg *arg, const char *what);

#endif /* TESTS_HOST_HARNESS_MESSAGE_I_H */
