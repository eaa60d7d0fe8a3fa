/* SPDX-License-Identifier: MIT */
/*
 * Random bytes: ChaCha20's block function (RFC 8439) over a state that is
 * stirred by what nobody outside can foresee, and that forgets its past after
 * each use. On a machine with no source of its own the first bytes after boot
 * are only as good as the arrival of interrupts.
 */

#include <string.h>

#include "server.h"

#define RANDOM_WORDS 16
#define RANDOM_ROUNDS 10
#define RANDOM_KEY 4 /* words 4 to 11 */

static uint32_t random_state[RANDOM_WORDS] = {
    0x61707865,
    0x3320646e,
    0x79622d32,
    0x6b206574,
};

static uint32_t
random_rotate(uint32_t value, int count)
{
    return value << count | value >> (32 - count);
}

static void
random_quarter(uint32_t *x, int a, int b, int c, int d)
{
    x[a] += x[b];
    x[d] = random_rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = random_rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = random_rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = random_rotate(x[b] ^ x[c], 7);
}

static void
random_block(uint32_t *block)
{
    int i;

    memcpy(block, random_state, sizeof(random_state));

    for (i = 0; i < RANDOM_ROUNDS; i++) {
        random_quarter(block, 0, 4, 8, 12);
        random_quarter(block, 1, 5, 9, 13);
        random_quarter(block, 2, 6, 10, 14);
        random_quarter(block, 3, 7, 11, 15);
        random_quarter(block, 0, 5, 10, 15);
        random_quarter(block, 1, 6, 11, 12);
        random_quarter(block, 2, 7, 8, 13);
        random_quarter(block, 3, 4, 9, 14);
    }

    for (i = 0; i < RANDOM_WORDS; i++) {
        block[i] += random_state[i];
    }

    random_state[12]++;
    random_state[13] += random_state[12] == 0;
}

/* A new key from the generator itself. */
static void
random_rekey(void)
{
    uint32_t block[RANDOM_WORDS];

    random_block(block);
    memcpy(&random_state[RANDOM_KEY], block, 32);
    memset(block, 0, sizeof(block));
}

void
random_stir(uint64_t word)
{
    random_state[14] ^= (uint32_t)word;
    random_state[15] ^= (uint32_t)(word >> 32);
    random_rekey();
}

void
random_fill(void *data, size_t size)
{
    uint32_t block[RANDOM_WORDS];
    uint8_t *to = data;

    while (size != 0) {
        size_t piece = size < sizeof(block) ? size : sizeof(block);

        random_block(block);
        memcpy(to, block, piece);
        to += piece;
        size -= piece;
    }

    memset(block, 0, sizeof(block));
    random_rekey();
}
