/* SPDX-License-Identifier: MIT */
/* The simple devices, and the way to the terminals. */

#include <string.h>

#include "channel.h"
#include "device.h"
#include "process.h"
#include "tty.h"
#include "vnode.h"

#define DEVICE_NULL UNIX_MAKEDEV(1, 3)
#define DEVICE_ZERO UNIX_MAKEDEV(1, 5)
#define DEVICE_FULL UNIX_MAKEDEV(1, 7)
#define DEVICE_RANDOM UNIX_MAKEDEV(1, 8)
#define DEVICE_URANDOM UNIX_MAKEDEV(1, 9)
#define DEVICE_TTY UNIX_MAKEDEV(5, 0)
#define DEVICE_CONSOLE UNIX_MAKEDEV(5, 1)
#define DEVICE_CHANNEL UNIX_MAKEDEV(10, 1)

#define DEVICE_CHUNK 4096

/* A longer read gets no more: it must not hold the others up. */
#define DEVICE_READ_MAX (16UL * 1024 * 1024)

const struct device_node device_nodes[] = {
    { "null", UNIX_S_IFCHR | 0666, DEVICE_NULL },
    { "zero", UNIX_S_IFCHR | 0666, DEVICE_ZERO },
    { "full", UNIX_S_IFCHR | 0666, DEVICE_FULL },
    { "random", UNIX_S_IFCHR | 0666, DEVICE_RANDOM },
    { "urandom", UNIX_S_IFCHR | 0666, DEVICE_URANDOM },
    { "tty", UNIX_S_IFCHR | 0666, DEVICE_TTY },
    { "console", UNIX_S_IFCHR | 0600, DEVICE_CONSOLE },
    { "channel", UNIX_S_IFCHR | 0600, DEVICE_CHANNEL },
};

const size_t device_node_count = sizeof(device_nodes) / sizeof(device_nodes[0]);

static int
device_read_none(struct file *file, struct io *io)
{
    (void)file;
    (void)io;
    return 0;
}

static int
device_write_all(struct file *file, struct io *io)
{
    (void)file;
    io->done = io->size;
    return 0;
}

static int
device_write_full(struct file *file, struct io *io)
{
    (void)file;
    (void)io;
    return ENOSPC;
}

static int
device_read_zero(struct file *file, struct io *io)
{
    static const uint8_t zeros[DEVICE_CHUNK];
    int error = 0;

    (void)file;

    while (error == 0 && io_left(io) != 0 && io->done < DEVICE_READ_MAX) {
        size_t size = io_left(io) < DEVICE_CHUNK ? io_left(io) : DEVICE_CHUNK;

        error = io_put(io, zeros, size);
    }

    return error;
}

static int
device_read_random(struct file *file, struct io *io)
{
    uint8_t bytes[256];
    int error = 0;

    (void)file;

    while (error == 0 && io_left(io) != 0 && io->done < DEVICE_READ_MAX) {
        size_t size = io_left(io) < sizeof(bytes) ? io_left(io) : sizeof(bytes);

        random_fill(bytes, size);
        error = io_put(io, bytes, size);
    }

    memset(bytes, 0, sizeof(bytes));
    return error;
}

static int
device_write_random(struct file *file, struct io *io)
{
    uint64_t word = 0;
    int error = 0;

    (void)file;

    while (error == 0 && io_left(io) != 0) {
        size_t size = io_left(io) < sizeof(word) ? io_left(io) : sizeof(word);

        error = io_get(io, &word, size);
        random_stir(word);
    }

    return error;
}

static const struct file_ops device_null_ops = {
    .read = device_read_none,
    .write = device_write_all,
    .poll = file_poll_ready,
    .queue = file_queue_none,
    .seekable = true,
};

static const struct file_ops device_zero_ops = {
    .read = device_read_zero,
    .write = device_write_all,
    .poll = file_poll_ready,
    .queue = file_queue_none,
    .seekable = true,
};

static const struct file_ops device_full_ops = {
    .read = device_read_zero,
    .write = device_write_full,
    .poll = file_poll_ready,
    .queue = file_queue_none,
    .seekable = true,
};

static const struct file_ops device_random_ops = {
    .read = device_read_random,
    .write = device_write_random,
    .poll = file_poll_ready,
    .queue = file_queue_none,
    .seekable = true,
};

static int
device_open_simple(const struct file_ops *ops, uint32_t flags,
                   struct file **filep)
{
    *filep = file_create(ops, flags);
    return *filep == NULL ? ENFILE : 0;
}

static int
device_open(struct process *process, uint64_t rdev, uint32_t flags,
            struct file **filep)
{
    switch (rdev) {
    case DEVICE_NULL:
        return device_open_simple(&device_null_ops, flags, filep);
    case DEVICE_ZERO:
        return device_open_simple(&device_zero_ops, flags, filep);
    case DEVICE_FULL:
        return device_open_simple(&device_full_ops, flags, filep);
    case DEVICE_RANDOM:
    case DEVICE_URANDOM:
        return device_open_simple(&device_random_ops, flags, filep);
    case DEVICE_TTY:
        return tty_open(process, process->group->session->tty, flags, filep);
    case DEVICE_CONSOLE:
        return tty_open(process, tty_console, flags, filep);
    case DEVICE_CHANNEL:
        return channel_open(flags, filep);
    default:
        return ENXIO;
    }
}

int
device_open_file(struct process *process, struct vnode *vnode, uint32_t flags,
                 struct file **filep)
{
    int error;

    error = device_open(process, vnode->rdev, flags, filep);

    if (error == 0) {
        (*filep)->vnode = vnode_ref(vnode);
    }

    return error;
}

struct wait_queue *
device_wait_queue(const struct vnode *vnode)
{
    return vnode_type(vnode) == UNIX_S_IFCHR && vnode->rdev == DEVICE_CHANNEL
               ? channel_wait_queue()
               : NULL;
}

void
device_setup(void)
{
    tty_setup();
    channel_setup();
}
