/* SPDX-License-Identifier: MIT */
/* The machine: what needs the privileged host port. */

#ifndef UNIX_HOST_H
#define UNIX_HOST_H

#include "server.h"

/* Take the port from bootstrap, map the clock page. */
void host_setup(void);

/* Who the task is, for all that it sends messages to. */
MUST_CHECK kern_return_t host_identify(mach_port_t task,
                                       security_token_t security,
                                       audit_token_t audit);

/* Nanoseconds since 1970. EPERM: the server may not. */
MUST_CHECK int host_set_clock(int64_t time);

/* Wait until the console has sent all, then power off or restart. Returns
 * only with an error. */
MUST_CHECK int host_stop(bool power_off);

#endif /* UNIX_HOST_H */
