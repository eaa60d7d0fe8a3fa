/* SPDX-License-Identifier: MIT */
/*
 * A port set: receiving from it takes a message of any member, the members
 * with messages in turn. A port is in at most one set.
 *
 * References: the name, each member, each waiting receiver while it looks.
 *
 * Lock keys: (s) pset->lock.
 */

#ifndef IPC_IPC_PSET_H
#define IPC_IPC_PSET_H

#include <kern/list.h>
#include <kern/macros.h>
#include <kern/refcount.h>
#include <kern/spinlock.h>
#include <mach/port.h>

struct ipc_port;

struct ipc_pset {
    struct spinlock lock; /* LOCK_RANK_PSET: after a port's */
    struct refcount refs;
    bool active;           /* (s) */
    mach_port_name_t name; /* (s) */
    struct list members;   /* (s) of ipc_port, pset_link */
    struct list ready;     /* (s) of ipc_port, ready_link */
    struct list receivers; /* (s) threads that wait */
};

void ipc_pset_setup(void);
MUST_CHECK struct ipc_pset *ipc_pset_create(mach_port_name_t name);
void ipc_pset_ref(struct ipc_pset *pset);
void ipc_pset_unref(struct ipc_pset *pset);

/* The set's name dies: members leave, receivers get MACH_RCV_PORT_DIED.
 * Consumes the name's reference. */
void ipc_pset_destroy(struct ipc_pset *pset);

/* Put the locked, active port in the locked set; it is in none. */
void ipc_pset_add(struct ipc_pset *pset, struct ipc_port *port);

/* Take the locked port out of its set, if it is in one. */
void ipc_pset_remove(struct ipc_port *port);

#endif /* IPC_IPC_PSET_H */
