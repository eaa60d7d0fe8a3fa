/* SPDX-License-Identifier: MIT */
/*
 * The serial console: COM1 is the device "console", COM2, if there is one,
 * the device "channel". One thread takes requests, interrupts and the news
 * that a client is gone from one port set; nothing in it waits.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <device/device_server.h>
#include <mach/bootstrap.h>
#include <mach/interrupt_notify_server.h>
#include <mach/mach.h>

#include "device_object.h"
#include "serial.h"

#define MESSAGE_MAX 8192
#define LINES 2

mach_port_t device_master_port;
mach_port_t device_port_set;

struct line {
    const char *name;
    uint16_t base;
    natural_t interrupt;
};

static const struct line lines[LINES] = {
    { "console", 0x3f8, 4 },
    { "channel", 0x2f8, 3 },
};

static struct serial serials[LINES];

struct serial *
device_find_serial(const char *name)
{
    for (unsigned int i = 0; i < LINES; i++) {
        if (serials[i].name != NULL && strcmp(serials[i].name, name) == 0) {
            return &serials[i];
        }
    }

    return NULL;
}

static _Noreturn void
die(const char *what, kern_return_t kr)
{
    printf("%s: %s\n", what, mach_error_string(kr));
    exit(1);
}

static mach_port_t
port_create(void)
{
    mach_port_t port;
    kern_return_t kr;

    kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port);

    if (kr == KERN_SUCCESS) {
        kr = mach_port_move_member(mach_task_self(), port, device_port_set);
    }

    if (kr != KERN_SUCCESS) {
        die("no port", kr);
    }

    return port;
}

static void
line_setup(struct serial *serial, const struct line *line, natural_t tag)
{
    kern_return_t kr;

    serial->name = line->name;
    serial->present = uart_setup(&serial->uart, line->base);

    if (!serial->present) {
        return;
    }

    kr = bootstrap_interrupt(bootstrap_port, line->interrupt,
                             &serial->interrupt);

    if (kr != KERN_SUCCESS) {
        die("no interrupt", kr);
    }

    serial->notify = port_create();
    kr = interrupt_register(serial->interrupt, serial->notify, tag);

    if (kr != KERN_SUCCESS) {
        die("no interrupt messages", kr);
    }

    serial_interrupt(serial);
}

/* -- Messages of the kernel ------------------------------------------------ */

kern_return_t
do_interrupt_notify(mach_port_t notify, natural_t tag, natural_t count)
{
    (void)count;

    if (tag < LINES && serials[tag].notify == notify) {
        serial_interrupt(&serials[tag]);
    }

    return KERN_SUCCESS;
}

/*
 * A notification says by its port, not by its content, which open it is
 * about: it was asked for with a right made from that open's own port.
 */
static boolean_t
notification(const mach_msg_header_t *request)
{
    if ((request->msgh_bits & MACH_MSGH_BITS_KERNEL) == 0 ||
        request->msgh_id != MACH_NOTIFY_NO_SENDERS ||
        MACH_MSGH_BITS_LOCAL(request->msgh_bits) !=
            MACH_MSG_TYPE_PROTECTED_PAYLOAD) {
        return FALSE;
    }

    device_open_gone(device_object_from_payload(mach_msg_payload(request)));
    return TRUE;
}

static boolean_t
demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    static const mig_routine_fn_t routines[] = {
        device_server_routine, interrupt_notify_server_routine, NULL
    };

    if (notification(request)) {
        mig_reply_setup(request, reply);
        ((mig_reply_error_t *)reply)->RetCode = KERN_SUCCESS;
        return TRUE;
    }

    return mig_demux(routines, request, reply);
}

int
main(void)
{
    mach_msg_return_t mr;
    kern_return_t kr;

    kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET,
                            &device_port_set);

    if (kr != KERN_SUCCESS) {
        die("no port set", kr);
    }

    for (unsigned int i = 0; i < LINES; i++) {
        line_setup(&serials[i], &lines[i], i);
    }

    kr = bootstrap_check_in(bootstrap_port, "console", &device_master_port);

    if (kr == KERN_SUCCESS) {
        kr = mach_port_move_member(mach_task_self(), device_master_port,
                                   device_port_set);
    }

    if (kr != KERN_SUCCESS) {
        die("cannot check in", kr);
    }

    mr = mach_msg_server(demux, MESSAGE_MAX, device_port_set, 0);
    die("the server loop ended", mr);
}
