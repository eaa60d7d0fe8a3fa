/* SPDX-License-Identifier: MIT */
/*
 * Ports that stand for kernel objects: requests to them, and conversions
 * between port and object. A conversion takes the type it expects and gives a
 * typed, counted reference or NULL.
 */

#ifndef IPC_IPC_KOBJECT_H
#define IPC_IPC_KOBJECT_H

#include <kern/macros.h>
#include <kern/mig_types.h>
#include <mach/message.h>
#include <mach/mig_errors.h>

struct ipc_kmsg;
struct ipc_port;
struct routine_descriptor;

/* Serve a request to a kernel port and send the reply. Consumes it. */
void ipc_kobject_server(struct ipc_kmsg *kmsg);

/* For ipc_fast_kernel.c: the routine of a message's id, or NULL. */
const struct routine_descriptor *ipc_kobject_routine(mach_msg_id_t id);

/* The destination's right has served in a request to which the routine said
 * kr. */
void ipc_kobject_served(struct ipc_port *port, mach_msg_type_name_t type,
                        kern_return_t kr);

/* A reply to the request, both in the form of the kernel, that says so far
 * MIG_BAD_ID. */
static inline void
ipc_kobject_prepare(const mach_msg_header_t *request, mach_msg_header_t *reply)
{
    reply->msgh_bits =
        MACH_MSGH_BITS(MACH_MSGH_BITS_LOCAL(request->msgh_bits), 0);
    reply->msgh_size = sizeof(mig_reply_error_t);
    reply->msgh_remote_port = request->msgh_local_port;
    reply->msgh_local_port = MACH_PORT_NULL;
    reply->msgh_voucher_port = 0;
    reply->msgh_id = (mach_msg_id_t)(request->msgh_id + 100u);
    ((mig_reply_error_t *)reply)->RetCode = MIG_BAD_ID;
}

/* The last send right to a kernel port is gone. No locks held. */
void ipc_kobject_no_senders(struct ipc_port *port);

/* Release a right that came in a request, by its received disposition. */
void ipc_handle_release(mach_port_t handle, mach_msg_type_name_t disposition);

/* Handle of a request to object; none of them consumes a right. */
task_t convert_port_to_task(mach_port_t handle);
ipc_space_t convert_port_to_space(mach_port_t handle);
vm_task_t convert_port_to_map(mach_port_t handle);
thread_t convert_port_to_thread(mach_port_t handle);
host_t convert_port_to_host(mach_port_t handle);
host_priv_t convert_port_to_host_priv(mach_port_t handle);
host_security_t convert_port_to_host_security(mach_port_t handle);
device_master_t convert_port_to_device_master(mach_port_t handle);
interrupt_t convert_port_to_interrupt(mach_port_t handle);
memory_entry_t convert_port_to_memory_entry(mach_port_t handle);
exception_reply_t convert_port_to_exception(mach_port_t handle);

/* The same from the name of a send right of the current task: for traps. */
struct ipc_port *ipc_kobject_lookup(mach_port_name_t name);
task_t task_lookup(mach_port_name_t name);

/* Object to handle of a new send right; the reference is consumed. */
mach_port_t convert_task_to_port(task_t task);
mach_port_t convert_thread_to_port(thread_t thread);
mach_port_t convert_memory_entry_to_port(memory_entry_t entry);
mach_port_t convert_interrupt_to_port(interrupt_t interrupt);

/* Drop the reference of a conversion; NULL is ignored. */
void task_deallocate(task_t task);
void space_deallocate(ipc_space_t space);
void vm_map_deallocate(vm_task_t map);
void thread_deallocate(thread_t thread);
void interrupt_deallocate(interrupt_t interrupt);
void memory_entry_deallocate(memory_entry_t entry);

#endif /* IPC_IPC_KOBJECT_H */
