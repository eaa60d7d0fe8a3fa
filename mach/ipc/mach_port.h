/* SPDX-License-Identifier: MIT */
/* What the routines of <mach/mach_port.defs> share. */

#ifndef IPC_MACH_PORT_H
#define IPC_MACH_PORT_H

#include <kern/macros.h>
#include <mach/kern_return.h>
#include <mach/port.h>

struct ipc_entry;
struct ipc_port;
struct ipc_space;

/*
 * The entry of a name in a space, which may be NULL.
 *
 * Locks:   the space comes back locked.
 * Returns: KERN_SUCCESS; KERN_INVALID_TASK, KERN_INVALID_NAME (not locked).
 */
MUST_CHECK kern_return_t port_lookup(struct ipc_space *space,
                                     mach_port_name_t name,
                                     struct ipc_entry **entryp);

/*
 * The port whose receive right has this name.
 *
 * Locks:   the port comes back locked, the space not.
 * Refs:    none given; the port stays while its lock is held.
 * Returns: as above, and KERN_INVALID_RIGHT.
 */
MUST_CHECK kern_return_t port_lookup_receive(struct ipc_space *space,
                                             mach_port_name_t name,
                                             struct ipc_port **portp);

#endif /* IPC_MACH_PORT_H */
