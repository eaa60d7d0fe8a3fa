/* SPDX-License-Identifier: MIT */
/* What the routines of <mach/mach_port.defs> share. */

#ifndef IPC_MACH_PORT_H
#define IPC_MACH_PORT_H

#include <ipc/ipc_space.h>
#include <kern/macros.h>
#include <mach/kern_return.h>
#include <mach/port.h>

struct ipc_port;

/*
 * The entry of a name in a space, which may be NULL.
 *
 * Locks:   the space comes back locked.
 * Returns: KERN_SUCCESS; KERN_INVALID_TASK, KERN_INVALID_NAME (not locked).
 */
MUST_CHECK static inline kern_return_t
port_lookup(struct ipc_space *space, mach_port_name_t name,
            struct ipc_entry **entryp)
{
    struct ipc_entry *entry;

    if (unlikely(space == NULL)) {
        return KERN_INVALID_TASK;
    }

    spin_lock(&space->lock);
    entry = likely(space->active) ? ipc_entry_lookup_inline(space, name) : NULL;

    if (unlikely(entry == NULL)) {
        spin_unlock(&space->lock);
        return KERN_INVALID_NAME;
    }

    *entryp = entry;
    return KERN_SUCCESS;
}

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
