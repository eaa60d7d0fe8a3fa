/* SPDX-License-Identifier: MIT */
/*
 * The protected payload of each of the server's ports: what kind of port, and
 * which. A process is named by number and generation, never by address.
 */

#ifndef UNIX_PAYLOAD_H
#define UNIX_PAYLOAD_H

#include <stdint.h>

#define PAYLOAD_PROCESS 1u
#define PAYLOAD_GENERATION_MAX 0x00ffffffu

static inline uint64_t
payload_make(uint32_t kind, uint32_t generation, int index)
{
    return (uint64_t)kind << 56 | (uint64_t)generation << 32 | (uint32_t)index;
}

static inline uint32_t
payload_kind(uint64_t payload)
{
    return (uint32_t)(payload >> 56);
}

static inline uint32_t
payload_generation(uint64_t payload)
{
    return (uint32_t)(payload >> 32) & PAYLOAD_GENERATION_MAX;
}

static inline int
payload_index(uint64_t payload)
{
    return (int)(uint32_t)payload;
}

#endif /* UNIX_PAYLOAD_H */
