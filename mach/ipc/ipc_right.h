/* SPDX-License-Identifier: MIT */
/*
 * Rights in a space: the state machine of an entry. A right that leaves a
 * space ("copyin") or is about to enter one ("copyout") is a port and a type,
 * MACH_MSG_TYPE_PORT_{SEND,SEND_ONCE,RECEIVE}; IP_NULL and IP_DEAD go along.
 */

#ifndef IPC_IPC_RIGHT_H
#define IPC_IPC_RIGHT_H

#include <stdbool.h>

#include <ipc/ipc_port.h>
#include <ipc/ipc_space.h>
#include <kern/macros.h>
#include <mach/message.h>

/* The type that a receiver sees of a right sent with this disposition. */
mach_msg_type_name_t ipc_right_received_type(mach_msg_type_name_t disposition);

/*
 * Could the right be taken with this disposition? Turns a send right whose
 * port died into a dead name first. Locks: space->lock held.
 */
MUST_CHECK bool
ipc_right_copyin_check(struct ipc_space *space, mach_port_name_t name,
                       struct ipc_entry *entry,
                       mach_msg_type_name_t disposition);

/* The port of a send or send-once right was seen dead: if it is, the entry
 * becomes a dead name. Locks: space->lock held. */
bool ipc_right_died(struct ipc_space *space, mach_port_name_t name,
                    struct ipc_entry *entry);

/*
 * True when the entry is a dead name (now). A port that dies at this moment
 * may be found out the next time: that is no other than if it had died a
 * little later. Locks: space->lock held.
 */
static inline bool
ipc_right_check(struct ipc_space *space, mach_port_name_t name,
                struct ipc_entry *entry)
{
    if (unlikely(entry->type == IE_DEAD_NAME)) {
        return true;
    }

    if ((entry->type & (IE_SEND | IE_SEND_ONCE)) == 0 ||
        (entry->type & IE_RECEIVE) != 0 ||
        likely(__atomic_load_n(&((struct ipc_port *)entry->object)->active,
                               __ATOMIC_RELAXED))) {
        return false;
    }

    return ipc_right_died(space, name, entry);
}

/*
 * Take the right; ipc_right_copyin_check() said yes. The result is IP_DEAD
 * for a dead name. A moved receive right is in transit afterwards. A dead-name
 * request that the name loses comes back in *requestp, for
 * ipc_right_request_cancelled().
 *
 * Locks: space->lock held.
 */
struct ipc_port *
ipc_right_copyin(struct ipc_space *space, mach_port_name_t name,
                 struct ipc_entry *entry, mach_msg_type_name_t disposition,
                 struct ipc_dnrequest **requestp);

/* All of it for one right. Returns KERN_SUCCESS, KERN_INVALID_NAME,
 * KERN_INVALID_RIGHT. No locks held. */
MUST_CHECK kern_return_t ipc_right_copyin_name(struct ipc_space *space,
                                               mach_port_name_t name,
                                               mach_msg_type_name_t disposition,
                                               struct ipc_port **portp);

/* Take the request of a name from its port; for the same. Both locked. */
struct ipc_dnrequest *
ipc_right_request_take(struct ipc_port *port, struct ipc_entry *entry);

/* Send the port-deleted notification of a request that went with its name.
 * NULL is ignored. No locks held. */
void ipc_right_request_cancelled(struct ipc_dnrequest *request);

/* A sender gave up: its send-possible request for the name, if there is one,
 * is to be told when the port has room. No locks held. */
void ipc_right_request_arm(struct ipc_space *space, mach_port_name_t name);

/*
 * The same for a send right of a port of which the space has send rights
 * already: one more user reference. False, with nothing done, if it has none,
 * or can't take one more.
 *
 * Locks: takes the space's and the port's; none held.
 */
MUST_CHECK bool
ipc_right_copyout_known(struct ipc_space *space, struct ipc_port *port,
                        mach_port_name_t *namep);

/*
 * Put a right in the space under its proper name. Consumes the right, also
 * on failure. IP_NULL and IP_DEAD give MACH_PORT_NULL and MACH_PORT_DEAD.
 *
 * Returns: KERN_SUCCESS, KERN_NO_SPACE, KERN_RESOURCE_SHORTAGE,
 *          KERN_UREFS_OVERFLOW, KERN_TERMINATED; then *namep is null.
 * No locks held.
 */
MUST_CHECK kern_return_t ipc_right_copyout(struct ipc_space *space,
                                           struct ipc_port *port,
                                           mach_msg_type_name_t type,
                                           mach_port_name_t *namep);

/* The same under a name of the caller's choice: mach_port_insert_right.
 * Also KERN_NAME_EXISTS, KERN_RIGHT_EXISTS, KERN_INVALID_VALUE; the right is
 * consumed on success only. */
MUST_CHECK kern_return_t ipc_right_copyout_name(struct ipc_space *space,
                                                struct ipc_port *port,
                                                mach_msg_type_name_t type,
                                                mach_port_name_t name);

/* Release all that a name denotes. Locks: takes over and drops space->lock. */
void ipc_right_destroy(struct ipc_space *space, mach_port_name_t name,
                       struct ipc_entry *entry);

/* Does the name denote a receive right with a guard? Locks: space->lock. */
static inline bool
ipc_right_guarded(const struct ipc_entry *entry)
{
    /* The guard changes under the port's lock, but only by one who found the
     * port in this space, as we did. */
    return (entry->type & IE_RECEIVE) != 0 &&
           ((const struct ipc_port *)entry->object)->guarded;
}

/*
 * Release the receive right of a name and -srdelta of its send references.
 * Returns KERN_SUCCESS, KERN_INVALID_RIGHT, KERN_INVALID_VALUE,
 * KERN_INVALID_ARGUMENT (not the guard).
 * Locks: takes over and drops space->lock.
 */
kern_return_t
ipc_right_destruct(struct ipc_space *space, mach_port_name_t name,
                   struct ipc_entry *entry, mach_port_delta_t srdelta,
                   mach_port_context_t guard);

/*
 * Change the user references of one right by delta. Returns KERN_SUCCESS,
 * KERN_INVALID_RIGHT, KERN_INVALID_VALUE, KERN_UREFS_OVERFLOW.
 * Locks: takes over and drops space->lock.
 */
kern_return_t ipc_right_delta(struct ipc_space *space, mach_port_name_t name,
                              struct ipc_entry *entry, mach_port_right_t right,
                              mach_port_delta_t delta);

#endif /* IPC_IPC_RIGHT_H */
