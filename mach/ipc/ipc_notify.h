/* SPDX-License-Identifier: MIT */
/*
 * Notifications: each consumes the send-once right it is sent to. IP_NULL and
 * IP_DEAD are ignored. No locks held.
 */

#ifndef IPC_IPC_NOTIFY_H
#define IPC_IPC_NOTIFY_H

#include <stdbool.h>

#include <kern/macros.h>
#include <mach/port.h>

struct ipc_port;
struct ipc_dnrequest;

void ipc_notify_setup(void);

void ipc_notify_port_deleted(struct ipc_port *notify, mach_port_name_t name);
void ipc_notify_dead_name(struct ipc_port *notify, mach_port_name_t name);
void
ipc_notify_no_senders(struct ipc_port *notify, mach_port_mscount_t mscount);
void ipc_notify_send_once(struct ipc_port *notify);

/* The receive right goes along. */
void ipc_notify_port_destroyed(struct ipc_port *notify, struct ipc_port *port);

/* The port died: tell those who asked. */
void ipc_notify_port_dead(struct ipc_port *port);

/* The port may have room: tell those who found its queue full. */
void ipc_notify_possible(struct ipc_port *port);

/* A request, NULL when memory is short. Takes the right over. */
MUST_CHECK struct ipc_dnrequest *
ipc_dnrequest_create(mach_port_name_t name, struct ipc_port *notify,
                     bool send_possible);
void ipc_dnrequest_free(struct ipc_dnrequest *request);

#endif /* IPC_IPC_NOTIFY_H */
