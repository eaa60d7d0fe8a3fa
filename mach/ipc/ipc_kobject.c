/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_kobject.h. */

#include <debug/assert.h>
#include <device/grant.h>
#include <device/interrupt.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_mqueue.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_space.h>
#include <kern/exception.h>
#include <kern/host.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <vm/memory_entry.h>
#include <vm/vm_map.h>

extern const struct mig_subsystem host_security_subsystem, mach_host_subsystem,
    exc_reply_subsystem, device_grant_subsystem, mach_port_subsystem,
    task_subsystem, thread_act_subsystem, vm_map_subsystem,
    memory_entry_subsystem;

/* The kernel's interfaces, the busiest first. */
static const struct mig_subsystem *const subsystems[] = {
    &mach_port_subsystem,    &vm_map_subsystem,       &task_subsystem,
    &thread_act_subsystem,   &exc_reply_subsystem,    &mach_host_subsystem,
    &memory_entry_subsystem, &device_grant_subsystem, &host_security_subsystem,
};

const struct routine_descriptor *
ipc_kobject_routine(mach_msg_id_t id)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(subsystems); i++) {
        if (id >= subsystems[i]->start && id < subsystems[i]->end) {
            return &subsystems[i]->routine[id - subsystems[i]->start];
        }
    }

    return NULL;
}

static kern_return_t
kobject_call(const struct routine_descriptor *routine,
             mach_msg_header_t *request, mach_msg_header_t *reply)
{
    if (routine == NULL || routine->stub_routine == NULL) {
        return MIG_BAD_ID; /* and so says the reply */
    }

    routine->stub_routine(request, reply);

    if (MACH_MSGH_BITS_IS_COMPLEX(reply->msgh_bits)) {
        return KERN_SUCCESS;
    }

    return ((mig_reply_error_t *)reply)->RetCode;
}

void
ipc_kobject_served(struct ipc_port *port, mach_msg_type_name_t type,
                   kern_return_t kr)
{
    if (type != MACH_MSG_TYPE_PORT_SEND_ONCE) {
        ipc_port_release_send(port);
        return;
    }

    if (kr != KERN_SUCCESS) {
        exception_reply_failed(port);
    }

    ipc_port_consume_sonce(port);
}

/*
 * Of the request the routine owns the body if it succeeded; the destination
 * right is spent; the reply right goes with the reply.
 */
static void
kobject_finish_request(struct ipc_kmsg *request, kern_return_t kr)
{
    struct ipc_port *port =
        ipc_port_from_handle(request->header.msgh_remote_port);

    if (kr != KERN_SUCCESS && kr != MIG_NO_REPLY) {
        ipc_kmsg_clean_body(request);
    }

    ipc_kobject_served(port, MACH_MSGH_BITS_REMOTE(request->header.msgh_bits),
                       kr);
    ipc_kmsg_free(request);
}

void
ipc_kobject_server(struct ipc_kmsg *request)
{
    const struct routine_descriptor *routine =
        ipc_kobject_routine(request->header.msgh_id);
    mach_msg_size_t size = sizeof(mig_reply_error_t);
    struct ipc_port *reply_port;
    struct ipc_kmsg *reply;
    kern_return_t kr;

    if (routine != NULL && routine->max_reply_msg > size) {
        size = routine->max_reply_msg;
    }

    reply = ipc_kmsg_alloc(size);

    if (reply == NULL) {
        /* The client sees its reply right die. */
        ipc_kmsg_destroy(request);
        return;
    }

    ipc_kobject_prepare(&request->header, &reply->header);
    kr = kobject_call(routine, &request->header, &reply->header);
    kobject_finish_request(request, kr);
    reply_port = ipc_port_from_handle(reply->header.msgh_remote_port);

    if (!IP_VALID(reply_port) || kr == MIG_NO_REPLY) {
        ipc_kmsg_clean_body(reply);
        ipc_kmsg_free(reply);
        return;
    }

    ipc_kmsg_transit(reply);
    reply->header.msgh_bits |= MACH_MSGH_BITS_KERNEL;

    if (ipc_mqueue_send(reply, true, NULL) != IPC_MQUEUE_SENT) {
        panic("ipc_kobject: a forced reply was refused");
    }
}

