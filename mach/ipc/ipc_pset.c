/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_pset.h. */

#include <debug/assert.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/mach_msg.h>
#include <kern/slab.h>
#include <kern/thread.h>
#include <machine/cpu.h>

static struct slab_cache pset_cache;

void
ipc_pset_setup(void)
{
    slab_cache_init(&pset_cache, "ipc_pset", sizeof(struct ipc_pset), 64);
}

struct ipc_pset *
ipc_pset_create(mach_port_name_t name)
{
    struct ipc_pset *pset = slab_alloc(&pset_cache);

    if (pset == NULL) {
        return NULL;
    }

    spin_init(&pset->lock, LOCK_RANK_PSET);
    refcount_init(&pset->refs, 1);
    pset->active = true;
    pset->name = name;
    list_init(&pset->members);
    list_init(&pset->ready);
    list_init(&pset->receivers);
    return pset;
}

void
ipc_pset_ref(struct ipc_pset *pset)
{
    refcount_ref(&pset->refs);
}

void
ipc_pset_unref(struct ipc_pset *pset)
{
    if (refcount_unref(&pset->refs)) {
        slab_free(&pset_cache, pset);
    }
}

void
ipc_pset_add(struct ipc_pset *pset, struct ipc_port *port)
{
    assert(port->pset == NULL);
    port->pset = pset;
    ipc_pset_ref(pset); /* ref: the member */
    list_insert_tail(&pset->members, &port->pset_link);
    ipc_mqueue_wake_receivers(&port->receivers, MACH_RCV_PORT_CHANGED);

    if (port->msgcount != 0) {
        list_insert_tail(&pset->ready, &port->ready_link);
    }
}

void
ipc_pset_remove(struct ipc_port *port)
{
    struct ipc_pset *pset = port->pset;

    if (pset == NULL) {
        return;
    }

    spin_lock(&pset->lock);
    list_remove(&port->pset_link);
    list_remove(&port->ready_link);
    port->pset = NULL;
    spin_unlock(&pset->lock);
    ipc_pset_unref(pset);
}

/* Ports come before sets in the lock order, so each member is taken with a
 * reference, and looked at again under both locks. */
void
ipc_pset_destroy(struct ipc_pset *pset)
{
    struct ipc_port *port;

    if (current_thread()->receive.pset == pset) {
        mach_msg_receive_forget(current_thread());
    }

    spin_lock(&pset->lock);
    pset->active = false;

    while (!list_empty(&pset->members)) {
        port =
            list_entry(list_first(&pset->members), struct ipc_port, pset_link);
        ipc_port_ref(port);
        spin_unlock(&pset->lock);
        spin_lock(&port->lock);

        if (port->pset == pset) {
            ipc_pset_remove(port);
        }

        spin_unlock(&port->lock);
        ipc_port_unref(port);
        spin_lock(&pset->lock);
    }

    ipc_mqueue_wake_receivers(&pset->receivers, MACH_RCV_PORT_DIED);
    spin_unlock(&pset->lock);
    ipc_pset_unref(pset);
}
