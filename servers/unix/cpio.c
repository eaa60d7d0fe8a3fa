/* SPDX-License-Identifier: MIT */
/*
 * Reader of `newc` archives: a header of 110 characters with thirteen numbers
 * of eight hexadecimal digits, the name, the data, each filled up to a
 * multiple of 4. Nothing outside of the archive is ever read, whatever the
 * numbers say.
 */

#include <string.h>

#include "cpio.h"

#define CPIO_HEADER 110
#define CPIO_FIELDS 13

enum {
    CPIO_INO,
    CPIO_MODE,
    CPIO_UID,
    CPIO_GID,
    CPIO_NLINK,
    CPIO_MTIME,
    CPIO_FILESIZE,
    CPIO_DEVMAJOR,
    CPIO_DEVMINOR,
    CPIO_RDEVMAJOR,
    CPIO_RDEVMINOR,
    CPIO_NAMESIZE,
    CPIO_CHECK,
};

static bool
cpio_number(const uint8_t *text, uint32_t *valuep)
{
    uint32_t value = 0;
    int i;

    for (i = 0; i < 8; i++) {
        uint8_t c = text[i];
        uint32_t digit;

        if (c >= '0' && c <= '9') {
            digit = c - '0';
        } else if (c >= 'a' && c <= 'f') {
            digit = c - 'a' + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = c - 'A' + 10;
        } else {
            return false;
        }

        value = value << 4 | digit;
    }

    *valuep = value;
    return true;
}

static bool
cpio_header(const uint8_t *header, uint32_t fields[CPIO_FIELDS])
{
    int i;

    if (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0) {
        return false;
    }

    for (i = 0; i < CPIO_FIELDS; i++) {
        if (!cpio_number(header + 6 + 8 * i, &fields[i])) {
            return false;
        }
    }

    return true;
}

static void
cpio_fill(struct cpio_entry *entry, const uint32_t fields[CPIO_FIELDS])
{
    entry->size = fields[CPIO_FILESIZE];
    entry->ino = fields[CPIO_INO];
    entry->mode = fields[CPIO_MODE];
    entry->uid = fields[CPIO_UID];
    entry->gid = fields[CPIO_GID];
    entry->nlink = fields[CPIO_NLINK];
    entry->mtime = fields[CPIO_MTIME];
    entry->rdev_major = fields[CPIO_RDEVMAJOR];
    entry->rdev_minor = fields[CPIO_RDEVMINOR];
}

enum cpio_result
cpio_next(const void *archive, size_t size, size_t *offsetp,
          struct cpio_entry *entry)
{
    const uint8_t *bytes = archive;
    uint32_t fields[CPIO_FIELDS];
    size_t offset = *offsetp;
    size_t name_size;
    size_t data;

    if (offset > size || size - offset < CPIO_HEADER ||
        !cpio_header(bytes + offset, fields)) {
        return CPIO_BAD;
    }

    name_size = fields[CPIO_NAMESIZE];
    offset += CPIO_HEADER;

    if (name_size == 0 || name_size > size - offset ||
        bytes[offset + name_size - 1] != '\0') {
        return CPIO_BAD;
    }

    entry->name = (const char *)bytes + offset;
    data = (offset + name_size + 3) & ~(size_t)3;
    cpio_fill(entry, fields);

    if (strcmp(entry->name, "TRAILER!!!") == 0) {
        return CPIO_END;
    }

    if (data > size || entry->size > size - data) {
        return CPIO_BAD;
    }

    entry->data = bytes + data;
    *offsetp = (data + entry->size + 3) & ~(size_t)3;
    return CPIO_ENTRY;
}
