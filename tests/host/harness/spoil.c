/* SPDX-License-Identifier: MIT */
/*
 * Every field gets values at its limits, one at a time; every size is tried;
 * then words are changed at random, several at once, and all at once.
 *
 * A message has the size that its header says, as every received message
 * has; `intact' tells whether the receiver may still destroy it by its
 * descriptors.
 */

#include <string.h>

#include "engine.h"

#define SPOIL_SIZES_MAX 600
#define SPOIL_WORDS 24

static const struct message *spoil_good;
static uint32_t spoil_size_max;
static spoil_fn_t spoil_visit;
static uint8_t spoil_bytes[ENGINE_BUFFER_SIZE];

/* Where descriptors end. */
static uint32_t
spoil_descriptors_end(const struct message *message)
{
    const struct harness_field *field = message->layout->fields;
    uint32_t end = message->layout->complex ? 28 : 24;

    for (; field->kind <= HARNESS_FIELD_OOLS; field++) {
        end = field->offset + field->size;
    }

    return end;
}

static void
spoil_begin(struct message *message)
{
    *message = *spoil_good;
    message->bytes = spoil_bytes;
    memcpy(spoil_bytes, spoil_good->bytes, spoil_good->size);
}

static void
spoil_end(struct message *message)
{
    mach_msg_header_t *head = (void *)message->bytes;
    uint32_t end = spoil_descriptors_end(message);
    mach_msg_bits_t bits;
    bool intact;

    if (message->size > spoil_size_max) {
        message->size = spoil_size_max;
    }

    head->msgh_size = message->size;
    memcpy(&bits, spoil_good->bytes, sizeof(bits));
    intact = !((bits ^ head->msgh_bits) & MACH_MSGH_BITS_COMPLEX) &&
             message->size >= end &&
             memcmp(message->bytes + 24, spoil_good->bytes + 24, end - 24) == 0;
    spoil_visit(message, intact);
}

static void
spoil_word(uint32_t place, uint32_t value)
{
    struct message message;
    uint32_t word;

    spoil_begin(&message);
    memcpy(&word, message.bytes + place, sizeof(word));

    if (word != value) {
        memcpy(message.bytes + place, &value, sizeof(value));
        spoil_end(&message);
    }
}

static void
spoil_byte(uint32_t place, uint8_t value)
{
    struct message message;

    spoil_begin(&message);

    if (message.bytes[place] != value) {
        message.bytes[place] = value;
        spoil_end(&message);
    }
}

static void
spoil_number(uint32_t place, uint32_t max)
{
    uint32_t word;

    memcpy(&word, spoil_good->bytes + place, sizeof(word));

    const uint32_t values[] = {
        0,          1,          word - 1,          word + 1,   word + 4,
        max,        max + 1,    word + 0x40000000, 0x7fffffff, 0x80000000,
        0x80000001, 0xffffffff, word + 0x80000000, 0xfffffffc, word ^ 4,
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        spoil_word(place, values[i]);
    }
}

/* The last word of all descriptors but a port's holds a size. */
static void
spoil_descriptor(uint32_t place, bool port, uint32_t max)
{
    uint32_t info = port ? 8 : 8;

    for (unsigned int value = 0; value < 26; value++) {
        spoil_byte(place + info + 2, (uint8_t)value);
    }

    for (unsigned int value = 0; value < 6; value++) {
        spoil_byte(place + info + 3, (uint8_t)value);
    }

    spoil_byte(place + info + 2, 0xff);
    spoil_byte(place + info + 3, 0xff);
    spoil_byte(place + info, 2);
    spoil_byte(place + info + 1, 2);
    spoil_number(place, 0);
    spoil_number(place + 4, 0);

    if (!port) {
        spoil_number(place + 12, max);
    }
}

static void
spoil_string(uint32_t place, uint32_t size)
{
    struct message message;

    spoil_begin(&message);
    memset(message.bytes + place, 'x', size);
    spoil_end(&message);
    spoil_byte(place, 0);
    spoil_byte(place + size - 1, 'x');
    spoil_byte(place + size - 1, 0);
}

