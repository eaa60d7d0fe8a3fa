/* SPDX-License-Identifier: MIT */
/* See kern/host.h; the routines of <mach/mach_host.defs>, contracts there. */

#include <debug/console.h>
#include <debug/panic.h>
#include <debug/printf.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_space.h>
#include <kern/boot_module.h>
#include <kern/clock.h>
#include <kern/exception.h>
#include <kern/host.h>
#include <kern/slab.h>
#include <kern/stack.h>
#include <kern/string.h>
#include <kern/task.h>
#include <mach/host_security_server.h>
#include <mach/mach_host_server.h>
#include <machine/cpu.h>
#include <machine/setup.h>
#include <vm/memory_entry.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

#define NS_PER_SECOND 1000000000l

struct host host_self;

static const char version[] = "Portolan 0.1 (x86_64)";
static struct spinlock host_time_lock = { .rank = LOCK_RANK_HOST };

void
host_setup(void)
{
    host_self.port = ipc_port_create_kernel(IKOT_HOST, &host_self);
    host_self.priv_port = ipc_port_create_kernel(IKOT_HOST_PRIV, &host_self);
    host_self.security_port =
        ipc_port_create_kernel(IKOT_HOST_SECURITY, &host_self);
    host_self.device_master =
        ipc_port_create_kernel(IKOT_DEVICE_MASTER, &host_self);

    if (host_self.port == NULL || host_self.priv_port == NULL ||
        host_self.security_port == NULL || host_self.device_master == NULL) {
        panic("host: no memory for its ports");
    }
}

time_value_t
host_time_value(uint64_t ns)
{
    return (time_value_t){ (int64_t)(ns / NS_PER_SECOND),
                           (int64_t)(ns % NS_PER_SECOND / 1000) };
}

