/* SPDX-License-Identifier: MIT */
/* Setting up the clock; reading it is in server.h. */

#ifndef UNIX_CLOCK_H
#define UNIX_CLOCK_H

#include <mach/port.h>

void clock_setup(mach_port_t host);

#endif /* UNIX_CLOCK_H */
