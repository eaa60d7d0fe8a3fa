/* SPDX-License-Identifier: MIT */
/*
 * The traps of <mach/syscall_numbers.h> and their table. Each takes up to six
 * words and returns what goes to rax; the entry code checks the number.
 */

#include <debug/assert.h>
#include <ipc/ipc_fast.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_space.h>
#include <kern/exception.h>
#include <kern/gsync.h>
#include <kern/host.h>
#include <kern/sched.h>
#include <kern/syscall.h>
#include <kern/task.h>
#include <mach/mach_port_server.h>
#include <mach/syscall_numbers.h>
#include <mach/vm_map_server.h>
#include <machine/context.h>
#include <machine/copy.h>
#include <machine/copy_message.h>
#include <machine/trap.h>
#include <vm/memory_entry.h>
#include <vm/vm_map.h>

#define NS_PER_MS 1000000ul

static uint64_t
trap_null(void)
{
    return KERN_SUCCESS;
}

/* -- Whose task ------------------------------------------------------------- */

/* The task that a trap is about, or NULL; for trap_task_done(). Mostly it is
 * the current one, which needs no reference. */
static inline struct task *
trap_task(mach_port_name_t name)
{
    struct task *self = current_thread()->task;
    struct ipc_space *space = self->space;
    struct ipc_entry *entry;
    struct task *task;
    bool mine;

    spin_lock(&space->lock);
    entry = ipc_entry_lookup_inline(space, name);
    mine = entry != NULL && (entry->type & IE_SEND) != 0 &&
           entry->object == self->self_port;
    spin_unlock(&space->lock);

    if (likely(mine)) {
        return self;
    }

    task = task_lookup(name);

    if (unlikely(task == self)) {
        task_unref(task);
    }

    return task;
}

static inline void
trap_task_done(struct task *task)
{
    if (unlikely(task != current_thread()->task)) {
        task_unref(task);
    }
}

/* A name to the caller; mostly to its stack, which is there. */
static inline bool
trap_copyout_name(mach_port_name_t name, vm_offset_t to)
{
    return (likely(copy_message_range(to)) &&
            likely(copyout_number(to, name))) ||
           copyout(&name, to, sizeof(name));
}

/* -- Names of what a task always has ---------------------------------------- */

/* A send right to the port, in the current space. */
static mach_port_name_t
self_name(struct ipc_port *right)
{
    mach_port_name_t name;

    if (ipc_right_copyout(current_thread()->task->space, right,
                          MACH_MSG_TYPE_PORT_SEND, &name) != KERN_SUCCESS) {
        return MACH_PORT_NULL;
    }

    return name;
}

static uint64_t
trap_task_self(void)
{
    struct task *task = current_thread()->task;
    struct ipc_port *right;

    cpu_interrupts_enable();
    spin_lock(&task->lock);
    right = ipc_port_make_send(task->self_port);
    spin_unlock(&task->lock);
    return self_name(right);
}

static uint64_t
trap_thread_self(void)
{
    struct thread *thread = current_thread();
    struct ipc_port *right;

    cpu_interrupts_enable();
    spin_lock(&thread->lock);
    right = ipc_port_make_send(thread->self_port);
    spin_unlock(&thread->lock);
    return self_name(right);
}

static uint64_t
trap_host_self(void)
{
    struct task *task = current_thread()->task;
    struct ipc_port *right;

    cpu_interrupts_enable();
    spin_lock(&task->lock);
    right = ipc_port_copy_send(task->special[TASK_HOST_PORT]);
    spin_unlock(&task->lock);
    return self_name(right);
}

static uint64_t
trap_reply_port(void)
{
    mach_port_name_t name;

    cpu_interrupts_enable();

    if (mach_port_allocate(current_thread()->task->space,
                           MACH_PORT_RIGHT_RECEIVE, &name) != KERN_SUCCESS) {
        return MACH_PORT_NULL;
    }

    return name;
}

/* -- Ports ------------------------------------------------------------------ */

static uint64_t
trap_port_allocate(mach_port_name_t target, mach_port_right_t right,
                   vm_offset_t namep)
{
    struct task *task = trap_task(target);
    mach_port_name_t name;
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = mach_port_allocate(task->space, right, &name);

    if (kr == KERN_SUCCESS && !trap_copyout_name(name, namep)) {
        (void)mach_port_destroy(task->space, name);
        kr = KERN_INVALID_ADDRESS;
    }

    trap_task_done(task);
    return (uint64_t)kr;
}

static uint64_t
trap_port_destroy(mach_port_name_t target, mach_port_name_t name)
{
    struct task *task = trap_task(target);
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = mach_port_destroy(task->space, name);
    trap_task_done(task);
    return (uint64_t)kr;
}

