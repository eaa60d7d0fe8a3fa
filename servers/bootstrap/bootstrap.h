/* SPDX-License-Identifier: MIT */
/* What the files of the bootstrap server share: its own ports. */

#ifndef SERVERS_BOOTSTRAP_BOOTSTRAP_H
#define SERVERS_BOOTSTRAP_BOOTSTRAP_H

#include <mach/port.h>

extern mach_port_t bootstrap_host_priv_port;
extern mach_port_t bootstrap_host_security_port;
extern mach_port_t bootstrap_device_master_port;
extern mach_port_t bootstrap_port_set; /* all that the loop listens to */
extern mach_port_t bootstrap_notify;   /* deaths */

/* Serve what is queued at one of the loop's ports, without waiting. */
void bootstrap_drain(mach_port_t port);

/* End everything, with a reason in the log. */
_Noreturn void
bootstrap_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A new receive right in the port set, with this payload if it is not 0;
 * null if the kernel has no room. */
mach_port_t bootstrap_port_create(uint64_t payload);

#endif /* SERVERS_BOOTSTRAP_BOOTSTRAP_H */
