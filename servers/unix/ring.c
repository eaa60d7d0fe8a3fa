/* SPDX-License-Identifier: MIT */
/* A ring buffer of bytes. The two counters only grow, so empty and full are
 * told apart without a flag. */

#include <assert.h>
#include <string.h>

#include "ring.h"

void
ring_init(struct ring *ring, uint8_t *data, size_t size)
{
    assert(size != 0 && (size & (size - 1)) == 0);
    ring->data = data;
    ring->size = size;
    ring->head = 0;
    ring->tail = 0;
}

size_t
ring_peek(const struct ring *ring, uint8_t **datap)
{
    size_t offset = ring->tail & (ring->size - 1);
    size_t used = ring_used(ring);
    size_t straight = ring->size - offset;

    *datap = ring->data + offset;
    return used < straight ? used : straight;
}

size_t
ring_reserve(const struct ring *ring, uint8_t **datap)
{
    size_t offset = ring->head & (ring->size - 1);
    size_t room = ring_room(ring);
    size_t straight = ring->size - offset;

    *datap = ring->data + offset;
    return room < straight ? room : straight;
}

void
ring_consume(struct ring *ring, size_t size)
{
    assert(size <= ring_used(ring));
    ring->tail += size;
}

void
ring_commit(struct ring *ring, size_t size)
{
    assert(size <= ring_room(ring));
    ring->head += size;
}

size_t
ring_put(struct ring *ring, const void *data, size_t size)
{
    const uint8_t *from = data;
    size_t done = 0;

    while (done < size) {
        uint8_t *to;
        size_t piece = ring_reserve(ring, &to);

        if (piece == 0) {
            break;
        }

        if (piece > size - done) {
            piece = size - done;
        }

        memcpy(to, from + done, piece);
        ring_commit(ring, piece);
        done += piece;
    }

    return done;
}

size_t
ring_get(struct ring *ring, void *data, size_t size)
{
    uint8_t *to = data;
    size_t done = 0;

    while (done < size) {
        uint8_t *from;
        size_t piece = ring_peek(ring, &from);

        if (piece == 0) {
            break;
        }

        if (piece > size - done) {
            piece = size - done;
        }

        memcpy(to + done, from, piece);
        ring_consume(ring, piece);
        done += piece;
    }

    return done;
}