static uint64_t
trap_port_deallocate(mach_port_name_t target, mach_port_name_t name)
{
    struct task *task = trap_task(target);
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = mach_port_deallocate(task->space, name);
    trap_task_done(task);
    return (uint64_t)kr;
}

static uint64_t
trap_port_mod_refs(mach_port_name_t target, mach_port_name_t name,
                   mach_port_right_t right, mach_port_delta_t delta)
{
    struct task *task = trap_task(target);
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = mach_port_mod_refs(task->space, name, right, delta);
    trap_task_done(task);
    return (uint64_t)kr;
}

/* The right named `poly` in the caller's space, under `name` in the target. */
static uint64_t
trap_port_insert_right(mach_port_name_t target, mach_port_name_t name,
                       mach_port_name_t poly, mach_msg_type_name_t disposition)
{
    struct task *task = trap_task(target);
    struct ipc_port *port;
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = KERN_INVALID_VALUE;

    if (ipc_space_queued_over(current_thread()->task->space)) {
        kr = KERN_LIMIT_REACHED; /* a right can become one message more */
    } else if (MACH_MSG_TYPE_PORT_ANY(disposition)) {
        kr = ipc_right_copyin_name(current_thread()->task->space, poly,
                                   disposition, &port);
    }

    if (kr == KERN_SUCCESS) {
        kr = mach_port_insert_right(task->space, name, ipc_port_to_handle(port),
                                    ipc_right_received_type(disposition));

        if (kr != KERN_SUCCESS) {
            ipc_port_release(port, ipc_right_received_type(disposition));
        }
    }

    trap_task_done(task);
    return (uint64_t)kr;
}

/* -- Memory ----------------------------------------------------------------- */

/* The result could not be told: take the memory back. Whoever interferes
 * meanwhile only harms the same task. */
static void
vm_map_undo(struct vm_map *map, vm_offset_t address, vm_size_t size)
{
    kern_return_t kr = vm_map_remove(map, address, size);

    (void)kr;
}

static uint64_t
trap_vm_allocate(mach_port_name_t target, vm_offset_t addressp, vm_size_t size,
                 int flags)
{
    struct task *task = trap_task(target);
    vm_offset_t address;
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = KERN_INVALID_ADDRESS;

    if (copyin(addressp, &address, sizeof(address))) {
        kr = vm_map_allocate(task->map, &address, size, flags);
    }

    if (kr == KERN_SUCCESS && !copyout(&address, addressp, sizeof(address))) {
        vm_map_undo(task->map, address, size);
        kr = KERN_INVALID_ADDRESS;
    }

    trap_task_done(task);
    return (uint64_t)kr;
}

static uint64_t
trap_vm_deallocate(mach_port_name_t target, vm_offset_t address, vm_size_t size)
{
    struct task *task = trap_task(target);
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = vm_map_remove(task->map, address, size);
    trap_task_done(task);
    return (uint64_t)kr;
}

static uint64_t
trap_vm_protect(mach_port_name_t target, vm_offset_t address, vm_size_t size,
                boolean_t set_maximum, vm_prot_t protection)
{
    struct task *task = trap_task(target);
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = vm_map_protect(task->map, address, size, set_maximum != FALSE,
                        protection);
    trap_task_done(task);
    return (uint64_t)kr;
}

/* The port argument of the routine is a right that it consumes on success. */
static kern_return_t
vm_map_with_name(struct task *task, struct mach_vm_map_args *args)
{
    struct ipc_port *right = IP_NULL;
    kern_return_t kr;

    if (args->reserved != 0) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = ipc_right_copyin_name(current_thread()->task->space, args->object,
                               MACH_MSG_TYPE_COPY_SEND, &right);

    if (kr != KERN_SUCCESS) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = vm_map(task->map, &args->address, args->size, args->mask,
                (integer_t)args->flags, ipc_port_to_handle(right), args->offset,
                (boolean_t)args->copy, (vm_prot_t)args->cur_protection,
                (vm_prot_t)args->max_protection, args->inheritance);

    if (kr != KERN_SUCCESS) {
        ipc_port_release_send(right);
    }

    return kr;
}

static uint64_t
trap_vm_map(vm_offset_t argsp)
{
    struct mach_vm_map_args args;
    struct task *task;
    kern_return_t kr;

    cpu_interrupts_enable();

    if (!copyin(argsp, &args, sizeof(args))) {
        return KERN_INVALID_ADDRESS;
    }

    task = trap_task(args.target_task);

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = vm_map_with_name(task, &args);

    if (kr == KERN_SUCCESS && !copyout(&args, argsp, sizeof(args))) {
        vm_map_undo(task->map, args.address, args.size);
        kr = KERN_INVALID_ADDRESS;
    }

    trap_task_done(task);
    return (uint64_t)kr;
}

