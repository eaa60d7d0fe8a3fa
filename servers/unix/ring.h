/* SPDX-License-Identifier: MIT */
/* A ring buffer of bytes: what pipes and terminals hold. */

#ifndef UNIX_RING_H
#define UNIX_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    uint8_t *data;
    size_t size; /* a power of two */
    size_t head; /* bytes ever put in */
    size_t tail; /* bytes ever taken out; head - tail <= size */
};

/* data: caller's memory of `size` bytes. */
void ring_init(struct ring *ring, uint8_t *data, size_t size);

static inline size_t
ring_used(const struct ring *ring)
{
    return ring->head - ring->tail;
}

static inline size_t
ring_room(const struct ring *ring)
{
    return ring->size - ring_used(ring);
}

/* The longest piece of memory that the next bytes are in, or go to. */
size_t ring_peek(const struct ring *ring, uint8_t **datap);
size_t ring_reserve(const struct ring *ring, uint8_t **datap);

/* So many of those bytes were taken, or were put there. */
void ring_consume(struct ring *ring, size_t size);
void ring_commit(struct ring *ring, size_t size);

/* Copy as much as fits: the number of bytes. */
size_t ring_put(struct ring *ring, const void *data, size_t size);
size_t ring_get(struct ring *ring, void *data, size_t size);

#endif /* UNIX_RING_H */