kern_return_t
host_ports_out(mach_port_t *handles, unsigned int count, unsigned int room,
               mach_port_t **arrayp, mach_msg_type_number_t *countp)
{
    mach_port_t *array = NULL;

    /* The message will free exactly `count` handles. */
    if (count != 0) {
        array = kmem_alloc(count * sizeof(*array));

        if (array != NULL) {
            memcpy(array, handles, count * sizeof(*array));
        }
    }

    if (count != 0 && array == NULL) {
        for (unsigned int i = 0; i < count; i++) {
            ipc_handle_release(handles[i], MACH_MSG_TYPE_PORT_SEND);
        }
    }

    if (handles != NULL) {
        kmem_free(handles, room * sizeof(*handles));
    }

    if (count != 0 && array == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    *arrayp = array;
    *countp = count;
    return KERN_SUCCESS;
}

static void
host_fill_counts(struct host_object_counts *counts)
{
    struct vm_statistics memory;

    vm_page_statistics(&memory);
    *counts = (struct host_object_counts){
        .ports = ipc_port_count(),
        .spaces = ipc_space_count(),
        .messages = ipc_kmsg_count(),
        .tasks = task_count(),
        .threads = thread_count(),
        .maps = vm_map_count(),
        .map_entries = vm_map_entry_count(),
        .vm_objects = vm_object_count(),
        .free_pages = memory.free_count,
        .kernel_pages = memory.wire_count,
        .stacks = stack_count(),
        .kernel_objects = slab_total(),
        .large_pages = kmem_large_pages(),
    };
}

kern_return_t
host_info(host_t host, host_flavor_t flavor, integer_t *host_info_out,
          mach_msg_type_number_t *host_info_outCnt)
{
    struct host_basic_info basic;
    struct host_object_counts counts;

    if (host == NULL) {
        return KERN_INVALID_HOST;
    }

    if (flavor == HOST_BASIC_INFO &&
        *host_info_outCnt >= HOST_BASIC_INFO_COUNT) {
        basic = (struct host_basic_info){
            .max_cpus = CPU_MAX,
            .avail_cpus = (integer_t)cpu_count,
            .memory_size = vm_page_frames << PAGE_SHIFT,
        };
        memcpy(host_info_out, &basic, sizeof(basic));
        *host_info_outCnt = HOST_BASIC_INFO_COUNT;
        return KERN_SUCCESS;
    }

    if (flavor == HOST_OBJECT_COUNTS &&
        *host_info_outCnt >= HOST_OBJECT_COUNTS_COUNT) {
        host_fill_counts(&counts);
        memcpy(host_info_out, &counts, sizeof(counts));
        *host_info_outCnt = HOST_OBJECT_COUNTS_COUNT;
        return KERN_SUCCESS;
    }

    return KERN_INVALID_ARGUMENT;
}

kern_return_t
host_kernel_version(host_t host, kernel_version_t kernel_version)
{
    if (host == NULL) {
        return KERN_INVALID_HOST;
    }

    strzcpy(kernel_version, version, sizeof(kernel_version_t));
    return KERN_SUCCESS;
}

kern_return_t
host_page_size(host_t host, vm_size_t *out_page_size)
{
    if (host == NULL) {
        return KERN_INVALID_HOST;
    }

    *out_page_size = PAGE_SIZE;
    return KERN_SUCCESS;
}

kern_return_t
vm_statistics(host_t host, vm_statistics_data_t *vm_stats)
{
    if (host == NULL) {
        return KERN_INVALID_HOST;
    }

    vm_page_statistics(vm_stats);
    return KERN_SUCCESS;
}

/* One entry, made at the first request and kept: the page is never freed. */
kern_return_t
host_get_clock_page(host_t host, mach_port_t *memory_entry)
{
    static struct memory_entry *entry;
    kern_return_t kr;

    if (host == NULL) {
        return KERN_INVALID_HOST;
    }

    if (entry == NULL) {
        kr = memory_entry_create_from_frames(clock_page_physical(), PAGE_SIZE,
                                             VM_PROT_READ, &entry);

        if (kr != KERN_SUCCESS) {
            return kr;
        }
    }

    memory_entry_ref(entry); /* ref: the port */
    *memory_entry = convert_memory_entry_to_port(entry);
    return *memory_entry == MACH_PORT_NULL ? KERN_RESOURCE_SHORTAGE
                                           : KERN_SUCCESS;
}

kern_return_t
host_get_time(host_t host, time_value_t *current_time)
{
    int64_t now = clock_realtime();

    if (host == NULL) {
        return KERN_INVALID_HOST;
    }

    *current_time =
        (time_value_t){ now / NS_PER_SECOND, now % NS_PER_SECOND / 1000 };
    return KERN_SUCCESS;
}

kern_return_t
host_set_time(host_priv_t host_priv, time_value_t new_time)
{
    if (host_priv == NULL) {
        return KERN_INVALID_HOST;
    }

    if (new_time.seconds < 0 || new_time.seconds > INT64_MAX / NS_PER_SECOND ||
        new_time.microseconds < 0 || new_time.microseconds > 999999) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&host_time_lock);
    clock_set_realtime(new_time.seconds * NS_PER_SECOND +
                       new_time.microseconds * 1000);
    spin_unlock(&host_time_lock);
    return KERN_SUCCESS;
}

kern_return_t
host_reboot(host_priv_t host_priv, integer_t options)
{
    if (host_priv == NULL) {
        return KERN_INVALID_HOST;
    }

    switch (options) {
    case HOST_REBOOT_RESTART:
        machine_reboot();
    case HOST_REBOOT_POWEROFF:
        machine_poweroff();
    case HOST_REBOOT_PANIC:
        panic("host_reboot: asked to");
    default:
        return KERN_INVALID_ARGUMENT;
    }
}

