/* SPDX-License-Identifier: MIT */
/* A file system in memory. */

#ifndef UNIX_TMPFS_H
#define UNIX_TMPFS_H

#include "vnode.h"

/* An empty one with a root directory of mode 0755; null: no memory. */
struct filesystem *tmpfs_create(const char *type, uint64_t dev);

/* Give a new, empty file the bytes of the boot archive. */
void tmpfs_archive(struct vnode *vnode, const uint8_t *data, uint64_t size);

#endif /* UNIX_TMPFS_H */
