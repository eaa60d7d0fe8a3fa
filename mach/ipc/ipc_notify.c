/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_notify.h. The stubs come from <mach/notify.defs>. */

#include <debug/printf.h>
#include <ipc/ipc_notify.h>
#include <ipc/ipc_port.h>
#include <kern/slab.h>
#include <mach/notify_user.h>

static struct slab_cache request_cache;

void
ipc_notify_setup(void)
{
    slab_cache_init(&request_cache, "ipc_dnrequest",
                    sizeof(struct ipc_dnrequest), 16);
}

/* Kernel memory comes from the reserve here, so a failure means that even
 * that is gone: the right is lost with a word on the console. */
static void
notify_sent(kern_return_t kr, struct ipc_port *notify)
{
    if (kr != KERN_SUCCESS) {
        printf("ipc: out of memory, a notification is lost\n");
        ipc_port_consume_sonce(notify);
    }
}

void
ipc_notify_port_deleted(struct ipc_port *notify, mach_port_name_t name)
{
    if (IP_VALID(notify)) {
        notify_sent(mach_notify_port_deleted(ipc_port_to_handle(notify), name),
                    notify);
    }
}

void
ipc_notify_dead_name(struct ipc_port *notify, mach_port_name_t name)
{
    if (IP_VALID(notify)) {
        notify_sent(mach_notify_dead_name(ipc_port_to_handle(notify), name),
                    notify);
    }
}

void
ipc_notify_no_senders(struct ipc_port *notify, mach_port_mscount_t mscount)
{
    if (IP_VALID(notify)) {
        notify_sent(mach_notify_no_senders(ipc_port_to_handle(notify), mscount),
                    notify);
    }
}

void
ipc_notify_send_once(struct ipc_port *notify)
{
    if (IP_VALID(notify)) {
        notify_sent(mach_notify_send_once(ipc_port_to_handle(notify)), notify);
    }
}

void
ipc_notify_port_destroyed(struct ipc_port *notify, struct ipc_port *port)
{
    kern_return_t kr;

    if (!IP_VALID(notify)) {
        ipc_port_destroy(port);
        return;
    }

    if (!ipc_port_transit(port, notify)) {
        ipc_port_destroy(port);
        ipc_port_release_sonce(notify);
        return;
    }

    kr = mach_notify_port_destroyed(ipc_port_to_handle(notify),
                                    ipc_port_to_handle(port));
    notify_sent(kr, notify);

    if (kr != KERN_SUCCESS) {
        ipc_port_arrived(port);
        ipc_port_destroy(port); /* for good: nobody will get it */
    }
}

/*
 * Take the first request of the locked port. The right is then the caller's;
 * the request stays with its name, unless that has gone.
 */
static struct ipc_port *
request_tell(struct ipc_port *port, mach_port_name_t *namep)
{
    struct ipc_dnrequest *request =
        list_entry(list_first(&port->dnrequests), struct ipc_dnrequest, link);
    struct ipc_port *notify = request->notify;

    list_remove(&request->link);
    request->notify = IP_NULL;
    *namep = request->name;

    if (request->forgotten) {
        ipc_dnrequest_free(request);
    }

    return notify;
}

void
ipc_notify_port_dead(struct ipc_port *port)
{
    struct ipc_port *notify;
    mach_port_name_t name;

    spin_lock(&port->lock);

    while (!list_empty(&port->dnrequests)) {
        notify = request_tell(port, &name);
        spin_unlock(&port->lock);
        ipc_notify_dead_name(notify, name);
        spin_lock(&port->lock);
    }

    spin_unlock(&port->lock);
}

void
ipc_notify_possible(struct ipc_port *port)
{
    struct ipc_dnrequest *request;
    struct ipc_port *notify;
    mach_port_name_t name;

    spin_lock(&port->lock);

    while (port->active && port->armed && port->msgcount < port->qlimit) {
        request = list_entry(list_first(&port->dnrequests),
                             struct ipc_dnrequest, link);
        request->possible = true;
        notify = request_tell(port, &name);
        port->armed = !list_empty(&port->dnrequests) &&
                      list_entry(list_first(&port->dnrequests),
                                 struct ipc_dnrequest, link)
                          ->armed;
        spin_unlock(&port->lock);
        notify_sent(mach_notify_send_possible(ipc_port_to_handle(notify), name),
                    notify);
        spin_lock(&port->lock);
    }

    spin_unlock(&port->lock);
}

struct ipc_dnrequest *
ipc_dnrequest_create(mach_port_name_t name, struct ipc_port *notify,
                     bool send_possible)
{
    struct ipc_dnrequest *request = slab_alloc(&request_cache);

    if (request != NULL) {
        list_init(&request->link);
        request->name = name;
        request->notify = notify;
        request->send_possible = send_possible;
    }

    return request;
}

void
ipc_dnrequest_free(struct ipc_dnrequest *request)
{
    slab_free(&request_cache, request);
}
