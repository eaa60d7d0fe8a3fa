/* SPDX-License-Identifier: MIT */
/*
 * A serial line, served by a driver in another task. Two threads of the server
 * wait for the driver, so that nobody else does: one takes what comes in, one
 * gives out what is to go. When the driver dies they find the new one.
 */

#ifndef UNIX_SERIAL_H
#define UNIX_SERIAL_H

#include <mach/port.h>

#include <libmach/sync.h>

#include "call.h"
#include "ring.h"

#define SERIAL_OUT_SIZE 16384

enum serial_state {
    SERIAL_UNKNOWN, /* not opened yet */
    SERIAL_ABSENT,  /* the machine has no such line */
    SERIAL_OPEN,
};

struct serial {
    const char *service; /* the driver's name */
    const char *name;    /* the line's name there */
    enum serial_state state;
    mach_port_t device;
    uint32_t generation; /* counts the times that it was opened */
    struct ring out;
    bool sending; /* some of it is with the driver */
    bool held;    /* output is stopped */
    struct mach_condition out_ready;
    struct mach_condition in_room;
    struct wait_queue writable; /* also: the state has changed */
    /* Bytes came in, with the server's lock held. */
    void (*receive)(struct serial *serial, const uint8_t *data, size_t size);
    /* How many could be taken. */
    size_t (*room)(struct serial *serial);
    uint8_t out_data[SERIAL_OUT_SIZE];
};

/* Start the threads. receive and room are set. */
void serial_start(struct serial *serial, const char *service, const char *name);

/* How much fits in the output. */
size_t serial_room(const struct serial *serial);
void serial_send(struct serial *serial, const void *data, size_t size);

/* All that was sent is on its way. */
bool serial_idle(const struct serial *serial);

/* Throw away what was not given to the driver. */
void serial_flush_output(struct serial *serial);

/* Hold the output back, or let it go. */
void serial_hold(struct serial *serial, bool hold);

/* There is room for input again. */
void serial_resume_input(struct serial *serial);

#endif /* UNIX_SERIAL_H */
