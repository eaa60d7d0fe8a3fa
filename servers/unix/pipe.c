/* SPDX-License-Identifier: MIT */
/*
 * Pipes. Writes of at most PIPE_BUF bytes go in whole or wait. A FIFO's pipe
 * hangs on its vnode as long as either side is open.
 */

#include <stdlib.h>

#include "pipe.h"
#include "process.h"
#include "ring.h"
#include "signal_delivery.h"
#include "vnode.h"

#define PIPE_SIZE 16384
#define PIPES_MAX 1024

struct pipe {
    struct ring ring;
    uint32_t readers;
    uint32_t writers;
    uint32_t reader_opens; /* ever: so that a waiting open sees a short one */
    uint32_t writer_opens;
    struct wait_queue readable;
    struct wait_queue writable;
    struct vnode *fifo; /* no reference: its open files have one */
    uint8_t data[PIPE_SIZE];
};

static uint32_t pipe_count;

static struct pipe *
pipe_allocate(void)
{
    struct pipe *pipe;

    if (pipe_count == PIPES_MAX) {
        return NULL;
    }

    pipe = malloc(sizeof(*pipe));

    if (pipe == NULL) {
        return NULL;
    }

    ring_init(&pipe->ring, pipe->data, PIPE_SIZE);
    pipe->readers = 0;
    pipe->writers = 0;
    pipe->reader_opens = 0;
    pipe->writer_opens = 0;
    pipe->fifo = NULL;
    wait_queue_init(&pipe->readable);
    wait_queue_init(&pipe->writable);
    pipe_count++;
    return pipe;
}

static void
pipe_free(struct pipe *pipe)
{
    if (pipe->readers != 0 || pipe->writers != 0) {
        return;
    }

    if (pipe->fifo != NULL) {
        pipe->fifo->fifo = NULL;
    }

    pipe_count--;
    free(pipe);
}

static int
pipe_read(struct file *file, struct io *io)
{
    struct pipe *pipe = file->object;
    int error = 0;

    if (ring_used(&pipe->ring) == 0) {
        return pipe->writers == 0 ? 0 : EAGAIN;
    }

    while (error == 0 && io_left(io) != 0 && ring_used(&pipe->ring) != 0) {
        uint8_t *data;
        size_t size = ring_peek(&pipe->ring, &data);

        if (size > io_left(io)) {
            size = io_left(io);
        }

        error = io_put(io, data, size);

        if (error == 0) {
            ring_consume(&pipe->ring, size);
        }
    }

    wait_queue_wake(&pipe->writable);
    return error;
}

static int
pipe_write(struct file *file, struct io *io)
{
    struct pipe *pipe = file->object;
    int error = 0;

    if (pipe->readers == 0) {
        signal_post_kernel(io->process, UNIX_SIGPIPE);
        return EPIPE;
    }

    if (io->size <= UNIX_PIPE_BUF && ring_room(&pipe->ring) < io_left(io)) {
        return EAGAIN;
    }

    while (error == 0 && io_left(io) != 0) {
        uint8_t *data;
        size_t size = ring_reserve(&pipe->ring, &data);

        if (size == 0) {
            error = EAGAIN;
            break;
        }

        if (size > io_left(io)) {
            size = io_left(io);
        }

        error = io_get(io, data, size);

        if (error == 0) {
            ring_commit(&pipe->ring, size);
        }
    }

    wait_queue_wake(&pipe->readable);
    return error;
}

static int
pipe_poll(struct file *file)
{
    struct pipe *pipe = file->object;
    int events = 0;

    if (file_readable(file)) {
        if (ring_used(&pipe->ring) != 0) {
            events |= UNIX_POLLIN | UNIX_POLLRDNORM;
        }

        if (pipe->writers == 0) {
            events |= UNIX_POLLHUP;
        }
    }

    if (file_writable(file)) {
        if (ring_room(&pipe->ring) >= UNIX_PIPE_BUF) {
            events |= UNIX_POLLOUT | UNIX_POLLWRNORM;
        }

        if (pipe->readers == 0) {
            events |= UNIX_POLLERR;
        }
    }

    return events;
}

static struct wait_queue *
pipe_queue(struct file *file, bool write)
{
    struct pipe *pipe = file->object;

    return write ? &pipe->writable : &pipe->readable;
}

static int64_t
pipe_available(struct file *file)
{
    struct pipe *pipe = file->object;

    return (int64_t)ring_used(&pipe->ring);
}

static void
pipe_close(struct file *file)
{
    struct pipe *pipe = file->object;

    pipe->readers -= file_readable(file);
    pipe->writers -= file_writable(file);
    wait_queue_wake(&pipe->readable);
    wait_queue_wake(&pipe->writable);
    pipe_free(pipe);
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .queue = pipe_queue,
    .available = pipe_available,
    .close = pipe_close,
};

/* One side of a pipe; null: too many files are open. */
static struct file *
pipe_file(struct pipe *pipe, uint32_t flags)
{
    struct file *file;

    file = file_create(&pipe_ops, flags);

    if (file == NULL) {
        return NULL;
    }

    file->object = pipe;

    if (file_readable(file)) {
        pipe->readers++;
        pipe->reader_opens++;
        wait_queue_wake(&pipe->writable);
    }

    if (file_writable(file)) {
        pipe->writers++;
        pipe->writer_opens++;
        wait_queue_wake(&pipe->readable);
    }

    return file;
}

int
pipe_create(uint32_t flags, struct file **readp, struct file **writep)
{
    struct pipe *pipe;
    struct file *read;
    struct file *write;

    pipe = pipe_allocate();

    if (pipe == NULL) {
        return ENFILE;
    }

    read = pipe_file(pipe, UNIX_O_RDONLY | flags);

    if (read == NULL) {
        pipe_free(pipe);
        return ENFILE;
    }

    write = pipe_file(pipe, UNIX_O_WRONLY | flags);

    if (write == NULL) {
        file_unref(read);
        return ENFILE;
    }

    *readp = read;
    *writep = write;
    return 0;
}

int
pipe_open_fifo(struct vnode *vnode, uint32_t flags, struct file **filep)
{
    struct pipe *pipe = vnode->fifo;
    struct file *file;

    if ((flags & UNIX_O_ACCMODE) == UNIX_O_WRONLY &&
        (flags & UNIX_O_NONBLOCK) != 0 &&
        (pipe == NULL || pipe->readers == 0)) {
        return ENXIO;
    }

    if (pipe == NULL) {
        pipe = pipe_allocate();

        if (pipe == NULL) {
            return ENFILE;
        }

        pipe->fifo = vnode;
        vnode->fifo = pipe;
    }

    file = pipe_file(pipe, flags);

    if (file == NULL) {
        pipe_free(pipe);
        return ENFILE;
    }

    file->vnode = vnode_ref(vnode);
    /* The count of the other side's opens so far, until it has changed. */
    file->offset = (flags & UNIX_O_ACCMODE) == UNIX_O_RDONLY
                       ? pipe->writer_opens
                       : pipe->reader_opens;
    *filep = file;
    return 0;
}

bool
pipe_open_complete(const struct file *file)
{
    const struct pipe *pipe = file->object;

    if (file->ops != &pipe_ops || (file->flags & UNIX_O_NONBLOCK) != 0) {
        return true;
    }

    switch (file->flags & UNIX_O_ACCMODE) {
    case UNIX_O_RDONLY:
        return pipe->writers != 0 ||
               (int64_t)pipe->writer_opens != file->offset;
    case UNIX_O_WRONLY:
        return pipe->readers != 0 ||
               (int64_t)pipe->reader_opens != file->offset;
    default:
        return true;
    }
}
