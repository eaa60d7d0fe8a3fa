/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_reply.h. */

#include <ipc/ipc_port.h>
#include <ipc/ipc_reply.h>
#include <ipc/ipc_space.h>
#include <kern/task.h>
#include <kern/thread.h>

static bool
reply_is_full(uint64_t slot)
{
    return IPC_REPLY_HANDLE(slot) != 0 && slot != IPC_REPLY_NONE;
}

/* The right comes out of the slot and into the entry. */
static void
reply_settle(struct ipc_space *space, struct ipc_entry *entry, uint64_t slot)
{
    entry->type = IE_SEND_ONCE;
    entry->generation = MACH_PORT_GEN(IPC_REPLY_NAME(slot));
    entry->object = ipc_port_from_handle(IPC_REPLY_HANDLE(slot));
    entry->request = NULL;
    entry->urefs = 1;
    space->count++;
}

/* The thread's slot, emptied if it is full; then it has no entry any more. */
static uint64_t
reply_take(struct thread *thread)
{
    uint64_t slot = atomic_load(&thread->reply);

    while (reply_is_full(slot) && !atomic_compare_exchange_weak(
                                      &thread->reply, &slot, IPC_REPLY_NONE)) {
    }

    return slot;
}

bool
ipc_reply_renew(struct thread *thread)
{
    struct ipc_space *space = thread->task->space;
    struct ipc_entry *entry;
    mach_port_name_t name;
    uint64_t slot;

    if (!spin_trylock(&space->lock)) {
        return false;
    }

    if (!space->active || space->free == 0 || space->count >= space->limit) {
        spin_unlock(&space->lock);
        return false;
    }

    slot = reply_take(thread);

    if (reply_is_full(slot)) {
        entry = ipc_entry_at(space, MACH_PORT_INDEX(IPC_REPLY_NAME(slot)));
        reply_settle(space, entry, slot);
        slot = IPC_REPLY_NONE;
    }

    if (slot == IPC_REPLY_NONE) {
        entry = ipc_entry_alloc(space, &name);
        space->count--; /* counted when it is a right */
        entry->type = IE_REPLY;
        entry->generation = IPC_ENTRY_NAMELESS;
        entry->object = thread;
        atomic_store(&thread->reply, IPC_REPLY_MAKE(name, 0));
    }

    spin_unlock(&space->lock);
    return true;
}

struct ipc_entry *
ipc_reply_settle(struct ipc_space *space, struct ipc_entry *entry,
                 mach_port_name_t name)
{
    struct thread *thread = entry->object;
    uint64_t slot = atomic_load(&thread->reply);

    if (IPC_REPLY_NAME(slot) != name || !reply_is_full(slot) ||
        !atomic_compare_exchange_strong(&thread->reply, &slot,
                                        IPC_REPLY_NONE)) {
        return NULL;
    }

    reply_settle(space, entry, slot);
    return entry;
}

/* A port that dies from now on leaves a dead right, as in any entry. */
bool
ipc_reply_fill(struct thread *self, struct ipc_port *port,
               mach_port_name_t *namep)
{
    const struct ipc_space *space = self->space;
    uint64_t slot;

    if (unlikely(space->count >= space->limit) || unlikely(!port->active) ||
        (self->reply_handle != 0 && !ipc_reply_renew(self))) {
        return false;
    }

    slot = IPC_REPLY_MAKE(self->reply_name, 0);

    if (unlikely(!atomic_compare_exchange_strong(
            &self->reply, &slot,
            IPC_REPLY_MAKE(self->reply_name, ipc_port_live_handle(port))))) {
        return false;
    }

    *namep = IPC_REPLY_NAME(slot);
    return true;
}

struct ipc_entry *
ipc_reply_reuse(struct ipc_space *space, mach_port_name_t *namep)
{
    struct thread *self = current_thread();
    mach_port_name_t name = self->reply_name;
    uint64_t slot = IPC_REPLY_MAKE(name, 0);

    if (self->space != space || self->reply_handle != 0 ||
        !atomic_compare_exchange_strong(&self->reply, &slot, IPC_REPLY_NONE)) {
        return NULL;
    }

    *namep = name;
    return ipc_entry_at(space, MACH_PORT_INDEX(name));
}

bool
ipc_reply_evict(struct ipc_entry *entry)
{
    struct thread *thread = entry->object;
    uint64_t slot = IPC_REPLY_MAKE(thread->reply_name, 0);

    return atomic_compare_exchange_strong(&thread->reply, &slot,
                                          IPC_REPLY_NONE);
}

void
ipc_reply_settle_all(struct ipc_space *space)
{
    struct ipc_entry *entry;
    struct thread *thread;

    for (uint32_t index = 1; index < space->size; index++) {
        entry = ipc_entry_at(space, index);

        if (entry->type == IE_REPLY) {
            thread = entry->object;
            (void)ipc_reply_settle(space, entry,
                                   IPC_REPLY_NAME(atomic_load(&thread->reply)));
        }
    }
}

void
ipc_reply_release(struct thread *thread)
{
    struct ipc_space *space = thread->task->space;
    struct ipc_entry *entry;
    mach_port_name_t name;
    uint64_t slot;

    spin_lock(&space->lock);
    slot = atomic_exchange(&thread->reply, IPC_REPLY_NONE);
    name = IPC_REPLY_NAME(slot);

    if (name != MACH_PORT_NULL) {
        entry = ipc_entry_at(space, MACH_PORT_INDEX(name));

        if (IPC_REPLY_HANDLE(slot) != 0) {
            reply_settle(space, entry, slot);
        } else {
            /* Nobody was ever given this name. */
            entry->generation = (uint16_t)(MACH_PORT_GEN(name) - 1);
            space->count++;
            ipc_entry_free(space, name, entry);
        }
    }

    spin_unlock(&space->lock);
}