static uint64_t
trap_vm_read_overwrite(mach_port_name_t target, vm_offset_t address,
                       vm_size_t size, vm_offset_t data, vm_offset_t out_sizep)
{
    struct task *task = trap_task(target);
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = vm_map_read_bytes(task->map, address, data, size);
    trap_task_done(task);

    if (kr == KERN_SUCCESS && out_sizep != 0 &&
        !copyout(&size, out_sizep, sizeof(size))) {
        kr = KERN_INVALID_ADDRESS;
    }

    return (uint64_t)kr;
}

static uint64_t
trap_vm_write(mach_port_name_t target, vm_offset_t address, vm_offset_t data,
              vm_size_t size)
{
    struct task *task = trap_task(target);
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = vm_map_write_bytes(task->map, address, data, size);
    trap_task_done(task);
    return (uint64_t)kr;
}

/* -- Scheduling ------------------------------------------------------------- */

static void
switch_continue(struct thread *self)
{
    context_set_result(self, KERN_SUCCESS);
    thread_return();
}

static uint64_t
trap_swtch(void)
{
    cpu_interrupts_enable();
    sched_yield(switch_continue);
    return KERN_SUCCESS;
}

/* Hints only: whom to run instead is left to priorities. */
static uint64_t
trap_thread_switch(mach_port_name_t thread, int option, uint32_t msec)
{
    struct thread *self = current_thread();

    cpu_interrupts_enable();
    (void)thread;

    switch (option) {
    case SWITCH_OPTION_NONE:
    case SWITCH_OPTION_DEPRESS:
        return trap_swtch();
    case SWITCH_OPTION_WAIT:
        thread_wait_on(&self->wait_event, true,
                       msec == 0 ? 1 : msec * NS_PER_MS);
        thread_block(switch_continue);
        __builtin_unreachable();
    default:
        return KERN_INVALID_ARGUMENT;
    }
}

static uint64_t
trap_set_tls(uint64_t base)
{
    cpu_interrupts_enable();
    return (uint64_t)context_set_tls(current_thread(), base);
}

/* -- The table -------------------------------------------------------------- */

/* The table ends with trap -1: the entry code indexes it by the number. */
#define TRAP(number, function)                                                 \
    [(number)-MACH_TRAP_LAST] = (trap_fn_t)(uintptr_t)(function)

#define TRAP_NUMBER (-MACH_TRAP_LAST)

void
syscall_personality_call(void)
{
    struct thread *self = current_thread();

    exception_raise_user(self, EXC_SYSCALL, (int64_t)self->frame.rax, 0);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init" /* holes, then traps */

const trap_fn_t syscall_table[TRAP_NUMBER] = {
    [0 ... TRAP_NUMBER - 1] = (trap_fn_t)(uintptr_t)syscall_hole,
    TRAP(MACH_TRAP_NULL, trap_null),
    TRAP(MACH_TRAP_VM_ALLOCATE, trap_vm_allocate),
    TRAP(MACH_TRAP_VM_DEALLOCATE, trap_vm_deallocate),
    TRAP(MACH_TRAP_VM_PROTECT, trap_vm_protect),
    TRAP(MACH_TRAP_VM_MAP, trap_vm_map),
    TRAP(MACH_TRAP_PORT_ALLOCATE, trap_port_allocate),
    TRAP(MACH_TRAP_PORT_DESTROY, trap_port_destroy),
    TRAP(MACH_TRAP_PORT_DEALLOCATE, trap_port_deallocate),
    TRAP(MACH_TRAP_PORT_MOD_REFS, trap_port_mod_refs),
    TRAP(MACH_TRAP_PORT_INSERT_RIGHT, trap_port_insert_right),
    TRAP(MACH_TRAP_REPLY_PORT, trap_reply_port),
    TRAP(MACH_TRAP_THREAD_SELF, trap_thread_self),
    TRAP(MACH_TRAP_TASK_SELF, trap_task_self),
    TRAP(MACH_TRAP_HOST_SELF, trap_host_self),
    TRAP(MACH_TRAP_MSG, ipc_fast_trap),
    TRAP(MACH_TRAP_VM_READ_OVERWRITE, trap_vm_read_overwrite),
    TRAP(MACH_TRAP_VM_WRITE, trap_vm_write),
    TRAP(MACH_TRAP_SWTCH_PRI, trap_swtch),
    TRAP(MACH_TRAP_SWTCH, trap_swtch),
    TRAP(MACH_TRAP_THREAD_SWITCH, trap_thread_switch),
    TRAP(MACH_TRAP_GSYNC_WAIT, gsync_wait_trap),
    TRAP(MACH_TRAP_GSYNC_WAKE, gsync_wake_trap),
    TRAP(MACH_TRAP_THREAD_SET_TLS, trap_set_tls),
};

#pragma GCC diagnostic pop
