/* SPDX-License-Identifier: MIT */
/* The message trap, and messages that the kernel sends. */

#ifndef IPC_MACH_MSG_H
#define IPC_MACH_MSG_H

#include <mach/message.h>

/*
 * The trap's general path, entered with interrupts off; arguments as in
 * <mach/syscall_numbers.h>: sizes = send | receive << 32, names = receive |
 * notify << 32, timeout in ms, receive_buffer 0: the same buffer.
 */
mach_msg_return_t
mach_msg_trap(vm_offset_t buffer, mach_msg_option_t option, uint64_t sizes,
              uint64_t names, uint64_t timeout, vm_offset_t receive_buffer);

/* How a receive that waited goes on: for the fast path. */
struct thread;
void mach_msg_receive_continue(struct thread *self);

/*
 * What `name` is, a receive right or a port set, goes with a reference to
 * self->receive, in the place of what was there. Whether it still is that
 * is checked under its lock at each use.
 *
 * Returns: MACH_MSG_SUCCESS; MACH_RCV_INVALID_NAME, nothing is there then.
 * Locks: takes the space's; none held.
 */
mach_msg_return_t
mach_msg_receive_find(struct thread *self, mach_port_name_t name);

/*
 * The same for the send right called `name`, to self->destination;
 * ipc_port_none if it is none. Locks: takes the space's; none held.
 */
struct ipc_port *
mach_msg_destination_find(struct thread *self, mach_port_name_t name);

/* Empty self->receive. */
void mach_msg_receive_forget(struct thread *self);

/* The current thread ends: what it kept for messages. */
void mach_msg_thread_end(struct thread *self);

/*
 * For stubs that run in the kernel: port fields are handles with rights that
 * the message takes along; msgh_bits has received dispositions. Queue limits
 * do not count. MACH_SEND_NO_BUFFER: nothing was consumed.
 */
mach_msg_return_t
mach_msg_send_from_kernel(mach_msg_header_t *message, mach_msg_size_t size);

#endif /* IPC_MACH_MSG_H */
