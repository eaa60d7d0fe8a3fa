/* SPDX-License-Identifier: MIT */
/* See kern/task.h; the routines of <mach/task.defs> are at the end. */

#include <debug/assert.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_space.h>
#include <kern/clock.h>
#include <kern/exception.h>
#include <kern/host.h>
#include <kern/sched.h>
#include <kern/slab.h>
#include <kern/string.h>
#include <kern/task.h>
#include <mach/task_server.h>
#include <machine/context.h>
#include <machine/cpu.h>
#include <machine/pmap.h>
#include <vm/vm_copy.h>
#include <vm/vm_map.h>

struct task *kernel_task;
struct list task_list;
struct spinlock task_list_lock;

static struct slab_cache task_cache;
static struct slab_cache io_cache;
static uint32_t task_last_number; /* task_list_lock */

void
task_setup(void)
{
    slab_cache_init(&task_cache, "task", sizeof(struct task), 64);
    slab_cache_init(&io_cache, "io_perms", sizeof(struct io_perms), 16);
    spin_init(&task_list_lock, LOCK_RANK_HOST);
    list_init(&task_list);

    if (task_create_internal(NULL, false, &kernel_task) != KERN_SUCCESS) {
        panic("task: no memory for the kernel task");
    }

    kernel_task->vm_privilege = true;
    kernel_task->max_priority = THREAD_PRIORITY_MAX;
}

uint64_t
task_count(void)
{
    return slab_count(&task_cache);
}

void
task_ref(struct task *task)
{
    refcount_ref(&task->refs);
}

static void
task_free(struct task *task)
{
    if (task->map != NULL) {
        vm_map_unref(task->map);
    }

    if (task->space != NULL) {
        ipc_space_unref(task->space);
    }

    if (task->io_perms != NULL) {
        slab_free(&io_cache, task->io_perms);
    }

    slab_free(&task_cache, task);
}

void
task_unref(struct task *task)
{
    if (refcount_unref(&task->refs)) {
        task_free(task);
    }
}

