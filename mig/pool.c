/*
 * SPDX-License-Identifier: MIT
 *
 * A list of blocks, kept only so that a leak checker sees them released.
 */

#include "pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_block {
    struct pool_block *next;
    max_align_t data[];
};

static struct pool_block *pool_blocks;

void *
pool_alloc(size_t size)
{
    struct pool_block *block;

    block = calloc(1, sizeof(*block) + size);

    if (block == NULL) {
        fprintf(stderr, "migcom: out of memory\n");
        exit(1);
    }

    block->next = pool_blocks;
    pool_blocks = block;
    return block->data;
}

char *
pool_strndup(const char *text, size_t length)
{
    char *copy;

    copy = pool_alloc(length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *
pool_vprintf(const char *format, va_list args)
{
    va_list again;
    char *text;
    int length;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    text = pool_alloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *
pool_printf(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = pool_vprintf(format, args);
    va_end(args);
    return text;
}

void
pool_fini(void)
{
    struct pool_block *block;

    while (pool_blocks != NULL) {
        block = pool_blocks;
        pool_blocks = block->next;
        free(block);
    }
}
