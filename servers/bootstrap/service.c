/* SPDX-License-Identifier: MIT */
/* The table of services: every name that some server may check in. */

#include <stdio.h>
#include <string.h>

#include <mach/mach.h>

#include "bootstrap.h"
#include "service.h"

#define SERVICES_MAX (MANIFEST_SERVERS_MAX * MANIFEST_GRANTS_MAX)

static struct service services[SERVICES_MAX];
static unsigned int service_count;

/* A port with a receive and a send right under one name; the send right is
 * what look-ups copy. */
static mach_port_t
service_port_create(void)
{
    mach_port_t port;

    if (mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) !=
        KERN_SUCCESS) {
        return MACH_PORT_NULL;
    }

    if (mach_port_insert_right(mach_task_self(), port, port,
                               MACH_MSG_TYPE_MAKE_SEND) != KERN_SUCCESS) {
        (void)mach_port_destroy(mach_task_self(), port);
        return MACH_PORT_NULL;
    }

    return port;
}

void
service_setup(const struct manifest *manifest)
{
    for (unsigned int i = 0; i < manifest->count; i++) {
        const struct manifest_server *server = &manifest->servers[i];

        for (unsigned int j = 0; j < server->check_in_count; j++) {
            struct service *service = &services[service_count];

            service->name = server->check_in[j];
            service->owner = server;
            service->port = service_port_create();

            if (service->port == MACH_PORT_NULL) {
                bootstrap_panic("no port for the service %s", service->name);
            }

            service_count++;
        }
    }
}

struct service *
service_lookup(const char *name)
{
    for (unsigned int i = 0; i < service_count; i++) {
        if (strcmp(services[i].name, name) == 0) {
            return &services[i];
        }
    }

    return NULL;
}

static struct service *
service_by_port(mach_port_t port)
{
    for (unsigned int i = 0; i < service_count; i++) {
        if (services[i].port == port) {
            return &services[i];
        }
    }

    return NULL;
}

bool
service_all_active(const struct manifest_server *owner)
{
    for (unsigned int i = 0; i < service_count; i++) {
        if (services[i].owner == owner && !services[i].active) {
            return false;
        }
    }

    return true;
}

kern_return_t
service_check_in(struct service *service, mach_port_t *portp)
{
    mach_port_t previous;

    if (service->active) {
        return BOOTSTRAP_SERVICE_ACTIVE;
    }

    /* When the holder dies the right comes back to us. */
    if (mach_port_request_notification(
            mach_task_self(), service->port, MACH_NOTIFY_PORT_DESTROYED, 0,
            bootstrap_notify, MACH_MSG_TYPE_MAKE_SEND_ONCE,
            &previous) != KERN_SUCCESS) {
        return BOOTSTRAP_NO_MEMORY;
    }

    *portp = service->port;
    service->active = true;
    return KERN_SUCCESS;
}

kern_return_t
service_register(struct service *service, mach_port_t port)
{
    mach_port_t previous;

    if (service->active) {
        return BOOTSTRAP_SERVICE_ACTIVE;
    }

    if (!MACH_PORT_VALID(port)) {
        return BOOTSTRAP_BAD_NAME;
    }

    if (mach_port_request_notification(
            mach_task_self(), port, MACH_NOTIFY_DEAD_NAME, 0, bootstrap_notify,
            MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) != KERN_SUCCESS) {
        return BOOTSTRAP_BAD_NAME;
    }

    /* Nobody waits in the queue of a name that is served elsewhere. */
    (void)mach_port_destroy(mach_task_self(), service->port);
    service->port = port;
    service->active = true;
    service->registered = true;
    return KERN_SUCCESS;
}

void
service_returned(mach_port_t port)
{
    struct service *service = service_by_port(port);

    if (service == NULL || service->registered) {
        (void)mach_port_mod_refs(mach_task_self(), port,
                                 MACH_PORT_RIGHT_RECEIVE, -1);
        return;
    }

    service->active = false;
}

void
service_died(mach_port_t name)
{
    struct service *service = service_by_port(name);

    if (service == NULL) {
        return;
    }

    (void)mach_port_destroy(mach_task_self(), name);
    service->port = service_port_create();
    service->active = false;
    service->registered = false;
}

size_t
service_list(const struct manifest_server *grants, char *text, size_t size)
{
    size_t used = 0;

    for (unsigned int i = 0; i < service_count; i++) {
        const struct service *service = &services[i];
        int length;

        if (!manifest_may_look_up(grants, service->name) &&
            !manifest_may_check_in(grants, service->name)) {
            continue;
        }

        length = snprintf(text + used, size - used, "%s %s %s\n", service->name,
                          service->owner->name,
                          service->active ? "active" : "inactive");

        if (length < 0 || (size_t)length >= size - used) {
            break;
        }

        used += (size_t)length;
    }

    return used;
}
