/* SPDX-License-Identifier: MIT */
/*
 * Reply slots. A server thread answers most requests itself, and at once, so
 * the name of the reply right that it gets need not be made in its space and
 * unmade again: each thread that receives keeps one entry of the space, of
 * type IE_REPLY, and the right itself lies in the thread, in one word with
 * the name (struct thread, member reply). With each reply the name gets its
 * next generation, as if the entry had been free in between. Whoever looks the name up by the general path, whatever
 * for, gets an ordinary send-once right: ipc_entry_lookup() makes it one, and
 * the thread takes a new entry when it needs one again.
 *
 * The word holds the name in its low half and the port's handle in the high
 * half, 0 if there is no right; without an entry it is IPC_REPLY_NONE. All
 * changes are by compare-and-exchange: an empty slot is filled by who has
 * locked the queue on which the thread waits, and emptied by whoever comes
 * first.
 */

#ifndef IPC_IPC_REPLY_H
#define IPC_IPC_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include <kern/macros.h>
#include <mach/port.h>

struct ipc_entry;
struct ipc_port;
struct ipc_space;
struct thread;

#define IPC_REPLY_NONE ((uint64_t)MACH_PORT_DEAD << 32)

#define IPC_REPLY_NAME(slot) ((mach_port_name_t)(slot))
#define IPC_REPLY_HANDLE(slot) ((mach_port_t)((slot) >> 32))
#define IPC_REPLY_MAKE(name, handle) ((uint64_t)(handle) << 32 | (name))

/*
 * Give the thread an entry of its own with an empty slot; a full slot becomes
 * an ordinary right first. The caller holds the lock of the queue on which
 * the thread waits to receive, so nobody else fills the slot.
 *
 * Returns: false if that can't be done at once.
 * Locks: tries that of the thread's space.
 */
MUST_CHECK bool ipc_reply_renew(struct thread *thread);

/*
 * The entry of the name if it is in a thread's slot: an ordinary one now.
 * NULL if it is not, or no longer. Locks: space->lock held.
 */
struct ipc_entry *
ipc_reply_settle(struct ipc_space *space, struct ipc_entry *entry,
                 mach_port_name_t name);

/* The same with every full slot of the space, so that its table tells all.
 * Locks: space->lock held. */
void ipc_reply_settle_all(struct ipc_space *space);

/*
 * The current thread receives a message with a send-once right to reply to:
 * put that into its slot. Consumes the right if it does.
 *
 * Returns: false if the port is dead, or there is no room: nothing was done.
 * Locks: may try the space's; none held.
 */
MUST_CHECK bool ipc_reply_fill(struct thread *self, struct ipc_port *port,
                               mach_port_name_t *namep);

/*
 * The current thread needs an entry of its space for something else: that of
 * its own slot, if that is empty, as the one that was free last. NULL if not.
 * Locks: space->lock held.
 */
struct ipc_entry *
ipc_reply_reuse(struct ipc_space *space, mach_port_name_t *namep);

/*
 * Take the entry of an empty slot from its thread, for somebody who chose its
 * name. False if the slot is full. Locks: space->lock held.
 */
MUST_CHECK bool ipc_reply_evict(struct ipc_entry *entry);

/* The thread ends: a right in its slot stays with the task. */
void ipc_reply_release(struct thread *thread);

#endif /* IPC_IPC_REPLY_H */
