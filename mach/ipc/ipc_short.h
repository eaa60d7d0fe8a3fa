/* SPDX-License-Identifier: MIT */
/*
 * The short way of a small simple message through a queue: what mach_msg.c
 * does with one that nobody waits for, and with one that waits, when nothing
 * about it is unusual. Like the fast path a subset with the same result.
 */

#ifndef IPC_IPC_SHORT_H
#define IPC_IPC_SHORT_H

#include <stdbool.h>

#include <kern/macros.h>
#include <mach/message.h>

struct thread;

/*
 * Queue the current thread's message. False, with nothing done, if it must
 * go the general way: it is not simple and small, has unusual rights, would
 * be refused, or somebody waits for it.
 *
 * Locks: none held; interrupts on.
 */
MUST_CHECK bool
ipc_short_send(struct thread *self, vm_offset_t buffer, mach_msg_size_t size);

/*
 * Wait at the port that self->msg asks for, which is empty; the caller then
 * blocks with mach_msg_receive_continue(). False, with nothing done, if there
 * is something to receive, or the wait is of another kind.
 *
 * Locks: none held; interrupts on.
 */
MUST_CHECK bool ipc_short_wait(struct thread *self);

/*
 * Receive the first message of the port that self->msg asks for. False, with
 * nothing done, if there is none, or none that goes this way. *mrp:
 * MACH_MSG_SUCCESS, MACH_RCV_INVALID_DATA.
 *
 * Locks: none held; interrupts on.
 */
MUST_CHECK bool ipc_short_receive(struct thread *self, mach_msg_return_t *mrp);

#endif /* IPC_IPC_SHORT_H */