void
ipc_kobject_no_senders(struct ipc_port *port)
{
    enum ipc_kobject_type type;
    void *kobject;

    /* Objects whose only purpose is to be named end here. A new send right
     * can't be made meanwhile: nobody holds one to copy, and the kernel makes
     * theirs only at creation. */
    spin_lock(&port->lock);
    type = port->kobject_type;
    kobject = port->kobject;

    if (port->active && port->srights == 0 && type == IKOT_TASK) {
        task_ref(kobject);
        spin_unlock(&port->lock);
        task_no_senders(kobject);
        task_unref(kobject);
        return;
    }

    if (!port->active || port->srights != 0 ||
        (type != IKOT_MEMORY_ENTRY && type != IKOT_IO_PERM &&
         type != IKOT_INTERRUPT)) {
        spin_unlock(&port->lock);
        return;
    }

    port->kobject_type = IKOT_NONE;
    port->kobject = NULL;
    spin_unlock(&port->lock);

    switch (type) {
    case IKOT_MEMORY_ENTRY:
        memory_entry_unref(kobject);
        break;
    case IKOT_IO_PERM:
        io_perm_destroy(kobject);
        break;
    default:
        interrupt_no_senders(kobject);
        break;
    }

    ipc_port_destroy(port);
}

void
ipc_handle_release(mach_port_t handle, mach_msg_type_name_t disposition)
{
    ipc_port_release(ipc_port_from_handle(handle), disposition);
}

/* -- Port to object --------------------------------------------------------- */

/* The object of a live port of this type, its reference taken by `ref` under
 * the port's lock. */
static void *
kobject_get(mach_port_t handle, enum ipc_kobject_type type,
            void (*ref)(void *object))
{
    struct ipc_port *port = ipc_port_from_handle(handle);
    void *object = NULL;

    if (!IP_VALID(port)) {
        return NULL;
    }

    spin_lock(&port->lock);

    if (port->active && port->kobject_type == type) {
        object = port->kobject;

        if (ref != NULL) {
            ref(object);
        }
    }

    spin_unlock(&port->lock);
    return object;
}

static void
ref_task(void *object)
{
    task_ref(object);
}

static void
ref_space(void *object)
{
    ipc_space_ref(((struct task *)object)->space);
}

static void
ref_map(void *object)
{
    vm_map_ref(((struct task *)object)->map);
}

static void
ref_thread(void *object)
{
    thread_ref(object);
}

static void
ref_interrupt(void *object)
{
    interrupt_ref(object);
}

static void
ref_memory_entry(void *object)
{
    memory_entry_ref(object);
}

task_t
convert_port_to_task(mach_port_t handle)
{
    return kobject_get(handle, IKOT_TASK, ref_task);
}

ipc_space_t
convert_port_to_space(mach_port_t handle)
{
    struct task *task = kobject_get(handle, IKOT_TASK, ref_space);

    return task == NULL ? NULL : task->space;
}

vm_task_t
convert_port_to_map(mach_port_t handle)
{
    struct task *task = kobject_get(handle, IKOT_TASK, ref_map);

    return task == NULL ? NULL : task->map;
}

thread_t
convert_port_to_thread(mach_port_t handle)
{
    return kobject_get(handle, IKOT_THREAD, ref_thread);
}

exception_reply_t
convert_port_to_exception(mach_port_t handle)
{
    return kobject_get(handle, IKOT_EXCEPTION_REPLY, ref_thread);
}

interrupt_t
convert_port_to_interrupt(mach_port_t handle)
{
    return kobject_get(handle, IKOT_INTERRUPT, ref_interrupt);
}

memory_entry_t
convert_port_to_memory_entry(mach_port_t handle)
{
    return kobject_get(handle, IKOT_MEMORY_ENTRY, ref_memory_entry);
}

