/* SPDX-License-Identifier: MIT */
/*
 * A serial line: a UART with a buffer of what came, and the calls that wait
 * for it. A write waits in the line's list with its data until all of it is
 * in the UART; a read waits until something came. When the buffer is full the
 * line is not read any more: its other end waits, and no byte is lost.
 */

#ifndef DRIVERS_CONSOLE_SERIAL_H
#define DRIVERS_CONSOLE_SERIAL_H

#include <device/device_types.h>
#include <mach/mach.h>

#include "uart.h"

#define SERIAL_BUFFER 16384 /* a power of two */
#define SERIAL_WAITERS 64   /* calls of a kind that may wait */

/* A call that waits. */
struct serial_call {
    mach_port_t reply;
    mach_msg_type_name_t reply_type;
    boolean_t inband;
    char *data; /* of a write */
    size_t size;
    size_t done;
};

struct serial_calls {
    unsigned int first;
    unsigned int count;
    struct serial_call calls[SERIAL_WAITERS];
};

struct serial {
    const char *name;
    boolean_t present;
    struct uart uart;
    mach_port_t interrupt; /* the kernel's object */
    mach_port_t notify;    /* where its messages come */
    unsigned int head;     /* of the buffer: where the next byte goes */
    unsigned int tail;     /* where the next reader begins */
    char buffer[SERIAL_BUFFER];
    struct serial_calls readers;
    struct serial_calls writers;
};

/* Serve the UART: after its interrupt, and whenever a call changed what it
 * has to do. */
void serial_work(struct serial *serial);

/* After an interrupt: the same, then let the next one come. */
void serial_interrupt(struct serial *serial);

/* Take at most size bytes of what came: 0 if there is nothing. */
size_t serial_take(struct serial *serial, char *data, size_t size);

/* Let a call wait; D_NO_MEMORY if too many do. A write's data is of the size
 * given: malloc's if in-band, else a region; the line frees it. */
kern_return_t
serial_wait_read(struct serial *serial, const struct serial_call *call);
kern_return_t
serial_wait_write(struct serial *serial, const struct serial_call *call);

/* Throw away what is queued: D_READ, D_WRITE or both. */
void serial_flush(struct serial *serial, unsigned int directions);

/* Bytes that wait to be sent. */
size_t serial_unsent(const struct serial *serial);

#endif /* DRIVERS_CONSOLE_SERIAL_H */
