/* SPDX-License-Identifier: MIT */
/*
 * One transfer of a read or write: where the program's bytes are. Short ones
 * are in the message, long ones in the program's memory; the file does not
 * see the difference.
 */

#ifndef UNIX_IO_H
#define UNIX_IO_H

#include <stddef.h>
#include <stdint.h>

#include "server.h"

struct process;

struct io {
    struct process *process;
    uint8_t *buffer;  /* of `size` bytes, or null */
    uint64_t address; /* in the process's memory, if buffer is null */
    uint64_t size;
    uint64_t done;  /* bytes moved so far */
    int64_t offset; /* UNIX_OFFSET_CURRENT or an offset in the file */
};

static inline uint64_t
io_left(const struct io *io)
{
    return io->size - io->done;
}

/* Move bytes on: to a reader, from a writer. size <= io_left(). EFAULT. */
MUST_CHECK int io_put(struct io *io, const void *data, size_t size);
MUST_CHECK int io_get(struct io *io, void *data, size_t size);

#endif /* UNIX_IO_H */