/* The privileged port can do all that the other can. */
host_t
convert_port_to_host(mach_port_t handle)
{
    struct host *host = kobject_get(handle, IKOT_HOST, NULL);

    return host != NULL ? host : kobject_get(handle, IKOT_HOST_PRIV, NULL);
}

host_priv_t
convert_port_to_host_priv(mach_port_t handle)
{
    return kobject_get(handle, IKOT_HOST_PRIV, NULL);
}

host_security_t
convert_port_to_host_security(mach_port_t handle)
{
    return kobject_get(handle, IKOT_HOST_SECURITY, NULL);
}

device_master_t
convert_port_to_device_master(mach_port_t handle)
{
    return kobject_get(handle, IKOT_DEVICE_MASTER, NULL);
}

struct ipc_port *
ipc_kobject_lookup(mach_port_name_t name)
{
    struct ipc_space *space = current_thread()->task->space;
    struct ipc_port *port = NULL;
    struct ipc_entry *entry;

    spin_lock(&space->lock);
    entry = ipc_entry_lookup(space, name);

    if (entry != NULL && (entry->type & IE_SEND) != 0) {
        port = entry->object;
        ipc_port_ref(port);
    }

    spin_unlock(&space->lock);
    return port;
}

task_t
task_lookup(mach_port_name_t name)
{
    struct task *self = current_thread()->task;
    struct ipc_port *port;
    struct task *task;

    port = ipc_kobject_lookup(name);

    if (port == NULL) {
        return NULL;
    }

    if (port == self->self_port) {
        task_ref(self);
        task = self;
    } else {
        task = convert_port_to_task(ipc_port_to_handle(port));
    }

    ipc_port_unref(port);
    return task;
}

/* -- Object to port --------------------------------------------------------- */

mach_port_t
convert_task_to_port(task_t task)
{
    struct ipc_port *port;

    spin_lock(&task->lock);
    port = ipc_port_make_send(task->self_port);
    spin_unlock(&task->lock);
    task_unref(task);
    return ipc_port_to_handle(port);
}

mach_port_t
convert_thread_to_port(thread_t thread)
{
    struct ipc_port *port;

    spin_lock(&thread->lock);
    port = ipc_port_make_send(thread->self_port);
    spin_unlock(&thread->lock);
    thread_unref(thread);
    return ipc_port_to_handle(port);
}

/* The port takes the reference over. */
static mach_port_t
kobject_name(enum ipc_kobject_type type, void *object, struct ipc_port **portp)
{
    struct ipc_port *port = ipc_port_create_kernel(type, object);

    *portp = port;
    return ipc_port_to_handle(ipc_port_make_send(port));
}

mach_port_t
convert_memory_entry_to_port(memory_entry_t entry)
{
    struct ipc_port *port;
    mach_port_t handle = kobject_name(IKOT_MEMORY_ENTRY, entry, &port);

    if (port == NULL) {
        memory_entry_unref(entry);
    }

    return handle;
}

mach_port_t
convert_interrupt_to_port(interrupt_t interrupt)
{
    mach_port_t handle =
        kobject_name(IKOT_INTERRUPT, interrupt, &interrupt->port);

    if (interrupt->port == NULL) {
        interrupt_no_senders(interrupt);
    }

    return handle;
}

void
task_deallocate(task_t task)
{
    if (task != NULL) {
        task_unref(task);
    }
}

void
space_deallocate(ipc_space_t space)
{
    if (space != NULL) {
        ipc_space_unref(space);
    }
}

void
vm_map_deallocate(vm_task_t map)
{
    if (map != NULL) {
        vm_map_unref(map);
    }
}

void
thread_deallocate(thread_t thread)
{
    if (thread != NULL) {
        thread_unref(thread);
    }
}

void
interrupt_deallocate(interrupt_t interrupt)
{
    if (interrupt != NULL) {
        interrupt_unref(interrupt);
    }
}

void
memory_entry_deallocate(memory_entry_t entry)
{
    if (entry != NULL) {
        memory_entry_unref(entry);
    }
}
