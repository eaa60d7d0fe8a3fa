/* SPDX-License-Identifier: MIT */
/*
 * Random bytes: SipHash-2-4 under the key that exec left with the program,
 * of a counter, the process and the time-stamp counter. A child of fork() has
 * another pid, so the streams part.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

#define ENTROPY_MAX 256 /* of getentropy() */

static uint64_t entropy_count;

static uint64_t
rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t
sip_hash(const uint64_t key[2], const uint64_t *words, size_t count)
{
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575UL,
                      key[1] ^ 0x646f72616e646f6dUL,
                      key[0] ^ 0x6c7967656e657261UL,
                      key[1] ^ 0x7465646279746573UL };

    for (size_t i = 0; i < count; i++) {
        v[3] ^= words[i];
        sip_round(v);
        sip_round(v);
        v[0] ^= words[i];
    }

    v[2] ^= 0xff;

    for (int i = 0; i < 4; i++) {
        sip_round(v);
    }

    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int
getentropy(void *buf, size_t size)
{
    uint64_t words[3], key[2], value;
    uint32_t low, high;
    size_t part;

    if (size > ENTROPY_MAX || unix_random == NULL) {
        errno = EIO;
        return -1;
    }

    memcpy(key, unix_random, sizeof(key));

    for (size_t done = 0; done < size; done += part) {
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        words[0] = __atomic_add_fetch(&entropy_count, 1, __ATOMIC_RELAXED);
        words[1] = (uint64_t)getpid();
        words[2] = low | ((uint64_t)high << 32);
        value = sip_hash(key, words, 3);
        part = (size - done < sizeof(value)) ? size - done : sizeof(value);
        memcpy((char *)buf + done, &value, part);
    }

    return 0;
}