static kern_return_t
task_create_map(struct task *parent, bool inherit_memory, struct task *task)
{
    struct pmap *pmap;

    if (inherit_memory) {
        return vm_map_fork(parent->map, &task->map);
    }

    pmap = pmap_create();

    if (pmap == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    task->map = vm_map_create(pmap);

    if (task->map == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    if (parent != NULL) {
        vm_map_set_limit(task->map, vm_map_limit(parent->map));
    }

    return KERN_SUCCESS;
}

/* What a child has of its parent beside memory. */
static void
task_inherit(struct task *parent, struct task *task)
{
    spin_lock(&parent->lock);
    task->priority = parent->priority;
    task->max_priority = THREAD_PRIORITY_USER;
    task->space->limit = parent->space->limit;

    for (unsigned int i = 0; i <= TASK_SPECIAL_PORT_MAX; i++) {
        task->special[i] = ipc_port_copy_send(parent->special[i]);
    }

    spin_unlock(&parent->lock);
    ipc_space_identity(parent->space, &task->space->identity);
    exception_copy_ports(task->exceptions, parent->exceptions, &parent->lock);

    if (task->priority > task->max_priority) {
        task->priority = task->max_priority;
    }
}

kern_return_t
task_create_internal(struct task *parent, bool inherit_memory,
                     struct task **taskp)
{
    struct task *task = slab_alloc(&task_cache);
    kern_return_t kr = KERN_RESOURCE_SHORTAGE;

    if (task == NULL) {
        return kr;
    }

    spin_init(&task->lock, LOCK_RANK_TASK);
    refcount_init(&task->refs, 2); /* ref: the self port, and the caller */
    task->active = true;
    task->priority = THREAD_PRIORITY_USER;
    task->max_priority = THREAD_PRIORITY_USER;
    list_init(&task->threads);
    list_init(&task->link);
    list_init(&task->owned);
    list_init(&task->owned_link);
    task->space = ipc_space_create(task);

    if (task->space == NULL) {
        goto out;
    }

    kr = task_create_map(parent, inherit_memory, task);

    if (kr != KERN_SUCCESS) {
        goto out;
    }

    task->self_port = ipc_port_create_kernel(IKOT_TASK, task);

    if (task->self_port == NULL) {
        kr = KERN_RESOURCE_SHORTAGE;
        goto out;
    }

    if (parent != NULL) {
        task_inherit(parent, task);
    }

    spin_lock(&task_list_lock);
    task_last_number++;
    task->number = task_last_number;
    list_insert_tail(&task_list, &task->link);
    spin_unlock(&task_list_lock);
    *taskp = task;
    return KERN_SUCCESS;

out:
    task_free(task);
    return kr;
}

/* The tasks that it made end too; those with threads go on their own. */
static void
task_end_owned(struct task *task)
{
    struct task *owned;

    spin_lock(&task_list_lock);
    list_remove(&task->link);

    if (task->owner != NULL) {
        task->owner->owned_count--;
        list_remove(&task->owned_link);
        task->owner = NULL;
    }

    while (!list_empty(&task->owned)) {
        owned = list_entry(list_first(&task->owned), struct task, owned_link);
        list_remove(&owned->owned_link);
        owned->owner = NULL;
        task_ref(owned);
        spin_unlock(&task_list_lock);
        (void)task_terminate(owned);
        task_unref(owned);
        spin_lock(&task_list_lock);
    }

    spin_unlock(&task_list_lock);
}

void
task_no_senders(struct task *task)
{
    bool idle;

    spin_lock(&task->lock);
    idle = task->active && task->thread_count == 0;
    spin_unlock(&task->lock);

    if (idle) {
        (void)task_terminate(task);
    }
}

/* No thread is left: everything goes but the structure. */
static void
task_clean(struct task *task)
{
    task_end_owned(task);

    ipc_space_terminate(task->space);

    for (unsigned int i = 0; i <= TASK_SPECIAL_PORT_MAX; i++) {
        ipc_port_release_send(task->special[i]);
        task->special[i] = NULL;
    }

    for (unsigned int i = 0; i < TASK_PORT_REGISTER_MAX; i++) {
        ipc_port_release_send(task->registered[i]);
        task->registered[i] = NULL;
    }

    exception_release_ports(task->exceptions);
    vm_map_terminate(task->map);
    task_unref(task); /* the self port's */
}

/*
 * Ends the task's port at once; threads end on their way to user mode, the
 * last one cleans up. Without threads the caller does.
 */
kern_return_t
task_terminate(struct task *task)
{
    struct ipc_port *port;
    bool clean;

    if (task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&task->lock);

    if (!task->active) {
        spin_unlock(&task->lock);
        return KERN_TERMINATED;
    }

    task->active = false;
    port = task->self_port;
    task->self_port = NULL;

    list_for_each(&task->threads, link)
    {
        (void)thread_terminate(list_entry(link, struct thread, task_link));
    }

    clean = task->thread_count == 0;
    spin_unlock(&task->lock);
    ipc_port_destroy_kernel(port);

    if (clean) {
        task_clean(task);
    }

    return KERN_SUCCESS;
}

void
task_thread_gone(struct task *task, struct thread *thread)
{
    uint64_t user, system;
    bool last;

    thread_times(thread, &user, &system);
    spin_lock(&task->lock);
    list_remove(&thread->task_link);
    task->thread_count--;
    task->user_time += user;
    task->system_time += system;
    last = task->thread_count == 0 && !task->active;
    spin_unlock(&task->lock);

    if (last) {
        task_clean(task);
    }
}

/* -- I/O permissions -------------------------------------------------------- */

static void
iomap_set(struct cpu *cpu, const struct io_perms *perms, bool allow)
{
    for (unsigned int i = 0; i < perms->count; i++) {
        for (uint32_t port = perms->ranges[i].from; port <= perms->ranges[i].to;
             port++) {
            if (allow) {
                cpu->tss.iomap[port / 8] &= (uint8_t) ~(1u << port % 8);
            } else {
                cpu->tss.iomap[port / 8] |= (uint8_t)(1u << port % 8);
            }
        }
    }
}

/* The map keeps the last owner's bits until another owner comes: a task
 * without permissions gets none since the map then lies beyond the limit. */
void
task_io_load(struct cpu *cpu, struct task *task)
{
    cpu->iomap_open = task->io_perms != NULL;
    cpu->special |= CONTEXT_IO; /* until somebody without permissions runs */

    if (!cpu->iomap_open) {
        cpu->tss.iomap_base = sizeof(cpu->tss);
        return;
    }

    iomap_set(cpu, &cpu->iomap, false);
    cpu->iomap = *task->io_perms;
    iomap_set(cpu, &cpu->iomap, true);
    cpu->tss.iomap_base = offsetof(struct tss, iomap);
}

kern_return_t
task_io_modify(struct task *task, struct io_range range, bool enable)
{
    struct io_perms *perms = slab_alloc(&io_cache);
    kern_return_t kr = KERN_SUCCESS;
    unsigned int at;

    if (perms == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    spin_lock(&task->lock);

    if (task->io_perms == NULL) {
        task->io_perms = perms;
        perms = NULL;
    }

    for (at = 0; at < task->io_perms->count; at++) {
        if (task->io_perms->ranges[at].from == range.from &&
            task->io_perms->ranges[at].to == range.to) {
            break;
        }
    }

    if (enable && at == TASK_IO_RANGES) {
        kr = KERN_RESOURCE_SHORTAGE;
    } else if (enable && at == task->io_perms->count) {
        task->io_perms->ranges[at] = range;
        task->io_perms->count++;
    } else if (!enable && at < task->io_perms->count) {
        task->io_perms->count--;
        task->io_perms->ranges[at] =
            task->io_perms->ranges[task->io_perms->count];
    }

    list_for_each(&task->threads, link)
    {
        list_entry(link, struct thread, task_link)->special |= CONTEXT_IO;
    }

    spin_unlock(&task->lock);

    if (perms != NULL) {
        slab_free(&io_cache, perms);
    }

    if (task == current_thread()->task) {
        unsigned long flags = cpu_interrupts_save();

        task_io_load(cpu_self(), task);
        cpu_interrupts_restore(flags);
    }

    return kr;
}

/* -- Routines --------------------------------------------------------------- */

/* Take one of the places that the creator has for tasks of its own. */
static kern_return_t
task_own(struct task *creator, struct task *task)
{
    kern_return_t kr = KERN_SUCCESS;

    spin_lock(&task_list_lock);

    if (!creator->active) {
        kr = KERN_TERMINATED;
    } else if (creator->owned_count >= TASK_OWNED_MAX) {
        kr = KERN_LIMIT_REACHED;
    } else {
        creator->owned_count++;
        task->owner = creator;
        list_insert_tail(&creator->owned, &task->owned_link);
    }

    spin_unlock(&task_list_lock);
    return kr;
}

kern_return_t
task_create(task_t target_task, boolean_t inherit_memory, task_t *child_task)
{
    struct task *creator = current_thread()->task;
    kern_return_t kr;

    if (target_task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = task_create_internal(target_task, inherit_memory != FALSE, child_task);

    if (kr == KERN_SUCCESS && !creator->vm_privilege) {
        kr = task_own(creator, *child_task);

        if (kr != KERN_SUCCESS) {
            (void)task_terminate(*child_task);
            task_unref(*child_task);
        }
    }

    return kr;
}

kern_return_t
task_threads(task_t target_task, thread_array_t *act_list,
             mach_msg_type_number_t *act_listCnt)
{
    mach_port_t *handles;
    unsigned int room, count = 0;

    if (target_task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    room = target_task->thread_count;
    handles = room == 0 ? NULL : kmem_alloc(room * sizeof(*handles));

    if (room != 0 && handles == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    spin_lock(&target_task->lock);

    list_for_each(&target_task->threads, link)
    {
        struct thread *thread = list_entry(link, struct thread, task_link);

        if (count < room) {
            thread_ref(thread);
            handles[count] = convert_thread_to_port(thread);
            count++;
        }
    }

    spin_unlock(&target_task->lock);
    return host_ports_out(handles, count, room, act_list, act_listCnt);
}

kern_return_t
mach_ports_register(task_t target_task, mach_port_array_t init_port_set,
                    mach_msg_type_number_t init_port_setCnt)
{
    struct ipc_port *old[TASK_PORT_REGISTER_MAX];

    if (target_task == NULL || init_port_setCnt > TASK_PORT_REGISTER_MAX) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&target_task->lock);

    for (unsigned int i = 0; i < TASK_PORT_REGISTER_MAX; i++) {
        old[i] = target_task->registered[i];
        target_task->registered[i] =
            i < init_port_setCnt ? ipc_port_from_handle(init_port_set[i])
                                 : IP_NULL;
    }

    spin_unlock(&target_task->lock);

    for (unsigned int i = 0; i < TASK_PORT_REGISTER_MAX; i++) {
        ipc_port_release_send(old[i]);
    }

    if (init_port_setCnt != 0) {
        kmem_free(init_port_set, init_port_setCnt * sizeof(*init_port_set));
    }

    return KERN_SUCCESS;
}

kern_return_t
mach_ports_lookup(task_t target_task, mach_port_array_t *init_port_set,
                  mach_msg_type_number_t *init_port_setCnt)
{
    mach_port_t *handles;

    if (target_task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    handles = kmem_alloc(TASK_PORT_REGISTER_MAX * sizeof(*handles));

    if (handles == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    spin_lock(&target_task->lock);

    for (unsigned int i = 0; i < TASK_PORT_REGISTER_MAX; i++) {
        handles[i] =
            ipc_port_to_handle(ipc_port_copy_send(target_task->registered[i]));
    }

    spin_unlock(&target_task->lock);
    return host_ports_out(handles, TASK_PORT_REGISTER_MAX,
                          TASK_PORT_REGISTER_MAX, init_port_set,
                          init_port_setCnt);
}

static void
task_times(struct task *task, uint64_t *userp, uint64_t *systemp)
{
    uint64_t user, system;

    spin_lock(&task->lock);
    *userp = task->user_time;
    *systemp = task->system_time;

    list_for_each(&task->threads, link)
    {
        thread_times(list_entry(link, struct thread, task_link), &user,
                     &system);
        *userp += user;
        *systemp += system;
    }

    spin_unlock(&task->lock);
}

/* What receivers are told of the task. */
static kern_return_t
task_info_token(struct task *task, bool audit, integer_t *info,
                mach_msg_type_number_t *count)
{
    struct ipc_identity identity;

    ipc_space_identity(task->space, &identity);

    if (audit) {
        memcpy(info, &identity.audit, sizeof(identity.audit));
        *count = TASK_AUDIT_TOKEN_COUNT;
    } else {
        memcpy(info, &identity.security, sizeof(identity.security));
        *count = TASK_SECURITY_TOKEN_COUNT;
    }

    return KERN_SUCCESS;
}

kern_return_t
task_info(task_t target_task, task_flavor_t flavor, integer_t *task_info_out,
          mach_msg_type_number_t *task_info_outCnt)
{
    struct task_absolutetime_info times;
    struct task_basic_info basic;

    if (target_task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    task_times(target_task, &times.total_user, &times.total_system);

    if (flavor == TASK_ABSOLUTETIME_INFO &&
        *task_info_outCnt >= TASK_ABSOLUTETIME_INFO_COUNT) {
        memcpy(task_info_out, &times, sizeof(times));
        *task_info_outCnt = TASK_ABSOLUTETIME_INFO_COUNT;
        return KERN_SUCCESS;
    }

    if ((flavor == TASK_SECURITY_TOKEN &&
         *task_info_outCnt >= TASK_SECURITY_TOKEN_COUNT) ||
        (flavor == TASK_AUDIT_TOKEN &&
         *task_info_outCnt >= TASK_AUDIT_TOKEN_COUNT)) {
        return task_info_token(target_task, flavor == TASK_AUDIT_TOKEN,
                               task_info_out, task_info_outCnt);
    }

    if (flavor != TASK_BASIC_INFO ||
        *task_info_outCnt < TASK_BASIC_INFO_COUNT) {
        return KERN_INVALID_ARGUMENT;
    }

    basic = (struct task_basic_info){
        .virtual_size = vm_map_size(target_task->map),
        .resident_size = vm_map_resident(target_task->map),
        .user_time = host_time_value(times.total_user),
        .system_time = host_time_value(times.total_system),
        .suspend_count = (integer_t)target_task->suspend_count,
        .thread_count = (integer_t)target_task->thread_count,
    };
    memcpy(task_info_out, &basic, sizeof(basic));
    *task_info_outCnt = TASK_BASIC_INFO_COUNT;
    return KERN_SUCCESS;
}

kern_return_t
task_suspend(task_t target_task)
{
    if (target_task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&target_task->lock);

    if (!target_task->active || target_task->suspend_count >= 0x7fffffff) {
        spin_unlock(&target_task->lock);
        return KERN_FAILURE;
    }

    target_task->suspend_count++;

    list_for_each(&target_task->threads, link)
    {
        thread_task_suspended(list_entry(link, struct thread, task_link));
    }

    spin_unlock(&target_task->lock);
    return KERN_SUCCESS;
}

kern_return_t
task_resume(task_t target_task)
{
    kern_return_t kr = KERN_SUCCESS;

    if (target_task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&target_task->lock);

    if (target_task->suspend_count == 0) {
        kr = KERN_FAILURE;
    } else {
        target_task->suspend_count--;

        if (target_task->suspend_count == 0) {
            list_for_each(&target_task->threads, link)
            {
                thread_task_resumed(list_entry(link, struct thread, task_link));
            }
        }
    }

    spin_unlock(&target_task->lock);
    return kr;
}

kern_return_t
task_get_special_port(task_t task, integer_t which_port,
                      mach_port_t *special_port)
{
    struct ipc_port *port;

    if (task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    switch (which_port) {
    case TASK_KERNEL_PORT:
        task_ref(task);
        *special_port = convert_task_to_port(task);
        return KERN_SUCCESS;
    case TASK_HOST_PORT:
    case TASK_BOOTSTRAP_PORT:
        break;
    default:
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&task->lock);
    port = ipc_port_copy_send(task->special[which_port]);
    spin_unlock(&task->lock);
    *special_port = ipc_port_to_handle(port);
    return KERN_SUCCESS;
}

kern_return_t
task_set_special_port(task_t task, integer_t which_port,
                      mach_port_t special_port)
{
    struct ipc_port *old;

    if (task == NULL ||
        (which_port != TASK_HOST_PORT && which_port != TASK_BOOTSTRAP_PORT)) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&task->lock);
    old = task->special[which_port];
    task->special[which_port] = ipc_port_from_handle(special_port);
    spin_unlock(&task->lock);
    ipc_port_release_send(old);
    return KERN_SUCCESS;
}

kern_return_t
task_set_exception_ports(task_t task, exception_mask_t exception_mask,
                         mach_port_t new_port, exception_behavior_t behavior,
                         thread_state_flavor_t new_flavor)
{
    if (task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    return exception_set_ports(task->exceptions, &task->lock, exception_mask,
                               new_port, behavior, new_flavor);
}

kern_return_t
task_priority(task_t task, integer_t priority, boolean_t change_threads)
{
    if (task == NULL || priority < 1 || priority > THREAD_PRIORITY_MAX) {
        return KERN_INVALID_ARGUMENT;
    }

    if (priority > task->max_priority) {
        return KERN_NO_ACCESS;
    }

    spin_lock(&task->lock);
    task->priority = (uint8_t)priority;

    if (change_threads) {
        list_for_each(&task->threads, link)
        {
            sched_set_priority(list_entry(link, struct thread, task_link),
                               (unsigned int)priority);
        }
    }

    spin_unlock(&task->lock);
    return KERN_SUCCESS;
}

kern_return_t
task_set_limits(task_t task, vm_size_t memory, natural_t rights)
{
    if (task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    if ((memory != 0 && memory > vm_map_limit(task->map)) ||
        (rights != 0 && rights > task->space->limit)) {
        return KERN_NO_ACCESS;
    }

    if (memory != 0) {
        vm_map_set_limit(task->map, memory);
    }

    if (rights != 0) {
        spin_lock(&task->space->lock);
        task->space->limit = rights;
        spin_unlock(&task->space->lock);
    }

    return KERN_SUCCESS;
}
