/* SPDX-License-Identifier: MIT */
/*
 * A serial line. The reader thread owns the connection: it opens the device,
 * and opens it again when the driver has died. The writer waits for output and
 * for a connection; what it had given to a driver that died it gives to the
 * next one, so a byte may come twice, but none is lost.
 */

#include <string.h>

#include <mach/mach.h>

#include <device/device.h>
#include <libmach/thread.h>
#include <mach/bootstrap.h>

#include "serial.h"

#define SERIAL_RETRY_MS 50
#define SERIAL_STACK 32768UL

size_t
serial_room(const struct serial *serial)
{
    return ring_room(&serial->out);
}

void
serial_send(struct serial *serial, const void *data, size_t size)
{
    ring_put(&serial->out, data, size);
    mach_condition_signal(&serial->out_ready);
}

bool
serial_idle(const struct serial *serial)
{
    return ring_used(&serial->out) == 0 && !serial->sending;
}

void
serial_flush_output(struct serial *serial)
{
    ring_consume(&serial->out, ring_used(&serial->out));
    wait_queue_wake(&serial->writable);
}

void
serial_hold(struct serial *serial, bool hold)
{
    serial->held = hold;
    mach_condition_signal(&serial->out_ready);
}

void
serial_resume_input(struct serial *serial)
{
    mach_condition_signal(&serial->in_room);
}

static void
serial_pause(void)
{
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, SERIAL_RETRY_MS);
}

static void
serial_set_state(struct serial *serial, enum serial_state state,
                 mach_port_t device)
{
    server_lock();
    serial->state = state;
    serial->device = device;
    serial->generation++;
    wait_queue_wake(&serial->writable);
    mach_condition_signal(&serial->out_ready);
    server_unlock();
}

/* Find the driver and open the line. False: there is no such line. */
static bool
serial_connect(struct serial *serial)
{
    for (;;) {
        mach_port_t master = MACH_PORT_NULL;
        mach_port_t device = MACH_PORT_NULL;
        kern_return_t kr;

        kr =
            bootstrap_look_up(bootstrap_port, (char *)serial->service, &master);

        if (kr == KERN_SUCCESS) {
            kr = device_open(master, D_READ | D_WRITE, (char *)serial->name,
                             &device);
            (void)mach_port_deallocate(mach_task_self(), master);
        }

        if (kr == KERN_SUCCESS) {
            serial_set_state(serial, SERIAL_OPEN, device);
            return true;
        }

        if (kr == D_NO_SUCH_DEVICE) {
            serial_set_state(serial, SERIAL_ABSENT, MACH_PORT_NULL);
            return false;
        }

        serial_pause();
    }
}

/* Wait until input can be taken: how much. */
static size_t
serial_wait_room(struct serial *serial)
{
    size_t room;

    server_lock();
    room = serial->room(serial);

    while (room == 0) {
        server_wait(&serial->in_room);
        room = serial->room(serial);
    }

    server_unlock();
    return room < IO_INBAND_MAX ? room : IO_INBAND_MAX;
}

static void *
serial_reader(void *argument)
{
    struct serial *serial = argument;
    io_buf_ptr_inband_t data;

    if (!serial_connect(serial)) {
        return NULL;
    }

    for (;;) {
        mach_msg_type_number_t count = IO_INBAND_MAX;
        size_t room = serial_wait_room(serial);
        kern_return_t kr;

        kr = device_read_inband(serial->device, D_READ, 0, (io_buf_len_t)room,
                                data, &count);

        if (kr == KERN_SUCCESS) {
            server_lock();
            random_stir(clock_uptime());
            serial->receive(serial, (const uint8_t *)data, count);
            server_unlock();
            continue;
        }

        server_log("%s: the driver does not answer (0x%x)", serial->name,
                   (unsigned int)kr);
        serial_pause();

        if (!serial_connect(serial)) {
            return NULL;
        }
    }
}

/* Wait for something to send: a copy of it, and where to. */
static size_t
serial_take(struct serial *serial, uint8_t *data, mach_port_t *devicep,
            uint32_t *generationp)
{
    uint8_t *from;
    size_t size;

    server_lock();

    while (serial->state != SERIAL_OPEN || serial->held ||
           ring_used(&serial->out) == 0) {
        server_wait(&serial->out_ready);
    }

    size = ring_peek(&serial->out, &from);

    if (size > IO_INBAND_MAX) {
        size = IO_INBAND_MAX;
    }

    memcpy(data, from, size);
    ring_consume(&serial->out, size);
    serial->sending = true;
    *devicep = serial->device;
    *generationp = serial->generation;
    wait_queue_wake(&serial->writable);
    server_unlock();
    return size;
}

/* The driver died: wait for the next connection. */
static mach_port_t
serial_reconnected(struct serial *serial, uint32_t *generationp)
{
    mach_port_t device;

    server_lock();

    while (serial->generation == *generationp) {
        server_wait(&serial->out_ready);
    }

    *generationp = serial->generation;
    device = serial->device;
    server_unlock();
    return device;
}

static void *
serial_writer(void *argument)
{
    struct serial *serial = argument;
    io_buf_ptr_inband_t data;

    for (;;) {
        mach_port_t device;
        uint32_t generation;
        size_t size =
            serial_take(serial, (uint8_t *)data, &device, &generation);
        io_buf_len_t done;

        while (device_write_inband(device, D_WRITE, 0, data,
                                   (mach_msg_type_number_t)size,
                                   &done) != KERN_SUCCESS) {
            device = serial_reconnected(serial, &generation);
        }

        server_lock();
        serial->sending = false;
        wait_queue_wake(&serial->writable);
        server_unlock();
    }

    return NULL;
}

void
serial_start(struct serial *serial, const char *service, const char *name)
{
    struct mach_thread *thread;

    serial->service = service;
    serial->name = name;
    serial->state = SERIAL_UNKNOWN;
    serial->held = false;
    serial->sending = false;
    ring_init(&serial->out, serial->out_data, SERIAL_OUT_SIZE);
    mach_condition_init(&serial->out_ready);
    mach_condition_init(&serial->in_room);
    wait_queue_init(&serial->writable);

    if (mach_thread_create(serial_reader, serial, SERIAL_STACK, &thread) !=
            KERN_SUCCESS ||
        mach_thread_create(serial_writer, serial, SERIAL_STACK, &thread) !=
            KERN_SUCCESS) {
        server_panic("no thread for %s", name);
    }
}
