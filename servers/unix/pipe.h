/* SPDX-License-Identifier: MIT */
/* Pipes, with and without a name. */

#ifndef UNIX_PIPE_H
#define UNIX_PIPE_H

#include "file.h"

/* Two open files. flags: UNIX_O_NONBLOCK. ENFILE. */
MUST_CHECK int
pipe_create(uint32_t flags, struct file **readp, struct file **writep);

/* A FIFO, opened. ENXIO: to write, without waiting, and nobody reads. */
MUST_CHECK int
pipe_open_fifo(struct vnode *vnode, uint32_t flags, struct file **filep);

/* Has the other side of a FIFO been opened? True of every other file. */
bool pipe_open_complete(const struct file *file);

#endif /* UNIX_PIPE_H */
