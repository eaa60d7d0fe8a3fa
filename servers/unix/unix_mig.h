/* SPDX-License-Identifier: MIT */
/* What the generated server stubs need: how a port becomes a process. */

#ifndef UNIX_MIG_H
#define UNIX_MIG_H

#include <mach/port.h>
#include <mach/vm_types.h>

#include <unix/unix_types.h>

typedef struct process *process_t;

/* main.c has refused what does not come with a live process's payload. */
process_t process_from_payload(uint64_t payload);
process_t process_from_port(mach_port_t port);

#endif /* UNIX_MIG_H */
