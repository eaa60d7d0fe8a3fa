/* SPDX-License-Identifier: MIT */
/*
 * An open file: what descriptors refer to, shared after dup and fork. What is
 * behind it (a file, pipe, terminal, device) is in its operations.
 *
 * References: descriptors, and calls that wait for it.
 */

#ifndef UNIX_FILE_INTERNAL_H
#define UNIX_FILE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "call.h"
#include "io.h"

struct file;
struct process;
struct tty;
struct vnode;

struct file_ops {
    /* EAGAIN: it would have to wait, on queue(file, write). A write may have
     * moved some bytes (io->done) when it says so. */
    int (*read)(struct file *file, struct io *io);
    int (*write)(struct file *file, struct io *io);
    /* UNIX_POLL* of what is true now. */
    int (*poll)(struct file *file);
    struct wait_queue *(*queue)(struct file *file, bool write);
    /* Bytes to read without waiting. May be null: 0. */
    int64_t (*available)(struct file *file);
    /* The last reference goes. May be null. */
    void (*close)(struct file *file);
    bool seekable;
};

struct file {
    const struct file_ops *ops;
    uint32_t refs;
    uint32_t flags; /* UNIX_O_ACCMODE, APPEND, NONBLOCK, SYNC, ... */
    int64_t offset;
    struct vnode *vnode; /* reference, or null: a pipe */
    void *object;        /* the pipe, terminal, ... */
    struct tty *tty;     /* if it is a terminal */
    int32_t owner;       /* F_SETOWN: kept, not used */
};

static inline bool
file_readable(const struct file *file)
{
    return (file->flags & UNIX_O_ACCMODE) != UNIX_O_WRONLY;
}

static inline bool
file_writable(const struct file *file)
{
    return (file->flags & UNIX_O_ACCMODE) != UNIX_O_RDONLY;
}

/* Null: no memory, or too many are open in the system. */
struct file *file_create(const struct file_ops *ops, uint32_t flags);
struct file *file_ref(struct file *file);
void file_unref(struct file *file);

/* An open file on a vnode: ETXTBSY, ENXIO (no such device), ENFILE, and
 * EAGAIN for a FIFO whose other side is not open yet. */
MUST_CHECK int file_open(struct process *process, struct vnode *vnode,
                         uint32_t flags, struct file **filep);

/* One attempt, with what all kinds of file share: offsets, access, limits. */
MUST_CHECK int file_read(struct file *file, struct io *io);
MUST_CHECK int file_write(struct file *file, struct io *io);

/* For files that are always ready. */
int file_poll_ready(struct file *file);
struct wait_queue *file_queue_none(struct file *file, bool write);

#endif /* UNIX_FILE_INTERNAL_H */
