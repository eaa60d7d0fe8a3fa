/* SPDX-License-Identifier: MIT */
/*
 * The raw serial line. Input stops being taken from the driver while the
 * buffer is full, so nothing is lost.
 */

#include "channel.h"
#include "serial.h"

#define CHANNEL_IN_SIZE 32768

static struct serial channel_serial;
static struct ring channel_in;
static struct wait_queue channel_readable;
static uint8_t channel_data[CHANNEL_IN_SIZE];

static void
channel_receive(struct serial *serial, const uint8_t *data, size_t size)
{
    (void)serial;
    ring_put(&channel_in, data, size);
    wait_queue_wake(&channel_readable);
}

static size_t
channel_room(struct serial *serial)
{
    (void)serial;
    return ring_room(&channel_in);
}

static int
channel_read(struct file *file, struct io *io)
{
    int error = 0;

    (void)file;

    if (ring_used(&channel_in) == 0) {
        return EAGAIN;
    }

    while (error == 0 && io_left(io) != 0 && ring_used(&channel_in) != 0) {
        uint8_t *data;
        size_t size = ring_peek(&channel_in, &data);

        if (size > io_left(io)) {
            size = io_left(io);
        }

        error = io_put(io, data, size);

        if (error == 0) {
            ring_consume(&channel_in, size);
        }
    }

    serial_resume_input(&channel_serial);
    return error;
}

static int
channel_write(struct file *file, struct io *io)
{
    uint8_t data[512];

    (void)file;

    while (io_left(io) != 0) {
        size_t size = serial_room(&channel_serial);
        int error;

        if (size == 0) {
            return EAGAIN;
        }

        if (size > sizeof(data)) {
            size = sizeof(data);
        }

        if (size > io_left(io)) {
            size = io_left(io);
        }

        error = io_get(io, data, size);

        if (error != 0) {
            return error;
        }

        serial_send(&channel_serial, data, size);
    }

    return 0;
}

static int
channel_poll(struct file *file)
{
    int events = 0;

    (void)file;

    if (ring_used(&channel_in) != 0) {
        events |= UNIX_POLLIN | UNIX_POLLRDNORM;
    }

    if (serial_room(&channel_serial) != 0) {
        events |= UNIX_POLLOUT | UNIX_POLLWRNORM;
    }

    return events;
}

static struct wait_queue *
channel_queue(struct file *file, bool write)
{
    (void)file;
    return write ? &channel_serial.writable : &channel_readable;
}

static int64_t
channel_available(struct file *file)
{
    (void)file;
    return (int64_t)ring_used(&channel_in);
}

static const struct file_ops channel_ops = {
    .read = channel_read,
    .write = channel_write,
    .poll = channel_poll,
    .queue = channel_queue,
    .available = channel_available,
};

int
channel_open(uint32_t flags, struct file **filep)
{
    switch (channel_serial.state) {
    case SERIAL_UNKNOWN:
        return EAGAIN;
    case SERIAL_ABSENT:
        return ENXIO;
    case SERIAL_OPEN:
        break;
    }

    *filep = file_create(&channel_ops, flags);
    return *filep == NULL ? ENFILE : 0;
}

struct wait_queue *
channel_wait_queue(void)
{
    return &channel_serial.writable;
}

void
channel_setup(void)
{
    ring_init(&channel_in, channel_data, CHANNEL_IN_SIZE);
    wait_queue_init(&channel_readable);
    channel_serial.receive = channel_receive;
    channel_serial.room = channel_room;
    serial_start(&channel_serial, "console", "channel");
}

bool
channel_idle(void)
{
    return serial_idle(&channel_serial);
}
