/* SPDX-License-Identifier: MIT */
/* What a device port of this driver stands for: the driver, or an open line. */

#ifndef DRIVERS_CONSOLE_DEVICE_OBJECT_H
#define DRIVERS_CONSOLE_DEVICE_OBJECT_H

#include <mach/mach_types.h>

struct serial;

/* One open: its port lives until no send right to it is left. */
struct device_object {
    struct serial *serial; /* null: the master port */
    mach_port_t port;
    natural_t mode; /* D_READ, D_WRITE */
};

typedef struct device_object *device_object_t;

/* For the stubs. */
device_object_t device_object_from_port(mach_port_t port);
device_object_t device_object_from_payload(uint64_t payload);

/* The driver's service port. */
extern mach_port_t device_master_port;

/* Where all requests come. */
extern mach_port_t device_port_set;

/* No send right to an open's port is left. */
void device_open_gone(device_object_t device);

/* The line of that name, or null. */
struct serial *device_find_serial(const char *name);

#endif /* DRIVERS_CONSOLE_DEVICE_OBJECT_H */
