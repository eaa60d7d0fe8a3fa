/* SPDX-License-Identifier: MIT */
/*
 * The names. A service has its port from the start: who looks it up before
 * its server is there sends into its queue. When the server dies the receive
 * right comes back (port-destroyed notification), so that senders need not
 * look it up again after a restart.
 */

#ifndef SERVERS_BOOTSTRAP_SERVICE_H
#define SERVERS_BOOTSTRAP_SERVICE_H

#include "bootstrap_client.h"

struct service {
    const char *name;
    const struct manifest_server *owner;
    mach_port_t port; /* receive right while idle, else a send right */
    bool active;      /* checked in or registered */
    bool registered;  /* the port is another's: not ours to take back */
};

void service_setup(const struct manifest *manifest);

struct service *service_lookup(const char *name);
bool service_all_active(const struct manifest_server *owner);

/* Check in: gives the receive right away. */
kern_return_t service_check_in(struct service *service, mach_port_t *portp);

/* Takes over a send right. */
kern_return_t service_register(struct service *service, mach_port_t port);

/* Notifications: a receive right that came back, a name that died. */
void service_returned(mach_port_t port);
void service_died(mach_port_t name);

/* "service server state" lines of what the client may look up. */
size_t
service_list(const struct manifest_server *grants, char *text, size_t size);

#endif /* SERVERS_BOOTSTRAP_SERVICE_H */
