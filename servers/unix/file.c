/* SPDX-License-Identifier: MIT */
/* Open files, and the kind that a file system's files are. */

#include <stdlib.h>

#include "device.h"
#include "file.h"
#include "pipe.h"
#include "process.h"
#include "signal_delivery.h"
#include "vnode.h"

#define FILES_MAX 8192

static uint32_t file_count;

struct file *
file_create(const struct file_ops *ops, uint32_t flags)
{
    struct file *file;

    if (file_count == FILES_MAX) {
        return NULL;
    }

    file = calloc(1, sizeof(*file));

    if (file == NULL) {
        return NULL;
    }

    file->ops = ops;
    file->refs = 1;
    file->flags = flags;
    file_count++;
    return file;
}

struct file *
file_ref(struct file *file)
{
    file->refs++;
    return file;
}

void
file_unref(struct file *file)
{
    file->refs--;

    if (file->refs != 0) {
        return;
    }

    if (file->ops->close != NULL) {
        file->ops->close(file);
    }

    vnode_unref(file->vnode);
    file_count--;
    free(file);
}

int
file_poll_ready(struct file *file)
{
    (void)file;
    return UNIX_POLLIN | UNIX_POLLRDNORM | UNIX_POLLOUT | UNIX_POLLWRNORM;
}

struct wait_queue *
file_queue_none(struct file *file, bool write)
{
    (void)file;
    (void)write;
    return NULL;
}

/* -- Files and directories ------------------------------------------------- */

static int
vnode_file_read(struct file *file, struct io *io)
{
    struct vnode *vnode = file->vnode;

    if (vnode_is_directory(vnode)) {
        return EISDIR;
    }

    vnode_touch(vnode, VNODE_ATIME);
    return vnode->ops->read(vnode, io);
}

/* RLIMIT_FSIZE: write what is below it, at least one byte or nothing. */
static int
vnode_file_limit(struct io *io)
{
    uint64_t limit = io->process->limits[UNIX_RLIMIT_FSIZE].cur;
    uint64_t offset = (uint64_t)io->offset;

    if (limit == UNIX_RLIM_INFINITY || offset + io_left(io) <= limit) {
        return 0;
    }

    if (offset >= limit) {
        signal_post_kernel(io->process, UNIX_SIGXFSZ);
        return EFBIG;
    }

    io->size = io->done + (limit - offset);
    return 0;
}

static int
vnode_file_write(struct file *file, struct io *io)
{
    struct vnode *vnode = file->vnode;
    int error;

    if ((file->flags & UNIX_O_APPEND) != 0) {
        io->offset = (int64_t)vnode->size;
    }

    error = vnode_file_limit(io);

    if (error == 0) {
        error = vnode->ops->write(vnode, io);
    }

    if (io->done != 0) {
        vnode_written(vnode, &io->process->cred);
    }

    return error;
}

static int64_t
vnode_file_available(struct file *file)
{
    int64_t left = (int64_t)file->vnode->size - file->offset;

    return left > 0 ? left : 0;
}

static void
vnode_file_close(struct file *file)
{
    if (file_writable(file)) {
        file->vnode->writers--;
    }
}

static const struct file_ops vnode_file_ops = {
    .read = vnode_file_read,
    .write = vnode_file_write,
    .poll = file_poll_ready,
    .queue = file_queue_none,
    .available = vnode_file_available,
    .close = vnode_file_close,
    .seekable = true,
};

static int
vnode_file_open(struct vnode *vnode, uint32_t flags, struct file **filep)
{
    struct file *file;
    bool write = (flags & UNIX_O_ACCMODE) != UNIX_O_RDONLY;

    if (write && vnode->programs != 0) {
        return ETXTBSY;
    }

    file = file_create(&vnode_file_ops, flags);

    if (file == NULL) {
        return ENFILE;
    }

    file->vnode = vnode_ref(vnode);
    vnode->writers += write;
    *filep = file;
    return 0;
}

int
file_open(struct process *process, struct vnode *vnode, uint32_t flags,
          struct file **filep)
{
    flags &= UNIX_O_ACCMODE | UNIX_O_APPEND | UNIX_O_NONBLOCK | UNIX_O_SYNC |
             UNIX_O_NOCTTY;

    switch (vnode_type(vnode)) {
    case UNIX_S_IFREG:
    case UNIX_S_IFDIR:
        return vnode_file_open(vnode, flags, filep);
    case UNIX_S_IFCHR:
        return device_open_file(process, vnode, flags, filep);
    case UNIX_S_IFIFO:
        return pipe_open_fifo(vnode, flags, filep);
    case UNIX_S_IFLNK:
        return ELOOP;
    default:
        return ENXIO;
    }
}

/* -- Reading and writing --------------------------------------------------- */

/* Take the offset from the file unless the call brings its own. */
static int
file_begin(struct file *file, struct io *io, bool *ownp)
{
    *ownp = io->offset != UNIX_OFFSET_CURRENT;

    if (!*ownp) {
        io->offset = file->offset;
        return 0;
    }

    if (!file->ops->seekable) {
        return ESPIPE;
    }

    return io->offset < 0 ? EINVAL : 0;
}

static void
file_end(struct file *file, struct io *io, bool own, uint64_t before)
{
    if (own) {
        return;
    }

    if (file->ops->seekable) {
        file->offset = io->offset + (int64_t)(io->done - before);
    }

    io->offset = UNIX_OFFSET_CURRENT;
}

int
file_read(struct file *file, struct io *io)
{
    uint64_t before = io->done;
    bool own;
    int error;

    if (!file_readable(file)) {
        return EBADF;
    }

    error = file_begin(file, io, &own);

    if (error != 0) {
        return error;
    }

    error = io_left(io) == 0 ? 0 : file->ops->read(file, io);
    file_end(file, io, own, before);
    return error;
}

int
file_write(struct file *file, struct io *io)
{
    uint64_t before = io->done;
    bool own;
    int error;

    if (!file_writable(file)) {
        return EBADF;
    }

    error = file_begin(file, io, &own);

    if (error != 0) {
        return error;
    }

    error = io_left(io) == 0 ? 0 : file->ops->write(file, io);
    file_end(file, io, own, before);
    return error;
}
