/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: the thread stops, a message goes to the handler of the thread,
 * else of the task, else of the host, and the thread waits without a stack
 * for the reply. Nobody wants it: the task is terminated.
 */

#ifndef KERN_EXCEPTION_H
#define KERN_EXCEPTION_H

#include <kern/macros.h>
#include <kern/thread.h>
#include <mach/exception.h>

struct ipc_port;

/* Raise an exception of the current thread, whose frame is complete. Leaves
 * the kernel when a handler has dealt with it. */
NORETURN void exception_raise_user(struct thread *self, exception_type_t type,
                                   int64_t code, int64_t subcode);

/* Does the thread wait for the answer to an exception? */
bool exception_waits(const struct thread *thread);

/* The reply was bad or will never come: its send-once right is gone. */
void exception_reply_failed(struct ipc_port *port);

/* Change one handler: old and new right are exchanged under the owner's lock
 * (HAZARDS: a slot replaced without its lock), released by the caller. */
MUST_CHECK kern_return_t exception_set_ports(struct exception_action *actions,
                                             struct spinlock *lock,
                                             exception_mask_t mask,
                                             mach_port_t handle,
                                             exception_behavior_t behavior,
                                             thread_state_flavor_t flavor);

/* The owner ends, or is made from a parent. */
void exception_release_ports(struct exception_action *actions);
void
exception_copy_ports(struct exception_action *to, struct exception_action *from,
                     struct spinlock *from_lock);

extern struct exception_action host_exceptions[EXC_TYPES_COUNT];
extern struct spinlock host_exceptions_lock;

#endif /* KERN_EXCEPTION_H */
