/* SPDX-License-Identifier: MIT */
/* Frames of the run channel (docs/channel.md): cut from a stream, and built. */

#ifndef PROGRAMS_INIT_FRAME_H
#define PROGRAMS_INIT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unix/channel.h>

/* A window's worth of frames, and the rest of what one read may bring. */
#define FRAME_BUFFER (2 * CHANNEL_WINDOW)

struct frame {
    uint8_t type;
    uint8_t flags;
    uint32_t length;
    const uint8_t *payload; /* good until the frame is dropped */
};

/* What came and has not been dealt with. */
struct frame_input {
    bool synced; /* the first good HELLO was seen */
    size_t size;
    uint8_t buffer[FRAME_BUFFER];
};

enum frame_result {
    FRAME_NONE, /* not all of it is there */
    FRAME_GOOD,
    FRAME_BAD, /* damaged: the session cannot go on */
};

/* Where the next bytes go, and how many fit. */
uint8_t *frame_room(struct frame_input *input, size_t *sizep);
void frame_add(struct frame_input *input, size_t size);

/* Look at the next frame; drop takes it away. */
enum frame_result frame_peek(struct frame_input *input, struct frame *frame);
void frame_drop(struct frame_input *input, const struct frame *frame);

/* Bytes that a frame takes on the line. */
size_t frame_size(const struct frame *frame);

/* Put a frame's header before its payload. */
void frame_header(struct channel_header *header, uint8_t type,
                  const void *payload, uint32_t length);

#endif /* PROGRAMS_INIT_FRAME_H */