/* Each module has one entry for as long as the system runs. */
kern_return_t
host_get_boot_module(host_priv_t host_priv, natural_t index,
                     boot_module_name_t name, mach_port_t *memory_entry,
                     vm_size_t *size)
{
    struct boot_module *module;
    kern_return_t kr;

    if (host_priv == NULL) {
        return KERN_INVALID_HOST;
    }

    module = boot_module_get(index);

    if (module == NULL) {
        return KERN_INVALID_VALUE;
    }

    kr = boot_module_open(module);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    memory_entry_ref(module->entry); /* ref: the port */
    *memory_entry = convert_memory_entry_to_port(module->entry);

    if (*memory_entry == MACH_PORT_NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    strzcpy(name, module->command_line, sizeof(boot_module_name_t));
    *size = module->size;
    return KERN_SUCCESS;
}

kern_return_t
host_get_boot_info(host_priv_t host_priv, kernel_version_t boot_info)
{
    if (host_priv == NULL) {
        return KERN_INVALID_HOST;
    }

    strzcpy(boot_info, boot_command_line(), sizeof(kernel_version_t));
    return KERN_SUCCESS;
}

kern_return_t
host_task_privilege(host_priv_t host_priv, mach_port_t task_handle,
                    integer_t maximum_priority, boolean_t vm_privilege)
{
    struct task *task;

    if (host_priv == NULL) {
        return KERN_INVALID_HOST;
    }

    task = convert_port_to_task(task_handle);

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    if (maximum_priority < 1 || maximum_priority > THREAD_PRIORITY_MAX) {
        task_unref(task);
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&task->lock);
    task->max_priority = (uint8_t)maximum_priority;
    task->vm_privilege = vm_privilege != FALSE;

    list_for_each(&task->threads, link)
    {
        list_entry(link, struct thread, task_link)->max_priority =
            (uint8_t)maximum_priority;
    }

    spin_unlock(&task->lock);
    task_unref(task);
    ipc_handle_release(task_handle, MACH_MSG_TYPE_PORT_SEND);
    return KERN_SUCCESS;
}

/* -- Security ---------------------------------------------------------------- */

static void
host_task_host_port(struct task *task, struct ipc_port *right)
{
    struct ipc_port *old;

    spin_lock(&task->lock);
    old = task->special[TASK_HOST_PORT];
    task->special[TASK_HOST_PORT] = right;
    spin_unlock(&task->lock);
    ipc_port_release_send(old);
}

/* Either of the kernel's tokens would be enough to be taken for it. */
static bool
host_is_kernel_token(const security_token_t *security,
                     const audit_token_t *audit)
{
    return memcmp(security, &ipc_identity_kernel.security, sizeof(*security)) ==
               0 ||
           memcmp(audit, &ipc_identity_kernel.audit, sizeof(*audit)) == 0;
}

kern_return_t
host_security_set_task_token(host_security_t host_security,
                             mach_port_t target_task,
                             security_token_t sec_token,
                             audit_token_t audit_token, mach_port_t host)
{
    struct ipc_identity identity = { sec_token, audit_token };
    struct task *task;

    if (host_security == NULL) {
        return KERN_INVALID_SECURITY;
    }

    if (host != MACH_PORT_NULL && convert_port_to_host(host) == NULL) {
        return KERN_INVALID_HOST;
    }

    if (host_is_kernel_token(&sec_token, &audit_token)) {
        return KERN_INVALID_VALUE;
    }

    task = convert_port_to_task(target_task);

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    ipc_space_set_identity(task->space, &identity);

    if (host != MACH_PORT_NULL) {
        host_task_host_port(task, ipc_port_from_handle(host));
    }

    task_unref(task);
    ipc_handle_release(target_task, MACH_MSG_TYPE_PORT_SEND);
    return KERN_SUCCESS;
}

/* -- All tasks --------------------------------------------------------------- */

kern_return_t
host_set_exception_ports(host_priv_t host_priv, exception_mask_t exception_mask,
                         mach_port_t new_port, exception_behavior_t behavior,
                         thread_state_flavor_t new_flavor)
{
    if (host_priv == NULL) {
        return KERN_INVALID_HOST;
    }

    return exception_set_ports(host_exceptions, &host_exceptions_lock,
                               exception_mask, new_port, behavior, new_flavor);
}

kern_return_t
host_tasks(host_priv_t host_priv, mach_port_array_t *task_list_out,
           mach_msg_type_number_t *task_listCnt)
{
    unsigned int room, count = 0;
    mach_port_t *handles;

    if (host_priv == NULL) {
        return KERN_INVALID_HOST;
    }

    room = (unsigned int)task_count() + 8;
    handles = kmem_alloc(room * sizeof(*handles));

    if (handles == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    spin_lock(&task_list_lock);

    list_for_each(&task_list, link)
    {
        struct task *task = list_entry(link, struct task, link);

        if (count < room && task != kernel_task && task->active) {
            task_ref(task);
            handles[count] = convert_task_to_port(task);
            count++;
        }
    }

    spin_unlock(&task_list_lock);
    return host_ports_out(handles, count, room, task_list_out, task_listCnt);
}
