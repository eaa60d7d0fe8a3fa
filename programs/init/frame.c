/* SPDX-License-Identifier: MIT */
/* Frames: pure, so that it is tested on the host too. */

#include <string.h>

#include "frame.h"

static uint32_t
crc32(uint32_t crc, const void *data, size_t size)
{
    static uint32_t table[256];
    const uint8_t *bytes = data;

    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;

            for (int bit = 0; bit < 8; bit++) {
                value = (value >> 1) ^ (value & 1 ? 0xedb88320u : 0);
            }

            table[i] = value;
        }
    }

    crc = ~crc;

    for (size_t i = 0; i < size; i++) {
        crc = (crc >> 8) ^ table[(crc ^ bytes[i]) & 0xff];
    }

    return ~crc;
}

static uint32_t
frame_checksum(const struct channel_header *header, const void *payload,
               uint32_t length)
{
    uint32_t crc = crc32(0, (const uint8_t *)header + 2, 6);

    return crc32(crc, payload, length);
}

uint8_t *
frame_room(struct frame_input *input, size_t *sizep)
{
    *sizep = sizeof(input->buffer) - input->size;
    return input->buffer + input->size;
}

void
frame_add(struct frame_input *input, size_t size)
{
    input->size += size;
}

static void
frame_discard(struct frame_input *input, size_t size)
{
    input->size -= size;
    memmove(input->buffer, input->buffer + size, input->size);
}

static enum frame_result
frame_decode(const struct frame_input *input, struct frame *frame)
{
    struct channel_header header;

    if (input->size < sizeof(header)) {
        return FRAME_NONE;
    }

    memcpy(&header, input->buffer, sizeof(header));

    if (header.magic[0] != CHANNEL_MAGIC_0 ||
        header.magic[1] != CHANNEL_MAGIC_1 ||
        header.length > CHANNEL_PAYLOAD_MAX ||
        (!input->synced && header.type != CHANNEL_HELLO)) {
        return FRAME_BAD;
    }

    if (input->size < sizeof(header) + header.length) {
        return FRAME_NONE;
    }

    frame->type = header.type;
    frame->flags = header.flags;
    frame->length = header.length;
    frame->payload = input->buffer + sizeof(header);

    if (frame_checksum(&header, frame->payload, header.length) !=
        header.checksum) {
        return FRAME_BAD;
    }

    return FRAME_GOOD;
}

enum frame_result
frame_peek(struct frame_input *input, struct frame *frame)
{
    for (;;) {
        enum frame_result result = frame_decode(input, frame);

        if (result == FRAME_GOOD) {
            input->synced = true;
            return result;
        }

        if (result == FRAME_NONE || input->synced) {
            return result;
        }

        /* Noise before the first HELLO. */
        frame_discard(input, 1);
    }
}

size_t
frame_size(const struct frame *frame)
{
    return sizeof(struct channel_header) + frame->length;
}

void
frame_drop(struct frame_input *input, const struct frame *frame)
{
    frame_discard(input, frame_size(frame));
}

void
frame_header(struct channel_header *header, uint8_t type, const void *payload,
             uint32_t length)
{
    header->magic[0] = CHANNEL_MAGIC_0;
    header->magic[1] = CHANNEL_MAGIC_1;
    header->type = type;
    header->flags = 0;
    header->length = length;
    header->checksum = frame_checksum(header, payload, length);
}
