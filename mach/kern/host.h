/* SPDX-License-Identifier: MIT */
/*
 * The host: its ports, what it tells about itself, and helpers that several
 * objects' routines share.
 */

#ifndef KERN_HOST_H
#define KERN_HOST_H

#include <kern/macros.h>
#include <mach/kern_return.h>
#include <mach/message.h>
#include <mach/port.h>
#include <mach/time_value.h>

struct ipc_port;

struct host {
    struct ipc_port *port;          /* everybody's */
    struct ipc_port *priv_port;     /* host_priv */
    struct ipc_port *security_port; /* <mach/host_security.defs> */
    struct ipc_port *device_master; /* <mach/device_grant.defs> */
};

extern struct host host_self;

void host_setup(void);

time_value_t host_time_value(uint64_t ns);

/*
 * Send `count` handles of send rights out of line: frees the array, which has
 * room for `room`. KERN_RESOURCE_SHORTAGE: the rights are released.
 */
MUST_CHECK kern_return_t host_ports_out(mach_port_t *handles,
                                        unsigned int count, unsigned int room,
                                        mach_port_t **arrayp,
                                        mach_msg_type_number_t *countp);

#endif /* KERN_HOST_H */
