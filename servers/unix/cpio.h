/* SPDX-License-Identifier: MIT */
/* Reader of archives in the `newc` format of cpio. */

#ifndef UNIX_CPIO_H
#define UNIX_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpio_entry {
    const char *name; /* in the archive, with its 0 byte */
    const uint8_t *data;
    uint64_t size;
    uint32_t ino;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t nlink;
    uint32_t mtime;
    uint32_t rdev_major;
    uint32_t rdev_minor;
};

enum cpio_result {
    CPIO_ENTRY,
    CPIO_END,
    CPIO_BAD, /* not an archive, or cut off */
};

/* The entry at *offsetp, which then is the next one's. */
enum cpio_result cpio_next(const void *archive, size_t size, size_t *offsetp,
                           struct cpio_entry *entry);

#endif /* UNIX_CPIO_H */
