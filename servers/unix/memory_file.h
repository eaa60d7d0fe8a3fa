/* SPDX-License-Identifier: MIT */
/*
 * The data of a file in memory: a VM object held through a memory-entry port,
 * of which the server maps a window. What is mapped into programs (exec) is
 * the same memory.
 *
 * A file from the boot archive stays there until it is written or mapped.
 *
 * The memory of all files together is bounded, so that users can't take the
 * frames that the servers need.
 */

#ifndef UNIX_MEMORY_FILE_H
#define UNIX_MEMORY_FILE_H

#include <stdint.h>

#include <mach/port.h>

#include "server.h"

#define MEMORY_FILE_MAX (1024UL * 1024 * 1024)

struct memory_file {
    const uint8_t *archive; /* not null: the data is there */
    mach_port_t entry;      /* null: no memory yet */
    uint8_t *window;        /* the first window_size bytes, mapped */
    uint64_t window_size;
    uint64_t size;
    uint64_t charged; /* bytes of the bound that this file uses */
};

void memory_file_init(struct memory_file *file);
void memory_file_fini(struct memory_file *file);

/* Bytes of the boot archive; the file is empty so far. */
void memory_file_archive(struct memory_file *file, const uint8_t *data,
                         uint64_t size);

/* Where the bytes from `offset` on are; offset < size. */
const uint8_t *
memory_file_data(const struct memory_file *file, uint64_t offset);

/* Make [offset, offset + length) writable memory, making the file larger as
 * needed. EFBIG, ENOSPC. */
MUST_CHECK int memory_file_prepare(struct memory_file *file, uint64_t offset,
                                   uint64_t length, uint8_t **datap);

/* EFBIG, ENOSPC. */
int memory_file_truncate(struct memory_file *file, uint64_t size);

/* The memory-entry port; it stays the file's. ENOSPC. */
MUST_CHECK int memory_file_entry(struct memory_file *file, mach_port_t *entryp);

/* Bytes that files may use, and do use. */
void memory_file_limit(uint64_t bytes);
void memory_file_usage(uint64_t *limitp, uint64_t *usedp);

#endif /* UNIX_MEMORY_FILE_H */