static void
spoil_field(const struct harness_field *field, uint32_t place)
{
    const struct harness_routine *routine = spoil_good->routine;
    const struct harness_arg *arg;
    uint32_t count;

    arg = (field->arg < 0) ? NULL : &routine->args[field->arg];

    switch (field->kind) {
    case HARNESS_FIELD_PORT:
    case HARNESS_FIELD_PORTS:
        for (uint32_t i = 0; i < field->number && i < 8; i++) {
            spoil_descriptor(place + 12 * i, true, 0);
        }

        if (field->number > 1) {
            spoil_descriptor(place + 12 * (field->number - 1), true, 0);
        }

        break;
    case HARNESS_FIELD_OOL:
    case HARNESS_FIELD_OOL_PORTS:
        spoil_descriptor(place, false, arg->count * arg->unit);
        break;
    case HARNESS_FIELD_OOLS:
        for (uint32_t i = 0; i < field->number && i < 4; i++) {
            spoil_descriptor(place + 16 * i, false, arg->each * arg->unit);
        }

        break;
    case HARNESS_FIELD_STRING:
        spoil_string(place, field->size);
        break;
    case HARNESS_FIELD_VSTRING:
        memcpy(&count, spoil_good->bytes + place - 4, sizeof(count));
        spoil_string(place, count);
        break;
    case HARNESS_FIELD_COUNT:
    case HARNESS_FIELD_CAPACITY:
        spoil_number(place, (arg->form == HARNESS_FORM_VSTRING)
                                ? arg->count
                                : message_count_max(routine, field->arg));
        break;
    case HARNESS_FIELD_NDR:
    case HARNESS_FIELD_RETCODE:
    case HARNESS_FIELD_OFFSET:
        spoil_number(place, 0);
        break;
    default:
        break;
    }
}

static void
spoil_sizes(void)
{
    struct message message;
    uint32_t size, most, step;

    most = spoil_good->layout->max_size + 13;

    if (most < spoil_good->size + 13) {
        most = spoil_good->size + 13;
    }

    step = 1 + (most - 24) / SPOIL_SIZES_MAX;

    for (size = 24; size <= most; size += 1 + engine_below(2 * step - 1)) {
        spoil_begin(&message);
        engine_fill(message.bytes + spoil_good->size,
                    (size > spoil_good->size) ? size - spoil_good->size : 0);
        message.size = size;
        spoil_end(&message);
    }

    for (size = spoil_good->size - 5; size <= spoil_good->size + 5; size++) {
        if (size >= 24) {
            spoil_begin(&message);
            memset(message.bytes + spoil_good->size, 0, 5);
            message.size = size;
            spoil_end(&message);
        }
    }
}

static void
spoil_at_random(unsigned int words)
{
    struct message message;
    uint32_t place, value;

    spoil_begin(&message);

    for (unsigned int i = 0; i < words; i++) {
        place = 24 + 4 * engine_below((spoil_good->size - 24) / 4);
        value = engine_random();

        if (engine_below(2) == 0) {
            value >>= engine_below(32);
        }

        if (place + 4 <= spoil_good->size) {
            memcpy(message.bytes + place, &value, sizeof(value));
        }
    }

    if (engine_below(4) == 0) {
        message.size = 24 + engine_below(spoil_good->size);
    }

    spoil_end(&message);
}

/* Only the header is right, and sometimes the number of descriptors. */
static void
spoil_garbage(void)
{
    struct message message;

    spoil_begin(&message);
    engine_fill(message.bytes + 24, spoil_good->layout->max_size + 40);

    if (engine_below(2) == 0) {
        memcpy(message.bytes + 24, &spoil_good->layout->descriptors, 4);
    }

    message.size = 24 + engine_below(spoil_good->layout->max_size + 16);

    if (engine_below(2) == 0) {
        message.size = spoil_good->size;
    }

    spoil_end(&message);
}

void
spoil_all(const struct message *good, uint32_t size_max, spoil_fn_t visit)
{
    const struct harness_field *field = good->layout->fields;
    uint32_t bits;

    spoil_good = good;
    spoil_size_max = size_max;
    spoil_visit = visit;
    memcpy(&bits, good->bytes, sizeof(bits));
    spoil_word(0, bits ^ MACH_MSGH_BITS_COMPLEX);

    if (good->layout->complex) {
        spoil_number(24, 256);
    }

    for (unsigned int i = 0; field->kind != HARNESS_FIELD_END; i++, field++) {
        spoil_field(field, good->places.at[i]);
    }

    spoil_sizes();

    for (unsigned int i = 0; i < SPOIL_WORDS && good->size > 24; i++) {
        spoil_word(24 + 4 * engine_below((good->size - 24) / 4),
                   engine_random());
    }

    for (unsigned int i = 0; i < engine_rounds && good->size > 24; i++) {
        spoil_at_random(1 + engine_below(4));
        spoil_garbage();
    }
}
